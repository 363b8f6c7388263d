/* unpack.c - any bytes as an archive, of each kind that is known: its files end, within the bounds.
 */
#include "fuzz.h"
#include "terminology/unpack.h"

#define FILES_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct unpack *u;
    struct str name;
    size_t n_files = 0;

    if (unpack_open_memory("input", str_n((const char *)data, n), &u, NULL) < 0)
        return 0;
    while (n_files++ < FILES_MAX && unpack_next(u, &name, NULL) > 0) {
        struct sb text = sb_make(MIB(1) + KIB(1));
        struct str first;
        FUZZ_HOLDS(name.p != NULL);
        if (unpack_peek(u, 100, &first, NULL) == 0)
            FUZZ_HOLDS(first.n <= 100);
        if (unpack_rest(u, MIB(1), &text, NULL) == 0)
            FUZZ_HOLDS(text.n >= first.n && text.n <= MIB(1));
        sb_done(&text);
    }
    unpack_close(u);
    return 0;
}
