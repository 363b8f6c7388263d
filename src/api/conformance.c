#include "api/conformance.h"

#include "api/call_world.h"
#include "api/conformance_int.h"
#include "base/fault.h"
#include "base/log.h"
#include "trust/trust.h"

#include <stdlib.h>
#include <time.h>

#define TALLY_META "conformance-tally"
#define POLICY_META "conformance-policy" /* of the node that served last */
#define TALLY_TEXT_MAX MIB(8)

struct conformance {
    struct store *store;
    struct access who;
    struct policy policy;

    pthread_mutex_t lock; /* over what follows */
    struct profiles *profiles;
    struct store_job barrier;
    bool is_waiting; /* for the barrier */

    struct tally tally; /* counted since it was last written down */
    pthread_t thread;
    pthread_cond_t wake;
    bool is_running, stop;
};

struct conformance *conformance_new(struct store *store)
{
    struct conformance *f = fault_point("malloc") ? NULL : calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->store = store;
    f->who = trust_system();
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->wake, NULL);
    tally_init(&f->tally);
    return f;
}

/* ---- the tally in the store ---- */

struct flush {
    struct store_job job;
    struct tally news;
};

/* What the store has is read again here, where no other process writes: several count together. */
static int flush_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    _cleanup_(tally_done) struct tally all;
    _cleanup_(sb_done) struct sb text = sb_make(TALLY_TEXT_MAX);
    struct str kept;
    int r;

    arena_init(&a, TALLY_TEXT_MAX * 2);
    tally_init(&all);
    r = store_meta_get(txn, TALLY_META, &a, &kept, err);
    if (r < 0 || (kept.p && (r = tally_read(&all, kept, err)) < 0) ||
        (r = tally_add(&all, &((struct flush *)job)->news, err)) < 0)
        return r;
    tally_write(&all, &text);
    r = sb_ok(&text, err);
    return r < 0 ? r : store_meta_set(txn, TALLY_META, sb_view(&text), err);
}

static void flush(struct conformance *f)
{
    struct flush job = {.job = {.run = flush_run, .who = &f->who}};
    struct err err;

    if (tally_take(&f->tally, &job.news) && store_write(f->store, &job.job, &err) < 0) {
        log_err(LOG_ERROR, LOG_JOB_FAILED, &err);
        /* Another time, then. */
        pthread_mutex_lock(&f->tally.lock);
        tally_add(&f->tally, &job.news, NULL);
        pthread_mutex_unlock(&f->tally.lock);
    }
    tally_done(&job.news);
}

