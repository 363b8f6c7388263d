/* conform_bundle.c - what a Bundle has to keep besides R4's invariants: names of entries, requests
 * and their answers, links, and where references within it lead.
 *
 * Source: http://hl7.org/fhir/R4/bundle.html, http.html#transaction, search.html.
 */
#include "fhir/profile_int.h"

#include <ctype.h>

struct bundle_check {
    struct conform *c;
    yyjson_val *bundle;
    struct str type;
};

static bool is_type(const struct bundle_check *b, const char *type)
{
    return str_eq(b->type, str_c(type));
}

static void say(const struct bundle_check *b, enum issue_severity severity, const struct place *at,
                const char *rule, const char *text)
{
    conform_say(b->c, severity, "structure", at, NULL, str_c(rule), "%s", text);
}

/* ---- names ---- */

/* "http://host/fhir/Patient/1" names a Patient with the id 1. */
static void check_name(const struct bundle_check *b, struct str url, yyjson_val *resource,
                       const struct place *entry)
{
    struct place at = {entry, STR("fullUrl"), -1};
    struct str type = js_get_str(resource, "resourceType"), id = js_get_str(resource, "id"), rest;
    ptrdiff_t slash = str_rfind(url, '/'), before;

    if (str_find(url, ':') < 0)
        say(b, ISSUE_ERROR, &at, "fullUrl", "is not absolute");
    if (!resource || !id.n || str_starts(url, STR("urn:")) || slash < 0)
        return;
    rest = str_head(url, (size_t)slash);
    before = str_rfind(rest, '/');
    if (def_resource(str_from(rest, (size_t)(before + 1))) &&
        (!str_eq(str_from(rest, (size_t)(before + 1)), type) ||
         !str_eq(str_from(url, (size_t)slash + 1), id)))
        say(b, ISSUE_ERROR, &at, "fullUrl", "names another type or id than the resource has");
}

/* ---- requests and answers ---- */

/* "Patient/1" asks of a Patient with the id 1; empty where the url says none. */
static void split_request(struct str url, struct str *ret_type, struct str *ret_id)
{
    ptrdiff_t query = str_find(url, '?'), slash;
    struct str path = query < 0 ? url : str_head(url, (size_t)query);

    if (path.n && path.p[0] == '/')
        path = str_from(path, 1);
    slash = str_find(path, '/');
    *ret_type = slash < 0 ? path : str_head(path, (size_t)slash);
    *ret_id = slash < 0 ? STR("") : str_from(path, (size_t)slash + 1);
}

/* What is written has to be of the type, and where it replaces something of the id, that the url
 * says. Operations, and addresses of another server, say neither. */
static void check_target(const struct bundle_check *b, yyjson_val *request, yyjson_val *resource,
                         const struct place *up)
{
    struct place at = {up, STR("url"), -1};
    struct str url = js_get_str(request, "url"), method = js_get_str(request, "method"), type, id;
    bool is_put = str_eq(method, STR("PUT")), is_post = str_eq(method, STR("POST"));

    split_request(url, &type, &id);
    if ((!is_put && !is_post) || !resource || !def_resource(type) || str_find(url, '$') >= 0 ||
        str_starts(id, STR("_")))
        return;
    if (!str_eq(type, js_get_str(resource, "resourceType")))
        say(b, ISSUE_ERROR, &at, "request", "names another type than the resource has");
    else if (is_post && id.n)
        say(b, ISSUE_ERROR, &at, "request", "names an id, which a create leaves to the server");
    else if (is_put && !id.n && str_find(url, '?') < 0)
        say(b, ISSUE_ERROR, &at, "request", "names no id, which an update needs");
    else if (is_put && id.n && !str_eq(id, js_get_str(resource, "id")))
        say(b, ISSUE_ERROR, &at, "request", "names another id than the resource has");
}

/* Of two writes to one resource in a transaction none comes first. */
static int check_once(const struct bundle_check *b, yyjson_val *request, const struct place *up)
{
    struct place at = {up, STR("url"), -1};
    struct str method = js_get_str(request, "method"), url = js_get_str(request, "url"), type, id;
    struct str key;

    split_request(url, &type, &id);
    if (!is_type(b, "transaction") || !id.n || !def_resource(type) ||
        (!str_eq(method, STR("PUT")) && !str_eq(method, STR("DELETE")) &&
         !str_eq(method, STR("PATCH"))))
        return 0;
    key = arena_fmt(b->c->a, "request %p %.*s", (void *)b->bundle, STR_ARG(url));
    if (!key.p)
        return err_no_memory(b->c->err);
    if (b->c->issues && conform_said(b->c, key))
        say(b, ISSUE_ERROR, &at, "request", "is changed by another entry, too");
    return 0;
}

static int check_request(const struct bundle_check *b, yyjson_val *v, const struct place *entry)
{
    struct place at = {entry, STR("request"), -1}, none = {&at, STR("ifNoneExist"), -1};
    yyjson_val *request = js_get(v, "request"), *resource = js_get(v, "resource");
    struct str method = js_get_str(request, "method");
    bool is_post = str_eq(method, STR("POST"));

    if ((is_post || str_eq(method, STR("PUT")) || str_eq(method, STR("PATCH"))) && !resource)
        say(b, ISSUE_ERROR, &at, "request", "writes, but the entry has no resource");
    if ((str_eq(method, STR("GET")) || str_eq(method, STR("DELETE")) ||
         str_eq(method, STR("HEAD"))) &&
        resource)
        say(b, ISSUE_ERROR, &at, "request", "reads or deletes, but the entry has a resource");
    if (!is_post && js_get(request, "ifNoneExist"))
        say(b, ISSUE_WARNING, &none, "request", "means something for a create only");
    check_target(b, request, resource, &at);
    return check_once(b, request, &at);
}

