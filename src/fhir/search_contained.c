/* search_contained.c - _contained and _containedType: resources inside others.
 *
 * With _contained=true the clauses are asked of what resources of any type contain; with "both" of
 * the resources of the type as well. What holds something of the type has a key; the resource
 * decides.
 * Source: http://hl7.org/fhir/R4/search.html#contained.
 */
#include "fhir/search_int.h"

/* Contained resources have no history of their own, and what is led through stands elsewhere. */
static bool may_ask(const struct search_clause *c)
{
    for (size_t i = 0; i < c->n_subs; i++)
        if (!may_ask(&c->subs[i]))
            return false;
    return c->subs || c->kind == CLAUSE_NONE || c->kind == CLAUSE_ID || c->kind == CLAUSE_KEYS;
}

static bool has_id(const struct search_clause *c, yyjson_val *one)
{
    for (size_t i = 0; i < c->n_ids; i++)
        if (str_eq(c->ids[i], js_get_str(one, "id")))
            return true;
    return false;
}

/* As search_match, which knows no ids. */
static int asked(struct arena *a, const struct search *s, const struct search_clause *c,
                 yyjson_val *one, bool *ret, struct err *err)
{
    bool any = c->kind == CLAUSE_ANY, in = !any;
    int r = 0;

    if (c->kind == CLAUSE_KEYS)
        return search_match(a, s, c, one, ret, err);
    if (c->kind == CLAUSE_NONE)
        in = false;
    else if (c->kind == CLAUSE_ID)
        in = has_id(c, one);
    for (size_t i = 0; i < c->n_subs && in != any && r == 0; i++)
        r = asked(a, s, &c->subs[i], one, &in, err);
    *ret = in != c->negate;
    return r;
}

int search_contained_matches(struct arena *a, const struct search *s, const struct clause_more *c,
                             yyjson_val *one, bool *ret, struct err *err)
{
    bool in = def_resource(js_get_str(one, "resourceType")) == c->contained;
    int r = 0;

    for (size_t i = 0; i < c->n_asks && in && r == 0; i++)
        r = asked(a, s, &c->asks[i], one, &in, err);
    if (r == 0)
        *ret = in;
    return r;
}

/* One key that all resources with a contained one of the type have, or all resources. */
static int holders(struct search_parse *p, int type, struct search_clause *c)
{
    if (!p->opt->index.extras)
        return search_all_rows(p, c);
    c->ranges = ARENA_NEW(p->a, struct key_range);
    if (!c->ranges)
        return err_no_memory(p->err);
    c->n_ranges = 1;
    c->ranges[0] = (struct key_range){.param = (uint16_t)(INDEX_PARAM_CONTAINED + type),
                                      .lo = STR(""),
                                      .hi = STR("\xff"),
                                      .lossy = true,
                                      .point = true};
    return 0;
}

static int of_type(struct search_parse *p, int type, struct search_clause *c)
{
    *c = (struct search_clause){.kind = CLAUSE_KEYS, .n_ranges = 1};
    c->ranges = ARENA_NEW(p->a, struct key_range);
    if (!c->ranges)
        return err_no_memory(p->err);
    c->ranges[0] = (struct key_range){.param = (uint16_t)(INDEX_PARAM_TYPE + type),
                                      .lo = STR(""),
                                      .hi = STR("\xff"),
                                      .point = true};
    return 0;
}

/* The resources of the type that match, or those that hold one. */
static int both(struct search_parse *p, int type, const struct search_clause *asks, size_t n_asks,
                struct search_clause *c)
{
    struct search_clause *subs = ARENA_ARRAY(p->a, struct search_clause, 2);
    struct search_clause *own = ARENA_ARRAY(p->a, struct search_clause, n_asks + 1);
    int r;

    if (!subs || !own)
        return err_no_memory(p->err);
    r = of_type(p, type, &own[0]);
    if (n_asks)
        memcpy(own + 1, asks, n_asks * sizeof *own);
    subs[0] = (struct search_clause){.kind = CLAUSE_ALL, .subs = own, .n_subs = n_asks + 1};
    subs[1] = *c;
    *c = (struct search_clause){.kind = CLAUSE_ANY, .subs = subs, .n_subs = 2};
    return r;
}

int search_contained(struct search_parse *p)
{
    struct search *s = p->s;
    struct clause_more *more = ARENA_NEW(p->a, struct clause_more);
    struct search_clause *c = ARENA_NEW(p->a, struct search_clause);
    int type = s->type, r;

    if (!more || !c)
        return err_no_memory(p->err);
    if (!type)
        return err_set(p->err, ERR_NOT_SUPPORTED, "\"_contained\" needs a type to search for");
    for (size_t i = 0; i < s->n_clauses; i++)
        if (!may_ask(&s->clauses[i]))
            return err_set(p->err, ERR_NOT_SUPPORTED,
                           "with \"_contained\", times, chains, _has and _list cannot be asked");
    *more = (struct clause_more){
        .opt = s->opt, .contained = type, .asks = s->clauses, .n_asks = s->n_clauses};
    *c = (struct search_clause){.kind = CLAUSE_KEYS, .values = more};
    s->type = 0;
    s->n_types = 0;
    r = holders(p, type, c);
    if (r == 0 && p->contained_too)
        r = both(p, type, more->asks, more->n_asks, c);
    s->contained = more;
    s->clauses = c;
    s->n_clauses = 1;
    return r;
}

/* What one of the searches inside a chain finds in the same resource. */
static int within(struct search_parse *p, const struct search_clause *chain,
                  const struct search *inner, struct search_clause *c)
{
    struct clause_more *more = ARENA_NEW(p->a, struct clause_more);

    if (!more)
        return err_no_memory(p->err);
    *more = (struct clause_more){.opt = p->s->opt,
                                 .contained = inner->type,
                                 .asks = inner->clauses,
                                 .n_asks = inner->n_clauses,
                                 .by = chain->links,
                                 .n_by = chain->n_links};
    *c = (struct search_clause){.kind = CLAUSE_KEYS, .values = more};
    return holders(p, inner->type, c);
}

int search_into_contained(struct search_parse *p, struct search_clause *c)
{
    struct search_clause *subs = ARENA_ARRAY(p->a, struct search_clause, c->n_inner + 1);
    size_t n = 1;
    int r = 0;

    if (!subs)
        return err_no_memory(p->err);
    /* Without the lists of containers every resource would have to be looked at. */
    if (!p->opt->index.extras)
        return ARG_TAKEN;
    for (size_t i = 0; i < c->n_inner && r == 0; i++) {
        const struct search *inner = &c->inner[i];
        bool may = true;

        for (size_t k = 0; k < inner->n_clauses; k++)
            may &= may_ask(&inner->clauses[k]);
        if (may)
            r = within(p, c, inner, &subs[n++]);
    }
    if (r < 0 || n == 1)
        return r < 0 ? r : ARG_TAKEN;
    subs[0] = *c;
    *c = (struct search_clause){.kind = CLAUSE_ANY, .subs = subs, .n_subs = n};
    return ARG_TAKEN;
}

int search_each_contained(struct arena *a, const struct search *s, yyjson_val *root,
                          int (*visit)(void *ctx, yyjson_val *one), void *ctx, struct err *err)
{
    yyjson_val *list = js_get(root, "contained"), *one;
    size_t i, max;
    int r = 0;

    yyjson_arr_foreach(list, i, max, one) {
        bool in = false;
        if (r == 0)
            r = search_contained_matches(a, s, s->contained, one, &in, err);
        if (r == 0 && in)
            r = visit(ctx, one);
    }
    return r;
}
