#include "base/xaes.h"

#include "base/fault.h"
#include "base/rng.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>

#define BLOCK_BYTES 16
#define NONCE_BYTES 24
#define GCM_NONCE_BYTES 12
#define COUNTER_AT XAES_EPOCH_BYTES
#define TAG_AT (XAES_EPOCH_BYTES + 4)
#define EPOCHS_KEPT 8 /* whose subkeys are kept for opening */
#define EPOCH_MESSAGES (UINT64_C(1) << 32)

struct epoch {
    bool is_set;
    unsigned char name[XAES_EPOCH_BYTES];
    EVP_CIPHER_CTX *gcm;
};

struct xaes {
    EVP_CIPHER_CTX *ecb;           /* the key itself, from which subkeys are made */
    unsigned char k1[BLOCK_BYTES]; /* CMAC's (NIST SP 800-38B, 6.1) */
    struct epoch sealing;
    uint64_t sealed, renew_after; /* messages of that epoch, and how many there may be */
    struct epoch opening[EPOCHS_KEPT];
    unsigned next; /* of `opening`: the place that a new one takes */
};

static int no_cipher(struct err *err)
{
    err_no_memory(err);
    return err_detail(err, "libcrypto");
}

static bool block(struct xaes *x, const unsigned char in[BLOCK_BYTES],
                  unsigned char out[BLOCK_BYTES])
{
    int n = 0;

    return EVP_EncryptUpdate(x->ecb, out, &n, in, BLOCK_BYTES) == 1 && n == BLOCK_BYTES;
}

/* Doubling in GF(2^128). */
static void make_k1(unsigned char k1[BLOCK_BYTES])
{
    unsigned char carry = (unsigned char)(k1[0] >> 7);

    for (size_t i = 0; i + 1 < BLOCK_BYTES; i++)
        k1[i] = (unsigned char)(k1[i] << 1 | k1[i + 1] >> 7);
    k1[BLOCK_BYTES - 1] = (unsigned char)(k1[BLOCK_BYTES - 1] << 1 ^ (carry ? 0x87 : 0));
}

