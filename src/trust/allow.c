#include "trust/allow.h"

#include "trust/guard.h"

#define ALTERNATIVES_MAX SMART_SCOPES_MAX
#define ALLOW_ARENA_MAX MIB(8)

#define READS (SMART_R | SMART_S)
#define WRITES (SMART_C | SMART_U | SMART_D)

/* What one scope opens of a type. */
struct opening {
    bool all;
    bool of_patient; /* in the context patient's compartment */
    struct str query;
};

/* What all scopes with one of `rights` open of a type. */
struct openings {
    bool all; /* everything: the others do not matter */
    struct opening v[ALTERNATIVES_MAX];
    size_t n;
};

static void openings_of(const struct identity *i, int type, unsigned rights, struct openings *ret)
{
    ret->all = false;
    ret->n = 0;
    for (size_t k = 0; k < i->scopes.n && !ret->all; k++) {
        const struct smart_scope *s = &i->scopes.v[k];
        struct opening o = {.query = s->query};

        if (!(s->rights & rights) || (s->type && s->type != type))
            continue;
        if (s->context == SMART_PATIENT) {
            bool in_compartment = def_compartment_params(COMPARTMENT_PATIENT, type) != NULL;

            if (!i->patient.n ||
                (!in_compartment && (!policy_is_shared(type) || !(rights & READS))))
                continue;
            o.of_patient = in_compartment;
        }
        ret->all = !o.of_patient && !o.query.n;
        ret->v[ret->n++] = o;
    }
}

/* ---- one resource ---- */

struct body {
    struct arena a;
    struct sb text;
    struct params *params;
    struct search_options opt;
    yyjson_val *root;
};

static void body_done(struct body *b)
{
    params_unref(b->params);
    sb_done(&b->text);
    arena_done(&b->a);
}

static void body_begin(struct body *b, struct store *st)
{
    *b = (struct body){.text = sb_make(STORE_BODY_MAX + KIB(1)),
                       .params = store_params(st),
                       .opt = {.index = *store_index_options(st), .strict = true}};
    arena_init(&b->a, STORE_BODY_MAX * 3);
}

static int is_it(void *ctx, const struct search_ref *ref)
{
    const struct identity *i = ctx;

    return ref->type && str_eq(def_resource_name(ref->type), STR("Patient")) &&
           str_eq(ref->id, i->patient);
}

/* Whether the resource is in the compartment, by the references that put one there. */
static int in_compartment(struct body *b, const struct identity *i, int type, struct err *err)
{
    const struct str *codes = def_compartment_params(COMPARTMENT_PATIENT, type);
    size_t n;
    const struct param *params = params_of(b->params, type, &n);

    for (; codes && codes->p; codes++) {
        if (str_eq(*codes, STR("{def}"))) {
            if (str_eq(js_get_str(b->root, "id"), i->patient))
                return 1;
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            int r;

            if (!str_eq(params[k].def.code, *codes))
                continue;
            r = search_refs(&b->a, &b->opt.index, &params[k], b->root, is_it, (void *)(uintptr_t)i,
                            err);
            if (r != 0)
                return r;
        }
    }
    return 0;
}

/* Whether it matches a scope's query. */
static int matches(struct body *b, int type, struct str query, struct err *err)
{
    struct search s;
    int r = search_parse(&b->a, b->params, &b->opt, type, query, &s, err);

    for (size_t k = 0; r >= 0 && k < s.n_clauses; k++) {
        bool is_match = false;

        r = search_match(&b->a, &s, &s.clauses[k], b->root, &is_match, err);
        if (r >= 0 && !is_match)
            return 0;
    }
    return r < 0 ? r : 1;
}

static int opens(struct body *b, const struct identity *i, const struct openings *o, int type,
                 struct err *err)
{
    for (size_t k = 0; k < o->n; k++) {
        int r = o->v[k].of_patient ? in_compartment(b, i, type, err) : 1;

        if (r > 0 && o->v[k].query.n)
            r = matches(b, type, o->v[k].query, err);
        if (r != 0)
            return r;
    }
    return 0;
}

static int parse_row(struct body *b, struct store *st, const struct row *row, struct err *err)
{
    int r = row_json(st, row, &b->text, err);

    return r < 0 ? r : js_parse_stored(&b->a, sb_view(&b->text), &b->root, err);
}

