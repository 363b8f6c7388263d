#include "server/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "coverage/counter.h"
#include "server/audit_note.h"
#include "server/auth.h"
#include "server/operator.h"
#include "server/profiles_file.h"
#include "server/rolled_back.h"
#include "server/server_int.h"
#include "surveillance/centre.h"
#include "surveillance/signal_rules.h"
#include "terminology/loaded.h"
#include "trust/account.h"
#include "trust/demo.h"
#include "trust/policy_book.h"
#include "vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEMO_TEXT_MAX KIB(32)
#define MMAP_FROM_BYTES MIB(1) /* blocks that go back to the system when freed */

/* ---- what a request may reach ---- */

/* While the node is open, only pages of this machine may talk to it: a foreign name in Host means
 * that a browser was led here by somebody else's DNS. */
static bool is_local_host(struct str host)
{
    static const struct str names[] = {STR("localhost"), STR("127.0.0.1"), STR("[::1]")};
    ptrdiff_t colon = str_rfind(host, ':');

    if (colon >= 0 && !str_ends(host, STR("]")))
        host = str_head(host, (size_t)colon);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(host, names[i]))
            return true;
    return false;
}

/* The host of a URL, with its port. */
static struct str host_of(struct str url)
{
    ptrdiff_t at = str_find(url, ':');

    url = str_from(url, at < 0 ? 0 : MIN((size_t)at + 3, url.n));
    at = str_find(url, '/');
    return at < 0 ? url : str_head(url, (size_t)at);
}

static bool may_call(const struct server *s, const struct http_request *req, struct str host)
{
    return req->is_local || !host.n || s->api_config.trust_proxy || is_local_host(host) ||
           (s->api_config.base_url.n && str_eq_nocase(host, host_of(s->api_config.base_url)));
}

static void refuse(struct http_exchange *x, int code, const char *text)
{
    struct err err;

    err_set(&err, code, "%s", text);
    http_reply_err(x, &err);
}

/* What a client may read before anybody knows who it is: what the node can do. */
static bool is_public(const struct http_request *req, struct str path)
{
    return req->method == HTTP_OPTIONS || ((req->method == HTTP_GET || req->method == HTTP_HEAD) &&
                                           str_eq(path, STR("/metadata")));
}

static int find_who(struct server *s, struct http_exchange *x, struct str path, struct access *ret,
                    struct err *err)
{
    const struct http_request *req = http_request(x);

    if (!req->is_local && !s->config->open && !is_public(req, path))
        return auth_who(s, x, ret, err);
    *ret = req->is_local     ? trust_job(STR("operator"))
           : s->config->open ? trust_open()
                             : trust_job(STR("anyone"));
    return 0;
}

static void handle_fhir(struct server *s, struct http_exchange *x, struct str path, bool is_own)
{
    struct access who;
    struct err err;

    if (find_who(s, x, path, &who, &err) < 0)
        auth_refuse(s, x, &err);
    else
        api_handle(s->api, x, path, is_own, who);
}

static void handle(void *ctx, struct http_exchange *x)
{
    static const struct str fhir = STR("/fhir"), own = STR("/carnet");
    struct server *s = ctx;
    const struct http_request *req = http_request(x);
    struct str path = req->path, host = http_header(x, "Host");

    if ((s->config->open || s->config->demo) && !may_call(s, req, host)) {
        refuse(x, ERR_FORBIDDEN,
               "this node is open to its own machine only, and the request's "
               "Host is another name");
        return;
    }
    if (!s->config->open && !atomic_load_explicit(&s->is_ready, memory_order_acquire)) {
        refuse(x, ERR_BUSY, "the node is starting");
        return;
    }
    if (s->trust && !req->is_local && auth_handle(s, x))
        return;
    if (str_starts(path, fhir) && (path.n == fhir.n || path.p[fhir.n] == '/'))
        handle_fhir(s, x, str_from(path, fhir.n), false);
    else if (str_starts(path, own) && path.n > own.n && path.p[own.n] == '/')
        handle_fhir(s, x, str_from(path, own.n), true);
    else if (req->is_local && str_starts(path, STR(OPERATOR_PREFIX)))
        operator_handle(s, x);
    else
        pages_handle(s, x);
}

