/* conform_document.c - a document holds what its Composition speaks of, and nothing else; a message
 * what its header is about.
 *
 * Source: http://hl7.org/fhir/R4/documents.html, messaging.html.
 */
#include "fhir/profile_int.h"

struct document {
    struct conform *c;
    bool is_message;
    struct scope first; /* the Composition's or the MessageHeader's */
};

/* ---- what the first entry refers to ---- */

static int check_link(const struct document *d, yyjson_val *v, const struct place *at)
{
    struct str reference = js_get_str(v, "reference");
    struct conform inner = *d->c;
    struct conform_options options = *d->c->options;
    yyjson_val *found = NULL;
    enum found_in in;
    struct scope there;
    int r;

    options.world = NULL; /* what is outside does not count */
    inner.options = &options;
    if (!reference.n)
        return 0;
    r = resolve(&inner, &d->first, reference, &found, &in, &there);
    if (r >= 0 && !found)
        conform_say(d->c, ISSUE_ERROR, "structure", at, NULL, STR("document"),
                    "refers to what is not in the %s", d->is_message ? "message" : "document");
    return MIN(r, 0);
}

static int check_links(const struct document *d, yyjson_val *of, const char *name,
                       const struct place *up)
{
    struct place at = {up, str_c(name), -1};
    yyjson_val *list = js_get(of, name), *v;
    size_t i, n;
    int r = 0;

    if (!yyjson_is_arr(list))
        return list ? check_link(d, list, &at) : 0;
    yyjson_arr_foreach(list, i, n, v) {
        at.index = (ptrdiff_t)i;
        if (r >= 0)
            r = check_link(d, v, &at);
    }
    return r;
}

/* The same of each part of a list: attester.party. */
static int check_parts(const struct document *d, yyjson_val *of, const char *list, const char *name,
                       const struct place *up)
{
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(of, list), i, n, v) {
        struct place at = {up, str_c(list), (ptrdiff_t)i};
        if (r >= 0)
            r = check_links(d, v, name, &at);
    }
    return r;
}

/* Sections nest as deep as JSON may. */
static int check_sections(const struct document *d, yyjson_val *of, const struct place *up)
{
    static const char *const names[] = {"author", "focus", "entry"};
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(of, "section"), i, n, v) {
        struct place at = {up, STR("section"), (ptrdiff_t)i};
        for (size_t k = 0; k < ARRAY_LEN(names) && r >= 0; k++)
            r = check_links(d, v, names[k], &at);
        if (r >= 0)
            r = check_sections(d, v, &at);
    }
    return r;
}

static int check_composition(const struct document *d, const struct place *at)
{
    static const char *const names[] = {"subject", "encounter", "author", "custodian"};
    yyjson_val *composition = d->first.resource;
    int r = 0;

    for (size_t i = 0; i < ARRAY_LEN(names) && r >= 0; i++)
        r = check_links(d, composition, names[i], at);
    if (r >= 0)
        r = check_parts(d, composition, "attester", "party", at);
    if (r >= 0)
        r = check_parts(d, composition, "event", "detail", at);
    return r < 0 ? r : check_sections(d, composition, at);
}

/* ---- what leads to an entry ---- */

enum reach { REACH_NOT, REACH_BACK, REACH_WAITS, REACH_DONE };

struct reaching {
    struct conform *c;
    const struct scope *bundle;
    unsigned char *reach; /* enum reach of each entry */
    bool backwards; /* whether it refers to one that is reached, instead of what it leads to */
    bool found;
};

/* References anywhere in a value, and whatever else names an entry: a canonical, an attachment's
 * url. JSON's depth bounds how far it goes. */
static void follow(struct reaching *k, yyjson_val *v, const struct scope *from)
{
    yyjson_val *key, *val;
    size_t i, n;

    if (yyjson_is_str(v)) {
        struct str s = js_str(v);
        ptrdiff_t to =
            s.n && s.p[0] != '#' && str_find(s, ' ') < 0 ? entry_named(k->c, from, s) : -1;
        if (to < 0)
            return;
        if (k->backwards)
            k->found |= k->reach[to] == REACH_DONE;
        else if (k->reach[to] < REACH_WAITS)
            k->reach[to] = REACH_WAITS;
    } else if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, i, n, val) {
            follow(k, val, from);
        }
    } else if (yyjson_is_obj(v)) {
        yyjson_obj_foreach(v, i, n, key, val) {
            follow(k, val, from);
        }
    }
}

static void follow_entry(struct reaching *k, yyjson_val *entry)
{
    struct scope from = {.up = k->bundle,
                         .resource = js_get(entry, "resource"),
                         .full_url = js_get_str(entry, "fullUrl")};

    follow(k, from.resource, &from);
}

/* Forwards until nothing more is reached: each entry is followed once. */
static void reach_all(struct reaching *k, yyjson_val *entries)
{
    yyjson_val *v;
    size_t i, n;

    for (bool is_new = true; is_new;) {
        is_new = false;
        yyjson_arr_foreach(entries, i, n, v) {
            if (k->reach[i] != REACH_WAITS)
                continue;
            k->reach[i] = REACH_DONE;
            follow_entry(k, v);
            is_new = true;
        }
    }
}

static int check_reach(struct conform *c, yyjson_val *entries, const struct scope *scope,
                       const struct place *up)
{
    size_t i, n = yyjson_arr_size(entries);
    struct reaching k = {.c = c, .bundle = scope, .reach = ARENA_ARRAY(c->a, unsigned char, n)};
    yyjson_val *v;

    if (!k.reach)
        return err_no_memory(c->err);
    k.reach[0] = REACH_WAITS;
    reach_all(&k, entries);
    k.backwards = true;
    yyjson_arr_foreach(entries, i, n, v) {
        struct place at = {up, STR("entry"), (ptrdiff_t)i};
        bool is_provenance =
            str_eq(js_get_str(js_get(v, "resource"), "resourceType"), STR("Provenance"));
        if (k.reach[i] == REACH_DONE)
            continue;
        k.found = false;
        follow_entry(&k, v);
        if (!k.found || !is_provenance)
            conform_say(c, ISSUE_WARNING, "structure", &at, NULL, STR("document"), "%s",
                        k.found ? "refers to the document, but nothing in it leads here"
                                : "belongs to nothing that the Composition leads to");
    }
    return 0;
}

/* ---- the whole ---- */

int conform_document(struct conform *c, yyjson_val *bundle, const struct scope *scope,
                     const struct place *up)
{
    yyjson_val *entries = js_get(bundle, "entry"), *entry = yyjson_arr_get_first(entries);
    struct document d = {c,
                         str_eq(js_get_str(bundle, "type"), STR("message")),
                         {.up = scope,
                          .resource = js_get(entry, "resource"),
                          .full_url = js_get_str(entry, "fullUrl")}};
    struct place at_entry = {up, STR("entry"), 0}, at = {&at_entry, STR("resource"), -1};
    struct str type = js_get_str(d.first.resource, "resourceType");
    int r;

    /* Where it begins with something else, bdl-11 and bdl-12 say so. */
    if (d.is_message)
        return str_eq(type, STR("MessageHeader")) ? check_links(&d, d.first.resource, "focus", &at)
                                                  : 0;
    if (!str_eq(type, STR("Composition")))
        return 0;
    r = check_composition(&d, &at);
    return r < 0 || !c->issues ? r : check_reach(c, entries, scope, up);
}
