/* import.c - the same interactions without HTTP: whole Bundles, and many resources in one commit.
 */
#include "api/bundle.h"

#include <stdlib.h>

static struct call inner_call(struct api *api, struct arena *a, struct access who)
{
    return (struct call){.api = api,
                         .a = a,
                         .who = who,
                         .base = api->config.base_url,
                         .prefer = RETURN_MINIMAL,
                         .out = sb_make(API_REPLY_MAX)};
}

static struct api_rule broken_rule(const struct call *c)
{
    const struct issue *first = issues_first_error(&c->issues);

    return first ? (struct api_rule){first->profile, first->rule} : (struct api_rule){0};
}

/* A batch has no transaction of its own, so that the position follows in one right behind it. */
struct also_job {
    struct store_job job;
    api_also *also;
    void *ctx;
};

static int also_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct also_job *aj = (struct also_job *)job;

    return aj->also(aj->ctx, txn, err);
}

int api_bundle(struct api *api, struct arena *a, struct access who, struct str body, api_also *also,
               void *ctx, size_t *ret_failed, struct api_rule *ret_broken, struct err *err)
{
    struct call c = inner_call(api, a, who);
    struct bundle b = {.call = &c, .also = also, .also_ctx = ctx};
    int r;

    c.body = body;
    c.params = store_params(api->store);
    r = bundle_run(&b);
    if (r >= 0 && !b.is_transaction && also) {
        struct also_job aj = {.job = {.run = also_run, .who = &c.who}, .also = also, .ctx = ctx};
        r = store_write(api->store, &aj.job, &c.err);
    }
    *ret_failed = 0;
    for (size_t i = 0; r >= 0 && i < b.n; i++)
        if (b.entries[i].result < 0 && (*ret_failed)++ == 0)
            bundle_entry_failed(&b, &b.entries[i]);
    if (err)
        *err = c.err;
    if (ret_broken)
        *ret_broken = broken_rule(&c);
    bundle_done(&b);
    sb_done(&c.out);
    params_unref(c.params);
    return r < 0 ? r : 0;
}

struct item {
    struct call call;
    struct write write;
    struct api_line *line;
};

struct lines_job {
    struct store_job job;
    struct item *items;
    size_t n;
    struct item *culprit; /* whose write failed: the next try leaves it out */
    api_also *also;
    void *ctx;
};

/* Ids that come with their lines may be there. */
static int foresee(struct store_txn *txn, const struct lines_job *lj, struct err *err)
{
    struct store_id *ids = calloc(MAX(lj->n, (size_t)1), sizeof *ids);
    size_t n = 0;
    int r;

    if (!ids)
        return err_no_memory(err);
    for (size_t i = 0; i < lj->n; i++) {
        const struct write *w = &lj->items[i].write;

        if (lj->items[i].line->result >= 0 && !w->has_new_id)
            ids[n++] = (struct store_id){w->type, w->id};
    }
    r = store_foresee(txn, ids, n, err);
    free(ids);
    return r;
}

static int lines_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct lines_job *lj = (struct lines_job *)job;
    int r = foresee(txn, lj, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < lj->n; i++) {
        struct item *item = &lj->items[i];
        r = item->line->result < 0 ? 0 : write_apply(&item->write, txn);
        if (r < 0) {
            lj->culprit = item;
            *err = item->call.err;
            return r;
        }
    }
    return lj->also ? lj->also(lj->ctx, txn, err) : 0;
}

static int prepare_line(struct item *item)
{
    struct call *c = &item->call;
    struct str type;
    int r = js_parse(c->a, item->line->text, &c->resource, &c->err);

    if (r < 0)
        return r;
    type = js_get_str(c->resource, "resourceType");
    c->type = def_resource(type);
    if (!c->type)
        return err_at(&c->err, ERR_INVALID, "resourceType",
                      "\"%.*s\" is not a FHIR R4 resource type", (int)MIN(type.n, 64u),
                      type.n ? type.p : "");
    c->id = js_get_str(c->resource, "id");
    r = write_init(&item->write, c, c->id.n ? WRITE_UPDATE : WRITE_CREATE);
    return r < 0 ? r : write_prepare(&item->write);
}

static int put_lines(struct api *api, struct arena *a, struct access who, bool is_held,
                     struct api_line *lines, size_t n, api_also *also, void *ctx, struct err *err)
{
    struct params *params = store_params(api->store);
    struct item *items = ARENA_ARRAY(a, struct item, n);
    struct lines_job lj = {.job = {.run = lines_run, .who = &who, .weight = n},
                           .items = items,
                           .n = n,
                           .also = also,
                           .ctx = ctx};
    int r = items ? 0 : err_no_memory(err);

    for (size_t i = 0; r >= 0 && i < n; i++) {
        items[i].call = inner_call(api, a, who);
        items[i].call.params = params;
        items[i].call.is_not_held = !is_held;
        items[i].line = &lines[i];
        lines[i].result = prepare_line(&items[i]);
        lines[i].err = items[i].call.err;
        lines[i].broken = broken_rule(&items[i].call);
    }
    while (r >= 0) {
        lj.culprit = NULL;
        r = store_write(api->store, &lj.job, err);
        if (r >= 0 || !lj.culprit || err_http_status(r) >= 500)
            break;
        lj.culprit->line->result = r;
        lj.culprit->line->err = lj.culprit->call.err;
        r = 0;
    }
    for (size_t i = 0; items && i < n; i++)
        write_done(&items[i].write);
    params_unref(params);
    return r < 0 ? r : 0;
}

int api_put_lines(struct api *api, struct arena *a, struct access who, struct api_line *lines,
                  size_t n, api_also *also, void *ctx, struct err *err)
{
    return put_lines(api, a, who, true, lines, n, also, ctx, err);
}

int api_put_definitions(struct api *api, struct arena *a, struct access who, struct api_line *lines,
                        size_t n, api_also *also, void *ctx, struct err *err)
{
    return put_lines(api, a, who, false, lines, n, also, ctx, err);
}

int api_put_own(struct api *api, struct arena *a, struct access node, struct str text,
                api_also *also, void *ctx, struct err *err)
{
    struct api_line line = {.text = text};
    int r = api_put_definitions(api, a, node, &line, 1, also, ctx, err);

    if (r < 0 || line.result >= 0)
        return r;
    *err = line.err;
    return line.result;
}
