/* profile_check.c - an element and all below it against the nodes of a profile. */
#include "fhir/profile_int.h"

#define COUNTED_ROOM 32 /* slices counted without memory of the arena */

/* Slices within slices: an item takes part only when it belongs to all of those around. */
struct within {
    const struct profile_slicing *slicing;
    const struct profile_node *slice;
    const struct within *up;
};

static bool is_trial_lost(const struct conform *c)
{
    return !c->issues && c->n_errors;
}

static bool is_of_type(const struct def_type *t, const struct def_type *wanted)
{
    while (t && t != wanted)
        t = t->base;
    return t != NULL;
}

/* ---- the element itself ---- */

static void list_links(const struct profile_link *links, size_t n, char *to, size_t max)
{
    size_t at = 0;

    to[0] = 0;
    for (size_t i = 0; i < n && at < max - 1; i++) {
        int more = snprintf(to + at, max - at, "%s%.*s", i ? ", " : "", STR_ARG(links[i].url));
        at = MIN(at + (size_t)MAX(more, 0), max - 1);
    }
}

/* One of the profiles on the element's type must hold. */
static int check_type_profiles(struct conform *c, const struct profile *p,
                               const struct profile_node *node, const struct profile_type *t,
                               const struct item *item, const struct scope *scope,
                               const struct place *at)
{
    const struct profile *of = NULL;
    size_t n_unknown = 0;
    char names[ERR_TEXT_MAX / 2];

    /* Extensions are looked up by their own url, all of them (profile_extension.c). */
    if (c->issues && item->type->which == TYPE_EXTENSION)
        return 0;
    for (size_t i = 0; i < t->n_profiles; i++) {
        int r;
        if (t->profiles[i].base)
            return 0;
        r = conform_link(c, &t->profiles[i], at, &of);
        if (r < 0)
            return r;
        if (of && t->n_profiles == 1)
            return conform_profile(c, of, item, scope, at);
        r = of ? conform_try(c, of, item, scope, at) : 0;
        if (r != 0)
            return MIN(r, 0);
        n_unknown += !of;
    }
    if (n_unknown == t->n_profiles)
        return 0;
    list_links(t->profiles, t->n_profiles, names, sizeof names);
    conform_say(c, ISSUE_ERROR, "structure", at, p, node->id, "conforms to none of %s", names);
    return 0;
}

static int check_types(struct conform *c, const struct profile *p, const struct profile_node *node,
                       const struct item *item, const struct scope *scope, const struct place *at)
{
    struct str name = item->type ? item->type->name : STR("unknown");

    if (!node->has_types || !item->type)
        return 0;
    for (size_t i = 0; i < node->n_types; i++) {
        const struct profile_type *t = &node->types[i];
        if (!is_of_type(item->type, t->type))
            continue;
        return t->n_profiles ? check_type_profiles(c, p, node, t, item, scope, at) : 0;
    }
    conform_say(c, ISSUE_ERROR, "structure", at, p, node->id,
                "has the type %.*s, which is not among those allowed here", STR_ARG(name));
    return 0;
}

static void show(yyjson_val *v, char *to, size_t max)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(64));

    js_write(&text, v);
    snprintf(to, max, "%.*s%s", (int)MIN(text.n, max - 8), text.n ? text.p : "",
             text.n > max - 8 ? " …" : "");
}

static void check_values(struct conform *c, const struct profile *p,
                         const struct profile_node *node, const struct item *item,
                         const struct place *at)
{
    char wanted[200];
    int order;

    /* A primitive's extension is more than the fixed value has. */
    if (node->fixed && (item->more || !value_is_fixed(item->v, node->fixed))) {
        show(node->fixed, wanted, sizeof wanted);
        conform_say(c, ISSUE_ERROR, "value", at, p, node->id, "is not the fixed value %s", wanted);
    }
    if (node->pattern && !value_has_pattern(item->v, node->pattern)) {
        show(node->pattern, wanted, sizeof wanted);
        conform_say(c, ISSUE_ERROR, "value", at, p, node->id, "does not have the pattern %s",
                    wanted);
    }
    if (node->max_length && value_length(item->v) > node->max_length)
        conform_say(c, ISSUE_ERROR, "too-long", at, p, node->id, "is longer than %u characters",
                    node->max_length);
    if (!item->type || !item->v)
        return;
    order = node->min_value ? value_compare(item->v, node->min_value, item->type) : 0;
    if (order == -1)
        conform_say(c, ISSUE_ERROR, "value", at, p, node->id, "is less than the minimum");
    order = node->max_value ? value_compare(item->v, node->max_value, item->type) : 0;
    if (order == 1)
        conform_say(c, ISSUE_ERROR, "value", at, p, node->id, "is more than the maximum");
}

