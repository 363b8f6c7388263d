/* table.c - any CSV of counts: refused with a line, or series in which every row has its place and
 * which a detector can judge. */
#include "fuzz.h"
#include "surveillance/table.h"

#include <math.h>

#define JUDGED_POINTS_MAX 2000 /* longer series are read, not judged: the fuzzer's time is short   \
                                */

static void judge(const struct series *s)
{
    static struct detect_point points[JUDGED_POINTS_MAX];
    const struct method *m = detect_method(STR("farrington-flexible"));
    double param[DETECT_PARAMS_MAX];
    struct arena a;
    struct err err;

    arena_init(&a, MIB(8));
    detect_defaults(m, param);
    if (s->points_a_year == 52) {
        FUZZ_HOLDS(detect_run(m, param, s, 0, &a, points, &err) == 0);
        for (size_t i = 0; i < s->n; i++)
            FUZZ_HOLDS(isfinite(points[i].threshold) || points[i].note.code != NOTE_NONE);
    }
    arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str fields[TABLE_COLUMNS_MAX];
    struct table t;
    struct arena a;
    struct err err;

    arena_init(&a, MIB(64));
    if (table_read(&a, str_n((const char *)data, size), &t, &err) == 0) {
        for (size_t i = 0; i < t.n_rows; i++) {
            const struct series *s = &t.strata[t.rows[i].stratum].series;
            double count = t.rows[i].count;

            FUZZ_HOLDS(t.rows[i].point < s->n && s->n <= SERIES_POINTS_MAX);
            FUZZ_HOLDS(isnan(count) ? isnan(s->count[t.rows[i].point])
                                    : s->count[t.rows[i].point] == count);
            FUZZ_HOLDS(table_fields(&a, &t, &t.rows[i], fields));
        }
        if (t.strata[0].series.n <= JUDGED_POINTS_MAX)
            judge(&t.strata[0].series);
    } else {
        FUZZ_HOLDS(err.code < 0 && err.text[0]);
    }
    arena_done(&a);
    return 0;
}
