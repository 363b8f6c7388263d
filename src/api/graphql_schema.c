/* graphql_schema.c - introspection (GraphQL, section 4), written from the definitions when it is
 * asked for.
 *
 * The schema is JSON in the form of the answer; a selection is looked up in it. What refers to a
 * type holds only its kind and name; the rest is written when a selection goes on from there. Types
 * of elements are named by their path with '_' for '.'. Lists of what refers to a resource
 * (ConditionList inside a Patient) are in the schema where a parameter names the resource's type;
 * those by parameters that lead anywhere may be asked for all the same.
 */
#include "api/graphql_int.h"

#include <ctype.h>

#define SCHEMA_BYTES_MAX MIB(32)
#define SCHEMA_TYPES_MAX 2000
#define REVERSE_TARGETS_MAX 40 /* types that a parameter names; with more it leads anywhere */

static bool is_interface(const struct def_type *t)
{
    return t->is_abstract && t->kind == DEF_RESOURCE;
}

static const char *kind_of(const struct def_type *t)
{
    return t->kind == DEF_PRIMITIVE ? "SCALAR" : is_interface(t) ? "INTERFACE" : "OBJECT";
}

/* FHIR's primitives that GraphQL has go by its names. */
static struct str schema_name(struct gq_run *run, const struct def_type *t)
{
    switch (t->which) {
    case TYPE_BOOLEAN: return STR("Boolean");
    case TYPE_STRING: return STR("String");
    case TYPE_INTEGER: return STR("Int");
    case TYPE_DECIMAL: return STR("Float");
    default: return gq_type_name(run, t);
    }
}

/* ---- writing ---- */

struct writer {
    struct gq_run *run;
    struct sb *out;
    bool has_item;
};

static void item(struct writer *w)
{
    if (w->has_item)
        sb_char(w->out, ',');
    w->has_item = true;
}

static void write_ref(struct sb *out, const char *kind, struct str name, bool is_list)
{
    if (is_list)
        sb_lit(out, "{\"kind\":\"LIST\",\"name\":null,\"ofType\":");
    sb_fmt(out, "{\"kind\":\"%s\",\"name\":", kind);
    sb_json(out, name);
    sb_lit(out, ",\"ofType\":null}");
    if (is_list)
        sb_char(out, '}');
}

static void write_arg(struct writer *w, struct str name, const char *type, bool is_list)
{
    item(w);
    sb_lit(w->out, "{\"name\":");
    sb_json(w->out, name);
    sb_lit(w->out, ",\"description\":null,\"type\":");
    write_ref(w->out, "SCALAR", str_c(type), is_list);
    sb_lit(w->out, ",\"defaultValue\":null}");
}

static void begin_field(struct writer *w, struct str prefix, struct str name, struct str suffix)
{
    item(w);
    sb_lit(w->out, "{\"name\":\"");
    sb_str(w->out, prefix);
    sb_str(w->out, name);
    sb_str(w->out, suffix);
    sb_lit(w->out, "\",\"description\":null,\"isDeprecated\":false,\"deprecationReason\":null,"
                   "\"args\":[");
}

static void end_field(struct writer *w, const char *kind, struct str type, bool is_list)
{
    sb_lit(w->out, "],\"type\":");
    write_ref(w->out, kind, type, is_list);
    sb_char(w->out, '}');
}

/* A value without arguments. */
static void plain_field(struct writer *w, const char *name, const char *kind, struct str type,
                        bool is_list)
{
    begin_field(w, STR(""), str_c(name), STR(""));
    end_field(w, kind, type, is_list);
}

/* What a search for resources of a type takes. */
static void write_search_args(struct writer *args, int type, bool has_cursor)
{
    size_t n;
    const struct param *params = params_of(args->run->c->params, type, &n);

    write_arg(args, STR("_id"), "String", true);
    write_arg(args, STR("_lastUpdated"), "String", true);
    write_arg(args, STR("_sort"), "String", true);
    write_arg(args, STR("_count"), "Int", false);
    write_arg(args, has_cursor ? STR("_cursor") : STR("_offset"), has_cursor ? "String" : "Int",
              false);
    for (size_t i = 0; i < n; i++) {
        struct str name = arena_dup(args->run->c->a, params[i].def.code);
        for (size_t k = 0; name.p && k < name.n; k++)
            if (name.p[k] == '-')
                ((char *)(uintptr_t)name.p)[k] = '_';
        if (name.p && params[i].searchable)
            write_arg(args, name, "String", true);
    }
}

