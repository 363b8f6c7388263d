/* terms_vs.c - value sets of a scope: compiled once, and never while they are being compiled. */
#include "terminology/terms_int.h"

#include "terminology/canonical.h"
#include "terminology/grammar.h"
#include "terminology/implied.h"
#include "terminology/resource.h"

#define UCUM_SETS GRAMMAR_UCUM_URL "/vs"

/* "a > b > a" */
static int refuse_ring(const struct vs_path *path, struct str canonical, struct err *err)
{
    char ring[ERR_TEXT_MAX / 2] = "";
    size_t n = 0;

    for (const struct vs_path *p = path; p && n < sizeof ring; p = p->outer) {
        n += (size_t)snprintf(ring + n, sizeof ring - n, " < %.*s", (int)MIN(p->canonical.n, 80u),
                              p->canonical.p);
        if (str_eq(p->canonical, canonical))
            break;
    }
    return err_set(err, ERR_PROCESSING, "the value set \"%.*s\" contains itself: %.*s%s",
                   (int)MIN(canonical.n, 100u), canonical.p, (int)MIN(canonical.n, 80u),
                   canonical.p, ring);
}

static int check_path(const struct vs_path *path, struct str canonical, struct err *err)
{
    if (path && path->depth >= TERMS_VALUE_SET_DEPTH_MAX)
        return err_set(err, ERR_COSTLY, "value sets contain each other deeper than %d",
                       TERMS_VALUE_SET_DEPTH_MAX);
    for (const struct vs_path *p = path; p; p = p->outer) {
        struct str version, url = canonical_split(p->canonical, &version);
        struct str other, wanted = canonical_split(canonical, &other);
        if (str_eq(p->canonical, canonical) || (str_eq(url, wanted) && !other.n))
            return refuse_ring(path, p->canonical, err);
    }
    return 0;
}

/* A filter of an implicit value set: what stands behind the name of the system, up to a value. */
static const struct implicit {
    struct str prefix, property, op, before; /* before: of the value */
} filters[] = {
    {STR("=isa/"), STR("concept"), STR("is-a"), STR("")},
    {STR("=refset/"), STR("constraint"), STR("="), STR("^")},
    {STR("=refset"), STR("constraint"), STR("="), STR("<900000000000455006")},
    {STR("=ecl/"), STR("constraint"), STR("="), STR("")},
    {STR("/"), STR("canonical"), STR("="), STR("")}, /* of units */
};

/* Nothing where it is none that we know. */
static bool write_filter(struct sb *b, struct str what)
{
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        if (str_starts(what, filters[i].prefix)) {
            _cleanup_(sb_done) struct sb value = sb_make(KIB(64));
            sb_str(&value, filters[i].before);
            sb_str(&value, str_from(what, filters[i].prefix.n));
            sb_fmt(b, ",\"filter\":[{\"property\":\"%s\",\"op\":\"%s\",\"value\":",
                   filters[i].property.p, filters[i].op.p);
            sb_json(b, sb_view(&value));
            sb_lit(b, "}]");
            b->failed |= value.failed;
            return true;
        }
    return !what.n;
}

/* Value sets that need no resource (snomedct.html, loinc.html, ucum.html): SYSTEM?fhir_vs has all
 * codes of a system, =isa/CODE those of a part of it, =refset/CODE those of a reference set,
 * =refset the reference sets, =ecl/… those of an expression constraint; http://loinc.org/vs all of
 * LOINC; http://unitsofmeasure.org/vs all units, …/vs/UNIT those that measure the same;
 * CodeSystem.valueSet all of that system.
 */
