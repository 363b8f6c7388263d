#include "cli/cli.h"

#include "cli/walk.h"
#include "server/server.h"
#include "surveillance/tally.h"

#include <stdio.h>

#define RESOURCE_ARENA_MAX MIB(256)        /* one resource, parsed */
#define TEXT_MAX (STORE_BODY_MAX + MIB(1)) /* one resource as text */
#define OUT_MAX MIB(512)                   /* rows that wait to be written */
#define FLUSH_BYTES KIB(256)

static const struct cli_option options[] = {
    {"data", "DIR", "the node's data folder", CLI_STRING, false, NULL, 0, 0},
    CLI_STORE_URI_OPTIONS,
    {"disease", "NAME", "only this disease; may be given several times", CLI_LIST, false, NULL, 0,
     0},
    {"place", "TYPE", "by places of this type, such as District", CLI_STRING, false, NULL, 0, 0},
    {"location", "ID", "only cases at this Location or below it", CLI_STRING, false, NULL, 0, 0},
    {"ages", "YEARS,...", "by age, in groups that begin at these years: 5,15", CLI_STRING, false,
     NULL, 0, 0},
    {"sex", NULL, "by sex", CLI_FLAG, false, NULL, 0, 0},
    {"at", "facility|residence|exposure",
     "which place of a case counts: where it was seen, or what the definitions' places say",
     CLI_STRING, false, "facility", 0, 0},
    {"period", "day|week|month", "what a row counts", CLI_STRING, false, "week", 0, 0},
    {"week-start", "DAY",
     "on which day weeks begin: monday for ISO weeks, sunday for those of the MMWR, or another; "
     "others than ISO weeks are named by their first day",
     CLI_STRING, false, "monday", 0, 0},
    {"date", "onset|consultation|report", "which day of a case counts", CLI_STRING, false, "onset",
     0, 0},
    {"class", "CLASS", "only suspected, probable, confirmed or discarded cases", CLI_STRING, false,
     NULL, 0, 0},
    {"deaths", NULL, "count deaths within 30 days in place of cases", CLI_FLAG, false, NULL, 0, 0},
    {"from", "DATE", "the first day, YYYY-MM-DD", CLI_STRING, false, NULL, 0, 0},
    {"to", "DATE", "the last day", CLI_STRING, false, NULL, 0, 0},
    {"definitions", "FILE", "case definitions in place of the built-in ones", CLI_STRING, false,
     NULL, 0, 0},
    {"list", NULL, "list the diseases that are defined, and stop", CLI_FLAG, false, NULL, 0, 0},
    {"out", "FILE", "where the rows go, - is standard output", CLI_STRING, false, "-", 0, 0},
};

/* ---- the command line ---- */

static int take_question(const struct cli_args *args, const struct case_definitions *all,
                         struct tally_question *q, struct err *err)
{
    static const char *const texts[] = {"place",      "location", "at",    "ages", "period",
                                        "week-start", "date",     "class", "from", "to"};
    static const char *const flags[] = {"sex", "deaths"};
    const char *name;
    int r = 0;

    tally_question_init(q);
    for (size_t i = 0; r == 0 && (name = cli_list(args, "disease", i)); i++)
        r = tally_ask(all, q, STR("disease"), str_c(name), err);
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
        if (cli_string(args, texts[i]))
            r = tally_ask(all, q, str_c(texts[i]), str_c(cli_string(args, texts[i])), err);
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(flags); i++)
        if (cli_flag(args, flags[i]))
            r = tally_ask(all, q, str_c(flags[i]), STR("true"), err);
    tally_ask_all(all, q);
    return r;
}

static int read_definitions(const struct cli_args *args, struct arena *a,
                            struct case_definitions *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb file = sb_make(CASE_DEFINITIONS_BYTES_MAX);
    const char *path = cli_string(args, "definitions");
    struct str text = case_definitions_starter();
    int r = path ? cli_input(path, &file, err) : 0;

    if (r < 0)
        return r;
    if (path)
        text = arena_dup(a, sb_view(&file));
    return text.p ? case_definitions_read(a, text, ret, err) : err_no_memory(err);
}

/* ---- the records ---- */

struct reading {
    struct store *store;
    struct records records;
    struct sb text;
    struct arena a; /* of one resource */
};

