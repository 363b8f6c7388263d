#include "surveillance/tally.h"

#include "base/clock.h"
#include "surveillance/table.h"

#include <stdlib.h>

#define SEXES 4

/* ---- periods ---- */

/* 1970-01-01 was a Thursday. */
static int32_t week_of(int32_t day, unsigned start)
{
    int32_t since = day + 3 - (int32_t)start;

    return (since - (since < 0 ? 6 : 0)) / 7;
}

static int32_t week_day(int32_t week, unsigned start)
{
    return week * 7 - 3 + (int32_t)start;
}

static int32_t period_of(const struct tally_question *q, int32_t day)
{
    int year, month, of_month;

    if (q->period == TALLY_DAYS)
        return day;
    if (q->period == TALLY_WEEKS)
        return week_of(day, q->week_start);
    clock_civil(day, &year, &month, &of_month);
    return year * 12 + month - 1;
}

static void put_period(const struct tally *t, int32_t period, struct sb *out)
{
    int year, month, day;

    if (t->q.period == TALLY_WEEKS && !t->q.week_start) {
        table_put_week(week_day(period, 0), out);
        return;
    }
    if (t->q.period == TALLY_MONTHS) {
        sb_fmt(out, "%04d-%02d-01", period / 12, period % 12 + 1);
        return;
    }
    if (t->q.period == TALLY_WEEKS)
        period = week_day(period, t->q.week_start);
    clock_civil(period, &year, &month, &day);
    sb_fmt(out, "%04d-%02d-%02d", year, month, day);
}

/* ---- strata ---- */

/* The last group is of those whose age is not known. */
static size_t age_group(const struct tally *t, const struct person *p, int32_t day)
{
    size_t group = 0;
    unsigned years;

    if (!t->q.by_age)
        return 0;
    if (p->born == DAY_UNKNOWN || p->born > day)
        return t->q.n_ages + 1;
    years = records_months(p->born, day) / 12;
    while (group < t->q.n_ages && years >= t->q.ages[group])
        group++;
    return group;
}

static void put_age(const struct tally *t, size_t group, struct sb *out)
{
    if (group > t->q.n_ages)
        sb_lit(out, "unknown");
    else if (group == t->q.n_ages)
        sb_fmt(out, "%u+", group ? t->q.ages[group - 1] : 0);
    else
        sb_fmt(out, "%u-%u", group ? t->q.ages[group - 1] : 0, t->q.ages[group] - 1);
}

static size_t sex_group(const struct tally *t, const struct person *p)
{
    static const size_t groups[SEXES] = {
        [SEX_FEMALE] = 0, [SEX_MALE] = 1, [SEX_OTHER] = 2, [SEX_UNKNOWN] = 3};

    return t->q.by_sex ? groups[p->sex] : 0;
}

/* The last place is the one that is not known. */
static size_t place_index(const struct tally *t, const struct found_case *c)
{
    if (!t->place_at)
        return 0;
    return case_place(c, t->q.at) == NOT_THERE ? t->n_places - 1
                                               : t->place_at[case_place(c, t->q.at)];
}

static int by_id(const void *a, const void *b, void *ctx)
{
    const struct records *r = ctx;

    return str_cmp(r->places[*(const uint32_t *)a].id, r->places[*(const uint32_t *)b].id);
}

/* In the order of their ids, so that the order of the records does not show. */
static int find_places(struct tally *t, struct arena *a, struct err *err)
{
    const struct records *r = t->records;
    size_t n = r->place_ids.n;

    t->n_places = 1;
    if (!t->q.level.p)
        return 0;
    t->places = ARENA_ARRAY(a, uint32_t, n + 1);
    t->place_at = ARENA_ARRAY(a, uint32_t, n);
    if (!t->places || !t->place_at)
        return err_no_memory(err);
    t->n_places = 0;
    for (uint32_t i = 0; i < n; i++)
        if (str_eq_nocase(r->places[i].level, t->q.level) &&
            (t->within == NOT_THERE || records_is_within(r, i, t->within)))
            t->places[t->n_places++] = i;
    qsort_r(t->places, t->n_places, sizeof *t->places, by_id, (void *)r);
    for (uint32_t i = 0; i < t->n_places; i++)
        t->place_at[t->places[i]] = i;
    if (!t->n_places)
        return err_set(err, ERR_VALUE, "no Location has the type \"%.*s\"", STR_ARG(t->q.level));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = records_place_at(r, i, t->q.level);
        if (at != i)
            t->place_at[i] = at == NOT_THERE ? (uint32_t)t->n_places : t->place_at[at];
    }
    t->places[t->n_places++] = NOT_THERE;
    return 0;
}

