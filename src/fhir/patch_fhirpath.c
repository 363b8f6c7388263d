/* FHIRPath Patch. Each operation looks for its place in the resource as the last one left it, by
 * FHIRPath; the place is then changed in a copy, and the copy is what the next operation sees. Two
 * arenas take turns in holding them, so that many operations do not need much memory.
 */
#include "fhir/patch_int.h"
#include "fhir/path.h"

#include <stdarg.h>
#include <stdio.h>

#define COPY_MAX MIB(512) /* bytes of one of the two copies */

/* Where an element stands: in `key` of the object that the trail leads to, at `index` of a list. */
struct place {
    struct str trail_key[JS_DEPTH_MAX]; /* .p NULL: trail_index */
    size_t trail_index[JS_DEPTH_MAX];
    size_t depth;
};

struct operation {
    struct str type, path, name;
    yyjson_val *value;                  /* the part */
    int64_t index, source, destination; /* or */
#define NOT_GIVEN (-1)
};

struct patcher {
    struct arena *a; /* the caller's: messages, compiled paths */
    struct arena *here, *next;
    const struct world *world;
    yyjson_val *root;    /* in `here` */
    yyjson_mut_doc *doc; /* in `next` */
    size_t n;            /* of the operation, for messages */
    struct operation op;
    size_t steps; /* values copied by all operations so far */
    struct err *err;
};

static int refuse(struct patcher *p, int code, const char *fmt, ...) _printf_(3, 4);

