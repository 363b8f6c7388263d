/* bundle.h - inside of batch and transaction: entries and their order. */
#ifndef API_BUNDLE_H
#define API_BUNDLE_H

#include "base/b64.h"
#include "api/waiter.h"
#include "api/write.h"

enum entry_order { ORDER_DELETE, ORDER_POST, ORDER_PUT, ORDER_GET };

struct entry {
    struct call call;
    struct write write;
    bool is_write;
    enum entry_order order;
    struct str full_url;
    int result;
};

struct bundle {
    struct call *call;
    bool is_transaction;
    struct entry *entries;   /* as they stand in the Bundle */
    struct entry **in_order; /* as they are carried out */
    size_t n, n_failed;
    api_also *also; /* in the transaction's own commit */
    void *also_ctx;
};

/* Runs the Bundle in call->body or call->resource; bundle_done releases. */
int bundle_run(struct bundle *b);
void bundle_done(struct bundle *b);

int bundle_transaction(struct bundle *b);
int bundle_run_read(struct entry *e, struct store_txn *txn);
void bundle_settle(struct entry *e, int r);
/* Copies an entry's error to the call, with the entry's place in front of `where`. */
int bundle_entry_failed(struct bundle *b, struct entry *e);

#endif
