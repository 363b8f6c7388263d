/* sdc_definition.c - resources made by definitions: where one begins, where an answer goes in it,
 * and where it ends.
 *
 * One begins where sdc-questionnaire-itemExtractionContext (3.0.0: a type, or a query for one that
 * is changed) or definitionExtract (4.0.0: a type or profile) stands. "URL#Patient.name.given"
 * names an element of the nearest one with that URL. A group with a definition stands for an
 * element of its own: each repetition is another. Elements that no answer gives come from
 * definitionExtractValue.
 */
#include "fhir/sdc_int.h"

#define BASE STR("http://hl7.org/fhir/StructureDefinition/")

/* An element that this response added to a list, or set. */
struct made {
    struct made *next;
    yyjson_mut_val *in, *v;
    const struct def_element *element;
};

struct sdc_target {
    struct sdc_target *next; /* of the same question */
    struct str url;          /* before the '#' of definitions */
    const struct def_type *type;
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    struct made *made;
    struct sdc_entry as;
    size_t n_answers;
};

static struct str where_of(struct sdc *s, yyjson_val *question)
{
    return sdc_where(s, "Questionnaire", js_get_str(question, "linkId"));
}

static int say(struct sdc *s, yyjson_val *question, const char *type, struct str what,
               const char *text, struct err *err)
{
    struct str where = where_of(s, question);

    if (!where.p)
        return err_no_memory(err);
    issues_add(s->issues, ISSUE_ERROR, type, where, "\"%.*s\" %s", (int)MIN(what.n, (size_t)200),
               what.n ? what.p : "", text);
    return s->issues->no_memory ? err_no_memory(err) : 0;
}

/* ---- beginning ---- */

static int begin(struct sdc *s, struct sdc_frame *f, struct str url, struct str type,
                 yyjson_val *from, struct err *err)
{
    struct sdc_target *t = ARENA_NEW(s->a, struct sdc_target);
    yyjson_alc alc = js_alc(s->a);
    int number = def_resource(type);

    if (!number)
        return say(s, f->question, "value", type, "is no type of resource", err);
    if (!t || !(t->doc = yyjson_mut_doc_new(&alc)))
        return err_no_memory(err);
    t->url = url;
    t->type = def_resource_type(number);
    t->root = from ? yyjson_val_mut_copy(t->doc, from) : yyjson_mut_obj(t->doc);
    t->as.key = arena_fmt(s->a, "%.*s/%.*s", STR_ARG(f->key), STR_ARG(type));
    if (!t->root || !t->as.key.p ||
        (!from && !yyjson_mut_obj_add_strncpy(t->doc, t->root, "resourceType", type.p, type.n)))
        return err_no_memory(err);
    if (from) {
        t->as.update = arena_fmt(s->a, "%.*s/%.*s", STR_ARG(type), STR_ARG(js_get_str(from, "id")));
        t->as.version = js_get_str(js_get(from, "meta"), "versionId");
        if (!t->as.update.p)
            return err_no_memory(err);
    }
    t->next = f->target;
    f->target = t;
    return 0;
}

/* A type by its code, or the resource that an expression gives; none: a new one of the query's
 * type. */
static int begin_context(struct sdc *s, struct sdc_frame *f, yyjson_val *v, struct err *err)
{
    struct path_item focus = path_json(f->item);
    struct path_items items = {0};
    struct str type = js_str(v), where = where_of(s, f->question), url;
    yyjson_val *from = NULL;
    int r;

    if (!where.p)
        return err_no_memory(err);
    if (yyjson_is_obj(v)) {
        struct str text = js_get_str(v, "expression");
        size_t n = 0;
        if ((r = sdc_evaluate(s, v, &focus, where, &items, err)) < 0)
            return r;
        from = items.n && items.p[0].kind == PATH_ELEMENT ? sdc_first(items.p[0].v) : NULL;
        while (n < text.n && text.p[n] != '?' && text.p[n] != '/')
            n++;
        type = from ? js_get_str(from, "resourceType") : str_head(text, n);
    }
    url = arena_join(s->a, (const struct str[]){BASE, type}, 2);
    return url.p ? begin(s, f, url, type, from, err) : err_no_memory(err);
}

static int begin_definition(struct sdc *s, struct sdc_frame *f, yyjson_val *extension,
                            struct err *err)
{
    struct str url = js_str(response_extension(extension, STR("definition"))), type;
    yyjson_val *profile = NULL;
    int r = 0;

