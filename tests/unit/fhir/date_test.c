#include "../test.h"

#include "base/clock.h"
#include "base/rng.h"
#include "fhir/date.h"

static void ranges(void **state)
{
    static const struct {
        enum date_kind kind;
        const char *text;
        int tz;
        enum date_precision precision;
        const char *from, *to;
    } want[] = {
        {DATE_DATE, "2024", 0, DATE_YEAR, "2024-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"},
        {DATE_DATE, "2024-02", 0, DATE_MONTH, "2024-02-01T00:00:00.000Z",
         "2024-03-01T00:00:00.000Z"},
        {DATE_DATE, "2023-12", 0, DATE_MONTH, "2023-12-01T00:00:00.000Z",
         "2024-01-01T00:00:00.000Z"},
        {DATE_DATE, "2024-02-29", 180, DATE_DAY, "2024-02-28T21:00:00.000Z",
         "2024-02-29T21:00:00.000Z"},
        {DATE_DATETIME, "1969-12-31", -570, DATE_DAY, "1969-12-31T09:30:00.000Z",
         "1970-01-01T09:30:00.000Z"},
        {DATE_DATETIME, "2015-02-07T13:28:17-05:00", 60, DATE_SECOND, "2015-02-07T18:28:17.000Z",
         "2015-02-07T18:28:18.000Z"},
        {DATE_INSTANT, "2015-02-07T13:28:17.239+02:00", 0, DATE_FRACTION,
         "2015-02-07T11:28:17.239Z", "2015-02-07T11:28:17.240Z"},
        {DATE_INSTANT, "2015-02-07T13:28:17.2Z", 0, DATE_FRACTION, "2015-02-07T13:28:17.200Z",
         "2015-02-07T13:28:17.300Z"},
        {DATE_INSTANT, "2015-02-07T13:28:17.239999999999Z", 0, DATE_FRACTION,
         "2015-02-07T13:28:17.239Z", "2015-02-07T13:28:17.240Z"},
        {DATE_INSTANT, "2016-12-31T23:59:60Z", 0, DATE_SECOND, "2017-01-01T00:00:00.000Z",
         "2017-01-01T00:00:01.000Z"},
        {DATE_INSTANT, "2016-12-31T23:59:59+14:00", 0, DATE_SECOND, "2016-12-31T09:59:59.000Z",
         "2016-12-31T10:00:00.000Z"},
        {DATE_SEARCH, "2024-05-06T07:08", 0, DATE_MINUTE, "2024-05-06T07:08:00.000Z",
         "2024-05-06T07:09:00.000Z"},
        {DATE_SEARCH, "2024-05-06T07:08", 180, DATE_MINUTE, "2024-05-06T04:08:00.000Z",
         "2024-05-06T04:09:00.000Z"},
        {DATE_SEARCH, "2024-05-06T07:08 02:00", 0, DATE_MINUTE, "2024-05-06T05:08:00.000Z",
         "2024-05-06T05:09:00.000Z"},
        {DATE_SEARCH, "2024-05-06T07:08:09.5Z", 180, DATE_FRACTION, "2024-05-06T07:08:09.500Z",
         "2024-05-06T07:08:09.600Z"},
        {DATE_SEARCH, "2024-05", 0, DATE_MONTH, "2024-05-01T00:00:00.000Z",
         "2024-06-01T00:00:00.000Z"},
        {DATE_DATE, "0001", 0, DATE_YEAR, "0001-01-01T00:00:00.000Z", "0002-01-01T00:00:00.000Z"},
        {DATE_DATE, "1900-02-28", 0, DATE_DAY, "1900-02-28T00:00:00.000Z",
         "1900-03-01T00:00:00.000Z"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        char from[CLOCK_INSTANT_MAX], to[CLOCK_INSTANT_MAX];
        struct err err;
        struct date d;

        if (date_parse(want[i].kind, str_c(want[i].text), want[i].tz, &d, &err) < 0)
            fail_msg("%s", err.text);
        clock_format(d.from_ms, from);
        clock_format(d.to_ms, to);
        assert_string_equal(from, want[i].from);
        assert_string_equal(to, want[i].to);
        assert_int_equal(d.precision, want[i].precision);
    }
}

static void last_year_ends(void **state)
{
    struct date d;
    struct err err;

    (void)state;
    assert_int_equal(date_parse(DATE_DATE, STR("9999"), 0, &d, &err), 0);
    assert_int_equal(d.to_ms, clock_days(10000, 1, 1) * 86400000);
    assert_false(d.has_zone);
    assert_int_equal(date_parse(DATE_DATETIME, STR("9999-12-31T23:59:59-14:00"), 5, &d, &err), 0);
    assert_true(d.has_zone);
    assert_int_equal(d.tz_minutes, -840);
}

static void bad_texts_are_refused(void **state)
{
    static const struct {
        enum date_kind kind;
        const char *text;
    } bad[] = {
        {DATE_DATE, ""},
        {DATE_DATE, "0000"},
        {DATE_DATE, "24"},
        {DATE_DATE, "20240"},
        {DATE_DATE, "2024-"},
        {DATE_DATE, "2024-13"},
        {DATE_DATE, "2024-00"},
        {DATE_DATE, "2024-1"},
        {DATE_DATE, "2023-02-29"},
        {DATE_DATE, "1900-02-29"},
        {DATE_DATE, "2024-04-31"},
        {DATE_DATE, "2024-04-3"},
        {DATE_DATE, "2024/04/03"},
        {DATE_DATE, " 2024"},
        {DATE_DATE, "2024 "},
        {DATE_DATE, "-2024"},
        {DATE_DATE, "2024-01-01T00:00:00Z"},
        {DATE_DATETIME, "2024-01-01T"},
        {DATE_DATETIME, "2024-01-01T00:00Z"},
        {DATE_DATETIME, "2024-01-01T00:00:00"},
        {DATE_DATETIME, "2024-01-01T24:00:00Z"},
        {DATE_DATETIME, "2024-01-01T23:60:00Z"},
        {DATE_DATETIME, "2024-01-01T23:59:61Z"},
        {DATE_DATETIME, "2024-01-01T23:59:59.Z"},
        {DATE_DATETIME, "2024-01-01t23:59:59Z"},
        {DATE_DATETIME, "2024-01-01T23:59:59z"},
        {DATE_DATETIME, "2024-01-01T23:59:59 02:00"},
        {DATE_DATETIME, "2024-01-01T23:59:59+2:00"},
        {DATE_DATETIME, "2024-01-01T23:59:59+0200"},
        {DATE_DATETIME, "2024-01-01T23:59:59+14:01"},
        {DATE_DATETIME, "2024-01-01T23:59:59+15:00"},
        {DATE_DATETIME, "2024-01T23:59:59Z"},
        {DATE_INSTANT, "2024"},
        {DATE_INSTANT, "2024-01"},
        {DATE_INSTANT, "2024-01-01"},
        {DATE_INSTANT, "2024-01-01T00:00:00"},
        {DATE_SEARCH, "2024-01-01T10"},
        {DATE_SEARCH, "2024-01-01T10:"},
        {DATE_SEARCH, "2024-01-01T10:00:00.000000000000000000000000000000000000000000000000Z"},
        {DATE_SEARCH, "2024-01-01 10:00"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct date d;
        struct err err;
        if (date_parse(bad[i].kind, str_c(bad[i].text), 0, &d, &err) != ERR_VALUE)
            fail_msg("\"%s\" was accepted", bad[i].text);
        assert_non_null(strstr(err.text, "is not a"));
    }
    assert_int_equal(date_parse(DATE_DATE, STR_NULL, 0, &(struct date){0}, NULL), ERR_VALUE);
}

static void times(void **state)
{
    int64_t from, to;
    struct err err;

    (void)state;
    assert_int_equal(time_parse(STR("00:00:00"), &from, &to, &err), 0);
    assert_int_equal(from, 0);
    assert_int_equal(to, 1000);
    assert_int_equal(time_parse(STR("23:59:59.75"), &from, &to, &err), 0);
    assert_int_equal(from, 86399750);
    assert_int_equal(to, 86399760);
    assert_int_equal(time_parse(STR("24:00:00"), &from, &to, &err), ERR_VALUE);
    assert_int_equal(time_parse(STR("12:00"), &from, &to, &err), ERR_VALUE);
    assert_int_equal(time_parse(STR("12:00:00Z"), &from, &to, &err), ERR_VALUE);
}

static void offsets(void **state)
{
    static const struct {
        const char *text;
        int minutes;
    } good[] = {{"Z", 0},         {"UTC", 0},      {"+03:00", 180},
                {"-09:30", -570}, {"+14:00", 840}, {"-00:00", 0}};
    static const char *const bad[] = {
        "",    "3",  "+3",  "+03",   "03:00", "+15:00", "+14:30", "+03:60", "Africa/Nairobi",
        "utc", "Z ", "EST", " 03:00"};
    struct err err;
    int minutes;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(tz_parse(str_c(good[i].text), &minutes, &err), 0);
        assert_int_equal(minutes, good[i].minutes);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(tz_parse(str_c(bad[i]), &minutes, &err), ERR_VALUE);
}

/* Every instant that the clock writes is read back; every text that is read contains its start. */
static void instants_come_back(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 5);
    for (int i = 0; i < 100000; i++) {
        int64_t ms = (int64_t)rng_below(&r, (uint64_t)clock_days(9999, 1, 1) * 2 * 86400000) -
                     clock_days(9999, 1, 1) * 86400000;
        char text[CLOCK_INSTANT_MAX];
        struct date d, day;
        struct err err;

        if (ms < clock_days(1, 1, 2) * 86400000)
            continue;
        clock_format(ms, text);
        assert_int_equal(date_parse(DATE_INSTANT, str_c(text), 0, &d, &err), 0);
        assert_int_equal(d.from_ms, ms);
        assert_int_equal(d.to_ms, ms + 1);
        for (size_t n = 4; n <= 10; n += 3) {
            assert_int_equal(date_parse(DATE_SEARCH, str_n(text, n), 0, &day, &err), 0);
            assert_true(day.from_ms <= ms && ms < day.to_ms);
        }
    }
}

static void random_bytes_do_no_harm(void **state)
{
    static const char alphabet[] = "0123456789-:T.Z+ ";
    struct rng r;

    (void)state;
    rng_seed(&r, 6);
    for (int i = 0; i < 100000; i++) {
        char text[] = "2024-05-06T07:08:09.123+02:00";
        size_t n = rng_below(&r, sizeof text);
        struct date d;
        int64_t from, to;

        for (int j = 0; j < 2; j++)
            text[rng_below(&r, sizeof text - 1)] = alphabet[rng_below(&r, sizeof alphabet - 1)];
        if (date_parse((enum date_kind)rng_below(&r, 4), str_n(text, n), 0, &d, NULL) == 0)
            assert_true(d.from_ms < d.to_ms);
        if (time_parse(str_n(text + 11, n > 11 ? n - 11 : 0), &from, &to, NULL) == 0)
            assert_true(from < to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),
        cmocka_unit_test(last_year_ends),
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(times),
        cmocka_unit_test(offsets),
        cmocka_unit_test(instants_come_back),
        cmocka_unit_test(random_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
