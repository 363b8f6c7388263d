/* put.c - writing one version; removing all of an id. Runs on the writer's thread.
 *
 * Versions are only ever added: which one is the newest is a question of row numbers. What is
 * written gathers (unsent.c) and is sent without waiting for an answer; the commit waits for all.
 */
#include "store/postgres/pg_int.h"

#include "base/clock.h"
#include "base/fault.h"

#include <stdlib.h>

static int add_entries(struct pg_txn *t, const struct index *index, uint64_t row, int32_t home,
                       bool is_drop, struct err *err)
{
    struct pg_store *st = pg_store(&t->base);
    struct pg_writer *w = &st->writer;
    int r;

    w->pends.home = home;
    r = pends_add_all(&w->pends, &st->base.lists, index, row, is_drop, &w->multi_dirty, err);

    if (r == 0 && w->pends.bytes.n > PEND_BYTES_MAX)
        r = pg_pends_flush_if_writing(t, err);
    return r;
}

/* Takes the index entries of a live version out again: they follow from its body. */
static int unindex(struct pg_txn *t, const struct row *row, int32_t home, struct err *err)
{
    struct pg_writer *w = &pg_store(&t->base)->writer;
    struct index index;
    int r;

    arena_reset(&w->arena);
    r = row_index(t->base.st, &w->arena, &w->scratch, row, &index, err);
    if (r == 0)
        r = add_entries(t, &index, row->row, home, true, err);
    /* One long body must not stay in memory for good. */
    if (w->scratch.cap > PG_KEEP_BYTES)
        sb_done(&w->scratch);
    if (w->arena.used_bytes > PG_KEEP_BYTES)
        arena_done(&w->arena);
    return r;
}

static bool agent_known(const struct pg_writer *w, struct str text, int64_t *ret)
{
    for (size_t i = 0; i < w->n_agents; i++)
        if (str_eq(str_n(w->agents[i].text, w->agents[i].n), text)) {
            *ret = w->agents[i].number;
            return true;
        }
    return false;
}

/* One that cannot be kept is asked for again. */
static void agent_keep(struct pg_writer *w, struct str text, int64_t number)
{
    struct pg_agent *one = &w->agents[w->n_agents];
    char *copy = w->n_agents < PG_AGENTS_MAX ? realloc(one->text, MAX(text.n, (size_t)1)) : NULL;

    if (!copy)
        return;
    if (text.p)
        memcpy(copy, text.p, text.n);
    *one = (struct pg_agent){copy, text.n, number};
    w->n_agents++;
}

/* The number of a text in the table of agents. */
static int agent_number(struct pg_txn *t, int64_t *ret, struct err *err)
{
    struct pg_writer *w = &pg_store(&t->base)->writer;
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct str agent = t->base.who.agent;
    struct pg_args a = {0};
    int r;

    if (agent_known(w, agent, ret))
        return 0;
    pg_arg_bytes(&a, agent.p ? agent : STR(""));
    if ((r = pg_ask(t->conn, PG_AGENT, &a, &res, err)) < 0)
        return r;
    *ret = pg_i64(res, 0, 0);
    agent_keep(w, agent, *ret);
    return 0;
}

/* What there is of the id so far: its newest version leaves the index. Says in `v` which one that
 * was, and where the resource is or now settles. */
static int supersede(struct pg_txn *t, const struct put *put, const struct adoption *as,
                     struct str id_key, struct unsent_version *v, struct err *err)
{
    struct pg_writer *w = &pg_store(&t->base)->writer;
    struct pg_args place = {0};
    struct row old;
    int r = put->is_new ? 0 : pg_place_id(t, put->type, id_key, &place, err);

