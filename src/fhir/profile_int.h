/* profile_int.h - a compiled profile, and what the parts of the check share. */
#ifndef FHIR_PROFILE_INT_H
#define FHIR_PROFILE_INT_H

#include "fhir/path.h"
#include "fhir/profile.h"
#include "fhir/validate_int.h"

#include <stdatomic.h>

#define NODE_MAX_UNBOUNDED UINT32_MAX

/* A canonical of a profile, followed once. */
struct profile_link {
    struct str url;
    const struct def_type *base; /* what it names is a type of R4 itself: nothing to follow */
    _Atomic(const struct profile *) to;
};

enum profile_aggregation {
    AGGREGATION_CONTAINED = 1,
    AGGREGATION_REFERENCED = 2,
    AGGREGATION_BUNDLED = 4,
};

struct profile_type {
    const struct def_type *type;
    struct profile_link *profiles; /* one of them must hold */
    struct profile_link *targets;  /* of a Reference or canonical: one of them must hold */
    size_t n_profiles, n_targets;
    unsigned aggregation; /* enum profile_aggregation, 0: any */
};

struct profile_binding {
    uint8_t strength; /* enum def_binding */
    struct str value_set;
    struct str max_value_set; /* codes beyond it are errors; may be empty */
};

struct profile_rule {
    struct str key, human, expression;
    enum issue_severity severity;
    const struct path *path; /* NULL: the expression cannot be evaluated; `why` says why */
    struct str why;
};

/* ---- slices ---- */

enum slicing_rules { SLICING_OPEN, SLICING_CLOSED, SLICING_OPEN_AT_END };
enum slicing_by { BY_VALUE, BY_EXISTS, BY_PATTERN, BY_TYPE, BY_PROFILE, BY_POSITION };
enum slicing_step_kind { STEP_MEMBER, STEP_EXTENSION, STEP_RESOLVE, STEP_TYPE };

struct slicing_step {
    enum slicing_step_kind kind;
    struct str name; /* member or extension URL */
    const struct def_type *type;
};

struct discriminator {
    enum slicing_by by;
    struct str path;
    struct slicing_step *steps;
    size_t n_steps;
};

/* What one discriminator asks of one slice. */
struct slice_test {
    const struct discriminator *by;
    yyjson_val *fixed, *pattern;
    const struct profile_binding *binding;
    const struct profile_type *types;
    size_t n_types;
    const struct def_type *type;      /* the one type where `types` is empty */
    const struct profile_type *links; /* behind resolve(): their targets; else their profiles */
    size_t n_links;
    bool is_resolved;
    int exists;   /* 1 must be there, 0 must not, -1 not asked */
    bool is_dead; /* the profile does not say how to tell the slice */
};

struct profile_slicing {
    enum slicing_rules rules;
    bool is_ordered;
    struct discriminator *by;
    size_t n_by;
    struct profile_node *first; /* slices, through `next` */
    size_t n;
};

/* An element as the profile has it: only what goes beyond R4 itself. */
struct profile_node {
    struct str id;                     /* "Patient.name:official.given" */
    struct str path;                   /* "Patient.name.given" */
    struct str slice;                  /* last slice name, or "" */
    const struct def_element *element; /* NULL for the root */
    const struct def_type *type;       /* the one type where there is one, else NULL */
    uint32_t min, max;
    bool has_cardinality; /* min or max differ from R4's */
    bool has_types;       /* types or what they may be are fewer than R4's */
    bool matters;         /* says something, or a node below does */
    bool is_must_support;
    struct profile_type *types;
    size_t n_types;
    yyjson_val *fixed, *pattern, *min_value, *max_value;
    uint32_t max_length; /* characters; 0: not said */
    const struct profile_binding *binding;
    struct profile_rule *rules;
    size_t n_rules;
    struct profile_slicing *slicing;
    struct slice_test *tests; /* of a slice: one a discriminator */
    size_t n_tests;
    struct profile_node *child, *last_child, *next;
};

struct profile {
    struct arena arena;
    struct str url, version;
    const struct def_type *type;
    struct profile_node *root;
    yyjson_val *contexts; /* of an extension: StructureDefinition.context */
    yyjson_val *context_invariants;
    bool is_modifier; /* of an extension */
    size_t n_nodes;
    struct profile *chain; /* in the set's bucket */
    struct err why;        /* why it could not be compiled; code 0: it could */
    bool is_unknown;       /* nothing has this canonical */
    bool is_busy;          /* being compiled: asked for again, it is recursive */
    struct str asked;      /* canonical it was asked for by */
};

/* From a StructureDefinition with a snapshot to nodes, all in p->arena. `depth`: how many profiles
 * are being compiled. */
int profile_compile(struct profiles *set, struct profile *p, yyjson_val *definition, unsigned depth,
                    struct err *err);
/* profiles_get while `depth` others are being compiled; the set's lock is held. */
int profiles_get_locked(struct profiles *set, struct str url, unsigned depth,
                        const struct profile **ret, struct err *err);
