/* The whole stream: the same every time, valid, closed under reference, and true to its truth. */
#include "../test.h"

#include "base/clock.h"
#include "base/js.h"
#include "fhir/validate.h"
#include "synth/sim.h"
#include "synth/synth.h"

#define MAP_SLOTS (1u << 21)

/* From one 64-bit name to another; 0 is "none". */
struct map {
    uint64_t *keys, *values;
    size_t n;
};

struct collected {
    struct sb text, truth;
    uint64_t hash, lines;
    size_t stop_after; /* writes after which the reader goes away, 0: never */
};

static uint64_t *map_at(struct map *m, uint64_t key)
{
    size_t i = key % MAP_SLOTS;

    if (!m->keys) {
        m->keys = test_calloc(MAP_SLOTS, sizeof *m->keys);
        m->values = test_calloc(MAP_SLOTS, sizeof *m->values);
    }
    while (m->keys[i] && m->keys[i] != key)
        i = (i + 1) % MAP_SLOTS;
    if (!m->keys[i]) {
        m->keys[i] = key;
        m->n++;
    }
    assert_true(m->n < MAP_SLOTS / 2);
    return &m->values[i];
}

static void map_done(struct map *m)
{
    test_free(m->keys);
    test_free(m->values);
}

static int collect(void *ctx, struct str lines, struct err *err)
{
    struct collected *c = ctx;

    (void)err;
    sb_str(&c->text, lines);
    assert_true(lines.n && lines.p[lines.n - 1] == '\n');
    return c->stop_after && --c->stop_after == 0;
}

static int collect_truth(void *ctx, struct str line, struct err *err)
{
    (void)err;
    sb_str(&((struct collected *)ctx)->truth, line);
    return 0;
}

static void run(const struct synth_config *config, struct collected *c, struct synth_stats *stats)
{
    struct synth_sink sink = {.write = collect, .truth = collect_truth, .ctx = c};
    struct err err = {0};

    c->text = sb_make(MIB(512));
    c->truth = sb_make(MIB(8));
    assert_int_equal(synth_run(config, &sink, stats, &err), 0);
    assert_false(c->text.failed || c->truth.failed);
    assert_int_equal(stats->bytes, c->text.n);
    c->hash = str_hash(sb_view(&c->text));
}

static void done(struct collected *c)
{
    sb_done(&c->text);
    sb_done(&c->truth);
}

static struct synth_config config_of(uint64_t people, uint64_t seed)
{
    return (struct synth_config){
        .people = people, .seed = seed, .weeks = 104, .start_day = clock_days(2024, 1, 1)};
}

/* Written down, so that another machine or compiler that writes other bytes is noticed. Who changes
 * what the country holds changes this number. */
#define KNOWN_HASH UINT64_C(0x9d978f79d2d2071b)

static void same_seed_same_bytes(void **state)
{
    struct synth_config config = config_of(300, 42), other = config_of(300, 43);
    struct collected a = {0}, b = {0}, c = {0};
    struct synth_stats stats;

    (void)state;
    run(&config, &a, &stats);
    run(&config, &b, &stats);
    run(&other, &c, &stats);
    assert_true(a.hash == b.hash);
    assert_true(a.hash != c.hash);
    assert_str(sb_view(&a.truth), sb_view(&b.truth));
    if (a.hash != KNOWN_HASH)
        fail_msg("the stream's hash is 0x%016llx", (unsigned long long)a.hash);
    done(&a);
    done(&b);
    done(&c);
}

/* What a check of the stream remembers. */
struct seen {
    struct arena arena;
    struct map ids;   /* "Type/id" and "urn:uuid:id" → 1 */
    struct map place; /* Location → partOf, Encounter → location */
    struct map national;
    uint64_t resources, patients;
    /* conditions of outbreak diseases */
    struct {
        uint64_t code, place;
        int64_t onset;
    } cases[20000];
    size_t n_cases;
};

static uint64_t name_of(struct str type, struct str id)
{
    char text[128];
    int n = snprintf(text, sizeof text, "%.*s/%.*s", STR_ARG(type), STR_ARG(id));

    return str_hash(str_n(text, (size_t)n));
}

static void check_references(struct seen *seen, yyjson_val *v)
{
    size_t i, n;
    yyjson_val *key, *item;

    if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, i, n, item)
            check_references(seen, item);
    } else if (yyjson_is_obj(v)) {
        yyjson_obj_foreach(v, i, n, key, item) {
            if (!str_eq(js_str(key), STR("reference")))
                check_references(seen, item);
            else if (!*map_at(&seen->ids, str_hash(js_str(item))))
                fail_msg("%.*s is not in the stream before", STR_ARG(js_str(item)));
        }
    }
}

