/* outbreak.c - named outbreaks at known places and weeks, and the truth about them.
 *
 * Who is infected is decided while the household is planned: first from outside, by the outbreak's
 * curve and the person's age, then by each other within the household (the secondary attack).
 * Every injected case is seen in a facility within the window, so the truth can be counted again.
 */
#include "synth/illness.h"

#include "base/clock.h"

#define CASES_AIM 18 /* a small district's outbreak still has about so many */
#define ATTACK_MAX_PPM 400000
#define DISTRICTS_PER_OUTBREAK 2
#define WEEKS_PER_OUTBREAK 13
#define OUTBREAKS_MIN 4

struct outbreak_kind {
    const char *name;
    struct illness illness;
    uint32_t attack_ppm[AGE_GROUPS];
    unsigned weeks_min, weeks_max;
    uint32_t household_ppm; /* secondary attack on each other member */
    int serial_days;
    unsigned admit_permille, fatal_permille;
    bool vaccine_protects;
};

/* clang-format off */
static const struct outbreak_kind kinds[] = {
    {"Measles", {ICD_MEASLES, true, CODE_NONE, NULL, 0,
                 {{ATC_VITAMIN_A, "one dose for the age on two days", 2}}},
     {22000, 26000, 14000, 1800, 100}, 10, 16, 420000, 11, 150, 18, true},
    {"Cholera", {ICD_CHOLERA, false, LN_STOOL_CULTURE, "Vibrio cholerae O1", 350,
                 {{ATC_ORS, "after each loose stool", 3}, {ATC_DOXYCYCLINE, "300 mg once", 1}}},
     {5000, 8000, 6500, 7000, 6000}, 8, 14, 70000, 3, 550, 16, false},
    {"Meningitis", {ICD_MENINGITIS, true, LN_CSF_CULTURE, "Neisseria meningitidis", 600,
                    {{ATC_CEFTRIAXONE, "100 mg/kg intravenously once a day", 5}}},
     {4000, 4500, 4000, 1500, 400}, 7, 13, 20000, 4, 1000, 95, false},
    {"Dengue", {ICD_DENGUE, true, LN_DENGUE_NS1, NULL, 550,
                {{ATC_PARACETAMOL, "as needed for fever, at most four times a day", 5}}},
     {3000, 6000, 9500, 8500, 7000}, 10, 18, 90000, 12, 60, 3, false},
    {"Typhoid fever", {ICD_TYPHOID, true, LN_BLOOD_CULTURE, "Salmonella Typhi", 250,
                       {{ATC_CIPROFLOXACIN, "500 mg twice a day", 7}}},
     {1000, 4000, 6500, 4500, 2000}, 8, 14, 40000, 14, 150, 8, false},
    {"Yellow fever", {ICD_YELLOW_FEVER, true, CODE_NONE, NULL, 0,
                      {{ATC_PARACETAMOL, "as needed for fever, at most four times a day", 5}}},
     {600, 1500, 2500, 3000, 2000}, 8, 12, 15000, 10, 400, 130, true},
};
/* clang-format on */

/* Of the case curve: a quick rise, a long tail. */
static uint64_t curve_weight(unsigned week, unsigned weeks)
{
    uint64_t left = weeks - week;

    return (week + 1) * left * left;
}

static uint32_t draw_scale(const struct sim *s, const struct outbreak *o)
{
    const struct country *c = &s->country;
    uint64_t people = s->config->people * c->districts[o->district].weight / c->weight_sum;
    /* Of a young population: about a seventh under five, a third more under fifteen. */
    uint64_t ppm = (o->kind->attack_ppm[AGE_UNDER_5] * 14 + o->kind->attack_ppm[AGE_CHILD] * 26 +
                    o->kind->attack_ppm[AGE_ADULT] * 46 + o->kind->attack_ppm[AGE_OLDER] * 14) /
                   100;
    uint64_t expected_millionths = people * ppm / (o->kind->vaccine_protects ? 2 : 1);

    if (expected_millionths >= UINT64_C(1000000) * CASES_AIM)
        return 1000;
    return (uint32_t)MIN(UINT64_C(1000000) * CASES_AIM * 1000 / MAX(expected_millionths, 1),
                         UINT64_C(1000000));
}

static bool taken(const struct sim *s, const struct outbreak_kind *kind, unsigned district)
{
    for (size_t i = 0; i < s->n_outbreaks; i++)
        if (s->outbreaks[i].kind == kind && s->outbreaks[i].district == district)
            return true;
    return false;
}

