/* An encrypted store in PostgreSQL (CARNET_KEY, CARNET_TEST_STORE): which key opens it, every way
 * to a body and to a value, nothing that stands for another, keys of owners beside jobs that fail
 * and beside another process; of these on SQLite what does not depend on PostgreSQL. What erasing
 * makes of them: erase_test.c. */
#include "contract.h"

#include "base/fault.h"
#include "vault/master.h"
#include "vault/vault.h"

#include <sys/stat.h>

#define LONG_TEXT KIB(600) /* sent by itself, and not fetched ahead */

static int setup(void **state)
{
    static struct world w;

    world_open(&w);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world_done(*state);
    return 0;
}

static int reopen_with(struct world *w, const char *key_file, struct err *err)
{
    struct store_config config = world_config(w);

    config.key_file = key_file;
    store_close(w->st);
    w->st = NULL;
    return store_open(&config, &w->st, err);
}

static void put(struct world *w, const char *id, const char *text)
{
    struct err err = {0};

    text =
        arena_fmt(&w->a,
                  "{\"resourceType\":\"Patient\",\"contact\":[{\"name\":{\"text\":\"%s\"}}]}", text)
            .p;
    if (world_put(w, "Patient", id, text, NULL, &err) < 0)
        fail_msg("%s: %s (%s)", id, err.text, err.detail);
}

/* As where the making was stopped before there were keys. */
static void a_folder_without_a_store_says_so(void **state)
{
    struct world *w = *state;
    struct store_config config = world_config(w);
    struct store *st;
    struct err err = {0};

    config.dir = arena_fmt(&w->a, "%s/empty", w->dir).p;
    assert_int_equal(mkdir(config.dir, 0700), 0);
    assert_int_equal(store_open(&config, &st, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "holds no store"));
}

static void its_key_is_asked_for(void **state)
{
    struct world *w = *state, plain;
    const char *other = arena_fmt(&w->a, "%s/other-key", w->dir).p;
    struct err err = {0};

    put(w, "a", "text");
    assert_int_equal(reopen_with(w, VAULT_NO_KEY, &err), ERR_REQUIRED);
    assert_non_null(strstr(err.text, "the store in the database is encrypted"));
    assert_int_equal(master_make(other, &err), 0);
    assert_int_equal(reopen_with(w, other, &err), ERR_FORBIDDEN);
    assert_int_equal(reopen_with(w, NULL, &err), 0);
    assert_int_equal(store_rotate(w->st, other, &err), 0);
    put(w, "a", "who has it open goes on");
    assert_int_equal(reopen_with(w, NULL, &err), ERR_FORBIDDEN);
    assert_int_equal(reopen_with(w, other, &err), 0);
    assert_non_null(strstr(world_get(w, "Patient", "a", &err), "goes on"));
    world_sql(w, "UPDATE carnet_meta SET value = substr(value, 2) WHERE name = 'keys'");
    assert_int_equal(reopen_with(w, other, &err), ERR_NO_STORE);
    world_sql(w, "DELETE FROM carnet_meta WHERE name = 'keys'");
    assert_int_equal(reopen_with(w, other, &err), ERR_NO_STORE);

    world_place(&plain);
    arena_init(&plain.a, MIB(1));
    {
        struct store_config config = world_config(&plain);

        config.key_file = VAULT_NO_KEY;
        config.create = true;
        assert_int_equal(store_open(&config, &plain.st, &err), 0);
        assert_int_equal(store_rotate(plain.st, other, &err), ERR_VALUE);
    }
    assert_int_equal(reopen_with(&plain, other, &err),
                     ERR_VALUE); /* somebody believes that it is */
    world_done(&plain);
}

static const char *text_of(struct world *w, const struct row *row)
{
    _cleanup_(sb_done) struct sb out = sb_make(STORE_BODY_MAX);
    struct err err = {0};

    if (row_json(w->st, row, &out, &err) < 0)
        fail_msg("%s", err.text);
    return arena_dup(&w->a, sb_view(&out)).p;
}

