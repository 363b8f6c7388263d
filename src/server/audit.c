#include "server/audit.h"

#include "http/client.h"
#include "vault/vault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATH_BYTES 4096

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
                                      .key_file = config->key_file,
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

/* ---- backups ---- */

static int path_of(char ret[PATH_BYTES], const char *dir, const char *name, struct err *err)
{
    int n = snprintf(ret, PATH_BYTES, "%s/%s", dir, name);

    return n > 0 && n < PATH_BYTES ? 0 : err_set(err, ERR_VALUE, "the folder's name is too long");
}

int server_audit_backup(const char *data_dir, const char *to_dir, struct err *err)
{
    char to[PATH_BYTES];
    int r = path_of(to, to_dir, AUDIT_COPY_FOLDER, err);

    return r < 0 ? r : audit_copy(data_dir, to, err);
}

/* "carnet/0123456789abcdef" without the slash: a folder's name. */
static int name_of(const char *dir, const char *key_file, char ret[PATH_BYTES], struct err *err)
{
    struct audit_config config = {.dir = dir, .key_file = key_file, .read_only = true};
    struct audit_log *log;
    int r = audit_open(&config, &log, err);

    if (r < 0)
        return r;
    snprintf(ret, PATH_BYTES, "%.*s", STR_ARG(audit_origin(log)));
    audit_close(log);
    for (char *p = ret; *p; p++)
        *p = *p == '/' || *p == '.' ? '-' : *p;
    return 0;
}

int server_audit_restore(const struct server_config *backup, const char *data_dir, struct err *err)
{
    char from[PATH_BYTES], before[PATH_BYTES], name[PATH_BYTES], to[PATH_BYTES];
    bool is_sealed;
    int r = path_of(from, backup->data_dir, AUDIT_COPY_FOLDER, err);

    if (r < 0 || !audit_exists(from))
        return r;
    if ((r = path_of(before, data_dir, AUDIT_BEFORE_FOLDER, err)) < 0 ||
        (r = name_of(from, (is_sealed = vault_exists(from)) ? backup->key_file : VAULT_NO_KEY, name,
                     err)) < 0 ||
        (r = path_of(to, before, name, err)) < 0)
        return r;
    if (mkdir(before, S_IRWXU) < 0 && errno != EEXIST)
        return err_set(err, ERR_NO_STORE, "%s cannot be made: %s", before, strerror(errno));
    return backup->seal_copies && !is_sealed
               ? audit_copy_sealed(from, to, backup->copy_key_file, err)
               : audit_copy(from, to, err);
}
