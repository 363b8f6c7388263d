/* patch.c - a document and a patch (an array: JSON Patch, an object: FHIRPath Patch), a zero byte
 * between them: what comes out is JSON again. */
#include "fhir/patch.h"
#include "fuzz.h"

#define ARENA_MAX MIB(16)
#define OUT_MAX MIB(4)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str all = str_n((const char *)data, n);
    ptrdiff_t middle = str_find(all, '\0');
    _cleanup_(sb_done) struct sb out = sb_make(OUT_MAX);
    yyjson_val *root, *patch;
    struct err err = {0};
    struct arena a;

    if (middle < 0)
        return 0;
    arena_init(&a, ARENA_MAX);
    if (js_parse(&a, str_head(all, (size_t)middle), &root, &err) == 0 &&
        js_parse(&a, str_from(all, (size_t)middle + 1), &patch, &err) == 0) {
        int r = yyjson_is_obj(patch) ? patch_fhirpath(&a, root, patch, NULL, &out, &err)
                                     : patch_json(&a, root, patch, &out, &err);
        if (r < 0)
            FUZZ_HOLDS(err.code < 0 && err.text[0]);
        else if (js_parse(&a, sb_view(&out), &root, &err) < 0)
            FUZZ_HOLDS(err.code == ERR_NO_MEMORY);
    }
    arena_done(&a);
    return 0;
}
