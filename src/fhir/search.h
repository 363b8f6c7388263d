/* search.h - a search URL as data: clauses over index key ranges, order, and what to return.
 *
 * The index narrows, the body decides: each clause carries key ranges that hold every match; where
 * a range may also hold others (`lossy`), or where the store finds it cheaper, search_match looks
 * at the resource itself. Both read the same rules, http://hl7.org/fhir/R4/search.html.
 */
#ifndef FHIR_SEARCH_H
#define FHIR_SEARCH_H

#include "fhir/index.h"
#include "fhir/params.h"

#define SEARCH_CLAUSES_MAX 64  /* parameters in one search */
#define SEARCH_VALUES_MAX 1000 /* comma-separated values of all parameters together */
#define SEARCH_VALUE_BYTES_MAX 4096
#define SEARCH_SORT_MAX 8
#define SEARCH_SORT_STEPS_MAX 4 /* of a chain in _sort */
#define SEARCH_CODES_MAX 200000 /* of a set that a modifier names */
#define SEARCH_HIERARCHY_MAX 10 /* steps up or down with :above and :below of references */
#define SEARCH_DEPTH_MAX 16     /* chains, _has and _filter inside one another */
#define SEARCH_INNER_MAX 1000 /* searches inside one: a chain makes one for each type it leads to  \
                               */
#define SEARCH_COUNT_DEFAULT 20
#define SEARCH_COUNT_MAX 1000

enum search_modifier {
    MOD_NONE,
    MOD_EXACT,
    MOD_CONTAINS,
    MOD_MISSING,
    MOD_NOT,
    MOD_TEXT,
    MOD_IDENTIFIER,
    MOD_TYPE,
    MOD_OF_TYPE,
    MOD_ABOVE,
    MOD_BELOW,
    MOD_IN,
    MOD_NOT_IN,
    MOD_NARRATIVE, /* words of _text and _content */
    MOD_CONTENT,
    /* Of _filter alone. */
    MOD_EQUAL, /* a string, folded */
    MOD_UNEQUAL,
    MOD_STARTS,
    MOD_ENDS,
    MOD_GREATER, /* strings in the order of their folded bytes */
    MOD_LESS,
    MOD_AT_LEAST,
    MOD_AT_MOST,
};

enum search_prefix {
    PREFIX_EQ,
    PREFIX_NE,
    PREFIX_GT,
    PREFIX_LT,
    PREFIX_GE,
    PREFIX_LE,
    PREFIX_SA,
    PREFIX_EB,
    PREFIX_AP,
};

/* Keys that a list may be met with. */
struct key_set {
    struct str *keys; /* sorted, each once */
    size_t n;
};

/* Keys of one list that may match. Three shapes:
 *   plain   every key k with lo <= k < hi in byte order (hi.p == NULL: to the end of the list);
 *   terms   lo and hi bound the list's shared terms (index_entry.shared); of each of those, the
 *           bytes behind its first 0x00 are a whole key: that key's rows are the candidates;
 *   groups  the list is walked by groups (token: by code system, quantity: by unit), a seek or two
 *           for each: from the first key >= lo on, group = search_group(key); search_group_ranges()
 * gives ranges inside the group (of a composite perhaps such as have groups themselves), or none;
 * go on at the first key that does not begin with the group's bytes; stop when search_group() says
 * 0. Few groups exist in practice, but count them against the search's budget: a stranger may have
 * made many. Whether a key in the range is a
 * match: yes, unless `filtered` (ask search_key for each key; rows of one key share the answer) or
 * `lossy` (ask search_match for each row). Both may be set. */
struct key_range {
    uint16_t param; /* list to look in: a parameter's id, or that + INDEX_PARAM_ENDS */
    struct str lo, hi;
    bool lossy; /* may hold keys that do not match: ask search_match */
    bool point; /* one single key value (lo); its rows lie in row order, so that
                   membership of a row is one lookup */
    bool terms;
    bool groups;
    bool filtered;             /* ask search_key */
    uint8_t head;              /* > 0: all keys of the range begin with so many bytes of lo, and
                                  have as much of a head in the index (index_entry.head_n); `hi`
                                  that begins otherwise is the head's end. search_key says yes or
                                  no about them */
    const struct key_set *set; /* not NULL: the keys that match are those of the set (and filtered
                                  says the same): a store may meet it with the list */
    const void *rule;          /* search's own, for search_group_ranges and search_key */
};

