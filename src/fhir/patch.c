#include "fhir/patch.h"

#include "fhir/patch_int.h"

#include "fhir/decimal.h"

#include <stdarg.h>
#include <stdio.h>

struct patcher {
    struct arena *a;
    yyjson_mut_doc *doc;
    size_t index;              /* of the operation, for messages */
    struct str op, path, from; /* of the operation; from.p == NULL: none */
    yyjson_val *value;         /* NULL: none */
    size_t steps;              /* values looked at by all operations so far */
    struct err *err;
};

static int refuse(struct patcher *p, int code, const char *fmt, ...) _printf_(3, 4);

static int refuse(struct patcher *p, int code, const char *fmt, ...)
{
    char why[ERR_TEXT_MAX];
    struct str path = p->path.p ? p->path : STR("");
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return err_set(p->err, code, "patch operation %zu (%.*s \"%.*s\"): %s", p->index,
                   (int)MIN(p->op.n, 10u), p->op.p, (int)MIN(path.n, (size_t)PATCH_PATH_SHOWN),
                   path.p, why);
}

static int spend(struct patcher *p, size_t n)
{
    p->steps += n;
    if (p->steps > PATCH_STEPS_MAX)
        return refuse(p, ERR_COSTLY, "the patch looks at more than %d values", PATCH_STEPS_MAX);
    return 0;
}

/* ---- JSON Pointer ---- */

/* The next token of a pointer (which starts with '/'), ~0 and ~1 undone. */
static int next_token(struct patcher *p, struct str *rest, struct str *ret)
{
    struct str part = str_from(*rest, 1);
    ptrdiff_t slash = str_find(part, '/');
    size_t n = 0;
    char *to;

    if (slash >= 0)
        part = str_head(part, (size_t)slash);
    *rest = str_from(*rest, part.n + 1);
    *ret = part;
    if (str_find(part, '~') < 0)
        return 0;
    to = arena_alloc(p->a, part.n);
    if (!to)
        return err_no_memory(p->err);
    for (size_t i = 0; i < part.n; i++, n++) {
        to[n] = part.p[i];
        if (part.p[i] != '~')
            continue;
        if (++i == part.n || (part.p[i] != '0' && part.p[i] != '1'))
            return refuse(p, ERR_SYNTAX, "a ~ in a JSON pointer is followed by neither 0 nor 1");
        to[n] = part.p[i] == '0' ? '~' : '/';
    }
    *ret = str_n(to, n);
    return 0;
}

/* An array index as a JSON pointer writes it: digits, no zero in front. */
static bool parse_index(struct str token, size_t limit, size_t *ret)
{
    uint64_t v;

    if ((token.n > 1 && token.p[0] == '0') || !str_to_u64(token, limit, &v))
        return false;
    *ret = (size_t)v;
    return true;
}

/* The member or item that `token` names, NULL if there is none. */
static yyjson_mut_val *child(yyjson_mut_val *v, struct str token)
{
    size_t i;

    if (yyjson_mut_is_obj(v))
        return yyjson_mut_obj_getn(v, token.p, token.n);
    if (yyjson_mut_is_arr(v) && parse_index(token, SIZE_MAX, &i))
        return yyjson_mut_arr_get(v, i);
    return NULL;
}

/* Where a pointer leads: a place in a container that exists. The root has no container. */
struct place {
    yyjson_mut_val *parent;
    struct str token;
    size_t depth; /* containers around the place */
};

static int locate(struct patcher *p, struct str pointer, struct place *ret)
{
    struct place at = {.token = STR("")};
    yyjson_mut_val *v = yyjson_mut_doc_get_root(p->doc);
    int r = 0;

    if (pointer.n && pointer.p[0] != '/')
        return refuse(p, ERR_SYNTAX, "a JSON pointer does not start with /");
    while (pointer.n && r >= 0) {
        if (!v || !yyjson_mut_is_ctn(v))
            return refuse(p, ERR_PROCESSING,
                          "the element that \"%.*s\" should be in does not exist",
                          (int)MIN(at.token.n, 64u), at.token.p);
        at.parent = v;
        at.depth++;
        r = next_token(p, &pointer, &at.token);
        if (r >= 0)
            r = spend(p, yyjson_mut_get_len(v) + 1);
        if (r >= 0)
            v = child(v, at.token);
    }
    if (r >= 0)
        *ret = at;
    return r;
}

