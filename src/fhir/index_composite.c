/* index_composite.c - keys of composite parameters: what one element has together. */
#include "fhir/index_int.h"
#include "fhir/key_int.h"
#include "fhir/params_int.h"
#include "fhir/value_int.h"

#define ITEMS_ROOM 16
#define PART_ROOM 16

/* The keys that one component has in an item. */
struct part {
    struct extract x;
    struct index_entry room[PART_ROOM];
};

static bool can_be_asked_for(enum def_param_kind kind, const struct index_entry *e)
{
    if (e->shared)
        return false;
    return kind == PARAM_TOKEN       ? e->key[0] != KEY_LABEL
           : kind == PARAM_REFERENCE ? e->key[0] != KEY_ELSEWHERE
                                     : true;
}

/* 1 when the item has something for the component, 0 when not. */
static int part_of(const struct extract *x, enum def_param_kind kind, const struct path *path,
                   struct path_env *env, const struct path_item *item, struct part *ret)
{
    struct path_item room[ITEMS_ROOM];
    struct path_items items = {room, 0, ARRAY_LEN(room)};
    struct extract *to = &ret->x;
    size_t n = 0;
    int r;

    *to = (struct extract){.max = x->max,
                           .a = x->a,
                           .opt = x->opt,
                           .entries = ret->room,
                           .cap = PART_ROOM,
                           .err = x->err};
    env->steps = 0;
    r = path_eval(path, env, item, &items, x->err);
    for (size_t i = 0; i < items.n && r >= 0; i++)
        r = value_each(x->opt, kind, &items.p[i], extract_value, to);
    if (r < 0)
        return r;
    for (size_t i = 0; i < to->n; i++)
        if (can_be_asked_for(kind, &to->entries[i]))
            to->entries[n++] = to->entries[i];
    to->n = n;
    return n > 0;
}

/* Dates by start and by end stand in one list here. */
static void put_part(struct key *k, enum def_param_kind kind, const struct index_entry *e)
{
    if (kind == PARAM_DATE)
        key_byte(k, e->param == INDEX_PARAM_ENDS ? KEY_BY_END : KEY_BY_START);
    key_put(k, e->key, e->key_n);
}

static bool fits(const struct key *k, const struct index_entry *e)
{
    return k->n + 1 + e->key_n <= sizeof k->b;
}

/* The resource has more than there are keys of: whoever searches looks at it. */
static int mark(struct extract *x)
{
    struct key k = {.n = 0};

    key_byte(&k, KEY_END);
    return extract_add(x, (uint16_t)(x->param + INDEX_PARAM_ENDS), &k, false);
}

/* One pair; where it cannot be a key the mark stands for it. */
static int add_pair(struct extract *x, const struct def_param *d, const struct part *parts,
                    const size_t at[PARAM_COMPONENTS_MAX])
{
    enum def_param_kind kind = PARAM_COMPOSITE;
    struct key k = {.n = 0};
    size_t last = 0;
    int r;

    for (size_t i = 0; i < d->n_components; i++) {
        const struct index_entry *e = &parts[i].x.entries[at[i]];

        if (!fits(&k, e))
            return mark(x);
        last = k.n;
        kind = d->components[i].kind;
        put_part(&k, kind, e);
    }
    r = extract_add(x, x->param, &k, false);
    if (r == 0 && key_is_ordered(kind))
        x->entries[x->n - 1].head_n =
            (uint8_t)(last + key_ordered_from(kind, str_from(key_view(&k), last)));
    return r;
}

/* Each of one component with each of the others, at most *left: 1 when there were more. */
static int add_pairs(struct extract *x, const struct def_param *d, const struct part *parts,
                     size_t *left)
{
    size_t at[PARAM_COMPONENTS_MAX] = {0}, i;

    do {
        int r = *left ? add_pair(x, d, parts, at) : mark(x);

        if (r < 0 || !*left)
            return r < 0 ? r : 1;
        --*left;
        for (i = d->n_components; i > 0 && ++at[i - 1] == parts[i - 1].x.n; i--)
            at[i - 1] = 0;
    } while (i > 0);
    return 0;
}

int index_composite(struct extract *x, const struct param *p, const struct param_more *more,
                    struct path_env *env, const struct path_item *root)
{
    struct path_item room[ITEMS_ROOM];
    struct path_items items = {room, 0, ARRAY_LEN(room)};
    struct part parts[PARAM_COMPONENTS_MAX];
    size_t left = INDEX_COMPOSITES_MAX;
    int r;

    if (!more->components)
        return 0;
    env->steps = 0;
    r = MIN(path_eval(p->path, env, root, &items, x->err), 0);
    x->param = p->def.id;
    for (size_t i = 0; i < items.n && r == 0; i++) {
        size_t k = p->def.n_components;
        int has = 1;

        /* The last one first: an element seldom has a value of the kind. */
        for (; k > 0 && has > 0; k--)
            has = part_of(x, p->def.components[k - 1].kind, more->components[k - 1], env,
                          &items.p[i], &parts[k - 1]);
        r = has > 0 ? add_pairs(x, &p->def, parts, &left) : has;
    }
    return MIN(r, 0);
}
