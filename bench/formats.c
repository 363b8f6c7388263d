/* formats - what XML costs beside JSON: formats <FILE.ndjson
 *
 * Every resource of the file (one a line) goes from JSON text to XML text and back. Beside that
 * stand the bare parsers on the same bytes: yyjson for JSON, libxml2 with empty SAX handlers for
 * XML. Each is the fastest of ROUNDS passes over all resources; a figure is microseconds for the
 * mean resource. Single thread.
 */
#include "fhir/xml.h"

#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 9
#define LINES_MAX 100000
#define TEXT_MAX MIB(256)

struct data {
    struct str json[LINES_MAX], xml[LINES_MAX];
    size_t n;
};

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what)
{
    fprintf(stderr, "formats: %s\n", what);
    exit(1);
}

static void bare_yyjson(struct arena *a, struct str json, struct str xml, struct sb *out)
{
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)json.p, json.n, YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);

    (void)a;
    (void)xml;
    (void)out;
    if (!doc)
        die("yyjson does not read a line");
    yyjson_doc_free(doc);
}

static void bare_libxml(struct arena *a, struct str json, struct str xml, struct sb *out)
{
    static xmlSAXHandler nothing = {.initialized = XML_SAX2_MAGIC};

    (void)a;
    (void)json;
    (void)out;
    if (xmlSAXUserParseMemory(&nothing, NULL, xml.p, (int)xml.n) != 0)
        die("libxml2 does not read what was written");
}

static void to_xml(struct arena *a, struct str json, struct str xml, struct sb *out)
{
    yyjson_val *root;
    struct err err;

    (void)xml;
    if (js_parse_stored(a, json, &root, &err) < 0 || xml_write(out, a, root, false, &err) < 0)
        die(err.text);
}

static void to_json(struct arena *a, struct str json, struct str xml, struct sb *out)
{
    struct err err;

    (void)json;
    if (xml_read(a, xml, out, &err) < 0)
        die(err.text);
}

typedef void work(struct arena *a, struct str json, struct str xml, struct sb *out);

/* Microseconds for the mean resource. */
static double measure(const struct data *d, work *fn)
{
    struct sb out = sb_make(TEXT_MAX);
    struct arena a;
    double best = 0;

    arena_init(&a, TEXT_MAX);
    for (int round = 0; round < ROUNDS; round++) {
        double began = now_us(), took;
        for (size_t i = 0; i < d->n; i++) {
            sb_reset(&out);
            arena_reset(&a);
            fn(&a, d->json[i], d->xml[i], &out);
        }
        took = (now_us() - began) / (double)d->n;
        if (round == 0 || took < best)
            best = took;
    }
    arena_done(&a);
    sb_done(&out);
    return best;
}

static void read_lines(struct data *d)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    struct arena a;

    arena_init(&a, TEXT_MAX);
    while ((n = getline(&line, &cap, stdin)) > 0 && d->n < LINES_MAX) {
        struct str json = str_trim(str_n(line, (size_t)n));
        struct sb xml = sb_make(TEXT_MAX);
        if (!json.n)
            continue;
        arena_reset(&a);
        d->json[d->n] = str_n(memcpy(malloc(json.n + 1), json.p, json.n), json.n);
        to_xml(&a, json, STR(""), &xml);
        d->xml[d->n].p = sb_steal(&xml, &d->xml[d->n].n);
        d->n++;
    }
    arena_done(&a);
    free(line);
    if (!d->n)
        die("give it resources, one a line");
}

int main(void)
{
    static struct data d;
    double json_bytes = 0, xml_bytes = 0, yyjson, libxml, out, in;

    read_lines(&d);
    for (size_t i = 0; i < d.n; i++) {
        json_bytes += (double)d.json[i].n;
        xml_bytes += (double)d.xml[i].n;
    }
    yyjson = measure(&d, bare_yyjson);
    libxml = measure(&d, bare_libxml);
    out = measure(&d, to_xml);
    in = measure(&d, to_json);
    printf("%zu resources, %.0f bytes of JSON and %.0f of XML in the mean\n", d.n,
           json_bytes / (double)d.n, xml_bytes / (double)d.n);
    printf("yyjson, bare parse       %8.2f us\n", yyjson);
    printf("libxml2, bare SAX parse  %8.2f us\n", libxml);
    printf("JSON text to XML text    %8.2f us  %5.1f x yyjson\n", out, out / yyjson);
    printf("XML text to JSON text    %8.2f us  %5.1f x libxml2\n", in, in / libxml);
    return 0;
}
