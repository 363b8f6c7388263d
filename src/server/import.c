#include "server/import.h"

#include "server/import_int.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define READ_BYTES KIB(256)
#define BUNDLE_LOOK_BYTES 512 /* a Bundle says so at its start */

/* ---- reading a file into chunks ---- */

struct reader {
    struct import *im;
    gzFile gz;
    const char *name;
    char *buf; /* bytes read and not yet handed on */
    size_t n, cap;
    bool at_end, is_document;
    uint64_t line;  /* number of the next line, from 1 */
    uint64_t chunk; /* number of the next chunk */
    struct chunk *filling;
};

static int read_more(struct reader *rd, struct err *err)
{
    int got;

    if (rd->n + READ_BYTES > rd->cap) {
        size_t cap = MAX(rd->cap * 2, READ_BYTES * 2);
        char *p = rd->n > IMPORT_LINE_MAX ? NULL : realloc(rd->buf, cap);
        if (!p)
            return err_set(err, ERR_TOO_LONG, "%s: line %llu is longer than %zu bytes", rd->name,
                           (unsigned long long)rd->line, (size_t)IMPORT_LINE_MAX);
        rd->buf = p;
        rd->cap = cap;
    }
    got = gzread(rd->gz, rd->buf + rd->n, READ_BYTES);
    if (got < 0 || (got == 0 && !gzeof(rd->gz))) {
        int code;
        return err_set(err, ERR_NO_STORE, "%s cannot be read: %s", rd->name,
                       gzerror(rd->gz, &code));
    }
    if (got == 0) {
        int code = Z_OK;
        gzerror(rd->gz, &code);
        if (code == Z_BUF_ERROR)
            return err_set(err, ERR_SYNTAX, "%s ends in the middle of its gzip stream", rd->name);
        rd->at_end = true;
    }
    rd->n += (size_t)got;
    rd->im->stats.bytes = rd->im->bytes_before + (uint64_t)MAX(gzoffset(rd->gz), (z_off_t)0);
    return 0;
}

static bool looks_like_bundle(struct str line)
{
    return memmem(line.p, MIN(line.n, (size_t)BUNDLE_LOOK_BYTES), "\"Bundle\"", 8) != NULL;
}

static int end_chunk(struct reader *rd)
{
    struct chunk *c = rd->filling;

    rd->filling = NULL;
    if (!c)
        return 0;
    c->number = rd->chunk++;
    if (position_is_done(&rd->im->position, c->number)) {
        pthread_mutex_lock(&rd->im->lock);
        rd->im->stats.skipped += c->n_lines;
        pthread_mutex_unlock(&rd->im->lock);
        chunk_free(c);
        return 0;
    }
    return import_queue(rd->im, c);
}

static int add_line(struct reader *rd, struct str line, struct err *err)
{
    bool alone = rd->is_document || looks_like_bundle(line);
    struct chunk *c = rd->filling;
    int r;

    rd->line++;
    if (str_trim(line).n == 0)
        return 0;
    if (c && (alone || c->n_lines == IMPORT_CHUNK_LINES || c->n + line.n > IMPORT_CHUNK_BYTES)) {
        r = end_chunk(rd);
        if (r < 0)
            return r;
        c = NULL;
    }
    if (!c) {
        c = chunk_new(rd->name, alone);
        if (!c)
            return err_no_memory(err);
        rd->filling = c;
    }
    if (!chunk_add(c, line, rd->line - 1))
        return err_no_memory(err);
    return alone ? end_chunk(rd) : 0;
}

/* A file whose first line is no whole object is one document. */
static bool first_line_is_whole(struct str text)
{
    ptrdiff_t end = str_find(text, '\n');
    struct str line = str_trim(end < 0 ? text : str_head(text, (size_t)end));

    return line.n && line.p[0] == '{' && line.p[line.n - 1] == '}';
}

