/* op_conformance.c - $conformance: what share of what was received fell short, by sender and by
 * rule, as a MeasureReport. An operation of ours.
 */
#include "api/conformance.h"
#include "api/op.h"

int op_conformance(struct call *c, struct store_txn *txn)
{
    (void)txn;
    c->status = 200;
    return conformance_report(c->api->conformance, &c->out, &c->err);
}
