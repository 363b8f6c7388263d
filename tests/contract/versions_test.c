/* Versions: what goes in comes out, as the newest, by version, in history and in the feed. */
#include "contract.h"

#include "base/rng.h"

#include "base/clock.h"

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    world_open(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_check(*state);
    world_done(*state);
    free(*state);
    return 0;
}

static void expect_put(struct world *w, const char *type, const char *id, const char *text,
                       struct version *ret)
{
    struct err err = {0};

    if (world_put(w, type, id, text, ret, &err) < 0)
        fail_msg("put: %s (%s)", err.text, err.detail);
}

static void what_goes_in_comes_out(void **state)
{
    static const char text[] =
        "{\"resourceType\":\"Patient\",\"id\":\"x\",\"meta\":{\"versionId\":\"9\","
        "\"profile\":[\"http://a/b\"],\"lastUpdated\":\"2001-01-01T00:00:00Z\",\"tag\":[]},"
        "\"active\":true,\"x\":[1.0,1e3,\"\\u0001é\\\"\"],"
        "\"contained\":[{\"resourceType\":\"Basic\","
        "\"id\":\"c\",\"meta\":{\"versionId\":\"7\"}}]}";
    struct world *w = *state;
    char version[STORE_VERSION_ID_MAX], instant[CLOCK_INSTANT_MAX];
    struct version v;
    struct err err = {0};
    const char *got;

    expect_put(w, "Patient", "a-1.B", text, &v);
    version_format(&v, version);
    clock_format(hlc_ms(v.hlc), instant);
    got = world_get(w, "Patient", "a-1.B", &err);
    assert_non_null(got);
    assert_string_equal(
        got, arena_fmt(&w->a,
                       "{\"resourceType\":\"Patient\",\"id\":\"a-1.B\","
                       "\"meta\":{\"versionId\":\"%s\","
                       "\"lastUpdated\":\"%s\",\"profile\":[\"http://a/b\"],\"tag\":[]},"
                       "\"active\":true,\"x\":[1.0,1e3,\"\\u0001é\\\"\"],"
                       "\"contained\":[{"
                       "\"resourceType\":\"Basic\",\"id\":\"c\",\"meta\":{\"versionId\":\"7\"}}]}",
                       version, instant)
                 .p);
    expect_put(w, "Basic", "e", "{\"resourceType\":\"Basic\"}", NULL);
    got = world_get(w, "Basic", "e", &err);
    assert_non_null(strstr(got, "Z\"}}"));
    assert_null(world_get(w, "Basic", "a-1.B", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.text, "Basic \"a-1.B\" does not exist");
}

static void versions_follow_each_other(void **state)
{
    struct world *w = *state;
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct version v[4], none;
    struct page page;
    struct err err = {0};
    struct row row;

    for (int i = 0; i < 3; i++)
        expect_put(w, "Basic", "b",
                   arena_fmt(&w->a, "{\"resourceType\":\"Basic\",\"language\":\"%d\"}", i).p,
                   &v[i]);
    expect_put(w, "Basic", "other", "{\"resourceType\":\"Basic\"}", NULL);
    expect_put(w, "Basic", "b", NULL, &v[3]);
    assert_string_equal(world_get(w, "Basic", "b", &err), "");
    for (int i = 1; i < 4; i++)
        assert_true(v[i].hlc > v[i - 1].hlc && v[i].origin == v[0].origin);

    txn = world_begin(w);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(store_get_version(txn, type_of("Basic"), STR("b"), &v[i], &row, &err), 0);
        assert_int_equal(row.version.hlc, v[i].hlc);
        assert_int_equal(row.is_current, i == 3);
        assert_int_equal(row.method == METHOD_DELETE, i == 3);
        assert_str(row.id, STR("b"));
    }
    none = v[3];
    none.hlc++;
    assert_int_equal(store_get_version(txn, type_of("Basic"), STR("b"), &none, &row, &err),
                     ERR_NOT_FOUND);
    none = v[0];
    none.origin++;
    assert_int_equal(store_get_version(txn, type_of("Basic"), STR("b"), &none, &row, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(store_feed(txn, 0, 100, &w->a, &page, &err), 0);
    assert_int_equal(page.n, 5);
    for (size_t i = 1; i < page.n; i++)
        assert_true(page.rows[i] > page.rows[i - 1]);
    assert_int_equal(store_position(txn), page.rows[4]);
    assert_int_equal(store_feed(txn, page.rows[2], 1, &w->a, &page, &err), 0);
    assert_int_equal(page.n, 1);
}

/* What store_each_row is to give, and where it is to be stopped. */
struct asked {
    struct world *w;
    const uint64_t *rows;
    size_t seen, stop_at;
};

static int see_row(void *ctx, const struct row *row, struct err *err)
{
    struct asked *asked = ctx;
    _cleanup_(sb_done) struct sb text = sb_make(KIB(4));

    assert_int_equal(row->row, asked->rows[asked->seen]);
    assert_str(row->id, arena_fmt(&asked->w->a, "i%d", (int)row->row));
    assert_int_equal(row_json(asked->w->st, row, &text, err), 0);
    if (++asked->seen == asked->stop_at)
        return err_set(err, ERR_CONFLICT, "enough");
    return 0;
}

static void rows_come_as_they_are_asked_for(void **state)
{
    struct world *w = *state;
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 40};
    uint64_t rows[40];
    struct err err = {0};

    for (int i = 1; i <= 40; i++)
        expect_put(w, "Basic", arena_fmt(&w->a, "i%d", i).p, "{\"resourceType\":\"Basic\"}", NULL);
    for (size_t i = 0; i < 40; i++)
        rows[i] = i % 10 == 9 ? rows[i - 1] : 1 + i * 7 % 40; /* in no order, some twice */
    txn = world_begin(w);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct asked asked = {w, rows, 0, 0};
        assert_int_equal(store_each_row(txn, rows, sizes[i], see_row, &asked, &err), 0);
        assert_int_equal(asked.seen, sizes[i]);
    }
    for (size_t stop = 1; stop < 40; stop += 5) {
        struct asked asked = {w, rows, 0, stop};
        assert_int_equal(store_each_row(txn, rows, 40, see_row, &asked, &err), ERR_CONFLICT);
        assert_int_equal(asked.seen, stop);
    }
    for (size_t missing = 0; missing < 40; missing += 13) {
        struct asked asked = {w, rows, 0, 0};
        uint64_t kept = rows[missing];
        rows[missing] = 41;
        assert_int_equal(store_each_row(txn, rows, 40, see_row, &asked, &err), ERR_NOT_FOUND);
        assert_int_equal(asked.seen, missing);
        rows[missing] = kept;
    }
}

