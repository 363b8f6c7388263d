/* measure.c - from a Measure to who is in which population (measure.html, and the Quality Measure
 * IG's rules for the order of populations).
 *
 * A criterion is FHIRPath over the subject, with %measurementPeriod and, as %record, everything in
 * the subject's compartment. One that says nothing does not hold.
 */
#include "api/measure_int.h"

static const struct str codes[POP_KINDS] = {
    [POP_INITIAL] = STR("initial-population"),
    [POP_NUMERATOR] = STR("numerator"),
    [POP_NUMERATOR_EXCLUSION] = STR("numerator-exclusion"),
    [POP_DENOMINATOR] = STR("denominator"),
    [POP_DENOMINATOR_EXCLUSION] = STR("denominator-exclusion"),
    [POP_DENOMINATOR_EXCEPTION] = STR("denominator-exception"),
    [POP_MEASURE] = STR("measure-population"),
    [POP_MEASURE_EXCLUSION] = STR("measure-population-exclusion"),
};

struct str population_code(enum population_kind kind)
{
    return codes[kind];
}

static struct str first_code(yyjson_val *concept)
{
    return js_get_str(yyjson_arr_get_first(js_get(concept, "coding")), "code");
}

static bool mentions(struct str text, struct str word)
{
    for (size_t i = 0; i + word.n <= text.n; i++)
        if (memcmp(text.p + i, word.p, word.n) == 0)
            return true;
    return false;
}

/* ---- compiling ---- */

static int compile(struct measure *m, yyjson_val *criteria, struct str where, struct criterion *ret)
{
    struct str language = js_get_str(criteria, "language");
    struct str text = js_get_str(criteria, "expression");
    struct call *c = m->c;
    char at[ERR_WHERE_MAX];
    int r;

    if (!where.p)
        return err_no_memory(&c->err);
    snprintf(at, sizeof at, "%.*s", STR_ARG(where));
    if (!text.n)
        return err_at(&c->err, ERR_PROCESSING, at, "the criteria have no expression");
    if (!str_eq(language, STR("text/fhirpath")))
        return err_at(&c->err, ERR_NOT_SUPPORTED, at,
                      "criteria in \"%.*s\" cannot be evaluated here: text/fhirpath can",
                      (int)MIN(language.n, (size_t)64), language.n ? language.p : "");
    r = path_compile(c->a, text, def_resource_type(m->subject_type), &ret->path, &c->err);
    if (r < 0) {
        snprintf(c->err.where, sizeof c->err.where, "%s", at);
        return r;
    }
    ret->where = where;
    m->needs_record |= mentions(text, STR("%record"));
    return 0;
}

static int compile_population(struct measure *m, struct measure_group *g, yyjson_val *v,
                              struct str where)
{
    struct population *p = &g->populations[g->n_populations];
    yyjson_val *concept = js_get(v, "code");
    struct str code = first_code(concept);
    int kind = 0;

    while (kind < POP_KINDS && !str_eq(code, codes[kind]))
        kind++;
    if (kind == POP_KINDS)
        return err_at(&m->c->err, ERR_NOT_SUPPORTED, "Measure.group.population",
                      "the population \"%.*s\" cannot be evaluated here",
                      (int)MIN(code.n, (size_t)64), code.n ? code.p : "");
    for (size_t i = 0; i < g->n_populations; i++)
        if (g->populations[i].kind == (enum population_kind)kind)
            return err_at(&m->c->err, ERR_NOT_SUPPORTED, "Measure.group.population",
                          "a group has several populations \"%.*s\"", STR_ARG(code));
    *p = (struct population){.kind = (enum population_kind)kind, .code = concept};
    g->n_populations++;
    return compile(m, js_get(v, "criteria"), where, &p->criterion);
}

static int compile_stratifier(struct measure *m, struct measure_group *g, yyjson_val *v,
                              struct str where)
{
    struct stratifier *s = &g->stratifiers[g->n_stratifiers++];
    yyjson_val *components = js_get(v, "component"), *one;
    size_t i, max;
    int r = 0;

    *s = (struct stratifier){.code = js_get(v, "code"), .has_components = components != NULL};
    if (!components) {
        s->n_criteria = 1;
        return compile(m, js_get(v, "criteria"), where, &s->criteria[0]);
    }
    if (yyjson_arr_size(components) > MEASURE_COMPONENTS_MAX)
        return err_at(&m->c->err, ERR_COSTLY, "Measure.group.stratifier.component",
                      "a stratifier has more than %d components", MEASURE_COMPONENTS_MAX);
    yyjson_arr_foreach(components, i, max, one) {
        s->component_codes[i] = js_get(one, "code");
        r = compile(m, js_get(one, "criteria"),
                    arena_fmt(m->c->a, "%.*s.component[%zu]", STR_ARG(where), i), &s->criteria[i]);
        if (r < 0)
            return r;
        s->n_criteria++;
    }
    return r;
}

