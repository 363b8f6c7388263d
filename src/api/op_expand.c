/* op_expand.c - ValueSet/$expand: all codes of a value set (valueset-operation-expand.html). */
#include "api/terms.h"

#include "terminology/expand.h"

#define INLINE_CODES_MAX 1000 /* codes that an event loop writes itself */

static int read_names(struct call *c, const struct op_params *p, const char *name, struct str *ret,
                      size_t max, size_t *ret_n)
{
    for (size_t i = 0; i < p->n; i++) {
        if (!str_eq(p->v[i].name, str_c(name)) || !p->v[i].text.n)
            continue;
        if (*ret_n == max)
            return err_set(&c->err, ERR_COSTLY, "%s may be given %zu times", name, max);
        ret[(*ret_n)++] = p->v[i].text;
    }
    return 0;
}

static int read_supplements(struct terms_call *t, const struct vs *vs, struct expand_options *opt)
{
    int r = supplements_of(&t->s, vs, &opt->supplements, &t->c->err);

    for (size_t i = 0; r >= 0 && i < t->p.n; i++)
        if (str_eq(t->p.v[i].name, STR("useSupplement")) && t->p.v[i].text.n)
            r = supplement_add(&t->s, t->p.v[i].text, &opt->supplements, &t->c->err);
    return r;
}

static int read_options(struct terms_call *t, const struct vs *vs, struct expand_options *opt)
{
    const struct op_params *p = &t->p;
    struct call *c = t->c;
    int r;

    opt->filter = op_param_text(p, "filter");
    opt->has_offset = op_param_find(p, "offset");
    opt->has_count = op_param_find(p, "count");
    opt->has_active_only = op_param_find(p, "activeOnly");
    opt->has_designations = op_param_find(p, "includeDesignations");
    opt->has_exclude_nested = op_param_find(p, "excludeNested");
    opt->has_definition = op_param_find(p, "includeDefinition");
    opt->has_exclude_not_for_ui = op_param_find(p, "excludeNotForUI");
    opt->language = terms_call_language(t, vs);
    opt->has_language = opt->language.n > 0;
    if ((r = op_param_u64(c, p, "offset", INT32_MAX, 0, &opt->offset)) < 0 ||
        (r = op_param_u64(c, p, "count", INT32_MAX, 0, &opt->count)) < 0 ||
        (r = op_param_bool(c, p, "activeOnly", false, &opt->active_only)) < 0 ||
        (r = op_param_bool(c, p, "includeDesignations", false, &opt->designations)) < 0 ||
        (r = op_param_bool(c, p, "includeDefinition", false, &opt->definition)) < 0 ||
        (r = op_param_bool(c, p, "excludeNested", false, &opt->exclude_nested)) < 0 ||
        (r = op_param_bool(c, p, "excludeNotForUI", false, &opt->exclude_not_for_ui)) < 0 ||
        (r = read_names(c, p, "designation", opt->wanted, EXPAND_NAMES_MAX, &opt->n_wanted)) < 0 ||
        (r = read_names(c, p, "property", opt->properties, EXPAND_NAMES_MAX, &opt->n_properties)) <
            0 ||
        (r = read_names(c, p, "exclude-system", opt->excluded, EXPAND_NAMES_MAX,
                        &opt->n_excluded)) < 0)
        return r;
    opt->designations |= opt->n_wanted > 0;
    return read_supplements(t, vs, opt);
}

/* ---- which set ---- */

static int find_set(struct terms_call *t, struct vs **ret)
{
    struct str url = op_param_text(&t->p, "url"), version = op_param_text(&t->p, "valueSetVersion");
    struct call *c = t->c;
    yyjson_val *resource;
    int r = terms_call_brought(t, "valueSet", "ValueSet", &resource);

    if (r >= 0 && !resource && c->resource && !url.n)
        r = terms_call_brought(t, "resource", "ValueSet", &resource);
    if (r < 0)
        return r;
    if (c->id.n)
        return terms_call_instance_set(t, ret);
    if (resource)
        return terms_value_set_of(&t->s, resource, ret, &c->err);
    if (!url.n && (r = terms_call_context(t, &url)) < 0)
        return r;
    if (!url.n)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                      "the parameter \"url\", \"valueSet\" or \"context\" is needed");
    if (version.n && str_find(url, '|') < 0)
        url = arena_join(c->a, (const struct str[]){url, STR("|"), version}, 3);
    if (!url.p)
        return err_no_memory(&c->err);
    r = terms_value_set(&t->s, url, ret, &c->err);
    return r >= 0 && !*ret ? terms_call_no_value_set(t, url) : r;
}

/* A long answer is a worker's. */
static int check_quick(struct terms_call *t, const struct vs *vs, const struct expand_options *opt)
{
    if (t->s.quick && MIN(opt->has_count ? opt->count : vs->n, vs->n) > INLINE_CODES_MAX)
        return err_set(&t->c->err, ERR_BUSY, "the answer is long");
    return 0;
}

int op_expand(struct call *c, struct store_txn *txn)
{
    _cleanup_(terms_call_done) struct terms_call t;
    struct expand_options opt = {.n_wanted = 0};
    struct vs *vs;
    int r = terms_call_begin(&t, c, txn);

    if (r < 0 || (r = find_set(&t, &vs)) < 0 || (r = terms_call_own(&t, vs)) < 0 ||
        (r = read_options(&t, vs, &opt)) < 0 || (r = check_quick(&t, vs, &opt)) < 0 ||
        (r = terms_expand(&t.s, vs, &opt, &c->out, &c->err)) < 0)
        return r;
    c->status = 200;
    return 0;
}
