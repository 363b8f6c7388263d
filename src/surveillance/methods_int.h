/* methods_int.h - what the files of the methods share. */
#ifndef SURVEILLANCE_METHODS_INT_H
#define SURVEILLANCE_METHODS_INT_H

#include "surveillance/detect.h"

#include <math.h>

/* Each method's parameters: one X-macro row a parameter, so that the enum of their places and the
 * table for the command line cannot drift apart.
 *   X(PLACE, "name", KIND, fallback, min, max, choices, "help") */
#define PARAM_PLACE(place, name, kind, fallback, min, max, choices, help) place,
#define PARAM_ROW(place, name, kind, fallback, min, max, choices, help) \
    {name, help, kind, fallback, min, max, choices},
#define PARAM_TABLE(ROWS) ((const struct method_param[]){ROWS(PARAM_ROW)})

#define ALPHA_MIN 1e-9
#define ALPHA_MAX 0.5

#define EARS_PARAMS(X) \
    X(EARS_ALPHA, "alpha", SET_NUMBER, NAN, ALPHA_MIN, ALPHA_MAX, NULL, \
      "chance of exceeding without an outbreak; default 0.001, for C3 0.025") \
    X(EARS_BASELINE, "baseline", SET_WHOLE, 7, 3, 1000, NULL, "points of the baseline") \
    X(EARS_MIN_SIGMA, "minSigma", SET_NUMBER, 0, 0, 1e6, NULL, \
      "least standard deviation, for sparse counts")

#define RKI_PARAMS(X) \
    X(WINDOW_B, "b", SET_WHOLE, NAN, 0, 50, NULL, "years back; default by the variant") \
    X(WINDOW_W, "w", SET_WHOLE, NAN, 0, 26, NULL, \
      "half the width of a past year's window; default by the variant") \
    X(WINDOW_RECENT, "actY", SET_YES_NO, NAN, 0, 1, NULL, \
      "also the w points just before; default by the variant")

#define BAYES_PARAMS(X) \
    RKI_PARAMS(X) \
    X(BAYES_ALPHA, "alpha", SET_NUMBER, 0.05, ALPHA_MIN, ALPHA_MAX, NULL, \
      "chance of exceeding without an outbreak")

#define CDC_PARAMS(X) \
    X(CDC_B, "b", SET_WHOLE, 5, 1, 50, NULL, "years back") \
    X(CDC_M, "m", SET_WHOLE, 1, 0, 6, NULL, "blocks of four on each side in a past year") \
    X(CDC_ALPHA, "alpha", SET_NUMBER, 0.025, ALPHA_MIN, ALPHA_MAX, NULL, \
      "of the two-sided interval")

enum {
    CUSUM_NONE,
    CUSUM_STANDARD,
    CUSUM_ROSSI,
    CUSUM_ANSCOMBE,
    CUSUM_ANSCOMBE_2ND,
    CUSUM_PEARSON_NB,
    CUSUM_ANSCOMBE_NB
};
#define CUSUM_PARAMS(X) \
    X(CUSUM_K, "k", SET_NUMBER, 1.04, 0, 100, NULL, "reference value") \
    X(CUSUM_H, "h", SET_NUMBER, 2.26, 0, 1000, NULL, "decision boundary") \
    X(CUSUM_M, "m", SET_CHOICE, 0, 0, 1, "mean|glm", \
      "expected count: the mean before the range, or a seasonal Poisson regression") \
    X(CUSUM_EXPECTED, "expected", SET_NUMBER, NAN, 1e-9, 1e9, NULL, \
      "a known expected count instead of m") \
    X(CUSUM_TRANS, "trans", SET_CHOICE, CUSUM_STANDARD, 0, 6, \
      "none|standard|rossi|anscombe|anscombe2nd|pearsonNegBin|anscombeNegBin", \
      "transformation to standard normal") \
    X(CUSUM_DISPERSION, "dispersion", SET_NUMBER, 0.1, 1e-9, 1000, NULL, \
      "of the NegBin transformations: the variance is m + dispersion m^2")

enum { FARRINGTON_DELTA, FARRINGTON_NB, FARRINGTON_MUAN };
enum { CALENDAR_DATES, CALENDAR_ROWS };
#define FARRINGTON_COMMON(X, alpha, few) \
    X(FARR_ALPHA, "alpha", SET_NUMBER, alpha, ALPHA_MIN, ALPHA_MAX, NULL, \
      "chance of exceeding without an outbreak (classic: both sides together)") \
    X(FARR_B, "b", SET_WHOLE, 5, 1, 50, NULL, "years back") \
    X(FARR_W, "w", SET_WHOLE, 3, 0, 25, NULL, "half the width of a past year's window") \
    X(FARR_TREND, "trend", SET_YES_NO, 1, 0, 1, NULL, "fit a trend, kept where it is needed") \
    X(FARR_REWEIGHT, "reweight", SET_YES_NO, 1, 0, 1, NULL, "less weight for past outbreaks") \
    X(FARR_LIMIT_CASES, "limitCases", SET_WHOLE, few, 0, 1e6, NULL, \
      "no alarm with fewer cases in the last limitPoints points") \
    X(FARR_LIMIT_POINTS, "limitPoints", SET_WHOLE, 4, 1, 100, NULL, "see limitCases") \
    X(FARR_POWER, "power", SET_CHOICE, 0, 0, 2, "2/3|1/2|none", \
      "scale of the delta threshold") \
    X(FARR_CALENDAR, "calendar", SET_CHOICE, CALENDAR_DATES, 0, 1, "dates|rows", \
      "a year ago is the nearest week by date, or 52 rows back")
