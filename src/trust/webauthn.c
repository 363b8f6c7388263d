#include "trust/webauthn.h"

#include "base/js.h"
#include "trust/secret.h"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#define FLAG_PRESENT 0x01
#define FLAG_VERIFIED 0x04

static const int algs[] = {COSE_ES256, COSE_EDDSA, COSE_RS256};

static int refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_LOGIN, "the passkey: %s", why);
}

/* ---- the site ---- */

static bool is_number(struct str host)
{
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
            return false;
    return true;
}

bool webauthn_site_of(struct str root, struct webauthn_site *ret)
{
    bool is_secure = str_starts(root, STR("https://"));
    size_t from = is_secure ? 8 : 7, to;
    struct str host;

    if (!is_secure && !str_starts(root, STR("http://")))
        return false;
    for (to = from; to < root.n && root.p[to] != '/' && root.p[to] != ':'; to++)
        if (root.p[to] == '[')
            return false;
    host = str_n(root.p + from, to - from);
    while (to < root.n && root.p[to] != '/')
        to++;
    if (is_number(host) || (!is_secure && !str_eq(host, STR("localhost"))))
        return false;
    *ret = (struct webauthn_site){.origin = str_head(root, to), .rp = host};
    return true;
}

/* ---- what the browser vouches for ---- */

static int check_client_data(struct arena *a, const struct webauthn_site *site,
                             const struct webauthn_answer *answer, struct str type, struct err *err)
{
    yyjson_val *root;
    struct err why;

    if (answer->client_data.n > WEBAUTHN_CLIENT_DATA_MAX ||
        js_parse(a, answer->client_data, &root, &why) < 0)
        return refuse(err, "its clientDataJSON cannot be read");
    if (!str_eq(js_get_str(root, "type"), type))
        return refuse(err, "it was asked for something else (type)");
    if (!answer->challenge.n || !secret_eq(js_get_str(root, "challenge"), answer->challenge))
        return refuse(err, "it answers another question (challenge)");
    if (!str_eq(js_get_str(root, "origin"), site->origin))
        return refuse(err, "it was used on another page (origin)");
    return yyjson_is_true(js_get(root, "crossOrigin"))
               ? refuse(err, "it was used in a page of others (crossOrigin)")
               : 0;
}

/* ---- made ---- */

static int check_auth_data(const struct webauthn_site *site, struct str data, uint8_t flags,
                           struct err *err)
{
    unsigned char hash[SHA256_BYTES];

    sha256(site->rp, hash);
    if (data.n < sizeof hash || memcmp(data.p, hash, sizeof hash) != 0)
        return refuse(err, "it is for another site (rpIdHash)");
    if (!(flags & FLAG_PRESENT) || !(flags & FLAG_VERIFIED))
        return refuse(err, "the person was not verified");
    return 0;
}

static bool parse_made(fido_cred_t *cred, struct str data, int alg)
{
    return fido_cred_set_type(cred, alg) == FIDO_OK &&
           fido_cred_set_authdata_raw(cred, (const unsigned char *)data.p, data.n) == FIDO_OK;
}

static int take_key(struct arena *a, const fido_cred_t *cred, int alg, struct webauthn_key *ret,
                    struct err *err)
{
    struct str id = str_n((const char *)fido_cred_id_ptr(cred), fido_cred_id_len(cred));
    struct str key = str_n((const char *)fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred));

    if (!id.p || !id.n || id.n > WEBAUTHN_ID_MAX || !key.p || !key.n)
        return refuse(err, "its id or its key is none");
    *ret = (struct webauthn_key){.id = arena_dup(a, id),
                                 .key = arena_dup(a, key),
                                 .alg = alg,
                                 .count = fido_cred_sigcount(cred)};
    return ret->id.p && ret->key.p ? 0 : err_no_memory(err);
}

