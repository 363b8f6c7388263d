/* search_filter.c - _filter: tests of parameters, joined by and, or, not and parentheses.
 *
 * filter := term (("and" | "or") term)*, from left to right, neither binds stronger
 * term   := "(" filter ")" | "not" "(" filter ")" | test
 * test   := name ("[" filter "]")? "." test | "_has:Type:reference:" test | name operator value
 * value  := a JSON string | anything up to a blank, ")" or "]"
 *
 * A name with something behind it is a reference, or a composite whose components are asked: what
 * stands in brackets and what stands behind the point must hold of one and the same resource, or
 * of one and the same item of the composite. Source:
 * http://hl7.org/fhir/R4/search_filter.html.
 */
#include "fhir/search_int.h"

enum filter_op {
    OP_EQ,
    OP_NE,
    OP_CO,
    OP_SW,
    OP_EW,
    OP_GT,
    OP_LT,
    OP_GE,
    OP_LE,
    OP_AP,
    OP_SA,
    OP_EB,
    OP_PR,
    OP_PO,
    OP_SS,
    OP_SB,
    OP_IN,
    OP_NI,
    OP_RE,
    OP_COUNT,
};

static const char op_names[OP_COUNT][3] = {
    [OP_EQ] = "eq", [OP_NE] = "ne", [OP_CO] = "co", [OP_SW] = "sw", [OP_EW] = "ew",
    [OP_GT] = "gt", [OP_LT] = "lt", [OP_GE] = "ge", [OP_LE] = "le", [OP_AP] = "ap",
    [OP_SA] = "sa", [OP_EB] = "eb", [OP_PR] = "pr", [OP_PO] = "po", [OP_SS] = "ss",
    [OP_SB] = "sb", [OP_IN] = "in", [OP_NI] = "ni", [OP_RE] = "re",
};

struct filter {
    struct str text;
    size_t at, end;                 /* end: behind what the last test of several types took */
    const struct def_param *inside; /* only components of this composite can be asked */
};

static int parse_filter(struct search_parse *p, struct filter *f, struct search_clause *ret);
static int parse_test(struct search_parse *p, struct filter *f, struct search_clause *ret);

/* ---- words ---- */

static int bad(struct search_parse *p, const struct filter *f, const char *what)
{
    return err_set(p->err, ERR_VALUE, "the _filter at character %zu (\"%.*s\"): %s", f->at + 1,
                   (int)MIN(f->text.n - f->at, 30u), f->text.p + f->at, what);
}

static int peek(const struct filter *f)
{
    return f->at < f->text.n ? (unsigned char)f->text.p[f->at] : -1;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct filter *f)
{
    while (is_blank(peek(f)))
        f->at++;
}

static bool is_name(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == ':';
}

static struct str take_name(struct filter *f)
{
    size_t from = f->at;

    while (is_name(peek(f)))
        f->at++;
    return str_n(f->text.p + from, f->at - from);
}

/* Whether this word stands next; it is passed then. */
static bool take_word(struct filter *f, struct str word)
{
    struct filter try = *f;

    if (!str_eq(take_name(&try), word))
        return false;
    f->at = try.at;
    return true;
}

static int take_char(struct search_parse *p, struct filter *f, int c)
{
    skip_blanks(f);
    if (peek(f) != c)
        return bad(p, f,
                   c == ')'   ? "a \")\" is missing"
                   : c == ']' ? "a \"]\" is missing"
                              : "a \"(\" is missing");
    f->at++;
    return 0;
}

static int take_string(struct search_parse *p, struct filter *f, struct str *ret)
{
    size_t from = f->at++;
    yyjson_val *v;
    int c;

    while ((c = peek(f)) != '"') {
        if (c < 0) {
            f->at = from;
            return bad(p, f, "a string has no end");
        }
        f->at += c == '\\' && f->at + 1 < f->text.n ? 2 : 1;
    }
    f->at++;
    if (js_parse(p->a, str_n(f->text.p + from, f->at - from), &v, NULL) < 0) {
        f->at = from;
        return bad(p, f, "this is no JSON string");
    }
    *ret = js_str(v);
    return 0;
}

