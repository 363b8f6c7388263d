/* unsent.c - versions that a group has written gather here, and go to the database many at a time.
 *
 * A job that only creates so sends nothing and waits for nothing. Whoever reads what the group has
 * written makes them be sent first (pg_send); looking up an id needs that only where it is not
 * among them.
 */
#include "store/postgres/pg_int.h"

#include <stdlib.h>

#define COLUMNS 9

void unsent_init(struct unsent *u)
{
    *u = (struct unsent){.bytes = sb_make(PG_UNSENT_BYTES + PG_UNSENT_BODY + KIB(1))};
}

void unsent_done(struct unsent *u)
{
    free(u->items);
    free(u->slots);
    sb_done(&u->bytes);
    unsent_init(u);
}

int unsent_add(struct unsent *u, const struct unsent_version *v, struct str id, struct str body,
               struct err *err)
{
    struct unsent_version *items;

    if (u->n == u->cap) {
        size_t cap = u->cap ? u->cap * 2 : 256;
        items = realloc(u->items, cap * sizeof *items);
        if (!items)
            return err_no_memory(err);
        u->items = items;
        u->cap = cap;
    }
    items = &u->items[u->n];
    *items = *v;
    items->at = (uint32_t)u->bytes.n;
    items->id_n = (uint8_t)id.n;
    items->body_n = (uint32_t)body.n;
    sb_str(&u->bytes, id);
    sb_str(&u->bytes, body);
    if (u->bytes.failed) {
        u->bytes.n = items->at;
        u->bytes.failed = false;
        return err_no_memory(err);
    }
    u->n++;
    return 0;
}

struct str unsent_id(const struct unsent *u, const struct unsent_version *v)
{
    return str_n(u->bytes.p + v->at, v->id_n);
}

struct str unsent_body(const struct unsent *u, const struct unsent_version *v)
{
    return v->method == METHOD_DELETE ? STR_NULL : str_n(u->bytes.p + v->at + v->id_n, v->body_n);
}

void unsent_cut(struct unsent *u, size_t n, size_t bytes, size_t sent)
{
    u->n = n;
    u->bytes.n = bytes;
    u->sent = sent;
    if (u->indexed > n) {
        memset(u->slots, 0, u->n_slots * sizeof *u->slots);
        u->indexed = 0;
    }
}

/* ---- by id ---- */

size_t id_hash(int type, struct str id)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ (unsigned)type;

    for (size_t i = 0; i < id.n; i++)
        h = (h ^ (unsigned char)id.p[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32);
}

/* The slot of an id: what it holds is 1 + the item's number, or 0. */
static uint32_t *slot_of(const struct unsent *u, int type, struct str id)
{
    for (size_t i = id_hash(type, id);; i++) {
        uint32_t *slot = &u->slots[i & (u->n_slots - 1)];
        const struct unsent_version *v = *slot ? &u->items[*slot - 1] : NULL;

        if (!v || (v->type == type && str_eq(unsent_id(u, v), id)))
            return slot;
    }
}

static int make_index(struct unsent *u, struct err *err)
{
    if (u->n * 2 > u->n_slots) {
        size_t n = u->n_slots ? u->n_slots : 512;
        uint32_t *slots;

        while (n < u->n * 4)
            n *= 2;
        slots = calloc(n, sizeof *slots);
        if (!slots)
            return err_no_memory(err);
        free(u->slots);
        u->slots = slots;
        u->n_slots = n;
        u->indexed = 0;
    }
    for (; u->indexed < u->n; u->indexed++) {
        const struct unsent_version *v = &u->items[u->indexed];
        *slot_of(u, v->type, unsent_id(u, v)) = (uint32_t)u->indexed + 1;
    }
    return 0;
}

int unsent_find(struct unsent *u, int type, struct str id, const struct unsent_version **ret,
                struct err *err)
{
    uint32_t found;
    int r;

    *ret = NULL;
    if (u->n == u->sent)
        return 0;
    if ((r = make_index(u, err)) < 0)
        return r;
    found = *slot_of(u, type, id);
    /* What is sent may have been followed by more of the same id. */
    if (found > u->sent)
        *ret = &u->items[found - 1];
    return 0;
}

/* ---- sending ---- */

