#include "coverage/counter.h"

#include "base/clock.h"
#include "base/log.h"
#include "fhir/defs.h"

#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#define ONE_ARENA_MAX (STORE_BODY_MAX * 4) /* one resource, parsed */
#define TEXT_MAX (STORE_BODY_MAX + MIB(1)) /* … as text */
#define PAGE_ARENA_MAX MIB(4)
#define SET_ARENA_MAX MIB(16)
#define AFTER_ERROR_MS 5000

/* But for the locked, what follows is the thread's own. */
struct counter {
    struct store *store;
    struct access node;
    struct arena of_set, of_roll;
    struct coverage_set set;
    struct roll roll;
    bool is_torn; /* an error left the roll half done */
    uint64_t counted;
    uint64_t expunged;     /* how often something was, as of the roll */
    bool is_expunged_seen; /* nothing was since */
    int64_t not_before_us, anew_not_before_us;
    atomic_ullong position, all;
    atomic_bool is_ending;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;  /* of what follows */
    pthread_cond_t turned; /* is_asked or is_ending has */
    bool is_asked;
    struct count *count; /* NULL: none yet */
};

/* ---- the feed ---- */

struct following {
    struct counter *k;
    struct store_txn *txn;
    struct arena a;
    struct sb text;
};

static int parse(struct following *f, const struct row *row, yyjson_val **ret, struct err *err)
{
    int r;

    sb_reset(&f->text);
    arena_reset(&f->a);
    r = row_json(f->k->store, row, &f->text, err);
    if (r >= 0)
        r = sb_ok(&f->text, err);
    return r < 0 ? r : js_parse_stored(&f->a, sb_view(&f->text), ret, err);
}

/* A version that is not the newest says nothing: the newest stands further on. One whose key is
 * gone is being erased. */
static int take_row(void *ctx, const struct row *row, struct err *err)
{
    struct following *f = ctx;
    struct str type = def_resource_name(row->type);
    yyjson_val *resource;
    int r;

    if (!roll_wants(&f->k->roll, type) || (row->method != METHOD_DELETE && !row->is_current))
        return 0;
    if (row->method == METHOD_DELETE || row->is_locked) {
        roll_forget(&f->k->roll, type, row->id);
        return 0;
    }
    if ((r = parse(f, row, &resource, err)) < 0)
        return r;
    r = roll_take(&f->k->roll, resource, err);
    f->k->is_torn |= r < 0;
    return r;
}

static int read_feed(struct following *f, uint64_t to, struct err *err)
{
    struct counter *k = f->k;
    struct arena a;
    int r = 0;

    arena_init(&a, PAGE_ARENA_MAX);
    while (r >= 0 && atomic_load(&k->position) < to && !atomic_load(&k->is_ending)) {
        struct page page;

        arena_reset(&a);
        r = store_feed(f->txn, atomic_load(&k->position), COUNTER_PAGE, &a, &page, err);
        if (r >= 0 && !page.n)
            atomic_store(&k->position, to); /* what stood there was removed for good */
        if (r < 0 || !page.n)
            break;
        r = store_each_row(f->txn, page.rows, page.n, take_row, f, err);
        if (r >= 0)
            atomic_store(&k->position, page.rows[page.n - 1]);
    }
    arena_done(&a);
    return MIN(r, 0);
}

static void begin_anew(struct counter *k)
{
    arena_reset(&k->of_roll);
    roll_init(&k->roll, &k->of_roll, &k->set);
    atomic_store(&k->position, 0);
    k->counted = UINT64_MAX;
    k->is_torn = false;
}

/* What is expunged leaves nothing in the feed: all records are read again. Until then the count
 * from before stands. */
static int check_expunged(struct counter *k, struct store_txn *txn, struct err *err)
{
    uint64_t expunged;
    int r = store_expunged(txn, &expunged, err);

    if (r < 0)
        return r;
    if (atomic_load(&k->position) && expunged != k->expunged &&
        clock_mono_us() >= k->anew_not_before_us)
        begin_anew(k);
    if (!atomic_load(&k->position))
        k->expunged = expunged;
    k->is_expunged_seen = expunged == k->expunged;
    return 0;
}

static int read_on(struct counter *k, struct store_txn *txn, uint64_t to, struct err *err)
{
    struct following f = {.k = k, .txn = txn, .text = sb_make(TEXT_MAX)};
    bool is_anew = !atomic_load(&k->position);
    int64_t began = clock_mono_us(), took;
    int r;

    k->roll.now = (int32_t)(clock_now_ms() / 86400000);
    arena_init(&f.a, ONE_ARENA_MAX);
    r = read_feed(&f, to, err);
    arena_done(&f.a);
    sb_done(&f.text);
    took = clock_mono_us() - began;
    if (is_anew)
        k->anew_not_before_us = began + took + COUNTER_REST * took;
    return r;
}

