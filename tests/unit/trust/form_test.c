#include "trust/form.h"

#include "../test.h"

static struct arena a;

static int parse(struct str text, struct form *ret)
{
    struct err err;

    *ret = (struct form){.n = 0};
    return form_parse(&a, text, ret, &err);
}

static void reads_fields(void **state)
{
    struct form f;

    (void)state;
    arena_init(&a, MIB(1));
    assert_int_equal(parse(STR("a=1&b=x%20y+z&&c=&d&%65=%E5%AF%86"), &f), 0);
    assert_str(form_get(&f, "a"), STR("1"));
    assert_str(form_get(&f, "b"), STR("x y z"));
    assert_null(form_get(&f, "c").p);
    assert_null(form_get(&f, "d").p);
    assert_str(form_get(&f, "e"), STR("密"));
    assert_null(form_get(&f, "f").p);
    arena_done(&a);
}

static void refuses(void **state)
{
    static const char *const bad[] = {"a=1&a=2", "a=1&%61=2", "a=%",   "a=%1",
                                      "a=%zz",   "a=%00",     "%00=1", "a&a"};
    struct sb many = sb_make(MIB(1));
    struct form f;

    (void)state;
    arena_init(&a, MIB(1));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (parse(str_c(bad[i]), &f) != ERR_VALUE)
            fail_msg("taken: %s", bad[i]);
    for (int i = 0; i <= FORM_FIELDS_MAX; i++)
        sb_fmt(&many, "f%d=&", i);
    assert_int_equal(parse(sb_view(&many), &f), ERR_VALUE);
    sb_reset(&many);
    for (size_t i = 0; i <= FORM_BYTES_MAX; i++)
        sb_char(&many, 'a');
    assert_int_equal(parse(sb_view(&many), &f), ERR_VALUE);
    sb_done(&many);
    arena_done(&a);
}

static void writes_what_it_reads(void **state)
{
    struct sb out = sb_make(KIB(1));
    bool first = true;
    struct form f;

    (void)state;
    arena_init(&a, MIB(1));
    form_write(&out, &first, "a", STR("x&y=z +%"));
    form_write(&out, &first, "b", STR("é"));
    assert_int_equal(parse(sb_view(&out), &f), 0);
    assert_str(form_get(&f, "a"), STR("x&y=z +%"));
    assert_str(form_get(&f, "b"), STR("é"));
    sb_done(&out);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(refuses),
        cmocka_unit_test(writes_what_it_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
