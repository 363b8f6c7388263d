#include "store/row_bits.h"

#include "../test.h"

#include "base/fault.h"

static void rows_far_apart(void **state)
{
    static const uint64_t rows[] = {
        1, 63, 64, 65535, 65536, 1000000, (1u << 28), UINT64_C(1) << 39, 1000001, 0xffffffffff};
    struct row_bits *b = calloc(1, sizeof *b);

    (void)state;
    assert_non_null(b);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_false(row_bits_has(b, rows[i]));
        row_bits_clear(b, rows[i]);
        assert_true(row_bits_set(b, rows[i]));
        assert_true(row_bits_set(b, rows[i]));
        assert_true(row_bits_has(b, rows[i]));
    }
    assert_false(row_bits_has(b, 2));
    assert_false(row_bits_has(b, 1000002));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        row_bits_clear(b, rows[i]);
        for (size_t k = 0; k < ARRAY_LEN(rows); k++)
            assert_int_equal(row_bits_has(b, rows[k]), k > i);
    }
    row_bits_done(b);
    free(b);
}

static void without_memory(void **state)
{
    struct row_bits *b = calloc(1, sizeof *b);

    (void)state;
    assert_non_null(b);
    FAULT_LOOP(false) {
        bool done = row_bits_set(b, 70000);

        assert_int_equal(row_bits_has(b, 70000), done);
        row_bits_clear(b, 70000);
    }
    row_bits_done(b);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_far_apart),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
