/* vs.c - a ValueSet resource, compiled (valueset.html#compose): includes in their order, each code
 * once, without what is excluded.
 */
#include "terminology/vs.h"

#include "terminology/terms_int.h"

#include "base/fault.h"
#include "terminology/canonical.h"
#include "terminology/cluster.h"
#include "terminology/cs_int.h"
#include "terminology/grammar.h"
#include "terminology/resource.h"

#include <stdlib.h>

#define FILTER_COST 5 /* of one concept, where looking at it without a filter costs 1 */

struct compiling {
    struct terms_scope *s;
    struct vs *vs;
    const struct vs_path *path;
    yyjson_val *container; /* of what is named "#id" */
    bool excluding;
    struct err *err;
};

/* ---- life ---- */

struct vs *vs_ref(struct vs *vs)
{
    atomic_fetch_add_explicit(&vs->refs, 1, memory_order_relaxed);
    return vs;
}

void vs_unref(struct vs *vs)
{
    if (!vs || atomic_fetch_sub(&vs->refs, 1) != 1)
        return;
    for (size_t i = 0; i < vs->n_groups; i++) {
        for (struct vs_rule *rule = vs->groups[i].rules; rule; rule = rule->next)
            for (size_t k = 0; k < rule->n_within; k++)
                vs_unref(rule->within[k]);
        cs_unref(vs->groups[i].cs);
    }
    arena_done(&vs->a);
    free(vs);
}

size_t vs_bytes(const struct vs *vs)
{
    return sizeof *vs + vs->a.used_bytes;
}

/* ---- groups ---- */

static int group_of(struct compiling *c, struct cs *cs, struct str system, struct str version,
                    bool pinned, struct vs_group **ret)
{
    struct vs *vs = c->vs;
    struct vs_group *g;

    for (size_t i = 0; i < vs->n_groups; i++)
        if (vs->groups[i].cs == cs && str_eq(vs->groups[i].system, system) &&
            (cs || str_eq(vs->groups[i].version, version))) {
            *ret = &vs->groups[i];
            return 0;
        }
    if (vs->n_groups == VS_GROUPS_MAX)
        return err_set(c->err, ERR_COSTLY, "a value set may draw on %d code systems",
                       VS_GROUPS_MAX);
    if (!vs->groups && !(vs->groups = ARENA_ARRAY(&vs->a, struct vs_group, VS_GROUPS_MAX)))
        return err_no_memory(c->err);
    g = &vs->groups[vs->n_groups];
    g->system = arena_dup(&vs->a, system);
    g->version = arena_dup(&vs->a, cs ? cs_version(cs) : version.p ? version : STR(""));
    g->is_pinned = pinned;
    g->any_case = cs && cs_any_case(cs_info(cs));
    if (cs) {
        g->members = ARENA_ARRAY(&vs->a, uint64_t, bits_words(cs_n(cs)));
        g->removed = ARENA_ARRAY(&vs->a, uint64_t, bits_words(cs_n(cs)));
    }
    if (!g->system.p || !g->version.p || (cs && (!g->members || !g->removed)))
        return err_no_memory(c->err);
    g->cs = cs ? cs_ref(cs) : NULL;
    vs->n_groups++;
    *ret = g;
    return 0;
}

static bool is_listed_as(const struct vs_group *g, struct str listed, struct str code)
{
    return g->any_case ? str_eq_nocase(listed, code) : str_eq(listed, code);
}

/* NULL when more codes lie in its way than chance would put there. */
static struct vs_listed *listed_slot(const struct vs_group *g, struct str code)
{
    size_t at = cs_code_hash(code, g->any_case) & g->codes_mask, n = 0;

    while (g->codes[at].code.p && !is_listed_as(g, g->codes[at].code, code) &&
           n++ < TEXT_PROBES_MAX)
        at = (at + 1) & g->codes_mask;
    return n > TEXT_PROBES_MAX ? NULL : &g->codes[at];
}