static int take_value(struct search_parse *p, struct filter *f, struct str *ret)
{
    size_t from;

    skip_blanks(f);
    if (peek(f) == '"')
        return take_string(p, f, ret);
    from = f->at;
    while (peek(f) >= 0 && !is_blank(peek(f)) && peek(f) != ')' && peek(f) != ']')
        f->at++;
    *ret = str_n(f->text.p + from, f->at - from);
    return ret->n ? 0 : bad(p, f, "a value is missing");
}

static int take_op(struct search_parse *p, struct filter *f, enum filter_op *ret)
{
    struct filter try = *f;
    struct str name = take_name(&try);

    for (int i = 0; i < OP_COUNT; i++) {
        if (str_eq(name, str_c(op_names[i]))) {
            f->at = try.at;
            *ret = (enum filter_op)i;
            return 0;
        }
    }
    return bad(p, f,
               "an operator (eq, ne, co, sw, ew, gt, lt, ge, le, ap, sa, eb, pr, po, ss, sb, "
               "in, ni or re) is missing");
}

/* ---- tests ---- */

#define KIND(k) (1u << (k))
#define ORDERED (KIND(PARAM_NUMBER) | KIND(PARAM_QUANTITY) | KIND(PARAM_DATE))
#define TEXTS (KIND(PARAM_STRING) | KIND(PARAM_TOKEN) | KIND(PARAM_URI) | KIND(PARAM_REFERENCE))

/* What an operator is for a kind of parameter: a modifier, or a prefix of the value. The first row
 * that fits counts. */
static const struct {
    enum filter_op op;
    unsigned kinds;
    enum search_modifier modifier;
    const char *prefix;
} meanings[] = {
    {OP_EQ, KIND(PARAM_STRING), MOD_EQUAL, ""},
    {OP_EQ, TEXTS | ORDERED | KIND(PARAM_COMPOSITE), MOD_NONE, ""},
    {OP_NE, TEXTS, MOD_UNEQUAL, ""},
    {OP_NE, ORDERED, MOD_NONE, "ne"},
    {OP_CO, TEXTS, MOD_CONTAINS, ""},
    {OP_SW, TEXTS, MOD_STARTS, ""},
    {OP_EW, TEXTS, MOD_ENDS, ""},
    {OP_GT, KIND(PARAM_STRING), MOD_GREATER, ""},
    {OP_GT, ORDERED, MOD_NONE, "gt"},
    {OP_LT, KIND(PARAM_STRING), MOD_LESS, ""},
    {OP_LT, ORDERED, MOD_NONE, "lt"},
    {OP_GE, KIND(PARAM_STRING), MOD_AT_LEAST, ""},
    {OP_GE, ORDERED, MOD_NONE, "ge"},
    {OP_LE, KIND(PARAM_STRING), MOD_AT_MOST, ""},
    {OP_LE, ORDERED, MOD_NONE, "le"},
    {OP_AP, ORDERED, MOD_NONE, "ap"},
    {OP_SA, ORDERED, MOD_NONE, "sa"},
    {OP_EB, ORDERED, MOD_NONE, "eb"},
    {OP_PR, ~KIND(PARAM_COMPOSITE), MOD_MISSING, ""},
    {OP_PO, KIND(PARAM_DATE), MOD_NONE, ""},
    {OP_SS, KIND(PARAM_TOKEN) | KIND(PARAM_URI), MOD_BELOW, ""},
    {OP_SB, KIND(PARAM_TOKEN) | KIND(PARAM_URI), MOD_ABOVE, ""},
    {OP_IN, KIND(PARAM_TOKEN), MOD_IN, ""},
    {OP_NI, KIND(PARAM_TOKEN), MOD_NOT_IN, ""},
    {OP_RE, KIND(PARAM_REFERENCE), MOD_NONE, ""},
};

