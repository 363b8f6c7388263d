/* Snapshots of search parameters: the definitions', and users' on top of them. */
#include "../test.h"

#include "base/clock.h"
#include "base/fault.h"
#include "fhir/index.h"
#include "fhir/params.h"

#define FIRST_COMPILE_MS_MAX 500 /* a busy machine with sanitizers; 4 ms on an idle one */

static struct arena a;

static int setup(void **state)
{
    (void)state;
    arena_init(&a, MIB(16));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&a);
    return 0;
}

static struct params *base(void)
{
    struct err err = {0};
    struct params *p = params_base(&err);

    if (!p)
        fail_msg("%s", err.text);
    return p;
}

static yyjson_val *json(const char *text)
{
    struct err err = {0};
    yyjson_val *root;

    if (js_parse(&a, str_c(text), &root, &err) < 0)
        fail_msg("%s", err.text);
    return root;
}

static void the_definitions_compile_quickly(void **state)
{
    int64_t start = clock_mono_us();
    struct params *p = base();
    size_t n;

    (void)state;
    assert_true(clock_mono_us() - start < FIRST_COMPILE_MS_MAX * 1000);
    assert_non_null(params_of(p, def_resource(STR("Patient")), &n));
    assert_true(n > 20);
    params_unref(p);
}

static void parameters_are_found_by_code_and_by_id(void **state)
{
    struct params *p = base();
    size_t n;
    const struct def_param *all = def_params(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        const struct param *one = param_find(p, all[i].type, all[i].code);
        assert_non_null(one);
        assert_int_equal(one->def.id, all[i].id);
        assert_true(one->def.id < INDEX_PARAM_ENDS);
        assert_ptr_equal(param_by_id(p, all[i].id), one);
        assert_true(one->searchable);
    }
    assert_null(param_find(p, def_resource(STR("Patient")), STR("nonsense")));
    assert_null(param_find(p, 0, STR("name")));
    assert_null(param_by_id(p, 0));
    params_unref(p);
}

#define USER(rest)                                                                                 \
    "{\"resourceType\":\"SearchParameter\",\"url\":\"urn:sp\",\"code\":\"eye\",\"type\":"          \
    "\"token\"," rest "}"

static void a_users_parameter_joins_a_new_snapshot(void **state)
{
    struct params *p = base(), *more = NULL, *again = NULL;
    struct err err = {0};
    struct index x;
    const struct param *eye;
    size_t found = 0;

    (void)state;
    assert_int_equal(params_with(p,
                                 json(USER("\"base\":[\"Patient\",\"Person\"],\"expression\":"
                                           "\"Patient.extension('urn:eye').value | "
                                           "Person.extension('urn:eye').value\"")),
                                 INDEX_PARAM_USER, false, &more, &err),
                     0);
    assert_null(param_find(p, def_resource(STR("Patient")), STR("eye")));
    eye = param_find(more, def_resource(STR("Patient")), STR("eye"));
    assert_non_null(eye);
    assert_false(eye->searchable);
    assert_int_equal(param_find(more, def_resource(STR("Person")), STR("eye"))->def.id,
                     INDEX_PARAM_USER + 1);
    assert_int_equal(params_with(more, json(USER("\"base\":[\"Patient\"],\"expression\":\"id\"")),
                                 INDEX_PARAM_USER + 2, true, &again, &err),
                     ERR_VALUE);
    assert_non_null(strstr(err.text, "already"));
    params_unref(p);
    assert_int_equal(index_extract(&a, more, &(struct index_options){0},
                                   def_resource(STR("Patient")),
                                   json("{\"resourceType\":\"Patient\",\"id\":\"1\",\"extension\":["
                                        "{\"url\":\"urn:eye\",\"valueCode\":\"blue\"}]}"),
                                   &x, &err),
                     0);
    for (size_t i = 0; i < x.n_entries; i++)
        found += x.entries[i].param == eye->def.id;
    assert_int_equal(found, 1);
    params_unref(more);
}

static void a_users_parameter_may_stand_on_every_resource(void **state)
{
    struct params *p = base(), *more = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(params_with(p,
                                 json(USER("\"base\":[\"Resource\"],\"expression\":"
                                           "\"Resource.language\"")),
                                 INDEX_PARAM_USER, true, &more, &err),
                     0);
    for (int type = 1; type <= DEF_RESOURCE_MAX; type++)
        assert_non_null(param_find(more, type, STR("eye")));
    params_unref(more);
    params_unref(p);
}

static void what_cannot_be_a_parameter_is_refused(void **state)
{
    static const struct {
        const char *json;
        int code;
        const char *text;
    } cases[] = {
        {USER("\"base\":[\"Patient\"]"), ERR_VALUE, "no expression"},
        {USER("\"expression\":\"id\""), ERR_VALUE, "no base"},
        {USER("\"base\":[\"HumanName\"],\"expression\":\"id\""), ERR_VALUE, "is no resource"},
        {USER("\"base\":[\"Patient\"],\"expression\":\"a..b\""), ERR_VALUE, "lacks a name"},
        {USER("\"base\":[\"Patient\"],\"expression\":\"a.nonsense()\""), ERR_VALUE, "nonsense"},
        {"{\"code\":\"x\",\"type\":\"odd\"}", ERR_VALUE, "no type"},
        {"{\"code\":\"_x\",\"type\":\"token\"}", ERR_VALUE, "cannot be one"},
    };
    struct params *p = base(), *more;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(params_with(p, json(cases[i].json), INDEX_PARAM_USER, true, &more, &err),
                         cases[i].code);
        assert_non_null(strstr(err.text, cases[i].text));
    }
    params_unref(p);
}

static void every_allocation_may_fail(void **state)
{
    struct params *p = base();
    yyjson_val *sp = json(USER("\"base\":[\"Patient\"],\"expression\":\"Patient.id\""));

    (void)state;
    FAULT_LOOP(true) {
        struct params *more = NULL;
        struct err err = {0};
        int r = params_with(p, sp, INDEX_PARAM_USER, true, &more, &err);
        assert_true(r == 0 || err.code == ERR_NO_MEMORY);
        params_unref(more);
    }
    params_unref(p);
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(the_definitions_compile_quickly),
        EACH(parameters_are_found_by_code_and_by_id),
        EACH(a_users_parameter_joins_a_new_snapshot),
        EACH(a_users_parameter_may_stand_on_every_resource),
        EACH(what_cannot_be_a_parameter_is_refused),
        EACH(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
