#include "cli/rows.h"

#include "cli/cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FLUSH_BYTES KIB(256)
#define NUMBER_TEXT_MAX 40

void rows_number(struct rows *r, double v, const char *none)
{
    char text[32];

    if (!isfinite(v)) {
        sb_str(&r->text, str_c(none));
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    sb_str(&r->text, str_c(text));
}

void rows_field(struct rows *r, struct str s)
{
    bool is_quoted = str_find(s, ',') >= 0 || str_find(s, '"') >= 0;

    sb_str(&r->text, is_quoted ? STR(",\"") : STR(","));
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            sb_char(&r->text, '"');
        sb_char(&r->text, s.p[i]);
    }
    if (is_quoted)
        sb_char(&r->text, '"');
}

int rows_flush(struct rows *r, struct err *err)
{
    int bad = sb_ok(&r->text, err);

    return bad < 0 || r->text.n < FLUSH_BYTES ? bad : rows_end(r, err);
}

int rows_end(struct rows *r, struct err *err)
{
    int bad = sb_ok(&r->text, err);

    if (bad == 0)
        bad = cli_write(r->fd, sb_view(&r->text), err);
    sb_reset(&r->text);
    return bad;
}

int rows_take_number(const char *name, struct str text, double least, double most, double *ret,
                     struct err *err)
{
    char copy[NUMBER_TEXT_MAX + 1] = "", *end = copy;
    double v = 0;

    if (text.n && text.n <= NUMBER_TEXT_MAX) {
        memcpy(copy, text.p, text.n);
        copy[text.n] = '\0';
        v = strtod(copy, &end);
    }
    if (end == copy || *end || !isfinite(v) || v < least || v > most)
        return err_set(err, ERR_VALUE, "--%s: \"%.*s\" is not a number from %g to %g", name,
                       (int)MIN(text.n, (size_t)NUMBER_TEXT_MAX), text.p, least, most);
    *ret = v;
    return 0;
}

int rows_probabilities(const char *name, const char *text, double ret[ROWS_PROBABILITIES_MAX],
                       size_t *ret_n, struct err *err)
{
    struct str rest = str_c(text), part;
    size_t n = 0;

    while (str_split(&rest, ',', &part)) {
        double v = 0;
        int r = rows_take_number(name, part, 0, 1, &v, err);

        if (r < 0)
            return r;
        if (n == ROWS_PROBABILITIES_MAX || v <= (n ? ret[n - 1] : 0) || v >= 1)
            return err_set(err, ERR_VALUE,
                           "--%s takes up to %d rising numbers above 0 and below 1, not \"%.100s\"",
                           name, ROWS_PROBABILITIES_MAX, text);
        ret[n++] = v;
    }
    *ret_n = n;
    return 0;
}

void rows_probability_names(struct rows *r, const double *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sb_lit(&r->text, ",q");
        rows_number(r, p[i], "");
    }
}
