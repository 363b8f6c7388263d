/* The store after a power failure at any point of its writing: what was acknowledged is there, what
 * was not is there whole or not at all, and store_check has nothing to say.
 *
 * CARNET_CUTS crashes (1,000) are spread evenly over everything that was written; those right
 * behind each acknowledgement, where a lost sync would show first, come on top of them. */
#include "../unit/test.h"

#include "crash_vfs.h"
#include "folder.h"
#include "workload.h"

#include "vault/vault.h"

#include <pthread.h>

#define OPERATIONS 60 /* of each writer in each life */
#define LIVES 3       /* the store is closed and opened again between them */

struct writer {
    pthread_t thread;
    struct store *st;
    unsigned t, from, to;
    int r;
    struct err err;
};

static void *write_some(void *ctx)
{
    struct writer *w = ctx;

    for (unsigned s = w->from; s < w->to && w->r == 0; s++) {
        w->r = work_do(w->st, w->t, s, &w->err);
        if (w->r == 0)
            crash_vfs_ack((uint64_t)w->t << 32 | s);
    }
    return NULL;
}

/* One life of the store: all writers at once, so that commits are groups. */
static void live(const char *dir, unsigned life)
{
    struct writer w[WORK_WRITERS];
    struct store *st;
    struct err err = {0};

    if (work_open(dir, false, &st, &err) < 0)
        fail_msg("open: %s (%s)", err.text, err.detail);
    for (unsigned t = 0; t < WORK_WRITERS; t++) {
        w[t] = (struct writer){
            .st = st, .t = t, .from = life * OPERATIONS + 1, .to = (life + 1) * OPERATIONS + 1};
        assert_int_equal(pthread_create(&w[t].thread, NULL, write_some, &w[t]), 0);
    }
    for (unsigned t = 0; t < WORK_WRITERS; t++) {
        pthread_join(w[t].thread, NULL);
        if (w[t].r < 0)
            fail_msg("write: %s (%s)", w[t].err.text, w[t].err.detail);
    }
    store_close(st);
}

static void acked(void *ctx, uint64_t n)
{
    unsigned *last = ctx;

    last[n >> 32] = (unsigned)n;
}

struct tally {
    unsigned cuts, under_way; /* of these: operations that were there unacknowledged */
};

static void check_cut(const char *dir, const unsigned *ack, size_t at, int mode,
                      struct tally *tally)
{
    struct store *st;
    struct err err = {0};
    unsigned done[WORK_WRITERS];
    char why[WORK_WHY];

    if (work_open(dir, false, &st, &err) < 0)
        fail_msg("cut %zu, mode %d: open: %s (%s)", at, mode, err.text, err.detail);
    if (work_verify_all(st, ack, done, why) < 0)
        fail_msg("cut %zu, mode %d: %s", at, mode, why);
    /* It must also go on. */
    if (tally->cuts % 16 == 0 && work_do(st, 0, done[0] + 1, &err) < 0)
        fail_msg("cut %zu, mode %d: write: %s (%s)", at, mode, err.text, err.detail);
    for (unsigned t = 0; t < WORK_WRITERS; t++)
        tally->under_way += done[t] - ack[t];
    tally->cuts++;
    store_close(st);
}

static void nothing_acknowledged_is_lost(void **state)
{
    char dir[FOLDER_BYTES], crashed[FOLDER_BYTES];
    unsigned ack[WORK_WRITERS] = {0};
    size_t cuts = setting("CARNET_CUTS", 1000);
    struct tally tally = {0};
    struct store *st;
    struct err err = {0};
    struct rng rng;

    (void)state;
    folder_new(dir);
    folder_new(crashed);
    if (work_open(dir, true, &st, &err) < 0)
        fail_msg("create: %s (%s)", err.text, err.detail);
    store_close(st);
    crash_vfs_record(dir);
    for (unsigned life = 0; life < LIVES; life++)
        live(dir, life);
    crash_vfs_stop();

    size_t events = crash_vfs_events(), before = 0;
    struct crash_replay *r = crash_replay_new();
    rng_seed(&rng, setting("CARNET_SEED", 1));
    assert_true(crash_vfs_syncs() > OPERATIONS);
    for (size_t i = 0; i <= cuts; i++) {
        size_t at = events * i / cuts;
        int mode = (int)rng_below(&rng, CRASH_MODES);
        crash_replay_to(r, at, acked, ack);
        if (i > 0 && at == before)
            continue;
        before = at;
        assert_int_equal(crash_replay_write(r, crashed, (enum crash_mode)mode, &rng), 0);
        assert_true(vault_copy(dir, crashed, &err) >= 0); /* of an encrypted store */
        check_cut(crashed, ack, at, mode, &tally);
        folder_clear(crashed);
    }
    for (unsigned t = 0; t < WORK_WRITERS; t++)
        assert_int_equal(ack[t], LIVES * OPERATIONS);
    print_message("%zu events, %zu syncs; %u crashes, %u operations under way had arrived\n",
                  events, crash_vfs_syncs(), tally.cuts, tally.under_way);
    crash_replay_free(r);
    folder_remove(crashed);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_acknowledged_is_lost)};

    if (crash_vfs_register("unix-excl") < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