/* All pages of a history, `count` at a time. */
static size_t history_of(struct world *w, struct history_query q, struct row *ret, size_t max)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = world_begin(w);
    struct page page;
    struct err err = {0};
    size_t n = 0;

    do {
        if (store_history(txn, &q, &w->a, &page, &err) < 0)
            fail_msg("history: %s %s", err.text, err.detail);
        assert_true(page.n <= q.count);
        for (size_t i = 0; i < page.n; i++) {
            assert_true(n < max);
            assert_int_equal(store_get_row(txn, page.rows[i], &ret[n], &err), 0);
            ret[n].id = arena_dup(&w->a, ret[n].id);
            n++;
        }
        q.cursor = page.next;
    } while (page.next.p);
    return n;
}

static void history_is_newest_first(void **state)
{
    struct world *w = *state;
    struct row rows[100];
    struct history_query q;
    size_t n;

    for (int i = 0; i < 30; i++) {
        char id[8];
        snprintf(id, sizeof id, "i%d", i % 7);
        expect_put(w, i % 3 ? "Basic" : "Patient", id,
                   i % 5 == 4 ? NULL : "{\"resourceType\":\"Basic\"}", NULL);
    }
    for (size_t count = 1; count < 40; count += 6) {
        n = history_of(w, (struct history_query){.count = count}, rows, 100);
        assert_int_equal(n, 30);
        for (size_t i = 1; i < n; i++)
            assert_true(rows[i].row < rows[i - 1].row);
        q = (struct history_query){.type = type_of("Patient"), .count = count};
        n = history_of(w, q, rows, 100);
        assert_int_equal(n, 10);
        for (size_t i = 1; i < n; i++)
            assert_true(rows[i].row < rows[i - 1].row && rows[i].type == q.type);
        q.id = STR("i3");
        n = history_of(w, q, rows, 100);
        assert_int_equal(n, 2); /* 3 and 24 */
        assert_true(rows[0].is_current && !rows[1].is_current);
        assert_int_equal(rows[0].method, METHOD_DELETE);
    }
}

