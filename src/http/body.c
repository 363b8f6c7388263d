#include "http/http_int.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#define INFLATE_STEP KIB(16)
#define HEAP_FIRST KIB(16)

/* Counts n more bytes against the server's budget for bodies in flight. */
static bool reserve(struct http_exchange *x, size_t n)
{
    struct http_server *s = x->server;
    size_t before = atomic_fetch_add_explicit(&s->bodies, n, memory_order_relaxed);

    if (before + n > s->config.bodies_max) {
        atomic_fetch_sub_explicit(&s->bodies, n, memory_order_relaxed);
        err_set(&x->err, ERR_BUSY, "too many large bodies are on their way; try again");
        return false;
    }
    x->body.reserved += n;
    return true;
}

/* Gives back whatever the body holds. */
static void release(struct http_exchange *x)
{
    struct body *b = &x->body;

    if (b->kind == BODY_HEAP)
        free(b->p);
    if (b->kind == BODY_FILE && b->p)
        munmap(b->p, b->n);
    if (b->kind == BODY_FILE)
        close(b->fd);
    if (b->inflate) {
        inflateEnd(b->inflate);
        free(b->inflate);
    }
    if (b->reserved)
        atomic_fetch_sub_explicit(&x->server->bodies, b->reserved, memory_order_relaxed);
    *b = (struct body){.wire = b->wire, .discard = b->discard};
}

void body_done(struct http_exchange *x)
{
    release(x);
    x->body = (struct body){0};
}

static void refuse(struct http_exchange *x)
{
    assert(x->err.code);
    x->body.discard = true;
    release(x);
}

