/* conform_answer.c - an answer against what the extensions of its question ask for: least and most,
 * length, a pattern, places behind the point, units, what may be attached or referred to, how
 * often.
 *
 * Source: http://hl7.org/fhir/R4/questionnaire-profiles.html (the extensions' definitions).
 */
#include "fhir/conform_response_int.h"

#include "fhir/decimal.h"
#include "fhir/path_int.h"

#define EXTENSION(name) STR("http://hl7.org/fhir/StructureDefinition/" name)

yyjson_val *response_extension(yyjson_val *of, struct str url)
{
    yyjson_val *v, *key, *val;
    size_t i, n, j, m;

    yyjson_arr_foreach(js_get(of, "extension"), i, n, v) {
        if (!str_eq(js_get_str(v, "url"), url))
            continue;
        yyjson_obj_foreach(v, j, m, key, val) {
            if (str_starts(js_str(key), STR("value")))
                return val;
        }
    }
    return NULL;
}

static bool count_of(yyjson_val *question, struct str url, uint64_t *ret)
{
    return str_to_u64(js_str(response_extension(question, url)), INT32_MAX, ret);
}

static void check_range(struct response *r, yyjson_val *question, yyjson_val *v, struct str type,
                        const struct place *at)
{
    struct str link_id = js_get_str(question, "linkId");
    yyjson_val *min = response_extension(question, EXTENSION("minValue"));
    yyjson_val *max = response_extension(question, EXTENSION("maxValue"));
    const struct def_type *t = response_type(type);

    if (t && min && value_compare(v, min, t) == -1)
        response_say(r, ISSUE_ERROR, "value", at, link_id, "is less than the questionnaire allows");
    if (t && max && value_compare(v, max, t) == 1)
        response_say(r, ISSUE_ERROR, "value", at, link_id, "is more than the questionnaire allows");
}

/* Digits behind the point, as they are written. */
static size_t written_places(struct str literal)
{
    ptrdiff_t point = str_find(literal, '.');
    struct str rest = point < 0 ? STR("") : str_from(literal, (size_t)point + 1);
    size_t n = 0;

    while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9')
        n++;
    return n;
}

/* 1 where it matches, also where the pattern cannot be asked. */
static int has_pattern(struct response *r, struct str pattern, struct str text)
{
    struct path_env env = {.a = r->c->scratch};
    const struct path_regex *regex;
    struct err why;
    int result = path_regex_compile(r->c->scratch, pattern, &regex, &why);

    if (result >= 0)
        result = path_regex_match(&env, regex, text, true, &why);
    arena_reset(r->c->scratch);
    return result == ERR_NO_MEMORY ? err_no_memory(r->c->err) : result != 0;
}

static int check_text(struct response *r, yyjson_val *question, yyjson_val *v,
                      const struct place *at)
{
    struct str link_id = js_get_str(question, "linkId");
    struct str pattern = js_str(response_extension(question, EXTENSION("regex")));
    uint64_t least;
    int result = 1;

    if (count_of(question, EXTENSION("minLength"), &least) && value_length(v) < least)
        response_say(r, ISSUE_ERROR, "value", at, link_id,
                     "is shorter than the questionnaire allows");
    if (pattern.n)
        result = has_pattern(r, pattern, js_str(v));
    if (result == 0)
        response_say(r, ISSUE_ERROR, "value", at, link_id,
                     "does not have the pattern that the questionnaire asks for");
    return MIN(result, 0);
}

static void check_attachment(struct response *r, yyjson_val *question, yyjson_val *v,
                             const struct place *at)
{
    struct str link_id = js_get_str(question, "linkId"), type = js_get_str(v, "contentType");
    yyjson_val *mega = response_extension(question, EXTENSION("maxSize")), *one;
    bool is_limited = false, is_allowed = false;
    struct decimal most, size, million;
    size_t i, n;

    yyjson_arr_foreach(js_get(question, "extension"), i, n, one) {
        if (!str_eq(js_get_str(one, "url"), EXTENSION("mimeType")))
            continue;
        is_limited = true;
        is_allowed |= str_eq(js_get_str(one, "valueCode"), type);
    }
    if (is_limited && !is_allowed)
        response_say(r, ISSUE_ERROR, "value", at, link_id,
                     "is of a media type that the questionnaire does not allow");
    if (!mega || !js_get(v, "size") || decimal_parse(js_str(mega), &most, NULL) < 0 ||
        decimal_parse(js_str(js_get(v, "size")), &size, NULL) < 0 ||
        decimal_parse(STR("1000000"), &million, NULL) < 0 ||
        decimal_mul(&most, &million, &most, NULL) < 0)
        return;
    if (decimal_cmp(&size, &most) > 0)
        response_say(r, ISSUE_ERROR, "too-long", at, link_id,
                     "is larger than the questionnaire allows");
}

