/* path_lines.c - FHIRPath as a filter, for the tests: one JSON object a line in, one out.
 *
 * In: {"expression": "…", "resource": {…} or absent}. Out: {"result": […], "types": ["FHIR.code"
 * …]} or {"error": "…"}.
 * In: {"checks": [["context", "expression"], …], "resource": {…}}. Out: an array with, for each
 * check, the truths of the expression for each item that the context gives (1, 0, -1 for empty), or
 * the text of an error. Both are compiled with the liberties of search parameters and invariants.
 */
#include "fhir/path_int.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_MAX MIB(512)
#define TEXT_MAX MIB(64)

static int evaluate(struct arena *a, yyjson_val *line, struct path_items *out, struct err *err)
{
    struct path_env env = {.a = a, .resource = js_get(line, "resource")};
    struct path_item focus = path_root(env.resource);
    struct str text = js_get_str(line, "expression");
    const struct path *p;
    int r = path_compile_strict(a, text, focus.type, &p, err);

    return r < 0 ? r : path_eval(p, &env, env.resource ? &focus : NULL, out, err);
}

static int check(struct arena *a, yyjson_val *resource, struct str context, struct str text,
                 struct sb *out, struct err *err)
{
    struct path_env env = {.a = a, .resource = resource};
    struct path_item root = path_root(resource);
    struct path_items foci = {0};
    const struct path *at, *p;
    int r = path_compile(a, context, root.type, &at, err);

    if (r >= 0)
        r = path_compile(a, text, NULL, &p, err);
    if (r >= 0)
        r = path_eval(at, &env, &root, &foci, err);
    for (size_t i = 0; i < foci.n && r >= 0; i++) {
        struct path_items items = {0};
        env.steps = 0;
        r = path_eval(p, &env, &foci.p[i], &items, err);
        if (r >= 0)
            r = path_truth(&items, err);
        if (r >= -1)
            sb_fmt(out, "%s%d", i ? "," : "", r);
        r = r == -1 ? 0 : r;
    }
    return r;
}

static void check_all(struct arena *a, yyjson_val *line, struct sb *out)
{
    size_t i, max;
    yyjson_val *one;

    sb_char(out, '[');
    yyjson_arr_foreach(js_get(line, "checks"), i, max, one) {
        _cleanup_(sb_done) struct sb truths = sb_make(TEXT_MAX);
        struct err err = {0};
        int r = check(a, js_get(line, "resource"), js_str(yyjson_arr_get(one, 0)),
                      js_str(yyjson_arr_get(one, 1)), &truths, &err);
        if (i)
            sb_char(out, ',');
        if (r < 0) {
            sb_json(out, str_c(err.text));
        } else {
            sb_char(out, '[');
            sb_put(out, truths.p, truths.n);
            sb_char(out, ']');
        }
    }
    sb_lit(out, "]\n");
}

static void answer(struct arena *a, struct str text, struct sb *out)
{
    struct path_items items = {0};
    yyjson_val *line;
    struct err err = {0};
    int r = js_parse(a, text, &line, &err);

    if (r >= 0 && js_get(line, "checks")) {
        check_all(a, line, out);
        return;
    }
    if (r >= 0)
        r = evaluate(a, line, &items, &err);
    if (r < 0) {
        sb_lit(out, "{\"error\":");
        sb_json(out, str_c(err.text));
        sb_lit(out, "}\n");
        return;
    }
    sb_lit(out, "{\"result\":");
    path_write(out, &items);
    sb_lit(out, ",\"types\":[");
    for (size_t i = 0; i < items.n; i++) {
        if (i)
            sb_char(out, ',');
        sb_json(out, path_item_type(a, &items.p[i]));
    }
    sb_lit(out, "]}\n");
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    struct sb out = sb_make(TEXT_MAX);
    struct arena a;

    arena_init(&a, ARENA_MAX);
    while ((n = getline(&line, &cap, stdin)) > 0) {
        answer(&a, str_n(line, (size_t)n), &out);
        fwrite(out.p, 1, out.n, stdout);
        fflush(stdout);
        sb_reset(&out);
        arena_reset(&a);
    }
    sb_done(&out);
    arena_done(&a);
    free(line);
    return 0;
}
