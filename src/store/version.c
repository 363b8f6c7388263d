#include "store/store.h"

/* A versionId is 13 + 8 characters of base 32: the clock, then the origin. Lower case without the
 * letters that look like digits, so that it can be read over a telephone. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

#define CLOCK_CHARS 13
#define ORIGIN_CHARS 8

static char *put(char *to, uint64_t v, int chars)
{
    for (int i = chars - 1; i >= 0; i--, v >>= 5)
        to[i] = alphabet[v & 31];
    return to + chars;
}

static bool get(const char *p, int chars, uint64_t *ret)
{
    uint64_t v = 0;

    for (int i = 0; i < chars; i++) {
        const char *at = p[i] ? strchr(alphabet, p[i]) : NULL;
        if (!at || v >> 59)
            return false;
        v = v << 5 | (uint64_t)(at - alphabet);
    }
    *ret = v;
    return true;
}

void version_format(const struct version *v, char ret[STORE_VERSION_ID_MAX])
{
    *put(put(ret, v->hlc, CLOCK_CHARS), v->origin, ORIGIN_CHARS) = '\0';
}

bool version_parse(struct str s, struct version *ret)
{
    struct version v;

    if (s.n != CLOCK_CHARS + ORIGIN_CHARS || !get(s.p, CLOCK_CHARS, &v.hlc) ||
        !get(s.p + CLOCK_CHARS, ORIGIN_CHARS, &v.origin))
        return false;
    *ret = v;
    return true;
}
