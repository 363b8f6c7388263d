/* guard_own.c - who is who asks, and for whom they act. A Patient's account says it itself; of a
 * Person's it is told by its links, which change.
 */
#include "trust/guard_int.h"

#include "trust/trust.h"

#include <stdlib.h>

static int id_cmp(const void *x, const void *y)
{
    const struct str *a = x, *b = y;

    return str_cmp(*a, *b);
}

/* Who asks before the others, who are in order. */
static int list_people(const struct care *c, struct arena *a, struct str_list *ret, struct err *err)
{
    struct str_list of = {ARENA_ARRAY(a, struct str, c->patients.n + 1), 0};
    size_t n_own = c->own.n > 0;

    if (!of.v)
        return err_no_memory(err);
    of.n = n_own;
    of.v[0] = c->own;
    for (size_t i = 0; i < c->patients.cap; i++)
        if (c->patients.v[i].key.p && !str_eq(c->patients.v[i].key, c->own))
            of.v[of.n++] = c->patients.v[i].key;
    qsort(of.v + n_own, of.n - n_own, sizeof *of.v, id_cmp);
    for (size_t i = 0; i < of.n; i++)
        if (!(of.v[i] = arena_dup(a, of.v[i])).p)
            return err_no_memory(err);
    *ret = of;
    return 0;
}

int guard_people(struct guard *g, const struct identity *who, struct store_txn *txn,
                 struct arena *a, struct str_list *ret, struct err *err)
{
    const struct sight *sight = NULL;
    const struct view *v;
    int r = 0;

    *ret = (struct str_list){.n = 0};
    if (!decide_is_proxy(who->fhir_user))
        return 0;
    if ((r = guard_look(g, who, store_position(txn), false, &sight, err)) < 0)
        return r;
    v = sight->own;
    if (v->care)
        r = list_people(v->care, a, ret, err);
    guard_sight_done(sight);
    return r;
}

int guard_own_patient(struct guard *g, const struct identity *who, struct arena *a, struct str *ret,
                      struct err *err)
{
    struct access system = trust_system();
    const struct sight *sight = NULL;
    struct store_txn *txn = NULL;
    const struct view *v;
    int r;

    *ret = STR("");
    if (str_starts(who->fhir_user, STR("Patient/")))
        *ret = str_from(who->fhir_user, 8);
    if (!g || !str_starts(who->fhir_user, STR("Person/")))
        return 0;
    if ((r = store_begin(g->store, &system, &txn, err)) < 0)
        return r;
    r = guard_look(g, who, store_position(txn), false, &sight, err);
    store_end(txn);
    if (r < 0)
        return r;
    v = sight->own;
    if (v->who.own.n && !(*ret = arena_dup(a, v->who.own)).p)
        r = err_no_memory(err);
    guard_sight_done(sight);
    return r;
}
