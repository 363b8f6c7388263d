/* search_int.h - the search executor's inside.
 *
 * Nothing is planned here by a database: everything is a walk over ranges of one ordered list of
 * entries (parameter, key, row), which a backend gives (store/scan_int.h). A search is a set of
 * clauses; one of them drives (gives candidate rows in order), the others test each candidate.
 * Which one drives is found by looking: all are read side by side in growing steps, and the first
 * that ends is the smallest.
 *
 * scan.c    reading rows out of ranges            rowset.c  a set of rows: sorted array or bitmap
 * blocks.c  ranges in the order of rows              refused.c what a _has has refused before
 * clause.c  a clause as points, ranges, tests     source.c  candidates in row order
 * link.c    searches inside a search              lead.c    the first rows that a _has leads to
 * tree.c    AND and OR of clauses
 * exec.c    what they share: costs, bodies, access
 * hints.c   which lists are long                few.c     a list of few rows, in one question
 * search.c  pages in row order, totals            order.c   pages in the order of sort keys
 * cursor.c  the opaque text between two pages       targets.c where a list's references lead, kept
 * targets_ahead.c  a thread that reads such lists
 * found.c   all that ranges hold, kept
 */
#ifndef SQ_SEARCH_INT_H
#define SQ_SEARCH_INT_H

#include "store/store_int.h"

#define SEARCH_MEMORY_BYTES MIB(256) /* for sets of rows and parsed bodies of one search */

/* Where one way of finding becomes another. Constants but for tests, which lower them to walk every
 * way with little data. */
struct search_limits {
    size_t race_first; /* entries read of each clause in the first step, then times 4 */
    size_t race_max;   /* in the last: a clause that ends by then is small */
    size_t terms;      /* looked at to expand one clause */
    size_t ranges;     /* of one clause after expansion */
    size_t total_cost; /* what counting may cost when nobody asked for a total */
    size_t walk_try;   /* entries walked in sort order before matches are collected */
    size_t collect;    /* candidates collected to help such a walk */
    size_t sort_rows;  /* rows sorted by looking at their bodies */
    size_t run;        /* rows with one first sort key, sorted by the next */
    size_t set_array;  /* rows in a set that is an array; more make it a bitmap */
    size_t turn_after; /* spent on candidates before a page is filled from what a _has finds … */
    size_t turn_match; /* … where a match among them costs more than so much */
    size_t gather;     /* what finding all that a _has leads to may cost, to sort or count it */
    size_t keep;       /* entries from which on what ranges hold is kept (found.c) */
    size_t bodies[3];  /* bodies looked at for one clause before its ranges are read */
    size_t reads[3];   /* … up to this many entries; 0: all */
};

extern struct search_limits search_limits;

/* Costs in index entries, by measurement: a probe is a descent, a body is inflated and parsed. */
#define COST_PROBE 8
#define COST_BODY 32

/* ---- rowset.c ---- */

struct rowset {
    uint64_t *v;
    size_t n, cap;
    uint64_t *bits; /* when not NULL: rows 0 … max */
    uint64_t max;
};

/* Makes an empty set a bitmap, for many rows in no order. */
int rowset_init_bits(struct rowset *s, struct arena *a, uint64_t max, struct err *err);
uint64_t rowset_count(const struct rowset *s); /* after rowset_sort */
int rowset_add(struct rowset *s, struct arena *a, uint64_t row, uint64_t max, struct err *err);
void rowset_sort(struct rowset *s); /* after the last add: in order, without repeats */
bool rowset_has(const struct rowset *s, uint64_t row);
/* The nearest member at or after (desc: at or before) row, 0: none. */
uint64_t rowset_seek(const struct rowset *s, uint64_t row, bool desc);

/* ---- clauses ---- */

/* One range of keys: k with lo <= k < hi, both beginning with the parameter. */
struct range {
    struct str lo, hi; /* param and key; of a point only lo */
    bool is_point, lossy;
    uint8_t head; /* > 0: the keys are kept in blocks of rows behind so many bytes (blocks.c) */
    const struct key_range *filter; /* not NULL: search_key decides about each key */
};

enum how {
    HOW_PROBE, /* points: one descent each */
    HOW_SET,   /* `set` holds all rows */
    HOW_BLOCK, /* read the ranges in the row's block */
    HOW_BODY,  /* look at the resource */
    HOW_SPANS, /* row numbers between bounds */
    HOW_LINK,  /* follow references to or from the resource */
    HOW_TREE,  /* ask `subs` */
};

