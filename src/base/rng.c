#include "base/rng.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void rng_secure(void *to, size_t n)
{
    char *p = to;

    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got <= 0)
            abort();
        p += got;
        n -= (size_t)got;
    }
}

void rng_small(void *to, size_t n)
{
    static _Thread_local unsigned char pool[1024];
    static _Thread_local size_t left;

    if (n > sizeof pool / 2) {
        rng_secure(to, n);
        return;
    }
    if (left < n) {
        rng_secure(pool, sizeof pool);
        left = sizeof pool;
    }
    left -= n;
    memcpy(to, pool + left, n);
    explicit_bzero(pool + left, n);
}

void uuid7(char ret[UUID_TEXT_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    uint64_t ms = (uint64_t)clock_now_ms();
    unsigned char b[16];

    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)(ms >> (40 - 8 * i));
    rng_small(b + 6, 10);
    b[6] = (b[6] & 0x0f) | 0x70;
    b[8] = (b[8] & 0x3f) | 0x80;
    for (int i = 0, at = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret[at++] = '-';
        ret[at++] = hex[b[i] >> 4];
        ret[at++] = hex[b[i] & 15];
    }
    ret[UUID_TEXT_LEN] = '\0';
}

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rng_seed(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s, out = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)rng_next(r) * n) >> 64);
}

double rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}