enum key_answer { KEY_NO, KEY_YES, KEY_ASK }; /* KEY_ASK: as if the range were lossy */

/* Whether a key of the list that lies in the range matches. Only where range->filtered. */
enum key_answer search_key(const struct key_range *range, struct str key);

/* Appends what those answers rest on: where two ranges append the same bytes, search_key answers
 * alike for both. False: they rest on more. Only where range->filtered. */
bool search_key_rule(const struct key_range *range, struct sb *out);

/* Bytes at the front of `key` that name its group; 0 when neither it nor any key behind it belongs
 * to a group. Only where range->groups. */
size_t search_group(const struct key_range *range, struct str key);

/* The ranges to look at inside a group; none when no key of it can match. Memory belongs to `a`.
 * What each says of itself holds for it. */
int search_group_ranges(const struct key_range *range, struct str group, struct arena *a,
                        struct key_range **ret, size_t *ret_n, struct err *err);

enum clause_kind {
    CLAUSE_KEYS,    /* a row matches if one of its keys is in one of the ranges */
    CLAUSE_ID,      /* _id: the row's id is one of `ids` */
    CLAUSE_UPDATED, /* _lastUpdated: one of `spans` */
    CLAUSE_NONE,    /* nothing can match */
    CLAUSE_ALL,     /* every one of `subs` */
    CLAUSE_ANY,     /* one of `subs` */
    CLAUSE_CHAIN,   /* one of its references in `links` leads to what one of `inner` finds */
    CLAUSE_HAS,     /* what one of `inner` finds refers to it by one of `links` */
};

struct time_span {
    int64_t from_ms, to_ms; /* from <= lastUpdated < to */
};

struct search_clause {
    enum clause_kind kind;
    bool negate;               /* the rows that do NOT match the ranges (:not, :missing=true).
                                  search_match has this applied: a row in none of the ranges
                                  matches; one in a lossy range is to be asked about */
    const struct param *param; /* NULL for _id, _lastUpdated */
    enum search_modifier modifier;
    struct key_range *ranges; /* OR of all, in no order; a row may be in several of them */
    size_t n_ranges;
    struct str *ids;
    size_t n_ids;
    struct time_span *spans;
    size_t n_spans;
    void *values; /* search.c's own: what search_match compares with */
    size_t n_values;
    /* Of CLAUSE_ALL and CLAUSE_ANY. Of CLAUSE_KEYS, where there are any: all of them together say
     * the same, for where the ranges would become too many. */
    struct search_clause *subs;
    size_t n_subs;
    /* Reference parameters. CLAUSE_CHAIN: that of each searched type. CLAUSE_HAS: that of each
     * search of `inner`. */
    const struct param **links;
    size_t n_links;
    struct search *inner; /* each of one type, with clauses and nothing else */
    size_t n_inner;
};

struct search_sort {
    const struct param *param; /* NULL: by _lastUpdated, or by _id where by_id */
    bool by_id, descending;
    bool by_score; /* the most relevant first; `param` is NULL */
    bool by_near;  /* by distance from what `near` asks; `param` is NULL */
    /* A chain ("patient.name", an extension): `param` is that of the last step's type. */
    struct search_step {
        const struct param *link;
        int type; /* that it leads to */
    } steps[SEARCH_SORT_STEPS_MAX];
    size_t n_steps;
};

enum search_total { TOTAL_DEFAULT, TOTAL_NONE, TOTAL_ESTIMATE, TOTAL_ACCURATE };
enum search_summary { SUMMARY_FALSE, SUMMARY_TRUE, SUMMARY_TEXT, SUMMARY_DATA, SUMMARY_COUNT };

struct search_include {
    int source;                /* resource type holding the reference; 0: any */
    const struct param *param; /* NULL: all reference parameters (`*`) */
    int target;                /* 0: any */
    bool reverse, iterate;
};

struct search {
    int type;   /* 0: system-level; then `types` may narrow */
    int *types; /* _type, n_types of them */
    size_t n_types;
    struct search_clause *clauses; /* AND of all */
    size_t n_clauses;
    struct search_sort sort[SEARCH_SORT_MAX];
    size_t n_sort;
    struct search_include *includes;
    size_t n_includes;
    size_t count; /* page size; 0 with _summary=count */
    enum search_total total;
    enum search_summary summary;
    struct str *elements; /* _elements, n_elements of them */
    size_t n_elements;
    const void *contained; /* search's own: not NULL with _contained */
    bool contained_alone;  /* _containedType=contained: these are to be returned themselves */
    struct str cursor;     /* `_cursor`, ours, from a page link; STR_NULL at the first page */
    struct str *unknown;   /* parameters that were not understood, as given (lenient) */
    size_t n_unknown;
    struct str self;                  /* the query string as understood, for the self link */
    const struct search_options *opt; /* a copy of what it was parsed with */
};

