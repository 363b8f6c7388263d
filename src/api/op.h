/* op.h - operations (http://hl7.org/fhir/R4/operations.html): one op_*.c each, one table of all.
 *
 * An operation either reads (run: it sees a snapshot and fills the reply) or makes the next version
 * of one resource (change: it sees the newest version, on the writer). The table says where it may
 * be asked; dispatch, the CapabilityStatement and batches read it, so that nothing else has to
 * change when an operation is added.
 */
#ifndef API_OP_H
#define API_OP_H

#include "api/call.h"
#include "api/write.h"

#define OP_PARAMS_MAX 20000 /* parameters of one call */

#define OP_SEARCH_COST 20000000 /* index entries that the searches of an operation look at */

#define OP_AT_SYSTEM 1u
#define OP_AT_TYPE 2u
#define OP_AT_INSTANCE 4u
#define OP_AT_VERSION 8u

struct op {
    struct str name;     /* without the '$' */
    unsigned at;         /* OP_AT_… */
    const char *media;   /* media types of a body, besides FHIR's, with blanks between; or NULL */
    const char *answers; /* likewise, of its answer, which is no resource; or NULL */
    const char *types;   /* names with blanks between them that it is for; NULL: every type */
    const char *url;     /* canonical of its OperationDefinition */
    bool get;            /* may be asked by GET too: it changes nothing */
    bool is_own;         /* below /carnet: not of FHIR's, and in no CapabilityStatement */
    bool programmes;     /* of the whole node, for those who see how programmes go (surveil.h) */
    bool quick;          /* short enough for an event loop; otherwise a worker runs it */
    int (*run)(struct call *c, struct store_txn *txn); /* fills status and out */
    write_change *change;
    int (*reply)(struct call *c, struct write *w); /* of a change; NULL: that of a write */
};

/* All, with their number. */
const struct op *op_table(size_t *ret_n);
/* The operation of this name that may be asked of the scope and type, or NULL. */
const struct op *op_find(struct str name, bool is_own, enum api_scope scope, int type);
bool op_is_for(const struct op *op, int type);

/* ---- parameters in ---- */

/* One parameter, of the URL or of a Parameters body. */
struct op_param {
    struct str name;
    struct str type;   /* of value[x]: "Coding", "code" …; empty from a URL and for the rest */
    struct str text;   /* a primitive's text; STR_NULL where there is none */
    yyjson_val *value; /* value[x] or resource; NULL from a URL */
    yyjson_val *parts; /* array of parts, or NULL */
};

struct op_params {
    struct op_param *v;
    size_t n;
};

/* Reads the URL's parameters (but _format, _pretty, _summary, _elements) and those of the body: a
 * Parameters resource, or any other resource as the one parameter "resource". */
int op_params_read(struct call *c, struct op_params *ret);
/* The same of one parameter's parts. */
int op_parts_read(struct call *c, const struct op_param *of, struct op_params *ret);
/* The first of this name, or NULL. */
const struct op_param *op_param_find(const struct op_params *p, const char *name);
/* Its text; STR_NULL if absent. */
struct str op_param_text(const struct op_params *p, const char *name);
/* `fallback` if absent; ERR_VALUE if it is neither true nor false. */
int op_param_bool(struct call *c, const struct op_params *p, const char *name, bool fallback,
                  bool *ret);
int op_param_u64(struct call *c, const struct op_params *p, const char *name, uint64_t max,
                 uint64_t fallback, uint64_t *ret);

/* ERR_NOT_SUPPORTED for the first parameter that is none of `names` (blanks between them): nothing
 * that is asked for is passed over in silence. */
int op_params_only(struct call *c, const struct op_params *p, const char *names);

/* ERR_NOT_SUPPORTED where the answer would stand in a Bundle, or be kept for later in one: for
 * those whose answer is no resource. */
int op_alone(struct call *c);

/* ---- op_own.c ---- */

/* Whether who asks is this Patient: 1, 0 or negative. */
int op_is_own(struct call *c, struct str patient);

/* ---- op_read.c: the resources that an operation looks at ---- */

/* The newest version; ERR_NOT_FOUND, or ERR_DELETED. */
int op_row(struct call *c, struct store_txn *txn, int type, struct str id, struct row *ret);
/* A row as JSON in the call's arena, or in `a`: whoever looks at many resets one of its own. */
int op_json(struct call *c, const struct row *row, yyjson_val **ret);
int op_json_in(struct call *c, struct arena *a, const struct row *row, yyjson_val **ret);
/* Both. */
int op_resource(struct call *c, struct store_txn *txn, int type, struct str id, yyjson_val **ret);
/* The resource of a row number. */
int op_resource_at(struct call *c, struct store_txn *txn, uint64_t number, yyjson_val **ret);

