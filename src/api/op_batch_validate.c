/* op_batch_validate.c - $batch-validate-code: many questions of $validate-code in one call, as
 * validators ask them. Each parameter `validation` is a Parameters resource with the parameters of
 * one question; what stands beside them counts for all that do not say otherwise. The answer has a
 * `validation` for each, in their order: what $validate-code would have answered, or an
 * OperationOutcome.
 *
 * It is of the ecosystem of HL7's terminology servers, not of R4.
 */
#include "api/terms.h"

#include "fhir/outcome.h"

#define BATCH_VALIDATIONS_MAX 1000

static bool is_validation(const struct op_param *p)
{
    return str_eq(p->name, STR("validation"));
}

/* The parameters of one question, then those of all that it does not have itself. */
static int merge(struct call *c, const struct op_params *all, const struct op_param *one,
                 struct op_params *ret)
{
    struct op_param own = {.parts = js_get(one->value, "parameter")};
    struct op_params inner, p = {0};
    int r;

    if (!str_eq(js_get_str(one->value, "resourceType"), STR("Parameters")))
        return err_at(&c->err, ERR_VALUE, "Parameters.parameter",
                      "a \"validation\" is a Parameters resource");
    if ((r = op_parts_read(c, &own, &inner)) < 0)
        return r;
    p.v = ARENA_ARRAY(c->a, struct op_param, inner.n + all->n);
    if (!p.v)
        return err_no_memory(&c->err);
    for (size_t i = 0; i < inner.n; i++)
        p.v[p.n++] = inner.v[i];
    for (size_t i = 0; i < all->n; i++) {
        bool is_own = is_validation(&all->v[i]);
        for (size_t k = 0; k < inner.n && !is_own; k++)
            is_own = str_eq(inner.v[k].name, all->v[i].name);
        if (!is_own)
            p.v[p.n++] = all->v[i];
    }
    *ret = p;
    return 0;
}

static int ask(struct call *c, struct store_txn *txn, const struct op_params *p)
{
    _cleanup_(terms_call_done) struct terms_call t;
    int r = terms_call_with(&t, c, txn, p);

    return r < 0 ? r : terms_validate_code(&t);
}

/* What is wrong with one question is its answer; what is wrong with the node ends them all. */
static int answer(struct call *c, struct store_txn *txn, const struct op_params *all,
                  const struct op_param *one)
{
    size_t at = c->out.n;
    struct op_params p;
    int r = merge(c, all, one, &p);

    if (r >= 0)
        r = ask(c, txn, &p);
    if (r >= 0 || r == ERR_BUSY || err_http_status(r) >= 500)
        return r;
    c->out.n = at;
    outcome_err(&c->out, &c->err);
    c->err = (struct err){0};
    return 0;
}

int op_batch_validate(struct call *c, struct store_txn *txn)
{
    struct op_params all;
    size_t n = 0;
    int r = op_params_read(c, &all);

    if (r < 0)
        return r;
    sb_lit(&c->out, "{\"resourceType\":\"Parameters\",\"parameter\":[");
    for (size_t i = 0; i < all.n && r >= 0; i++) {
        if (!is_validation(&all.v[i]))
            continue;
        if (n == BATCH_VALIDATIONS_MAX)
            return err_set(&c->err, ERR_COSTLY, "a call may have %d validations",
                           BATCH_VALIDATIONS_MAX);
        sb_str(&c->out, n++ ? STR(",{\"name\":\"validation\",\"resource\":")
                            : STR("{\"name\":\"validation\",\"resource\":"));
        r = answer(c, txn, &all, &all.v[i]);
        sb_char(&c->out, '}');
    }
    if (r >= 0 && !n)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                      "the parameter \"validation\" is needed");
    sb_lit(&c->out, "]}");
    c->status = 200;
    return r < 0 ? r : sb_ok(&c->out, &c->err);
}
