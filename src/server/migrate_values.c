#include "server/migrate_int.h"

#include "base/clock.h"
#include "server/erased.h"
#include "vault/master.h"
#include "vault/vault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES MIB(1)

/* What each store says of itself, and what ends with the migration. */
static const char *const own[] = {"schema",     "index",     "content", "timezone", "last-row",
                                  "last-clock", "migration", "keys",    "erased"};

static bool is_own(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (str_eq(name, str_c(own[i])))
            return true;
    return false;
}

void migrate_show(struct migrate *m, enum migrate_phase phase, uint64_t done, uint64_t all)
{
    if (m->progress)
        m->progress(m->ctx, phase, done, all);
}

int migrate_index(struct migrate *m, const struct row *row, struct index **ret, struct err *err)
{
    struct index *index = ARENA_NEW(&m->a, struct index);
    yyjson_val *root;
    struct str text;
    int r;

    if (!index)
        return err_no_memory(err);
    sb_reset(&m->scratch);
    if ((r = row_json(m->from, row, &m->scratch, err)) < 0 || (r = sb_ok(&m->scratch, err)) < 0)
        return r;
    text = arena_dup(&m->a, sb_view(&m->scratch));
    if (!text.p)
        return err_no_memory(err);
    if ((r = js_parse_stored(&m->a, text, &root, err)) < 0 ||
        (r = index_extract(&m->a, m->params, store_index_options(m->from), row->type, root, index,
                           err)) < 0)
        return r;
    *ret = index;
    return 0;
}

/* ---- values ---- */

struct value_job {
    struct store_job job;
    struct str name, bytes;
    uint32_t part;
};

static int put_meta(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct value_job *v = (struct value_job *)job;

    return store_meta_set(txn, v->name.p, v->bytes, err);
}

static int put_blob(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct value_job *v = (struct value_job *)job;

    return store_blob_put(txn, v->name, v->part, v->bytes, err);
}

static int drop_blob(struct store_txn *txn, struct store_job *job, struct err *err)
{
    return store_blob_drop(txn, ((struct value_job *)job)->name, err);
}

typedef int value_fn(struct migrate *m, void *ctx, struct str name, uint32_t part, struct str bytes,
                     struct err *err);

/* Every small value of a store that is not its own, in order. Names end in NUL. */
static int each_meta(struct migrate *m, struct store *store, value_fn *each, void *ctx,
                     struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    _cleanup_(sb_done) struct sb at = sb_make(KIB(4));
    struct str name, value;
    int r = store_begin(store, &m->who, &txn, err);

    for (; r == 0; r = r < 0 ? r : sb_ok(&at, err)) {
        struct str after = sb_view(&at);

        arena_reset(&m->a);
        after.n -= after.n > 0; /* its NUL */
        if ((r = store_meta_next(txn, after, &m->a, &name, err)) < 0 || !name.p)
            break;
        sb_reset(&at);
        sb_str(&at, name);
        sb_char(&at, '\0');
        if (is_own(name) || at.failed)
            continue;
        name = str_n(at.p, name.n);
        if ((r = store_meta_get(txn, name.p, &m->a, &value, err)) == 0)
            r = each(m, ctx, name, 0, value, err);
    }
    return MIN(r, 0);
}

/* Every part of every large value, in order. */
static int each_blob(struct migrate *m, struct store *store, value_fn *each, void *ctx,
                     struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    _cleanup_(sb_done) struct sb at = sb_make(KIB(4));
    struct str name, bytes;
    int r = store_begin(store, &m->who, &txn, err);

    while (r == 0) {
        arena_reset(&m->a);
        r = store_blob_next(txn, sb_view(&at), &m->a, &name, NULL, err);
        if (r < 0 || !name.p)
            break;
        sb_reset(&at);
        sb_str(&at, name);
        if (str_eq(name, ERASED_BLOB))
            continue;
        for (uint32_t part = 0; (r = sb_ok(&at, err)) == 0; part++) {
            arena_reset(&m->a);
            r = store_blob_get(txn, sb_view(&at), part, &m->a, &bytes, err);
            if (r < 0 || !bytes.p)
                break;
            if ((r = each(m, ctx, sb_view(&at), part, bytes, err)) < 0)
                break;
        }
    }
    return MIN(r, 0);
}

