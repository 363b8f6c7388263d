/* limit_data.h - what limit_sqlite and limit_pg share: the resources, read and compressed before
 * their clocks start, and the values of the index rows. FROZEN, as their schemas are. */
#ifndef BENCH_LIMIT_DATA_H
#define BENCH_LIMIT_DATA_H

#include <stddef.h>
#include <stdint.h>

#define LIMIT_INDEX_ROWS 11 /* a resource */
#define LIMIT_VALUE_BYTES 10
#define LIMIT_DICT_BYTES (112 << 10) /* zstd dictionary, trained on the first bodies */
#define LIMIT_ZSTD_LEVEL 3

#define LIMIT_CREATE_LINES 20000 /* bodies that `create` repeats, with new ids */
#define LIMIT_ID_BYTES 64

struct resource {
    char *body; /* compressed */
    size_t n;
    int type;
    char id[LIMIT_ID_BYTES];
    uint64_t token; /* what stands for its first identifier in the searches; 0: none */
};

struct resources {
    struct resource *v;
    size_t n, cap;
};

/* Ends the program: "limit: WHAT: WHY", WHY may be NULL. */
void limit_die(const char *what, const char *why) __attribute__((noreturn));
double limit_now(void); /* seconds of a clock that only moves forward */
/* xorshift64*: the same numbers in every run; `salt` moves it to others. */
uint64_t limit_rnd(void);
void limit_rnd_salt(uint64_t salt);

/* The lines of a file ("-": standard input), at most max. Ends the program if there are none. */
struct resources limit_load(const char *path, size_t max);
/* Trains a dictionary of at most LIMIT_DICT_BYTES; returns its size. */
size_t limit_dict_train(const struct resources *all, char *dict);
void limit_compress_all(struct resources *all, const void *dict, size_t dict_n);
/* An id of the create runs: ordered by time, as long as a UUID. */
void limit_new_id(uint64_t row, char ret[LIMIT_ID_BYTES]);
/* The type column: 32-bit FNV-1a of the type's name. */
int limit_type(const char *name, size_t n);
/* 64-bit FNV-1a: what stands for an identifier's value. */
uint64_t limit_hash(const char *text, size_t n);
/* The 8 bytes of the i-th index value of a row (limit_index_spread). */
uint64_t limit_index_value(int i, uint64_t row);

#endif
