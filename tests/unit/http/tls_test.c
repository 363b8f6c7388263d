#include "client.h"

#include <fcntl.h>
#include <gnutls/gnutls.h>

#define HOST "Host: t\r\n"
#define GET "GET /t HTTP/1.1\r\n" HOST "\r\n"

static char dir[] = "/tmp/carnet-tls-XXXXXX";
static bool have_openssl;

static const char *in_dir(const char *name)
{
    static char path[8][64];
    static unsigned next;

    next = (next + 1) % ARRAY_LEN(path);
    snprintf(path[next], sizeof path[next], "%s/%s", dir, name);
    return path[next];
}

static bool run(const char *command)
{
    char all[1024];

    snprintf(all, sizeof all, "cd %s && openssl %s >/dev/null 2>&1", dir, command);
    return system(all) == 0;
}

/* Two authorities of our own: the server's certificate, a client of the first, one of the second.
 */
static int make_certificates(void **state)
{
    (void)state;
    have_openssl =
        mkdtemp(dir) && run("version") &&
        run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key.pem "
            "-out cert.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost") &&
        run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ca.key "
            "-out ca.pem -subj /CN=authority") &&
        run("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout client.key "
            "-out client.csr -subj /CN=client") &&
        run("x509 -req -in client.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 2 "
            "-out client.pem") &&
        run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
            "-keyout other.key -out other.pem -subj /CN=other");
    return 0;
}

static int remove_certificates(void **state)
{
    char all[128];

    (void)state;
    snprintf(all, sizeof all, "rm -rf %s", dir);
    return system(all);
}

struct tls {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
};

/* Returns the handshake's result. */
static int tls_open(struct tls *t, int port, const char *cert, const char *key, const char *prio)
{
    int r;

    t->fd = connect_port(port);
    gnutls_certificate_allocate_credentials(&t->credentials);
    gnutls_certificate_set_x509_trust_file(t->credentials, in_dir("cert.pem"), GNUTLS_X509_FMT_PEM);
    if (cert)
        assert_int_equal(gnutls_certificate_set_x509_key_file(t->credentials, in_dir(cert),
                                                              in_dir(key), GNUTLS_X509_FMT_PEM),
                         0);
    gnutls_init(&t->session, GNUTLS_CLIENT);
    gnutls_priority_set_direct(t->session, prio ? prio : "NORMAL", NULL);
    gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->credentials);
    gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, "localhost", 9);
    gnutls_session_set_verify_cert(t->session, "localhost", 0);
    gnutls_transport_set_int(t->session, t->fd);
    gnutls_handshake_set_timeout(t->session, CLIENT_WAIT_MS);
    do
        r = gnutls_handshake(t->session);
    while (r < 0 && !gnutls_error_is_fatal(r));
    return r;
}

static void tls_close(struct tls *t)
{
    gnutls_deinit(t->session);
    gnutls_certificate_free_credentials(t->credentials);
    close(t->fd);
}

/* Reads until the server closes; the request asked for that. */
static struct sb tls_ask(struct tls *t, const char *request)
{
    struct sb all = sb_make(MIB(16));
    ssize_t n;