/* What filters a list: its values, an expression, its place. */
static void write_list_args(struct writer *w, const struct def_type *t)
{
    struct writer args = {w->run, w->out, false};

    write_arg(&args, STR("fhirpath"), "String", false);
    write_arg(&args, STR("_offset"), "Int", false);
    write_arg(&args, STR("_count"), "Int", false);
    for (size_t i = 0; t->kind != DEF_PRIMITIVE && i < t->n_elements; i++) {
        const struct def_element *e = &t->elements[i];
        if (!e->is_choice && e->types[0]->kind == DEF_PRIMITIVE)
            write_arg(&args, e->name, "String", true);
    }
}

static void write_element(struct writer *w, const struct def_element *e, const struct def_type *t)
{
    struct str name = schema_name(w->run, t), suffix = STR("");
    bool is_list = e->max != 1;
    char choice[64];

    if (e->is_choice) {
        snprintf(choice, sizeof choice, "%.*s", STR_ARG(t->name));
        choice[0] = (char)toupper((unsigned char)choice[0]);
        suffix = str_c(choice);
    }
    begin_field(w, STR(""), e->name, suffix);
    if (is_list)
        write_list_args(w, t);
    end_field(w, kind_of(t), name, is_list);
    if (t->kind == DEF_PRIMITIVE) {
        begin_field(w, STR("_"), e->name, suffix);
        end_field(w, "OBJECT", STR("Element"), is_list);
    }
}

static void begin_type(struct writer *w, const char *kind, struct str name)
{
    item(w);
    sb_fmt(w->out, "{\"kind\":\"%s\",\"name\":", kind);
    sb_json(w->out, name);
    sb_lit(w->out, ",\"description\":null,\"inputFields\":null,\"enumValues\":null,"
                   "\"ofType\":null");
}

static void write_interfaces(struct writer *w, const struct def_type *t)
{
    bool first = true;

    sb_lit(w->out, ",\"interfaces\":[");
    for (const struct def_type *up = t->base; up; up = up->base) {
        if (!is_interface(up))
            continue;
        sb_str(w->out, first ? STR("") : STR(","));
        write_ref(w->out, "INTERFACE", up->name, false);
        first = false;
    }
    sb_char(w->out, ']');
}

static void write_possible(struct writer *w, const struct def_type *t)
{
    bool first = true;

    sb_lit(w->out, ",\"possibleTypes\":[");
    for (int i = 1; i <= DEF_RESOURCE_MAX; i++) {
        const struct def_type *r = def_resource_type(i), *up = r;
        while (up && up != t)
            up = up->base;
        if (!up)
            continue;
        sb_str(w->out, first ? STR("") : STR(","));
        write_ref(w->out, "OBJECT", r->name, false);
        first = false;
    }
    sb_char(w->out, ']');
}

/* Whether a reference parameter of a type names another one as what it leads to. Those that lead
 * anywhere are not looked at: they would be in every type. */
static bool names_target(const struct param *params, size_t n, int target)
{
    for (size_t i = 0; i < n; i++) {
        const int *t = params[i].def.targets;
        size_t named = 0;
        bool is_there = false;

        if (params[i].def.kind != PARAM_REFERENCE || !params[i].searchable)
            continue;
        for (; t && t[named]; named++)
            is_there |= t[named] == target;
        if (is_there && named <= REVERSE_TARGETS_MAX)
            return true;
    }
    return false;
}

/* Lists of the resources that refer here: ConditionList(_reference: "patient"). */
static void write_reverse_lists(struct writer *w, const struct def_type *t)
{
    int target = def_resource(t->name);

    for (int type = 1; type <= DEF_RESOURCE_MAX; type++) {
        struct writer args = {w->run, w->out, false};
        size_t n;
        const struct param *params = params_of(w->run->c->params, type, &n);

        if (!names_target(params, n, target))
            continue;
        begin_field(w, STR(""), def_resource_name(type), STR("List"));
        write_arg(&args, STR("_reference"), "String", false);
        write_search_args(&args, type, false);
        end_field(w, "OBJECT", def_resource_name(type), true);
    }
}

