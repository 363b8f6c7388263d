#include "server/migrate.h"

#include "server/migrate_int.h"
#include "vault/vault.h"

#include <errno.h>
#include <sys/stat.h>

#define ROWS_AT_ONCE 500
#define BYTES_AT_ONCE MIB(4) /* of bodies: what is more waits for the next batch */
#define ARENA_BYTES MIB(512)
#define META_FILLING "migration"

static int begin_reading(struct migrate *m, struct store *store, struct store_txn **ret,
                         struct err *err)
{
    return store_begin(store, &m->who, ret, err);
}

/* ---- who is filled from whom ---- */

int migrate_check_whole(struct store *store, struct err *err)
{
    struct access who = trust_system();
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    _cleanup_(arena_done) struct arena a;
    struct str filling = STR_NULL;
    int r;

    arena_init(&a, KIB(64));
    if ((r = store_begin(store, &who, &txn, err)) < 0 ||
        (r = store_meta_get(txn, META_FILLING, &a, &filling, err)) < 0)
        return r;
    return filling.n ? err_set(err, ERR_CONFLICT,
                               "the store is not whole yet: carnet migrate has to end first")
                     : 0;
}

struct look_job {
    struct store_job job;
    uint64_t position;
};

/* As the writer sees it: what a killed run had sent is over by then. */
static int look_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)err;
    ((struct look_job *)job)->position = store_position(txn);
    return 0;
}

struct begin_job {
    struct store_job job;
    const uint64_t *origins;
    size_t n;
};

static int begin_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct begin_job *b = (struct begin_job *)job;
    int r = store_adopt_origins(txn, b->origins, b->n, err);

    return r < 0 ? r : store_meta_set(txn, META_FILLING, STR("1"), err);
}

/* A target that is there must be the beginning of the source; one without versions becomes it. */
static int begin(struct migrate *m, struct err *err)
{
    struct begin_job job = {.job = {.run = begin_run, .who = &m->who}};
    struct look_job look = {.job = {.run = look_run, .who = &m->who}};
    _cleanup_(store_txn_endp) struct store_txn *from = NULL, *to = NULL;
    struct str filling = STR_NULL;
    uint64_t *mine;
    size_t n;
    int r;

    if ((r = store_write(m->to, &look.job, err)) < 0 ||
        (r = begin_reading(m, m->from, &from, err)) < 0 ||
        (r = begin_reading(m, m->to, &to, err)) < 0 ||
        (r = store_origins(from, &m->a, (uint64_t **)&job.origins, &job.n, err)) < 0 ||
        (r = store_origins(to, &m->a, &mine, &n, err)) < 0 ||
        (r = store_meta_get(to, META_FILLING, &m->a, &filling, err)) < 0)
        return r;
    m->at = m->result->resumed = look.position;
    m->goal = store_position(from);
    if (!filling.n && m->at)
        return err_set(err, ERR_CONFLICT, "the target holds a store already");
    if (filling.n && (n != job.n || memcmp(mine, job.origins, n * sizeof *mine) != 0))
        return err_set(err, ERR_CONFLICT, "the target is being filled from another store");
    return filling.n ? 0 : store_write(m->to, &job.job, err);
}

/* ---- versions ---- */

struct rows_job {
    struct store_job job;
    const struct adoption *v;
    size_t n;
    uint64_t position; /* not 0: the feed goes on behind it */
};

static int rows_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct rows_job *rows = (struct rows_job *)job;
    int r = 0;

    for (size_t i = 0; i < rows->n && r == 0; i++)
        r = store_adopt(txn, &rows->v[i], err);
    return r < 0 || !rows->position ? r : store_adopt_position(txn, rows->position, err);
}

/* Rows of a batch, copied: until the batch is large enough. */
struct batch {
    struct migrate *m;
    struct adoption *v;
    size_t n, bytes;
};

