/* A person is erased: what is theirs, what is shared, what is others'; nothing of it in the files
 * afterwards, and nothing that an older copy brings back. Where the store is encrypted
 * (CARNET_KEY), with a key for each person. */
#include "contract.h"

#include "base/fault.h"
#include "fhir/search.h"

#include <fcntl.h>
#include <ftw.h>
#include <libpq-fe.h>
#include <sys/stat.h>

#define SECRET "Xiloquenthazar"
#define NUMBER "918273645"
#define FREE_TEXT "hurt by qwollopsy uncle"

static const struct access upkeep = {
    .kind = ACCESS_SYSTEM, .agent = {"test", 4}, .may_write = true};

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

static bool is_sealed(void)
{
    return getenv("CARNET_KEY") != NULL;
}

static void put(struct world *w, const char *type, const char *id, const char *text)
{
    struct err err = {0};

    if (world_put(w, type, id, text, NULL, &err) < 0)
        fail_msg("%s/%s: %s (%s)", type, id, err.text, err.detail);
}

/* Two people, what each has, and what they share. */
static void people(struct world *w)
{
    put(w, "Patient", "a",
        "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"" SECRET "\"}],"
        "\"identifier\":[{\"system\":\"urn:n\",\"value\":\"" NUMBER "\"}]}");
    put(w, "Patient", "b", "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"Bello\"}]}");
    put(w, "Patient", "ab", "{\"resourceType\":\"Patient\"}");
    put(w, "Observation", "of-a",
        "{\"resourceType\":\"Observation\",\"status\":\"final\",\"subject\":{\"reference\":"
        "\"Patient/a\"},\"code\":{\"coding\":[{\"system\":\"urn:c\",\"code\":\"1\",\"display\":"
        "\"common display\"}],\"text\":\"" FREE_TEXT "\"}}");
    put(w, "Observation", "of-b",
        "{\"resourceType\":\"Observation\",\"status\":\"final\",\"subject\":{\"reference\":"
        "\"Patient/b\"},\"code\":{\"coding\":[{\"system\":\"urn:c\",\"code\":\"1\",\"display\":"
        "\"common display\"}]}}");
    put(w, "Observation", "of-ab",
        "{\"resourceType\":\"Observation\",\"status\":\"final\",\"subject\":{\"reference\":"
        "\"Patient/ab\"},\"code\":{\"text\":\"x\"}}");
    /* Once of a, filed wrongly, and then of b. */
    put(w, "Condition", "moved",
        "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/a\"},"
        "\"code\":{\"text\":\"" SECRET "\"}}");
    put(w, "Condition", "moved",
        "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/b\"}}");
    put(w, "Condition", "gone",
        "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/a\"},"
        "\"code\":{\"text\":\"" SECRET "\"}}");
    put(w, "Condition", "gone", NULL);
    put(w, "Appointment", "both",
        "{\"resourceType\":\"Appointment\",\"status\":\"booked\",\"participant\":[{\"actor\":"
        "{\"reference\":\"Patient/a\"},\"status\":\"accepted\"},{\"actor\":{\"reference\":"
        "\"Patient/b\"},\"status\":\"accepted\"}]}");
    put(w, "Bundle", "document",
        "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"resource\":"
        "{\"resourceType\":\"Patient\",\"identifier\":[{\"value\":\"" NUMBER "\"}]}}]}");
    put(w, "Binary", "scan", "{\"resourceType\":\"Binary\",\"contentType\":\"text/plain\"}");
    put(w, "DocumentReference", "doc",
        "{\"resourceType\":\"DocumentReference\",\"status\":\"current\",\"subject\":{\"reference\":"
        "\"Patient/a\"},\"content\":[{\"attachment\":{\"url\":\"Binary/scan\"}}]}");
    put(w, "Communication", "of-b",
        "{\"resourceType\":\"Communication\",\"status\":\"completed\",\"subject\":{\"reference\":"
        "\"Patient/b\"},\"about\":[{\"reference\":\"Patient/a\"}]}");
}

