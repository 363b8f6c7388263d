#include "store/persons.h"

#include "base/fault.h"
#include "base/rng.h"
#include "store/owner.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define USE "carnet persons"
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define HEAD_MAX 21       /* of an envelope */
#define KEEP_BYTES MIB(4) /* a buffer larger than this is given back */
#define ABOUT_MAX (2 + ID_KEY_MAX + 8 + HEAD_MAX)

/* A key in memory; n 0: none. */
struct slot {
    uint64_t n;
    unsigned char key[XAES_KEY_BYTES];
};

/* Which number an owner's key has; n 0: none. */
struct known {
    uint64_t n;
    size_t owner_n;
    unsigned char owner[OWNER_MAX];
};

struct persons {
    const struct persons_table *table;
    bool seals_all, has_made; /* has_made: a key, in the transaction that is open */
    struct xaes *xaes;        /* of what the table holds */
    EVP_CIPHER_CTX *gcm;
    uint64_t keyed; /* whose key gcm has */
    struct sb body;
    struct known *owners; /* PERSON_OWNERS, once something was sealed */
    struct slot slots[PERSON_SLOTS];
};

void persons_free(struct persons *p)
{
    if (!p)
        return;
    xaes_free(p->xaes);
    EVP_CIPHER_CTX_free(p->gcm);
    sb_done(&p->body);
    free(p->owners);
    OPENSSL_cleanse(p->slots, sizeof p->slots);
    free(p);
}

void persons_forget(struct persons *p)
{
    if (!p)
        return;
    if (p->owners)
        memset(p->owners, 0, PERSON_OWNERS * sizeof *p->owners);
    p->keyed = 0;
    OPENSSL_cleanse(p->slots, sizeof p->slots);
}

void persons_undo(struct persons *p)
{
    if (p && p->has_made)
        persons_forget(p);
}

void persons_settled(struct persons *p)
{
    if (p)
        p->has_made = false;
}

int persons_new(const struct vault *vault, const struct persons_table *table, bool seals_all,
                struct persons **ret, struct err *err)
{
    struct persons *p = fault_point("memory") ? NULL : calloc(1, sizeof *p);
    int r = 0;

    if (!p || !(p->gcm = EVP_CIPHER_CTX_new()) ||
        EVP_CipherInit_ex(p->gcm, EVP_aes_256_gcm(), NULL, NULL, NULL, 1) != 1)
        r = err_no_memory(err);
    if (r >= 0)
        r = vault_sealer(vault, USE, &p->xaes, err);
    if (r < 0) {
        persons_free(p);
        return r;
    }
    p->table = table;
    p->seals_all = seals_all;
    p->body = sb_make(STORE_BODY_MAX + KIB(1));
    *ret = p;
    return 0;
}

/* ---- keys ---- */

struct about_key {
    char text[6];
    unsigned char n[8];
};

static struct str about_key(uint64_t n, struct about_key *to)
{
    memcpy(to->text, "person", sizeof to->text);
    for (int i = 0; i < 8; i++)
        to->n[i] = (unsigned char)(n >> (56 - 8 * i));
    return str_n((const char *)to, sizeof *to);
}

static struct slot *slot_of(struct persons *p, uint64_t n)
{
    return &p->slots[n % PERSON_SLOTS];
}

int persons_unseal_key(struct persons *p, const struct person_key *from,
                       unsigned char ret[XAES_KEY_BYTES], struct err *err)
{
    struct about_key about;
    int r = xaes_open(p->xaes, about_key(from->n, &about), from->sealed, sizeof from->sealed, ret,
                      from->mark, err);

    if (r == ERR_INVALID)
        return err_set(err, ERR_NO_STORE, "the key number %llu of the store is damaged",
                       (unsigned long long)from->n);
    return r;
}

int persons_put_key(struct persons *p, void *ctx, uint64_t n, struct str owner,
                    const unsigned char key[XAES_KEY_BYTES], struct err *err)
{
    struct person_key row = {.n = n, .is_here = true};
    struct about_key about;
    int r =
        xaes_seal(p->xaes, about_key(n, &about), key, XAES_KEY_BYTES, row.sealed, row.mark, err);

    return r < 0 ? r : p->table->put(ctx, &row, owner, err);
}

/* Into its slot: 1, or 0 where it is not here. */
static int take_key(struct persons *p, const struct person_key *row, struct err *err)
{
    struct slot *slot = slot_of(p, row->n);
    int r;

    if (!row->is_here)
        return 0;
    slot->n = 0;
    r = persons_unseal_key(p, row, slot->key, err);
    if (r < 0)
        return r;
    slot->n = row->n;
    return 1;
}

