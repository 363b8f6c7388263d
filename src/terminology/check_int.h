/* check_int.h - what the files of $validate-code share. */
#ifndef TERMINOLOGY_CHECK_INT_H
#define TERMINOLOGY_CHECK_INT_H

#include "terminology/check.h"

/* What can be said: id of the message, issue type, tx-issue-type, severity, whether the summary
 * tells it. */
#define CHECK_SAYINGS(X)                                                                           \
    X(NOT_IN_SET, "None_of_the_provided_codes_are_in_the_value_set_one", "code-invalid",           \
      "not-in-vs", ERROR, true)                                                                    \
    X(CODING_NOT_IN_SET, "None_of_the_provided_codes_are_in_the_value_set_one", "code-invalid",    \
      "this-code-not-in-vs", INFORMATION, false)                                                   \
    X(CONCEPT_NOT_IN_SET, "TX_GENERAL_CC_ERROR_MESSAGE", "code-invalid", "not-in-vs", ERROR, true) \
    X(SET_UNKNOWN, "Unable_to_resolve_value_Set_", "not-found", "not-found", ERROR, true)          \
    X(SYSTEM_UNKNOWN, "UNKNOWN_CODESYSTEM", "not-found", "not-found", ERROR, true)                 \
    X(VERSION_UNKNOWN, "UNKNOWN_CODESYSTEM_VERSION", "not-found", "not-found", ERROR, true)        \
    X(VERSIONS_UNKNOWN, "UNKNOWN_CODESYSTEM_VERSION_NONE", "not-found", "not-found", ERROR, true)  \
    X(SYSTEM_NOT_CHECKED, "UNKNOWN_CODESYSTEM_CODING_NOT_CHECKED", "not-found", "not-found",       \
      WARNING, true)                                                                               \
    X(SYSTEM_IS_SET, "Terminology_TX_System_ValueSet2", "invalid", "invalid-data", ERROR, true)    \
    X(SYSTEM_IS_SUPPLEMENT, "CODESYSTEM_CS_NO_SUPPLEMENT", "invalid", "invalid-data", ERROR, true) \
    X(SYSTEM_OTHER, "Coding_is_of_another_system", "code-invalid", "invalid-code", ERROR, true) \
    X(SYSTEM_RELATIVE, "Terminology_TX_System_Relative", "invalid", "invalid-data", ERROR, true)   \
    X(NO_SYSTEM, "Coding_has_no_system__cannot_validate", "invalid", "invalid-data", WARNING,      \
      true)                                                                                        \
    X(INFER_NONE, "UNABLE_TO_INFER_CODESYSTEM", "not-found", "cannot-infer", ERROR, true)          \
    X(INFER_MANY, "Unable_to_resolve_system__value_set_has_multiple_matches", "not-found",         \
      "cannot-infer", ERROR, true)                                                                 \
    X(VERSION_OTHER, "VALUESET_VALUE_MISMATCH", "invalid", "vs-invalid", ERROR, true)              \
    X(VERSION_CHANGED, "VALUESET_VALUE_MISMATCH_CHANGED", "invalid", "vs-invalid", ERROR, true)    \
    X(VERSION_DEFAULT, "VALUESET_VALUE_MISMATCH_DEFAULT", "invalid", "vs-invalid", WARNING, false) \
    X(CODE_UNKNOWN, "Unknown_Code_in_Version", "code-invalid", "invalid-code", ERROR, true)        \
    X(CODE_NOT_IN_FRAGMENT, "UNKNOWN_CODE_IN_FRAGMENT", "code-invalid", "invalid-code", WARNING,   \
      false)                                                                                       \
    X(CODE_CASE, "CODE_CASE_DIFFERENCE", "business-rule", "code-rule", INFORMATION, false)         \
    X(CODE_ABSTRACT, "ABSTRACT_CODE_NOT_ALLOWED", "business-rule", "code-rule", ERROR, true)       \
    X(CODE_NOT_ACTIVE, "STATUS_CODE_WARNING_CODE", "business-rule", "code-rule", ERROR, true)      \
    X(CODE_INACTIVE, "INACTIVE_CONCEPT_FOUND", "business-rule", "code-comment", WARNING, true)     \
    X(CODE_DEPRECATED, "DEPRECATED_CONCEPT_FOUND", "business-rule", "code-comment", WARNING, true) \
    X(DISPLAY_WRONG, "Display_Name_for__should_be_one_of__instead_of", "invalid",                  \
      "invalid-display", ERROR, true)                                                              \
    X(DISPLAY_BLANKS, "Display_Name_WS_for__should_be_one_of__instead_of", "invalid",              \
      "invalid-display", ERROR, true)                                                              \
    X(DISPLAY_OF_OTHER_LANGUAGE, "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_OK", "invalid",             \
      "invalid-display", INFORMATION, true)                                                        \
    X(DISPLAY_NO_LANGUAGE, "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_ERR", "invalid",                  \
      "invalid-display", ERROR, true)                                                              \
    X(DISPLAY_NONE, "NO_VALID_DISPLAY_AT_ALL", "invalid", "invalid-display", WARNING, true)        \
    X(STATUS_DEPRECATED, "MSG_DEPRECATED", "business-rule", "status-check", INFORMATION, false)    \
    X(STATUS_WITHDRAWN, "MSG_WITHDRAWN", "business-rule", "status-check", INFORMATION, false)      \
    X(STATUS_RETIRED, "MSG_RETIRED", "business-rule", "status-check", INFORMATION, false)          \
    X(STATUS_EXPERIMENTAL, "MSG_EXPERIMENTAL", "business-rule", "status-check", INFORMATION,       \
      false)                                                                                       \
    X(STATUS_DRAFT, "MSG_DRAFT", "business-rule", "status-check", INFORMATION, false)

enum saying {
#define X(name, id, type, detail, severity, told) SAY_##name,
    CHECK_SAYINGS(X)
#undef X
};

struct checking {
    struct terms_scope *s;
    const struct vs *vs;
    const struct check_options *opt;
    struct checked *ret;
    size_t at; /* of a CodeableConcept's codings */
    struct err *err;
};

enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_OPEN }; /* OPEN: something is not known here */

/* What is known of one coding. */
struct one {
    struct coding coding;
    struct str version;           /* of the system that was looked for */
    struct cs *cs;                /* NULL: not known here */
    uint32_t concept;             /* CS_NONE: none, or of the grammar */
    bool is_code;                 /* of its system */
    const struct vs_group *group; /* of its system in the value set, NULL: none */
    const struct vs_listed *listed;
    struct str display; /* the preferred one */
    enum verdict verdict;
};

/* check_say.c: adds an issue. `where`: checking_where(), or "". */
void checking_say(struct checking *c, enum saying what, struct str where, const char *fmt, ...)
    _printf_(4, 5);
/* The path of a member of the coding; "" for the coding itself. */
struct str checking_where(struct checking *c, const char *member);
/* For messages: bounded, and never NULL. */
struct str checking_shown(struct str s);
/* "url" or "url|version" */
struct str checking_canonical(struct checking *c, struct str url, struct str version);
int checking_summary(struct checking *c);

/* check_display.c: whether the display that was given is one of the concept's. False where a wrong
 * one is an error. Sets o->display. */
bool checking_display(struct checking *c, struct one *o);

/* check_state.c: retired, draft and experimental resources; abstract and inactive concepts. */
void checking_status_of_system(struct checking *c, const struct cs *cs);
void checking_status_of_set(struct checking *c);
/* False where the concept may not be used. */
bool checking_concept(struct checking *c, struct one *o);

#endif
