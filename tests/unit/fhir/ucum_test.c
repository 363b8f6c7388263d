#include "../test.h"

#include "base/rng.h"
#include "base/sb.h"
#include "fhir/ucum.h"

static struct decimal num(struct str text)
{
    struct decimal d;
    struct err err = {0};

    if (decimal_parse(text, &d, &err) < 0)
        fail_msg("%.*s: %s", STR_ARG(text), err.text);
    return d;
}

static void canonical_units(void **state)
{
    static const struct {
        const char *value, *unit, *want_value, *want_unit;
    } want[] = {
        {"1", "m", "1", "m"},
        {"72.5", "kg", "72500", "g"},
        {"180", "cm", "1.80", "m"},
        {"120", "mm[Hg]", "15998640.000", "m-1.s-2.g"},
        {"5.4", "mmol/L", "3251956010400000000000000", "m-3"},
        {"5.4", "mol/m3", "3251956010400000000000000", "m-3"},
        {"60", "/min", "1", "s-1"},
        {"7", "{score}", "7", "1"},
        {"98", "%", "0.98", "1"},
        {"37.0", "Cel", "310.15", "K"},
        {"98.6", "[degF]", "310.15", "K"},
        {"80", "[degRe]", "373.15", "K"},
        {"7", "[pH]", "60221407600000000000", "m-3"},
        {"3", "B", "1000", "1"},
        {"30", "dB", "1000", "1"},
        {"2", "B[SPL]", "0.2", "m-1.s-2.g"},
        {"8", "bit_s", "256", "1"},
        {"5", "[iU]/mL", "5000000", "m-3.[iU]"},
        {"5", "k[IU]/L", "5000000", "m-3.[iU]"},
        {"5", "[arb'U]", "5", "[arb'U]"},
        {"4", "10*9/L", "4000000000000", "m-3"},
        {"4", "10*3/uL", "4000000000000", "m-3"},
        {"4", "10^3.m", "4000", "m"},
        {"2", "m/s2", "2", "m.s-2"},
        {"2", "kg.m/(s2.A)", "2000", "m.s-1.g.C-1"},
        {"2", "/(/m)", "2", "m"},
        {"2", "m/m", "2", "1"},
        {"9", "%[slope]", "0.0897581741899505", "rad"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct decimal v = num(str_c(want[i].value)), w = num(str_c(want[i].want_value));
        char unit[UCUM_UNIT_MAX], text[DECIMAL_TEXT_MAX];
        struct err err;

        if (ucum_canonical(str_c(want[i].unit), &v, unit, &v, &err) < 0)
            fail_msg("%s", err.text);
        assert_string_equal(unit, want[i].want_unit);
        decimal_format(&v, text);
        if (decimal_cmp(&v, &w) != 0)
            fail_msg("%s %s is %s, not %s", want[i].value, want[i].unit, text, want[i].want_value);
    }
}

static void bad_units_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "m ",
        "mg dl",
        "m.",
        ".m",
        "m//s",
        "m..s",
        "(m",
        "m)",
        "()",
        "m^2",
        "m+",
        "m-",
        "m100",
        "m1000000000000",
        "{",
        "}",
        "{a",
        "a}",
        "{a{b}}",
        "m{a}2",
        "m{a}{b}",
        "[",
        "]",
        "[iU",
        "iU]",
        "kkg",
        "kmin",
        "k%",
        "mx",
        "KG",
        "MMHG",
        "0.m",
        "07.m",
        "12h",
        "Cel2",
        "Cel/m",
        "m.Cel",
        "/Cel",
        "Cel.Cel",
        "m99.m",
        "\xc2\xb5g",
        "g\n",
        "10*100",
        "m-100",
        "1.5m",
        "-m",
        "+m",
        "=",
        "\"",
        "((((((((((((((((((m))))))))))))))))))",
        "12345678901234567890123456789012345678901.m",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        if (ucum_check(str_c(bad[i]), &err) != ERR_VALUE)
            fail_msg("\"%s\" was accepted", bad[i]);
        assert_true(err.text[0]);
    }
    assert_int_equal(ucum_check(STR("((((((((((m))))))))))"), NULL), 0);
    assert_int_equal(ucum_check(STR("m+2.s-2{a.b(c)/d}"), NULL), 0);
}

