/* merkle.h - the Merkle tree of RFC 9162 section 2.1, with SHA-256: hashes, inclusion and
 * consistency proofs, made and checked. Pure: who makes a proof says where the nodes are.
 *
 * Node (level, index) covers the leaves from index * 2^level on, 2^level of them; only such whole
 * nodes are ever asked for.
 */
#ifndef TRUST_AUDIT_MERKLE_H
#define TRUST_AUDIT_MERKLE_H

#include "base/err.h"

#define MERKLE_BYTES 32
#define MERKLE_PROOF_MAX 63 /* hashes of one proof: trees below 2^63 leaves */

struct merkle_hash {
    unsigned char b[MERKLE_BYTES];
};

/* SHA-256 of parts put together. */
void merkle_digest(const struct str *parts, size_t n, struct merkle_hash *ret);
/* SHA-256(0x00 ‖ data), SHA-256(0x01 ‖ left ‖ right). */
void merkle_leaf(struct str data, struct merkle_hash *ret);
void merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
                 struct merkle_hash *ret);
bool merkle_eq(const struct merkle_hash *a, const struct merkle_hash *b);

/* A tree that only grows: its whole nodes, the largest first; zero value: empty. */
struct merkle_tree {
    uint64_t n;                  /* leaves */
    struct merkle_hash peak[64]; /* by level; there where that bit of n is set */
};

void merkle_add(struct merkle_tree *t, const struct merkle_hash *leaf);
/* Adds a whole node; n must be a multiple of 2^level. */
void merkle_add_node(struct merkle_tree *t, unsigned level, const struct merkle_hash *node);
/* SHA-256 of nothing for the empty tree. */
void merkle_root(const struct merkle_tree *t, struct merkle_hash *ret);

struct merkle_proof {
    struct merkle_hash hash[MERKLE_PROOF_MAX];
    size_t n;
};

/* Where the nodes are. */
struct merkle_nodes {
    int (*node)(void *ctx, unsigned level, uint64_t index, struct merkle_hash *ret,
                struct err *err);
    void *ctx;
};

/* The root of the first n leaves. */
int merkle_root_at(const struct merkle_nodes *nodes, uint64_t n, struct merkle_hash *ret,
                   struct err *err);
/* That leaf `at` (< n) is in the tree of n leaves: from the leaf's sibling up. */
int merkle_inclusion(const struct merkle_nodes *nodes, uint64_t at, uint64_t n,
                     struct merkle_proof *ret, struct err *err);
/* That the tree of n leaves begins with that of m (<= n). */
int merkle_consistency(const struct merkle_nodes *nodes, uint64_t m, uint64_t n,
                       struct merkle_proof *ret, struct err *err);

/* RFC 9162 sections 2.1.3.2 and 2.1.4.2; the numbers and hashes may be anybody's. */
bool merkle_check_inclusion(const struct merkle_hash *leaf, uint64_t at, uint64_t n,
                            const struct merkle_proof *proof, const struct merkle_hash *root);
bool merkle_check_consistency(uint64_t m, const struct merkle_hash *root_m, uint64_t n,
                              const struct merkle_hash *root_n, const struct merkle_proof *proof);

#endif
