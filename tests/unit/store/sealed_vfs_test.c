/* The VFS under plain SQLite: nothing in the clear, no change unseen, no nonce twice, and nothing
 * lost in the ways in which SQLite writes its log that a store seldom takes. */
#include "../test.h"

#include "base/rng.h"
#include "store/sqlite/sealed_vfs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES 4096
#define MARK_BYTES 32
#define NONCE_BYTES 16
#define WAL_HEAD_BYTES 32
#define FRAME_BYTES (24 + PAGE_BYTES)
#define PATH_BYTES 200
#define SECRET "a name that nobody may read"

struct place {
    char dir[PATH_BYTES / 2];
    struct vault *vault;
    struct sealed_vfs *vfs;
};

static void path_in(const struct place *p, const char *name, char ret[PATH_BYTES])
{
    snprintf(ret, PATH_BYTES, "%s/%s", p->dir, name);
}

static void place_open(struct place *p)
{
    struct err err = {0};
    char key[PATH_BYTES];

    path_in(p, "key", key);
    if (vault_open(p->dir, key, &p->vault, &err) < 0 || sealed_vfs_new(p->vault, &p->vfs, &err) < 0)
        fail_msg("%s", err.text);
}

static void place_new(struct place *p)
{
    const char *tmp = getenv("TMPDIR");
    char key[PATH_BYTES];

    snprintf(p->dir, sizeof p->dir, "%.60s/carnet-sealed-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(p->dir));
    path_in(p, "key", key);
    assert_int_equal(vault_create(p->dir, key, NULL), 0);
    place_open(p);
}

static void place_done(struct place *p)
{
    static const char *const names[] = {"key",      "carnet.keys", "a.db",
                                        "a.db-wal", "b.db",        "b.db-wal"};
    char path[PATH_BYTES];

    sealed_vfs_free(p->vfs);
    vault_free(p->vault);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        path_in(p, names[i], path);
        unlink(path);
    }
    assert_int_equal(rmdir(p->dir), 0); /* nothing else was ever made there */
}

static int try(sqlite3 *db, const char *sql)
{
    sqlite3_exec(db, sql, NULL, NULL, NULL);
    return sqlite3_extended_errcode(db);
}

static void exec(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s (%d)", sql, sqlite3_errmsg(db), sqlite3_extended_errcode(db));
}

static sqlite3 *open_db(const struct place *p, const char *name)
{
    int reserved = MARK_BYTES;
    char path[PATH_BYTES];
    sqlite3 *db;

    path_in(p, name, path);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     sealed_vfs_name(p->vfs)),
                     SQLITE_OK);
    sqlite3_extended_result_codes(db, 1);
    sqlite3_file_control(db, NULL, SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    exec(db, "PRAGMA temp_store=MEMORY; PRAGMA journal_mode=MEMORY; PRAGMA journal_mode=WAL;"
             "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0");
    return db;
}

static long long number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;
    long long n = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

struct bytes {
    unsigned char *p;
    size_t n;
};

static struct bytes load(const struct place *p, const char *name)
{
    struct bytes b = {0};
    char path[PATH_BYTES];
    struct stat st;
    int fd;

    path_in(p, name, path);
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    b.n = (size_t)st.st_size;
    b.p = malloc(b.n + 1);
    assert_non_null(b.p);
    assert_int_equal(read(fd, b.p, b.n), b.n);
    close(fd);
    return b;
}

static void save(const struct place *p, const char *name, struct bytes b)
{
    char path[PATH_BYTES];
    int fd;

    path_in(p, name, path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, b.p, b.n), b.n);
    close(fd);
}

static void fill(sqlite3 *db)
{
    exec(db, "CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT); BEGIN;"
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
             " INSERT INTO t SELECT i, '" SECRET "' || i FROM n; COMMIT");
}

static bool holds_secret(struct bytes b)
{
    return memmem(b.p, b.n, SECRET, strlen(SECRET)) || memmem(b.p, b.n, "CREATE TABLE", 12) ||
           memmem(b.p, b.n, "SQLite format", 13);
}

