/* saved.c - what is kept as bytes, and back (docs/formats/cases.md). Only what was taken is in
 * them: lists and cases are made again.
 */
#include "surveillance/kept_int.h"

#include "surveillance/records_int.h"

#define MAGIC "carnet cases 2\n"

/* ---- out ---- */

static void put_u32(struct sb *out, uint32_t v)
{
    const unsigned char b[] = {(unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16),
                               (unsigned char)(v >> 24)};

    sb_put(out, b, sizeof b);
}

static void put_str(struct sb *out, struct str s)
{
    put_u32(out, (uint32_t)s.n);
    sb_str(out, s);
}

static void put_names(struct sb *out, const struct names *t)
{
    char text[NAMES_TEXT_MAX];

    put_u32(out, (uint32_t)t->n);
    for (uint32_t i = 0; i < t->n; i++)
        put_str(out, names_text(t, i, text));
}

static void put_evidence(struct sb *out, const struct evidence *e)
{
    const uint32_t v[] = {e->person,   e->visit,           e->disease,        (uint32_t)e->says,
                          e->maybe,    (uint32_t)e->onset, (uint32_t)e->seen, (uint32_t)e->reported,
                          e->exposure, e->source};

    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        put_u32(out, v[i]);
}

int saved_write(const struct kept *k, struct sb *out, struct err *err)
{
    const struct records *r = &k->records;
    uint64_t position = atomic_load(&k->position);
    uint32_t n = 0;

    sb_lit(out, MAGIC);
    put_str(out, k->text);
    put_u32(out, (uint32_t)position);
    put_u32(out, (uint32_t)(position >> 32));
    put_u32(out, (uint32_t)k->expunged);
    put_u32(out, (uint32_t)(k->expunged >> 32));
    put_u32(out, (uint32_t)k->today);
    put_u32(out, (uint32_t)r->first);
    put_u32(out, (uint32_t)r->last);
    put_names(out, &r->place_ids);
    put_names(out, &r->person_ids);
    put_names(out, &r->visit_ids);
    put_names(out, &r->finding_ids);
    put_names(out, &r->outbreak_ids);
    for (size_t i = 0; i < r->place_ids.n; i++) {
        put_str(out, r->places[i].id);
        put_str(out, r->places[i].name);
        put_str(out, r->places[i].level);
        put_u32(out, r->places[i].part_of);
    }
    for (size_t i = 0; i < r->person_ids.n; i++) {
        put_u32(out, (uint32_t)r->people[i].born);
        put_u32(out, (uint32_t)r->people[i].died);
        put_u32(out, (uint32_t)r->people[i].sex);
        put_u32(out, r->people[i].residence);
        put_u32(out, r->people[i].replaced_by);
    }
    for (size_t i = 0; i < r->visit_ids.n; i++) {
        put_u32(out, r->visits[i].place);
        put_u32(out, (uint32_t)r->visits[i].day);
    }
    for (size_t i = 0; i < r->outbreak_ids.n; i++) {
        put_u32(out, (uint32_t)r->outbreaks[i].from);
        put_u32(out, (uint32_t)r->outbreaks[i].to);
        put_u32(out, r->outbreaks[i].place);
        put_u32(out, r->outbreaks[i].disease);
    }
    for (size_t i = 0; i < r->n_evidence; i++)
        n += r->evidence[i].person != NOT_THERE;
    put_u32(out, n);
    for (size_t i = 0; i < r->n_evidence; i++)
        if (r->evidence[i].person != NOT_THERE)
            put_evidence(out, &r->evidence[i]);
    return sb_ok(out, err);
}

/* ---- in ---- */

struct input {
    struct str rest;
    bool is_short;
};