static int refuse(struct patcher *p, int code, const char *fmt, ...)
{
    struct str type = p->op.type, path = p->op.path;
    char why[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return err_set(p->err, code, "patch operation %zu (%.*s \"%.*s\"): %s", p->n,
                   (int)MIN(type.n, 10u), type.n ? type.p : "",
                   (int)MIN(path.n, (size_t)PATCH_PATH_SHOWN), path.n ? path.p : "", why);
}

/* ---- reading an operation ---- */

static int64_t integer_of(yyjson_val *part)
{
    yyjson_val *v = js_get(part, "valueInteger");
    uint64_t n;

    if (!v)
        v = js_get(part, "valueUnsignedInt");
    if (!v)
        v = js_get(part, "valuePositiveInt");
    return js_is_number(v) && str_to_u64(js_str(v), INT32_MAX, &n) ? (int64_t)n : -2;
}

static struct str text_of(yyjson_val *part)
{
    struct str s = js_get_str(part, "valueString");

    return s.p ? s : js_get_str(part, "valueCode");
}

static int twice(struct patcher *p, struct str name)
{
    return refuse(p, ERR_SYNTAX, "it has more than one \"%.*s\"", STR_ARG(name));
}

static int read_part(struct patcher *p, yyjson_val *part)
{
    struct operation *op = &p->op;
    struct str name = js_get_str(part, "name");
    const struct {
        struct str name;
        struct str *text;
        int64_t *number;
    } parts[] = {
        {STR("type"), &op->type, NULL},     {STR("path"), &op->path, NULL},
        {STR("name"), &op->name, NULL},     {STR("index"), NULL, &op->index},
        {STR("source"), NULL, &op->source}, {STR("destination"), NULL, &op->destination},
    };

    if (str_eq(name, STR("value"))) {
        if (op->value)
            return twice(p, name);
        op->value = part;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (!str_eq(parts[i].name, name))
            continue;
        if (parts[i].number ? *parts[i].number != NOT_GIVEN : parts[i].text->p != NULL)
            return twice(p, name);
        if (parts[i].number && (*parts[i].number = integer_of(part)) < 0)
            return refuse(p, ERR_SYNTAX, "its \"%.*s\" is not a number from 0 on", STR_ARG(name));
        if (parts[i].text && !(*parts[i].text = text_of(part)).p)
            return refuse(p, ERR_SYNTAX, "its \"%.*s\" is not a text", STR_ARG(name));
        return 0;
    }
    return refuse(p, ERR_SYNTAX, "it has a part \"%.*s\", which no operation has",
                  (int)MIN(name.n, 32u), name.n ? name.p : "");
}

static int read_operation(struct patcher *p, yyjson_val *parameter)
{
    struct str name = js_get_str(parameter, "name");
    size_t i, max;
    yyjson_val *part;
    int r = 0;

    p->op = (struct operation){.index = NOT_GIVEN, .source = NOT_GIVEN, .destination = NOT_GIVEN};
    if (!str_eq(name, STR("operation")))
        return refuse(p, ERR_SYNTAX, "the parameter is \"%.*s\" where \"operation\" is expected",
                      (int)MIN(name.n, 32u), name.n ? name.p : "");
    yyjson_arr_foreach(js_get(parameter, "part"), i, max, part) {
        r = r < 0 ? r : read_part(p, part);
    }
    return r;
}

/* ---- finding the place ---- */

/* The way from `at` to a value, by identity. */
static bool find(yyjson_val *at, const yyjson_val *wanted, struct place *ret)
{
    size_t i, max, depth = ret->depth;
    yyjson_val *key, *v;

    if (at == wanted)
        return true;
    if (depth == JS_DEPTH_MAX)
        return false;
    ret->depth++;
    if (yyjson_is_obj(at)) {
        yyjson_obj_foreach(at, i, max, key, v) {
            ret->trail_key[depth] = js_str(key);
            if (find(v, wanted, ret))
                return true;
        }
    } else if (yyjson_is_arr(at)) {
        yyjson_arr_foreach(at, i, max, v) {
            ret->trail_key[depth] = STR_NULL;
            ret->trail_index[depth] = i;
            if (find(v, wanted, ret))
                return true;
        }
    }
    ret->depth = depth;
    return false;
}

static int evaluate(struct patcher *p, struct str text, struct path_items *ret)
{
    struct path_item focus = path_root(p->root);
    struct path_env env = {.a = p->here, .resource = p->root, .world = p->world};
    const struct path *path;
    struct err why = {0};
    int r = path_compile_strict(p->a, text, focus.type, &path, &why);

    if (r >= 0)
        r = path_eval(path, &env, &focus, ret, &why);
    if (r == ERR_NO_MEMORY || r == ERR_COSTLY)
        return refuse(p, r, "%s", why.text);
    return r < 0 ? refuse(p, ERR_PROCESSING, "%s", why.text) : 0;
}

/* The one element that a path leads to: 1, or 0 where it leads to none. */
static int find_one(struct patcher *p, struct str text, struct path_item *ret, struct place *place)
{
    struct path_items items = {0};
    const yyjson_val *v;
    int r = evaluate(p, text, &items);

    if (r < 0 || !items.n)
        return r;
    if (items.n > 1)
        return refuse(p, ERR_PROCESSING, "the path leads to %zu elements, not to one", items.n);
    *ret = items.p[0];
    v = ret->v ? ret->v : ret->more;
    *place = (struct place){.depth = 0};
    if (ret->kind != PATH_ELEMENT || !v || !find(p->root, v, place))
        return refuse(p, ERR_PROCESSING, "the path leads to what is no element of the resource");
    return 1;
}

static int must_find(struct patcher *p, struct str text, struct path_item *ret, struct place *place)
{
    int r = find_one(p, text, ret, place);

    return r == 0 ? refuse(p, ERR_PROCESSING, "the path leads to no element") : r;
}

/* The last name of a path and what stands before it ("$this" where nothing does). */
static int split_path(struct patcher *p, struct str *ret_parent, struct str *ret_name)
{
    struct str path = str_trim(p->op.path);
    size_t dot = SIZE_MAX, open = 0;
    char quote = 0;

    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (quote) {
            i += c == '\\';
            quote = c == quote ? 0 : quote;
        } else if (c == '\'' || c == '`' || c == '"') {
            quote = c;
        } else if (c == '(' || c == '[') {
            open++;
        } else if (c == ')' || c == ']') {
            open--;
        } else if (c == '.' && !open) {
            dot = i;
        }
    }
    *ret_parent = dot == SIZE_MAX ? STR("$this") : str_head(path, dot);
    *ret_name = str_trim(dot == SIZE_MAX ? path : str_from(path, dot + 1));
    for (size_t i = 0; i < ret_name->n; i++)
        if (strchr("()[] +-*/|&<>=~'`\"", ret_name->p[i]))
            return refuse(p, ERR_PROCESSING, "the path does not end in the name of a list");
    return 0;
}

