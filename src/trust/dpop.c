#include "trust/dpop.h"

#include <stdlib.h>

#define PROBES 16
#define JTI_MAX 256
#define DPOP_ARENA_MAX KIB(256)

int dpop_seen_init(struct dpop_seen *s, struct err *err)
{
    s->v = calloc(DPOP_SEEN_MAX, sizeof *s->v);
    if (!s->v)
        return err_no_memory(err);
    pthread_mutex_init(&s->lock, NULL);
    return 0;
}

void dpop_seen_done(struct dpop_seen *s)
{
    if (!s->v)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s->v);
    s->v = NULL;
}

/* 1: new, and remembered; 0: seen; negative: there is no room to remember it. */
static int remember(struct dpop_seen *s, const unsigned char hash[SHA256_BYTES], int64_t now_ms)
{
    struct dpop_one *room = NULL;
    uint32_t at;
    int r = 1;

    memcpy(&at, hash, sizeof at);
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; r > 0 && i < PROBES; i++) {
        struct dpop_one *one = &s->v[(at + i) % DPOP_SEEN_MAX];

        if (one->until_ms <= now_ms)
            room = room ? room : one;
        else if (memcmp(one->hash, hash, sizeof one->hash) == 0)
            r = 0;
    }
    if (r > 0 && room) {
        memcpy(room->hash, hash, sizeof room->hash);
        room->until_ms = now_ms + 2 * DPOP_AGE_MS;
    }
    pthread_mutex_unlock(&s->lock);
    return r > 0 && !room ? -1 : r;
}

static int wrong(struct err *err, const char *text)
{
    return err_set(err, ERR_VALUE, "%s", text);
}

/* The URL without query and fragment, and with "/" for an empty path. */
static struct str plain_url(struct str url)
{
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] == '?' || url.p[i] == '#')
            return str_head(url, i);
    return url;
}

static int check_claims(const struct jws *j, struct str method, struct str url, struct str token,
                        int64_t now_ms, struct err *err)
{
    struct str iat = js_str(js_get(j->claims, "iat"));
    char ath[SECRET_TEXT_MAX];
    ptrdiff_t dot = str_find(iat, '.');
    uint64_t seconds;

    if (dot >= 0)
        iat = str_head(iat, (size_t)dot);
    if (!str_eq(js_get_str(j->claims, "htm"), method))
        return wrong(err, "the DPoP proof is for another method");
    if (!str_eq(plain_url(js_get_str(j->claims, "htu")), url))
        return wrong(err, "the DPoP proof is for another URL");
    if (!js_is_number(js_get(j->claims, "iat")) || !str_to_u64(iat, UINT32_MAX, &seconds) ||
        llabs((long long)seconds * 1000 - now_ms) > DPOP_AGE_MS)
        return wrong(err, "the DPoP proof is too old, or the clocks differ");
    if (!token.p)
        return 0;
    sha256_b64url(token, ath);
    return secret_eq(js_get_str(j->claims, "ath"), str_c(ath))
               ? 0
               : wrong(err, "the DPoP proof is for another access token");
}

int dpop_check(struct dpop_seen *seen, struct str proof, struct str method, struct str url,
               struct str token, int64_t now_ms, char ret_jkt[SECRET_TEXT_MAX], struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    unsigned char hash[SHA256_BYTES];
    char jkt[SECRET_TEXT_MAX];
    struct jwk key = {0};
    struct str jti, both;
    struct jws j;
    int r;

    arena_init(&a, DPOP_ARENA_MAX);
    if (jws_parse(&a, proof, &j, err) < 0)
        return wrong(err, "the DPoP proof is no signed token");
    if (!str_eq(j.typ, STR("dpop+jwt")))
        return wrong(err, "the DPoP proof's typ is not dpop+jwt");
    jti = js_get_str(j.claims, "jti");
    if (!jti.n || jti.n > JTI_MAX)
        return wrong(err, "the DPoP proof has no jti");
    if (jwk_parse(&a, js_get(j.header, "jwk"), &key, err) < 0)
        return wrong(err, "the DPoP proof's key is not usable");
    r = jws_verify(&j, &key, JOSE_DPOP, err);
    if (r >= 0)
        r = jwk_thumbprint(key.key, jkt, err);
    jwk_done(&key);
    if (r < 0)
        return r == ERR_LOGIN ? wrong(err, "the DPoP proof's signature is not its key's") : r;
    if ((r = check_claims(&j, method, url, token, now_ms, err)) < 0)
        return r;
    both = arena_join(&a, (const struct str[]){str_c(jkt), STR("."), jti}, 3);
    if (!both.p)
        return err_no_memory(err);
    sha256(both, hash);
    r = remember(seen, hash, now_ms);
    if (r <= 0)
        return r == 0 ? wrong(err, "the DPoP proof was used before")
                      : err_set(err, ERR_BUSY, "too many DPoP proofs; try again in a minute");
    memcpy(ret_jkt, jkt, sizeof jkt);
    return 0;
}
