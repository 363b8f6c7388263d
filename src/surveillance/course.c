/* course.c - the rate of cases as it moves: a filter.
 *
 * In each period the rate is gamma distributed, given what was seen before. From one to the next it
 * is multiplied by a growth, one of a few that change seldom and are drawn towards none, and its
 * precision decays by `keep`. A count is a thinned, overdispersed draw of it: its information is
 * divided by its dispersion. All moments are closed forms; a mixture over growths is brought back
 * to one gamma a growth in each period.
 */
#include "surveillance/nowcast_int.h"

#include "base/util.h"

#include <assert.h>
#include <math.h>

#define GROWTHS 7 /* speeds of growth, the middle one is none */
#define MIDDLE (GROWTHS / 2)
#define SHAPE_LEAST 0.1 /* a rate is not held to be 0 because nobody fell ill for long */
#define PHI_LEAST 1.001
#define FACTORS_MAX 20
#define MEMORY 0.99            /* what a period's evidence for a setting counts one period later */
#define LOG_CHANCE_LEAST (-50) /* no growth is ever ruled out */
#define FORETOLD 4             /* periods at the start that are no evidence: the filter settles */
#define WEIGHT_LEAST 1e-3
#define PATTERN_COST 3 /* evidence, for it was learnt from what it foretells */

/* How a rate may behave; each combination is weighed by what it foretold. */
static const double keeps[] = {0.5, 0.75, 0.92, 0.98};
static const double phis[] = {1, 1.8, 4, 15};
static const struct {
    double speed, pull;
} manners[] = {{0, 0}, {0.05, 0}, {0.2, 0}, {0, 0.2}};
#define PLAIN (ARRAY_LEN(keeps) * ARRAY_LEN(phis) * ARRAY_LEN(manners))
#define SETTINGS (2 * PLAIN) /* and the same on top of what repeats */

static_assert(SETTINGS <= OUTLOOK_PARTS_MAX, "an outlook has a part for each setting");

struct setting {
    double keep, phi;
    double pull;                     /* share of its logarithm's way back to what is usual */
    size_t growths;                  /* 1 where there is none */
    double growth[GROWTHS];          /* what a rate is multiplied by */
    double change[GROWTHS][GROWTHS]; /* chance that one growth is followed by another */
};

struct rate {
    double weight, shape, rate;
};

/* Of a period, one setting: what comes to the known count. */
struct coming {
    double mean, variance;
};

/* Mostly the same growth, else a step, rather towards none. */
static double change(size_t from, size_t to)
{
    static const double inwards = 0.13, outwards = 0.07;
    size_t a = from < MIDDLE ? MIDDLE - from : from - MIDDLE;
    size_t b = to < MIDDLE ? MIDDLE - to : to - MIDDLE;

    if (from == to)
        return 1 - (from == MIDDLE ? 2 * outwards : a == MIDDLE ? inwards : inwards + outwards);
    return from + 1 != to && to + 1 != from ? 0 : b < a ? inwards : outwards;
}

static struct setting setting_of(size_t i)
{
    struct setting s = {.keep = keeps[i % ARRAY_LEN(keeps)],
                        .phi = phis[i / ARRAY_LEN(keeps) % ARRAY_LEN(phis)]};
    size_t manner = i / ARRAY_LEN(keeps) / ARRAY_LEN(phis) % ARRAY_LEN(manners);
    double speed = manners[manner].speed;

    s.pull = manners[manner].pull;
    s.growths = speed > 0 ? GROWTHS : 1;
    for (size_t k = 0; k < s.growths; k++) {
        s.growth[k] = speed > 0 ? exp(speed * ((double)k - MIDDLE)) : 1;
        for (size_t j = 0; j < s.growths; j++)
            s.change[j][k] = speed > 0 ? change(j, k) : 1;
    }
    return s;
}

/* One period on: from one where `was` is usual to one where `is` is. */
static void move(const struct setting *s, double was, double is, struct rate v[GROWTHS])
{
    struct rate next[GROWTHS];

    for (size_t k = 0; k < s->growths; k++) {
        double weight = 0, mean = 0, square = 0, growth = s->growth[k] * is / was;

        for (size_t j = k ? k - 1 : 0; j < MIN(k + 2, s->growths); j++) {
            double w = v[j].weight * s->change[j][k], m = v[j].shape / v[j].rate;

            weight += w;
            mean += w * m;
            square += w * (m / v[j].rate + m * m);
        }
        mean /= weight;
        growth *= pow(was / mean, s->pull);
        square = (square / weight - mean * mean) / s->keep * growth * growth;
        mean *= growth;
        next[k] = (struct rate){
            .weight = weight,
            .shape = MAX(mean * mean / square, SHAPE_LEAST),
            .rate = mean / square,
        };
    }
    for (size_t k = 0; k < s->growths; k++)
        v[k] = next[k];
}

/* Without the term that only the count decides. Small counts by the factors of the ratio of two
 * gamma functions, which is faster than their logarithms. */
static double log_density(double count, double mean, double phi)
{
    double size, ratio = 1;

    phi = MAX(phi, PHI_LEAST);
    size = mean / (phi - 1);
    if (count > FACTORS_MAX)
        ratio = lgamma(count + size) - lgamma(size);
    else {
        for (double i = 0; i < count; i++)
            ratio *= size + i;
        ratio = log(ratio);
    }
    return ratio - (size + count) * log(phi) + count * log(phi - 1);
}

