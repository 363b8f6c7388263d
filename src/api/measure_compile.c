/* measure_compile.c - a Measure's groups, populations and stratifiers (measure.html).
 *
 * What R4's Measure has no element for is said by the extensions of the Quality Measure guides:
 * populationBasis, scoring of a group, criteriaReference, aggregateMethod.
 */
#include "api/measure_int.h"

struct str measure_first_code(yyjson_val *concept)
{
    return js_get_str(yyjson_arr_get_first(js_get(concept, "coding")), "code");
}

yyjson_val *measure_extension(yyjson_val *v, const char *name, const char *member)
{
    static const struct str homes[] = {
        STR("http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-"),
        STR("http://hl7.org/fhir/uv/cqm/StructureDefinition/cqm-"),
    };
    yyjson_val *one;
    size_t i, n;

    yyjson_arr_foreach(js_get(v, "extension"), i, n, one) {
        struct str url = js_get_str(one, "url");
        for (size_t k = 0; k < ARRAY_LEN(homes); k++)
            if (str_starts(url, homes[k]) && str_eq(str_from(url, homes[k].n), str_c(name)))
                return js_get(one, member);
    }
    return NULL;
}

static bool mentions(struct str text, struct str word)
{
    return memmem(text.p, text.n, word.p, word.n) != NULL;
}

int measure_compile_criterion(struct measure *m, yyjson_val *criteria, struct str where,
                              int context, struct criterion *ret)
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
    r = path_compile(c->a, text, def_resource_type(context), &ret->path, &c->err);
    if (r < 0) {
        snprintf(c->err.where, sizeof c->err.where, "%s", at);
        return r;
    }
    ret->where = where;
    m->needs_record |= mentions(text, STR("%record"));
    return 0;
}

/* What observations, stratifiers and the like are asked about. */
static int focus_type(const struct measure *m, const struct measure_group *g)
{
    return g->basis ? g->basis : m->subject_type;
}

static size_t most_of(const struct measure_group *g, enum population_kind kind)
{
    return g->scoring == SCORING_RATIO && (kind == POP_INITIAL || kind == POP_OBSERVATION) ? 2 : 1;
}

static int compile_population(struct measure *m, struct measure_group *g, yyjson_val *v,
                              struct str where)
{
    struct population *p = &g->populations[g->n_populations];
    yyjson_val *concept = js_get(v, "code");
    struct str code = measure_first_code(concept);
    enum population_kind kind = population_of(code);
    struct call *c = m->c;
    size_t n = 0;
    int r;

    if (kind == POP_KINDS)
        return err_at(&c->err, ERR_NOT_SUPPORTED, "Measure.group.population",
                      "the population \"%.*s\" cannot be evaluated here",
                      (int)MIN(code.n, (size_t)64), code.n ? code.p : "");
    if (population_need(g->scoring, kind) == POP_FORBIDDEN)
        return err_at(&c->err, ERR_PROCESSING, "Measure.group.population",
                      "a measure whose scoring is %.*s has no population \"%.*s\"",
                      STR_ARG(scoring_code(g->scoring)), STR_ARG(code));
    for (size_t i = 0; i < g->n_populations; i++)
        n += g->populations[i].kind == kind;
    if (n == most_of(g, kind))
        return err_at(&c->err, ERR_PROCESSING, "Measure.group.population",
                      "a group has too many populations \"%.*s\"", STR_ARG(code));
    *p = (struct population){.kind = kind,
                             .code = concept,
                             .id = js_get_str(v, "id"),
                             .from =
                                 js_str(measure_extension(v, "criteriaReference", "valueString")),
                             .of = -1};
    if (kind == POP_OBSERVATION) {
        p->observed_at = (int)g->n_observations++;
        if ((r = observe_method(m, v, where, &p->aggregate)) < 0)
            return r;
    }
    if (g->at[kind] < 0)
        g->at[kind] = (int)g->n_populations;
    g->n_populations++;
    return measure_compile_criterion(m, js_get(v, "criteria"), where,
                                     kind == POP_OBSERVATION ? focus_type(m, g) : m->subject_type,
                                     &p->criterion);
}

