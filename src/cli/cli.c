#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define READ_BYTES KIB(64)

static size_t option_place(const struct cli_command *c, const char *name, enum cli_kind kind)
{
    for (size_t i = 0; i < c->n_options; i++)
        if (strcmp(c->options[i].name, name) == 0) {
            assert(c->options[i].kind == kind);
            return i;
        }
    assert(!"the command has no such option");
    return 0;
}

const char *cli_string(const struct cli_args *args, const char *name)
{
    return args->values[option_place(args->command, name, CLI_STRING)];
}

uint64_t cli_u64(const struct cli_args *args, const char *name)
{
    return args->numbers[option_place(args->command, name, CLI_U64)];
}

bool cli_flag(const struct cli_args *args, const char *name)
{
    return args->values[option_place(args->command, name, CLI_FLAG)] != NULL;
}

const char *cli_list(const struct cli_args *args, const char *name, size_t i)
{
    size_t option = option_place(args->command, name, CLI_LIST);

    for (size_t k = 0; k < args->n_list; k++)
        if (args->list[k].option == option && i-- == 0)
            return args->list[k].value;
    return NULL;
}

static int number(const struct cli_option *o, const char *text, uint64_t *ret, struct err *err)
{
    uint64_t max = o->max ? o->max : UINT64_MAX;

    if (!str_to_u64(str_c(text), max, ret) || *ret < o->min) {
        if (o->max)
            return err_set(err, ERR_VALUE, "--%s must be a number from %llu to %llu, not \"%s\"",
                           o->name, (unsigned long long)o->min, (unsigned long long)max, text);
        return err_set(err, ERR_VALUE, "--%s must be a number from %llu, not \"%s\"", o->name,
                       (unsigned long long)o->min, text);
    }
    return 0;
}

static int take_value(const struct cli_option *o, size_t at, const char *value,
                      struct cli_args *args, struct err *err)
{
    if (o->kind == CLI_LIST) {
        if (args->n_list == CLI_LIST_MAX)
            return err_set(err, ERR_VALUE, "options are repeated more than %d times", CLI_LIST_MAX);
        args->list[args->n_list].option = at;
        args->list[args->n_list++].value = value;
        args->values[at] = value;
        return 0;
    }
    if (args->values[at])
        return err_set(err, ERR_VALUE, "--%s is given twice", o->name);
    args->values[at] = value;
    if (o->kind == CLI_U64)
        return number(o, value, &args->numbers[at], err);
    return 0;
}

/* One "--name", "--name=value" or "--name value" at argv[*i]. */
static int take_option(const struct cli_command *c, int argc, char **argv, int *i,
                       struct cli_args *args, struct err *err)
{
    struct str word = str_c(argv[*i] + 2), name = word;
    ptrdiff_t eq = str_find(word, '=');

