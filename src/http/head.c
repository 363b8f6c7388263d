#include "http/http_int.h"

/* The octets of an RFC 9110 token: what methods and header names are made of. */
static bool is_token(const char *p, size_t n)
{
    static const char allowed[256] = {
        ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1,         ['&'] = 1,         ['\''] = 1,
        ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,         ['^'] = 1,         ['_'] = 1,
        ['`'] = 1, ['|'] = 1, ['~'] = 1, ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
    };

    for (size_t i = 0; i < n; i++) {
        if (!allowed[(unsigned char)p[i]])
            return false;
    }
    return n > 0;
}

static void refuse(struct http_exchange *x, int code, const char *text)
{
    if (!x->err.code)
        err_set(&x->err, code, "%s", text);
}

/* Framing that two readers could understand differently is how requests are smuggled: the line
 * cannot be trusted after it. */
static void refuse_framing(struct http_exchange *x, const char *text)
{
    refuse(x, ERR_SYNTAX, text);
    x->close = true;
}

/* "http://host/path" is as good as "/path" (RFC 9112, 3.2.2), and its host goes to *ret_host. */
static struct str origin_form(struct str uri, struct str *ret_host)
{
    struct str rest;
    ptrdiff_t at;

    if (uri.n == 0 || uri.p[0] == '/')
        return uri;
    if (uri.n > 7 && str_eq_nocase(str_head(uri, 7), STR("http://")))
        rest = str_from(uri, 7);
    else if (uri.n > 8 && str_eq_nocase(str_head(uri, 8), STR("https://")))
        rest = str_from(uri, 8);
    else
        return uri;
    at = str_find(rest, '/');
    *ret_host = at < 0 ? rest : str_head(rest, (size_t)at);
    return at < 0 ? STR("/") : str_from(rest, (size_t)at);
}

void head_uri(struct http_exchange *x, char *uri)
{
    struct str all = str_c(uri);
    ptrdiff_t mark;

    x->uri_end = uri + all.n;

    if (all.n > HTTP_URI_MAX) {
        err_set(&x->err, ERR_URI_TOO_LONG, "the address is longer than %zu bytes", HTTP_URI_MAX);
        all.n = 0;
    }
    for (size_t i = 0; i < all.n; i++) {
        unsigned char c = (unsigned char)all.p[i];
        if (c <= ' ' || c == 0x7f) {
            refuse(x, ERR_SYNTAX, "the address has a blank or control character");
            break;
        }
    }
    all = arena_dup(&x->arena, all);
    if (!all.p) {
        err_no_memory(&x->err);
        all = STR("");
    }
    x->uri_host = STR_NULL;
    all = origin_form(all, &x->uri_host);
    mark = str_find(all, '?');
    x->req.path = mark < 0 ? all : str_head(all, (size_t)mark);
    x->req.query = mark < 0 ? str_n(all.p + all.n, 0) : str_from(all, (size_t)mark + 1);

    /* libmicrohttpd would now cut the query into arguments, 64 bytes of connection memory for
     * each. We read queries ourselves; without a first character there are none. */
    uri = strchr(uri, '?');
    if (uri)
        uri[1] = '\0';
}

static enum http_method method_of(struct str name)
{
    static const struct {
        struct str name;
        enum http_method method;
    } table[] = {
        {{"GET", 3}, HTTP_GET},         {{"HEAD", 4}, HTTP_HEAD},   {{"POST", 4}, HTTP_POST},
        {{"PUT", 3}, HTTP_PUT},         {{"PATCH", 5}, HTTP_PATCH}, {{"DELETE", 6}, HTTP_DELETE},
        {{"OPTIONS", 7}, HTTP_OPTIONS},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (str_eq(table[i].name, name))
            return table[i].method;
    }
    return HTTP_OTHER;
}

/* libmicrohttpd ends the address at a NUL that the client sent. The version stands behind the
 * address in the same buffer: between them there must be what parted them, of which the library has
 * made one NUL, and nothing else. */
static bool is_cut(const char *uri_end, const char *version)
{
    unsigned n_nul = 0;

    if (version <= uri_end || (size_t)(version - uri_end) > POOL_BYTES)
        return false; /* it lies elsewhere: nothing can be said */
    for (const char *p = uri_end; p < version; p++) {
        n_nul += *p == '\0';
        if (*p != '\0' && *p != ' ')
            return true;
    }
    return n_nul > 1;
}

