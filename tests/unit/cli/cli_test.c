/* The command line: how it is parsed, and what the program answers. argv[1] is the program. */
#include "../test.h"

#include "cli/cli.h"

#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX 65536

static const char *program;

static const struct cli_option options[] = {
    {"data", "DIR", "a folder", CLI_STRING, true, NULL, 0, 0},
    {"count", "N", "a number", CLI_U64, false, "5", 1, 10},
    {"open", NULL, "a flag", CLI_FLAG, false, NULL, 0, 0},
};

static const struct cli_command command = {.name = "test",
                                           .operands = "FILE...",
                                           .operands_max = 2,
                                           .options = options,
                                           .n_options = ARRAY_LEN(options)};

/* Parses blank-separated words. */
static int parse(const char *words, struct cli_args *args, struct err *err)
{
    static char copy[256], *argv[16];
    int argc = 0;

    memset(err, 0, sizeof *err);
    snprintf(copy, sizeof copy, "%s", words);
    for (char *at = copy; *at;) {
        argv[argc++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    return cli_parse(&command, argc, argv, args, err);
}

static void parses_options(void **state)
{
    struct cli_args args;
    struct err err;

    (void)state;
    assert_int_equal(parse("a --data=x=y --open b --count 7", &args, &err), 0);
    assert_string_equal(cli_string(&args, "data"), "x=y");
    assert_int_equal(cli_u64(&args, "count"), 7);
    assert_true(cli_flag(&args, "open"));
    assert_int_equal(args.n_operands, 2);
    assert_string_equal(args.operands[0], "a");
    assert_string_equal(args.operands[1], "b");

    assert_int_equal(parse("--data x -- --open", &args, &err), 0);
    assert_false(cli_flag(&args, "open"));
    assert_int_equal(cli_u64(&args, "count"), 5);
    assert_string_equal(args.operands[0], "--open");
    assert_int_equal(parse("--data - -", &args, &err), 0);
    assert_string_equal(args.operands[0], "-");
}

static void refuses_what_is_wrong(void **state)
{
    static const char *const cases[][2] = {
        {"", "--data DIR is missing"},
        {"--data", "--data needs a value: --data DIR"},
        {"--data x --data y", "--data is given twice"},
        {"--data x --open=1", "--open takes no value"},
        {"--data x --opens", "there is no option --opens"},
        {"--data x -o", "there is no option -o"},
        {"--data x --count 11", "--count must be a number from 1 to 10, not \"11\""},
        {"--data x --count 0", "--count must be a number from 1 to 10, not \"0\""},
        {"--data x --count=", "--count must be a number from 1 to 10, not \"\""},
        {"--data x a b c", "\"c\" is one word too many"},
    };
    struct cli_args args;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(parse(cases[i][0], &args, &err), ERR_VALUE);
        assert_string_equal(err.text, cases[i][1]);
    }
}

/* Runs the program with shell words; its exit status, and both outputs in `out`. */
static int shell(const char *words, char out[OUTPUT_MAX])
{
    char line[1024];
    size_t n;
    int status;
    FILE *f;

    snprintf(line, sizeof line, "'%s' %s", program, words);
    f = popen(line, "r");
    assert_non_null(f);
    n = fread(out, 1, OUTPUT_MAX - 1, f);
    out[n] = '\0';
    while (fgetc(f) != EOF)
        ;
    status = pclose(f);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void every_command_has_help(void **state)
{
    static const struct cli_command *const commands[] = {
#define X(name) &cmd_##name,
        CLI_COMMANDS(X)
#undef X
    };
    char out[OUTPUT_MAX], words[64];

    (void)state;
    assert_int_equal(shell("--help", out), 0);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        assert_non_null(strstr(out, commands[i]->summary));
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const struct cli_command *c = commands[i];

        snprintf(words, sizeof words, "%s --help", c->name);
        assert_int_equal(shell(words, out), 0);
        assert_non_null(strstr(out, c->about));
        for (size_t k = 0; k < c->n_options; k++)
            assert_non_null(strstr(out, c->options[k].help));
        assert_true(strncmp(out, "Usage: carnet ", 14) == 0);
    }
}

static void wrong_lines_end_in_2(void **state)
{
    static const char *const cases[][2] = {
        {"", "carnet: a command is missing (see carnet --help)\n"},
        {"dance", "carnet: there is no command \"dance\" (see carnet --help)\n"},
        {"--dance", "carnet: there is no option \"--dance\" (see carnet --help)\n"},
        {"synth", "carnet synth: --people N is missing (see carnet synth --help)\n"},
        {"synth --people 0",
         "carnet synth: --people must be a number from 1 to 500000000, not \"0\" (see carnet synth "
         "--help)\n"},
        {"synth --people 1 x",
         "carnet synth: \"x\" is one word too many (see carnet synth --help)\n"},
    };
    char out[OUTPUT_MAX], words[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        snprintf(words, sizeof words, "%s 2>&1", cases[i][0]);
        assert_int_equal(shell(words, out), 2);
        assert_string_equal(out, cases[i][1]);
    }
}

static void failures_end_in_1(void **state)
{
    char out[OUTPUT_MAX];

    (void)state;
    assert_int_equal(shell("synth --people 1 --start 2024-02-30 2>&1", out), 1);
    assert_non_null(strstr(out, "carnet synth: --start must be a date"));
    assert_int_equal(shell("synth --people 1 --out /nowhere/x 2>&1", out), 1);
    assert_string_equal(out,
                        "carnet synth: /nowhere/x cannot be written: No such file or directory\n");
    if (access("/dev/full", W_OK) == 0) {
        assert_int_equal(shell("synth --people 1 2>&1 >/dev/full", out), 1);
        assert_string_equal(
            out, "carnet synth: the output cannot be written: No space left on device\n");
        assert_int_equal(shell("version 2>&1 >/dev/full", out), 1);
    }
}

static void converts_both_ways(void **state)
{
    static const char xml[] =
        "<Patient xmlns=\"http://hl7.org/fhir\"><multipleBirthInteger value=\"2\"/></Patient>";
    static const char json[] = "{\"resourceType\":\"Patient\",\"multipleBirthInteger\":2}\n";
    static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    char path[] = "/tmp/carnet-convert-XXXXXX", words[256], out[OUTPUT_MAX], want[256];
    FILE *f = fdopen(mkstemp(path), "w");

    (void)state;
    assert_non_null(f);
    fputs(xml, f);
    fclose(f);
    snprintf(words, sizeof words, "convert %s", path);
    assert_int_equal(shell(words, out), 0);
    assert_string_equal(out, json);
    snprintf(words, sizeof words, "convert --to xml - <%s", path);
    assert_int_equal(shell(words, out), 0);
    snprintf(want, sizeof want, "%s%s\n", head, xml);
    assert_string_equal(out, want);
    snprintf(words, sizeof words, "convert --to json --pretty %s", path);
    assert_int_equal(shell(words, out), 0);
    assert_string_equal(out,
                        "{\n  \"resourceType\": \"Patient\",\n  \"multipleBirthInteger\": 2\n}\n");
    snprintf(words, sizeof words, "convert --to turtle %s 2>&1", path);
    assert_int_equal(shell(words, out), 1);
    assert_string_equal(out, "carnet convert: --to must be xml or json, not \"turtle\"\n");
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("<Patient xmlns=\"http://hl7.org/fhir\">\n<foo/></Patient>", f);
    fclose(f);
    snprintf(words, sizeof words, "convert %s 2>&1", path);
    assert_int_equal(shell(words, out), 1);
    snprintf(want, sizeof want,
             "carnet convert: %s: Patient.foo is not an element of R4 (line 2)\n", path);
    assert_string_equal(out, want);
    unlink(path);
    assert_int_equal(shell("convert /nowhere/x 2>&1", out), 1);
    assert_string_equal(out,
                        "carnet convert: /nowhere/x cannot be read: No such file or directory\n");
}

static void prints_version_and_country(void **state)
{
    char out[OUTPUT_MAX], version[64];

    (void)state;
    assert_int_equal(shell("--version", out), 0);
    snprintf(version, sizeof version, "carnet %s\n", cli_version());
    assert_string_equal(out, version);
    assert_int_equal(shell("version", out), 0);
    assert_true(strncmp(out, version, strlen(version)) == 0);
    assert_int_equal(shell("synth --people 3 --seed 2 2>&1", out), 0);
    assert_true(strncmp(out, "{\"resourceType\":\"Location\"", 25) == 0);
    /* A reader that has had enough is no failure. */
    assert_int_equal(shell("synth --people 5000 2>&1 | head -c 100 >/dev/null", out), 0);
    assert_int_equal(shell("synth --people 5000 2>&1 >&- ; true", out), 0);
    assert_int_equal(shell("synth --people 3000 2>&1 >/dev/null", out), 0);
    assert_string_equal(out, "");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_options),         cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(every_command_has_help), cmocka_unit_test(wrong_lines_end_in_2),
        cmocka_unit_test(failures_end_in_1),      cmocka_unit_test(prints_version_and_country),
        cmocka_unit_test(converts_both_ways),
    };

    program = argc > 1 ? argv[1] : "carnet";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