    if (str_starts(url, BASE) && def_resource(str_from(url, BASE.n)))
        return begin(s, f, url, str_from(url, BASE.n), NULL, err);
    if (s->world && s->world->canonical)
        r = s->world->canonical(s->world->ctx, s->a, def_resource(STR("StructureDefinition")), url,
                                &profile, err);
    if (r < 0)
        return r;
    type = js_get_str(profile, "type");
    if (!type.n)
        return say(s, f->question, "not-found", url, "is no definition that is known here", err);
    return begin(s, f, url, type, NULL, err);
}

/* ---- where an answer goes ---- */

static struct str page_of(struct str definition)
{
    ptrdiff_t at = str_find(definition, '#');

    return at < 0 ? definition : str_head(definition, (size_t)at);
}

static struct str path_of(struct str definition)
{
    ptrdiff_t at = str_find(definition, '#');

    return at < 0 ? STR("") : str_from(definition, (size_t)at + 1);
}

static struct sdc_target *target_of(const struct sdc_frame *f, struct str url)
{
    for (; f; f = f->up)
        for (struct sdc_target *t = f->target; t; t = t->next)
            if (str_eq(t->url, url))
                return t;
    return NULL;
}

/* Where a walk along a path is. */
struct spot {
    yyjson_mut_val *v;
    const struct def_type *type;
    struct str rest; /* of the path, from here on */
};

/* The nearest group that stands for what is around the element; or the resource. */
static bool spot_of(const struct sdc_frame *f, const struct sdc_target *t, struct str path,
                    struct spot *ret)
{
    for (; f; f = f->up)
        if (f->spot_of == t && str_starts(path, f->spot_path) && path.n > f->spot_path.n &&
            path.p[f->spot_path.n] == '.') {
            *ret = (struct spot){f->spot, f->spot_type, str_from(path, f->spot_path.n + 1)};
            return true;
        }
    if (!str_starts(path, t->type->name) || path.n <= t->type->name.n + 1 ||
        path.p[t->type->name.n] != '.')
        return false;
    *ret = (struct spot){t->root, t->type, str_from(path, t->type->name.n + 1)};
    return true;
}

static struct made *find_made(struct sdc_target *t, yyjson_mut_val *in, const struct def_element *e)
{
    for (struct made *m = t->made; m; m = m->next)
        if (m->in == in && m->element == e)
            return m;
    return NULL;
}

static int keep_made(struct sdc *s, struct sdc_target *t, yyjson_mut_val *in,
                     const struct def_element *e, yyjson_mut_val *v, struct err *err)
{
    struct made *m = find_made(t, in, e);

    if (!m) {
        m = ARENA_NEW(s->a, struct made);
        if (!m)
            return err_no_memory(err);
        *m = (struct made){t->made, in, v, e};
        t->made = m;
    }
    m->v = v;
    return 0;
}

/* A new object as the element: one more of a list. */
static int add_object(struct sdc *s, struct sdc_target *t, yyjson_mut_val *in,
                      const struct def_element *e, yyjson_mut_val **ret, struct err *err)
{
    struct patch_value value = {.json = e->name, .v = yyjson_mut_obj(t->doc)};
    int r = value.v ? patch_add(s->a, t->doc, in, e, &value, err) : err_no_memory(err);

    if (r < 0)
        return r;
    *ret = value.v;
    return keep_made(s, t, in, e, value.v, err);
}

/* The object that stands as the element: of a list, the one that this response added. */
static int enter(struct sdc *s, struct sdc_target *t, struct spot *at, const struct def_element *e,
                 struct err *err)
{
    struct made *m = find_made(t, at->v, e);
    yyjson_mut_val *there = e->max > 1 ? NULL : yyjson_mut_obj_getn(at->v, e->name.p, e->name.n);
    int r = 0;

    if (!there)
        there = m ? m->v : NULL;
    if (!there)
        r = add_object(s, t, at->v, e, &there, err);
    at->v = there;
    at->type = e->types[0];
    return r;
}

