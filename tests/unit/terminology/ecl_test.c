/* SNOMED CT's release format and expression constraints, on a hierarchy made up here (what the
 * constraints select is worked out by hand from the specification):
 *
 *   root 138875005
 *   ├── finding 404684003
 *   │   ├── nose finding 111111001 (site: nose)
 *   │   └── fever 222222002
 *   │       ├── nose fever 333333003 (site: nose), also below nose finding
 *   │       └── two places 666666006 (group 1: site nose, form 777777007; group 2: site body;
 *   │           doses 2, strength 0.5, name "Mild")
 *   └── body structure 123037004
 *       └── nose 444444004
 *   attributes 363698007 "Finding site", 116676008 "Form", 999000002 "Doses", 999000003 "Strength",
 *   999000004 "Name"; form 777777007
 *   modules 900000000000207008 (all, and nothing else here) and 731000124108 (of 666666006, and of
 *   one description and one row); 666666006 is defined, since 2023; reference sets: 723264001
 * (nose, and fever, which is no longer in it), 447562003 maps to ICD-10, and the historical
 * associations 900000000000527005 and 900000000000526001 below 900000000000522004
 */
#include "taken.h"

#include "terminology/ecl.h"

#define CONCEPTS                                                                                   \
    "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\n"                                    \
    C("138875005", "1") C("404684003", "1") C("111111001", "1") C("222222002", "1")                \
        C("333333003", "1") C("123037004", "1") C("444444004", "1") C("363698007", "1")            \
            C("555555005", "0") C("116680003", "1") C("723264001", "1")                            \
                C("777777007", "1") C("116676008", "1") C("999000002", "1") C("999000003", "1")    \
                    C("999000004", "1") C("731000124108", "1") C("900000000000207008", "1")        \
                        C("900000000000522004", "1") C("900000000000527005", "1")                  \
                            C("900000000000526001", "1") C("447562003", "1")                       \
                                C("888888008", "0")
#define C(id, active) id "\t20240101\t" active "\t900000000000207008\t900000000000074008\n"
#define DEFINED                                                                                    \
    "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\n"                                    \
    "666666006\t20230731\t1\t731000124108\t900000000000073002\n"
#define TEXTS                                                                                      \
    "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\t"                 \
    "caseSignificanceId\n"                                                                         \
    T("1001011", "1", "333333003", "900000000000003001", "Nose fever (disorder)")                  \
    T("1002012", "1", "333333003", "900000000000013009", "Hot nose")                               \
    T("1003013", "1", "333333003", "900000000000013009", "Nose fever")                             \
    T("1004014", "0", "333333003", "900000000000013009", "Withdrawn name")                         \
    T("1005015", "1", "404684003", "900000000000003001", "Clinical finding (finding)")             \
    "1006016\t20200131\t1\t731000124108\t222222002\ten\t900000000000013009\tCardi*c heat\t"        \
    "900000000000448009\n"
#define T(id, active, concept, type, term)                                                         \
    id "\t20240101\t" active "\t900000000000207008\t" concept "\ten\t" type "\t" term              \
       "\t900000000000448009\n"
#define LINKS                                                                                      \
    "id\teffectiveTime\tactive\tmoduleId\tsourceId\tdestinationId\trelationshipGroup\ttypeId\t"    \
    "characteristicTypeId\tmodifierId\n"                                                           \
    R("404684003", "138875005", "116680003") R("123037004", "138875005", "116680003")              \
    R("111111001", "404684003", "116680003") R("222222002", "404684003", "116680003")              \
    R("333333003", "222222002", "116680003") R("333333003", "111111001", "116680003")              \
    R("444444004", "123037004", "116680003") R("111111001", "444444004", "363698007")              \
    R("333333003", "444444004", "363698007") R("666666006", "222222002", "116680003")              \
    G("666666006", "444444004", "363698007", "1") G("666666006", "777777007", "116676008", "1")    \
    G("666666006", "123037004", "363698007", "2")                                                  \
    R("900000000000527005", "900000000000522004", "116680003")                                     \
    R("900000000000526001", "900000000000522004", "116680003")
#define R(from, to, type) G(from, to, type, "0")
#define G(from, to, type, group)                                                                   \
    "7" from "\t20240101\t1\t900000000000207008\t" from "\t" to "\t" group "\t" type               \
    "\t900000000000011006\t900000000000451002\n"