    v->home = place.home;
    if (r == 0 && pg_store(&t->base)->is_sharded) {
        struct str patient = put->index ? put->index->patient : STR_NULL;

        v->home = pg_home_choose(put->type, id_key, patient);
        v->settles = pg_home_is_listed(pg_store(&t->base), put->type);
    }
    if (r <= 0 || (as && !as->parent))
        return r < 0 ? r : 0;
    r = pg_get(&t->base, put->type, put->id, &old, err);
    if (r == ERR_NOT_FOUND)
        return 0;
    if (r < 0)
        return r;
    v->parent = old.row;
    if (old.method != METHOD_DELETE) {
        w->live--;
        r = as && !as->drops_parent ? 0 : unindex(t, &old, place.home, err);
    }
    return r;
}

static int send_version(struct pg_txn *t, const struct unsent_version *v, struct str id,
                        struct str body, struct err *err)
{
    struct pg_args a = {.form = FORM_HOME, .home = v->home};
    int r = pg_unsent_flush(t, err); /* in the order of writing, for those who look up an id */

    pg_arg_i64(&a, (int64_t)v->row);
    pg_arg_i64(&a, (int64_t)v->hlc);
    pg_arg_i64(&a, (int64_t)v->parent);
    pg_arg_i64(&a, v->origin);
    pg_arg_i64(&a, v->agent);
    pg_arg_i64(&a, v->type);
    pg_arg_i64(&a, v->method);
    pg_arg_bytes(&a, id);
    pg_arg_bytes(&a, body);
    if (r == 0 && v->settles)
        r = pg_home_put(t, v->type, id, v->home, err);
    return r < 0 ? r : pg_send(t->conn, PG_PUT_VERSION, &a, err);
}

static int add_version(struct pg_txn *t, const struct unsent_version *v, struct str id,
                       struct str body, struct err *err)
{
    struct unsent *u = &pg_store(&t->base)->writer.unsent;
    int r;

    if (body.n > PG_UNSENT_BODY)
        return send_version(t, v, id, body, err);
    if ((r = unsent_add(u, v, id, body, err)) < 0)
        return r;
    return u->bytes.n > PG_UNSENT_BYTES ? pg_unsent_flush(t, err) : 0;
}

int pg_put_as(struct pg_txn *t, const struct put *put, const struct adoption *as, uint64_t row,
              uint64_t hlc, unsigned origin, struct err *err)
{
    struct pg_writer *w = &pg_store(&t->base)->writer;
    struct unsent_version v = {.row = row,
                               .hlc = hlc,
                               .origin = (uint16_t)origin,
                               .type = (uint16_t)put->type,
                               .method = (uint8_t)put->method};
    unsigned char key[ID_KEY_MAX];
    struct str id_key, body;
    int64_t agent;
    int r;

    assert(put->id.n <= FHIR_ID_MAX);
    if (row > ROW_MAX)
        return err_set(err, ERR_FULL, "the store has no more numbers for versions");
    pg_forget(t);
    id_key = str_n((char *)key, index_id_key(put->id, key));
    if ((r = pg_enter(t, err)) < 0 || (r = supersede(t, put, as, id_key, &v, err)) < 0 ||
        (r = agent_number(t, &agent, err)) < 0 || (r = pg_body_seal(t, put, hlc, &body, err)) < 0)
        return r;
    v.agent = (uint32_t)agent;
    r = add_version(t, &v, id_key, body.n ? body : STR_NULL, err);
    if (r < 0)
        return r;
    w->last_row = row;
    w->last_hlc = hlc;
    w->versions++;
    w->live += put->method != METHOD_DELETE;
    w->is_dirty = true;
    if (!put->index || (as && !as->row.is_current))
        return 0;
    r = add_entries(t, put->index, row, v.home, false, err);
    return r < 0 ? r : pg_guests_put(t, put->index, v.home, err);
}

int pg_put(struct store_txn *txn, const struct put *put, struct version *ret, struct err *err)
{
    struct pg_writer *w = &pg_store(txn)->writer;
    uint64_t hlc = hlc_next(w->last_hlc, clock_now_ms());
    int r = pg_put_as(pg_txn(txn), put, NULL, w->last_row + 1, hlc, 0, err);

    if (r == 0)
        *ret = (struct version){.hlc = hlc, .origin = pg_store(txn)->origins[0]};
    return r;
}

