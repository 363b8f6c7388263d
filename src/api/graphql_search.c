/* graphql_search.c - resources in an answer: by id, behind a reference, found by a search
 * (graphql.html, sections on accessing the system and on paging).
 *
 * The arguments of a list are search parameters: '-' in their names is '_' here, a list of values
 * is the parameter given several times (all must hold). Every read goes through the transaction of
 * the call, so that nothing is seen here that a search would not show.
 */
#include "api/graphql_int.h"

/* One page of a connection. */
struct gq_page {
    struct page page;
    uint64_t offset, size;
    const struct search *scored; /* NULL: its edges have no score */
};

int gq_type_before(struct str name, const char *end)
{
    struct str tail = str_c(end);

    return name.n > tail.n && str_ends(name, tail) ? def_resource(str_head(name, name.n - tail.n))
                                                   : 0;
}

static int count_read(struct gq_run *run)
{
    if (++run->reads > GRAPHQL_READS_MAX)
        return gq_err(run, run->place, ERR_COSTLY, "the query looks at more than %d resources",
                      GRAPHQL_READS_MAX);
    return 0;
}

static struct gq_focus focus_on(yyjson_val *root)
{
    int type = def_resource(js_get_str(root, "resourceType"));

    return (struct gq_focus){.kind = GQ_ELEMENT,
                             .type = type ? def_resource_type(type) : NULL,
                             .v = root,
                             .resource = root};
}

static int needs_fields(struct gq_run *run, const struct graphql_selection *s)
{
    return s->selections ? 0
                         : gq_err(run, s->place, ERR_VALUE, "\"%.*s\" has fields: say which",
                                  STR_ARG(s->name));
}

/* ---- by id ---- */

static int find_one(struct gq_run *run, int type, const struct graphql_selection *s,
                    const struct gq_sets *sets, struct gq_object *out)
{
    const struct graphql_argument *arg = gq_argument(s, "id");
    struct gq_focus focus;
    yyjson_val *root;
    struct str id;
    int r;

    arg = arg ? arg : gq_argument(s, "_id");
    if (!arg || s->arguments->next)
        return gq_err(run, s->place, ERR_REQUIRED,
                      "\"%.*s\" needs the one argument \"id\"; to search, ask for %.*sList",
                      STR_ARG(s->name), STR_ARG(s->name));
    if ((r = needs_fields(run, s)) < 0 || (r = gq_text(run, arg, &id)) < 0 ||
        (r = count_read(run)) < 0)
        return r;
    if (!id.p)
        return gq_err(run, s->place, ERR_REQUIRED, "the id has no value");
    if ((r = op_resource(run->c, run->txn, type, id, &root)) < 0)
        return r;
    focus = focus_on(root);
    return gq_answer_object(run, &focus, sets, gq_field(run, out, s->alias, false, true));
}

/* ---- behind a reference ---- */

static yyjson_val *contained(yyjson_val *resource, struct str id)
{
    size_t i, max;
    yyjson_val *v;

    if (!id.n)
        return resource;
    yyjson_arr_foreach(js_get(resource, "contained"), i, max, v)
        if (str_eq(js_get_str(v, "id"), id))
            return v;
    return NULL;
}

/* 1 and the resource, or 0 when there is none here. */
static int resolve(struct gq_run *run, const struct gq_focus *of, struct gq_focus *ret)
{
    struct str text = js_get_str(of->v, "reference"), id;
    yyjson_val *root = NULL;
    int type, r;

    if (!text.n)
        return 0;
    if (text.p[0] == '#') {
        root = contained(of->resource, str_from(text, 1));
        if (!root)
            return 0;
        *ret = focus_on(root);
        ret->resource = of->resource;
        return ret->type != NULL;
    }
    if (!op_local(run->c, text, &type, &id))
        return 0;
    if ((r = count_read(run)) < 0)
        return r;
    r = op_resource(run->c, run->txn, type, id, &root);
    if (r == ERR_NOT_FOUND || r == ERR_DELETED)
        return 0;
    if (r < 0)
        return r;
    *ret = focus_on(root);
    return 1;
}

int gq_reference(struct gq_run *run, const struct gq_focus *focus,
                 const struct graphql_selection *s, const struct gq_sets *sets,
                 struct gq_object *out)
{
    struct gq_focus target;
    struct str type = STR_NULL;
    bool optional;
    int r;