static int implicit(struct terms_scope *s, struct str canonical, yyjson_val **ret, struct err *err)
{
    int r = 0;
    struct str version, url = canonical_split(canonical, &version), system = STR_NULL, what;
    _cleanup_(sb_done) struct sb b = sb_make(KIB(64));
    ptrdiff_t at = str_find(url, '?');

    *ret = NULL;
    what = at < 0 ? STR("") : str_from(url, (size_t)at + 1);
    if (str_starts(what, STR("fhir_vs"))) {
        system = str_head(url, (size_t)at);
        what = str_from(what, 7);
    } else if (str_eq(url, STR(UCUM_SETS)) || str_starts(url, STR(UCUM_SETS "/"))) {
        system = STR(GRAMMAR_UCUM_URL);
        what = str_from(url, sizeof UCUM_SETS - 1);
    } else if (str_eq(url, STR("http://loinc.org/vs"))) {
        system = STR("http://loinc.org");
    } else {
        what = STR("");
        r = implied_system(s, canonical, &system, &version, err);
    }
    if (r < 0 || !system.n)
        return r;
    sb_lit(&b, "{\"resourceType\":\"ValueSet\",\"status\":\"active\",\"url\":");
    sb_json(&b, url);
    sb_lit(&b, ",\"compose\":{\"include\":[{\"system\":");
    sb_json(&b, system);
    if (version.n) {
        sb_lit(&b, ",\"version\":");
        sb_json(&b, version);
    }
    if (!write_filter(&b, what))
        return 0;
    sb_lit(&b, "}]}}");
    return b.failed ? err_no_memory(err) : js_parse(s->a, sb_view(&b), ret, err);
}

/* The canonical with the version that the question names for it. */
static int pin(struct terms_scope *s, struct str *canonical, struct err *err)
{
    struct str version, url = canonical_split(*canonical, &version), joined;
    int r = terms_settle_version(s, url, &version, err);

    if (r < 0 || !version.n || !url.n)
        return r;
    joined = arena_join(s->a, (const struct str[]){url, STR("|"), version}, 3);
    if (!joined.p)
        return err_no_memory(err);
    *canonical = joined;
    return 0;
}

int terms_value_set_in(struct terms_scope *s, struct str canonical, const struct vs_path *path,
                       struct vs **ret, struct err *err)
{
    struct vs_path here = {canonical, path, path ? path->depth + 1 : 1};
    uint64_t generation = terms_generation(s->t);
    struct vs *vs = NULL;
    yyjson_val *root;
    void *what;
    int r = s->n_pins ? pin(s, &here.canonical, err) : 0;

    *ret = NULL;
    canonical = here.canonical;
    if (r < 0 || (r = check_path(path, canonical, err)) < 0 || !canonical.n)
        return r;
    r = terms_kept_get(s, KEPT_VS, canonical, &what, err);
    if (r > 0)
        *ret = what;
    if (r != 0)
        return r < 0 ? r : 0;
    if (s->quick)
        return terms_not_quick(err);
    r = terms_resource(s, "ValueSet", canonical, &root, err);
    if (r >= 0 && !root)
        r = implicit(s, canonical, &root, err);
    if (r >= 0 && root)
        r = vs_compile(s, root, NULL, &here, &vs, err);
    if (r >= 0)
        r = terms_kept_put(s, KEPT_VS, canonical, vs, generation, err);
    if (r >= 0)
        *ret = vs;
    return r;
}

int terms_value_set_within(struct terms_scope *s, yyjson_val *container, struct str id,
                           const struct vs_path *path, struct vs **ret, struct err *err)
{
    yyjson_val *root = terms_contained(container, STR("ValueSet"), id);
    struct str url = js_get_str(container, "url");
    struct vs_path here = {
        arena_join(s->a, (const struct str[]){url.p ? url : STR(""), STR("#"), id}, 3), path,
        path ? path->depth + 1 : 1};
    struct vs *vs;
    int r;

    *ret = NULL;
    if (!here.canonical.p)
        return err_no_memory(err);
    if (!root)
        return 0;
    if ((r = check_path(path, here.canonical, err)) < 0 ||
        (r = vs_compile(s, root, container, &here, &vs, err)) < 0 ||
        (r = terms_hold(s, KEPT_VS, STR(""), vs, err)) < 0)
        return r;
    *ret = vs;
    return 0;
}

int terms_value_set(struct terms_scope *s, struct str canonical, struct vs **ret, struct err *err)
{
    return terms_value_set_in(s, canonical, NULL, ret, err);
}

int terms_value_set_of(struct terms_scope *s, yyjson_val *resource, struct vs **ret,
                       struct err *err)
{
    struct vs_path here = {js_get_str(resource, "url"), NULL, 1};
    struct vs *vs;
    int r;

    if (s->quick)
        return terms_not_quick(err);
    if (!here.canonical.p)
        here.canonical = STR("(the value set of the request)");
    r = vs_compile(s, resource, NULL, &here, &vs, err);
    if (r >= 0)
        r = terms_hold(s, KEPT_VS, STR(""), vs, err);
    if (r >= 0)
        *ret = vs;
    return r;
}
