/* Functions that FHIR adds to FHIRPath, http://hl7.org/fhir/R4/fhirpath.html. What only a store, a
 * terminology or a validator knows is asked of env->world. */
#include "fhir/path_int.h"

#include "fhir/base_resources.h"
#include "fhir/xhtml.h"

static bool is_primitive(const struct path_item *item)
{
    enum path_kind kind = path_item_kind(item);

    return kind != PATH_ELEMENT && kind != PATH_QUANTITY && kind != PATH_TYPE;
}

int path_test_has_value(const struct path_call *c)
{
    return c->in->n == 1 && is_primitive(&c->in->p[0]);
}

int path_fn_get_value(const struct path_call *c, struct path_items *out)
{
    const struct path_item *item = c->in->p;

    if (c->in->n != 1 || !is_primitive(item))
        return 0;
    if (item->kind != PATH_ELEMENT)
        return path_push(c->env, out, item, c->err);
    return path_push_text(c->env, out, path_item_kind(item), path_item_text(item), c->err);
}

int path_fn_extension(const struct path_call *c, struct path_items *out)
{
    struct path_items all = {0};
    struct str url;
    int r = path_arg_string(c, 0, &url);

    if (r <= 0)
        return r;
    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = path_member(c->env, &c->in->p[i], STR("extension"), &all, c->err);
    for (size_t i = 0; i < all.n && r >= 0; i++)
        if (str_eq(js_get_str(all.p[i].v, "url"), url))
            r = path_push(c->env, out, &all.p[i], c->err);
    return r < 0 ? r : 0;
}

/* ---- resolve() ---- */

/* The resource type in "[base/]Type/id[/_history/version]", 0 if there is none. */
static int literal_type(struct str ref)
{
    ptrdiff_t at = str_rfind(ref, '/');
    struct str head = str_head(ref, at < 0 ? 0 : (size_t)at);

    if (str_ends(head, STR("/_history"))) {
        head = str_head(head, head.n - 9);
        at = str_rfind(head, '/');
        head = str_head(head, at < 0 ? 0 : (size_t)at);
    }
    at = str_rfind(head, '/');
    return def_resource(str_from(head, (size_t)(at + 1)));
}

static yyjson_val *contained(yyjson_val *resource, struct str id)
{
    size_t i, max;
    yyjson_val *v;

    yyjson_arr_foreach(js_get(resource, "contained"), i, max, v)
        if (str_eq(js_get_str(v, "id"), id))
            return v;
    return NULL;
}

/* "#id": in the resource, or in the one that contains it; "#" is that one itself. */
static yyjson_val *internal(const struct path_env *env, struct str id)
{
    yyjson_val *root = env->root_resource ? env->root_resource : env->resource;
    yyjson_val *found = id.n ? contained(env->resource, id) : root;

    return found || root == env->resource ? found : contained(root, id);
}

/* The entry of a Bundle whose fullUrl is the reference, or ends in it. */
static yyjson_val *in_bundle(const struct path_env *env, struct str ref)
{
    yyjson_val *root = env->root_resource ? env->root_resource : env->resource, *entry;
    size_t i, max;

    if (!str_eq(js_get_str(root, "resourceType"), STR("Bundle")))
        return NULL;
    yyjson_arr_foreach(js_get(root, "entry"), i, max, entry) {
        struct str url = js_get_str(entry, "fullUrl");
        if (str_eq(url, ref) || (url.n > ref.n && str_ends(url, ref) && literal_type(ref) &&
                                 url.p[url.n - ref.n - 1] == '/'))
            return js_get(entry, "resource");
    }
    return NULL;
}

static int outside(const struct path_call *c, struct str ref, yyjson_val **ret)
{
    const struct world *w = c->env->world;
    int r;

    *ret = in_bundle(c->env, ref);
    if (*ret || !w || !w->reference)
        return 0;
    r = path_spend(c->env, 100, c->err);
    return r < 0 ? r : w->reference(w->ctx, c->env->a, ref, ret, c->err);
}

/* Where nothing can be fetched, what a reference points to is known by its type alone; that is
 * enough for "resolve() is Patient", but it is nothing that a strict path may give. */
static int resolve_one(const struct path_call *c, const struct path_item *item,
                       struct path_items *out)
{
    struct path_item target = {.kind = PATH_ELEMENT};
    struct str ref = path_item_text(item);
    int type = 0, r = 0;

