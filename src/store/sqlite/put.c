/* put.c - writing one version, and removing all of an id. Runs on the writer's thread. */
#include "store/sqlite/sq_int.h"

#include "base/clock.h"
#include "base/fault.h"

/* The newest version of an id, as far as a write needs it. */
struct newest {
    uint64_t row; /* 0: the id is new */
    uint64_t hlc;
    int64_t origin, flags;
};

static struct str id_key(struct str id, unsigned char key[ID_KEY_MAX])
{
    return str_n((char *)key, index_id_key(id, key));
}

static int add_entries(struct sq_txn *t, const struct index *index, uint64_t row, bool is_drop,
                       struct err *err)
{
    struct sq_store *st = sq_store(&t->base);
    struct sq_writer *w = &st->writer;
    int r = pends_add_all(&w->pends, &st->base.lists, index, row, is_drop, &w->multi_dirty, err);

    if (r == 0 && w->pends.bytes.n > PEND_BYTES_MAX)
        r = sq_pends_flush_if_writing(t, err);
    return r;
}

int sq_pends_flush_if_writing(struct sq_txn *t, struct err *err)
{
    struct sq_writer *w = &sq_store(&t->base)->writer;
    int r;

    if (!t->base.is_writing)
        return 0;
    r = sq_pends_flush(t->conn, &w->pends, err);
    if (r < 0)
        return r;
    /* This job's own changes are in its savepoint now: undone with it, or kept with it. */
    w->pends.n = w->pends.flushed = w->job_pends;
    w->pends.bytes.n = w->job_pend_bytes;
    return 0;
}

#define UNINDEX_KEEP_BYTES MIB(4)

/* Takes the index entries of a live version out again: they follow from its body. */
static int unindex(struct sq_txn *t, uint64_t number, struct err *err)
{
    struct sq_store *st = sq_store(&t->base);
    struct sq_writer *w = &st->writer;
    struct index index;
    struct row row;
    int r = sq_get_row(&t->base, number, &row, err);

    if (r < 0)
        return r;
    arena_reset(&w->arena);
    r = row_index(&st->base, &w->arena, &w->scratch, &row, &index, err);
    if (r == 0)
        r = add_entries(t, &index, number, true, err);
    /* One long body must not stay in memory for good. */
    if (w->scratch.cap > UNINDEX_KEEP_BYTES)
        sb_done(&w->scratch);
    if (w->arena.used_bytes > UNINDEX_KEEP_BYTES)
        arena_done(&w->arena);
    return r;
}

static int get_newest(struct sq_txn *t, const struct put *put, struct newest *ret, struct err *err)
{
    unsigned char key[ID_KEY_MAX];
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_NEWEST, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int(s, 1, put->type);
    sq_bind_blob(s, 2, id_key(put->id, key));
    r = sq_step(t->conn, s, err);
    if (r < 0)
        return r;
    *ret = (struct newest){0};
    if (r == 0)
        return 0;
    *ret = (struct newest){
        .row = (uint64_t)sqlite3_column_int64(s, 0),
        .hlc = (uint64_t)sqlite3_column_int64(s, 1),
        .origin = sqlite3_column_int64(s, 2),
        .flags = sqlite3_column_int64(s, 3),
    };
    sqlite3_reset(s);
    return 0;
}

/* The number of a text in the table of symbols; the last one is remembered. */
static int agent_number(struct sq_txn *t, int64_t *ret, struct err *err)
{
    struct sq_writer *w = &sq_store(&t->base)->writer;
    struct str agent = t->base.who.agent;
    sqlite3_stmt *s;
    int r;

    if (w->agent_n && str_eq(sb_view(&w->agent_text), agent)) {
        *ret = w->agent_n;
        return 0;
    }
    if ((r = sq_stmt(t->conn, SQ_SYMBOL, &s, err)) < 0)
        return r;
    sqlite3_bind_text(s, 1, agent.n ? agent.p : "", (int)agent.n, SQLITE_STATIC);
    r = sq_step(t->conn, s, err);
    if (r > 0) {
        w->agent_n = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    } else if (r == 0) {
        if ((r = sq_stmt(t->conn, SQ_PUT_SYMBOL, &s, err)) < 0)
            return r;
        sqlite3_bind_text(s, 1, agent.n ? agent.p : "", (int)agent.n, SQLITE_STATIC);
        if ((r = sq_run(t->conn, s, err)) < 0)
            return r;
        w->agent_n = sqlite3_last_insert_rowid(t->conn->db);
    }
    if (r < 0)
        return r;
    sb_reset(&w->agent_text);
    sb_str(&w->agent_text, agent);
    *ret = w->agent_n;
    if (w->agent_text.failed)
        w->agent_n = 0;
    return 0;
}