/* Takes the path up to its last name. 1, or 0 where it names nothing, and an issue says so. */
static int walk(struct sdc *s, const struct sdc_frame *f, struct sdc_target *t, struct spot *at,
                const struct def_element **ret, struct err *err)
{
    struct str definition = at->rest, name;

    for (;;) {
        bool is_last;
        int r = str_split(&at->rest, '.', &name);
        is_last = !at->rest.p;
        if (is_last && str_ends(name, STR("[x]")))
            name = str_head(name, name.n - 3);
        *ret = patch_element(at->type, name);
        if (!r || !*ret ||
            (!is_last &&
             ((*ret)->is_choice || !(*ret)->types[0] || (*ret)->types[0]->kind == DEF_PRIMITIVE))) {
            r = say(s, f->question, "not-found", definition,
                    "is no element that can be set (slices and parts of a choice are not)", err);
            return r;
        }
        if (is_last)
            return 1;
        if ((r = enter(s, t, at, *ret, err)) < 0)
            return r;
    }
}

static bool is_sibling(struct str member, const struct def_type *type, const struct def_element *e)
{
    const struct def_type *of;

    return def_member(type, str_from(member, str_starts(member, STR("_"))), &of) == e;
}

/* What a resource that is changed has there already gives way. */
static void take_off(const struct spot *at, const struct def_element *e)
{
    yyjson_mut_obj_iter iter;
    yyjson_mut_val *key;

    yyjson_mut_obj_iter_init(at->v, &iter);
    while ((key = yyjson_mut_obj_iter_next(&iter)))
        if (is_sibling(str_n(yyjson_mut_get_str(key), yyjson_mut_get_len(key)), at->type, e))
            yyjson_mut_obj_iter_remove(&iter);
}

static int set(struct sdc *s, const struct sdc_frame *f, struct sdc_target *t,
               const struct spot *at, const struct def_element *e, const struct patch_value *value,
               struct err *err)
{
    if (e->max == 1 && find_made(t, at->v, e))
        return say(s, f->question, "duplicate", e->name,
                   "has a value from another answer, and does not repeat", err);
    if (e->max == 1)
        take_off(at, e);
    if (patch_add(s->a, t->doc, at->v, e, value, err) < 0)
        return err->code;
    return keep_made(s, t, at->v, e, value->v, err);
}

/* The element that a definition names: 1 with *ret_t, *at and *ret_e; 0 where it names none. */
static int find_element(struct sdc *s, const struct sdc_frame *f, struct str definition,
                        struct sdc_target **ret_t, struct spot *at,
                        const struct def_element **ret_e, struct err *err)
{
    *ret_t = target_of(f, page_of(definition));
    if (!*ret_t) /* a definition says what a question means, too, where nothing is made of it */
        return 0;
    if (!spot_of(f, *ret_t, path_of(definition), at))
        return say(s, f->question, "not-found", definition, "names no element", err);
    return walk(s, f, *ret_t, at, ret_e, err);
}

int sdc_put(struct sdc *s, const struct sdc_frame *f, yyjson_val *v, struct str type,
            struct err *err)
{
    struct str definition = js_get_str(f->question, "definition");
    const struct def_element *e;
    struct patch_value value;
    struct sdc_target *t;
    struct spot at;
    int r = find_element(s, f, definition, &t, &at, &e, err);

    if (r <= 0)
        return r;
    r = sdc_element(t->doc, s->a, e, f->question, v, type, &value, err);
    if (r == 0)
        return say(s, f->question, "value", definition, "cannot have an answer of this type", err);
    if (r < 0)
        return r;
    t->n_answers++;
    return set(s, f, t, &at, e, &value, err);
}

/* ---- what no answer gives ---- */

static int set_items(struct sdc *s, const struct sdc_frame *f, struct str definition,
                     const struct path_items *items, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < items->n && r >= 0; i++) {
        const struct def_element *e;
        struct patch_value value;
        struct sdc_target *t;
        struct spot at;
        r = find_element(s, f, definition, &t, &at, &e, err);
        if (r <= 0)
            return r;
        r = sdc_element_of(s, t->doc, e, &items->p[i], &value, err);
        if (r == 0)
            return say(s, f->question, "value", definition, "cannot have a value of this type",
                       err);
        if (r > 0)
            r = set(s, f, t, &at, e, &value, err);
    }
    return MIN(r, 0);
}

static int put_value(struct sdc *s, const struct sdc_frame *f, yyjson_val *extension,
                     struct err *err)
{
    struct str definition = js_str(response_extension(extension, STR("definition")));
    yyjson_val *expression = response_extension(extension, STR("expression"));
    yyjson_val *fixed = sdc_extension(extension, STR("fixed-value"));
    struct path_item focus = path_json(f->item);
    struct str where = where_of(s, f->question), type = STR_NULL;
    struct path_items items = {0};
    struct path_item item;
    int r;

