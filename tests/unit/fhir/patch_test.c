#include "../test.h"

#include "base/fault.h"
#include "base/rng.h"
#include "fhir/patch.h"

/* Applies `patch` to `text`; the result's text, or the error's, is in the arena. */
static int apply(struct arena *a, struct str text, struct str patch, struct str *ret)
{
    _cleanup_(sb_done) struct sb out = sb_make(MIB(1));
    yyjson_val *root, *ops;
    struct err err = {0};
    int r = js_parse(a, text, &root, &err);

    if (r >= 0)
        r = js_parse(a, patch, &ops, &err);
    if (r >= 0)
        r = patch_json(a, root, ops, &out, &err);
    *ret = arena_dup(a, r < 0 ? str_c(err.text) : sb_view(&out));
    return r;
}

static void operations(void **state)
{
    static const struct {
        const char *text, *patch, *want;
    } want[] = {
        {"{\"a\":1.0}", "[]", "{\"a\":1.0}"},
        /* RFC 6902, appendix A: each of its cases, in our words */
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
         "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
        {"{\"foo\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":2}]",
         "{\"foo\":[1,2,3]}"},
        {"{\"baz\":1,\"foo\":2}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":2}"},
        {"{\"foo\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]", "{\"foo\":[1,3]}"},
        {"{\"baz\":1,\"foo\":2}", "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":3}]",
         "{\"baz\":3,\"foo\":2}"},
        {"{\"foo\":{\"bar\":1,\"waldo\":2},\"qux\":{\"corge\":3}}",
         "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
         "{\"foo\":{\"bar\":1},\"qux\":{\"corge\":3,\"thud\":2}}"},
        {"{\"foo\":[1,2,3,4]}", "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
         "{\"foo\":[1,3,4,2]}"},
        {"{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
         "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},"
         "{\"op\":\"test\",\"path\":\"/foo/1\",\"value\":2}]",
         "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}"},
        {"{\"foo\":1}", "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
         "{\"foo\":1,\"child\":{\"grandchild\":{}}}"},
        {"{\"foo\":1}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":2,\"xyz\":123}]",
         "{\"foo\":1,\"baz\":2}"},
        {"{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]",
         "{\"/\":9,\"~1\":10}"},
        {"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[2,3]}]",
         "{\"foo\":[1,[2,3]]}"},
        /* ours */
        {"{\"a\":1,\"b\":2,\"c\":3}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":9}]",
         "{\"a\":1,\"b\":9,\"c\":3}"},
        {"{\"a\":[1,2,3]}", "[{\"op\":\"replace\",\"path\":\"/a/1\",\"value\":9}]",
         "{\"a\":[1,9,3]}"},
        {"{\"a\":[1,2,3]}", "[{\"op\":\"add\",\"path\":\"/a/3\",\"value\":4}]",
         "{\"a\":[1,2,3,4]}"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":{\"z\":[]}}]", "{\"z\":[]}"},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":true}]", "true"},
        {"{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"\",\"path\":\"/b\"}]",
         "{\"a\":1,\"b\":{\"a\":1}}"},
        {"{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]", "{\"a\":1}"},
        {"{\"a\":{\"b\":2}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/a\"}]", "{\"a\":2}"},
        {"{\"a\":{\"b\":2}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"\"}]", "2"},
        {"{\"\":1}", "[{\"op\":\"replace\",\"path\":\"/\",\"value\":2}]", "{\"\":2}"},
        {"{\"a/b\":1,\"m~n\":2}",
         "[{\"op\":\"remove\",\"path\":\"/a~1b\"},{\"op\":\"replace\",\"path\":\"/"
         "m~0n\",\"value\":3}]",
         "{\"m~n\":3}"},
        {"{\"0\":\"x\",\"a\":[]}", "[{\"op\":\"replace\",\"path\":\"/0\",\"value\":null}]",
         "{\"0\":null,\"a\":[]}"},
        /* literals are kept, and compared by value */
        {"{\"v\":1.50}",
         "[{\"op\":\"test\",\"path\":\"/v\",\"value\":1.5},"
         "{\"op\":\"copy\",\"from\":\"/v\",\"path\":\"/w\"},"
         "{\"op\":\"add\",\"path\":\"/x\",\"value\":1e-07}]",
         "{\"v\":1.50,\"w\":1.50,\"x\":1e-07}"},
        {"{\"v\":{\"a\":[1,true,null],\"b\":\"\\u00e9\"}}",
         "[{\"op\":\"test\",\"path\":\"/v\",\"value\":{\"b\":\"é\",\"a\":[1.0,true,null]}}]",
         "{\"v\":{\"a\":[1,true,null],\"b\":\"é\"}}"},
    };
    _cleanup_(arena_done) struct arena a;

    (void)state;
    arena_init(&a, MIB(4));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct str got;
        if (apply(&a, str_c(want[i].text), str_c(want[i].patch), &got) < 0)
            fail_msg("%s: %.*s", want[i].patch, STR_ARG(got));
        assert_str(got, str_c(want[i].want));
    }
}

