#include "server/terms_load.h"

#include "terminology/canonical.h"
#include "terminology/load.h"
#include "terminology/loaded.h"

#include <stdlib.h>

#define RESOURCES_BYTES_MAX MIB(512) /* of all resources of the files */
#define LINES_ARENA_MAX MIB(1024)

/* One system or map that waits until all files are read. */
struct waiting {
    const char *type;
    struct str url, version, resource, image;
    uint64_t n;
    struct waiting *next;
};

struct loading {
    const struct place *place;
    const struct terms_load_report *report;
    struct waiting *first, *last;
    struct sb resources; /* one a line */
    size_t n_resources, n_refused;
    struct err *err;
};

/* ---- gathering ---- */

static struct str keep(struct str s, bool *ok)
{
    char *p = malloc(s.n + 1);

    if (!p) {
        *ok = false;
        return STR("");
    }
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return str_n(p, s.n);
}

static void waiting_free(struct waiting *w)
{
    const struct str texts[] = {w->url, w->version, w->resource, w->image};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free((char *)(uintptr_t)texts[i].p);
    free(w);
}

static int take(void *ctx, const struct load_result *result, struct err *err)
{
    struct loading *l = ctx;
    struct waiting *w = calloc(1, sizeof *w);
    bool ok = true;

    if (!w)
        return err_no_memory(err);
    w->type = result->type;
    w->url = keep(result->url, &ok);
    w->version = keep(result->version, &ok);
    w->resource = keep(result->resource, &ok);
    w->image = keep(result->image, &ok);
    w->n = result->n;
    if (l->last)
        l->last->next = w;
    else
        l->first = w;
    l->last = w;
    return ok ? 0 : err_no_memory(err);
}

/* One line of JSON: line ends inside are blanks between values. */
static int take_resource(void *ctx, struct str json, struct err *err)
{
    struct loading *l = ctx;
    size_t from = l->resources.n;

    sb_str(&l->resources, json);
    sb_char(&l->resources, '\n');
    if (l->resources.failed)
        return err_set(err, ERR_TOO_LONG, "the resources have more than %zu MiB",
                       RESOURCES_BYTES_MAX >> 20);
    for (size_t i = from; i + 1 < l->resources.n; i++)
        if (l->resources.p[i] == '\n' || l->resources.p[i] == '\r')
            l->resources.p[i] = ' ';
    l->n_resources++;
    return 0;
}

static void on_progress(void *ctx, const char *path, uint64_t done, uint64_t all)
{
    struct loading *l = ctx;

    l->report->progress(l->report->ctx, path, done, all);
}

static int read_files(struct loading *l, char *const *paths, size_t n)
{
    struct load_sink sink = {.ctx = l,
                             .take = take,
                             .resource = take_resource,
                             .progress = l->report->progress ? on_progress : NULL};
    _cleanup_(load_freep) struct load *load = load_new(&sink);
    int r = load ? 0 : err_no_memory(l->err);

    for (size_t i = 0; r >= 0 && i < n; i++)
        r = load_read(load, paths[i], l->err);
    return r < 0 ? r : load_finish(load, l->err);
}

/* ---- keeping: systems and maps ---- */

/* The image, in parts, under a new name. */
static int put_image(struct loading *l, struct arena *a, struct str name, const struct waiting *w,
                     struct str *ret_blob)
{
    struct str rest = w->image;
    int r = loaded_blob_new(a, name, ret_blob, l->err);

    for (uint32_t part = 0; r >= 0 && rest.n; part++) {
        struct str bytes = str_head(rest, STORE_BLOB_PART_MAX);
        rest = str_from(rest, bytes.n);
        r = place_part(l->place, *ret_blob, part, bytes, l->err);
        if (r >= 0 && l->report->progress)
            l->report->progress(l->report->ctx, "storing", w->image.n - rest.n, w->image.n);
    }
    return r;
}

