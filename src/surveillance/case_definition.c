#include "surveillance/case_definition.h"

#include "fhir/ucum.h"

#define BOUND_TEXT_MAX (UCUM_CODE_MAX + 50)

static const struct {
    const char *name, *uri;
} systems[] = {
    {"icd10", "http://hl7.org/fhir/sid/icd-10"},
    {"icd11", "http://id.who.int/icd/release/11/mms"},
    {"loinc", "http://loinc.org"},
    {"snomed", "http://snomed.info/sct"},
    {"cvx", "http://hl7.org/fhir/sid/cvx"},
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
    struct str disease; /* or fact; of the definition in hand */
    const struct case_definitions *all;
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
            "a URI nor icd10, icd11, loinc, snomed or cvx",
            STR_ARG(r->disease), STR_ARG(system));
    *ret = (struct case_code){system, str_from(text, (size_t)bar + 1)};
    return 0;
}

static int read_codes(const struct reader *r, yyjson_val *list, struct case_code **ret,
                      size_t *ret_n)
{
    yyjson_val *code;
    size_t i, max;
    int wrong = 0;

    if (!yyjson_arr_size(list) || yyjson_arr_size(list) > CASE_CODES_MAX)
        return bad(r, "has a rule without codes, or with more than 500");
    *ret = ARENA_ARRAY(r->a, struct case_code, yyjson_arr_size(list));
    if (!*ret)
        return err_no_memory(r->err);
    yyjson_arr_foreach(list, i, max, code) {
        wrong = read_code(r, js_str(code), &(*ret)[(*ret_n)++]);
        if (wrong < 0)
            return wrong;
    }
    return 0;
}

/* ---- what a record has as its result ---- */

static const struct {
    const char *name, *comparator;
    enum bound_kind kind;
} bound_kinds[] = {
    {"lt", "<", BOUND_LT}, {"le", "<=", BOUND_LE}, {"gt", ">", BOUND_GT}, {"ge", ">=", BOUND_GE}};

bool bound_kind_of(struct str comparator, enum bound_kind *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(bound_kinds); i++)
        if (str_eq(comparator, str_c(bound_kinds[i].comparator))) {
            *ret = bound_kinds[i].kind;
            return true;
        }
    return false;
}

/* "ge10.5 mmol/L"; without a unit it is of a number. */
static int read_bound(const struct reader *r, struct str text, struct case_bound *ret)
{
    char unit[UCUM_UNIT_MAX];
    struct decimal value;
    struct str number, code = text;
    size_t i = 0;

    while (i < ARRAY_LEN(bound_kinds) && !str_starts(text, str_c(bound_kinds[i].name)))
        i++;
    if (i == ARRAY_LEN(bound_kinds) || text.n > BOUND_TEXT_MAX)
        return bad(r, "has a quantity that does not begin with lt, le, gt or ge");
    ret->kind = bound_kinds[i].kind;
    code = str_from(text, 2);
    str_split(&code, ' ', &number);
    if (decimal_parse(number, &value, r->err) < 0 ||
        ucum_canonical(code.n ? code : STR("1"), &value, unit, &ret->value, r->err) < 0)
        return bad(r, "has a quantity that is no number with a unit of UCUM behind it");
    ret->unit = arena_dup(r->a, str_c(unit));
    return ret->unit.p ? 0 : err_no_memory(r->err);
}

static int read_bounds(const struct reader *r, yyjson_val *list, struct case_rule *rule)
{
    yyjson_val *v;
    size_t i, max;
    int wrong = 0;

    if (!yyjson_arr_size(list) || yyjson_arr_size(list) > CASE_BOUNDS_MAX)
        return bad(r, "has a quantity that is no list of one or two bounds");
    yyjson_arr_foreach(list, i, max, v)
        if (wrong == 0)
            wrong = read_bound(r, js_str(v), &rule->bounds[rule->n_bounds++]);
    return wrong;
}

