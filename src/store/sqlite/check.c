/* check.c - SQLite's own structure, and the tables against each other. */
#include "store/check_int.h"
#include "store/sqlite/sq_int.h"

#include "base/fault.h"

/* Runs a query of one column and hands each text to `each`. */
static int query(struct check *c, const char *sql, void (*each)(struct check *c, const char *text),
                 struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r, rc = fault_point("prepare")
                    ? SQLITE_NOMEM
                    : sqlite3_prepare_v2(sq_txn(c->txn)->conn->db, sql, -1, &s, NULL);

    if (rc != SQLITE_OK)
        return sq_fail(sq_txn(c->txn)->conn->db, rc, err);
    while ((r = sq_step(sq_txn(c->txn)->conn, s, err)) > 0)
        each(c, (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    return r;
}

static void say_structure(struct check *c, const char *text)
{
    if (strcmp(text, "ok") != 0)
        check_problem(c, "structure: %s", text);
}

static void say_row(struct check *c, const char *text)
{
    check_problem(c, "version %s: the tables do not agree about it", text);
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

static int structure(struct check *c, struct err *err)
{
    int r = query(c, "PRAGMA integrity_check", say_structure, err);

    for (size_t i = 0; i < ARRAY_LEN(agreements) && r == 0; i++)
        r = query(c, agreements[i], say_row, err);
    return r;
}

int sq_check(struct store *base, void (*say)(void *ctx, const char *text), void *ctx,
             struct err *err)
{
    return check_run(base, structure, say, ctx, err);
}
