/* passkey.h - passkeys of accounts: a record each (RECORD_PASSKEY, by the hash of its id), whose
 * names the account lists. Signing in with one is a first and a second factor in one: the
 * authenticator has verified the person (webauthn.h).
 */
#ifndef TRUST_PASSKEY_H
#define TRUST_PASSKEY_H

#include "trust/account.h"
#include "trust/webauthn.h"

#define PASSKEY_NAME_MAX (2 * SHA256_BYTES + 1)

struct passkey {
    struct str account, id, key; /* id and key in base64url */
    int64_t alg, count, made_ms, used_ms;
};

/* Inside a job: the account signs in with it from now on; puts the account. ERR_VALUE where it has
 * ACCOUNT_PASSKEYS_MAX, ERR_DUPLICATE where somebody has this one. */
int passkey_add(struct store_txn *txn, struct arena *a, struct account *account,
                const struct webauthn_key *key, int64_t now_ms, struct err *err);
/* By a name of `account->passkeys`. */
int passkey_get(struct store_txn *txn, struct str name, struct arena *a, struct passkey *ret,
                struct err *err);
/* By the id that a browser sends, as bytes; ERR_NOT_FOUND. */
int passkey_find(struct store_txn *txn, struct str id, struct arena *a,
                 char ret_name[PASSKEY_NAME_MAX], struct passkey *ret, struct err *err);
/* Inside a job: takes one away, or all of them (name STR("")); puts the account. One that is not
 * theirs is no error. */
int passkey_drop(struct store_txn *txn, struct account *account, struct str name, struct err *err);
/* Inside a job: it was used. ERR_LOGIN where its count has not grown: then a copy of it may have
 * been used before. */
int passkey_used(struct store_txn *txn, struct arena *a, struct str name, uint32_t count,
                 int64_t now_ms, struct err *err);

#endif
