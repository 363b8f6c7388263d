/* ecl_alternate.c - alternate identifiers: LOINC#8310-5, a concept by what another scheme calls it.
 *
 * A scheme is a concept; its alias, which SNOMED CT leaves to whoever asks, is a word with which
 * one of the concept's descriptions begins, whatever its case.
 */
#include "terminology/ecl_int.h"

#include <ctype.h>

static size_t alias_length(struct str s)
{
    size_t n = 0;

    while (n < s.n && (isalpha((unsigned char)s.p[n]) ||
                       (n && (isdigit((unsigned char)s.p[n]) || s.p[n] == '-'))))
        n++;
    return n && n < s.n && s.p[n] == '#' ? n : 0;
}

bool ecl_sees_alternate(struct ecl *e)
{
    struct str rest;

    ecl_skip(e);
    rest = str_from(e->text, e->at);
    return alias_length(str_starts(rest, STR("\"")) ? str_from(rest, 1) : rest) > 0;
}

static int read_alternate(struct ecl *e, struct str *ret_alias, struct str *ret_code)
{
    bool quoted = ecl_take(e, STR("\""));
    struct str rest = str_from(e->text, e->at), code;
    size_t n = alias_length(rest), end = 0;

    code = str_from(rest, n + 1);
    while (end < code.n &&
           (quoted ? code.p[end] != '"'
                   : isalnum((unsigned char)code.p[end]) || strchr("-._", code.p[end])))
        end++;
    e->at += n + 1 + end;
    if (!end)
        return ecl_bad(e, "the identifier behind # is missing");
    if (quoted && !ecl_take(e, STR("\"")))
        return ecl_bad(e, "the text is not closed");
    *ret_alias = str_head(rest, n);
    *ret_code = str_head(code, end);
    return 0;
}

static bool begins_with(struct str text, struct str word)
{
    return text.n >= word.n && str_eq_nocase(str_head(text, word.n), word) &&
           (text.n == word.n || !isalnum((unsigned char)text.p[word.n]));
}

static bool is_called(const struct ecl *e, struct str scheme, struct str alias)
{
    uint32_t i = cs_find(e->cs, scheme);
    size_t n;
    const struct cs_designation *d = i == CS_NONE ? NULL : cs_designations(e->cs, i, &n);

    for (size_t k = 0; d && k < n; k++)
        if (begins_with(cs_text(e->cs, d[k].value), alias))
            return true;
    return false;
}

static bool has_identifier(struct ecl *e, uint32_t i, int def, struct str alias, struct str code)
{
    size_t n;
    const struct cs_property *p = cs_properties(e->cs, i, &n);

    e->cost += n;
    for (size_t k = 0; k < n; k++)
        if ((int)p[k].def == def && str_eq(cs_text(e->cs, p[k].value), code) &&
            is_called(e, cs_text(e->cs, p[k].system), alias))
            return true;
    return false;
}

int ecl_alternate(struct ecl *e, uint64_t *to)
{
    size_t at = e->at;
    struct str alias = STR_NULL, code = STR_NULL;
    int r = read_alternate(e, &alias, &code), def = cs_property_find(e->cs, STR(SNOMED_ALTERNATE));
    bool found = false;

    for (uint32_t i = 0; r >= 0 && def >= 0 && !found && i < cs_n(e->cs); i++)
        if ((r = ecl_check_cost(e)) >= 0 && has_identifier(e, i, def, alias, code)) {
            bits_add(to, i);
            found = true;
        }
    if (r < 0)
        return r;
    if (!found) {
        e->at = at;
        return ecl_bad(e, "no concept is called so, or no scheme has this name");
    }
    return ecl_term(e);
}
