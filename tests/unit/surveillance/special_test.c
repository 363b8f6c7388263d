/* Distribution functions against those of R (tests/surveillance/special.R made special_table.h). */
#include "../test.h"

#include "surveillance/special.h"

#include <math.h>

#define TOLERANCE 1e-12

enum kind {
    NORM_QUANTILE,
    NORM_ABOVE,
    GAMMA_BELOW,
    GAMMA_ABOVE,
    NB_BELOW,
    NB_FROM,
    NB_QUANTILE,
    POISSON_QUANTILE,
    STUDENT
};

static const struct {
    enum kind kind;
    double at[3], value;
} table[] = {
#include "special_table.h"
};

static double ours(enum kind kind, const double *at)
{
    switch (kind) {
    case NORM_QUANTILE: return norm_quantile(at[0]);
    case NORM_ABOVE: return norm_above(at[0]);
    case GAMMA_BELOW: return gamma_below(at[0], at[1]);
    case GAMMA_ABOVE: return gamma_above(at[0], at[1]);
    case NB_BELOW: return nb_below(at[0], at[1], at[2]);
    case NB_FROM: return nb_from(at[0], at[1], at[2]);
    case NB_QUANTILE: return nb_quantile(at[0], at[1], at[2]);
    case POISSON_QUANTILE: return poisson_quantile(at[0], at[1]);
    case STUDENT: return student_outside(at[0], at[1]);
    }
    return NAN;
}

static void agrees_with_r(void **state)
{
    (void)state;
    assert_true(ARRAY_LEN(table) > 300);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        double got = ours(table[i].kind, table[i].at), want = table[i].value;

        if (!(fabs(got - want) <= TOLERANCE * fabs(want)))
            print_error("kind %d at %.17g %.17g %.17g: %.17g, R has %.17g (%.1e)\n", table[i].kind,
                        table[i].at[0], table[i].at[1], table[i].at[2], got, want,
                        fabs(got - want) / fabs(want));
    }
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        double got = ours(table[i].kind, table[i].at);
        assert_true(fabs(got - table[i].value) <= TOLERANCE * fabs(table[i].value));
    }
}

/* A quantile is the smallest count that reaches p. */
static void quantiles_invert(void **state)
{
    (void)state;
    for (double mean = 0.01; mean < 1e7; mean *= 3.7)
        for (double p = 1e-6; p < 1; p += 0.0499) {
            double k = nb_quantile(p, mean, 1.7), n = poisson_quantile(p, mean);

            assert_true(nb_below(k, mean, 1.7) >= p * (1 - 1e-13));
            assert_true(k == 0 || nb_below(k - 1, mean, 1.7) < p);
            assert_true(poisson_below(n, mean) >= p * (1 - 1e-13));
            assert_true(n == 0 || poisson_below(n - 1, mean) < p);
        }
}

static void outside_the_domain(void **state)
{
    (void)state;
    assert_true(isnan(norm_quantile(-0.1)) && isnan(norm_quantile(NAN)));
    assert_true(isinf(norm_quantile(1)) && isinf(norm_quantile(0)));
    assert_true(isnan(gamma_below(0, 1)) && isnan(gamma_above(1, -1)));
    assert_true(isnan(beta_below(1, 0, 0.5, 0.5)));
    assert_true(isnan(nb_quantile(0.5, 3, 1)) && isnan(poisson_quantile(0.5, -1)));
    assert_true(isnan(student_outside(1, 0)));
    assert_true(nb_below(-1, 3, 2) == 0 && nb_from(0, 3, 2) == 1 && poisson_from(1, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_r),
        cmocka_unit_test(quantiles_invert),
        cmocka_unit_test(outside_the_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
