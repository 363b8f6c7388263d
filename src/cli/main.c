/* main.c - the program `carnet`: a table of commands. */
#include "cli/cli.h"

#include <signal.h>

static const struct cli_command *const commands[] = {
#define X(name) &cmd_##name,
    CLI_COMMANDS(X)
#undef X
};

int main(int argc, char **argv)
{
    /* A reader that goes away is an EPIPE where we write, not a death. */
    signal(SIGPIPE, SIG_IGN);
    return cli_main(commands, ARRAY_LEN(commands), argc, argv);
}