/* ---- start and stop ---- */

static int start_http(struct server *s, struct err *err)
{
    const struct server_config *c = s->config;
    struct http_config http = {
        .listen = c->listen,
        .threads = c->threads,
        .memory = &s->memory,
        .body_max = c->body_max_bytes,
        .tls_cert = c->tls_cert,
        .tls_key = c->tls_key,
        .tls_client_ca = c->tls_client_ca,
        .tls_client_optional = c->tls_client_optional,
        .spool_dir = c->data_dir,
        .spool_in_memory = vault_exists(c->data_dir),
        .handle = handle,
        .error_body = api_error_body,
        .ctx = s,
    };
    char path[4096];
    int r = http_server_start(&http, &s->http, err);

    if (r < 0)
        return r;
    snprintf(path, sizeof path, "%s/%s", c->data_dir, SERVER_SOCKET_NAME);
    http.listen = NULL;
    http.socket_path = path;
    http.threads = 1;
    http.workers = import_threads(0);
    http.workers_nice = OPERATOR_NICE;
    http.body_max = MAX(c->body_max_bytes, OPERATOR_IMPORT_BODY_MAX);
    http.arena_max = IMPORT_ARENA_MAX;
    http.large_body = SERVER_IMPORT_BODY_MEMORY_MAX;
    http.tls_cert = http.tls_key = http.tls_client_ca = NULL;
    return http_server_start(&http, &s->control, err);
}

static void server_done(struct server *s)
{
    if (s->http)
        http_server_stop(s->http, SERVER_STOP_GRACE_MS);
    if (s->control)
        http_server_stop(s->control, SERVER_STOP_GRACE_MS);
    outside_stop(&s->outside);
    backup_done(&s->backup);
    if (s->store)
        store_on_change(s->store, NULL, NULL);
    search_params_stop(s->search_params);
    relabel_stop(s->relabel);
    api_free(s->api);
    trust_free(s->trust);
    centre_free(s->centre);
    counter_free(s->counter);
    notices_stop(&s->notices);
    server_audit_close(s->audit);
    store_close(s->store);
    server_world_free(s->world);
    if (s->folder_fd >= 0)
        close(s->folder_fd);
}

/* A store in the folder takes this lock itself. Where it is in a database the folder is still one
 * node's: its socket, its audit log. */
static int take_folder(const struct server_config *c, int *ret, struct err *err)
{
    char path[4096];
    int fd;

    if (!c->store_uri)
        return 0;
    if (mkdir(c->data_dir, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_NO_STORE, "the data folder \"%s\" cannot be made: %s", c->data_dir,
                       strerror(errno));
    if (snprintf(path, sizeof path, "%s/carnet.lock", c->data_dir) >= (int)sizeof path)
        return err_set(err, ERR_VALUE, "the data folder's path is too long");
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_NO_STORE, "the data folder \"%s\" cannot be used: %s", c->data_dir,
                       strerror(errno));
    *ret = fd;
    return flock(fd, LOCK_EX | LOCK_NB) == 0
               ? 0
               : err_set(err, ERR_CONFLICT, "the data folder \"%s\" is in use by another process",
                         c->data_dir);
}

static int check_listen(const struct server_config *c, struct err *err)
{
    struct str host = str_c(c->listen);
    ptrdiff_t colon = str_rfind(host, ':');

    host = colon < 0 ? host : str_head(host, (size_t)colon);
    if (c->demo && (c->open || c->api.base_url.n || c->api.trust_proxy ||
                    !(is_local_host(host) || str_eq(host, STR("::1")))))
        return err_set(err, ERR_FORBIDDEN,
                       "a demo is entered without a password: it listens on a loopback address "
                       "(127.0.0.1, [::1]), without --open, --base-url or --trusted-proxy");
    if (is_local_host(host) || str_eq(host, STR("::1")))
        return 0;
    if (c->open)
        return err_set(err, ERR_FORBIDDEN,
                       "an open node listens only on a loopback address "
                       "(127.0.0.1, [::1]), not on \"%s\"",
                       c->listen);
    if (!c->api.base_url.n)
        return err_set(err, ERR_VALUE,
                       "apps have to know the node by one name: --base-url says it, such as "
                       "https://node.example/fhir");
    if (!c->tls_cert)
        return err_set(err, ERR_FORBIDDEN,
                       "passwords and tokens do not travel in the open: on \"%s\" the node needs "
                       "--tls-cert and --tls-key (a proxy on this machine reaches it on a loopback "
                       "address)",
                       c->listen);
    return 0;
}

