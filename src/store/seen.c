/* seen.c - between the face and a backend, for those who may not see everything: what they may not
 * see is as if it did not exist.
 */
#include "store/store_int.h"

#include "fhir/validate.h"

#include <stdlib.h>

#define BEFORE_PAGE 4 /* versions asked for at once to find the one that was deleted */

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
    free(txn->gone);
    txn->gone = NULL;
    txn->n_gone = txn->cap_gone = 0;
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

/* ---- deletions ---- */

static bool is_known_gone(const struct store_txn *txn, uint64_t row)
{
    for (size_t i = 0; i < txn->n_gone; i++)
        if (txn->gone[i] == row)
            return true;
    return false;
}

static int know_gone(struct store_txn *txn, uint64_t row, struct err *err)
{
    if (txn->n_gone == txn->cap_gone) {
        size_t cap = MAX(txn->cap_gone * 2, (size_t)16);
        uint64_t *more = realloc(txn->gone, cap * sizeof *more);

        if (!more)
            return err_no_memory(err);
        txn->gone = more;
        txn->cap_gone = cap;
    }
    txn->gone[txn->n_gone++] = row;
    return 1;
}

/* The version that was deleted; *ret 0: it is there no more. */
static int version_before(struct store_txn *txn, int type, struct str id, uint64_t deletion,
                          uint64_t *ret, struct err *err)
{
    struct history_query q = {.type = type, .id = id, .count = BEFORE_PAGE};
    struct arena a;
    int r;

    *ret = 0;
    arena_init(&a, MIB(1));
    do {
        struct page page;

        r = txn->st->ops->history(txn, &q, &a, &page, err);
        for (size_t i = 0; r >= 0 && i < page.n && !*ret; i++)
            if (page.rows[i] < deletion)
                *ret = page.rows[i];
        q.cursor = r >= 0 ? page.next : STR_NULL;
    } while (r >= 0 && !*ret && q.cursor.p);
    arena_done(&a);
    return MIN(r, 0);
}

/* That something was deleted is for those to know who would see it. Texts of `row` are no good any
 * more. */
static int may_see_gone(struct store_txn *txn, const struct row *row, struct err *err)
{
    char own[FHIR_ID_MAX + 1];
    struct str id = str_n(own, MIN(row->id.n, (size_t)FHIR_ID_MAX));
    uint64_t deletion = row->row, before;
    struct row was;
    int r = may_see(txn, row, err);

    if (r != 0)
        return r;
    if (is_known_gone(txn, deletion))
        return 1;
    memcpy(own, row->id.p, id.n);
    if ((r = version_before(txn, row->type, id, deletion, &before, err)) < 0 || !before)
        return r;
    r = txn->st->ops->get_row(txn, before, &was, err);
    if (r < 0 || was.method == METHOD_DELETE)
        return r == ERR_NOT_FOUND ? 0 : MIN(r, 0);
    r = may_see(txn, &was, err);
    return r <= 0 ? r : know_gone(txn, deletion, err);
}

/* Texts of `row` may be no good any more. */
static int may_see_any(struct store_txn *txn, const struct row *row, struct err *err)
{
    return row->method == METHOD_DELETE ? may_see_gone(txn, row, err) : may_see(txn, row, err);
}

int seen_row(struct store_txn *txn, int r, int type, struct str id, struct row *row,
             struct err *err)
{
    uint64_t number;
    int sees;

    if (r < 0 || !seen_is_bounded(txn))
        return r;
    number = row->method == METHOD_DELETE ? row->row : 0;
    sees = may_see_any(txn, row, err);
    if (sees < 0)
        return sees;
    if (sees > 0)
        return number ? txn->st->ops->get_row(txn, number, row, err) : 0;
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

    /* The page that a deletion stands on was looked at (seen_page). */
    if (r == 0 && row->method == METHOD_DELETE)
        r = is_known_gone(e->txn, row->row);

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

        if (r < 0 || (r = may_see_any(txn, &row, err)) < 0)
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
