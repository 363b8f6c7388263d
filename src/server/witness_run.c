#include "server/witness_run.h"

#include "base/log.h"
#include "http/http.h"
#include "trust/audit/witness.h"

#include <pthread.h>
#include <signal.h>

#define STOP_GRACE_MS 3000
#define WITNESS_BODY_MAX PROOF_BYTES_MAX

static const char plain[] = "text/plain;charset=utf-8";

static void say(struct http_exchange *x, int status, const char *text)
{
    struct sb out = sb_make(KIB(1));

    sb_fmt(&out, "%s\n", text);
    http_reply(x, status, plain, &out);
}

static void add_checkpoint(void *ctx, struct http_exchange *x)
{
    struct sb out = sb_make(NOTE_BYTES_MAX);
    struct err err = {0};
    const char *type;
    int status = witness_add(ctx, http_request(x)->body, &out, &type, &err);

    if (status != 200)
        log_event(status >= 500 ? LOG_ERROR : LOG_WARN, LOG_WITNESS, "status=%d", status);
    if (!out.n || status >= 500) {
        sb_done(&out);
        say(x, status, err.text);
        return;
    }
    http_reply(x, status, type, &out);
}

static void handle(void *ctx, struct http_exchange *x)
{
    const struct http_request *req = http_request(x);

    if (!str_eq(req->path, STR("/add-checkpoint")))
        say(x, 404, "a witness has /add-checkpoint alone");
    else if (req->method != HTTP_POST)
        say(x, 405, "checkpoints are added by POST");
    else if (!http_work(x, add_checkpoint, ctx)) /* it waits for the disk */
        say(x, 503, "the witness has more to do than it can take");
}

int witness_run(const struct witness_config *config,
                void (*ready)(void *ctx, int port, struct str key), void *ctx, struct err *err)
{
    _cleanup_(witness_closep) struct witness *w = NULL;
    _cleanup_(sb_done) struct sb key = sb_make(KIB(1));
    struct http_config http = {.listen = config->listen,
                               .threads = 1,
                               .workers = 2,
                               .body_max = WITNESS_BODY_MAX,
                               .tls_cert = config->tls_cert,
                               .tls_key = config->tls_key,
                               .handle = handle};
    struct http_server *server = NULL;
    sigset_t signals;
    int got, r;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    r = witness_open(config->dir, str_c(config->name), config->logs, config->n_logs, &w, err);
    if (r < 0)
        return r;
    http.ctx = w;
    r = http_server_start(&http, &server, err);
    if (r < 0)
        return r;
    note_key_write(&key, witness_key(w));
    ready(ctx, http_server_port(server), sb_view(&key));
    while (sigwait(&signals, &got) != 0)
        ;
    http_server_stop(server, STOP_GRACE_MS);
    return 0;
}
