#include "terminology/language_tag.h"

#include <ctype.h>

/* The ones of before that no rule makes (RFC 5646, "irregular"). */
static const struct str irregular[] = {
    STR("en-GB-oed"), STR("i-ami"),     STR("i-bnn"), STR("i-default"), STR("i-enochian"),
    STR("i-hak"),     STR("i-klingon"), STR("i-lux"), STR("i-mingo"),   STR("i-navajo"),
    STR("i-pwn"),     STR("i-tao"),     STR("i-tay"), STR("i-tsu"),     STR("sgn-BE-FR"),
    STR("sgn-BE-NL"), STR("sgn-CH-DE"),
};

struct reading {
    struct str rest, part; /* part: the next subtag, .p NULL at the end */
};

static void next(struct reading *r)
{
    if (!r->rest.p || !str_split(&r->rest, '-', &r->part))
        r->part = STR_NULL;
}

static bool all(struct str s, bool digits)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isalpha((unsigned char)s.p[i]) && !(digits && isdigit((unsigned char)s.p[i])))
            return false;
    return true;
}

static bool is_alpha(struct str s, size_t min, size_t max)
{
    return s.p && s.n >= min && s.n <= max && all(s, false);
}

static bool is_alnum(struct str s, size_t min, size_t max)
{
    return s.p && s.n >= min && s.n <= max && all(s, true);
}

static bool is_region(struct str s)
{
    return is_alpha(s, 2, 2) || (is_alnum(s, 3, 3) && isdigit((unsigned char)s.p[0]) &&
                                 isdigit((unsigned char)s.p[1]) && isdigit((unsigned char)s.p[2]));
}

static bool is_variant(struct str s)
{
    return is_alnum(s, 5, 8) || (is_alnum(s, 4, 4) && isdigit((unsigned char)s.p[0]));
}

/* `to` reaches from its beginning to the end of the part. */
static void stretch(struct str *to, struct str part)
{
    if (!to->n)
        *to = part;
    else
        to->n = (size_t)(part.p + part.n - to->p);
}

static void read_extlangs(struct reading *r, struct language_tag *ret)
{
    for (int i = 0; i < 3 && ret->language.n <= 3 && is_alpha(r->part, 3, 3); i++, next(r))
        stretch(&ret->extlang, r->part);
}

/* "u-co-phonebk": a letter or digit of its own, and at least one part. */
static bool read_extensions(struct reading *r, struct language_tag *ret)
{
    while (is_alnum(r->part, 1, 1) && !str_eq_nocase(r->part, STR("x"))) {
        bool any = false;
        stretch(&ret->extension, r->part);
        for (next(r); is_alnum(r->part, 2, 8); next(r), any = true)
            stretch(&ret->extension, r->part);
        if (!any)
            return false;
    }
    return true;
}

static bool read_private(struct reading *r, struct language_tag *ret)
{
    if (!r->part.p || !str_eq_nocase(r->part, STR("x")))
        return true;
    for (next(r); is_alnum(r->part, 1, 8); next(r))
        stretch(&ret->private_use, r->part);
    return ret->private_use.n > 0;
}

bool language_tag_read(struct str code, struct language_tag *ret)
{
    struct reading r = {.rest = code};

    *ret = (struct language_tag){.language = STR("")};
    if (!code.n || code.n > LANGUAGE_TAG_MAX)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(irregular); i++)
        if (str_eq_nocase(code, irregular[i])) {
            ret->language = code;
            return true;
        }
    next(&r);
    if (is_alpha(r.part, 2, 8)) {
        ret->language = r.part;
        next(&r);
        read_extlangs(&r, ret);
        if (is_alpha(r.part, 4, 4)) {
            ret->script = r.part;
            next(&r);
        }
        if (is_region(r.part)) {
            ret->region = r.part;
            next(&r);
        }
        for (; is_variant(r.part); next(&r))
            stretch(&ret->variant, r.part);
        if (!read_extensions(&r, ret))
            return false;
    }
    return read_private(&r, ret) && !r.part.p;
}