static void check_response(const struct bundle_check *b, yyjson_val *response,
                           const struct place *entry)
{
    struct place above = {entry, STR("response"), -1}, at = {&above, STR("status"), -1};
    struct str status = js_get_str(response, "status");
    size_t digits = 0;

    while (digits < status.n && isdigit((unsigned char)status.p[digits]))
        digits++;
    if (status.n && digits != 3)
        say(b, ISSUE_ERROR, &at, "response", "does not begin with a status of HTTP, three digits");
}

/* ---- entries ---- */

static int check_entry(const struct bundle_check *b, yyjson_val *v, const struct place *at)
{
    struct place mode = {at, STR("search"), -1};
    struct str url = js_get_str(v, "fullUrl");
    bool needs_name = is_type(b, "document") || is_type(b, "message") || is_type(b, "collection") ||
                      is_type(b, "searchset");

    if (url.n)
        check_name(b, url, js_get(v, "resource"), at);
    else if (needs_name && js_get(v, "resource"))
        say(b, is_type(b, "document") || is_type(b, "message") ? ISSUE_ERROR : ISSUE_WARNING, at,
            "fullUrl", "has a resource, but no fullUrl");
    if (is_type(b, "searchset") && !js_get(js_get(v, "search"), "mode"))
        say(b, ISSUE_INFORMATION, &mode, "search", "does not say whether it is a match");
    check_response(b, js_get(v, "response"), at);
    return is_type(b, "transaction") || is_type(b, "batch") ? check_request(b, v, at) : 0;
}

/* A searchset says what was asked, in its link to itself. */
static void check_self(const struct bundle_check *b, const struct place *at)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(b->bundle, "link"), i, n, v) {
        if (str_eq(js_get_str(v, "relation"), STR("self")))
            return;
    }
    if (is_type(b, "searchset"))
        say(b, ISSUE_WARNING, at, "link",
            "does not say what was searched for: it has no link self");
}

int conform_bundle(struct conform *c, yyjson_val *bundle, const struct scope *scope,
                   const struct place *at)
{
    struct bundle_check b = {c, bundle, js_get_str(bundle, "type")};
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    check_self(&b, at);
    yyjson_arr_foreach(js_get(bundle, "entry"), i, n, v) {
        struct place entry = {at, STR("entry"), (ptrdiff_t)i};
        if (r >= 0)
            r = check_entry(&b, v, &entry);
    }
    if (r >= 0 && (is_type(&b, "document") || is_type(&b, "message")))
        r = conform_document(c, bundle, scope, at);
    return r;
}

/* ---- references between entries ---- */

static bool is_target(const struct def_element *e, int type)
{
    for (const int *t = e->targets; t && *t; t++)
        if (*t == type)
            return true;
    return !e->targets;
}

/* Where the name itself says no type, what is found has to be of one that the element allows. */
static void check_found(struct conform *c, const struct item *item, yyjson_val *found,
                        yyjson_val *bundle, const struct place *at)
{
    struct place at_reference = {at, STR("reference"), -1}, at_type = {at, STR("type"), -1};
    struct str name = js_get_str(found, "resourceType"), said = js_get_str(item->v, "type");
    int type = def_resource(name);

    if (type && !is_target(item->element, type))
        conform_say(c, ISSUE_ERROR, "value", &at_reference, NULL, STR("reference"),
                    "leads to a %.*s, which is not among the types allowed here", STR_ARG(name));
    if (type && def_resource(said) && def_resource(said) != type)
        conform_say(c, ISSUE_ERROR, "value", &at_type, NULL, STR("Reference.type"),
                    "is not the type of what the reference leads to, a %.*s", STR_ARG(name));
    if (str_eq(js_get_str(bundle, "type"), STR("batch")))
        conform_say(c, ISSUE_WARNING, "business-rule", &at_reference, NULL, STR("batch"),
                    "leads to another entry of a batch, whose entries know nothing of each other");
}

int conform_bundled(struct conform *c, const struct item *item, const struct scope *scope,
                    const struct place *at)
{
    struct place below = {at, STR("reference"), -1};
    struct str reference = js_get_str(item->v, "reference");
    const struct scope *bundle = scope, *holder = scope;
    struct conform inner = *c;
    struct conform_options options = *c->options;
    yyjson_val *found = NULL;
    enum found_in in;
    struct scope there;
    int r;

    while (bundle && !bundle->entries)
        bundle = bundle->up;
    while (holder->is_contained && holder->up)
        holder = holder->up;
    if (!bundle || holder == bundle || !str_starts(reference, STR("urn:")))
        return 0;
    options.world = NULL; /* a urn leads nowhere else */
    inner.options = &options;
    r = resolve(&inner, scope, reference, &found, &in, &there);
    if (r >= 0 && found)
        check_found(c, item, found, bundle->resource, at);
    else if (r >= 0)
        conform_say(c, ISSUE_ERROR, "not-found", &below, NULL, STR("reference"),
                    "names no entry of the Bundle, and a urn leads nowhere else");
    return MIN(r, 0);
}
