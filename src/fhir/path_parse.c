#include "fhir/path_int.h"

/* A precedence climber over the table of operators; left recursion of the grammar is a loop. */
struct parser {
    struct path_lex lex;
    struct path *p;
    size_t cap;
    unsigned depth;
    struct err *err;
};

static const struct {
    struct str text;
    uint8_t precedence;
} operators[] = {
#define X(id, text, precedence) {{text, sizeof(text) - 1}, precedence},
    PATH_OPERATORS(X)
#undef X
};

static int expression(struct parser *s, int least);

static int wrong(struct parser *s, const char *what)
{
    return err_set(s->err, ERR_VALUE, "the FHIRPath expression lacks %s at character %zu", what,
                   s->lex.start + 1);
}

static bool is_symbol(const struct parser *s, const char *symbol)
{
    return s->lex.token == TOK_SYMBOL && str_eq(s->lex.value, str_c(symbol));
}

static int next(struct parser *s)
{
    return path_lex_next(&s->lex, s->err);
}

static int expect(struct parser *s, const char *symbol)
{
    return is_symbol(s, symbol) ? next(s) : wrong(s, symbol);
}

/* A new node over children already made; its number, or negative. */
static int add(struct parser *s, struct path_node node)
{
    struct path *p = s->p;
    unsigned depth = 0;

    if (p->n_nodes == PATH_NODES_MAX)
        return err_set(s->err, ERR_COSTLY, "the FHIRPath expression has more than %d parts",
                       PATH_NODES_MAX);
    if (p->n_nodes == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 8;
        struct path_node *more =
            arena_grow(s->lex.a, p->nodes, s->cap * sizeof *more, cap * sizeof *more);
        if (!more)
            return err_no_memory(s->err);
        p->nodes = more;
        s->cap = cap;
    }
    if (node.left != NO_NODE)
        depth = p->nodes[node.left].depth;
    for (uint16_t arg = node.right; arg != NO_NODE; arg = p->nodes[arg].next)
        depth = MAX(depth, p->nodes[arg].depth);
    if (depth + 1 > PATH_DEPTH_MAX)
        return err_set(s->err, ERR_COSTLY, "the FHIRPath expression is more than %d deep",
                       PATH_DEPTH_MAX);
    node.depth = (uint16_t)(depth + 1);
    p->nodes[p->n_nodes] = node;
    return (int)p->n_nodes++;
}

/* A node that begins at the current token. */
static struct path_node leaf(const struct parser *s, enum path_node_kind kind)
{
    return (struct path_node){.kind = kind,
                              .strict = s->p->strict,
                              .at = (uint16_t)s->lex.start,
                              .left = NO_NODE,
                              .right = NO_NODE,
                              .next = NO_NODE};
}

static int literal(struct parser *s, enum path_kind kind, struct str text)
{
    struct path_node n = leaf(s, NODE_LITERAL);
    int r = next(s);

    if (r < 0)
        return r;
    n.op = (uint8_t)kind;
    n.text = text;
    return add(s, n);
}

static int moment(struct parser *s, enum path_kind kind)
{
    struct path_moment m;

    if (!path_moment_parse(kind, s->lex.value, &m))
        return err_set(s->err, ERR_VALUE,
                       "the FHIRPath expression has a date or time that does not exist at "
                       "character %zu",
                       s->lex.start + 1);
    return literal(s, kind, path_moment_plain(s->lex.value));
}

#define INTEGER_MAX UINT64_C(2147483648) /* so that -2147483648 can be said */

/* A number, and the unit of a quantity behind it. */
static int number(struct parser *s)
{
    struct path_node n = leaf(s, NODE_LITERAL);
    uint64_t value;
    bool is_code;
    int r;

    n.text = s->lex.value;
    n.op = str_find(n.text, '.') < 0 ? PATH_INTEGER : PATH_DECIMAL;
    while (n.text.n > 1 && n.text.p[0] == '0' && n.text.p[1] != '.')
        n.text = str_from(n.text, 1);
    if (n.op == PATH_INTEGER && !str_to_u64(n.text, INTEGER_MAX, &value))
        return err_set(s->err, ERR_VALUE,
                       "the FHIRPath expression has an integer beyond 2147483648 at character %zu",
                       s->lex.start + 1);
    if (n.text.n > DECIMAL_DIGITS_MAX)
        return err_set(s->err, ERR_VALUE,
                       "the FHIRPath expression has a number of more than %d digits at "
                       "character %zu",
                       DECIMAL_DIGITS_MAX, s->lex.start + 1);
    r = next(s);
    if (r < 0)
        return r;
    is_code = s->lex.token == TOK_STRING;
    if (is_code || (s->lex.token == TOK_NAME && path_calendar_unit(s->lex.value).p)) {
        n.op = PATH_QUANTITY;
        n.unit = is_code ? arena_fmt(s->lex.a, "'%.*s'", STR_ARG(s->lex.value)) : s->lex.value;
        if (!n.unit.p)
            return err_no_memory(s->err);
        r = next(s);
        if (r < 0)
            return r;
    }
    return add(s, n);
}

