#include "fhir/path_int.h"

#include <utf8proc.h>

/* ---- order ---- */

#define QUICK_DIGITS 15

/* A plain numeral of few digits: its digits as one number, and how many stand behind the point. */
static bool quick_number(struct str s, int64_t *ret, int *ret_places)
{
    size_t from = s.n && s.p[0] == '-' ? 1 : 0; /* behind the sign */
    int64_t v = 0;
    int places = -1;

    if (s.n > QUICK_DIGITS || s.n == from)
        return false;
    for (size_t i = from; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9 && (s.p[i] != '.' || places >= 0))
            return false;
        v = digit > 9 ? v : v * 10 + digit;
        places += digit > 9 || places >= 0;
    }
    *ret = from ? -v : v;
    *ret_places = MAX(places, 0);
    return true;
}

static int64_t with_places(int64_t v, int from, int to)
{
    for (; from < to; from++)
        v *= 10;
    return v;
}

static int compare_numbers(struct str x, struct str y)
{
    struct decimal a, b;
    int64_t u, v;
    int c, m, n;

    if (str_eq(x, y))
        return 0;
    if (x.n + y.n <= QUICK_DIGITS && quick_number(x, &u, &m) && quick_number(y, &v, &n)) {
        u = with_places(u, m, n);
        v = with_places(v, n, m);
        return (u > v) - (u < v);
    }
    if (decimal_parse(x, &a, NULL) < 0 || decimal_parse(y, &b, NULL) < 0)
        return PATH_NOT_COMPARABLE;
    c = decimal_cmp(&a, &b);
    return c < 0 ? -1 : c > 0;
}

static int compare_moments(const struct path_item *a, enum path_kind ka, const struct path_item *b,
                           enum path_kind kb)
{
    struct path_moment x, y;

    if (!path_moment_parse(ka, path_item_text(a), &x) ||
        !path_moment_parse(kb, path_item_text(b), &y))
        return PATH_NOT_COMPARABLE;
    return path_moment_compare(&x, &y);
}

/* An integer or a decimal beside a quantity counts as one of the unit 1. */
static bool as_quantity(const struct path_item *item, struct path_quantity *ret)
{
    if (path_to_quantity(item, ret))
        return true;
    *ret = (struct path_quantity){.unit = STR("1")};
    return path_is_number(path_item_kind(item)) &&
           decimal_parse(path_item_text(item), &ret->value, NULL) == 0;
}

static bool is_quantity_type(const struct path_item *item)
{
    return item->kind == PATH_ELEMENT && yyjson_is_obj(item->v) && path_is_quantity(item->type);
}

static bool same_member(yyjson_val *a, yyjson_val *b, const char *name)
{
    return str_eq(js_get_str(a, name), js_get_str(b, name));
}

/* Quantities that are not in UCUM: known only where both are in one unit. */
static int compare_in_kind(const struct path_item *a, const struct path_item *b)
{
    struct str x = js_str(js_get(a->v, "value")), y = js_str(js_get(b->v, "value"));

    if (!x.p || !y.p || js_get(a->v, "comparator") || js_get(b->v, "comparator") ||
        !same_member(a->v, b->v, "system") || !same_member(a->v, b->v, "code") ||
        (!js_get(a->v, "code") && !same_member(a->v, b->v, "unit")))
        return PATH_NOT_KNOWN;
    return compare_numbers(x, y);
}

static int compare_quantities(const struct path_item *a, const struct path_item *b)
{
    struct path_quantity x, y;

    if (as_quantity(a, &x) && as_quantity(b, &y))
        return path_quantity_compare(&x, &y);
    if (is_quantity_type(a) && is_quantity_type(b))
        return compare_in_kind(a, b);
    return PATH_NOT_COMPARABLE;
}

static bool is_some_quantity(const struct path_item *item)
{
    return item->kind == PATH_QUANTITY || is_quantity_type(item);
}

