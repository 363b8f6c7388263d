/* path.c - a FHIRPath expression, a line feed, and the resource to look at; compiled both ways. */
#include "fhir/path.h"
#include "fuzz.h"

#include <string.h>

#define ARENA_MAX MIB(256)

static void hear(void *ctx, struct str name, const struct path_items *items)
{
    (void)ctx;
    FUZZ_HOLDS(name.p && items->n <= PATH_ITEMS_MAX);
}

static void evaluate(struct arena *a, const struct path *path, yyjson_val *root)
{
    struct path_item focus = path_root(root), number = {.kind = PATH_INTEGER, .text = STR("7")};
    struct path_variable variable = {STR("v"), {&number, 1, 1}};
    struct path_env env = {.a = a,
                           .resource = root,
                           .variables = &variable,
                           .n_variables = 1,
                           .trace = hear,
                           .now_ms = 1};
    _cleanup_(sb_done) struct sb text = sb_make(MIB(16));
    struct path_items out = {0};
    yyjson_val *again;
    struct err err = {0};

    if (path_eval(path, &env, &focus, &out, &err) < 0) {
        FUZZ_HOLDS(err.code < 0 && err.text[0]);
        return;
    }
    FUZZ_HOLDS(out.n <= PATH_ITEMS_MAX);
    path_truth(&out, &err);
    path_write(&text, &out);
    /* What it gives is JSON, if it is not too much of it. */
    if (sb_ok(&text, &err) == 0 && js_parse(a, sb_view(&text), &again, &err) < 0)
        FUZZ_HOLDS(err.code == ERR_NO_MEMORY || err.code == ERR_TOO_LONG || err.code == ERR_SYNTAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *)data, *cut = n ? memchr(text, '\n', n) : NULL;
    struct str expression = cut ? str_n(text, (size_t)(cut - text)) : str_n(text, n);
    struct str body = cut ? str_n(cut + 1, n - expression.n - 1) : STR("{}");
    struct arena a;
    yyjson_val *root;
    struct err err = {0};

    arena_init(&a, ARENA_MAX);
    if (js_parse(&a, body, &root, &err) == 0) {
        for (int strict = 0; strict < 2; strict++) {
            const struct path *path;
            const struct def_type *type = path_root(root).type;
            int r = strict ? path_compile_strict(&a, expression, type, &path, &err)
                           : path_compile(&a, expression, type, &path, &err);
            if (r == 0)
                evaluate(&a, path, root);
            else
                FUZZ_HOLDS(r == ERR_VALUE || r == ERR_NOT_SUPPORTED || r == ERR_NO_MEMORY ||
                           r == ERR_COSTLY);
        }
    }
    arena_done(&a);
    return 0;
}
