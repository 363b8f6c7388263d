/* operator.c - the node's end of operator.h. */
#include "server/operator.h"

#include "server/audit_note.h"
#include "server/import_int.h"
#include "server/operator_int.h"
#include "server/server_int.h"
#include "trust/manage.h"

#include <inttypes.h>

#define ANSWER_MAX (2 * IMPORT_LINE_MAX)
#define VALUE_MAX IMPORT_POSITION_NAME_MAX

/* A value of the query. Ours need no escapes. STR_NULL if it is not there. */
static struct str value_of(struct str query, struct str name)
{
    struct str part;

    while (query.n && str_split(&query, '&', &part)) {
        if (str_starts(part, name) && part.n > name.n && part.p[name.n] == '=')
            return str_from(part, name.n + 1);
    }
    return STR_NULL;
}

uint64_t operator_number(struct str query, struct str name)
{
    uint64_t n = 0;

    return str_to_u64(value_of(query, name), UINT64_MAX, &n) ? n : 0;
}

void operator_answer(struct http_exchange *x, int r, struct sb *out, const struct err *err)
{
    if (r < 0) {
        sb_reset(out);
        sb_fmt(out, "{\"code\":\"%s\",\"reason\":", err_name(err->code));
        sb_json(out, str_c(err->text));
        sb_lit(out, "}\n");
    }
    http_reply(x, r < 0 ? err_http_status(r) : 200, "application/json", out);
}

/* ---- import ---- */

/* "" where the import keeps none; another program's meta value must not be reachable. */
static int position_of(struct str query, char ret[IMPORT_POSITION_NAME_MAX], struct err *err)
{
    struct str name = value_of(query, STR("position"));

    if (name.n && (name.n >= VALUE_MAX || !str_starts(name, STR(IMPORT_POSITION_PREFIX))))
        return err_set(err, ERR_VALUE, "the position's name is none of an import");
    snprintf(ret, IMPORT_POSITION_NAME_MAX, "%.*s", (int)name.n, name.n ? name.p : "");
    return 0;
}

static void tell_position(struct server *s, struct http_exchange *x)
{
    struct sb out = sb_make(MIB(1));
    char name[IMPORT_POSITION_NAME_MAX];
    struct str text = STR_NULL;
    struct err err;
    int r = position_of(http_request(x)->query, name, &err);

    if (r >= 0)
        r = position_read(s->store, name, http_arena(x), &text, &err);
    sb_lit(&out, "{\"position\":");
    sb_json(&out, text.p ? text : STR(""));
    sb_lit(&out, "}\n");
    operator_answer(x, r, &out, &err);
}

/* One line of the body at *rest: "NUMBER TEXT\n". A document reaches to the end. */
static bool take_line(struct str all, struct str *rest, bool alone, struct chunk_line *ret)
{
    ptrdiff_t blank = str_find(*rest, ' '), end = alone ? (ptrdiff_t)rest->n - 1 : 0;
    struct str text;

    if (blank < 0 || !str_to_u64(str_head(*rest, (size_t)blank), UINT64_MAX, &ret->number))
        return false;
    if (!alone)
        end = str_find(*rest, '\n');
    if (end < blank || rest->p[end] != '\n')
        return false;
    text = str_n(rest->p + blank + 1, (size_t)(end - blank) - 1);
    ret->at = (size_t)(text.p - all.p);
    ret->n = text.n;
    *rest = str_from(*rest, (size_t)end + 1);
    return true;
}

static int read_chunk(struct http_exchange *x, struct chunk *ret, struct err *err)
{
    const struct http_request *req = http_request(x);
    struct str rest = req->body;
    struct chunk c = {.file = "",
                      .number = operator_number(req->query, STR("chunk")),
                      .alone = operator_number(req->query, STR("alone")) == 1,
                      .text = (char *)(uintptr_t)req->body.p, /* only read */
                      .n = req->body.n};
    size_t max = c.alone ? 1 : IMPORT_CHUNK_LINES;

    c.lines = ARENA_ARRAY(http_arena(x), struct chunk_line, max);
    if (!c.lines)
        return err_no_memory(err);
    while (rest.n) {
        if (c.n_lines == max || !take_line(req->body, &rest, c.alone, &c.lines[c.n_lines]))
            return err_set(err, ERR_SYNTAX, "the body is no chunk of an import");
        c.n_lines++;
    }
    if (!c.n_lines)
        return err_set(err, ERR_SYNTAX, "the body is no chunk of an import");
    *ret = c;
    return 0;
}

