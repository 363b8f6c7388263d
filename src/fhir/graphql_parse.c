/* graphql_parse.c - the tree of a GraphQL document (June 2018, section 2), by recursive descent. */
#include "fhir/graphql_int.h"

struct parse {
    struct graphql_lex lex;
    struct arena *a;
    struct err *err;
    struct graphql_document *doc;
    size_t n_nodes;
    unsigned depth;
    struct graphql_place place; /* of what does not hold */
};

/* ---- what does not hold ---- */

static int unexpected(struct parse *p, const char *wanted)
{
    const struct graphql_lex *lex = &p->lex;

    p->place = lex->place;
    if (lex->token == GRAPHQL_END)
        return err_set(p->err, ERR_SYNTAX, "the query ends where %s is expected", wanted);
    return err_set(p->err, ERR_SYNTAX,
                   "the query has \"%.*s\" where %s is expected, line %u "
                   "column %u",
                   (int)MIN(lex->value.n, (size_t)40), lex->value.p, wanted, lex->place.line,
                   lex->place.column);
}

static void *node(struct parse *p, size_t size)
{
    void *v;

    if (++p->n_nodes > GRAPHQL_NODES_MAX) {
        p->place = p->lex.place;
        err_set(p->err, ERR_COSTLY, "the query has more than %d parts", GRAPHQL_NODES_MAX);
        return NULL;
    }
    v = arena_calloc(p->a, 1, size);
    if (!v)
        err_no_memory(p->err);
    return v;
}

#define NODE(p, type) ((type *)node((p), sizeof(type)))

static int enter(struct parse *p)
{
    if (++p->depth <= GRAPHQL_DEPTH_MAX)
        return 0;
    p->place = p->lex.place;
    return err_set(p->err, ERR_COSTLY, "the query is more than %d levels deep", GRAPHQL_DEPTH_MAX);
}

/* ---- tokens ---- */

static int next(struct parse *p)
{
    int r = graphql_next(&p->lex, p->err);

    if (r < 0)
        p->place = p->lex.place;
    return r;
}

static bool is_symbol(const struct parse *p, struct str symbol)
{
    return p->lex.token == GRAPHQL_SYMBOL && str_eq(p->lex.value, symbol);
}

static bool is_word(const struct parse *p, struct str word)
{
    return p->lex.token == GRAPHQL_NAME && str_eq(p->lex.value, word);
}

static int take_symbol(struct parse *p, struct str symbol, const char *wanted)
{
    return is_symbol(p, symbol) ? next(p) : unexpected(p, wanted);
}

static int take_name(struct parse *p, struct str *ret, const char *wanted)
{
    if (p->lex.token != GRAPHQL_NAME)
        return unexpected(p, wanted);
    *ret = p->lex.value;
    return next(p);
}

/* ---- values ---- */

static int parse_value(struct parse *p, bool is_constant, struct graphql_value **ret);

static int parse_list(struct parse *p, bool is_constant, struct graphql_value *list)
{
    struct graphql_value **to = &list->first;
    int r;

    list->kind = GRAPHQL_LIST;
    if ((r = enter(p)) < 0 || (r = next(p)) < 0)
        return r;
    while (!is_symbol(p, STR("]"))) {
        if ((r = parse_value(p, is_constant, to)) < 0)
            return r;
        to = &(*to)->next;
    }
    p->depth--;
    return next(p);
}

static int parse_object(struct parse *p, bool is_constant, struct graphql_value *object)
{
    struct graphql_value **to = &object->first;
    struct str name;
    int r;

    object->kind = GRAPHQL_OBJECT;
    if ((r = enter(p)) < 0 || (r = next(p)) < 0)
        return r;
    while (!is_symbol(p, STR("}"))) {
        if ((r = take_name(p, &name, "a name")) < 0 ||
            (r = take_symbol(p, STR(":"), "\":\"")) < 0 ||
            (r = parse_value(p, is_constant, to)) < 0)
            return r;
        (*to)->name = name;
        to = &(*to)->next;
    }
    p->depth--;
    return next(p);
}

static enum graphql_kind kind_of_name(struct str name)
{
    if (str_eq(name, STR("true")) || str_eq(name, STR("false")))
        return GRAPHQL_BOOLEAN;
    return str_eq(name, STR("null")) ? GRAPHQL_NULL : GRAPHQL_ENUM;
}

