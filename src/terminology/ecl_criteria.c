/* ecl_criteria.c - what stands in the braces of a filter, read and compared. */
#include "terminology/ecl_int.h"

#include "fhir/fold.h"

#include <ctype.h>

#define FOLDED_MAX KIB(8) /* bytes of a folded term that are compared */
#define WILDCARD '\1'     /* an asterisk that stands for any text */

#define IN_D (1u << OF_DESCRIPTION)
#define IN_C (1u << OF_CONCEPT)
#define IN_M (1u << OF_MEMBER)
#define IN_ALL (IN_D | IN_C | IN_M)

/* Words that stand for concepts. */
static const struct {
    enum criterion_kind kind;
    struct str word, id;
} names[] = {
    {BY_TYPE, STR("fsn"), STR("900000000000003001")},
    {BY_TYPE, STR("syn"), STR("900000000000013009")},
    {BY_TYPE, STR("def"), STR("900000000000550004")},
    /* Language reference sets: appendix C. */
    {BY_DIALECT, STR("da-dk"), STR("554461000005103")},
    {BY_DIALECT, STR("de"), STR("722130004")},
    {BY_DIALECT, STR("en-au"), STR("32570271000036106")},
    {BY_DIALECT, STR("en-ca"), STR("19491000087109")},
    {BY_DIALECT, STR("en-gb"), STR("900000000000508004")},
    {BY_DIALECT, STR("en-gb-x-drug"), STR("999000681000001101")},
    {BY_DIALECT, STR("en-gb-x-ext"), STR("999001251000000103")},
    {BY_DIALECT, STR("en-ie"), STR("21000220103")},
    {BY_DIALECT, STR("en-nz"), STR("271000210107")},
    {BY_DIALECT, STR("en-nz-x-pat"), STR("281000210109")},
    {BY_DIALECT, STR("en-us"), STR("900000000000509007")},
    {BY_DIALECT, STR("en-x-gmdn"), STR("608771002")},
    {BY_DIALECT, STR("en-x-nhs-clinical"), STR("999001261000000100")},
    {BY_DIALECT, STR("en-x-nhs-dmd"), STR("999000671000001103")},
    {BY_DIALECT, STR("en-x-nhs-pharmacy"), STR("999000691000001104")},
    {BY_DIALECT, STR("es"), STR("450828004")},
    {BY_DIALECT, STR("es-uy"), STR("5641000179103")},
    {BY_DIALECT, STR("et-ee"), STR("71000181105")},
    {BY_DIALECT, STR("fr"), STR("722131000")},
    {BY_DIALECT, STR("fr-be"), STR("21000172104")},
    {BY_DIALECT, STR("fr-ca"), STR("20581000087109")},
    {BY_DIALECT, STR("ja"), STR("722129009")},
    {BY_DIALECT, STR("mi"), STR("291000210106")},
    {BY_DIALECT, STR("nb-no"), STR("61000202103")},
    {BY_DIALECT, STR("nl-be"), STR("31000172101")},
    {BY_DIALECT, STR("nl-nl"), STR("31000146106")},
    {BY_DIALECT, STR("nn-no"), STR("91000202106")},
    {BY_DIALECT, STR("sv-se"), STR("46011000052107")},
    {BY_DIALECT, STR("zh"), STR("722128001")},
};

/* ---- reading ---- */

static struct choice *add_choice(struct ecl *e, struct criterion *c, struct str text)
{
    if (c->n == ECL_FILTER_MAX) {
        err_set(e->err, ERR_COSTLY, "a criterion of a filter may name %d values", ECL_FILTER_MAX);
        return NULL;
    }
    if (!c->choices && !(c->choices = ARENA_ARRAY(e->a, struct choice, ECL_FILTER_MAX))) {
        err_no_memory(e->err);
        return NULL;
    }
    c->choices[c->n].text = text;
    return &c->choices[c->n++];
}

typedef int read_choice(struct ecl *e, struct criterion *c);

/* One, or several in parentheses. */
static int read_choices(struct ecl *e, struct criterion *c, read_choice *one)
{
    int r = 0;

    if (!ecl_take(e, STR("(")))
        return one(e, c);
    do
        r = one(e, c);
    while (r >= 0 && !ecl_take(e, STR(")")));
    return r;
}

/* As written, but "\\" before a quote, a backslash or an asterisk takes its meaning from it. */
static int read_pattern(struct ecl *e, struct str *ret)
{
    char *to = arena_alloc(e->a, e->text.n);
    size_t n = 0;

    if (!to)
        return err_no_memory(e->err);
    for (; e->at < e->text.n && e->text.p[e->at] != '"'; e->at++) {
        bool literal = e->text.p[e->at] == '\\' && e->at + 1 < e->text.n;
        e->at += literal;
        to[n++] = !literal && e->text.p[e->at] == '*' ? WILDCARD : e->text.p[e->at];
    }
    if (e->at++ >= e->text.n)
        return ecl_bad(e, "the text is not closed");
    *ret = str_n(to, n);
    return 0;
}

