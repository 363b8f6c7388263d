/* The recorder itself, on plain SQLite: with full syncs nothing is lost at any cut, without them
 * the same checks do find losses. A test of crashes that cannot fail would prove nothing. */
#include "../unit/test.h"

#include "crash_vfs.h"
#include "folder.h"

#define COMMITS 60
#define ROWS_A_COMMIT 3
#define CUTS 400

static void exec(sqlite3 *db, const char *sql)
{
    char *text = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
        fail_msg("%s: %s", sql, text);
}

static sqlite3 *open_db(const char *dir, const char *settings)
{
    char path[FOLDER_BYTES + 16];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/test.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    exec(db, settings);
    return db;
}

static void write_all(sqlite3 *db)
{
    for (int i = 0; i < COMMITS; i++) {
        char sql[400];
        exec(db, "BEGIN");
        for (int k = 0; k < ROWS_A_COMMIT; k++) {
            snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%d, randomblob(900)); ",
                     i * ROWS_A_COMMIT + k + 1);
            exec(db, sql);
        }
        snprintf(sql, sizeof sql, "UPDATE counter SET n = %d; COMMIT", i + 1);
        exec(db, sql);
        crash_vfs_ack((uint64_t)i + 1);
    }
}

static void acked(void *ctx, uint64_t n)
{
    *(uint64_t *)ctx = n;
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

/* Whether the folder holds every acknowledged commit and no half of one. */
static bool is_whole(const char *dir, uint64_t ack)
{
    char path[FOLDER_BYTES + 16];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/test.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    long long n = number(db, "SELECT n FROM counter");
    bool ok = n >= (long long)ack && n <= (long long)ack + 1 &&
              number(db, "SELECT count(*) FROM t") == n * ROWS_A_COMMIT &&
              number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check") == 1;
    sqlite3_close(db);
    return ok;
}

/* How many of CUTS crashes leave something wrong. */
static unsigned damaged(const char *settings)
{
    char dir[FOLDER_BYTES], crashed[FOLDER_BYTES];
    struct rng rng;
    unsigned bad = 0;
    uint64_t ack = 0;

    folder_new(dir);
    folder_new(crashed);
    sqlite3 *db = open_db(dir, settings);
    exec(db, "CREATE TABLE t(k INTEGER PRIMARY KEY, v BLOB); CREATE TABLE counter(n INTEGER);"
             "INSERT INTO counter VALUES(0)");
    sqlite3_close(db);
    crash_vfs_record(dir);
    db = open_db(dir, settings);
    write_all(db);
    sqlite3_close(db);
    crash_vfs_stop();

    struct crash_replay *r = crash_replay_new();
    size_t events = crash_vfs_events();
    rng_seed(&rng, 1);
    assert_true(events > COMMITS);
    for (size_t i = 0; i <= CUTS; i++) {
        crash_replay_to(r, events * i / CUTS, acked, &ack);
        assert_int_equal(crash_replay_write(r, crashed, (enum crash_mode)(i % CRASH_MODES), &rng),
                         0);
        bad += !is_whole(crashed, ack);
        folder_clear(crashed);
    }
    assert_int_equal(ack, COMMITS);
    crash_replay_free(r);
    folder_remove(crashed);
    folder_remove(dir);
    return bad;
}

static void log_with_full_syncs_loses_nothing(void **state)
{
    (void)state;
    assert_int_equal(damaged("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                             "PRAGMA wal_autocheckpoint=20"),
                     0);
}

static void journal_with_extra_syncs_loses_nothing(void **state)
{
    (void)state;
    assert_int_equal(damaged("PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA"), 0);
}

static void log_without_a_sync_at_each_commit_is_caught(void **state)
{
    (void)state;
    assert_true(damaged("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                        "PRAGMA wal_autocheckpoint=20") > CUTS / 20);
}

static void no_syncs_at_all_is_caught(void **state)
{
    (void)state;
    assert_true(damaged("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
                        "PRAGMA wal_autocheckpoint=20") > CUTS / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_with_full_syncs_loses_nothing),
        cmocka_unit_test(journal_with_extra_syncs_loses_nothing),
        cmocka_unit_test(log_without_a_sync_at_each_commit_is_caught),
        cmocka_unit_test(no_syncs_at_all_is_caught),
    };

    if (crash_vfs_register("unix-excl") < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
