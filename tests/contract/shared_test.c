/* Several processes on one database: nothing committed is skipped by a reader of the feed, one of
 * many conditional creates makes its resource, and what one keeps in memory follows the others.
 * Each store here has connections and a writer of its own, as a process would. */
#include "contract.h"

#include <libpq-fe.h>

#define STORES 3
#define WRITES 60
#define SAME 40

struct node {
    struct store *st;
    struct world *w;
    unsigned n;
    atomic_uint *running;
    unsigned made, failed;
};

static struct store *open_another(struct world *w)
{
    struct store_config config = world_config(w);
    struct store *st;
    struct err err = {0};

    if (store_open(&config, &st, &err) < 0)
        fail_msg("open: %s (%s)", err.text, err.detail);
    return st;
}

static int put_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct put_job *p = (struct put_job *)job;

    return store_put(txn, &p->put, &p->version, err);
}

/* Creates one only where its identifier is not there yet. */
static int put_if_none(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct put_job *p = (struct put_job *)job;
    struct key_range range = {0};
    struct search_clause clause = {.kind = CLAUSE_KEYS, .n_ranges = 1, .ranges = &range};
    struct search s = {.type = p->put.type, .clauses = &clause, .n_clauses = 1, .count = 2};
    struct params *params = params_base(err);
    const struct param *param = param_find(params, p->put.type, STR("identifier"));
    struct arena a;
    struct page page;
    int r;

    for (size_t i = 0; i < p->put.index->n_entries; i++) {
        const struct index_entry *e = &p->put.index->entries[i];
        if (e->param == param->def.id && !e->shared)
            range = (struct key_range){
                .param = e->param, .point = true, .lo = str_n((const char *)e->key, e->key_n)};
    }
    params_unref(params);
    assert_int_not_equal(range.param, 0);
    arena_init(&a, KIB(64));
    r = store_search(txn, &s, 0, &a, &page, err);
    if (r == 0 && page.n == 0 && (r = store_put(txn, &p->put, &p->version, err)) == 0)
        *(unsigned *)p->ctx += 1;
    arena_done(&a);
    return r;
}

static int write_patient(struct node *n, const char *id, const char *text, bool if_none)
{
    struct put_job p = {.job = {.run = if_none ? put_if_none : put_run, .who = &n->w->who},
                        .ctx = &n->made};
    struct arena a;
    struct err err;
    int r;

    arena_init(&a, MIB(1));
    r = make_put(n->st, &a, "Patient", id, text, &p.put, &err);
    if (r == 0)
        r = store_write(n->st, &p.job, &err);
    if (r < 0)
        print_message("write %s: %s (%s)\n", id, err.text, err.detail);
    arena_done(&a);
    return r;
}

static void *write_many(void *ctx)
{
    struct node *n = ctx;
    char id[32];

    for (unsigned i = 0; i < WRITES; i++) {
        snprintf(id, sizeof id, "n%u-%u", n->n, i);
        n->failed += write_patient(n, id, "{\"resourceType\":\"Patient\"}", false) < 0;
        if (i < SAME)
            n->failed += write_patient(n, id,
                                       arena_fmt(&n->w->a,
                                                 "{\"resourceType\":\"Patient\",\"identifier\":"
                                                 "[{\"system\":\"urn:n\",\"value\":\"%u\"}]}",
                                                 i)
                                           .p,
                                       true) < 0;
    }
    atomic_fetch_sub(n->running, 1);
    return NULL;
}

/* What one reader has seen of the feed. */
struct seen {
    uint64_t last, hlc;
};

static void follow(struct world *w, struct store *st, struct seen *seen)
{
    struct store_txn *txn;
    struct arena a;
    struct page page;
    struct row row;
    struct err err;

    arena_init(&a, MIB(1));
    assert_int_equal(store_begin(st, &w->who, &txn, &err), 0);
    assert_int_equal(store_feed(txn, seen->last, 1000, &a, &page, &err), 0);
    for (size_t i = 0; i < page.n; i++) {
        /* Numbers are dense: a gap is a version that would be skipped. */
        assert_int_equal(page.rows[i], seen->last + 1);
        assert_int_equal(store_get_row(txn, page.rows[i], &row, &err), 0);
        assert_true(row.version.hlc > seen->hlc);
        seen->last = page.rows[i];
        seen->hlc = row.version.hlc;
    }
    assert_true(store_position(txn) >= seen->last);
    store_end(txn);
    arena_done(&a);
}