static void nothing_is_in_the_clear(void **state)
{
    struct place p;
    struct bytes b;
    sqlite3 *db;

    (void)state;
    place_new(&p);
    db = open_db(&p, "a.db");
    fill(db);
    b = load(&p, "a.db-wal");
    assert_true(b.n > 3 * (size_t)FRAME_BYTES);
    assert_false(holds_secret(b));
    free(b.p);
    exec(db, "PRAGMA wal_checkpoint(PASSIVE)");
    b = load(&p, "a.db");
    assert_true(b.n > 3 * (size_t)PAGE_BYTES);
    assert_false(holds_secret(b));
    free(b.p);
    sqlite3_close(db);
    place_done(&p);
}

/* No journal and no temporary file is ever made, because it would be in the clear. */
static void other_files_are_refused(void **state)
{
    struct place p;
    sqlite3 *db;

    (void)state;
    place_new(&p);
    db = open_db(&p, "a.db");
    fill(db);
    assert_int_equal(try(db, "PRAGMA journal_mode=DELETE"), SQLITE_CANTOPEN);
    exec(db, "PRAGMA temp_store=FILE; PRAGMA cache_size=2");
    assert_int_equal(try(db, "CREATE TEMP TABLE o AS SELECT a.v FROM t a, t b"), SQLITE_CANTOPEN);
    sqlite3_close(db);
    place_done(&p);
}

/* Reads everything: SQLITE_OK, or the first error. */
static int read_all(const struct place *p)
{
    char path[PATH_BYTES];
    sqlite3 *db;
    int rc;

    path_in(p, "a.db", path);
    rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, sealed_vfs_name(p->vfs));
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(db, 1);
        rc = try(db, "PRAGMA integrity_check; SELECT sum(length(v)) FROM t");
    }
    sqlite3_close(db);
    return rc;
}

/* A bit of any page, a page in another's place, a page of another file: all are noticed. */
static void no_change_of_a_page_goes_unseen(void **state)
{
    struct place p;
    struct bytes a, b;
    struct rng rng;
    sqlite3 *db;

    (void)state;
    place_new(&p);
    db = open_db(&p, "a.db");
    fill(db);
    sqlite3_close(db);
    db = open_db(&p, "b.db");
    sqlite3_close(db);
    a = load(&p, "a.db");
    b = load(&p, "b.db");
    assert_int_equal(read_all(&p), SQLITE_OK);
    rng_seed(&rng, 1);
    for (size_t page = 0; page < a.n / PAGE_BYTES; page++)
        for (int i = 0; i < 8; i++) {
            size_t at = page * PAGE_BYTES + rng_below(&rng, PAGE_BYTES);
            unsigned char bit = (unsigned char)(1 << rng_below(&rng, 8));

            a.p[at] ^= bit;
            save(&p, "a.db", a);
            a.p[at] ^= bit;
            assert_int_not_equal(read_all(&p), SQLITE_OK);
        }
    struct bytes swapped = {.p = malloc(a.n), .n = a.n};
    memcpy(swapped.p, a.p, a.n);
    memcpy(swapped.p + PAGE_BYTES, a.p + 2 * PAGE_BYTES, PAGE_BYTES);
    save(&p, "a.db", swapped);
    assert_int_equal(read_all(&p), SQLITE_IOERR_DATA);
    memset(swapped.p + PAGE_BYTES, 0, PAGE_BYTES);
    save(&p, "a.db", swapped);
    assert_int_equal(read_all(&p), SQLITE_IOERR_DATA);
    save(&p, "a.db", a);
    assert_int_equal(read_all(&p), SQLITE_OK);
    free(swapped.p);
    free(a.p);
    free(b.p);
    place_done(&p);
}