static void write_type(struct writer *w, const struct def_type *t)
{
    struct writer fields = {w->run, w->out, false};

    begin_type(w, kind_of(t), schema_name(w->run, t));
    if (t->kind == DEF_PRIMITIVE) {
        sb_lit(w->out, ",\"fields\":null,\"interfaces\":null,\"possibleTypes\":null}");
        return;
    }
    sb_lit(w->out, ",\"fields\":[");
    if (t->kind == DEF_RESOURCE)
        plain_field(&fields, "resourceType", "SCALAR", STR("String"), false);
    for (size_t i = 0; i < t->n_elements; i++)
        for (const struct def_type *const *of = t->elements[i].types; *of; of++)
            write_element(&fields, &t->elements[i], *of);
    if (t->kind == DEF_RESOURCE && !is_interface(t))
        write_reverse_lists(&fields, t);
    if (t->which == TYPE_REFERENCE) {
        struct writer args = {w->run, w->out, false};
        begin_field(&fields, STR(""), STR("resource"), STR(""));
        write_arg(&args, STR("optional"), "Boolean", false);
        write_arg(&args, STR("type"), "String", false);
        end_field(&fields, "INTERFACE", STR("Resource"), false);
    }
    sb_char(w->out, ']');
    if (is_interface(t)) {
        write_possible(w, t);
        sb_lit(w->out, ",\"interfaces\":[]}");
    } else {
        write_interfaces(w, t);
        sb_lit(w->out, ",\"possibleTypes\":null}");
    }
}

static void end_object(struct writer *w)
{
    sb_lit(w->out, "],\"interfaces\":[],\"possibleTypes\":null}");
}

static void write_query_type(struct writer *w)
{
    struct writer fields = {w->run, w->out, false};

    begin_type(w, "OBJECT", STR("Query"));
    sb_lit(w->out, ",\"fields\":[");
    for (int type = 1; type <= DEF_RESOURCE_MAX; type++) {
        struct str name = def_resource_name(type);
        struct writer args = {w->run, w->out, false};
        struct str connection = arena_fmt(w->run->c->a, "%.*sConnection", STR_ARG(name));

        begin_field(&fields, STR(""), name, STR(""));
        write_arg(&args, STR("id"), "ID", false);
        end_field(&fields, "OBJECT", name, false);
        begin_field(&fields, STR(""), name, STR("List"));
        args.has_item = false;
        write_search_args(&args, type, false);
        end_field(&fields, "OBJECT", name, true);
        begin_field(&fields, STR(""), name, STR("Connection"));
        args.has_item = false;
        write_search_args(&args, type, true);
        end_field(&fields, "OBJECT", connection, false);
    }
    end_object(w);
}

static void write_connection_type(struct writer *w, int type)
{
    struct writer fields = {w->run, w->out, false};
    struct str name = arena_fmt(w->run->c->a, "%.*sConnection", STR_ARG(def_resource_name(type)));
    struct str edge = arena_fmt(w->run->c->a, "%.*sEdge", STR_ARG(def_resource_name(type)));

    begin_type(w, "OBJECT", name);
    sb_lit(w->out, ",\"fields\":[");
    plain_field(&fields, "count", "SCALAR", STR("Int"), false);
    plain_field(&fields, "offset", "SCALAR", STR("Int"), false);
    plain_field(&fields, "pagesize", "SCALAR", STR("Int"), false);
    plain_field(&fields, "edges", "OBJECT", edge, true);
    plain_field(&fields, "first", "SCALAR", STR("ID"), false);
    plain_field(&fields, "previous", "SCALAR", STR("ID"), false);
    plain_field(&fields, "next", "SCALAR", STR("ID"), false);
    plain_field(&fields, "last", "SCALAR", STR("ID"), false);
    end_object(w);
}

static void write_edge_type(struct writer *w, int type)
{
    struct writer fields = {w->run, w->out, false};

    begin_type(w, "OBJECT", arena_fmt(w->run->c->a, "%.*sEdge", STR_ARG(def_resource_name(type))));
    sb_lit(w->out, ",\"fields\":[");
    plain_field(&fields, "mode", "SCALAR", STR("code"), false);
    plain_field(&fields, "score", "SCALAR", STR("Float"), false);
    plain_field(&fields, "resource", "OBJECT", def_resource_name(type), false);
    end_object(w);
}

static const char *const scalars[] = {"Boolean", "String", "Int", "Float", "ID"};

static void write_scalar(struct writer *w, const char *name)
{
    begin_type(w, "SCALAR", str_c(name));
    sb_lit(w->out, ",\"fields\":null,\"interfaces\":null,\"possibleTypes\":null}");
}

