/* Keys byte by byte (docs/formats/index-keys.md), compartments, references, limits. */
#include "../test.h"

#include "base/fault.h"
#include "base/rng.h"
#include "base/sb.h"
#include "fhir/index.h"
#include "fhir/key_int.h"
#include "fhir/params.h"
#include "fhir/value_int.h"

static struct arena a;
static struct params *params;
static struct index_options options;

static int setup(void **state)
{
    struct err err = {0};

    (void)state;
    arena_init(&a, MIB(64));
    options = (struct index_options){0};
    params = params_base(&err);
    if (!params)
        fail_msg("%s", err.text);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    params_unref(params);
    arena_done(&a);
    return 0;
}

static struct index extract(const char *json)
{
    struct err err = {0};
    yyjson_val *root;
    struct index x = {0};

    if (js_parse(&a, str_c(json), &root, &err) < 0 ||
        index_extract(&a, params, &options, def_resource(js_get_str(root, "resourceType")), root,
                      &x, &err) < 0)
        fail_msg("%s", err.text);
    return x;
}

/* "key|key" of one list, bytes that are not printable as \xx, terms in parentheses. */
static struct str keys(const struct index *x, unsigned list)
{
    _cleanup_(sb_done) struct sb out = sb_make(KIB(64));
    struct str text;

    for (size_t i = 0; i < x->n_entries; i++) {
        const struct index_entry *e = &x->entries[i];
        if (e->param != list)
            continue;
        if (out.n)
            sb_lit(&out, " & ");
        if (e->shared)
            sb_char(&out, '(');
        for (size_t k = 0; k < e->key_n; k++) {
            if (e->key[k] > ' ' && e->key[k] < 0x7f)
                sb_char(&out, (char)e->key[k]);
            else
                sb_fmt(&out, "\\%02x", e->key[k]);
        }
        if (e->shared)
            sb_char(&out, ')');
    }
    text = arena_dup(&a, sb_view(&out));
    assert_non_null(text.p);
    return text;
}

static unsigned list(const char *type, const char *code)
{
    const struct param *p = param_find(params, def_resource(str_c(type)), str_c(code));

    assert_non_null(p);
    return p->def.id;
}

static void ids_pack_and_unpack(void **state)
{
    static const char *const ids[] = {
        "1",
        "a-b.C",
        "0190f0de-7e51-7b3c-8a55-0123456789ab",
        "0190F0de-7e51-7b3c-8a55-0123456789ab",
        "1234567890123456789012345678901234567890123456789012345678901234",
    };
    unsigned char key[80];
    char back[80];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        size_t n = index_id_key(str_c(ids[i]), key);
        assert_true(n <= 66);
        assert_int_equal(n == 17 && key[0] == 1, i == 2);
        assert_int_equal(index_key_id(key, n, back), strlen(ids[i]));
        assert_string_equal(back, ids[i]);
    }
}

static void tokens_and_terms(void **state)
{
    struct index x = extract(
        "{\"resourceType\":\"Observation\",\"id\":\"o\",\"status\":\"final\",\"code\":{\"coding\":["
        "{\"system\":\"http://loinc.org\",\"code\":\"8302-2\",\"display\":\"Body Height\"},"
        "{\"code\":\"X\"}],\"text\":\"Height\"},\"category\":[{\"text\":\"Vital Signs\"}]}");

    (void)state;
    assert_str(keys(&x, list("Observation", "status")), STR("\\00final\\00"));
    assert_str(keys(&x, list("Observation", "code")),
               STR("\\00x\\00 & \\018302-2\\00 & (body\\20height\\00\\018302-2\\00) & "
                   "(height\\00\\00x\\00) & (height\\00\\018302-2\\00)"));
    assert_str(keys(&x, list("Observation", "category")), STR("\\ffvital\\20signs\\00"));
}

static void token_of_an_unknown_system_and_a_long_code(void **state)
{
    struct index x =
        extract("{\"resourceType\":\"Patient\",\"id\":\"p\",\"identifier\":[{\"system\":\"urn:x:"
                "y\",\"value\":"
                "\"0123456789012345678901234567890123456789012345678901234567890\"}]}");
    struct str key = keys(&x, list("Patient", "identifier"));

    (void)state;
    assert_true(str_starts(key, STR("\\fe")));
    for (size_t i = 0; i < x.n_entries; i++)
        if (x.entries[i].param == list("Patient", "identifier"))
            assert_int_equal(x.entries[i].key_n, 9 + KEY_CODE_BYTES + 1 + 8 + 1);
}

static void strings_are_folded_and_cut(void **state)
{
    struct index x = extract("{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{\"family\":"
                             "\"\u00c9tienne\"},{\"family\":\"abcdefghijklmnopqrstuvwxyz"
                             "abcdefghijklmnopqrstuvwxyz\"}]}");

    (void)state;
    assert_str(keys(&x, list("Patient", "family")),
               STR("abcdefghijklmnopqrstuvwxyzabcdefghijklmn\\01\\00 & etienne\\00"));
}

