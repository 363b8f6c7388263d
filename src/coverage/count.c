#include "coverage/count.h"

#include "base/clock.h"
#include "base/fault.h"

#include <stdlib.h>

#define YEAR_DAYS 365
#define WEEK_DAYS 7

const unsigned count_ages[COUNT_AGES - 1] = {1, 5, 15, 25, 50};
const int count_delays[COUNT_DELAYS - 2] = {1, 7, 30};

/* ---- days ---- */

struct civil {
    int y, m, d;
};

static struct civil civil_of(int32_t day)
{
    struct civil c;

    clock_civil(day, &c.y, &c.m, &c.d);
    return c;
}

/* Whole months from one day to another, which is not before it. */
static int months_between(const struct civil *from, const struct civil *to)
{
    return (to->y - from->y) * 12 + to->m - from->m - (to->d < from->d);
}

static int32_t monday_of(int32_t day)
{
    int32_t since = (day + 3) % WEEK_DAYS; /* 1970-01-01 was a Thursday */

    return day - (since < 0 ? since + WEEK_DAYS : since);
}

/* The last days of the months before that of `today`, and today. */
static void month_ends(int32_t today, int32_t ret[COUNT_MONTHS])
{
    struct civil c = civil_of(today);

    ret[COUNT_MONTHS - 1] = today;
    for (int i = COUNT_MONTHS - 2; i >= 0; i--) {
        ret[i] = (int32_t)clock_days(c.y, c.m, 1) - 1;
        c = civil_of(ret[i]);
    }
}

/* ---- places and sites ---- */

struct counting {
    const struct roll *r;
    struct count *c;
    struct arena scratch;
    uint32_t *site_of_org; /* 0: none */
    struct civil ends[COUNT_MONTHS];
    uint32_t *merged, *next_merged; /* records that a person's replaces, as lists */
    struct roll_service *own;       /* services of one person, by day */
    size_t n_own, own_room;
};

static unsigned depth_of(const struct roll *r, uint32_t place)
{
    unsigned depth = 0;

    while (depth < ROLL_DEPTH_MAX && r->places[place].part_of != NAMES_NONE) {
        place = r->places[place].part_of;
        depth++;
    }
    return depth;
}

/* Of the places that an organisation manages, the outermost; of several alike the first by id. */
static bool is_before(const struct roll *r, uint32_t a, uint32_t b)
{
    unsigned x = depth_of(r, a), y = depth_of(r, b);

    return x != y ? x < y : str_cmp(r->places[a].id, r->places[b].id) < 0;
}

static uint32_t new_site(struct count *c, uint32_t place)
{
    if (place == NAMES_NONE)
        return 0;
    if (!c->places[place].site && c->n_sites < COUNT_SITES_MAX) {
        c->places[place].site = c->n_sites;
        c->place_of[c->n_sites++] = place;
    }
    return c->places[place].site;
}

/* The place that an organisation manages, or the nearest one above it. */
static uint32_t place_of_org(const struct roll *r, const uint32_t *managed, uint32_t org)
{
    for (int depth = 0; org != NAMES_NONE && depth < ROLL_DEPTH_MAX; depth++) {
        if (managed[org] != NAMES_NONE)
            return managed[org];
        org = r->orgs[org].part_of;
    }
    return NAMES_NONE;
}

static bool is_facility(const struct roll *r, uint32_t place)
{
    uint32_t org = r->places[place].org, up = r->places[place].part_of;

    if (!r->places[place].is_there || org == NAMES_NONE)
        return false;
    for (int depth = 0; up != NAMES_NONE && depth < ROLL_DEPTH_MAX; depth++) {
        if (r->places[up].org == org)
            return false;
        up = r->places[up].part_of;
    }
    return true;
}

