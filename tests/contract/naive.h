/* naive.h - a store as a list: what searching must find, found by looking at everything. */
#ifndef NAIVE_H
#define NAIVE_H

#include "contract.h"

struct naive_doc {
    const char *type, *id;
    bool live;
    uint64_t row, hlc;
    struct index index;
    const char *text; /* its JSON without id */
};

struct naive {
    struct naive_doc docs[2000];
    size_t n;
    struct arena a;
};

bool naive_clause(const struct index *index, const struct search_clause *c);
struct str naive_key(const struct index *index, const struct search_sort *sort);
/* Whether a live document matches, and the matches in order (indices of docs). */
bool naive_matches(const struct naive *n, const struct naive_doc *d, const struct search *s);
size_t naive_search(const struct naive *n, const struct search *s, size_t *ret);

#endif