/* ---- changing it ---- */

static yyjson_mut_val *follow(yyjson_mut_val *root, const struct place *at, size_t depth)
{
    yyjson_mut_val *v = root;

    for (size_t i = 0; i < depth; i++)
        v = at->trail_key[i].p ? yyjson_mut_obj_getn(v, at->trail_key[i].p, at->trail_key[i].n)
                               : yyjson_mut_arr_get(v, at->trail_index[i]);
    return v;
}

/* The object that an element stands in, its name there and its index in a list. */
struct slot {
    yyjson_mut_val *obj;
    struct str name, sibling; /* "given", "_given" */
    bool in_list;
    size_t index;
    size_t depth; /* of obj in the trail */
};

static int slot_of(struct patcher *p, const struct place *at, struct slot *ret)
{
    size_t last = at->depth - 1;
    struct str key;

    if (!at->depth)
        return refuse(p, ERR_PROCESSING, "the resource itself cannot be taken away or replaced");
    ret->in_list = !at->trail_key[last].p;
    ret->index = ret->in_list ? at->trail_index[last] : 0;
    ret->depth = last - ret->in_list;
    key = at->trail_key[ret->depth];
    ret->obj = follow(yyjson_mut_doc_get_root(p->doc), at, ret->depth);
    ret->name = key.n && key.p[0] == '_' ? str_from(key, 1) : key;
    ret->sibling = patch_sibling(p->a, ret->name);
    return ret->sibling.p ? 0 : err_no_memory(p->err);
}

static bool is_blank(yyjson_mut_val *v)
{
    size_t i, max;
    yyjson_mut_val *e;

    if (yyjson_mut_is_obj(v))
        return yyjson_mut_obj_size(v) == 0;
    if (!yyjson_mut_is_arr(v))
        return yyjson_mut_is_null(v);
    yyjson_mut_arr_foreach(v, i, max, e) if (!yyjson_mut_is_null(e)) return false;
    return true;
}

static void take(yyjson_mut_val *obj, struct str name, const struct slot *s)
{
    yyjson_mut_val *v = yyjson_mut_obj_getn(obj, name.p, name.n);

    if (s->in_list && yyjson_mut_is_arr(v) && s->index < yyjson_mut_arr_size(v))
        yyjson_mut_arr_remove(v, s->index);
    if (!s->in_list || (v && is_blank(v)))
        yyjson_mut_obj_remove_keyn(obj, name.p, name.n);
}

/* Takes the element and its sibling out, and with them whatever has nothing left in it. */
static int remove_at(struct patcher *p, struct place *at)
{
    struct slot s = {0};

    for (;;) {
        int r = slot_of(p, at, &s);
        if (r < 0)
            return r;
        take(s.obj, s.name, &s);
        take(s.obj, s.sibling, &s);
        if (!s.depth || yyjson_mut_obj_size(s.obj))
            return 0;
        at->depth = s.depth;
    }
}

static int value_for(struct patcher *p, const struct def_element *e, struct patch_value *ret)
{
    struct err why = {0};
    int r;

    if (!p->op.value)
        return refuse(p, ERR_SYNTAX, "it has no \"value\"");
    r = patch_value(p->a, p->doc, e, p->op.value, ret, &why);
    return r < 0 ? refuse(p, r, "%s", why.text) : 0;
}

