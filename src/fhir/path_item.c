#include "fhir/path_int.h"

#include <stdlib.h>

static const struct str system_names[] = {
    [PATH_ELEMENT] = {NULL, 0},        [PATH_BOOLEAN] = {"Boolean", 7},
    [PATH_STRING] = {"String", 6},     [PATH_INTEGER] = {"Integer", 7},
    [PATH_DECIMAL] = {"Decimal", 7},   [PATH_DATE] = {"Date", 4},
    [PATH_DATETIME] = {"DateTime", 8}, [PATH_TIME] = {"Time", 4},
    [PATH_QUANTITY] = {"Quantity", 8}, [PATH_TYPE] = {"TypeInfo", 8},
};

bool path_is_system_type(struct str name)
{
    if (str_starts(name, STR("System.")))
        name = str_from(name, 7);
    if (str_eq(name, STR("Any")))
        return true;
    for (size_t i = PATH_BOOLEAN; i < PATH_TYPE; i++)
        if (str_eq(name, system_names[i]))
            return true;
    return false;
}

int path_truth(const struct path_items *items, struct err *err)
{
    const struct path_item *item = items->p;

    if (!items->n)
        return -1;
    if (items->n > 1)
        return err_set(err, ERR_VALUE, "a condition of the FHIRPath expression has several items");
    if (path_item_kind(item) == PATH_BOOLEAN)
        return path_item_text(item).n == 4; /* "true" */
    /* A boolean without a value says nothing. */
    return item->kind == PATH_ELEMENT && !item->v && item->type && item->type->which == TYPE_BOOLEAN
               ? -1
               : 1;
}

static bool derives(const struct def_type *t, const struct def_type *wanted)
{
    while (t && t != wanted)
        t = t->base;
    return t;
}

bool path_item_is(const struct path_item *item, const struct path_node *n, bool exact)
{
    enum path_kind kind = item->kind;
    struct str name = n->text;

    /* JSON that no definition knows has FHIRPath's own types. */
    if (kind == PATH_ELEMENT && !item->type)
        kind = path_item_kind(item);
    if (kind == PATH_ELEMENT) {
        if (exact && n->type && n->type->kind == DEF_PRIMITIVE)
            return item->type == n->type;
        return n->type && derives(item->type, n->type);
    }
    if (str_starts(name, STR("System.")))
        name = str_from(name, 7);
    if (str_eq(name, STR("Any")))
        return true;
    return n->strict ? str_eq(name, system_names[kind]) : str_eq_nocase(name, system_names[kind]);
}

struct str path_item_type(struct arena *a, const struct path_item *item)
{
    if (item->kind != PATH_ELEMENT)
        return arena_fmt(a, "System.%.*s", STR_ARG(system_names[item->kind]));
    if (item->type)
        return arena_fmt(a, "FHIR.%.*s", STR_ARG(item->type->name));
    if (path_item_kind(item) != PATH_ELEMENT)
        return arena_fmt(a, "System.%.*s", STR_ARG(system_names[path_item_kind(item)]));
    return arena_dup(a, STR("System.Any"));
}

/* ---- pushing computed values ---- */

/* Where it will lie: a copy of what was just written would have to wait for it. */
static inline int push(struct path_env *env, struct path_items *out, enum path_kind kind,
                       struct str text, struct err *err)
{
    struct path_item *item;
    int r = path_room(env, out, err);

    if (r < 0)
        return r;
    item = &out->p[out->n++];
    item->kind = kind;
    item->has_owner = false;
    item->v = NULL;
    item->type = NULL;
    item->text = text;
    item->unit = NULL;
    return 0;
}

int path_push_bool(struct path_env *env, struct path_items *out, bool v, struct err *err)
{
    return push(env, out, PATH_BOOLEAN, v ? STR("true") : STR("false"), err);
}

int path_too_long(struct err *err)
{
    return err_set(err, ERR_COSTLY,
                   "a text that a FHIRPath expression makes is longer than %zu bytes",
                   (size_t)PATH_STRING_MAX);
}

