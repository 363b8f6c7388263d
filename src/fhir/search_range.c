#include "fhir/search_int.h"
#include "fhir/ucum.h"

#define RANGES_FIRST 4

/* ---- adding ranges ---- */

/* A composite's list while its keys are put together: those of the parts before the one in hand,
 * one behind the other. */
struct place {
    const struct search_value *whole;
    size_t at; /* the part in hand */
    struct str before;
    bool lossy; /* one of them may stand for others too */
};

struct maker {
    struct arena *a;
    size_t *n_ranges; /* of the search so far */
    struct err *err;
    const struct param *param; /* of the value; of a composite's part: the component's own */
    struct param_span span;    /* the one in hand */
    size_t at;                 /* its place among the parameter's */
    const struct search_value *v;
    struct range_list *out;
    const struct place *in; /* NULL: the value is not a part */
};

static int push(struct maker *m, struct key_range range)
{
    struct range_list *l = m->out;

    if ((*m->n_ranges)++ == SEARCH_RANGES_MAX)
        return err_set(m->err, ERR_COSTLY, "the search asks for more than %d ranges of values",
                       SEARCH_RANGES_MAX);
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : RANGES_FIRST;
        struct key_range *more = arena_grow(m->a, l->p, l->n * sizeof *more, cap * sizeof *more);
        if (!more)
            return err_no_memory(m->err);
        l->p = more;
        l->cap = cap;
    }
    if (!range.param)
        range.param = m->span.list;
    l->p[l->n++] = range;
    return 0;
}

static int part_ranges(const struct maker *m, const struct place *in);

/* What answers for a range of a composite's keys: its value, and how far the range settles it. */
static struct search_value *rule_of(const struct maker *m)
{
    const struct place *in = m->in;
    struct search_value *rule = ARENA_NEW(m->a, struct search_value);

    if (!rule)
        return NULL;
    *rule = *in->whole;
    rule->at = in->at;
    rule->before = in->before.n;
    if (m->v == &in->whole->parts[in->at])
        return rule;
    /* The part's number has been converted to a unit. */
    rule->parts = ARENA_ARRAY(m->a, struct search_value, rule->n_parts);
    if (!rule->parts)
        return NULL;
    memcpy(rule->parts, in->whole->parts, rule->n_parts * sizeof *rule->parts);
    rule->parts[in->at] = *m->v;
    return rule;
}

/* Whether no part of a composite stands behind the value. */
static bool is_last(const struct maker *m)
{
    return !m->in || m->in->at + 1 == m->in->whole->n_parts;
}

/* A part that is one key leads on to the next part; all but the last are. */
static int add_part(struct maker *m, struct key_range range)
{
    const struct place *in = m->in;

    range.lossy |= in->lossy;
    if (range.point && range.lo.n > INDEX_KEY_MAX)
        return 0; /* no key is so long */
    if (!is_last(m) && range.point)
        return part_ranges(
            m, &(struct place){
                   .whole = in->whole, .at = in->at + 1, .before = range.lo, .lossy = range.lossy});
    assert(is_last(m) || range.groups);
    if (!range.groups && key_is_ordered(m->v->kind)) {
        range.head = (uint8_t)(in->before.n +
                               key_ordered_from(m->v->kind, str_from(range.lo, in->before.n)));
        range.point = false;
    }
    range.rule = rule_of(m);
    return range.rule ? push(m, range) : err_no_memory(m->err);
}

static int add(struct maker *m, struct key_range range)
{
    if (m->in)
        return add_part(m, range);
    range.rule = m->v;
    return push(m, range);
}

/* A key behind those of the parts before; NULL: what is behind all that begin with these. */
static struct str whole_key(const struct maker *m, const struct key *k)
{
    struct str before = m->in ? m->in->before : STR("");
    struct key end = {.n = 0};

    if (k)
        return arena_join(m->a, (const struct str[]){before, key_view(k)}, 2);
    assert(before.n <= sizeof end.b);
    key_put(&end, before.p, before.n);
    return key_after(&end) ? arena_dup(m->a, key_view(&end)) : STR("");
}

/* lo <= k < hi; hi may be NULL. Copies the keys. */
static int add_between(struct maker *m, const struct key *lo, const struct key *hi,
                       struct key_range range)
{
    const struct key none = {.n = 0};

