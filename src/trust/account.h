/* account.h - people who can sign in: who they are, how they prove it, and when they may not.
 *
 * Signing in is a password, and a one-time code where the account has a key for them. Each attempt
 * is counted and committed before its answer is known, so that many at once are no way round the
 * count; past ACCOUNT_FREE_ATTEMPTS an account waits, twice as long each time, and a success of
 * both steps sets the count back.
 */
#ifndef TRUST_ACCOUNT_H
#define TRUST_ACCOUNT_H

#include "trust/record.h"
#include "trust/secret.h"

#define ACCOUNT_LOGIN_MAX 64
#define ACCOUNT_NAME_MAX 200
#define ACCOUNT_FREE_ATTEMPTS 5
#define ACCOUNT_PLACES_MAX 20 /* browsers that are remembered; the oldest give way */
#define ACCOUNT_WAIT_FIRST_MS 30000
#define ACCOUNT_WAIT_MAX_MS 900000
#define ACCOUNT_IDENTIFIERS_MAX 8
#define ACCOUNT_LINKS_MAX 8
#define ACCOUNT_PASSKEYS_MAX 8
#define ACCOUNT_IDENTIFIER_MAX 1024        /* of system and value together */
#define ACCOUNT_SETUP_MS INT64_C(86400000) /* a one-time secret for a first password */

/*    role               scopes that a client may get on its behalf           */
#define ACCOUNT_ROLES(X)                                                                           \
    X("patient", "patient/*.rs patient/Consent.cu launch/patient")                                 \
    X("worker", "user/*.cruds patient/*.cruds launch/patient launch/encounter")                    \
    X("steward", "user/*.cruds")                                                                   \
    X("guardian",                                                                                  \
      "patient/*.rs patient/Consent.cu user/*.rs user/Consent.cu launch/patient")                  \
    X("privacy", "user/*.rs user/Task.u")                                                          \
    X("operator", "user/*.cruds")                                                                  \
    X("epidemiologist", "user/*.rs user/Task.u")                                                   \
    X("ministry", "user/*.rs")                                                                     \
    X("researcher", "")

struct account {
    struct str id;    /* a UUID: the `sub` of tokens */
    struct str login; /* lower case, 1 to ACCOUNT_LOGIN_MAX of a-z 0-9 . _ @ + - */
    struct str name;  /* as pages greet the person */
    struct str role;
    struct str fhir_user; /* "Practitioner/1", the resource that stands for the person, or empty */
    struct str password;  /* its hash; empty: none yet */
    struct str totp;      /* key in base 32; empty: none */
    struct str_list recovery;    /* hashes of codes that are left */
    struct str_list identifiers; /* "system|value": who the person was confirmed to be */
    struct str_list links;    /* "PROVIDER HASH": identities elsewhere that sign in (RECORD_LINK) */
    struct str_list passkeys; /* names of theirs (passkey.h) */
    struct str_list places;   /* hashes of browsers that it was signed in with, newest last */
    int64_t created_ms, totp_last, attempts, wait_until_ms;
    int64_t since_ms;     /* whoever signed in before is signed out */
    struct str totp_next; /* a key that waits for its first code; or empty */
    int64_t reset_ms;     /* when a new password was last asked for */
    bool disabled;
    bool closed; /* by its person, for good: disabled as well */
};

extern const struct shape account_shape;

/* The scopes of a role; .p NULL if there is no such role. */
struct str account_role_scopes(struct str role);
/* A login name in its folded form; ERR_VALUE when it is none. */
int account_login(struct arena *a, struct str typed, struct str *ret, struct err *err);

/* All of these read in a transaction; put and create belong inside a job. Texts live in `a`. */
int account_get(struct store_txn *txn, struct str id, struct arena *a, struct account *ret,
                struct err *err);
int account_find(struct store_txn *txn, struct str login, struct arena *a, struct account *ret,
                 struct err *err);
int account_put(struct store_txn *txn, const struct account *account, struct err *err);
/* Makes the id. ERR_DUPLICATE when the login name is taken. */
int account_create(struct store_txn *txn, struct arena *a, struct account *account,
                   struct err *err);

/* Inside a job: the person was confirmed to have this identifier, by an operator or a trusted
 * record. ERR_DUPLICATE when it is another account's, ERR_VALUE when it is none. Puts the account.
 */
int account_identify(struct store_txn *txn, struct arena *a, struct account *account,
                     struct str system, struct str value, struct err *err);
int account_identified(struct store_txn *txn, struct arena *a, struct str system, struct str value,
                       struct account *ret, struct err *err);
/* Inside a job: an identity elsewhere signs in as this account; `name` is the provider's here. The
 * same twice is no error, ERR_DUPLICATE when it is another's. Puts the account. */
int account_link(struct store_txn *txn, struct arena *a, struct account *account, struct str name,
                 struct str issuer, struct str sub, struct err *err);
int account_linked(struct store_txn *txn, struct arena *a, struct str issuer, struct str sub,
                   struct account *ret, struct err *err);
/* Inside a job: takes a link (a text of `links`) away. */
int account_unlink(struct store_txn *txn, struct account *account, struct str link,
                   struct err *err);

/* Sets its password's hash: whoever was signed in is so no more, and nobody waits. */
void account_set_password(struct account *account, const char *hash, int64_t now_ms);

/* Makes new recovery codes, whose hashes are the account's from now on; ret has them once. */
int account_recovery_new(struct arena *a, struct account *account,
                         char ret[RECOVERY_CODES][RECOVERY_CODE_MAX], struct err *err);
/* A fresh key for one-time codes, in base 32. */
int account_totp_new(struct arena *a, struct str *ret, struct err *err);

/* A one-time secret that lets whoever has it set the account's password; inside a job. */
int account_setup_new(struct store_txn *txn, const struct account *account, int64_t now_ms,
                      int64_t life_ms, char ret[SECRET_TEXT_MAX], struct err *err);
/* What is done besides, in the same job, to an account that is changed; NULL: nothing. */
struct account_also {
    int (*run)(void *ctx, struct store_txn *txn, const struct account *account, struct err *err);
    void *ctx;
};
/* Sets the password with such a secret and uses it up. ERR_LOGIN when it is none or has ended. Not
 * on an event loop. */
int account_setup(struct store *store, struct str secret, struct str password,
                  const struct account_also *also, struct err *err);

/* On a store without any account: an operator's, "operator", and a one-time secret for it. `ret` is
 * "" where there are accounts already. */
int account_bootstrap(struct store *store, char ret[SECRET_TEXT_MAX], struct err *err);

/* Inside a job: shuts it for good, with all by which it could be opened and what is out on its
 * behalf (owned.h; what is more than is looked at ends with the account); puts it. */
int account_shut(struct store_txn *txn, struct arena *a, struct account *account, struct err *err);

/* ---- signing in; each commits, so none may be called on an event loop ---- */

enum signin { SIGNIN_DONE, SIGNIN_TOTP /* the password was right; a code is asked for */ };

/* ERR_LOGIN when name and password do not belong together, ERR_THROTTLED (with the seconds to wait
 * in its text) when there were too many attempts. Both say the same for names that do not exist. */
int signin_password(struct store *store, struct arena *a, struct str login, struct str password,
                    struct account *ret, enum signin *ret_next, struct err *err);
/* A one-time code or a recovery code, which is used up; of the latter, `by_recovery` is run. */
int signin_code(struct store *store, struct arena *a, struct str account_id, struct str typed,
                const struct account_also *by_recovery, struct account *ret, struct err *err);

#endif
