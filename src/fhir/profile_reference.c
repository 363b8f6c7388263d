/* profile_reference.c - what references lead to: within the resource, within the Bundle, outside.
 */
#include "fhir/profile_int.h"

#define ENTRIES_LOAD 2 /* places of the table for each name */

/* ---- the names of a Bundle's entries ---- */

struct entry_name {
    struct str url, version; /* meta.versionId; empty: not said */
    yyjson_val *entry;
    size_t number; /* in the Bundle */
};

struct entries {
    struct entry_name *places;
    size_t n_places; /* a power of two */
};

static void add_name(struct entries *e, struct str url, yyjson_val *entry, size_t number)
{
    struct str version = js_get_str(js_get(js_get(entry, "resource"), "meta"), "versionId");
    size_t at = str_hash(url) & (e->n_places - 1);

    while (e->places[at].entry) {
        if (str_eq(e->places[at].url, url) && str_eq(e->places[at].version, version))
            return;
        at = (at + 1) & (e->n_places - 1);
    }
    e->places[at] = (struct entry_name){url, version, entry, number};
}

/* Of a version, where one is asked for; an entry that does not say its own may be any. */
static const struct entry_name *find_name(const struct entries *e, struct str url,
                                          struct str version)
{
    size_t at = str_hash(url) & (e->n_places - 1);

    for (; e->places[at].entry; at = (at + 1) & (e->n_places - 1)) {
        const struct entry_name *place = &e->places[at];
        if (str_eq(place->url, url) &&
            (!version.n || !place->version.n || str_eq(place->version, version)))
            return place;
    }
    return NULL;
}

/* "Type/id" of a URL that ends so, or empty. */
static struct str relative_part(struct str url)
{
    ptrdiff_t slash = str_rfind(url, '/'), before;

    if (slash < 0)
        return STR("");
    before = str_rfind(str_head(url, (size_t)slash), '/');
    if (!def_resource(str_n(url.p + before + 1, (size_t)(slash - before - 1))))
        return STR("");
    return str_from(url, (size_t)(before + 1));
}

struct entries *entries_of(struct arena *a, yyjson_val *bundle)
{
    yyjson_val *list = js_get(bundle, "entry"), *entry;
    struct entries *e = ARENA_NEW(a, struct entries);
    size_t i, n, places = 4;

    while (places < yyjson_arr_size(list) * 2 * ENTRIES_LOAD)
        places *= 2;
    if (!e || !(e->places = ARENA_ARRAY(a, struct entry_name, places)))
        return NULL;
    e->n_places = places;
    yyjson_arr_foreach(list, i, n, entry) {
        struct str url = js_get_str(entry, "fullUrl");
        if (url.n)
            add_name(e, url, entry, i);
    }
    yyjson_arr_foreach(list, i, n, entry) {
        struct str part = relative_part(js_get_str(entry, "fullUrl"));
        if (part.n)
            add_name(e, part, entry, i);
    }
    return e;
}

/* ---- following ---- */

static yyjson_val *contained_in(yyjson_val *resource, struct str id)
{
    yyjson_val *v;
    size_t i, n;

    if (!id.n)
        return resource;
    yyjson_arr_foreach(js_get(resource, "contained"), i, n, v) {
        if (str_eq(js_get_str(v, "id"), id))
            return v;
    }
    return NULL;
}

/* The base of the entry's fullUrl with the relative reference behind it. */
static struct str absolute(struct conform *c, const struct scope *s, struct str reference)
{
    struct str part = relative_part(s->full_url);

    if (!part.n || str_find(reference, ':') >= 0)
        return STR_NULL;
    return arena_fmt(c->a, "%.*s%.*s", (int)(s->full_url.n - part.n), s->full_url.p,
                     STR_ARG(reference));
}

static const struct entry_name *entry_for(struct conform *c, const struct scope *in,
                                          const struct scope *bundle, struct str reference,
                                          struct str version)
{
    struct str url = absolute(c, in, reference);
    const struct entry_name *found = url.p ? find_name(bundle->entries, url, version) : NULL;

    return found ? found : find_name(bundle->entries, reference, version);
}

static struct str without_version(struct str reference)
{
    ptrdiff_t slash = str_rfind(reference, '/');
    struct str head = slash < 0 ? reference : str_head(reference, (size_t)slash);

    return str_ends(head, STR("/_history")) ? str_head(head, head.n - 9) : reference;
}

static struct str version_in(struct str reference)
{
    struct str rest = without_version(reference);

    return rest.n == reference.n ? STR("") : str_from(reference, rest.n + 10);
}

ptrdiff_t entry_named(struct conform *c, const struct scope *scope, struct str reference)
{
    const struct entry_name *name =
        entry_for(c, scope, scope->up, without_version(reference), version_in(reference));

    return name ? (ptrdiff_t)name->number : -1;
}

int resolve(struct conform *c, const struct scope *scope, struct str reference, yyjson_val **ret,
            enum found_in *ret_in, struct scope *ret_scope)
{
    const struct world *world = c->options->world;
    const struct scope *holder = scope;
    struct str version = version_in(reference);
    int r;

