#include "fhir/ucum_int.h"

#define NOTHING STR("")

struct parser {
    struct str s;
    size_t at;
    int depth;
    struct err *err;
};

static int refuse(struct parser *p, const char *why, struct str what)
{
    return err_set(p->err, ERR_VALUE, "\"%.*s\" is not a UCUM unit: %s%s%.*s%s", STR_ARG(p->s), why,
                   what.n ? " \"" : "", STR_ARG(what), what.n ? "\"" : "");
}

static bool at_end(const struct parser *p)
{
    return p->at == p->s.n;
}

static char peek(const struct parser *p)
{
    return at_end(p) ? '\0' : p->s.p[p->at];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void unit_one(struct ucum_unit *u)
{
    *u = (struct ucum_unit){.n_dims = 0};
    u->factor = u->divisor = decimal_i64(1);
}

/* ---- products ---- */

static int add_dim(struct parser *p, struct ucum_unit *u, int base, int exponent)
{
    size_t i = 0;

    while (i < u->n_dims && u->dims[i].base < base)
        i++;
    if (i == u->n_dims || u->dims[i].base != base) {
        if (u->n_dims == UCUM_BASES_MAX)
            return refuse(p, "it has too many base units", NOTHING);
        memmove(u->dims + i + 1, u->dims + i, (u->n_dims - i) * sizeof *u->dims);
        u->dims[i] = (struct ucum_dim){.base = (int16_t)base};
        u->n_dims++;
    }
    exponent += u->dims[i].exponent;
    if (exponent > UCUM_EXPONENT_MAX || exponent < -UCUM_EXPONENT_MAX)
        return refuse(p, "an exponent is too large", NOTHING);
    u->dims[i].exponent = (int16_t)exponent;
    if (exponent == 0) {
        memmove(u->dims + i, u->dims + i + 1, (u->n_dims - i - 1) * sizeof *u->dims);
        u->n_dims--;
    }
    return 0;
}

/* A special unit stands for a point on a scale: it may be multiplied with a number, no more. */
static int times_special(struct parser *p, struct ucum_unit *u, const struct ucum_unit *c,
                         bool divide)
{
    const struct ucum_unit *special = c->special ? c : u, *other = c->special ? u : c;

    if (other->special || other->n_dims || (divide && c->special))
        return refuse(
            p, "a unit with a scale of its own stands in a product:", special->special->code);
    memmove(u->dims, special->dims, sizeof u->dims);
    u->n_dims = special->n_dims;
    u->special = special->special;
    return 0;
}

static int times(struct parser *p, struct ucum_unit *u, const struct ucum_unit *c, bool divide)
{
    int r = decimal_mul(&u->factor, divide ? &c->divisor : &c->factor, &u->factor, p->err);

    if (r >= 0)
        r = decimal_mul(&u->divisor, divide ? &c->factor : &c->divisor, &u->divisor, p->err);
    if (r < 0)
        return r;
    if (u->special || c->special)
        return times_special(p, u, c, divide);
    for (size_t i = 0; i < c->n_dims && r >= 0; i++)
        r = add_dim(p, u, c->dims[i].base, divide ? -c->dims[i].exponent : c->dims[i].exponent);
    return r;
}

static int decimal_power(struct decimal *d, int exponent, struct err *err)
{
    struct decimal result = decimal_i64(1), square = *d;
    int r = 0;

    for (; exponent && r >= 0; exponent >>= 1) {
        if (exponent & 1)
            r = decimal_mul(&result, &square, &result, err);
        if (r >= 0 && exponent > 1)
            r = decimal_mul(&square, &square, &square, err);
    }
    if (r >= 0)
        *d = result;
    return r;
}

static int power(struct parser *p, struct ucum_unit *u, int exponent)
{
    struct ucum_dim dims[UCUM_BASES_MAX];
    size_t n = u->n_dims;
    int r;

    if (u->special)
        return exponent == 1 ? 0 : refuse(p, "an exponent stands behind", u->special->code);
    memcpy(dims, u->dims, sizeof dims);
    r = decimal_power(&u->factor, exponent < 0 ? -exponent : exponent, p->err);
    if (r >= 0)
        r = decimal_power(&u->divisor, exponent < 0 ? -exponent : exponent, p->err);
    if (r < 0)
        return r;
    if (exponent < 0) {
        struct decimal factor = u->factor;
        u->factor = u->divisor;
        u->divisor = factor;
    }
    u->n_dims = 0;
    for (size_t i = 0; i < n && r >= 0; i++)
        r = add_dim(p, u, dims[i].base, dims[i].exponent * exponent);
    return r;
}

/* ---- atoms ---- */

static const struct ucum_row *find_row(struct str code)
{
    size_t lo = 0, hi = ucum_n_rows;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = str_cmp(ucum_rows[mid].code, code);
        if (c == 0)
            return &ucum_rows[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static const struct ucum_row *find_prefixed(struct str symbol, const struct ucum_prefix **ret)
{
    for (size_t i = 0; i < ucum_n_prefixes; i++) {
        const struct ucum_row *row;
        if (!str_starts(symbol, ucum_prefixes[i].code))
            continue;
        row = find_row(str_from(symbol, ucum_prefixes[i].code.n));
        if (row && row->is_metric) {
            *ret = &ucum_prefixes[i];
            return row;
        }
    }
    return NULL;
}

static int set_atom(struct parser *p, struct str symbol, struct ucum_unit *u)
{
    const struct ucum_row *row = find_row(symbol);
    const struct ucum_prefix *prefix = NULL;
    int r;

    if (!row)
        row = find_prefixed(symbol, &prefix);
    if (!row)
        return refuse(p, "there is no unit", symbol);
    unit_one(u);
    u->n_dims = row->n_dims;
    memcpy(u->dims, row->dims, row->n_dims * sizeof *row->dims);
    if (prefix)
        u->factor = prefix->factor;
    if (row->special != UCUM_LINEAR) {
        u->special = row;
        return 0;
    }
    r = decimal_mul(&u->factor, &row->factor, &u->factor, p->err);
    u->divisor = row->divisor;
    return r;
}

/* A unit's symbol: up to an operator, an exponent or an annotation; brackets hide what they hold.
 */
static int scan_symbol(struct parser *p, struct str *ret)
{
    size_t from = p->at;

    for (; !at_end(p); p->at++) {
        char c = peek(p);
        if (c == '[') {
            while (!at_end(p) && peek(p) != ']')
                p->at++;
            if (at_end(p))
                return refuse(p, "a ] is missing", NOTHING);
        } else if (is_digit(c) || strchr("./(){}+-]=\"", c)) {
            break;
        }
    }
    *ret = str_n(p->s.p + from, p->at - from);
    if (ret->n == 0)
        return at_end(p) ? refuse(p, "a unit is missing at its end", NOTHING)
                         : refuse(p, "out of place is", str_head(str_from(p->s, p->at), 1));
    return 0;
}

/* [sign] digits; without any, 1. */
static int scan_exponent(struct parser *p, int *ret)
{
    bool negative = peek(p) == '-', has_sign = negative || peek(p) == '+';
    int v = 0;
    size_t from;

    *ret = 1;
    if (!has_sign && !is_digit(peek(p)))
        return 0;
    p->at += has_sign;
    from = p->at;
    for (; is_digit(peek(p)); p->at++)
        if (v <= UCUM_EXPONENT_MAX)
            v = v * 10 + (peek(p) - '0');
    if (p->at == from)
        return refuse(p, "an exponent has no digits", NOTHING);
    if (v > UCUM_EXPONENT_MAX)
        return refuse(p, "an exponent is too large", NOTHING);
    *ret = negative ? -v : v;
    return 0;
}

static int simple_unit(struct parser *p, struct ucum_unit *u)
{
    struct str symbol;
    int exponent, r;

    if (str_starts(str_from(p->s, p->at), STR("10*")) ||
        str_starts(str_from(p->s, p->at), STR("10^"))) {
        symbol = str_n(p->s.p + p->at, 3);
        p->at += 3;
    } else {
        r = scan_symbol(p, &symbol);
        if (r < 0)
            return r;
    }
    r = set_atom(p, symbol, u);
    if (r >= 0)
        r = scan_exponent(p, &exponent);
    if (r < 0)
        return r;
    return power(p, u, exponent);
}

static int number(struct parser *p, struct ucum_unit *u)
{
    size_t from = p->at;
    int r;

    while (is_digit(peek(p)))
        p->at++;
    unit_one(u);
    r = decimal_parse(str_n(p->s.p + from, p->at - from), &u->factor, p->err);
    if (r >= 0 && u->factor.n == 0)
        return refuse(p, "zero is not a factor", NOTHING);
    return r;
}

static int annotation(struct parser *p)
{
    if (peek(p) != '{')
        return 0;
    while (!at_end(p) && peek(p) != '}') {
        p->at++;
        if (peek(p) == '{')
            return refuse(p, "an annotation holds a {", NOTHING);
    }
    if (at_end(p))
        return refuse(p, "a } is missing", NOTHING);
    p->at++;
    return 0;
}

/* ---- the grammar ---- */

static int term(struct parser *p, struct ucum_unit *u);

static int component(struct parser *p, struct ucum_unit *u)
{
    char c = peek(p);
    int r;

    if (c == '{') {
        unit_one(u);
        return annotation(p);
    }
    if (c == '(') {
        if (++p->depth > UCUM_DEPTH_MAX)
            return refuse(p, "its parentheses are nested too deep", NOTHING);
        p->at++;
        r = term(p, u);
        if (r < 0)
            return r;
        if (peek(p) != ')')
            return refuse(p, "a ) is missing", NOTHING);
        p->at++;
        p->depth--;
        return 0;
    }
    if (is_digit(c) && !str_starts(str_from(p->s, p->at), STR("10*")) &&
        !str_starts(str_from(p->s, p->at), STR("10^")))
        r = number(p, u);
    else
        r = simple_unit(p, u);
    return r < 0 ? r : annotation(p);
}

static int term(struct parser *p, struct ucum_unit *u)
{
    struct ucum_unit c;
    bool divide = false;
    int r;

    unit_one(u);
    if (peek(p) == '/') {
        divide = true;
        p->at++;
    }
    for (;;) {
        r = component(p, &c);
        if (r >= 0)
            r = times(p, u, &c, divide);
        if (r < 0 || (peek(p) != '.' && peek(p) != '/'))
            return r;
        divide = peek(p) == '/';
        p->at++;
    }
}

int ucum_parse(struct str code, struct ucum_unit *ret, struct err *err)
{
    struct parser p = {.s = code, .err = err};
    struct ucum_unit u;
    int r;

    if (code.n == 0 || code.n > UCUM_CODE_MAX)
        return err_set(err, ERR_VALUE, "a UCUM unit has 1 to %d characters", UCUM_CODE_MAX);
    for (size_t i = 0; i < code.n; i++)
        if (code.p[i] < 33 || code.p[i] > 126)
            return err_set(err, ERR_VALUE, "a UCUM unit has only printable ASCII, and no blanks");
    r = term(&p, &u);
    if (r < 0)
        return r;
    if (!at_end(&p))
        return refuse(&p, "out of place is", str_from(code, p.at));
    *ret = u;
    return 0;
}
