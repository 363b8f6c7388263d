/* measure_composite.c - a Measure made of others (relatedArtifact composed-of, compositeScoring):
 * http://terminology.hl7.org/CodeSystem/composite-measure-scoring.
 *
 * Each group of a part counts as a component. Opportunity adds up what the components counted. The
 * other ways look at individuals: in the composite's denominator is who is in that of a component.
 * All or nothing asks for each numerator of those; linear and weighted give each individual the
 * share of them that was reached, and the composite's score is the mean of the shares.
 */
#include "api/measure_int.h"

enum { DENOMINATOR, NUMERATOR };

enum composite_scoring composite_scoring_of(yyjson_val *resource)
{
    static const struct {
        struct str code;
        enum composite_scoring scoring;
    } codes[] = {{STR("opportunity"), OPPORTUNITY},
                 {STR("all-or-nothing"), ALL_OR_NOTHING},
                 {STR("linear"), LINEAR},
                 {STR("weighted"), WEIGHTED}};
    struct str code = measure_first_code(js_get(resource, "compositeScoring"));

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (str_eq(codes[i].code, code))
            return codes[i].scoring;
    return COMPOSITE_NONE;
}

static int check_part(struct measure *m, const struct measure *part)
{
    struct err *err = &m->c->err;

    if (part->subject_type != m->composite.parts[0].subject_type)
        return err_at(err, ERR_PROCESSING, "Measure.relatedArtifact",
                      "the components of the measure are about different subjects");
    for (size_t i = 0; i < part->n_groups; i++) {
        const struct measure_group *g = &part->groups[i];
        if (g->scoring != SCORING_PROPORTION && g->scoring != SCORING_RATIO)
            return err_at(err, ERR_PROCESSING, "Measure.relatedArtifact",
                          "a component whose scoring is %.*s has no numerator and denominator to "
                          "put together",
                          STR_ARG(scoring_code(g->scoring)));
        if (g->n_observations)
            return err_at(err, ERR_NOT_SUPPORTED, "Measure.relatedArtifact",
                          "components that observe cannot be put together");
        if (g->basis && m->composite.scoring != OPPORTUNITY)
            return err_at(err, ERR_PROCESSING, "Measure.relatedArtifact",
                          "a component that counts %.*s resources says nothing of individuals: "
                          "only opportunity scoring takes it",
                          STR_ARG(def_resource_name(g->basis)));
    }
    return 0;
}

int composite_check(struct measure *m)
{
    struct decimal sum = decimal_i64(0), zero = sum;
    yyjson_val *group, *groups = js_get(m->resource, "group");
    size_t i, n;

    yyjson_arr_foreach(groups, i, n, group) {
        if (yyjson_arr_size(js_get(group, "population")) ||
            yyjson_arr_size(js_get(group, "stratifier")))
            return err_at(&m->c->err, ERR_NOT_SUPPORTED, "Measure.group",
                          "a composite measure has no populations and stratifiers of its own: it "
                          "is made of its components");
    }
    if (n > 1)
        return err_at(&m->c->err, ERR_NOT_SUPPORTED, "Measure.group",
                      "a composite measure has one group at most");
    for (i = 0; i < m->composite.n_parts; i++) {
        int r = check_part(m, &m->composite.parts[i]);
        if (r < 0 || (r = decimal_add(&sum, &m->composite.parts[i].weight, &sum, &m->c->err)) < 0)
            return r;
    }
    if (m->composite.scoring == WEIGHTED && decimal_cmp(&sum, &zero) <= 0)
        return err_at(&m->c->err, ERR_PROCESSING, "Measure.relatedArtifact",
                      "the weights of the components are all zero");
    return 0;
}

int composite_weight(struct measure *m, struct measure *part, yyjson_val *artifact,
                     struct str where)
{
    yyjson_val *v = measure_extension(artifact, "weight", "valueDecimal");

    part->weight = decimal_i64(1);
    if (m->composite.scoring != WEIGHTED)
        return 0;
    if (!js_is_number(v) || decimal_parse(js_str(v), &part->weight, NULL) < 0 ||
        part->weight.negative) {
        err_set(
            &m->c->err, ERR_PROCESSING,
            "a component of a weighted measure has a weight (an extension) that is not negative");
        snprintf(m->c->err.where, sizeof m->c->err.where, "%.*s", STR_ARG(where));
        return m->c->err.code;
    }
    return 0;
}

/* ---- one subject ---- */

static bool has(const struct measure_group *g, uint32_t set, enum population_kind kind)
{
    return g->at[kind] >= 0 && (set >> g->at[kind] & 1);
}

static bool in_denominator(const struct measure_group *g)
{
    return has(g, g->last, POP_DENOMINATOR) && !has(g, g->last, POP_DENOMINATOR_EXCLUSION) &&
           !has(g, g->last, POP_DENOMINATOR_EXCEPTION);
}

static bool in_numerator(const struct measure_group *g)
{
    return has(g, g->last, POP_NUMERATOR) && !has(g, g->last, POP_NUMERATOR_EXCLUSION);
}

