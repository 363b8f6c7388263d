#include "trust/glass.h"

#include "store.h"

#include "base/clock.h"
#include "base/fault.h"
#include "trust/account.h"
#include "trust/token.h"
#include "trust/trust.h"

#define DOCTOR "01a219e4-0000-7000-8000-000000000001"

static struct smart_scope user_scopes[] = {{SMART_USER, 0, SMART_R | SMART_S, {"", 0}}};
static const struct identity doctor = {.kind = IDENTITY_PERSON,
                                       .subject = {DOCTOR, sizeof DOCTOR - 1},
                                       .client = {"app", 3},
                                       .role = {"worker", 6},
                                       .fhir_user = {"Practitioner/d", 14},
                                       .grant = {"sign-in", 7},
                                       .scopes = {.v = user_scopes, .n = 1},
                                       .assurance = ASSURANCE_PASSWORD};

static void is_of_one_patient(void **state)
{
    struct identity as, more, program = doctor;
    struct err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a, MIB(1));
    assert_int_equal(glass_identity(&a, &doctor, STR("p"), &as, &err), 0);
    assert_str(as.patient, STR("p"));
    assert_str(as.purpose, STR("BTG"));
    assert_int_equal(as.scopes.n, 1);
    assert_int_equal(as.scopes.v[0].context, SMART_PATIENT);
    assert_int_equal(doctor.scopes.v[0].context, SMART_USER);
    assert_int_equal(glass_identity(&a, &as, STR("q"), &more, &err), ERR_FORBIDDEN);
    program.kind = IDENTITY_CLIENT;
    assert_int_equal(glass_identity(&a, &program, STR("p"), &more, &err), ERR_FORBIDDEN);
    arena_done(&a);
}

/* ---- the review ---- */

static yyjson_val *json(struct arena *a, const char *text)
{
    yyjson_val *root;
    struct err err = {0};

    if (js_parse(a, str_c(text), &root, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return root;
}

static void task_says_what_is_reviewed(void **state)
{
    _cleanup_(sb_done) struct sb out = sb_make(KIB(4));
    const struct glass glass = {.patient = STR("p"),
                                .reason = STR("said \"help\""),
                                .from_ms = INT64_C(1767225600000),
                                .until_ms = INT64_C(1767229200000),
                                .task = STR("t")};
    yyjson_val *root, *period;
    struct arena a;

    (void)state;
    arena_init(&a, MIB(1));
    glass_task(&out, &doctor, &glass);
    sb_char(&out, '\0');
    root = json(&a, out.p);
    assert_true(glass_is_task(root));
    assert_str(js_get_str(js_get(root, "for"), "reference"), STR("Patient/p"));
    assert_str(js_get_str(js_get(root, "reasonCode"), "text"), STR("said \"help\""));
    assert_str(js_get_str(js_get(root, "requester"), "reference"), STR("Practitioner/d"));
    period = js_get(root, "executionPeriod");
    assert_str(js_get_str(period, "start"), STR("2026-01-01T00:00:00.000Z"));
    assert_str(js_get_str(period, "end"), STR("2026-01-01T01:00:00.000Z"));
    assert_false(glass_is_task(json(&a, "{\"resourceType\":\"Task\",\"code\":{\"coding\":[{"
                                        "\"code\":\"break-glass\"}]}}")));
    arena_done(&a);
}

#define TASK(status, more)                                                                         \
    "{\"resourceType\":\"Task\",\"id\":\"t\",\"status\":\"" status "\",\"code\":{\"coding\":[{"    \
    "\"system\":\"urn:carnet:task\",\"code\":\"break-glass\"}]},\"requester\":{\"identifier\":{"   \
    "\"value\":\"" DOCTOR "\"}}" more "}"
#define OUTCOME(code)                                                                              \
    ",\"output\":[{\"type\":{\"coding\":[{\"system\":\"urn:carnet:task\",\"code\":\"outcome\"}]}," \
    "\"valueCode\":\"" code "\"}]"

static void review_changes_what_it_may(void **state)
{
    static const struct {
        const char *old, *new;
        bool may;
    } cases[] = {
        {TASK("requested", ""), TASK("accepted", ",\"note\":[{\"text\":\"x\"}]"), true},
        {TASK("requested", ""), TASK("completed", OUTCOME("justified")), true},
        {TASK("on-hold", ""), TASK("completed", OUTCOME("unclear")), true},
        {TASK("requested", ""), TASK("completed", ""), false},
        {TASK("requested", ""), TASK("completed", OUTCOME("no matter")), false},
        {TASK("requested", ""), TASK("rejected", OUTCOME("justified")), false},
        {TASK("completed", OUTCOME("justified")), TASK("completed", OUTCOME("unclear")), false},
        {TASK("requested", ""), TASK("accepted", ",\"description\":\"x\""), false},
        {TASK("requested", ",\"description\":\"x\""), TASK("accepted", ""), false},
        {TASK("requested", ""), "{\"resourceType\":\"Task\",\"status\":\"accepted\"}", false},
        {TASK("requested", ""), NULL, false},
        {NULL, TASK("requested", ""), false},
    };
    struct arena a;

    (void)state;
    arena_init(&a, MIB(1));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        yyjson_val *old = cases[i].old ? json(&a, cases[i].old) : NULL;
        yyjson_val *new = cases[i].new ? json(&a, cases[i].new) : NULL;

        if (!glass_refuses(old, new, STR("officer")) != cases[i].may)
            fail_msg("%zu: %s", i, cases[i].new);
        assert_non_null(glass_refuses(old, new, STR(DOCTOR)));
    }
    arena_done(&a);
}

/* ---- the token ---- */

struct people {
    struct arena a;
    struct glass glass;
};

static int begin_run(void *ctx, struct store_txn *txn, struct err *err)
{
    const struct account account = {.id = doctor.subject,
                                    .login = STR("d"),
                                    .role = doctor.role,
                                    .fhir_user = doctor.fhir_user};
    const struct client client = {.id = STR("app"), .name = STR("App"), .approved = true};
    const struct grant grant = {.id = doctor.grant, .account = doctor.subject};
    int r = account_put(txn, &account, err);

    (void)ctx;
    if (r >= 0)
        r = client_put(txn, &client, err);
    return r < 0 ? r : record_put(txn, RECORD_GRANT, grant.id, &grant_shape, &grant, err);
}

static int break_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct people *p = ctx;
    struct identity as;
    int r = glass_identity(&p->a, &doctor, STR("p"), &as, err);

    return r < 0 ? r : glass_break(txn, &p->a, &as, &p->glass, err);
}

