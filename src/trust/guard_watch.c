/* guard_watch.c - people who said something, and the rows of their records.
 *
 * Most consents say the same few things about all of a record. What each of them says to one asker
 * is found out once a transaction; the rows of all who said it are one set (a slot). Whoever said
 * more than one thing, or something about parts of the record, and whatever is sensitive or of
 * several people, stands in the set `ask` and is looked at.
 */
#include "trust/guard_int.h"

#include <stdlib.h>

#define SAYING_ARENA_MAX MIB(4)
#define QUERY_MAX KIB(64)

static void saying_free(void *p)
{
    struct saying *s = p;

    if (!s)
        return;
    arena_done(&s->a);
    free(s);
}

static void watched_free(void *p)
{
    struct watched *w = p;

    for (size_t i = 0; w && i < w->n; i++)
        free((char *)(uintptr_t)w->filed[i].consent.p);
    if (w) {
        free((char *)(uintptr_t)w->patient.p);
        free(w->filed);
    }
    free(w);
}

void watch_unref(struct watch *w)
{
    if (!w || atomic_fetch_sub(&w->refs, 1) != 1)
        return;
    policy_unref(w->policy);
    text_map_done(&w->patients, watched_free);
    text_map_done(&w->consents, NULL);
    text_map_done(&w->sayings, saying_free);
    row_bits_done(&w->ask);
    for (size_t i = 0; i < SIGHT_SHUT_MAX; i++)
        row_bits_done(&w->rows[i]);
    free(w);
}

const struct watched *watch_of(const struct watch *w, struct str patient)
{
    const struct watched *found = text_map_get(&w->patients, patient);

    return found && found->n ? found : NULL;
}

/* ---- what is said ---- */

static int saying_make(struct str text, struct saying **ret, struct err *err)
{
    struct saying *s = calloc(1, sizeof *s);
    yyjson_val *root;
    struct str own;
    int r;

    if (!s)
        return err_no_memory(err);
    arena_init(&s->a, SAYING_ARENA_MAX);
    s->slot = -1;
    own = arena_dup(&s->a, text);
    r = own.p ? js_parse_stored(&s->a, own, &root, err) : err_no_memory(err);
    if (r >= 0)
        r = consent_compile(&s->a, root, &s->c, err);
    if (r < 0)
        saying_free(s);
    else
        *ret = s;
    return r;
}

static int saying_of(struct watch *w, yyjson_val *root, const struct saying **ret, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    struct saying *made = NULL;
    void **at;
    int r;

    consent_text(root, &text);
    if ((r = sb_ok(&text, err)) < 0)
        return r;
    *ret = text_map_get(&w->sayings, sb_view(&text));
    if (*ret)
        return 0;
    if ((r = saying_make(sb_view(&text), &made, err)) < 0)
        return r;
    at = text_map_at(&w->sayings, sb_view(&text));
    if (!at) {
        saying_free(made);
        return err_no_memory(err);
    }
    if (made->c.is_uniform && !made->c.is_broken && atomic_load(&w->n_slots) < SIGHT_SHUT_MAX) {
        made->slot = (int)atomic_load(&w->n_slots);
        atomic_store(&w->of_slot[made->slot], made);
        atomic_fetch_add(&w->n_slots, 1);
    }
    *at = made;
    *ret = made;
    return 0;
}

/* ---- who says it ---- */

static int unfile(struct watch *w, struct str consent, struct watched **ret, struct err *err)
{
    void **at = text_map_at(&w->consents, consent);
    struct watched *of;

    *ret = NULL;
    if (!at)
        return err_no_memory(err);
    of = *at;
    *at = NULL;
    for (size_t i = 0; of && i < of->n; i++)
        if (str_eq(of->filed[i].consent, consent)) {
            free((char *)(uintptr_t)of->filed[i].consent.p);
            of->filed[i] = of->filed[--of->n];
            break;
        }
    *ret = of;
    return 0;
}

static int watched_of(struct watch *w, struct str patient, struct watched **ret, struct err *err)
{
    void **at = text_map_at(&w->patients, patient);
    struct watched *one;

    if (!at)
        return err_no_memory(err);
    if (!*at) {
        one = calloc(1, sizeof *one);
        if (!one)
            return err_no_memory(err);
        one->mode = WATCHED_NOT;
        one->patient = str_n(strndup(patient.p, patient.n), patient.n);
        if (!one->patient.p) {
            free(one);
            return err_no_memory(err);
        }
        *at = one;
    }
    *ret = *at;
    return 0;
}

static int file_it(struct watch *w, struct str id, yyjson_val *root, struct watched **ret,
                   struct err *err)
{
    const struct saying *saying;
    struct watched *of = NULL;
    struct filed *more;
    char *copy;
    void **at;
    int r;

    if ((r = saying_of(w, root, &saying, err)) < 0 ||
        (r = watched_of(w, consent_patient(root), &of, err)) < 0)
        return r;
    more = realloc(of->filed, (of->n + 1) * sizeof *more);
    if (!more)
        return err_no_memory(err);
    of->filed = more;
    at = text_map_at(&w->consents, id);
    copy = at ? strndup(id.p, id.n) : NULL;
    if (!copy)
        return err_no_memory(err);
    of->filed[of->n++] = (struct filed){str_n(copy, id.n), saying};
    *at = of;
    *ret = of;
    return 0;
}

/* ---- the rows ---- */

static bool is_of_others(const struct watch *w, uint64_t row, int mine)
{
    for (size_t i = 0; i < atomic_load(&w->n_slots); i++)
        if ((int)i != mine && row_bits_has(&w->rows[i], row))
            return true;
    return false;
}

/* Whom a row is of is not known here: one that stands in another's set too is looked at. What is
 * new is put in place before what was is taken away, for those who still look at that. */