    if ((r = needs_fields(run, s)) < 0 ||
        (r = gq_bool(run, gq_argument(s, "optional"), false, &optional)) < 0 ||
        (r = gq_text(run, gq_argument(s, "type"), &type)) < 0 ||
        (r = resolve(run, focus, &target)) < 0)
        return r;
    if (r == 0 && optional)
        return 0;
    if (r == 0)
        return gq_err(run, s->place, ERR_NOT_FOUND,
                      "the reference \"%.*s\" leads to nothing here: ask for it as optional",
                      STR_ARG(js_get_str(focus->v, "reference").p
                                  ? js_get_str(focus->v, "reference")
                                  : STR("")));
    if (type.p && !str_eq(type, target.type->name))
        return 0;
    return gq_answer_object(run, &target, sets, gq_field(run, out, s->alias, false, true));
}

/* ---- by search ---- */

/* Arguments that are no search parameters. */
static bool is_own(struct str name)
{
    static const struct str own[] = {STR("_reference"), STR("_offset"), STR("_cursor"),
                                     STR("cursor"), STR("_count")};

    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (str_eq(name, own[i]))
            return true;
    return false;
}

/* "general_practitioner" is general-practitioner; "id" is _id; what begins with '_' stays. */
static struct str parameter_name(struct gq_run *run, int type, struct str name)
{
    struct str copy;

    if (str_eq(name, STR("id")))
        return STR("_id");
    if (name.p[0] == '_' || param_find(run->c->params, type, name))
        return name;
    copy = arena_dup(run->c->a, name);
    for (size_t i = 0; copy.p && i < copy.n; i++)
        if (copy.p[i] == '_')
            ((char *)(uintptr_t)copy.p)[i] = '-';
    return copy;
}

static void add_pair(struct sb *query, struct str name, struct str value)
{
    if (query->n)
        sb_char(query, '&');
    sb_uri(query, name);
    sb_char(query, '=');
    sb_uri(query, value);
}

/* Inside a resource: the parameter through which those that are sought refer to it. */
static int add_reference(struct gq_run *run, int type, const struct gq_focus *focus,
                         const struct graphql_selection *s, struct sb *query)
{
    struct str id = js_get_str(focus->v, "id"), name, value;
    int r = gq_text(run, gq_argument(s, "_reference"), &name);

    if (r < 0)
        return r;
    if (!name.n)
        return gq_err(run, s->place, ERR_REQUIRED,
                      "inside a resource \"%.*s\" needs the argument \"_reference\"",
                      STR_ARG(s->name));
    name = parameter_name(run, type, name);
    value = arena_fmt(run->c->a, "%.*s/%.*s", STR_ARG(focus->type->name), STR_ARG(id));
    if (!name.p || !value.p)
        return err_no_memory(&run->c->err);
    add_pair(query, name, value);
    return 0;
}

static int write_query(struct gq_run *run, int type, const struct gq_focus *focus,
                       const struct graphql_selection *s, struct sb *query)
{
    int r = focus->kind == GQ_ELEMENT ? add_reference(run, type, focus, s, query) : 0;

    for (const struct graphql_argument *arg = s->arguments; arg && r >= 0; arg = arg->next) {
        struct str *texts, name = parameter_name(run, type, arg->name);
        size_t n;
        if (is_own(arg->name))
            continue;
        if (!name.p)
            return err_no_memory(&run->c->err);
        r = gq_texts(run, arg, &texts, &n);
        for (size_t i = 0; i < n && r >= 0; i++)
            add_pair(query, name, texts[i]);
    }
    return r < 0 ? r : sb_ok(query, &run->c->err);
}

static int search(struct gq_run *run, int type, const struct gq_focus *focus,
                  const struct graphql_selection *s, uint64_t count, const char *total,
                  struct str cursor, struct page *ret)
{
    _cleanup_(sb_done) struct sb query = sb_make(MIB(1));
    struct call *c = run->c;
    struct str text;
    int r;