static struct erase_plan plan_of(struct world *w, const char *id, bool with_shared)
{
    struct erase_plan plan;
    struct err err = {0};

    if (store_erase_find(w->st, &upkeep, str_c(id), with_shared, &w->a, &plan, &err) < 0)
        fail_msg("find: %s (%s)", err.text, err.detail);
    return plan;
}

struct erase_job {
    struct store_job job;
    const struct erase_plan *plan;
};

static int run_erase(struct store_txn *txn, struct store_job *job, struct err *err)
{
    return store_erase(txn, ((struct erase_job *)job)->plan, err);
}

static void erase(struct world *w, const struct erase_plan *plan)
{
    struct erase_job e = {.job = {.run = run_erase, .who = &upkeep}, .plan = plan};
    struct err err = {0};

    if (store_write(w->st, &e.job, &err) < 0 || store_remake(w->st, NULL, NULL, &err) < 0)
        fail_msg("erase: %s (%s)", err.text, err.detail);
}

/* 'w': all of it goes, 'v': one version, '-': not in the plan; upper case: shared, 'o': others'. */
static char told(const struct erase_plan *plan, const char *type, const char *id)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct erase_item *item = &plan->items[i];

        if (item->type != type_of(type) || !str_eq(item->id, str_c(id)))
            continue;
        if (item->kind == ERASE_OTHERS)
            return 'o';
        return item->kind == ERASE_SHARED ? (item->row ? 'V' : 'W') : item->row ? 'v' : 'w';
    }
    return '-';
}

static void whose_it_is_is_told(void **state)
{
    struct world *w = *state;
    struct erase_plan plan;

    people(w);
    plan = plan_of(w, "a", false);
    assert_int_equal(told(&plan, "Patient", "a"), 'w');
    assert_int_equal(told(&plan, "Patient", "ab"), '-'); /* an id that begins alike */
    assert_int_equal(told(&plan, "Patient", "b"), '-');
    assert_int_equal(told(&plan, "Observation", "of-a"), 'w');
    assert_int_equal(told(&plan, "Observation", "of-b"), '-');
    assert_int_equal(told(&plan, "Observation", "of-ab"), '-');
    assert_int_equal(told(&plan, "Condition", "moved"), 'v');
    assert_int_equal(told(&plan, "Condition", "gone"), 'w');
    assert_int_equal(told(&plan, "Appointment", "both"), 'W');
    assert_int_equal(told(&plan, "Bundle", "document"), 'W');
    assert_int_equal(told(&plan, "Binary", "scan"), 'W');
    assert_int_equal(told(&plan, "DocumentReference", "doc"), 'w');
    assert_int_equal(told(&plan, "Communication", "of-b"), 'o');
    assert_int_equal(plan.n_of[ERASE_OWN], 5);
    assert_int_equal(plan.n_of[ERASE_SHARED], 3);
    assert_int_equal(plan.n_of[ERASE_OTHERS], 1);
}

/* Whether a folder's files hold a text. */
static bool holds(const char *path, const char *text)
{
    char *bytes;
    struct stat st;
    bool found;
    int fd;

    fd = open(path, O_RDONLY);
    if (fd < 0)
        return false;
    assert_int_equal(fstat(fd, &st), 0);
    bytes = malloc((size_t)st.st_size + 1);
    assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
    close(fd);
    found = memmem(bytes, (size_t)st.st_size, text, strlen(text)) != NULL;
    free(bytes);
    return found;
}

static const char *sought;

static int holds_sought(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    return kind == FTW_F && holds(path, sought);
}

