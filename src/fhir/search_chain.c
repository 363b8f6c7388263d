/* search_chain.c - searches inside a search: what a reference leads to, and what refers here.
 *
 * A chain "subject.name" becomes one search for each type that `subject` may lead to and that has a
 * `name`; "_has:Observation:patient:code" one search for Observations. What stands behind the first
 * step is parsed like any other argument, of the inner search: so chains nest.
 * Source: http://hl7.org/fhir/R4/search.html#chaining, #has.
 */
#include "fhir/search_int.h"

#define ITEMS_ROOM 16

/* The search for `type` whose clause `make` gives. ARG_UNKNOWN: the type has no such parameter. */
static int inner_search(struct search_parse *p, int type, search_make *make, void *ctx,
                        struct search *ret)
{
    struct search *outer = p->s;
    struct search_clause c;
    int r;

    if (++p->n_inner > SEARCH_INNER_MAX)
        return err_set(p->err, ERR_COSTLY, "the search leads to more than %d other searches",
                       SEARCH_INNER_MAX);
    if (p->depth == SEARCH_DEPTH_MAX)
        return err_set(p->err, ERR_COSTLY, "the search is nested more than %d deep",
                       SEARCH_DEPTH_MAX);
    *ret = (struct search){.type = type, .total = TOTAL_NONE, .opt = outer->opt};
    p->s = ret;
    p->depth++;
    r = make(p, ctx, &c);
    p->depth--;
    p->s = outer;
    if (r != ARG_TAKEN)
        return r;
    if (c.kind == CLAUSE_ALL && !c.negate) {
        ret->clauses = c.subs;
        ret->n_clauses = c.n_subs;
        return r;
    }
    ret->clauses = ARENA_NEW(p->a, struct search_clause);
    if (!ret->clauses)
        return err_no_memory(p->err);
    ret->clauses[0] = c;
    ret->n_clauses = 1;
    return r;
}

static int make_of_arg(struct search_parse *p, void *ctx, struct search_clause *ret)
{
    return search_clause_parse(p, ctx, ret);
}

bool search_may_target(const struct param *param, int type)
{
    if (!param->def.targets)
        return true;
    for (const int *t = param->def.targets; *t; t++)
        if (*t == type)
            return true;
    return false;
}

/* The types that the first step leads to, as a set. */
static int targets_of(struct search_parse *p, struct str text, const struct clause_more *link,
                      struct str narrowed, bool ret[DEF_RESOURCE_MAX + 1])
{
    int only = narrowed.n ? def_resource(narrowed) : 0;
    bool any = false;

    if (narrowed.n && !only)
        return err_set(p->err, ERR_VALUE, "\"%.*s\" in \"%.*s\" is no resource type",
                       (int)MIN(narrowed.n, 64u), narrowed.p, (int)MIN(text.n, 100u), text.p);
    for (int t = 1; t <= DEF_RESOURCE_MAX; t++) {
        ret[t] = false;
        for (size_t i = 0; i < link->n_params && (!only || t == only); i++)
            ret[t] = ret[t] || search_may_target(link->params[i], t);
        any = any || ret[t];
    }
    if (!any)
        return err_set(p->err, ERR_VALUE, "\"%.*s\" never refers to a %.*s", (int)MIN(text.n, 100u),
                       text.p, STR_ARG(narrowed));
    return 0;
}

/* One search for each type; a value that one type cannot take is an error when no other can. */
static int follow(struct search_parse *p, const bool *types, search_make *make, void *ctx,
                  struct search_clause *c)
{
    struct err first = {0}, *outer = p->err;
    size_t n = 0;

    for (int t = 1; t <= DEF_RESOURCE_MAX; t++)
        n += types[t];
    c->inner = ARENA_ARRAY(p->a, struct search, n);
    if (!c->inner)
        return err_no_memory(p->err);
    for (int t = 1; t <= DEF_RESOURCE_MAX; t++) {
        struct err err = {0};
        int r;
        if (!types[t])
            continue;
        p->err = &err;
        r = inner_search(p, t, make, ctx, &c->inner[c->n_inner]);
        p->err = outer;
        if (r == ARG_TAKEN)
            c->n_inner++;
        else if (r == ERR_VALUE || r == ERR_NOT_SUPPORTED)
            first = first.code ? first : err;
        else if (r < 0)
            return err_set(outer, r, "%s", err.text);
    }
    if (c->n_inner)
        return ARG_TAKEN;
    return first.code ? err_set(outer, first.code, "%s", first.text) : ARG_UNKNOWN;
}

