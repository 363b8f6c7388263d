/* Every point that can fail fails once, and once for good: what was answered stays true, what
 * failed left nothing, and the store goes on. */
#include "contract.h"

#include "base/fault.h"

#define ROUNDS_A_STORE 12

struct step_ctx {
    struct world *w;
    const char *old; /* what an update expunges besides */
    struct arena a;
    struct err err;
};

static int run_batch(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct put_job *p = (struct put_job *)job;
    size_t n;
    int r;

    if ((r = store_claim(txn, STR("name"), err)) < 0 ||
        (r = store_put(txn, &p->put, &p->version, err)) < 0 ||
        (r = store_meta_set(txn, "job", STR("done"), err)) < 0)
        return r;
    return p->ctx ? store_expunge(txn, type_of("Patient"), str_c(p->ctx), &n, err) : 0;
}

static int write_one(struct step_ctx *c, const char *id, const char *text, bool expunge)
{
    struct put_job p = {.job = {.run = run_batch, .who = &c->w->who},
                        .ctx = expunge ? (void *)c->old : NULL};
    int r = make_put(c->w->st, &c->a, "Patient", id, text, &p.put, &c->err);

    return r < 0 ? r : store_write(c->w->st, &p.job, &c->err);
}

#define TEXT_MAX 200
#define ID_MAX 24

/* What one round writes; another round's are other names. */
struct names {
    char keep[ID_MAX], old[ID_MAX], a[ID_MAX], after[ID_MAX], agent[ID_MAX];
    char other[TEXT_MAX], female[TEXT_MAX], male[TEXT_MAX];
};

static void text_with(char to[TEXT_MAX], const char *gender, unsigned nth)
{
    snprintf(to, TEXT_MAX,
             "{\"resourceType\":\"Patient\",\"active\":true,\"gender\":\"%s\",\"name\":[{"
             "\"family\":\"Abe%u\",\"given\":[\"Cyd\"]}]}",
             gender, nth);
}

static struct names names_of(unsigned nth)
{
    struct names n;

    snprintf(n.keep, ID_MAX, "keep-%u", nth);
    snprintf(n.old, ID_MAX, "old-%u", nth);
    snprintf(n.a, ID_MAX, "a-%u", nth);
    snprintf(n.after, ID_MAX, "after-%u", nth);
    snprintf(n.agent, ID_MAX, "agent-%u", nth);
    text_with(n.other, "other", nth);
    text_with(n.female, "female", nth);
    text_with(n.male, "male", nth);
    return n;
}

static int read_all(struct step_ctx *c, const struct names *n)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    _cleanup_(sb_done) struct sb out = sb_make(MIB(1));
    struct search s = {.type = type_of("Patient"), .count = 10};
    struct history_query q = {.type = type_of("Patient"), .id = str_c(n->a), .count = 10};
    struct page page;
    struct row row;
    int r;

    if ((r = store_begin(c->w->st, &c->w->who, &txn, &c->err)) < 0 ||
        (r = store_get(txn, s.type, str_c(n->keep), &row, &c->err)) < 0 ||
        (r = row_json(c->w->st, &row, &out, &c->err)) < 0 ||
        (r = store_search(txn, &s, 0, &c->a, &page, &c->err)) < 0 ||
        (r = store_feed(txn, 0, 10, &c->a, &page, &c->err)) < 0)
        return r;
    r = store_history(txn, &q, &c->a, &page, &c->err);
    return r == ERR_NOT_FOUND ? 0 : r;
}

static const char *text_of(struct world *w, const char *id)
{
    struct err err;

    return world_get(w, "Patient", id, &err);
}

static bool says(const char *text, const char *gender)
{
    return text && strstr(text, gender);
}

/* One round with one thing failing. Returns whether all went well. */
static bool run_round(struct world *w, unsigned nth, bool sticky, bool *ret_fired)
{
    struct names n = names_of(nth);
    struct step_ctx c = {.w = w, .old = n.old};
    int created, updated, removed, read;
    const char *a;

    w->who.agent = str_c(n.agent);
    assert_int_equal(world_put(w, "Patient", n.keep, n.other, NULL, &c.err), 0);
    assert_int_equal(world_put(w, "Patient", n.old, n.other, NULL, &c.err), 0);
    arena_init(&c.a, MIB(16));
    fault_arm(nth, sticky);
    created = write_one(&c, n.a, n.female, false);
    updated = write_one(&c, n.a, n.male, true);
    read = read_all(&c, &n);
    removed = write_one(&c, n.a, NULL, false);
    *ret_fired = fault_fired();
    fault_arm(0, false);
    arena_done(&c.a);

    world_check(w);
    assert_true(says(text_of(w, n.keep), "other"));
    a = text_of(w, n.a);
    if (removed == 0)
        assert_string_equal(a, "");
    else if (updated == 0)
        assert_true(says(a, "\"male\"") && !text_of(w, n.old));
    else if (created == 0)
        assert_true(says(a, "female"));
    else
        assert_null(a);
    assert_int_equal(world_put(w, "Patient", n.after, n.other, NULL, &c.err), 0);
    world_check(w);
    return created == 0 && updated == 0 && removed == 0 && read == 0;
}

/* Each round has a store that was just opened; a new one, where making one does not take longest.
 */
static void every_point_fails(bool sticky, unsigned step)
{
    unsigned n = 1, rounds_of_one = world_on_postgres() ? ROUNDS_A_STORE : 1;
    bool fired = true;
    struct world w;

    world_open(&w);
    for (unsigned round = 1; fired; round++, n += step) {
        bool well = run_round(&w, n, sticky, &fired);

        assert_true(fired || well);
        if (round % rounds_of_one) {
            world_reopen(&w);
        } else {
            world_done(&w);
            world_open(&w);
        }
    }
    world_done(&w);
    print_message("%u points\n", n);
    assert_true(n > 50);
}

static void once(void **state)
{
    (void)state;
    every_point_fails(false, 1);
}

static void for_good(void **state)
{
    (void)state;
    every_point_fails(true, 7);
}

/* Whether a store is made, where making it failed. */
static bool is_made(const struct world *w)
{
    struct store_config config = world_config(w);
    struct store *st;
    struct err err;

    if (store_open(&config, &st, &err) < 0)
        return false;
    store_close(st);
    return true;
}

static void opening(void **state)
{
    bool fired = true;
    struct world w;
    unsigned n = 1;

    (void)state;
    world_place(&w);
    for (; fired; n++) {
        struct store_config config = world_config(&w);
        struct store *st = NULL;
        struct err err = {0};
        int r;

        config.create = true;
        fault_arm(n, false);
        r = store_open(&config, &st, &err);
        fired = fault_fired();
        fault_arm(0, false);
        assert_true(fired || r == 0);
        /* Whatever failed, there is a whole store or none. */
        if (r == 0)
            store_close(st);
        else if (!is_made(&w))
            continue;
        config.create = false;
        if (store_open(&config, &st, &err) < 0)
            fail_msg("point %u: %s %s", n, err.text, err.detail);
        store_close(st);
        world_displace(&w);
        world_place(&w);
    }
    world_displace(&w);
    print_message("%u points\n", n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening),
        cmocka_unit_test(once),
        cmocka_unit_test(for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
