#include "fhir/params.h"

#include "base/fault.h"
#include "fhir/index.h"
#include "fhir/params_int.h"

#include <pthread.h>
#include <stdlib.h>

#define BASE_BYTES_MAX MIB(16) /* compiled expressions of the definitions */
#define USER_BYTES_MAX MIB(1)  /* one user-defined parameter on all its bases */
#define USER_ID_END 0xbe00

static int no_room(struct err *err)
{
    return err_no_memory(err);
}

static void block_unref(struct param_block *b)
{
    if (!b || atomic_fetch_sub(&b->refs, 1) > 1)
        return;
    arena_done(&b->a);
    free(b);
}

static struct param_block *block_new(size_t bytes_max)
{
    struct param_block *b = fault_point("params") ? NULL : calloc(1, sizeof *b);

    if (b) {
        atomic_init(&b->refs, 1);
        arena_init(&b->a, bytes_max);
    }
    return b;
}

static void block_unrefp(struct param_block **b)
{
    block_unref(*b);
}

struct params *params_ref(struct params *p)
{
    if (p)
        atomic_fetch_add(&p->refs, 1);
    return p;
}

void params_unref(struct params *p)
{
    if (!p || atomic_fetch_sub(&p->refs, 1) > 1)
        return;
    for (size_t i = 0; i < p->n_blocks; i++)
        block_unref(p->blocks[i]);
    free(p->blocks);
    free(p->all);
    free(p->more);
    free(p->by_id);
    free(p);
}

/* ---- putting a snapshot together ---- */

static int place_cmp(const void *a, const void *b, void *all)
{
    const struct def_param *x = &((const struct param *)all)[*(const uint32_t *)a].def;
    const struct def_param *y = &((const struct param *)all)[*(const uint32_t *)b].def;

    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return str_cmp(x->code, y->code);
}

static int id_cmp(const void *a, const void *b, void *all)
{
    unsigned x = ((const struct param *)all)[*(const uint32_t *)a].def.id;
    unsigned y = ((const struct param *)all)[*(const uint32_t *)b].def.id;

    return x < y ? -1 : x > y;
}

static bool allocate(struct params *p, size_t n)
{
    p->all = calloc(n, sizeof *p->all);
    p->more = calloc(n, sizeof *p->more);
    p->by_id = calloc(n, sizeof *p->by_id);
    return p->all && p->more && p->by_id && !fault_point("params");
}

/* Rows of all blocks in order, and the ways to find them. */
static bool arrange(struct params *p)
{
    struct params raw = {0};
    size_t n = 0, at = 0;
    uint32_t *order = NULL;
    bool ok = false;

    for (size_t b = 0; b < p->n_blocks; b++)
        n += p->blocks[b]->n;
    if (!allocate(p, n) || !allocate(&raw, n))
        goto out;
    order = raw.by_id;
    for (size_t b = 0; b < p->n_blocks; b++) {
        for (size_t i = 0; i < p->blocks[b]->n; i++, at++) {
            raw.all[at] = p->blocks[b]->params[i];
            raw.more[at] = p->blocks[b]->more[i];
            order[at] = (uint32_t)at;
        }
    }
    qsort_r(order, n, sizeof *order, place_cmp, raw.all);
    for (size_t i = 0; i < n; i++) {
        p->all[i] = raw.all[order[i]];
        p->more[i] = raw.more[order[i]];
        p->by_id[i] = (uint32_t)i;
    }
    qsort_r(p->by_id, n, sizeof *p->by_id, id_cmp, p->all);
    p->n = n;
    for (size_t type = 0, i = 0; type < ARRAY_LEN(p->first); type++) {
        while (i < n && p->all[i].def.type < type)
            i++;
        p->first[type] = i;
    }
    ok = true;
out:
    free(raw.all);
    free(raw.more);
    free(raw.by_id);
    return ok;
}

