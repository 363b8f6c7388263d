/* Programmes over a real store: followed, changed, with every step failing once. */
#include "../test.h"

#include "../trust/store.h"

#include "base/fault.h"
#include "coverage/counter.h"
#include "trust/trust.h"

#include <inttypes.h>

static const char set_text[] =
    "{\"version\":\"t\",\"services\":{\"dtp\":{\"of\":\"Immunization\",\"codes\":[\"http://c|1\"]},"
    "\"care\":{\"of\":\"EpisodeOfCare\",\"codes\":[\"http://c|2\"]},\"load\":{\"of\":"
    "\"Observation\",\"codes\":[\"http://c|3\"],\"lowBelow\":1000}},\"indicators\":["
    "{\"id\":\"third\",\"programme\":\"p\",\"title\":\"t\",\"source\":\"s\",\"people\":{\"months\":"
    "[12,24]},\"have\":{\"service\":\"dtp\",\"times\":3}},"
    "{\"id\":\"low\",\"programme\":\"p\",\"title\":\"t\",\"source\":\"s\",\"people\":{\"service\":"
    "\"care\",\"now\":true},\"have\":{\"service\":\"load\",\"times\":1,\"last\":365,\"low\":true}}]"
    "}";

enum { THIRD, LOW };

struct world {
    struct own_store s;
    struct access node;
    struct counter *counter;
    struct err err;
};

static void write(struct world *x, bool is_deletion, const char *format, ...)
{
    char text[1000];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    own_store_write(&x->s, &x->node, str_c(text), is_deletion);
}

static void begin(struct world *x)
{
    memset(x, 0, sizeof *x);
    own_store_open(&x->s);
    x->node = trust_system();
    assert_int_equal(counter_new(x->s.store, &x->node, str_c(set_text), &x->counter, &x->err), 0);
    write(x, false, "{\"resourceType\":\"Location\",\"id\":\"d\",\"name\":\"North\"}");
    write(x, false,
          "{\"resourceType\":\"Location\",\"id\":\"f\",\"name\":\"Clinic\",\"partOf\":{"
          "\"reference\":\"Location/d\"},\"managingOrganization\":{\"reference\":"
          "\"Organization/o\"}}");
    write(x, false,
          "{\"resourceType\":\"Organization\",\"id\":\"ward\",\"partOf\":{\"reference\":"
          "\"Organization/o\"}}");
    /* The newest day: what everything is as of. */
    write(x, false,
          "{\"resourceType\":\"Encounter\",\"id\":\"v\",\"status\":\"finished\",\"class\":{"
          "\"code\":\"AMB\"},\"period\":{\"start\":\"2024-06-15T10:00:00Z\"},\"serviceProvider\":{"
          "\"reference\":\"Organization/ward\"}}");
}

static void end(struct world *x)
{
    counter_free(x->counter);
    own_store_close(&x->s);
}

static void child(struct world *x, const char *id, const char *born, const char *more)
{
    write(x, false,
          "{\"resourceType\":\"Patient\",\"id\":\"%s\",\"gender\":\"female\",\"birthDate\":\"%s\","
          "\"managingOrganization\":{\"reference\":\"Organization/ward\"}%s}",
          id, born, more);
}

struct expunging {
    struct store_job job;
    struct str id;
};

static int expunge_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    size_t n;

    return store_expunge(txn, def_resource(STR("Patient")), ((struct expunging *)job)->id, &n, err);
}

static void expunge(struct world *x, const char *id)
{
    struct expunging e = {.job = {.run = expunge_run, .who = &x->node}, .id = str_c(id)};

    assert_int_equal(store_write(x->s.store, &e.job, &x->err), 0);
}

/* `number`: 0, without one. */
static void dose(struct world *x, const char *id, const char *of, const char *day, int number)
{
    char protocol[80] = "";

    if (number)
        snprintf(protocol, sizeof protocol, ",\"protocolApplied\":[{\"doseNumberPositiveInt\":%d}]",
                 number);
    write(x, false,
          "{\"resourceType\":\"Immunization\",\"id\":\"%s\",\"status\":\"completed\","
          "\"vaccineCode\":{\"coding\":[{\"system\":\"http://c\",\"code\":\"1\"}]},\"patient\":{"
          "\"reference\":\"Patient/%s\"},\"occurrenceDateTime\":\"%s\",\"recorded\":\"%s\"%s}",
          id, of, day, day, protocol);
}

/* Of everybody. */
static struct count_cell sum(const struct count *c, size_t indicator, int month)
{
    struct count_cell sum = {0, 0};

