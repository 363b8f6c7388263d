#include "terminology/load.h"

#include "terminology/load_int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define PEEK_BYTES KIB(4)
#define PROGRESS_LINES 5000

static const struct load_reader *const readers[] = {
    &load_axes_reader,
    &load_icd11_reader,
    &load_map_10_11_reader,
    &load_map_11_10_reader,
    &load_loinc_reader,
    &load_snomed_concept_reader,
    &load_snomed_description_reader,
    &load_snomed_relationship_reader,
    &load_snomed_concrete_reader,
    &load_snomed_language_reader,
    &load_snomed_refset_reader,
    &load_snomed_identifier_reader,
    &load_atc_reader,
};

/* ---- cells ---- */

void cells_split(struct cells *c, struct str line, char between)
{
    struct str cell;

    c->n = 0;
    while (c->n < LOAD_CELLS_MAX && line.p && str_split(&line, between, &cell))
        c->v[c->n++] = cell;
    for (size_t i = c->n; i < LOAD_CELLS_MAX; i++)
        c->v[i] = STR("");
}

/* The bytes between quotes, doubled ones made single; *n becomes the bytes that were passed. */
static struct str unquote(struct str s, size_t *n)
{
    char *to = (char *)(uintptr_t)s.p;
    size_t i = 1, k = 0;

    for (; i < s.n; i++) {
        if (s.p[i] == '"' && (i + 1 == s.n || s.p[i + 1] != '"'))
            break;
        if (s.p[i] == '"')
            i++;
        to[k++] = s.p[i];
    }
    *n = MIN(i + 1, s.n);
    return str_n(to, k);
}

void cells_split_quoted(struct cells *c, struct str line, char between)
{
    c->n = 0;
    while (c->n < LOAD_CELLS_MAX) {
        if (line.n && line.p[0] == '"') {
            size_t n;
            c->v[c->n++] = unquote(line, &n);
            line = str_from(line, n);
        } else {
            ptrdiff_t end = str_find(line, between);
            size_t n = end < 0 ? line.n : (size_t)end;
            c->v[c->n++] = str_head(line, n);
            line = str_from(line, n);
        }
        if (!line.n)
            break;
        line = str_from(line, 1);
    }
    for (size_t i = c->n; i < LOAD_CELLS_MAX; i++)
        c->v[i] = STR("");
}

int cells_find(const struct cells *header, const char *name)
{
    for (size_t i = 0; i < header->n; i++) {
        size_t k = 0, at = 0;
        struct str h = header->v[i];
        for (; k < h.n && name[at]; k++) {
            if (!isalnum((unsigned char)h.p[k]))
                continue;
            if (tolower((unsigned char)h.p[k]) != name[at])
                break;
            at++;
        }
        while (k < h.n && !isalnum((unsigned char)h.p[k]))
            k++;
        if (k == h.n && !name[at])
            return (int)i;
    }
    return -1;
}

/* ---- files ---- */

struct load *load_new(const struct load_sink *sink)
{
    struct load *l = load_alloc(sizeof *l);

    if (l)
        l->sink = sink;
    return l;
}

void load_free(struct load *l)
{
    if (!l)
        return;
    load_axes_free(l->axes);
    load_icd11_free(l->icd11);
    load_maps_free(l->maps);
    load_loinc_free(l->loinc);
    load_snomed_free(l->snomed);
    load_atc_free(l->atc);
    free(l);
}

static void progress(struct load *l, const struct unpack *u)
{
    uint64_t done, all;

    if (!l->sink->progress)
        return;
    unpack_progress(u, &done, &all);
    l->sink->progress(l->sink->ctx, l->path, done, all);
}

/* "file: what does not hold" */
static int in_file(struct load *l, struct err *err)
{
    char why[ERR_TEXT_MAX / 2];
    int code = err->code;

    snprintf(why, sizeof why, "%.*s", (int)sizeof why - 1, err->text);
    return err_set(err, code, "%.*s: %s", (int)MIN(l->name.n, 200u), l->name.p, why);
}

/* "file: line 7: what does not hold" */
static int at_line(struct load *l, struct unpack *u, struct err *err)
{
    char why[ERR_TEXT_MAX / 2];
    int code = err->code;

    snprintf(why, sizeof why, "%.*s", (int)sizeof why - 1, err->text);
    return err_set(err, code, "%.*s: line %llu: %s", (int)MIN(l->name.n, 200u), l->name.p,
                   (unsigned long long)unpack_line_number(u), why);
}