static int compile_group(struct measure *m, size_t at, yyjson_val *v)
{
    struct measure_group *g = &m->groups[at];
    yyjson_val *populations = js_get(v, "population"), *stratifiers = js_get(v, "stratifier");
    struct arena *a = m->c->a;
    yyjson_val *one;
    size_t i, max;
    int r = 0;

    g->code = js_get(v, "code");
    if (!yyjson_arr_size(populations))
        return err_at(&m->c->err, ERR_PROCESSING, "Measure.group.population",
                      "a group of the measure has no populations");
    if (yyjson_arr_size(populations) > MEASURE_POPULATIONS_MAX ||
        yyjson_arr_size(stratifiers) > MEASURE_STRATIFIERS_MAX)
        return err_at(&m->c->err, ERR_COSTLY, "Measure.group",
                      "a group has more than %d populations or %d stratifiers",
                      MEASURE_POPULATIONS_MAX, MEASURE_STRATIFIERS_MAX);
    yyjson_arr_foreach(populations, i, max, one)
        if ((r = compile_population(m, g, one,
                                    arena_fmt(a, "Measure.group[%zu].population[%zu]", at, i))) < 0)
            return r;
    yyjson_arr_foreach(stratifiers, i, max, one)
        if ((r = compile_stratifier(m, g, one,
                                    arena_fmt(a, "Measure.group[%zu].stratifier[%zu]", at, i))) < 0)
            return r;
    return 0;
}

static int read_scoring(struct measure *m)
{
    static const struct str names[] = {[SCORING_COHORT] = STR("cohort"),
                                       [SCORING_PROPORTION] = STR("proportion"),
                                       [SCORING_RATIO] = STR("ratio"),
                                       [SCORING_CONTINUOUS] = STR("continuous-variable")};
    struct str code = first_code(js_get(m->resource, "scoring"));

    m->scoring = SCORING_COHORT;
    if (!code.n)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(code, names[i])) {
            m->scoring = (enum scoring)i;
            return 0;
        }
    return err_at(&m->c->err, ERR_NOT_SUPPORTED, "Measure.scoring",
                  "the scoring \"%.*s\" is not supported", (int)MIN(code.n, (size_t)64), code.p);
}

static int read_subject_type(struct measure *m)
{
    yyjson_val *concept = js_get(m->resource, "subjectCodeableConcept");
    struct str code = first_code(concept);

    m->subject_type = def_resource(code.n ? code : STR("Patient"));
    if (js_get(m->resource, "subjectReference") || !m->subject_type)
        return err_at(&m->c->err, ERR_NOT_SUPPORTED, "Measure.subject",
                      "the subject of a measure can only be a resource type");
    return 0;
}

int measure_compile(struct measure *m)
{
    yyjson_val *groups = js_get(m->resource, "group"), *v;
    size_t i, max, n = yyjson_arr_size(groups);
    int r;

    if (n > MEASURE_GROUPS_MAX)
        return err_at(&m->c->err, ERR_COSTLY, "Measure.group", "a measure has more than %d groups",
                      MEASURE_GROUPS_MAX);
    if (!n)
        return err_at(&m->c->err, ERR_PROCESSING, "Measure.group", "the measure has no groups");
    m->groups = ARENA_ARRAY(m->c->a, struct measure_group, n);
    if (!m->groups)
        return err_no_memory(&m->c->err);
    if ((r = read_scoring(m)) < 0 || (r = read_subject_type(m)) < 0)
        return r;
    yyjson_arr_foreach(groups, i, max, v) {
        if ((r = compile_group(m, i, v)) < 0)
            return r;
        m->n_groups++;
    }
    return 0;
}

/* ---- one subject ---- */

static int evaluate(struct measure *m, const struct criterion *criterion, struct path_env *env,
                    const struct path_item *subject, struct path_items *ret)
{
    int r;

    env->steps = 0;
    r = path_eval(criterion->path, env, subject, ret, &m->c->err);
    m->steps += env->steps;
    if (r >= 0 && m->steps > MEASURE_STEPS_MAX)
        r = err_set(&m->c->err, ERR_COSTLY, "the criteria of the measure take too many steps");
    if (r < 0)
        snprintf(m->c->err.where, sizeof m->c->err.where, "%.*s", STR_ARG(criterion->where));
    return r;
}

/* Whether the criteria of each population hold: a bit each. */
static int hold(struct measure *m, struct measure_group *g, struct path_env *env,
                const struct path_item *subject, unsigned *ret)
{
    *ret = 0;
    for (size_t i = 0; i < g->n_populations; i++) {
        struct path_items items = {0};
        int r = evaluate(m, &g->populations[i].criterion, env, subject, &items);
        if (r < 0)
            return r;
        r = path_truth(&items, &m->c->err);
        if (r < -1)
            return r;
        if (r == 1)
            *ret |= 1u << g->populations[i].kind;
    }
    return 0;
}

static bool has(unsigned set, enum population_kind kind)
{
    return set >> kind & 1;
}

static bool defines(const struct measure_group *g, enum population_kind kind)
{
    for (size_t i = 0; i < g->n_populations; i++)
        if (g->populations[i].kind == kind)
            return true;
    return false;
}

