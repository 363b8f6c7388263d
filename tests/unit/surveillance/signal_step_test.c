/* Steps of a signal: their order, what each must be told, what the Task then says, and its clocks
 * against times that were worked out by hand. */
#include "../test.h"

#include "surveillance/signal_step.h"

#include "fhir/validate.h"

#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)
#define FOUND INT64_C(1771286400000) /* 2026-02-17T00:00:00Z */

static const char task_text[] =
    "{\"resourceType\":\"Task\",\"id\":\"s\",\"status\":\"requested\",\"intent\":\"proposal\","
    "\"code\":{\"coding\":[{\"system\":\"urn:carnet:surveillance\",\"code\":\"signal\"}]},"
    "\"businessStatus\":{\"coding\":[{\"system\":\"urn:carnet:signal-state\",\"code\":\"triage\"}]}"
    ","
    "\"executionPeriod\":{\"start\":\"2026-02-09\"},\"authoredOn\":\"2026-02-17T00:00:00.000Z\","
    "\"output\":[{\"type\":{\"text\":\"of others\"},\"valueString\":\"stays\"}]}";

struct bench {
    struct arena a;
    yyjson_val *task;
    struct err err;
};

static void begin(struct bench *b, const char *text)
{
    *b = (struct bench){0};
    arena_init(&b->a, MIB(8));
    assert_int_equal(js_parse(&b->a, str_c(text), &b->task, &b->err), 0);
}

/* "likelihood=likely impact=minor" */
static int take(struct bench *b, const char *name, const char *answers, const char *note,
                int64_t now_ms)
{
    struct signal_answer v[SIGNAL_ANSWERS_MAX];
    struct signal_step step = {.name = str_c(name),
                               .answers = v,
                               .note = str_c(note),
                               .who = STR("Practitioner/epi"),
                               .now_ms = now_ms};
    struct str rest = str_c(answers), word;
    struct sb out = sb_make(MIB(1));
    struct str text;
    int r;

    while (rest.n && str_split(&rest, ' ', &word)) {
        struct str key;
        assert_true(str_split(&word, '=', &key));
        v[step.n_answers++] = (struct signal_answer){key, word};
    }
    r = signal_step(&out, b->task, &step, &b->err);
    if (r >= 0) {
        text = arena_dup(&b->a, sb_view(&out));
        assert_int_equal(js_parse(&b->a, text, &b->task, &b->err), 0);
    }
    sb_done(&out);
    return r;
}

static void must(struct bench *b, const char *name, const char *answers, const char *note,
                 int64_t now_ms)
{
    int r = take(b, name, answers, note, now_ms);

    if (r < 0)
        fail_msg("%s: %s", name, b->err.text);
}

static void refuses(struct bench *b, int code, const char *name, const char *answers,
                    const char *note)
{
    int r = take(b, name, answers, note, FOUND + HOUR_MS);

    if (r != code)
        fail_msg("%s %s: %d, not %d: %s", name, answers, r, code, b->err.text);
}

static yyjson_val *standing(struct bench *b, int64_t now_ms)
{
    struct sb out = sb_make(MIB(1));
    yyjson_val *root;

    sb_char(&out, '{');
    signal_standing(&out, b->task, now_ms);
    sb_char(&out, '}');
    assert_int_equal(js_parse(&b->a, arena_dup(&b->a, sb_view(&out)), &root, &b->err), 0);
    sb_done(&out);
    return root;
}

static void state_is(struct bench *b, const char *state)
{
    assert_true(str_eq(js_get_str(standing(b, FOUND), "state"), str_c(state)));
}

/* due and done as texts, "-" for null. */
static void clock_is(struct bench *b, int64_t now_ms, const char *name, const char *due,
                     const char *done, bool is_late)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(standing(b, now_ms), "clocks"), i, max, one) {
        struct str due_is = js_get_str(one, "due"), done_is = js_get_str(one, "done");
        if (!str_eq(js_get_str(one, "clock"), str_c(name)))
            continue;
        assert_string_equal(due_is.p ? due_is.p : "-", due);
        assert_string_equal(done_is.p ? done_is.p : "-", done);
        assert_int_equal(yyjson_is_true(js_get(one, "late")), is_late);
        return;
    }
    fail_msg("there is no clock %s", name);
}

#define RISK "likelihood=likely impact=major confidence=medium risk=high"
#define NOTIFIABLE "serious=true unusual=true spread=false restrictions=false"
#define HARMLESS "serious=true unusual=false spread=false restrictions=false"