static void write_result(const struct chunk *c, const struct chunk_result *res, struct sb *out)
{
    sb_fmt(out, "{\"resources\":%" PRIu64 ",\"bundles\":%" PRIu64 ",\"wasDone\":%s,\"rejects\":[",
           res->resources, res->bundles, res->was_done ? "true" : "false");
    for (size_t i = 0; i < res->n_rejects; i++) {
        const struct reject *rj = &res->rejects[i];

        sb_fmt(out, "%s{\"line\":%" PRIu64 ",\"code\":", i ? "," : "", rj->line);
        sb_json(out, rj->code);
        sb_lit(out, ",\"expression\":");
        sb_json(out, rj->where);
        sb_lit(out, ",\"reason\":");
        sb_json(out, rj->reason);
        sb_lit(out, ",\"profile\":");
        sb_json(out, rj->broken.profile);
        sb_lit(out, ",\"rule\":");
        sb_json(out, rj->broken.rule);
        /* The command has its lines; an entry of a Bundle is none. */
        if (rj->text.p < c->text || rj->text.p >= c->text + c->n) {
            sb_lit(out, ",\"text\":");
            sb_json(out, rj->text);
        }
        sb_char(out, '}');
    }
    sb_lit(out, "]}\n");
}

static void import_chunk(void *ctx, struct http_exchange *x)
{
    struct server *s = ctx;
    struct sb out = sb_make(ANSWER_MAX);
    char position[IMPORT_POSITION_NAME_MAX];
    struct chunk_result res = {0};
    struct chunk c;
    struct err err;
    int r = position_of(http_request(x)->query, position, &err);

    if (r >= 0)
        r = read_chunk(x, &c, &err);
    if (r >= 0)
        r = chunk_run(s->api, http_arena(x), &c, position, &res, &err);
    if (r == ERR_NO_MEMORY && http_arena(x)->starved)
        r = err_set(&err, ERR_BUSY, "the node's memory for requests is used up; try again later");
    if (r >= 0)
        write_result(&c, &res, &out);
    operator_answer(x, r, &out, &err);
}

static void work_later(struct server *s, struct http_exchange *x, http_handler *work)
{
    struct sb out = sb_make(KIB(4));
    struct err err;

    if (!http_work(x, work, s))
        operator_answer(x,
                        err_set(&err, ERR_BUSY, "the node has more work queued than it can take"),
                        &out, &err);
}

static void import_later(struct server *s, struct http_exchange *x)
{
    work_later(s, x, import_chunk);
}

static void place_later(struct server *s, struct http_exchange *x)
{
    work_later(s, x, operator_place);
}

/* ---- reindex and backup ---- */

static void tell_reindex(struct server *s, struct http_exchange *x)
{
    struct sb out = sb_make(MIB(1));

    search_params_status(s->search_params, &out);
    operator_answer(x, 0, &out, NULL);
}

static void reindex(struct server *s, struct http_exchange *x)
{
    search_params_wake(s->search_params);
    tell_reindex(s, x);
}

static void tell_backup(struct server *s, struct http_exchange *x)
{
    struct sb out = sb_make(KIB(8));
    struct err err;
    int r = backup_ask(&s->backup, operator_number(http_request(x)->query, STR("id")), &out, &err);

    operator_answer(x, r, &out, &err);
}

static void begin_backup(struct server *s, struct http_exchange *x)
{
    struct sb out = sb_make(KIB(8));
    struct err err;
    int r = backup_begin(&s->backup, http_request(x)->body, &err);

    if (r >= 0)
        r = backup_ask(&s->backup, 0, &out, &err);
    operator_answer(x, r, &out, &err);
}