static void history_knows_time(void **state)
{
    struct world *w = *state;
    struct version v[3], other;
    struct history_query q = {.type = type_of("Basic"), .id = STR("a"), .count = 10};
    struct row rows[10];

    for (int i = 0; i < 3; i++) {
        expect_put(w, "Basic", "a", "{\"resourceType\":\"Basic\"}", &v[i]);
        usleep(3000);
        expect_put(w, "Basic", "b", "{\"resourceType\":\"Basic\"}", &other);
        usleep(3000);
    }
    q.since_ms = hlc_ms(v[1].hlc);
    assert_int_equal(history_of(w, q, rows, 10), 2);
    q.since_ms = hlc_ms(v[1].hlc) + 1;
    assert_int_equal(history_of(w, q, rows, 10), 1);
    q.since_ms = 0;
    /* Between the first and the second version the first was the newest. */
    q.at_from_ms = hlc_ms(v[0].hlc) + 1;
    q.at_to_ms = q.at_from_ms + 1;
    assert_int_equal(history_of(w, q, rows, 10), 1);
    assert_int_equal(rows[0].version.hlc, v[0].hlc);
    q.at_to_ms = hlc_ms(v[1].hlc) + 1;
    assert_int_equal(history_of(w, q, rows, 10), 2);
    q.id = STR_NULL;
    q.at_from_ms = hlc_ms(v[1].hlc) + 1;
    q.at_to_ms = hlc_ms(v[2].hlc);
    assert_int_equal(history_of(w, q, rows, 10), 3); /* a2, b1, b2 */
}

static void bad_cursors_are_refused(void **state)
{
    struct world *w = *state;
    _cleanup_(store_txn_endp) struct store_txn *txn = world_begin(w);
    static const char *const bad[] = {"", "x", "0", "-1", "99999999999999999999999"};
    struct page page;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct history_query q = {.count = 5, .cursor = str_c(bad[i])};
        assert_int_equal(store_history(txn, &q, &w->a, &page, &err), ERR_VALUE);
    }
}

static int run_fails(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct put_job *p = (struct put_job *)job;
    int r = store_put(txn, &p->put, &p->version, err);

    return r < 0 ? r : err_set(err, ERR_STALE, "no");
}

static void a_failed_job_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct put_job p = {.job = {.run = run_fails, .who = &w->who}};
    struct err err = {0};

    expect_put(w, "Basic", "a", "{\"resourceType\":\"Basic\",\"language\":\"1\"}", NULL);
    make_put(w->st, &w->a, "Basic", "a", "{\"resourceType\":\"Basic\",\"language\":\"2\"}", &p.put,
             &err);
    assert_int_equal(store_write(w->st, &p.job, &err), ERR_STALE);
    assert_non_null(strstr(world_get(w, "Basic", "a", &err), "\"language\":\"1\""));
    make_put(w->st, &w->a, "Basic", "new", "{\"resourceType\":\"Basic\"}", &p.put, &err);
    assert_int_equal(store_write(w->st, &p.job, &err), ERR_STALE);
    assert_null(world_get(w, "Basic", "new", &err));
}

