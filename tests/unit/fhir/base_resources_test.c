#include "../test.h"

#include "base/fault.h"
#include "fhir/base_resources.h"
#include "fhir/defs.h"
#include "fhir/validate.h"

#define COUNTED_MAX 5000

struct seen {
    struct arena a;
    size_t n, bytes, by_type[DEF_RESOURCE_MAX + 1];
    uint64_t urls[COUNTED_MAX];
};

static int validate_one(void *ctx, struct str json, struct err *err)
{
    struct seen *seen = ctx;
    struct issues issues;
    yyjson_val *root;
    struct str id;
    int type;

    arena_reset(&seen->a);
    if (js_parse(&seen->a, json, &root, err) < 0)
        fail_msg("%s: %.*s", err->text, (int)MIN(json.n, 400u), json.p);
    issues_init(&issues, &seen->a);
    type = fhir_validate(root, &issues, err);
    id = js_get_str(root, "id");
    if (issues.n)
        fail_msg("%.*s/%.*s: %.*s", STR_ARG(js_get_str(root, "resourceType")), STR_ARG(id),
                 STR_ARG(issues.first->text));
    assert_true(fhir_is_id(id));
    assert_true(js_get_str(root, "url").n > 0);
    assert_true(seen->n < COUNTED_MAX);
    seen->urls[seen->n++] = str_hash(js_get_str(root, "url"));
    seen->bytes += json.n;
    seen->by_type[type]++;
    return 0;
}

static int order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static size_t count(const struct seen *seen, const char *type)
{
    return seen->by_type[def_resource(str_c(type))];
}

static void all_are_valid(void **state)
{
    static struct seen seen;
    struct err err;

    (void)state;
    arena_init(&seen.a, MIB(64));
    assert_int_equal(base_resources(validate_one, &seen, &err), 0);
    arena_done(&seen.a);
    assert_int_equal(count(&seen, "StructureDefinition"), 648);
    assert_int_equal(count(&seen, "SearchParameter"), 1375);
    assert_int_equal(count(&seen, "CodeSystem"), 1062);
    assert_int_equal(count(&seen, "ValueSet"), 1316);
    assert_int_equal(count(&seen, "CompartmentDefinition"), 5);
    qsort(seen.urls, seen.n, sizeof seen.urls[0], order);
    for (size_t i = 1; i < seen.n; i++)
        assert_true(seen.urls[i - 1] != seen.urls[i]);
    print_message("%zu resources, %zu bytes\n", seen.n, seen.bytes);
}

struct wanted {
    const char *type, *id;
    struct arena a;
    yyjson_val *root;
};

static int keep_wanted(void *ctx, struct str json, struct err *err)
{
    struct wanted *w = ctx;
    char start[256];
    int n =
        snprintf(start, sizeof start, "{\"resourceType\":\"%s\",\"id\":\"%s\",", w->type, w->id);

    if (!str_starts(json, str_n(start, (size_t)n)))
        return 0;
    return js_parse(&w->a, json, &w->root, err);
}

static void want_init(struct wanted *w, const char *type, const char *id)
{
    struct err err;

    *w = (struct wanted){.type = type, .id = id};
    arena_init(&w->a, MIB(16));
    assert_int_equal(base_resources(keep_wanted, w, &err), 0);
    assert_non_null(w->root);
}

static void want_done(struct wanted *w)
{
    arena_done(&w->a);
}

static yyjson_val *element(const struct wanted *w, const char *path)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(js_get(w->root, "snapshot"), "element"), i, n, v) {
        if (str_eq(js_get_str(v, "path"), str_c(path)))
            return v;
    }
    fail_msg("no element %s", path);
    return NULL;
}

static size_t n_elements(const struct wanted *w)
{
    return yyjson_arr_size(js_get(js_get(w->root, "snapshot"), "element"));
}

/* The numbers of elements are those of the official snapshots. */
static void snapshots_are_whole(void **state)
{
    _cleanup_(want_done) struct wanted w;
    yyjson_val *e, *type;

    (void)state;
    want_init(&w, "StructureDefinition", "Patient");
    assert_int_equal(n_elements(&w), 45);
    e = element(&w, "Patient");
    assert_int_equal(yyjson_arr_size(js_get(e, "constraint")), 5);
    assert_str(js_get_str(element(&w, "Patient.contact.modifierExtension"), "max"), STR("*"));
    e = element(&w, "Patient.gender");
    assert_str(js_get_str(js_get(e, "binding"), "strength"), STR("required"));
    assert_true(yyjson_is_true(js_get(e, "isSummary")));
    e = element(&w, "Patient.link.other");
    assert_str(js_str(js_get(e, "min")), STR("1"));
    type = yyjson_arr_get_first(js_get(e, "type"));
    assert_int_equal(yyjson_arr_size(js_get(type, "targetProfile")), 2);
    e = element(&w, "Patient.id");
    type = yyjson_arr_get_first(js_get(e, "type"));
    assert_str(js_get_str(type, "code"), STR("http://hl7.org/fhirpath/System.String"));
}

static void bases_are_followed(void **state)
{
    _cleanup_(want_done) struct wanted w;

    (void)state;
    want_init(&w, "StructureDefinition", "Age");
    assert_int_equal(n_elements(&w), 8);
    assert_str(js_get_str(w.root, "baseDefinition"),
               STR("http://hl7.org/fhir/StructureDefinition/Quantity"));
    assert_int_equal(yyjson_arr_size(js_get(element(&w, "Age"), "constraint")), 3);
    assert_str(js_get_str(js_get(element(&w, "Age.value"), "base"), "path"), STR("Quantity.value"));
}

static void terms_are_nested(void **state)
{
    _cleanup_(want_done) struct wanted w;
    yyjson_val *concept;

    (void)state;
    want_init(&w, "CodeSystem", "condition-clinical");
    concept = yyjson_arr_get_first(js_get(w.root, "concept"));
    assert_str(js_get_str(concept, "code"), STR("active"));
    assert_int_equal(yyjson_arr_size(js_get(concept, "concept")), 2);
}

static void compositions_are_whole(void **state)
{
    _cleanup_(want_done) struct wanted w;
    yyjson_val *include;

    (void)state;
    want_init(&w, "ValueSet", "defined-types");
    include = js_get(js_get(w.root, "compose"), "include");
    assert_int_equal(yyjson_arr_size(include), 2);
    assert_str(js_get_str(yyjson_arr_get_first(include), "system"),
               STR("http://hl7.org/fhir/data-types"));
}

static int refuse_third(void *ctx, struct str json, struct err *err)
{
    int *n = ctx;

    (void)json;
    return ++*n == 3 ? err_set(err, ERR_FULL, "the third is one too many") : 0;
}

static void failure_ends_it(void **state)
{
    struct err err;
    int n = 0;

    (void)state;
    assert_int_equal(base_resources(refuse_third, &n, &err), ERR_FULL);
    assert_int_equal(n, 3);
}

static int count_one(void *ctx, struct str json, struct err *err)
{
    (void)json;
    (void)err;
    ++*(int *)ctx;
    return 0;
}

static void memory_may_fail(void **state)
{
    (void)state;
    FAULT_LOOP(true) {
        struct err err;
        int n = 0, r = base_resources(count_one, &n, &err);
        assert_true(r == 0 ? n == 4406 : r == ERR_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_valid),          cmocka_unit_test(snapshots_are_whole),
        cmocka_unit_test(bases_are_followed),     cmocka_unit_test(terms_are_nested),
        cmocka_unit_test(compositions_are_whole), cmocka_unit_test(failure_ends_it),
        cmocka_unit_test(memory_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
