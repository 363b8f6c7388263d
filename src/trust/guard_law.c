/* guard_law.c - who is a case of a disease that the law has reported: what stands in the place of
 * care for whoever sees cases.
 */
#include "trust/guard_int.h"

#include "fhir/validate.h"
#include "trust/law.h"

#define CODES_AT_ONCE 50 /* of one search */
#define QUERY_MAX KIB(64)

struct finding {
    struct guard *g;
    struct care *c;
    struct arena a; /* of one version */
    struct sb text;
};

static int add_case(struct finding *in, struct str patient, struct str id, uint64_t diseases,
                    struct err *err)
{
    struct str self = arena_fmt(&in->a, "Condition/%.*s", STR_ARG(id));
    void **because = self.p ? text_map_at(&in->c->because, self) : NULL;
    void **at = because ? text_map_at(&in->c->patients, patient) : NULL;

    if (!at)
        return err_no_memory(err);
    *because = in;
    *at = (void *)((uintptr_t)*at | (uintptr_t)diseases);
    return 0;
}

static int each_condition(void *ctx, const struct row *row, struct err *err)
{
    struct finding *in = ctx;
    struct str patient;
    yyjson_val *root;
    uint64_t diseases;
    int r;

    arena_reset(&in->a);
    sb_reset(&in->text);
    if ((r = row_json(in->g->store, row, &in->text, err)) < 0 || (r = sb_ok(&in->text, err)) < 0 ||
        (r = js_parse_stored(&in->a, sb_view(&in->text), &root, err)) < 0)
        return r;
    diseases = law_makes_case(in->g->policy, root);
    patient = facts_reference(js_get(root, "subject"));
    if (!diseases || !str_starts(patient, STR("Patient/")))
        return 0;
    return add_case(in, str_from(patient, 8), row->id, diseases, err);
}

int care_find_cases(struct guard *g, struct store_txn *txn, struct care *c, struct err *err)
{
    struct finding in = {.g = g, .c = c, .text = sb_make(STORE_BODY_MAX + KIB(1))};
    _cleanup_(sb_done) struct sb query = sb_make(QUERY_MAX);
    const struct text_map *law = &g->policy->law;
    size_t n = 0;
    int r = 0;

    c->is_by_law = true;
    arena_init(&in.a, STORE_BODY_MAX * 3);
    for (size_t i = 0; i < law->cap && r >= 0; i++) {
        if (law->v[i].key.p) {
            sb_str(&query, n++ ? STR(",") : STR("code="));
            sb_uri(&query, law->v[i].key);
        }
        if (n == CODES_AT_ONCE || (n && i + 1 == law->cap)) {
            r = sb_ok(&query, err);
            if (r >= 0)
                r = guard_each(g, txn, def_resource(STR("Condition")), sb_view(&query),
                               each_condition, &in, err);
            sb_reset(&query);
            n = 0;
        }
    }
    arena_done(&in.a);
    sb_done(&in.text);
    return MIN(r, 0);
}

void care_case(struct guard *g, struct str id, yyjson_val *root)
{
    bool makes = root && law_makes_case(g->policy, root);
    char self[FHIR_ID_MAX + 40];
    int n =
        snprintf(self, sizeof self, "Condition/%.*s", (int)MIN(id.n, (size_t)FHIR_ID_MAX), id.p);

    for (struct care *c = g->cares; c; c = c->next)
        if (c->is_by_law && (makes || text_map_get(&c->because, str_n(self, (size_t)n))))
            c->is_stale = true;
}
