/* Images of code systems: what goes in comes out, damage is seen, memory that runs out is told. */
#include "taken.h"

#include "base/fault.h"

static struct cs_builder *make(void)
{
    struct cs_builder *b = cs_builder_new();
    uint32_t def, top, kid;

    if (!b)
        return NULL;
    cs_builder_info(b)->url = cs_builder_text(b, STR("http://e.org"));
    def = cs_builder_property_def(b, STR("p"), STR(""), STR(""), PROPERTY_STRING);
    top = cs_builder_add(b, STR("top"), STR("Été au Café"), STR("def"), 0);
    kid = cs_builder_add(b, STR("kid"), STR("Cafeteria"), STR(""), CONCEPT_ABSTRACT);
    if (kid != CS_NONE) {
        cs_builder_parent(b, kid, top);
        cs_builder_property(b, kid, def, PROPERTY_STRING, STR("v"), STR(""), STR(""));
        cs_builder_designation(b, top, STR("en"), STR(""), STR(""), STR(""), STR("Summer"));
    }
    return b;
}

static int open_it(struct cs **ret, struct err *err)
{
    struct cs_builder *b = make();
    char *bytes;
    size_t n;
    int r = b ? cs_build(b, &bytes, &n, err) : ERR_NO_MEMORY;

    cs_builder_free(b);
    return r < 0 ? r : cs_open(bytes, n, ret, err);
}

static size_t matches(struct cs *cs, const char *text)
{
    struct err err = {0};
    struct arena a;
    uint64_t *bits;
    size_t n;

    arena_init(&a, MIB(1));
    assert_int_equal(cs_match_text(cs, &a, str_c(text), &bits, &err), 0);
    n = bits ? bits_count(bits, cs_n(cs)) : 99;
    arena_done(&a);
    return n;
}

static void what_goes_in_comes_out(void **state)
{
    struct err err = {0};
    struct cs *cs;
    size_t n;

    (void)state;
    assert_int_equal(open_it(&cs, &err), 0);
    assert_int_equal(cs_n(cs), 2);
    assert_str(cs_display(cs, cs_find(cs, STR("top"))), STR("Été au Café"));
    assert_int_equal(cs_find(cs, STR("Top")), CS_NONE);
    assert_int_equal(cs_find(cs, STR("")), CS_NONE);
    assert_str(property_of(cs, 1, "p"), STR("v"));
    assert_int_equal(cs_children(cs, 0, &n)[0], 1);
    assert_str(cs_text(cs, cs_designations(cs, 0, &n)->value), STR("Summer"));
    assert_int_equal(matches(cs, "caf"), 2);
    assert_int_equal(matches(cs, "CAFÉ"), 2);
    assert_int_equal(matches(cs, "ete cafe"), 1);
    assert_int_equal(matches(cs, "sum"), 1);
    assert_int_equal(matches(cs, "feteria"), 0);
    assert_int_equal(matches(cs, "cafe zzz"), 0);
    assert_int_equal(matches(cs, " - "), 99);
    cs_unref(cs);
}

/* "ab", "AB" and "Cd", in a system that says this of case. */
static struct cs *make_of_case(uint32_t flags)
{
    static const char *const codes[] = {"ab", "AB", "Cd"};
    struct cs_builder *b = cs_builder_new();
    struct err err = {0};
    struct cs *cs;
    char *bytes;
    size_t n;

    cs_builder_info(b)->flags = flags;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        cs_builder_add(b, str_c(codes[i]), STR(""), STR(""), 0);
    assert_int_equal(cs_build(b, &bytes, &n, &err), 0);
    assert_int_equal(cs_open(bytes, n, &cs, &err), 0);
    cs_builder_free(b);
    return cs;
}

