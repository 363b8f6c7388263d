/* op_closure.c - $closure: keeps a client's transitive closure table up to date
 * (conceptmap-operation-closure.html).
 *
 * A table is the list of its concepts, each with the table's version that added it; what is between
 * them is worked out when it is asked for. Tables lie in the store as large values, "closure/NAME".
 */
#include "api/terms.h"

#include "base/clock.h"

#include <inttypes.h>

#define CLOSURE_CONCEPTS_MAX 5000 /* concepts of one table */
#define CLOSURE_NAME_MAX 200
#define CLOSURE_LINKS_MAX 100000 /* relations in one answer */

struct member {
    struct coding coding;
    uint64_t added; /* the version of the table that has it first */
    struct cs *cs;
    uint32_t concept;
};

struct closure {
    struct terms_call t;
    struct store_job job;
    struct str blob;
    uint64_t version;
    struct member *members;
    size_t n;
    struct member *fresh; /* what this call adds */
    size_t n_fresh;
    bool is_new;
    struct arena *a;
};

/* ---- the table in the store ---- */

/* {"version":3,"concepts":[["system","code",1],…]} */
static int read_table(struct closure *x, struct store_txn *txn, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(MIB(16));
    struct str part = STR_NULL;
    yyjson_val *root, *v;
    size_t i, n;
    int r = 0;

    for (uint32_t k = 0; r >= 0 && (k == 0 || part.p); k++) {
        r = store_blob_get(txn, x->blob, k, x->a, &part, err);
        if (r >= 0 && part.p)
            sb_str(&text, part);
    }
    x->is_new = r >= 0 && !text.n;
    x->n = x->version = 0;
    if (r < 0 || x->is_new)
        return r;
    if ((r = js_parse_stored(x->a, sb_view(&text), &root, err)) < 0)
        return r;
    str_to_u64(js_str(js_get(root, "version")), UINT64_MAX, &x->version);
    yyjson_arr_foreach(js_get(root, "concepts"), i, n, v) {
        struct member *m = &x->members[x->n];
        if (x->n == CLOSURE_CONCEPTS_MAX)
            break;
        *m = (struct member){.coding = {.system = js_str(yyjson_arr_get(v, 0)),
                                        .code = js_str(yyjson_arr_get(v, 1))}};
        str_to_u64(js_str(yyjson_arr_get(v, 2)), UINT64_MAX, &m->added);
        x->n++;
    }
    return 0;
}

static int write_table(struct closure *x, struct store_txn *txn, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(MIB(16));
    struct str rest;
    int r;

    sb_fmt(&text, "{\"version\":%" PRIu64 ",\"concepts\":[", x->version);
    for (size_t i = 0; i < x->n; i++) {
        sb_str(&text, i ? STR(",[") : STR("["));
        sb_json(&text, x->members[i].coding.system);
        sb_char(&text, ',');
        sb_json(&text, x->members[i].coding.code);
        sb_fmt(&text, ",%" PRIu64 "]", x->members[i].added);
    }
    sb_lit(&text, "]}");
    if ((r = sb_ok(&text, err)) < 0 || (r = store_blob_drop(txn, x->blob, err)) < 0)
        return r;
    rest = sb_view(&text);
    for (uint32_t k = 0; r >= 0 && rest.n; k++) {
        struct str part = str_head(rest, STORE_BLOB_PART_MAX);
        r = store_blob_put(txn, x->blob, k, part, err);
        rest = str_from(rest, part.n);
    }
    return r;
}

static bool has_member(const struct closure *x, const struct coding *c)
{
    for (size_t i = 0; i < x->n; i++)
        if (str_eq(x->members[i].coding.system, c->system) &&
            str_eq(x->members[i].coding.code, c->code))
            return true;
    return false;
}

/* On the writer: two calls may add at once. */
static int add_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct closure *x = (struct closure *)((char *)job - offsetof(struct closure, job));
    bool reset = x->n_fresh == 0;
    int r = read_table(x, txn, err);

    if (r < 0)
        return r;
    if (x->is_new && !reset)
        return err_set(err, ERR_NOT_FOUND,
                       "the closure table does not exist: begin it with its name alone");
    if (reset)
        x->n = 0;
    x->version++;
    for (size_t i = 0; i < x->n_fresh; i++) {
        if (has_member(x, &x->fresh[i].coding))
            continue;
        if (x->n == CLOSURE_CONCEPTS_MAX)
            return err_set(err, ERR_COSTLY, "a closure table may have %d concepts",
                           CLOSURE_CONCEPTS_MAX);
        x->members[x->n] = x->fresh[i];
        x->members[x->n++].added = x->version;
    }
    return write_table(x, txn, err);
}

/* ---- in ---- */

static int read_concepts(struct closure *x)
{
    const struct op_params *p = &x->t.p;
    struct call *c = x->t.c;

    x->fresh = ARENA_ARRAY(c->a, struct member, p->n);
    x->members = ARENA_ARRAY(c->a, struct member, CLOSURE_CONCEPTS_MAX);
    if (!x->fresh || !x->members)
        return err_no_memory(&c->err);
    for (size_t i = 0; i < p->n; i++) {
        struct member *m = &x->fresh[x->n_fresh];
        if (!str_eq(p->v[i].name, STR("concept")))
            continue;
        *m = (struct member){.coding = terms_coding(p->v[i].value)};
        if (!m->coding.system.n || !m->coding.code.n)
            return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                          "a concept needs a system and a code");
        x->n_fresh++;
    }
    return 0;
}

