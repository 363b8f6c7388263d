/* carnet fhirpath: what it prints, and how it fails. argv[1] is the program. */
#include "../test.h"

#include "base/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define OUTPUT_MAX 4096

static const char *program;

#define NAME "{\"family\":\"Okoro\",\"given\":[\"Ada\",null],\"_given\":[null,{\"id\":\"g\"}]}"
#define PATIENT                                                                                    \
    "{\"resourceType\":\"Patient\",\"active\":true,\"name\":[" NAME "],\"multipleBirthInteger\":2}"
#define PATIENT_XML                                                                                \
    "<Patient xmlns=\"http://hl7.org/fhir\"><active value=\"true\"/></Patient>"

/* Runs the program with `in` as standard input; its exit status, and both outputs in `out`. */
static int run(const char *in, const char *words, char out[OUTPUT_MAX])
{
    char line[2048];
    size_t n;
    int status;
    FILE *f;

    snprintf(line, sizeof line, "printf '%%s' '%s' | '%s' fhirpath %s 2>&1", in, program, words);
    f = popen(line, "r");
    assert_non_null(f);
    n = fread(out, 1, OUTPUT_MAX - 1, f);
    out[n] = '\0';
    status = pclose(f);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

struct row {
    const char *in, *words;
    int status;
    const char *out;
};

static void check(const struct row *rows, size_t n)
{
    char out[OUTPUT_MAX];

    for (size_t i = 0; i < n; i++) {
        int status = run(rows[i].in, rows[i].words, out);
        if (status != rows[i].status || strcmp(out, rows[i].out) != 0)
            fail_msg("fhirpath %s gave %d, %s", rows[i].words, status, out);
    }
}

static void results_are_json(void **state)
{
    static const struct row rows[] = {
        {PATIENT, "name.family -", 0, "[\"Okoro\"]\n"},
        {PATIENT, "name.given -", 0, "[\"Ada\",{\"id\":\"g\"}]\n"},
        {PATIENT, "multipleBirth -", 0, "[2]\n"},
        {PATIENT, "nothing.or -", 1,
         "carnet fhirpath: Patient has no element \"nothing\" (character 1 of the FHIRPath "
         "expression)\n"},
        {PATIENT, "nothing.or - --lenient", 0, "[]\n"},
        {PATIENT, "\"1.50 + 1.5 | 4.0 'mg' | @2020-01 | @T10:30\" -", 0,
         "[3.00,\"4.0 'mg'\",\"2020-01\",\"10:30\"]\n"},
        {PATIENT, "\"%x + %y.count()\" - --variables '{\"x\":1,\"y\":[true,false]}'", 0, "[3]\n"},
        {PATIENT, "'family & %context.given' - --context name", 1,
         "carnet fhirpath: \"&\" does not take several items (character 8 of the FHIRPath "
         "expression)\n"},
        {PATIENT, "\"given.first() & %resource.active.toString()\" - --context name", 0,
         "[\"Adatrue\"]\n"},
        {PATIENT, "\"name.trace('t').family\" - --trace", 0,
         "t: [{\"family\":\"Okoro\",\"given\":[\"Ada\",null],\"_given\":[null,{\"id\":\"g\"}]}]\n"
         "[\"Okoro\"]\n"},
        {PATIENT_XML, "active -", 0, "[true]\n"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows));
}

static void failures_are_one_line(void **state)
{
    static const struct row rows[] = {
        {PATIENT, "\"name.where(\" -", 1,
         "carnet fhirpath: the FHIRPath expression lacks a name at character 12\n"},
        {PATIENT, "\"'a' = 'a\" -", 1,
         "carnet fhirpath: the FHIRPath expression has a quote without an end at character 7\n"},
        {PATIENT, "\"'a' < 1\" -", 1,
         "carnet fhirpath: \"<\" is between types that have no order (character 5 of the FHIRPath "
         "expression)\n"},
        {"{", "id -", 1, NULL},
        {"<Patient>", "id -", 1, NULL},
        {PATIENT, "id /nowhere/at/all", 1,
         "carnet fhirpath: /nowhere/at/all cannot be opened: No such file or directory\n"},
        {PATIENT, "id - --variables 1", 1, "carnet fhirpath: --variables is not a JSON object\n"},
        {PATIENT, "id", 2, NULL},
    };
    char out[OUTPUT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].out) {
            check(&rows[i], 1);
            continue;
        }
        assert_int_equal(run(rows[i].in, rows[i].words, out), rows[i].status);
        assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
    }
}

#define PERSON "{\"resourceType\":\"Patient\",\"id\":\"p\",\"gender\":\"male\"}"

/* What a terminology and profiles answer is nothing without --data, and is known with it. */
static void data_has_answers(void **state)
{
    static const struct {
        const char *in, *expression, *with, *without; /* without NULL: an error */
    } rows[] = {
        {PERSON, "gender.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')",
         "[true]\n", "[]\n"},
        {PERSON, "gender.memberOf('http://hl7.org/fhir/ValueSet/event-status')", "[false]\n",
         "[]\n"},
        {PERSON, "gender.memberOf('http://nowhere')", "[]\n", "[]\n"},
        {PERSON, "conformsTo('http://hl7.org/fhir/StructureDefinition/vitalsigns')", "[false]\n",
         NULL},
        {PERSON, "conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", "[true]\n",
         "[true]\n"},
    };
    char folder[] = "/tmp/carnet-fhirpath-XXXXXX", command[1000], out[OUTPUT_MAX];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command, "'%s' init --data '%s/d' >/dev/null", program, folder);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(command, sizeof command, "\"%s\" - --data '%s/d'", rows[i].expression, folder);
        assert_int_equal(run(rows[i].in, command, out), 0);
        assert_string_equal(out, rows[i].with);
        snprintf(command, sizeof command, "\"%s\" -", rows[i].expression);
        assert_int_equal(run(rows[i].in, command, out), rows[i].without ? 0 : 1);
        if (rows[i].without)
            assert_string_equal(out, rows[i].without);
    }
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_json),
        cmocka_unit_test(failures_are_one_line),
        cmocka_unit_test(data_has_answers),
    };

    program = argc > 1 ? argv[1] : "carnet";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