    for (size_t site = 0; site < c->n_sites; site++) {
        const struct count_cell *cells = &c->months[(indicator * c->n_sites + site) * COUNT_MONTHS];

        sum.of += cells[month].of;
        sum.with += cells[month].with;
    }
    return sum;
}

static void expect(struct world *x, size_t indicator, uint32_t of, uint32_t with)
{
    _cleanup_(count_unrefp) struct count *c = NULL;
    struct count_cell cell;

    do {
        count_unref(c);
        c = NULL;
        assert_int_equal(counter_look(x->counter, &x->err), 0);
        assert_int_equal(counter_count(x->counter, &c, &x->err), 0);
    } while (!counter_is_even(x->counter)); /* it rests between counts */
    cell = sum(c, indicator, COUNT_MONTHS - 1);
    if (cell.of != of || cell.with != with)
        fail_msg("%" PRIu32 " of %" PRIu32 ", not %" PRIu32 " of %" PRIu32, cell.with, cell.of,
                 with, of);
}

static void children_are_counted(void **state)
{
    struct world x;

    (void)state;
    begin(&x);
    expect(&x, THIRD, 0, 0);
    child(&x, "a", "2023-06-15", ""); /* a year old today */
    child(&x, "b", "2022-06-16", ""); /* two tomorrow */
    child(&x, "c", "2022-06-15", ""); /* two today */
    child(&x, "d", "2023-06-16", ""); /* a year tomorrow */
    child(&x, "e", "2023-01-01", ",\"deceasedDateTime\":\"2024-06-15\"");
    child(&x, "f", "2023-01-01", ",\"active\":false");
    child(&x, "g", "2023", ",\"deceasedDateTime\":\"2024-06-16\""); /* of a year its first day */
    expect(&x, THIRD, 3, 0);
    /* Three days without a number are three doses; a number says which one it is. */
    dose(&x, "1", "a", "2023-08-01", 0);
    dose(&x, "2", "a", "2023-09-01", 0);
    dose(&x, "3", "a", "2023-09-01", 0);
    expect(&x, THIRD, 3, 0);
    dose(&x, "4", "a", "2023-10-01", 0);
    dose(&x, "5", "b", "2023-10-01", 3);
    expect(&x, THIRD, 3, 2);
    dose(&x, "5", "b", "2023-10-01", 2);
    expect(&x, THIRD, 3, 1);
    dose(&x, "4", "g", "2023-10-01", 3); /* it was somebody else's */
    expect(&x, THIRD, 3, 1);
    /* Who is one person has what was given to both. */
    child(&x, "h", "2023-06-15",
          ",\"link\":[{\"type\":\"replaced-by\",\"other\":{\"reference\":"
          "\"Patient/a\"}}]");
    dose(&x, "6", "h", "2023-10-01", 0);
    expect(&x, THIRD, 3, 2);
    child(&x, "h", "2023-06-15", "");
    expect(&x, THIRD, 4, 1);
    write(&x, true, "{\"resourceType\":\"Patient\",\"id\":\"h\"}");
    expect(&x, THIRD, 3, 1);
    write(&x, true, "{\"resourceType\":\"Immunization\",\"id\":\"4\"}");
    expect(&x, THIRD, 3, 0);
    expunge(&x, "g");
    expect(&x, THIRD, 2, 0);
    child(&x, "g", "2023", "");
    /* In a circle everyone is who they are. */
    child(&x, "a", "2023-06-15",
          ",\"link\":[{\"type\":\"replaced-by\",\"other\":{\"reference\":"
          "\"Patient/b\"}}]");
    child(&x, "b", "2022-06-16",
          ",\"link\":[{\"type\":\"replaced-by\",\"other\":{\"reference\":"
          "\"Patient/a\"}}]");
    expect(&x, THIRD, 3, 0);
    end(&x);
}

static void load(struct world *x, const char *id, const char *day, const char *value)
{
    write(x, false,
          "{\"resourceType\":\"Observation\",\"id\":\"%s\",\"status\":\"final\",\"code\":{"
          "\"coding\":[{\"system\":\"http://c\",\"code\":\"3\"}]},\"subject\":{\"reference\":"
          "\"Patient/p\"},\"effectiveDateTime\":\"%s\",\"valueQuantity\":{%s}}",
          id, day, value);
}

static void care(struct world *x, const char *status, const char *end)
{
    write(
        x, false,
        "{\"resourceType\":\"EpisodeOfCare\",\"id\":\"c\",\"status\":\"%s\",\"type\":[{\"coding\":"
        "[{\"system\":\"http://c\",\"code\":\"2\"}]}],\"patient\":{\"reference\":\"Patient/p\"},"
        "\"period\":{\"start\":\"2024-01-01\"%s}}",
        status, end);
}

