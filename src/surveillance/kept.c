#include "surveillance/kept.h"

#include "surveillance/kept_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "fhir/defs.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define ONE_ARENA_MAX (STORE_BODY_MAX * 4) /* one resource, parsed */
#define TEXT_MAX (STORE_BODY_MAX + MIB(1)) /* … as text */
#define PAGE_ARENA_MAX MIB(4)
#define NAME_META "cases"                   /* says which of the following is whole */
#define NAME_PREFIX STORE_BLOB_OWN "cases/" /* and a random name */

/* ---- begin and end ---- */

void kept_clear(struct kept *k)
{
    arena_reset(&k->of_records);
    records_init(&k->records, &k->of_records, &k->definitions);
    cases_init(&k->cases);
    k->cases.changed = k->changed;
    k->cases.ctx = k->ctx;
    k->today = DAY_UNKNOWN;
    k->shown = 0;
    memset(k->read, 0, sizeof k->read);
    k->is_checking = k->is_erased = false;
    atomic_store(&k->position, 0);
}

struct kept_view kept_lock(struct kept *k)
{
    pthread_rwlock_rdlock(&k->lock);
    return (struct kept_view){.definitions = &k->definitions,
                              .records = &k->records,
                              .cases = &k->cases,
                              .position = k->shown,
                              .today = k->today,
                              .is_ready = atomic_load(&k->is_ready)};
}

void kept_unlock(struct kept *k)
{
    pthread_rwlock_unlock(&k->lock);
}

bool kept_is_ready(struct kept *k, uint64_t *ret_done, uint64_t *ret_all)
{
    *ret_done = atomic_load(&k->position);
    *ret_all = atomic_load(&k->all);
    return atomic_load(&k->is_ready);
}

int kept_on_change(struct kept *k, case_change *changed, void *ctx, struct err *err)
{
    int r = 0;

    k->changed = k->cases.changed = changed;
    k->ctx = k->cases.ctx = ctx;
    for (size_t i = 0; i < k->cases.n && r == 0; i++)
        if (k->cases.v[i].person != NOT_THERE)
            r = changed(ctx, &k->cases.v[i], 1, err);
    return r;
}

/* ---- one version ---- */

struct following {
    struct kept *k;
    struct store_txn *txn;
    int condition, observation;
    int32_t now; /* the day by the clock */
    struct arena a;
    struct sb text;
};

static int parse(struct following *f, const struct row *row, yyjson_val **ret, struct err *err)
{
    int r;

    sb_reset(&f->text);
    arena_reset(&f->a);
    r = row_json(f->k->store, row, &f->text, err);
    if (r >= 0)
        r = sb_ok(&f->text, err);
    return r < 0 ? r : js_parse_stored(&f->a, sb_view(&f->text), ret, err);
}

/* An error left it half done: whoever waits for the lock must not look at it. */
static int tear(struct kept *k, int r)
{
    k->is_torn = true;
    atomic_store(&k->is_ready, false);
    return r;
}

/* A version that is not the newest says nothing: the newest stands further on. */
static int take_row(void *ctx, const struct row *row, struct err *err)
{
    struct following *f = ctx;
    struct kept *k = f->k;
    struct str type = def_resource_name(row->type);
    bool is_finding = row->type == f->condition || row->type == f->observation;
    yyjson_val *resource = NULL;
    int r;

    if (!records_wants(&k->records, type) || (row->method != METHOD_DELETE && !row->is_current) ||
        !records_knows(&k->records, type, row->id))
        return 0;
    /* Without its key it is being erased, and says nothing any more. */
    if (row->method != METHOD_DELETE && !row->is_locked && (r = parse(f, row, &resource, err)) < 0)
        return r;
    pthread_rwlock_wrlock(&k->lock);
    if (resource && is_finding) {
        int32_t newest = records_newest(resource);
        if (newest <= f->now)
            k->today = MAX(k->today, newest);
    }
    r = resource ? records_take(&k->records, resource, err)
                 : records_forget(&k->records, type, row->id, err);
    r = r < 0 ? tear(k, r) : 0;
    pthread_rwlock_unlock(&k->lock);
    return r;
}

