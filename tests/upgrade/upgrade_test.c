/* Stores of every earlier format open, hold what was put in, and can be written.
 *
 * argv[1] is the folder of this file. Each store was made by the last program of its format with
 * `upgrade_test FOLDER make`, and is never made again: see README.md there. */
#include "../contract/contract.h"

#include "server/reindex.h"

#include <errno.h>
#include <fcntl.h>

#define PATIENT "{\"resourceType\":\"Patient\",\"id\":\"p\",\"gender\":\"female\"," \
    "\"birthDate\":\"1990-05-17\",\"name\":[{\"family\":\"Abebe\",\"given\":[\"Sara\"]}]}"
#define PATIENT_BEFORE "{\"resourceType\":\"Patient\",\"id\":\"p\",\"gender\":\"unknown\"}"
#define OBSERVATION "{\"resourceType\":\"Observation\",\"id\":\"o\",\"status\":\"final\"," \
    "\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"29463-7\"}]}," \
    "\"subject\":{\"reference\":\"Patient/p\"},\"effectiveDateTime\":\"2024-02-03T04:05:06Z\"," \
    "\"valueQuantity\":{\"value\":70.50,\"unit\":\"kg\",\"system\":\"http://unitsofmeasure.org\"," \
    "\"code\":\"kg\"}}"
#define PRESSURE "{\"resourceType\":\"Observation\",\"id\":\"bp\"," \
    "\"text\":{\"status\":\"generated\"," \
    "\"div\":\"<div xmlns='http://www.w3.org/1999/xhtml'>Raised pressure</div>\"}," \
    "\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"http://loinc.org\"," \
    "\"code\":\"85354-9\"}]},\"subject\":{\"reference\":\"Patient/p\"},\"component\":[" \
    "{\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"8480-6\"}]}," \
    "\"valueQuantity\":{\"value\":150,\"unit\":\"mmHg\",\"system\":" \
    "\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"}}," \
    "{\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"8462-4\"}]}," \
    "\"valueQuantity\":{\"value\":90,\"unit\":\"mmHg\",\"system\":" \
    "\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"}}]}"
#define UCUM "http://unitsofmeasure.org"

static const char *folder;

static const struct format {
    const char *file;
    bool has_pressure; /* made with all that `fill` puts today */
} formats[] = {
    {"schema-1.db", false}, /* and version 1 of the index */
    {"index-2.db", true},
};

static void put(struct world *w, const char *type, const char *id, const char *text)
{
    struct err err = {0};

    if (world_put(w, type, id, text, NULL, &err) < 0)
        fail_msg("put %s/%s: %s", type, id, err.text);
}

static void fill(struct world *w)
{
    put(w, "Patient", "p", PATIENT_BEFORE);
    put(w, "Observation", "o", OBSERVATION);
    put(w, "Patient", "p", PATIENT);
    put(w, "Basic", "gone",
        "{\"resourceType\":\"Basic\",\"id\":\"gone\",\"code\":{\"text\":\"x\"}}");
    put(w, "Basic", "gone", NULL);
    put(w, "Observation", "bp", PRESSURE);
}

/* The newest format's store, into the folder. */
static void make(void)
{
    struct world w, copy = {0};
    struct err err = {0};

    world_open(&w);
    fill(&w);
    snprintf(copy.dir, sizeof copy.dir, "%.50s-copy", w.dir);
    assert_int_equal(store_backup(w.st, copy.dir, NULL, NULL, NULL, &err), 0);
    print_message("%s/carnet.db is the store\n", copy.dir);
    world_done(&w);
}

/* A copy of a format's store in a folder of the test's own. */
static void copy_format(const struct format *f, struct world *w)
{
    char from[4096], to[128], bytes[4096];
    int in, out;
    ssize_t n;

    snprintf(from, sizeof from, "%s/%s", folder, f->file);
    in = open(from, O_RDONLY | O_CLOEXEC);
    assert_true(in >= 0);
    world_open(w);
    store_close(w->st);
    w->st = NULL;
    snprintf(to, sizeof to, "%s/carnet.db", w->dir);
    out = open(to, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(out >= 0);
    while ((n = read(in, bytes, sizeof bytes)) > 0)
        assert_int_equal(write(out, bytes, (size_t)n), n);
    close(in);
    close(out);
    world_reopen(w);
}

/* A stored text without its meta, which the store adds. */
static void expect_text(struct world *w, const char *type, const char *id, const char *want)
{
    _cleanup_(sb_done) struct sb got = sb_make(MIB(1));
    struct err err = {0};
    const char *text = world_get(w, type, id, &err), *meta, *end;

    assert_non_null(text);
    meta = strstr(text, "\"meta\":{");
    assert_non_null(meta);
    end = strstr(meta, "},");
    assert_non_null(end);
    sb_put(&got, text, (size_t)(meta - text));
    sb_str(&got, str_c(end + 2));
    sb_char(&got, '\0');
    assert_string_equal(got.p, want);
}

static size_t found(struct world *w, const char *type, const char *query)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = world_begin(w);
    struct params *params = store_params(w->st);
    struct search_options opt = {.index = *store_index_options(w->st), .strict = true};
    struct page page = {0};
    struct search s;
    struct err err = {0};

    if (search_parse(&w->a, params, &opt, type_of(type), str_c(query), &s, &err) < 0 ||
        store_search(txn, &s, 0, &w->a, &page, &err) < 0)
        fail_msg("%s?%s: %s", type, query, err.text);
    params_unref(params);
    return page.n;
}

