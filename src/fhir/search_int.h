/* search_int.h - a search inside: values taken apart, and who turns them into what.
 *
 * search_parse.c   the query string: parameters, modifiers, what is not understood
 * search_control.c _sort, _count, _include … : what to return
 * search_value.c   the text of one value into a struct search_value
 * search_range.c   a value into key ranges; search_key.c answers for single keys and groups
 * search_match.c   a value against a resource, without looking at keys
 * search_filter.c  _filter
 * search_terms.c   :in, :above and their like
 * search_text.c    _text and _content; near.c: near
 * search_contained.c  _contained
 * search_chain.c   chains and _has: searches inside a search; what references lead to
 */
#ifndef FHIR_SEARCH_INT_H
#define FHIR_SEARCH_INT_H

#include "fhir/key_int.h"
#include "fhir/params_int.h"
#include "fhir/search.h"
#include "fhir/value_int.h"

#define SEARCH_RANGES_MAX 20000 /* key ranges of one search */

/* A number to compare with: what `prefix` means for it. */
struct number_rule {
    enum search_prefix prefix;
    struct decimal v;        /* as written */
    struct decimal from, to; /* eq, ne, ap: from <= x < to */
};

struct date_rule {
    enum search_prefix prefix;
    int64_t from_ms, to_ms; /* ap: already widened */
};

struct search_value {
    enum def_param_kind kind;
    enum search_modifier modifier;
    struct str text; /* string, uri; code of a token or identifier, unit of a quantity */
    struct str system;
    bool has_bar;              /* "|" was there: without a system that means "with none" */
    bool any_code;             /* "system|" */
    struct str folded;         /* string, :text */
    struct number_rule number; /* number, quantity */
    struct date_rule date;
    struct value ref; /* reference: VALUE_LOCAL or VALUE_URL; kind VALUE_ELSEWHERE: an id
                         of any type in `targets` */
    struct str id;
    int *targets; /* 0 at the end */
    bool missing;
    struct str of_type;        /* :of-type: the code of the type; `system` is the type's */
    const struct key_set *set; /* :in, :not-in, :above, :below of codes */
    const struct coding *codings;
    size_t n_codings;
    struct str *words; /* _text and _content: tokens that follow one another */
    size_t n_words;
    bool prefix;                        /* of the last one the beginning */
    double latitude, longitude, metres; /* near */
    struct search_value *parts;         /* composite: one for each component … */
    const struct param **components;    /* … and its parameter */
    size_t n_parts;
    size_t at, before; /* behind a range of a composite: the part that it is about, and how many
                          bytes of a key are those of the parts before */
};

/* Behind clause->values. */
struct clause_more {
    const struct search_options *opt;
    const struct param **params; /* the parameter on each type that is searched */
    const struct param_more **more;
    size_t n_params;
    struct search_value *values;
    size_t n_values;
    bool composite;
    const struct search_clause *item; /* a composite in a _filter: asked of each item, by clauses of
                                         its components' parameters; no values then */
    int contained;                    /* the clause asks contained resources of this type … */
    const struct search_clause *asks; /* … all of these */
    size_t n_asks;
    const struct param **by; /* and one of these refers to it, where there are any */
    size_t n_by;
};

/* What a search is made with. */
struct search_parse {
    struct arena *a;
    const struct params *params;
    const struct search_options *opt;
    struct search *s;
    size_t n_values, n_ranges, cap_clauses, cap_unknown, cap_includes;
    struct sb self;
    size_t depth, n_inner;
    bool contained, contained_too; /* _contained=true, both */
    struct err *err;
};

/* One parameter of the query. */
struct search_arg {
    struct str name, modifier, value; /* decoded */
    struct str raw;                   /* as given, "name:modifier" */
};

enum { ARG_UNKNOWN = 0, ARG_TAKEN = 1 }; /* of the functions below, or negative */

int search_control(struct search_parse *p, const struct search_arg *arg);

/* "name:modifier" and a value as an argument. */
struct search_arg search_arg_of(struct str raw, struct str value);
/* One argument as a clause of p->s. */
int search_clause_parse(struct search_parse *p, const struct search_arg *arg,
                        struct search_clause *c);
/* The parameter of a code on each type that p->s searches; ARG_UNKNOWN when one of them lacks it.
 */
int search_find(struct search_parse *p, struct str code, struct clause_more *c);

/* What a parameter on the types in `more` says, with its values parsed. */
int search_param_clause(struct search_parse *p, struct clause_more *more,
                        enum search_modifier modifier, struct search_clause *c);

/* "subject:Patient.name", "_has:Observation:patient:code", "_list", "_filter". */
int search_chain(struct search_parse *p, const struct search_arg *arg, struct search_clause *c);
int search_has(struct search_parse *p, const struct search_arg *arg, struct search_clause *c);
int search_list(struct search_parse *p, const struct search_arg *arg, struct search_clause *c);
int search_filter(struct search_parse *p, const struct search_arg *arg, struct search_clause *c);

/* Gives the clause of an inner search (p->s then): ARG_TAKEN, ARG_UNKNOWN or negative. It is called
 * once for each type that a reference may lead to. */