static bool move_rows(struct watch *w, const uint64_t *rows, size_t n, int from, int to)
{
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++)
        if (to == WATCHED_ASK ||
            (to >= 0 && (is_of_others(w, rows[i], from) || row_bits_has(&w->rows[to], rows[i]))))
            ok = row_bits_set(&w->ask, rows[i]);
    for (size_t i = 0; i < n && ok && to >= 0; i++)
        ok = row_bits_set(&w->rows[to], rows[i]);
    for (size_t i = 0; i < n && ok && from >= 0; i++)
        row_bits_clear(&w->rows[from], rows[i]);
    return ok;
}

static int mode_of(const struct watched *of)
{
    if (!of->n)
        return WATCHED_NOT;
    return of->n == 1 && of->filed[0].saying->slot >= 0 ? of->filed[0].saying->slot : WATCHED_ASK;
}

static int settle(struct guard *g, struct store_txn *txn, struct watch *w, struct watched *of,
                  struct err *err)
{
    int to = mode_of(of), r;
    struct arena a;
    uint64_t *rows;
    size_t n;

    if (to == of->mode)
        return 0;
    arena_init(&a, GUARD_ARENA_MAX);
    r = guard_rows(g, txn, &a, of->patient, &rows, &n, err);
    if (r >= 0 && !move_rows(w, rows, n, of->mode, to))
        r = err_no_memory(err);
    arena_done(&a);
    if (r >= 0)
        of->mode = to;
    return r;
}

int watch_consent(struct guard *g, struct store_txn *txn, struct watch *w, struct str id,
                  yyjson_val *root, struct err *err)
{
    struct watched *was = NULL, *is = NULL;
    bool lives = root && consent_is_live(root) && consent_patient(root).n;
    int r;

    pthread_rwlock_wrlock(&g->lock);
    atomic_fetch_add(&w->generation, 1);
    r = unfile(w, id, &was, err);
    if (r >= 0 && lives)
        r = file_it(w, id, root, &is, err);
    pthread_rwlock_unlock(&g->lock);
    if (r >= 0 && was && was != is)
        r = settle(g, txn, w, was, err);
    return r < 0 || !is ? r : settle(g, txn, w, is, err);
}

int watch_row(struct watch *w, const struct facts *f, uint64_t row, struct err *err)
{
    int mode = WATCHED_NOT;
    bool ok = true;

    for (size_t i = 0; i < f->n_patients; i++) {
        const struct watched *of = text_map_get(&w->patients, f->patients[i]);

        if (of && of->mode != WATCHED_NOT)
            mode = f->n_patients == 1 ? of->mode : WATCHED_ASK;
    }
    if (f->is_sensitive || f->has_more || mode == WATCHED_ASK)
        ok = row_bits_set(&w->ask, row);
    else if (mode >= 0)
        ok = row_bits_set(&w->rows[mode], row);
    return ok ? 0 : err_no_memory(err);
}

/* ---- all of it ---- */

struct building {
    struct guard *g;
    struct watch *w;
    struct arena a;
    struct sb text;
};

static int each_consent(void *ctx, const struct row *row, struct err *err)
{
    struct building *b = ctx;
    struct watched *of;
    yyjson_val *root;
    int r;

    arena_reset(&b->a);
    sb_reset(&b->text);
    if ((r = row_json(b->g->store, row, &b->text, err)) < 0 || (r = sb_ok(&b->text, err)) < 0 ||
        (r = js_parse_stored(&b->a, sb_view(&b->text), &root, err)) < 0)
        return r;
    if (!consent_is_live(root) || !consent_patient(root).n)
        return 0;
    return file_it(b->w, row->id, root, &of, err);
}

static int each_labelled(void *ctx, const struct row *row, struct err *err)
{
    struct building *b = ctx;

    return row_bits_set(&b->w->ask, row->row) ? 0 : err_no_memory(err);
}

static int find_labelled(struct building *b, struct store_txn *txn, struct err *err)
{
    const struct policy *p = b->g->policy;
    _cleanup_(sb_done) struct sb query = sb_make(QUERY_MAX);
    int r;

    if (!p->n_sensitive)
        return 0;
    sb_lit(&query, "_security=");
    for (size_t i = 0; i < p->n_sensitive; i++) {
        if (i)
            sb_char(&query, ',');
        sb_uri(&query, p->sensitive[i].system);
        sb_lit(&query, "%7C");
        sb_uri(&query, p->sensitive[i].code);
    }
    r = sb_ok(&query, err);
    return r < 0 ? r : guard_each(b->g, txn, 0, sb_view(&query), each_labelled, b, err);
}

int watch_build(struct guard *g, struct store_txn *txn, struct watch **ret, struct err *err)
{
    struct building b = {.g = g, .text = sb_make(STORE_BODY_MAX + KIB(1))};
    int r;

    b.w = calloc(1, sizeof *b.w);
    if (!b.w)
        return err_no_memory(err);
    atomic_store(&b.w->refs, 1);
    b.w->policy = policy_ref(g->policy);
    b.w->built = store_position(txn);
    arena_init(&b.a, STORE_BODY_MAX * 3);
    r = guard_each(g, txn, def_resource(STR("Consent")), STR("status=active"), each_consent, &b,
                   err);
    for (size_t i = 0; r >= 0 && i < b.w->patients.cap; i++)
        if (b.w->patients.v[i].key.p)
            r = settle(g, txn, b.w, b.w->patients.v[i].value, err);
    if (r >= 0)
        r = find_labelled(&b, txn, err);
    arena_done(&b.a);
    sb_done(&b.text);
    if (r < 0)
        watch_unref(b.w);
    else
        *ret = b.w;
    return r;
}