static void access_is_asked(void **state)
{
    struct world *w = *state;
    struct access none = {0}, reader = {.kind = ACCESS_OPEN};
    struct put_job p = {.job = {.run = run_fails, .who = &reader}};
    struct store_txn *txn;
    struct err err = {0};

    assert_int_equal(store_begin(w->st, &none, &txn, &err), ERR_FORBIDDEN);
    make_put(w->st, &w->a, "Basic", "a", "{\"resourceType\":\"Basic\"}", &p.put, &err);
    assert_int_equal(store_write(w->st, &p.job, &err), ERR_FORBIDDEN);
}

static void what_is_written_survives(void **state)
{
    struct world *w = *state;
    struct version v, after;
    struct err err = {0};

    expect_put(w, "Basic", "a", "{\"resourceType\":\"Basic\",\"language\":\"1\"}", &v);
    world_reopen(w);
    assert_non_null(strstr(world_get(w, "Basic", "a", &err), "\"language\":\"1\""));
    expect_put(w, "Basic", "a", "{\"resourceType\":\"Basic\",\"language\":\"2\"}", &after);
    assert_true(after.hlc > v.hlc);
    assert_int_equal(after.origin, v.origin);
}

static int run_expunge(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct put_job *p = (struct put_job *)job;

    return store_expunge(txn, p->put.type, p->put.id, p->ctx, err);
}

static void expunged_is_gone(void **state)
{
    struct world *w = *state;
    size_t n = 0;
    struct put_job p = {.job = {.run = run_expunge, .who = &w->who},
                        .put = {.type = type_of("Basic"), .id = STR("a")},
                        .ctx = &n};
    struct version before, after;
    struct err err = {0};
    struct page page;
    struct store_txn *txn;
    uint64_t position;

    expect_put(w, "Basic", "b", "{\"resourceType\":\"Basic\"}", NULL);
    for (int i = 0; i < 3; i++)
        expect_put(w, "Basic", "a", "{\"resourceType\":\"Basic\"}", &before);
    assert_int_equal(store_write(w->st, &p.job, &err), 0);
    assert_int_equal(n, 3);
    assert_null(world_get(w, "Basic", "a", &err));
    txn = world_begin(w);
    assert_int_equal(store_feed(txn, 0, 10, &w->a, &page, &err), 0);
    assert_int_equal(page.n, 1);
    store_end(txn);
    assert_int_equal(store_write(w->st, &p.job, &err), ERR_NOT_FOUND);
    /* Neither numbers nor the clock are used again, even after a restart. */
    world_reopen(w);
    expect_put(w, "Basic", "a", "{\"resourceType\":\"Basic\"}", &after);
    assert_true(after.hlc > before.hlc);
    txn = world_begin(w);
    position = store_position(txn);
    store_end(txn);
    assert_int_equal(position, 5);
}

static int run_meta(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct put_job *p = (struct put_job *)job;
    struct world *w = p->ctx;
    struct str v;
    int r;

    if ((r = store_meta_get(txn, "x", &w->a, &v, err)) < 0)
        return r;
    assert_null(v.p);
    if ((r = store_meta_set(txn, "x", STR("1"), err)) < 0 ||
        (r = store_meta_set(txn, "x", STR("two"), err)) < 0 ||
        (r = store_meta_get(txn, "x", &w->a, &v, err)) < 0)
        return r;
    assert_str(v, STR("two"));
    return store_claim(txn, STR("name"), err);
}

static void the_node_keeps_small_values(void **state)
{
    struct world *w = *state;
    struct put_job p = {.job = {.run = run_meta, .who = &w->who}, .ctx = w};
    struct store_txn *txn;
    struct err err = {0};
    struct str v;

    assert_int_equal(store_write(w->st, &p.job, &err), 0);
    world_reopen(w);
    txn = world_begin(w);
    assert_int_equal(store_meta_get(txn, "x", &w->a, &v, &err), 0);
    assert_str(v, STR("two"));
    store_end(txn);
}

