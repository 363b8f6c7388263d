/* init.c - a new data folder, filled with the definitions that every node can be asked for. */
#include "server/server.h"

#include "server/erased.h"
#include "server/migrate.h"
#include "server/search_params.h"

#include "fhir/base_resources.h"
#include "fhir/date.h"
#include "vault/master.h"
#include "vault/vault.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SEED_LINES 5000 /* resources in one commit: all of them */
#define SEED_ARENA_MAX MIB(256)

#define META_BASE_URL "base-url"

int server_check_base_url(struct str url, struct err *err)
{
    struct str rest = url;

    if (str_starts(url, STR("http://")))
        rest = str_from(url, 7);
    else if (str_starts(url, STR("https://")))
        rest = str_from(url, 8);
    for (size_t i = 0; i < rest.n; i++)
        if (rest.p[i] <= ' ' || strchr("\"<>\\^`{}|?#", rest.p[i]))
            rest.n = 0;
    if (rest.n == url.n || !rest.n || rest.p[0] == '/' || rest.p[rest.n - 1] == '/')
        return err_set(err, ERR_VALUE,
                       "the base URL must be http:// or https:// with a host, without ?, # or a "
                       "slash at the end, not \"%.*s\"",
                       (int)MIN(url.n, 200u), url.p);
    return 0;
}

/* The base URL that was given at `carnet init` is one of our own for good: records refer to it. */
static int load_base_url(struct store *store, struct err *err)
{
    struct access who = trust_system();
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct arena arena;
    struct str url = STR_NULL;
    int r = store_begin(store, &who, &txn, err);

    if (r < 0)
        return r;
    arena_init(&arena, KIB(64));
    r = store_meta_get(txn, META_BASE_URL, &arena, &url, err);
    if (r >= 0 && url.n)
        r = store_base_url_add(store, url, err);
    arena_done(&arena);
    return r;
}

struct keep_job {
    struct store_job job;
    struct str url;
};

static int keep_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    return store_meta_set(txn, META_BASE_URL, ((struct keep_job *)job)->url, err);
}

static int keep_base_url(struct store *store, struct str url, struct err *err)
{
    struct access who = trust_system();
    struct keep_job keep = {.job = {.run = keep_run, .who = &who}, .url = url};

    return url.n ? store_write(store, &keep.job, err) : 0;
}

/* The folder of a node whose records are in an encrypted database has keys of its own, under the
 * same master key: for its audit log, and its ledger. A new one gets them when it is first used. */
static int seal_folder(const struct server_config *config, struct err *err)
{
    const char *dir = config->data_dir;
    struct stat st;
    int r;

    if (!master_is_named(config->key_file) || !dir || stat(dir, &st) < 0 || vault_exists(dir))
        return 0;
    if (audit_exists(dir) || erased_exists(dir))
        return err_set(err, ERR_CONFLICT,
                       "the records are encrypted, and the audit log in %s is not: name a new "
                       "data folder",
                       dir);
    r = vault_create(dir, config->key_file, err);
    return r == ERR_CONFLICT && vault_exists(dir) ? 0 : r; /* another command was first */
}

static int open_store(const struct server_config *config, bool create, bool read_only,
                      struct store **ret, struct err *err)
{
    struct store_config sc = {.dir = config->data_dir,
                              .key_file = config->key_file,
                              .for_restore = config->for_restore,
                              .seal_copies = config->seal_copies,
                              .copy_key_file = config->copy_key_file,
                              .uri = config->store_uri,
                              .allow_unsafe = config->store_unsafe,
                              .is_pooled = config->store_pooled,
                              .create = create,
                              .read_only = read_only};
    int r;

    if (config->api.base_url.n) {
        r = server_check_base_url(config->api.base_url, err);
        if (r < 0)
            return r;
        sc.index.bases = &config->api.base_url;
        sc.index.n_bases = 1;
    }
    sc.index.content = config->content_index;
    if (config->timezone) {
        r = tz_parse(str_c(config->timezone), &sc.index.tz_minutes, err);
        if (r < 0)
            return r;
    }
    r = store_open(&sc, ret, err);
    if (r >= 0 && config->store_uri && !read_only && (r = seal_folder(config, err)) < 0) {
        store_close(*ret);
        *ret = NULL;
    }
    return r;
}

