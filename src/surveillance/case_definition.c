#include "surveillance/case_definition.h"

static const struct {
    const char *name, *uri;
} systems[] = {
    {"icd10", "http://hl7.org/fhir/sid/icd-10"},
    {"icd11", "http://id.who.int/icd/release/11/mms"},
    {"loinc", "http://loinc.org"},
    {"snomed", "http://snomed.info/sct"},
};

static const char *const classes[] = {"", "suspected", "probable", "discarded", "confirmed"};

const char *case_class_name(enum case_class c)
{
    return classes[c];
}

enum case_class case_class_of(struct str name)
{
    for (size_t i = CASE_NONE + 1; i < ARRAY_LEN(classes); i++)
        if (str_eq(name, str_c(classes[i])))
            return (enum case_class)i;
    return CASE_NONE;
}

/* ---- reading ---- */

struct reader {
    struct arena *a;
    struct str disease; /* of the definition in hand */
    struct err *err;
};

static int bad(const struct reader *r, const char *what)
{
    return err_set(r->err, ERR_VALUE, "the case definition \"%.*s\" %s", STR_ARG(r->disease), what);
}

/* "icd11|1F03", or the system's URI in front. */
static int read_code(const struct reader *r, struct str text, struct case_code *ret)
{
    ptrdiff_t bar = str_find(text, '|');
    struct str system = str_head(text, (size_t)MAX(bar, (ptrdiff_t)0));

    if (bar <= 0 || (size_t)bar + 1 == text.n)
        return err_set(r->err, ERR_VALUE,
                       "the case definition \"%.*s\" has the code \"%.*s\" where SYSTEM|CODE is "
                       "expected",
                       STR_ARG(r->disease), STR_ARG(text));
    for (size_t i = 0; i < ARRAY_LEN(systems); i++)
        if (str_eq(system, str_c(systems[i].name)))
            system = str_c(systems[i].uri);
    if (str_find(system, ':') < 0)
        return err_set(
            r->err, ERR_VALUE,
            "the case definition \"%.*s\" has the code system \"%.*s\", which is neither "
            "a URI nor icd10, icd11, loinc or snomed",
            STR_ARG(r->disease), STR_ARG(system));
    *ret = (struct case_code){system, str_from(text, (size_t)bar + 1)};
    return 0;
}

static int read_result(const struct reader *r, yyjson_val *v, struct case_rule *rule)
{
    struct str result = js_get_str(v, "result");

    rule->text = js_get_str(v, "text");
    if ((js_get(v, "result") || js_get(v, "text")) && !rule->of_observation)
        return bad(r, "has a result of Conditions");
    if (js_get(v, "result") && js_get(v, "text"))
        return bad(r, "has a rule with both a result and a text");
    if (js_get(v, "text") && !rule->text.n)
        return bad(r, "has a rule whose text is empty or no text");
    if (rule->text.n)
        rule->result = RESULT_TEXT;
    else if (str_eq(result, STR("positive")))
        rule->result = RESULT_POSITIVE;
    else if (str_eq(result, STR("negative")))
        rule->result = RESULT_NEGATIVE;
    else if (js_get(v, "result"))
        return bad(r, "has a result that is neither positive nor negative");
    return 0;
}

static bool is_known(yyjson_val *v, const char *const *names, size_t n, struct str *ret_other)
{
    size_t i, max;
    yyjson_val *key, *val;

    yyjson_obj_foreach(v, i, max, key, val) {
        size_t k = 0;
        while (k < n && !str_eq(js_str(key), str_c(names[k])))
            k++;
        if (k == n) {
            *ret_other = js_str(key);
            return false;
        }
    }
    return true;
}

static int only(const struct reader *r, yyjson_val *v, const char *const *names, size_t n)
{
    struct str other;

    if (!yyjson_is_obj(v))
        return bad(r, "has something in it that is no object");
    if (!is_known(v, names, n, &other))
        return err_set(r->err, ERR_VALUE, "the case definition \"%.*s\" has an unknown \"%.*s\"",
                       STR_ARG(r->disease), STR_ARG(other));
    return 0;
}

static int read_rule(const struct reader *r, yyjson_val *v, struct case_rule *ret)
{
    static const char *const names[] = {"says", "of", "codes", "result", "text"};
    yyjson_val *codes = js_get(v, "codes"), *code;
    struct str of = js_get_str(v, "of");
    size_t i, max;
    int bad_code = only(r, v, names, ARRAY_LEN(names));

    if (bad_code < 0)
        return bad_code;
    ret->says = case_class_of(js_get_str(v, "says"));
    if (ret->says == CASE_NONE)
        return bad(r, "has a rule that says none of suspected, probable, confirmed, discarded");
    ret->of_observation = str_eq(of, STR("Observation"));
    if (!ret->of_observation && !str_eq(of, STR("Condition")))
        return bad(r, "has a rule that is neither of Condition nor of Observation");
    if (!yyjson_arr_size(codes) || yyjson_arr_size(codes) > CASE_CODES_MAX)
        return bad(r, "has a rule without codes, or with more than 500");
    ret->codes = ARENA_ARRAY(r->a, struct case_code, yyjson_arr_size(codes));
    if (!ret->codes)
        return err_no_memory(r->err);
    yyjson_arr_foreach(codes, i, max, code) {
        bad_code = read_code(r, js_str(code), &ret->codes[ret->n_codes++]);
        if (bad_code < 0)
            return bad_code;
    }
    return read_result(r, v, ret);
}

