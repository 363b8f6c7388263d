#include "fhir/search_int.h"

#include "fhir/validate.h"

#define LIST_FIRST 8
#define SELF_MAX KIB(256)
#define ARGS_MAX 1000 /* parameters of one query, understood or not */

/* ---- text ---- */

static int hex(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_utf8(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t more = c < 0x80                ? 0
                      : c >= 0xc2 && c < 0xe0 ? 1
                      : c >= 0xe0 && c < 0xf0 ? 2
                      : c >= 0xf0 && c < 0xf5 ? 3
                                              : 4;
        unsigned next = more && i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
        if (!c || more == 4 || i + more >= s.n)
            return false;
        if ((c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) ||
            (c == 0xf0 && next < 0x90) || (c == 0xf4 && next > 0x8f))
            return false;
        for (size_t k = 1; k <= more; k++)
            if (((unsigned char)s.p[i + k] & 0xc0) != 0x80)
                return false;
        i += more + 1;
    }
    return true;
}

/* Form decoding: "%2C" and '+' for a blank. */
static int decode(struct search_parse *p, struct str s, struct str *ret)
{
    char *to = arena_alloc(p->a, s.n + 1);
    size_t n = 0;

    if (!to)
        return err_no_memory(p->err);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%') {
            int high = i + 2 < s.n ? hex(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? hex(s.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return err_set(p->err, ERR_VALUE,
                               "a \"%%\" in the query has no two hexadecimal "
                               "digits behind it");
            to[n++] = (char)(high << 4 | low);
            i += 2;
        } else {
            to[n++] = s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    *ret = str_n(to, n);
    if (!is_utf8(*ret))
        return err_set(p->err, ERR_VALUE, "the query is not UTF-8 text");
    return 0;
}

#define QUERY_KEEPS ",:/$*" /* what a query may hold as it stands */

static void put_self(struct search_parse *p, const struct search_arg *arg)
{
    if (p->self.n)
        sb_char(&p->self, '&');
    sb_uri_but(&p->self, arg->raw, QUERY_KEEPS);
    sb_char(&p->self, '=');
    sb_uri_but(&p->self, arg->value, QUERY_KEEPS);
}

/* ---- what is not understood ---- */

static int unknown(struct search_parse *p, const struct search_arg *arg)
{
    struct search *s = p->s;

    if (p->opt->strict)
        return err_set(p->err, ERR_NOT_SUPPORTED, "the search parameter \"%.*s\" is not supported",
                       (int)MIN(arg->raw.n, 100u), arg->raw.p);
    if (s->n_unknown == p->cap_unknown) {
        size_t cap = p->cap_unknown ? p->cap_unknown * 2 : LIST_FIRST;
        struct str *more =
            arena_grow(p->a, s->unknown, p->cap_unknown * sizeof *more, cap * sizeof *more);
        if (!more)
            return err_no_memory(p->err);
        s->unknown = more;
        p->cap_unknown = cap;
    }
    s->unknown[s->n_unknown++] = arg->raw;
    return 0;
}

/* ---- clauses ---- */

/* Appends a clause; one that is the AND of others is those. */
static int add_clause(struct search_parse *p, struct search_clause *c)
{
    struct search *s = p->s;
    bool flat = c->kind == CLAUSE_ALL && !c->negate;
    const struct search_clause *of = flat ? c->subs : c;
    size_t n = flat ? c->n_subs : 1;

    if (n > SEARCH_CLAUSES_MAX - s->n_clauses)
        return err_set(p->err, ERR_COSTLY, "the search has more than %d parameters",
                       SEARCH_CLAUSES_MAX);
    if (!s->clauses)
        s->clauses = arena_alloc(p->a, SEARCH_CLAUSES_MAX * sizeof *s->clauses);
    if (!s->clauses)
        return err_no_memory(p->err);
    memcpy(s->clauses + s->n_clauses, of, n * sizeof *of);
    s->n_clauses += n;
    return ARG_TAKEN;
}

/* Number of alternatives in a value, at least 1. */
static size_t count_values(struct str value)
{
    struct str rest = value, one;
    size_t n = 0;

    while (search_split(&rest, ',', &one))
        n++;
    return n;
}

/* Those of a chain are counted once, however many types it leads to. */
static int charge_values(struct search_parse *p, struct str value)
{
    p->n_values += count_values(value);
    if (p->n_values > SEARCH_VALUES_MAX)
        return err_set(p->err, ERR_COSTLY, "the search has more than %d values", SEARCH_VALUES_MAX);
    return 0;
}

static int id_clause(struct search_parse *p, const struct search_arg *arg, struct search_clause *c)
{
    struct str rest = arg->value, one;

    c->kind = CLAUSE_ID;
    c->ids = ARENA_ARRAY(p->a, struct str, count_values(rest));
    if (!c->ids)
        return err_no_memory(p->err);
    while (search_split(&rest, ',', &one))
        if (fhir_is_id(one))
            c->ids[c->n_ids++] = one;
    /* What is no id is nobody's. */
    if (!c->n_ids)
        c->kind = CLAUSE_NONE;
    return ARG_TAKEN;
}

/* Versions have an instant: [t, t + 1 ms). */
static size_t updated_spans(const struct date_rule *d, struct time_span ret[2])
{
    const struct time_span before = {INT64_MIN, d->from_ms}, inside = {d->from_ms, d->to_ms};
    const struct time_span behind = {d->to_ms, INT64_MAX};

    switch (d->prefix) {
    case PREFIX_NE:
        ret[0] = before;
        ret[1] = behind;
        return 2;
    case PREFIX_GT:
    case PREFIX_SA: ret[0] = behind; return 1;
    case PREFIX_LT:
    case PREFIX_EB: ret[0] = before; return 1;
    case PREFIX_GE: ret[0] = (struct time_span){d->from_ms, INT64_MAX}; return 1;
    case PREFIX_LE: ret[0] = (struct time_span){INT64_MIN, d->to_ms}; return 1;
    default: ret[0] = inside; return 1;
    }
}

static int updated_clause(struct search_parse *p, const struct search_arg *arg,
                          struct search_clause *c)
{
    struct str rest = arg->value, one;

    c->kind = CLAUSE_UPDATED;
    c->spans = ARENA_ARRAY(p->a, struct time_span, 2 * count_values(rest));
    if (!c->spans)
        return err_no_memory(p->err);
    while (search_split(&rest, ',', &one)) {
        struct date_rule rule;
        int r = search_date_rule(p, one, &rule);
        if (r < 0)
            return err_set(p->err, r, "the value \"%.*s\" of \"_lastUpdated\" is not a date",
                           (int)MIN(one.n, 100u), one.p);
        c->n_spans += updated_spans(&rule, c->spans + c->n_spans);
    }
    return ARG_TAKEN;
}

/* The parameter on each type that is searched; none when one of the types lacks it. */
int search_find(struct search_parse *p, struct str code, struct clause_more *c)
{
    const struct search *s = p->s;
    size_t n = s->type ? 1 : s->n_types ? s->n_types : DEF_RESOURCE_MAX;

    c->params = ARENA_ARRAY(p->a, const struct param *, n);
    c->more = ARENA_ARRAY(p->a, const struct param_more *, n);
    if (!c->params || !c->more)
        return err_no_memory(p->err);
    for (size_t i = 0; i < n; i++) {
        int type = s->type ? s->type : s->n_types ? s->types[i] : (int)i + 1;
        const struct param *param = param_find(p->params, type, code);
        if (!param || !param->path || !param->searchable || param->def.kind == PARAM_SPECIAL ||
            (i && param->def.kind != c->params[0]->def.kind))
            return ARG_UNKNOWN;
        c->params[i] = param;
        c->more[i] = param_more_of(p->params, param);
    }
    c->n_params = n;
    c->composite = c->params[0]->def.kind == PARAM_COMPOSITE;
    return c->composite && (n > 1 || !c->more[0]->components) ? ARG_UNKNOWN : ARG_TAKEN;
}

/* What a modifier means for a kind of parameter; negative when it cannot stand there. */
static int modifier_of(struct search_parse *p, const struct search_arg *arg,
                       enum def_param_kind kind, enum search_modifier *ret, int *ret_type)
{
    static const struct {
        const char *name;
        enum search_modifier modifier;
        int kind; /* -1: every one */
    } modifiers[] = {
        {"missing", MOD_MISSING, -1},
        {"exact", MOD_EXACT, PARAM_STRING},
        {"contains", MOD_CONTAINS, PARAM_STRING},
        {"not", MOD_NOT, PARAM_TOKEN},
        {"text", MOD_TEXT, PARAM_TOKEN},
        {"code-text", MOD_TEXT, PARAM_TOKEN}, /* of later versions: an extension here */
        {"identifier", MOD_IDENTIFIER, PARAM_REFERENCE},
        {"of-type", MOD_OF_TYPE, PARAM_TOKEN},
        {"in", MOD_IN, PARAM_TOKEN},
        {"not-in", MOD_NOT_IN, PARAM_TOKEN},
        {"above", MOD_ABOVE, PARAM_TOKEN},
        {"above", MOD_ABOVE, PARAM_URI},
        {"above", MOD_ABOVE, PARAM_REFERENCE},
        {"below", MOD_BELOW, PARAM_TOKEN},
        {"below", MOD_BELOW, PARAM_URI},
        {"below", MOD_BELOW, PARAM_REFERENCE},
    };

    *ret = MOD_NONE;
    *ret_type = 0;
    if (!arg->modifier.n)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(modifiers); i++) {
        if (str_eq(arg->modifier, str_c(modifiers[i].name)) &&
            (modifiers[i].kind < 0 || modifiers[i].kind == (int)kind)) {
            *ret = modifiers[i].modifier;
            return 0;
        }
    }
    *ret_type = kind == PARAM_REFERENCE ? def_resource(arg->modifier) : 0;
    if (*ret_type) {
        *ret = MOD_TYPE;
        return 0;
    }
    /* R4: a server must refuse a modifier that it does not support. */
    return err_set(p->err, ERR_NOT_SUPPORTED, "the modifier \":%.*s\" of \"%.*s\" is not supported",
                   (int)MIN(arg->modifier.n, 64u), arg->modifier.p, (int)MIN(arg->name.n, 64u),
                   arg->name.p);
}

static int parse_values(struct search_parse *p, const struct search_arg *arg,
                        enum search_modifier modifier, int type, struct clause_more *c)
{
    struct str rest = arg->value, one;

    c->values = ARENA_ARRAY(p->a, struct search_value, count_values(rest));
    if (!c->values)
        return err_no_memory(p->err);
    while (search_split(&rest, ',', &one)) {
        int r;
        if (!one.n)
            continue;
        r = search_value_parse(p, c->params[0], modifier, type, one, &c->values[c->n_values]);
        if (r < 0)
            return r;
        c->n_values++;
    }
    if (modifier == MOD_MISSING && c->n_values > 1)
        return err_set(p->err, ERR_VALUE, "\"%.*s\" takes one value", STR_ARG(arg->raw));
    return 0;
}

static int clause_ranges(struct search_parse *p, const struct clause_more *more,
                         struct search_clause *c)
{
    struct range_list list = {0};

    for (size_t i = 0; i < more->n_params; i++) {
        for (size_t k = 0; k < more->n_values; k++) {
            int r = search_ranges(p, more->params[i], &more->values[k], &list);
            if (r < 0)
                return r;
        }
        if (more->composite && more->n_values) {
            int r = search_marked(p, more->params[i], &more->values[0], &list);
            if (r < 0)
                return r;
        }
    }
    c->ranges = list.p;
    c->n_ranges = list.n;
    c->kind = list.n || c->negate ? CLAUSE_KEYS : CLAUSE_NONE;
    return ARG_TAKEN;
}

/* What narrows by component k: the list of its own parameter. */
static int component_clause(struct search_parse *p, const struct clause_more *more, size_t k,
                            struct search_clause *c)
{
    const struct def_param *d = &more->params[0]->def;
    const struct param *like = param_find(p->params, d->type, d->components[k].code);
    struct clause_more *part = ARENA_NEW(p->a, struct clause_more);
    struct range_list list = {0};

    if (!part)
        return err_no_memory(p->err);
    *part = (struct clause_more){.opt = more->opt, .n_params = 1, .n_values = more->n_values};
    part->params = ARENA_ARRAY(p->a, const struct param *, 1);
    part->values = ARENA_ARRAY(p->a, struct search_value, more->n_values);
    if (!part->params || !part->values)
        return err_no_memory(p->err);
    part->params[0] = like;
    for (size_t i = 0; i < more->n_values; i++) {
        int r = search_ranges(p, like, &more->values[i].parts[k], &list);
        if (r < 0)
            return r;
        part->values[i] = more->values[i].parts[k];
    }
    *c = (struct search_clause){.kind = list.n ? CLAUSE_KEYS : CLAUSE_NONE,
                                .param = like,
                                .ranges = list.p,
                                .n_ranges = list.n,
                                .values = part,
                                .n_values = part->n_values};
    return 0;
}

/* Without the keys of the composite itself: each component narrows by its own parameter's list, and
 * the first clause looks whether one item has them all. */
static int composite_clauses(struct search_parse *p, struct search_clause *c,
                             struct clause_more *more)
{
    const struct def_param *d = &more->params[0]->def;
    struct search_clause *first;

    c->subs = ARENA_ARRAY(p->a, struct search_clause, d->n_components);
    if (!c->subs)
        return err_no_memory(p->err);
    for (size_t k = 0; k < d->n_components; k++) {
        int r = component_clause(p, more, k, &c->subs[k]);
        if (r < 0)
            return r;
    }
    first = &c->subs[0];
    for (size_t i = 0; i < first->n_ranges; i++)
        first->ranges[i].lossy = true;
    first->param = more->params[0];
    first->values = more;
    first->n_values = more->n_values;
    c->kind = CLAUSE_ALL;
    c->n_subs = d->n_components;
    return ARG_TAKEN;
}

/* Whether the keys of the composite lie behind as many heads as a system has codes. */
static bool is_spread(const struct clause_more *more)
{
    bool any = false;

    for (size_t i = 0; i < more->n_values; i++)
        for (size_t k = 0; k + 1 < more->values[i].n_parts; k++)
            any |= more->values[i].parts[k].any_code;
    return any;
}

static bool has_keys(const struct search_parse *p, const struct clause_more *more)
{
    bool has = p->opt->index.pairs;

    for (size_t i = 0; i < more->n_values; i++)
        has &= search_has_keys(&more->values[i]);
    return has;
}

int search_param_clause(struct search_parse *p, struct clause_more *more,
                        enum search_modifier modifier, struct search_clause *c)
{
    *c = (struct search_clause){.kind = CLAUSE_KEYS,
                                .param = more->params[0],
                                .modifier = modifier,
                                .values = more,
                                .n_values = more->n_values};
    c->negate = modifier == MOD_NOT || modifier == MOD_NOT_IN ||
                (modifier == MOD_MISSING && more->values[0].missing);
    if (more->composite && (!has_keys(p, more) || is_spread(more))) {
        int r = composite_clauses(p, c, more);
        if (r < 0 || !has_keys(p, more))
            return r;
    }
    return clause_ranges(p, more, c);
}

/* Adds ranges that hold all that a tree over a composite's item can find, where its clauses have
 * them: 1, or 0. */
static int narrow(struct search_parse *p, const struct search_clause *c, struct range_list *out)
{
    int r = 0;

    if (c->negate)
        return 0;
    if (c->kind == CLAUSE_NONE)
        return 1;
    if (c->kind == CLAUSE_KEYS) {
        struct key_range *all = arena_grow(p->a, out->p, out->n * sizeof *all,
                                           (out->n + c->n_ranges + 1) * sizeof *all);
        if (!all)
            return err_no_memory(p->err);
        out->p = all;
        for (size_t i = 0; i < c->n_ranges; i++) {
            all[out->n] = c->ranges[i];
            all[out->n++].lossy = true;
        }
        return 1;
    }
    for (size_t i = 0; i < c->n_subs; i++) {
        size_t n = out->n;

        r = narrow(p, &c->subs[i], out);
        if (r < 0 || (r > 0) != (c->kind == CLAUSE_ANY))
            return r;
        if (r == 0)
            out->n = n;
    }
    return r;
}

int search_items(struct search_parse *p, struct clause_more *more, struct search_clause *c)
{
    struct range_list list = {0};
    int r = narrow(p, more->item, &list);

    *c = (struct search_clause){.kind = CLAUSE_KEYS, .param = more->params[0], .values = more};
    if (r > 0) {
        c->ranges = list.p;
        c->n_ranges = list.n;
    } else if (r == 0) {
        r = search_all_rows(p, c);
    }
    if (r >= 0 && !c->n_ranges)
        c->kind = CLAUSE_NONE;
    return r < 0 ? r : ARG_TAKEN;
}

/* :above and :below of references: one value after the other. */
static int hierarchies(struct search_parse *p, const struct search_arg *arg,
                       enum search_modifier modifier, const struct param *param,
                       struct search_clause *c)
{
    struct str rest = arg->value, one;
    struct search_clause *subs = ARENA_ARRAY(p->a, struct search_clause, count_values(rest));
    size_t n = 0;

    if (!subs)
        return err_no_memory(p->err);
    while (search_split(&rest, ',', &one)) {
        int r = search_hierarchy(p, param, modifier, one, &subs[n++]);
        if (r != ARG_TAKEN)
            return r;
    }
    *c = (struct search_clause){.kind = CLAUSE_ANY, .subs = subs, .n_subs = n};
    return ARG_TAKEN;
}

static int param_clause(struct search_parse *p, const struct search_arg *arg,
                        struct search_clause *c)
{
    struct clause_more *more = ARENA_NEW(p->a, struct clause_more);
    enum search_modifier modifier;
    int type, r;

    if (!more)
        return err_no_memory(p->err);
    more->opt = p->s->opt;
    r = search_find(p, arg->name, more);
    if (r != ARG_TAKEN)
        return r;
    r = modifier_of(p, arg, more->params[0]->def.kind, &modifier, &type);
    if (r >= 0 && more->composite && modifier)
        r = err_set(p->err, ERR_NOT_SUPPORTED, "a composite parameter takes no modifier");
    if (r >= 0 && more->params[0]->def.kind == PARAM_REFERENCE &&
        (modifier == MOD_ABOVE || modifier == MOD_BELOW))
        return hierarchies(p, arg, modifier, more->params[0], c);
    if (r >= 0)
        r = parse_values(p, arg, modifier, type, more);
    if (r < 0)
        return r;
    return more->n_values ? search_param_clause(p, more, modifier, c) : ARG_UNKNOWN;
}

int search_clause_parse(struct search_parse *p, const struct search_arg *arg,
                        struct search_clause *c)
{
    *c = (struct search_clause){0};
    if (str_eq(arg->raw, STR("_id")))
        return id_clause(p, arg, c);
    if (str_eq(arg->raw, STR("_lastUpdated")))
        return updated_clause(p, arg, c);
    if (str_starts(arg->raw, STR("_has:")))
        return search_has(p, arg, c);
    if (str_eq(arg->raw, STR("_list")))
        return search_list(p, arg, c);
    if (str_eq(arg->raw, STR("_filter")))
        return search_filter(p, arg, c);
    if (str_eq(arg->raw, STR("_text")) || str_eq(arg->raw, STR("_content")))
        return search_text(p, arg, c);
    if (str_find(arg->raw, '.') >= 0)
        return search_chain(p, arg, c);
    if (str_eq(arg->raw, STR("near")) && search_near_param(p, p->s->type))
        return search_near(p, arg, c);
    return param_clause(p, arg, c);
}

struct search_arg search_arg_of(struct str raw, struct str value)
{
    ptrdiff_t colon = str_find(raw, ':');
    struct search_arg arg = {.name = raw, .modifier = STR(""), .value = value, .raw = raw};

    /* A chain ("patient.name", "subject:Patient.name") is taken apart by who follows it. */
    if (str_find(raw, '.') < 0 && !str_starts(raw, STR("_has:")) && colon >= 0) {
        arg.name = str_head(raw, (size_t)colon);
        arg.modifier = str_from(raw, (size_t)colon + 1);
    }
    return arg;
}

/* ---- the query ---- */

static int take(struct search_parse *p, const struct search_arg *arg)
{
    int r;

    if (arg->value.n > SEARCH_VALUE_BYTES_MAX)
        return err_set(p->err, ERR_COSTLY, "the value of \"%.*s\" is longer than %d bytes",
                       (int)MIN(arg->raw.n, 64u), arg->raw.p, SEARCH_VALUE_BYTES_MAX);
    if (!arg->value.n)
        return ARG_UNKNOWN;
    r = search_control(p, arg);
    if (r == ARG_TAKEN)
        return r;
    if (r == ARG_UNKNOWN) {
        struct search_clause c;
        r = charge_values(p, arg->value);
        if (r >= 0)
            r = search_clause_parse(p, arg, &c);
        if (r == ARG_TAKEN)
            r = add_clause(p, &c);
    }
    if (r > 0)
        put_self(p, arg);
    return r;
}

/* The next "name:modifier=value"; 0 at the end. */
static int next_arg(struct search_parse *p, struct str *rest, struct search_arg *ret)
{
    struct str pair, name, raw, value;
    int r;

    do {
        if (!str_split(rest, '&', &pair))
            return 0;
    } while (!pair.n);
    str_split(&pair, '=', &name);
    r = decode(p, name, &raw);
    if (r >= 0)
        r = decode(p, pair.p ? pair : STR(""), &value);
    if (r < 0)
        return r;
    *ret = search_arg_of(raw, value);
    return 1;
}

static int read_types(struct search_parse *p, const struct search_arg *arg)
{
    struct search *s = p->s;
    struct str rest = arg->value, one;
    size_t n = count_values(rest);

    s->types = ARENA_ARRAY(p->a, int, MIN(n, (size_t)DEF_RESOURCE_MAX));
    if (!s->types)
        return err_no_memory(p->err);
    s->n_types = 0;
    while (str_split(&rest, ',', &one)) {
        int type = def_resource(one);
        bool twice = false;
        if (!type)
            return err_set(p->err, ERR_VALUE, "the value \"%.*s\" of \"_type\" is no resource type",
                           (int)MIN(one.n, 64u), one.p);
        for (size_t i = 0; i < s->n_types; i++)
            twice = twice || s->types[i] == type;
        if (!twice)
            s->types[s->n_types++] = type;
    }
    return 0;
}

/* `_type` decides what the other parameters mean, wherever it stands. */
static int first_pass(struct search_parse *p, struct str query)
{
    struct search_arg arg;
    size_t n = 0;
    int r;

    while ((r = next_arg(p, &query, &arg)) > 0) {
        if (++n > ARGS_MAX)
            break;
        if (str_eq(arg.raw, STR("_type")) && arg.value.n)
            r = read_types(p, &arg);
        if (r < 0)
            return r;
    }
    return MIN(r, 0);
}

static int second_pass(struct search_parse *p, struct str query)
{
    struct search_arg arg;
    size_t n = 0;
    int r;

    while ((r = next_arg(p, &query, &arg)) > 0) {
        if (++n > ARGS_MAX)
            return err_set(p->err, ERR_COSTLY, "the query has more than %d parameters", ARGS_MAX);
        r = take(p, &arg);
        if (r == ARG_UNKNOWN)
            r = unknown(p, &arg);
        if (r < 0)
            return r;
    }
    return r;
}

int search_parse(struct arena *a, const struct params *params, const struct search_options *opt,
                 int type, struct str query, struct search *ret, struct err *err)
{
    struct search s = {.type = type, .count = SEARCH_COUNT_DEFAULT};
    struct search_parse p = {.a = a, .params = params, .opt = opt, .s = &s, .err = err};
    struct search_options *copy = ARENA_NEW(a, struct search_options);
    int r;

    if (!copy)
        return err_no_memory(err);
    *copy = *opt;
    s.opt = copy;
    if (!query.p)
        query = STR("");
    p.self = sb_make(SELF_MAX);
    r = type ? 0 : first_pass(&p, query);
    if (r >= 0)
        r = second_pass(&p, query);
    if (r >= 0 && p.contained)
        r = search_contained(&p);
    if (r >= 0)
        r = search_near_order(&p);
    if (r >= 0)
        r = sb_ok(&p.self, err);
    if (r >= 0) {
        s.self = arena_dup(a, sb_view(&p.self));
        r = s.self.p ? 0 : err_no_memory(err);
    }
    sb_done(&p.self);
    if (r >= 0)
        *ret = s;
    return r;
}

int search_within(struct arena *a, struct search *s, enum def_compartment c, struct str id,
                  struct err *err)
{
    struct search_clause *clauses = ARENA_ARRAY(a, struct search_clause, s->n_clauses + 1);
    struct key_range *range = ARENA_NEW(a, struct key_range);
    struct key k = {.n = 0}, hi;

    if (s->n_clauses == SEARCH_CLAUSES_MAX)
        return err_set(err, ERR_COSTLY, "the search has more than %d parameters",
                       SEARCH_CLAUSES_MAX);
    if (!clauses || !range)
        return err_no_memory(err);
    k.n = index_id_key(id, k.b);
    hi = k;
    key_after(&hi);
    *range = (struct key_range){.param = (uint16_t)(INDEX_PARAM_COMPARTMENT + c),
                                .lo = arena_dup(a, key_view(&k)),
                                .hi = arena_dup(a, key_view(&hi)),
                                .point = true};
    if (!range->lo.p || !range->hi.p)
        return err_no_memory(err);
    if (s->n_clauses)
        memcpy(clauses + 1, s->clauses, s->n_clauses * sizeof *clauses);
    clauses[0] = (struct search_clause){.kind = CLAUSE_KEYS, .ranges = range, .n_ranges = 1};
    s->clauses = clauses;
    s->n_clauses++;
    return 0;
}
