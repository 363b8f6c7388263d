/* everything_refs.c - what a record refers to: practitioners, organizations, places, medications …
 *
 * References are followed a few steps away from the record. What is in another patient's
 * compartment is left out: asking for one person's record shows no other's. The set is made anew
 * for each page that needs it and sorted by type and id, so that pages can go on behind a place in
 * it without remembering anything.
 */
#include "api/everything_int.h"

#include "api/refs.h"

#include <stdlib.h>

#define TARGETS_FIRST 256 /* slots of the table, a power of two */
#define WALK_PAGE 500

struct targets {
    struct everything *e;
    struct everything_target *v; /* in the order they were met */
    size_t n, cap;
    uint32_t *slots; /* index + 1, open addressing */
    size_t n_slots;
};

static uint64_t hash_of(int type, struct str id)
{
    return (str_hash(id) ^ (uint64_t)type) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

static uint32_t *slot_of(const struct targets *t, int type, struct str id)
{
    size_t at = hash_of(type, id) & (t->n_slots - 1);

    while (t->slots[at] &&
           (t->v[t->slots[at] - 1].type != type || !str_eq(t->v[t->slots[at] - 1].id, id)))
        at = (at + 1) & (t->n_slots - 1);
    return &t->slots[at];
}

static int grow(struct targets *t)
{
    struct arena *a = t->e->c->a;
    size_t cap = t->cap ? t->cap * 2 : TARGETS_FIRST / 2;
    struct everything_target *v = arena_grow(a, t->v, t->cap * sizeof *v, cap * sizeof *v);

    t->slots = ARENA_ARRAY(a, uint32_t, cap * 2);
    if (!v || !t->slots)
        return err_no_memory(&t->e->c->err);
    t->v = v;
    t->cap = cap;
    t->n_slots = cap * 2;
    for (size_t i = 0; i < t->n; i++)
        *slot_of(t, v[i].type, v[i].id) = (uint32_t)i + 1;
    return 0;
}

static int add(struct targets *t, int type, struct str id)
{
    struct call *c = t->e->c;
    uint32_t *slot;
    int r;

    if (t->n == t->cap && (r = grow(t)) < 0)
        return r;
    slot = slot_of(t, type, id);
    if (*slot)
        return 0;
    if (t->n == EVERYTHING_TARGETS_MAX)
        return err_set(&c->err, ERR_COSTLY, "the record refers to more than %d resources",
                       EVERYTHING_TARGETS_MAX);
    id = arena_dup(c->a, id);
    if (!id.p)
        return err_no_memory(&c->err);
    t->v[t->n++] = (struct everything_target){type, id};
    *slot = (uint32_t)t->n;
    return 0;
}

static int follow(void *ctx, enum link_kind kind, yyjson_val *value)
{
    struct targets *t = ctx;
    struct str id;
    int type;

    if (kind == LINK_NARRATIVE || !op_local(t->e->c, js_str(value), &type, &id))
        return 0;
    return add(t, type, id);
}

/* ---- members ---- */

static int walk_row(struct targets *t, uint64_t number)
{
    struct everything *e = t->e;
    yyjson_val *root;
    struct row row;
    bool is_member;
    int r = store_get_row(e->txn, number, &row, &e->c->err);

    if (r < 0)
        return r;
    arena_reset(&e->scratch);
    if ((r = op_json_in(e->c, &e->scratch, &row, &root)) < 0 ||
        (r = everything_is_member(e, &row, root, &is_member)) < 0)
        return r;
    return is_member ? links_each(root, follow, t) : 0;
}

/* All members, whatever types are asked for: a practitioner is found through them. */
static int walk_members(struct targets *t)
{
    struct everything *e = t->e;
    struct search s = e->record;
    struct page page = {.next = STR("")};
    size_t seen = 0;
    int r = 0;

    s.count = WALK_PAGE;
    s.cursor = STR_NULL;
    while (page.next.p && r >= 0) {
        r = store_search(e->txn, &s, 0, e->c->a, &page, &e->c->err);
        for (size_t i = 0; i < page.n && r >= 0; i++)
            r = walk_row(t, page.rows[i]);
        seen += page.n;
        if (r >= 0 && seen > EVERYTHING_WALK_MAX)
            return err_set(&e->c->err, ERR_COSTLY,
                           "more than %d resources would have to be looked at",
                           EVERYTHING_WALK_MAX);
        s.cursor = page.next;
    }
    return r;
}

/* ---- targets ---- */

static bool is_owner(const struct everything *e, struct str key, enum def_compartment of)
{
    unsigned char own[INDEX_KEY_MAX];

    for (size_t i = 0; i < e->n_owners && of == e->compartment; i++)
        if (str_eq(key, str_n((char *)own, index_id_key(e->owners[i], own))))
            return true;
    return false;
}

/* A member comes on its own, and what is another patient's does not come. */
static bool is_wanted(const struct everything *e, const struct index *index)
{
    unsigned char own[INDEX_KEY_MAX];
    struct str patient = str_n((char *)own, e->patient.p ? index_id_key(e->patient, own) : 0);
    bool is_somebodys = false, is_the_patients = false;

    for (size_t i = 0; i < index->n_entries; i++) {
        const struct index_entry *entry = &index->entries[i];
        struct str key = str_n((const char *)entry->key, entry->key_n);
        if (entry->param < INDEX_PARAM_COMPARTMENT)
            continue;
        if (is_owner(e, key, (enum def_compartment)(entry->param - INDEX_PARAM_COMPARTMENT)))
            return false;
        if (entry->param == INDEX_PARAM_COMPARTMENT + COMPARTMENT_PATIENT) {
            is_somebodys = true;
            is_the_patients |= patient.n && str_eq(key, patient);
        }
    }
    /* An encounter's record may hold its patient, and what is that patient's own. */
    return !is_somebodys || is_the_patients;
}

/* 1 when it is to come: it is there, and is neither a member nor somebody else's. */
static int look_at(struct targets *t, const struct everything_target *target, yyjson_val **ret)
{
    struct everything *e = t->e;
    struct call *c = e->c;
    struct index index;
    struct row row;
    int r = store_get(e->txn, target->type, target->id, &row, &c->err);

    if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE))
        return 0;
    if (r < 0)
        return r;
    arena_reset(&e->scratch);
    if ((r = op_json_in(c, &e->scratch, &row, ret)) < 0)
        return r;
    if (!def_compartment_params(COMPARTMENT_PATIENT, target->type) &&
        !def_compartment_params(e->compartment, target->type))
        return 1;
    r = index_extract(&e->scratch, c->params, store_index_options(c->api->store), target->type,
                      *ret, &index, &c->err);
    return r < 0 ? r : is_wanted(e, &index);
}

static int compare(const void *x, const void *y)
{
    const struct everything_target *a = x, *b = y;
    int by_type = str_cmp(def_resource_name(a->type), def_resource_name(b->type));

    return by_type ? by_type : str_cmp(a->id, b->id);
}

int everything_targets(struct everything *e, struct everything_target **ret, size_t *ret_n)
{
    struct targets t = {.e = e};
    struct everything_target *kept;
    size_t level_end, n = 0;
    int r = walk_members(&t), level = 1;

    level_end = t.n;
    kept = ARENA_ARRAY(e->c->a, struct everything_target, EVERYTHING_TARGETS_MAX);
    if (!kept)
        return err_no_memory(&e->c->err);
    for (size_t i = 0; i < t.n && r >= 0; i++) {
        yyjson_val *root;
        if (i == level_end) {
            level++;
            level_end = t.n;
        }
        if ((r = look_at(&t, &t.v[i], &root)) <= 0)
            continue;
        kept[n++] = t.v[i];
        if (level < EVERYTHING_LEVELS_MAX)
            r = links_each(root, follow, &t);
    }
    if (r < 0)
        return r;
    if (n)
        qsort(kept, n, sizeof *kept, compare);
    *ret = kept;
    *ret_n = n;
    return 0;
}