/* The definitions are one commit (SEED_LINES): a store has all of them, or no version at all. */
static int check_seeded(struct store *store, bool *ret, struct err *err)
{
    struct access who = trust_system();
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    int r = store_begin(store, &who, &txn, err);

    if (r == 0)
        *ret = store_position(txn) > 0;
    return r;
}

static int refuse_unseeded(struct store *store, struct err *err)
{
    bool is_seeded = false;
    int r = check_seeded(store, &is_seeded, err);

    return r < 0 || is_seeded ? r
                              : err_set(err, ERR_CONFLICT,
                                        "the store is empty: carnet init was stopped before its "
                                        "end and has to be called again");
}

int server_open_store(const struct server_config *config, bool read_only, struct store **ret,
                      struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    int r = open_store(config, false, read_only, &store, err);

    if (r < 0 || (r = migrate_check_whole(store, err)) < 0 ||
        (r = refuse_unseeded(store, err)) < 0 || (r = load_base_url(store, err)) < 0 ||
        (r = search_params_load(store, err)) < 0 || (r = erased_check(config, store, err)) < 0)
        return r;
    store_on_change(store, search_params_reload, store);
    *ret = store;
    store = NULL;
    return 0;
}

struct seed {
    struct api *api;
    struct arena arena;
    struct api_line lines[SEED_LINES];
    size_t n, total;
    void (*progress)(void *ctx, size_t n);
    void *ctx;
};

static int flush(struct seed *s, struct err *err)
{
    int r = s->n ? api_put_lines(s->api, &s->arena, trust_system(), s->lines, s->n, NULL, NULL, err)
                 : 0;

    for (size_t i = 0; r >= 0 && i < s->n; i++)
        if (s->lines[i].result < 0) {
            *err = s->lines[i].err;
            return err_detail(err, "a base definition is not valid: %.200s", s->lines[i].text.p);
        }
    s->total += s->n;
    s->n = 0;
    arena_reset(&s->arena);
    if (r >= 0 && s->progress)
        s->progress(s->ctx, s->total);
    return r;
}

static int emit(void *ctx, struct str json, struct err *err)
{
    struct seed *s = ctx;
    struct str text = arena_dup(&s->arena, json);

    if (!text.p)
        return err_no_memory(err);
    s->lines[s->n++] = (struct api_line){.text = text};
    return s->n == SEED_LINES ? flush(s, err) : 0;
}

static int seed_store(struct api *api, void (*progress)(void *ctx, size_t n), void *ctx,
                      struct err *err)
{
    struct seed *s = calloc(1, sizeof *s);
    int r;

    if (!s)
        return err_no_memory(err);
    s->api = api;
    s->progress = progress;
    s->ctx = ctx;
    arena_init(&s->arena, SEED_ARENA_MAX);
    r = base_resources(emit, s, err);
    if (r >= 0)
        r = flush(s, err);
    arena_done(&s->arena);
    free(s);
    return r;
}

/* A store that an earlier call has made and not filled is filled now, if it was made the same. */
static int make_store(const struct server_config *config, struct store **ret, struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    const struct index_options *made;
    struct err e;
    bool is_seeded = false;
    int r = open_store(config, true, false, ret, err), tz_minutes = 0;

    if (r != ERR_CONFLICT || open_store(config, false, false, &store, &e) < 0 ||
        migrate_check_whole(store, &e) < 0 || check_seeded(store, &is_seeded, &e) < 0 || is_seeded)
        return r;
    if (config->timezone && (r = tz_parse(str_c(config->timezone), &tz_minutes, err)) < 0)
        return r;
    made = store_index_options(store);
    if (made->tz_minutes != tz_minutes || made->content != config->content_index)
        return err_set(err, ERR_CONFLICT,
                       "the store was begun with another time zone or content index: take it away "
                       "first, it is empty");
    *ret = store;
    store = NULL;
    return 0;
}

int server_init(const struct server_config *config, void (*progress)(void *ctx, size_t n),
                void *ctx, struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    struct api *api;
    int r;

    if (mkdir(config->data_dir, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_NO_STORE, "cannot make the folder \"%s\": %s", config->data_dir,
                       strerror(errno));
    r = make_store(config, &store, err);
    if (r < 0)
        return r;
    r = keep_base_url(store, config->api.base_url, err);
    if (r < 0)
        return r;
    api = api_new(&config->api, store);
    if (!api)
        return err_no_memory(err);
    r = seed_store(api, progress, ctx, err);
    api_free(api);
    return r;
}
