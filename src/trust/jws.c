#include "trust/jose.h"

#include "base/b64.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#define SIGNATURE_MAX (JWK_RSA_BITS_MAX / 8)
#define DER_MAX 160 /* of an ECDSA signature on P-384 */

static int no_token(struct err *err)
{
    return err_set(err, ERR_VALUE, "this is not a signed token (JWS in its compact form)");
}

static int parse_part(struct arena *a, struct str part, yyjson_val **ret, struct err *err)
{
    struct str text = b64url_decode(a, part);

    if (!text.p || js_parse(a, text, ret, NULL) < 0 || !yyjson_is_obj(*ret))
        return no_token(err);
    return 0;
}

int jws_parse(struct arena *a, struct str token, struct jws *ret, struct err *err)
{
    ptrdiff_t first = str_find(token, '.'), last = str_rfind(token, '.');
    struct jws j;
    int r;

    if (token.n > JWS_BYTES_MAX)
        return err_set(err, ERR_VALUE, "a signed token is longer than %zu bytes", JWS_BYTES_MAX);
    if (first < 0 || last == first ||
        str_find(str_n(token.p + first + 1, (size_t)(last - first - 1)), '.') >= 0)
        return no_token(err);
    j.signed_part = str_head(token, (size_t)last);
    j.signature = b64url_decode(a, str_from(token, (size_t)last + 1));
    if (!j.signature.p || !j.signature.n)
        return no_token(err);
    if ((r = parse_part(a, str_head(token, (size_t)first), &j.header, err)) < 0 ||
        (r = parse_part(a, str_from(j.signed_part, (size_t)first + 1), &j.claims, err)) < 0)
        return r;
    if (js_get(j.header, "crit") || js_get(j.header, "b64"))
        return err_set(err, ERR_VALUE, "a token asks for extensions that are not known here");
    j.alg = js_get_str(j.header, "alg");
    j.kid = js_get_str(j.header, "kid");
    j.typ = js_get_str(j.header, "typ");
    *ret = j;
    return 0;
}

static bool is_ecdsa(enum jose_alg alg)
{
    return alg == JOSE_ES256 || alg == JOSE_ES384;
}

static const EVP_MD *digest_of(enum jose_alg alg)
{
    return alg & (JOSE_RS384 | JOSE_PS384 | JOSE_ES384) ? EVP_sha384() : EVP_sha256();
}

static bool set_padding(EVP_PKEY_CTX *ctx, enum jose_alg alg)
{
    return !(alg & (JOSE_PS256 | JOSE_PS384)) ||
           (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
}

/* JOSE writes two numbers of fixed length (RFC 7518, 3.4) where OpenSSL takes DER. */
static int to_der(struct str raw, size_t half, unsigned char *ret)
{
    ECDSA_SIG *sig = raw.n == 2 * half ? ECDSA_SIG_new() : NULL;
    const unsigned char *p = (const unsigned char *)raw.p;
    BIGNUM *r = BN_bin2bn(p, (int)half, NULL), *s = NULL;
    unsigned char *at = ret;
    int n = -1;

    if (sig)
        s = BN_bin2bn(p + half, (int)half, NULL);
    if (sig && r && s && ECDSA_SIG_set0(sig, r, s)) {
        r = s = NULL;
        n = i2d_ECDSA_SIG(sig, NULL) <= DER_MAX ? i2d_ECDSA_SIG(sig, &at) : -1;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return n;
}

static int from_der(const unsigned char *der, size_t n, size_t half, unsigned char *ret)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    int ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, (int)half) > 0 &&
             BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + half, (int)half) > 0;

    ECDSA_SIG_free(sig);
    return ok ? (int)(2 * half) : -1;
}

static size_t half_of(enum jose_alg alg)
{
    return alg == JOSE_ES256 ? 32 : 48;
}