static void *keep_flushing(void *ctx)
{
    struct conformance *f = ctx;

    pthread_mutex_lock(&f->lock);
    while (!f->stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += CONFORMANCE_FLUSH_MS / 1000;
        pthread_cond_timedwait(&f->wake, &f->lock, &until);
        pthread_mutex_unlock(&f->lock);
        flush(f);
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static int read_meta(struct conformance *f, const char *name, struct arena *a, struct str *ret,
                     struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    int r = store_begin(f->store, &f->who, &txn, err);

    return r < 0 ? r : store_meta_get(txn, name, a, ret, err);
}

/* What all processes have counted and written down, and what this one has counted since. */
static int count_all(struct conformance *f, struct tally *ret, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct str text;
    int r;

    arena_init(&a, TALLY_TEXT_MAX * 2);
    r = read_meta(f, TALLY_META, &a, &text, err);
    if (r < 0 || (text.p && (r = tally_read(ret, text, err)) < 0))
        return r;
    pthread_mutex_lock(&f->tally.lock);
    r = tally_add(ret, &f->tally, err);
    pthread_mutex_unlock(&f->tally.lock);
    return r;
}

int conformance_start(struct conformance *f, struct err *err)
{
    _cleanup_(tally_done) struct tally all;
    int r;

    tally_init(&all);
    if ((r = count_all(f, &all, err)) < 0)
        return r;
    if (pthread_create(&f->thread, NULL, keep_flushing, f) != 0)
        return err_set(err, ERR_BUSY, "a thread cannot be started");
    f->is_running = true;
    return 0;
}

void conformance_free(struct conformance *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    while (f->is_waiting)
        pthread_cond_wait(&f->wake, &f->lock);
    f->stop = true;
    pthread_cond_broadcast(&f->wake);
    pthread_mutex_unlock(&f->lock);
    if (f->is_running) {
        pthread_join(f->thread, NULL);
        flush(f);
    }
    profiles_unref(f->profiles);
    tally_done(&f->tally);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    policy_done(&f->policy);
    free(f);
}

/* ---- the policy ---- */

int conformance_policy(struct conformance *f, struct str text, struct err *err)
{
    return policy_read(&f->policy, text, err);
}

struct remember {
    struct store_job job;
    struct str text;
};

static int remember_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    return store_meta_set(txn, POLICY_META, ((struct remember *)job)->text, err);
}

int conformance_remember(struct conformance *f, struct err *err)
{
    struct remember job = {.job = {.run = remember_run, .who = &f->who},
                           .text = f->policy.text.n ? f->policy.text : STR("")};
    _cleanup_(arena_done) struct arena a;
    struct str before;
    int r;

    arena_init(&a, CONFORMANCE_POLICY_MAX * 2);
    r = read_meta(f, POLICY_META, &a, &before, err);
    return r < 0 || str_eq(before, job.text) ? r : store_write(f->store, &job.job, err);
}

int conformance_recall(struct conformance *f, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct str text;
    int r;

    arena_init(&a, CONFORMANCE_POLICY_MAX * 2);
    r = read_meta(f, POLICY_META, &a, &text, err);
    if (r < 0 || !text.n)
        return r;
    r = policy_read(&f->policy, text, err);
    return r < 0 ? r : 1;
}

enum conformance_mode conformance_mode_of(const struct conformance *f, int type)
{
    return policy_mode_of(&f->policy, type);
}

static const char *why_unusable(const struct policy_line *line, const struct profile *p, int r,
                                const struct err *why)
{
    if (r < 0)
        return why->text;
    if (!p)
        return "is not installed";
    return str_eq(profile_type_name(p), def_resource_name(line->type)) ? NULL
                                                                       : "is for another type";
}

int conformance_unusable(struct conformance *f, const struct world *world, conformance_tell *tell,
                         void *ctx, struct err *err)
{
    struct profiles *set = conformance_profiles(f, world);
    int r = set ? 0 : err_no_memory(err);

    for (size_t i = 0; r >= 0 && i < f->policy.n_lines; i++) {
        const struct policy_line *line = &f->policy.lines[i];
        const struct profile *p = NULL;
        struct err why;
        const char *text;

        r = profiles_get(set, line->profile, &p, &why);
        if (r < 0 && err_http_status(r) >= 500) {
            *err = why;
            break;
        }
        text = why_unusable(line, p, r, &why);
        r = 0;
        if (text)
            tell(ctx, line->number, line->profile, text);
    }
    profiles_unref(set);
    return r;
}

/* ---- the profiles in force ---- */

struct profiles *conformance_profiles(struct conformance *f, const struct world *world)
{
    struct profiles *set;

    pthread_mutex_lock(&f->lock);
    if (!f->profiles)
        f->profiles = profiles_new(world);
    set = f->profiles ? profiles_ref(f->profiles) : NULL;
    pthread_mutex_unlock(&f->lock);
    return set;
}

static int barrier_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)txn;
    (void)job;
    (void)err;
    return 0;
}

static void forget_profiles(struct conformance *f)
{
    struct profiles *old;

    pthread_mutex_lock(&f->lock);
    old = f->profiles;
    f->profiles = NULL;
    f->is_waiting = false;
    pthread_cond_broadcast(&f->wake);
    pthread_mutex_unlock(&f->lock);
    profiles_unref(old);
}

static void barrier_done(struct store_job *job, int r, const struct err *err)
{
    (void)r;
    (void)err;
    forget_profiles((struct conformance *)((char *)job - offsetof(struct conformance, barrier)));
}

