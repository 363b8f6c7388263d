/* conform_base.c - R4's own invariants and bindings, on an element and all below it. */
#include "fhir/profile_int.h"

#include "fhir/base_rules.h"

#define MENTIONS_MAX 1000 /* contained resources that dom-3 is held for */

struct base_walk {
    struct conform *c;
    const struct base_rules *rules;
    bool with_bindings, with_profiles;
};

static int walk_object(struct base_walk *w, const struct item *item, const struct holder *holder,
                       const struct scope *scope, const struct place *at);

static bool is_walked(const struct base_walk *w, const struct def_type *t)
{
    const struct base_type *b;

    if (w->with_profiles || t->kind == DEF_RESOURCE)
        return true;
    b = base_type_of(w->rules, t);
    return b && (b->is_deep || (w->with_bindings && b->is_bound));
}

/* Bindings whose codes are in the definitions are the structural validator's. */
static int check_element(struct base_walk *w, const struct base_element *be,
                         const struct item *item, const struct scope *scope, const struct place *at)
{
    int r = 0;

    if (be->n_rules)
        r = conform_rules(w->c, NULL, be->rules, be->n_rules, item, scope, at);
    if (r >= 0 && w->with_bindings && be->binding &&
        !(be->binding->strength == DEF_REQUIRED && item->element->codes))
        r = conform_binding(w->c, NULL, STR("binding"), be->binding, item, at);
    if (be->is_simple && js_get(item->v, "comparator"))
        conform_say(w->c, ISSUE_ERROR, "invariant", at, NULL, STR("sqty-1"),
                    "does not hold to sqty-1: a SimpleQuantity has no comparator");
    return r;
}

static int walk_value(struct base_walk *w, const struct base_type *b, const struct item *item,
                      yyjson_val *obj, const struct holder *holder, const struct scope *scope,
                      const struct place *at)
{
    const struct def_element *e = item->element;
    struct holder inner = {holder, item, holder->item->type};
    struct scope there = scope_within(w->c, scope, obj, item);
    int r = 0;

    if (b)
        r = check_element(w, &b->elements[e - b->type->elements], item, scope, at);
    if (r >= 0 && w->with_profiles)
        r = conform_value(w->c, item, b ? b->elements[e - b->type->elements].binding : NULL, &there,
                          at);
    if (r >= 0 && item->type->which == TYPE_CODING)
        r = conform_coding(w->c, item, at);
    if (r >= 0 && item->type->which == TYPE_NARRATIVE)
        r = conform_narrative(w->c, item, &there, at);
    if (r >= 0 && w->with_profiles && item->type->which == TYPE_EXTENSION &&
        (str_eq(e->name, STR("extension")) || str_eq(e->name, STR("modifierExtension"))))
        r = conform_extension(w->c, item, holder, e->is_modifier, scope, at);
    if (r < 0 || !yyjson_is_obj(item->v) || !is_walked(w, item->type))
        return r;
    return walk_object(w, item, &inner, &there, at);
}

static int walk_member(struct base_walk *w, const struct base_type *b, struct item *item,
                       yyjson_val *obj, yyjson_val *v, const struct holder *holder,
                       const struct scope *scope, const struct place *up)
{
    const struct def_type *type = item->type;
    struct place at = {up, item->element->name, -1};
    yyjson_val *one;
    size_t i, n;
    int r = 0;

    item->index = -1;
    if (!yyjson_is_arr(v)) {
        item->v = v;
        if (type->kind == DEF_RESOURCE)
            item->type = item_of_resource(v).type;
        return item->type ? walk_value(w, b, item, obj, holder, scope, &at) : 0;
    }
    yyjson_arr_foreach(v, i, n, one) {
        at.index = item->index = (ptrdiff_t)i;
        item->v = one;
        if (type->kind == DEF_RESOURCE)
            item->type = item_of_resource(one).type;
        if (r >= 0 && item->type && !yyjson_is_null(one))
            r = walk_value(w, b, item, obj, holder, scope, &at);
    }
    return r;
}

/* id and extensions of a primitive: "_birthDate". */
static int walk_more(struct base_walk *w, struct item *item, yyjson_val *v,
                     const struct holder *holder, const struct scope *scope, const struct place *up)
{
    struct place at = {up, item->element->name, -1};
    yyjson_val *one;
    size_t i, n;
    int r = 0;

    if (!w->with_profiles)
        return 0;
    if (!yyjson_is_arr(v)) {
        struct item it = {.v = v, .type = item->type, .element = item->element, .index = -1};
        struct holder inner = {holder, &it, holder->item->type};
        return yyjson_is_obj(v) ? walk_object(w, &it, &inner, scope, &at) : 0;
    }
    yyjson_arr_foreach(v, i, n, one) {
        struct item it = {
            .v = one, .type = item->type, .element = item->element, .index = (ptrdiff_t)i};
        struct holder inner = {holder, &it, holder->item->type};
        at.index = (ptrdiff_t)i;
        if (r >= 0 && yyjson_is_obj(one))
            r = walk_object(w, &it, &inner, scope, &at);
    }
    return r;
}