struct link;

/* What a clause's ranges have in one block. */
struct block {
    uint64_t number;
    size_t asked; /* rows of it that were tested before it was read */
    bool is_open, is_read;
    struct rows rows;
    struct rowset set; /* of `rows` */
};

struct row_span {
    uint64_t from, to; /* from <= row < to */
};

struct clause {
    const struct search_clause *of;   /* NULL: the list of types, or `absent` */
    const struct search_sort *absent; /* rows without a value for this sort rule */
    enum how how;
    bool negate;
    bool is_points;  /* all ranges are points */
    bool is_blocks;  /* all are points or in blocks: they give rows in order */
    bool lossy;      /* the index narrows, the body decides */
    bool is_opaque;  /* ranges do not hold all matches: the body decides alone */
    bool is_bounds;  /* already in the search's bounds: nothing to test */
    bool is_reach;   /* no clause of the search: the rows within reach of who asks */
    bool names_type; /* rows in it are of the searched type */
    struct range *ranges;
    size_t n_ranges;
    struct row_span *spans;
    size_t n_spans;
    struct rowset set; /* complete where how == HOW_SET */
    size_t bodies_tested;
    struct block block;  /* where how == HOW_BLOCK */
    struct clause *subs; /* of CLAUSE_ALL and CLAUSE_ANY */
    size_t n_subs;
    struct link *link; /* of CLAUSE_CHAIN and CLAUSE_HAS */
};

/* Rows of a point's list that a seek has read ahead: all there are from `from` to the last of them
 * (ended: to the end of the list), in the search's direction. */
struct stretch {
    const struct range *of;
    uint64_t from, *rows;
    size_t n;
    bool desc, ended;
};

#define STRETCHES 8 /* of one search; as many as points that are probed one by one */

struct exec {
    struct store_txn *t;
    const struct scan_ops *ops;
    const struct search *s;
    struct exec *top;             /* the outermost: a chain runs searches inside the search */
    struct exec *more;            /* of the outermost: the list of those inside */
    struct exec *beyond;          /* holds what a chain of a sort rule leads to */
    struct params *params;        /* of the outermost, once asked for */
    struct targets_view *targets; /* of the outermost: held to its end */
    struct arena *a;              /* the caller's: what is returned */
    struct arena *tmp;            /* the search's own, shared by all inside it */
    struct arena body;            /* of one row */
    struct sb text;
    size_t budget, spent; /* of the outermost; budget 0: no limit */
    int64_t deadline_us;  /* of the monotonic clock; 0: none */
    unsigned ticks;
    struct clause *clauses; /* the search's, in its order */
    size_t n_clauses;
    struct clause types;            /* the searched types; n_ranges == 0: all */
    const struct str *within;       /* the key of a clause that every match has; NULL: none */
    uint64_t lo, hi;                /* rows that may match at all */
    uint64_t position;              /* the feed's at the first page */
    uint64_t newest;                /* the feed's now */
    bool desc;                      /* rows from high to low */
    bool asked;                     /* a scan met a key about which only the body knows */
    const struct key_range *key_of; /* the last key that search_key was asked about */
    unsigned char key[INDEX_KEY_MAX];
    size_t key_n;
    enum key_answer key_answer;
    struct stretch *stretches; /* where the backend reads ahead; NULL: none yet */
    unsigned next_stretch;
    const struct clause *better; /* became a complete set while testing: a better driver */
    uint64_t body_row;           /* whose body is in `root` */
    yyjson_val *root;
};

/* ---- exec.c ---- */

/* Begins a search, outermost or (top not NULL) inside another; exec_done ends both. */
int exec_init(struct exec *x, struct exec *top, struct store_txn *t, const struct search *s,
              struct err *err);
void exec_done(struct exec *top);
/* Whether who asks may see a row at all. Every row that is found, counted or led through by a
 * search passes here: matches, what chains lead through, what is counted. */
int exec_may_see(struct exec *x, uint64_t row, bool *ret, struct err *err);
/* Whether there may be rows of the searched type that exec_may_see refuses, or clauses were added
 * for who asks: then nothing is counted by keys alone, or kept for others. */
