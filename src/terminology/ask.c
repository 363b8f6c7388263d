/* ask.c - the short questions of struct world. */
#include "terminology/terms_int.h"

#include "fhir/code_set.h"
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
        if (i == CS_NONE && coding->display.n)
            display = coding->display; /* a grammar gives its codes no text that others must use */
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

static int list_begin(size_t n, size_t max, struct code_set **ret, struct err *err)
{
    if (n > max)
        return err_set(err, ERR_COSTLY, "the set has %zu codes, of which at most %zu can be used",
                       n, max);
    return code_set_new(n, ret, err);
}

static int list_bits(struct code_set *set, struct str system, const struct cs *cs,
                     const uint64_t *bits, struct err *err)
{
    int r = 0;

    for (uint32_t i = bits_next(bits, cs_n(cs), 0); r >= 0 && i != CS_NONE;
         i = bits_next(bits, cs_n(cs), i + 1))
        r = code_set_add(set, system, cs_code(cs, i), err);
    return r;
}

static bool is_endless(const struct vs *vs)
{
    for (size_t i = 0; i < vs->n_groups; i++)
        if (vs_is_endless(&vs->groups[i]))
            return true;
    return false;
}

static int list_value_set(struct terms_scope *s, struct str url, size_t max, struct code_set **ret,
                          struct err *err)
{
    struct vs *vs;
    int r = terms_value_set(s, url, &vs, err);

    if (r < 0 || !vs || vs->unknown.p || is_endless(vs))
        return r;
    r = list_begin(vs->n, max, ret, err);
    for (const struct vs_run *run = vs->first; r >= 0 && run; run = run->next) {
        const struct vs_group *g = &vs->groups[run->group];
        struct str system = code_set_text(*ret, g->system);
        if (!system.p)
            return err_no_memory(err);
        for (size_t i = 0; r >= 0 && run->list && i < run->n; i++)
            r = code_set_add(*ret, system, run->list[i].code, err);
        if (r >= 0 && run->bits)
            r = list_bits(*ret, system, g->cs, run->bits, err);
    }
    return r;
}

static int list_hierarchy(struct terms_scope *s, enum terms_set kind, const struct coding *of,
                          size_t max, struct code_set **ret, struct err *err)
{
    struct str system;
    uint64_t *bits;
    struct cs *cs;
    uint32_t i;
    int r = terms_code_system(s, of->system, STR_NULL, &cs, err);

    if (r < 0 || !cs || (i = cs_find(cs, of->code)) == CS_NONE)
        return r;
    bits = ARENA_ARRAY(s->a, uint64_t, bits_words(cs_n(cs)));
    if (!bits)
        return err_no_memory(err);
    r = kind == TERMS_DESCENDANTS ? cs_descendants(cs, s->a, i, bits, err)
                                  : cs_ancestors(cs, s->a, i, bits, err);
    if (r < 0 || (r = list_begin(bits_count(bits, cs_n(cs)), max, ret, err)) < 0)
        return r;
    system = code_set_text(*ret, cs_url(cs));
    return system.p ? list_bits(*ret, system, cs, bits, err) : err_no_memory(err);
}

/* Makes the set and keeps it, NULL where it is not known. */
static int make_codes(struct terms_scope *s, struct str key, enum terms_set kind, struct str url,
                      const struct coding *of, size_t max, void **ret, struct err *err)
{
    _cleanup_(code_set_unrefp) struct code_set *set = NULL;
    uint64_t generation = terms_generation(s->t);
    int r = kind == TERMS_VALUE_SET ? list_value_set(s, url, max, &set, err)
                                    : list_hierarchy(s, kind, of, max, &set, err);

    if (r >= 0 && set)
        r = code_set_finish(set, err);
    if (r < 0)
        return r;
    *ret = set;
    set = NULL;
    return terms_kept_put(s, KEPT_CODES, key, *ret, generation, err);
}

static void release_codes(void *set)
{
    code_set_unref(set);
}

int terms_codes(struct terms *t, struct arena *a, enum terms_set kind, struct str url,
                const struct coding *of, size_t max, bool quick, const struct code_set **ret,
                struct err *err)
{
    _cleanup_(terms_scope_done) struct terms_scope s;
    struct str key;
    void *set;
    int r;

    terms_scope_init(&s, t, a);
    key = kind == TERMS_VALUE_SET
              ? arena_fmt(a, "in %.*s", STR_ARG(url))
              : arena_fmt(a, "%s %zu %.*s %.*s", kind == TERMS_DESCENDANTS ? "below" : "above",
                          of->system.n, STR_ARG(of->system), STR_ARG(of->code));
    if (!key.p)
        return err_no_memory(err);
    r = terms_kept_get(&s, KEPT_CODES, key, &set, err);
    if (r == 0)
        r = quick ? terms_not_quick(err) : make_codes(&s, key, kind, url, of, max, &set, err);
    if (r < 0)
        return r;
    if (set && ((struct code_set *)set)->n > max)
        return err_set(err, ERR_COSTLY, "the set has more than %zu codes", max);
    *ret = set;
    if (!set || arena_defer(a, release_codes, code_set_ref(set)))
        return 0;
    code_set_unref(set);
    return err_no_memory(err);
}
