/* graphql.c - a GraphQL document: what the parser accepts is a tree that keeps its promises. */
#include "fhir/graphql.h"
#include "fuzz.h"

#define ARENA_MAX MIB(16)

static unsigned walk(const struct graphql_selection *s, unsigned depth, unsigned *steps)
{
    unsigned deepest = depth;

    FUZZ_HOLDS(depth <= GRAPHQL_DEPTH_MAX);
    for (; s && ++*steps < 20000; s = s->next) {
        const struct graphql_selection *below = s->selections;
        if (s->selects == GRAPHQL_SPREAD) {
            FUZZ_HOLDS(s->fragment && str_eq(s->fragment->name, s->name));
            below = s->fragment->selections;
        } else if (s->selects == GRAPHQL_FIELD) {
            FUZZ_HOLDS(s->name.n && s->alias.n);
        } else {
            FUZZ_HOLDS(s->selections);
        }
        if (below)
            deepest = MAX(deepest, walk(below, depth + 1, steps));
    }
    return deepest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct graphql_document doc;
    struct graphql_place place;
    struct err err = {0};
    unsigned steps = 0;
    struct arena a;

    arena_init(&a, ARENA_MAX);
    if (graphql_parse(&a, str_n((const char *)data, n), &doc, &place, &err) < 0) {
        FUZZ_HOLDS(err.code < 0 && err.text[0]);
        FUZZ_HOLDS(place.line >= 1 && place.column >= 1);
    } else {
        FUZZ_HOLDS(doc.operations && doc.n_operations);
        for (const struct graphql_operation *op = doc.operations; op; op = op->next)
            walk(op->selections, 1, &steps);
    }
    arena_done(&a);
    return 0;
}
