/* path_int.h - the tree of a compiled FHIRPath, and what its parts share. */
#ifndef FHIR_PATH_INT_H
#define FHIR_PATH_INT_H

#include "fhir/path.h"

enum path_token {
    TOK_END,
    TOK_NAME,
    TOK_QUOTED_NAME,
    TOK_STRING,
    TOK_NUMBER,
    TOK_DATE,
    TOK_DATETIME,
    TOK_TIME,
    TOK_EXTERNAL,
    TOK_THIS,
    TOK_INDEX,
    TOK_TOTAL,
    TOK_SYMBOL,
};

struct path_lex {
    struct arena *a;
    struct str text;
    size_t at;    /* behind the current token */
    size_t start; /* of the current token */
    enum path_token token;
    struct str value; /* the symbol, or name and string without quotes and escapes */
};

/* Moves to the next token; ERR_VALUE with the position where there is none. */
int path_lex_next(struct path_lex *lex, struct err *err);

/*    operator       text        precedence, 1 binds least      can be evaluated */
#define PATH_OPERATORS(X)                                                                          \
    X(OP_IMPLIES, "implies", 1, true)                                                              \
    X(OP_OR, "or", 2, true)                                                                        \
    X(OP_XOR, "xor", 2, true)                                                                      \
    X(OP_AND, "and", 3, true)                                                                      \
    X(OP_IN, "in", 4, false)                                                                       \
    X(OP_CONTAINS, "contains", 4, false)                                                           \
    X(OP_EQUAL, "=", 5, true)                                                                      \
    X(OP_NOT_EQUAL, "!=", 5, true)                                                                 \
    X(OP_LIKE, "~", 5, false)                                                                      \
    X(OP_NOT_LIKE, "!~", 5, false)                                                                 \
    X(OP_LESS, "<", 6, true)                                                                       \
    X(OP_GREATER, ">", 6, true)                                                                    \
    X(OP_LESS_EQUAL, "<=", 6, true)                                                                \
    X(OP_GREATER_EQUAL, ">=", 6, true)                                                             \
    X(OP_UNION, "|", 7, true)                                                                      \
    X(OP_IS, "is", 8, true)                                                                        \
    X(OP_AS, "as", 8, true)                                                                        \
    X(OP_PLUS, "+", 9, false)                                                                      \
    X(OP_MINUS, "-", 9, false)                                                                     \
    X(OP_CONCAT, "&", 9, false)                                                                    \
    X(OP_TIMES, "*", 10, false)                                                                    \
    X(OP_DIVIDE, "/", 10, false)                                                                   \
    X(OP_DIV, "div", 10, false)                                                                    \
    X(OP_MOD, "mod", 10, false)

enum path_op {
#define X(id, text, precedence, ready) id,
    PATH_OPERATORS(X)
#undef X
        OP_COUNT
};

enum path_node_kind {
    NODE_FOCUS,    /* $this, and the hidden start of every path */
    NODE_RESOURCE, /* %resource, %rootResource, %context: the resource itself */
    NODE_EMPTY,    /* {} */
    NODE_LITERAL,  /* text; item kind in `op` */
    NODE_MEMBER,   /* left . text */
    NODE_CALL,     /* left . function(args …) */
    NODE_INDEX,    /* left [ right ] */
    NODE_IS,
    NODE_AS,     /* left, type name in text */
    NODE_BINARY, /* left op right */
    NODE_NEGATE, /* - right */
    NODE_CHAIN,  /* members resolved beforehand: `steps` from the focus */
};

#define NO_NODE UINT16_MAX

/* One member access whose meaning was found when compiling, for a focus of type `in`. */
struct path_step {
    struct str name;           /* element name as in the expression */
    const struct def_type *in; /* the rest holds for an element of this type only */
    const struct def_element *element;
    const char *json; /* the one JSON member to look at; NULL: any of a choice */
    size_t json_n;
    const struct def_type *type; /* type of what is found in `json` */
    const struct def_type *only; /* `as`: keep this type and what derives from it */
    bool is_resource;            /* the type is in resourceType */
};

struct path_function;

struct path_node {
    uint8_t kind; /* enum path_node_kind */
    uint8_t op;   /* enum path_op, enum path_kind */
    uint16_t depth;
    uint16_t left, right;
    uint16_t next; /* next argument of the same call */
    struct str text;
    const struct path_function *function;
    const struct def_type *type; /* of is and as; NULL when the name is not a known type */
    struct path_step *steps;
    size_t n_steps;
};

struct path {
    struct str text;
    struct path_node *nodes;
    size_t n_nodes;
    uint16_t root;
};

struct path_call {
    const struct path *path;
    struct path_env *env;
    const struct path_item *focus; /* of the whole expression */
    const struct path_node *node;
    const struct path_items *in; /* what the function is called on */
    struct err *err;
    unsigned depth;
};

struct path_function {
    struct str name;
    uint8_t min_args, max_args;
    bool takes_type; /* the argument is a type specifier */
    int (*run)(const struct path_call *call, struct path_items *out); /* NULL: not supported */
};

const struct path_function *path_function_find(struct str name);

/* The type that a specifier names ("Patient", "FHIR.Patient", "System.String"), or NULL. */
const struct def_type *path_type_named(struct str name);

/* Replaces members by chains where the types are known. */
int path_chain(struct arena *a, struct path *p, const struct def_type *context, struct err *err);

int path_push(struct path_env *env, struct path_items *out, const struct path_item *item,
              struct err *err);
int path_push_bool(struct path_env *env, struct path_items *out, bool v, struct err *err);
/* Evaluates a node for one focus. */
int path_eval_node(const struct path *p, struct path_env *env, uint16_t i,
                   const struct path_item *focus, struct path_items *out, struct err *err);
/* The members `name` of one item. */
int path_member(struct path_env *env, const struct path_item *item, struct str name,
                struct path_items *out, struct err *err);
int path_run_chain(struct path_env *env, const struct path_node *node, const struct path_item *item,
                   struct path_items *out, struct err *err);
bool path_item_is(const struct path_item *item, const struct path_node *type_node);
/* 1 true, 0 false, -1 empty, or an err_code when it is more than one item. A single item that is no
 * boolean counts as true. */
int path_truth(const struct path_items *items, struct err *err);
int path_operator(struct path_env *env, enum path_op op, const struct path_items *left,
                  const struct path_items *right, struct path_items *out, struct err *err);
/* The text of a primitive, computed or not; STR_NULL for anything else. */
struct str path_item_text(const struct path_item *item);
/* PATH_STRING, PATH_BOOLEAN …: what a primitive is compared as; PATH_ELEMENT if it is none. */
enum path_kind path_item_kind(const struct path_item *item);

#endif
