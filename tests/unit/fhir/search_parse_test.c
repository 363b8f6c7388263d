/* A query string as a search: controls, what is not understood, limits, hostile input. */
#include "../test.h"

#include "base/fault.h"
#include "base/rng.h"
#include "base/sb.h"
#include "fhir/search.h"

static struct arena a;
static struct params *params;
static struct search_options options;

static int setup(void **state)
{
    struct err err = {0};

    (void)state;
    arena_init(&a, MIB(64));
    options = (struct search_options){0};
    params = params_base(&err);
    return params ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    params_unref(params);
    arena_done(&a);
    return 0;
}

static struct search parse(const char *type, const char *query)
{
    struct err err = {0};
    struct search s;

    if (search_parse(&a, params, &options, type ? def_resource(str_c(type)) : 0, str_c(query), &s,
                     &err) < 0)
        fail_msg("%s: %s", query, err.text);
    return s;
}

static void refuses(const char *query, int code, const char *text)
{
    struct err err = {0};
    struct search s;
    int r =
        search_parse(&a, params, &options, def_resource(STR("Patient")), str_c(query), &s, &err);

    if (r != code)
        fail_msg("%s gave %d (%s)", query, r, err.text);
    if (!strstr(err.text, text))
        fail_msg("%s: \"%s\" does not say \"%s\"", query, err.text, text);
}

static void an_empty_query_asks_for_all(void **state)
{
    struct search s = parse("Patient", "");

    (void)state;
    assert_int_equal(s.n_clauses, 0);
    assert_int_equal(s.count, SEARCH_COUNT_DEFAULT);
    assert_int_equal(s.total, TOTAL_DEFAULT);
    assert_null(s.cursor.p);
    assert_str(s.self, STR(""));
}

static void controls_are_read(void **state)
{
    struct search s =
        parse("Patient", "_count=7&_total=accurate&_summary=data&_elements=name,id&"
                         "_sort=-birthdate,_id,_lastUpdated&_cursor=abc&_format=json");

    (void)state;
    assert_int_equal(s.count, 7);
    assert_int_equal(s.total, TOTAL_ACCURATE);
    assert_int_equal(s.summary, SUMMARY_DATA);
    assert_int_equal(s.n_elements, 2);
    assert_str(s.elements[1], STR("id"));
    assert_int_equal(s.n_sort, 3);
    assert_true(s.sort[0].descending && s.sort[0].param && !s.sort[0].by_id);
    assert_true(s.sort[1].by_id && !s.sort[2].by_id && !s.sort[2].param);
    assert_str(s.cursor, STR("abc"));
    assert_int_equal(s.n_unknown, 0);
    assert_str(s.self, STR("_count=7&_total=accurate&_summary=data&_elements=name,id&"
                           "_sort=-birthdate,_id,_lastUpdated"));
    assert_int_equal(parse("Patient", "_count=0").summary, SUMMARY_COUNT);
    assert_int_equal(parse("Patient", "_count=99999").count, SEARCH_COUNT_MAX);
    assert_int_equal(parse("Patient", "_summary=count").count, 0);
    refuses("_count=x", ERR_VALUE, "\"_count\"");
    refuses("_total=some", ERR_VALUE, "\"_total\"");
    refuses("_summary=some", ERR_VALUE, "\"_summary\"");
}

static void includes_are_read(void **state)
{
    struct search s = parse("Observation", "_include=Observation:subject:Patient&_include=*&"
                                           "_revinclude:iterate=Provenance:target&"
                                           "_include=Observation:*");

    (void)state;
    assert_int_equal(s.n_includes, 4);
    assert_int_equal(s.includes[0].target, def_resource(STR("Patient")));
    assert_true(s.includes[0].param && !s.includes[0].reverse && !s.includes[0].iterate);
    assert_true(!s.includes[1].param && !s.includes[1].source);
    assert_true(s.includes[2].reverse && s.includes[2].iterate);
    assert_null(s.includes[3].param);
    assert_int_equal(parse("Observation", "_include=Observation:code").n_unknown, 1);
    assert_int_equal(parse("Observation", "_include=Nothing:subject").n_unknown, 1);
}

