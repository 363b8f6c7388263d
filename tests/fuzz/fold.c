/* fold.c - any bytes folded: within the limits, and folding again changes nothing. */
#include "fhir/fold.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str s = str_n((const char *)data, size);
    char once[500], twice[500];
    bool cut;
    size_t n = fold_text(s, once, sizeof once, &cut), m;

    FUZZ_HOLDS(n <= sizeof once && (cut || n <= s.n * FOLD_GROWTH));
    m = fold_text(str_n(once, n), twice, sizeof twice, NULL);
    FUZZ_HOLDS(str_eq(str_n(once, n), str_n(twice, m)));
    return 0;
}
