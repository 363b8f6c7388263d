/* foresee.c - the newest versions of many ids, asked for at once before a job works on each of
 * them: one answer instead of a thousand.
 */
#include "store/postgres/pg_int.h"

#include <stdlib.h>

void foreseen_clear(struct foreseen *f)
{
    PQclear(f->answer);
    free(f->ids);
    free(f->slots);
    *f = (struct foreseen){0};
}

/* The slot of an id: what it holds is 1 + its number, or 0. */
static uint32_t *slot_of(const struct foreseen *f, int type, struct str key)
{
    for (size_t i = id_hash(type, key);; i++) {
        uint32_t *slot = &f->slots[i & (f->n_slots - 1)];
        const struct foreseen_id *id = *slot ? &f->ids[*slot - 1] : NULL;

        if (!id || (id->type == type && str_eq(str_n((char *)id->key, id->n), key)))
            return slot;
    }
}

static int keep_ids(struct foreseen *f, const struct store_id *ids, size_t n, struct err *err)
{
    f->n_slots = 8;
    while (f->n_slots < n * 2)
        f->n_slots *= 2;
    f->ids = calloc(n, sizeof *f->ids);
    f->slots = calloc(f->n_slots, sizeof *f->slots);
    if (!f->ids || !f->slots)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        struct foreseen_id *id = &f->ids[f->n];
        uint32_t *slot;

        if (ids[i].id.n > FHIR_ID_MAX)
            continue;
        id->type = ids[i].type;
        id->row = -1;
        id->has_home = true;
        id->n = (uint8_t)index_id_key(ids[i].id, id->key);
        slot = slot_of(f, id->type, str_n((char *)id->key, id->n));
        if (!*slot)
            *slot = (uint32_t)++f->n;
    }
    return 0;
}

static struct str key_of(const struct foreseen_id *id)
{
    return str_n((const char *)id->key, id->n);
}

static struct foreseen_id *find(const struct foreseen *f, int type, struct str key)
{
    uint32_t found = f->n ? *slot_of(f, type, key) : 0;

    return found ? &f->ids[found - 1] : NULL;
}

/* Where a distributed store has them; of what has no home yet there is no version. */
static int ask_homes(struct pg_writer *w, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    const struct pg_store *st = w->conn->st;
    struct foreseen *f = &w->foreseen;
    struct pg_args a = {0};
    size_t n = 0;
    int r = 0;

    for (size_t i = 0; i < f->n; i++) {
        struct foreseen_id *id = &f->ids[i];

        id->home = pg_home_make(id->type, key_of(id));
        id->has_home = !pg_home_is_listed(st, id->type);
        n += !id->has_home;
    }
    sb_reset(&w->array);
    pg_array_begin(&w->array, PG_OF_BYTES, n);
    for (size_t i = 0; i < f->n; i++) {
        unsigned char bytes[2 + ID_KEY_MAX];

        if (!f->ids[i].has_home)
            pg_array_bytes(&w->array, pg_home_key(f->ids[i].type, key_of(&f->ids[i]), bytes));
    }
    if (w->array.failed)
        return err_no_memory(err);
    pg_arg_bytes(&a, sb_view(&w->array));
    if (n && (r = pg_ask(w->conn, PG_HOMES, &a, &res, err)) < 0)
        return r;
    for (int i = 0; n && i < PQntuples(res); i++) {
        struct str k = pg_bytes(res, i, 0);
        int type = (unsigned char)k.p[0] << 8 | (unsigned char)k.p[1];
        struct foreseen_id *id = find(f, type, str_from(k, 2));

        if (!id)
            continue;
        id->home = (int32_t)pg_i64(res, i, 1);
        id->has_home = true;
    }
    return 0;
}

static int ask(struct pg_writer *w, struct err *err)
{
    bool is_sharded = w->conn->st->is_sharded;
    struct foreseen *f = &w->foreseen;
    struct pg_args a = {.form = FORM_ALL};
    struct sb *types = &w->array, *keys = &w->scratch, *homes = &w->homes;
    int r = is_sharded ? ask_homes(w, err) : 0;
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        n += f->ids[i].has_home;
    if (r < 0 || n == 0)
        return r;
    sb_reset(types);
    sb_reset(keys);
    sb_reset(homes);
    pg_array_begin(types, PG_OF_I64, n);
    pg_array_begin(keys, PG_OF_BYTES, n);
    pg_array_begin(homes, PG_OF_I32, n);
    for (size_t i = 0; i < f->n; i++)
        if (f->ids[i].has_home) {
            pg_array_i64(types, f->ids[i].type);
            pg_array_bytes(keys, key_of(&f->ids[i]));
            pg_array_i32(homes, f->ids[i].home);
        }
    if (types->failed || keys->failed || homes->failed)
        return err_no_memory(err);
    pg_arg_bytes(&a, sb_view(types));
    pg_arg_bytes(&a, sb_view(keys));
    if (is_sharded)
        pg_arg_bytes(&a, sb_view(homes));
    pg_arg_i64(&a, PG_AHEAD_BODY);
    if ((r = pg_ask(w->conn, PG_FORESEE, &a, &f->answer, err)) < 0)
        return r;
    for (int i = 0; i < PQntuples(f->answer); i++) {
        struct foreseen_id *id = find(f, (int)pg_i64(f->answer, i, 1), pg_bytes(f->answer, i, 2));

        if (id)
            id->row = i;
    }
    return 0;
}

int pg_foresee(struct store_txn *txn, const struct store_id *ids, size_t n, struct err *err)
{
    struct pg_writer *w = &pg_store(txn)->writer;
    int r;

    foreseen_clear(&w->foreseen);
    if (n < 2)
        return 0;
    r = keep_ids(&w->foreseen, ids, n, err);
    if (r == 0 && w->foreseen.n)
        r = ask(w, err);
    if (r < 0)
        foreseen_clear(&w->foreseen);
    return r;
}

const struct foreseen_id *foreseen_id(const struct foreseen *f, int type, struct str key)
{
    return find(f, type, key);
}

bool foreseen_find(const struct foreseen *f, int type, struct str key, int *ret_row)
{
    const struct foreseen_id *found = find(f, type, key);
    int row;

    if (!found)
        return false;
    row = found->row;
    /* Long bodies were left out. */
    if (row >= 0 && PQgetisnull(f->answer, row, 7) && pg_i64(f->answer, row, 5) != METHOD_DELETE)
        return false;
    *ret_row = row;
    return true;
}