const struct world *profiles_world(struct profiles *set);

/* The slicing of a node: its discriminators' paths, read; and, when all nodes are there, what tells
 * each slice from the others. */
int slicing_read(struct profile *p, struct profile_node *node, yyjson_val *slicing,
                 struct err *err);
/* A discriminator's path as steps, in `a`. ERR_PROCESSING where it is not of the kind that R4
 * allows.
 */
int slicing_read_path(struct arena *a, struct str path, struct slicing_step **ret, size_t *ret_n,
                      struct err *err);
int slicing_settle(struct profiles *set, struct profile *p, struct profile_node *node,
                   unsigned depth, struct err *err);

/* ---- the check ---- */

/* An element of the instance. */
struct item {
    yyjson_val *v;    /* NULL where only `more` is there */
    yyjson_val *more; /* the '_' sibling of a primitive */
    const struct def_type *type;
    const struct def_element *element;
    ptrdiff_t index; /* in an array, -1: none */
};

/* The resources around an element, innermost first. */
struct scope {
    const struct scope *up;
    yyjson_val *resource;
    struct str full_url;           /* of the Bundle entry that it is in; may be empty */
    const struct entries *entries; /* of a Bundle: what its entries are called; NULL: no Bundle */
    bool is_contained;
};

/* What a check remembers: what was held against what, and what was said already. */
struct memory;

struct conform {
    const struct conform_options *options;
    struct arena *a;
    struct arena *scratch; /* reset after each rule */
    struct issues *issues; /* NULL: a trial, that only counts errors */
    size_t n_errors;       /* of a trial */
    yyjson_val *root;
    unsigned depth, references;
    struct memory *memory; /* of the whole check */
    struct err *err;
};

/* Says what does not hold, as a predicate ("is not …"), with the profile and the rule's name. */
void conform_say(struct conform *c, enum issue_severity severity, const char *type,
                 const struct place *at, const struct profile *p, struct str rule, const char *fmt,
                 ...) _printf_(7, 8);
/* Counts a step; false once a bound is reached. */
bool conform_step(struct conform *c, const struct place *at);
/* The same for work that grows with what a sender chooses: n comparisons are SCANS_A_STEP times as
 * cheap as a step. */
bool conform_steps(struct conform *c, size_t n, const struct place *at);
#define SCANS_A_STEP 16

/* One element, and all below, against a node. 0 or negative. */
int conform_node(struct conform *c, const struct profile *p, const struct profile_node *node,
                 const struct item *item, const struct scope *scope, const struct place *at);
/* An element against a whole profile: what does not hold is said once for each element and
 * profile. */
int conform_profile(struct conform *c, const struct profile *p, const struct item *item,
                    const struct scope *scope, const struct place *at);
/* The same on trial: 1 holds, 0 does not. */
int conform_try(struct conform *c, const struct profile *p, const struct item *item,
                const struct scope *scope, const struct place *at);
/* The profile behind a link; NULL where it is not known or not usable (which is said once). */
int conform_link(struct conform *c, struct profile_link *link, const struct place *at,
                 const struct profile **ret);
/* Whether something was said about `name` already; remembers it. */
bool conform_said(struct conform *c, struct str name);

/* The elements `e` of an object, one after the other. */
struct item_walk {
    struct item item; /* the current one */
    yyjson_val *v, *more, *before, *before_more;
    size_t at, n;
};
struct item_walk items_of(yyjson_val *obj, const struct def_type *type,
                          const struct def_element *e);
bool item_next(struct item_walk *w);
/* Where an item's own elements are: the object, or a primitive's '_' sibling. */
yyjson_val *item_object(const struct item *item);
/* An item of its own: a whole resource. */
struct item item_of_resource(yyjson_val *resource);
struct item item_of_value(const struct world_value *value);
const struct def_element *element_of(const struct def_type *t, struct str name);

/* The scope within an item of `parent` (an object): another one where the item is a resource. */
struct scope scope_within(struct conform *c, const struct scope *scope, yyjson_val *parent,
                          const struct item *item);

int conform_rules(struct conform *c, const struct profile *p, const struct profile_rule *rules,
                  size_t n, const struct item *item, const struct scope *scope,
                  const struct place *at);
int conform_binding(struct conform *c, const struct profile *p, struct str element_id,
                    const struct profile_binding *b, const struct item *item,
                    const struct place *at);
int conform_reference(struct conform *c, const struct profile *p, const struct profile_node *node,
                      const struct item *item, const struct scope *scope, const struct place *at);
/* What has an extension: the element, the type that has that element, and what has it. */
struct holder {
    const struct holder *up;
    const struct item *item;
    const struct def_type *owner; /* of item->element; NULL for a resource */
};
/* One extension: whether its url is known, may stand here, and its content is what it says. */
int conform_extension(struct conform *c, const struct item *item, const struct holder *holder,
                      bool is_modifier, const struct scope *scope, const struct place *at);
