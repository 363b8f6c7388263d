/* notices.h - what tells people: the outbox over mail and HTTP, and what accounts have to tell. */
#ifndef SERVER_NOTICES_H
#define SERVER_NOTICES_H

#include "notify/notify.h"
#include "trust/trust.h"

struct notices {
    struct notify *notify;
    struct notify_wires wires;
    struct trust_teller teller;
};

/* Reads the file (NULL: none, nothing is sent) and begins to deliver; `link` is where people look.
 * `n` must outlive whoever tells by it. */
int notices_start(struct notices *n, struct store *store, const char *path, struct str link,
                  struct err *err);
void notices_stop(struct notices *n);

#endif
