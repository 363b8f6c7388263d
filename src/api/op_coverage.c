/* op_coverage.c - /carnet/$coverage: how far programmes reach, of a place: all indicators with what
 * they were month by month, or one of them by the parts of the place, by sex and by age.
 */
#include "api/country.h"
#include "coverage/disclose.h"

#include "base/clock.h"

static const char *const sexes[COUNT_SEXES] = {"female", "male", "other"};

/* "0", "1-4", "50+": whole years. */
static void put_age(struct sb *out, size_t group)
{
    unsigned from = group ? count_ages[group - 1] : 0;

    if (group == COUNT_AGES - 1)
        sb_fmt(out, "\"%u+\"", from);
    else if (count_ages[group] == from + 1)
        sb_fmt(out, "\"%u\"", from);
    else
        sb_fmt(out, "\"%u-%u\"", from, count_ages[group] - 1);
}

static void put_month(struct sb *out, int32_t day)
{
    int y, m, d;

    clock_civil(day, &y, &m, &d);
    sb_fmt(out, "\"%04d-%02d\"", y, m);
}

static void add(struct count_cell *to, struct count_cell more)
{
    to->of += more.of;
    to->with += more.with;
}

/* Members of an object, without braces. */
static void put_cell(struct sb *out, struct count_cell cell)
{
    int step = 0, percent = disclose_percent(cell.of, cell.with, &step);

    sb_lit(out, "\"of\":");
    disclose_write(out, cell.of);
    sb_lit(out, ",\"with\":");
    disclose_write(out, cell.with);
    if (percent < 0)
        sb_lit(out, ",\"percent\":null");
    else
        sb_fmt(out, ",\"percent\":%d,\"step\":%d", percent, step);
}

/* ---- sums over what was asked for ---- */

static struct count_cell month_of(const struct country *q, size_t indicator, int month)
{
    const struct count *n = q->count;
    struct count_cell sum = {0, 0};

    for (size_t site = 0; site < n->n_sites; site++)
        if (q->within[site] != NAMES_NONE)
            add(&sum, n->months[(indicator * n->n_sites + site) * COUNT_MONTHS + (size_t)month]);
    return sum;
}

static void put_trend(const struct country *q, size_t indicator)
{
    struct sb *out = &q->c->out;

    sb_lit(out, ",\"trend\":[");
    for (int m = 0; m < COUNT_MONTHS; m++) {
        sb_str(out, m ? STR(",{\"month\":") : STR("{\"month\":"));
        put_month(out, q->count->month_ends[m]);
        sb_char(out, ',');
        put_cell(out, month_of(q, indicator, m));
        sb_char(out, '}');
    }
    sb_char(out, ']');
}

static void put_indicator(const struct country *q, size_t i)
{
    const struct indicator *ind = &q->count->set->v[i];
    struct sb *out = &q->c->out;

    sb_lit(out, "{\"id\":");
    sb_json(out, ind->id);
    sb_lit(out, ",\"programme\":");
    sb_json(out, ind->programme);
    sb_lit(out, ",\"title\":");
    sb_json(out, ind->title);
    sb_lit(out, ",\"source\":");
    sb_json(out, ind->source);
    sb_char(out, ',');
    put_cell(out, month_of(q, i, COUNT_MONTHS - 1));
    put_trend(q, i);
}

/* Everybody who is registered, by sex and age. */
static void put_people(const struct country *q)
{
    const struct count *n = q->count;
    uint64_t by[COUNT_SEXES][COUNT_AGES] = {{0}}, all = 0;
    struct sb *out = &q->c->out;

    for (size_t site = 0; site < n->n_sites; site++)
        for (size_t s = 0; s < COUNT_SEXES && q->within[site] != NAMES_NONE; s++)
            for (size_t g = 0; g < COUNT_AGES; g++)
                by[s][g] += n->people[(site * COUNT_SEXES + s) * COUNT_AGES + g];
    for (size_t s = 0; s < COUNT_SEXES; s++)
        for (size_t g = 0; g < COUNT_AGES; g++)
            all += by[s][g];
    sb_lit(out, ",\"people\":");
    disclose_write(out, all);
    sb_lit(out, ",\"ages\":[");
    for (size_t g = 0; g < COUNT_AGES; g++) {
        sb_str(out, g ? STR(",") : STR(""));
        put_age(out, g);
    }
    sb_lit(out, "],\"population\":{");
    for (size_t s = 0; s < COUNT_SEXES; s++) {
        sb_fmt(out, s ? ",\"%s\":[" : "\"%s\":[", sexes[s]);
        for (size_t g = 0; g < COUNT_AGES; g++) {
            sb_str(out, g ? STR(",") : STR(""));
            disclose_write(out, by[s][g]);
        }
        sb_char(out, ']');
    }
    sb_char(out, '}');
}