int webauthn_made(struct arena *a, const struct webauthn_site *site,
                  const struct webauthn_answer *answer, struct webauthn_key *ret, struct err *err)
{
    int r = check_client_data(a, site, answer, STR("webauthn.create"), err);

    if (r < 0)
        return r;
    if (answer->auth_data.n > WEBAUTHN_DATA_MAX)
        return refuse(err, "what the authenticator says is too long");
    /* The parser wants to know beforehand which kind of key there will be. */
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        fido_cred_t *cred = fido_cred_new();
        bool is_it = cred && parse_made(cred, answer->auth_data, algs[i]);

        if (!cred)
            return err_no_memory(err);
        r = !is_it ? 1 : check_auth_data(site, answer->auth_data, fido_cred_flags(cred), err);
        if (r == 0)
            r = take_key(a, cred, algs[i], ret, err);
        fido_cred_free(&cred);
        if (r <= 0)
            return r;
    }
    return refuse(err, "its key is of no kind that is taken");
}

/* ---- used ---- */

/* Each kind of key is a struct of its own. */
static int verify(fido_assert_t *assertion, const struct webauthn_key *key)
{
    int r = FIDO_ERR_INVALID_ARGUMENT;

    if (key->alg == COSE_ES256) {
        es256_pk_t *pk = es256_pk_new();

        if (pk && es256_pk_from_ptr(pk, key->key.p, key->key.n) == FIDO_OK)
            r = fido_assert_verify(assertion, 0, COSE_ES256, pk);
        es256_pk_free(&pk);
    } else if (key->alg == COSE_EDDSA) {
        eddsa_pk_t *pk = eddsa_pk_new();

        if (pk && eddsa_pk_from_ptr(pk, key->key.p, key->key.n) == FIDO_OK)
            r = fido_assert_verify(assertion, 0, COSE_EDDSA, pk);
        eddsa_pk_free(&pk);
    } else if (key->alg == COSE_RS256) {
        rs256_pk_t *pk = rs256_pk_new();

        if (pk && rs256_pk_from_ptr(pk, key->key.p, key->key.n) == FIDO_OK)
            r = fido_assert_verify(assertion, 0, COSE_RS256, pk);
        rs256_pk_free(&pk);
    }
    return r;
}

static bool fill(struct arena *a, fido_assert_t *as, const struct webauthn_site *site,
                 const struct webauthn_answer *answer)
{
    const char *rp = arena_fmt(a, "%.*s", STR_ARG(site->rp)).p;

    return rp && fido_assert_set_count(as, 1) == FIDO_OK && fido_assert_set_rp(as, rp) == FIDO_OK &&
           fido_assert_set_up(as, FIDO_OPT_TRUE) == FIDO_OK &&
           fido_assert_set_uv(as, FIDO_OPT_TRUE) == FIDO_OK &&
           fido_assert_set_clientdata(as, (const unsigned char *)answer->client_data.p,
                                      answer->client_data.n) == FIDO_OK &&
           fido_assert_set_authdata_raw(as, 0, (const unsigned char *)answer->auth_data.p,
                                        answer->auth_data.n) == FIDO_OK &&
           fido_assert_set_sig(as, 0, (const unsigned char *)answer->signature.p,
                               answer->signature.n) == FIDO_OK;
}

int webauthn_used(struct arena *a, const struct webauthn_site *site,
                  const struct webauthn_answer *answer, const struct webauthn_key *key,
                  uint32_t *ret_count, struct err *err)
{
    int r = check_client_data(a, site, answer, STR("webauthn.get"), err);
    fido_assert_t *as;

    if (r < 0)
        return r;
    if (answer->auth_data.n > WEBAUTHN_DATA_MAX || answer->signature.n > WEBAUTHN_SIGNATURE_MAX)
        return refuse(err, "what the authenticator says is too long");
    if (!(as = fido_assert_new()))
        return err_no_memory(err);
    /* It looks at the site, that the person is there and verified, and the signature. */
    if (!fill(a, as, site, answer) || verify(as, key) != FIDO_OK)
        r = refuse(err, "its signature does not hold for this site and a verified person");
    else
        *ret_count = fido_assert_sigcount(as, 0);
    fido_assert_free(&as);
    return r;
}
