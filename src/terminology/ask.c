/* ask.c - the short questions of struct world. */
#include "terminology/terms_int.h"

#include "terminology/grammar.h"

/* ---- one code ---- */

int terms_member_of(struct terms *t, struct arena *a, struct str value_set,
                    const struct coding *coding, enum terms_answer *ret, struct err *err)
{
    _cleanup_(terms_scope_done) struct terms_scope s;
    struct vs_found found;
    struct vs *vs;
    int r;

    terms_scope_init(&s, t, a);
    r = terms_value_set(&s, value_set, &vs, err);
    if (r < 0)
        return r;
    *ret = TERMS_UNKNOWN;
    if (vs)
        *ret = vs_has(vs, coding->system, STR_NULL, coding->code, &found) ? TERMS_YES
               : vs->unknown.p                                            ? TERMS_UNKNOWN
                                                                          : TERMS_NO;
    return 0;
}

/* The display asked with, where it is one of the code's designations. */
static struct str display_of(const struct cs *cs, uint32_t i, struct str wanted)
{
    size_t n;
    const struct cs_designation *d = cs_designations(cs, i, &n);

    for (size_t k = 0; wanted.n && k < n; k++)
        if (display_is(cs_text(cs, d[k].value), wanted))
            return wanted;
    return cs_display(cs, i);
}

int terms_has_code(struct terms *t, struct arena *a, const struct coding *coding,
                   enum terms_answer *ret, struct str *ret_display, struct err *err)
{
    _cleanup_(terms_scope_done) struct terms_scope s;
    struct str display = STR_NULL;
    struct cs *cs;
    uint32_t i;
    int r;

    terms_scope_init(&s, t, a);
    r = terms_code_system(&s, coding->system, coding->version, &cs, err);
    if (r >= 0 && !cs && coding->version.n)
        r = terms_code_system(&s, coding->system, STR_NULL, &cs, err);
    if (r < 0)
        return r;
    *ret = TERMS_UNKNOWN;
    if (!cs)
        return 0;
    i = cs_find(cs, coding->code);
    if (i != CS_NONE) {
        *ret = TERMS_YES;
        display = display_of(cs, i, coding->display);
    } else if (grammar_has(cs, a, coding->code, &display, NULL)) {
        *ret = TERMS_YES;
    } else if (cs_info(cs)->content == CONTENT_COMPLETE) {
        *ret = TERMS_NO;
    }
    if (ret_display && *ret == TERMS_YES) {
        *ret_display = arena_dup(a, display);
        if (!ret_display->p)
            return err_no_memory(err);
    }
    return 0;
}

int terms_subsumes(struct terms *t, struct arena *a, struct str system, struct str code_a,
                   struct str code_b, enum terms_relation *ret, struct err *err)
{
    _cleanup_(terms_scope_done) struct terms_scope s;
    struct cs *cs;
    uint32_t i, k;
    int r;

    terms_scope_init(&s, t, a);
    r = terms_code_system(&s, system, STR_NULL, &cs, err);
    if (r < 0)
        return r;
    *ret = RELATION_UNKNOWN;
    if (!cs)
        return 0;
    i = cs_find(cs, code_a);
    k = cs_find(cs, code_b);
    if (i != CS_NONE && k != CS_NONE)
        *ret = i == k              ? RELATION_EQUIVALENT
               : cs_is_a(cs, k, i) ? RELATION_SUBSUMES
               : cs_is_a(cs, i, k) ? RELATION_SUBSUMED_BY
                                   : RELATION_NOT;
    return 0;
}

/* ---- all of a set ---- */

struct listing {
    struct arena *a;
    struct coding *v;
    size_t n, max;
    struct err *err;
};

static int list_one(struct listing *l, struct str system, struct str version, struct str code,
                    struct str display)
{
    struct coding *c = &l->v[l->n++];

    /* What is in the scope goes with it: the texts move to the caller's memory. Those of a group
     * share its system. */
    *c = (struct coding){system, version, arena_dup(l->a, code), arena_dup(l->a, display)};
    return c->code.p && c->display.p ? 0 : err_no_memory(l->err);
}

