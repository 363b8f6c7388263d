/* witness.h - a node's second role: it cosigns heads of other nodes' logs, each only if it is
 * consistent with the last one that it cosigned (c2sp.org/tlog-witness). What it remembers of a log
 * is durable before the cosignature leaves.
 */
#ifndef TRUST_AUDIT_WITNESS_H
#define TRUST_AUDIT_WITNESS_H

#include "trust/audit/note.h"

#define WITNESS_LOGS_MAX 1000
#define WITNESS_KEY_NAME "key.pem"

struct witness;

/* `dir` holds the key (made if there is none, under `name`) and a file for each log. */
int witness_open(const char *dir, struct str name, const struct note_key *logs, size_t n,
                 struct witness **ret, struct err *err);
void witness_close(struct witness *w);
static inline void witness_closep(struct witness **w)
{
    witness_close(*w);
}
/* As others must know it: a key for cosignatures. */
const struct note_key *witness_key(const struct witness *w);

/* The answer to one add-checkpoint request, any thread: an HTTP status, and the body for it with
 * its type (static). A refusal's reason is in err. */
int witness_add(struct witness *w, struct str body, struct sb *out, const char **ret_type,
                struct err *err);

#endif