/* Every file of every table that the database has, also on Citus's workers. */
static bool is_in_tables(struct world *w, const char *text)
{
    bool is_sharded =
        strcmp(world_sql(w, "SELECT to_regclass('carnet_home') IS NOT NULL"), "t") == 0;
    struct str dirs, dir;
    bool found = false;

    world_sql(w, is_sharded ? "SELECT run_command_on_all_nodes('CHECKPOINT')" : "CHECKPOINT");
    dirs = str_c(world_sql(w, is_sharded ? "SELECT result FROM run_command_on_all_nodes('SELECT"
                                           " current_setting(''data_directory'')')"
                                         : "SHOW data_directory"));
    sought = text;
    while (str_split(&dirs, '\n', &dir) && !found)
        found = nftw(arena_fmt(&w->a, "%.*s/base", STR_ARG(dir)).p, holds_sought, 16, 0) > 0;
    return found;
}

static bool is_in_files(struct world *w, const char *text)
{
    if (world_on_postgres())
        return is_in_tables(w, text);
    return holds(arena_fmt(&w->a, "%s/carnet.db", w->dir).p, text) ||
           holds(arena_fmt(&w->a, "%s/carnet.db-wal", w->dir).p, text);
}

static size_t found_by(struct world *w, const char *type, const char *query)
{
    struct search_options opt = {.index = *store_index_options(w->st), .strict = true};
    struct store_txn *txn = world_begin(w);
    struct params *params = store_params(w->st);
    struct page page = {.n = 0};
    struct search s;
    struct err err = {0};

    if (search_parse(&w->a, params, &opt, type_of(type), str_c(query), &s, &err) < 0 ||
        store_search(txn, &s, 0, &w->a, &page, &err) < 0)
        fail_msg("%s: %s", query, err.text);
    params_unref(params);
    store_end(txn);
    return page.n;
}