static int see_row(void *ctx, const struct row *row, struct err *err)
{
    struct world *w = ctx;

    (void)err;
    assert_false(row->is_locked);
    assert_non_null(strstr(text_of(w, row), "contact"));
    return 0;
}

static void every_way_leads_to_the_text(void **state)
{
    struct world *w = *state;
    char *text = arena_alloc(&w->a, LONG_TEXT + 1);
    struct history_query q = {.type = type_of("Patient"), .count = 10};
    struct store_txn *txn;
    struct page page;
    struct row row;
    struct err err = {0};

    memset(text, 'x', LONG_TEXT);
    text[LONG_TEXT] = '\0';
    for (size_t i = 0; i < LONG_TEXT; i += 3) /* not to be made short */
        text[i] = (char)('a' + (i * i / 7) % 26);
    put(w, "a", "first");
    put(w, "a", "second");
    put(w, "long", text);
    put(w, "b", "third");
    txn = world_begin(w);
    assert_int_equal(store_feed(txn, 0, 10, &w->a, &page, &err), 0);
    assert_int_equal(page.n, 4);
    assert_int_equal(store_each_row(txn, page.rows, page.n, see_row, w, &err), 0);
    assert_int_equal(store_get_row(txn, page.rows[0], &row, &err), 0);
    assert_non_null(strstr(text_of(w, &row), "first"));
    assert_int_equal(store_get_version(txn, row.type, STR("a"), &row.version, &row, &err), 0);
    assert_non_null(strstr(text_of(w, &row), "first"));
    assert_int_equal(store_history(txn, &q, &w->a, &page, &err), 0);
    assert_int_equal(store_each_row(txn, page.rows, page.n, see_row, w, &err), 0);
    store_end(txn);
    assert_non_null(strstr(world_get(w, "Patient", "long", &err), text));
    world_check(w);
}

/* ---- values ---- */

struct value_job {
    struct store_job job;
    struct str name;
    uint32_t part;
    struct str bytes;
};

static int put_value(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct value_job *v = (struct value_job *)job;

    return store_blob_put(txn, v->name, v->part, v->bytes, err);
}

static void value(struct world *w, struct str name, uint32_t part, struct str bytes)
{
    struct value_job v = {{.run = put_value, .who = &w->who}, name, part, bytes};

    assert_int_equal(store_write(w->st, &v.job, NULL), 0);
}

static int get_value(struct world *w, struct str name, uint32_t part, struct str *ret)
{
    struct store_txn *txn = world_begin(w);
    struct err err = {0};
    int r = store_blob_get(txn, name, part, &w->a, ret, &err);

    store_end(txn);
    return r;
}

static void no_value_stands_for_another(void **state)
{
    struct world *w = *state;
    struct store_txn *txn;
    struct str got;
    uint64_t bytes;

    value(w, STR("x"), 0, STR("of x"));
    value(w, STR("x"), 1, STR(""));
    value(w, STR("y"), 0, STR("of y"));
    assert_int_equal(get_value(w, STR("x"), 0, &got), 0);
    assert_true(str_eq(got, STR("of x")));
    assert_int_equal(get_value(w, STR("x"), 1, &got), 0);
    assert_true(got.p && !got.n);
    assert_int_equal(get_value(w, STR("x"), 2, &got), 0);
    assert_null(got.p);
    txn = world_begin(w);
    assert_int_equal(store_blob_next(txn, STR(""), &w->a, &got, &bytes, NULL), 0);
    assert_true(str_eq(got, STR("x")) && bytes == 4); /* without what the sealing adds */
    store_end(txn);
    assert_string_equal(world_sql(w, "SELECT count(*) FROM carnet_blob WHERE position('of'::bytea"
                                     " IN bytes) > 0"),
                        "0");
    world_sql(w, "UPDATE carnet_blob SET bytes = (SELECT bytes FROM carnet_blob WHERE name = 'y')"
                 " WHERE name = 'x' AND piece = 0");
    assert_int_equal(get_value(w, STR("x"), 0, &got), ERR_NO_STORE);
    world_sql(w, "UPDATE carnet_blob SET bytes = 'short' WHERE name = 'y'");
    assert_int_equal(get_value(w, STR("y"), 0, &got), ERR_NO_STORE);
}

