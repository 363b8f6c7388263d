/* What a nowcast is made of, against sums and closed forms; R's numbers are held against in
 * tests/surveillance. */
#include "../test.h"

#include "base/rng.h"
#include "surveillance/nowcast_int.h"
#include "surveillance/rt.h"
#include "surveillance/special.h"

#include <math.h>

#define WEEKS 120
#define LONGEST 4
#define COLUMNS (LONGEST + 1)
#define AHEAD 3
#define DRAWS 200000

static const double probabilities[] = {0.05, 0.25, 0.5, 0.75, 0.95};
#define QUANTILES ARRAY_LEN(probabilities)
static double cells[WEEKS * COLUMNS];

static bool is_near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance * MAX(1.0, fabs(b));
}

/* ---- outlook ---- */

/* The mixture's distribution, summed up term by term. */
static void test_outlook(void **state)
{
    struct outlook o = {.known = 7};
    double sum = 0, mean = 0, before = 0;

    (void)state;
    outlook_add(&o, 0.25, 2, 2); /* Poisson */
    outlook_add(&o, 0.5, 30, 90);
    outlook_add(&o, 0.25, 0, 0); /* nothing comes */
    assert_true(is_near(outlook_mean(&o), 7 + 0.5 + 15, 1e-12));
    assert_true(outlook_below(&o, 6) == 0);
    for (int k = 0; k < 400; k++) {
        double size = 30 / (3.0 - 1), p;

        p = 0.25 * exp(k * log(2) - 2 - lgamma(k + 1)) + (k ? 0 : 0.25) +
            0.5 * exp(lgamma(k + size) - lgamma(size) - lgamma(k + 1) - size * log(3) +
                      k * log(2.0 / 3));
        sum += p;
        mean += p * (k + 7);
        assert_true(is_near(outlook_below(&o, k + 7), sum, 1e-10));
        if (p > 1e-9 && sum < 0.999999) {
            assert_true(outlook_quantile(&o, sum - p / 2) == k + 7);
            assert_true(outlook_quantile(&o, before + p / 2) == k + 7);
        }
        before = sum;
    }
    assert_true(is_near(mean, outlook_mean(&o), 1e-9));
}

static void test_outlook_of_large_counts(void **state)
{
    struct outlook o = {.known = 0};

    (void)state;
    outlook_add(&o, 1, 5e8, 1e13);
    for (size_t i = 0; i < QUANTILES; i++) {
        double q = outlook_quantile(&o, probabilities[i]);

        assert_true(outlook_below(&o, q) >= probabilities[i] &&
                    outlook_below(&o, q - 1) < probabilities[i]);
        assert_true(fabs(q - nb_quantile(probabilities[i], 5e8, 2e4)) <= 1);
    }
}

/* ---- delays ---- */

static void fill(const double shares[COLUMNS], double count)
{
    for (size_t i = 0; i < WEEKS; i++)
        for (size_t d = 0; d < COLUMNS; d++)
            cells[i * COLUMNS + d] = count * shares[d];
}

static const double shares[COLUMNS] = {0.4, 0.3, 0.1, 0, 0.2};

static void test_delays(void **state)
{
    struct triangle t = {WEEKS, LONGEST, cells};
    struct delays d;
    double within = 0;

    (void)state;
    fill(shares, 1000);
    /* What now cannot know is not looked at. */
    for (size_t i = WEEKS - LONGEST; i < WEEKS; i++)
        for (size_t k = WEEKS - i; k < COLUMNS; k++)
            cells[i * COLUMNS + k] = (double)NAN;
    delays_fit(&t, 0, &d);
    for (size_t k = 0; k < COLUMNS; k++) {
        within += shares[k];
        assert_true(is_near(d.share[k], within, 1e-12) && is_near(d.mean[k], within, 1e-4));
    }
    assert_true(d.dispersion == 1 && d.mean[LONGEST] == 1 && d.variance[LONGEST] == 0);
    assert_true(triangle_known(&t, WEEKS - 1) == 400 && triangle_known(&t, 0) == 1000);
}

/* Beta draws, as order statistics of uniform ones: whole parameters. */
static double beta_draw(struct rng *rng, int a, int b)
{
    double v[64];
    int n = a + b - 1;

    for (int i = 0; i < n; i++) {
        double x = rng_unit(rng);
        int k = i;

        for (; k > 0 && v[k - 1] > x; k--)
            v[k] = v[k - 1];
        v[k] = x;
    }
    return v[a - 1];
}

