/* op_everything.c - $everything of a patient, of all patients, of an encounter, of a group
 * (patient-operation-everything.html and following).
 *
 * Two parts. First the members of the compartment, a search of the index, paged with its cursor.
 * Then what they refer to, sorted by type and id: the cursor is the last one sent. Each resource is
 * in one part only, so that a record that rests comes whole and each resource once.
 */
#include "api/bundle_out.h"
#include "api/everything_int.h"

#include "base/clock.h"
#include "fhir/date.h"

#define MEMBERS 'm' /* a cursor's first letter: the part that it goes on in */
#define TARGETS 'r'

struct page_out {
    struct everything *e;
    struct bundle_out bundle;
    struct sb entries; /* written before links are known */
    uint64_t count;    /* entries that may still come */
    size_t n;
    bool is_paged;
    struct str next; /* cursor; STR_NULL: nothing more */
};

/* ---- what is asked ---- */

static int read_types(struct everything *e, const struct op_params *params)
{
    bool any = false;

    for (size_t i = 0; i < params->n; i++) {
        struct str rest = params->v[i].text, name;
        if (!str_eq(params->v[i].name, STR("_type")))
            continue;
        while (rest.n && str_split(&rest, ',', &name)) {
            int type = def_resource(str_trim(name));
            if (!type)
                return err_at(&e->c->err, ERR_VALUE, "_type",
                              "\"%.*s\" is not a FHIR R4 resource type",
                              (int)MIN(name.n, (size_t)64), name.p);
            e->types[type] = any = true;
        }
    }
    for (int type = 1; type <= DEF_RESOURCE_MAX && !any; type++)
        e->types[type] = true;
    return 0;
}

static int check_date(struct everything *e, const char *name, struct str text, enum date_kind kind,
                      int64_t *ret_from)
{
    struct date date;
    int r;

    if (!text.n)
        return 0;
    r = date_parse(kind, text, store_index_options(e->c->api->store)->tz_minutes, &date,
                   &e->c->err);
    if (r < 0)
        return err_at(&e->c->err, ERR_VALUE, name, "\"%s\" is not a date: \"%.*s\"", name,
                      (int)MIN(text.n, (size_t)64), text.p);
    if (ret_from)
        *ret_from = date.from_ms;
    return 0;
}

static int read_params(struct everything *e, struct op_params *params)
{
    static const char *const all = "start end _since _type _count _cursor";
    static const char *const encounter = "_since _type _count _cursor";
    struct call *c = e->c;
    struct str start, end;
    int r = op_params_read(c, params);

    if (r < 0 || (r = op_params_only(
                      c, params, e->compartment == COMPARTMENT_ENCOUNTER ? encounter : all)) < 0)
        return r;
    start = op_param_text(params, "start");
    end = op_param_text(params, "end");
    if ((r = read_types(e, params)) < 0 ||
        (r = check_date(e, "_since", op_param_text(params, "_since"), DATE_SEARCH, &e->since_ms)) <
            0 ||
        (r = check_date(e, "start", start, DATE_SEARCH, NULL)) < 0 ||
        (r = check_date(e, "end", end, DATE_SEARCH, NULL)) < 0)
        return r;
    return care_dates_init(c, &e->dates, start, end);
}

/* ---- whose record ---- */

/* A clause of the compartment's list: a point for each owner. */
static int by_owners(struct everything *e)
{
    struct call *c = e->c;
    struct search_clause *clause = ARENA_ARRAY(c->a, struct search_clause, 1);
    struct key_range *ranges = ARENA_ARRAY(c->a, struct key_range, e->n_owners);

    if (!clause || !ranges)
        return err_no_memory(&c->err);
    for (size_t i = 0; i < e->n_owners; i++) {
        unsigned char key[INDEX_KEY_MAX];
        struct str copy = arena_dup(c->a, str_n((char *)key, index_id_key(e->owners[i], key)));
        if (!copy.p)
            return err_no_memory(&c->err);
        ranges[i] =
            (struct key_range){.param = (uint16_t)(INDEX_PARAM_COMPARTMENT + e->compartment),
                               .lo = copy,
                               .hi = copy,
                               .point = true};
    }
    *clause = (struct search_clause){
        .kind = e->n_owners ? CLAUSE_KEYS : CLAUSE_NONE, .ranges = ranges, .n_ranges = e->n_owners};
    e->record.clauses = clause;
    e->record.n_clauses = 1;
    return 0;
}

