/* notify_int.h - what the files of this folder share. */
#ifndef NOTIFY_NOTIFY_INT_H
#define NOTIFY_NOTIFY_INT_H

#include "notify/notify.h"

#include <pthread.h>
#include <stdatomic.h>

struct notify {
    struct store *store;
    struct access node;
    struct arena a; /* of the configuration */
    struct str link, from;
    struct notify_smtp smtp; /* url NULL: none */
    struct notify_hook {
        const char *url;
        struct str secret; /* of its file */
    } sms, webhook;        /* url NULL: none */
    enum notify_language language;
    int64_t wait_first_ms;
    const struct notify_wires *wires;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    pthread_t thread;
    bool has_thread, is_stopping, is_woken; /* under the lock */
};

/* ---- config.c ---- */

/* `n` has an arena and the defaults. */
int notify_configure(struct notify *n, struct str given, struct err *err);

/* ---- record.c: records in the store ---- */

#define NOTIFY_ARENA_MAX MIB(2)
#define NOTICE_DUE_PREFIX STORE_BLOB_OWN "notice/due/"

/* A record that waits: where it stands, and when it is due. */
struct notice_due {
    struct str name;  /* of its place in the queue */
    struct str owner; /* with the id: its record */
    struct str id;
    int64_t due_ms;
};

int notice_write(struct store_txn *txn, const struct notice_record *rec, struct err *err);
/* ERR_NOT_FOUND where it was removed meanwhile. */
int notice_read(struct store_txn *txn, struct str owner, struct str id, struct arena *a,
                struct notice_record *ret, struct err *err);
/* Removes the oldest of somebody's past NOTIFY_KEPT_MAX. */
int notice_trim(struct store_txn *txn, struct str owner, struct err *err);
int notice_queue(struct store_txn *txn, struct str owner, struct str id, int64_t due_ms,
                 struct err *err);
int notice_unqueue(struct store_txn *txn, struct str name, struct err *err);
/* The first that is due by `now_ms`; ret->name.p NULL: none. */
int notice_next(struct store_txn *txn, int64_t now_ms, struct arena *a, struct notice_due *ret,
                struct err *err);

/* ---- send.c ---- */

/* Hands it to its wire: 1 sent, 0 not yet, -1 never; `proof` says what was answered. */
int notice_send(struct notify *n, const struct notice_record *rec, char proof[NOTIFY_PROOF_MAX]);

/* ---- contact.c ---- */

bool notify_is_mail(struct str s);

#endif
