#include "fhir/fold.h"
#include "fhir/index_int.h"
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

static int string_matches(struct match *m, struct str text)
{
    struct str folded;
    int r;

    if (m->v->modifier == MOD_EXACT)
        return str_eq(text, m->v->text);
    if (m->v->modifier != MOD_CONTAINS || !m->v->folded.n)
        return text_matches(m, text);
    r = fold_of(m, text, &folded);
    return r < 0 ? r : memmem(folded.p, folded.n, m->v->folded.p, m->v->folded.n) != NULL;
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

/* 1, 0 or negative. */
static int value_matches(struct match *m, const struct value *x)
{
    const struct search_value *v = m->v;

    if (v->modifier == MOD_MISSING)
        return 1;
    if ((v->modifier == MOD_IDENTIFIER) != (x->kind == VALUE_IDENTIFIER))
        return 0;
    switch (x->kind) {
    case VALUE_TOKEN:
    case VALUE_IDENTIFIER: return token_matches(m, x);
    case VALUE_LABEL: return v->modifier == MOD_TEXT ? text_matches(m, x->text) : 0;
    case VALUE_STRING: return string_matches(m, x->text);
    case VALUE_URI: return str_eq(v->text, x->text);
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

/* Whether one item of a parameter's expression has a value that matches. */
static int item_matches(struct arena *a, const struct clause_more *c, const struct search_value *v,
                        const struct path_item *item, struct err *err)
{
    struct match m = {a, v, false, err};
    int r = value_each(&c->opt->index, v->kind, item, visit, &m);

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

static int any_matches(struct path_env *env, const struct search_clause *clause, size_t on,
                       const struct path_items *items, struct err *err)
{
    const struct clause_more *c = clause->values;

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

    (void)s;
    if (clause->kind != CLAUSE_KEYS) {
        *ret_match = false;
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
