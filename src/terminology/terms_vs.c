/* terms_vs.c - value sets of a scope: compiled once, and never while they are being compiled. */
#include "terminology/terms_int.h"

#include "terminology/canonical.h"
#include "terminology/resource.h"

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

/* The value set of all codes of a system: the url of its `valueSet`, or (for SNOMED CT and LOINC)
 * one that says how it is made. */
static int implicit(struct terms_scope *s, struct str canonical, yyjson_val **ret, struct err *err)
{
    struct str version, url = canonical_split(canonical, &version), json = STR_NULL;
    struct str snomed = STR("http://snomed.info/sct"), loinc = STR("http://loinc.org/vs");
    ptrdiff_t at = str_find(url, '?');
    struct str query = at < 0 ? STR("") : str_from(url, (size_t)at + 1);
    _cleanup_(sb_done) struct sb b = sb_make(KIB(16));

    *ret = NULL;
    if (str_starts(url, snomed) && str_starts(query, STR("fhir_vs"))) {
        struct str what = str_from(query, 7);
        sb_lit(&b, "{\"resourceType\":\"ValueSet\",\"status\":\"active\",\"url\":");
        sb_json(&b, url);
        sb_lit(&b, ",\"compose\":{\"include\":[{\"system\":\"http://snomed.info/sct\"");
        if (str_starts(what, STR("=isa/"))) {
            sb_lit(&b, ",\"filter\":[{\"property\":\"concept\",\"op\":\"is-a\",\"value\":");
            sb_json(&b, str_from(what, 5));
            sb_lit(&b, "}]");
        } else if (str_starts(what, STR("=ecl/"))) {
            sb_lit(&b, ",\"filter\":[{\"property\":\"constraint\",\"op\":\"=\",\"value\":");
            sb_json(&b, str_from(what, 5));
            sb_lit(&b, "}]");
        } else if (what.n) {
            return 0;
        }
        sb_lit(&b, "}]}}");
        json = sb_view(&b);
    } else if (str_eq(url, loinc)) {
        json = STR("{\"resourceType\":\"ValueSet\",\"status\":\"active\",\"url\":"
                   "\"http://loinc.org/vs\",\"compose\":{\"include\":[{\"system\":"
                   "\"http://loinc.org\"}]}}");
    }
    return json.n ? js_parse(s->a, json, ret, err) : 0;
}

int terms_value_set_in(struct terms_scope *s, struct str canonical, const struct vs_path *path,
                       struct vs **ret, struct err *err)
{
    struct vs_path here = {canonical, path, path ? path->depth + 1 : 1};
    uint64_t generation = terms_generation(s->t);
    struct vs *vs = NULL;
    yyjson_val *root;
    void *what;
    int r = check_path(path, canonical, err);

    if (r < 0)
        return r;
    r = terms_kept_get(s, KEPT_VS, canonical, &what, err);
    if (r > 0)
        *ret = what;
    if (r != 0)
        return r < 0 ? r : 0;
    r = terms_resource(s, "ValueSet", canonical, &root, err);
    if (r >= 0 && !root)
        r = implicit(s, canonical, &root, err);
    if (r >= 0 && root)
        r = vs_compile(s, root, &here, &vs, err);
    if (r >= 0)
        r = terms_kept_put(s, KEPT_VS, canonical, vs, generation, err);
    if (r >= 0)
        *ret = vs;
    return r;
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

    if (!here.canonical.p)
        here.canonical = STR("(the value set of the request)");
    r = vs_compile(s, resource, &here, &vs, err);
    if (r >= 0)
        r = terms_hold(s, KEPT_VS, STR(""), vs, err);
    if (r >= 0)
        *ret = vs;
    return r;
}