static void references_local_and_absolute(void **state)
{
    static const struct str base = {"http://node/fhir", 16};
    struct index x;

    (void)state;
    options.bases = &base;
    options.n_bases = 1;
    x = extract("{\"resourceType\":\"Observation\",\"id\":\"o\",\"subject\":{\"reference\":"
                "\"http://node/fhir/Patient/7\"},\"encounter\":{\"reference\":\"#e\"},"
                "\"performer\":[{\"reference\":\"http://x/Patient/7\"},{\"identifier\":{\"value\":"
                "\"9\"}}]}");
    assert_str(keys(&x, list("Observation", "subject")), STR("g7\\00"));
    assert_str(keys(&x, list("Observation", "patient")), STR("")); /* in the list of subject */
    assert_str(keys(&x, list("Observation", "encounter")), STR("\\00"));
    assert_str(keys(&x, list("Observation", "performer")),
               STR("\\fdhttp://x/Patient/7\\00\\00 & \\fe\\009\\00"));
    assert_str(keys(&x, INDEX_PARAM_COMPARTMENT + COMPARTMENT_PATIENT), STR("7\\00"));
    assert_str(x.patient, STR("7"));
    assert_int_equal(x.n_refs, 1);
    assert_str(x.refs[0].where, STR("Observation.subject"));
    assert_str(x.refs[0].id, STR("7"));
}

static void parameters_share_lists(void **state)
{
    struct index x = extract("{\"resourceType\":\"Observation\",\"id\":\"o\",\"subject\":{"
                             "\"reference\":\"Patient/7\",\"type\":\"Patient\",\"identifier\":{"
                             "\"value\":\"9\"}},\"code\":{\"text\":\"a\"},\"component\":[{"
                             "\"code\":{\"text\":\"b\"}}]}");

    (void)state;
    assert_str(keys(&x, list("Observation", "subject")), STR("g7\\00 & \\fe\\009\\00"));
    assert_str(keys(&x, list("Observation", "patient")), STR("\\fe\\009\\00"));
    assert_str(keys(&x, list("Observation", "code")), STR("\\ffa\\00"));
    assert_str(keys(&x, list("Observation", "component-code")), STR("\\ffb\\00"));
    assert_str(keys(&x, list("Observation", "combo-code")), STR(""));
    assert_str(keys(&x, INDEX_PARAM_COMPARTMENT + COMPARTMENT_PATIENT), STR("7\\00"));
}

static void resources_name_their_own_compartment(void **state)
{
    struct index x = extract("{\"resourceType\":\"Patient\",\"id\":\"p1\",\"link\":[{\"other\":"
                             "{\"reference\":\"Patient/p2\"}}]}");

    (void)state;
    assert_str(keys(&x, INDEX_PARAM_COMPARTMENT + COMPARTMENT_PATIENT), STR("p1\\00 & p2\\00"));
    assert_str(x.patient, STR("p1"));
    assert_int_equal(x.n_refs, 1);
    assert_str(x.refs[0].where, STR("Patient.link[0].other"));
    assert_int_equal(x.entries[x.n_entries - 3].param,
                     INDEX_PARAM_TYPE + def_resource(STR("Patient")));
}

static void a_bundles_entries_are_not_its_own(void **state)
{
    struct index x = extract(
        "{\"resourceType\":\"Bundle\",\"id\":\"b\",\"type\":\"document\",\"entry\":[{\"resource\":"
        "{\"resourceType\":\"Composition\",\"id\":\"c\",\"subject\":{\"reference\":\"Patient/"
        "1\"}}}]}");

    (void)state;
    assert_int_equal(x.n_refs, 0);
    assert_str(keys(&x, list("Bundle", "composition")), STR("\\1ac\\00"));
}

static void quantities_by_unit(void **state)
{
    struct index x =
        extract("{\"resourceType\":\"Observation\",\"id\":\"o\",\"valueQuantity\":{"
                "\"value\":120.0,\"unit\":\"x\",\"system\":\"http://unitsofmeasure.org\","
                "\"code\":\"mm[Hg]\"}}");

    (void)state;
    assert_str(keys(&x, list("Observation", "value-quantity")), STR("\\03mm[Hg]\\00\\c2\\18"));
}

static void dates_order_by_their_start(void **state)
{
    static const int64_t lengths[] = {
        1, 10, 100, 1000, 60000, 86400000, 5, 3600000, (int64_t)40 * 86400000};
    struct rng rng;

    (void)state;
    rng_seed(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        int64_t f1 = (int64_t)rng_below(&rng, 315000000000000) - 62000000000000;
        int64_t f2 = i % 3 ? f1 + (int64_t)rng_below(&rng, 5) - 2 : f1 / 2;
        int64_t t1 = f1 + lengths[rng_below(&rng, ARRAY_LEN(lengths))];
        int64_t t2 = f2 + lengths[rng_below(&rng, ARRAY_LEN(lengths))], from, to;
        struct key k1 = {.n = 0}, k2 = {.n = 0}, at = {.n = 0};
        key_date(&k1, f1, t1);
        key_date(&k2, f2, t2);
        key_date_from(&at, f2);
        assert_true(k1.n == 7 || k1.n == 14);
        if (f1 != f2)
            assert_int_equal(str_cmp(key_view(&k1), key_view(&k2)) < 0, f1 < f2);
        assert_int_equal(str_cmp(key_view(&k1), key_view(&at)) >= 0, f1 >= f2);
        assert_true(key_date_read(key_view(&k1), false, &from, &to));
        assert_true(from == f1 && to == t1);
        k2.n = 0;
        key_date_end(&k2, f1, t1);
        assert_true(key_date_read(key_view(&k2), true, &from, &to));
        assert_true(from == f1 && to == t1);
    }
}