    if (!ref.p)
        ref = js_get_str(item->v, "reference");
    if (ref.n && ref.p[0] == '#')
        target.v = internal(c->env, str_from(ref, 1));
    else if (ref.n && !c->env->values_only)
        r = outside(c, ref, &target.v);
    if (r < 0)
        return r;
    if (target.v) {
        target = path_root(target.v);
        return path_push(c->env, out, &target, c->err);
    }
    if (c->node->strict || (ref.n && ref.p[0] == '#'))
        return 0;
    if (ref.p)
        type = literal_type(ref);
    if (!type)
        type = def_resource(js_get_str(item->v, "type"));
    if (!type)
        return 0;
    target.type = def_resource_type(type);
    return path_push(c->env, out, &target, c->err);
}

int path_fn_resolve(const struct path_call *c, struct path_items *out)
{
    int r = 0;

    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = resolve_one(c, &c->in->p[i], out);
    return r;
}

/* ---- terminology ---- */

static struct coding coding_of(yyjson_val *v)
{
    return (struct coding){.system = js_get_str(v, "system"),
                           .version = js_get_str(v, "version"),
                           .code = js_get_str(v, "code"),
                           .display = js_get_str(v, "display")};
}

#define CODINGS_MAX 64 /* of one CodeableConcept that are looked at */

/* The codings of a code, a Coding, a Quantity or a CodeableConcept; how many. */
static size_t codings_of(const struct path_item *item, struct coding ret[CODINGS_MAX])
{
    size_t i, max, n = 0;
    yyjson_val *v, *many = js_get(item->v, "coding");

    if (path_item_kind(item) == PATH_STRING) {
        ret[0] = (struct coding){.code = path_item_text(item)};
        return 1;
    }
    if (item->kind != PATH_ELEMENT || !yyjson_is_obj(item->v))
        return 0;
    if (!many && !path_type_is(item->type, STR("CodeableConcept"))) {
        ret[0] = coding_of(item->v);
        return ret[0].code.p != NULL;
    }
    yyjson_arr_foreach(many, i, max, v) {
        ret[n] = coding_of(v);
        n += n < CODINGS_MAX - 1 && ret[n].code.p;
    }
    return n;
}

int path_test_member_of(const struct path_call *c)
{
    const struct world *w = c->env->world;
    struct coding codings[CODINGS_MAX];
    enum terms_answer answer = TERMS_NO;
    struct path_item item;
    struct str url;
    size_t n;
    int r = path_one(c, c->in, &item);

    if (r > 0)
        r = path_arg_string(c, 0, &url);
    if (r <= 0 || !w || !w->member_of)
        return path_nothing(r);
    n = codings_of(&item, codings);
    for (size_t i = 0; i < n && answer != TERMS_YES; i++) {
        enum terms_answer one;
        r = path_spend(c->env, 100, c->err);
        if (r >= 0)
            r = w->member_of(w->ctx, c->env->a, url, &codings[i], &one, c->err);
        if (r < 0)
            return r;
        if (one != TERMS_NO)
            answer = one;
    }
    return answer == TERMS_UNKNOWN ? PATH_NOTHING : answer == TERMS_YES;
}

/* How two codings stand to each other. */
static int relation(const struct path_call *c, const struct coding *a, const struct coding *b,
                    enum terms_relation *ret)
{
    const struct world *w = c->env->world;
    int r = path_spend(c->env, 100, c->err);

    *ret = RELATION_NOT;
    if (r < 0 || !str_eq(a->system, b->system))
        return r;
    if (str_eq(a->code, b->code)) {
        *ret = RELATION_EQUIVALENT;
        return 0;
    }
    *ret = RELATION_UNKNOWN;
    if (!w || !w->subsumes)
        return 0;
    return w->subsumes(w->ctx, c->env->a, a->system, a->code, b->code, ret, c->err);
}

/* Whether some coding of the input stands so to some coding of the argument. */
static int subsumption(const struct path_call *c, enum terms_relation wanted)
{
    struct coding a[CODINGS_MAX], b[CODINGS_MAX];
    struct path_items other = {0};
    struct path_item x, y;
    bool yes = false, unknown = false;
    size_t n_a, n_b;
    int r = path_one(c, c->in, &x);

    if (r > 0)
        r = path_arg(c, 0, &other);
    if (r >= 0 && c->in->n)
        r = path_one(c, &other, &y);
    if (r <= 0)
        return path_nothing(r);
    n_a = codings_of(&x, a);
    n_b = codings_of(&y, b);
    for (size_t i = 0; i < n_a && !yes; i++) {
        for (size_t j = 0; j < n_b && !yes; j++) {
            enum terms_relation found;
            r = relation(c, &a[i], &b[j], &found);
            if (r < 0)
                return r;
            yes = found == wanted || found == RELATION_EQUIVALENT;
            unknown |= found == RELATION_UNKNOWN;
        }
    }
    return !yes && unknown ? PATH_NOTHING : yes;
}

