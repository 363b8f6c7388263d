#include "store/sqlite/sq_int.h"

int sq_search(struct store_txn *txn, const struct search *s, size_t budget, struct arena *a,
              struct page *ret, struct err *err)
{
    (void)txn;
    (void)s;
    (void)budget;
    (void)a;
    (void)ret;
    return err_set(err, ERR_NOT_SUPPORTED, "searching is not possible");
}

int sq_referrers(struct store_txn *txn, const struct param *param, int type, struct str id,
                 size_t max, struct arena *a, struct page *ret, struct err *err)
{
    (void)txn;
    (void)param;
    (void)type;
    (void)id;
    (void)max;
    (void)a;
    (void)ret;
    return err_set(err, ERR_NOT_SUPPORTED, "searching is not possible");
}