static void codes_are_found_in_the_case_that_counts(void **state)
{
    struct cs *cs = make_of_case(0);

    (void)state;
    assert_int_equal(cs_find(cs, STR("AB")), 1);
    assert_int_equal(cs_find(cs, STR("Ab")), CS_NONE);
    assert_int_equal(cs_find(cs, STR("cd")), CS_NONE);
    cs_unref(cs);
    cs = make_of_case(CS_CASE_UNKNOWN);
    assert_int_equal(cs_find(cs, STR("ab")), 0);
    assert_int_equal(cs_find(cs, STR("AB")), 1);
    assert_int_equal(cs_find(cs, STR("Ab")), 0);
    assert_int_equal(cs_find(cs, STR("cD")), 2);
    assert_int_equal(cs_find(cs, STR("ce")), CS_NONE);
    cs_unref(cs);
    cs = make_of_case(CS_IGNORE_CASE);
    assert_int_equal(cs_n(cs), 2);
    assert_int_equal(cs_find(cs, STR("AB")), 0);
    assert_int_equal(cs_find(cs, STR("CD")), 1);
    cs_unref(cs);
}

static void damage_is_seen(void **state)
{
    struct err err = {0};
    size_t n = 0;

    (void)state;
    for (size_t at = 0; at == 0 || at < n; at += 7) {
        struct cs_builder *b = make();
        struct cs *cs;
        char *bytes;
        assert_int_equal(cs_build(b, &bytes, &n, &err), 0);
        bytes[at] ^= 0x10;
        assert_int_equal(cs_open(bytes, n, &cs, &err), ERR_NO_STORE);
        cs_builder_free(b);
    }
}

static void rings_are_refused(void **state)
{
    struct cs_builder *b = make();
    struct err err = {0};
    char *bytes;
    size_t n;

    (void)state;
    cs_builder_parent(b, 0, 1);
    assert_int_equal(cs_build(b, &bytes, &n, &err), ERR_PROCESSING);
    cs_builder_free(b);
}

static void lack_of_memory_is_told(void **state)
{
    struct err err = {0};

    (void)state;
    FAULT_LOOP(true) {
        struct cs *cs = NULL;
        int r = open_it(&cs, &err);
        assert_true(r == 0 || r == ERR_NO_MEMORY);
        if (r == 0)
            cs_unref(cs);
    }
}

/* Many concepts in a graph: subsumption as a walk over the parents says. */
static void graphs_are_climbed(void **state)
{
    struct cs_builder *b = cs_builder_new();
    struct err err = {0};
    struct cs *cs;
    char *bytes;
    size_t n;
    enum { N = 200 };
    static bool above[N][N];

    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        char code[8];
        snprintf(code, sizeof code, "c%u", i);
        cs_builder_add(b, str_c(code), STR(""), STR(""), 0);
        above[i][i] = true;
        for (uint32_t k = 1; k <= 2 && i >= 3; k++) {
            uint32_t parent = (i * 7 + k * 13) % i;
            cs_builder_parent(b, i, parent);
            for (uint32_t j = 0; j < N; j++)
                above[i][j] |= above[parent][j];
        }
    }
    assert_int_equal(cs_build(b, &bytes, &n, &err), 0);
    assert_int_equal(cs_open(bytes, n, &cs, &err), 0);
    assert_true(cs_info(cs)->flags & CS_DAG);
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t k = 0; k < N; k++)
            assert_int_equal(cs_is_a(cs, i, k), above[i][k]);
    cs_unref(cs);
    cs_builder_free(b);
}

/* One below the other, as deep as somebody likes: no time, no stack. */
static void chains_are_no_burden(void **state)
{
    struct cs_builder *b = cs_builder_new();
    struct err err = {0};
    struct cs *cs;
    char *bytes;
    size_t n;
    enum { N = 200000 };

    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        char code[12];
        snprintf(code, sizeof code, "c%u", i);
        assert_int_equal(cs_builder_add(b, str_c(code), STR(""), STR(""), 0), i);
        if (i)
            cs_builder_parent(b, i, i - 1);
    }
    assert_int_equal(cs_build(b, &bytes, &n, &err), 0);
    assert_int_equal(cs_open(bytes, n, &cs, &err), 0);
    assert_true(cs_info(cs)->flags & CS_TREE);
    assert_true(cs_is_a(cs, N - 1, 0));
    assert_false(cs_is_a(cs, 0, N - 1));
    assert_int_equal(cs_find(cs, STR("c199999")), N - 1);
    cs_unref(cs);
    cs_builder_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(codes_are_found_in_the_case_that_counts),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(rings_are_refused),
        cmocka_unit_test(lack_of_memory_is_told),
        cmocka_unit_test(graphs_are_climbed),
        cmocka_unit_test(chains_are_no_burden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
