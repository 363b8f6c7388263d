#include "trust/trust.h"

#include "base/clock.h"
#include "trust/allow.h"
#include "trust/law.h"
#include "trust/trust_int.h"

#include <stdlib.h>

struct access trust_open(void)
{
    return (struct access){.kind = ACCESS_OPEN, .agent = STR("open"), .may_write = true};
}

struct access trust_system(void)
{
    return (struct access){.kind = ACCESS_SYSTEM, .agent = STR("system"), .may_write = true};
}

struct access trust_job(struct str name)
{
    return (struct access){.kind = ACCESS_JOB, .agent = name, .may_write = true};
}

struct access trust_granted(const struct trust *t, const struct identity *i)
{
    return allow_access(i, t->guard);
}

struct guard *trust_guard(const struct trust *t)
{
    return t->guard;
}

/* ---- a node that asks ---- */

static struct str own(struct str s, bool *ok)
{
    char *copy = strndup(s.p, s.n);

    *ok &= copy != NULL;
    return str_n(copy, s.n);
}

int trust_new(struct store *store, const struct trust_config *config, struct trust **ret,
              struct err *err)
{
    _cleanup_(trust_freep) struct trust *t = calloc(1, sizeof *t);
    bool ok = true;
    int r;

    if (!t)
        return err_no_memory(err);
    pthread_rwlock_init(&t->keys_lock, NULL);
    t->store = store;
    t->teller = config->teller;
    t->has_certificates = config->has_certificates;
    t->root = own(config->root, &ok);
    t->fhir = own(config->fhir, &ok);
    if (!ok)
        return err_no_memory(err);
    if ((r = token_cache_init(&t->cache, err)) < 0 || (r = dpop_seen_init(&t->dpop, err)) < 0 ||
        (r = keys_open(store, false, &t->keys, err)) < 0 ||
        (r = remote_new(config->wire, &t->remote, err)) < 0 ||
        (config->eid.p && (r = eid_new(config->eid, &t->eid, err)) < 0))
        return r;
    if (config->policy.p &&
        ((r = policy_parse(config->policy, &t->policy, err)) < 0 ||
         (config->world && (r = law_widen(t->policy, config->world, err)) < 0) ||
         (r = guard_new(store, t->policy, &t->guard, err)) < 0))
        return r;
    *ret = t;
    t = NULL;
    return 0;
}

void trust_free(struct trust *t)
{
    if (!t)
        return;
    eid_free(t->eid);
    remote_free(t->remote);
    guard_free(t->guard);
    policy_free(t->policy);
    keys_done(&t->keys);
    dpop_seen_done(&t->dpop);
    token_cache_done(&t->cache);
    pthread_rwlock_destroy(&t->keys_lock);
    free((char *)(uintptr_t)t->root.p);
    free((char *)(uintptr_t)t->fhir.p);
    free(t);
}

int trust_tell(struct trust *t, struct store_txn *txn, enum trust_told what,
               const struct account *account, struct str secret, struct err *err)
{
    return t->teller ? t->teller->tell(t->teller->ctx, txn, what, account, secret, err) : 0;
}

void trust_told(struct trust *t)
{
    if (t->teller)
        t->teller->wake(t->teller->ctx);
}

int trust_changed(struct trust *t, struct err *err)
{
    struct keys fresh = {.n = 0};
    int r = keys_open(t->store, false, &fresh, err);

    token_cache_clear(&t->cache);
    if (r < 0)
        return r;
    pthread_rwlock_wrlock(&t->keys_lock);
    keys_done(&t->keys);
    t->keys = fresh;
    pthread_rwlock_unlock(&t->keys_lock);
    return 0;
}

/* ---- who ---- */

static int look_up(struct trust *t, struct str token, const struct identity **ret, struct err *err)
{
    unsigned char hash[SHA256_BYTES];
    struct access who = trust_system();
    struct store_txn *txn = NULL;
    struct identity *made;
    int64_t now_ms = clock_now_ms();
    uint64_t age;
    int r;

    sha256(token, hash);
    *ret = token_cache_get(&t->cache, hash, now_ms);
    if (*ret)
        return 0;
    age = atomic_load(&t->cache.age);
    r = store_begin(t->store, &who, &txn, err);
    if (r < 0)
        return r;
    r = token_identity(txn, token, &made, err);
    store_end(txn);
    if (r < 0)
        return r;
    token_cache_put(&t->cache, hash, made,
                    store_is_shared(t->store) ? now_ms + TRUST_SHARED_MS : INT64_MAX, age);
    *ret = made;
    return 0;
}

/* Says in err->where what WWW-Authenticate shall say. */
static int refuse(struct err *err, int code, const char *scheme, const char *error)
{
    snprintf(err->where, sizeof err->where, "%s realm=\"carnet\"%s%s%s%s", scheme,
             error ? ", error=\"" : "", error ? error : "", error ? "\"" : "",
             strcmp(scheme, "DPoP") == 0 ? ", algs=\"ES256 ES384 RS256 RS384 PS256 PS384\"" : "");
    return err->code = code;
}

static int check_binding(struct trust *t, const struct trust_proof *p, struct str token,
                         const struct identity *i, bool is_dpop, struct err *err)
{
    char jkt[SECRET_TEXT_MAX];
    int r;

    if (i->x5t.n && (!p->x5t.p || !secret_eq(i->x5t, p->x5t))) {
        err_set(err, ERR_LOGIN, "the access token is bound to a certificate that was not shown");
        return refuse(err, ERR_LOGIN, is_dpop ? "DPoP" : "Bearer", "invalid_token");
    }
    if (!is_dpop && !i->jkt.n)
        return 0;
    if (!is_dpop) {
        err_set(err, ERR_LOGIN, "the access token is bound to a key: use DPoP");
        return refuse(err, ERR_LOGIN, "DPoP", "invalid_token");
    }
    if (!p->dpop.p)
        r = err_set(err, ERR_LOGIN, "the DPoP header is missing");
    else
        r = dpop_check(&t->dpop, p->dpop, p->method, p->url, token, clock_now_ms(), jkt, err);
    if (r == ERR_BUSY || r == ERR_NO_MEMORY)
        return r;
    if (r < 0)
        return refuse(err, ERR_LOGIN, "DPoP", "invalid_dpop_proof");
    if (secret_eq(i->jkt, str_c(jkt)))
        return 0;
    err_set(err, ERR_LOGIN, "the access token is bound to another key");
    return refuse(err, ERR_LOGIN, "DPoP", "invalid_token");
}

int trust_who(struct trust *t, const struct trust_proof *proof, const struct identity **ret,
              struct err *err)
{
    struct str given = proof->authorization, token;
    ptrdiff_t blank = given.p ? str_find(given, ' ') : -1;
    struct str scheme = str_head(given, blank < 0 ? 0 : (size_t)blank);
    bool is_dpop = str_eq_nocase(scheme, STR("DPoP"));
    const struct identity *i;
    int r;

    if (!is_dpop && !str_eq_nocase(scheme, STR("Bearer"))) {
        err_set(err, ERR_LOGIN, "an access token is required (Authorization: Bearer)");
        return refuse(err, ERR_LOGIN, "Bearer", NULL);
    }
    token = str_trim(str_from(given, (size_t)blank + 1));
    r = look_up(t, token, &i, err);
    if (r < 0)
        return r == ERR_LOGIN ? refuse(err, r, is_dpop ? "DPoP" : "Bearer", "invalid_token") : r;
    r = check_binding(t, proof, token, i, is_dpop, err);
    if (r < 0)
        identity_unref(i);
    else
        *ret = i;
    return r;
}