static int get(struct patcher *p, const struct place *at, yyjson_mut_val **ret)
{
    yyjson_mut_val *v = at->parent ? child(at->parent, at->token) : yyjson_mut_doc_get_root(p->doc);

    if (!v)
        return refuse(p, ERR_PROCESSING, "the element does not exist");
    *ret = v;
    return 0;
}

/* ---- values ---- */

/* How deep a value is (a scalar 0, an empty array 1), and how many values it has. */
static size_t measure(yyjson_mut_val *v, size_t *count)
{
    size_t i, max, depth = 0;
    yyjson_mut_val *key, *val;

    ++*count;
    if (yyjson_mut_is_arr(v)) {
        yyjson_mut_arr_foreach(v, i, max, val)
        {
            size_t inner = measure(val, count);
            depth = MAX(depth, inner);
        }
        return depth + 1;
    }
    if (yyjson_mut_is_obj(v)) {
        yyjson_mut_obj_foreach(v, i, max, key, val)
        {
            size_t inner = measure(val, count);
            depth = MAX(depth, inner);
        }
        return depth + 1;
    }
    return 0;
}

static bool equal_scalars(yyjson_mut_val *a, yyjson_val *b)
{
    struct str x, y;
    struct decimal n, m;

    if (yyjson_mut_is_null(a))
        return true;
    if (yyjson_mut_is_bool(a))
        return yyjson_mut_get_bool(a) == yyjson_get_bool(b);
    x = str_n(a->uni.str, yyjson_mut_get_len(a));
    y = js_str(b);
    if (str_eq(x, y) || !yyjson_mut_is_raw(a))
        return str_eq(x, y);
    return decimal_parse(x, &n, NULL) == 0 && decimal_parse(y, &m, NULL) == 0 &&
           decimal_cmp(&n, &m) == 0;
}

/* 1 equal, 0 not, negative when it costs too much. Depth is bounded: both were parsed by us. */
static int equal(struct patcher *p, yyjson_mut_val *a, yyjson_val *b)
{
    size_t i, max, n = yyjson_mut_get_len(a);
    yyjson_val *key, *val;
    yyjson_mut_val *other;
    int r = spend(p, 1);

    if (r < 0 || yyjson_mut_get_type(a) != yyjson_get_type(b))
        return r;
    if (!yyjson_is_ctn(b))
        return equal_scalars(a, b);
    if (n != yyjson_get_len(b))
        return 0;
    if (yyjson_is_arr(b)) {
        other = yyjson_mut_arr_get_first(a);
        yyjson_arr_foreach(b, i, max, val) {
            r = equal(p, other, val);
            if (r <= 0)
                return r;
            other = other->next;
        }
        return 1;
    }
    yyjson_obj_foreach(b, i, max, key, val) {
        r = spend(p, n);
        other = r < 0 ? NULL : yyjson_mut_obj_getn(a, js_str(key).p, js_str(key).n);
        if (!other)
            return r < 0 ? r : 0;
        r = equal(p, other, val);
        if (r <= 0)
            return r;
    }
    return 1;
}

/* ---- changes ---- */

static int put_member(struct patcher *p, const struct place *at, yyjson_mut_val *val)
{
    yyjson_mut_val *key = yyjson_mut_strncpy(p->doc, at->token.p, at->token.n);
    bool ok;

    if (!key)
        return err_no_memory(p->err);
    if (child(at->parent, at->token))
        ok = yyjson_mut_obj_replace(at->parent, key, val);
    else
        ok = yyjson_mut_obj_add(at->parent, key, val);
    return ok ? 0 : err_no_memory(p->err);
}