static void the_feed_skips_nothing(void **state)
{
    atomic_uint running = STORES;
    struct node nodes[STORES];
    pthread_t threads[STORES];
    struct store_stats stats;
    struct seen seen = {0};
    unsigned made = 0;
    struct world w;
    struct err err;

    (void)state;
    if (!world_on_postgres())
        skip(); /* one process holds a folder */
    world_open(&w);
    for (unsigned i = 0; i < STORES; i++)
        nodes[i] = (struct node){.st = open_another(&w), .n = i, .running = &running};
    for (unsigned i = 0; i < STORES; i++) {
        nodes[i].w = calloc(1, sizeof w);
        nodes[i].w->who = w.who;
        arena_init(&nodes[i].w->a, MIB(16));
        pthread_create(&threads[i], NULL, write_many, &nodes[i]);
    }
    while (atomic_load(&running))
        follow(&w, w.st, &seen);
    for (unsigned i = 0; i < STORES; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(nodes[i].failed, 0);
        made += nodes[i].made;
        store_close(nodes[i].st);
        arena_done(&nodes[i].w->a);
        free(nodes[i].w);
    }
    follow(&w, w.st, &seen);
    assert_int_equal(made, SAME);
    assert_int_equal(seen.last, STORES * WRITES + SAME);
    assert_int_equal(store_stats(w.st, &stats, &err), 0);
    assert_int_equal(stats.rows, seen.last);
    world_check(&w);
    world_done(&w);
}

/* Sorting by a list walks it in another way once some resource stands in it several times. */
static void what_is_in_memory_follows(void **state)
{
    static const char two[] = "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"A\",\"C\"]}]}";
    static const char one[] = "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"B\"]}]}";
    static const struct search_options opt;
    struct search s = {.type = type_of("Patient"), .n_sort = 1, .count = 10, .opt = &opt};
    struct store *other;
    struct node n;
    struct params *params;
    struct store_txn *txn;
    struct page page;
    struct world w;
    struct err err;

    (void)state;
    if (!world_on_postgres())
        skip();
    world_open(&w);
    params = store_params(w.st);
    s.sort[0].param = param_find(params, s.type, STR("given"));
    other = open_another(&w);
    n = (struct node){.st = other, .w = &w};
    assert_false(list_is_multi(&w.st->lists, s.sort[0].param->spans[0].list));
    assert_int_equal(write_patient(&n, "two", two, false), 0);
    assert_int_equal(write_patient(&n, "one", one, false), 0);
    txn = world_begin(&w);
    assert_int_equal(store_search(txn, &s, 0, &w.a, &page, &err), 0);
    assert_int_equal(page.n, 2);
    assert_int_equal(page.rows[0], 1);
    store_end(txn);
    assert_true(list_is_multi(&w.st->lists, s.sort[0].param->spans[0].list));
    params_unref(params);
    store_close(other);
    world_check(&w);
    world_done(&w);
}

static void run_sql(const char *sql)
{
    PGconn *db = PQconnectdb(getenv("CARNET_TEST_STORE"));
    PGresult *r = PQexec(db, sql);

    assert_true(PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK);
    PQclear(r);
    PQfinish(db);
}

/* A reader asks again by itself what it asked first. */
static void reads(struct world *w, const char *id)
{
    struct err err = {0};

    if (!world_get(w, "Patient", id, &err))
        fail_msg("%s: %s (%s)", id, err.text, err.detail);
}

/* Whoever cuts connections costs nobody what was acknowledged. */
static void connections_that_are_cut_come_back(void **state)
{
    struct node n;
    struct world w;
    char id[16];

    (void)state;
    if (!world_on_postgres())
        skip();
    world_open(&w);
    n = (struct node){.st = w.st, .w = &w};
    for (unsigned i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "p%u", i);
        assert_int_equal(write_patient(&n, id, "{\"resourceType\":\"Patient\"}", false), 0);
        reads(&w, id);
        /* Waits until each of them has gone. */
        run_sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE application_name = 'carnet'");
        reads(&w, id);
    }
    world_check(&w);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_feed_skips_nothing),
        cmocka_unit_test(what_is_in_memory_follows),
        cmocka_unit_test(connections_that_are_cut_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
