#include "fhir/search_int.h"

#include <inttypes.h>

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

static enum key_answer number_key(const struct number_rule *rule, struct str key)
{
    return key_is_high_end(key) ? interval_key(rule, str_from(key, 2)) : single_key(rule, key);
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

/* The last part of a composite, which the parts before have led to. */
static enum key_answer composite_key(const struct search_value *v, struct str key)
{
    const struct search_value *part = &v->parts[v->at];

    key = str_from(key, MIN(v->before, key.n));
    switch (part->kind) {
    case PARAM_NUMBER: return number_key(&part->number, key);
    case PARAM_QUANTITY: return quantity_key(&part->number, key);
    case PARAM_DATE:
        return date_key(part, key.n && key.p[0] == KEY_BY_END, str_from(key, MIN(key.n, 1)));
    default: assert(!"no other part is filtered"); return KEY_NO;
    }
}

enum key_answer search_key(const struct key_range *range, struct str key)
{
    const struct search_value *v = range->rule;

    if (range->set)
        return key_set_has(range->set, key) ? KEY_YES : KEY_NO;
    switch (v->kind) {
    case PARAM_DATE: return date_key(v, range->param & INDEX_PARAM_ENDS, key);
    case PARAM_STRING: return contains_key(v, key);
    case PARAM_NUMBER: return number_key(&v->number, key);
    case PARAM_QUANTITY: return quantity_key(&v->number, key);
    case PARAM_SPECIAL: return search_near_matches(v, key) ? KEY_YES : KEY_NO;
    case PARAM_COMPOSITE: return composite_key(v, key);
    default: return KEY_ASK;
    }
}

static void write_decimal(const struct decimal *d, struct sb *out)
{
    sb_fmt(out, "%d,%d,%d:", d->negative, d->exponent, d->n);
    sb_str(out, str_n((const char *)d->digit, d->n));
}

static void write_number_rule(const struct number_rule *rule, struct sb *out)
{
    sb_fmt(out, "n%d,", rule->prefix);
    write_decimal(&rule->v, out);
    write_decimal(&rule->from, out);
    write_decimal(&rule->to, out);
}

bool search_key_rule(const struct key_range *range, struct sb *out)
{
    const struct search_value *v = range->rule;

    if (range->set)
        return false;
    switch (v->kind) {
    case PARAM_DATE:
        sb_fmt(out, "d%d,%d,%" PRId64 ",%" PRId64 ";", v->date.prefix,
               (range->param & INDEX_PARAM_ENDS) != 0, v->date.from_ms, v->date.to_ms);
        return true;
    case PARAM_STRING:
        sb_fmt(out, "s%d,%zu:", v->modifier, v->folded.n);
        sb_str(out, v->folded);
        return true;
    case PARAM_NUMBER:
    case PARAM_QUANTITY: write_number_rule(&v->number, out); return true;
    default: return false;
    }
}

/* ---- groups ---- */

static size_t value_group(const struct search_value *v, struct str key)
{
    size_t n;

    if (v->kind == PARAM_QUANTITY)
        return key_unit_bytes(key);
    if (v->kind != PARAM_REFERENCE)
        return v->any_code ? key_token_bytes(key) : key_system_bytes(key);
    if (!key.n || (unsigned char)key.p[0] != KEY_IDENTIFIER)
        return 0;
    n = key_system_bytes(str_from(key, 1));
    return n ? n + 1 : 0;
}

size_t search_group(const struct key_range *range, struct str key)
{
    const struct search_value *v = range->rule;
    size_t n;

    if (v->kind != PARAM_COMPOSITE)
        return value_group(v, key);
    if (search_is_mark(range))
        return MIN(key.n, (size_t)1);
    if (key.n <= v->before)
        return 0;
    n = value_group(&v->parts[v->at], str_from(key, v->before));
    return n ? v->before + n : 0;
}

int search_group_ranges(const struct key_range *range, struct str group, struct arena *a,
                        struct key_range **ret, size_t *ret_n, struct err *err)
{
    struct range_list out = {0};
    int r = search_ranges_inside(range, group, a, &out, err);

    *ret = out.p;
    *ret_n = out.n;
    return r;
}
