/* export, check, backup and restore of a small store. argv[1] is the program. */
#include "../../contract/contract.h"

#include <sys/wait.h>

#define OUTPUT_MAX 65536

static const char *program;

/* Runs the program with shell words made by a format; its status, and both outputs in `out`. */
static int shell(char out[OUTPUT_MAX], const char *fmt, ...) _printf_(2, 3);
static int shell(char out[OUTPUT_MAX], const char *fmt, ...)
{
    char words[1024], line[2048];
    va_list ap;
    size_t n;
    int status;
    FILE *f;

    va_start(ap, fmt);
    vsnprintf(words, sizeof words, fmt, ap);
    va_end(ap);
    snprintf(line, sizeof line, "'%s' %s 2>&1", program, words);
    f = popen(line, "r");
    assert_non_null(f);
    n = fread(out, 1, OUTPUT_MAX - 1, f);
    out[n] = '\0';
    status = pclose(f);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;

    while ((text = strstr(text, part)) != NULL) {
        n++;
        text += strlen(part);
    }
    return n;
}

/* Two patients, one of them updated, an observation, and one that was deleted; closed again. */
static void fill(struct world *w)
{
    struct version v;
    struct err err = {0};

    world_open(w);
    assert_int_equal(world_put(w, "Patient", "a",
                               "{\"resourceType\":\"Patient\",\"id\":\"a\",\"gender\":\"male\"}",
                               &v, &err),
                     0);
    assert_int_equal(world_put(w, "Patient", "b",
                               "{\"resourceType\":\"Patient\",\"id\":\"b\",\"gender\":\"male\"}",
                               &v, &err),
                     0);
    assert_int_equal(
        world_put(w, "Observation", "o",
                  "{\"resourceType\":\"Observation\",\"id\":\"o\",\"status\":\"final\","
                  "\"code\":{\"text\":\"x\"},\"subject\":{\"reference\":\"Patient/a\"},"
                  "\"valueQuantity\":{\"value\":1.0}}",
                  &v, &err),
        0);
    assert_int_equal(world_put(w, "Patient", "a",
                               "{\"resourceType\":\"Patient\",\"id\":\"a\",\"gender\":\"female\"}",
                               &v, &err),
                     0);
    assert_int_equal(world_put(w, "Patient", "b", NULL, &v, &err), 0);
    store_close(w->st);
    w->st = NULL;
}

static void exports_current_versions(void **state)
{
    struct world w;
    char out[OUTPUT_MAX];

    (void)state;
    fill(&w);
    assert_int_equal(shell(out, "export --data %s", w.dir), 0);
    assert_int_equal(count(out, "\n"), 2);
    assert_int_equal(count(out, "\"female\""), 1);
    assert_int_equal(count(out, "\"male\""), 0);
    assert_int_equal(count(out, "\"value\":1.0}"), 1);
    assert_true(strstr(out, "\"Observation\"") < strstr(out, "\"Patient\",\"id\":\"a\""));
    assert_int_equal(shell(out, "export --data %s --type Patient", w.dir), 0);
    assert_int_equal(count(out, "\n"), 1);
    assert_int_equal(
        shell(out, "export --data %s --out %s/all && wc -l < %s/all", w.dir, w.dir, w.dir), 0);
    assert_int_equal(strtol(out, NULL, 10), 2);
    assert_int_equal(shell(out, "export --data %s --type Pat", w.dir), 1);
    assert_string_equal(out, "carnet export: R4 has no resource type \"Pat\"\n");
    assert_int_equal(shell(out, "export --data %s/none", w.dir), 1);
    world_done(&w);
}

static void says_that_the_folder_is_in_use(void **state)
{
    struct world w;
    char out[OUTPUT_MAX];

    (void)state;
    world_open(&w);
    assert_int_equal(shell(out, "check --data %s", w.dir), 1);
    assert_non_null(strstr(out, "is in use by another process"));
    world_done(&w);
}

/* Writes over all of the database but its first page. */
static void damage(const char *dir)
{
    char path[128], page[4096];
    FILE *f;
    long size;

    snprintf(path, sizeof path, "%s/carnet.db", dir);
    f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    size = ftell(f);
    memset(page, 0xa5, sizeof page);
    assert_int_equal(fseek(f, (long)KIB(32), SEEK_SET), 0);
    for (long at = KIB(32); at < size; at += (long)sizeof page)
        assert_int_equal(fwrite(page, 1, sizeof page, f), sizeof page);
    fclose(f);
}

