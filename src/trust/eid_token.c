/* eid_token.c - what a provider says of a person, and whether it may be believed (OpenID Connect
 * Core, 3.1.3.7).
 */
#include "trust/eid.h"

#define IDENTIFIER_MAX 256

static int refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_LOGIN, "%s", why);
}

/* Seconds since 1970, a fraction cut off. */
static bool read_time(yyjson_val *v, int64_t *ret_ms)
{
    struct str s = js_str(v);
    ptrdiff_t dot = str_find(s, '.');
    uint64_t seconds;

    if (!js_is_number(v) ||
        !str_to_u64(dot < 0 ? s : str_head(s, (size_t)dot), UINT32_MAX, &seconds))
        return false;
    *ret_ms = (int64_t)seconds * 1000;
    return true;
}

/* The audience is this client; of several, the token says that it was made for this one. */
static bool is_for(yyjson_val *claims, struct str client)
{
    yyjson_val *aud = js_get(claims, "aud"), *azp = js_get(claims, "azp"), *one;
    bool has = yyjson_is_str(aud) && str_eq(js_str(aud), client);
    size_t i, max;

    yyjson_arr_foreach(aud, i, max, one)
        has |= yyjson_is_str(one) && str_eq(js_str(one), client);
    if (azp)
        return has && yyjson_is_str(azp) && str_eq(js_str(azp), client);
    return has && yyjson_arr_size(aud) <= 1;
}

static int check_times(const struct eid_expected *want, yyjson_val *claims, struct err *err)
{
    yyjson_val *nbf = js_get(claims, "nbf");
    int64_t exp, iat, from, since;

    if (!read_time(js_get(claims, "exp"), &exp) || exp <= want->now_ms - EID_CLOCK_MS)
        return refuse(err, "the ID token has expired, or has no exp");
    if (!read_time(js_get(claims, "iat"), &iat) || iat > want->now_ms + EID_CLOCK_MS ||
        iat < want->now_ms - EID_TOKEN_AGE_MS)
        return refuse(err, "the ID token was not made just now (iat)");
    if (nbf && (!read_time(nbf, &from) || from > want->now_ms + EID_CLOCK_MS))
        return refuse(err, "the ID token is not valid yet");
    if (want->max_age_ms >= 0 && (!read_time(js_get(claims, "auth_time"), &since) ||
                                  since + want->max_age_ms < want->now_ms - EID_CLOCK_MS))
        return refuse(err, "the person proved themselves too long ago (auth_time)");
    return 0;
}

static int check_claims(const struct eid_expected *want, yyjson_val *claims, struct err *err)
{
    struct str sub = js_get_str(claims, "sub"), nonce = js_get_str(claims, "nonce");

    if (!str_eq(js_get_str(claims, "iss"), want->provider->issuer))
        return refuse(err, "the ID token is another issuer's (iss)");
    if (!is_for(claims, want->provider->client))
        return refuse(err, "the ID token was made for another client (aud, azp)");
    if (!want->nonce.n || !str_eq(nonce, want->nonce))
        return refuse(err, "the ID token belongs to another sign-in (nonce)");
    if (!sub.n || sub.n > EID_SUB_MAX)
        return refuse(err, "the ID token does not say who it is about (sub)");
    return check_times(want, claims, err);
}

/* What the person proved there, as levels of ours. */
static int read_assurance(const struct eid_provider *p, yyjson_val *claims, enum assurance *ret,
                          struct err *err)
{
    struct str acr = js_get_str(claims, "acr");

    *ret = ASSURANCE_PASSWORD;
    for (size_t i = 0; i < p->n_acr; i++)
        if (acr.n && str_eq(acr, p->acr[i].name)) {
            *ret = p->acr[i].assurance;
            return 0;
        }
    return p->n_acr ? err_set(err, ERR_FORBIDDEN, "the ID token's acr is none that is accepted")
                    : 0;
}

/* Numbers stand as they were written. */
static void read_identifier(struct arena *a, const struct eid_provider *p, yyjson_val *claims,
                            struct eid_said *said)
{
    yyjson_val *v = p->claim.n ? yyjson_obj_getn(claims, p->claim.p, p->claim.n) : NULL;
    struct str value = v ? js_str(v) : STR_NULL;

    if (said->identifier.n || !value.n || value.n > IDENTIFIER_MAX ||
        (p->verified_by.n &&
         !yyjson_is_true(yyjson_obj_getn(claims, p->verified_by.p, p->verified_by.n))))
        return;
    said->identifier = arena_dup(a, value);
}

int eid_token_check(struct arena *a, const struct eid_expected *want, struct str token,
                    struct str jwks, struct eid_said *ret, struct err *err)
{
    struct jws j;
    int r;

    *ret = (struct eid_said){.identifier = STR("")};
    if (jws_parse(a, token, &j, NULL) < 0)
        return refuse(err, "the ID token is no signed token");
    if (!(jose_alg(j.alg) & want->provider->algs))
        return refuse(err, "the ID token's algorithm is not accepted (alg)");
    if (jws_verify_set(a, &j, jwks, want->provider->algs, NULL) < 0)
        return err_set(err, ERR_NOT_FOUND, "the ID token's signature is none of the provider's");
    r = check_claims(want, j.claims, err);
    if (r >= 0)
        r = read_assurance(want->provider, j.claims, &ret->assurance, err);
    if (r < 0)
        return r;
    ret->sub = js_get_str(j.claims, "sub");
    read_identifier(a, want->provider, j.claims, ret);
    return 0;
}

int eid_claims_add(struct arena *a, const struct eid_provider *provider, yyjson_val *claims,
                   struct eid_said *said, struct err *err)
{
    if (!str_eq(js_get_str(claims, "sub"), said->sub))
        return refuse(err, "what the provider says is about another person (sub)");
    read_identifier(a, provider, claims, said);
    return 0;
}
