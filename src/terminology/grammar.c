#include "terminology/grammar.h"

#include "fhir/ucum.h"
#include "terminology/cluster.h"
#include "terminology/language_tag.h"
#include "terminology/resource.h"

#include <ctype.h>

enum cs_grammar grammar_of(struct str url)
{
    static const struct {
        struct str url;
        enum cs_grammar grammar;
    } table[] = {
        {STR(GRAMMAR_UCUM_URL), GRAMMAR_UCUM},
        {STR(GRAMMAR_LANGUAGE_URL), GRAMMAR_LANGUAGE},
        {STR(GRAMMAR_MIME_URL), GRAMMAR_MIME},
        {STR(GRAMMAR_ICD11_URL), GRAMMAR_ICD11},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (str_eq(table[i].url, url))
            return table[i].grammar;
    return GRAMMAR_NONE;
}

/* RFC 6838 section 4.2: restricted-name "/" restricted-name, perhaps with parameters behind. */
static bool is_mime(struct str code)
{
    ptrdiff_t end = str_find(code, ';');
    struct str name = str_trim(end < 0 ? code : str_head(code, (size_t)end)), half;
    size_t n = 0;

    while (name.p && str_split(&name, '/', &half)) {
        n++;
        if (!half.n || half.n > 127 || !isalnum((unsigned char)half.p[0]))
            return false;
        for (size_t i = 0; i < half.n; i++)
            if (!isalnum((unsigned char)half.p[i]) && !strchr("!#$&-^_.+", half.p[i]))
                return false;
    }
    return n == 2;
}

bool grammar_is_endless(enum cs_grammar grammar)
{
    return grammar != GRAMMAR_NONE && grammar != GRAMMAR_ICD11;
}

bool grammar_has(const struct cs *cs, struct arena *a, struct str code, struct str *ret_display,
                 struct err *err)
{
    bool ok = false;

    *ret_display = code;
    switch ((enum cs_grammar)cs_info(cs)->grammar) {
    case GRAMMAR_UCUM: return code.n && ucum_check(code, err) >= 0;
    case GRAMMAR_ICD11: return cluster_check(cs, a, code, ret_display, err) >= 0;
    case GRAMMAR_LANGUAGE: ok = language_tag_read(code, &(struct language_tag){0}); break;
    case GRAMMAR_MIME: ok = is_mime(code); break;
    default: return false;
    }
    if (!ok)
        err_set(err, ERR_VALUE, "\"%.*s\" is not well formed", (int)MIN(code.n, 100u), code.p);
    return ok;
}

int cs_of_grammar(enum cs_grammar grammar, struct str url, struct cs **ret, struct err *err)
{
    static const struct str names[] = {[GRAMMAR_NONE] = STR(""),
                                       [GRAMMAR_UCUM] = STR("UCUM"),
                                       [GRAMMAR_LANGUAGE] = STR("BCP47"),
                                       [GRAMMAR_MIME] = STR("BCP13"),
                                       [GRAMMAR_ICD11] = STR("ICD-11")};
    _cleanup_(cs_builder_freep) struct cs_builder *b = cs_builder_new();
    struct cs_info *info = b ? cs_builder_info(b) : NULL;
    char *bytes;
    size_t n;
    int r;

    if (!b)
        return err_no_memory(err);
    info->url = cs_builder_text(b, url);
    info->name = cs_builder_text(b, names[grammar]);
    info->content = CONTENT_COMPLETE;
    info->grammar = (uint32_t)grammar;
    /* UCUM's case-sensitive form is the one that FHIR uses; RFC 5646 2.1.1 and RFC 6838 4.2 say
     * that case does not matter. */
    info->flags = CS_COMPOSITIONAL | (grammar == GRAMMAR_UCUM ? 0 : CS_IGNORE_CASE);
    r = cs_build(b, &bytes, &n, err);
    return r < 0 ? r : cs_open(bytes, n, ret, err);
}
