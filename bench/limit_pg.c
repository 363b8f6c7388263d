/* limit_pg - how much can a bare program do with PostgreSQL itself?
 *
 *     limit_pg import URI NDJSON GROUP              a new database of all lines, GROUP a commit
 *     limit_pg create URI NDJSON CLIENTS SECONDS    commits on top of it
 *
 * libpq, prepared statements, binary values, and the frozen schema of limit_pg.h. An import is two
 * COPYs a commit, the index rows sorted. CLIENTS that create are answered together: a group is one
 * transaction, sent at once, of two statements with arrays. (Two connections with half the clients
 * each are slower.) Bodies are read and compressed before the clock starts. Prints one JSON object.
 */
#include "limit_data.h"
#include "limit_pg.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OID_INT2 21
#define OID_INT4 23
#define OID_INT8 20
#define OID_BYTEA 17

/* ---- binary values ---- */

struct buffer {
    char *p;
    size_t n, cap;
};

static void put(struct buffer *b, const void *p, size_t n)
{
    if (b->n + n > b->cap) {
        b->cap = (b->n + n) * 2;
        b->p = realloc(b->p, b->cap);
        if (!b->p)
            limit_die("no memory", NULL);
    }
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void put_be(struct buffer *b, uint64_t v, int n)
{
    unsigned char to[8];
    for (int i = n - 1; i >= 0; i--, v >>= 8)
        to[i] = (unsigned char)v;
    put(b, to, (size_t)n);
}

/* A value behind its length. */
static void put_number(struct buffer *b, uint64_t v, int n)
{
    put_be(b, (uint64_t)n, 4);
    put_be(b, v, n);
}

static void put_bytes(struct buffer *b, const void *p, size_t n)
{
    put_be(b, n, 4);
    put(b, p, n);
}

static void begin_array(struct buffer *b, int oid, size_t n)
{
    b->n = 0;
    put_be(b, 1, 4);
    put_be(b, 0, 4);
    put_be(b, (uint64_t)oid, 4);
    put_be(b, n, 4);
    put_be(b, 1, 4);
}

/* ---- PostgreSQL ---- */

static PGconn *dial(const char *uri)
{
    PGconn *db = PQconnectdb(uri);
    if (PQstatus(db) != CONNECTION_OK)
        limit_die("cannot connect", PQerrorMessage(db));
    return db;
}

static PGresult *good(PGconn *db, PGresult *r)
{
    ExecStatusType s = PQresultStatus(r);
    if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK && s != PGRES_COPY_IN)
        limit_die("a statement failed", PQerrorMessage(db));
    return r;
}

static void run(PGconn *db, const char *sql)
{
    PQclear(good(db, PQexec(db, sql)));
}

static int64_t ask_number(PGconn *db, const char *sql)
{
    PGresult *r = good(db, PQexec(db, sql));
    int64_t v = PQntuples(r) ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : 0;
    PQclear(r);
    return v;
}

/* ---- rows ---- */

struct key {
    unsigned char param;
    unsigned char value[LIMIT_VALUE_BYTES];
    uint64_t row;
};

static void keys_of(const struct resource *r, uint64_t row, struct key *to)
{
    for (int i = 0; i < LIMIT_INDEX_ROWS; i++) {
        uint64_t v = limit_index_value(i, row);
        if (i + 1 == PG_PARAM_IDENTIFIER && r->token)
            v = r->token;
        to[i] = (struct key){.param = (unsigned char)(i + 1), .value = {0x10}, .row = row};
        for (int b = 0; b < 8; b++)
            to[i].value[LIMIT_VALUE_BYTES - 1 - b] = (unsigned char)(v >> (8 * b));
    }
}

static int by_key(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int c = x->param - y->param;
    if (!c)
        c = memcmp(x->value, y->value, sizeof x->value);
    return c ? c : (x->row > y->row) - (x->row < y->row);
}

/* ---- import ---- */