static void long_periods_stand_by_their_end_too(void **state)
{
    struct index x = extract("{\"resourceType\":\"Encounter\",\"id\":\"e\",\"period\":{\"start\":"
                             "\"2020-01-01\",\"end\":\"2020-02-03\"}}");
    struct index y = extract("{\"resourceType\":\"Encounter\",\"id\":\"e\",\"period\":{\"start\":"
                             "\"2020-01-01T10:00:00Z\",\"end\":\"2020-01-01T11:00:00Z\"}}");
    unsigned id = list("Encounter", "date");

    (void)state;
    assert_true(keys(&x, id).n && keys(&x, id + INDEX_PARAM_ENDS).n);
    assert_true(keys(&y, id).n && !keys(&y, id + INDEX_PARAM_ENDS).n);
}

static void entries_are_sorted_without_repeats(void **state)
{
    _cleanup_(sb_done) struct sb json = sb_make(MIB(1));
    struct index x;

    (void)state;
    sb_lit(&json, "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{}");
    for (int i = 0; i < 300; i++)
        sb_fmt(&json, ",{\"family\":\"n%d\",\"given\":[\"g%d\"]}", i * 7 % 100, i % 50);
    sb_lit(&json, "]}");
    sb_char(&json, '\0');
    x = extract(json.p);
    for (size_t i = 1; i < x.n_entries; i++) {
        const struct index_entry *p = &x.entries[i - 1], *q = &x.entries[i];
        int c =
            str_cmp(str_n((const char *)p->key, p->key_n), str_n((const char *)q->key, q->key_n));
        assert_true(p->param < q->param || (p->param == q->param && c < 0));
    }
}

static void too_many_values_are_costly(void **state)
{
    _cleanup_(sb_done) struct sb json = sb_make(MIB(4));
    struct err err = {0};
    struct index x;
    yyjson_val *root;

    (void)state;
    sb_lit(&json, "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{}");
    for (int i = 0; i < INDEX_ENTRIES_MAX; i++)
        sb_fmt(&json, ",{\"family\":\"n%d\"}", i);
    sb_lit(&json, "]}");
    assert_int_equal(js_parse(&a, sb_view(&json), &root, &err), 0);
    assert_int_equal(
        index_extract(&a, params, &options, def_resource(STR("Patient")), root, &x, &err),
        ERR_COSTLY);
}

static void terminologies_may_have_many(void **state)
{
    _cleanup_(sb_done) struct sb json = sb_make(MIB(4));
    struct err err = {0};
    struct arena own;
    struct index x;
    yyjson_val *root;

    (void)state;
    arena_init(&own, MIB(64));
    sb_lit(&json, "{\"resourceType\":\"CodeSystem\",\"id\":\"c\",\"concept\":[{\"code\":\"c\"}");
    for (int i = 0; i < 2 * INDEX_ENTRIES_MAX; i++)
        sb_fmt(&json, ",{\"code\":\"c%d\"}", i);
    sb_lit(&json, "]}");
    assert_int_equal(js_parse(&own, sb_view(&json), &root, &err), 0);
    assert_int_equal(
        index_extract(&own, params, &options, def_resource(STR("CodeSystem")), root, &x, &err), 0);
    assert_true(x.n_entries > 2 * INDEX_ENTRIES_MAX);
    arena_done(&own);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    FAULT_LOOP(true) {
        struct arena own;
        struct err err = {0};
        struct index x;
        yyjson_val *root;
        int r;
        arena_init(&own, MIB(4));
        r = js_parse(&own,
                     STR("{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{\"given\":"
                         "[\"a\",\"b\"]}],\"generalPractitioner\":[{\"reference\":"
                         "\"Practitioner/1\"}],\"birthDate\":\"2000\"}"),
                     &root, &err);
        if (r == 0)
            r = index_extract(&own, params, &options, def_resource(STR("Patient")), root, &x, &err);
        assert_true(r == 0 || err.code == ERR_NO_MEMORY);
        arena_done(&own);
    }
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(ids_pack_and_unpack),
        EACH(tokens_and_terms),
        EACH(token_of_an_unknown_system_and_a_long_code),
        EACH(strings_are_folded_and_cut),
        EACH(references_local_and_absolute),
        EACH(parameters_share_lists),
        EACH(resources_name_their_own_compartment),
        EACH(a_bundles_entries_are_not_its_own),
        EACH(quantities_by_unit),
        EACH(dates_order_by_their_start),
        EACH(long_periods_stand_by_their_end_too),
        EACH(entries_are_sorted_without_repeats),
        EACH(too_many_values_are_costly),
        EACH(terminologies_may_have_many),
        EACH(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
