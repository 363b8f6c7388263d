#include "api/document_int.h"

#include "fhir/path.h"

#define GRAPH_DEPTH_MAX 8  /* links within one another */
#define GRAPH_COUNT "1000" /* matches of one search */

struct graph {
    struct document *d;
    struct path_env env; /* its steps are those of the whole graph */
    size_t n_links;
    unsigned depth;
};

static int follow_links(struct graph *g, yyjson_val *links, int type, struct str id,
                        yyjson_val *root);

static struct str name_of(yyjson_val *link)
{
    struct str path = js_get_str(link, "path");

    return path.n ? path : js_get_str(link, "sliceName");
}

/* A resource that a link leads to: 1, or 0 where it is not here. */
static int reach(struct graph *g, yyjson_val *target, int type, struct str id)
{
    struct call *c = g->d->c;
    yyjson_val *root, *links = js_get(target, "link");
    int r;

    if (++g->n_links > DOCUMENT_LINKS_MAX)
        return err_set(&c->err, ERR_COSTLY, "the graph leads to more than %d resources",
                       DOCUMENT_LINKS_MAX);
    r = op_resource(c, g->d->txn, type, id, &root);
    if (r == ERR_NOT_FOUND || r == ERR_DELETED) {
        c->err = (struct err){0};
        return 0;
    }
    if (r < 0 || (r = document_add(g->d, type, id)) < 0)
        return r;
    if (r > 0 && links && (r = follow_links(g, links, type, id, root)) < 0)
        return r;
    return 1;
}

/* The target of a link that is for a type; NULL: none. */
static yyjson_val *target_for(yyjson_val *link, int type)
{
    yyjson_val *target;
    size_t i, max;

    yyjson_arr_foreach(js_get(link, "target"), i, max, target) {
        if (def_resource(js_get_str(target, "type")) == type)
            return target;
    }
    return NULL;
}

/* What the references that a path finds lead to: how many. */
static int by_path(struct graph *g, yyjson_val *link, yyjson_val *root)
{
    struct call *c = g->d->c;
    struct path_item focus = path_root(root);
    struct path_items found = {0};
    const struct path *path;
    int n = 0, r;

    g->env.resource = root;
    if ((r = path_compile(c->a, js_get_str(link, "path"), focus.type, &path, &c->err)) < 0 ||
        (r = path_eval(path, &g->env, &focus, &found, &c->err)) < 0)
        return r;
    for (size_t i = 0; i < found.n; i++) {
        yyjson_val *target;
        struct str id;
        int type;

        if (!op_local(c, js_get_str(found.p[i].v, "reference"), &type, &id) ||
            !(target = target_for(link, type)))
            continue;
        if ((r = reach(g, target, type, id)) < 0)
            return r;
        n += r;
    }
    return n;
}

/* "patient={ref}" with what the link begins at in its place. */
static struct str query_of(struct graph *g, struct str params, int type, struct str id)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(8));
    const struct str place = STR("{ref}");

    for (size_t i = 0; i < params.n;) {
        if (str_starts(str_from(params, i), place)) {
            sb_fmt(&b, "%.*s/%.*s", STR_ARG(def_resource_name(type)), STR_ARG(id));
            i += place.n;
        } else {
            sb_char(&b, params.p[i++]);
        }
    }
    sb_lit(&b, "&_total=none&_count=" GRAPH_COUNT);
    return b.failed ? STR_NULL : arena_dup(g->d->c->a, sb_view(&b));
}

/* What a target's search finds: how many. */
static int by_search(struct graph *g, yyjson_val *target, int type, struct str id)
{
    struct call *c = g->d->c;
    struct str params = js_get_str(target, "params"), query;
    int of = def_resource(js_get_str(target, "type")), n = 0, r;
    struct page page;

    if (!of || str_find(params, '{') < 0)
        return err_set(&c->err, ERR_PROCESSING,
                       "a link of the graph has neither a path nor params with {ref}");
    query = query_of(g, params, type, id);
    if (!query.p)
        return err_no_memory(&c->err);
    if ((r = op_search(c, g->d->txn, of, query, 1, &page)) < 0)
        return r;
    for (size_t i = 0; i < page.n; i++) {
        struct row row;
        struct str found;

        if ((r = store_get_row(g->d->txn, page.rows[i], &row, &c->err)) < 0)
            return r;
        found = arena_dup(c->a, row.id);
        if (!found.p)
            return err_no_memory(&c->err);
        if ((r = reach(g, target, of, found)) < 0)
            return r;
        n += r;
    }
    return page.next.p ? err_set(&c->err, ERR_COSTLY,
                                 "a link of the graph finds more than " GRAPH_COUNT " resources")
                       : n;
}

