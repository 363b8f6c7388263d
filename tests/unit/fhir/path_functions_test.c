/* FHIRPath's operators and functions: the examples that the specification itself gives (N1 where it
 * does not say otherwise, N2 for what N1 does not have), and what it says of limits and errors. */
#include "base/fault.h"
#include "path_rows.h"

static const char PATIENT[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,\"birthDate\":\"1980-02-03\","
    "\"name\":[{\"use\":\"official\",\"family\":\"Okoro\",\"given\":[\"Ada\",\"Ngozi\"]},"
    "{\"use\":\"usual\",\"given\":[\"Ada\"]}],"
    "\"_deceasedBoolean\":{\"extension\":[{\"url\":\"urn:x\",\"valueCode\":\"y\"}]},"
    "\"maritalStatus\":{\"coding\":[{\"system\":\"urn:s\",\"code\":\"child\"},"
    "{\"system\":\"urn:s\",\"code\":\"other\"}]},"
    "\"managingOrganization\":{\"reference\":\"Organization/o\"},"
    "\"modifierExtension\":[{\"url\":\"urn:m\",\"valueBoolean\":true}]}";

static void check_with(const struct row *rows, size_t n, struct path_env env)
{
    assert_int_equal(count_wrong(PATIENT, rows, n, env), 0);
}

static void check(const struct row *rows, size_t n)
{
    check_with(rows, n, (struct path_env){.now_ms = INT64_C(1700000000123)});
}

static void strings(void **state)
{
    static const struct row rows[] = {
        {"'abcdefg'.indexOf('bc')", "[1]"},
        {"'abcdefg'.indexOf('x')", "[-1]"},
        {"'abcdefg'.indexOf('abcdefg')", "[0]"},
        {"'abcdefg'.substring(3)", "[\"defg\"]"},
        {"'abcdefg'.substring(1, 2)", "[\"bc\"]"},
        {"'abcdefg'.substring(6, 2)", "[\"g\"]"},
        {"'abcdefg'.substring(7, 1)", "[]"},
        {"'abcdefg'.substring(2, {})", "[\"cdefg\"]"},
        {"'abcdefg'.startsWith('abc')", "[true]"},
        {"'abcdefg'.endsWith('abc')", "[false]"},
        {"'abc'.contains('bc')", "[true]"},
        {"'AbCdefg'.upper()", "[\"ABCDEFG\"]"},
        {"'aBcDEFG'.lower()", "[\"abcdefg\"]"},
        {"'abcdefg'.replace('cde', '123')", "[\"ab123fg\"]"},
        {"'abc'.replace('', 'x')", "[\"xaxbxcx\"]"},
        {"'abc'.toChars()", "[\"a\",\"b\",\"c\"]"},
        {"'11/30/1972'.replaceMatches('\\\\b(?<month>\\\\d{1,2})/(?<day>\\\\d{1,2})/"
         "(?<year>\\\\d{2,4})\\\\b', '${day}-${month}-${year}')",
         "[\"30-11-1972\"]"},
        {"'a.b'.replaceMatches('(.)\\\\.(.)', '$2$$$1')", "[\"b$a\"]"},
        {"'N8000123123'.matchesFull('N[0-9]{8}')", "[false]"},
        {"'N8000123123'.matches('N[0-9]{8}')", "[true]"},
        {"'ABC'.matches('abc', 'i')", "[true]"},
        {"'\xc3\x84\xc3\x96\xf0\x9f\x94\xa5'.length()", "[3]"},
        {"'\xc3\xa4\xf0\x9f\x94\xa5x'.substring(1, 1)", "[\"\xf0\x9f\x94\xa5\"]"},
        {"'\xc3\xa4\xf0\x9f\x94\xa5x'.indexOf('x')", "[2]"},
        {"'\xc3\xa4'.upper()", "[\"\xc3\x84\"]"},
        {"'abcabc'.lastIndexOf('bc')", "[4]"},
        {"'\\ud83d\\udd25'", "[\"\xf0\x9f\x94\xa5\"]"},
        {"'a' + 'b' & {} & 'c'", "[\"abc\"]"},
        {"'a' + {}", "[]"},
        {"1.matches('a')", "error: not a string"},
        {"'a'.matches('(')", "error: regular expression is wrong at its character"},
        {"'a'.matches('\\\\C')", "error: regular expression is wrong"},
        {"'a'.replaceMatches('a', '$1')", "error: names a group"},
        {"name.given.length()", "error: several items (character 12"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void numbers(void **state)
{
    static const struct row rows[] = {
        {"(-5.5 'mg').abs()", "[\"5.5 'mg'\"]"},
        {"1.1.ceiling()", "[2]"},
        {"(-1.1).ceiling()", "[-1]"},
        {"(-2.1).floor()", "[-3]"},
        {"3.14159.round(3)", "[3.142]"},
        {"2.5.round()", "[3]"},
        {"81.sqrt() = 9.0", "[true]"},
        {"(-1).sqrt()", "[]"},
        {"(-1.56).truncate()", "[-1]"},
        {"16.log(2) = 4.0", "[true]"},
        {"0.exp() = 1.0", "[true]"},
        {"1.ln() = 0.0", "[true]"},
        {"2.power(3)", "[8]"},
        {"2.5.power(2)", "[6.25]"},
        {"2.power(-1)", "[0.5]"},
        {"5 div 2", "[2]"},
        {"5.5 div 0.7", "[7]"},
        {"5 div 0", "[]"},
        {"5 mod 2", "[1]"},
        {"5.5 mod 0.7", "[0.6]"},
        {"-5 mod 3", "[-2]"},
        {"12 / 0", "[]"},
        {"1 / 8", "[0.125]"},
        {"0.1 + 0.2", "[0.3]"},
        {"1.10 + 1", "[2.10]"},
        {"2147483647 + 1", "[]"},
        {"-2147483648 - 1", "[]"},
        {"1234567890123456789.5 * 10 = 12345678901234567895.0", "[true]"},
        {"(1 | 2 | 3 | 4).sum()", "[10]"},
        {"(1 | 2 | 3 | 4).avg()", "[2.5]"},
        {"(3 | 1 | 2).min()", "[1]"},
        {"(3 'g' | 5 'mg').max()", "[\"3 'g'\"]"},
        {"(1 | 2).combine(3).aggregate($this + $total, 0)", "[6]"},
        {"-7.combine(3)", "error: \"-\" is in front"},
        {"(-7).combine(3)", "[-7,3]"},
        {"1 + 'a'", "error: between types that it does not take"},
        {"99999999999", "error: integer beyond"},
        {"(1 | 2) + 1", "error: does not take several items"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void quantities(void **state)
{
    static const struct row rows[] = {
        {"1 year = 1 'a'", "[]"},
        {"1 year ~ 1 'a'", "[true]"},
        {"1 second = 1 's'", "[true]"},
        {"1 year > 1 'a'", "[]"},
        {"10 seconds > 1 's'", "[true]"},
        {"4 'm' > 4 'cm'", "[true]"},
        {"1 'cm' = 1 'cm2'", "[]"},
        {"1 'cm' ~ 1 'cm2'", "[false]"},
        {"1 'cm' < 1 'nonsense'", "[]"},
        {"12 'cm' * 3 'cm' = 36 'cm2'", "[true]"},
        {"3 'm' + 3 'cm'", "[\"303 'cm'\"]"},
        {"3 'm' - 3 'cm'", "[\"297 'cm'\"]"},
        {"12 'cm2' / 3 'cm' = 4.0 'cm'", "[true]"},
        {"1 year = 12 months", "[true]"},
        {"2 * 3 'mg'", "[\"6 'mg'\"]"},
        {"'4 days'.toQuantity()", "[\"4 days\"]"},
        {"'10 \\'mg[Hg]\\''.toQuantity()", "[\"10 'mg[Hg]'\"]"},
        {"1 'g'.toQuantity('mg')", "[\"1000 'mg'\"]"},
        {"1 year.toQuantity('days')", "[\"365 days\"]"},
        {"1 'g'.convertsToQuantity('m')", "[false]"},
        {"'1 wk'.convertsToQuantity()", "[false]"},
        {"1 'cm'.comparable(1 '[in_i]')", "[true]"},
        {"''.toQuantity()", "[]"},
        {"(2 years).value", "[2]"},
        {"(2 'mg' + 1 'g').unit", "[\"mg\"]"},
        {"1 year + 6 months", "[\"18 months\"]"},
        {"1 'a' > 1 day", "[]"},
        {"1 'mg' + 'a'", "error: between types"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void dates(void **state)
{
    static const struct row rows[] = {
        {"@2012-01 = @2012", "[]"},
        {"@2012-01-01T10:30:31.0 = @2012-01-01T10:30:31", "[true]"},
        {"@2012-01-01T10:30:31 = @2012-01-01T10:30", "[]"},
        {"@2012-01 ~ @2012", "[false]"},
        {"@T10 > @T10:30", "[]"},
        {"@2017-11-05T01:30:00.0-04:00 = @2017-11-05T00:30:00.0-05:00", "[true]"},
        {"@2014 + 24 months", "[\"2016\"]"},
        {"@2014 + 23 months", "[\"2015\"]"},
        {"@2016 + 365 days", "[\"2017\"]"},
        {"@2019-03-01 + 24 months", "[\"2021-03-01\"]"},
        {"@2019-03-01 - 24 months", "[\"2017-03-01\"]"},
        {"@2012-02-29 + 1 year", "[\"2013-02-28\"]"},
        {"@2012-01-31 + 1 month", "[\"2012-02-29\"]"},
        {"@T23:30 + 1 hour", "[\"00:30\"]"},
        {"@2012-12-31T23:59:59.999Z + 1 millisecond", "[\"2013-01-01T00:00:00.000Z\"]"},
        {"@2012-01-01T00:00:00-03:30 + 1 minute", "[\"2012-01-01T00:01:00-03:30\"]"},
        {"@9999-12-31 + 1 day", "[]"},
        {"@2012-01-01 + 1 hour", "error: cannot be added to a date"},
        {"@T10:00 + 1 day", "error: cannot be added to a time"},
        {"@2012-01-01 + 1 'a'", "error: cannot be added"},
        {"@2012-13", "error: does not exist at character 1"},
        {"@T25", "error: does not exist"},
        {"@2012-02-30", "error: does not exist"},
        {"now()", "[\"2023-11-14T22:13:20.123Z\"]"},
        {"today()", "[\"2023-11-14\"]"},
        {"timeOfDay()", "[\"22:13:20.123\"]"},
        {"birthDate < today() and today() ~ now().toDate()", "[true]"},
        {"@2014-01-05T10:30:00.000.yearOf()", "[2014]"},
        {"@2012.monthOf()", "[]"},
        {"@2012-01-01T12:30:40.002-07:00.hourOf()", "[12]"},
        {"@2012-01-01T12:30:40.002-07:00.secondOf()", "[40]"},
        {"@2012-01-01T12:30:00.002-07:00.millisecondOf()", "[2]"},
        {"@2012-01-01T12:30:00.000+08:45.timezoneOffsetOf()", "[8.75]"},
        {"@2012-01-01T12:30:00.000-07:00.dateOf()", "[\"2012-01-01\"]"},
        {"@2012-01-01T12:30:00.000-07:00.timeOf()", "[\"12:30:00.000\"]"},
        {"(-1.587).highBoundary(0)", "[-1]"},
        {"1.587.lowBoundary()", "[1.58650000]"},
        {"@2014.highBoundary()", "[\"2014-12-31\"]"},
        {"@2020-02.highBoundary()", "[\"2020-02-29\"]"},
        {"@T10:30.highBoundary(9)", "[\"10:30:59.999\"]"},
        {"100.precision()", "[0]"},
        /* a text without a zone may be in any: only what holds in all of them is known */
        {"@2020-01-03T00:00:00Z > @2020-01-01T00:00:00", "[true]"},
        {"@2020-01-01T10:00:00Z > @2020-01-01T00:00:00", "[]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void collections(void **state)
{
    static const struct row rows[] = {
        {"(1 | 2 | 3).skip(1).take(1)", "[2]"},
        {"name.given.distinct()", "[\"Ada\",\"Ngozi\"]"},
        {"name.given.isDistinct()", "[false]"},
        {"name.select(given | use)", "[\"Ada\",\"Ngozi\",\"official\",\"Ada\",\"usual\"]"},
        {"name.given.where($index = 1)", "[\"Ngozi\"]"},
        {"name.given.select($index)", "[0,1,2]"},
        {"(1 | 2 | 3).intersect(2 | 4)", "[2]"},
        {"(1 | 2).combine(2).exclude(1)", "[2,2]"},
        {"(3 | 1 | 2).sort()", "[1,2,3]"},
        {"('b' | 'a').sort(-$this)", "[\"b\",\"a\"]"},
        {"(1 | 2) = (2 | 1)", "[false]"},
        {"(1 | 2) ~ (2 | 1)", "[true]"},
        {"{} in (1 | 2)", "[]"},
        {"1 in {}", "[false]"},
        {"{} ~ {}", "[true]"},
        {"(true | false).anyFalse()", "[true]"},
        {"coalesce({}, 2, 3)", "[2]"},
        {"name.defineVariable('n').given.where($this = 'Ada').select(%n.family)",
         "[\"Okoro\",\"Okoro\"]"},
        {"name.defineVariable('f', first()).select(%f.family)", "[\"Okoro\",\"Okoro\"]"},
        {"name.select(defineVariable('x').use) | %x", "error: %x is not defined"},
        {"defineVariable('x').defineVariable('x')", "error: defined already"},
        {"defineVariable('context')", "error: defined already"},
        {"iif(name.exists(), 'a', 1 / 0)", "[\"a\"]"},
        {"name.iif(true, 1)", "error: several items"},
        {"iif('x', 1)", "error: not one boolean"},
        {"false and (1 | 2)", "[false]"},
        {"true and (1 | 2)", "error: several items"},
        {"{} implies true", "[true]"},
        {"name[1].given[0]", "[\"Ada\"]"},
        {"name['0']", "error: not one integer"},
        {"children().first()", "error: no order (character 12"},
        {"children()[0]", "error: no order"},
        {"%v + 1", "[8]"},
        {"%nothing", "error: %nothing is not defined (character 1 "},
        {"%`vs-x`", "[\"http://hl7.org/fhir/ValueSet/x\"]"},
        {"%context.id & %resource.id & %rootResource.id", "[\"ppp\"]"},
    };
    struct path_item seven = {.kind = PATH_INTEGER, .text = STR("7")};
    struct path_variable v = {STR("v"), {&seven, 1, 1}};

    (void)state;
    check_with(rows, ARRAY_LEN(rows), (struct path_env){.variables = &v, .n_variables = 1});
}

static void types(void **state)
{
    static const struct row rows[] = {
        {"active is boolean", "[true]"},
        {"active is Boolean", "[false]"},
        {"active is System.Boolean", "[false]"},
        {"true is Boolean", "[true]"},
        {"name.given.first() is string", "[true]"},
        {"name.use.first() is string", "[true]"},
        {"name.use.ofType(string)", "[]"},
        {"name.use.ofType(code)", "[\"official\",\"usual\"]"},
        {"Patient is DomainResource", "[true]"},
        {"active.type()", "[{\"namespace\":\"FHIR\",\"name\":\"boolean\"}]"},
        {"1.type().name", "[\"Integer\"]"},
        {"name as HumanName", "error: \"as\" does not take several items"},
        {"active as Nonsense", "error: \"Nonsense\" in the FHIRPath expression is not a type"},
        {"name.givn", "error: HumanName has no element \"givn\" (character 6 "},
        {"name.where(givn = 'x')", "error: HumanName has no element"},
        {"Observation.value", "error: Patient has no element \"Observation\""},
        {"deceasedBoolean", "error: Patient has no element"},
        {"contained.anything", "[]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

/* ---- what is asked of the world ---- */

static int reference(void *ctx, struct arena *a, struct str ref, yyjson_val **ret, struct err *err)
{
    (void)ctx;
    if (!str_eq(ref, STR("Organization/o")))
        return err_set(err, ERR_NO_STORE, "asked for something else");
    return js_parse(a, STR("{\"resourceType\":\"Organization\",\"name\":\"Out\"}"), ret, err);
}

static int member_of(void *ctx, struct arena *a, struct str url, const struct coding *coding,
                     enum terms_answer *ret, struct err *err)
{
    (void)ctx;
    (void)a;
    (void)err;
    *ret = !str_eq(url, STR("urn:vs"))          ? TERMS_UNKNOWN
           : str_eq(coding->code, STR("other")) ? TERMS_YES
                                                : TERMS_NO;
    return 0;
}

static int subsumes(void *ctx, struct arena *a, struct str system, struct str code_a,
                    struct str code_b, enum terms_relation *ret, struct err *err)
{
    (void)ctx;
    (void)a;
    (void)err;
    *ret = !str_eq(system, STR("urn:s"))   ? RELATION_UNKNOWN
           : str_eq(code_b, STR("parent")) ? RELATION_SUBSUMED_BY
           : str_eq(code_a, STR("parent")) ? RELATION_SUBSUMES
                                           : RELATION_NOT;
    return 0;
}

static int conforms_to(void *ctx, struct arena *a, const struct world_value *value,
                       struct str profile, enum terms_answer *ret, struct err *err)
{
    (void)ctx;
    (void)a;
    (void)err;
    *ret = str_eq(profile, STR("urn:yes"))  ? TERMS_YES
           : str_eq(profile, STR("urn:no")) ? TERMS_NO
                                            : TERMS_UNKNOWN;
    return str_eq(value->type->name, STR("Patient")) ? 0 : ERR_INTERNAL;
}

/* The slice "first" of names: those with a given name; nobody knows another. */
static int in_slice(void *ctx, struct arena *a, const struct world_value *value, struct str profile,
                    struct str slice, enum terms_answer *ret, struct err *err)
{
    (void)ctx;
    (void)a;
    (void)err;
    *ret =
        !str_eq(profile, STR("urn:yes")) || !str_eq(slice, STR("first")) ? TERMS_UNKNOWN
        : value->element && str_eq(value->element->name, STR("name")) && js_get(value->v, "given")
            ? TERMS_YES
            : TERMS_NO;
    return 0;
}

static void the_world_is_asked(void **state)
{
    static const struct world world = {.reference = reference,
                                       .member_of = member_of,
                                       .subsumes = subsumes,
                                       .conforms_to = conforms_to,
                                       .in_slice = in_slice};
    static const struct row with[] = {
        {"managingOrganization.resolve().name", "[\"Out\"]"},
        {"managingOrganization.resolve() is Organization", "[true]"},
        {"maritalStatus.memberOf('urn:vs')", "[true]"},
        {"maritalStatus.coding[0].memberOf('urn:vs')", "[false]"},
        {"maritalStatus.memberOf('urn:other')", "[]"},
        {"maritalStatus.coding[0].subsumedBy(%parent)", "[true]"},
        {"maritalStatus.coding[0].subsumes(%parent)", "[false]"},
        {"maritalStatus.subsumes(maritalStatus)", "[true]"},
        {"conformsTo('urn:yes')", "[true]"},
        {"conformsTo('urn:no')", "[false]"},
        {"conformsTo('urn:else')", "error: \"urn:else\" is not known here"},
        {"name.slice('urn:yes', 'first').given", "[\"Ada\",\"Ngozi\",\"Ada\"]"},
        {"slice('urn:yes', 'first').given", "[\"Ada\",\"Ngozi\",\"Ada\"]"},
        {"maritalStatus.slice('urn:yes', 'first')", "[]"},
        {"{}.slice('urn:yes', 'first')", "[]"},
        {"name.slice({}, 'first')", "[]"},
        {"name.slice('urn:yes', 'other')", "error: has no slice \"other\""},
        {"name.slice('urn:no', 'first')", "error: \"urn:no\" is not known here"},
    };
    static const struct row without[] = {
        {"managingOrganization.resolve()", "[]"},
        {"maritalStatus.memberOf('urn:vs')", "[]"},
        {"maritalStatus.coding[0].subsumes(maritalStatus.coding[1])", "[]"},
        {"maritalStatus.coding[0].subsumes(maritalStatus.coding[0])", "[true]"},
        {"conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", "[true]"},
        {"conformsTo('http://hl7.org/fhir/StructureDefinition/Person')", "[false]"},
        {"conformsTo('urn:yes')", "error: not known here"},
        {"name.slice('urn:yes', 'first')", "error: not known here"},
        {"elementDefinition().path", "[\"Patient\"]"},
        {"name.first().elementDefinition().max", "[\"*\"]"},
        {"deceased.elementDefinition().path", "[\"Patient.deceased[x]\"]"},
        {"deceased.elementDefinition().type.code", "[\"boolean\",\"dateTime\"]"},
        {"maritalStatus.coding[0].code.elementDefinition().path", "[\"Coding.code\"]"},
        {"maritalStatus.elementDefinition() is ElementDefinition", "[true]"},
        {"maritalStatus.elementDefinition().binding.strength", "[\"extensible\"]"},
        {"(1).elementDefinition()", "[]"},
        {"{}.elementDefinition()", "[]"},
        {"deceased.extension('urn:x').value", "[\"y\"]"},
        {"deceased.hasValue()", "[false]"},
        {"active.getValue() is System.Boolean", "[true]"},
        {"checkModifiers('urn:m').id", "[\"p\"]"},
        {"checkModifiers()", "error: modifier extension \"urn:m\""},
    };
    struct arena a;
    struct err err = {0};
    struct path_item parent;
    struct path_variable v = {STR("parent"), {&parent, 1, 1}};
    yyjson_val *coding;

    (void)state;
    arena_init(&a, KIB(64));
    assert_int_equal(js_parse(&a, STR("{\"system\":\"urn:s\",\"code\":\"parent\"}"), &coding, &err),
                     0);
    parent = path_json(coding);
    check_with(with, ARRAY_LEN(with),
               (struct path_env){.world = &world, .variables = &v, .n_variables = 1});
    check(without, ARRAY_LEN(without));
    arena_done(&a);
}

/* ---- limits ---- */

static void hostile_evaluations_end(void **state)
{
    static const struct row rows[] = {
        {"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.matches('^(a|aa)+$')",
         "error: takes too"},
        {"'x'.repeatAll($this & $this)", "error: "},
        {"(1 | 2).repeatAll($this + 1)", "error: too many steps"},
        {"descendants().select(%resource.descendants().select(%resource.descendants()."
         "select(%resource.descendants().select(%resource.descendants()))))",
         "error: "},
        {"'a'.replace('', 'bbbbbbbbbbbbbbbb').replace('b', 'cccccccccccccccccccccccccccccccc')"
         ".replace('c', 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd')"
         ".replace('d', 'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee')",
         "error: "},
        {"2.power(1000).power(1000)", "[]"},
        {"10.0.power(999) * 10.0.power(999)", "[]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void heard(void *ctx, struct str name, const struct path_items *items)
{
    struct sb *out = ctx;

    sb_str(out, name);
    path_write(out, items);
}

static void trace_is_heard(void **state)
{
    static const struct row row = {"name.trace('n', given).given.trace('g').count()", "[3]"};
    _cleanup_(sb_done) struct sb out = sb_make(KIB(4));

    (void)state;
    check_with(&row, 1, (struct path_env){.trace = heard, .trace_ctx = &out});
    assert_true(
        str_eq(sb_view(&out), STR("n[\"Ada\",\"Ngozi\",\"Ada\"]g[\"Ada\",\"Ngozi\",\"Ada\"]")));
}

/* What is the same for every item is kept, but not where it is heard or holds a variable. */
static void what_is_kept_makes_no_difference(void **state)
{
    static const struct row rows[] = {
        {"name.select(%resource.id.trace('t'))", "[\"p\",\"p\"]"},
        {"name.where(use = %resource.name.first().use).given", "[\"Ada\",\"Ngozi\"]"},
        {"name.select(%resource.name.select(given.count()).sum())", "[3,3]"},
        {"name.select(%resource.name.where(use = 'usual').given | use)",
         "[\"Ada\",\"official\",\"Ada\",\"usual\"]"},
        {"name.select(defineVariable('u', use).select(%resource.name.where(use = %u).count()))",
         "[1,1]"},
        {"name.select(%resource.name.select($index).sum() + $index)", "[1,2]"},
        {"(1 | 2).select(%resource.name.aggregate($total + 1, 0) + $this)", "[3,4]"},
        {"name.all(%resource.active)", "[true]"},
        {"name.select(1 / 0)", "[]"},
        {"name.where(%resource.name.given = 'x').exists()", "[false]"},
        {"name.where(%resource.name.given + 'x' = 'y')", "error: several items"},
        {"name.exists() or name.where(%resource.name.given + 'x' = 'y').exists()", "[true]"},
    };
    _cleanup_(sb_done) struct sb out = sb_make(KIB(4));

    (void)state;
    check_with(rows, ARRAY_LEN(rows), (struct path_env){.trace = heard, .trace_ctx = &out});
    assert_true(str_eq(sb_view(&out), STR("t[\"p\"]t[\"p\"]")));
}

static void every_allocation_may_fail(void **state)
{
    static const char *const expressions[] = {
        "name.given.distinct().select(upper() & 'x').join(',').split('x').sort().first()",
        "(1.5 + 2 / 3).round(2).toString().toQuantity('1').toString()",
        "name.given.where(matches('^A')).select(replaceMatches('A', 'B').encode('base64'))",
        "defineVariable('v', name).select(%v.descendants().combine(1 'mg' + 2 'g').count())",
        "now() + 3 days > birthDate.lowBoundary() and name ~ name and type().name = 'Patient'",
        "name.where(use = %resource.name.first().use and $index < today().toString().length())",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expressions); i++) {
        FAULT_LOOP(true) {
            _cleanup_(sb_done) struct sb out = sb_make(KIB(64));
            struct path_env env = {.now_ms = 1};
            struct err err = {0};
            struct arena a;
            int r;
            arena_init(&a, MIB(4));
            r = evaluate(&a, PATIENT, expressions[i], &env, &out, &err);
            if (r < 0)
                assert_int_equal(r, ERR_NO_MEMORY);
            arena_done(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(numbers),
        cmocka_unit_test(quantities),
        cmocka_unit_test(dates),
        cmocka_unit_test(collections),
        cmocka_unit_test(types),
        cmocka_unit_test(the_world_is_asked),
        cmocka_unit_test(hostile_evaluations_end),
        cmocka_unit_test(trace_is_heard),
        cmocka_unit_test(what_is_kept_makes_no_difference),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