static void care_is_counted(void **state)
{
    struct world x;

    (void)state;
    begin(&x);
    child(&x, "p", "1990-01-01", "");
    load(&x, "1", "2023-06-17", "\"value\":999.9");
    expect(&x, LOW, 0, 0);
    care(&x, "active", "");
    expect(&x, LOW, 1, 1);
    load(&x, "2", "2024-06-01", "\"value\":1000"); /* the newest counts */
    expect(&x, LOW, 1, 0);
    load(&x, "2", "2024-06-01", "\"comparator\":\"<\",\"value\":1000");
    expect(&x, LOW, 1, 1);
    load(&x, "2", "2024-06-01", "\"value\":1e3");
    expect(&x, LOW, 1, 0);
    write(&x, true, "{\"resourceType\":\"Observation\",\"id\":\"2\"}");
    load(&x, "1", "2023-06-16", "\"value\":10"); /* a year ago */
    expect(&x, LOW, 1, 0);
    care(&x, "active", ",\"end\":\"2024-06-16\"");
    expect(&x, LOW, 1, 0);
    care(&x, "active", ",\"end\":\"2024-06-15\"");
    expect(&x, LOW, 0, 0);
    care(&x, "finished", ""); /* over since nobody knows when */
    expect(&x, LOW, 0, 0);
    end(&x);
}

static void places_are_known(void **state)
{
    _cleanup_(count_unrefp) struct count *c = NULL;
    uint32_t clinic, north, part;
    struct world x;

    (void)state;
    begin(&x);
    child(&x, "a", "2023-06-15", "");
    expect(&x, THIRD, 1, 0);
    assert_int_equal(counter_count(x.counter, &c, &x.err), 0);
    clinic = count_place(c, STR("f"));
    north = count_place(c, STR("d"));
    assert_true(clinic != NAMES_NONE && north != NAMES_NONE);
    assert_int_equal(count_place(c, STR("x")), NAMES_NONE);
    assert_true(c->places[clinic].is_facility && !c->places[north].is_facility);
    assert_int_equal(c->visits[c->places[clinic].site * COUNT_WEEKS + COUNT_WEEKS - 1], 1);
    assert_int_equal(count_part(c, c->places[clinic].site, north, &part), 1);
    assert_int_equal(part, clinic);
    assert_int_equal(count_part(c, c->places[clinic].site, NAMES_NONE, &part), 1);
    assert_int_equal(part, north);
    assert_int_equal(count_part(c, 0, north, &part), 0);
    assert_int_equal(count_part(c, 0, NAMES_NONE, &part), 1);
    assert_int_equal(part, NAMES_NONE);
    end(&x);
}

static void visit_on(struct world *x, bool is_deletion, const char *day)
{
    write(x, is_deletion,
          "{\"resourceType\":\"Encounter\",\"id\":\"late\",\"status\":\"finished\",\"class\":{"
          "\"code\":\"AMB\"},\"period\":{\"start\":\"%s\"}}",
          day);
}

/* What counts are as of goes back with the record that said so. */
static void newest_day_may_go(void **state)
{
    struct world x;

    (void)state;
    begin(&x);
    child(&x, "a", "2023-06-15", "");
    expect(&x, THIRD, 1, 0);
    visit_on(&x, false, "2025-06-15");
    expect(&x, THIRD, 0, 0);
    visit_on(&x, false, "2024-06-14");
    expect(&x, THIRD, 1, 0);
    visit_on(&x, false, "2025-06-15");
    expect(&x, THIRD, 0, 0);
    visit_on(&x, true, "2025-06-15");
    expect(&x, THIRD, 1, 0);
    visit_on(&x, false, "9999-01-01"); /* ahead of the clock */
    expect(&x, THIRD, 1, 0);
    end(&x);
}

