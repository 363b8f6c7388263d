/* Language tags: the parts of RFC 5646's own examples (appendix A), and what it says is no tag. */
#include "taken.h"

#include "terminology/language_tag.h"

static void tags_are_taken_apart(void **state)
{
    static const struct {
        const char *tag, *language, *extlang, *script, *region, *variant, *extension, *private_use;
    } cases[] = {
        {"de", "de", "", "", "", "", "", ""},
        {"i-enochian", "i-enochian", "", "", "", "", "", ""},
        {"zh-Hant", "zh", "", "Hant", "", "", "", ""},
        {"zh-cmn-Hans-CN", "zh", "cmn", "Hans", "CN", "", "", ""},
        {"yue-HK", "yue", "", "", "HK", "", "", ""},
        {"sl-rozaj-biske", "sl", "", "", "", "rozaj-biske", "", ""},
        {"de-CH-1901", "de", "", "", "CH", "1901", "", ""},
        {"hy-Latn-IT-arevela", "hy", "", "Latn", "IT", "arevela", "", ""},
        {"es-419", "es", "", "", "419", "", "", ""},
        {"de-CH-x-phonebk", "de", "", "", "CH", "", "", "phonebk"},
        {"az-Arab-x-AZE-derbend", "az", "", "Arab", "", "", "", "AZE-derbend"},
        {"x-whatever", "", "", "", "", "", "", "whatever"},
        {"en-a-myext-b-another", "en", "", "", "", "", "a-myext-b-another", ""},
        {"ar-a-aaa-b-bbb-x-ccc", "ar", "", "", "", "", "a-aaa-b-bbb", "ccc"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct language_tag t;
        if (!language_tag_read(str_c(cases[i].tag), &t))
            fail_msg("%s is no tag", cases[i].tag);
        assert_str(t.language, str_c(cases[i].language));
        assert_str(t.extlang, str_c(cases[i].extlang));
        assert_str(t.script, str_c(cases[i].script));
        assert_str(t.region, str_c(cases[i].region));
        assert_str(t.variant, str_c(cases[i].variant));
        assert_str(t.extension, str_c(cases[i].extension));
        assert_str(t.private_use, str_c(cases[i].private_use));
    }
}

static void others_are_no_tags(void **state)
{
    static const char *const cases[] = {"",     "d",   "de-419-DE", "a-DE",
                                        "en-",  "-en", "12",        "en--GB",
                                        "en-a", "x",   "en-US-x",   "abcdefghi"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (language_tag_read(str_c(cases[i]), &(struct language_tag){.language = STR("")}))
            fail_msg("\"%s\" is taken for a tag", cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_taken_apart),
        cmocka_unit_test(others_are_no_tags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
