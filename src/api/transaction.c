/* transaction.c - all or nothing: identities, links, then the writes in order (http.html#trules).
 */
#include "api/bundle.h"
#include "api/refs.h"

/* Where the links of the Bundle lead: a fullUrl or a conditional reference to "Type/id". */
struct target {
    struct str from, to;
};

struct targets {
    struct target *slots;
    size_t mask, n;
};

struct transaction {
    struct store_job job;
    struct bundle *b;
    struct targets targets;
    bool late; /* has conditions: identities are known only on the writer */
    struct waiter waiter;
    int result;
};

/* ---- the table of targets ---- */

static struct target *slot(struct targets *t, struct str from)
{
    size_t at = str_hash(from) & t->mask;

    while (t->slots[at].from.p && !str_eq(t->slots[at].from, from))
        at = (at + 1) & t->mask;
    return &t->slots[at];
}

static int targets_grow(struct targets *t, struct arena *a, size_t for_n, struct err *err)
{
    struct targets bigger = {.mask = 63};

    while (bigger.mask < for_n * 2)
        bigger.mask = bigger.mask * 2 + 1;
    bigger.slots = ARENA_ARRAY(a, struct target, bigger.mask + 1);
    if (!bigger.slots)
        return err_no_memory(err);
    for (size_t i = 0; t->slots && i <= t->mask; i++)
        if (t->slots[i].from.p)
            *slot(&bigger, t->slots[i].from) = t->slots[i];
    bigger.n = t->n;
    *t = bigger;
    return 0;
}

static int targets_put(struct targets *t, struct arena *a, struct str from, struct str to,
                       struct err *err)
{
    struct target *s;
    int r;

    if (t->n * 2 >= t->mask && (r = targets_grow(t, a, t->n + 1, err)) < 0)
        return r;
    s = slot(t, from);
    if (!s->from.p)
        t->n++;
    *s = (struct target){from, to};
    return 0;
}

static struct str targets_get(struct targets *t, struct str from)
{
    return t->n ? slot(t, from)->to : STR_NULL;
}

/* ---- links ---- */

struct link_ctx {
    struct transaction *t;
    struct entry *e;
    struct store_txn *txn; /* NULL: conditional references cannot be answered yet */
};

static int search_reference(struct link_ctx *x, struct str text, struct str *ret)
{
    struct call *c = &x->e->call;
    ptrdiff_t mark = str_find(text, '?');
    int type = def_resource(str_head(text, (size_t)mark));
    struct search_options opt = {
        .index = *store_index_options(c->api->store), .world = c->api->world, .strict = true};
    struct search s;
    struct page page;
    struct row row;
    int r;

    if (!type)
        return err_set(&c->err, ERR_INVALID, "\"%.*s\" is no conditional reference",
                       (int)MIN(text.n, 200u), text.p);
    r = search_parse(c->a, c->params, &opt, type, str_from(text, (size_t)mark + 1), &s, &c->err);
    if (r < 0)
        return r;
    s.count = 2;
    s.total = TOTAL_NONE;
    r = store_search(x->txn, &s, 0, c->a, &page, &c->err);
    if (r < 0)
        return r;
    if (page.n != 1)
        return err_set(&c->err, ERR_MULTIPLE, "the conditional reference \"%.*s\" matches %s",
                       (int)MIN(text.n, 200u), text.p,
                       page.n ? "more than one resource" : "nothing");
    r = store_get_row(x->txn, page.rows[0], &row, &c->err);
    if (r < 0)
        return r;
    *ret = call_url(c, row.type, row.id, NULL);
    return ret->p ? 0 : err_no_memory(&c->err);
}

/* A relative reference is read against the base of its entry's fullUrl (bundle.html#references). */
static struct str against_full_url(struct link_ctx *x, struct str text)
{
    struct str base = x->e->full_url;
    struct call *c = &x->e->call;

    if (!str_starts(base, STR("http")) || str_find(text, ':') >= 0)
        return STR_NULL;
    for (int i = 0; i < 2; i++) {
        ptrdiff_t at = str_rfind(base, '/');
        if (at < 0)
            return STR_NULL;
        base = str_head(base, (size_t)at);
    }
    text = arena_fmt(c->a, "%.*s/%.*s", STR_ARG(base), STR_ARG(text));
    return text.p ? targets_get(&x->t->targets, text) : STR_NULL;
}

