/* search_terms.c - modifiers that ask a terminology or a hierarchy: :in, :not-in, :above, :below.
 *
 * A set of codes is a sorted set of keys (code_set.h); the store meets the list and the set from
 * both sides, so that neither a large set nor a long list costs much. A hierarchy of
 * resources (Location.partOf) becomes chains along it. A hierarchy of URLs is that of their paths.
 */
#include "fhir/search_int.h"

#include "fhir/code_set.h"
#include "fhir/validate.h"
#include "fhir/world.h"

#include <stdlib.h>

static int key_cmp(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

bool key_set_has(const struct key_set *set, struct str key)
{
    return set->n && bsearch(&key, set->keys, set->n, sizeof key, key_cmp);
}

/* "ValueSet/1" is the value set with that id: its canonical. */
static int value_set_url(struct search_parse *p, struct str text, struct str *ret)
{
    const struct world *w = p->opt->world;
    struct value ref;
    yyjson_val *root = NULL;
    int r = 0;

    *ret = text;
    value_reference(&p->opt->index, text, &ref);
    if (ref.kind != VALUE_LOCAL || !w->reference)
        return 0;
    if (p->opt->quick)
        return err_set(p->err, ERR_BUSY, "the value set has to be read first");
    r = w->reference(w->ctx, p->a, text, &root, p->err);
    if (r < 0 || !root)
        return r < 0 ? r : err_set(p->err, ERR_VALUE, "\"%.*s\" does not exist", STR_ARG(text));
    *ret = js_get_str(root, "url");
    return ret->n ? 0 : err_set(p->err, ERR_VALUE, "\"%.*s\" has no url", STR_ARG(text));
}

int search_codes(struct search_parse *p, const struct param *param, struct str text,
                 struct search_value *v)
{
    const struct world *w = p->opt->world;
    bool in = v->modifier == MOD_IN || v->modifier == MOD_NOT_IN;
    struct coding of = {.system = v->system, .code = v->text};
    const struct code_set *codes = NULL;
    struct str url = STR("");
    int r = 0;

    if (!w || !w->codes)
        return err_set(p->err, ERR_NOT_SUPPORTED,
                       "\"%.*s\" asks for a terminology, and there is none here",
                       STR_ARG(param->def.code));
    if (!in && (!v->system.n || !v->text.n))
        return err_set(p->err, ERR_VALUE, "the value \"%.*s\" of \"%.*s\" is not system|code",
                       (int)MIN(text.n, 100u), text.p, STR_ARG(param->def.code));
    if (in && (r = value_set_url(p, v->text, &url)) < 0)
        return r;
    r = w->codes(w->ctx, p->a,
                 in                         ? TERMS_VALUE_SET
                 : v->modifier == MOD_BELOW ? TERMS_DESCENDANTS
                                            : TERMS_ANCESTORS,
                 url, in ? NULL : &of, SEARCH_CODES_MAX, p->opt->quick, &codes, p->err);
    if (r < 0)
        return r;
    if (!codes)
        return err_set(p->err, ERR_VALUE,
                       in ? "the value set \"%.*s\" is not known here, or not whole"
                          : "the code \"%.*s\" is not known here, or its hierarchy is not",
                       (int)MIN(text.n, 200u), text.p);
    /* The system of a code is implied by its binding. */
    v->set = path_leads_to(param->path, TYPE_CODE) ? &codes->implied : &codes->keys;
    v->codings = codes->codings;
    v->n_codings = codes->n;
    return 0;
}

bool search_codes_match(const struct search_value *v, const struct value *x)
{
    struct key k = {.n = 0};

    key_token(&k, x->system, x->code);
    if (!key_set_has(v->set, key_view(&k)))
        return false;
    if (x->system.n || !x->codes)
        return true;
    /* The system of a `code` is one of the list that it is bound to. */
    for (size_t i = 0; i < v->n_codings; i++)
        if (str_eq_nocase(v->codings[i].code, x->code) &&
            (!v->codings[i].system.n || def_codes_has(x->codes, v->codings[i].system, x->code)))
            return true;
    return false;
}

/* ---- URLs ---- */

/* Whether `upper` is `lower` or a path above it. */
static bool is_above(struct str upper, struct str lower)
{
    while (upper.n && upper.p[upper.n - 1] == '/')
        upper.n--;
    return str_starts(lower, upper) && (lower.n == upper.n || lower.p[upper.n] == '/');
}

bool search_url_matches(const struct search_value *v, struct str text)
{
    if (str_eq(v->text, text))
        return true;
    /* A URN has no path. */
    if (str_starts(v->text, STR("urn:")))
        return false;
    return v->modifier == MOD_BELOW ? is_above(v->text, text) : is_above(text, v->text);
}

/* ---- resources ---- */

/* The parameter along which resources of a type lie above one another: the one that is asked where
 * it is a hierarchy itself, else the one by which they are part of each other; NULL: none. What are
 * strict hierarchies is said by the extension structuredefinition-hierarchy of R4's definitions. */
static const struct param *hierarchy(struct search_parse *p, int type, struct str asked)
{
    const bool itself = str_eq(asked, STR("based-on")) || str_eq(asked, STR("replaces"));
    const struct str codes[] = {itself ? asked : STR(""), STR("partof"), STR("part-of")};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        const struct param *param = param_find(p->params, type, codes[i]);
        if (param && param->def.kind == PARAM_REFERENCE && param->searchable &&
            search_may_target(param, type))
            return param;
    }
    return NULL;
}

