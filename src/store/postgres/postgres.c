#include "store/postgres/pg_int.h"

#include "base/log.h"

#include <stdlib.h>

static void pg_close(struct store *base)
{
    struct pg_store *st = (struct pg_store *)base;
    struct pg_writer *w = &st->writer;

    pg_writer_stop(st);
    pg_conn_drop_all(st);
    pg_conn_free(w->conn);
    pends_done(&w->pends);
    arena_done(&w->arena);
    sb_done(&w->scratch);
    sb_done(&w->array);
    sb_done(&w->homes);
    for (size_t i = 0; i < PG_AGENTS_MAX; i++)
        free(w->agents[i].text);
    unsent_done(&w->unsent);
    foreseen_clear(&w->foreseen);
    queue_done(&w->queue);
    pthread_mutex_destroy(&st->conns_lock);
    params_unref(st->base_params);
    if (st->base.params)
        store_base_done(&st->base);
    vault_free(st->vault);
    free(st->uri);
    free(st);
}

static const struct store_ops ops = {
    .close = pg_close,
    .begin = pg_begin,
    .end = pg_end,
    .get = pg_get,
    .get_version = pg_get_version,
    .get_row = pg_get_row,
    .each_row = pg_each_row,
    .search = search_page,
    .referrers = search_referrers,
    .index_keys = search_index_keys,
    .history = pg_history,
    .feed = pg_feed,
    .position = pg_position,
    .submit = pg_submit,
    .put = pg_put,
    .foresee = pg_foresee,
    .claim = pg_claim,
    .changed = pg_changed,
    .expunge = pg_expunge,
    .expunge_old = pg_expunge_old,
    .forget = pg_forget_person,
    .drop_term = pg_drop_term,
    .index_add = pg_index_add,
    .index_drop = pg_index_drop,
    .meta_get = pg_meta_get,
    .meta_set = pg_meta_set,
    .blob_get = pg_blob_get,
    .blob_put = pg_blob_put,
    .blob_drop = pg_blob_drop,
    .blob_next = pg_blob_next,
    .lineage = pg_lineage,
    .adopt = pg_adopt,
    .adopt_position = pg_adopt_position,
    .origins = pg_origins,
    .adopt_origins = pg_adopt_origins,
    .meta_next = pg_meta_next,
    .stats = pg_stats,
    .check = pg_check,
    .alone = pg_alone,
    .backup = pg_backup,
    .rotate = pg_rotate,
    .remake = pg_remake,
};

static struct pg_store *alloc(const struct store_config *config)
{
    struct pg_store *st = calloc(1, sizeof *st);

    if (!st)
        return NULL;
    st->uri = strdup(config->uri);
    st->read_only = config->read_only;
    st->allow_unsafe = config->allow_unsafe;
    st->is_pooled = config->is_pooled;
    st->group_max = config->group_max ? config->group_max : GROUP_MAX;
    pthread_mutex_init(&st->conns_lock, NULL);
    queue_init(&st->writer.queue);
    pends_init(&st->writer.pends);
    st->writer.scratch = sb_make(STORE_BODY_MAX + KIB(1));
    st->writer.array = sb_make(2 * PEND_BYTES_LIMIT);
    st->writer.homes = sb_make(2 * PEND_BYTES_LIMIT);
    unsent_init(&st->writer.unsent);
    arena_init(&st->writer.arena, PG_PUT_ARENA_BYTES);
    return st;
}

static void pg_closep(struct pg_store **st)
{
    if (*st)
        pg_close(&(*st)->base);
}

int store_postgres_open(const struct store_config *config, struct store **ret, struct err *err)
{
    _cleanup_(pg_closep) struct pg_store *st = alloc(config);
    int r;

    if (!st || !st->uri)
        return err_no_memory(err);
    st->base.scan = st->is_pooled ? &pg_whole_scan_ops : &pg_scan_ops;
    if ((r = store_base_init(&st->base, &ops, &config->index, NULL, err)) < 0 ||
        (r = pg_conn_new(st, &st->writer.conn, err)) < 0)
        return r;
    if (config->create && (r = pg_schema_create(st->writer.conn, config, err)) < 0)
        return r;
    if ((r = pg_schema_open(st, st->writer.conn, config->key_file, err)) < 0 ||
        (r = pg_be_here(st->writer.conn, err)) < 0)
        return r;
    st->is_open = true;
    if (!st->read_only && (r = pg_writer_start(st, err)) < 0)
        return r;
    log_event(LOG_DEBUG, LOG_STORE, "state=open backend=postgresql");
    *ret = &st->base;
    st = NULL;
    return 0;
}