static int read_term(struct ecl *e, struct criterion *c)
{
    bool wild = ecl_take(e, STR("wild")) && ecl_take(e, STR(":"));
    struct choice *choice;
    struct str text;
    int r;

    if (!wild && ecl_take(e, STR("match")) && !ecl_take(e, STR(":")))
        return ecl_bad(e, "a colon is expected");
    if (!ecl_take(e, STR("\"")))
        return ecl_bad(e, "a text is expected");
    if ((r = wild ? read_pattern(e, &text) : ecl_quoted(e, &text)) < 0)
        return r;
    /* Folding would take the asterisks out of a pattern: that is compared as it is. */
    if (!wild && !(text = fold_dup(e->a, text)).p)
        return err_no_memory(e->err);
    if (!(choice = add_choice(e, c, text)))
        return ecl_no_bits(e);
    choice->wild = wild;
    return 0;
}

static struct str named(enum criterion_kind kind, struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].kind == kind && str_eq_nocase(names[i].word, word))
            return names[i].id;
    return STR_NULL;
}

static int read_name(struct ecl *e, struct criterion *c)
{
    size_t at = e->at;
    struct str word = ecl_word(e), id = word;

    if (word.n && c->kind != BY_LANGUAGE)
        id = named(c->kind, word);
    if (!word.n || !id.p) {
        e->at = at;
        return ecl_bad(e, c->kind == BY_DIALECT ? "an alias of a dialect is expected"
                          : c->kind == BY_TYPE  ? "syn, fsn or def is expected"
                                                : "a language is expected");
    }
    return add_choice(e, c, id) ? 0 : ecl_no_bits(e);
}

static int read_reference(struct ecl *e, struct criterion *c)
{
    struct str id;
    int r = ecl_reference(e, &id);

    return r < 0 ? r : add_choice(e, c, id) ? 0 : ecl_no_bits(e);
}

/* "(prefer accept)" or "(900000000000548007 |Preferred|)": 1 when there was one. */
static int read_acceptability(struct ecl *e, bool *preferred, bool *acceptable)
{
    struct str id;
    int r;

    if (!ecl_take(e, STR("(")))
        return 0;
    *preferred = *acceptable = false;
    do {
        if (ecl_take(e, STR("prefer")) || ecl_take(e, STR("preferred"))) {
            *preferred = true;
        } else if (ecl_take(e, STR("accept")) || ecl_take(e, STR("acceptable"))) {
            *acceptable = true;
        } else {
            if ((r = ecl_reference(e, &id)) < 0)
                return r;
            *preferred |= str_eq(id, STR("900000000000548007"));
            *acceptable |= str_eq(id, STR("900000000000549004"));
        }
    } while (!ecl_take(e, STR(")")));
    return 1;
}

static int read_dialect_with(struct ecl *e, struct criterion *c, read_choice *one)
{
    struct choice *choice;
    int r = one(e, c);

    if (r < 0)
        return r;
    choice = &c->choices[c->n - 1];
    choice->preferred = choice->acceptable = true;
    return MIN(read_acceptability(e, &choice->preferred, &choice->acceptable), 0);
}

static int read_dialect(struct ecl *e, struct criterion *c)
{
    return read_dialect_with(e, c, read_name);
}

static int read_dialect_id(struct ecl *e, struct criterion *c)
{
    return read_dialect_with(e, c, read_reference);
}

/* What stands behind all of them is of each. */
static int read_dialects(struct ecl *e, struct criterion *c, read_choice *one)
{
    bool preferred, acceptable;
    int r = read_choices(e, c, one);

    if (r < 0 || (r = read_acceptability(e, &preferred, &acceptable)) <= 0)
        return r;
    for (size_t i = 0; i < c->n; i++) {
        c->choices[i].preferred = preferred;
        c->choices[i].acceptable = acceptable;
    }
    return 0;
}

static bool is_date(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isdigit((unsigned char)s.p[i]))
            return false;
    return s.n == 0 || s.n == 8;
}

static int read_time(struct ecl *e, struct criterion *c)
{
    struct str text;
    int r;

    if (!ecl_take(e, STR("\"")))
        return ecl_bad(e, "a date like \"20240131\" is expected");
    if ((r = ecl_quoted(e, &text)) < 0)
        return r;
    if (!is_date(text))
        return ecl_bad(e, "a date like \"20240131\" is expected");
    return add_choice(e, c, text) ? 0 : ecl_no_bits(e);
}