/* A frame that was changed ends the log where it stands, as a wrong checksum would. */
static void a_changed_frame_ends_the_log(void **state)
{
    struct place p;
    struct bytes db_bytes, wal;
    sqlite3 *db;

    (void)state;
    place_new(&p);
    db = open_db(&p, "a.db");
    fill(db);
    exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    for (int i = 0; i < 10; i++)
        exec(db, "UPDATE t SET v = v || '.' WHERE k = 1");
    db_bytes = load(&p, "a.db");
    wal = load(&p, "a.db-wal");
    sqlite3_close(db);
    assert_int_equal(wal.n, WAL_HEAD_BYTES + 10 * FRAME_BYTES);
    for (size_t frame = 0; frame < 10; frame++) {
        size_t at = WAL_HEAD_BYTES + frame * FRAME_BYTES + 7 * frame;

        wal.p[at] ^= 4;
        save(&p, "a.db", db_bytes);
        save(&p, "a.db-wal", wal);
        wal.p[at] ^= 4;
        db = open_db(&p, "a.db");
        assert_int_equal(number(db, "SELECT length(v) FROM t WHERE k = 1"),
                         strlen(SECRET "1") + frame);
        sqlite3_close(db);
    }
    free(db_bytes.p);
    free(wal.p);
    place_done(&p);
}

/* A crash may leave half of page 1 while the log has it whole. */
static void half_of_the_first_page_is_made_good_by_the_log(void **state)
{
    struct place p;
    struct bytes db_bytes, wal;
    sqlite3 *db;

    (void)state;
    place_new(&p);
    db = open_db(&p, "a.db");
    fill(db);
    db_bytes = load(&p, "a.db");
    wal = load(&p, "a.db-wal");
    sqlite3_close(db);
    memset(db_bytes.p, 0x5a, 512);
    save(&p, "a.db", db_bytes);
    save(&p, "a.db-wal", wal);
    db = open_db(&p, "a.db");
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 500);
    sqlite3_close(db);
    assert_int_equal(read_all(&p), SQLITE_OK);
    save(&p, "a.db", db_bytes);
    assert_int_not_equal(read_all(&p), SQLITE_OK); /* without the log there is nothing to be had */
    free(db_bytes.p);
    free(wal.p);
    place_done(&p);
}

/* Transactions larger than the cache write pages to the log, then again in the same place, and the
 * heads of the frames behind them once more. */
static void pages_that_are_written_twice_in_a_transaction_are_kept(void **state)
{
    struct place p;
    struct bytes db_bytes, wal;
    struct rng rng;
    long long sum;
    sqlite3 *db;

    (void)state;
    place_new(&p);
    db = open_db(&p, "a.db");
    fill(db);
    exec(db, "PRAGMA cache_size=3; PRAGMA cache_spill=1");
    rng_seed(&rng, 2);
    for (int round = 0; round < 20; round++) {
        exec(db, "BEGIN");
        for (int i = 0; i < 100; i++) {
            char sql[200];

            snprintf(sql, sizeof sql,
                     "SAVEPOINT s; UPDATE t SET v = v || 'abcdefghij' WHERE k %% 50 = %d; %s",
                     (int)rng_below(&rng, 50),
                     rng_below(&rng, 4) ? "RELEASE s" : "ROLLBACK TO s; RELEASE s");
            exec(db, sql);
        }
        exec(db, round % 5 == 4 ? "ROLLBACK" : "COMMIT");
        if (round % 7 == 6)
            exec(db, "PRAGMA wal_checkpoint(RESTART)");
    }
    sum = number(db, "SELECT sum(length(v)) FROM t");
    db_bytes = load(&p, "a.db");
    wal = load(&p, "a.db-wal");
    sqlite3_close(db);
    /* As after kill -9: the log is recovered by its checksums. */
    save(&p, "a.db", db_bytes);
    save(&p, "a.db-wal", wal);
    db = open_db(&p, "a.db");
    assert_int_equal(number(db, "SELECT sum(length(v)) FROM t"), sum);
    assert_int_equal(number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    sqlite3_close(db);
    free(db_bytes.p);
    free(wal.p);
    place_done(&p);
}

/* ---- nonces ---- */

struct nonces {
    unsigned char (*at)[NONCE_BYTES + 16]; /* with 16 bytes of what it sealed */
    size_t n, cap;
};

static void gather(struct nonces *all, struct bytes b, size_t from, size_t step, size_t head)
{
    for (size_t at = from; at + step <= b.n; at += step) {
        if (all->n == all->cap) {
            all->cap = all->cap ? 2 * all->cap : 1000;
            all->at = realloc(all->at, all->cap * sizeof *all->at);
            assert_non_null(all->at);
        }
        memcpy(all->at[all->n], b.p + at + head + PAGE_BYTES - MARK_BYTES, NONCE_BYTES);
        memcpy(all->at[all->n++] + NONCE_BYTES, b.p + at, 16);
    }
    free(b.p);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, NONCE_BYTES + 16);
}