static void nothing_is_left_of_a_person(void **state)
{
    struct world *w = *state;
    struct erase_plan plan;
    struct err err = {0};

    people(w);
    if (!is_sealed() || world_on_postgres()) {
        assert_true(is_in_files(w, "xiloquenthazar")); /* in the index, folded */
        assert_true(is_in_files(w, FREE_TEXT));        /* among its terms */
    }
    plan = plan_of(w, "a", true);
    erase(w, &plan);
    assert_false(is_in_files(w, "xiloquenthazar"));
    assert_false(is_in_files(w, NUMBER));
    assert_false(is_in_files(w, FREE_TEXT));
    assert_null(world_get(w, "Patient", "a", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_null(world_get(w, "Condition", "gone", &err));
    assert_null(world_get(w, "Appointment", "both", &err));
    assert_non_null(world_get(w, "Condition", "moved", &err));
    assert_non_null(world_get(w, "Observation", "of-b", &err));
    assert_int_equal(found_by(w, "Observation", "code:text=common"), 1); /* others' terms stay */
    assert_int_equal(store_erase_find(w->st, &upkeep, STR("a"), true, &w->a, &plan, &err),
                     ERR_NOT_FOUND);
    world_check(w);
    /* The store goes on, also with a person of that name, who has another key. */
    put(w, "Patient", "a", "{\"resourceType\":\"Patient\"}");
    world_reopen(w);
    assert_non_null(world_get(w, "Patient", "a", &err));
    world_check(w);
}

static void what_is_shared_can_stay(void **state)
{
    struct world *w = *state;
    struct erase_plan plan;
    struct err err = {0};

    people(w);
    plan = plan_of(w, "a", false);
    erase(w, &plan);
    assert_null(world_get(w, "Patient", "a", &err));
    assert_non_null(world_get(w, "Appointment", "both", &err));
    assert_non_null(world_get(w, "Bundle", "document", &err));
    assert_non_null(world_get(w, "Binary", "scan", &err));
    world_check(w);
}

static void others_may_not_erase(void **state)
{
    struct world *w = *state;
    struct erase_plan plan;
    struct erase_job e = {.job = {.run = run_erase, .who = &w->who}, .plan = &plan};
    struct err err = {0};

    people(w);
    plan = plan_of(w, "b", false);
    assert_int_equal(store_write(w->st, &e.job, &err), ERR_FORBIDDEN);
    assert_non_null(world_get(w, "Patient", "b", &err));
}

/* What an old copy of the database has opens no more; others' does. */
static void a_database_put_back_has_lost_the_key(void **state)
{
    struct world *w = *state;
    struct erase_plan plan;
    struct err err = {0};

    if (!is_sealed() || !world_on_postgres())
        skip();
    people(w);
    assert_string_equal(
        world_sql(w, "SELECT count(*) FROM carnet_version WHERE get_byte(body, 2) = 0"),
        "0"); /* the number of the key: each has one */
    world_sql(w, "CREATE TABLE before AS SELECT * FROM carnet_version");
    plan = plan_of(w, "a", true);
    erase(w, &plan);
    world_sql(w, "INSERT INTO carnet_version SELECT * FROM before ON CONFLICT DO NOTHING");
    assert_null(world_get(w, "Patient", "a", &err));
    assert_int_equal(err.code, ERR_NO_STORE);
    assert_null(world_get(w, "Observation", "of-a", &err));
    assert_non_null(world_get(w, "Observation", "of-b", &err));
}

/* What cannot be read must not be taken for what is not there. */
static void a_plan_is_whole_or_none(void **state)
{
    struct world *w = *state;
    struct erase_plan whole, plan;
    struct err err = {0};

    if (world_on_postgres())
        skip(); /* the same code */
    people(w);
    whole = plan_of(w, "a", true);
    FAULT_LOOP(false) {
        if (store_erase_find(w->st, &upkeep, STR("a"), true, &w->a, &plan, &err) >= 0) {
            assert_int_equal(plan.n, whole.n);
            assert_int_equal(plan.n_terms, whole.n_terms);
        }
    }
}

/* Ends the other program's transaction when the server is waited for. */
static bool end_other(void *ctx, uint64_t done, uint64_t all)
{
    PGconn **other = ctx;

    (void)done;
    (void)all;
    PQfinish(*other);
    *other = NULL;
    return true;
}

static bool stop_waiting(void *ctx, uint64_t done, uint64_t all)
{
    (void)ctx;
    (void)done;
    (void)all;
    return false;
}

/* Else the server keeps for it what is to go. */
static void no_other_transaction_sees_what_was_removed(void **state)
{
    struct world *w = *state;
    struct erase_plan plan;
    struct erase_job e = {.job = {.run = run_erase, .who = &upkeep}, .plan = &plan};
    struct err err = {0};
    PGconn *other;

    if (!world_on_postgres())
        skip();
    people(w);
    other = PQconnectdb(w->uri);
    PQclear(PQexec(other, "BEGIN ISOLATION LEVEL REPEATABLE READ"));
    PQclear(PQexec(other, "SELECT 1"));
    plan = plan_of(w, "a", true);
    assert_int_equal(store_write(w->st, &e.job, &err), 0);
    assert_int_equal(store_remake(w->st, stop_waiting, NULL, &err), ERR_TIMEOUT);
    assert_int_equal(store_remake(w->st, end_other, &other, &err), 0);
    assert_null(other);
    world_sql(w, "ANALYZE carnet_version");
    assert_string_equal(world_sql(w, "SELECT pg_stat_get_dead_tuples('carnet_version'::regclass)"),
                        "0");
}

/* ---- copies of an encrypted store ---- */

static const char *beside(struct world *w, const char *suffix)
{
    return arena_fmt(&w->a, "%.50s-%s", w->dir, suffix).p;
}

static void copy_to(struct world *w, struct world *copy, const char *suffix, const char *keys)
{
    struct err err = {0};

    *copy = (struct world){.who = w->who};
    snprintf(copy->dir, sizeof copy->dir, "%s", beside(w, suffix));
    arena_init(&copy->a, MIB(64));
    if (store_backup(w->st, copy->dir, keys, NULL, NULL, &err) < 0)
        fail_msg("copy: %s (%s)", err.text, err.detail);
}

static void open_copy(struct world *copy)
{
    struct store_config config = {.dir = copy->dir};
    struct err err = {0};

    assert_int_equal(store_open(&config, &copy->st, &err), ERR_NO_STORE); /* it is no store yet */
    config.for_restore = true;
    assert_int_equal(store_open(&config, &copy->st, &err), 0);
    assert_true(store_is_copy(copy->st));
    world_check(copy);
}

static void an_older_copy_brings_nobody_back(void **state)
{
    struct world *w = *state, old, new;
    const char *keys = beside(w, "keys"), *keys_before = beside(w, "keys-before");
    struct erase_plan plan;
    struct err err = {0};

    if (!is_sealed() || world_on_postgres())
        skip();
    people(w);
    assert_int_equal(store_backup(w->st, beside(w, "old"), NULL, NULL, NULL, &err), ERR_REQUIRED);
    copy_to(w, &old, "old", keys_before);
    open_copy(&old);
    assert_null(world_get(&old, "Patient", "b", &err)); /* no copy opens without the keys */
    assert_int_equal(err.code, ERR_NO_STORE);
    plan = plan_of(w, "a", true);
    erase(w, &plan);
    put(w, "Patient", "later", "{\"resourceType\":\"Patient\"}");
    copy_to(w, &new, "new", keys);
    open_copy(&new);
    /* The older file has not all that the newer copy needs. */
    assert_int_equal(store_restore_keys(new.st, keys_before, new.dir, NULL, &err), ERR_VALUE);
    assert_int_equal(store_restore_keys(new.st, keys, new.dir, NULL, &err), 0);
    assert_non_null(world_get(&new, "Patient", "later", &err));
    /* The newer file opens the older copy, but for who was erased. */
    assert_int_equal(store_restore_keys(old.st, keys, old.dir, NULL, &err), 0);
    assert_non_null(world_get(&old, "Patient", "b", &err));
    assert_non_null(world_get(&old, "Condition", "moved", &err));
    assert_null(world_get(&old, "Patient", "a", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_null(world_get(&old, "Condition", "gone", &err));
    assert_null(world_get(&old, "Appointment", "both", &err));
    /* Not even the older file, from here on. */
    assert_int_equal(store_restore_keys(old.st, keys_before, old.dir, NULL, &err), 0);
    assert_null(world_get(&old, "Patient", "a", &err));
    world_done(&old);
    world_done(&new);
    unlink(keys);
    unlink(keys_before);
}

static void a_file_of_keys_that_was_changed_is_told(void **state)
{
    struct world *w = *state, copy;
    const char *keys = beside(w, "keys");
    struct err err = {0};
    struct stat st;
    int fd;

    if (!is_sealed() || world_on_postgres())
        skip();
    people(w);
    copy_to(w, &copy, "copy", keys);
    open_copy(&copy);
    assert_int_equal(store_restore_keys(copy.st, "/no/such/file", copy.dir, NULL, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(stat(keys, &st), 0);
    for (off_t at = 0; at < st.st_size; at += 7) {
        char c;

        fd = open(keys, O_RDWR);
        assert_int_equal(pread(fd, &c, 1, at), 1);
        c ^= 1;
        assert_int_equal(pwrite(fd, &c, 1, at), 1);
        assert_true(store_restore_keys(copy.st, keys, copy.dir, NULL, &err) < 0);
        c ^= 1;
        assert_int_equal(pwrite(fd, &c, 1, at), 1);
        close(fd);
    }
    assert_int_equal(truncate(keys, st.st_size - 1), 0);
    assert_int_equal(store_restore_keys(copy.st, keys, copy.dir, NULL, &err), ERR_NO_STORE);
    assert_null(world_get(&copy, "Patient", "b", &err)); /* nothing of a file that is not whole */
    world_done(&copy);
    unlink(keys);
}

/* ---- whatever fails ---- */

static bool is_there(const char *dir, const char *name)
{
    char path[200];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* Each point that may fail, or each so many-th of them: CARNET_FAULTS says which step. */
static unsigned step(void)
{
    const char *s = getenv("CARNET_FAULTS");

    return s ? (unsigned)strtoul(s, NULL, 10) : 0;
}

#define EACH_FAULT                                                                                 \
    for (unsigned nth = 1; nth && (fault_arm(nth, false), 1);                                      \
         nth = fault_fired() ? nth + step() : 0, fault_arm(0, false))

static int erase_all_of(struct world *w, struct err *err)
{
    struct erase_plan plan;
    struct erase_job e = {.job = {.run = run_erase, .who = &upkeep}, .plan = &plan};
    int r = store_erase_find(w->st, &upkeep, STR("a"), true, &w->a, &plan, err);

    if (r >= 0)
        r = store_write(w->st, &e.job, err);
    return r < 0 ? r : store_remake(w->st, NULL, NULL, err);
}

/* All of a person or nothing, and the store is whole; what began can be ended. False once no point
 * is left to fail. */
static bool fails_well(struct world *w, unsigned nth)
{
    struct err err = {0};
    bool fired;
    int r;

    people(w);
    fault_arm(nth, false);
    r = erase_all_of(w, &err);
    fired = fault_fired();
    fault_arm(0, false);
    if (r < 0) {
        assert_true(fired);
        world_reopen(w);
        world_check(w);
        if (world_get(w, "Patient", "a", &err))
            r = erase_all_of(w, &err);
        else
            r = store_remake(w->st, NULL, NULL, &err);
    }
    assert_int_equal(r, 0);
    assert_null(world_get(w, "Patient", "a", &err));
    assert_null(world_get(w, "Condition", "gone", &err));
    assert_false(is_in_files(w, NUMBER));
    world_check(w);
    return fired;
}

static void an_erasing_that_fails_can_be_done_again(void **state)
{
    bool goes_on = true;

    (void)state;
    if (!step())
        skip(); /* takes long: runs of its own */
    for (unsigned nth = 1; goes_on; nth += step()) {
        struct world w; /* its own: what is left of many would be points to fail as well */

        world_open(&w);
        goes_on = fails_well(&w, nth);
        world_done(&w);
    }
}

static void a_copy_that_fails_is_none(void **state)
{
    struct world *w = *state, copy;
    const char *keys = beside(w, "keys"), *dir = beside(w, "copy");
    struct err err = {0};
    int r = -1;

    if (!is_sealed() || world_on_postgres() || !step())
        skip();
    people(w);
    EACH_FAULT
    {
        r = store_backup(w->st, dir, keys, NULL, NULL, &err);
        if (r < 0)
            assert_false(is_there(dir, "carnet.db"));
        assert_false(r < 0 && is_there(dir, "carnet.keys"));
        if (r >= 0 && fault_fired()) { /* what failed did no harm */
            copy = (struct world){.who = w->who};
            snprintf(copy.dir, sizeof copy.dir, "%s", dir);
            arena_init(&copy.a, MIB(1));
            world_done(&copy);
        }
    }
    assert_int_equal(r, 0);
    copy = (struct world){.who = w->who};
    snprintf(copy.dir, sizeof copy.dir, "%s", dir);
    arena_init(&copy.a, MIB(64));
    open_copy(&copy);
    EACH_FAULT
    {
        r = store_restore_keys(copy.st, keys, copy.dir, NULL, &err);
    }
    assert_int_equal(r, 0);
    assert_non_null(world_get(&copy, "Patient", "a", &err));
    world_done(&copy);
    unlink(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whose_it_is_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_left_of_a_person, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_shared_can_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(others_may_not_erase, setup, teardown),
        cmocka_unit_test_setup_teardown(a_database_put_back_has_lost_the_key, setup, teardown),
        cmocka_unit_test_setup_teardown(a_plan_is_whole_or_none, setup, teardown),
        cmocka_unit_test_setup_teardown(no_other_transaction_sees_what_was_removed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_older_copy_brings_nobody_back, setup, teardown),
        cmocka_unit_test_setup_teardown(an_erasing_that_fails_can_be_done_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_that_fails_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_of_keys_that_was_changed_is_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
