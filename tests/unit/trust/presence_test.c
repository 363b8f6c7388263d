#include "trust/presence.h"

#include "store.h"

#include "base/fault.h"
#include "fhir/validate.h"
#include "trust/trust.h"

#define NOW INT64_C(1767225600000)

/* One question of a job, and what came of it. */
struct asked {
    bool gives, is_card;
    const char *account, *code;
    int64_t now_ms;
    char given[RECOVERY_CODE_MAX];
    int64_t until_ms;
};

static int run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct asked *q = ctx;
    struct str account = str_c(q->account);
    struct arena a;
    int r;

    arena_init(&a, MIB(1));
    r = q->gives ? presence_give(txn, &a, STR("p"), q->is_card, account, q->now_ms, q->given,
                                 &q->until_ms, err)
                 : presence_take(txn, &a, STR("p"), str_c(q->code), account, q->now_ms, err);
    arena_done(&a);
    return r;
}

static struct asked give(struct own_store *s, bool is_card, const char *account)
{
    struct asked q = {.gives = true, .is_card = is_card, .account = account, .now_ms = NOW};
    struct err err = {0};

    if (record_commit(s->store, run, &q, &err) < 0)
        fail_msg("%s: %s", err.text, err.detail);
    return q;
}

static int take(struct own_store *s, const char *code, const char *account, int64_t now_ms)
{
    struct asked q = {.account = account, .code = code, .now_ms = now_ms};
    struct err err = {0};

    return record_commit(s->store, run, &q, &err);
}

static void a_code_is_good_once_and_for_a_while(void **state)
{
    struct own_store s;
    struct asked old, code;

    (void)state;
    own_store_open(&s);
    assert_int_equal(take(&s, "ABCD-EFGH-JKMN", "w", NOW), ERR_FORBIDDEN);
    assert_int_equal(take(&s, "", "w", NOW), ERR_FORBIDDEN);
    old = give(&s, false, "p");
    code = give(&s, false, "p");
    assert_true(code.until_ms == NOW + 15 * 60 * 1000);
    assert_int_equal(take(&s, old.given, "w", NOW), ERR_FORBIDDEN);
    assert_int_equal(take(&s, code.given, "w", NOW + 15 * 60 * 1000), ERR_FORBIDDEN);
    assert_int_equal(take(&s, code.given, "w", NOW + 15 * 60 * 1000 - 1), 0);
    assert_int_equal(take(&s, code.given, "w", NOW), ERR_FORBIDDEN);
    own_store_close(&s);
}

static void a_card_lasts_but_not_for_who_gave_it(void **state)
{
    const int64_t years = INT64_C(5) * 365 * 86400 * 1000;
    struct own_store s;
    struct asked card, code;

    (void)state;
    own_store_open(&s);
    card = give(&s, true, "clerk");
    code = give(&s, false, "p");
    assert_int_equal(take(&s, card.given, "clerk", NOW), ERR_FORBIDDEN);
    assert_int_equal(take(&s, card.given, "w", NOW), 0);
    assert_int_equal(take(&s, card.given, "w", NOW + years - 1), 0);
    assert_int_equal(take(&s, card.given, "w", NOW + years), ERR_FORBIDDEN);
    assert_int_equal(take(&s, code.given, "clerk", NOW), 0);
    give(&s, true, "clerk");
    assert_int_equal(take(&s, card.given, "w", NOW), ERR_FORBIDDEN);
    own_store_close(&s);
}

static void what_fails_spends_nothing(void **state)
{
    struct own_store s;
    struct asked code;

    (void)state;
    own_store_open(&s);
    code = give(&s, false, "p");
    for (unsigned nth = 1, fired = 1; fired; nth++) {
        int r;

        fault_arm(nth, false);
        r = take(&s, code.given, "w", NOW);
        fired = fault_fired();
        fault_arm(0, false);
        if (r >= 0)
            code = give(&s, false, "p");
    }
    assert_int_equal(take(&s, code.given, "w", NOW), 0);
    own_store_close(&s);
}

static void the_encounter_is_valid(void **state)
{
    static const struct check_in in = {.id = {"e", 1},
                                       .patient = {"p", 1},
                                       .practitioner = {"Practitioner/w", 14},
                                       .organization = {"Organization/o", 14},
                                       .now_ms = NOW};
    _cleanup_(sb_done) struct sb out = sb_make(KIB(4));
    struct issues issues;
    struct err err = {0};
    yyjson_val *root;
    struct arena a;

    (void)state;
    arena_init(&a, MIB(1));
    presence_encounter(&out, &in);
    assert_int_equal(js_parse(&a, sb_view(&out), &root, &err), 0);
    issues_init(&issues, &a);
    assert_true(fhir_validate(root, &issues, &err) > 0);
    assert_int_equal(issues.n_errors, 0);
    assert_str(js_get_str(js_get(root, "period"), "end"), STR("2026-01-02T00:00:00.000Z"));
    assert_str(js_get_str(js_get(root, "subject"), "reference"), STR("Patient/p"));
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_is_good_once_and_for_a_while),
        cmocka_unit_test(a_card_lasts_but_not_for_who_gave_it),
        cmocka_unit_test(what_fails_spends_nothing),
        cmocka_unit_test(the_encounter_is_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
