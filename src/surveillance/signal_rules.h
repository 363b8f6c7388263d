/* signal_rules.h - when counts become a signal, as data (docs/formats/signal-rules.md). */
#ifndef SURVEILLANCE_SIGNAL_RULES_H
#define SURVEILLANCE_SIGNAL_RULES_H

#include "surveillance/case_definition.h"
#include "surveillance/cases.h"
#include "surveillance/detect.h"

#define SIGNAL_RULES_BYTES_MAX KIB(256)
#define SIGNAL_LEVELS_MAX 8 /* kinds of places that have series of their own, besides the country  \
                             */
#define SIGNAL_FIXED_MAX 500
#define SIGNAL_WEEKS_MAX 53 /* that a fixed rule looks back */
#define SIGNAL_TELL_MAX 32
#define SIGNAL_QUIET_DAYS_MAX 366

/* So many cases in so many weeks, the open one among them. */
struct fixed_rule {
    uint16_t disease;
    struct str level; /* of places; .p NULL: the country */
    struct str source;
    uint32_t cases, weeks;
    bool only_confirmed;
};

struct disease_detector {
    const struct method *method; /* NULL: no detector, fixed rules only */
    double param[DETECT_PARAMS_MAX];
};

struct signal_rules {
    struct str version;
    struct str levels[SIGNAL_LEVELS_MAX];
    size_t n_levels;
    enum case_date by;
    double rate;    /* of false discoveries among the signals of a week that detectors raise */
    uint32_t least; /* cases that a detector's signal has */
    int quiet_days; /* no second alert for a place and disease within so many of the last */
    struct disease_detector detectors[CASE_DEFINITIONS_MAX]; /* by disease */
    struct fixed_rule *fixed;
    size_t n_fixed;
    struct str tell[SIGNAL_TELL_MAX]; /* "Practitioner/1": who is sent a notice */
    size_t n_tell;
};

/* Strings lie in `a`. ERR_SYNTAX, ERR_VALUE or ERR_TOO_LONG say what does not hold. */
int signal_rules_read(struct arena *a, struct str text, const struct case_definitions *all,
                      struct signal_rules *ret, struct err *err);

/* The rules that are built in. */
struct str signal_rules_starter(void);

#endif
