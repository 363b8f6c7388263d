/* op_find_matches.c - CodeSystem/$find-matches: codes by their properties
 * (codesystem-operation-find-matches.html). Subproperties and compositional answers are not there.
 */
#include "api/terms.h"

#define MATCHES_MAX 100
#define WANTED_MAX 50

struct wanted {
    struct str code, value;
    int def;
};

struct finding {
    struct terms_call *t;
    struct cs *cs;
    struct wanted wanted[WANTED_MAX];
    size_t n;
    bool exact;
};

static int read_wanted(struct finding *f)
{
    const struct op_params *p = &f->t->p;
    struct call *c = f->t->c;

    for (size_t i = 0; i < p->n; i++) {
        struct op_params parts;
        int r;
        if (!str_eq(p->v[i].name, STR("property")))
            continue;
        if (f->n == WANTED_MAX)
            return err_set(&c->err, ERR_COSTLY, "a call may name %d properties", WANTED_MAX);
        if ((r = op_parts_read(c, &p->v[i], &parts)) < 0)
            return r;
        f->wanted[f->n] =
            (struct wanted){op_param_text(&parts, "code"), op_param_text(&parts, "value"), -1};
        if (op_param_find(&parts, "value") && !f->wanted[f->n].value.p)
            f->wanted[f->n].value = js_get_str(op_param_find(&parts, "value")->value, "code");
        if (!f->wanted[f->n].code.n || !f->wanted[f->n].value.n)
            return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                          "a property needs a code and a value");
        f->n++;
    }
    if (!f->n)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                      "at least one property is needed");
    return 0;
}

static bool has(const struct finding *f, const struct wanted *w, uint32_t i)
{
    const struct cs_property *p;
    size_t n;

    if (str_eq(w->code, STR("code")))
        return str_eq(cs_code(f->cs, i), w->value);
    if (str_eq(w->code, STR("display")))
        return str_eq_nocase(cs_display(f->cs, i), w->value);
    p = cs_properties(f->cs, i, &n);
    for (size_t k = 0; k < n; k++)
        if ((int)p[k].def == w->def && str_eq(cs_text(f->cs, p[k].value), w->value))
            return true;
    return false;
}

static void write_unmatched(const struct finding *f, uint32_t i)
{
    struct terms_call *t = f->t;

    for (size_t k = 0; k < f->n; k++) {
        if (has(f, &f->wanted[k], i))
            continue;
        terms_out_open(t, "unmatched");
        terms_out_text(t, "code", "valueCode", f->wanted[k].code);
        terms_out_text(t, "value", "valueString", f->wanted[k].value);
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

static int reply(const struct finding *f)
{
    size_t found = 0;

    terms_out_begin(f->t);
    for (uint32_t i = 0; i < cs_n(f->cs) && found < MATCHES_MAX; i++) {
        size_t n = 0;
        for (size_t k = 0; k < f->n; k++)
            n += has(f, &f->wanted[k], i);
        if (n == f->n || (n && !f->exact)) {
            write_match(f, i);
            found++;
        }
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
    for (size_t k = 0; r >= 0 && k < f->n; k++)
        f->wanted[k].def = cs_property_find(f->cs, f->wanted[k].code);
    return r;
}

int op_find_matches(struct call *c, struct store_txn *txn)
{
    _cleanup_(terms_call_done) struct terms_call t;
    struct finding f = {.t = &t};
    int r = terms_call_begin(&t, c, txn);

    if (r < 0 || (r = op_param_bool(c, &t.p, "exact", true, &f.exact)) < 0 ||
        (r = read_wanted(&f)) < 0 || (r = find_system(&f)) < 0)
        return r;
    return reply(&f);
}