/* Who is in what follows from who is in what before it: nobody outside the initial population;
 * exclusions only of who would be in; exceptions only of who is not in the numerator. A ratio's
 * numerator is drawn from the initial population, a proportion's from the denominator. */
static unsigned settle(const struct measure *m, const struct measure_group *g, unsigned holds)
{
    bool initial = has(holds, POP_INITIAL) || !defines(g, POP_INITIAL);
    bool denominator = initial && has(holds, POP_DENOMINATOR);
    bool excluded = denominator && has(holds, POP_DENOMINATOR_EXCLUSION);
    bool base = m->scoring == SCORING_RATIO ? initial : denominator && !excluded;
    bool numerator = base && has(holds, POP_NUMERATOR);
    bool measured = initial && has(holds, POP_MEASURE);
    bool in[POP_KINDS] = {
        [POP_INITIAL] = initial,
        [POP_DENOMINATOR] = denominator,
        [POP_DENOMINATOR_EXCLUSION] = excluded,
        [POP_NUMERATOR] = numerator,
        [POP_NUMERATOR_EXCLUSION] = numerator && has(holds, POP_NUMERATOR_EXCLUSION),
        [POP_DENOMINATOR_EXCEPTION] =
            denominator && !excluded && !numerator && has(holds, POP_DENOMINATOR_EXCEPTION),
        [POP_MEASURE] = measured,
        [POP_MEASURE_EXCLUSION] = measured && has(holds, POP_MEASURE_EXCLUSION),
    };
    unsigned set = 0;

    for (int kind = 0; kind < POP_KINDS; kind++)
        set |= in[kind] ? 1U << kind : 0;
    return set;
}

static void count(uint64_t counts[POP_KINDS], unsigned set)
{
    for (int kind = 0; kind < POP_KINDS; kind++)
        counts[kind] += set >> kind & 1;
}

static int list_subject(struct measure *m, struct population *p, struct str reference)
{
    if (p->n_subjects == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 32;
        struct str *v = arena_grow(m->c->a, p->subjects, p->cap * sizeof *v, cap * sizeof *v);
        if (!v)
            return err_no_memory(&m->c->err);
        p->subjects = v;
        p->cap = cap;
    }
    p->subjects[p->n_subjects] = arena_dup(m->c->a, reference);
    return p->subjects[p->n_subjects++].p ? 0 : err_no_memory(&m->c->err);
}

/* The stratum of these values, made if need be. */
static struct stratum *stratum_of(struct measure *m, struct stratifier *s, const struct str *values)
{
    struct stratum *stratum;
    size_t i, k;

    for (i = 0; i < s->n_strata; i++) {
        for (k = 0; k < s->n_criteria && str_eq(s->strata[i].values[k], values[k]); k++)
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
    stratum = &s->strata[s->n_strata++];
    *stratum = (struct stratum){0};
    for (k = 0; k < s->n_criteria; k++) {
        stratum->values[k] = arena_dup(m->c->a, values[k]);
        if (!stratum->values[k].p) {
            err_no_memory(&m->c->err);
            return NULL;
        }
    }
    return stratum;
}

/* What a stratifier says of a subject, as text: "unknown" for nothing. */
static struct str value_text(const struct path_items *items)
{
    const struct path_item *item = items->p;
    struct str text = STR_NULL;

    if (items->n == 1)
        text = item->kind == PATH_ELEMENT ? js_primitive(item->v) : item->text;
    return text.n ? text : STR("unknown");
}

static int stratify(struct measure *m, struct stratifier *s, struct path_env *env,
                    const struct path_item *subject, unsigned set)
{
    struct str values[MEASURE_COMPONENTS_MAX];
    struct stratum *stratum;

    for (size_t i = 0; i < s->n_criteria; i++) {
        struct path_items items = {0};
        int r = evaluate(m, &s->criteria[i], env, subject, &items);
        if (r < 0)
            return r;
        if (items.n > 1)
            return err_set(&m->c->err, ERR_PROCESSING, "%.*s gives several values for one subject",
                           STR_ARG(s->criteria[i].where));
        values[i] = value_text(&items);
    }
    stratum = stratum_of(m, s, values);
    if (!stratum)
        return m->c->err.code;
    count(stratum->counts, set);
    return 0;
}

int measure_subject(struct measure *m, struct path_env *env, const struct path_item *subject,
                    struct str reference)
{
    int r = 0;

    for (size_t i = 0; i < m->n_groups && r >= 0; i++) {
        struct measure_group *g = &m->groups[i];
        unsigned set;
        if ((r = hold(m, g, env, subject, &set)) < 0)
            return r;
        set = settle(m, g, set);
        count(g->counts, set);
        for (size_t k = 0; k < g->n_populations && m->report == REPORT_LIST && r >= 0; k++)
            if (has(set, g->populations[k].kind))
                r = list_subject(m, &g->populations[k], reference);
        for (size_t k = 0; k < g->n_stratifiers && has(set, POP_INITIAL) && r >= 0; k++)
            r = stratify(m, &g->stratifiers[k], env, subject, set);
    }
    return r;
}
