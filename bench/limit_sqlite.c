/* limit_sqlite - how many resources a second can SQLite itself keep?
 *
 *     limit_sqlite import DATABASE NDJSON GROUP [SETTINGS]     a new database of all lines
 *     limit_sqlite create DATABASE NDJSON GROUP [SETTINGS]     SECONDS of commits on top of it
 *
 * A bare loop over the frozen schema (limit_schema.h): one thread, prepared statements, GROUP
 * resources a commit, WAL, synchronous=FULL. Bodies are read and compressed before the clock
 * starts, so that the figure is SQLite's alone. SETTINGS are name=value: page, cache_kib,
 * checkpoint (pages), seconds; the harness passes those that Carnet runs with.
 * Prints one JSON object.
 */
#include "limit_data.h"
#include "limit_schema.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct settings {
    long group, page, cache_kib, checkpoint;
    double seconds;
};

static void die(const char *what, sqlite3 *db)
{
    fprintf(stderr, "limit_sqlite: %s%s%s\n", what, db ? ": " : "", db ? sqlite3_errmsg(db) : "");
    exit(1);
}

static unsigned long long bytes_written(void)
{
    FILE *f = fopen("/proc/self/io", "r");
    char line[128];
    unsigned long long n = 0;
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "write_bytes: %llu", &n) == 1)
            break;
    if (f)
        fclose(f);
    return n;
}

static void run_sql(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(sql, db);
}

static sqlite3 *db_open(const char *path, const struct settings *s)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        LIMIT_VFS))
        die("cannot open the database", db);
    char sql[256];
    snprintf(sql, sizeof(sql),
             "PRAGMA page_size=%ld; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
             "PRAGMA cache_size=-%ld; PRAGMA wal_autocheckpoint=%ld; PRAGMA locking_mode=NORMAL;",
             s->page, s->cache_kib, s->checkpoint);
    run_sql(db, sql);
    return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL))
        die(sql, db);
    return st;
}

struct writer {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *body, *id, *feed, *index;
    sqlite3_int64 row;
};

static void writer_init(struct writer *w, sqlite3 *db, sqlite3_int64 last_row)
{
    *w = (struct writer){.db = db, .row = last_row};
    w->begin = prepare(db, "BEGIN IMMEDIATE");
    w->commit = prepare(db, "COMMIT");
    w->body = prepare(db, LIMIT_INSERT_BODY);
    w->id = prepare(db, LIMIT_INSERT_ID);
    w->feed = prepare(db, LIMIT_INSERT_FEED);
    w->index = prepare(db, LIMIT_INSERT_INDEX);
}

static void writer_done(struct writer *w)
{
    sqlite3_finalize(w->begin);
    sqlite3_finalize(w->commit);
    sqlite3_finalize(w->body);
    sqlite3_finalize(w->id);
    sqlite3_finalize(w->feed);
    sqlite3_finalize(w->index);
    sqlite3_close(w->db);
}

static void step(struct writer *w, sqlite3_stmt *st)
{
    if (sqlite3_step(st) != SQLITE_DONE)
        die("a write failed", w->db);
    sqlite3_reset(st);
}

static void write_index(struct writer *w)
{
    for (int i = 0; i < LIMIT_INDEX_ROWS; i++) {
        uint64_t v = limit_index_value(i, (uint64_t)w->row);
        unsigned char key[LIMIT_VALUE_BYTES] = {0x10};
        for (int b = 0; b < 8; b++)
            key[LIMIT_VALUE_BYTES - 1 - b] = (unsigned char)(v >> (8 * b));
        sqlite3_bind_int(w->index, 1, i + 1);
        sqlite3_bind_blob(w->index, 2, key, LIMIT_VALUE_BYTES, SQLITE_STATIC);
        sqlite3_bind_int64(w->index, 3, w->row);
        step(w, w->index);
    }
}

