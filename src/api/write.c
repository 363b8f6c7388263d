/* write.c - create, update, patch and delete, plain and conditional (http.html#create …).
 *
 * prepare does what needs no transaction (parse, validate, index, compress); apply runs on the
 * writer and sees the store as it is, so that conditions cannot be raced.
 */
#include "api/write.h"

#include "api/call_world.h"
#include "api/conformance.h"
#include "api/negotiate.h"
#include "api/op.h"
#include "api/trail.h"
#include "api/write_labels.h"
#include "base/rng.h"
#include "fhir/patch.h"
#include "fhir/validate.h"

#define SEALED_MAX (STORE_BODY_MAX + KIB(64))

static bool needs_body(enum write_kind kind)
{
    return kind == WRITE_CREATE || kind == WRITE_UPDATE || kind == WRITE_PATCH;
}

/* If-Match: one entity tag of ours. */
static int read_if_match(struct write *w)
{
    struct str tag = str_trim(w->call->if_match);

    if (!tag.n)
        return 0;
    if (str_starts(tag, STR("W/")))
        tag = str_from(tag, 2);
    if (tag.n < 2 || tag.p[0] != '"' || tag.p[tag.n - 1] != '"' ||
        !version_parse(str_n(tag.p + 1, tag.n - 2), &w->must_be))
        return err_set(&w->call->err, ERR_STALE, "If-Match names no version of this resource");
    return 0;
}

static int read_condition(struct write *w, struct str query)
{
    struct call *c = w->call;
    struct search_options opt = {
        .index = *store_index_options(c->api->store), .world = c->api->world, .strict = true};
    int r = search_parse(c->a, c->params, &opt, c->type, query, &w->condition, &c->err);

    if (r < 0)
        return r;
    if (!w->condition.n_clauses)
        return err_set(&c->err, ERR_STALE,
                       "a conditional request needs at least one search parameter");
    w->conditional = true;
    w->condition.count = w->kind == WRITE_DELETE ? API_CONDITIONAL_DELETE_MAX + 1 : 2;
    w->condition.total = TOTAL_NONE;
    return 0;
}

/* The Content-Type says which kind of patch the body is. */
static int change_by_patch(struct write *w, yyjson_val *newest, struct sb *next)
{
    _cleanup_(call_world_done) struct call_world world = {0};
    struct call *c = w->call;
    int r;

    if (media_is_json_patch(c->content_type))
        return patch_json(c->a, newest, w->body, next, &c->err);
    r = call_world_init(&world, c);
    return r < 0 ? r
                 : patch_fhirpath(c->a, newest, w->body, call_world_table(&world), next, &c->err);
}

int write_init(struct write *w, struct call *c, enum write_kind kind)
{
    int r;

    *w = (struct write){.call = c,
                        .kind = kind,
                        .change = c->op ? c->op->change : change_by_patch,
                        .type = c->type,
                        .id = c->id,
                        .sealed = sb_make(SEALED_MAX)};
    r = read_if_match(w);
    if (r < 0)
        return r;
    if (str_eq(str_trim(c->if_none_match), STR("*")))
        w->must_not_exist = true;
    if (kind == WRITE_CREATE)
        return c->if_none_exist.n ? read_condition(w, c->if_none_exist) : 0;
    if (!c->id.n)
        return read_condition(w, c->query);
    return 0;
}

void write_done(struct write *w)
{
    sb_done(&w->sealed);
}

/* ---- prepare ---- */

static int check_type(struct write *w)
{
    struct call *c = w->call;
    struct str name = js_get_str(w->root, "resourceType");

    if (!yyjson_is_obj(w->root))
        return err_set(&c->err, ERR_SYNTAX, "the body is not a JSON object");
    if (!str_eq(name, def_resource_name(w->type)))
        return err_at(&c->err, ERR_INVALID, "resourceType",
                      "the body's resourceType is \"%.*s\" where the path says %.*s",
                      (int)MIN(name.n, 64u), name.n ? name.p : "",
                      STR_ARG(def_resource_name(w->type)));
    return 0;
}

