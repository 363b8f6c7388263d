/* profile_ask.c - questions about profiles from outside of a check: conformsTo() and slice(). */
#include "fhir/profile_int.h"

/* ---- slices ---- */

struct search {
    struct conform *c;
    const struct item *item;
    const struct scope *scope;
    struct str name;
    bool is_known; /* the profile has a slice of that name */
    bool is_found; /* and the item is of it */
};

/* Below a node that has slices of the item's element, if it is one: the item is of a slice within a
 * slice where it is of both. `is_of`: of all slices around. */
static int look_among(struct search *s, const struct profile_node *node, bool is_of)
{
    struct place at = {NULL, s->item->type ? s->item->type->name : STR("element"), -1};
    const struct profile_node *mine = NULL;
    int r = 0;

    if (is_of)
        r = slice_of(s->c, node->slicing, s->item, (size_t)MAX(s->item->index, 0), s->scope, &at,
                     &mine);
    for (const struct profile_node *e = node->slicing->first; e && r >= 0; e = e->next) {
        s->is_known |= str_eq(e->slice, s->name);
        s->is_found |= e == mine && str_eq(e->slice, s->name);
        if (e->slicing)
            r = look_among(s, e, e == mine);
    }
    return r;
}

/* The profile's tree is as deep as its paths are long. */
static int look_below(struct search *s, const struct profile_node *node)
{
    int r = 0;

    for (const struct profile_node *n = node->child; n && r >= 0; n = n->next) {
        if (n->slicing) {
            r = look_among(s, n, n->element == s->item->element);
            for (const struct profile_node *e = n->slicing->first; e && r >= 0; e = e->next)
                r = look_below(s, e);
        }
        if (r >= 0)
            r = look_below(s, n);
    }
    return r;
}

int conform_in_slice(struct conform *c, const struct profile *p, const struct world_value *value,
                     struct str slice, const struct scope *scope, enum terms_answer *ret)
{
    struct item item = item_of_value(value);
    struct search s = {.c = c, .item = &item, .scope = scope, .name = slice};
    int r = look_below(&s, p->root);

    *ret = !s.is_known ? TERMS_UNKNOWN : s.is_found ? TERMS_YES : TERMS_NO;
    return r;
}

/* ---- from outside ---- */

struct question {
    const struct world_value *value;
    const struct profile *profile;
    struct str slice; /* .p NULL: of the whole profile */
    enum terms_answer *ret;
};

static int ask_profile(struct conform *c, const struct scope *scope, void *ctx)
{
    const struct question *q = ctx;
    struct item item = item_of_value(q->value);
    struct place at = {NULL, item.type->name, -1};
    int r = item.type->kind == DEF_RESOURCE ? fhir_validate(item.v, c->issues, c->err) : 0;

    if (r >= 0)
        r = conform_base(c, &item, NULL, scope, &at);
    if (r >= 0)
        r = conform_profile(c, q->profile, &item, scope, &at);
    *q->ret = c->issues->n_errors ? TERMS_NO : TERMS_YES;
    return r;
}

static int ask_slice(struct conform *c, const struct scope *scope, void *ctx)
{
    const struct question *q = ctx;

    return conform_in_slice(c, q->profile, q->value, q->slice, scope, q->ret);
}

static int ask(struct profile_world *w, struct arena *a, struct question *q, struct str profile,
               struct err *err)
{
    const struct conform_options options = {
        .world = &w->over.world, .profiles = w->set, .no_claims = true};
    yyjson_val *root = q->value->resource ? q->value->resource : q->value->v;
    struct issues issues;
    int r = profiles_get(w->set, profile, &q->profile, err);

    *q->ret = TERMS_UNKNOWN;
    if (r < 0 || !q->profile || !q->value->type)
        return r;
    issues_init(&issues, a);
    return conform_begin(root, &options, &issues, q->slice.p ? ask_slice : ask_profile, q, err);
}

static int conforms_to(void *ctx, struct arena *a, const struct world_value *value,
                       struct str profile, enum terms_answer *ret, struct err *err)
{
    struct question q = {.value = value, .ret = ret};

    return ask(ctx, a, &q, profile, err);
}

static int in_slice(void *ctx, struct arena *a, const struct world_value *value, struct str profile,
                    struct str slice, enum terms_answer *ret, struct err *err)
{
    struct question q = {.value = value, .slice = slice, .ret = ret};

    return ask(ctx, a, &q, profile, err);
}

void profile_world(struct profile_world *w, struct profiles *set, const struct world *below)
{
    w->set = set;
    world_over(&w->over, below);
    w->over.world.conforms_to = conforms_to;
    w->over.world.in_slice = in_slice;
}