static int sees(const struct identity *i, struct store *st, const struct row *row, unsigned rights,
                struct err *err)
{
    struct openings o;
    struct body b;
    int r;

    openings_of(i, row->type, rights, &o);
    if (o.all || !o.n)
        return o.all;
    if (row->method == METHOD_DELETE)
        return 0; /* nobody knows any more whose it was */
    body_begin(&b, st);
    r = parse_row(&b, st, row, err);
    if (r >= 0)
        r = opens(&b, i, &o, row->type, err);
    body_done(&b);
    return r;
}

static int may_see(const struct access *who, struct store *st, const struct row *row,
                   struct err *err)
{
    return sees(who->identity, st, row, READS, err);
}

/* ---- writing ---- */

static int forbidden(struct err *err)
{
    return err_set(err, ERR_FORBIDDEN, "the scopes do not allow to write this resource");
}

static int opens_new(const struct identity *i, struct store *st, const struct put *put,
                     unsigned right, struct err *err)
{
    struct version none = {0};
    struct row row = {.row = 1,
                      .type = put->type,
                      .id = put->id,
                      .version = none,
                      .method = put->method,
                      .sealed = put->sealed};

    return sees(i, st, &row, right, err);
}

static int may_put(const struct access *who, struct store *st, const struct sight *sight,
                   const struct put *put, const struct row *old, struct err *err)
{
    const struct identity *i = who->identity;
    bool is_there = old && old->method != METHOD_DELETE;
    unsigned right = put->method == METHOD_DELETE   ? SMART_D
                     : put->method == METHOD_CREATE ? SMART_C
                                                    : SMART_U;
    int r = is_there ? sees(i, st, old, right, err) : 1;

    if (r > 0 && put->method != METHOD_DELETE)
        r = opens_new(i, st, put, right, err);
    if (r > 0 && sight)
        return guard_may_put(sight, put, old, err);
    return r < 0 ? r : r == 0 ? forbidden(err) : 0;
}

/* ---- searches ---- */

/* A search that narrow() may add to. */
struct narrowing {
    const struct identity *identity;
    struct arena *a;
    struct params *params;
    const struct search_options *opt;
    struct err *err;
    bool is_narrowed;
};

static int add_clause(struct narrowing *n, struct search *s, const struct search_clause *clause)
{
    struct search_clause *more = ARENA_ARRAY(n->a, struct search_clause, s->n_clauses + 1);

    if (!more)
        return err_no_memory(n->err);
    if (s->n_clauses)
        memcpy(more, s->clauses, s->n_clauses * sizeof *more);
    more[s->n_clauses++] = *clause;
    s->clauses = more;
    n->is_narrowed = true;
    return 0;
}

static int add_nothing(struct narrowing *n, struct search *s)
{
    return add_clause(n, s, &(struct search_clause){.kind = CLAUSE_NONE});
}

/* The clauses of one opening, as a search of their own. */
static int opening_search(struct narrowing *n, const struct opening *o, int type,
                          struct search *ret)
{
    int r = search_parse(n->a, n->params, n->opt, type, o->query, ret, n->err);

    if (r >= 0 && o->of_patient)
        r = search_within(n->a, ret, COMPARTMENT_PATIENT, n->identity->patient, n->err);
    return r;
}

static int add_openings(struct narrowing *n, struct search *s, int type)
{
    struct search_clause any = {.kind = CLAUSE_ANY};
    struct openings o;
    struct search one;
    int r = 0;

    openings_of(n->identity, type, READS, &o);
    if (o.all)
        return 0;
    if (!o.n)
        return add_nothing(n, s);
    if (o.n == 1) {
        r = opening_search(n, &o.v[0], type, &one);
        for (size_t k = 0; r >= 0 && k < one.n_clauses; k++)
            r = add_clause(n, s, &one.clauses[k]);
        return r;
    }
    any.subs = ARENA_ARRAY(n->a, struct search_clause, o.n);
    if (!any.subs)
        return err_no_memory(n->err);
    for (size_t k = 0; r >= 0 && k < o.n; k++) {
        r = opening_search(n, &o.v[k], type, &one);
        if (r >= 0)
            any.subs[any.n_subs++] = (struct search_clause){
                .kind = CLAUSE_ALL, .subs = one.clauses, .n_subs = one.n_clauses};
    }
    return r < 0 ? r : add_clause(n, s, &any);
}

static int narrow_one(struct narrowing *n, struct search *s);