static int refuse_op(struct search_parse *p, struct str name, enum filter_op op)
{
    return err_set(p->err, ERR_NOT_SUPPORTED,
                   "the operator \"%s\" cannot stand behind the parameter \"%.*s\"", op_names[op],
                   (int)MIN(name.n, 64u), name.p);
}

/* The value as a search has it: its prefix in front, backslashes doubled. */
static struct str value_text(struct search_parse *p, const char *prefix, struct str value)
{
    char *to = arena_alloc(p->a, 2 * value.n + 3);
    size_t n = strlen(prefix);

    if (!to)
        return STR_NULL;
    memcpy(to, prefix, n);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\\')
            to[n++] = '\\';
        to[n++] = value.p[i];
    }
    return str_n(to, n);
}

static int param_test(struct search_parse *p, struct str name, enum filter_op op, struct str value,
                      struct search_clause *ret)
{
    struct clause_more *more = ARENA_NEW(p->a, struct clause_more);
    struct search_value *v = ARENA_NEW(p->a, struct search_value);
    enum def_param_kind kind;
    size_t i = 0;
    int r;

    if (!more || !v)
        return err_no_memory(p->err);
    if ((r = search_find(p, name, more)) != ARG_TAKEN)
        return r;
    kind = more->params[0]->def.kind;
    while (i < ARRAY_LEN(meanings) && (meanings[i].op != op || !(meanings[i].kinds & KIND(kind))))
        i++;
    if (i == ARRAY_LEN(meanings))
        return refuse_op(p, name, op);
    value = value_text(p, meanings[i].prefix, value);
    if (!value.p)
        return err_no_memory(p->err);
    r = search_value_parse(p, more->params[0], meanings[i].modifier, 0, value, v);
    if (r < 0)
        return r;
    if (op == OP_PR) {
        v->missing = !v->missing;
    } else if (op == OP_PO) {
        v->date.prefix = PREFIX_AP; /* overlaps; not widened */
    }
    more->opt = p->s->opt;
    more->values = v;
    more->n_values = 1;
    return search_param_clause(p, more, meanings[i].modifier, ret);
}

/* The parameters that are no parameters of the definitions. */
static int own_test(struct search_parse *p, struct str name, enum filter_op op, struct str value,
                    struct search_clause *ret)
{
    bool is_id = str_eq(name, STR("_id"));
    struct search_arg arg;
    int r;

    if (is_id ? op != OP_EQ && op != OP_NE : op == OP_PR || op == OP_PO || op >= OP_SS)
        return refuse_op(p, name, op);
    if (!is_id && op >= OP_CO && op <= OP_EW)
        return refuse_op(p, name, op);
    arg = search_arg_of(name, is_id ? value : value_text(p, op_names[op], value));
    if (!arg.value.p)
        return err_no_memory(p->err);
    if (str_find(arg.value, ',') >= 0)
        return err_set(p->err, ERR_VALUE, "\"%.*s\" takes one value", STR_ARG(name));
    r = search_clause_parse(p, &arg, ret);
    if (is_id && op == OP_NE)
        ret->negate = true;
    return r;
}

/* What stands behind a reference, once for each type that it leads to. */
struct behind {
    struct filter *f;
    size_t bracket, rest; /* where they begin; bracket 0: there is none */
};

static int make_behind(struct search_parse *p, void *ctx, struct search_clause *ret)
{
    const struct behind *b = ctx;
    struct filter f = *b->f;
    struct search_clause *both = ARENA_ARRAY(p->a, struct search_clause, 2);
    int r = ARG_TAKEN;

    if (!both)
        return err_no_memory(p->err);
    if (b->bracket) {
        f.at = b->bracket;
        r = parse_filter(p, &f, &both[0]);
    }
    f.at = b->rest;
    if (r == ARG_TAKEN)
        r = parse_test(p, &f, b->bracket ? &both[1] : ret);
    if (r == ARG_TAKEN)
        b->f->end = MAX(b->f->end, f.at);
    if (b->bracket)
        *ret = (struct search_clause){.kind = CLAUSE_ALL, .subs = both, .n_subs = 2};
    return r;
}

