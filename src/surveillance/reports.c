#include "surveillance/reports.h"

#include "surveillance/nowcast.h"

#include <inttypes.h>

static size_t usual_longest(const struct table *t)
{
    return t->points_a_year == 365 ? 28 : t->points_a_year == 12 ? 3 : 8;
}

static int find_now(struct reports *r, const char *now, struct err *err)
{
    if (now)
        return table_period(&r->table, str_c(now), &r->now, err);
    r->now = r->table.rows[0].reported;
    for (size_t i = 1; i < r->table.n_rows; i++)
        r->now = MAX(r->now, r->table.rows[i].reported);
    return 0;
}

static int make_triangles(struct arena *a, struct reports *r, struct err *err)
{
    size_t columns = r->longest + 1, total = 0;

    r->triangles = ARENA_ARRAY(a, struct triangle, r->table.n_strata);
    if (!r->triangles)
        return err_no_memory(err);
    for (size_t i = 0; i < r->table.n_strata; i++) {
        int64_t first = r->table.strata[i].first;
        int64_t n = first > r->now ? 0 : (r->now - first) / r->table.step + 1;

        if (n > NOWCAST_PERIODS_MAX || (total += (size_t)n * columns) > REPORTS_CELLS_MAX)
            return err_set(err, ERR_TOO_LONG,
                           "%" PRId64 " periods until now are too many: the bound is %d, and %d "
                           "numbers for all series",
                           n, NOWCAST_PERIODS_MAX, REPORTS_CELLS_MAX);
        r->triangles[i] =
            (struct triangle){(size_t)n, r->longest, ARENA_ARRAY(a, double, (size_t)n *columns)};
        if (!r->triangles[i].cells)
            return err_no_memory(err);
    }
    return 0;
}

static void place(struct reports *r)
{
    for (size_t i = 0; i < r->table.n_rows; i++) {
        const struct table_row *row = &r->table.rows[i];
        const struct triangle *t = &r->triangles[row->stratum];
        int64_t first = r->table.strata[row->stratum].first;
        size_t at, delay;

        if (row->reported > r->now)
            continue;
        at = (size_t)((row->period - first) / r->table.step);
        delay = (size_t)((row->reported - row->period) / r->table.step);
        r->n_late += delay > r->longest ? (size_t)row->count : 0;
        ((double *)t->cells)[at * (r->longest + 1) + MIN(delay, r->longest)] += row->count;
    }
}

int reports_read(struct arena *a, struct str text, size_t longest, const char *now,
                 struct reports *ret, struct err *err)
{
    struct reports r = {.longest = longest};
    int bad = table_read_reports(a, text, &r.table, err);

    if (bad == 0)
        bad = find_now(&r, now, err);
    if (bad != 0)
        return bad;
    if (!r.longest)
        r.longest = usual_longest(&r.table);
    bad = make_triangles(a, &r, err);
    if (bad != 0)
        return bad;
    place(&r);
    *ret = r;
    return 0;
}