static void backs_up_and_restores(void **state)
{
    struct world w;
    char out[OUTPUT_MAX], before[OUTPUT_MAX], copy[80], again[80];

    (void)state;
    fill(&w);
    snprintf(copy, sizeof copy, "%s.copy", w.dir);
    snprintf(again, sizeof again, "%s.again", w.dir);
    assert_int_equal(shell(before, "export --data %s", w.dir), 0);
    assert_int_equal(shell(out, "backup --data %s %s", w.dir, copy), 0);
    assert_string_equal(out, "");
    assert_int_equal(shell(out, "backup --data %s %s", w.dir, copy), 1);
    assert_non_null(strstr(out, "already holds a store"));
    assert_int_equal(shell(out, "restore --data %s %s", w.dir, copy), 1);
    assert_non_null(strstr(out, "already holds a store"));
    assert_int_equal(shell(out, "restore --data %s %s", again, copy), 0);
    assert_int_equal(shell(out, "check --data %s", again), 0);
    assert_non_null(strstr(out, "5 versions, 2 resources, 0 problems\n"));
    assert_int_equal(shell(out, "export --data %s", again), 0);
    assert_string_equal(out, before);

    damage(copy);
    assert_int_not_equal(shell(out, "check --data %s", copy), 0);
    assert_int_equal(shell(out, "restore --data %s.third %s", w.dir, copy), 1);
    assert_int_equal(shell(out, "check --data %s.third", w.dir), 1);
    assert_int_equal(shell(out, "version; rm -r %s %s; rm -rf %s.third", copy, again, w.dir), 0);
    world_done(&w);
}

/* As if `carnet init` was killed between making a store and filling it. */
static void init_ends_what_was_stopped(void **state)
{
    char dir[] = "/tmp/carnet-init-XXXXXX", out[OUTPUT_MAX];
    struct store_config config = {.dir = mkdtemp(dir), .create = true};
    struct store *st;
    struct err err;

    (void)state;
    assert_int_equal(store_open(&config, &st, &err), 0);
    store_close(st);
    assert_int_equal(shell(out, "check --data %s", dir), 1);
    assert_non_null(strstr(out, "carnet init was stopped before its end"));
    assert_int_equal(shell(out, "init --data %s --timezone +02:00", dir), 1);
    assert_non_null(strstr(out, "begun with another time zone"));
    assert_int_equal(shell(out, "init --data %s", dir), 0);
    assert_int_equal(shell(out, "check --data %s", dir), 0);
    assert_non_null(strstr(out, " 0 problems\n"));
    assert_int_equal(shell(out, "init --data %s", dir), 1);
    assert_non_null(strstr(out, "already holds a store"));
    assert_int_equal(shell(out, "version; rm -r %s", dir), 0);
}

static int set_format(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)job;
    return store_meta_set(txn, "schema", STR("99"), err);
}

static void serve_says_why_it_cannot(void **state)
{
    struct store_job job = {.run = set_format};
    struct world w;
    char out[OUTPUT_MAX];
    struct err err = {0};

    (void)state;
    fill(&w);
    job.who = &w.who;
    assert_int_equal(shell(out, "serve --open --listen 127.0.0.1:0 --data %s/none", w.dir), 1);
    assert_non_null(strstr(out, "/none\" does not exist (carnet init makes one)\n"));
    assert_int_equal(count(out, "\n"), 1);
    assert_int_equal(shell(out, "serve --open --data %s --log-level loud", w.dir), 1);
    assert_non_null(strstr(out, "--log-level must be debug, info, warn or error"));
    assert_int_equal(shell(out, "serve --open --data %s --base-url ftp://x/fhir", w.dir), 1);
    assert_non_null(strstr(out, "the base URL must be http:// or https://"));

    world_reopen(&w);
    assert_int_equal(shell(out, "serve --open --listen 127.0.0.1:0 --data %s", w.dir), 1);
    assert_non_null(strstr(out, "\" is in use by another process\n"));
    assert_int_equal(count(out, "\n"), 1);
    assert_int_equal(store_write(w.st, &job, &err), 0);
    store_close(w.st);
    w.st = NULL;
    assert_int_equal(shell(out, "serve --open --listen 127.0.0.1:0 --data %s", w.dir), 1);
    assert_non_null(strstr(out, "the store has format 99, of a newer version of carnet"));
    assert_int_equal(count(out, "\n"), 1);
    world_done(&w);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exports_current_versions),
        cmocka_unit_test(says_that_the_folder_is_in_use),
        cmocka_unit_test(backs_up_and_restores),
        cmocka_unit_test(init_ends_what_was_stopped),
        cmocka_unit_test(serve_says_why_it_cannot),
    };

    program = argc > 1 ? argv[1] : "carnet";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
