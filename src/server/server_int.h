#ifndef SERVER_SERVER_INT_H
#define SERVER_SERVER_INT_H

#include "server/search_params.h"
#include "server/server.h"
#include "server/world.h"

struct server {
    const struct server_config *config;
    struct api_config api_config; /* config->api, with the base URL in force */
    struct store *store;
    struct server_world *world;
    struct api *api;
    struct search_params *search_params;
    struct http_server *http, *control;
};

/* What is served outside /fhir: the entrance, liveness, readiness and metrics. */
void pages_handle(struct server *s, struct http_exchange *x);

#endif
