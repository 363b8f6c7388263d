/* filter.c - the filters of an include (valueset-filter-operator.html), over bits. */
#include "terminology/vs.h"

#include "terminology/ecl.h"
#include "terminology/pattern.h"

struct filtering {
    const struct cs *cs;
    struct arena *a;
    struct str property, value;
    uint64_t *bits;
    struct err *err;
};

static int unknown_filter(const struct filtering *f, struct str op)
{
    return err_set(f->err, ERR_PROCESSING,
                   "the filter \"%.*s %.*s %.*s\" cannot be applied to the code system %.*s",
                   (int)MIN(f->property.n, 60u), f->property.n ? f->property.p : "",
                   (int)MIN(op.n, 30u), op.n ? op.p : "", (int)MIN(f->value.n, 100u),
                   f->value.n ? f->value.p : "", STR_ARG(cs_url(f->cs)));
}

static bool is_code_property(struct str property)
{
    return str_eq(property, STR("concept")) || str_eq(property, STR("code"));
}

/* ---- hierarchy ---- */

static int find_value(const struct filtering *f, uint32_t *ret)
{
    *ret = cs_find(f->cs, f->value);
    if (*ret == CS_NONE)
        return err_set(
            f->err, ERR_PROCESSING, "the filter names \"%.*s\", which is no code of %.*s",
            (int)MIN(f->value.n, 100u), f->value.n ? f->value.p : "", STR_ARG(cs_url(f->cs)));
    return 0;
}

static void clear(uint64_t *bits, uint32_t i)
{
    bits[i / 64] &= ~(UINT64_C(1) << i % 64);
}

static void invert(const struct filtering *f)
{
    for (uint32_t i = 0; i < cs_n(f->cs); i++)
        f->bits[i / 64] ^= UINT64_C(1) << i % 64;
}

static int is_a(struct filtering *f)
{
    uint32_t i;
    int r = find_value(f, &i);

    return r < 0 ? r : cs_descendants(f->cs, f->a, i, f->bits, f->err);
}

static int is_not_a(struct filtering *f)
{
    int r = is_a(f);

    if (r >= 0)
        invert(f);
    return r;
}

static int descendent_of(struct filtering *f)
{
    uint32_t i;
    int r = find_value(f, &i);

    if (r < 0 || (r = cs_descendants(f->cs, f->a, i, f->bits, f->err)) < 0)
        return r;
    clear(f->bits, i);
    return 0;
}

static int generalizes(struct filtering *f)
{
    uint32_t i;
    int r = find_value(f, &i);

    return r < 0 ? r : cs_ancestors(f->cs, f->a, i, f->bits, f->err);
}

static int child_of(struct filtering *f)
{
    const uint32_t *children;
    uint32_t i;
    size_t n;
    int r = find_value(f, &i);

    if (r < 0)
        return r;
    children = cs_children(f->cs, i, &n);
    for (size_t k = 0; k < n; k++)
        bits_add(f->bits, children[k]);
    return 0;
}

static int descendent_leaf(struct filtering *f)
{
    int r = descendent_of(f);
    size_t n;

    for (uint32_t i = 0; r >= 0 && i < cs_n(f->cs); i++)
        if ((cs_children(f->cs, i, &n), n) && bits_has(f->bits, i))
            clear(f->bits, i);
    return r;
}

/* ---- properties ---- */

/* Whether a test holds for one of the values that a concept has for the property. */
typedef bool value_test(const struct filtering *f, void *ctx, struct str value);

static bool has_value(const struct filtering *f, int def, uint32_t i, value_test *test, void *ctx)
{
    size_t n;
    const struct cs_property *p;
    const uint32_t *links = NULL;

    if (is_code_property(f->property))
        return test(f, ctx, cs_code(f->cs, i));
    if (str_eq(f->property, STR("display")))
        return test(f, ctx, cs_display(f->cs, i));
    if (str_eq(f->property, STR("definition")))
        return test(f, ctx, cs_text(f->cs, cs_at(f->cs, i)->definition));
    p = cs_properties(f->cs, i, &n);
    for (size_t k = 0; k < n; k++)
        if ((int)p[k].def == def && test(f, ctx, cs_text(f->cs, p[k].value)))
            return true;
    n = 0;
    if (str_eq(f->property, STR("parent")))
        links = cs_parents(f->cs, i, &n);
    else if (str_eq(f->property, STR("child")))
        links = cs_children(f->cs, i, &n);
    for (size_t k = 0; k < n; k++)
        if (test(f, ctx, cs_code(f->cs, links[k])))
            return true;
    return false;
}

/* Properties that need no definition in the code system. */
static bool is_built_in(struct str property)
{
    static const struct str names[] = {STR("concept"),    STR("code"),         STR("display"),
                                       STR("definition"), STR("parent"),       STR("child"),
                                       STR("inactive"),   STR("notSelectable")};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(property, names[i]))
            return true;
    return false;
}

/* "inactive" and "notSelectable" hold without being written at each concept. */
static bool has_flag(const struct filtering *f, uint32_t i, value_test *test, void *ctx,
                     bool *ret_is_flag)
{
    bool inactive = str_eq(f->property, STR("inactive"));
    uint32_t flag = inactive ? CONCEPT_INACTIVE : CONCEPT_ABSTRACT;

    *ret_is_flag = inactive || str_eq(f->property, STR("notSelectable"));
    return *ret_is_flag && test(f, ctx, cs_at(f->cs, i)->flags & flag ? STR("true") : STR("false"));
}

