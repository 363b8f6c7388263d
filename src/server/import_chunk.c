/* import_chunk.c - some lines of a file, and how they get into the store in one commit. */
#include "server/import_int.h"

#include "base/js.h"
#include "fhir/xml.h"

#include <stdlib.h>

/* ---- chunks ---- */

struct chunk *chunk_new(const char *file, bool alone)
{
    struct chunk *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->file = file;
    c->alone = alone;
    c->lines = calloc(alone ? 1 : IMPORT_CHUNK_LINES, sizeof *c->lines);
    if (!c->lines) {
        free(c);
        return NULL;
    }
    return c;
}

bool chunk_add(struct chunk *c, struct str line, uint64_t number)
{
    if (c->n + line.n > c->cap) {
        size_t cap = MAX(c->n + line.n, c->alone ? 0 : (size_t)IMPORT_CHUNK_BYTES);
        char *p = realloc(c->text, cap);
        if (!p)
            return false;
        c->text = p;
        c->cap = cap;
    }
    c->lines[c->n_lines++] = (struct chunk_line){c->n, line.n, number};
    memcpy(c->text + c->n, line.p, line.n);
    c->n += line.n;
    return true;
}

void chunk_free(struct chunk *c)
{
    if (!c)
        return;
    free(c->lines);
    free(c->text);
    free(c);
}

/* ---- one chunk ---- */

struct work {
    struct api *api;
    const struct chunk *chunk;
    const char *position;
    struct arena *a;
    struct chunk_result result;
    size_t cap_rejects;
};

/* In the same transaction as the chunk's effect, on the writer's thread. */
static int mark(void *ctx, struct store_txn *txn, struct err *err)
{
    struct work *w = ctx;

    int r = w->position[0] ? position_mark(w->position, w->chunk->number, txn, err) : 0;

    w->result.was_done = r == ERR_DUPLICATE;
    return r;
}

static int reject(struct work *w, uint64_t line, struct str text, const struct err *why,
                  struct api_rule broken, struct err *err)
{
    struct chunk_result *res = &w->result;
    struct reject *rj;

    if (res->n_rejects == w->cap_rejects) {
        size_t cap = w->cap_rejects ? w->cap_rejects * 2 : 16;
        rj = arena_grow(w->a, res->rejects, w->cap_rejects * sizeof *rj, cap * sizeof *rj);
        if (!rj)
            return err_no_memory(err);
        res->rejects = rj;
        w->cap_rejects = cap;
    }
    rj = &res->rejects[res->n_rejects++];
    *rj = (struct reject){.line = line,
                          .text = text,
                          .code = str_c(err_issue_type(why->code)),
                          .where = arena_dup(w->a, str_c(why->where)),
                          .reason = arena_dup(w->a, str_c(why->text)),
                          .broken = broken};
    return rj->where.p && rj->reason.p ? 0 : err_no_memory(err);
}

static int put_lines(struct work *w, struct api_line *lines, const uint64_t *numbers, size_t n,
                     struct err *err)
{
    int r = api_put_lines(w->api, w->a, trust_job(STR("import")), lines, n, mark, w, err);

    for (size_t i = 0; r >= 0 && i < n; i++) {
        if (lines[i].result < 0)
            r = reject(w, numbers[i], lines[i].text, &lines[i].err, lines[i].broken, err);
        else
            w->result.resources++;
    }
    return r;
}

static int import_lines(struct work *w, struct err *err)
{
    const struct chunk *c = w->chunk;
    struct api_line *lines = ARENA_ARRAY(w->a, struct api_line, c->n_lines);
    uint64_t *numbers = ARENA_ARRAY(w->a, uint64_t, c->n_lines);

    if (!lines || !numbers)
        return err_no_memory(err);
    for (size_t i = 0; i < c->n_lines; i++) {
        lines[i].text = str_n(c->text + c->lines[i].at, c->lines[i].n);
        numbers[i] = c->lines[i].number;
    }
    return put_lines(w, lines, numbers, c->n_lines, err);
}