static void no_body_stands_for_another(void **state)
{
    static const char set_body[] =
        "UPDATE carnet_version SET body = decode('%.*s', 'hex') WHERE row = %d";
    _cleanup_(sb_done) struct sb hex = sb_make(KIB(4));
    struct world *w = *state;
    struct put forged;
    struct err err = {0};
    const char *first, *of_b;

    put(w, "a", "first");
    put(w, "a", "second");
    put(w, "b", "of b");
    first = world_sql(w, "SELECT encode(body, 'hex') FROM carnet_version WHERE row = 1");
    /* One that nobody has sealed, from somebody who has a login and no key. */
    assert_int_equal(make_put(w->st, &w->a, "Patient", "b",
                              "{\"resourceType\":\"Patient\",\"gender\":\"other\"}", &forged, &err),
                     0);
    for (size_t i = 0; i < forged.sealed.n; i++)
        sb_fmt(&hex, "%02x", (unsigned char)forged.sealed.p[i]);
    of_b = world_sql(w, "SELECT encode(body, 'hex') FROM carnet_version WHERE row = 3");
    world_sql(w, arena_fmt(&w->a, set_body, (int)hex.n, hex.p, 3).p);
    assert_null(world_get(w, "Patient", "b", &err));
    assert_int_equal(err.code, ERR_NO_STORE);
    world_sql(w, arena_fmt(&w->a, set_body, (int)strlen(of_b), of_b, 3).p);
    world_sql(w, arena_fmt(&w->a, set_body, (int)strlen(first), first, 2).p); /* the owner's own */
    assert_null(world_get(w, "Patient", "a", &err));
    assert_int_equal(err.code, ERR_NO_STORE);
    assert_non_null(world_get(w, "Patient", "b", &err));
    world_sql(w,
              "UPDATE carnet_person SET key = (SELECT key FROM carnet_person WHERE n = 1), mark ="
              " (SELECT mark FROM carnet_person WHERE n = 1) WHERE n = 2");
    world_reopen(w); /* what connections have of keys */
    assert_null(world_get(w, "Patient", "b", &err));
    assert_int_equal(err.code, ERR_NO_STORE);
}

/* ---- keys of owners ---- */

static int put_and_fail(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct put_job *p = (struct put_job *)job;
    struct row row;
    int r = store_put(txn, &p->put, &p->version, err);

    assert_int_equal(r, 0);
    assert_int_equal(store_get(txn, p->put.type, p->put.id, &row, err), 0); /* not sent yet */
    assert_false(row.is_locked);
    assert_int_equal(body_json(row.type, row.id, &row.version, row.sealed, p->ctx, err), 0);
    return err_set(err, ERR_VALUE, "on purpose");
}

static void a_key_goes_with_the_job_that_made_it(void **state)
{
    _cleanup_(sb_done) struct sb out = sb_make(MIB(1));
    struct world *w = *state;
    struct put_job p = {.job = {.run = put_and_fail, .who = &w->who}, .ctx = &out};
    struct err err = {0};

    put(w, "a", "kept");
    assert_int_equal(make_put(w->st, &w->a, "Patient", "z",
                              "{\"resourceType\":\"Patient\",\"gender\":\"other\"}", &p.put, &err),
                     0);
    assert_int_equal(store_write(w->st, &p.job, &err), ERR_VALUE);
    assert_non_null(strstr(out.p, "other"));
    put(w, "y", "takes the number");
    put(w, "z", "has one after all");
    world_reopen(w);
    assert_non_null(world_get(w, "Patient", "y", &err));
    assert_non_null(world_get(w, "Patient", "z", &err));
    assert_string_equal(
        world_sql(w, "SELECT string_agg(n::text, ' ' ORDER BY n) FROM carnet_person"), "1 2 3");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static bool gate_reached, gate_open;
static int pending;

static int wait_at_gate(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)txn;
    (void)job;
    (void)err;
    pthread_mutex_lock(&lock);
    gate_reached = true;
    pthread_cond_broadcast(&wake);
    while (!gate_open)
        pthread_cond_wait(&wake, &lock);
    pthread_mutex_unlock(&lock);
    return 0;
}

