#include "cli/cli.h"

#include "base/clock.h"
#include "fhir/date.h"
#include "server/operator.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_PROBLEMS 3
#define KEYS_MAX 32
#define HEADS_MAX 100
#define ENTRIES_MAX 1000  /* that one command names */
#define LEDGER_MAX KIB(3) /* of the numbers of what was erased, in the log */

static const struct cli_option options[] = {
    {"data", "DIR", "the node's data folder", CLI_STRING, false, NULL, 0, 0},
    CLI_KEY_OPTION,
    {"audit-key", "FILE", "init: PEM key that signs it; default: made in the log's folder",
     CLI_STRING, false, NULL, 0, 0},
    {"log", "KEY", "verify: public key of the log", CLI_STRING, false, NULL, 0, 0},
    {"witness", "KEY", "verify: public key of a witness; may be given several times", CLI_LIST,
     false, NULL, 0, 0},
    {"quorum", "N", "verify: how many of the witnesses must have cosigned; default: all", CLI_U64,
     false, "0", 0, KEYS_MAX},
    {"head", "FILE", "verify: a head that somebody kept; may be given several times", CLI_LIST,
     false, NULL, 0, 0},
    {"entry", "ID", "erase: an AuditEvent; may be given several times", CLI_LIST, false, NULL, 0,
     0},
    {"patient", "ID", "erase: those about this patient", CLI_STRING, false, NULL, 0, 0},
    {"before", "DATE", "erase: those of before this day (UTC)", CLI_STRING, false, NULL, 0, 0},
    {"reason", "TEXT", "erase: why, for the log itself", CLI_STRING, false, NULL, 0, 0},
    {"witnessed", NULL, "head: the newest that every witness cosigned", CLI_FLAG, false, NULL, 0,
     0},
};

static int open_log(const struct cli_args *args, struct audit_config *config,
                    struct audit_log **ret, struct err *err)
{
    *config = (struct audit_config){.dir = cli_string(args, "data"),
                                    .key_file = cli_string(args, "key-file"),
                                    .read_only = true};
    if (!config->dir)
        return err_set(err, ERR_VALUE, "--data DIR is missing");
    return audit_open(config, ret, err);
}

/* ---- head, key, proof ---- */

static int run_head(const struct cli_args *args, struct err *err)
{
    _cleanup_(audit_closep) struct audit_log *log = NULL;
    _cleanup_(sb_done) struct sb out = sb_make(NOTE_BYTES_MAX);
    struct audit_config config;
    int r = open_log(args, &config, &log, err);

    if (r >= 0)
        r = audit_head(log, cli_flag(args, "witnessed"), &out, err);
    return r < 0 ? r : cli_write(STDOUT_FILENO, sb_view(&out), err);
}

static int run_key(const struct cli_args *args, struct err *err)
{
    _cleanup_(audit_closep) struct audit_log *log = NULL;
    _cleanup_(sb_done) struct sb out = sb_make(KIB(1));
    struct audit_config config;
    int r = open_log(args, &config, &log, err);

    if (r < 0)
        return r;
    note_key_write(&out, audit_key(log));
    sb_char(&out, '\n');
    return cli_write(STDOUT_FILENO, sb_view(&out), err);
}

static int run_init(const struct cli_args *args, struct err *err)
{
    struct audit_config config = {.dir = cli_string(args, "data"),
                                  .key_file = cli_string(args, "key-file"),
                                  .key_path = cli_string(args, "audit-key")};
    _cleanup_(audit_closep) struct audit_log *log = NULL;

    if (!config.dir)
        return err_set(err, ERR_VALUE, "--data DIR is missing");
    if (audit_exists(config.dir))
        return err_set(err, ERR_CONFLICT, "%s has an audit log already", config.dir);
    return audit_open(&config, &log, err);
}

static int run_proof(const struct cli_args *args, struct err *err)
{
    _cleanup_(audit_closep) struct audit_log *log = NULL;
    _cleanup_(sb_done) struct sb out = sb_make(PROOF_BYTES_MAX);
    struct audit_config config;
    uint64_t leaf;
    int r;

    if (args->n_operands < 2)
        return err_set(err, ERR_VALUE, "proof needs the id of an AuditEvent");
    r = open_log(args, &config, &log, err);
    if (r >= 0 && !audit_id_parse(log, str_c(args->operands[1]), &leaf))
        r = err_set(err, ERR_VALUE, "%s is no AuditEvent of this log", args->operands[1]);
    if (r >= 0)
        r = audit_proof(log, leaf, &out, err);
    return r < 0 ? r : cli_write(STDOUT_FILENO, sb_view(&out), err);
}

