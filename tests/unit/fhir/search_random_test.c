/* Made-up resources and queries that meet at their edges: keys and resources must agree. */
#include "search_engine.h"

#include "base/clock.h"
#include "base/rng.h"
#include "base/sb.h"

#define ROWS 300
#define QUERIES 1500

static struct engine engine;
static struct rng rng;

static const char *pick(const char *const *all, size_t n)
{
    return all[rng_below(&rng, n)];
}

#define PICK(...)                                                                                  \
    pick((const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static const char *prefix(void)
{
    return PICK("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap");
}

/* A date of few days, so that many begin and end together, of any precision. */
static void put_date(struct sb *out, bool zone)
{
    static const size_t lengths[] = {4, 7, 10, 10, 16, 19, 23};
    size_t n = lengths[rng_below(&rng, ARRAY_LEN(lengths))];
    char text[CLOCK_INSTANT_MAX];
    int64_t ms = 1577836800000 + ((int64_t)rng_below(&rng, 9) - 4) * 86400000 / 2 +
                 ((int64_t)rng_below(&rng, 3) - 1) + ((int64_t)rng_below(&rng, 3) - 1) * 1000;

    clock_format(ms, text);
    if (n == 16 && !zone)
        n = 19;
    sb_put(out, text, n);
    if (n > 10)
        sb_fmt(out, "%s", PICK("Z", "Z", "+01:00", "-05:30"));
}

static void add(const struct sb *json)
{
    struct str text = arena_dup(&engine.a, sb_view(json));

    assert_int_equal(sb_ok(json, NULL), 0);
    assert_non_null(text.p);
    engine_add(&engine, text);
}

static void run(const char *type, const struct sb *query)
{
    bool hits[ROWS + 1];
    struct err err = {0};

    assert_int_equal(sb_ok(query, NULL), 0);
    arena_reset(&engine.scratch);
    if (engine_search(&engine, def_resource(str_c(type)), sb_view(query), hits, &err) < 0)
        fail_msg("%.*s: %s", STR_ARG(sb_view(query)), err.text);
}

static void put_plus(struct sb *query, const struct sb *value)
{
    for (size_t i = 0; i < value->n; i++) {
        if (value->p[i] == '+')
            sb_lit(query, "%2B");
        else
            sb_char(query, value->p[i]);
    }
}

static void periods_and_dates(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        _cleanup_(sb_done) struct sb json = sb_make(KIB(4));
        uint64_t shape = rng_below(&rng, 4);
        sb_fmt(&json, "{\"resourceType\":\"Observation\",\"id\":\"o%d\",\"", i);
        if (shape == 0) {
            sb_lit(&json, "effectiveDateTime\":\"");
            put_date(&json, false);
            sb_lit(&json, "\"}");
        } else {
            sb_lit(&json, "effectivePeriod\":{\"id\":\"p\"");
            if (shape != 1) {
                sb_lit(&json, ",\"start\":\"");
                put_date(&json, false);
                sb_char(&json, '"');
            }
            if (shape != 2) {
                sb_lit(&json, ",\"end\":\"");
                put_date(&json, false);
                sb_char(&json, '"');
            }
            sb_lit(&json, "}}");
        }
        add(&json);
    }
    for (int i = 0; i < QUERIES; i++) {
        _cleanup_(sb_done) struct sb query = sb_make(KIB(4)), date = sb_make(KIB(4));
        put_date(&date, true);
        sb_fmt(&query, "date=%s", prefix());
        put_plus(&query, &date);
        run("Observation", &query);
    }
}

static void put_number(struct sb *out)
{
    sb_fmt(out, "%s%s%s", PICK("", "-"), PICK("0", "1", "5", "10", "50", "100", "1000"),
           PICK("", "", ".0", ".5", ".49", ".50", ".001", "e1", "e-2", "e3"));
}

static void put_unit(struct sb *out, const char *unit, const char *before, const char *between)
{
    if (strcmp(unit, "none") != 0)
        sb_fmt(out, "%shttp://unitsofmeasure.org%s%s", before, between, unit);
}

static void quantities(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        _cleanup_(sb_done) struct sb json = sb_make(KIB(4));
        const char *comparator = PICK("", "", "", "<", ">=");
        sb_fmt(&json, "{\"resourceType\":\"Observation\",\"id\":\"o%d\",\"valueQuantity\":{", i);
        if (*comparator)
            sb_fmt(&json, "\"comparator\":\"%s\",", comparator);
        put_unit(&json, PICK("mg", "g", "ug", "mL", "L", "none"), "\"system\":\"",
                 "\",\"code\":\"");
        sb_fmt(&json,
               "%s\"value\":", json.p[json.n - 1] == '{' || json.p[json.n - 1] == ',' ? "" : "\",");
        put_number(&json);
        sb_lit(&json, "}}");
        add(&json);
    }
    for (int i = 0; i < QUERIES; i++) {
        _cleanup_(sb_done) struct sb query = sb_make(KIB(4));
        sb_fmt(&query, "value-quantity=%s", prefix());
        put_number(&query);
        if (i % 5 == 0)
            sb_fmt(&query, "%%7C%%7C%s", PICK("mg", "L", "x"));
        else
            put_unit(&query, PICK("mg", "g", "kg", "ug", "mL", "none"), "%7C", "%7C");
        run("Observation", &query);
    }
}

