/* contract.h - what the suites that hold for every backend share. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include "../unit/test.h"

#include "store/store_int.h"

#include <stdatomic.h>
#include <unistd.h>

/* A folder of its own for each test, removed at the end; where CARNET_TEST_STORE names a PostgreSQL
 * (tests/lib/with_postgres.py), a schema of its own there. */
struct world {
    char dir[64];
    char uri[300]; /* "": SQLite */
    struct store *st;
    struct arena a;
    struct access who;
};

extern bool world_is_faulty; /* open stores behind store/faulty */

/* Whether the suite runs on PostgreSQL. */
bool world_on_postgres(void);
void world_open(struct world *w);
void world_reopen(struct world *w);
void world_done(struct world *w);
/* Only the place of a store: its folder, and its schema. */
void world_place(struct world *w);
void world_displace(const struct world *w);
struct store_config world_config(const struct world *w);
/* Where a copy of the store puts owners' keys: in the store's own folder; NULL where it has none.
 */
const char *world_keys_file(struct world *w);
/* On PostgreSQL: the first column of what a statement gives, a line a row; in w->a. */
const char *world_sql(struct world *w, const char *sql);

/* One version of a resource given as JSON text without id; NULL text: a deletion. Each call is a
 * job of its own. */
int world_put(struct world *w, const char *type, const char *id, const char *text,
              struct version *ret, struct err *err);
/* The newest version as text, "" for a deletion, NULL with the error. Lives in w->a. */
const char *world_get(struct world *w, const char *type, const char *id, struct err *err);
struct store_txn *world_begin(struct world *w);
int type_of(const char *name);
/* store_check must be silent. */
void world_check(struct world *w);

/* Puts several versions in one job. */
struct put_job {
    struct store_job job;
    struct put put;
    struct version version;
    void *ctx;
};

/* Parses, extracts and seals; everything in `a`. */
int make_put(struct store *st, struct arena *a, const char *type, const char *id, const char *text,
             struct put *ret, struct err *err);

#endif