static int parse_scalar(struct parse *p, struct graphql_value *v)
{
    switch (p->lex.token) {
    case GRAPHQL_NAME: v->kind = kind_of_name(p->lex.value); break;
    case GRAPHQL_INT_TOKEN: v->kind = GRAPHQL_INT; break;
    case GRAPHQL_FLOAT_TOKEN: v->kind = GRAPHQL_FLOAT; break;
    case GRAPHQL_STRING_TOKEN: v->kind = GRAPHQL_STRING; break;
    default: return unexpected(p, "a value");
    }
    v->text = p->lex.value;
    return next(p);
}

static int parse_value(struct parse *p, bool is_constant, struct graphql_value **ret)
{
    struct graphql_value *v = NODE(p, struct graphql_value);
    int r;

    if (!v)
        return p->err->code;
    if (is_symbol(p, STR("["))) {
        r = parse_list(p, is_constant, v);
    } else if (is_symbol(p, STR("{"))) {
        r = parse_object(p, is_constant, v);
    } else if (is_symbol(p, STR("$")) && !is_constant) {
        v->kind = GRAPHQL_VARIABLE;
        r = next(p);
        if (r >= 0)
            r = take_name(p, &v->text, "a variable's name");
    } else {
        r = parse_scalar(p, v);
    }
    *ret = v;
    return r;
}

/* ---- arguments and directives ---- */

static int twice(struct parse *p, const char *what, struct str name, struct graphql_place place)
{
    p->place = place;
    return err_set(p->err, ERR_VALUE, "the %s \"%.*s\" stands twice, line %u column %u", what,
                   (int)MIN(name.n, (size_t)64), name.p, place.line, place.column);
}

static int parse_argument(struct parse *p, struct graphql_argument **first,
                          struct graphql_argument **to)
{
    struct graphql_argument *arg = NODE(p, struct graphql_argument);
    struct graphql_value *value = NULL;
    int r;

    if (!arg)
        return p->err->code;
    arg->place = p->lex.place;
    if ((r = take_name(p, &arg->name, "an argument's name")) < 0 ||
        (r = take_symbol(p, STR(":"), "\":\"")) < 0 || (r = parse_value(p, false, &value)) < 0)
        return r;
    for (struct graphql_argument *other = *first; other; other = other->next)
        if (str_eq(other->name, arg->name))
            return twice(p, "argument", arg->name, arg->place);
    arg->value = value;
    *to = arg;
    return 0;
}

/* The FHIR suite allows an empty list, which GraphQL does not. */
static int parse_arguments(struct parse *p, struct graphql_argument **ret)
{
    struct graphql_argument **to = ret;
    int r;

    if (!is_symbol(p, STR("(")))
        return 0;
    if ((r = next(p)) < 0)
        return r;
    while (!is_symbol(p, STR(")"))) {
        if ((r = parse_argument(p, ret, to)) < 0)
            return r;
        to = &(*to)->next;
    }
    return next(p);
}

static int parse_directives(struct parse *p, struct graphql_directive **ret)
{
    int r;

    while (is_symbol(p, STR("@"))) {
        struct graphql_directive *d = NODE(p, struct graphql_directive);
        if (!d)
            return p->err->code;
        d->place = p->lex.place;
        if ((r = next(p)) < 0 || (r = take_name(p, &d->name, "a directive's name")) < 0 ||
            (r = parse_arguments(p, &d->arguments)) < 0)
            return r;
        *ret = d;
        ret = &d->next;
    }
    return 0;
}

/* ---- selections ---- */

static int parse_selections(struct parse *p, struct graphql_selection **ret);

static int parse_field(struct parse *p, struct graphql_selection *s)
{
    int r = take_name(p, &s->name, "a field's name");

    s->alias = s->name;
    if (r >= 0 && is_symbol(p, STR(":")) && (r = next(p)) >= 0)
        r = take_name(p, &s->name, "a field's name");
    if (r < 0 || (r = parse_arguments(p, &s->arguments)) < 0 ||
        (r = parse_directives(p, &s->directives)) < 0)
        return r;
    return is_symbol(p, STR("{")) ? parse_selections(p, &s->selections) : 0;
}

static int parse_spread(struct parse *p, struct graphql_selection *s)
{
    int r = next(p);

    if (r < 0)
        return r;
    s->selects = GRAPHQL_INLINE;
    if (p->lex.token == GRAPHQL_NAME && !is_word(p, STR("on"))) {
        s->selects = GRAPHQL_SPREAD;
        r = take_name(p, &s->name, "a fragment's name");
    } else if (is_word(p, STR("on"))) {
        r = next(p);
        if (r >= 0)
            r = take_name(p, &s->name, "a type's name");
    }
    if (r < 0 || (r = parse_directives(p, &s->directives)) < 0)
        return r;
    return s->selects == GRAPHQL_INLINE ? parse_selections(p, &s->selections) : 0;
}

