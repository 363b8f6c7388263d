/* measure.c - one subject of a Measure: who or what is in which population (measure.html, and the
 * Quality Measure guide's rules for the order of populations).
 *
 * A criterion is FHIRPath over the subject, with %measurementPeriod, %subject and, as %record,
 * everything in the subject's compartment. Where subjects are counted it is a condition, and one
 * that says nothing does not hold. Where episodes are counted (populationBasis) it gives those of
 * the subject's that are in the population; stratifiers and observations are asked about each.
 */
#include "api/measure_int.h"

int measure_criterion(struct measure *m, const struct criterion *criterion, struct path_env *env,
                      const struct path_item *focus, struct path_items *ret)
{
    int r;

    env->steps = 0;
    r = path_eval(criterion->path, env, focus, ret, &m->c->err);
    *m->steps += env->steps;
    if (r >= 0 && *m->steps > MEASURE_STEPS_MAX)
        r = err_set(&m->c->err, ERR_COSTLY, "the criteria of the measure take too many steps");
    if (r < 0)
        snprintf(m->c->err.where, sizeof m->c->err.where, "%.*s", STR_ARG(criterion->where));
    return r;
}

/* ---- members: the subject, or its episodes ---- */

struct member {
    struct path_item item;
    struct str id; /* of an episode */
    uint32_t set;  /* populations: first those whose criteria hold, then those it is in */
};

struct members {
    struct member *v;
    size_t n, cap;
    uint32_t *table; /* places in v, plus one, by the hash of the id */
    size_t slots;    /* a power of two */
};

static int members_grow(struct members *all, struct arena *a)
{
    size_t cap = all->cap ? all->cap * 2 : 32;
    struct member *v = arena_grow(a, all->v, all->cap * sizeof *v, cap * sizeof *v);
    uint32_t *table = ARENA_ARRAY(a, uint32_t, cap * 2);

    if (!v || !table)
        return ERR_NO_MEMORY;
    all->v = v;
    all->cap = cap;
    all->table = table;
    all->slots = cap * 2;
    for (size_t i = 0; i < all->n; i++) {
        size_t at = str_hash(v[i].id) & (all->slots - 1);
        while (table[at])
            at = (at + 1) & (all->slots - 1);
        table[at] = (uint32_t)i + 1;
    }
    return 0;
}

/* The member of this id, made if it is new. */
static struct member *member_of(struct members *all, struct arena *a, const struct path_item *item)
{
    struct str id = js_get_str(item->v, "id");
    size_t at;

    if (all->n == all->cap && members_grow(all, a) < 0)
        return NULL;
    at = str_hash(id) & (all->slots - 1);
    for (; all->table[at]; at = (at + 1) & (all->slots - 1))
        if (str_eq(all->v[all->table[at] - 1].id, id))
            return &all->v[all->table[at] - 1];
    all->v[all->n] = (struct member){.item = *item, .id = id};
    all->table[at] = (uint32_t)all->n + 1;
    return &all->v[all->n++];
}

static bool is_of(const struct path_item *item, int type)
{
    return item->kind == PATH_ELEMENT &&
           str_eq(js_get_str(item->v, "resourceType"), def_resource_name(type)) &&
           js_get_str(item->v, "id").n;
}

/* The episodes that the criteria of each population give. */
static int find_episodes(struct measure *m, struct measure_group *g, struct path_env *env,
                         const struct path_item *subject, struct members *all)
{
    for (size_t i = 0; i < g->n_populations; i++) {
        const struct criterion *criterion = &g->populations[i].criterion;
        struct path_items items = {0};
        int r;

        if (g->populations[i].kind == POP_OBSERVATION)
            continue;
        if ((r = measure_criterion(m, criterion, env, subject, &items)) < 0)
            return r;
        for (size_t k = 0; k < items.n; k++) {
            struct member *one;
            if (!is_of(&items.p[k], g->basis))
                return err_set(&m->c->err, ERR_PROCESSING,
                               "%.*s gives something else than the %.*s resources that are counted",
                               STR_ARG(criterion->where), STR_ARG(def_resource_name(g->basis)));
            if (!(one = member_of(all, env->a, &items.p[k])))
                return err_no_memory(&m->c->err);
            one->set |= 1u << i;
        }
    }
    return 0;
}

