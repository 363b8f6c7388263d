#include "trust/label_age.h"

#include "base/clock.h"
#include "trust/facts.h"

#define BODY_ARENA_MAX (STORE_BODY_MAX * 3)

/* "" where it is not known. */
static int date_of_birth(struct store_txn *txn, struct store *store, struct arena *a,
                         struct str patient, struct str *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    struct row row;
    yyjson_val *root;
    struct arena own;
    int r = store_get(txn, def_compartment_type(COMPARTMENT_PATIENT), patient, &row, err);

    *ret = STR("");
    if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE))
        return 0;
    if (r < 0 || (r = row_json(store, &row, &text, err)) < 0)
        return r;
    arena_init(&own, BODY_ARENA_MAX);
    r = js_parse_stored(&own, sb_view(&text), &root, err);
    if (r >= 0 && js_get_str(root, "birthDate").n &&
        !(*ret = arena_dup(a, js_get_str(root, "birthDate"))).p)
        r = err_no_memory(err);
    arena_done(&own);
    return MIN(r, 0);
}

int label_for_age(struct store_txn *txn, struct store *store, struct arena *a,
                  const struct policy *p, const struct params *params, int type, yyjson_val *root,
                  uint64_t rules, uint64_t *ret, struct err *err)
{
    int64_t at_ms, to_ms;
    struct facts f;
    int r = facts_of(a, p, params, store_index_options(store), type, root, FACTS_OLD, &f, err);

    if (r < 0)
        return r;
    if (!facts_period(&f, &at_ms, &to_ms) || at_ms == INT64_MIN)
        at_ms = clock_now_ms();
    *ret = f.has_more ? rules : 0;
    for (size_t i = 0; i < f.n_patients && r >= 0; i++) {
        struct str born;

        r = date_of_birth(txn, store, a, f.patients[i], &born, err);
        if (r >= 0)
            *ret |= label_at(p, rules, born, at_ms);
    }
    return MIN(r, 0);
}