static void write_one(struct writer *w, const struct resource *r, const char *id)
{
    w->row++;
    sqlite3_bind_int64(w->body, 1, w->row);
    sqlite3_bind_blob(w->body, 2, r->body, (int)r->n, SQLITE_STATIC);
    step(w, w->body);
    sqlite3_bind_int(w->id, 1, r->type);
    sqlite3_bind_text(w->id, 2, id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(w->id, 3, w->row);
    step(w, w->id);
    sqlite3_bind_int64(w->feed, 1, w->row);
    sqlite3_bind_int64(w->feed, 2, w->row);
    sqlite3_bind_int64(w->feed, 3, w->row << 16);
    step(w, w->feed);
    write_index(w);
}

static void report(const char *mode, const char *path, size_t rows, double seconds,
                   unsigned long long written)
{
    struct stat st = {0};
    stat(path, &st);
    printf("{\"mode\":\"%s\",\"rows\":%zu,\"seconds\":%.6f,\"rate\":%.1f,\"bytes_written\":%llu,"
           "\"file_bytes\":%lld}\n",
           mode, rows, seconds, (double)rows / seconds, written, (long long)st.st_size);
}

static void import_all(const char *path, const char *ndjson, const struct settings *s)
{
    struct resources all = limit_load(ndjson, SIZE_MAX);
    char *dict = malloc(LIMIT_DICT_BYTES);
    size_t dict_n = limit_dict_train(&all, dict);
    limit_compress_all(&all, dict, dict_n);

    sqlite3 *db = db_open(path, s);
    run_sql(db, LIMIT_SCHEMA);
    sqlite3_stmt *put = prepare(db, "INSERT INTO dict VALUES(1, ?1)");
    sqlite3_bind_blob(put, 1, dict, (int)dict_n, SQLITE_STATIC);
    sqlite3_step(put);
    sqlite3_finalize(put);

    struct writer w;
    writer_init(&w, db, 0);
    unsigned long long before = bytes_written();
    double start = limit_now();
    for (size_t i = 0; i < all.n; i++) {
        if (i % (size_t)s->group == 0)
            step(&w, w.begin);
        write_one(&w, &all.v[i], all.v[i].id);
        if ((i + 1) % (size_t)s->group == 0 || i + 1 == all.n)
            step(&w, w.commit);
    }
    writer_done(&w); /* an import is done when the log is folded into the database */
    double seconds = limit_now() - start;
    unsigned long long written = bytes_written() - before;
    report("import", path, all.n, seconds, written);
}

static void create_some(const char *path, const char *ndjson, const struct settings *s)
{
    sqlite3 *db = db_open(path, s);
    sqlite3_stmt *q = prepare(db, "SELECT dict, (SELECT max(row) FROM body) FROM dict");
    if (sqlite3_step(q) != SQLITE_ROW)
        die("no database of limit_sqlite", db);
    struct resources all = limit_load(ndjson, LIMIT_CREATE_LINES);
    limit_compress_all(&all, sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0));
    sqlite3_int64 last = sqlite3_column_int64(q, 1);
    sqlite3_finalize(q);
    limit_rnd_salt((uint64_t)last);

    struct writer w;
    writer_init(&w, db, last);
    unsigned long long before = bytes_written();
    size_t n = 0;
    double start = limit_now(), seconds;
    do {
        step(&w, w.begin);
        for (long i = 0; i < s->group; i++, n++) {
            char id[LIMIT_ID_BYTES];
            limit_new_id((uint64_t)w.row, id);
            write_one(&w, &all.v[n % all.n], id);
        }
        step(&w, w.commit);
        seconds = limit_now() - start;
    } while (seconds < s->seconds);
    unsigned long long written = bytes_written() - before;
    writer_done(&w);
    report("create", path, n, seconds, written);
}

static void settings_read(struct settings *s, int argc, char **argv)
{
    for (int i = 5; i < argc; i++) {
        double v = strchr(argv[i], '=') ? strtod(strchr(argv[i], '=') + 1, NULL) : 0;
        if (!strncmp(argv[i], "page=", 5))
            s->page = (long)v;
        else if (!strncmp(argv[i], "cache_kib=", 10))
            s->cache_kib = (long)v;
        else if (!strncmp(argv[i], "checkpoint=", 11))
            s->checkpoint = (long)v;
        else if (!strncmp(argv[i], "seconds=", 8))
            s->seconds = v;
        else
            die("unknown setting", NULL);
    }
}

int main(int argc, char **argv)
{
    if (argc < 5 || (strcmp(argv[1], "import") && strcmp(argv[1], "create"))) {
        fprintf(stderr,
                "usage: limit_sqlite import|create DATABASE NDJSON GROUP [name=value]...\n");
        return 2;
    }
    struct settings s = {.group = strtol(argv[4], NULL, 10),
                         .page = 4096,
                         .cache_kib = 65536,

                         .checkpoint = 8192,
                         .seconds = 3};
    settings_read(&s, argc, argv);
    limit_configure();
    if (s.group < 1)
        die("GROUP must be at least 1", NULL);
    if (!strcmp(argv[1], "import"))
        import_all(argv[2], argv[3], &s);
    else
        create_some(argv[2], argv[3], &s);
    return 0;
}
