#include "../test.h"

#include "base/clock.h"

#include <time.h>

static void civil_days_round_trip(void **state)
{
    int y, m, d;

    (void)state;
    assert_int_equal(clock_days(1970, 1, 1), 0);
    assert_int_equal(clock_days(2000, 2, 29), 11016);
    for (int64_t day = -719528; day < 2932897; day += 13) {
        clock_civil(day, &y, &m, &d);
        assert_int_equal(clock_days(y, m, d), day);
    }
}

static void formats(void **state)
{
    char s[CLOCK_INSTANT_MAX];
    int64_t ms;

    (void)state;
    clock_format(0, s);
    assert_string_equal(s, "1970-01-01T00:00:00.000Z");
    clock_format(-1, s);
    assert_string_equal(s, "1969-12-31T23:59:59.999Z");
    clock_format_http(784111777000, s);
    assert_string_equal(s, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_true(clock_parse_http(str_c(s), &ms));
    assert_int_equal(ms, 784111777000);
    assert_false(clock_parse_http(STR("Sun, 31 Feb 1994 08:49:37 GMT"), &ms));
    assert_false(clock_parse_http(STR("yesterday at some time or other"), &ms));
}

static void hlc_never_goes_back(void **state)
{
    uint64_t t = 0, next;

    (void)state;
    for (int64_t now = 1000; now > 900; now--) {
        next = hlc_next(t, now);
        assert_true(next > t);
        t = next;
    }
    assert_int_equal(hlc_ms(t), 1000);
}

/* A thread that sleeps spends nothing. */
static void spent_time_is_the_processors(void **state)
{
    struct timespec nap = {.tv_nsec = 20000000};
    int64_t spent = clock_spent_us(), passed = clock_mono_us();
    volatile unsigned work = 0;

    (void)state;
    nanosleep(&nap, NULL);
    assert_true(clock_mono_us() - passed >= 20000);
    assert_true(clock_spent_us() - spent < 20000);
    spent = clock_spent_us();
    while (clock_spent_us() - spent < 1000)
        work++;
    assert_true(work > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(civil_days_round_trip),
        cmocka_unit_test(formats),
        cmocka_unit_test(hlc_never_goes_back),
        cmocka_unit_test(spent_time_is_the_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