static int follow_reference(struct link_ctx *x, yyjson_val *v)
{
    struct call *c = &x->e->call;
    struct str text = js_str(v), to = targets_get(&x->t->targets, text);
    int r;

    if (!to.p && str_find(text, '?') > 0 &&
        def_resource(str_head(text, (size_t)str_find(text, '?')))) {
        if (!x->txn) {
            x->t->late = true;
            return 0;
        }
        r = search_reference(x, text, &to);
        if (r < 0)
            return r;
        r = targets_put(&x->t->targets, c->a, text, to, &c->err);
        if (r < 0)
            return r;
    }
    if (!to.p)
        to = against_full_url(x, text);
    if (to.p)
        yyjson_set_strn(v, to.p, to.n);
    else if (str_starts(text, STR("urn:uuid:")) || str_starts(text, STR("urn:oid:")))
        return err_set(&c->err, ERR_INVALID,
                       "the reference \"%.*s\" leads to no entry of the Bundle",
                       (int)MIN(text.n, 200u), text.p);
    return 0;
}

/* href="urn:uuid:…" and src="…" in a narrative. */
static int follow_narrative(struct link_ctx *x, yyjson_val *v)
{
    struct call *c = &x->e->call;
    struct str text = js_str(v);
    _cleanup_(sb_done) struct sb out = sb_make(text.n * 4 + KIB(1));
    size_t from = 0;

    if (!memmem(text.p, text.n, "=\"", 2))
        return 0;
    for (size_t i = 0; i + 1 < text.n; i++) {
        struct str link, to;
        ptrdiff_t end;
        if (text.p[i] != '=' || text.p[i + 1] != '"')
            continue;
        end = str_find(str_from(text, i + 2), '"');
        if (end < 0)
            break;
        link = str_n(text.p + i + 2, (size_t)end);
        to = targets_get(&x->t->targets, link);
        if (!to.p)
            continue;
        sb_put(&out, text.p + from, i + 2 - from);
        sb_str(&out, to);
        from = i + 2 + link.n;
    }
    if (!from)
        return 0;
    sb_str(&out, str_from(text, from));
    if (sb_ok(&out, &c->err) < 0)
        return c->err.code;
    text = arena_dup(c->a, sb_view(&out));
    if (!text.p)
        return err_no_memory(&c->err);
    yyjson_set_strn(v, text.p, text.n);
    return 0;
}

static int follow(void *ctx, enum link_kind kind, yyjson_val *v)
{
    struct link_ctx *x = ctx;
    struct str to;

    switch (kind) {
    case LINK_REFERENCE: return follow_reference(x, v);
    case LINK_NARRATIVE: return follow_narrative(x, v);
    case LINK_URI: break;
    }
    to = targets_get(&x->t->targets, js_str(v));
    if (to.p)
        yyjson_set_strn(v, to.p, to.n);
    return 0;
}

static int follow_all(struct transaction *t, struct store_txn *txn)
{
    for (size_t i = 0; i < t->b->n; i++) {
        struct entry *e = &t->b->entries[i];
        struct link_ctx x = {t, e, txn};
        if (!e->is_write || !e->call.resource || e->write.exists)
            continue;
        e->result = links_each(e->call.resource, follow, &x);
        if (e->result < 0)
            return bundle_entry_failed(t->b, e);
    }
    return 0;
}

/* ---- identities ---- */

/* Entry e has its id: its fullUrl leads there from now on, and no other entry may write it. */
static int take_identity(struct transaction *t, struct entry *e)
{
    struct call *c = &e->call;
    struct str url = call_url(c, e->write.type, e->write.id, NULL);
    struct str mine = arena_fmt(c->a, " %.*s", STR_ARG(url)); /* no link starts with a blank */

    if (!url.p || !mine.p)
        return err_no_memory(&c->err);
    if (targets_get(&t->targets, mine).p && !e->write.exists)
        return err_set(&c->err, ERR_INVALID, "two entries of the transaction write %.*s",
                       STR_ARG(url));
    e->result = targets_put(&t->targets, c->a, mine, url, &c->err);
    if (e->result >= 0 && e->full_url.n)
        e->result = targets_put(&t->targets, c->a, e->full_url, url, &c->err);
    return e->result;
}

