/* home.c - where things live in a store that Citus has distributed.
 *
 * Everything of a resource lies in one place, its home: that of the patient in whose compartment it
 * was made, else its own. A home is the hash of (type, id), and the database's distribution column.
 * It never changes, so that what is known here of it stays true.
 *
 * A patient's home follows from the id; other resources are looked up in a directory (carnet_home).
 * Keys that lead to a patient (references, the compartment) are looked for in the patient's home
 * alone. A resource that has such a key and lives elsewhere is a guest of that patient
 * (carnet_guest): of patients with guests the keys are looked for everywhere.
 */
#include "store/postgres/pg_int.h"

#define HASH_SEED UINT64_C(14695981039346656037) /* FNV-1a */
#define HASH_PRIME UINT64_C(1099511628211)

static int patient_type(void)
{
    return def_compartment_type(COMPARTMENT_PATIENT);
}

int32_t pg_home_make(int type, struct str id_key)
{
    uint64_t h = (HASH_SEED ^ (unsigned)type) * HASH_PRIME;

    for (size_t i = 0; i < id_key.n; i++)
        h = (h ^ (unsigned char)id_key.p[i]) * HASH_PRIME;
    return (int32_t)(uint32_t)(h ^ h >> 32);
}

/* ---- of rows: what was seen lately ---- */

#define SLOT_BITS 16
#define SLOT_TAKEN (UINT64_C(1) << 63)

_Static_assert(1 << SLOT_BITS == PG_HOMES_MAX, "a slot for each lowest part of a number");

/* A row's number stands in the slot of its lowest bits, beside its home: one word. */
void pg_home_note(struct pg_txn *t, uint64_t row, int32_t home)
{
    struct pg_store *st = pg_store(&t->base);

    if (!st->is_sharded || t->base.is_writing)
        return;
    atomic_store_explicit(&st->homes[row % PG_HOMES_MAX],
                          SLOT_TAKEN | row >> SLOT_BITS << 32 | (uint32_t)home,
                          memory_order_relaxed);
}

static bool known(struct pg_store *st, uint64_t row, int32_t *ret)
{
    uint64_t slot = atomic_load_explicit(&st->homes[row % PG_HOMES_MAX], memory_order_relaxed);

    *ret = (int32_t)(uint32_t)slot;
    return slot & SLOT_TAKEN && (slot & ~SLOT_TAKEN) >> 32 == row >> SLOT_BITS;
}

void pg_place_row(struct pg_store *st, uint64_t row, struct pg_args *a)
{
    if (st->is_sharded)
        a->form = known(st, row, &a->home) ? FORM_HOME : FORM_ALL;
}

void pg_place_rows(struct pg_store *st, const uint64_t *rows, size_t n, struct pg_args *a)
{
    int32_t home;

    if (!st->is_sharded)
        return;
    a->form = n && known(st, rows[0], &a->home) ? FORM_HOME : FORM_ALL;
    for (size_t i = 1; i < n && a->form == FORM_HOME; i++)
        if (!known(st, rows[i], &home) || home != a->home)
            a->form = FORM_ALL;
}

/* ---- of ids ---- */

bool pg_home_is_listed(const struct pg_store *st, int type)
{
    return st->is_sharded && type != patient_type();
}

struct str pg_home_key(int type, struct str id_key, unsigned char to[2 + ID_KEY_MAX])
{
    to[0] = (unsigned char)(type >> 8);
    to[1] = (unsigned char)type;
    memcpy(to + 2, id_key.p, id_key.n);
    return str_n((char *)to, 2 + id_key.n);
}

/* What the group has not sent yet, or the job has foreseen, as pg_place_id tells it. 2: only the
 * database knows. */
static int place_written(struct pg_txn *t, int type, struct str id_key, struct pg_args *a,
                         struct err *err)
{
    struct pg_writer *w = &pg_store(&t->base)->writer;
    const struct unsent_version *v;
    const struct foreseen_id *id;
    int r = unsent_find(&w->unsent, type, id_key, &v, err);

    if (r < 0)
        return r;
    id = v ? NULL : foreseen_id(&w->foreseen, type, id_key);
    if (!v && !id)
        return 2;
    if (!v && !id->has_home)
        return 0;
    a->home = v ? v->home : id->home;
    return 1;
}

int pg_place_id(struct pg_txn *t, int type, struct str id_key, struct pg_args *a, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    unsigned char bytes[2 + ID_KEY_MAX];
    struct pg_args args = {0};
    int r;

    if (!pg_store(&t->base)->is_sharded)
        return 1;
    a->form = FORM_HOME;
    a->home = pg_home_make(type, id_key);
    if (type == patient_type())
        return 1;
    if (t->base.is_writing && (r = place_written(t, type, id_key, a, err)) < 2)
        return r;
    pg_arg_bytes(&args, pg_home_key(type, id_key, bytes));
    if ((r = pg_ask(t->conn, PG_HOME, &args, &res, err)) < 0)
        return r;
    if (PQntuples(res))
        a->home = (int32_t)pg_i64(res, 0, 0);
    return PQntuples(res) > 0;
}

int32_t pg_home_choose(int type, struct str id_key, struct str patient)
{
    unsigned char owner[ID_KEY_MAX];

    if (type == patient_type() || !patient.n)
        return pg_home_make(type, id_key);
    return pg_home_make(patient_type(), str_n((char *)owner, index_id_key(patient, owner)));
}

