/* erase.c - everything of one person: what there is, and taking it away.
 *
 * Every version is looked at, also superseded ones and those of deleted resources, because the
 * index knows the newest alone. Nobody else uses the store meanwhile. What is theirs and what only
 * names them: docs/decisions/0046.
 */
#include "store/owner.h"
#include "store/pends_int.h"
#include "store/store_int.h"

#include <stdlib.h>

#define ERASE_BATCH 256
#define IDENTIFIERS_MAX 64     /* the id, and identifiers */
#define IDENTIFIER_MIN 4       /* shorter ones say nothing */
#define VERSION_ARENA MIB(384) /* of one version, parsed */

/* A version that is of the person, or names them. */
struct match {
    enum erase_kind kind;
    int type;
    struct str id;
    uint64_t row;
    bool is_current;
};

struct finding {
    struct store *st;
    struct store_txn *txn;
    struct erase_plan *plan;
    bool locked; /* of those whose keys are not here, instead */
    struct arena *a;
    struct arena one; /* of one version */
    struct sb text;
    struct str id_needle; /* what text that names them has; with it as a UUID: itself */
    bool id_is_unique;
    struct str identifiers[IDENTIFIERS_MAX]; /* in quotes */
    size_t n_identifiers;
    struct match *matches;
    size_t n, cap;
    struct str *binaries; /* ids that their resources point to */
    size_t n_binaries, cap_binaries;
    size_t n_terms, cap_terms;
};

static int patient_type(void)
{
    return def_compartment_type(COMPARTMENT_PATIENT);
}

/* ---- whether a text names somebody ---- */

static bool is_id_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.';
}

/* The next place of `what` in `text`; .p NULL: none. */
static struct str find(struct str text, struct str what)
{
    const char *p = what.n && text.n ? memmem(text.p, text.n, what.p, what.n) : NULL;

    return p ? str_from(text, (size_t)(p - text.p)) : STR_NULL;
}

static bool names_id(const struct finding *f, struct str text)
{
    struct str at = text;

    while ((at = find(at, f->id_needle)).p) {
        at = str_from(at, f->id_needle.n);
        if (f->id_is_unique || !at.n || !is_id_char(*at.p))
            return true;
    }
    return false;
}

static bool names_identifier(const struct finding *f, struct str text)
{
    for (size_t i = 0; i < f->n_identifiers; i++)
        if (find(text, f->identifiers[i]).p)
            return true;
    return false;
}

/* ---- gathering ---- */

static int add_match(struct finding *f, enum erase_kind kind, const struct row *row,
                     struct err *err)
{
    struct str id = arena_dup(f->a, row->id);

    if (f->n == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 64;
        struct match *more = arena_grow(f->a, f->matches, f->n * sizeof *more, cap * sizeof *more);

        if (!more)
            return err_no_memory(err);
        f->matches = more;
        f->cap = cap;
    }
    if (!id.p)
        return err_no_memory(err);
    f->matches[f->n++] = (struct match){kind, row->type, id, row->row, row->is_current};
    return 0;
}

static int add_str(struct finding *f, struct str **list, size_t *n, size_t *cap, struct str s,
                   struct err *err)
{
    if (*n == *cap) {
        size_t more = *cap ? *cap * 2 : 32;
        struct str *grown = arena_grow(f->a, *list, *n * sizeof s, more * sizeof s);

        if (!grown)
            return err_no_memory(err);
        *list = grown;
        *cap = more;
    }
    (*list)[*n] = arena_dup(f->a, s);
    return (*list)[(*n)++].p ? 0 : err_no_memory(err);
}

static int parse(struct finding *f, yyjson_val **ret, struct err *err)
{
    arena_reset(&f->one);
    return js_parse_stored(&f->one, sb_view(&f->text), ret, err);
}

/* Keys of the version whose text is in f->text. */
static int index_of(struct finding *f, int type, struct index *ret, struct err *err)
{
    struct params *params;
    yyjson_val *root;
    int r = parse(f, &root, err);

    if (r < 0)
        return r;
    params = store_params(f->st);
    r = index_extract(&f->one, params, &f->st->index, type, root, ret, err);
    params_unref(params);
    return r;
}

static bool is_self(const struct finding *f, const struct row *row)
{
    return row->type == patient_type() && str_eq(row->id, f->plan->patient);
}

