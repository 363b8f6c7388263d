/* policy_default.c - the policy of defs/policy/, taken in as it is checked in. */
#include "trust/policy.h"

__asm__(".pushsection .rodata\n"
        "carnet_policy:\n"
        ".incbin \"" POLICY_DIR "/default.json\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char carnet_policy[] __attribute__((visibility("hidden")));

struct str policy_default(void)
{
    return str_c(carnet_policy);
}
