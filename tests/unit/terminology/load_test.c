/* Terminologies from files: small ones made here in the formats of their owners, and, where the
 * official data is there, WHO's own. Expected values of those were read off the files.
 */
#include "taken.h"

#include "base/clock.h"
#include "terminology/cluster.h"

#include <unistd.h>

#define ICD_HEAD                                                                                   \
    "\xef\xbb\xbf"                                                                                 \
    "Foundation URI\tLinearization URI\tCode\tBlockId\tTitle\tClassKind\t" \
    "DepthInKind\tIsResidual\t" \
    "ChapterNo\tBrowserLink\tisLeaf\tPrimary tabulation\tGrouping1\t" \
    "Version:2024 Jan 21 - 22:30 UTC\r\n"
#define ICD_ROW(id, code, block, title, kind, chapter, leaf)                                       \
    "http://w/entity/" id "\thttp://w/mms/" id "\t" code "\t" block "\t\"" title "\"\t" kind \
    "\t1\tFalse\t" chapter "\t\t" leaf "\tTrue\t\t\r\n"

static const char icd[] = ICD_HEAD ICD_ROW("1", "", "", "Made-up fevers", "chapter", "01", "False")
    ICD_ROW("2", "", "B1", "- Warm fevers", "block", "01", "False")
        ICD_ROW("3", "1A00", "", "- - Red fever, called \"\"rosy\"\"", "category", "01", "False")
            ICD_ROW("4", "1A00.0", "", "- - - Red fever of the nose", "category", "01", "True")
                ICD_ROW("5", "1A01", "", "- - Blue fever", "category", "01", "True")
                    ICD_ROW("6", "", "", "Extension codes", "chapter", "X", "False")
                        ICD_ROW("7", "", "", "- Severity", "block", "X", "False")
                            ICD_ROW("8", "XS1", "", "- - Mild", "category", "X", "True");