static void copy(PGconn *db, const char *sql, struct buffer *rows)
{
    put_be(rows, 0xffff, 2);
    run(db, sql);
    if (PQputCopyData(db, rows->p, (int)rows->n) != 1 || PQputCopyEnd(db, NULL) != 1)
        limit_die("COPY failed", PQerrorMessage(db));
    PQclear(good(db, PQgetResult(db)));
    while (PQgetResult(db))
        ;
}

static void begin_copy(struct buffer *b)
{
    b->n = 0;
    put(b, "PGCOPY\n\377\r\n\0", 11);
    put_be(b, 0, 4);
    put_be(b, 0, 4);
}

static void import_group(PGconn *db, const struct resource *v, size_t n, uint64_t last,
                         struct key *keys, struct buffer *b)
{
    run(db, "BEGIN");
    begin_copy(b);
    for (size_t i = 0; i < n; i++) {
        uint64_t row = last + i + 1;
        put_be(b, 5, 2);
        put_number(b, row, 8);
        put_number(b, row << 16, 8);
        put_number(b, (uint64_t)v[i].type, 4);
        put_bytes(b, v[i].id, strlen(v[i].id));
        put_bytes(b, v[i].body, v[i].n);
        keys_of(&v[i], row, keys + i * LIMIT_INDEX_ROWS);
    }
    copy(db, PG_COPY_BODY, b);
    qsort(keys, n * LIMIT_INDEX_ROWS, sizeof *keys, by_key);
    begin_copy(b);
    for (size_t i = 0; i < n * LIMIT_INDEX_ROWS; i++) {
        put_be(b, 3, 2);
        put_number(b, keys[i].param, 2);
        put_bytes(b, keys[i].value, LIMIT_VALUE_BYTES);
        put_number(b, keys[i].row, 8);
    }
    copy(db, PG_COPY_INDEX, b);
    run(db, "COMMIT");
}

static void report(const char *mode, size_t n, double seconds)
{
    printf("{\"mode\":\"%s\",\"rows\":%zu,\"seconds\":%.6f,\"rate\":%.1f}\n", mode, n, seconds,
           (double)n / seconds);
}

static void import_all(const char *uri, const char *ndjson, size_t group)
{
    struct resources all = limit_load(ndjson, SIZE_MAX);
    char *dict = malloc(LIMIT_DICT_BYTES);
    size_t dict_n = limit_dict_train(&all, dict);
    limit_compress_all(&all, dict, dict_n);

    PGconn *db = dial(uri);
    run(db, PG_SCHEMA);
    const char *value = dict;
    int length = (int)dict_n, binary = 1;
    PQclear(good(db, PQexecParams(db, "INSERT INTO dict VALUES(1, $1::bytea)", 1, NULL, &value,
                                  &length, &binary, 1)));
    struct key *keys = malloc(group * LIMIT_INDEX_ROWS * sizeof *keys);
    struct buffer b = {0};
    if (!keys)
        limit_die("no memory", NULL);
    double start = limit_now();
    for (size_t i = 0; i < all.n; i += group)
        import_group(db, all.v + i, all.n - i < group ? all.n - i : group, i, keys, &b);
    report("import", all.n, limit_now() - start);
    PQfinish(db);
}

/* ---- create ---- */

/* The connection and what a group is sent from. */
struct writer {
    PGconn *db;
    struct buffer arrays[8];
    struct key *keys;
};

static void writer_open(struct writer *w, const char *uri, size_t group)
{
    w->db = dial(uri);
    w->keys = malloc(group * LIMIT_INDEX_ROWS * sizeof *w->keys);
    PQclear(good(w->db, PQprepare(w->db, "body", PG_INSERT_BODY, 5, NULL)));
    PQclear(good(w->db, PQprepare(w->db, "index", PG_INSERT_INDEX, 3, NULL)));
    PQclear(good(w->db, PQprepare(w->db, "begin", "BEGIN", 0, NULL)));
    PQclear(good(w->db, PQprepare(w->db, "commit", "COMMIT", 0, NULL)));
    if (!w->keys || !PQenterPipelineMode(w->db))
        limit_die("cannot open a connection", NULL);
}

