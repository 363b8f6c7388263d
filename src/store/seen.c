/* seen.c - between the face and a backend, for those who may not see everything: what they may not
 * see is as if it did not exist.
 */
#include "store/store_int.h"

#include "fhir/validate.h"

static int may_see(struct store_txn *txn, const struct row *row, struct err *err)
{
    return txn->who.rules->may_see(&txn->who, txn->st, row, err);
}

int seen_row(struct store_txn *txn, int r, int type, struct str id, const struct row *row,
             struct err *err)
{
    int sees;

    if (r < 0 || !seen_is_bounded(txn))
        return r;
    sees = may_see(txn, row, err);
    if (sees != 0)
        return MIN(sees, 0);
    if (!type)
        return err_set(err, ERR_NOT_FOUND, "there is no such version");
    return err_set(err, ERR_NOT_FOUND, "%.*s \"%.*s\" does not exist",
                   STR_ARG(def_resource_name(type)), (int)MIN(id.n, (size_t)FHIR_ID_MAX), id.p);
}

struct each {
    struct store_txn *txn;
    store_row_fn *each;
    void *ctx;
};

static int each_seen(void *ctx, const struct row *row, struct err *err)
{
    struct each *e = ctx;
    int r = may_see(e->txn, row, err);

    return r <= 0 ? r : e->each(e->ctx, row, err);
}

int seen_each_row(struct store_txn *txn, const uint64_t *rows, size_t n, store_row_fn *each,
                  void *ctx, struct err *err)
{
    struct each e = {txn, each, ctx};

    return seen_is_bounded(txn) ? txn->st->ops->each_row(txn, rows, n, each_seen, &e, err)
                                : txn->st->ops->each_row(txn, rows, n, each, ctx, err);
}

int seen_search(struct store_txn *txn, const struct search *s, size_t budget, struct arena *a,
                struct page *ret, struct err *err)
{
    const struct search *asked = s;
    int r = seen_is_bounded(txn) ? txn->who.rules->narrow(&txn->who, txn->st, a, s, &s, err) : 0;

    txn->is_narrowed = s != asked;
    return r < 0 ? r : txn->st->ops->search(txn, s, budget, a, ret, err);
}

int seen_page(struct store_txn *txn, struct page *page, struct err *err)
{
    size_t kept = 0;

    if (!seen_is_bounded(txn))
        return 0;
    for (size_t i = 0; i < page->n; i++) {
        struct row row;
        int r = txn->st->ops->get_row(txn, page->rows[i], &row, err);

        if (r < 0 || (r = may_see(txn, &row, err)) < 0)
            return r;
        if (r > 0)
            page->rows[kept++] = page->rows[i];
    }
    /* What stands on other pages was not looked at. */
    if (kept != page->n || page->next.p)
        page->total = -1;
    page->n = kept;
    return 0;
}

int seen_put(struct store_txn *txn, const struct put *put, struct err *err)
{
    const struct access *who = &txn->who;
    struct row old;
    int r;

    if (!seen_is_bounded(txn))
        return 0;
    if (put->is_new)
        return who->rules->may_put(who, txn->st, put, NULL, err);
    r = txn->st->ops->get(txn, put->type, put->id, &old, err);
    if (r < 0 && r != ERR_NOT_FOUND)
        return r;
    return who->rules->may_put(who, txn->st, put, r < 0 ? NULL : &old, err);
}
