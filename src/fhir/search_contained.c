/* search_contained.c - _contained and _containedType: resources inside others.
 *
 * With _contained=true the clauses are asked of what resources of any type contain; with "both" of
 * the resources of the type as well. What holds something of the type has a key; the resource
 * decides.
 * Source: http://hl7.org/fhir/R4/search.html#contained.
 */
#include "fhir/path.h"
#include "fhir/search_int.h"

/* What a clause may be asked of a contained resource. Only what contains it, and what is contained
 * beside it, refers to it: a _has is answered there. A chain leads on from what a chain led into;
 * from a search of contained resources it would lead out of what is in hand. */
static bool may_ask(const struct search_clause *c, bool with_chains)
{
    for (size_t i = 0; i < c->n_subs; i++)
        if (!may_ask(&c->subs[i], with_chains))
            return false;
    for (size_t i = 0; i < c->n_inner; i++)
        for (size_t k = 0; k < c->inner[i].n_clauses; k++)
            if (!may_ask(&c->inner[i].clauses[k], with_chains))
                return false;
    switch (c->kind) {
    case CLAUSE_UPDATED: return false;
    case CLAUSE_CHAIN: return with_chains;
    default: return true;
    }
}

/* Where a clause is asked: of `one`, which `root` contains or is. */
struct asking {
    struct arena *a;
    const struct search *s;
    yyjson_val *root;
    struct err *err;
};

static int asked(const struct asking *q, const struct search_clause *c, yyjson_val *one, bool *ret);

static bool has_id(const struct search_clause *c, yyjson_val *one)
{
    for (size_t i = 0; i < c->n_ids; i++)
        if (str_eq(c->ids[i], js_get_str(one, "id")))
            return true;
    return false;
}

/* Whether a resource is of the search's type and all its clauses hold. */
static int finds(const struct asking *q, const struct search *inner, yyjson_val *one, bool *ret)
{
    bool in = def_resource(js_get_str(one, "resourceType")) == inner->type;
    int r = 0;

    for (size_t i = 0; i < inner->n_clauses && in && r == 0; i++)
        r = asked(q, &inner->clauses[i], one, &in);
    if (r == 0)
        *ret = in;
    return r;
}

/* Whether `from` refers to `to` by a parameter ("#id", or "#" for what contains it): 1 or 0. */
static int refers(const struct asking *q, const struct param *param, yyjson_val *from,
                  yyjson_val *to)
{
    struct path_env env = {.a = q->a, .resource = from, .values_only = true, .keep_repeats = true};
    struct path_item item = path_root(from);
    struct path_items items = {0};
    struct str id = to == q->root ? STR("") : js_get_str(to, "id");
    int r;

    if (param->def.type != def_resource(js_get_str(from, "resourceType")))
        return 0;
    r = MIN(path_eval(param->path, &env, &item, &items, q->err), 0);
    for (size_t i = 0; i < items.n && r == 0; i++) {
        struct str ref = js_get_str(items.p[i].v, "reference");
        r = ref.n && ref.p[0] == '#' && str_eq(str_from(ref, 1), id);
    }
    return r;
}

/* Whether one of a link's searches finds `other`, to which `one` refers, or which refers to it. */
static int linked(const struct asking *q, const struct search_clause *c, yyjson_val *one,
                  yyjson_val *other, bool *ret)
{
    bool is_has = c->kind == CLAUSE_HAS;

    for (size_t i = 0; i < c->n_links; i++) {
        int r = refers(q, c->links[i], is_has ? other : one, is_has ? one : other);

        for (size_t k = 0; k < c->n_inner && r > 0; k++) {
            int found = finds(q, &c->inner[k], other, ret);
            if (found < 0 || *ret)
                return MIN(found, 0);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/* A chain or a _has among what the container holds, and itself. */
static int led(const struct asking *q, const struct search_clause *c, yyjson_val *one, bool *ret)
{
    yyjson_val *other;
    size_t i, n;
    int r;

    *ret = false;
    r = linked(q, c, one, q->root, ret);
    yyjson_arr_foreach(js_get(q->root, "contained"), i, n, other) {
        if (r == 0 && !*ret)
            r = linked(q, c, one, other, ret);
    }
    return r;
}

/* As search_match, which knows no ids and no links. */
static int asked(const struct asking *q, const struct search_clause *c, yyjson_val *one, bool *ret)
{
    bool any = c->kind == CLAUSE_ANY, in = !any;
    int r = 0;

    if (c->kind == CLAUSE_KEYS)
        return search_match(q->a, q->s, c, one, ret, q->err);
    if (c->kind == CLAUSE_NONE)
        in = false;
    else if (c->kind == CLAUSE_ID)
        in = has_id(c, one);
    else if (c->kind == CLAUSE_CHAIN || c->kind == CLAUSE_HAS)
        r = led(q, c, one, &in);
    for (size_t i = 0; i < c->n_subs && in != any && r == 0; i++)
        r = asked(q, &c->subs[i], one, &in);
    *ret = in != c->negate;
    return r;
}

int search_contained_matches(struct arena *a, const struct search *s, const struct clause_more *c,
                             yyjson_val *root, yyjson_val *one, bool *ret, struct err *err)
{
    const struct asking q = {a, s, root, err};
    bool in = def_resource(js_get_str(one, "resourceType")) == c->contained;
    int r = 0;

    for (size_t i = 0; i < c->n_asks && in && r == 0; i++)
        r = asked(&q, &c->asks[i], one, &in);
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

/* Contained resources have no time of their own: that of what contains them is asked. Such clauses
 * go to the end of the search; *ret: how many are left before them. */
static void part_times(struct search *s, size_t *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_clauses; i++)
        if (s->clauses[i].kind != CLAUSE_UPDATED) {
            struct search_clause c = s->clauses[i];
            s->clauses[i] = s->clauses[n];
            s->clauses[n++] = c;
        }
    *ret = n;
}

int search_contained(struct search_parse *p)
{
    struct search *s = p->s;
    struct clause_more *more = ARENA_NEW(p->a, struct clause_more);
    struct search_clause *c = ARENA_ARRAY(p->a, struct search_clause, s->n_clauses + 1);
    size_t n;
    int type = s->type, r;

    if (!more || !c)
        return err_no_memory(p->err);
    if (!type)
        return err_set(p->err, ERR_NOT_SUPPORTED, "\"_contained\" needs a type to search for");
    part_times(s, &n);
    for (size_t i = 0; i < n; i++)
        if (!may_ask(&s->clauses[i], false))
            return err_set(p->err, ERR_NOT_SUPPORTED,
                           "with \"_contained\", chains cannot be asked, nor times in a _filter");
    *more = (struct clause_more){.opt = s->opt, .contained = type, .asks = s->clauses, .n_asks = n};
    c[0] = (struct search_clause){.kind = CLAUSE_KEYS, .values = more};
    if (s->n_clauses > n)
        memcpy(c + 1, s->clauses + n, (s->n_clauses - n) * sizeof *c);
    s->type = 0;
    s->n_types = 0;
    r = holders(p, type, c);
    if (r == 0 && p->contained_too)
        r = both(p, type, more->asks, more->n_asks, c);
    s->contained = more;
    s->clauses = c;
    s->n_clauses += 1 - n;
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
            may &= may_ask(&inner->clauses[k], true);
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
            r = search_contained_matches(a, s, s->contained, root, one, &in, err);
        if (r == 0 && in)
            r = visit(ctx, one);
    }
    return r;
}