/* The places right below, and how many people are registered in each. */
static int put_parts(const struct country *q)
{
    const struct count *n = q->count;
    uint64_t *people = ARENA_ARRAY(q->c->a, uint64_t, q->n_parts + 1);
    struct sb *out = &q->c->out;

    if (!people)
        return err_no_memory(&q->c->err);
    for (size_t site = 0; site < n->n_sites; site++)
        for (size_t i = 0; i < COUNT_SEXES * COUNT_AGES && q->within[site] != NAMES_NONE; i++)
            people[q->within[site]] += n->people[site * COUNT_SEXES * COUNT_AGES + i];
    sb_lit(out, ",\"parts\":[");
    for (size_t i = 0; i <= q->n_parts; i++) {
        if (i == q->n_parts && (!people[i] || !q->n_parts))
            break;
        sb_str(out, i ? STR(",{") : STR("{"));
        country_part(q, i);
        sb_lit(out, ",\"people\":");
        disclose_write(out, people[i]);
        sb_char(out, '}');
    }
    sb_char(out, ']');
    return 0;
}

/* ---- one indicator ---- */

static int put_by_part(const struct country *q, size_t indicator)
{
    const struct count *n = q->count;
    struct count_cell *sums = ARENA_ARRAY(q->c->a, struct count_cell, q->n_parts + 1);
    struct sb *out = &q->c->out;

    if (!sums)
        return err_no_memory(&q->c->err);
    for (size_t site = 0; site < n->n_sites; site++)
        if (q->within[site] != NAMES_NONE)
            add(&sums[q->within[site]],
                n->months[(indicator * n->n_sites + site) * COUNT_MONTHS + COUNT_MONTHS - 1]);
    sb_lit(out, ",\"parts\":[");
    for (size_t i = 0; i <= q->n_parts; i++) {
        if (i == q->n_parts && (!sums[i].of || !q->n_parts))
            break;
        sb_str(out, i ? STR(",{") : STR("{"));
        country_part(q, i);
        sb_char(out, ',');
        put_cell(out, sums[i]);
        sb_char(out, '}');
    }
    sb_char(out, ']');
    return 0;
}

static void put_by_people(const struct country *q, size_t indicator)
{
    const struct count *n = q->count;
    struct count_cell by_sex[COUNT_SEXES] = {{0, 0}}, by_age[COUNT_AGES] = {{0, 0}};
    struct sb *out = &q->c->out;
    bool is_first = true;

    for (size_t site = 0; site < n->n_sites; site++)
        for (size_t s = 0; s < COUNT_SEXES && q->within[site] != NAMES_NONE; s++)
            for (size_t g = 0; g < COUNT_AGES; g++) {
                struct count_cell cell = n->now[indicator * n->n_sites + site].at[s][g];

                add(&by_sex[s], cell);
                add(&by_age[g], cell);
            }
    sb_lit(out, ",\"bySex\":[");
    for (size_t s = 0; s < COUNT_SEXES; s++) {
        if (!by_sex[s].of)
            continue;
        sb_fmt(out, is_first ? "{\"sex\":\"%s\"," : ",{\"sex\":\"%s\",", sexes[s]);
        is_first = false;
        put_cell(out, by_sex[s]);
        sb_char(out, '}');
    }
    sb_lit(out, "],\"byAge\":[");
    is_first = true;
    for (size_t g = 0; g < COUNT_AGES; g++) {
        if (!by_age[g].of)
            continue;
        sb_str(out, is_first ? STR("{\"age\":") : STR(",{\"age\":"));
        is_first = false;
        put_age(out, g);
        sb_char(out, ',');
        put_cell(out, by_age[g]);
        sb_char(out, '}');
    }
    sb_char(out, ']');
}

static int answer(const struct country *q)
{
    const struct coverage_set *set = q->count->set;
    struct str wanted = op_param_text(&q->params, "indicator");
    const struct indicator *one = wanted.n ? indicator_find(set, wanted) : NULL;
    struct sb *out = &q->c->out;
    bool is_first = true;
    int r = 0;

    if (wanted.n && !one)
        return err_set(&q->c->err, ERR_VALUE, "there is no indicator \"%.*s\"",
                       (int)MIN(wanted.n, (size_t)64), wanted.p);
    sb_char(out, '{');
    country_about(q);
    if (q->count->today != DAY_NONE) {
        put_people(q);
        r = put_parts(q);
    }
    sb_lit(out, ",\"indicators\":[");
    for (size_t i = 0; i < set->n && q->count->today != DAY_NONE && r == 0; i++) {
        if (one && one != &set->v[i])
            continue;
        sb_str(out, is_first ? STR("") : STR(","));
        is_first = false;
        put_indicator(q, i);
        if (one) {
            put_by_people(q, i);
            r = put_by_part(q, i);
        }
        sb_char(out, '}');
    }
    sb_lit(out, "]}");
    q->c->type_out = STR("application/json");
    q->c->status = 200;
    return r < 0 ? r : sb_ok(out, &q->c->err);
}

int op_coverage(struct call *c, struct store_txn *txn)
{
    struct country q;
    int r = country_begin(c, "location indicator", &q);

    (void)txn;
    return r < 0 ? r : answer(&q);
}