    if (++run->searches > GRAPHQL_SEARCHES_MAX)
        return gq_err(run, s->place, ERR_COSTLY, "the query makes more than %d searches",
                      GRAPHQL_SEARCHES_MAX);
    if ((r = write_query(run, type, focus, s, &query)) < 0)
        return r;
    sb_fmt(&query, "%s_count=%llu&_total=%s", query.n ? "&" : "", (unsigned long long)count, total);
    if (cursor.n)
        add_pair(&query, STR("_cursor"), cursor);
    text = arena_dup(c->a, sb_view(&query));
    if (!text.p || query.failed)
        return err_no_memory(&c->err);
    r = op_search(c, run->txn, type, text, run->searches, ret);
    if (r < 0)
        run->place = s->place;
    return r;
}

static int add_row(struct gq_run *run, uint64_t row, const struct gq_sets *sets,
                   struct gq_field *to)
{
    struct gq_focus focus;
    yyjson_val *root;
    int r;

    if ((r = count_read(run)) < 0 || (r = op_resource_at(run->c, run->txn, row, &root)) < 0)
        return r;
    focus = focus_on(root);
    return gq_answer_object(run, &focus, sets, to);
}

/* A list is whole, or says that it is too long, unless _count says how much of it is wanted. */
static int find_list(struct gq_run *run, int type, const struct gq_focus *focus,
                     const struct graphql_selection *s, const struct gq_sets *sets,
                     struct gq_object *out)
{
    struct gq_field *field = gq_field(run, out, s->alias, true, false);
    uint64_t count = 0, offset = 0, limit;
    struct page page = {0};
    int r;

    if (!field)
        return ERR_NO_MEMORY;
    if ((r = needs_fields(run, s)) < 0 ||
        (r = gq_u64(run, gq_argument(s, "_count"), GRAPHQL_LIST_MAX, 0, &count)) < 0 ||
        (r = gq_u64(run, gq_argument(s, "_offset"), GRAPHQL_LIST_MAX, 0, &offset)) < 0)
        return r;
    limit = gq_argument(s, "_count") ? MIN(offset + count, (uint64_t)GRAPHQL_LIST_MAX)
                                     : GRAPHQL_LIST_MAX;
    if (limit == 0)
        return 0;
    if ((r = search(run, type, focus, s, limit, "none", STR_NULL, &page)) < 0)
        return r;
    if (!gq_argument(s, "_count") && page.next.p)
        return gq_err(run, s->place, ERR_COSTLY,
                      "more than %d resources match: say _count, or page with %.*sConnection",
                      GRAPHQL_LIST_MAX, STR_ARG(def_resource_name(type)));
    for (size_t i = offset; i < page.n && r >= 0; i++)
        r = add_row(run, page.rows[i], sets, field);
    return r;
}

/* ---- connections ---- */

/* "offset:cursor", the second being the search's own; empty: the first page. */
static int read_cursor(struct gq_run *run, const struct graphql_selection *s, uint64_t *ret_offset,
                       struct str *ret_cursor)
{
    const struct graphql_argument *arg = gq_argument(s, "_cursor");
    struct str text;
    ptrdiff_t colon;
    int r;

    arg = arg ? arg : gq_argument(s, "cursor");
    *ret_offset = 0;
    *ret_cursor = STR_NULL;
    if ((r = gq_text(run, arg, &text)) < 0 || !text.n)
        return r;
    colon = str_find(text, ':');
    if (colon < 0 || !str_to_u64(str_head(text, (size_t)colon), UINT32_MAX, ret_offset))
        return gq_err(run, arg->place, ERR_VALUE, "the cursor is not one of this server");
    *ret_cursor = str_from(text, (size_t)colon + 1);
    return 0;
}

/* A page that is known by what lies before it, without a cursor of the search's own: all before is
 * passed over. */
static int skip_to(struct gq_run *run, int type, const struct gq_focus *focus,
                   const struct graphql_selection *s, struct gq_page *page)
{
    struct str cursor = STR_NULL;
    uint64_t left = page->offset;
    int64_t total = -1;
    int r;

    if (page->offset > GRAPHQL_SKIP_MAX)
        return gq_err(run, s->place, ERR_COSTLY, "the page is behind more than %d resources",
                      GRAPHQL_SKIP_MAX);
    while (left) {
        uint64_t n = MIN(left, (uint64_t)SEARCH_COUNT_MAX);
        r = search(run, type, focus, s, n, "accurate", cursor, &page->page);
        if (r < 0)
            return r;
        total = page->page.total;
        cursor = page->page.next;
        left -= n;
        if (!cursor.p) {
            page->page = (struct page){.next = STR_NULL, .total = total};
            return 0;
        }
    }
    r = search(run, type, focus, s, page->size, "accurate", cursor, &page->page);
    page->page.total = total;
    return r;
}