static int read_result(const struct reader *r, yyjson_val *v, struct case_rule *rule)
{
    yyjson_val *text = js_get(v, "text"), *values = js_get(v, "values"),
               *quantity = js_get(v, "quantity"), *result = js_get(v, "result");
    int n = !!text + !!values + !!quantity + !!result;

    if (n && rule->of != RECORD_OBSERVATION)
        return bad(r, "has a result that is not of Observations");
    if (n > 1)
        return bad(r, "has a rule with more than one of result, text, values and quantity");
    rule->text = js_get_str(v, "text");
    if (text && !rule->text.n)
        return bad(r, "has a rule whose text is empty or no text");
    if (result && !str_eq(js_str(result), STR("positive")) &&
        !str_eq(js_str(result), STR("negative")))
        return bad(r, "has a result that is neither positive nor negative");
    rule->result = text                                      ? RESULT_TEXT
                   : values                                  ? RESULT_VALUES
                   : quantity                                ? RESULT_QUANTITY
                   : !result                                 ? RESULT_ANY
                   : str_eq(js_str(result), STR("positive")) ? RESULT_POSITIVE
                                                             : RESULT_NEGATIVE;
    if (values)
        return read_codes(r, values, &rule->values, &rule->n_values);
    return quantity ? read_bounds(r, quantity, rule) : 0;
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

static int read_record(const struct reader *r, yyjson_val *v, struct case_rule *ret)
{
    static const char *const records[] = {
        [RECORD_CONDITION] = "Condition",
        [RECORD_OBSERVATION] = "Observation",
        [RECORD_IMMUNIZATION] = "Immunization",
    };
    struct str of = js_get_str(v, "of");
    size_t i = 0;
    int wrong;

    while (i < ARRAY_LEN(records) && !str_eq(of, str_c(records[i])))
        i++;
    if (i == ARRAY_LEN(records))
        return bad(r, "has a rule that is of no Condition, Observation or Immunization");
    ret->of = (enum case_record)i;
    wrong = read_codes(r, js_get(v, "codes"), &ret->codes, &ret->n_codes);
    return wrong < 0 ? wrong : read_result(r, v, ret);
}

/* ---- what a rule asks besides ---- */

/* From -max to max; false for anything else. */
static bool read_whole(yyjson_val *v, uint64_t max, int64_t *ret)
{
    struct str text = js_str(v);
    bool is_negative = str_starts(text, STR("-"));
    uint64_t n;

    if (!js_is_number(v) || !str_to_u64(str_from(text, is_negative), max, &n))
        return false;
    *ret = is_negative ? -(int64_t)n : (int64_t)n;
    return true;
}

static int read_age(const struct reader *r, yyjson_val *v, struct case_rule *ret)
{
    static const char *const names[] = {"from", "below", "unit"};
    static const char *const units[] = {[AGE_DAYS] = "d", [AGE_MONTHS] = "mo", [AGE_YEARS] = "a"};
    yyjson_val *from = js_get(v, "from"), *below = js_get(v, "below");
    struct str unit = js_get_str(v, "unit");
    int64_t a = 0, b = UINT32_MAX;
    size_t i = 0;
    int wrong = v ? only(r, v, names, ARRAY_LEN(names)) : 0;

    if (wrong < 0 || !v)
        return wrong;
    while (i < ARRAY_LEN(units) && !str_eq(unit, str_c(units[i])))
        i++;
    if (i == ARRAY_LEN(units) || (!from && !below) ||
        (from && (!read_whole(from, CASE_ASK_DAYS_MAX, &a) || a < 0)) ||
        (below && (!read_whole(below, CASE_ASK_DAYS_MAX, &b) || b <= a)))
        return bad(r, "has an age that is not from, below or both, in a, mo or d");
    ret->asks_age = true;
    ret->age_unit = (enum age_unit)i;
    ret->age_from = (uint32_t)a;
    ret->age_below = (uint32_t)b;
    return 0;
}

static int read_ask(const struct reader *r, yyjson_val *v, bool is_not, struct case_rule *rule)
{
    static const char *const names[] = {"fact", "leastDays", "mostDays"};
    yyjson_val *least = js_get(v, "leastDays"), *most = js_get(v, "mostDays");
    struct case_ask *ask = &rule->asks[rule->n_asks];
    int64_t a = 0, b = CASE_ASK_DAYS_MAX;
    size_t fact = 0;
    int wrong = only(r, v, names, ARRAY_LEN(names));

    if (wrong < 0)
        return wrong;
    while (fact < r->all->n_facts && !str_eq(js_get_str(v, "fact"), r->all->facts[fact].name))
        fact++;
    if (fact == r->all->n_facts)
        return bad(r, "asks for a fact that is not among the facts");
    if (rule->n_asks == CASE_ASKS_MAX)
        return bad(r, "has a rule that asks for more than 4 facts");
    if ((least && !read_whole(least, CASE_ASK_DAYS_MAX, &a)) ||
        (most && !read_whole(most, CASE_ASK_DAYS_MAX, &b)) || b < a)
        return bad(r, "asks for a fact with leastDays and mostDays that are no span of days");
    rule->n_asks++;
    *ask = (struct case_ask){
        .fact = (uint16_t)fact, .is_not = is_not, .least = (int32_t)a, .most = (int32_t)b};
    return 0;
}

static int read_asks(const struct reader *r, yyjson_val *list, bool is_not, struct case_rule *rule)
{
    yyjson_val *v;
    size_t i, max;
    int wrong = 0;

    if (list && !yyjson_arr_size(list))
        return bad(r, "has a rule whose has or hasNot is no list");
    yyjson_arr_foreach(list, i, max, v)
        if (wrong == 0)
            wrong = read_ask(r, v, is_not, rule);
    return wrong;
}

/* The rule's bit among the conditional ones of its definition, if it is one. */
static int read_conditions(const struct reader *r, yyjson_val *v, struct case_definition *d,
                           unsigned *n_conditional, struct case_rule *ret)
{
    yyjson_val *outbreak = js_get(v, "outbreak");
    int wrong = read_age(r, js_get(v, "age"), ret);

    if (wrong == 0)
        wrong = read_asks(r, js_get(v, "has"), false, ret);
    if (wrong == 0)
        wrong = read_asks(r, js_get(v, "hasNot"), true, ret);
    if (wrong < 0)
        return wrong;
    if (outbreak && !yyjson_is_bool(outbreak))
        return bad(r, "has an outbreak that is neither true nor false");
    ret->outbreak = !outbreak                   ? OUTBREAK_ANY
                    : yyjson_get_bool(outbreak) ? OUTBREAK_DECLARED
                                                : OUTBREAK_NONE;
    if (!ret->asks_age && !ret->n_asks && !outbreak)
        return 0;
    if (*n_conditional == CASE_CONDITIONAL_MAX)
        return bad(r, "has more than 32 rules that ask for age, facts or outbreaks");
    ret->bit = UINT32_C(1) << (*n_conditional)++;
    d->asks_outbreak |= outbreak ? ret->bit : 0;
    return 0;
}

static int read_rule(const struct reader *r, yyjson_val *v, struct case_definition *d,
                     unsigned *n_conditional, struct case_rule *ret)
{
    static const char *const names[] = {"says",     "of",  "codes", "result", "text",    "values",
                                        "quantity", "age", "has",   "hasNot", "outbreak"};
    int wrong = only(r, v, names, ARRAY_LEN(names));

    if (wrong < 0)
        return wrong;
    ret->says = case_class_of(js_get_str(v, "says"));
    if (ret->says == CASE_NONE)
        return bad(r, "has a rule that says none of suspected, probable, confirmed, discarded");
    wrong = read_record(r, v, ret);
    if (wrong == 0 && ret->of == RECORD_IMMUNIZATION)
        return bad(r, "has a rule of Immunization, which only facts may have");
    return wrong < 0 ? wrong : read_conditions(r, v, d, n_conditional, ret);
}

static int read_definition(struct reader *r, yyjson_val *v, struct case_definition *ret)
{
    static const char *const names[] = {"disease", "title", "source", "episodeDays", "rules"};
    yyjson_val *rules = js_get(v, "rules"), *rule;
    unsigned n_conditional = 0;
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
        wrong = read_rule(r, rule, ret, &n_conditional, &ret->rules[ret->n_rules++]);
        if (wrong < 0)
            return wrong;
    }
    return 0;
}

