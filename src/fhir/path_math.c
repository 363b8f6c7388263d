/* Arithmetic. Decimals are exact up to DECIMAL_ROUND_DIGITS digits; what has no exact result
 * (logarithms, roots, broken powers) goes through a double. A result that cannot be represented is
 * empty, as N1 says. */
#include "fhir/path_int.h"

#include "fhir/ucum.h"

#include <math.h>

#define DOUBLE_DIGITS 16

static int wrong_types(const struct path_node *node, struct err *err)
{
    return path_wrong(node, err, "\"%.*s\" is between types that it does not take",
                      STR_ARG(path_op_text(node->op)));
}

/* ---- numbers ---- */

/* A whole number; empty where it is no 32-bit integer. */
static int push_whole(struct path_env *env, struct path_items *out, const struct decimal *v,
                      struct err *err)
{
    int64_t n;

    return decimal_to_i64(v, &n) ? path_push_integer(env, out, n, err) : 0;
}

static int whole_quotient(const struct decimal *a, const struct decimal *b, struct decimal *ret)
{
    int r = decimal_div(a, b, ret, NULL);

    return r < 0 ? r : decimal_places(ret, 0, DECIMAL_DOWN, ret, NULL);
}

/* a - b × (a div b) */
static int remainder_of(const struct decimal *a, const struct decimal *b, struct decimal *ret)
{
    struct decimal q;
    int r = whole_quotient(a, b, &q);

    if (r >= 0)
        r = decimal_mul(&q, b, &q, NULL);
    return r < 0 ? r : decimal_sub(a, &q, ret, NULL);
}

static int calculate(enum path_op op, const struct decimal *a, const struct decimal *b,
                     struct decimal *ret)
{
    switch (op) {
    case OP_PLUS: return decimal_add(a, b, ret, NULL);
    case OP_MINUS: return decimal_sub(a, b, ret, NULL);
    case OP_TIMES: return decimal_mul(a, b, ret, NULL);
    case OP_DIVIDE: return decimal_div(a, b, ret, NULL);
    case OP_DIV: return whole_quotient(a, b, ret);
    default: return remainder_of(a, b, ret);
    }
}

static int numbers(struct path_env *env, const struct path_node *node, const struct path_item *a,
                   const struct path_item *b, struct path_items *out, struct err *err)
{
    bool whole = path_item_kind(a) == PATH_INTEGER && path_item_kind(b) == PATH_INTEGER;
    struct decimal x, y;
    int r = decimal_parse(path_item_text(a), &x, err);

    if (r >= 0)
        r = decimal_parse(path_item_text(b), &y, err);
    if (r < 0)
        return r;
    if (calculate(node->op, &x, &y, &x) < 0)
        return 0;
    if (node->op == OP_DIV || (whole && node->op != OP_DIVIDE))
        return push_whole(env, out, &x, err);
    return path_push_decimal(env, out, &x, err);
}

/* ---- quantities ---- */

static bool to_quantity(const struct path_item *item, struct path_quantity *ret)
{
    if (path_to_quantity(item, ret))
        return true;
    *ret = (struct path_quantity){.unit = STR("1")};
    return path_is_number(path_item_kind(item)) &&
           decimal_parse(path_item_text(item), &ret->value, NULL) == 0;
}

/* In the finer of both units. */
static int add_up(const struct path_quantity *a, const struct path_quantity *b, enum path_op op,
                  struct path_quantity *ret)
{
    struct path_quantity x = *a, y = *b,
                         one = {.value = decimal_i64(1),
                                .unit = b->unit,
                                .is_calendar = b->is_calendar};
    struct decimal unit, minimum = decimal_i64(1);
    int r = path_quantity_convert(&one, a, false, &unit);

    if (r < 0)
        return r;
    if (decimal_cmp(&unit, &minimum) < 0) {
        x.unit = b->unit;
        x.word = b->word;
        x.is_calendar = b->is_calendar;
        r = path_quantity_convert(a, b, false, &x.value);
    } else {
        r = path_quantity_convert(b, a, false, &y.value);
    }
    if (r >= 0)
        r = calculate(op, &x.value, &y.value, &x.value);
    *ret = x;
    return r;
}

static struct str ucum_code(const struct path_quantity *q)
{
    static const char *const words[][2] = {
        {"second", "s"}, {"minute", "min"}, {"hour", "h"},         {"day", "d"},
        {"week", "wk"},  {"month", "mo"},   {"millisecond", "ms"}, {"year", "a"},
    };

