/* op_find_matches.c - CodeSystem/$find-matches: codes by their properties
 * (codesystem-operation-find-matches.html). Role groups of SNOMED CT have subproperties, which one
 * group must hold together. Answers are codes that exist, not compositions of them.
 */
#include "api/terms.h"

#include "terminology/ecl.h"

#define FIND_CODES_MAX 100
#define FIND_PROPERTIES_MAX 50 /* properties and subproperties */

struct wanted {
    struct str code, value;
    int def;
    size_t first, n; /* of the subproperties of a role group */
};

struct finding {
    struct terms_call *t;
    struct cs *cs;
    struct wanted
        wanted[FIND_PROPERTIES_MAX]; /* the properties, and behind them their subproperties */
    size_t n, n_all;
    bool exact;
};

/* ---- what is asked for ---- */

static int read_one(struct finding *f, const struct op_params *parts)
{
    const struct op_param *value = op_param_find(parts, "value");
    struct call *c = f->t->c;
    struct wanted *w;

    if (f->n_all == FIND_PROPERTIES_MAX)
        return err_set(&c->err, ERR_COSTLY, "a call may name %d properties", FIND_PROPERTIES_MAX);
    w = &f->wanted[f->n_all++];
    *w = (struct wanted){
        .code = op_param_text(parts, "code"), .value = op_param_text(parts, "value"), .def = -1};
    if (value && !w->value.p)
        w->value = js_get_str(value->value, "code");
    if (!w->code.n)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter", "a property needs a code");
    return 0;
}

static bool has_parts(const struct op_params *p)
{
    return op_param_find(p, "subproperty");
}

static int no_value(struct call *c)
{
    return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                  "a property needs a code and a value");
}

/* The subproperties of one property, which is a role group. */
static int read_group(struct finding *f, struct wanted *w, const struct op_params *parts)
{
    struct call *c = f->t->c;
    int r = 0;

    if (!str_eq(w->code, STR(SNOMED_ROLE_GROUP)))
        return err_at(&c->err, ERR_NOT_SUPPORTED, "Parameters.parameter",
                      "subproperties are those of a role group (" SNOMED_ROLE_GROUP ")");
    w->first = f->n_all;
    for (size_t i = 0; r >= 0 && i < parts->n; i++) {
        struct op_params own;
        if (!str_eq(parts->v[i].name, STR("subproperty")))
            continue;
        if ((r = op_parts_read(c, &parts->v[i], &own)) < 0 || (r = read_one(f, &own)) < 0)
            return r;
        if (!f->wanted[f->n_all - 1].value.n)
            return no_value(c);
        w->n++;
    }
    return r;
}

static int read_wanted(struct finding *f)
{
    const struct op_params *p = &f->t->p;
    struct op_params parts[FIND_PROPERTIES_MAX];
    struct call *c = f->t->c;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < p->n; i++) {
        struct op_params own;
        if (!str_eq(p->v[i].name, STR("property")))
            continue;
        if ((r = op_parts_read(c, &p->v[i], &own)) < 0 || (r = read_one(f, &own)) < 0)
            return r;
        if (!f->wanted[f->n].value.n && !has_parts(&own))
            return no_value(c);
        parts[f->n++] = own;
    }
    for (size_t k = 0; r >= 0 && k < f->n; k++)
        if (has_parts(&parts[k]))
            r = read_group(f, &f->wanted[k], &parts[k]);
    if (r >= 0 && !f->n)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                      "at least one property is needed");
    return r;
}

/* ---- which codes ---- */

/* `group`: the role group that it must stand in; NULL: wherever. */
static bool has_property(const struct finding *f, const struct wanted *w, uint32_t i,
                         const struct str *group)
{
    size_t n;
    const struct cs_property *p = cs_properties(f->cs, i, &n);

    for (size_t k = 0; k < n; k++)
        if ((int)p[k].def == w->def && str_eq(cs_text(f->cs, p[k].value), w->value) &&
            (!group || str_eq(snomed_role_group(f->cs, &p[k]), *group)))
            return true;
    return false;
}

static bool has_group(const struct finding *f, const struct wanted *w, uint32_t i)
{
    size_t n, held;
    const struct cs_property *p = cs_properties(f->cs, i, &n);

    for (size_t k = 0; k < n; k++) {
        struct str group = snomed_role_group(f->cs, &p[k]);
        for (held = 0; group.n && held < w->n; held++)
            if (!has_property(f, &f->wanted[w->first + held], i, &group))
                break;
        if (group.n && held == w->n)
            return true;
    }
    return false;
}