static int validate(struct write *w)
{
    struct call *c = w->call;
    int r;

    issues_init(&c->issues, c->a);
    r = fhir_validate(w->root, &c->issues, &c->err);
    if (r < 0)
        return r;
    if (c->issues.no_memory)
        return err_no_memory(&c->err);
    if (c->issues.n_errors)
        conformance_count(c->api->conformance, c, w->type, w->root);
    else if ((r = conformance_check(c->api->conformance, c, w->type, w->root)) < 0)
        return r;
    if (c->issues.n_errors) {
        const struct issue *first = issues_first_error(&c->issues);
        char where[ERR_WHERE_MAX];
        snprintf(where, sizeof where, "%.*s", STR_ARG(first->where));
        return err_at(&c->err, ERR_PROCESSING, where, "%.*s", STR_ARG(first->text));
    }
    return 0;
}

int write_new_id(struct write *w)
{
    char uuid[UUID_TEXT_LEN + 1];

    uuid7(uuid);
    w->id = arena_dup(w->call->a, str_c(uuid));
    w->has_new_id = true;
    return w->id.p ? 0 : err_no_memory(&w->call->err);
}

/* The id in the body: a create's is replaced, an update's must be the path's. */
static int check_id(struct write *w)
{
    struct call *c = w->call;
    struct str own = js_get_str(w->root, "id");

    if (w->kind == WRITE_UPDATE && !w->conditional && !own.p)
        return err_at(&c->err, ERR_INVALID, "id", "an update's body must carry the id of its path");
    if (w->kind == WRITE_UPDATE && !w->conditional && !str_eq(own, w->id))
        return err_at(&c->err, ERR_INVALID, "id",
                      "the body's id is \"%.*s\" where the path says \"%.*s\"",
                      (int)MIN(own.n, 64u), own.p, STR_ARG(w->id));
    return w->id.n ? 0 : write_new_id(w);
}

/* Its keys and its body. */
static int seal(struct write *w, struct params *params)
{
    struct call *c = w->call;
    int r = index_extract(c->a, params, store_index_options(c->api->store), w->type, w->root,
                          &w->index, &c->err);

    if (r < 0)
        return r;
    sb_reset(&w->sealed);
    return c->raw.n
               ? store_seal_data(c->api->store, w->root, STR("data"), c->raw, &w->sealed, &c->err)
               : store_seal(c->api->store, w->root, &w->sealed, &c->err);
}

/* From a resource in w->root with a known id to what the store takes. */
static int build(struct write *w)
{
    struct call *c = w->call;
    int r = validate(w);

    if (r < 0)
        return r;
    w->root = js_with_str(c->a, w->root, "id", w->id);
    if (!w->root)
        return err_no_memory(&c->err);
    if ((r = write_labels(w)) < 0 || (r = seal(w, c->params)) < 0)
        return r;
    w->prepared = true;
    return 0;
}

int write_prepare(struct write *w)
{
    struct call *c = w->call;
    int r;

    if (!needs_body(w->kind))
        return 0;
    w->body = c->resource;
    if (!w->body) {
        r = js_parse(c->a, c->body, &w->body, &c->err);
        if (r < 0)
            return r;
    }
    w->root = w->body;
    if (w->kind == WRITE_PATCH)
        return 0; /* the patch is applied to the newest version, on the writer */
    r = check_type(w);
    if (r < 0)
        return r;
    /* Which id a conditional update writes to is known only when its condition is answered. */
    if (w->kind == WRITE_UPDATE && w->conditional && !w->settled)
        return validate(w);
    r = check_id(w);
    return r < 0 ? r : build(w);
}

/* ---- apply ---- */

static int find_matches(struct write *w, struct store_txn *txn, struct page *ret)
{
    struct call *c = w->call;
    int r = store_claim(txn, c->if_none_exist.n ? c->if_none_exist : c->query, &c->err);

    if (r < 0)
        return r;
    return store_condition(txn, &w->condition, c->a, ret, &c->err);
}

/* The newest version: 1 if there is a live one, 2 if it was deleted, 0 if the id never existed. */
static int newest(struct write *w, struct store_txn *txn, struct row *ret)
{
    int r = store_get(txn, w->type, w->id, ret, &w->call->err);

    if (r == ERR_NOT_FOUND)
        return 0;
    if (r < 0)
        return r;
    return ret->method == METHOD_DELETE ? 2 : 1;
}