/* Searches inside: each is of one type, and gets what narrows that type. */
static int narrow_clauses(struct narrowing *n, struct search_clause **clauses, size_t n_clauses)
{
    struct search_clause *copy;
    bool has_inner = false;
    int r = 0;

    for (size_t k = 0; k < n_clauses; k++)
        has_inner |= (*clauses)[k].n_inner || (*clauses)[k].n_subs;
    if (!has_inner)
        return 0;
    copy = ARENA_ARRAY(n->a, struct search_clause, n_clauses);
    if (!copy)
        return err_no_memory(n->err);
    memcpy(copy, *clauses, n_clauses * sizeof *copy);
    *clauses = copy;
    for (size_t k = 0; r >= 0 && k < n_clauses; k++) {
        struct search *inner = ARENA_ARRAY(n->a, struct search, copy[k].n_inner + 1);

        if (!inner)
            return err_no_memory(n->err);
        for (size_t m = 0; r >= 0 && m < copy[k].n_inner; m++) {
            inner[m] = copy[k].inner[m];
            r = narrow_one(n, &inner[m]);
        }
        copy[k].inner = inner;
        if (r >= 0)
            r = narrow_clauses(n, &copy[k].subs, copy[k].n_subs);
    }
    return r;
}

/* At system level what is searched is cut down to types that are open, as far as one rule holds
 * for all of them. */
static int narrow_system(struct narrowing *n, struct search *s)
{
    int *types = ARENA_ARRAY(n->a, int, DEF_RESOURCE_MAX + 1), n_some = 0;
    size_t n_types = 0, n_asked = s->n_types ? s->n_types : DEF_RESOURCE_MAX;
    struct openings o;

    if (!types)
        return err_no_memory(n->err);
    for (size_t k = 0; k < n_asked; k++) {
        int type = s->n_types ? s->types[k] : (int)k + 1;

        openings_of(n->identity, type, READS, &o);
        if (!o.all && !o.n)
            continue;
        if (!o.all && (o.n > 1 || o.v[0].query.n || !o.v[0].of_patient))
            return err_set(n->err, ERR_FORBIDDEN,
                           "the scopes narrow types differently: search one type at a time");
        n_some += !o.all;
        types[n_types++] = type;
    }
    n->is_narrowed |= n_types != n_asked;
    if (!n_types)
        return add_nothing(n, s);
    if (n->is_narrowed) {
        s->types = types;
        s->n_types = n_types;
    }
    if (!n_some)
        return 0;
    n->is_narrowed = true;
    return search_within(n->a, s, COMPARTMENT_PATIENT, n->identity->patient, n->err);
}

static int narrow_one(struct narrowing *n, struct search *s)
{
    int r = narrow_clauses(n, &s->clauses, s->n_clauses);

    if (r < 0)
        return r;
    return s->type ? add_openings(n, s, s->type) : narrow_system(n, s);
}

static bool sees_all(const struct identity *i)
{
    struct openings o;

    for (int type = 1; type <= DEF_RESOURCE_MAX; type++) {
        openings_of(i, type, READS, &o);
        if (!o.all)
            return false;
    }
    return true;
}

static int narrow(const struct access *who, struct store *st, struct arena *a,
                  const struct search *s, const struct search **ret, struct err *err)
{
    struct narrowing n = {.identity = who->identity, .a = a, .err = err};
    struct search_options *opt = ARENA_NEW(a, struct search_options);
    struct search *copy = ARENA_NEW(a, struct search);
    int r;

    if (!opt || !copy)
        return err_no_memory(err);
    *opt = (struct search_options){.index = *store_index_options(st), .strict = true};
    n.opt = opt;
    n.params = store_params(st);
    *copy = *s;
    r = narrow_one(&n, copy);
    params_unref(n.params);
    if (r < 0)
        return r;
    /* What is sorted by or returned from behind a reference, or from inside, passes no clause. */
    for (size_t k = 0; k < s->n_sort; k++)
        if (s->sort[k].n_steps && !sees_all(who->identity))
            return err_set(err, ERR_FORBIDDEN, "sorting along a chain is not for this access");
    if (s->contained && !sees_all(who->identity))
        return err_set(err, ERR_FORBIDDEN, "_contained is not for this access");
    *ret = n.is_narrowed ? copy : s;
    return 0;
}

/* ---- the face ---- */

