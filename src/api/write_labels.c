#include "api/write_labels.h"

#include "trust/label_age.h"
#include "trust/policy_book.h"

static int apply(struct write *w, const struct policy *p)
{
    uint64_t rules = label_rules(p, w->root);

    w->labelled_by = p->number;
    w->rules_by_age = label_by_age(p, rules);
    return label_set(w->call->a, p, rules & ~w->rules_by_age, false, w->root, &w->root,
                     &w->call->err);
}

int write_labels(struct write *w)
{
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    int r = policy_book_get(w->call->api->book, &p, &w->call->err);

    return r < 0 ? r : apply(w, p);
}

int write_labels_now(struct write *w, struct store_txn *txn)
{
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    struct call *c = w->call;
    uint64_t rules = 0;
    int r = policy_book_get(c->api->book, &p, &c->err), changed = 0;

    if (r >= 0 && p->number != w->labelled_by)
        changed = r = apply(w, p);
    if (r < 0 || !w->rules_by_age)
        return r < 0 ? r : changed;
    r = label_for_age(txn, c->api->store, c->a, p, c->params, w->type, w->root, w->rules_by_age,
                      &rules, &c->err);
    if (r >= 0)
        r = label_set(c->a, p, rules, false, w->root, &w->root, &c->err);
    return r < 0 ? r : changed || r;
}
