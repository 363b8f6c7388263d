/* ecl_filter.c - filters behind a set: {{ term = "…" }}, {{ C active = true }}.
 *
 * A description filter asks for one description that passes all of it. Which dialects and modules
 * there are is not kept of a release; filters that ask for them are refused by name.
 */
#include "terminology/ecl_int.h"

#include "fhir/fold.h"

#define FULLY_SPECIFIED "900000000000003001"
#define SYNONYM "900000000000013009"
#define DEFINITION "900000000000550004"

struct filter {
    struct str terms[ECL_FILTER_MAX]; /* folded; one of them must match */
    bool wild[ECL_FILTER_MAX];
    size_t n_terms;
    struct str languages[ECL_FILTER_MAX];
    size_t n_languages;
    struct str types[ECL_FILTER_MAX];
    size_t n_types;
    bool not_terms, not_languages, not_types; /* != */
    int active;                               /* -1: not asked */
};

/* ---- reading ---- */

static int read_not(struct ecl *e, bool *ret)
{
    *ret = ecl_take(e, STR("!="));
    return *ret || ecl_take(e, STR("=")) ? 0 : ecl_bad(e, "= or != is expected");
}

static int read_quoted(struct ecl *e, struct str *ret)
{
    size_t from = e->at;

    while (e->at < e->text.n && e->text.p[e->at] != '"')
        e->at += e->text.p[e->at] == '\\' && e->at + 1 < e->text.n ? 2 : 1;
    if (e->at >= e->text.n)
        return ecl_bad(e, "the text is not closed");
    *ret = str_n(e->text.p + from, e->at++ - from);
    return 0;
}

static int read_term(struct ecl *e, struct filter *f)
{
    bool wild = ecl_take(e, STR("wild:"));
    struct str text;
    int r;

    if (!wild)
        ecl_take(e, STR("match:"));
    if (!ecl_take(e, STR("\"")))
        return ecl_bad(e, "a text is expected");
    if ((r = read_quoted(e, &text)) < 0)
        return r;
    if (f->n_terms == ECL_FILTER_MAX)
        return err_set(e->err, ERR_COSTLY, "a filter may name %d terms", ECL_FILTER_MAX);
    f->wild[f->n_terms] = wild;
    /* Folding would take the asterisks out of a pattern: that is compared as it is. */
    f->terms[f->n_terms] = wild ? text : fold_dup(e->a, text);
    return f->terms[f->n_terms++].p ? 0 : err_no_memory(e->err);
}

/* A word of letters and digits. */
static struct str read_word(struct ecl *e)
{
    size_t from;

    ecl_skip(e);
    for (from = e->at; e->at < e->text.n && !strchr(" \t\r\n,(){}=!\"", e->text.p[e->at]);)
        e->at++;
    return str_n(e->text.p + from, e->at - from);
}

static int add_word(struct ecl *e, struct str word, struct str *list, size_t *n)
{
    if (!word.n)
        return ecl_bad(e, "a word is expected");
    if (*n == ECL_FILTER_MAX)
        return err_set(e->err, ERR_COSTLY, "a filter may name %d words", ECL_FILTER_MAX);
    list[(*n)++] = word;
    return 0;
}

static struct str type_of(struct str word)
{
    return str_eq_nocase(word, STR("fsn"))   ? STR(FULLY_SPECIFIED)
           : str_eq_nocase(word, STR("syn")) ? STR(SYNONYM)
           : str_eq_nocase(word, STR("def")) ? STR(DEFINITION)
                                             : word;
}

enum what { WHAT_TERM, WHAT_LANGUAGE, WHAT_TYPE };

static int read_value(struct ecl *e, struct filter *f, enum what what)
{
    switch (what) {
    case WHAT_TERM: return read_term(e, f);
    case WHAT_LANGUAGE: return add_word(e, read_word(e), f->languages, &f->n_languages);
    default: return add_word(e, type_of(read_word(e)), f->types, &f->n_types);
    }
}

/* One value, or several in parentheses. */
static int read_values(struct ecl *e, struct filter *f, enum what what)
{
    int r = 0;

    if (!ecl_take(e, STR("(")))
        return read_value(e, f, what);
    while (r >= 0 && !ecl_take(e, STR(")")))
        r = read_value(e, f, what);
    return r;
}