/* ---- facts ---- */

static int read_fact_rule(const struct reader *r, yyjson_val *v, struct case_rule *ret)
{
    static const char *const names[] = {"says", "of",     "codes",   "result",
                                        "text", "values", "quantity"};
    struct str says = js_get_str(v, "says");
    int wrong = only(r, v, names, ARRAY_LEN(names));

    if (wrong < 0)
        return wrong;
    if (!str_eq(says, STR("yes")) && !str_eq(says, STR("no")))
        return bad(r, "has a rule of a fact that says neither yes nor no");
    ret->says = str_eq(says, STR("yes")) ? FACT_YES : FACT_NO;
    return read_record(r, v, ret);
}

static int read_fact(struct reader *r, yyjson_val *v, struct case_definitions *all)
{
    static const char *const names[] = {"fact", "rules"};
    yyjson_val *rules = js_get(v, "rules"), *rule;
    struct case_fact *ret = &all->facts[all->n_facts];
    size_t i, max;
    int wrong;

    r->disease = ret->name = js_get_str(v, "fact");
    wrong = only(r, v, names, ARRAY_LEN(names));
    if (wrong < 0)
        return wrong;
    for (i = 0; i < all->n_facts; i++)
        if (str_eq(all->facts[i].name, ret->name))
            return bad(r, "is there twice");
    if (!ret->name.n || !yyjson_arr_size(rules) || yyjson_arr_size(rules) > CASE_RULES_MAX)
        return bad(r, "has a fact without a name or rules, or with more than 100");
    ret->rules = ARENA_ARRAY(r->a, struct case_rule, yyjson_arr_size(rules));
    if (!ret->rules)
        return err_no_memory(r->err);
    yyjson_arr_foreach(rules, i, max, rule) {
        wrong = read_fact_rule(r, rule, &ret->rules[ret->n_rules++]);
        if (wrong < 0)
            return wrong;
        all->asks_immunization |= ret->rules[ret->n_rules - 1].of == RECORD_IMMUNIZATION;
    }
    all->n_facts++;
    return 0;
}

