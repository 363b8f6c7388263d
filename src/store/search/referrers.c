#include "store/search/search_int.h"

/* A local reference as a key: the type's number, then the id (docs/formats/index-keys.md). */
static struct str reference_key(int type, struct str id, unsigned char key[1 + ID_KEY_MAX])
{
    key[0] = (unsigned char)type;
    return str_n((char *)key, 1 + index_id_key(id, key + 1));
}

static int from_param(struct exec *x, const struct param *param, struct str key, size_t max,
                      struct rowset *found, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < param->n_spans && r == 0 && found->n < max; i++) {
        struct range range = {.is_point = true};
        size_t n;

        if (!param_span_has(param, i, (unsigned char)key.p[0]))
            continue;
        arena_reset(&x->body);
        range.lo = scan_prefix(&x->body, param->spans[i].list, key);
        r = range.lo.p ? scan_collect(x, &range, max - found->n, found, &n, err)
                       : err_no_memory(err);
    }
    return r;
}

/* Every reference parameter of every type. */
static int from_all(struct exec *x, struct str key, size_t max, struct rowset *found,
                    struct err *err)
{
    struct params *params = store_params(x->t->st);
    int r = 0;

    for (int type = 1; type <= DEF_RESOURCE_MAX && r == 0 && found->n < max; type++) {
        size_t n;
        const struct param *of = params_of(params, type, &n);
        for (size_t i = 0; i < n && r == 0 && found->n < max; i++)
            if (of[i].def.kind == PARAM_REFERENCE)
                r = from_param(x, &of[i], key, max, found, err);
    }
    params_unref(params);
    return r;
}

int search_referrers(struct store_txn *txn, const struct param *param, int type, struct str id,
                     size_t max, struct arena *a, struct page *ret, struct err *err)
{
    unsigned char bytes[1 + ID_KEY_MAX];
    struct str key = reference_key(type, id, bytes);
    struct rowset found = {0};
    struct rows rows = {0};
    struct exec x;
    int r;

    if ((r = txn->st->scan->enter(txn, err)) < 0 || (r = exec_init(&x, NULL, txn, NULL, err)) < 0)
        return r;
    x.lo = 1;
    x.hi = x.newest = txn->st->ops->position(txn);
    r = param ? from_param(&x, param, key, max, &found, err) : from_all(&x, key, max, &found, err);
    rowset_sort(&found);
    for (uint64_t row = 1; r == 0 && rows.n < max && (row = rowset_seek(&found, row, false));
         row++) {
        bool sees = true;

        /* Whether something is referred to is asked of everything: what refers may be hidden. */
        if (!txn->is_writing)
            r = exec_may_see(&x, row, &sees, err);
        if (r == 0 && sees)
            r = rows_add(&rows, a, row, err);
    }
    exec_done(&x);
    if (r < 0)
        return r;
    *ret = (struct page){.rows = rows.v, .n = rows.n, .next = STR_NULL, .total = -1};
    return 0;
}
