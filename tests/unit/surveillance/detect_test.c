/* Every method on awkward series, the words of notes and errors; exact numbers are held against R
 * in tests/surveillance. */
#include "../test.h"

#include "surveillance/detect.h"

#include <math.h>

#define POINTS 420
#define JUDGED 60

static double count[POINTS];
static struct series series = {POINTS, count, NULL, 52};
static struct detect_point points[POINTS];

/* A small generator of counts around `mean`. */
static void fill(double mean)
{
    uint32_t state = 12345;

    for (size_t i = 0; i < POINTS; i++) {
        state = state * 1664525 + 1013904223;
        count[i] = floor(mean * (0.5 + (double)(state >> 8) / (1 << 24)));
    }
}

static int run(const char *method, const char *set, size_t from, struct err *err)
{
    const struct method *m = detect_method(str_c(method));
    double param[DETECT_PARAMS_MAX];
    struct str rest = str_c(set), part;
    struct arena a;
    int r = 0;

    memset(err, 0, sizeof *err);
    assert_non_null(m);
    detect_defaults(m, param);
    while (r == 0 && rest.n && str_split(&rest, ',', &part)) {
        ptrdiff_t eq = str_find(part, '=');
        r = detect_set(m, str_head(part, (size_t)eq), str_from(part, (size_t)eq + 1), param, err);
    }
    arena_init(&a, MIB(64));
    if (r == 0)
        r = detect_run(m, param, &series, from, &a, points, err);
    arena_done(&a);
    return r;
}

/* No point is without a word: a threshold, or a note that says why there is none. */
static void check_points(const char *name, size_t from)
{
    for (size_t i = 0; i < POINTS - from; i++) {
        bool has = isfinite(points[i].threshold);

        if (!has && points[i].note.code == NOTE_NONE)
            fail_msg("%s point %zu has neither a threshold nor a note", name, from + i);
        if (has && points[i].threshold < 0)
            fail_msg("%s point %zu has the threshold %g", name, from + i, points[i].threshold);
        if (points[i].alarm && (isnan(count[from + i]) || !note_is_judged(points[i].note.code)))
            fail_msg("%s point %zu is an alarm without grounds", name, from + i);
        if (points[i].p < 0 || points[i].p > 1)
            fail_msg("%s point %zu has p %g", name, from + i, points[i].p);
    }
}

static void awkward_series(void **state)
{
    struct err err;

    (void)state;
    for (int kind = 0; kind < 7; kind++)
        for (size_t m = 0; m < detect_n_methods; m++) {
            const char *name = detect_methods[m].name;
            size_t from = POINTS - JUDGED;

            fill(kind == 0 ? 0 : kind == 1 ? 0.7 : kind == 2 ? 9e8 : 12);
            if (kind == 3)
                for (size_t i = 0; i < POINTS; i += 3)
                    count[i] = NAN;
            for (size_t i = 0; i < POINTS && kind == 4; i++)
                count[i] = NAN;
            for (size_t i = 0; i < POINTS && kind == 5; i++)
                count[i] = 7;
            if (kind == 6)
                count[POINTS - 1] = SERIES_COUNT_MAX;
            assert_int_equal(run(name, "", from, &err), 0);
            check_points(name, from);
            if (kind == 4)
                assert_true(points[JUDGED - 1].note.code != NOTE_NONE);
            if (kind == 0)
                for (size_t i = 0; i < JUDGED; i++)
                    assert_false(points[i].alarm);
        }
}

/* From the first point on, with the history that there is. */
static void short_history(void **state)
{
    static const struct {
        const char *method, *set;
        size_t first;
    } cases[] = {
        {"ears-c1", "", 7},
        {"ears-c2", "", 9},
        {"ears-c3", "", 11},
        {"rki1", "", 6},
        {"rki2", "", 58},
        {"rki3", "", 108},
        {"cdc", "b=3", 163},
        {"bayes3", "", 108},
        {"bayes1", "", 6},
        {"farrington", "b=3", 159},
        {"farrington-flexible", "", 263},
    };
    struct err err;

    (void)state;
    fill(12);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(run(cases[i].method, cases[i].set, 0, &err), 0);
        for (size_t t = 0; t < POINTS; t++)
            if ((points[t].note.code == NOTE_HISTORY) != (t < cases[i].first))
                fail_msg("%s: point %zu", cases[i].method, t);
    }
    assert_int_equal(run("farrington-flexible", "", 0, &err), 0);
    char text[DETECT_NOTE_TEXT_MAX];
    note_text(points[104].note, 52, text);
    assert_string_equal(text, "needs 263 weeks of history, has 104");
}

