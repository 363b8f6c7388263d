/* log.h - structured logs: one JSON object a line on standard error, no patient content, ever.
 *
 * Events have names from the table, so that an operator can look them up (docs/guides/operate.md)
 * and a grep finds all places. Values are numbers, codes, paths and ids of ours; never element
 * values, query strings or names of persons.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/*    event              what happened                                        */
#define LOG_EVENTS(X)                                                                              \
    X(LOG_START, "start", "the node answers")                                                      \
    X(LOG_STOP, "stop", "the node has stopped")                                                    \
    X(LOG_REQUEST, "request", "a request was answered")                                            \
    X(LOG_REQUEST_FAILED, "request-failed", "a request ended in a 5xx")                            \
    X(LOG_STORE, "store", "the store opened, closed or upgraded")                                  \
    X(LOG_STORE_FAILED, "store-failed", "the store could not do what was asked")                   \
    X(LOG_COMMIT_FAILED, "commit-failed", "a group of writes was not committed")                   \
    X(LOG_AUDIT_FAILED, "audit-failed", "the audit log could not be written or signed")            \
    X(LOG_WITNESS, "witness", "a witness could not be asked, or refused a head")                   \
    X(LOG_JOB, "job", "a background job moved on")                                                 \
    X(LOG_JOB_FAILED, "job-failed", "a background job stopped early")                              \
    X(LOG_IMPORT, "import", "an import moved on")                                                  \
    X(LOG_PROFILES, "profiles", "a profile of --profiles cannot be held to")        \
    X(LOG_NOTICE, "notice", "a notice to a person could not be sent")                              \
    X(LOG_EID, "eid", "a provider of identities could not be asked, or was not believed")          \
    X(LOG_SURVEILLANCE, "surveillance", "cases could not be kept, or signals not raised")          \
    X(LOG_COVERAGE, "coverage", "how far programmes reach could not be counted")                   \
    X(LOG_LIMIT, "limit", "a stranger met a named limit")                                          \
    X(LOG_NET, "net", "a connection or listener failed")

enum log_event {
#define X(id, name, what) id,
    LOG_EVENTS(X)
#undef X
        LOG_EVENT_COUNT
};

void log_set_level(enum log_level min);
bool log_is_on(enum log_level level);
/* "debug", "info", "warn", "error"; false when it is none of them. */
bool log_level_parse(struct str name, enum log_level *ret);

/* log_event(LOG_INFO, LOG_START, "listen=%s pid=%d", …): the text is logfmt pairs, which become
 * members. Cheap when the level is off. Safe from any thread. */
void log_event(enum log_level level, enum log_event event, const char *fmt, ...) _printf_(3, 4);

/* Logs err's code, text and detail under `event`. */
void log_err(enum log_level level, enum log_event event, const struct err *err);

#endif