/* Puts one of a pair (value, sibling) where the old one was; NULL takes it away. */
static bool put(struct patcher *p, const struct slot *s, struct str old, struct str name,
                yyjson_mut_val *v)
{
    yyjson_mut_val *list = yyjson_mut_obj_getn(s->obj, old.p, old.n);

    if (s->in_list) {
        if (!v && !list)
            return true;
        list = patch_siblings(p->doc, s->obj, name, s->index + 1);
        if (!v)
            v = yyjson_mut_null(p->doc);
        if (!list || !v)
            return false;
        yyjson_mut_arr_replace(list, s->index, v);
        if (is_blank(list))
            yyjson_mut_obj_remove_keyn(s->obj, name.p, name.n);
        return true;
    }
    if (v && list)
        return yyjson_mut_obj_replace(s->obj, yyjson_mut_strn(p->doc, old.p, old.n), v) &&
               (str_eq(old, name) ||
                yyjson_mut_obj_rename_keyn(p->doc, s->obj, old.p, old.n, name.p, name.n));
    if (list)
        yyjson_mut_obj_remove_keyn(s->obj, old.p, old.n);
    return !v || yyjson_mut_obj_put(s->obj, yyjson_mut_strn(p->doc, name.p, name.n), v);
}

static int do_replace(struct patcher *p)
{
    struct path_item item;
    struct patch_value value = {0};
    struct place at;
    struct slot s = {0};
    struct str sibling;
    int r = must_find(p, p->op.path, &item, &at);

    if (r >= 0)
        r = slot_of(p, &at, &s);
    if (r >= 0 && !item.element)
        r = refuse(p, ERR_PROCESSING, "the path leads to what is no element of the resource");
    if (r >= 0)
        r = value_for(p, item.element, &value);
    if (r < 0)
        return r;
    sibling = patch_sibling(p->a, value.json);
    if (!sibling.p || !put(p, &s, s.name, value.json, value.v) ||
        !put(p, &s, s.sibling, sibling, value.more))
        return err_no_memory(p->err);
    return 0;
}

static int do_delete(struct patcher *p)
{
    struct path_item item;
    struct place at;
    int r = find_one(p, p->op.path, &item, &at);

    return r <= 0 ? r : remove_at(p, &at);
}

/* The object that an element's members stand in: a primitive's are its sibling's. */
static int object_of(struct patcher *p, const struct path_item *item, const struct place *at,
                     yyjson_mut_val **ret)
{
    yyjson_mut_val *list;
    struct slot s = {0};
    int r;

    *ret = follow(yyjson_mut_doc_get_root(p->doc), at, at->depth);
    if (yyjson_is_obj(item->v) || !item->v)
        return 0;
    r = slot_of(p, at, &s);
    if (r < 0)
        return r;
    *ret = yyjson_mut_obj_getn(s.obj, s.sibling.p, s.sibling.n);
    if (s.in_list) {
        list = patch_siblings(p->doc, s.obj, s.sibling, s.index + 1);
        *ret = yyjson_mut_arr_get(list, s.index);
        if (yyjson_mut_is_null(*ret)) {
            *ret = yyjson_mut_obj(p->doc);
            if (*ret)
                yyjson_mut_arr_replace(list, s.index, *ret);
        }
    } else if (!*ret) {
        *ret = yyjson_mut_obj(p->doc);
        if (!yyjson_mut_obj_put(s.obj, yyjson_mut_strn(p->doc, s.sibling.p, s.sibling.n), *ret))
            *ret = NULL;
    }
    return *ret ? 0 : err_no_memory(p->err);
}

static int do_add(struct patcher *p)
{
    const struct def_element *e;
    struct patch_value value;
    struct path_item item;
    struct place at;
    yyjson_mut_val *obj;
    struct err why = {0};
    int r;

    if (!p->op.name.n)
        return refuse(p, ERR_SYNTAX, "it has no \"name\"");
    r = must_find(p, p->op.path, &item, &at);
    if (r < 0)
        return r;
    e = patch_element(item.type, p->op.name);
    if (!e)
        return refuse(p, ERR_PROCESSING, "there is no element \"%.*s\"",
                      (int)MIN(p->op.name.n, 64u), p->op.name.p);
    r = object_of(p, &item, &at, &obj);
    if (r >= 0)
        r = value_for(p, e, &value);
    if (r >= 0 && !patch_is_named(e, &value, p->op.name))
        r = refuse(p, ERR_PROCESSING, "\"%.*s\" has a value of another type",
                   (int)MIN(p->op.name.n, 64u), p->op.name.p);
    if (r < 0)
        return r;
    r = patch_add(p->a, p->doc, obj, e, &value, &why);
    return r < 0 ? refuse(p, r, "%s", why.text) : 0;
}

