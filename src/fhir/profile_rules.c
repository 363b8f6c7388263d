/* profile_rules.c - invariants (FHIRPath) and bindings (terminology) of one element. */
#include "fhir/profile_int.h"

/* ---- invariants ---- */

static bool is_true(const struct path_item *item)
{
    if (item->kind == PATH_BOOLEAN)
        return str_eq(item->text, STR("true"));
    return !yyjson_is_bool(item->v) || yyjson_get_bool(item->v);
}

/* resolve() in a rule finds what the check itself finds: entries of the Bundle around, and more. */
struct rule_world {
    struct world_over over;
    struct conform *c;
    const struct scope *scope;
};

static int rule_reference(void *ctx, struct arena *a, struct str reference, yyjson_val **ret,
                          struct err *err)
{
    struct rule_world *w = ctx;
    struct conform inner = *w->c;
    enum found_in in;
    struct scope there;

    inner.a = a;
    inner.err = err;
    return resolve(&inner, w->scope, reference, ret, &in, &there);
}

static int rule_conforms_to(void *ctx, struct arena *a, const struct world_value *value,
                            struct str url, enum terms_answer *ret, struct err *err)
{
    struct rule_world *w = ctx;
    struct item item = item_of_value(value);
    struct place at = {NULL, item.type ? item.type->name : STR("element"), -1};
    const struct profile *p = NULL;
    int r;

    (void)a;
    *ret = TERMS_UNKNOWN;
    if (!w->c->options->profiles || !item.type)
        return 0;
    r = profiles_get(w->c->options->profiles, url, &p, err);
    if (r < 0 || !p)
        return r;
    r = conform_try(w->c, p, &item, w->scope, &at);
    if (r >= 0)
        *ret = r ? TERMS_YES : TERMS_NO;
    return MIN(r, 0);
}

static int rule_in_slice(void *ctx, struct arena *a, const struct world_value *value,
                         struct str url, struct str slice, enum terms_answer *ret, struct err *err)
{
    struct rule_world *w = ctx;
    const struct profile *p = NULL;
    int r = 0;

    (void)a;
    *ret = TERMS_UNKNOWN;
    if (w->c->options->profiles)
        r = profiles_get(w->c->options->profiles, url, &p, err);
    return r < 0 || !p ? r : conform_in_slice(w->c, p, value, slice, w->scope, ret);
}

static void rule_world(struct rule_world *w, struct conform *c, const struct scope *scope)
{
    w->c = c;
    w->scope = scope;
    world_over(&w->over, c->options->world);
    w->over.world.reference = rule_reference;
    w->over.world.conforms_to = rule_conforms_to;
    w->over.world.in_slice = rule_in_slice;
}

static yyjson_val *root_of(const struct scope *scope)
{
    return scope->is_contained && scope->up ? scope->up->resource : scope->resource;
}

int conform_evaluate_in(struct conform *c, const struct path *path, struct path_env *env,
                        const struct item *item, const struct scope *scope, struct err *why)
{
    struct path_item focus = {.kind = PATH_ELEMENT,
                              .v = item->v,
                              .more = item->more,
                              .type = item->type,
                              .element = item->element};
    struct rule_world world;
    struct path_item room[4];
    struct path_items out = {room, 0, ARRAY_LEN(room)};
    int r;

    rule_world(&world, c, scope);
    env->a = c->scratch;
    env->resource = scope->resource;
    env->root_resource = root_of(scope);
    env->world = &world.over.world;
    r = path_eval(path, env, &focus, &out, why);
    if (r >= 0)
        r = out.n == 0 ? EVALUATED_EMPTY : out.n == 1 ? is_true(&out.p[0]) : 1;
    arena_reset(c->scratch);
    return r;
}

int conform_evaluate(struct conform *c, const struct path *path, const struct item *item,
                     const struct scope *scope, struct err *why)
{
    struct path_env env = {.a = c->scratch};

    return conform_evaluate_in(c, path, &env, item, scope, why);
}

