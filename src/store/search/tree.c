/* tree.c - AND and OR of clauses, as deep as a _filter nests them.
 *
 * An OR gives candidates when all its parts do: the union. An AND gives them when one part does;
 * the others then test each.
 */
#include "store/search/search_int.h"

/* Leaves out of an OR what finds nothing for certain; one part that is left is the whole, unless it
 * would have to be negated, which only the body of the part itself could say. */
static void prune(struct clause *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_subs; i++) {
        const struct clause *sub = &c->subs[i];

        if (sub->how != HOW_SET || sub->set.n || sub->set.bits || sub->negate)
            c->subs[n++] = *sub;
    }
    c->n_subs = n;
    if (n == 1 && !c->negate)
        *c = c->subs[0];
}

int tree_prepare(struct exec *x, struct clause *c, struct err *err)
{
    int r = 0;

    c->how = HOW_TREE;
    c->names_type = true;
    c->n_subs = c->of->n_subs;
    c->subs = ARENA_ARRAY(x->tmp, struct clause, c->n_subs);
    if (!c->subs)
        return err_no_memory(err);
    for (size_t i = 0; i < c->n_subs && r == 0; i++) {
        r = clause_prepare(x, &c->of->subs[i], true, &c->subs[i], err);
        c->names_type &= c->subs[i].names_type;
    }
    if (r == 0 && c->of->kind == CLAUSE_ANY)
        prune(c);
    return r;
}

bool tree_may_drive(const struct clause *c)
{
    bool all = c->of->kind == CLAUSE_ANY;

    for (size_t i = 0; i < c->n_subs; i++)
        if (clause_may_drive(&c->subs[i]) != all)
            return !all;
    return all;
}

static int collect_any(struct exec *x, struct clause *c, size_t limit, struct err *err)
{
    struct rowset all = {0};
    size_t seen = 0;

    for (size_t i = 0; i < c->n_subs; i++) {
        struct clause *sub = &c->subs[i];
        int r = clause_collect(x, sub, limit ? limit - seen : 0, err);

        if (r <= 0)
            return r;
        c->lossy |= sub->lossy;
        for (uint64_t row = 1; (row = rowset_seek(&sub->set, row, false)); row++, seen++)
            if ((r = rowset_add(&all, x->tmp, row, x->newest, err)) < 0)
                return r;
        if ((r = exec_charge(x, seen + 1, err)) < 0)
            return r;
        if (limit && seen >= limit)
            return 0;
    }
    rowset_sort(&all);
    c->set = all;
    return 1;
}

/* The part that ends first gives the candidates. */
static int collect_all(struct exec *x, struct clause *c, size_t limit, struct err *err)
{
    struct rowset found = {0};
    struct clause *by = NULL;
    uint64_t row = 1;

    for (size_t i = 0; i < c->n_subs && !by; i++) {
        int r = clause_may_drive(&c->subs[i]) ? clause_collect(x, &c->subs[i], limit, err) : 0;

        if (r < 0)
            return r;
        if (r > 0)
            by = &c->subs[i];
    }
    for (; by && (row = rowset_seek(&by->set, row, false)); row++) {
        bool in;
        int r = tree_test(x, c, row, &in, err);

        if (r < 0 || (r = exec_charge(x, 1, err)) < 0 ||
            (in && (r = rowset_add(&found, x->tmp, row, x->newest, err)) < 0))
            return r;
    }
    if (!by)
        return 0;
    rowset_sort(&found);
    c->set = found;
    return 1;
}

int tree_collect(struct exec *x, struct clause *c, size_t limit, struct err *err)
{
    int r;

    if (!tree_may_drive(c))
        return 0;
    r = c->of->kind == CLAUSE_ANY ? collect_any(x, c, limit, err) : collect_all(x, c, limit, err);
    if (r > 0)
        c->how = HOW_SET;
    return r;
}

int tree_test(struct exec *x, struct clause *c, uint64_t row, bool *ret, struct err *err)
{
    const struct clause *better = x->better;
    bool any = c->of->kind == CLAUSE_ANY, in = !any;
    int r = 0;

    for (size_t i = 0; i < c->n_subs && r == 0 && in != any; i++)
        r = clause_test(x, &c->subs[i], row, &in, NULL, err);
    x->better = better; /* a part is no driver of the whole */
    *ret = in;
    return r;
}
