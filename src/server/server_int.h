#ifndef SERVER_SERVER_INT_H
#define SERVER_SERVER_INT_H

#include "server/audit.h"
#include "server/notices.h"
#include "server/outside.h"
#include "server/relabel.h"
#include "server/search_params.h"
#include "server/server.h"
#include "server/world.h"
#include "trust/secret.h"

#include <pthread.h>
#include <stdatomic.h>

/* The one backup that may be under way (operator_backup.c). */
struct backup {
    struct store *store;
    const char *data_dir;
    pthread_mutex_t lock;
    pthread_t thread;
    bool has_thread, is_running, stop;
    uint64_t id, done, all;
    int64_t asked_us; /* when somebody last asked how far it is */
    char *to;
    const char *person_keys; /* behind it; NULL: none */
    struct err err;          /* how the last one ended; code 0: well */
};

void backup_init(struct backup *b, struct store *store, const char *data_dir);
/* Stops what is under way. */
void backup_done(struct backup *b);
int backup_begin(struct backup *b, struct str to, struct err *err);
/* `id` 0: the last one. ERR_NOT_FOUND if it is another's. */
int backup_ask(struct backup *b, uint64_t id, struct sb *out, struct err *err);
int backup_stop(struct backup *b, uint64_t id, struct err *err);

/* Requests without a good token: those of this second, and those that were only counted. */
struct refusals {
    atomic_llong second;
    atomic_uint n, left_out;
};

struct centre;  /* surveillance/centre.h */
struct counter; /* coverage/counter.h */

#define SERVER_ROOT_MAX 1024

struct server {
    const struct server_config *config;
    struct api_config api_config; /* config->api, with the base URL in force */
    struct store *store;
    struct server_world *world;
    struct server_audit *audit; /* NULL: none is kept */
    struct refusals refusals;
    struct api *api;
    struct search_params *search_params;
    struct relabel *relabel;
    struct http_server *http, *control;
    struct backup backup;
    struct outside outside;  /* asks other servers; of a node that asks who is there */
    struct notices notices;  /* what tells people; of a node that asks who is there */
    struct centre *centre;   /* NULL: no surveillance */
    struct counter *counter; /* NULL: programmes are not counted */
    struct trust *trust;     /* NULL: --open */
    struct str root;         /* public URL of the node, without /fhir */
    char root_text[SERVER_ROOT_MAX];
    char first_secret[SECRET_TEXT_MAX]; /* of the first account, once; or "" */
    atomic_bool is_ready;               /* all of the above is settled */
    struct arena_budget memory;         /* of all requests */
    int folder_fd;                      /* the lock on a data folder whose store is elsewhere */
    int64_t started_ms;                 /* Unix time */
};

/* Another policy was set, by whichever process. */
void server_policy_changed(struct server *s);

/* What is served outside /fhir: the entrance, liveness, readiness and metrics. */
void pages_handle(struct server *s, struct http_exchange *x);

/* What the local socket serves below /operator (operator.h). */
void operator_handle(struct server *s, struct http_exchange *x);

#endif
