/* server.h - wiring only: from a configuration to a node that answers, and back to a clean stop. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "api/api.h"
#include "trust/audit/audit.h"

#define SERVER_STOP_GRACE_MS 10000
#define SERVER_SOCKET_NAME "carnet.sock" /* in the data folder: the operator's local socket */

/* Memory of all requests together, where none is named: a share of the machine's (or of the control
 * group's, where that is less), within bounds. */
#define SERVER_MEMORY_SHARE 4
#define SERVER_MEMORY_LEAST MIB(256)
#define SERVER_MEMORY_MOST MIB(4096)
#define SERVER_IMPORT_BODY_MEMORY_MAX MIB(4) /* parts of an import lie in memory up to this */

struct server_config {
    const char *data_dir;
    const char *key_file; /* of an encrypted folder; NULL: the environment's key, if any */
    bool for_restore;     /* as of store_config */
    bool for_erase;       /* what the ledger has may still be in the store (erased.h) */
    bool seal_copies;     /* as of store_config */
    const char *copy_key_file;
    const char *store_uri; /* PostgreSQL's connection string; NULL: SQLite in the data folder */
    bool store_unsafe;     /* a PostgreSQL that does not wait for its disk will do */
    bool store_pooled;     /* … is reached through a pooler of transactions */
    const char *listen;    /* "127.0.0.1:8080" */
    bool open;             /* nobody is asked who they are: loopback only */
    bool demo;             /* people are entered by links (trust/demo.h): loopback only */
    unsigned threads;      /* event loops, 0: one a core */
    size_t body_max_bytes; /* 0: default */
    size_t memory_max;     /* of all requests together, 0: by the machine's */
    const char *tls_cert, *tls_key, *tls_client_ca;
    bool tls_client_optional; /* clients may show a certificate, and need not */
    bool audit;               /* keep a log of who saw what, and answer nothing that is not in it */
    const char *audit_key;    /* PEM file of its signing key, NULL: in the log's folder */
    const struct audit_witness *witnesses; /* who cosigns its heads */
    size_t n_witnesses;
    bool surveillance;            /* keep cases and raise signals (surveillance/centre.h) */
    const char *case_definitions; /* file, NULL: those that are built in */
    const char *signal_rules;     /* likewise */
    bool counts_programmes;       /* how far they reach (coverage/counter.h) */
    const char *coverage;         /* file of indicators, likewise */
    const char *notify;           /* file with what carries notices, NULL: nothing is sent */
    const char *eid;              /* file with providers of identities, NULL: none */
    const char *policy;           /* file with who sees what, NULL: the one that is built in */
    const char *profiles;         /* file with what records are held to on write, or NULL */
    const char *timezone;         /* offset for dateTimes without one, "+03:00"; NULL: UTC */
    bool content_index;           /* of a new store: every word of every resource has keys */
    struct api_config api;        /* base_url empty: the one the store was made with, if any */
    const char *version;
};

/* Makes a data folder with an empty store that holds the base definitions. ERR_CONFLICT when there
 * is one already. `progress` gets resources stored so far; it may be NULL. */
int server_init(const struct server_config *config, void (*progress)(void *ctx, size_t n),
                void *ctx, struct err *err);

/* What is to be said once a node answers. */
struct server_ready {
    int port;
    const char *first_secret; /* of the first account, where the store had none; else "" */
    struct str demo;          /* the ways into a demo, a line each; else empty */
};

/* Serves until SIGINT or SIGTERM. `ready` is called once it answers. */
int server_run(const struct server_config *config,
               void (*ready)(void *ctx, const struct server_ready *what), void *ctx,
               struct err *err);

/* ERR_VALUE unless it is http(s)://host[/path] without a slash at the end. */
int server_check_base_url(struct str url, struct err *err);

/* Opens the store of a data folder, its base URLs known (the given one first, then the one it was
 * made with), for a command that works beside or without a running node. */
int server_open_store(const struct server_config *config, bool read_only, struct store **ret,
                      struct err *err);

#endif