/* The slot has the key afterwards: 1, or 0 where it is not here. */
static int load_key(struct persons *p, void *ctx, uint64_t n, struct err *err)
{
    struct person_key row;
    int r;

    if (slot_of(p, n)->n == n)
        return 1;
    r = p->table->by_number(ctx, n, &row, err);
    return r <= 0 ? r : take_key(p, &row, err);
}

static int make_key(struct persons *p, void *ctx, struct str owner, uint64_t n, struct err *err)
{
    struct slot *slot = slot_of(p, n);
    int r;

    rng_secure(slot->key, sizeof slot->key);
    slot->n = n;
    p->has_made = true;
    r = persons_put_key(p, ctx, n, owner, slot->key, err);
    if (r < 0)
        slot->n = 0;
    return r;
}

static struct known *known_of(struct persons *p, struct str owner)
{
    uint32_t h = UINT32_C(2166136261); /* FNV-1a */

    for (size_t i = 0; i < owner.n; i++)
        h = (h ^ (unsigned char)owner.p[i]) * UINT32_C(16777619);
    return &p->owners[(h ^ h >> 16) % PERSON_OWNERS];
}

/* The number of an owner's key, which is in its slot then; made where there is none. */
static int key_of(struct persons *p, void *ctx, struct str owner, uint64_t *ret, struct err *err)
{
    struct person_key row;
    struct known *known;
    int r;

    if (!p->owners && !(p->owners = calloc(PERSON_OWNERS, sizeof *p->owners)))
        return err_no_memory(err);
    known = known_of(p, owner);
    if (known->n && str_eq(owner, str_n((char *)known->owner, known->owner_n)) &&
        slot_of(p, known->n)->n == known->n) {
        *ret = known->n;
        return 0;
    }
    r = p->table->by_owner(ctx, owner, &row, err);
    if (r > 0) {
        r = take_key(p, &row, err);
        if (r == 0) /* in a copy that was not restored */
            return err_set(err, ERR_NO_STORE, "the key of a person is not in this store");
    } else if (r == 0) {
        r = make_key(p, ctx, owner, ++row.n, err);
    }
    if (r < 0)
        return r;
    if (owner.n)
        memcpy(known->owner, owner.p, owner.n);
    known->owner_n = owner.n;
    known->n = *ret = row.n;
    return 0;
}

/* ---- bodies ---- */

static size_t number_put(uint64_t v, unsigned char *to)
{
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        to[n++] = (unsigned char)(0x80 | (v & 0x7f));
    to[n++] = (unsigned char)v;
    return n;
}

static bool number_get(struct str *s, uint64_t *ret)
{
    *ret = 0;
    for (unsigned shift = 0; shift < 63 && s->n; shift += 7) {
        unsigned char c = (unsigned char)*s->p;

        *s = str_from(*s, 1);
        *ret |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80))
            return true;
    }
    return false;
}

/* An envelope taken apart: what stands before the number of its key, that, and what stands behind.
 */
struct envelope {
    struct str front;
    uint64_t key;
    struct str rest;
};

static bool envelope_read(struct str stored, struct envelope *ret)
{
    struct str at = str_from(stored, MIN(stored.n, (size_t)1));
    uint64_t dict;

    if (!stored.n || !number_get(&at, &dict))
        return false;
    ret->front = str_head(stored, stored.n - at.n);
    if (!number_get(&at, &ret->key))
        return false;
    ret->rest = at;
    return true;
}

uint64_t persons_body_key(struct str stored)
{
    struct envelope e;

    return envelope_read(stored, &e) ? e.key : 0;
}

/* What a body is sealed about: the version that it is of, and its envelope's head. */
static struct str about_body(int type, struct str id, uint64_t hlc, struct str head,
                             unsigned char to[ABOUT_MAX])
{
    size_t n = owner_key(type, id, to);

    for (int i = 0; i < 8; i++)
        to[n++] = (unsigned char)(hlc >> (56 - 8 * i));
    memcpy(to + n, head.p, head.n);
    return str_n((char *)to, n + head.n);
}

static bool gcm_begin(struct persons *p, uint64_t key, const unsigned char *nonce, bool seal,
                      struct str about)
{
    const unsigned char *bytes = p->keyed == key ? NULL : slot_of(p, key)->key;
    int n = 0;

    if (fault_point("gcm") || EVP_CipherInit_ex(p->gcm, NULL, NULL, bytes, nonce, seal) != 1)
        return false;
    p->keyed = key;
    return EVP_CipherUpdate(p->gcm, NULL, &n, (const unsigned char *)about.p, (int)about.n) == 1;
}

static int no_cipher(struct persons *p, struct err *err)
{
    p->keyed = 0; /* its state is unknown */
    err_no_memory(err);
    return err_detail(err, "libcrypto");
}

