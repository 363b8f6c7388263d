#include "fhir/fold.h"
#include "fhir/index_int.h"
#include "fhir/near_int.h"
#include "fhir/search_int.h"
#include "fhir/ucum.h"

#define ITEMS_ROOM 16

/* A search value against the values of a resource, one after the other. */
struct match {
    struct arena *a;
    const struct search_value *v;
    bool found;
    struct err *err;
};

static int fold_of(struct match *m, struct str text, struct str *ret)
{
    *ret = fold_dup(m->a, text);
    return ret->p ? 0 : err_no_memory(m->err);
}

/* Whether a text begins with what is looked for, folded. */
static int text_matches(struct match *m, struct str text)
{
    struct str folded;
    int r = text.n ? fold_of(m, text, &folded) : 1;

    if (r)
        return r < 0 ? r : 0;
    return m->v->folded.n ? str_starts(folded, m->v->folded) : !folded.n;
}

/* How a folded text stands to the folded one that is looked for. */
static bool folded_matches(const struct search_value *v, struct str text)
{
    switch (v->modifier) {
    case MOD_CONTAINS: return !v->folded.n || memmem(text.p, text.n, v->folded.p, v->folded.n);
    case MOD_ENDS: return str_ends(text, v->folded);
    case MOD_EQUAL: return str_eq(text, v->folded);
    case MOD_UNEQUAL: return !str_eq(text, v->folded);
    case MOD_GREATER: return str_cmp(text, v->folded) > 0;
    case MOD_LESS: return str_cmp(text, v->folded) < 0;
    case MOD_AT_LEAST: return str_cmp(text, v->folded) >= 0;
    case MOD_AT_MOST: return str_cmp(text, v->folded) <= 0;
    default: return str_starts(text, v->folded);
    }
}

static int string_matches(struct match *m, struct str text)
{
    struct str folded;
    int r;

    if (m->v->modifier == MOD_EXACT)
        return str_eq(text, m->v->text);
    if (m->v->modifier == MOD_NONE || !m->v->folded.n)
        return text_matches(m, text);
    r = fold_of(m, text, &folded);
    return r < 0 ? r : folded_matches(m->v, folded);
}

/* Parts of a code, a URL or a reference, for _filter: without regard to case, as all its values. */
static int part_matches(struct match *m, struct str text)
{
    struct str folded;
    int r = fold_of(m, text, &folded);

    return r < 0 ? r : folded_matches(m->v, folded);
}

static bool system_matches(const struct match *m, const struct value *x)
{
    const struct search_value *v = m->v;

    if (!v->has_bar || str_eq(v->system, x->system))
        return true;
    /* The system of a `code` is the one of the list that it is bound to. */
    return v->system.n && x->codes && def_codes_has(x->codes, v->system, x->code);
}

static int token_matches(struct match *m, const struct value *x)
{
    int r;

    if (m->v->set)
        return search_codes_match(m->v, x);
    if (m->v->modifier == MOD_TEXT) {
        r = text_matches(m, x->text);
        return r ? r : text_matches(m, x->concept);
    }
    return system_matches(m, x) && (m->v->any_code || str_eq_nocase(m->v->text, x->code));
}

static bool local_matches(const struct search_value *v, const struct value *x)
{
    if (!v->targets)
        return v->ref.kind == VALUE_LOCAL && v->ref.type == x->type && str_eq(v->ref.id, x->id) &&
               (!v->ref.version.n || str_eq(v->ref.version, x->version));
    for (const int *t = v->targets; *t; t++)
        if (*t == x->type && str_eq(v->id, x->id))
            return true;
    return false;
}

static bool url_matches(const struct search_value *v, const struct value *x)
{
    return !v->targets && v->ref.kind == VALUE_URL && str_eq(v->ref.text, x->text) &&
           (!v->ref.version.n || str_eq(v->ref.version, x->version));
}

static bool is_part(enum search_modifier m)
{
    return m == MOD_CONTAINS || m == MOD_STARTS || m == MOD_ENDS;
}

