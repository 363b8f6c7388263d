/* document_int.h - what makes a document: op_document.c writes it, document_graph.c says what is in
 * it where a GraphDefinition is given. */
#ifndef API_DOCUMENT_INT_H
#define API_DOCUMENT_INT_H

#include "api/op.h"

#define DOCUMENT_ENTRIES_MAX 2000
#define DOCUMENT_LEVELS_MAX 3    /* references away from the Composition */
#define DOCUMENT_LINKS_MAX 20000 /* resources that links of a graph lead to, with repeats */

struct document {
    struct call *c;
    struct store_txn *txn;
    struct sb out;
    struct {
        int type;
        struct str id;
    } v[DOCUMENT_ENTRIES_MAX];
    size_t n;
    bool is_given; /* v is whole: no reference is followed */
};

/* One more entry, unless it is there; 1 where it is new. */
int document_add(struct document *d, int type, struct str id);

/* Adds what a GraphDefinition (its canonical, or GraphDefinition/id) leads to from the Composition
 * that is the first entry, in the order of its links. What has fewer or more matches than the link
 * says is ERR_PROCESSING. Source: http://hl7.org/fhir/R4/graphdefinition.html. */
int document_graph(struct document *d, struct str graph);

#endif
