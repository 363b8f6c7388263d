/* operator_ask.c - the commands' end of operator.h. */
#include "server/operator.h"

#include "http/ask.h"
#include "server/audit_note.h"
#include "trust/manage.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX MIB(4)
#define POLL_NS 200000000
#define LOG_TRIES 50
#define BUSY_TRIES 120 /* a busy node is asked again this often, a second apart */

/* Whether a node serves the folder. */
static int find_node(const char *data_dir, char ret[OPERATOR_SOCKET_MAX], struct err *err)
{
    _cleanup_(sb_done) struct sb body = sb_make(KIB(64));
    int status;

    if (snprintf(ret, OPERATOR_SOCKET_MAX, "%s/%s", data_dir, SERVER_SOCKET_NAME) >=
        OPERATOR_SOCKET_MAX)
        return err_set(err, ERR_NOT_FOUND, "the socket's path would be too long");
    return http_ask(&(struct http_ask){.socket_path = ret, .method = "GET", .target = "/livez"},
                    &status, &body, err);
}

int operator_open(const struct server_config *config, bool read_only, struct store **ret,
                  char ret_socket[OPERATOR_SOCKET_MAX], struct err *err)
{
    int r = server_open_store(config, read_only, ret, err);
    struct err why;

    ret_socket[0] = '\0';
    if (r != ERR_CONFLICT)
        return r;
    r = find_node(config->data_dir, ret_socket, &why);
    if (r >= 0)
        return 0;
    /* Another command holds the folder, or a node that does not answer yet or any more. */
    ret_socket[0] = '\0';
    if (r == ERR_FORBIDDEN)
        *err = why;
    return err->code;
}

int operator_code(struct str name)
{
    static const struct {
        int code;
        const char *name;
    } codes[] = {
#define X(code, status, issue) {code, #code},
        ERR_TABLE(X)
#undef X
    };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (str_eq(name, str_c(err_name(codes[i].code))))
            return codes[i].code;
    return ERR_INTERNAL;
}

int operator_failure(yyjson_val *answer, int status, struct err *err)
{
    struct str reason = js_get_str(answer, "reason");
    int code = operator_code(js_get_str(answer, "code"));

    if (!reason.n)
        return err_set(err, code, "the node answered with status %d", status);
    return err_set(err, code, "the node says: %.*s", STR_ARG(reason));
}

static int ask_once(struct arena *a, const struct http_ask *q, size_t answer_max, yyjson_val **ret,
                    struct err *err)
{
    _cleanup_(sb_done) struct sb body = sb_make(answer_max);
    int status = 0, r = http_ask(q, &status, &body, err);
    struct str text;

    if (r < 0)
        return r == ERR_NOT_FOUND ? err_set(err, ERR_TIMEOUT, "the node has stopped") : r;
    text = arena_dup(a, sb_view(&body));
    if (!text.p)
        return err_no_memory(err);
    r = js_parse(a, text, ret, err);
    return r < 0 ? r : status == 200 ? 0 : operator_failure(*ret, status, err);
}

int operator_request(struct arena *a, const struct http_ask *q, size_t answer_max, yyjson_val **ret,
                     struct err *err)
{
    int r = ask_once(a, q, answer_max, ret, err);

    for (int i = 0; r == ERR_BUSY && i < BUSY_TRIES; i++) {
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        r = ask_once(a, q, answer_max, ret, err);
    }
    return r;
}

static int ask(struct arena *a, const struct http_ask *q, yyjson_val **ret, struct err *err)
{
    return ask_once(a, q, ANSWER_MAX, ret, err);
}

static uint64_t number(yyjson_val *v, const char *name)
{
    uint64_t n = 0;

    return str_to_u64(js_str(js_get(v, name)), UINT64_MAX, &n) ? n : 0;
}

/* ---- the audit log ---- */

/* Another command may be at it: each is done in a moment. */
static int open_log(const struct audit_config *config, struct audit_log **ret, struct err *err)
{
    int r = audit_open(config, ret, err);

    for (int i = 0; r == ERR_CONFLICT && i < LOG_TRIES; i++) {
        nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
        r = audit_open(config, ret, err);
    }
    return r;
}

static int note_here(const struct server_config *config, const char *what, struct str detail,
                     struct err *err)
{
    struct audit_config log_config = {
        .dir = config->data_dir, .key_file = config->key_file, .keyless = true};
    _cleanup_(audit_closep) struct audit_log *log = NULL;
    int r;

