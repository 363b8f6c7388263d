#include "cli/cli.h"

#include "cli/walk.h"
#include "server/server.h"
#include "surveillance/tally.h"

#include <stdio.h>

#define RESOURCE_ARENA_MAX MIB(256)        /* one resource, parsed */
#define TEXT_MAX (STORE_BODY_MAX + MIB(1)) /* one resource as text */
#define OUT_MAX MIB(512)                   /* rows that wait to be written */
#define FLUSH_BYTES KIB(256)
#define AGE_MAX 150

static const struct cli_option options[] = {
    {"data", "DIR", "the node's data folder", CLI_STRING, false, NULL, 0, 0},
    CLI_STORE_URI_OPTIONS,
    {"disease", "NAME", "only this disease; may be given several times", CLI_LIST, false, NULL, 0,
     0},
    {"place", "TYPE", "by places of this type, such as District", CLI_STRING, false, NULL, 0, 0},
    {"ages", "YEARS,...", "by age, in groups that begin at these years: 5,15", CLI_STRING, false,
     NULL, 0, 0},
    {"sex", NULL, "by sex", CLI_FLAG, false, NULL, 0, 0},
    {"period", "day|week|month", "what a row counts; weeks are ISO weeks", CLI_STRING, false,
     "week", 0, 0},
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

/* Which of `words` (blanks between them) is the option's value. */
static int take_word(const struct cli_args *args, const char *name, const char *words, int *ret,
                     struct err *err)
{
    struct str rest = str_c(words), word, value = str_c(cli_string(args, name));

    for (*ret = 0; str_split(&rest, ' ', &word); ++*ret)
        if (str_eq(word, value))
            return 0;
    return err_set(err, ERR_VALUE, "--%s must be one of: %s", name, words);
}

static int take_day(const struct cli_args *args, const char *name, int32_t *ret, struct err *err)
{
    const char *text = cli_string(args, name);

    *ret = text ? records_day(str_c(text)) : DAY_UNKNOWN;
    if (text && (*ret == DAY_UNKNOWN || strlen(text) != strlen("2026-01-31")))
        return err_set(err, ERR_VALUE, "--%s must be a day, YYYY-MM-DD, not \"%s\"", name, text);
    return 0;
}

static int take_ages(const struct cli_args *args, struct tally_question *q, struct err *err)
{
    struct str rest = str_c(cli_string(args, "ages")), part;
    uint64_t years;

    q->by_age = rest.p != NULL;
    while (rest.p && str_split(&rest, ',', &part)) {
        if (!str_to_u64(part, AGE_MAX, &years) || q->n_ages == TALLY_AGES_MAX ||
            years <= (q->n_ages ? q->ages[q->n_ages - 1] : 0))
            return err_set(err, ERR_VALUE,
                           "--ages must be up to %d rising numbers of years from 1 to %d",
                           TALLY_AGES_MAX, AGE_MAX);
        q->ages[q->n_ages++] = (unsigned)years;
    }
    return 0;
}

static int take_diseases(const struct cli_args *args, const struct case_definitions *all,
                         struct tally_question *q, struct err *err)
{
    const char *name;

    while ((name = cli_list(args, "disease", q->n_diseases)) && q->n_diseases < all->n) {
        const struct case_definition *d = case_definition_find(all, str_c(name));
        if (!d)
            return err_set(err, ERR_VALUE,
                           "no disease \"%s\" is defined; carnet series --list lists them", name);
        q->diseases[q->n_diseases++] = (uint16_t)(d - all->v);
    }
    if (name)
        return err_set(err, ERR_VALUE, "--disease is given more often than there are diseases");
    for (size_t i = 0; q->n_diseases < all->n && !cli_list(args, "disease", 0); i++)
        q->diseases[q->n_diseases++] = (uint16_t)i;
    return 0;
}

static int take_question(const struct cli_args *args, const struct case_definitions *all,
                         struct tally_question *q, struct err *err)
{
    const char *class = cli_string(args, "class");
    int period = 0, by = 0, r;

    if ((r = take_word(args, "period", "day week month", &period, err)) < 0 ||
        (r = take_word(args, "date", "onset consultation report", &by, err)) < 0 ||
        (r = take_day(args, "from", &q->from, err)) < 0 ||
        (r = take_day(args, "to", &q->to, err)) < 0 || (r = take_ages(args, q, err)) < 0 ||
        (r = take_diseases(args, all, q, err)) < 0)
        return r;
    q->period = (enum tally_period)period;
    q->by = (enum case_date)by;
    q->class = class ? case_class_of(str_c(class)) : CASE_NONE;
    if (class && q->class == CASE_NONE)
        return err_set(err, ERR_VALUE,
                       "--class must be suspected, probable, confirmed or discarded, not \"%s\"",
                       class);
    q->level = str_c(cli_string(args, "place"));
    q->by_sex = cli_flag(args, "sex");
    q->deaths = cli_flag(args, "deaths");
    return 0;
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

    if (!records_wants(def_resource_name(row->type)))
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
    struct tally_question q = {.from = DAY_UNKNOWN};
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
        r = tally_make(&reading.records, &cases, &q, &tally, err);
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
             "where the first visit was. Rows without cases say 0. A node that serves keeps its\n"
             "folder: count from a backup. Small counts can tell who fell ill; what leaves the\n"
             "office that may know is not made safe here.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