/* The object and the element of a list that a path ends in. */
static int find_list(struct patcher *p, yyjson_mut_val **ret_obj, const struct def_element **ret_e)
{
    struct str parent, name;
    struct path_item item;
    struct place at;
    int r = split_path(p, &parent, &name);

    if (r >= 0)
        r = must_find(p, parent, &item, &at);
    if (r >= 0)
        r = object_of(p, &item, &at, ret_obj);
    if (r < 0)
        return r;
    *ret_e = patch_element(item.type, name);
    if (!*ret_e || (*ret_e)->max <= 1)
        return refuse(p, ERR_PROCESSING, "the path does not end in the name of a list");
    return 0;
}

static size_t list_size(yyjson_mut_val *obj, struct str name, struct str sibling)
{
    return MAX(yyjson_mut_arr_size(yyjson_mut_obj_getn(obj, name.p, name.n)),
               yyjson_mut_arr_size(yyjson_mut_obj_getn(obj, sibling.p, sibling.n)));
}

static bool insert_in(struct patcher *p, yyjson_mut_val *obj, struct str name, size_t n,
                      yyjson_mut_val *v)
{
    yyjson_mut_val *list;

    if (!v && !yyjson_mut_obj_getn(obj, name.p, name.n))
        return true;
    list = patch_siblings(p->doc, obj, name, n);
    return list &&
           yyjson_mut_arr_insert(list, v ? v : yyjson_mut_null(p->doc), (size_t)p->op.index);
}

static int do_insert(struct patcher *p)
{
    const struct def_element *e;
    struct patch_value value;
    yyjson_mut_val *obj;
    struct str sibling;
    size_t n;
    int r;

    if (p->op.index < 0)
        return refuse(p, ERR_SYNTAX, "it has no \"index\"");
    r = find_list(p, &obj, &e);
    if (r >= 0)
        r = value_for(p, e, &value);
    if (r < 0)
        return r;
    sibling = patch_sibling(p->a, e->name);
    if (!sibling.p)
        return err_no_memory(p->err);
    n = list_size(obj, e->name, sibling);
    if ((size_t)p->op.index > n)
        return refuse(p, ERR_PROCESSING, "its index %lld is past the end of a list of %zu",
                      (long long)p->op.index, n);
    if (!insert_in(p, obj, e->name, n, value.v) || !insert_in(p, obj, sibling, n, value.more))
        return err_no_memory(p->err);
    return 0;
}

static bool move_in(struct patcher *p, yyjson_mut_val *obj, struct str name, size_t n)
{
    yyjson_mut_val *list, *v;

    if (!yyjson_mut_obj_getn(obj, name.p, name.n))
        return true;
    list = patch_siblings(p->doc, obj, name, n);
    v = yyjson_mut_arr_remove(list, (size_t)p->op.source);
    return v && yyjson_mut_arr_insert(list, v, (size_t)p->op.destination);
}

static int do_move(struct patcher *p)
{
    const struct def_element *e;
    yyjson_mut_val *obj;
    struct str sibling;
    size_t n;
    int r;

    if (p->op.source < 0 || p->op.destination < 0)
        return refuse(p, ERR_SYNTAX, "it has no \"%s\"",
                      p->op.source < 0 ? "source" : "destination");
    r = find_list(p, &obj, &e);
    if (r < 0)
        return r;
    sibling = patch_sibling(p->a, e->name);
    if (!sibling.p)
        return err_no_memory(p->err);
    n = list_size(obj, e->name, sibling);
    if ((size_t)p->op.source >= n || (size_t)p->op.destination >= n)
        return refuse(p, ERR_PROCESSING, "its %s is past the end of a list of %zu",
                      (size_t)p->op.source >= n ? "source" : "destination", n);
    if (!move_in(p, obj, e->name, n) || !move_in(p, obj, sibling, n))
        return err_no_memory(p->err);
    return 0;
}

