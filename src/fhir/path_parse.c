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
    bool ready;
} operators[] = {
#define X(id, text, precedence, ready) {{text, sizeof(text) - 1}, precedence, ready},
    PATH_OPERATORS(X)
#undef X
};

static int expression(struct parser *s, int least);

static int wrong(struct parser *s, const char *what)
{
    return err_set(s->err, ERR_VALUE, "the FHIRPath expression lacks %s at character %zu", what,
                   s->lex.start + 1);
}

static int unsupported(struct parser *s, const char *what, struct str name)
{
    return err_set(s->err, ERR_NOT_SUPPORTED, "the FHIRPath %s \"%.*s\" is not supported", what,
                   (int)MIN(name.n, 64u), name.p);
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

static struct path_node leaf(enum path_node_kind kind)
{
    return (struct path_node){.kind = kind, .left = NO_NODE, .right = NO_NODE, .next = NO_NODE};
}

static int literal(struct parser *s, enum path_kind kind, struct str text)
{
    struct path_node n = leaf(NODE_LITERAL);
    int r = next(s);

    if (r < 0)
        return r;
    n.op = (uint8_t)kind;
    n.text = text;
    return add(s, n);
}

static bool is_time_unit(struct str s)
{
    static const char *const units[] = {
        "year", "month", "week", "day", "hour", "minute", "second", "millisecond",
    };

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_starts(s, str_c(units[i])) &&
            (s.n == strlen(units[i]) || (s.n == strlen(units[i]) + 1 && s.p[s.n - 1] == 's')))
            return true;
    return false;
}

static int number(struct parser *s)
{
    struct str text = s->lex.value;
    enum path_kind kind = str_find(text, '.') < 0 ? PATH_INTEGER : PATH_DECIMAL;
    int r = literal(s, kind, text);

    if (r < 0)
        return r;
    if (s->lex.token == TOK_STRING || (s->lex.token == TOK_NAME && is_time_unit(s->lex.value)))
        return unsupported(s, "quantity literal", text);
    return r;
}

static int external(struct parser *s)
{
    static const char *const ours[] = {"resource", "rootResource", "context"};
    struct str name = s->lex.value;
    int r;

    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        if (str_eq(name, str_c(ours[i]))) {
            r = next(s);
            return r < 0 ? r : add(s, leaf(NODE_RESOURCE));
        }
    }
    if (str_eq(name, STR("ucum")))
        return literal(s, PATH_STRING, STR("http://unitsofmeasure.org"));
    if (str_eq(name, STR("sct")))
        return literal(s, PATH_STRING, STR("http://snomed.info/sct"));
    if (str_eq(name, STR("loinc")))
        return literal(s, PATH_STRING, STR("http://loinc.org"));
    return unsupported(s, "constant", name);
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

static int typed(struct parser *s, enum path_node_kind kind, int left)
{
    struct path_node n = leaf(kind);
    int r = type_name(s, &n.text);

    if (r < 0)
        return r;
    n.left = (uint16_t)left;
    n.type = path_type_named(n.text);
    if (!n.type && !str_starts(n.text, STR("System.")))
        return err_set(s->err, ERR_VALUE, "\"%.*s\" in the FHIRPath expression is not a type",
                       (int)MIN(n.text.n, 64u), n.text.p);
    return add(s, n);
}

static int arguments(struct parser *s, struct path_node *call)
{
    uint16_t last = NO_NODE;
    int n = 0;

    while (!is_symbol(s, ")")) {
        int r = n ? expect(s, ",") : 0;
        if (r < 0)
            return r;
        r = expression(s, 1);
        if (r < 0)
            return r;
        if (last == NO_NODE)
            call->right = (uint16_t)r;
        else
            s->p->nodes[last].next = (uint16_t)r;
        last = (uint16_t)r;
        n++;
    }
    if (n < call->function->min_args || n > call->function->max_args)
        return err_set(s->err, ERR_VALUE, "the FHIRPath function \"%.*s\" does not take %d %s",
                       STR_ARG(call->text), n, n == 1 ? "argument" : "arguments");
    return next(s);
}

/* Behind "name(". */
static int call(struct parser *s, int left, struct str name)
{
    struct path_node n = leaf(NODE_CALL);
    int r;

    n.text = name;
    n.left = (uint16_t)left;
    n.function = path_function_find(name);
    if (!n.function)
        return err_set(s->err, ERR_VALUE, "\"%.*s\" is not a FHIRPath function",
                       (int)MIN(name.n, 64u), name.p);
    if (n.function->takes_type) {
        r = typed(s, str_eq(name, STR("is")) ? NODE_IS : NODE_AS, left);
        if (r < 0)
            return r;
        left = r;
        r = expect(s, ")");
        return r < 0 ? r : left;
    }
    if (!n.function->run)
        return unsupported(s, "function", name);
    r = arguments(s, &n);
    return r < 0 ? r : add(s, n);
}

/* A member or a call on `left`. */
static int invocation(struct parser *s, int left)
{
    struct path_node n = leaf(NODE_MEMBER);
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
        return r < 0 ? r : call(s, left, n.text);
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
    int r = next(s);

    if (r >= 0)
        r = expect(s, "}");
    return r < 0 ? r : add(s, leaf(NODE_EMPTY));
}

static int term(struct parser *s)
{
    int r;

    switch (s->lex.token) {
    case TOK_STRING: return literal(s, PATH_STRING, s->lex.value);
    case TOK_NUMBER: return number(s);
    case TOK_DATE: return literal(s, PATH_DATE, s->lex.value);
    case TOK_DATETIME: return literal(s, PATH_DATETIME, s->lex.value);
    case TOK_TIME: return literal(s, PATH_TIME, s->lex.value);
    case TOK_EXTERNAL: return external(s);
    case TOK_THIS: r = next(s); return r < 0 ? r : add(s, leaf(NODE_FOCUS));
    case TOK_INDEX: return unsupported(s, "variable", STR("$index"));
    case TOK_TOTAL: return unsupported(s, "variable", STR("$total"));
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
    r = add(s, leaf(NODE_FOCUS));
    return r < 0 ? r : invocation(s, r);
}

static int postfix(struct parser *s)
{
    int left = term(s);

    while (left >= 0) {
        struct path_node n = leaf(NODE_INDEX);
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
    struct path_node n = leaf(NODE_NEGATE);
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
    if (r < 0 || !minus)
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
    struct path_node n = leaf(NODE_BINARY);
    int r = next(s);

    if (r < 0)
        return r;
    if (op == OP_IS || op == OP_AS)
        return typed(s, op == OP_IS ? NODE_IS : NODE_AS, left);
    r = expression(s, operators[op].precedence + 1);
    if (r < 0)
        return r;
    if (!operators[op].ready)
        return unsupported(s, "operator", operators[op].text);
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

int path_compile(struct arena *a, struct str text, const struct def_type *context,
                 const struct path **ret, struct err *err)
{
    struct parser s = {.err = err};
    int r;

    if (text.n > PATH_TEXT_MAX)
        return err_set(err, ERR_COSTLY, "the FHIRPath expression is longer than %zu bytes",
                       (size_t)PATH_TEXT_MAX);
    s.p = ARENA_NEW(a, struct path);
    if (!s.p)
        return err_no_memory(err);
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
    r = path_chain(a, s.p, context, err);
    if (r < 0)
        return r;
    *ret = s.p;
    return 0;
}

struct str path_text(const struct path *p)
{
    return p->text;
}