/* Each connection is a descriptor: take as many as the system lets us have. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* What the control group that holds us may use (cgroup v2); SIZE_MAX where nothing says. */
static size_t group_bytes(void)
{
    char group[256] = "", path[320];
    unsigned long long bytes;
    size_t ret = SIZE_MAX;
    FILE *f = fopen("/proc/self/cgroup", "re");

    if (f && fscanf(f, "0::%255s", group) != 1)
        group[0] = '\0';
    if (f)
        fclose(f);
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", group);
    f = fopen(path, "re");
    if (f && fscanf(f, "%llu", &bytes) == 1)
        ret = (size_t)bytes;
    if (f)
        fclose(f);
    return ret;
}

static size_t machine_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

    return MIN(pages > 0 && size > 0 ? (size_t)pages * (size_t)size : 0, group_bytes());
}

static size_t memory_max(const struct server_config *c)
{
    size_t share = machine_bytes() / SERVER_MEMORY_SHARE;

    return c->memory_max ? c->memory_max : MIN(MAX(share, SERVER_MEMORY_LEAST), SERVER_MEMORY_MOST);
}

/* What the command line left open, the store may know. */
static void settle_base_url(struct server *s)
{
    const struct index_options *index = store_index_options(s->store);

    s->api_config = s->config->api;
    if (!s->api_config.base_url.n && index->n_bases)
        s->api_config.base_url = index->bases[0];
}

static void wait_for_signal(const sigset_t *signals)
{
    int got = 0;

    while (sigwait(signals, &got) != 0)
        ;
    log_event(LOG_INFO, LOG_STOP, "signal=%d", got);
}

static void search_parameter_changed(void *ctx)
{
    search_params_wake(ctx);
}

void server_policy_changed(struct server *s)
{
    api_policy_changed(s->api);
    relabel_wake(s->relabel);
}

/* Another process has changed what this one keeps in memory. */
static int reload(void *ctx, struct store_txn *txn, struct err *err)
{
    struct server *s = ctx;
    int r = search_params_reload(s->store, txn, err);

    if (r >= 0) {
        api_definitions_changed(s->api);
        server_policy_changed(s);
    }
    return r;
}

/* What cannot be held to does not keep the node from serving: definitions are resources, and
 * whoever may write them could else keep it down. */
static void log_unusable(void *ctx, size_t line, struct str profile, const char *why)
{
    struct err err;

    (void)ctx;
    err_set(&err, ERR_NOT_FOUND, "line %zu of the profiles: %.*s %s", line,
            (int)MIN(profile.n, 300u), profile.p, why);
    log_err(LOG_WARN, LOG_PROFILES, &err);
}

static int hold_to_profiles(struct server *s, struct err *err)
{
    const char *path = s->config->profiles;
    int r = path ? profiles_file_read(s->api, path, err) : 0;

    if (r >= 0)
        r = api_profiles_remember(s->api, err);
    return r < 0 ? r : api_profiles_unusable(s->api, log_unusable, NULL, err);
}

/* What loadings beside the last node left behind. Nothing loads now, unless beside another process
 * that shares the store. */
static int sweep_loaded(struct server *s, struct err *err)
{
    struct access who = trust_system();

    return store_is_shared(s->store) ? 0 : loaded_sweep(s->store, &who, err);
}