static bool grow_listed(struct compiling *c, struct vs_group *g)
{
    struct vs_listed *old = g->codes;
    size_t n_old = old ? g->codes_mask + 1 : 0, n = old ? n_old * 2 : 16;

    g->codes = ARENA_ARRAY(&c->vs->a, struct vs_listed, n);
    if (!g->codes)
        return false;
    g->codes_mask = n - 1;
    for (size_t i = 0; i < n_old; i++) {
        struct vs_listed *slot = old[i].code.p ? listed_slot(g, old[i].code) : NULL;
        if (slot)
            *slot = old[i];
        else if (old[i].code.p)
            return false;
    }
    return true;
}

/* A removed code that is no concept stays in the table as one that is not there. */
#define LISTED_REMOVED (CS_NONE - 1)

/* ---- runs ---- */

static int add_run(struct compiling *c, const struct vs_group *g, struct vs_run run)
{
    struct vs_run *r = ARENA_NEW(&c->vs->a, struct vs_run);

    if (!r)
        return err_no_memory(c->err);
    *r = run;
    r->group = (uint32_t)(g - c->vs->groups);
    *(c->vs->last ? &c->vs->last->next : &c->vs->first) = r;
    c->vs->last = r;
    c->vs->n += run.n;
    return 0;
}

static bool may_add(const struct compiling *c, const struct vs_group *g, uint32_t i)
{
    return !bits_has(g->members, i) && !bits_has(g->removed, i) &&
           !(c->vs->active_only && cs_at(g->cs, i)->flags & CONCEPT_INACTIVE);
}

/* A set of concepts, in the order of their system. */
static int add_bits(struct compiling *c, struct vs_group *g, const uint64_t *bits)
{
    size_t words = bits_words(cs_n(g->cs)), n = 0;
    uint64_t *own = c->excluding ? NULL : ARENA_ARRAY(&c->vs->a, uint64_t, words);

    if (c->excluding) {
        for (size_t w = 0; w < words; w++)
            g->removed[w] |= bits[w];
        return 0;
    }
    if (!own)
        return err_no_memory(c->err);
    for (uint32_t i = bits_next(bits, cs_n(g->cs), 0); i != CS_NONE;
         i = bits_next(bits, cs_n(g->cs), i + 1))
        if (may_add(c, g, i)) {
            bits_add(own, i);
            n++;
        }
    for (size_t w = 0; w < words; w++)
        g->members[w] |= own[w];
    return n ? add_run(c, g, (struct vs_run){.bits = own, .n = n}) : 0;
}

/* One code into a list that becomes a run. */
static int add_listed(struct compiling *c, struct vs_group *g, struct vs_listed item,
                      struct vs_listed *list, size_t *n)
{
    struct vs_listed *slot;

    if (item.concept != CS_NONE) {
        if (c->excluding)
            bits_add(g->removed, item.concept);
        else if (may_add(c, g, item.concept)) {
            bits_add(g->members, item.concept);
            list[(*n)++] = item;
        }
        return 0;
    }
    if ((g->n_codes + 1) * 2 > (g->codes ? g->codes_mask + 1 : 0) && !grow_listed(c, g))
        return err_no_memory(c->err);
    slot = listed_slot(g, item.code);
    if (!slot)
        return err_set(c->err, ERR_COSTLY, "codes of the value set get in each other's way");
    if (slot->code.p)
        return 0;
    *slot = item;
    g->n_codes++;
    if (c->excluding)
    slot->concept = LISTED_REMOVED;
    else list[(*n)++] = item;
    return 0;
}

/* ---- one include or exclude ---- */

static int need(struct compiling *c, struct str canonical, bool is_value_set)
{
    if (c->vs->unknown.p)
        return 0;
    c->vs->unknown = arena_dup(&c->vs->a, canonical);
    c->vs->unknown_is_value_set = is_value_set;
    return c->vs->unknown.p ? 0 : err_no_memory(c->err);
}

/* What an include is made of, before it is put in: systems with bits or a list. Other value sets
 * that it names must have each code as well. */
struct part {
    struct vs **within;
    size_t n_within;
};

static bool is_within(const struct part *p, struct str system, struct str code, size_t from)
{
    struct vs_found found;

    for (size_t i = from; i < p->n_within; i++)
        if (!vs_has(p->within[i], system, STR_NULL, code, &found))
            return false;
    return true;
}

