#include "cli/cli.h"

#include "server/server.h"
#include "vault/master.h"
#include "vault/vault.h"

#include <stdio.h>

static const struct cli_option options[] = {
    {"data", "DIR", "rotate, persons: the node's data folder", CLI_STRING, false, NULL, 0, 0},
    CLI_STORE_URI_OPTIONS,
    {"new-key-file", "FILE", "rotate: the key from now on, made if it is not there", CLI_STRING,
     false, NULL, 0, 0},
};

static int make(const struct cli_args *args, struct err *err)
{
    int r;

    if (args->n_operands != 2)
        return err_set(err, ERR_VALUE, "new needs the name of the file to make");
    r = master_make(args->operands[1], err);
    if (r >= 0)
        printf("%s holds a new key; keep a copy of it in another place\n", args->operands[1]);
    return r;
}

/* A database has keys besides the folder's. Where several nodes use it each has a folder, for which
 * the command is called once: the first call has changed the database's. */
static int rotate_database(const struct server_config *config, const char *key_file,
                           struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    struct server_config own = *config;
    int r;

    own.for_erase = true; /* the ledger is the folder's, which may have the other key yet */
    r = server_open_store(&own, false, &store, err);
    if (r != ERR_FORBIDDEN)
        return r < 0 ? r : store_rotate(store, key_file, err);
    own.key_file = key_file;
    return server_open_store(&own, false, &store, NULL) < 0 ? r : 0;
}

static int rotate(const struct cli_args *args, struct err *err)
{
    static const char *words[] = {"rotate"};
    struct server_config config = {CLI_STORE_CONFIG(args)};
    const char *key_file = cli_string(args, "new-key-file");
    int r;

    if (!config.data_dir || !key_file || args->n_operands != 1)
        return err_set(err, ERR_VALUE, "rotate needs --data DIR and --new-key-file FILE");
    r = vault_check(config.data_dir, config.key_file, err);
    if (r >= 0)
        r = cli_note(&config, "key", (char *const *)(uintptr_t)words, 1, err);
    if (r >= 0 && config.store_uri)
        r = rotate_database(&config, key_file, err);
    if (r >= 0)
        r = vault_rotate(config.data_dir, config.key_file, key_file, err);
    if (r >= 0)
        printf("from now on %s opens %s; backups from before need the key that they had\n",
               key_file, config.data_dir);
    return r;
}

/* Bodies that were written before persons had keys. */
static int persons(const struct cli_args *args, struct err *err)
{
    static const char *words[] = {"persons"};
    struct server_config config = {CLI_STORE_CONFIG(args)};
    _cleanup_(store_closep) struct store *store = NULL;
    int r;

    if (!config.data_dir || args->n_operands != 1)
        return err_set(err, ERR_VALUE, "persons needs --data DIR");
    if ((r = vault_check(config.data_dir, config.key_file, err)) < 0 ||
        (r = server_open_store(&config, false, &store, err)) < 0 ||
        (r = cli_note(&config, "key", (char *const *)(uintptr_t)words, 1, err)) < 0)
        return r;
    if (!config.store_uri && ((r = store_wrap(store, NULL, NULL, err)) < 0 ||
                              (r = store_remake(store, NULL, NULL, err)) < 0))
        return r;
    printf("every body that is of a person is under that person's key\n");
    return 0;
}

static int run(const struct cli_args *args, struct err *err)
{
    struct str action = str_c(args->operands[0]);

    if (str_eq(action, STR("new")))
        return make(args, err);
    if (str_eq(action, STR("rotate")))
        return rotate(args, err);
    if (str_eq(action, STR("persons")))
        return persons(args, err);
    return err_set(err, ERR_VALUE, "\"%s\" is none of new, rotate and persons", args->operands[0]);
}

const struct cli_command cmd_key = {
    .name = "key",
    .summary = "make and change the key of an encrypted data folder",
    .about = "new makes a file with a new key, readable by its owner only.\n\n"
             "rotate has another key open the data folder from now on, and the old one not any\n"
             "more. Nothing that is stored is written again, and it may be done while a node\n"
             "serves the folder: the node goes on, and needs the new key at its next start.\n"
             "Backups from before open with the key that they were made with. Where the old key\n"
             "and a copy of the folder's carnet.keys are in wrong hands, rotating does not help:\n"
             "then export the records, and import them into a new folder.\n\n"
             "With --store the database's key is changed as well; call it with the folder of each\n"
             "node that uses the database.\n\n"
             "persons seals what was written before persons had keys of their own, in a folder\n"
             "of an earlier version; no node may run meanwhile. In PostgreSQL they always had.",
    .operands = "new FILE | rotate | persons",
    .operands_min = 1,
    .operands_max = 2,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
