/* init.c - a new data folder, filled with the definitions that every node can be asked for. */
#include "server/server.h"

#include "fhir/base_resources.h"
#include "fhir/date.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SEED_LINES 5000 /* resources in one commit: all of them */
#define SEED_ARENA_MAX MIB(256)

static int open_store(const struct server_config *config, bool create, bool read_only,
                      struct store **ret, struct err *err)
{
    struct store_config sc = {.dir = config->data_dir, .create = create, .read_only = read_only};

    if (config->api.base_url.n) {
        sc.index.bases = &config->api.base_url;
        sc.index.n_bases = 1;
    }
    if (config->timezone) {
        int r = tz_parse(str_c(config->timezone), &sc.index.tz_minutes, err);
        if (r < 0)
            return r;
    }
    return store_open(&sc, ret, err);
}

int server_open_store(const struct server_config *config, bool read_only, struct store **ret,
                      struct err *err)
{
    return open_store(config, false, read_only, ret, err);
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

int server_init(const struct server_config *config, void (*progress)(void *ctx, size_t n),
                void *ctx, struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    struct api *api;
    int r;

    if (mkdir(config->data_dir, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_NO_STORE, "cannot make the folder \"%s\": %s", config->data_dir,
                       strerror(errno));
    r = open_store(config, true, false, &store, err);
    if (r < 0)
        return r;
    api = api_new(&config->api, store);
    if (!api)
        return err_no_memory(err);
    r = seed_store(api, progress, ctx, err);
    api_free(api);
    return r;
}
