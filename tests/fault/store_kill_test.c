/* The store after kill -9, at random moments and at named places: what was acknowledged is there.
 *
 * A child opens the store and writes with several writers; each acknowledgement goes through a
 * pipe, whose contents outlive the child. The parent kills it, opens the store itself, and
 * compares. CARNET_KILLS kills (24), half of them random, half at the places below. The folder
 * grows from kill to kill; each eighth begins with a new one, so that kills meet the making of a
 * store as well. */
#include "../unit/test.h"

#include "base/fault.h"
#include "base/rng.h"
#include "folder.h"
#include "workload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLS 24
#define KILLS_A_FOLDER 8
#define RANDOM_US_MAX 120000
#define NAMED_SECONDS 20 /* a slow machine gets there too */

/* Where, and at the how manyth passing at most. */
static const struct place {
    const char *name;
    unsigned max;
} places[] = {
    {"open", 1},       {"prepare", 8},  {"sql", 3000},     {"member", 100},     {"commit", 50},
    {"committed", 50}, {"answer", 100}, {"checkpoint", 8}, {"checkpointed", 8},
};

#define SQLITE_PLACES 2 /* the last ones: PostgreSQL folds its log by itself */

static unsigned met; /* kills that happened at their place */

struct ack {
    uint32_t t, s;
};

struct writer {
    pthread_t thread;
    struct store *st;
    unsigned t, s;
    int pipe;
};

static void *write_on(void *ctx)
{
    struct writer *w = ctx;
    struct err err;

    for (unsigned s = w->s;; s++) {
        struct ack a = {w->t, s};
        if (work_do(w->st, w->t, s, &err) < 0) {
            fprintf(stderr, "writer %u: %s (%s)\n", w->t, err.text, err.detail);
            _exit(3);
        }
        if (write(w->pipe, &a, sizeof a) != sizeof a)
            _exit(4);
    }
}

/* The child: never returns. */
static void write_until_killed(const char *dir, bool create, const unsigned *done, int pipe,
                               const char *place, unsigned nth)
{
    struct writer w[WORK_WRITERS];
    struct store *st;
    struct err err;

    fault_kill(place, nth);
    int r = work_open(dir, create, &st, &err);
    if (r < 0) {
        fprintf(stderr, "open: %s (%s)\n", err.text, err.detail);
        _exit(2);
    }
    for (unsigned t = 0; t < WORK_WRITERS; t++) {
        w[t] = (struct writer){.st = st, .t = t, .s = done[t] + 1, .pipe = pipe};
        if (pthread_create(&w[t].thread, NULL, write_on, &w[t]) != 0)
            _exit(5);
    }
    for (;;)
        pause();
}

/* Collects acknowledgements until the pipe's end or the time is over; then kills, and collects what
 * is left. */
static void kill_after(pid_t pid, int pipe, unsigned *acked, int64_t us)
{
    struct timespec nap = {us / 1000000, us % 1000000 * 1000};
    struct ack a;
    int status;

    nanosleep(&nap, NULL);
    kill(pid, SIGKILL);
    while (read(pipe, &a, sizeof a) == sizeof a) {
        assert_true(a.t < WORK_WRITERS && a.s > acked[a.t]);
        acked[a.t] = a.s;
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("the writing process ended by itself: %d", status);
}

/* For named places: until the child is gone, or too much time has. The pipe must not fill up. */
static void wait_for_death(pid_t pid, int pipe, unsigned *acked)
{
    struct ack a;
    int status;

    while (read(pipe, &a, sizeof a) == sizeof a) {
        assert_true(a.t < WORK_WRITERS && a.s > acked[a.t]);
        acked[a.t] = a.s;
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status) || (WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGALRM))
        fail_msg("the writing process ended by itself: %d", status);
    met += WTERMSIG(status) == SIGKILL;
}

/* One life and death; acked[] goes on. */
static void die_once(const char *dir, bool create, unsigned *acked, const char *place, unsigned n,
                     struct rng *rng)
{
    int ends[2];
    unsigned done[WORK_WRITERS];

    memcpy(done, acked, sizeof done);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        if (place)
            alarm(NAMED_SECONDS);
        write_until_killed(dir, create, done, ends[1], place, n);
    }
    close(ends[1]);
    if (place)
        wait_for_death(pid, ends[0], acked);
    else
        kill_after(pid, ends[0], acked, (int64_t)rng_below(rng, RANDOM_US_MAX));
    close(ends[0]);
}

/* Opens what is left and compares. A store whose making was killed may not be there at all. */
static bool verify(const char *dir, bool created, unsigned *acked, const char *place, unsigned n)
{
    unsigned done[WORK_WRITERS];
    struct store *st;
    struct err err = {0};
    char why[WORK_WHY];
    unsigned sum = 0;
    int r = work_open(dir, false, &st, &err);

    for (unsigned t = 0; t < WORK_WRITERS; t++)
        sum += acked[t];
    if (r == ERR_NOT_FOUND && created && sum == 0)
        return false;
    if (r < 0)
        fail_msg("killed at %s %u: open: %s (%s)", place ? place : "random", n, err.text,
                 err.detail);
    if (work_verify_all(st, acked, done, why) < 0)
        fail_msg("killed at %s %u: %s", place ? place : "random", n, why);
    store_close(st);
    memcpy(acked, done, sizeof done);
    return true;
}

static void nothing_acknowledged_is_lost(void **state)
{
    unsigned kills = (unsigned)setting("CARNET_KILLS", KILLS), acked[WORK_WRITERS], total = 0;
    unsigned named = 0;
    size_t n_places = ARRAY_LEN(places) - (getenv("CARNET_TEST_STORE") ? SQLITE_PLACES : 0);
    char dir[FOLDER_BYTES];
    bool exists = false;
    struct rng rng;
    struct err err;

    (void)state;
    rng_seed(&rng, setting("CARNET_SEED", 1));
    folder_new(dir);
    for (unsigned i = 0; i < kills; i++) {
        const struct place *p = &places[i / 2 % n_places];
        const char *place = i % 2 ? p->name : NULL;
        unsigned n = 1 + (unsigned)rng_below(&rng, p->max);
        if (i % KILLS_A_FOLDER == 0) {
            folder_clear(dir);
            memset(acked, 0, sizeof acked);
            exists = false;
        }
#ifdef CARNET_FAULT
        named += place != NULL;
#else
        place = NULL;
#endif
        /* Not the child: what it was killed in would be the end of the store before. */
        if (!exists && work_clear(dir, &err) < 0)
            fail_msg("clear: %s", err.text);
        die_once(dir, !exists, acked, place, n, &rng);
        exists = verify(dir, !exists, acked, place, n);
        for (unsigned t = 0; t < WORK_WRITERS && i % KILLS_A_FOLDER == KILLS_A_FOLDER - 1; t++)
            total += acked[t];
    }
    print_message("%u kills, %u of %u named ones at their place, %u operations kept\n", kills, met,
                  named, total);
    assert_true(met * 10 >= named * 8);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_acknowledged_is_lost)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