/* Whoever writes no end of services for one person holds nobody up. */
static void services_of_one_are_bounded(void **state)
{
    static const char set_of_begun[] =
        "{\"version\":\"t\",\"services\":{\"care\":{\"of\":\"EpisodeOfCare\",\"codes\":["
        "\"http://c|2\"]}},\"indicators\":[{\"id\":\"i\",\"programme\":\"p\",\"title\":\"t\","
        "\"source\":\"s\",\"people\":{\"service\":\"care\",\"begun\":[0,365]},\"have\":{"
        "\"service\":\"care\",\"times\":1}}]}";
    static const char patient[] =
        "{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"1990-01-01\"}";
    static const char episode[] =
        "{\"resourceType\":\"EpisodeOfCare\",\"id\":\"%d\",\"status\":\"active\",\"type\":[{"
        "\"coding\":[{\"system\":\"http://c\",\"code\":\"2\"}]}],\"patient\":{\"reference\":"
        "\"Patient/p\"},\"period\":{\"start\":\"2024-01-01\"}}";
    _cleanup_(count_unrefp) struct count *c = NULL;
    struct coverage_set set;
    struct err err = {0};
    yyjson_val *v;
    struct arena a;
    struct roll r;

    (void)state;
    arena_init(&a, MIB(64));
    assert_int_equal(coverage_set_read(&a, str_c(set_of_begun), &set, &err), 0);
    roll_init(&r, &a, &set);
    assert_int_equal(js_parse(&a, str_c(patient), &v, &err), 0);
    assert_int_equal(roll_take(&r, v, &err), 0);
    for (int i = 0; i <= COUNT_SERVICES_MAX; i++) {
        char text[400];

        snprintf(text, sizeof text, episode, i);
        assert_int_equal(js_parse(&a, str_c(text), &v, &err), 0);
        assert_int_equal(roll_take(&r, v, &err), 0);
    }
    assert_int_equal(count_make(&r, 1, &c, &err), 0);
    assert_int_equal(sum(c, 0, COUNT_MONTHS - 1).of, COUNT_SERVICES_MAX);
    arena_done(&a);
}

/* A ministry is not told the name of a place where somebody lives. */
static void homes_are_no_places(void **state)
{
    static const char *const says[] = {
        "\"physicalType\":{\"coding\":[{\"code\":\"ho\"}]}",
        "\"type\":[{\"coding\":[{\"code\":\"HOSP\"}]},{\"coding\":[{\"code\":\"PTRES\"}]}]"};
    struct world x;

    (void)state;
    begin(&x);
    for (size_t i = 0; i < ARRAY_LEN(says); i++) {
        _cleanup_(count_unrefp) struct count *c = NULL;
        uint32_t clinic;

        write(&x, false,
              "{\"resourceType\":\"Location\",\"id\":\"home\",\"name\":\"At Ada's\",%s,\"partOf\":{"
              "\"reference\":\"Location/d\"}}",
              says[i]);
        write(&x, false,
              "{\"resourceType\":\"Encounter\",\"id\":\"v\",\"status\":\"finished\",\"class\":{"
              "\"code\":\"HH\"},\"period\":{\"start\":\"2024-06-15T10:00:00Z\"},\"location\":[{"
              "\"location\":{\"reference\":\"Location/home\"}}],\"serviceProvider\":{"
              "\"reference\":\"Organization/ward\"}}");
        expect(&x, THIRD, 0, 0);
        assert_int_equal(counter_count(x.counter, &c, &x.err), 0);
        assert_int_equal(count_place(c, STR("home")), NAMES_NONE);
        clinic = count_place(c, STR("f"));
        assert_true(clinic != NAMES_NONE);
        assert_int_equal(c->visits[c->places[clinic].site * COUNT_WEEKS + COUNT_WEEKS - 1], 1);
    }
    end(&x);
}

/* Whatever fails, the look after it counts what is there. */
static void each_step_may_fail(void **state)
{
    struct world x;

    (void)state;
    begin(&x);
    child(&x, "a", "2023-06-15", "");
    dose(&x, "1", "a", "2023-08-01", 3);
    FAULT_LOOP(false) {
        struct count *c = NULL;
        int r;

        counter_free(x.counter);
        x.counter = NULL;
        r = counter_new(x.s.store, &x.node, str_c(set_text), &x.counter, &x.err);
        if (r >= 0)
            r = counter_look(x.counter, &x.err);
        if (r >= 0)
            continue;
        if (x.counter)
            assert_int_equal(counter_count(x.counter, &c, &x.err), ERR_BUSY);
        else
            assert_int_equal(counter_new(x.s.store, &x.node, str_c(set_text), &x.counter, &x.err),
                             0);
        expect(&x, THIRD, 1, 1);
    }
    expect(&x, THIRD, 1, 1);
    end(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_are_counted),
        cmocka_unit_test(care_is_counted),
        cmocka_unit_test(places_are_known),
        cmocka_unit_test(newest_day_may_go),
        cmocka_unit_test(services_of_one_are_bounded),
        cmocka_unit_test(homes_are_no_places),
        cmocka_unit_test(each_step_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