static int revoke_run(void *ctx, struct store_txn *txn, struct err *err)
{
    (void)ctx;
    return record_drop(txn, RECORD_GRANT, doctor.grant, err);
}

static int identify(struct store *store, struct str token, struct identity **ret)
{
    struct access who = trust_system();
    struct store_txn *txn = NULL;
    struct err err = {0};
    int r;

    assert_int_equal(store_begin(store, &who, &txn, &err), 0);
    r = token_identity(txn, token, ret, &err);
    if (r < 0 && r != ERR_LOGIN)
        fail_msg("%s: %s", err.text, err.detail);
    store_end(txn);
    return r;
}

static void token_ends_with_its_grant(void **state)
{
    struct own_store s;
    struct people p = {.glass = {.from_ms = clock_now_ms()}};
    struct identity *i = NULL;
    struct err err = {0};

    (void)state;
    own_store_open(&s);
    p.glass.until_ms = p.glass.from_ms + 600000;
    assert_int_equal(record_commit(s.store, begin_run, NULL, &err), 0);
    /* FAULT_LOOP, but that what follows each run is looked at without faults. */
    for (unsigned nth = 1, fired = 1; fired; nth++) {
        int r;

        arena_init(&p.a, MIB(1));
        fault_arm(nth, false);
        r = record_commit(s.store, break_run, &p, &err);
        fired = fault_fired();
        fault_arm(0, false);
        if (r >= 0) {
            assert_int_equal(identify(s.store, str_c(p.glass.token.text), &i), 0);
            assert_str(i->patient, STR("p"));
            assert_str(i->purpose, STR("BTG"));
            assert_true(i->until_ms == p.glass.until_ms);
            identity_unref(i);
        }
        arena_done(&p.a);
    }
    assert_int_equal(record_commit(s.store, revoke_run, NULL, &err), 0);
    assert_int_equal(identify(s.store, str_c(p.glass.token.text), &i), ERR_LOGIN);
    own_store_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_of_one_patient),
        cmocka_unit_test(task_says_what_is_reviewed),
        cmocka_unit_test(review_changes_what_it_may),
        cmocka_unit_test(token_ends_with_its_grant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