static int on_resource(struct base_walk *w, const struct item *item, const struct scope *scope,
                       const struct place *at);

static int walk_object(struct base_walk *w, const struct item *item, const struct holder *holder,
                       const struct scope *scope, const struct place *at)
{
    const struct base_type *b = base_type_of(w->rules, item->type);
    yyjson_val *key, *val;
    size_t i, n;
    int r = 0;

    if (!conform_step(w->c, at))
        return 0;
    if (b && b->n_rules && item->type->kind != DEF_PRIMITIVE)
        r = conform_rules(w->c, NULL, b->rules, b->n_rules, item, scope, at);
    if (r >= 0 && item->type->kind == DEF_RESOURCE)
        r = on_resource(w, item, scope, at);
    yyjson_obj_foreach(item->v, i, n, key, val) {
        struct str name = js_str(key);
        bool is_more = name.n > 1 && name.p[0] == '_';
        struct item below = {0};
        if (r < 0)
            break;
        below.element = def_member(item->type, is_more ? str_from(name, 1) : name, &below.type);
        if (!below.element)
            continue;
        r = is_more ? walk_more(w, &below, val, holder, scope, at)
                    : walk_member(w, b, &below, item->v, val, holder, scope, at);
    }
    return r;
}

/* ---- resources ---- */

/* A claim to be what R4 itself calls a type is true of that type and those that it is made of. */
static int check_claim(struct conform *c, struct str url, const struct item *item,
                       const struct scope *scope, const struct place *at)
{
    static const struct str base = STR("http://hl7.org/fhir/StructureDefinition/");
    ptrdiff_t bar = str_find(url, '|');
    struct profile_link link = {.url = url};
    const struct def_type *type = NULL, *own = item->type;
    const struct profile *p;
    int r;

    if (str_starts(url, base))
        type = def_type(str_from(bar < 0 ? url : str_head(url, (size_t)bar), base.n));
    if (type) {
        while (own && own != type)
            own = own->base;
        if (!own)
            conform_say(c, ISSUE_ERROR, "structure", at, NULL, STR("meta.profile"),
                        "is not a %.*s, which it claims to be", STR_ARG(type->name));
        return 0;
    }
    r = conform_link(c, &link, at, &p);
    return r < 0 || !p ? r : conform_profile(c, p, item, scope, at);
}

static int check_claims(struct conform *c, const struct item *item, const struct scope *scope,
                        const struct place *at)
{
    yyjson_val *list = js_get(js_get(item->v, "meta"), "profile"), *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(list, i, n, v) {
        if (i >= CONFORM_PROFILES_MAX) {
            conform_say(c, ISSUE_WARNING, "too-costly", at, NULL, STR(""),
                        "claims more than %d profiles; the others were not looked at",
                        CONFORM_PROFILES_MAX);
            break;
        }
        if (r >= 0 && js_str(v).n)
            r = check_claim(c, js_str(v), item, scope, at);
    }
    return r;
}

/* ---- vital signs ---- */

/* Observations with these codes keep to R4's own profiles, whether they claim them or not
 * (http://hl7.org/fhir/R4/observation-vitalsigns.html). */
static const struct {
    const char *loinc, *profile;
} vital_signs[] = {
    {"85353-1", "vitalspanel"}, {"9279-1", "resprate"},    {"8867-4", "heartrate"},
    {"2708-6", "oxygensat"},    {"8310-5", "bodytemp"},    {"8302-2", "bodyheight"},
    {"9843-4", "headcircum"},   {"29463-7", "bodyweight"}, {"39156-5", "bmi"},
    {"85354-9", "bp"},
};

static int check_vital_signs(struct conform *c, const struct item *item, const struct scope *scope,
                             const struct place *at)
{
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(js_get(item->v, "code"), "coding"), i, n, v) {
        if (!str_eq(js_get_str(v, "system"), STR("http://loinc.org")))
            continue;
        for (size_t k = 0; k < ARRAY_LEN(vital_signs) && r >= 0; k++) {
            char url[128];
            if (!str_eq(js_get_str(v, "code"), str_c(vital_signs[k].loinc)))
                continue;
            snprintf(url, sizeof url, "http://hl7.org/fhir/StructureDefinition/%s",
                     vital_signs[k].profile);
            r = check_claim(c, str_c(url), item, scope, at);
        }
    }
    return r;
}

