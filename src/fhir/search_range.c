#include "fhir/search_int.h"

#define RANGES_FIRST 4

/* ---- adding ranges ---- */

struct maker {
    struct search_parse *p;
    const struct param *param;
    const struct param_span *span; /* the one of the parameter's in hand */
    const struct search_value *v;
    struct range_list *out;
};

static int add(struct maker *m, struct key_range range)
{
    struct range_list *l = m->out;

    if (m->p->n_ranges++ == SEARCH_RANGES_MAX)
        return err_set(m->p->err, ERR_COSTLY, "the search asks for more than %d ranges of values",
                       SEARCH_RANGES_MAX);
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : RANGES_FIRST;
        struct key_range *more = arena_grow(m->p->a, l->p, l->n * sizeof *more, cap * sizeof *more);
        if (!more)
            return err_no_memory(m->p->err);
        l->p = more;
        l->cap = cap;
    }
    if (!range.param)
        range.param = m->span->list;
    range.rule = m->v;
    l->p[l->n++] = range;
    return 0;
}

/* lo <= k < hi; hi may be NULL. Copies the keys. */
static int add_between(struct maker *m, const struct key *lo, const struct key *hi,
                       struct key_range range)
{
    range.lo = arena_dup(m->p->a, lo ? key_view(lo) : STR(""));
    range.hi = hi ? arena_dup(m->p->a, key_view(hi)) : STR_NULL;
    if (!range.lo.p || (hi && !range.hi.p))
        return err_no_memory(m->p->err);
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
        return add_prefix(m, &k, (struct key_range){.lossy = true});
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
    if (!v->has_bar && (before || has_systems(m->param)))
        return add_prefix(m, &k, (struct key_range){.groups = true});
    key_system(&k, v->system);
    if (v->any_code) {
        r = add_prefix(m, &k, (struct key_range){0});
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

static int string(struct maker *m)
{
    struct key k = {.n = 0};
    bool cut = key_fold(&k, m->v->text);
    bool empty = !k.n;

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

    if (m->span->type && m->span->type != type)
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
        return m->span->type ? 0 : token(m, KEY_IDENTIFIER);
    if (v->targets) {
        for (const int *t = v->targets; *t && r >= 0; t++)
            r = local(m, *t, v->id, false);
        return r;
    }
    if (v->ref.kind == VALUE_LOCAL)
        return local(m, v->ref.type, v->ref.id, v->ref.version.n);
    if (m->span->type)
        return 0;
    key_byte(&k, KEY_URL);
    key_text(&k, v->ref.text, KEY_URI_BYTES);
    if (!v->ref.version.n)
        return add_prefix(m, &k, (struct key_range){0});
    key_text(&k, v->ref.version, KEY_VERSION_BYTES);
    return add_point(m, &k, false);
}

/* ---- numbers ---- */

static void after(struct key *k)
{
    bool some = key_after(k);

    assert(some);
    (void)some;
}

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
    if (r < 0 || !path_leads_to(m->param->path, TYPE_RANGE))
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
    struct key_range by_end = {.param = (uint16_t)(m->span->list + INDEX_PARAM_ENDS),
                               .filtered = true};
    struct key lo = {.n = 0}, hi = {.n = 0}, end = {.n = 0};
    int r;

    key_date_from(&lo, b.from_ms);
    key_date_from(&hi, b.to_ms);
    r = add_between(m, &lo, b.open ? NULL : &hi, (struct key_range){.filtered = !b.exact});
    if (r < 0 || !b.ends)
        return r;
    key_date_from(&end, b.end_ms);
    return add_between(m, &end, NULL, by_end);
}

/* Every key of the span. */
static int whole(struct maker *m, bool lossy)
{
    struct key k = {.n = 0};

    if (!m->span->type)
        return add_between(m, NULL, NULL, (struct key_range){.lossy = lossy});
    key_byte(&k, m->span->type);
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
    default:
        assert(!"a composite has no list of its own");
        return err_set(m->p->err, ERR_INTERNAL, "a parameter has no list");
    }
}

int search_ranges(struct search_parse *p, const struct param *param, const struct search_value *v,
                  struct range_list *out)
{
    int r = 0;

    for (size_t i = 0; i < param->n_spans && r >= 0; i++) {
        struct maker m = {p, param, &param->spans[i], v, out};

        r = span_ranges(&m);
    }
    return r;
}
