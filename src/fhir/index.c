#include "fhir/index.h"

#include "fhir/index_int.h"
#include "fhir/key_int.h"
#include "fhir/near_int.h"
#include "fhir/params_int.h"
#include "fhir/text.h"
#include "fhir/value_int.h"

#include <stdlib.h>

#define ENTRIES_FIRST 48
#define BYTES_CHUNK 2048
#define ITEMS_ROOM 16
#define INSERTION_MAX 64

static unsigned char *keep(struct extract *x, const unsigned char *p, size_t n)
{
    unsigned char *to;

    if (!x->at || n > (size_t)(x->end - x->at)) {
        to = arena_alloc(x->a, BYTES_CHUNK);
        if (!to)
            return NULL;
        x->at = to;
        x->end = to + BYTES_CHUNK;
    }
    to = x->at;
    memcpy(to, p, n);
    x->at += n;
    return to;
}

int extract_add(struct extract *x, uint16_t param, const struct key *k, bool shared)
{
    const unsigned char *bytes;

    if (x->n == x->max)
        return err_set(x->err, ERR_COSTLY, "the resource has more than %zu values to search for",
                       x->max);
    if (x->n == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : ENTRIES_FIRST;
        struct index_entry *more =
            arena_grow(x->a, x->entries, x->n * sizeof *more, cap * sizeof *more);
        if (!more)
            return err_no_memory(x->err);
        x->entries = more;
        x->cap = cap;
    }
    bytes = keep(x, k->b, k->n);
    if (!bytes)
        return err_no_memory(x->err);
    x->entries[x->n++] = (struct index_entry){
        .param = param, .key_n = (uint8_t)k->n, .shared = shared, .key = bytes};
    return 0;
}

/* A term leads from the text of a code to the code's own key. */
static int add_term(struct extract *x, struct str text, const struct key *token)
{
    struct key k = {.n = 0};

    if (!text.n)
        return 0;
    key_string(&k, text);
    key_put(&k, token->b, token->n);
    return extract_add(x, x->param, &k, true);
}

static int add_token(struct extract *x, const struct value *v)
{
    struct key k = {.n = 0};
    int r;

    key_token(&k, v->system, v->code);
    r = extract_add(x, x->param, &k, false);
    if (r >= 0)
        r = add_term(x, v->text, &k);
    if (r >= 0)
        r = add_term(x, v->concept, &k);
    return r;
}

static int add_owner(struct extract *x, enum def_compartment c, struct str id)
{
    struct key k = {.n = 0};

    if (c == COMPARTMENT_PATIENT && !x->patient.p)
        x->patient = id;
    k.n = index_id_key(id, k.b);
    return extract_add(x, (uint16_t)(INDEX_PARAM_COMPARTMENT + c), &k, false);
}

static int add_local(struct extract *x, const struct value *v)
{
    struct key k = {.n = 0};
    int r = 0;

    for (int c = 0; x->compartments >> c && r >= 0; c++)
        if ((x->compartments >> c & 1) && v->type == def_compartment_type((enum def_compartment)c))
            r = add_owner(x, (enum def_compartment)c, v->id);
    key_local(&k, v->type, v->id);
    return r < 0 ? r : extract_add(x, x->param, &k, false);
}

static int add_interval(struct extract *x, struct key *k, const struct value *v)
{
    key_interval(k, v->no_low ? NULL : &v->low, v->no_high ? NULL : &v->high);
    return extract_add(x, x->param, k, false);
}

static int add_number(struct extract *x, const struct value *v)
{
    struct key k = {.n = 0};

    if (v->is_range) {
        key_high_end(&k);
        return add_interval(x, &k, v);
    }
    key_decimal(&k, &v->low);
    return extract_add(x, x->param, &k, false);
}

static int add_quantity(struct extract *x, const struct value *v)
{
    struct key k = {.n = 0};

    key_unit(&k, v->system, v->code.n ? v->code : v->text, v->is_range);
    if (v->is_range)
        return add_interval(x, &k, v);
    key_decimal(&k, &v->low);
    return extract_add(x, x->param, &k, false);
}

static int add_date(struct extract *x, const struct value *v)
{
    struct key k = {.n = 0};
    int r;

    key_date(&k, v->from_ms, v->to_ms);
    r = extract_add(x, x->param, &k, false);
    if (r < 0 || !key_date_is_long(v->from_ms, v->to_ms))
        return r;
    k.n = 0;
    key_date_end(&k, v->from_ms, v->to_ms);
    return extract_add(x, (uint16_t)(x->param + INDEX_PARAM_ENDS), &k, false);
}