static int each(struct filtering *f, struct str op, value_test *test, void *ctx, bool negate)
{
    int def = cs_property_find(f->cs, f->property);

    if (def < 0 && !is_built_in(f->property))
        return unknown_filter(f, op);
    for (uint32_t i = 0; i < cs_n(f->cs); i++) {
        bool is_flag, has = has_flag(f, i, test, ctx, &is_flag);
        if (!is_flag)
            has = has_value(f, def, i, test, ctx);
        if (has != negate)
            bits_add(f->bits, i);
    }
    return 0;
}

static bool is_same(const struct filtering *f, struct str value, struct str wanted)
{
    return is_code_property(f->property) && cs_any_case(cs_info(f->cs))
               ? str_eq_nocase(value, wanted)
               : str_eq(value, wanted);
}

static bool test_equal(const struct filtering *f, void *ctx, struct str value)
{
    (void)ctx;
    return is_same(f, value, f->value);
}

static bool test_in(const struct filtering *f, void *ctx, struct str value)
{
    struct str rest = f->value, one;

    (void)ctx;
    while (rest.p && str_split(&rest, ',', &one))
        if (is_same(f, value, str_trim(one)))
            return true;
    return false;
}

static bool test_any(const struct filtering *f, void *ctx, struct str value)
{
    (void)f;
    (void)ctx;
    return value.n > 0;
}

static bool test_pattern(const struct filtering *f, void *ctx, struct str value)
{
    (void)f;
    return pattern_matches(ctx, value);
}

static int by_pattern(struct filtering *f)
{
    _cleanup_(pattern_freep) struct pattern *p = NULL;
    int r = pattern_new(f->value, &p, f->err);

    if (r < 0 || (r = each(f, STR("regex"), test_pattern, p, false)) < 0)
        return r;
    return pattern_is_costly(p)
               ? err_set(f->err, ERR_COSTLY, "the regular expression costs too much to match")
               : 0;
}

static bool is_snomed(const struct filtering *f)
{
    return str_eq(cs_url(f->cs), STR("http://snomed.info/sct"));
}

/* Whether SNOMED CT's expressions are in the set as well: they are not known here either way. */
static int by_expressions(struct filtering *f)
{
    if (!str_eq(f->value, STR("true")) && !str_eq(f->value, STR("false")))
        return err_set(f->err, ERR_PROCESSING, "the filter \"expressions\" takes true or false");
    for (uint32_t i = 0; i < cs_n(f->cs); i++)
        bits_add(f->bits, i);
    return 0;
}

/* The members of a reference set (snomedct.html, "concept in"). */
static int by_reference_set(struct filtering *f)
{
    struct str parts[] = {STR("^"), f->value}, text = arena_join(f->a, parts, 2);

    return text.p ? ecl_select(f->cs, f->a, text, f->bits, f->err) : err_no_memory(f->err);
}

static int by_equal(struct filtering *f)
{
    if (is_snomed(f) && str_eq(f->property, STR("expressions")))
        return by_expressions(f);
    if (ecl_is_for(f->cs, f->property))
        return ecl_select(f->cs, f->a, f->value, f->bits, f->err);
    return each(f, STR("="), test_equal, NULL, false);
}

static int by_in(struct filtering *f)
{
    if (is_snomed(f) && str_eq(f->property, STR("concept")) && str_find(f->value, ',') < 0)
        return by_reference_set(f);
    return each(f, STR("in"), test_in, NULL, false);
}

static int by_not_in(struct filtering *f)
{
    return each(f, STR("not-in"), test_in, NULL, true);
}

static int by_exists(struct filtering *f)
{
    if (!str_eq(f->value, STR("true")) && !str_eq(f->value, STR("false")))
        return err_set(f->err, ERR_PROCESSING, "the filter \"exists\" takes true or false");
    return each(f, STR("exists"), test_any, NULL, str_eq(f->value, STR("false")));
}

int vs_filter(const struct cs *cs, struct arena *a, struct str property, struct str op,
              struct str value, uint64_t *bits, struct err *err)
{
    static const struct {
        struct str op;
        bool hierarchy;
        int (*run)(struct filtering *f);
    } table[] = {
        {STR("="), false, by_equal},
        {STR("is-a"), true, is_a},
        {STR("descendent-of"), true, descendent_of},
        {STR("is-not-a"), true, is_not_a},
        {STR("generalizes"), true, generalizes},
        {STR("child-of"), true, child_of},
        {STR("descendent-leaf"), true, descendent_leaf},
        {STR("regex"), false, by_pattern},
        {STR("in"), false, by_in},
        {STR("not-in"), false, by_not_in},
        {STR("exists"), false, by_exists},
    };
    struct filtering f = {cs, a, property, value.p ? value : STR(""), bits, err};

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (str_eq(table[i].op, op) && (!table[i].hierarchy || is_code_property(property)))
            return table[i].run(&f);
    return unknown_filter(&f, op);
}
