/* path_rows.h - tables of FHIRPath expressions and what they give, for tests. */
#ifndef TEST_PATH_ROWS_H
#define TEST_PATH_ROWS_H

#include "../test.h"

#include "fhir/path.h"

struct row {
    const char *expression, *want; /* a JSON array, or "error: …" with a part of the text */
};

/* Evaluates for a resource; `out` gets the JSON array. */
static int evaluate(struct arena *a, const char *resource, const char *expression,
                    struct path_env *env, struct sb *out, struct err *err)
{
    struct path_items items = {0};
    struct path_item focus;
    const struct path *p;
    int r = js_parse(a, str_c(resource), &env->resource, err);

    if (r < 0)
        return r;
    focus = path_root(env->resource);
    env->a = a;
    r = path_compile_strict(a, str_c(expression), focus.type, &p, err);
    if (r >= 0)
        r = path_eval(p, env, &focus, &items, err);
    if (r >= 0)
        path_write(out, &items);
    return r;
}

/* How many rows do not give what they say. */
static size_t count_wrong(const char *resource, const struct row *rows, size_t n,
                          struct path_env env)
{
    size_t wrong = 0;

    for (size_t i = 0; i < n; i++) {
        _cleanup_(sb_done) struct sb out = sb_make(MIB(4));
        struct path_env own = env;
        struct err err = {0};
        struct arena a;
        bool refuse = strncmp(rows[i].want, "error: ", 7) == 0;
        arena_init(&a, MIB(512));
        if (evaluate(&a, resource, rows[i].expression, &own, &out, &err) < 0)
            sb_fmt(&out, "error: %s", err.text);
        sb_char(&out, '\0');
        if (refuse ? strncmp(out.p, "error: ", 7) != 0 || !strstr(out.p, rows[i].want + 7)
                   : strcmp(out.p, rows[i].want) != 0) {
            print_error("%s gave %s, not %s\n", rows[i].expression, out.p, rows[i].want);
            wrong++;
        }
        arena_done(&a);
    }
    return wrong;
}

#endif