static int batch_add(void *ctx, const struct row *row, struct err *err)
{
    struct batch *b = ctx;
    struct row *copy = &b->v[b->n].row;

    *copy = *row;
    copy->id = arena_dup(&b->m->a, row->id);
    copy->sealed = row->sealed.n ? arena_dup(&b->m->a, row->sealed) : STR("");
    if (!copy->id.p || !copy->sealed.p)
        return err_no_memory(err);
    b->n++;
    b->bytes += row->sealed.n;
    return b->bytes > BYTES_AT_ONCE ? MIGRATE_ENOUGH : 0;
}

/* The next versions behind `after`, with their lineage. */
static int read_batch(struct migrate *m, struct store_txn *txn, uint64_t after, struct batch *b,
                      struct err *err)
{
    struct page page;
    int r = store_feed(txn, after, ROWS_AT_ONCE, &m->a, &page, err);

    if (r < 0)
        return r;
    *b = (struct batch){.m = m, .v = arena_alloc(&m->a, MAX(page.n, 1u) * sizeof *b->v)};
    if (!b->v)
        return err_no_memory(err);
    memset(b->v, 0, MAX(page.n, 1u) * sizeof *b->v);
    r = store_each_row(txn, page.rows, page.n, batch_add, b, err);
    if (r < 0 && r != MIGRATE_ENOUGH)
        return r;
    return store_lineage(txn, &m->a, b->v, b->n, err);
}

static int index_batch(struct migrate *m, struct batch *b, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < b->n && r == 0; i++) {
        struct adoption *of = &b->v[i];

        /* A version that came after an earlier run may replace one that had its keys by then. */
        of->drops_parent = of->parent && of->parent <= m->result->resumed;
        if (of->row.method != METHOD_DELETE)
            r = migrate_index(m, &of->row, &of->index, err);
    }
    return r;
}

static int copy_versions(struct migrate *m, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct rows_job end = {.job = {.run = rows_run, .who = &m->who}, .position = m->goal};
    int r = begin_reading(m, m->from, &txn, err);

    while (r == 0) {
        struct rows_job job = {.job = {.run = rows_run, .who = &m->who}};
        struct batch b;

        arena_reset(&m->a);
        if ((r = read_batch(m, txn, m->at, &b, err)) < 0 || b.n == 0 ||
            (r = index_batch(m, &b, err)) < 0)
            break;
        job.v = b.v;
        job.n = job.job.weight = b.n;
        r = store_write(m->to, &job.job, err);
        m->at = b.v[b.n - 1].row.row;
        migrate_show(m, MIGRATE_VERSIONS, m->at, m->goal);
    }
    return r < 0 ? r : store_write(m->to, &end.job, err);
}

/* ---- the end ---- */

/* A store as text that is the same for both backends, hashed step by step. */
static int sum_versions(struct migrate *m, struct store *store, struct migrate_sum *sum,
                        struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    uint64_t at = 0;
    int r = begin_reading(m, store, &txn, err);

    while (r == 0) {
        struct batch b;

        arena_reset(&m->a);
        if ((r = read_batch(m, txn, at, &b, err)) < 0 || b.n == 0)
            break;
        for (size_t i = 0; i < b.n && r == 0; i++)
            r = migrate_sum_version(sum, &b.v[i], err);
        at = b.v[b.n - 1].row.row;
        migrate_show(m, MIGRATE_CHECK, at, m->goal);
    }
    /* In a folder the newest version that is there says it, which may be an earlier one: what was
     * removed for good went with its number. */
    if (r == 0 && store_position(txn) > m->goal)
        r = err_set(err, ERR_CONFLICT, "the store was written to meanwhile: call migrate again");
    return r;
}

static int compare(struct migrate *m, struct err *err)
{
    struct migrate_sum from = {0}, to = {0};
    struct store_stats stats;
    int r;

    if ((r = sum_versions(m, m->from, &from, err)) < 0 ||
        (r = sum_versions(m, m->to, &to, err)) < 0 ||
        (r = migrate_sum_values(m, m->from, &from, err)) < 0 ||
        (r = migrate_sum_values(m, m->to, &to, err)) < 0 ||
        (r = store_stats(m->to, &stats, err)) < 0)
        return r;
    if (from.versions != to.versions || from.resources != to.resources ||
        memcmp(from.hash, to.hash, sizeof from.hash) != 0 || stats.rows != to.versions)
        return err_set(
            err, ERR_NO_STORE,
            "the target is not the same: %llu versions of %llu resources instead of %llu "
            "of %llu, or with another checksum",
            (unsigned long long)to.versions, (unsigned long long)to.resources,
            (unsigned long long)from.versions, (unsigned long long)from.resources);
    m->result->versions = to.versions;
    m->result->resources = to.resources;
    migrate_sum_text(&to, m->result->sum);
    return 0;
}