int search_follow(struct search_parse *p, struct str head, search_make *make, void *ctx,
                  struct search_clause *c)
{
    struct str narrowed = head, code;
    bool types[DEF_RESOURCE_MAX + 1];
    struct clause_more link = {0};
    int r;

    str_split(&narrowed, ':', &code);
    r = search_find(p, code, &link);
    if (r != ARG_TAKEN)
        return r;
    if (link.params[0]->def.kind != PARAM_REFERENCE)
        return err_set(p->err, ERR_VALUE,
                       "\"%.*s\" is no reference, so that nothing stands behind it",
                       (int)MIN(code.n, 64u), code.p);
    r = targets_of(p, head, &link, narrowed.p ? narrowed : STR(""), types);
    if (r < 0)
        return r;
    *c = (struct search_clause){.kind = CLAUSE_CHAIN,
                                .param = link.params[0],
                                .links = link.params,
                                .n_links = link.n_params};
    r = follow(p, types, make, ctx, c);
    return r == ARG_TAKEN ? search_into_contained(p, c) : r;
}

int search_chain(struct search_parse *p, const struct search_arg *arg, struct search_clause *c)
{
    struct str rest = arg->raw, head;
    struct search_arg inner;

    str_split(&rest, '.', &head);
    if (!head.n || !rest.n)
        return err_set(p->err, ERR_VALUE, "\"%.*s\" is not a chain of parameters",
                       (int)MIN(arg->raw.n, 100u), arg->raw.p);
    inner = search_arg_of(rest, arg->value);
    return search_follow(p, head, make_of_arg, &inner, c);
}

static int bad_has(struct search_parse *p, struct str text, const char *what)
{
    return err_set(p->err, ERR_VALUE, "\"%.*s\" %s", (int)MIN(text.n, 100u), text.p, what);
}

/* A _has of one reference parameter of one type; `text` is for messages. */
static int has_of(struct search_parse *p, struct str text, int type, struct str code,
                  search_make *make, void *ctx, struct search_clause *c)
{
    const struct param *param = param_find(p->params, type, code);
    int r;

    if (!param || !param->path || !param->searchable || param->def.kind != PARAM_REFERENCE)
        return bad_has(p, text, "names no reference parameter of that type");
    if (p->s->type && !search_may_target(param, p->s->type))
        return bad_has(p, text, "names a parameter that never refers to the type searched for");
    *c = (struct search_clause){.kind = CLAUSE_HAS, .param = param, .n_links = 1};
    c->links = ARENA_ARRAY(p->a, const struct param *, 1);
    c->inner = ARENA_ARRAY(p->a, struct search, 1);
    if (!c->links || !c->inner)
        return err_no_memory(p->err);
    c->links[0] = param;
    r = inner_search(p, type, make, ctx, &c->inner[0]);
    if (r == ARG_UNKNOWN)
        return bad_has(p, text, "ends in a parameter that the type does not have");
    c->n_inner = 1;
    return r;
}

int search_follow_back(struct search_parse *p, struct str head, search_make *make, void *ctx,
                       struct search_clause *c)
{
    struct str rest = str_from(head, strlen("_has:")), name;
    int type;

    str_split(&rest, ':', &name);
    type = def_resource(name);
    if (!rest.n)
        return bad_has(p, head, "is not _has:Type:reference:parameter");
    if (!type)
        return bad_has(p, head, "names no resource type");
    return has_of(p, head, type, rest, make, ctx, c);
}

int search_has(struct search_parse *p, const struct search_arg *arg, struct search_clause *c)
{
    struct str rest = str_from(arg->raw, strlen("_has:")), part;
    struct search_arg inner;

    str_split(&rest, ':', &part);
    if (!rest.p || (str_split(&rest, ':', &part), !rest.n))
        return bad_has(p, arg->raw, "is not _has:Type:reference:parameter");
    inner = search_arg_of(rest, arg->value);
    return search_follow_back(p, str_head(arg->raw, arg->raw.n - rest.n - 1), make_of_arg, &inner,
                              c);
}

/* Lists that are asked for by what they are for, not by id: each is what its resources say of
 * themselves. Source: http://hl7.org/fhir/R4/lifecycle.html#lists. */
