#include "../test.h"

#include "synth/chance.h"

static void wave_is_a_cosine(void **state)
{
    (void)state;
    assert_int_equal(wave_permille(0, 52), 1000);
    assert_int_equal(wave_permille(26, 52), -1000);
    assert_int_equal(wave_permille(13, 52), 0);
    assert_int_equal(wave_permille(-13, 52), 0);
    assert_int_equal(wave_permille(52, 52), 1000);
    /* cos 60 degrees */
    assert_in_range(wave_permille(60, 360), 498, 502);
    for (int i = -60; i < 120; i++)
        assert_in_range(wave_permille(i, 52) + 1000, 0, 2000);
}

static void curve_is_straight_between_points(void **state)
{
    static const int16_t x[] = {0, 10, 20};
    static const int32_t y[] = {100, 200, 150};

    (void)state;
    assert_int_equal(curve_at(x, y, 3, -5), 100);
    assert_int_equal(curve_at(x, y, 3, 5), 150);
    assert_int_equal(curve_at(x, y, 3, 10), 200);
    assert_int_equal(curve_at(x, y, 3, 15), 175);
    assert_int_equal(curve_at(x, y, 3, 99), 150);
}

static void draws_have_their_moments(void **state)
{
    const int n = 100000;
    struct rng r;
    int64_t sum = 0, squares = 0, waited = 0;
    int yes = 0;

    (void)state;
    rng_seed(&r, 1);
    for (int i = 0; i < n; i++) {
        int64_t v = draw_normal(&r, 1000, 100);

        sum += v;
        squares += (v - 1000) * (v - 1000);
        yes += draw_permille(&r, 250);
        waited += draw_wait(&r, 500, 50);
        v = draw_range(&r, -3, 3);
        assert_true(v >= -3 && v <= 3);
    }
    assert_in_range(sum / n, 998, 1002);
    assert_in_range(squares / n, 9700, 10300);
    assert_in_range(yes, 24300, 25700);
    /* Geometric: further / (1 - further) = 1. */
    assert_in_range(waited, n * 97 / 100, n * 103 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wave_is_a_cosine),
        cmocka_unit_test(curve_is_straight_between_points),
        cmocka_unit_test(draws_have_their_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