static int find_name(struct closure *x)
{
    struct str name = op_param_text(&x->t.p, "name");
    struct call *c = x->t.c;

    if (!name.n || name.n > CLOSURE_NAME_MAX)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                      "the parameter \"name\" is needed, with at most %d bytes", CLOSURE_NAME_MAX);
    x->blob = arena_join(c->a, (const struct str[]){STR("closure/"), name}, 2);
    return x->blob.p ? 0 : err_no_memory(&c->err);
}

/* ---- out ---- */

static int locate(struct closure *x)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < x->n; i++) {
        struct member *m = &x->members[i];
        r = terms_code_system(&x->t.s, m->coding.system, STR_NULL, &m->cs, &x->t.c->err);
        m->concept = r >= 0 && m->cs ? cs_find(m->cs, m->coding.code) : CS_NONE;
    }
    return r;
}

/* What stands above one concept, where one of the two is newer than `since`. */
static int write_element(struct closure *x, const struct member *m, uint64_t since, bool *first,
                         size_t *n_links)
{
    struct sb *out = x->t.out;
    bool any = false;

    for (size_t i = 0; i < x->n; i++) {
        const struct member *o = &x->members[i];
        if (o == m || o->cs != m->cs || !m->cs || m->concept == CS_NONE || o->concept == CS_NONE ||
            (m->added <= since && o->added <= since) || m->concept == o->concept ||
            !cs_is_a(m->cs, m->concept, o->concept))
            continue;
        if (++*n_links > CLOSURE_LINKS_MAX)
            return err_set(&x->t.c->err, ERR_COSTLY, "the answer has more than %d relations",
                           CLOSURE_LINKS_MAX);
        if (!any) {
            sb_str(out, *first ? STR("{\"code\":") : STR(",{\"code\":"));
            sb_json(out, m->coding.code);
            sb_lit(out, ",\"target\":[");
        }
        sb_str(out, any ? STR(",{\"code\":") : STR("{\"code\":"));
        sb_json(out, o->coding.code);
        sb_lit(out, ",\"equivalence\":\"subsumes\"}");
        any = true;
        *first = false;
    }
    if (any)
        sb_lit(out, "]}");
    return 0;
}

/* The groups of the map: one for each system, in the order of their first concept. */
static int write_groups(struct closure *x, uint64_t since)
{
    struct sb *out = x->t.out;
    bool first_group = true;
    size_t n_links = 0;
    int r = 0;

    for (size_t i = 0; i < x->n; i++) {
        size_t k = 0, at = out->n;
        bool first = true;
        while (k < i && !str_eq(x->members[k].coding.system, x->members[i].coding.system))
            k++;
        if (k < i)
            continue;
        sb_str(out, first_group ? STR(",\"group\":[{\"source\":") : STR(",{\"source\":"));
        sb_json(out, x->members[i].coding.system);
        sb_lit(out, ",\"target\":");
        sb_json(out, x->members[i].coding.system);
        sb_lit(out, ",\"element\":[");
        for (k = i; r >= 0 && k < x->n; k++)
            if (str_eq(x->members[k].coding.system, x->members[i].coding.system))
                r = write_element(x, &x->members[k], since, &first, &n_links);
        if (r < 0)
            return r;
        if (first) {
            out->n = at;
            continue;
        }
        sb_lit(out, "]}");
        first_group = false;
    }
    if (!first_group)
        sb_char(out, ']');
    return 0;
}

static int reply(struct closure *x, uint64_t since)
{
    char now[CLOCK_INSTANT_MAX];
    struct call *c = x->t.c;
    int r = locate(x);

    if (r < 0)
        return r;
    clock_format(clock_now_ms(), now);
    sb_fmt(x->t.out,
           "{\"resourceType\":\"ConceptMap\",\"version\":\"%" PRIu64 "\",\"name\":", x->version);
    sb_json(x->t.out, str_from(x->blob, 8));
    sb_fmt(x->t.out, ",\"status\":\"active\",\"experimental\":true,\"date\":\"%s\"", now);
    r = write_groups(x, since);
    sb_char(x->t.out, '}');
    c->status = 200;
    return r < 0 ? r : sb_ok(x->t.out, &c->err);
}

static int run(struct closure *x, struct call *c)
{
    struct str asked = op_param_text(&x->t.p, "version");
    uint64_t since;
    int r;

    if ((r = find_name(x)) < 0 || (r = read_concepts(x)) < 0)
        return r;
    if (asked.n) {
        if (!str_to_u64(asked, UINT64_MAX, &since) || x->n_fresh)
            return err_at(&c->err, ERR_VALUE, "Parameters.parameter",
                          "\"version\" is a number that this operation gave, and comes without "
                          "concepts");
        if ((r = read_table(x, x->t.txn, &c->err)) < 0)
            return r;
        if (x->is_new)
            return err_set(&c->err, ERR_NOT_FOUND, "the closure table does not exist");
        return reply(x, since);
    }
    x->job = (struct store_job){.run = add_run, .who = &c->who};
    if ((r = store_write(c->api->store, &x->job, &c->err)) < 0)
        return r;
    return reply(x, x->version - 1);
}

int op_closure(struct call *c, struct store_txn *txn)
{
    struct closure x = {.a = c->a};
    int r;

    /* It waits for the writer, which a transaction's entries run on. */
    if (!c->x)
        return err_set(&c->err, ERR_NOT_SUPPORTED, "$closure is not for a Bundle");
    r = terms_call_begin(&x.t, c, txn);
    if (r >= 0)
        r = run(&x, c);
    terms_call_done(&x.t);
    return r;
}