static int look(const struct access *who, struct store *st, uint64_t position, bool is_writing,
                const struct sight **ret, struct err *err)
{
    (void)st;
    return guard_look(who->guard, who->identity, position, is_writing, ret, err);
}

static int in_sight(const struct access *who, struct store *st, const struct sight *sight,
                    const struct row *row, struct err *err)
{
    (void)who;
    (void)st;
    return guard_in_sight(sight, row, err);
}

static const struct access_rules rules = {.narrow = narrow,
                                          .may_see = may_see,
                                          .look = look,
                                          .sight_done = guard_sight_done,
                                          .in_sight = in_sight,
                                          .may_put = may_put};

struct access allow_access(const struct identity *i, struct guard *guard)
{
    return (struct access){.kind = ACCESS_GRANTED,
                           .agent = i->agent,
                           .may_write = true,
                           .rules = &rules,
                           .identity = i,
                           .guard = guard};
}

int allow_interaction(const struct access *who, int type, unsigned rights, struct err *err)
{
    static const char letters[] = "cruds";
    const struct identity *i = who->identity;
    unsigned has = 0;
    char missing[8];
    size_t n = 0;

    if (who->kind != ACCESS_GRANTED)
        return 0;
    for (size_t k = 0; k < i->scopes.n; k++)
        if (!type || !i->scopes.v[k].type || i->scopes.v[k].type == type)
            has |= i->scopes.v[k].rights;
    if ((has & rights) == rights)
        return 0;
    for (unsigned k = 0; k < 5; k++)
        if (rights & ~has & 1u << k)
            missing[n++] = letters[k];
    missing[n] = '\0';
    return err_set(err, ERR_FORBIDDEN, "the token has no scope for %.*s.%s",
                   STR_ARG(type ? def_resource_name(type) : STR("*")), missing);
}

int allow_log(const struct access *who, int type, struct arena *a, struct str *ret, struct err *err)
{
    struct openings o;
    struct str own = STR_NULL; /* whose entries alone */
    int r = 1;

    *ret = STR_NULL;
    if (who->kind != ACCESS_GRANTED)
        return 0;
    if (who->guard && (r = guard_reads_log(who->guard, who->identity, err)) < 0)
        return r;
    if (!r) {
        if ((r = guard_own_patient(who->guard, who->identity, a, &own, err)) < 0)
            return r;
        if (!own.n)
            return err_set(err, ERR_FORBIDDEN, "the role does not read the audit log");
    }
    openings_of(who->identity, type, READS, &o);
    if (o.all)
        *ret = own;
    if (o.all)
        return 0;
    for (size_t k = 0; k < o.n && !ret->p; k++)
        if (o.v[k].of_patient && !o.v[k].query.n)
            *ret = who->identity->patient;
    if (own.p && ret->p && !str_eq(own, *ret))
        return err_set(err, ERR_FORBIDDEN, "the role reads the audit log of its own record alone");
    return ret->p ? 0
                  : err_set(err, ERR_FORBIDDEN, "the token has no scope for %.*s without a query",
                            STR_ARG(def_resource_name(type)));
}

static int check_query(struct arena *a, const struct params *params,
                       const struct search_options *opt, const struct smart_scope *one,
                       struct err *err)
{
    struct search s;
    int r = search_parse(a, params, opt, one->type, one->query, &s, err);

    if (r < 0)
        return err_set(err, ERR_VALUE, "a scope's query is not understood");
    if (!s.n_clauses || s.n_sort || s.n_includes || s.contained || s.n_types || s.n_elements)
        return err_set(err, ERR_VALUE, "a scope's query only names parameters of its type");
    for (size_t k = 0; k < s.n_clauses; k++)
        if (s.clauses[k].kind != CLAUSE_KEYS || s.clauses[k].negate)
            return err_set(err, ERR_VALUE,
                           "a scope's query asks plain parameters of the resource itself: no "
                           "chains, no :not or :missing, no _id, _lastUpdated or _filter");
    return 0;
}

int allow_check_scopes(struct store *st, struct arena *a, const struct smart_scopes *scopes,
                       struct err *err)
{
    struct search_options opt = {.index = *store_index_options(st), .strict = true};
    struct params *params = store_params(st);
    int r = 0;

    for (size_t k = 0; r >= 0 && k < scopes->n; k++)
        if (scopes->v[k].query.n)
            r = check_query(a, params, &opt, &scopes->v[k], err);
    params_unref(params);
    return r;
}