/* Moves behind the bracket that closes the one in hand. */
static int skip_bracket(struct search_parse *p, struct filter *f)
{
    size_t from = f->at, depth = 1;

    for (f->at++; depth; f->at++) {
        struct str ignored;
        int c = peek(f);

        if (c < 0) {
            f->at = from;
            return bad(p, f, "a \"]\" is missing");
        }
        if (c == '"') {
            int r = take_string(p, f, &ignored);
            if (r < 0)
                return r;
            f->at--;
        }
        depth += c == '[';
        depth -= c == ']';
    }
    return 0;
}

/* What a composite's bracket and what stands behind it ask of one item. */
static int make_items(struct search_parse *p, struct behind b, struct clause_more *more,
                      struct search_clause *ret)
{
    struct search_clause *item = ARENA_NEW(p->a, struct search_clause);
    struct filter inside = *b.f;
    int r;

    if (!item)
        return err_no_memory(p->err);
    inside.inside = &more->params[0]->def;
    b.f = &inside;
    inside.end = 0;
    r = make_behind(p, &b, item);
    if (r == ARG_UNKNOWN)
        return bad(p, &inside, "the composite has no such component");
    if (r < 0)
        return r;
    more->opt = p->s->opt;
    more->item = item;
    r = search_items(p, more, ret);
    return r < 0 ? r : (int)inside.end;
}

static int parse_behind(struct search_parse *p, struct filter *f, struct str name,
                        struct search_clause *ret)
{
    struct behind b = {.f = f};
    struct clause_more *more = ARENA_NEW(p->a, struct clause_more);
    size_t from = f->at - name.n;
    int r;

    if (!more)
        return err_no_memory(p->err);
    if (f->inside)
        return bad(p, f, "nothing stands behind a component");
    if (peek(f) == '[') {
        b.bracket = f->at + 1;
        if ((r = skip_bracket(p, f)) < 0)
            return r;
        if (peek(f) != '.')
            return bad(p, f, "a \".\" and a parameter are missing behind the brackets");
    }
    b.rest = ++f->at;
    f->end = 0;
    if (search_find(p, name, more) == ARG_TAKEN && more->composite) {
        if ((r = make_items(p, b, more, ret)) > 0)
            f->at = (size_t)r;
        return MIN(r, ARG_TAKEN);
    }
    r = search_follow(p, name, make_behind, &b, ret);
    f->at = from;
    if (r == ARG_UNKNOWN)
        return r;
    if (r >= 0)
        f->at = f->end;
    return r;
}

/* "_has:Type:reference:" and a test of that type. */
static int parse_has(struct search_parse *p, struct filter *f, struct str name,
                     struct search_clause *ret)
{
    struct behind b = {.f = f};
    size_t head = 0, colons = 0;
    int r;

    while (head < name.n && (colons += name.p[head] == ':') < 3)
        head++;
    if (colons < 3)
        return bad(p, f, "a _has names a type, a reference and a parameter");
    b.rest = f->at - (name.n - head) + 1;
    f->end = 0;
    r = search_follow_back(p, str_head(name, head), make_behind, &b, ret);
    if (r >= 0)
        f->at = f->end;
    return r;
}

static bool is_component(const struct def_param *composite, struct str name)
{
    for (size_t i = 0; i < composite->n_components; i++)
        if (str_eq(composite->components[i].code, name))
            return true;
    return false;
}

