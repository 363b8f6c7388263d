/* graphql_run.c - selections over the elements of a resource (graphql.html, sections on list
 * navigation and on directives).
 *
 * Fields with one name in the answer are merged, as GraphQL demands (6.3.2): they must ask for the
 * same, and their selections are answered together. @flatten, @first, @singleton and @slice shape
 * the answer; a flattened field has no name of its own and is answered by itself.
 */
#include "api/graphql_int.h"

/* ---- fields that are asked for ---- */

/* One field of the answer, with all the selections that ask for it. */
struct asked {
    const struct graphql_selection *field;
    struct gq_sets sets;
    struct gq_sets *last;
    struct asked *next;
};

struct asked_list {
    struct asked *first, *last;
};

static bool same_value(const struct graphql_value *a, const struct graphql_value *b)
{
    const struct graphql_value *x = a->first, *y = b->first;

    if (a->kind != b->kind || !str_eq(a->text, b->text) || !str_eq(a->name, b->name))
        return false;
    for (; x && y; x = x->next, y = y->next)
        if (!same_value(x, y))
            return false;
    return !x && !y;
}

static bool same_arguments(const struct graphql_argument *a, const struct graphql_argument *b)
{
    size_t n = 0, m = 0;

    for (; b; b = b->next)
        m++;
    for (; a; a = a->next)
        n++;
    return n == m;
}

static bool asks_the_same(const struct graphql_selection *a, const struct graphql_selection *b)
{
    if (!str_eq(a->name, b->name) || !same_arguments(a->arguments, b->arguments))
        return false;
    for (const struct graphql_argument *x = a->arguments; x; x = x->next) {
        const struct graphql_argument *y = b->arguments;
        while (y && !str_eq(y->name, x->name))
            y = y->next;
        if (!y || !same_value(x->value, y->value))
            return false;
    }
    return true;
}

static bool is_shaped(const struct graphql_selection *s)
{
    return gq_directive(s, "flatten") || gq_directive(s, "slice");
}

static int ask(struct gq_run *run, struct asked_list *list, const struct graphql_selection *s)
{
    struct asked *a = list->first;

    while (a && (is_shaped(s) || is_shaped(a->field) || !str_eq(a->field->alias, s->alias)))
        a = a->next;
    if (a && !asks_the_same(a->field, s))
        return gq_err(run, s->place, ERR_VALUE,
                      "\"%.*s\" is asked for twice with different meanings: give one an alias",
                      STR_ARG(s->alias));
    if (a) {
        struct gq_sets *more = ARENA_NEW(run->c->a, struct gq_sets);
        if (!more)
            return err_no_memory(&run->c->err);
        more->first = s->selections;
        a->last = (struct gq_sets *)(a->last->next = more);
        return 0;
    }
    a = ARENA_NEW(run->c->a, struct asked);
    if (!a)
        return err_no_memory(&run->c->err);
    a->field = s;
    a->sets.first = s->selections;
    a->last = &a->sets;
    if (list->last)
        list->last->next = a;
    else
        list->first = a;
    list->last = a;
    return 0;
}

/* @skip and @include: 1 when the selection counts. */
static int is_wanted(struct gq_run *run, const struct graphql_directive *d)
{
    for (; d; d = d->next) {
        bool is_skip = str_eq(d->name, STR("skip")), value;
        const struct graphql_argument *arg = d->arguments;
        struct str text;
        int r;

        if (!is_skip && !str_eq(d->name, STR("include")))
            continue;
        while (arg && !str_eq(arg->name, STR("if")))
            arg = arg->next;
        if (!arg)
            return gq_err(run, d->place, ERR_REQUIRED, "@%.*s needs the argument \"if\"",
                          STR_ARG(d->name));
        if ((r = gq_text(run, arg, &text)) < 0 || (r = gq_bool(run, arg, false, &value)) < 0)
            return r;
        if (!text.p)
            return gq_err(run, d->place, ERR_REQUIRED, "@%.*s has no value to go by",
                          STR_ARG(d->name));
        if (value == is_skip)
            return 0;
    }
    return 1;
}

