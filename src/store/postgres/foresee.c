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
        id->n = (uint8_t)index_id_key(ids[i].id, id->key);
        slot = slot_of(f, id->type, str_n((char *)id->key, id->n));
        if (!*slot)
            *slot = (uint32_t)++f->n;
    }
    return 0;
}

static int ask(struct pg_writer *w, struct err *err)
{
    struct foreseen *f = &w->foreseen;
    struct pg_args a = {0};
    size_t types;
    int r;

    sb_reset(&w->array);
    pg_array_begin(&w->array, PG_OF_I64, f->n);
    for (size_t i = 0; i < f->n; i++)
        pg_array_i64(&w->array, f->ids[i].type);
    types = w->array.n;
    pg_array_begin(&w->array, PG_OF_BYTES, f->n);
    for (size_t i = 0; i < f->n; i++)
        pg_array_bytes(&w->array, str_n((char *)f->ids[i].key, f->ids[i].n));
    if (w->array.failed)
        return err_no_memory(err);
    pg_arg_bytes(&a, str_n(w->array.p, types));
    pg_arg_bytes(&a, str_n(w->array.p + types, w->array.n - types));
    pg_arg_i64(&a, PG_AHEAD_BODY);
    if ((r = pg_ask(w->conn, PG_FORESEE, &a, &f->answer, err)) < 0)
        return r;
    for (int i = 0; i < PQntuples(f->answer); i++)
        f->ids[pg_i64(f->answer, i, 8) - 1].row = i;
    return 0;
}

int pg_foresee(struct store_txn *txn, const struct store_id *ids, size_t n, struct err *err)
{
    struct pg_writer *w = &pg_store(txn)->writer;
    int r;

    foreseen_clear(&w->foreseen);
    /* Ids with homes of their own are no one question. */
    if (n < 2 || pg_store(txn)->is_sharded)
        return 0;
    r = keep_ids(&w->foreseen, ids, n, err);
    if (r == 0 && w->foreseen.n)
        r = ask(w, err);
    if (r < 0)
        foreseen_clear(&w->foreseen);
    return r;
}

bool foreseen_find(const struct foreseen *f, int type, struct str key, int *ret_row)
{
    uint32_t found = f->n ? *slot_of(f, type, key) : 0;
    int row;

    if (!found)
        return false;
    row = f->ids[found - 1].row;
    /* Long bodies were left out. */
    if (row >= 0 && PQgetisnull(f->answer, row, 7) && pg_i64(f->answer, row, 5) != METHOD_DELETE)
        return false;
    *ret_row = row;
    return true;
}