/* "Patient/1", or what Reference.type says. */
static void check_reference_type(struct response *r, yyjson_val *question, yyjson_val *v,
                                 const struct place *at)
{
    struct str reference = js_get_str(v, "reference"), type = js_get_str(v, "type");
    ptrdiff_t slash = str_find(reference, '/');
    bool is_limited = false, is_allowed = false;
    yyjson_val *one;
    size_t i, n;

    if (!type.n && slash > 0 && def_resource(str_head(reference, (size_t)slash)))
        type = str_head(reference, (size_t)slash);
    yyjson_arr_foreach(js_get(question, "extension"), i, n, one) {
        if (!str_eq(js_get_str(one, "url"), EXTENSION("questionnaire-referenceResource")))
            continue;
        is_limited = true;
        is_allowed |= str_eq(js_get_str(one, "valueCode"), type);
    }
    if (type.n && is_limited && !is_allowed)
        response_say(r, ISSUE_ERROR, "value", at, js_get_str(question, "linkId"),
                     "refers to a resource of a type that the questionnaire does not allow");
}

/* A unit without a code is known by its text. */
static bool is_unit(yyjson_val *option, yyjson_val *quantity)
{
    struct str code = js_get_str(quantity, "code"), unit = js_get_str(quantity, "unit");

    if (code.n)
        return str_eq(js_get_str(option, "code"), code) &&
               str_eq(js_get_str(option, "system"), js_get_str(quantity, "system"));
    return unit.n && (str_eq(js_get_str(option, "display"), unit) ||
                      str_eq(js_get_str(option, "code"), unit));
}

/* One of the units that are offered, or of their value set; both may be there. */
static int check_unit(struct response *r, yyjson_val *question, yyjson_val *v,
                      const struct place *at)
{
    struct profile_binding binding = {
        .strength = DEF_REQUIRED,
        .value_set = js_str(response_extension(question, EXTENSION("questionnaire-unitValueSet")))};
    struct item item = {.v = v, .type = def_type(STR("Quantity")), .index = -1};
    struct str link_id = js_get_str(question, "linkId");
    bool is_limited = false;
    yyjson_val *one;
    size_t i, n;

    yyjson_arr_foreach(js_get(question, "extension"), i, n, one) {
        if (!str_eq(js_get_str(one, "url"), EXTENSION("questionnaire-unitOption")))
            continue;
        is_limited = true;
        if (is_unit(js_get(one, "valueCoding"), v))
            return 0;
    }
    if (binding.value_set.n)
        return conform_binding(r->c, NULL, link_id, &binding, &item, at);
    if (is_limited)
        response_say(r, ISSUE_ERROR, "code-invalid", at, link_id,
                     "has a unit that the questionnaire does not offer");
    return 0;
}

int response_answer(struct response *r, yyjson_val *question, yyjson_val *v, struct str type,
                    const struct place *at)
{
    uint64_t places;

    check_range(r, question, v, type, at);
    if (str_eq(type, STR("Decimal")) &&
        count_of(question, EXTENSION("maxDecimalPlaces"), &places) &&
        written_places(js_str(v)) > places)
        response_say(r, ISSUE_ERROR, "value", at, js_get_str(question, "linkId"),
                     "has more places behind the point than the questionnaire allows");
    if (str_eq(type, STR("Attachment")))
        check_attachment(r, question, v, at);
    if (str_eq(type, STR("Reference")))
        check_reference_type(r, question, v, at);
    if (str_eq(type, STR("Quantity")))
        return check_unit(r, question, v, at);
    return str_eq(type, STR("String")) || str_eq(type, STR("Uri")) ? check_text(r, question, v, at)
                                                                   : 0;
}

void response_occurs(struct response *r, yyjson_val *question, size_t n, const struct place *at)
{
    struct str link_id = js_get_str(question, "linkId");
    uint64_t least, most;

    if (n && count_of(question, EXTENSION("questionnaire-minOccurs"), &least) && n < least)
        response_say(r, r->is_finished ? ISSUE_ERROR : ISSUE_INFORMATION, "required", at, link_id,
                     "has fewer answers than the questionnaire asks for");
    if (count_of(question, EXTENSION("questionnaire-maxOccurs"), &most) && n > most)
        response_say(r, ISSUE_ERROR, "structure", at, link_id,
                     "has more answers than the questionnaire allows");
}