static void keep_within(const struct part *p, const struct cs *cs, uint64_t *bits)
{
    for (uint32_t i = bits_next(bits, cs_n(cs), 0); p->n_within && i != CS_NONE;
         i = bits_next(bits, cs_n(cs), i + 1))
        if (!is_within(p, cs_url(cs), cs_code(cs, i), 0))
            bits[i / 64] &= ~(UINT64_C(1) << i % 64);
}

static int add_concepts(struct compiling *c, struct vs_group *g, const struct part *p,
                        yyjson_val *concepts)
{
    struct vs_listed *list;
    yyjson_val *v;
    size_t i, n, n_list = 0;
    int r = 0;

    if (yyjson_arr_size(concepts) > VS_LISTED_MAX)
        return err_set(c->err, ERR_COSTLY, "an include may list %d codes", VS_LISTED_MAX);
    list = ARENA_ARRAY(&c->vs->a, struct vs_listed, yyjson_arr_size(concepts));
    if (!list)
        return err_no_memory(c->err);
    yyjson_arr_foreach(concepts, i, n, v) {
        struct vs_listed item = {.concept = CS_NONE,
                                 .code = js_get_str(v, "code"),
                                 .display = js_get_str(v, "display"),
                                 .designations = js_get(v, "designation")};
        struct str display;
        if (!item.code.p || !is_within(p, g->system, item.code, 0))
            continue;
        if (g->cs)
        item.concept = cs_find(g->cs, item.code);
        /* A code that its system does not have is in no value set; what is known in part is
         * believed. */
        if (g->cs && item.concept == CS_NONE && cs_info(g->cs)->content == CONTENT_COMPLETE &&
            !grammar_has(g->cs, c->s->a, item.code, &display, NULL))
            continue;
        r = add_listed(c, g, item, list, &n_list);
        if (r < 0)
            return r;
    }
    return n_list ? add_run(c, g, (struct vs_run){.list = list, .n = n_list}) : 0;
}

/* ---- codes of grammar ---- */

static int add_rule(struct compiling *c, struct vs_group *g, const struct part *p,
                    const struct grammar_filter *filters, size_t n)
{
    struct vs_rule *rule = ARENA_NEW(&c->vs->a, struct vs_rule);
    struct vs **within = ARENA_ARRAY(&c->vs->a, struct vs *, p->n_within);

    if (!rule || !within)
        return err_no_memory(c->err);
    for (size_t i = 0; i < p->n_within; i++)
        within[i] = vs_ref(p->within[i]);
    *rule = (struct vs_rule){filters, n, within, p->n_within, c->excluding, g->rules};
    g->rules = rule;
    return 0;
}

static bool passes(const struct cs *cs, const struct vs_rule *rule, struct str code)
{
    struct vs_found found;

    for (size_t i = 0; i < rule->n; i++)
        if (!grammar_filter_passes(cs, &rule->filters[i], code))
            return false;
    for (size_t i = 0; i < rule->n_within; i++)
        if (!vs_has(rule->within[i], cs_url(cs), STR_NULL, code, &found))
            return false;
    return true;
}

/* Filters, of which none may lack its value. */
static int read_filters(struct compiling *c, const struct vs_group *g, yyjson_val *list,
                        struct grammar_filter **ret)
{
    struct grammar_filter *f;
    yyjson_val *v;
    size_t i, n;

    if (yyjson_arr_size(list) > VS_FILTERS_MAX)
        return err_set(c->err, ERR_COSTLY, "an include may have %d filters", VS_FILTERS_MAX);
    *ret = f = ARENA_ARRAY(&c->vs->a, struct grammar_filter, yyjson_arr_size(list));
    if (!f)
        return err_no_memory(c->err);
    yyjson_arr_foreach(list, i, n, v) {
        f[i] = (struct grammar_filter){js_get_str(v, "property"), js_get_str(v, "op"),
                                       js_get_str(v, "value")};
        if (!f[i].value.n)
            return err_set(c->err, ERR_VALUE, "the filter \"%.*s %.*s\" on %.*s has no value",
                           (int)MIN(f[i].property.n, 60u), f[i].property.p,
                           (int)MIN(f[i].op.n, 30u), f[i].op.p, STR_ARG(cs_url(g->cs)));
    }
    return 0;
}