/* Whether a list of concept references stands here, and no expression in parentheses. */
static bool sees_references(struct ecl *e)
{
    size_t at = e->at;
    struct err *err = e->err, ignored = {0};
    struct str id;
    bool is_list = false;

    e->err = &ignored;
    if (ecl_take(e, STR("("))) {
        while (ecl_reference(e, &id) >= 0)
            is_list = true;
        is_list &= ecl_sees(e, STR(")"));
    } else {
        is_list = ecl_reference(e, &id) >= 0 && !ecl_sees(e, STR(".")) && !ecl_sees(e, STR("{{"));
    }
    e->err = err;
    e->at = at;
    return is_list;
}

/* Concepts by their ids, known here or not; or those that an expression selects. */
static int read_concepts(struct ecl *e, struct criterion *c)
{
    int r;

    if (sees_references(e))
        return read_choices(e, c, read_reference);
    if (!(c->concepts = ecl_bits(e)))
        return ecl_no_bits(e);
    if ((r = ecl_enter(e)) < 0)
        return r;
    r = ecl_sub(e, c->concepts);
    ecl_leave(e);
    return r;
}

/* "(primitive defined)" */
static int read_status(struct ecl *e, struct criterion *c)
{
    bool list = ecl_take(e, STR("("));

    do {
        if (ecl_take(e, STR("primitive")))
            c->no = true;
        else if (ecl_take(e, STR("defined")))
            c->yes = true;
        else
            return ecl_bad(e, "primitive or defined is expected");
    } while (list && !ecl_take(e, STR(")")));
    return 0;
}

static int read_status_id(struct ecl *e, struct criterion *c)
{
    int r = read_concepts(e, c);

    c->no = r >= 0 && criterion_has_id(e, c, STR("900000000000074008"));
    c->yes = r >= 0 && criterion_has_id(e, c, STR("900000000000073002"));
    return r;
}

static int read_active(struct ecl *e, struct criterion *c)
{
    c->yes = ecl_take(e, STR("1")) || ecl_take(e, STR("true"));
    c->no = !c->yes && (ecl_take(e, STR("0")) || ecl_take(e, STR("false")));
    if (!c->yes && !c->no && ecl_take(e, STR("\"*\"")))
        c->yes = c->no = true;
    return c->yes || c->no ? 0 : ecl_bad(e, "true or false is expected");
}

/* What a field is compared with says what kind of field it is. */
static int read_field(struct ecl *e, struct criterion *c)
{
    size_t at;
    bool is_text;

    if (ecl_take(e, STR("#"))) {
        c->value = VALUE_NUMBER;
        return ecl_decimal(e, &c->number);
    }
    if (c->cmp != CMP_EQ && c->cmp != CMP_NE) {
        c->value = VALUE_TIMES;
        return read_choices(e, c, read_time);
    }
    if (ecl_sees(e, STR("true")) || ecl_sees(e, STR("false"))) {
        c->value = VALUE_TERMS;
        return add_choice(e, c, ecl_word(e)) ? 0 : ecl_no_bits(e);
    }
    at = e->at;
    ecl_take(e, STR("("));
    is_text = ecl_sees(e, STR("\"")) || ecl_sees(e, STR("match")) || ecl_sees(e, STR("wild"));
    e->at = at;
    c->value = is_text ? VALUE_TERMS : VALUE_IDS;
    return is_text ? read_choices(e, c, read_term) : read_concepts(e, c);
}

static int read_terms(struct ecl *e, struct criterion *c)
{
    return read_choices(e, c, read_term);
}

static int read_names(struct ecl *e, struct criterion *c)
{
    return read_choices(e, c, read_name);
}

static int read_ids(struct ecl *e, struct criterion *c)
{
    return read_choices(e, c, read_reference);
}

static int read_times(struct ecl *e, struct criterion *c)
{
    return read_choices(e, c, read_time);
}

static int read_alias_set(struct ecl *e, struct criterion *c)
{
    return read_dialects(e, c, read_dialect);
}

static int read_dialect_set(struct ecl *e, struct criterion *c)
{
    int r;

    ecl_skip(e);
    if (e->at < e->text.n && (e->text.p[e->at] == '(' || isdigit((unsigned char)e->text.p[e->at])))
        return read_dialects(e, c, read_dialect_id);
    c->yes = c->no = true;
    r = read_concepts(e, c);
    return r < 0 ? r : MIN(read_acceptability(e, &c->yes, &c->no), 0);
}