static void reads_a_tabulation(void **state)
{
    const char *const files[] = {"icd.txt", icd, NULL};
    struct err err = {0};
    struct taken t;
    struct cs *cs;
    uint32_t i;
    size_t n;

    (void)state;
    if (taken_load(&t, files, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(t.n_systems, 1);
    cs = t.systems[0];
    assert_int_equal(cs_n(cs), 8);
    assert_str(cs_url(cs), STR("http://id.who.int/icd/release/11/mms"));
    assert_str(cs_version(cs), STR("2024-01"));
    i = code_of(cs, "1A00");
    assert_str(cs_display(cs, i), STR("Red fever, called \"rosy\""));
    assert_str(property_of(cs, i, "kind"), STR("category"));
    assert_str(property_of(cs, i, "leaf"), STR("false"));
    assert_str(property_of(cs, i, "foundation"), STR("http://w/entity/3"));
    assert_int_equal(cs_parents(cs, i, &n)[0], code_of(cs, "B1"));
    assert_int_equal(n, 1);
    assert_true(cs_is_a(cs, code_of(cs, "1A00.0"), code_of(cs, "01")));
    assert_false(cs_is_a(cs, code_of(cs, "1A01"), i));
    assert_true(cs_at(cs, code_of(cs, "B1"))->flags & CONCEPT_ABSTRACT);
    assert_true(cs_at(cs, code_of(cs, "XS1"))->flags & CONCEPT_EXTENSION);
    /* A block without a BlockId is called by its entity. */
    assert_str(cs_display(cs, code_of(cs, "7")), STR("Severity"));
    assert_non_null(strstr(t.resource, "\"content\":\"not-present\",\"count\":8"));
    taken_done(&t);
}

static void reads_clusters(void **state)
{
    static const struct {
        const char *code, *display;
    } cases[] = {
        {"1A00&XS1", "Red fever, called \"rosy\" & Mild"},
        {"1A00.0&XS1/1A01", "Red fever of the nose & Mild / Blue fever"},
        {"1A00/1A01&XS1", "Red fever, called \"rosy\" / Blue fever & Mild"},
        {"XS1&XS1", NULL},
        {"1A00/XS1", NULL},
        {"1A00&", NULL},
        {"&XS1", NULL},
        {"1A00&XS2", NULL},
        {"1A00&B1", NULL},
        {"01/1A00", NULL},
        {"1A00", NULL}, /* no cluster: the code itself is asked for */
    };
    const char *const files[] = {"icd.txt", icd, NULL};
    struct err err = {0};
    struct arena a;
    struct taken t;

    (void)state;
    assert_int_equal(taken_load(&t, files, &err), 0);
    arena_init(&a, MIB(1));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str display;
        int r = cluster_check(t.systems[0], &a, str_c(cases[i].code), &display, &err);
        if ((r >= 0) != (cases[i].display != NULL))
            fail_msg("%s: %d", cases[i].code, r);
        if (r >= 0)
            assert_str(display, str_c(cases[i].display));
        else
            assert_int_equal(r, ERR_VALUE);
    }
    arena_done(&a);
    taken_done(&t);
}

/* An ICD-11 whose axes are known: fevers have a severity (one), agents (as many, but one of each
 * block), a place and, the blue one, a cause that it requires; a place has a side; 1A02 is said to
 * have none, of 1A03 nothing is said. */
#define AXES_ROW(id, code, title, kind, chapter)                                                   \
    "http://w/entity/" id "\thttp://w/mms/" id "\t" code "\t\t\"" title "\"\t" kind \
    "\t1\tFalse\t" chapter "\t\tTrue\tTrue\t\t\r\n"

static const char icd_axes[] = ICD_HEAD AXES_ROW("1", "", "Fevers", "chapter", "01") AXES_ROW(
    "2", "1A00", "- Red fever", "category",
    "01") AXES_ROW("3", "1A01", "- Blue fever", "category",
                   "01") AXES_ROW("4", "1A02", "- Green fever", "category",
                                  "01") AXES_ROW("5", "1A03", "- Other fever", "category", "01")
    AXES_ROW("10", "", "Extension codes", "chapter", "X") AXES_ROW(
        "11", "", "- Severity", "block", "X") AXES_ROW("12", "XS1", "- - Mild", "category", "X")
        AXES_ROW("13", "XS2", "- - Severe", "category",
                 "X") AXES_ROW("14", "", "- Agents", "block",
                               "X") AXES_ROW("15", "", "- - Worms", "block", "X")
            AXES_ROW("16", "XW1", "- - - Long worm", "category",
                     "X") AXES_ROW("17", "XW2", "- - - Short worm", "category", "X")
                AXES_ROW("18", "", "- - Germs", "block", "X")
                    AXES_ROW("19", "XG1", "- - - Round germ", "category", "X")
                        AXES_ROW("20", "", "- Places", "block", "X")
                            AXES_ROW("21", "XP1", "- - Nose", "category", "X")
                                AXES_ROW("22", "", "- Sides", "block", "X")
                                    AXES_ROW("23", "XL1", "- - Left", "category", "X")
                                        AXES_ROW("24", "XL2", "- - Right", "category", "X")
                                            AXES_ROW("1897222875", "",
                                                     "- Diagnosis code descriptors", "block", "X")
                                                AXES_ROW("31", "XY1", "- - Main", "category", "X");

static const char axes_lines[] =
    "Linearization URI\taxisName\trequiredPostcoordination\tallowMultipleValues\tscaleEntity\n"
    "http://w/mms/2\thttp://id.who.int/icd/schema/hasSeverity\tfalse\tNotAllowed\thttp://w/mms/11\n"
    "http://w/mms/2\thttp://id.who.int/icd/schema/infectiousAgent\tfalse\t"
    "AllowedExceptFromSameBlock\thttp://w/mms/15 http://w/mms/18\n"
    "http://w/mms/2\thttp://id.who.int/icd/schema/specificAnatomy\tfalse\tAllowAlways\t"
    "http://w/mms/20\n"
    "http://w/mms/21\thttp://id.who.int/icd/schema/laterality\tfalse\tNotAllowed\thttp://w/mms/22\n"
    "http://w/mms/4\t\t\t\t\n";

static const char axes_json[] =
    "[{\"@id\":\"http://id.who.int/icd/release/11/2024-01/mms/3\",\"postcoordinationScale\":[{"
    "\"axisName\":\"http://id.who.int/icd/schema/"
    "hasCausingCondition\",\"requiredPostcoordination\":"
    "\"true\",\"allowMultipleValues\":\"AllowAlways\",\"scaleEntity\":"
    "[\"http://id.who.int/icd/release/11/2024-01/mms/14\","
    "\"http://id.who.int/icd/release/11/2024-01/mms/2\"]}]}]";

static void clusters_are_held_to_axes(void **state)
{
    static const struct {
        const char *code, *wrong; /* NULL: nothing is */
    } cases[] = {
        {"1A00&XS1", NULL},
        {"1A00&XS1&XS2", "\"XS2\", is one value too many of the axis \"hasSeverity\""},
        {"1A00&XW1&XG1", NULL},
        {"1A00&XW1&XW2", "\"XW2\", is one value too many of the axis \"infectiousAgent\""},
        {"1A00&XL1", "code 2 of the cluster, \"XL1\", is a value of no axis of \"1A00\""},
        {"1A00&XP1&XL1", NULL},
        {"1A00&XP1&XL1&XL2", "one value too many of the axis \"laterality\""},
        {"1A00&XP1&XL1&XP1&XL2", NULL},
        {"1A00&XY1", NULL},
        {"1A01&XS1", "\"hasCausingCondition\", which \"1A01\" requires, has no value"},
        {"1A01&XG1", NULL},
        {"1A01/1A00", NULL},
        {"1A01/1A00&XS1", NULL},
        {"1A00/1A01&XS1", "code 3 of the cluster, \"XS1\", is a value of no axis of \"1A01\""},
        {"1A02&XS1", "\"XS1\", is a value of no axis of \"1A02\""},
        {"1A02&XY1", NULL},
        {"1A03&XS1&XS2", NULL},
        {"1A03&XP1&XL1", NULL},
    };
    const char *const files[] = {"axes.tsv", axes_lines, "icd.txt", icd_axes,
                                 "e.json",   axes_json,  NULL};
    struct err err = {0};
    struct arena a;
    struct taken t;

    (void)state;
    if (taken_load(&t, files, &err) < 0)
        fail_msg("%s", err.text);
    assert_str(property_of(t.systems[0], code_of(t.systems[0], "1A01"), "postcoordinationScale"),
               STR("hasCausingCondition"));
    arena_init(&a, MIB(1));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str display;
        int r = cluster_check(t.systems[0], &a, str_c(cases[i].code), &display, &err);
        if ((r >= 0) != !cases[i].wrong)
            fail_msg("%s: %d %s", cases[i].code, r, r < 0 ? err.text : "");
        if (r < 0 && !strstr(err.text, cases[i].wrong))
            fail_msg("%s: got \"%s\", want \"%s\"", cases[i].code, err.text, cases[i].wrong);
    }
    arena_done(&a);
    taken_done(&t);
}