/* A snapshot of `old` (NULL: none) and one more block, whose reference it takes over. */
static struct params *snapshot(const struct params *old, struct param_block *last)
{
    struct params *p = calloc(1, sizeof *p);
    size_t n = old ? old->n_blocks : 0;

    if (p) {
        atomic_init(&p->refs, 1);
        p->blocks = calloc(n + 1, sizeof(struct param_block *));
    }
    if (!p || !p->blocks) {
        free(p);
        block_unref(last);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        p->blocks[i] = old->blocks[i];
        atomic_fetch_add(&p->blocks[i]->refs, 1);
    }
    p->blocks[n] = last;
    p->n_blocks = n + 1;
    if (!arrange(p)) {
        params_unref(p);
        return NULL;
    }
    return p;
}

/* ---- compiling one parameter ---- */

static uint8_t compartments_of(const struct def_param *def)
{
    unsigned bits = 0;

    for (int c = 0; c < COMPARTMENT_COUNT; c++) {
        const struct str *code = def_compartment_params((enum def_compartment)c, def->type);
        for (; code && code->p; code++)
            if (str_eq(*code, def->code))
                bits |= 1u << c;
    }
    return (uint8_t)bits;
}

static int compile(struct arena *a, struct param *p, struct param_more *more, struct err *err)
{
    const struct def_param *d = &p->def;
    int r;

    more->compartments = compartments_of(d);
    if (!d->expression.n)
        return 0;
    r = path_compile(a, d->expression, def_resource_type(d->type), &p->path, err);
    if (r < 0 || d->kind != PARAM_COMPOSITE || !d->n_components)
        return r;
    more->components = ARENA_ARRAY(a, const struct path *, d->n_components);
    if (!more->components)
        return no_room(err);
    for (size_t i = 0; i < d->n_components; i++) {
        r = path_compile(a, d->components[i].expression, NULL, &more->components[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- the definitions' ---- */

static pthread_mutex_t base_lock = PTHREAD_MUTEX_INITIALIZER;
static struct params *base_snapshot;

static int build_base(struct params **ret, struct err *err)
{
    size_t n;
    const struct def_param *defs = def_params(&n);
    _cleanup_(block_unrefp) struct param_block *b = block_new(BASE_BYTES_MAX);
    struct params *p;

    if (!b)
        return no_room(err);
    b->params = ARENA_ARRAY(&b->a, struct param, n);
    b->more = ARENA_ARRAY(&b->a, struct param_more, n);
    if (!b->params || !b->more)
        return no_room(err);
    for (size_t i = 0; i < n; i++) {
        int r;
        b->params[i] = (struct param){
            .def = defs[i], .spans = {{.list = defs[i].id}}, .n_spans = 1, .searchable = true};
        r = compile(&b->a, &b->params[i], &b->more[i], err);
        if (r < 0)
            return r;
    }
    b->n = n;
    params_share(b->params, b->more, n);
    p = snapshot(NULL, b);
    b = NULL;
    if (!p)
        return no_room(err);
    *ret = p;
    return 0;
}

struct params *params_base(struct err *err)
{
    struct params *p;

    pthread_mutex_lock(&base_lock);
    if (!base_snapshot)
        build_base(&base_snapshot, err);
    p = params_ref(base_snapshot);
    pthread_mutex_unlock(&base_lock);
    return p;
}

/* ---- a user's ---- */

static int kind_of(struct str s)
{
    static const char *const kinds[] = {
        [PARAM_NUMBER] = "number",       [PARAM_DATE] = "date",
        [PARAM_STRING] = "string",       [PARAM_TOKEN] = "token",
        [PARAM_REFERENCE] = "reference", [PARAM_COMPOSITE] = "composite",
        [PARAM_QUANTITY] = "quantity",   [PARAM_URI] = "uri",
        [PARAM_SPECIAL] = "special",
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq(s, str_c(kinds[i])))
            return (int)i;
    return -1;
}

static int targets_of(struct arena *a, yyjson_val *sp, const int **ret, struct err *err)
{
    yyjson_val *list = js_get(sp, "target"), *v;
    size_t i, max, n = 0;
    int *types;

    if (!yyjson_arr_size(list))
        return 0;
    types = ARENA_ARRAY(a, int, yyjson_arr_size(list) + 1);
    if (!types)
        return no_room(err);
    yyjson_arr_foreach(list, i, max, v) {
        int type = def_resource(js_str(v));
        if (type)
            types[n++] = type;
    }
    if (n)
        *ret = types;
    return 0;
}

/* Components name their parameter by its URL; on `type` it has a code. */
static int components_of(struct arena *a, const struct params *known, yyjson_val *sp,
                         struct def_param *d, struct err *err)
{
    yyjson_val *list = js_get(sp, "component"), *v;
    struct def_component *c;
    size_t i, max, n_like;
    const struct param *like = params_of(known, d->type, &n_like);

    if (d->kind != PARAM_COMPOSITE || !yyjson_arr_size(list))
        return 0;
    if (yyjson_arr_size(list) > PARAM_COMPONENTS_MAX)
        return err_set(err, ERR_VALUE, "the search parameter has more than %d components",
                       PARAM_COMPONENTS_MAX);
    c = ARENA_ARRAY(a, struct def_component, yyjson_arr_size(list));
    if (!c)
        return no_room(err);
    yyjson_arr_foreach(list, i, max, v) {
        struct str url = js_get_str(v, "definition");
        c[i].expression = arena_dup(a, js_get_str(v, "expression"));
        if (!c[i].expression.p)
            return no_room(err);
        for (size_t k = 0; k < n_like && !c[i].code.p; k++) {
            if (!str_eq(like[k].def.url, url))
                continue;
            c[i].code = like[k].def.code;
            c[i].kind = like[k].def.kind;
        }
        if (!c[i].code.p || c[i].kind == PARAM_COMPOSITE || c[i].kind == PARAM_SPECIAL)
            return err_set(err, ERR_VALUE, "component %zu names no plain search parameter of %.*s",
                           i, STR_ARG(def_resource_name(d->type)));
    }
    d->components = c;
    d->n_components = yyjson_arr_size(list);
    return 0;
}

static int add_user(struct param_block *b, const struct params *known, yyjson_val *sp,
                    const struct param *common, int type, uint16_t id, struct err *err)
{
    struct param *p = &b->params[b->n];
    int r;

    *p = *common;
    p->def.type = (uint16_t)type;
    p->def.id = id;
    p->spans[0] = (struct param_span){.list = id};
    p->n_spans = 1;
    if (id < INDEX_PARAM_USER || id >= USER_ID_END)
        return err_set(err, ERR_COSTLY, "there are too many user-defined search parameters");
    if (param_find(known, type, p->def.code))
        return err_set(err, ERR_VALUE, "%.*s has a search parameter \"%.*s\" already",
                       STR_ARG(def_resource_name(type)), STR_ARG(p->def.code));
    r = components_of(&b->a, known, sp, &p->def, err);
    if (r < 0)
        return r;
    r = compile(&b->a, p, &b->more[b->n], err);
    if (r < 0)
        return r;
    b->n++;
    return 0;
}

static int common_of(struct arena *a, yyjson_val *sp, struct param *ret, struct err *err)
{
    struct def_param *d = &ret->def;
    int kind = kind_of(js_get_str(sp, "type"));

    d->code = arena_dup(a, js_get_str(sp, "code"));
    d->url = arena_dup(a, js_get_str(sp, "url"));
    d->expression = arena_dup(a, js_get_str(sp, "expression"));
    if (!d->code.p || !d->url.p || !d->expression.p)
        return no_room(err);
    if (kind < 0)
        return err_set(err, ERR_VALUE, "the search parameter has no type that exists");
    if (!d->code.n || d->code.p[0] == '_' || str_find(d->code, ':') >= 0 ||
        str_find(d->code, '.') >= 0)
        return err_set(err, ERR_VALUE, "the search parameter's code \"%.*s\" cannot be one",
                       (int)MIN(d->code.n, 64u), d->code.p);
    if (!d->expression.n)
        return err_set(err, ERR_VALUE, "the search parameter has no expression");
    d->kind = (uint8_t)kind;
    return targets_of(a, sp, &d->targets, err);
}

static int add_bases(struct param_block *b, const struct params *known, yyjson_val *sp,
                     const struct param *common, uint16_t first_id, struct err *err)
{
    yyjson_val *bases = js_get(sp, "base"), *v;
    size_t i, max;

    if (!yyjson_arr_size(bases))
        return err_set(err, ERR_VALUE, "the search parameter has no base");
    yyjson_arr_foreach(bases, i, max, v) {
        struct str name = js_str(v);
        int type = def_resource(name), r = 0;
        bool all = !type && def_type(name) && def_type(name)->kind == DEF_RESOURCE;
        if (!type && !all)
            return err_set(err, ERR_VALUE, "the search parameter's base \"%.*s\" is no resource",
                           (int)MIN(name.n, 64u), name.p);
        for (int t = all ? 1 : type; t <= (all ? DEF_RESOURCE_MAX : type) && r >= 0; t++) {
            if (b->n == DEF_RESOURCE_MAX)
                return err_set(err, ERR_VALUE, "the search parameter names a base twice");
            r = add_user(b, known, sp, common, t, (uint16_t)MIN(first_id + b->n, 0xffffu), err);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

int params_with(struct params *base, yyjson_val *search_parameter, uint16_t first_id,
                bool searchable, struct params **ret, struct err *err)
{
    _cleanup_(block_unrefp) struct param_block *b = NULL;
    struct param common = {.searchable = searchable};
    struct params *p;
    int r;

    if (base->n_blocks > PARAMS_USER_MAX)
        return err_set(err, ERR_COSTLY, "there are more than %d user-defined search parameters",
                       PARAMS_USER_MAX);
    b = block_new(USER_BYTES_MAX);
    if (!b)
        return no_room(err);
    b->params = ARENA_ARRAY(&b->a, struct param, DEF_RESOURCE_MAX);
    b->more = ARENA_ARRAY(&b->a, struct param_more, DEF_RESOURCE_MAX);
    if (!b->params || !b->more)
        return no_room(err);
    r = common_of(&b->a, search_parameter, &common, err);
    if (r >= 0)
        r = add_bases(b, base, search_parameter, &common, first_id, err);
    if (r < 0)
        return r;
    p = snapshot(base, b);
    b = NULL;
    if (!p)
        return no_room(err);
    *ret = p;
    return 0;
}

/* ---- finding ---- */

const struct param *params_of(const struct params *p, int type, size_t *ret_n)
{
    if (type < 1 || type > DEF_RESOURCE_MAX) {
        *ret_n = 0;
        return NULL;
    }
    *ret_n = p->first[type + 1] - p->first[type];
    return p->all + p->first[type];
}

const struct param *param_find(const struct params *p, int type, struct str code)
{
    size_t lo = 0, n;
    const struct param *all = params_of(p, type, &n);

    while (lo < n) {
        size_t mid = lo + (n - lo) / 2;
        int c = str_cmp(all[mid].def.code, code);
        if (c == 0)
            return &all[mid];
        if (c < 0)
            lo = mid + 1;
        else
            n = mid;
    }
    return NULL;
}

const struct param *param_by_id(const struct params *p, uint16_t id)
{
    size_t lo = 0, n = p->n;

    while (lo < n) {
        size_t mid = lo + (n - lo) / 2;
        const struct param *m = &p->all[p->by_id[mid]];
        if (m->def.id == id)
            return m;
        if (m->def.id < id)
            lo = mid + 1;
        else
            n = mid;
    }
    return NULL;
}

const struct param_more *param_more_of(const struct params *p, const struct param *param)
{
    return &p->more[param - p->all];
}
