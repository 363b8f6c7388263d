/* pattern.h - a regular expression over whole texts, with a bound on what a match may cost. */
#ifndef TERMINOLOGY_PATTERN_H
#define TERMINOLOGY_PATTERN_H

#include "base/err.h"

#define PATTERN_TEXT_MAX 1000
#define PATTERN_STEPS_MAX 100000 /* of one match */

struct pattern;

/* ERR_VALUE with the place when it is no regular expression. */
int pattern_new(struct str text, struct pattern **ret, struct err *err);
void pattern_free(struct pattern *p);
static inline void pattern_freep(struct pattern **p)
{
    pattern_free(*p);
}
/* Once a match has cost too much nothing matches any more, and pattern_is_costly says so. */
bool pattern_is_costly(const struct pattern *p);
bool pattern_matches(struct pattern *p, struct str text);

#endif
