/* If it can fail, this makes it fail: every read, write, sync, rename and allocation of the audit
 * log, one after the other, once and for good; a batch that is torn at every byte; kill -9 at every
 * mark. What was acknowledged is there after each, the tree is whole, and the log goes on. */
#include "../unit/trust/audit_folder.h"

#include "base/fault.h"
#include "trust/audit/segment.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define APPENDS 4
#define ROUNDS_MAX 3000 /* fault points of one run; more is a loop that never ends */

static const struct str anna = STR("anna");

static bool append(struct audit_log *log, uint64_t *ret)
{
    _cleanup_(arena_done) struct arena a;
    struct audit_event event = {.when_ms = 1764000000000, .status = 200, .user = STR("nurse")};
    struct audit_append one;
    struct err err = {0};
    bool ok;

    arena_init(&a, MIB(1));
    ok = audit_prepare(&a, &event, &anna, 1, &one, &err) >= 0 && audit_write(log, &one, &err) >= 0;
    if (!ok)
        assert_true(err.code < 0 && err.text[0]);
    *ret = one.first;
    return ok;
}

static void nothing(void *ctx, const char *text)
{
    (void)ctx;
    print_message("%s\n", text);
}

/* Opens what is there, which holds at least what was acknowledged and goes on. */
static void check(const char *dir, size_t acked)
{
    struct audit_config config = {.dir = dir};
    struct audit_log *log = NULL;
    struct merkle_tree tree;
    struct err err = {0};
    uint64_t first;

    if (audit_open(&config, &log, &err) < 0)
        fail_msg("after the fault the log does not open: %s (%s)", err.text, err.detail);
    assert_true(audit_size(log) >= acked);
    assert_true(append(log, &first));
    audit_close(log);
    assert_int_equal(audit_verify(dir, NULL, NULL, 0, nothing, NULL, &tree, &err), 0);
    assert_true(tree.n >= acked + 1);
}

/* One life of a log while the armed fault is about: how much was acknowledged. */
static size_t live(const char *dir, unsigned *failures)
{
    struct audit_config config = {.dir = dir, .head_ms = 1};
    struct audit_log *log = NULL;
    struct err err = {0};
    size_t acked = 0;
    uint64_t first;

    if (audit_open(&config, &log, &err) < 0) {
        assert_true(err.code < 0 && err.text[0]);
        ++*failures;
        return 0;
    }
    for (int i = 0; i < APPENDS; i++) {
        bool ok = append(log, &first);

        if (ok)
            assert_int_equal(first, acked);
        acked += ok;
        *failures += !ok;
    }
    audit_close(log);
    return acked;
}

static void run_faults(bool sticky)
{
    unsigned n = 1, failures = 0;
    bool fired = true;

    for (; fired && n < ROUNDS_MAX; n++) {
        char dir[FOLDER_BYTES];
        size_t acked;

        folder_new(dir);
        fault_arm(n, sticky);
        acked = live(dir, &failures);
        fired = fault_fired();
        fault_arm(0, false);
        check(dir, acked);
        folder_remove(dir);
    }
    assert_false(fired);
    print_message("%u faults, %u refusals\n", n - 2, failures);
    assert_true(n > 20 && failures > 5);
}

static void test_once(void **state)
{
    (void)state;
    run_faults(false);
}

static void test_for_good(void **state)
{
    (void)state;
    run_faults(true);
}

/* ---- from one segment to the next ---- */

/* A folder whose segment has room for two leaves more. */
static void nearly_full(const char *dir)
{
    enum { PEOPLE = AUDIT_PATIENTS_MAX - 1 };
    static struct str people[PEOPLE];
    static char names[PEOPLE][16];
    struct audit_log *log = log_open(dir);
    size_t left = SEGMENT_LEAVES - 2;

    for (size_t i = 0; i < PEOPLE; i++) {
        snprintf(names[i], sizeof names[i], "p%zu", i);
        people[i] = str_c(names[i]);
    }
    for (size_t n; left; left -= n) {
        n = MIN(left, (size_t)PEOPLE);
        log_event_of(log, "nurse", people, n);
    }
    audit_close(log);
}

/* Sealing fails at each of its points: the entries that filled the segment count, those behind it
 * wait until it is sealed after all. */
static void test_sealing(void **state)
{
    char full[FOLDER_BYTES], dir[FOLDER_BYTES];
    unsigned n = 1, failures = 0;
    bool fired = true;

    (void)state;
    folder_new(full);
    folder_new(dir);
    nearly_full(full);
    for (; fired && n < ROUNDS_MAX; n++) {
        struct audit_config config = {.dir = dir, .head_ms = 1};
        struct audit_log *log = NULL;
        struct err err = {0};
        size_t acked = SEGMENT_LEAVES - 2;
        uint64_t first;

        folder_copy(full, dir);
        assert_int_equal(audit_open(&config, &log, &err), 0);
        fault_arm(n, false);
        for (int i = 0; i < APPENDS; i++) {
            bool ok = append(log, &first);

            acked += ok;
            failures += !ok;
        }
        fired = fault_fired();
        fault_arm(0, false);
        audit_close(log);
        check(dir, acked);
    }
    assert_false(fired);
    print_message("%u faults, %u refusals\n", n - 2, failures);
    assert_true(n > 10 && failures > 5);
    folder_remove(full);
    folder_remove(dir);
}