static bool number_matches(const struct number_rule *rule, const struct value *x)
{
    if (x->is_range)
        return number_rule_overlaps(rule, x->no_low ? NULL : &x->low, x->no_high ? NULL : &x->high);
    return number_rule_matches(rule, &x->low);
}

static bool quantity_matches(const struct search_value *v, const struct value *x)
{
    struct str unit = x->code.n ? x->code : x->text;
    struct number_rule rule = v->number;

    if (!v->has_bar || (!v->system.n && !v->text.n))
        return number_matches(&rule, x);
    if (!v->system.n)
        return (str_eq(v->text, x->code) || str_eq(v->text, x->text)) && number_matches(&rule, x);
    if (!str_eq(v->system, x->system))
        return false;
    if (v->text.n && !str_eq(v->text, unit) &&
        (!str_eq(v->system, STR(UCUM_SYSTEM)) ||
         !number_rule_convert(&v->number, v->text, unit, &rule)))
        return false;
    return number_matches(&rule, x);
}

static int equals(struct match *m, const struct value *x);

/* 1, 0 or negative. */
static int value_matches(struct match *m, const struct value *x)
{
    const struct search_value *v = m->v;

    if (v->modifier == MOD_MISSING)
        return 1;
    if ((v->modifier == MOD_IDENTIFIER) != (x->kind == VALUE_IDENTIFIER))
        return 0;
    if (is_part(v->modifier) && x->kind != VALUE_STRING)
        return part_matches(m, x->kind == VALUE_TOKEN   ? x->code
                               : x->kind == VALUE_LOCAL ? x->id
                                                        : x->text);
    if (v->modifier == MOD_UNEQUAL && x->kind != VALUE_STRING)
        return !equals(m, x);
    return equals(m, x);
}

/* As value_matches, without the modifiers of _filter. */
static int equals(struct match *m, const struct value *x)
{
    const struct search_value *v = m->v;

    switch (x->kind) {
    case VALUE_TOKEN:
    case VALUE_IDENTIFIER: return token_matches(m, x);
    case VALUE_LABEL: return v->modifier == MOD_TEXT ? text_matches(m, x->text) : 0;
    case VALUE_STRING: return string_matches(m, x->text);
    case VALUE_URI:
        if (v->modifier == MOD_ABOVE || v->modifier == MOD_BELOW)
            return search_url_matches(v, x->text);
        return str_eq(v->text, x->text);
    case VALUE_LOCAL: return local_matches(v, x);
    case VALUE_URL: return url_matches(v, x);
    case VALUE_NUMBER: return number_matches(&v->number, x);
    case VALUE_QUANTITY: return quantity_matches(v, x);
    case VALUE_DATE: return date_rule_matches(&v->date, x->from_ms, x->to_ms);
    default: return 0;
    }
}

static int visit(void *ctx, const struct value *x)
{
    struct match *m = ctx;
    int r = m->found ? 0 : value_matches(m, x);

    if (r > 0)
        m->found = true;
    return r < 0 ? r : 0;
}

/* An Identifier with this value and a type that has this code. */
static bool of_type_matches(const struct search_value *v, yyjson_val *identifier)
{
    yyjson_val *codings = js_get(js_get(identifier, "type"), "coding"), *coding;
    size_t i, max;

    if (!str_eq_nocase(v->text, js_get_str(identifier, "value")))
        return false;
    yyjson_arr_foreach(codings, i, max, coding)
        if (str_eq_nocase(v->of_type, js_get_str(coding, "code")) &&
            (!v->system.n || str_eq(v->system, js_get_str(coding, "system"))))
            return true;
    return false;
}

/* Whether one item of a parameter's expression has a value that matches. */
static int item_matches(struct arena *a, const struct clause_more *c, const struct search_value *v,
                        const struct path_item *item, struct err *err)
{
    struct match m = {a, v, false, err};
    int r;

    if (v->modifier == MOD_OF_TYPE)
        return yyjson_is_obj(item->v) && of_type_matches(v, item->v);
    r = value_each(&c->opt->index, v->kind, item, visit, &m);

    return r < 0 ? r : m.found;
}

