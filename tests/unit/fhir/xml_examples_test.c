/* Every official example: JSON to XML to JSON gives equal values, literals included; an XML parser
 * of others (libxml2's tree) takes the XML. */
#include "../test.h"

#include "json_equal.h"

#include "base/clock.h"
#include "fhir/xml.h"

#include <libxml/parser.h>
#include <zlib.h>

#define LINE_MAX_BYTES MIB(64)

struct totals {
    size_t n, json_bytes, xml_bytes, failed;
    int64_t write_us, read_us;
};

static void check_well_formed(struct str xml, struct str name)
{
    xmlDocPtr doc = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_HUGE);

    if (!doc)
        fail_msg("%.*s: libxml2 cannot read it", STR_ARG(name));
    xmlFreeDoc(doc);
}

static void one(struct arena *a, struct str line, bool pretty, struct totals *t)
{
    _cleanup_(sb_done) struct sb xml = sb_make(LINE_MAX_BYTES), json = sb_make(LINE_MAX_BYTES);
    yyjson_val *before, *after;
    struct str name;
    struct err err = {0};
    int64_t start;

    assert_int_equal(js_parse(a, line, &before, &err), 0);
    name = arena_fmt(a, "%.*s/%.*s", STR_ARG(js_get_str(before, "resourceType")),
                     (int)js_get_str(before, "id").n, js_get_str(before, "id").p);
    t->n++;
    start = clock_mono_us();
    if (xml_write(&xml, a, before, pretty, &err) < 0)
        fail_msg("%.*s: to XML: %s", STR_ARG(name), err.text);
    t->write_us += clock_mono_us() - start;
    check_well_formed(sb_view(&xml), name);
    start = clock_mono_us();
    if (xml_read(a, sb_view(&xml), &json, &err) < 0)
        fail_msg("%.*s: to JSON: %s", STR_ARG(name), err.text);
    t->read_us += clock_mono_us() - start;
    assert_true(json.n <= XML_INFLATES_MAX * xml.n);
    if (js_parse(a, sb_view(&json), &after, &err) < 0)
        fail_msg("%.*s: %s", STR_ARG(name), err.text);
    if (!json_is_equal(before, after))
        fail_msg("%.*s comes back different", STR_ARG(name));
    t->json_bytes += line.n;
    t->xml_bytes += xml.n;
}

static void test_round_trip(void **state)
{
    const char *shared = getenv("CARNET_SHARED");
    struct totals t = {0};
    struct arena a;
    char path[512], *line;
    gzFile f;

    (void)state;
    snprintf(path, sizeof path, "%s/r4-examples/r4-examples.ndjson.gz", shared ? shared : "");
    f = shared ? gzopen(path, "rb") : NULL;
    if (!f) {
        print_message("skipped: CARNET_SHARED does not hold the examples\n");
        skip();
    }
    arena_init(&a, MIB(512));
    line = malloc(LINE_MAX_BYTES);
    while (gzgets(f, line, LINE_MAX_BYTES)) {
        for (int pretty = 0; pretty < 2; pretty++) {
            arena_reset(&a);
            one(&a, str_trim(str_c(line)), pretty, &t);
        }
    }
    print_message("%zu round trips, %zu bytes of JSON, %zu of XML, %lld us to XML, %lld us back\n",
                  t.n, t.json_bytes, t.xml_bytes, (long long)t.write_us, (long long)t.read_us);
    assert_true(t.n >= 2 * 600);
    free(line);
    gzclose(f);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
