/* client_auth.c - a client proves itself (RFC 6749 2.3, RFC 7523, SMART Backend Services). */
#include "trust/oauth_int.h"

#include "base/b64.h"
#include "base/clock.h"

#define ASSERTION_MS 300000      /* SMART: exp no more than five minutes ahead */
#define ASSERTION_CLOCK_MS 60000 /* how far its clock may differ from ours */
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* One way that a request proves itself with. */
struct credentials {
    struct str id, secret, assertion;
    bool is_basic;
    unsigned ways;
};

static void refuse(struct oauth *o, const struct credentials *c, const char *text)
{
    if (c->is_basic)
        oauth_header(o, "WWW-Authenticate", STR("Basic realm=\"carnet\""));
    oauth_error(o, 401, "invalid_client", text);
}

/* "Basic base64(id:secret)", both form-encoded (RFC 6749, 2.3.1). */
static bool read_basic(struct oauth *o, struct credentials *c)
{
    struct str given = o->req->authorization, plain;
    struct form form = {.n = 0};
    ptrdiff_t colon;

    if (!given.p || given.n < 6 || !str_eq_nocase(str_head(given, 6), STR("Basic ")))
        return true;
    c->is_basic = true;
    c->ways++;
    plain = b64_decode(o->a, str_trim(str_from(given, 6)));
    colon = plain.p ? str_find(plain, ':') : -1;
    if (colon <= 0)
        return false;
    plain = arena_join(o->a,
                       (const struct str[]){STR("i="), str_head(plain, (size_t)colon), STR("&s="),
                                            str_from(plain, (size_t)colon + 1)},
                       4);
    if (!plain.p || form_parse(o->a, plain, &form, &o->err) < 0 || form.n != 2)
        return false;
    c->id = form_get(&form, "i");
    c->secret = form_get(&form, "s");
    return c->id.p && c->secret.p;
}

static bool read_body(struct oauth *o, struct credentials *c)
{
    struct str id = form_get(&o->form, "client_id"), secret = form_get(&o->form, "client_secret");
    struct str type = form_get(&o->form, "client_assertion_type");

    if (secret.p) {
        c->secret = secret;
        c->ways++;
    }
    c->assertion = form_get(&o->form, "client_assertion");
    if (c->assertion.p || type.p) {
        c->ways++;
        if (!c->assertion.p || !str_eq(type, STR(ASSERTION_TYPE)))
            return false;
    }
    if (id.p && c->id.p && !str_eq(id, c->id))
        return false;
    c->id = id.p ? id : c->id;
    return c->ways <= 1;
}

/* ---- assertions ---- */

static bool names_us(struct oauth *o, yyjson_val *aud)
{
    struct str token = arena_join(o->a, (const struct str[]){o->t->root, STR("/auth/token")}, 2);
    struct str mine[] = {token, o->t->root};
    yyjson_val *one;
    size_t i, max;

    for (size_t k = 0; k < ARRAY_LEN(mine); k++) {
        if (mine[k].p && str_eq(js_str(aud), mine[k]) && yyjson_is_str(aud))
            return true;
        yyjson_arr_foreach(aud, i, max, one)
            if (yyjson_is_str(one) && mine[k].p && str_eq(js_str(one), mine[k]))
                return true;
    }
    return false;
}

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

/* NULL when its claims are right; what does not hold otherwise. */
static const char *check_claims(struct oauth *o, const struct jws *j, const struct client *client,
                                int64_t *ret_until)
{
    yyjson_val *claims = j->claims, *nbf = js_get(claims, "nbf");
    int64_t exp, from;

    if (!str_eq(js_get_str(claims, "iss"), client->id) ||
        !str_eq(js_get_str(claims, "sub"), client->id))
        return "the assertion's iss and sub are not the client_id";
    if (!names_us(o, js_get(claims, "aud")))
        return "the assertion's aud is not the token endpoint";
    if (!read_time(js_get(claims, "exp"), &exp) || exp <= o->now_ms - ASSERTION_CLOCK_MS)
        return "the assertion has expired, or has no exp";
    if (exp > o->now_ms + ASSERTION_MS + ASSERTION_CLOCK_MS)
        return "the assertion's exp is more than five minutes ahead";
    if (nbf && (!read_time(nbf, &from) || from > o->now_ms + ASSERTION_CLOCK_MS))
        return "the assertion is not valid yet";
    if (!js_get_str(claims, "jti").n)
        return "the assertion has no jti";
    *ret_until = exp + ASSERTION_CLOCK_MS;
    return NULL;
}

/* The keys of the client, as it gave them or publishes them. ERR_BUSY, and a reply that asks for
 * another thread, where they have to be fetched and this one must not wait. */
static int keys_of(struct oauth *o, const struct client *client, bool newer, struct str *ret)
{
    struct trust_ask ask = {.may_be_private = client->jwks_private};
    struct str url = arena_dup(o->a, client->jwks_uri);

    if (!client->jwks_uri.n) {
        *ret = client->jwks;
        return 0;
    }
    if (!url.p)
        return err_no_memory(&o->err);
    ask.url = url.p;
    if (!o->req->may_ask && !remote_has(o->t->remote, &ask, newer, o->a)) {
        o->reply->asks = true;
        return ERR_BUSY;
    }
    return remote_get(o->t->remote, &ask, newer, o->a, ret, &o->err);
}