static void bad_patches_are_named(void **state)
{
    static const struct {
        const char *patch;
        int code;
        const char *says;
    } bad[] = {
        {"{}", ERR_SYNTAX, "not an array"},
        {"[1]", ERR_SYNTAX, "operation 0 has no \"op\""},
        {"[{\"path\":\"/a\"}]", ERR_SYNTAX, "has no \"op\""},
        {"[{\"op\":\"spam\",\"path\":\"/a\"}]", ERR_SYNTAX, "no such operation"},
        {"[{\"op\":\"ADD\",\"path\":\"/a\",\"value\":1}]", ERR_SYNTAX, "no such operation"},
        {"[{\"op\":\"add\",\"value\":1}]", ERR_SYNTAX, "no \"path\""},
        {"[{\"op\":\"add\",\"path\":\"/a\"}]", ERR_SYNTAX, "no \"value\""},
        {"[{\"op\":\"move\",\"path\":\"/a\"}]", ERR_SYNTAX, "no \"from\""},
        {"[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]", ERR_SYNTAX, "does not start with /"},
        {"[{\"op\":\"add\",\"path\":\"/a~2\",\"value\":1}]", ERR_SYNTAX, "neither 0 nor 1"},
        {"[{\"op\":\"add\",\"path\":\"/a~\",\"value\":1}]", ERR_SYNTAX, "neither 0 nor 1"},
        {"[{\"op\":\"remove\",\"path\":\"\"}]", ERR_PROCESSING, "whole resource"},
        {"[{\"op\":\"remove\",\"path\":\"/zz\"}]", ERR_PROCESSING,
         "(remove \"/zz\"): the element does"},
        {"[{\"op\":\"replace\",\"path\":\"/zz\",\"value\":1}]", ERR_PROCESSING, "does not exist"},
        {"[{\"op\":\"add\",\"path\":\"/zz/b\",\"value\":1}]", ERR_PROCESSING,
         "\"zz\" should be in"},
        {"[{\"op\":\"add\",\"path\":\"/s/b\",\"value\":1}]", ERR_PROCESSING, "does not exist"},
        {"[{\"op\":\"add\",\"path\":\"/l/4\",\"value\":1}]", ERR_PROCESSING, "index from 0 to 3"},
        {"[{\"op\":\"add\",\"path\":\"/l/01\",\"value\":1}]", ERR_PROCESSING, "index"},
        {"[{\"op\":\"add\",\"path\":\"/l/-1\",\"value\":1}]", ERR_PROCESSING, "index"},
        {"[{\"op\":\"add\",\"path\":\"/l/1e0\",\"value\":1}]", ERR_PROCESSING, "index"},
        {"[{\"op\":\"remove\",\"path\":\"/l/-\"}]", ERR_PROCESSING, "does not exist"},
        {"[{\"op\":\"remove\",\"path\":\"/l/3\"}]", ERR_PROCESSING, "does not exist"},
        {"[{\"op\":\"remove\",\"path\":\"/l/18446744073709551616\"}]", ERR_PROCESSING, "not exist"},
        {"[{\"op\":\"move\",\"from\":\"/o\",\"path\":\"/o/x/y\"}]", ERR_PROCESSING, "into itself"},
        {"[{\"op\":\"copy\",\"from\":\"/zz\",\"path\":\"/o\"}]", ERR_PROCESSING, "does not exist"},
        {"[{\"op\":\"test\",\"path\":\"/s\",\"value\":\"y\"}]", ERR_PROCESSING, "another value"},
        {"[{\"op\":\"test\",\"path\":\"/s\",\"value\":1}]", ERR_PROCESSING, "another value"},
        {"[{\"op\":\"test\",\"path\":\"/t\",\"value\":false}]", ERR_PROCESSING, "another value"},
        {"[{\"op\":\"test\",\"path\":\"/n\",\"value\":1.51}]", ERR_PROCESSING, "another value"},
        {"[{\"op\":\"test\",\"path\":\"/n\",\"value\":\"1.5\"}]", ERR_PROCESSING, "another value"},
        {"[{\"op\":\"test\",\"path\":\"/l\",\"value\":[1,2]}]", ERR_PROCESSING, "another value"},
        {"[{\"op\":\"test\",\"path\":\"/l\",\"value\":[1,3,2]}]", ERR_PROCESSING, "another value"},
        {"[{\"op\":\"test\",\"path\":\"/o\",\"value\":{\"x\":{},\"q\":1}}]", ERR_PROCESSING,
         "another"},
        {"[{\"op\":\"test\",\"path\":\"/o\",\"value\":{\"q\":{}}}]", ERR_PROCESSING,
         "another value"},
        {"[{\"op\":\"add\",\"path\":\"/ok\",\"value\":1},{\"op\":\"remove\",\"path\":\"/zz\"}]",
         ERR_PROCESSING, "operation 1 "},
    };
    static const char text[] = "{\"s\":\"x\",\"t\":true,\"n\":1.5,\"l\":[1,2,3],\"o\":{\"x\":{}}}";
    const struct str root = str_c(text);
    _cleanup_(arena_done) struct arena a;

    (void)state;
    arena_init(&a, MIB(4));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct str got;
        int r = apply(&a, root, str_c(bad[i].patch), &got);
        if (r != bad[i].code || !memmem(got.p, got.n, bad[i].says, strlen(bad[i].says)))
            fail_msg("%s: %d %.*s", bad[i].patch, r, STR_ARG(got));
    }
}

