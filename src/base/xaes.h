/* xaes.h - sealed bytes: unreadable and not to be changed unseen without the key.
 *
 * XAES-256-GCM (https://c2sp.org/XAES-256-GCM): the first half of a nonce and the key make a
 * subkey, under which AES-256-GCM seals. Here that half is an *epoch*, random, of one sealer and no
 * other; the rest counts what it has sealed. So no nonce comes a second time, whatever happens to a
 * file: what goes on after a crash, or on a copy, is another sealer and has another epoch. A sealer
 * begins a new epoch by itself before its counter would repeat.
 *
 * Not for a process that is copied while it runs (fork, a machine's memory resumed twice): both
 * would go on in one epoch.
 */
#ifndef BASE_XAES_H
#define BASE_XAES_H

#include "base/err.h"

#define XAES_KEY_BYTES 32
#define XAES_EPOCH_BYTES 12
#define XAES_TAG_BYTES 16
#define XAES_MARK_BYTES 32 /* what is kept beside what was sealed: epoch, counter (4), tag */

struct xaes;

/* For one thread at a time. The key is copied. ERR_NO_MEMORY. */
int xaes_new(const unsigned char key[XAES_KEY_BYTES], struct xaes **ret, struct err *err);
void xaes_free(struct xaes *x);
static inline void xaes_freep(struct xaes **x)
{
    xaes_free(*x);
}
/* A new epoch after so many messages, at most 2^32: for tests. */
void xaes_renew_after(struct xaes *x, uint64_t messages);

/* Seals n bytes (below 2 GiB) into `to`, which may be where they are; `about` is not kept, but must
 * be the same for opening: what the bytes are, and where. ERR_NO_MEMORY. */
int xaes_seal(struct xaes *x, struct str about, const void *plain, size_t n, void *to,
              unsigned char ret_mark[XAES_MARK_BYTES], struct err *err);
/* The other way. ERR_INVALID when they are not what was sealed, with this key, about this; `to`
 * then holds nothing of use. */
int xaes_open(struct xaes *x, struct str about, const void *sealed, size_t n, void *to,
              const unsigned char mark[XAES_MARK_BYTES], struct err *err);

/* The algorithm itself: a whole nonce of 24 bytes, named by the caller, who answers for it. */
int xaes_seal_with(struct xaes *x, const unsigned char nonce[24], struct str about,
                   const void *plain, size_t n, void *to, unsigned char ret_tag[XAES_TAG_BYTES],
                   struct err *err);

/* A key for one use out of another: HKDF-SHA256 (RFC 5869) without salt. */
int xaes_subkey(const unsigned char key[XAES_KEY_BYTES], const char *use,
                unsigned char ret[XAES_KEY_BYTES], struct err *err);

#endif