static bool fits(struct gq_run *run, const struct gq_focus *focus, struct str type)
{
    const struct def_type *wanted = type.n ? gq_type(run, type) : NULL;

    if (!type.n)
        return true;
    if (focus->kind == GQ_QUERY)
        return str_eq(type, STR("Query"));
    if (focus->kind == GQ_SCHEMA)
        return str_starts(type, STR("__"));
    for (const struct def_type *t = focus->type; t && wanted; t = t->base)
        if (t == wanted)
            return true;
    return false;
}

static int collect(struct gq_run *run, const struct gq_focus *focus,
                   const struct graphql_selection *s, struct asked_list *list)
{
    int r = 0;

    for (; s && r >= 0; s = s->next) {
        if ((r = gq_step(run)) < 0 || (r = is_wanted(run, s->directives)) <= 0)
            continue;
        if (s->selects == GRAPHQL_FIELD)
            r = ask(run, list, s);
        else if (s->selects == GRAPHQL_INLINE)
            r = fits(run, focus, s->name) ? collect(run, focus, s->selections, list) : 0;
        else if ((r = is_wanted(run, s->fragment->directives)) > 0)
            r = fits(run, focus, s->fragment->type)
                    ? collect(run, focus, s->fragment->selections, list)
                    : 0;
    }
    return r < 0 ? r : 0;
}

/* ---- elements ---- */

/* What a field of an element leads to. */
struct found {
    yyjson_val *v, *more; /* one value or an array */
    const struct def_type *type;
    bool is_list, is_sibling;
};

static yyjson_val *sibling(yyjson_val *obj, struct str name)
{
    char text[130];

    if (name.n + 1 >= sizeof text)
        return NULL;
    text[0] = '_';
    memcpy(text + 1, name.p, name.n);
    return yyjson_obj_getn(obj, text, name.n + 1);
}

/* 1, or 0 when the type has no such field. */
static int find_element(const struct gq_focus *focus, struct str name, struct found *ret)
{
    bool is_sibling = name.n && name.p[0] == '_';
    struct str json = is_sibling ? str_from(name, 1) : name;
    const struct def_type *type = NULL;
    const struct def_element *e = focus->type ? def_member(focus->type, json, &type) : NULL;
    yyjson_val *of = focus->type && focus->type->kind == DEF_PRIMITIVE ? focus->more : focus->v;

    if (!e || (is_sibling && type->kind != DEF_PRIMITIVE))
        return 0;
    *ret = (struct found){.v = yyjson_obj_getn(of, name.p, name.n),
                          .more = is_sibling ? NULL : sibling(of, name),
                          .type = is_sibling ? def_type(STR("Element")) : type,
                          .is_list = e->max != 1,
                          .is_sibling = is_sibling};
    return 1;
}

/* The value i of a list, or the only one. */
static struct gq_focus value_at(const struct gq_focus *of, const struct found *found, size_t i)
{
    struct gq_focus f = {.kind = GQ_ELEMENT, .type = found->type, .resource = of->resource};

    f.v = yyjson_is_arr(found->v) ? yyjson_arr_get(found->v, i) : found->v;
    f.more = yyjson_is_arr(found->more) ? yyjson_arr_get(found->more, i) : found->more;
    if (f.type->is_abstract && f.type->kind == DEF_RESOURCE) {
        int type = def_resource(js_get_str(f.v, "resourceType"));
        f.type = type ? def_resource_type(type) : f.type;
    }
    return f;
}

/* ---- which values of a list ---- */

static int compile(struct gq_run *run, const struct graphql_argument *arg, struct str text,
                   const struct def_type *type, const struct path **ret)
{
    struct gq_path *p = run->paths;
    int r;

    while (p && (p->of != arg || p->type != type))
        p = p->next;
    if (!p) {
        p = ARENA_NEW(run->c->a, struct gq_path);
        if (!p)
            return err_no_memory(&run->c->err);
        r = path_compile(run->c->a, text, type, &p->path, &run->c->err);
        if (r < 0) {
            run->place = arg->place;
            return r;
        }
        p->of = arg;
        p->type = type;
        p->next = run->paths;
        run->paths = p;
    }
    *ret = p->path;
    return 0;
}