bool exec_is_restricted(const struct exec *x);
const struct params *exec_params(struct exec *x);
/* Type and id of a row; the id lives in x->tmp. */
int exec_identity(struct exec *x, uint64_t row, int *ret_type, struct str *ret_id, struct err *err);
/* How often something was expunged, as a text that changes then: what is kept of lists would not
 * see it by the feed's position. */
int exec_expunged(struct exec *x, struct str *ret, struct err *err);
/* The live row of an id, or 0. */
int exec_live(struct exec *x, int type, struct str id, uint64_t *ret, struct err *err);

/* Counts what is looked at; ERR_BUSY past the budget, ERR_COSTLY past the deadline. */
int exec_charge(struct exec *x, size_t cost, struct err *err);
/* The parsed resource of a row; valid until the next one. */
int exec_body(struct exec *x, uint64_t row, yyjson_val **ret, struct err *err);

int clauses_prepare(struct exec *x, struct err *err);
/* Reads up to `limit` entries (0: all) into the clause's set: 1 if that was all, 0 if not. */
int clause_collect(struct exec *x, struct clause *c, size_t limit, struct err *err);
/* Whether a clause's ranges or subs give all candidates that may match it. */
bool clause_may_drive(const struct clause *c);
/* Prepares one clause; a nested one leaves the search's bounds alone. */
int clause_prepare(struct exec *x, const struct search_clause *of, bool nested, struct clause *c,
                   struct err *err);
/* Appends a range; *cap belongs to c->ranges. */
int clause_add_range(struct exec *x, struct clause *c, size_t *cap, struct range range,
                     struct err *err);
/* Whether a row that the index gives really matches. */
int clause_check(struct exec *x, struct clause *c, uint64_t row, bool *ret, struct err *err);
/* Builds a clause of ranges that is no clause of the search: any key of the parameter. */
int clause_of_param(struct exec *x, const struct param *param, struct clause *ret, struct err *err);
/* The bounds of all keys of a span; they live in `a`. */
int span_bounds(struct arena *a, const struct param_span *span, struct str *ret_lo,
                struct str *ret_hi, struct err *err);
/* The sort key of a row, from its body. STR_NULL: it has none. Lives in x->tmp. */
int exec_sort_key(struct exec *x, uint64_t row, const struct search_sort *sort, struct str *ret,
                  struct err *err);
/* Whether a candidate matches. *ret_hint: no row between the candidate and this one can match
 * (0: nothing known). ret_hint may be NULL, which saves a little. */
int clause_test(struct exec *x, struct clause *c, uint64_t row, bool *ret, uint64_t *ret_hint,
                struct err *err);
/* All clauses but `driver` (whose lossy ranges are checked). */
int exec_test(struct exec *x, const struct clause *driver, uint64_t row, bool *ret,
              uint64_t *ret_hint, struct err *err);

/* ---- tree.c ---- */

int tree_prepare(struct exec *x, struct clause *c, struct err *err);
bool tree_may_drive(const struct clause *c);
/* As clause_collect. */
int tree_collect(struct exec *x, struct clause *c, size_t limit, struct err *err);
/* Without c's own `negate`. */
int tree_test(struct exec *x, struct clause *c, uint64_t row, bool *ret, struct err *err);

/* ---- link.c ---- */

int link_prepare(struct exec *x, struct clause *c, struct err *err);
/* As clause_collect; a chain to few resources becomes a clause of points on the way. */
int link_collect(struct exec *x, struct clause *c, size_t limit, struct err *err);
/* Without c's own `negate`. May find out that collecting is cheaper, and do it. */
int link_test(struct exec *x, struct clause *c, uint64_t row, bool *ret, struct err *err);

/* The _has whose rows link_gather may find; NULL: none. */
struct clause *link_gatherable(struct exec *x);
/* Finds all rows that it leads to, so that it drives: 1, or 0 where that costs too much, or what it
 * takes is not read yet and it may_wait for that. */
int link_gather(struct exec *x, struct clause *c, bool may_wait, struct err *err);

/* ---- targets.c ---- */

struct targets_view;

/* Where the references of a parameter to the searched type lead; what was not known is read from
 * their list, by a thread of the store's own where the search may_wait and there is one. *ret NULL:
 * it is not read yet, a resource may have several, the list is too large, the snapshot is older. It
 * is true until exec_done. */
