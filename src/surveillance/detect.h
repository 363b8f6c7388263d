/* detect.h - the face of the detectors: a table of methods over a series of counts.
 *
 * A detector looks at one series of counts and says for each asked point where its threshold lies
 * and whether the count is above it. All are pure functions: no state, no clock, no randomness.
 * Their memory comes from the caller's arena. What each does and where it comes from:
 * docs/guides/detectors.md.
 *
 * A point that cannot be judged has threshold NAN, no alarm, and a note that says why: nothing is
 * made up. Adding a method is a row in detect.c and a function.
 */
#ifndef SURVEILLANCE_DETECT_H
#define SURVEILLANCE_DETECT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sb.h"

#define SERIES_POINTS_MAX 40000 /* points of one series: daily for a century */
#define SERIES_COUNT_MAX 1000000000
#define DETECT_PARAMS_MAX 16     /* parameters of one method */
#define DETECT_NOTE_TEXT_MAX 128 /* bytes of a note, with its NUL */

/* Equally spaced counts. */
struct series {
    size_t n;
    const double *count;    /* whole numbers from 0 to SERIES_COUNT_MAX; NAN: not known */
    const int64_t *day;     /* first day of each point, since 1970-01-01; NULL: no calendar */
    unsigned points_a_year; /* 52 weekly, 365 daily, 12 monthly */
};

/* Why a point has no threshold, or what is special about it. The table is in note.c. */
enum note_code {
    NOTE_NONE,
    NOTE_HISTORY,  /* needs `needs` earlier points, has `has` */
    NOTE_UNKNOWN,  /* the count of this point is not known */
    NOTE_BASELINE, /* a count that the threshold rests on is not known */
    NOTE_FEW,      /* fewer than `needs` cases in the last `has` points */
    NOTE_FLAT,     /* the baseline has no variation, so that the statistic is not defined */
    NOTE_FIT,      /* the model has no finite estimate */
    NOTE_ALWAYS,   /* any count would be an alarm */
    NOTE_NEVER,    /* no count up to the largest that is tried would be an alarm */
    NOTE_SUM,      /* threshold and alarm are about the last `needs` points' cases: `has` */
    NOTE_MAX
};

struct detect_note {
    enum note_code code;
    double needs, has;
};

struct detect_point {
    double threshold; /* NAN: none */
    double expected;  /* NAN where the method has none */
    double p;         /* chance of such a count or a higher one without an outbreak; NAN: none */
    bool alarm;
    struct detect_note note;
};

enum setting_kind { SET_NUMBER, SET_WHOLE, SET_YES_NO, SET_CHOICE };

struct method_param {
    const char *name, *help;
    enum setting_kind kind;
    double fallback, min, max; /* fallback NAN: none, the method says what it does then */
    const char *choices;       /* "delta|nbPlugin|muan"; the value is the place in it */
};

struct detect_job {
    const struct series *series;
    size_t from;                     /* the points [from, series->n) are asked for */
    int variant;                     /* of the method's row */
    double param[DETECT_PARAMS_MAX]; /* in the order of the method's table */
    struct arena *arena;
};

struct method {
    const char *name, *summary;
    int (*run)(const struct detect_job *job, struct detect_point *ret, struct err *err);
    int variant;
    const struct method_param *params;
    size_t n_params;
    /* What it learns from the points before the first one asked for, so that "all points" is no
     * sensible range: the last year is taken by default. */
    bool learns_before;
};

extern const struct method detect_methods[];
extern const size_t detect_n_methods;

/* By name; NULL if there is none. */
const struct method *detect_method(struct str name);

/* The method's defaults. */
void detect_defaults(const struct method *m, double ret[DETECT_PARAMS_MAX]);

/* Sets one parameter from text. ERR_VALUE says what is allowed. */
int detect_set(const struct method *m, struct str name, struct str value,
               double param[DETECT_PARAMS_MAX], struct err *err);

/* Runs m over the points [from, s->n); ret has s->n - from rows. ERR_VALUE for parameters that do
 * not go together, ERR_NO_MEMORY at the arena's limit. The arena's content afterwards is of no
 * use to the caller. */
int detect_run(const struct method *m, const double param[DETECT_PARAMS_MAX],
               const struct series *s, size_t from, struct arena *a, struct detect_point *ret,
               struct err *err);

/* Whether the alarm of a point with this note says something: 0 is then a "no", not a "don't
 * know". */
bool note_is_judged(enum note_code code);

/* A sentence, or "" for NOTE_NONE. */
void note_text(struct detect_note n, unsigned points_a_year, char ret[DETECT_NOTE_TEXT_MAX]);

/* The table of methods and their parameters, for people. */
void detect_describe(struct sb *to);

#endif