static int put_only(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct put_job *p = (struct put_job *)job;

    return store_put(txn, &p->put, &p->version, err);
}

static int fail_at_once(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)txn;
    (void)job;
    return err_set(err, ERR_VALUE, "on purpose");
}

/* What comes next, the end of the group, fails. */
static int fail_the_group(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)txn;
    (void)job;
    (void)err;
    fault_arm(1, false);
    return 0;
}

static void note_end(struct store_job *job, int r, const struct err *err)
{
    (void)job;
    (void)err;
    pthread_mutex_lock(&lock);
    pending--;
    if (r >= 0 && job->run != wait_at_gate)
        pending = -1; /* it should have failed */
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&lock);
}

/* A member makes the key, another one is undone, a third reads the key again: then all are undone.
 */
static void a_key_goes_with_the_group_that_made_it(void **state)
{
    int (*const runs[])(struct store_txn *, struct store_job *, struct err *) = {
        wait_at_gate, put_only, fail_at_once, put_only, fail_the_group};
    struct put_job jobs[ARRAY_LEN(runs)] = {0};
    struct world *w = *state;
    struct err err = {0};

    put(w, "a", "kept");
    gate_reached = gate_open = false;
    pending = (int)ARRAY_LEN(runs);
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        jobs[i].job = (struct store_job){.run = runs[i], .done = note_end, .who = &w->who};
        assert_int_equal(make_put(w->st, &w->a, "Patient", "z",
                                  "{\"resourceType\":\"Patient\",\"gender\":\"other\"}",
                                  &jobs[i].put, &err),
                         0);
        store_submit(w->st, &jobs[i].job);
        pthread_mutex_lock(&lock);
        while (!gate_reached)
            pthread_cond_wait(&wake, &lock);
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    gate_open = true;
    pthread_cond_broadcast(&wake);
    while (pending > 0)
        pthread_cond_wait(&wake, &lock);
    pthread_mutex_unlock(&lock);
    assert_int_equal(pending, 0);
    assert_true(fault_fired());
    fault_arm(0, false);
    put(w, "z", "has a key of its own");
    world_reopen(w);
    if (!world_get(w, "Patient", "z", &err))
        fail_msg("%s", err.text);
    assert_non_null(world_get(w, "Patient", "a", &err));
}

static void processes_share_owners_keys(void **state)
{
    struct world *w = *state, other = *w;
    struct store_config config = world_config(w);
    struct err err = {0};

    arena_init(&other.a, MIB(16));
    assert_int_equal(store_open(&config, &other.st, &err), 0);
    put(w, "a", "here");
    put(&other, "b", "there");
    put(&other, "a", "there too");
    put(w, "c", "here");
    put(w, "b", "here too");
    assert_non_null(strstr(world_get(w, "Patient", "a", &err), "there too"));
    assert_non_null(strstr(world_get(&other, "Patient", "b", &err), "here too"));
    assert_string_equal(
        world_sql(w, "SELECT string_agg(n::text, ' ' ORDER BY n) FROM carnet_person"), "1 2 3");
    store_close(other.st);
    arena_done(&other.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_key_is_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(every_way_leads_to_the_text, setup, teardown),
        cmocka_unit_test_setup_teardown(no_value_stands_for_another, setup, teardown),
        cmocka_unit_test_setup_teardown(no_body_stands_for_another, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_goes_with_the_job_that_made_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_goes_with_the_group_that_made_it, setup, teardown),
        cmocka_unit_test_setup_teardown(processes_share_owners_keys, setup, teardown),
    };
    const struct CMUnitTest anywhere[] = {
        cmocka_unit_test_setup_teardown(a_folder_without_a_store_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(every_way_leads_to_the_text, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_goes_with_the_group_that_made_it, setup, teardown),
    };

    if (!world_on_postgres())
        return cmocka_run_group_tests(anywhere, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
