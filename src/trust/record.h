/* record.h - records of trust: accounts, clients, sessions, grants, keys, and what was handed out.
 *
 * They are small JSON objects under names of their own beside the resources (store_blob): written
 * in the same commits, on every backend, and out of reach of anything that speaks FHIR. A record is
 * a C struct and a table of its fields; the table reads and writes it.
 *
 * Names are KIND/NAME. Formats: docs/formats/trust.md.
 */
#ifndef TRUST_RECORD_H
#define TRUST_RECORD_H

#include "store/store.h"

#define RECORD_PREFIX STORE_BLOB_OWN
#define RECORD_NAME_MAX 400
#define RECORD_BYTES_MAX KIB(64) /* one record as JSON */
#define RECORD_LIST_MAX 100      /* texts in one list of a record */

/*    kind             folder      what it is */
#define RECORD_KINDS(X)                                                                            \
    X(RECORD_ACCOUNT, "account") /* a person who can sign in, by id */                             \
    X(RECORD_LOGIN, "login")     /* the account of a login name, folded */                         \
    X(RECORD_LINK, "link")       /* the account of an identity elsewhere: hash of (issuer, sub) */ \
    X(RECORD_IDENTIFIER, "identifier") /* the account of an identifier: hash of (system, value) */ \
    X(RECORD_PASSKEY, "passkey") /* a passkey of an account, by the hash of its id */              \
    X(RECORD_CLIENT, "client")   /* an app or system, by client_id */                              \
    X(RECORD_KEY, "key")         /* a signing key of this node, by kid */                          \
    X(RECORD_OWNED, "owned")     /* what is out on behalf of an account (owned.h) */              \
    X(RECORD_GRANT, "grant")     /* what a person let a client do, by id */                        \
    X(RECORD_SESSION, "session") /* from here on tickets (ticket.h): a browser that signed in */   \
    X(RECORD_PENDING, "pending") /* an authorisation under way in a browser */                     \
    X(RECORD_CODE, "code")       /* an authorisation code */                                       \
    X(RECORD_ACCESS, "access")   /* an access token */                                             \
    X(RECORD_REFRESH, "refresh") /* a refresh token */                                             \
    X(RECORD_LAUNCH, "launch")   /* the context of an EHR launch */                                \
    X(RECORD_PUSHED, "pushed")   /* a pushed authorisation request */                              \
    X(RECORD_SEEN, "seen")       /* a jti that must not come twice */                              \
    X(RECORD_SETUP, "setup")     /* a one-time secret to set a first password */                   \
    X(RECORD_ENTRY, "entry")     /* a link into a demo */                                          \
    X(RECORD_EID, "eid")         /* a sign-in that is under way at a provider of identities */     \
    X(RECORD_PRESENCE, "presence") /* what a patient shows when they are there, by their id */     \
    X(RECORD_POLICY, "policy")     /* a policy that was set, by number */

enum record_kind {
#define X(kind, folder) kind,
    RECORD_KINDS(X)
#undef X
        RECORD_KIND_COUNT
};

struct str_list {
    struct str *v;
    size_t n;
};

enum field_kind { FIELD_STR, FIELD_I64, FIELD_BOOL, FIELD_LIST };

/* One member of a record: a struct str, int64_t, bool or struct str_list at `at` of the struct.
 * Empty texts and lists, zeros and false are not written. */
struct field {
    const char *name;
    enum field_kind kind;
    size_t at;
};

struct shape {
    const struct field *fields;
    size_t n;
    size_t bytes; /* of the struct */
};

/* The shape of a table `NAME_fields` of struct NAME. */
#define SHAPE(name)                                                                                \
    {                                                                                              \
        name##_fields, ARRAY_LEN(name##_fields), sizeof(struct name)                               \
    }

/* A record as text, and back. Texts live in `a`, or in `text` where nothing had to be unescaped;
 * unknown members are passed over. ERR_NO_STORE when it is no such record. */
void record_write(struct sb *out, const struct shape *shape, const void *record);
int record_parse(struct arena *a, struct str text, const struct shape *shape, void *ret,
                 struct err *err);

/* ERR_NOT_FOUND if there is none; its text names nothing. */
int record_get(struct store_txn *txn, enum record_kind kind, struct str name, struct arena *a,
               const struct shape *shape, void *ret, struct err *err);
/* put and drop belong inside a job. Put replaces; to drop what is not there is no error. */
int record_put(struct store_txn *txn, enum record_kind kind, struct str name,
               const struct shape *shape, const void *record, struct err *err);
int record_drop(struct store_txn *txn, enum record_kind kind, struct str name, struct err *err);
/* The first name of the kind behind `after` (STR(""): of all), in byte order; STR_NULL at the end.
 */
int record_next(struct store_txn *txn, enum record_kind kind, struct str after, struct arena *a,
                struct str *ret, struct err *err);

/* Runs `fn` in a job of its own and waits until it is durable. Must not be called on an event loop.
 */
typedef int record_fn(void *ctx, struct store_txn *txn, struct err *err);
int record_commit(struct store *store, record_fn *fn, void *ctx, struct err *err);

#endif