    range.lo = whole_key(m, lo ? lo : &none);
    range.hi = whole_key(m, hi);
    if (!range.lo.p || !range.hi.p)
        return err_no_memory(m->err);
    if (!range.hi.n)
        range.hi = STR_NULL;
    return add(m, range);
}

/* All keys that begin with k. */
static int add_prefix(struct maker *m, const struct key *k, struct key_range range)
{
    struct key hi = *k;
    bool bounded = key_after(&hi);

    return add_between(m, k, bounded ? &hi : NULL, range);
}

static int add_point(struct maker *m, const struct key *k, bool lossy)
{
    return add_prefix(m, k, (struct key_range){.point = true, .lossy = lossy});
}

/* ---- tokens ---- */

/* Whether the parameter's tokens may have systems at all. */
static bool has_systems(const struct param *param)
{
    return path_leads_to(param->path, TYPE_CODEABLECONCEPT) ||
           path_leads_to(param->path, TYPE_CODING) || path_leads_to(param->path, TYPE_IDENTIFIER);
}

/* The system of a `code` is implied by its binding and not in its key. */
static int implied_system(struct maker *m)
{
    struct key k = {.n = 0};

    if (!path_leads_to(m->param->path, TYPE_CODE))
        return 0;
    key_byte(&k, KEY_NO_SYSTEM);
    if (m->v->any_code)
        return add_prefix(m, &k, (struct key_range){.groups = !is_last(m), .lossy = true});
    key_code(&k, m->v->text);
    return add_point(m, &k, true);
}

static int token(struct maker *m, unsigned before)
{
    const struct search_value *v = m->v;
    struct key k = {.n = 0};
    int r;

    if (v->set)
        return add_between(m, NULL, NULL,
                           (struct key_range){.filtered = true,
                                              .set = v->set,
                                              .lossy = path_leads_to(m->param->path, TYPE_CODE)});
    if (before)
        key_byte(&k, before);
    if (v->modifier == MOD_OF_TYPE)
        return add_prefix(m, &k, (struct key_range){.groups = true, .lossy = true});
    if (!v->has_bar && (before || m->in || has_systems(m->param)))
        return add_prefix(m, &k, (struct key_range){.groups = true});
    key_system(&k, v->system);
    if (v->any_code) {
        r = add_prefix(m, &k, (struct key_range){.groups = !is_last(m)});
    } else {
        key_code(&k, v->text);
        r = add_point(m, &k, false);
    }
    return r < 0 || before || !v->system.n ? r : implied_system(m);
}

/* Texts of codes are shared terms; those of concepts without a code stand in the list itself. */
static int labels(struct maker *m)
{
    struct key term = {.n = 0}, label = {.n = 0};
    bool cut = key_fold(&term, m->v->text);
    int r;

    key_byte(&label, KEY_LABEL);
    key_put(&label, term.b, term.n);
    if (!term.n) {
        key_byte(&term, KEY_END);
        key_byte(&label, KEY_END);
    }
    r = add_prefix(m, &label, (struct key_range){.lossy = cut});
    return r < 0 ? r : add_prefix(m, &term, (struct key_range){.terms = true, .lossy = true});
}

/* ---- texts ---- */

static void after(struct key *k)
{
    bool some = key_after(k);

    assert(some);
    (void)some;
}

/* What stands before or behind a text in the list. */
static int string_order(struct maker *m, const struct key *text, bool cut)
{
    enum search_modifier modifier = m->v->modifier;
    bool below = modifier == MOD_LESS || modifier == MOD_AT_MOST;
    struct key_range range = {.lossy = cut};
    struct key at = *text;

    /* Past the text itself; of one that was cut only the body knows. */
    if (!cut && (modifier == MOD_GREATER || modifier == MOD_AT_MOST)) {
        key_byte(&at, KEY_END);
        after(&at);
    } else if (cut && below && !key_after(&at)) {
        return add_between(m, NULL, NULL, range);
    }
    return below ? add_between(m, NULL, &at, range) : add_between(m, &at, NULL, range);
}

static int string(struct maker *m)
{
    struct key k = {.n = 0};
    bool cut = key_fold(&k, m->v->text);
    bool empty = !k.n;

    if (m->v->modifier >= MOD_GREATER)
        return string_order(m, &k, cut);
    if ((m->v->modifier == MOD_CONTAINS || m->v->modifier == MOD_ENDS) && !empty)
        return add_between(m, NULL, NULL, (struct key_range){.filtered = true});
    if (m->v->modifier == MOD_EXACT || m->v->modifier == MOD_EQUAL || empty) {
        if (cut)
            key_byte(&k, KEY_CUT);
        key_byte(&k, KEY_END);
        return add_point(m, &k, m->v->modifier == MOD_EXACT || cut);
    }
    return add_prefix(m, &k, (struct key_range){.lossy = cut});
}

