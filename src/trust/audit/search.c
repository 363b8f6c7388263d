/* search.c - entries that match, newest first: candidates by patient from the indexes or all there
 * are, read a tile at a time.
 */
#include "trust/audit/audit_int.h"

#define CANDIDATES TILE_LEAVES /* looked up at once */
#define ENTRY_ARENA MIB(1)

/* ---- candidates ---- */

struct found {
    uint64_t *leaves;
    size_t n, max;
};

/* A patient's leaves of the segment in hand below `before`; false if it is none. */
static bool find_in_current(struct audit_log *log, uint64_t number, uint64_t patient,
                            uint64_t before, struct found *f)
{
    const struct segment *s;
    bool is_current;

    pthread_mutex_lock(&log->lock);
    s = log->current;
    is_current = s->number == number;
    for (uint64_t i = is_current ? MIN((uint64_t)s->n, before - (number << SEGMENT_BITS)) : 0;
         i-- > 0 && f->n < f->max;)
        if (s->patients[i] == patient)
            f->leaves[f->n++] = (number << SEGMENT_BITS) + i;
    pthread_mutex_unlock(&log->lock);
    return is_current;
}

static int find_in_sealed(struct audit_log *log, uint64_t number, uint64_t patient, uint64_t before,
                          struct found *f, struct err *err)
{
    _cleanup_(cipher_done) struct cipher c = {.x = NULL};
    uint16_t places[CANDIDATES];
    uint64_t first = number << SEGMENT_BITS;
    size_t n = 0;
    int r = log_cipher(log, &c, err);

    if (r >= 0)
        r = sealed_find(log->dir_fd, &c, number, patient,
                        (uint32_t)MIN(before - first, (uint64_t)SEGMENT_LEAVES), places,
                        MIN(f->max - f->n, ARRAY_LEN(places)), &n, err);

    for (size_t i = 0; i < n && r >= 0; i++)
        f->leaves[f->n++] = first + places[i];
    return r;
}

/* The newest leaves of a patient below `before`. */
static int find_patient(struct audit_log *log, struct str patient, uint64_t before, struct found *f,
                        struct err *err)
{
    _cleanup_(sb_done) struct sb tail = sb_make(KIB(1));
    uint64_t key;
    int r = 0;

    audit_entry_tail(&tail, patient);
    if (!tail.n || tail.failed)
        return tail.failed ? err_no_memory(err) : 0;
    key = patient_key(sb_view(&tail));
    for (uint64_t number = (before + SEGMENT_LEAVES - 1) >> SEGMENT_BITS;
         number-- > 0 && f->n < f->max && r >= 0;)
        if (!find_in_current(log, number, key, before, f))
            r = find_in_sealed(log, number, key, before, f, err);
    return r;
}

static void find_all(uint64_t before, struct found *f)
{
    while (before > 0 && f->n < f->max)
        f->leaves[f->n++] = --before;
}

/* ---- what is asked of them ---- */

static bool is(struct str wanted, struct str value)
{
    return !wanted.n || str_eq(wanted, value);
}

/* The records that an entry is about: what was asked for, and the patient. */
static bool is_about(const struct audit_query *q, const struct audit_event *e)
{
    static const struct str patient = STR("Patient");

    return !q->entity_id.n || (str_eq(q->entity_type, e->type) && str_eq(q->entity_id, e->id)) ||
           (str_eq(q->entity_type, patient) && str_eq(q->entity_id, e->patient));
}

static bool is_wanted(const struct audit_query *q, const struct audit_event *e)
{
    return (!q->from_ms || e->when_ms >= q->from_ms) && (!q->to_ms || e->when_ms < q->to_ms) &&
           is(q->patient, e->patient) && is(q->address, e->address) && is(q->role, e->role) &&
           is(q->token, e->token) && is(q->type, str_c(audit_event_type(e)->code)) &&
           (!q->agent.n || str_eq(q->agent, e->user) || str_eq(q->agent, e->client)) &&
           (!q->subtype.n || str_eq(q->subtype, str_c(audit_interaction_code(e->interaction))) ||
            str_eq(q->subtype, e->operation)) &&
           (!q->action || q->action == audit_interaction_action(e->interaction)[0]) &&
           (!q->outcome || q->outcome == audit_event_outcome(e)) && is_about(q, e);
}

/* ---- reading ---- */

struct scan {
    struct audit_log *log;
    const struct audit_query *q;
    struct arena entry; /* of one entry */
    uint64_t before;    /* candidates below it are next */
    size_t looked;
    struct found f;
    size_t at; /* of f */

