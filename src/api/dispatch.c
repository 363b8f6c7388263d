/* dispatch.c - the one table of interactions, and the way from a URL to its row. */
#include "api/op.h"

#include "fhir/validate.h"

#include <stdio.h>

/* clang-format off */
/*   method       scope          behind it   action           interaction        name */
static const struct api_row rows[] = {
    {HTTP_GET,    SCOPE_SYSTEM,  "metadata", ACT_CAPABILITIES, NULL,              "capabilities"},
    {HTTP_GET,    SCOPE_SYSTEM,  "",         ACT_SEARCH,      "search-system",   "search-system"},
    {HTTP_POST,   SCOPE_SYSTEM,  "_search",  ACT_SEARCH,      NULL,              "search-system"},
    {HTTP_GET,    SCOPE_SYSTEM,  "_history", ACT_HISTORY,     "history-system",  "history-system"},
    {HTTP_POST,   SCOPE_SYSTEM,  "",         ACT_BUNDLE,      "transaction",     "bundle"},
    {HTTP_GET,    SCOPE_TYPE,    "",         ACT_SEARCH,      "search-type",     "search"},
    {HTTP_POST,   SCOPE_TYPE,    "_search",  ACT_SEARCH,      NULL,              "search"},
    {HTTP_GET,    SCOPE_TYPE,    "_history", ACT_HISTORY,     "history-type",    "history-type"},
    {HTTP_POST,   SCOPE_TYPE,    "",         ACT_CREATE,      "create",          "create"},
    {HTTP_PUT,    SCOPE_TYPE,    "",         ACT_UPDATE,      NULL,              "update"},
    {HTTP_PATCH,  SCOPE_TYPE,    "",         ACT_PATCH,       NULL,              "patch"},
    {HTTP_DELETE, SCOPE_TYPE,    "",         ACT_DELETE,      NULL,              "delete"},
    {HTTP_GET,    SCOPE_INSTANCE, "",         ACT_READ,        "read",            "read"},
    {HTTP_GET,    SCOPE_INSTANCE, "_history", ACT_HISTORY,     "history-instance", "history"},
    {HTTP_PUT,    SCOPE_INSTANCE, "",         ACT_UPDATE,      "update",          "update"},
    {HTTP_PATCH,  SCOPE_INSTANCE, "",         ACT_PATCH,       "patch",           "patch"},
    {HTTP_DELETE, SCOPE_INSTANCE, "",         ACT_DELETE,      "delete",          "delete"},
    {HTTP_POST,   SCOPE_INSTANCE, "$expunge", ACT_EXPUNGE,     NULL,              "expunge"},
    {HTTP_GET,    SCOPE_SYSTEM,  "$",        ACT_OPERATION,   NULL,              "operation"},
    {HTTP_POST,   SCOPE_SYSTEM,  "$",        ACT_OPERATION,   NULL,              "operation"},
    {HTTP_GET,    SCOPE_TYPE,    "$",        ACT_OPERATION,   NULL,              "operation"},
    {HTTP_POST,   SCOPE_TYPE,    "$",        ACT_OPERATION,   NULL,              "operation"},
    {HTTP_GET,    SCOPE_INSTANCE, "$",        ACT_OPERATION,   NULL,              "operation"},
    {HTTP_POST,   SCOPE_INSTANCE, "$",        ACT_OPERATION,   NULL,              "operation"},
    {HTTP_GET,    SCOPE_COMPARTMENT, "",     ACT_SEARCH,      NULL,              "compartment"},
    {HTTP_POST,   SCOPE_COMPARTMENT, "_search", ACT_SEARCH,   NULL,              "compartment"},
    {HTTP_GET,    SCOPE_VERSION, "$",        ACT_OPERATION,   NULL,              "operation"},
    {HTTP_POST,   SCOPE_VERSION, "$",        ACT_OPERATION,   NULL,              "operation"},
    {HTTP_GET,    SCOPE_VERSION, "",         ACT_VREAD,       "vread",           "vread"},
    {HTTP_GET,    SCOPE_ASYNC,   "",         ACT_ASYNC_STATUS, NULL,             "async-status"},
    {HTTP_DELETE, SCOPE_ASYNC,   "",         ACT_ASYNC_CANCEL, NULL,             "async-cancel"},
};

const struct api_row *dispatch_rows(size_t *ret_n)
{
    *ret_n = ARRAY_LEN(rows);
    return rows;
}

#define SEGMENTS_MAX 5

/* "/Patient/1/_history/2" into its decoded segments; a slash at the end is allowed. */
static int split(struct call *c, struct str path, struct str *segments, size_t *ret_n)
{
    struct str part;
    size_t n = 0;

    path = str_from(path, path.n && path.p[0] == '/');
    if (path.n && path.p[path.n - 1] == '/')
        path.n--;
    while (path.n && str_split(&path, '/', &part)) {
        if (n == SEGMENTS_MAX || part.n == 0)
            return err_set(&c->err, ERR_NOT_FOUND, "there is no such path below the base URL");
        segments[n] = url_decode(c->a, part, false);
        if (!segments[n].p)
            return err_set(&c->err, ERR_INVALID, "the path has a malformed percent escape");
        n++;
    }
    *ret_n = n;
    return 0;
}

static int bad_id(struct call *c)
{
    char where[ERR_WHERE_MAX];

    snprintf(where, sizeof where, "%.*s.id", STR_ARG(def_resource_name(c->type)));
    return err_at(&c->err, ERR_VALUE, where,
                  "the id in the path is not 1 to %d of A-Z, a-z, 0-9, - and .", FHIR_ID_MAX);
}

