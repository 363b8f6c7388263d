/* path.h - FHIRPath 2.0 (N1) with the R4 model, compiled once, evaluated over JSON.
 *
 * A compiled path is immutable and may be used by any number of threads. Evaluating it is bounded
 * in steps, items and text; what a regular expression takes is charged as steps too.
 *
 * path_compile takes the liberties that R4's own search parameters and invariants need: `as`
 * filters a collection of any size, "Boolean" stands for boolean and "DateTime" for dateTime, a
 * name that the type does not have gives nothing. path_compile_strict takes none, and refuses
 * names, types and orderings that cannot be right for the given context.
 * docs/decisions/0005-fhirpath.md says where N1, R4 and the official cases leave a choice, and
 * which one was made.
 *
 * Beyond N1 there are, from its successor: trim, split, join, encode, decode, escape, unescape,
 * matchesFull, lastIndexOf, sort, coalesce, defineVariable, repeatAll, sum, min, max, avg,
 * lowBoundary, highBoundary, precision, comparable and the parts of dates (yearOf …).
 * Source: http://hl7.org/fhirpath/N1/, http://hl7.org/fhir/R4/fhirpath.html.
 */
#ifndef FHIR_PATH_H
#define FHIR_PATH_H

#include "base/js.h"
#include "fhir/defs.h"
#include "fhir/world.h"

#define PATH_TEXT_MAX KIB(16)  /* bytes of an expression */
#define PATH_NODES_MAX 4000    /* nodes of its tree */
#define PATH_DEPTH_MAX 200     /* depth of its tree, and of parentheses */
#define PATH_STEPS_MAX 5000000 /* evaluation steps of one path_eval */
#define PATH_ITEMS_MAX 100000  /* items of one collection */
#define PATH_STRING_MAX MIB(1) /* bytes of one computed text */

struct path;
struct path_scope;
struct path_matcher;
struct path_memo;

enum path_kind {
    PATH_ELEMENT, /* of a resource: `v` and `type` */
    PATH_BOOLEAN,
    PATH_STRING,
    PATH_INTEGER,
    PATH_DECIMAL, /* computed: `text` is the literal */
    PATH_DATE,
    PATH_DATETIME,
    PATH_TIME,
    PATH_QUANTITY, /* computed: `text` is the number, `unit` the unit as in a literal */
    PATH_TYPE,     /* of type(): `text` is "System.Integer", "FHIR.Patient" */
};

struct path_item {
    enum path_kind kind;
    bool has_owner;              /* `owner` stands in for `more` */
    yyjson_val *v;               /* NULL for a computed value, for a primitive that has only
                                    extensions, or a reference resolved to its type alone */
    const struct def_type *type; /* of an element; NULL where the definitions do not know it */
    union {
        struct { /* of an element */
            union {
                yyjson_val *more;  /* the "_name" sibling of a primitive, or NULL: path_more() */
                yyjson_val *owner; /* the object that holds a value, where nobody has looked for
                                      its sibling yet */
            };
            const struct def_element *element; /* what it was found as, or NULL */
        };
        struct str text; /* of a computed value */
    };
    const struct str *unit; /* of a computed quantity: "'mg'", or "days" */
};

struct path_items {
    struct path_item *p;
    size_t n, cap;
};

/* What %name stands for. */
struct path_variable {
    struct str name;
    struct path_items items;
};

struct path_env {
    struct arena *a;
    yyjson_val *resource;      /* %resource, and where contained references look */
    yyjson_val *root_resource; /* %rootResource; NULL: the same */
    bool values_only;          /* leave out primitives without a value (faster: no sibling is
                                  looked for) */
    bool keep_repeats;         /* `|` joins without looking for equal items (whoever wants a set of
                                  keys finds repeats faster there) */
    const struct world *world; /* for resolve(), memberOf() …; NULL: nothing is known */
    const struct path_variable *variables;
    size_t n_variables;
    /* Hears what trace() is given; NULL: nobody does. */
    void (*trace)(void *ctx, struct str name, const struct path_items *items);
    void *trace_ctx;
    int64_t now_ms; /* of now(); 0: the clock's */
    int tz_minutes; /* of now(), today() */

    /* The evaluator's own; begin with 0. */
    unsigned steps;
    const struct path_item *context; /* %context */
    const struct path_scope *scope;
    const struct path_items *total; /* $total */
    size_t index;                   /* $index */
    const struct path_items *many;  /* the focus where it is several items */
    struct path_matcher *matcher;   /* of regular expressions; in `a` */
    struct path_memo *memos;        /* of what is the same for every focus; in `a` */
    struct path_item root;          /* %resource, once somebody asked */
};

/* Compiles `text`; `context` is the type of the focus where it is known (NULL: found out when
 * evaluating). Everything, text included, is kept in `a`. ERR_VALUE says what in the text is not
 * FHIRPath, and at which character. */
int path_compile(struct arena *a, struct str text, const struct def_type *context,
                 const struct path **ret, struct err *err);
int path_compile_strict(struct arena *a, struct str text, const struct def_type *context,
                        const struct path **ret, struct err *err);

/* Whether every member that an expression names is one that some type on its way has; `types`: what
 * the focus may be, then NULL (none: not known). ERR_VALUE names the first that is not. */
int path_members(struct arena *a, struct str text, const struct def_type *const *types,
                 struct err *err);

/* Appends the result for one focus to `out` (which may bring its own first array of `cap` items;
 * it grows in env->a). A focus of NULL is the empty collection. ERR_COSTLY past a limit, ERR_VALUE
 * where an operator meets what it cannot take, and whatever `world` fails with. */
int path_eval(const struct path *p, struct path_env *env, const struct path_item *focus,
              struct path_items *out, struct err *err);

/* A whole resource as focus; its type is taken from resourceType. */
struct path_item path_root(yyjson_val *resource);

/* Any JSON value as an item, for variables: a resource with its type, anything else without. */
struct path_item path_json(yyjson_val *v);

/* The "_name" sibling of a primitive that is an element, or NULL. */
yyjson_val *path_more(const struct path_item *item);

/* What a condition says: 1 true, 0 false, -1 nothing (empty). One item that is no boolean is true;
 * several are ERR_VALUE. */
int path_truth(const struct path_items *items, struct err *err);

/* The items as one JSON array: elements as they stand (a primitive without value as its
 * extensions), computed numbers with their literal, dates and times as their text, quantities as
 * FHIRPath writes them
 * ("4.0 'mg'"), types as {"namespace", "name"}. */
void path_write(struct sb *out, const struct path_items *items);

struct str path_text(const struct path *p);

/* Whether the result can be an element of the data type (true where that is not known). */
bool path_leads_to(const struct path *p, enum def_which which);

/* Whether type `t` is `name` or derives from it. */
bool path_type_is(const struct def_type *t, struct str name);

#endif