static int find_periods(struct tally *t, struct err *err)
{
    const struct records *r = t->records;

    if (t->q.from == DAY_UNKNOWN)
        t->q.from = r->first;
    if (t->q.to == DAY_UNKNOWN)
        t->q.to = r->last;
    if (t->q.from == DAY_UNKNOWN || t->q.to == DAY_UNKNOWN)
        return err_set(err, ERR_VALUE, "there are no visits and no cases, so no days to count");
    if (t->q.to < t->q.from)
        return err_set(err, ERR_VALUE, "the last day to count lies before the first");
    t->first = period_of(&t->q, t->q.from);
    t->n_periods = (size_t)(period_of(&t->q, t->q.to) - t->first) + 1;
    return 0;
}

/* ---- counting ---- */

static bool is_asked(const struct tally *t, const struct found_case *c, size_t *ret_disease)
{
    size_t i = 0;

    while (i < t->q.n_diseases && t->q.diseases[i] != c->disease)
        i++;
    *ret_disease = i;
    return i < t->q.n_diseases && (!t->q.deaths || c->is_fatal) &&
           (t->q.class == CASE_NONE ? c->class != CASE_DISCARDED : c->class == t->q.class);
}

static void count(struct tally *t, const struct found_case *c)
{
    const struct person *p = &t->records->people[c->person];
    bool is_other;
    int32_t day = case_day(c, t->q.by, &is_other);
    size_t disease, place, cell;

    if (!is_asked(t, c, &disease) ||
        (t->within != NOT_THERE &&
         !records_is_within(t->records, case_place(c, t->q.at), t->within)))
        return;
    if (day < t->q.from || day > t->q.to) {
        t->n_outside++;
        return;
    }
    place = place_index(t, c);
    cell = ((disease * t->n_places + place) * t->n_ages + age_group(t, p, day)) * t->n_sexes +
           sex_group(t, p);
    t->counts[cell * t->n_periods + (size_t)(period_of(&t->q, day) - t->first)]++;
    t->n_cases++;
    t->n_confirmed += c->class == CASE_CONFIRMED;
    t->n_other_date += is_other;
    t->n_placeless += t->q.level.p && place + 1 == t->n_places;
}

int tally_make(const struct records *r, const struct cases *cases, const struct tally_question *q,
               struct arena *a, struct tally *ret, struct err *err)
{
    struct tally t = {.records = r, .q = *q, .n_ages = 1, .n_sexes = 1, .within = NOT_THERE};
    uint64_t strata, rows;
    int wrong;

    if (q->location.p && (wrong = records_place(r, q->location, &t.within, err)) < 0)
        return wrong;
    if ((wrong = find_places(&t, a, err)) < 0 || (wrong = find_periods(&t, err)) < 0)
        return wrong;
    if (q->by_age)
        t.n_ages = q->n_ages + 2;
    if (q->by_sex)
        t.n_sexes = SEXES;
    strata = (uint64_t)q->n_diseases * t.n_places * t.n_ages * t.n_sexes;
    rows = strata * t.n_periods;
    if (rows > TALLY_ROWS_MAX)
        return err_set(err, ERR_TOO_LONG,
                       "that would be %llu rows, more than %d: ask for fewer diseases, places or "
                       "days",
                       (unsigned long long)rows, TALLY_ROWS_MAX);
    t.n_strata = (size_t)strata;
    t.counts = ARENA_ARRAY(a, uint32_t, (size_t)rows);
    if (!t.counts)
        return err_no_memory(err);
    for (size_t i = 0; i < cases->n; i++)
        if (cases->v[i].person != NOT_THERE)
            count(&t, &cases->v[i]);
    *ret = t;
    return 0;
}

/* ---- rows ---- */

