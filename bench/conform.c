/* conform - what a check costs beside a bare parse: conform PROFILES.ndjson <RESOURCES.ndjson
 *
 * Each resource (one a line) is parsed by yyjson alone, held against R4 (structure and invariants),
 * and against R4 with profiles: those that it claims, and those of the file that are for its type
 * and named "-uv-ips" (an empty file: none); the last row holds codes against bindings as well, as
 * far as the value sets of the file and of R4 list them.
 * A figure is microseconds for the mean resource, the median of ROUNDS passes; beside it stands the
 * ratio to the bare parse. Single thread.
 */
#include "fhir/base_rules.h"
#include "fhir/shelf.h"
#include "fhir/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 9
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

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
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
    struct conform_options options = {.no_bindings = true};

    check(d, a, i, &options);
}

static void hold(struct data *d, struct arena *a, size_t i, bool with_bindings)
{
    struct conform_options options = {.world = with_bindings ? shelf_world(d->shelf, NULL) : NULL,
                                      .profiles = d->profiles,
                                      .asked = &d->profile[i],
                                      .n_asked = d->profile[i].n > 0,
                                      .no_bindings = !with_bindings};

    check(d, a, i, &options);
}

static void check_profiles(struct data *d, struct arena *a, size_t i)
{
    hold(d, a, i, false);
}

static void check_bindings(struct data *d, struct arena *a, size_t i)
{
    hold(d, a, i, true);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(struct data *d, void (*run)(struct data *d, struct arena *a, size_t i))
{
    double took[ROUNDS];
    struct arena a;

    arena_init(&a, MIB(256));
    for (size_t round = 0; round < ROUNDS; round++) {
        double from = now_us();
        for (size_t i = 0; i < d->n; i++) {
            run(d, &a, i);
            arena_reset(&a);
        }
        took[round] = (now_us() - from) / (double)d->n;
    }
    arena_done(&a);
    qsort(took, ROUNDS, sizeof took[0], compare);
    return took[ROUNDS / 2];
}

/* The first profile of the file that is for the resource's type. */
static struct str profile_for(struct str definitions, struct str type, struct arena *a)
{
    struct str line;
    yyjson_val *root;

    while (definitions.n && str_split(&definitions, '\n', &line)) {
        if (!line.n || js_parse(a, line, &root, NULL) < 0)
            continue;
        if (str_eq(js_get_str(root, "resourceType"), STR("StructureDefinition")) &&
            str_eq(js_get_str(root, "type"), type) &&
            str_ends(js_get_str(root, "id"), STR("-uv-ips")))
            return js_get_str(root, "url");
    }
    return STR("");
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
    while (lines.n && str_split(&lines, '\n', &line) && d->n < LINES_MAX) {
        int type;
        if (!line.n)
            continue;
        d->json[d->n] = line;
        if (js_parse(&d->parsed, line, &d->root[d->n], &err) < 0)
            die(err.text);
        type = def_resource(js_get_str(d->root[d->n], "resourceType"));
        if (!by_type[type].p && type)
            by_type[type] = profile_for(definitions, def_resource_name(type), &d->parsed);
        d->profile[d->n++] = by_type[type].p ? by_type[type] : STR("");
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(struct data *d, struct arena *a, size_t i);
    } rows[] = {{"bare yyjson parse", parse_bare},
                {"structure", check_structure},
                {"structure and invariants", check_base},
                {"structure, invariants, profiles", check_profiles},
                {"… and bindings", check_bindings}};
    static struct data d;
    struct sb lines = sb_make(TEXT_MAX), definitions = sb_make(TEXT_MAX);
    FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;
    double bare = 0;
    size_t bytes = 0;

    if (!f)
        die("usage: conform PROFILES.ndjson <RESOURCES.ndjson");
    read_all(f, &definitions);
    read_all(stdin, &lines);
    prepare(&d, sb_view(&lines), sb_view(&definitions));
    for (size_t i = 0; i < d.n; i++)
        bytes += d.json[i].n;
    printf("%zu resources, %.0f bytes on average\n", d.n, (double)bytes / (double)d.n);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double us = median(&d, rows[i].run);
        bare = i ? bare : us;
        printf("%-32s %9.3f us  %7.1f x\n", rows[i].name, us, us / bare);
    }
    profiles_unref(d.profiles);
    shelf_free(d.shelf);
    arena_done(&d.parsed);
    sb_done(&lines);
    sb_done(&definitions);
    fclose(f);
    return 0;
}