static void test_way(void **state)
{
    static const char *const actions[] = {"action=investigation", "action=analysis",
                                          "action=laboratory",    "action=case-management",
                                          "action=communication", "action=coordination"};
    struct bench b;
    struct issues issues;

    (void)state;
    begin(&b, task_text);
    must(&b, "take", "", "", FOUND + HOUR_MS);
    state_is(&b, "verify");
    assert_true(str_eq(js_get_str(js_get(b.task, "owner"), "reference"), STR("Practitioner/epi")));
    must(&b, "verify", "emergence=2026-02-05", "the laboratory says so", FOUND + 2 * HOUR_MS);
    must(&b, "annex2", NOTIFIABLE, "", FOUND + 49 * HOUR_MS);
    must(&b, "assess", RISK, "", FOUND + 50 * HOUR_MS);
    state_is(&b, "respond");
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        must(&b, "action", actions[i], "", FOUND + (int64_t)(i + 3) * DAY_MS);
    clock_is(&b, FOUND + 8 * DAY_MS, "respond", "2026-02-24T01:00:00.000Z", "-", true);
    must(&b, "action", "action=countermeasures applies=false", "", FOUND + 9 * DAY_MS);
    refuses(&b, ERR_CONFLICT, "close", "", "over"); /* WHO does not know yet */
    must(&b, "notify-who", "", "", FOUND + 60 * HOUR_MS);
    refuses(&b, ERR_CONFLICT, "notify-who", "", "");
    must(&b, "close", "", "no case for two incubation periods", FOUND + 40 * DAY_MS);
    state_is(&b, "closed");
    assert_true(str_eq(js_get_str(b.task, "status"), STR("completed")));
    /* Found on the 17th, which is 12 days after the 5th. */
    clock_is(&b, FOUND, "detect", "2026-02-12T23:59:59.999Z", "2026-02-17T00:00:00.000Z", true);
    clock_is(&b, FOUND, "notify", "2026-02-18T00:00:00.000Z", "2026-02-17T01:00:00.000Z", false);
    clock_is(&b, FOUND, "assess", "2026-02-19T00:00:00.000Z", "2026-02-19T01:00:00.000Z", true);
    clock_is(&b, FOUND, "notify-who", "2026-02-20T01:00:00.000Z", "2026-02-19T12:00:00.000Z",
             false);
    clock_is(&b, FOUND, "respond", "2026-02-24T01:00:00.000Z", "2026-02-25T00:00:00.000Z", true);
    refuses(&b, ERR_CONFLICT, "note", "", "too late");
    assert_int_equal(yyjson_arr_size(js_get(b.task, "note")), 13);
    assert_true(str_eq(js_get_str(yyjson_arr_get_first(js_get(b.task, "output")), "valueString"),
                       STR("stays")));
    issues_init(&issues, &b.a);
    assert_true(fhir_validate(b.task, &issues, &b.err) > 0);
    assert_int_equal(issues.n_errors, 0);
    arena_done(&b.a);
}

static void test_order(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, task_text);
    refuses(&b, ERR_CONFLICT, "verify", "", "");
    refuses(&b, ERR_CONFLICT, "assess", RISK, "");
    refuses(&b, ERR_CONFLICT, "close", "", "why");
    refuses(&b, ERR_CONFLICT, "action", "action=laboratory", "");
    refuses(&b, ERR_VALUE, "guess", "", "");
    refuses(&b, ERR_REQUIRED, "discard", "", "");
    refuses(&b, ERR_REQUIRED, "assign", "", "");
    refuses(&b, ERR_VALUE, "assign", "owner=Patient/1", "");
    refuses(&b, ERR_NOT_SUPPORTED, "take", "risk=high", "");
    refuses(&b, ERR_VALUE, "take", "owner=Organization/a owner=Organization/b", "");
    state_is(&b, "triage");
    must(&b, "take", "owner=Organization/centre", "", FOUND);
    refuses(&b, ERR_CONFLICT, "take", "", "");
    refuses(&b, ERR_VALUE, "verify", "emergence=2026-02", "");
    refuses(&b, ERR_VALUE, "verify", "emergence=2026-02-30", "");
    refuses(&b, ERR_VALUE, "verify", "emergence=2026-03-01", "");
    must(&b, "verify", "", "", FOUND);
    refuses(&b, ERR_REQUIRED, "assess", "likelihood=likely", "");
    refuses(&b, ERR_VALUE, "assess", "likelihood=often impact=minor confidence=low risk=low", "");
    refuses(&b, ERR_VALUE, "annex2", "serious=yes unusual=true spread=false restrictions=false",
            "");
    refuses(&b, ERR_CONFLICT, "notify-who", "", "");
    must(&b, "discard", "", "a data entry error", FOUND);
    state_is(&b, "discarded");
    assert_true(str_eq(js_get_str(b.task, "status"), STR("rejected")));
    refuses(&b, ERR_CONFLICT, "take", "", "");
    arena_done(&b.a);
}