static int copy_places(struct counting *k, struct err *err)
{
    const struct roll *r = k->r;
    struct count *c = k->c;

    c->n_places = (uint32_t)r->place_ids.n;
    c->places = ARENA_ARRAY(&c->a, struct count_place, c->n_places + 1);
    c->place_of = ARENA_ARRAY(&c->a, uint32_t, MIN(c->n_places, (uint32_t)COUNT_SITES_MAX) + 1);
    if (!c->places || !c->place_of)
        return err_no_memory(err);
    c->place_of[0] = NAMES_NONE;
    c->n_sites = 1;
    for (uint32_t i = 0; i < c->n_places; i++) {
        const struct roll_place *from = &r->places[i];
        struct count_place *to = &c->places[i];

        to->part_of = from->part_of;
        to->is_there = from->is_there;
        to->is_facility = is_facility(r, i);
        if (!from->is_there)
            continue;
        to->id = arena_dup(&c->a, from->id);
        to->name = arena_dup(&c->a, from->name);
        to->level = arena_dup(&c->a, from->level);
        if (!to->id.p || !to->name.p || !to->level.p)
            return err_no_memory(err);
    }
    return 0;
}

/* Every place that people are registered at, or visits were at, becomes a site. */
static int find_sites(struct counting *k, struct err *err)
{
    const struct roll *r = k->r;
    struct count *c = k->c;
    size_t n = r->org_ids.n;
    uint32_t *managed = ARENA_ARRAY(&k->scratch, uint32_t, n + 1);

    k->site_of_org = ARENA_ARRAY(&k->scratch, uint32_t, n + 1);
    if (!managed || !k->site_of_org)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++)
        managed[i] = NAMES_NONE;
    for (uint32_t i = 0; i < c->n_places; i++) {
        uint32_t org = r->places[i].org;

        if (r->places[i].is_there && org != NAMES_NONE &&
            (managed[org] == NAMES_NONE || is_before(r, i, managed[org])))
            managed[org] = i;
    }
    for (uint32_t i = 0; i < c->n_places; i++)
        if (c->places[i].is_facility)
            new_site(c, i);
    for (uint32_t i = 0; i < n; i++)
        k->site_of_org[i] = new_site(c, place_of_org(r, managed, i));
    for (size_t i = 0; i < r->visit_ids.n; i++)
        if (r->visits[i].day != DAY_NONE && r->visits[i].place != NAMES_NONE &&
            r->places[r->visits[i].place].is_there)
            new_site(c, r->visits[i].place);
    return 0;
}

static int make_room(struct count *c, struct err *err)
{
    size_t sites = c->n_sites, cells = c->set->n * sites;

    c->people = ARENA_ARRAY(&c->a, uint32_t, sites * COUNT_SEXES * COUNT_AGES);
    c->now = ARENA_ARRAY(&c->a, struct count_people, cells);
    c->months = ARENA_ARRAY(&c->a, struct count_cell, cells * COUNT_MONTHS);
    c->visits = ARENA_ARRAY(&c->a, uint32_t, sites * COUNT_WEEKS);
    c->delays = ARENA_ARRAY(&c->a, uint32_t, sites * COUNT_DELAYS);
    return c->people && c->now && c->months && c->visits && c->delays ? 0 : err_no_memory(err);
}

/* ---- visits ---- */

static void count_visits(struct counting *k)
{
    const struct roll *r = k->r;
    struct count *c = k->c;

    for (size_t i = 0; i < r->visit_ids.n; i++) {
        const struct roll_visit *v = &r->visits[i];
        uint32_t site = 0;

        if (v->day == DAY_NONE || v->day < c->first_week || v->day > c->today)
            continue;
        if (v->place != NAMES_NONE)
            site = c->places[v->place].site;
        if (!site && v->org != NAMES_NONE)
            site = k->site_of_org[v->org];
        c->visits[site * COUNT_WEEKS + (size_t)(v->day - c->first_week) / WEEK_DAYS]++;
    }
}

/* ---- one person ---- */

static int by_day(const void *a, const void *b)
{
    const struct roll_service *x = a, *y = b;

    return x->from != y->from ? (x->from < y->from ? -1 : 1)
                              : (x->service > y->service) - (x->service < y->service);
}

static int gather(struct counting *k, uint32_t person, struct err *err)
{
    const struct roll *r = k->r;

    k->n_own = 0;
    for (uint32_t p = person; p != NAMES_NONE;
         p = p == person ? k->merged[person] : k->next_merged[p])
        for (uint32_t i = r->people[p].services; i != NAMES_NONE;
             i = r->services[i].next_of_person) {
            k->own = names_room(&k->scratch, k->own, k->n_own, &k->own_room, sizeof *k->own);
            if (!k->own)
                return err_no_memory(err);
            k->own[k->n_own++] = r->services[i];
        }
    if (k->n_own > 1)
        qsort(k->own, k->n_own, sizeof *k->own, by_day);
    return 0;
}