/* The population that another is drawn from, or observes. */
static int link_population(struct measure *m, struct measure_group *g, struct population *p)
{
    enum population_kind kind;

    for (size_t i = 0; i < g->n_populations && p->from.n; i++)
        if (str_eq(g->populations[i].id, p->from))
            p->of = (int)i;
    if (p->from.n && p->of < 0)
        return err_at(&m->c->err, ERR_PROCESSING, "Measure.group.population",
                      "criteriaReference \"%.*s\" is no population of the group",
                      (int)MIN(p->from.n, (size_t)64), p->from.p);
    if (p->kind == POP_OBSERVATION && p->of < 0 && g->scoring == SCORING_CONTINUOUS)
        p->of = g->at[POP_MEASURE];
    kind = p->of < 0 ? POP_KINDS : g->populations[p->of].kind;
    if (p->kind == POP_OBSERVATION && kind != POP_MEASURE && kind != POP_NUMERATOR &&
        kind != POP_DENOMINATOR)
        return err_at(&m->c->err, ERR_PROCESSING, "Measure.group.population",
                      "a measure-observation of a ratio says by criteriaReference whether it "
                      "observes the numerator or the denominator");
    if (p->kind != POP_OBSERVATION && p->of >= 0 && kind != POP_INITIAL)
        return err_at(&m->c->err, ERR_PROCESSING, "Measure.group.population",
                      "criteriaReference of a \"%.*s\" leads to an initial-population",
                      STR_ARG(population_code(p->kind)));
    return 0;
}

/* What the scoring asks for is there, and a ratio observes both sides or none. */
static int check_group(struct measure *m, struct measure_group *g)
{
    bool seen[POP_KINDS] = {false};
    int r;

    for (int kind = 0; kind < POP_KINDS; kind++)
        if (g->at[kind] < 0 &&
            population_need(g->scoring, (enum population_kind)kind) == POP_REQUIRED)
            return err_at(&m->c->err, ERR_PROCESSING, "Measure.group.population",
                          "a measure whose scoring is %.*s needs a population \"%.*s\"",
                          STR_ARG(scoring_code(g->scoring)),
                          STR_ARG(population_code((enum population_kind)kind)));
    for (size_t i = 0; i < g->n_populations; i++) {
        struct population *p = &g->populations[i];
        if ((r = link_population(m, g, p)) < 0)
            return r;
        if (p->kind == POP_OBSERVATION)
            seen[g->populations[p->of].kind] = true;
    }
    if (g->scoring == SCORING_RATIO && g->n_observations &&
        !(seen[POP_NUMERATOR] && seen[POP_DENOMINATOR]))
        return err_at(&m->c->err, ERR_PROCESSING, "Measure.group.population",
                      "a ratio observes both its numerator and its denominator, or neither");
    return 0;
}

static int compile_stratifier(struct measure *m, struct measure_group *g, yyjson_val *v,
                              struct str where)
{
    struct stratifier *s = &g->stratifiers[g->n_stratifiers++];
    yyjson_val *components = js_get(v, "component"), *one;
    size_t i, max;
    int r = 0;

    *s = (struct stratifier){
        .code = js_get(v, "code"), .id = js_get_str(v, "id"), .has_components = components != NULL};
    if (!components) {
        s->n_criteria = 1;
        return measure_compile_criterion(m, js_get(v, "criteria"), where, focus_type(m, g),
                                         &s->criteria[0]);
    }
    if (yyjson_arr_size(components) > MEASURE_COMPONENTS_MAX)
        return err_at(&m->c->err, ERR_COSTLY, "Measure.group.stratifier.component",
                      "a stratifier has more than %d components", MEASURE_COMPONENTS_MAX);
    yyjson_arr_foreach(components, i, max, one) {
        s->component_codes[i] = js_get(one, "code");
        r = measure_compile_criterion(m, js_get(one, "criteria"),
                                      arena_fmt(m->c->a, "%.*s.component[%zu]", STR_ARG(where), i),
                                      focus_type(m, g), &s->criteria[i]);
        if (r < 0)
            return r;
        s->n_criteria++;
    }
    return r;
}

