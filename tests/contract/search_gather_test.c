/* A _has that is sorted or counted: found from what is kept of the reference's list, while what it
 * asks about changes, and when something fails.
 */
#include "contract.h"

#include "base/clock.h"
#include "base/fault.h"
#include "store/search/search_int.h"

#include <unistd.h>

#define SORTED "_has:Condition:patient:clinical-status=active&_sort=family&_count=1000"
#define COUNTED "_has:Condition:patient:clinical-status=active&_summary=count"
#define RANGE "_has:Condition:patient:onset-date=gt2020&_sort=-family&_count=1000"
#define BOTH "_has:Condition:patient:clinical-status=active&active=true&_total=accurate&_count=0"
#define NEWS 1100 /* more than are looked at one by one */

static void put(struct world *w, const char *type, const char *id, const char *text)
{
    struct err err = {0};

    if (world_put(w, type, id, text, NULL, &err) < 0)
        fail_msg("put %s/%s: %s", type, id, err.text);
}

static void patient(struct world *w, const char *id, const char *family, const char *active)
{
    char text[200];

    snprintf(text, sizeof text,
             "{\"resourceType\":\"Patient\",\"active\":%s,\"name\":[{\"family\":\"%s\"}]}", active,
             family);
    put(w, "Patient", id, text);
}

static void condition(struct world *w, const char *id, const char *of, const char *status,
                      const char *onset)
{
    char text[400];

    snprintf(text, sizeof text,
             "{\"resourceType\":\"Condition\",\"clinicalStatus\":{\"coding\":[{\"system\":"
             "\"urn:s\",\"code\":\"%s\"}]},\"subject\":{\"reference\":\"Patient/%s\"},"
             "\"onsetDateTime\":\"%s\"}",
             status, of, onset);
    put(w, "Condition", id, text);
}

/* `budget`: 0: none. */
static int ask(struct world *w, const char *type, const char *query, size_t budget, struct arena *a,
               struct page *ret, struct sb *ids, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct search_options opt = {.index = *store_index_options(w->st), .strict = true};
    struct params *params = store_params(w->st);
    struct search s;
    int r = search_parse(a, params, &opt, type_of(type), str_c(query), &s, err);

    if (r >= 0)
        r = store_begin(w->st, &w->who, &txn, err);
    if (r >= 0)
        r = store_search(txn, &s, budget, a, ret, err);
    params_unref(params);
    for (size_t i = 0; r >= 0 && i < ret->n; i++) {
        struct row row;

        if ((r = store_get_row(txn, ret->rows[i], &row, err)) >= 0)
            sb_fmt(ids, "%s%.*s", i ? " " : "", STR_ARG(row.id));
    }
    sb_char(ids, '\0');
    return r < 0 ? r : sb_ok(ids, err);
}

static void finds(struct world *w, const char *query, const char *want)
{
    _cleanup_(sb_done) struct sb got = sb_make(KIB(4));
    struct page page = {0};
    struct err err = {0};

    if (ask(w, "Patient", query, 0, &w->a, &page, &got, &err) < 0)
        fail_msg("%s: %s", query, err.text);
    assert_string_equal(got.p, want);
}

static void counts_of(struct world *w, const char *type, const char *query, int64_t want)
{
    _cleanup_(sb_done) struct sb got = sb_make(KIB(4));
    struct page page = {0};
    struct err err = {0};

    if (ask(w, type, query, 0, &w->a, &page, &got, &err) < 0)
        fail_msg("%s: %s", query, err.text);
    assert_int_equal(page.total, want);
}

static void counts(struct world *w, const char *query, int64_t want)
{
    counts_of(w, "Patient", query, want);
}

/* The same on an event loop, which has little time. */
static int asks_briefly(struct world *w, const char *type, const char *query, size_t budget)
{
    _cleanup_(sb_done) struct sb got = sb_make(KIB(4));
    struct page page = {0};
    struct err err = {0};

    return ask(w, type, query, budget, &w->a, &page, &got, &err);
}

static int run_expunge(struct store_txn *txn, struct store_job *job, struct err *err)
{
    size_t n;

    (void)job;
    return store_expunge(txn, type_of("Patient"), STR("a"), &n, err);
}