    if (!where.p)
        return err_no_memory(err);
    if (!target_of(f, page_of(definition)))
        return say(s, f->question, "not-found", definition, "is of nothing that is made here", err);
    if (expression) {
        if (!f->up)
            focus = path_root(f->item);
        r = sdc_evaluate(s, expression, &focus, where, &items, err);
        return r <= 0 ? r : set_items(s, f, definition, &items, err);
    }
    item =
        (struct path_item){.kind = PATH_ELEMENT, .v = response_choice(fixed, STR("value"), &type)};
    item.type = response_type(type);
    items = (struct path_items){&item, 1, 1};
    return item.v ? set_items(s, f, definition, &items, err)
                  : say(s, f->question, "required", definition,
                        "has neither a fixed value nor an expression", err);
}

/* ---- the element that a group stands for ---- */

static int begin_spot(struct sdc *s, struct sdc_frame *f, struct err *err)
{
    struct str definition = js_get_str(f->question, "definition");
    const struct def_element *e;
    struct sdc_target *t;
    struct spot at;
    int r;

    if (!str_eq(js_get_str(f->question, "type"), STR("group")) || !path_of(definition).n)
        return 0;
    r = find_element(s, f, definition, &t, &at, &e, err);
    if (r <= 0)
        return r;
    if (e->is_choice || !e->types[0] || e->types[0]->kind == DEF_PRIMITIVE)
        return say(s, f->question, "value", definition, "is nothing that a group can stand for",
                   err);
    if (e->max > 1)
        r = add_object(s, t, at.v, e, &f->spot, err);
    else if ((r = enter(s, t, &at, e, err)) >= 0)
        f->spot = at.v;
    f->spot_of = t;
    f->spot_type = e->types[0];
    f->spot_path = path_of(definition);
    return MIN(r, 0);
}

int sdc_begin(struct sdc *s, struct sdc_frame *f, struct err *err)
{
    yyjson_val *context = response_extension(f->question, SDC("itemExtractionContext")), *v;
    size_t i, n;
    int r = context ? begin_context(s, f, context, err) : 0;

    yyjson_arr_foreach(js_get(f->question, "extension"), i, n, v) {
        if (r >= 0 && str_eq(js_get_str(v, "url"), SDC("definitionExtract")))
            r = begin_definition(s, f, v, err);
    }
    if (r >= 0)
        r = begin_spot(s, f, err);
    yyjson_arr_foreach(js_get(f->question, "extension"), i, n, v) {
        if (r >= 0 && str_eq(js_get_str(v, "url"), SDC("definitionExtractValue")))
            r = put_value(s, f, v, err);
    }
    return r;
}

/* ---- ending ---- */

int sdc_add(struct sdc *s, yyjson_mut_val *made, const struct sdc_entry *as, struct str where,
            struct sdc_entries *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(MIB(8));
    size_t n_errors = s->issues->n_errors;
    struct sdc_entry *v;
    int r;

    if (ret->n == SDC_ENTRIES_MAX)
        return err_set(err, ERR_COSTLY, "the response makes more than %d resources",
                       SDC_ENTRIES_MAX);
    if (ret->n == ret->cap) {
        size_t cap = ret->cap ? ret->cap * 2 : 8;
        v = arena_grow(s->a, ret->v, ret->n * sizeof *v, cap * sizeof *v);
        if (!v)
            return err_no_memory(err);
        ret->v = v;
        ret->cap = cap;
    }
    v = &ret->v[ret->n];
    *v = *as;
    patch_write(&text, made);
    if ((r = sb_ok(&text, err)) < 0 ||
        (r = js_parse_stored(s->a, sb_view(&text), &v->resource, err)) < 0 ||
        (r = fhir_validate(v->resource, s->issues, err)) < 0)
        return r;
    ret->n++;
    if (s->issues->n_errors == n_errors)
        return 0;
    issues_add(s->issues, ISSUE_ERROR, "processing", where,
               "what is made of the answers here is no valid %.*s",
               STR_ARG(js_get_str(v->resource, "resourceType")));
    return s->issues->no_memory ? err_no_memory(err) : 0;
}

int sdc_end(struct sdc *s, struct sdc_frame *f, struct sdc_entries *ret, struct err *err)
{
    struct str where = where_of(s, f->question);
    int r = where.p ? 0 : err_no_memory(err);

    for (struct sdc_target *t = f->target; t && r >= 0; t = t->next)
        if (t->n_answers)
            r = sdc_add(s, t->root, &t->as, where, ret, err);
    return r;
}