int targets_open(struct exec *x, const struct param *param, bool may_wait,
                 const struct targets_view **ret, struct err *err);
/* Reads a list and keeps what it says. */
int targets_read(struct store_txn *txn, unsigned list, int type, struct err *err);
/* Whether targets_rows knows a row: newer ones are asked themselves. */
bool targets_know(const struct targets_view *v, uint64_t row);
/* The live rows that rows refer to, 0 where one refers to none. */
void targets_rows(const struct targets_view *v, const uint64_t *rows, size_t n, uint64_t *ret);
void targets_release(struct exec *top);

/* ---- targets_ahead.c ---- */

/* Has a list read by the thread that reads ahead; false where there is none. */
bool targets_want(struct lists *l, unsigned list, int type);

/* ---- found.c ---- */

struct found_rows {
    struct rowset rows; /* in no order, perhaps several times */
    struct found *kept; /* whose they are; NULL: the search's own */
};

/* Whether a search is one clause of which its ranges say all. */
bool found_is_ranges(const struct exec *x);
/* All matches of such a search: 1, or 0 where that costs more than `cost` entries or bodies decide.
 * They are true until found_done, which takes also what failed. */
int found_all(struct exec *x, size_t cost, struct found_rows *ret, struct err *err);
void found_done(struct found_rows *r);

/* ---- lead.c ---- */

/* Whether link_targets is a way to the rows of a clause. */
bool link_leads(const struct clause *c);
/* Whether what is found inside is known to be little, so that few candidates pass. */
bool link_leads_from_few(const struct clause *c);
/* Calls `visit` for rows of the searched type that a _has leads to, in no order and perhaps several
 * times, at a cost of up to about `cost`, until it returns non-zero: 1 if there are no more. What
 * stands at or behind `first` is looked at first: things refer to what was there before. */
typedef int link_visit(void *ctx, uint64_t row, struct err *err);
int link_targets(struct exec *x, struct clause *c, uint64_t first, size_t cost, link_visit *visit,
                 void *ctx, struct err *err);

/* ---- refused.c ---- */

/* What is kept of one question, as of a position: it ends to answer when somebody else moves it. */
struct refusal {
    struct refused *of;
    uint64_t made, position;
};

/* What is kept under a key that says all of the question; false where nothing can be. Up to
 * ret->position it is true, not yet up to the search's: see refused_advance. */
bool refused_open(struct exec *x, struct str key, struct refusal *ret);
bool refused_has(struct exec *x, const struct refusal *mine, uint64_t row);
void refused_add(struct exec *x, const struct refusal *mine, uint64_t row);
/* True up to the search's position without these rows (NULL: without any). */
void refused_advance(struct exec *x, struct refusal *mine, const struct rows *no_longer);

/* ---- scan.c ---- */

struct str scan_prefix(struct arena *a, uint16_t param, struct str key);
/* The least text behind all that begin with s; .p == NULL without memory or if there is none. */
struct str scan_after(struct arena *a, struct str s);
/* The first key of a list (its number leads `lo` and `hi`) in lo … hi, without its row: 1, or 0.
 * The bytes are the arena's. */
int scan_first(struct exec *x, struct str lo, struct str hi, struct str *ret, struct err *err);
/* Rows of a point within lo … hi in order, at most max: how many. */
int scan_rows(struct exec *x, const struct range *point, uint64_t lo, uint64_t hi, bool desc,
              uint64_t *ret, size_t max, struct err *err);
/* The nearest row of a point's list at or after (desc: before) row; 0: none. */
int scan_seek(struct exec *x, const struct range *point, uint64_t row, bool desc, uint64_t *ret,
              struct err *err);
/* Whether a row stands in a point's list: 1 or 0. */
int scan_has(struct exec *x, const struct range *point, uint64_t row, struct err *err);
/* Rows of a range into a set, after `limit` entries no more; *ret_n: entries read. */
int scan_collect(struct exec *x, const struct range *range, size_t limit, struct rowset *set,
                 size_t *ret_n, struct err *err);
/* Number of entries of a range, counted up to `max`. */
int scan_length(struct exec *x, const struct range *range, size_t max, uint64_t *ret,
                struct err *err);
/* Number of entries of a range. */
int scan_count(struct exec *x, const struct range *range, uint64_t *ret, struct err *err);

