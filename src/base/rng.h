/* rng.h - random numbers: the kernel's for ids and secrets, a seeded generator for what repeats.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include "base/str.h"

#define UUID_TEXT_LEN 36

/* Bytes from the kernel (getrandom). Cannot fail on a booted Linux; aborts if it does. */
void rng_secure(void *to, size_t n);
/* The same for many small ones, without a system call for each: from a pool of the thread's own,
 * where no byte stays once it was given out. Not for keys: a forked process has the same pool. */
void rng_small(void *to, size_t n);

/* A time-ordered UUID (RFC 9562, version 7) as 36 lower-case characters plus NUL. Unique across
 * threads and nodes. */
void uuid7(char ret[UUID_TEXT_LEN + 1]);

/* xoshiro256** (Blackman, Vigna 2018): fast, seeded, the same everywhere. Not for secrets. */
struct rng {
    uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
/* Uniform in [0, n), n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* Uniform in [0, 1). */
double rng_unit(struct rng *r);

#endif