static const struct functional {
    const char *name, *type;
    struct {
        const char *name, *value;
    } asks[3];
} functional[] = {
    {"$current-problems",
     "Condition",
     {{"clinical-status", "active,recurrence,relapse"},
      {"verification-status:not", "refuted,entered-in-error"}}},
    {"$current-medications", "MedicationStatement", {{"status", "active"}}},
    {"$current-medications", "MedicationRequest", {{"status", "active"}}},
    {"$current-allergies",
     "AllergyIntolerance",
     {{"clinical-status:not", "inactive,resolved"},
      {"verification-status:not", "refuted,entered-in-error"}}},
    {"$current-drug-allergies",
     "AllergyIntolerance",
     {{"clinical-status:not", "inactive,resolved"},
      {"verification-status:not", "refuted,entered-in-error"},
      {"category", "medication"}}},
};

static int functional_list(struct search_parse *p, struct str name, struct search_clause *c)
{
    const struct functional *f = functional, *end = functional + ARRAY_LEN(functional);
    size_t n = 0;

    while (f < end && (!str_eq(name, str_c(f->name)) || p->s->type != def_resource(str_c(f->type))))
        f++;
    if (f == end)
        return err_set(p->err, ERR_NOT_SUPPORTED,
                       "the list \"%.*s\" is not kept here for what is searched",
                       (int)MIN(name.n, 64u), name.p);
    *c = (struct search_clause){.kind = CLAUSE_ALL};
    c->subs = ARENA_ARRAY(p->a, struct search_clause, ARRAY_LEN(f->asks));
    if (!c->subs)
        return err_no_memory(p->err);
    for (; n < ARRAY_LEN(f->asks) && f->asks[n].name; n++) {
        struct search_arg arg = search_arg_of(str_c(f->asks[n].name), str_c(f->asks[n].value));
        int r = search_clause_parse(p, &arg, &c->subs[n]);

        if (r != ARG_TAKEN)
            return r;
    }
    c->n_subs = n;
    return ARG_TAKEN;
}

int search_list(struct search_parse *p, const struct search_arg *arg, struct search_clause *c)
{
    struct search_arg inner = search_arg_of(STR("_id"), arg->value);

    if (str_starts(arg->value, STR("$")))
        return functional_list(p, arg->value, c);
    return has_of(p, STR("_list"), def_resource(STR("List")), STR("item"), make_of_arg, &inner, c);
}

/* ---- references of a resource ---- */

struct visit {
    search_ref_visit *visit;
    void *ctx;
    int result;
};

static int visit_value(void *ctx, const struct value *v)
{
    struct visit *to = ctx;
    struct search_ref ref = {.id = v->id, .version = v->version, .url = v->text};

    if (to->result)
        return 0;
    if (v->kind == VALUE_LOCAL)
        ref = (struct search_ref){.type = v->type, .id = v->id};
    else if (v->kind != VALUE_URL)
        return 0;
    to->result = to->visit(to->ctx, &ref);
    return 0;
}

int search_refs(struct arena *a, const struct index_options *opt, const struct param *param,
                yyjson_val *root, search_ref_visit *visit, void *ctx, struct err *err)
{
    struct path_env env = {.a = a, .resource = root, .values_only = true, .keep_repeats = true};
    struct path_item item = path_root(root), room[ITEMS_ROOM];
    struct path_items items = {room, 0, ARRAY_LEN(room)};
    struct visit to = {visit, ctx, 0};
    int r = path_eval(param->path, &env, &item, &items, err);

    for (size_t i = 0; i < items.n && r >= 0 && !to.result; i++)
        r = value_each(opt, PARAM_REFERENCE, &items.p[i], visit_value, &to);
    return r < 0 ? r : to.result;
}

static int keep_key(struct arena *a, const struct key *k, struct str *ret, size_t *n,
                    struct err *err)
{
    ret[*n] = arena_dup(a, key_view(k));
    return ret[(*n)++].p ? 0 : err_no_memory(err);
}

int search_target_keys(struct arena *a, int type, struct str id, yyjson_val *root,
                       struct str ret[SEARCH_TARGET_KEYS_MAX], size_t *ret_n, struct err *err)
{
    struct str url = js_get_str(root, "url"), version = js_get_str(root, "version");
    struct key k = {.n = 0};
    size_t n = 0;
    int r;

    key_local(&k, type, id);
    r = keep_key(a, &k, ret, &n, err);
    if (r >= 0 && url.n) {
        k.n = 0;
        key_url(&k, url, STR(""));
        r = keep_key(a, &k, ret, &n, err);
    }
    if (r >= 0 && url.n && version.n) {
        k.n = 0;
        key_url(&k, url, version);
        r = keep_key(a, &k, ret, &n, err);
    }
    *ret_n = n;
    return r;
}

struct str search_url_key(struct arena *a, struct str url)
{
    struct key k = {.n = 0};

    key_text(&k, url, KEY_URI_BYTES);
    return arena_dup(a, key_view(&k));
}