int jws_verify(const struct jws *jws, const struct jwk *key, unsigned algs, struct err *err)
{
    enum jose_alg alg = jose_alg(jws->alg);
    struct str sig = jws->signature;
    unsigned char der[DER_MAX];
    EVP_PKEY_CTX *pkey = NULL;
    EVP_MD_CTX *ctx;
    bool ok = false;

    if (!alg || !(alg & algs & key->algs))
        return err_set(err, ERR_LOGIN, "a token's algorithm is not accepted");
    if (is_ecdsa(alg)) {
        int n = sig.n == 2 * half_of(alg) ? to_der(sig, half_of(alg), der) : -1;

        if (n < 0)
            return err_set(err, ERR_LOGIN, "a token's signature is not its key's");
        sig = str_n((const char *)der, (size_t)n);
    }
    ctx = EVP_MD_CTX_new();
    if (ctx && EVP_DigestVerifyInit(ctx, &pkey, digest_of(alg), NULL, key->key) > 0 &&
        set_padding(pkey, alg))
        ok = EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.n,
                              (const unsigned char *)jws->signed_part.p, jws->signed_part.n) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? 0 : err_set(err, ERR_LOGIN, "a token's signature is not its key's");
}

int jws_verify_set(struct arena *a, const struct jws *jws, struct str jwks, unsigned algs,
                   struct err *err)
{
    yyjson_val *root, *v;
    size_t i, max, tried = 0;

    if (js_parse(a, jwks, &root, err) < 0)
        return err_set(err, ERR_LOGIN, "the key set cannot be read");
    yyjson_arr_foreach(js_get(root, "keys"), i, max, v) {
        struct jwk key = {0};
        int r = -1;

        if (jws->kid.p && !str_eq(js_get_str(v, "kid"), jws->kid))
            continue;
        if (tried++ == JWKS_KEYS_MAX)
            break;
        if (jwk_parse(a, v, &key, NULL) >= 0)
            r = jws_verify(jws, &key, algs, err);
        jwk_done(&key);
        if (r >= 0)
            return 0;
    }
    return err_set(err, ERR_LOGIN,
                   tried ? "a token's signature is not its key's" : "no key has the token's kid");
}

/* ---- signing ---- */

static int sign_bytes(EVP_PKEY *key, enum jose_alg alg, struct str text,
                      unsigned char ret[SIGNATURE_MAX])
{
    unsigned char made[SIGNATURE_MAX];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL;
    size_t n = sizeof made;
    int ret_n = -1;

    if (ctx && EVP_DigestSignInit(ctx, &pkey, digest_of(alg), NULL, key) > 0 &&
        set_padding(pkey, alg) &&
        EVP_DigestSign(ctx, made, &n, (const unsigned char *)text.p, text.n) > 0) {
        if (is_ecdsa(alg)) {
            ret_n = from_der(made, n, half_of(alg), ret);
        } else {
            memcpy(ret, made, n);
            ret_n = (int)n;
        }
    }
    EVP_MD_CTX_free(ctx);
    return ret_n;
}

int jws_sign(struct sb *out, EVP_PKEY *key, enum jose_alg alg, struct str kid, struct str typ,
             struct str claims, struct err *err)
{
    _cleanup_(sb_done) struct sb header = sb_make(KIB(1));
    unsigned char signature[SIGNATURE_MAX];
    size_t from = out->n;
    int n;

    sb_fmt(&header, "{\"alg\":\"%s\"", jose_alg_name(alg));
    if (kid.n) {
        sb_lit(&header, ",\"kid\":");
        sb_json(&header, kid);
    }
    if (typ.n) {
        sb_lit(&header, ",\"typ\":");
        sb_json(&header, typ);
    }
    sb_char(&header, '}');
    out->failed |= header.failed;
    b64url_encode(out, sb_view(&header));
    sb_char(out, '.');
    b64url_encode(out, claims);
    if (out->failed)
        return err_no_memory(err);
    n = sign_bytes(key, alg, str_n(out->p + from, out->n - from), signature);
    if (n < 0)
        return err_set(err, ERR_INTERNAL, "a token cannot be signed");
    sb_char(out, '.');
    b64url_encode(out, str_n((const char *)signature, (size_t)n));
    return sb_ok(out, err);
}