/* "Patient/1/Observation" or "Patient/1/" and a star: 1, 0 when it is neither, or negative. */
static int locate_compartment(struct call *c, struct str what)
{
    int type = def_resource(what);
    bool all = str_eq(what, STR("*"));

    if (!type && !all)
        return 0;
    for (int i = 0; i < COMPARTMENT_COUNT; i++) {
        if (def_compartment_type((enum def_compartment)i) != c->type)
            continue;
        if (!all && !def_compartment_params((enum def_compartment)i, type))
            return err_set(&c->err, ERR_NOT_FOUND, "no %.*s is ever in the compartment of a %.*s",
                           STR_ARG(what), STR_ARG(def_resource_name(c->type)));
        c->owner = c->type;
        c->type = type;
        return 1;
    }
    return err_set(&c->err, ERR_NOT_FOUND, "a %.*s has no compartment",
                   STR_ARG(def_resource_name(c->type)));
}

/* What the segments name: fills type, id, version_id; gives the scope and what is left over. */
static int locate(struct call *c, const struct str *s, size_t n, enum api_scope *ret_scope,
                  struct str *ret_tail)
{
    size_t at = 0;

    *ret_scope = SCOPE_SYSTEM;
    *ret_tail = STR("");
    if (n == 2 && str_eq(s[0], STR("_async"))) {
        c->id = s[1];
        *ret_scope = SCOPE_ASYNC;
        return 0;
    }
    if (n && s[0].n && s[0].p[0] >= 'A' && s[0].p[0] <= 'Z') {
        c->type = def_resource(s[0]);
        if (!c->type)
            return err_set(&c->err, ERR_NOT_FOUND, "\"%.*s\" is not a FHIR R4 resource type",
                           (int)MIN(s[0].n, 64u), s[0].p);
        *ret_scope = SCOPE_TYPE;
        at = 1;
        if (at < n && s[at].p[0] != '_' && s[at].p[0] != '$') {
            if (!fhir_is_id(s[at]))
                return bad_id(c);
            c->id = s[at++];
            *ret_scope = SCOPE_INSTANCE;
            if (at + 1 < n && str_eq(s[at], STR("_history"))) {
                c->version_id = s[at + 1];
                at += 2;
                *ret_scope = SCOPE_VERSION;
            } else if (at < n) {
                int r = locate_compartment(c, s[at]);
                if (r < 0)
                    return r;
                if (r > 0) {
                    *ret_scope = SCOPE_COMPARTMENT;
                    at++;
                }
            }
        }
    }
    if (at < n)
        *ret_tail = s[at++];
    if (at < n)
        return err_set(&c->err, ERR_NOT_FOUND, "there is no such path below the base URL");
    return 0;
}

static int no_row(struct call *c, bool path_exists, struct str tail)
{
    if (path_exists)
        return err_set(&c->err, ERR_METHOD, "this method is not allowed here");
    if (tail.n && tail.p[0] == '$')
        return err_set(&c->err, ERR_NOT_SUPPORTED, "the operation \"%.*s\" is not supported here",
                       (int)MIN(tail.n, 64u), tail.p);
    return err_set(&c->err, ERR_NOT_FOUND, "there is no such path below the base URL");
}

/* "$" and a name of the table: the rows of operations all have the tail "$". */
static int find_operation(struct call *c, enum api_scope scope, enum http_method method,
                          struct str *tail)
{
    c->op = op_find(str_from(*tail, 1), c->is_own, scope, c->type);
    if (!c->op)
        return 0;
    if (method == HTTP_GET && !c->op->get)
        return err_set(&c->err, ERR_METHOD, "this operation is asked for by POST");
    *tail = STR("$");
    return 0;
}

/* AuditEvents are the node's own log, where it keeps one. */
static int check_audit(struct call *c)
{
    enum api_action action = c->row->action;

    if (!c->api->audit || !c->type || !str_eq(def_resource_name(c->type), STR("AuditEvent")) ||
        c->owner || action == ACT_READ || action == ACT_SEARCH ||
        (action == ACT_OPERATION && !c->op->change))
        return 0;
    return err_set(&c->err, ERR_METHOD,
                   "AuditEvents are this node's own log: they can be read and searched, and have "
                   "one version each");
}

int dispatch(struct call *c, enum http_method method, struct str path)
{
    struct str segments[SEGMENTS_MAX], tail;
    enum http_method as = method == HTTP_HEAD ? HTTP_GET : method;
    bool path_exists = false;
    enum api_scope scope;
    size_t n = 0;
    int r;

    c->head = method == HTTP_HEAD;
    r = split(c, path, segments, &n);
    if (r < 0)
        return r;
    r = locate(c, segments, n, &scope, &tail);
    if (r < 0)
        return r;
    if (tail.n > 1 && tail.p[0] == '$' && (r = find_operation(c, scope, as, &tail)) < 0)
        return r;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].scope != scope || !str_eq(str_c(rows[i].tail), tail))
            continue;
        if (rows[i].action == ACT_OPERATION && !c->op)
            continue; /* a '$' with no name behind it */
        if (c->is_own && rows[i].action != ACT_OPERATION)
            continue;
        path_exists = true;
        if (rows[i].method == as) {
            c->row = &rows[i];
            r = call_permit(c);
            return r < 0 ? r : check_audit(c);
        }
    }
    return no_row(c, path_exists, tail);
}
