/* resource.c - any JSON as a resource: validated, and when it is valid, indexed. */
#include "fhir/index.h"
#include "fhir/params.h"
#include "fhir/validate.h"
#include "fuzz.h"

#include <string.h>

#define ARENA_MAX MIB(64)

static struct params *params;

static void check_index(const struct index *ix)
{
    for (size_t i = 0; i < ix->n_entries; i++) {
        const struct index_entry *e = &ix->entries[i], *before = i ? e - 1 : NULL;

        FUZZ_HOLDS(e->key_n <= INDEX_KEY_MAX);
        if (before && before->param == e->param) {
            size_t n = MIN(before->key_n, e->key_n);
            int cmp = n ? memcmp(before->key, e->key, n) : 0;

            FUZZ_HOLDS(cmp < 0 || (cmp == 0 && before->key_n < e->key_n));
        } else if (before) {
            FUZZ_HOLDS(before->param < e->param);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct index_options options = {0};
    struct arena a;
    struct issues issues;
    struct index ix;
    yyjson_val *root;
    struct err err = {0};
    int type;

    if (!params)
        params = params_base(&err);
    FUZZ_HOLDS(params);
    arena_init(&a, ARENA_MAX);
    issues_init(&issues, &a);
    if (js_parse(&a, str_n((const char *)data, n), &root, &err) == 0) {
        type = fhir_validate(root, &issues, &err);
        FUZZ_HOLDS(type > 0 || type < 0 || issues.n_errors);
        if (type > 0 && !issues.n_errors) {
            int r = index_extract(&a, params, &options, type, root, &ix, &err);

            FUZZ_HOLDS(r == 0 || r == ERR_COSTLY);
            if (r == 0)
                check_index(&ix);
        }
    }
    arena_done(&a);
    return 0;
}