/* Whether the criteria of each population hold for the subject. */
static int hold(struct measure *m, struct measure_group *g, struct path_env *env,
                const struct path_item *subject, struct members *all)
{
    if (members_grow(all, env->a) < 0)
        return err_no_memory(&m->c->err);
    all->v[all->n++] = (struct member){.item = *subject};
    for (size_t i = 0; i < g->n_populations; i++) {
        struct path_items items = {0};
        int r;

        if (g->populations[i].kind == POP_OBSERVATION)
            continue;
        r = measure_criterion(m, &g->populations[i].criterion, env, subject, &items);
        if (r < 0)
            return r;
        r = path_truth(&items, &m->c->err);
        if (r < -1)
            return r;
        if (r == 1)
            all->v[0].set |= 1u << i;
    }
    return 0;
}

/* ---- the order of populations ---- */

static bool has(uint32_t set, int at)
{
    return at >= 0 && (set >> at & 1);
}

/* Whether the member is in the initial population that a population is drawn from. */
static bool is_initial(const struct measure_group *g, uint32_t holds, int drawn)
{
    int of = drawn < 0 ? -1 : g->populations[drawn].of;

    return has(holds, of >= 0 ? of : g->at[POP_INITIAL]);
}

/* Who is in what follows from who is in what before it: nobody outside the initial population;
 * exclusions only of who would be in; exceptions only of who is not in the numerator. A ratio's
 * numerator is drawn from the initial population, a proportion's from the denominator. */
static uint32_t settle(const struct measure_group *g, uint32_t holds)
{
    const int *at = g->at;
    bool denominator = is_initial(g, holds, at[POP_DENOMINATOR]) && has(holds, at[POP_DENOMINATOR]);
    bool excluded = denominator && has(holds, at[POP_DENOMINATOR_EXCLUSION]);
    bool base = g->scoring == SCORING_RATIO ? is_initial(g, holds, at[POP_NUMERATOR])
                                            : denominator && !excluded;
    bool numerator = base && has(holds, at[POP_NUMERATOR]);
    bool measured = is_initial(g, holds, at[POP_MEASURE]) && has(holds, at[POP_MEASURE]);
    bool in[POP_KINDS] = {
        [POP_DENOMINATOR] = denominator,
        [POP_DENOMINATOR_EXCLUSION] = excluded,
        [POP_NUMERATOR] = numerator,
        [POP_NUMERATOR_EXCLUSION] = numerator && has(holds, at[POP_NUMERATOR_EXCLUSION]),
        [POP_DENOMINATOR_EXCEPTION] =
            denominator && !excluded && !numerator && has(holds, at[POP_DENOMINATOR_EXCEPTION]),
        [POP_MEASURE] = measured,
        [POP_MEASURE_EXCLUSION] = measured && has(holds, at[POP_MEASURE_EXCLUSION]),
    };
    uint32_t set = 0;

    for (size_t i = 0; i < g->n_populations; i++) {
        enum population_kind kind = g->populations[i].kind;
        if (kind == POP_INITIAL ? has(holds, (int)i) : in[kind])
            set |= 1u << i;
    }
    return set;
}

static bool is_in_initial(const struct measure_group *g, uint32_t set)
{
    for (size_t i = 0; i < g->n_populations; i++)
        if (g->populations[i].kind == POP_INITIAL && has(set, (int)i))
            return true;
    return false;
}

/* What is excluded is not observed. */
static bool is_observed(const struct measure_group *g, const struct population *p, uint32_t set)
{
    static const enum population_kind without[POP_KINDS] = {
        [POP_MEASURE] = POP_MEASURE_EXCLUSION,
        [POP_NUMERATOR] = POP_NUMERATOR_EXCLUSION,
        [POP_DENOMINATOR] = POP_DENOMINATOR_EXCLUSION,
    };

    return has(set, p->of) && !has(set, g->at[without[g->populations[p->of].kind]]);
}

/* ---- counting ---- */

struct counting {
    struct measure *m;
    struct measure_group *g;
    struct path_env *env;
    const struct member *member;
    struct path_items observed[MEASURE_OBSERVATIONS_MAX]; /* of the member */
};

static int count(const struct counting *at, struct tally *t)
{
    int r = 0;

    for (size_t i = 0; i < at->g->n_populations && r >= 0; i++) {
        const struct population *p = &at->g->populations[i];
        if (p->kind == POP_OBSERVATION) {
            struct observed *o = &t->observed[p->observed_at];
            r = observe_add(at->m, p, o, &at->observed[p->observed_at]);
            t->counts[i] = o->n;
        } else {
            t->counts[i] += at->member->set >> i & 1;
        }
    }
    return r;
}

/* What the observations say of the member. */
static int observe(struct counting *at)
{
    int r = 0;

    for (size_t i = 0; i < at->g->n_populations && r >= 0; i++) {
        const struct population *p = &at->g->populations[i];
        if (p->kind == POP_OBSERVATION && is_observed(at->g, p, at->member->set))
            r = measure_criterion(at->m, &p->criterion, at->env, &at->member->item,
                                  &at->observed[p->observed_at]);
    }
    return r;
}

