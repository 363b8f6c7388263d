#include "trust/smart.h"

#include "../test.h"

static struct arena a;

static int begin(void **state)
{
    (void)state;
    arena_init(&a, MIB(16));
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_done(&a);
    return 0;
}

static struct smart_scopes scopes_of(const char *text)
{
    struct smart_scopes s = {0};
    struct err err;

    assert_int_equal(smart_parse(&a, str_c(text), &s, &err), 0);
    return s;
}

static void assert_scopes(const struct smart_scopes *s, const char *want)
{
    struct sb out = sb_make(KIB(8));

    smart_write(&out, s);
    assert_str(sb_view(&out), str_c(want));
    sb_done(&out);
}

static void reads_both_versions(void **state)
{
    static const char *const pairs[][2] = {
        {"patient/*.rs", "patient/*.rs"},
        {"patient/Observation.read", "patient/Observation.rs"},
        {"user/Patient.write", "user/Patient.cud"},
        {"system/*.*", "system/*.cruds"},
        {"user/Patient.cruds", "user/Patient.cruds"},
        {"offline_access openid fhirUser", "openid fhirUser offline_access"},
        {"patient/Observation.rs?category=a%7Cb&status=final",
         "patient/Observation.rs?category=a%7Cb&status=final"},
        /* Not scopes: an order that is none, no type, no rights, a query on all types. */
        {"patient/Observation.sr patient/Nothing.rs patient/Observation. patient/Observation", ""},
        {"patient/*.rs?category=a patient/Observation.rx patients/Observation.rs unknown", ""},
        {"", ""},
        {"  patient/Patient.r   ", "patient/Patient.r"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct smart_scopes s = scopes_of(pairs[i][0]);

        assert_scopes(&s, pairs[i][1]);
    }
}

static void gives_what_both_allow(void **state)
{
    static const char *const rows[][3] = {
        {"patient/*.cruds", "patient/Observation.rs", "patient/Observation.rs"},
        {"patient/Observation.rs", "patient/*.cruds", "patient/Observation.rs"},
        {"patient/Observation.rs", "user/*.cruds", ""},
        {"patient/Observation.cud", "patient/Observation.rs", ""},
        {"patient/Patient.rs", "patient/Observation.rs", ""},
        {"patient/Observation.rs", "patient/Observation.rs?category=a",
         "patient/Observation.rs?category=a"},
        {"patient/Observation.rs?category=b", "patient/Observation.rs?category=a",
         "patient/Observation.rs?category=b&category=a"},
        {"patient/Observation.rs patient/Observation.rs", "patient/*.rs", "patient/Observation.rs"},
        {"openid launch", "openid", "openid"},
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct smart_scopes asked = scopes_of(rows[i][0]), most = scopes_of(rows[i][1]), got;

        assert_int_equal(smart_both(&a, &asked, &most, &got, &err), 0);
        assert_scopes(&got, rows[i][2]);
    }
}

static void has_bounds(void **state)
{
    struct sb many = sb_make(MIB(1));
    struct smart_scopes s;
    struct err err;

    (void)state;
    for (int i = 0; i <= SMART_SCOPES_MAX; i++)
        sb_lit(&many, "user/*.r ");
    assert_int_equal(smart_parse(&a, sb_view(&many), &s, &err), ERR_VALUE);
    for (int i = 0; i < 1000; i++)
        sb_lit(&many, "unknown ");
    assert_int_equal(smart_parse(&a, sb_view(&many), &s, &err), ERR_VALUE);
    sb_done(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_both_versions),
        cmocka_unit_test(gives_what_both_allow),
        cmocka_unit_test(has_bounds),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
