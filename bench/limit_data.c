#include "limit_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zdict.h>
#include <zstd.h>

#define SAMPLES 4000
#define TOKEN "\"identifier\":[{\"system\":\"urn:bench:ten\",\"value\":\""

/* How many different values each of the 11 index rows draws from; 0: a new one for each row, in
 * rising order (a date); -1: a new one for each row, in no order (an identifier). Of a resource's
 * keys some are shared by a third of all rows (a status), some by a few (a patient). */
static const int spreads[LIMIT_INDEX_ROWS] = {
    3, 16, 64, 256, 1000, 1000, 10000, 10000, 100000, 0, -1,
};

void limit_die(const char *what, const char *why)
{
    fprintf(stderr, "limit: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    exit(1);
}

double limit_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t rng_state = 88172645463325252ULL;
uint64_t limit_rnd(void)
{
    rng_state ^= rng_state >> 12;
    rng_state ^= rng_state << 25;
    rng_state ^= rng_state >> 27;
    return rng_state * 2685821657736338717ULL;
}

void limit_rnd_salt(uint64_t salt)
{
    rng_state ^= salt;
}

int limit_type(const char *name, size_t n)
{
    unsigned h = 2166136261u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)name[i]) * 16777619u;
    return (int)(h & 0x7fffffff);
}

uint64_t limit_hash(const char *text, size_t n)
{
    uint64_t h = 14695981039346656037ULL;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211ULL;
    return h;
}

void limit_new_id(uint64_t row, char ret[LIMIT_ID_BYTES])
{
    snprintf(ret, LIMIT_ID_BYTES, "f%07llx-%04llx-7000-8000-%012llx",
             (unsigned long long)row >> 16 & 0xfffffff, (unsigned long long)row & 0xffff,
             (unsigned long long)limit_rnd() >> 16);
}

uint64_t limit_index_value(int i, uint64_t row)
{
    int spread = spreads[i];
    return spread > 0 ? limit_rnd() % (uint64_t)spread : spread == 0 ? row : limit_rnd();
}

/* The first string member of that name in the line's text. */
static const char *member(const char *line, const char *name, size_t *ret_n)
{
    const char *p = strstr(line, name);
    if (!p)
        return NULL;
    p += strlen(name);
    const char *end = strchr(p, '"');
    *ret_n = end ? (size_t)(end - p) : 0;
    return end ? p : NULL;
}

static void resource_set(struct resource *r, char *line, size_t n)
{
    size_t type_n = 0, id_n = 0;
    const char *type = member(line, "\"resourceType\":\"", &type_n);
    const char *id = member(line, "\"id\":\"", &id_n);
    if (!type || !id || id_n >= LIMIT_ID_BYTES)
        limit_die("a line without resourceType or id", NULL);
    r->type = limit_type(type, type_n);
    memcpy(r->id, id, id_n);
    r->id[id_n] = 0;
    size_t token_n = 0;
    const char *token = member(line, TOKEN, &token_n);
    r->token = token ? limit_hash(token, token_n) : 0;
    r->body = line;
    r->n = n;
}

struct resources limit_load(const char *path, size_t max)
{
    struct resources all = {0};
    FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
    if (!f)
        limit_die("cannot read the NDJSON file", NULL);
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while (all.n < max && (n = getline(&line, &cap, f)) > 0) {
        if (all.n == all.cap) {
            all.cap = all.cap ? all.cap * 2 : 4096;
            all.v = realloc(all.v, all.cap * sizeof(*all.v));
        }
        line[n - 1] = line[n - 1] == '\n' ? 0 : line[n - 1];
        char *copy = strdup(line);
        if (!all.v || !copy)
            limit_die("no memory", NULL);
        resource_set(&all.v[all.n++], copy, strlen(copy));
    }
    free(line);
    if (f != stdin)
        fclose(f);
    if (!all.n)
        limit_die("the NDJSON file is empty", NULL);
    return all;
}

size_t limit_dict_train(const struct resources *all, char *dict)
{
    size_t n = all->n < SAMPLES ? all->n : SAMPLES, total = 0;
    size_t *sizes = calloc(n, sizeof(*sizes));
    size_t step = all->n / n;
    for (size_t i = 0; i < n; i++)
        total += all->v[i * step].n;
    char *text = malloc(total), *to = text;
    if (!sizes || !text)
        limit_die("no memory", NULL);
    for (size_t i = 0; i < n; i++) {
        sizes[i] = all->v[i * step].n;
        memcpy(to, all->v[i * step].body, sizes[i]);
        to += sizes[i];
    }
    size_t got = ZDICT_trainFromBuffer(dict, LIMIT_DICT_BYTES, text, sizes, (unsigned)n);
    if (ZDICT_isError(got))
        limit_die("cannot train the dictionary: too little data", NULL);
    free(text);
    free(sizes);
    return got;
}

void limit_compress_all(struct resources *all, const void *dict, size_t dict_n)
{
    ZSTD_CCtx *cc = ZSTD_createCCtx();
    ZSTD_CDict *cd = ZSTD_createCDict(dict, dict_n, LIMIT_ZSTD_LEVEL);
    for (size_t i = 0; i < all->n; i++) {
        struct resource *r = &all->v[i];
        size_t max = ZSTD_compressBound(r->n);
        char *z = malloc(max);
        size_t n = z ? ZSTD_compress_usingCDict(cc, z, max, r->body, r->n, cd) : 0;
        if (!n || ZSTD_isError(n))
            limit_die("cannot compress", NULL);
        free(r->body);
        r->body = realloc(z, n);
        r->n = n;
    }
    ZSTD_freeCDict(cd);
    ZSTD_freeCCtx(cc);
}
