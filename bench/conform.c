/* conform - what a check costs beside a bare parse: conform PROFILES.ndjson <RESOURCES.ndjson
 *
 * Each resource (one a line) is parsed by yyjson alone, held against R4's structure, against all of
 * R4 (invariants, data types, bindings, extensions), and against R4 with profiles: those that it
 * claims, and the first of the file that is for its type and named "-uv-ips" (an empty file: none).
 * Codes are held against bindings as far as the value sets of the file and of R4 list them.
 *
 * Out: a line for each kind, its name and ROUNDS figures with tabs between: microseconds of
 * processor time for the mean resource. The kinds take turns, so that the figures of one column
 * were made within a second of each other. Single thread.
 */
#include "fhir/base_rules.h"
#include "fhir/shelf.h"
#include "fhir/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 9
#define ROUND_US 100000 /* of each kind in a round, at least */
#define LINES_MAX 100000
#define TEXT_MAX MIB(512)

struct data {
    struct str json[LINES_MAX];
    yyjson_val *root[LINES_MAX];
    struct str profile[LINES_MAX]; /* to hold it against; empty: none */
    size_t n;
    struct arena parsed;
    struct shelf *shelf;
    struct profiles *profiles;
};

/* Of the processor, so that what else runs on the machine counts as little as can be. */
static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what)
{
    fprintf(stderr, "conform: %s\n", what);
    exit(1);
}

static void read_all(FILE *f, struct sb *out)
{
    size_t n = 1;

    while (n) {
        char *to = sb_room(out, KIB(256));
        if (!to)
            die("the input is too long");
        n = fread(to, 1, KIB(256), f);
        sb_add(out, n);
    }
}

static void parse_bare(struct data *d, struct arena *a, size_t i)
{
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)d->json[i].p, d->json[i].n,
                                       YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);

    (void)a;
    if (!doc)
        die("yyjson does not read a line");
    yyjson_doc_free(doc);
}

static void check(struct data *d, struct arena *a, size_t i, const struct conform_options *options)
{
    struct issues issues;
    struct err err;

    issues_init(&issues, a);
    if (fhir_validate(d->root[i], &issues, &err) < 0 ||
        (options && conform_check(d->root[i], options, &issues, &err) < 0))
        die(err.text);
}

static void check_structure(struct data *d, struct arena *a, size_t i)
{
    check(d, a, i, NULL);
}

static void check_base(struct data *d, struct arena *a, size_t i)
{
    struct conform_options options = {
        .world = shelf_world(d->shelf, NULL), .profiles = d->profiles, .no_claims = true};

    check(d, a, i, &options);
}

static void check_profiles(struct data *d, struct arena *a, size_t i)
{
    struct conform_options options = {.world = shelf_world(d->shelf, NULL),
                                      .profiles = d->profiles,
                                      .asked = &d->profile[i],
                                      .n_asked = d->profile[i].n > 0};

    check(d, a, i, &options);
}

static double pass(struct data *d, struct arena *a,
                   void (*run)(struct data *d, struct arena *a, size_t i))
{
    double from = now_us(), took = 0;
    size_t n = 0;

    while (took < ROUND_US) {
        for (size_t i = 0; i < d->n; i++) {
            run(d, a, i);
            arena_reset(a);
        }
        n += d->n;
        took = now_us() - from;
    }
    return took / (double)n;
}

/* The first profile of the file for each resource type. */
static void find_profiles(struct data *d, struct str definitions, struct str *by_type)
{
    struct str line;
    yyjson_val *root;

    while (definitions.n && str_split(&definitions, '\n', &line)) {
        int type;
        if (!line.n || js_parse(&d->parsed, line, &root, NULL) < 0 ||
            !str_eq(js_get_str(root, "resourceType"), STR("StructureDefinition")) ||
            !str_ends(js_get_str(root, "id"), STR("-uv-ips")))
            continue;
        type = def_resource(js_get_str(root, "type"));
        if (type && !by_type[type].p)
            by_type[type] = js_get_str(root, "url");
    }
}

static void prepare(struct data *d, struct str lines, struct str definitions)
{
    struct str by_type[DEF_RESOURCE_MAX + 1] = {{NULL, 0}}, line, rest = definitions;
    struct err err;

    arena_init(&d->parsed, MIB(2048));
    if (shelf_new(&d->shelf, &err) < 0)
        die(err.text);
    while (rest.n && str_split(&rest, '\n', &line))
        if (line.n && shelf_put(d->shelf, line, &err) < 0)
            die(err.text);
    d->profiles = profiles_new(shelf_world(d->shelf, NULL));
    find_profiles(d, definitions, by_type);
    while (lines.n && str_split(&lines, '\n', &line) && d->n < LINES_MAX) {
        int type;
        if (!line.n)
            continue;
        d->json[d->n] = line;
        if (js_parse(&d->parsed, line, &d->root[d->n], &err) < 0)
            die(err.text);
        type = def_resource(js_get_str(d->root[d->n], "resourceType"));
        d->profile[d->n++] = by_type[type].p ? by_type[type] : STR("");
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(struct data *d, struct arena *a, size_t i);
    } kinds[] = {{"bare", parse_bare},
                 {"structure", check_structure},
                 {"base", check_base},
                 {"profiles", check_profiles}};
    static struct data d;
    static double took[ARRAY_LEN(kinds)][ROUNDS + 1];
    struct sb lines = sb_make(TEXT_MAX), definitions = sb_make(TEXT_MAX);
    FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;
    struct arena a;

    if (!f)
        die("usage: conform PROFILES.ndjson <RESOURCES.ndjson");
    read_all(f, &definitions);
    read_all(stdin, &lines);
    prepare(&d, sb_view(&lines), sb_view(&definitions));
    arena_init(&a, MIB(256));
    for (size_t round = 0; round <= ROUNDS; round++) /* the first is to warm */
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
            took[k][round] = pass(&d, &a, kinds[k].run);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        printf("%s", kinds[k].name);
        for (size_t round = 1; round <= ROUNDS; round++)
            printf("\t%.4f", took[k][round]);
        printf("\n");
    }
    arena_done(&a);
    profiles_unref(d.profiles);
    shelf_free(d.shelf);
    arena_done(&d.parsed);
    sb_done(&lines);
    sb_done(&definitions);
    fclose(f);
    return 0;
}