/* A few: one statement with an array for each column. Citus spreads many so as well. */
static int send_arrays(struct pg_writer *w, size_t from, struct err *err)
{
    const struct unsent *u = &w->unsent;
    bool is_sharded = w->conn->st->is_sharded;
    size_t n = u->n - from, ends[COLUMNS], at = 0;
    struct pg_args a = {.form = FORM_ALL};

    sb_reset(&w->array);
    for (int column = 0; column < COLUMNS; column++) {
        pg_array_begin(&w->array, column < 7 ? PG_OF_I64 : PG_OF_BYTES, n);
        for (size_t i = from; i < u->n; i++) {
            const struct unsent_version *v = &u->items[i];
            const int64_t numbers[] = {(int64_t)v->row, (int64_t)v->hlc, (int64_t)v->parent,
                                       v->origin,       v->agent,        v->type,
                                       v->method};
            if (column < 7)
                pg_array_i64(&w->array, numbers[column]);
            else
                pg_array_bytes(&w->array, column == 7 ? unsent_id(u, v) : unsent_body(u, v));
        }
        ends[column] = w->array.n;
    }
    sb_reset(&w->homes);
    pg_array_begin(&w->homes, PG_OF_I32, is_sharded ? n : 0);
    for (size_t i = from; i < u->n && is_sharded; i++)
        pg_array_i32(&w->homes, u->items[i].home);
    if (w->array.failed || w->homes.failed)
        return err_no_memory(err);
    for (int column = 0; column < COLUMNS; at = ends[column++])
        pg_arg_bytes(&a, str_n(w->array.p + at, ends[column] - at));
    if (is_sharded)
        pg_arg_bytes(&a, sb_view(&w->homes));
    return pg_send(w->conn, PG_PUT_VERSIONS, &a, err);
}

static int send_copy(struct pg_writer *w, size_t from, struct err *err)
{
    const struct unsent *u = &w->unsent;
    struct sb *to = &w->array;

    pg_copy_begin(to);
    for (size_t i = from; i < u->n; i++) {
        const struct unsent_version *v = &u->items[i];

        pg_copy_row(to, COLUMNS + 1);
        pg_copy_number(to, 0, 2);
        pg_copy_number(to, (int64_t)v->row, 8);
        pg_copy_number(to, (int64_t)v->hlc, 8);
        pg_copy_number(to, (int64_t)v->parent, 8);
        pg_copy_number(to, v->origin, 4);
        pg_copy_number(to, v->agent, 4);
        pg_copy_number(to, v->type, 2);
        pg_copy_number(to, v->method, 2);
        pg_array_bytes(to, unsent_id(u, v));
        pg_array_bytes(to, unsent_body(u, v));
    }
    return pg_copy(w->conn,
                   "COPY carnet_version (part, row, hlc, parent, origin, agent, type, method, id,"
                   " body) FROM STDIN (FORMAT binary)",
                   to, err);
}

/* What is new in a distributed store: the directory learns where it is. */
static int send_homes(struct pg_writer *w, size_t from, struct err *err)
{
    const struct unsent *u = &w->unsent;
    struct pg_args a = {0};
    size_t n = 0, at = 0;

    for (size_t i = from; i < u->n; i++)
        n += u->items[i].settles;
    if (n == 0)
        return 0;
    sb_reset(&w->array);
    pg_array_begin(&w->array, PG_OF_BYTES, n);
    for (size_t i = from; i < u->n; i++) {
        const struct unsent_version *v = &u->items[i];
        unsigned char key[2 + ID_KEY_MAX];

        if (v->settles)
            pg_array_bytes(&w->array, pg_home_key(v->type, unsent_id(u, v), key));
    }
    at = w->array.n;
    pg_array_begin(&w->array, PG_OF_I32, n);
    for (size_t i = from; i < u->n; i++)
        if (u->items[i].settles)
            pg_array_i32(&w->array, u->items[i].home);
    if (w->array.failed)
        return err_no_memory(err);
    pg_arg_bytes(&a, str_n(w->array.p, at));
    pg_arg_bytes(&a, str_n(w->array.p + at, w->array.n - at));
    return pg_send(w->conn, PG_PUT_HOMES, &a, err);
}

int unsent_send(struct pg_writer *w, struct err *err)
{
    struct unsent *u = &w->unsent;
    size_t n = u->n - u->sent;
    int r;

    if (n == 0)
        return 0;
    r = n < PG_COPY_MIN || w->conn->st->is_sharded ? send_arrays(w, u->sent, err)
                                                   : send_copy(w, u->sent, err);
    if (r == 0 && w->conn->st->is_sharded)
        r = send_homes(w, u->sent, err);
    if (r == 0)
        u->sent = u->n;
    return r;
}
