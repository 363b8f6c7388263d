/* path_int.h - the tree of a compiled FHIRPath, and what its parts share. */
#ifndef FHIR_PATH_INT_H
#define FHIR_PATH_INT_H

#include "fhir/decimal.h"
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

/*    operator       text        precedence, 1 binds least */
#define PATH_OPERATORS(X)                                                                          \
    X(OP_IMPLIES, "implies", 1)                                                                    \
    X(OP_OR, "or", 2)                                                                              \
    X(OP_XOR, "xor", 2)                                                                            \
    X(OP_AND, "and", 3)                                                                            \
    X(OP_IN, "in", 4)                                                                              \
    X(OP_CONTAINS, "contains", 4)                                                                  \
    X(OP_EQUAL, "=", 5)                                                                            \
    X(OP_NOT_EQUAL, "!=", 5)                                                                       \
    X(OP_LIKE, "~", 5)                                                                             \
    X(OP_NOT_LIKE, "!~", 5)                                                                        \
    X(OP_LESS, "<", 6)                                                                             \
    X(OP_GREATER, ">", 6)                                                                          \
    X(OP_LESS_EQUAL, "<=", 6)                                                                      \
    X(OP_GREATER_EQUAL, ">=", 6)                                                                   \
    X(OP_UNION, "|", 7)                                                                            \
    X(OP_IS, "is", 8)                                                                              \
    X(OP_AS, "as", 8)                                                                              \
    X(OP_PLUS, "+", 9)                                                                             \
    X(OP_MINUS, "-", 9)                                                                            \
    X(OP_CONCAT, "&", 9)                                                                           \
    X(OP_TIMES, "*", 10)                                                                           \
    X(OP_DIVIDE, "/", 10)                                                                          \
    X(OP_DIV, "div", 10)                                                                           \
    X(OP_MOD, "mod", 10)

enum path_op {
#define X(id, text, precedence) id,
    PATH_OPERATORS(X)
#undef X
        OP_COUNT
};

struct str path_op_text(enum path_op op);

enum path_node_kind {
    NODE_FOCUS,    /* $this, and the hidden start of every path */
    NODE_RESOURCE, /* %resource */
    NODE_ROOT,     /* %rootResource */
    NODE_CONTEXT,  /* %context */
    NODE_VARIABLE, /* %text */
    NODE_INDEX_OF, /* $index */
    NODE_TOTAL,    /* $total */
    NODE_EMPTY,    /* {} */
    NODE_LITERAL,  /* text, unit; item kind in `op` */
    NODE_MEMBER,   /* left . text */
    NODE_CALL,     /* left . function(args …) */
    NODE_INDEX,    /* left [ right ] */
    NODE_IS,
    NODE_AS,     /* left, type name in text */
    NODE_BINARY, /* left op right */
    NODE_NEGATE, /* - right */
    NODE_PLUS,   /* + right */
    NODE_CHAIN,  /* left, and members resolved beforehand: `steps` */
};

enum path_as { AS_ONE, AS_ANY }; /* `as` wants one item where strict; ofType() takes any number */

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
    bool is_plain;               /* an object or an array of objects, of which the next step is one:
                                    no item need be made of it */
};

struct path_function;
struct path_regex;

struct path_node {
    uint8_t kind;   /* enum path_node_kind */
    uint8_t op;     /* enum path_op, enum path_kind, enum path_as */
    bool strict;    /* no liberties in `is` and `as` */
    bool is_done;   /* path_chain was here */
    bool is_direct; /* a chain from the focus, of whatever type that is */
    uint16_t depth;
    uint16_t at; /* where it begins in the text */
    uint16_t left, right;
    uint16_t next;   /* next argument of the same call */
    uint16_t enough; /* who reads the result looks at no more items; 0: at all of them */
    uint16_t memo;   /* number of its place in env->memos, from 1; 0: evaluated each time */
    struct str text;
    struct path_item literal;   /* of NODE_LITERAL, ready made; and */
    struct path_items literals; /* that one as a collection */
    struct str unit;            /* of a quantity */
    const struct path_function *function;
    const struct path_regex *regex; /* of a literal that is a function's pattern */
    const struct def_type *type;    /* of is and as; NULL when the name is not a known type */
    struct path_step *steps;
    size_t n_steps;
};

