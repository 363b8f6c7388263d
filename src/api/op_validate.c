/* op_validate.c - $validate: would this resource be taken, and does it conform to a profile
 * (resource-operation-validate.html)? The answer is 200 with an OperationOutcome, whatever it says.
 */
#include "api/call_world.h"
#include "api/conformance.h"
#include "api/op.h"
#include "fhir/outcome.h"
#include "fhir/validate.h"

enum validate_mode { MODE_NONE, MODE_CREATE, MODE_UPDATE, MODE_DELETE, MODE_PROFILE };

struct asked {
    enum validate_mode mode;
    yyjson_val *resource; /* NULL: none was sent */
    struct str profiles[CONFORM_PROFILES_MAX];
    size_t n_profiles;
};

static int read_mode(struct call *c, struct str text, enum validate_mode *ret)
{
    static const struct str names[] = {[MODE_CREATE] = STR("create"),
                                       [MODE_UPDATE] = STR("update"),
                                       [MODE_DELETE] = STR("delete"),
                                       [MODE_PROFILE] = STR("profile")};

    if (!text.n)
        return 0;
    for (size_t i = MODE_CREATE; i < ARRAY_LEN(names); i++)
        if (str_eq(text, names[i])) {
            *ret = (enum validate_mode)i;
            return 0;
        }
    return err_at(&c->err, ERR_VALUE, "mode",
                  "the mode \"%.*s\" is none of create, update, delete and profile",
                  (int)MIN(text.n, 64u), text.p);
}

static int read_asked(struct call *c, struct asked *ret)
{
    const struct op_param *resource;
    struct op_params params;
    int r = op_params_read(c, &params);

    if (r < 0 || (r = read_mode(c, op_param_text(&params, "mode"), &ret->mode)) < 0)
        return r;
    resource = op_param_find(&params, "resource");
    ret->resource = resource ? resource->value : NULL;
    for (size_t i = 0; i < params.n; i++) {
        if (!str_eq(params.v[i].name, STR("profile")) || !params.v[i].text.n)
            continue;
        if (ret->n_profiles == ARRAY_LEN(ret->profiles))
            return err_at(&c->err, ERR_COSTLY, "profile", "more than %d profiles are named",
                          CONFORM_PROFILES_MAX);
        ret->profiles[ret->n_profiles++] = params.v[i].text;
    }
    return 0;
}

/* The instance itself, where the call is on one and brought none. */
static int read_instance(struct call *c, struct store_txn *txn, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    struct row row;
    int r = store_get(txn, c->type, c->id, &row, &c->err);

    if (r < 0)
        return r;
    if (row.method == METHOD_DELETE)
        return err_set(&c->err, ERR_DELETED, "%.*s/%.*s was deleted",
                       STR_ARG(def_resource_name(c->type)), STR_ARG(c->id));
    r = call_write_whole(c, &row, &text);
    return r < 0 ? r : js_parse_stored(c->a, sb_view(&text), ret, &c->err);
}

/* A delete is asked of an instance: whether others refer to it. */
static int check_delete(struct call *c, struct store_txn *txn)
{
    struct page page;
    struct row row;
    int r;

    if (!c->id.n)
        return err_at(&c->err, ERR_REQUIRED, "mode", "the mode delete is for an instance");
    if ((r = store_get(txn, c->type, c->id, &row, &c->err)) < 0 ||
        (r = store_referrers(txn, NULL, c->type, c->id, 1, c->a, &page, &c->err)) < 0)
        return r;
    if (page.n)
        issues_add(&c->issues,
                   c->api->config.references == API_REFERENCES_EXIST ? ISSUE_ERROR : ISSUE_WARNING,
                   "business-rule", STR(""), "%.*s/%.*s is referred to by other resources",
                   STR_ARG(def_resource_name(c->type)), STR_ARG(c->id));
    return 0;
}

static void check_identity(struct call *c, const struct asked *asked, int type)
{
    struct str id = js_get_str(asked->resource, "id");

    if (c->type && type && type != c->type)
        issues_add(&c->issues, ISSUE_ERROR, "invalid", STR("resourceType"),
                   "the resource is a %.*s where the path says %.*s",
                   STR_ARG(def_resource_name(type)), STR_ARG(def_resource_name(c->type)));
    if (asked->mode == MODE_UPDATE && c->id.n && !str_eq(id, c->id))
        issues_add(&c->issues, ISSUE_ERROR, "invalid", STR("id"),
                   "the resource's id is not that of the instance");
    else if (asked->mode == MODE_UPDATE && !id.n)
        issues_add(&c->issues, ISSUE_ERROR, "required", STR("id"), "an update needs an id");
}

static int check(struct call *c, struct store_txn *txn, const struct asked *asked)
{
    _cleanup_(call_sight_done) struct call_sight sight;
    struct conform_options options = {
        .world = &sight.over.world, .asked = asked->profiles, .n_asked = asked->n_profiles};
    int r = fhir_validate(asked->resource, &c->issues, &c->err);

    call_sight_init(&sight, c, txn);
    sight.is_shown = true;
    if (r < 0)
        return r;
    check_identity(c, asked, r);
    if (!r)
        return 0;
    options.profiles = conformance_profiles(c->api->conformance, c->api->world);
    if (!options.profiles)
        return err_no_memory(&c->err);
    r = conform_check(asked->resource, &options, &c->issues, &c->err);
    profiles_unref(options.profiles);
    return r;
}

int op_validate(struct call *c, struct store_txn *txn)
{
    struct asked asked = {0};
    int r = read_asked(c, &asked);

    if (r < 0)
        return r;
    issues_init(&c->issues, c->a);
    if (asked.mode == MODE_DELETE) {
        r = check_delete(c, txn);
    } else {
        if (!asked.resource && c->id.n)
            r = read_instance(c, txn, &asked.resource);
        else if (!asked.resource)
            r = err_at(&c->err, ERR_REQUIRED, "resource", "$validate needs a resource");
        if (r >= 0)
            r = check(c, txn, &asked);
    }
    if (r < 0)
        return r;
    if (c->issues.no_memory)
        return err_no_memory(&c->err);
    outcome_issues(&c->out, &c->issues);
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}