static const struct {
    struct str word;
    unsigned of;
    enum criterion_kind kind;
    bool ordered; /* may be compared with < and > */
    int (*read)(struct ecl *e, struct criterion *c);
} table[] = {
    {STR("term"), IN_D, BY_TERM, false, read_terms},
    {STR("language"), IN_D, BY_LANGUAGE, false, read_names},
    {STR("typeId"), IN_D, BY_TYPE, false, read_concepts},
    {STR("type"), IN_D, BY_TYPE, false, read_names},
    {STR("dialectId"), IN_D, BY_DIALECT, false, read_dialect_set},
    {STR("dialect"), IN_D, BY_DIALECT, false, read_alias_set},
    {STR("id"), IN_D, BY_ID, false, read_ids},
    {STR("definitionStatusId"), IN_C, BY_STATUS, false, read_status_id},
    {STR("definitionStatus"), IN_C, BY_STATUS, false, read_status},
    {STR("moduleId"), IN_ALL, BY_MODULE, false, read_concepts},
    {STR("effectiveTime"), IN_ALL, BY_TIME, true, read_times},
    {STR("active"), IN_ALL, BY_ACTIVE, false, read_active},
};

static int read_one(struct ecl *e, enum ecl_of of, struct criterion *c)
{
    struct str word = ecl_word(e);
    int (*read)(struct ecl * e, struct criterion * c) = NULL;
    bool ordered = false;

    for (size_t i = 0; i < ARRAY_LEN(table) && !read; i++)
        if (table[i].of & 1u << of && str_eq_nocase(table[i].word, word)) {
            c->kind = table[i].kind;
            ordered = table[i].ordered;
            read = table[i].read;
        }
    if (!read && of == OF_MEMBER && word.n) {
        c->kind = BY_FIELD;
        c->field = word;
        ordered = true;
        read = read_field;
    }
    if (!read)
        return err_set(e->err, ERR_VALUE,
                       "the expression constraint is wrong at place %zu: \"%.*s\" is nothing that "
                       "this filter knows",
                       e->at + 1, (int)MIN(word.n, 40u), word.n ? word.p : "");
    if (!ecl_comparison(e, &c->cmp) || (!ordered && c->cmp != CMP_EQ && c->cmp != CMP_NE))
        return ecl_bad(e, "= or != is expected");
    return read(e, c);
}

int ecl_criteria(struct ecl *e, enum ecl_of of, struct criterion **ret)
{
    struct criterion **next = ret;
    int r;

    *ret = NULL;
    do {
        if (++e->parts > ECL_PARTS_MAX)
            return err_set(e->err, ERR_COSTLY, "an expression constraint may have %d parts",
                           ECL_PARTS_MAX);
        if (!(*next = ARENA_NEW(e->a, struct criterion)))
            return err_no_memory(e->err);
        if ((r = read_one(e, of, *next)) < 0)
            return r;
        next = &(*next)->next;
    } while (ecl_take(e, STR(",")));
    return ecl_take(e, STR("}}")) ? 0 : ecl_bad(e, "the braces of the filter are not closed");
}

/* ---- comparing ---- */

bool criteria_have(const struct criterion *c, enum criterion_kind kind)
{
    for (; c; c = c->next)
        if (c->kind == kind)
            return true;
    return false;
}

bool criterion_has_id(const struct ecl *e, const struct criterion *c, struct str id)
{
    uint32_t i;

    for (size_t k = 0; k < c->n; k++)
        if (str_eq(c->choices[k].text, id))
            return true;
    if (!c->concepts)
        return false;
    i = cs_find(e->cs, id);
    return i != CS_NONE && bits_has(c->concepts, i);
}

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
        if (p < pattern.n && pattern.p[p] == WILDCARD) {
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
    while (p < pattern.n && pattern.p[p] == WILDCARD)
        p++;
    return p == pattern.n;
}

bool criterion_has_text(const struct criterion *c, struct str text)
{
    char buffer[FOLDED_MAX];
    struct str folded = STR_NULL;

    for (size_t i = 0; i < c->n; i++) {
        const struct choice *choice = &c->choices[i];
        if (!choice->wild && !folded.p)
            folded = str_n(buffer, fold_text(text, buffer, sizeof buffer, NULL));
        if (choice->wild ? is_wild(choice->text, text) : has_words(folded, choice->text))
            return true;
    }
    return false;
}

/* Nothing is before or after a component that has no time yet. */
bool criterion_has_time(const struct criterion *c, uint32_t time)
{
    uint64_t date = 0;

    for (size_t i = 0; i < c->n; i++) {
        bool ordered = c->cmp != CMP_EQ && c->cmp != CMP_NE;
        if (c->choices[i].text.n && !str_to_u64(c->choices[i].text, UINT32_MAX, &date))
            continue;
        if (!c->choices[i].text.n)
            date = 0;
        if (ordered && (!date || !time))
            continue;
        if (ecl_compares(ordered ? c->cmp : CMP_EQ, time, (double)date))
            return true;
    }
    return false;
}
