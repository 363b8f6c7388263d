/* What is out on behalf of an account is found by account, in the order in which it ends. */
#include "trust/owned.h"

#include "../test.h"
#include "store.h"

#define NOW INT64_C(1700000000000)
#define MINUTE INT64_C(60000)

static struct own_store own;
static struct arena a;

static int begin(void **state)
{
    (void)state;
    arena_init(&a, MIB(64));
    own_store_open(&own);
    return 0;
}

static int end(void **state)
{
    (void)state;
    own_store_close(&own);
    arena_done(&a);
    return 0;
}

struct grant_like {
    bool is;
};
static const struct field grant_like_fields[] = {
    {"is", FIELD_BOOL, offsetof(struct grant_like, is)}};
static const struct shape grant_like_shape = SHAPE(grant_like);

/* One to add, or (account NULL) one to drop. */
struct adding {
    const char *account, *name;
    enum record_kind kind;
    int64_t until_ms, now_ms;
};

static int add_run(void *ctx, struct store_txn *txn, struct err *err)
{
    const struct adding *add = ctx;
    struct grant_like is = {true};
    int r = record_put(txn, add->kind, str_c(add->name), &grant_like_shape, &is, err);

    return r < 0 ? r
                 : owned_add(txn, str_c(add->account), add->kind, str_c(add->name), add->until_ms,
                             add->now_ms, err);
}

static int run(record_fn *fn, void *ctx)
{
    struct err err = {0};

    return record_commit(own.store, fn, ctx, &err);
}

static void add(const char *account, enum record_kind kind, const char *name, int64_t minutes,
                int64_t now_minutes)
{
    struct adding one = {account, name, kind, NOW + minutes * MINUTE, NOW + now_minutes * MINUTE};

    assert_int_equal(run(add_run, &one), 0);
}

struct listing {
    const char *account;
    int64_t now_ms;
    char said[4000];
    struct str last;
};

static int each(void *ctx, const struct owned *one, struct err *err)
{
    struct listing *l = ctx;
    size_t n = strlen(l->said);

    (void)err;
    l->last = one->entry;
    snprintf(l->said + n, sizeof l->said - n, "%s%.*s ",
             one->kind == RECORD_SESSION ? "s:" : "g:", STR_ARG(one->name));
    return 0;
}

static int list_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct listing *l = ctx;

    l->said[0] = '\0';
    return owned_each(txn, str_c(l->account), l->now_ms, &a, each, l, err);
}

static void lists(const char *account, int64_t now_minutes, const char *want)
{
    struct listing l = {.account = account, .now_ms = NOW + now_minutes * MINUTE};

    assert_int_equal(run(list_run, &l), 0);
    assert_string_equal(l.said, want);
}

static void fill(void)
{
    add("ann", RECORD_GRANT, "later", 90, 0);
    add("ann", RECORD_SESSION, "x/soon", 10, 0);
    add("bob", RECORD_GRANT, "his", 20, 0);
    add("ann", RECORD_GRANT, "then", 30, 0);
}

static void they_are_found_by_account_in_order(void **state)
{
    (void)state;
    fill();
    lists("ann", 0, "s:x/soon g:then g:later ");
    lists("bob", 0, "g:his ");
    lists("an", 0, "");
    lists("ann", 11, "g:then g:later ");
    lists("ann", 91, "");
}

struct dropping {
    const char *account;
    struct str entry;
};

static int drop_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct dropping *d = ctx;

    return d->entry.p ? owned_drop(txn, str_c(d->account), d->entry, &a, err)
                      : owned_drop_all(txn, str_c(d->account), &a, err);
}

static int has_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct grant_like is;

    return record_get(txn, RECORD_GRANT, str_c(ctx), &a, &grant_like_shape, &is, err);
}

static void one_goes_with_what_it_names_and_for_its_account_alone(void **state)
{
    struct listing l = {.account = "bob", .now_ms = NOW};
    struct dropping d = {.account = "ann"};

    (void)state;
    fill();
    assert_int_equal(run(list_run, &l), 0);
    d.entry = l.last;
    assert_int_equal(run(drop_run, &d), ERR_NOT_FOUND);
    assert_int_equal(run(has_run, (void *)"his"), 0);
    d.account = "bob";
    assert_int_equal(run(drop_run, &d), 0);
    assert_int_equal(run(has_run, (void *)"his"), ERR_NOT_FOUND);
    d.entry = STR("65f00000/x/odd");
    assert_int_equal(run(drop_run, &d), ERR_NOT_FOUND);
    d = (struct dropping){.account = "ann", .entry = STR_NULL};
    assert_int_equal(run(drop_run, &d), 0);
    lists("ann", 0, "");
    assert_int_equal(run(has_run, (void *)"later"), ERR_NOT_FOUND);
}

static void what_has_ended_goes_when_more_comes(void **state)
{
    (void)state;
    fill();
    add("ann", RECORD_GRANT, "new", 200, 31);
    assert_int_equal(run(has_run, (void *)"then"), ERR_NOT_FOUND);
    assert_int_equal(run(has_run, (void *)"later"), 0);
    assert_int_equal(run(has_run, (void *)"his"), 0);
    lists("ann", 31, "g:later g:new ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_are_found_by_account_in_order, begin, end),
        cmocka_unit_test_setup_teardown(one_goes_with_what_it_names_and_for_its_account_alone,
                                        begin, end),
        cmocka_unit_test_setup_teardown(what_has_ended_goes_when_more_comes, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