/* The group's own, or the measure's: what is counted. */
static int read_basis(struct measure *m, yyjson_val *group, int *ret)
{
    yyjson_val *v = measure_extension(group, "populationBasis", "valueCode");
    struct str code =
        js_str(v ? v : measure_extension(m->resource, "populationBasis", "valueCode"));

    *ret = 0;
    if (!code.n || str_eq(code, STR("boolean")))
        return 0;
    *ret = def_resource(code);
    if (*ret == m->subject_type)
        *ret = 0;
    else if (!*ret)
        return err_at(&m->c->err, ERR_NOT_SUPPORTED, "Measure.extension",
                      "the population basis \"%.*s\" cannot be counted: boolean and types of "
                      "resources can",
                      (int)MIN(code.n, (size_t)64), code.p);
    return 0;
}

static int read_scoring(struct measure *m, struct str code, enum scoring *ret)
{
    if (!code.n)
        return 0;
    *ret = scoring_of(code);
    if (*ret == SCORINGS)
        return err_at(&m->c->err, ERR_NOT_SUPPORTED, "Measure.scoring",
                      "the scoring \"%.*s\" is not supported", (int)MIN(code.n, (size_t)64),
                      code.p);
    return 0;
}

static int compile_group(struct measure *m, size_t at, yyjson_val *v)
{
    struct measure_group *g = &m->groups[at];
    yyjson_val *populations = js_get(v, "population"), *stratifiers = js_get(v, "stratifier");
    struct arena *a = m->c->a;
    yyjson_val *one;
    size_t i, max;
    int r;

    g->code = js_get(v, "code");
    g->id = js_get_str(v, "id");
    g->scoring = m->scoring;
    for (int kind = 0; kind < POP_KINDS; kind++)
        g->at[kind] = -1;
    if (!yyjson_arr_size(populations))
        return err_at(&m->c->err, ERR_PROCESSING, "Measure.group.population",
                      "a group of the measure has no populations");
    if (yyjson_arr_size(populations) > MEASURE_POPULATIONS_MAX ||
        yyjson_arr_size(stratifiers) > MEASURE_STRATIFIERS_MAX)
        return err_at(&m->c->err, ERR_COSTLY, "Measure.group",
                      "a group has more than %d populations or %d stratifiers",
                      MEASURE_POPULATIONS_MAX, MEASURE_STRATIFIERS_MAX);
    if ((r = read_basis(m, v, &g->basis)) < 0 ||
        (r = read_scoring(
             m, measure_first_code(measure_extension(v, "scoring", "valueCodeableConcept")),
             &g->scoring)) < 0)
        return r;
    m->needs_record |= g->basis != 0;
    yyjson_arr_foreach(populations, i, max, one)
        if ((r = compile_population(m, g, one,
                                    arena_fmt(a, "Measure.group[%zu].population[%zu]", at, i))) < 0)
            return r;
    yyjson_arr_foreach(stratifiers, i, max, one)
        if ((r = compile_stratifier(m, g, one,
                                    arena_fmt(a, "Measure.group[%zu].stratifier[%zu]", at, i))) < 0)
            return r;
    return check_group(m, g);
}

static int read_subject_type(struct measure *m)
{
    struct str code = measure_first_code(js_get(m->resource, "subjectCodeableConcept"));

    m->subject_type = def_resource(code.n ? code : STR("Patient"));
    if (!m->subject_type)
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
    m->scoring = SCORING_COHORT;
    if ((r = read_scoring(m, measure_first_code(js_get(m->resource, "scoring")), &m->scoring)) <
            0 ||
        (r = read_subject_type(m)) < 0)
        return r;
    yyjson_arr_foreach(groups, i, max, v) {
        if ((r = compile_group(m, i, v)) < 0)
            return r;
        m->n_groups++;
    }
    return supplement_compile(m, js_get(m->resource, "supplementalData"));
}