int xaes_new(const unsigned char key[XAES_KEY_BYTES], struct xaes **ret, struct err *err)
{
    static const unsigned char zero[BLOCK_BYTES];
    _cleanup_(xaes_freep) struct xaes *x = calloc(1, sizeof *x);

    if (!x || fault_point("xaes") || !(x->ecb = EVP_CIPHER_CTX_new()) ||
        EVP_EncryptInit_ex(x->ecb, EVP_aes_256_ecb(), NULL, key, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(x->ecb, 0) != 1 || !block(x, zero, x->k1))
        return no_cipher(err);
    make_k1(x->k1);
    x->renew_after = EPOCH_MESSAGES;
    *ret = x;
    x = NULL;
    return 0;
}

void xaes_free(struct xaes *x)
{
    if (!x)
        return;
    EVP_CIPHER_CTX_free(x->ecb);
    EVP_CIPHER_CTX_free(x->sealing.gcm);
    for (size_t i = 0; i < EPOCHS_KEPT; i++)
        EVP_CIPHER_CTX_free(x->opening[i].gcm);
    OPENSSL_cleanse(x, sizeof *x);
    free(x);
}

void xaes_renew_after(struct xaes *x, uint64_t messages)
{
    assert(messages > 0 && messages <= EPOCH_MESSAGES);
    x->renew_after = messages;
}

/* The subkey of an epoch: NIST SP 800-108r1's KDF with CMAC in counter mode. */
static bool subkey(struct xaes *x, const unsigned char name[XAES_EPOCH_BYTES],
                   unsigned char ret[XAES_KEY_BYTES])
{
    for (unsigned char half = 0; half < 2; half++) {
        unsigned char m[BLOCK_BYTES] = {0, (unsigned char)(half + 1), 'X', 0};

        memcpy(m + 4, name, XAES_EPOCH_BYTES);
        for (size_t i = 0; i < BLOCK_BYTES; i++)
            m[i] ^= x->k1[i];
        if (!block(x, m, ret + half * BLOCK_BYTES))
            return false;
    }
    return true;
}

static int begin(struct xaes *x, struct epoch *e, const unsigned char name[XAES_EPOCH_BYTES],
                 bool is_sealing, struct err *err)
{
    unsigned char key[XAES_KEY_BYTES];
    bool ok;

    e->is_set = false;
    if (!e->gcm)
        e->gcm = EVP_CIPHER_CTX_new();
    ok = e->gcm && !fault_point("xaes") && subkey(x, name, key) &&
         EVP_CipherInit_ex(e->gcm, EVP_aes_256_gcm(), NULL, key, NULL, is_sealing) == 1;
    OPENSSL_cleanse(key, sizeof key);
    if (!ok)
        return no_cipher(err);
    memcpy(e->name, name, XAES_EPOCH_BYTES);
    e->is_set = true;
    return 0;
}

static int gcm_seal(struct epoch *e, const unsigned char nonce[GCM_NONCE_BYTES], struct str about,
                    const void *plain, size_t n, void *to, unsigned char tag[XAES_TAG_BYTES],
                    struct err *err)
{
    int got = 0;

    if (EVP_EncryptInit_ex(e->gcm, NULL, NULL, NULL, nonce) != 1 ||
        EVP_EncryptUpdate(e->gcm, NULL, &got, (const unsigned char *)about.p, (int)about.n) != 1 ||
        EVP_EncryptUpdate(e->gcm, to, &got, plain, (int)n) != 1 || (size_t)got != n ||
        EVP_EncryptFinal_ex(e->gcm, (unsigned char *)to + n, &got) != 1 ||
        EVP_CIPHER_CTX_ctrl(e->gcm, EVP_CTRL_AEAD_GET_TAG, XAES_TAG_BYTES, tag) != 1) {
        e->is_set = false; /* its state is unknown */
        return no_cipher(err);
    }
    return 0;
}

int xaes_seal(struct xaes *x, struct str about, const void *plain, size_t n, void *to,
              unsigned char ret_mark[XAES_MARK_BYTES], struct err *err)
{
    unsigned char nonce[GCM_NONCE_BYTES] = {0};
    uint32_t count;
    int r;

    if (!x->sealing.is_set || x->sealed >= x->renew_after) {
        unsigned char name[XAES_EPOCH_BYTES];

        rng_secure(name, sizeof name);
        r = begin(x, &x->sealing, name, true, err);
        if (r < 0)
            return r;
        x->sealed = 0;
    }
    /* Counted before it is used: what fails half-way is not used again either. */
    count = (uint32_t)x->sealed++;
    for (unsigned i = 0; i < 4; i++)
        nonce[GCM_NONCE_BYTES - 1 - i] = (unsigned char)(count >> 8 * i);
    memcpy(ret_mark, x->sealing.name, XAES_EPOCH_BYTES);
    memcpy(ret_mark + COUNTER_AT, nonce + GCM_NONCE_BYTES - 4, 4);
    return gcm_seal(&x->sealing, nonce, about, plain, n, to, ret_mark + TAG_AT, err);
}

static struct epoch *known(struct xaes *x, const unsigned char name[XAES_EPOCH_BYTES])
{
    for (size_t i = 0; i < EPOCHS_KEPT; i++)
        if (x->opening[i].is_set && !memcmp(x->opening[i].name, name, XAES_EPOCH_BYTES))
            return &x->opening[i];
    return NULL;
}

int xaes_open(struct xaes *x, struct str about, const void *sealed, size_t n, void *to,
              const unsigned char mark[XAES_MARK_BYTES], struct err *err)
{
    unsigned char nonce[GCM_NONCE_BYTES] = {0}, tag[XAES_TAG_BYTES];
    struct epoch *e = known(x, mark);
    int got = 0, r;

    if (!e) {
        e = &x->opening[x->next];
        r = begin(x, e, mark, false, err);
        if (r < 0)
            return r;
        x->next = (x->next + 1) % EPOCHS_KEPT;
    }
    memcpy(nonce + GCM_NONCE_BYTES - 4, mark + COUNTER_AT, 4);
    memcpy(tag, mark + TAG_AT, XAES_TAG_BYTES);
    if (EVP_DecryptInit_ex(e->gcm, NULL, NULL, NULL, nonce) != 1 ||
        EVP_DecryptUpdate(e->gcm, NULL, &got, (const unsigned char *)about.p, (int)about.n) != 1 ||
        EVP_DecryptUpdate(e->gcm, to, &got, sealed, (int)n) != 1 || (size_t)got != n ||
        EVP_CIPHER_CTX_ctrl(e->gcm, EVP_CTRL_AEAD_SET_TAG, XAES_TAG_BYTES, tag) != 1) {
        e->is_set = false;
        return no_cipher(err);
    }
    if (EVP_DecryptFinal_ex(e->gcm, (unsigned char *)to + n, &got) != 1)
        return err_set(err, ERR_INVALID, "the bytes are not those that were sealed");
    return 0;
}

int xaes_seal_with(struct xaes *x, const unsigned char nonce[NONCE_BYTES], struct str about,
                   const void *plain, size_t n, void *to, unsigned char ret_tag[XAES_TAG_BYTES],
                   struct err *err)
{
    struct epoch e = {0};
    int r = begin(x, &e, nonce, true, err);

    if (r >= 0)
        r = gcm_seal(&e, nonce + XAES_EPOCH_BYTES, about, plain, n, to, ret_tag, err);
    EVP_CIPHER_CTX_free(e.gcm);
    return r;
}

int xaes_subkey(const unsigned char key[XAES_KEY_BYTES], const char *use,
                unsigned char ret[XAES_KEY_BYTES], struct err *err)
{
    EVP_KDF *kdf = fault_point("xaes") ? NULL : EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key,
                                          XAES_KEY_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)use, strlen(use)),
        OSSL_PARAM_construct_end(),
    };
    bool ok = ctx && EVP_KDF_derive(ctx, ret, XAES_KEY_BYTES, params) == 1;

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok ? 0 : no_cipher(err);
}