/* The search once more as it was understood, where its edges have a score. */
static int find_score(struct gq_run *run, int type, const struct gq_focus *focus,
                      const struct graphql_selection *s, struct gq_page *page)
{
    _cleanup_(sb_done) struct sb query = sb_make(MIB(1));
    struct search_options opt = {.index = *store_index_options(run->c->api->store), .strict = true};
    struct search *found = ARENA_NEW(run->c->a, struct search);
    struct str text;
    int r = write_query(run, type, focus, s, &query);

    text = r < 0 || query.failed ? STR_NULL : arena_dup(run->c->a, sb_view(&query));
    if (r < 0 || !found || !text.p)
        return r < 0 ? r : err_no_memory(&run->c->err);
    r = search_parse(run->c->a, run->c->params, &opt, type, text, found, &run->c->err);
    if (r >= 0 && search_has_score(found))
        page->scored = found;
    return r;
}

static int find_connection(struct gq_run *run, int type, const struct gq_focus *focus,
                           const struct graphql_selection *s, const struct gq_sets *sets,
                           struct gq_object *out)
{
    struct gq_page *page = ARENA_NEW(run->c->a, struct gq_page);
    struct gq_focus connection = {.kind = GQ_CONNECTION, .page = page};
    struct str cursor;
    int r;

    if (!page)
        return err_no_memory(&run->c->err);
    if ((r = needs_fields(run, s)) < 0 || (r = read_cursor(run, s, &page->offset, &cursor)) < 0 ||
        (r = gq_u64(run, gq_argument(s, "_count"), SEARCH_COUNT_MAX, SEARCH_COUNT_DEFAULT,
                    &page->size)) < 0)
        return r;
    if (page->offset && !cursor.n)
        r = skip_to(run, type, focus, s, page);
    else
        r = search(run, type, focus, s, page->size, "accurate", cursor, &page->page);
    if (r < 0 || (r = find_score(run, type, focus, s, page)) < 0)
        return r;
    return gq_answer_object(run, &connection, sets, gq_field(run, out, s->alias, false, true));
}

static int add_literal(struct gq_run *run, struct gq_object *out, const struct graphql_selection *s,
                       struct str json)
{
    struct gq_field *field = gq_field(run, out, s->alias, false, true);

    if (s->selections)
        return gq_err(run, s->place, ERR_VALUE, "\"%.*s\" is a value: it has no fields",
                      STR_ARG(s->name));
    if (!field || !json.p)
        return err_no_memory(&run->c->err);
    return gq_add(run, field, (struct gq_value){.json = json});
}

static int add_number(struct gq_run *run, struct gq_object *out, const struct graphql_selection *s,
                      int64_t v)
{
    return add_literal(run, out, s, arena_fmt(run->c->a, "%lld", (long long)v));
}

static int add_cursor(struct gq_run *run, struct gq_object *out, const struct graphql_selection *s,
                      uint64_t offset, struct str cursor)
{
    return add_literal(
        run, out, s,
        arena_fmt(run->c->a, "\"%llu:%.*s\"", (unsigned long long)offset, STR_ARG(cursor)));
}

static int add_edges(struct gq_run *run, const struct gq_page *p, const struct graphql_selection *s,
                     const struct gq_sets *sets, struct gq_object *out)
{
    struct gq_field *field = gq_field(run, out, s->alias, true, false);
    int r = needs_fields(run, s);

    for (size_t i = 0; i < p->page.n && r >= 0; i++) {
        struct gq_focus edge = {.kind = GQ_EDGE, .page = p, .row = p->page.rows[i]};
        r = gq_answer_object(run, &edge, sets, field);
    }
    return r;
}

static const char *const connection_fields[] = {"count", "offset",   "pagesize", "edges",
                                                "first", "previous", "next",     "last"};
static const char *const edge_fields[] = {"mode", "score", "resource"};

static bool is_in(struct str name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, str_c(names[i])))
            return true;
    return false;
}

bool gq_is_connection_field(struct str name)
{
    return is_in(name, connection_fields, ARRAY_LEN(connection_fields));
}