/* A policy that the store has not had is set; going back to one takes `carnet policy set`, so that
 * a start with yesterday's file undoes nothing. One that does not hold keeps the node from serving.
 */
static int settle_policy(struct server *s, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(POLICY_BYTES_MAX);
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    const char *path = s->config->policy;
    struct audit_log *log = server_audit_log(s->audit);
    uint64_t number = 0;
    int r = path ? sb_load(&text, path, err) : 0;

    if (r >= 0 && path)
        r = policy_keep(s->store, sb_view(&text), STR("serve --policy"), true, &number, err);
    if (r >= 0 && number && log)
        r = audit_note_command(log, (uint64_t)getuid(), STR("policy-set"), str_c(path), err);
    return r < 0 ? r : policy_book_get(api_book(s->api), &p, err);
}

static void relabelled(void *ctx, const struct policy *policy, uint64_t changed)
{
    struct server *s = ctx;
    struct audit_log *log = server_audit_log(s->audit);
    char text[200];
    struct err err;
    int n = snprintf(text, sizeof text, "%llu by policy %.*s", (unsigned long long)changed,
                     (int)MIN(policy->version.n, 100u), policy->version.p);

    if (log && changed &&
        audit_note_command(log, (uint64_t)getuid(), STR("relabel"), str_n(text, (size_t)n), &err) <
            0)
        log_err(LOG_WARN, LOG_AUDIT_FAILED, &err);
}

/* Once the port is known: who may ask, and under which URL. */
static int start_trust(struct server *s, struct err *err)
{
    int r = s->config->open ? 0 : auth_root(s, http_server_port(s->http), err);

    if (r < 0 || s->config->open)
        return r;
    if ((r = account_bootstrap(s->store, s->first_secret, err)) < 0 ||
        (r = outside_start(&s->outside, err)) < 0 ||
        (r = notices_start(&s->notices, s->store, s->config->notify, s->root, err)) < 0 ||
        (r = auth_start(s, err)) < 0)
        return r;
    api_notify(s->api, s->notices.notify);
    api_security(s->api, s->root);
    atomic_store_explicit(&s->is_ready, true, memory_order_release);
    return 0;
}

/* Cases are made of what is there; they are followed once it is known who is told of signals. */
static int make_centre(struct server *s, struct err *err)
{
    _cleanup_(sb_done) struct sb definitions = sb_make(CASE_DEFINITIONS_BYTES_MAX);
    _cleanup_(sb_done) struct sb rules = sb_make(SIGNAL_RULES_BYTES_MAX);
    const struct server_config *c = s->config;
    struct access node = trust_system();
    struct centre_config config = {.definitions = STR_NULL};
    int r = c->case_definitions ? sb_load(&definitions, c->case_definitions, err) : 0;

    if (r >= 0 && c->signal_rules)
        r = sb_load(&rules, c->signal_rules, err);
    if (r < 0 || !c->surveillance)
        return r;
    if (c->case_definitions)
        config.definitions = sb_view(&definitions);
    if (c->signal_rules)
        config.rules = sb_view(&rules);
    r = centre_new(s->store, &node, &config, &s->centre, err);
    if (r >= 0)
        api_centre(s->api, s->centre);
    return r;
}

/* How far programmes reach is counted from the feed. */
static int make_counter(struct server *s, struct err *err)
{
    _cleanup_(sb_done) struct sb set = sb_make(COVERAGE_BYTES_MAX);
    const char *path = s->config->coverage;
    struct access node = trust_system();
    int r = path ? sb_load(&set, path, err) : 0;

    if (r < 0 || !s->config->counts_programmes)
        return r;
    r = counter_new(s->store, &node, path ? sb_view(&set) : STR_NULL, &s->counter, err);
    if (r >= 0)
        api_counter(s->api, s->counter);
    return r;
}

static int start_centre(struct server *s, struct err *err)
{
    if (!s->centre)
        return 0;
    centre_tell_by(s->centre, s->notices.notify);
    return centre_start(s->centre, err);
}

