/* graphql_int.h - the parts of $graphql.
 *
 *   op_graphql.c       the request, variables, errors, the answer
 *   graphql_check.c    whether a document's fields exist, before anything is read
 *   graphql_run.c      selections over the elements of a resource
 *   graphql_search.c   resources: by id, by reference, by search
 *   graphql_schema.c   introspection, written from the definitions
 *   graphql_out.c      the answer's tree
 */
#ifndef API_GRAPHQL_INT_H
#define API_GRAPHQL_INT_H

#include "api/call_world.h"
#include "api/op.h"

#include "fhir/graphql.h"
#include "fhir/path.h"

#define GRAPHQL_STEPS_MAX 2000000       /* fields and values of one answer */
#define GRAPHQL_READS_MAX 5000          /* resources that one query may look at */
#define GRAPHQL_SEARCHES_MAX 200        /* searches of one query */
#define GRAPHQL_LIST_MAX 1000           /* resources of one list without _count */
#define GRAPHQL_SKIP_MAX 10000          /* resources that previous and last pass over */
#define GRAPHQL_SLICES_MAX 1000         /* names that one @slice makes */
#define GRAPHQL_PATH_STEPS_MAX 20000000 /* FHIRPath steps of all filters and slices */

/* ---- the answer ---- */

struct gq_object;

/* One value: text that is JSON already, a value of a resource, or an object. */
struct gq_value {
    struct str json;
    yyjson_val *v;
    struct gq_object *object;
    struct gq_value *next;
};

struct gq_field {
    struct str name;
    struct gq_value *first, *last;
    bool is_list, is_single; /* written as an array; @singleton: refused when there are several */
    struct gq_field *next;
};

struct gq_object {
    struct gq_field *first, *last;
};

/* ---- a run ---- */

/* A variable with its value: JSON of the request, or the document's default. */
struct gq_variable {
    const struct graphql_variable *of;
    yyjson_val *given; /* NULL: not given */
};

/* A fhirpath or slice argument, compiled once. */
struct gq_path {
    const struct graphql_argument *of;
    const struct def_type *type;
    const struct path *path;
    struct gq_path *next;
};

struct gq_run {
    struct call *c;
    struct store_txn *txn;
    const struct graphql_document *doc;
    const struct graphql_operation *op;
    struct gq_variable *variables;
    size_t n_variables;
    struct gq_path *paths;
    yyjson_val *schema;      /* types written for introspection, or NULL */
    struct call_world world; /* of FHIRPath */
    struct arena scratch;    /* of one FHIRPath evaluation */
    uint64_t path_steps;     /* of all of them */
    size_t steps, reads, searches;
    struct graphql_place place; /* of the field being answered */
};

enum gq_focus_kind {
    GQ_ELEMENT, /* of a resource, or one itself */
    GQ_QUERY,   /* the root at system level */
    GQ_CONNECTION,
    GQ_EDGE,
    GQ_SCHEMA, /* an object of introspection */
};

struct gq_page;

/* What a selection looks at. */
struct gq_focus {
    enum gq_focus_kind kind;
    const struct def_type *type; /* of an element */
    yyjson_val *v, *more;        /* `more`: a primitive's "_name" sibling */
    yyjson_val *resource;        /* that it is in: where contained resources are */
    const struct gq_page *page;  /* of a connection */
    uint64_t row;                /* of an edge */
};

/* Selection sets that are answered together: a field asked for twice has two. */
struct gq_sets {
    const struct graphql_selection *first;
    const struct gq_sets *next;
};

/* ---- graphql_out.c ---- */

/* The field of this name, made if need be; NULL without memory. */
struct gq_field *gq_field(struct gq_run *run, struct gq_object *in, struct str name, bool is_list,
                          bool is_single);
/* Appends a value; 0, or negative. Each costs a step. */
int gq_add(struct gq_run *run, struct gq_field *to, struct gq_value value);
/* Appends a new object. */
int gq_add_object(struct gq_run *run, struct gq_field *to, struct gq_object **ret);
/* ERR_PROCESSING where @singleton does not hold. */
int gq_write(struct gq_run *run, struct sb *out, const struct gq_object *object);

/* ---- arguments ---- */

int gq_step(struct gq_run *run);
/* The argument of this name, or NULL. */
const struct graphql_argument *gq_argument(const struct graphql_selection *s, const char *name);
const struct graphql_directive *gq_directive(const struct graphql_selection *s, const char *name);
/* Texts of an argument: one, or those of a list. Variables are replaced; none given: none. */
int gq_texts(struct gq_run *run, const struct graphql_argument *arg, struct str **ret,
             size_t *ret_n);
/* The one text of an argument; STR_NULL where the argument or its variable is absent. */
int gq_text(struct gq_run *run, const struct graphql_argument *arg, struct str *ret);
int gq_bool(struct gq_run *run, const struct graphql_argument *arg, bool fallback, bool *ret);
int gq_u64(struct gq_run *run, const struct graphql_argument *arg, uint64_t max, uint64_t fallback,
           uint64_t *ret);
/* Fills err, naming the place of what is at fault. */
int gq_err(struct gq_run *run, struct graphql_place place, int code, const char *fmt, ...)
    _printf_(4, 5);

/* ---- the parts ---- */

/* "Patient_contact" or "Patient" as a type of the definitions; and back. */
const struct def_type *gq_type(struct gq_run *run, struct str name);
struct str gq_type_name(struct gq_run *run, const struct def_type *t);
/* "PatientList" with the end "List": the resource type, or 0. */
int gq_type_before(struct str name, const char *end);

int gq_check(struct gq_run *run);
int gq_answer(struct gq_run *run, const struct gq_focus *focus, const struct gq_sets *sets,
              struct gq_object *out);
/* Puts what a selection finds at an object into a field. */
int gq_answer_object(struct gq_run *run, const struct gq_focus *focus, const struct gq_sets *sets,
                     struct gq_field *to);
/* The field "resource" of a Reference. */
int gq_reference(struct gq_run *run, const struct gq_focus *focus,
                 const struct graphql_selection *s, const struct gq_sets *sets,
                 struct gq_object *out);
/* Type, TypeList, TypeConnection: 1 if the field is one of these, 0 if not. */
int gq_find(struct gq_run *run, const struct gq_focus *focus, const struct graphql_selection *s,
            const struct gq_sets *sets, struct gq_object *out);
int gq_connection(struct gq_run *run, const struct gq_focus *focus,
                  const struct graphql_selection *s, const struct gq_sets *sets,
                  struct gq_object *out);
int gq_edge(struct gq_run *run, const struct gq_focus *focus, const struct graphql_selection *s,
            const struct gq_sets *sets, struct gq_object *out);
/* Fields of a connection, of an edge: false if there is no such one. */
bool gq_is_connection_field(struct str name);
bool gq_is_edge_field(struct str name);

/* __schema, __type and the fields of what they give. */
int gq_schema(struct gq_run *run, const struct gq_focus *focus, const struct graphql_selection *s,
              const struct gq_sets *sets, struct gq_object *out);

#endif
