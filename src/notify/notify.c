/* notify.c - the outbox: put in with what causes it, taken out by one thread. */
#include "notify/notify.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "notify/notify_int.h"

#include <stdlib.h>

#define POLL_SECONDS 5           /* another process may have put something in */
#define LEASE_MS INT64_C(120000) /* while one sends, nobody else does */

int notify_new(struct store *store, const struct access *node, struct str config, struct str link,
               const struct notify_wires *wires, struct notify **ret, struct err *err)
{
    struct notify *n = calloc(1, sizeof *n);
    int r = 0;

    if (!n)
        return err_no_memory(err);
    n->store = store;
    n->node = *node;
    n->wires = wires;
    n->wait_first_ms = NOTIFY_WAIT_FIRST_MS;
    arena_init(&n->a, KIB(512));
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->woken, NULL);
    n->link = arena_dup(&n->a, link);
    if (!n->link.p)
        r = err_no_memory(err);
    if (r >= 0 && config.p)
        r = notify_configure(n, config, err);
    if (r < 0)
        notify_free(n);
    else
        *ret = n;
    return r;
}

void notify_free(struct notify *n)
{
    if (!n)
        return;
    pthread_mutex_lock(&n->lock);
    n->is_stopping = true;
    pthread_cond_signal(&n->woken);
    pthread_mutex_unlock(&n->lock);
    if (n->has_thread)
        pthread_join(n->thread, NULL);
    pthread_mutex_destroy(&n->lock);
    pthread_cond_destroy(&n->woken);
    arena_done(&n->a);
    free(n);
}

const struct notify_smtp *notify_smtp(const struct notify *n)
{
    return n->smtp.url ? &n->smtp : NULL;
}

enum notify_language notify_fallback(const struct notify *n)
{
    return n->language;
}

/* ---- in ---- */

static const char *const kinds[] = {
#define X(kind, code) code,
    NOTICES(X)
#undef X
};
static const char *const channels[] = {
#define X(channel, code) code,
    NOTIFY_CHANNELS(X)
#undef X
};

static int put_one(struct store_txn *txn, const struct notice *notice, enum notify_channel channel,
                   struct str to, struct err *err)
{
    char uuid[UUID_TEXT_LEN + 1];
    struct notice_record rec = {.owner = notice->owner,
                                .kind = str_c(kinds[notice->kind]),
                                .language = str_c(notify_language_name(notice->to.language)),
                                .channel = str_c(channels[channel]),
                                .to = to,
                                .state = channel == CHANNEL_NONE ? STR("failed") : STR("waiting"),
                                .secret = channel == CHANNEL_NONE ? STR("") : notice->secret,
                                .made_ms = clock_now_ms(),
                                .when_ms = notice->when_ms};
    int r;

    uuid7(uuid);
    rec.id = str_c(uuid);
    if (channel == CHANNEL_NONE)
        rec.proof = STR("no address, or nothing that carries it");
    r = notice_write(txn, &rec, err);
    if (r >= 0)
        r = notice_trim(txn, notice->owner, err);
    if (r >= 0 && channel != CHANNEL_NONE)
        r = notice_queue(txn, notice->owner, rec.id, rec.made_ms, err);
    return r;
}

int notify_put(const struct notify *n, struct store_txn *txn, const struct notice *notice,
               struct err *err)
{
    bool by_mail = n->smtp.url && notice->to.email.n, by_sms = n->sms.url && notice->to.phone.n;
    int r = 0;

    if (notice->owner.n > NOTIFY_OWNER_MAX)
        return err_set(err, ERR_TOO_LONG, "the owner of a notice has at most %d bytes",
                       NOTIFY_OWNER_MAX);
    if (by_mail)
        r = put_one(txn, notice, CHANNEL_MAIL, notice->to.email, err);
    if (r >= 0 && by_sms)
        r = put_one(txn, notice, CHANNEL_SMS, notice->to.phone, err);
    /* A secret goes to the person alone, not to whoever else listens. */
    if (r >= 0 && n->webhook.url && !notice->secret.n)
        r = put_one(txn, notice, CHANNEL_WEBHOOK, STR(""), err);
    else if (r >= 0 && !by_mail && !by_sms)
        r = put_one(txn, notice, CHANNEL_NONE, STR(""), err);
    return r;
}

