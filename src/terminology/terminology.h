/* terminology.h - code systems, value sets and concept maps, compiled and asked.
 *
 * A struct terms belongs to one store. What it is asked about is compiled on first use into
 * immutable, reference-counted indexes that all threads share, and kept within a bound of bytes.
 * A question is asked in a scope: it holds what the answers point into until it is done, and what
 * the question alone brings with it (resources of its own, versions it wants).
 * Every function may be called by any number of threads; a scope belongs to one.
 */
#ifndef TERMINOLOGY_TERMINOLOGY_H
#define TERMINOLOGY_TERMINOLOGY_H

#include "fhir/world.h"
#include "store/store.h"
#include "terminology/cs.h"
#include "terminology/map.h"
#include "terminology/vs.h"

#define TERMS_KEPT_BYTES_MAX MIB(256) /* of compiled systems, sets and maps kept for later */
#define TERMS_KEPT_MAX 20000          /* their number, those known to be absent with them */
#define TERMS_PINS_MAX 100            /* versions that one question may ask for */
#define TERMS_VALUE_SET_DEPTH_MAX 32  /* value sets inside each other */
#define TERMS_COST_MAX 100000000      /* looks at concepts that making one value set may take */

struct terms;

/* `store` and the text of `who` must outlive it. Nothing is read yet. */
int terms_new(struct store *store, const struct access *who, struct terms **ret, struct err *err);
void terms_free(struct terms *t);
/* A terminology resource was written, inside a job that is not durable yet (on the writer's
 * thread): what was compiled is forgotten once it is. */
void terms_changed(struct terms *t);
/* Bytes of what is kept compiled. */
size_t terms_bytes(struct terms *t);

enum terms_pin_kind {
    PIN_DEFAULT, /* the version where none is named */
    PIN_CHECK,   /* the only version that may be used */
    PIN_FORCE,   /* the version, whatever is named */
};

struct terms_pin {
    struct str name; /* of the parameter that asks for it */
    struct str url, version;
    enum terms_pin_kind kind;
};

struct terms_kept;

struct terms_scope {
    struct terms *t;
    struct arena *a;
    yyjson_val **extra; /* resources that the question brings with it: before those of the store */
    size_t n_extra;
    struct terms_pin pins[TERMS_PINS_MAX];
    size_t n_pins;
    bool quick;    /* nothing is compiled or read: ERR_BUSY where that would be needed */
    uint64_t cost; /* concepts that were looked at */
    struct terms_kept *held;
};

void terms_scope_init(struct terms_scope *s, struct terms *t, struct arena *a);
void terms_scope_done(struct terms_scope *s);

/* The compiled form of what stands behind a canonical; *ret is NULL when nothing does. It lives
 * until the scope is done. version.p NULL: the newest, or the one that is pinned. */
int terms_code_system(struct terms_scope *s, struct str url, struct str version, struct cs **ret,
                      struct err *err);
/* The same, whatever is pinned. */
int terms_code_system_unpinned(struct terms_scope *s, struct str url, struct str version,
                               struct cs **ret, struct err *err);
/* The versions of a code system that are known here, apart by ", "; empty: none. */
int terms_versions(struct terms_scope *s, struct str url, struct str *ret, struct err *err);
/* Whether the question names a version of this canonical. */
bool terms_is_pinned(const struct terms_scope *s, struct str url);
/* "url" or "url|version". ERR_PROCESSING names the ring when a value set contains itself. */
int terms_value_set(struct terms_scope *s, struct str canonical, struct vs **ret, struct err *err);
/* Of a resource that the question brings with it. */
int terms_value_set_of(struct terms_scope *s, yyjson_val *resource, struct vs **ret,
                       struct err *err);
/* The resource itself; NULL when there is none. */
int terms_resource(struct terms_scope *s, const char *type, struct str canonical, yyjson_val **ret,
                   struct err *err);

/* ---- what struct world asks (fhir/world.h) ---- */

int terms_member_of(struct terms *t, struct arena *a, struct str value_set,
                    const struct coding *coding, enum terms_answer *ret, struct err *err);
int terms_has_code(struct terms *t, struct arena *a, const struct coding *coding,
                   enum terms_answer *ret, struct str *ret_display, struct err *err);
int terms_subsumes(struct terms *t, struct arena *a, struct str system, struct str code_a,
                   struct str code_b, enum terms_relation *ret, struct err *err);
/* Kept compiled like the rest; the reference to it goes with `a`. */
int terms_codes(struct terms *t, struct arena *a, enum terms_set kind, struct str url,
                const struct coding *of, size_t max, bool quick, const struct code_set **ret,
                struct err *err);

#endif
