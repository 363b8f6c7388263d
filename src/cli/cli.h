/* cli.h - the command line: `carnet COMMAND [options]`, as tables.
 *
 * A command is one file cmd_<name>.c that defines `const struct cli_command cmd_<name>`, and one
 * row in CLI_COMMANDS. Its options are a table; parsing, `--help` and the messages come from it.
 *
 * Exit status: 0 done, 1 it failed (one line on standard error says why), 2 the command line is
 * wrong. A command may return a status of its own above 2, for "it ran, and found something".
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/sb.h"

#define CLI_OPTIONS_MAX 48
#define CLI_LIST_MAX 200 /* values of options that may be given several times */

/* One row a command, in the order of `carnet --help`. */
#define CLI_COMMANDS(X) \
    X(init)             \
    X(serve)            \
    X(import)           \
    X(export)           \
    X(convert)          \
    X(synth)            \
    X(check)            \
    X(backup)           \
    X(restore)          \
    X(erase)            \
    X(key)              \
    X(migrate)          \
    X(reindex)          \
    X(validate)         \
    X(user)             \
    X(client)           \
    X(tls)              \
    X(policy)           \
    X(explain)          \
    X(package)          \
    X(fhirpath)         \
    X(terminology)      \
    X(series)           \
    X(detect)           \
    X(nowcast)          \
    X(rt)               \
    X(audit)            \
    X(witness)          \
    X(version)

enum cli_kind { CLI_FLAG, CLI_STRING, CLI_U64, CLI_LIST /* may be given several times */ };

struct cli_option {
    const char *name; /* "people" for --people */
    const char *arg;  /* what stands for the value in the help: "N"; NULL for a flag */
    const char *help; /* one line, lower case, no full stop */
    enum cli_kind kind;
    bool required;
    const char *fallback; /* value when it is not given, shown in the help; NULL: none */
    uint64_t min, max;    /* of CLI_U64; max 0: no limit */
};

/* Where a node's records are: in its data folder, or in a PostgreSQL. */
#define CLI_STORE_OPTIONS                                                                          \
    {"data", "DIR", "the node's data folder", CLI_STRING, true, NULL, 0, 0}, CLI_STORE_URI_OPTIONS
#define CLI_KEY_OPTION                                                                             \
    {"key-file", "FILE", "holds the key of an encrypted data folder", CLI_STRING, false, NULL, 0, 0}
#define CLI_STORE_URI_OPTIONS                                                                      \
        CLI_KEY_OPTION,                                                                            \
        {"store", "URI", "keep records in PostgreSQL: its connection string", CLI_STRING, false,   \
         NULL, 0, 0},                                                                              \
        {"store-unsafe", NULL, "allow a PostgreSQL with fsync or synchronous_commit off",          \
         CLI_FLAG, false, NULL, 0, 0},                                                             \
        {"store-pooled", NULL, "reach PostgreSQL through a pooler of transactions", CLI_FLAG,      \
         false, NULL, 0, 0}
/* … as members of a struct server_config. */
#define CLI_STORE_CONFIG(args)                                                                     \
    .data_dir = cli_string(args, "data"), .key_file = cli_string(args, "key-file"),                \
    .store_uri = cli_string(args, "store"),                                                        \
    .store_unsafe = cli_flag(args, "store-unsafe"),                                                \
    .store_pooled = cli_flag(args, "store-pooled")

struct cli_args;

struct cli_command {
    const char *name;
    const char *summary;            /* one line for `carnet --help` */
    const char *about;              /* paragraphs for its own help, wrapped at 80 columns */
    const char *operands;           /* "FILE..." for the usage line, NULL: takes none */
    int operands_min, operands_max; /* max -1: no limit */
    const struct cli_option *options;
    size_t n_options;
    int (*run)(const struct cli_args *args, struct err *err);
};

/* A parsed command line. Values point into argv. */
struct cli_args {
    const struct cli_command *command;
    const char *values[CLI_OPTIONS_MAX]; /* by the option's place in the table; NULL: not given */
    uint64_t numbers[CLI_OPTIONS_MAX];
    struct {
        size_t option;
        const char *value;
    } list[CLI_LIST_MAX]; /* of CLI_LIST, in the order given */
    size_t n_list;
    char **operands;
    int n_operands;
};

/* Values by option name; the name must be in the command's table with that kind. */
const char *cli_string(const struct cli_args *args, const char *name); /* NULL: not given */
uint64_t cli_u64(const struct cli_args *args, const char *name);
bool cli_flag(const struct cli_args *args, const char *name);
/* The i-th value of an option that may be given several times; NULL behind the last. */
const char *cli_list(const struct cli_args *args, const char *name, size_t i);

/* argv[0] is the first word behind the command; its order is changed (operands come to the front).
 * ERR_VALUE says what is wrong with the command line. */
int cli_parse(const struct cli_command *command, int argc, char **argv, struct cli_args *ret,
              struct err *err);

/* The whole program: argv as of main; returns the exit status. */
int cli_main(const struct cli_command *const *commands, size_t n, int argc, char **argv);

/* Appends a file; "-" is standard input. ERR_NOT_FOUND, ERR_NO_STORE, or ERR_TOO_LONG past the
 * text's maximum. */
int cli_input(const char *path, struct sb *to, struct err *err);

/* Writes all of s to fd. 0, 1 when nobody reads any more (EPIPE), ERR_FULL or ERR_NO_STORE. */
int cli_write(int fd, struct str s, struct err *err);

/* A file for writing, made or emptied; "-" is standard output. And back: what a full disk says only
 * on closing becomes an error where r was none. Returns r otherwise. */
int cli_output_open(const char *path, int *ret, struct err *err);
int cli_output_close(int fd, int r, struct err *err);

/* The program's version, "0.1.0". */
const char *cli_version(void);

#define X(name) extern const struct cli_command cmd_##name;
CLI_COMMANDS(X)
#undef X

/* An entry in the audit log of what a command is about to do with a data folder (operator_note),
 * with the words that say to what. */
struct server_config;
int cli_note(const struct server_config *config, const char *what, char *const *words, size_t n,
             struct err *err);

#endif