int path_compare(const struct path_item *a, const struct path_item *b)
{
    enum path_kind ka = path_item_kind(a), kb = path_item_kind(b);
    struct str x, y;
    int c;

    if (is_some_quantity(a) || is_some_quantity(b))
        return compare_quantities(a, b);
    x = path_item_text(a);
    y = path_item_text(b);
    if ((a->kind == PATH_ELEMENT && !a->v) || (b->kind == PATH_ELEMENT && !b->v))
        return PATH_NOT_KNOWN;
    if (path_is_number(ka) && path_is_number(kb))
        return compare_numbers(x, y);
    if ((path_is_date(ka) && path_is_date(kb)) || (ka == PATH_TIME && kb == PATH_TIME))
        return compare_moments(a, ka, b, kb);
    if (ka != PATH_STRING || kb != PATH_STRING)
        return PATH_NOT_COMPARABLE;
    c = str_cmp(x, y);
    return c < 0 ? -1 : c > 0;
}

/* Rounded to the precision of the less precise one. */
static int like_numbers(struct str x, struct str y)
{
    struct decimal a, b;
    int places;

    if (decimal_parse(x, &a, NULL) < 0 || decimal_parse(y, &b, NULL) < 0)
        return 0;
    decimal_trim(&a);
    decimal_trim(&b);
    places = MAX(MIN(-a.exponent, -b.exponent), 0);
    if (decimal_places(&a, places, DECIMAL_HALF_UP, &a, NULL) < 0 ||
        decimal_places(&b, places, DECIMAL_HALF_UP, &b, NULL) < 0)
        return 0;
    return decimal_cmp(&a, &b) == 0;
}

/* ---- equality of trees ---- */

/* Members in any order, each with its equal; numbers by their value. `like`: arrays in any order
 * too, texts without regard to case. */
static int equal_json(struct path_env *env, yyjson_val *a, yyjson_val *b, bool like,
                      struct err *err);

static int equal_arrays(struct path_env *env, yyjson_val *a, yyjson_val *b, struct err *err)
{
    size_t i, max;
    yyjson_val *x, *y = yyjson_arr_get_first(b);
    int r = 1;

    yyjson_arr_foreach(a, i, max, x) {
        r = equal_json(env, x, y, false, err);
        if (r <= 0)
            break;
        y = unsafe_yyjson_get_next(y);
    }
    return r;
}

#define LIKE_MAX 512 /* items of an array that are compared in any order */

static int like_arrays(struct path_env *env, yyjson_val *a, yyjson_val *b, struct err *err)
{
    bool taken[LIKE_MAX] = {false};
    size_t i, j, max, max_b;
    yyjson_val *x, *y;

    if (yyjson_arr_size(a) > LIKE_MAX)
        return path_costly(err);
    yyjson_arr_foreach(a, i, max, x) {
        bool found = false;
        yyjson_arr_foreach(b, j, max_b, y) {
            int r = taken[j] ? 0 : equal_json(env, x, y, true, err);
            if (r < 0)
                return r;
            if (r) {
                taken[j] = found = true;
                break;
            }
        }
        if (!found)
            return 0;
    }
    return 1;
}

static int equal_objects(struct path_env *env, yyjson_val *a, yyjson_val *b, bool like,
                         struct err *err)
{
    size_t i, max;
    yyjson_val *key, *x;
    int r = 1;

    yyjson_obj_foreach(a, i, max, key, x) {
        yyjson_val *y = yyjson_obj_getn(b, js_str(key).p, js_str(key).n);
        r = y ? equal_json(env, x, y, like, err) : 0;
        if (r <= 0)
            break;
    }
    return r;
}

static bool is_blank(int32_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int32_t next_folded(struct str *s)
{
    int32_t c;
    utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)s->p, (utf8proc_ssize_t)s->n, &c);

    if (n <= 0) {
        c = (unsigned char)s->p[0];
        n = 1;
    }
    *s = str_from(*s, (size_t)n);
    return is_blank(c) ? ' ' : utf8proc_tolower(c);
}

static bool like_texts(struct str a, struct str b)
{
    while (a.n && b.n)
        if (next_folded(&a) != next_folded(&b))
            return false;
    return !a.n && !b.n;
}

static int equal_json(struct path_env *env, yyjson_val *a, yyjson_val *b, bool like,
                      struct err *err)
{
    int r = path_spend(env, 1, err);