int path_test_subsumes(const struct path_call *c)
{
    return subsumption(c, RELATION_SUBSUMES);
}

int path_test_subsumed_by(const struct path_call *c)
{
    return subsumption(c, RELATION_SUBSUMED_BY);
}

/* ---- conformance ---- */

static int unknown_profile(const struct path_call *c, struct str profile)
{
    return path_wrong(c->node, c->err, "the profile \"%.*s\" is not known here",
                      (int)MIN(profile.n, 200u), profile.p);
}

/* An element as others ask about it; false for what is computed. */
static bool value_of(const struct path_call *c, const struct path_item *item,
                     struct world_value *ret)
{
    bool is_element = item->kind == PATH_ELEMENT && (item->v || item->more);

    if (is_element)
        *ret = (struct world_value){.v = item->v,
                                    .more = path_more(item),
                                    .type = item->type,
                                    .element = item->element,
                                    .resource = c->env->resource};
    if (is_element && item->type && item->type->kind == DEF_RESOURCE)
        ret->element = NULL;
    return is_element;
}

/* A type of R4 itself needs nobody else: an item of that type has passed, or will pass, structural
 * validation where it is stored. */
static int conforms(const struct path_call *c, const struct path_item *item, struct str profile,
                    enum terms_answer *ret)
{
    static const struct str base = {"http://hl7.org/fhir/StructureDefinition/", 40};
    const struct world *w = c->env->world;
    const struct def_type *type;
    struct world_value value;
    int r = path_spend(c->env, 1000, c->err);

    *ret = TERMS_UNKNOWN;
    if (r >= 0 && w && w->conforms_to && value_of(c, item, &value))
        r = w->conforms_to(w->ctx, c->env->a, &value, profile, ret, c->err);
    if (r < 0 || *ret != TERMS_UNKNOWN || !str_starts(profile, base))
        return r;
    type = def_type(str_from(profile, base.n));
    if (type)
        *ret = path_type_is(item->type, type->name) ? TERMS_YES : TERMS_NO;
    return 0;
}

int path_test_conforms_to(const struct path_call *c)
{
    enum terms_answer answer;
    struct path_item item;
    struct str profile;
    int r = path_one(c, c->in, &item);

    if (r > 0)
        r = path_arg_string(c, 0, &profile);
    if (r <= 0)
        return path_nothing(r);
    r = conforms(c, &item, profile, &answer);
    if (r < 0)
        return r;
    if (answer == TERMS_UNKNOWN)
        return unknown_profile(c, profile);
    return answer == TERMS_YES;
}

struct slice_question {
    struct str profile, name;
    bool is_known; /* somebody knew the slice */
};

/* The items that are of the slice, and those below them, where the slice is of an element of
 * theirs: Patient.name.slice(…) and Patient.slice(…) find the same. */
static int sliced(const struct path_call *c, struct slice_question *q,
                  const struct path_items *items, bool and_below, struct path_items *out)
{
    const struct world *w = c->env->world;
    int r = 0;

    for (size_t i = 0; i < items->n && r >= 0; i++) {
        enum terms_answer answer = TERMS_UNKNOWN;
        struct path_items below = {0};
        struct world_value value;
        r = path_spend(c->env, 1000, c->err);
        if (r >= 0 && value_of(c, &items->p[i], &value))
            r = w->in_slice(w->ctx, c->env->a, &value, q->profile, q->name, &answer, c->err);
        q->is_known |= r >= 0 && answer != TERMS_UNKNOWN;
        if (r >= 0 && answer == TERMS_YES)
            r = path_push(c->env, out, &items->p[i], c->err);
        else if (r >= 0 && answer == TERMS_NO && and_below)
            r = path_children(c->env, &items->p[i], &below, c->err);
        if (r >= 0 && below.n)
            r = sliced(c, q, &below, false, out);
    }
    return MIN(r, 0);
}

