/* xml.c - any bytes as FHIR XML: what is read is JSON of a bounded length, and what of it can be
 * written comes back as the same JSON. */
#include "fhir/xml.h"
#include "fuzz.h"

#define ARENA_MAX MIB(64)
#define TEXT_MAX MIB(16)
#define SLACK 64 /* "a little" in xml_read's promise */

static void check_return(struct arena *a, struct str json)
{
    _cleanup_(sb_done) struct sb xml = sb_make(TEXT_MAX), again = sb_make(TEXT_MAX),
                                 plain = sb_make(TEXT_MAX);
    yyjson_val *root;
    struct err err = {0};
    int r;

    r = js_parse(a, json, &root, &err);
    /* Arrays count there and not here. */
    FUZZ_HOLDS(r == 0 || strstr(err.text, "nested"));
    if (r < 0 || xml_write(&xml, a, root, false, &err) < 0)
        return;
    if (xml_read(a, sb_view(&xml), &again, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        FUZZ_HOLDS(!"what was written can be read");
    }
    FUZZ_HOLDS(str_eq(json, sb_view(&again)));
    js_write(&plain, root);
    FUZZ_HOLDS(str_eq(json, sb_view(&plain)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    _cleanup_(sb_done) struct sb json = sb_make(TEXT_MAX);
    struct str text = str_n((const char *)data, n);
    struct err err = {0};
    struct arena a;
    int r;

    arena_init(&a, ARENA_MAX);
    r = xml_read(&a, text, &json, &err);
    FUZZ_HOLDS(r == 0 || r == ERR_SYNTAX || r == ERR_INVALID);
    FUZZ_HOLDS(r == 0 || (err.code == r && err.text[0]));
    FUZZ_HOLDS(json.n <= XML_INFLATES_MAX * n + SLACK);
    if (r == 0) {
        FUZZ_HOLDS(xml_is_likely(text));
        check_return(&a, sb_view(&json));
    }
    arena_done(&a);
    return 0;
}