    if (r < 0)
        return r;
    if (a == b)
        return 1;
    if (yyjson_get_type(a) != yyjson_get_type(b))
        return 0;
    if (js_is_number(a))
        return like ? like_numbers(js_str(a), js_str(b))
                    : compare_numbers(js_str(a), js_str(b)) == 0;
    if (yyjson_is_str(a))
        return like ? like_texts(js_str(a), js_str(b)) : str_eq(js_str(a), js_str(b));
    if (yyjson_is_obj(a))
        return yyjson_obj_size(a) == yyjson_obj_size(b) ? equal_objects(env, a, b, like, err) : 0;
    if (yyjson_is_arr(a) && yyjson_arr_size(a) != yyjson_arr_size(b))
        return 0;
    if (yyjson_is_arr(a))
        return like ? like_arrays(env, a, b, err) : equal_arrays(env, a, b, err);
    return yyjson_equals(a, b);
}

/* ---- equality of items ---- */

static int equal_elements(struct path_env *env, const struct path_item *a,
                          const struct path_item *b, bool like, struct err *err)
{
    int r;

    if (a->kind != PATH_ELEMENT || b->kind != PATH_ELEMENT || !a->v != !b->v ||
        !a->more != !b->more)
        return 0;
    r = a->v ? equal_json(env, a->v, b->v, like, err) : 1;
    if (r > 0 && !a->v)
        r = a->more ? equal_json(env, a->more, b->more, like, err)
                    : a->type == b->type && a->type != NULL;
    return r;
}

int path_equal(struct path_env *env, const struct path_item *a, const struct path_item *b,
               struct err *err)
{
    enum path_kind ka = path_item_kind(a), kb = path_item_kind(b);
    struct path_quantity q;
    int c;

    if (ka == PATH_STRING && kb == PATH_STRING)
        return str_eq(path_item_text(a), path_item_text(b));
    if (path_to_quantity(a, &q) || path_to_quantity(b, &q)) {
        c = compare_quantities(a, b);
        return c == PATH_NOT_KNOWN ? -1 : c == 0;
    }
    if (ka == PATH_ELEMENT || kb == PATH_ELEMENT)
        return ka == kb ? equal_elements(env, a, b, false, err) : 0;
    if (ka == kb && (ka == PATH_BOOLEAN || ka == PATH_TYPE))
        return str_eq(path_item_text(a), path_item_text(b));
    c = path_compare(a, b);
    return c == PATH_NOT_KNOWN ? -1 : c == 0;
}

int path_like(struct path_env *env, const struct path_item *a, const struct path_item *b,
              struct err *err)
{
    enum path_kind ka = path_item_kind(a), kb = path_item_kind(b);
    struct path_quantity x, y;
    int r;

    if (ka == PATH_STRING && kb == PATH_STRING)
        return like_texts(path_item_text(a), path_item_text(b));
    if (path_is_number(ka) && path_is_number(kb))
        return like_numbers(path_item_text(a), path_item_text(b));
    if (path_to_quantity(a, &x) || path_to_quantity(b, &x))
        return as_quantity(a, &x) && as_quantity(b, &y) && path_quantity_like(&x, &y);
    if (ka == PATH_ELEMENT && kb == PATH_ELEMENT)
        return equal_elements(env, a, b, true, err);
    r = path_equal(env, a, b, err);
    return r == -1 ? 0 : r;
}

static bool is_same(const struct path_item *a, const struct path_item *b)
{
    return a->kind == PATH_ELEMENT && b->kind == PATH_ELEMENT && a->v && a->v == b->v;
}

int path_has(struct path_env *env, const struct path_items *items, const struct path_item *item,
             struct err *err)
{
    int r = path_spend(env, items->n, err);

    for (size_t i = 0; i < items->n && r >= 0; i++) {
        if (is_same(&items->p[i], item))
            return 1;
        r = path_equal(env, &items->p[i], item, err);
        if (r == 1)
            return 1;
        r = r == -1 ? 0 : r;
    }
    return r < 0 ? r : 0;
}

/* ---- sets ---- */

