#include "fhir/search_int.h"

#include "base/clock.h"
#include "fhir/date.h"
#include "fhir/fold.h"
#include "fhir/ucum.h"
#include "fhir/validate.h"

bool search_split(struct str *rest, char separator, struct str *ret)
{
    if (!rest->p)
        return false;
    for (size_t i = 0; i < rest->n; i++) {
        if (rest->p[i] == '\\') {
            i++;
        } else if (rest->p[i] == separator) {
            *ret = str_head(*rest, i);
            *rest = str_from(*rest, i + 1);
            return true;
        }
    }
    *ret = *rest;
    *rest = STR_NULL;
    return true;
}

struct str search_unescape(struct arena *a, struct str s)
{
    char *to;
    size_t n = 0;

    if (str_find(s, '\\') < 0)
        return s.p ? s : STR("");
    to = arena_alloc(a, s.n);
    if (!to)
        return STR_NULL;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\' && i + 1 < s.n && strchr("\\,|$", s.p[i + 1]))
            i++;
        to[n++] = s.p[i];
    }
    return str_n(to, n);
}

static int bad(struct search_parse *p, const struct param *param, struct str text, const char *what)
{
    return err_set(p->err, ERR_VALUE, "the value \"%.*s\" of \"%.*s\" is not %s",
                   (int)MIN(text.n, 100u), text.p, (int)MIN(param->def.code.n, 64u),
                   param->def.code.p, what);
}

/* Takes "ge" and its like off the front of what a number or date follows. */
static enum search_prefix take_prefix(struct str *text)
{
    static const char names[][3] = {
        [PREFIX_EQ] = "eq", [PREFIX_NE] = "ne", [PREFIX_GT] = "gt",
        [PREFIX_LT] = "lt", [PREFIX_GE] = "ge", [PREFIX_LE] = "le",
        [PREFIX_SA] = "sa", [PREFIX_EB] = "eb", [PREFIX_AP] = "ap",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_starts(*text, str_c(names[i]))) {
            *text = str_from(*text, 2);
            return (enum search_prefix)i;
        }
    }
    return PREFIX_EQ;
}

/* R4: ten per cent of the gap between now and the date, to each side. */
static void approximate(const struct search_options *opt, struct date_rule *rule)
{
    int64_t now = opt->now_ms ? opt->now_ms : clock_now_ms();
    int64_t gap = rule->from_ms > now ? rule->from_ms - now
                  : rule->to_ms < now ? now - rule->to_ms
                                      : 0;

    rule->from_ms -= gap / 10;
    rule->to_ms += gap / 10;
}

int search_date_rule(struct search_parse *p, struct str text, struct date_rule *ret)
{
    struct date_rule rule = {.prefix = take_prefix(&text)};
    struct date d;
    int r = date_parse(DATE_SEARCH, text, p->opt->index.tz_minutes, &d, p->err);

    if (r < 0)
        return r;
    rule.from_ms = d.from_ms;
    rule.to_ms = d.to_ms;
    if (rule.prefix == PREFIX_AP)
        approximate(p->opt, &rule);
    *ret = rule;
    return 0;
}

/* R4: ten per cent of the value, to each side. */
static int widen(struct number_rule *rule, struct err *err)
{
    struct decimal tenth, least, most;
    const struct decimal ten = decimal_i64(10);
    int r = decimal_div(&rule->v, &ten, &tenth, err);

    tenth.negative = false;
    if (r >= 0)
        r = decimal_sub(&rule->v, &tenth, &least, err);
    if (r >= 0)
        r = decimal_add(&rule->v, &tenth, &most, err);
    if (r < 0)
        return r;
    if (decimal_cmp(&least, &rule->from) < 0)
        rule->from = least;
    if (decimal_cmp(&most, &rule->to) > 0)
        rule->to = most;
    return 0;
}

static int number(struct search_parse *p, const struct param *param, struct str text,
                  struct number_rule *rule)
{
    struct str digits = text;
    int r;

    rule->prefix = take_prefix(&digits);
    r = decimal_parse_search(digits, &rule->v, &rule->from, &rule->to, NULL);
    if (r >= 0 && rule->prefix == PREFIX_AP)
        r = widen(rule, NULL);
    return r < 0 ? bad(p, param, text, "a number") : 0;
}

/* "[prefix]number", "…|system|code" or "…||code". */
static int quantity(struct search_parse *p, const struct param *param, struct str text,
                    struct search_value *v)
{
    struct str rest = text, part, parts[3] = {STR(""), STR(""), STR("")};
    size_t n = 0;

    while (search_split(&rest, '|', &part)) {
        if (n == ARRAY_LEN(parts))
            return bad(p, param, text, "number|system|code");
        parts[n] = search_unescape(p->a, part);
        if (!parts[n++].p)
            return err_no_memory(p->err);
    }
    v->has_bar = n > 1;
    v->system = parts[1];
    v->text = parts[2];
    return number(p, param, parts[0], &v->number);
}

