#include "fhir/search_int.h"
#include "fhir/ucum.h"

/* ---- single keys ---- */

static enum key_answer date_key(const struct search_value *v, bool by_end, struct str key)
{
    int64_t from_ms, to_ms;

    if (!key_date_read(key, by_end, &from_ms, &to_ms))
        return KEY_NO;
    return date_rule_matches(&v->date, from_ms, to_ms) ? KEY_YES : KEY_NO;
}

static enum key_answer contains_key(const struct search_value *v, struct str key)
{
    bool cut = key.n > 1 && key.p[key.n - 2] == KEY_CUT;
    struct str text = str_head(key, key.n - (cut ? 2 : 1));

    if (!key.n)
        return KEY_NO;
    if (v->modifier == MOD_ENDS ? !cut && str_ends(text, v->folded)
                                : memmem(text.p, text.n, v->folded.p, v->folded.n) != NULL)
        return KEY_YES;
    return cut ? KEY_ASK : KEY_NO;
}

static enum key_answer interval_key(const struct number_rule *rule, struct str key)
{
    struct decimal low, high;
    bool has_low, has_high;

    if (!key_interval_read(key, &low, &has_low, &high, &has_high))
        return KEY_NO;
    return number_rule_overlaps(rule, has_low ? &low : NULL, has_high ? &high : NULL) ? KEY_YES
                                                                                      : KEY_NO;
}

static enum key_answer single_key(const struct number_rule *rule, struct str key)
{
    struct decimal x;

    if (!decimal_from_key((const unsigned char *)key.p, key.n, &x))
        return KEY_NO;
    return number_rule_matches(rule, &x) ? KEY_YES : KEY_NO;
}

static enum key_answer quantity_key(const struct number_rule *rule, struct str key)
{
    size_t unit = key_unit_bytes(key);

    if (!unit)
        return KEY_NO;
    if (key.p[unit - 1] == KEY_INTERVAL_UNIT)
        return interval_key(rule, str_from(key, unit));
    return single_key(rule, str_from(key, unit));
}

enum key_answer search_key(const struct key_range *range, struct str key)
{
    const struct search_value *v = range->rule;

    if (range->set)
        return key_set_has(range->set, key) ? KEY_YES : KEY_NO;
    switch (v->kind) {
    case PARAM_DATE: return date_key(v, range->param & INDEX_PARAM_ENDS, key);
    case PARAM_STRING: return contains_key(v, key);
    case PARAM_NUMBER:
        return key_is_high_end(key) ? interval_key(&v->number, str_from(key, 2))
                                    : single_key(&v->number, key);
    case PARAM_QUANTITY: return quantity_key(&v->number, key);
    case PARAM_SPECIAL: return search_near_matches(v, key) ? KEY_YES : KEY_NO;
    default: return KEY_ASK;
    }
}

/* ---- groups ---- */

size_t search_group(const struct key_range *range, struct str key)
{
    const struct search_value *v = range->rule;
    size_t n;

    if (v->kind == PARAM_QUANTITY)
        return key_unit_bytes(key);
    if (v->kind != PARAM_REFERENCE)
        return key_system_bytes(key);
    if (!key.n || (unsigned char)key.p[0] != KEY_IDENTIFIER)
        return 0;
    n = key_system_bytes(str_from(key, 1));
    return n ? n + 1 : 0;
}

static int put(struct arena *a, const struct key *lo, const struct key *hi, struct key_range r,
               struct key_range *ret, struct err *err)
{
    r.lo = arena_dup(a, key_view(lo));
    r.hi = arena_dup(a, key_view(hi));
    if (!r.lo.p || !r.hi.p)
        return err_no_memory(err);
    *ret = r;
    return 1;
}

static int token_group(const struct key_range *range, struct str group, struct arena *a,
                       struct key_range *ret, struct err *err)
{
    const struct search_value *v = range->rule;
    struct key lo = {.n = 0}, hi;

    if (group.n > INDEX_KEY_MAX / 2)
        return 0;
    key_put(&lo, group.p, group.n);
    key_code(&lo, v->text);
    hi = lo;
    key_after(&hi);
    return put(
        a, &lo, &hi,
        (struct key_range){.param = range->param, .lossy = range->lossy, .point = true, .rule = v},
        ret, err);
}

/* Whether numbers of the group's unit can match: 0, 1, or 2 where the row has to be looked at. */
static int unit_rule(const struct search_value *v, struct str group, struct number_rule *ret)
{
    struct key system = {.n = 0}, unit = {.n = 0};
    struct str code;

    *ret = v->number;
    if (!v->has_bar || (!v->system.n && !v->text.n))
        return 1;
    group.n--; /* what ends it tells intervals from numbers */
    if (!v->system.n) {
        key_text(&unit, v->text, KEY_UNIT_BYTES);
        code = str_from(group, key_system_bytes(group));
        return str_eq(code, str_head(key_view(&unit), unit.n - 1)) ? 1 : 2;
    }
    key_system(&system, v->system);
    if (!str_starts(group, key_view(&system)))
        return 0;
    if (!v->text.n)
        return 1;
    code = str_from(group, system.n);
    key_text(&unit, v->text, KEY_UNIT_BYTES);
    if (str_eq(code, str_head(key_view(&unit), unit.n - 1)))
        return 1;
    return str_eq(v->system, STR(UCUM_SYSTEM)) && v->text.n <= KEY_UNIT_BYTES &&
           number_rule_convert(&v->number, v->text, code, ret);
}

static int quantity_group(const struct key_range *range, struct str group, struct arena *a,
                          struct key_range *ret, struct err *err)
{
    const struct search_value *v = range->rule;
    struct key lo[2], hi[2], prefix = {.n = 0};
    struct key_range r = {.param = range->param};
    struct search_value *own;
    struct number_rule rule;
    int fits;

    if (!group.n || group.n > INDEX_KEY_MAX - 2 * DECIMAL_KEY_MAX)
        return 0;
    fits = unit_rule(v, group, &rule);
    if (!fits)
        return 0;
    r.lossy = fits == 2;
    key_put(&prefix, group.p, group.n);
    if (group.p[group.n - 1] != KEY_INTERVAL_UNIT && rule.prefix != PREFIX_NE) {
        search_number_bounds(&rule, &prefix, lo, hi);
        return put(a, &lo[0], &hi[0], r, ret, err);
    }
    own = ARENA_NEW(a, struct search_value);
    if (!own)
        return err_no_memory(err);
    *own = *v;
    own->number = rule;
    r.rule = own;
    r.filtered = true;
    hi[0] = prefix;
    key_after(&hi[0]);
    return put(a, &prefix, &hi[0], r, ret, err);
}

int search_group_range(const struct key_range *range, struct str group, struct arena *a,
                       struct key_range *ret, struct err *err)
{
    const struct search_value *v = range->rule;

    if (v->kind == PARAM_QUANTITY)
        return quantity_group(range, group, a, ret, err);
    return token_group(range, group, a, ret, err);
}