/* With the keys that are known, and where none of them did and there may be others, with newer
 * ones. */
static const char *check_signature(struct oauth *o, const struct jws *j,
                                   const struct client *client)
{
    for (int newer = 0; newer < (client->jwks_uri.n ? 2 : 1); newer++) {
        struct str jwks;

        if (keys_of(o, client, newer, &jwks) < 0)
            return "the client's keys could not be fetched from its jwks_uri";
        if (jws_verify_set(o->a, j, jwks, JOSE_SMART, &o->err) >= 0)
            return NULL;
    }
    return "the assertion's signature is not one of the client's keys, with RS384 or ES384";
}

static const char *check_assertion(struct oauth *o, const struct credentials *c,
                                   const struct client *client, char ret_seen[TICKET_NAME_MAX])
{
    const char *wrong;
    struct str key;
    int64_t until;
    struct jws j;

    if (!client_has_keys(client))
        return "the client has no key here";
    if (jws_parse(o->a, c->assertion, &j, &o->err) < 0)
        return "the assertion is no signed token";
    if (j.typ.p && !str_eq_nocase(j.typ, STR("JWT")))
        return "the assertion's typ is not JWT";
    wrong = check_claims(o, &j, client, &until);
    if (!wrong)
        wrong = check_signature(o, &j, client);
    if (wrong)
        return wrong;
    key = arena_join(o->a, (const struct str[]){client->id, STR("\n"), js_get_str(j.claims, "jti")},
                     3);
    if (!key.p)
        return "there is no memory for this";
    ticket_name_of(key, until, ret_seen);
    return NULL;
}

/* The client that an assertion speaks for, where no client_id says it. */
static void id_of_assertion(struct oauth *o, struct credentials *c)
{
    struct jws j;

    if (!c->id.p && c->assertion.p && jws_parse(o->a, c->assertion, &j, &o->err) >= 0)
        c->id = js_get_str(j.claims, "sub");
}

/* ---- all together ---- */

/* RFC 8705, 2.1 and 2.2: the subject of one that the node's authority certified, or that one. */
static const char *check_certificate(struct oauth *o, const struct client *client)
{
    struct str x5t = o->req->x5t, subject = o->req->subject;
    bool ok = client->tls_subject.n ? subject.n && str_eq(subject, client->tls_subject)
                                    : x5t.n && secret_eq(x5t, client->tls_thumbprint);

    return ok ? NULL : "the client did not show its certificate";
}

static const char *prove(struct oauth *o, const struct credentials *c, const struct client *client,
                         char ret_seen[TICKET_NAME_MAX])
{
    char hash[2 * SHA256_BYTES + 1];

    ret_seen[0] = '\0';
    if (c->assertion.p)
        return check_assertion(o, c, client, ret_seen);
    if (!c->secret.p && client_has_certificate(client))
        return check_certificate(o, client);
    if (!c->secret.p)
        return client_is_public(client) ? NULL : "the client did not prove itself";
    sha256_hex(c->secret, hash);
    return client->secret.n && secret_eq(client->secret, str_c(hash))
               ? NULL
               : "the client is not known, or its secret is not right";
}

bool client_auth(struct oauth *o, struct client *ret, char ret_seen[TICKET_NAME_MAX])
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct credentials c = {0};
    const char *wrong;
    int r;

    if (!read_basic(o, &c) || !read_body(o, &c)) {
        if (c.ways > 1)
            oauth_error(o, 400, "invalid_request", "a client proves itself in one way at a time");
        else
            refuse(o, &c, "the client's credentials are malformed");
        return false;
    }
    id_of_assertion(o, &c);
    r = store_begin(o->t->store, &who, &txn, &o->err);
    if (r >= 0)
        r = client_get(txn, c.id.p ? c.id : STR(""), o->a, ret, &o->err);
    store_end(txn); /* which must not stay open while another server is asked */
    txn = NULL;
    if (r < 0 && r != ERR_NOT_FOUND) {
        oauth_failed(o, r, "invalid_client");
        return false;
    }
    wrong = r < 0 ? "the client is not known, or its secret is not right"
            : ret->disabled || !ret->approved ? "the client is not approved"
                                              : prove(o, &c, ret, ret_seen);
    o->reply->trace.client = c.id.p ? c.id : STR("");
    if (wrong)
        refuse(o, &c, wrong);
    return !wrong;
}

struct seen {
    bool was;
};
static const struct field seen_fields[] = {{"was", FIELD_BOOL, offsetof(struct seen, was)}};
static const struct shape seen_shape = SHAPE(seen);

int client_auth_keep(struct store_txn *txn, const char *seen, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct seen s = {true};
    int r = 0;

    arena_init(&a, KIB(64));
    if (*seen)
        r = ticket_sweep(txn, RECORD_SEEN, clock_now_ms(), err);
    if (!*seen || r < 0)
        return r;
    r = record_get(txn, RECORD_SEEN, str_c(seen), &a, &seen_shape, &s, err);
    if (r >= 0)
        return err_set(err, ERR_LOGIN, "the assertion was used before");
    return r == ERR_NOT_FOUND ? record_put(txn, RECORD_SEEN, str_c(seen), &seen_shape, &s, err) : r;
}