static void results_have_limits(void **state)
{
    static const char bases[] =
        "[APL'U].[CCID_50].[D'ag'U].[EID_50].[FFU].[GPL'U].[IR].[Lf].[MPL'U]."
        "[Amb'a'1'U].[BAU].[AU].[todd'U]";
    struct decimal one = decimal_i64(1), v;
    char unit[UCUM_UNIT_MAX];
    struct err err;

    (void)state;
    assert_int_equal(ucum_check(str_c(bases), &err), ERR_VALUE);
    assert_non_null(strstr(err.text, "too many"));
    assert_int_equal(ucum_canonical(STR("Ym99.YK99.Yrad99.YC99"), &one, unit, &v, &err), ERR_VALUE);
    assert_int_equal(ucum_canonical(STR("Ym99.Ym-99.Em60.Em-60"), &one, unit, &v, &err), 0);
    assert_int_equal(decimal_cmp(&v, &one), 0);
    one = num(STR("1e1000"));
    assert_int_equal(ucum_canonical(STR("[pH]"), &one, unit, &v, &err), ERR_VALUE);
    assert_int_equal(ucum_convert(&one, STR("m"), STR("s"), &v, &err), ERR_VALUE);
    assert_int_equal(ucum_convert(&one, STR("[iU]"), STR("[arb'U]"), &v, &err), ERR_VALUE);
    one = decimal_i64(-1);
    assert_int_equal(ucum_convert(&one, STR("mol/L"), STR("[pH]"), &v, &err), ERR_VALUE);
    assert_int_equal(ucum_convert(&one, STR("m/s2"), STR("Np"), &v, &err), ERR_VALUE);
}

/* There and back again, for every pair that measures the same thing. */
static void conversions_come_back(void **state)
{
    static const char *const same[][8] = {
        {"Cel", "[degF]", "K", "[degR]", "[degRe]", "mK", "mCel"},
        {"mol/L", "[pH]", "mmol/L", "/m3", "10*3/uL"},
        {"Pa", "mm[Hg]", "bar", "[psi]", "atm", "B[SPL]", "dB[SPL]"},
        {"1", "B", "Np", "%", "[ppm]", "bit_s", "[pi]"},
        {"deg", "rad", "'", "''", "%[slope]", "[p'diop]", "gon"},
        {"s", "min", "h", "d", "wk", "a", "mo_j"},
    };
    struct decimal x = num(STR("1.25")), y, z, d;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        for (size_t a = 0; a < 8 && same[i][a]; a++)
            for (size_t b = 0; b < 8 && same[i][b]; b++) {
                if (ucum_convert(&x, str_c(same[i][a]), str_c(same[i][b]), &y, &err) < 0)
                    fail_msg("%s", err.text);
                assert_int_equal(ucum_convert(&y, str_c(same[i][b]), str_c(same[i][a]), &z, &err),
                                 0);
                assert_int_equal(decimal_sub(&x, &z, &d, &err), 0);
                if (decimal_double(&d) > 1e-10 || decimal_double(&d) < -1e-10)
                    fail_msg("%s to %s", same[i][a], same[i][b]);
            }
}

static void random_codes_do_no_harm(void **state)
{
    static const char *const parts[] = {"m",   "kg",  "s",   "/",    ".",    "(", ")",  "2",
                                        "-1",  "10*", "{a}", "[iU]", "Cel",  "[", "]",  "}",
                                        "mol", "%",   "9",   "+",    "[pH]", "u", "da", "99"};
    struct rng r;

    (void)state;
    rng_seed(&r, 9);
    for (int i = 0; i < 100000; i++) {
        char *text = malloc(64), unit[UCUM_UNIT_MAX];
        struct decimal v = decimal_i64((int64_t)rng_below(&r, 1000)), w, again;
        size_t n = 0;

        for (size_t j = 1 + rng_below(&r, 7); j; j--) {
            const char *p = parts[rng_below(&r, ARRAY_LEN(parts))];
            memcpy(text + n, p, strlen(p));
            n += strlen(p);
        }
        text = realloc(text, n); /* exact, so that a read past the end is seen */
        if (ucum_canonical(str_n(text, n), &v, unit, &w, NULL) == 0) {
            /* A canonical unit is a unit, and its own canonical one. */
            char twice[UCUM_UNIT_MAX];
            assert_int_equal(ucum_canonical(str_c(unit), &w, twice, &again, NULL), 0);
            assert_string_equal(unit, twice);
            assert_int_equal(decimal_cmp(&w, &again), 0);
        }
        free(text);
    }
}

/* ---- the official tests ---- */

