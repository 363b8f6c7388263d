/* ecl_member.c - reference sets: "^", which of their rows count ({{ M … }}), which field is taken,
 * and what the sets of historical associations add to a set ({{ + HISTORY }}).
 *
 * A code system that came as a resource has no rows, only a property that names the sets of a
 * concept: that is enough for "^" alone.
 */
#include "terminology/ecl_int.h"

#define TARGET "targetComponentId"
#define REFERENCED "referencedComponentId"
#define ONE_FIELD "only one field can be taken, because a set of concepts is asked for"

/* Sets of historical associations (section 6.11). */
#define SAME_AS "900000000000527005"
#define REPLACED_BY "900000000000526001"
#define WAS_A "900000000000528000"
#define PARTIALLY_EQUIVALENT "1186924009"
#define HISTORICAL "900000000000522004" /* above all of them */

/* ---- rows ---- */

/* A field of a row; STR_NULL where the set has none of that name. */
static struct str field_of(const struct ecl *e, const struct cs_member *m, struct str name)
{
    size_t n;
    const struct cs_field *f = cs_member_fields(e->cs, m, &n);

    if (str_eq_nocase(name, STR(REFERENCED)))
        return cs_code(e->cs, m->concept);
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(cs_text(e->cs, f[i].name), name))
            return cs_text(e->cs, f[i].value);
    return STR_NULL;
}

static bool field_meets(const struct ecl *e, struct criterion *c, const struct cs_member *m)
{
    struct str text = field_of(e, m, c->field);
    uint64_t time = 0;
    double number;
    bool is;

    if (!text.p)
        return false;
    c->seen = true;
    switch (c->value) {
    case VALUE_NUMBER:
        number = ecl_number_of(text);
        return number == number && ecl_compares(c->cmp, number, c->number);
    case VALUE_TIMES:
        str_to_u64(text, UINT32_MAX, &time);
        return criterion_has_time(c, (uint32_t)time);
    case VALUE_TERMS: is = criterion_has_text(c, text); break;
    default: is = criterion_has_id(e, c, text);
    }
    return is == (c->cmp == CMP_EQ);
}

static bool row_meets(const struct ecl *e, struct criterion *c, const struct cs_member *m)
{
    bool is;

    switch (c->kind) {
    case BY_FIELD: return field_meets(e, c, m);
    case BY_ACTIVE: is = m->active ? c->yes : c->no; break;
    case BY_MODULE: is = criterion_has_id(e, c, cs_text(e->cs, m->module)); break;
    default: is = criterion_has_time(c, m->time);
    }
    return is == (c->cmp != CMP_NE);
}

/* `by_state`: the criteria say which rows count, the inactive ones with them. */
static bool row_passes(const struct ecl *e, struct criterion *c, bool by_state,
                       const struct cs_member *m)
{
    bool yes = by_state || m->active;

    for (; c; c = c->next)
        yes &= row_meets(e, c, m); /* each is asked, to see whether its field is there */
    return yes;
}

/* ---- "^" ---- */

/* What a row gives: its component, or the concept that a field names. */
static void take_row(const struct ecl *e, const struct cs_member *m, struct str field, uint64_t *to)
{
    struct str text = field.n ? field_of(e, m, field) : STR("");
    uint32_t i = field.n ? text.n ? cs_find(e->cs, text) : CS_NONE : m->concept;

    if (i != CS_NONE)
        bits_add(to, i);
}

/* Members by the property of concepts. */
static void members_by_property(const struct ecl *e, const uint64_t *of, uint64_t *to)
{
    int def = cs_property_find(e->cs, STR(ECL_MEMBER));

    for (uint32_t i = 0; def >= 0 && i < cs_n(e->cs); i++) {
        size_t n;
        const struct cs_property *p = cs_properties(e->cs, i, &n);
        for (size_t k = 0; k < n; k++) {
            uint32_t set =
                (int)p[k].def == def ? cs_find(e->cs, cs_text(e->cs, p[k].value)) : CS_NONE;
            if (set != CS_NONE && bits_has(of, set))
                bits_add(to, i);
        }
    }
}

static int no_field(struct ecl *e, struct str name)
{
    return err_set(e->err, ERR_VALUE,
                   "the expression constraint is wrong before place %zu: no reference set that it "
                   "names has a field \"%.*s\"",
                   e->at + 1, (int)MIN(name.n, 40u), name.p);
}

static int no_rows(struct ecl *e)
{
    return ecl_bad(e, "rows of reference sets are not kept here: the release must be loaded again");
}

static int members_by_rows(struct ecl *e, const uint64_t *of, struct str field, struct criterion *c,
                           uint64_t *to)
{
    size_t n;
    const struct cs_member *m = cs_members(e->cs, &n);
    bool by_state = criteria_have(c, BY_ACTIVE), has_field = !field.n, any = false;
    int r = 0;

    e->cost += n;
    for (size_t k = 0; r >= 0 && k < n; k++) {
        if (!bits_has(of, m[k].set))
            continue;
        any = true;
        e->cost += 10;
        has_field = has_field || field_of(e, &m[k], field).p;
        if (row_passes(e, c, by_state, &m[k]))
            take_row(e, &m[k], field, to);
        r = ecl_check_cost(e);
    }
    for (; r >= 0 && any && c; c = c->next)
        if (c->kind == BY_FIELD && !c->seen)
            return no_field(e, c->field);
    return r >= 0 && any && !has_field ? no_field(e, field) : r;
}

