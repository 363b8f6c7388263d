#include "surveillance/centre.h"

#include "base/clock.h"
#include "base/log.h"
#include "surveillance/signals.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define AFTER_ERROR_MS 5000

#define RULES_ARENA_MAX MIB(4)

/* But for the thread's own, what follows is the thread's once it runs. */
struct centre {
    struct store *store;
    struct kept *kept;
    struct arena of_rules;
    struct signal_rules rules;
    struct weekly weekly; /* under the lock of `kept` */
    struct judge judge;
    struct signals *signals;
    bool is_reset;  /* numbers of places are others than before */
    int32_t judged; /* the day that judge and signals rest on */
    pthread_t thread;
    bool has_thread;
    atomic_bool is_ending;
    pthread_mutex_t lock;
    pthread_cond_t ended;
};

/* Waits, but not for the end. */
static void wait_ms(struct centre *c, int64_t ms)
{
    struct timespec until = clock_mono_after(ms);

    pthread_mutex_lock(&c->lock);
    if (!atomic_load(&c->is_ending))
        pthread_cond_timedwait(&c->ended, &c->lock, &until);
    pthread_mutex_unlock(&c->lock);
}

static int changed(void *ctx, const struct found_case *found, int sign, struct err *err)
{
    struct centre *c = ctx;

    c->is_reset |= !found;
    return weekly_change(&c->weekly, found, sign, err);
}

static void begin_judging(struct centre *c, const struct case_definitions *definitions)
{
    judge_done(&c->judge);
    judge_init(&c->judge, definitions, &c->rules, &c->weekly);
    signals_forget(c->signals);
    c->is_reset = false;
    c->judged = DAY_UNKNOWN;
}

/* Nobody else changes what the view shows. */
static int judge_and_write(struct centre *c, const struct kept_view *v, struct err *err)
{
    bool is_changed[CASE_DEFINITIONS_MAX], any = false;
    int r;

    if (c->is_reset)
        begin_judging(c, v->definitions);
    memcpy(is_changed, c->weekly.is_changed, sizeof is_changed);
    for (size_t i = 0; i < v->definitions->n; i++)
        any |= is_changed[i];
    if (v->today == DAY_UNKNOWN || (!any && v->today == c->judged))
        return 0;
    r = judge_run(&c->judge, v->records, is_changed, v->today, err);
    if (r >= 0)
        r = signals_write(c->signals, &c->judge, v->records, v->today, err);
    if (r < 0) {
        c->is_reset = true;
        return r;
    }
    memset(c->weekly.is_changed, 0, sizeof c->weekly.is_changed);
    c->judged = v->today;
    return 0;
}

static int look(struct centre *c, struct err *err)
{
    struct kept_view v;
    uint64_t done, all;
    int r = kept_follow(c->kept, &c->is_ending, NULL, err);

    if (r < 0 || !kept_is_ready(c->kept, &done, &all))
        return r;
    v = kept_lock(c->kept);
    kept_unlock(c->kept);
    r = judge_and_write(c, &v, err);
    return r < 0 ? r : kept_save(c->kept, false, err);
}

static void *run(void *ctx)
{
    struct centre *c = ctx;
    int64_t wait = store_is_shared(c->store) ? CENTRE_SHARED_WAIT_MS : CENTRE_WAIT_MS;

    while (!atomic_load(&c->is_ending)) {
        struct err err = {0};
        int r = look(c, &err);

        if (r < 0)
            log_err(LOG_WARN, LOG_SURVEILLANCE, &err);
        wait_ms(c, r < 0 ? AFTER_ERROR_MS : wait);
    }
    return NULL;
}

int centre_new(struct store *store, const struct access *node, const struct centre_config *config,
               struct centre **ret, struct err *err)
{
    struct centre *c = calloc(1, sizeof *c);
    const struct case_definitions *definitions = NULL;
    pthread_condattr_t monotonic;
    struct str rules;
    int r;

    if (!c)
        return err_no_memory(err);
    c->store = store;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* a clock put back is no wait */
    pthread_cond_init(&c->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    arena_init(&c->of_rules, RULES_ARENA_MAX);
    weekly_init(&c->weekly, CASE_BY_ONSET);
    r = kept_new(store, node, config->definitions, &c->kept, err);
    if (r >= 0) {
        definitions = kept_lock(c->kept).definitions;
        kept_unlock(c->kept);
        rules = arena_dup(&c->of_rules, config->rules.p ? config->rules : signal_rules_starter());
        r = rules.p ? signal_rules_read(&c->of_rules, rules, definitions, &c->rules, err)
                    : err_no_memory(err);
    }
    if (r >= 0)
        r = signals_new(store, node, definitions, &c->rules, &c->signals, err);
    if (r >= 0) {
        begin_judging(c, definitions);
        c->weekly.by = c->rules.by;
        r = kept_on_change(c->kept, changed, c, err);
    }
    if (r < 0) {
        centre_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

void centre_tell_by(struct centre *c, struct notify *notify)
{
    signals_tell_by(c->signals, notify);
}

int centre_start(struct centre *c, struct err *err)
{
    if (pthread_create(&c->thread, NULL, run, c) != 0)
        return err_no_memory(err);
    c->has_thread = true;
    return 0;
}

void centre_free(struct centre *c)
{
    struct err err = {0};

    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->is_ending, true);
    pthread_cond_signal(&c->ended);
    pthread_mutex_unlock(&c->lock);
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    if (c->has_thread && kept_save(c->kept, true, &err) < 0)
        log_err(LOG_WARN, LOG_SURVEILLANCE, &err);
    kept_free(c->kept);
    signals_free(c->signals);
    judge_done(&c->judge);
    weekly_done(&c->weekly);
    arena_done(&c->of_rules);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->ended);
    free(c);
}

int centre_kept(struct centre *c, struct kept **ret, struct err *err)
{
    uint64_t done, all;

    if (!kept_is_ready(c->kept, &done, &all))
        return err_set(err, ERR_BUSY,
                       "cases are being counted: %" PRIu64 " of %" PRIu64 " versions are", done,
                       all);
    *ret = c->kept;
    return 0;
}
