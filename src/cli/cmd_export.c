#include "cli/cli.h"

#include "base/clock.h"
#include "server/server.h"
#include "trust/trust.h"

#include <stdio.h>
#include <unistd.h>

#define ROWS_AT_ONCE 1000
#define FLUSH_BYTES KIB(256)
#define TEXT_MAX (STORE_BODY_MAX + MIB(1)) /* one resource and what waits before it */
#define ARENA_MAX MIB(4)                   /* a page of row numbers */
#define PROGRESS_EVERY_US 200000

static const struct cli_option options[] = {
    CLI_STORE_OPTIONS,
    {"type", "TYPE", "only resources of this type", CLI_STRING, false, NULL, 0, 0},
    {"out", "FILE", "where they go, - is standard output", CLI_STRING, false, "-", 0, 0},
};

struct export
{
    struct store *store;
    struct store_txn *txn;
    int type; /* 0: all */
    int fd;
    struct sb text;
    uint64_t resources, row, last;
    bool is_terminal;
    int64_t shown_us;
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

static void show(struct export *e, bool at_end)
{
    int64_t now = clock_mono_us();

    if (!e->is_terminal || (!at_end && now - e->shown_us < PROGRESS_EVERY_US))
        return;
    fprintf(stderr, "\r%3d %%  %llu resources ", (int)(e->row * 100 / MAX(e->last, 1u)),
            (unsigned long long)e->resources);
    if (at_end)
        fputc('\n', stderr);
    e->shown_us = now;
}

static int export_row(struct export *e, uint64_t number, struct err *err)
{
    struct row row;
    int r = store_get_row(e->txn, number, &row, err);

    e->row = number;
    if (r < 0)
        return r;
    if (!row.is_current || row.method == METHOD_DELETE || (e->type && row.type != e->type))
        return 0;
    r = row_json(e->store, &row, &e->text, err);
    if (r < 0)
        return r;
    sb_char(&e->text, '\n');
    e->resources++;
    return flush(e, FLUSH_BYTES, err);
}

/* The feed of one snapshot from its beginning: in the order of writing, so that what is referred to
 * mostly comes before what refers to it. */
static int export_all(struct export *e, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct page page;
    uint64_t after = 0;
    int r;

    arena_init(&a, ARENA_MAX);
    e->last = store_position(e->txn);
    do {
        arena_reset(&a);
        r = store_feed(e->txn, after, ROWS_AT_ONCE, &a, &page, err);
        for (size_t i = 0; r == 0 && i < page.n; i++) {
            after = page.rows[i];
            r = export_row(e, after, err);
        }
        show(e, false);
    } while (r == 0 && page.n);
    if (r == 0)
        r = flush(e, 1, err);
    if (r == 0)
        show(e, true);
    return r;
}

static int run(const struct cli_args *args, struct err *err)
{
    const char *type = cli_string(args, "type");
    _cleanup_(store_closep) struct store *store = NULL;
    struct server_config config = {CLI_STORE_CONFIG(args)};
    struct access who = trust_job(STR("export"));
    struct export e = {.text = sb_make(TEXT_MAX), .is_terminal = isatty(STDERR_FILENO) == 1};
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
    r = store_begin(store, &who, &e.txn, err);
    if (r == 0) {
        r = export_all(&e, err);
        store_end(e.txn);
    }
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
