#include "client.h"

#include <dirent.h>
#include <zlib.h>

#define HOST "Host: t\r\n"

/* One gzip member of `n` bytes at `p`, appended. */
static void zip(struct sb *out, const void *p, size_t n)
{
    z_stream z = {0};
    char *to = sb_room(out, n + 1000);

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)p;
    z.avail_in = (unsigned)n;
    z.next_out = (unsigned char *)to;
    z.avail_out = (unsigned)n + 1000;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    sb_add(out, z.total_out);
    deflateEnd(&z);
}

static struct sb unzip(struct str in)
{
    z_stream z = {0};
    struct sb out = sb_make(MIB(64));

    assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)in.p;
    z.avail_in = (unsigned)in.n;
    z.next_out = (unsigned char *)sb_room(&out, MIB(8));
    z.avail_out = MIB(8);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    sb_add(&out, z.total_out);
    inflateEnd(&z);
    return out;
}

/* Replies with a checksum of the body and its length. */
static void sum(_unused_ void *ctx, struct http_exchange *x)
{
    struct str body = http_request(x)->body;
    struct sb b = sb_make(KIB(1));

    sb_fmt(&b, "%zu %lx", body.n,
           crc32(0, (const unsigned char *)(body.n ? body.p : ""), (unsigned)body.n));
    http_reply(x, 200, "text/plain", &b);
}

static void expect_sum(const struct reply *r, const void *p, size_t n)
{
    char want[64];

    snprintf(want, sizeof want, "%zu %lx", n, crc32(0, p, (unsigned)n));
    assert_int_equal(r->status, 200);
    assert_str(reply_body(r), str_c(want));
}

/* Bytes that do not compress, the same in every run. */
static char *noise(size_t n)
{
    char *p = malloc(n);
    uint64_t v = 42;

    assert_non_null(p);
    for (size_t i = 0; i < n; i++) {
        v = v * 6364136223846793005u + 1442695040888963407u;
        p[i] = (char)(v >> 56);
    }
    return p;
}

static bool post(int fd, struct reply *r, const char *headers, const void *p, size_t n)
{
    char head[256];

    snprintf(head, sizeof head, "POST / HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n", headers,
             n);
    r->next = r->bytes.n = 0;
    send_text(fd, head);
    send_n(fd, p, n);
    return receive(fd, r, false);
}

/* Sizes around each place where a body is kept: arena, heap, file. */
static void bodies_of_all_sizes(void **state)
{
    static const size_t sizes[] = {0,          1,          8191,           8192,
                                   8193,       KIB(64),    MIB(1) - 1,     MIB(1),
                                   MIB(1) + 1, MIB(3) + 7, MIB(8) - 12345, MIB(8)};
    struct http_config c = {.handle = sum, .body_max = MIB(8)};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();
    char *data = noise(MIB(8));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        assert_true(post(fd, &r, "", data, sizes[i]));
        expect_sum(&r, data, sizes[i]);
    }
    free(data);
    close(fd);
    http_server_stop(s, 1000);
}

static void chunks_are_joined(void **state)
{
    struct http_config c = {.handle = sum};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();
    _cleanup_(sb_done) struct sb out = sb_make(MIB(8));
    char *data = noise(MIB(3));
    size_t at = 0;

    (void)state;
    /* No chunk extensions: libmicrohttpd 1.0 refuses them (400), 0.9 passes over them. */
    sb_lit(&out, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t n = 1; at < MIB(3); n = n * 3 % 70000 + 1) {
        n = MIN(n, MIB(3) - at);
        sb_fmt(&out, "%zX\r\n", n);
        sb_put(&out, data + at, n);
        sb_lit(&out, "\r\n");
        at += n;
    }
    sb_lit(&out, "0\r\nTrailer: x\r\n\r\n");
    send_n(fd, out.p, out.n);
    assert_true(receive(fd, &r, false));
    expect_sum(&r, data, MIB(3));
    free(data);
    close(fd);
    http_server_stop(s, 1000);
}

static void gzip_bodies_are_inflated(void **state)
{
    struct http_config c = {.handle = sum, .body_max = MIB(4)};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();
    _cleanup_(sb_done) struct sb zipped = sb_make(MIB(8));
    char *data = noise(MIB(4));

    (void)state;
    for (size_t n = 0; n <= MIB(4); n = n * 8 + 1) {
        sb_reset(&zipped);
        zip(&zipped, data, n);
        assert_true(post(fd, &r, "Content-Encoding: gzip\r\n", zipped.p, zipped.n));
        expect_sum(&r, data, n);
    }
    /* An end that falls on the end of the output step. */
    for (size_t n = KIB(16); n <= KIB(64); n += KIB(16)) {
        sb_reset(&zipped);
        zip(&zipped, data, n);
        assert_true(post(fd, &r, "Content-Encoding: gzip\r\n", zipped.p, zipped.n));
        expect_sum(&r, data, n);
    }
    /* Members one behind the other are one body. */
    sb_reset(&zipped);
    zip(&zipped, data, 1000);
    zip(&zipped, data + 1000, MIB(2));
    zip(&zipped, data, 0);
    assert_true(post(fd, &r, "Content-Encoding: GZIP\r\n", zipped.p, zipped.n));
    expect_sum(&r, data, MIB(2) + 1000);
    free(data);
    close(fd);
    http_server_stop(s, 1000);
}

