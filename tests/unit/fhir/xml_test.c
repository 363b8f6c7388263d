/* XML written from the rules of http://hl7.org/fhir/R4/xml.html and of XML itself: xml/NAME.xml
 * and what it says as JSON, xml/NAME.json; and what must not be read or written. */
#include "../test.h"

#include "json_equal.h"

#include "base/fault.h"
#include "fhir/xml.h"

#define TEXT_MAX MIB(8)
#define FHIR "xmlns=\"http://hl7.org/fhir\""
#define XHTML "xmlns=\"http://www.w3.org/1999/xhtml\""

static const char *folder;

static char *read_file(const char *name, const char *ending, size_t *ret_n)
{
    char path[512], *text = malloc(KIB(64));
    FILE *f;

    snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
    f = fopen(path, "rb");
    if (!f)
        fail_msg("there is no %s", path);
    *ret_n = fread(text, 1, KIB(64), f);
    fclose(f);
    return text;
}

static void check_file(struct arena *a, const char *name)
{
    _cleanup_(sb_done) struct sb json = sb_make(TEXT_MAX), again = sb_make(TEXT_MAX),
                                 written = sb_make(TEXT_MAX);
    yyjson_val *want, *got, *back = NULL;
    size_t xml_n, json_n;
    char *xml = read_file(name, "xml", &xml_n), *text = read_file(name, "json", &json_n);
    struct err err = {0};

    assert_true(xml_is_likely(str_n(xml, xml_n)));
    assert_false(xml_is_likely(str_n(text, json_n)));
    assert_int_equal(js_parse(a, str_n(text, json_n), &want, &err), 0);
    if (xml_read(a, str_n(xml, xml_n), &json, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    if (js_parse(a, sb_view(&json), &got, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    if (!json_is_equal(want, got))
        fail_msg("%s is %.*s", name, STR_ARG(sb_view(&json)));
    if (xml_write(&written, a, want, false, &err) < 0 ||
        xml_read(a, sb_view(&written), &again, &err) < 0 ||
        js_parse(a, sb_view(&again), &back, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    if (!json_is_equal(want, back))
        fail_msg("%s comes back as %.*s", name, STR_ARG(sb_view(&again)));
    free(xml);
    free(text);
}

static void test_files(void **state)
{
    static const char *const names[] = {"primitives", "prefixes", "narrative", "cdata",
                                        "escapes",    "bundle",   "mark"};
    struct arena a;

    (void)state;
    arena_init(&a, MIB(8));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        check_file(&a, names[i]);
    arena_done(&a);
}

/* What must stand in the XML, to the byte. */
static void test_written(void **state)
{
    static const struct {
        const char *json, *xml;
        bool pretty;
    } cases[] = {
        {"{\"gender\":\"male\",\"resourceType\":\"Patient\",\"active\":true,\"id\":\"x\"}",
         "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Patient " FHIR "><id value=\"x\"/>"
         "<active value=\"true\"/><gender value=\"male\"/></Patient>",
         false},
        {"{\"resourceType\":\"Basic\",\"extension\":[{\"valueString\":\"a\\n\\t\\r<\\\"&>'\","
         "\"url\":\"u\",\"id\":\"e\"}]}",
         "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Basic " FHIR "><extension id=\"e\" url=\"u\">"
         "<valueString value=\"a&#xA;&#x9;&#xD;&lt;&quot;&amp;&gt;'\"/></extension></Basic>",
         false},
        {"{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"b\"}]}",
         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Patient " FHIR ">\n  <contained>\n"
         "    <Basic " FHIR ">\n      <id value=\"b\"/>\n    </Basic>\n  </contained>\n"
         "</Patient>\n",
         true},
    };
    struct arena a;

    (void)state;
    arena_init(&a, MIB(8));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        _cleanup_(sb_done) struct sb xml = sb_make(TEXT_MAX);
        yyjson_val *root;
        struct err err = {0};

        assert_int_equal(js_parse(&a, str_c(cases[i].json), &root, &err), 0);
        if (xml_write(&xml, &a, root, cases[i].pretty, &err) < 0)
            fail_msg("%s", err.text);
        assert_str(sb_view(&xml), str_c(cases[i].xml));
    }
    arena_done(&a);
}

static const struct {
    const char *xml;
    const char *where; /* NULL: no element is named */
    const char *text;  /* a part of the message */
} refused[] = {
    {"", NULL, "empty"},
    {" \n ", NULL, "empty"},
    {"<Patient " FHIR, NULL, "not XML at line 1"},
    {"<Patient " FHIR "><active value='true'></Patient>", NULL, "not XML at line 1"},
    {"<Patient " FHIR ">\n<active value='true'/>\n</Patient>\n<Patient " FHIR "/>", NULL, "line 4"},
    {"<Patient " FHIR "/>x", NULL, "not XML"},
    {"{\"resourceType\":\"Patient\"}", NULL, "not XML at line 1"},
    /* entities and what declares them */
    {"<!DOCTYPE Patient [<!ENTITY a \"b\">]><Patient " FHIR "/>", NULL, "no document type"},
    {"\n<!DOCTYPE Patient SYSTEM \"file:///etc/passwd\">\n<Patient " FHIR "/>", NULL, "line 2"},
    {"<Patient " FHIR "><!ENTITY a 'b'></Patient>", NULL, "no document type"},
    {"<Patient " FHIR "><gender value='&a;'/></Patient>", NULL, "not XML at line 1"},
    {"<Patient " FHIR ">&nbsp;</Patient>", NULL, "not XML at line 1"},
    {"<Patient " FHIR "><gender value='a&#0;'/></Patient>", NULL, "not XML"},
    {"<Patient " FHIR "><gender value='a&#xFFFF;'/></Patient>", NULL, "not XML"},
    {"<Patient " FHIR "><gender value='a\x01'/></Patient>", NULL, "not XML"},
    {"<Patient " FHIR "><gender value='\xff'/></Patient>", NULL, "not XML"},
    /* encodings */
    {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Patient " FHIR "/>", NULL, "ISO-8859-1"},
    {"<?xml version='1.0' encoding = 'UTF-16'?><Patient " FHIR "/>", NULL, "UTF-16"},
    {"\xff\xfe<", NULL, "UTF-8"},
    {"\xfe\xff<", NULL, "UTF-8"},
    /* namespaces */
    {"<Patient/>", "Patient", "not in the namespace http://hl7.org/fhir"},
    {"<Patient xmlns='http://hl7.org/fhir/'/>", "Patient", "not in the namespace"},
    {"<f:Patient " FHIR "/>", NULL, "not XML"},
    {"<Patient " FHIR "><active xmlns='urn:x' value='true'/></Patient>", "Patient.active",
     "not in the namespace"},
    {"<Patient " FHIR "><text><status value='empty'/><div>x</div></text></Patient>",
     "Patient.text.div", "not in the namespace http://www.w3.org/1999/xhtml"},
    {"<Patient " FHIR "><active " XHTML " value='true'/></Patient>", "Patient.active",
     "is in the namespace of XHTML"},
    {"<Patient " FHIR "><text><status value='empty'/><div " XHTML "><p " FHIR "/></div></text>"
     "</Patient>",
     "Patient.text.p", "not in the namespace"},
    {"<Patient " FHIR "><text><status value='empty'/><div " XHTML " xmlns:a='urn:a' a:b='c'/>"
     "</text></Patient>",
     "Patient.text.b", "foreign namespace"},
    /* elements and attributes */
    {"<Foo " FHIR "/>", "Foo", "is not a resource of R4"},
    {"<HumanName " FHIR "/>", "HumanName", "is not a resource of R4"},
    {"<DomainResource " FHIR "/>", "DomainResource", "is not a resource of R4"},
    {"<Patient " FHIR ">\n\n<foo value='x'/></Patient>", "Patient.foo",
     "is not an element of R4 (line 3)"},
    {"<Patient " FHIR "><name><given value='a'/><given value='b'/><giben value='c'/></name>"
     "</Patient>",
     "Patient.name[0].giben", "is not an element"},
    {"<Patient " FHIR "><_active value='x'/></Patient>", "Patient._active", "is not an element"},
    {"<Patient " FHIR "><resourceType value='x'/></Patient>", "Patient.resourceType",
     "is not an element"},
    {"<Patient " FHIR "><active value='true' note='x'/></Patient>", "Patient.note",
     "is not an attribute"},
    {"<Patient " FHIR "><active xml:lang='en' value='true'/></Patient>", "Patient.lang",
     "is not an attribute"},
    {"<Patient " FHIR " id='x'/>", "Patient", "have no attributes"},
    {"<Patient " FHIR "><name value='x'/></Patient>", "Patient.name[0]", "not allowed"},
    {"<Patient " FHIR "><name><id value='x'/></name></Patient>", "Patient.name[0].id",
     "is an attribute in XML"},
    {"<Patient " FHIR "><extension><url value='u'/></extension></Patient>",
     "Patient.extension[0].url", "is an attribute in XML"},
    {"<Patient " FHIR "><active url='u' value='true'/></Patient>", "Patient.active", "url"},
    {"<Patient " FHIR "><active/></Patient>", "Patient.active", "neither a value"},
    {"<Patient " FHIR "><active value=''/></Patient>", "Patient.active", "empty value"},
    {"<Patient " FHIR "><name id=''/></Patient>", "Patient.name[0]", "empty attribute"},
    {"<Patient " FHIR "><active>true</active></Patient>", "Patient.active", "has text in it"},
    {"<Patient " FHIR ">\n<![CDATA[x]]></Patient>", "Patient", "has text in it"},
    {"<Patient " FHIR "><active value='true'/><active value='true'/></Patient>", "Patient.active",
     "stands twice"},
    {"<Patient " FHIR "><gender value='male'/><active value='true'/></Patient>", "Patient.active",
     "belongs in front of"},
    {"<Patient " FHIR "><name/><active value='true'/><name/></Patient>", "Patient.active",
     "belongs in front of"},
    {"<Patient " FHIR "><name/><gender value='male'/><name/></Patient>", "Patient.name",
     "belongs in front of"},
    {"<Patient " FHIR "><deceasedBoolean value='true'/><deceasedDateTime value='2000'/></Patient>",
     "Patient.deceasedDateTime", "second value"},
    {"<Patient " FHIR "><contained/></Patient>", "Patient.contained[0]", "holds no resource"},
    {"<Patient " FHIR "><contained><Basic/><Basic/></contained></Patient>",
     "Patient.contained[0].Basic", "second resource"},
    {"<Patient " FHIR "><contained><active value='true'/></contained></Patient>",
     "Patient.contained[0].active", "is not a resource"},
    {"<Patient " FHIR "><contained id='x'><Basic/></contained></Patient>", "Patient.contained[0]",
     "not allowed"},
    {"<Bundle " FHIR "><entry><resource><Patient><foo/></Patient></resource></entry></Bundle>",
     "Bundle.entry[0].resource.foo", "is not an element"},
    /* values */
    {"<Patient " FHIR "><active value='TRUE'/></Patient>", "Patient.active", "neither true nor"},
    {"<Patient " FHIR "><active value=' true'/></Patient>", "Patient.active", "neither true nor"},
    {"<Patient " FHIR "><multipleBirthInteger value='01'/></Patient>", "Patient.multipleBirth",
     "is not a number"},
    {"<Patient " FHIR "><multipleBirthInteger value='+-1'/></Patient>", "Patient.multipleBirth",
     "is not a number"},
    {"<Patient " FHIR "><multipleBirthInteger value='1,\"active\":true'/></Patient>",
     "Patient.multipleBirth", "is not a number"},
    {"<Observation " FHIR "><valueQuantity><value value='.5'/></valueQuantity></Observation>",
     "Observation.value.value", "is not a number"},
    {"<Observation " FHIR "><valueQuantity><value value='+1.0'/></valueQuantity></Observation>",
     "Observation.value.value", "is not a number"},
    {"<Observation " FHIR "><valueQuantity><value value='1.'/></valueQuantity></Observation>",
     "Observation.value.value", "is not a number"},
};

static void test_refused(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, MIB(8));
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        _cleanup_(sb_done) struct sb json = sb_make(TEXT_MAX);
        struct err err = {0};

        if (xml_read(&a, str_c(refused[i].xml), &json, &err) >= 0)
            fail_msg("%s was read as %.*s", refused[i].xml, STR_ARG(sb_view(&json)));
        if (!strstr(err.text, refused[i].text) || !err.code)
            fail_msg("%s: \"%s\", want \"%s\"", refused[i].xml, err.text, refused[i].text);
        assert_str(str_c(err.where), str_c(refused[i].where ? refused[i].where : ""));
        arena_reset(&a);
    }
    arena_done(&a);
}

static void test_nul_is_refused(void **state)
{
    static const char text[] = "<Patient " FHIR ">\0</Patient>", wide[] = "<\0P\0a\0/\0>\0";
    _cleanup_(sb_done) struct sb json = sb_make(TEXT_MAX);
    struct err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a, MIB(8));
    assert_int_equal(xml_read(&a, str_n(text, sizeof text - 1), &json, &err), ERR_SYNTAX);
    assert_int_equal(xml_read(&a, str_n(wide, sizeof wide - 1), &json, &err), ERR_SYNTAX);
    arena_done(&a);
}

/* What a stranger can pile up ends at its bound, in time that grows with the length alone. */
static void pile(struct sb *xml, const char *head, const char *unit, size_t n)
{
    sb_str(xml, str_c(head));
    for (size_t i = 0; i < n; i++)
        sb_fmt(xml, unit, (unsigned)i, (unsigned)i);
}

static void test_bounds(void **state)
{
    static const struct {
        const char *head, *unit;
        size_t n;
        int code;
        const char *text;
    } cases[] = {
        {"<Patient " FHIR, " a%u='b'", 400000, ERR_INVALID, "more than 32 attributes"},
        {"<Patient " FHIR, " xmlns:a%u='urn:%u'", 200000, ERR_INVALID, "more than 32 attributes"},
        {"", "<a>", 1000000, ERR_SYNTAX, "nested deeper"},
        {"<Basic " FHIR ">", "<extension url='u%u'>", 70, ERR_INVALID, "nested too deep"},
        {"<Basic " FHIR "><text><status value='empty'/><div " XHTML ">", "<b xmlns:a%u='urn:%u'>",
         80, ERR_INVALID, "too many namespaces"},
        {"<Basic " FHIR ">", "<extension url='u%u'/>", 100000, ERR_SYNTAX, "not XML"},
        {"<Basic " FHIR "><!--", "- %u", 1000000, ERR_SYNTAX, "not XML"},
        {"<Basic " FHIR "><![CDATA[", "]] %u", 1000000, ERR_SYNTAX, "not XML"},
        {"<Basic " FHIR "><id value='", "&lt;%u", 500000, ERR_SYNTAX, "not XML"},
    };
    struct arena a;

    (void)state;
    arena_init(&a, MIB(8));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        _cleanup_(sb_done) struct sb xml = sb_make(MIB(64)), json = sb_make(MIB(64));
        struct err err = {0};

        pile(&xml, cases[i].head, cases[i].unit, cases[i].n);
        assert_int_equal(xml_read(&a, sb_view(&xml), &json, &err), cases[i].code);
        if (!strstr(err.text, cases[i].text))
            fail_msg("%zu: %s", i, err.text);
        assert_true(json.n <= XML_INFLATES_MAX * xml.n);
        arena_reset(&a);
    }
    arena_done(&a);
}

/* A value longer than libxml2's own limit of 10 MB, as a Binary has it. */
static void test_long_value(void **state)
{
    static const char head[] = "<Binary " FHIR "><contentType value='a/b'/><data value='";
    _cleanup_(sb_done) struct sb xml = sb_make(MIB(64)), json = sb_make(MIB(64));
    struct err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a, MIB(8));
    sb_str(&xml, str_c(head));
    for (size_t i = 0; i < MIB(12); i += 64)
        sb_lit(&xml, "YWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJj");
    sb_lit(&xml, "'/></Binary>");
    assert_int_equal(xml_read(&a, sb_view(&xml), &json, &err), 0);
    assert_true(json.n > MIB(12));
    arena_done(&a);
}

static void test_not_written(void **state)
{
    static const struct {
        const char *json, *where, *text;
    } cases[] = {
        {"[]", "", "JSON object"},
        {"{\"resourceType\":\"Foo\"}", "", "does not name"},
        {"{\"resourceType\":\"Patient\",\"foo\":1}", "Patient.foo", "is not an element"},
        {"{\"resourceType\":\"Patient\",\"_foo\":1}", "Patient._foo", "is not an element"},
        {"{\"resourceType\":\"Patient\",\"name\":{}}", "Patient.name", "not an array"},
        {"{\"resourceType\":\"Patient\",\"name\":[]}", "Patient.name", "empty array"},
        {"{\"resourceType\":\"Patient\",\"name\":[1]}", "Patient.name[0]", "not an object"},
        {"{\"resourceType\":\"Patient\",\"active\":[true]}", "Patient.active", "not a primitive"},
        {"{\"resourceType\":\"Patient\",\"active\":null}", "Patient.active", "null"},
        {"{\"resourceType\":\"Patient\",\"gender\":\"\"}", "Patient.gender", "is empty"},
        {"{\"resourceType\":\"Patient\",\"gender\":\"a\\u0001\"}", "Patient.gender", "character"},
        {"{\"resourceType\":\"Patient\",\"gender\":\"a\\uffff\"}", "Patient.gender", "character"},
        {"{\"resourceType\":\"Patient\",\"_gender\":[]}", "Patient.gender", "not an object"},
        {"{\"resourceType\":\"Patient\",\"name\":[{\"given\":[null]}]}", "Patient.name[0].given[0]",
         "null"},
        {"{\"resourceType\":\"Patient\",\"name\":[{\"id\":1}]}", "Patient.name[0].id",
         "not a JSON string"},
        {"{\"resourceType\":\"Patient\",\"name\":[{\"_id\":{}}]}", "Patient.name[0]._id",
         "no place in XML"},
        {"{\"resourceType\":\"Patient\",\"extension\":[{\"_url\":{}}]}",
         "Patient.extension[0]._url", "no place in XML"},
        {"{\"resourceType\":\"Patient\",\"text\":{\"div\":\"<div>\"}}", "Patient.text.div",
         "is not"},
        {"{\"resourceType\":\"Patient\",\"text\":{\"div\":\"</text>\"}}", "Patient.text.div",
         "is not a <div>"},
        {"{\"resourceType\":\"Patient\",\"deceasedBoolean\":true,\"deceasedDateTime\":\"2000\"}",
         "Patient.deceasedDateTime", "second value"},
        {"{\"resourceType\":\"Patient\",\"contained\":[{}]}", "Patient.contained[0]",
         "no resourceType"},
    };
    struct arena a;

    (void)state;
    arena_init(&a, MIB(8));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        _cleanup_(sb_done) struct sb xml = sb_make(TEXT_MAX);
        yyjson_val *root;
        struct err err = {0};

        assert_int_equal(js_parse(&a, str_c(cases[i].json), &root, &err), 0);
        if (xml_write(&xml, &a, root, false, &err) >= 0)
            fail_msg("%s was written as %.*s", cases[i].json, STR_ARG(sb_view(&xml)));
        if (!strstr(err.text, cases[i].text) || strcmp(err.where, cases[i].where) != 0)
            fail_msg("%s: %s at %s", cases[i].json, err.text, err.where);
    }
    arena_done(&a);
}