/* The page that leads into the demo's roles, and the links by themselves. */
static int start_demo(struct server *s, struct sb *out, struct err *err)
{
    _cleanup_(sb_done) struct sb links = sb_make(DEMO_TEXT_MAX);
    char key[SECRET_TEXT_MAX];
    int r;

    if (!s->config->demo)
        return 0;
    if ((r = demo_begin(s->trust, key, err)) < 0 || (r = demo_say(s->trust, &links, err)) < 0)
        return r;
    sb_fmt(out, "the demo opens at %.*s/#/demo/%s\n", STR_ARG(s->root), key);
    sb_str(out, sb_view(&links));
    explicit_bzero(key, sizeof key);
    return sb_ok(out, err);
}

/* ---- the run, in its order ---- */

static void settle_process(sigset_t *signals)
{
    /* Else glibc takes the memory of one large request for usual and keeps as much from then on. */
    mallopt(M_MMAP_THRESHOLD, MMAP_FROM_BYTES);
    /* Every thread made from here on leaves these signals to sigwait. */
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Records, what judges them, and who may see them. */
static int open_records(struct server *s, struct err *err)
{
    const struct server_config *config = s->config;
    int r = take_folder(config, &s->folder_fd, err);

    if (r == 0)
        r = server_open_store(config, false, &s->store, err);
    if (r < 0)
        return r;
    backup_init(&s->backup, s->store, config->data_dir);
    s->memory.max = memory_max(config);
    s->started_ms = clock_now_ms();
    raise_descriptors();
    settle_base_url(s);
    s->api = api_new(&s->api_config, s->store);
    if (!s->api)
        return err_no_memory(err);
    if ((r = server_world_new(s->store, &s->world, err)) < 0)
        return r;
    server_world_follow(s->world, s->api);
    if ((r = sweep_loaded(s, err)) < 0 || (r = server_audit_open(config, &s->audit, err)) < 0 ||
        (r = rolled_back_check(s->store, server_audit_log(s->audit), err)) < 0)
        return r;
    api_audit(s->api, server_audit_log(s->audit));
    r = settle_policy(s, err);
    return r < 0 ? r : hold_to_profiles(s, err);
}

/* What works on records beside the requests. */
static int make_work(struct server *s, struct err *err)
{
    int r = store_read_ahead(s->store, err);

    if (r < 0 || (r = search_params_start(s->store, &s->search_params, err)) < 0)
        return r;
    api_on_search_parameter(s->api, search_parameter_changed, s->search_params);
    r = relabel_start(s->store, api_book(s->api), relabelled, s, &s->relabel, err);
    if (r < 0)
        return r;
    store_on_change(s->store, reload, s);
    r = make_centre(s, err);
    return r < 0 ? r : make_counter(s, err);
}

static int start_all(struct server *s, struct sb *demo, struct err *err)
{
    int r = start_http(s, err);

    if (r >= 0)
        r = start_trust(s, err);
    if (r >= 0)
        r = start_centre(s, err);
    if (r >= 0 && s->counter)
        r = counter_start(s->counter, err);
    return r < 0 ? r : start_demo(s, demo, err);
}

int server_run(const struct server_config *config,
               void (*ready)(void *ctx, const struct server_ready *what), void *ctx,
               struct err *err)
{
    _cleanup_(sb_done) struct sb demo = sb_make(DEMO_TEXT_MAX);
    _cleanup_(server_done) struct server s = {.config = config, .folder_fd = -1};
    sigset_t signals;
    int r = check_listen(config, err);

    if (r < 0)
        return r;
    settle_process(&signals);
    if ((r = open_records(&s, err)) < 0 || (r = make_work(&s, err)) < 0 ||
        (r = start_all(&s, &demo, err)) < 0)
        return r;
    log_event(LOG_INFO, LOG_START, "listen=%s version=%s pid=%d", config->listen, config->version,
              (int)getpid());
    if (ready)
        ready(ctx,
              &(struct server_ready){http_server_port(s.http), s.first_secret, sb_view(&demo)});
    explicit_bzero(s.first_secret, sizeof s.first_secret);
    wait_for_signal(&signals);
    return 0;
}
