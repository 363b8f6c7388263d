/* profile_extension.c - extensions: known, at a place where they are allowed, and as defined.
 *
 * Source: http://hl7.org/fhir/R4/defining-extensions.html#context.
 */
#include "fhir/profile_int.h"

#define PATH_MAX_BYTES 300

/* ---- where an extension may stand ---- */

static bool is_named(struct str expression, struct str owner, const struct def_element *e)
{
    struct str rest;

    if (!str_starts(expression, owner) || expression.n <= owner.n || expression.p[owner.n] != '.')
        return false;
    rest = str_from(expression, owner.n + 1);
    if (str_ends(rest, STR("[x]")))
        rest = str_head(rest, rest.n - 3);
    return str_eq(rest, e->name);
}

/* The element's path from the resource or the type at the root: "Patient.contact.name". */
static struct str full_path(const struct holder *h, char *to, size_t max)
{
    struct str up;
    int n;

    if (!h->owner || !h->up) {
        n = snprintf(to, max, "%.*s", STR_ARG(h->item->type->name));
        return str_n(to, MIN((size_t)MAX(n, 0), max - 1));
    }
    up = full_path(h->up, to, max);
    n = snprintf(to + up.n, max - up.n, ".%.*s", STR_ARG(h->item->element->name));
    return str_n(to, MIN(up.n + (size_t)MAX(n, 0), max - 1));
}

/* Resources with a canonical URL, which R5 gives a type of their own. */
static bool is_canonical_resource(const struct def_type *t)
{
    return t->kind == DEF_RESOURCE && element_of(t, STR("url")) && element_of(t, STR("status"));
}

static bool fits_element(struct str expression, const struct holder *h)
{
    char path[PATH_MAX_BYTES];
    struct str full;

    if (str_eq(expression, STR("Element")) || str_eq(expression, STR("*")))
        return true;
    if (h->item->type->kind == DEF_BACKBONE && str_eq(expression, STR("BackboneElement")))
        return true;
    for (const struct def_type *t = h->item->type; t; t = t->base)
        if (str_eq(expression, t->name))
            return true;
    if (str_eq(expression, STR("CanonicalResource")) || str_eq(expression, STR("MetadataResource")))
        return is_canonical_resource(h->item->type);
    if (!h->owner)
        return false;
    for (const struct def_type *t = h->owner; t; t = t->base)
        if (is_named(expression, t->name, h->item->element))
            return true;
    full = full_path(h, path, sizeof path);
    if (str_ends(expression, STR("[x]")))
        expression = str_head(expression, expression.n - 3);
    return str_eq(full, expression);
}

static bool fits_extension(struct str expression, const struct holder *h)
{
    return h->item->type->which == TYPE_EXTENSION &&
           str_eq(js_get_str(h->item->v, "url"), expression);
}

/* Whether the element is among what the expression gives, asked of the resource. */
static int fits_path(struct conform *c, struct str expression, const struct holder *h,
                     const struct scope *scope)
{
    struct path_item focus = path_root(scope->resource), room[8];
    struct path_items out = {room, 0, ARRAY_LEN(room)};
    struct path_env env = {.a = c->scratch, .resource = scope->resource};
    const struct path *path;
    bool fits = false;

    if (path_compile(c->scratch, expression, focus.type, &path, NULL) < 0 ||
        path_eval(path, &env, &focus, &out, NULL) < 0)
        fits = true; /* what cannot be asked is not held against anybody */
    for (size_t i = 0; i < out.n; i++)
        fits |= out.p[i].kind == PATH_ELEMENT && h->item->v &&
                (out.p[i].v == h->item->v || path_more(&out.p[i]) == h->item->v);
    arena_reset(c->scratch);
    return fits;
}

/* R4's own definitions have it on an element's type; the extension says on the type's code. */
static bool is_fhir_type(const struct profile *p, const struct holder *h)
{
    return str_eq(p->url,
                  STR("http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type")) &&
           h->owner && h->owner->which == TYPE_ELEMENTDEFINITION &&
           str_eq(h->item->element->name, STR("type"));
}

static bool fits(struct conform *c, const struct profile *p, const struct holder *h,
                 const struct scope *scope)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(p->contexts, i, n, v) {
        struct str type = js_get_str(v, "type"), expression = js_get_str(v, "expression");
        if (str_eq(type, STR("element")) && fits_element(expression, h))
            return true;
        if (str_eq(type, STR("extension")) && fits_extension(expression, h))
            return true;
        if (str_eq(type, STR("fhirpath")) && fits_path(c, expression, h, scope))
            return true;
    }
    return yyjson_arr_size(p->contexts) == 0 || is_fhir_type(p, h);
}