static bool is_kept(const struct world *w)
{
    bool is = false;

    pthread_mutex_lock(&w->st->lists.kept_lock);
    for (size_t i = 0; i < TARGETS_MAX; i++)
        is |= w->st->lists.targets[i] != NULL;
    pthread_mutex_unlock(&w->st->lists.kept_lock);
    return is;
}

/* Four patients, of whom a and d have conditions that are active; the names lie the other way
 * round. */
static void begin(struct world *w)
{
    world_open(w);
    search_limits.race_first = search_limits.race_max = 2;
    search_limits.keep = 1;
    patient(w, "a", "zz", "true");
    patient(w, "b", "yy", "true");
    patient(w, "c", "xx", "true");
    patient(w, "d", "ww", "false");
    for (int i = 0; i < 40; i++) {
        char id[20];

        snprintf(id, sizeof id, "r%d", i);
        condition(w, id, i % 2 ? "a" : "d", i % 4 ? "active" : "resolved", "2019");
    }
}

static void what_is_kept_follows_the_feed(void **state)
{
    struct search_limits was = search_limits;
    struct store_job job = {.run = run_expunge};
    struct err err = {0};
    struct world w;

    (void)state;
    begin(&w);
    finds(&w, SORTED, "d a");
    assert_int_equal(is_kept(&w), !w.st->lists.may_lag);
    counts(&w, COUNTED, 2);
    counts(&w, BOTH, 1);
    condition(&w, "n1", "b", "active", "2021"); /* newer than the list: asked itself */
    finds(&w, SORTED, "d b a");
    counts(&w, COUNTED, 3);
    patient(&w, "d", "zzz", "true"); /* the target lives in another row */
    finds(&w, SORTED, "b a d");
    counts(&w, BOTH, 3);
    put(&w, "Patient", "d", NULL);
    finds(&w, SORTED, "b a");
    counts(&w, COUNTED, 2);
    condition(&w, "n1", "b", "resolved", "2021");
    finds(&w, SORTED, "a");
    condition(&w, "n2", "late", "active", "2022"); /* refers to what is not there yet */
    counts(&w, COUNTED, 1);
    patient(&w, "late", "aa", "true");
    finds(&w, SORTED, "late a");
    for (int i = 0; i < 4; i++) {
        char id[20];

        snprintf(id, sizeof id, "o%d", i);
        condition(&w, id, i % 2 ? "c" : "b", "resolved", "2023");
    }
    finds(&w, RANGE, "b c late");
    for (int i = 0; i < NEWS; i++)
        patient(&w, "e", "ee", "true");
    finds(&w, SORTED, "late a"); /* the list is read anew */
    patient(&w, "d", "bb", "true");
    finds(&w, SORTED, "late d a");
    job.who = &w.who;
    assert_int_equal(store_write(w.st, &job, &err), 0);
    finds(&w, SORTED, "late d");
    counts(&w, COUNTED, 2);
    search_limits = was;
    world_check(&w);
    world_done(&w);
}

/* Who sorts does not wait for the list, and finds the same before and after it is read; who counts
 * reads it. */
static void a_thread_reads_ahead(void **state)
{
    struct search_limits was = search_limits;
    int64_t until = clock_mono_us() + INT64_C(60000000);
    struct err err = {0};
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(store_read_ahead(w.st, &err), 0);
    assert_int_equal(store_read_ahead(w.st, &err), 0);
    finds(&w, SORTED, "d a");
    /* Where lists may lag nothing is kept of them. */
    while (!w.st->lists.may_lag && !is_kept(&w) && clock_mono_us() < until)
        usleep(1000);
    assert_int_equal(is_kept(&w), !w.st->lists.may_lag);
    finds(&w, SORTED, "d a");
    condition(&w, "n1", "b", "active", "2021");
    finds(&w, SORTED, "d b a");
    for (int i = 0; i < NEWS; i++)
        patient(&w, "e", "ee", "true");
    finds(&w, SORTED, "d b a"); /* from what is old, or from what was read again by now */
    patient(&w, "d", "zzz", "true");
    finds(&w, SORTED, "b a d");
    counts(&w, COUNTED, 3);
    search_limits = was;
    world_check(&w);
    world_done(&w); /* in the middle of a rest */
}