static int read_contact(const struct notify *n, struct store_txn *txn, struct str resource,
                        struct arena *a, struct notice_contact *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    ptrdiff_t slash = str_find(resource, '/');
    int type = slash > 0 ? def_resource(str_head(resource, (size_t)slash)) : 0, r;
    yyjson_val *root;
    struct row row;
    struct str own;

    *ret = (struct notice_contact){STR(""), STR(""), n->language};
    if (!type)
        return 0;
    r = store_get(txn, type, str_from(resource, (size_t)slash + 1), &row, err);
    if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE))
        return 0;
    if (r < 0 || (r = row_json(n->store, &row, &text, err)) < 0 || (r = sb_ok(&text, err)) < 0)
        return r;
    own = arena_dup(a, sb_view(&text));
    if (!own.p)
        return err_no_memory(err);
    r = js_parse_stored(a, own, &root, err);
    return r < 0 ? r : notify_contact(a, root, n->language, ret, err);
}

int notify_about(const struct notify *n, struct store_txn *txn, struct str resource,
                 const struct notice *notice, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct notice to = *notice;
    int r;

    arena_init(&a, STORE_BODY_MAX * 4);
    r = read_contact(n, txn, resource, &a, &to.to, err);
    return r < 0 ? r : notify_put(n, txn, &to, err);
}

/* ---- out ---- */

struct delivery {
    struct store_job job; /* first: the store hands it back */
    struct notice_due due;
    struct notice_record rec;
    struct arena *a;
    int64_t now_ms, again_ms; /* again 0: never */
    bool is_mine;
};

static int commit(struct notify *n, struct delivery *d,
                  int (*run)(struct store_txn *txn, struct store_job *job, struct err *err),
                  struct err *err)
{
    d->job = (struct store_job){.run = run, .who = &n->node};
    return store_write(n->store, &d->job, err);
}

/* Takes it out of the queue for a while: if the node dies now, another time will come. */
static int claim_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct delivery *d = (struct delivery *)job;
    int64_t until_ms = d->now_ms + LEASE_MS;
    struct notice_due still;
    int r = notice_next(txn, d->now_ms, d->a, &still, err);

    d->is_mine = r >= 0 && still.name.p;
    if (!d->is_mine)
        return r;
    d->due = still;
    r = notice_unqueue(txn, still.name, err);
    if (r >= 0)
        r = notice_read(txn, still.owner, still.id, d->a, &d->rec, err);
    if (r == ERR_NOT_FOUND) {
        d->rec.id = STR_NULL; /* removed meanwhile: nothing is left to send */
        return 0;
    }
    return r < 0 ? r : notice_queue(txn, still.owner, still.id, until_ms, err);
}

static int settle_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct delivery *d = (struct delivery *)job;
    int64_t until_ms = d->now_ms + LEASE_MS;
    char lease[100];
    int r;

    snprintf(lease, sizeof lease, NOTICE_DUE_PREFIX "%016llx/%.*s", (unsigned long long)until_ms,
             STR_ARG(d->rec.id));
    r = notice_unqueue(txn, str_c(lease), err);
    if (r >= 0)
        r = notice_write(txn, &d->rec, err);
    return r < 0 || !d->again_ms ? r : notice_queue(txn, d->rec.owner, d->rec.id, d->again_ms, err);
}

static int64_t wait_of(const struct notify *n, uint64_t attempts)
{
    int64_t wait_ms = n->wait_first_ms;

    for (uint64_t i = 1; i < attempts && wait_ms < NOTIFY_WAIT_MAX_MS; i++)
        wait_ms *= 2;
    return MIN(wait_ms, NOTIFY_WAIT_MAX_MS);
}