/* %`vs-…` and %`ext-…` are URLs by what they begin with. */
static int external_url(struct parser *s, const char *base, struct str name)
{
    struct str url = arena_fmt(s->lex.a, "%s%.*s", base, STR_ARG(name));

    return url.p ? literal(s, PATH_STRING, url) : err_no_memory(s->err);
}

static int external(struct parser *s)
{
    static const struct {
        struct str name;
        enum path_node_kind kind;
        struct str text; /* of a literal */
    } ours[] = {
        {{"resource", 8}, NODE_RESOURCE, {NULL, 0}},
        {{"rootResource", 12}, NODE_ROOT, {NULL, 0}},
        {{"context", 7}, NODE_CONTEXT, {NULL, 0}},
        {{"ucum", 4}, NODE_LITERAL, {"http://unitsofmeasure.org", 25}},
        {{"sct", 3}, NODE_LITERAL, {"http://snomed.info/sct", 22}},
        {{"loinc", 5}, NODE_LITERAL, {"http://loinc.org", 16}},
    };
    struct str name = s->lex.value;
    struct path_node n = leaf(s, NODE_VARIABLE);
    int r;

    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        if (!str_eq(name, ours[i].name))
            continue;
        if (ours[i].text.p)
            return literal(s, PATH_STRING, ours[i].text);
        n.kind = (uint8_t)ours[i].kind;
    }
    if (str_starts(name, STR("vs-")))
        return external_url(s, "http://hl7.org/fhir/ValueSet/", str_from(name, 3));
    if (str_starts(name, STR("ext-")))
        return external_url(s, "http://hl7.org/fhir/StructureDefinition/", str_from(name, 4));
    n.text = name;
    r = next(s);
    return r < 0 ? r : add(s, n);
}

/* A type specifier: a name, or two with a dot. */
static int type_name(struct parser *s, struct str *ret)
{
    struct str first = s->lex.value, second;
    int r;

    if (s->lex.token != TOK_NAME && s->lex.token != TOK_QUOTED_NAME)
        return wrong(s, "the name of a type");
    r = next(s);
    if (r < 0)
        return r;
    if (!is_symbol(s, ".") || (!str_eq(first, STR("FHIR")) && !str_eq(first, STR("System")))) {
        *ret = first;
        return 0;
    }
    r = next(s);
    if (r < 0)
        return r;
    second = s->lex.value;
    if (s->lex.token != TOK_NAME && s->lex.token != TOK_QUOTED_NAME)
        return wrong(s, "the name of a type");
    *ret = arena_fmt(s->lex.a, "%.*s.%.*s", STR_ARG(first), STR_ARG(second));
    if (!ret->p)
        return err_no_memory(s->err);
    return next(s);
}

/* `n` is of the kind NODE_IS or NODE_AS. */
static int typed(struct parser *s, struct path_node n, int left)
{
    size_t at = s->lex.start;
    int r = type_name(s, &n.text);

    if (r < 0)
        return r;
    n.left = (uint16_t)left;
    n.type = path_type_named(n.text, s->p->strict);
    if (!n.type && !path_is_system_type(n.text) && !str_starts(n.text, STR("System.")))
        return err_set(s->err, ERR_VALUE,
                       "\"%.*s\" in the FHIRPath expression is not a type (character %zu)",
                       (int)MIN(n.text.n, 64u), n.text.p, at + 1);
    return add(s, n);
}

static int arguments(struct parser *s, struct path_node *call)
{
    uint16_t last = NO_NODE;
    int n = 0;

    while (!is_symbol(s, ")") || n) {
        int r = expression(s, 1);
        if (r < 0)
            return r;
        if (last == NO_NODE)
            call->right = (uint16_t)r;
        else
            s->p->nodes[last].next = (uint16_t)r;
        last = (uint16_t)r;
        n++;
        if (is_symbol(s, ")"))
            break;
        r = expect(s, ",");
        if (r < 0)
            return r;
    }
    if (n < call->function->min_args || n > call->function->max_args)
        return err_set(
            s->err, ERR_VALUE, "the FHIRPath function \"%.*s\" does not take %d %s (character %zu)",
            STR_ARG(call->text), n, n == 1 ? "argument" : "arguments", (size_t)call->at + 1);
    return next(s);
}

