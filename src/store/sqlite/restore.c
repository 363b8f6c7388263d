/* restore.c - the copy of an encrypted store gets its owners' keys back, and what lost its key
 * goes; and bodies that were written before their owners had keys are sealed with them.
 */
#include "store/sqlite/sq_int.h"

#define ARENA_MAX MIB(512)
#define WRAP_ROWS 200 /* versions in one job */

static const struct access upkeep = {
    .kind = ACCESS_SYSTEM, .agent = {"upkeep", 6}, .may_write = true};

struct load_job {
    struct store_job job;
    const char *keys_file;
    const struct vault *vault;
};

static int load(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct load_job *l = (struct load_job *)job;

    return sq_keys_load(sq_txn(txn), l->keys_file, l->vault, err);
}

struct erase_job {
    struct store_job job;
    struct erase_plan plan;
};

static int erase(struct store_txn *txn, struct store_job *job, struct err *err)
{
    return store_erase(txn, &((struct erase_job *)job)->plan, err);
}

static int erase_locked(struct store *st, const struct access *who, struct err *err)
{
    struct erase_job e = {.job = {.run = erase, .who = who}};
    struct arena a;
    int r;

    arena_init(&a, ARENA_MAX);
    r = store_erase_find(st, who, STR(""), false, &a, &e.plan, err);
    if (r >= 0 && e.plan.n)
        r = store_write(st, &e.job, err);
    arena_done(&a);
    return r;
}

int sq_restore_keys(struct store *base, const char *keys_file, const char *copy_dir,
                    const char *copy_key_file, struct err *err)
{
    struct sq_store *st = (struct sq_store *)base;
    _cleanup_(vault_freep) struct vault *vault = NULL;
    struct load_job l = {.job = {.run = load, .who = &upkeep}, .keys_file = keys_file};
    int r;

    assert(st->base.is_copy);
    r = vault_open(copy_dir, copy_key_file, &vault, err);
    if (r < 0)
        return r;
    l.vault = vault;
    r = store_write(base, &l.job, err);
    return r < 0 ? r : erase_locked(base, &upkeep, err);
}

/* ---- bodies from before ---- */

struct wrap_job {
    struct store_job job;
    uint64_t at; /* the last version looked at */
    bool is_end;
};

static int is_bare(struct sq_txn *t, uint64_t row, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_BODY_HEAD, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)row);
    r = sq_step(t->conn, s, err);
    if (r > 0) {
        r = sqlite3_column_type(s, 0) != SQLITE_NULL && persons_body_key(sq_column(s, 0)) == 0;
        sqlite3_reset(s);
    }
    return r;
}

static int set_body(struct sq_txn *t, uint64_t row, struct str body, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_SET_BODY, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)row);
    sq_bind_blob(s, 2, body);
    return sq_run(t->conn, s, err);
}

static int wrap_row(struct sq_txn *t, uint64_t number, struct err *err)
{
    struct sq_store *st = sq_store(&t->base);
    struct sq_writer *w = &st->writer;
    struct put put = {.method = METHOD_UPDATE};
    struct index index;
    struct str body;
    struct row row;
    int r = is_bare(t, number, err);

    if (r <= 0 || (r = sq_get_row(&t->base, number, &row, err)) < 0)
        return r;
    arena_reset(&w->arena);
    if ((r = row_index(&st->base, &w->arena, &w->scratch, &row, &index, err)) < 0)
        return r;
    put.type = row.type;
    put.id = arena_dup(&w->arena, row.id);
    put.sealed = arena_dup(&w->arena, row.sealed);
    put.index = &index;
    if (!put.id.p || !put.sealed.p)
        return err_no_memory(err);
    sq_leave(t);
    if ((r = sq_body_seal(t, &put, row.version.hlc, &body, err)) < 0)
        return r;
    return body.p == put.sealed.p ? 0 : set_body(t, number, body, err);
}

static int wrap(struct store_txn *txn, struct store_job *job, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct wrap_job *w = (struct wrap_job *)job;
    struct page page;
    int r;

    arena_init(&a, KIB(64));
    r = store_feed(txn, w->at, WRAP_ROWS, &a, &page, err);
    for (size_t i = 0; r >= 0 && i < page.n; i++) {
        r = wrap_row(sq_txn(txn), page.rows[i], err);
        w->at = page.rows[i];
    }
    w->is_end = r >= 0 && !page.n;
    return r;
}

int sq_wrap(struct store *base, store_backup_progress *progress, void *ctx, struct err *err)
{
    struct sq_store *st = (struct sq_store *)base;
    struct wrap_job w = {.job = {.run = wrap, .who = &upkeep, .weight = WRAP_ROWS}};
    int r = 0;

    while (st->vault && !w.is_end && r >= 0) {
        r = store_write(base, &w.job, err);
        if (r >= 0 && progress && !progress(ctx, w.at, MAX(st->writer.last_row, 1u)))
            return err_set(err, ERR_TIMEOUT, "sealing was stopped");
    }
    return r;
}