int outbreak_init(struct sim *s, struct rng *r, struct err *err)
{
    size_t n_districts = s->country.n_districts, n, first = 0;
    unsigned weeks = s->config->weeks;

    n = MIN(n_districts / DISTRICTS_PER_OUTBREAK, (size_t)weeks / WEEKS_PER_OUTBREAK + 4);
    n = MIN(MAX(n, (size_t)OUTBREAKS_MIN), (size_t)OUTBREAKS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct outbreak *o = &s->outbreaks[i];
        unsigned longest;

        o->kind = &kinds[(first + i) % ARRAY_LEN(kinds)];
        do {
            o->district = (unsigned)rng_below(r, n_districts);
        } while (taken(s, o->kind, o->district) && n_districts > n);
        o->weeks = (unsigned)draw_range(r, o->kind->weeks_min, o->kind->weeks_max);
        longest = MAX(weeks * 2 / 3, 3u);
        o->weeks = MIN(o->weeks, longest);
        o->start = s->start + 7 * draw_range(r, weeks > 30 ? 6 : 0, weeks - o->weeks);
        o->scale_permille = draw_scale(s, o);
        o->by_week = ARENA_ARRAY(s->arena, uint32_t, weeks + 1);
        o->background = ARENA_ARRAY(s->arena, uint32_t, weeks + 1);
        if (!o->by_week || !o->background)
            return err_no_memory(err);
        s->n_outbreaks = i + 1;
    }
    return 0;
}

static void infect(struct sim *s, struct person *p, unsigned outbreak, int64_t onset,
                   bool secondary)
{
    struct outbreak *o = &s->outbreaks[outbreak];
    const struct outbreak_kind *k = o->kind;
    struct rng *r = &s->rng;
    struct infection i = {.outbreak = outbreak, .onset = onset, .secondary = secondary};

    i.visit = onset + draw_wait(r, 450, 6);
    i.fatal = draw_permille(r, k->fatal_permille);
    /* Who would have died before, was not born yet, or would be seen after the end, is no case. */
    if (p->n_infections == INFECTIONS_MAX || !alive(p, onset) || !alive(p, i.visit))
        return;
    for (size_t n = 0; n < p->n_infections; n++)
        if (p->infections[n].fatal || s->outbreaks[p->infections[n].outbreak].kind == k)
            return;
    if (i.fatal && p->n_infections == 0) {
        int64_t day = at_most(i.visit + draw_range(r, 0, 6), s->end - 1);

        /* Mothers of children who are still to be born live on. */
        for (size_t m = 0; m < s->n_members; m++)
            if (s->members[m].mother == p && s->members[m].birth >= day)
                i.fatal = false;
        if (i.fatal && day < p->end) {
            p->death = day;
            p->end = day;
            p->cause = k->illness.code;
        } else {
            i.fatal = false;
        }
    } else {
        i.fatal = false;
    }
    p->infections[p->n_infections++] = i;
}

static bool infected(const struct person *p, unsigned outbreak)
{
    for (size_t i = 0; i < p->n_infections; i++)
        if (p->infections[i].outbreak == outbreak)
            return true;
    return false;
}

static int64_t draw_onset(struct rng *r, const struct outbreak *o)
{
    uint64_t sum = 0, at;
    unsigned week = 0;

    for (unsigned w = 0; w < o->weeks; w++)
        sum += curve_weight(w, o->weeks);
    at = rng_below(r, sum);
    while (at >= curve_weight(week, o->weeks))
        at -= curve_weight(week++, o->weeks);
    return o->start + week * 7 + draw_range(r, 0, 6);
}

static void draw_secondary(struct sim *s, unsigned outbreak, const struct person *from,
                           int64_t onset)
{
    const struct outbreak_kind *k = s->outbreaks[outbreak].kind;
    struct rng *r = &s->rng;

    for (size_t i = 0; i < s->n_members; i++) {
        struct person *p = &s->members[i];
        int64_t day;

        if (p == from || infected(p, outbreak))
            continue;
        if (k->vaccine_protects && (p->vaccinated || age_years(p, onset) >= 15) &&
            draw_permille(r, 900))
            continue;
        if (!draw_per_million(r, k->household_ppm))
            continue;
        day = onset + at_least(draw_normal(r, k->serial_days, (k->serial_days + 3) / 4), 1);
        infect(s, p, outbreak, day, true);
    }
}

