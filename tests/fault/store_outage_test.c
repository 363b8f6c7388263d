/* A store whose PostgreSQL goes away and comes back (outage.py kills it): what was acknowledged is
 * there, what was refused is not, nothing is there twice, and nobody has to help.
 *
 * Writers do the operations of workload.h one after the other; one that is refused is done again.
 * Two stores share the database, as two processes would. */
#include "../unit/test.h"

#include "folder.h"
#include "workload.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define STORES 2
#define OPERATIONS 300
#define NAP_US 50000
#define NAPS_MAX 2400 /* two minutes without a database is too long */

struct writer {
    pthread_t thread;
    struct store *st;
    unsigned t, done, refused;
};

static void *write_on(void *ctx)
{
    struct writer *w = ctx;
    unsigned naps = 0;
    struct err err;

    while (w->done < (unsigned)setting("CARNET_OPERATIONS", OPERATIONS) && naps < NAPS_MAX) {
        if (work_do(w->st, w->t, w->done + 1, &err) == 0) {
            w->done++;
            continue;
        }
        /* A client may try again: nothing but that is ever said. */
        if (err.code != ERR_BUSY) {
            print_message("writer %u: %s (%s)\n", w->t, err.text, err.detail);
            break;
        }
        w->refused++;
        naps++;
        usleep(NAP_US);
    }
    return NULL;
}

static void an_outage_costs_nothing_acknowledged(void **state)
{
    struct store *stores[STORES];
    struct writer w[WORK_WRITERS];
    unsigned acked[WORK_WRITERS], done[WORK_WRITERS], refused = 0;
    char dir[FOLDER_BYTES], why[WORK_WHY];
    struct err err = {0};

    (void)state;
    if (!getenv("CARNET_TEST_STORE"))
        skip();
    folder_new(dir);
    for (unsigned i = 0; i < STORES; i++)
        if (work_open(dir, i == 0, &stores[i], &err) < 0)
            fail_msg("open: %s (%s)", err.text, err.detail);
    /* outage.py begins when it reads this. */
    fprintf(stderr, "writing\n");
    for (unsigned t = 0; t < WORK_WRITERS; t++) {
        w[t] = (struct writer){.st = stores[t % STORES], .t = t};
        assert_int_equal(pthread_create(&w[t].thread, NULL, write_on, &w[t]), 0);
    }
    for (unsigned t = 0; t < WORK_WRITERS; t++) {
        pthread_join(w[t].thread, NULL);
        acked[t] = w[t].done;
        refused += w[t].refused;
        assert_int_equal(w[t].done, setting("CARNET_OPERATIONS", OPERATIONS));
    }
    fprintf(stderr, "written\n");
    if (work_verify_all(stores[0], acked, done, why) < 0)
        fail_msg("%s", why);
    assert_memory_equal(done, acked, sizeof done);
    print_message("%u operations were refused and done again\n", refused);
    for (unsigned i = 0; i < STORES; i++)
        store_close(stores[i]);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_outage_costs_nothing_acknowledged)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
