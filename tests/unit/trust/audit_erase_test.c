/* Entries that are thrown away are gone from every byte, and roots, proofs and the rest stay. */
#include "audit_folder.h"

#include "vault/master.h"
#include "vault/vault.h"

#include <unistd.h>

#include "base/fault.h"

#include <unistd.h>

#define FAULTS_MAX 2000

static struct str anna = STR("anna-anderson"), bert = STR("bert-brecht");

static void append_all(const char *dir)
{
    struct audit_log *log = log_open(dir);

    log_event_of(log, "nurse", &anna, 1);
    log_event_of(log, "doctor", (const struct str[]){anna, bert}, 2);
    log_event_of(log, "nurse", &bert, 1);
    log_event_of(log, "doctor", (const struct str[]){bert, anna}, 2);
    log_event_of(log, "nurse", NULL, 0);
    audit_close(log);
}

static bool is_sealed(void)
{
    return getenv(MASTER_ENV) != NULL;
}

static uint64_t erase(const char *dir, const struct audit_erasure *what)
{
    struct audit_config config = {.dir = dir, .keyless = true};
    struct err err = {0};
    uint64_t n = 0;

    assert_int_equal(audit_erase(&config, what, &n, &err), 0);
    return n;
}

static void root_of(const char *dir, uint64_t n, struct merkle_hash *ret)
{
    struct merkle_tree tree;
    struct err err = {0};

    assert_int_equal(audit_verify(dir, NULL, NULL, 0, NULL, NULL, &tree, &err), 0);
    assert_int_equal(tree.n, n);
    merkle_root(&tree, ret);
}

static bool holds(const char *dir, const char *file, struct str bytes)
{
    _cleanup_(sb_done) struct sb all = sb_make(MIB(256));

    folder_read(dir, file, &all);
    return memmem(all.p, all.n, bytes.p, bytes.n) != NULL;
}

static size_t found(const char *dir, struct str patient)
{
    struct audit_query q = {.patient = patient, .max = AUDIT_PAGE_MAX};
    struct audit_log *log = log_open(dir);
    struct audit_row *rows = NULL;
    struct err err = {0};
    uint64_t next;
    struct arena a;
    size_t n = 0;

    arena_init(&a, MIB(64));
    assert_int_equal(audit_search(log, &q, &a, &rows, &n, &next, &err), 0);
    arena_done(&a);
    audit_close(log);
    return n;
}

static void test_patient(void **state)
{
    struct audit_erasure what = {.patient = anna};
    struct merkle_hash before, after;
    char dir[FOLDER_BYTES];
    struct audit_log *log;
    struct audit_row row;
    struct err err = {0};
    struct arena a;

    (void)state;
    folder_new(dir);
    append_all(dir);
    root_of(dir, 7, &before);
    assert_int_equal(holds(dir, "00000000.seg", anna), !is_sealed());
    assert_int_equal(erase(dir, &what), 3);
    assert_false(holds(dir, "00000000.seg", anna));
    assert_int_equal(holds(dir, "00000000.seg", bert), !is_sealed());
    root_of(dir, 7, &after);
    assert_true(merkle_eq(&before, &after));
    assert_int_equal(found(dir, anna), 0);
    assert_int_equal(found(dir, bert), 3);
    assert_int_equal(erase(dir, &what), 0);

    arena_init(&a, MIB(1));
    log = log_open(dir);
    assert_int_equal(audit_get(log, 0, &a, &row, &err), 0);
    assert_true(row.is_erased);
    assert_int_equal(audit_get(log, 2, &a, &row, &err), 0);
    assert_true(!row.is_erased && str_eq(row.event.patient, bert));
    assert_int_equal(log_event_of(log, "nurse", &anna, 1), 7); /* the log goes on */
    audit_close(log);
    arena_done(&a);
    root_of(dir, 8, &after);
    folder_remove(dir);
}

/* The bytes that one patient's entries share go with the last of them. */
static void test_shared(void **state)
{
    struct audit_erasure one = {.leaves = (const uint64_t[]){1}, .n = 1},
                         both = {.leaves = (const uint64_t[]){1, 2}, .n = 2},
                         others = {.leaves = (const uint64_t[]){4, 5}, .n = 2};
    char dir[FOLDER_BYTES];

    (void)state;
    folder_new(dir);
    append_all(dir);
    assert_int_equal(erase(dir, &one), 1);
    assert_int_equal(found(dir, bert), 3);
    assert_int_equal(erase(dir, &both), 1);
    assert_int_equal(erase(dir, &others), 2);
    assert_false(holds(dir, "00000000.seg", STR("doctor")));
    folder_remove(dir);
}

static void test_nothing(void **state)
{
    struct audit_config config = {.keyless = true};
    struct audit_erasure all = {.n = 0}, old = {.before_ms = 1};
    char dir[FOLDER_BYTES];
    struct audit_log *log;
    struct err err = {0};
    uint64_t n = 0;

    (void)state;
    folder_new(dir);
    append_all(dir);
    config.dir = dir;
    assert_int_equal(audit_erase(&config, &all, &n, &err), ERR_VALUE);
    assert_int_equal(erase(dir, &old), 0);
    log = log_open(dir);
    assert_int_equal(audit_erase(&config, &old, &n, &err), ERR_CONFLICT);
    audit_close(log);
    folder_remove(dir);
}