/* What a version that names the person is: theirs, shared, or somebody else's. */
static enum erase_kind kind_of(const struct finding *f, const struct row *row,
                               const struct index *index)
{
    unsigned char key[ID_KEY_MAX];
    struct str theirs = str_n((char *)key, index_id_key(f->plan->patient, key));
    bool is_in = false;
    size_t n = 0;

    if (is_self(f, row))
        return ERASE_OWN;
    for (size_t i = 0; i < index->n_entries; i++) {
        const struct index_entry *e = &index->entries[i];

        if (e->param != INDEX_PARAM_COMPARTMENT + COMPARTMENT_PATIENT)
            continue;
        n++;
        is_in |= str_eq(str_n((const char *)e->key, e->key_n), theirs);
    }
    return n && !is_in ? ERASE_OTHERS : n == 1 ? ERASE_OWN : ERASE_SHARED;
}

static int note_terms(struct finding *f, const struct index *index, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < index->n_entries && r == 0; i++) {
        unsigned char k[ENTRY_MAX];

        if (index->entries[i].shared)
            r = add_str(f, &f->plan->terms, &f->n_terms, &f->cap_terms,
                        str_n((char *)k, entry_put(&index->entries[i], 0, k)), err);
    }
    return r;
}

/* Documents that a resource of theirs points to. */
static int note_binaries(struct finding *f, struct err *err)
{
    static const struct str what = STR("Binary/");
    struct str at = sb_view(&f->text);
    int r = 0;

    while (r == 0 && (at = find(at, what)).p) {
        size_t n = 0;

        at = str_from(at, what.n);
        while (n < at.n && n < FHIR_ID_MAX && is_id_char(at.p[n]))
            n++;
        if (n)
            r = add_str(f, &f->binaries, &f->n_binaries, &f->cap_binaries, str_head(at, n), err);
    }
    return r;
}

static bool is_taken(const struct erase_plan *plan, enum erase_kind kind)
{
    return kind == ERASE_OWN || (kind == ERASE_SHARED && plan->with_shared);
}

static bool is_bundle(int type)
{
    return str_eq(def_resource_name(type), STR("Bundle"));
}

static int look_at(struct finding *f, const struct row *row, struct err *err)
{
    struct index index;
    enum erase_kind kind;
    int r;

    if (row->method == METHOD_DELETE)
        return 0;
    if (f->locked)
        return row->is_locked ? add_match(f, ERASE_OWN, row, err) : 0;
    sb_reset(&f->text);
    r = row_json(f->st, row, &f->text, err);
    if (r == 0)
        r = sb_ok(&f->text, err);
    if (r < 0 || !(is_self(f, row) || names_id(f, sb_view(&f->text)) ||
                   (is_bundle(row->type) && names_identifier(f, sb_view(&f->text)))))
        return r;
    if ((r = index_of(f, row->type, &index, err)) < 0)
        return r;
    kind = kind_of(f, row, &index);
    r = add_match(f, kind, row, err);
    if (r == 0 && is_taken(f->plan, kind) && row->is_current)
        r = note_terms(f, &index, err);
    if (r == 0 && kind == ERASE_OWN)
        r = note_binaries(f, err);
    return r;
}

typedef int version_fn(struct finding *f, const struct row *row, struct err *err);

/* Every version, in the feed's order. `fn` may end it early with a positive result. */
static int each_version(struct finding *f, version_fn *fn, struct err *err)
{
    struct page page = {0};
    uint64_t at = 0;
    int r;

    do {
        _cleanup_(arena_done) struct arena rows;

        arena_init(&rows, KIB(64));
        r = store_feed(f->txn, at, ERASE_BATCH, &rows, &page, err);
        for (size_t i = 0; i < page.n && r == 0; i++) {
            struct row row;

            at = page.rows[i];
            r = store_get_row(f->txn, at, &row, err);
            if (r == 0)
                r = fn(f, &row, err);
        }
        if (f->text.cap > MIB(4))
            sb_done(&f->text);
    } while (r == 0 && page.n);
    return MIN(r, 0);
}

/* ---- terms: what nobody else's resource has ---- */

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void unique_terms(struct finding *f)
{
    struct str *v = f->plan->terms;
    size_t n = 0;

    if (!f->n_terms)
        return;
    qsort(v, f->n_terms, sizeof *v, by_bytes);
    for (size_t i = 0; i < f->n_terms; i++)
        if (!n || !str_eq(v[i], v[n - 1]))
            v[n++] = v[i];
    f->n_terms = n;
}

static bool goes(const struct finding *f, const struct row *row)
{
    for (size_t i = 0; i < f->plan->n; i++) {
        const struct erase_item *item = &f->plan->items[i];

        if (item->type == row->type && !item->row && is_taken(f->plan, item->kind) &&
            str_eq(item->id, row->id))
            return true;
    }
    return false;
}

static void keep_term(struct finding *f, struct str key)
{
    struct str *v = f->plan->terms, *at = bsearch(&key, v, f->n_terms, sizeof key, by_bytes);

    if (!at)
        return;
    memmove(at, at + 1, (size_t)(v + f->n_terms - at - 1) * sizeof *at);
    f->n_terms--;
}

