/* search_engine.h - the smallest store there is, for tests of search: all keys in one sorted array,
 * ranges executed as search.h says, and each answer held against search_match. */
#ifndef UNIT_SEARCH_ENGINE_H
#define UNIT_SEARCH_ENGINE_H

#include "../test.h"

#include "fhir/search.h"

struct engine_row {
    int type;
    struct str id;
    yyjson_val *root;
};

struct engine_key {
    uint16_t param;
    bool shared;
    uint32_t row;
    struct str key;
};

struct engine {
    struct arena a;
    struct arena scratch; /* emptied after each search */
    struct params *params;
    struct search_options opt;
    struct engine_row *rows;
    size_t n_rows, cap_rows;
    struct engine_key *keys;
    size_t n_keys, cap_keys;
    bool sorted;
    size_t searches, rows_asked, rows_exact;
};

void engine_init(struct engine *e);
void engine_done(struct engine *e);
/* Adds a resource from its JSON text; `loud` fails the test where it cannot be indexed. */
void engine_add(struct engine *e, struct str json);

/* Runs a search over all rows of the type (0: of all types) and marks its hits. Fails the test when
 * a clause's ranges and search_match do not agree on a row. Returns search_parse's result. */
int engine_search(struct engine *e, int type, struct str query, bool *hits, struct err *err);

/* "id id id" of the hits in the order they were added, in e->scratch; "error: …" when refused. */
struct str engine_ids(struct engine *e, const char *type, const char *query);

#endif