/* ---- what was mentioned for the first time ---- */

static int take_one(struct following *f, const char *type, struct str id, struct err *err)
{
    struct row row;
    int r = store_get(f->txn, def_resource(str_c(type)), id, &row, err);

    if (r == ERR_NOT_FOUND)
        return 0;
    return r < 0 || row.method == METHOD_DELETE ? MIN(r, 0) : take_row(f, &row, err);
}

static int take_mentioned(struct following *f, struct err *err)
{
    struct records *r = &f->k->records;
    const struct {
        const char *type;
        const struct names *names;
        uint32_t *read;
    } all[] = {{"Patient", &r->person_ids, &f->k->read[0]},
               {"Encounter", &r->visit_ids, &f->k->read[1]},
               {"Location", &r->place_ids, &f->k->read[2]}};
    char id[NAMES_TEXT_MAX];
    bool is_done = false;
    int wrong = 0;

    while (!is_done && wrong == 0) {
        is_done = true;
        for (size_t i = 0; i < ARRAY_LEN(all); i++)
            while (wrong == 0 && *all[i].read < all[i].names->n) {
                is_done = false;
                wrong = take_one(f, all[i].type, names_text(all[i].names, *all[i].read, id), err);
                *all[i].read += wrong == 0;
            }
    }
    return wrong;
}

/* ---- the feed ---- */

static int read_feed(struct following *f, const atomic_bool *is_ending, uint64_t to,
                     uint64_t *ret_n, struct err *err)
{
    struct kept *k = f->k;
    struct arena a;
    int r = 0;

    arena_init(&a, PAGE_ARENA_MAX);
    while (r == 0 && atomic_load(&k->position) < to && !(is_ending && atomic_load(is_ending))) {
        struct page page;

        arena_reset(&a);
        r = store_feed(f->txn, atomic_load(&k->position), KEPT_PAGE, &a, &page, err);
        if (r < 0 || !page.n) {
            if (r >= 0)
                atomic_store(&k->position, to); /* what stood there was removed for good */
            break;
        }
        r = store_each_row(f->txn, page.rows, page.n, take_row, f, err);
        if (r >= 0)
            r = take_mentioned(f, err);
        if (r >= 0)
            atomic_store(&k->position, page.rows[page.n - 1]);
        *ret_n += page.n;
    }
    arena_done(&a);
    return MIN(r, 0);
}

/* ---- what vanished ---- */

/* The type of a name in each table of names, what refers to others first; of a finding it is told
 * by the first letter. */
static struct str type_of(size_t kind, char letter)
{
    static const struct str types[] = {STR("Condition"), STR("Encounter"), STR("Patient"),
                                       STR("Location"), STR("Task")};

    return kind            ? types[kind]
           : letter == 'O' ? STR("Observation")
           : letter == 'I' ? STR("Immunization")
                           : types[0];
}

static int check_name(struct kept *k, struct store_txn *txn, struct str type, struct str id,
                      struct err *err)
{
    struct row row;
    int r = store_get(txn, def_resource(type), id, &row, err);

    if (r != ERR_NOT_FOUND)
        return MIN(r, 0);
    pthread_rwlock_wrlock(&k->lock);
    r = records_erase(&k->records, type, id, err);
    r = r < 0 ? tear(k, r) : 0;
    k->is_erased = true;
    pthread_rwlock_unlock(&k->lock);
    return r;
}

