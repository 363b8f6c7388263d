/* path_bench.c - how long Carnet's FHIRPath takes: path_bench SECONDS < CASES
 *
 * In: a line a case, {"expression": "…", "resource": {…}}. The expression is compiled and the
 * resource parsed before the clock starts; then it is evaluated until SECONDS of processor time
 * have gone. Out: a line a case, nanoseconds of processor time an evaluation and how many items it
 * gives.
 */
#include "fhir/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ARENA_MAX MIB(256)
#define LOOK_US 2000 /* between two looks at the clock, which costs a system call */

static void die(const char *what)
{
    fprintf(stderr, "path_bench: %s\n", what);
    exit(1);
}

/* Of the processor, so that what else runs on the machine does not count. */
static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* One evaluation; its memory is given back. */
static size_t evaluate(const struct path *p, const struct path_item *focus, struct arena *scratch)
{
    struct path_env env = {.a = scratch, .resource = focus->v};
    struct path_item room[8];
    struct path_items out = {room, 0, ARRAY_LEN(room)};
    struct err err;

    if (path_eval(p, &env, focus, &out, &err) < 0)
        die(err.text);
    arena_reset(scratch);
    return out.n;
}

static void measure(const struct path *p, yyjson_val *resource, int64_t limit_us)
{
    struct path_item focus = path_root(resource);
    struct arena scratch;
    int64_t began, took = 0;
    size_t n = 0, runs = 0, at_once = 1;

    arena_init(&scratch, ARENA_MAX);
    n = evaluate(p, &focus, &scratch);
    began = now_us();
    while (took < limit_us) {
        int64_t before = took;
        for (size_t i = 0; i < at_once; i++)
            evaluate(p, &focus, &scratch);
        runs += at_once;
        took = now_us() - began;
        if (took - before < LOOK_US)
            at_once *= 2;
    }
    printf("%.1f\t%zu\n", (double)took * 1000 / (double)runs, n);
    fflush(stdout);
    arena_done(&scratch);
}

int main(int argc, char **argv)
{
    double seconds = argc == 2 ? strtod(argv[1], NULL) : 0;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    if (seconds <= 0)
        die("usage: path_bench SECONDS < CASES");
    while ((n = getline(&line, &cap, stdin)) > 0) {
        const struct path *p;
        yyjson_val *one, *resource;
        struct err err = {0};
        struct arena a;
        arena_init(&a, ARENA_MAX);
        if (js_parse(&a, str_n(line, (size_t)n), &one, &err) < 0)
            die(err.text);
        resource = js_get(one, "resource");
        if (path_compile(&a, js_get_str(one, "expression"), path_root(resource).type, &p, &err) < 0)
            die(err.text);
        measure(p, resource, (int64_t)(seconds * 1e6));
        arena_done(&a);
    }
    free(line);
    return 0;
}
