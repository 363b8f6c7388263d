/* FHIRPath rule by rule: what N1 says of each function and operator, in its order, with its
 * examples where it has some; then what R4 adds. path_functions_test.c has the successor's
 * functions, limits and the world outside. */
#include "path_rows.h"

static const char PATIENT[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,"
    "\"_active\":{\"id\":\"behind\",\"extension\":[{\"url\":\"urn:e\",\"valueInteger\":7}]},"
    "\"_birthDate\":{\"id\":\"before\"},\"birthDate\":\"1980-02-03\","
    "\"name\":[{\"use\":\"official\",\"family\":\"Okoro\",\"given\":[\"Ada\",\"Ngozi\"],"
    "\"_given\":[null,{\"id\":\"second\"}]},{\"use\":\"usual\",\"given\":[\"Ada\"]}],"
    "\"telecom\":[{\"system\":\"phone\",\"value\":\"1\",\"rank\":2},"
    "{\"system\":\"phone\",\"value\":\"2\",\"rank\":1},{\"system\":\"email\",\"value\":\"3\"}],"
    "\"multipleBirthInteger\":3}";

static void check(const struct row *rows, size_t n)
{
    struct path_env env = {.now_ms = INT64_C(1700000000123)};

    assert_int_equal(count_wrong(PATIENT, rows, n, env), 0);
}

static void literals(void **state)
{
    static const struct row rows[] = {
        {"'a\\'b\\\"c\\`d\\re\\nf\\tg\\fh\\\\i\\/j\\u0041'",
         "[\"a'b\\\"c`d\\re\\nf\\tg\\u000ch\\\\i/jA\"]"},
        {"'\\x'", "error: "},
        {"'a", "error: "},
        {"\"a\"", "error: "},
        {"true", "[true]"},
        {"{}", "[]"},
        {"0045", "[45]"},
        {"1.50", "[1.50]"},
        {".5", "error: "},
        {"1.", "error: "},
        {"@2015", "[\"2015\"]"},
        {"@2015-02", "[\"2015-02\"]"},
        {"@2015-02-04", "[\"2015-02-04\"]"},
        {"@2015T is DateTime", "[true]"},
        {"@2015-02T is DateTime", "[true]"},
        {"@2015-02-04T is DateTime", "[true]"},
        {"@2015-02-04T14 is DateTime", "[true]"},
        {"@2015-02-04T14:34:28.123456Z is DateTime", "[true]"},
        {"@2015-02-04 is Date", "[true]"},
        {"@T14:34:28 is Time", "[true]"},
        {"@T14 is Time", "[true]"},
        {"@T14:34Z", "error: "},
        {"4.5 'mg'", "[\"4.5 'mg'\"]"},
        {"4 days", "[\"4 days\"]"},
        {"1 year", "[\"1 year\"]"},
        {"1 // a comment\n + 2", "[3]"},
        {"1 /* a\ncomment */ + 2", "[3]"},
        {"1 /* no end", "error: "},
        {"`active`", "[true]"},
        {"Patient.`name`.`use`", "[\"official\",\"usual\"]"},
        {"%ucum", "[\"http://unitsofmeasure.org\"]"},
        {"%`ucum`", "[\"http://unitsofmeasure.org\"]"},
        {"%'ucum'", "[\"http://unitsofmeasure.org\"]"},
        {"%sct", "[\"http://snomed.info/sct\"]"},
        {"%loinc", "[\"http://loinc.org\"]"},
        {"%'vs-x'", "[\"http://hl7.org/fhir/ValueSet/x\"]"},
        {"%`ext-x`", "[\"http://hl7.org/fhir/StructureDefinition/x\"]"},
        {"%context.id", "[\"p\"]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void existence(void **state)
{
    static const struct row rows[] = {
        {"{}.empty()", "[true]"},
        {"name.empty()", "[false]"},
        {"true.not()", "[false]"},
        {"false.not()", "[true]"},
        {"{}.not()", "[]"},
        {"name.not()", "error: several items"},
        {"{}.exists()", "[false]"},
        {"name.exists()", "[true]"},
        {"telecom.exists(system = 'email')", "[true]"},
        {"telecom.exists(system = 'fax')", "[false]"},
        {"telecom.exists(rank > 0)", "[true]"},
        {"{}.all(false)", "[true]"},
        {"telecom.all(value.exists())", "[true]"},
        {"telecom.all(rank > 0)", "[false]"},
        {"{}.allTrue()", "[true]"},
        {"{}.anyTrue()", "[false]"},
        {"{}.allFalse()", "[true]"},
        {"{}.anyFalse()", "[false]"},
        {"(true | false).allTrue()", "[false]"},
        {"(true | false).anyTrue()", "[true]"},
        {"(true | false).allFalse()", "[false]"},
        {"true.combine(true).allTrue()", "[true]"},
        {"false.combine(false).allFalse()", "[true]"},
        {"1.allTrue()", "error: not a boolean"},
        {"{}.subsetOf(1)", "[true]"},
        {"1.subsetOf({})", "[false]"},
        {"(1 | 2).subsetOf(3 | 2 | 1)", "[true]"},
        {"(1 | 4).subsetOf(3 | 2 | 1)", "[false]"},
        {"1.supersetOf({})", "[true]"},
        {"{}.supersetOf(1)", "[false]"},
        {"(1 | 2 | 3).supersetOf(3 | 1)", "[true]"},
        {"{}.isDistinct()", "[true]"},
        {"1.combine(1.0).isDistinct()", "[false]"},
        {"1.combine('1').isDistinct()", "[true]"},
        {"name.given.distinct()", "[\"Ada\",\"Ngozi\"]"},
        {"{}.count()", "[0]"},
        {"telecom.count()", "[3]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void filtering_and_projection(void **state)
{
    static const struct row rows[] = {
        {"{}.where(true)", "[]"},
        {"telecom.where(rank > 1).value", "[\"1\"]"},
        {"telecom.where({}).value", "[]"},
        {"telecom.where(system = 'phone').value", "[\"1\",\"2\"]"},
        {"telecom.where(system).value", "[\"1\",\"2\",\"3\"]"},
        {"name.where(given).use", "error: several items"},
        {"name.where(use = %resource.name.last().use).given", "[\"Ada\"]"},
        {"telecom.where($index > 0 and value != %context.telecom.last().value).value", "[\"2\"]"},
        {"telecom.where(rank = %resource.telecom.select(rank).where($this < 2)).value", "[\"2\"]"},
        {"name.select(given.first() + ' ' + family)", "[\"Ada Okoro\"]"},
        {"name.select({})", "[]"},
        {"{}.select(1)", "[]"},
        {"(1 | 2).select($this * 2)", "[2,4]"},
        {"1.repeat(iif($this < 5, $this + 1))", "[2,3,4,5]"},
        {"(1 | 2).repeat(1)", "[1]"},
        {"1.repeat($this + 1)", "error: "},
        {"(1 | 'a' | 2.0).ofType(Integer)", "[1]"},
        {"(1 | 'a').ofType(System.String)", "[\"a\"]"},
        {"{}.ofType(Integer)", "[]"},
        {"multipleBirth.ofType(integer)", "[3]"},
        {"multipleBirth.ofType(boolean)", "[]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void subsetting_and_combining(void **state)
{
    static const struct row rows[] = {
        {"telecom[0].value", "[\"1\"]"},
        {"telecom[2].value", "[\"3\"]"},
        {"telecom[3].value", "[]"},
        {"telecom[-1].value", "[]"},
        {"telecom[{}].value", "[]"},
        {"telecom[0 | 1].value", "error: not one integer"},
        {"telecom.where(system = 'phone')[1].value", "[\"2\"]"},
        {"name.given[1]", "[\"Ngozi\"]"},
        {"name.given[2]", "[\"Ada\"]"},
        {"1.single()", "[1]"},
        {"{}.single()", "[]"},
        {"name.single()", "error: several items"},
        {"{}.first()", "[]"},
        {"name.given.first()", "[\"Ada\"]"},
        {"telecom.where(system = 'phone').first().value", "[\"1\"]"},
        {"name.given.last()", "[\"Ada\"]"},
        {"{}.last()", "[]"},
        {"name.given.tail()", "[\"Ngozi\",\"Ada\"]"},
        {"1.tail()", "[]"},
        {"(1 | 2 | 3).skip(2)", "[3]"},
        {"(1 | 2 | 3).skip(3)", "[]"},
        {"(1 | 2 | 3).skip(0)", "[1,2,3]"},
        {"(1 | 2 | 3).skip(-1)", "[1,2,3]"},
        {"(1 | 2 | 3).take(2)", "[1,2]"},
        {"(1 | 2 | 3).take(5)", "[1,2,3]"},
        {"(1 | 2 | 3).take(0)", "[]"},
        {"(1 | 2 | 3).take(-1)", "[]"},
        {"{}.take(1)", "[]"},
        {"1.combine(1).combine(2).intersect(1.combine(1))", "[1]"},
        {"(1 | 2).intersect({})", "[]"},
        {"1.combine(2).combine(1).combine(3).exclude(3)", "[1,2,1]"},
        {"(1 | 2).exclude({})", "[1,2]"},
        {"name.given | name.given", "[\"Ada\",\"Ngozi\"]"},
        {"1.combine(1).combine(2).union(2 | 3)", "[1,2,3]"},
        {"1.combine(1) | {}", "[1]"},
        {"name.select(use | given)", "[\"official\",\"Ada\",\"Ngozi\",\"usual\",\"Ada\"]"},
        {"1.combine(1)", "[1,1]"},
        {"{}.combine(1)", "[1]"},
        {"1.combine({})", "[1]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void conversions(void **state)
{
    static const struct row rows[] = {
        {"iif(true, 1, 2)", "[1]"},
        {"iif(false, 1, 2)", "[2]"},
        {"iif({}, 1, 2)", "[2]"},
        {"iif(false, 1)", "[]"},
        {"1.iif($this = 1, 'a', 'b')", "[\"a\"]"},
        {"iif(true, 1, (1 | 2) + 1)", "[1]"},
        {"('T' | 'y').select(toBoolean())", "[true,true]"},
        {"'YES'.toBoolean()", "[true]"},
        {"'1.0'.toBoolean()", "[true]"},
        {"'0'.toBoolean()", "[false]"},
        {"'F'.toBoolean()", "[false]"},
        {"'N'.toBoolean()", "[false]"},
        {"'0.0'.toBoolean()", "[false]"},
        {"'x'.toBoolean()", "[]"},
        {"1.toBoolean()", "[true]"},
        {"0.0.toBoolean()", "[false]"},
        {"2.toBoolean()", "[]"},
        {"@2014.toBoolean()", "[]"},
        {"2.convertsToBoolean()", "[false]"},
        {"{}.convertsToBoolean()", "[]"},
        {"name.convertsToBoolean()", "error: several items"},
        {"'+5'.toInteger() = 5", "[true]"},
        {"'-5'.toInteger()", "[-5]"},
        {"'5.0'.toInteger()", "[]"},
        {"''.toInteger()", "[]"},
        {"true.toInteger()", "[1]"},
        {"1.5.toInteger()", "[]"},
        {"'2147483648'.toInteger()", "[]"},
        {"1.5.convertsToInteger()", "[false]"},
        {"'1.50'.toDecimal()", "[1.50]"},
        {"'+1.5'.toDecimal() = 1.5", "[true]"},
        {"'1.'.toDecimal()", "[]"},
        {"'.5'.toDecimal()", "[]"},
        {"'1e3'.toDecimal()", "[]"},
        {"true.toDecimal()", "[1.0]"},
        {"false.toDecimal()", "[0.0]"},
        {"1.toDecimal() is Decimal", "[true]"},
        {"@2014.convertsToDecimal()", "[false]"},
        {"'2014'.toDate()", "[\"2014\"]"},
        {"'2014-12'.toDate()", "[\"2014-12\"]"},
        {"'2014-12-14'.toDate() is Date", "[true]"},
        {"'2014-1-1'.toDate()", "[]"},
        {"'2014-02-30'.toDate()", "[]"},
        {"@2014-12-14T10:30.toDate()", "[\"2014-12-14\"]"},
        {"@2014T.toDate()", "[\"2014\"]"},
        {"@2014T", "[\"2014\"]"},
        {"@2014T.toString()", "[\"2014\"]"},
        {"'2014-12T'.toDateTime()", "[\"2014-12\"]"},
        {"1.toDate()", "[]"},
        {"'2014-12-14'.toDateTime() is DateTime", "[true]"},
        {"@2014-12-14.toDateTime() is DateTime", "[true]"},
        {"'2014-12-14T11:10:30.123+10:00'.toDateTime()", "[\"2014-12-14T11:10:30.123+10:00\"]"},
        {"'2014-12-14T25:00'.convertsToDateTime()", "[false]"},
        {"'14:34:28.123'.toTime()", "[\"14:34:28.123\"]"},
        {"'14'.toTime() is Time", "[true]"},
        {"'24:00'.convertsToTime()", "[false]"},
        {"1.toQuantity()", "[\"1 '1'\"]"},
        {"1.5.toQuantity()", "[\"1.5 '1'\"]"},
        {"true.toQuantity()", "[\"1.0 '1'\"]"},
        {"'1'.toQuantity()", "[\"1 '1'\"]"},
        {"'+1.5 \\'mg\\''.toQuantity() = 1.5 'mg'", "[true]"},
        {"'1\\'mg\\''.toQuantity()", "[\"1 'mg'\"]"},
        {"'4 weeks'.toQuantity()", "[\"4 weeks\"]"},
        {"'4 fortnights'.toQuantity()", "[]"},
        {"'x'.toQuantity()", "[]"},
        {"'1.'.toQuantity()", "[]"},
        {"'1.2.3'.toQuantity()", "[]"},
        {"'1 mg'.convertsToQuantity()", "[false]"},
        {"@2014.convertsToQuantity()", "[false]"},
        {"true.toString()", "[\"true\"]"},
        {"1.0.toString()", "[\"1.0\"]"},
        {"@2014-12.toString()", "[\"2014-12\"]"},
        {"@2014-12-14T11:10Z.toString()", "[\"2014-12-14T11:10Z\"]"},
        {"@T14:34.toString()", "[\"14:34\"]"},
        {"(4 'mg').toString()", "[\"4 'mg'\"]"},
        {"(4 days).toString()", "[\"4 days\"]"},
        {"name[0].toString()", "[]"},
        {"name[0].convertsToString()", "[false]"},
        {"1.convertsToString()", "[true]"},
        {"birthDate.toString()", "[\"1980-02-03\"]"},
        {"{}.toString()", "[]"},
        {"name.given.toString()", "error: several items"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void strings(void **state)
{
    static const struct row rows[] = {
        {"'abcdefg'.indexOf('')", "[0]"},
        {"''.indexOf('')", "[0]"},
        {"''.indexOf('a')", "[-1]"},
        {"'abc'.indexOf({})", "[]"},
        {"{}.indexOf('a')", "[]"},
        {"1.indexOf('1')", "error: not a string"},
        {"'abc'.indexOf(1)", "error: not a string"},
        {"'abc'.indexOf('a' | 'b')", "error: several items"},
        {"'abcdefg'.substring(0)", "[\"abcdefg\"]"},
        {"'abcdefg'.substring(-1)", "[]"},
        {"'abcdefg'.substring(-1, 3)", "[]"},
        {"'abcdefg'.substring(2, 0)", "[\"\"]"},
        {"'abcdefg'.substring(2, -1)", "[\"\"]"},
        {"'abcdefg'.substring({})", "[]"},
        {"''.substring(0)", "[]"},
        {"'abc'.substring('1')", "error: not an integer"},
        {"'abcdefg'.startsWith('xyz')", "[false]"},
        {"'abc'.startsWith('')", "[true]"},
        {"''.startsWith('')", "[true]"},
        {"'abc'.startsWith({})", "[]"},
        {"{}.startsWith('a')", "[]"},
        {"'abcdefg'.endsWith('efg')", "[true]"},
        {"'abc'.endsWith('')", "[true]"},
        {"'abc'.contains('d')", "[false]"},
        {"'abc'.contains('')", "[true]"},
        {"''.contains('')", "[true]"},
        {"'abc'.contains({})", "[]"},
        {"{}.upper()", "[]"},
        {"1.upper()", "error: not a string"},
        {"''.lower()", "[\"\"]"},
        {"'abcdefg'.replace('cde', '')", "[\"abfg\"]"},
        {"'aaa'.replace('a', 'aa')", "[\"aaaaaa\"]"},
        {"'abc'.replace('x', 'y')", "[\"abc\"]"},
        {"''.replace('', 'x')", "[\"x\"]"},
        {"'abc'.replace({}, 'x')", "[]"},
        {"'abc'.replace('a', {})", "[]"},
        {"'abc'.matches('^a.c$')", "[true]"},
        {"'a\\nc'.matches('a.c')", "[true]"},
        {"'ABC'.matches('abc')", "[false]"},
        {"'abc'.matches('b')", "[true]"},
        {"'abc'.matches('')", "[true]"},
        {"'abc'.matches({})", "[]"},
        {"{}.matches('a')", "[]"},
        {"'abc'.replaceMatches('[ac]', '')", "[\"b\"]"},
        {"'abc'.replaceMatches({}, 'x')", "[]"},
        {"'abc'.replaceMatches('a', {})", "[]"},
        {"''.length()", "[0]"},
        {"'abc'.length()", "[3]"},
        {"{}.length()", "[]"},
        {"''.toChars()", "[]"},
        {"{}.toChars()", "[]"},
        {"1.toChars()", "error: not a string"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void math(void **state)
{
    static const struct row rows[] = {
        {"(-5).abs()", "[5]"},
        {"(-5.5).abs()", "[5.5]"},
        {"{}.abs()", "[]"},
        {"'a'.abs()", "error: not a number"},
        {"1.ceiling()", "[1]"},
        {"2.1.floor()", "[2]"},
        {"1.floor()", "[1]"},
        {"(-0.0).exp() = 1.0", "[true]"},
        {"100.0.log(10.0) = 2.0", "[true]"},
        {"16.log({})", "[]"},
        {"2.5.power(2)", "[6.25]"},
        {"(-1).power(0.5)", "[]"},
        {"2.power({})", "[]"},
        {"1.round()", "[1]"},
        {"0.5.round()", "[1]"},
        {"0.4.round()", "[0]"},
        {"3.14159.round(-1)", "error: "},
        {"101.truncate()", "[101]"},
        {"1.00000001.truncate()", "[1]"},
        {"(1 | 2).abs()", "error: several items"},
        {"1 + 2 * 3 + 4", "[11]"},
        {"(1 + 2) * (3 + 4)", "[21]"},
        {"2 * -3", "[-6]"},
        {"1 + 1.0 = 2.0", "[true]"},
        {"1 + {}", "[]"},
        {"{} * 2", "[]"},
        {"5 / 2", "[2.5]"},
        {"4 / 2 is Decimal", "[true]"},
        {"2.0 / 0", "[]"},
        {"5 mod 0", "[]"},
        {"5.5 div 0", "[]"},
        {"-5 div 2", "[-2]"},
        {"'a' + 'b'", "[\"ab\"]"},
        {"'a' - 'b'", "error: "},
        {"1 + true", "error: "},
        {"1 & 'a'", "error: "},
        {"'a' & {}", "[\"a\"]"},
        {"{} & {}", "[\"\"]"},
        {"-{}", "[]"},
        {"-'a'", "error: "},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void equality(void **state)
{
    static const struct row rows[] = {
        {"{} = {}", "[]"},
        {"{} != 'dummy'", "[]"},
        {"1 = {}", "[]"},
        {"1 = 1.0", "[true]"},
        {"1.10 = 1.1", "[true]"},
        {"'a' = 'A'", "[false]"},
        {"'1' = 1", "[false]"},
        {"true = 'true'", "[false]"},
        {"@2012 = @2013", "[false]"},
        {"@2012-01-01 = @2012-01-01T", "[true]"},
        {"@2012-01-01 = @2012-01-01T10", "[]"},
        {"@2012-01 = @2013-01-01", "[false]"},
        {"@2012-01-01T10:00Z = @2012-01-01T11:00+01:00", "[true]"},
        {"@2012-04-15T15:00:00Z = @2012-04-15T10:00:00", "[]"},
        {"@T10:30 = @T10:30:00", "[]"},
        {"@T10:30:00 = @T10:30:00.000", "[true]"},
        {"@T10:30 = @2012", "[false]"},
        {"@2012 = '2012'", "[false]"},
        {"1 'g' = 1000 'mg'", "[true]"},
        {"1 'g' = 1 'm'", "[]"},
        {"7 days = 1 week", "[true]"},
        {"1 = 1 '1'", "[true]"},
        {"(1 | 2) = (1 | 2)", "[true]"},
        {"(1 | 2) = 1", "[false]"},
        {"(1 | 2) != (1 | 2)", "[false]"},
        {"(1 | 2) != (2 | 1)", "[true]"},
        {"name[0] = name[0]", "[true]"},
        {"name[0] = name[1]", "[false]"},
        {"name[0] != name[1]", "[true]"},
        {"birthDate = @1980-02-03", "[true]"},
        {"active = true", "[true]"},
        {"{} ~ {}", "[true]"},
        {"1 ~ {}", "[false]"},
        {"'abc' ~ 'ABC'", "[true]"},
        {"'a\\tb' ~ 'a b'", "[true]"},
        {"0.67 ~ (2 / 3)", "[true]"},
        {"1.0 ~ 1", "[true]"},
        {"1 ~ 2", "[false]"},
        {"'1' ~ 1", "[false]"},
        {"@2012-01-01 ~ @2012-01", "[false]"},
        {"@2012-01-01T10:30 ~ @2012-01-01T10:30", "[true]"},
        {"name ~ name", "[true]"},
        {"name[0] ~ name[1]", "[false]"},
        {"1 !~ 2", "[true]"},
        {"{} !~ {}", "[false]"},
        {"(1 | 2 | 2) ~ (2 | 1)", "[true]"},
        {"1.combine(1) ~ (1 | 2)", "[false]"},
        {"4 'm' ~ 400 'cm'", "[true]"},
        {"1 month ~ 1 'mo'", "[true]"},
        {"1 month = 1 'mo'", "[]"},
        {"1 week = 1 'wk'", "[true]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void comparison(void **state)
{
    static const struct row rows[] = {
        {"10 > 5", "[true]"},
        {"10 > 5.0", "[true]"},
        {"'abc' > 'ABC'", "[true]"},
        {"10 > '5'", "error: no order"},
        {"true > false", "error: "},
        {"10 > {}", "[]"},
        {"{} < {}", "[]"},
        {"(1 | 2) > 1", "error: several items"},
        {"4 'm' > 4 'cm'", "[true]"},
        {"4 'm' > 4 'kg'", "[]"},
        {"@2018-03-01 > @2018-01-01", "[true]"},
        {"@2018-03 > @2018-03-01", "[]"},
        {"@2018-03 > @2018-02-01", "[true]"},
        {"@2018-03-01T10:30:00 > @2018-03-01T10:00:00", "[true]"},
        {"@2018-03-01T10 > @2018-03-01T10:30", "[]"},
        {"@2018-03-01T10:30:00 > @2018-03-01T10:30:00.0", "[false]"},
        {"@2018-03-01T10:30:00 >= @2018-03-01T10:30:00.0", "[true]"},
        {"@T10:30:00 > @T10:00:00", "[true]"},
        {"@T10 > @T10:30", "[]"},
        {"@T10 > @2018", "error: "},
        {"5 < 10", "[true]"},
        {"5 <= 5.0", "[true]"},
        {"5 >= 6", "[false]"},
        {"@2018 <= @2018", "[true]"},
        {"birthDate < @1981", "[true]"},
        {"birthDate < @1980", "[]"},
        {"birthDate <= today()", "[true]"},
        {"telecom.rank.first() >= 2", "[true]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void types(void **state)
{
    static const struct row rows[] = {
        {"1 is Integer", "[true]"},
        {"1 is System.Integer", "[true]"},
        {"1 is Decimal", "[false]"},
        {"1.0 is Decimal", "[true]"},
        {"'a' is String", "[true]"},
        {"(4 days) is Quantity", "[true]"},
        {"4 'mg' is System.Quantity", "[true]"},
        {"{} is Integer", "[]"},
        {"(1 | 2) is Integer", "error: several items"},
        {"1.is(Integer)", "[true]"},
        {"1 as Integer", "[1]"},
        {"1 as String", "[]"},
        {"1.as(Integer)", "[1]"},
        {"{} as Integer", "[]"},
        {"1 is Nothing", "error: not a type"},
        {"Patient.is(FHIR.Patient)", "[true]"},
        {"Patient is Resource", "[true]"},
        {"Patient is Observation", "[false]"},
        {"(Patient as Patient).id", "[\"p\"]"},
        {"birthDate is date", "[true]"},
        {"birthDate is Date", "[false]"},
        {"active is FHIR.boolean", "[true]"},
        {"multipleBirth is integer", "[true]"},
        {"multipleBirth is boolean", "[false]"},
        {"(multipleBirth as integer) + 1", "[4]"},
        {"('John' | 'Mary').type().name", "[\"String\",\"String\"]"},
        {"'John'.type().namespace", "[\"System\"]"},
        {"name.first().type()", "[{\"namespace\":\"FHIR\",\"name\":\"HumanName\"}]"},
        {"birthDate.type().name", "[\"date\"]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void collections_and_logic(void **state)
{
    static const struct row rows[] = {
        {"2 in (1 | 2)", "[true]"},
        {"3 in (1 | 2)", "[false]"},
        {"(1 | 2) in (1 | 2 | 3)", "error: several items"},
        {"(1 | 2) contains 2", "[true]"},
        {"(1 | 2) contains {}", "[]"},
        {"{} contains 1", "[false]"},
        {"(1 | 2) contains (1 | 2)", "error: several items"},
        {"'Ada' in name.given", "[true]"},
        {"true and true", "[true]"},
        {"true and false", "[false]"},
        {"true and {}", "[]"},
        {"false and {}", "[false]"},
        {"{} and true", "[]"},
        {"{} and false", "[false]"},
        {"{} and {}", "[]"},
        {"true or {}", "[true]"},
        {"false or {}", "[]"},
        {"false or false", "[false]"},
        {"{} or true", "[true]"},
        {"{} or false", "[]"},
        {"{} or {}", "[]"},
        {"true xor false", "[true]"},
        {"true xor true", "[false]"},
        {"false xor false", "[false]"},
        {"true xor {}", "[]"},
        {"{} xor {}", "[]"},
        {"true implies true", "[true]"},
        {"true implies false", "[false]"},
        {"true implies {}", "[]"},
        {"false implies false", "[true]"},
        {"false implies {}", "[true]"},
        {"{} implies false", "[]"},
        {"{} implies {}", "[]"},
        {"1 and 'a'", "[true]"},
        {"name.first() and active", "[true]"},
        {"name and active", "error: several items"},
        {"true or false and false", "[true]"},
        {"(true or false) and false", "[false]"},
        {"1 + 1 in (2 | 3)", "[true]"},
        {"1 | 2 = 2", "[false]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void date_arithmetic(void **state)
{
    static const struct row rows[] = {
        {"@1973-12-25 + 7 days", "[\"1974-01-01\"]"},
        {"@1973-12-25 + 7.7 days", "[\"1974-01-01\"]"},
        {"@1973-12-25 + 1 week", "[\"1974-01-01\"]"},
        {"@1973-12-25 + 1 month", "[\"1974-01-25\"]"},
        {"@1973-12-25 + 1 year", "[\"1974-12-25\"]"},
        {"@1973-12-25 - 1 month", "[\"1973-11-25\"]"},
        {"@2016-02-29 - 1 year", "[\"2015-02-28\"]"},
        {"@2016-03-31 - 1 month", "[\"2016-02-29\"]"},
        {"@1974-12-25 + 7", "error: "},
        {"@1974-12-25 + 7 'mg'", "error: "},
        {"@1974-12-25 + {}", "[]"},
        {"{} + 1 day", "[]"},
        {"@1974-12-25 * 2", "error: "},
        {"@1973-12-25T00:00:00.000+10:00 + 1 day", "[\"1973-12-26T00:00:00.000+10:00\"]"},
        {"@1973-12-25T00:00:00.000+10:00 + 1 second", "[\"1973-12-25T00:00:01.000+10:00\"]"},
        {"@1973-12-25T00:00:00.000+10:00 + 10 'ms'", "[\"1973-12-25T00:00:00.010+10:00\"]"},
        {"@1973-12-25T00:00:00.000+10:00 + 1 'min'", "[\"1973-12-25T00:01:00.000+10:00\"]"},
        {"@2014-01-01T00:00 + 3600 seconds", "[\"2014-01-01T01:00\"]"},
        {"@2014-01-01T00:00 + 90 seconds", "[\"2014-01-01T00:01\"]"},
        {"@2014-01T + 31 days", "[\"2014-02\"]"},
        {"@2014 - 24 months", "[\"2012\"]"},
        {"@T01:00:00 + 2 hours", "[\"03:00:00\"]"},
        {"@T23:00:00 + 2 hours", "[\"01:00:00\"]"},
        {"@T01:00 - 2 hours", "[\"23:00\"]"},
        {"birthDate + 1 day", "[\"1980-02-04\"]"},
        {"(birthDate + 1 day) is System.Date", "[true]"},
        {"now() - 1 day < now()", "[true]"},
        {"now() = now()", "[true]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void aggregates(void **state)
{
    static const struct row rows[] = {
        {"(1 | 2 | 3).aggregate($this + $total, 0)", "[6]"},
        {"(3 | 1 | 2).aggregate(iif($total.empty(), $this, iif($this < $total, $this, $total)))",
         "[1]"},
        {"(1 | 2 | 3).aggregate($total + $this, 0) / 3 = 2", "[true]"},
        {"{}.aggregate($this + $total, 0)", "[0]"},
        {"{}.aggregate($this + $total)", "[]"},
        {"(1 | 2).aggregate($total + $this)", "[]"},
        {"(5 | 6).aggregate($index)", "[1]"},
        {"1.trace('x')", "[1]"},
        {"name.given.trace('x', length()).count()", "[3]"},
        {"$this.id", "[\"p\"]"},
        {"name.select($this.use)", "[\"official\",\"usual\"]"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

/* What hides beside a primitive is found wherever it stands. */
static void fhir(void **state)
{
    static const struct row rows[] = {
        {"active.id", "[\"behind\"]"},
        {"active.extension.value", "[7]"},
        {"active.extension('urn:e').value", "[7]"},
        {"active.extension('urn:f')", "[]"},
        {"active.select(id)", "[\"behind\"]"},
        {"active.children().count()", "[2]"},
        {"children().where($this is boolean).id", "[\"behind\"]"},
        {"active.where(true).first().id", "[\"behind\"]"},
        {"birthDate.id", "[\"before\"]"},
        {"birthDate.hasValue()", "[true]"},
        {"name.given.id", "[\"second\"]"},
        {"name.given[1].id", "[\"second\"]"},
        {"name.given.hasValue()", "[false]"},
        {"active.getValue()", "[true]"},
        {"name.first().getValue()", "[]"},
        {"descendants().where($this is id).count()", "[1]"},
        {"multipleBirth", "[3]"},
        {"multipleBirth.id", "[]"},
        {"multipleBirthInteger", "error: "},
        {"name.first().given.elementDefinition().path",
         "[\"HumanName.given\",\"HumanName.given\"]"},
        {"slice('x', 'y')", "error: not known here"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals),
        cmocka_unit_test(existence),
        cmocka_unit_test(filtering_and_projection),
        cmocka_unit_test(subsetting_and_combining),
        cmocka_unit_test(conversions),
        cmocka_unit_test(strings),
        cmocka_unit_test(math),
        cmocka_unit_test(equality),
        cmocka_unit_test(comparison),
        cmocka_unit_test(types),
        cmocka_unit_test(collections_and_logic),
        cmocka_unit_test(date_arithmetic),
        cmocka_unit_test(aggregates),
        cmocka_unit_test(fhir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