/* Asks for the next of what is kept, from the first again when something was expunged meanwhile. */
static int check_expunged(struct kept *k, struct store_txn *txn, struct err *err)
{
    const struct records *records = &k->records;
    const struct names *const kinds[] = {&records->finding_ids, &records->visit_ids,
                                         &records->person_ids, &records->place_ids,
                                         &records->outbreak_ids};
    uint64_t expunged;
    int r = store_expunged(txn, &expunged, err);

    if (r >= 0 && expunged != k->expunged) {
        k->expunged = expunged;
        k->is_checking = true;
        k->checked_kind = k->checked = 0;
    }
    for (size_t n = 0; n < KEPT_CHECK && k->is_checking && r >= 0; n++) {
        const struct names *names = kinds[k->checked_kind];
        char text[NAMES_TEXT_MAX];
        struct str id;

        if (k->checked == names->n) {
            k->checked = 0;
            k->is_checking = ++k->checked_kind < ARRAY_LEN(kinds);
            continue;
        }
        id = names_text(names, (uint32_t)k->checked, text);
        if (!id.n) {
            k->checked++;
            continue;
        }
        r = check_name(k, txn, type_of(k->checked_kind, *id.p),
                       str_from(id, names->is_typed ? 1 : 0), err);
        k->checked += r >= 0;
    }
    return MIN(r, 0);
}

/* What a first count has used, or taking up what was saved, goes back to the system. */
static void become_ready(struct kept *k)
{
    if (!atomic_exchange(&k->is_ready, true))
        malloc_trim(0);
}

static int read_until(struct kept *k, struct store_txn *txn, const atomic_bool *is_ending,
                      uint64_t to, uint64_t *ret_n, struct err *err)
{
    struct following f = {.k = k,
                          .txn = txn,
                          .condition = def_resource(STR("Condition")),
                          .observation = def_resource(STR("Observation")),
                          .now = (int32_t)(clock_now_ms() / 86400000),
                          .text = sb_make(TEXT_MAX)};
    int r;

    atomic_store(&k->all, to);
    arena_init(&f.a, ONE_ARENA_MAX);
    r = read_feed(&f, is_ending, to, ret_n, err);
    arena_done(&f.a);
    sb_done(&f.text);
    return r;
}

static int follow(struct kept *k, struct store_txn *txn, const atomic_bool *is_ending,
                  uint64_t *ret_n, struct err *err)
{
    uint64_t to = store_position(txn), from = atomic_load(&k->position);
    int r = 0;

    if (!from)
        r = store_expunged(txn, &k->expunged, err);
    if (r == 0 && to != from)
        r = read_until(k, txn, is_ending, to, ret_n, err);
    if (r == 0)
        r = check_expunged(k, txn, err);
    if (r < 0)
        return r;
    if (!records_changed(&k->records) && k->shown == atomic_load(&k->position)) {
        become_ready(k);
        return 0;
    }
    pthread_rwlock_wrlock(&k->lock);
    r = cases_remake(&k->records, &k->cases, err);
    if (r < 0)
        tear(k, r);
    k->shown = atomic_load(&k->position);
    pthread_rwlock_unlock(&k->lock);
    if (r == 0 && atomic_load(&k->position) >= to)
        become_ready(k);
    return r;
}

/* What an error left half done is of no use: from the beginning. */
static int begin_anew(struct kept *k, struct err *err)
{
    int r = 0;

    pthread_rwlock_wrlock(&k->lock);
    if (k->changed)
        r = k->changed(k->ctx, NULL, -1, err);
    kept_clear(k);
    pthread_rwlock_unlock(&k->lock);
    k->is_torn = r < 0;
    return r;
}

/* ---- what outlives a process ---- */

struct save_job {
    struct store_job job; /* first */
    struct str name;      /* of the parts */
    bool is_alone;        /* no other process saves */
    uint32_t part;
    struct str bytes; /* of one part */
};

static int put_part(struct store_txn *txn, struct store_job *job, struct err *err)
{
    const struct save_job *s = (const struct save_job *)job;

    return store_blob_put(txn, s->name, s->part, s->bytes, err);
}

