/* grammar_filter.c - filters over codes that a grammar makes: what a code is made of. */
#include "terminology/grammar.h"

#include "fhir/ucum.h"
#include "terminology/language_tag.h"
#include "terminology/pattern.h"

enum part {
    PART_CODE,
    PART_CANONICAL,
    PART_LANGUAGE,
    PART_EXTLANG,
    PART_SCRIPT,
    PART_REGION,
    PART_VARIANT,
    PART_EXTENSION,
    PART_PRIVATE,
    PART_TYPE,
    PART_SUBTYPE,
};

static const struct {
    struct str name;
    enum cs_grammar grammar; /* GRAMMAR_NONE: of all */
    enum part part;
} properties[] = {
    {STR("code"), GRAMMAR_NONE, PART_CODE},
    {STR("concept"), GRAMMAR_NONE, PART_CODE},
    {STR("canonical"), GRAMMAR_UCUM, PART_CANONICAL},
    {STR("language"), GRAMMAR_LANGUAGE, PART_LANGUAGE},
    {STR("ext-lang"), GRAMMAR_LANGUAGE, PART_EXTLANG},
    {STR("script"), GRAMMAR_LANGUAGE, PART_SCRIPT},
    {STR("region"), GRAMMAR_LANGUAGE, PART_REGION},
    {STR("variant"), GRAMMAR_LANGUAGE, PART_VARIANT},
    {STR("extension"), GRAMMAR_LANGUAGE, PART_EXTENSION},
    {STR("private-use"), GRAMMAR_LANGUAGE, PART_PRIVATE},
    {STR("type"), GRAMMAR_MIME, PART_TYPE},
    {STR("subtype"), GRAMMAR_MIME, PART_SUBTYPE},
};

/* False where the grammar has no such property. */
static bool find_part(const struct cs *cs, struct str property, enum part *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(properties); i++)
        if (str_eq(properties[i].name, property) &&
            (properties[i].grammar == GRAMMAR_NONE ||
             properties[i].grammar == (enum cs_grammar)cs_info(cs)->grammar)) {
            *ret = properties[i].part;
            return true;
        }
    return false;
}

/* The part of a code; empty where it has none. `buffer` may hold it. */
static struct str part_of(enum part part, struct str code, char buffer[UCUM_UNIT_MAX])
{
    struct language_tag tag = {.language = STR("")};
    struct decimal one, value;
    ptrdiff_t slash;

    switch (part) {
    case PART_CODE: return code;
    case PART_CANONICAL:
        return decimal_parse(STR("1"), &one, NULL) >= 0 &&
                       ucum_canonical(code, &one, buffer, &value, NULL) >= 0
                   ? str_c(buffer)
                   : STR("");
    case PART_TYPE:
    case PART_SUBTYPE:
        slash = str_find(code, ';');
        code = str_trim(slash < 0 ? code : str_head(code, (size_t)slash));
        slash = str_find(code, '/');
        return slash < 0           ? STR("")
               : part == PART_TYPE ? str_head(code, (size_t)slash)
                                   : str_from(code, (size_t)slash + 1);
    default: language_tag_read(code, &tag);
    }
    switch (part) {
    case PART_LANGUAGE: return tag.language;
    case PART_EXTLANG: return tag.extlang;
    case PART_SCRIPT: return tag.script;
    case PART_REGION: return tag.region;
    case PART_VARIANT: return tag.variant;
    case PART_EXTENSION: return tag.extension;
    default: return tag.private_use;
    }
}

/* What a filter's value stands for: units by what they measure, the rest as it is. */
static bool is_part(const struct cs *cs, enum part part, struct str has, struct str wanted)
{
    char buffer[UCUM_UNIT_MAX];

    if (part == PART_CANONICAL)
        wanted = part_of(part, wanted, buffer);
    if (!wanted.n)
        return false;
    return cs_any_case(cs_info(cs)) ? str_eq_nocase(has, wanted) : str_eq(has, wanted);
}

static bool is_in(const struct cs *cs, enum part part, struct str has, struct str list)
{
    struct str one;

    while (list.p && str_split(&list, ',', &one))
        if (is_part(cs, part, has, str_trim(one)))
            return true;
    return false;
}

static bool matches(struct str pattern, struct str text)
{
    _cleanup_(pattern_freep) struct pattern *p = NULL;

    return pattern_new(pattern, &p, NULL) >= 0 && pattern_matches(p, text);
}

bool grammar_filter_passes(const struct cs *cs, const struct grammar_filter *f, struct str code)
{
    char buffer[UCUM_UNIT_MAX];
    enum part part;
    struct str has;

    if (!find_part(cs, f->property, &part))
        return false;
    has = part_of(part, code, buffer);
    if (str_eq(f->op, STR("=")))
        return is_part(cs, part, has, f->value);
    if (str_eq(f->op, STR("in")))
        return is_in(cs, part, has, f->value);
    if (str_eq(f->op, STR("not-in")))
        return !is_in(cs, part, has, f->value);
    if (str_eq(f->op, STR("regex")))
        return has.n && matches(f->value, has);
    return (has.n > 0) == str_eq(f->value, STR("true"));
}

int grammar_filter_check(const struct cs *cs, const struct grammar_filter *f, struct err *err)
{
    static const struct str ops[] = {STR("="), STR("in"), STR("not-in"), STR("exists"),
                                     STR("regex")};
    _cleanup_(pattern_freep) struct pattern *p = NULL;
    enum part part;
    bool known = false;

    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        known |= str_eq(f->op, ops[i]);
    if (!known || !find_part(cs, f->property, &part))
        return err_set(err, ERR_PROCESSING,
                       "the filter \"%.*s %.*s\" cannot be applied to the code system %.*s",
                       (int)MIN(f->property.n, 60u), f->property.p, (int)MIN(f->op.n, 30u), f->op.p,
                       STR_ARG(cs_url(cs)));
    if (str_eq(f->op, STR("regex")))
        return pattern_new(f->value, &p, err);
    if (str_eq(f->op, STR("exists")) && !str_eq(f->value, STR("true")) &&
        !str_eq(f->value, STR("false")))
        return err_set(err, ERR_PROCESSING, "the filter \"exists\" takes true or false");
    if (part == PART_CANONICAL && str_eq(f->op, STR("=")))
        return ucum_check(f->value, err);
    return 0;
}
