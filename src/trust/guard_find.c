/* guard_find.c - whom somebody may find by what identifies a person, without care and without
 * opening the record: subject to the person's word, and not without end.
 */
#include "trust/guard_int.h"

#include "base/clock.h"

static int ask(const struct view *view, struct store_txn *txn, const uint64_t *rows, size_t n,
               bool *ret, struct err *err)
{
    struct view as = *view;
    int r = 0;

    as.who.finds = true;
    for (size_t i = 0; i < n && r >= 0; i++) {
        struct row row;
        enum why why = WHY_NO_TYPE;

        r = store_get_row(txn, rows[i], &row, err);
        if (r >= 0)
            r = view_decide(&as, &row, &why, err);
        ret[i] = r >= 0 && why_permits(why);
    }
    return MIN(r, 0);
}

int guard_find(struct guard *g, const struct identity *who, struct store_txn *txn,
               const uint64_t *rows, size_t n, bool *ret, struct err *err)
{
    const struct sight *sight;
    int r = guard_look(g, who, store_position(txn), false, &sight, err);

    if (r < 0)
        return r;
    r = ask(sight->own, txn, rows, n, ret, err);
    guard_sight_done(sight);
    return r;
}

int guard_may_find(struct guard *g, const struct identity *who, struct err *err)
{
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    struct str name = who->kind == IDENTITY_CLIENT ? STR("system") : who->role;
    const struct policy_role *role;
    int r = guard_policy(g, &p, err);

    if (r < 0)
        return r;
    role = policy_role(p, name);
    if (!role || !role->finds)
        return err_set(err, ERR_FORBIDDEN, "the role finds nobody outside of their care");
    return quota_take(&g->finds, who->subject, p->finds_an_hour, clock_now_ms(), err);
}
