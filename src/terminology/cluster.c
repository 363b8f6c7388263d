#include "terminology/cluster.h"

struct member {
    uint32_t concept;
    uint32_t part; /* number of the part that it stands in */
    bool is_stem;  /* the first of its part */
    size_t of;     /* the member whose axis it was taken for */
    const struct cs_property *axis;
};

struct parsing {
    const struct cs *cs;
    struct err *err;
    struct sb display;
    struct member v[CLUSTER_CODES_MAX];
    size_t n;
    uint32_t parts;
};

static int bad(struct parsing *p, size_t at, struct str code, const char *why)
{
    return err_set(p->err, ERR_VALUE, "code %zu of the cluster, \"%.*s\", %s", at,
                   (int)MIN(code.n, 60u), code.n ? code.p : "", why);
}

static int take(struct parsing *p, struct str code, bool is_stem)
{
    uint32_t i = cs_find(p->cs, code), flags;

    if (p->n == CLUSTER_CODES_MAX)
        return err_set(p->err, ERR_VALUE, "a cluster may have %d codes", CLUSTER_CODES_MAX);
    if (!code.n)
        return bad(p, p->n + 1, code, "is empty");
    if (i == CS_NONE)
        return bad(p, p->n + 1, code, "does not exist");
    flags = cs_at(p->cs, i)->flags;
    if (flags & CONCEPT_ABSTRACT)
        return bad(p, p->n + 1, code, "is a grouping and cannot be chosen");
    if (is_stem && flags & CONCEPT_EXTENSION)
        return bad(p, p->n + 1, code, "is an extension code where a stem code must stand");
    sb_str(&p->display, p->n == 0 ? STR("") : is_stem ? STR(" / ") : STR(" & "));
    sb_str(&p->display, cs_display(p->cs, i));
    p->parts += is_stem;
    p->v[p->n++] = (struct member){.concept = i, .part = p->parts, .is_stem = is_stem};
    return 0;
}

/* ---- axes ---- */

static bool is_value(const struct cs *cs, const struct cs_property *axis, uint32_t value)
{
    struct str scale = cs_text(cs, axis->display), code;

    while (scale.n && str_split(&scale, ' ', &code)) {
        uint32_t top = cs_find(cs, code);
        if (top != CS_NONE && cs_is_a(cs, value, top))
            return true;
    }
    return false;
}

static bool has_rule(const struct cs *cs, const struct cs_property *axis, struct str rule)
{
    struct str rules = cs_text(cs, axis->system), word;

    while (rules.n && str_split(&rules, ' ', &word))
        if (str_eq(word, rule))
            return true;
    return false;
}

/* The block or chapter that a code stands in. */
static uint32_t block_of(const struct cs *cs, uint32_t i)
{
    size_t n;
    const uint32_t *parents = cs_parents(cs, i, &n);

    while (n && !(cs_at(cs, i)->flags & CONCEPT_ABSTRACT)) {
        i = parents[0];
        parents = cs_parents(cs, i, &n);
    }
    return i;
}

/* Whether the axis of member `of` has room for one more value. */
static bool has_room(const struct parsing *p, const struct cs_property *axis, size_t of,
                     uint32_t value)
{
    if (has_rule(p->cs, axis, STR(AXIS_MANY)))
        return true;
    for (size_t k = 0; k < p->n; k++)
        if (p->v[k].axis == axis && p->v[k].of == of &&
            (!has_rule(p->cs, axis, STR(AXIS_BLOCKS)) ||
             block_of(p->cs, p->v[k].concept) == block_of(p->cs, value)))
            return false;
    return true;
}

/* Takes value `at` for an axis of member `of`. 1; 0 where no axis is of its kind; -1 where those
 * that are have a value already, and *ret_full is one of them. */
static int take_axis(struct parsing *p, int def, size_t of, size_t at,
                     const struct cs_property **ret_full)
{
    size_t n;
    const struct cs_property *axes = cs_properties(p->cs, p->v[of].concept, &n);
    bool full = false;

    for (size_t k = 0; k < n; k++) {
        if ((int)axes[k].def != def || !is_value(p->cs, &axes[k], p->v[at].concept))
            continue;
        if (has_room(p, &axes[k], of, p->v[at].concept)) {
            p->v[at].axis = &axes[k];
            p->v[at].of = of;
            return 1;
        }
        *ret_full = &axes[k];
        full = true;
    }
    return full ? -1 : 0;
}

