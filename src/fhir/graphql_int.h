/* graphql_int.h - between the tokens and the tree of a GraphQL document. */
#ifndef FHIR_GRAPHQL_INT_H
#define FHIR_GRAPHQL_INT_H

#include "fhir/graphql.h"

enum graphql_token {
    GRAPHQL_END,
    GRAPHQL_SYMBOL, /* one of ! $ ( ) : = @ [ ] { | } & and "..." */
    GRAPHQL_NAME,
    GRAPHQL_INT_TOKEN,
    GRAPHQL_FLOAT_TOKEN,
    GRAPHQL_STRING_TOKEN,
};

struct graphql_lex {
    struct arena *a;
    struct str text;
    size_t at; /* behind the current token */
    unsigned line;
    size_t line_start;
    enum graphql_token token;
    struct str value; /* a string without quotes and escapes */
    struct graphql_place place;
};

/* Moves to the next token. */
int graphql_next(struct graphql_lex *lex, struct err *err);

#endif
