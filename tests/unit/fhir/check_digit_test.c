/* Check digits: of codes as LOINC and SNOMED CT have given them out. */
#include "../test.h"

#include "fhir/check_digit.h"

static const struct {
    const char *system, *code, *problem;
} codes[] = {
    {"http://loinc.org", "8310-5", NULL},
    {"http://loinc.org", "8302-2", NULL},
    {"http://loinc.org", "12345-5", NULL}, /* the example of the Users' Guide */
    {"http://loinc.org", "8310-6", "has a wrong check digit"},
    {"http://loinc.org", "3810-5", "has a wrong check digit"},
    {"http://loinc.org", "83105", "is not of the form of a LOINC code"},
    {"http://loinc.org", "-5", "is not of the form of a LOINC code"},
    {"http://loinc.org", "8310-x", "is not of the form of a LOINC code"},
    /* given out with a wrong digit */
    {"http://loinc.org", "11491-6", NULL},
    {"http://loinc.org", "6649-9", NULL},
    {"http://loinc.org", "11491-8", NULL},
    /* parts */
    {"http://loinc.org", "LP7839-6", NULL},
    {"http://loinc.org", "LP6960-1", NULL},
    {"http://loinc.org", "LP29693-6", NULL},
    {"http://loinc.org", "LP31755-9", NULL},
    {"http://loinc.org", "LP175679-2", NULL},
    {"http://loinc.org", "LP29693-5", "has a wrong check digit"},
    {"http://loinc.org", "LP26993-6", "has a wrong check digit"},
    {"http://loinc.org", "LP-6", "is not of the form of a LOINC code"},
    /* answers */
    {"http://loinc.org", "LA33-6", NULL},
    {"http://loinc.org", "LA32-8", NULL},
    {"http://loinc.org", "LA4489-6", NULL},
    {"http://loinc.org", "LA6752-5", NULL},
    {"http://loinc.org", "LA15173-0", NULL},
    {"http://loinc.org", "LA33-5", "has a wrong check digit"},
    {"http://loinc.org", "LA3A-6", "is not of the form of a LOINC code"},
    /* lists and groups */
    {"http://loinc.org", "LL715-0", NULL},
    {"http://loinc.org", "LG1-0", NULL},
    {"http://snomed.info/sct", "22298006", NULL},
    {"http://snomed.info/sct", "22298007", "has a wrong check digit"},
    {"http://snomed.info/sct", "22298", "is not of the form of a SNOMED CT identifier"},
    {"http://snomed.info/sct", "22298006:363698007=80891009", NULL},
    {"urn:other", "8310-6", NULL},
};

static void digits_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        const char *problem = check_digit_problem(str_c(codes[i].system), str_c(codes[i].code));
        bool is_right = problem && codes[i].problem ? strcmp(problem, codes[i].problem) == 0
                                                    : problem == codes[i].problem;
        if (!is_right)
            fail_msg("%s: %s", codes[i].code, problem ? problem : "nothing is wrong");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
