/* case_starter.c - the definitions of defs/surveillance/, taken in as they are checked in. */
#include "surveillance/case_definition.h"

__asm__(".pushsection .rodata\n"
        "carnet_case_definitions:\n"
        ".incbin \"" SURVEILLANCE_DIR "/case-definitions.json\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char carnet_case_definitions[] __attribute__((visibility("hidden")));

struct str case_definitions_starter(void)
{
    return str_c(carnet_case_definitions);
}