static void stop_backup(struct server *s, struct http_exchange *x)
{
    struct sb out = sb_make(KIB(8));
    struct err err;
    int r = backup_stop(&s->backup, operator_number(http_request(x)->query, STR("id")), &err);

    sb_lit(&out, "{}\n");
    operator_answer(x, r, &out, &err);
}

/* ---- the audit log ---- */

static void note(void *ctx, struct http_exchange *x)
{
    const struct http_request *req = http_request(x);
    struct server *s = ctx;
    struct audit_log *log = server_audit_log(s->audit);
    struct sb out = sb_make(KIB(4));
    struct err err;
    int r = log ? audit_note_command(log, operator_number(req->query, STR("uid")),
                                     value_of(req->query, STR("do")), req->body, &err)
                : 0;

    sb_lit(&out, "{}\n");
    operator_answer(x, r, &out, &err);
}

static void note_later(struct server *s, struct http_exchange *x)
{
    work_later(s, x, note);
}

/* ---- accounts, clients, keys ---- */

static void manage(void *ctx, struct http_exchange *x)
{
    struct server *s = ctx;
    struct sb text = sb_make(MANAGE_ANSWER_MAX), out = sb_make(2 * MANAGE_ANSWER_MAX);
    struct str body = http_request(x)->body;
    struct err err;
    int r = body.n > MANAGE_REQUEST_MAX
                ? err_set(&err, ERR_TOO_LONG, "the request is longer than %zu bytes",
                          MANAGE_REQUEST_MAX)
                : manage_run(s->store, s->trust, http_arena(x), body, &text, &err);

    if (r >= 0)
        server_policy_changed(s);
    if (r >= 0 && s->trust)
        r = trust_changed(s->trust, &err);
    sb_lit(&out, "{\"text\":");
    sb_json(&out, sb_view(&text));
    sb_lit(&out, "}\n");
    sb_done(&text);
    operator_answer(x, r, &out, &err);
}

static void manage_later(struct server *s, struct http_exchange *x)
{
    work_later(s, x, manage);
}

/* ---- all there is ---- */

static const struct {
    enum http_method method;
    struct str path;
    void (*run)(struct server *s, struct http_exchange *x);
} routes[] = {
    {HTTP_GET, STR(OPERATOR_IMPORT), tell_position},
    {HTTP_POST, STR(OPERATOR_IMPORT), import_later},
    {HTTP_GET, STR(OPERATOR_REINDEX), tell_reindex},
    {HTTP_POST, STR(OPERATOR_REINDEX), reindex},
    {HTTP_GET, STR(OPERATOR_BACKUP), tell_backup},
    {HTTP_POST, STR(OPERATOR_BACKUP), begin_backup},
    {HTTP_DELETE, STR(OPERATOR_BACKUP), stop_backup},
    {HTTP_POST, STR(OPERATOR_TRUST), manage_later},
    {HTTP_POST, STR(OPERATOR_NOTE), note_later},
    {HTTP_POST, STR(OPERATOR_RESOURCES), place_later},
    {HTTP_POST, STR(OPERATOR_BLOB), place_later},
    {HTTP_GET, STR(OPERATOR_PACKAGES), place_later},
    {HTTP_DELETE, STR(OPERATOR_PACKAGES), place_later},
    {HTTP_GET, STR(OPERATOR_TERMINOLOGY), place_later},
    {HTTP_DELETE, STR(OPERATOR_TERMINOLOGY), place_later},
};

void operator_handle(struct server *s, struct http_exchange *x)
{
    const struct http_request *req = http_request(x);
    struct sb out = sb_make(KIB(4));
    bool is_known = false;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (!str_eq(routes[i].path, req->path))
            continue;
        is_known = true;
        if (routes[i].method == req->method) {
            routes[i].run(s, x);
            return;
        }
    }
    operator_answer(x,
                    is_known
                        ? err_set(&err, ERR_METHOD, "operators do not ask this with that method")
                        : err_set(&err, ERR_NOT_FOUND, "operators can ask nothing here"),
                    &out, &err);
}
