#include "trust/jose.h"

#include "base/b64.h"
#include "trust/secret.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#define COORDINATE_MAX 66
#define MODULUS_MAX (JWK_RSA_BITS_MAX / 8)

static const struct {
    struct str name;
    enum jose_alg alg;
} algs[] = {
#define X(name, bit) {{#name, sizeof #name - 1}, JOSE_##name},
    JOSE_ALGS(X)
#undef X
};

static const struct curve {
    struct str crv;
    const char *group;
    size_t bytes;
    enum jose_alg alg;
} curves[] = {
    {{"P-256", 5}, "P-256", 32, JOSE_ES256},
    {{"P-384", 5}, "P-384", 48, JOSE_ES384},
};

enum jose_alg jose_alg(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(algs); i++)
        if (str_eq(name, algs[i].name))
            return algs[i].alg;
    return 0;
}

const char *jose_alg_name(enum jose_alg alg)
{
    for (size_t i = 0; i < ARRAY_LEN(algs); i++)
        if (algs[i].alg == alg)
            return algs[i].name.p;
    return "none";
}

void jwk_done(struct jwk *k)
{
    EVP_PKEY_free(k->key);
    k->key = NULL;
}

/* ---- reading ---- */

static int from_params(const char *type, OSSL_PARAM_BLD *build, EVP_PKEY **ret)
{
    OSSL_PARAM *params = build ? OSSL_PARAM_BLD_to_param(build) : NULL;
    EVP_PKEY_CTX *ctx = params ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
    EVP_PKEY *key = NULL;

    if (ctx && EVP_PKEY_fromdata_init(ctx) > 0 &&
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    *ret = key;
    return key ? 0 : -1;
}

/* OpenSSL refuses a point that is not on the curve. */
static int parse_ec(struct arena *a, yyjson_val *jwk, struct jwk *ret, struct err *err)
{
    struct str crv = js_get_str(jwk, "crv"), x, y;
    unsigned char point[1 + 2 * COORDINATE_MAX];
    const struct curve *c = NULL;
    OSSL_PARAM_BLD *build;
    int r = -1;

    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        if (str_eq(crv, curves[i].crv))
            c = &curves[i];
    if (!c)
        return err_set(err, ERR_VALUE, "a key's curve is not P-256 or P-384");
    x = b64url_decode(a, js_get_str(jwk, "x"));
    y = b64url_decode(a, js_get_str(jwk, "y"));
    if (!x.p || !y.p || x.n != c->bytes || y.n != c->bytes)
        return err_set(err, ERR_VALUE, "a key's x and y are not %zu bytes in base64url", c->bytes);
    point[0] = 4;
    memcpy(point + 1, x.p, x.n);
    memcpy(point + 1 + x.n, y.p, y.n);
    build = OSSL_PARAM_BLD_new();
    if (build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, c->group, 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * c->bytes))
        r = from_params("EC", build, &ret->key);
    OSSL_PARAM_BLD_free(build);
    ret->algs = c->alg;
    return r < 0 ? err_set(err, ERR_VALUE, "a key's point is not on its curve") : 0;
}

static int parse_rsa(struct arena *a, yyjson_val *jwk, struct jwk *ret, struct err *err)
{
    struct str n = b64url_decode(a, js_get_str(jwk, "n"));
    struct str e = b64url_decode(a, js_get_str(jwk, "e"));
    BIGNUM *bn = NULL, *be = NULL;
    OSSL_PARAM_BLD *build;
    int r = -1;

    if (!n.p || !e.p || !e.n || n.n > MODULUS_MAX || e.n > 8)
        return err_set(err, ERR_VALUE, "a key's n and e are not in base64url");
    bn = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
    be = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
    build = OSSL_PARAM_BLD_new();
    if (build && bn && be && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be))
        r = from_params("RSA", build, &ret->key);
    if (r >= 0 && (BN_num_bits(bn) < JWK_RSA_BITS_MIN || !BN_is_odd(be) || BN_is_one(be)))
        r = -1;
    OSSL_PARAM_BLD_free(build);
    BN_free(bn);
    BN_free(be);
    ret->algs = JOSE_RS256 | JOSE_RS384 | JOSE_PS256 | JOSE_PS384;
    if (r < 0)
        jwk_done(ret);
    return r < 0 ? err_set(err, ERR_VALUE, "an RSA key has fewer than %d bits or is damaged",
                           JWK_RSA_BITS_MIN)
                 : 0;
}

/* "alg", "use" and "key_ops" narrow what a key is for. */
static int narrow(yyjson_val *jwk, struct jwk *k, struct err *err)
{
    struct str alg = js_get_str(jwk, "alg"), use = js_get_str(jwk, "use");
    yyjson_val *ops = js_get(jwk, "key_ops"), *op;
    bool verifies = !ops;
    size_t i, max;

    yyjson_arr_foreach(ops, i, max, op)
        verifies |= str_eq(js_str(op), STR("verify"));
    if (alg.p)
        k->algs &= jose_alg(alg);
    if (!k->algs || !verifies || (use.p && !str_eq(use, STR("sig")))) {
        jwk_done(k);
        return err_set(err, ERR_VALUE, "a key is not for signatures that are accepted here");
    }
    return 0;
}

