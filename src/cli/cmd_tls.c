#include "cli/cli.h"

#include "base/clock.h"
#include "trust/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 4096
#define RENEW_DAYS "30"
#define DAY_MS INT64_C(86400000)

static const struct cli_option options[] = {
    {"name", "TEXT", "ca: what phones call the authority", CLI_STRING, false, "Carnet", 0, 0},
    {"only", "NAME", "ca: host name, or range of addresses, that it may certify; may be repeated",
     CLI_LIST, false, NULL, 0, 0},
    {"host", "NAME", "node: name or address that it is reached by; may be repeated", CLI_LIST,
     false, NULL, 0, 0},
    {"days", "N", "node, client: how long the certificate lasts", CLI_U64, false, "397", 1,
     AUTHORITY_DAYS},
    {"left", "DAYS", "renew: only when it ends within so many days", CLI_U64, false, RENEW_DAYS, 0,
     AUTHORITY_DAYS},
};

/* ---- files ---- */

static int path_of(const struct cli_args *args, const char *file, char ret[PATH_BYTES_MAX],
                   struct err *err)
{
    int n = snprintf(ret, PATH_BYTES_MAX, "%s/%s", args->operands[1], file);

    return n < PATH_BYTES_MAX ? 0 : err_set(err, ERR_VALUE, "the folder's path is too long");
}

static int load(const struct cli_args *args, const char *file, struct sb *to, struct err *err)
{
    char path[PATH_BYTES_MAX];
    int r = path_of(args, file, path, err);

    return r < 0 ? r : cli_input(path, to, err);
}

/* Whole or not at all: written beside, and put in its place. `keep`: what is there stays. */
static int save(const struct cli_args *args, const char *file, struct str text, mode_t mode,
                bool keep, struct err *err)
{
    char path[PATH_BYTES_MAX], beside[PATH_BYTES_MAX + 8];
    int r = path_of(args, file, path, err), fd;

    if (r < 0)
        return r;
    snprintf(beside, sizeof beside, "%s.new", path);
    unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return err_set(err, ERR_NO_STORE, "\"%s\" cannot be made: %s", beside, strerror(errno));
    r = cli_write(fd, text, err);
    if (r >= 0 && fsync(fd) < 0)
        r = err_set(err, ERR_NO_STORE, "\"%s\" cannot be written: %s", beside, strerror(errno));
    close(fd);
    if (r >= 0 && (keep ? link(beside, path) : rename(beside, path)) < 0)
        r = err_set(err, errno == EEXIST ? ERR_CONFLICT : ERR_NO_STORE, "\"%s\" cannot be made: %s",
                    path, strerror(errno));
    unlink(beside);
    return r;
}

/* ---- what can be done ---- */

static size_t list(const struct cli_args *args, const char *option, struct str *to)
{
    size_t n = 0;
    const char *one;

    while (n <= AUTHORITY_NAMES_MAX && (one = cli_list(args, option, n)))
        to[n++] = str_c(one);
    return n;
}