static int apply(struct patcher *p)
{
    static const struct {
        struct str type;
        int (*run)(struct patcher *p);
    } operations[] = {
        {STR("add"), do_add},         {STR("insert"), do_insert}, {STR("delete"), do_delete},
        {STR("replace"), do_replace}, {STR("move"), do_move},
    };

    if (!p->op.type.p)
        return refuse(p, ERR_SYNTAX, "it has no \"type\"");
    if (!p->op.path.p)
        return refuse(p, ERR_SYNTAX, "it has no \"path\"");
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        if (str_eq(operations[i].type, p->op.type))
            return operations[i].run(p);
    return refuse(p, ERR_SYNTAX, "there is no such operation");
}

/* ---- one after the other ---- */

static size_t count(yyjson_val *root)
{
    return unsafe_yyjson_is_ctn(root) ? (size_t)(unsafe_yyjson_get_next(root) - root) : 1;
}

/* The resource as the operation leaves it becomes what the next one sees. */
static int turn(struct patcher *p)
{
    struct arena *spare = p->here;
    yyjson_alc alc = js_alc(p->next);
    yyjson_doc *doc = yyjson_mut_val_imut_copy(yyjson_mut_doc_get_root(p->doc), &alc);

    if (!doc)
        return err_no_memory(p->err);
    p->root = yyjson_doc_get_root(doc);
    p->here = p->next;
    p->next = spare;
    return 0;
}

static int one(struct patcher *p, yyjson_val *parameter)
{
    yyjson_alc alc = js_alc(p->next);
    yyjson_mut_val *copy;
    int r = read_operation(p, parameter);

    if (r < 0)
        return r;
    p->steps += count(p->root);
    if (p->steps > PATCH_STEPS_MAX)
        return refuse(p, ERR_COSTLY, "the patch looks at more than %d values", PATCH_STEPS_MAX);
    arena_reset(p->next);
    p->doc = yyjson_mut_doc_new(&alc);
    copy = p->doc ? yyjson_val_mut_copy(p->doc, p->root) : NULL;
    if (!copy)
        return err_no_memory(p->err);
    yyjson_mut_doc_set_root(p->doc, copy);
    r = apply(p);
    return r < 0 ? r : turn(p);
}

int patch_fhirpath(struct arena *a, yyjson_val *root, yyjson_val *parameters,
                   const struct world *world, struct sb *out, struct err *err)
{
    _cleanup_(arena_done) struct arena one_half, other_half;
    struct patcher p = {
        .a = a, .here = &one_half, .next = &other_half, .world = world, .root = root, .err = err};
    yyjson_val *list = js_get(parameters, "parameter"), *parameter;
    size_t i, max;

    arena_init(&one_half, COPY_MAX);
    arena_init(&other_half, COPY_MAX);
    if (!str_eq(js_get_str(parameters, "resourceType"), STR("Parameters")))
        return err_set(err, ERR_SYNTAX, "a FHIRPath patch is not a Parameters resource");
    if (list && !yyjson_is_arr(list))
        return err_set(err, ERR_SYNTAX, "\"parameter\" is not a list");
    if (yyjson_arr_size(list) > PATCH_OPERATIONS_MAX)
        return err_set(err, ERR_COSTLY, "a patch has more than %d operations",
                       PATCH_OPERATIONS_MAX);
    yyjson_arr_foreach(list, i, max, parameter) {
        int r;
        p.n = i;
        r = one(&p, parameter);
        if (r < 0)
            return r;
    }
    js_write(out, p.root);
    return sb_ok(out, err);
}