static int check_versions(struct write *w, int state, const struct row *row)
{
    struct call *c = w->call;

    if (w->must_not_exist && state == 1)
        return err_set(&c->err, ERR_STALE, "%.*s/%.*s exists already",
                       STR_ARG(def_resource_name(w->type)), STR_ARG(w->id));
    if (!w->must_be.hlc)
        return 0;
    if (state != 1 || row->version.hlc != w->must_be.hlc ||
        row->version.origin != w->must_be.origin)
        return err_set(&c->err, ERR_STALE, "If-Match is not the current version of %.*s/%.*s",
                       STR_ARG(def_resource_name(w->type)), STR_ARG(w->id));
    return 0;
}

static int check_references(struct write *w, struct store_txn *txn)
{
    struct call *c = w->call;
    struct row row;

    if (c->api->config.references != API_REFERENCES_EXIST)
        return 0;
    for (size_t i = 0; i < w->index.n_refs; i++) {
        const struct index_ref *ref = &w->index.refs[i];
        int r = store_get(txn, ref->type, ref->id, &row, &c->err);
        if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE)) {
            char where[ERR_WHERE_MAX];
            snprintf(where, sizeof where, "%.*s", STR_ARG(ref->where));
            return err_at(&c->err, ERR_CONFLICT, where,
                          "%.*s/%.*s, which this refers to, does not exist",
                          STR_ARG(def_resource_name(ref->type)), STR_ARG(ref->id));
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/* The parameters, or the policy, may have changed since keys and labels were made: then they are
 * made again, here on the writer, where they cannot change any more. */
static int refresh(struct write *w, struct store_txn *txn)
{
    struct call *c = w->call;
    struct params *now = store_params(c->api->store);
    int r = write_labels_now(w, txn);

    if (r > 0)
        r = seal(w, now);
    else if (r == 0 && now != c->params)
        r = index_extract(c->a, now, store_index_options(c->api->store), w->type, w->root,
                          &w->index, &c->err);
    params_unref(now);
    return r;
}

/* Whoever keeps something that is made of resources of this type hears of it, in every process. */
static int tell_change(struct write *w, struct store_txn *txn)
{
    static const struct str terminology[] = {STR("CodeSystem"), STR("ValueSet"), STR("ConceptMap"),
                                             STR("NamingSystem")};
    struct api *api = w->call->api;
    struct str type = def_resource_name(w->type);
    bool is_profile = str_eq(type, STR("StructureDefinition"));
    bool is_parameter = str_eq(type, STR("SearchParameter")), is_terminology = false;

    for (size_t i = 0; i < ARRAY_LEN(terminology); i++)
        is_terminology |= str_eq(type, terminology[i]);
    if (is_profile)
        conformance_changed(api->conformance);
    if (is_parameter && api->search_parameter_changed)
        api->search_parameter_changed(api->changed_ctx);
    if (is_terminology && api->terminology_changed)
        api->terminology_changed(api->terminology_ctx);
    return is_profile || is_parameter || is_terminology ? store_changed(txn, &w->call->err) : 0;
}

static int put(struct write *w, struct store_txn *txn, enum store_method method)
{
    struct put p = {.method = method, .type = w->type, .id = w->id, .is_new = w->has_new_id};
    struct call *c = w->call;
    int r;

    if (method != METHOD_DELETE) {
        r = refresh(w, txn);
        if (r >= 0 && !w->in_bundle)
            r = check_references(w, txn);
        if (r < 0)
            return r;
        p.sealed = sb_view(&w->sealed);
        p.index = &w->index;
    }
    r = store_put(txn, &p, &w->version, &c->err);
    if (r >= 0 && (r = tell_change(w, txn)) >= 0)
        trail_wrote(c, w->type, w->id, p.index);
    return r;
}

static int too_many(struct write *w)
{
    return err_set(&w->call->err, ERR_MULTIPLE, "the condition matches more than one resource");
}

static int keep_existing(struct write *w, const struct row *row)
{
    trail_saw_row(w->call, row);
    w->exists = true;
    w->result = WRITE_NOTHING;
    w->version = row->version;
    sb_reset(&w->sealed);
    sb_str(&w->sealed, row->sealed);
    return sb_ok(&w->sealed, &w->call->err);
}

static int settle_match(struct write *w, struct store_txn *txn, uint64_t row_number)
{
    struct str own = w->kind == WRITE_UPDATE ? js_get_str(w->body, "id") : STR_NULL;
    struct call *c = w->call;
    struct row row;
    int r = store_get_row(txn, row_number, &row, &c->err);

    if (r < 0)
        return r;
    if (own.p && !str_eq(own, row.id))
        return err_at(&c->err, ERR_INVALID, "id", "the body's id is not that of the match");
    w->id = arena_dup(c->a, row.id);
    if (!w->id.p)
        return err_no_memory(&c->err);
    return w->kind == WRITE_CREATE ? keep_existing(w, &row) : 0;
}

static int settle_no_match(struct write *w, struct store_txn *txn)
{
    struct call *c = w->call;
    struct row row;

    if (w->kind == WRITE_PATCH)
        return err_set(&c->err, ERR_NOT_FOUND, "nothing matches the condition");
    if (w->kind == WRITE_UPDATE && js_get_str(w->body, "id").p) {
        w->id = js_get_str(w->body, "id");
        if (newest(w, txn, &row) == 1)
            return err_at(&c->err, ERR_CONFLICT, "id",
                          "nothing matches the condition, but the body's id exists already");
    }
    return w->id.n ? 0 : write_new_id(w);
}

int write_settle(struct write *w, struct store_txn *txn)
{
    struct page page;
    int r;

    if (!w->conditional || w->settled || w->kind == WRITE_DELETE)
        return 0;
    r = find_matches(w, txn, &page);
    if (r < 0)
        return r;
    if (page.n > 1)
        return too_many(w);
    r = page.n ? settle_match(w, txn, page.rows[0]) : settle_no_match(w, txn);
    w->settled = r >= 0;
    return r;
}

static int apply_create(struct write *w, struct store_txn *txn)
{
    int r = write_settle(w, txn);

    if (w->twin) {
        w->version = w->twin->version;
        sb_reset(&w->sealed);
        sb_str(&w->sealed, sb_view(&w->twin->sealed));
        return sb_ok(&w->sealed, &w->call->err);
    }
    if (r < 0 || w->exists)
        return r;
    w->result = WRITE_CREATED;
    return put(w, txn, METHOD_CREATE);
}

static int apply_update(struct write *w, struct store_txn *txn)
{
    struct call *c = w->call;
    struct row row;
    int r, state;

    r = write_settle(w, txn);
    if (r < 0)
        return r;
    if (!w->prepared && (r = build(w)) < 0)
        return r;
    state = newest(w, txn, &row);
    if (state < 0)
        return state;
    r = check_versions(w, state, &row);
    if (r < 0)
        return r;
    if (state == 0 && c->api->config.no_update_create && !w->conditional)
        return err_set(&c->err, ERR_METHOD,
                       "%.*s/%.*s does not exist, and this node makes ids itself",
                       STR_ARG(def_resource_name(w->type)), STR_ARG(w->id));
    if (state == 1)
        trail_saw_row(c, &row);
    w->result = state == 1 ? WRITE_UPDATED : WRITE_CREATED;
    return put(w, txn, METHOD_UPDATE);
}

static int apply_patch(struct write *w, struct store_txn *txn)
{
    struct call *c = w->call;
    _cleanup_(sb_done) struct sb now = sb_make(STORE_BODY_MAX), then = sb_make(STORE_BODY_MAX);
    yyjson_val *root;
    struct row row;
    int r, state;

    r = write_settle(w, txn);
    if (r < 0)
        return r;
    state = newest(w, txn, &row);
    if (state < 0)
        return state;
    if (state != 1)
        return err_set(&c->err, state ? ERR_DELETED : ERR_NOT_FOUND, "%.*s/%.*s %s",
                       STR_ARG(def_resource_name(w->type)), STR_ARG(w->id),
                       state ? "was deleted" : "does not exist");
    if ((r = check_versions(w, state, &row)) < 0 ||
        (r = row_json(c->api->store, &row, &now, &c->err)) < 0 ||
        (r = js_parse_stored(c->a, sb_view(&now), &root, &c->err)) < 0 ||
        (r = w->change(w, root, &then)) < 0)
        return r;
    trail_saw(c, w->type, w->id, root);
    if (r > 0)
        return keep_existing(w, &row);
    if ((r = js_parse(c->a, sb_view(&then), &w->root, &c->err)) < 0 || (r = check_type(w)) < 0)
        return r;
    if (!str_eq(js_get_str(w->root, "id"), w->id))
        return err_at(&c->err, ERR_PROCESSING, "id", "a change may not touch the id");
    r = build(w);
    if (r < 0)
        return r;
    w->result = WRITE_UPDATED;
    return put(w, txn, METHOD_UPDATE);
}

static int delete_one(struct write *w, struct store_txn *txn)
{
    struct call *c = w->call;
    struct page page;
    struct row row;
    int r, state = newest(w, txn, &row);

    if (state < 0)
        return state;
    r = check_versions(w, state, &row);
    if (r < 0 || state != 1)
        return r;
    trail_saw_row(c, &row);
    if (c->api->config.references == API_REFERENCES_EXIST && !w->in_bundle) {
        r = store_referrers(txn, NULL, w->type, w->id, 1, c->a, &page, &c->err);
        if (r < 0)
            return r;
        if (page.n)
            return err_set(&c->err, ERR_CONFLICT, "%.*s/%.*s is referred to by other resources",
                           STR_ARG(def_resource_name(w->type)), STR_ARG(w->id));
    }
    w->result = WRITE_DELETED;
    w->n_removed++;
    return put(w, txn, METHOD_DELETE);
}

static int apply_delete(struct write *w, struct store_txn *txn)
{
    struct call *c = w->call;
    struct page page;
    struct row row;
    int r;

    if (!w->conditional)
        return delete_one(w, txn);
    r = find_matches(w, txn, &page);
    if (r < 0)
        return r;
    if (page.n > 1 && c->api->config.no_multiple_delete)
        return too_many(w);
    if (page.n > API_CONDITIONAL_DELETE_MAX)
        return err_set(&c->err, ERR_COSTLY, "the condition matches more than %d resources",
                       API_CONDITIONAL_DELETE_MAX);
    for (size_t i = 0; i < page.n; i++) {
        r = store_get_row(txn, page.rows[i], &row, &c->err);
        if (r < 0)
            return r;
        w->id = arena_dup(c->a, row.id);
        if (!w->id.p)
            return err_no_memory(&c->err);
        r = delete_one(w, txn);
        if (r < 0)
            return r;
    }
    return 0;
}

int write_apply(struct write *w, struct store_txn *txn)
{
    struct row row;
    int r;

    switch (w->kind) {
    case WRITE_CREATE: return apply_create(w, txn);
    case WRITE_UPDATE: return apply_update(w, txn);
    case WRITE_PATCH: return apply_patch(w, txn);
    case WRITE_DELETE: return apply_delete(w, txn);
    case WRITE_EXPUNGE:
        if (newest(w, txn, &row) == 1)
            trail_saw_row(w->call, &row);
        r = tell_change(w, txn);
        return r < 0 ? r : store_expunge(txn, w->type, w->id, &w->n_removed, &w->call->err);
    }
    return err_set(&w->call->err, ERR_INTERNAL, "unknown kind of write");
}

int write_check_references(struct write *w, struct store_txn *txn)
{
    struct call *c = w->call;
    struct page page;
    int r;

    if (c->api->config.references != API_REFERENCES_EXIST)
        return 0;
    if (w->result == WRITE_CREATED || w->result == WRITE_UPDATED)
        return check_references(w, txn);
    if (w->result != WRITE_DELETED)
        return 0;
    r = store_referrers(txn, NULL, w->type, w->id, 1, c->a, &page, &c->err);
    if (r < 0)
        return r;
    return page.n ? err_set(&c->err, ERR_CONFLICT, "%.*s/%.*s is referred to by other resources",
                            STR_ARG(def_resource_name(w->type)), STR_ARG(w->id))
                  : 0;
}