static void put_operations(struct sb *b, size_t n, const char *operation)
{
    sb_char(b, '[');
    for (size_t i = 0; i < n; i++)
        sb_fmt(b, "%s%s", i ? "," : "", operation);
    sb_char(b, ']');
}

static void growth_has_limits(void **state)
{
    _cleanup_(sb_done) struct sb many = sb_make(MIB(1)), wide = sb_make(MIB(1)),
                                 deep = sb_make(MIB(1)), slow = sb_make(MIB(1));
    _cleanup_(arena_done) struct arena a;
    struct str got;

    (void)state;
    arena_init(&a, MIB(16));
    put_operations(&many, PATCH_OPERATIONS_MAX + 1, "{\"op\":\"remove\",\"path\":\"/a\"}");
    assert_int_equal(apply(&a, STR("{}"), sb_view(&many), &got), ERR_COSTLY);
    /* the document doubles with each operation */
    put_operations(&wide, 60,
                   "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"},"
                   "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},"
                   "{\"op\":\"move\",\"from\":\"/b\",\"path\":\"/a/0\"}");
    assert_true(apply(&a, STR("{\"a\":[1]}"), sb_view(&wide), &got) < 0);
    put_operations(&deep, 100, "{\"op\":\"copy\",\"from\":\"\",\"path\":\"/a\"}");
    arena_reset(&a);
    if (apply(&a, STR("{}"), sb_view(&deep), &got) != ERR_PROCESSING)
        fail_msg("%.*s", STR_ARG(got));
    assert_non_null(memmem(got.p, got.n, "deeper", 6));
    /* a long array, walked again and again */
    sb_lit(&slow, "{\"a\":[0");
    for (int i = 0; i < 30000; i++)
        sb_lit(&slow, ",0");
    sb_lit(&slow, "]}");
    many.n = 0;
    put_operations(&many, PATCH_OPERATIONS_MAX,
                   "{\"op\":\"copy\",\"from\":\"/a/29999\",\"path\":\"/a/-\"}");
    arena_reset(&a);
    assert_int_equal(apply(&a, sb_view(&slow), sb_view(&many), &got), ERR_COSTLY);
}

static void memory_may_fail(void **state)
{
    static const char patch[] = "[{\"op\":\"add\",\"path\":\"/a~1b\",\"value\":{\"c\":[1,2,3]}},"
                                "{\"op\":\"copy\",\"from\":\"/a~1b\",\"path\":\"/d\"},"
                                "{\"op\":\"move\",\"from\":\"/d/c\",\"path\":\"/e\"},"
                                "{\"op\":\"test\",\"path\":\"/e/2\",\"value\":3}]";
    const struct str p = str_c(patch);

    (void)state;
    FAULT_LOOP(true) {
        _cleanup_(arena_done) struct arena a;
        _cleanup_(sb_done) struct sb out = sb_make(1000);
        yyjson_val *root, *ops;
        struct err err;
        int r;

        arena_init(&a, MIB(1));
        r = js_parse(&a, STR("{\"x\":1}"), &root, &err);
        if (r >= 0)
            r = js_parse(&a, p, &ops, &err);
        if (r >= 0)
            r = patch_json(&a, root, ops, &out, &err);
        if (fault_fired())
            assert_int_equal(r, ERR_NO_MEMORY);
        else
            assert_str(sb_view(&out),
                       STR("{\"x\":1,\"a/b\":{\"c\":[1,2,3]},\"d\":{},\"e\":[1,2,3]}"));
    }
    for (size_t limit = 16; limit < 20000; limit += 512) {
        _cleanup_(arena_done) struct arena a;
        struct str got;
        arena_init(&a, limit);
        int r = apply(&a, STR("{\"x\":1}"), p, &got);
        assert_true(r == 0 || r == ERR_NO_MEMORY);
    }
}