static int open_spool(const struct http_config *c)
{
    const char *dir = c->spool_dir;
    char path[512];
    int fd = c->spool_in_memory ? memfd_create("carnet-body", MFD_CLOEXEC)
                                : open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || c->spool_in_memory ||
        (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    /* File systems without O_TMPFILE. */
    if (snprintf(path, sizeof path, "%s/body-XXXXXX", dir) >= (int)sizeof path)
        return -1;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static bool write_all(int fd, const char *p, size_t n)
{
    if (fault_point("spool")) {
        errno = ENOSPC;
        return false;
    }
    while (n > 0) {
        ssize_t did = write(fd, p, n);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return false;
        p += did;
        n -= (size_t)did;
    }
    return true;
}

static bool spool_failed(struct http_exchange *x)
{
    int why = errno;

    err_set(&x->err, why == ENOSPC || why == EDQUOT ? ERR_FULL : ERR_INTERNAL,
            "the body could not be kept while it arrived");
    err_detail(&x->err, "spool in %s: %s", x->server->config.spool_dir, strerror(why));
    return false;
}

static bool to_file(struct http_exchange *x)
{
    struct body *b = &x->body;
    int fd = open_spool(&x->server->config);

    if (fd < 0)
        return spool_failed(x);
    if (!write_all(fd, b->p, b->n)) {
        spool_failed(x);
        close(fd);
        return false;
    }
    free(b->p);
    b->p = NULL;
    b->cap = 0;
    b->kind = BODY_FILE;
    b->fd = fd;
    return true;
}

static bool grow_heap(struct http_exchange *x, size_t n)
{
    struct body *b = &x->body;
    size_t cap = MAX(b->cap * 2, MAX(n, HEAP_FIRST));
    char *p;

    if (!reserve(x, cap - b->cap))
        return false;
    p = fault_point("body") ? NULL : realloc(b->p, cap);
    if (!p) {
        err_no_memory(&x->err);
        return false;
    }
    b->p = p;
    b->cap = cap;
    b->kind = BODY_HEAP;
    return true;
}

/* Appends n bytes of the body itself. */
static bool put(struct http_exchange *x, const char *p, size_t n)
{
    struct body *b = &x->body;

    if (n == 0)
        return true;
    if (n > x->server->config.body_max - b->n) {
        err_set(&x->err, ERR_TOO_LONG, "the body is longer than %zu bytes",
                x->server->config.body_max);
        return false;
    }
    if (b->kind == BODY_ARENA && n > b->cap - b->n) {
        /* The length was wrong: libmicrohttpd does not let this happen. */
        err_set(&x->err, ERR_SYNTAX, "the body is longer than its Content-Length");
        return false;
    }
    if ((b->kind == BODY_NONE || b->kind == BODY_HEAP) && n > b->cap - b->n) {
        if (b->n + n > x->server->config.large_body ? !to_file(x) : !grow_heap(x, b->n + n))
            return false;
    }
    if (b->kind == BODY_FILE) {
        if (!reserve(x, n))
            return false;
        if (!write_all(b->fd, p, n))
            return spool_failed(x);
    } else {
        memcpy(b->p + b->n, p, n);
    }
    b->n += n;
    return true;
}

/* Members may follow each other (RFC 1952, 2.2). The limit is on what comes out. */
static bool put_inflated(struct http_exchange *x, const char *p, size_t n)
{
    struct body *b = &x->body;
    z_stream *z = b->inflate;
    char out[INFLATE_STEP];

    z->next_in = (unsigned char *)(uintptr_t)p; /* zlib only reads */
    z->avail_in = (unsigned)n;
    do {
        int r;

        if (b->inflate_ended) {
            inflateReset(z);
            b->inflate_ended = false;
        }
        z->next_out = (unsigned char *)out;
        z->avail_out = sizeof out;
        r = inflate(z, Z_NO_FLUSH);
        if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR) {
            err_set(&x->err, r == Z_MEM_ERROR ? ERR_NO_MEMORY : ERR_SYNTAX,
                    r == Z_MEM_ERROR ? "the request needs more memory than it may use"
                                     : "the body is not gzip, as its Content-Encoding says");
            return false;
        }
        b->inflate_ended = r == Z_STREAM_END;
        if (!put(x, out, sizeof out - z->avail_out))
            return false;
    } while (z->avail_in > 0 || (z->avail_out == 0 && !b->inflate_ended));
    return true;
}

static bool begin_inflate(struct http_exchange *x)
{
    z_stream *z = fault_point("inflate") ? NULL : calloc(1, sizeof *z);

    if (!z || inflateInit2(z, MAX_WBITS + 16) != Z_OK) {
        free(z);
        err_no_memory(&x->err);
        return false;
    }
    x->body.inflate = z;
    return true;
}

void body_begin(struct http_exchange *x, const struct head *head)
{
    struct body *b = &x->body;

    if (head->gzip && (head->chunked || head->length > 0)) {
        if (!begin_inflate(x))
            refuse(x);
    } else if (head->length > 0 && head->length <= BODY_ARENA_MAX) {
        b->p = arena_alloc(&x->arena, head->length);
        if (b->p) {
            b->kind = BODY_ARENA;
            b->cap = head->length;
        }
    }
}

void body_take(struct http_exchange *x, const char *p, size_t n)
{
    struct body *b = &x->body;

    b->wire += n;
    if (b->discard)
        return;
    if (x->err.code || (b->inflate ? !put_inflated(x, p, n) : !put(x, p, n)))
        refuse(x);
}

void body_end(struct http_exchange *x)
{
    struct body *b = &x->body;

    if (x->err.code)
        return;
    if (b->inflate && !b->inflate_ended) {
        err_set(&x->err, ERR_SYNTAX, "the gzip body ends early");
        return;
    }
    if (b->kind == BODY_FILE) {
        void *map = mmap(NULL, b->n, PROT_READ, MAP_PRIVATE, b->fd, 0);
        if (map == MAP_FAILED) {
            spool_failed(x);
            return;
        }
        b->p = map;
    }
    x->req.body = b->n ? str_n(b->p, b->n) : STR("");
}