/* A rule for what the grammar makes, and the concepts of a list beside it that pass it. */
static int add_grammar(struct compiling *c, struct vs_group *g, const struct part *p,
                       const struct grammar_filter *filters, size_t n)
{
    uint64_t *bits = ARENA_ARRAY(c->s->a, uint64_t, bits_words(cs_n(g->cs)));
    int r = bits ? 0 : err_no_memory(c->err);

    for (size_t i = 0; r >= 0 && i < n; i++)
        r = grammar_filter_check(g->cs, &filters[i], c->err);
    if (r >= 0)
        r = add_rule(c, g, p, filters, n);
    for (uint32_t i = 0; r >= 0 && i < cs_n(g->cs); i++)
        if (passes(g->cs, g->rules, cs_code(g->cs, i)))
            bits_add(bits, i);
    return r < 0 ? r : add_bits(c, g, bits);
}

static int count_cost(struct compiling *c, const struct vs_group *g, size_t n_filters)
{
    c->s->cost += (FILTER_COST * n_filters + 1) * (cs_n(g->cs) + (uint64_t)1);
    if (c->s->cost > TERMS_COST_MAX)
        return err_set(c->err, ERR_COSTLY,
                       "the value set looks at concepts more than %d times before it is made",
                       TERMS_COST_MAX);
    return 0;
}

static int add_filtered(struct compiling *c, struct vs_group *g, const struct part *p,
                        yyjson_val *list)
{
    size_t words = bits_words(cs_n(g->cs)), n = yyjson_arr_size(list);
    uint64_t *all = ARENA_ARRAY(c->s->a, uint64_t, words);
    uint64_t *bits = ARENA_ARRAY(c->s->a, uint64_t, words);
    struct grammar_filter *filters = NULL;
    int r;

    if (!all || !bits)
        return err_no_memory(c->err);
    if ((r = count_cost(c, g, n)) < 0 || (r = read_filters(c, g, list, &filters)) < 0)
        return r;
    if (!n && !p->n_within && !c->excluding)
        g->whole = true;
    if (grammar_is_endless((enum cs_grammar)cs_info(g->cs)->grammar))
        return add_grammar(c, g, p, filters, n);
    for (uint32_t k = 0; k < cs_n(g->cs); k++)
        bits_add(all, k);
    for (size_t i = 0; i < n; i++) {
        memset(bits, 0, words * sizeof *bits);
        r = vs_filter(g->cs, c->s->a, filters[i].property, filters[i].op, filters[i].value, bits,
                      c->err);
        if (r < 0)
            return r;
        for (size_t w = 0; w < words; w++)
            all[w] &= bits[w];
    }
    keep_within(p, g->cs, all);
    return add_bits(c, g, all);
}

/* The id of the code system that an include brings with it; STR_NULL where it brings none. */
static struct str contained_system(yyjson_val *include)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(js_get(include, "_system"), "extension"), i, n, v) {
        struct str ref = js_get_str(v, "valueCanonical");
        if (str_eq(js_get_str(v, "url"),
                   STR("http://hl7.org/fhir/StructureDefinition/valueset-system")) &&
            str_starts(ref, STR("#")))
            return str_from(ref, 1);
    }
    return STR_NULL;
}

static int add_system(struct compiling *c, yyjson_val *include, const struct part *p)
{
    struct str system = js_get_str(include, "system"), version = js_get_str(include, "version");
    yyjson_val *concepts = js_get(include, "concept");
    struct vs_group *g;
    struct str contained = contained_system(include);
    struct cs *cs;
    int r = contained.n ? terms_code_system_within(c->s, c->container, contained, &cs, c->err)
                        : terms_code_system(c->s, system, version, &cs, c->err);

    if (r < 0)
        return r;
    if (cs &&
        (cs_info(cs)->content == CONTENT_NOT_PRESENT || cs_info(cs)->content == CONTENT_SUPPLEMENT))
        cs = NULL;
    if (!cs && !concepts) {
        struct str parts[] = {system, version.n ? STR("|") : STR(""), version};
        struct str canonical = arena_join(c->s->a, parts, version.n ? 3 : 1);
        return canonical.p ? need(c, canonical, false) : err_no_memory(c->err);
    }
    r = group_of(c, cs, system, version, version.n > 0, &g);
    if (r < 0)
        return r;
    return concepts ? add_concepts(c, g, p, concepts)
                    : add_filtered(c, g, p, js_get(include, "filter"));
}

