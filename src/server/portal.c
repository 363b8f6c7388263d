#include "server/portal.h"

#include "server/server_int.h"

#include <zlib.h>

#define PORTAL_FILE_MAX MIB(4) /* one file, inflated */
#define PORTAL_NODE_MAX KIB(4)
#define ZLIB_READS_GZIP 16 /* added to the window's bits */

/* Everything a page may load is this node's own, and nothing is ever evaluated.
 * The one Trusted Types policy makes the service worker's address, and no other. */
static const struct {
    const char *name;
    struct str value;
} headers[] = {
    {"Content-Security-Policy",
     STR("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
         "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
         "frame-ancestors 'none'; require-trusted-types-for 'script'; "
         "trusted-types carnet-worker")},
    {"X-Content-Type-Options", STR("nosniff")},
    {"X-Frame-Options", STR("DENY")},
    {"Referrer-Policy", STR("no-referrer")},
    {"Cross-Origin-Opener-Policy", STR("same-origin")},
    {"Cross-Origin-Resource-Policy", STR("same-origin")},
    {"Permissions-Policy", STR("geolocation=(), microphone=(), payment=(), usb=()")},
};

static const struct portal_file *find(struct str path)
{
    for (size_t i = 0; i < portal_n_files; i++)
        if (str_eq(path, portal_files[i].path))
            return &portal_files[i];
    return NULL;
}

/* If-None-Match: one tag, several, weak ones, or "*". */
static bool is_known(struct str tags, struct str etag)
{
    struct str tag;

    while (tags.n && str_split(&tags, ',', &tag)) {
        tag = str_trim(tag);
        if (str_starts(tag, STR("W/")))
            tag = str_from(tag, 2);
        if (str_eq(tag, etag) || str_eq(tag, STR("*")))
            return true;
    }
    return false;
}

static bool inflate_all(const struct portal_file *f, struct sb *out)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)f->gzip, .avail_in = (uInt)f->n_gzip};
    char *to = sb_room(out, f->n);
    int r;

    if (!to || inflateInit2(&z, MAX_WBITS + ZLIB_READS_GZIP) != Z_OK)
        return false;
    z.next_out = (unsigned char *)to;
    z.avail_out = (uInt)f->n;
    r = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    sb_add(out, f->n - z.avail_out);
    return r == Z_STREAM_END;
}

static void send_file(struct http_exchange *x, const struct portal_file *f)
{
    struct sb out = sb_make(PORTAL_FILE_MAX);
    bool is_whole = true;
    struct err err;

    if (http_accepts_gzip(x)) {
        sb_put(&out, f->gzip, f->n_gzip);
        http_reply_header(x, "Content-Encoding", STR("gzip"));
        http_reply_header(x, "Vary", STR("Accept-Encoding"));
    } else {
        is_whole = inflate_all(f, &out);
    }
    if (is_whole && !out.failed) {
        http_reply(x, 200, f->type, &out);
        return;
    }
    sb_done(&out);
    err_no_memory(&err);
    http_reply_err(x, &err);
}

static void reply_file(struct http_exchange *x, const struct portal_file *f)
{
    struct str known = http_header(x, "If-None-Match");
    struct sb none = sb_make(1);

    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        http_reply_header(x, headers[i].name, headers[i].value);
    http_reply_header(x, "ETag", f->etag);
    http_reply_header(x, "Cache-Control",
                      f->is_lasting ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
    if (known.p && is_known(known, f->etag))
        http_reply(x, 304, NULL, &none);
    else
        send_file(x, f);
}

/* What is public already, in one place: the version, whether people sign in here at all, and the
 * key that the audit log's heads are signed with. */
static void reply_node(struct server *s, struct http_exchange *x)
{
    struct sb out = sb_make(PORTAL_NODE_MAX), key = sb_make(PORTAL_NODE_MAX);

    sb_lit(&out, "{\"version\":");
    sb_json(&out, str_c(s->config->version));
    sb_fmt(&out, ",\"open\":%s,\"demo\":%s", s->trust ? "false" : "true",
           s->config->demo ? "true" : "false");
    if (s->audit) {
        note_key_write(&key, audit_key(server_audit_log(s->audit)));
        sb_lit(&out, ",\"auditKey\":");
        sb_json(&out, sb_view(&key));
    }
    sb_lit(&out, "}\n");
    sb_done(&key);
    http_reply_header(x, "Cache-Control", STR("no-store"));
    http_reply(x, 200, "application/json", &out);
}

bool portal_handle(struct server *s, struct http_exchange *x)
{
    struct str path = http_request(x)->path;
    const struct portal_file *f = find(path);

    if (f)
        reply_file(x, f);
    else if (portal_n_files && str_eq(path, STR("/portal.json")))
        reply_node(s, x);
    else
        return false;
    return true;
}