/* A full segment: its index says nothing of what is gone, and is made again where it is missing. */
static void test_full_segment(void **state)
{
    enum { PEOPLE = AUDIT_PATIENTS_MAX, ROUNDS = 9 };
    static struct str people[PEOPLE];
    static char names[PEOPLE][16];
    struct merkle_hash before, after;
    struct audit_log *log;
    char dir[FOLDER_BYTES], path[2 * FOLDER_BYTES];

    (void)state;
    folder_new(dir);
    log = log_open(dir);
    for (size_t i = 0; i < PEOPLE; i++) {
        snprintf(names[i], sizeof names[i], "p%zu", i);
        people[i] = str_c(names[i]);
    }
    for (int i = 0; i < ROUNDS; i++)
        log_event_of(log, "nurse", people, PEOPLE);
    audit_close(log);
    root_of(dir, ROUNDS * PEOPLE, &before);
    assert_int_equal(erase(dir, &(struct audit_erasure){.patient = people[77]}), ROUNDS);
    assert_int_equal(found(dir, people[77]), 0);
    assert_int_equal(found(dir, people[78]), ROUNDS);
    root_of(dir, ROUNDS * PEOPLE, &after);
    assert_true(merkle_eq(&before, &after));
    snprintf(path, sizeof path, "%s/" AUDIT_FOLDER "/00000000.idx", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(found(dir, people[76]), ROUNDS);
    folder_remove(dir);
}

/* Wherever it fails the log opens, holds all that was not meant, and erasing it again ends it. */
static void test_faults(void **state)
{
    struct audit_erasure what = {.patient = anna};
    struct merkle_hash before, after;
    char full[FOLDER_BYTES], dir[FOLDER_BYTES];
    unsigned n = 1, failures = 0;
    bool fired = true;

    (void)state;
    folder_new(full);
    folder_new(dir);
    append_all(full);
    root_of(full, 7, &before);
    for (; fired && n < FAULTS_MAX; n++) {
        struct audit_config config = {.dir = dir, .keyless = true};
        struct err err = {0};
        uint64_t erased = 0;
        int r;

        folder_copy(full, dir);
        fault_arm(n, false);
        r = audit_erase(&config, &what, &erased, &err);
        fired = fault_fired();
        fault_arm(0, false);
        assert_true(r >= 0 || err.text[0]);
        failures += r < 0;
        erase(dir, &what);
        assert_int_equal(found(dir, anna), 0);
        assert_int_equal(found(dir, bert), 3);
        root_of(dir, 7, &after);
        assert_true(merkle_eq(&before, &after));
    }
    assert_false(fired);
    print_message("%u faults, %u refusals\n", n - 2, failures);
    assert_true(failures > 10);
    folder_remove(full);
    folder_remove(dir);
}

static void quiet(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

/* The copy of a log that was in the clear is sealed, says the same, and no bit of it can be
 * changed. */
static void test_sealed_copy(void **state)
{
    char dir[FOLDER_BYTES], to[FOLDER_BYTES], key[FOLDER_BYTES + 8];
    struct audit_config config = {.dir = to, .key_file = key, .keyless = true};
    struct merkle_tree tree;
    struct merkle_hash before, after;
    struct sb bytes = sb_make(MIB(1));
    struct err err = {0};

    (void)state;
    if (is_sealed())
        skip();
    folder_new(dir);
    folder_new(to);
    snprintf(key, sizeof key, "%s.key", to);
    append_all(dir);
    root_of(dir, 7, &before);
    assert_int_equal(audit_copy_sealed(dir, to, key, &err), 0);
    assert_true(holds(dir, "00000000.seg", anna));
    assert_false(holds(to, "00000000.seg", anna));
    assert_int_equal(audit_verify(to, NULL, NULL, 0, NULL, NULL, &tree, &err), ERR_REQUIRED);
    assert_int_equal(audit_verify(to, key, NULL, 0, NULL, NULL, &tree, &err), 0);
    merkle_root(&tree, &after);
    assert_true(merkle_eq(&before, &after));
    folder_read(to, "00000000.seg", &bytes);
    for (size_t at = 0; at < bytes.n; at += 17) {
        struct audit_log *log = NULL;

        bytes.p[at] ^= 32;
        folder_write(to, "00000000.seg", sb_view(&bytes));
        bytes.p[at] ^= 32;
        assert_true(audit_verify(to, key, NULL, 0, quiet, NULL, &tree, &err) != 0);
        config.read_only = true;
        assert_true(audit_open(&config, &log, &err) < 0);
    }
    sb_done(&bytes);
    unlink(key);
    vault_uncopy(to);
    folder_remove(to);
    folder_remove(dir);
}

/* A copy of a log that is being written opens, and is no log to go on with. */
static void test_copy(void **state)
{
    char dir[FOLDER_BYTES], to[FOLDER_BYTES];
    struct audit_config config = {.dir = to};
    struct audit_log *log, *copy = NULL;
    struct err err = {0};

    (void)state;
    folder_new(dir);
    folder_new(to);
    vault_uncopy(to);                               /* it gets those of what is copied */
    assert_int_equal(audit_copy(dir, to, &err), 0); /* there is none */
    assert_false(audit_exists(to));
    append_all(dir);
    log = log_open(dir);
    log_event_of(log, "nurse", &anna, 1);
    assert_int_equal(audit_copy(dir, to, &err), 0);
    assert_int_equal(audit_copy(dir, to, &err), ERR_CONFLICT);
    audit_close(log);
    assert_int_equal(
        audit_verify(to, NULL, NULL, 0, NULL, NULL, &(struct merkle_tree){.n = 0}, &err), 0);
    assert_true(audit_open(&config, &copy, &err) < 0); /* without its key */
    config.read_only = true;
    assert_int_equal(audit_open(&config, &copy, &err), 0);
    assert_int_equal(audit_size(copy), 8);
    audit_close(copy);
    folder_remove(dir);
    folder_remove(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patient),     cmocka_unit_test(test_shared),
        cmocka_unit_test(test_nothing),     cmocka_unit_test(test_full_segment),
        cmocka_unit_test(test_faults),      cmocka_unit_test(test_copy),
        cmocka_unit_test(test_sealed_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