/* ---- all types ---- */

struct types {
    const struct def_type **v;
    size_t n;
};

static void add_type(struct types *types, const struct def_type *t)
{
    for (size_t i = 0; i < types->n; i++)
        if (types->v[i] == t)
            return;
    if (types->n < SCHEMA_TYPES_MAX)
        types->v[types->n++] = t;
}

/* Everything that a resource can hold, by following its elements. */
static int all_types(struct gq_run *run, struct types *types)
{
    types->v = ARENA_ARRAY(run->c->a, const struct def_type *, SCHEMA_TYPES_MAX);
    if (!types->v)
        return err_no_memory(&run->c->err);
    for (int i = 1; i <= DEF_RESOURCE_MAX; i++)
        add_type(types, def_resource_type(i));
    add_type(types, def_type(STR("Element")));
    for (size_t i = 0; i < types->n; i++) {
        const struct def_type *t = types->v[i];
        if (t->base && is_interface(t->base))
            add_type(types, t->base);
        for (size_t k = 0; t->kind != DEF_PRIMITIVE && k < t->n_elements; k++)
            for (const struct def_type *const *of = t->elements[k].types; *of; of++)
                add_type(types, *of);
    }
    return 0;
}

static bool is_builtin(const struct def_type *t)
{
    return t->which == TYPE_BOOLEAN || t->which == TYPE_STRING || t->which == TYPE_INTEGER ||
           t->which == TYPE_DECIMAL;
}

static void write_directives(struct sb *out)
{
    static const char *const names[][2] = {{"skip", "if"},  {"include", "if"},   {"flatten", NULL},
                                           {"first", NULL}, {"singleton", NULL}, {"slice", "path"}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        bool is_if = names[i][1] && str_eq(str_c(names[i][1]), STR("if"));
        sb_fmt(out,
               "%s{\"name\":\"%s\",\"description\":null,\"locations\":[\"FIELD\"%s],"
               "\"args\":[",
               i ? "," : "", names[i][0], is_if ? ",\"FRAGMENT_SPREAD\",\"INLINE_FRAGMENT\"" : "");
        if (names[i][1])
            sb_fmt(out,
                   "{\"name\":\"%s\",\"description\":null,\"defaultValue\":null,\"type\":{"
                   "\"kind\":\"NON_NULL\",\"name\":null,\"ofType\":{\"kind\":\"SCALAR\","
                   "\"name\":\"%s\",\"ofType\":null}}}",
                   names[i][1], is_if ? "Boolean" : "String");
        sb_lit(out, "]}");
    }
}

static int write_schema(struct gq_run *run, struct sb *out)
{
    struct writer w = {run, out, false};
    struct types types = {0};
    int r = all_types(run, &types);

    if (r < 0)
        return r;
    sb_lit(out, "{\"queryType\":");
    write_ref(out, "OBJECT", run->c->id.n ? def_resource_name(run->c->type) : STR("Query"), false);
    sb_lit(out, ",\"mutationType\":null,\"subscriptionType\":null,\"types\":[");
    write_query_type(&w);
    for (size_t i = 0; i < ARRAY_LEN(scalars); i++)
        write_scalar(&w, scalars[i]);
    for (size_t i = 0; i < types.n; i++)
        if (!is_builtin(types.v[i]))
            write_type(&w, types.v[i]);
    for (int type = 1; type <= DEF_RESOURCE_MAX; type++) {
        write_connection_type(&w, type);
        write_edge_type(&w, type);
    }
    sb_lit(out, "],\"directives\":[");
    write_directives(out);
    sb_lit(out, "]}");
    return sb_ok(out, &run->c->err);
}

/* One type by its name in the schema; nothing is written when there is none. */
static void write_named(struct gq_run *run, struct sb *out, struct str name)
{
    struct writer w = {run, out, false};
    const struct def_type *t = gq_type(run, name);
    int type;

    for (size_t i = 0; i < ARRAY_LEN(scalars); i++)
        if (str_eq(name, str_c(scalars[i]))) {
            write_scalar(&w, scalars[i]);
            return;
        }
    if (str_eq(name, STR("Query")))
        write_query_type(&w);
    else if ((type = gq_type_before(name, "Connection")) != 0)
        write_connection_type(&w, type);
    else if ((type = gq_type_before(name, "Edge")) != 0)
        write_edge_type(&w, type);
    else if (t && str_eq(schema_name(run, t), name))
        write_type(&w, t);
}