static void unknown_parameters_are_named_or_refused(void **state)
{
    static const char *const unknown[] = {
        "nonsense=1", "_sort=nonsense", "gender=", "_type=Patient", "_id:not=1", "near=1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        struct search s;
        options.strict = false;
        s = parse("Patient", unknown[i]);
        assert_int_equal(s.n_unknown, 1);
        assert_str(s.unknown[0], str_head(str_c(unknown[i]), strcspn(unknown[i], "=")));
        assert_int_equal(s.n_clauses, 0);
        assert_str(s.self, STR(""));
        options.strict = true;
        refuses(unknown[i], ERR_NOT_SUPPORTED, "is not supported");
    }
}

static void modifiers_that_cannot_stand_there_are_refused(void **state)
{
    (void)state;
    refuses("gender:exact=male", ERR_NOT_SUPPORTED, "\":exact\" of \"gender\"");
    refuses("name:not=x", ERR_NOT_SUPPORTED, "\":not\"");
    refuses("name:text=x", ERR_NOT_SUPPORTED, "\":text\"");
    refuses("name:of-type=a|b|c", ERR_NOT_SUPPORTED, "\":of-type\"");
    refuses("gender:in=x", ERR_NOT_SUPPORTED, "terminology");
    refuses("name:Patient=x", ERR_NOT_SUPPORTED, "\":Patient\"");
}

static void clauses_and_ranges(void **state)
{
    struct search s =
        parse("Patient", "gender=male,female&name=a&_id=1,2&birthdate=2000&active:not=true");

    (void)state;
    assert_int_equal(s.n_clauses, 5);
    assert_int_equal(s.clauses[0].n_ranges, 2);
    assert_true(s.clauses[0].ranges[0].point && !s.clauses[0].ranges[0].lossy);
    assert_str(s.clauses[0].ranges[0].lo, STR("\0male\0"));
    assert_str(s.clauses[1].ranges[0].lo, STR("a"));
    assert_str(s.clauses[1].ranges[0].hi, STR("b"));
    assert_int_equal(s.clauses[2].kind, CLAUSE_ID);
    assert_int_equal(s.clauses[2].n_ids, 2);
    assert_true(s.clauses[4].negate);
    assert_int_equal(parse("Patient", "_id=%2F").clauses[0].kind, CLAUSE_NONE);
    assert_true(parse("Patient", "identifier=7").clauses[0].ranges[0].groups);
    assert_true(parse("Patient", "identifier=urn:x|7").clauses[0].ranges[0].point);
}

static void percent_encoding_and_self(void **state)
{
    struct search s =
        parse("Patient", "name=M%C3%BCller%20+x&identifier=urn%3Ax%7C7&&active=true&zz=1");

    (void)state;
    assert_str(s.self, STR("name=M%C3%BCller%20%20x&identifier=urn:x%7C7&active=true"));
    refuses("name=%4", ERR_VALUE, "hexadecimal");
    refuses("name=%zz", ERR_VALUE, "hexadecimal");
    refuses("name=%ff", ERR_VALUE, "UTF-8");
    refuses("name=a%00b", ERR_VALUE, "UTF-8");
    refuses("na%C3=x", ERR_VALUE, "UTF-8");
}

static void system_level_searches_have_common_parameters(void **state)
{
    struct search s = parse(NULL, "_type=Patient,Observation,Patient&_tag=x");

    (void)state;
    assert_int_equal(s.n_types, 2);
    assert_int_equal(s.clauses[0].n_ranges, 2);
    assert_int_equal(parse(NULL, "_tag=urn:x|y").clauses[0].n_ranges, DEF_RESOURCE_MAX);
    assert_int_equal(parse(NULL, "gender=x").n_unknown, 1);
    assert_int_equal(parse(NULL, "_type=Patient&gender=x").n_unknown, 0);
    assert_int_equal(parse(NULL, "_type=Condition,Observation&patient=1").n_unknown, 0);
}

