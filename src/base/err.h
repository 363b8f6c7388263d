/* err.h - how a function says that it failed.
 *
 * Every fallible function returns int: 0 (or a positive result) or a negative enum err_code, and
 * takes a trailing struct err *, which it fills on failure. The table below maps each code to its
 * HTTP status and OperationOutcome issue type (http://hl7.org/fhir/R4/valueset-issue-type.html).
 * Invalid content is data (fhir/issues.h), not an err, until somebody has to answer for it.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/str.h"

#define ERR_TEXT_MAX 512
#define ERR_WHERE_MAX 256

/*    code              HTTP  issue type          */
#define ERR_TABLE(X)                                                                               \
    X(ERR_SYNTAX, 400, "structure")                                                                \
    X(ERR_INVALID, 400, "invalid")                                                                 \
    X(ERR_REQUIRED, 400, "required")                                                               \
    X(ERR_VALUE, 400, "value")                                                                     \
    X(ERR_NOT_SUPPORTED, 400, "not-supported")                                                     \
    X(ERR_LOGIN, 401, "login")                                                                     \
    X(ERR_FORBIDDEN, 403, "forbidden")                                                             \
    X(ERR_NOT_FOUND, 404, "not-found")                                                             \
    X(ERR_METHOD, 405, "not-supported")                                                            \
    X(ERR_NOT_ACCEPTABLE, 406, "not-supported")                                                    \
    X(ERR_TIMEOUT, 408, "timeout")                                                                 \
    X(ERR_CONFLICT, 409, "conflict")                                                               \
    X(ERR_DUPLICATE, 409, "duplicate")                                                             \
    X(ERR_DELETED, 410, "deleted")                                                                 \
    X(ERR_STALE, 412, "conflict")                                                                  \
    X(ERR_MULTIPLE, 412, "multiple-matches")                                                       \
    X(ERR_TOO_LONG, 413, "too-long")                                                               \
    X(ERR_URI_TOO_LONG, 414, "too-long")                                                           \
    X(ERR_MEDIA_TYPE, 415, "not-supported")                                                        \
    X(ERR_PROCESSING, 422, "processing")                                                           \
    X(ERR_RULE, 422, "business-rule")                                                              \
    X(ERR_COSTLY, 422, "too-costly")                                                               \
    X(ERR_THROTTLED, 429, "throttled")                                                             \
    X(ERR_INTERNAL, 500, "exception")                                                              \
    X(ERR_NO_STORE, 500, "no-store")                                                               \
    X(ERR_BUSY, 503, "transient")                                                                  \
    X(ERR_NO_MEMORY, 503, "too-costly")                                                            \
    X(ERR_FULL, 507, "no-store")

enum err_code {
    ERR_FIRST = -1000,
#define X(code, status, issue) code,
    ERR_TABLE(X)
#undef X
        ERR_END
};

struct err {
    int code;                  /* 0 or enum err_code */
    char text[ERR_TEXT_MAX];   /* public: what does not hold, in one sentence */
    char where[ERR_WHERE_MAX]; /* public: FHIRPath of the element, or "", for `expression` */
    char detail[ERR_TEXT_MAX]; /* for the log only: never leaves the node */
};

/* Fills *err (which may be NULL) and returns `code`, so that one can `return err_set(...)`. */
int err_set(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);

/* As err_set, naming the element (a FHIRPath such as "Patient.name[0].given[1]"). */
int err_at(struct err *err, int code, const char *where, const char *fmt, ...) _printf_(4, 5);

/* Adds the log-only part; returns err->code (or ERR_INTERNAL where err is NULL). */
int err_detail(struct err *err, const char *fmt, ...) _printf_(2, 3);

/* What to say when memory or a named byte limit is used up. */
int err_no_memory(struct err *err);

/* clang-tidy does not look into err.c: here it learns that the result is the code. */
#if defined(__clang_analyzer__) && !defined(ERR_DEFINES)
#define err_set(err, code, ...) (err_set(err, code, __VA_ARGS__), (int)(code))
#define err_at(err, code, ...) (err_at(err, code, __VA_ARGS__), (int)(code))
#define err_no_memory(err) (err_no_memory(err), (int)ERR_NO_MEMORY)
#endif

int err_http_status(int code);
const char *err_issue_type(int code);
const char *err_name(int code);

#endif