    for (size_t i = 0; q->is_calendar && i < ARRAY_LEN(words); i++)
        if (str_eq(q->unit, str_c(words[i][0])))
            return str_c(words[i][1]);
    return q->unit;
}

/* 12 'cm' * 3 'cm' is 36 'cm2': where one side has no unit the other's stays, otherwise the result
 * is in the first one's terms where UCUM can say so, and in base units where not. */
static int product(struct path_env *env, const struct path_quantity *a,
                   const struct path_quantity *b, bool divide, struct path_quantity *ret)
{
    struct str x = ucum_code(a), y = ucum_code(b);
    char unit[UCUM_UNIT_MAX];
    int r;

    *ret = *a;
    if (str_eq(y, STR("1")))
        return calculate(divide ? OP_DIVIDE : OP_TIMES, &a->value, &b->value, &ret->value);
    if (str_eq(x, STR("1")) && !divide) {
        *ret = *b;
        return calculate(OP_TIMES, &a->value, &b->value, &ret->value);
    }
    r = ucum_mul(&a->value, x, &b->value, y, divide, unit, &ret->value, NULL);
    if (r < 0)
        return r;
    ret->is_calendar = false;
    ret->unit = arena_dup(env->a, str_c(unit));
    return ret->unit.p ? 0 : ERR_NO_MEMORY;
}

static int quantities(struct path_env *env, const struct path_node *node, const struct path_item *a,
                      const struct path_item *b, struct path_items *out, struct err *err)
{
    struct path_quantity x, y, to;
    int r;

    if (!to_quantity(a, &x) || !to_quantity(b, &y) || node->op == OP_DIV || node->op == OP_MOD)
        return wrong_types(node, err);
    r = node->op == OP_PLUS || node->op == OP_MINUS
            ? add_up(&x, &y, node->op, &to)
            : product(env, &x, &y, node->op == OP_DIVIDE, &to);
    if (r == ERR_NO_MEMORY)
        return err_no_memory(err);
    return r < 0 ? 0 : path_push_quantity(env, out, &to, err);
}

/* ---- dates ---- */

static int moments(struct path_env *env, const struct path_node *node, const struct path_item *a,
                   const struct path_item *b, struct path_items *out, struct err *err)
{
    enum path_kind kind = path_item_kind(a);
    struct path_quantity q;
    struct path_moment m;
    struct err why = {0};
    int r;

    if ((node->op != OP_PLUS && node->op != OP_MINUS) || !path_to_quantity(b, &q) ||
        !path_moment_parse(kind, path_item_text(a), &m))
        return wrong_types(node, err);
    r = path_moment_add(&m, &q, node->op == OP_PLUS ? 1 : -1, &why);
    if (r < 0)
        return path_wrong(node, err, "%s", why.text);
    return r > 0 ? 0 : path_push_text(env, out, kind, path_moment_text(env->a, &m), err);
}

static int add_texts(struct path_env *env, struct str a, struct str b, struct path_items *out,
                     struct err *err)
{
    const struct str parts[] = {a, b};
    int r = path_spend(env, (a.n + b.n) / 64, err);

    return r < 0 ? r : path_push_text(env, out, PATH_STRING, arena_join(env->a, parts, 2), err);
}

int path_arithmetic(struct path_env *env, const struct path_node *node, const struct path_item *a,
                    const struct path_item *b, struct path_items *out, struct err *err)
{
    enum path_kind ka = path_item_kind(a), kb = path_item_kind(b);
    struct path_quantity q;

    if (node->op == OP_PLUS && ka == PATH_STRING && kb == PATH_STRING)
        return add_texts(env, path_item_text(a), path_item_text(b), out, err);
    if (path_is_number(ka) && path_is_number(kb))
        return numbers(env, node, a, b, out, err);
    if (path_is_date(ka) || ka == PATH_TIME)
        return moments(env, node, a, b, out, err);
    if (path_to_quantity(a, &q) || path_to_quantity(b, &q))
        return quantities(env, node, a, b, out, err);
    return wrong_types(node, err);
}

int path_negate(struct path_env *env, const struct path_node *node, const struct path_items *in,
                struct path_items *out, struct err *err)
{
    struct path_item item;
    enum path_kind kind;

    if (!in->n)
        return 0;
    item = in->p[0];
    kind = path_item_kind(&item);
    if (in->n > 1 || (!path_is_number(kind) && kind != PATH_QUANTITY))
        return path_wrong(node, err, "\"-\" is in front of what is not one number");
    item = (struct path_item){.kind = kind, .text = path_item_text(&item), .unit = item.unit};
    if (item.text.p[0] == '-')
        item.text = str_from(item.text, 1);
    else
        item.text = arena_fmt(env->a, "-%.*s", STR_ARG(item.text));
    return item.text.p ? path_push(env, out, &item, err) : err_no_memory(err);
}

