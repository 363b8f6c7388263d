/* api.h - the FHIR REST interactions: a request in, a reply out.
 *
 * One file an interaction; dispatch.c holds the one table of what exists, from which the
 * CapabilityStatement is written, so that it cannot claim what is not there.
 * Source: http://hl7.org/fhir/R4/http.html.
 */
#ifndef API_API_H
#define API_API_H

#include "http/http.h"
#include "fhir/world.h"
#include "store/store.h"
#include "terminology/terminology.h"
#include "trust/trust.h"

#define API_BUNDLE_ENTRIES_MAX 20000    /* of a batch or transaction */
#define API_CONDITIONAL_DELETE_MAX 1000 /* resources that one conditional delete may remove */
#define API_INLINE_BODY_MAX KIB(128)   /* larger bodies are parsed by a worker, not an event loop */
#define API_INLINE_SEARCH_BUDGET 8000  /* index entries before a search goes to a worker */
#define API_INLINE_SEALED_MAX KIB(256) /* longer stored bodies are read by a worker */
#define API_INLINE_XML_MAX KIB(32)     /* longer XML in or out is converted by a worker */
#define API_REPLY_MAX MIB(256)
#define API_REQUEST_ID_MAX 200 /* of a client's X-Request-Id that comes back */

enum api_references { API_REFERENCES_TYPES, API_REFERENCES_EXIST };

struct api_config {
    struct str base_url;     /* "https://node.example/fhir", or empty: taken from the request */
    bool trust_proxy;        /* X-Forwarded-Proto, -Host and -Prefix are believed */
    bool no_update_create;   /* PUT to a new id is refused instead of creating */
    bool no_multiple_delete; /* conditional delete of several matches is refused */
    enum api_references references;
    bool staff_by_role; /* patients see in the audit log what role staff have, not who it was */
    bool allow_expunge;
    unsigned search_seconds; /* the longest that a request may read and search; 0: no limit */
    struct str cors_origin;  /* "*", one origin, or empty: no CORS headers */
    struct str version;      /* of the software, for the CapabilityStatement */
};

struct api;

/* `store` and the strings of `config` must outlive the api. NULL only for lack of memory. */
struct api *api_new(const struct api_config *config, struct store *store);
void api_free(struct api *api);

/* `changed` is called when a write of a SearchParameter was applied (on the writer's thread, before
 * it is durable): whoever indexes them looks again. */
void api_on_search_parameter(struct api *api, void (*changed)(void *ctx), void *ctx);

/* `changed` is called when a write of a terminology resource (CodeSystem, ValueSet, ConceptMap,
 * NamingSystem) was applied, likewise. */
void api_on_terminology(struct api *api, void (*changed)(void *ctx), void *ctx);

/* The policy in force in this process: its labels are set on write, and trust decides by it. */
struct policy_book *api_book(struct api *api);
/* Another policy was set, by whichever process. */
void api_policy_changed(struct api *api);

/* Another process has changed definitions: what is made of them is made anew when it is needed. */
void api_definitions_changed(struct api *api);

/* Who answers what only the store or a terminology knows; must outlive the api. Call it before the
 * first request. */
void api_world(struct api *api, const struct world *world);
/* The same for terminology operations. */
void api_terms(struct api *api, struct terms *terms);

/* The node asks who is there: the root of its authorisation server, for the CapabilityStatement.
 * Call it before the first request; the text must outlive the api. */
void api_security(struct api *api, struct str root);

/* The log of who saw what: from then on nothing is answered before it is in there, and AuditEvents
 * are read from it. Must outlive the api. Call it before the first request. */
struct audit_log;
void api_audit(struct api *api, struct audit_log *log);

/* Who tells people what happened to their records; must outlive the api. Call it before the first
 * request. */
struct notify;
void api_notify(struct api *api, struct notify *notify);

/* Who counts how far programmes reach; must outlive the api. Call it before anything is handled;
 * without, $coverage and $use say that nothing is counted. */
struct counter;
void api_counter(struct api *api, struct counter *counter);
/* The surveillance centre, for the operations below /carnet; must outlive the api. Call it before
 * the first request. */
struct centre;
void api_centre(struct api *api, struct centre *centre);

/* The profiles that records are held to on write (conformance.h says how they are written). Call it
 * before the first request. */
int api_profiles(struct api *api, struct str policy, struct err *err);
/* Keeps them in the store, so that an import without a node holds records to the same; without
 * api_profiles before it forgets those of an earlier start. */
int api_profiles_remember(struct api *api, struct err *err);
/* Takes over what was kept, if anything. */
int api_profiles_recall(struct api *api, struct err *err);
/* A profile that records cannot be held to: where the policy names it, and why, as a predicate. */
typedef void api_profile_tell(void *ctx, size_t line, struct str profile, const char *why);
/* Tells of each; needs api_world. */
int api_profiles_unusable(struct api *api, api_profile_tell *tell, void *ctx, struct err *err);
/* What was received and fell short, as a page in a language that is accepted, or English. */
int api_conformance_page(struct api *api, struct str accept_language, struct sb *out,
                         struct err *err);

/* The http_handler for paths below /fhir, and (is_own) for the operations below /carnet: `path` is
 * what stands behind that (starting with '/' or empty). `who` comes with a reference to its
 * identity, where it has one, which is given back. */
void api_handle(struct api *api, struct http_exchange *x, struct str path, bool is_own,
                struct access who);

/* Where a request comes from: behind a proxy that is trusted, the address that the proxy saw. */
struct str api_address(const struct api_config *config, struct http_exchange *x);
/* Writes an OperationOutcome for errors that end before the handler (http_config.error_body), in
 * the format that the request asks for. */
void api_error_body(void *ctx, const struct http_exchange *x, const struct err *err, struct sb *out,
                    const char **ret_type);

/* ---- without HTTP: what an import does. Both block until the work is durable. ---- */

/* Something to write in the same transaction (an import's position); may be NULL. */
typedef int api_also(void *ctx, struct store_txn *txn, struct err *err);

/* Which rule of which profile a resource broke; empty where it was refused for something else. */
struct api_rule {
    struct str profile, rule; /* the arena's */
};

/* Runs one Bundle, a batch or a transaction. Entries of a batch that fail are counted in
 * *ret_failed with the first one's error in err, and the rule in *ret_broken (may be NULL). */
int api_bundle(struct api *api, struct arena *a, struct access who, struct str body, api_also *also,
               void *ctx, size_t *ret_failed, struct api_rule *ret_broken, struct err *err);

struct api_line {
    struct str text; /* one resource */
    int result;      /* 0 or a negative code, with what does not hold in err */
    struct err err;
    struct api_rule broken;
};

/* Stores many resources in one commit: one with an id as an update (that may create), one without
 * as a create. A line that fails is left out and does not stop the others. Returns < 0 only when
 * the whole could not be written. */
int api_put_lines(struct api *api, struct arena *a, struct access who, struct api_line *lines,
                  size_t n, api_also *also, void *ctx, struct err *err);

/* The same for what a node works by (packages, terminologies): not held to the profiles of records.
 */
int api_put_definitions(struct api *api, struct arena *a, struct access who, struct api_line *lines,
                        size_t n, api_also *also, void *ctx, struct err *err);
/* One of them, with what `also` writes beside it or not at all. */
int api_put_own(struct api *api, struct arena *a, struct access node, struct str text,
                api_also *also, void *ctx, struct err *err);

/* Requests by interaction and status class since start, for the metrics page. */
void api_metrics(struct api *api, struct sb *out);

#endif