/* ---- value sets inside ---- */

/* A run of another value set, where all further ones have its codes too. */
static int add_run_of(struct compiling *c, const struct vs *from, const struct vs_run *run,
                      const struct part *p)
{
    const struct vs_group *theirs = &from->groups[run->group];
    struct vs_listed *list;
    struct vs_group *g;
    size_t n = 0;
    int r = group_of(c, theirs->cs, theirs->system, theirs->version, theirs->is_pinned, &g);

    if (r < 0)
        return r;
    if (run->bits) {
        size_t words = bits_words(cs_n(g->cs));
        uint64_t *bits = ARENA_ARRAY(c->s->a, uint64_t, words);
        if (!bits)
            return err_no_memory(c->err);
        memcpy(bits, run->bits, words * sizeof *bits);
        keep_within(&(struct part){p->within + 1, p->n_within - 1}, g->cs, bits);
        return add_bits(c, g, bits);
    }
    list = ARENA_ARRAY(&c->vs->a, struct vs_listed, run->n);
    if (!list)
        return err_no_memory(c->err);
    for (size_t i = 0; r >= 0 && i < run->n; i++) {
        struct vs_listed item = run->list[i];
        item.code = arena_dup(&c->vs->a, item.code);
        item.display = arena_dup(&c->vs->a, item.display);
        item.designations = NULL;
        if (is_within(p, theirs->system, item.code, 1))
            r = add_listed(c, g, item, list, &n);
    }
    return r < 0 || !n ? r : add_run(c, g, (struct vs_run){.list = list, .n = n});
}

/* What another value set has of a grammar: whatever is in it, and in all further ones. */
static int add_rules_of(struct compiling *c, const struct vs_group *theirs, const struct part *p)
{
    struct vs_group *g;
    int r;

    if (!theirs->rules)
        return 0;
    r = group_of(c, theirs->cs, theirs->system, theirs->version, theirs->is_pinned, &g);
    return r < 0 ? r : add_rule(c, g, p, NULL, 0);
}

static int note_used(struct compiling *c, const struct vs *used)
{
    struct vs *vs = c->vs;
    struct str *more =
        arena_grow(&vs->a, vs->used, vs->n_used * sizeof *more, (vs->n_used + 1) * sizeof *more);

    if (!more)
        return err_no_memory(c->err);
    vs->used = more;
    more[vs->n_used] = arena_join(
        &vs->a,
        (const struct str[]){used->url, used->version.n ? STR("|") : STR(""), used->version}, 3);
    return more[vs->n_used++].p ? 0 : err_no_memory(c->err);
}

/* The value sets that an include names; false in *ret_all where one is not here. */
static int find_within(struct compiling *c, yyjson_val *names, struct part *ret, bool *ret_all)
{
    yyjson_val *v;
    size_t i, n;
    int r;

    *ret_all = true;
    ret->within = ARENA_ARRAY(c->s->a, struct vs *, yyjson_arr_size(names));
    if (!ret->within)
        return err_no_memory(c->err);
    yyjson_arr_foreach(names, i, n, v) {
        struct vs *vs;
        bool contained = str_starts(js_str(v), STR("#"));
        r = contained ? terms_value_set_within(c->s, c->container, str_from(js_str(v), 1), c->path,
                                               &vs, c->err)
                      : terms_value_set_in(c->s, js_str(v), c->path, &vs, c->err);
        if (r < 0)
            return r;
        if (!vs) {
            *ret_all = false;
            if ((r = need(c, js_str(v), true)) < 0)
                return r;
            continue;
        }
        if (vs->unknown.p && (r = need(c, vs->unknown, vs->unknown_is_value_set)) < 0)
            return r;
        if (!contained && (r = note_used(c, vs)) < 0)
            return r;
        ret->within[ret->n_within++] = vs;
    }
    return 0;
}

