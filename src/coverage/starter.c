/* starter.c - the set of defs/coverage/, taken in as it is checked in. */
#include "coverage/indicator.h"

__asm__(".pushsection .rodata\n"
        "carnet_coverage:\n"
        ".incbin \"" COVERAGE_DIR "/indicators.json\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char carnet_coverage[] __attribute__((visibility("hidden")));

struct str coverage_starter(void)
{
    return str_c(carnet_coverage);
}