/* A URL and the paths above it. */
static int urls_above(struct maker *m)
{
    struct str v = m->v->text;
    int r = 0;

    for (size_t n = v.n; n > 0 && r >= 0; n--) {
        struct key k = {.n = 0};

        if (n < v.n && v.p[n] != '/' && v.p[n - 1] != '/')
            continue;
        key_text(&k, str_head(v, n), KEY_URI_BYTES);
        r = add_point(m, &k, true);
    }
    return r;
}

static int uri(struct maker *m)
{
    struct key k = {.n = 0};

    if (m->v->modifier == MOD_ABOVE)
        return urls_above(m);
    if (m->v->modifier == MOD_BELOW) {
        struct str v = m->v->text;

        while (v.n && v.p[v.n - 1] == '/')
            v.n--;
        key_put(&k, v.p, MIN(v.n, (size_t)KEY_URI_BYTES));
        return add_prefix(m, &k, (struct key_range){.lossy = true});
    }
    key_text(&k, m->v->text, KEY_URI_BYTES);
    return add_point(m, &k, false);
}

/* ---- references ---- */

static int local(struct maker *m, int type, struct str id, bool versioned)
{
    struct key k = {.n = 0};

    if (!m->in && !param_span_has(m->param, m->at, type))
        return 0;
    key_local(&k, type, id);
    return add_point(m, &k, versioned);
}

static int reference(struct maker *m)
{
    const struct search_value *v = m->v;
    struct key k = {.n = 0};
    int r = 0;

    if (v->modifier == MOD_IDENTIFIER)
        return m->span.type ? 0 : token(m, KEY_IDENTIFIER);
    if (v->targets) {
        for (const int *t = v->targets; *t && r >= 0; t++)
            r = local(m, *t, v->id, false);
        return r;
    }
    if (v->ref.kind == VALUE_LOCAL)
        return local(m, v->ref.type, v->ref.id, v->ref.version.n);
    if (m->span.type)
        return 0;
    key_byte(&k, KEY_URL);
    key_text(&k, v->ref.text, KEY_URI_BYTES);
    if (!v->ref.version.n)
        return add_prefix(m, &k, (struct key_range){0});
    key_text(&k, v->ref.version, KEY_VERSION_BYTES);
    return add_point(m, &k, false);
}

/* ---- numbers ---- */

size_t search_number_bounds(const struct number_rule *rule, const struct key *prefix,
                            struct key lo[2], struct key hi[2])
{
    struct key least = *prefix, most = *prefix, from = *prefix, to = *prefix, v = *prefix, over;

    key_high_end(&most);
    key_decimal(&from, &rule->from);
    key_decimal(&to, &rule->to);
    key_decimal(&v, &rule->v);
    over = v;
    after(&over);
    lo[0] = lo[1] = least;
    hi[0] = hi[1] = most;
    switch (rule->prefix) {
    case PREFIX_NE:
        hi[0] = from;
        lo[1] = to;
        return 2;
    case PREFIX_GT:
    case PREFIX_SA: lo[0] = over; return 1;
    case PREFIX_GE: lo[0] = v; return 1;
    case PREFIX_LT:
    case PREFIX_EB: hi[0] = v; return 1;
    case PREFIX_LE: hi[0] = over; return 1;
    default:
        lo[0] = from;
        hi[0] = to;
        return 1;
    }
}

static int number(struct maker *m)
{
    struct key lo[2], hi[2], none = {.n = 0};
    size_t n = search_number_bounds(&m->v->number, &none, lo, hi);
    int r = 0;

    for (size_t i = 0; i < n && r >= 0; i++)
        r = add_between(m, &lo[i], &hi[i], (struct key_range){0});
    if (r < 0 || (!m->in && !path_leads_to(m->param->path, TYPE_RANGE)))
        return r;
    key_high_end(&none);
    return add_between(m, &none, NULL, (struct key_range){.filtered = true});
}

/* ---- dates ---- */