struct path {
    struct str text;
    struct path_node *nodes;
    size_t n_nodes;
    uint16_t root;
    uint16_t n_memos;
    bool strict;
};

/* The result of a node that is the same wherever it is asked for during one evaluation. */
struct path_memo {
    bool is_there;
    struct path_items items;
};

struct path_call {
    const struct path *path;
    struct path_env *env;
    const struct path_item *focus; /* of the whole expression; NULL: there is none */
    const struct path_node *node;
    const struct path_items *in; /* what the function is called on */
    struct err *err;
};

/* What a condition says: 1 true, 0 false, or */
#define PATH_NOTHING (-1)
/* An operand's result that is not there, or an error, as a condition's. */
static inline int path_nothing(int r)
{
    return r < 0 ? r : PATH_NOTHING;
}

enum path_arguments { ARGS_VALUES, ARGS_TYPE, ARGS_REGEX };

/* What is known of a result when compiling. */
enum path_gives {
    GIVES_ANY,
    GIVES_INPUT,     /* items of what it is called on */
    GIVES_UNORDERED, /* items of any type, in no order */
    GIVES_BOOLEAN,
    GIVES_STRING,
    GIVES_INTEGER,
    GIVES_OTHER, /* some other system type */
};

struct path_function {
    struct str name;
    uint8_t min_args, max_args;
    uint8_t arguments; /* enum path_arguments */
    uint8_t gives;     /* enum path_gives */
    bool needs_order;  /* the input's */
    bool iterates;     /* its arguments are evaluated for each item: $this and $index are theirs */
    bool is_alone;     /* it does not look at the input */
    bool wants_one;    /* without an argument it looks at the first item alone */
    /* One of them. `test` is of a function that gives one boolean, or PATH_NOTHING. */
    int (*run)(const struct path_call *call, struct path_items *out);
    int (*test)(const struct path_call *call);
};

const struct path_function *path_function_find(struct str name);

/* The type that a specifier names ("Patient", "FHIR.Patient"), or NULL; `strict`: in exactly that
 * spelling. */
const struct def_type *path_type_named(struct str name, bool strict);
/* Whether a specifier names a type of FHIRPath's own ("Integer", "System.Integer"). */
bool path_is_system_type(struct str name);

/* Replaces members by chains where the types are known. */
int path_chain(struct arena *a, struct path *p, const struct def_type *context, struct err *err);
/* Finds what need be evaluated once only. */
void path_hoist(struct path *p);
/* What path_compile_strict refuses beyond the syntax. */
int path_check(const struct path *p, const struct def_type *context, struct err *err);
/* The part of it that is about members, for a tree that path_chain has not seen. */
int path_check_members(const struct path *p, const struct def_type *const *types, struct err *err);

/* ---- evaluating ---- */

int path_costly(struct err *err);
int path_too_long(struct err *err); /* a text, past PATH_STRING_MAX */
/* ERR_VALUE with the place of `node`: "… at character N". */
int path_wrong(const struct path_node *node, struct err *err, const char *fmt, ...) _printf_(3, 4);
/* Takes n steps. */
int path_spend(struct path_env *env, size_t n, struct err *err);

/* Makes room for more items. */
int path_grow(struct path_env *env, struct path_items *out, struct err *err);
static inline int path_room(struct path_env *env, struct path_items *out, struct err *err)
{
    return out->n < out->cap ? 0 : path_grow(env, out, err);
}
static inline int path_push(struct path_env *env, struct path_items *out,
                            const struct path_item *item, struct err *err)
{
    int r = path_room(env, out, err);

    if (r == 0)
        out->p[out->n++] = *item;
    return r;
}
int path_push_bool(struct path_env *env, struct path_items *out, bool v, struct err *err);
int path_push_integer(struct path_env *env, struct path_items *out, int64_t v, struct err *err);
int path_push_decimal(struct path_env *env, struct path_items *out, const struct decimal *v,
                      struct err *err);
/* A computed value whose text lives in env->a (.p NULL: memory ran out). */
int path_push_text(struct path_env *env, struct path_items *out, enum path_kind kind,
                   struct str text, struct err *err);