/* Whichever piece of memory is missing, that is the answer. */
static void test_memory(void **state)
{
    size_t n;
    char *xml = read_file("prefixes", "xml", &n);
    struct arena a;

    (void)state;
    arena_init(&a, MIB(8));
    FAULT_LOOP(false) {
        _cleanup_(sb_done) struct sb json = sb_make(TEXT_MAX), back = sb_make(TEXT_MAX);
        yyjson_val *root = NULL;
        struct err err = {0};
        int r;

        arena_reset(&a);
        r = xml_read(&a, str_n(xml, n), &json, &err);
        if (r == 0)
            r = js_parse(&a, sb_view(&json), &root, &err);
        if (r == 0)
            r = xml_write(&back, &a, root, true, &err);
        assert_true(r == ERR_NO_MEMORY || (r == 0 && !fault_fired()));
    }
    arena_done(&a);
    free(xml);
}

/* An arena at its limit. */
static void test_arena(void **state)
{
    size_t n;
    char *xml = read_file("prefixes", "xml", &n);

    (void)state;
    for (size_t limit = KIB(16); limit <= KIB(128); limit += KIB(16)) {
        _cleanup_(sb_done) struct sb json = sb_make(TEXT_MAX);
        struct err err = {0};
        struct arena a;
        int r;

        arena_init(&a, limit);
        r = xml_read(&a, str_n(xml, n), &json, &err);
        assert_true(r == 0 || r == ERR_NO_MEMORY);
        arena_done(&a);
    }
    free(xml);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),       cmocka_unit_test(test_written),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_nul_is_refused),
        cmocka_unit_test(test_bounds),      cmocka_unit_test(test_long_value),
        cmocka_unit_test(test_not_written), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_arena),
    };

    if (argc != 2)
        return 2;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
