/* json.c - any bytes through the JSON reader: what it accepts is written and read back the same. */
#include "base/js.h"
#include "fuzz.h"

#define ARENA_MAX MIB(64)
#define OUT_MAX MIB(16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena a;
    _cleanup_(sb_done) struct sb once = sb_make(OUT_MAX), twice = sb_make(OUT_MAX);
    _cleanup_(sb_done) struct sb pretty = sb_make(OUT_MAX);
    yyjson_val *root = NULL;
    struct err err = {0};

    arena_init(&a, ARENA_MAX);
    if (js_parse(&a, str_n((const char *)data, n), &root, &err) < 0) {
        FUZZ_HOLDS(err.code < 0 && err.text[0]);
    } else {
        js_write(&once, root);
        FUZZ_HOLDS(js_parse(&a, sb_view(&once), &root, &err) == 0);
        js_write(&twice, root);
        FUZZ_HOLDS(str_eq(sb_view(&once), sb_view(&twice)));
        js_write_pretty(&pretty, root);
        FUZZ_HOLDS(js_parse(&a, sb_view(&pretty), &root, &err) == 0);
    }
    arena_done(&a);
    return 0;
}
