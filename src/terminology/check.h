/* check.h - $validate-code: whether codings are right, and what is wrong with them
 * (codesystem-operation-validate-code.html, valueset-operation-validate-code.html).
 *
 * What is wrong is told as the terminology servers of HL7's ecosystem tell it: an issue has a type,
 * a code of http://hl7.org/fhir/tools/CodeSystem/tx-issue-type and the id of its message, so that a
 * validator knows what it reads.
 */
#ifndef TERMINOLOGY_CHECK_H
#define TERMINOLOGY_CHECK_H

#include "fhir/issues.h"
#include "terminology/supplement.h"
#include "terminology/terminology.h"

#define CHECK_ISSUES_MAX 50
#define CHECK_CODINGS_MAX 500
#define CHECK_UNKNOWN_MAX 20 /* code systems that are named as not known */

struct check_options {
    struct str language;   /* displayLanguage, or Accept-Language; STR_NULL: any */
    bool abstract_refused; /* abstract=false */
    bool active_only;
    bool lenient_display; /* a wrong display is a warning */
    bool membership_only; /* the value set decides, whatever the code system says */
    bool infer_system;    /* of a code alone: the system whose code it is in the value set */
    bool is_concept;      /* of a CodeableConcept: one right coding is enough */
    struct str system;    /* the one that codings must be of; STR_NULL: any */
    const char *where;    /* FHIRPath of the coding: "" for code, "Coding", "CodeableConcept" */
    struct supplements supplements;
};

struct check_issue {
    enum issue_severity severity;
    const char *id;     /* of the message */
    const char *type;   /* issue type */
    const char *detail; /* code of tx-issue-type */
    bool told;          /* the text is part of the summary */
    size_t coding;      /* of a concept */
    struct str text, where;
};

struct checked {
    bool result;
    struct str message;  /* the summary, or STR_NULL */
    struct coding found; /* the coding as it was given, with the version and display known here */
    bool has_found;
    struct str normalized; /* the code as its system writes it, where that differs; STR_NULL */
    bool inactive;
    struct str status;                     /* of the concept, where it says more; STR_NULL */
    struct str unknown[CHECK_UNKNOWN_MAX]; /* "url" or "url|version" of what is not known here */
    size_t n_unknown;
    bool undecided; /* because of them */
    struct check_issue issues[CHECK_ISSUES_MAX];
    size_t n_issues;
};

/* vs NULL: against the code system alone. */
int terms_check(struct terms_scope *s, const struct vs *vs, const struct coding *codings, size_t n,
                const struct check_options *opt, struct checked *ret, struct err *err);

#endif