static int read_lines(struct reader *rd, struct err *err)
{
    size_t from = 0;
    int r = 0;

    while (r >= 0) {
        char *end = rd->n > from ? memchr(rd->buf + from, '\n', rd->n - from) : NULL;
        if (end) {
            r = add_line(rd, str_n(rd->buf + from, (size_t)(end - rd->buf) - from), err);
            from = (size_t)(end - rd->buf) + 1;
        } else if (rd->at_end) {
            if (rd->n > from)
                r = add_line(rd, str_n(rd->buf + from, rd->n - from), err);
            break;
        } else {
            memmove(rd->buf, rd->buf + from, rd->n - from);
            rd->n -= from;
            from = 0;
            r = read_more(rd, err);
        }
    }
    return r < 0 ? r : end_chunk(rd);
}

static int read_document(struct reader *rd, struct err *err)
{
    int r = 0;

    rd->is_document = true;
    while (r >= 0 && !rd->at_end)
        r = read_more(rd, err);
    return r < 0 ? r : add_line(rd, str_n(rd->buf, rd->n), err);
}

static int read_file(struct reader *rd, struct err *err)
{
    bool is_stdin = strcmp(rd->name, "-") == 0;
    int fd = is_stdin ? dup(STDIN_FILENO) : open(rd->name, O_RDONLY | O_CLOEXEC), r;

    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "%s cannot be opened: %s", rd->name, strerror(errno));
    rd->gz = gzdopen(fd, "rb");
    if (!rd->gz) {
        close(fd);
        return err_no_memory(err);
    }
    gzbuffer(rd->gz, READ_BYTES);
    rd->line = 1;
    do
        r = read_more(rd, err);
    while (r >= 0 && !rd->at_end && !memchr(rd->buf, '\n', rd->n));
    if (r >= 0)
        r = first_line_is_whole(str_n(rd->buf, rd->n)) || !rd->n ? read_lines(rd, err)
                                                                 : read_document(rd, err);
    chunk_free(rd->filling);
    free(rd->buf);
    gzclose(rd->gz);
    return r;
}

/* ---- the whole ---- */

static uint64_t size_of(const char *name)
{
    struct stat st;

    return strcmp(name, "-") != 0 && stat(name, &st) == 0 && S_ISREG(st.st_mode)
               ? (uint64_t)st.st_size
               : 0;
}

static int load_position(struct import *im, const char *name, struct err *err)
{
    const struct import_place *at = im->place;
    _cleanup_(arena_done) struct arena a;
    struct str text = STR_NULL;
    int r;

    arena_init(&a, MIB(1));
    im->position = (struct position){0};
    position_name(name, im->position_name);
    if (!im->position_name[0])
        return 0;
    r = at->socket ? node_position_read(at->socket, im->position_name, &a, &text, err)
                   : position_read(at->store, im->position_name, &a, &text, err);
    return r < 0 || !text.n ? r : position_parse(&im->position, text, err);
}

static int import_file(struct import *im, const char *name, struct err *err)
{
    struct reader rd = {.im = im, .name = name};
    int r = load_position(im, name, err);

    if (r < 0)
        return r;
    r = read_file(&rd, err);
    import_drain(im); /* the file's chunks are done before the next file's position is used */
    if (r >= 0 && im->failed) {
        *err = im->err;
        r = im->err.code;
    }
    im->bytes_before += size_of(name);
    position_done(&im->position);
    return r;
}

int import_run(const struct import_place *place, const struct import_config *config,
               struct import_stats *ret, struct err *err)
{
    struct import *im = calloc(1, sizeof *im);
    int r;

    if (!im)
        return err_no_memory(err);
    im->place = place;
    im->config = config;
    for (int i = 0; i < config->n_files; i++) {
        uint64_t size = size_of(config->files[i]);
        im->stats.bytes_all += size;
        if (!size) {
            im->stats.bytes_all = 0;
            break;
        }
    }
    r = import_start(im, err);
    for (int i = 0; r >= 0 && i < config->n_files; i++)
        r = import_file(im, config->files[i], err);
    import_stop(im);
    *ret = im->stats;
    free(im);
    return r;
}