    gnutls_record_send(t->session, request, strlen(request));
    do {
        n = gnutls_record_recv(t->session, sb_room(&all, KIB(32)), KIB(32));
        if (n > 0)
            sb_add(&all, (size_t)n);
    } while (n > 0 || n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
    return all;
}

#define CLOSING "GET /t HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"
#define LARGE MIB(3)

static void say_tls(_unused_ void *ctx, struct http_exchange *x)
{
    struct sb b = sb_make(MIB(8));

    sb_fmt(&b, "tls=%d", http_request(x)->is_tls);
    if (str_eq(http_request(x)->path, STR("/large"))) {
        memset(sb_room(&b, LARGE), 'L', LARGE);
        sb_add(&b, LARGE);
    }
    http_reply(x, 200, "application/octet-stream", &b);
}

static void say_later(_unused_ void *ctx, struct http_exchange *x)
{
    assert_true(http_work(x, say_tls, NULL));
}

static bool status_is(const struct sb *all, int status)
{
    char want[32];

    snprintf(want, sizeof want, "HTTP/1.1 %d ", status);
    return str_starts(sb_view(all), str_c(want));
}

static void serves_tls(void **state)
{
    struct http_config c = {
        .handle = say_later, .tls_cert = in_dir("cert.pem"), .tls_key = in_dir("key.pem")};
    struct http_server *s;
    struct tls t;
    struct sb all;

    (void)state;
    if (!have_openssl)
        skip();
    s = serve(&c);
    assert_int_equal(tls_open(&t, http_server_port(s), NULL, NULL, NULL), 0);
    all = tls_ask(&t, CLOSING);
    assert_true(status_is(&all, 200));
    assert_true(str_ends(sb_view(&all), STR("tls=1")));
    sb_done(&all);
    tls_close(&t);

    assert_int_equal(tls_open(&t, http_server_port(s), NULL, NULL, NULL), 0);
    all = tls_ask(&t, "GET /large HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_true(status_is(&all, 200));
    assert_true(all.n > LARGE && all.p[all.n - 1] == 'L');
    sb_done(&all);
    tls_close(&t);

    /* Versions that are broken are not spoken. */
    assert_int_not_equal(
        tls_open(&t, http_server_port(s), NULL, NULL, "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT"), 0);
    tls_close(&t);
    http_server_stop(s, 1000);
}

/* Somebody speaks plain HTTP, or nothing, or rubbish: others are served. */
static void rubbish_is_no_handshake(void **state)
{
    struct http_config c = {
        .handle = say_tls, .tls_cert = in_dir("cert.pem"), .tls_key = in_dir("key.pem")};
    struct http_server *s;
    int plain, silent;
    struct tls t;
    struct sb all;

    (void)state;
    if (!have_openssl)
        skip();
    s = serve(&c);
    plain = connect_port(http_server_port(s));
    silent = connect_port(http_server_port(s));
    send_text(plain, GET);
    assert_int_equal(tls_open(&t, http_server_port(s), NULL, NULL, NULL), 0);
    all = tls_ask(&t, CLOSING);
    assert_true(status_is(&all, 200));
    sb_done(&all);
    tls_close(&t);
    close(plain);
    close(silent);
    http_server_stop(s, 1000);
}

/* The server's answer to a client with this certificate; 0 where there is none. */
static int client_status(int port, const char *cert, const char *key)
{
    struct tls t;
    struct sb all = {0};
    int status = 0;

    if (tls_open(&t, port, cert, key, NULL) == 0) {
        all = tls_ask(&t, CLOSING);
        if (all.n > 12)
            status = (int)strtol(all.p + 9, NULL, 10);
        sb_done(&all);
    }
    tls_close(&t);
    return status;
}

static void clients_show_certificates(void **state)
{
    struct http_config c = {.handle = say_tls,
                            .tls_cert = in_dir("cert.pem"),
                            .tls_key = in_dir("key.pem"),
                            .tls_client_ca = in_dir("ca.pem")};
    struct http_server *s;
    int port, status;

    (void)state;
    if (!have_openssl)
        skip();
    s = serve(&c);
    port = http_server_port(s);
    assert_int_equal(client_status(port, "client.pem", "client.key"), 200);
    assert_int_equal(client_status(port, NULL, NULL), 403);
    /* One of another authority is refused by us, or not even sent by the client. */
    status = client_status(port, "other.pem", "other.key");
    assert_true(status == 403 || status == 0);
    http_server_stop(s, 1000);
}

static void expect_refused(const char *cert, const char *key, const char *text)
{
    struct http_config c = {
        .listen = "127.0.0.1:0", .handle = echo, .tls_cert = cert, .tls_key = key};
    struct http_server *s = NULL;
    struct err err;

    assert_int_equal(http_server_start(&c, &s, &err), ERR_INVALID);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void bad_files_are_named(void **state)
{
    (void)state;
    if (!have_openssl)
        skip();
    expect_refused(in_dir("cert.pem"), NULL, "both a certificate and its key");
    expect_refused(in_dir("none.pem"), in_dir("key.pem"), "none.pem");
    expect_refused(in_dir("cert.pem"), in_dir("other.key"), "is not the certificate of the key");
    expect_refused(in_dir("client.csr"), in_dir("key.pem"), "client.csr is not a certificate");
    expect_refused(in_dir("cert.pem"), in_dir("cert.pem"), "cert.pem is not a private key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_tls),
        cmocka_unit_test(rubbish_is_no_handshake),
        cmocka_unit_test(clients_show_certificates),
        cmocka_unit_test(bad_files_are_named),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