static int fold(struct search_parse *p, struct str text, struct search_value *v)
{
    v->folded = fold_dup(p->a, text);
    return v->folded.p ? 0 : err_no_memory(p->err);
}

/* "code", "system|code", "|code" or "system|". */
static int token(struct search_parse *p, struct str text, struct search_value *v)
{
    struct str rest = text, first, code;

    search_split(&rest, '|', &first);
    v->has_bar = rest.p != NULL;
    code = v->has_bar ? rest : first;
    v->system = v->has_bar ? search_unescape(p->a, first) : STR("");
    v->text = search_unescape(p->a, code);
    if (!v->system.p || !v->text.p)
        return err_no_memory(p->err);
    v->any_code = v->has_bar && v->system.n && !v->text.n;
    return 0;
}

static int target_list(struct search_parse *p, const struct param *param, int only, int **ret)
{
    const int *of = param->def.targets;
    int *list;
    size_t n = 0;

    if (only) {
        list = ARENA_ARRAY(p->a, int, 2);
        if (list)
            list[0] = only;
    } else {
        list = ARENA_ARRAY(p->a, int, DEF_RESOURCE_MAX + 1);
        for (int t = 1; list && t <= DEF_RESOURCE_MAX && !of; t++)
            list[n++] = t;
        for (; list && of && of[n] && n < DEF_RESOURCE_MAX; n++)
            list[n] = of[n];
    }
    *ret = list;
    return list ? 0 : err_no_memory(p->err);
}

static int reference(struct search_parse *p, const struct param *param, int only, struct str text,
                     struct search_value *v)
{
    struct str plain = search_unescape(p->a, text);

    if (!plain.p)
        return err_no_memory(p->err);
    v->text = plain;
    if (fhir_is_id(plain)) {
        v->id = plain;
        v->ref.kind = VALUE_ELSEWHERE;
        return target_list(p, param, only, &v->targets);
    }
    value_reference(&p->opt->index, plain, &v->ref);
    if (v->ref.kind == VALUE_ELSEWHERE)
        return bad(p, param, text, "an id or a reference");
    if (only && v->ref.kind == VALUE_LOCAL && v->ref.type != only)
        return bad(p, param, text, "a reference to the type that the modifier names");
    return 0;
}

static int composite(struct search_parse *p, const struct param *param, struct str text,
                     struct search_value *v)
{
    const struct def_param *d = &param->def;
    struct str rest = text, part;
    size_t n = 0;

    v->parts = ARENA_ARRAY(p->a, struct search_value, d->n_components);
    v->components = ARENA_ARRAY(p->a, const struct param *, d->n_components);
    if (!v->parts || !v->components)
        return err_no_memory(p->err);
    v->n_parts = d->n_components;
    while (search_split(&rest, '$', &part)) {
        const struct param *c;
        int r;
        if (n == d->n_components)
            return bad(p, param, text, "as many values with \"$\" between as it has components");
        c = param_find(p->params, d->type, d->components[n].code);
        if (!c || c->def.kind == PARAM_COMPOSITE || c->def.kind == PARAM_SPECIAL)
            return err_set(p->err, ERR_NOT_SUPPORTED, "\"%.*s\" cannot be searched",
                           STR_ARG(d->code));
        v->components[n] = c;
        r = search_value_parse(p, c, MOD_NONE, 0, part, &v->parts[n++]);
        if (r < 0)
            return r;
    }
    if (n != d->n_components)
        return bad(p, param, text, "as many values with \"$\" between as it has components");
    return 0;
}

static int missing(struct search_parse *p, const struct param *param, struct str text,
                   struct search_value *v)
{
    v->missing = str_eq(text, STR("true"));
    return v->missing || str_eq(text, STR("false")) ? 0 : bad(p, param, text, "true or false");
}

/* Values whose text is one text: escapes go, folding where it is asked for. */
static int plain(struct search_parse *p, struct str text, bool folded, struct search_value *v)
{
    v->text = search_unescape(p->a, text);
    if (!v->text.p)
        return err_no_memory(p->err);
    return folded ? fold(p, v->text, v) : 0;
}

/* "system|code|value": an identifier of that type. */
static int of_type(struct search_parse *p, const struct param *param, struct str text,
                   struct search_value *v)
{
    struct str rest = text, part, parts[3];
    size_t n = 0;

    while (search_split(&rest, '|', &part) && n < ARRAY_LEN(parts)) {
        parts[n] = search_unescape(p->a, part);
        if (!parts[n++].p)
            return err_no_memory(p->err);
    }
    if (n != ARRAY_LEN(parts) || rest.p || !parts[1].n || !parts[2].n)
        return bad(p, param, text, "system|code|value");
    v->system = parts[0];
    v->of_type = parts[1];
    v->text = parts[2];
    return 0;
}

/* A value set's URL, or a code. */
static int codes(struct search_parse *p, const struct param *param, struct str text,
                 struct search_value *v)
{
    bool in = v->modifier == MOD_IN || v->modifier == MOD_NOT_IN;
    int r = in ? plain(p, text, false, v) : token(p, text, v);