#define LINEAR_MAX 16 /* so few are looked through without a table */
/* Equal items have equal hashes; those whose equality is more than their text have one for all. */
static uint32_t hash_of(const struct path_item *item)
{
    enum path_kind kind = path_item_kind(item);
    struct path_quantity q;
    uint32_t sum = 0;
    size_t i, max;
    yyjson_val *key, *v;

    if (kind == PATH_STRING || kind == PATH_BOOLEAN)
        return str_mix(path_item_text(item));
    if (kind != PATH_ELEMENT || !yyjson_is_obj(item->v) || path_to_quantity(item, &q))
        return 1;
    yyjson_obj_foreach(item->v, i, max, key, v) {
        sum += (uint32_t)js_str(key).n;
        if (yyjson_is_str(v))
            sum += str_mix(js_str(v));
    }
    return sum;
}

static uint32_t *slot_of(const struct path_set *set, uint32_t hash, size_t *at)
{
    size_t mask = set->n_slots - 1;

    *at = *at == SIZE_MAX ? hash & mask : (*at + 1) & mask;
    return &set->slots[*at];
}

static void take_slot(struct path_set *set, size_t i)
{
    size_t at = SIZE_MAX;
    uint32_t *slot;

    do
        slot = slot_of(set, set->hashes[i], &at);
    while (*slot);
    *slot = (uint32_t)i + 1;
}

static int grow_slots(struct path_env *env, struct path_set *set, struct err *err)
{
    set->n_slots = set->n_slots ? set->n_slots * 2 : 64;
    set->slots = ARENA_ARRAY(env->a, uint32_t, set->n_slots);
    if (!set->slots)
        return err_no_memory(err);
    for (size_t i = 0; i < set->items.n; i++)
        take_slot(set, i);
    return path_spend(env, set->items.n, err);
}

/* Whether item i of the set is equal: 1, 0, or an err_code. */
static int is_item(struct path_env *env, const struct path_set *set, size_t i, uint32_t hash,
                   const struct path_item *item, struct err *err)
{
    int r;

    if (set->hashes[i] != hash)
        return 0;
    if (is_same(&set->items.p[i], item))
        return 1;
    r = path_equal(env, &set->items.p[i], item, err);
    return r == -1 ? 0 : r;
}

static int find(struct path_env *env, const struct path_set *set, uint32_t hash,
                const struct path_item *item, struct err *err)
{
    size_t at = SIZE_MAX;
    int r = path_spend(env, 1, err);

    for (size_t i = 0; !set->slots && i < set->items.n && r == 0; i++)
        r = is_item(env, set, i, hash, item, err);
    while (set->slots && r == 0) {
        uint32_t i = *slot_of(set, hash, &at);
        if (!i)
            break;
        r = path_spend(env, 1, err);
        if (r == 0)
            r = is_item(env, set, i - 1, hash, item, err);
    }
    return r;
}

int path_set_has(struct path_env *env, const struct path_set *set, const struct path_item *item,
                 struct err *err)
{
    return set->items.n ? find(env, set, hash_of(item), item, err) : 0;
}

int path_set_add(struct path_env *env, struct path_set *set, const struct path_item *item,
                 struct err *err)
{
    uint32_t hash = hash_of(item);
    int r = find(env, set, hash, item, err);

    if (r != 0)
        return r == 1 ? 0 : r;
    if (set->items.n == set->n_hashes) {
        size_t n = set->n_hashes ? set->n_hashes * 2 : 16;
        uint32_t *more =
            arena_grow(env->a, set->hashes, set->n_hashes * sizeof *more, n * sizeof *more);
        if (!more)
            return err_no_memory(err);
        set->hashes = more;
        set->n_hashes = n;
    }
    set->hashes[set->items.n] = hash;
    r = path_push(env, &set->items, item, err);
    if (r < 0)
        return r;
    if (set->slots ? set->items.n * 2 > set->n_slots : set->items.n > LINEAR_MAX)
        r = grow_slots(env, set, err);
    else if (set->slots)
        take_slot(set, set->items.n - 1);
    return r < 0 ? r : 1;
}
