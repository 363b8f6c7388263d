/* pages.c - for operators: /livez, /readyz, /metrics (Prometheus text format 0.0.4); the portal, or
 * what stands at the entrance of a build without it. */
#include "server/auth.h"
#include "server/portal.h"

#include <stdio.h>
#include <unistd.h>

#define PAGE_MAX MIB(1)
#define CONFORMANCE_PAGE_MAX MIB(16)

static void reply_text(struct http_exchange *x, int status, const char *type, struct sb *out)
{
    http_reply_header(x, "Cache-Control", STR("no-store"));
    http_reply(x, status, type, out);
}

static void write_metric(struct sb *out, const char *name, const char *type, const char *help,
                         unsigned long long v)
{
    sb_fmt(out, "# HELP carnet_%s %s\n# TYPE carnet_%s %s\ncarnet_%s %llu\n", name, help, name,
           type, name, v);
}

static unsigned long long resident_bytes(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f)
        return 0;
    if (fscanf(f, "%*u %llu", &pages) != 1)
        pages = 0;
    fclose(f);
    return pages * (unsigned long long)sysconf(_SC_PAGESIZE);
}

static void metrics(struct server *s, struct http_exchange *x)
{
    struct sb out = sb_make(PAGE_MAX);
    struct http_stats http;
    struct store_stats st;
    struct err err;

    http_server_stats(s->http, &http);
    sb_fmt(&out,
           "# HELP carnet_build_info The program, in its labels.\n# TYPE carnet_build_info gauge\n"
           "carnet_build_info{version=\"%s\",fhir=\"4.0.1\"} 1\n",
           s->config->version);
    write_metric(&out, "start_time_seconds", "gauge", "When the node began to answer (Unix time).",
                 (unsigned long long)(s->started_ms / 1000));
    write_metric(&out, "http_connections", "gauge", "Connections open now.", http.open);
    write_metric(&out, "http_connections_total", "counter", "Connections accepted.",
                 http.connections);
    write_metric(&out, "http_requests_total", "counter", "HTTP requests answered.", http.requests);
    write_metric(&out, "http_received_bytes_total", "counter", "Body bytes received.",
                 http.bytes_in);
    write_metric(&out, "http_sent_bytes_total", "counter", "Body bytes sent.", http.bytes_out);
    write_metric(&out, "http_refused_total", "counter", "Requests refused by a limit.",
                 http.refused);
    if (store_stats(s->store, &st, &err) >= 0) {
        write_metric(&out, "store_versions", "gauge", "Versions held.", st.rows);
        write_metric(&out, "store_bytes", "gauge", "Size of the database file.", st.bytes);
        write_metric(&out, "store_wal_bytes", "gauge", "Size of the write-ahead log.",
                     st.wal_bytes);
        write_metric(&out, "store_commits_total", "counter", "Groups committed.", st.commits);
        write_metric(&out, "store_jobs_total", "counter", "Writes done.", st.jobs);
        write_metric(&out, "store_queued", "gauge", "Writes waiting.", st.queued);
    }
    if (s->audit)
        write_metric(&out, "audit_entries", "gauge", "Entries of the audit log.",
                     audit_size(server_audit_log(s->audit)));
    write_metric(&out, "request_memory_bytes", "gauge", "Memory that requests hold now.",
                 atomic_load(&s->memory.used));
    write_metric(&out, "request_memory_max_bytes", "gauge", "What they may hold together.",
                 s->memory.max);
    write_metric(&out, "resident_bytes", "gauge", "Resident memory.", resident_bytes());
    api_metrics(s->api, &out);
    reply_text(x, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
}

static void ready(struct server *s, struct http_exchange *x)
{
    struct access who = trust_system();
    struct store_txn *txn = NULL;
    struct sb out = sb_make(KIB(1));
    struct err err;
    bool audited = !s->audit || audit_is_well(server_audit_log(s->audit));
    int r = store_begin(s->store, &who, &txn, &err);

    if (r >= 0 && !audited) {
        store_end(txn);
        sb_lit(&out, "the audit log cannot be written\n");
        r = ERR_NO_STORE;
    } else if (r >= 0) {
        sb_fmt(&out, "ready, position %llu\n", (unsigned long long)store_position(txn));
        store_end(txn);
    } else {
        sb_lit(&out, "the store does not answer\n");
    }
    reply_text(x, r < 0 ? 503 : 200, "text/plain; charset=utf-8", &out);
}

static void entrance(struct http_exchange *x, const char *version)
{
    struct sb out = sb_make(KIB(4));

    sb_fmt(&out,
           "Carnet %s\n\nFHIR R4: /fhir (start at /fhir/metadata)\nHealth: /livez /readyz\n"
           "Metrics: /metrics\nConformance: /conformance\n"
           "This program was built without the portal, the pages for people.\n",
           version);
    reply_text(x, 200, "text/plain; charset=utf-8", &out);
}

/* What was received and fell short, for the ministry that asked for it. */
static void conformance(struct server *s, struct http_exchange *x)
{
    struct sb out = sb_make(CONFORMANCE_PAGE_MAX);
    struct err err;

    if (api_conformance_page(s->api, http_header(x, "Accept-Language"), &out, &err) < 0) {
        sb_reset(&out);
        sb_lit(&out, "the page is too long\n");
        reply_text(x, 503, "text/plain; charset=utf-8", &out);
        return;
    }
    http_reply_header(x, "Vary", STR("Accept-Language"));
    http_reply_header(x, "Content-Security-Policy",
                      STR("default-src 'none'; style-src 'unsafe-inline'"));
    reply_text(x, 200, "text/html; charset=utf-8", &out);
}

/* What says more than that the node is there: to its operators, by the local socket or with a token
 * of one. */
static bool is_for_operators(struct str path)
{
    return str_eq(path, STR("/search-parameters")) || str_eq(path, STR("/conformance")) ||
           str_eq(path, STR("/metrics"));
}

static bool may_look(struct server *s, struct http_exchange *x, struct err *err)
{
    struct access who;
    bool may;

    if (http_request(x)->is_local || s->config->open)
        return true;
    if (auth_who(s, x, &who, err) < 0)
        return false;
    may = str_eq(who.identity->role, STR("operator"));
    identity_unref(who.identity);
    if (!may)
        err_set(err, ERR_FORBIDDEN, "this is for the node's operators");
    return may;
}

void pages_handle(struct server *s, struct http_exchange *x)
{
    const struct http_request *req = http_request(x);
    struct sb out = sb_make(PAGE_MAX);
    struct err err;

    if (is_for_operators(req->path) && !may_look(s, x, &err)) {
        auth_refuse(s, x, &err);
        return;
    }
    if (req->method != HTTP_GET && req->method != HTTP_HEAD) {
        sb_lit(&out, "only GET is allowed here\n");
        reply_text(x, 405, "text/plain; charset=utf-8", &out);
    } else if (portal_handle(s, x)) {
        return;
    } else if (str_eq(req->path, STR("/"))) {
        entrance(x, s->config->version);
    } else if (str_eq(req->path, STR("/livez"))) {
        sb_lit(&out, "alive\n");
        reply_text(x, 200, "text/plain; charset=utf-8", &out);
    } else if (str_eq(req->path, STR("/readyz"))) {
        ready(s, x);
    } else if (str_eq(req->path, STR("/search-parameters"))) {
        search_params_status(s->search_params, &out);
        reply_text(x, 200, "application/json", &out);
    } else if (str_eq(req->path, STR("/conformance"))) {
        conformance(s, x);
    } else if (str_eq(req->path, STR("/metrics"))) {
        metrics(s, x);
    } else {
        sb_lit(&out, "nothing is here; FHIR is at /fhir\n");
        reply_text(x, 404, "text/plain; charset=utf-8", &out);
    }
}
