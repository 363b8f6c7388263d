#include "terminology/supplement.h"

#include "terminology/canonical.h"

#define VS_SUPPLEMENT "http://hl7.org/fhir/StructureDefinition/valueset-supplement"
#define SUPPLEMENT_TYPE "http://hl7.org/fhir/StructureDefinition/codesystem-supplement-type"

int supplement_add(struct terms_scope *s, struct str canonical, struct supplements *to,
                   struct err *err)
{
    struct str version, url = canonical_split(canonical, &version);
    struct cs *cs;
    int r = terms_code_system(s, url, version, &cs, err);

    if (r < 0)
        return r;
    if (!cs)
        return err_set(err, ERR_NOT_FOUND,
                       "the supplement \"%.*s\" of the value set is not known here",
                       (int)MIN(canonical.n, 200u), canonical.p);
    for (size_t i = 0; i < to->n; i++)
        if (to->v[i] == cs)
            return 0;
    if (to->n == SUPPLEMENTS_MAX)
        return err_set(err, ERR_COSTLY, "a question may have %d supplements", SUPPLEMENTS_MAX);
    to->v[to->n++] = cs;
    return 0;
}

static bool is_language_pack(yyjson_val *resource)
{
    yyjson_val *v;
    size_t i, n;

    if (!str_eq(js_get_str(resource, "resourceType"), STR("CodeSystem")) ||
        !str_eq(js_get_str(resource, "content"), STR("supplement")))
        return false;
    yyjson_arr_foreach(js_get(resource, "extension"), i, n, v) {
        if (str_eq(js_get_str(v, "url"), STR(SUPPLEMENT_TYPE)) &&
            str_eq(js_get_str(v, "valueCode"), STR("lang-pack")))
            return true;
    }
    return false;
}

int supplements_of(struct terms_scope *s, const struct vs *vs, struct supplements *to,
                   struct err *err)
{
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(vs ? vs->source : NULL, "extension"), i, n, v) {
        if (r >= 0 && str_eq(js_get_str(v, "url"), STR(VS_SUPPLEMENT)) &&
            js_get_str(v, "valueCanonical").n)
            r = supplement_add(s, js_get_str(v, "valueCanonical"), to, err);
    }
    for (i = 0; r >= 0 && i < s->n_extra; i++)
        if (is_language_pack(s->extra[i]) && js_get_str(s->extra[i], "url").n)
            r = supplement_add(s, js_get_str(s->extra[i], "url"), to, err);
    return r;
}

bool supplement_is_of(const struct cs *supplement, struct str system)
{
    struct str version,
        url = canonical_split(cs_text(supplement, cs_info(supplement)->supplements), &version);

    return !url.n || str_eq(url, system);
}