/* What of a link this node does not do is refused, not passed over. */
static int can_follow(struct call *c, yyjson_val *link)
{
    yyjson_val *target;
    size_t i, max;

    yyjson_arr_foreach(js_get(link, "target"), i, max, target) {
        const char *what = js_get(target, "compartment") ? "compartments"
                           : js_get(target, "profile")   ? "profiles"
                                                         : NULL;
        if (what)
            return err_set(&c->err, ERR_NOT_SUPPORTED, "%s of a graph's targets are not supported",
                           what);
    }
    return 0;
}

static int check_count(struct call *c, yyjson_val *link, int n)
{
    struct str max = js_get_str(link, "max"), name = name_of(link);
    uint64_t least = 0, most;

    str_to_u64(js_primitive(js_get(link, "min")), INT32_MAX, &least);
    if (str_to_u64(max, INT32_MAX, &most) && (uint64_t)n > most)
        return err_set(&c->err, ERR_PROCESSING,
                       "the graph's link \"%.*s\" leads to %d resources, and may lead to %.*s",
                       STR_ARG(name), n, STR_ARG(max));
    if ((uint64_t)n < least)
        return err_set(&c->err, ERR_PROCESSING,
                       "the graph's link \"%.*s\" leads to %d resources, and has to lead to %d",
                       STR_ARG(name), n, (int)least);
    return 0;
}

static int follow_links(struct graph *g, yyjson_val *links, int type, struct str id,
                        yyjson_val *root)
{
    struct call *c = g->d->c;
    yyjson_val *link, *target;
    size_t i, max, j, n_targets;

    if (g->depth == GRAPH_DEPTH_MAX)
        return err_set(&c->err, ERR_COSTLY, "the graph's links are nested more than %d deep",
                       GRAPH_DEPTH_MAX);
    g->depth++;
    yyjson_arr_foreach(links, i, max, link) {
        bool has_path = js_get_str(link, "path").n > 0;
        int n = 0, r = can_follow(c, link);

        if (r == 0 && has_path)
            n = r = by_path(g, link, root);
        yyjson_arr_foreach(js_get(link, "target"), j, n_targets, target) {
            if (r >= 0 && !has_path && (r = by_search(g, target, type, id)) > 0)
                n += r;
        }
        if (r < 0 || (r = check_count(c, link, n)) < 0)
            return r;
    }
    g->depth--;
    return 0;
}

static int find_graph(struct call *c, struct store_txn *txn, struct str graph, yyjson_val **ret)
{
    const struct world *w = c->api->world;
    int want = def_resource(STR("GraphDefinition")), type, r;
    struct str id;

    if (op_local(c, graph, &type, &id) && type == want)
        return op_resource(c, txn, type, id, ret);
    *ret = NULL;
    r = w && w->canonical ? w->canonical(w->ctx, c->a, want, graph, ret, &c->err) : 0;
    if (r < 0 || *ret)
        return r;
    return err_at(&c->err, ERR_VALUE, "graph", "the GraphDefinition \"%.*s\" is not known here",
                  (int)MIN(graph.n, (size_t)200), graph.p);
}

int document_graph(struct document *d, struct str graph)
{
    struct call *c = d->c;
    struct graph g = {.d = d, .env = {.a = c->a, .world = c->api->world}};
    yyjson_val *definition, *root;
    int r = find_graph(c, d->txn, graph, &definition);

    if (r < 0)
        return r;
    if (def_resource(js_get_str(definition, "start")) != c->type)
        return err_at(&c->err, ERR_VALUE, "graph", "the graph does not start at a Composition");
    if ((r = op_resource(c, d->txn, c->type, d->v[0].id, &root)) < 0)
        return r;
    d->is_given = true;
    return follow_links(&g, js_get(definition, "link"), c->type, d->v[0].id, root);
}