/* The rules that R4 has for an include, and an exclude: one that breaks them means nothing. */
static int check_include(struct compiling *c, yyjson_val *include)
{
    const char *what = c->excluding ? "an exclude" : "an include";
    bool concepts = js_get(include, "concept"), filters = js_get(include, "filter");
    bool system = js_get_str(include, "system").n;

    if (!system && (concepts || filters))
        return err_set(c->err, ERR_PROCESSING,
                       "%s of the value set has concepts or filters and no system (vsd-2)", what);
    if (!system && !yyjson_arr_size(js_get(include, "valueSet")))
        return err_set(c->err, ERR_PROCESSING,
                       "%s of the value set has neither a system nor a value set (vsd-1)", what);
    if (concepts && filters)
        return err_set(c->err, ERR_PROCESSING,
                       "%s of the value set has both concepts and filters (vsd-3)", what);
    return 0;
}

static int add_include(struct compiling *c, yyjson_val *include)
{
    struct part p = {0};
    bool all;
    int r = check_include(c, include);

    if (r < 0 || (r = find_within(c, js_get(include, "valueSet"), &p, &all)) < 0 || !all)
        return r;
    if (js_get_str(include, "system").n)
        return add_system(c, include, &p);
    for (const struct vs_run *run = p.n_within ? p.within[0]->first : NULL; r >= 0 && run;
         run = run->next)
        r = add_run_of(c, p.within[0], run, &p);
    for (size_t i = 0; p.n_within && r >= 0 && i < p.within[0]->n_groups; i++)
        r = add_rules_of(c, &p.within[0]->groups[i], &p);
    return r;
}

/* ---- the whole ---- */

