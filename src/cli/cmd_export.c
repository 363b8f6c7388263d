#include "cli/cli.h"

#include "cli/walk.h"
#include "server/server.h"

#define FLUSH_BYTES KIB(256)
#define TEXT_MAX (STORE_BODY_MAX + MIB(1)) /* one resource and what waits before it */

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"type", "TYPE", "only resources of this type", CLI_STRING, false, NULL, 0, 0},
    {"out", "FILE", "where they go, - is standard output", CLI_STRING, false, "-", 0, 0},
};

struct export
{
    struct store *store;
    int type; /* 0: all */
    int fd;
    struct sb text;
};

static int flush(struct export *e, size_t least, struct err *err)
{
    int r = sb_ok(&e->text, err);

    if (r < 0 || e->text.n < least)
        return r;
    r = cli_write(e->fd, sb_view(&e->text), err);
    sb_reset(&e->text);
    return r;
}

static int export_row(void *ctx, const struct row *row, struct err *err)
{
    struct export *e = ctx;
    int r;

    if (e->type && row->type != e->type)
        return 0;
    r = row_json(e->store, row, &e->text, err);
    if (r < 0)
        return r;
    sb_char(&e->text, '\n');
    return flush(e, FLUSH_BYTES, err);
}

static int run(const struct cli_args *args, struct err *err)
{
    const char *type = cli_string(args, "type");
    _cleanup_(store_closep) struct store *store = NULL;
    struct server_config config = {CLI_STORE_CONFIG(args)};
    struct export e = {.text = sb_make(TEXT_MAX)};
    int r;

    if (type && !(e.type = def_resource(str_c(type))))
        return err_set(err, ERR_VALUE, "R4 has no resource type \"%s\"", type);
    r = server_open_store(&config, true, &store, err);
    if (r >= 0)
        r = cli_note(&config, "export", (char *[]){(char *)(uintptr_t)type}, type ? 1 : 0, err);
    if (r < 0)
        return r;
    r = cli_output_open(cli_string(args, "out"), &e.fd, err);
    if (r < 0)
        return r;
    e.store = store;
    r = walk_store(store, "export", export_row, &e, err);
    if (r == 0)
        r = flush(&e, 1, err);
    sb_done(&e.text);
    r = cli_output_close(e.fd, r, err);
    return r < 0 ? r : 0;
}

const struct cli_command cmd_export = {
    .name = "export",
    .summary = "write the node's resources as NDJSON",
    .about = "Writes the current version of every resource, one a line, as of one moment and in\n"
             "the order of writing. Deleted resources and earlier versions are left out.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