static void one_process_holds_the_folder(void **state)
{
    struct world *w = *state;
    struct store_config config = {.dir = w->dir};
    struct store *second;
    struct err err = {0};

    if (world_on_postgres())
        skip(); /* many share a database */
    assert_int_equal(store_open(&config, &second, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.text, "in use"));
    config.dir = "/nonexistent/carnet";
    assert_int_equal(store_open(&config, &second, &err), ERR_NOT_FOUND);
}

static void a_snapshot_stays(void **state)
{
    struct world *w = *state;
    struct store_txn *txn;
    struct page page;
    struct err err = {0};
    struct row row;

    expect_put(w, "Basic", "a", "{\"resourceType\":\"Basic\",\"language\":\"1\"}", NULL);
    txn = world_begin(w);
    assert_int_equal(store_get(txn, type_of("Basic"), STR("a"), &row, &err), 0);
    expect_put(w, "Basic", "a", "{\"resourceType\":\"Basic\",\"language\":\"2\"}", NULL);
    expect_put(w, "Basic", "b", "{\"resourceType\":\"Basic\"}", NULL);
    assert_int_equal(store_get(txn, type_of("Basic"), STR("b"), &row, &err), ERR_NOT_FOUND);
    assert_int_equal(store_get(txn, type_of("Basic"), STR("a"), &row, &err), 0);
    assert_int_equal(row.row, 1);
    assert_int_equal(store_feed(txn, 0, 10, &w->a, &page, &err), 0);
    assert_int_equal(page.n, 1);
    store_end(txn);
}

static bool count_progress(void *ctx, uint64_t done, uint64_t all)
{
    assert_true(done <= all);
    *(uint64_t *)ctx = done;
    return true;
}

static void a_copy_is_whole(void **state)
{
    struct world *w = *state, copy = {.who = w->who};
    uint64_t pages = 0;
    struct err err = {0};

    if (world_on_postgres()) {
        assert_int_equal(store_backup(w->st, w->dir, NULL, NULL, NULL, &err), ERR_NOT_SUPPORTED);
        return;
    }
    for (int i = 0; i < 50; i++)
        expect_put(w, "Basic", arena_fmt(&w->a, "i%d", i).p, "{\"resourceType\":\"Basic\"}", NULL);
    snprintf(copy.dir, sizeof copy.dir, "%.50s-copy", w->dir);
    arena_init(&copy.a, MIB(1));
    assert_int_equal(
        store_backup(w->st, copy.dir, world_keys_file(w), count_progress, &pages, &err), 0);
    assert_true(pages > 0);
    assert_int_equal(store_backup(w->st, copy.dir, world_keys_file(w), NULL, NULL, &err),
                     ERR_CONFLICT);
    {
        struct store_config config = {.dir = copy.dir, .for_restore = true};
        assert_int_equal(store_open(&config, &copy.st, &err), 0);
    }
    assert_non_null(world_get(&copy, "Basic", "i49", &err));
    world_check(&copy);
    world_done(&copy);
}

static bool stop_at_once(void *ctx, uint64_t done, uint64_t all)
{
    (void)ctx;
    assert_true(done < all);
    return false;
}

