/* Profiles on write when memory is short and the store fails: what falls short is never stored, the
 * policy is the one that was given or none, and the tally goes on. The scenarios say what is held.
 */
#include "node.h"

#include "api/conformance.h"
#include "base/fault.h"

#define URL "http://example.org/born"
#define PROFILE                                                                                    \
    "{\"resourceType\":\"StructureDefinition\",\"id\":\"born\",\"url\":\"" URL                     \
    "\",\"name\":\"Born\",\"status\":\"active\",\"kind\":\"resource\",\"abstract\":false,"         \
    "\"type\":\"Patient\",\"derivation\":\"constraint\","                                          \
    "\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/Patient\","                      \
    "\"differential\":{\"element\":[{\"id\":\"Patient.birthDate\",\"path\":\"Patient.birthDate\"," \
    "\"min\":1}]}}"
#define POLICY STR("Patient reject " URL "\n")
#define GOOD "{\"resourceType\":\"Patient\",\"birthDate\":\"2000-01-01\"}"
#define BAD "{\"resourceType\":\"Patient\",\"gender\":\"male\"}"

static bool is_outage(int r)
{
    return r == ERR_NO_MEMORY || r == ERR_NO_STORE || r == ERR_BUSY;
}

/* 0 stored, 1 refused, -1 neither. */
static int put(struct node *n, const char *json)
{
    struct api_line line = {.text = str_c(json)};
    struct err err = {0};
    struct arena a;
    int r;

    arena_init(&a, MIB(64));
    r = api_put_lines(n->api, &a, trust_system(), &line, 1, NULL, NULL, &err);
    arena_done(&a);
    if (r < 0) {
        assert_true(is_outage(r));
        return -1;
    }
    if (line.result == ERR_PROCESSING)
        return 1;
    assert_true(line.result >= 0 || is_outage(line.result));
    return line.result < 0 ? -1 : 0;
}

static void count_told(void *ctx, size_t line, struct str profile, const char *why)
{
    (void)line;
    (void)profile;
    (void)why;
    ++*(size_t *)ctx;
}

/* A policy kept by one and taken over by another; false where something failed. */
static bool pass_on(struct node *n)
{
    _cleanup_(sb_done) struct sb out = sb_make(MIB(1));
    struct conformance *one = conformance_new(n->store), *other = conformance_new(n->store);
    enum conformance_mode mode = CONFORMANCE_OFF;
    size_t told = 0;
    struct err err = {0};
    int r = one && other ? conformance_policy(one, POLICY, &err) : ERR_NO_MEMORY;

    if (r >= 0)
        r = conformance_remember(one, &err);
    if (r >= 0)
        r = conformance_recall(other, &err);
    if (r >= 0) {
        assert_int_equal(r, 1);
        mode = conformance_mode_of(other, def_resource(STR("Patient")));
        assert_int_equal(mode, CONFORMANCE_REJECT);
        r = conformance_unusable(other, n->world, count_told, &told, &err);
    }
    if (r >= 0)
        r = conformance_report(other, &out, &err);
    if (r >= 0)
        r = conformance_page(other, n->world, STR("fr"), &out, &err);
    assert_true(r >= 0 || is_outage(r));
    conformance_free(one);
    conformance_free(other);
    return r >= 0;
}

static void a_policy_may_fail(void **state)
{
    unsigned passed = 0, failed = 0;
    struct node n;

    (void)state;
    node_open(&n);
    node_keep(&n, PROFILE);
    node_settle(&n);
    assert_true(pass_on(&n));
    FAULT_LOOP(false) {
        if (pass_on(&n))
            passed++;
        else
            failed++;
    }
    assert_true(passed > 0);
    assert_true(failed > 10);
    node_close(&n);
}

static void a_check_may_fail(void **state)
{
    unsigned stored = 0, failed = 0;
    struct err err = {0};
    struct node n;

    (void)state;
    node_open(&n);
    node_keep(&n, PROFILE);
    node_settle(&n);
    if (api_profiles(n.api, POLICY, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(put(&n, GOOD), 0);
    assert_int_equal(put(&n, BAD), 1);
    /* The profiles are compiled anew in each run, too. */
    FAULT_LOOP(false) {
        int bad;
        api_definitions_changed(n.api);
        bad = put(&n, BAD);
        assert_int_not_equal(bad, 0);
        failed += bad < 0;
    }
    FAULT_LOOP(true) {
        int good = put(&n, GOOD);
        assert_int_not_equal(good, 1);
        stored += good == 0;
    }
    assert_true(failed > 10);
    assert_true(stored > 0);
    assert_int_equal(put(&n, GOOD), 0);
    assert_int_equal(put(&n, BAD), 1);
    node_close(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_may_fail),
        cmocka_unit_test(a_check_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
