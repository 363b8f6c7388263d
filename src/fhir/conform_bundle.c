/* conform_bundle.c - what a Bundle has to keep besides R4's invariants: names of entries, requests,
 * and that a document holds what it speaks of (bundle.html, documents.html).
 */
#include "fhir/profile_int.h"

struct bundle_check {
    struct conform *c;
    struct str type;
    const struct scope *scope;
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

static void check_request(const struct bundle_check *b, yyjson_val *v, const struct place *entry)
{
    struct place at = {entry, STR("request"), -1};
    struct str method = js_get_str(js_get(v, "request"), "method");
    bool has_body = js_get(v, "resource") != NULL;

    if ((str_eq(method, STR("POST")) || str_eq(method, STR("PUT"))) && !has_body)
        say(b, ISSUE_ERROR, &at, "request", "writes, but the entry has no resource");
    if ((str_eq(method, STR("GET")) || str_eq(method, STR("DELETE")) ||
         str_eq(method, STR("HEAD"))) &&
        has_body)
        say(b, ISSUE_ERROR, &at, "request", "reads or deletes, but the entry has a resource");
}

static void check_entry(const struct bundle_check *b, yyjson_val *v, const struct place *at)
{
    struct str url = js_get_str(v, "fullUrl");
    bool needs_name = is_type(b, "document") || is_type(b, "message") || is_type(b, "collection") ||
                      is_type(b, "searchset");

    if (url.n)
        check_name(b, url, js_get(v, "resource"), at);
    else if (needs_name && js_get(v, "resource"))
        say(b, is_type(b, "document") || is_type(b, "message") ? ISSUE_ERROR : ISSUE_WARNING, at,
            "fullUrl", "has a resource, but no fullUrl");
    if (is_type(b, "transaction") || is_type(b, "batch"))
        check_request(b, v, at);
}

/* What the Composition refers to has to be in the document, what the message is about in it. */
static int check_link(const struct bundle_check *b, yyjson_val *v, const struct scope *composition,
                      const struct place *at)
{
    struct str reference = js_get_str(v, "reference");
    struct conform inner = *b->c;
    struct conform_options options = *b->c->options;
    yyjson_val *found = NULL;
    enum found_in in;
    struct scope there;
    int r;

    options.world = NULL; /* what is outside does not count */
    inner.options = &options;
    if (!reference.n)
        return 0;
    r = resolve(&inner, composition, reference, &found, &in, &there);
    if (r >= 0 && !found)
        say(b, ISSUE_ERROR, at, "document",
            is_type(b, "message") ? "refers to what is not in the message"
                                  : "refers to what is not in the document");
    return MIN(r, 0);
}

static int check_links(const struct bundle_check *b, yyjson_val *of, const char *name,
                       const struct scope *composition, const struct place *up)
{
    struct place at = {up, str_c(name), -1};
    yyjson_val *list = js_get(of, name), *v;
    size_t i, n;
    int r = 0;

    if (!yyjson_is_arr(list))
        return list ? check_link(b, list, composition, &at) : 0;
    yyjson_arr_foreach(list, i, n, v) {
        at.index = (ptrdiff_t)i;
        if (r >= 0)
            r = check_link(b, v, composition, &at);
    }
    return r;
}

/* Sections nest as deep as JSON may. */
static int check_sections(const struct bundle_check *b, yyjson_val *of,
                          const struct scope *composition, const struct place *up)
{
    static const char *const names[] = {"author", "focus", "entry"};
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(of, "section"), i, n, v) {
        struct place at = {up, STR("section"), (ptrdiff_t)i};
        for (size_t k = 0; k < ARRAY_LEN(names) && r >= 0; k++)
            r = check_links(b, v, names[k], composition, &at);
        if (r >= 0)
            r = check_sections(b, v, composition, &at);
    }
    return r;
}

static int check_document(const struct bundle_check *b, yyjson_val *bundle, const struct place *up)
{
    static const char *const names[] = {"subject", "encounter", "author", "custodian"};
    yyjson_val *entry = yyjson_arr_get_first(js_get(bundle, "entry"));
    yyjson_val *composition = js_get(entry, "resource");
    struct scope scope = {
        .up = b->scope, .resource = composition, .full_url = js_get_str(entry, "fullUrl")};
    struct place at_entry = {up, STR("entry"), 0}, at = {&at_entry, STR("resource"), -1};
    int r = 0;

    if (!str_eq(js_get_str(composition, "resourceType"), STR("Composition")))
        return 0; /* bdl-11 says so */
    for (size_t i = 0; i < ARRAY_LEN(names) && r >= 0; i++)
        r = check_links(b, composition, names[i], &scope, &at);
    return r < 0 ? r : check_sections(b, composition, &scope, &at);
}

/* What a message's header is about comes with it. */
static int check_message(const struct bundle_check *b, yyjson_val *bundle, const struct place *up)
{
    yyjson_val *entry = yyjson_arr_get_first(js_get(bundle, "entry"));
    yyjson_val *header = js_get(entry, "resource");
    struct scope scope = {
        .up = b->scope, .resource = header, .full_url = js_get_str(entry, "fullUrl")};
    struct place at_entry = {up, STR("entry"), 0}, at = {&at_entry, STR("resource"), -1};

    if (!str_eq(js_get_str(header, "resourceType"), STR("MessageHeader")))
        return 0; /* bdl-12 says so */
    return check_links(b, header, "focus", &scope, &at);
}

int conform_bundle(struct conform *c, yyjson_val *bundle, const struct scope *scope,
                   const struct place *at)
{
    struct bundle_check b = {c, js_get_str(bundle, "type"), scope};
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(bundle, "entry"), i, n, v) {
        struct place entry = {at, STR("entry"), (ptrdiff_t)i};
        check_entry(&b, v, &entry);
    }
    return is_type(&b, "document")  ? check_document(&b, bundle, at)
           : is_type(&b, "message") ? check_message(&b, bundle, at)
                                    : 0;
}
