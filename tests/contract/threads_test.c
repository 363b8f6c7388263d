/* Many at once: conditional creates make one, compare-and-swap updates lose none, readers see whole
 * jobs only. */
#include "contract.h"

#define CREATES 1000
#define THREADS 4
#define UPDATES 60

struct conditional {
    struct store_job job;
    struct put put;
    const struct key_range *range;
    bool created;
    int result;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int pending;

static int run_conditional(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct conditional *c = (struct conditional *)job;
    struct search_clause clause = {
        .kind = CLAUSE_KEYS, .n_ranges = 1, .ranges = (struct key_range *)(uintptr_t)c->range};
    struct search s = {.type = c->put.type, .clauses = &clause, .n_clauses = 1, .count = 2};
    struct version v;
    struct arena a;
    struct page page = {0};
    int r;

    arena_init(&a, KIB(64));
    r = store_search(txn, &s, 0, &a, &page, err);
    if (r == 0 && page.n == 0) {
        r = store_put(txn, &c->put, &v, err);
        c->created = r == 0;
    }
    arena_done(&a);
    return r;
}

static void done_conditional(struct store_job *job, int r, const struct err *err)
{
    struct conditional *c = (struct conditional *)job;

    (void)err;
    pthread_mutex_lock(&lock);
    c->result = r;
    pending--;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
}

static struct key_range range_of(struct world *w, const struct index *index, const char *code)
{
    struct err err;
    struct params *params = params_base(&err);
    const struct param *param = param_find(params, type_of("Patient"), str_c(code));
    struct key_range range = {0};

    (void)w;
    for (size_t i = 0; i < index->n_entries; i++)
        if (index->entries[i].param == param->def.id && !index->entries[i].shared)
            range = (struct key_range){
                .param = param->def.id,
                .point = true,
                .lo = str_n((const char *)index->entries[i].key, index->entries[i].key_n)};
    params_unref(params);
    assert_int_not_equal(range.param, 0);
    return range;
}

static void a_thousand_conditional_creates_make_one(void **state)
{
    static struct conditional jobs[CREATES];
    struct key_range range = {0};
    struct world w;
    struct err err = {0};
    int made = 0;

    (void)state;
    world_open(&w);
    memset(jobs, 0, sizeof jobs);
    for (int i = 0; i < CREATES; i++) {
        char id[16];

        snprintf(id, sizeof id, "c%d", i);
        jobs[i].job =
            (struct store_job){.run = run_conditional, .done = done_conditional, .who = &w.who};
        assert_int_equal(make_put(w.st, &w.a, "Patient", id,
                                  "{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":"
                                  "\"urn:n\",\"value\":\"42\"}]}",
                                  &jobs[i].put, &err),
                         0);
        if (i == 0)
            range = range_of(&w, jobs[i].put.index, "identifier");
        jobs[i].range = &range;
    }
    pending = CREATES;
    for (int i = 0; i < CREATES; i++)
        store_submit(w.st, &jobs[i].job);
    pthread_mutex_lock(&lock);
    while (pending)
        pthread_cond_wait(&wake, &lock);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < CREATES; i++) {
        assert_int_equal(jobs[i].result, 0);
        made += jobs[i].created;
    }
    assert_int_equal(made, 1);
    world_check(&w);
    world_done(&w);
}

/* ---- updates with If-Match, and readers ---- */

struct shared {
    struct world w;
    atomic_bool stop;
    atomic_int lost, torn, reads, failed;
};

struct update {
    struct store_job job;
    struct put puts[2];
    struct version expected;
};

static int run_update(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct update *u = (struct update *)job;
    struct version v;
    struct row row;
    int r = store_get(txn, u->puts[0].type, u->puts[0].id, &row, err);

    if (r < 0)
        return r;
    if (row.version.hlc != u->expected.hlc)
        return err_set(err, ERR_STALE, "another was faster");
    if ((r = store_put(txn, &u->puts[0], &v, err)) < 0)
        return r;
    return store_put(txn, &u->puts[1], &v, err);
}

/* The number in a resource's `language`, and its version. */
static int number_of(struct store *st, struct store_txn *txn, const char *id, struct version *ret,
                     struct err *err)
{
    _cleanup_(sb_done) struct sb out = sb_make(KIB(16));
    struct row row;
    const char *at;

    if (store_get(txn, type_of("Basic"), str_c(id), &row, err) < 0)
        return -1;
    *ret = row.version;
    if (row_json(st, &row, &out, err) < 0)
        return -1;
    sb_char(&out, '\0');
    at = strstr(out.p, "\"language\":\"");
    return at ? (int)strtol(at + 12, NULL, 10) : -1;
}

static int make_pair(struct shared *s, struct arena *a, int number, struct update *u,
                     struct err *err)
{
    struct str text = arena_fmt(a, "{\"resourceType\":\"Basic\",\"language\":\"%d\"}", number);
    int r = make_put(s->w.st, a, "Basic", "left", text.p, &u->puts[0], err);

    return r < 0 ? r : make_put(s->w.st, a, "Basic", "right", text.p, &u->puts[1], err);
}

static void *writer(void *ctx)
{
    struct shared *s = ctx;

    for (int i = 0; i < UPDATES; i++) {
        for (;;) {
            struct update u = {.job = {.run = run_update, .who = &s->w.who}};
            struct store_txn *txn;
            struct arena a;
            struct err err;
            int n, r;

            if (store_begin(s->w.st, &s->w.who, &txn, &err) < 0) {
                atomic_fetch_add(&s->failed, 1);
                return NULL;
            }
            n = number_of(s->w.st, txn, "left", &u.expected, &err);
            store_end(txn);
            arena_init(&a, MIB(1));
            r = make_pair(s, &a, n + 1, &u, &err);
            if (r == 0)
                r = store_write(s->w.st, &u.job, &err);
            arena_done(&a);
            if (r == 0)
                break;
            if (r != ERR_STALE)
                atomic_fetch_add(&s->failed, 1);
        }
    }
    return NULL;
}