static char *official(void)
{
    const char *shared = getenv("CARNET_SHARED");
    _cleanup_(sb_done) struct sb b = sb_make(MIB(4));
    char command[1000], *room;
    size_t n;
    FILE *f;

    if (!shared)
        return NULL;
    snprintf(command, sizeof command,
             "tar -xJO -f '%s/suites/ucum.tar.xz' ucum/UcumFunctionalTests.xml 2>/dev/null",
             shared);
    f = popen(command, "r");
    if (!f)
        return NULL;
    while ((room = sb_room(&b, 4096)) && (n = fread(room, 1, 4096, f)))
        sb_add(&b, n);
    pclose(f);
    sb_char(&b, '\0');
    if (b.failed || b.n < 1000)
        return NULL;
    return sb_steal(&b, &n);
}

/* The value of an attribute of the tag that starts at `tag`; the file has no entities in those that
 * are read here. */
static struct str attribute(struct str tag, const char *name)
{
    char want[32];
    const char *at;
    size_t n = (size_t)snprintf(want, sizeof want, " %s=\"", name);

    at = memmem(tag.p, tag.n, want, n);
    if (!at)
        return STR_NULL;
    return str_n(at + n, (size_t)(strchr(at + n, '"') - (at + n)));
}

/* Next <case …> that is not in a comment, moving *at behind it; .p is NULL at the end. */
static struct str next_case(const char **at)
{
    for (;;) {
        const char *tag = strstr(*at, "<case "), *comment = strstr(*at, "<!--");
        if (!tag)
            return STR_NULL;
        if (comment && comment < tag) {
            *at = strstr(comment, "-->");
            continue;
        }
        *at = strchr(tag, '>');
        return str_n(tag, (size_t)(*at - tag));
    }
}

/* Whether `got` is the expected value to as many digits as that has. */
static bool agrees(const struct decimal *got, const struct decimal *want)
{
    struct decimal half = {.n = 1, .exponent = (int16_t)(want->exponent - 1), .digit = {5}}, d;

    assert_int_equal(decimal_sub(got, want, &d, NULL), 0);
    d.negative = false;
    return decimal_cmp(&d, &half) <= 0;
}

static bool validation(struct str c)
{
    bool want = str_eq(attribute(c, "valid"), STR("true"));

    return (ucum_check(attribute(c, "unit"), NULL) == 0) == want;
}

static bool conversion(struct str c)
{
    struct decimal v = num(attribute(c, "value")), want = num(attribute(c, "outcome"));

    return ucum_convert(&v, attribute(c, "srcUnit"), attribute(c, "dstUnit"), &v, NULL) == 0 &&
           agrees(&v, &want);
}

static bool product(struct str c, bool divide)
{
    struct decimal a = num(attribute(c, "v1")), b = num(attribute(c, "v2")), one = decimal_i64(1),
                   v;
    struct decimal want = num(attribute(c, "vRes")), scale;
    char unit[UCUM_UNIT_MAX], want_unit[UCUM_UNIT_MAX];
    struct str u = attribute(c, "uRes");

    if (ucum_mul(&a, attribute(c, "u1"), &b, attribute(c, "u2"), divide, unit, &v, NULL) < 0)
        return false;
    assert_int_equal(ucum_canonical(u.n ? u : STR("1"), &one, want_unit, &scale, NULL), 0);
    assert_int_equal(decimal_div(&v, &scale, &v, NULL), 0);
    return strcmp(unit, want_unit) == 0 && agrees(&v, &want);
}

static void official_cases(void **state)
{
    char *text = official();
    const char *at = text, *division;
    int passed = 0, failed = 0, names = 0;
    struct str c;

    (void)state;
    if (!text) {
        print_message("skipped: CARNET_SHARED does not hold suites/ucum.tar.xz\n");
        skip();
    }
    division = strstr(text, "<division");
    while ((c = next_case(&at)).p) {
        bool ok;

        if (attribute(c, "display").p) { /* names of units are not carried over */
            names++;
            continue;
        }
        ok = attribute(c, "valid").p     ? validation(c)
             : attribute(c, "srcUnit").p ? conversion(c)
                                         : product(c, c.p > division);
        passed += ok;
        if (!ok)
            print_error("case %.*s\n", STR_ARG(c));
        failed += !ok;
    }
    free(text);
    print_message("%d passed, %d failed, %d of display names left out\n", passed, failed, names);
    assert_int_equal(failed, 0);
    assert_true(passed > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_units),         cmocka_unit_test(bad_units_are_refused),
        cmocka_unit_test(results_have_limits),     cmocka_unit_test(conversions_come_back),
        cmocka_unit_test(random_codes_do_no_harm), cmocka_unit_test(official_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