/* The newest of a type with a canonical ("url" or "url|version"), which the parameter `name` asks
 * for. ERR_NOT_FOUND. */
int op_by_url(struct call *c, struct store_txn *txn, int type, struct str url, const char *name,
              yyjson_val **ret);

/* A literal reference to something of this node ("Patient/1", absolute below one of our bases, with
 * a version or without): its type and id, or false. */
bool op_local(struct call *c, struct str reference, int *ret_type, struct str *ret_id);
/* A search of its own, `query` as in a URL; at most OP_SEARCH_COST / `share` index entries are
 * looked at (ERR_COSTLY). */
int op_search(struct call *c, struct store_txn *txn, int type, struct str query, size_t share,
              struct page *ret);
/* Every row of a search, page after page of the query's _count, until `each` gives an error. */
int op_search_all(struct call *c, struct store_txn *txn, int type, struct str query,
                  int (*each)(void *ctx, uint64_t row), void *ctx);

/* Stores a resource that an operation made, under a new id, and waits until it is durable.
 * ERR_NOT_SUPPORTED inside a Bundle: a transaction's own writer would wait for itself. */
int op_store(struct call *c, struct str text);

/* ---- the operations ---- */

int op_convert(struct call *c, struct store_txn *txn);
int op_coverage(struct call *c, struct store_txn *txn);
int op_meta(struct call *c, struct store_txn *txn);
int op_meta_add(struct write *w, yyjson_val *newest, struct sb *next);
int op_meta_delete(struct write *w, yyjson_val *newest, struct sb *next);
int op_meta_reply(struct call *c, struct write *w);
int op_graphql(struct call *c, struct store_txn *txn);
int op_everything(struct call *c, struct store_txn *txn);
int op_lastn(struct call *c, struct store_txn *txn);
int op_stats(struct call *c, struct store_txn *txn);
int op_evaluate_measure(struct call *c, struct store_txn *txn);
int op_diff(struct call *c, struct store_txn *txn);
int op_document(struct call *c, struct store_txn *txn);

/* ---- audit_read.c ---- */

int op_proof(struct call *c, struct store_txn *txn);
int op_consistency(struct call *c, struct store_txn *txn);
int op_accesses(struct call *c, struct store_txn *txn);      /* op_accesses.c */
int op_break_glass(struct call *c, struct store_txn *txn);   /* op_break_glass.c */
int op_presence_code(struct call *c, struct store_txn *txn); /* op_check_in.c */
int op_check_in(struct call *c, struct store_txn *txn);
int op_by_law(struct call *c, struct store_txn *txn);             /* op_by_law.c */
int op_explain(struct call *c, struct store_txn *txn);            /* op_explain.c */
int op_match(struct call *c, struct store_txn *txn);              /* op_match.c */
int op_notices(struct call *c, struct store_txn *txn);            /* op_notices.c */
int op_request_correction(struct call *c, struct store_txn *txn); /* op_correction.c */
int op_record(struct call *c, struct store_txn *txn);             /* op_record.c */
int op_populate(struct call *c, struct store_txn *txn);           /* op_populate.c */
int op_extract(struct call *c, struct store_txn *txn);            /* op_extract.c */
int op_corrections(struct call *c, struct store_txn *txn);
int op_decide_correction(struct call *c, struct store_txn *txn);

/* ---- surveillance, below /carnet ---- */

int op_series(struct call *c, struct store_txn *txn);   /* op_series.c */
int op_detect(struct call *c, struct store_txn *txn);   /* op_detect.c */
int op_backtest(struct call *c, struct store_txn *txn); /* op_backtest.c */
int op_linelist(struct call *c, struct store_txn *txn); /* op_linelist.c */
int op_outbreak(struct call *c, struct store_txn *txn); /* op_outbreak.c */
int op_signals(struct call *c, struct store_txn *txn);  /* op_signals.c */
int op_outbreaks(struct call *c, struct store_txn *txn);
int op_signal(struct call *c, struct store_txn *txn); /* op_signal.c */
int op_signal_step(struct call *c, struct store_txn *txn);

/* ---- op_conformance.c, op_snapshot.c, op_validate.c ---- */

int op_conformance(struct call *c, struct store_txn *txn);
int op_snapshot(struct call *c, struct store_txn *txn);
int op_use(struct call *c, struct store_txn *txn);
int op_validate(struct call *c, struct store_txn *txn);

#endif
