/* Signals, what they are of, how late they come, and false discoveries by hand. */
#include "../test.h"

#include "surveillance/backtest.h"

#include <math.h>

#define WEEKS 10

static int64_t days[WEEKS + 1];
static struct detect_point points[WEEKS];
static struct backtest b;
static struct err err;

static void begin(const char *alarms, int quiet, struct backtest_outbreak *outbreaks, size_t n)
{
    for (int i = 0; i <= WEEKS; i++)
        days[i] = 1000 + 7 * i;
    for (int i = 0; i < WEEKS; i++)
        points[i] = (struct detect_point){.alarm = alarms[i] == '!',
                                          .note.code = alarms[i] == '?' ? NOTE_HISTORY : NOTE_NONE};
    backtest_init(&b, days, WEEKS, quiet, outbreaks, n);
}

static void told(void *ctx, size_t first, size_t alarms, bool is_true)
{
    struct sb *out = ctx;

    sb_fmt(out, "%zu+%zu%s ", first, alarms, is_true ? "" : "-");
}

static void check(struct str disease, struct str place, const char *want)
{
    _cleanup_(sb_done) struct sb out = sb_make(KIB(1));

    backtest_series(&b, disease, place, points, told, &out);
    sb_char(&out, '\0');
    assert_string_equal(out.p, want);
}

static void signals(void **state)
{
    struct backtest_outbreak all[] = {
        {.disease = STR("flu"), .place = STR("n"), .from = 1009, .to = 1020},
        {.disease = STR("flu"), .from = 1060, .to = 1066},
        {.disease = STR("pox"), .from = 0, .to = 9999},
    };
    double median;
    size_t n;

    (void)state;
    /* An alarm 14 days after another goes on with it; 21 days after, it is another. */
    begin("?.!.!..!..", 14, all, ARRAY_LEN(all));
    check(STR("flu"), STR("n"), "2+2 7+1- ");
    assert_int_equal(b.n_judged, 9);
    assert_int_equal(b.n_unjudged, 1);
    assert_int_equal(b.n_signals, 2);
    assert_int_equal(b.n_false, 1);
    /* On the last day of the week from 1014 on. */
    assert_int_equal(all[0].found, 1020);
    assert_int_equal(all[1].found, INT64_MIN);
    assert_int_equal(backtest_found(&b, &n, &median, &err), 0);
    assert_int_equal(n, 1);
    assert_true(median == 11);
    assert_true(fabs(backtest_false_a_week(&b) - 0.1) < 1e-12);
    /* Of another place; of none that is known, which may be it; of the whole country. */
    check(STR("flu"), STR("s"), "2+2- 7+1- ");
    check(STR("flu"), STR_NULL, "2+2 7+1- ");
    assert_int_equal(b.n_signals, 6);
    /* An earlier alarm of another series finds it earlier. */
    begin(".!......!.", 14, all, ARRAY_LEN(all));
    check(STR("flu"), STR("n"), "1+1 8+1 ");
    assert_int_equal(all[0].found, 1013);
    assert_int_equal(all[1].found, 1062);
    assert_int_equal(backtest_found(&b, &n, &median, &err), 0);
    assert_true(n == 2 && median == 3);
    begin("..........", 14, NULL, 0);
    check(STR("flu"), STR("n"), "");
    assert_int_equal(backtest_found(&b, &n, &median, &err), 0);
    assert_true(n == 0 && isnan(median));
}

/* The fifteen p-values of Benjamini and Hochberg (1995), section 3.2: at .05 four are discoveries.
 */
static void discoveries(void **state)
{
    static const double p[] = {.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344,
                               .0459, .3240, .4262, .5719, .6528, .7590, 1.0};
    struct detect_point all[2 * ARRAY_LEN(p)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        all[2 * i] = (struct detect_point){.p = p[ARRAY_LEN(p) - 1 - i]};
        all[2 * i + 1] = (struct detect_point){.p = NAN, .alarm = true};
    }
    assert_int_equal(backtest_discover(all, ARRAY_LEN(p), 2, .05, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        assert_int_equal(all[2 * i].alarm, i >= ARRAY_LEN(p) - 4);
        assert_false(all[2 * i + 1].alarm);
    }
    for (size_t i = 0; i < 2 * ARRAY_LEN(p); i++)
        all[i].p = NAN;
    assert_int_equal(backtest_discover(all, ARRAY_LEN(p), 2, .05, &err), ERR_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signals), cmocka_unit_test(discoveries)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