/* A pattern that is a literal is compiled here, once. */
static int pattern(struct parser *s, struct path_node *call)
{
    const struct path_node *arg = &s->p->nodes[call->right];
    struct err why = {0};
    int r = 0;

    if (call->function->arguments != ARGS_REGEX || arg->kind != NODE_LITERAL ||
        arg->op != PATH_STRING)
        return 0;
    r = path_regex_compile(s->lex.a, arg->text, &call->regex, &why);
    if (r == ERR_NO_MEMORY)
        return err_no_memory(s->err);
    return r < 0 ? err_set(s->err, r, "%s (character %zu of the FHIRPath expression)", why.text,
                           (size_t)arg->at + 1)
                 : 0;
}

/* Behind "name(". */
static int call(struct parser *s, int left, struct path_node n)
{
    int r;

    n.left = (uint16_t)left;
    n.function = path_function_find(n.text);
    if (!n.function)
        return err_set(s->err, ERR_VALUE, "\"%.*s\" is not a FHIRPath function (character %zu)",
                       (int)MIN(n.text.n, 64u), n.text.p, (size_t)n.at + 1);
    n.kind = NODE_CALL;
    if (n.function->arguments == ARGS_TYPE) {
        n.kind = str_eq(n.text, STR("is")) ? NODE_IS : NODE_AS;
        n.op = str_eq(n.text, STR("ofType")) ? AS_ANY : AS_ONE;
        n.function = NULL;
        left = typed(s, n, left);
        if (left < 0)
            return left;
        r = expect(s, ")");
        return r < 0 ? r : left;
    }
    r = arguments(s, &n);
    if (r >= 0)
        r = pattern(s, &n);
    return r < 0 ? r : add(s, n);
}

/* A member or a call on `left`. */
static int invocation(struct parser *s, int left)
{
    struct path_node n = leaf(s, NODE_MEMBER);
    bool quoted = s->lex.token == TOK_QUOTED_NAME;
    int r;

    if (s->lex.token != TOK_NAME && !quoted)
        return wrong(s, "a name");
    n.text = s->lex.value;
    r = next(s);
    if (r < 0)
        return r;
    if (!quoted && is_symbol(s, "(")) {
        r = next(s);
        return r < 0 ? r : call(s, left, n);
    }
    n.left = (uint16_t)left;
    return add(s, n);
}

static int parenthesis(struct parser *s)
{
    int node, r = next(s);

    if (r < 0)
        return r;
    node = expression(s, 1);
    if (node < 0)
        return node;
    r = expect(s, ")");
    return r < 0 ? r : node;
}

static int empty(struct parser *s)
{
    struct path_node n = leaf(s, NODE_EMPTY);
    int r = next(s);

    if (r >= 0)
        r = expect(s, "}");
    return r < 0 ? r : add(s, n);
}

/* $this, $index, $total */
static int special(struct parser *s, enum path_node_kind kind)
{
    struct path_node n = leaf(s, kind);
    int r = next(s);

    return r < 0 ? r : add(s, n);
}

static int term(struct parser *s)
{
    int r;

    switch (s->lex.token) {
    case TOK_STRING: return literal(s, PATH_STRING, s->lex.value);
    case TOK_NUMBER: return number(s);
    case TOK_DATE: return moment(s, PATH_DATE);
    case TOK_DATETIME: return moment(s, PATH_DATETIME);
    case TOK_TIME: return moment(s, PATH_TIME);
    case TOK_EXTERNAL: return external(s);
    case TOK_THIS: return special(s, NODE_FOCUS);
    case TOK_INDEX: return special(s, NODE_INDEX_OF);
    case TOK_TOTAL: return special(s, NODE_TOTAL);
    case TOK_NAME:
        if (str_eq(s->lex.value, STR("true")) || str_eq(s->lex.value, STR("false")))
            return literal(s, PATH_BOOLEAN, s->lex.value);
        break;
    case TOK_SYMBOL:
        if (is_symbol(s, "("))
            return parenthesis(s);
        if (is_symbol(s, "{"))
            return empty(s);
        break;
    default: break;
    }
    r = add(s, leaf(s, NODE_FOCUS));
    return r < 0 ? r : invocation(s, r);
}