/* Whether what an indicator asks for was had from one day to another: a dose of that number, or,
 * where none has a number, so many days. */
static bool has_had(const struct counting *k, const struct indicator *ind, int32_t from, int32_t to)
{
    const struct roll_service *newest = NULL;
    unsigned days = 0, most = 0;
    int32_t last = DAY_NONE;

    for (size_t i = 0; i < k->n_own && k->own[i].from <= to; i++) {
        const struct roll_service *s = &k->own[i];

        if (s->service != ind->have || s->from < from)
            continue;
        days += s->from != last;
        last = s->from;
        most = MAX(most, s->dose);
        newest = s;
    }
    return newest && (most ? most : days) >= ind->times && (!ind->low || newest->is_low);
}

static bool has_from_base(const struct counting *k, const struct indicator *ind,
                          const struct roll_service *base, int32_t day)
{
    switch (ind->span) {
    case SPAN_EVER: return has_had(k, ind, DAY_NONE, day);
    case SPAN_LAST: return has_had(k, ind, day - ind->days + 1, day);
    case SPAN_DURING: return has_had(k, ind, base->from, MIN(base->to, day));
    case SPAN_WITHIN: return has_had(k, ind, base->from, MIN(base->from + ind->days - 1, day));
    }
    return false;
}

static bool is_base(const struct indicator *ind, const struct roll_service *s, int32_t day)
{
    int32_t ago = ind->base == BASE_ENDED ? day - s->to : day - s->from;

    switch (ind->base) {
    case BASE_AGE: return false;
    case BASE_NOW: return s->from <= day && s->to > day;
    case BASE_LAST: return ago >= 0 && ago < ind->to;
    case BASE_BEGUN: return ago >= ind->from && ago < ind->to;
    case BASE_ENDED: return s->to != DAY_OPEN && ago >= ind->from && ago < ind->to;
    }
    return false;
}

static struct count_cell reach_of(const struct counting *k, const struct indicator *ind,
                                  int age_months, int32_t day)
{
    struct count_cell cell = {0, 0};
    bool is_once = ind->base == BASE_NOW || ind->base == BASE_LAST;

    if (ind->base == BASE_AGE) {
        if (age_months < ind->from || age_months >= ind->to)
            return cell;
        cell.of = 1;
        cell.with = has_from_base(k, ind, NULL, day);
        return cell;
    }
    for (size_t i = 0; i < k->n_own && !(is_once && cell.of); i++)
        if (k->own[i].service == ind->of && is_base(ind, &k->own[i], day)) {
            cell.of++;
            cell.with += has_from_base(k, ind, &k->own[i], day);
        }
    return cell;
}

static bool is_of_sex(const struct indicator *ind, enum roll_sex sex)
{
    return ind->sex == OF_ANYBODY || (ind->sex == OF_WOMEN) == (sex == ROLL_FEMALE);
}

static unsigned age_group(int months)
{
    unsigned i = 0;

    while (i < ARRAY_LEN(count_ages) && (unsigned)months / 12 >= count_ages[i])
        i++;
    return i;
}

static void count_delay(struct counting *k, uint32_t site)
{
    for (size_t i = 0; i < k->n_own; i++) {
        const struct roll_service *s = &k->own[i];
        size_t at = 0;

        if (!service_types[k->c->set->services[s->service].type].recorded ||
            s->from > k->c->today || s->from <= k->c->today - YEAR_DAYS)
            continue;
        while (at < ARRAY_LEN(count_delays) && s->delay > count_delays[at])
            at++;
        if (s->delay == DAY_NONE)
            at = COUNT_DELAYS - 1;
        k->c->delays[site * COUNT_DELAYS + at]++;
    }
}