/* A focus that stands for all items of env->many. */
extern const struct path_item path_many;

/* Evaluates a node for one focus (NULL: none). Variables defined by it end with it. */
int path_eval_node(const struct path *p, struct path_env *env, uint16_t i,
                   const struct path_item *focus, struct path_items *out, struct err *err);
/* A node as a condition: 1, 0, PATH_NOTHING or an error. */
int path_test_node(const struct path *p, struct path_env *env, uint16_t i,
                   const struct path_item *focus, struct err *err);
/* The members `name` of one item. */
int path_member(struct path_env *env, const struct path_item *item, struct str name,
                struct path_items *out, struct err *err);
/* All members; `item` may lie in `out`. */
int path_children(struct path_env *env, const struct path_item *item, struct path_items *out,
                  struct err *err);
/* The steps of a node from one item on; until `out` has `enough` items. 1 where it has, 0, or an
 * error. */
int path_run_chain(struct path_env *env, const struct path_node *node, const struct path_item *item,
                   size_t enough, struct path_items *out, struct err *err);
/* Operators whose result is a boolean, as path_test_node; those of logic take conditions. */
#define path_is_test(op) ((op) < OP_UNION)
#define path_is_logic(op) ((op) <= OP_AND)
int path_logic(enum path_op op, int left, int right);
int path_test_operator(struct path_env *env, const struct path_node *node,
                       const struct path_items *left, const struct path_items *right,
                       struct err *err);
int path_operator(struct path_env *env, const struct path_node *node, const struct path_items *left,
                  const struct path_items *right, struct path_items *out, struct err *err);
int path_arithmetic(struct path_env *env, const struct path_node *node, const struct path_item *a,
                    const struct path_item *b, struct path_items *out, struct err *err);
int path_negate(struct path_env *env, const struct path_node *node, const struct path_items *in,
                struct path_items *out, struct err *err);

struct path_scope {
    const struct path_scope *outer;
    struct path_variable variable;
};

/* What %name stands for, or NULL. */
const struct path_items *path_variable(const struct path_env *env, struct str name);

/* ---- items ---- */

/* The text of a primitive, computed or not; STR_NULL for anything else. */
static inline struct str path_item_text(const struct path_item *item)
{
    return item->kind != PATH_ELEMENT ? item->text
           : yyjson_is_str(item->v)   ? js_str(item->v)
                                      : js_primitive(item->v);
}

static inline enum path_kind path_number_kind(const struct path_item *item)
{
    if (item->type && item->type->which == TYPE_DECIMAL)
        return PATH_DECIMAL;
    return str_find(js_str(item->v), '.') < 0 ? PATH_INTEGER : PATH_DECIMAL;
}

/* PATH_STRING, PATH_BOOLEAN …: what a primitive is compared as; PATH_ELEMENT if it is none (or has
 * no value). An element that is a Quantity stays one. */
static inline enum path_kind path_item_kind(const struct path_item *item)
{
    if (item->kind != PATH_ELEMENT)
        return item->kind;
    if (!yyjson_is_str(item->v))
        return yyjson_is_bool(item->v) ? PATH_BOOLEAN
               : js_is_number(item->v) ? path_number_kind(item)
                                       : PATH_ELEMENT;
    switch (item->type ? item->type->which : TYPE_NONE) {
    case TYPE_DATE: return PATH_DATE;
    case TYPE_DATETIME:
    case TYPE_INSTANT: return PATH_DATETIME;
    case TYPE_TIME: return PATH_TIME;
    default: return PATH_STRING;
    }
}
/* `exact`: a primitive type is not what derives from it. */
bool path_item_is(const struct path_item *item, const struct path_node *type_node, bool exact);
/* "System.Integer", "FHIR.Patient"; in the arena where it must be made. .p NULL: not known. */
struct str path_item_type(struct arena *a, const struct path_item *item);

static inline bool path_is_number(enum path_kind k)
{
    return k == PATH_INTEGER || k == PATH_DECIMAL;
}

static inline bool path_is_date(enum path_kind k)
{
    return k == PATH_DATE || k == PATH_DATETIME;
}

/* The one item of a collection that has a value. 1, 0 where there is none, or an error where there
 * are several. */
