/* call.h - one interaction on its way through the house: what is asked, what is answered.
 *
 * The same struct serves a request of its own and an entry of a batch or transaction: an
 * interaction never sees HTTP. Everything it points to lives in the call's arena.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/api.h"
#include "base/js.h"
#include "fhir/issues.h"

#include <stdatomic.h>
#include <stdio.h>

#define API_CLASSES 6 /* status classes 1xx … 5xx, counted by their first digit */

enum api_scope {
    SCOPE_SYSTEM,
    SCOPE_TYPE,
    SCOPE_INSTANCE,
    SCOPE_VERSION,
    SCOPE_COMPARTMENT, /* "Patient/1/Observation", "Patient/1/" and a star */
    SCOPE_ASYNC,
};

enum prefer_return { RETURN_DEFAULT, RETURN_MINIMAL, RETURN_REPRESENTATION, RETURN_OUTCOME };

struct api_row;
struct async;
struct audit_log;
struct conformance;
struct notify;
struct op;
struct policy_book;
struct call;
struct trail;
struct write;

struct api {
    struct api_config config;
    struct store *store;
    const struct world *world;
    struct terms *terms;
    int64_t started_ms;
    struct async *async;
    struct conformance *conformance;
    struct str security; /* root of the authorisation server, or empty */
    struct gq_kept *graphql_kept;
    struct policy_book *book;
    struct audit_log *audit; /* NULL: none is kept */
    struct notify *notify;   /* NULL: nobody is told */
    struct centre *centre;   /* NULL: no surveillance */
    struct counter *counter; /* NULL: programmes are not counted */
    void (*search_parameter_changed)(void *ctx);
    void *changed_ctx;
    void (*terminology_changed)(void *ctx);
    void *terminology_ctx;
    _Atomic uint64_t *counts; /* by row of the dispatch table and status class */
};

struct call {
    struct api *api;
    struct arena *a;
    struct access who;
    bool is_not_held;          /* to the profiles of records: the operator's own definitions */
    struct params *params;     /* snapshot for the whole call */
    struct http_exchange *x;   /* NULL for an entry of a bundle */
    const struct api_row *row; /* of the dispatch table */
    bool is_own;               /* below /carnet, not /fhir */
    const struct op *op;       /* of an operation, or NULL */
    struct trail *trail;       /* what goes into the audit log (trail.h), or NULL */

    /* asked */
    struct str base; /* "http://host/fhir" */
    int type;        /* resource type, 0 at system level */
    struct str id, version_id;
    int owner; /* type of what names a compartment (`id`); `type` is what is searched in it */
    struct str query;     /* raw */
    struct str body;      /* raw; empty when `resource` is given */
    yyjson_val *resource; /* parsed already (entry of a bundle) */
    struct str raw;       /* bytes of a Binary sent as they are; `body` then holds the rest of it */
    struct str content_type, security_context;
    struct str if_match, if_none_match, if_none_exist;
    struct str if_modified_since;
    enum prefer_return prefer;
    bool strict; /* Prefer: handling=strict */
    bool later;  /* Prefer: respond-async */
    bool head, pretty;
    bool xml;        /* the answer is wanted as XML */
    bool raw_accept; /* the client wants a Binary's bytes, not its resource */
    size_t budget;   /* of a search on an event loop; 0: no limit */

    /* answered */
    int status;
    struct str type_out; /* Content-Type; empty: FHIR JSON */
    struct sb out;
    struct version version; /* hlc 0: none, no ETag */
    struct str location;    /* relative to base: "Patient/1/_history/2" */
    struct issues issues;   /* what to say beside or instead of a resource */
    struct err err;
};

/* ---- reply.c ---- */

/* Turns call->err or call->issues into the OperationOutcome body and status. Always returns 0. */
int call_fail(struct call *c);
/* The reply of a write: Prefer decides between resource, outcome and nothing. */
int call_reply_write(struct call *c, struct write *w);
/* Appends a row as JSON, as it is stored. What the asker is shown goes through here or through the
 * next, so that the audit log knows of it. */
int call_write_whole(struct call *c, const struct row *row, struct sb *out);
/* Appends a row as JSON, reduced to a summary or to some elements where asked. */
int call_write_row(struct call *c, const struct row *row, enum search_summary summary,
                   const struct str *elements, size_t n_elements);
/* The reply of a read: applies _summary, _elements, _pretty. */
int call_reply_resource(struct call *c, const struct row *row);
/* `Type/id` and `Type/id/_history/vid`, in the call's arena. */
struct str call_url(struct call *c, int type, struct str id, const struct version *v);
/* The named query parameter's first value, percent-decoded; STR_NULL if absent. */
struct str call_parameter(struct call *c, struct str name);

/* Percent-decodes (and '+' to blank where `plus`) into the arena; STR_NULL when malformed. */
struct str url_decode(struct arena *a, struct str s, bool plus);

/* ---- interactions: read the call, run in the transaction, fill the answer. 0 or negative. ---- */

/* Whether one of the entity tags of an If-Match or If-None-Match header names this version. */
bool etag_matches(struct str header, const struct version *v);

/* Any of those below by the call's row, in a transaction of its own. */
int call_run_read(struct call *c);

int api_read(struct call *c, struct store_txn *txn);
int api_vread(struct call *c, struct store_txn *txn);
int api_search(struct call *c, struct store_txn *txn);
int api_history(struct call *c, struct store_txn *txn);
int api_capabilities(struct call *c, struct store_txn *txn);
/* capability_terms.c: the same with ?mode=terminology. */
int api_terminology_capabilities(struct call *c, struct store_txn *txn);

/* ---- bundle.c ---- */

int api_bundle_run(struct call *c);

/* ---- binary.c: a Binary's bytes as the body itself ---- */

/* A request body that is no FHIR JSON goes to call->raw, and a Binary without data to
 * call->body: bytes are never held as JSON. */
int binary_wrap(struct call *c);
/* The reply becomes the bytes with their own Content-Type. */
int binary_unwrap(struct call *c);

/* ---- xml.c: XML at the edge ---- */

/* The body, FHIR XML, becomes JSON in `json`, which must outlive the call. */
int call_body_from_xml(struct call *c, struct sb *json);
/* The finished answer becomes XML; if it cannot, an OperationOutcome that says why, or (no memory
 * at all) c->xml is taken back. */
void call_out_to_xml(struct call *c);

/* ---- dispatch.c ---- */

enum api_action {
    ACT_CAPABILITIES,
    ACT_OPERATION, /* of op_table.c */
    ACT_READ,
    ACT_VREAD,
    ACT_SEARCH,
    ACT_HISTORY,
    ACT_CREATE,
    ACT_UPDATE,
    ACT_PATCH,
    ACT_DELETE,
    ACT_BUNDLE,
    ACT_EXPUNGE,
    ACT_ASYNC_STATUS,
    ACT_ASYNC_CANCEL,
};

struct api_row {
    enum http_method method;
    enum api_scope scope;
    const char *tail; /* what stands behind the scope's path: "", "_history", … */
    enum api_action action;
    const char *interaction; /* its code in the CapabilityStatement, or NULL */
    const char *name;        /* in metrics */
};

const struct api_row *dispatch_rows(size_t *ret_n);
/* Fills row, type, id, version_id, operation from method and path ("/Patient/1"). Errors are 404,
 * 405 or 400 with a sentence. */
int dispatch(struct call *c, enum http_method method, struct str path);

/* ---- permit.c ---- */

/* Whether who asks has the rights that the call's interaction needs. ERR_FORBIDDEN. */
int call_permit(struct call *c);

#endif