typedef int search_make(struct search_parse *p, void *ctx, struct search_clause *ret);
/* The chain through `head` ("subject", "subject:Patient") to what `make` says. */
int search_follow(struct search_parse *p, struct str head, search_make *make, void *ctx,
                  struct search_clause *c);
/* The _has through `head` ("_has:Observation:patient"). */
int search_follow_back(struct search_parse *p, struct str head, search_make *make, void *ctx,
                       struct search_clause *c);

/* The composite's clause for what more->item asks. */
int search_items(struct search_parse *p, struct clause_more *more, struct search_clause *c);
/* left and right, or left or right (CLAUSE_ALL, CLAUSE_ANY), into left. */
int search_join(struct search_parse *p, enum clause_kind kind, struct search_clause *left,
                const struct search_clause *right);

/* Every resource that is searched, to be looked at: what there are no keys for. */
int search_all_rows(struct search_parse *p, struct search_clause *c);

/* Location's "near": near.c. NULL: the type has none. */
const struct param *search_near_param(const struct search_parse *p, int type);
int search_near(struct search_parse *p, const struct search_arg *arg, struct search_clause *c);
/* Sorts by distance where nothing else sorts; refuses to where nothing is near. */
int search_near_order(struct search_parse *p);
bool search_near_matches(const struct search_value *v, struct str key);

/* Turns the search's clauses into what _contained asks for. */
int search_contained(struct search_parse *p);
/* A chain leads into what a resource contains as well: c becomes the chain or that. */
int search_into_contained(struct search_parse *p, struct search_clause *c);
/* Whether a resource that `root` contains is of c's type and matches. */
int search_contained_matches(struct arena *a, const struct search *s, const struct clause_more *c,
                             yyjson_val *root, yyjson_val *one, bool *ret, struct err *err);

/* "_text" and "_content". */
int search_text(struct search_parse *p, const struct search_arg *arg, struct search_clause *c);
/* How often a resource has the words of v, and how many it has. */
int search_text_hits(struct arena *a, const struct search_value *v, yyjson_val *root, size_t *ret,
                     size_t *ret_of, struct err *err);

/* ---- search_terms.c ---- */

bool key_set_has(const struct key_set *set, struct str key);
/* Fills v's set for its modifier; v->system and v->text are parsed, `text` is for messages. */
int search_codes(struct search_parse *p, const struct param *param, struct str text,
                 struct search_value *v);
/* Whether a token of a resource is in v's set. */
bool search_codes_match(const struct search_value *v, const struct value *x);
/* :above and :below of URIs, by path. */
bool search_url_matches(const struct search_value *v, struct str text);
/* :above and :below of references: the clause of one value. */
int search_hierarchy(struct search_parse *p, const struct param *param,
                     enum search_modifier modifier, struct str value, struct search_clause *c);

/* Whether a reference parameter may lead to a type. */
bool search_may_target(const struct param *param, int type);

/* Splits at a separator that no backslash protects; as str_split. */
bool search_split(struct str *rest, char separator, struct str *ret);
/* Takes the backslashes off; .p is NULL when memory ran out. */
struct str search_unescape(struct arena *a, struct str s);

/* One value of parameter `param` (of the first type) from its text. */
int search_value_parse(struct search_parse *p, const struct param *param,
                       enum search_modifier modifier, int modifier_type, struct str text,
                       struct search_value *ret);
int search_date_rule(struct search_parse *p, struct str text, struct date_rule *ret);

/* Appends the ranges of one value in one parameter's list. */
struct range_list {
    struct key_range *p;
    size_t n, cap;
};
int search_ranges(struct search_parse *p, const struct param *param, const struct search_value *v,
                  struct range_list *out);
/* Appends what finds the resources that have more values of a composite than there are keys of; `v`
 * is any of the values. */
int search_marked(struct search_parse *p, const struct param *param, const struct search_value *v,
                  struct range_list *out);
/* What search_group_ranges gives. */
int search_ranges_inside(const struct key_range *range, struct str group, struct arena *a,
                         struct range_list *out, struct err *err);
static inline bool search_is_mark(const struct key_range *range)
{
    return range->param & INDEX_PARAM_ENDS;
}
/* Whether the keys of a composite can answer a value: all parts but the last are one key, or any
 * code of one system. */
bool search_has_keys(const struct search_value *v);

bool date_rule_matches(const struct date_rule *rule, int64_t from_ms, int64_t to_ms);
/* A single number; an interval either end of which may be NULL (open). */
bool number_rule_matches(const struct number_rule *rule, const struct decimal *x);
bool number_rule_overlaps(const struct number_rule *rule, const struct decimal *low,
                          const struct decimal *high);
/* The rule for values in `unit` where the search names another UCUM unit; false: not comparable. */
bool number_rule_convert(const struct number_rule *rule, struct str from_unit, struct str to_unit,
                         struct number_rule *ret);

/* The plain range of single numbers behind `prefix`; `second` is used by ne alone. */
size_t search_number_bounds(const struct number_rule *rule, const struct key *prefix,
                            struct key lo[2], struct key hi[2]);

#endif