int pg_home_put(struct pg_txn *t, int type, struct str id_key, int32_t home, struct err *err)
{
    unsigned char bytes[2 + ID_KEY_MAX];
    struct pg_args a = {.home = home};

    pg_arg_bytes(&a, pg_home_key(type, id_key, bytes));
    return pg_send(t->conn, PG_PUT_HOME, &a, err);
}

int pg_home_drop(struct pg_txn *t, int type, struct str id_key, struct err *err)
{
    unsigned char bytes[2 + ID_KEY_MAX];
    struct pg_args a = {0};

    if (!pg_home_is_listed(pg_store(&t->base), type))
        return 0;
    pg_arg_bytes(&a, pg_home_key(type, id_key, bytes));
    return pg_send(t->conn, PG_DROP_HOME, &a, err);
}

/* ---- of keys ---- */

/* How many bytes at the front of a list's key are the id key of a patient; *ret_at: behind what. */
static size_t patient_in(const struct params *params, unsigned list, struct str key, size_t *ret_at)
{
    const unsigned char *p = (const unsigned char *)key.p;
    const struct param *param;
    size_t at = 0, n;

    if (list != INDEX_PARAM_COMPARTMENT + COMPARTMENT_PATIENT) {
        param = list < INDEX_PARAM_USER ? param_by_id(params, (uint16_t)list) : NULL;
        if (!param || param->def.kind != PARAM_REFERENCE || !key.n || p[0] != patient_type())
            return 0;
        at = 1;
    }
    if (at == key.n)
        return 0;
    /* As index_id_key makes it: a UUID's 16 bytes behind a 1, or a text up to its 0. */
    n = 17;
    if (p[at] != 1) {
        for (n = 1; at + n <= key.n && p[at + n - 1]; n++)
            ;
    }
    *ret_at = at;
    return at + n <= key.n ? n : 0;
}

/* Whether all that lies in lo <= k < hi begins with the first n bytes of lo. */
static bool is_within(struct str lo, struct str hi, size_t n)
{
    size_t i = n;

    if (hi.n >= n && memcmp(lo.p, hi.p, n) == 0)
        return true;
    /* hi is the least text behind all that begin so: the last byte that can grow, grown by one. */
    while (i && (unsigned char)lo.p[i - 1] == 0xff)
        i--;
    return i && hi.n == i && memcmp(lo.p, hi.p, i - 1) == 0 &&
           (unsigned char)hi.p[i - 1] == (unsigned char)lo.p[i - 1] + 1;
}

/* The patient that all entries of lo <= k < hi lead to; .p == NULL: none, or several. */
static struct str owner_of(struct pg_store *st, struct str lo, struct str hi)
{
    unsigned list;
    size_t at, n;

    if (lo.n <= 2)
        return STR_NULL;
    list = (unsigned)((unsigned char)lo.p[0] << 8 | (unsigned char)lo.p[1]);
    n = patient_in(st->base_params, list, str_from(lo, 2), &at);
    return n && is_within(lo, hi, 2 + at + n) ? str_n(lo.p + 2 + at, n) : STR_NULL;
}

/* Whether a patient has guests, and where the keys are that lead to it. */
static int place_owner(struct pg_txn *t, struct str owner, struct pg_args *a, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args args = {0};
    int r;

    a->home = pg_home_make(patient_type(), owner);
    if (!t->base.is_writing && owner.n == t->owner_n && memcmp(t->owner, owner.p, owner.n) == 0) {
        a->form = t->owner_form;
        return 0;
    }
    pg_arg_bytes(&args, owner);
    if ((r = pg_ask(t->conn, PG_GUEST, &args, &res, err)) < 0)
        return r;
    a->form = PQntuples(res) ? FORM_ALL : FORM_HOME;
    if (owner.n <= sizeof t->owner) {
        memcpy(t->owner, owner.p, owner.n);
        t->owner_n = owner.n;
        t->owner_form = a->form;
    }
    return 0;
}

int pg_place_range(struct pg_txn *t, const struct str *within, struct str lo, struct str hi,
                   struct pg_args *a, struct err *err)
{
    struct pg_store *st = pg_store(&t->base);
    struct str owner;

    if (!st->is_sharded)
        return 0;
    a->form = FORM_ALL;
    owner = owner_of(st, lo, hi);
    if (!owner.p && within)
        owner = owner_of(st, *within, *within);
    return owner.p ? place_owner(t, owner, a, err) : 0;
}

int pg_guests_drop(struct pg_txn *t, struct str patient_key, struct err *err)
{
    struct pg_args a = {0};

    if (!pg_store(&t->base)->is_sharded)
        return 0;
    pg_arg_bytes(&a, patient_key);
    return pg_send(t->conn, PG_DROP_GUESTS, &a, err);
}

int pg_guests_put(struct pg_txn *t, const struct index *index, int32_t home, struct err *err)
{
    struct pg_store *st = pg_store(&t->base);
    int r = 0;

    if (!st->is_sharded)
        return 0;
    for (size_t i = 0; i < index->n_entries && r == 0; i++) {
        const struct index_entry *e = &index->entries[i];
        struct str key = str_n((const char *)e->key, e->key_n), owner;
        struct pg_args a = {0};
        size_t at, n = e->shared ? 0 : patient_in(st->base_params, e->param, key, &at);

        if (!n)
            continue;
        owner = str_n(key.p + at, n);
        if (pg_home_make(patient_type(), owner) == home)
            continue;
        pg_arg_bytes(&a, owner);
        pg_arg_i32(&a, home);
        r = pg_send(t->conn, PG_PUT_GUEST, &a, err);
    }
    return r;
}
