/* case_says.c - what a record says by the rules of a disease or a fact. */
#include "surveillance/case_definition.h"

#include "fhir/ucum.h"

/* ---- codes ---- */

/* Whether a code is the rule's, lies below it, or is a cluster with such a stem. */
static bool is_below(struct str code, struct str rule)
{
    return str_starts(code, rule) && (code.n == rule.n || code.p[rule.n] == '.' ||
                                      code.p[rule.n] == '&' || code.p[rule.n] == '/');
}

static bool has_code(const struct case_code *codes, size_t n, yyjson_val *concept)
{
    yyjson_val *coding;
    size_t i, max;

    yyjson_arr_foreach(js_get(concept, "coding"), i, max, coding) {
        struct str system = js_get_str(coding, "system"), code = js_get_str(coding, "code");
        for (size_t k = 0; k < n; k++)
            if (str_eq(system, codes[k].system) && is_below(code, codes[k].code))
                return true;
    }
    return false;
}

/* Whether one of a concept's codes is among words with blanks between them. */
static bool has_word(yyjson_val *concept, const char *words)
{
    yyjson_val *coding;
    size_t i, max;

    yyjson_arr_foreach(js_get(concept, "coding"), i, max, coding) {
        struct str rest = str_c(words), word, code = js_get_str(coding, "code");
        while (str_split(&rest, ' ', &word))
            if (code.n && str_eq(code, word))
                return true;
    }
    return false;
}

static bool any_has_word(yyjson_val *concepts, const char *words)
{
    yyjson_val *concept;
    size_t i, max;

    yyjson_arr_foreach(concepts, i, max, concept)
        if (has_word(concept, words))
            return true;
    return false;
}

/* ---- quantities ---- */

/* What a Quantity, or an integer, says in canonical units: a value, or with a comparator all values
 * to one side of it. False where it is not in a unit of UCUM: it cannot be compared. */
struct measured {
    struct decimal value;
    char unit[UCUM_UNIT_MAX];
    bool is_range;
    enum bound_kind side; /* is_range */
};

static bool measure(yyjson_val *observation, struct measured *ret)
{
    yyjson_val *quantity = js_get(observation, "valueQuantity");
    yyjson_val *integer = js_get(observation, "valueInteger");
    yyjson_val *number = integer ? integer : js_get(quantity, "value");
    struct str comparator = js_get_str(quantity, "comparator");
    struct str unit = integer ? STR("1") : js_get_str(quantity, "code");
    struct decimal value;
    struct err err;

    if (!js_is_number(number) || decimal_parse(js_str(number), &value, &err) < 0 ||
        (!integer && !str_eq(js_get_str(quantity, "system"), STR(UCUM_SYSTEM))) || !unit.n ||
        ucum_canonical(unit, &value, ret->unit, &ret->value, &err) < 0)
        return false;
    ret->is_range = comparator.n;
    if (ret->is_range && !bound_kind_of(comparator, &ret->side))
        return false;
    return true;
}

/* Whether all that it may be is within a bound: "> 5" is "ge 5", and may not be "gt 6". */
static bool is_within(const struct measured *m, const struct case_bound *b)
{
    bool is_upper = b->kind == BOUND_LT || b->kind == BOUND_LE;
    bool is_open = b->kind == BOUND_LT || b->kind == BOUND_GT;
    int c = decimal_cmp(&m->value, &b->value);

    if (!str_eq(str_c(m->unit), b->unit))
        return false;
    if (m->is_range) {
        if (is_upper != (m->side == BOUND_LT || m->side == BOUND_LE))
            return false;
        is_open &= m->side == BOUND_LE || m->side == BOUND_GE;
    }
    return c == 0 ? !is_open : (c < 0) == is_upper;
}

static bool has_quantity(const struct case_rule *rule, yyjson_val *observation)
{
    struct measured m;

    if (!measure(observation, &m))
        return false;
    for (size_t i = 0; i < rule->n_bounds; i++)
        if (!is_within(&m, &rule->bounds[i]))
            return false;
    return true;
}

/* ---- results ---- */

/* HL7's interpretations, LOINC's answers and SNOMED CT's qualifiers: positive and detected. */
#define SAYS_POSITIVE "POS DET"
#define MEANS_POSITIVE "LA6576-8 LA11882-0 10828004 260373001"
#define SAYS_NEGATIVE "NEG ND"
#define MEANS_NEGATIVE "LA6577-6 LA11883-8 260385009 260415000"

static bool has_result(const struct case_rule *rule, yyjson_val *observation)
{
    yyjson_val *said = js_get(observation, "interpretation");
    yyjson_val *value = js_get(observation, "valueCodeableConcept");
    struct str text = js_get_str(observation, "valueString");

    switch (rule->result) {
    case RESULT_POSITIVE:
        return any_has_word(said, SAYS_POSITIVE) || has_word(value, MEANS_POSITIVE);
    case RESULT_NEGATIVE:
        return any_has_word(said, SAYS_NEGATIVE) || has_word(value, MEANS_NEGATIVE);
    case RESULT_TEXT: return str_starts(text.n ? text : js_get_str(value, "text"), rule->text);
    case RESULT_VALUES: return has_code(rule->values, rule->n_values, value);
    case RESULT_QUANTITY: return has_quantity(rule, observation);
    default: return true;
    }
}

/* ---- the whole record ---- */

static bool counts(yyjson_val *resource, enum case_record of)
{
    struct str status = js_get_str(resource, "status");

    if (of == RECORD_CONDITION)
        return !has_word(js_get(resource, "verificationStatus"), "refuted entered-in-error");
    if (of == RECORD_IMMUNIZATION)
        return str_eq(status, STR("completed"));
    return str_eq(status, STR("final")) || str_eq(status, STR("amended")) ||
           str_eq(status, STR("corrected"));
}

enum case_class case_says(const struct case_rule *rules, size_t n, yyjson_val *resource,
                          uint32_t *ret_maybe)
{
    struct str type = js_get_str(resource, "resourceType");
    enum case_record of = str_eq(type, STR("Observation"))    ? RECORD_OBSERVATION
                          : str_eq(type, STR("Immunization")) ? RECORD_IMMUNIZATION
                                                              : RECORD_CONDITION;
    yyjson_val *code = js_get(resource, of == RECORD_IMMUNIZATION ? "vaccineCode" : "code");
    enum case_class most = CASE_NONE;

    *ret_maybe = 0;
    if (!counts(resource, of))
        return CASE_NONE;
    for (size_t i = 0; i < n; i++) {
        const struct case_rule *rule = &rules[i];
        if (rule->of != of || (!rule->bit && rule->says <= most) ||
            !has_code(rule->codes, rule->n_codes, code) || !has_result(rule, resource))
            continue;
        *ret_maybe |= rule->bit;
        most = rule->bit ? most : rule->says;
    }
    return most;
}