static void count_month(struct counting *k, const struct roll_person *p, uint32_t site, int month)
{
    struct count *c = k->c;
    int32_t day = c->month_ends[month];
    struct civil born;
    unsigned group;
    int age;

    if (p->born > day || p->died <= day)
        return;
    born = civil_of(p->born);
    age = months_between(&born, &k->ends[month]);
    group = age_group(age);
    if (month == COUNT_MONTHS - 1)
        c->people[(site * COUNT_SEXES + p->sex) * COUNT_AGES + group]++;
    for (size_t i = 0; i < c->set->n; i++) {
        struct count_cell cell, *sum = &c->months[(i * c->n_sites + site) * COUNT_MONTHS];

        if (!is_of_sex(&c->set->v[i], p->sex))
            continue;
        cell = reach_of(k, &c->set->v[i], age, day);
        sum[month].of += cell.of;
        sum[month].with += cell.with;
        if (month == COUNT_MONTHS - 1) {
            struct count_cell *now = &c->now[i * c->n_sites + site].at[p->sex][group];

            now->of += cell.of;
            now->with += cell.with;
        }
    }
}

/* ---- everybody ---- */

static int find_merged(struct counting *k, struct err *err)
{
    size_t n = k->r->person_ids.n;

    k->merged = ARENA_ARRAY(&k->scratch, uint32_t, n + 1);
    k->next_merged = ARENA_ARRAY(&k->scratch, uint32_t, n + 1);
    if (!k->merged || !k->next_merged)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++)
        k->merged[i] = k->next_merged[i] = NAMES_NONE;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t root = roll_root(k->r, i);

        if (root == i)
            continue;
        k->next_merged[i] = k->merged[root];
        k->merged[root] = i;
    }
    return 0;
}

static int count_people(struct counting *k, struct err *err)
{
    const struct roll *r = k->r;
    int wrong = find_merged(k, err);

    for (uint32_t i = 0; i < r->person_ids.n && wrong == 0; i++) {
        const struct roll_person *p = &r->people[i];
        uint32_t site = p->org != NAMES_NONE ? k->site_of_org[p->org] : 0;

        if (!p->is_there || p->born == DAY_NONE || roll_root(r, i) != i)
            continue;
        wrong = gather(k, i, err);
        if (wrong == 0)
            count_delay(k, site);
        for (int month = 0; month < COUNT_MONTHS && wrong == 0; month++)
            count_month(k, p, site, month);
    }
    return wrong;
}

static int make(struct counting *k, struct err *err)
{
    struct count *c = k->c;
    int wrong = copy_places(k, err);

    if (wrong == 0)
        wrong = find_sites(k, err);
    if (wrong == 0)
        wrong = make_room(c, err);
    if (wrong < 0 || c->today == DAY_NONE)
        return wrong;
    c->first_week = monday_of(c->today) - (COUNT_WEEKS - 1) * WEEK_DAYS;
    month_ends(c->today, c->month_ends);
    for (int i = 0; i < COUNT_MONTHS; i++)
        k->ends[i] = civil_of(c->month_ends[i]);
    count_visits(k);
    return count_people(k, err);
}

int count_make(const struct roll *r, uint64_t position, struct count **ret, struct err *err)
{
    struct count *c = fault_point("malloc") ? NULL : calloc(1, sizeof *c);
    struct counting k = {.r = r, .c = c};
    int wrong;

    if (!c)
        return err_no_memory(err);
    atomic_store(&c->refs, 1);
    arena_init(&c->a, COUNT_BYTES_MAX);
    arena_init(&k.scratch, COUNT_BYTES_MAX);
    c->set = r->set;
    c->position = position;
    c->today = r->today;
    wrong = make(&k, err);
    arena_done(&k.scratch);
    if (wrong < 0) {
        count_unref(c);
        return wrong;
    }
    *ret = c;
    return 0;
}

struct count *count_ref(struct count *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void count_unref(struct count *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    arena_done(&c->a);
    free(c);
}

/* ---- questions ---- */

uint32_t count_place(const struct count *c, struct str id)
{
    for (uint32_t i = 0; i < c->n_places; i++)
        if (c->places[i].is_there && str_eq(c->places[i].id, id))
            return i;
    return NAMES_NONE;
}

int count_part(const struct count *c, uint32_t site, uint32_t place, uint32_t *ret)
{
    uint32_t at = c->place_of[site], below = NAMES_NONE;

    for (int depth = 0; at != NAMES_NONE && at != place && depth <= ROLL_DEPTH_MAX; depth++) {
        below = at;
        at = c->places[at].part_of;
    }
    if (at != place && place != NAMES_NONE) /* places in a circle are of the whole alone */
        return 0;
    *ret = at == place ? below : NAMES_NONE;
    return 1;
}
