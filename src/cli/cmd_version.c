#include "cli/cli.h"

#include <stdio.h>

const char *cli_version(void)
{
    return CARNET_VERSION;
}

static int run(const struct cli_args *args _unused_, struct err *err _unused_)
{
    printf("carnet %s\nFHIR 4.0.1\n", cli_version());
    return 0;
}

const struct cli_command cmd_version = {
    .name = "version",
    .summary = "print the version",
    .about = "Prints the program's version and the FHIR release that it speaks.",
    .run = run,
};