static int store_waiting(struct loading *l, struct arena *a, const struct waiting *w)
{
    struct api_line line = {.text = w->resource};
    struct place_note note = {.kind = NOTE_LOADED};
    char name[LOADED_NAME_MAX];
    int r;

    if (!loaded_name(name, w->type, w->url, w->version))
        return err_set(l->err, ERR_TOO_LONG, "the canonical URL is too long");
    note.a = str_c(name);
    r = put_image(l, a, note.a, w, &note.b);
    if (r >= 0)
        r = place_put(l->place, a, PLACE_TERMINOLOGY, &line, 1, &note, l->err);
    if (r >= 0 && line.result < 0) {
        *l->err = line.err;
        r = line.result;
    }
    if (r >= 0)
        l->report->loaded(l->report->ctx, w->type, w->url, w->version, w->n);
    return r;
}

/* ---- keeping: resources ---- */

static int flush(struct loading *l, struct arena *a, struct api_line *lines, size_t n)
{
    struct place_note none = {0};
    int r = place_put(l->place, a, PLACE_TERMINOLOGY, lines, n, &none, l->err);

    for (size_t i = 0; r >= 0 && i < n; i++)
        if (lines[i].result < 0) {
            l->n_refused++;
            if (l->report->refused)
                l->report->refused(l->report->ctx, lines[i].text, &lines[i].err);
        }
    arena_reset(a);
    return r;
}

static int store_resources(struct loading *l, struct arena *a)
{
    struct api_line *lines = calloc(PLACE_LINES_MAX, sizeof *lines);
    struct str rest = sb_view(&l->resources), line;
    size_t n = 0, bytes = 0;
    int r = lines ? 0 : err_no_memory(l->err);

    while (r >= 0 && rest.n && str_split(&rest, '\n', &line)) {
        if (!line.n)
            continue;
        lines[n++] = (struct api_line){.text = line};
        bytes += line.n;
        if (n < PLACE_LINES_MAX && bytes < PLACE_LINES_BYTES)
            continue;
        r = flush(l, a, lines, n);
        n = bytes = 0;
    }
    if (r >= 0 && n)
        r = flush(l, a, lines, n);
    free(lines);
    if (r >= 0 && l->n_resources)
        l->report->loaded(l->report->ctx, "resources", STR(""), STR(""),
                          l->n_resources - l->n_refused);
    return r;
}

static int store_all(struct loading *l)
{
    struct access who = place_worker_access(PLACE_TERMINOLOGY);
    struct arena a;
    int r;

    arena_init(&a, LINES_ARENA_MAX);
    r = store_resources(l, &a);
    for (const struct waiting *w = l->first; r >= 0 && w; w = w->next) {
        r = store_waiting(l, &a, w);
        arena_reset(&a);
    }
    arena_done(&a);
    /* Beside a node others may be loading: it sweeps when it starts. */
    return r < 0 || !l->place->store ? r : loaded_sweep(l->place->store, &who, l->err);
}

int terms_load(const struct place *place, char *const *paths, size_t n,
               const struct terms_load_report *report, struct err *err)
{
    struct loading l = {
        .place = place, .report = report, .resources = sb_make(RESOURCES_BYTES_MAX), .err = err};
    int r = read_files(&l, paths, n);

    if (r >= 0)
        r = store_all(&l);
    for (struct waiting *w = l.first, *next; w; w = next) {
        next = w->next;
        waiting_free(w);
    }
    sb_done(&l.resources);
    return r;
}

/* ---- what is there ---- */

/* "terminology/TYPE/URL|VERSION/RANDOM" apart; false when it is none of ours. */
static bool split_blob(struct str blob, struct terms_loaded *ret)
{
    static const struct str prefix = STR("terminology/");
    ptrdiff_t slash, bar, end = str_rfind(blob, '/');
    struct str rest;

    if (!str_starts(blob, prefix) || end <= (ptrdiff_t)prefix.n)
        return false;
    rest = str_from(str_head(blob, (size_t)end), prefix.n);
    slash = str_find(rest, '/');
    bar = str_rfind(rest, '|');
    if (slash < 0 || bar < slash)
        return false;
    ret->type = str_head(rest, (size_t)slash);
    ret->url = str_n(rest.p + slash + 1, (size_t)(bar - slash - 1));
    ret->version = str_from(rest, (size_t)bar + 1);
    return true;
}

