/* place_node.c - place.h through a running node's socket; operator_place.c is the other end. */
#include "server/place.h"
#include "server/terms_load.h"

#include "http/ask.h"

#include <stdio.h>

#define ANSWER_MAX (PLACE_TABLE_MAX + MIB(1))
#define ANSWER_ARENA_MAX MIB(1)

/* {"worker":N,"note":N,"a":…,"b":…,"c":…,"n":N} and a line feed: the head of a POST. */
static void put_head(struct sb *out, enum place_worker worker, const struct place_note *note)
{
    sb_fmt(out, "{\"worker\":%d,\"note\":%d,\"n\":%zu,\"a\":", (int)worker, (int)note->kind,
           note->n);
    sb_json(out, note->a);
    sb_lit(out, ",\"b\":");
    sb_json(out, note->b);
    sb_lit(out, ",\"c\":");
    sb_json(out, note->c);
    sb_lit(out, "}\n");
}

static uint64_t number(yyjson_val *v, const char *name)
{
    uint64_t n = 0;

    return str_to_u64(js_str(js_get(v, name)), UINT64_MAX, &n) ? n : 0;
}

/* Resources stand on lines of their own: line ends between values are blanks then. */
static void put_line(struct sb *out, struct str text)
{
    size_t from = out->n;

    sb_str(out, text);
    for (size_t i = from; i < out->n; i++)
        if (out->p[i] == '\n' || out->p[i] == '\r')
            out->p[i] = ' ';
    sb_char(out, '\n');
}

static int read_refusals(yyjson_val *root, struct api_line *lines, size_t n, struct err *err)
{
    yyjson_val *v;
    size_t i, max;

    yyjson_arr_foreach(js_get(root, "refused"), i, max, v) {
        uint64_t at = number(v, "line");
        struct str reason = js_get_str(v, "reason");
        if (at >= n)
            return err_set(err, ERR_INTERNAL, "what answers at the socket is no node");
        lines[at].result =
            err_set(&lines[at].err, operator_code(js_get_str(v, "code")), "%.*s", STR_ARG(reason));
    }
    return 0;
}

int node_put(const struct place *p, struct arena *a, enum place_worker worker,
             struct api_line *lines, size_t n, const struct place_note *note, struct err *err)
{
    _cleanup_(sb_done) struct sb body = sb_make(OPERATOR_IMPORT_BODY_MAX);
    yyjson_val *root;
    int r;

    put_head(&body, worker, note);
    for (size_t i = 0; i < n; i++) {
        lines[i].result = 0;
        put_line(&body, lines[i].text);
    }
    if ((r = sb_ok(&body, err)) < 0)
        return r;
    r = operator_request(a,
                         &(struct http_ask){.socket_path = p->socket,
                                            .method = "POST",
                                            .target = OPERATOR_RESOURCES,
                                            .body = sb_view(&body)},
                         ANSWER_MAX, &root, err);
    return r < 0 ? r : read_refusals(root, lines, n, err);
}

int node_part(const struct place *p, struct str blob, uint32_t part, struct str bytes,
              struct err *err)
{
    _cleanup_(sb_done) struct sb body = sb_make(OPERATOR_IMPORT_BODY_MAX);
    _cleanup_(arena_done) struct arena a;
    char target[64];
    yyjson_val *root;
    int r;

    arena_init(&a, ANSWER_ARENA_MAX);
    snprintf(target, sizeof target, OPERATOR_BLOB "?part=%u", part);
    sb_str(&body, blob);
    sb_char(&body, '\n');
    sb_str(&body, bytes);
    if ((r = sb_ok(&body, err)) < 0)
        return r;
    return operator_request(
        &a,
        &(struct http_ask){
            .socket_path = p->socket, .method = "POST", .target = target, .body = sb_view(&body)},
        ANSWER_ARENA_MAX, &root, err);
}

int node_packages(const struct place *p, struct arena *a, struct str *ret, struct err *err)
{
    struct http_ask q = {.socket_path = p->socket, .method = "GET", .target = OPERATOR_PACKAGES};
    yyjson_val *root;
    int r = operator_request(a, &q, ANSWER_MAX, &root, err);

    if (r >= 0)
        *ret = js_get_str(root, "table");
    return r;
}

int node_remove(const struct place *p, const char *target, struct str what, size_t *ret_n,
                struct err *err)
{
    struct http_ask q = {
        .socket_path = p->socket, .method = "DELETE", .target = target, .body = what};
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root;
    int r;

    arena_init(&a, ANSWER_ARENA_MAX);
    r = operator_request(&a, &q, ANSWER_ARENA_MAX, &root, err);
    if (r >= 0)
        *ret_n = number(root, "removed");
    return r;
}

int node_terms_list(const struct place *p, struct arena *a, struct terms_loaded **ret,
                    size_t *ret_n, struct err *err)
{
    struct http_ask q = {.socket_path = p->socket, .method = "GET", .target = OPERATOR_TERMINOLOGY};
    struct terms_loaded *list;
    yyjson_val *root, *v;
    size_t i, n;
    int r = operator_request(a, &q, ANSWER_MAX, &root, err);

    if (r < 0)
        return r;
    list = ARENA_ARRAY(a, struct terms_loaded, yyjson_arr_size(js_get(root, "loaded")) + 1);
    if (!list)
        return err_no_memory(err);
    yyjson_arr_foreach(js_get(root, "loaded"), i, n, v) {
        list[i] = (struct terms_loaded){.type = js_get_str(v, "type"),
                                        .url = js_get_str(v, "url"),
                                        .version = js_get_str(v, "version"),
                                        .bytes = number(v, "bytes")};
    }
    *ret = list;
    *ret_n = yyjson_arr_size(js_get(root, "loaded"));
    return 0;
}