    if (!audit_exists(config->data_dir))
        return 0;
    r = open_log(&log_config, &log, err);
    return r < 0 ? r : audit_note_command(log, geteuid(), str_c(what), detail, err);
}

int operator_note(const struct server_config *config, const char *what, struct str detail,
                  struct err *err)
{
    char socket[OPERATOR_SOCKET_MAX], target[128];
    struct http_ask q = {.socket_path = socket,
                         .method = "POST",
                         .target = target,
                         .body = str_head(detail, MIN(detail.n, AUDIT_NOTE_MAX))};
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    int r = find_node(config->data_dir, socket, err);

    arena_init(&a, MIB(1));
    if (r < 0)
        return r == ERR_FORBIDDEN ? r : note_here(config, what, detail, err);
    snprintf(target, sizeof target, OPERATOR_NOTE "?do=%s&uid=%u", what, (unsigned)geteuid());
    return operator_request(&a, &q, ANSWER_MAX, &root, err);
}

/* ---- reindex ---- */

static void tell(yyjson_val *root, void (*progress)(void *ctx, uint64_t done, uint64_t all),
                 void *ctx)
{
    yyjson_val *list = js_get(root, "parameters"), *v;
    uint64_t done = 0, all = 0;
    size_t i, max;

    yyjson_arr_foreach(list, i, max, v) {
        done += number(v, "done");
        all += number(v, "all");
    }
    if (progress && all)
        progress(ctx, done, all);
}

int operator_reindex(const char *socket, void (*progress)(void *ctx, uint64_t done, uint64_t all),
                     void *ctx, struct err *err)
{
    struct http_ask q = {
        .socket_path = socket, .method = "POST", .target = OPERATOR_REINDEX, .body = STR("")};
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    int r;

    arena_init(&a, MIB(32));
    while ((r = ask(&a, &q, &root, err)) >= 0) {
        struct str failure = js_get_str(root, "failure");

        tell(root, progress, ctx);
        if (failure.n)
            return err_set(err, ERR_NO_STORE, "the node says: %.*s", STR_ARG(failure));
        if (!yyjson_is_true(js_get(root, "working")))
            return 0;
        q.method = "GET";
        q.body = STR_NULL;
        arena_reset(&a);
        nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    }
    return r;
}

/* ---- backup ---- */

/* The folder, made here, because the node may not be allowed to: it belongs to the node's user. */
static int make_folder(const char *socket, const char *to_dir, bool *ret_made, struct err *err)
{
    struct stat st;

    *ret_made = mkdir(to_dir, 0700) == 0;
    if (!*ret_made && errno != EEXIST)
        return err_set(err, ERR_NO_STORE, "the folder \"%s\" cannot be made: %s", to_dir,
                       strerror(errno));
    if (*ret_made && geteuid() == 0 && stat(socket, &st) == 0 &&
        chown(to_dir, st.st_uid, st.st_gid) < 0)
        return err_set(err, ERR_NO_STORE, "the folder \"%s\" cannot be given to the node: %s",
                       to_dir, strerror(errno));
    return 0;
}

/* Whether SIGINT or SIGTERM came within one poll. Both are blocked meanwhile. */
static bool is_interrupted(const sigset_t *signals)
{
    return sigtimedwait(signals, NULL, &(struct timespec){.tv_nsec = POLL_NS}) > 0;
}

static int follow(const char *socket, yyjson_val *root, const sigset_t *signals,
                  store_backup_progress *progress, void *ctx, struct err *err)
{
    char target[64];
    struct http_ask q = {.socket_path = socket, .method = "GET", .target = target};
    _cleanup_(arena_done) struct arena a;
    int r = 0;

    arena_init(&a, MIB(8));
    snprintf(target, sizeof target, OPERATOR_BACKUP "?id=%llu",
             (unsigned long long)number(root, "id"));
    while (r >= 0 && str_eq(js_get_str(root, "state"), STR("running"))) {
        if (progress && !progress(ctx, number(root, "done"), number(root, "all")))
            q.method = "DELETE";
        if (is_interrupted(signals))
            q.method = "DELETE";
        arena_reset(&a);
        r = ask(&a, &q, &root, err);
        if (r >= 0 && q.method[0] == 'D')
            return err_set(err, ERR_TIMEOUT, "the copy was stopped");
    }
    if (r >= 0 && !str_eq(js_get_str(root, "state"), STR("done")))
        r = operator_failure(root, 200, err);
    return r;
}