int pg_claim(struct store_txn *txn, struct str name, struct err *err)
{
    /* The group holds the feed: no other process writes until its commit. */
    (void)txn;
    (void)name;
    return fault_point("claim") ? err_no_memory(err) : 0;
}

int pg_changed(struct store_txn *txn, struct err *err)
{
    (void)err;
    pg_store(txn)->writer.epoch_moves = true;
    return 0;
}

int pg_expunge(struct store_txn *txn, int type, struct str id, size_t *ret_n, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_writer *w = &pg_store(txn)->writer;
    _cleanup_(pg_clearp) PGresult *res = NULL;
    unsigned char key[ID_KEY_MAX];
    struct str id_key;
    struct pg_args a = {0};
    struct row newest;
    int r;

    if ((r = pg_get(txn, type, id, &newest, err)) < 0)
        return r;
    id_key = str_n((char *)key, index_id_key(id, key));
    if ((r = pg_place_id(t, type, id_key, &a, err)) < 0)
        return r;
    if (newest.method != METHOD_DELETE) {
        w->live--;
        if ((r = unindex(t, &newest, a.home, err)) < 0)
            return r;
    }
    pg_leave(t);
    pg_forget(t);
    foreseen_clear(&w->foreseen);
    pg_arg_i64(&a, type);
    pg_arg_bytes(&a, id_key);
    if ((r = pg_ask(t->conn, PG_EXPUNGE, &a, &res, err)) < 0 ||
        (r = pg_home_drop(t, type, id_key, err)) < 0)
        return r;
    *ret_n = (size_t)strtoul(PQcmdTuples(res), NULL, 10);
    w->versions -= (int64_t)*ret_n;
    w->is_dirty = w->epoch_moves = true;
    hints_clear(&txn->st->lists);
    return 0;
}

/* ---- what is of somebody who is erased (store/erase.c) ---- */

int pg_expunge_old(struct store_txn *txn, uint64_t row, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_writer *w = &pg_store(txn)->writer;
    struct pg_args a = {.form = FORM_HOME};
    struct row old;
    int r = pg_get_row(txn, row, &old, err);

    if (r < 0)
        return r;
    assert(!old.is_current);
    a.home = t->home;
    pg_leave(t);
    pg_forget(t);
    pg_arg_i64(&a, (int64_t)row);
    if ((r = pg_send(t->conn, PG_EXPUNGE_OLD, &a, err)) < 0)
        return r;
    w->versions--;
    w->is_dirty = w->epoch_moves = true;
    return 0;
}

int pg_forget_person(struct store_txn *txn, struct str owner, struct err *err)
{
    int type = owner.n < 2 ? 0 : (unsigned char)owner.p[0] << 8 | (unsigned char)owner.p[1];
    int r = pg_forget_owner(txn, owner, err);

    if (r < 0 || type != def_compartment_type(COMPARTMENT_PATIENT))
        return r;
    return pg_guests_drop(pg_txn(txn), str_from(owner, 2), err);
}

int pg_drop_term(struct store_txn *txn, struct str key, struct err *err)
{
    struct pg_txn *t = pg_txn(txn);
    struct pg_args a = {0};
    int r = pg_enter(t, err);

    pg_arg_bytes(&a, key);
    return r < 0 ? r : pg_send(t->conn, PG_DROP_TERM, &a, err);
}

/* ---- lists of a search parameter that comes or goes ---- */

int pg_index_add(struct store_txn *txn, uint64_t row, const struct index *index, struct err *err)
{
    struct row now;
    int r = pg_get_row(txn, row, &now, err);

    if (r == ERR_NOT_FOUND)
        return 0; /* expunged since it was read */
    if (r < 0 || !now.is_current || now.method == METHOD_DELETE)
        return MIN(r, 0);
    pg_store(txn)->writer.keys_may_exist = true;
    return add_entries(pg_txn(txn), index, row, pg_txn(txn)->home, false, err);
}