/* Of all that is there but `name`, also what a process left that died while it saved. */
static int drop_others(struct store_txn *txn, struct str name, struct err *err)
{
    struct str at = STR(NAME_PREFIX);
    struct arena a;
    int r = 0;

    arena_init(&a, MIB(4));
    while (r >= 0) {
        r = store_blob_next(txn, at, &a, &at, NULL, err);
        if (r < 0 || !str_starts(at, STR(NAME_PREFIX)))
            break;
        if (!str_eq(at, name))
            r = store_blob_drop(txn, at, err);
    }
    arena_done(&a);
    return MIN(r, 0);
}

/* Asks here what goes: another process that saves publishes too. */
static int publish(struct store_txn *txn, struct store_job *job, struct err *err)
{
    const struct save_job *s = (const struct save_job *)job;
    struct str before, name = s->name;
    struct arena a;
    int r;

    arena_init(&a, KIB(64));
    r = store_claim(txn, STR(NAME_META), err);
    if (r >= 0)
        r = store_meta_get(txn, NAME_META, &a, &before, err);
    if (r >= 0)
        r = store_meta_set(txn, NAME_META, name, err);
    if (r >= 0 && s->is_alone)
        r = drop_others(txn, name, err);
    else if (r >= 0 && before.n)
        r = store_blob_drop(txn, before, err);
    arena_done(&a);
    return r;
}

/* Those that nobody names: a commit whose answer was lost may have published them. */
static int drop_parts(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct str named, name = ((const struct save_job *)job)->name;
    struct arena a;
    int r;

    arena_init(&a, KIB(64));
    r = store_meta_get(txn, NAME_META, &a, &named, err);
    if (r >= 0 && !str_eq(named, name))
        r = store_blob_drop(txn, name, err);
    arena_done(&a);
    return r;
}

/* The parts one by one, so that others write between them; what is not published is nothing, and is
 * not left behind where the store still takes writes. */
static int save_parts(struct kept *k, struct str bytes, struct err *err)
{
    char name[sizeof NAME_PREFIX + UUID_TEXT_LEN] = NAME_PREFIX;
    struct save_job s = {.job = {.run = put_part, .who = &k->node},
                         .is_alone = !store_is_shared(k->store)};
    struct err other;
    int r = 0;

    uuid7(name + sizeof NAME_PREFIX - 1);
    s.name = str_c(name);
    for (size_t at = 0; at < bytes.n && r >= 0; at += s.bytes.n, s.part++) {
        s.bytes = str_head(str_from(bytes, at), MIN(bytes.n - at, (size_t)STORE_BLOB_PART_MAX));
        r = store_write(k->store, &s.job, err);
    }
    s.job.run = publish;
    if (r >= 0)
        r = store_write(k->store, &s.job, err);
    s.job.run = drop_parts;
    if (r < 0 && store_write(k->store, &s.job, &other) < 0)
        log_err(LOG_WARN, LOG_SURVEILLANCE, &other);
    return r;
}

int kept_save(struct kept *k, bool now, struct err *err)
{
    _cleanup_(sb_done) struct sb out = sb_make(KEPT_SAVED_MAX);
    uint64_t since = atomic_load(&k->position) - k->saved;
    bool is_due = now ? since > 0 : since >= MAX(KEPT_SAVE_VERSIONS, k->records.n_evidence);
    int r;

    if (!atomic_load(&k->is_ready) || !(is_due || (k->is_erased && !k->is_checking)))
        return 0;
    r = saved_write(k, &out, err);
    if (r >= 0)
        r = save_parts(k, sb_view(&out), err);
    if (r >= 0) {
        k->saved = atomic_load(&k->position);
        k->is_erased = k->is_checking;
    }
    return MIN(r, 0);
}

int kept_drop_saved(struct store_txn *txn, struct err *err)
{
    int r = store_meta_set(txn, NAME_META, STR_NULL, err);

    return r < 0 ? r : drop_others(txn, STR_NULL, err);
}

