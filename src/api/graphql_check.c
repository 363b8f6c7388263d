/* graphql_check.c - whether a document's fields, types and directives exist, before anything is
 * read: an answer must not depend on whether the data happens to reach a mistake.
 */
#include "api/graphql_int.h"

/* The kind of thing a selection set is for. type NULL: not known before it is reached. */
struct scope {
    enum gq_focus_kind kind;
    const struct def_type *type;
    bool is_root; /* a resource, or the system */
};

static const char *const directives[] = {"skip",  "include",   "flatten",
                                         "first", "singleton", "slice"};

static int check_set(struct gq_run *run, struct scope in, const struct graphql_selection *s);

static int check_directives(struct gq_run *run, const struct graphql_selection *s)
{
    for (const struct graphql_directive *d = s->directives; d; d = d->next) {
        size_t i = 0;
        while (i < ARRAY_LEN(directives) && !str_eq(d->name, str_c(directives[i])))
            i++;
        if (i == ARRAY_LEN(directives))
            return gq_err(run, d->place, ERR_NOT_SUPPORTED, "there is no directive @%.*s",
                          STR_ARG(d->name));
        if (i >= 2 && s->selects != GRAPHQL_FIELD)
            return gq_err(run, d->place, ERR_VALUE, "@%.*s stands on fields", STR_ARG(d->name));
        if (str_eq(d->name, STR("slice")) &&
            (!d->arguments || d->arguments->next || !str_eq(d->arguments->name, STR("path"))))
            return gq_err(run, d->place, ERR_REQUIRED, "@slice needs the one argument \"path\"");
    }
    if (gq_directive(s, "slice") && gq_directive(s, "first"))
        return gq_err(run, s->place, ERR_VALUE, "@slice and @first do not go together");
    return 0;
}

/* A fragment for a type that can never be met here is a mistake too. */
static int check_fragment(struct gq_run *run, struct scope in, struct str type,
                          struct graphql_place place, const struct graphql_selection *selections)
{
    const struct def_type *t;

    if (!type.n)
        return check_set(run, in, selections);
    if (in.kind == GQ_QUERY && str_eq(type, STR("Query")))
        return check_set(run, in, selections);
    t = gq_type(run, type);
    if (!t)
        return gq_err(run, place, ERR_VALUE, "there is no type \"%.*s\"", STR_ARG(type));
    if (in.kind != GQ_ELEMENT)
        return gq_err(run, place, ERR_VALUE, "nothing here can be a %.*s", STR_ARG(type));
    return check_set(run, (struct scope){GQ_ELEMENT, t, t->kind == DEF_RESOURCE || in.is_root},
                     selections);
}

/* A child of an element of JSON. */
static int check_element(struct gq_run *run, struct scope in, const struct graphql_selection *s)
{
    bool is_sibling = s->name.p[0] == '_';
    const struct def_type *type = NULL;
    const struct def_element *e = def_member(in.type, str_from(s->name, is_sibling), &type);

    if (!e || (is_sibling && type->kind != DEF_PRIMITIVE))
        return gq_err(run, s->place, ERR_VALUE, "%.*s has no field \"%.*s\"",
                      STR_ARG(gq_type_name(run, in.type)), STR_ARG(s->name));
    if (is_sibling)
        type = def_type(STR("Element"));
    if (type->kind == DEF_PRIMITIVE && s->selections)
        return gq_err(run, s->place, ERR_VALUE, "\"%.*s\" is a value: it has no fields",
                      STR_ARG(s->name));
    if (type->kind != DEF_PRIMITIVE && !s->selections)
        return gq_err(run, s->place, ERR_VALUE, "\"%.*s\" has fields: say which", STR_ARG(s->name));
    if (s->arguments && e->max == 1)
        return gq_err(run, s->arguments->place, ERR_VALUE,
                      "\"%.*s\" is no list: it takes no arguments", STR_ARG(s->name));
    for (const struct graphql_argument *arg = s->arguments; arg; arg = arg->next) {
        const struct def_type *of;
        if (str_eq(arg->name, STR("fhirpath")) || str_eq(arg->name, STR("_offset")) ||
            str_eq(arg->name, STR("_count")))
            continue;
        if (!def_member(type, arg->name, &of) || of->kind != DEF_PRIMITIVE)
            return gq_err(run, arg->place, ERR_VALUE, "\"%.*s\" is no value of \"%.*s\"",
                          STR_ARG(arg->name), STR_ARG(s->name));
    }
    return check_set(run, (struct scope){GQ_ELEMENT, type, false}, s->selections);
}

