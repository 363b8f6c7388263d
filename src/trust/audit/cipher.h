/* cipher.h - what the log's files hold of people, sealed where the data folder has keys. Stays
 * inside trust/audit.
 *
 * Sealed are batches and the indexes of full segments; hashes, heads and public keys are not: they
 * tell nothing of anybody, and others are to see them. Bytes: docs/formats/audit.md.
 */
#ifndef TRUST_AUDIT_CIPHER_H
#define TRUST_AUDIT_CIPHER_H

#include "base/sb.h"
#include "base/xaes.h"
#include "trust/audit/merkle.h"

#define CIPHER_USE "carnet audit"         /* subkeys of the vault */
#define CIPHER_KEY_USE "carnet audit key" /* the passphrase of the signing key */
#define CIPHER_PLACE_BYTES 16

/* For one thread at a time. */
struct cipher {
    struct xaes *x; /* NULL: nothing is sealed */
    struct merkle_hash log;
};

/* Whether the log of `key` (NULL: none) is sealed. ERR_NO_MEMORY. */
int cipher_init(struct cipher *c, const unsigned char *key, const struct merkle_hash *log,
                struct err *err);
void cipher_done(struct cipher *c);
static inline bool cipher_is_on(const struct cipher *c)
{
    return c && c->x;
}

/* Seals n bytes where they are. `kind` (4 characters) and `place` say what they are and where:
 * other bytes of this log, or of another, do not open there. */
int cipher_seal(struct cipher *c, const char *kind, const void *place, void *bytes, size_t n,
                unsigned char ret_mark[XAES_MARK_BYTES], struct err *err);
/* 1: opened into `to`; 0: they are not what was sealed there; ERR_NO_MEMORY. */
int cipher_open(struct cipher *c, const char *kind, const void *place, const void *bytes, size_t n,
                void *to, const unsigned char mark[XAES_MARK_BYTES], struct err *err);

#endif