/* "[targetComponentId]" */
static int read_field(struct ecl *e, struct str *ret)
{
    *ret = STR("");
    if (!ecl_take(e, STR("[")))
        return 0;
    if (ecl_take(e, STR("*")))
        return ecl_bad(e, ONE_FIELD);
    *ret = ecl_word(e);
    if (!ret->n)
        return ecl_bad(e, "the name of a field is expected");
    if (ecl_take(e, STR(",")))
        return ecl_bad(e, ONE_FIELD);
    return ecl_take(e, STR("]")) ? 0 : ecl_bad(e, "a bracket is not closed");
}

/* All {{ M … }} that stand here: a row must pass each. */
static int read_filters(struct ecl *e, struct criterion **ret)
{
    int r = 0;

    *ret = NULL;
    while (r >= 0) {
        size_t at = e->at;
        struct criterion *more, **last = &more;
        if (!ecl_take(e, STR("{{")) || !ecl_take(e, STR("M"))) {
            e->at = at;
            return 0;
        }
        if ((r = ecl_criteria(e, OF_MEMBER, &more)) < 0)
            return r;
        while (*last)
            last = &(*last)->next;
        *last = *ret;
        *ret = more;
    }
    return r;
}

int ecl_member_of(struct ecl *e, uint64_t *to)
{
    uint64_t *of = ecl_bits(e);
    struct criterion *c;
    struct str field;
    size_t n;
    int r;

    if (!of)
        return ecl_no_bits(e);
    if ((r = read_field(e, &field)) < 0 || (r = ecl_focus(e, of)) < 0 ||
        (r = read_filters(e, &c)) < 0)
        return r;
    cs_members(e->cs, &n);
    if (n)
        return members_by_rows(e, of, field, c, to);
    if (c || field.n)
        return no_rows(e);
    members_by_property(e, of, to);
    return 0;
}

/* ---- history ---- */

static void add_set(const struct ecl *e, struct str id, uint64_t *sets)
{
    uint32_t i = cs_find(e->cs, id);

    if (i != CS_NONE)
        bits_add(sets, i);
}

/* All of them: those below the one that stands for them. */
static int all_history(struct ecl *e, uint64_t *sets)
{
    uint32_t i = cs_find(e->cs, STR(HISTORICAL));

    if (i == CS_NONE)
        return 0;
    return cs_descendants(e->cs, e->a, i, sets, e->err);
}

/* HISTORY, HISTORY-MIN, HISTORY-MOD, HISTORY-MAX, or HISTORY ( … ). */
static int read_profile(struct ecl *e, uint64_t *sets)
{
    struct str word = ecl_word(e);
    char profile[4] = "MAX";
    int r;

    if (!str_eq_nocase(str_head(word, 7), STR("HISTORY")) || (word.n != 7 && word.n != 11))
        return ecl_bad(e, "HISTORY is expected, or HISTORY-MIN, HISTORY-MOD or HISTORY-MAX");
    if (word.n == 11)
        memcpy(profile, word.p + 8, 3);
    else if (ecl_take(e, STR("("))) {
        if ((r = ecl_enter(e)) < 0)
            return r;
        r = ecl_expression(e, sets);
        ecl_leave(e);
        return r >= 0 && !ecl_take(e, STR(")")) ? ecl_bad(e, "a closing parenthesis is missing")
                                                : r;
    }
    if (str_eq_nocase(str_c(profile), STR("MAX")))
        return all_history(e, sets);
    add_set(e, STR(SAME_AS), sets);
    if (str_eq_nocase(str_c(profile), STR("MIN")))
        return 0;
    if (!str_eq_nocase(str_c(profile), STR("MOD")))
        return ecl_bad(e, "HISTORY-MIN, HISTORY-MOD or HISTORY-MAX is expected");
    add_set(e, STR(REPLACED_BY), sets);
    add_set(e, STR(WAS_A), sets);
    add_set(e, STR(PARTIALLY_EQUIVALENT), sets);
    return 0;
}

int ecl_history(struct ecl *e, uint64_t *to)
{
    uint64_t *sets = ecl_bits(e), *more = ecl_bits(e);
    const struct cs_member *m;
    size_t n;
    int r;

    if (!sets || !more)
        return ecl_no_bits(e);
    if ((r = read_profile(e, sets)) < 0)
        return r;
    if (!ecl_take(e, STR("}}")))
        return ecl_bad(e, "the braces of the supplement are not closed");
    m = cs_members(e->cs, &n);
    if (!n)
        return no_rows(e);
    e->cost += n;
    for (size_t k = 0; k < n; k++) {
        struct str target;
        uint32_t i;
        if (!m[k].active || !bits_has(sets, m[k].set))
            continue;
        target = field_of(e, &m[k], STR(TARGET));
        i = target.n ? cs_find(e->cs, target) : CS_NONE;
        if (i != CS_NONE && bits_has(to, i))
            bits_add(more, m[k].concept);
    }
    for (size_t w = 0; w < bits_words(cs_n(e->cs)); w++)
        to[w] |= more[w];
    return ecl_check_cost(e);
}