/* Two conditional creates with the same condition are one. */
static struct entry *same_condition(struct transaction *t, struct entry *e)
{
    for (struct entry *f = t->b->entries; f < e; f++)
        if (f->is_write && f->write.kind == WRITE_CREATE && f->write.type == e->write.type &&
            f->write.conditional && str_eq(f->call.if_none_exist, e->call.if_none_exist))
            return f;
    return NULL;
}

static int settle_entry(struct transaction *t, struct entry *e, struct store_txn *txn)
{
    struct write *w = &e->write;
    struct entry *first;
    int r;

    if (w->kind == WRITE_DELETE && w->conditional)
        return 0;
    w->body = e->call.resource;
    first = w->conditional && w->kind == WRITE_CREATE ? same_condition(t, e) : NULL;
    if (first) {
        w->id = first->write.id;
        w->exists = w->settled = true;
        w->twin = &first->write;
    } else if ((r = write_settle(w, txn)) < 0) {
        return r;
    }
    if (w->kind == WRITE_CREATE && !w->id.n && (r = write_new_id(w)) < 0)
        return r;
    return take_identity(t, e);
}

static int settle_all(struct transaction *t, struct store_txn *txn)
{
    for (size_t i = 0; i < t->b->n; i++) {
        struct entry *e = &t->b->entries[i];
        if (!e->is_write)
            continue;
        e->result = settle_entry(t, e, txn);
        if (e->result < 0)
            return bundle_entry_failed(t->b, e);
    }
    return 0;
}

/* ---- the steps ---- */

static int prepare_all(struct transaction *t)
{
    for (size_t i = 0; i < t->b->n; i++) {
        struct entry *e = &t->b->entries[i];
        if (!e->is_write || e->write.exists)
            continue;
        e->write.in_bundle = true;
        e->result = write_prepare(&e->write);
        if (e->result < 0)
            return bundle_entry_failed(t->b, e);
    }
    return 0;
}

static int apply_all(struct transaction *t, struct store_txn *txn)
{
    struct bundle *b = t->b;

    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = b->in_order[i];
        if (e->is_write)
            e->result = write_apply(&e->write, txn);
        if (e->result < 0)
            return bundle_entry_failed(b, e);
    }
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = b->in_order[i];
        e->result = e->is_write ? write_check_references(&e->write, txn) : bundle_run_read(e, txn);
        if (e->result < 0)
            return bundle_entry_failed(b, e);
    }
    return 0;
}

static int run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct transaction *t = (struct transaction *)job;
    int r = 0;

    if (t->late &&
        ((r = settle_all(t, txn)) < 0 || (r = follow_all(t, txn)) < 0 || (r = prepare_all(t)) < 0))
        goto failed;
    r = apply_all(t, txn);
    if (r >= 0 && t->b->also)
        r = t->b->also(t->b->also_ctx, txn, &t->b->call->err);
    if (r >= 0)
        return 0;
failed:
    *err = t->b->call->err;
    return r;
}

static void done(struct store_job *job, int r, const struct err *err)
{
    struct transaction *t = (struct transaction *)job;

    t->result = r;
    if (r < 0)
        t->b->call->err = *err;
    waiter_finish(&t->waiter);
}

static bool has_conditions(const struct bundle *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->entries[i].is_write && b->entries[i].write.conditional)
            return true;
    return false;
}

int bundle_transaction(struct bundle *b)
{
    struct call *c = b->call;
    struct transaction t = {.job = {.run = run, .done = done, .who = &c->who, .weight = b->n},
                            .b = b};
    int r;

    t.late = has_conditions(b);
    if (!t.late) {
        /* Without conditions all is known already, and the writer has only to write. */
        if ((r = settle_all(&t, NULL)) < 0 || (r = follow_all(&t, NULL)) < 0)
            return r;
        if (!t.late && (r = prepare_all(&t)) < 0)
            return r;
        if (t.late)
            t.targets = (struct targets){0};
    }
    waiter_init(&t.waiter, 1);
    store_submit(c->api->store, &t.job);
    waiter_wait(&t.waiter);
    if (t.result < 0)
        return t.result;
    for (size_t i = 0; i < b->n; i++)
        bundle_settle(&b->entries[i], b->entries[i].result);
    return 0;
}