static void send(struct writer *w, const char *name, int first, int n)
{
    static const int binary[5] = {1, 1, 1, 1, 1};
    const char *v[5];
    int length[5];
    for (int i = 0; i < n; i++) {
        v[i] = w->arrays[first + i].p;
        length[i] = (int)w->arrays[first + i].n;
    }
    if (!PQsendQueryPrepared(w->db, name, n, v, length, binary, 1))
        limit_die("cannot send", PQerrorMessage(w->db));
}

static void fill_arrays(struct writer *w, const struct resources *all, size_t from, uint64_t last,
                        size_t n)
{
    static const int oids[8] = {OID_INT8,  OID_INT8, OID_INT4,  OID_BYTEA,
                                OID_BYTEA, OID_INT2, OID_BYTEA, OID_INT8};
    struct buffer *a = w->arrays;
    for (int i = 0; i < 8; i++)
        begin_array(&a[i], oids[i], i < 5 ? n : n * LIMIT_INDEX_ROWS);
    for (size_t i = 0; i < n; i++) {
        const struct resource *r = &all->v[(from + i) % all->n];
        uint64_t row = last + i + 1;
        char id[LIMIT_ID_BYTES];
        limit_new_id(row, id);
        put_number(&a[0], row, 8);
        put_number(&a[1], row << 16, 8);
        put_number(&a[2], (uint64_t)r->type, 4);
        put_bytes(&a[3], id, strlen(id));
        put_bytes(&a[4], r->body, r->n);
        keys_of(r, row, w->keys + i * LIMIT_INDEX_ROWS);
    }
    qsort(w->keys, n * LIMIT_INDEX_ROWS, sizeof *w->keys, by_key);
    for (size_t i = 0; i < n * LIMIT_INDEX_ROWS; i++) {
        put_number(&a[5], w->keys[i].param, 2);
        put_bytes(&a[6], w->keys[i].value, LIMIT_VALUE_BYTES);
        put_number(&a[7], w->keys[i].row, 8);
    }
}

/* One group, until it is durable. */
static void write_group(struct writer *w, const struct resources *all, size_t from, uint64_t last,
                        size_t n)
{
    fill_arrays(w, all, from, last, n);
    send(w, "begin", 0, 0);
    send(w, "body", 0, 5);
    send(w, "index", 5, 3);
    send(w, "commit", 0, 0);
    if (!PQpipelineSync(w->db))
        limit_die("cannot send", PQerrorMessage(w->db));
    for (int i = 0; i < 4; i++) {
        PQclear(good(w->db, PQgetResult(w->db)));
        PQgetResult(w->db);
    }
    PQclear(PQgetResult(w->db));
}

static void create_some(const char *uri, const char *ndjson, size_t clients, double seconds)
{
    PGconn *db = dial(uri);
    PGresult *q = good(db, PQexecParams(db, "SELECT dict FROM dict", 0, NULL, NULL, NULL, NULL, 1));
    uint64_t last = (uint64_t)ask_number(db, "SELECT max(row) FROM body");
    struct resources all = limit_load(ndjson, LIMIT_CREATE_LINES);
    limit_compress_all(&all, PQgetvalue(q, 0, 0), (size_t)PQgetlength(q, 0, 0));
    PQclear(q);
    PQfinish(db);
    limit_rnd_salt(last);

    struct writer w = {0};
    writer_open(&w, uri, clients);
    size_t n = 0;
    double start = limit_now(), took;
    do {
        write_group(&w, &all, n, last + n, clients);
        n += clients;
        took = limit_now() - start;
    } while (took < seconds);
    report("create", n, took);
    PQfinish(w.db);
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "import")) {
        import_all(argv[2], argv[3], strtoul(argv[4], NULL, 10));
    } else if (argc == 6 && !strcmp(argv[1], "create")) {
        create_some(argv[2], argv[3], strtoul(argv[4], NULL, 10), strtod(argv[5], NULL));
    } else {
        fprintf(stderr, "usage: limit_pg import URI NDJSON GROUP\n"
                        "       limit_pg create URI NDJSON CLIENTS SECONDS\n");
        return 2;
    }
    return 0;
}