static void bad_encodings_are_refused(void **state)
{
    struct http_config c = {.handle = sum};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();
    _cleanup_(sb_done) struct sb zipped = sb_make(MIB(8));

    (void)state;
    zip(&zipped, "some bytes that are worth it", 28);
    assert_true(post(fd, &r, "Content-Encoding: gzip\r\n", zipped.p, zipped.n - 1));
    assert_int_equal(r.status, 400);
    zipped.p[zipped.n - 5] ^= 1; /* the checksum */
    assert_true(post(fd, &r, "Content-Encoding: gzip\r\n", zipped.p, zipped.n));
    assert_int_equal(r.status, 400);
    assert_true(post(fd, &r, "Content-Encoding: gzip\r\n", "plain", 5));
    assert_int_equal(r.status, 400);
    zipped.p[zipped.n - 5] ^= 1;
    sb_lit(&zipped, "rubbish behind");
    assert_true(post(fd, &r, "Content-Encoding: gzip\r\n", zipped.p, zipped.n));
    assert_int_equal(r.status, 400);
    assert_true(post(fd, &r, "Content-Encoding: br\r\n", "abc", 3));
    assert_int_equal(r.status, 415);
    assert_true(post(fd, &r, "Content-Encoding: gzip, gzip\r\n", "abc", 3));
    assert_int_equal(r.status, 415);
    assert_true(post(fd, &r, "Content-Encoding: identity\r\n", "abc", 3));
    expect_sum(&r, "abc", 3);
    close(fd);
    http_server_stop(s, 1000);
}

/* 1 GiB of zeros in 1 MiB: refused after the limit, and the connection lives on. */
static void bombs_do_not_go_off(void **state)
{
    struct http_config c = {.handle = sum, .body_max = MIB(16), .bodies_max = MIB(32)};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();
    _cleanup_(sb_done) struct sb part = sb_make(MIB(32)), bomb = sb_make(MIB(32));
    char *zeros = calloc(1, MIB(16));

    (void)state;
    zip(&part, zeros, MIB(16));
    for (int i = 0; i < 60; i++)
        sb_str(&bomb, sb_view(&part));
    assert_true(bomb.n < MIB(1));
    for (int i = 0; i < 3; i++) {
        assert_true(post(fd, &r, "Content-Encoding: gzip\r\n", bomb.p, bomb.n));
        assert_int_equal(r.status, 413);
    }
    assert_true(post(fd, &r, "Content-Encoding: gzip\r\n", part.p, part.n));
    expect_sum(&r, zeros, MIB(16));
    free(zeros);
    close(fd);
    http_server_stop(s, 1000);
}

static void no_spool_no_large_body(void **state)
{
    struct http_config c = {.handle = sum, .spool_dir = "/nowhere/at/all"};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();
    char *data = noise(MIB(1) + 1);

    (void)state;
    assert_true(post(fd, &r, "", data, MIB(1)));
    expect_sum(&r, data, MIB(1));
    assert_true(post(fd, &r, "", data, MIB(1) + 1));
    assert_int_equal(r.status, 500);
    free(data);
    close(fd);
    http_server_stop(s, 1000);
}

/* Where nothing may lie on a disk in the clear. */
static void spool_in_memory_needs_no_folder(void **state)
{
    struct http_config c = {.handle = sum, .spool_dir = "/nowhere/at/all", .spool_in_memory = true};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();
    char *data = noise(MIB(3));

    (void)state;
    assert_true(post(fd, &r, "", data, MIB(3)));
    expect_sum(&r, data, MIB(3));
    free(data);
    close(fd);
    http_server_stop(s, 1000);
}