static int read_facts(struct reader *r, yyjson_val *list, struct case_definitions *all)
{
    yyjson_val *v;
    size_t i, max;
    int wrong = 0;

    if (list && (!yyjson_arr_size(list) || yyjson_arr_size(list) > CASE_FACTS_MAX))
        return bad(r, "has facts that are no list, or more than 50");
    all->facts = ARENA_ARRAY(r->a, struct case_fact, yyjson_arr_size(list) + 1);
    if (!all->facts)
        return err_no_memory(r->err);
    yyjson_arr_foreach(list, i, max, v)
        if (wrong == 0)
            wrong = read_fact(r, v, all);
    r->disease = STR("(the file)");
    return wrong;
}

/* ---- places ---- */

static int read_places(const struct reader *r, yyjson_val *v, struct case_definitions *all)
{
    static const char *const names[] = {"residence", "exposure"};
    int wrong = v ? only(r, v, names, ARRAY_LEN(names)) : 0;

    if (wrong < 0)
        return wrong;
    all->residence = js_get_str(v, "residence");
    all->exposure = js_get_str(v, "exposure");
    if ((js_get(v, "residence") && str_find(all->residence, ':') < 0) ||
        (js_get(v, "exposure") && str_find(all->exposure, ':') < 0))
        return bad(r, "has places that are no URLs of extensions");
    return 0;
}

/* ---- the set ---- */

int case_definitions_read(struct arena *a, struct str text, struct case_definitions *ret,
                          struct err *err)
{
    static const char *const names[] = {"version", "places", "facts", "definitions"};
    struct case_definitions all = {.n = 0};
    struct reader r = {.a = a, .disease = STR("(the file)"), .all = &all, .err = err};
    yyjson_val *root, *list, *v;
    size_t i, max;
    int wrong;

    if (text.n > CASE_DEFINITIONS_BYTES_MAX)
        return err_set(err, ERR_TOO_LONG, "the case definitions are longer than %zu KiB",
                       CASE_DEFINITIONS_BYTES_MAX >> 10);
    wrong = js_parse(a, text, &root, err);
    if (wrong < 0 || (wrong = only(&r, root, names, ARRAY_LEN(names))) < 0 ||
        (wrong = read_places(&r, js_get(root, "places"), &all)) < 0 ||
        (wrong = read_facts(&r, js_get(root, "facts"), &all)) < 0)
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
        all.asks_outbreak |= d->asks_outbreak != 0;
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