static bool has(const struct finding *f, const struct wanted *w, uint32_t i)
{
    if (w->n)
        return has_group(f, w, i);
    if (str_eq(w->code, STR("code")))
        return str_eq(cs_code(f->cs, i), w->value);
    if (str_eq(w->code, STR("display")))
        return str_eq_nocase(cs_display(f->cs, i), w->value);
    return has_property(f, w, i, NULL);
}

/* ---- the answer ---- */

static void write_wanted(struct terms_call *t, const struct wanted *w)
{
    terms_out_text(t, "code", "valueCode", w->code);
    terms_out_text(t, "value", "valueString", w->value);
}

static void write_unmatched(const struct finding *f, uint32_t i)
{
    struct terms_call *t = f->t;

    for (size_t k = 0; k < f->n; k++) {
        const struct wanted *w = &f->wanted[k];
        if (has(f, w, i))
            continue;
        terms_out_open(t, "unmatched");
        write_wanted(t, w);
        for (size_t m = 0; m < w->n; m++) {
            terms_out_open(t, "property");
            write_wanted(t, &f->wanted[w->first + m]);
            terms_out_close(t);
        }
        terms_out_close(t);
    }
}

static void write_match(const struct finding *f, uint32_t i)
{
    struct terms_call *t = f->t;

    terms_out_open(t, "match");
    terms_out_name(t, "code", "valueCoding");
    sb_lit(t->out, "{\"system\":");
    sb_json(t->out, cs_url(f->cs));
    sb_lit(t->out, ",\"code\":");
    sb_json(t->out, cs_code(f->cs, i));
    sb_lit(t->out, ",\"display\":");
    sb_json(t->out, cs_display(f->cs, i));
    sb_lit(t->out, "}}");
    write_unmatched(f, i);
    terms_out_close(t);
}

/* How many of the properties each concept has; the number of those that have all in *ret_whole. */
static uint8_t *count_all(const struct finding *f, size_t *ret_whole)
{
    uint8_t *counts = arena_alloc(f->t->c->a, cs_n(f->cs) + (size_t)1);

    *ret_whole = 0;
    for (uint32_t i = 0; counts && i < cs_n(f->cs); i++) {
        counts[i] = 0;
        for (size_t k = 0; k < f->n; k++)
            counts[i] += has(f, &f->wanted[k], i);
        *ret_whole += counts[i] == f->n;
    }
    return counts;
}

/* Those that have all properties; for a human, then, those that have the most of them. */
static int reply(const struct finding *f)
{
    size_t whole, found = 0;
    uint8_t *counts = count_all(f, &whole);

    if (!counts)
        return err_no_memory(&f->t->c->err);
    if (whole > FIND_CODES_MAX)
        return err_set(&f->t->c->err, ERR_COSTLY,
                       "%zu codes have these properties, and an answer has at most %d: name more "
                       "properties",
                       whole, FIND_CODES_MAX);
    terms_out_begin(f->t);
    for (size_t level = f->n; level > (f->exact ? f->n - 1 : 0); level--)
        for (uint32_t i = 0; i < cs_n(f->cs) && found < FIND_CODES_MAX; i++)
            if (counts[i] == level) {
                write_match(f, i);
                found++;
            }
    return terms_out_end(f->t);
}

static int find_system(struct finding *f)
{
    struct str system = op_param_text(&f->t->p, "system");
    struct str version = op_param_text(&f->t->p, "version");
    struct call *c = f->t->c;
    yyjson_val *resource;
    int r;

    if (c->id.n) {
        if ((r = terms_call_instance(f->t, &resource)) < 0)
            return r;
        system = js_get_str(resource, "url");
        version = js_get_str(resource, "version");
    }
    if (!system.n)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                      "the parameter \"system\" is needed");
    r = terms_code_system(&f->t->s, system, version, &f->cs, &c->err);
    if (r >= 0 && !f->cs)
        return terms_call_no_system(f->t, system, version);
    for (size_t k = 0; r >= 0 && k < f->n_all; k++)
        f->wanted[k].def = cs_property_find(f->cs, f->wanted[k].code);
    return r;
}

int op_find_matches(struct call *c, struct store_txn *txn)
{
    _cleanup_(terms_call_done) struct terms_call t;
    struct finding f = {.t = &t};
    int r = terms_call_begin(&t, c, txn);

    if (r < 0 || (r = op_param_bool(c, &t.p, "exact", false, &f.exact)) < 0 ||
        (r = read_wanted(&f)) < 0 || (r = find_system(&f)) < 0)
        return r;
    return reply(&f);
}