/* The moments of a share, against draws of the hazards. */
static void test_share_is_uncertain(void **state)
{
    static const double few[] = {40, 20, 9, 1, 9, 9};
    struct triangle t = {2, 2, few};
    double mean = 0, square = 0;
    struct rng rng;
    struct delays d;

    (void)state;
    rng_seed(&rng, 5);
    delays_fit(&t, 0, &d);
    /* Delay 1: 20 of 60 cases; delay 2: none was seen, the prior is all there is. */
    assert_true(d.at[1] == 20 && d.within[1] == 60 && d.at[2] == 0 && d.within[2] == 0);
    for (int i = 0; i < DRAWS; i++) {
        double share = 1 - beta_draw(&rng, 20, 40);

        mean += share / DRAWS;
        square += share * share / DRAWS;
    }
    /* The prior's half case moves it a little. */
    assert_true(fabs(d.mean[0] / d.mean[1] - mean) < 0.005);
    assert_true(
        fabs((d.variance[0] + d.mean[0] * d.mean[0]) / (d.variance[1] + d.mean[1] * d.mean[1]) -
             square) < 0.005);
    assert_true(is_near(d.mean[1], 2.0 / 3, 1e-12));
}

/* Reports that come by the batch are told from those that come by chance. */
static void test_batches(void **state)
{
    struct triangle t = {WEEKS, LONGEST, cells};
    struct delays d;
    struct rng rng;

    (void)state;
    memset(cells, 0, sizeof cells);
    rng_seed(&rng, 3);
    for (size_t i = 0; i < WEEKS; i++)
        cells[i * COLUMNS + rng_below(&rng, COLUMNS)] = 20;
    delays_fit(&t, 0, &d);
    assert_true(d.dispersion > 10 && d.dispersion < 30);
}

/* ---- nowcasts ---- */

static int run(enum nowcast_method method, size_t n, size_t ahead, size_t limit,
               struct nowcast_point *ret)
{
    struct nowcast_job job = {.triangle = {n, LONGEST, cells},
                              .method = method,
                              .points_a_year = 52,
                              .from = n - MIN(n, (size_t)COLUMNS),
                              .ahead = ahead,
                              .probabilities = probabilities,
                              .n_probabilities = QUANTILES};
    struct arena a;
    struct err err = {0};
    int r;

    arena_init(&a, limit);
    job.arena = &a;
    r = nowcast_run(&job, ret, &err);
    arena_done(&a);
    return r;
}

static void check_point(const struct nowcast_point *p)
{
    assert_true(isfinite(p->expected) && p->expected >= p->known);
    for (size_t i = 0; i < QUANTILES; i++)
        assert_true(isfinite(p->quantile[i]) && p->quantile[i] >= p->known &&
                    p->quantile[i] >= (i ? p->quantile[i - 1] : 0));
}

/* A steady count is expected whole, however much of it is known. */
static void test_steady(void **state)
{
    struct nowcast_point p[COLUMNS + AHEAD];

    (void)state;
    fill(shares, 200);
    assert_int_equal(run(NOWCAST_BAYES, WEEKS, AHEAD, MIB(16), p), 0);
    for (size_t i = 0; i < COLUMNS + AHEAD; i++) {
        check_point(&p[i]);
        assert_true(is_near(p[i].expected, 200, 0.02));
        assert_true(p[i].quantile[0] <= 200 && p[i].quantile[4] >= 200 && p[i].quantile[4] < 240);
    }
    assert_true(p[0].expected == 200 && p[0].quantile[0] == 200 && p[0].quantile[4] == 200);
}

/* A count that doubles every four weeks goes on to grow. */
static void test_growth(void **state)
{
    struct nowcast_point p[COLUMNS + AHEAD];

    (void)state;
    for (size_t i = 0; i < WEEKS; i++)
        for (size_t d = 0; d < COLUMNS; d++)
            cells[i * COLUMNS + d] =
                round(shares[d] * 40 * (i < WEEKS - 20 ? 1 : exp2((double)(i + 20 - WEEKS) / 4)));
    assert_int_equal(run(NOWCAST_BAYES, WEEKS, AHEAD, MIB(16), p), 0);
    for (size_t i = 0; i < COLUMNS + AHEAD; i++) {
        double truth = 40 * exp2((double)(i + 20 - COLUMNS) / 4);

        check_point(&p[i]);
        assert_true(p[i].quantile[0] - 2 <= truth && truth <= p[i].quantile[4] + 2); /* rounded */
        assert_true(is_near(p[i].expected, truth, 0.2));
    }
}