static int keep_terms_of(struct finding *f, const struct row *row, struct err *err)
{
    struct index index;
    int r;

    if (!f->n_terms)
        return 1; /* none is left to ask for */
    if (row->method == METHOD_DELETE || !row->is_current || row->is_locked || goes(f, row))
        return 0;
    sb_reset(&f->text);
    if ((r = row_json(f->st, row, &f->text, err)) < 0 || (r = sb_ok(&f->text, err)) < 0 ||
        (r = index_of(f, row->type, &index, err)) < 0)
        return r;
    for (size_t i = 0; i < index.n_entries; i++) {
        unsigned char k[ENTRY_MAX];

        if (index.entries[i].shared)
            keep_term(f, str_n((char *)k, entry_put(&index.entries[i], 0, k)));
    }
    return 0;
}

/* ---- from versions to what is removed ---- */

static int by_id(const void *x, const void *y)
{
    const struct match *a = x, *b = y;
    int c = a->type != b->type ? a->type - b->type : str_cmp(a->id, b->id);

    return c ? c : (a->row > b->row) - (a->row < b->row);
}

static int add_item(struct finding *f, const struct match *m, enum erase_kind kind, bool is_whole,
                    struct err *err)
{
    struct erase_plan *plan = f->plan;

    if (plan->n == plan->cap) {
        size_t cap = plan->cap ? plan->cap * 2 : 64;
        struct erase_item *more =
            arena_grow(f->a, plan->items, plan->n * sizeof *more, cap * sizeof *more);

        if (!more)
            return err_no_memory(err);
        plan->items = more;
        plan->cap = cap;
    }
    plan->items[plan->n++] = (struct erase_item){kind, m->type, m->id, is_whole ? 0 : m->row};
    plan->n_of[kind]++;
    return 0;
}

/* The matches of one id, in the order of their versions. Where the newest version is theirs, or a
 * deletion, all of the id goes; else only those versions that were theirs. */
static int add_id(struct finding *f, const struct match *m, size_t n, struct err *err)
{
    const struct match *last = &m[n - 1];
    enum erase_kind kind = last->kind;
    struct row newest;
    bool is_deleted;
    int r = store_get(f->txn, m->type, m->id, &newest, err);

    if (r < 0)
        return r;
    is_deleted = newest.method == METHOD_DELETE;
    for (size_t i = 0; i < n && is_deleted; i++)
        kind = MIN(kind, m[i].kind);
    if (is_deleted || last->is_current)
        r = add_item(f, last, kind, true, err);
    for (size_t i = 0; i < n && r == 0 && !is_deleted; i++)
        if (!m[i].is_current && m[i].kind != ERASE_OTHERS &&
            (!last->is_current || m[i].kind < last->kind))
            r = add_item(f, &m[i], m[i].kind, false, err);
    return r;
}

static int add_ids(struct finding *f, struct err *err)
{
    int r = 0;

    if (f->n)
        qsort(f->matches, f->n, sizeof *f->matches, by_id);
    for (size_t i = 0, n; i < f->n && r == 0; i += n) {
        for (n = 1; i + n < f->n && f->matches[i].type == f->matches[i + n].type &&
                    str_eq(f->matches[i].id, f->matches[i + n].id);
             n++)
            ;
        r = add_id(f, &f->matches[i], n, err);
    }
    return r;
}

static int add_binaries(struct finding *f, struct err *err)
{
    int type = def_resource(STR("Binary")), r = 0;

    for (size_t i = 0; i < f->n_binaries && r == 0; i++) {
        struct match m = {ERASE_SHARED, type, f->binaries[i], 0, true};
        struct row row;
        bool is_known = false;

        for (size_t k = 0; k < f->plan->n; k++)
            is_known |= f->plan->items[k].type == type && str_eq(f->plan->items[k].id, m.id);
        if (is_known)
            continue;
        r = store_get(f->txn, type, m.id, &row, err);
        if (r >= 0)
            r = add_item(f, &m, ERASE_SHARED, true, err);
        else if (r == ERR_NOT_FOUND)
            r = 0;
    }
    return r;
}

/* ---- whom to look for ---- */