    uint64_t wanted[CANDIDATES]; /* of the tile that was read, the oldest first */
    size_t n_wanted;
};

static void scan_begin(struct scan *s, struct audit_log *log, const struct audit_query *q,
                       uint64_t leaves[CANDIDATES])
{
    *s = (struct scan){.log = log,
                       .q = q,
                       .before = MIN(q->before ? q->before : UINT64_MAX, audit_size(log)),
                       .f = {.leaves = leaves, .max = CANDIDATES}};
    arena_init(&s->entry, ENTRY_ARENA);
}

/* Of the tile's candidates, which stand from f.leaves[at] down, the next one is the last. */
static int take(void *ctx, uint64_t leaf, uint32_t at, const struct stored_leaf *stored,
                struct err *err)
{
    struct scan *s = ctx;
    struct audit_event event;
    struct str entry;
    int r;

    (void)at;
    if (!s->f.n || s->f.leaves[s->f.n - 1] != leaf)
        return 0;
    s->f.n--;
    if (stored->is_erased)
        return 0;
    arena_reset(&s->entry);
    entry = arena_join(&s->entry, (const struct str[]){stored->head, stored->tail}, 2);
    r = entry.p ? audit_entry_parse(&s->entry, entry, &event, err) : err_no_memory(err);
    if (r >= 0 && is_wanted(s->q, &event))
        s->wanted[s->n_wanted++] = leaf;
    return MIN(r, 0);
}

/* Reads the next tile that has candidates; 0 when there are none any more. */
static int scan_tile(struct scan *s, struct err *err)
{
    struct found all = s->f;
    uint64_t tile;
    size_t end;
    int r = 0;

    if (s->at == s->f.n) {
        s->at = s->f.n = 0;
        if (s->q->patient.n)
            r = find_patient(s->log, s->q->patient, s->before, &s->f, err);
        else
            find_all(s->before, &s->f);
        if (r < 0 || !s->f.n)
            return r;
        all = s->f;
    }
    tile = all.leaves[s->at] >> TILE_BITS;
    for (end = s->at; end < all.n && all.leaves[end] >> TILE_BITS == tile;)
        end++;
    s->n_wanted = 0;
    s->f.n = end;
    r = log_walk(s->log, all.leaves[end - 1], all.leaves[s->at] + 1, take, s, err);
    s->f.n = all.n;
    s->looked += end - s->at;
    s->at = end;
    s->before = all.leaves[end - 1];
    return r < 0 ? r : 1;
}

int audit_search(struct audit_log *log, const struct audit_query *q, struct arena *a,
                 struct audit_row **ret, size_t *ret_n, uint64_t *ret_next, struct err *err)
{
    size_t max = MIN(MAX(q->max, (size_t)1), (size_t)AUDIT_PAGE_MAX), n = 0;
    struct audit_row *rows = ARENA_ARRAY(a, struct audit_row, max);
    uint64_t leaves[CANDIDATES], next = 0;
    struct scan s;
    int r = rows ? 1 : err_no_memory(err);

    scan_begin(&s, log, q, leaves);
    while (r > 0 && !next && (r = scan_tile(&s, err)) > 0) {
        while (s.n_wanted && n < max && r > 0) {
            int got = audit_get(log, s.wanted[--s.n_wanted], a, &rows[n], err);

            n += got >= 0;
            r = MIN(r, got < 0 ? got : r);
        }
        if (s.n_wanted)
            next = s.wanted[s.n_wanted - 1] + 1;
        else if (n == max || s.looked >= AUDIT_SCAN_MAX)
            next = s.before;
    }
    arena_done(&s.entry);
    if (r < 0)
        return r;
    *ret = rows;
    *ret_n = n;
    *ret_next = next;
    return 0;
}

int audit_count(struct audit_log *log, const struct audit_query *q, uint64_t *ret, bool *ret_all,
                struct err *err)
{
    struct audit_query every = *q;
    uint64_t leaves[CANDIDATES], n = 0;
    struct scan s;
    int r;

    every.before = 0;
    scan_begin(&s, log, &every, leaves);
    while ((r = scan_tile(&s, err)) > 0 && s.looked < AUDIT_COUNT_MAX)
        n += s.n_wanted;
    if (r > 0)
        n += s.n_wanted;
    arena_done(&s.entry);
    *ret = n;
    *ret_all = r == 0;
    return MIN(r, 0);
}