static int copy_meta(struct migrate *m, void *ctx, struct str name, uint32_t part, struct str bytes,
                     struct err *err)
{
    struct value_job job = {
        .job = {.run = put_meta, .who = &m->who}, .name = name, .bytes = bytes, .part = part};

    (void)ctx;
    m->result->values++;
    return store_write(m->to, &job.job, err);
}

static int copy_blob(struct migrate *m, void *ctx, struct str name, uint32_t part, struct str bytes,
                     struct err *err)
{
    struct value_job job = {
        .job = {.run = put_blob, .who = &m->who}, .name = name, .bytes = bytes, .part = part};

    (void)ctx;
    migrate_show(m, MIGRATE_VALUES, ++m->result->pieces, 0);
    return store_write(m->to, &job.job, err);
}

/* What an earlier run has left of values that the source no longer has. */
static int drop_blobs(struct migrate *m, struct err *err)
{
    int r = 0;

    while (r == 0) {
        struct value_job job = {.job = {.run = drop_blob, .who = &m->who}};
        struct store_txn *txn = NULL;

        arena_reset(&m->a);
        if ((r = store_begin(m->to, &m->who, &txn, err)) == 0)
            r = store_blob_next(txn, STR(""), &m->a, &job.name, NULL, err);
        store_end(txn);
        if (r < 0 || !job.name.p)
            break;
        r = store_write(m->to, &job.job, err);
    }
    return r;
}

int migrate_copy_values(struct migrate *m, struct err *err)
{
    int r;

    if ((r = drop_blobs(m, err)) < 0 || (r = each_blob(m, m->from, copy_blob, NULL, err)) < 0)
        return r;
    return each_meta(m, m->from, copy_meta, NULL, err);
}

/* ---- checksums ---- */

/* The hash of what was before and of one more piece. */
static int add(struct migrate_sum *sum, struct sb *text, struct err *err)
{
    int r;

    sb_put(text, sum->hash, sizeof sum->hash);
    if ((r = sb_ok(text, err)) == 0)
        sha256(sb_view(text), sum->hash);
    return r;
}

int migrate_sum_version(struct migrate_sum *sum, const struct adoption *of, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(64));
    const struct row *row = &of->row;

    sb_fmt(&text, "%llu %llu %d %d %d %llu %llu ", (unsigned long long)row->row,
           (unsigned long long)of->parent, row->type, (int)row->method, row->is_current,
           (unsigned long long)row->version.hlc, (unsigned long long)row->version.origin);
    sb_fmt(&text, "%zu %zu ", of->agent.n, row->sealed.n);
    sb_str(&text, row->id);
    sb_str(&text, of->agent);
    sb_str(&text, row->sealed);
    sum->versions++;
    sum->resources += row->is_current && row->method != METHOD_DELETE;
    return add(sum, &text, err);
}

static int sum_value(struct migrate *m, void *ctx, struct str name, uint32_t part, struct str bytes,
                     struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BLOB_PART_MAX + KIB(64));

    (void)m;
    sb_fmt(&text, "%zu %u %zu ", name.n, part, bytes.n);
    sb_str(&text, name);
    sb_str(&text, bytes);
    return add(ctx, &text, err);
}

int migrate_sum_values(struct migrate *m, struct store *store, struct migrate_sum *sum,
                       struct err *err)
{
    int r = each_blob(m, store, sum_value, sum, err);

    return r < 0 ? r : each_meta(m, store, sum_value, sum, err);
}

void migrate_sum_text(const struct migrate_sum *sum, char ret[2 * SHA256_BYTES + 1])
{
    for (size_t i = 0; i < sizeof sum->hash; i++)
        snprintf(ret + 2 * i, 3, "%02x", sum->hash[i]);
}

/* ---- the audit log ---- */

static int fail(const char *what, const char *name, struct err *err)
{
    return err_set(err, ERR_NO_STORE, "the audit log's \"%.100s\" cannot be %s: %s", name, what,
                   strerror(errno));
}

/* As read, but whole. */
static ssize_t read_all(int fd, char *to, size_t n)
{
    size_t got = 0;

    while (got < n) {
        ssize_t k = read(fd, to + got, n - got);

        if (k < 0)
            return -1;
        if (k == 0)
            break;
        got += (size_t)k;
    }
    return (ssize_t)got;
}