static int read_active(struct ecl *e, struct filter *f)
{
    bool inverse;
    int r = read_not(e, &inverse);

    if (r < 0)
        return r;
    if (ecl_take(e, STR("1")) || ecl_take(e, STR("true")))
        f->active = !inverse;
    else if (ecl_take(e, STR("0")) || ecl_take(e, STR("false")))
        f->active = inverse;
    else
        return ecl_bad(e, "true or false is expected");
    return 0;
}

static int read_part(struct ecl *e, struct filter *f, bool of_concept)
{
    struct str word;
    int r;

    if (ecl_take(e, STR("active")))
        return read_active(e, f);
    if (!of_concept && ecl_take(e, STR("term")))
        return (r = read_not(e, &f->not_terms)) < 0 ? r : read_values(e, f, WHAT_TERM);
    if (!of_concept && ecl_take(e, STR("language")))
        return (r = read_not(e, &f->not_languages)) < 0 ? r : read_values(e, f, WHAT_LANGUAGE);
    if (!of_concept && (ecl_take(e, STR("typeId")) || ecl_take(e, STR("type"))))
        return (r = read_not(e, &f->not_types)) < 0 ? r : read_values(e, f, WHAT_TYPE);
    word = read_word(e);
    return err_set(e->err, ERR_VALUE,
                   "the expression constraint is wrong at place %zu: a filter by \"%.*s\" is not "
                   "supported",
                   e->at + 1, (int)MIN(word.n, 40u), word.p);
}

/* ---- asking ---- */

static bool has_words(struct str folded, struct str wanted)
{
    struct str word;

    while (wanted.n && str_split(&wanted, ' ', &word)) {
        struct str rest = folded, has;
        bool found = false;
        while (!found && rest.n && str_split(&rest, ' ', &has))
            found = str_starts(has, word);
        if (!found)
            return false;
    }
    return true;
}

/* "cardi*opathy", whatever the case; each asterisk stands for any text. */
static bool is_wild(struct str pattern, struct str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;

    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.n && str_eq_nocase(str_n(pattern.p + p, 1), str_n(text.p + t, 1))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

static bool is_one_of(struct str word, const struct str *list, size_t n, bool inverse)
{
    bool found = n == 0;

    for (size_t i = 0; i < n && !found; i++)
        found = str_eq_nocase(word, list[i]);
    return n == 0 || found != inverse;
}

static bool term_passes(struct ecl *e, const struct filter *f, struct str text)
{
    struct str folded = f->n_terms ? fold_dup(e->a, text) : STR("");
    bool found = f->n_terms == 0;

    for (size_t i = 0; i < f->n_terms && !found && folded.p; i++)
        found = f->wild[i] ? is_wild(f->terms[i], text) : has_words(folded, f->terms[i]);
    return f->n_terms == 0 || found != f->not_terms;
}

static bool has_description(struct ecl *e, const struct filter *f, uint32_t i)
{
    size_t n;
    const struct cs_designation *d = cs_designations(e->cs, i, &n);

    e->cost += 1 + n * (1 + f->n_terms);
    for (size_t k = 0; k < n; k++)
        if (is_one_of(cs_text(e->cs, d[k].language), f->languages, f->n_languages,
                      f->not_languages) &&
            is_one_of(cs_text(e->cs, d[k].use_code), f->types, f->n_types, f->not_types) &&
            term_passes(e, f, cs_text(e->cs, d[k].value)))
            return true;
    return false;
}

static bool passes(struct ecl *e, const struct filter *f, uint32_t i, bool of_concept)
{
    if (of_concept)
        return f->active < 0 || f->active == !(cs_at(e->cs, i)->flags & CONCEPT_INACTIVE);
    /* A release is loaded with its active descriptions. */
    return f->active != 0 && has_description(e, f, i);
}

int ecl_filter(struct ecl *e, uint64_t *to)
{
    struct filter f = {.active = -1};
    bool of_concept = ecl_take(e, STR("C"));
    int r;

    if (!of_concept)
        ecl_take(e, STR("D"));
    do {
        if ((r = read_part(e, &f, of_concept)) < 0)
            return r;
    } while (ecl_take(e, STR(",")));
    if (!ecl_take(e, STR("}}")))
        return ecl_bad(e, "the braces of the filter are not closed");
    for (uint32_t i = bits_next(to, cs_n(e->cs), 0); r >= 0 && i != CS_NONE;
         i = bits_next(to, cs_n(e->cs), i + 1))
        if ((r = ecl_check_cost(e)) >= 0 && !passes(e, &f, i, of_concept))
            to[i / 64] &= ~(UINT64_C(1) << i % 64);
    return r;
}