/* A host without its port, which may be left out where it is the usual one. */
static struct str name_of(struct str host)
{
    ptrdiff_t colon = str_rfind(host, ':');

    return colon >= 0 && host.p[host.n - 1] != ']' ? str_head(host, (size_t)colon) : host;
}

struct scan {
    struct http_exchange *x;
    struct head *head;
    bool has_host;
};

static void read_length(struct scan *s, struct str value)
{
    if (s->head->has_length || !str_to_u64(value, INT64_MAX, &s->head->length))
        refuse_framing(s->x, "Content-Length is not one whole number");
    s->head->has_length = true;
}

static void read_transfer(struct scan *s, struct str value)
{
    if (s->head->chunked || !str_eq_nocase(value, STR("chunked")))
        refuse_framing(s->x, "Transfer-Encoding is not \"chunked\"");
    s->head->chunked = true;
}

static void read_content(struct scan *s, struct str value)
{
    if (str_eq_nocase(value, STR("identity")) || value.n == 0)
        return;
    if (s->head->gzip ||
        !(str_eq_nocase(value, STR("gzip")) || str_eq_nocase(value, STR("x-gzip"))))
        refuse(s->x, ERR_MEDIA_TYPE, "Content-Encoding is not \"gzip\" or \"identity\"");
    s->head->gzip = true;
}

static enum MHD_Result scan_header(void *ctx, _unused_ enum MHD_ValueKind kind, const char *name,
                                   size_t name_n, const char *value, size_t value_n)
{
    struct scan *s = ctx;
    struct str key = {name, name_n}, v = str_trim(str_n(value, value_n));

    if (!is_token(name, name_n)) {
        refuse_framing(s->x, "a header's name has a character that names may not have");
        return MHD_YES;
    }
    switch (name[0] | 0x20) {
    case 'h':
        if (str_eq_nocase(key, STR("host"))) {
            if (s->has_host)
                refuse_framing(s->x, "there is more than one Host header");
            if (s->x->uri_host.n && !str_eq_nocase(name_of(s->x->uri_host), name_of(v)))
                refuse_framing(s->x, "the address names another host than the Host header");
            s->has_host = true;
        }
        break;
    case 'c':
        if (str_eq_nocase(key, STR("content-length")))
            read_length(s, v);
        else if (str_eq_nocase(key, STR("content-encoding")))
            read_content(s, v);
        break;
    case 't':
        if (str_eq_nocase(key, STR("transfer-encoding")))
            read_transfer(s, v);
        break;
    case 'e':
        if (str_eq_nocase(key, STR("expect")))
            s->head->expects = str_eq_nocase(v, STR("100-continue"));
        break;
    default: break;
    }
    return MHD_YES;
}

void head_read(struct http_exchange *x, const char *method, const char *version, struct head *ret)
{
    const union MHD_ConnectionInfo *info;
    struct scan s = {.x = x, .head = ret};
    struct str name = str_c(method);

    if (name.n > METHOD_MAX || !is_token(name.p, name.n)) {
        refuse_framing(x, "the method is not a short token");
        name = STR("");
    }
    x->req.method = method_of(name);
    x->req.method_name = name;

    info = MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (info)
        count(&server_counters(x->server)->bytes_in, info->header_size);
    if (info && info->header_size > HTTP_HEADERS_MAX && !x->err.code) {
        err_set(&x->err, ERR_TOO_LONG, "the headers are longer than %zu bytes", HTTP_HEADERS_MAX);
        x->err_status = MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
    }
    MHD_get_connection_values_n(x->mhd, MHD_HEADER_KIND, scan_header, &s);
    if (is_cut(x->uri_end, version))
        refuse_framing(x, "the address has a NUL");
    if (ret->chunked && str_eq(str_c(version), STR("HTTP/1.0")))
        refuse_framing(x, "HTTP/1.0 has no Transfer-Encoding");
    if (ret->chunked && ret->has_length)
        refuse_framing(x, "Content-Length and Transfer-Encoding exclude each other");
    if (!s.has_host && str_eq(str_c(version), STR("HTTP/1.1")))
        refuse(x, ERR_SYNTAX, "the Host header is missing");
    if (ret->has_length && ret->length > x->server->config.body_max && !x->err.code)
        err_set(&x->err, ERR_TOO_LONG, "the body is longer than %zu bytes",
                x->server->config.body_max);
}