static int add(struct patcher *p, const struct place *at, yyjson_mut_val *val)
{
    size_t count = 0, i, n;
    int r;

    if (at->depth + measure(val, &count) > JS_DEPTH_MAX)
        return refuse(p, ERR_PROCESSING, "the result is nested deeper than %d levels",
                      JS_DEPTH_MAX);
    r = spend(p, count);
    if (r < 0)
        return r;
    if (!at->parent) {
        yyjson_mut_doc_set_root(p->doc, val);
        return 0;
    }
    if (yyjson_mut_is_obj(at->parent))
        return put_member(p, at, val);
    n = yyjson_mut_arr_size(at->parent);
    i = n;
    if (!str_eq(at->token, STR("-")) && !parse_index(at->token, n, &i))
        return refuse(p, ERR_PROCESSING, "\"%.*s\" is not an index from 0 to %zu",
                      (int)MIN(at->token.n, 32u), at->token.p, n);
    return yyjson_mut_arr_insert(at->parent, val, i) ? 0 : err_no_memory(p->err);
}

static int take_out(struct patcher *p, const struct place *at, yyjson_mut_val **ret)
{
    size_t i = 0;
    int r = get(p, at, ret);

    if (r < 0)
        return r;
    if (!at->parent)
        return refuse(p, ERR_PROCESSING, "the whole resource cannot be removed");
    if (yyjson_mut_is_obj(at->parent)) {
        yyjson_mut_obj_remove_keyn(at->parent, at->token.p, at->token.n);
    } else {
        parse_index(at->token, SIZE_MAX, &i);
        yyjson_mut_arr_remove(at->parent, i);
    }
    return 0;
}

static int copy_value(struct patcher *p, yyjson_mut_val **ret)
{
    *ret = yyjson_val_mut_copy(p->doc, p->value);
    return *ret ? 0 : err_no_memory(p->err);
}

static int do_add(struct patcher *p)
{
    struct place at = {0};
    yyjson_mut_val *val = NULL;
    int r = locate(p, p->path, &at);

    if (r >= 0)
        r = copy_value(p, &val);
    return r < 0 ? r : add(p, &at, val);
}

static int do_remove(struct patcher *p)
{
    struct place at = {0};
    yyjson_mut_val *gone;
    int r = locate(p, p->path, &at);

    return r < 0 ? r : take_out(p, &at, &gone);
}

/* In place, so that a member keeps its position. */
static int do_replace(struct patcher *p)
{
    struct place at = {0};
    yyjson_mut_val *val = NULL;
    int r = locate(p, p->path, &at);

    if (r >= 0)
        r = get(p, &at, &val);
    if (r >= 0 && yyjson_mut_is_arr(at.parent))
        r = take_out(p, &at, &val);
    if (r >= 0)
        r = copy_value(p, &val);
    return r < 0 ? r : add(p, &at, val);
}

static int do_move(struct patcher *p)
{
    struct place from = {0}, to = {0};
    yyjson_mut_val *val = NULL;
    int r;

    if (str_starts(p->path, p->from) && p->path.n > p->from.n && p->path.p[p->from.n] == '/')
        return refuse(p, ERR_PROCESSING, "an element is moved into itself");
    r = locate(p, p->from, &from);
    if (r >= 0 && str_eq(p->path, p->from))
        return get(p, &from, &val);
    if (r >= 0)
        r = take_out(p, &from, &val);
    if (r >= 0)
        r = locate(p, p->path, &to);
    return r < 0 ? r : add(p, &to, val);
}

static int do_copy(struct patcher *p)
{
    struct place from = {0}, to = {0};
    yyjson_mut_val *val = NULL;
    size_t count = 0;
    int r = locate(p, p->from, &from);

    if (r >= 0)
        r = get(p, &from, &val);
    if (r >= 0)
        r = locate(p, p->path, &to);
    if (r >= 0) {
        measure(val, &count);
        r = spend(p, count);
    }
    if (r < 0)
        return r;
    val = yyjson_mut_val_mut_copy(p->doc, val);
    return val ? add(p, &to, val) : err_no_memory(p->err);
}

static int do_test(struct patcher *p)
{
    struct place at = {0};
    yyjson_mut_val *val = NULL;
    int r = locate(p, p->path, &at);

    if (r >= 0)
        r = get(p, &at, &val);
    if (r >= 0)
        r = equal(p, val, p->value);
    if (r == 0)
        return refuse(p, ERR_PROCESSING, "the element has another value");
    return MIN(r, 0);
}