static int end_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    int r = store_meta_set(txn, META_FILLING, STR_NULL, err);

    (void)job;
    return r < 0 ? r : store_changed(txn, err);
}

static int fill(struct migrate *m, struct err *err)
{
    struct store_job end = {.run = end_run, .who = &m->who};
    int r;

    if ((r = begin(m, err)) < 0 || (r = copy_versions(m, err)) < 0 ||
        (r = migrate_copy_values(m, err)) < 0 || (r = migrate_copy_audit(m, err)) < 0 ||
        (r = migrate_copy_erased(m, err)) < 0 || (r = compare(m, err)) < 0)
        return r;
    return store_write(m->to, &end, err);
}

/* Opens the target, which is made as the source was: its keys depend on that. */
static int open_target(struct migrate *m, struct err *err)
{
    const struct index_options *opt = store_index_options(m->from);
    struct store_config config = {.dir = m->config->to.data_dir,
                                  .key_file = m->config->key_file,
                                  .uri = m->config->to.store_uri,
                                  .allow_unsafe = m->config->to.store_unsafe,
                                  .index = *opt};
    int r = migrate_copy_keys(m, err);

    if (r < 0)
        return r;
    r = store_open(&config, &m->to, err);
    if (r == ERR_NOT_FOUND) {
        if (!config.uri && mkdir(config.dir, 0700) < 0 && errno != EEXIST)
            return err_set(err, ERR_VALUE, "the folder \"%.200s\" cannot be made: %s", config.dir,
                           strerror(errno));
        config.create = true;
        r = store_open(&config, &m->to, err);
    }
    for (size_t i = 0; r == 0 && i < opt->n_bases; i++)
        r = store_base_url_add(m->to, opt->bases[i], err);
    if (r < 0)
        return r;
    if (store_index_options(m->to)->tz_minutes != opt->tz_minutes ||
        store_index_options(m->to)->content != opt->content)
        return err_set(err, ERR_CONFLICT, "the target was made with other options");
    m->params = store_params(m->from);
    store_params_set(m->to, m->params);
    return 0;
}

/* A key that is named is the target's alone where the source is not encrypted. */
static int open_source(struct migrate *m, struct err *err)
{
    struct server_config from = m->config->from;
    int r;

    from.key_file = m->config->key_file;
    if (!from.store_uri && !vault_exists(from.data_dir))
        from.key_file = VAULT_NO_KEY;
    r = server_open_store(&from, true, &m->from, err);
    if (r != ERR_VALUE || !from.store_uri)
        return r;
    from.key_file = VAULT_NO_KEY;
    return server_open_store(&from, true, &m->from, err);
}

int server_migrate(const struct migrate_config *config, migrate_progress *progress, void *ctx,
                   struct migrate_result *ret, struct err *err)
{
    struct migrate m = {.config = config,
                        .progress = progress,
                        .ctx = ctx,
                        .result = ret,
                        .who = trust_system(),
                        .scratch = sb_make(STORE_BODY_MAX + KIB(1))};
    int r = open_source(&m, err);

    *ret = (struct migrate_result){0};
    arena_init(&m.a, ARENA_BYTES);
    if (r == 0 && !store_index_options(m.from)->pairs)
        r = err_set(err, ERR_CONFLICT,
                    "the store's index is of an earlier version: carnet reindex comes first");
    if (r == 0)
        r = open_target(&m, err);
    if (r == 0)
        r = fill(&m, err);
    params_unref(m.params);
    arena_done(&m.a);
    sb_done(&m.scratch);
    store_close(m.to);
    store_close(m.from);
    return r;
}
