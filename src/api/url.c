/* url.c - percent decoding, query parameters, and the URLs that we hand out. */
#include "api/call.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

struct str url_decode(struct arena *a, struct str s, bool plus)
{
    char *to;
    size_t n = 0;

    if (str_find(s, '%') < 0 && (!plus || str_find(s, '+') < 0))
        return s.p ? s : STR("");
    to = arena_alloc(a, s.n + 1);
    if (!to)
        return STR_NULL;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%') {
            int high = i + 2 < s.n ? hex(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? hex(s.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return STR_NULL;
            to[n++] = (char)(high << 4 | low);
            i += 2;
        } else {
            to[n++] = plus && s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    return str_n(to, n);
}

struct str call_parameter(struct call *c, struct str name)
{
    struct str rest = c->query, pair;

    while (rest.n && str_split(&rest, '&', &pair)) {
        ptrdiff_t eq = str_find(pair, '=');
        if (eq >= 0 && str_eq(str_head(pair, (size_t)eq), name))
            return url_decode(c->a, str_from(pair, (size_t)eq + 1), true);
    }
    return STR_NULL;
}

struct str call_url(struct call *c, int type, struct str id, const struct version *v)
{
    struct str name = def_resource_name(type);
    char vid[STORE_VERSION_ID_MAX];

    if (!v)
        return arena_fmt(c->a, "%.*s/%.*s", STR_ARG(name), STR_ARG(id));
    version_format(v, vid);
    return arena_fmt(c->a, "%.*s/%.*s/_history/%s", STR_ARG(name), STR_ARG(id), vid);
}
