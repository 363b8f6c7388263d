#include "server/audit_note.h"

#include "base/clock.h"

#include <inttypes.h>

static int write_event(struct audit_log *log, struct arena *a, const struct audit_event *event,
                       struct err *err)
{
    struct audit_append append;
    int r = audit_prepare(a, event, NULL, 0, &append, err);

    return r < 0 ? r : audit_write(log, &append, err);
}

int audit_note_grant(struct server *s, struct http_exchange *x, const struct oauth_reply *reply,
                     struct err *err)
{
    struct audit_log *log = server_audit_log(s->audit);
    const struct oauth_trace *t = &reply->trace;
    struct audit_event event = {.when_ms = clock_now_ms(),
                                .interaction = t->what,
                                .status = t->status ? t->status : reply->status,
                                .user = t->user,
                                .client = t->client,
                                .address = api_address(&s->api_config, x),
                                .operation = t->operation};

    return !log || !t->what ? 0 : write_event(log, http_arena(x), &event, err);
}

/* ---- refused ---- */

/* False: only counted. *ret_more: how many were, since one was written. */
static bool is_let(struct refusals *r, unsigned *ret_more)
{
    long long now = clock_mono_us() / 1000000;

    if (atomic_exchange(&r->second, now) != now)
        atomic_store(&r->n, 0);
    if (atomic_fetch_add(&r->n, 1) >= AUDIT_REFUSALS_A_SECOND) {
        atomic_fetch_add(&r->left_out, 1);
        return false;
    }
    *ret_more = atomic_exchange(&r->left_out, 0);
    return true;
}

static void release(struct audit_append *append, int r, const struct err *err)
{
    http_release(append->ctx, r < 0 ? err : NULL);
}

static int prepare(struct server *s, struct http_exchange *x, int status, unsigned more,
                   struct audit_append *append, struct err *err)
{
    struct arena *a = http_arena(x);
    struct audit_event event = {
        .when_ms = clock_now_ms(),
        .interaction = AUDIT_REFUSED,
        .status = status,
        .address = api_address(&s->api_config, x),
        .query = http_request(x)->path,
        .operation =
            more ? arena_fmt(a, "refused, as %u before that left no entry", more) : STR("refused")};

    return event.operation.p ? audit_prepare(a, &event, NULL, 0, append, err) : err_no_memory(err);
}

void audit_note_refused(struct server *s, struct http_exchange *x, const struct err *why)
{
    struct audit_log *log = server_audit_log(s->audit);
    struct audit_append *append;
    struct err err = {0};
    unsigned more = 0;

    if (!log || !is_let(&s->refusals, &more))
        return;
    http_hold(x);
    append = ARENA_NEW(http_arena(x), struct audit_append);
    if (!append) {
        err_no_memory(&err);
        http_release(x, &err);
        return;
    }
    append->done = release;
    append->ctx = x;
    if (prepare(s, x, err_http_status(why->code), more, append, &err) < 0)
        http_release(x, &err);
    else
        audit_submit(log, append);
}

/* ---- commands ---- */

int audit_note_command(struct audit_log *log, uint64_t uid, struct str what, struct str detail,
                       struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct audit_event event = {.when_ms = clock_now_ms(),
                                .interaction = AUDIT_COMMAND,
                                .client = STR("carnet"),
                                .address = STR("local"),
                                .role = STR("operator"),
                                .operation = what,
                                .query = str_head(detail, MIN(detail.n, AUDIT_NOTE_MAX))};

    arena_init(&a, MIB(1));
    event.user = arena_fmt(&a, "operator (uid %" PRIu64 ")", uid);
    return event.user.p ? write_event(log, &a, &event, err) : err_no_memory(err);
}