/* An answer that changes: what is owed to WHO comes, goes, and comes with a new clock. */
static void test_annex2(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, task_text);
    must(&b, "take", "", "", FOUND);
    must(&b, "verify", "", "", FOUND);
    must(&b, "annex2", HARMLESS, "", FOUND);
    clock_is(&b, FOUND, "notify-who", "-", "-", false);
    refuses(&b, ERR_CONFLICT, "notify-who", "", "");
    must(&b, "annex2", "listed=true " HARMLESS, "", FOUND + DAY_MS);
    clock_is(&b, FOUND + 3 * DAY_MS, "notify-who", "2026-02-19T00:00:00.000Z", "-", true);
    must(&b, "annex2", HARMLESS, "", FOUND + DAY_MS);
    clock_is(&b, FOUND, "notify-who", "-", "-", false);
    must(&b, "annex2", NOTIFIABLE, "", FOUND + 2 * DAY_MS);
    clock_is(&b, FOUND, "notify-who", "2026-02-20T00:00:00.000Z", "-", false);
    /* That somebody assessed, they did at first. */
    clock_is(&b, FOUND, "assess", "2026-02-19T00:00:00.000Z", "2026-02-17T00:00:00.000Z", false);
    arena_done(&b.a);
}

/* However much was said, what is left to be done can be done. */
static void test_full(void **state)
{
    struct sb text = sb_make(MIB(1));
    struct bench b;

    (void)state;
    sb_str(&text, str_n(task_text, sizeof task_text - 2));
    sb_lit(&text, ",\"note\":[{\"text\":\"1\"}");
    for (int i = 2; i < SIGNAL_NOTES_MAX; i++)
        sb_fmt(&text, ",{\"text\":\"%d\"}", i);
    sb_lit(&text, "]}");
    sb_char(&text, '\0');
    begin(&b, text.p);
    sb_done(&text);
    must(&b, "take", "", "", FOUND);
    refuses(&b, ERR_COSTLY, "note", "", "and on");
    refuses(&b, ERR_COSTLY, "assign", "owner=Organization/a", "");
    must(&b, "verify", "", "", FOUND);
    must(&b, "assess", "likelihood=likely impact=minor confidence=low risk=low", "", FOUND);
    refuses(&b, ERR_COSTLY, "assess", "likelihood=likely impact=minor confidence=low risk=high",
            "");
    must(&b, "annex2", NOTIFIABLE, "", FOUND);
    must(&b, "notify-who", "", "", FOUND);
    must(&b, "close", "", "over", FOUND);
    state_is(&b, "closed");
    arena_done(&b.a);
}

static void test_withdrawn(void **state)
{
    static const char withdrawn[] =
        "{\"resourceType\":\"Task\",\"id\":\"s\",\"status\":\"cancelled\",\"intent\":\"proposal\","
        "\"statusReason\":{\"coding\":[{\"system\":\"urn:carnet:surveillance\","
        "\"code\":\"withdrawn\"}]},"
        "\"code\":{\"coding\":[{\"system\":\"urn:carnet:surveillance\",\"code\":\"signal\"}]},"
        "\"businessStatus\":{\"coding\":[{\"system\":\"urn:carnet:signal-state\","
        "\"code\":\"respond\"}]}}";
    struct bench b;

    (void)state;
    begin(&b, withdrawn);
    refuses(&b, ERR_CONFLICT, "take", "", "");
    refuses(&b, ERR_CONFLICT, "close", "", "over");
    assert_int_equal(yyjson_arr_size(js_get(standing(&b, FOUND), "steps")), 1);
    must(&b, "discard", "", "the records were of another place", FOUND);
    state_is(&b, "discarded");
    arena_done(&b.a);
    begin(&b, "{\"resourceType\":\"Task\",\"status\":\"ready\",\"intent\":\"order\"}");
    assert_false(signal_is(b.task));
    arena_done(&b.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_way),       cmocka_unit_test(test_order),
        cmocka_unit_test(test_annex2),    cmocka_unit_test(test_full),
        cmocka_unit_test(test_withdrawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
