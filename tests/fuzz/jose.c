/* jose.c - signed tokens, keys, key sets and DPoP proofs of strangers: taken apart or refused, and
 * never held for signed. The first byte says which.
 */
#include "fuzz.h"
#include "trust/dpop.h"

#define ARENA_MAX MIB(8)

static struct dpop_seen seen;

static void one_token(struct arena *a, struct str text)
{
    /* RFC 7515, A.3: nobody makes its signatures here. */
    static const char set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                              "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                              "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
    struct err err = {0};
    struct jws jws;

    if (jws_parse(a, text, &jws, &err) < 0) {
        FUZZ_HOLDS(err.code == ERR_VALUE && err.text[0]);
        return;
    }
    FUZZ_HOLDS(yyjson_is_obj(jws.header) && yyjson_is_obj(jws.claims) && jws.signature.n);
    FUZZ_HOLDS(jws_verify_set(a, &jws, str_n(set, sizeof set - 1), JOSE_SMART, &err) < 0);
}

static void one_key(struct arena *a, struct str text)
{
    struct jwk key = {0};
    struct err err = {0};
    yyjson_val *v;
    char jkt[SECRET_TEXT_MAX];

    jwks_check(a, text, JOSE_SMART, &err);
    if (js_parse(a, text, &v, &err) < 0 || jwk_parse(a, v, &key, &err) < 0)
        return;
    FUZZ_HOLDS(key.key && key.algs);
    FUZZ_HOLDS(jwk_thumbprint(key.key, jkt, &err) == 0);
    jwk_done(&key);
}

static void one_proof(struct str text)
{
    char jkt[SECRET_TEXT_MAX];
    struct err err = {0};

    if (!seen.v)
        FUZZ_HOLDS(dpop_seen_init(&seen, &err) == 0);
    dpop_check(&seen, text, STR("POST"), STR("https://node.example/auth/token"), STR_NULL,
               1600000000000, jkt, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = str_n((const char *)data + 1, n ? n - 1 : 0);
    struct arena a;

    if (!n)
        return 0;
    arena_init(&a, ARENA_MAX);
    if (data[0] == 'k')
        one_key(&a, text);
    else if (data[0] == 'd')
        one_proof(text);
    else
        one_token(&a, text);
    arena_done(&a);
    return 0;
}