static void split(const struct load_reader *reader, struct cells *cells, struct str line)
{
    if (reader->quotes)
        cells_split_quoted(cells, line, reader->between);
    else
        cells_split(cells, line, reader->between);
}

static int read_lines(struct load *l, struct unpack *u, const struct load_reader *reader,
                      struct err *err)
{
    struct cells cells;
    struct str line;
    int r = unpack_line(u, reader->quotes, &line, err);

    if (r <= 0)
        return r;
    split(reader, &cells, line);
    r = reader->begin(l, &cells, err);
    while (r >= 0 && (r = unpack_line(u, reader->quotes, &line, err)) > 0) {
        if (!line.n)
            continue;
        split(reader, &cells, line);
        r = reader->line(l, &cells, err);
        if (unpack_line_number(u) % PROGRESS_LINES == 0)
            progress(l, u);
    }
    return r < 0 ? at_line(l, u, err) : 0;
}

/* The first line, in memory of its own: the cells are unquoted in place. */
static const struct load_reader *recognise(struct str start)
{
    char copy[PEEK_BYTES];
    struct cells cells;
    ptrdiff_t end;

    if (str_starts(start, STR("\xef\xbb\xbf")))
        start = str_from(start, 3);
    end = str_find(start, '\n');
    start = end < 0 ? start : str_head(start, (size_t)end);
    if (start.n && start.p[start.n - 1] == '\r')
        start.n--;
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        memcpy(copy, start.p, start.n);
        split(readers[i], &cells, str_n(copy, start.n));
        if (readers[i]->knows(&cells))
            return readers[i];
    }
    return NULL;
}

static int read_json(struct load *l, struct unpack *u, bool *ret_known, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(LOAD_RESOURCE_MAX + KIB(64));
    int r = unpack_rest(u, LOAD_RESOURCE_MAX, &text, err);

    if (r >= 0)
        r = load_json(l, sb_view(&text), ret_known, err);
    return r < 0 ? in_file(l, err) : 0;
}

static int read_one(struct load *l, struct unpack *u, bool *ret_known, struct err *err)
{
    const struct load_reader *reader;
    struct str start;
    int r = unpack_peek(u, PEEK_BYTES, &start, err);

    *ret_known = false;
    if (r < 0 || !start.n)
        return r;
    if (start.p[0] == '{' || start.p[0] == '[')
        return read_json(l, u, ret_known, err);
    if (load_is_claml(start)) {
        *ret_known = true;
        return load_claml(l, u, err) < 0 ? in_file(l, err) : 0;
    }
    reader = recognise(start);
    *ret_known = reader != NULL;
    return reader ? read_lines(l, u, reader, err) : 0;
}

static int read_all(struct load *l, struct unpack *u, const char *path, struct err *err)
{
    bool any = false;
    int r = 0;

    l->path = path;
    while (r >= 0 && (r = unpack_next(u, &l->name, err)) > 0) {
        bool known;
        r = read_one(l, u, &known, err);
        any |= known;
        progress(l, u);
    }
    if (r >= 0 && !any)
        return err_set(err, ERR_NOT_SUPPORTED, "\"%s\" holds nothing that can be loaded", path);
    return r;
}

int load_read(struct load *l, const char *path, struct err *err)
{
    _cleanup_(unpack_closep) struct unpack *u = NULL;
    int r = unpack_open(path, &u, err);

    return r < 0 ? r : read_all(l, u, path, err);
}

int load_read_memory(struct load *l, const char *name, struct str bytes, struct err *err)
{
    _cleanup_(unpack_closep) struct unpack *u = NULL;
    int r = unpack_open_memory(name, bytes, &u, err);

    return r < 0 ? r : read_all(l, u, name, err);
}

int load_finish(struct load *l, struct err *err)
{
    static int (*const finishers[])(struct load * l, struct err * err) = {
        load_icd11_finish, load_maps_finish, load_loinc_finish, load_snomed_finish, load_atc_finish,
    };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_LEN(finishers); i++)
        r = finishers[i](l, err);
    return r;
}

/* ---- what is given ---- */

static void member(struct sb *b, const char *name, struct str value)
{
    if (!value.n)
        return;
    sb_fmt(b, ",\"%s\":", name);
    sb_json(b, value);
}