static int read_definition(struct reader *r, yyjson_val *v, struct case_definition *ret)
{
    static const char *const names[] = {"disease", "title", "source", "episodeDays", "rules"};
    yyjson_val *rules = js_get(v, "rules"), *rule;
    uint64_t days = 0;
    size_t i, max;
    int wrong;

    r->disease = ret->disease = js_get_str(v, "disease");
    ret->title = js_get_str(v, "title");
    ret->source = js_get_str(v, "source");
    wrong = only(r, v, names, ARRAY_LEN(names));
    if (wrong < 0)
        return wrong;
    if (!ret->disease.n || !ret->title.n || !ret->source.n)
        return bad(r, "has no disease, no title or no source");
    if (!str_to_u64(js_str(js_get(v, "episodeDays")), CASE_EPISODE_DAYS_MAX, &days))
        return bad(r, "has no episodeDays from 0 to 36500");
    ret->episode_days = (int)days;
    if (!yyjson_arr_size(rules) || yyjson_arr_size(rules) > CASE_RULES_MAX)
        return bad(r, "has no rules, or more than 100");
    ret->rules = ARENA_ARRAY(r->a, struct case_rule, yyjson_arr_size(rules));
    if (!ret->rules)
        return err_no_memory(r->err);
    yyjson_arr_foreach(rules, i, max, rule) {
        wrong = read_rule(r, rule, &ret->rules[ret->n_rules++]);
        if (wrong < 0)
            return wrong;
    }
    return 0;
}

int case_definitions_read(struct arena *a, struct str text, struct case_definitions *ret,
                          struct err *err)
{
    static const char *const names[] = {"version", "definitions"};
    struct reader r = {.a = a, .disease = STR("(the file)"), .err = err};
    struct case_definitions all = {.n = 0};
    yyjson_val *root, *list, *v;
    size_t i, max;
    int wrong;

    if (text.n > CASE_DEFINITIONS_BYTES_MAX)
        return err_set(err, ERR_TOO_LONG, "the case definitions are longer than %zu KiB",
                       CASE_DEFINITIONS_BYTES_MAX >> 10);
    wrong = js_parse(a, text, &root, err);
    if (wrong < 0 || (wrong = only(&r, root, names, ARRAY_LEN(names))) < 0)
        return wrong;
    list = js_get(root, "definitions");
    all.version = js_get_str(root, "version");
    if (!all.version.n || !yyjson_arr_size(list) || yyjson_arr_size(list) > CASE_DEFINITIONS_MAX)
        return bad(&r, "has no version, no definitions, or more than 500");
    all.v = ARENA_ARRAY(a, struct case_definition, yyjson_arr_size(list));
    if (!all.v)
        return err_no_memory(err);
    yyjson_arr_foreach(list, i, max, v) {
        struct case_definition *d = &all.v[all.n];
        wrong = read_definition(&r, v, d);
        if (wrong < 0)
            return wrong;
        if (case_definition_find(&all, d->disease))
            return bad(&r, "is there twice");
        all.n++;
    }
    *ret = all;
    return 0;
}

const struct case_definition *case_definition_find(const struct case_definitions *all,
                                                   struct str disease)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(all->v[i].disease, disease))
            return &all->v[i];
    return NULL;
}

/* ---- what a resource says ---- */

/* Whether a code is the rule's, lies below it, or is a cluster with such a stem. */
static bool is_below(struct str code, struct str rule)
{
    return str_starts(code, rule) && (code.n == rule.n || code.p[rule.n] == '.' ||
                                      code.p[rule.n] == '&' || code.p[rule.n] == '/');
}

static bool has_code(const struct case_rule *rule, yyjson_val *concept)
{
    yyjson_val *coding;
    size_t i, max;

    yyjson_arr_foreach(js_get(concept, "coding"), i, max, coding) {
        struct str system = js_get_str(coding, "system"), code = js_get_str(coding, "code");
        for (size_t k = 0; k < rule->n_codes; k++)
            if (str_eq(system, rule->codes[k].system) && is_below(code, rule->codes[k].code))
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
    default: return true;
    }
}

static bool counts(yyjson_val *resource, bool is_observation)
{
    struct str status = js_get_str(resource, "status");

    if (!is_observation)
        return !has_word(js_get(resource, "verificationStatus"), "refuted entered-in-error");
    return str_eq(status, STR("final")) || str_eq(status, STR("amended")) ||
           str_eq(status, STR("corrected"));
}

enum case_class case_says(const struct case_definition *d, yyjson_val *resource)
{
    bool is_observation = str_eq(js_get_str(resource, "resourceType"), STR("Observation"));
    enum case_class most = CASE_NONE;

    if (!counts(resource, is_observation))
        return CASE_NONE;
    for (size_t i = 0; i < d->n_rules; i++) {
        const struct case_rule *rule = &d->rules[i];
        if (rule->of_observation == is_observation && rule->says > most &&
            has_code(rule, js_get(resource, "code")) && has_result(rule, resource))
            most = rule->says;
    }
    return most;
}