/* The stratum of these values, made if need be. */
static struct stratum *stratum_of(struct measure *m, struct stratifier *s,
                                  const struct measured *values)
{
    struct stratum *stratum;
    size_t i, k;

    for (i = 0; i < s->n_strata; i++) {
        for (k = 0; k < s->n_criteria && str_eq(s->strata[i].values[k].key, values[k].key); k++)
            ;
        if (k == s->n_criteria)
            return &s->strata[i];
    }
    if (s->n_strata == MEASURE_STRATA_MAX) {
        err_set(&m->c->err, ERR_COSTLY, "a stratifier has more than %d values", MEASURE_STRATA_MAX);
        return NULL;
    }
    if (s->n_strata == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 8;
        struct stratum *v = arena_grow(m->c->a, s->strata, s->cap * sizeof *v, cap * sizeof *v);
        if (!v) {
            err_no_memory(&m->c->err);
            return NULL;
        }
        s->strata = v;
        s->cap = cap;
    }
    stratum = &s->strata[s->n_strata];
    *stratum = (struct stratum){0};
    for (k = 0; k < s->n_criteria; k++)
        if (measure_value_keep(m, &values[k], &stratum->values[k]) < 0)
            return NULL;
    s->n_strata++;
    return stratum;
}

static int stratify(const struct counting *at, struct stratifier *s)
{
    struct measured values[MEASURE_COMPONENTS_MAX];
    struct stratum *stratum;

    for (size_t i = 0; i < s->n_criteria; i++) {
        struct path_items items = {0};
        int r = measure_criterion(at->m, &s->criteria[i], at->env, &at->member->item, &items);
        if (r < 0 ||
            (r = measure_value(at->m, at->env->a, &s->criteria[i], &items, &values[i])) < 0)
            return r;
    }
    stratum = stratum_of(at->m, s, values);
    return stratum ? count(at, &stratum->tally) : at->m->c->err.code;
}

int measure_keep_reference(struct measure *m, struct str **list, size_t *n, size_t *cap,
                           struct str reference)
{
    if (*n == *cap) {
        size_t more = *cap ? *cap * 2 : 32;
        struct str *v = arena_grow(m->c->a, *list, *cap * sizeof *v, more * sizeof *v);
        if (!v)
            return err_no_memory(&m->c->err);
        *list = v;
        *cap = more;
    }
    (*list)[*n] = arena_dup(m->c->a, reference);
    return (*list)[(*n)++].p ? 0 : err_no_memory(&m->c->err);
}

/* Lists name what is counted: the subject, or the episode. */
static int list_member(const struct counting *at, struct population *p, struct str subject)
{
    struct str reference = subject;

    if (at->g->basis)
        reference = arena_fmt(at->env->a, "%.*s/%.*s", STR_ARG(def_resource_name(at->g->basis)),
                              STR_ARG(at->member->id));
    if (!reference.p)
        return err_no_memory(&at->m->c->err);
    return measure_keep_reference(at->m, &p->subjects, &p->n_subjects, &p->cap, reference);
}

static int count_member(struct counting *at, struct str subject)
{
    struct measure_group *g = at->g;
    int r = observe(at);

    if (r < 0 || (r = count(at, &g->tally)) < 0)
        return r;
    for (size_t i = 0; i < g->n_populations && at->m->report == REPORT_LIST && r >= 0; i++)
        if (has(at->member->set, (int)i))
            r = list_member(at, &g->populations[i], subject);
    for (size_t i = 0; i < g->n_stratifiers && is_in_initial(g, at->member->set) && r >= 0; i++)
        r = stratify(at, &g->stratifiers[i]);
    return r;
}

int measure_subject(struct measure *m, struct path_env *env, const struct path_item *subject,
                    struct str reference)
{
    bool is_initial_anywhere = false;
    int r = 0;

    for (size_t i = 0; i < m->n_groups && r >= 0; i++) {
        struct measure_group *g = &m->groups[i];
        struct members all = {0};

        r = g->basis ? find_episodes(m, g, env, subject, &all) : hold(m, g, env, subject, &all);
        for (size_t k = 0; k < all.n && r >= 0; k++) {
            struct counting at = {m, g, env, &all.v[k], {{0}}};
            all.v[k].set = settle(g, all.v[k].set);
            is_initial_anywhere |= is_in_initial(g, all.v[k].set);
            g->last = all.v[k].set;
            r = count_member(&at, reference);
        }
    }
    return r >= 0 && is_initial_anywhere ? supplement_subject(m, env, subject) : r;
}