static int make_authority(const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb cert = sb_make(AUTHORITY_PEM_MAX);
    _cleanup_(sb_done) struct sb key = sb_make(AUTHORITY_PEM_MAX);
    _cleanup_(authority_done) struct authority a = {0};
    struct str only[AUTHORITY_NAMES_MAX + 1];
    size_t n = list(args, "only", only);
    int r;

    if (n > AUTHORITY_NAMES_MAX)
        return err_set(err, ERR_VALUE, "there are more than %d --only", AUTHORITY_NAMES_MAX);
    if (mkdir(args->operands[1], 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_NO_STORE, "\"%s\" cannot be made: %s", args->operands[1],
                       strerror(errno));
    r = authority_new(str_c(cli_string(args, "name")), only, n, &a, err);
    if (r >= 0)
        r = authority_write(&a, &cert, &key, err);
    if (r >= 0)
        r = save(args, "ca.key", sb_view(&key), 0600, true, err);
    if (r >= 0)
        r = save(args, "ca.crt", sb_view(&cert), 0644, true, err);
    if (key.n)
        explicit_bzero(key.p, key.n);
    if (r >= 0)
        printf("%s/ca.crt is for the phones; keep %s/ca.key where nobody finds it\n",
               args->operands[1], args->operands[1]);
    return r;
}

static int open_authority(const struct cli_args *args, struct authority *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb cert = sb_make(AUTHORITY_PEM_MAX);
    _cleanup_(sb_done) struct sb key = sb_make(AUTHORITY_PEM_MAX);
    int r = load(args, "ca.crt", &cert, err);

    if (r >= 0)
        r = load(args, "ca.key", &key, err);
    if (r >= 0)
        r = authority_read(sb_view(&cert), sb_view(&key), ret, err);
    if (key.n)
        explicit_bzero(key.p, key.n);
    return r;
}

static int keep(const struct cli_args *args, const char *name, struct sb *chain, struct sb *key,
                struct err *err)
{
    char file[64];
    int r;

    snprintf(file, sizeof file, "%s.key", name);
    r = save(args, file, sb_view(key), 0600, false, err);
    snprintf(file, sizeof file, "%s.crt", name);
    if (r >= 0)
        r = save(args, file, sb_view(chain), 0644, false, err);
    explicit_bzero(key->p, key->n);
    if (r >= 0)
        printf("%s/%s.crt, %s/%s.key\n", args->operands[1], name, args->operands[1], name);
    return r;
}

static int certify(const struct cli_args *args, const struct str *names, size_t n, struct err *err)
{
    _cleanup_(sb_done) struct sb chain = sb_make(AUTHORITY_PEM_MAX),
                                 key = sb_make(AUTHORITY_PEM_MAX);
    _cleanup_(authority_done) struct authority a = {0};
    int r = open_authority(args, &a, err);

    if (r >= 0)
        r = authority_certify_node(&a, names, n, (int)cli_u64(args, "days"), &chain, &key, err);
    return r < 0 ? r : keep(args, "node", &chain, &key, err);
}

static int make_node(const struct cli_args *args, struct err *err)
{
    struct str names[AUTHORITY_NAMES_MAX + 1];
    size_t n = list(args, "host", names);

    return certify(args, names, n, err);
}

/* Does nothing while there is time: for a timer. */
static int renew(const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb chain = sb_make(AUTHORITY_PEM_MAX);
    struct str names[AUTHORITY_NAMES_MAX];
    struct certificate now;
    int r = load(args, "node.crt", &chain, err);

    if (r >= 0)
        r = certificate_read(sb_view(&chain), &now, err);
    if (r < 0)
        return r;
    if (now.until_ms - clock_now_ms() > (int64_t)cli_u64(args, "left") * DAY_MS) {
        printf("the node's certificate is good for %lld days yet\n",
               (long long)((now.until_ms - clock_now_ms()) / DAY_MS));
        return 0;
    }
    for (size_t i = 0; i < now.n_names; i++)
        names[i] = str_c(now.names[i]);
    return certify(args, names, now.n_names, err);
}

static int make_client(const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb chain = sb_make(AUTHORITY_PEM_MAX),
                                 key = sb_make(AUTHORITY_PEM_MAX);
    _cleanup_(authority_done) struct authority a = {0};
    const char *name = args->n_operands == 3 ? args->operands[2] : "";
    int r;

    for (const char *c = name; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *c))
            name = "";
    if (!*name || strlen(name) > 40 || strcmp(name, "ca") == 0 || strcmp(name, "node") == 0)
        return err_set(err, ERR_VALUE,
                       "client needs a name of a-z, 0-9, - and _ that is neither ca nor node");
    r = open_authority(args, &a, err);
    if (r >= 0)
        r = authority_certify_client(&a, str_c(name), (int)cli_u64(args, "days"), &chain, &key,
                                     err);
    return r < 0 ? r : keep(args, name, &chain, &key, err);
}

static int say(const struct cli_args *args, const char *file, bool must, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(AUTHORITY_PEM_MAX);
    struct certificate c;
    char until[CLOCK_INSTANT_MAX];
    int r = load(args, file, &text, err);

    if (r == ERR_NOT_FOUND && !must)
        return 0;
    if (r < 0 || (r = certificate_read(sb_view(&text), &c, err)) < 0)
        return r;
    clock_format(c.until_ms, until);
    printf("%s  %s  until %.10s\n  SHA-256 %s\n", file, c.subject, until, c.fingerprint);
    for (size_t i = 0; i < c.n_names; i++)
        printf("  %s\n", c.names[i]);
    return 0;
}

static int show(const struct cli_args *args, struct err *err)
{
    int r = say(args, "ca.crt", true, err);

    return r < 0 ? r : say(args, "node.crt", false, err);
}

static int run(const struct cli_args *args, struct err *err)
{
    static const struct {
        const char *name;
        int (*run)(const struct cli_args *args, struct err *err);
    } actions[] = {{"ca", make_authority},
                   {"node", make_node},
                   {"renew", renew},
                   {"client", make_client},
                   {"show", show}};

    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (strcmp(args->operands[0], actions[i].name) == 0)
            return actions[i].run(args, err);
    return err_set(err, ERR_VALUE, "\"%s\" is none of ca, node, renew, client and show",
                   args->operands[0]);
}

const struct cli_command cmd_tls = {
    .name = "tls",
    .summary = "certificates of your own, for a node that no public authority certifies",
    .about = "ca DIR makes an authority in a folder: ca.crt is installed on the phones and\n"
             "computers that are to trust it, ca.key certifies. With --only it certifies those\n"
             "names alone, whoever has its key.\n\n"
             "node DIR --host NAME certifies a node: node.crt and node.key are what serve takes\n"
             "as --tls-cert and --tls-key. renew DIR does so again, for the same names, when the\n"
             "certificate ends soon: for a timer, with a restart of the node behind it.\n\n"
             "client DIR NAME certifies a client. show DIR prints names, ends and fingerprints:\n"
             "compare the authority's with what a phone shows before it is trusted.",
    .operands = "ca DIR | node DIR | renew DIR | client DIR NAME | show DIR",
    .operands_min = 2,
    .operands_max = 3,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