static int add_identifiers(struct finding *f, const struct row *row, struct err *err)
{
    yyjson_val *root, *one;
    size_t i, max;
    int r;

    if (row->method == METHOD_DELETE)
        return 0;
    sb_reset(&f->text);
    if ((r = row_json(f->st, row, &f->text, err)) < 0 || (r = sb_ok(&f->text, err)) < 0 ||
        (r = parse(f, &root, err)) < 0)
        return r;
    yyjson_arr_foreach(js_get(root, "identifier"), i, max, one) {
        _cleanup_(sb_done) struct sb quoted = sb_make(KIB(64));
        struct str value = js_get_str(one, "value");

        if (value.n < IDENTIFIER_MIN || f->n_identifiers == IDENTIFIERS_MAX)
            continue;
        sb_json(&quoted, value);
        if ((r = sb_ok(&quoted, err)) < 0)
            return r;
        f->identifiers[f->n_identifiers] = arena_dup(f->a, sb_view(&quoted));
        if (!f->identifiers[f->n_identifiers++].p)
            return err_no_memory(err);
    }
    return 0;
}

static int find_identifiers(struct finding *f, struct err *err)
{
    struct history_query q = {.type = patient_type(), .id = f->plan->patient, .count = 1000};
    struct page page;
    int r = store_history(f->txn, &q, f->a, &page, err);

    for (size_t i = 0; r >= 0 && i < page.n; i++) {
        struct row row;

        r = store_get_row(f->txn, page.rows[i], &row, err);
        if (r >= 0)
            r = add_identifiers(f, &row, err);
    }
    return MIN(r, 0);
}

static int whom(struct finding *f, struct err *err)
{
    unsigned char key[ID_KEY_MAX];
    struct str id = f->plan->patient;
    struct row row;
    char *needle;
    int r = store_get(f->txn, patient_type(), id, &row, err);

    if (r < 0)
        return r;
    f->id_is_unique = index_id_key(id, key) < id.n; /* a UUID */
    needle = arena_alloc(f->a, id.n + 8);
    if (!needle)
        return err_no_memory(err);
    memcpy(needle, "Patient/", 8);
    memcpy(needle + 8, id.p, id.n);
    f->id_needle = f->id_is_unique ? str_n(needle + 8, id.n) : str_n(needle, id.n + 8);
    return find_identifiers(f, err);
}

static int run(struct finding *f, struct err *err)
{
    int r = f->locked ? 0 : whom(f, err);

    if (r >= 0)
        r = each_version(f, look_at, err);
    if (r >= 0)
        r = add_ids(f, err);
    if (r >= 0 && !f->locked)
        r = add_binaries(f, err);
    if (r < 0)
        return r;
    unique_terms(f);
    r = each_version(f, keep_terms_of, err);
    f->plan->n_terms = f->n_terms;
    return r;
}

int store_erase_find(struct store *st, const struct access *who, struct str patient,
                     bool with_shared, struct arena *a, struct erase_plan *ret, struct err *err)
{
    struct erase_plan plan = {.patient = patient, .with_shared = with_shared};
    struct finding f = {.st = st,
                        .plan = &plan,
                        .locked = !patient.n,
                        .a = a,
                        .text = sb_make(STORE_BODY_MAX + KIB(1))};
    int r;

    if (!st->ops->forget)
        return err_set(err, ERR_NOT_SUPPORTED, "people are not erased from a store of this kind");
    r = store_begin(st, who, &f.txn, err);
    if (r < 0)
        return r;
    arena_init(&f.one, VERSION_ARENA);
    r = run(&f, err);
    arena_done(&f.one);
    sb_done(&f.text);
    store_end(f.txn);
    if (r >= 0)
        *ret = plan;
    return r;
}

/* ---- taking away ---- */

static int take_away(struct store_txn *txn, const struct erase_item *item, struct err *err)
{
    const struct store_ops *ops = txn->st->ops;
    unsigned char owner[OWNER_MAX];
    size_t n;
    int r;

    if (item->row)
        return ops->expunge_old(txn, item->row, err);
    r = store_expunge(txn, item->type, item->id, &n, err);
    if (r >= 0)
        r = ops->forget(txn, str_n((char *)owner, owner_key(item->type, item->id, owner)), err);
    return r;
}

int store_erase(struct store_txn *txn, const struct erase_plan *plan, struct err *err)
{
    const struct store_ops *ops = txn->st->ops;
    unsigned char owner[OWNER_MAX];
    int r = 0;

    assert(txn->is_writing);
    if (txn->who.kind != ACCESS_SYSTEM)
        return err_set(err, ERR_FORBIDDEN, "erasing people is the operator's");
    for (size_t i = 0; i < plan->n && r >= 0; i++)
        if (is_taken(plan, plan->items[i].kind))
            r = take_away(txn, &plan->items[i], err);
    for (size_t i = 0; i < plan->n_terms && r >= 0; i++)
        r = ops->drop_term(txn, plan->terms[i], err);
    if (r >= 0 && plan->patient.n)
        r = ops->forget(txn, str_n((char *)owner, owner_key(patient_type(), plan->patient, owner)),
                        err);
    return r;
}