int path_push_text(struct path_env *env, struct path_items *out, enum path_kind kind,
                   struct str text, struct err *err)
{
    if (!text.p)
        return err_no_memory(err);
    if (text.n > PATH_STRING_MAX)
        return path_too_long(err);
    return push(env, out, kind, text, err);
}

int path_push_integer(struct path_env *env, struct path_items *out, int64_t v, struct err *err)
{
    static const char small[] = "0123456789";
    char text[12], *from = text + sizeof text;

    if (v < INT32_MIN || v > INT32_MAX)
        return 0; /* overflow is empty */
    if (v >= 0 && v <= 9)
        return push(env, out, PATH_INTEGER, str_n(small + v, 1), err);
    for (int64_t rest = v < 0 ? -v : v; rest; rest /= 10)
        *--from = (char)('0' + rest % 10);
    if (v < 0)
        *--from = '-';
    return path_push_text(env, out, PATH_INTEGER,
                          arena_dup(env->a, str_n(from, (size_t)(text + sizeof text - from))), err);
}

/* A number as FHIRPath and JSON write it: without an exponent where it is of a sane size. */
static struct str decimal_text(struct arena *a, const struct decimal *v)
{
    char text[DECIMAL_TEXT_MAX];
    size_t n = decimal_format(v, text);

    return arena_dup(a, str_n(text, n));
}

int path_push_decimal(struct path_env *env, struct path_items *out, const struct decimal *v,
                      struct err *err)
{
    /* Overflow is empty: beyond this a literal could not be read again. */
    if (v->n && abs(v->exponent + v->n - 1) > DECIMAL_EXPONENT_MAX)
        return 0;
    return path_push_text(env, out, PATH_DECIMAL, decimal_text(env->a, v), err);
}

int path_push_quantity(struct path_env *env, struct path_items *out, const struct path_quantity *q,
                       struct err *err)
{
    struct str *unit = ARENA_NEW(env->a, struct str);
    struct path_item item = {.kind = PATH_QUANTITY, .text = decimal_text(env->a, &q->value)};

    if (!unit || !item.text.p)
        return err_no_memory(err);
    *unit = q->is_calendar ? (q->word.p ? q->word : q->unit)
                           : arena_fmt(env->a, "'%.*s'", STR_ARG(q->unit));
    if (!unit->p)
        return err_no_memory(err);
    item.unit = unit;
    return path_push(env, out, &item, err);
}

/* ---- single values ---- */

static struct str name_of(const struct path_call *c)
{
    return c->node->text;
}

int path_one(const struct path_call *c, const struct path_items *items, struct path_item *ret)
{
    if (items->n > 1)
        return path_wrong(c->node, c->err, "%.*s() does not take several items",
                          STR_ARG(name_of(c)));
    if (!items->n || (items->p[0].kind == PATH_ELEMENT && !items->p[0].v &&
                      (!items->p[0].type || items->p[0].type->kind == DEF_PRIMITIVE)))
        return 0;
    *ret = items->p[0];
    return 1;
}

static int not_a(const struct path_call *c, const char *what)
{
    return path_wrong(c->node, c->err, "%.*s() met what is not %s", STR_ARG(name_of(c)), what);
}

int path_one_string(const struct path_call *c, const struct path_items *items, struct str *ret)
{
    struct path_item item = {.kind = PATH_ELEMENT};
    int r = path_one(c, items, &item);

    if (r <= 0)
        return r;
    if (path_item_kind(&item) != PATH_STRING)
        return not_a(c, "a string");
    *ret = path_item_text(&item);
    r = path_spend(c->env, ret->n / 64, c->err);
    return r < 0 ? r : 1;
}

int path_one_decimal(const struct path_call *c, const struct path_items *items, struct decimal *ret)
{
    struct path_item item = {.kind = PATH_ELEMENT};
    int r = path_one(c, items, &item);

    if (r <= 0)
        return r;
    if (!path_is_number(path_item_kind(&item)))
        return not_a(c, "a number");
    r = decimal_parse(path_item_text(&item), ret, c->err);
    return r < 0 ? r : 1;
}

