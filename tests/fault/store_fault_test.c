/* If it can fail, this makes it fail: every memory request of SQLite, every read, write, truncation
 * and sync of its files, every fault point of the store, one after the other. After each failure
 * the store says so, holds what it held before, goes on, and store_check has nothing to say. */
#include "../unit/test.h"

#include "base/fault.h"
#include "crash_vfs.h"
#include "folder.h"
#include "trust/trust.h"
#include "workload.h"

#define ROUNDS_MAX 20000 /* fault points of one operation; more is a loop that never ends */
#define KINDS 4          /* kinds of operations in the workload */

static bool memory_may_fail;
static sqlite3_mem_methods memory;

static void *memory_alloc(int n)
{
    return memory_may_fail && fault_point("sqlite-memory") ? NULL : memory.xMalloc(n);
}

static void *memory_grow(void *p, int n)
{
    return memory_may_fail && fault_point("sqlite-memory") ? NULL : memory.xRealloc(p, n);
}

/* Where the faults of a loop come from, besides the store's own points. */
enum source { FROM_STORE, FROM_MEMORY, FROM_DISK };

static void faults_from(enum source source)
{
    memory_may_fail = source == FROM_MEMORY;
    crash_vfs_may_fail(source == FROM_DISK);
}

struct world {
    char dir[FOLDER_BYTES];
    struct store *st;
    unsigned acked[WORK_WRITERS];
};

static void world_open(struct world *w, bool create)
{
    struct err err = {0};

    if (work_open(w->dir, create, &w->st, &err) < 0)
        fail_msg("open: %s (%s)", err.text, err.detail);
}

static void world_check(struct world *w, const char *after, unsigned n)
{
    unsigned done[WORK_WRITERS];
    char why[WORK_WHY];

    if (work_verify_all(w->st, w->acked, done, why) < 0)
        fail_msg("%s, fault %u: %s", after, n, why);
    /* A sync that failed may have left what it was to keep; then it counts as done. */
    memcpy(w->acked, done, sizeof done);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    folder_new(w->dir);
    world_open(w, true);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    faults_from(FROM_STORE);
    store_close(w->st);
    folder_remove(w->dir);
    free(w);
    return 0;
}

/* Operations of one kind until one goes through without meeting a fault. Returns how many met one.
 */
static unsigned write_loop(struct world *w, enum source source, bool sticky)
{
    unsigned n, failures = 0;

    for (n = 1; n < ROUNDS_MAX; n++) {
        unsigned s = w->acked[0] + 1;
        struct err err = {0};

        faults_from(source);
        fault_arm(n, sticky);
        int r = work_do(w->st, 0, s, &err);
        bool fired = fault_fired();
        fault_arm(0, false);
        faults_from(FROM_STORE);
        if (r < 0 && (!fired || !err.text[0]))
            fail_msg("fault %u: operation %u failed with %d \"%s\"", n, s, r, err.text);
        failures += r < 0;
        w->acked[0] += r == 0;
        world_check(w, "write", n);
        if (!fired)
            break;
    }
    assert_true(n < ROUNDS_MAX);
    return failures;
}

/* All kinds, then a restart: a failure must not have left anything that only shows later. */
static void write_all(struct world *w, enum source source)
{
    unsigned failures = 0;

    for (unsigned i = 0; i < 2 * KINDS; i++)
        failures += write_loop(w, source, i >= KINDS);
    assert_true(failures > 2 * KINDS);
    store_close(w->st);
    world_open(w, false);
    world_check(w, "reopened", 0);
    print_message("%u failures\n", failures);
}

static void writes_survive_the_stores_own_faults(void **state)
{
    write_all(*state, FROM_STORE);
}

static void writes_survive_a_lack_of_memory(void **state)
{
    write_all(*state, FROM_MEMORY);
}

static void writes_survive_a_full_or_broken_disk(void **state)
{
    write_all(*state, FROM_DISK);
}