static int parse_test(struct search_parse *p, struct filter *f, struct search_clause *ret)
{
    size_t from = f->at;
    struct str name = take_name(f), value;
    enum filter_op op = OP_EQ;
    int r;

    if (!name.n)
        return bad(p, f, "the name of a parameter is missing");
    if (f->inside && !is_component(f->inside, name)) {
        f->at = from;
        return ARG_UNKNOWN;
    }
    if (str_starts(name, STR("_has:")))
        return parse_has(p, f, name, ret);
    if (peek(f) == '.' || peek(f) == '[')
        return parse_behind(p, f, name, ret);
    skip_blanks(f);
    if ((r = take_op(p, f, &op)) < 0 || (r = take_value(p, f, &value)) < 0)
        return r;
    if (str_eq(name, STR("_id")) || str_eq(name, STR("_lastUpdated")))
        return own_test(p, name, op, value, ret);
    r = param_test(p, name, op, value, ret);
    if (r == ARG_UNKNOWN)
        f->at = from;
    return r;
}

/* ---- logic ---- */

static int parse_term(struct search_parse *p, struct filter *f, struct search_clause *ret)
{
    bool is_not;
    int r;

    skip_blanks(f);
    is_not = take_word(f, STR("not"));
    skip_blanks(f);
    if (!is_not && peek(f) != '(') {
        r = parse_test(p, f, ret);
        if (r == ARG_UNKNOWN && p->depth == 1)
            return bad(p, f, "there is no such parameter");
        return r;
    }
    if ((r = take_char(p, f, '(')) < 0)
        return r;
    r = parse_filter(p, f, ret);
    if (r != ARG_TAKEN)
        return r;
    if ((r = take_char(p, f, ')')) < 0)
        return r;
    ret->negate ^= is_not;
    return ARG_TAKEN;
}

/* left and right, or left or right; joins what is of one kind. */
int search_join(struct search_parse *p, enum clause_kind kind, struct search_clause *left,
                const struct search_clause *right)
{
    bool same = left->kind == kind && !left->negate;
    size_t n = same ? left->n_subs : 1;
    struct search_clause *subs = ARENA_ARRAY(p->a, struct search_clause, n + 1);

    if (!subs)
        return err_no_memory(p->err);
    memcpy(subs, same ? left->subs : left, n * sizeof *subs);
    subs[n] = *right;
    *left = (struct search_clause){.kind = kind, .subs = subs, .n_subs = n + 1};
    return ARG_TAKEN;
}

static int parse_terms(struct search_parse *p, struct filter *f, struct search_clause *ret)
{
    int r = parse_term(p, f, ret);

    while (r == ARG_TAKEN) {
        struct search_clause next;
        enum clause_kind kind;

        skip_blanks(f);
        if (take_word(f, STR("and")))
            kind = CLAUSE_ALL;
        else if (take_word(f, STR("or")))
            kind = CLAUSE_ANY;
        else
            break;
        if (++p->n_values > SEARCH_VALUES_MAX)
            return err_set(p->err, ERR_COSTLY, "the search has more than %d values",
                           SEARCH_VALUES_MAX);
        r = parse_term(p, f, &next);
        if (r == ARG_TAKEN)
            r = search_join(p, kind, ret, &next);
    }
    return r;
}

static int parse_filter(struct search_parse *p, struct filter *f, struct search_clause *ret)
{
    int r;

    if (p->depth == SEARCH_DEPTH_MAX)
        return err_set(p->err, ERR_COSTLY, "the search is nested more than %d deep",
                       SEARCH_DEPTH_MAX);
    p->depth++;
    r = parse_terms(p, f, ret);
    p->depth--;
    return r;
}

int search_filter(struct search_parse *p, const struct search_arg *arg, struct search_clause *c)
{
    struct filter f = {.text = arg->value};
    int r = parse_filter(p, &f, c);

    if (r == ARG_UNKNOWN)
        return bad(p, &f, "there is no such parameter");
    if (r < 0)
        return r;
    skip_blanks(&f);
    return f.at < f.text.n ? bad(p, &f, "\"and\" or \"or\" is missing") : ARG_TAKEN;
}
