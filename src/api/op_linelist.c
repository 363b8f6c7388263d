/* op_linelist.c - /carnet/$linelist: who the cases of a disease are, the newest first, a page at a
 * time. Each person who is shown has an entry of the audit log.
 */
#include "api/surveil.h"

#include "api/trail.h"

#include <inttypes.h>
#include <stdlib.h>

#define LINELIST_MAX 1000 /* of one answer */
#define LINELIST_PAGE 100

struct line {
    int32_t day;
    uint32_t of; /* which case */
};

/* What is shown of one. */
struct shown {
    struct found_case found;
    struct str person, place, place_name; /* the call's */
};

struct listing {
    struct call *c;
    struct tally_question q;
    uint32_t within; /* Location, itself or below it; NOT_THERE: anywhere */
    uint64_t count, offset;
    struct line *v; /* a heap of the newest: the oldest of them is on top */
    size_t n, room, total;
    struct shown *shown; /* of n */
};

static int read_request(struct listing *l, const struct kept_view *v)
{
    struct call *c = l->c;
    struct op_params params;
    int r = op_params_read(c, &params);

    if (r >= 0)
        r = op_param_u64(c, &params, "count", LINELIST_MAX, LINELIST_PAGE, &l->count);
    if (r >= 0)
        r = op_param_u64(c, &params, "offset", UINT32_MAX, 0, &l->offset);
    if (r < 0)
        return r;
    if (!op_param_find(&params, "disease"))
        return err_set(&c->err, ERR_REQUIRED, "\"disease\" is missing");
    if (op_param_find(&params, "ages") || op_param_find(&params, "sex") ||
        op_param_find(&params, "place") || op_param_find(&params, "period") ||
        op_param_find(&params, "week-start"))
        return err_set(&c->err, ERR_NOT_SUPPORTED,
                       "a line list is narrowed by disease, class, deaths, date, from, to, "
                       "location and at");
    r = surveil_question(c, v, &params, "count offset", NULL, NULL, &l->q);
    if (r >= 0 && l->q.location.p)
        r = records_place(v->records, l->q.location, &l->within, &c->err);
    return r;
}

static bool is_asked(const struct listing *l, const struct records *r, const struct found_case *f,
                     int32_t *ret_day)
{
    bool is_other, is_disease = false;

    if (f->person == NOT_THERE)
        return false;
    for (size_t i = 0; i < l->q.n_diseases; i++)
        is_disease |= l->q.diseases[i] == f->disease;
    *ret_day = case_day(f, l->q.by, &is_other);
    return is_disease && *ret_day >= l->q.from && *ret_day <= l->q.to &&
           (!l->q.deaths || f->is_fatal) &&
           (l->q.class == CASE_NONE ? f->class != CASE_DISCARDED : f->class == l->q.class) &&
           (l->within == NOT_THERE || records_is_within(r, case_place(f, l->q.at), l->within));
}

/* The newest first; then by number, so that pages do not overlap. */
static int compare(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->day != y->day)
        return x->day > y->day ? -1 : 1;
    return x->of < y->of ? -1 : x->of > y->of;
}

/* A line takes the place of the oldest, and goes down to where it belongs. */
static void sink(struct line *v, size_t n, struct line line)
{
    size_t at = 0, child;

    while ((child = 2 * at + 1) < n) {
        child += child + 1 < n && compare(&v[child + 1], &v[child]) > 0;
        if (compare(&v[child], &line) <= 0)
            break;
        v[at] = v[child];
        at = child;
    }
    v[at] = line;
}