/* Shards know no common limit: where the last of `max` keys is, is asked first. */
static int drop_range(struct pg_txn *t, struct str from, struct str to, size_t max, bool *ret_left,
                      struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {.form = FORM_ALL}, drop = {.form = FORM_ALL};
    unsigned char end[ENTRY_MAX + 1] = {0};
    size_t n;
    int r;

    pg_arg_bytes(&a, from);
    pg_arg_bytes(&a, to);
    pg_arg_i64(&a, (int64_t)max);
    if ((r = pg_ask(t->conn, PG_KEYS, &a, &res, err)) < 0)
        return r;
    n = (size_t)PQntuples(res);
    *ret_left = n == max;
    if (n && n == max) {
        struct str last = str_head(pg_bytes(res, (int)n - 1, 0), ENTRY_MAX);

        memcpy(end, last.p, last.n);
        to = str_n((char *)end, last.n + 1);
    }
    pg_arg_bytes(&drop, from);
    pg_arg_bytes(&drop, to);
    return pg_ask(t->conn, PG_DROP_RANGE, &drop, NULL, err);
}

int pg_index_drop(struct store_txn *txn, uint16_t param, size_t max, bool *ret_left,
                  struct err *err)
{
    unsigned char from[2] = {(unsigned char)(param >> 8), (unsigned char)param};
    unsigned char to[2] = {(unsigned char)((param + 1) >> 8), (unsigned char)(param + 1)};
    struct pg_txn *t = pg_txn(txn);
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {0};
    int r = pg_pends_flush_if_writing(t, err);

    if (r == 0 && pg_store(txn)->is_sharded)
        return drop_range(t, str_n((char *)from, sizeof from), str_n((char *)to, sizeof to), max,
                          ret_left, err);
    pg_arg_bytes(&a, str_n((char *)from, sizeof from));
    pg_arg_bytes(&a, str_n((char *)to, sizeof to));
    pg_arg_i64(&a, (int64_t)max);
    if (r < 0 || (r = pg_ask(t->conn, PG_DROP_LIST, &a, &res, err)) < 0)
        return r;
    *ret_left = strtoul(PQcmdTuples(res), NULL, 10) == max;
    return 0;
}

/* ---- index changes ---- */

static int copy_keys(struct pg_writer *w, const uint32_t *which, size_t n, struct err *err)
{
    pg_copy_begin(&w->array);
    for (size_t i = 0; i < n; i++) {
        pg_copy_row(&w->array, 2);
        pg_copy_number(&w->array, 0, 2);
        pg_array_bytes(&w->array, pend_key(&w->pends, &w->pends.items[which[i]]));
    }
    return pg_copy(w->conn, "COPY carnet_idx (part, k) FROM STDIN (FORMAT binary)", &w->array, err);
}

/* The keys become the last parameter but for a home. */
static int send_keys(struct pg_writer *w, enum pg_statement id, struct pg_args *a,
                     const uint32_t *which, size_t n, struct err *err)
{
    if (n == 0)
        return 0;
    if (id == PG_PUT_KEYS && a->form == FORM_LOCAL && n >= PG_COPY_MIN * PG_KEYS_OF_ROW)
        return copy_keys(w, which, n, err);
    sb_reset(&w->array);
    pg_array_begin(&w->array, PG_OF_BYTES, n);
    for (size_t i = 0; i < n; i++)
        pg_array_bytes(&w->array, pend_key(&w->pends, &w->pends.items[which[i]]));
    if (w->array.failed)
        return err_no_memory(err);
    pg_arg_bytes(a, sb_view(&w->array));
    return pg_send(w->conn, id, a, err);
}