static void without_a_thread_the_search_reads(void **state)
{
    struct search_limits was = search_limits;
    struct err err = {0};
    struct world w;

    (void)state;
    begin(&w);
    FAULT_LOOP(false) {
        assert_true(store_read_ahead(w.st, &err) <= 0);
    }
    finds(&w, SORTED, "d a");
    search_limits = was;
    world_done(&w);
}

/* The list is read, or not; the answer is the right one or an error. */
static void reading_a_list_may_fail(void **state)
{
    struct search_limits was = search_limits;
    size_t found = 0;
    struct world w;

    (void)state;
    begin(&w);
    FAULT_LOOP(false) {
        _cleanup_(sb_done) struct sb got = sb_make(KIB(4));
        struct page page = {0};
        struct err err = {0};
        struct arena a;
        int r;

        targets_clear(&w.st->lists);
        found_clear(&w.st->lists);
        arena_init(&a, MIB(16));
        r = ask(&w, "Patient", SORTED, 0, &a, &page, &got, &err);
        assert_true(r >= 0 || err.code < 0);
        if (r >= 0) {
            assert_string_equal(got.p, "d a");
            found++;
        }
        arena_done(&a);
    }
    assert_true(found > 0);
    search_limits = was;
    world_check(&w);
    world_done(&w);
}

static int run_expunge_condition(struct store_txn *txn, struct store_job *job, struct err *err)
{
    size_t n;

    (void)job;
    return store_expunge(txn, type_of("Condition"), STR("r1"), &n, err);
}

/* The ranges of these are the same, and what they ask of each key is not. */
#define NOT_2019 "onset-date=ne2019&_summary=count"
#define NOT_2021 "onset-date=ne2021&_summary=count"
#define MANY 400
#define BUDGET 350 /* less than it costs to read them */

/* To read a range takes longer than an event loop has; what is kept is there at once, until a
 * version of the type comes. */
static void what_ranges_hold_is_kept(void **state)
{
    const char *const of_patient = "_has:Condition:patient:onset-date=gt2020&_summary=count";
    struct search_limits was = search_limits;
    struct store_job job = {.run = run_expunge_condition};
    struct err err = {0};
    struct world w;
    bool keeps;

    (void)state;
    begin(&w);
    keeps = !w.st->lists.may_lag;
    for (int i = 0; i < MANY; i++) {
        char id[20];

        snprintf(id, sizeof id, "m%d", i);
        condition(&w, id, "c", "active", "2021");
    }
    for (int changes = 0; changes < 4; changes++) {
        const int left = MANY - (changes > 1);
        const int old = changes > 2 ? 39 : 40;

        assert_int_equal(asks_briefly(&w, "Condition", NOT_2019, BUDGET), ERR_BUSY);
        counts_of(&w, "Condition", NOT_2019, left);
        counts_of(&w, "Condition", NOT_2021, old);
        counts_of(&w, "Condition", NOT_2019, left);
        counts(&w, of_patient, 1 + (changes > 0));
        if (keeps) {
            assert_int_equal(asks_briefly(&w, "Condition", NOT_2019, BUDGET), 0);
            assert_int_equal(asks_briefly(&w, "Patient", of_patient, BUDGET), 0);
            patient(&w, "e", "ee", "true"); /* changes nothing of conditions */
            assert_int_equal(asks_briefly(&w, "Condition", NOT_2019, BUDGET), 0);
        }
        if (changes == 0)
            condition(&w, "m0", "b", "active", "2021"); /* as many, of another patient */
        if (changes == 1)
            put(&w, "Condition", "m1", NULL);
        job.who = &w.who;
        if (changes == 2)
            assert_int_equal(store_write(w.st, &job, &err), 0);
    }
    search_limits = was;
    world_check(&w);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_follows_the_feed),
        cmocka_unit_test(what_ranges_hold_is_kept),
        cmocka_unit_test(a_thread_reads_ahead),
        cmocka_unit_test(without_a_thread_the_search_reads),
        cmocka_unit_test(reading_a_list_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
