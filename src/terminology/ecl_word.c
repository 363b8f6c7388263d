/* ecl_word.c - the small parts of an expression constraint: comparisons, numbers, texts. */
#include "terminology/ecl_int.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

bool ecl_comparison(struct ecl *e, enum comparison *ret)
{
    static const struct {
        struct str text;
        enum comparison cmp;
    } table[] = {{STR("!="), CMP_NE}, {STR("<>"), CMP_NE}, {STR("<="), CMP_LE}, {STR(">="), CMP_GE},
                 {STR("="), CMP_EQ},  {STR("<"), CMP_LT},  {STR(">"), CMP_GT}};
    size_t at = e->at;

    if (ecl_take(e, STR("NOT"))) {
        *ret = CMP_NE;
        if (ecl_take(e, STR("=")))
            return true;
        e->at = at;
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (ecl_take(e, table[i].text)) {
            *ret = table[i].cmp;
            return true;
        }
    return false;
}

bool ecl_compares(enum comparison cmp, double a, double b)
{
    switch (cmp) {
    case CMP_EQ: return a == b;
    case CMP_NE: return a != b;
    case CMP_LE: return a <= b;
    case CMP_GE: return a >= b;
    case CMP_LT: return a < b;
    default: return a > b;
    }
}

double ecl_number_of(struct str text)
{
    char buffer[64], *end;
    double v;

    if (!text.n || text.n >= sizeof buffer)
        return NAN;
    memcpy(buffer, text.p, text.n);
    buffer[text.n] = '\0';
    v = strtod(buffer, &end);
    return *end ? NAN : v;
}

int ecl_decimal(struct ecl *e, double *ret)
{
    size_t from = e->at;

    while (e->at < e->text.n &&
           (isdigit((unsigned char)e->text.p[e->at]) || strchr("+-.", e->text.p[e->at])))
        e->at++;
    *ret = ecl_number_of(str_n(e->text.p + from, e->at - from));
    return isnan(*ret) ? ecl_bad(e, "a number is expected") : 0;
}

int ecl_quoted(struct ecl *e, struct str *ret)
{
    char *to = arena_alloc(e->a, e->text.n);
    size_t n = 0;

    if (!to)
        return err_no_memory(e->err);
    for (;; e->at++) {
        if (e->at >= e->text.n)
            return ecl_bad(e, "the text is not closed");
        if (e->text.p[e->at] == '"')
            break;
        if (e->text.p[e->at] == '\\' && e->at + 1 < e->text.n)
            e->at++;
        to[n++] = e->text.p[e->at];
    }
    e->at++;
    *ret = str_n(to, n);
    return 0;
}

struct str ecl_word(struct ecl *e)
{
    size_t from;

    ecl_skip(e);
    for (from = e->at; e->at < e->text.n && (isalnum((unsigned char)e->text.p[e->at]) ||
                                             strchr("-_", e->text.p[e->at]));)
        e->at++;
    return str_n(e->text.p + from, e->at - from);
}
