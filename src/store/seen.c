/* seen.c - between the face and a backend, for those who may not see everything: what they may not
 * see is as if it did not exist.
 */
#include "store/store_int.h"

#include "fhir/validate.h"

int seen_look(struct store_txn *txn, struct err *err)
{
    const struct access *who = &txn->who;
    uint64_t position = 0;
    int r;

    if (!seen_is_bounded(txn) || txn->has_looked || !who->guard)
        return 0;
    if (!txn->is_writing)
        position = txn->st->ops->position(txn);
    r = who->rules->look(who, txn->st, position, txn->is_writing, &txn->sight, err);
    txn->has_looked = r >= 0;
    return MIN(r, 0);
}

void seen_end(struct store_txn *txn)
{
    if (txn->sight)
        txn->who.rules->sight_done(txn->sight);
    txn->sight = NULL;
}

static int is_in_sight(struct store_txn *txn, const struct row *row, struct err *err)
{
    const struct access *who = &txn->who;

    if (!txn->sight)
        return 1;
    /* The sets know rows that can be found now. */
    if (row->is_current && row->method != METHOD_DELETE)
        switch (sight_row(txn->sight, row->type, row->row)) {
        case SIGHT_NO: return 0;
        case SIGHT_YES: return 1;
        case SIGHT_ASK: break;
        }
    return who->rules->in_sight(who, txn->st, txn->sight, row, err);
}

static int may_see(struct store_txn *txn, const struct row *row, struct err *err)
{
    int r = is_in_sight(txn, row, err);

    return r <= 0 ? r : txn->who.rules->may_see(&txn->who, txn->st, row, err);
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
    int r = seen_look(txn, err);

    if (r >= 0 && seen_is_bounded(txn))
        r = txn->who.rules->narrow(&txn->who, txn->st, a, s, &s, err);

    txn->is_narrowed = s != asked;
    return r < 0 ? r : txn->st->ops->search(txn, s, budget, a, ret, err);
}

/* Whether only what a resource itself says decides, and nothing that it leads to. */
static bool is_plain(const struct search_clause *clauses, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (clauses[i].n_inner || !is_plain(clauses[i].subs, clauses[i].n_subs))
            return false;
    return true;
}

int seen_condition(struct store_txn *txn, const struct search *s, struct arena *a, struct page *ret,
                   struct err *err)
{
    const struct access who = txn->who;
    struct page all;
    int r;

    /* A chain would tell whether there is something at its end that may not be seen. */
    if (!seen_is_bounded(txn) || !is_plain(s->clauses, s->n_clauses))
        return seen_search(txn, s, 0, a, ret, err);
    if ((r = seen_look(txn, err)) < 0)
        return r;
    txn->who.rules = NULL;
    {
        const struct sight *sight = txn->sight;

        txn->sight = NULL;
        txn->is_narrowed = false;
        r = txn->st->ops->search(txn, s, 0, a, &all, err);
        txn->sight = sight;
    }
    txn->who = who;
    for (size_t i = 0; r >= 0 && i < all.n; i++) {
        struct row row;

        r = txn->st->ops->get_row(txn, all.rows[i], &row, err);
        if (r >= 0 && (r = may_see(txn, &row, err)) == 0)
            return err_set(err, ERR_STALE,
                           "the condition matches what this access may not see: nothing was done");
    }
    if (r < 0)
        return r;
    *ret = all;
    return 0;
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
    if ((r = seen_look(txn, err)) < 0)
        return r;
    if (put->is_new)
        return who->rules->may_put(who, txn->st, txn->sight, put, NULL, err);
    r = txn->st->ops->get(txn, put->type, put->id, &old, err);
    if (r < 0 && r != ERR_NOT_FOUND)
        return r;
    return who->rules->may_put(who, txn->st, txn->sight, put, r < 0 ? NULL : &old, err);
}
