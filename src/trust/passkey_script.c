/* passkey_script.c - the one script of the node's pages, taken in as it is checked in. */
#include "trust/passkey_page.h"

__asm__(".pushsection .rodata\n"
        "carnet_passkey_script:\n"
        ".incbin \"" PASSKEY_SCRIPT "\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char carnet_passkey_script[] __attribute__((visibility("hidden")));

struct str passkey_script(void)
{
    return str_c(carnet_passkey_script);
}
