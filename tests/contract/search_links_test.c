/* A _has that is asked again and again while what it asks about changes. */
#include "contract.h"

#include "base/fault.h"
#include "store/search/search_int.h"

#define ASKED "_has:Condition:patient:clinical-status=active"
#define MANY 80 /* more news than are looked at one by one */

static void put(struct world *w, const char *type, const char *id, const char *text)
{
    struct err err = {0};

    if (world_put(w, type, id, text, NULL, &err) < 0)
        fail_msg("put %s/%s: %s", type, id, err.text);
}

static void condition(struct world *w, const char *id, const char *of, const char *status)
{
    char text[300];

    snprintf(text, sizeof text,
             "{\"resourceType\":\"Condition\",\"clinicalStatus\":{\"coding\":[{\"system\":"
             "\"urn:s\",\"code\":\"%s\"}]},\"subject\":{\"reference\":\"Patient/%s\"}}",
             status, of);
    put(w, "Condition", id, text);
}

/* The ids that a search finds, "a b c"; twice, for what the first has learned. */
static void finds(struct world *w, const char *want)
{
    for (int again = 0; again < 2; again++) {
        _cleanup_(store_txn_endp) struct store_txn *txn = world_begin(w);
        _cleanup_(sb_done) struct sb got = sb_make(KIB(4));
        struct search_options opt = {.index = *store_index_options(w->st), .strict = true};
        struct params *params = store_params(w->st);
        struct page page = {0};
        struct search s;
        struct err err = {0};

        if (search_parse(&w->a, params, &opt, type_of("Patient"), STR(ASKED), &s, &err) < 0 ||
            store_search(txn, &s, 0, &w->a, &page, &err) < 0)
            fail_msg("%s", err.text);
        params_unref(params);
        for (size_t i = 0; i < page.n; i++) {
            struct row row;

            assert_int_equal(store_get_row(txn, page.rows[i], &row, &err), 0);
            sb_fmt(&got, "%s%.*s", i ? " " : "", STR_ARG(row.id));
        }
        sb_char(&got, '\0');
        assert_string_equal(got.p, want);
    }
}

static void a_has_that_is_asked_again(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    for (const char *id = "abcd"; *id; id++)
        put(&w, "Patient", (char[]){*id, '\0'}, "{\"resourceType\":\"Patient\"}");
    /* So many that the inner search is not simply collected. */
    for (int i = 0; i < 3000; i++) {
        char id[20];

        snprintf(id, sizeof id, "r%d", i);
        condition(&w, id, i % 2 ? "a" : "d", i % 2 ? "active" : "resolved");
    }
    finds(&w, "a");
    condition(&w, "c1", "b", "active");
    finds(&w, "a b");
    condition(&w, "c2", "c", "resolved");
    finds(&w, "a b");
    condition(&w, "c2", "c", "active"); /* another version of what did not match */
    finds(&w, "a b c");
    condition(&w, "c1", "b", "resolved");
    finds(&w, "a c");
    put(&w, "Condition", "c2", NULL);
    finds(&w, "a");
    put(&w, "Patient", "b", "{\"resourceType\":\"Patient\",\"active\":true}");
    finds(&w, "a");
    condition(&w, "c1", "b", "active");
    finds(&w, "a b");
    for (int i = 0; i < MANY; i++) {
        char id[20];

        snprintf(id, sizeof id, "m%d", i);
        condition(&w, id, "d", "active");
    }
    condition(&w, "c2", "c", "active");
    finds(&w, "a c d b"); /* b is the newest version */
    world_check(&w);
    world_done(&w);
}

/* Pages that few candidates fill, filled from what matches: whatever fails, the answer is the right
 * one or an error. */
static void a_page_from_its_matches_may_fail(void **state)
{
    struct search_limits was = search_limits;
    struct world w;
    size_t found = 0;

    (void)state;
    world_open(&w);
    search_limits.race_first = search_limits.race_max = 2;
    search_limits.turn_after = 10;
    search_limits.turn_match = 1;
    for (int i = 0; i < 60; i++) {
        char id[20];

        snprintf(id, sizeof id, "p%d", i);
        put(&w, "Patient", id, "{\"resourceType\":\"Patient\"}");
    }
    for (int i = 0; i < 60; i++) {
        char id[20], of[20];

        snprintf(id, sizeof id, "c%d", i);
        snprintf(of, sizeof of, "p%d", i);
        condition(&w, id, of, i % 10 ? "resolved" : "active");
    }
    FAULT_LOOP(false) {
        struct store_txn *txn = NULL;
        struct search_options opt = {.index = *store_index_options(w.st), .strict = true};
        struct params *params = store_params(w.st);
        struct page page = {0};
        struct search s;
        struct err err = {0};
        struct arena a;
        int r;

        arena_init(&a, MIB(16));
        r = search_parse(&a, params, &opt, type_of("Patient"), STR(ASKED "&_count=4"), &s, &err);
        if (r >= 0)
            r = store_begin(w.st, &w.who, &txn, &err);
        if (r >= 0)
            r = store_search(txn, &s, 0, &a, &page, &err);
        assert_true(r == 0 || err.code < 0);
        if (r == 0) {
            assert_int_equal(page.n, 4);
            assert_non_null(page.next.p);
            assert_non_null(memchr(page.next.p, '_', page.next.n)); /* rows out of order */
            found++;
        }
        store_end(txn);
        params_unref(params);
        arena_done(&a);
    }
    assert_true(found > 0);
    search_limits = was;
    world_check(&w);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_has_that_is_asked_again),
        cmocka_unit_test(a_page_from_its_matches_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