int path_fn_slice(const struct path_call *c, struct path_items *out)
{
    struct slice_question q = {.is_known = false};
    int r = path_arg_string(c, 0, &q.profile);

    if (r > 0)
        r = path_arg_string(c, 1, &q.name);
    if (r <= 0 || !c->in->n)
        return r;
    if (!c->env->world || !c->env->world->in_slice)
        return unknown_profile(c, q.profile);
    r = sliced(c, &q, c->in, true, out);
    if (r >= 0 && !q.is_known)
        return path_wrong(
            c->node, c->err, "the profile \"%.*s\" is not known here, or has no slice \"%.*s\"",
            (int)MIN(q.profile.n, 200u), q.profile.p, (int)MIN(q.name.n, 100u), q.name.p);
    return r;
}

/* ---- definitions ---- */

#define DEFINITION_STEPS 20000 /* what making the definitions of a type takes */

struct definition {
    struct arena *a;
    yyjson_val *v;
};

static int keep_definition(void *ctx, struct str json, struct err *err)
{
    struct definition *d = ctx;

    return js_parse_stored(d->a, json, &d->v, err);
}

/* R4's ElementDefinition with the path "owner.name" ("owner" alone: the root). */
static int definition_at(const struct path_call *c, struct str owner, struct str name,
                         yyjson_val **ret)
{
    ptrdiff_t dot = str_find(owner, '.');
    struct definition d = {.a = c->env->a};
    size_t i, max;
    yyjson_val *v;
    int r = path_spend(c->env, DEFINITION_STEPS, c->err);

    *ret = NULL;
    if (r >= 0)
        r = base_resource_of_type(dot < 0 ? owner : str_head(owner, (size_t)dot), keep_definition,
                                  &d, c->err);
    if (r < 0)
        return r;
    yyjson_arr_foreach(js_get(js_get(d.v, "snapshot"), "element"), i, max, v) {
        struct str path = js_get_str(v, "path"), rest;
        if (!str_starts(path, owner))
            continue;
        rest = str_from(path, owner.n);
        if (name.n && rest.n && rest.p[0] == '.')
            rest = str_from(rest, 1);
        if (str_ends(rest, STR("[x]")))
            rest = str_head(rest, rest.n - 3);
        if (str_eq(rest, name))
            *ret = v;
    }
    return 0;
}

int path_fn_element_definition(const struct path_call *c, struct path_items *out)
{
    int r = 0;

    for (size_t i = 0; i < c->in->n && r >= 0; i++) {
        const struct path_item *item = &c->in->p[i];
        struct path_item found = {.kind = PATH_ELEMENT, .type = def_type(STR("ElementDefinition"))};
        bool is_resource = item->type && item->type->kind == DEF_RESOURCE;
        if (item->kind != PATH_ELEMENT || !(item->element || is_resource))
            continue;
        r = item->element && !is_resource
                ? definition_at(c, def_owner(item->element)->name, item->element->name, &found.v)
                : definition_at(c, item->type->name, STR(""), &found.v);
        if (r >= 0 && found.v)
            r = path_push(c->env, out, &found, c->err);
    }
    return r;
}

/* ---- narratives and modifiers ---- */

int path_test_html_checks(const struct path_call *c)
{
    struct path_item item;
    size_t at;
    int r = path_one(c, c->in, &item);

    if (r <= 0 || path_item_kind(&item) != PATH_STRING)
        return path_nothing(r);
    r = path_spend(c->env, path_item_text(&item).n / 8, c->err);
    return r < 0 ? r : !xhtml_problem(path_item_text(&item), &at);
}

/* The input, if no item has a modifier extension but those named. */
int path_fn_check_modifiers(const struct path_call *c, struct path_items *out)
{
    struct path_items known = {0}, found = {0};
    int r = 0;

    for (uint16_t arg = c->node->right; arg != NO_NODE && r >= 0; arg = c->path->nodes[arg].next)
        r = path_eval_node(c->path, c->env, arg, c->focus, &known, c->err);
    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = path_member(c->env, &c->in->p[i], STR("modifierExtension"), &found, c->err);
    for (size_t i = 0; i < found.n && r >= 0; i++) {
        struct path_item url = {.kind = PATH_STRING, .text = js_get_str(found.p[i].v, "url")};
        r = path_has(c->env, &known, &url, c->err);
        if (r == 0)
            return path_wrong(c->node, c->err, "there is the modifier extension \"%.*s\"",
                              (int)MIN(url.text.n, 200u), url.text.p ? url.text.p : "");
    }
    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = path_push(c->env, out, &c->in->p[i], c->err);
    return r < 0 ? r : 0;
}