/* "location:Location.partof:Location. … .partof", or with _has steps upwards, `steps` of them. */
static struct str path_along(struct search_parse *p, struct str code, int of,
                             enum search_modifier modifier, size_t steps)
{
    const struct str type = def_resource_name(of), along = hierarchy(p, of, code)->def.code;
    _cleanup_(sb_done) struct sb b = sb_make(KIB(8));
    bool below = modifier == MOD_BELOW;

    sb_fmt(&b, "%.*s:%.*s.", STR_ARG(code), STR_ARG(type));
    for (size_t i = 0; i + 1 < steps; i++)
        if (below)
            sb_fmt(&b, "%.*s:%.*s.", STR_ARG(along), STR_ARG(type));
        else
            sb_fmt(&b, "_has:%.*s:%.*s:", STR_ARG(type), STR_ARG(along));
    if (below)
        sb_str(&b, along);
    else
        sb_fmt(&b, "_has:%.*s:%.*s:_id", STR_ARG(type), STR_ARG(along));
    return b.failed ? STR_NULL : arena_dup(p->a, sb_view(&b));
}

/* The type of a hierarchy that the parameter may refer to and that the value names; 0: none. */
static int type_along(struct search_parse *p, const struct param *param, struct str value,
                      struct str *ret_id)
{
    struct value ref;

    *ret_id = value;
    value_reference(&p->opt->index, value, &ref);
    if (ref.kind == VALUE_LOCAL) {
        *ret_id = ref.id;
        return hierarchy(p, ref.type, param->def.code) ? ref.type : 0;
    }
    for (const int *t = param->def.targets; fhir_is_id(value) && t && *t; t++)
        if (hierarchy(p, *t, param->def.code))
            return *t;
    return 0;
}

int search_hierarchy(struct search_parse *p, const struct param *param,
                     enum search_modifier modifier, struct str value, struct search_clause *c)
{
    struct search_clause *subs = ARENA_ARRAY(p->a, struct search_clause, SEARCH_HIERARCHY_MAX + 1);
    struct str id, type_name, full;
    int type = type_along(p, param, value, &id), r;

    if (!subs)
        return err_no_memory(p->err);
    if (!type)
        return err_set(p->err, ERR_VALUE,
                       "the value \"%.*s\" of \"%.*s\" is no resource that lies in a hierarchy",
                       (int)MIN(value.n, 100u), value.p, STR_ARG(param->def.code));
    type_name = def_resource_name(type);
    full = arena_fmt(p->a, "%.*s/%.*s", STR_ARG(type_name), STR_ARG(id));
    if (!full.p)
        return err_no_memory(p->err);
    for (size_t i = 0; i <= SEARCH_HIERARCHY_MAX; i++) {
        struct str name = i ? path_along(p, param->def.code, type, modifier, i) : param->def.code;
        struct search_arg arg = search_arg_of(name, i && modifier == MOD_ABOVE ? id : full);

        if (!name.p)
            return err_no_memory(p->err);
        r = search_clause_parse(p, &arg, &subs[i]);
        if (r != ARG_TAKEN)
            return r;
    }
    *c = (struct search_clause){
        .kind = CLAUSE_ANY, .subs = subs, .n_subs = SEARCH_HIERARCHY_MAX + 1};
    return ARG_TAKEN;
}