/* ---- verify ---- */

static int read_keys(const struct cli_args *args, struct note_key *log, struct note_key *witnesses,
                     size_t *ret_n, struct err *err)
{
    const char *text = cli_string(args, "log");
    size_t n = 0;
    int r = text ? note_key_parse(str_c(text), log, err)
                 : err_set(err, ERR_VALUE, "--log KEY is missing");

    for (; r >= 0 && (text = cli_list(args, "witness", n)); n++)
        r = n == KEYS_MAX ? err_set(err, ERR_VALUE, "there are more than %d witnesses", KEYS_MAX)
                          : note_key_parse(str_c(text), &witnesses[n], err);
    *ret_n = n;
    return r;
}

static void print_member(const char *name, struct str value)
{
    if (!value.n)
        return;
    printf("%-12s", name);
    /* What an entry says is somebody's: nothing of it may steer a terminal. */
    for (size_t i = 0; i < value.n; i++)
        putchar((unsigned char)value.p[i] < ' ' || value.p[i] == 127 ? '?' : value.p[i]);
    putchar('\n');
}

static void print_event(const struct audit_row *row, const struct head *head)
{
    const struct audit_event *e = &row->event;
    char when[CLOCK_INSTANT_MAX];

    clock_format(e->when_ms, when);
    printf("The proof holds: this is entry %llu of %llu in the log %.*s.\n\n",
           (unsigned long long)row->leaf, (unsigned long long)head->size, STR_ARG(head->origin));
    print_member("when", str_c(when));
    print_member("what", str_c(audit_interaction_code(e->interaction)));
    print_member("operation", e->operation);
    print_member("type", e->type);
    print_member("id", e->id);
    print_member("version", e->version);
    print_member("asked", e->query);
    print_member("patient", e->patient);
    print_member("user", e->user);
    print_member("client", e->client);
    print_member("address", e->address);
    print_member("purpose", e->purpose);
    print_member("request", e->request_id);
    printf("%-12s%d\n", "status", e->status);
}

static int verify_proof(const struct cli_args *args, const char *path, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(PROOF_BYTES_MAX);
    _cleanup_(arena_done) struct arena a;
    struct note_key log, witnesses[KEYS_MAX];
    size_t n = 0, quorum = (size_t)cli_u64(args, "quorum");
    struct audit_row row;
    struct head head;
    int r = read_keys(args, &log, witnesses, &n, err);

    arena_init(&a, MIB(4));
    if (r >= 0)
        r = cli_input(path, &text, err);
    if (r >= 0)
        r = audit_verify_proof(&a, sb_view(&text), &log, witnesses, n, quorum ? quorum : n, &row,
                               &head, err);
    if (r < 0)
        return r;
    print_event(&row, &head);
    return 0;
}

static void say(void *ctx, const char *text)
{
    (void)ctx;
    printf("%s\n", text);
}

static int verify_folder(const struct cli_args *args, struct err *err)
{
    struct sb texts[HEADS_MAX];
    struct str heads[HEADS_MAX];
    struct merkle_tree tree;
    const char *path;
    size_t n = 0;
    int r = 0;

    for (; r >= 0 && (path = cli_list(args, "head", n)); n++) {
        if (n == HEADS_MAX) {
            r = err_set(err, ERR_VALUE, "there are more than %d heads", HEADS_MAX);
            break;
        }
        texts[n] = sb_make(NOTE_BYTES_MAX);
        r = cli_input(path, &texts[n], err);
        heads[n] = sb_view(&texts[n]);
    }
    if (r >= 0)
        r = audit_verify(cli_string(args, "data"), cli_string(args, "key-file"), heads, n, say,
                         NULL, &tree, err);
    for (size_t i = 0; i < n; i++)
        sb_done(&texts[i]);
    if (r < 0)
        return r;
    printf("%llu entries, %zu kept head%s, %d problem%s\n", (unsigned long long)tree.n, n,
           n == 1 ? "" : "s", r, r == 1 ? "" : "s");
    return r ? EXIT_PROBLEMS : 0;
}