static int64_t day_of(struct str date)
{
    uint64_t y = 0, m = 0, d = 0;

    assert_true(date.n >= 10 && str_to_u64(str_head(date, 4), 9999, &y) &&
                str_to_u64(str_n(date.p + 5, 2), 12, &m) &&
                str_to_u64(str_n(date.p + 8, 2), 31, &d));
    return clock_days((int)y, (int)m, (int)d);
}

static struct str reference(yyjson_val *v, const char *name)
{
    return js_get_str(js_get(v, name), "reference");
}

/* A name as another resource may write it: "Encounter/…" for "urn:uuid:…". */
static uint64_t target(struct str type, struct str ref)
{
    struct str urn = STR("urn:uuid:");

    return str_starts(ref, urn) ? name_of(type, str_from(ref, urn.n)) : str_hash(ref);
}

static void remember_place(struct seen *seen, struct str type, uint64_t name, yyjson_val *v)
{
    struct str ref = STR_NULL;

    if (str_eq(type, STR("Location")))
        ref = reference(v, "partOf");
    else if (str_eq(type, STR("Encounter")))
        ref = reference(yyjson_arr_get_first(js_get(v, "location")), "location");
    if (ref.p)
        *map_at(&seen->place, name) = str_hash(ref);
}

static void remember_case(struct seen *seen, struct str type, yyjson_val *v)
{
    struct str encounter = reference(v, "encounter");
    yyjson_val *coding = yyjson_arr_get_first(js_get(js_get(v, "code"), "coding"));
    uint64_t place;

    if (!str_eq(type, STR("Condition")) || !encounter.p)
        return;
    place = *map_at(&seen->place, target(STR("Encounter"), encounter));
    assert_true(seen->n_cases < ARRAY_LEN(seen->cases));
    seen->cases[seen->n_cases].code = str_hash(js_get_str(coding, "code"));
    seen->cases[seen->n_cases].place = *map_at(&seen->place, place);
    seen->cases[seen->n_cases].onset = day_of(js_get_str(v, "onsetDateTime"));
    seen->n_cases++;
}

static void check_patient(struct seen *seen, yyjson_val *v)
{
    yyjson_val *first = yyjson_arr_get_first(js_get(v, "identifier"));
    struct str number = js_get_str(first, "value");
    uint64_t value;

    seen->patients++;
    if (!str_ends(js_get_str(first, "system"), STR("/national-id")))
        return;
    assert_int_equal(number.n, 10);
    assert_true(str_to_u64(number, UINT64_MAX, &value));
    assert_int_equal(luhn_append(value / 10), value);
    assert_int_equal(*map_at(&seen->national, value + 1), 0);
    *map_at(&seen->national, value + 1) = 1;
}

static void check_resource(struct seen *seen, yyjson_val *v)
{
    struct str type = js_get_str(v, "resourceType"), id = js_get_str(v, "id");
    uint64_t name = name_of(type, id);
    struct issues issues;
    struct err err = {0};
    char urn[64];

    seen->resources++;
    issues_init(&issues, &seen->arena);
    assert_true(fhir_validate(v, &issues, &err) > 0);
    if (issues.n_errors)
        fail_msg("%.*s: %.*s: %.*s", STR_ARG(type), STR_ARG(issues.first->where),
                 STR_ARG(issues.first->text));
    assert_int_equal(*map_at(&seen->ids, name), 0);
    check_references(seen, v);
    *map_at(&seen->ids, name) = 1;
    snprintf(urn, sizeof urn, "urn:uuid:%.*s", STR_ARG(id));
    *map_at(&seen->ids, str_hash(str_c(urn))) = 1;
    remember_place(seen, type, name, v);
    remember_case(seen, type, v);
    if (str_eq(type, STR("Patient")))
        check_patient(seen, v);
}

static void check_bundle(struct seen *seen, yyjson_val *bundle)
{
    size_t i, n;
    yyjson_val *entry;
    struct issues issues;
    struct err err = {0};

    issues_init(&issues, &seen->arena);
    fhir_validate(bundle, &issues, &err);
    assert_int_equal(issues.n_errors, 0);
    assert_str(js_get_str(bundle, "type"), STR("transaction"));
    yyjson_arr_foreach(js_get(bundle, "entry"), i, n, entry)
        check_resource(seen, js_get(entry, "resource"));
}

static void check_stream(struct seen *seen, struct str text)
{
    struct str line;
    struct err err = {0};

    while (str_split(&text, '\n', &line) && line.n) {
        yyjson_val *root;

        arena_reset(&seen->arena);
        if (js_parse(&seen->arena, line, &root, &err) < 0)
            fail_msg("%s", err.text);
        if (str_eq(js_get_str(root, "resourceType"), STR("Bundle")))
            check_bundle(seen, root);
        else
            check_resource(seen, root);
    }
}

static uint64_t number_of(yyjson_val *v, const char *name)
{
    uint64_t n;

    assert_true(str_to_u64(js_str(js_get(v, name)), UINT64_MAX, &n));
    return n;
}