/* What is found lives until the next evaluation. */
static int evaluate(struct gq_run *run, const struct path *path, const struct gq_focus *value,
                    struct path_items *ret)
{
    struct path_env env = {
        .a = &run->scratch, .resource = value->resource, .world = call_world_table(&run->world)};
    struct path_item item = {
        .kind = PATH_ELEMENT, .v = value->v, .more = value->more, .type = value->type};
    int r = gq_step(run);

    if (yyjson_is_null(item.v))
        item.v = NULL;
    arena_reset(&run->scratch);
    if (r < 0 || (r = path_eval(path, &env, &item, ret, &run->c->err)) < 0)
        return r;
    run->path_steps += env.steps;
    if (run->path_steps > GRAPHQL_PATH_STEPS_MAX)
        return gq_err(run, run->place, ERR_COSTLY, "the query's expressions take too many steps");
    return 0;
}

static struct str item_text(const struct path_item *item)
{
    return item->kind == PATH_ELEMENT ? js_primitive(item->v) : item->text;
}

/* fhirpath: an expression that holds. */
static int passes_path(struct gq_run *run, const struct graphql_argument *arg,
                       const struct gq_focus *value)
{
    struct path_items items = {0};
    const struct path *path;
    struct str text;
    int r = gq_text(run, arg, &text);

    if (r < 0)
        return r;
    if (!text.p)
        return 1;
    if ((r = compile(run, arg, text, value->type, &path)) < 0 ||
        (r = evaluate(run, path, value, &items)) < 0)
        return r;
    return items.n && !(items.n == 1 && str_eq(item_text(&items.p[0]), STR("false")));
}

/* An element of the value that has one of the texts. */
static int passes_element(struct gq_run *run, const struct graphql_argument *arg,
                          const struct gq_focus *value)
{
    yyjson_val *v = yyjson_obj_getn(value->v, arg->name.p, arg->name.n);
    size_t n, n_values = yyjson_is_arr(v) ? yyjson_arr_size(v) : 1;
    struct str *texts;
    int r = gq_texts(run, arg, &texts, &n);

    if (r < 0)
        return r;
    for (size_t i = 0; i < n_values; i++) {
        struct str has = js_primitive(yyjson_is_arr(v) ? yyjson_arr_get(v, i) : v);
        for (size_t k = 0; has.p && k < n; k++)
            if (str_eq(has, texts[k]))
                return 1;
    }
    return n == 0;
}

static int passes(struct gq_run *run, const struct graphql_selection *s,
                  const struct gq_focus *value)
{
    int r = 1;

    for (const struct graphql_argument *arg = s->arguments; arg && r > 0; arg = arg->next) {
        if (str_eq(arg->name, STR("fhirpath")))
            r = passes_path(run, arg, value);
        else if (!str_eq(arg->name, STR("_offset")) && !str_eq(arg->name, STR("_count")))
            r = passes_element(run, arg, value);
    }
    return r;
}

/* ---- answering one field of an element ---- */

/* How a field's values go into the answer. */
struct shape {
    struct gq_run *run;
    const struct graphql_selection *s;
    const struct gq_sets *sets;
    struct gq_object *out;
    struct str suffix; /* of names, from the slices around */
    bool in_list;      /* inside a flattened list */
    const struct graphql_argument *slice;
    bool flatten, first, single;
    size_t n_slices;
};

static int answer(struct gq_run *run, const struct gq_focus *focus, const struct gq_sets *sets,
                  struct gq_object *out, bool in_list, struct str suffix);

