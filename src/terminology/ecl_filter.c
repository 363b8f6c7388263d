/* ecl_filter.c - filters behind a set: {{ term = "…" }}, {{ C active = true }}.
 *
 * A description filter asks for one description that passes all of it. What only the release format
 * says of a description (cs_detail) is not there for a code system that came as a resource: nothing
 * passes then.
 */
#include "terminology/ecl_int.h"

struct description {
    const struct cs_designation *d;
    const struct cs_detail *detail; /* or NULL */
    bool active;
};

/* ---- descriptions ---- */

/* "900000000000509007+ 900000000000508004-": a reference set, and whether it prefers it. */
static bool has_dialect(const struct ecl *e, const struct criterion *c, struct str dialects)
{
    struct str one;

    while (dialects.n && str_split(&dialects, ' ', &one)) {
        bool preferred = one.n && one.p[one.n - 1] == '+';
        struct str id = str_head(one, one.n ? one.n - 1 : 0);
        uint32_t i = c->concepts ? cs_find(e->cs, id) : CS_NONE;
        for (size_t k = 0; k < c->n; k++)
            if (str_eq(c->choices[k].text, id) &&
                (preferred ? c->choices[k].preferred : c->choices[k].acceptable))
                return true;
        if (i != CS_NONE && bits_has(c->concepts, i) && (preferred ? c->yes : c->no))
            return true;
    }
    return false;
}

static bool has_language(const struct criterion *c, struct str language)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_eq_nocase(c->choices[i].text, language))
            return true;
    return false;
}

static bool has_description_id(const struct criterion *c, uint64_t id)
{
    uint64_t wanted;

    for (size_t i = 0; i < c->n; i++)
        if (str_to_u64(c->choices[i].text, UINT64_MAX, &wanted) && wanted == id)
            return true;
    return false;
}

static bool description_meets(const struct ecl *e, const struct criterion *c,
                              const struct description *x)
{
    const struct cs *cs = e->cs;

    switch (c->kind) {
    case BY_TERM: return criterion_has_text(c, cs_text(cs, x->d->value));
    case BY_LANGUAGE: return has_language(c, cs_text(cs, x->d->language));
    case BY_TYPE: return criterion_has_id(e, c, cs_text(cs, x->d->use_code));
    case BY_ACTIVE: return x->active ? c->yes : c->no;
    case BY_DIALECT: return x->detail && has_dialect(e, c, cs_text(cs, x->detail->dialects));
    case BY_MODULE: return x->detail && criterion_has_id(e, c, cs_text(cs, x->detail->module));
    case BY_TIME: return x->detail && criterion_has_time(c, x->detail->time);
    default: return x->detail && has_description_id(c, x->detail->id);
    }
}

static bool description_passes(const struct ecl *e, const struct criterion *c,
                               const struct description *x)
{
    for (; c; c = c->next)
        if (description_meets(e, c, x) != (c->cmp != CMP_NE))
            return false;
    return true;
}

static bool has_description(struct ecl *e, const struct criterion *c, uint32_t i, bool retired)
{
    size_t n, n_retired = 0;
    const struct cs_designation *d = cs_designations(e->cs, i, &n);
    const struct cs_detail *details = cs_details(e->cs, i);
    const struct cs_retired *old = retired ? cs_retired(e->cs, i, &n_retired) : NULL;

    e->cost += 1 + n + n_retired;
    for (size_t k = 0; k < n; k++)
        if (description_passes(e, c,
                               &(struct description){&d[k], details ? &details[k] : NULL, true}))
            return true;
    for (size_t k = 0; k < n_retired; k++)
        if (description_passes(e, c, &(struct description){&old[k].d, &old[k].detail, false}))
            return true;
    return false;
}

/* ---- concepts ---- */

static struct str property(const struct cs *cs, uint32_t i, int def)
{
    size_t n;
    const struct cs_property *p = cs_properties(cs, i, &n);

    for (size_t k = 0; k < n; k++)
        if ((int)p[k].def == def)
            return cs_text(cs, p[k].value);
    return STR("");
}

static bool concept_meets(const struct ecl *e, const struct criterion *c, uint32_t i)
{
    static const struct str names[] = {[BY_MODULE] = STR(SNOMED_MODULE),
                                       [BY_TIME] = STR(SNOMED_TIME),
                                       [BY_STATUS] = STR(SNOMED_DEFINED)};
    struct str value;
    uint64_t time = 0;

    if (c->kind == BY_ACTIVE)
        return cs_at(e->cs, i)->flags & CONCEPT_INACTIVE ? c->no : c->yes;
    value = property(e->cs, i, cs_property_find(e->cs, names[c->kind]));
    if (c->kind == BY_MODULE)
        return criterion_has_id(e, c, value);
    if (c->kind == BY_STATUS)
        return str_eq(value, STR("true")) ? c->yes : c->no;
    str_to_u64(value, UINT32_MAX, &time);
    return criterion_has_time(c, (uint32_t)time);
}

static bool concept_passes(struct ecl *e, const struct criterion *c, uint32_t i)
{
    for (; c; c = c->next) {
        e->cost += 10; /* properties */
        if (concept_meets(e, c, i) != (c->cmp != CMP_NE))
            return false;
    }
    return true;
}

int ecl_filter(struct ecl *e, uint64_t *to)
{
    bool of_concept = ecl_take(e, STR("C")), retired;
    struct criterion *c;
    int r;

    if (!of_concept)
        ecl_take(e, STR("D"));
    r = ecl_criteria(e, of_concept ? OF_CONCEPT : OF_DESCRIPTION, &c);
    /* What is not asked for by its state is active. */
    retired = r >= 0 && criteria_have(c, BY_ACTIVE);
    for (uint32_t i = bits_next(to, cs_n(e->cs), 0); r >= 0 && i != CS_NONE;
         i = bits_next(to, cs_n(e->cs), i + 1))
        if ((r = ecl_check_cost(e)) >= 0 &&
            !(of_concept ? concept_passes(e, c, i) : has_description(e, c, i, retired)))
            to[i / 64] &= ~(UINT64_C(1) << i % 64);
    return r;
}