/* Random operations over a small document: whatever happens, the result parses. */
static void random_patches_do_no_harm(void **state)
{
    static const char *const ops[] = {"add", "remove", "replace", "move", "copy", "test"};
    static const char *const paths[] = {"",   "/",    "/a",     "/a/0", "/a/-", "/a/1",
                                        "/b", "/b/c", "/b/c/d", "/~0",  "/~1",  "/b/c/0/x"};
    static const char *const values[] = {"1",  "1.0",         "\"x\"", "[]",
                                         "{}", "{\"c\":[1]}", "null",  "[[1],2]"};
    struct rng rng;

    (void)state;
    rng_seed(&rng, 10);
    for (int i = 0; i < 20000; i++) {
        _cleanup_(arena_done) struct arena a;
        _cleanup_(sb_done) struct sb b = sb_make(MIB(1));
        yyjson_val *root;
        struct str got;
        struct err err;

        arena_init(&a, MIB(1));
        sb_char(&b, '[');
        for (uint64_t n = rng_below(&rng, 6), j = 0; j < n; j++)
            sb_fmt(&b, "%s{\"op\":\"%s\",\"path\":\"%s\",\"from\":\"%s\",\"value\":%s}",
                   j ? "," : "", ops[rng_below(&rng, ARRAY_LEN(ops))],
                   paths[rng_below(&rng, ARRAY_LEN(paths))],
                   paths[rng_below(&rng, ARRAY_LEN(paths))],
                   values[rng_below(&rng, ARRAY_LEN(values))]);
        sb_char(&b, ']');
        if (apply(&a, STR("{\"a\":[1,{\"e\":2}],\"b\":{\"c\":[3]},\"~\":4,\"/\":5}"), sb_view(&b),
                  &got) == 0)
            assert_int_equal(js_parse(&a, got, &root, &err), 0);
    }
}

/* ---- FHIRPath Patch ---- */

#define PATIENT(rest) "{\"resourceType\":\"Patient\"" rest "}"
#define PARAMETERS(operations) "{\"resourceType\":\"Parameters\",\"parameter\":[" operations "]}"
#define OPERATION(parts) "{\"name\":\"operation\",\"part\":[" parts "]}"
#define TYPE(type) "{\"name\":\"type\",\"valueCode\":\"" type "\"}"
#define TO(path) ",{\"name\":\"path\",\"valueString\":\"" path "\"}"
#define NAME(name) ",{\"name\":\"name\",\"valueString\":\"" name "\"}"
#define VALUE(json) ",{\"name\":\"value\"," json "}"
#define NUMBER(name, n) ",{\"name\":\"" name "\",\"valueInteger\":" n "}"
#define IDS(list) ",\"identifier\":[" list "]"
#define ID(n) "{\"value\":\"" n "\"}"

static int apply_fhirpath(struct arena *a, struct str text, struct str patch, struct str *ret)
{
    _cleanup_(sb_done) struct sb out = sb_make(MIB(1));
    yyjson_val *root, *parameters;
    struct err err = {0};
    int r = js_parse(a, text, &root, &err);

    if (r >= 0)
        r = js_parse(a, patch, &parameters, &err);
    if (r >= 0)
        r = patch_fhirpath(a, root, parameters, NULL, &out, &err);
    *ret = arena_dup(a, r < 0 ? str_c(err.text) : sb_view(&out));
    return r;
}