/* A set that brings its expansion and nothing else: as it stands. */
static int add_contains(struct compiling *c, yyjson_val *contains, int depth)
{
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    if (depth > TERMS_VALUE_SET_DEPTH_MAX)
        return err_set(c->err, ERR_COSTLY, "the expansion is nested deeper than %d",
                       TERMS_VALUE_SET_DEPTH_MAX);
    yyjson_arr_foreach(contains, i, n, v) {
        struct vs_listed item = {.concept = CS_NONE,
                                 .code = js_get_str(v, "code"),
                                 .display = js_get_str(v, "display"),
                                 .designations = js_get(v, "designation")};
        struct vs_listed *list = ARENA_NEW(&c->vs->a, struct vs_listed);
        struct str system = js_get_str(v, "system");
        struct vs_group *g;
        struct cs *cs = NULL;
        size_t n_list = 0;
        if (item.code.p && system.n && !js_get(v, "abstract")) {
            r = terms_code_system(c->s, system, js_get_str(v, "version"), &cs, c->err);
            if (r >= 0)
                r = list ? group_of(c, cs, system, js_get_str(v, "version"), false, &g)
                         : err_no_memory(c->err);
            if (r >= 0 && cs)
            item.concept = cs_find(cs, item.code);
            if (r >= 0)
                r = add_listed(c, g, item, list, &n_list);
            if (r >= 0 && n_list)
                r = add_run(c, g, (struct vs_run){.list = list, .n = 1});
        }
        if (r >= 0 && js_get(v, "contains"))
            r = add_contains(c, js_get(v, "contains"), depth + 1);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_all(struct compiling *c, yyjson_val *root)
{
    yyjson_val *compose = js_get(root, "compose"), *v;
    size_t i, n;
    int r = 0;

    if (!compose)
        return add_contains(c, js_get(js_get(root, "expansion"), "contains"), 0);
    c->excluding = true;
    yyjson_arr_foreach(js_get(compose, "exclude"), i, n, v) {
        if ((r = add_include(c, v)) < 0)
            return r;
    }
    c->excluding = false;
    yyjson_arr_foreach(js_get(compose, "include"), i, n, v) {
        if ((r = add_include(c, v)) < 0)
            return r;
    }
    return 0;
}

/* A copy in the value set's own memory. */
static int copy_source(struct vs *vs, yyjson_val *resource, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    int r;

    js_write(&text, resource);
    if ((r = sb_ok(&text, err)) < 0 ||
        (r = js_parse_stored(&vs->a, sb_view(&text), &vs->source, err)) < 0)
        return r;
    vs->id = js_get_str(vs->source, "id");
    vs->url = js_get_str(vs->source, "url");
    vs->version = js_get_str(vs->source, "version");
    vs->name = js_get_str(vs->source, "name");
    vs->title = js_get_str(vs->source, "title");
    vs->status = js_get_str(vs->source, "status");
    vs->experimental = yyjson_is_true(js_get(vs->source, "experimental"));
    vs->active_only = yyjson_is_false(js_get(js_get(vs->source, "compose"), "inactive"));
    vs->standards = standards_flags(vs->source);
    vs->immutable = yyjson_is_true(js_get(vs->source, "immutable"));
    return 0;
}

int vs_compile(struct terms_scope *s, yyjson_val *resource, yyjson_val *container,
               const struct vs_path *path, struct vs **ret, struct err *err)
{
    struct vs *vs = fault_point("alloc") ? NULL : calloc(1, sizeof *vs);
    struct compiling c = {.s = s, .vs = vs, .path = path, .err = err};
    int r;

    if (!vs)
        return err_no_memory(err);
    arena_init(&vs->a, VS_ARENA_MAX);
    atomic_init(&vs->refs, 1);
    r = copy_source(vs, resource, err);
    c.container = container ? container : vs->source;
    if (r >= 0)
        r = add_all(&c, vs->source);
    if (r < 0)
        vs_unref(vs);
    else
        *ret = vs;
    return r;
}

/* ---- asking ---- */

static bool group_has(const struct vs_group *g, struct str code, struct vs_found *ret)
{
    *ret = (struct vs_found){.group = g, .concept = CS_NONE};
    if (g->cs) {
        ret->concept = cs_find(g->cs, code);
        if (ret->concept != CS_NONE)
            return bits_has(g->members, ret->concept);
    }
    if (!g->codes)
        return false;
    ret->listed = listed_slot(g, code);
    return ret->listed && ret->listed->code.p && ret->listed->concept != LISTED_REMOVED;
}

/* Whether a rule takes the code in, and none takes it out. */
static bool rules_have(const struct vs_group *g, struct str code)
{
    bool has = false;

    for (const struct vs_rule *rule = g->rules; rule; rule = rule->next) {
        if (has && !rule->exclude)
            continue;
        if (!passes(g->cs, rule, code))
            continue;
        if (rule->exclude)
            return false;
        has = true;
    }
    return has;
}

static bool is_removed(const struct vs_group *g, struct str code)
{
    const struct vs_listed *slot = g->codes ? listed_slot(g, code) : NULL;

    return slot && slot->code.p && slot->concept == LISTED_REMOVED;
}

/* Codes of grammar. The cluster of a stem that is in the set is in it, too. */
static bool grammar_group_has(const struct vs_group *g, struct str code, struct vs_found *ret)
{
    struct str display, stem = cluster_stem(code);
    struct arena a;
    bool ok;

    if (!g->cs || cs_info(g->cs)->grammar == GRAMMAR_NONE || is_removed(g, code))
        return false;
    if (!grammar_is_endless((enum cs_grammar)cs_info(g->cs)->grammar) &&
        (stem.n == code.n || !group_has(g, stem, ret)))
        return false;
    if (grammar_is_endless((enum cs_grammar)cs_info(g->cs)->grammar) && !rules_have(g, code))
        return false;
    arena_init(&a, KIB(256));
    ok = grammar_has(g->cs, &a, code, &display, NULL);
    arena_done(&a);
    *ret = (struct vs_found){.group = g, .concept = CS_NONE};
    return ok;
}

bool vs_is_endless(const struct vs_group *g)
{
    for (const struct vs_rule *rule = g->rules; rule; rule = rule->next)
        if (!rule->exclude)
            return true;
    return false;
}

bool vs_has(const struct vs *vs, struct str system, struct str version, struct str code,
            struct vs_found *ret)
{
    for (size_t i = 0; i < vs->n_groups; i++) {
        const struct vs_group *g = &vs->groups[i];
        if ((system.p && !str_eq(g->system, system)) ||
            (version.n && g->version.n && !str_eq(g->version, version)))
            continue;
        if (group_has(g, code, ret) || grammar_group_has(g, code, ret))
            return true;
    }
    return false;
}