int path_one(const struct path_call *c, const struct path_items *items, struct path_item *ret);
/* That item as a text, a number or an integer; another type is an error. */
int path_one_string(const struct path_call *c, const struct path_items *items, struct str *ret);
int path_one_decimal(const struct path_call *c, const struct path_items *items,
                     struct decimal *ret);
int path_one_integer(const struct path_call *c, const struct path_items *items, int64_t *ret);

/* The collection of the k-th argument (0 is the first), evaluated for the call's own focus. */
int path_arg(const struct path_call *c, unsigned k, struct path_items *ret);
/* As path_one_…, of an argument; 0 as well where the argument is not given. */
int path_arg_string(const struct path_call *c, unsigned k, struct str *ret);
int path_arg_integer(const struct path_call *c, unsigned k, int64_t *ret);
static inline uint16_t path_arg_node(const struct path_call *c, unsigned k)
{
    uint16_t i = c->node->right;

    while (k-- && i != NO_NODE)
        i = c->path->nodes[i].next;
    return i;
}

/* Evaluates argument `arg` with item i of `in` as $this and i as $index; as a condition. */
int path_test_each(const struct path_call *c, uint16_t arg, const struct path_items *in, size_t i);
/* The same, whatever it gives. */
int path_each(const struct path_call *c, uint16_t arg, const struct path_items *in, size_t i,
              struct path_items *out);

/* ---- comparing ---- */

#define PATH_NOT_COMPARABLE 2 /* of different kinds */
#define PATH_NOT_KNOWN 3      /* precisions or units leave it open */

/* -1, 0, 1 or one of the above. */
int path_compare(const struct path_item *a, const struct path_item *b);
/* 1, 0, -1 where nothing is known, or an err_code past the limits. */
int path_equal(struct path_env *env, const struct path_item *a, const struct path_item *b,
               struct err *err);
int path_like(struct path_env *env, const struct path_item *a, const struct path_item *b,
              struct err *err);
/* 1 where the item is among them, 0, or an err_code. */
int path_has(struct path_env *env, const struct path_items *items, const struct path_item *item,
             struct err *err);

/* A growing set of items that finds equal ones. */
struct path_set {
    struct path_items items;
    uint32_t *hashes; /* of the items */
    size_t n_hashes;  /* room there */
    uint32_t *slots;  /* place in items + 1, or 0; NULL while there are few */
    size_t n_slots;
};
/* 1 where it was added, 0 where an equal one is in the set already, or an err_code. */
int path_set_add(struct path_env *env, struct path_set *set, const struct path_item *item,
                 struct err *err);
int path_set_has(struct path_env *env, const struct path_set *set, const struct path_item *item,
                 struct err *err);

/* ---- quantities ---- */

struct path_quantity {
    struct decimal value;
    struct str unit; /* a UCUM code ("1" where there is none), or "year" … "millisecond" */
    struct str word; /* the latter as it was written ("years"), or .p NULL */
    bool is_calendar;
};

/* Quantity, and what derives from it. */
bool path_is_quantity(const struct def_type *t);
/* Whether an item is a quantity: a computed one, or an element with a UCUM code. *ret may change
 * where it is none. */
bool path_to_quantity(const struct path_item *item, struct path_quantity *ret);
int path_push_quantity(struct path_env *env, struct path_items *out, const struct path_quantity *q,
                       struct err *err);
/* "years" gives "year"; STR_NULL when it is no calendar duration. */
struct str path_calendar_unit(struct str word);
/* b's value in a's unit; ERR_VALUE where that cannot be. `calendar`: a year and a month
 * are taken for the UCUM units of the same name. */
int path_quantity_convert(const struct path_quantity *b, const struct path_quantity *a,
                          bool calendar, struct decimal *ret);
int path_quantity_compare(const struct path_quantity *a, const struct path_quantity *b);
int path_quantity_like(const struct path_quantity *a, const struct path_quantity *b);
int path_quantity_parse(struct str s, struct path_item *ret, struct arena *a);

/* ---- dates ---- */

enum path_precision {
    AT_YEAR,
    AT_MONTH,
    AT_DAY,
    AT_HOUR,
    AT_MINUTE,
    AT_SECOND, /* with `digits` of a fraction */
};

