#include "notify/notify.h"

#include "../test.h"

static yyjson_val *json(struct arena *a, const char *text)
{
    yyjson_val *root;
    struct err err = {0};

    if (js_parse(a, str_c(text), &root, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return root;
}

static void every_language_has_words(void **state)
{
    (void)state;
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++)
        for (int language = 0; language < NOTIFY_LANGUAGE_COUNT; language++) {
            _cleanup_(sb_done) struct sb out = sb_make(KIB(8)), subject = sb_make(KIB(1));
            struct str text;

            notify_subject(&subject, (enum notice_kind)kind, (enum notify_language)language);
            notify_text(&out, (enum notice_kind)kind, (enum notify_language)language,
                        INT64_C(1767225600000), STR("https://node.example"),
                        kind == NOTICE_RESET ? STR("a/b") : STR(""));
            text = sb_view(&out);
            assert_true(subject.n > 0 && text.n > subject.n);
            assert_true(str_find(text, '{') < 0 && str_find(text, '}') < 0);
            sb_char(&out, '\0');
            assert_non_null(strstr(out.p, "2026-01-01 00:00 UTC"));
            assert_non_null(strstr(out.p, kind == NOTICE_RESET
                                              ? "https://node.example/auth/setup?secret=a%2Fb"
                                              : "https://node.example"));
        }
}

static void languages_by_tag(void **state)
{
    enum notify_language l = NOTIFY_en;

    (void)state;
    assert_true(notify_language_of(STR("fr-CH"), &l) && l == NOTIFY_fr);
    assert_true(notify_language_of(STR("ZH"), &l) && l == NOTIFY_zh);
    assert_false(notify_language_of(STR("sw"), &l));
    assert_false(notify_language_of(STR(""), &l));
    assert_false(notify_language_of(STR_NULL, &l));
}

static void contacts(void **state)
{
    static const struct {
        const char *resource, *email, *phone;
        enum notify_language language;
    } cases[] = {
        {"{}", "", "", NOTIFY_ru},
        {"{\"telecom\":[{\"system\":\"email\",\"value\":\"a@b.example\"},{\"system\":\"email\","
         "\"value\":\"c@b.example\"},{\"system\":\"phone\",\"value\":\"+221 77 123-45.67\"}],"
         "\"communication\":[{\"language\":{\"coding\":[{\"code\":\"sw\"}]}},{\"language\":{"
         "\"coding\":[{\"code\":\"fr\"}]}}]}",
         "a@b.example", "+221771234567", NOTIFY_fr},
        {"{\"telecom\":[{\"system\":\"email\",\"use\":\"old\",\"value\":\"a@b.example\"},{"
         "\"system\":\"email\",\"period\":{\"end\":\"2020\"},\"value\":\"b@b.example\"},{"
         "\"system\":\"sms\",\"value\":\"0123456\"}],\"communication\":[{\"language\":{\"coding\":"
         "[{\"code\":\"ar\"}]}},{\"language\":{\"coding\":[{\"code\":\"es\"}]},\"preferred\":"
         "true}]}",
         "", "0123456", NOTIFY_es},
        /* A Practitioner's. */
        {"{\"communication\":[{\"coding\":[{\"code\":\"zh-Hans\"}]}]}", "", "", NOTIFY_zh},
        {"{\"telecom\":[{\"system\":\"email\",\"value\":\"a@b.example>\\r\\nRCPT TO:<x\"},{"
         "\"system\":\"email\",\"value\":\"@b\"},{\"system\":\"email\",\"value\":\"a b@c\"},{"
         "\"system\":\"phone\",\"value\":\"call me\"},{\"system\":\"phone\",\"value\":\"12\"},{"
         "\"system\":\"phone\",\"value\":\"123456789012345678901\"}]}",
         "", "", NOTIFY_ru},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct notice_contact to;
        struct err err = {0};
        struct arena a;

        arena_init(&a, MIB(1));
        assert_int_equal(notify_contact(&a, json(&a, cases[i].resource), NOTIFY_ru, &to, &err), 0);
        assert_str(to.email, str_c(cases[i].email));
        assert_str(to.phone, str_c(cases[i].phone));
        assert_int_equal(to.language, cases[i].language);
        arena_done(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_language_has_words),
        cmocka_unit_test(languages_by_tag),
        cmocka_unit_test(contacts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
