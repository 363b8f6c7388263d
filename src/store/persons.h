/* persons.h - bodies under keys of their owners (store/owner.h), in an encrypted store.
 *
 * A key is made with the first body that needs it, and kept by the backend in a table, sealed with
 * the store's. What one connection has used stays with it, unsealed: a read then costs one AES-GCM
 * of its body. Destroying a key leaves its number, so that no other key ever has it.
 * Why: docs/decisions/0046. Bytes: docs/formats/keys.md.
 */
#ifndef STORE_PERSONS_H
#define STORE_PERSONS_H

#include "base/xaes.h"
#include "store/store_int.h"
#include "vault/vault.h"

#define PERSON_SLOTS 4096  /* owners' keys that a connection keeps in memory */
#define PERSON_OWNERS 1024 /* … and numbers of keys, by owner, once it has written */

/* A key as the table has it. */
struct person_key {
    uint64_t n;
    bool is_here; /* false: it was destroyed, or is kept elsewhere */
    unsigned char mark[XAES_MARK_BYTES], sealed[XAES_KEY_BYTES];
};

/* What a backend does with its table. `ctx` is the transaction of the call. */
struct persons_table {
    /* 1, or 0 where there is none of this number. */
    int (*by_number)(void *ctx, uint64_t n, struct person_key *ret, struct err *err);
    /* 1, or 0 where the owner has none: then ret->n is the greatest number that was ever given. */
    int (*by_owner)(void *ctx, struct str owner, struct person_key *ret, struct err *err);
    /* The key of this number, in place of what there is. */
    int (*put)(void *ctx, const struct person_key *key, struct str owner, struct err *err);
};

/* What one connection has of it: for one thread at a time. */
struct persons;

/* `seals_all`: what is of nobody has a key too, that of the owner without bytes. Where no pages are
 * sealed below. */
int persons_new(const struct vault *vault, const struct persons_table *table, bool seals_all,
                struct persons **ret, struct err *err);
void persons_free(struct persons *p);
/* What is kept in memory ends: a key is destroyed. NULL is allowed. */
void persons_forget(struct persons *p);
/* A job was undone, or all of its group: keys that were made since persons_settled may be in no
 * table. NULL is allowed. */
void persons_undo(struct persons *p);
/* The transaction is over: what it made is in the table, or was undone. NULL is allowed. */
void persons_settled(struct persons *p);

/* Inside a job: the body of a put as it is stored; it may be put->sealed itself. Bytes live until
 * the next call. */
int persons_seal(struct persons *p, void *ctx, const struct put *put, uint64_t hlc, struct str *ret,
                 struct err *err);
/* What is stored, in row->sealed, opened in place of it; row->is_locked where its key is not here.
 * Bytes live until the next call. The row's identity is filled in already. */
int persons_open(struct persons *p, void *ctx, struct row *row, struct err *err);
/* The number of the key that a stored body is sealed with; 0: none. */
uint64_t persons_body_key(struct str stored);

/* A key as it is, out of what the table has, and into the table. */
int persons_unseal_key(struct persons *p, const struct person_key *from,
                       unsigned char ret[XAES_KEY_BYTES], struct err *err);
int persons_put_key(struct persons *p, void *ctx, uint64_t n, struct str owner,
                    const unsigned char key[XAES_KEY_BYTES], struct err *err);

#endif