static void spool_leaves_no_file(void **state)
{
    char dir[] = "/tmp/carnet-spool-XXXXXX";
    struct http_config c = {.handle = sum};
    _cleanup_(reply_done) struct reply r = reply_make();
    struct http_server *s;
    struct dirent *e;
    char *data = noise(MIB(2));
    int fd, files = 0;
    DIR *d;

    (void)state;
    assert_non_null(mkdtemp(dir));
    c.spool_dir = dir;
    s = serve(&c);
    fd = connect_port(http_server_port(s));
    assert_true(post(fd, &r, "", data, MIB(2)));
    expect_sum(&r, data, MIB(2));
    send_text(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3000000\r\n\r\n");
    send_n(fd, data, MIB(2));
    close(fd); /* gives up half way */
    http_server_stop(s, 2000);
    d = opendir(dir);
    while ((e = readdir(d)))
        files += e->d_name[0] != '.';
    closedir(d);
    assert_int_equal(files, 0);
    assert_int_equal(rmdir(dir), 0);
    free(data);
}

#define JSON_BYTES 20000

static void json(_unused_ void *ctx, struct http_exchange *x)
{
    struct str path = http_request(x)->path;
    size_t n = str_eq(path, STR("/small"))   ? 500
               : str_eq(path, STR("/large")) ? 500000
                                             : JSON_BYTES;
    struct sb b = sb_make(MIB(1));

    for (size_t i = 0; b.n < n; i++)
        sb_char(&b, "{\"resourceType\":\"Patient\"}"[i % 26]);
    http_reply_header(x, "ETag", STR("W/\"1\""));
    http_reply(x, 200, str_eq(path, STR("/png")) ? "image/png" : "application/fhir+json", &b);
}

/* One GET; its encoding is asked for by `accept` (NULL: no header). */
static void get(int fd, struct reply *r, const char *method, const char *path, const char *accept)
{
    char head[256];

    snprintf(head, sizeof head, "%s %s HTTP/1.1\r\n" HOST "%s%s\r\n\r\n", method, path,
             accept ? "Accept-Encoding: " : "X: ", accept ? accept : "");
    r->next = r->bytes.n = 0;
    send_text(fd, head);
    assert_true(receive(fd, r, method[0] == 'H'));
    assert_int_equal(r->status, 200);
}

static void replies_are_compressed(void **state)
{
    struct http_config c = {.handle = json};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();
    struct sb plain;
    char length[32];

    (void)state;
    get(fd, &r, "GET", "/", "br, gzip;q=0.5");
    assert_str(reply_get(&r, "Content-Encoding"), STR("gzip"));
    assert_str(reply_get(&r, "Vary"), STR("Accept-Encoding"));
    assert_str(reply_get(&r, "ETag"), STR("W/\"1\""));
    assert_true(reply_body(&r).n < JSON_BYTES / 10);
    plain = unzip(reply_body(&r));
    assert_int_equal(plain.n, JSON_BYTES);
    assert_true(str_starts(sb_view(&plain), STR("{\"resourceType\":\"Patient\"}{\"r")));
    sb_done(&plain);
    snprintf(length, sizeof length, "%zu", reply_body(&r).n);
    get(fd, &r, "HEAD", "/", "gzip");
    assert_str(reply_get(&r, "Content-Length"), str_c(length));
    /* The large one goes through a worker. */
    get(fd, &r, "GET", "/large", "gzip");
    assert_str(reply_get(&r, "Content-Encoding"), STR("gzip"));
    plain = unzip(reply_body(&r));
    assert_int_equal(plain.n, 500000);
    sb_done(&plain);
    close(fd);
    http_server_stop(s, 1000);
}

static void replies_are_left_alone(void **state)
{
    struct http_config c = {.handle = json};
    struct http_server *s = serve(&c);
    int fd = connect_port(http_server_port(s));
    _cleanup_(reply_done) struct reply r = reply_make();

    (void)state;
    get(fd, &r, "GET", "/", NULL);
    assert_null(reply_get(&r, "Content-Encoding").p);
    assert_str(reply_get(&r, "Vary"), STR("Accept-Encoding"));
    assert_int_equal(reply_body(&r).n, JSON_BYTES);
    get(fd, &r, "GET", "/", "gzip;q=0");
    assert_null(reply_get(&r, "Content-Encoding").p);
    get(fd, &r, "GET", "/small", "gzip");
    assert_null(reply_get(&r, "Content-Encoding").p);
    assert_null(reply_get(&r, "Vary").p);
    get(fd, &r, "GET", "/png", "gzip");
    assert_null(reply_get(&r, "Content-Encoding").p);
    assert_null(reply_get(&r, "Vary").p);
    close(fd);
    http_server_stop(s, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_of_all_sizes),
        cmocka_unit_test(chunks_are_joined),
        cmocka_unit_test(gzip_bodies_are_inflated),
        cmocka_unit_test(bad_encodings_are_refused),
        cmocka_unit_test(bombs_do_not_go_off),
        cmocka_unit_test(no_spool_no_large_body),
        cmocka_unit_test(spool_in_memory_needs_no_folder),
        cmocka_unit_test(spool_leaves_no_file),
        cmocka_unit_test(replies_are_compressed),
        cmocka_unit_test(replies_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