static int check_value(struct parsing *p, int def, size_t stem, size_t at)
{
    struct str code = cs_code(p->cs, p->v[at].concept);
    const struct cs_property *full = NULL;
    struct str name, by = cs_code(p->cs, p->v[stem].concept);
    bool known = cs_at(p->cs, p->v[stem].concept)->flags & CONCEPT_AXES;

    if (cs_at(p->cs, p->v[at].concept)->flags & CONCEPT_ANYWHERE)
        return 0;
    for (size_t k = stem; k < at; k++)
        if (take_axis(p, def, k, at, &full) > 0)
            return 0;
    if (!known)
        return 0;
    if (!full)
        return err_set(p->err, ERR_VALUE,
                       "code %zu of the cluster, \"%.*s\", is a value of no axis of \"%.*s\"",
                       at + 1, STR_ARG(code), STR_ARG(by));
    name = cs_text(p->cs, full->value);
    return err_set(p->err, ERR_VALUE,
                   "code %zu of the cluster, \"%.*s\", is one value too many of the axis \"%.*s\"",
                   at + 1, STR_ARG(code), STR_ARG(name));
}

/* Whether the required axis of a stem has a value: in its part, or as a stem of another. */
static bool is_filled(const struct parsing *p, const struct cs_property *axis, size_t stem)
{
    for (size_t k = 0; k < p->n; k++)
        if (k != stem && (p->v[k].part == p->v[stem].part || p->v[k].is_stem) &&
            is_value(p->cs, axis, p->v[k].concept))
            return true;
    return false;
}

static int check_required(struct parsing *p, int def, size_t stem)
{
    size_t n;
    const struct cs_property *axes = cs_properties(p->cs, p->v[stem].concept, &n);

    for (size_t k = 0; k < n; k++) {
        struct str name, code = cs_code(p->cs, p->v[stem].concept);
        if ((int)axes[k].def != def || !has_rule(p->cs, &axes[k], STR(AXIS_REQUIRED)) ||
            is_filled(p, &axes[k], stem))
            continue;
        name = cs_text(p->cs, axes[k].value);
        return err_set(p->err, ERR_VALUE,
                       "the axis \"%.*s\", which \"%.*s\" requires, has no value", STR_ARG(name),
                       STR_ARG(code));
    }
    return 0;
}

static int check_axes(struct parsing *p)
{
    int def = cs_property_find(p->cs, STR(CLUSTER_AXIS)), r = 0;
    size_t stem = 0;

    for (size_t k = 0; def >= 0 && r >= 0 && k < p->n; k++) {
        if (p->v[k].is_stem)
            stem = k;
        r = p->v[k].is_stem ? check_required(p, def, k) : check_value(p, def, stem, k);
    }
    return r;
}

/* ---- the whole ---- */

int cluster_check(const struct cs *cs, struct arena *a, struct str code, struct str *ret_display,
                  struct err *err)
{
    struct parsing p = {.cs = cs, .err = err, .display = sb_make(KIB(64))};
    struct str rest = code, part, one, display;
    int r = 0;

    if (str_find(code, '&') < 0 && str_find(code, '/') < 0)
        return err_set(err, ERR_VALUE, "\"%.*s\" does not exist", (int)MIN(code.n, 60u), code.p);
    while (r >= 0 && rest.p && str_split(&rest, '/', &part))
        for (bool first = true; r >= 0 && part.p && str_split(&part, '&', &one); first = false)
            r = take(&p, one, first);
    if (r >= 0)
        r = check_axes(&p);
    display = r >= 0 ? arena_dup(a, sb_view(&p.display)) : STR_NULL;
    if (r >= 0 && (p.display.failed || !display.p))
        r = err_no_memory(err);
    sb_done(&p.display);
    if (r >= 0)
        *ret_display = display;
    return r;
}

struct str cluster_stem(struct str code)
{
    size_t n = 0;

    while (n < code.n && code.p[n] != '&' && code.p[n] != '/')
        n++;
    return str_head(code, n);
}