/* One look at everything that reads. */
static int read_all(struct store *st, struct err *err)
{
    struct access who = trust_job(STR("reader"));
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    _cleanup_(sb_done) struct sb out = sb_make(KIB(64));
    _cleanup_(arena_done) struct arena a;
    struct history_query q = {.type = def_resource(STR("Patient")), .count = 10};
    struct index_seen *seen;
    struct store_stats stats;
    struct page page;
    struct row row;
    size_t n;
    int r;

    arena_init(&a, MIB(4));
    if ((r = store_begin(st, &who, &txn, err)) < 0 ||
        (r = store_get(txn, q.type, STR("one-0-5"), &row, err)) < 0 ||
        (r = row_json(st, &row, &out, err)) < 0 ||
        (r = store_history(txn, &q, &a, &page, err)) < 0 ||
        (r = store_feed(txn, 0, 10, &a, &page, err)) < 0 ||
        (r = store_referrers(txn, NULL, q.type, STR("one-0-5"), 10, &a, &page, err)) < 0 ||
        (r = store_index_keys(txn, (uint16_t)(INDEX_PARAM_TYPE + q.type), STR(""), 10, &a, &seen,
                              &n, err)) < 0)
        return r;
    return store_stats(st, &stats, err);
}

static void read_loop(struct world *w, enum source source, bool sticky)
{
    bool fired = true;

    for (unsigned n = 1; fired; n++) {
        struct err err = {0};

        assert_true(n < ROUNDS_MAX);
        /* A fresh store, so that connections, statements and pages have to be got again. */
        store_close(w->st);
        world_open(w, false);
        faults_from(source);
        fault_arm(n, sticky);
        int r = read_all(w->st, &err);
        fired = fault_fired();
        fault_arm(0, false);
        faults_from(FROM_STORE);
        if (r < 0 && (!fired || !err.text[0]))
            fail_msg("fault %u: read failed with %d \"%s\"", n, r, err.text);
        if ((r = read_all(w->st, &err)) < 0)
            fail_msg("after fault %u: %s (%s)", n, err.text, err.detail);
    }
    world_check(w, "read", source);
}

static void reads_survive(void **state)
{
    struct world *w = *state;

    for (unsigned s = 1; s <= 6; s++) {
        struct err err;
        assert_int_equal(work_do(w->st, 0, s, &err), 0);
        w->acked[0] = s;
    }
    for (enum source source = FROM_STORE; source <= FROM_DISK; source++) {
        read_loop(w, source, false);
        read_loop(w, source, true);
    }
}

static void opening_survives(void **state)
{
    struct world *w = *state;
    struct err err = {0};

    assert_int_equal(work_do(w->st, 0, 1, &err), 0);
    w->acked[0] = 1;
    for (enum source source = FROM_STORE; source <= FROM_DISK; source++) {
        for (unsigned n = 1;; n++) {
            assert_true(n < ROUNDS_MAX);
            store_close(w->st);
            w->st = NULL;
            faults_from(source);
            fault_arm(n, false);
            int r = work_open(w->dir, false, &w->st, &err);
            bool fired = fault_fired();
            fault_arm(0, false);
            faults_from(FROM_STORE);
            if (r < 0 && (!fired || !err.text[0]))
                fail_msg("fault %u: open failed with %d \"%s\"", n, r, err.text);
            if (r < 0)
                world_open(w, false);
            world_check(w, "open", n);
            if (!fired)
                break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(writes_survive_the_stores_own_faults),
        T(writes_survive_a_lack_of_memory),
        T(writes_survive_a_full_or_broken_disk),
        T(reads_survive),
        T(opening_survives),
    };
    sqlite3_mem_methods mine;

    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
    mine = memory;
    mine.xMalloc = memory_alloc;
    mine.xRealloc = memory_grow;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &mine) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK ||
        crash_vfs_register("unix-excl") < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
