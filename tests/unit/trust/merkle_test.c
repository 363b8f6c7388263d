/* The tree against the roots that are published for Certificate Transparency's test leaves, and its
 * proofs against the definitions of RFC 9162 section 2.1, written down once more as they stand. */
#include "../test.h"

#include "trust/audit/merkle.h"

#define N 70

static struct merkle_hash leaves[N];

static void make_leaves(void)
{
    for (unsigned i = 0; i < N; i++) {
        char text[8] = {(char)i, 'x'};

        merkle_leaf(str_n(text, 2), &leaves[i]);
    }
}

static void from_hex(const char *hex, struct merkle_hash *ret)
{
    for (size_t i = 0; i < MERKLE_BYTES; i++) {
        unsigned v;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
        ret->b[i] = (unsigned char)v;
    }
}

static void test_published(void **state)
{
    static const struct str data[] = {
        STR(""),
        STR("\x00"),
        STR("\x10"),
        STR("\x20\x21"),
        STR("\x30\x31"),
        STR("\x40\x41\x42\x43"),
        STR("\x50\x51\x52\x53\x54\x55\x56\x57"),
        STR("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"),
    };
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    struct merkle_tree t = {.n = 0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        struct merkle_hash root, right, leaf;

        merkle_root(&t, &root);
        from_hex(roots[i], &right);
        assert_memory_equal(root.b, right.b, MERKLE_BYTES);
        if (i < ARRAY_LEN(data)) {
            merkle_leaf(data[i], &leaf);
            merkle_add(&t, &leaf);
        }
    }
}

/* ---- the definitions ---- */

static size_t below(size_t n)
{
    size_t k = 1;

    while (k * 2 < n)
        k *= 2;
    return k;
}

static struct merkle_hash mth(size_t lo, size_t hi)
{
    struct merkle_hash l, r;

    if (hi - lo == 0) {
        merkle_digest(NULL, 0, &l);
        return l;
    }
    if (hi - lo == 1)
        return leaves[lo];
    l = mth(lo, lo + below(hi - lo));
    r = mth(lo + below(hi - lo), hi);
    merkle_node(&l, &r, &l);
    return l;
}

static void path(size_t m, size_t lo, size_t hi, struct merkle_proof *p)
{
    size_t k = below(hi - lo);

    if (hi - lo == 1)
        return;
    if (m < k) {
        path(m, lo, lo + k, p);
        p->hash[p->n++] = mth(lo + k, hi);
    } else {
        path(m - k, lo + k, hi, p);
        p->hash[p->n++] = mth(lo, lo + k);
    }
}

static void subproof(size_t m, size_t lo, size_t hi, bool b, struct merkle_proof *p)
{
    size_t n = hi - lo, k = below(n);

    if (m == n) {
        if (!b)
            p->hash[p->n++] = mth(lo, hi);
    } else if (m <= k) {
        subproof(m, lo, lo + k, b, p);
        p->hash[p->n++] = mth(lo + k, hi);
    } else {
        subproof(m - k, lo + k, hi, false, p);
        p->hash[p->n++] = mth(lo, lo + k);
    }
}

static int node(void *ctx, unsigned level, uint64_t index, struct merkle_hash *ret, struct err *err)
{
    size_t size = (size_t)1 << level;

    (void)err;
    assert_true((index + 1) * size <= *(size_t *)ctx); /* whole nodes alone */
    *ret = mth((size_t)index * size, (size_t)(index + 1) * size);
    return 0;
}

static void assert_same(const struct merkle_proof *a, const struct merkle_proof *b)
{
    assert_int_equal(a->n, b->n);
    if (a->n)
        assert_memory_equal(a->hash, b->hash, a->n * sizeof a->hash[0]);
}

static void test_inclusion(void **state)
{
    struct err err;

    (void)state;
    make_leaves();
    for (size_t n = 1; n <= N; n++)
        for (size_t at = 0; at < n; at++) {
            struct merkle_nodes nodes = {node, &n};
            struct merkle_proof ours, right = {.n = 0};
            struct merkle_hash root = mth(0, n), other = leaves[(at + 1) % N];

            path(at, 0, n, &right);
            assert_int_equal(merkle_inclusion(&nodes, at, n, &ours, &err), 0);
            assert_same(&ours, &right);
            assert_true(merkle_check_inclusion(&leaves[at], at, n, &ours, &root));
            assert_false(merkle_check_inclusion(&other, at, n, &ours, &root));
            if (n > 1)
                assert_false(merkle_check_inclusion(&leaves[at], (at + 1) % n, n, &ours, &root));
            ours.n++;
            ours.hash[ours.n - 1] = root;
            assert_false(merkle_check_inclusion(&leaves[at], at, n, &ours, &root));
        }
}

static void test_consistency(void **state)
{
    struct err err;

    (void)state;
    make_leaves();
    for (size_t n = 0; n <= N; n++)
        for (size_t m = 0; m <= n; m++) {
            struct merkle_nodes nodes = {node, &n};
            struct merkle_proof ours, right = {.n = 0};
            struct merkle_hash old = mth(0, m), now = mth(0, n), other = leaves[0];

            if (m)
                subproof(m, 0, n, true, &right);
            assert_int_equal(merkle_consistency(&nodes, m, n, &ours, &err), 0);
            assert_same(&ours, &right);
            assert_true(merkle_check_consistency(m, &old, n, &now, &ours));
            other.b[0] ^= 1;
            assert_false(merkle_check_consistency(m, &other, n, &now, &ours));
            if (m && n > m)
                assert_false(merkle_check_consistency(m, &old, n, &other, &ours));
            if (ours.n) {
                ours.hash[ours.n / 2].b[7] ^= 1;
                assert_false(merkle_check_consistency(m, &old, n, &now, &ours));
                ours.hash[ours.n / 2].b[7] ^= 1;
                ours.n--;
                assert_false(merkle_check_consistency(m, &old, n, &now, &ours));
            }
        }
}

static void test_absurd(void **state)
{
    struct merkle_proof p = {.n = 0};
    struct merkle_hash h = {{0}};

    (void)state;
    assert_false(merkle_check_inclusion(&h, 0, 0, &p, &h));
    assert_false(merkle_check_inclusion(&h, UINT64_MAX, UINT64_MAX, &p, &h));
    assert_false(merkle_check_consistency(5, &h, 4, &h, &p));
    assert_false(merkle_check_consistency(1, &h, UINT64_MAX, &h, &p));
    p.n = MERKLE_PROOF_MAX + 1;
    assert_false(merkle_check_inclusion(&h, 0, 2, &p, &h));
    assert_false(merkle_check_consistency(1, &h, 2, &h, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_inclusion),
        cmocka_unit_test(test_consistency),
        cmocka_unit_test(test_absurd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