static void say_rule(struct conform *c, const struct profile *p, const struct profile_rule *rule,
                     const struct place *at)
{
    struct str what = rule->human.n ? rule->human : rule->expression;

    conform_say(c, rule->severity, "invariant", at, p, rule->key, "does not hold to %.*s: %.*s",
                STR_ARG(rule->key), (int)MIN(what.n, (size_t)ERR_TEXT_MAX / 2), what.p);
}

/* Nothing is not true: who writes a rule finds that with every validator. R4's own were written for
 * one where functions on nothing gave false, so that they pass; but for these, where an element
 * that may be absent says that the rest need not hold. */
static bool holds_on_nothing(const struct profile *p, const struct profile_rule *rule)
{
    static const struct str strict[] = {STR("que-13"), STR("sdf-1"), STR("sdf-5"), STR("vsd-9"),
                                        STR("ras-1"),  STR("tst-7"), STR("tst-8"), STR("tst-9")};

    for (size_t i = 0; i < ARRAY_LEN(strict); i++)
        if (!p && str_eq(rule->key, strict[i]))
            return false;
    return p == NULL;
}

int conform_rules(struct conform *c, const struct profile *p, const struct profile_rule *rules,
                  size_t n, const struct item *item, const struct scope *scope,
                  const struct place *at)
{
    for (size_t i = 0; i < n; i++) {
        const struct profile_rule *rule = &rules[i];
        struct err why = {0};
        int r;

        if (!conform_step(c, at))
            return 0;
        if (!c->issues && rule->severity > ISSUE_ERROR)
            continue;
        /* What is contained is told in its container's narrative. */
        if (scope->is_contained && str_eq(rule->key, STR("dom-6")))
            continue;
        if (!rule->path) {
            if (!conform_said(c, rule->expression.n ? rule->expression : rule->key))
                conform_say(c, ISSUE_INFORMATION, "not-supported", at, p, rule->key,
                            "was not held to %.*s: %.*s", STR_ARG(rule->key), STR_ARG(rule->why));
            continue;
        }
        r = conform_evaluate(c, rule->path, item, scope, &why);
        if (r == EVALUATED_EMPTY)
            r = holds_on_nothing(p, rule);
        if (r == 0)
            say_rule(c, p, rule, at);
        else if (r < 0)
            conform_say(c, ISSUE_WARNING, err_issue_type(r), at, p, rule->key,
                        "could not be held to %.*s: %s", STR_ARG(rule->key), why.text);
    }
    return 0;
}

/* ---- bindings ---- */

static struct coding coding_of(yyjson_val *v)
{
    return (struct coding){.system = js_get_str(v, "system"),
                           .version = js_get_str(v, "version"),
                           .code = js_get_str(v, "code"),
                           .display = js_get_str(v, "display")};
}

/* A Coding without a system is in no value set; a code has the element's. */
static int ask(struct conform *c, struct str value_set, const struct coding *coding, bool is_code,
               enum terms_answer *ret)
{
    const struct world *world = c->options->world;

    *ret = is_code || coding->system.n ? TERMS_UNKNOWN : TERMS_NO;
    if (*ret == TERMS_NO || !world || !world->member_of)
        return 0;
    return world->member_of(world->ctx, c->a, value_set, coding, ret, c->err);
}

/* One code is enough: yes before unknown before no. *ret_n: codes that there are. */
static int ask_all(struct conform *c, struct str value_set, const struct item *item,
                   enum terms_answer *ret, size_t *ret_n)
{
    struct coding one = {.code = js_str(item->v)};
    enum terms_answer answer;
    yyjson_val *v;
    size_t i, n;
    int r;

    *ret = TERMS_NO;
    *ret_n = 0;
    if (item->type->which != TYPE_CODEABLECONCEPT) {
        if (item->type->kind != DEF_PRIMITIVE)
            one = coding_of(item->v);
        *ret_n = one.code.n > 0;
        return *ret_n ? ask(c, value_set, &one, item->type->kind == DEF_PRIMITIVE, ret) : 0;
    }
    yyjson_arr_foreach(js_get(item->v, "coding"), i, n, v) {
        one = coding_of(v);
        if (!one.code.n)
            continue;
        ++*ret_n;
        r = ask(c, value_set, &one, false, &answer);
        if (r < 0)
            return r;
        if (answer == TERMS_YES) {
            *ret = answer;
            return 0;
        }
        if (answer == TERMS_UNKNOWN)
            *ret = answer;
    }
    return 0;
}

