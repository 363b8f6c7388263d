#include "http/http_int.h"

#include <stdlib.h>
#include <zlib.h>

#define GZIP_LEVEL 1 /* the link is rarely as slow as a higher level on a small machine */

/* Weight of one Accept-Encoding item as thousandths, 1000 where none is given; -1 if malformed. */
static int weight(struct str params)
{
    struct str part;

    while (str_split(&params, ';', &part)) {
        int q = 0, unit = 100;

        part = str_trim(part);
        if (part.n < 3 || (part.p[0] | 0x20) != 'q' || part.p[1] != '=')
            continue;
        if (part.p[2] == '1')
            return 1000;
        if (part.p[2] != '0')
            return -1;
        for (size_t i = 4; i < part.n && unit > 0; i++, unit /= 10) {
            if (part.p[i] < '0' || part.p[i] > '9')
                return -1;
            q += (part.p[i] - '0') * unit;
        }
        return q;
    }
    return 1000;
}

bool gzip_accepted(struct str accept)
{
    struct str item;
    int any = -1, gzip = -1;

    if (!accept.p)
        return false;
    while (str_split(&accept, ',', &item)) {
        ptrdiff_t at = str_find(item, ';');
        struct str name = str_trim(at < 0 ? item : str_head(item, (size_t)at));
        int q = at < 0 ? 1000 : weight(str_from(item, (size_t)at + 1));

        if (str_eq_nocase(name, STR("gzip")) || str_eq_nocase(name, STR("x-gzip")))
            gzip = MAX(gzip, q);
        else if (str_eq(name, STR("*")))
            any = q;
    }
    return gzip >= 0 ? gzip > 0 : any > 0;
}

bool http_accepts_gzip(const struct http_exchange *x)
{
    return gzip_accepted(http_header(x, "Accept-Encoding"));
}

bool gzip_suits(const char *type)
{
    return type && (strncmp(type, "text/", 5) == 0 || strstr(type, "json") || strstr(type, "xml"));
}

/* One compressor a thread: making one costs more than compressing a small reply. */
static __thread z_stream *mine;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_stream(void *p)
{
    deflateEnd(p);
    free(p);
}

static void make_key(void)
{
    pthread_key_create(&key, free_stream);
}

static z_stream *stream(void)
{
    z_stream *z = mine;

    if (z)
        return deflateReset(z) == Z_OK ? z : NULL;
    pthread_once(&once, make_key);
    z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    if (deflateInit2(z, GZIP_LEVEL, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(z);
        return NULL;
    }
    pthread_setspecific(key, z);
    mine = z;
    return z;
}

bool gzip_deflate(struct str in, struct sb *out)
{
    z_stream *z = in.n <= UINT32_MAX ? stream() : NULL;
    size_t step = in.n / 4 + 256;
    int r = Z_OK;

    if (!z)
        return false;
    *out = sb_make(in.n);
    z->next_in = (unsigned char *)(uintptr_t)in.p; /* zlib only reads */
    z->avail_in = (unsigned)in.n;
    while (r == Z_OK) {
        size_t room = MIN(step, in.n - out->n);
        char *to = room ? sb_room(out, room) : NULL;

        if (!to)
            break;
        z->next_out = (unsigned char *)to;
        z->avail_out = (unsigned)room;
        r = deflate(z, Z_FINISH);
        sb_add(out, room - z->avail_out);
    }
    if (r == Z_STREAM_END)
        return true;
    sb_done(out);
    return false;
}
