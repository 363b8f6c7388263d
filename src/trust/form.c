#include "trust/form.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* .p NULL for a bad escape, a NUL, or without memory. */
static struct str decode(struct arena *a, struct str s)
{
    char *to = arena_alloc(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; to && i < s.n; i++) {
        char c = s.p[i];

        if (c == '%') {
            int high = i + 2 < s.n ? hex(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? hex(s.p[i + 2]) : -1;

            if (high < 0 || low < 0)
                return STR_NULL;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (c == '\0')
            return STR_NULL;
        to[n++] = c;
    }
    return to ? str_n(to, n) : STR_NULL;
}

static int add(struct form *f, const struct form_field *one, struct err *err)
{
    for (size_t i = 0; i < f->n; i++)
        if (str_eq(f->v[i].name, one->name))
            return err_set(err, ERR_VALUE, "a parameter is given twice");
    if (f->n == FORM_FIELDS_MAX)
        return err_set(err, ERR_VALUE, "there are more than %d parameters", FORM_FIELDS_MAX);
    f->v[f->n++] = *one;
    return 0;
}

int form_parse(struct arena *a, struct str text, struct form *ret, struct err *err)
{
    struct str part;

    if (text.n > FORM_BYTES_MAX)
        return err_set(err, ERR_VALUE, "the parameters are longer than %zu bytes", FORM_BYTES_MAX);
    while (text.n && str_split(&text, '&', &part)) {
        ptrdiff_t eq = str_find(part, '=');
        struct form_field one;
        int r;

        if (!part.n)
            continue;
        one.name = decode(a, eq < 0 ? part : str_head(part, (size_t)eq));
        one.value = decode(a, eq < 0 ? STR("") : str_from(part, (size_t)eq + 1));
        if (!one.name.p || !one.value.p)
            return err_set(err, ERR_VALUE, "the parameters have a malformed percent escape");
        if ((r = add(ret, &one, err)) < 0)
            return r;
    }
    return 0;
}

struct str form_get(const struct form *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (str_eq(f->v[i].name, str_c(name)))
            return f->v[i].value.n ? f->v[i].value : STR_NULL;
    return STR_NULL;
}

void form_write(struct sb *out, bool *first, const char *name, struct str value)
{
    if (!*first)
        sb_char(out, '&');
    *first = false;
    sb_uri(out, str_c(name));
    sb_char(out, '=');
    sb_uri(out, value);
}
