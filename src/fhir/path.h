/* path.h - FHIRPath: expressions compiled once, evaluated over JSON with FHIR's types.
 *
 * The whole N1 grammar is read. What the evaluator cannot do yet is refused when an expression is
 * compiled, by name, so that no expression ever gives a silently wrong answer. A compiled path is
 * immutable and may be used by any number of threads.
 *
 * Two liberties, both taken by R4's own search parameters: as() and ofType() filter a collection of
 * any size, and a type may be written with or without "FHIR."; "DateTime" stands for dateTime.
 * Source: http://hl7.org/fhirpath/N1/, http://hl7.org/fhir/R4/fhirpath.html.
 */
#ifndef FHIR_PATH_H
#define FHIR_PATH_H

#include "base/js.h"
#include "fhir/defs.h"

#define PATH_TEXT_MAX KIB(16)  /* bytes of an expression */
#define PATH_NODES_MAX 4000    /* nodes of its tree */
#define PATH_DEPTH_MAX 200     /* depth of its tree, and of parentheses */
#define PATH_STEPS_MAX 1000000 /* evaluation steps of one path_eval */
#define PATH_ITEMS_MAX 100000  /* items of one collection */

struct path;

enum path_kind {
    PATH_ELEMENT, /* of a resource: `v` and `type` */
    PATH_BOOLEAN,
    PATH_STRING,
    PATH_INTEGER,
    PATH_DECIMAL, /* computed: `text` is the literal */
    PATH_DATE,
    PATH_DATETIME,
    PATH_TIME,
    PATH_QUANTITY,
};

struct path_item {
    enum path_kind kind;
    yyjson_val *v;                     /* NULL for a computed value, for a primitive that has only
                                          extensions, or a reference resolved to its type alone */
    yyjson_val *more;                  /* the "_name" sibling of a primitive, or NULL */
    const struct def_type *type;       /* NULL where the definitions do not know it */
    const struct def_element *element; /* of an element: what it was found as, or NULL */
    struct str text;                   /* of a computed value */
};

struct path_items {
    struct path_item *p;
    size_t n, cap;
};

struct path_env {
    struct arena *a;
    yyjson_val *resource; /* %resource, and where contained references look */
    bool values_only;     /* leave out primitives without a value (faster: no sibling is
                             looked for) */
    bool keep_repeats;    /* `|` joins without looking for equal items (whoever wants a set of
                             keys finds repeats faster there) */
    unsigned steps;       /* the evaluator's; begin with 0 */
};

/* Compiles `text`; `context` is the type of the focus where it is known (NULL: found out when
 * evaluating). Everything, text included, is kept in `a`. ERR_VALUE says where the text is not
 * FHIRPath, ERR_NOT_SUPPORTED names the function or operator. */
int path_compile(struct arena *a, struct str text, const struct def_type *context,
                 const struct path **ret, struct err *err);

/* Appends the result for one focus to `out` (which may bring its own first array of `cap` items;
 * it grows in env->a). ERR_COSTLY past a limit, ERR_VALUE where an operator meets what it cannot
 * take. */
int path_eval(const struct path *p, struct path_env *env, const struct path_item *focus,
              struct path_items *out, struct err *err);

/* A whole resource as focus; its type is taken from resourceType. */
struct path_item path_root(yyjson_val *resource);

struct str path_text(const struct path *p);

/* Whether the result can be an element of the data type (true where that is not known). */
bool path_leads_to(const struct path *p, enum def_which which);

/* Whether type `t` is `name` or derives from it. */
bool path_type_is(const struct def_type *t, struct str name);

#endif
