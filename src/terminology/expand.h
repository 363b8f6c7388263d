/* expand.h - $expand: a value set's codes as a page, as a tree or as a list
 * (valueset-operation-expand.html).
 */
#ifndef TERMINOLOGY_EXPAND_H
#define TERMINOLOGY_EXPAND_H

#include "terminology/supplement.h"

#define EXPAND_CODES_MAX 50000 /* codes in one answer; what has more is asked for in pages */
#define EXPAND_NAMES_MAX 20    /* of one parameter that may be repeated */

struct expand_options {
    struct str filter;
    uint64_t offset, count;
    bool has_offset, has_count;
    bool active_only, designations, exclude_nested, has_exclude_nested, definition;
    bool exclude_not_for_ui, has_active_only, has_designations;
    bool has_definition, has_exclude_not_for_ui;
    struct str language;                 /* displayLanguage, or Accept-Language */
    bool has_language;                   /* one of them was given */
    struct str wanted[EXPAND_NAMES_MAX]; /* `designation`: languages, or uses as "system|code" */
    size_t n_wanted;
    struct str properties[EXPAND_NAMES_MAX];
    size_t n_properties;
    struct str excluded[EXPAND_NAMES_MAX]; /* `exclude-system`: "url" or "url|version" */
    size_t n_excluded;
    struct supplements supplements;
};

/* Appends the ValueSet with its expansion. ERR_COSTLY above EXPAND_CODES_MAX without a page,
 * ERR_NOT_FOUND when something that the set is made of is not here. */
int terms_expand(struct terms_scope *s, const struct vs *vs, const struct expand_options *opt,
                 struct sb *out, struct err *err);

#endif
