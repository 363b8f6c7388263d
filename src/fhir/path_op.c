#include "fhir/path_int.h"

#include "fhir/date.h"
#include "fhir/decimal.h"

enum path_kind path_item_kind(const struct path_item *item)
{
    static const struct {
        const char *type;
        enum path_kind kind;
    } kinds[] = {
        {"boolean", PATH_BOOLEAN},     {"integer", PATH_INTEGER},  {"positiveInt", PATH_INTEGER},
        {"unsignedInt", PATH_INTEGER}, {"decimal", PATH_DECIMAL},  {"date", PATH_DATE},
        {"dateTime", PATH_DATETIME},   {"instant", PATH_DATETIME}, {"time", PATH_TIME},
    };

    if (item->kind != PATH_ELEMENT)
        return item->kind;
    if (yyjson_is_bool(item->v))
        return PATH_BOOLEAN;
    if (js_is_number(item->v))
        return str_find(js_str(item->v), '.') < 0 ? PATH_INTEGER : PATH_DECIMAL;
    if (!yyjson_is_str(item->v))
        return PATH_ELEMENT;
    for (size_t i = 0; item->type && i < ARRAY_LEN(kinds); i++)
        if (str_eq(item->type->name, str_c(kinds[i].type)))
            return kinds[i].kind;
    return PATH_STRING;
}

struct str path_item_text(const struct path_item *item)
{
    return item->kind == PATH_ELEMENT ? js_primitive(item->v) : item->text;
}

int path_truth(const struct path_items *items, struct err *err)
{
    struct str text;

    if (!items->n)
        return -1;
    if (items->n > 1)
        return err_set(err, ERR_VALUE, "a condition of the FHIRPath expression has several items");
    if (path_item_kind(&items->p[0]) != PATH_BOOLEAN)
        return 1;
    text = path_item_text(&items->p[0]);
    return str_eq(text, STR("true"));
}

static bool is_number(enum path_kind k)
{
    return k == PATH_INTEGER || k == PATH_DECIMAL;
}

static bool is_date(enum path_kind k)
{
    return k == PATH_DATE || k == PATH_DATETIME;
}

#define NOT_COMPARABLE 2 /* of different kinds */
#define NOT_KNOWN 3      /* dates whose precisions leave it open */

static int compare_dates(struct str a, struct str b)
{
    struct date x, y;

    /* Without a zone both are taken as UTC; with one only on one side nothing is known. */
    if (date_parse(DATE_SEARCH, a, 0, &x, NULL) < 0 || date_parse(DATE_SEARCH, b, 0, &y, NULL) < 0)
        return NOT_COMPARABLE;
    if (x.precision > DATE_DAY && y.precision > DATE_DAY && x.has_zone != y.has_zone)
        return NOT_KNOWN;
    if (x.from_ms == y.from_ms && x.to_ms == y.to_ms)
        return 0;
    if (x.to_ms <= y.from_ms)
        return -1;
    if (y.to_ms <= x.from_ms)
        return 1;
    return NOT_KNOWN;
}

/* -1, 0, 1, NOT_COMPARABLE or NOT_KNOWN. */
static int compare(const struct path_item *a, const struct path_item *b)
{
    enum path_kind ka = path_item_kind(a), kb = path_item_kind(b);
    struct str x = path_item_text(a), y = path_item_text(b);
    struct decimal dx, dy;
    int c;

    if (!x.p || !y.p)
        return NOT_COMPARABLE;
    if (is_number(ka) && is_number(kb)) {
        if (decimal_parse(x, &dx, NULL) < 0 || decimal_parse(y, &dy, NULL) < 0)
            return NOT_COMPARABLE;
        c = decimal_cmp(&dx, &dy);
    } else if (is_date(ka) && is_date(kb)) {
        return compare_dates(x, y);
    } else if (ka == kb) {
        c = str_cmp(x, y);
    } else {
        return NOT_COMPARABLE;
    }
    return c < 0 ? -1 : c > 0;
}