static int parse_selections(struct parse *p, struct graphql_selection **ret)
{
    int r;

    if ((r = enter(p)) < 0 || (r = take_symbol(p, STR("{"), "\"{\"")) < 0)
        return r;
    if (is_symbol(p, STR("}")))
        return unexpected(p, "a field");
    while (!is_symbol(p, STR("}"))) {
        struct graphql_selection *s = NODE(p, struct graphql_selection);
        if (!s)
            return p->err->code;
        s->place = p->lex.place;
        r = is_symbol(p, STR("...")) ? parse_spread(p, s) : parse_field(p, s);
        if (r < 0)
            return r;
        *ret = s;
        ret = &s->next;
    }
    p->depth--;
    return next(p);
}

/* ---- operations ---- */

static int parse_type(struct parse *p, struct graphql_type **ret)
{
    struct graphql_type *t = NODE(p, struct graphql_type);
    int r;

    if (!t)
        return p->err->code;
    *ret = t;
    if (is_symbol(p, STR("["))) {
        if ((r = enter(p)) < 0 || (r = next(p)) < 0 || (r = parse_type(p, &t->of)) < 0 ||
            (r = take_symbol(p, STR("]"), "\"]\"")) < 0)
            return r;
        p->depth--;
    } else if ((r = take_name(p, &t->name, "a type's name")) < 0) {
        return r;
    }
    if (!is_symbol(p, STR("!")))
        return 0;
    t->is_required = true;
    return next(p);
}

static int parse_variable(struct parse *p, struct graphql_variable *v)
{
    struct graphql_directive *ignored = NULL;
    struct graphql_value *fallback = NULL;
    int r;

    v->place = p->lex.place;
    if ((r = take_symbol(p, STR("$"), "\"$\"")) < 0 ||
        (r = take_name(p, &v->name, "a variable's name")) < 0 ||
        (r = take_symbol(p, STR(":"), "\":\"")) < 0 || (r = parse_type(p, &v->type)) < 0)
        return r;
    if (is_symbol(p, STR("="))) {
        if ((r = next(p)) < 0 || (r = parse_value(p, true, &fallback)) < 0)
            return r;
        v->fallback = fallback;
    }
    return parse_directives(p, &ignored);
}

static int parse_variables(struct parse *p, struct graphql_variable **first)
{
    struct graphql_variable **to = first;
    int r = next(p);

    while (r >= 0 && !is_symbol(p, STR(")"))) {
        struct graphql_variable *v = NODE(p, struct graphql_variable);
        if (!v)
            return p->err->code;
        if ((r = parse_variable(p, v)) < 0)
            return r;
        for (struct graphql_variable *other = *first; other; other = other->next)
            if (str_eq(other->name, v->name))
                return twice(p, "variable", v->name, v->place);
        *to = v;
        to = &v->next;
    }
    return r < 0 ? r : next(p);
}

static int parse_operation(struct parse *p, struct graphql_operation *op)
{
    int r = 0;

    op->place = p->lex.place;
    if (p->lex.token == GRAPHQL_NAME) {
        if (!is_word(p, STR("query"))) {
            p->place = p->lex.place;
            return err_set(p->err, ERR_NOT_SUPPORTED,
                           "only queries and fragments are supported, not \"%.*s\"",
                           (int)MIN(p->lex.value.n, (size_t)40), p->lex.value.p);
        }
        r = next(p);
        if (r >= 0 && p->lex.token == GRAPHQL_NAME)
            r = take_name(p, &op->name, "a name");
        if (r >= 0 && is_symbol(p, STR("(")))
            r = parse_variables(p, &op->variables);
        if (r >= 0)
            r = parse_directives(p, &op->directives);
    }
    return r < 0 ? r : parse_selections(p, &op->selections);
}

static int parse_fragment(struct parse *p, struct graphql_fragment *f)
{
    int r;

    f->place = p->lex.place;
    if ((r = next(p)) < 0)
        return r;
    if (is_word(p, STR("on")))
        return unexpected(p, "a fragment's name");
    if ((r = take_name(p, &f->name, "a fragment's name")) < 0)
        return r;
    if (!is_word(p, STR("on")))
        return unexpected(p, "\"on\"");
    if ((r = next(p)) < 0 || (r = take_name(p, &f->type, "a type's name")) < 0 ||
        (r = parse_directives(p, &f->directives)) < 0)
        return r;
    return parse_selections(p, &f->selections);
}

