/* check.h - $validate-code: whether codings are right, and what is wrong with them
 * (codesystem-operation-validate-code.html, valueset-operation-validate-code.html).
 */
#ifndef TERMINOLOGY_CHECK_H
#define TERMINOLOGY_CHECK_H

#include "fhir/issues.h"
#include "terminology/terminology.h"

#define CHECK_ISSUES_MAX 50
#define CHECK_CODINGS_MAX 500

struct check_options {
    struct str language;   /* displayLanguage, or Accept-Language */
    bool abstract_refused; /* abstract=false */
    bool active_only;
    bool lenient_display; /* a wrong display is a warning */
    bool display_only_from_set;
    bool is_concept;   /* of a CodeableConcept: one right coding is enough */
    const char *where; /* FHIRPath of the coding: "" for code, "Coding", "CodeableConcept" */
};

struct check_issue {
    enum issue_severity severity;
    const char *type;   /* issue type */
    const char *detail; /* code of http://hl7.org/fhir/tools/CodeSystem/tx-issue-type */
    struct str text, where;
};

struct checked {
    bool result;
    struct str message;  /* the errors, or STR_NULL */
    struct coding found; /* the coding as it is known: system, version, code, display */
    bool has_found;
    bool inactive;
    struct str unknown_system; /* as "url" or "url|version"; STR_NULL */
    struct str unknown_cause;  /* the same of what the value set needs and is not here */
    struct check_issue issues[CHECK_ISSUES_MAX];
    size_t n_issues;
};

/* vs NULL: against the code system alone. */
int terms_check(struct terms_scope *s, const struct vs *vs, const struct coding *codings, size_t n,
                const struct check_options *opt, struct checked *ret, struct err *err);

#endif