int extract_value(void *ctx, const struct value *v)
{
    struct extract *x = ctx;
    struct key k = {.n = 0};

    x->has_others |= v->kind >= VALUE_URL && v->kind <= VALUE_ELSEWHERE;
    switch (v->kind) {
    case VALUE_TOKEN: return add_token(x, v);
    case VALUE_LOCAL: return v->type == x->elsewhere_type ? 0 : add_local(x, v);
    case VALUE_NUMBER: return add_number(x, v);
    case VALUE_QUANTITY: return add_quantity(x, v);
    case VALUE_DATE: return add_date(x, v);
    case VALUE_LABEL: key_label(&k, v->text); break;
    case VALUE_STRING: key_string(&k, v->text); break;
    case VALUE_URI: key_text(&k, v->text, KEY_URI_BYTES); break;
    case VALUE_URL: key_url(&k, v->text, v->version); break;
    case VALUE_IDENTIFIER:
        key_byte(&k, KEY_IDENTIFIER);
        key_token(&k, v->system, v->code);
        break;
    case VALUE_ELSEWHERE: key_byte(&k, KEY_ELSEWHERE); break;
    }
    return extract_add(x, x->param, &k, false);
}

static int extract_param(struct extract *x, const struct param *p, const struct param_more *more,
                         struct path_env *env, const struct path_item *root)
{
    struct path_item room[ITEMS_ROOM];
    struct path_items items = {room, 0, ARRAY_LEN(room)};
    int r;

    if (!p->path || p->def.kind == PARAM_SPECIAL)
        return 0;
    if (p->def.kind == PARAM_COMPOSITE)
        return x->opt->pairs ? index_composite(x, p, more, env, root) : 0;
    env->steps = 0;
    r = path_eval(p->path, env, root, &items, x->err);
    x->param = p->def.id;
    for (size_t i = 0; i < items.n && r >= 0; i++)
        r = value_each(x->opt, p->def.kind, &items.p[i], extract_value, x);
    return r;
}

/* All parameters of the type. What shares a list has been found with it; of references, those that
 * are no local ones remain. */
static int extract_params(struct extract *x, const struct params *params, int type,
                          struct path_env *env, const struct path_item *root)
{
    size_t n;
    const struct param *p = params_of(params, type, &n);
    const struct param_more *more;
    int r = 0;

    for (size_t i = 0; i < n && r >= 0; i++) {
        if (param_shares(&p[i]))
            continue;
        more = param_more_of(params, &p[i]);
        x->compartments = more->compartments;
        r = extract_param(x, &p[i], more, env, root);
    }
    x->compartments = 0;
    for (size_t i = 0; i < n && r >= 0 && x->has_others; i++) {
        if (!param_shares(&p[i]) || !param_has_own(&p[i]))
            continue;
        x->elsewhere_type = p[i].spans[1].type;
        r = extract_param(x, &p[i], NULL, env, root);
    }
    return r;
}

/* The resource itself: its type's list, and the compartment that it names. */
static int extract_self(struct extract *x, int type, yyjson_val *root)
{
    struct str id = js_get_str(root, "id");
    struct key k = {.n = 0};
    int r = extract_add(x, (uint16_t)(INDEX_PARAM_TYPE + type), &k, false);

    for (int c = 0; c < COMPARTMENT_COUNT && id.n && r >= 0; c++)
        if (def_compartment_type((enum def_compartment)c) == type)
            r = add_owner(x, (enum def_compartment)c, id);
    return r;
}

/* ---- what has no search parameter with an expression ---- */

struct words {
    struct extract *x;
    uint16_t list;
    size_t n;
};

static int add_word(void *ctx, struct str token)
{
    struct words *w = ctx;
    struct key k = {.n = 0};

    if (w->n++ == TEXT_TOKENS_MAX) {
        key_byte(&k, KEY_CUT);
        key_byte(&k, KEY_END);
        return extract_add(w->x, w->list, &k, false) < 0 ? -1 : 1;
    }
    key_put(&k, token.p, token.n);
    key_byte(&k, KEY_END);
    return extract_add(w->x, w->list, &k, false) < 0 ? -1 : 0;
}