/* The resources of a collection, each as a line of its own. */
static int import_entries(struct work *w, yyjson_val *root, struct err *err)
{
    yyjson_val *entries = js_get(root, "entry"), *entry;
    size_t n = yyjson_arr_size(entries), i, max, at = 0;
    struct api_line *lines = ARENA_ARRAY(w->a, struct api_line, n + 1);
    uint64_t *numbers = ARENA_ARRAY(w->a, uint64_t, n + 1);
    int r = 0;

    if (!lines || !numbers)
        return err_no_memory(err);
    yyjson_arr_foreach(entries, i, max, entry) {
        _cleanup_(sb_done) struct sb text = sb_make(IMPORT_LINE_MAX);
        yyjson_val *resource = js_get(entry, "resource");
        if (!resource)
            continue;
        js_write(&text, resource);
        if ((r = sb_ok(&text, err)) < 0)
            return r;
        lines[at].text = arena_dup(w->a, sb_view(&text));
        if (!lines[at].text.p)
            return err_no_memory(err);
        numbers[at++] = w->chunk->lines[0].number;
    }
    w->result.bundles++;
    return put_lines(w, lines, numbers, at, err);
}

static int run_bundle(struct work *w, struct str text, size_t n_entries, struct err *err)
{
    struct err why = {0};
    struct api_rule broken;
    size_t failed;
    int r =
        api_bundle(w->api, w->a, trust_job(STR("import")), text, mark, w, &failed, &broken, &why);

    if (w->result.was_done || (r < 0 && err_http_status(r) >= 500)) {
        *err = why;
        return r;
    }
    w->result.bundles++;
    if (r >= 0)
        w->result.resources += n_entries - failed;
    return r < 0 || failed ? reject(w, w->chunk->lines[0].number, text, &why, broken, err) : 0;
}

/* A document that is one resource. */
static int import_document(struct work *w, struct str text, struct err *err)
{
    struct api_line line = {.text = text};

    return put_lines(w, &line, &w->chunk->lines[0].number, 1, err);
}

/* A document in XML becomes the JSON that it says. */
static int read_xml(struct work *w, struct str *text, struct err *err)
{
    _cleanup_(sb_done) struct sb json = sb_make(IMPORT_LINE_MAX);
    int r = xml_read(w->a, *text, &json, err);
    struct str copy;

    if (r < 0)
        return r;
    copy = arena_dup(w->a, sb_view(&json));
    if (!copy.p)
        return err_no_memory(err);
    *text = copy;
    return 0;
}

static int import_alone(struct work *w, struct err *err)
{
    struct chunk_line line = w->chunk->lines[0];
    struct str text = str_n(w->chunk->text + line.at, line.n), type;
    yyjson_val *root = NULL;
    struct err why;
    int r = xml_is_likely(text) ? read_xml(w, &text, &why) : 0;

    if (r >= 0)
        r = js_parse(w->a, text, &root, &why);
    if (r == ERR_NO_MEMORY)
        return import_document(w, text, err);
    if (r < 0)
        return reject(w, line.number, text, &why, (struct api_rule){0}, err);
    if (!str_eq(js_get_str(root, "resourceType"), STR("Bundle")))
        return import_document(w, text, err);
    type = js_get_str(root, "type");
    if (str_eq(type, STR("transaction")) || str_eq(type, STR("batch")))
        return run_bundle(w, text, yyjson_arr_size(js_get(root, "entry")), err);
    if (str_eq(type, STR("document")) || str_eq(type, STR("message")))
        return import_document(w, text, err);
    return import_entries(w, root, err);
}

int chunk_run(struct api *api, struct arena *a, const struct chunk *c, const char *position,
              struct chunk_result *ret, struct err *err)
{
    struct work w = {.api = api, .chunk = c, .position = position, .a = a};
    int r = c->alone ? import_alone(&w, err) : import_lines(&w, err);

    if (w.result.was_done)
        w.result = (struct chunk_result){.was_done = true};
    else if (r < 0)
        return r;
    *ret = w.result;
    return 0;
}