/* The weights of the denominators that the subject is in, and of the numerators it reached. */
struct share {
    size_t denominators, numerators;
    struct decimal of, reached;
};

static int add_up(const struct measure *m, struct share *ret)
{
    struct err *err = &m->c->err;
    int r = 0;

    for (size_t i = 0; i < m->composite.n_parts; i++) {
        const struct measure *part = &m->composite.parts[i];
        for (size_t k = 0; k < part->n_groups && r >= 0; k++) {
            if (!in_denominator(&part->groups[k]))
                continue;
            ret->denominators++;
            r = decimal_add(&ret->of, &part->weight, &ret->of, err);
            if (r < 0 || !in_numerator(&part->groups[k]))
                continue;
            ret->numerators++;
            r = decimal_add(&ret->reached, &part->weight, &ret->reached, err);
        }
    }
    return r;
}

static int keep(struct measure *m, int which, struct str reference)
{
    struct composite *c = &m->composite;

    if (m->report != REPORT_LIST)
        return 0;
    return measure_keep_reference(m, &c->subjects[which], &c->n_subjects[which], &c->cap[which],
                                  reference);
}

int composite_subject(struct measure *m, struct str reference)
{
    struct composite *c = &m->composite;
    struct share share = {.of = decimal_i64(0), .reached = decimal_i64(0)};
    struct decimal zero = decimal_i64(0), part;
    int r;

    if (c->scoring == OPPORTUNITY)
        return 0;
    if ((r = add_up(m, &share)) < 0)
        return r;
    /* Where all components have no weight there is no share. */
    if (!share.denominators || !decimal_cmp(&share.of, &zero))
        return 0;
    c->denominator++;
    if ((r = keep(m, DENOMINATOR, reference)) < 0)
        return r;
    if (c->scoring == ALL_OR_NOTHING) {
        if (share.numerators < share.denominators)
            return 0;
        c->numerator++;
        return keep(m, NUMERATOR, reference);
    }
    if ((r = decimal_div(&share.reached, &share.of, &part, &m->c->err)) < 0)
        return r;
    return decimal_add(&c->sum, &part, &c->sum, &m->c->err);
}

/* ---- the whole ---- */

static uint64_t count_of(const struct measure_group *g, enum population_kind kind)
{
    return g->at[kind] < 0 ? 0 : g->tally.counts[g->at[kind]];
}

static void opportunities(const struct measure *m, uint64_t *ret_denominator,
                          uint64_t *ret_numerator)
{
    for (size_t i = 0; i < m->composite.n_parts; i++) {
        const struct measure *part = &m->composite.parts[i];
        for (size_t k = 0; k < part->n_groups; k++) {
            const struct measure_group *g = &part->groups[k];
            *ret_denominator += count_of(g, POP_DENOMINATOR) -
                                count_of(g, POP_DENOMINATOR_EXCLUSION) -
                                count_of(g, POP_DENOMINATOR_EXCEPTION);
            *ret_numerator += count_of(g, POP_NUMERATOR) - count_of(g, POP_NUMERATOR_EXCLUSION);
        }
    }
}

static void counts(const struct measure *m, uint64_t *ret_denominator, uint64_t *ret_numerator)
{
    *ret_denominator = m->composite.denominator;
    *ret_numerator = m->composite.numerator;
    if (m->composite.scoring == OPPORTUNITY)
        opportunities(m, ret_denominator, ret_numerator);
}

bool composite_score(const struct measure *m, struct decimal *ret)
{
    bool by_share = m->composite.scoring == LINEAR || m->composite.scoring == WEIGHTED;
    uint64_t denominator, numerator;
    struct decimal top, bottom;

    counts(m, &denominator, &numerator);
    top = by_share ? m->composite.sum : decimal_i64((int64_t)numerator);
    bottom = decimal_i64((int64_t)denominator);
    return denominator && decimal_div(&top, &bottom, ret, NULL) >= 0;
}

static void write_population(struct sb *out, enum population_kind kind, uint64_t n,
                             const char *list)
{
    sb_fmt(out,
           "{\"code\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
           "measure-population\",\"code\":\"%.*s\"}]},\"count\":%llu",
           STR_ARG(population_code(kind)), (unsigned long long)n);
    if (list)
        sb_fmt(out, ",\"subjectResults\":{\"reference\":\"#list-%s\"}", list);
    sb_char(out, '}');
}

void composite_write(const struct measure *m, struct sb *out)
{
    bool by_share = m->composite.scoring == LINEAR || m->composite.scoring == WEIGHTED;
    bool with_lists = m->report == REPORT_LIST && m->composite.scoring != OPPORTUNITY;
    uint64_t denominator, numerator;

    counts(m, &denominator, &numerator);
    sb_lit(out, "\"population\":[");
    write_population(out, POP_DENOMINATOR, denominator, with_lists ? "1-1" : NULL);
    if (!by_share) {
        sb_char(out, ',');
        write_population(out, POP_NUMERATOR, numerator, with_lists ? "1-2" : NULL);
    }
    sb_char(out, ']');
}
