/* limit_read - limit_http, with one SELECT by id and one decompression in between.
 *
 *     limit_read PORT DATABASE [NAME VALUE]...
 *
 * GET …/TYPE/ID answers with the stored body of a limit_sqlite database, and a "meta" member behind
 * its first brace, as long as the one Carnet puts there. Each event loop has a connection and a
 * prepared statement of its own; the headers are those given, as long as Carnet's.
 */
#include "limit_schema.h"
#include "limit_server.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define BODY_MAX (64u << 20)

static const char META[] = "\"meta\":{\"versionId\":\"0123456789abcdefghijklm\","
                           "\"lastUpdated\":\"2026-01-01T00:00:00.000Z\"},";

static const char *database;
static ZSTD_DDict *dict;
static char **headers;
static int n_headers;

struct loop {
    sqlite3 *db;
    sqlite3_stmt *select;
    ZSTD_DCtx *zstd;
};
static __thread struct loop loop;

static int loop_open(void)
{
    if (sqlite3_open_v2(database, &loop.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, LIMIT_VFS))
        return -1;
    sqlite3_exec(loop.db, "PRAGMA cache_size=-8192", NULL, NULL, NULL);
    loop.zstd = ZSTD_createDCtx();
    return sqlite3_prepare_v3(loop.db, LIMIT_SELECT, -1, SQLITE_PREPARE_PERSISTENT, &loop.select,
                              NULL);
}

/* The body of /…/TYPE/ID as malloc'ed text with the meta member put in; NULL if there is none. */
static char *body_of(const char *url, size_t *ret_n)
{
    const char *id = strrchr(url, '/');
    const char *type = id;
    while (type > url && type[-1] != '/')
        type--;
    sqlite3_bind_int(loop.select, 1, limit_type(type, (size_t)(id - type)));
    sqlite3_bind_text(loop.select, 2, id + 1, -1, SQLITE_STATIC);
    char *out = NULL;
    if (sqlite3_step(loop.select) == SQLITE_ROW) {
        const void *z = sqlite3_column_blob(loop.select, 0);
        size_t zn = (size_t)sqlite3_column_bytes(loop.select, 0);
        unsigned long long n = ZSTD_getFrameContentSize(z, zn);
        size_t meta_n = sizeof(META) - 1;
        out = n < BODY_MAX ? malloc(n + meta_n) : NULL;
        if (out) {
            ZSTD_decompress_usingDDict(loop.zstd, out + meta_n, n, z, zn, dict);
            out[0] = '{';
            memcpy(out + 1, META, meta_n);
            *ret_n = n + meta_n;
        }
    }
    sqlite3_reset(loop.select);
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
    if (!loop.db && loop_open() != SQLITE_OK)
        return MHD_NO;
    size_t n = 0;
    char *body = body_of(url, &n);
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
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    if (sqlite3_open_v2(database, &db, SQLITE_OPEN_READWRITE, LIMIT_VFS) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT dict FROM dict", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        dict = ZSTD_createDDict(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
    sqlite3_finalize(st);
    sqlite3_close(db);
    return dict ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: limit_read PORT DATABASE [NAME VALUE]...\n");
        return 2;
    }
    limit_configure();
    database = argv[2];
    headers = argv + 3;
    n_headers = argc - 3;
    if (dict_load() < 0) {
        fprintf(stderr, "limit_read: %s is no database of limit_sqlite\n", database);
        return 1;
    }
    return limit_serve((unsigned short)strtol(argv[1], NULL, 10), answer, NULL);
}
