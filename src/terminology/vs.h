/* vs.h - a compiled value set: which concepts of which systems, and in what order.
 *
 * A value set has groups, one for each code system (and version) in it, each with a bit for every
 * concept; and runs, which say in what order an expansion gives them. Codes of systems that are not
 * known here are kept as they are listed.
 */
#ifndef TERMINOLOGY_VS_H
#define TERMINOLOGY_VS_H

#include "base/js.h"
#include "base/arena.h"
#include "terminology/cs.h"

#include <stdatomic.h>

#define VS_ARENA_MAX MIB(256) /* of one compiled value set */
#define VS_GROUPS_MAX 500     /* systems in one value set */
#define VS_FILTERS_MAX 100    /* of one include */
#define VS_LISTED_MAX 1000000 /* codes that are listed one by one */

struct terms_scope;

/* A code listed by itself: with a display or designations of the value set's own, or of a system
 * that is not known here. */
struct vs_listed {
    uint32_t concept; /* CS_NONE: not one of the group's system */
    struct str code, display;
    yyjson_val *designations; /* in the value set's own document, or NULL */
};

/* Which codes of an endless grammar an include or exclude means: those that pass all filters and
 * are in all value sets. */
struct vs_rule {
    const struct grammar_filter *filters;
    size_t n;
    struct vs **within; /* references of its own */
    size_t n_within;
    bool exclude;
    struct vs_rule *next;
};

struct vs_group {
    struct str system, version; /* version: of the code system that was used, or as asked for */
    struct cs *cs;              /* NULL: not known here */
    bool is_pinned;             /* the value set names this version */
    bool whole;                 /* all codes of the system, with no filter */
    struct vs_rule *rules;      /* of codes that the system's grammar makes, or NULL */
    bool any_case;              /* of the listed codes: they are the same whatever their case */
    uint64_t *members;          /* of cs */
    uint64_t *removed;          /* by an exclude */
    struct vs_listed *codes;    /* of a system that is not known, or of grammar: hash table */
    size_t n_codes, codes_mask;
};

/* Part of the order: all of `bits`, or a list. */
struct vs_run {
    uint32_t group;
    uint64_t *bits;
    struct vs_listed *list;
    size_t n;
    struct vs_run *next;
};

struct vs {
    struct arena a;
    struct str url, version, name, title, status, id;
    bool experimental, immutable;
    bool active_only;   /* compose.inactive is false */
    uint32_t standards; /* CS_DEPRECATED … of its own */
    yyjson_val *source; /* its resource */
    struct vs_group *groups;
    size_t n_groups;
    struct vs_run *first, *last;
    size_t n;         /* concepts in all runs */
    struct str *used; /* value sets it is made of, as "url|version" */
    size_t n_used;
    struct str unknown; /* the first system or value set that it needs and is not here */
    bool unknown_is_value_set;
    atomic_uint refs;
};

/* Compiles a resource. `s` finds what it is made of; `path`: the value sets that are being compiled
 * around it. The caller unrefs. */
struct vs_path {
    struct str canonical;
    const struct vs_path *outer;
    size_t depth;
};

/* `container`: the resource that "#id" is looked for in, where it is not the value set itself. */
int vs_compile(struct terms_scope *s, yyjson_val *resource, yyjson_val *container,
               const struct vs_path *path, struct vs **ret, struct err *err);
struct vs *vs_ref(struct vs *vs);
void vs_unref(struct vs *vs);
size_t vs_bytes(const struct vs *vs);

struct vs_found {
    const struct vs_group *group;
    uint32_t concept;               /* CS_NONE: listed, or of the grammar */
    const struct vs_listed *listed; /* or NULL */
};

/* Whether the set has a code. system.p NULL: in any system; version.p NULL: any. */
bool vs_has(const struct vs *vs, struct str system, struct str version, struct str code,
            struct vs_found *ret);

/* Whether a group has codes of a grammar that no list holds: units, language tags. */
bool vs_is_endless(const struct vs_group *g);

/* filter.c: `bits` become the concepts that one filter of an include allows. `op` and `property`
 * as in ValueSet.compose.include.filter. */
int vs_filter(const struct cs *cs, struct arena *a, struct str property, struct str op,
              struct str value, uint64_t *bits, struct err *err);

#endif