static int extract_words(struct extract *x, yyjson_val *root, bool all)
{
    struct words w = {x, all ? INDEX_PARAM_CONTENT : INDEX_PARAM_TEXT, 0};
    struct str text = text_of(x->a, root, all);

    if (!text.p)
        return err_no_memory(x->err);
    return text_tokens(text, add_word, &w) < 0 ? x->err->code : 0;
}

static int extract_contained(struct extract *x, yyjson_val *root)
{
    yyjson_val *list = js_get(root, "contained"), *one;
    const struct key none = {.n = 0};
    size_t i, max;
    int r = 0;

    yyjson_arr_foreach(list, i, max, one) {
        int type = def_resource(js_get_str(one, "resourceType"));
        if (type && r == 0)
            r = extract_add(x, (uint16_t)(INDEX_PARAM_CONTAINED + type), &none, false);
    }
    return r;
}

static int extract_extras(struct extract *x, const struct params *params, int type,
                          yyjson_val *root)
{
    const struct param *near = param_find(params, type, STR("near"));
    struct key k = {.n = 0};
    int r = extract_words(x, root, false);

    if (r == 0 && x->opt->content)
        r = extract_words(x, root, true);
    if (r == 0)
        r = extract_contained(x, root);
    if (r == 0 && near && near->def.kind == PARAM_SPECIAL && near_key(root, &k))
        r = extract_add(x, near->def.id, &k, false);
    return r;
}

static int entry_cmp(const void *a, const void *b)
{
    const struct index_entry *x = a, *y = b;
    int c;

    if (x->param != y->param)
        return x->param < y->param ? -1 : 1;
    c = memcmp(x->key, y->key, MIN(x->key_n, y->key_n));
    if (c)
        return c;
    if (x->key_n != y->key_n)
        return x->key_n < y->key_n ? -1 : 1;
    return x->shared - y->shared;
}

static void sort_entries(struct index_entry *e, size_t n)
{
    if (n > INSERTION_MAX) {
        qsort(e, n, sizeof *e, entry_cmp);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct index_entry one = e[i];
        size_t at = i;
        while (at && entry_cmp(&e[at - 1], &one) > 0) {
            e[at] = e[at - 1];
            at--;
        }
        e[at] = one;
    }
}

static size_t without_repeats(struct index_entry *e, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (!kept || entry_cmp(&e[kept - 1], &e[i]) != 0)
            e[kept++] = e[i];
    return kept;
}

/* A terminology is one resource, however many codes it has; no record of a patient is so large. */
static size_t entries_max(int type)
{
    static const struct str large[] = {STR("CodeSystem"), STR("ValueSet"), STR("ConceptMap")};

    for (size_t i = 0; i < ARRAY_LEN(large); i++)
        if (type == def_resource(large[i]))
            return INDEX_ENTRIES_TERMS_MAX;
    return INDEX_ENTRIES_MAX;
}

int index_extract(struct arena *a, const struct params *params, const struct index_options *opt,
                  int type, yyjson_val *root, struct index *ret, struct err *err)
{
    struct extract x = {.a = a, .opt = opt, .max = entries_max(type), .err = err};
    struct path_env env = {.a = a, .resource = root, .values_only = true, .keep_repeats = true};
    struct path_item item = path_root(root);
    struct index out = {0};
    int r = extract_self(&x, type, root);

    item.type = def_resource_type(type);
    if (r >= 0)
        r = extract_params(&x, params, type, &env, &item);
    if (r >= 0 && opt->extras)
        r = extract_extras(&x, params, type, root);
    if (r >= 0)
        r = index_refs(a, opt, type, root, &out, err);
    if (r < 0)
        return r;
    sort_entries(x.entries, x.n);
    out.entries = x.entries;
    out.n_entries = without_repeats(x.entries, x.n);
    out.patient = x.patient;
    *ret = out;
    return 0;
}

int index_extract_one(struct arena *a, const struct index_options *opt, const struct param *param,
                      yyjson_val *root, struct index *ret, struct err *err)
{
    size_t max = entries_max(def_resource(js_get_str(root, "resourceType")));
    struct extract x = {.a = a, .opt = opt, .max = max, .err = err};
    struct path_env env = {.a = a, .resource = root, .values_only = true, .keep_repeats = true};
    struct path_item item = path_root(root);
    int r = extract_param(&x, param, NULL, &env, &item);

    if (r < 0)
        return r;
    sort_entries(x.entries, x.n);
    *ret = (struct index){.entries = x.entries, .n_entries = without_repeats(x.entries, x.n)};
    return 0;
}
