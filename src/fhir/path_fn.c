/* The table of functions. */
#include "fhir/path_int.h"

#define ANY GIVES_ANY
#define SAME GIVES_INPUT
#define BOOL GIVES_BOOLEAN
#define TEXT GIVES_STRING
#define WHOLE GIVES_INTEGER
#define OTHER GIVES_OTHER
#define ORDER 1 /* what it gives depends on the order of the input */
#define EACH 2  /* its arguments are evaluated for each item of the input */
#define ONE 4   /* without an argument it looks at the first item alone */
#define ALONE 8 /* it does not look at the input */

/* name, least and most arguments, what they are, what it gives, how, and who does it */
#define FUNCTION(name, min, max, args, gives, how, run, test)                                      \
    {                                                                                              \
        {name, sizeof(name) - 1}, min, max, args, gives, (how) & ORDER, ((how) & EACH) != 0,       \
            ((how) & ALONE) != 0, ((how) & ONE) != 0, run, test                                    \
    }
#define F(name, min, max, gives, how, run)                                                         \
    FUNCTION(name, min, max, ARGS_VALUES, gives, how, path_fn_##run, NULL)
#define TEST(name, min, max, how, test)                                                            \
    FUNCTION(name, min, max, ARGS_VALUES, BOOL, how, NULL, path_test_##test)
#define CONVERSION(name, gives, to)                                                                \
    F("to" name, 0, 0, gives, 0, to_##to), TEST("convertsTo" name, 0, 0, 0, converts_to_##to)
#define TYPED(name)                                                                                \
    {                                                                                              \
        {name, sizeof(name) - 1}, 1, 1, ARGS_TYPE, ANY, .run = NULL                                \
    }

static const struct path_function functions[] = {
    TYPED("as"),
    TYPED("is"),
    TYPED("ofType"),
    /* existence */
    TEST("all", 1, 1, EACH, all),
    TEST("allFalse", 0, 0, 0, all_false),
    TEST("allTrue", 0, 0, 0, all_true),
    TEST("anyFalse", 0, 0, 0, any_false),
    TEST("anyTrue", 0, 0, 0, any_true),
    F("count", 0, 0, WHOLE, 0, count),
    F("distinct", 0, 0, SAME, 0, distinct),
    TEST("empty", 0, 0, ONE, empty),
    TEST("exists", 0, 1, EACH | ONE, exists),
    TEST("isDistinct", 0, 0, 0, is_distinct),
    TEST("not", 0, 0, 0, not ),
    TEST("subsetOf", 1, 1, 0, subset_of),
    TEST("supersetOf", 1, 1, 0, superset_of),
    /* filtering, subsetting, combining */
    F("coalesce", 1, 16, ANY, 0, coalesce),
    F("combine", 1, 1, ANY, 0, combine),
    F("exclude", 1, 1, SAME, 0, exclude),
    F("first", 0, 0, SAME, ORDER | ONE, first),
    F("intersect", 1, 1, SAME, 0, intersect),
    F("last", 0, 0, SAME, ORDER, last),
    F("repeat", 1, 1, ANY, EACH, repeat),
    F("repeatAll", 1, 1, ANY, EACH, repeat_all),
    F("select", 1, 1, ANY, EACH, select),
    F("single", 0, 0, SAME, 0, single),
    F("skip", 1, 1, SAME, ORDER, skip),
    F("sort", 0, 8, SAME, EACH, sort),
    F("tail", 0, 0, SAME, ORDER, tail),
    F("take", 1, 1, SAME, ORDER, take),
    F("union", 1, 1, ANY, 0, union),
    F("where", 1, 1, SAME, EACH, where),
    F("children", 0, 0, GIVES_UNORDERED, 0, children),
    F("descendants", 0, 0, GIVES_UNORDERED, 0, descendants),
    /* conversion */
    CONVERSION("Boolean", BOOL, boolean),
    CONVERSION("Date", OTHER, date),
    CONVERSION("DateTime", OTHER, date_time),
    CONVERSION("Decimal", OTHER, decimal),
    CONVERSION("Integer", WHOLE, integer),
    CONVERSION("String", TEXT, string),
    CONVERSION("Time", OTHER, time),
    F("toQuantity", 0, 1, OTHER, 0, to_quantity),
    TEST("convertsToQuantity", 0, 1, 0, converts_to_quantity),
    F("iif", 2, 3, ANY, EACH, iif),
    /* strings */
    TEST("contains", 1, 1, 0, contains),
    F("decode", 1, 1, TEXT, 0, decode),
    F("encode", 1, 1, TEXT, 0, encode),
    TEST("endsWith", 1, 1, 0, ends_with),
    F("escape", 1, 1, TEXT, 0, escape),
    F("indexOf", 1, 1, WHOLE, 0, index_of),
    F("join", 0, 1, TEXT, 0, join),
    F("lastIndexOf", 1, 1, WHOLE, 0, last_index_of),
    F("length", 0, 0, WHOLE, 0, length),
    F("lower", 0, 0, TEXT, 0, lower),
    FUNCTION("matches", 1, 2, ARGS_REGEX, BOOL, 0, NULL, path_test_matches),
    FUNCTION("matchesFull", 1, 2, ARGS_REGEX, BOOL, 0, NULL, path_test_matches_full),
    F("replace", 2, 2, TEXT, 0, replace),
    FUNCTION("replaceMatches", 2, 3, ARGS_REGEX, TEXT, 0, path_fn_replace_matches, NULL),
    F("split", 1, 1, TEXT, 0, split),
    TEST("startsWith", 1, 1, 0, starts_with),
    F("substring", 1, 2, TEXT, 0, substring),
    F("toChars", 0, 0, TEXT, 0, to_chars),
    F("trim", 0, 0, TEXT, 0, trim),
    F("unescape", 1, 1, TEXT, 0, unescape),
    F("upper", 0, 0, TEXT, 0, upper),
    /* math */
    F("abs", 0, 0, OTHER, 0, abs),
    F("avg", 0, 0, OTHER, 0, avg),
    F("ceiling", 0, 0, OTHER, 0, ceiling),
    F("exp", 0, 0, OTHER, 0, exp),
    F("floor", 0, 0, OTHER, 0, floor),
    F("ln", 0, 0, OTHER, 0, ln),
    F("log", 1, 1, OTHER, 0, log),
    F("max", 0, 0, OTHER, 0, max),
    F("min", 0, 0, OTHER, 0, min),
    F("power", 1, 1, OTHER, 0, power),
    F("round", 0, 1, OTHER, 0, round),
    F("sqrt", 0, 0, OTHER, 0, sqrt),
    F("sum", 0, 0, OTHER, 0, sum),
    F("truncate", 0, 0, OTHER, 0, truncate),
    /* precision and parts */
    TEST("comparable", 1, 1, 0, comparable),
    F("dateOf", 0, 0, OTHER, 0, date_of),
    F("dayOf", 0, 0, WHOLE, 0, day_of),
    F("highBoundary", 0, 1, OTHER, 0, high_boundary),
    F("hourOf", 0, 0, WHOLE, 0, hour_of),
    F("lowBoundary", 0, 1, OTHER, 0, low_boundary),
    F("millisecondOf", 0, 0, WHOLE, 0, millisecond_of),
    F("minuteOf", 0, 0, WHOLE, 0, minute_of),
    F("monthOf", 0, 0, WHOLE, 0, month_of),
    F("precision", 0, 0, WHOLE, 0, precision),
    F("secondOf", 0, 0, WHOLE, 0, second_of),
    F("timeOf", 0, 0, OTHER, 0, time_of),
    F("timezoneOffsetOf", 0, 0, OTHER, 0, timezone_offset_of),
    F("yearOf", 0, 0, WHOLE, 0, year_of),
    /* utility */
    F("aggregate", 1, 2, ANY, EACH, aggregate),
    F("defineVariable", 1, 2, SAME, 0, define_variable),
    F("now", 0, 0, OTHER, ALONE, now),
    F("timeOfDay", 0, 0, OTHER, ALONE, time_of_day),
    F("today", 0, 0, OTHER, ALONE, today),
    F("trace", 1, 2, SAME, EACH, trace),
    F("type", 0, 0, OTHER, 0, type),
    /* FHIR */
    F("checkModifiers", 0, 16, SAME, 0, check_modifiers),
    TEST("conformsTo", 1, 1, 0, conforms_to),
    F("elementDefinition", 0, 0, ANY, 0, element_definition),
    F("extension", 1, 1, ANY, 0, extension),
    F("getValue", 0, 0, OTHER, 0, get_value),
    TEST("hasValue", 0, 0, 0, has_value),
    TEST("htmlChecks", 0, 0, 0, html_checks),
    TEST("memberOf", 1, 1, 0, member_of),
    F("resolve", 0, 0, ANY, 0, resolve),
    F("slice", 2, 2, ANY, 0, slice),
    TEST("subsumedBy", 1, 1, 0, subsumed_by),
    TEST("subsumes", 1, 1, 0, subsumes),
};

const struct path_function *path_function_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (str_eq(functions[i].name, name))
            return &functions[i];
    return NULL;
}