/* ---- cardinality ---- */

static void check_count(struct conform *c, const struct profile *p, const struct profile_node *node,
                        size_t n, const struct place *up)
{
    struct place at = {up, node->element->name, -1};
    bool is_slice = node->slice.n > 0;

    if (!node->has_cardinality)
        return;
    if (n < node->min && is_slice)
        conform_say(c, ISSUE_ERROR, "required", &at, p, node->id,
                    "has %zu of the slice %.*s, where at least %u must be", n, STR_ARG(node->slice),
                    node->min);
    else if (n < node->min && n == 0)
        conform_say(c, ISSUE_ERROR, "required", &at, p, node->id, "is required");
    else if (n < node->min)
        conform_say(c, ISSUE_ERROR, "required", &at, p, node->id,
                    "stands %zu times, but at least %u are required", n, node->min);
    if (n > node->max && is_slice)
        conform_say(c, ISSUE_ERROR, "structure", &at, p, node->id,
                    "has %zu of the slice %.*s, where at most %u may be", n, STR_ARG(node->slice),
                    node->max);
    else if (n > node->max && node->max == 0)
        conform_say(c, ISSUE_ERROR, "structure", &at, p, node->id, "is not allowed");
    else if (n > node->max)
        conform_say(c, ISSUE_ERROR, "structure", &at, p, node->id,
                    "stands %zu times, but at most %u are allowed", n, node->max);
}

/* ---- slices ---- */

struct slicing_run {
    struct conform *c;
    const struct profile *p;
    const struct profile_node *node;
    const struct scope *scope;
    const struct place *up;
    const struct within *within;
    uint32_t *counts; /* by slice */
    size_t last;      /* slice of the element before, for an order */
    bool is_behind;   /* an element of no slice was met */
};

static int is_within(struct slicing_run *run, const struct within *within, const struct item *item,
                     size_t place, const struct scope *scope, const struct place *at)
{
    const struct profile_node *slice;
    int r;

    for (; within; within = within->up) {
        r = slice_of(run->c, within->slicing, item, place, scope, at, &slice);
        if (r < 0 || slice != within->slice)
            return MIN(r, 0);
    }
    return 1;
}

static size_t place_among(const struct profile_slicing *s, const struct profile_node *slice)
{
    size_t i = 0;

    for (const struct profile_node *n = s->first; n != slice; n = n->next)
        i++;
    return i;
}

static int meet_slice(struct slicing_run *run, const struct profile_node *slice,
                      const struct item *item, const struct scope *scope, const struct place *at)
{
    const struct profile_slicing *s = run->node->slicing;
    size_t i = place_among(s, slice);

    run->counts[i]++;
    if (s->is_ordered && i < run->last)
        conform_say(run->c, ISSUE_ERROR, "structure", at, run->p, slice->id,
                    "is of the slice %.*s, which has to stand earlier", STR_ARG(slice->slice));
    if (s->rules == SLICING_OPEN_AT_END && run->is_behind)
        conform_say(run->c, ISSUE_ERROR, "structure", at, run->p, slice->id,
                    "is of a slice, but stands behind what is of none");
    run->last = MAX(run->last, i);
    return conform_node(run->c, run->p, slice, item, scope, at);
}

static int meet_item(struct slicing_run *run, const struct item *item, size_t place,
                     const struct scope *scope, const struct place *at)
{
    const struct profile_slicing *s = run->node->slicing;
    const struct profile_node *slice;
    int r = slice_of(run->c, s, item, place, scope, at, &slice);

    if (r < 0)
        return r;
    if (slice)
        return meet_slice(run, slice, item, scope, at);
    run->is_behind = true;
    if (s->rules == SLICING_CLOSED)
        conform_say(run->c, ISSUE_ERROR, "structure", at, run->p, run->node->id,
                    "is of none of the slices, and others are not allowed");
    return 0;
}