/* In a distributed store: keys of one home where they are, of several in one statement to all. */
static int send_homes(struct pg_writer *w, enum pend_op op, const uint32_t *which, size_t n,
                      struct err *err)
{
    const struct pend *items = w->pends.items;
    struct pg_args a = {.form = FORM_ALL};
    bool is_one = op == PEND_DROP;

    for (size_t i = 0; i < n && is_one; i++)
        is_one = items[which[i]].home == items[which[0]].home;
    if (n && is_one) {
        a = (struct pg_args){.form = FORM_HOME, .home = items[which[0]].home};
        return send_keys(w, PG_DROP_KEYS, &a, which, n, err);
    }
    sb_reset(&w->homes);
    pg_array_begin(&w->homes, PG_OF_I32, n);
    for (size_t i = 0; i < n; i++)
        pg_array_i32(&w->homes, items[which[i]].home);
    if (w->homes.failed)
        return err_no_memory(err);
    pg_arg_bytes(&a, sb_view(&w->homes));
    return send_keys(w,
                     op == PEND_DROP     ? PG_DROP_KEYS
                     : w->keys_may_exist ? PG_ADD_KEYS
                                         : PG_PUT_KEYS,
                     &a, which, n, err);
}

/* Of several changes of one key the last one counts. Moves those of one kind to the front. */
static size_t last_ones(const struct pends *p, const uint32_t *order, size_t n, enum pend_op op,
                        uint32_t *ret)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        const struct pend *item = &p->items[order[i]], *next = NULL;

        if (i + 1 < n)
            next = &p->items[order[i + 1]];
        if (item->op != op || (next && (next->op == PEND_TERM) == (op == PEND_TERM) &&
                               str_eq(pend_key(p, item), pend_key(p, next))))
            continue;
        ret[kept++] = order[i];
    }
    return kept;
}

int pg_pends_flush(struct pg_writer *w, struct err *err)
{
    const enum pg_statement of[] = {
        [PEND_DROP] = PG_DROP_KEYS,
        [PEND_ADD] = w->keys_may_exist ? PG_ADD_KEYS : PG_PUT_KEYS,
        [PEND_TERM] = PG_PUT_TERMS,
    };
    struct pends *p = &w->pends;
    size_t n = p->n - p->flushed;
    uint32_t *order, *some;
    int r = 0;

    if (n == 0)
        return 0;
    if ((r = pends_sorted(p, &order, err)) < 0)
        return r;
    some = malloc(n * sizeof *some);
    if (!some)
        r = err_no_memory(err);
    for (enum pend_op op = PEND_DROP; op <= PEND_TERM && r == 0; op++) {
        size_t kept = last_ones(p, order, n, op, some);
        struct pg_args a = {0};

        if (w->conn->st->is_sharded && op != PEND_TERM)
            r = send_homes(w, op, some, kept, err);
        else
            r = send_keys(w, of[op], &a, some, kept, err);
    }
    free(some);
    free(order);
    if (r == 0)
        p->flushed = p->n;
    return r;
}

int pg_pends_flush_if_writing(struct pg_txn *t, struct err *err)
{
    struct pg_writer *w = &pg_store(&t->base)->writer;
    int r;

    if (!t->base.is_writing)
        return 0;
    r = pg_pends_flush(w, err);
    if (r < 0)
        return r;
    /* This job's own changes are in its savepoint now: undone with it, or kept with it. */
    w->pends.n = w->pends.flushed = w->job_pends;
    w->pends.bytes.n = w->job_pend_bytes;
    return 0;
}

int pg_unsent_flush(struct pg_txn *t, struct err *err)
{
    struct pg_writer *w = &pg_store(&t->base)->writer;
    int r;

    if (w->unsent.n == w->unsent.sent)
        return 0;
    foreseen_clear(&w->foreseen);
    r = unsent_send(w, err);
    /* As with the index: this job's own are in its savepoint now. */
    if (r == 0)
        unsent_cut(&w->unsent, w->job_unsent, w->job_unsent_bytes, w->job_unsent);
    return r;
}