/* What was written can be seen only when its group is durable: behind this job it is. */
void conformance_changed(struct conformance *f)
{
    bool is_waiting;

    pthread_mutex_lock(&f->lock);
    is_waiting = f->is_waiting;
    f->is_waiting = true;
    pthread_mutex_unlock(&f->lock);
    if (is_waiting)
        return;
    f->barrier = (struct store_job){.run = barrier_run, .done = barrier_done, .who = &f->who};
    store_submit(f->store, &f->barrier);
}

/* ---- one resource ---- */

static struct str sender_of(struct call *c, yyjson_val *root)
{
    struct str source = js_get_str(js_get(root, "meta"), "source");
    ptrdiff_t hash = str_find(source, '#');

    if (!source.n)
        return c->who.agent.n ? c->who.agent : STR("unknown");
    return hash > 0 ? str_head(source, (size_t)hash) : source;
}

/* What passes under `warn` is told as a warning. */
static void soften(struct issues *issues)
{
    for (struct issue *i = issues->first; i; i = i->next)
        if (i->severity <= ISSUE_ERROR)
            i->severity = ISSUE_WARNING;
    issues->n_errors = 0;
}

int conformance_check(struct conformance *f, struct call *c, int type, yyjson_val *root)
{
    _cleanup_(call_sight_done) struct call_sight sight;
    enum conformance_mode mode = conformance_mode_of(f, type);
    struct str asked[CONFORM_PROFILES_MAX];
    struct conform_options options = {.world = &sight.over.world, .asked = asked};
    int r;

    call_sight_init(&sight, c, NULL);

    if (mode == CONFORMANCE_OFF || c->is_not_held)
        return 0;
    for (size_t i = 0; i < f->policy.n_lines && options.n_asked < ARRAY_LEN(asked); i++)
        if (f->policy.lines[i].type == type)
            asked[options.n_asked++] = f->policy.lines[i].profile;
    options.profiles = conformance_profiles(f, c->api->world);
    if (!options.profiles)
        return err_no_memory(&c->err);
    r = conform_check(root, &options, &c->issues, &c->err);
    profiles_unref(options.profiles);
    if (r < 0)
        return r;
    tally_count(&f->tally, sender_of(c, root), def_resource_name(type), &c->issues,
                mode == CONFORMANCE_REJECT && c->issues.n_errors);
    if (mode == CONFORMANCE_WARN)
        soften(&c->issues);
    return 0;
}

void conformance_count(struct conformance *f, struct call *c, int type, yyjson_val *root)
{
    if (conformance_mode_of(f, type) != CONFORMANCE_OFF && !c->is_not_held)
        tally_count(&f->tally, sender_of(c, root), def_resource_name(type), &c->issues, true);
}

/* ---- telling ---- */

int conformance_report(struct conformance *f, struct sb *out, struct err *err)
{
    _cleanup_(tally_done) struct tally all;
    int r;

    tally_init(&all);
    if ((r = count_all(f, &all, err)) < 0)
        return r;
    tally_report(&all, out);
    return sb_ok(out, err);
}

static void tell_on_page(void *ctx, size_t line, struct str profile, const char *why)
{
    struct sb *out = ctx;

    sb_fmt(out, "<li>line %zu: ", line);
    sb_html(out, profile);
    sb_char(out, ' ');
    sb_html(out, str_c(why));
    sb_lit(out, "</li>\n");
}

int conformance_page(struct conformance *f, const struct world *world, struct str accept_language,
                     struct sb *out, struct err *err)
{
    _cleanup_(sb_done) struct sb unusable = sb_make(MIB(4));
    _cleanup_(tally_done) struct tally all;
    int r;

    tally_init(&all);
    r = world ? conformance_unusable(f, world, tell_on_page, &unusable, err) : 0;

    if (r < 0 || (r = sb_ok(&unusable, err)) < 0 || (r = count_all(f, &all, err)) < 0)
        return r;
    r = tally_page(&all, sb_view(&unusable), conformance_language(accept_language), out, err);
    return r < 0 ? r : sb_ok(out, err);
}