struct world;

struct search_options {
    struct index_options index;
    const struct world *world; /* fhir/world.h, for terminology; NULL: none */
    bool quick;                /* on an event loop: ERR_BUSY instead of asking the terminology */
    bool strict;               /* Prefer: handling=strict: unknown ones are ERR_NOT_SUPPORTED */
    int64_t now_ms;            /* what `ap` measures dates from; 0: the clock */
};

/* Parses a raw query string (percent-encoded, "a=1&b=2") for a type (0: system). Bad values are
 * ERR_VALUE naming the parameter; too many are ERR_COSTLY. Memory belongs to `a`. `_format`,
 * `_pretty` are passed over. */
int search_parse(struct arena *a, const struct params *params, const struct search_options *opt,
                 int type, struct str query, struct search *ret, struct err *err);

/* Adds the clause that a resource is in the compartment of `id`. ERR_COSTLY when the search is
 * full. */
int search_within(struct arena *a, struct search *s, enum def_compartment c, struct str id,
                  struct err *err);

/* Calls `visit` for each contained resource that a search with `contained` finds in one. */
int search_each_contained(struct arena *a, const struct search *s, yyjson_val *root,
                          int (*visit)(void *ctx, yyjson_val *one), void *ctx, struct err *err);

/* Whether words are searched for, so that matches have a score; and that of one resource, 0 … 1:
 * how often it has the words, for how many words it has. */
bool search_has_score(const struct search *s);
int search_score(struct arena *a, const struct search *s, yyjson_val *root, double *ret,
                 struct err *err);

/* Whether the keys of a sort rule stand in no list, but are made of each match. */
static inline bool search_sort_is_computed(const struct search_sort *sort)
{
    return sort->by_score || sort->by_near || sort->n_steps;
}

/* Whether `near` is asked for, so that matches have a distance; and that of one resource to the
 * nearest place asked for, in metres. Negative: it has none. Where nothing else sorts, a search
 * that has one is sorted by it. */
bool search_has_distance(const struct search *s);
double search_distance(const struct search *s, yyjson_val *root);

/* Whether a resource matches one clause (its `negate` applied), by looking at the resource alone.
 * CLAUSE_ID, CLAUSE_UPDATED, CLAUSE_CHAIN and CLAUSE_HAS are the store's to check. */
int search_match(struct arena *a, const struct search *s, const struct search_clause *c,
                 yyjson_val *root, bool *ret_match, struct err *err);

/* What a reference parameter of a resource refers to. */
struct search_ref {
    int type;               /* a resource of ours, by id; 0: a canonical */
    struct str id, version; /* version: of the canonical, or empty */
    struct str url;
};

typedef int search_ref_visit(void *ctx, const struct search_ref *ref);

/* Calls `visit` for each reference that `param` finds in a resource, until it returns non-zero;
 * that is then the result. The references' text lives in `a` or in the resource. */
int search_refs(struct arena *a, const struct index_options *opt, const struct param *param,
                yyjson_val *root, search_ref_visit *visit, void *ctx, struct err *err);

/* Keys that a reference parameter has when it refers to a resource: by type and id, and by
 * canonical where the resource has a `url`. At most SEARCH_TARGET_KEYS_MAX; memory is `a`'s. */
#define SEARCH_TARGET_KEYS_MAX 3
int search_target_keys(struct arena *a, int type, struct str id, yyjson_val *root,
                       struct str ret[SEARCH_TARGET_KEYS_MAX], size_t *ret_n, struct err *err);

/* The key of a canonical in the list of `url`; .p is NULL without memory. */
struct str search_url_key(struct arena *a, struct str url);

/* The sort key of a resource for one sort rule: the least (ascending) or greatest (descending) of
 * its keys in the parameter's list. STR_NULL when it has none: such rows come last. */
int search_sort_key(struct arena *a, const struct search *s, const struct search_sort *sort,
                    yyjson_val *root, struct str *ret, struct err *err);

#endif