/* Each outbreak's cases and background, counted again in the records. */
static void check_truth(struct seen *seen, struct str text, const struct synth_stats *stats)
{
    struct str line;
    struct err err = {0};
    uint64_t outbreaks = 0, cases = 0;

    while (str_split(&text, '\n', &line) && line.n) {
        yyjson_val *truth, *week;
        uint64_t found = 0, weekly = 0, code, place, n;
        int64_t from, to;
        size_t i, max;

        arena_reset(&seen->arena);
        assert_int_equal(js_parse(&seen->arena, line, &truth, &err), 0);
        code = str_hash(js_get_str(truth, "code"));
        place = str_hash(js_get_str(truth, "district"));
        assert_int_equal(*map_at(&seen->ids, place), 1);
        from = day_of(js_get_str(truth, "start"));
        to = from + 7 * (int64_t)number_of(truth, "weeks");
        for (size_t k = 0; k < seen->n_cases; k++)
            found += seen->cases[k].code == code && seen->cases[k].place == place &&
                     seen->cases[k].onset >= from && seen->cases[k].onset < to;
        assert_int_equal(found, number_of(truth, "cases") + number_of(truth, "background"));
        yyjson_arr_foreach(js_get(truth, "weekly"), i, max, week) {
            assert_true(str_to_u64(js_str(week), UINT64_MAX, &n));
            weekly += n;
        }
        assert_int_equal(max, number_of(truth, "weeks"));
        assert_int_equal(weekly, number_of(truth, "cases"));
        assert_true(number_of(truth, "secondary") <= weekly);
        assert_true(number_of(truth, "deaths") <= weekly);
        cases += weekly;
        outbreaks++;
    }
    assert_int_equal(outbreaks, stats->outbreaks);
    assert_int_equal(cases, stats->cases);
}

static void check_country(const struct synth_config *config, struct synth_stats *stats)
{
    struct seen *seen = test_calloc(1, sizeof *seen);
    struct collected c = {0};

    run(config, &c, stats);
    arena_init(&seen->arena, MIB(64));
    check_stream(seen, sb_view(&c.text));
    assert_int_equal(seen->resources, stats->resources);
    assert_int_equal(seen->patients, config->people);
    check_truth(seen, sb_view(&c.truth), stats);
    arena_done(&seen->arena);
    map_done(&seen->ids);
    map_done(&seen->place);
    map_done(&seen->national);
    test_free(seen);
    done(&c);
}

static void country_is_valid_and_true(void **state)
{
    struct synth_config config = config_of(2000, 1);
    struct synth_stats stats;

    (void)state;
    check_country(&config, &stats);
    assert_in_range(stats.resources / stats.people, 25, 40);
    assert_true(stats.cases >= stats.outbreaks * 5);
}

static void bundles_hold_the_same(void **state)
{
    struct synth_config config = config_of(400, 5);
    struct synth_stats single, bundled;

    (void)state;
    check_country(&config, &single);
    config.bundles = true;
    check_country(&config, &bundled);
    assert_int_equal(bundled.people, single.people);
    assert_int_equal(bundled.outbreaks, single.outbreaks);
}

static void small_short_and_long(void **state)
{
    static const struct {
        uint64_t people, seed;
        unsigned weeks;
        int year, month, day;
    } cases[] = {
        {1, 0, SYNTH_WEEKS_MIN, 1970, 1, 1},
        {7, UINT64_MAX, SYNTH_WEEKS_MAX, 2024, 2, 29},
        {120, 9, 5, 2200, 12, 31},
        {150, 3, 52, 2023, 7, 12},
    };
    struct synth_stats stats;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct synth_config config = {.people = cases[i].people,
                                      .seed = cases[i].seed,
                                      .weeks = cases[i].weeks,
                                      .start_day =
                                          clock_days(cases[i].year, cases[i].month, cases[i].day)};

        check_country(&config, &stats);
    }
}

static void stops_when_the_reader_goes(void **state)
{
    struct synth_config config = config_of(5000, 1);
    struct collected c = {.text = sb_make(MIB(512)), .truth = sb_make(MIB(1)), .stop_after = 2};
    struct synth_sink sink = {.write = collect, .truth = collect_truth, .ctx = &c};
    struct synth_stats stats;
    struct err err = {0};

    (void)state;
    assert_int_equal(synth_run(&config, &sink, &stats, &err), 1);
    assert_int_equal(c.truth.n, 0);
    assert_true(c.text.n < MIB(2));
    done(&c);
    config.weeks = SYNTH_WEEKS_MAX + 1;
    assert_int_equal(synth_run(&config, &sink, &stats, &err), ERR_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_bytes),       cmocka_unit_test(country_is_valid_and_true),
        cmocka_unit_test(bundles_hold_the_same),      cmocka_unit_test(small_short_and_long),
        cmocka_unit_test(stops_when_the_reader_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