/* An id of its letters, digits, '-' and '.'. */
static void write_id(struct sb *b, const char *id, struct str version)
{
    size_t n = strlen(id);

    sb_lit(b, ",\"id\":\"");
    sb_str(b, str_c(id));
    for (size_t i = 0; i < version.n && n < 60; i++, n++) {
        if (i == 0)
            sb_char(b, '-'), n++;
        sb_char(b,
                isalnum((unsigned char)version.p[i]) || version.p[i] == '.' ? version.p[i] : '-');
    }
    sb_char(b, '"');
}

static void write_about(struct sb *b, const char *type, const struct load_about *about,
                        struct str url, struct str version)
{
    sb_fmt(b, "{\"resourceType\":\"%s\"", type);
    write_id(b, about->id, version);
    member(b, "url", url);
    member(b, "version", version);
    member(b, "name", str_c(about->name));
    member(b, "title", str_c(about->title));
    sb_lit(b, ",\"status\":\"active\",\"experimental\":false");
    member(b, "publisher", str_c(about->publisher));
    member(b, "copyright", str_c(about->copyright));
}

static void write_properties(struct sb *b, const struct cs *cs)
{
    static const char *const types[] = {"code",    "Coding",   "string", "integer",
                                        "boolean", "dateTime", "decimal"};
    size_t n;
    const struct cs_property_def *defs = cs_property_defs(cs, &n);

    for (size_t i = 0; i < n; i++) {
        sb_str(b, i ? STR(",{\"code\":") : STR(",\"property\":[{\"code\":"));
        sb_json(b, cs_text(cs, defs[i].code));
        member(b, "uri", cs_text(cs, defs[i].uri));
        member(b, "description", cs_text(cs, defs[i].description));
        sb_fmt(b, ",\"type\":\"%s\"}", types[defs[i].type]);
    }
    if (n)
        sb_char(b, ']');
}

int load_give_system(struct load *l, struct cs_builder *builder, const struct load_about *about,
                     struct err *err)
{
    _cleanup_(sb_done) struct sb b = sb_make(MIB(4));
    struct load_result result = {.type = "CodeSystem"};
    struct cs *cs;
    char *bytes;
    size_t n;
    int r = cs_build(builder, &bytes, &n, err);

    if (r < 0 || (r = cs_open(bytes, n, &cs, err)) < 0)
        return r;
    result.url = cs_url(cs);
    result.version = cs_version(cs);
    result.image = str_n(bytes, n);
    result.n = cs_n(cs);
    write_about(&b, "CodeSystem", about, result.url, result.version);
    if (!(cs_info(cs)->flags & CS_CASE_UNKNOWN))
        sb_fmt(&b, ",\"caseSensitive\":%s", cs_info(cs)->flags & CS_IGNORE_CASE ? "false" : "true");
    if (cs_info(cs)->flags & CS_COMPOSITIONAL)
        sb_lit(&b, ",\"compositional\":true");
    member(&b, "hierarchyMeaning", cs_text(cs, cs_info(cs)->hierarchy));
    sb_fmt(&b, ",\"content\":\"not-present\",\"count\":%zu", result.n);
    write_properties(&b, cs);
    sb_char(&b, '}');
    result.resource = sb_view(&b);
    r = sb_ok(&b, err);
    if (r >= 0)
        r = l->sink->take(l->sink->ctx, &result, err);
    cs_unref(cs);
    return r;
}

int load_give_map(struct load *l, struct map_builder *builder, const struct load_about *about,
                  struct str source, struct str target, struct err *err)
{
    _cleanup_(sb_done) struct sb b = sb_make(MIB(1));
    struct load_result result = {.type = "ConceptMap"};
    struct map *m;
    char *bytes;
    size_t n;
    int r = map_build(builder, &bytes, &n, err);

    if (r < 0 || (r = map_open(bytes, n, &m, err)) < 0)
        return r;
    result.url = map_text(m, map_info(m)->url);
    result.version = map_text(m, map_info(m)->version);
    result.image = str_n(bytes, n);
    result.n = map_info(m)->n_targets;
    write_about(&b, "ConceptMap", about, result.url, result.version);
    member(&b, "sourceUri", source);
    member(&b, "targetUri", target);
    sb_char(&b, '}');
    result.resource = sb_view(&b);
    r = sb_ok(&b, err);
    if (r >= 0)
        r = l->sink->take(l->sink->ctx, &result, err);
    map_unref(m);
    return r;
}