/* Keys of the list by start that begin in [from, to), and by end those that end behind `from`. */
struct date_bounds {
    int64_t from_ms, to_ms;
    bool open;      /* no upper bound */
    bool exact;     /* every key in it matches */
    bool ends;      /* long periods that began earlier may match too … */
    int64_t end_ms; /* … if they end behind this */
};

/* What can match begins less than a day before it has to reach, unless it is long. */
static struct date_bounds date_bounds(const struct date_rule *d)
{
    const int64_t day = KEY_DAY_MS, first = VALUE_TIME_MIN;

    switch (d->prefix) {
    case PREFIX_EQ: return (struct date_bounds){.from_ms = d->from_ms, .to_ms = d->to_ms};
    case PREFIX_NE: return (struct date_bounds){.from_ms = first, .open = true};
    case PREFIX_GT:
        return (struct date_bounds){
            .from_ms = d->to_ms - day, .open = true, .ends = true, .end_ms = d->to_ms};
    case PREFIX_GE:
        return (struct date_bounds){.from_ms = MIN(d->from_ms, d->to_ms - day),
                                    .open = true,
                                    .ends = true,
                                    .end_ms = d->to_ms};
    case PREFIX_LT:
        return (struct date_bounds){.from_ms = first, .to_ms = d->from_ms, .exact = true};
    case PREFIX_LE: return (struct date_bounds){.from_ms = first, .to_ms = d->to_ms};
    case PREFIX_SA: return (struct date_bounds){.from_ms = d->to_ms, .open = true, .exact = true};
    case PREFIX_EB: return (struct date_bounds){.from_ms = first, .to_ms = d->from_ms};
    default:
        return (struct date_bounds){
            .from_ms = d->from_ms - day, .to_ms = d->to_ms, .ends = true, .end_ms = d->from_ms};
    }
}

static int date(struct maker *m)
{
    struct date_bounds b = date_bounds(&m->v->date);
    struct key_range by_end = {.filtered = true};
    struct key lo = {.n = 0}, hi = {.n = 0}, end = {.n = 0};
    int r;

    if (m->in) {
        key_byte(&lo, KEY_BY_START);
        key_byte(&hi, b.open ? KEY_BY_END : KEY_BY_START);
        key_byte(&end, KEY_BY_END);
    } else {
        by_end.param = (uint16_t)(m->span.list + INDEX_PARAM_ENDS);
    }
    key_date_from(&lo, b.from_ms);
    if (!b.open)
        key_date_from(&hi, b.to_ms);
    r = add_between(m, &lo, hi.n ? &hi : NULL, (struct key_range){.filtered = !b.exact});
    if (r < 0 || !b.ends)
        return r;
    key_date_from(&end, b.end_ms);
    return add_between(m, &end, NULL, by_end);
}

/* Every key of the span. */
static int whole(struct maker *m, bool lossy)
{
    struct key k = {.n = 0};

    if (!m->span.type)
        return add_between(m, NULL, NULL, (struct key_range){.lossy = lossy});
    key_byte(&k, m->span.type);
    return add_prefix(m, &k, (struct key_range){.lossy = lossy});
}

/* Whether no range of keys says what the modifier asks. */
static bool is_for_bodies(const struct search_value *v)
{
    switch (v->modifier) {
    case MOD_UNEQUAL: return true;
    case MOD_STARTS:
    case MOD_ENDS:
    case MOD_CONTAINS: return v->kind != PARAM_STRING;
    default: return false;
    }
}

static int span_ranges(struct maker *m)
{
    if (m->v->modifier == MOD_MISSING)
        return whole(m, false);
    if (is_for_bodies(m->v))
        return whole(m, true);
    if (m->v->modifier == MOD_TEXT)
        return labels(m);
    switch (m->v->kind) {
    case PARAM_TOKEN: return token(m, 0);
    case PARAM_STRING: return string(m);
    case PARAM_URI: return uri(m);
    case PARAM_REFERENCE: return reference(m);
    case PARAM_NUMBER: return number(m);
    case PARAM_QUANTITY: return add_between(m, NULL, NULL, (struct key_range){.groups = true});
    case PARAM_DATE: return date(m);
    case PARAM_COMPOSITE: return part_ranges(m, &(struct place){.whole = m->v, .before = STR("")});
    default:
        assert(!"a special parameter has no ranges here");
        return err_set(m->err, ERR_INTERNAL, "a parameter has no list");
    }
}