static int list_begin(struct listing *l, size_t n)
{
    if (n > l->max)
        return err_set(l->err, ERR_COSTLY,
                       "the set has %zu codes, of which at most %zu can be used", n, l->max);
    l->v = ARENA_ARRAY(l->a, struct coding, n);
    return l->v ? 0 : err_no_memory(l->err);
}

static int list_value_set(struct listing *l, const struct vs *vs)
{
    int r = list_begin(l, vs->n);

    for (const struct vs_run *run = vs->first; r >= 0 && run; run = run->next) {
        const struct vs_group *g = &vs->groups[run->group];
        struct str system = arena_dup(l->a, g->system), version = arena_dup(l->a, g->version);
        if (!system.p || !version.p)
            return err_no_memory(l->err);
        for (size_t i = 0; r >= 0 && run->list && i < run->n; i++)
            r = list_one(l, system, version, run->list[i].code, run->list[i].display);
        for (uint32_t i = run->bits ? bits_next(run->bits, cs_n(g->cs), 0) : CS_NONE;
             r >= 0 && i != CS_NONE; i = bits_next(run->bits, cs_n(g->cs), i + 1))
            r = list_one(l, system, version, cs_code(g->cs, i), cs_display(g->cs, i));
    }
    return r;
}

static int list_bits(struct listing *l, const struct cs *cs, const uint64_t *bits)
{
    struct str system = arena_dup(l->a, cs_url(cs)), version = arena_dup(l->a, cs_version(cs));
    int r = list_begin(l, bits_count(bits, cs_n(cs)));

    if (r >= 0 && (!system.p || !version.p))
        return err_no_memory(l->err);
    for (uint32_t i = bits_next(bits, cs_n(cs), 0); r >= 0 && i != CS_NONE;
         i = bits_next(bits, cs_n(cs), i + 1))
        r = list_one(l, system, version, cs_code(cs, i), cs_display(cs, i));
    return r;
}

static int list_hierarchy(struct listing *l, struct terms_scope *s, enum terms_set kind,
                          const struct coding *of, bool *ret_known)
{
    uint64_t *bits;
    struct cs *cs;
    uint32_t i;
    int r = terms_code_system(s, of->system, of->version, &cs, l->err);

    *ret_known = r >= 0 && cs && (i = cs_find(cs, of->code)) != CS_NONE;
    if (!*ret_known)
        return r;
    bits = ARENA_ARRAY(l->a, uint64_t, bits_words(cs_n(cs)));
    if (!bits)
        return err_no_memory(l->err);
    r = kind == TERMS_DESCENDANTS ? cs_descendants(cs, l->a, i, bits, l->err)
                                  : cs_ancestors(cs, l->a, i, bits, l->err);
    return r < 0 ? r : list_bits(l, cs, bits);
}

static bool is_endless(const struct vs *vs)
{
    for (size_t i = 0; i < vs->n_groups; i++)
        if (vs_is_endless(&vs->groups[i]))
            return true;
    return false;
}

int terms_codes(struct terms *t, struct arena *a, enum terms_set kind, struct str url,
                const struct coding *of, size_t max, struct coding **ret, size_t *ret_n,
                enum terms_answer *ret_known, struct err *err)
{
    _cleanup_(terms_scope_done) struct terms_scope s;
    struct listing l = {.a = a, .max = max, .err = err};
    struct vs *vs = NULL;
    bool known;
    int r;

    terms_scope_init(&s, t, a);
    if (kind == TERMS_VALUE_SET) {
        r = terms_value_set(&s, url, &vs, err);
        known = r >= 0 && vs && !vs->unknown.p && !is_endless(vs);
        if (known)
            r = list_value_set(&l, vs);
    } else {
        r = list_hierarchy(&l, &s, kind, of, &known);
    }
    if (r < 0)
        return r;
    *ret_known = known ? TERMS_YES : TERMS_UNKNOWN;
    *ret = l.v;
    *ret_n = l.n;
    return 0;
}
