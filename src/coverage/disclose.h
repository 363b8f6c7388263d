/* disclose.h - what of a count may leave: numbers to the nearest five, and shares as exactly as so
 * many people allow, so that no two answers, held against each other, tell of one person
 * (docs/decisions/0079-coverage.md).
 */
#ifndef COVERAGE_DISCLOSE_H
#define COVERAGE_DISCLOSE_H

#include "base/sb.h"

#define DISCLOSE_LEAST 5        /* people or visits; of fewer, but not none, nothing is said */
#define DISCLOSE_SHARE_LEAST 10 /* people of whom a share is told */

/* A number of people, to the nearest DISCLOSE_LEAST; -1: too few to say. */
int64_t disclose_number(uint64_t n);

/* A share in percent, to the nearest *ret_step (1, 5 or 10); -1: of too few, or too few have it. */
int disclose_percent(uint64_t of, uint64_t with, int *ret_step);

/* The number as JSON; null: too few to say. */
void disclose_write(struct sb *out, uint64_t n);

#endif
