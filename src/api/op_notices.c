/* op_notices.c - Patient/ID/$notices: what this person was told, how, and whether it arrived.
 * Theirs to see, and a reviewer's: that a glass was broken is nobody else's to know.
 */
#include "api/op.h"
#include "api/trail.h"

#include "base/clock.h"
#include "notify/notify.h"
#include "trust/guard.h"

static int may_ask(struct call *c)
{
    const struct identity *i = c->who.identity;
    struct policy_role role = {.reviews = false};
    int r = 0;

    if (!i)
        return c->who.kind != ACCESS_OPEN;
    if (c->who.guard && i->kind == IDENTITY_PERSON)
        r = guard_role(c->who.guard, i->role, &role, &c->err);
    if (r < 0)
        return r;
    return role.reviews ? 1 : op_is_own(c, c->id);
}

static void write_part(struct sb *out, const char *name, const char *type, struct str value)
{
    if (!value.n)
        return;
    sb_fmt(out, ",{\"name\":\"%s\",\"value%s\":", name, type);
    sb_json(out, value);
    sb_char(out, '}');
}

static void write_time(struct sb *out, const char *name, int64_t ms)
{
    char at[CLOCK_INSTANT_MAX];

    if (!ms)
        return;
    clock_format(ms, at);
    sb_fmt(out, ",{\"name\":\"%s\",\"valueInstant\":\"%s\"}", name, at);
}

static void write_notice(struct sb *out, const struct notice_record *rec)
{
    sb_lit(out, "{\"name\":\"notice\",\"part\":[{\"name\":\"id\",\"valueString\":");
    sb_json(out, rec->id);
    sb_char(out, '}');
    write_part(out, "kind", "Code", rec->kind);
    write_part(out, "channel", "Code", rec->channel);
    write_part(out, "to", "String", rec->to);
    write_part(out, "language", "Code", rec->language);
    write_part(out, "state", "Code", rec->state);
    write_part(out, "proof", "String", rec->proof);
    write_time(out, "happened", rec->when_ms);
    write_time(out, "sent", rec->sent_ms);
    sb_fmt(out, ",{\"name\":\"attempts\",\"valueInteger\":%llu}]}",
           (unsigned long long)rec->attempts);
}

/* Read as the node: such records are nobody else's, and who may ask was settled above. */
static int read_notices(struct call *c, struct str owner, struct notice_record **ret, size_t *ret_n)
{
    struct access node = trust_system();
    struct store_txn *txn = NULL;
    int r = store_begin(c->api->store, &node, &txn, &c->err);

    if (r < 0)
        return r;
    r = notify_of(txn, owner, c->a, ret, ret_n, &c->err);
    store_end(txn);
    return r;
}

int op_notices(struct call *c, struct store_txn *txn)
{
    struct str owner = arena_fmt(c->a, "Patient/%.*s", STR_ARG(c->id));
    struct notice_record *v = NULL;
    size_t n = 0;
    int r;

    (void)txn;
    if (!owner.p)
        return err_no_memory(&c->err);
    if ((r = may_ask(c)) < 0)
        return r;
    if (!r)
        return err_set(&c->err, ERR_FORBIDDEN, "notices are for the person whom they tell");
    if ((r = read_notices(c, owner, &v, &n)) < 0)
        return r;
    trail_patient(c, c->id);
    sb_lit(&c->out, "{\"resourceType\":\"Parameters\"");
    for (size_t i = 0; i < n; i++) {
        sb_str(&c->out, i ? STR(",") : STR(",\"parameter\":["));
        write_notice(&c->out, &v[i]);
    }
    sb_str(&c->out, n ? STR("]}") : STR("}"));
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}
