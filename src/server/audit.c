#include "server/audit.h"

#include "http/client.h"

#include <stdlib.h>

struct server_audit {
    struct audit_config config;
    struct audit_log *log;
};

static int post(void *ctx, const char *url, struct str body, int *ret_status, struct sb *ret_body,
                struct err *err)
{
    struct http_client_request req = {
        .url = url, .content_type = "text/plain;charset=utf-8", .body = body};

    (void)ctx;
    return http_client(&req, ret_status, ret_body, err);
}

int server_audit_open(const struct server_config *config, struct server_audit **ret,
                      struct err *err)
{
    struct server_audit *a;
    int r;

    *ret = NULL;
    if (!config->audit)
        return 0;
    a = calloc(1, sizeof *a);
    if (!a)
        return err_no_memory(err);
    a->config = (struct audit_config){.dir = config->data_dir,
                                      .key_path = config->audit_key,
                                      .witnesses = config->witnesses,
                                      .n_witnesses = config->n_witnesses,
                                      .post = post};
    r = audit_open(&a->config, &a->log, err);
    if (r < 0) {
        server_audit_close(a);
        return r;
    }
    *ret = a;
    return 0;
}

void server_audit_close(struct server_audit *a)
{
    if (!a)
        return;
    audit_close(a->log);
    free(a);
}

struct audit_log *server_audit_log(struct server_audit *a)
{
    return a ? a->log : NULL;
}