/* Whether it is the one that counts. */
static int is_published(struct store_txn *txn, struct arena *a, struct str blob, bool *ret,
                        struct err *err)
{
    struct str name = arena_dup(a, str_head(blob, (size_t)str_rfind(blob, '/'))), has;
    int r = name.p ? loaded_blob(txn, a, name.p, &has, err) : err_no_memory(err);

    *ret = r >= 0 && str_eq(has, blob);
    return r;
}

int terms_list(struct store *store, struct arena *a, struct terms_loaded **ret, size_t *ret_n,
               struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_job(STR("terminology"));
    struct terms_loaded *list = NULL, *more;
    struct str blob = STR("");
    size_t n = 0;
    int r = store_begin(store, &who, &txn, err);

    while (r >= 0) {
        struct terms_loaded one;
        bool published;
        r = store_blob_next(txn, blob, a, &blob, &one.bytes, err);
        if (r < 0 || !blob.p)
            break;
        if (!split_blob(blob, &one))
            continue;
        r = is_published(txn, a, blob, &published, err);
        if (r < 0 || !published)
            continue;
        more = arena_grow(a, list, n * sizeof *list, (n + 1) * sizeof *list);
        if (!more)
            return err_no_memory(err);
        list = more;
        list[n++] = one;
    }
    *ret = list;
    *ret_n = n;
    return r;
}

/* ---- taking away ---- */

struct removing {
    struct store_job job;
    struct arena *a;
    const struct terms_loaded *what;
    struct str id; /* of its resource; STR_NULL: it has none any more */
};

static int remove_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct removing *m = (struct removing *)job;
    struct put put = {.method = METHOD_DELETE, .type = def_resource(m->what->type), .id = m->id};
    char name[LOADED_NAME_MAX];
    struct str type = arena_dup(m->a, m->what->type);
    struct version version;
    int r;

    if (!type.p || !loaded_name(name, type.p, m->what->url, m->what->version))
        return err_no_memory(err);
    r = loaded_publish(txn, m->a, name, STR_NULL, err);
    return r >= 0 && m->id.p ? store_put(txn, &put, &version, err) : r;
}

static int remove_one(struct store *store, struct arena *a, const struct access *who,
                      const struct terms_loaded *what, struct err *err)
{
    struct removing m = {.job = {.run = remove_run, .who = who}, .a = a, .what = what};
    struct str parts[] = {what->url, what->version.n ? STR("|") : STR(""), what->version};
    struct str canonical = arena_join(a, parts, 3);
    yyjson_val *resource;
    int r = canonical.p
                ? canonical_get(store, who, a, def_resource(what->type), canonical, &resource, err)
                : err_no_memory(err);

    if (r < 0)
        return r;
    m.id = resource ? js_get_str(resource, "id") : STR_NULL;
    return store_write(store, &m.job, err);
}

int terms_remove(struct store *store, struct str canonical, size_t *ret_n, struct err *err)
{
    struct str version, url = canonical_split(canonical, &version);
    struct access who = trust_job(STR("terminology"));
    struct terms_loaded *list;
    struct arena a;
    size_t n;
    int r;

    arena_init(&a, MIB(64));
    *ret_n = 0;
    r = terms_list(store, &a, &list, &n, err);
    for (size_t i = 0; r >= 0 && i < n; i++) {
        if (!str_eq(list[i].url, url) || (version.p && !str_eq(list[i].version, version)))
            continue;
        r = remove_one(store, &a, &who, &list[i], err);
        *ret_n += r >= 0;
    }
    if (r >= 0 && !*ret_n)
        r = err_set(err, ERR_NOT_FOUND, "\"%.*s\" is not loaded", (int)MIN(canonical.n, 300u),
                    canonical.p);
    arena_done(&a);
    return r;
}
