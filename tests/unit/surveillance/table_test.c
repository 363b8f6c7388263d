/* The CSV reader: what it takes, what it refuses and with which words. */
#include "../test.h"

#include "base/clock.h"
#include "surveillance/table.h"

#include <math.h>

static struct arena arena;
static struct table table;
static struct err err;

static int read_text(const char *text)
{
    arena_done(&arena);
    arena_init(&arena, MIB(16));
    memset(&err, 0, sizeof err);
    return table_read(&arena, str_c(text), &table, &err);
}

static void weeks_and_strata(void **state)
{
    struct str fields[TABLE_COLUMNS_MAX];

    (void)state;
    /* Out of order, a week 53, a gap, a quoted field, CR LF, no end of line at the end. */
    assert_int_equal(read_text("\xef\xbb\xbfweek,count,district\r\n"
                               "2021-W01,4,\"North, upper\"\r\n"
                               "2020-W52,2,\"North, upper\"\r\n"
                               "2020-W53,,\"North, upper\"\n"
                               "\n"
                               "2021-W02,7,South\n"
                               "2021-W04,NA,South\n"
                               "2021-W05,0,South"),
                     0);
    assert_int_equal(table.n_rows, 6);
    assert_int_equal(table.n_strata, 2);
    assert_int_equal(table.n_missing, 1);
    assert_int_equal(table.strata[0].series.n, 3);
    assert_int_equal(table.strata[0].series.points_a_year, 52);
    assert_true(table.strata[0].series.count[0] == 2);
    assert_true(isnan(table.strata[0].series.count[1]));
    assert_true(table.strata[0].series.count[2] == 4);
    assert_int_equal(table.strata[0].series.day[1], clock_days(2020, 12, 28));
    assert_int_equal(table.strata[1].series.n, 4);
    assert_true(isnan(table.strata[1].series.count[1]));
    assert_true(isnan(table.strata[1].series.count[2]));
    assert_int_equal(table.rows[0].point, 2);
    assert_int_equal(table.rows[5].line, 8);
    assert_str(table.rows[1].text, STR("2020-W52,2,\"North, upper\""));
    assert_true(table_fields(&arena, &table, &table.rows[1], fields));
    assert_str(fields[2], STR("North, upper"));
}

static void steps(void **state)
{
    (void)state;
    assert_int_equal(read_text("date,count\n2024-01-03,1\n2024-01-10,2\n2024-01-24,3\n"), 0);
    assert_int_equal(table.strata[0].series.points_a_year, 52);
    assert_int_equal(table.strata[0].series.n, 4);
    assert_int_equal(read_text("date,count\n2024-02-28,1\n2024-02-29,2\n2024-03-01,3\n"), 0);
    assert_int_equal(table.strata[0].series.points_a_year, 365);
    assert_int_equal(table.strata[0].series.n, 3);
    assert_int_equal(read_text("date,count\n2023-12-01,1\n2024-01-01,2\n2024-04-01,3\n"), 0);
    assert_int_equal(table.strata[0].series.points_a_year, 12);
    assert_int_equal(table.strata[0].series.n, 5);
    assert_int_equal(table.strata[0].series.day[4], clock_days(2024, 4, 1));
    assert_int_equal(read_text("week,count\n12,1\n10,2\n"), 0);
    assert_int_equal(table.strata[0].series.points_a_year, 52);
    assert_null(table.strata[0].series.day);
    assert_int_equal(table.strata[0].series.n, 3);
}

static void refuses(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *says;
    } cases[] = {
        {"", ERR_SYNTAX, "the file is empty: its first line must name the columns"},
        {"week,cases\n", ERR_SYNTAX,
         "line 1 must name the columns: date,count or week,count, then the strata"},
        {"week,count\n", ERR_SYNTAX, "there is no row behind the first line"},
        {"week,count\n2024-W05,3\n2024-W06,-2\n", ERR_VALUE, "line 3: the count is negative: -2"},
        {"week,count\n2024-W05,3.5\n", ERR_VALUE,
         "line 2: the count must be a whole number from 0 to 1000000000, or empty, not \"3.5\""},
        {"week,count\n2024-W05,1000000001\n", ERR_VALUE,
         "line 2: the count must be a whole number from 0 to 1000000000, or empty, not "
         "\"1000000001\""},
        {"week,count\n2023-W53,1\n", ERR_VALUE,
         "line 2: \"2023-W53\" is not an ISO week that exists, such as 2024-W05"},
        {"date,count\n2023-02-29,1\n", ERR_VALUE,
         "line 2: \"2023-02-29\" is not a date from 1800 to 2200, such as 2024-01-29"},
        {"week,count\n5,1\n2024-W05,1\n", ERR_VALUE,
         "line 3: \"2024-W05\" is not a whole number, as in the rows before"},
        {"week,count\n2024-W05,1\n2024-W06,1\n2024-W05,1\n", ERR_DUPLICATE,
         "line 4: the period was given in line 2 already"},
        {"week,count,place\n2024-W05,1\n", ERR_SYNTAX, "line 2 has 2 fields, the first line 3"},
        {"week,count,place\n2024-W05,1,\"A\n", ERR_SYNTAX, "line 2: a quote is not closed"},
        {"week,count,place\n2024-W05,1,\"A\"b\n", ERR_SYNTAX,
         "line 2: a closing quote is followed by text"},
        {"week,count,place\n2024-W05,1,A\"b\n", ERR_SYNTAX,
         "line 2: a quote in a field that has none around"},
        {"week,count,place\n2024-W05,1,A\x01\n", ERR_SYNTAX, "line 2 has a control character"},
        {"week,count,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o\n", ERR_TOO_LONG,
         "line 1 has more than 16 columns"},
        {"date,count\n2024-01-01,1\n2024-01-02,1\n2024-06-01,1\n", ERR_VALUE,
         "the dates are neither of one weekday nor daily: 3 dates in 153 days"},
        {"week,count\n1,1\n900000000,1\n", ERR_TOO_LONG,
         "a series of 900000000 points is too long: the bound is 40000, and 8000000 for all"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(read_text(cases[i].text), cases[i].code);
        assert_string_equal(err.text, cases[i].says);
    }
}

static void ends_at_the_arena(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < KIB(64); limit += 1000) {
        struct arena small;

        arena_init(&small, limit);
        memset(&err, 0, sizeof err);
        int r = table_read(&small, STR("week,count,a\n1,2,\"x\"\"\"\n2,2,y\n"), &table, &err);
        assert_true(r == 0 || r == ERR_NO_MEMORY);
        assert_true(limit > 0 || r == ERR_NO_MEMORY);
        arena_done(&small);
    }
}

static int end(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weeks_and_strata),
        cmocka_unit_test(steps),
        cmocka_unit_test(refuses),
        cmocka_unit_test(ends_at_the_arena),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
