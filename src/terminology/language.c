#include "terminology/language.h"

#define WANTED_MAX 10 /* languages that are tried */

bool language_serves(struct str has, struct str wanted)
{
    if (str_eq(wanted, STR("*")))
        return true;
    return has.n >= wanted.n && str_eq_nocase(str_head(has, wanted.n), wanted) &&
           (has.n == wanted.n || has.p[wanted.n] == '-');
}

/* "de-CH;q=0.8" without what stands behind the tag. */
static struct str tag_of(struct str item)
{
    ptrdiff_t end = str_find(item, ';');

    return str_trim(end < 0 ? item : str_head(item, (size_t)end));
}

/* Whether the quality behind a tag is 0. */
static bool is_refused(struct str item)
{
    ptrdiff_t at = str_find(item, '=');
    struct str q = at < 0 ? STR("1") : str_trim(str_from(item, (size_t)at + 1));

    for (size_t i = 0; i < q.n; i++)
        if (q.p[i] != '0' && q.p[i] != '.')
            return false;
    return q.n > 0;
}

bool language_wanted(struct str has, struct str wanted)
{
    struct str item;
    size_t tried = 0;

    if (!wanted.n)
        return true;
    while (wanted.n && str_split(&wanted, ',', &item) && tried++ < WANTED_MAX)
        if (!is_refused(item) && language_serves(has.n ? has : STR("en"), tag_of(item)))
            return true;
    return false;
}

bool language_is_strict(struct str wanted)
{
    struct str item;
    size_t tried = 0;

    while (wanted.n && str_split(&wanted, ',', &item) && tried++ < WANTED_MAX)
        if (is_refused(item) && str_eq(tag_of(item), STR("*")))
            return true;
    return false;
}

static struct str find(const struct cs *cs, uint32_t i, struct str tag, struct str *ret_language)
{
    size_t n;
    const struct cs_designation *d = cs_designations(cs, i, &n);
    struct str own = cs_text(cs, cs_info(cs)->language);

    if (own.n && language_serves(own, tag)) {
        *ret_language = own;
        return cs_display(cs, i);
    }
    for (size_t k = 0; k < n; k++) {
        struct str language = cs_text(cs, d[k].language);
        if (language.n && language_serves(language, tag)) {
            *ret_language = language;
            return cs_text(cs, d[k].value);
        }
    }
    return STR_NULL;
}

struct str language_display(const struct cs *cs, uint32_t i, struct str wanted,
                            struct str *ret_language)
{
    struct str language = cs_text(cs, cs_info(cs)->language), item, found;
    size_t tried = 0;

    while (wanted.n && str_split(&wanted, ',', &item) && tried++ < WANTED_MAX) {
        if (is_refused(item))
            continue;
        found = find(cs, i, tag_of(item), &language);
        if (found.n) {
            if (ret_language)
                *ret_language = language;
            return found;
        }
    }
    if (ret_language)
        *ret_language = language.n ? language : STR_NULL;
    return cs_display(cs, i);
}