/* The types that can be in a patient's compartment; each row is then asked whether it is. */
static int by_types(struct everything *e)
{
    e->all_patients = true;
    e->record.types = ARENA_ARRAY(e->c->a, int, DEF_RESOURCE_MAX);
    if (!e->record.types)
        return err_no_memory(&e->c->err);
    for (int type = 1; type <= DEF_RESOURCE_MAX; type++)
        if (def_compartment_params(COMPARTMENT_PATIENT, type))
            e->record.types[e->record.n_types++] = type;
    return 0;
}

/* Whose compartment a resource is in, the first of them; STR_NULL: nobody's. */
static int patient_of(struct everything *e, int type, yyjson_val *root, struct str *ret)
{
    struct call *c = e->c;
    struct index index;
    int r = index_extract(&e->scratch, c->params, store_index_options(c->api->store), type, root,
                          &index, &c->err);

    if (r >= 0)
        *ret = index.patient;
    return r;
}

/* The patients of a group that are here. */
static int group_owners(struct everything *e)
{
    struct call *c = e->c;
    yyjson_val *root, *members, *v;
    size_t i, max;
    int r = op_resource(c, e->txn, c->type, c->id, &root);

    if (r < 0)
        return r;
    members = js_get(root, "member");
    e->owners = ARENA_ARRAY(c->a, struct str, yyjson_arr_size(members));
    if (!e->owners)
        return err_no_memory(&c->err);
    yyjson_arr_foreach(members, i, max, v) {
        yyjson_val *inactive = js_get(v, "inactive");
        struct str id;
        int type;
        if (!op_local(c, js_get_str(js_get(v, "entity"), "reference"), &type, &id) ||
            !str_eq(def_resource_name(type), STR("Patient")) || yyjson_is_true(inactive))
            continue;
        if (e->n_owners == EVERYTHING_PATIENTS_MAX)
            return err_set(&c->err, ERR_COSTLY, "the group has more than %d patients",
                           EVERYTHING_PATIENTS_MAX);
        e->owners[e->n_owners++] = id;
    }
    return 0;
}

static int find_owners(struct everything *e)
{
    struct call *c = e->c;
    yyjson_val *root;
    struct row row;
    int r;

    if (str_eq(def_resource_name(c->type), STR("Group")))
        return group_owners(e);
    if ((r = op_row(c, e->txn, c->type, c->id, &row)) < 0)
        return r;
    e->owners = &c->id;
    e->n_owners = 1;
    if (e->compartment != COMPARTMENT_ENCOUNTER)
        return 0;
    if ((r = op_json(c, &row, &root)) < 0 || (r = patient_of(e, c->type, root, &e->patient)) < 0)
        return r;
    if (e->patient.p)
        e->patient = arena_dup(c->a, e->patient);
    return 0;
}

/* The record's search, of the types that are asked for. */
static int narrow(struct everything *e)
{
    const struct search *all = &e->record;
    size_t n = 0;

    e->members = *all;
    e->members.types = ARENA_ARRAY(e->c->a, int, DEF_RESOURCE_MAX);
    if (!e->members.types)
        return err_no_memory(&e->c->err);
    for (int type = 1; type <= DEF_RESOURCE_MAX; type++)
        if (e->types[type] && def_compartment_params(e->compartment, type))
            e->members.types[n++] = type;
    e->members.n_types = n;
    return 0;
}

static int find_record(struct everything *e, struct search_options *opt)
{
    int r;

    e->record = (struct search){.total = TOTAL_NONE, .opt = opt};
    r = e->c->id.n ? find_owners(e) : by_types(e);
    if (r >= 0 && e->c->id.n)
        r = by_owners(e);
    return r < 0 ? r : narrow(e);
}

int everything_is_member(struct everything *e, const struct row *row, yyjson_val *root, bool *ret)
{
    int type = row->type, r;
    struct str patient;

    if (e->all_patients) {
        if ((r = patient_of(e, type, root, &patient)) < 0)
            return r;
        *ret = patient.p != NULL;
        if (!*ret)
            return 0;
    }
    return care_dates_match(e->c, &e->dates, &e->scratch, type, root, ret);
}

/* ---- the answer ---- */

