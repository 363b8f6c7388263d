/* op_break_glass.c - Patient/ID/$break-glass: access to the record of one person who is not in
 * one's care, for a while, with a reason. docs/guides/access.md.
 *
 * The token, the Task of its review and the notice to the person are one transaction; what is
 * audited is durable before the answer leaves, like everything.
 */
#include "api/op.h"
#include "api/trail.h"

#include "base/clock.h"
#include "base/rng.h"
#include "notify/notify.h"
#include "trust/glass.h"
#include "trust/guard.h"

#define MINUTE_MS INT64_C(60000)

struct breaking {
    struct call *c;
    struct identity as;
    struct glass glass;
};

static int check_asker(struct call *c)
{
    if (!c->who.identity || !c->who.guard)
        return err_set(&c->err, ERR_NOT_SUPPORTED, "on this node there is no glass to break");
    if (!c->x)
        return err_set(&c->err, ERR_NOT_SUPPORTED,
                       "the glass is broken by a request of its own, which is answered at once");
    return 0;
}

static int read_request(struct breaking *b)
{
    struct call *c = b->c;
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    struct op_params params;
    uint64_t most, minutes;
    struct str reason;
    int r = guard_policy(c->who.guard, &p, &c->err);

    if (r < 0)
        return r;
    most = (uint64_t)(p->glass_ms / MINUTE_MS);
    if (r >= 0)
        r = op_params_read(c, &params);
    if (r >= 0)
        r = op_params_only(c, &params, "reason minutes");
    if (r >= 0)
        r = op_param_u64(c, &params, "minutes", most, most, &minutes);
    if (r < 0)
        return r;
    reason = op_param_text(&params, "reason");
    reason = reason.p ? str_trim(reason) : STR("");
    if (reason.n < GLASS_REASON_MIN || reason.n > GLASS_REASON_MAX)
        return err_at(&c->err, ERR_REQUIRED, "reason",
                      "say why, in %d to %d bytes (reason): it will be reviewed", GLASS_REASON_MIN,
                      GLASS_REASON_MAX);
    if (!minutes)
        return err_at(&c->err, ERR_VALUE, "minutes", "at least one minute is needed");
    b->glass = (struct glass){.patient = c->id, .reason = reason, .from_ms = clock_now_ms()};
    b->glass.until_ms = b->glass.from_ms + (int64_t)minutes * MINUTE_MS;
    return 0;
}

/* One who does not permit it is to who asks as if they did not exist. */
static int check_patient(struct breaking *b)
{
    struct call *c = b->c;
    enum why why = WHY_NO_CARE;
    int r = guard_explain(c->who.guard, &b->as, c->type, c->id, &why, &c->err);

    if (r == ERR_DELETED || (r >= 0 && !why_permits(why)))
        r = ERR_NOT_FOUND;
    if (r != ERR_NOT_FOUND)
        return r;
    if (why == WHY_NO_ROLE || why == WHY_NO_PURPOSE || why == WHY_NO_ASSURANCE)
        return err_set(&c->err, ERR_FORBIDDEN, "who asks may not break the glass: %.*s",
                       STR_ARG(why_text(why)));
    return err_set(&c->err, ERR_NOT_FOUND, "Patient \"%.*s\" does not exist", STR_ARG(c->id));
}

static int also(void *ctx, struct store_txn *txn, struct err *err)
{
    struct breaking *b = ctx;
    struct notify *notify = b->c->api->notify;
    struct notice notice = {.kind = NOTICE_GLASS, .when_ms = b->glass.from_ms};
    int r = glass_break(txn, b->c->a, &b->as, &b->glass, err);

    if (r < 0 || !notify)
        return r;
    notice.owner = arena_fmt(b->c->a, "Patient/%.*s", STR_ARG(b->glass.patient));
    notice.secret = STR("");
    return notice.owner.p ? notify_about(notify, txn, notice.owner, &notice, err)
                          : err_no_memory(err);
}

static int commit(struct breaking *b)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(16));
    struct call *c = b->c;
    struct access node = trust_system();
    char uuid[UUID_TEXT_LEN + 1];
    int r;

    uuid7(uuid);
    b->glass.task = arena_dup(c->a, str_c(uuid));
    if (!b->glass.task.p)
        return err_no_memory(&c->err);
    glass_task(&text, &b->as, &b->glass);
    if ((r = sb_ok(&text, &c->err)) < 0)
        return r;
    node.agent = c->who.agent;
    return api_put_own(c->api, c->a, node, sb_view(&text), also, b, &c->err);
}

static void write_answer(struct breaking *b)
{
    struct sb *out = &b->c->out;
    char until[CLOCK_INSTANT_MAX];

    clock_format(b->glass.until_ms, until);
    sb_lit(out, "{\"resourceType\":\"Parameters\",\"parameter\":["
                "{\"name\":\"access_token\",\"valueString\":");
    sb_json(out, str_c(b->glass.token.text));
    sb_fmt(out,
           "},{\"name\":\"token_type\",\"valueString\":\"%s\"},"
           "{\"name\":\"expires\",\"valueInstant\":\"%s\"},{\"name\":\"scope\",\"valueString\":",
           b->as.jkt.n ? "DPoP" : "Bearer", until);
    sb_json(out, b->glass.scope);
    sb_lit(out, "},{\"name\":\"patient\",\"valueReference\":{\"reference\":\"Patient/");
    sb_str(out, b->glass.patient);
    sb_lit(out, "\"}},{\"name\":\"review\",\"valueReference\":{\"reference\":\"Task/");
    sb_str(out, b->glass.task);
    sb_lit(out, "\"}}]}");
}

int op_break_glass(struct call *c, struct store_txn *txn)
{
    struct breaking b = {.c = c};
    int r = check_asker(c);

    (void)txn;
    if (r >= 0)
        r = glass_identity(c->a, c->who.identity, c->id, &b.as, &c->err);
    if (r >= 0)
        r = check_patient(&b);
    if (r >= 0)
        r = read_request(&b);
    if (r >= 0)
        r = commit(&b);
    if (r < 0)
        return r;
    if (c->api->notify)
        notify_wake(c->api->notify);
    trail_patient(c, c->id);
    trail_glass(c, c->id);
    http_reply_header(c->x, "Cache-Control", STR("no-store"));
    write_answer(&b);
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}
