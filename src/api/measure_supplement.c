/* measure_supplement.c - supplemental data (Measure.supplementalData): what is known besides of
 * those in an initial population, as contained Observations that evaluatedResource refers to.
 *
 * R4 says that there are such data, and not how a report tells them. Each value is an Observation
 * whose code is the datum's; one of many subjects has how many there are as a component. Which
 * datum of which measure it is says cqf-measureInfo.
 */
#include "api/measure_int.h"

int supplement_compile(struct measure *m, yyjson_val *list)
{
    yyjson_val *v;
    size_t i, max;
    int r;

    if (yyjson_arr_size(list) > MEASURE_SUPPLEMENTS_MAX)
        return err_at(&m->c->err, ERR_COSTLY, "Measure.supplementalData",
                      "a measure has more than %d supplemental data", MEASURE_SUPPLEMENTS_MAX);
    yyjson_arr_foreach(list, i, max, v) {
        struct supplement *s = &m->supplements[m->n_supplements++];
        *s = (struct supplement){.code = js_get(v, "code"), .id = js_get_str(v, "id")};
        r = measure_compile_criterion(m, js_get(v, "criteria"),
                                      arena_fmt(m->c->a, "Measure.supplementalData[%zu]", i),
                                      m->subject_type, &s->criterion);
        if (r < 0)
            return r;
    }
    return 0;
}

static int count_value(struct measure *m, struct supplement *s, const struct measured *value)
{
    size_t i = 0;
    int r;

    while (i < s->n_values && !str_eq(s->values[i].value.key, value->key))
        i++;
    if (i == MEASURE_STRATA_MAX)
        return err_set(&m->c->err, ERR_COSTLY, "%.*s has more than %d values",
                       STR_ARG(s->criterion.where), MEASURE_STRATA_MAX);
    if (i == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 8;
        struct supplement_value *v =
            arena_grow(m->c->a, s->values, s->cap * sizeof *v, cap * sizeof *v);
        if (!v)
            return err_no_memory(&m->c->err);
        s->values = v;
        s->cap = cap;
    }
    if (i == s->n_values) {
        s->values[i] = (struct supplement_value){0};
        if ((r = measure_value_keep(m, value, &s->values[i].value)) < 0)
            return r;
        s->n_values++;
    }
    s->values[i].n++;
    return 0;
}

/* A datum may have several values, and none. */
int supplement_subject(struct measure *m, struct path_env *env, const struct path_item *subject)
{
    int r = 0;

    for (size_t i = 0; i < m->n_supplements && r >= 0; i++) {
        struct supplement *s = &m->supplements[i];
        struct path_items items = {0};

        r = measure_criterion(m, &s->criterion, env, subject, &items);
        for (size_t k = 0; k < items.n && r >= 0; k++) {
            struct path_items one = {.p = &items.p[k], .n = 1, .cap = 1};
            struct measured value;

            r = measure_value(m, env->a, &s->criterion, &one, &value);
            if (r >= 0)
                r = count_value(m, s, &value);
        }
    }
    return r;
}

static void write_one(const struct measure *m, size_t at, size_t value, struct sb *out)
{
    const struct supplement *s = &m->supplements[at];
    const struct supplement_value *v = &s->values[value];

    sb_fmt(out, "{\"resourceType\":\"Observation\",\"id\":\"supplement-%zu-%zu\"", at + 1,
           value + 1);
    sb_lit(out, ",\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/"
                "cqf-measureInfo\",\"extension\":[{\"url\":\"measure\",\"valueCanonical\":");
    measure_write_canonical(m, out);
    sb_char(out, '}');
    if (s->id.n) {
        sb_lit(out, ",{\"url\":\"populationId\",\"valueString\":");
        sb_json(out, s->id);
        sb_char(out, '}');
    }
    sb_lit(out, "]}],\"status\":\"final\",\"code\":");
    if (s->code)
        js_write(out, s->code);
    else
        sb_fmt(out, "{\"text\":\"supplemental data %zu\"}", at + 1);
    sb_lit(out, ",\"valueCodeableConcept\":");
    sb_str(out, v->value.concept);
    if (m->report != REPORT_INDIVIDUAL)
        sb_fmt(out, ",\"component\":[{\"code\":{\"text\":\"subjects\"},\"valueInteger\":%llu}]",
               (unsigned long long)v->n);
    sb_char(out, '}');
}

void supplement_write(const struct measure *m, struct measure_list *list)
{
    for (size_t i = 0; i < m->n_supplements; i++)
        for (size_t k = 0; k < m->supplements[i].n_values; k++) {
            measure_list_next(list);
            write_one(m, i, k, list->out);
        }
}

void supplement_write_references(const struct measure *m, struct measure_list *list)
{
    for (size_t i = 0; i < m->n_supplements; i++)
        for (size_t k = 0; k < m->supplements[i].n_values; k++) {
            measure_list_next(list);
            sb_fmt(list->out, "{\"reference\":\"#supplement-%zu-%zu\"}", i + 1, k + 1);
        }
}
