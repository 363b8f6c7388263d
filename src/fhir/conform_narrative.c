/* conform_narrative.c - links within a narrative lead somewhere: "#x" to an element of a narrative,
 * of the resource or what it contains; in a document, whose narratives are shown as one, of any
 * entry. And no two elements of a narrative have the same id.
 *
 * Source: http://hl7.org/fhir/R4/narrative.html, documents.html#presentation.
 */
#include "fhir/profile_int.h"

#include "fhir/xhtml.h"

#include <stdlib.h>

struct anchor {
    struct str name;
    bool is_found;
};

/* Anchors that links ask for, or that a narrative has. */
struct anchors {
    struct anchor *v;
    size_t n, max;
    bool for_links; /* else: ids */
};

/* A browser's empty fragment is the top of the page. */
static bool is_local_link(struct str element, struct str name, struct str value)
{
    return value.n > 1 && value.p[0] == '#' &&
           ((str_eq(element, STR("a")) && str_eq(name, STR("href"))) ||
            (str_eq(element, STR("img")) && str_eq(name, STR("src"))));
}

static bool is_anchor(struct str element, struct str name)
{
    return str_eq(name, STR("id")) || (str_eq(element, STR("a")) && str_eq(name, STR("name")));
}

static void collect(void *ctx, struct str element, struct str name, struct str value)
{
    struct anchors *all = ctx;
    struct str found = STR_NULL;

    if (all->for_links && is_local_link(element, name, value))
        found = str_from(value, 1);
    else if (!all->for_links && str_eq(name, STR("id")))
        found = value;
    if (!found.p)
        return;
    if (all->v && all->n < all->max)
        all->v[all->n].name = found;
    all->n++;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct anchor *)a)->name, ((const struct anchor *)b)->name);
}

/* A link that is there a thousand times is looked for, and told, once. */
static void drop_repeated(struct anchors *all)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++)
        if (!n || !str_eq(all->v[n - 1].name, all->v[i].name))
            all->v[n++] = all->v[i];
    all->n = n;
}

/* Counts first, so that no more is kept than is there. */
static int collect_all(struct conform *c, struct str div, bool for_links, struct anchors *ret)
{
    *ret = (struct anchors){.for_links = for_links};
    xhtml_attributes(div, collect, ret);
    if (!ret->n)
        return 0;
    ret->max = ret->n;
    ret->n = 0;
    ret->v = ARENA_ARRAY(c->a, struct anchor, ret->max);
    if (!ret->v)
        return err_no_memory(c->err);
    xhtml_attributes(div, collect, ret);
    qsort(ret->v, ret->n, sizeof *ret->v, by_name);
    if (for_links)
        drop_repeated(ret);
    return 0;
}

static void mark(struct anchors *links, struct str name)
{
    struct anchor key = {name, false};
    struct anchor *found = bsearch(&key, links->v, links->n, sizeof key, by_name);

    if (found)
        found->is_found = true;
}

static void mark_attribute(void *ctx, struct str element, struct str name, struct str value)
{
    if (is_anchor(element, name))
        mark(ctx, value);
}

/* Ids anywhere in a value, and in the narratives of it. JSON's depth bounds how far it goes. */
static void mark_within(struct anchors *links, yyjson_val *v)
{
    yyjson_val *key, *val;
    size_t i, n;

    if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, i, n, val) {
            mark_within(links, val);
        }
        return;
    }
    yyjson_obj_foreach(v, i, n, key, val) {
        if (str_eq(js_str(key), STR("id")))
            mark(links, js_str(val));
        else if (str_eq(js_str(key), STR("div")) && yyjson_is_str(val))
            xhtml_attributes(js_str(val), mark_attribute, links);
        else
            mark_within(links, val);
    }
}

static bool all_found(const struct anchors *links)
{
    for (size_t i = 0; i < links->n; i++)
        if (!links->v[i].is_found)
            return false;
    return true;
}

/* How much there is to look through, for the bound of the check. */
static size_t size_of(yyjson_val *v)
{
    return (size_t)((const char *)unsafe_yyjson_get_next(v) - (const char *)v) / sizeof *v;
}

static void check_links(struct conform *c, struct anchors *links, const struct scope *scope,
                        const struct place *at)
{
    const struct scope *holder = scope;
    yyjson_val *bundle;

    while (holder->is_contained && holder->up)
        holder = holder->up;
    bundle = holder->up ? holder->up->resource : NULL;
    if (!conform_steps(c, size_of(holder->resource), at))
        return;
    mark_within(links, holder->resource);
    if (bundle && str_eq(js_get_str(bundle, "type"), STR("document")) && !all_found(links) &&
        conform_steps(c, size_of(bundle), at))
        mark_within(links, bundle);
    for (size_t i = 0; i < links->n; i++) {
        struct str name = links->v[i].name;
        if (!links->v[i].is_found)
            conform_say(c, ISSUE_WARNING, "not-found", at, NULL, STR("narrative"),
                        "has a link to \"#%.*s\", which nothing here is called",
                        (int)MIN(name.n, 100u), name.p);
    }
}

static void check_ids(struct conform *c, const struct anchors *ids, const struct place *at)
{
    for (size_t i = 1; i < ids->n; i++) {
        struct str name = ids->v[i].name;
        if (str_eq(ids->v[i - 1].name, name) && !(i > 1 && str_eq(ids->v[i - 2].name, name)))
            conform_say(c, ISSUE_WARNING, "duplicate", at, NULL, STR("narrative"),
                        "has several elements with the id \"%.*s\"", (int)MIN(name.n, 100u),
                        name.p);
    }
}

int conform_narrative(struct conform *c, const struct item *item, const struct scope *scope,
                      const struct place *up)
{
    struct place at = {up, STR("div"), -1};
    struct str div = js_get_str(item->v, "div");
    struct anchors links, ids;
    int r;

    if (!div.n || !c->issues)
        return 0;
    if ((r = collect_all(c, div, true, &links)) < 0 || (r = collect_all(c, div, false, &ids)) < 0)
        return r;
    if (links.n)
        check_links(c, &links, scope, &at);
    check_ids(c, &ids, &at);
    return 0;
}