static bool is_codeable(const struct def_type *t)
{
    switch (t->which) {
    case TYPE_CODE:
    case TYPE_STRING:
    case TYPE_URI:
    case TYPE_CODING:
    case TYPE_CODEABLECONCEPT:
    case TYPE_QUANTITY: return true;
    default: return false;
    }
}

/* Nothing but extensions: the reason why there is no code, for example. */
static bool has_no_value(const struct item *item)
{
    return !item->v || (yyjson_is_obj(item->v) && js_get(item->v, "extension") &&
                        yyjson_obj_size(item->v) == 1 + (js_get(item->v, "id") != NULL));
}

/* Sets of all that a grammar allows: conform_values.c looks at the grammar. */
static bool is_grammar(struct str value_set)
{
    static const struct str sets[] = {STR("http://hl7.org/fhir/ValueSet/mimetypes"),
                                      STR("http://hl7.org/fhir/ValueSet/all-languages"),
                                      STR("http://hl7.org/fhir/ValueSet/ucum-units")};
    ptrdiff_t bar = str_find(value_set, '|');

    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        if (str_eq(bar < 0 ? value_set : str_head(value_set, (size_t)bar), sets[i]))
            return true;
    return false;
}

static void say_unknown(struct conform *c, const struct profile *p, struct str id,
                        struct str value_set, const struct place *at)
{
    if (!is_grammar(value_set) && !conform_said(c, value_set))
        conform_say(c, ISSUE_INFORMATION, "not-found", at, p, id,
                    "could not be held against the value set %.*s, which is not known here, or not "
                    "whole",
                    STR_ARG(value_set));
}

static void say_not_bound(struct conform *c, const struct profile *p, struct str id,
                          const struct profile_binding *b, size_t n_codes, const struct place *at)
{
    static const struct {
        enum issue_severity severity;
        const char *text;
    } by[] = {[DEF_PREFERRED] = {ISSUE_INFORMATION, "preferred"},
              [DEF_EXTENSIBLE] = {ISSUE_WARNING, "extensible"},
              [DEF_REQUIRED] = {ISSUE_ERROR, "required"}};

    if (b->strength < DEF_PREFERRED || (b->strength == DEF_PREFERRED && !n_codes))
        return;
    conform_say(c, by[b->strength].severity, "code-invalid", at, p, id,
                n_codes ? "has no code of the %s value set %.*s"
                        : "has no code, where one of the %s value set %.*s is expected",
                by[b->strength].text, STR_ARG(b->value_set));
}

int conform_binding(struct conform *c, const struct profile *p, struct str element_id,
                    const struct profile_binding *b, const struct item *item,
                    const struct place *at)
{
    enum terms_answer answer = TERMS_YES;
    size_t n = 0;
    int r = 0;

    if (!item->type || !is_codeable(item->type) || has_no_value(item))
        return 0;
    if (b->value_set.n)
        r = ask_all(c, b->value_set, item, &answer, &n);
    if (r < 0)
        return r;
    if (answer == TERMS_UNKNOWN && b->strength >= DEF_PREFERRED)
        say_unknown(c, p, element_id, b->value_set, at);
    if (answer == TERMS_NO)
        say_not_bound(c, p, element_id, b, n, at);
    if (!b->max_value_set.n)
        return 0;
    r = ask_all(c, b->max_value_set, item, &answer, &n);
    if (r >= 0 && answer == TERMS_UNKNOWN)
        say_unknown(c, p, element_id, b->max_value_set, at);
    if (r >= 0 && answer == TERMS_NO && n)
        conform_say(c, ISSUE_ERROR, "code-invalid", at, p, element_id,
                    "has no code of the value set %.*s, which is the most that is allowed",
                    STR_ARG(b->max_value_set));
    return r;
}
