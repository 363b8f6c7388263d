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

struct write {
    struct store_job job;
    struct world *x;
    struct str text;
    bool is_deletion;
};

static int write_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct write *w = (struct write *)job;
    struct store *store = w->x->s.store;
    struct params *params = store_params(store);
    struct sb sealed = sb_make(MIB(1));
    struct version version;
    struct index index;
    struct arena a;
    struct put put = {.method = METHOD_UPDATE};
    yyjson_val *root;
    int r;

    arena_init(&a, MIB(16));
    if (js_parse(&a, w->text, &root, err) < 0)
        fail_msg("%s", err->text);
    put.type = def_resource(js_get_str(root, "resourceType"));
    put.id = js_get_str(root, "id");
    if (w->is_deletion) {
        put.method = METHOD_DELETE;
    } else {
        r = index_extract(&a, params, store_index_options(store), put.type, root, &index, err);
        assert_int_equal(r, 0);
        assert_int_equal(store_seal(store, root, &sealed, err), 0);
        put.sealed = sb_view(&sealed);
        put.index = &index;
    }
    r = store_put(txn, &put, &version, err);
    sb_done(&sealed);
    params_unref(params);
    arena_done(&a);
    return r;
}

static void write(struct world *x, bool is_deletion, const char *format, ...)
{
    struct write w = {
        .job = {.run = write_run, .who = &x->node}, .x = x, .is_deletion = is_deletion};
    char text[1000];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    w.text = str_c(text);
    assert_int_equal(store_write(x->s.store, &w.job, &x->err), 0);
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

static int expunge_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    const struct write *w = (const struct write *)job;
    size_t n;

    return store_expunge(txn, def_resource(STR("Patient")), w->text, &n, err);
}

static void expunge(struct world *x, const char *id)
{
    struct write w = {.job = {.run = expunge_run, .who = &x->node}, .x = x, .text = str_c(id)};

    assert_int_equal(store_write(x->s.store, &w.job, &x->err), 0);
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
        cmocka_unit_test(each_step_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
