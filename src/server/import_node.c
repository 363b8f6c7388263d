/* import_node.c - chunks into a running node's store, through its local socket.
 *
 * A chunk is one POST to OPERATOR_IMPORT; its body is, for each line, the line's number, a blank,
 * the text and a line feed. What the node answers is stored for good. docs/decisions/0013 says why
 * it is done like this.
 */
#include "server/import_int.h"
#include "server/operator.h"

#include "base/js.h"
#include "http/ask.h"

#define ANSWER_MAX (2 * IMPORT_LINE_MAX) /* a reason for each line, texts of rejected entries */

static int ask(struct arena *a, const struct http_ask *q, yyjson_val **ret, struct err *err)
{
    return operator_request(a, q, ANSWER_MAX, ret, err);
}

int node_position_read(const char *socket, const char *name, struct arena *a, struct str *ret,
                       struct err *err)
{
    struct str target = arena_fmt(a, OPERATOR_IMPORT "?position=%s", name);
    yyjson_val *root;
    int r;

    if (!target.p)
        return err_no_memory(err);
    r = ask(a, &(struct http_ask){.socket_path = socket, .method = "GET", .target = target.p},
            &root, err);
    if (r >= 0)
        *ret = js_get_str(root, "position");
    return r;
}

static int write_lines(const struct chunk *c, struct sb *out, struct err *err)
{
    for (size_t i = 0; i < c->n_lines; i++) {
        sb_fmt(out, "%llu ", (unsigned long long)c->lines[i].number);
        sb_put(out, c->text + c->lines[i].at, c->lines[i].n);
        sb_char(out, '\n');
    }
    return sb_ok(out, err);
}

static uint64_t number(yyjson_val *v, const char *name)
{
    uint64_t n = 0;

    return str_to_u64(js_str(js_get(v, name)), UINT64_MAX, &n) ? n : 0;
}

/* The text of a line, by its number; the whole chunk when it is one document. */
static struct str text_of(const struct chunk *c, uint64_t line)
{
    for (size_t i = 0; i < c->n_lines; i++)
        if (c->lines[i].number == line)
            return str_n(c->text + c->lines[i].at, c->lines[i].n);
    return STR("");
}

static int read_result(struct arena *a, const struct chunk *c, yyjson_val *root,
                       struct chunk_result *ret, struct err *err)
{
    yyjson_val *rejects = js_get(root, "rejects"), *v;
    size_t i, max;
    struct chunk_result res = {
        .resources = number(root, "resources"),
        .bundles = number(root, "bundles"),
        .was_done = yyjson_is_true(js_get(root, "wasDone")),
        .n_rejects = yyjson_arr_size(rejects),
    };

    res.rejects = ARENA_ARRAY(a, struct reject, res.n_rejects + 1);
    if (!res.rejects)
        return err_no_memory(err);
    yyjson_arr_foreach(rejects, i, max, v) {
        uint64_t line = number(v, "line");
        struct str text = js_get_str(v, "text");

        res.rejects[i] =
            (struct reject){.line = line,
                            .text = text.p ? text : text_of(c, line),
                            .code = js_get_str(v, "code"),
                            .where = js_get_str(v, "expression"),
                            .reason = js_get_str(v, "reason"),
                            .broken = {js_get_str(v, "profile"), js_get_str(v, "rule")}};
    }
    *ret = res;
    return 0;
}

int node_chunk_run(const char *socket, struct arena *a, const struct chunk *c, const char *position,
                   struct chunk_result *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb body = sb_make(OPERATOR_IMPORT_BODY_MAX);
    struct str target = arena_fmt(a, OPERATOR_IMPORT "?chunk=%llu&alone=%d&position=%s",
                                  (unsigned long long)c->number, c->alone, position);
    yyjson_val *root;
    int r = target.p ? write_lines(c, &body, err) : err_no_memory(err);

    if (r >= 0)
        r = ask(a,
                &(struct http_ask){.socket_path = socket,
                                   .method = "POST",
                                   .target = target.p,
                                   .body = sb_view(&body)},
                &root, err);
    if (r == ERR_TIMEOUT || r == ERR_NOT_FOUND)
        err_set(err, r,
                "the node stopped; what it has stored stays, and the same import goes on "
                "from there");
    return r < 0 ? r : read_result(a, c, root, ret, err);
}