/* More than the pages that are copied between two looks at `progress`. */
static void a_copy_can_be_stopped(void **state)
{
    struct world *w = *state;
    _cleanup_(sb_done) struct sb text = sb_make(MIB(1));
    char dir[80], path[120];
    struct rng rng;
    struct err err = {0};

    if (world_on_postgres())
        skip(); /* the database's own tools copy */
    rng_seed(&rng, 1);
    for (int i = 0; i < 50; i++) {
        sb_reset(&text);
        sb_lit(&text, "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"");
        for (int k = 0; k < 16000; k++)
            sb_fmt(&text, "%016llx", (unsigned long long)rng_next(&rng));
        sb_lit(&text, "\"}}");
        sb_char(&text, '\0');
        expect_put(w, "Basic", arena_fmt(&w->a, "i%d", i).p, text.p, NULL);
    }
    snprintf(dir, sizeof dir, "%.50s-copy", w->dir);
    assert_int_equal(store_backup(w->st, dir, world_keys_file(w), stop_at_once, NULL, &err),
                     ERR_TIMEOUT);
    snprintf(path, sizeof path, "%s/carnet.db.new", dir);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(rmdir(dir), 0);
    world_check(w);
}

static void counts_are_true(void **state)
{
    struct world *w = *state;
    struct store_stats s;
    struct err err = {0};

    for (int i = 0; i < 10; i++)
        expect_put(w, "Basic", arena_fmt(&w->a, "i%d", i % 6).p,
                   i == 9 ? NULL : "{\"resourceType\":\"Basic\"}", NULL);
    assert_int_equal(store_stats(w->st, &s, &err), 0);
    assert_int_equal(s.rows, 10);
    assert_int_equal(s.current, 5);
    assert_int_equal(s.commits, 10);
    assert_true(s.bytes > 0 && (world_on_postgres() || s.wal_bytes > 0));
}

static int run_blobs(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct world *w = ((struct put_job *)job)->ctx;
    struct str v;
    int r;

    if ((r = store_blob_put(txn, STR("a"), 0, STR("first"), err)) < 0 ||
        (r = store_blob_put(txn, STR("a"), 1, STR("old"), err)) < 0 ||
        (r = store_blob_put(txn, STR("a"), 1, STR("se\0nd"), err)) < 0 ||
        (r = store_blob_put(txn, STR("b/c"), 0, STR(""), err)) < 0 ||
        (r = store_blob_put(txn, STR("d"), 0, STR("gone"), err)) < 0 ||
        (r = store_blob_drop(txn, STR("d"), err)) < 0 ||
        (r = store_blob_drop(txn, STR("never"), err)) < 0 ||
        (r = store_blob_get(txn, STR("a"), 1, &w->a, &v, err)) < 0)
        return r;
    assert_str(v, STR("se\0nd"));
    assert_int_equal(store_blob_put(txn, STR(""), 0, STR("x"), NULL), ERR_TOO_LONG);
    return 0;
}

static int run_failing_blob(struct store_txn *txn, struct store_job *job, struct err *err)
{
    int r = store_blob_put(txn, STR("a"), 2, STR("never"), err);

    (void)job;
    return r < 0 ? r : err_set(err, ERR_CONFLICT, "no");
}

static void the_node_keeps_large_values(void **state)
{
    struct world *w = *state;
    struct put_job p = {.job = {.run = run_blobs, .who = &w->who}, .ctx = w};
    struct store_job failing = {.run = run_failing_blob, .who = &w->who};
    struct store_txn *txn;
    struct err err = {0};
    uint64_t bytes;
    struct str v;

    assert_int_equal(store_write(w->st, &p.job, &err), 0);
    assert_int_equal(store_write(w->st, &failing, &err), ERR_CONFLICT);
    world_reopen(w);
    txn = world_begin(w);
    assert_int_equal(store_blob_get(txn, STR("a"), 0, &w->a, &v, &err), 0);
    assert_str(v, STR("first"));
    assert_int_equal(store_blob_get(txn, STR("a"), 2, &w->a, &v, &err), 0);
    assert_null(v.p);
    assert_int_equal(store_blob_get(txn, STR("b/c"), 0, &w->a, &v, &err), 0);
    assert_true(v.p && v.n == 0);
    assert_int_equal(store_blob_next(txn, STR(""), &w->a, &v, &bytes, &err), 0);
    assert_str(v, STR("a"));
    assert_int_equal(bytes, 10);
    assert_int_equal(store_blob_next(txn, v, &w->a, &v, NULL, &err), 0);
    assert_str(v, STR("b/c"));
    assert_int_equal(store_blob_next(txn, v, &w->a, &v, NULL, &err), 0);
    assert_null(v.p);
    store_end(txn);
}

/* The list of tags of a type, by its own number. */
static uint16_t tags_of(struct world *w, const char *type)
{
    struct params *params = store_params(w->st);
    const struct param *param = param_find(params, type_of(type), STR("_tag"));
    uint16_t list = param->spans[0].list;

    assert_int_equal(param->n_spans, 1);
    params_unref(params);
    return list;
}

static void keys_of_a_list_are_told_once_each(void **state)
{
    static const char one[] = "{\"resourceType\":\"Basic\",\"meta\":{\"tag\":[{\"code\":\"b\"}]}}";
    static const char two[] = "{\"resourceType\":\"Basic\",\"meta\":{\"tag\":[{\"code\":\"a\"},"
                              "{\"code\":\"b\"},{\"system\":\"urn:s\",\"code\":\"c\"}]}}";
    struct world *w = *state;
    uint16_t list = tags_of(w, "Basic");
    struct index_seen *seen, *rest;
    struct err err = {0};
    size_t n, n_rest;

    for (int i = 0; i < 20; i++)
        expect_put(w, "Basic", arena_fmt(&w->a, "b%d", i).p, i % 5 ? one : two, NULL);
    {
        _cleanup_(store_txn_endp) struct store_txn *txn = world_begin(w);
        struct row row;
        assert_int_equal(store_index_keys(txn, list, STR(""), 100, &w->a, &seen, &n, &err), 0);
        assert_int_equal(n, 3);
        for (size_t i = 0; i < n; i++) {
            assert_true(!i || str_cmp(seen[i - 1].key, seen[i].key) < 0);
            assert_int_equal(store_get_row(txn, seen[i].row, &row, &err), 0);
            assert_true(row.is_current);
        }
        assert_int_equal(store_index_keys(txn, list, STR(""), 2, &w->a, &rest, &n_rest, &err), 0);
        assert_int_equal(n_rest, 2);
        assert_int_equal(store_index_keys(txn, list, rest[1].key, 2, &w->a, &rest, &n_rest, &err),
                         0);
        assert_int_equal(n_rest, 1);
        assert_true(str_eq(rest[0].key, seen[2].key));
    }
    /* What no current version has is told no more. */
    for (int i = 0; i < 20; i += 5)
        expect_put(w, "Basic", arena_fmt(&w->a, "b%d", i).p, one, NULL);
    {
        _cleanup_(store_txn_endp) struct store_txn *txn = world_begin(w);
        assert_int_equal(store_index_keys(txn, list, STR(""), 100, &w->a, &seen, &n, &err), 0);
        assert_int_equal(n, 1);
        assert_int_equal(
            store_index_keys(txn, tags_of(w, "Patient"), STR(""), 100, &w->a, &seen, &n, &err), 0);
        assert_int_equal(n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(what_goes_in_comes_out),
        T(versions_follow_each_other),
        T(rows_come_as_they_are_asked_for),
        T(history_is_newest_first),
        T(history_knows_time),
        T(bad_cursors_are_refused),
        T(a_failed_job_leaves_nothing),
        T(access_is_asked),
        T(what_is_written_survives),
        T(expunged_is_gone),
        T(the_node_keeps_small_values),
        T(the_node_keeps_large_values),
        T(one_process_holds_the_folder),
        T(a_snapshot_stays),
        T(a_copy_is_whole),
        T(a_copy_can_be_stopped),
        T(counts_are_true),
        T(keys_of_a_list_are_told_once_each),
    };
    int failed = cmocka_run_group_tests_name("store", tests, NULL, NULL);

    world_is_faulty = true;
    return failed + cmocka_run_group_tests_name("faulty", tests, NULL, NULL);
}
