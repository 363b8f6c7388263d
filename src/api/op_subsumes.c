/* op_subsumes.c - CodeSystem/$subsumes: which of two codes is above the other
 * (codesystem-operation-subsumes.html).
 */
#include "api/terms.h"

/* Both sides; they must be of one system. */
static int read_sides(struct terms_call *t, struct coding *a, struct coding *b)
{
    struct call *c = t->c;
    yyjson_val *resource;
    int r = 0;

    if ((r = terms_call_coding(t, "codingA", "codeA", a)) < 0 ||
        (r = terms_call_coding(t, "codingB", "codeB", b)) < 0)
        return r;
    if (c->id.n) {
        if ((r = terms_call_instance(t, &resource)) < 0)
            return r;
        a->system = b->system = js_get_str(resource, "url");
        a->version = b->version = js_get_str(resource, "version");
    }
    if (!a->system.n)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                      "the parameter \"system\" is needed");
    if (!str_eq(a->system, b->system))
        return err_set(&c->err, ERR_INVALID, "the two codes are of different code systems");
    return 0;
}

int op_subsumes(struct call *c, struct store_txn *txn)
{
    _cleanup_(terms_call_done) struct terms_call t;
    struct coding a, b;
    struct cs *cs;
    uint32_t i, k;
    int r = terms_call_begin(&t, c, txn);

    if (r < 0 || (r = read_sides(&t, &a, &b)) < 0 ||
        (r = terms_code_system(&t.s, a.system, a.version, &cs, &c->err)) < 0)
        return r;
    if (!cs)
        return terms_call_no_system(&t, a.system, a.version);
    if ((i = cs_find(cs, a.code)) == CS_NONE)
        return terms_call_no_code(&t, cs, a.code, NULL);
    if ((k = cs_find(cs, b.code)) == CS_NONE)
        return terms_call_no_code(&t, cs, b.code, NULL);
    terms_out_begin(&t);
    terms_out_text(&t, "outcome", "valueCode",
                   i == k              ? STR("equivalent")
                   : cs_is_a(cs, k, i) ? STR("subsumes")
                   : cs_is_a(cs, i, k) ? STR("subsumed-by")
                                       : STR("not-subsumed"));
    return terms_out_end(&t);
}