static void texts_and_tokens(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        _cleanup_(sb_done) struct sb json = sb_make(KIB(4));
        sb_fmt(&json,
               "{\"resourceType\":\"Patient\",\"id\":\"p%d\",\"name\":[{\"family\":\"%s%s\"}],", i,
               PICK("a", "ab", "Ab", "\u00e4b", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"),
               PICK("", "c", " c", "-C", "r", "rs"));
        sb_fmt(&json, "\"identifier\":[{\"system\":\"%s\",\"value\":\"%s\"},{\"value\":\"%s\"}]}",
               PICK("urn:a", "urn:b", "http://loinc.org"), PICK("1", "2", "x"),
               PICK("1", "X", "y"));
        add(&json);
    }
    for (int i = 0; i < QUERIES; i++) {
        _cleanup_(sb_done) struct sb query = sb_make(KIB(4));
        if (i % 2)
            sb_fmt(&query, "family%s=%s%s", PICK("", ":exact", ":contains"),
                   PICK("a", "ab", "%C3%84b", "b", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"),
                   PICK("", "c", " c", "-c", "r", "RS", "q"));
        else
            sb_fmt(&query, "identifier%s=%s%s", PICK("", ":not"),
                   PICK("", "urn:a|", "|", "urn:c|", "http://loinc.org|"),
                   PICK("1", "2", "X", "z"));
        run("Patient", &query);
    }
}

static void put_coding(struct sb *out)
{
    const char *system = PICK("", "urn:a", "http://loinc.org");

    sb_fmt(out, "{\"coding\":[{%s%s%s\"code\":\"%s\"}%s]}", *system ? "\"system\":\"" : "", system,
           *system ? "\"," : "", PICK("1", "2", "X"),
           PICK("", "", ",{\"system\":\"urn:b\",\"code\":\"1\"}", ",{\"display\":\"no code\"}"));
}

static void put_value(struct sb *out)
{
    switch (rng_below(&rng, 5)) {
    case 0:
        sb_lit(out, ",\"valueQuantity\":{");
        put_unit(out, PICK("mg", "g", "none"), "\"system\":\"", "\",\"code\":\"");
        sb_fmt(out, "%s%s\"value\":", out->p[out->n - 1] == '{' ? "" : "\",",
               PICK("", "", "\"comparator\":\"<\","));
        put_number(out);
        sb_char(out, '}');
        break;
    case 1:
        sb_lit(out, ",\"valueCodeableConcept\":");
        put_coding(out);
        break;
    case 2: sb_fmt(out, ",\"valueString\":\"%s\"", PICK("a", "Ab", "\u00e4bc", "b")); break;
    case 3:
        sb_lit(out, ",\"valueDateTime\":\"");
        put_date(out, false);
        sb_char(out, '"');
        break;
    default:
        sb_lit(out, ",\"valuePeriod\":{\"start\":\"");
        put_date(out, false);
        sb_lit(out, "\"}");
    }
}

static void put_part(struct sb *query, const char *name)
{
    _cleanup_(sb_done) struct sb date = sb_make(KIB(4));

    if (!strcmp(name, "concept")) {
        sb_fmt(query, "%s%s", PICK("", "", "urn:a|", "|", "urn:b|"), PICK("1", "2", "x"));
    } else if (!strcmp(name, "string")) {
        sb_fmt(query, "%s", PICK("a", "AB", "%C3%A4", "c"));
    } else if (!strcmp(name, "date")) {
        put_date(&date, true);
        sb_fmt(query, "%s", prefix());
        put_plus(query, &date);
    } else {
        sb_fmt(query, "%s", prefix());
        put_number(query);
        put_unit(query, PICK("mg", "g", "none"), "%7C", "%7C");
    }
}

/* With keys of their own, and (every fourth) by what their components' lists say. */
static void composites(void **state)
{
    (void)state;
    engine.opt.index.pairs = true;
    for (int i = 0; i < ROWS; i++) {
        _cleanup_(sb_done) struct sb json = sb_make(KIB(4));
        sb_fmt(&json, "{\"resourceType\":\"Observation\",\"id\":\"o%d\",\"code\":", i);
        put_coding(&json);
        put_value(&json);
        sb_lit(&json, ",\"component\":[{\"code\":");
        put_coding(&json);
        put_value(&json);
        sb_lit(&json, "},{\"code\":");
        put_coding(&json);
        put_value(&json);
        sb_lit(&json, "}]}");
        add(&json);
    }
    for (int i = 0; i < QUERIES; i++) {
        _cleanup_(sb_done) struct sb query = sb_make(KIB(4));
        const char *last = PICK("quantity", "quantity", "concept", "string", "date");
        bool both = last[0] == 'q' || last[0] == 'c';
        size_t asked = engine.rows_asked;
        engine.opt.index.pairs = i % 4 != 0;
        sb_fmt(&query, "%scode-value-%s=", both ? PICK("", "combo-", "component-") : "", last);
        put_part(&query, "concept");
        sb_char(&query, '$');
        put_part(&query, last);
        run("Observation", &query);
        if (!engine.opt.index.pairs)
            engine.rows_asked = asked; /* the components' lists ask a lot */
    }
}

static int setup(void **state)
{
    (void)state;
    engine_init(&engine);
    engine.opt.now_ms = 1577836800000 + 20 * (int64_t)86400000;
    rng_seed(&rng, 11);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_true(engine.rows_exact > 10 * engine.rows_asked);
    engine_done(&engine);
    return 0;
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(periods_and_dates),
        EACH(quantities),
        EACH(texts_and_tokens),
        EACH(composites),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