/* Nothing, one case, huge counts, a single period, all at once: numbers, or none. */
static void test_awkward(void **state)
{
    static const double counts[] = {0, 1, 1e9};
    struct nowcast_point p[COLUMNS + AHEAD];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        for (size_t n = 1; n <= WEEKS; n += n < 8 ? 1 : WEEKS - 8)
            for (size_t last = 0; last < 2; last++) {
                memset(cells, 0, sizeof cells);
                for (size_t k = last ? n - 1 : 0; k < n; k++)
                    cells[k * COLUMNS] = counts[i];
                assert_int_equal(run(NOWCAST_BAYES, n, AHEAD, MIB(16), p), 0);
                for (size_t k = 0; k < MIN(n, (size_t)COLUMNS) + AHEAD; k++)
                    check_point(&p[k]);
                assert_int_equal(run(NOWCAST_LAWLESS, n, 0, MIB(16), p), 0);
            }
}

static void test_limits(void **state)
{
    static double large[(NOWCAST_PERIODS_MAX + 1)];
    struct nowcast_job job = {.triangle = {NOWCAST_PERIODS_MAX + 1, 0, large}};
    struct nowcast_point p[COLUMNS + AHEAD];
    struct err err = {0};

    (void)state;
    fill(shares, 20);
    assert_int_equal(run(NOWCAST_BAYES, WEEKS, 1, KIB(1), p), ERR_NO_MEMORY);
    assert_int_equal(run(NOWCAST_LAWLESS, WEEKS, 1, MIB(1), p), ERR_VALUE);
    assert_int_equal(nowcast_run(&job, p, &err), ERR_TOO_LONG);
}

/* ---- the reproduction number ---- */

/* A serial interval's days add up to 1, and have its mean. */
static void test_interval(void **state)
{
    static const double of[][2] = {{2.6, 1.5}, {8.4, 3.8}, {15.3, 9.3}, {1.2, 0.4}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(of); i++) {
        double sum = 0, mean = 0;

        for (unsigned day = 0; day < 300; day++) {
            sum += rt_interval(of[i][0], of[i][1], day);
            mean += day * rt_interval(of[i][0], of[i][1], day);
        }
        assert_true(is_near(sum, 1, 1e-9) && is_near(mean, of[i][0], 1e-9));
    }
    assert_true(rt_interval(2.6, 1.5, 0) == 0);
}

/* Cases that grow by a rate: R is that of the renewal equation. */
static void test_renewal(void **state)
{
    double count[100], of_rate = 0;
    struct rt_point p[100];
    struct rt_job job = {.n = 100,
                         .count = count,
                         .interval_mean = {6, 0, 0, 0},
                         .interval_sd = {2, 0, 0, 0},
                         .window = 7,
                         .prior_mean = 5,
                         .prior_sd = 5,
                         .probabilities = probabilities,
                         .n_probabilities = QUANTILES};
    struct arena a;
    struct err err = {0};

    (void)state;
    arena_init(&a, MIB(16));
    job.arena = &a;
    for (size_t i = 0; i < 100; i++)
        count[i] = round(100 * exp(0.1 * (double)i));
    for (unsigned day = 1; day < 60; day++)
        of_rate += rt_interval(6, 2, day) * exp(-0.1 * day);
    assert_int_equal(rt_run(&job, p, &err), 0);
    assert_true(isnan(p[6].mean) && isnan(p[6].quantile[0]) && isfinite(p[7].mean));
    assert_true(is_near(p[99].mean, 1 / of_rate, 1e-4));
    for (size_t i = 0; i < QUANTILES; i++)
        assert_true(is_near(p[99].quantile[i], 1 / of_rate, 0.01));
    job.interval_mean.mean = 1;
    assert_int_equal(rt_run(&job, p, &err), ERR_VALUE);
    job.n = RT_DAYS_MAX + 1;
    assert_int_equal(rt_run(&job, p, &err), ERR_TOO_LONG);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outlook), cmocka_unit_test(test_outlook_of_large_counts),
        cmocka_unit_test(test_delays),  cmocka_unit_test(test_share_is_uncertain),
        cmocka_unit_test(test_batches), cmocka_unit_test(test_steady),
        cmocka_unit_test(test_growth),  cmocka_unit_test(test_awkward),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_interval),
        cmocka_unit_test(test_renewal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
