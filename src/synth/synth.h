/* synth.h - a synthetic country as FHIR R4 resources, streamed.
 *
 * Kivandra does not exist: its places, people and institutions are invented, and every identifier
 * system ends in ".example". The same people, seed, weeks and start give the same bytes on every
 * machine: all arithmetic is on integers, all randomness comes from base/rng.h seeded from `seed`
 * and, for each household, its number. What is in it: docs/guides/synthetic-country.md.
 *
 * A resource's references are to resources that came before it in the stream.
 */
#ifndef SYNTH_SYNTH_H
#define SYNTH_SYNTH_H

#include "base/err.h"
#include "base/str.h"

#define SYNTH_PEOPLE_MAX 500000000
#define SYNTH_WEEKS_MIN 4
#define SYNTH_WEEKS_MAX 520

struct synth_config {
    uint64_t people; /* Patient resources, 1 … SYNTH_PEOPLE_MAX */
    uint64_t seed;
    unsigned weeks;    /* simulated, SYNTH_WEEKS_MIN … SYNTH_WEEKS_MAX */
    int64_t start_day; /* first day, days since 1970-01-01; years 1970 … 2200 */
    bool bundles;      /* a transaction Bundle a person instead of single resources */
};

struct synth_stats {
    uint64_t people, resources, bytes;
    uint64_t outbreaks, cases; /* injected */
};

/* Where it goes. Both get whole lines, each ending in '\n'; a positive result ends the run early
 * without an error. `truth` (NULL: not wanted) gets one JSON line an outbreak at the very end. */
struct synth_sink {
    int (*write)(void *ctx, struct str lines, struct err *err);
    int (*truth)(void *ctx, struct str line, struct err *err);
    void (*progress)(void *ctx, const struct synth_stats *so_far); /* NULL, or now and then */
    void *ctx;
};

/* Returns 0, 1 if the sink ended it, or negative. */
int synth_run(const struct synth_config *config, const struct synth_sink *sink,
              struct synth_stats *ret, struct err *err);

#endif