void outbreak_draw(struct sim *s)
{
    struct rng *r = &s->rng;

    for (unsigned i = 0; i < s->n_outbreaks; i++) {
        const struct outbreak *o = &s->outbreaks[i];

        if (o->district != s->district)
            continue;
        for (size_t m = 0; m < s->n_members; m++) {
            struct person *p = &s->members[m];
            int64_t onset = draw_onset(r, o);
            uint64_t ppm;

            if (p->birth > onset || infected(p, i))
                continue;
            ppm = (uint64_t)o->kind->attack_ppm[age_group(p, onset)] * o->scale_permille / 1000;
            if (o->kind->vaccine_protects && p->vaccinated)
                ppm = ppm * 3 / 10;
            if (!draw_per_million(r, MIN(ppm, (uint64_t)ATTACK_MAX_PPM)))
                continue;
            infect(s, p, i, onset, false);
            if (infected(p, i))
                draw_secondary(s, i, p, onset);
        }
    }
}

void outbreak_write(struct sim *s, const struct person *p)
{
    for (size_t n = 0; n < p->n_infections; n++) {
        const struct infection *i = &p->infections[n];
        struct outbreak *o = &s->outbreaks[i->outbreak];
        struct episode e = {.onset = i->onset, .visit = i->visit, .died = i->fatal};

        e.admitted = i->fatal || draw_permille(&s->rng, o->kind->admit_permille);
        illness_write(s, p, &o->kind->illness, &e);
        o->by_week[(i->onset - s->start) / 7]++;
        o->cases++;
        o->secondary += i->secondary;
        o->deaths += i->fatal;
        s->stats.cases++;
    }
}

void outbreak_background(struct sim *s, enum code disease, int64_t onset)
{
    for (size_t i = 0; i < s->n_outbreaks; i++) {
        struct outbreak *o = &s->outbreaks[i];

        if (o->district == s->district && o->kind->illness.code == disease)
            o->background[(onset - s->start) / 7]++;
    }
}

/* Cases of the same disease in the same district and weeks that belong to another outbreak are
 * background too. */
static uint32_t background(const struct sim *s, const struct outbreak *o, unsigned from,
                           unsigned to)
{
    uint32_t n = 0;

    for (unsigned w = from; w < to; w++) {
        n += o->background[w];
        for (size_t i = 0; i < s->n_outbreaks; i++)
            if (&s->outbreaks[i] != o && s->outbreaks[i].kind == o->kind &&
                s->outbreaks[i].district == o->district)
                n += s->outbreaks[i].by_week[w];
    }
    return n;
}

static void put_truth(const struct sim *s, const struct outbreak *o, struct sb *b)
{
    const struct district *d = &s->country.districts[o->district];
    unsigned first = (unsigned)((o->start - s->start) / 7), last = first + o->weeks;
    int y, m, day;

    /* Secondary cases may follow after the curve has ended. */
    for (unsigned w = last; w < s->config->weeks; w++)
        if (o->by_week[w])
            last = w + 1;
    clock_civil(o->start, &y, &m, &day);
    sb_fmt(b,
           "{\"name\":\"%s in %s, %d\",\"system\":\"" SYS_ICD11 "\",\"code\":\"%s\","
           "\"display\":\"%s\",",
           o->kind->name, d->name, y, codes[o->kind->illness.code].code.p,
           codes[o->kind->illness.code].display.p);
    sb_fmt(b, "\"district\":\"Location/%.*s\",\"districtName\":\"%s\",\"start\":",
           STR_ARG(uid_str(&d->location)), d->name);
    out_date_value(b, o->start);
    sb_fmt(b,
           ",\"startWeek\":%u,\"weeks\":%u,\"cases\":%u,\"secondary\":%u,\"deaths\":%u,"
           "\"background\":%u,\"weekly\":[",
           first, last - first, o->cases, o->secondary, o->deaths, background(s, o, first, last));
    for (unsigned w = first; w < last; w++) {
        if (w > first)
            sb_char(b, ',');
        sb_i64(b, o->by_week[w]);
    }
    sb_lit(b, "]}\n");
}

int outbreak_truth(const struct sim *s, const struct synth_sink *sink, struct err *err)
{
    _cleanup_(sb_done) struct sb b = sb_make(MIB(1));
    int r;

    for (size_t i = 0; i < s->n_outbreaks; i++) {
        sb_reset(&b);
        put_truth(s, &s->outbreaks[i], &b);
        r = sb_ok(&b, err);
        if (r < 0)
            return r;
        r = sink->truth(sink->ctx, sb_view(&b), err);
        if (r != 0)
            return r;
    }
    return 0;
}
