#include "trust/client.h"

#include "trust/remote.h"
#include "trust/smart.h"

#include <ctype.h>

static const struct field client_fields[] = {
    {"id", FIELD_STR, offsetof(struct client, id)},
    {"name", FIELD_STR, offsetof(struct client, name)},
    {"secret", FIELD_STR, offsetof(struct client, secret)},
    {"jwks", FIELD_STR, offsetof(struct client, jwks)},
    {"jwksUri", FIELD_STR, offsetof(struct client, jwks_uri)},
    {"jwksPrivate", FIELD_BOOL, offsetof(struct client, jwks_private)},
    {"tlsSubject", FIELD_STR, offsetof(struct client, tls_subject)},
    {"tlsThumbprint", FIELD_STR, offsetof(struct client, tls_thumbprint)},
    {"scope", FIELD_STR, offsetof(struct client, scope)},
    {"redirects", FIELD_LIST, offsetof(struct client, redirects)},
    {"launch", FIELD_STR, offsetof(struct client, launch_uri)},
    {"contact", FIELD_STR, offsetof(struct client, contact)},
    {"created", FIELD_I64, offsetof(struct client, created_ms)},
    {"backend", FIELD_BOOL, offsetof(struct client, backend)},
    {"approved", FIELD_BOOL, offsetof(struct client, approved)},
    {"disabled", FIELD_BOOL, offsetof(struct client, disabled)},
    {"dpop", FIELD_BOOL, offsetof(struct client, dpop)},
    {"pushed", FIELD_BOOL, offsetof(struct client, pushed)},
    {"own", FIELD_BOOL, offsetof(struct client, own)},
};
const struct shape client_shape = SHAPE(client);

int client_get(struct store_txn *txn, struct str id, struct arena *a, struct client *ret,
               struct err *err)
{
    if (!id.n || id.n > CLIENT_ID_MAX)
        return err_set(err, ERR_NOT_FOUND, "there is no such client");
    return record_get(txn, RECORD_CLIENT, id, a, &client_shape, ret, err);
}

static int check_id(struct str id, struct err *err)
{
    bool ok = id.n && id.n <= CLIENT_ID_MAX;

    for (size_t i = 0; ok && i < id.n; i++)
        ok = isalnum((unsigned char)id.p[i]) || strchr("-._", id.p[i]);
    return ok ? 0
              : err_set(err, ERR_VALUE, "a client_id is 1 to %d of A-Z a-z 0-9 - . _",
                        CLIENT_ID_MAX);
}

int client_check(struct arena *a, const struct client *c, struct err *err)
{
    struct smart_scopes scopes;
    int r = check_id(c->id, err);

    if (r >= 0 && (!c->name.n || c->name.n > CLIENT_NAME_MAX))
        r = err_set(err, ERR_VALUE, "a client has a name of at most %d bytes", CLIENT_NAME_MAX);
    if (r >= 0 && c->redirects.n > CLIENT_REDIRECTS_MAX)
        r = err_set(err, ERR_VALUE, "a client has at most %d redirect URIs", CLIENT_REDIRECTS_MAX);
    for (size_t i = 0; r >= 0 && i < c->redirects.n; i++)
        r = client_check_redirect(c->redirects.v[i], err);
    if (r >= 0 && c->jwks.n)
        r = jwks_check(a, c->jwks, JOSE_SMART, err);
    if (r >= 0 && c->jwks_uri.n)
        r = c->jwks.n ? err_set(err, ERR_VALUE, "a client has jwks or jwks_uri, not both")
                      : remote_check_url(c->jwks_uri, c->jwks_private, err);
    if (r >= 0)
        r = smart_parse(a, c->scope, &scopes, err);
    if (r >= 0 && client_has_certificate(c) &&
        (client_has_keys(c) || (c->tls_subject.n && c->tls_thumbprint.n)))
        r = err_set(err, ERR_VALUE, "a client proves itself in one way: keys or a certificate");
    if (r >= 0 && c->backend && !client_has_keys(c) && !client_has_certificate(c))
        r = err_set(
            err, ERR_VALUE,
            "a backend service proves itself by a key: it needs a JWK set or a certificate");
    if (r >= 0 && !c->backend && !c->redirects.n)
        r = err_set(err, ERR_VALUE, "an app that people sign in through has a redirect URI");
    if (r >= 0 && smart_has(&scopes, SMART_SYSTEM) && !c->backend)
        r = err_set(err, ERR_VALUE, "only a backend service gets system scopes");
    return r;
}

int client_put(struct store_txn *txn, const struct client *client, struct err *err)
{
    return record_put(txn, RECORD_CLIENT, client->id, &client_shape, client, err);
}

/* ---- redirect URIs ---- */

/* "http://127.0.0.1", "http://[::1]" and what stands behind the port; false for anything else. */
static bool split_loopback(struct str uri, struct str *ret_host, struct str *ret_rest)
{
    static const struct str hosts[] = {{"http://127.0.0.1", 16}, {"http://[::1]", 12}};

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct str rest = str_from(uri, hosts[i].n);
        size_t n = 0;

        if (!str_starts(uri, hosts[i]))
            continue;
        if (rest.n && rest.p[0] == ':')
            for (n = 1; n < rest.n && isdigit((unsigned char)rest.p[n]);)
                n++;
        rest = str_from(rest, n);
        if (rest.n && rest.p[0] != '/' && rest.p[0] != '?')
            return false;
        *ret_host = hosts[i];
        *ret_rest = rest;
        return true;
    }
    return false;
}

bool client_redirects_to(const struct client *client, struct str uri)
{
    struct str host, rest, own_host, own_rest;
    bool is_loopback = split_loopback(uri, &host, &rest);

    for (size_t i = 0; i < client->redirects.n; i++) {
        struct str own = client->redirects.v[i];

        if (str_eq(own, uri))
            return true;
        if (is_loopback && split_loopback(own, &own_host, &own_rest) && str_eq(host, own_host) &&
            str_eq(rest, own_rest))
            return true;
    }
    return false;
}

int client_check_redirect(struct str uri, struct err *err)
{
    ptrdiff_t colon = str_find(uri, ':');
    struct str scheme = str_head(uri, colon < 0 ? 0 : (size_t)colon), host, rest;
    bool ok = uri.n <= CLIENT_URI_MAX && scheme.n, is_own = str_find(scheme, '.') > 0;

    for (size_t i = 0; i < uri.n; i++)
        ok = ok && uri.p[i] > ' ' && uri.p[i] < 0x7f && !strchr("\"<>\\^`{}|#", uri.p[i]);
    for (size_t i = 0; i < scheme.n; i++)
        ok = ok && (isalnum((unsigned char)scheme.p[i]) || strchr("+-.", scheme.p[i]));
    if (ok &&
        (is_own || split_loopback(uri, &host, &rest) || str_starts(uri, STR("http://localhost:")) ||
         (str_starts(uri, STR("https://")) && uri.n > 8 && uri.p[8] != '/' &&
          str_find(uri, '@') < 0)))
        return 0;
    return err_set(err, ERR_VALUE,
                   "a redirect URI is https://, http:// to a loopback address with nothing but "
                   "port and path, or an app's own scheme (org.example.app:/), without #");
}