bool gq_is_edge_field(struct str name)
{
    return is_in(name, edge_fields, ARRAY_LEN(edge_fields));
}

/* Where the last page begins, when pages of this size follow each other. */
static uint64_t last_offset(const struct gq_page *p)
{
    uint64_t total = p->page.total < 0 ? 0 : (uint64_t)p->page.total;

    return total && p->size ? (total - 1) / p->size * p->size : 0;
}

/* A page by what lies before it; nothing where that is too much to pass over. */
static int add_offset(struct gq_run *run, struct gq_object *out, const struct graphql_selection *s,
                      uint64_t offset)
{
    return offset > GRAPHQL_SKIP_MAX ? 0 : add_cursor(run, out, s, offset, STR(""));
}

int gq_connection(struct gq_run *run, const struct gq_focus *focus,
                  const struct graphql_selection *s, const struct gq_sets *sets,
                  struct gq_object *out)
{
    const struct gq_page *p = focus->page;
    struct str name = s->name;

    if (str_eq(name, STR("count")))
        return p->page.total < 0 ? 0 : add_number(run, out, s, p->page.total);
    if (str_eq(name, STR("offset")))
        return add_number(run, out, s, (int64_t)p->offset);
    if (str_eq(name, STR("pagesize")))
        return add_number(run, out, s, (int64_t)p->size);
    if (str_eq(name, STR("edges")))
        return add_edges(run, p, s, sets, out);
    if (str_eq(name, STR("next")) && p->page.next.p)
        return add_cursor(run, out, s, p->offset + p->page.n, p->page.next);
    if (str_eq(name, STR("first")))
        return add_offset(run, out, s, 0);
    if (str_eq(name, STR("previous")) && p->offset)
        return add_offset(run, out, s, p->offset > p->size ? p->offset - p->size : 0);
    if (str_eq(name, STR("last")) && p->page.total >= 0)
        return add_offset(run, out, s, last_offset(p));
    if (gq_is_connection_field(name))
        return 0;
    return gq_err(run, s->place, ERR_VALUE, "a connection has no field \"%.*s\"", STR_ARG(name));
}

/* How relevant an edge is, where words were searched for. */
static int add_score(struct gq_run *run, const struct gq_focus *focus, struct gq_object *out,
                     const struct graphql_selection *s)
{
    struct call *c = run->c;
    yyjson_val *root;
    double score;
    int r;

    if (!focus->page->scored)
        return 0;
    if ((r = op_resource_at(c, run->txn, focus->row, &root)) < 0 ||
        (r = search_score(c->a, focus->page->scored, root, &score, &c->err)) < 0)
        return r;
    return add_literal(run, out, s, arena_fmt(c->a, "%.6f", score));
}

int gq_edge(struct gq_run *run, const struct gq_focus *focus, const struct graphql_selection *s,
            const struct gq_sets *sets, struct gq_object *out)
{
    int r;

    if (str_eq(s->name, STR("mode")))
        return add_literal(run, out, s, STR("\"match\""));
    if (str_eq(s->name, STR("score")))
        return add_score(run, focus, out, s);
    if (!str_eq(s->name, STR("resource")))
        return gq_err(run, s->place, ERR_VALUE, "an edge has no field \"%.*s\"", STR_ARG(s->name));
    if ((r = needs_fields(run, s)) < 0)
        return r;
    return add_row(run, focus->row, sets, gq_field(run, out, s->alias, false, true));
}

int gq_find(struct gq_run *run, const struct gq_focus *focus, const struct graphql_selection *s,
            const struct gq_sets *sets, struct gq_object *out)
{
    bool is_root = focus->kind == GQ_QUERY;
    int type, r = 0;

    if (!is_root &&
        (focus->v != focus->resource || !focus->type || focus->type->kind != DEF_RESOURCE))
        return 0;
    if ((type = gq_type_before(s->name, "List")) != 0)
        r = find_list(run, type, focus, s, sets, out);
    else if ((type = gq_type_before(s->name, "Connection")) != 0)
        r = find_connection(run, type, focus, s, sets, out);
    else if (is_root && (type = def_resource(s->name)) != 0)
        r = find_one(run, type, s, sets, out);
    else
        return 0;
    return r < 0 ? r : 1;
}