static int seal(struct persons *p, const struct put *put, const struct envelope *e, uint64_t hlc,
                uint64_t key, struct err *err)
{
    unsigned char head[HEAD_MAX], about[ABOUT_MAX], nonce[NONCE_BYTES], tag[TAG_BYTES];
    size_t head_n = e->front.n;
    unsigned char *to;
    int n = 0;

    memcpy(head, e->front.p, e->front.n);
    head_n += number_put(key, head + head_n);
    rng_secure(nonce, sizeof nonce);
    sb_reset(&p->body);
    sb_str(&p->body, str_n((char *)head, head_n));
    sb_str(&p->body, str_n((char *)nonce, sizeof nonce));
    sb_str(&p->body, str_n("0123456789abcdef", TAG_BYTES));
    to = (unsigned char *)sb_room(&p->body, e->rest.n);
    if (!to)
        return err_no_memory(err);
    if (!gcm_begin(p, key, nonce, true,
                   about_body(put->type, put->id, hlc, str_n((char *)head, head_n), about)) ||
        EVP_CipherUpdate(p->gcm, to, &n, (const unsigned char *)e->rest.p, (int)e->rest.n) != 1 ||
        (size_t)n != e->rest.n || EVP_CipherFinal_ex(p->gcm, to + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(p->gcm, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) != 1)
        return no_cipher(p, err);
    memcpy(to - TAG_BYTES, tag, TAG_BYTES);
    sb_add(&p->body, e->rest.n);
    return 0;
}

/* One long body must not stay in memory for good. */
static void shrink(struct persons *p)
{
    if (p->body.cap > KEEP_BYTES)
        sb_done(&p->body);
}

int persons_seal(struct persons *p, void *ctx, const struct put *put, uint64_t hlc, struct str *ret,
                 struct err *err)
{
    unsigned char owner[OWNER_MAX];
    size_t n = put->index ? owner_of(put->index, put->type, put->id, owner) : 0;
    struct envelope e;
    uint64_t key = 0;
    int r;

    *ret = put->sealed;
    if (!put->sealed.n || (!n && !p->seals_all))
        return 0;
    if ((r = key_of(p, ctx, str_n((char *)owner, n), &key, err)) < 0)
        return r;
    if (!envelope_read(put->sealed, &e) || e.key)
        return err_set(err, ERR_INVALID, "the body of a resource has no envelope");
    shrink(p);
    r = seal(p, put, &e, hlc, key, err);
    if (r >= 0)
        *ret = sb_view(&p->body);
    return r;
}

/* 1: opened, 0: it is not what was sealed. */
static int unseal(struct persons *p, const struct row *row, const struct envelope *e,
                  struct err *err)
{
    struct str head = str_n(e->front.p, (size_t)(e->rest.p - e->front.p));
    const unsigned char *nonce = (const unsigned char *)e->rest.p, *tag = nonce + NONCE_BYTES;
    struct str sealed = str_from(e->rest, NONCE_BYTES + TAG_BYTES);
    unsigned char about[ABOUT_MAX];
    unsigned char *to;
    int n = 0, last = 0;

    sb_reset(&p->body);
    sb_str(&p->body, e->front);
    sb_char(&p->body, 0);
    to = (unsigned char *)sb_room(&p->body, sealed.n);
    if (!to)
        return err_no_memory(err);
    if (!gcm_begin(p, e->key, nonce, false,
                   about_body(row->type, row->id, row->version.hlc, head, about)) ||
        EVP_CipherUpdate(p->gcm, to, &n, (const unsigned char *)sealed.p, (int)sealed.n) != 1 ||
        EVP_CIPHER_CTX_ctrl(p->gcm, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, (void *)(uintptr_t)tag) != 1)
        return no_cipher(p, err);
    if (EVP_CipherFinal_ex(p->gcm, to + n, &last) != 1)
        return 0;
    sb_add(&p->body, sealed.n);
    return 1;
}

int persons_open(struct persons *p, void *ctx, struct row *row, struct err *err)
{
    struct envelope e;
    int r;

    if (!envelope_read(row->sealed, &e) || !e.key) {
        if (p->seals_all)
            row->sealed = STR(""); /* whoever may write to the table has put it there */
        return 0;                  /* a deletion, of nobody, or damaged: body_open says so */
    }
    if ((r = load_key(p, ctx, e.key, err)) < 0)
        return r;
    row->is_locked = r == 0;
    if (row->is_locked)
        return 0;
    shrink(p);
    r = e.rest.n < NONCE_BYTES + TAG_BYTES ? 0 : unseal(p, row, &e, err);
    if (r >= 0)
        row->sealed = r ? sb_view(&p->body) : STR(""); /* as damaged as it can be */
    return MIN(r, 0);
}
