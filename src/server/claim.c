#include "server/claim.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

#define CLAIM_TEXT_MAX 64

/* Until when somebody's claim holds, 0: nobody's; and whose it is. */
static int read_claim(const struct claim *c, struct store_txn *txn, uint64_t *ret_whose,
                      int64_t *ret_until, struct err *err)
{
    char line[CLAIM_TEXT_MAX];
    struct str text;
    struct arena a;
    int r;

    *ret_whose = 0;
    *ret_until = 0;
    arena_init(&a, KIB(4));
    r = store_meta_get(txn, c->name, &a, &text, err);
    if (r >= 0 && text.p) {
        snprintf(line, sizeof line, "%.*s", STR_ARG(text));
        if (sscanf(line, "%" SCNx64 " %" SCNd64, ret_whose, ret_until) != 2)
            *ret_until = 0;
    }
    arena_done(&a);
    return r;
}

static int write_claim(const struct claim *c, struct store_txn *txn, int64_t until, struct err *err)
{
    char line[CLAIM_TEXT_MAX];

    snprintf(line, sizeof line, "%016" PRIx64 " %" PRId64, c->me, until);
    return store_meta_set(txn, c->name, str_c(line), err);
}

int claim_take(const struct claim *c, struct store_txn *txn, struct err *err)
{
    int64_t now = clock_now_ms(), until;
    uint64_t whose;
    int r = read_claim(c, txn, &whose, &until, err);

    if (r < 0 || (whose != c->me && until > now))
        return MIN(r, 0);
    r = write_claim(c, txn, now + c->ms, err);
    return r < 0 ? r : 1;
}

struct release {
    struct store_job job; /* first */
    const struct claim *claim;
};

static int run_release(struct store_txn *txn, struct store_job *job, struct err *err)
{
    const struct claim *c = ((const struct release *)job)->claim;
    int64_t until;
    uint64_t whose;
    int r = read_claim(c, txn, &whose, &until, err);

    return r < 0 || whose != c->me || !until ? MIN(r, 0) : write_claim(c, txn, 0, err);
}

void claim_release(const struct claim *c, struct store *store, const struct access *who)
{
    struct release s = {.job = {.run = run_release, .who = who}, .claim = c};
    struct err unused;

    if (store_is_shared(store))
        store_write(store, &s.job, &unused);
}
