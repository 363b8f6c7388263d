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
 * it leads from a resource to the one that it came of, else the one by which they are part of each
 * other; NULL: none. What are strict hierarchies is said by the extension
 * structuredefinition-hierarchy of R4's definitions (basedOn, replaces, partOf, baseDefinition);
 * the other codes mean the same on the types that have them. */
static const struct param *hierarchy(struct search_parse *p, int type, struct str asked)
{
    static const struct str leading[] = {
        STR("based-on"),      STR("replaces"),    STR("base"),         STR("parent"),
        STR("prior-request"), STR("predecessor"), STR("derived-from"),
    };
    struct str codes[] = {STR(""), STR("partof"), STR("part-of")};

    for (size_t i = 0; i < ARRAY_LEN(leading); i++)
        if (str_eq(asked, leading[i]))
            codes[0] = asked;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        const struct param *param = param_find(p->params, type, codes[i]);
        if (param && param->def.kind == PARAM_REFERENCE && param->searchable &&
            search_may_target(param, type))
            return param;
    }
    return NULL;
}

/* What a value of :above and :below names. */
struct named {
    int type; /* 0: nothing that lies in a hierarchy */
    struct str id;
    bool is_url;     /* a canonical, not an id */
    bool has_no_url; /* nothing refers to the type by canonical */
};

/* The chain over `steps` steps: "location:Location.partof:Location. … .partof", or with _has steps
 * upwards. Of what canonicals refer to, an id stands behind one more step: they do not hold it. */
static struct str path_along(struct search_parse *p, struct str code, const struct named *of,
                             enum search_modifier modifier, size_t steps)
{
    const struct str type = def_resource_name(of->type);
    const struct str along = hierarchy(p, of->type, code)->def.code;
    _cleanup_(sb_done) struct sb b = sb_make(KIB(8));
    bool below = modifier == MOD_BELOW;

    sb_str(&b, code);
    for (size_t i = 0; i < steps; i++)
        if (below || !i)
            sb_fmt(&b, ":%.*s.%.*s", STR_ARG(type), below ? (int)along.n : 0, along.p);
        else
            sb_fmt(&b, "_has:%.*s:%.*s:", STR_ARG(type), STR_ARG(along));
    if (steps && !below)
        sb_fmt(&b, "_has:%.*s:%.*s:%s", STR_ARG(type), STR_ARG(along), of->is_url ? "url" : "_id");
    else if (!of->is_url && !of->has_no_url)
        sb_fmt(&b, ":%.*s._id", STR_ARG(type));
    return b.failed ? STR_NULL : arena_dup(p->a, sb_view(&b));
}

/* The resource that the value names, of a type that the parameter may refer to. */
static struct named name_along(struct search_parse *p, const struct param *param, struct str value)
{
    struct named named = {.id = value};
    struct value ref;
    bool may;

    value_reference(&p->opt->index, value, &ref);
    if (ref.kind == VALUE_LOCAL) {
        named.id = ref.id;
        named.type = hierarchy(p, ref.type, param->def.code) ? ref.type : 0;
        named.has_no_url = !param_find(p->params, ref.type, STR("url"));
        return named;
    }
    named.is_url = ref.kind == VALUE_URL && str_find(value, ':') >= 0;
    may = named.is_url || fhir_is_id(value);
    for (const int *t = param->def.targets; may && t && *t && !named.type; t++)
        if (hierarchy(p, *t, param->def.code)) {
            named.has_no_url = !param_find(p->params, *t, STR("url"));
            named.type = named.is_url && named.has_no_url ? 0 : *t;
        }
    return named;
}

int search_hierarchy(struct search_parse *p, const struct param *param,
                     enum search_modifier modifier, struct str value, struct search_clause *c)
{
    struct search_clause *subs = ARENA_ARRAY(p->a, struct search_clause, SEARCH_HIERARCHY_MAX + 1);
    const struct named of = name_along(p, param, value);
    struct str full = value;
    int r;

    if (!subs)
        return err_no_memory(p->err);
    if (!of.type)
        return err_set(p->err, ERR_VALUE,
                       "the value \"%.*s\" of \"%.*s\" is no resource that lies in a hierarchy",
                       (int)MIN(value.n, 100u), value.p, STR_ARG(param->def.code));
    if (!of.is_url) {
        const struct str type = def_resource_name(of.type);
        full = arena_fmt(p->a, "%.*s/%.*s", STR_ARG(type), STR_ARG(of.id));
    }
    if (!full.p)
        return err_no_memory(p->err);
    for (size_t i = 0; i <= SEARCH_HIERARCHY_MAX; i++) {
        bool by_id = !of.is_url && (!of.has_no_url || (i && modifier == MOD_ABOVE));
        struct str name = path_along(p, param->def.code, &of, modifier, i);
        struct search_arg arg = search_arg_of(name, by_id ? of.id : full);

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