static void rise(struct line *v, size_t at, struct line line)
{
    while (at && compare(&v[(at - 1) / 2], &line) < 0) {
        v[at] = v[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    v[at] = line;
}

/* Those that are asked for, and only so many of the newest as the page needs. */
static int find(struct listing *l, const struct kept_view *v)
{
    l->room = (size_t)MIN(l->offset + l->count, (uint64_t)v->cases->n);
    l->v = ARENA_ARRAY(l->c->a, struct line, l->room + 1);
    if (!l->v)
        return err_no_memory(&l->c->err);
    for (size_t i = 0; i < v->cases->n; i++) {
        struct line line = {.of = (uint32_t)i};

        if (!is_asked(l, v->records, &v->cases->v[i], &line.day))
            continue;
        l->total++;
        if (l->n < l->room)
            rise(l->v, l->n++, line);
        else if (l->room && compare(&line, l->v) < 0)
            sink(l->v, l->n, line);
    }
    return 0;
}

static int gather(struct listing *l, const struct kept_view *v)
{
    const struct records *r = v->records;
    struct arena *a = l->c->a;
    int wrong = find(l, v);
    char id[NAMES_TEXT_MAX];

    if (wrong < 0)
        return wrong;
    if (l->n)
        qsort(l->v, l->n, sizeof *l->v, compare);
    l->v += MIN((size_t)l->offset, l->n);
    l->n -= MIN((size_t)l->offset, l->n);
    l->shown = ARENA_ARRAY(a, struct shown, l->n + 1);
    if (!l->shown)
        return err_no_memory(&l->c->err);
    for (size_t i = 0; i < l->n; i++) {
        struct shown *s = &l->shown[i];

        s->found = v->cases->v[l->v[i].of];
        s->person = arena_dup(a, names_text(&r->person_ids, s->found.person, id));
        if (s->found.place != NOT_THERE) {
            s->place = arena_dup(a, r->places[s->found.place].id);
            s->place_name = arena_dup(a, r->places[s->found.place].name);
        }
        if (!s->person.p)
            return err_no_memory(&l->c->err);
    }
    return 0;
}

static void put_member(struct sb *out, const char *name, struct str value)
{
    if (!value.n)
        return;
    sb_fmt(out, ",\"%s\":", name);
    sb_json(out, value);
}

static void put_element(struct sb *out, yyjson_val *from, const char *name)
{
    yyjson_val *v = js_get(from, name);

    if (!v)
        return;
    sb_fmt(out, ",\"%s\":", name);
    js_write(out, v);
}

/* As the node: who may ask was settled. A person whose record is gone stays a case without a name.
 */
static int write_person(struct listing *l, struct store_txn *txn, struct str id)
{
    struct call *c = l->c;
    yyjson_val *patient;
    int r = op_resource(c, txn, def_resource(STR("Patient")), id, &patient);

    trail_patient(c, id);
    if (r == ERR_NOT_FOUND || r == ERR_DELETED)
        return 0;
    if (r < 0)
        return r;
    put_element(&c->out, patient, "name");
    put_element(&c->out, patient, "gender");
    put_element(&c->out, patient, "birthDate");
    put_element(&c->out, patient, "telecom");
    put_element(&c->out, patient, "address");
    return 0;
}

static int write_line(struct listing *l, struct store_txn *txn, const struct kept_view *v,
                      const struct shown *line)
{
    const struct found_case *f = &line->found;
    struct sb *out = &l->c->out;

    sb_lit(out, "{\"disease\":");
    sb_json(out, v->definitions->v[f->disease].disease);
    sb_fmt(out, ",\"class\":\"%s\",\"onset\":", case_class_name(f->class));
    surveil_day(out, f->onset);
    sb_lit(out, ",\"consultation\":");
    surveil_day(out, f->seen);
    sb_lit(out, ",\"report\":");
    surveil_day(out, f->reported);
    sb_fmt(out, ",\"died\":%s", f->is_fatal ? "true" : "false");
    put_member(out, "place", line->place);
    put_member(out, "placeName", line->place_name);
    put_member(out, "patient", line->person);
    if (write_person(l, txn, line->person) < 0)
        return l->c->err.code;
    sb_char(out, '}');
    return sb_ok(out, &l->c->err);
}

static int write_lines(struct listing *l, const struct kept_view *v)
{
    struct access node = trust_system();
    struct store_txn *txn = NULL;
    int r = store_begin(l->c->api->store, &node, &txn, &l->c->err);

    sb_fmt(&l->c->out, "{\"total\":%zu,\"offset\":%" PRIu64 ",\"cases\":[", l->total, l->offset);
    for (size_t i = 0; i < l->n && r >= 0; i++) {
        if (i)
            sb_char(&l->c->out, ',');
        r = write_line(l, txn, v, &l->shown[i]);
    }
    if (txn)
        store_end(txn);
    sb_lit(&l->c->out, "]}");
    return r;
}

int op_linelist(struct call *c, struct store_txn *txn)
{
    struct listing l = {.c = c, .within = NOT_THERE};
    struct kept_view v;
    struct kept *kept;
    int r = surveil_begin(c, SURVEIL_PEOPLE);

    (void)txn;
    if (r < 0 || (r = surveil_lock(c, &kept, &v)) < 0)
        return r;
    r = read_request(&l, &v);
    if (r >= 0)
        r = gather(&l, &v);
    kept_unlock(kept);
    if (r >= 0)
        r = write_lines(&l, &v);
    c->type_out = STR("application/json");
    c->status = 200;
    return r < 0 ? r : sb_ok(&c->out, &c->err);
}