/* That the tree of a kept head is the beginning of a newer one. */
static int verify_consistency(const struct cli_args *args, const char *path, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(PROOF_BYTES_MAX), kept = sb_make(NOTE_BYTES_MAX);
    struct note_key log, witnesses[KEYS_MAX];
    const char *old = cli_list(args, "head", 0);
    struct note old_note, new_note;
    struct head old_head, new_head;
    struct submission s;
    size_t n;
    int r = read_keys(args, &log, witnesses, &n, err);

    if (r >= 0 && !old)
        r = err_set(err, ERR_VALUE, "--head FILE, the older head, is missing");
    if (r < 0 || (r = cli_input(path, &text, err)) < 0 || (r = cli_input(old, &kept, err)) < 0 ||
        (r = submission_parse(sb_view(&text), &s, err)) < 0 ||
        (r = note_parse(s.checkpoint, &new_note, err)) < 0 ||
        (r = note_parse(sb_view(&kept), &old_note, err)) < 0 ||
        (r = head_parse(new_note.text, &new_head, err)) < 0 ||
        (r = head_parse(old_note.text, &old_head, err)) < 0 ||
        (r = note_check(&new_note, &log, NULL, err)) < 0)
        return r;
    if (r == 0 || note_check(&old_note, &log, NULL, err) != 1)
        return err_set(err, ERR_FORBIDDEN, "one of the heads is not signed by %s", log.name);
    if (!merkle_check_consistency(old_head.size, &old_head.root, new_head.size, &new_head.root,
                                  &s.path))
        return err_set(err, ERR_FORBIDDEN,
                       "the newer head does not continue the older one: the "
                       "log was rewritten, or shows different people "
                       "different logs");
    printf("The log was only appended to: from %llu entries to %llu.\n",
           (unsigned long long)old_head.size, (unsigned long long)new_head.size);
    return 0;
}

static int run_verify(const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(PROOF_BYTES_MAX);
    int r;

    if (cli_string(args, "data") && args->n_operands == 1)
        return verify_folder(args, err);
    if (args->n_operands != 2)
        return err_set(err, ERR_VALUE, "verify needs a FILE with a proof, or --data DIR");
    r = cli_input(args->operands[1], &text, err);
    if (r < 0)
        return r;
    return str_starts(sb_view(&text), STR("old "))
               ? verify_consistency(args, args->operands[1], err)
               : verify_proof(args, args->operands[1], err);
}

/* ---- erase ---- */

/* The ids, as entries of this log, in order. */
static int read_entries(const struct cli_args *args, const char *dir, uint64_t *ret, size_t *ret_n,
                        struct err *err)
{
    struct audit_config config = {
        .dir = dir, .key_file = cli_string(args, "key-file"), .read_only = true};
    _cleanup_(audit_closep) struct audit_log *log = NULL;
    int r = audit_open(&config, &log, err);
    const char *id;
    size_t n = 0;

    for (; r >= 0 && (id = cli_list(args, "entry", n)); n++) {
        if (n == ENTRIES_MAX)
            return err_set(err, ERR_VALUE, "there are more than %d entries", ENTRIES_MAX);
        if (!audit_id_parse(log, str_c(id), &ret[n]))
            return err_set(err, ERR_VALUE, "%s is no AuditEvent of this log", id);
        for (size_t i = n; i && ret[i] < ret[i - 1]; i--) {
            uint64_t swap = ret[i];

            ret[i] = ret[i - 1];
            ret[i - 1] = swap;
        }
    }
    *ret_n = n;
    return r;
}

static int read_erasure(const struct cli_args *args, const char *dir, uint64_t *leaves,
                        struct audit_erasure *ret, struct err *err)
{
    const char *patient = cli_string(args, "patient"), *before = cli_string(args, "before");
    struct date date;
    int r = read_entries(args, dir, leaves, &ret->n, err);

    ret->leaves = leaves;
    ret->patient = patient ? str_c(patient) : STR("");
    if (r >= 0 && before) {
        r = date_parse(DATE_SEARCH, str_c(before), 0, &date, err);
        ret->before_ms = date.from_ms;
    }
    return r;
}