    *ret = NULL;
    *ret_in = FOUND_NOWHERE;
    while (holder->is_contained && holder->up)
        holder = holder->up;
    if (reference.n && reference.p[0] == '#') {
        *ret = contained_in(holder->resource, str_from(reference, 1));
        *ret_in = *ret ? FOUND_CONTAINED : FOUND_NOWHERE;
        *ret_scope = (struct scope){
            .up = holder, .resource = *ret, .is_contained = *ret != holder->resource};
        return 0;
    }
    reference = without_version(reference);
    for (const struct scope *b = holder; b; b = b->up) {
        const struct entry_name *name =
            b->entries ? entry_for(c, holder, b, reference, version) : NULL;
        if (!name)
            continue;
        *ret = js_get(name->entry, "resource");
        *ret_in = *ret ? FOUND_BUNDLED : FOUND_NOWHERE;
        *ret_scope = (struct scope){
            .up = b, .resource = *ret, .full_url = js_get_str(name->entry, "fullUrl")};
        return 0;
    }
    if (!world || !world->reference)
        return 0;
    r = world->reference(world->ctx, c->a, reference, ret, c->err);
    if (r < 0)
        return r;
    *ret_in = *ret ? FOUND_OUTSIDE : FOUND_NOWHERE;
    *ret_scope = (struct scope){.resource = *ret};
    return 0;
}

/* ---- targets ---- */

static bool is_of_type(const struct def_type *t, const struct def_type *wanted)
{
    while (t && t != wanted)
        t = t->base;
    return t != NULL;
}

const struct def_type *reference_type(yyjson_val *v)
{
    struct str part = relative_part(without_version(js_get_str(v, "reference")));
    struct str type = js_get_str(v, "type");
    int number = def_resource(part.n ? str_head(part, (size_t)str_find(part, '/')) : type);

    return number ? def_resource_type(number) : NULL;
}

struct target_check {
    struct conform *c;
    const struct profile_type *t;
    const struct item *target; /* NULL: only its type is known */
    const struct def_type *type;
    const struct scope *scope;
    const struct place *at;
    bool is_type_allowed;
};

/* Whether the target is what one of the links asks for: 1, 0, negative. */
static int meets_target(struct target_check *k)
{
    const struct profile *p;
    int r;

    for (size_t i = 0; i < k->t->n_targets; i++) {
        struct profile_link *link = &k->t->targets[i];
        if (link->base) {
            if (is_of_type(k->type, link->base))
                return 1;
            continue;
        }
        r = conform_link(k->c, link, k->at, &p);
        if (r < 0)
            return r;
        if (!p)
            return 1;
        if (!is_of_type(k->type, p->type))
            continue;
        k->is_type_allowed = true;
        r = k->target ? conform_try(k->c, p, k->target, k->scope, k->at) : 1;
        if (r != 0)
            return r;
    }
    return 0;
}

static int check_targets(struct conform *c, const struct profile *p,
                         const struct profile_node *node, const struct profile_type *t,
                         yyjson_val *found, const struct def_type *said, const struct scope *scope,
                         const struct place *at)
{
    struct conform inner = *c;
    struct item target = found ? item_of_resource(found) : (struct item){0};
    struct target_check k = {.c = &inner,
                             .t = t,
                             .target = target.type ? &target : NULL,
                             .type = target.type ? target.type : said,
                             .scope = scope,
                             .at = at};
    int r;

    if (!k.type)
        return 0;
    if (++inner.references > CONFORM_REFERENCES_MAX)
        k.target = NULL;
    r = meets_target(&k);
    if (r < 0)
        return r;
    if (r == 0 && k.is_type_allowed)
        conform_say(c, ISSUE_ERROR, "structure", at, p, node->id,
                    "refers to a %.*s that conforms to none of the profiles allowed here",
                    STR_ARG(k.type->name));
    else if (r == 0)
        conform_say(c, ISSUE_ERROR, "structure", at, p, node->id,
                    "refers to a %.*s, which is not among what is allowed here",
                    STR_ARG(k.type->name));
    return 0;
}

static void check_aggregation(struct conform *c, const struct profile *p,
                              const struct profile_node *node, const struct profile_type *t,
                              enum found_in in, const struct place *at)
{
    static const unsigned fitting[] = {
        [FOUND_NOWHERE] = AGGREGATION_REFERENCED,
        [FOUND_CONTAINED] = AGGREGATION_CONTAINED,
        [FOUND_BUNDLED] = AGGREGATION_BUNDLED | AGGREGATION_REFERENCED,
        [FOUND_OUTSIDE] = AGGREGATION_REFERENCED,
    };
    static const char *const names[] = {[FOUND_NOWHERE] = "outside of this",
                                        [FOUND_CONTAINED] = "contained",
                                        [FOUND_BUNDLED] = "in the same Bundle",
                                        [FOUND_OUTSIDE] = "outside of this"};

    if (t->aggregation && !(t->aggregation & fitting[in]))
        conform_say(c, ISSUE_ERROR, "structure", at, p, node->id,
                    "refers to what is %s, which the profile does not allow", names[in]);
}

int conform_reference(struct conform *c, const struct profile *p, const struct profile_node *node,
                      const struct item *item, const struct scope *scope, const struct place *at)
{
    struct str reference = js_get_str(item->v, "reference");
    const struct profile_type *t = NULL;
    yyjson_val *found = NULL;
    enum found_in in = FOUND_NOWHERE;
    struct scope there = *scope;
    int r;

    if (item->type->which != TYPE_REFERENCE)
        return 0;
    for (size_t i = 0; i < node->n_types && !t; i++)
        if (node->types[i].type == item->type)
            t = &node->types[i];
    if (!t || (!t->n_targets && !t->aggregation))
        return 0;
    if (reference.n) {
        r = resolve(c, scope, reference, &found, &in, &there);
        if (r < 0)
            return r;
        check_aggregation(c, p, node, t, in, at);
    }
    return t->n_targets ? check_targets(c, p, node, t, found, reference_type(item->v), &there, at)
                        : 0;
}