/* Takes the count that is known of a period, a share of it with the given mean and variance.
 * Returns the logarithm of its chance. */
static double see(const struct setting *s, struct rate v[GROWTHS], double count, double share,
                  double uncertain, double dispersion)
{
    double most = -INFINITY, sum = 0, chance[GROWTHS];

    for (size_t k = 0; k < s->growths; k++) {
        double mean = v[k].shape / v[k].rate;
        double phi = dispersion * (1 - share) + s->phi * share + mean * uncertain / share;

        chance[k] = log_density(count, mean * share, phi + share / v[k].rate);
        most = MAX(most, chance[k]);
        v[k].shape += count / phi;
        v[k].rate += share / phi;
    }
    assert(s->growths > 0);
    for (size_t k = 0; k < s->growths; k++) {
        v[k].weight *= exp(MAX(chance[k] - most, LOG_CHANCE_LEAST));
        sum += v[k].weight;
    }
    for (size_t k = 0; k < s->growths; k++)
        v[k].weight /= sum;
    return most + log(sum);
}

/* What is not known yet of a period of which `count`, a share of it, is known and has been taken.
 * Given the rate, the best linear guess of the whole count adds to the rate what the known count
 * differs from its share of it, times `trust`: above 1 where counts vary more than reports do. */
static struct coming rest(const struct setting *s, const struct rate v[GROWTHS], double count,
                          double share, double uncertain, double dispersion)
{
    double mean = 0, square = 0;

    for (size_t k = 0; k < s->growths; k++) {
        double rate = v[k].shape / v[k].rate, of_rate = rate / v[k].rate;
        double of_share = rate * share * (dispersion * (1 - share) + s->phi * share) +
                          (rate * rate + of_rate) * uncertain;
        double trust = share > 0 ? MAX(1.0, s->phi * rate * share / of_share) : 0;
        double open = 1 - share * trust, more = (trust - (share > 0)) * count + open * rate;
        double variance = s->phi * rate * (1 - 2 * share * trust) + trust * trust * of_share +
                          open * open * of_rate;

        mean += v[k].weight * more;
        square += v[k].weight * (variance + more * more);
    }
    return (struct coming){mean, square - mean * mean};
}

/* Follows the periods with one setting. Returns the evidence for it. */
static double follow(const struct nowcast_job *job, const struct delays *d, const struct setting *s,
                     const double *usual, size_t first, struct coming *ret)
{
    const struct triangle *t = &job->triangle;
    struct rate v[GROWTHS];
    double evidence = 0, count;

    for (size_t k = 0; k < s->growths; k++)
        v[k] = (struct rate){1 / (double)s->growths, 1, 1 / usual[0]};
    for (size_t i = first; i < t->n + job->ahead; i++) {
        bool is_ahead = i >= t->n;
        size_t delay = is_ahead ? 0 : MIN(t->longest, t->n - 1 - i);
        double share = is_ahead ? 0 : d->mean[delay], uncertain = is_ahead ? 0 : d->variance[delay];

        if (i > first)
            move(s, usual[i - first - 1], usual[i - first], v);
        count = is_ahead ? 0 : triangle_known(t, i);
        if (!is_ahead) {
            double told = see(s, v, count, share, uncertain, d->dispersion);
            evidence = evidence * MEMORY + (i >= first + FORETOLD ? told : 0);
        }
        if (i >= job->from)
            ret[i - job->from] = rest(s, v, count, share, uncertain, d->dispersion);
    }
    return evidence;
}

int course_run(const struct nowcast_job *job, const struct delays *d, struct outlook *ret,
               struct err *err)
{
    size_t n = job->triangle.n + job->ahead - job->from;
    size_t first = job->from > NOWCAST_HISTORY ? job->from - NOWCAST_HISTORY : 0;
    struct coming *coming = ARENA_ARRAY(job->arena, struct coming, n * SETTINGS);
    size_t periods = job->triangle.n + job->ahead - first;
    double *usual = ARENA_ARRAY(job->arena, double, 2 * periods);
    double weight[SETTINGS] = {0}, most = -INFINITY, sum = 0;
    size_t settings = SETTINGS;

    if (!coming || !usual)
        return err_no_memory(err);
    pattern_none(job, first, usual);
    if (!pattern_make(job, first, usual + periods))
        settings = PLAIN;
    for (size_t i = 0; i < settings; i++) {
        struct setting s = setting_of(i);
        bool repeats = i >= PLAIN;

        weight[i] = follow(job, d, &s, repeats ? usual + periods : usual, first, &coming[i * n]);
        weight[i] -= repeats ? PATTERN_COST : 0;
        most = MAX(most, weight[i]);
    }
    for (size_t i = 0; i < settings; i++) {
        weight[i] = exp(weight[i] - most);
        weight[i] = weight[i] < WEIGHT_LEAST ? 0 : weight[i];
        sum += weight[i];
    }
    for (size_t k = 0; k < n; k++) {
        size_t i = job->from + k;

        ret[k] =
            (struct outlook){.known = i < job->triangle.n ? triangle_known(&job->triangle, i) : 0};
        for (size_t j = 0; j < settings; j++)
            if (weight[j] > 0)
                outlook_add(&ret[k], weight[j] / sum, coming[j * n + k].mean,
                            coming[j * n + k].variance);
    }
    return 0;
}