static int run_backup(const char *socket, const char *path, struct str body,
                      const sigset_t *signals, store_backup_progress *progress, void *ctx,
                      struct err *err)
{
    struct http_ask q = {
        .socket_path = socket, .method = "POST", .target = OPERATOR_BACKUP, .body = body};
    _cleanup_(arena_done) struct arena a;
    char copy[PATH_MAX + 16];
    yyjson_val *root;
    int r;

    arena_init(&a, MIB(8));
    r = ask(&a, &q, &root, err);
    if (r >= 0)
        r = follow(socket, root, signals, progress, ctx, err);
    if (r < 0)
        return r;
    snprintf(copy, sizeof copy, "%s/carnet.db", path);
    if (access(copy, F_OK) < 0)
        return err_set(err, ERR_NO_STORE,
                       "the node wrote its copy to another \"%s\" than this one: its service "
                       "has folders of its own",
                       path);
    return 0;
}

/* The absolute path of a file that need not be there yet. */
static int add_path(struct sb *to, const char *file, struct err *err)
{
    char cwd[PATH_MAX];

    if (*file != '/') {
        if (!getcwd(cwd, sizeof cwd))
            return err_set(err, ERR_NO_STORE, "the working folder has no name: %s",
                           strerror(errno));
        sb_str(to, str_c(cwd));
        sb_char(to, '/');
    }
    sb_str(to, str_c(file));
    return sb_ok(to, err);
}

int operator_backup(const char *socket, const char *to_dir, const char *person_keys,
                    store_backup_progress *progress, void *ctx, struct err *err)
{
    _cleanup_(sb_done) struct sb body = sb_make(2 * PATH_MAX + 2);
    char path[PATH_MAX];
    sigset_t signals, before;
    bool made;
    int r = make_folder(socket, to_dir, &made, err);

    if (r < 0)
        return r;
    if (!realpath(to_dir, path))
        return err_set(err, ERR_NO_STORE, "the folder \"%s\" cannot be found: %s", to_dir,
                       strerror(errno));
    sb_str(&body, str_c(path));
    if (person_keys) {
        sb_char(&body, '\0');
        r = add_path(&body, person_keys, err);
    }
    if (r < 0)
        return r;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before);
    r = run_backup(socket, path, sb_view(&body), &signals, progress, ctx, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (r < 0 && made)
        rmdir(path); /* stays when something is in it */
    return r;
}

/* ---- accounts, clients, keys ---- */

static int manage_by_node(const char *socket, struct str request, struct sb *out, struct err *err)
{
    struct http_ask q = {
        .socket_path = socket, .method = "POST", .target = OPERATOR_TRUST, .body = request};
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    int r;

    arena_init(&a, MIB(32));
    r = ask(&a, &q, &root, err);
    if (r < 0)
        return r;
    sb_str(out, js_get_str(root, "text"));
    return sb_ok(out, err);
}

/* "user-add anna": what is done and to whom, of a request; no password. */
static int note_manage(const struct server_config *config, struct str request, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    struct str what, of;
    char name[64];
    int r;

    arena_init(&a, 16 * MANAGE_REQUEST_MAX);
    r = js_parse(&a, request, &root, err);
    if (r < 0)
        return r;
    what = js_get_str(root, "do");
    of = js_get_str(root, "login");
    of = of.n ? of : js_get_str(root, "id");
    if (!what.n || str_ends(what, STR("-list")) || str_ends(what, STR("-show")) ||
        str_ends(what, STR("-history")))
        return 0;
    snprintf(name, sizeof name, "%.*s", (int)what.n, what.p);
    return operator_note(config, name, of.n ? of : STR(""), err);
}

int operator_manage(const struct server_config *config, struct str request, struct sb *out,
                    struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    char socket[OPERATOR_SOCKET_MAX];
    struct arena a;
    struct err none;
    int r = note_manage(config, request, err);

    if (r < 0)
        return r;
    r = find_node(config->data_dir, socket, &none);
    /* Also beside a store that others may open: the node has tokens in memory. */
    if (r < 0 && (r = operator_open(config, false, &store, socket, err)) < 0)
        return r;
    if (!store)
        return manage_by_node(socket, request, out, err);
    arena_init(&a, MIB(32));
    r = manage_run(store, NULL, &a, request, out, err);
    arena_done(&a);
    return r;
}