static int check_reference(struct gq_run *run, const struct graphql_selection *s)
{
    for (const struct graphql_argument *arg = s->arguments; arg; arg = arg->next)
        if (!str_eq(arg->name, STR("optional")) && !str_eq(arg->name, STR("type")))
            return gq_err(run, arg->place, ERR_VALUE, "\"resource\" has no argument \"%.*s\"",
                          STR_ARG(arg->name));
    return check_set(run, (struct scope){GQ_ELEMENT, NULL, true}, s->selections);
}

static int check_root(struct gq_run *run, struct scope in, const struct graphql_selection *s,
                      bool *ret_is)
{
    int type = gq_type_before(s->name, "List");

    *ret_is = true;
    if (!type && in.kind == GQ_QUERY)
        type = def_resource(s->name);
    if (type)
        return check_set(run, (struct scope){GQ_ELEMENT, def_resource_type(type), true},
                         s->selections);
    type = gq_type_before(s->name, "Connection");
    if (type)
        return check_set(run, (struct scope){GQ_CONNECTION, def_resource_type(type), false},
                         s->selections);
    *ret_is = false;
    return 0;
}

static int check_field(struct gq_run *run, struct scope in, const struct graphql_selection *s)
{
    bool is_found = false;
    int r = check_directives(run, s);

    if (r < 0 || str_starts(s->name, STR("__")))
        return r;
    if (in.kind == GQ_CONNECTION) {
        if (!gq_is_connection_field(s->name))
            return gq_err(run, s->place, ERR_VALUE, "a connection has no field \"%.*s\"",
                          STR_ARG(s->name));
        return check_set(run, (struct scope){GQ_EDGE, in.type, false}, s->selections);
    }
    if (in.kind == GQ_EDGE) {
        if (!gq_is_edge_field(s->name))
            return gq_err(run, s->place, ERR_VALUE, "an edge has no field \"%.*s\"",
                          STR_ARG(s->name));
        return check_set(run, (struct scope){GQ_ELEMENT, in.type, true}, s->selections);
    }
    if (in.is_root && (r = check_root(run, in, s, &is_found)) < 0)
        return r;
    if (is_found)
        return 0;
    if (in.kind == GQ_QUERY)
        return gq_err(run, s->place, ERR_VALUE, "\"%.*s\" is no resource type, list or connection",
                      STR_ARG(s->name));
    if (!in.type || in.type->is_abstract) /* found out when the element is met */
        return check_set(run, (struct scope){GQ_ELEMENT, NULL, true}, s->selections);
    if (in.type->kind == DEF_RESOURCE && str_eq(s->name, STR("resourceType")))
        return 0;
    if (in.type->which == TYPE_REFERENCE && str_eq(s->name, STR("resource")))
        return check_reference(run, s);
    return check_element(run, in, s);
}

static int check_set(struct gq_run *run, struct scope in, const struct graphql_selection *s)
{
    int r = 0;

    for (; s && r >= 0; s = s->next) {
        if ((r = gq_step(run)) < 0)
            break;
        if (s->selects == GRAPHQL_FIELD)
            r = check_field(run, in, s);
        else if ((r = check_directives(run, s)) >= 0)
            r = s->selects == GRAPHQL_INLINE
                    ? check_fragment(run, in, s->name, s->place, s->selections)
                    : check_fragment(run, in, s->fragment->type, s->place, s->fragment->selections);
    }
    return r;
}

int gq_check(struct gq_run *run)
{
    bool at_instance = run->c->id.n;
    struct scope root = {at_instance ? GQ_ELEMENT : GQ_QUERY,
                         at_instance ? def_resource_type(run->c->type) : NULL, true};

    return check_set(run, root, run->op->selections);
}