static bool is_asked(const struct everything *e, const struct row *row)
{
    return e->types[row->type] && hlc_ms(row->version.hlc) >= e->since_ms;
}

static int write_entry(struct page_out *p, const struct row *row, const char *mode)
{
    struct call *c = p->e->c;
    struct sb *out = &p->entries;
    int r;

    sb_str(out, p->n ? STR(",{\"fullUrl\":\"") : STR("{\"fullUrl\":\""));
    sb_str(out, c->base);
    sb_fmt(out, "/%.*s/%.*s\",\"resource\":", STR_ARG(def_resource_name(row->type)),
           STR_ARG(row->id));
    r = call_write_whole(c, row, out);
    sb_fmt(out, ",\"search\":{\"mode\":\"%s\"}}", mode);
    p->n++;
    p->count--;
    return r;
}

static int write_member(struct page_out *p, uint64_t number)
{
    struct everything *e = p->e;
    bool needs_body = e->all_patients || e->dates.rules, is_member = true;
    yyjson_val *root;
    struct row row;
    int r = store_get_row(e->txn, number, &row, &e->c->err);

    if (r < 0 || !is_asked(e, &row))
        return r;
    if (needs_body) {
        arena_reset(&e->scratch);
        if ((r = op_json_in(e->c, &e->scratch, &row, &root)) < 0 ||
            (r = everything_is_member(e, &row, root, &is_member)) < 0)
            return r;
    }
    return is_member ? write_entry(p, &row, "match") : 0;
}

static int too_long(struct page_out *p)
{
    return err_set(&p->e->c->err, ERR_COSTLY,
                   "the record has more than %d resources: ask for it in pages, with _count",
                   EVERYTHING_PAGE_MAX);
}

/* Members until the page is full. A row that is left out makes room for the next; where very many
 * are, the page ends short. */
static int write_members(struct page_out *p, struct str cursor)
{
    struct everything *e = p->e;
    struct search s = e->members;
    struct page page = {.next = cursor};
    size_t seen = 0;
    int r = 0;

    p->next = STR_NULL;
    if (!s.n_types)
        return 0;
    do {
        s.count = MIN(p->count, (uint64_t)SEARCH_COUNT_MAX);
        s.cursor = page.next.n ? page.next : STR_NULL;
        r = store_search(e->txn, &s, 0, e->c->a, &page, &e->c->err);
        for (size_t i = 0; i < page.n && r >= 0; i++)
            r = write_member(p, page.rows[i]);
        seen += page.n;
    } while (r >= 0 && p->count && page.next.p && seen < EVERYTHING_WALK_MAX);
    if (r < 0)
        return r;
    if (page.next.p && !p->is_paged)
        return too_long(p);
    p->next = STR_NULL;
    if (page.next.p)
        p->next = arena_fmt(e->c->a, "%c%.*s", MEMBERS, STR_ARG(page.next));
    else if (!p->count && p->is_paged)
        p->next = STR("r");
    return page.next.p && !p->next.p ? err_no_memory(&e->c->err) : 0;
}

/* The place of the first target behind a cursor "Type/id"; 0 for an empty one. */
static size_t behind(const struct everything_target *v, size_t n, struct str cursor)
{
    struct str rest = cursor, type = STR_NULL, id = STR("");
    size_t i = 0;

    if (!cursor.n)
        return 0;
    str_split(&rest, '/', &type);
    if (rest.p)
        id = rest;
    while (i < n) {
        int c = str_cmp(def_resource_name(v[i].type), type);
        if (c > 0 || (c == 0 && str_cmp(v[i].id, id) > 0))
            break;
        i++;
    }
    return i;
}

static int write_targets(struct page_out *p, struct str cursor)
{
    struct everything *e = p->e;
    struct everything_target *v = NULL;
    size_t n = 0, i;
    int r = everything_targets(e, &v, &n);

    for (i = r < 0 ? 0 : behind(v, n, cursor); i < n && r >= 0; i++) {
        struct row row;
        r = store_get(e->txn, v[i].type, v[i].id, &row, &e->c->err);
        if (r < 0 || !is_asked(e, &row))
            continue;
        if (!p->count)
            break;
        r = write_entry(p, &row, "include");
    }
    if (r < 0)
        return r;
    if (i < n && !p->is_paged)
        return too_long(p);
    p->next = STR_NULL;
    if (i < n && i)
        p->next = arena_fmt(e->c->a, "%c%.*s/%.*s", TARGETS,
                            STR_ARG(def_resource_name(v[i - 1].type)), STR_ARG(v[i - 1].id));
    else if (i < n)
        p->next = STR("r");
    return i < n && !p->next.p ? err_no_memory(&e->c->err) : 0;
}