static void wrong_axes_are_named(void **state)
{
#define AXES_HEAD                                                                                  \
    "Linearization URI\taxisName\trequiredPostcoordination\tallowMultipleValues\tscaleEntity\n"
    static const struct {
        const char *axes, *says;
    } cases[] = {
        {AXES_HEAD "http://w/mms/2\ta\tmaybe\tNotAllowed\thttp://w/mms/11\n",
         "axes.tsv: line 2: requiredPostcoordination is \"maybe\""},
        {AXES_HEAD "http://w/mms/2\ta\ttrue\tSometimes\thttp://w/mms/11\n",
         "line 2: allowMultipleValues is \"Sometimes\""},
        {AXES_HEAD "http://w/mms/2\ta\ttrue\tNotAllowed\t\n", "the axis \"a\" has no scale"},
        {AXES_HEAD "\ta\ttrue\tNotAllowed\tx\n", "the line names no entity"},
        {AXES_HEAD "http://w/mms/99\ta\ttrue\tNotAllowed\thttp://w/mms/11\n", "\"99\""},
        {AXES_HEAD "http://w/mms/2\ta\ttrue\tNotAllowed\thttp://w/mms/98\n", "mms/98\""},
        {"[{\"@id\":\"http://id.who.int/icd/release/11/x/mms/2\"},{}]", "item 2 is no entity"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const files[] = {"icd.txt", icd_axes, "axes.tsv", cases[i].axes, NULL};
        struct err err = {0};
        struct taken t;
        assert_true(taken_load(&t, files, &err) < 0);
        if (!strstr(err.text, cases[i].says))
            fail_msg("got \"%s\", want \"%s\"", err.text, cases[i].says);
        taken_done(&t);
    }
}

/* The error names the file and the line. */
/* A classification in ClaML that is made up: a chapter with a block, a modified category, one with
 * a category below it that the modifier leaves out, and a dagger. */
#define CLAML(classes)                                                                             \
    "<ClaML version=\"2.0.0\">\n<Title name=\"ICD-10\" version=\"2019\"/>\n"                       \
    classes "</ClaML>"
#define CLASS(code, kind, more, label)                                                             \
    "<Class code=\"" code "\" kind=\"" kind "\">" more PREFERRED(label) "</Class>\n"
#define PREFERRED(label)                                                                           \
    "<Rubric kind=\"preferred\"><Label xml:lang=\"en\">" label "</Label></Rubric>"
#define SUPER(code) "<SuperClass code=\"" code "\"/>"

static void reads_claml(void **state)
{
    static const char text[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<!DOCTYPE ClaML SYSTEM \"ClaML.dtd\">\n" CLAML(
            "<Modifier code=\"M1\"><Rubric kind=\"text\"><Label>How</Label></Rubric></Modifier>"
            "<ModifierClass modifier=\"M1\" code=\".0\">" PREFERRED(
                "mild") "</ModifierClass>"
                        "<ModifierClass modifier=\"M1\" code=\".1\">" PREFERRED(
                            "severe") "</ModifierClass>" CLASS("Q11", "category", SUPER("Q10-Q19"),
                                                               "Quirks") CLASS("Q11.5", "category",
                                                                               SUPER("Q11"),
                                                                               "Old\n   <Term "
                                                                               "class=\"i\">quirk</"
                                                                               "Term>s")
                            CLASS("I", "chapter", "", "Chapter one") CLASS(
                                "Q10-Q19", "block", SUPER("I") "<ModifiedBy code=\"M1\"/>",
                                "All of Q")
                                CLASS("Q10", "category",
                                      SUPER("Q10-Q19") "<Rubric kind=\"inclusion\"><Label xml:lang"
                                                       "=\"en\">Queasy &amp; "
                                                       "odd</Label></Rubric><Rubric "
                                                       "kind=\"exclusion\"><Label>"
                                                       "not this</Label></Rubric>",
                                      "Queer") "<Class code=\"Q12\" kind=\"category\" "
                                               "usage=\"dagger\">" SUPER(
                                                   "Q10-Q19") "<ExcludeModifier"
                                                              " code=\"M1\"/"
                                                              ">" PREFERRED("Qu"
                                                                            "ie"
                                                                            "t") "</Class>");
    const char *const files[] = {"icd.xml", text, NULL};
    struct err err = {0};
    struct taken t;
    const struct cs *cs;
    size_t n;

    (void)state;
    if (taken_load(&t, files, &err) < 0)
        fail_msg("%s", err.text);
    cs = t.systems[0];
    assert_str(cs_url(cs), STR("http://hl7.org/fhir/sid/icd-10"));
    assert_str(cs_version(cs), STR("2019"));
    assert_int_equal(cs_n(cs), 10);
    assert_true(cs_info(cs)->flags & CS_TREE);
    assert_true(cs_at(cs, code_of(cs, "Q10-Q19"))->flags & CONCEPT_ABSTRACT);
    assert_true(cs_is_a(cs, code_of(cs, "Q10.1"), code_of(cs, "I")));
    assert_str(cs_display(cs, code_of(cs, "Q10.1")), STR("Queer : severe"));
    assert_str(cs_display(cs, code_of(cs, "Q11.5")), STR("Old quirk s"));
    /* The fourth place is taken: the modifier gives the fifth. */
    assert_str(cs_display(cs, code_of(cs, "Q11.50")), STR("Old quirk s : mild"));
    assert_int_equal(cs_find(cs, STR("Q11.0")), CS_NONE);
    assert_int_equal(cs_find(cs, STR("Q12.0")), CS_NONE);
    assert_str(property_of(cs, code_of(cs, "Q12"), "usage"), STR("dagger"));
    assert_str(property_of(cs, code_of(cs, "I"), "kind"), STR("chapter"));
    assert_str(property_of(cs, code_of(cs, "Q10"), "exclusion"), STR("not this"));
    assert_str(cs_text(cs, cs_designations(cs, code_of(cs, "Q10"), &n)->value),
               STR("Queasy & odd"));
    assert_int_equal(n, 1);
    taken_done(&t);
}

static void wrong_lines_are_named(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {ICD_HEAD ICD_ROW("1", "", "", "A", "chapter", "01", "False")
             ICD_ROW("2", "1A00", "", "- A", "kategory", "01", "True"),
         "wrong.txt: line 3: the class kind is \"kategory\""},
        {ICD_HEAD ICD_ROW("1", "", "", "A", "chapter", "01", "False")
             ICD_ROW("2", "1A00", "", "- - A", "category", "01", "True"),
         "wrong.txt: line 3: \"1A00\" stands at depth 2"},
        {ICD_HEAD ICD_ROW("1", "", "", "A", "chapter", "01", "False")
             ICD_ROW("2", "01", "", "- A", "category", "01", "True"),
         "wrong.txt: line 3: the code \"01\" stands twice"},
        {"LOINC_NUM,LONG_COMMON_NAME\n2160-0,Creatinine\n2160-1,Wrong digit\n",
         "wrong.txt: line 3: \"2160-1\" is no LOINC number"},
        {"id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\n138875005\t20240101\t1\n",
         "wrong.txt: line 2: the line has 3 columns, not 5"},
        {"ATC code,ATC name\nA,Alimentary\nA1,No\n", "wrong.txt: line 3: \"A1\" is no ATC code"},
        {"{\"3166-1\":[{\"alpha_2\":\"AA\"}]}", "wrong.txt: entry 1 of \"3166-1\" has no name"},
        {"{\"resourceType\":", "wrong.txt: "},
        {CLAML(CLASS("A", "category", "<SuperClass code=\"B\"/>", "A")),
         "wrong.txt: line 3: the superclass \"B\" does not exist"},
        {CLAML(CLASS("A", "category", "", "A") CLASS("A", "category", "", "A")),
         "wrong.txt: line 4: the code \"A\" stands twice"},
        {CLAML(CLASS("A", "category", "<SuperClass code=\"B\"/>", "A")
                   CLASS("B", "category", "<SuperClass code=\"A\"/>", "B")),
         "wrong.txt: the class \"A\" lies below itself"},
        {CLAML("<Class code=\"A\" kind=\"category\"/>"), "there is no preferred label"},
        {CLAML(""), "the classification has no classes"},
        {"<ClaML version=\"2.0.0\"><Title name=\"Mine\"/>" CLASS("A", "category", "",
                                                                 "A") "</ClaML>",
         "the classification \"Mine\" is not known"},
        {"<ClaML version=\"2.0.0\">\n</Class>", "wrong.txt: line 2: not XML"},
        /* Neither entities of its own nor those of another file are followed. */
        {"<!DOCTYPE ClaML [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>" CLAML(
             CLASS("A", "category", "", "&e;")),
         "not XML"},
        {"<!DOCTYPE ClaML [<!ENTITY e \"eeeeeeeeee\">]>" CLAML(
             CLASS("A", "category", "", "&e;&e;")),
         "not XML"},
        {"nothing that anybody knows\n", "holds nothing that can be loaded"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const files[] = {"wrong.txt", cases[i].text, NULL};
        struct err err = {0};
        struct taken t;
        assert_true(taken_load(&t, files, &err) < 0);
        if (!strstr(err.text, cases[i].says))
            fail_msg("got \"%s\", want \"%s\"", err.text, cases[i].says);
        assert_int_equal(t.n_systems, 0);
        taken_done(&t);
    }
}

static void reads_loinc_and_atc(void **state)
{
    const char *const files[] = {
        "Loinc.csv",
        "\"LOINC_NUM\",\"COMPONENT\",\"STATUS\",\"SHORTNAME\",\"LONG_COMMON_NAME\","
        "\"VersionLastChanged\"\r\n"
        "\"2160-0\",\"Creatinine\",\"ACTIVE\",\"Creat SerPl-mCnc\",\"Creatinine [Mass/volume] in "
        "Serum, or Plasma\",\"2.73\"\r\n"
        "\"718-7\",\"Hemoglobin\",\"DEPRECATED\",\"\",\"Hemoglobin\nin Blood\",\"2.42\"\r\n",
        "atc.csv",
        "atc_code,atc_name,ddd\nA,Alimentary tract,\nA10,Diabetes,\nA10B,Glucose lowering,\n"
        "A10BA,Biguanides,\nA10BA02,\"metformin\",2\nA10BA02,metformin,0.5\n",
        NULL};
    struct err err = {0};
    struct taken t;
    struct cs *cs;

    (void)state;
    if (taken_load(&t, files, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(t.n_systems, 2);
    cs = t.systems[0];
    assert_int_equal(cs_n(cs), 2);
    assert_str(cs_version(cs), STR("2.73"));
    assert_str(cs_display(cs, code_of(cs, "2160-0")),
               STR("Creatinine [Mass/volume] in Serum, or Plasma"));
    assert_str(property_of(cs, code_of(cs, "2160-0"), "COMPONENT"), STR("Creatinine"));
    assert_str(cs_display(cs, code_of(cs, "718-7")), STR("Hemoglobin\nin Blood"));
    assert_true(cs_at(cs, code_of(cs, "718-7"))->flags & CONCEPT_INACTIVE);
    cs = t.systems[1];
    assert_int_equal(cs_n(cs), 5);
    assert_true(cs_is_a(cs, code_of(cs, "A10BA02"), code_of(cs, "A")));
    assert_false(cs_is_a(cs, code_of(cs, "A10"), code_of(cs, "A10B")));
    taken_done(&t);
}

#define MAP_HEAD                                                                                   \
    "10ClassKind\t10DepthInKind\ticd10Code\ticd10Chapter\ticd10Title\t" \
    "11ClassKind\t11DepthInKind\t" \
    "ICD-11 FoundationURI\tLinearization (releaseURI)\ticd11Code\ticd11Chapter\ticd11Title\tx\n"

static struct str group_target(const struct map *m, uint32_t element)
{
    return map_text(m, map_group(m, map_element(m, element)->group)->target);
}

static void reads_maps(void **state)
{
    const char *const files[] = {
        "10To11.txt",
        MAP_HEAD "chapter\t1\tI\tI\tInfections\tchapter\t1\tf\t"
                 "http://id.who.int/icd/release/11/2024-01/mms/1\t01\t01\tInfections\n"
                 "block\t1\tA00-A09\tI\tGut\tblock\t1\tf\t"
                 "http://id.who.int/icd/release/11/2024-01/mms/588616678\t\t01\tGut\n"
                 "category\t1\tA00\tI\tCholera\tcategory\t1\tf\tu\t1A00\t01\tCholera\n"
                 "category\t2\tA00.0\tI\tCholera 0\tcategory\t1\tf\tu\t1A00\t01\tCholera\n",
        "11To10.txt",
        "Linearization (release) "
        "URI\ticd11Code\ticd11Chapter\ticd11Title\ticd10Code\ticd10Chapter\t"
        "icd10Title\tx\n"
        "http://id.who.int/icd/release/11/2024-01/mms/1\t1A00\t01\tCholera\tA00.9\tI\tCholera, n\n"
        "http://id.who.int/icd/release/11/2024-01/mms/135\t\t01\tA block\tA00\tI\tCholera\n"
        "u\t1B70\t01\tCellulitis\tNo Mapping\t\t\n",
        NULL};
    struct err err = {0};
    struct taken t;
    size_t at = 0;
    uint32_t i;

    (void)state;
    if (taken_load(&t, files, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(t.n_maps, 2);
    i = map_find(t.maps[0], STR("A00.0"), &at);
    assert_int_not_equal(i, MAP_NONE);
    assert_str(map_text(t.maps[0], map_target(t.maps[0], map_element(t.maps[0], i)->targets)->code),
               STR("1A00"));
    at = 0;
    assert_int_not_equal(map_find_target(t.maps[0], STR("1A00"), &at), MAP_NONE);
    assert_int_not_equal(map_find_target(t.maps[0], STR("1A00"), &at), MAP_NONE);
    assert_int_equal(map_find_target(t.maps[0], STR("1A00"), &at), MAP_NONE);
    at = 0;
    i = map_find(t.maps[1], STR("1B70"), &at);
    assert_str(
        map_text(t.maps[1], map_target(t.maps[1], map_element(t.maps[1], i)->targets)->equivalence),
        STR("unmatched"));
    assert_int_equal(map_info(t.maps[1])->n_elements, 3);
    /* An entity without a code is named as the foundation names it. */
    at = 0;
    i = map_find(t.maps[0], STR("A00-A09"), &at);
    assert_int_not_equal(i, MAP_NONE);
    assert_str(map_text(t.maps[0], map_target(t.maps[0], map_element(t.maps[0], i)->targets)->code),
               STR("588616678"));
    assert_str(group_target(t.maps[0], i), STR("http://id.who.int/icd/entity"));
    at = 0;
    i = map_find(t.maps[1], STR("135"), &at);
    assert_int_not_equal(i, MAP_NONE);
    assert_str(group_target(t.maps[1], i), STR("http://hl7.org/fhir/sid/icd-10"));
    assert_int_equal(t.n_systems, 1);
    assert_true(cs_is_a(t.systems[0], code_of(t.systems[0], "A00.0"), code_of(t.systems[0], "I")));
    taken_done(&t);
}

static void reads_iso_codes_and_resources(void **state)
{
    const char *const files[] = {
        "3166.json",
        "{\"3166-1\":[{\"alpha_2\":\"KE\",\"alpha_3\":\"KEN\",\"numeric\":\"404\",\"name\":"
        "\"Kenya\"}]}",
        "vs.json", "{\"resourceType\":\"ValueSet\",\"status\":\"active\"}", NULL};
    struct err err = {0};
    struct taken t;

    (void)state;
    if (taken_load(&t, files, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(cs_n(t.systems[0]), 3);
    assert_str(cs_display(t.systems[0], code_of(t.systems[0], "KEN")), STR("Kenya"));
    assert_str(property_of(t.systems[0], code_of(t.systems[0], "KE"), "numeric"), STR("404"));
    assert_int_equal(t.n_resources, 1);
    taken_done(&t);
}

/* ---- packed files ---- */

static void refuses_a_bomb(void **state)
{
    char path[64] = "/tmp/carnet-bomb-XXXXXX", command[200];
    struct err err = {0};
    struct taken t;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    snprintf(command, sizeof command, "yes | head -c 90000000 | gzip -6 > %s", path);
    assert_int_equal(system(command), 0);
    assert_int_equal(taken_load_file(&t, path, &err), ERR_COSTLY);
    assert_non_null(strstr(err.text, "times its size"));
    taken_done(&t);
    assert_int_equal(truncate(path, 5000), 0);
    assert_true(taken_load_file(&t, path, &err) < 0);
    taken_done(&t);
    unlink(path);
    assert_int_equal(taken_load_file(&t, path, &err), ERR_NOT_FOUND);
    taken_done(&t);
}

/* ---- the official files ---- */

static bool official(char *ret, size_t max, const char *name)
{
    const char *shared = getenv("CARNET_SHARED");

    snprintf(ret, max, "%s/terminology/%s", shared ? shared : "", name);
    return shared && access(ret, R_OK) == 0;
}

static void loads_who_icd11(void **state)
{
    struct err err = {0};
    struct taken t;
    struct cs *cs;
    char path[400];
    int64_t started = clock_mono_us();
    uint64_t *bits;
    struct arena a;
    size_t n;

    (void)state;
    if (!official(path, sizeof path, "SimpleTabulation-ICD-11-MMS-en-2024-01.zip")) {
        print_message("skipped: CARNET_SHARED does not hold WHO's ICD-11 tabulation\n");
        skip();
    }
    if (taken_load_file(&t, path, &err) < 0)
        fail_msg("%s", err.text);
    print_message("ICD-11: %zu bytes in %lld ms\n", cs_bytes(t.systems[0]),
                  (long long)(clock_mono_us() - started) / 1000);
    cs = t.systems[0];
    assert_int_equal(cs_n(cs), 36044);
    assert_true(cs_info(cs)->flags & CS_TREE);
    assert_true(cs_bytes(cs) <= MIB(30));
    assert_str(cs_display(cs, code_of(cs, "1A00")), STR("Cholera"));
    assert_str(cs_code(cs, cs_parents(cs, code_of(cs, "1A00"), &n)[0]), STR("BlockL2-1A0"));
    assert_true(cs_is_a(cs, code_of(cs, "1A03.0"), code_of(cs, "01")));
    arena_init(&a, MIB(1));
    assert_int_equal(cs_match_text(cs, &a, STR("CHOLERA"), &bits, &err), 0);
    assert_true(bits_has(bits, code_of(cs, "1A00")));
    assert_false(bits_has(bits, code_of(cs, "1A01")));
    arena_done(&a);
    taken_done(&t);
}

static void loads_who_maps(void **state)
{
    struct err err = {0};
    struct taken t;
    char path[400];

    (void)state;
    if (!official(path, sizeof path, "icd10-icd11-maps-2024-01.tar.xz")) {
        print_message("skipped: CARNET_SHARED does not hold WHO's maps\n");
        skip();
    }
    if (taken_load_file(&t, path, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(t.n_maps, 3);
    /* Each row is a mapping: 12,597, 15,658 and 17,908 of them, those without a code with them. */
    assert_int_equal(map_info(t.maps[0])->n_targets, 12597);
    assert_int_equal(map_info(t.maps[1])->n_targets, 15658);
    assert_int_equal(map_info(t.maps[2])->n_targets, 17908);
    assert_int_equal(cs_n(t.systems[0]), 12597);
    assert_str(map_text(t.maps[0], map_info(t.maps[0])->version), STR("2024-01"));
    taken_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_tabulation),
        cmocka_unit_test(reads_clusters),
        cmocka_unit_test(clusters_are_held_to_axes),
        cmocka_unit_test(wrong_axes_are_named),
        cmocka_unit_test(reads_claml),
        cmocka_unit_test(wrong_lines_are_named),
        cmocka_unit_test(reads_loinc_and_atc),
        cmocka_unit_test(reads_maps),
        cmocka_unit_test(reads_iso_codes_and_resources),
        cmocka_unit_test(refuses_a_bomb),
        cmocka_unit_test(loads_who_icd11),
        cmocka_unit_test(loads_who_maps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
