/* validate.c - any bytes that are JSON through the validator: it ends, says where, stays in bounds.
 */
#include "fhir/validate.h"
#include "fhir/defs.h"
#include "fuzz.h"

#define ARENA_MAX MIB(64)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena a;
    struct issues issues;
    yyjson_val *root = NULL;
    struct err err = {0};
    size_t listed = 0;
    int type;

    arena_init(&a, ARENA_MAX);
    if (js_parse(&a, str_n((const char *)data, n), &root, &err) == 0) {
        issues_init(&issues, &a);
        type = fhir_validate(root, &issues, &err);
        FUZZ_HOLDS(type >= 0 ? type <= DEF_RESOURCE_MAX : type == ERR_NO_MEMORY);
        for (const struct issue *i = issues.first; i; i = i->next, listed++)
            FUZZ_HOLDS(i->text.n > 0 && (type == 0 || i->where.n > 0));
        FUZZ_HOLDS(listed <= ISSUES_MAX && (type != 0 || listed > 0));
    }
    arena_done(&a);
    return 0;
}