static int check_slices(struct conform *c, const struct profile *p, const struct profile_node *node,
                        yyjson_val *obj, const struct def_type *type, const struct def_element *e,
                        const struct scope *scope, const struct place *up,
                        const struct within *within)
{
    uint32_t room[COUNTED_ROOM] = {0};
    struct slicing_run run = {c, p, node, scope, up, within, room, 0, false};
    struct item_walk w = items_of(obj, type, e);
    size_t place = 0;
    int r = 0;

    if (node->slicing->n > COUNTED_ROOM)
        run.counts = ARENA_ARRAY(c->a, uint32_t, node->slicing->n);
    if (!run.counts)
        return err_no_memory(c->err);
    for (; r >= 0 && item_next(&w) && !is_trial_lost(c); place++) {
        struct place at = {up, e->name, w.item.index};
        struct scope inner = scope_within(c, scope, obj, &w.item);
        r = is_within(&run, within, &w.item, place, &inner, &at);
        if (r > 0)
            r = meet_item(&run, &w.item, place, &inner, &at);
    }
    place = 0;
    for (const struct profile_node *s = node->slicing->first; s && r >= 0; s = s->next, place++) {
        struct within inner = {node->slicing, s, within};
        check_count(c, p, s, run.counts[place], up);
        if (s->slicing && c->depth < CONFORM_DEPTH_MAX)
            r = check_slices(c, p, s, obj, type, e, scope, up, &inner);
    }
    return r;
}

/* ---- children ---- */

static int check_child(struct conform *c, const struct profile *p, const struct profile_node *child,
                       yyjson_val *obj, const struct def_type *type, const struct def_element *e,
                       const struct scope *scope, const struct place *up)
{
    struct item_walk w = items_of(obj, type, e);
    size_t n = 0;
    int r = 0;

    for (; r >= 0 && item_next(&w) && !is_trial_lost(c); n++) {
        struct place at = {up, e->name, w.item.index};
        struct scope inner = scope_within(c, scope, obj, &w.item);
        r = conform_node(c, p, child, &w.item, &inner, &at);
    }
    if (r < 0)
        return r;
    check_count(c, p, child, n, up);
    return child->slicing && child->slicing->first
               ? check_slices(c, p, child, obj, type, e, scope, up, NULL)
               : 0;
}

static int check_children(struct conform *c, const struct profile *p,
                          const struct profile_node *node, const struct item *item,
                          const struct scope *scope, const struct place *at)
{
    yyjson_val *obj = item_object(item);
    int r = 0;

    if (node->type && !is_of_type(item->type, node->type))
        return 0;
    for (const struct profile_node *n = node->child; n && r >= 0 && !is_trial_lost(c);
         n = n->next) {
        const struct def_element *e =
            item->type == node->type ? n->element : element_of(item->type, n->element->name);
        if (e)
            r = check_child(c, p, n, obj, item->type, e, scope, at);
    }
    return r;
}

int conform_node(struct conform *c, const struct profile *p, const struct profile_node *node,
                 const struct item *item, const struct scope *scope, const struct place *at)
{
    struct conform inner = *c;
    int r = 0;

    if (!node->matters || !item->type || !conform_step(c, at))
        return 0;
    inner.depth++;
    r = check_types(&inner, p, node, item, scope, at);
    if (r >= 0)
        check_values(&inner, p, node, item, at);
    if (r >= 0 && node->binding)
        r = conform_binding(&inner, p, node->id, node->binding, item, at);
    if (r >= 0 && node->has_types)
        r = conform_reference(&inner, p, node, item, scope, at);
    if (r >= 0 && node->n_rules)
        r = conform_rules(&inner, p, node->rules, node->n_rules, item, scope, at);
    if (r >= 0 && node->child)
        r = check_children(&inner, p, node, item, scope, at);
    c->n_errors = inner.n_errors;
    return r;
}