static void check_invariants(struct conform *c, const struct profile *p, const struct item *item,
                             const struct scope *scope, const struct place *at)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(p->context_invariants, i, n, v) {
        const struct path *path;
        struct err why;
        int r = path_compile(c->scratch, js_str(v), item->type, &path, &why);
        if (r >= 0)
            r = conform_evaluate(c, path, item, scope, &why);
        arena_reset(c->scratch);
        if (r == 0)
            conform_say(c, ISSUE_ERROR, "structure", at, p, STR("contextInvariant"),
                        "may not stand here: its context has to hold to %.*s",
                        (int)MIN(js_str(v).n, 200u), js_str(v).p);
    }
}

/* ---- one extension ---- */

/* "http://hl7.org/fhir/5.0/StructureDefinition/extension-Patient.x": an element that a version of
 * FHIR has and R4 has not. */
static bool is_of_other_version(struct str url)
{
    static const struct str host = STR("http://hl7.org/fhir/");
    struct str rest = str_starts(url, host) ? str_from(url, host.n) : STR("");
    ptrdiff_t slash = str_find(rest, '/');

    return slash == 3 && rest.p[1] == '.' &&
           str_starts(str_from(rest, 3), STR("/StructureDefinition/extension-"));
}

static void say_unknown(struct conform *c, struct str url, bool is_modifier, const struct place *at)
{
    bool is_hl7 = str_starts(url, STR("http://hl7.org/fhir/StructureDefinition/"));

    if (is_modifier)
        conform_say(c, ISSUE_ERROR, "not-supported", at, NULL, STR("modifierExtension"),
                    "is the modifier extension %.*s, which is not known here: what it modifies "
                    "cannot be understood",
                    (int)MIN(url.n, 200u), url.p);
    else if (!conform_said(c, url))
        conform_say(c, is_hl7 ? ISSUE_WARNING : ISSUE_INFORMATION, "not-found", at, NULL,
                    STR("extension"), "is the extension %.*s, which %s", (int)MIN(url.n, 200u),
                    url.p,
                    is_of_other_version(url)
                        ? "stands for an element of another version of FHIR: it was not looked at"
                        : "is not known here");
}

/* A part of a complex extension is told by the definition of the whole. */
static void check_part(struct conform *c, struct str url, const struct holder *holder,
                       const struct place *at)
{
    struct profile_link link = {.url = js_get_str(holder->item->v, "url")};
    const struct profile *p = NULL;
    const struct profile_node *list;

    if (holder->item->type->which != TYPE_EXTENSION) {
        conform_say(c, ISSUE_ERROR, "value", at, NULL, STR("url"),
                    "has a url that is not absolute");
        return;
    }
    if (str_find(link.url, ':') < 0 || conform_link(c, &link, at, &p) < 0 || !p)
        return;
    for (list = p->root->child; list && !str_eq(list->element->name, STR("extension"));)
        list = list->next;
    for (const struct profile_node *s = list && list->slicing ? list->slicing->first : NULL; s;
         s = s->next)
        for (size_t i = 0; i < s->n_tests; i++)
            if (s->tests[i].fixed && str_eq(js_str(s->tests[i].fixed), url))
                return;
    if (list && list->slicing && list->slicing->first)
        conform_say(c, ISSUE_ERROR, "structure", at, p, STR("Extension.extension"),
                    "is no part of the extension it stands in");
}

int conform_extension(struct conform *c, const struct item *item, const struct holder *holder,
                      bool is_modifier, const struct scope *scope, const struct place *at)
{
    struct str url = js_get_str(item->v, "url");
    struct profile_link link = {.url = url};
    const struct profile *p = NULL;
    struct err why;
    int r;

    if (!url.n)
        return 0;
    if (str_find(url, ':') < 0) {
        check_part(c, url, holder, at);
        return 0;
    }
    r = profiles_get(c->options->profiles, url, &p, &why);
    if (r < 0)
        return conform_link(c, &link, at, &p);
    if (!p) {
        say_unknown(c, url, is_modifier, at);
        return 0;
    }
    if (p->is_modifier != is_modifier)
        conform_say(c, ISSUE_ERROR, "structure", at, p, STR("isModifier"), "%s",
                    is_modifier ? "stands as a modifier extension, but is none"
                                : "is a modifier extension, but does not stand as one");
    if (!fits(c, p, holder, scope))
        conform_say(c, ISSUE_ERROR, "structure", at, p, STR("context"),
                    "is an extension that may not stand here");
    check_invariants(c, p, holder->item, scope, at);
    return conform_profile(c, p, item, scope, at);
}
