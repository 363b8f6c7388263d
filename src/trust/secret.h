/* secret.h - what must not be guessed, read from the store, or told apart by time.
 *
 * Sources: Argon2id RFC 9106 with the parameters of OWASP's minimum for small machines; TOTP
 * RFC 6238 over SHA-1, six digits, 30 seconds, which is what authenticator apps know.
 */
#ifndef TRUST_SECRET_H
#define TRUST_SECRET_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sb.h"

#define SHA256_BYTES 32
#define SECRET_BYTES 32    /* of a random secret */
#define SECRET_TEXT_MAX 44 /* of one in base 64 for URLs, with NUL */
#define PASSWORD_MIN 12    /* characters; there are no other rules (NIST SP 800-63B) */
#define PASSWORD_MAX 256   /* bytes */
#define PASSWORD_HASH_MAX 160
#define PASSWORD_MEMORY_KIB 19456
#define PASSWORD_PASSES 2
#define PASSWORD_AT_ONCE 4 /* hashes under way: 19 MiB each */
#define TOTP_KEY_BYTES 20
#define TOTP_STEP_SECONDS 30
#define TOTP_DRIFT_STEPS 1 /* a code of the step before or behind is good as well */
#define RECOVERY_CODES 10
#define RECOVERY_CODE_MAX 20 /* text of one, with NUL: "ABCD-EFGH-JKMN" */

void sha256(struct str bytes, unsigned char ret[SHA256_BYTES]);
/* SHA-256 as lower-case hexadecimal, with NUL. */
void sha256_hex(struct str bytes, char ret[2 * SHA256_BYTES + 1]);
/* SHA-256 in base 64 for URLs, with NUL: PKCE, thumbprints, `ath`. */
void sha256_b64url(struct str bytes, char ret[SECRET_TEXT_MAX]);
/* As str_eq, in a time that tells only the length. */
bool secret_eq(struct str a, struct str b);
/* A fresh secret as text. */
void secret_new(char ret[SECRET_TEXT_MAX]);

/* ERR_VALUE for one too short or too long, with what a person can do about it. */
int password_check(struct str password, struct err *err);
/* The encoded hash ("$argon2id$…"). About 50 ms of a core; at most PASSWORD_AT_ONCE run at once,
 * others wait. Not on an event loop. */
int password_hash(struct str password, char ret[PASSWORD_HASH_MAX], struct err *err);
/* Whether it is the password of the hash. With an empty hash it takes as long and says no, so that
 * a login name that does not exist cannot be told by time. */
bool password_verify(struct str hash, struct str password);

/* A code of `key` at a counter (time / TOTP_STEP_SECONDS), as RFC 4226 5.3 truncates it. */
uint32_t totp_code(struct str key, uint64_t counter, unsigned digits);
/* The counter whose code was typed, greater than `last` (a code is good once); 0: none. */
uint64_t totp_match(struct str key, struct str typed, int64_t now_ms, uint64_t last);
/* Base 32 (RFC 4648, no padding), as authenticator apps take keys; and back (.p NULL if it is
 * none). */
void base32_encode(struct sb *out, struct str bytes);
struct str base32_decode(struct arena *a, struct str text);

/* A recovery code in an alphabet without look-alikes, 60 bits; and the form that is hashed: upper
 * case without dashes and blanks. */
void recovery_code(char ret[RECOVERY_CODE_MAX]);
void recovery_hash(struct str typed, char ret[2 * SHA256_BYTES + 1]);

#endif