/* The cases of HL7's fhir-test-cases (r4/patch) that say what each operation does, in JSON. */
static const struct {
    const char *text, *patch, *want;
} fhirpath_cases[] = {
    {PATIENT(",\"birthDate\":\"1920-01-01\""), "{\"resourceType\":\"Parameters\"}",
     PATIENT(",\"birthDate\":\"1920-01-01\"")},
    {PATIENT(",\"birthDate\":\"1920-01-01\""),
     PARAMETERS(
         OPERATION(TYPE("replace") TO("Patient.birthDate") VALUE("\"valueDate\":\"1930-01-01\""))),
     PATIENT(",\"birthDate\":\"1930-01-01\"")},
    {PATIENT(",\"birthDate\":\"1920-01-01\""),
     PARAMETERS(OPERATION(TYPE("delete") TO("Patient.birthDate"))), PATIENT("")},
    {PATIENT(""),
     PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("birthDate")
                              VALUE("\"valueDate\":\"1930-01-01\""))),
     PATIENT(",\"birthDate\":\"1930-01-01\"")},
    {PATIENT(",\"contact\":[{\"name\":{\"text\":\"a name\"},\"gender\":\"male\"}]"),
     PARAMETERS(OPERATION(TYPE("replace") TO("Patient.contact[0].gender")
                              VALUE("\"valueCode\":\"female\""))),
     PATIENT(",\"contact\":[{\"name\":{\"text\":\"a name\"},\"gender\":\"female\"}]")},
    {PATIENT(",\"contact\":[{\"name\":{\"text\":\"a name\"},\"gender\":\"male\"}]"),
     PARAMETERS(OPERATION(TYPE("delete") TO("Patient.contact[0].gender"))),
     PATIENT(",\"contact\":[{\"name\":{\"text\":\"a name\"}}]")},
    /* what has nothing left in it goes too */
    {PATIENT(",\"contact\":[{\"name\":{\"text\":\"a name\"},\"gender\":\"male\"}]"),
     PARAMETERS(OPERATION(TYPE("delete") TO("Patient.contact[0].name.text"))),
     PATIENT(",\"contact\":[{\"gender\":\"male\"}]")},
    {PATIENT(",\"maritalStatus\":{\"id\":\"1\",\"text\":\"married\"}"),
     PARAMETERS(OPERATION(TYPE("replace") TO("Patient.maritalStatus") VALUE(
         "\"valueCodeableConcept\":{\"id\":\"2\",\"text\":\"not married\"}"))),
     PATIENT(",\"maritalStatus\":{\"id\":\"2\",\"text\":\"not married\"}")},
    {PATIENT(""),
     PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("contact") VALUE(
         "\"part\":[{\"name\":\"name\",\"valueHumanName\":{\"text\":\"a name\"}}]"))),
     PATIENT(",\"contact\":[{\"name\":{\"text\":\"a name\"}}]")},
    {PATIENT(",\"contact\":[{\"name\":{\"text\":\"a name\"}}]"),
     PARAMETERS(OPERATION(TYPE("delete") TO("Patient.contact[0]"))), PATIENT("")},
    /* lists */
    {PATIENT(IDS(ID("1") "," ID("2"))),
     PARAMETERS(OPERATION(TYPE("insert") TO("Patient.identifier") NUMBER("index", "2")
                              VALUE("\"valueIdentifier\":" ID("3")))),
     PATIENT(IDS(ID("1") "," ID("2") "," ID("3")))},
    {PATIENT(IDS(ID("1") "," ID("2"))),
     PARAMETERS(OPERATION(TYPE("insert") TO("Patient.identifier") NUMBER("index", "0")
                              VALUE("\"valueIdentifier\":" ID("3")))),
     PATIENT(IDS(ID("3") "," ID("1") "," ID("2")))},
    {PATIENT(IDS(ID("1") "," ID("2") "," ID("3"))),
     PARAMETERS(OPERATION(TYPE("delete") TO("Patient.identifier[1]"))),
     PATIENT(IDS(ID("1") "," ID("3")))},
    {PATIENT(IDS(ID("1") "," ID("2") "," ID("3") "," ID("4"))),
     PARAMETERS(OPERATION(TYPE("move") TO("Patient.identifier") NUMBER("source", "3")
                              NUMBER("destination", "1"))),
     PATIENT(IDS(ID("1") "," ID("4") "," ID("2") "," ID("3")))},
    {PATIENT(IDS(ID("1") "," ID("2") "," ID("3") "," ID("4"))),
     PARAMETERS(OPERATION(TYPE("move") TO("Patient.identifier") NUMBER("source", "0") NUMBER(
         "destination", "3")) "," OPERATION(TYPE("move") TO("Patient.identifier")
                                                NUMBER("source", "2") NUMBER("destination", "0"))),
     PATIENT(IDS(ID("4") "," ID("2") "," ID("3") "," ID("1")))},
    /* ours: choices, siblings of primitives, paths that choose, nothing to delete */
    {PATIENT(",\"deceasedBoolean\":true"),
     PARAMETERS(
         OPERATION(TYPE("replace") TO("Patient.deceased") VALUE("\"valueDateTime\":\"2020\""))),
     PATIENT(",\"deceasedDateTime\":\"2020\"")},
    {PATIENT(""),
     PARAMETERS(
         OPERATION(TYPE("add") TO("Patient") NAME("deceased") VALUE("\"valueBoolean\":false"))),
     PATIENT(",\"deceasedBoolean\":false")},
    {PATIENT(",\"birthDate\":\"1920\""),
     PARAMETERS(OPERATION(TYPE("add") TO("Patient.birthDate") NAME("extension")
                              VALUE("\"valueExtension\":{\"url\":\"urn:x\",\"valueCode\":\"y\"}"))),
     PATIENT(",\"birthDate\":\"1920\",\"_birthDate\":{\"extension\":[{\"url\":\"urn:x\","
             "\"valueCode\":\"y\"}]}")},
    {PATIENT(",\"name\":[{\"given\":[\"a\",\"b\"],\"_given\":[null,{\"id\":\"2\"}]}]"),
     PARAMETERS(OPERATION(TYPE("insert") TO("Patient.name.given") NUMBER("index", "1")
                              VALUE("\"valueString\":\"c\""))),
     PATIENT(",\"name\":[{\"given\":[\"a\",\"c\",\"b\"],\"_given\":[null,null,{\"id\":\"2\"}]}]")},
    {PATIENT(",\"name\":[{\"given\":[\"a\",\"b\"],\"_given\":[null,{\"id\":\"2\"}]}]"),
     PARAMETERS(OPERATION(TYPE("delete") TO("Patient.name.given.where($this = 'b')"))),
     PATIENT(",\"name\":[{\"given\":[\"a\"]}]")},
    {PATIENT(IDS("{\"system\":\"urn:a.b\",\"value\":\"1\"}," ID("2"))),
     PARAMETERS(OPERATION(TYPE("replace") TO("Patient.identifier.where(system = 'urn:a.b').value")
                              VALUE("\"valueString\":\"9\""))),
     PATIENT(IDS("{\"system\":\"urn:a.b\",\"value\":\"9\"}," ID("2")))},
    {PATIENT(""), PARAMETERS(OPERATION(TYPE("delete") TO("Patient.birthDate"))), PATIENT("")},
    {PATIENT(""),
     PARAMETERS(OPERATION(TYPE("insert") TO("Patient.identifier") NUMBER("index", "0")
                              VALUE("\"valueIdentifier\":" ID("1")))),
     PATIENT(IDS(ID("1")))},
    {PATIENT(IDS(ID("1"))),
     PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("identifier")
                              VALUE("\"valueIdentifier\":" ID("2")))),
     PATIENT(IDS(ID("1") "," ID("2")))},
    /* a name that the path does not begin with the type, functions that choose */
    {PATIENT(",\"active\":true"),
     PARAMETERS(OPERATION(TYPE("replace") TO("active") VALUE("\"valueBoolean\":false"))),
     PATIENT(",\"active\":false")},
    {PATIENT(IDS(ID("1") "," ID("2"))),
     PARAMETERS(OPERATION(TYPE("replace") TO("Patient.identifier.last()")
                              VALUE("\"valueIdentifier\":" ID("3")))),
     PATIENT(IDS(ID("1") "," ID("3")))},
    {PATIENT(IDS(ID("1") "," ID("2"))),
     PARAMETERS(OPERATION(TYPE("add") TO("Patient.identifier[1]") NAME("system")
                              VALUE("\"valueUri\":\"urn:s\""))),
     PATIENT(IDS(ID("1") ",{\"value\":\"2\",\"system\":\"urn:s\"}"))},
    {PATIENT(",\"deceasedBoolean\":true"),
     PARAMETERS(OPERATION(TYPE("replace") TO("Patient.deceased.ofType(boolean)")
                              VALUE("\"valueBoolean\":false"))),
     PATIENT(",\"deceasedBoolean\":false")},
    {PATIENT(",\"deceasedBoolean\":true"),
     PARAMETERS(OPERATION(TYPE("delete") TO("Patient.deceased"))), PATIENT("")},
    /* parts within parts, of which some repeat */
    {PATIENT(""),
     PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("contact") VALUE(
         "\"part\":[{\"name\":\"relationship\",\"part\":[{\"name\":\"text\",\"valueString\":\"r\"}]"
         "},"
         "{\"name\":\"telecom\",\"valueContactPoint\":{\"value\":\"1\"}},"
         "{\"name\":\"telecom\",\"valueContactPoint\":{\"value\":\"2\"}},"
         "{\"name\":\"gender\",\"valueCode\":\"male\"}]"))),
     PATIENT(",\"contact\":[{\"relationship\":[{\"text\":\"r\"}],"
             "\"telecom\":[{\"value\":\"1\"},{\"value\":\"2\"}],\"gender\":\"male\"}]")},
    {PATIENT(",\"contact\":[{\"gender\":\"male\"}]"),
     PARAMETERS(OPERATION(TYPE("insert") TO("Patient.contact") NUMBER("index", "0")
                              VALUE("\"part\":[{\"name\":\"gender\",\"valueCode\":\"female\"}]"))),
     PATIENT(",\"contact\":[{\"gender\":\"female\"},{\"gender\":\"male\"}]")},
    {PATIENT(",\"contact\":[{\"gender\":\"male\"}]"),
     PARAMETERS(OPERATION(TYPE("replace") TO("Patient.contact[0]") VALUE(
         "\"part\":[{\"name\":\"name\",\"valueHumanName\":{\"text\":\"a name\"}}]"))),
     PATIENT(",\"contact\":[{\"name\":{\"text\":\"a name\"}}]")},
    /* resources within the resource are its own */
    {PATIENT(""),
     PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("contained") VALUE(
         "\"resource\":{\"resourceType\":\"Organization\",\"id\":\"o\"}"))),
     PATIENT(",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\"}]")},
    {PATIENT(",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"a\"}],"
             "\"managingOrganization\":{\"reference\":\"#o\"}"),
     PARAMETERS(OPERATION(TYPE("replace") TO("Patient.managingOrganization.resolve().name")
                              VALUE("\"valueString\":\"b\""))),
     PATIENT(",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"b\"}],"
             "\"managingOrganization\":{\"reference\":\"#o\"}")},
    /* primitives without a value, places that stay as they are, one operation on what another did
     */
    {PATIENT(",\"birthDate\":\"1920\""),
     PARAMETERS(OPERATION(TYPE("replace") TO("Patient.birthDate")
                              VALUE("\"_valueDate\":{\"id\":\"unknown\"}"))),
     PATIENT(",\"_birthDate\":{\"id\":\"unknown\"}")},
    {PATIENT(IDS(ID("1") "," ID("2"))),
     PARAMETERS(OPERATION(TYPE("move") TO("Patient.identifier") NUMBER("source", "1")
                              NUMBER("destination", "1"))),
     PATIENT(IDS(ID("1") "," ID("2")))},
    {PATIENT(",\"name\":[{\"given\":[\"a\",\"b\"],\"_given\":[null,{\"id\":\"2\"}]}]"),
     PARAMETERS(OPERATION(TYPE("move") TO("Patient.name[0].given") NUMBER("source", "1")
                              NUMBER("destination", "0"))),
     PATIENT(",\"name\":[{\"given\":[\"b\",\"a\"],\"_given\":[{\"id\":\"2\"},null]}]")},
    {PATIENT(""),
     PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("name") VALUE(
         "\"valueHumanName\":{\"family\":\"a\"}")) "," OPERATION(TYPE("add") TO("Patient.name[0]")
                                                                     NAME("given") VALUE(
                                                                         "\"valueString\":\"b\""))),
     PATIENT(",\"name\":[{\"family\":\"a\",\"given\":[\"b\"]}]")},
};