static int follow(struct counter *k, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    int r = store_begin(k->store, &k->node, &txn, err);
    uint64_t to;

    if (r >= 0)
        r = check_expunged(k, txn, err);
    if (r < 0)
        return r;
    to = store_position(txn);
    atomic_store(&k->all, to);
    return to > atomic_load(&k->position) ? read_on(k, txn, to, err) : 0;
}

/* ---- counting ---- */

static int count_anew(struct counter *k, struct err *err)
{
    int64_t began = clock_mono_us(), took;
    uint64_t position = atomic_load(&k->position);
    struct count *made, *old;
    int r = count_make(&k->roll, position, &made, err);

    if (r < 0)
        return r;
    pthread_mutex_lock(&k->lock);
    old = k->count;
    k->count = made;
    pthread_mutex_unlock(&k->lock);
    if (!old)
        malloc_trim(0); /* what reading all records has used */
    count_unref(old);
    k->counted = position;
    took = clock_mono_us() - began;
    k->not_before_us = began + took + COUNTER_REST * took;
    return 0;
}

int counter_look(struct counter *k, struct err *err)
{
    int r;

    if (k->is_torn)
        begin_anew(k);
    r = follow(k, err);
    if (r < 0 || atomic_load(&k->is_ending))
        return r;
    if (k->count && (k->counted == atomic_load(&k->position) || clock_mono_us() < k->not_before_us))
        return 0;
    return count_anew(k, err);
}

bool counter_is_even(const struct counter *k)
{
    return k->counted == atomic_load(&k->position) && k->is_expunged_seen;
}

int counter_count(struct counter *k, struct count **ret, struct err *err)
{
    struct count *c;

    pthread_mutex_lock(&k->lock);
    c = k->count ? count_ref(k->count) : NULL;
    if (!k->is_asked) {
        k->is_asked = true;
        pthread_cond_signal(&k->turned);
    }
    pthread_mutex_unlock(&k->lock);
    if (!c)
        return err_set(err, ERR_BUSY,
                       "programmes are being counted: %" PRIu64 " of %" PRIu64 " versions are",
                       (uint64_t)atomic_load(&k->position), (uint64_t)atomic_load(&k->all));
    *ret = c;
    return 0;
}

/* ---- the thread ---- */

/* Waits, but not for the end. */
static void wait_ms(struct counter *k, int64_t ms)
{
    struct timespec until = clock_mono_after(ms);

    pthread_mutex_lock(&k->lock);
    if (!atomic_load(&k->is_ending))
        pthread_cond_timedwait(&k->turned, &k->lock, &until);
    pthread_mutex_unlock(&k->lock);
}

/* A node that nobody asks pays neither time nor memory. */
static void wait_for_question(struct counter *k)
{
    pthread_mutex_lock(&k->lock);
    while (!k->is_asked && !atomic_load(&k->is_ending))
        pthread_cond_wait(&k->turned, &k->lock);
    pthread_mutex_unlock(&k->lock);
}

static void *run(void *ctx)
{
    struct counter *k = ctx;
    int64_t wait = store_is_shared(k->store) ? COUNTER_SHARED_WAIT_MS : COUNTER_WAIT_MS;

    wait_for_question(k);
    while (!atomic_load(&k->is_ending)) {
        struct err err = {0};
        int r = counter_look(k, &err);

        if (r < 0)
            log_err(LOG_WARN, LOG_COVERAGE, &err);
        wait_ms(k, r < 0 ? AFTER_ERROR_MS : wait);
    }
    return NULL;
}

int counter_new(struct store *store, const struct access *node, struct str set,
                struct counter **ret, struct err *err)
{
    struct counter *k = calloc(1, sizeof *k);
    pthread_condattr_t monotonic;
    struct str text;
    int r;

    if (!k)
        return err_no_memory(err);
    k->store = store;
    k->node = *node;
    pthread_mutex_init(&k->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* a clock put back is no wait */
    pthread_cond_init(&k->turned, &monotonic);
    pthread_condattr_destroy(&monotonic);
    arena_init(&k->of_set, SET_ARENA_MAX);
    arena_init(&k->of_roll, ROLL_BYTES_MAX);
    text = arena_dup(&k->of_set, set.p ? set : coverage_starter());
    r = text.p ? coverage_set_read(&k->of_set, text, &k->set, err) : err_no_memory(err);
    if (r < 0) {
        counter_free(k);
        return r;
    }
    begin_anew(k);
    *ret = k;
    return 0;
}

int counter_start(struct counter *k, struct err *err)
{
    if (pthread_create(&k->thread, NULL, run, k) != 0)
        return err_no_memory(err);
    k->has_thread = true;
    return 0;
}

void counter_free(struct counter *k)
{
    if (!k)
        return;
    pthread_mutex_lock(&k->lock);
    atomic_store(&k->is_ending, true);
    pthread_cond_signal(&k->turned);
    pthread_mutex_unlock(&k->lock);
    if (k->has_thread)
        pthread_join(k->thread, NULL);
    count_unref(k->count);
    arena_done(&k->of_set);
    arena_done(&k->of_roll);
    pthread_mutex_destroy(&k->lock);
    pthread_cond_destroy(&k->turned);
    free(k);
}
