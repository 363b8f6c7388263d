#include "api/api.h"

#include "api/async.h"
#include "api/conformance.h"
#include "api/graphql_kept.h"

#include "base/clock.h"
#include "trust/policy_book.h"

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
    api->conformance = conformance_new(store);
    api->graphql_kept = gq_kept_new();
    if (!api->async || !api->conformance || !api->graphql_kept ||
        policy_book_new(store, &api->book, NULL) < 0) {
        if (api->async)
            async_free(api->async);
        conformance_free(api->conformance);
        gq_kept_free(api->graphql_kept);
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
    conformance_free(api->conformance);
    gq_kept_free(api->graphql_kept);
    policy_book_free(api->book);
    free(api->counts);
    free(api);
}

int api_profiles(struct api *api, struct str policy, struct err *err)
{
    int r = conformance_policy(api->conformance, policy, err);

    return r < 0 ? r : conformance_start(api->conformance, err);
}

int api_profiles_remember(struct api *api, struct err *err)
{
    return conformance_remember(api->conformance, err);
}

int api_profiles_recall(struct api *api, struct err *err)
{
    int r = conformance_recall(api->conformance, err);

    return r <= 0 ? r : conformance_start(api->conformance, err);
}

int api_profiles_unusable(struct api *api, api_profile_tell *tell, void *ctx, struct err *err)
{
    return conformance_unusable(api->conformance, api->world, tell, ctx, err);
}

int api_conformance_page(struct api *api, struct str accept_language, struct sb *out,
                         struct err *err)
{
    return conformance_page(api->conformance, api->world, accept_language, out, err);
}

void api_security(struct api *api, struct str root)
{
    api->security = root;
}

void api_on_search_parameter(struct api *api, void (*changed)(void *ctx), void *ctx)
{
    api->search_parameter_changed = changed;
    api->changed_ctx = ctx;
}

struct policy_book *api_book(struct api *api)
{
    return api->book;
}

void api_policy_changed(struct api *api)
{
    policy_book_stale(api->book);
}

void api_definitions_changed(struct api *api)
{
    conformance_changed(api->conformance);
    if (api->terminology_changed)
        api->terminology_changed(api->terminology_ctx);
    if (api->search_parameter_changed)
        api->search_parameter_changed(api->changed_ctx);
}

void api_on_terminology(struct api *api, void (*changed)(void *ctx), void *ctx)
{
    api->terminology_changed = changed;
    api->terminology_ctx = ctx;
}

void api_terms(struct api *api, struct terms *terms)
{
    api->terms = terms;
}

void api_audit(struct api *api, struct audit_log *log)
{
    api->audit = log;
}

void api_counter(struct api *api, struct counter *counter)
{
    api->counter = counter;
}

void api_centre(struct api *api, struct centre *centre)
{
    api->centre = centre;
}

void api_notify(struct api *api, struct notify *notify)
{
    api->notify = notify;
}

void api_world(struct api *api, const struct world *world)
{
    api->world = world;
    policy_book_world(api->book, world);
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