static int postfix(struct parser *s)
{
    int left = term(s);

    while (left >= 0) {
        struct path_node n = leaf(s, NODE_INDEX);
        int r;

        if (is_symbol(s, ".")) {
            r = next(s);
            left = r < 0 ? r : invocation(s, left);
        } else if (is_symbol(s, "[")) {
            r = next(s);
            if (r >= 0)
                r = expression(s, 1);
            if (r < 0)
                return r;
            n.left = (uint16_t)left;
            n.right = (uint16_t)r;
            r = expect(s, "]");
            left = r < 0 ? r : add(s, n);
        } else {
            break;
        }
    }
    return left;
}

static int unary(struct parser *s)
{
    bool minus = is_symbol(s, "-");
    struct path_node n = leaf(s, minus ? NODE_NEGATE : NODE_PLUS);
    int r;

    if (!minus && !is_symbol(s, "+"))
        return postfix(s);
    if (++s->depth > PATH_DEPTH_MAX)
        return err_set(s->err, ERR_COSTLY, "the FHIRPath expression is more than %d deep",
                       PATH_DEPTH_MAX);
    r = next(s);
    if (r >= 0)
        r = unary(s);
    s->depth--;
    if (r < 0)
        return r;
    n.right = (uint16_t)r;
    return add(s, n);
}

static int operator_at(const struct parser *s)
{
    if (s->lex.token != TOK_SYMBOL && s->lex.token != TOK_NAME)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(operators); i++)
        if (str_eq(operators[i].text, s->lex.value))
            return (int)i;
    return -1;
}

static int binary(struct parser *s, int left, enum path_op op)
{
    struct path_node n = leaf(s, NODE_BINARY);
    int r = next(s);

    if (r < 0)
        return r;
    if (op == OP_IS || op == OP_AS) {
        n.kind = op == OP_IS ? NODE_IS : NODE_AS;
        n.op = AS_ONE;
        return typed(s, n, left);
    }
    r = expression(s, operators[op].precedence + 1);
    if (r < 0)
        return r;
    n.op = (uint8_t)op;
    n.left = (uint16_t)left;
    n.right = (uint16_t)r;
    return add(s, n);
}

/* Operators that bind at least as strongly as `least`. */
static int expression(struct parser *s, int least)
{
    int left;

    if (++s->depth > PATH_DEPTH_MAX)
        return err_set(s->err, ERR_COSTLY, "the FHIRPath expression is more than %d deep",
                       PATH_DEPTH_MAX);
    left = unary(s);
    while (left >= 0) {
        int op = operator_at(s);
        if (op < 0 || operators[op].precedence < least)
            break;
        left = binary(s, left, (enum path_op)op);
    }
    s->depth--;
    return left;
}

struct str path_op_text(enum path_op op)
{
    return operators[op].text;
}

/* The tree of a text, as it stands there. */
static int parse(struct arena *a, struct str text, bool strict, struct path **ret, struct err *err)
{
    struct parser s = {.err = err};
    int r;

    if (text.n > PATH_TEXT_MAX)
        return err_set(err, ERR_COSTLY, "the FHIRPath expression is longer than %zu bytes",
                       (size_t)PATH_TEXT_MAX);
    s.p = ARENA_NEW(a, struct path);
    if (!s.p)
        return err_no_memory(err);
    s.p->strict = strict;
    s.p->text = arena_dup(a, text);
    if (!s.p->text.p)
        return err_no_memory(err);
    s.lex = (struct path_lex){.a = a, .text = s.p->text};
    r = next(&s);
    if (r >= 0)
        r = expression(&s, 1);
    if (r < 0)
        return r;
    if (s.lex.token != TOK_END)
        return wrong(&s, "an operator");
    s.p->root = (uint16_t)r;
    *ret = s.p;
    return 0;
}

static int compile(struct arena *a, struct str text, bool strict, const struct def_type *context,
                   const struct path **ret, struct err *err)
{
    struct path *p;
    int r = parse(a, text, strict, &p, err);

    if (r < 0)
        return r;
    r = strict ? path_check(p, context, err) : 0;
    if (r >= 0)
        r = path_chain(a, p, context, err);
    if (r < 0)
        return r;
    path_hoist(p);
    *ret = p;
    return 0;
}

int path_compile(struct arena *a, struct str text, const struct def_type *context,
                 const struct path **ret, struct err *err)
{
    return compile(a, text, false, context, ret, err);
}

int path_compile_strict(struct arena *a, struct str text, const struct def_type *context,
                        const struct path **ret, struct err *err)
{
    return compile(a, text, true, context, ret, err);
}

int path_members(struct arena *a, struct str text, const struct def_type *const *types,
                 struct err *err)
{
    struct path *p;
    int r = parse(a, text, false, &p, err);

    return r < 0 ? r : path_check_members(p, types, err);
}

struct str path_text(const struct path *p)
{
    return p->text;
}