static int write_parts(struct page_out *p, struct str cursor)
{
    int r = 0;

    if (cursor.n && cursor.p[0] != MEMBERS && cursor.p[0] != TARGETS)
        return err_set(&p->e->c->err, ERR_VALUE, "the page's cursor is not one of this server");
    p->next = STR_NULL;
    if (!cursor.n || cursor.p[0] == MEMBERS) {
        r = write_members(p, str_from(cursor, cursor.n > 0));
        if (r < 0 || p->next.p)
            return r;
        cursor = STR("r");
    }
    return write_targets(p, str_from(cursor, 1));
}

/* The parameters as a query, whichever way they came. */
static struct str query_of(struct call *c, const struct op_params *params)
{
    _cleanup_(sb_done) struct sb query = sb_make(KIB(64));

    for (size_t i = 0; i < params->n; i++) {
        if (str_eq(params->v[i].name, STR("_cursor")))
            continue;
        if (query.n)
            sb_char(&query, '&');
        sb_uri(&query, params->v[i].name);
        sb_char(&query, '=');
        sb_uri(&query, params->v[i].text.p ? params->v[i].text : STR(""));
    }
    return query.failed ? STR_NULL : arena_dup(c->a, sb_view(&query));
}

static int write_bundle(struct page_out *p, const struct op_params *params, struct str cursor)
{
    struct call *c = p->e->c;
    struct str name = def_resource_name(c->type), query = query_of(c, params), path;
    bool is_whole = !cursor.n && !p->next.p;

    path = c->id.n ? arena_fmt(c->a, "%.*s/%.*s/$everything", STR_ARG(name), STR_ARG(c->id))
                   : arena_fmt(c->a, "%.*s/$everything", STR_ARG(name));
    if (!query.p || !path.p)
        return err_no_memory(&c->err);
    bundle_begin(&p->bundle, c, "searchset", is_whole ? (int64_t)p->n : -1);
    bundle_link(&p->bundle, "self", path, query, cursor);
    if (p->next.p)
        bundle_link(&p->bundle, "next", path, query, p->next);
    bundle_entries(&p->bundle);
    if (p->n) {
        sb_lit(&c->out, ",\"entry\":[");
        sb_str(&c->out, sb_view(&p->entries));
        p->bundle.has_entry = true;
    }
    bundle_end(&p->bundle);
    c->out.failed |= p->entries.failed;
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}

static int run(struct everything *e)
{
    struct search_options opt = {.index = *store_index_options(e->c->api->store)};
    struct page_out p = {.e = e, .entries = sb_make(API_REPLY_MAX)};
    struct op_params params;
    struct str cursor;
    int r;

    if ((r = read_params(e, &params)) < 0 || (r = find_record(e, &opt)) < 0)
        return r;
    p.is_paged = op_param_find(&params, "_count");
    cursor = op_param_text(&params, "_cursor");
    r = op_param_u64(e->c, &params, "_count", UINT32_MAX, EVERYTHING_PAGE_MAX, &p.count);
    if (r >= 0 && p.is_paged && !p.count)
        r = err_at(&e->c->err, ERR_VALUE, "_count", "_count is not a positive number");
    if (p.is_paged)
        p.count = MIN(p.count, (uint64_t)SEARCH_COUNT_MAX);
    if (r >= 0)
        r = write_parts(&p, cursor.p ? cursor : STR(""));
    if (r >= 0)
        r = write_bundle(&p, &params, cursor.p ? cursor : STR(""));
    sb_done(&p.entries);
    return r;
}

int op_everything(struct call *c, struct store_txn *txn)
{
    struct everything e = {.c = c, .txn = txn};
    int r;

    e.compartment = str_eq(def_resource_name(c->type), STR("Encounter")) ? COMPARTMENT_ENCOUNTER
                                                                         : COMPARTMENT_PATIENT;
    arena_init(&e.scratch, HTTP_ARENA_MAX);
    r = run(&e);
    arena_done(&e.scratch);
    return r;
}
