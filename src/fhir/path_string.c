/* Functions of strings. Positions and lengths count characters (code points), not bytes. */
#include "fhir/path_int.h"

#include "base/b64.h"

#include <utf8proc.h>

static int push(const struct path_call *c, struct path_items *out, struct str text)
{
    return path_push_text(c->env, out, PATH_STRING, text, c->err);
}

/* The bytes of the character that begins at `at`. */
static size_t width(struct str s, size_t at)
{
    size_t n = 1;

    while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xc0) == 0x80)
        n++;
    return n;
}

static size_t length(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

/* Byte where character `n` begins; s.n where there are not so many. */
static size_t byte_of(struct str s, int64_t n)
{
    size_t at = 0;

    while (n-- > 0 && at < s.n)
        at += width(s, at);
    return at;
}

static ptrdiff_t find(struct str s, struct str part, size_t from)
{
    const char *at = from <= s.n ? memmem(s.p + from, s.n - from, part.p, part.n) : NULL;

    return at ? at - s.p : -1;
}

/* The input and one argument: 1 where both are there. */
static int with_argument(const struct path_call *c, struct str *ret, struct str *ret_arg)
{
    int r = path_one_string(c, c->in, ret);

    return r <= 0 ? r : path_arg_string(c, 0, ret_arg);
}

int path_fn_index_of(const struct path_call *c, struct path_items *out)
{
    struct str s, part;
    ptrdiff_t at;
    int r = with_argument(c, &s, &part);

    if (r <= 0)
        return r;
    at = find(s, part, 0);
    return path_push_integer(c->env, out, at < 0 ? -1 : (int64_t)length(str_head(s, (size_t)at)),
                             c->err);
}

int path_fn_last_index_of(const struct path_call *c, struct path_items *out)
{
    struct str s, part;
    int64_t last = -1;
    int r = with_argument(c, &s, &part);

    if (r <= 0)
        return r;
    for (size_t from = s.n >= part.n ? s.n - part.n + 1 : 0; from-- > 0 && last < 0;)
        if (memcmp(s.p + from, part.p, part.n) == 0)
            last = (int64_t)length(str_head(s, from));
    r = path_spend(c->env, s.n / 8 + part.n / 8, c->err);
    return r < 0 ? r : path_push_integer(c->env, out, last, c->err);
}

int path_fn_substring(const struct path_call *c, struct path_items *out)
{
    struct str s;
    int64_t start, n = INT64_MAX;
    size_t at;
    int r = path_one_string(c, c->in, &s);

    if (r > 0)
        r = path_arg_integer(c, 0, &start);
    if (r <= 0)
        return r;
    r = path_arg_integer(c, 1, &n);
    if (r < 0)
        return r;
    at = start < 0 ? s.n : byte_of(s, start);
    if (at >= s.n)
        return 0;
    s = str_from(s, at);
    return push(c, out, str_head(s, n == INT64_MAX ? s.n : byte_of(s, n)));
}

int path_test_starts_with(const struct path_call *c)
{
    struct str s, part;
    int r = with_argument(c, &s, &part);

    return r > 0 ? str_starts(s, part) : path_nothing(r);
}

int path_test_ends_with(const struct path_call *c)
{
    struct str s, part;
    int r = with_argument(c, &s, &part);

    return r > 0 ? str_ends(s, part) : path_nothing(r);
}

int path_test_contains(const struct path_call *c)
{
    struct str s, part;
    int r = with_argument(c, &s, &part);

    return r > 0 ? find(s, part, 0) >= 0 : path_nothing(r);
}

static int in_case(const struct path_call *c, utf8proc_int32_t (*to)(utf8proc_int32_t),
                   struct path_items *out)
{
    struct str s;
    char *text;
    size_t n = 0, at = 0;
    int r = path_one_string(c, c->in, &s);

    if (r <= 0)
        return r;
    text = arena_alloc(c->env->a, s.n * 2 + 4); /* no letter's other case is twice as long */
    if (!text)
        return err_no_memory(c->err);
    while (at < s.n) {
        utf8proc_int32_t letter;
        utf8proc_ssize_t k = utf8proc_iterate((const utf8proc_uint8_t *)s.p + at,
                                              (utf8proc_ssize_t)(s.n - at), &letter);
        if (k <= 0) {
            text[n++] = s.p[at++];
            continue;
        }
        n += (size_t)utf8proc_encode_char(to(letter), (utf8proc_uint8_t *)text + n);
        at += (size_t)k;
    }
    return push(c, out, str_n(text, n));
}

int path_fn_upper(const struct path_call *c, struct path_items *out)
{
    return in_case(c, utf8proc_toupper, out);
}

int path_fn_lower(const struct path_call *c, struct path_items *out)
{
    return in_case(c, utf8proc_tolower, out);
}

/* The builder's text as a result. */
static int push_built(const struct path_call *c, const struct sb *b, struct path_items *out)
{
    int r = sb_ok(b, c->err);

    if (r >= 0)
        r = path_spend(c->env, b->n / 64, c->err);
    return r < 0 ? r : push(c, out, arena_dup(c->env->a, b->n ? sb_view(b) : STR("")));
}

int path_fn_replace(const struct path_call *c, struct path_items *out)
{
    _cleanup_(sb_done) struct sb b = sb_make(PATH_STRING_MAX);
    struct str s, what, by;
    ptrdiff_t at;
    size_t from = 0;
    int r = with_argument(c, &s, &what);

    if (r > 0)
        r = path_arg_string(c, 1, &by);
    if (r <= 0)
        return r;
    if (!what.n) {
        sb_str(&b, by);
        for (size_t i = 0; i < s.n; i += width(s, i)) {
            sb_put(&b, s.p + i, width(s, i));
            sb_str(&b, by);
        }
        return push_built(c, &b, out);
    }
    while ((at = find(s, what, from)) >= 0) {
        sb_put(&b, s.p + from, (size_t)at - from);
        sb_str(&b, by);
        from = (size_t)at + what.n;
    }
    sb_str(&b, str_from(s, from));
    return push_built(c, &b, out);
}

/* The pattern: compiled with the expression, or now. `flags` is the number of the argument that may
 * hold i and m. 1, 0 where it is empty, or an error. */
static int pattern_of(const struct path_call *c, unsigned flags, const struct path_regex **ret)
{
    struct str pattern, given = STR("");
    int r = path_arg_string(c, flags, &given);

    if (r < 0)
        return r;
    if (c->node->regex && !given.n) {
        *ret = c->node->regex;
        return 1;
    }
    r = path_arg_string(c, 0, &pattern);
    if (r <= 0)
        return r;
    for (size_t i = 0; i < given.n; i++)
        if (given.p[i] != 'i' && given.p[i] != 'm')
            return path_wrong(c->node, c->err, "%.*s() knows the flags i and m only",
                              STR_ARG(c->node->text));
    if (given.n && given.n <= 2)
        pattern = arena_fmt(c->env->a, "(?%.*s)%.*s", STR_ARG(given), STR_ARG(pattern));
    if (!pattern.p)
        return err_no_memory(c->err);
    r = path_spend(c->env, 50 + pattern.n, c->err);
    if (r >= 0)
        r = path_regex_compile(c->env->a, pattern, ret, c->err);
    return r < 0 ? r : 1;
}

static int matches(const struct path_call *c, bool whole)
{
    const struct path_regex *re;
    struct str s;
    int r = path_one_string(c, c->in, &s);

    if (r > 0)
        r = pattern_of(c, 1, &re);
    return r > 0 ? path_regex_match(c->env, re, s, whole, c->err) : path_nothing(r);
}

int path_test_matches(const struct path_call *c)
{
    return matches(c, false);
}

int path_test_matches_full(const struct path_call *c)
{
    return matches(c, true);
}

int path_fn_replace_matches(const struct path_call *c, struct path_items *out)
{
    const struct path_regex *re = NULL;
    struct str s, by = STR_NULL, pattern;
    int r = with_argument(c, &s, &pattern);

    if (r > 0)
        r = path_arg_string(c, 1, &by);
    if (r <= 0)
        return r;
    if (!pattern.n)
        return push(c, out, s);
    r = pattern_of(c, 2, &re);
    if (r > 0)
        r = path_regex_replace(c->env, re, s, by, &s, c->err);
    return r < 0 ? r : push(c, out, s);
}

int path_fn_length(const struct path_call *c, struct path_items *out)
{
    struct str s;
    int r = path_one_string(c, c->in, &s);

    return r <= 0 ? r : path_push_integer(c->env, out, (int64_t)length(s), c->err);
}

int path_fn_to_chars(const struct path_call *c, struct path_items *out)
{
    struct str s;
    int r = path_one_string(c, c->in, &s);

    if (r <= 0)
        return r;
    for (size_t i = 0; i < s.n && r >= 0; i += width(s, i))
        r = push(c, out, str_n(s.p + i, width(s, i)));
    return r;
}

int path_fn_trim(const struct path_call *c, struct path_items *out)
{
    struct str s;
    int r = path_one_string(c, c->in, &s);

    return r <= 0 ? r : push(c, out, str_trim(s));
}

int path_fn_split(const struct path_call *c, struct path_items *out)
{
    struct str s, by;
    ptrdiff_t at;
    int r = with_argument(c, &s, &by);

    if (r <= 0)
        return r;
    if (!by.n)
        return path_fn_to_chars(c, out);
    while ((at = find(s, by, 0)) >= 0) {
        r = push(c, out, str_head(s, (size_t)at));
        if (r < 0)
            return r;
        s = str_from(s, (size_t)at + by.n);
    }
    return push(c, out, s);
}

int path_fn_join(const struct path_call *c, struct path_items *out)
{
    struct str by = STR(""), *parts;
    size_t n = 0, bytes = 0;
    int r = path_arg_string(c, 0, &by);

    if (r < 0 || !c->in->n)
        return r;
    parts = arena_alloc(c->env->a, 2 * c->in->n * sizeof *parts);
    if (!parts)
        return err_no_memory(c->err);
    for (size_t i = 0; i < c->in->n; i++) {
        struct path_items one = {&c->in->p[i], 1, 1};
        struct str s;
        r = path_one_string(c, &one, &s);
        if (r < 0)
            return r;
        if (r == 0)
            continue;
        parts[n] = n ? by : STR("");
        parts[n + 1] = s;
        n += 2;
        bytes += by.n + s.n;
    }
    if (bytes > PATH_STRING_MAX)
        return path_too_long(c->err);
    return push(c, out, arena_join(c->env->a, parts, n));
}