static uint32_t get_u32(struct input *in)
{
    const unsigned char *b = (const unsigned char *)in->rest.p;

    if (in->rest.n < 4) {
        in->is_short = true;
        return 0;
    }
    in->rest = str_from(in->rest, 4);
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static struct str get_str(struct input *in)
{
    uint32_t n = get_u32(in);
    struct str s = str_head(in->rest, MIN((size_t)n, in->rest.n));

    in->is_short |= n > in->rest.n;
    in->rest = str_from(in->rest, s.n);
    return s;
}

static int damaged(struct err *err)
{
    return err_set(err, ERR_NO_STORE, "what the store keeps of cases is damaged");
}

typedef uint32_t give_number(struct records *r, struct str name);

/* Numbers are given in the order of names, each once. */
static int get_names(struct input *in, struct records *r, give_number *give, struct err *err)
{
    uint32_t n = get_u32(in);

    for (uint32_t i = 0; i < n && !in->is_short; i++) {
        struct str name = get_str(in);
        uint32_t got = in->is_short ? i : give(r, name);

        if (got == NOT_THERE)
            return err_no_memory(err);
        if (got != i)
            return damaged(err);
    }
    return in->is_short ? damaged(err) : 0;
}

static int get_places(struct input *in, struct records *r, struct err *err)
{
    for (size_t i = 0; i < r->place_ids.n; i++) {
        struct place *p = &r->places[i];

        get_str(in); /* its id once more */
        p->name = arena_dup(r->a, get_str(in));
        p->level = arena_dup(r->a, get_str(in));
        p->part_of = get_u32(in);
        if (!p->name.p || !p->level.p)
            return err_no_memory(err);
        if (p->part_of != NOT_THERE && p->part_of >= r->place_ids.n)
            return damaged(err);
    }
    return 0;
}

static int get_people(struct input *in, struct records *r, struct err *err)
{
    int wrong = 0;

    for (size_t i = 0; i < r->person_ids.n && wrong == 0; i++) {
        struct person *p = &r->people[i];
        uint32_t sex, by;

        p->born = (int32_t)get_u32(in);
        p->died = (int32_t)get_u32(in);
        sex = get_u32(in);
        p->residence = get_u32(in);
        by = get_u32(in);
        p->sex = (enum person_sex)MIN(sex, (uint32_t)SEX_OTHER);
        wrong = (by != NOT_THERE && by >= r->person_ids.n) ||
                        (p->residence != NOT_THERE && p->residence >= r->place_ids.n)
                    ? damaged(err)
                    : records_replace(r, (uint32_t)i, by, err);
    }
    return wrong;
}

static int get_visits(struct input *in, struct records *r, struct err *err)
{
    for (size_t i = 0; i < r->visit_ids.n; i++) {
        r->visits[i].place = get_u32(in);
        r->visits[i].day = (int32_t)get_u32(in);
        if (r->visits[i].place != NOT_THERE && r->visits[i].place >= r->place_ids.n)
            return damaged(err);
    }
    return 0;
}

static int get_outbreaks(struct input *in, struct records *r, struct err *err)
{
    for (size_t i = 0; i < r->outbreak_ids.n; i++) {
        struct outbreak *o = &r->outbreaks[i];

        o->from = (int32_t)get_u32(in);
        o->to = (int32_t)get_u32(in);
        o->place = get_u32(in);
        o->disease = (uint16_t)get_u32(in);
        if (o->place != NOT_THERE && o->place >= r->place_ids.n)
            return damaged(err);
    }
    return 0;
}

static int get_evidence(struct input *in, struct records *r, struct err *err)
{
    uint32_t n = get_u32(in);
    int wrong = 0;

    for (uint32_t i = 0; i < n && wrong == 0; i++) {
        struct evidence e;
        uint32_t says;

        e.person = get_u32(in);
        e.visit = get_u32(in);
        e.disease = (uint16_t)get_u32(in);
        says = get_u32(in);
        e.says = (enum case_class)MIN(says, (uint32_t)CASE_CONFIRMED);
        e.maybe = get_u32(in);
        e.onset = (int32_t)get_u32(in);
        e.seen = (int32_t)get_u32(in);
        e.reported = (int32_t)get_u32(in);
        e.exposure = get_u32(in);
        e.source = get_u32(in);
        if (in->is_short || e.person >= r->person_ids.n ||
            e.disease >= r->definitions->n + r->definitions->n_facts ||
            (e.exposure != NOT_THERE && e.exposure >= r->place_ids.n) ||
            e.source >= r->finding_ids.n || (e.visit != NOT_THERE && e.visit >= r->visit_ids.n))
            return damaged(err);
        wrong = evidence_add(r, &e, err);
    }
    return wrong;
}

int saved_read(struct kept *k, struct str bytes, struct err *err)
{
    struct records *r = &k->records;
    struct input in = {.rest = bytes};
    uint64_t position;
    int wrong;

    if (!str_starts(bytes, STR(MAGIC)))
        return 0;
    in.rest = str_from(bytes, STR(MAGIC).n);
    if (!str_eq(get_str(&in), k->text))
        return 0;
    position = get_u32(&in);
    position |= (uint64_t)get_u32(&in) << 32;
    k->expunged = get_u32(&in);
    k->expunged |= (uint64_t)get_u32(&in) << 32;
    k->today = (int32_t)get_u32(&in);
    r->first = (int32_t)get_u32(&in);
    r->last = (int32_t)get_u32(&in);
    if ((wrong = get_names(&in, r, place_number, err)) < 0 ||
        (wrong = get_names(&in, r, person_number, err)) < 0 ||
        (wrong = get_names(&in, r, visit_number, err)) < 0 ||
        (wrong = get_names(&in, r, finding_number, err)) < 0 ||
        (wrong = get_names(&in, r, outbreak_number, err)) < 0 ||
        (wrong = get_places(&in, r, err)) < 0 || (wrong = get_people(&in, r, err)) < 0 ||
        (wrong = get_visits(&in, r, err)) < 0 || (wrong = get_outbreaks(&in, r, err)) < 0 ||
        (wrong = get_evidence(&in, r, err)) < 0)
        return wrong;
    if (in.is_short || in.rest.n)
        return damaged(err);
    k->read[0] = (uint32_t)r->person_ids.n;
    k->read[1] = (uint32_t)r->visit_ids.n;
    k->read[2] = (uint32_t)r->place_ids.n;
    wrong = cases_remake(r, &k->cases, err);
    atomic_store(&k->position, position);
    return wrong < 0 ? wrong : 1;
}