static struct graphql_fragment *find_fragment(const struct parse *p, struct str name)
{
    struct graphql_fragment *f = p->doc->fragments;

    while (f && !str_eq(f->name, name))
        f = f->next;
    return f;
}

static int parse_definitions(struct parse *p)
{
    struct graphql_operation **op = &p->doc->operations;
    struct graphql_fragment **fragment = &p->doc->fragments;
    int r = 0;

    while (r >= 0 && p->lex.token != GRAPHQL_END) {
        if (is_word(p, STR("fragment"))) {
            struct graphql_fragment *f = NODE(p, struct graphql_fragment);
            if (!f)
                return p->err->code;
            r = parse_fragment(p, f);
            if (r >= 0 && find_fragment(p, f->name))
                return twice(p, "fragment", f->name, f->place);
            *fragment = f;
            fragment = &f->next;
        } else {
            if (!(*op = NODE(p, struct graphql_operation)))
                return p->err->code;
            r = parse_operation(p, *op);
            op = &(*op)->next;
            p->doc->n_operations++;
        }
    }
    return r;
}

/* ---- fragments in their places ---- */

static int depth_of(struct parse *p, struct graphql_selection *first, unsigned *ret);

static int depth_of_fragment(struct parse *p, struct graphql_selection *s, unsigned *ret)
{
    struct graphql_fragment *f = find_fragment(p, s->name);
    int r = 0;

    p->place = s->place;
    if (!f)
        return err_set(p->err, ERR_VALUE, "there is no fragment \"%.*s\", line %u column %u",
                       (int)MIN(s->name.n, (size_t)64), s->name.p, s->place.line, s->place.column);
    if (f->is_open)
        return err_set(p->err, ERR_VALUE, "the fragment \"%.*s\" leads back to itself",
                       (int)MIN(s->name.n, (size_t)64), s->name.p);
    s->fragment = f;
    if (!f->depth) {
        f->is_open = true;
        r = depth_of(p, f->selections, &f->depth);
        f->is_open = false;
    }
    *ret = f->depth;
    return r;
}

/* Levels of a selection set. A chain of fragments is as long as there are fragments: it is bounded
 * by the depth on the way down as well. */
static int depth_of(struct parse *p, struct graphql_selection *first, unsigned *ret)
{
    unsigned deepest = 0;
    int r = enter(p);

    for (struct graphql_selection *s = first; s && r >= 0; s = s->next) {
        unsigned below = 0;
        if (s->selects == GRAPHQL_SPREAD)
            r = depth_of_fragment(p, s, &below);
        else if (s->selections)
            r = depth_of(p, s->selections, &below);
        deepest = MAX(deepest, below);
    }
    if (r < 0)
        return r;
    p->depth--;
    *ret = deepest + 1;
    return 0;
}

static int check_depth(struct parse *p)
{
    unsigned depth = 0;
    int r = 0;

    p->depth = 0;
    for (struct graphql_fragment *f = p->doc->fragments; f && r >= 0; f = f->next)
        if (!f->depth) {
            f->is_open = true;
            r = depth_of(p, f->selections, &f->depth);
            f->is_open = false;
        }
    for (struct graphql_operation *op = p->doc->operations; op && r >= 0; op = op->next) {
        r = depth_of(p, op->selections, &depth);
        if (r >= 0 && depth > GRAPHQL_DEPTH_MAX) {
            p->place = op->place;
            r = err_set(p->err, ERR_COSTLY, "the query is more than %d levels deep",
                        GRAPHQL_DEPTH_MAX);
        }
    }
    return r;
}

int graphql_parse(struct arena *a, struct str text, struct graphql_document *ret,
                  struct graphql_place *ret_place, struct err *err)
{
    struct graphql_document doc = {0};
    struct parse p = {
        .lex = {.a = a, .text = text, .line = 1}, .a = a, .err = err, .doc = &doc, .place = {1, 1}};
    int r;

    *ret_place = p.place;
    if (text.n > GRAPHQL_TEXT_MAX)
        return err_set(err, ERR_COSTLY, "the query is longer than %zu bytes", GRAPHQL_TEXT_MAX);
    r = next(&p);
    if (r >= 0)
        r = parse_definitions(&p);
    if (r >= 0 && !doc.operations)
        r = unexpected(&p, "an operation");
    if (r >= 0)
        r = check_depth(&p);
    *ret_place = p.place;
    if (r >= 0)
        *ret = doc;
    return r < 0 ? r : 0;
}
