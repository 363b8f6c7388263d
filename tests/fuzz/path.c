/* path.c - a FHIRPath expression, a line feed, and the resource to look at. */
#include "fhir/path.h"
#include "fuzz.h"

#include <string.h>

#define ARENA_MAX MIB(256)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *)data, *cut = n ? memchr(text, '\n', n) : NULL;
    struct str expression = cut ? str_n(text, (size_t)(cut - text)) : str_n(text, n);
    struct str body = cut ? str_n(cut + 1, n - expression.n - 1) : STR("{}");
    struct path_items out = {0};
    struct path_env env = {0};
    const struct path *path;
    struct arena a;
    yyjson_val *root;
    struct err err = {0};

    arena_init(&a, ARENA_MAX);
    if (path_compile(&a, expression, NULL, &path, &err) == 0) {
        if (js_parse(&a, body, &root, &err) == 0) {
            struct path_item focus = path_root(root);

            env.a = &a;
            env.resource = root;
            if (path_eval(path, &env, &focus, &out, &err) == 0)
                FUZZ_HOLDS(out.n <= PATH_ITEMS_MAX);
            else
                FUZZ_HOLDS(err.code < 0);
        }
    } else {
        FUZZ_HOLDS(err.code == ERR_VALUE || err.code == ERR_NOT_SUPPORTED ||
                   err.code == ERR_NO_MEMORY || err.code == ERR_COSTLY);
    }
    arena_done(&a);
    return 0;
}
