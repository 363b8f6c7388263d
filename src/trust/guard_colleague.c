/* guard_colleague.c - who works where, as far as one account may speak for another. */
#include "trust/guard_int.h"

static bool is_organisation(struct str ref)
{
    return str_starts(ref, STR("Organization/"));
}

int guard_works_for(struct guard *g, const struct identity *who, struct store_txn *txn,
                    struct str organisation, bool *ret, struct err *err)
{
    const struct sight *sight;
    int r = guard_look(g, who, store_position(txn), false, &sight, err);
    const struct view *v;

    if (r < 0)
        return r;
    v = sight->own;
    *ret = v->care && is_organisation(organisation) &&
           text_map_get(&v->care->below, organisation) != NULL;
    guard_sight_done(sight);
    return 0;
}

int guard_are_colleagues(struct guard *g, const struct identity *who, struct store_txn *txn,
                         struct str user, bool *ret, struct err *err)
{
    const struct sight *one = NULL, *other = NULL;
    struct identity as = *who;
    int r = guard_look(g, who, store_position(txn), false, &one, err);

    as.fhir_user = user;
    as.subject = STR("");
    as.purpose = STR("");
    if (r >= 0)
        r = guard_look(g, &as, store_position(txn), false, &other, err);
    *ret = false;
    if (r >= 0) {
        const struct view *a = one->own, *b = other->own;

        for (size_t i = 0; a->care && b->care && i < a->care->below.cap && !*ret; i++) {
            struct str ref = a->care->below.v[i].key;

            *ret = ref.p && is_organisation(ref) && text_map_get(&b->care->below, ref);
        }
    }
    if (one)
        guard_sight_done(one);
    if (other)
        guard_sight_done(other);
    return MIN(r, 0);
}
