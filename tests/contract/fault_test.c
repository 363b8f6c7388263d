/* Every point that can fail fails once, and once for good: what was answered stays true, what
 * failed left nothing, and the store goes on. */
#include "contract.h"

#include "base/fault.h"

struct step_ctx {
    struct world *w;
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
    return p->ctx ? store_expunge(txn, type_of("Patient"), STR("old"), &n, err) : 0;
}

static int write_one(struct step_ctx *c, const char *id, const char *text, bool expunge)
{
    struct put_job p = {.job = {.run = run_batch, .who = &c->w->who}, .ctx = expunge ? c : NULL};
    int r = make_put(c->w->st, &c->a, "Patient", id, text, &p.put, &c->err);

    return r < 0 ? r : store_write(c->w->st, &p.job, &c->err);
}

#define TEXT(n) "{\"resourceType\":\"Patient\",\"active\":true,\"gender\":\"" n "\"," \
                "\"name\":[{\"family\":\"Abe\",\"given\":[\"Cyd\"]}]}"

static int read_all(struct step_ctx *c)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    _cleanup_(sb_done) struct sb out = sb_make(MIB(1));
    struct search s = {.type = type_of("Patient"), .count = 10};
    struct history_query q = {.type = type_of("Patient"), .id = STR("a"), .count = 10};
    struct page page;
    struct row row;
    int r;

    if ((r = store_begin(c->w->st, &c->w->who, &txn, &c->err)) < 0 ||
        (r = store_get(txn, s.type, STR("keep"), &row, &c->err)) < 0 ||
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

/* One round on a fresh folder with one thing failing. Returns whether all went well. */
static bool run_round(unsigned nth, bool sticky, bool *ret_fired)
{
    struct world w;
    struct step_ctx c = {.w = &w};
    int created, updated, removed, read;
    const char *a;

    world_open(&w);
    assert_int_equal(world_put(&w, "Patient", "keep", TEXT("other"), NULL, &c.err), 0);
    assert_int_equal(world_put(&w, "Patient", "old", TEXT("other"), NULL, &c.err), 0);
    arena_init(&c.a, MIB(16));
    fault_arm(nth, sticky);
    created = write_one(&c, "a", TEXT("female"), false);
    updated = write_one(&c, "a", TEXT("male"), true);
    read = read_all(&c);
    removed = write_one(&c, "a", NULL, false);
    *ret_fired = fault_fired();
    fault_arm(0, false);
    arena_done(&c.a);

    world_check(&w);
    assert_true(says(text_of(&w, "keep"), "other"));
    a = text_of(&w, "a");
    if (removed == 0)
        assert_string_equal(a, "");
    else if (updated == 0)
        assert_true(says(a, "\"male\"") && !text_of(&w, "old"));
    else if (created == 0)
        assert_true(says(a, "female"));
    else
        assert_null(a);
    assert_int_equal(world_put(&w, "Patient", "after", TEXT("other"), NULL, &c.err), 0);
    world_check(&w);
    world_done(&w);
    return created == 0 && updated == 0 && removed == 0 && read == 0;
}

static void every_point_fails(bool sticky, unsigned step)
{
    unsigned n = 1;
    bool fired = true;

    for (; fired; n += step) {
        bool well = run_round(n, sticky, &fired);
        if (!fired)
            assert_true(well);
    }
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

static void opening(void **state)
{
    unsigned n = 1;
    bool fired = true;

    (void)state;
    for (; fired; n++) {
        char dir[] = "/tmp/carnet-open-XXXXXX", cmd[80], path[80];
        struct store_config config = {.dir = mkdtemp(dir), .create = true};
        struct store *st = NULL;
        struct err err = {0};
        int r;

        fault_arm(n, false);
        r = store_open(&config, &st, &err);
        fired = fault_fired();
        fault_arm(0, false);
        if (r == 0) {
            store_close(st);
            config.create = false;
        } else {
            assert_true(fired);
            snprintf(path, sizeof path, "%s/carnet.db", dir);
            config.create = access(path, F_OK) != 0;
        }
        /* Whatever failed, the folder holds a whole store or none. */
        if (store_open(&config, &st, &err) < 0)
            fail_msg("point %u: %s %s", n, err.text, err.detail);
        store_close(st);
        snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
        assert_int_equal(system(cmd), 0);
    }
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
