/* check_int.h - store_check: what all backends share. */
#ifndef STORE_CHECK_INT_H
#define STORE_CHECK_INT_H

#include "store/store_int.h"

/* A key that a body calls for. */
struct check_key {
    struct str k;
    uint64_t row;
    uint16_t param;
    bool is_term;
};

struct check {
    struct store_txn *txn;
    void (*say)(void *ctx, const char *text);
    void *ctx;
    int n;
    uint64_t keys; /* that the bodies call for */
    struct arena a;
    struct sb scratch;
    struct arena asked_a;
    struct check_key asked[HAS_ALL_MAX]; /* gather, and are looked up together */
    size_t n_asked;
    bool has_failed;       /* the store, and no version */
    struct params *params; /* in force */
};

void check_problem(struct check *c, const char *fmt, ...) _printf_(2, 3);
/* Checks in one snapshot; `structure` says what the backend knows of itself. The number of
 * problems, or negative. */
int check_run(struct store *st, int (*structure)(struct check *c, struct err *err),
              void (*say)(void *ctx, const char *text), void *ctx, struct err *err);

#endif