#define FARRINGTON_CLASSIC_PARAMS(X) FARRINGTON_COMMON(X, 0.05, 5)
#define FARRINGTON_FLEXIBLE_PARAMS(X) \
    FARRINGTON_COMMON(X, 0.05, 5) \
    X(FARR_PERIODS, "noPeriods", SET_WHOLE, 10, 1, 26, NULL, \
      "seasons of the year; 1 uses only the windows") \
    X(FARR_WEIGHTS, "weightsThreshold", SET_NUMBER, 2.58, 0, 100, NULL, \
      "residuals above get less weight") \
    X(FARR_SKIP, "pastWeeksNotIncluded", SET_WHOLE, 26, 0, 500, NULL, \
      "points just before that are left out") \
    X(FARR_P_TREND, "pThresholdTrend", SET_NUMBER, 1, 0, 1, NULL, \
      "a trend is kept when its p-value is below") \
    X(FARR_METHOD, "thresholdMethod", SET_CHOICE, FARRINGTON_NB, 0, 2, \
      "delta|nbPlugin|muan", "how the threshold follows from the fit")

#define OUTBREAKP_PARAMS(X) \
    X(OUTBREAKP_K, "k", SET_NUMBER, 100, 1e-6, 1e12, NULL, "alarm when the statistic is above") \
    X(OUTBREAKP_RET, "ret", SET_CHOICE, 0, 0, 1, "cases|value", \
      "threshold: the count that would be an alarm, or the statistic itself") \
    X(OUTBREAKP_MAX, "maxCases", SET_WHOLE, 1e5, 1, 1e9, NULL, "largest count that is tried")

#define GLR_POINTS_MAX 5000   /* points judged at once: the work grows with their square */
#define GLR_NB_POINTS_MAX 520 /* for the negative binomial with their cube */
#define GLR_POISSON_PARAMS(X) \
    X(GLR_LIMIT, "cARL", SET_NUMBER, 5, 1e-6, 1e6, NULL, "alarm when the statistic reaches it") \
    X(GLR_S, "S", SET_WHOLE, 1, 0, 5, NULL, "yearly waves of the expected counts") \
    X(GLR_TREND, "trend", SET_YES_NO, 0, 0, 1, NULL, "a trend in the expected counts") \
    X(GLR_RET, "ret", SET_CHOICE, 0, 0, 1, "cases|value", \
      "threshold: the count that would be an alarm, or the statistic itself")
#define GLR_NB_PARAMS(X) \
    GLR_POISSON_PARAMS(X) \
    X(GLR_DISPERSION, "dispersion", SET_NUMBER, NAN, 0, 1000, NULL, \
      "the variance is m + dispersion m^2; estimated where it is not given")

#define ENSEMBLE_PARAMS(X) \
    X(ENS_ALPHA, "alpha", SET_NUMBER, 0.01, ALPHA_MIN, ALPHA_MAX, NULL, \
      "chance of an alarm without an outbreak") \
    X(ENS_YEARS, "years", SET_WHOLE, 10, 2, 50, NULL, "years of history that are used at most") \
    X(ENS_GAP, "gap", SET_WHOLE, 3, 0, 100, NULL, "points just before that are left out") \
    X(ENS_HARMONICS, "harmonics", SET_WHOLE, 4, 1, 5, NULL, \
      "waves of the season that are tried; kept where the history shows them") \
    X(ENS_LEVEL, "level", SET_YES_NO, 1, 0, 1, NULL, "follow a level that moves")

enum { EARS_PARAMS(PARAM_PLACE) };
enum { ENSEMBLE_PARAMS(PARAM_PLACE) };
enum { BAYES_PARAMS(PARAM_PLACE) }; /* RKI has the first of them */
enum { CDC_PARAMS(PARAM_PLACE) };
enum { CUSUM_PARAMS(PARAM_PLACE) };
enum { FARRINGTON_FLEXIBLE_PARAMS(PARAM_PLACE) }; /* classic has the first of them */
enum { OUTBREAKP_PARAMS(PARAM_PLACE) };
enum { GLR_NB_PARAMS(PARAM_PLACE) }; /* Poisson has the first of them */

typedef int method_fn(const struct detect_job *job, struct detect_point *ret, struct err *err);
method_fn bayes_run, cdc_run, cusum_run, ears_run, ensemble_run, farrington_run, glr_run,
    outbreakp_run, rki_run;

enum { EARS_C1, EARS_C2, EARS_C3 };
enum { FARRINGTON_CLASSIC, FARRINGTON_FLEXIBLE };
enum { GLR_POISSON, GLR_NB };

/* A point without a threshold. */
static inline struct detect_point point_without(enum note_code code, double needs, double has)
{
    return (struct detect_point){
        .threshold = NAN, .expected = NAN, .p = NAN, .note = {code, needs, has}};
}

/* The judgement: a count that is not known is never an alarm. */
static inline struct detect_point point_judge(double count, double threshold, double expected)
{
    struct detect_point p = {.threshold = threshold, .expected = expected, .p = NAN};

    p.alarm = count > threshold;
    if (isnan(count))
        p.note.code = NOTE_UNKNOWN;
    return p;
}

#endif