/* ---- torn ---- */

static uint64_t head_size(const char *dir)
{
    _cleanup_(sb_done) struct sb bytes = sb_make(NOTE_BYTES_MAX);
    struct err err = {0};
    struct note note;
    struct head head;

    folder_read(dir, "head", &bytes);
    assert_int_equal(note_parse(sb_view(&bytes), &note, &err), 0);
    assert_int_equal(head_parse(note.text, &head, &err), 0);
    return head.size;
}

/* A folder as a crash leaves it: `n` entries, the last of them under no head yet. */
static void crashed(const char *dir, uint64_t n)
{
    char live_dir[FOLDER_BYTES];

    for (;;) {
        _cleanup_(sb_done) struct sb head = sb_make(NOTE_BYTES_MAX);
        struct audit_log *log;

        folder_new(live_dir);
        log = log_open(live_dir);
        for (uint64_t i = 0; i + 1 < n; i++)
            log_event_of(log, "nurse", &anna, 1);
        log_wait_head(log, n - 1, &head);
        log_event_of(log, "nurse", &anna, 1);
        folder_copy(live_dir, dir);
        audit_close(log);
        folder_remove(live_dir);
        if (head_size(dir) == n - 1)
            return;
    }
}

/* Where the nth batch ends. */
static size_t batch_end_of(struct str segment, int n)
{
    static const unsigned char any[XAES_KEY_BYTES]; /* how long a batch is needs no key */
    static const struct merkle_hash none;
    struct cipher c;
    size_t at = SEGMENT_HEAD_BYTES;

    assert_int_equal(cipher_init(&c, getenv("CARNET_KEY") ? any : NULL, &none, NULL), 0);

    while (n-- > 0)
        at += batch_bytes(str_from(segment, at), &c);
    cipher_done(&c);
    return at;
}

static void opens_with(const char *dir, uint64_t n)
{
    struct audit_log *log = log_open(dir);

    assert_int_equal(audit_size(log), n);
    audit_close(log);
    check(dir, 2);
}

static void test_torn(void **state)
{
    _cleanup_(sb_done) struct sb bytes = sb_make(MIB(1));
    char dir[FOLDER_BYTES], work[FOLDER_BYTES];
    size_t before, whole;

    (void)state;
    folder_new(dir);
    folder_new(work);
    crashed(dir, 3);
    folder_read(dir, "00000000.seg", &bytes);
    whole = batch_end_of(sb_view(&bytes), 3);
    before = batch_end_of(sb_view(&bytes), 2);
    assert_true(whole < bytes.n); /* behind them is room */
    for (size_t cut = before; cut <= whole; cut++) {
        folder_copy(dir, work);
        folder_write(work, "00000000.seg", str_head(sb_view(&bytes), cut));
        opens_with(work, cut == whole ? 3 : 2);
    }
    /* what was written in another order than asked: the batch's middle is not there */
    for (size_t at = before; at < whole; at++) {
        folder_copy(dir, work);
        bytes.p[at] ^= 0x55;
        folder_write(work, "00000000.seg", sb_view(&bytes));
        bytes.p[at] ^= 0x55;
        opens_with(work, 2);
    }
    /* only its beginning reached the room that was made for it */
    for (size_t at = whole; at-- > before;) {
        folder_copy(dir, work);
        bytes.p[at] = '\0';
        folder_write(work, "00000000.seg", sb_view(&bytes));
        if (at + 1 < whole) /* the last byte may have been zero */
            opens_with(work, 2);
    }
    folder_remove(dir);
    folder_remove(work);
}

/* ---- killed ---- */

/* A child that says a byte for each entry that is durable, until it is killed. */
static size_t killed_at(const char *dir, const char *mark, unsigned nth)
{
    size_t acked = 0;
    int fds[2], status;
    char byte;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct audit_log *log = log_open(dir);
        uint64_t first;

        fault_kill(mark, nth);
        while (append(log, &first))
            if (write(fds[1], "x", 1) != 1)
                break;
        _exit(1);
    }
    close(fds[1]);
    while (read(fds[0], &byte, 1) == 1)
        acked++;
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return acked;
}

static void test_killed(void **state)
{
    static const char *const marks[] = {"audit-write", "audit-written", "audit-sync",
                                        "audit-counted", "audit-rename"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        for (unsigned nth = 1; nth <= 4; nth++) {
            char dir[FOLDER_BYTES];

            folder_new(dir);
            for (int again = 0; again < 3; again++)
                check(dir, killed_at(dir, marks[i], nth));
            folder_remove(dir);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),    cmocka_unit_test(test_for_good),
        cmocka_unit_test(test_sealing), cmocka_unit_test(test_torn),
        cmocka_unit_test(test_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
