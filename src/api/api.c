#include "api/api.h"

#include "api/async.h"

#include "base/clock.h"

#include <stdlib.h>

struct api *api_new(const struct api_config *config, struct store *store)
{
    struct api *api = calloc(1, sizeof *api);
    size_t n;

    if (!api)
        return NULL;
    dispatch_rows(&n);
    api->counts = calloc((n + 1) * API_CLASSES, sizeof *api->counts);
    if (!api->counts) {
        free(api);
        return NULL;
    }
    api->async = async_new(api);
    if (!api->async) {
        free(api->counts);
        free(api);
        return NULL;
    }
    api->config = *config;
    api->store = store;
    api->started_ms = clock_now_ms();
    return api;
}

void api_free(struct api *api)
{
    if (!api)
        return;
    async_free(api->async);
    free(api->counts);
    free(api);
}

void api_on_search_parameter(struct api *api, void (*changed)(void *ctx), void *ctx)
{
    api->search_parameter_changed = changed;
    api->changed_ctx = ctx;
}

void api_world(struct api *api, const struct world *world)
{
    api->world = world;
}

static const char *method_name(enum http_method method)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",         [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
        [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "other",
    };

    return names[method];
}

void api_metrics(struct api *api, struct sb *out)
{
    size_t n;
    const struct api_row *rows = dispatch_rows(&n);

    sb_lit(out, "# HELP carnet_requests_total FHIR interactions answered, by status class.\n"
                "# TYPE carnet_requests_total counter\n");
    for (size_t i = 0; i <= n; i++)
        for (size_t class = 2; class < API_CLASSES; class ++) {
            uint64_t v =
                atomic_load_explicit(&api->counts[i * API_CLASSES + class], memory_order_relaxed);
            if (v)
                sb_fmt(out,
                       "carnet_requests_total{interaction=\"%s\",method=\"%s\",status=\"%zuxx\"} "
                       "%llu\n",
                       i < n ? rows[i].name : "none", i < n ? method_name(rows[i].method) : "any",
                       class, (unsigned long long)v);
        }
}