/* Everything that ever stood in the files of a store, of its copy from before a crash that went on,
 * and of a backup put back: whatever has the same nonce is the same bytes. */
static void no_nonce_seals_twice(void **state)
{
    struct nonces all = {0};
    struct bytes db_bytes, wal;
    struct place p;
    sqlite3 *db;

    (void)state;
    place_new(&p);
    db = open_db(&p, "a.db");
    fill(db);
    exec(db, "PRAGMA wal_checkpoint(PASSIVE); UPDATE t SET v = 'x' || k WHERE k < 50");
    db_bytes = load(&p, "a.db");
    wal = load(&p, "a.db-wal");
    sqlite3_close(db);
    for (int life = 0; life < 6; life++) {
        if (life % 2 == 0) { /* the same old copy once more, then it goes on */
            save(&p, "a.db", db_bytes);
            save(&p, "a.db-wal", wal);
        }
        db = open_db(&p, "a.db");
        for (int i = 0; i < 5; i++) {
            char sql[100];

            snprintf(sql, sizeof sql, "UPDATE t SET v = '%d' || k WHERE k < 90", 10 * life + i);
            exec(db, sql);
            gather(&all, load(&p, "a.db-wal"), WAL_HEAD_BYTES, FRAME_BYTES, 24);
            exec(db, i % 2 ? "PRAGMA wal_checkpoint(PASSIVE)" : "PRAGMA wal_checkpoint(RESTART)");
            gather(&all, load(&p, "a.db"), 0, PAGE_BYTES, 0);
        }
        sqlite3_close(db);
    }
    qsort(all.at, all.n, sizeof *all.at, compare);
    print_message("%zu pages and frames\n", all.n);
    assert_true(all.n > 100);
    for (size_t i = 1; i < all.n; i++)
        if (!memcmp(all.at[i], all.at[i - 1], NONCE_BYTES))
            assert_memory_equal(all.at[i], all.at[i - 1], NONCE_BYTES + 16);
    free(all.at);
    free(db_bytes.p);
    free(wal.p);
    place_done(&p);
}

/* What was copied from an unsealed database with anything but zeros at the end of a page would not
 * come back from the log: it is refused there, not lost. */
static void bytes_in_the_place_of_the_mark_are_refused(void **state)
{
    struct place p;
    sqlite3 *db;
    int none = 0;
    char path[PATH_BYTES];

    (void)state;
    place_new(&p);
    path_in(&p, "a.db", path);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     sealed_vfs_name(p.vfs)),
                     SQLITE_OK);
    sqlite3_file_control(db, NULL, SQLITE_FCNTL_RESERVE_BYTES, &none);
    exec(db, "PRAGMA journal_mode=MEMORY; PRAGMA journal_mode=WAL");
    sqlite3_extended_result_codes(db, 1);
    assert_int_equal(try(db, "CREATE TABLE t(v); INSERT INTO t VALUES(randomblob(20000))"),
                     SQLITE_IOERR_WRITE);
    sqlite3_close(db);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_in_the_clear),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(no_change_of_a_page_goes_unseen),
        cmocka_unit_test(a_changed_frame_ends_the_log),
        cmocka_unit_test(half_of_the_first_page_is_made_good_by_the_log),
        cmocka_unit_test(pages_that_are_written_twice_in_a_transaction_are_kept),
        cmocka_unit_test(no_nonce_seals_twice),
        cmocka_unit_test(bytes_in_the_place_of_the_mark_are_refused),
    };

    unsetenv("CARNET_KEY");
    sqlite3_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