struct path_moment {
    enum path_kind kind; /* PATH_DATE, PATH_DATETIME, PATH_TIME */
    enum path_precision precision;
    int year, month, day, hour, minute;
    int64_t ns; /* of the minute */
    int digits; /* of the second's fraction, 0 … 9 */
    bool has_zone;
    int tz_minutes;
};

/* The text of a literal without '@' and 'T' in front of a time; false when it is none. */
bool path_moment_parse(enum path_kind kind, struct str s, struct path_moment *ret);
/* Without the 'T' that ends a dateTime of less than hours in FHIRPath, and nowhere else. */
static inline struct str path_moment_plain(struct str s)
{
    return str_head(s, s.n - str_ends(s, STR("T")));
}
struct str path_moment_text(struct arena *a, const struct path_moment *m);
/* -1, 0, 1 or PATH_NOT_KNOWN. */
int path_moment_compare(const struct path_moment *a, const struct path_moment *b);
/* Adds or (sign -1) takes off. ERR_VALUE with the reason in err where the unit does not fit; 1
 * where the result is out of range. */
int path_moment_add(struct path_moment *m, const struct path_quantity *q, int sign,
                    struct err *err);
struct path_moment path_moment_now(struct path_env *env);

/* ---- regular expressions ---- */

/* Compiles a pattern; all memory is of `a`. ERR_VALUE says what is wrong with it. */
int path_regex_compile(struct arena *a, struct str pattern, const struct path_regex **ret,
                       struct err *err);
/* 1 where it matches, 0, or an error. */
int path_regex_match(struct path_env *env, const struct path_regex *re, struct str text, bool whole,
                     struct err *err);
int path_regex_replace(struct path_env *env, const struct path_regex *re, struct str text,
                       struct str by, struct str *ret, struct err *err);

/* ---- functions, by what they are about ---- */

#define PATH_FUNCTIONS(X)                                                                          \
    X(where) X(select) X(repeat) X(repeat_all) X(count) X(distinct) X(first) X(last) X(tail)       \
    X(skip) X(take) X(single) X(intersect) X(exclude) X(union) X(combine) X(children)              \
    X(descendants) X(sort) X(coalesce) X(index_of) X(last_index_of) X(substring) X(upper)          \
    X(lower) X(replace) X(replace_matches) X(length) X(to_chars) X(encode) X(decode) X(escape)     \
    X(unescape) X(trim) X(split) X(join) X(to_boolean) X(to_integer) X(to_decimal) X(to_string)    \
    X(to_date) X(to_date_time) X(to_time) X(to_quantity) X(abs) X(ceiling) X(exp) X(floor) X(ln)   \
    X(log) X(power) X(round) X(sqrt) X(truncate) X(sum) X(min) X(max) X(avg) X(low_boundary)       \
    X(high_boundary) X(precision) X(year_of) X(month_of) X(day_of) X(hour_of) X(minute_of)         \
    X(second_of) X(millisecond_of) X(timezone_offset_of) X(date_of) X(time_of) X(iif) X(trace)     \
    X(now) X(today) X(time_of_day) X(aggregate) X(type) X(define_variable) X(get_value)            \
    X(extension) X(resolve) X(check_modifiers) X(slice) X(element_definition)

#define PATH_TESTS(X)                                                                              \
    X(exists) X(all) X(empty) X(not) X(all_true) X(any_true) X(all_false) X(any_false)             \
    X(subset_of) X(superset_of) X(is_distinct) X(starts_with) X(ends_with) X(contains) X(matches)  \
    X(matches_full) X(converts_to_boolean) X(converts_to_integer) X(converts_to_decimal)           \
    X(converts_to_string) X(converts_to_date) X(converts_to_date_time) X(converts_to_time)         \
    X(converts_to_quantity) X(comparable) X(has_value) X(member_of) X(subsumes) X(subsumed_by)     \
    X(conforms_to) X(html_checks)

#define X(name) int path_fn_##name(const struct path_call *c, struct path_items *out);
PATH_FUNCTIONS(X)
#undef X
#define X(name) int path_test_##name(const struct path_call *c);
PATH_TESTS(X)
#undef X

#endif