/* ---- the patch ---- */

static const struct {
    struct str name;
    bool needs_value, needs_from;
    int (*run)(struct patcher *p);
} operations[] = {
    {{"add", 3}, true, false, do_add},         {{"remove", 6}, false, false, do_remove},
    {{"replace", 7}, true, false, do_replace}, {{"move", 4}, false, true, do_move},
    {{"copy", 4}, false, true, do_copy},       {{"test", 4}, true, false, do_test},
};

static int apply(struct patcher *p, yyjson_val *operation)
{
    p->op = js_get_str(operation, "op");
    p->path = js_get_str(operation, "path");
    p->from = js_get_str(operation, "from");
    p->value = js_get(operation, "value");
    if (!p->op.p)
        return err_set(p->err, ERR_SYNTAX, "patch operation %zu has no \"op\"", p->index);
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        if (!str_eq(operations[i].name, p->op))
            continue;
        if (!p->path.p)
            return refuse(p, ERR_SYNTAX, "it has no \"path\"");
        if (operations[i].needs_value && !p->value)
            return refuse(p, ERR_SYNTAX, "it has no \"value\"");
        if (operations[i].needs_from && !p->from.p)
            return refuse(p, ERR_SYNTAX, "it has no \"from\"");
        return operations[i].run(p);
    }
    return refuse(p, ERR_SYNTAX, "there is no such operation");
}

/* Depth is bounded by JS_DEPTH_MAX: add() sees to it. */
void patch_write(struct sb *out, yyjson_mut_val *v)
{
    size_t i, max;
    yyjson_mut_val *key, *val;

    if (yyjson_mut_is_str(v)) {
        sb_json(out, str_n(v->uni.str, yyjson_mut_get_len(v)));
    } else if (yyjson_mut_is_raw(v)) {
        sb_put(out, v->uni.str, yyjson_mut_get_len(v));
    } else if (yyjson_mut_is_bool(v)) {
        sb_str(out, yyjson_mut_is_true(v) ? STR("true") : STR("false"));
    } else if (yyjson_mut_is_arr(v)) {
        sb_char(out, '[');
        yyjson_mut_arr_foreach(v, i, max, val)
        {
            if (i)
                sb_char(out, ',');
            patch_write(out, val);
        }
        sb_char(out, ']');
    } else if (yyjson_mut_is_obj(v)) {
        sb_char(out, '{');
        yyjson_mut_obj_foreach(v, i, max, key, val)
        {
            if (i)
                sb_char(out, ',');
            sb_json(out, str_n(key->uni.str, yyjson_mut_get_len(key)));
            sb_char(out, ':');
            patch_write(out, val);
        }
        sb_char(out, '}');
    } else {
        sb_lit(out, "null");
    }
}

int patch_json(struct arena *a, yyjson_val *root, yyjson_val *patch, struct sb *out,
               struct err *err)
{
    yyjson_alc alc = js_alc(a);
    struct patcher p = {.a = a, .err = err};
    yyjson_mut_val *copy;
    yyjson_val *operation;
    size_t i, max;

    if (!yyjson_is_arr(patch))
        return err_set(err, ERR_SYNTAX, "a JSON patch is not an array of operations");
    if (yyjson_arr_size(patch) > PATCH_OPERATIONS_MAX)
        return err_set(err, ERR_COSTLY, "a patch has more than %d operations",
                       PATCH_OPERATIONS_MAX);
    p.doc = yyjson_mut_doc_new(&alc);
    copy = p.doc ? yyjson_val_mut_copy(p.doc, root) : NULL;
    if (!copy)
        return err_no_memory(err);
    yyjson_mut_doc_set_root(p.doc, copy);
    yyjson_arr_foreach(patch, i, max, operation) {
        int r;
        p.index = i;
        r = apply(&p, operation);
        if (r < 0)
            return r;
    }
    patch_write(out, yyjson_mut_doc_get_root(p.doc));
    return sb_ok(out, err);
}
