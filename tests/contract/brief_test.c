/* A reader that need not see one state (store_brief) gets the same answers as any other, also where
 * they come in one question (search/few.c): empty, short and long lists, pages, row numbers of five
 * bytes, long bodies. */
#include "contract.h"

#include <libpq-fe.h>

#define BODY \
    "{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":\"urn:x\",\"value\":\"%s\"}]%s" \
    "}"

static void put_patient(struct world *w, const char *id, const char *value, const char *more)
{
    char text[400];
    struct err err = {0};

    snprintf(text, sizeof text, BODY, value, more);
    if (world_put(w, "Patient", id, text, NULL, &err) < 0)
        fail_msg("%s: %s (%s)", id, err.text, err.detail);
}

/* The search for an identifier's value, with its keys in `a`. */
static struct search by_identifier(struct world *w, struct key_range *range,
                                   struct search_clause *clause, const char *value)
{
    struct params *params = params_base(NULL);
    const struct param *param = param_find(params, type_of("Patient"), STR("identifier"));
    char text[400];
    struct put put;

    snprintf(text, sizeof text, BODY, value, "");
    assert_int_equal(make_put(w->st, &w->a, "Patient", "x", text, &put, NULL), 0);
    for (size_t i = 0; i < put.index->n_entries; i++) {
        const struct index_entry *e = &put.index->entries[i];
        if (e->param == param->def.id && !e->shared)
            *range = (struct key_range){
                .param = e->param, .point = true, .lo = str_n((const char *)e->key, e->key_n)};
    }
    params_unref(params);
    assert_int_not_equal(range->param, 0);
    *clause = (struct search_clause){.kind = CLAUSE_KEYS, .n_ranges = 1, .ranges = range};
    return (struct search){.type = type_of("Patient"), .clauses = clause, .n_clauses = 1};
}

/* All pages of it, in a transaction each; the rows and the first page's total. */
static size_t all_pages(struct world *w, struct search s, bool is_brief, uint64_t *rows, size_t max,
                        int64_t *ret_total)
{
    struct page page;
    size_t n = 0;

    do {
        struct store_txn *txn = world_begin(w);
        struct err err = {0};

        if (is_brief)
            store_brief(txn);
        if (store_search(txn, &s, 0, &w->a, &page, &err) < 0)
            fail_msg("search: %s (%s)", err.text, err.detail);
        if (!s.cursor.p)
            *ret_total = page.total;
        for (size_t i = 0; i < page.n; i++) {
            struct row row;

            assert_true(n < max);
            assert_int_equal(store_get_row(txn, page.rows[i], &row, &err), 0);
            assert_true(row.is_current && row.sealed.n > 0);
            rows[n++] = row.row;
        }
        s.cursor = page.next;
        store_end(txn);
    } while (page.next.p);
    return n;
}

static void compare(struct world *w, const char *value, size_t expected)
{
    struct key_range range = {0};
    struct search_clause clause;
    struct search s = by_identifier(w, &range, &clause, value);
    static const size_t counts[] = {1, 7, 32, 100};
    static const struct search_sort newest_first = {.descending = true};

    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        for (int desc = 0; desc < 2; desc++) {
            uint64_t one[100], other[100];
            int64_t total_one = -2, total_other = -2;
            size_t n;

            s.count = counts[i];
            s.sort[0] = newest_first;
            s.n_sort = (size_t)desc;
            n = all_pages(w, s, false, one, 100, &total_one);
            assert_int_equal(n, expected);
            assert_int_equal(all_pages(w, s, true, other, 100, &total_other), n);
            assert_memory_equal(one, other, n * sizeof *one);
            assert_int_equal(total_one, (int64_t)expected);
            assert_int_equal(total_other, (int64_t)expected);
        }
}

static void put_lists(struct world *w, const char *prefix)
{
    static const size_t lengths[] = {1, 10, 32, 33, 60};
    char id[64], value[32], more[300];

    for (size_t l = 0; l < ARRAY_LEN(lengths); l++)
        for (size_t i = 0; i < lengths[l]; i++) {
            snprintf(value, sizeof value, "%s%zu", prefix, lengths[l]);
            snprintf(id, sizeof id, "%s-%zu", value, i);
            snprintf(more, sizeof more, ",\"gender\":\"%s\"", i % 2 ? "male" : "female");
            put_patient(w, id, value, more);
            if (i % 3 == 0)
                put_patient(w, id, value, "");
        }
    compare(w, "nobody", 0);
    for (size_t l = 0; l < ARRAY_LEN(lengths); l++) {
        snprintf(value, sizeof value, "%s%zu", prefix, lengths[l]);
        compare(w, value, lengths[l]);
    }
}

/* Where the store is on PostgreSQL, as if two hundred thousand million versions had been. */
static void move_numbers(struct world *w)
{
    PGconn *db;
    PGresult *r;

    if (!world_on_postgres())
        return;
    db = PQconnectdb(w->uri);
    r = PQexec(db, "UPDATE carnet_feed SET row = 200000000000");
    assert_int_equal(PQresultStatus(r), PGRES_COMMAND_OK);
    PQclear(r);
    PQfinish(db);
}

static void a_brief_reader_finds_the_same(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    put_lists(&w, "a");
    move_numbers(&w);
    put_lists(&w, "b");
    compare(&w, "a33", 33);
    world_check(&w);
    world_done(&w);
}

static void a_brief_reader_sees_what_is_newest(void **state)
{
    struct store_txn *brief, *steady;
    struct row row;
    struct world w;
    struct err err = {0};
    uint64_t first;

    (void)state;
    world_open(&w);
    put_patient(&w, "p", "v", "");
    brief = world_begin(&w);
    store_brief(brief);
    steady = world_begin(&w);
    assert_int_equal(store_get(steady, type_of("Patient"), STR("p"), &row, &err), 0);
    first = row.row;
    assert_int_equal(store_get(brief, type_of("Patient"), STR("p"), &row, &err), 0);
    assert_int_equal(row.row, first);
    put_patient(&w, "p", "v", ",\"gender\":\"male\"");
    assert_int_equal(store_get(steady, type_of("Patient"), STR("p"), &row, &err), 0);
    assert_int_equal(row.row, first);
    assert_int_equal(store_get(brief, type_of("Patient"), STR("p"), &row, &err), 0);
    assert_true(row.row >= first);
    assert_int_equal(store_get(brief, type_of("Patient"), STR("q"), &row, &err), ERR_NOT_FOUND);
    store_end(brief);
    store_end(steady);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_brief_reader_finds_the_same),
        cmocka_unit_test(a_brief_reader_sees_what_is_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