/* One item of a composite: each component has to match inside it. */
static int composite_matches(struct path_env *env, const struct clause_more *c,
                             const struct param_more *more, const struct search_value *v,
                             const struct path_item *item, size_t n, struct err *err)
{
    for (size_t k = 0; k < n; k++) {
        struct path_item room[ITEMS_ROOM];
        struct path_items items = {room, 0, ARRAY_LEN(room)};
        int r = path_eval(more->components[k], env, item, &items, err);

        for (size_t i = 0; i < items.n && r == 0; i++)
            r = item_matches(env->a, c, &v->parts[k], &items.p[i], err);
        if (r <= 0)
            return r;
    }
    return 1;
}

/* Whether one item of a composite is what a _filter's tree asks: 1, 0 or negative. */
static int item_is(struct path_env *env, const struct clause_more *of,
                   const struct param_more *more, const struct search_clause *asks,
                   const struct path_item *item, struct err *err)
{
    const struct def_param *d = &of->params[0]->def;
    const struct clause_more *c = asks->values;
    struct path_item room[ITEMS_ROOM];
    struct path_items items = {room, 0, ARRAY_LEN(room)};
    bool any = asks->kind == CLAUSE_ANY;
    size_t k = 0;
    int r = 0;

    if (asks->subs) {
        for (size_t i = 0; i < asks->n_subs && r >= 0 && (i == 0 || (r > 0) != any); i++)
            r = item_is(env, of, more, &asks->subs[i], item, err);
        return r < 0 ? r : (r > 0) != asks->negate;
    }
    if (asks->kind == CLAUSE_NONE)
        return asks->negate;
    while (!str_eq(d->components[k].code, asks->param->def.code))
        k++;
    r = path_eval(more->components[k], env, item, &items, err);
    for (size_t i = 0; i < items.n && r == 0; i++)
        r = item_matches(env->a, c, &c->values[0], &items.p[i], err);
    return r < 0 ? r : (r > 0) != asks->negate;
}

static int any_item_is(struct path_env *env, const struct clause_more *c, size_t on,
                       const struct path_items *items, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < items->n && r == 0; i++)
        r = item_is(env, c, c->more[on], c->item, &items->p[i], err);
    return r;
}

static int any_matches(struct path_env *env, const struct search_clause *clause, size_t on,
                       const struct path_items *items, struct err *err)
{
    const struct clause_more *c = clause->values;

    if (c->item)
        return any_item_is(env, c, on, items, err);
    for (size_t k = 0; k < c->n_values; k++) {
        for (size_t i = 0; i < items->n; i++) {
            int r = c->composite
                        ? composite_matches(env, c, c->more[on], &c->values[k], &items->p[i],
                                            c->params[on]->def.n_components, err)
                        : item_matches(env->a, c, &c->values[k], &items->p[i], err);
            if (r)
                return r;
        }
    }
    return 0;
}

static int tree_match(struct arena *a, const struct search *s, const struct search_clause *clause,
                      yyjson_val *root, bool *ret_match, struct err *err)
{
    bool any = clause->kind == CLAUSE_ANY, in = !any;

    for (size_t i = 0; i < clause->n_subs && in != any; i++) {
        int r = search_match(a, s, &clause->subs[i], root, &in, err);
        if (r < 0)
            return r;
    }
    *ret_match = in != clause->negate;
    return 0;
}

static bool is_text(const struct clause_more *c)
{
    return c->n_values &&
           (c->values[0].modifier == MOD_NARRATIVE || c->values[0].modifier == MOD_CONTENT);
}

static int text_match(struct arena *a, const struct search_clause *clause, yyjson_val *root,
                      bool *ret_match, struct err *err)
{
    const struct clause_more *c = clause->values;
    size_t hits, of;
    int r = search_text_hits(a, &c->values[0], root, &hits, &of, err);

    if (r == 0)
        *ret_match = (hits > 0) != clause->negate;
    return r;
}

static bool near_match(const struct clause_more *c, yyjson_val *root)
{
    struct key k = {.n = 0};
    bool in = false;

    if (!near_key(root, &k))
        return false;
    for (size_t i = 0; i < c->n_values; i++)
        in |= search_near_matches(&c->values[i], key_view(&k));
    return in;
}