static int copy_bytes(int from, int to, char *a, char *b, const char *name, struct err *err)
{
    ssize_t n, k;

    while ((n = read_all(from, a, COPY_BYTES)) > 0)
        if (write(to, a, (size_t)n) != n)
            return fail("written", name, err);
    if (n < 0)
        return fail("read", name, err);
    if (fsync(to) < 0)
        return fail("written", name, err);
    /* … and once more, side by side. */
    lseek(from, 0, SEEK_SET);
    lseek(to, 0, SEEK_SET);
    do {
        n = read_all(from, a, COPY_BYTES);
        k = read_all(to, b, COPY_BYTES);
        if (n < 0 || k != n || memcmp(a, b, (size_t)n) != 0)
            return fail("found again", name, err);
    } while (n > 0);
    return 0;
}

static int copy_file(int from_dir, int to_dir, const char *name, struct err *err)
{
    char *a = malloc(2 * COPY_BYTES);
    int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), to = -1, r;

    if (from >= 0)
        to = openat(to_dir, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (!a)
        r = err_no_memory(err);
    else if (from < 0)
        r = fail("read", name, err);
    else if (to < 0)
        r = fail("made", name, err);
    else
        r = copy_bytes(from, to, a, a + COPY_BYTES, name, err);
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    free(a);
    return r;
}

static int copy_folder(struct migrate *m, DIR *dir, int to, struct err *err)
{
    struct dirent *e;
    int r = 0;

    while (r == 0 && (e = readdir(dir))) {
        if (e->d_name[0] == '.' || strcmp(e->d_name, "lock") == 0)
            continue;
        r = copy_file(dirfd(dir), to, e->d_name, err);
        m->result->audit_files++;
    }
    return r == 0 && fsync(to) < 0 ? fail("written", AUDIT_FOLDER, err) : r;
}

int migrate_copy_audit(struct migrate *m, struct err *err)
{
    const char *from = m->config->from.data_dir, *to = m->config->to.data_dir;
    char source[4096], target[4096];
    DIR *dir;
    int fd, r;

    if (!from)
        return 0;
    snprintf(source, sizeof source, "%.4000s/" AUDIT_FOLDER, from);
    dir = opendir(source);
    if (!dir)
        return errno == ENOENT ? 0 : fail("read", AUDIT_FOLDER, err);
    if (!to) {
        closedir(dir);
        return err_set(err, ERR_VALUE,
                       "the node has an audit log: --data says in which folder it goes on");
    }
    if (strcmp(from, to) == 0) {
        closedir(dir); /* it stays where it is */
        return 0;
    }
    snprintf(target, sizeof target, "%.4000s/" AUDIT_FOLDER, to);
    mkdir(to, 0700);
    mkdir(target, 0700);
    fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = fd < 0 ? fail("made", AUDIT_FOLDER, err) : copy_folder(m, dir, fd, err);
    if (fd >= 0)
        close(fd);
    closedir(dir);
    return r;
}

/* ---- keys, and who was erased ---- */

int migrate_copy_keys(struct migrate *m, struct err *err)
{
    const char *from = m->config->from.data_dir, *to = m->config->to.data_dir;
    bool is_sealed = from && vault_exists(from);
    int r;

    if (!is_sealed && from && master_is_named(m->config->key_file) && audit_exists(from))
        return err_set(err, ERR_NOT_SUPPORTED,
                       "the audit log in %s is not encrypted: first encrypt it, by restoring a "
                       "backup of a store in a folder into one with a key",
                       from);
    if (!is_sealed)
        return 0;
    if (!to)
        return err_set(err, ERR_VALUE, "the node has keys: --data says in which folder they go on");
    if (strcmp(from, to) == 0)
        return 0;
    if (mkdir(to, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_VALUE, "the folder \"%.200s\" cannot be made: %s", to,
                       strerror(errno));
    r = vault_copy(from, to, err);
    return MIN(r, 0);
}

int migrate_copy_erased(struct migrate *m, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    const char *to = m->config->to.data_dir;
    struct erased ledger = {.n = 0};
    int r;

    arena_init(&a, ERASED_ARENA_MAX);
    r = erased_of(m->config->from.data_dir, m->config->key_file, m->from, &a, &ledger, err);
    if (r < 0 || !ledger.n)
        return r;
    if (!to)
        return err_set(err, ERR_VALUE,
                       "people were erased: --data says in which folder that is remembered");
    r = erased_write(to, m->config->key_file, &ledger, err);
    return r < 0 ? r : erased_done(m->to, &ledger, err);
}