static void send_it(struct notify *n, struct delivery *d, char proof[NOTIFY_PROOF_MAX])
{
    int how = notice_send(n, &d->rec, proof);
    int64_t done_ms = MAX(clock_now_ms(), d->now_ms);

    d->rec.attempts++;
    d->rec.proof = str_c(proof);
    if (how == 0 && d->rec.attempts < NOTIFY_ATTEMPTS_MAX) {
        d->again_ms = done_ms + wait_of(n, d->rec.attempts);
        return;
    }
    d->rec.state = how > 0 ? STR("sent") : STR("failed");
    d->rec.sent_ms = how > 0 ? done_ms : 0;
    d->rec.secret = STR("");
    if (how <= 0)
        log_event(LOG_WARN, LOG_NOTICE, "id=%.*s channel=%.*s attempts=%llu", STR_ARG(d->rec.id),
                  STR_ARG(d->rec.channel), (unsigned long long)d->rec.attempts);
}

/* 1: one was tried, 0: none is due. */
static int deliver_one(struct notify *n, int64_t now_ms, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct delivery d = {.a = &a, .now_ms = now_ms};
    char proof[NOTIFY_PROOF_MAX] = "";
    int r;

    arena_init(&a, NOTIFY_ARENA_MAX);
    r = commit(n, &d, claim_run, err);
    if (r < 0 || !d.is_mine)
        return MIN(r, 0);
    if (!d.rec.id.p)
        return 1;
    send_it(n, &d, proof);
    r = commit(n, &d, settle_run, err);
    return r < 0 ? r : 1;
}

static bool has_due(struct notify *n, int64_t now_ms)
{
    _cleanup_(arena_done) struct arena a;
    struct store_txn *txn = NULL;
    struct notice_due due = {.name = STR_NULL};
    struct err err = {0};

    arena_init(&a, NOTIFY_ARENA_MAX);
    if (store_begin(n->store, &n->node, &txn, &err) < 0)
        return false;
    if (notice_next(txn, now_ms, &a, &due, &err) < 0)
        log_err(LOG_WARN, LOG_NOTICE, &err);
    store_end(txn);
    return due.name.p;
}

int notify_deliver(struct notify *n, int64_t now_ms, struct err *err)
{
    int r, done = 0;

    while (has_due(n, now_ms)) {
        r = deliver_one(n, now_ms, err);
        if (r <= 0)
            return r < 0 ? r : done;
        done++;
    }
    return done;
}

/* ---- the thread ---- */

static bool wait_for_work(struct notify *n)
{
    struct timespec until;
    bool goes_on;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += POLL_SECONDS;
    pthread_mutex_lock(&n->lock);
    while (!n->is_stopping && !n->is_woken &&
           pthread_cond_timedwait(&n->woken, &n->lock, &until) == 0)
        ;
    n->is_woken = false;
    goes_on = !n->is_stopping;
    pthread_mutex_unlock(&n->lock);
    return goes_on;
}

static void *run(void *ctx)
{
    struct notify *n = ctx;

    while (wait_for_work(n)) {
        struct err err = {0};

        if (notify_deliver(n, clock_now_ms(), &err) < 0)
            log_err(LOG_WARN, LOG_NOTICE, &err);
    }
    return NULL;
}

int notify_start(struct notify *n, struct err *err)
{
    if (pthread_create(&n->thread, NULL, run, n) != 0)
        return err_set(err, ERR_BUSY, "the thread that sends notices cannot be started");
    n->has_thread = true;
    return 0;
}

void notify_wake(struct notify *n)
{
    pthread_mutex_lock(&n->lock);
    n->is_woken = true;
    pthread_cond_signal(&n->woken);
    pthread_mutex_unlock(&n->lock);
}
