/* limit_pg_read - limit_http, with one statement of PostgreSQL's and the decompression in between.
 *
 *     limit_pg_read PORT URI [NAME VALUE]...
 *
 * GET …/TYPE/ID answers with the stored body of a database that limit_pg has filled, and a "meta"
 * member behind its first brace, as long as the one Carnet puts there. GET
 * …?identifier=SYSTEM|VALUE answers with the Bundle of all that have the identifier, found and
 * fetched by one statement. Each event loop has a connection with prepared statements of its own,
 * and waits for every answer.
 */
#include "limit_data.h"
#include "limit_pg.h"
#include "limit_server.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define OID_INT2 21
#define OID_INT4 23
#define OID_INT8 20
#define OID_BYTEA 17
#define PAGE 50
#define BODY_MAX (64u << 20)

static const char META[] = "\"meta\":{\"versionId\":\"0123456789abcdefghijklm\","
                           "\"lastUpdated\":\"2026-01-01T00:00:00.000Z\"},";
static const char ENTRY[] = "{\"fullUrl\":\"http://127.0.0.1:12345/fhir/Observation/"
                            "01234567-0123-0123-0123-0123456789ab\",\"resource\":";
static const char MATCH[] = ",\"search\":{\"mode\":\"match\"}}";

static const char *uri;
static ZSTD_DDict *dict;
static char **headers;
static int n_headers;

struct loop {
    PGconn *db;
    ZSTD_DCtx *zstd;
};
static __thread struct loop loop;

static int loop_open(void)
{
    static const Oid of_read[] = {OID_INT4, OID_BYTEA};
    static const Oid of_search[] = {OID_INT2, OID_BYTEA, OID_INT8};
    loop.db = PQconnectdb(uri);
    loop.zstd = ZSTD_createDCtx();
    PQclear(PQprepare(loop.db, "read", PG_SELECT, 2, of_read));
    PGresult *r = PQprepare(loop.db, "search", PG_SEARCH, 3, of_search);
    int ok = PQresultStatus(r) == PGRES_COMMAND_OK;
    PQclear(r);
    return ok ? 0 : -1;
}

static void be(char *to, uint64_t v, int n)
{
    for (int i = n - 1; i >= 0; i--, v >>= 8)
        to[i] = (char)v;
}

static PGresult *ask(const char *name, int n, const char *const *v, const int *length)
{
    static const int binary[3] = {1, 1, 1};
    return PQexecPrepared(loop.db, name, n, v, length, binary, 1);
}

/* Bytes of a stored body with its meta member. */
static size_t body_size(const PGresult *r, int row, int column)
{
    unsigned long long n =
        ZSTD_getFrameContentSize(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
    return n < BODY_MAX ? (size_t)n + sizeof META - 1 : 0;
}

/* Puts it there; the end of it. */
static char *put_body(char *out, size_t n, const PGresult *r, int row, int column)
{
    size_t meta_n = sizeof META - 1;
    ZSTD_decompress_usingDDict(loop.zstd, out + meta_n, n - meta_n, PQgetvalue(r, row, column),
                               (size_t)PQgetlength(r, row, column), dict);
    out[0] = '{';
    memcpy(out + 1, META, meta_n);
    return out + n;
}

/* The body of /…/TYPE/ID as malloc'ed text; NULL if there is none. */
static char *read_one(const char *url, size_t *ret_n)
{
    const char *id = strrchr(url, '/');
    const char *type = id;
    while (type > url && type[-1] != '/')
        type--;
    char number[4];
    be(number, (uint64_t)limit_type(type, (size_t)(id - type)), 4);
    const char *v[] = {number, id + 1};
    const int length[] = {4, (int)strlen(id + 1)};
    PGresult *r = ask("read", 2, v, length);
    size_t n = PQntuples(r) == 1 ? body_size(r, 0, 0) : 0;
    char *out = n ? malloc(n) : NULL;
    if (out)
        put_body(out, n, r, 0, 0);
    PQclear(r);
    *ret_n = n;
    return out;
}

static char *put_text(char *to, const char *text, size_t n)
{
    memcpy(to, text, n);
    return to + n;
}

/* The Bundle of the resources with an identifier. */
static char *search(const char *token, size_t *ret_n)
{
    const char *value = strchr(token, '|');
    char param[2], key[LIMIT_VALUE_BYTES] = {0x10}, count[8], head[200];
    if (!value)
        return NULL;
    be(param, PG_PARAM_IDENTIFIER, 2);
    be(key + LIMIT_VALUE_BYTES - 8, limit_hash(value + 1, strlen(value + 1)), 8);
    be(count, PAGE, 8);
    const char *v[] = {param, key, count};
    const int length[] = {2, LIMIT_VALUE_BYTES, 8};
    PGresult *r = ask("search", 3, v, length);
    size_t sizes[PAGE], n = 0;
    int rows = PQntuples(r);
    for (int i = 0; i < rows; i++)
        n += sizes[i] = body_size(r, i, 2);
    int head_n = snprintf(head, sizeof head,
                          "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"total\":%d,"
                          "\"link\":[{\"relation\":\"self\",\"url\":\"%.80s\"}],\"entry\":[",
                          rows, token);
    n += (size_t)head_n + (size_t)rows * (sizeof ENTRY + sizeof MATCH - 1) + 2;
    char *out = malloc(n), *at = out;
    if (out) {
        at = put_text(at, head, (size_t)head_n);
        for (int i = 0; i < rows; i++) {
            at = put_text(at, ENTRY, sizeof ENTRY - 1);
            at = put_body(at, sizes[i], r, i, 2);
            at = put_text(at, MATCH, sizeof MATCH - 1);
            at = put_text(at, i + 1 < rows ? "," : "", i + 1 < rows);
        }
        at = put_text(at, "]}", 2);
        *ret_n = (size_t)(at - out);
    }
    PQclear(r);
    return out;
}

static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    (void)ctx;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_size;
    static int seen;
    if (!*state) { /* answering at the first call would close the connection */
        *state = &seen;
        return MHD_YES;
    }
    if (!loop.db && loop_open() < 0)
        return MHD_NO;
    size_t n = 0;
    const char *token = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "identifier");
    char *body = token ? search(token, &n) : read_one(url, &n);
    struct MHD_Response *r = MHD_create_response_from_buffer(
        n, body, body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    for (int i = 0; i + 1 < n_headers; i += 2)
        MHD_add_response_header(r, headers[i], headers[i + 1]);
    enum MHD_Result ok = MHD_queue_response(c, body ? 200 : 404, r);
    MHD_destroy_response(r);
    return ok;
}

static int dict_load(void)
{
    PGconn *db = PQconnectdb(uri);
    PGresult *r = PQexecParams(db, "SELECT dict FROM dict", 0, NULL, NULL, NULL, NULL, 1);
    if (PQntuples(r) == 1)
        dict = ZSTD_createDDict(PQgetvalue(r, 0, 0), (size_t)PQgetlength(r, 0, 0));
    PQclear(r);
    PQfinish(db);
    return dict ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: limit_pg_read PORT URI [NAME VALUE]...\n");
        return 2;
    }
    uri = argv[2];
    headers = argv + 3;
    n_headers = argc - 3;
    if (dict_load() < 0) {
        fprintf(stderr, "limit_pg_read: %s is no database of limit_pg\n", uri);
        return 1;
    }
    return limit_serve((unsigned short)strtol(argv[1], NULL, 10), answer, NULL);
}
