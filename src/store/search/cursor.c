/* cursor.c - the text between two pages: version, feed position, total, last row, then the sort
 * keys of that row or the rows behind it that were shown, in hexadecimal, between dots. Opaque to
 * clients; anything else is refused.
 */
#include "store/search/search_int.h"

#define MARK_FORMAT "1"
#define MARK_ABSENT "-"
#define MARK_SHOWN '_'
#define SHOWN_DIGITS (2 * ROW_BYTES)

static bool from_hex(struct str s, uint64_t *ret)
{
    uint64_t v = 0;

    if (s.n == 0 || s.n > 15)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                            : 16;
        if (d > 15)
            return false;
        v = v << 4 | d;
    }
    *ret = v;
    return true;
}

static bool key_parse(struct arena *a, struct str s, struct str *ret)
{
    char *p;

    if (str_eq(s, STR(MARK_ABSENT))) {
        *ret = STR_NULL;
        return true;
    }
    if (s.n % 2 || s.n / 2 > INDEX_KEY_MAX || !(p = arena_alloc(a, s.n / 2 + 1)))
        return false;
    for (size_t i = 0; i < s.n / 2; i++) {
        uint64_t byte;
        if (!from_hex(str_n(s.p + 2 * i, 2), &byte))
            return false;
        p[i] = (char)byte;
    }
    *ret = str_n(p, s.n / 2);
    return true;
}

/* Rows of so many digits, one behind the other. */
static bool shown_parse(struct str s, struct mark *ret)
{
    if (s.n % SHOWN_DIGITS || s.n / SHOWN_DIGITS > SHOWN_MAX)
        return false;
    for (size_t i = 0; i < s.n; i += SHOWN_DIGITS)
        if (!from_hex(str_n(s.p + i, SHOWN_DIGITS), &ret->shown[ret->n_shown++]))
            return false;
    return true;
}

static bool parse(struct arena *a, struct str text, struct mark *ret)
{
    struct str part, rest = text;
    uint64_t total;

    *ret = (struct mark){.total = -1};
    if (!str_split(&rest, '.', &part) || !str_eq(part, STR(MARK_FORMAT)) ||
        !str_split(&rest, '.', &part) || !from_hex(part, &ret->position) ||
        !str_split(&rest, '.', &part))
        return false;
    if (!str_eq(part, STR(MARK_ABSENT))) {
        if (!from_hex(part, &total) || total > INT64_MAX)
            return false;
        ret->total = (int64_t)total;
    }
    if (!str_split(&rest, '.', &part) || !from_hex(part, &ret->row) || ret->row > ROW_MAX)
        return false;
    while (str_split(&rest, '.', &part)) {
        if (part.n && part.p[0] == MARK_SHOWN && !ret->n_shown && !ret->n_keys) {
            if (!shown_parse(str_from(part, 1), ret))
                return false;
            continue;
        }
        if (ret->n_keys == SEARCH_SORT_MAX || !key_parse(a, part, &ret->keys[ret->n_keys]))
            return false;
        ret->n_keys++;
    }
    return true;
}

int mark_parse(struct arena *a, struct str text, struct mark *ret, struct err *err)
{
    struct mark m;

    if (!parse(a, text, &m))
        return err_set(err, ERR_VALUE, "the page's cursor is not one of this server");
    *ret = m;
    return 0;
}

struct str mark_format(struct arena *a, const struct mark *m)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(8));

    sb_fmt(&b, MARK_FORMAT ".%llx.", (unsigned long long)m->position);
    if (m->total < 0)
        sb_lit(&b, MARK_ABSENT);
    else
        sb_fmt(&b, "%llx", (unsigned long long)m->total);
    sb_fmt(&b, ".%llx", (unsigned long long)m->row);
    if (m->n_shown) {
        sb_char(&b, '.');
        sb_char(&b, MARK_SHOWN);
    }
    for (size_t i = 0; i < m->n_shown; i++)
        sb_fmt(&b, "%0*llx", SHOWN_DIGITS, (unsigned long long)m->shown[i]);
    for (size_t i = 0; i < m->n_keys; i++) {
        sb_char(&b, '.');
        if (!m->keys[i].p)
            sb_lit(&b, MARK_ABSENT);
        for (size_t j = 0; m->keys[i].p && j < m->keys[i].n; j++)
            sb_fmt(&b, "%02x", (unsigned char)m->keys[i].p[j]);
    }
    return b.failed ? STR_NULL : arena_dup(a, sb_view(&b));
}
