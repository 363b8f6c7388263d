/* The ledger of who was erased, where folders share a store: each takes over what the store has,
 * and tells of what it lacks; a long one lies there in parts. */
#include "../test.h"

#include "base/fault.h"
#include "server/erased.h"
#include "trust/trust.h"

#include <dirent.h>
#include <unistd.h>

#define LONG_LINES 4500 /* together more than one part of a value */

/* Two folders; the store is in a third. */
struct place {
    char dir[3][64];
    struct server_config config[2];
    struct store *st;
    struct arena a;
};

static void open_place(struct place *p)
{
    struct store_config config = {.create = true};

    *p = (struct place){.st = NULL};
    for (size_t i = 0; i < 3; i++) {
        const char *tmp = getenv("TMPDIR");

        snprintf(p->dir[i], sizeof p->dir[i], "%.40s/carnet-XXXXXX", tmp ? tmp : "/tmp");
        assert_non_null(mkdtemp(p->dir[i]));
    }
    p->config[0].data_dir = p->dir[0];
    p->config[1].data_dir = p->dir[1];
    config.dir = p->dir[2];
    assert_int_equal(store_open(&config, &p->st, NULL), 0);
    arena_init(&p->a, MIB(256));
}

static void close_place(struct place *p)
{
    store_close(p->st);
    arena_done(&p->a);
    for (size_t i = 0; i < 3; i++) {
        DIR *d = opendir(p->dir[i]);
        struct dirent *e;

        while (d && (e = readdir(d)))
            unlinkat(dirfd(d), e->d_name, 0);
        closedir(d);
        rmdir(p->dir[i]);
    }
}

static int add(struct place *p, size_t folder, const char *patient, struct err *err)
{
    struct erased ledger = {.n = 0};
    int r = erased_read(p->dir[folder], NULL, &p->a, &ledger, err);

    return r < 0 ? r
                 : erased_add(p->dir[folder], NULL, &p->a, &ledger, str_c(patient), false,
                              STR("the law"), err);
}

struct share_job {
    struct store_job job;
    struct erased ledger;
};

static int run_share(struct store_txn *txn, struct store_job *job, struct err *err)
{
    return erased_share(txn, &((struct share_job *)job)->ledger, err);
}

static int share(struct place *p, const struct erased *ledger, struct err *err)
{
    struct access who = trust_system();
    struct share_job s = {.job = {.run = run_share, .who = &who}, .ledger = *ledger};

    return store_write(p->st, &s.job, err);
}

static int share_folder(struct place *p, size_t folder, struct err *err)
{
    struct erased ledger = {.n = 0};
    int r = erased_read(p->dir[folder], NULL, &p->a, &ledger, err);

    return r < 0 ? r : share(p, &ledger, err);
}

static bool meets(struct place *p, size_t folder, size_t done, size_t all)
{
    size_t has_done = 0, has_all = 0;

    assert_int_equal(erased_meet(&p->config[folder], p->st, &has_done, &has_all, NULL), 0);
    return has_done == done && has_all == all;
}

static void folders_learn_of_each_other(void **state)
{
    struct erased ledger;
    struct place p;

    (void)state;
    open_place(&p);
    assert_true(meets(&p, 0, 0, 0));
    assert_false(erased_exists(p.dir[0]));
    assert_int_equal(add(&p, 0, "a", NULL), 0);
    assert_true(meets(&p, 0, 0, 1)); /* begun, not done */
    assert_true(meets(&p, 1, 0, 0));
    assert_int_equal(share_folder(&p, 0, NULL), 0);
    assert_true(meets(&p, 0, 1, 1));
    assert_true(meets(&p, 1, 1, 1));
    assert_int_equal(add(&p, 1, "b", NULL), 0);
    assert_true(meets(&p, 1, 1, 2));
    assert_true(meets(&p, 0, 1, 1));
    assert_int_equal(share_folder(&p, 1, NULL), 0);
    assert_true(meets(&p, 0, 2, 2));
    assert_int_equal(erased_read(p.dir[0], NULL, &p.a, &ledger, NULL), 0);
    assert_non_null(erased_find(&ledger, STR("a")));
    assert_non_null(erased_find(&ledger, STR("b")));
    assert_null(erased_find(&ledger, STR("c")));
    close_place(&p);
}

static void a_long_ledger_is_kept_in_parts(void **state)
{
    _cleanup_(sb_done) struct sb lines = sb_make(MIB(16));
    struct erased ledger;
    struct place p;

    (void)state;
    open_place(&p);
    for (int i = 0; i < LONG_LINES; i++)
        sb_fmt(&lines, "{\"salt\":\"%08d\",\"who\":\"%064d\",\"basis\":\"%0900d\"}\n", i, i, i);
    assert_true(lines.n > STORE_BLOB_PART_MAX);
    assert_int_equal(erased_parse(&p.a, sb_view(&lines), &ledger, NULL), 0);
    assert_int_equal(share(&p, &ledger, NULL), 0);
    assert_true(meets(&p, 0, LONG_LINES, LONG_LINES));
    ledger.n = 1; /* what has fewer takes none away */
    assert_int_equal(share(&p, &ledger, NULL), 0);
    assert_true(meets(&p, 1, LONG_LINES, LONG_LINES));
    close_place(&p);
}

static void whatever_fails_loses_no_line(void **state)
{
    struct place p;

    (void)state;
    open_place(&p);
    assert_int_equal(add(&p, 0, "a", NULL), 0);
    assert_int_equal(add(&p, 1, "b", NULL), 0);
    assert_int_equal(share_folder(&p, 0, NULL), 0);
    FAULT_LOOP(false) {
        struct err err = {0};
        size_t done = 0, all = 0;
        int r = share_folder(&p, 1, &err);

        if (r >= 0)
            r = erased_meet(&p.config[0], p.st, &done, &all, &err);
        assert_true(r >= 0 || fault_fired());
        assert_true(r < 0 || (done == 2 && all == 2));
    }
    assert_true(meets(&p, 0, 2, 2));
    assert_true(meets(&p, 1, 2, 2));
    close_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_learn_of_each_other),
        cmocka_unit_test(a_long_ledger_is_kept_in_parts),
        cmocka_unit_test(whatever_fails_loses_no_line),
    };

    unsetenv("CARNET_KEY");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