/* Whether a resource refers to what it contains by one of a chain's parameters. */
static int refers_to(struct arena *a, const struct clause_more *c, yyjson_val *root,
                     yyjson_val *one, struct err *err)
{
    int type = def_resource(js_get_str(root, "resourceType")), r = c->n_by == 0;
    struct path_env env = {.a = a, .resource = root, .values_only = true, .keep_repeats = true};
    const struct str id = js_get_str(one, "id");

    for (size_t i = 0; i < c->n_by && r == 0; i++) {
        struct path_item item = path_root(root), room[ITEMS_ROOM];
        struct path_items items = {room, 0, ARRAY_LEN(room)};

        if (c->by[i]->def.type != type)
            continue;
        r = MIN(path_eval(c->by[i]->path, &env, &item, &items, err), 0);
        for (size_t k = 0; k < items.n && r == 0; k++) {
            struct str ref = js_get_str(items.p[k].v, "reference");
            r = ref.n && ref.p[0] == '#' && str_eq(str_from(ref, 1), id);
        }
    }
    return r;
}

static int contained_match(struct arena *a, const struct search *s,
                           const struct search_clause *clause, yyjson_val *root, bool *ret_match,
                           struct err *err)
{
    yyjson_val *list = js_get(root, "contained"), *one;
    bool in = false;
    size_t i, max;
    int r = 0;

    yyjson_arr_foreach(list, i, max, one) {
        if (in || r < 0)
            break;
        if ((r = refers_to(a, clause->values, root, one, err)) > 0)
            r = search_contained_matches(a, s, clause->values, root, one, &in, err);
    }
    if (r >= 0)
        *ret_match = in != clause->negate;
    return MIN(r, 0);
}

int search_match(struct arena *a, const struct search *s, const struct search_clause *clause,
                 yyjson_val *root, bool *ret_match, struct err *err)
{
    const struct clause_more *c = clause->values;
    struct path_env env = {.a = a, .resource = root, .values_only = true, .keep_repeats = true};
    struct path_item item = path_root(root), room[ITEMS_ROOM];
    struct path_items items = {room, 0, ARRAY_LEN(room)};
    int type = def_resource(js_get_str(root, "resourceType"));
    size_t on = 0;
    int r;

    if (clause->subs)
        return tree_match(a, s, clause, root, ret_match, err);
    if (clause->kind != CLAUSE_KEYS || !c) {
        *ret_match = clause->negate;
        return 0;
    }
    if (c->contained)
        return contained_match(a, s, clause, root, ret_match, err);
    if (is_text(c))
        return text_match(a, clause, root, ret_match, err);
    if (c->n_params && c->params[0]->def.kind == PARAM_SPECIAL) {
        *ret_match = near_match(c, root) != clause->negate;
        return 0;
    }
    while (on < c->n_params && c->params[on]->def.type != type)
        on++;
    if (on == c->n_params) {
        *ret_match = clause->negate;
        return 0;
    }
    r = path_eval(c->params[on]->path, &env, &item, &items, err);
    if (r >= 0)
        r = any_matches(&env, clause, on, &items, err);
    if (r < 0)
        return r;
    *ret_match = (r == 1) != clause->negate;
    return 0;
}

int search_sort_key(struct arena *a, const struct search *s, const struct search_sort *sort,
                    yyjson_val *root, struct str *ret, struct err *err)
{
    const struct search_options *opt = s->opt;
    struct index x;
    const struct index_entry *best = NULL;
    int r;

    if (!sort->param) {
        *ret = STR_NULL;
        return 0;
    }
    r = index_extract_one(a, &opt->index, sort->param, root, &x, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < x.n_entries; i++) {
        const struct index_entry *e = &x.entries[i];
        if (e->param != sort->param->def.id || e->shared)
            continue;
        best = e;
        if (!sort->descending)
            break;
    }
    *ret = best ? str_n((const char *)best->key, best->key_n) : STR_NULL;
    return 0;
}