/* What @slice calls a value: its place, or what a path finds in it. */
static int slice_name(struct shape *shape, const struct gq_focus *value, size_t i, struct str *ret)
{
    struct gq_run *run = shape->run;
    struct path_items items = {0};
    struct str text, name = STR("");
    const struct path *path;
    int r = gq_text(run, shape->slice, &text);

    if (r < 0)
        return r;
    if (++shape->n_slices > GRAPHQL_SLICES_MAX)
        return gq_err(run, shape->s->place, ERR_COSTLY, "@slice makes more than %d names",
                      GRAPHQL_SLICES_MAX);
    if (str_eq(text, STR("$index"))) {
        *ret = arena_fmt(run->c->a, "%.*s.%zu", STR_ARG(shape->suffix), i);
        return ret->p ? 0 : err_no_memory(&run->c->err);
    }
    if ((r = compile(run, shape->slice, text, value->type, &path)) < 0 ||
        (r = evaluate(run, path, value, &items)) < 0)
        return r;
    if (items.n && item_text(&items.p[0]).p)
        name = item_text(&items.p[0]);
    *ret = arena_fmt(run->c->a, "%.*s.%.*s", STR_ARG(shape->suffix), STR_ARG(name));
    return ret->p ? 0 : err_no_memory(&run->c->err);
}

static int put_value(struct shape *shape, const struct gq_focus *value, bool is_sibling,
                     bool is_list, struct str suffix)
{
    struct gq_run *run = shape->run;
    bool is_scalar = value->type->kind == DEF_PRIMITIVE && !is_sibling;
    struct gq_object *object = shape->out;
    struct gq_field *field;
    struct str name;
    int r;

    if (!shape->flatten || is_scalar) {
        name = suffix.n ? arena_join(run->c->a, (const struct str[]){shape->s->alias, suffix}, 2)
                        : shape->s->alias;
        field = name.p ? gq_field(run, shape->out, name, is_list, shape->single) : NULL;
        if (!field)
            return err_no_memory(&run->c->err);
        if (is_scalar)
            return yyjson_is_null(value->v) || !value->v
                       ? 0
                       : gq_add(run, field, (struct gq_value){.v = value->v});
        if ((r = gq_add_object(run, field, &object)) < 0)
            return r;
        suffix = STR("");
    }
    return answer(run, value, shape->sets, object, shape->flatten && (shape->in_list || is_list),
                  suffix);
}

static int put_values(struct shape *shape, const struct gq_focus *focus, const struct found *found)
{
    size_t n = MAX(yyjson_arr_size(found->v), yyjson_arr_size(found->more)), seen = 0;
    bool is_list = (found->is_list || shape->in_list) && !shape->first;
    uint64_t offset, count;
    struct gq_run *run = shape->run;
    int r;

    if ((r = gq_u64(run, gq_argument(shape->s, "_offset"), UINT32_MAX, 0, &offset)) < 0 ||
        (r = gq_u64(run, gq_argument(shape->s, "_count"), UINT32_MAX, UINT32_MAX, &count)) < 0)
        return r;
    if (!yyjson_is_arr(found->v) && !yyjson_is_arr(found->more))
        n = found->v || found->more;
    for (size_t i = 0, put = 0; i < n && put < count; i++) {
        struct gq_focus value = value_at(focus, found, i);
        struct str suffix = shape->suffix;

        if (found->is_sibling && !yyjson_is_obj(value.v))
            continue;
        if ((r = gq_step(run)) < 0 || (r = passes(run, shape->s, &value)) < 0)
            return r;
        if (!r || seen++ < offset)
            continue;
        if (shape->slice && (r = slice_name(shape, &value, put, &suffix)) < 0)
            return r;
        /* A slice has one name a value; two values of one name make it a list again. */
        r = put_value(shape, &value, found->is_sibling, is_list || shape->in_list, suffix);
        if (r < 0 || shape->first)
            return r;
        put++;
    }
    return 0;
}