/* 1, 0, or -1 where nothing is known. */
static int equal_items(const struct path_item *a, const struct path_item *b)
{
    int c;

    if (path_item_kind(a) == PATH_ELEMENT || path_item_kind(b) == PATH_ELEMENT)
        return a->v && b->v && yyjson_equals(a->v, b->v);
    c = compare(a, b);
    return c == NOT_KNOWN ? -1 : c == 0;
}

static int equal(struct path_env *env, enum path_op op, const struct path_items *left,
                 const struct path_items *right, struct path_items *out, struct err *err)
{
    int all = 1;

    if (!left->n || !right->n)
        return 0;
    if (left->n != right->n)
        return path_push_bool(env, out, op == OP_NOT_EQUAL, err);
    for (size_t i = 0; i < left->n && all; i++) {
        int one = equal_items(&left->p[i], &right->p[i]);
        all = one == 0 ? 0 : one < 0 ? -1 : all;
    }
    return all < 0 ? 0 : path_push_bool(env, out, (all != 0) == (op == OP_EQUAL), err);
}

static int order(struct path_env *env, enum path_op op, const struct path_items *left,
                 const struct path_items *right, struct path_items *out, struct err *err)
{
    int c;

    if (!left->n || !right->n)
        return 0;
    if (left->n > 1 || right->n > 1)
        return err_set(err, ERR_VALUE, "a comparison in the FHIRPath expression has several items");
    c = compare(&left->p[0], &right->p[0]);
    if (c == NOT_KNOWN)
        return 0;
    if (c == NOT_COMPARABLE)
        return err_set(err, ERR_VALUE,
                       "a comparison in the FHIRPath expression is between different types");
    return path_push_bool(env, out,
                          op == OP_LESS         ? c < 0
                          : op == OP_GREATER    ? c > 0
                          : op == OP_LESS_EQUAL ? c <= 0
                                                : c >= 0,
                          err);
}

/* Three-valued logic: 1, 0, -1 for empty. */
static int logic(enum path_op op, int a, int b)
{
    switch (op) {
    case OP_AND: return a == 0 || b == 0 ? 0 : a < 0 || b < 0 ? -1 : 1;
    case OP_OR: return a == 1 || b == 1 ? 1 : a < 0 || b < 0 ? -1 : 0;
    case OP_XOR: return a < 0 || b < 0 ? -1 : a != b;
    default: return a == 0 || b == 1 ? 1 : a < 0 || b < 0 ? -1 : 0;
    }
}

static bool has(const struct path_items *items, const struct path_item *item)
{
    for (size_t i = 0; i < items->n; i++)
        if ((items->p[i].v && items->p[i].v == item->v) || equal_items(&items->p[i], item) == 1)
            return true;
    return false;
}

static int unite(struct path_env *env, const struct path_items *left,
                 const struct path_items *right, struct path_items *out, struct err *err)
{
    const struct path_items *both[] = {left, right};

    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < both[s]->n; i++) {
            int r = 0;
            bool twice = false;
            if (!env->keep_repeats) {
                env->steps += (unsigned)out->n;
                if (env->steps > PATH_STEPS_MAX)
                    return err_set(err, ERR_COSTLY, "the FHIRPath expression takes too many steps");
                twice = has(out, &both[s]->p[i]);
            }
            if (!twice)
                r = path_push(env, out, &both[s]->p[i], err);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

int path_operator(struct path_env *env, enum path_op op, const struct path_items *left,
                  const struct path_items *right, struct path_items *out, struct err *err)
{
    int a, b;

    switch (op) {
    case OP_UNION: return unite(env, left, right, out, err);
    case OP_EQUAL:
    case OP_NOT_EQUAL: return equal(env, op, left, right, out, err);
    case OP_LESS:
    case OP_GREATER:
    case OP_LESS_EQUAL:
    case OP_GREATER_EQUAL: return order(env, op, left, right, out, err);
    default:
        a = path_truth(left, err);
        b = a < -1 ? a : path_truth(right, err);
        if (b < -1)
            return b;
        a = logic(op, a, b);
        return a < 0 ? 0 : path_push_bool(env, out, a, err);
    }
}
