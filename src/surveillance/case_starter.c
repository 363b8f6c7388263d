/* case_starter.c - the definitions and rules of defs/surveillance/, taken in as they are checked
 * in. */
#include "surveillance/case_definition.h"
#include "surveillance/signal_rules.h"

#define TAKE_IN(symbol, file)                                                                      \
    __asm__(".pushsection .rodata\n" #symbol ":\n"                                                 \
            ".incbin \"" SURVEILLANCE_DIR "/" file "\"\n"                                          \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char symbol[] __attribute__((visibility("hidden")))

TAKE_IN(carnet_case_definitions, "case-definitions.json");
TAKE_IN(carnet_signal_rules, "signal-rules.json");

struct str case_definitions_starter(void)
{
    return str_c(carnet_case_definitions);
}

struct str signal_rules_starter(void)
{
    return str_c(carnet_signal_rules);
}
