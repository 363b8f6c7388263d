/* op_signals.c - /carnet/$signals and /carnet/$outbreaks: the Tasks that are signals, or declared
 * outbreaks, the newest first, as a Bundle. Read as the node, for roles that may see counts: the
 * Tasks of others are none of theirs.
 */
#include "api/surveil.h"

#include "api/trail.h"
#include "surveillance/signals.h"

#include <inttypes.h>

#define SIGNALS_PAGE_MAX 1000
#define SIGNALS_PAGE 100

static int take_query(struct call *c, const char *code, struct sb *query)
{
    struct op_params params;
    uint64_t count;
    int r = op_params_read(c, &params);

    if (r >= 0)
        r = op_params_only(c, &params, "count status since");
    if (r >= 0)
        r = op_param_u64(c, &params, "count", SIGNALS_PAGE_MAX, SIGNALS_PAGE, &count);
    if (r < 0)
        return r;
    sb_fmt(query, "code=" SIGNAL_SYSTEM "%%7C%s&_sort=-authored-on,-_id&_count=%" PRIu64, code,
           count);
    if (op_param_text(&params, "status").n) {
        sb_lit(query, "&status=");
        sb_uri(query, op_param_text(&params, "status"));
    }
    if (op_param_text(&params, "since").n) {
        sb_lit(query, "&_lastUpdated=ge");
        sb_uri(query, op_param_text(&params, "since"));
    }
    return sb_ok(query, &c->err);
}

static int write_page(struct call *c, struct store_txn *txn, const struct page *page)
{
    int r = 0;

    sb_fmt(&c->out, "{\"resourceType\":\"Bundle\",\"type\":\"collection\"%s",
           page->n ? ",\"entry\":[" : "");
    for (size_t i = 0; i < page->n && r >= 0; i++) {
        struct row row;

        r = store_get_row(txn, page->rows[i], &row, &c->err);
        if (r < 0)
            break;
        sb_str(&c->out, i ? STR(",{\"fullUrl\":\"") : STR("{\"fullUrl\":\""));
        sb_fmt(&c->out, "%.*s/Task/%.*s\",\"resource\":", STR_ARG(c->base), STR_ARG(row.id));
        r = row_json(c->api->store, &row, &c->out, &c->err);
        sb_char(&c->out, '}');
    }
    sb_str(&c->out, page->n ? STR("]}") : STR("}"));
    return r;
}

static int list(struct call *c, const char *code)
{
    _cleanup_(sb_done) struct sb query = sb_make(KIB(4));
    _cleanup_(store_txn_endp) struct store_txn *own = NULL;
    struct access node = trust_system();
    struct page page;
    int r = surveil_begin(c, SURVEIL_COUNTS);

    if (r >= 0)
        r = take_query(c, code, &query);
    if (r >= 0)
        r = store_begin(c->api->store, &node, &own, &c->err);
    if (r >= 0)
        r = op_search(c, own, def_resource(STR("Task")), sb_view(&query), 1, &page);
    if (r >= 0)
        r = write_page(c, own, &page);
    c->status = 200;
    return r < 0 ? r : sb_ok(&c->out, &c->err);
}

int op_signals(struct call *c, struct store_txn *txn)
{
    (void)txn;
    return list(c, "signal");
}

int op_outbreaks(struct call *c, struct store_txn *txn)
{
    (void)txn;
    return list(c, "outbreak");
}
