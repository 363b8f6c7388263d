#include "../test.h"

#include "base/arena.h"
#include "base/fault.h"

static void limit_ends_in_null(void **state)
{
    struct arena a;
    size_t n = 0;

    (void)state;
    arena_init(&a, KIB(64));
    while (arena_alloc(&a, 1000))
        n++;
    assert_in_range(n, 48, 65);
    assert_null(arena_alloc(&a, 1 << 20));
    assert_true(a.used_bytes <= a.limit_bytes);
    arena_done(&a);
}

static void grow_keeps_bytes(void **state)
{
    struct arena a;
    char *p;

    (void)state;
    arena_init(&a, MIB(1));
    p = arena_alloc(&a, 5);
    memcpy(p, "hello", 5);
    for (size_t n = 5; n < 40000; n *= 2) {
        p = arena_grow(&a, p, n, n * 2);
        assert_non_null(p);
        assert_memory_equal(p, "hello", 5);
    }
    arena_done(&a);
}

/* Two arrays that grow in turn, and small things between them. */
static void regrow_leaves_nothing_behind(void **state)
{
    struct arena a;
    unsigned char *v[2] = {NULL, NULL};
    size_t n = 64;

    (void)state;
    arena_init(&a, MIB(64));
    for (; n < MIB(4); n *= 2)
        for (int i = 0; i < 2; i++) {
            v[i] = arena_regrow(&a, v[i], v[i] ? n / 2 : 0, n);
            assert_non_null(v[i]);
            for (size_t k = n > 64 ? n / 2 : 0; k < n; k++)
                v[i][k] = (unsigned char)(k * 31 + (size_t)i);
            assert_str(arena_dup(&a, STR("small")), STR("small"));
        }
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < n / 2; k++)
            assert_int_equal(v[i][k], (unsigned char)(k * 31 + (size_t)i));
    assert_true(a.used_bytes < n + MIB(1)); /* n / 2 each, and the small ones */
    arena_reset(&a);
    assert_non_null(arena_regrow(&a, NULL, 0, MIB(1)));
    arena_done(&a);
    assert_int_equal(a.used_bytes, 0);
}

static void regrow_ends_at_the_limit(void **state)
{
    struct arena_budget budget = {.max = MIB(8)};
    struct arena a;
    char *v = NULL;
    size_t n = KIB(16);

    (void)state;
    arena_init(&a, MIB(1));
    a.budget = &budget;
    for (char *more; (more = arena_regrow(&a, v, v ? n / 2 : 0, n)); n *= 2)
        v = more;
    assert_int_equal(n, MIB(1));
    memset(v, 'x', n / 2); /* what was there before is still there */
    assert_non_null(arena_alloc(&a, KIB(64)));
    assert_int_equal(atomic_load(&budget.used), a.used_bytes);
    arena_done(&a);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void reset_starts_over(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, MIB(1));
    for (int i = 0; i < 3; i++) {
        assert_non_null(arena_alloc(&a, 100000));
        arena_reset(&a);
    }
    assert_true(a.used_bytes < MIB(1));
    assert_str(arena_fmt(&a, "%s-%d", "a", 7), STR("a-7"));
    arena_done(&a);
}

static void note(void *what)
{
    (*(int *)what)++;
}

static void deferred_releases_run_once(void **state)
{
    struct arena a;
    int n = 0;

    (void)state;
    arena_init(&a, KIB(64));
    assert_true(arena_defer(&a, note, &n) && arena_defer(&a, note, &n));
    assert_int_equal(n, 0);
    arena_reset(&a);
    assert_int_equal(n, 2);
    assert_true(arena_defer(&a, note, &n));
    while (arena_alloc(&a, 1000))
        ;
    while (arena_alloc(&a, 1))
        ;
    assert_false(arena_defer(&a, note, &n));
    arena_done(&a);
    assert_int_equal(n, 3);
}

static void overflow_is_refused(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, MIB(1));
    assert_null(arena_calloc(&a, SIZE_MAX / 2, 4));
    assert_null(arena_alloc(&a, SIZE_MAX - 3));
    arena_done(&a);
}

static void every_allocation_may_fail(void **state)
{
    unsigned runs = 0;

    (void)state;
    FAULT_LOOP(true) {
        struct arena a;
        arena_init(&a, MIB(1));
        for (int i = 0; i < 3; i++)
            arena_alloc(&a, 20000);
        arena_done(&a);
        runs++;
    }
#ifdef CARNET_FAULT
    assert_true(runs >= 3);
#else
    assert_int_equal(runs, 1);
#endif
}

static void large_arenas_leave_a_quarter_to_small_ones(void **state)
{
    struct arena_budget budget = {.max = MIB(8)};
    struct arena large, other, small;

    (void)state;
    arena_init(&large, MIB(64));
    arena_init(&other, MIB(64));
    arena_init(&small, MIB(64));
    large.budget = other.budget = small.budget = &budget;
    assert_non_null(arena_alloc(&large, MIB(4)));
    assert_null(arena_alloc(&other, MIB(3)));
    assert_true(other.starved);
    assert_non_null(arena_alloc(&small, KIB(900)));
    assert_false(small.starved);
    arena_done(&large);
    assert_false(large.starved);
    arena_reset(&other);
    assert_false(other.starved);
    assert_non_null(arena_alloc(&other, MIB(3)));
    arena_done(&other);
    arena_done(&small);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void a_limit_is_no_starving(void **state)
{
    struct arena_budget budget = {.max = MIB(8)};
    struct arena a;

    (void)state;
    arena_init(&a, KIB(64));
    a.budget = &budget;
    assert_null(arena_alloc(&a, KIB(65)));
    assert_false(a.starved);
    assert_non_null(arena_alloc(&a, KIB(20)));
    assert_non_null(arena_alloc(&a, KIB(20)));
    assert_true(atomic_load(&budget.used) >= KIB(40));
    arena_reset(&a);
    assert_true(atomic_load(&budget.used) < KIB(40));
    arena_done(&a);
    assert_int_equal(atomic_load(&budget.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_ends_in_null),
        cmocka_unit_test(grow_keeps_bytes),
        cmocka_unit_test(regrow_leaves_nothing_behind),
        cmocka_unit_test(regrow_ends_at_the_limit),
        cmocka_unit_test(reset_starts_over),
        cmocka_unit_test(deferred_releases_run_once),
        cmocka_unit_test(overflow_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(large_arenas_leave_a_quarter_to_small_ones),
        cmocka_unit_test(a_limit_is_no_starving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