static bool to_i64(struct str s, int64_t *ret)
{
    bool negative = s.n && s.p[0] == '-';
    uint64_t v;

    if (!str_to_u64(str_from(s, negative), (uint64_t)INT32_MAX + 1, &v))
        return false;
    *ret = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

int path_one_integer(const struct path_call *c, const struct path_items *items, int64_t *ret)
{
    struct path_item item = {.kind = PATH_ELEMENT};
    int r = path_one(c, items, &item);

    if (r <= 0)
        return r;
    if (path_item_kind(&item) != PATH_INTEGER || !to_i64(path_item_text(&item), ret))
        return not_a(c, "an integer");
    return 1;
}

int path_arg(const struct path_call *c, unsigned k, struct path_items *ret)
{
    uint16_t i = path_arg_node(c, k);

    return i == NO_NODE ? 0 : path_eval_node(c->path, c->env, i, c->focus, ret, c->err);
}

int path_arg_string(const struct path_call *c, unsigned k, struct str *ret)
{
    struct path_item room[2];
    struct path_items got = {room, 0, ARRAY_LEN(room)};
    int r = path_arg(c, k, &got);

    return r < 0 ? r : path_one_string(c, &got, ret);
}

int path_arg_integer(const struct path_call *c, unsigned k, int64_t *ret)
{
    struct path_item room[2];
    struct path_items got = {room, 0, ARRAY_LEN(room)};
    int r = path_arg(c, k, &got);

    return r < 0 ? r : path_one_integer(c, &got, ret);
}

int path_test_each(const struct path_call *c, uint16_t arg, const struct path_items *in, size_t i)
{
    size_t outer = c->env->index;
    int r;

    c->env->index = i;
    r = path_test_node(c->path, c->env, arg, &in->p[i], c->err);
    c->env->index = outer;
    return r;
}

int path_each(const struct path_call *c, uint16_t arg, const struct path_items *in, size_t i,
              struct path_items *out)
{
    size_t outer = c->env->index;
    int r;

    c->env->index = i;
    r = path_eval_node(c->path, c->env, arg, &in->p[i], out, c->err);
    c->env->index = outer;
    return r;
}

/* ---- writing ---- */

static void write_item(struct sb *out, const struct path_item *item)
{
    size_t dot;

    switch (item->kind) {
    case PATH_ELEMENT:
        if (item->v || item->more)
            js_write(out, item->v ? item->v : item->more);
        else
            sb_lit(out, "null");
        break;
    case PATH_BOOLEAN:
    case PATH_INTEGER:
    case PATH_DECIMAL: sb_str(out, item->text); break;
    case PATH_STRING:
    case PATH_DATE:
    case PATH_DATETIME:
    case PATH_TIME: sb_json(out, item->text); break;
    case PATH_QUANTITY:
        sb_char(out, '"');
        sb_str(out, item->text);
        sb_char(out, ' ');
        for (size_t i = 0; i < item->unit->n; i++) {
            if (strchr("\"\\", item->unit->p[i]))
                sb_char(out, '\\');
            sb_char(out, item->unit->p[i]);
        }
        sb_char(out, '"');
        break;
    case PATH_TYPE:
        dot = (size_t)MAX(str_find(item->text, '.'), 0);
        sb_lit(out, "{\"namespace\":");
        sb_json(out, str_head(item->text, dot));
        sb_lit(out, ",\"name\":");
        sb_json(out, str_from(item->text, dot + 1));
        sb_char(out, '}');
        break;
    }
}

void path_write(struct sb *out, const struct path_items *items)
{
    sb_char(out, '[');
    for (size_t i = 0; i < items->n; i++) {
        if (i)
            sb_char(out, ',');
        write_item(out, &items->p[i]);
    }
    sb_char(out, ']');
}
