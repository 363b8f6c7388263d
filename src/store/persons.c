/* persons.c - bodies under keys of their owners (store/owner.h), in an encrypted store.
 *
 * A key is made with the first body that needs it and kept in the table `person`, sealed with the
 * store's. What a connection has used stays with it, unsealed: a read then costs one AES-GCM of its
 * body. Destroying a key leaves its number, so that no other key ever has it.
 * Bytes: docs/formats/keys.md.
 */
#include "store/owner.h"
#include "store/sqlite/sq_int.h"

#include "base/fault.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

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

struct sq_persons {
    struct xaes *xaes; /* of what the table holds */
    EVP_CIPHER_CTX *gcm;
    uint64_t keyed; /* whose key gcm has */
    struct sb body;
    unsigned char owner[OWNER_MAX]; /* the last that wrote, and its number */
    size_t owner_n;
    uint64_t owner_number;
    struct slot slots[SQ_PERSON_SLOTS];
};

void sq_persons_free(struct sq_persons *p)
{
    if (!p)
        return;
    xaes_free(p->xaes);
    EVP_CIPHER_CTX_free(p->gcm);
    sb_done(&p->body);
    OPENSSL_cleanse(p->slots, sizeof p->slots);
    free(p);
}

void sq_persons_forget(struct sq_conn *c)
{
    if (!c->persons)
        return;
    c->persons->owner_n = 0;
    c->persons->keyed = 0;
    OPENSSL_cleanse(c->persons->slots, sizeof c->persons->slots);
}

static int persons_of(struct sq_conn *c, struct sq_persons **ret, struct err *err)
{
    struct sq_persons *p = c->persons;
    int r = 0;

    if (p) {
        *ret = p;
        return 0;
    }
    p = fault_point("memory") ? NULL : calloc(1, sizeof *p);
    if (!p || !(p->gcm = EVP_CIPHER_CTX_new()) ||
        EVP_CipherInit_ex(p->gcm, EVP_aes_256_gcm(), NULL, NULL, NULL, 1) != 1)
        r = err_no_memory(err);
    if (r >= 0)
        r = vault_sealer(c->st->vault, USE, &p->xaes, err);
    if (r < 0) {
        sq_persons_free(p);
        return r;
    }
    p->body = sb_make(STORE_BODY_MAX + KIB(1));
    *ret = c->persons = p;
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

static struct slot *slot_of(struct sq_persons *p, uint64_t n)
{
    return &p->slots[n % SQ_PERSON_SLOTS];
}

int sq_key_unseal(struct sq_txn *t, uint64_t n, struct str mark, struct str sealed,
                  unsigned char ret[XAES_KEY_BYTES], struct err *err)
{
    struct sq_persons *p;
    struct about_key about;
    int r = persons_of(t->conn, &p, err);

    if (r < 0)
        return r;
    if (mark.n != XAES_MARK_BYTES || sealed.n != XAES_KEY_BYTES ||
        (r = xaes_open(p->xaes, about_key(n, &about), sealed.p, sealed.n, ret,
                       (const unsigned char *)mark.p, err)) == ERR_INVALID)
        return err_set(err, ERR_NO_STORE, "the key number %llu of the store is damaged",
                       (unsigned long long)n);
    return r;
}

int sq_key_put(struct sq_txn *t, uint64_t n, struct str owner,
               const unsigned char key[XAES_KEY_BYTES], struct err *err)
{
    unsigned char mark[XAES_MARK_BYTES], sealed[XAES_KEY_BYTES];
    struct sq_persons *p;
    struct about_key about;
    sqlite3_stmt *s;
    int r = persons_of(t->conn, &p, err);

    if (r >= 0)
        r = xaes_seal(p->xaes, about_key(n, &about), key, XAES_KEY_BYTES, sealed, mark, err);
    if (r < 0 || (r = sq_stmt(t->conn, SQ_PUT_PERSON, &s, err)) < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)n);
    sq_bind_blob(s, 2, owner);
    sq_bind_blob(s, 3, str_n((char *)mark, sizeof mark));
    sq_bind_blob(s, 4, str_n((char *)sealed, sizeof sealed));
    return sq_run(t->conn, s, err);
}

/* What a statement's row has at `at` and behind: mark and key. 0: the key was destroyed, or is
 * kept elsewhere. */
static int take_key(struct sq_txn *t, uint64_t n, sqlite3_stmt *s, int at, struct err *err)
{
    struct slot *slot = slot_of(t->conn->persons, n);
    int r;

    if (sqlite3_column_type(s, at) == SQLITE_NULL)
        return 0;
    slot->n = 0;
    r = sq_key_unseal(t, n, sq_column(s, at), sq_column(s, at + 1), slot->key, err);
    if (r < 0)
        return r;
    slot->n = n;
    return 1;
}