#define CONCRETE                                                                                   \
    "id\teffectiveTime\tactive\tmoduleId\tsourceId\tvalue\trelationshipGroup\ttypeId\t"            \
    "characteristicTypeId\tmodifierId\n"                                                           \
    G("666666006", "#2", "999000002", "0") G("666666006", "#0.5", "999000003", "0")                \
    G("666666006", "\"Mild\"", "999000004", "0")
#define PREFERRED                                                                                  \
    "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\tacceptabilityId\n"      \
    "u1\t20240101\t1\t900000000000207008\t900000000000509007\t1003013\t900000000000548007\n"       \
    "u3\t20240101\t1\t900000000000207008\t900000000000509007\t1002012\t900000000000549004\n"       \
    "u4\t20240101\t1\t900000000000207008\t900000000000508004\t1002012\t900000000000548007\n"
#define MEMBERS                                                                                    \
    "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\n"                       \
    "u2\t20240101\t1\t900000000000207008\t723264001\t444444004\n"                                  \
    "u5\t20230101\t0\t731000124108\t723264001\t222222002\n"
#define HISTORY                                                                                    \
    "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\ttargetComponentId\n"    \
    "u6\t20240101\t1\t900000000000207008\t900000000000527005\t555555005\t222222002\n"              \
    "u7\t20240101\t1\t900000000000207008\t900000000000526001\t888888008\t333333003\n"              \
    "u8\t20240101\t0\t900000000000207008\t900000000000527005\t888888008\t444444004\n"
#define MAPPED                                                                                     \
    "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\tmapGroup\t"             \
    "mapPriority\tmapTarget\n"                                                                     \
    "u9\t20240101\t1\t900000000000207008\t447562003\t222222002\t1\t1\tR50.9\n"                     \
    "u10\t20240101\t1\t900000000000207008\t447562003\t333333003\t1\t2\tJ34.8\n"                    \
    "u11\t20240101\t1\t900000000000207008\t447562003\t333333003\t2\t1\tR50.0\n"

static struct taken t;
static struct cs *cs;

static int load(void **state)
{
    /* The links come first: files may stand in any order. */
    const char *const files[] = {"r.txt", LINKS,    "d.txt",  TEXTS,   "l.txt", PREFERRED, "m.txt",
                                 MEMBERS, "v.txt",  CONCRETE, "h.txt", HISTORY, "i.txt",   MAPPED,
                                 "c.txt", CONCEPTS, "e.txt",  DEFINED, NULL};
    struct err err = {0};

    (void)state;
    if (taken_load(&t, files, &err) < 0)
        fail_msg("%s", err.text);
    cs = t.systems[0];
    return 0;
}

static int unload(void **state)
{
    (void)state;
    taken_done(&t);
    return 0;
}

static void reads_the_release(void **state)
{
    uint32_t i = code_of(cs, "333333003");
    size_t n;

    (void)state;
    assert_int_equal(cs_n(cs), 24);
    assert_str(cs_version(cs), STR("http://snomed.info/sct/900000000000207008/version/20240101"));
    assert_str(cs_display(cs, i), STR("Nose fever"));
    cs_designations(cs, i, &n);
    assert_int_equal(n, 3);
    assert_true(cs_at(cs, code_of(cs, "555555005"))->flags & CONCEPT_INACTIVE);
    assert_str(cs_display(cs, code_of(cs, "404684003")), STR("Clinical finding (finding)"));
    assert_true(cs_is_a(cs, i, code_of(cs, "111111001")));
    assert_true(cs_is_a(cs, i, code_of(cs, "138875005")));
    assert_false(cs_is_a(cs, i, code_of(cs, "123037004")));
}

