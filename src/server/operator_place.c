/* operator_place.c - the node's end of place.h: what packages and terminologies have it store. */
#include "server/operator_int.h"
#include "server/package_table.h"
#include "server/place.h"
#include "server/server_int.h"
#include "server/terms_load.h"
#include "terminology/loaded.h"

#include <inttypes.h>

#define ANSWER_MAX (PLACE_TABLE_MAX + MIB(1))

/* ---- resources ---- */

static bool take_line(struct str *rest, struct str *ret)
{
    return rest->n && str_split(rest, '\n', ret);
}

static int read_head(struct arena *a, struct str text, enum place_worker *ret_worker,
                     struct place_note *ret, struct err *err)
{
    uint64_t worker, kind, n;
    yyjson_val *root;
    int r = js_parse(a, text, &root, err);

    if (r < 0)
        return r;
    if (!str_to_u64(js_str(js_get(root, "worker")), PLACE_TERMINOLOGY, &worker) ||
        !str_to_u64(js_str(js_get(root, "note")), NOTE_LOADED, &kind) ||
        !str_to_u64(js_str(js_get(root, "n")), PACKAGE_RESOURCES_MAX, &n))
        return err_set(err, ERR_SYNTAX, "the body is none of a command");
    *ret_worker = (enum place_worker)worker;
    *ret = (struct place_note){.kind = (enum place_note_kind)kind,
                               .a = js_get_str(root, "a"),
                               .b = js_get_str(root, "b"),
                               .c = js_get_str(root, "c"),
                               .n = (size_t)n};
    return 0;
}

static void write_refusals(const struct api_line *lines, size_t n, struct sb *out)
{
    bool has_any = false;

    sb_lit(out, "{\"refused\":[");
    for (size_t i = 0; i < n; i++) {
        if (lines[i].result >= 0)
            continue;
        sb_fmt(out, "%s{\"line\":%zu,\"code\":\"%s\",\"reason\":", has_any ? "," : "", i,
               err_name(lines[i].err.code));
        sb_json(out, str_c(lines[i].err.text));
        sb_char(out, '}');
        has_any = true;
    }
    sb_lit(out, "]}\n");
}

static int put(struct server *s, struct http_exchange *x, struct sb *out, struct err *err)
{
    struct arena *a = http_arena(x);
    struct str rest = http_request(x)->body, line;
    struct api_line *lines = ARENA_ARRAY(a, struct api_line, PLACE_LINES_MAX);
    enum place_worker worker = PLACE_PACKAGE;
    struct place_note note;
    size_t n = 0;
    int r;

    if (!lines)
        return err_no_memory(err);
    if (!take_line(&rest, &line))
        return err_set(err, ERR_SYNTAX, "the body is none of a command");
    if ((r = read_head(a, line, &worker, &note, err)) < 0)
        return r;
    while (take_line(&rest, &line)) {
        if (n == PLACE_LINES_MAX)
            return err_set(err, ERR_COSTLY, "more than %d resources at once", PLACE_LINES_MAX);
        lines[n++].text = line;
    }
    r = place_put_here(s->api, a, worker, lines, n, &note, err);
    if (r >= 0)
        write_refusals(lines, n, out);
    return r;
}

static int put_part(struct server *s, struct http_exchange *x, struct sb *out, struct err *err)
{
    struct access who = place_worker_access(PLACE_TERMINOLOGY);
    struct str rest = http_request(x)->body, blob;
    uint64_t part = operator_number(http_request(x)->query, STR("part"));

    if (part > UINT32_MAX || !take_line(&rest, &blob))
        return err_set(err, ERR_SYNTAX, "the body is no part of a terminology");
    sb_lit(out, "{}\n");
    return loaded_part(s->store, &who, blob, (uint32_t)part, rest, err);
}

/* ---- what is there, and away with it ---- */

static int tell_packages(struct server *s, struct http_exchange *x, struct sb *out, struct err *err)
{
    struct str table;
    int r = package_table_text(s->store, http_arena(x), &table, err);

    if (r < 0)
        return r;
    sb_lit(out, "{\"table\":");
    sb_json(out, table.p ? table : STR(""));
    sb_lit(out, "}\n");
    return 0;
}

static int remove_package(struct server *s, struct http_exchange *x, struct sb *out,
                          struct err *err)
{
    size_t n;
    int r = package_remove(s->api, s->store, http_request(x)->body, &n, err);

    if (r >= 0)
        sb_fmt(out, "{\"removed\":%zu}\n", n);
    return r;
}

static int tell_terminology(struct server *s, struct http_exchange *x, struct sb *out,
                            struct err *err)
{
    struct terms_loaded *list;
    size_t n;
    int r = terms_list(s->store, http_arena(x), &list, &n, err);

    if (r < 0)
        return r;
    sb_lit(out, "{\"loaded\":[");
    for (size_t i = 0; i < n; i++) {
        sb_str(out, i ? STR(",{\"type\":") : STR("{\"type\":"));
        sb_json(out, list[i].type);
        sb_lit(out, ",\"url\":");
        sb_json(out, list[i].url);
        sb_lit(out, ",\"version\":");
        sb_json(out, list[i].version);
        sb_fmt(out, ",\"bytes\":%" PRIu64 "}", list[i].bytes);
    }
    sb_lit(out, "]}\n");
    return 0;
}

static int remove_terminology(struct server *s, struct http_exchange *x, struct sb *out,
                              struct err *err)
{
    size_t n;
    int r = terms_remove(s->store, http_request(x)->body, &n, err);

    if (r < 0)
        return r;
    terms_changed(server_world_terms(s->world));
    sb_fmt(out, "{\"removed\":%zu}\n", n);
    return 0;
}

/* ---- on a worker ---- */

static const struct {
    enum http_method method;
    struct str path;
    int (*run)(struct server *s, struct http_exchange *x, struct sb *out, struct err *err);
} works[] = {
    {HTTP_POST, STR(OPERATOR_RESOURCES), put},
    {HTTP_POST, STR(OPERATOR_BLOB), put_part},
    {HTTP_GET, STR(OPERATOR_PACKAGES), tell_packages},
    {HTTP_DELETE, STR(OPERATOR_PACKAGES), remove_package},
    {HTTP_GET, STR(OPERATOR_TERMINOLOGY), tell_terminology},
    {HTTP_DELETE, STR(OPERATOR_TERMINOLOGY), remove_terminology},
};

void operator_place(void *ctx, struct http_exchange *x)
{
    const struct http_request *req = http_request(x);
    struct sb out = sb_make(ANSWER_MAX);
    struct err err;
    int r = ERR_METHOD;

    for (size_t i = 0; i < ARRAY_LEN(works); i++)
        if (works[i].method == req->method && str_eq(works[i].path, req->path))
            r = works[i].run(ctx, x, &out, &err);
    if (r == ERR_NO_MEMORY && http_arena(x)->starved)
        r = err_set(&err, ERR_BUSY, "the node's memory for requests is used up; try again later");
    operator_answer(x, r, &out, &err);
}