static void expect_history(struct world *w)
{
    struct store_txn *txn = world_begin(w);
    struct history_query q = {.type = type_of("Patient"), .id = STR("p"), .count = 10};
    struct page page = {0};
    struct row row;
    struct err err = {0};

    assert_int_equal(store_history(txn, &q, &w->a, &page, &err), 0);
    assert_int_equal(page.n, 2);
    assert_int_equal(store_get(txn, type_of("Basic"), STR("gone"), &row, &err), 0);
    assert_int_equal(row.method, METHOD_DELETE);
    store_end(txn);
}

static void expect_all(struct world *w)
{
    expect_text(w, "Patient", "p", PATIENT);
    expect_text(w, "Observation", "o", OBSERVATION);
    expect_history(w);
    assert_int_equal(found(w, "Patient", "name=abebe"), 1);
    assert_int_equal(found(w, "Patient", "gender=female&birthdate=1990"), 1);
    assert_int_equal(found(w, "Patient", "gender=unknown"), 0);
    assert_int_equal(found(w, "Observation", "code=http://loinc.org|29463-7"), 1);
    assert_int_equal(found(w, "Observation", "subject=Patient/p&date=2024-02-03"), 1);
    assert_int_equal(found(w, "Observation", "value-quantity=70500|" UCUM "|g"), 1);
    world_check(w);
}

/* What later versions of the index have keys for: found with them and without. */
static void expect_newer(struct world *w)
{
    assert_int_equal(found(w, "Observation", "_text=raised"), 1);
    assert_int_equal(found(w, "Observation", "_text=fallen"), 0);
    assert_int_equal(found(w, "Observation", "code-value-quantity=29463-7$gt70"), 1);
    assert_int_equal(found(w, "Observation", "component-code-value-quantity=8480-6$gt100"), 1);
    assert_int_equal(found(w, "Observation", "component-code-value-quantity=8462-4$gt100"), 0);
    assert_int_equal(found(w, "Observation", "combo-code-value-quantity=8462-4$90"), 1);
}

/* Keys of a composite parameter. */
static size_t keys_of(struct world *w, const char *code)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = world_begin(w);
    struct params *params = store_params(w->st);
    const struct param *param = param_find(params, type_of("Observation"), str_c(code));
    struct index_seen *seen;
    struct err err = {0};
    size_t n;

    assert_non_null(param);
    assert_int_equal(
        store_index_keys(txn, param->spans[0].list, STR(""), 10, &w->a, &seen, &n, &err), 0);
    params_unref(params);
    return n;
}

static void every_format_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct err err = {0};
        struct world w;

        copy_format(&formats[i], &w);
        expect_all(&w);
        world_reopen(&w); /* in the format of today */
        expect_all(&w);
        if (!formats[i].has_pressure)
            put(&w, "Observation", "bp", PRESSURE);
        expect_newer(&w);
        world_check(&w);
        assert_false(store_index_options(w.st)->pairs);
        assert_int_equal(keys_of(&w, "component-code-value-quantity"), 0);
        assert_int_equal(server_reindex(w.st, false, NULL, NULL, &err), 0);
        assert_int_equal(keys_of(&w, "component-code-value-quantity"), 2);
        assert_int_equal(keys_of(&w, "code-value-quantity"), 1);
        for (int again = 0; again < 2; again++) {
            assert_true(store_index_options(w.st)->pairs && store_index_options(w.st)->extras);
            expect_all(&w);
            expect_newer(&w);
            world_check(&w);
            world_reopen(&w);
        }
        put(&w, "Observation", "bp", NULL); /* its new keys go with it */
        put(&w, "Patient", "q", PATIENT_BEFORE);
        assert_int_equal(found(&w, "Patient", "gender=unknown"), 1);
        world_check(&w);
        world_done(&w);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_opens),
    };

    folder = argv[1];
    if (argc > 2 && strcmp(argv[2], "make") == 0) {
        make();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
