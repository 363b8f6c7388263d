/* graphql.h - GraphQL documents (the June 2018 edition's query language) as a tree.
 *
 * Only the language: what fields mean is the caller's (http://hl7.org/fhir/R4/graphql.html). Every
 * spread of a fragment has its fragment, none leads back to itself, and with all fragments put in
 * their places the document is nowhere deeper than GRAPHQL_DEPTH_MAX, so that a caller may recurse.
 * Nodes live in the arena; texts point into the document or the arena.
 */
#ifndef FHIR_GRAPHQL_H
#define FHIR_GRAPHQL_H

#include "base/arena.h"
#include "base/err.h"

#define GRAPHQL_TEXT_MAX KIB(64) /* bytes of a document */
#define GRAPHQL_NODES_MAX 5000   /* selections, values, arguments … of a document */
#define GRAPHQL_DEPTH_MAX 24     /* selections, lists and objects inside each other */

struct graphql_place {
    unsigned line, column; /* from 1; column in bytes */
};

enum graphql_kind {
    GRAPHQL_NULL,
    GRAPHQL_VARIABLE,
    GRAPHQL_INT,
    GRAPHQL_FLOAT,
    GRAPHQL_STRING,
    GRAPHQL_BOOLEAN,
    GRAPHQL_ENUM,
    GRAPHQL_LIST,
    GRAPHQL_OBJECT,
};

struct graphql_value {
    enum graphql_kind kind;
    struct str text;             /* the variable's name, the literal, the string's content */
    struct str name;             /* of a field of an object */
    struct graphql_value *first; /* items of a list, fields of an object */
    struct graphql_value *next;
};

struct graphql_argument {
    struct str name;
    const struct graphql_value *value;
    struct graphql_argument *next;
    struct graphql_place place;
};

struct graphql_directive {
    struct str name;
    struct graphql_argument *arguments;
    struct graphql_directive *next;
    struct graphql_place place;
};

struct graphql_type {
    struct str name; /* empty for a list */
    struct graphql_type *of;
    bool is_required;
};

struct graphql_variable {
    struct str name;
    struct graphql_type *type;
    const struct graphql_value *fallback; /* its default, or NULL */
    struct graphql_variable *next;
    struct graphql_place place;
};

enum graphql_selects { GRAPHQL_FIELD, GRAPHQL_SPREAD, GRAPHQL_INLINE };

struct graphql_fragment;

struct graphql_selection {
    enum graphql_selects selects;
    struct str name;  /* of a field or a fragment; the type of an inline fragment, or empty */
    struct str alias; /* of a field: what the answer calls it */
    struct graphql_argument *arguments;
    struct graphql_directive *directives;
    struct graphql_selection *selections;
    const struct graphql_fragment *fragment; /* of a spread */
    struct graphql_selection *next;
    struct graphql_place place;
};

struct graphql_fragment {
    struct str name, type;
    struct graphql_directive *directives;
    struct graphql_selection *selections;
    struct graphql_fragment *next;
    struct graphql_place place;
    unsigned depth; /* 0: not known yet */
    bool is_open;   /* while its depth is being found */
};

struct graphql_operation {
    struct str name; /* empty: none */
    struct graphql_variable *variables;
    struct graphql_directive *directives;
    struct graphql_selection *selections;
    struct graphql_operation *next;
    struct graphql_place place;
};

struct graphql_document {
    struct graphql_operation *operations;
    size_t n_operations;
    struct graphql_fragment *fragments;
};

/* ERR_SYNTAX or ERR_VALUE where the text is no document, ERR_NOT_SUPPORTED for mutations,
 * subscriptions and type definitions, ERR_COSTLY past a limit; *ret_place is where, then. */
int graphql_parse(struct arena *a, struct str text, struct graphql_document *ret,
                  struct graphql_place *ret_place, struct err *err);

#endif