static int answer_element(struct shape *shape, const struct gq_focus *focus)
{
    const struct graphql_selection *s = shape->s;
    struct gq_run *run = shape->run;
    const struct graphql_directive *d;
    struct found found;

    if (!find_element(focus, s->name, &found))
        return gq_err(run, s->place, ERR_VALUE, "%.*s has no field \"%.*s\"",
                      STR_ARG(focus->type ? focus->type->name : STR("this")), STR_ARG(s->name));
    if (found.type->kind == DEF_PRIMITIVE && s->selections)
        return gq_err(run, s->place, ERR_VALUE, "\"%.*s\" is a value: it has no fields",
                      STR_ARG(s->name));
    if (found.type->kind != DEF_PRIMITIVE && !s->selections)
        return gq_err(run, s->place, ERR_VALUE, "\"%.*s\" has fields: say which", STR_ARG(s->name));
    shape->flatten = gq_directive(s, "flatten");
    shape->first = gq_directive(s, "first");
    shape->single = gq_directive(s, "singleton");
    d = gq_directive(s, "slice");
    shape->slice = d ? d->arguments : NULL;
    return put_values(shape, focus, &found);
}

/* ---- answering all fields ---- */

static int add_text(struct gq_run *run, struct gq_object *out, const struct graphql_selection *s,
                    struct str text)
{
    _cleanup_(sb_done) struct sb json = sb_make(KIB(4));
    struct gq_field *field = gq_field(run, out, s->alias, false, true);
    struct str copy;

    sb_json(&json, text);
    copy = arena_dup(run->c->a, sb_view(&json));
    if (!field || !copy.p || json.failed)
        return err_no_memory(&run->c->err);
    return gq_add(run, field, (struct gq_value){.json = copy});
}

static struct str name_of(struct gq_run *run, const struct gq_focus *focus)
{
    if (focus->kind == GQ_QUERY)
        return STR("Query");
    if (focus->kind == GQ_ELEMENT)
        return gq_type_name(run, focus->type);
    return STR("");
}

static int answer_field(struct gq_run *run, const struct gq_focus *focus, const struct asked *a,
                        struct gq_object *out, bool in_list, struct str suffix)
{
    const struct graphql_selection *s = a->field;
    struct shape shape = {run, s, &a->sets, out, suffix, in_list, NULL, false, false, false, 0};
    int r;

    run->place = s->place;
    if (str_eq(s->name, STR("__typename")) && name_of(run, focus).n)
        return add_text(run, out, s, name_of(run, focus));
    if (focus->kind == GQ_SCHEMA || str_starts(s->name, STR("__")))
        return gq_schema(run, focus, s, &a->sets, out);
    if (focus->kind == GQ_CONNECTION)
        return gq_connection(run, focus, s, &a->sets, out);
    if (focus->kind == GQ_EDGE)
        return gq_edge(run, focus, s, &a->sets, out);
    if ((r = gq_find(run, focus, s, &a->sets, out)) != 0)
        return r;
    if (focus->kind == GQ_QUERY)
        return gq_err(run, s->place, ERR_VALUE, "\"%.*s\" is no resource type, list or connection",
                      STR_ARG(s->name));
    if (str_eq(s->name, STR("resourceType")) && focus->type && focus->type->kind == DEF_RESOURCE)
        return add_text(run, out, s, focus->type->name);
    if (str_eq(s->name, STR("resource")) && focus->type && focus->type->which == TYPE_REFERENCE)
        return gq_reference(run, focus, s, &a->sets, out);
    return answer_element(&shape, focus);
}

static int answer(struct gq_run *run, const struct gq_focus *focus, const struct gq_sets *sets,
                  struct gq_object *out, bool in_list, struct str suffix)
{
    struct asked_list list = {0};
    int r = 0;

    for (; sets && r >= 0; sets = sets->next)
        r = collect(run, focus, sets->first, &list);
    for (const struct asked *a = list.first; a && r >= 0; a = a->next)
        r = answer_field(run, focus, a, out, in_list, suffix);
    return r < 0 ? r : 0;
}

int gq_answer(struct gq_run *run, const struct gq_focus *focus, const struct gq_sets *sets,
              struct gq_object *out)
{
    return answer(run, focus, sets, out, false, STR(""));
}

int gq_answer_object(struct gq_run *run, const struct gq_focus *focus, const struct gq_sets *sets,
                     struct gq_field *to)
{
    struct gq_object *object;
    int r = to ? gq_add_object(run, to, &object) : err_no_memory(&run->c->err);

    return r < 0 ? r : gq_answer(run, focus, sets, object);
}