/* ---- dom-3 ---- */

struct mention {
    struct str id; /* of a contained resource */
    bool is_mentioned;
};

/* "#id" has to lead to one. */
static int check_contained_id(struct conform *c, yyjson_val *container, struct str id,
                              const struct place *at)
{
    struct place below = {at, STR("id"), -1};
    struct str key = arena_fmt(c->a, "contained %p %.*s", (void *)container, STR_ARG(id));

    if (!key.p)
        return err_no_memory(c->err);
    if (c->issues && conform_said(c, key))
        conform_say(c, ISSUE_ERROR, "structure", &below, NULL, STR("contained"),
                    "is the id of another contained resource, too");
    return 0;
}

/* Marks what "#id" anywhere in a value names. Only references, uris, urls and canonicals begin with
 * '#' where resources make sense. JSON's depth bounds how far it goes. */
static void find_mentions(yyjson_val *v, struct mention *all, size_t n)
{
    yyjson_val *key, *val;
    size_t i, max;

    if (yyjson_is_str(v)) {
        struct str s = js_str(v);
        for (size_t k = 0; s.n && s.p[0] == '#' && k < n; k++)
            all[k].is_mentioned |= str_eq(str_from(s, 1), all[k].id);
    } else if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, i, max, val) {
            find_mentions(val, all, n);
        }
    } else {
        yyjson_obj_foreach(v, i, max, key, val) {
            find_mentions(val, all, n);
        }
    }
}

static bool refers_to_container(yyjson_val *contained)
{
    struct mention container = {STR(""), false};

    find_mentions(contained, &container, 1);
    return container.is_mentioned;
}

/* What is contained is referred to, or refers to what contains it. */
static int check_mentions(struct conform *c, yyjson_val *resource, const struct place *at)
{
    yyjson_val *list = js_get(resource, "contained"), *v;
    size_t i, n = yyjson_arr_size(list);
    struct mention *all = n ? ARENA_ARRAY(c->a, struct mention, n) : NULL;
    int r = 0;

    if (!n)
        return 0;
    if (!all)
        return err_no_memory(c->err);
    yyjson_arr_foreach(list, i, n, v)
        all[i].id = js_get_str(v, "id");
    find_mentions(resource, all, MIN(n, MENTIONS_MAX));
    yyjson_arr_foreach(list, i, n, v) {
        struct place here = {at, STR("contained"), (ptrdiff_t)i};
        if (i < MENTIONS_MAX && !all[i].is_mentioned && !refers_to_container(v))
            conform_say(c, ISSUE_ERROR, "invariant", &here, NULL, STR("dom-3"),
                        "does not hold to dom-3: nothing refers to it, and it does not refer to "
                        "what contains it");
        if (r >= 0 && i < MENTIONS_MAX && all[i].id.n)
            r = check_contained_id(c, resource, all[i].id, &here);
    }
    return r;
}

static int on_resource(struct base_walk *w, const struct item *item, const struct scope *scope,
                       const struct place *at)
{
    int r = scope->is_contained ? 0 : check_mentions(w->c, item->v, at);

    if (r >= 0 && w->with_profiles && !w->c->options->no_claims)
        r = check_claims(w->c, item, scope, at);
    if (r >= 0 && w->with_profiles && str_eq(item->type->name, STR("Observation")))
        r = check_vital_signs(w->c, item, scope, at);
    if (r >= 0 && str_eq(item->type->name, STR("Bundle")))
        r = conform_bundle(w->c, item->v, scope, at);
    if (r >= 0 && w->with_profiles && str_eq(item->type->name, STR("Questionnaire")))
        r = conform_questionnaire(w->c, item->v, at);
    if (r >= 0 && str_eq(item->type->name, STR("QuestionnaireResponse")))
        r = conform_response(w->c, item->v, scope, at);
    if (r >= 0 && str_eq(item->type->name, STR("MeasureReport")))
        r = conform_report(w->c, item->v, at);
    if (r >= 0 && str_eq(item->type->name, STR("Measure")))
        conform_measure(w->c, item->v, at);
    return r < 0 || !w->with_profiles ? r : conform_definition(w->c, item->v, at);
}

int conform_base(struct conform *c, const struct item *item, const struct holder *holder,
                 const struct scope *scope, const struct place *at)
{
    struct base_walk w = {.c = c,
                          .rules = base_rules(),
                          .with_bindings = c->options->world && !c->options->no_bindings,
                          .with_profiles = c->options->profiles != NULL};
    struct holder root = {holder, item, NULL};

    if (!w.rules)
        return err_no_memory(c->err);
    return walk_object(&w, item, &root, scope, at);
}