    return r < 0 ? r : search_codes(p, param, text, v);
}

int search_value_parse(struct search_parse *p, const struct param *param,
                       enum search_modifier modifier, int modifier_type, struct str text,
                       struct search_value *ret)
{
    struct search_value *v = ret;
    int r;

    *v = (struct search_value){.kind = param->def.kind, .modifier = modifier};
    if (modifier == MOD_MISSING)
        return missing(p, param, text, v);
    if (modifier == MOD_TEXT)
        return plain(p, text, true, v);
    if (modifier == MOD_IDENTIFIER)
        return token(p, text, v);
    if (modifier == MOD_CONTAINS || modifier == MOD_STARTS || modifier == MOD_ENDS)
        return plain(p, text, true, v);
    if (modifier == MOD_OF_TYPE)
        return of_type(p, param, text, v);
    if (modifier >= MOD_ABOVE && modifier <= MOD_NOT_IN && v->kind == PARAM_TOKEN)
        return codes(p, param, text, v);
    switch (v->kind) {
    case PARAM_TOKEN: return token(p, text, v);
    case PARAM_STRING: return plain(p, text, true, v);
    case PARAM_URI: return plain(p, text, false, v);
    case PARAM_REFERENCE: return reference(p, param, modifier_type, text, v);
    case PARAM_NUMBER: return number(p, param, text, &v->number);
    case PARAM_QUANTITY: return quantity(p, param, text, v);
    case PARAM_DATE:
        r = search_date_rule(p, text, &v->date);
        return r < 0 ? bad(p, param, text, "a date") : 0;
    case PARAM_COMPOSITE: return composite(p, param, text, v);
    default:
        return err_set(p->err, ERR_NOT_SUPPORTED, "\"%.*s\" cannot be searched",
                       STR_ARG(param->def.code));
    }
}

/* ---- what a rule says about a value ---- */

bool date_rule_matches(const struct date_rule *rule, int64_t from_ms, int64_t to_ms)
{
    bool equal = rule->from_ms <= from_ms && to_ms <= rule->to_ms;

    switch (rule->prefix) {
    case PREFIX_EQ: return equal;
    case PREFIX_NE: return !equal;
    case PREFIX_GT: return to_ms > rule->to_ms;
    case PREFIX_LT: return from_ms < rule->from_ms;
    case PREFIX_GE: return to_ms > rule->to_ms || equal;
    case PREFIX_LE: return from_ms < rule->from_ms || equal;
    case PREFIX_SA: return from_ms >= rule->to_ms;
    case PREFIX_EB: return to_ms <= rule->from_ms;
    default: return from_ms < rule->to_ms && to_ms > rule->from_ms;
    }
}

bool number_rule_matches(const struct number_rule *rule, const struct decimal *x)
{
    bool inside = decimal_cmp(x, &rule->from) >= 0 && decimal_cmp(x, &rule->to) < 0;
    int c = decimal_cmp(x, &rule->v);

    switch (rule->prefix) {
    case PREFIX_NE: return !inside;
    case PREFIX_GT:
    case PREFIX_SA: return c > 0;
    case PREFIX_LT:
    case PREFIX_EB: return c < 0;
    case PREFIX_GE: return c >= 0;
    case PREFIX_LE: return c <= 0;
    default: return inside;
    }
}

bool number_rule_overlaps(const struct number_rule *rule, const struct decimal *low,
                          const struct decimal *high)
{
    bool equal =
        low && high && decimal_cmp(low, &rule->from) >= 0 && decimal_cmp(high, &rule->to) < 0;

    switch (rule->prefix) {
    case PREFIX_EQ: return equal;
    case PREFIX_NE: return !equal;
    case PREFIX_GT: return !high || decimal_cmp(high, &rule->v) > 0;
    case PREFIX_GE: return !high || decimal_cmp(high, &rule->v) >= 0;
    case PREFIX_LT: return !low || decimal_cmp(low, &rule->v) < 0;
    case PREFIX_LE: return !low || decimal_cmp(low, &rule->v) <= 0;
    case PREFIX_SA: return low && decimal_cmp(low, &rule->v) > 0;
    case PREFIX_EB: return high && decimal_cmp(high, &rule->v) < 0;
    default:
        return (!low || decimal_cmp(low, &rule->to) < 0) &&
               (!high || decimal_cmp(high, &rule->from) >= 0);
    }
}

bool number_rule_convert(const struct number_rule *rule, struct str from_unit, struct str to_unit,
                         struct number_rule *ret)
{
    struct number_rule r = *rule;

    if (!str_eq(from_unit, to_unit) &&
        (ucum_convert(&rule->v, from_unit, to_unit, &r.v, NULL) < 0 ||
         ucum_convert(&rule->from, from_unit, to_unit, &r.from, NULL) < 0 ||
         ucum_convert(&rule->to, from_unit, to_unit, &r.to, NULL) < 0))
        return false;
    *ret = r;
    return true;
}