static void fhirpath_operations(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, MIB(64));
    for (size_t i = 0; i < ARRAY_LEN(fhirpath_cases); i++) {
        struct str got;
        int r =
            apply_fhirpath(&a, str_c(fhirpath_cases[i].text), str_c(fhirpath_cases[i].patch), &got);
        if (r < 0 || !str_eq(got, str_c(fhirpath_cases[i].want)))
            fail_msg("%zu: %s\ngave %.*s\nnot  %s", i, fhirpath_cases[i].patch, STR_ARG(got),
                     fhirpath_cases[i].want);
    }
    arena_done(&a);
}

static void fhirpath_refusals(void **state)
{
    static const struct {
        const char *patch;
        int code;
        const char *text;
    } cases[] = {
        {"[]", ERR_SYNTAX, "not a Parameters"},
        {"{\"resourceType\":\"Parameters\",\"parameter\":1}", ERR_SYNTAX, "not a list"},
        {PARAMETERS("{\"name\":\"x\"}"), ERR_SYNTAX, "\"operation\" is expected"},
        {PARAMETERS(OPERATION(TYPE("add"))), ERR_SYNTAX, "no \"path\""},
        {PARAMETERS(OPERATION("{\"name\":\"path\",\"valueString\":\"Patient\"}")), ERR_SYNTAX,
         "no \"type\""},
        {PARAMETERS(OPERATION(TYPE("burn") TO("Patient"))), ERR_SYNTAX, "no such operation"},
        {PARAMETERS(OPERATION(TYPE("add") TO("Patient"))), ERR_SYNTAX, "no \"name\""},
        {PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("birthDate"))), ERR_SYNTAX,
         "no \"value\""},
        {PARAMETERS(OPERATION(TYPE("insert") TO("Patient.identifier"))), ERR_SYNTAX,
         "no \"index\""},
        {PARAMETERS(OPERATION(TYPE("insert") TO("Patient.identifier") NUMBER("index", "-1"))),
         ERR_SYNTAX, "not a number from 0 on"},
        {PARAMETERS(OPERATION(TYPE("move") TO("Patient.identifier") NUMBER("source", "0"))),
         ERR_SYNTAX, "no \"destination\""},
        {PARAMETERS(OPERATION(TYPE("replace") TO("Patient.nosuch") VALUE("\"valueCode\":\"x\""))),
         ERR_PROCESSING, "Patient has no element \\\"nosuch\\\""},
        {PARAMETERS(OPERATION(TYPE("replace") TO("Patient.identifier")
                                  VALUE("\"valueIdentifier\":" ID("3")))),
         ERR_PROCESSING, "leads to 2 elements"},
        {PARAMETERS(
             OPERATION(TYPE("replace") TO("Patient.gender") VALUE("\"valueCode\":\"male\""))),
         ERR_PROCESSING, "leads to no element"},
        {PARAMETERS(OPERATION(TYPE("replace") TO("'a'") VALUE("\"valueCode\":\"male\""))),
         ERR_PROCESSING, "no element of the resource"},
        {PARAMETERS(OPERATION(TYPE("delete") TO("Patient"))), ERR_PROCESSING,
         "the resource itself"},
        {PARAMETERS(OPERATION(TYPE("delete") TO("Patient.identifier"))), ERR_PROCESSING,
         "leads to 2 elements"},
        {PARAMETERS(OPERATION(TYPE("add") TO("Patient.identifier") NAME("system")
                                  VALUE("\"valueUri\":\"urn:s\""))),
         ERR_PROCESSING, "leads to 2 elements"},
        {PARAMETERS(OPERATION(TYPE("add") TO("Patient.maritalStatus") NAME("text")
                                  VALUE("\"valueString\":\"x\""))),
         ERR_PROCESSING, "leads to no element"},
        {PARAMETERS(
             OPERATION(TYPE("add") TO("Patient") NAME("nosuch") VALUE("\"valueString\":\"x\""))),
         ERR_PROCESSING, "no element \\\"nosuch\\\""},
        {PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("birthDate")
                                  VALUE("\"valueString\":\"1930-01-01\""))),
         ERR_PROCESSING, "cannot have a valueString"},
        {PARAMETERS(
             OPERATION(TYPE("add") TO("Patient") ",{\"name\":\"type\",\"valueCode\":\"add\"}")),
         ERR_SYNTAX, "more than one \"type\""},
        {PARAMETERS(
             OPERATION(TYPE("insert") TO("Patient") NUMBER("index", "0") NUMBER("index", "1"))),
         ERR_SYNTAX, "more than one \"index\""},
        {PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("active")
                                  VALUE("\"valueBoolean\":true") VALUE("\"valueBoolean\":false"))),
         ERR_SYNTAX, "more than one \"value\""},
        {PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("deceasedBoolean")
                                  VALUE("\"valueDateTime\":\"1930-01-01\""))),
         ERR_PROCESSING, "a value of another type"},
        {PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("deceased")
                                  VALUE("\"valueString\":\"1930-01-01\""))),
         ERR_PROCESSING, "cannot have a valueString"},
        {PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("contact")
                                  VALUE("\"valueHumanName\":{\"text\":\"x\"}"))),
         ERR_PROCESSING, "cannot have a valueHumanName"},
        {PARAMETERS(OPERATION(TYPE("replace") TO("Patient.active") VALUE("\"valueNonsense\":1"))),
         ERR_PROCESSING, "cannot have a valueNonsense"},
        {PARAMETERS(
             OPERATION(TYPE("replace") TO("Patient.active.not()") VALUE("\"valueBoolean\":true"))),
         ERR_PROCESSING, "no element of the resource"},
        {PARAMETERS(
             OPERATION(TYPE("add") TO("Patient") NAME("active") VALUE("\"valueBoolean\":true"))),
         ERR_PROCESSING, "is there already"},
        {PARAMETERS(OPERATION(TYPE("insert") TO("Patient.identifier") NUMBER("index", "3")
                                  VALUE("\"valueIdentifier\":" ID("3")))),
         ERR_PROCESSING, "past the end of a list of 2"},
        {PARAMETERS(OPERATION(TYPE("insert") TO("Patient.active") NUMBER("index", "0")
                                  VALUE("\"valueBoolean\":true"))),
         ERR_PROCESSING, "name of a list"},
        {PARAMETERS(OPERATION(TYPE("insert") TO("Patient.identifier[0]") NUMBER("index", "0")
                                  VALUE("\"valueIdentifier\":" ID("3")))),
         ERR_PROCESSING, "name of a list"},
        {PARAMETERS(OPERATION(TYPE("move") TO("Patient.identifier") NUMBER("source", "0")
                                  NUMBER("destination", "2"))),
         ERR_PROCESSING, "destination is past the end"},
        {PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("deceased")
                                  VALUE("\"part\":[{\"name\":\"x\",\"valueCode\":\"y\"}]"))),
         ERR_PROCESSING, "needs a type"},
        {PARAMETERS(OPERATION(TYPE("add") TO("Patient") NAME("contact")
                                  VALUE("\"part\":[{\"name\":\"x\",\"valueCode\":\"y\"}]"))),
         ERR_PROCESSING, "has no element \\\"x\\\""},
    };
    struct str text = STR(PATIENT(",\"active\":true" IDS(ID("1") "," ID("2"))));
    struct arena a;

    (void)state;
    arena_init(&a, MIB(64));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got, want = str_c(cases[i].text);
        int r = apply_fhirpath(&a, text, str_c(cases[i].patch), &got);
        _cleanup_(sb_done) struct sb plain = sb_make(KIB(1));
        for (size_t k = 0; k < want.n; k++)
            if (want.p[k] != '\\')
                sb_char(&plain, want.p[k]);
        if (r != cases[i].code || !memmem(got.p, got.n, plain.p, plain.n))
            fail_msg("%zu: %s gave %d: %.*s", i, cases[i].patch, r, STR_ARG(got));
    }
    arena_done(&a);
}

static void fhirpath_allocations_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fhirpath_cases); i++) {
        FAULT_LOOP(true) {
            struct arena a;
            struct str got;
            int r;
            arena_init(&a, MIB(1));
            r = apply_fhirpath(&a, str_c(fhirpath_cases[i].text), str_c(fhirpath_cases[i].patch),
                               &got);
            if (r < 0)
                assert_int_equal(r, ERR_NO_MEMORY);
            else
                assert_true(!got.p || str_eq(got, str_c(fhirpath_cases[i].want)));
            arena_done(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),
        cmocka_unit_test(bad_patches_are_named),
        cmocka_unit_test(growth_has_limits),
        cmocka_unit_test(memory_may_fail),
        cmocka_unit_test(random_patches_do_no_harm),
        cmocka_unit_test(fhirpath_operations),
        cmocka_unit_test(fhirpath_refusals),
        cmocka_unit_test(fhirpath_allocations_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
