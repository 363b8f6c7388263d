/* check.c - reads everything: SQLite's own structure, the tables against each other, every
 * envelope, and the index against what the bodies say, both ways.
 */
#include "store/sqlite/sq_int.h"

#include "base/fault.h"

#include <stdarg.h>
#include <stdlib.h>

#define CHECK_SAY_MAX 200 /* problems told one by one; the rest is counted */
#define CHECK_ARENA_BYTES MIB(256)

struct check {
    struct sq_txn *t;
    void (*say)(void *ctx, const char *text);
    void *ctx;
    int n;
    uint64_t keys; /* that the bodies call for */
    struct arena a;
    struct sb scratch;
    struct params *params; /* in force */
};

static void problem(struct check *c, const char *fmt, ...) _printf_(2, 3);
static void problem(struct check *c, const char *fmt, ...)
{
    char text[300];
    va_list ap;

    if (c->n++ >= CHECK_SAY_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (c->say)
        c->say(c->ctx, text);
}

/* Runs a query of one column and hands each text to `each`. */
static int query(struct check *c, const char *sql, void (*each)(struct check *c, const char *text),
                 struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r, rc = fault_point("prepare") ? SQLITE_NOMEM
                                       : sqlite3_prepare_v2(c->t->conn->db, sql, -1, &s, NULL);

    if (rc != SQLITE_OK)
        return sq_fail(c->t->conn->db, rc, err);
    while ((r = sq_step(c->t->conn, s, err)) > 0)
        each(c, (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    return r;
}

static void say_structure(struct check *c, const char *text)
{
    if (strcmp(text, "ok") != 0)
        problem(c, "structure: %s", text);
}

static void say_row(struct check *c, const char *text)
{
    problem(c, "version %s: the tables do not agree about it", text);
}

/* Each gives the numbers of versions about which two tables disagree. */
static const char *const agreements[] = {
    "SELECT r.row FROM resource r LEFT JOIN version v ON v.row = r.row"
    " WHERE v.row IS NULL OR v.type <> r.type OR v.id <> r.id OR v.flags >= 4",
    "SELECT h.row FROM history h LEFT JOIN version v ON v.row = h.row"
    " WHERE v.row IS NULL OR v.type <> h.type OR v.id <> h.id OR v.flags < 4"
    " OR v.hlc <> h.hlc OR v.origin <> h.origin",
    "SELECT v.row FROM version v WHERE v.flags < 4 AND NOT EXISTS"
    " (SELECT 1 FROM resource r WHERE r.type = v.type AND r.id = v.id AND r.row = v.row)",
    "SELECT v.row FROM version v WHERE v.flags >= 4 AND NOT EXISTS (SELECT 1 FROM history h"
    " WHERE h.type = v.type AND h.id = v.id AND h.hlc = v.hlc AND h.origin = v.origin"
    " AND h.row = v.row)",
    "SELECT v.row FROM version v WHERE ((v.flags & 3) = 2) <> (v.body IS NULL)",
};

static int has_key(struct check *c, bool is_term, const unsigned char *k, size_t n, struct err *err)
{
    sqlite3_stmt *s;
    int r = sq_stmt(c->t->conn, is_term ? SQ_TERM : SQ_KEY, &s, err);

    if (r < 0)
        return r;
    sq_bind_blob(s, 1, str_n((const char *)k, n));
    r = sq_step(c->t->conn, s, err);
    if (r > 0)
        sqlite3_reset(s);
    return r;
}

/* Lists of users' parameters that are just being filled or emptied are nobody's fault. */
static bool is_settled(const struct check *c, unsigned list)
{
    const struct param *p;

    if (list < INDEX_PARAM_USER || list >= INDEX_PARAM_TYPE)
        return true;
    if (list >= INDEX_PARAM_USER + INDEX_PARAM_ENDS)
        list -= INDEX_PARAM_ENDS;
    p = param_by_id(c->params, (uint16_t)list);
    return p && p->searchable;
}

static int check_keys(struct check *c, const struct row *row, struct err *err)
{
    struct index index;
    int r;

    arena_reset(&c->a);
    r = sq_index_of(sq_store(&c->t->base), &c->a, &c->scratch, row, &index, err);
    for (size_t i = 0; i < index.n_entries && r == 0; i++) {
        const struct index_entry *e = &index.entries[i];
        unsigned char k[ENTRY_MAX] = {(unsigned char)(e->param >> 8), (unsigned char)e->param};
        size_t n = 2 + e->key_n;

        if (!is_settled(c, e->param))
            continue;
        memcpy(k + 2, e->key, e->key_n);
        if (!e->shared) {
            row_put(k + n, row->row);
            n += ROW_BYTES;
            c->keys++;
        }
        r = has_key(c, e->shared, k, n, err);
        if (r == 0)
            problem(c, "version %llu: parameter %u does not find it", (unsigned long long)row->row,
                    e->param);
        r = MIN(r, 0);
    }
    return r;
}

static int check_version(struct check *c, const struct row *row, struct err *err)
{
    struct err e;
    int r;

    if (row->method == METHOD_DELETE)
        return 0;
    if (row->is_current) {
        r = check_keys(c, row, &e);
    } else {
        sb_reset(&c->scratch);
        r = body_open(row->sealed, &c->scratch, &e);
    }
    if (r < 0 && e.code == ERR_NO_MEMORY) {
        *err = e;
        return r;
    }
    if (r < 0)
        problem(c, "version %llu: %s (%s)", (unsigned long long)row->row, e.text, e.detail);
    return 0;
}

static int check_versions(struct check *c, struct err *err)
{
    uint64_t at = 0;
    int r = 0;

    for (;;) {
        sqlite3_stmt *s;
        struct row row;

        if ((r = sq_enter(c->t, err)) < 0 || (r = sq_stmt(c->t->conn, SQ_NEXT_ROW, &s, err)) < 0)
            return r;
        sqlite3_bind_int64(s, 1, (int64_t)at);
        r = sq_step(c->t->conn, s, err);
        if (r <= 0)
            return r;
        c->t->open = s;
        sq_row(c->t, s, &row);
        at = row.row;
        if ((r = check_version(c, &row, err)) < 0)
            return r;
    }
}

static int count_keys(struct check *c, unsigned from_list, unsigned to_list, uint64_t *n,
                      struct err *err)
{
    unsigned char from[2] = {(unsigned char)(from_list >> 8), (unsigned char)from_list};
    unsigned char to[3] = {(unsigned char)(to_list >> 8), (unsigned char)to_list};
    struct str end = to_list > 0xffff ? STR("\xff\xff\xff") : str_n((char *)to, 2);
    sqlite3_stmt *s = NULL;
    int r = sq_stmt(c->t->conn, SQ_KEY_COUNT, &s, err);

    if (r < 0)
        return r;
    sq_bind_blob(s, 1, str_n((char *)from, sizeof from));
    sq_bind_blob(s, 2, end);
    if ((r = sq_step(c->t->conn, s, err)) < 0)
        return r;
    *n += (uint64_t)sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return 0;
}

/* The other way: keys that no body calls for. Their number tells; only then are they looked for. */
static int check_strays(struct check *c, struct err *err)
{
    struct sq_conn *conn = c->t->conn;
    sqlite3_stmt *s = NULL;
    uint64_t n = 0;
    int r;

    if ((r = sq_enter(c->t, err)) < 0 || (r = count_keys(c, 0, INDEX_PARAM_USER, &n, err)) < 0 ||
        (r = count_keys(c, INDEX_PARAM_TYPE, 0x10000, &n, err)) < 0)
        return r;
    for (unsigned list = INDEX_PARAM_USER; list < INDEX_PARAM_TYPE; list++)
        if (is_settled(c, list) && (r = count_keys(c, list, list + 1, &n, err)) < 0)
            return r;
    if (n == c->keys)
        return 0;
    problem(c, "the index has %llu keys, the bodies call for %llu", (unsigned long long)n,
            (unsigned long long)c->keys);
    if ((r = sq_stmt(conn, SQ_KEYS, &s, err)) < 0)
        return r;
    sq_bind_blob(s, 1, STR(""));
    sq_bind_blob(s, 2, STR("\xff\xff\xff"));
    while ((r = sq_step(conn, s, err)) > 0 && c->n < CHECK_SAY_MAX) {
        struct str k = sq_column(s, 0);
        uint64_t number =
            k.n < 2 + ROW_BYTES ? 0 : row_get((const unsigned char *)k.p + k.n - ROW_BYTES);
        struct row row;
        struct err e;

        if (sq_get_row(&c->t->base, number, &row, &e) < 0)
            problem(c, "the index has a key of version %llu, which does not exist",
                    (unsigned long long)number);
        else if (!row.is_current || row.method == METHOD_DELETE)
            problem(c, "the index has a key of version %llu, which is not the newest",
                    (unsigned long long)number);
    }
    sqlite3_reset(s);
    return r;
}

int sq_check(struct store *base, void (*say)(void *ctx, const char *text), void *ctx,
             struct err *err)
{
    static const struct access upkeep = {.kind = ACCESS_SYSTEM, .agent = {"upkeep", 6}};
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct check c = {.say = say, .ctx = ctx, .scratch = sb_make(STORE_BODY_MAX + KIB(1))};
    int r = sq_begin(base, &upkeep, &txn, err);

    if (r < 0)
        return r;
    c.t = sq_txn(txn);
    c.params = store_params(base);
    arena_init(&c.a, CHECK_ARENA_BYTES);
    r = sq_enter(c.t, err);
    if (r == 0)
        r = query(&c, "PRAGMA integrity_check", say_structure, err);
    for (size_t i = 0; i < ARRAY_LEN(agreements) && r == 0; i++)
        r = query(&c, agreements[i], say_row, err);
    if (r == 0)
        r = check_versions(&c, err);
    if (r == 0)
        r = check_strays(&c, err);
    params_unref(c.params);
    arena_done(&c.a);
    sb_done(&c.scratch);
    return r < 0 ? r : c.n;
}