static void put_text(struct sb *out, struct str s)
{
    sb_char(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            sb_char(out, '"');
        sb_char(out, s.p[i] == '\n' || s.p[i] == '\r' ? ' ' : s.p[i]);
    }
    sb_char(out, '"');
}

void tally_header(const struct tally *t, struct sb *out)
{
    sb_str(out, t->q.period == TALLY_WEEKS && !t->q.week_start ? STR("week,count,disease")
                                                               : STR("date,count,disease"));
    if (t->q.level.p)
        sb_lit(out, ",place,placeName");
    if (t->q.by_age)
        sb_lit(out, ",age");
    if (t->q.by_sex)
        sb_lit(out, ",sex");
    sb_char(out, '\n');
}

/* Whether anybody is counted. */
static bool has_any(const uint32_t *counts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (counts[i])
            return true;
    return false;
}

static const char *const sexes[SEXES] = {"female", "male", "other", "unknown"};

/* A stratum's place in each dimension. */
struct stratum {
    size_t disease, place, age, sex;
    const uint32_t *counts;
    bool is_placeless, has_rows;
};

static struct stratum stratum_of(const struct tally *t, size_t n)
{
    struct stratum s = {.counts = &t->counts[n * t->n_periods],
                        .sex = n % t->n_sexes,
                        .age = n / t->n_sexes % t->n_ages,
                        .place = n / t->n_sexes / t->n_ages % t->n_places,
                        .disease = n / t->n_sexes / t->n_ages / t->n_places};

    s.is_placeless = t->q.level.p && s.place + 1 == t->n_places;
    s.has_rows =
        !(s.is_placeless || s.age > t->q.n_ages || s.sex > 1) || has_any(s.counts, t->n_periods);
    return s;
}

void tally_period(const struct tally *t, size_t i, struct sb *out)
{
    put_period(t, t->first + (int32_t)i, out);
}

int64_t tally_first_day(const struct tally *t, size_t i)
{
    int64_t period = t->first + (int64_t)i;

    if (t->q.period == TALLY_WEEKS)
        return week_day((int32_t)period, t->q.week_start);
    if (t->q.period == TALLY_MONTHS)
        return clock_days((int)(period / 12), (int)(period % 12) + 1, 1);
    return period;
}

bool tally_stratum(const struct tally *t, size_t stratum, struct sb *out)
{
    struct stratum s = stratum_of(t, stratum);

    if (!s.has_rows)
        return false;
    sb_lit(out, "\"disease\":");
    sb_json(out, t->records->definitions->v[t->q.diseases[s.disease]].disease);
    if (t->q.level.p && !s.is_placeless) {
        sb_lit(out, ",\"place\":");
        sb_json(out, t->records->places[t->places[s.place]].id);
        sb_lit(out, ",\"placeName\":");
        sb_json(out, t->records->places[t->places[s.place]].name);
    } else if (t->q.level.p) {
        sb_lit(out, ",\"placeName\":\"unknown\"");
    }
    if (t->q.by_age) {
        sb_lit(out, ",\"age\":\"");
        put_age(t, s.age, out);
        sb_char(out, '"');
    }
    if (t->q.by_sex)
        sb_fmt(out, ",\"sex\":\"%s\"", sexes[s.sex]);
    return true;
}

void tally_rows(const struct tally *t, size_t stratum, struct sb *out)
{
    struct stratum s = stratum_of(t, stratum);

    for (size_t i = 0; i < t->n_periods && s.has_rows; i++) {
        put_period(t, t->first + (int32_t)i, out);
        sb_fmt(out, ",%u,", s.counts[i]);
        sb_str(out, t->records->definitions->v[t->q.diseases[s.disease]].disease);
        if (t->q.level.p) {
            sb_char(out, ',');
            if (!s.is_placeless)
                put_text(out, t->records->places[t->places[s.place]].id);
            sb_char(out, ',');
            put_text(out,
                     s.is_placeless ? STR("unknown") : t->records->places[t->places[s.place]].name);
        }
        if (t->q.by_age) {
            sb_char(out, ',');
            put_age(t, s.age, out);
        }
        if (t->q.by_sex)
            sb_fmt(out, ",%s", sexes[s.sex]);
        sb_char(out, '\n');
    }
}