static int take_row(void *ctx, const struct row *row, struct err *err)
{
    struct reading *r = ctx;
    yyjson_val *resource = NULL;
    int wrong;

    if (!records_wants(&r->records, def_resource_name(row->type)))
        return 0;
    sb_reset(&r->text);
    arena_reset(&r->a);
    wrong = row_json(r->store, row, &r->text, err);
    if (wrong == 0)
        wrong = sb_ok(&r->text, err);
    if (wrong == 0)
        wrong = js_parse_stored(&r->a, sb_view(&r->text), &resource, err);
    return wrong < 0 ? wrong : records_take(&r->records, resource, err);
}

static int read_records(const struct cli_args *args, struct reading *r, struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    struct server_config config = {CLI_STORE_CONFIG(args)};
    int wrong;

    if (!cli_string(args, "data"))
        return err_set(err, ERR_VALUE, "--data DIR is missing");
    wrong = server_open_store(&config, true, &store, err);
    if (wrong >= 0)
        wrong = cli_note(&config, "series", NULL, 0, err);
    if (wrong < 0)
        return wrong;
    r->store = store;
    r->text = sb_make(TEXT_MAX);
    arena_init(&r->a, RESOURCE_ARENA_MAX);
    wrong = walk_store(store, "series", take_row, r, err);
    arena_done(&r->a);
    sb_done(&r->text);
    return wrong;
}

/* ---- what comes out ---- */

static int write_rows(const struct tally *t, int fd, struct err *err)
{
    _cleanup_(sb_done) struct sb out = sb_make(OUT_MAX);
    int r = 0;

    tally_header(t, &out);
    for (size_t i = 0; i < t->n_strata && r == 0; i++) {
        tally_rows(t, i, &out);
        r = sb_ok(&out, err);
        if (r == 0 && (out.n >= FLUSH_BYTES || i + 1 == t->n_strata)) {
            r = cli_write(fd, sb_view(&out), err);
            sb_reset(&out);
        }
    }
    return r;
}

static void say(const struct tally *t, const struct cases *cases)
{
    fprintf(stderr, "carnet series: %zu %s, %zu of them confirmed\n", t->n_cases,
            t->q.deaths ? "deaths" : "cases", t->n_confirmed);
    if (t->n_other_date)
        fprintf(stderr,
                "carnet series: %zu have no such date, and count by the next that is known\n",
                t->n_other_date);
    if (t->n_placeless)
        fprintf(stderr, "carnet series: %zu are at no known place\n", t->n_placeless);
    if (t->n_outside)
        fprintf(stderr, "carnet series: %zu lie outside of the days\n", t->n_outside);
    if (cases->undated)
        fprintf(stderr, "carnet series: %zu findings have no day, and are left out\n",
                cases->undated);
}

static int list(const struct case_definitions *all)
{
    printf("case definitions %.*s\n", STR_ARG(all->version));
    for (size_t i = 0; i < all->n; i++)
        printf("%-26.*s %.*s (%.*s)\n", STR_ARG(all->v[i].disease), STR_ARG(all->v[i].title),
               STR_ARG(all->v[i].source));
    return 0;
}

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct case_definitions definitions = {.n = 0};
    struct tally_question q;
    struct reading reading = {.store = NULL};
    struct cases cases;
    struct tally tally = {.n_strata = 0};
    int fd, r;

    arena_init(&a, RECORDS_BYTES_MAX);
    cases_init(&cases);
    r = read_definitions(args, &a, &definitions, err);
    if (r == 0 && cli_flag(args, "list"))
        return list(&definitions);
    if (r == 0)
        r = take_question(args, &definitions, &q, err);
    records_init(&reading.records, &a, &definitions);
    if (r == 0)
        r = read_records(args, &reading, err);
    if (r == 0)
        r = cases_remake(&reading.records, &cases, err);
    if (r == 0)
        r = tally_make(&reading.records, &cases, &q, &a, &tally, err);
    if (r < 0 || (r = cli_output_open(cli_string(args, "out"), &fd, err)) < 0)
        return r;
    r = cli_output_close(fd, write_rows(&tally, fd, err), err);
    if (r >= 0)
        say(&tally, &cases);
    return r < 0 ? r : 0;
}

const struct cli_command cmd_series = {
    .name = "series",
    .summary = "count the cases of diseases that a node's records tell of",
    .about = "Makes cases of what a node's records hold (a case is a person, a disease, an\n"
             "episode: a suspicion and its laboratory result count once), and writes how many\n"
             "there were in each day, week or month, as CSV that carnet detect reads. A place is\n"
             "where the first visit was, unless --at says otherwise. Rows without cases say 0. A "
             "node that serves keeps its\n"
             "folder: count from a backup. Small counts can tell who fell ill; what leaves the\n"
             "office that may know is not made safe here.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
