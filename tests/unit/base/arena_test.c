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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_ends_in_null),        cmocka_unit_test(grow_keeps_bytes),
        cmocka_unit_test(reset_starts_over),         cmocka_unit_test(overflow_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