/* "12-40 77: a court's order": which go, and why. Whose they are, it does not say. */
static void write_ledger(struct sb *out, const uint64_t *leaves, size_t n, const char *reason)
{
    for (size_t i = 0; i < n;) {
        size_t first = i;

        while (++i < n && leaves[i] == leaves[i - 1] + 1)
            ;
        if (out->n > LEDGER_MAX) {
            sb_fmt(out, "and %zu more up to %llu", n - first, (unsigned long long)leaves[n - 1]);
            break;
        }
        sb_fmt(out, "%llu", (unsigned long long)leaves[first]);
        if (i - first > 1)
            sb_fmt(out, "-%llu", (unsigned long long)leaves[i - 1]);
        sb_char(out, i < n ? ' ' : ':');
    }
    sb_fmt(out, " %s", reason);
}

static int erase_found(const struct server_config *config, const uint64_t *leaves, size_t n,
                       const char *reason, struct err *err)
{
    struct audit_config log_config = {
        .dir = config->data_dir, .key_file = config->key_file, .keyless = true};
    struct audit_erasure what = {.leaves = leaves, .n = n};
    _cleanup_(sb_done) struct sb ledger = sb_make(KIB(64));
    uint64_t erased = 0;
    int r;

    write_ledger(&ledger, leaves, n, reason);
    r = sb_ok(&ledger, err);
    if (r >= 0)
        r = operator_note(config, "audit-erase", sb_view(&ledger), err);
    if (r >= 0)
        r = audit_erase(&log_config, &what, &erased, err);
    if (r >= 0)
        printf("%llu entries erased\n", (unsigned long long)erased);
    return r;
}

static int run_erase(const struct cli_args *args, struct err *err)
{
    struct server_config config = {.data_dir = cli_string(args, "data"),
                                   .key_file = cli_string(args, "key-file")};
    struct audit_config log_config = {
        .dir = config.data_dir, .key_file = config.key_file, .keyless = true};
    const char *reason = cli_string(args, "reason");
    uint64_t named[ENTRIES_MAX], *leaves = NULL;
    struct audit_erasure what = {.n = 0};
    size_t n = 0;
    int r;

    if (!config.data_dir || !reason)
        return err_set(err, ERR_VALUE, "erase needs --data DIR and --reason TEXT");
    r = read_erasure(args, config.data_dir, named, &what, err);
    if (r >= 0)
        r = audit_erasable(&log_config, &what, &leaves, &n, err);
    if (r == ERR_CONFLICT)
        return err_set(err, r, "a node writes this log: stop it for the erasing");
    if (r >= 0 && !n)
        printf("there are no such entries\n");
    else if (r >= 0)
        r = erase_found(&config, leaves, n, reason, err);
    free(leaves);
    return r;
}

static int run(const struct cli_args *args, struct err *err)
{
    static const struct {
        const char *name;
        int (*run)(const struct cli_args *args, struct err *err);
    } actions[] = {{"verify", run_verify}, {"proof", run_proof}, {"head", run_head},
                   {"key", run_key},       {"erase", run_erase}, {"init", run_init}};

    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (strcmp(args->operands[0], actions[i].name) == 0)
            return actions[i].run(args, err);
    return err_set(err, ERR_VALUE,
                   "there is no \"%s\"; verify, proof, head, key, erase and init are known",
                   args->operands[0]);
}

const struct cli_command cmd_audit = {
    .name = "audit",
    .summary = "prove and verify who looked at whose record",
    .about = "Of the log that a node keeps with --audit on:\n\n"
             "  verify FILE        holds a proof against the keys given, and says what its\n"
             "                     entry says; needs nothing of the node. A FILE of the\n"
             "                     node's $consistency is held against the older --head\n"
             "  verify --data DIR  reads every entry, and holds the log against the heads\n"
             "                     that it signed and those that somebody kept (--head);\n"
             "                     the exit status is 3 when something does not hold\n"
             "  proof ID           writes the proof of an AuditEvent of the data folder\n"
             "  head               writes the newest signed head: keep it somewhere else\n"
             "  key                writes the log's public key\n"
             "  init               makes a log, before the node's first start does\n"
             "  erase              throws entries away (--entry, --patient, --before; all that\n"
             "                     are given must hold) and keeps what roots and proofs need;\n"
             "                     the log says which, when and why, not whose. The node must\n"
             "                     not run\n\n"
             "All but the last two may run beside the node. FILE \"-\" is standard input.",
    .operands = "verify|proof|head|key|init|erase [FILE|ID]",
    .operands_min = 1,
    .operands_max = 2,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