/* The newest version becomes an old one. */
static int supersede(struct sq_txn *t, const struct put *put, const struct newest *old,
                     bool has_keys, struct err *err)
{
    unsigned char key[ID_KEY_MAX];
    sqlite3_stmt *s;
    int r = 0;

    if (has_keys && SQ_IS_LIVE(old->flags) && (r = unindex(t, old->row, err)) < 0)
        return r;
    sq_leave(t);
    if ((r = sq_stmt(t->conn, SQ_SUPERSEDE, &s, err)) < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)old->row);
    if ((r = sq_run(t->conn, s, err)) < 0 || (r = sq_stmt(t->conn, SQ_PUT_HISTORY, &s, err)) < 0)
        return r;
    sqlite3_bind_int(s, 1, put->type);
    sq_bind_blob(s, 2, id_key(put->id, key));
    sqlite3_bind_int64(s, 3, (int64_t)old->hlc);
    sqlite3_bind_int64(s, 4, old->origin);
    sqlite3_bind_int64(s, 5, (int64_t)old->row);
    return sq_run(t->conn, s, err);
}

static int insert(struct sq_txn *t, const struct put *put, const struct newest *old, uint64_t row,
                  uint64_t hlc, int64_t origin, struct err *err)
{
    unsigned char key_bytes[ID_KEY_MAX];
    struct str key = id_key(put->id, key_bytes);
    sqlite3_stmt *s;
    struct str body = put->sealed;
    int64_t agent;
    int r;

    if ((r = agent_number(t, &agent, err)) < 0 ||
        (sq_store(&t->base)->vault && (r = sq_body_seal(t, put, hlc, &body, err)) < 0) ||
        (r = sq_stmt(t->conn, SQ_PUT_VERSION, &s, err)) < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)row);
    sqlite3_bind_int(s, 2, put->type);
    sq_bind_blob(s, 3, key);
    sqlite3_bind_int64(s, 4, (int64_t)hlc);
    sqlite3_bind_int64(s, 5, origin);
    sqlite3_bind_int64(s, 6, agent);
    sqlite3_bind_int64(s, 7, (int64_t)old->row);
    sqlite3_bind_int(s, 8, (int)put->method);
    if (body.n)
        sq_bind_blob(s, 9, body);
    else
        sqlite3_bind_null(s, 9);
    if ((r = sq_run(t->conn, s, err)) < 0)
        return r;
    r = sq_stmt(t->conn, old->row ? SQ_MOVE_RESOURCE : SQ_PUT_RESOURCE, &s, err);
    if (r < 0)
        return r;
    sqlite3_bind_int(s, 1, put->type);
    sq_bind_blob(s, 2, key);
    sqlite3_bind_int64(s, 3, (int64_t)row);
    return sq_run(t->conn, s, err);
}

int sq_put_as(struct sq_txn *t, const struct put *put, const struct adoption *as, uint64_t row,
              uint64_t hlc, int64_t origin, struct err *err)
{
    struct sq_writer *w = &sq_store(&t->base)->writer;
    struct newest old = {0};
    int r;

    assert(put->id.n <= FHIR_ID_MAX);
    if (row > ROW_MAX)
        return err_set(err, ERR_FULL, "the store has no more numbers for versions");
    if ((r = sq_enter(t, err)) < 0 ||
        ((!as || as->parent) && (r = get_newest(t, put, &old, err)) < 0))
        return r;
    if (old.row && (r = supersede(t, put, &old, !as || as->drops_parent, err)) < 0)
        return r;
    if ((r = insert(t, put, &old, row, hlc, origin, err)) < 0)
        return r;
    w->last_row = row;
    w->last_hlc = hlc;
    if (put->index && (!as || as->row.is_current))
        r = add_entries(t, put->index, row, false, err);
    return r;
}

int sq_put(struct store_txn *txn, const struct put *put, struct version *ret, struct err *err)
{
    struct sq_writer *w = &sq_store(txn)->writer;
    uint64_t hlc = hlc_next(w->last_hlc, clock_now_ms());
    int r = sq_put_as(sq_txn(txn), put, NULL, w->last_row + 1, hlc, 0, err);

    if (r == 0)
        *ret = (struct version){.hlc = hlc, .origin = sq_store(txn)->origins[0]};
    return r;
}

int sq_claim(struct store_txn *txn, struct str name, struct err *err)
{
    /* There is one writer: whoever runs holds every name until its commit. */
    (void)txn;
    (void)name;
    return fault_point("claim") ? err_no_memory(err) : 0;
}

static int meta_set_u64(struct store_txn *txn, const char *name, uint64_t v, struct err *err)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    return sq_meta_set(txn, name, str_c(text), err);
}

static int expunge_version(struct sq_txn *t, uint64_t row, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, SQ_EXPUNGE_VERSION, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)row);
    return sq_run(t->conn, s, err);
}

static int expunge_from(struct sq_txn *t, enum sq_statement id, int type, struct str key,
                        struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(t->conn, id, &s, err);

    if (r < 0)
        return r;
    sqlite3_bind_int(s, 1, type);
    sq_bind_blob(s, 2, key);
    return sq_run(t->conn, s, err);
}