/* The slot has the key afterwards: 1, or 0 where it is not here. */
static int load_key(struct sq_txn *t, uint64_t n, struct err *err)
{
    sqlite3_stmt *s;
    int r;

    if (slot_of(t->conn->persons, n)->n == n)
        return 1;
    if ((r = sq_stmt(t->conn, SQ_PERSON_KEY, &s, err)) < 0)
        return r;
    sqlite3_bind_int64(s, 1, (int64_t)n);
    r = sq_step(t->conn, s, err);
    if (r <= 0)
        return r;
    r = take_key(t, n, s, 0, err);
    sqlite3_reset(s);
    return r;
}

static int make_key(struct sq_txn *t, struct str owner, uint64_t *ret, struct err *err)
{
    struct slot *slot;
    sqlite3_stmt *s;
    uint64_t n;
    int r = sq_stmt(t->conn, SQ_PERSON_LAST, &s, err);

    if (r < 0 || (r = sq_step(t->conn, s, err)) < 0)
        return r;
    n = (uint64_t)sqlite3_column_int64(s, 0) + 1;
    sqlite3_reset(s);
    slot = slot_of(t->conn->persons, n);
    rng_secure(slot->key, sizeof slot->key);
    slot->n = n;
    r = sq_key_put(t, n, owner, slot->key, err);
    if (r < 0)
        slot->n = 0;
    *ret = n;
    return r;
}

/* The number of an owner's key, which is in its slot then; made where there is none. */
static int key_of(struct sq_txn *t, struct str owner, uint64_t *ret, struct err *err)
{
    struct sq_persons *p = t->conn->persons;
    sqlite3_stmt *s;
    uint64_t n = 0;
    int r;

    if (p->owner_n && str_eq(owner, str_n((char *)p->owner, p->owner_n)) &&
        slot_of(p, p->owner_number)->n == p->owner_number) {
        *ret = p->owner_number;
        return 0;
    }
    if ((r = sq_stmt(t->conn, SQ_PERSON, &s, err)) < 0)
        return r;
    sq_bind_blob(s, 1, owner);
    r = sq_step(t->conn, s, err);
    if (r > 0) {
        n = (uint64_t)sqlite3_column_int64(s, 0);
        r = take_key(t, n, s, 1, err);
        sqlite3_reset(s);
        if (r == 0) /* in a copy that was not restored */
            return err_set(err, ERR_NO_STORE, "the key of a person is not in this store");
    } else if (r == 0) {
        r = make_key(t, owner, &n, err);
    }
    if (r < 0)
        return r;
    memcpy(p->owner, owner.p, owner.n);
    p->owner_n = owner.n;
    p->owner_number = *ret = n;
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

uint64_t sq_body_key(struct str stored)
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

static bool gcm_begin(struct sq_persons *p, uint64_t key, const unsigned char *nonce, bool seal,
                      struct str about)
{
    const unsigned char *bytes = p->keyed == key ? NULL : slot_of(p, key)->key;
    int n = 0;

    if (fault_point("gcm") || EVP_CipherInit_ex(p->gcm, NULL, NULL, bytes, nonce, seal) != 1)
        return false;
    p->keyed = key;
    return EVP_CipherUpdate(p->gcm, NULL, &n, (const unsigned char *)about.p, (int)about.n) == 1;
}

static int no_cipher(struct sq_persons *p, struct err *err)
{
    p->keyed = 0; /* its state is unknown */
    err_no_memory(err);
    return err_detail(err, "libcrypto");
}

static int seal(struct sq_persons *p, const struct put *put, const struct envelope *e, uint64_t hlc,
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
static void shrink(struct sq_persons *p)
{
    if (p->body.cap > KEEP_BYTES)
        sb_done(&p->body);
}

int sq_body_seal(struct sq_txn *t, const struct put *put, uint64_t hlc, struct str *ret,
                 struct err *err)
{
    unsigned char owner[OWNER_MAX];
    size_t n = put->index ? owner_of(put->index, put->type, put->id, owner) : 0;
    struct sq_persons *p;
    struct envelope e;
    uint64_t key = 0;
    int r;

    *ret = put->sealed;
    if (!n)
        return 0;
    if ((r = persons_of(t->conn, &p, err)) < 0 ||
        (r = key_of(t, str_n((char *)owner, n), &key, err)) < 0)
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
static int unseal(struct sq_persons *p, const struct row *row, const struct envelope *e,
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

int sq_body_open(struct sq_txn *t, struct row *row, struct err *err)
{
    struct sq_persons *p;
    struct envelope e;
    int r;

    if (!envelope_read(row->sealed, &e) || !e.key)
        return 0; /* a deletion, of nobody, or damaged: body_open says so */
    if ((r = persons_of(t->conn, &p, err)) < 0 || (r = load_key(t, e.key, err)) < 0)
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
