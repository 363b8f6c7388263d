/* witness_run.h - a witness as a service: POST /add-checkpoint (c2sp.org/tlog-witness). */
#ifndef SERVER_WITNESS_RUN_H
#define SERVER_WITNESS_RUN_H

#include "base/err.h"
#include "trust/audit/note.h"

struct witness_config {
    const char *dir;  /* its key, and what it remembers of each log */
    const char *name; /* of its cosignatures' key */
    const char *listen;
    const char *tls_cert, *tls_key; /* PEM files or NULL */
    const struct note_key *logs;
    size_t n_logs;
};

/* Serves until SIGINT or SIGTERM. `ready` is called once it answers. */
int witness_run(const struct witness_config *config,
                void (*ready)(void *ctx, int port, struct str key), void *ctx, struct err *err);

#endif