    if (eq >= 0)
        name = str_head(word, (size_t)eq);
    for (size_t at = 0; at < c->n_options; at++) {
        const struct cli_option *o = &c->options[at];

        if (!str_eq(name, str_c(o->name)))
            continue;
        if (o->kind == CLI_FLAG) {
            if (eq >= 0)
                return err_set(err, ERR_VALUE, "--%s takes no value", o->name);
            return take_value(o, at, "", args, err);
        }
        if (eq >= 0)
            return take_value(o, at, argv[*i] + 2 + eq + 1, args, err);
        if (*i + 1 >= argc)
            return err_set(err, ERR_VALUE, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
        *i += 1;
        return take_value(o, at, argv[*i], args, err);
    }
    return err_set(err, ERR_VALUE, "there is no option --%.*s", STR_ARG(name));
}

static int take_fallbacks(const struct cli_command *c, struct cli_args *args, struct err *err)
{
    int r;

    for (size_t at = 0; at < c->n_options; at++) {
        const struct cli_option *o = &c->options[at];

        if (args->values[at])
            continue;
        if (o->required)
            return err_set(err, ERR_VALUE, "--%s %s is missing", o->name, o->arg);
        if (!o->fallback)
            continue;
        r = take_value(o, at, o->fallback, args, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int cli_parse(const struct cli_command *c, int argc, char **argv, struct cli_args *ret,
              struct err *err)
{
    struct cli_args args = {.command = c, .operands = argv};
    bool only_operands = false;
    int r;

    assert(c->n_options <= CLI_OPTIONS_MAX);
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];

        if (only_operands || word[0] != '-' || word[1] == '\0') {
            argv[args.n_operands++] = argv[i];
        } else if (strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (word[1] != '-') {
            return err_set(err, ERR_VALUE, "there is no option %s", word);
        } else {
            r = take_option(c, argc, argv, &i, &args, err);
            if (r < 0)
                return r;
        }
    }
    if (args.n_operands > c->operands_max && c->operands_max >= 0)
        return err_set(err, ERR_VALUE, "\"%s\" is one word too many", argv[c->operands_max]);
    if (args.n_operands < c->operands_min)
        return err_set(err, ERR_VALUE, "%s is missing", c->operands);
    r = take_fallbacks(c, &args, err);
    if (r < 0)
        return r;
    *ret = args;
    return 0;
}

static void print_row(const char *left, const char *help, const char *note, size_t width)
{
    printf("  %-*s  %s%s\n", (int)width, left, help, note);
}

static void command_help(const struct cli_command *c)
{
    char left[CLI_OPTIONS_MAX + 1][64], note[128];
    size_t width = 0, n = c->n_options;

    printf("Usage: carnet %s%s%s%s\n\n%s\n", c->name, n ? " [options]" : "", c->operands ? " " : "",
           c->operands ? c->operands : "", c->about);
    for (size_t i = 0; i < n; i++)
        snprintf(left[i], sizeof left[i], "--%s%s%s", c->options[i].name,
                 c->options[i].arg ? " " : "", c->options[i].arg ? c->options[i].arg : "");
    snprintf(left[n], sizeof left[n], "--help");
    for (size_t i = 0; i <= n; i++)
        width = MAX(width, strlen(left[i]));
    printf("\nOptions:\n");
    for (size_t i = 0; i < n; i++) {
        const struct cli_option *o = &c->options[i];

        note[0] = '\0';
        if (o->required)
            snprintf(note, sizeof note, " (required)");
        else if (o->fallback)
            snprintf(note, sizeof note, " (default: %s)", o->fallback);
        print_row(left[i], o->help, note, width);
    }
    print_row(left[n], "show this and stop", "", width);
}

static void program_help(const struct cli_command *const *commands, size_t n)
{
    size_t width = strlen("--version");

    printf("Carnet: a country's digital-health node, in FHIR R4.\n\n"
           "Usage: carnet COMMAND [options]\n"
           "       carnet COMMAND --help\n\nCommands:\n");
    for (size_t i = 0; i < n; i++)
        width = MAX(width, strlen(commands[i]->name));
    for (size_t i = 0; i < n; i++)
        print_row(commands[i]->name, commands[i]->summary, "", width);
    printf("\nOptions:\n");
    print_row("--help", "show this and stop", "", width);
    print_row("--version", "print the version and stop", "", width);
}

/* Whether a word asks for help; behind "--" everything is an operand. */
static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* What was printed must have arrived, except where the reader has gone. */
static int flushed(int status)
{
    if (fflush(stdout) == 0 || errno == EPIPE)
        return status;
    fprintf(stderr, "carnet: standard output cannot be written: %s\n", strerror(errno));
    return EXIT_FAILED;
}

static int run_command(const struct cli_command *c, int argc, char **argv)
{
    struct cli_args args;
    struct err err = {0};
    int r;

    if (asks_help(argc, argv)) {
        command_help(c);
        return flushed(0);
    }
    if (cli_parse(c, argc, argv, &args, &err) < 0) {
        fprintf(stderr, "carnet %s: %s (see carnet %s --help)\n", c->name, err.text, c->name);
        return EXIT_USAGE;
    }
    r = c->run(&args, &err);
    if (r < 0) {
        fprintf(stderr, "carnet %s: %s\n", c->name, err.text);
        return EXIT_FAILED;
    }
    return flushed(r);
}

int cli_main(const struct cli_command *const *commands, size_t n, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;

    if (!word) {
        fprintf(stderr, "carnet: a command is missing (see carnet --help)\n");
        return EXIT_USAGE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        program_help(commands, n);
        return flushed(0);
    }
    if (strcmp(word, "--version") == 0) {
        printf("carnet %s\n", cli_version());
        return flushed(0);
    }
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, commands[i]->name) == 0)
            return run_command(commands[i], argc - 2, argv + 2);
    fprintf(stderr, "carnet: there is no %s \"%s\" (see carnet --help)\n",
            word[0] == '-' ? "option" : "command", word);
    return EXIT_USAGE;
}

int cli_input(const char *path, struct sb *to, struct err *err)
{
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), r = 0;
    char beyond = 0; /* where a byte goes that there is no room for */

    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "%s cannot be read: %s", path, strerror(errno));
    for (;;) {
        size_t room = MIN(READ_BYTES, to->max - to->n);
        char *at = room ? sb_room(to, room) : &beyond;
        ssize_t n = at ? read(fd, at, MAX(room, (size_t)1)) : 0;

        if (!at)
            r = err_no_memory(err);
        else if (n > 0 && room == 0)
            r = err_set(err, ERR_TOO_LONG, "%s is longer than %zu KiB", path, to->max >> 10);
        else if (n > 0)
            sb_add(to, (size_t)n);
        else if (n < 0 && errno != EINTR)
            r = err_set(err, ERR_NO_STORE, "%s cannot be read: %s", path, strerror(errno));
        if (r < 0 || n == 0)
            break;
    }
    if (fd != STDIN_FILENO)
        close(fd);
    return r;
}

int cli_write(int fd, struct str s, struct err *err)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);

        if (n > 0)
            s = str_from(s, (size_t)n);
        else if (n < 0 && errno == EPIPE)
            return 1;
        else if (n < 0 && errno != EINTR)
            return err_set(err, errno == ENOSPC ? ERR_FULL : ERR_NO_STORE,
                           "the output cannot be written: %s", strerror(errno));
    }
    return 0;
}

int cli_output_open(const char *path, int *ret, struct err *err)
{
    int fd;

    if (strcmp(path, "-") == 0) {
        *ret = STDOUT_FILENO;
        return 0;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_set(err, ERR_NO_STORE, "%s cannot be written: %s", path, strerror(errno));
    *ret = fd;
    return 0;
}

int cli_output_close(int fd, int r, struct err *err)
{
    if (fd > STDERR_FILENO && close(fd) < 0 && r >= 0)
        return err_set(err, ERR_NO_STORE, "the output cannot be written: %s", strerror(errno));
    return r;
}