static int parse(struct gq_run *run, const struct sb *text, yyjson_val **ret)
{
    int r = sb_ok(text, &run->c->err);

    *ret = NULL;
    return r < 0 || !text->n ? r : js_parse_stored(run->c->a, sb_view(text), ret, &run->c->err);
}

static int find_named(struct gq_run *run, struct str name, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(SCHEMA_BYTES_MAX);

    if (++run->searches > GRAPHQL_SEARCHES_MAX)
        return gq_err(run, run->place, ERR_COSTLY, "the query looks at more than %d types",
                      GRAPHQL_SEARCHES_MAX);
    write_named(run, &text, name);
    return parse(run, &text, ret);
}

/* ---- looking up ---- */

static const char *const known[] = {
    "kind",         "name",       "description",       "fields",       "interfaces",
    "inputFields",  "enumValues", "possibleTypes",     "ofType",       "types",
    "queryType",    "directives", "mutationType",      "args",         "type",
    "isDeprecated", "locations",  "deprecationReason", "defaultValue", "subscriptionType"};

static bool is_known(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(name, str_c(known[i])))
            return true;
    return false;
}

static int put_json(struct gq_run *run, yyjson_val *v, const struct graphql_selection *s,
                    const struct gq_sets *sets, struct gq_field *to)
{
    struct gq_focus focus = {.kind = GQ_SCHEMA, .v = v};
    size_t i, max;
    yyjson_val *one;
    int r = 0;

    if (!to)
        return ERR_NO_MEMORY;
    if (yyjson_is_arr(v)) {
        to->is_list = true;
        to->is_single = false;
        if (!yyjson_arr_size(v))
            return gq_add(run, to, (struct gq_value){.json = STR("")});
        yyjson_arr_foreach(v, i, max, one)
            if ((r = put_json(run, one, s, sets, to)) < 0)
                return r;
        return r;
    }
    if (!yyjson_is_obj(v))
        return v ? gq_add(run, to, (struct gq_value){.v = v})
                 : gq_add(run, to, (struct gq_value){.json = STR("null")});
    if (!s->selections)
        return gq_err(run, s->place, ERR_VALUE, "\"%.*s\" has fields: say which", STR_ARG(s->name));
    return gq_answer_object(run, &focus, sets, to);
}

static int begin(struct gq_run *run, const struct graphql_selection *s, yyjson_val **ret)
{
    struct str name;
    int r;

    if (str_eq(s->name, STR("__schema"))) {
        _cleanup_(sb_done) struct sb text = sb_make(SCHEMA_BYTES_MAX);
        if (run->schema) {
            *ret = run->schema;
            return 0;
        }
        if ((r = write_schema(run, &text)) < 0 || (r = parse(run, &text, ret)) < 0)
            return r;
        run->schema = *ret;
        return 0;
    }
    if (!str_eq(s->name, STR("__type")))
        return gq_err(run, s->place, ERR_VALUE, "there is no field \"%.*s\"", STR_ARG(s->name));
    if ((r = gq_text(run, gq_argument(s, "name"), &name)) < 0)
        return r;
    if (!name.p)
        return gq_err(run, s->place, ERR_REQUIRED, "__type needs the argument \"name\"");
    return find_named(run, name, ret);
}

int gq_schema(struct gq_run *run, const struct gq_focus *focus, const struct graphql_selection *s,
              const struct gq_sets *sets, struct gq_object *out)
{
    struct gq_field *field = gq_field(run, out, s->alias, false, true);
    yyjson_val *of = focus->v, *v = NULL;
    int r = 0;

    if (focus->kind != GQ_SCHEMA) {
        r = begin(run, s, &v);
        return r < 0 ? r : put_json(run, v, s, sets, field);
    }
    if (!is_known(s->name))
        return gq_err(run, s->place, ERR_VALUE, "introspection has no field \"%.*s\"",
                      STR_ARG(s->name));
    v = yyjson_obj_getn(of, s->name.p, s->name.n);
    /* A reference to a type goes on as the type itself. */
    if (!v && js_get(of, "kind") && js_get_str(of, "name").p) {
        if ((r = find_named(run, js_get_str(of, "name"), &of)) < 0)
            return r;
        v = yyjson_obj_getn(of, s->name.p, s->name.n);
    }
    return put_json(run, v, s, sets, field);
}