/* ---- functions ---- */

/* 1 with the number (of a quantity: its value), 0 where there is none. */
static int number_of(const struct path_call *c, struct path_item *item, struct path_quantity *q)
{
    int r = path_one(c, c->in, item);

    if (r <= 0)
        return r;
    if (path_is_number(path_item_kind(item))) {
        r = decimal_parse(path_item_text(item), &q->value, c->err);
        return r < 0 ? r : 1;
    }
    if (path_to_quantity(item, q))
        return 1;
    return path_wrong(c->node, c->err, "%.*s() met what is not a number", STR_ARG(c->node->text));
}

static bool is_quantity(const struct path_item *item)
{
    return !path_is_number(path_item_kind(item));
}

int path_fn_abs(const struct path_call *c, struct path_items *out)
{
    struct path_item item;
    struct path_quantity q;
    int r = number_of(c, &item, &q);

    if (r <= 0)
        return r;
    if (is_quantity(&item)) {
        q.value.negative = false;
        return path_push_quantity(c->env, out, &q, c->err);
    }
    item = (struct path_item){.kind = path_item_kind(&item), .text = path_item_text(&item)};
    if (item.text.p[0] == '-')
        item.text = str_from(item.text, 1);
    return path_push(c->env, out, &item, c->err);
}

static int to_whole(const struct path_call *c, enum decimal_rounding how, struct path_items *out)
{
    struct path_item item;
    struct path_quantity q;
    int r = number_of(c, &item, &q);

    if (r <= 0)
        return r;
    if (decimal_places(&q.value, 0, how, &q.value, NULL) < 0)
        return 0;
    return is_quantity(&item) ? path_push_quantity(c->env, out, &q, c->err)
                              : push_whole(c->env, out, &q.value, c->err);
}

int path_fn_ceiling(const struct path_call *c, struct path_items *out)
{
    return to_whole(c, DECIMAL_CEILING, out);
}

int path_fn_floor(const struct path_call *c, struct path_items *out)
{
    return to_whole(c, DECIMAL_FLOOR, out);
}

int path_fn_truncate(const struct path_call *c, struct path_items *out)
{
    return to_whole(c, DECIMAL_DOWN, out);
}

int path_fn_round(const struct path_call *c, struct path_items *out)
{
    struct path_item item;
    struct path_quantity q;
    int64_t places = 0;
    int r = number_of(c, &item, &q);

    if (r <= 0)
        return r;
    r = path_arg_integer(c, 0, &places);
    if (r < 0)
        return r;
    if (places < 0)
        return path_wrong(c->node, c->err, "round() does not take a negative precision");
    if (places < -q.value.exponent &&
        decimal_places(&q.value, (int)places, DECIMAL_HALF_UP, &q.value, NULL) < 0)
        return 0;
    if (is_quantity(&item))
        return path_push_quantity(c->env, out, &q, c->err);
    return path_push_decimal(c->env, out, &q.value, c->err);
}

/* A double's value in its shortest sensible form: 9.0, not 9.000000000000001. */
static int push_double(const struct path_call *c, double v, struct path_items *out)
{
    struct decimal d;

    if (!isfinite(v) || decimal_from_double(v, DOUBLE_DIGITS, &d, NULL) < 0)
        return 0;
    decimal_trim(&d);
    return path_push_decimal(c->env, out, &d, c->err);
}

static int one_double(const struct path_call *c, double *ret)
{
    struct decimal d;
    int r = path_one_decimal(c, c->in, &d);

    if (r > 0)
        *ret = decimal_double(&d);
    return r;
}

int path_fn_exp(const struct path_call *c, struct path_items *out)
{
    double v;
    int r = one_double(c, &v);

    return r <= 0 ? r : push_double(c, exp(v), out);
}

int path_fn_ln(const struct path_call *c, struct path_items *out)
{
    double v;
    int r = one_double(c, &v);

    return r <= 0 ? r : push_double(c, log(v), out);
}

static int second_number(const struct path_call *c, struct decimal *ret, bool *ret_whole)
{
    struct path_item room[2];
    struct path_items got = {room, 0, ARRAY_LEN(room)};
    int r = path_arg(c, 0, &got);

    if (r >= 0)
        r = path_one_decimal(c, &got, ret);
    if (r > 0)
        *ret_whole = path_item_kind(&got.p[0]) == PATH_INTEGER;
    return r;
}

