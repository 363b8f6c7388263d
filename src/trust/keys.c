#include "trust/keys.h"

#include "base/clock.h"
#include "trust/trust.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

static const enum jose_alg wanted[] = {JOSE_ES384, JOSE_RS384};

struct key_record {
    struct str alg, pem;
    int64_t made_ms;
};
static const struct field key_record_fields[] = {
    {"alg", FIELD_STR, offsetof(struct key_record, alg)},
    {"pem", FIELD_STR, offsetof(struct key_record, pem)},
    {"made", FIELD_I64, offsetof(struct key_record, made_ms)},
};
static const struct shape key_shape = SHAPE(key_record);

void keys_done(struct keys *k)
{
    for (size_t i = 0; i < k->n; i++)
        EVP_PKEY_free(k->v[i].key);
    k->n = 0;
}

const struct signing_key *keys_for(const struct keys *k, enum jose_alg alg)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->v[i].alg == alg)
            return &k->v[i];
    return NULL;
}

int keys_jwks(const struct keys *k, struct sb *out, struct err *err)
{
    int r = 0;

    sb_lit(out, "{\"keys\":[");
    for (size_t i = 0; r >= 0 && i < k->n; i++) {
        if (i)
            sb_char(out, ',');
        r = jwk_write(out, k->v[i].key, str_c(k->v[i].kid), k->v[i].alg, err);
    }
    sb_lit(out, "]}");
    return r < 0 ? r : sb_ok(out, err);
}

/* ---- reading ---- */

static EVP_PKEY *from_pem(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key;
}

/* Keeps the list in order, newest first. */
static int insert(struct keys *k, struct str kid, const struct key_record *record, struct err *err)
{
    struct signing_key one = {
        .alg = jose_alg(record->alg), .key = from_pem(record->pem), .made_ms = record->made_ms};
    size_t at = k->n;

    if (!one.key || !one.alg || kid.n >= sizeof one.kid || k->n == KEYS_MAX) {
        EVP_PKEY_free(one.key);
        return err_set(err, ERR_NO_STORE, "a signing key of the store is damaged");
    }
    memcpy(one.kid, kid.p, kid.n);
    for (; at && k->v[at - 1].made_ms < one.made_ms; at--)
        k->v[at] = k->v[at - 1];
    k->v[at] = one;
    k->n++;
    return 0;
}

static int read_all(struct store_txn *txn, struct arena *a, struct keys *ret, struct err *err)
{
    struct str kid = STR("");
    struct key_record record;
    int r = 0;

    while (r >= 0 && (r = record_next(txn, RECORD_KEY, kid, a, &kid, err)) >= 0 && kid.p)
        if ((r = record_get(txn, RECORD_KEY, kid, a, &key_shape, &record, err)) >= 0)
            r = insert(ret, kid, &record, err);
    return r;
}

/* ---- making ---- */

static EVP_PKEY *make(enum jose_alg alg)
{
    return alg == JOSE_ES384 ? EVP_EC_gen("P-384") : EVP_RSA_gen(KEYS_RSA_BITS);
}

static int put_new(struct store_txn *txn, EVP_PKEY *key, enum jose_alg alg, int64_t now_ms,
                   struct err *err)
{
    struct key_record record = {.alg = str_c(jose_alg_name(alg)), .made_ms = now_ms};
    BIO *bio = BIO_new(BIO_s_mem());
    char kid[44], *text = NULL;
    int r = jwk_thumbprint(key, kid, err);

    if (r >= 0 && (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) <= 0))
        r = err_no_memory(err);
    if (r >= 0) {
        record.pem.n = (size_t)BIO_get_mem_data(bio, &text);
        record.pem.p = text;
        r = record_put(txn, RECORD_KEY, str_c(kid), &key_shape, &record, err);
    }
    BIO_free(bio);
    return r;
}

struct renewal {
    struct arena a;
    EVP_PKEY *made[ARRAY_LEN(wanted)]; /* NULL: not due */
    int64_t now_ms;
};

/* The eldest of an algorithm that need not be published any more. */
static bool has_ended(const struct keys *k, size_t at, int64_t now_ms)
{
    for (size_t i = 0; i < at; i++)
        if (k->v[i].alg == k->v[at].alg && k->v[i].made_ms + KEYS_KEEP_MS < now_ms)
            return true;
    return false;
}

static int renew_run(void *ctx, struct store_txn *txn, struct err *err)
{
    struct renewal *n = ctx;
    struct keys k = {.n = 0};
    int r = read_all(txn, &n->a, &k, err);

    for (size_t i = 0; r >= 0 && i < k.n; i++)
        if (has_ended(&k, i, n->now_ms))
            r = record_drop(txn, RECORD_KEY, str_c(k.v[i].kid), err);
    for (size_t i = 0; r >= 0 && i < ARRAY_LEN(wanted); i++)
        if (n->made[i])
            r = put_new(txn, n->made[i], wanted[i], n->now_ms, err);
    keys_done(&k);
    return r;
}

static int read_now(struct store *store, struct arena *a, struct keys *ret, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    int r = store_begin(store, &who, &txn, err);

    keys_done(ret);
    return r < 0 ? r : read_all(txn, a, ret, err);
}

static int renew(struct store *store, struct keys *k, bool rotate, struct err *err)
{
    struct renewal n = {.now_ms = clock_now_ms()};
    bool is_due = false;
    int r = 0;

    arena_init(&n.a, MIB(1));
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        const struct signing_key *key = keys_for(k, wanted[i]);

        if (!rotate && key && key->made_ms + KEYS_SIGN_MS > n.now_ms)
            continue;
        is_due = true;
        n.made[i] = make(wanted[i]);
        if (!n.made[i])
            r = err_set(err, ERR_INTERNAL, "a signing key cannot be made");
    }
    if (r >= 0 && is_due)
        r = record_commit(store, renew_run, &n, err);
    if (r >= 0 && is_due)
        r = read_now(store, &n.a, k, err);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        EVP_PKEY_free(n.made[i]);
    arena_done(&n.a);
    return r;
}

int keys_open(struct store *store, bool rotate, struct keys *ret, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct keys k = {.n = 0};
    int r;

    arena_init(&a, MIB(1));
    r = read_now(store, &a, &k, err);
    if (r >= 0)
        r = renew(store, &k, rotate, err);
    if (r < 0)
        keys_done(&k);
    else
        *ret = k;
    return r;
}