/* Asks search_key about a key of a filtered range, once for all rows of the key. */
bool scan_passes(struct exec *x, const struct key_range *filter, struct str key);

/* ---- blocks.c ---- */

/* The rows of a range with a head in the first block in from … last that has any (desc: the last in
 * last … from), in no order, at most `limit` of them: 1, or 0 where there are none. Appends to
 * `rows`, which may be NULL; *ret_n: how many. */
int block_next(struct exec *x, const struct range *range, uint64_t from, uint64_t last, bool desc,
               size_t limit, struct rows *rows, uint64_t *ret_block, size_t *ret_n,
               struct err *err);

/* ---- hints.c: only for clauses of a few points or ranges in blocks ---- */

/* The least number of rows that the clause is known to have; 0: nothing known. */
uint64_t hint_least(struct exec *x, const struct clause *c);
/* How many rows the list of a clause's one range was seen to have, lately or not; 0: nobody looked.
 * hint_keep: it has so many, at least. */
uint64_t hint_rows(struct exec *x, const struct clause *c);
int hint_keep(struct exec *x, const struct clause *c, uint64_t rows);

/* ---- few.c ---- */

#define SEARCH_FEW 32 /* rows that are fetched together with their list */

/* 1 and the whole answer, where the search is of that shape and the list short; 0: begin anew. */
int few_page(struct exec *x, struct page *ret, struct err *err);
int hint_learn(struct exec *x, const struct clause *c, struct err *err);
/* The same of what is in sight of who asks, where that is all that hides rows: 0: nothing known. */
uint64_t hint_seen(const struct exec *x, const struct clause *c);
void hint_saw(const struct exec *x, const struct clause *c, uint64_t rows);

/* ---- source.c: candidates in row order, each once ---- */

#define SOURCE_BATCH 256

struct list { /* the rows of one point, or of one range in blocks */
    const struct range *range;
    uint64_t *rows;
    size_t n, at, batch;
    struct rows block; /* of a range: what stands in `rows` */
    bool ended;        /* nothing behind what is read */
};

struct source {
    struct exec *x;
    const struct clause *driver; /* NULL: every live row */
    struct list *lists;          /* of a driver of points or blocks, as a heap by current row */
    size_t n_lists;
    const struct rowset *set; /* of a driver that is a set */
    uint64_t *live;           /* without a driver: what has been read ahead */
    size_t live_n, live_at;
    uint64_t next; /* the least row still of interest (desc: greatest) */
    bool ended;
};

int source_open(struct source *src, struct exec *x, const struct clause *driver, uint64_t from,
                struct err *err);
/* 1 and the next candidate, 0 at the end. */
int source_next(struct source *src, uint64_t *ret, struct err *err);
/* Leaves out rows before this one. */
void source_skip(struct source *src, uint64_t row);

/* ---- plan: search.c ---- */

/* The clause that gives the candidates; NULL: every live row. *ret_small: it is a complete set.
 * A search of one clause is only measured when `want_small`. */
int plan_driver(struct exec *x, bool want_small, const struct clause **ret, bool *ret_small,
                struct err *err);
/* Up to `limit` candidates of a driver at a cost of up to `cost`, those that match into *ret in row
 * order: 1 if there were no more, 0 if not. */
int exec_matches(struct exec *x, const struct clause *driver, size_t limit, size_t cost,
                 struct rows *ret, struct err *err);

/* ---- cursor.c ---- */

#define SHOWN_MAX 256 /* rows that were found out of order and that a cursor names */

/* Where a page ended. */
struct mark {
    uint64_t position;
    int64_t total;
    uint64_t row;
    uint64_t shown[SHOWN_MAX]; /* of pages in row order: rows behind `row` that were shown */
    size_t n_shown;
    struct str keys[SEARCH_SORT_MAX]; /* of a sorted page; .p == NULL: no value */
    size_t n_keys;
};

int mark_parse(struct arena *a, struct str text, struct mark *ret, struct err *err);
struct str mark_format(struct arena *a, const struct mark *m);

/* ---- order.c ---- */

/* Whether the order is that of row numbers, and in which direction. */
bool order_is_rows(const struct search *s, bool *ret_desc);
int order_page(struct exec *x, const struct mark *from, struct page *ret, struct err *err);

#endif
