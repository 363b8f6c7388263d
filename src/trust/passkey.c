#include "trust/passkey.h"

#include "base/b64.h"

static const struct field passkey_fields[] = {
    {"account", FIELD_STR, offsetof(struct passkey, account)},
    {"id", FIELD_STR, offsetof(struct passkey, id)},
    {"key", FIELD_STR, offsetof(struct passkey, key)},
    {"alg", FIELD_I64, offsetof(struct passkey, alg)},
    {"count", FIELD_I64, offsetof(struct passkey, count)},
    {"made", FIELD_I64, offsetof(struct passkey, made_ms)},
    {"used", FIELD_I64, offsetof(struct passkey, used_ms)},
};
static const struct shape passkey_shape = SHAPE(passkey);

static struct str text_of(struct arena *a, struct str bytes)
{
    _cleanup_(sb_done) struct sb out = sb_make(KIB(4));

    b64url_encode(&out, bytes);
    return out.failed ? STR_NULL : arena_dup(a, sb_view(&out));
}

int passkey_add(struct store_txn *txn, struct arena *a, struct account *account,
                const struct webauthn_key *key, int64_t now_ms, struct err *err)
{
    struct passkey is, new = {.account = account->id,
                              .id = text_of(a, key->id),
                              .key = text_of(a, key->key),
                              .alg = key->alg,
                              .count = key->count,
                              .made_ms = now_ms};
    struct str *names = ARENA_ARRAY(a, struct str, account->passkeys.n + 1);
    char name[PASSKEY_NAME_MAX];
    int r = passkey_find(txn, key->id, a, name, &is, err);

    if (r != ERR_NOT_FOUND)
        return r < 0 ? r : err_set(err, ERR_DUPLICATE, "this passkey is an account's already");
    if (account->passkeys.n >= ACCOUNT_PASSKEYS_MAX)
        return err_set(err, ERR_VALUE, "an account has at most %d passkeys", ACCOUNT_PASSKEYS_MAX);
    if (!new.id.p || !new.key.p || !names)
        return err_no_memory(err);
    for (size_t i = 0; i < account->passkeys.n; i++)
        names[i] = account->passkeys.v[i];
    if (!(names[account->passkeys.n] = arena_dup(a, str_c(name))).p)
        return err_no_memory(err);
    account->passkeys = (struct str_list){names, account->passkeys.n + 1};
    r = record_put(txn, RECORD_PASSKEY, str_c(name), &passkey_shape, &new, err);
    return r < 0 ? r : account_put(txn, account, err);
}

int passkey_get(struct store_txn *txn, struct str name, struct arena *a, struct passkey *ret,
                struct err *err)
{
    return record_get(txn, RECORD_PASSKEY, name, a, &passkey_shape, ret, err);
}

int passkey_find(struct store_txn *txn, struct str id, struct arena *a,
                 char ret_name[PASSKEY_NAME_MAX], struct passkey *ret, struct err *err)
{
    sha256_hex(id, ret_name);
    return passkey_get(txn, str_c(ret_name), a, ret, err);
}

int passkey_drop(struct store_txn *txn, struct account *account, struct str name, struct err *err)
{
    struct str_list *of = &account->passkeys;
    size_t kept = 0;
    int r = 0;

    for (size_t i = 0; i < of->n && r >= 0; i++)
        if (name.n && !str_eq(of->v[i], name))
            of->v[kept++] = of->v[i];
        else
            r = record_drop(txn, RECORD_PASSKEY, of->v[i], err);
    of->n = kept;
    return r < 0 ? r : account_put(txn, account, err);
}

int passkey_used(struct store_txn *txn, struct arena *a, struct str name, uint32_t count,
                 int64_t now_ms, struct err *err)
{
    struct passkey of;
    int r = passkey_get(txn, name, a, &of, err);

    if (r < 0)
        return r;
    if ((count || of.count) && count <= of.count)
        return err_set(err, ERR_LOGIN, "the passkey's count has not grown: it may be a copy");
    of.count = count;
    of.used_ms = now_ms;
    return record_put(txn, RECORD_PASSKEY, name, &passkey_shape, &of, err);
}