static void limits_have_names(void **state)
{
    _cleanup_(sb_done) struct sb many = sb_make(MIB(1)), args = sb_make(MIB(1));
    _cleanup_(sb_done) struct sb names = sb_make(MIB(1)), length = sb_make(MIB(1));

    (void)state;
    sb_lit(&many, "_id=");
    for (int i = 0; i <= SEARCH_VALUES_MAX; i++)
        sb_lit(&many, "a,");
    sb_char(&many, '\0');
    refuses(many.p, ERR_COSTLY, "values");
    for (int i = 0; i <= SEARCH_CLAUSES_MAX; i++)
        sb_lit(&args, "name=a&");
    sb_char(&args, '\0');
    refuses(args.p, ERR_COSTLY, "parameters");
    for (int i = 0; i < 5000; i++)
        sb_lit(&names, "x=a&");
    sb_char(&names, '\0');
    refuses(names.p, ERR_COSTLY, "parameters");
    sb_lit(&length, "name=");
    for (int i = 0; i <= SEARCH_VALUE_BYTES_MAX; i++)
        sb_lit(&length, "a");
    sb_char(&length, '\0');
    refuses(length.p, ERR_COSTLY, "longer");
}

static void any_bytes_are_parsed_or_refused(void **state)
{
    static const char *const words[] = {
        "name",
        "gender",
        "identifier",
        "birthdate",
        "general-practitioner",
        "_id",
        "_lastUpdated",
        "_sort",
        "_include",
        "_count",
        "_type",
        "=",
        "&",
        ":",
        "|",
        ",",
        "\\",
        "$",
        "%2C",
        "%",
        ":missing",
        ":exact",
        ":not",
        ":text",
        "ge",
        "2020-01",
        "T10:00",
        "1.0",
        "e5",
        "true",
        "Patient/1",
        "http://x",
        ".",
        "-",
        "code-value-quantity=a$5",
        "value-quantity=5|a|b",
        "\xc3\xa9",
        "\xff",
        "Observation",
        "_tag",
        "ap",
        "9999",
        "0001-01-01",
    };
    struct rng rng;

    (void)state;
    rng_seed(&rng, 5);
    for (int i = 0; i < 30000; i++) {
        _cleanup_(sb_done) struct sb q = sb_make(KIB(4));
        struct search s;
        struct err err = {0};
        int type =
            (int[]){0, def_resource(STR("Patient")), def_resource(STR("Observation"))}[i % 3];
        for (uint64_t n = rng_below(&rng, 14); n; n--)
            sb_fmt(&q, "%s", words[rng_below(&rng, ARRAY_LEN(words))]);
        if (i % 5 == 0 && q.n)
            q.p[rng_below(&rng, q.n)] = (char)rng_below(&rng, 256);
        arena_reset(&a);
        options.strict = i % 2;
        if (search_parse(&a, params, &options, type, sb_view(&q), &s, &err) < 0)
            assert_true(err.code < 0 && err.text[0]);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    FAULT_LOOP(true) {
        struct arena own;
        struct err err = {0};
        struct search s;
        int r;
        arena_init(&own, MIB(4));
        r = search_parse(&own, params, &options, def_resource(STR("Observation")),
                         STR("code=a,urn:x|b&date=ge2020&value-quantity=5|urn:s|c&patient=1&x=1&"
                             "code-value-quantity=a$5&code:text=x&_sort=date&_include=*&"
                             "has-member.code=x&_has:Observation:has-member:code=y&"
                             "_filter=code-value-quantity[code%20eq%20a].value-quantity%20gt%205"),
                         &s, &err);
        assert_true(r == 0 || err.code == ERR_NO_MEMORY);
        arena_done(&own);
    }
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(an_empty_query_asks_for_all),
        EACH(controls_are_read),
        EACH(includes_are_read),
        EACH(unknown_parameters_are_named_or_refused),
        EACH(modifiers_that_cannot_stand_there_are_refused),
        EACH(clauses_and_ranges),
        EACH(percent_encoding_and_self),
        EACH(system_level_searches_have_common_parameters),
        EACH(limits_have_names),
        EACH(any_bytes_are_parsed_or_refused),
        EACH(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