/* The next part of a composite. */
static int part_ranges(const struct maker *m, const struct place *in)
{
    struct maker part = *m;

    part.param = in->whole->components[in->at];
    part.v = &in->whole->parts[in->at];
    part.in = in;
    return span_ranges(&part);
}

bool search_has_keys(const struct search_value *v)
{
    bool has = true;

    for (size_t i = 0; i + 1 < v->n_parts; i++) {
        const struct search_value *part = &v->parts[i];

        has &= part->kind == PARAM_TOKEN       ? !part->any_code || part->system.n
               : part->kind == PARAM_REFERENCE ? part->targets || part->ref.kind == VALUE_LOCAL
                                               : part->kind == PARAM_URI;
    }
    return has;
}

int search_ranges(struct search_parse *p, const struct param *param, const struct search_value *v,
                  struct range_list *out)
{
    int r = 0;

    for (size_t i = 0; i < param->n_spans && r >= 0; i++)
        r = span_ranges(&(struct maker){.a = p->a,
                                        .n_ranges = &p->n_ranges,
                                        .err = p->err,
                                        .param = param,
                                        .span = param->spans[i],
                                        .at = i,
                                        .v = v,
                                        .out = out});
    return r;
}

/* Of all values of the parameter: the resources that have more than there are keys of. */
int search_marked(struct search_parse *p, const struct param *param, const struct search_value *v,
                  struct range_list *out)
{
    int r = 0;

    for (size_t i = 0; i < param->n_spans && r >= 0; i++) {
        struct maker m = {.a = p->a, .n_ranges = &p->n_ranges, .err = p->err, .v = v, .out = out};

        m.span.list = (uint16_t)(param->spans[i].list + INDEX_PARAM_ENDS);
        r = add_between(&m, NULL, NULL, (struct key_range){.groups = true});
    }
    return r;
}

/* ---- inside a group ---- */

static int token_group(struct maker *m, struct str group, bool lossy)
{
    struct key k = {.n = 0};

    if (group.n > INDEX_KEY_MAX / 2)
        return 0;
    key_put(&k, group.p, group.n);
    if (!m->v->any_code) /* else the group is a code already */
        key_code(&k, m->v->text);
    return add_point(m, &k, lossy);
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

static int quantity_group(struct maker *m, struct str group, bool lossy)
{
    struct key lo[2], hi[2], unit = {.n = 0};
    struct search_value *own;
    struct number_rule rule;
    int fits;

    if (!group.n || group.n > INDEX_KEY_MAX - 2 * DECIMAL_KEY_MAX)
        return 0;
    fits = unit_rule(m->v, group, &rule);
    if (!fits)
        return 0;
    own = ARENA_NEW(m->a, struct search_value);
    if (!own)
        return err_no_memory(m->err);
    *own = *m->v;
    own->number = rule;
    m->v = own;
    key_put(&unit, group.p, group.n);
    if (group.p[group.n - 1] == KEY_INTERVAL_UNIT || rule.prefix == PREFIX_NE)
        return add_prefix(m, &unit,
                          (struct key_range){.filtered = true, .lossy = lossy || fits == 2});
    search_number_bounds(&rule, &unit, lo, hi);
    return add_between(m, &lo[0], &hi[0], (struct key_range){.lossy = lossy || fits == 2});
}

static int value_group(struct maker *m, struct str group, bool lossy)
{
    return m->v->kind == PARAM_QUANTITY ? quantity_group(m, group, lossy)
                                        : token_group(m, group, lossy);
}

int search_ranges_inside(const struct key_range *range, struct str group, struct arena *a,
                         struct range_list *out, struct err *err)
{
    const struct search_value *v = range->rule;
    size_t n_ranges = 0;
    struct maker m = {
        .a = a, .n_ranges = &n_ranges, .err = err, .span.list = range->param, .v = v, .out = out};
    struct key k = {.n = 0};
    int r;

    if (v->kind != PARAM_COMPOSITE) {
        r = value_group(&m, group, range->lossy);
    } else if (search_is_mark(range)) {
        key_byte(&k, KEY_END);
        r = add_point(&m, &k, true);
    } else {
        m.in = &(struct place){
            .whole = v, .at = v->at, .before = str_head(group, v->before), .lossy = range->lossy};
        m.v = &v->parts[v->at];
        m.param = v->components[v->at];
        r = value_group(&m, str_from(group, v->before), range->lossy);
    }
    return MIN(r, 0);
}
