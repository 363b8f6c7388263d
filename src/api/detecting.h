/* detecting.h - series from what is kept of cases, and a method that judges them: what $detect and
 * $backtest share. Parameters are those of $series, `method`, `last`, and the method's own by their
 * names.
 */
#ifndef API_DETECTING_H
#define API_DETECTING_H

#include "api/surveil.h"
#include "surveillance/detect.h"

#define JUDGED_MAX 100000 /* points of one answer */

struct detecting {
    struct call *c;
    const char *others;     /* parameters besides, blanks between them; they are the caller's */
    uint64_t last_fallback; /* how many periods are judged, where nobody says */
    const struct method *method;
    double param[DETECT_PARAMS_MAX];
    uint64_t last;
    int32_t today; /* until which records tell */
    struct tally t;
    struct str *heads; /* of each stratum, as members of its object; .p NULL: it has no rows */
    const struct str *diseases; /* of the tally */
    struct str *places; /* id of each of the tally's places; .p NULL: not known, or the country */
    double *counts;
    int64_t *days;
    struct detect_point *points; /* of one stratum, from detecting_from on */
};

/* Reads the request and counts; afterwards the cases are not locked any more: methods take their
 * time, and those who follow the feed do not wait for them. The answer has begun: "{", of what and
 * of when, and the method. `c`, `others` and `last_fallback` are filled in. */
int detecting_begin(struct detecting *d, const struct op_params *params);

/* The first period that is judged. */
size_t detecting_from(const struct detecting *d);

/* Judges a stratum. */
int detecting_judge(struct detecting *d, size_t stratum);

/* Of the tally's period. */
unsigned detecting_points_a_year(const struct detecting *d);

#endif