int sq_expunge(struct store_txn *txn, int type, struct str id, size_t *ret_n, struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    struct sq_writer *w = &sq_store(txn)->writer;
    unsigned char key_bytes[ID_KEY_MAX];
    struct str key;
    struct row newest;
    sqlite3_stmt *s;
    uint64_t live;
    size_t n = 1;
    int r;

    if ((r = sq_enter(t, err)) < 0 || (r = sq_get(txn, type, id, &newest, err)) < 0)
        return r;
    key = id_key(id, key_bytes);
    hints_clear(&txn->st->lists);
    live = newest.row;
    if (newest.method != METHOD_DELETE && !t->conn->st->base.is_copy &&
        (r = unindex(t, live, err)) < 0)
        return r;
    sq_leave(t);
    /* The feed's numbers and the clock go on from here even if the newest version goes. */
    if ((r = meta_set_u64(txn, "last-row", w->last_row, err)) < 0 ||
        (r = meta_set_u64(txn, "last-clock", w->last_hlc, err)) < 0 ||
        (r = expunge_version(t, live, err)) < 0 || (r = sq_stmt(t->conn, SQ_HISTORY, &s, err)) < 0)
        return r;
    sqlite3_bind_int(s, 1, type);
    sq_bind_blob(s, 2, key);
    sqlite3_bind_int64(s, 3, INT64_MAX);
    while ((r = sq_step(t->conn, s, err)) > 0) {
        r = expunge_version(t, (uint64_t)sqlite3_column_int64(s, 0), err);
        if (r < 0)
            break;
        n++;
    }
    sqlite3_reset(s);
    if (r < 0 || (r = expunge_from(t, SQ_EXPUNGE_HISTORY, type, key, err)) < 0 ||
        (r = expunge_from(t, SQ_EXPUNGE_RESOURCE, type, key, err)) < 0)
        return r;
    *ret_n = n;
    return 0;
}

/* ---- lists of a search parameter that comes or goes ---- */

int sq_index_add(struct store_txn *txn, uint64_t row, const struct index *index, struct err *err)
{
    struct row now;
    int r = sq_get_row(txn, row, &now, err);

    if (r == ERR_NOT_FOUND)
        return 0; /* expunged since it was read */
    if (r < 0 || !now.is_current || now.method == METHOD_DELETE)
        return r < 0 ? r : 0;
    return add_entries(sq_txn(txn), index, row, false, err);
}

int sq_index_drop(struct store_txn *txn, uint16_t param, size_t max, bool *ret_left,
                  struct err *err)
{
    unsigned char from[2] = {(unsigned char)(param >> 8), (unsigned char)param};
    unsigned char to[2] = {(unsigned char)((param + 1) >> 8), (unsigned char)(param + 1)};
    struct sq_txn *t = sq_txn(txn);
    sqlite3_stmt *s;
    int r = sq_pends_flush_if_writing(t, err);

    if (r == 0)
        r = sq_stmt(t->conn, SQ_DROP_KEYS, &s, err);
    if (r < 0)
        return r;
    sq_bind_blob(s, 1, str_n((char *)from, sizeof from));
    sq_bind_blob(s, 2, str_n((char *)to, sizeof to));
    sqlite3_bind_int64(s, 3, (int64_t)max);
    r = sq_step(t->conn, s, err);
    if (r < 0)
        return r;
    *ret_left = (size_t)sqlite3_changes64(t->conn->db) == max;
    sqlite3_reset(s);
    return 0;
}

/* ---- what is of somebody who is erased (store/erase.c) ---- */

int sq_expunge_old(struct store_txn *txn, uint64_t row, struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    unsigned char key_bytes[ID_KEY_MAX];
    struct row old;
    struct str key;
    sqlite3_stmt *s;
    int r = sq_get_row(txn, row, &old, err);

    if (r < 0)
        return r;
    assert(!old.is_current);
    key = id_key(old.id, key_bytes);
    sq_leave(t);
    if ((r = expunge_version(t, row, err)) < 0 ||
        (r = sq_stmt(t->conn, SQ_EXPUNGE_OLD, &s, err)) < 0)
        return r;
    sqlite3_bind_int(s, 1, old.type);
    sq_bind_blob(s, 2, key);
    sqlite3_bind_int64(s, 3, (int64_t)old.version.hlc);
    sqlite3_bind_int64(s, 4, (int64_t)row);
    return sq_run(t->conn, s, err);
}

static int run_with(struct store_txn *txn, enum sq_statement id, struct str with, struct err *err)
{
    struct sq_txn *t = sq_txn(txn);
    sqlite3_stmt *s;
    int r = sq_enter(t, err);

    if (r < 0 || (r = sq_stmt(t->conn, id, &s, err)) < 0)
        return r;
    sq_bind_blob(s, 1, with);
    return sq_run(t->conn, s, err);
}

int sq_forget(struct store_txn *txn, struct str owner, struct err *err)
{
    persons_forget(sq_txn(txn)->conn->persons);
    return run_with(txn, SQ_FORGET_PERSON, owner, err);
}

int sq_drop_term(struct store_txn *txn, struct str key, struct err *err)
{
    return run_with(txn, SQ_DROP_TERM, key, err);
}