static void *reader(void *ctx)
{
    struct shared *s = ctx;

    while (!atomic_load(&s->stop)) {
        struct store_txn *txn;
        struct version v;
        struct err err;
        int left, right;

        if (store_begin(s->w.st, &s->w.who, &txn, &err) < 0) {
            atomic_fetch_add(&s->failed, 1);
            return NULL;
        }
        left = number_of(s->w.st, txn, "left", &v, &err);
        right = number_of(s->w.st, txn, "right", &v, &err);
        store_end(txn);
        if (left < 0 || left != right)
            atomic_fetch_add(&s->torn, 1);
        atomic_fetch_add(&s->reads, 1);
    }
    return NULL;
}

static int run_first(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct update *u = (struct update *)job;
    struct version v;
    int r = store_put(txn, &u->puts[0], &v, err);

    return r < 0 ? r : store_put(txn, &u->puts[1], &v, err);
}

static void updates_lose_none_and_readers_see_whole_jobs(void **state)
{
    static struct shared s;
    struct update first;
    pthread_t writers[THREADS], readers[2];
    struct store_txn *txn;
    struct version v;
    struct err err = {0};

    (void)state;
    memset(&s, 0, sizeof s);
    world_open(&s.w);
    first = (struct update){.job = {.run = run_first, .who = &s.w.who}};
    assert_int_equal(make_pair(&s, &s.w.a, 0, &first, &err), 0);
    assert_int_equal(store_write(s.w.st, &first.job, &err), 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&readers[i], NULL, reader, &s);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&writers[i], NULL, writer, &s);
    for (int i = 0; i < THREADS; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&s.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    txn = world_begin(&s.w);
    assert_int_equal(number_of(s.w.st, txn, "left", &v, &err), THREADS * UPDATES);
    store_end(txn);
    assert_int_equal(atomic_load(&s.torn), 0);
    assert_int_equal(atomic_load(&s.failed), 0);
    assert_true(atomic_load(&s.reads) > 0);
    world_check(&s.w);
    world_done(&s.w);
}

static void *closer(void *ctx)
{
    struct world *w = ctx;
    struct err err;

    for (int i = 0; i < 50; i++)
        if (world_put(w, "Basic", "x", "{\"resourceType\":\"Basic\"}", NULL, &err) < 0)
            return (void *)1;
    return NULL;
}

static void a_copy_is_made_while_others_write(void **state)
{
    struct world w, copy = {0};
    struct store_config config;
    pthread_t thread;
    struct err err = {0};
    void *failed;

    (void)state;
    if (world_on_postgres())
        skip(); /* the database's own tools copy */
    world_open(&w);
    assert_int_equal(world_put(&w, "Basic", "first", "{\"resourceType\":\"Basic\"}", NULL, &err),
                     0);
    pthread_create(&thread, NULL, closer, &w);
    copy.who = w.who;
    snprintf(copy.dir, sizeof copy.dir, "%.50s-copy", w.dir);
    arena_init(&copy.a, MIB(1));
    if (store_backup(w.st, copy.dir, world_keys_file(&w), NULL, NULL, &err) < 0)
        fail_msg("backup: %s %s", err.text, err.detail);
    pthread_join(thread, &failed);
    assert_null(failed);
    config = (struct store_config){.dir = copy.dir, .for_restore = true};
    assert_int_equal(store_open(&config, &copy.st, &err), 0);
    assert_non_null(world_get(&copy, "Basic", "first", &err));
    world_check(&copy);
    world_done(&copy);
    world_done(&w);
}

/* ---- heavy jobs let light ones pass ---- */

#define HEAVY 4

struct lane_job {
    struct store_job job;
    char name;
};

static char order[HEAVY + 8];
static bool gate_open, gate_reached;

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

static int do_nothing(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)txn;
    (void)job;
    (void)err;
    return 0;
}

static void note_order(struct store_job *job, int r, const struct err *err)
{
    (void)err;
    pthread_mutex_lock(&lock);
    order[strlen(order)] = r == 0 ? ((struct lane_job *)job)->name : '!';
    pending--;
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&lock);
}

/* The writer is held up; behind it wait parts of an import, and then a client's two writes. */
static void a_light_job_waits_for_one_heavy_job_at_most(void **state)
{
    struct lane_job jobs[1 + HEAVY + 2] = {0};
    struct world w;

    (void)state;
    world_open(&w);
    pending = (int)ARRAY_LEN(jobs);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i].job.run = i ? do_nothing : wait_at_gate;
        jobs[i].job.done = note_order;
        jobs[i].job.who = &w.who;
        jobs[i].job.weight = i && i <= HEAVY ? 1000 : 1;
        jobs[i].name = !i ? 'g' : i <= HEAVY ? 'H' : 'l';
        store_submit(w.st, &jobs[i].job);
        pthread_mutex_lock(&lock);
        while (!gate_reached)
            pthread_cond_wait(&wake, &lock);
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    gate_open = true;
    pthread_cond_broadcast(&wake);
    while (pending)
        pthread_cond_wait(&wake, &lock);
    pthread_mutex_unlock(&lock);
    assert_string_equal(order, "gllHHHH");
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_conditional_creates_make_one),
        cmocka_unit_test(updates_lose_none_and_readers_see_whole_jobs),
        cmocka_unit_test(a_copy_is_made_while_others_write),
        cmocka_unit_test(a_light_job_waits_for_one_heavy_job_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