static int load_parts(struct store_txn *txn, struct sb *ret, struct err *err)
{
    struct str name, part;
    struct arena a;
    int r;

    arena_init(&a, 2 * STORE_BLOB_PART_MAX);
    r = store_meta_get(txn, NAME_META, &a, &name, err);
    name = r >= 0 && name.n ? name : STR_NULL;
    for (uint32_t i = 0; r >= 0 && name.p; i++) {
        char copy[sizeof NAME_PREFIX + UUID_TEXT_LEN + 1];

        snprintf(copy, sizeof copy, "%.*s", STR_ARG(name));
        arena_reset(&a);
        name = arena_dup(&a, str_c(copy));
        r = name.p ? store_blob_get(txn, name, i, &a, &part, err) : err_no_memory(err);
        if (r < 0 || !part.p)
            break;
        sb_str(ret, part);
        r = sb_ok(ret, err);
    }
    arena_done(&a);
    return MIN(r, 0);
}

static int load(struct kept *k, struct err *err)
{
    _cleanup_(sb_done) struct sb bytes = sb_make(KEPT_SAVED_MAX);
    struct store_txn *txn = NULL;
    int r = store_begin(k->store, &k->node, &txn, err);

    if (r < 0)
        return r;
    r = load_parts(txn, &bytes, err);
    if (r < 0) {
        store_end(txn);
        return r;
    }
    pthread_rwlock_wrlock(&k->lock);
    if (bytes.n)
        r = saved_read(k, sb_view(&bytes), err);
    if (r < 0 && r != ERR_NO_STORE)
        tear(k, r);
    pthread_rwlock_unlock(&k->lock);
    /* What is damaged is made again. */
    if (r == ERR_NO_STORE) {
        log_err(LOG_WARN, LOG_SURVEILLANCE, err);
        r = 0;
    }
    /* That of a store that was put back to an earlier state. */
    if (r > 0 && atomic_load(&k->position) > store_position(txn))
        r = 0;
    store_end(txn);
    if (r == 0)
        r = begin_anew(k, err);
    k->saved = k->shown = atomic_load(&k->position);
    return MIN(r, 0);
}

/* ---- all of it ---- */

int kept_follow(struct kept *k, const atomic_bool *is_ending, uint64_t *ret_n, struct err *err)
{
    struct store_txn *txn = NULL;
    uint64_t n = 0;
    int r = k->is_torn ? begin_anew(k, err) : 0;

    if (r == 0 && !k->was_loaded)
        r = load(k, err);
    k->was_loaded |= r == 0;
    if (r == 0)
        r = store_begin(k->store, &k->node, &txn, err);
    if (r >= 0) {
        r = follow(k, txn, is_ending, &n, err);
        store_end(txn);
    }
    if (ret_n)
        *ret_n = n;
    return MIN(r, 0);
}

int kept_new(struct store *store, const struct access *node, struct str definitions,
             struct kept **ret, struct err *err)
{
    struct kept *k = calloc(1, sizeof *k);
    int r;

    if (!k)
        return err_no_memory(err);
    k->store = store;
    k->node = *node;
    pthread_rwlock_init(&k->lock, NULL);
    arena_init(&k->of_definitions, MIB(16));
    arena_init(&k->of_records, RECORDS_BYTES_MAX);
    k->text =
        arena_dup(&k->of_definitions, definitions.p ? definitions : case_definitions_starter());
    r = k->text.p ? case_definitions_read(&k->of_definitions, k->text, &k->definitions, err)
                  : err_no_memory(err);
    if (r < 0) {
        kept_free(k);
        return r;
    }
    kept_clear(k);
    *ret = k;
    return 0;
}

void kept_free(struct kept *k)
{
    if (!k)
        return;
    arena_done(&k->of_definitions);
    arena_done(&k->of_records);
    pthread_rwlock_destroy(&k->lock);
    free(k);
}
