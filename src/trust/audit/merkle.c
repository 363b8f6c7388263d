/* OpenSSL's one-step functions look their algorithm up by name at each call, which takes longer
 * than hashing a node; these need neither memory nor a look-up, and cannot fail. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "trust/audit/merkle.h"

#include <openssl/sha.h>

_Static_assert(MERKLE_BYTES == SHA256_DIGEST_LENGTH, "hashes are SHA-256");

void merkle_digest(const struct str *parts, size_t n, struct merkle_hash *ret)
{
    SHA256_CTX c;

    SHA256_Init(&c);
    for (size_t i = 0; i < n; i++)
        SHA256_Update(&c, parts[i].p, parts[i].n);
    SHA256_Final(ret->b, &c);
}

void merkle_leaf(struct str data, struct merkle_hash *ret)
{
    merkle_digest((const struct str[]){STR("\0"), data}, 2, ret);
}

static struct str bytes(const struct merkle_hash *h)
{
    return str_n((const char *)h->b, MERKLE_BYTES);
}

void merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
                 struct merkle_hash *ret)
{
    merkle_digest((const struct str[]){STR("\1"), bytes(left), bytes(right)}, 3, ret);
}

bool merkle_eq(const struct merkle_hash *a, const struct merkle_hash *b)
{
    return memcmp(a->b, b->b, MERKLE_BYTES) == 0;
}

/* ---- growing ---- */

void merkle_add_node(struct merkle_tree *t, unsigned level, const struct merkle_hash *node)
{
    struct merkle_hash h = *node;
    unsigned at = level;

    assert(level < 63 && (t->n & ((UINT64_C(1) << level) - 1)) == 0);
    for (; t->n >> at & 1; at++)
        merkle_node(&t->peak[at], &h, &h);
    t->peak[at] = h;
    t->n += UINT64_C(1) << level;
}

void merkle_add(struct merkle_tree *t, const struct merkle_hash *leaf)
{
    merkle_add_node(t, 0, leaf);
}

void merkle_root(const struct merkle_tree *t, struct merkle_hash *ret)
{
    unsigned at = 0;

    if (!t->n) {
        merkle_digest(NULL, 0, ret);
        return;
    }
    while (!(t->n >> at & 1))
        at++;
    *ret = t->peak[at];
    for (at++; at < 64; at++)
        if (t->n >> at & 1)
            merkle_node(&t->peak[at], ret, ret);
}

/* ---- proofs, made ---- */

/* The largest power of two below n (n > 1), as its exponent. */
static unsigned split_level(uint64_t n)
{
    return 63 - (unsigned)__builtin_clzll(n - 1);
}

/* MTH of the leaves from `lo` on, n of them; lo is a multiple of every whole node in there. */
static int range(const struct merkle_nodes *nodes, uint64_t lo, uint64_t n, struct merkle_hash *ret,
                 struct err *err)
{
    struct merkle_hash part, left;
    bool has_left = false;
    struct merkle_hash stack[64];
    size_t depth = 0;

    while (n) {
        unsigned level = 63 - (unsigned)__builtin_clzll(n);
        int r = nodes->node(nodes->ctx, level, lo >> level, &part, err);

        if (r < 0)
            return r;
        stack[depth++] = part;
        lo += UINT64_C(1) << level;
        n -= UINT64_C(1) << level;
    }
    while (depth) {
        part = stack[--depth];
        if (has_left)
            merkle_node(&part, &left, &left);
        else
            left = part;
        has_left = true;
    }
    if (!has_left)
        merkle_digest(NULL, 0, &left);
    *ret = left;
    return 0;
}

int merkle_root_at(const struct merkle_nodes *nodes, uint64_t n, struct merkle_hash *ret,
                   struct err *err)
{
    return range(nodes, 0, n, ret, err);
}

/* Found from the root down, told from the leaf up. */
static void turn_round(struct merkle_proof *p)
{
    for (size_t i = 0; i < p->n / 2; i++) {
        struct merkle_hash h = p->hash[i];

        p->hash[i] = p->hash[p->n - 1 - i];
        p->hash[p->n - 1 - i] = h;
    }
}

