/* copy.c - many rows at once: COPY in its binary form (PostgreSQL's manual, COPY, "Binary Format").
 *
 * libpq has no COPY inside a pipeline: what was sent is waited for first.
 */
#include "store/postgres/pg_int.h"

#include "base/fault.h"

static void put_be(struct sb *to, uint64_t v, int n)
{
    unsigned char b[8];

    for (int i = n - 1; i >= 0; i--, v >>= 8)
        b[i] = (unsigned char)v;
    sb_put(to, b, (size_t)n);
}

void pg_copy_begin(struct sb *to)
{
    sb_reset(to);
    sb_lit(to, "PGCOPY\n\377\r\n\0");
    put_be(to, 0, 8);
}

void pg_copy_row(struct sb *to, int columns)
{
    put_be(to, (uint64_t)columns, 2);
}

void pg_copy_number(struct sb *to, int64_t v, int bytes)
{
    put_be(to, (uint64_t)bytes, 4);
    put_be(to, (uint64_t)v, bytes);
}

int pg_copy(struct pg_conn *c, const char *sql, struct sb *rows, struct err *err)
{
    int r;

    put_be(rows, 0xffff, 2);
    if (rows->failed)
        return err_no_memory(err);
    if ((r = pg_copy_start(c, sql, err)) < 0)
        return r;
    for (size_t at = 0; at < rows->n; at += PG_COPY_PIECE)
        if (PQputCopyData(c->db, rows->p + at, (int)MIN(rows->n - at, (size_t)PG_COPY_PIECE)) != 1)
            break; /* the connection is gone: its end says so */
    return pg_copy_end(c, err);
}