int path_fn_log(const struct path_call *c, struct path_items *out)
{
    struct decimal base;
    bool whole;
    double v, b;
    int r = one_double(c, &v);

    if (r > 0)
        r = second_number(c, &base, &whole);
    if (r <= 0)
        return r;
    b = decimal_double(&base);
    return push_double(c, b == 2 ? log2(v) : b == 10 ? log10(v) : log(v) / log(b), out);
}

int path_fn_sqrt(const struct path_call *c, struct path_items *out)
{
    double v;
    int r = one_double(c, &v);

    return r <= 0 ? r : push_double(c, sqrt(v), out);
}

#define EXACT_POWER_MAX 1000

/* Whole powers are exact, as far as the digits reach. */
static int whole_power(const struct decimal *v, int64_t n, struct decimal *ret)
{
    struct decimal p = decimal_i64(1), square = *v;
    bool inverse = n < 0;
    int r = 0;

    for (n = inverse ? -n : n; n && r >= 0; n >>= 1) {
        if (n & 1)
            r = decimal_mul(&p, &square, &p, NULL);
        if (r >= 0 && n > 1)
            r = decimal_mul(&square, &square, &square, NULL);
    }
    if (r >= 0 && inverse) {
        square = decimal_i64(1);
        r = decimal_div(&square, &p, &p, NULL);
    }
    *ret = p;
    return r;
}

int path_fn_power(const struct path_call *c, struct path_items *out)
{
    struct path_item item;
    struct path_quantity q;
    struct decimal exponent;
    bool whole;
    int64_t n;
    int r = number_of(c, &item, &q);

    if (r > 0)
        r = second_number(c, &exponent, &whole);
    if (r <= 0)
        return r;
    if (is_quantity(&item))
        return path_wrong(c->node, c->err, "power() met what is not a number");
    if (!decimal_to_i64(&exponent, &n) || n > EXACT_POWER_MAX || n < -EXACT_POWER_MAX)
        return push_double(c, pow(decimal_double(&q.value), decimal_double(&exponent)), out);
    if (whole_power(&q.value, n, &q.value) < 0)
        return 0;
    return whole && path_item_kind(&item) == PATH_INTEGER && n >= 0
               ? push_whole(c->env, out, &q.value, c->err)
               : path_push_decimal(c->env, out, &q.value, c->err);
}

/* ---- sums ---- */

/* Folds the items with an operator, from the first on. */
static int fold(const struct path_call *c, enum path_op op, struct path_items *ret)
{
    struct path_node node = *c->node;
    int r = c->in->n ? path_push(c->env, ret, &c->in->p[0], c->err) : 0;

    node.op = (uint8_t)op;
    for (size_t i = 1; i < c->in->n && r >= 0 && ret->n; i++) {
        struct path_item so_far = ret->p[0];
        ret->n = 0;
        r = path_arithmetic(c->env, &node, &so_far, &c->in->p[i], ret, c->err);
    }
    return r;
}

int path_fn_sum(const struct path_call *c, struct path_items *out)
{
    struct path_items got = {0};
    int r = fold(c, OP_PLUS, &got);

    return r < 0 || !got.n ? r : path_push(c->env, out, &got.p[0], c->err);
}

int path_fn_avg(const struct path_call *c, struct path_items *out)
{
    struct path_item n = {.kind = PATH_DECIMAL};
    struct path_items got = {0};
    struct path_node node = *c->node;
    int r = fold(c, OP_PLUS, &got);

    if (r < 0 || !got.n)
        return r;
    n.text = arena_fmt(c->env->a, "%zu", c->in->n);
    if (!n.text.p)
        return err_no_memory(c->err);
    node.op = OP_DIVIDE;
    return path_arithmetic(c->env, &node, &got.p[0], &n, out, c->err);
}

static int extreme(const struct path_call *c, int sign, struct path_items *out)
{
    size_t best = 0;

    for (size_t i = 1; i < c->in->n; i++) {
        int order = path_compare(&c->in->p[i], &c->in->p[best]);
        if (order == PATH_NOT_COMPARABLE)
            return path_wrong(c->node, c->err, "%.*s() met types that have no order",
                              STR_ARG(c->node->text));
        if (order == PATH_NOT_KNOWN)
            return 0;
        if (order == sign)
            best = i;
    }
    return c->in->n ? path_push(c->env, out, &c->in->p[best], c->err) : 0;
}

int path_fn_min(const struct path_call *c, struct path_items *out)
{
    return extreme(c, -1, out);
}

int path_fn_max(const struct path_call *c, struct path_items *out)
{
    return extreme(c, 1, out);
}