static void finds_an_outbreak(void **state)
{
    struct err err;

    (void)state;
    for (size_t m = 0; m < detect_n_methods; m++) {
        bool found = false;

        fill(12);
        for (size_t i = 0; i < 6; i++)
            count[POINTS - 1 - i] = 60 + 40 * (double)(6 - i);
        assert_int_equal(run(detect_methods[m].name, "", POINTS - JUDGED, &err), 0);
        for (size_t i = JUDGED - 6; i < JUDGED; i++)
            found = found || points[i].alarm;
        if (!found)
            fail_msg("%s does not see it", detect_methods[m].name);
    }
}

/* What a point is judged depends on the counts up to it alone: not on which points are asked for,
 * and not on later counts. */
static void range_does_not_matter(void **state)
{
    static struct detect_point all[POINTS];
    struct err err;

    (void)state;
    for (size_t m = 0; m < detect_n_methods; m++) {
        if (detect_methods[m].learns_before)
            continue;
        fill(12);
        count[200] = 90;
        assert_int_equal(run(detect_methods[m].name, "", 0, &err), 0);
        memcpy(all, points, sizeof all);
        series.n = POINTS - 10;
        assert_int_equal(run(detect_methods[m].name, "", POINTS - 20, &err), 0);
        series.n = POINTS;
        for (size_t i = 0; i < 10; i++) {
            const struct detect_point *a = &all[POINTS - 20 + i], *b = &points[i];

            if (memcmp(&a->threshold, &b->threshold, sizeof a->threshold) != 0 ||
                a->alarm != b->alarm || a->note.code != b->note.code)
                fail_msg("%s: point %zu is judged in two ways", detect_methods[m].name, i);
        }
    }
}

static void parameters(void **state)
{
    static const char *const cases[][3] = {
        {"ears-c1", "alpha=0", "alpha must be a number from 1e-09 to 0.5, not \"0\""},
        {"ears-c1", "alpha=0.7", "alpha must be a number from 1e-09 to 0.5, not \"0.7\""},
        {"ears-c1", "alpha=nan", "alpha must be a number from 1e-09 to 0.5, not \"nan\""},
        {"ears-c1", "baseline=7.5", "baseline must be a whole number from 3 to 1000, not \"7.5\""},
        {"rki1", "alpha=0.1", "rki1 has no parameter \"alpha\""},
        {"rki3", "b=0",
         "b 0 needs actY yes and w of 1 or more: there would be no reference "
         "counts"},
        {"farrington-flexible", "thresholdMethod=x",
         "thresholdMethod must be one of delta|nbPlugin|muan, not \"x\""},
        {"farrington-flexible", "w=20,noPeriods=15",
         "noPeriods 15 does not fit: a year of 52 points less a window of 41 leaves 11"},
        {"cdc", "b=1,m=0", "b 1 with m 0 leaves one reference block: two are needed"},
    };
    struct err err;

    (void)state;
    fill(12);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(run(cases[i][0], cases[i][1], POINTS - 1, &err), ERR_VALUE);
        assert_string_equal(err.text, cases[i][2]);
    }
}

/* A reference count that is not known: methods that need all of them say so, the others go on. */
static void unknown_counts(void **state)
{
    struct err err;

    (void)state;
    fill(12);
    count[POINTS - 3] = NAN;
    assert_int_equal(run("ears-c1", "", POINTS - 2, &err), 0);
    assert_int_equal(points[1].note.code, NOTE_BASELINE);
    assert_int_equal(run("ears-c3", "", POINTS - 2, &err), 0);
    assert_int_equal(points[1].note.code, NOTE_BASELINE);
    assert_int_equal(run("rki1", "", POINTS - 2, &err), 0);
    assert_int_equal(points[1].note.code, NOTE_BASELINE);
    assert_int_equal(run("bayes1", "", POINTS - 2, &err), 0);
    assert_int_equal(points[1].note.code, NOTE_NONE);
    assert_int_equal(run("bayes1", "", POINTS - 3, &err), 0);
    assert_int_equal(points[0].note.code, NOTE_UNKNOWN);
    assert_true(isfinite(points[0].threshold));
    assert_false(points[0].alarm);
}

static void ends_at_the_arena(void **state)
{
    struct err err;

    (void)state;
    fill(12);
    for (size_t m = 0; m < detect_n_methods; m++)
        for (size_t limit = 0; limit < MIB(4); limit = limit * 2 + 100) {
            double param[DETECT_PARAMS_MAX];
            struct arena a;
            int r;

            arena_init(&a, limit);
            detect_defaults(&detect_methods[m], param);
            r = detect_run(&detect_methods[m], param, &series, POINTS - 5, &a, points, &err);
            assert_true(r == 0 || (r == ERR_NO_MEMORY && limit < MIB(2)));
            arena_done(&a);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(awkward_series),        cmocka_unit_test(short_history),
        cmocka_unit_test(finds_an_outbreak),     cmocka_unit_test(parameters),
        cmocka_unit_test(range_does_not_matter), cmocka_unit_test(unknown_counts),
        cmocka_unit_test(ends_at_the_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
