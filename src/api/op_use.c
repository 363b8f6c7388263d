/* op_use.c - /carnet/$use: how much the facilities of a place write down, week by week; how many of
 * them did; and how long after the day what programmes count was recorded.
 */
#include "api/country.h"
#include "coverage/disclose.h"

#include "base/clock.h"

struct use {
    uint64_t visits[COUNT_WEEKS], delays[COUNT_DELAYS];
    unsigned facilities, reporting[COUNT_WEEKS]; /* facilities with a visit in the week */
};

static void add_site(const struct count *n, size_t site, struct use *to)
{
    bool is_facility = site && n->places[n->place_of[site]].is_facility;

    to->facilities += is_facility;
    for (size_t w = 0; w < COUNT_WEEKS; w++) {
        uint32_t visits = n->visits[site * COUNT_WEEKS + w];

        to->visits[w] += visits;
        to->reporting[w] += is_facility && visits;
    }
    for (size_t i = 0; i < COUNT_DELAYS; i++)
        to->delays[i] += n->delays[site * COUNT_DELAYS + i];
}

/* "2026-W07": of a Monday. */
static void put_week(struct sb *out, int32_t monday)
{
    int y, m, d;

    clock_civil(monday + 3, &y, &m, &d); /* the year of a week is that of its Thursday */
    sb_fmt(out, "\"%04d-W%02d\"", y, (monday + 3 - (int)clock_days(y, 1, 1)) / 7 + 1);
}

static void put_use(struct sb *out, const struct use *u)
{
    sb_fmt(out, "\"facilities\":%u,\"visits\":[", u->facilities);
    for (size_t w = 0; w < COUNT_WEEKS; w++) {
        sb_str(out, w ? STR(",") : STR(""));
        disclose_write(out, u->visits[w]);
    }
    sb_lit(out, "],\"reporting\":[");
    for (size_t w = 0; w < COUNT_WEEKS; w++)
        sb_fmt(out, w ? ",%u" : "%u", u->reporting[w]);
    sb_lit(out, "],\"delays\":[");
    for (size_t i = 0; i < COUNT_DELAYS; i++) {
        sb_str(out, i ? STR(",") : STR(""));
        disclose_write(out, u->delays[i]);
    }
    sb_char(out, ']');
}

static int answer(const struct country *q)
{
    const struct count *n = q->count;
    struct use *uses = ARENA_ARRAY(q->c->a, struct use, q->n_parts + 1), all = {.facilities = 0};
    struct sb *out = &q->c->out;

    if (!uses)
        return err_no_memory(&q->c->err);
    for (size_t site = 0; site < n->n_sites; site++)
        if (q->within[site] != NAMES_NONE) {
            add_site(n, site, &all);
            add_site(n, site, &uses[q->within[site]]);
        }
    sb_char(out, '{');
    country_about(q);
    sb_fmt(out, ",\"delayDays\":[%d,%d,%d],\"weeks\":[", count_delays[0], count_delays[1],
           count_delays[2]);
    for (int w = 0; w < COUNT_WEEKS && n->today != DAY_NONE; w++) {
        sb_str(out, w ? STR(",") : STR(""));
        put_week(out, n->first_week + 7 * w);
    }
    sb_lit(out, "],");
    put_use(out, &all);
    sb_lit(out, ",\"parts\":[");
    for (size_t i = 0; i < q->n_parts; i++) {
        sb_str(out, i ? STR(",{") : STR("{"));
        country_part(q, i);
        sb_char(out, ',');
        put_use(out, &uses[i]);
        sb_char(out, '}');
    }
    sb_lit(out, "]}");
    q->c->type_out = STR("application/json");
    q->c->status = 200;
    return sb_ok(out, &q->c->err);
}

int op_use(struct call *c, struct store_txn *txn)
{
    struct country q;
    int r = country_begin(c, "location", &q);

    (void)txn;
    return r < 0 ? r : answer(&q);
}
