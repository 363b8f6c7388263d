#include "fhir/world.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next byte in small letters, a run of blanks as one; -1 at the end. */
static int next(struct str *s)
{
    unsigned char c;

    if (!s->n)
        return -1;
    c = (unsigned char)s->p[0];
    *s = str_from(*s, 1);
    if (is_blank((char)c)) {
        while (s->n && is_blank(s->p[0]))
            *s = str_from(*s, 1);
        return ' ';
    }
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

bool display_is(struct str a, struct str b)
{
    int x, y;

    a = str_trim(a);
    b = str_trim(b);
    do {
        x = next(&a);
        y = next(&b);
    } while (x == y && x >= 0);
    return x == y;
}