int jwk_parse(struct arena *a, yyjson_val *jwk, struct jwk *ret, struct err *err)
{
    struct str kty = js_get_str(jwk, "kty");
    struct jwk k = {.kid = js_get_str(jwk, "kid")};
    int r;

    if (js_get(jwk, "d") || js_get(jwk, "p") || js_get(jwk, "k"))
        return err_set(err, ERR_VALUE, "a key holds private parts; send the public ones only");
    if (str_eq(kty, STR("EC")))
        r = parse_ec(a, jwk, &k, err);
    else if (str_eq(kty, STR("RSA")))
        r = parse_rsa(a, jwk, &k, err);
    else
        r = err_set(err, ERR_VALUE, "a key's kty is not EC or RSA");
    if (r >= 0)
        r = narrow(jwk, &k, err);
    if (r >= 0)
        *ret = k;
    return r;
}

int jwks_check(struct arena *a, struct str text, unsigned wanted, struct err *err)
{
    yyjson_val *root, *keys, *v;
    size_t i, max;
    int r;

    if (text.n > JWKS_BYTES_MAX)
        return err_set(err, ERR_TOO_LONG, "a JWK set is longer than %zu bytes", JWKS_BYTES_MAX);
    if ((r = js_parse(a, text, &root, err)) < 0)
        return r;
    keys = js_get(root, "keys");
    if (!yyjson_is_arr(keys) || !yyjson_arr_size(keys) || yyjson_arr_size(keys) > JWKS_KEYS_MAX)
        return err_set(err, ERR_VALUE, "a JWK set has 1 to %d keys", JWKS_KEYS_MAX);
    yyjson_arr_foreach(keys, i, max, v) {
        struct jwk k = {0};

        if ((r = jwk_parse(a, v, &k, err)) < 0)
            return r;
        r = k.algs & wanted && k.kid.n ? 0 : -1;
        jwk_done(&k);
        if (r < 0)
            return err_set(err, ERR_VALUE, "a key has no kid, or cannot sign RS384 or ES384");
    }
    return 0;
}

/* ---- writing ---- */

static bool write_bn(struct sb *out, const char *name, EVP_PKEY *key, const char *param, size_t n)
{
    unsigned char bytes[MODULUS_MAX];
    BIGNUM *bn = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, param, &bn) > 0;

    n = n ? n : ok ? (size_t)BN_num_bytes(bn) : 0;
    ok = ok && n <= sizeof bytes && BN_bn2binpad(bn, bytes, (int)n) == (int)n;
    BN_free(bn);
    if (!ok)
        return false;
    sb_fmt(out, "\"%s\":\"", name);
    b64url_encode(out, str_n((const char *)bytes, n));
    sb_char(out, '"');
    return true;
}

static const struct curve *curve_of(EVP_PKEY *key)
{
    char group[32];
    size_t n;

    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &n) <=
        0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        if (str_eq(str_c(group), curves[i].crv) ||
            (curves[i].bytes == 32 && str_eq(str_c(group), STR("prime256v1"))) ||
            (curves[i].bytes == 48 && str_eq(str_c(group), STR("secp384r1"))))
            return &curves[i];
    return NULL;
}

/* The members that a thumbprint is made of, in their order (RFC 7638, 3.2). */
static int write_required(struct sb *out, EVP_PKEY *key, struct err *err)
{
    bool ok = false;

    if (EVP_PKEY_is_a(key, "RSA")) {
        sb_char(out, '{');
        ok = write_bn(out, "e", key, OSSL_PKEY_PARAM_RSA_E, 0);
        sb_lit(out, ",\"kty\":\"RSA\",");
        ok = ok && write_bn(out, "n", key, OSSL_PKEY_PARAM_RSA_N, 0);
    } else if (EVP_PKEY_is_a(key, "EC")) {
        const struct curve *c = curve_of(key);

        sb_fmt(out, "{\"crv\":\"%s\",\"kty\":\"EC\",", c ? c->crv.p : "");
        ok = c && write_bn(out, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, c->bytes);
        sb_char(out, ',');
        ok = ok && write_bn(out, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, c->bytes);
    }
    return ok ? sb_ok(out, err) : err_set(err, ERR_INTERNAL, "a key cannot be written");
}

int jwk_write(struct sb *out, EVP_PKEY *key, struct str kid, enum jose_alg alg, struct err *err)
{
    int r = write_required(out, key, err);

    if (r >= 0 && kid.n) {
        sb_lit(out, ",\"kid\":");
        sb_json(out, kid);
        sb_fmt(out, ",\"use\":\"sig\",\"alg\":\"%s\"", jose_alg_name(alg));
    }
    sb_char(out, '}');
    return r < 0 ? r : sb_ok(out, err);
}

int jwk_thumbprint(EVP_PKEY *key, char ret[SECRET_TEXT_MAX], struct err *err)
{
    _cleanup_(sb_done) struct sb out = sb_make(KIB(4));
    int r = write_required(&out, key, err);

    sb_char(&out, '}');
    if (r < 0 || (r = sb_ok(&out, err)) < 0)
        return r;
    sha256_b64url(sb_view(&out), ret);
    return 0;
}