/* The first digits of what an expression has, in their order. */
static const char *select_by(const char *text)
{
    static char out[64];
    struct err err = {0};
    struct arena a;
    uint64_t bits[4] = {0};
    size_t n = 0;

    arena_init(&a, MIB(4));
    if (ecl_select(cs, &a, str_c(text), bits, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    for (uint32_t i = bits_next(bits, cs_n(cs), 0); i != CS_NONE;
         i = bits_next(bits, cs_n(cs), i + 1)) {
        if (n)
            out[n++] = ' ';
        memcpy(out + n, cs_code(cs, i).p, 3);
        n += 3;
    }
    out[n] = '\0';
    arena_done(&a);
    return out;
}

/* In the order of the files of concepts: 138 404 111 222 333 123 444 363 555 116 723 777 116, three
 * times 999, 731, four times 900, 447, 888, 666. */
static void selects(void **state)
{
    static const char *const cases[][2] = {
        {"404684003", "404"},
        {"404684003 |Clinical finding|", "404"},
        {"<404684003", "111 222 333 666"},
        {"<< 404684003", "404 111 222 333 666"},
        {"<!404684003", "111 222"},
        {"<<!404684003", "404 111 222"},
        {">333333003", "138 404 111 222"},
        {">>333333003", "138 404 111 222 333"},
        {">!333333003", "111 222"},
        {">>! 333333003", "111 222 333"},
        {"^723264001", "444"},
        {"<<404684003 AND <<111111001", "111 333"},
        {"<<404684003, <<222222002", "222 333 666"},
        {"222222002 OR 444444004", "222 444"},
        {"<<404684003 MINUS <<111111001", "404 222 666"},
        {"(<404684003 OR <123037004) MINUS 333333003", "111 222 444 666"},
        {"<<404684003 : 363698007 = 444444004", "111 333 666"},
        {"<<222222002 : 363698007 |Finding site| = << 123037004", "333 666"},
        {"<<404684003 : 363698007 != 444444004", "666"},
        {"* : 363698007 = *", "111 333 666"},
        {"* : R 363698007 = 333333003", "444"},
        {"<<404684003 : { 363698007 = 444444004 }, 363698007 = *", "111 333 666"},
        {"<<404684003 /* all of them */ MINUS *", ""},
        {"< *", "404 111 222 333 123 444 900 900 666"},
        /* Numbers of relationships and of groups. */
        {"* : [2..2] 363698007 = *", "666"},
        {"* : [1..1] 363698007 = *", "111 333"},
        {"<<404684003 : [0..0] 363698007 = *", "404 222"},
        {"* : [1..*] { 363698007 = 444444004, 116676008 = * }", "666"},
        {"* : { 363698007 = 123037004, 116676008 = * }", ""},
        {"* : 363698007 = 123037004, 116676008 = *", "666"},
        {"* : [2..*] { 363698007 = << 123037004 }", "666"},
        {"* : [0..1] { 363698007 = * }, 363698007 = *", "111 333"},
        {"* : [2..*] R 363698007 = *", "444"},
        {"* : (363698007 = 123037004 OR 363698007 = 404684003)", "666"},
        {"* : 116676008 = * OR 363698007 = 444444004, 363698007 = *", "111 333 666"},
        /* Concrete values. */
        {"* : 999000002 = #2", "666"},
        {"* : 999000002 > #2", ""},
        {"* : 999000002 >= #2.0", "666"},
        {"* : 999000003 < #0.75", "666"},
        {"* : 999000003 != #0.5", ""},
        {"* : 999000004 = \"mild\"", "666"},
        {"* : 999000004 != (\"Mild\" \"Hot\")", ""},
        {"* : 999000004 = (\"Hot\" \"Mild\")", "666"},
        /* Values behind a dot. */
        {"333333003.363698007", "444"},
        {"<<404684003 . 363698007", "123 444"},
        {"666666006.(116676008 OR 363698007)", "123 444 777"},
        /* The outermost of a set. */
        {"!!> (<<222222002 OR 404684003)", "404"},
        {"!!< (<<222222002)", "333 666"},
        /* The long syntax. */
        {"descendantOf 404684003 |Clinical finding|", "111 222 333 666"},
        {"descendantOrSelfOf 404684003", "404 111 222 333 666"},
        {"childOf 404684003", "111 222"},
        {"CHILDORSELFOF 404684003", "404 111 222"},
        {"ancestorOf 333333003", "138 404 111 222"},
        {"ancestorOrSelfOf 333333003", "138 404 111 222 333"},
        {"parentOf 333333003", "111 222"},
        {"parentOrSelfOf 333333003", "111 222 333"},
        {"memberOf 723264001", "444"},
        {"descendantOf memberOf 723264001 {{ M active = 0 }}", "333 666"},
        {"any : reverseOf 363698007 = 333333003", "444"},
        {"ANY : [2 to many] reverseOf 363698007 = ANY", "444"},
        {"ANY : [1 to 1] 363698007 = ANY", "111 333"},
        {"descendantOrSelfOf 404684003 : 363698007 NOT = 444444004", "666"},
        {"<<404684003 : 363698007 <> 444444004", "666"},
        {"* : 999000002 NOT = #3", "666"},
        /* Filters. */
        {"* {{ term = \"nose\" }}", "333"},
        {"* {{ term = \"fev no\", type = syn }}", "333"},
        {"* {{ term = \"disorder nose\" }}", "333"},
        {"* {{ term = \"hot disorder\" }}", ""},
        {"* {{ D term = wild:\"Clinical*finding)\", language = en, type = fsn }}", "404"},
        {"* {{ term = (\"clinical\" \"hot\"), language = (de en) }}", "404 333"},
        {"* {{ term = \"clinical\", language = de }}", ""},
        {"<<404684003 {{ type != fsn }}", "222 333"},
        {"* {{ C active = false }}", "555 888"},
        {"(<<404684003 {{ term = \"nose\" }}).363698007", "444"},
        {"* {{ term = \"fev\", term = \"nose\" }}", "333"},
        {"* {{ term = \"hot\", term = \"disorder\" }}", ""},
        {"* {{ term = \"hot\" }} {{ term = \"disorder\" }}", "333"},
        {"* {{ term = wild:\"cardi\\*c*\" }}", "222"},
        {"* {{ term = wild:\"cardi\\*\" }}", ""},
        {"* {{ typeId = (900000000000013009 |Synonym| 900000000000003001) }}", "404 222 333"},
        {"* {{ dialect = en-us }}", "333"},
        {"* {{ dialect = en-us (prefer), term = \"nose\" }}", "333"},
        {"* {{ dialect = en-us (prefer), term = \"hot\" }}", ""},
        {"* {{ dialect = en-us (accept), term = \"hot\" }}", "333"},
        {"* {{ dialect = en-us (900000000000548007 |Preferred|), term = \"hot\" }}", ""},
        {"* {{ dialect = (en-gb en-au) (accept) }}", ""},
        {"* {{ dialect = (en-gb (accept) en-us (accept)) }}", "333"},
        {"* {{ dialect = en-gb, dialect = en-us (accept) }}", "333"},
        {"* {{ dialectId = 900000000000508004 |GB English| }}", "333"},
        {"* {{ dialectId = (900000000000508004 900000000000509007 (accept)), term = \"fever\" }}",
         ""},
        {"* {{ term = \"hot\", dialect != en-gb }}", ""},
        {"* {{ D moduleId = 731000124108 }}", "222"},
        {"* {{ D moduleId = << 731000124108 }}", "222"},
        {"* {{ D effectiveTime <= \"20201231\" }}", "222"},
        {"* {{ D effectiveTime = \"\" }}", ""},
        {"* {{ D id = 1003013 }}", "333"},
        {"* {{ D id = (1005015 1003013) }}", "404 333"},
        {"* {{ term = \"withdrawn\" }}", ""},
        {"* {{ D active = 0, term = \"withdrawn\" }}", "333"},
        {"* {{ D active = \"*\", term = \"withdrawn\" }}", "333"},
        {"* {{ D active != false, term = \"withdrawn\" }}", ""},
        {"<<404684003 {{ C definitionStatus = defined }}", "666"},
        {"<<404684003 {{ C definitionStatus = primitive }}", "404 111 222 333"},
        {"* {{ C definitionStatus = (primitive defined), active = false }}", "555 888"},
        {"* {{ C definitionStatusId = 900000000000073002 |Defined| }}", "666"},
        {"<222222002 {{ C moduleId = 731000124108 }}", "666"},
        {"<222222002 {{ C moduleId != 731000124108 }}", "333"},
        {"<222222002 {{ C moduleId = (731000124108 |US| OR 900000000000207008) }}", "333 666"},
        {"<222222002 {{ C effectiveTime < \"20240101\" }}", "666"},
        {"<222222002 {{ C effectiveTime = (\"20230731\" \"20200101\") }}", "666"},
        {"<222222002 {{ C effectiveTime != \"20230731\" }}", "333"},
        {"<222222002 {{ C definitionStatus = primitive }} {{ D term = \"nose\" }}", "333"},
        /* Rows of reference sets. */
        {"^723264001 {{ M active = 0 }}", "222"},
        {"^723264001 {{ M active = \"*\" }}", "222 444"},
        {"^723264001 {{ M active = 0, moduleId = 731000124108 }}", "222"},
        {"^723264001 {{ M effectiveTime >= \"20240101\" }}", "444"},
        {"<^723264001 {{ M active = 0 }}", "333 666"},
        {"^447562003 {{ M mapTarget = \"J34\" }}", "333"},
        {"^447562003 {{ M mapTarget = wild:\"R50*\" }}", "222 333"},
        {"^447562003 {{ M mapTarget = wild:\"R50.0\" }}", "333"},
        {"^447562003 {{ M mapTarget = (match:\"J34\" wild:\"*.9\") }}", "222 333"},
        {"^447562003 {{ M mapGroup = #1, mapPriority = #1 }}", "222"},
        {"^447562003 {{ M mapGroup > #1 }}", "333"},
        {"^447562003 {{ M mapPriority != #1 }} {{ M mapTarget = \"J34.8\" }}", "333"},
        {"^900000000000527005", "555"},
        {"^(<900000000000522004)", "555 888"},
        {"^[targetComponentId] 900000000000527005", "222"},
        {"^[referencedComponentId] 900000000000527005", "555"},
        {"^[targetComponentId] 900000000000526001 {{ M referencedComponentId = 888888008 |x| }}",
         "333"},
        {"^900000000000527005 {{ M targetComponentId = <<404684003 }}", "555"},
        /* What history adds. */
        {"222222002 {{ + HISTORY-MIN }}", "222 555"},
        {"<<222222002 {{+HISTORY_MIN}}", "222 333 555 666"},
        {"<<222222002 {{ + HISTORY-MOD }}", "222 333 555 888 666"},
        {"<<222222002 {{ + history }}", "222 333 555 888 666"},
        {"<<222222002 {{ + HISTORY (900000000000526001) }}", "222 333 888 666"},
        {"<<222222002 {{ + HISTORY (*) }}", "222 333 555 888 666"},
        {"444444004 {{ + HISTORY-MAX }}", "444"},
        {"(<<222222002 {{ + HISTORY }}) {{ C active = 0 }}", "555 888"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (strcmp(select_by(cases[i][0]), cases[i][1]) != 0)
            fail_msg("%s: got %s, want %s", cases[i][0], select_by(cases[i][0]), cases[i][1]);
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "place 1"},
        {"<", "place 2"},
        {"<<999999999", "place 3: this concept does not exist"},
        {"(<404684003", "a closing parenthesis is missing"},
        {"404684003 404684003", "nothing more is expected"},
        {"404684003 |x", "the bar"},
        {"404684003 : 363698007", "= or != is expected"},
        {"404684003 : [1-2] 363698007 = *", "a cardinality like [1..3]"},
        {"404684003 : [2..1] 363698007 = *", "the cardinality allows no number"},
        {"404684003 : 363698007 >= 404684003", "only numbers have an order"},
        {"404684003 : 363698007 >= \"a\"", "only numbers have an order"},
        {"404684003 : 363698007 = #", "a number is expected"},
        {"404684003 : 363698007 = \"a", "the text is not closed"},
        {"404684003.", "a concept, * or ( is expected"},
        {"404684003 {{ dialect = xx-yy }}", "place 24: an alias of a dialect is expected"},
        {"404684003 {{ C term = \"x\" }}", "\"term\" is nothing that this filter knows"},
        {"404684003 {{ C effectiveTime = \"2024\" }}", "a date like \"20240131\" is expected"},
        {"404684003 {{ C active < 1 }}", "= or != is expected"},
        {"404684003 {{ type = abc }}", "syn, fsn or def is expected"},
        {"404684003 {{ M active = 1 }}", "is nothing that this filter knows"},
        {"404684003 {{ + HISTORIC }}", "HISTORY is expected"},
        {"404684003 {{ + HISTORY-MID }}", "HISTORY-MIN, HISTORY-MOD or HISTORY-MAX is expected"},
        {"404684003 {{ + HISTORY }} {{ C active = 1 }}", "nothing more is expected"},
        {"^[a, b] 723264001", "only one field can be taken"},
        {"^[mapTarget] 723264001", "no reference set that it names has a field \"mapTarget\""},
        {"^723264001 {{ M mapTarget = \"x\" }}", "has a field \"mapTarget\""},
        {"404684003 {{ term = x }}", "a text is expected"},
        {"404684003 {{ term = \"x\"", "the braces of the filter are not closed"},
    };
    char deep[200];
    struct arena a;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t bits[4] = {0};
        arena_init(&a, MIB(4));
        assert_int_equal(ecl_select(cs, &a, str_c(cases[i].text), bits, &err), ERR_VALUE);
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s: got \"%s\", want \"%s\"", cases[i].text, err.text, cases[i].says);
        arena_done(&a);
    }
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    arena_init(&a, MIB(4));
    assert_int_equal(ecl_select(cs, &a, str_c(deep), (uint64_t[4]){0}, &err), ERR_COSTLY);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_release),
        cmocka_unit_test(selects),
        cmocka_unit_test(says_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