static int take(const struct merkle_nodes *nodes, uint64_t lo, uint64_t n, struct merkle_proof *p,
                struct err *err)
{
    assert(p->n < MERKLE_PROOF_MAX);
    return range(nodes, lo, n, &p->hash[p->n++], err);
}

int merkle_inclusion(const struct merkle_nodes *nodes, uint64_t at, uint64_t n,
                     struct merkle_proof *ret, struct err *err)
{
    struct merkle_proof p = {.n = 0};
    uint64_t lo = 0;

    assert(at < n && n <= UINT64_C(1) << 62);
    while (n > 1) {
        uint64_t k = UINT64_C(1) << split_level(n);
        bool is_left = at - lo < k;
        int r = is_left ? take(nodes, lo + k, n - k, &p, err) : take(nodes, lo, k, &p, err);

        if (r < 0)
            return r;
        lo += is_left ? 0 : k;
        n = is_left ? k : n - k;
    }
    turn_round(&p);
    *ret = p;
    return 0;
}

int merkle_consistency(const struct merkle_nodes *nodes, uint64_t m, uint64_t n,
                       struct merkle_proof *ret, struct err *err)
{
    struct merkle_proof p = {.n = 0};
    bool known = true; /* the subtree in hand is a whole tree that the asker has the root of */
    uint64_t lo = 0;
    int r;

    assert(m <= n && n <= UINT64_C(1) << 62);
    while (m && m < n) {
        uint64_t k = UINT64_C(1) << split_level(n);
        bool is_left = m <= k;

        r = is_left ? take(nodes, lo + k, n - k, &p, err) : take(nodes, lo, k, &p, err);
        if (r < 0)
            return r;
        known &= is_left;
        lo += is_left ? 0 : k;
        m -= is_left ? 0 : k;
        n = is_left ? k : n - k;
    }
    if (m && !known && (r = take(nodes, lo, n, &p, err)) < 0)
        return r;
    turn_round(&p);
    *ret = p;
    return 0;
}

/* ---- proofs, checked ---- */

bool merkle_check_inclusion(const struct merkle_hash *leaf, uint64_t at, uint64_t n,
                            const struct merkle_proof *proof, const struct merkle_hash *root)
{
    struct merkle_hash r = *leaf;
    uint64_t fn = at, sn = n - 1;

    if (at >= n || proof->n > MERKLE_PROOF_MAX)
        return false;
    for (size_t i = 0; i < proof->n; i++) {
        if (!sn)
            return false;
        if (fn & 1 || fn == sn) {
            merkle_node(&proof->hash[i], &r, &r);
            for (; fn && !(fn & 1); sn >>= 1)
                fn >>= 1;
        } else {
            merkle_node(&r, &proof->hash[i], &r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return !sn && merkle_eq(&r, root);
}

bool merkle_check_consistency(uint64_t m, const struct merkle_hash *root_m, uint64_t n,
                              const struct merkle_hash *root_n, const struct merkle_proof *proof)
{
    uint64_t fn = m - 1, sn = n - 1;
    struct merkle_hash fr, sr, empty;
    size_t i = 0;

    if (m > n || proof->n > MERKLE_PROOF_MAX)
        return false;
    if (!m) {
        merkle_digest(NULL, 0, &empty);
        return !proof->n && merkle_eq(root_m, &empty) && (n || merkle_eq(root_n, &empty));
    }
    if (m == n)
        return !proof->n && merkle_eq(root_m, root_n);
    if (!proof->n)
        return false;
    fr = (m & (m - 1)) == 0 ? *root_m : proof->hash[i++];
    sr = fr;
    for (; fn & 1; sn >>= 1)
        fn >>= 1;
    for (; i < proof->n; i++) {
        if (!sn)
            return false;
        if (fn & 1 || fn == sn) {
            merkle_node(&proof->hash[i], &fr, &fr);
            merkle_node(&proof->hash[i], &sr, &sr);
            for (; fn && !(fn & 1); sn >>= 1)
                fn >>= 1;
        } else {
            merkle_node(&sr, &proof->hash[i], &sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return !sn && merkle_eq(&fr, root_m) && merkle_eq(&sr, root_n);
}