/* R4's own rules on an element and all below it; each resource against what it claims. */
int conform_base(struct conform *c, const struct item *item, const struct holder *holder,
                 const struct scope *scope, const struct place *at);
/* What Bundles, documents and messages, and responses to Questionnaires, have to keep besides. */
int conform_document(struct conform *c, yyjson_val *bundle, const struct scope *scope,
                     const struct place *up);
int conform_bundle(struct conform *c, yyjson_val *bundle, const struct scope *scope,
                   const struct place *at);
int conform_response(struct conform *c, yyjson_val *response, const struct scope *scope,
                     const struct place *at);
/* What a Questionnaire has to keep besides: conditions, options and initial values that make sense.
 */
int conform_questionnaire(struct conform *c, yyjson_val *questionnaire, const struct place *at);
/* A MeasureReport against its Measure. */
int conform_report(struct conform *c, yyjson_val *report, const struct place *at);
/* A Measure's populations against its scoring. */
void conform_measure(struct conform *c, yyjson_val *measure, const struct place *at);
/* A Narrative: its links within the resource, and its ids. */
int conform_narrative(struct conform *c, const struct item *item, const struct scope *scope,
                      const struct place *at);
/* What definitions have to keep besides: StructureDefinition, ValueSet, CodeSystem, ConceptMap. */
int conform_definition(struct conform *c, yyjson_val *resource, const struct place *at);
/* A Coding by itself: its system's name, whether the system has the code, and the display. */
int conform_coding(struct conform *c, const struct item *item, const struct place *at);
/* A Reference in a Bundle: what it names there, and whether it may stand here. */
int conform_bundled(struct conform *c, const struct item *item, const struct scope *scope,
                    const struct place *at);
/* Whether a ValueSet at hand as a resource has a code. */
int set_has(struct conform *c, yyjson_val *set, const struct coding *coding,
            enum terms_answer *ret);
/* Whether a URI begins with a scheme. */
bool uri_is_absolute(struct str uri);
/* What R4's text says of a value of this type. `binding`: R4's own of the element, or NULL. */
int conform_value(struct conform *c, const struct item *item, const struct profile_binding *binding,
                  const struct scope *scope, const struct place *at);
#define EVALUATED_EMPTY 2
/* A rule's result on an item: 1, 0, EVALUATED_EMPTY, or negative with `why`. */
int conform_evaluate(struct conform *c, const struct path *path, const struct item *item,
                     const struct scope *scope, struct err *why);
/* The same with variables that the caller puts into `env`, in which everything else is set here;
 * env->steps are those that it took. */
int conform_evaluate_in(struct conform *c, const struct path *path, struct path_env *env,
                        const struct item *item, const struct scope *scope, struct err *why);
/* The slice that an item belongs to, or NULL. */
int slice_of(struct conform *c, const struct profile_slicing *s, const struct item *item,
             size_t place, const struct scope *scope, const struct place *at,
             const struct profile_node **ret);

/* Whether a value is of a slice of that name, wherever the profile has one of its element. */
int conform_in_slice(struct conform *c, const struct profile *p, const struct world_value *value,
                     struct str slice, const struct scope *scope, enum terms_answer *ret);

/* Begins a check of something in the resource `root`, and lets `run` ask it: what conform_check and
 * questions from outside of a check share. */
int conform_begin(yyjson_val *root, const struct conform_options *options, struct issues *issues,
                  int (*run)(struct conform *c, const struct scope *scope, void *ctx), void *ctx,
                  struct err *err);

/* ---- values ---- */

/* Equal, member by member; the order of members does not count. */
bool value_is_fixed(yyjson_val *v, yyjson_val *fixed);
/* Everything in the pattern is in the value. */
bool value_has_pattern(yyjson_val *v, yyjson_val *pattern);
/* Characters of a text, not bytes. */
size_t value_length(yyjson_val *v);
/* -1, 0, 1; 2 where they cannot be compared. */
int value_compare(yyjson_val *v, yyjson_val *to, const struct def_type *type);

/* ---- resolving ---- */

enum found_in { FOUND_NOWHERE, FOUND_CONTAINED, FOUND_BUNDLED, FOUND_OUTSIDE };

struct entries *entries_of(struct arena *a, yyjson_val *bundle);
/* The number of the entry that a literal reference of an entry's resource names, or -1.
 * scope->up is the Bundle. */
ptrdiff_t entry_named(struct conform *c, const struct scope *scope, struct str reference);
/* The type that a reference says by itself: "Patient/1", or Reference.type; NULL: none. */
const struct def_type *reference_type(yyjson_val *v);
/* What a literal reference leads to, and the scope there. */
int resolve(struct conform *c, const struct scope *scope, struct str reference, yyjson_val **ret,
            enum found_in *ret_in, struct scope *ret_scope);

#endif
