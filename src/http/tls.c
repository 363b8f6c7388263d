#include "http/http_int.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <unistd.h>

#define PEM_MAX KIB(256)

static int read_file(const char *path, char **ret, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *p = fd >= 0 ? malloc(PEM_MAX + 1) : NULL;
    size_t n = 0;
    ssize_t got = -1;

    while (p && n < PEM_MAX && (got = read(fd, p + n, PEM_MAX - n)) > 0)
        n += (size_t)got;
    if (got < 0) {
        err_set(err, ERR_INVALID, "cannot read %s: %s", path, strerror(errno));
        free(p);
        p = NULL;
    } else {
        p[n] = '\0';
    }
    if (fd >= 0)
        close(fd);
    *ret = p;
    return p ? 0 : ERR_INVALID;
}

#define KEY_ID_BYTES 32

/* Ids of the public key in a certificate and of a private key; they agree where the two belong
 * together. Negative as GnuTLS says it. */
static int cert_id(gnutls_datum_t *pem, unsigned char id[KEY_ID_BYTES])
{
    gnutls_x509_crt_t crt;
    size_t n = KEY_ID_BYTES;
    int r = gnutls_x509_crt_init(&crt);

    if (r < 0)
        return r;
    r = gnutls_x509_crt_import(crt, pem, GNUTLS_X509_FMT_PEM);
    if (r >= 0)
        r = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id, &n);
    gnutls_x509_crt_deinit(crt);
    return r;
}

static int key_id(gnutls_datum_t *pem, unsigned char id[KEY_ID_BYTES])
{
    gnutls_x509_privkey_t key;
    size_t n = KEY_ID_BYTES;
    int r = gnutls_x509_privkey_init(&key);

    if (r < 0)
        return r;
    r = gnutls_x509_privkey_import2(key, pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (r >= 0)
        r = gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id, &n);
    gnutls_x509_privkey_deinit(key);
    return r;
}

/* libmicrohttpd would only say that it did not start. */
static int check_pair(const struct http_server *s, struct err *err)
{
    gnutls_datum_t cert = {(unsigned char *)s->tls[0], (unsigned)strlen(s->tls[0])};
    gnutls_datum_t key = {(unsigned char *)s->tls[1], (unsigned)strlen(s->tls[1])};
    unsigned char of_cert[KEY_ID_BYTES], of_key[KEY_ID_BYTES];
    int r = cert_id(&cert, of_cert);

    if (r < 0)
        return err_set(err, ERR_INVALID, "%s is not a certificate: %s", s->config.tls_cert,
                       gnutls_strerror(r));
    r = key_id(&key, of_key);
    if (r < 0)
        return err_set(err, ERR_INVALID, "%s is not a private key: %s", s->config.tls_key,
                       gnutls_strerror(r));
    if (memcmp(of_cert, of_key, KEY_ID_BYTES) != 0)
        return err_set(err, ERR_INVALID, "%s is not the certificate of the key %s",
                       s->config.tls_cert, s->config.tls_key);
    return 0;
}

int tls_load(struct http_server *s, struct err *err)
{
    const char *paths[3] = {s->config.tls_cert, s->config.tls_key, s->config.tls_client_ca};

    if (!paths[0] && !paths[1] && !paths[2])
        return 0;
    if (!paths[0] || !paths[1])
        return err_set(err, ERR_INVALID, "TLS needs both a certificate and its key");
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return err_set(err, ERR_NOT_SUPPORTED, "this libmicrohttpd was built without TLS");
    for (int i = 0; i < 3; i++) {
        int r = paths[i] ? read_file(paths[i], &s->tls[i], err) : 0;
        if (r < 0)
            return r;
    }
    return check_pair(s, err);
}

void tls_free(struct http_server *s)
{
    for (int i = 0; i < 3; i++) {
        if (s->tls[i] && i == 1)
            explicit_bzero(s->tls[i], strlen(s->tls[i]));
        free(s->tls[i]);
        s->tls[i] = NULL;
    }
}

bool tls_client_ok(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT; /* a server's certificate speaks for no client */
    gnutls_typed_vdata_st want = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                  .data = (unsigned char *)purpose};
    unsigned status = 0, n = 0;

    if (!info || !info->tls_session)
        return false;
    return gnutls_certificate_get_peers(info->tls_session, &n) && n > 0 &&
           gnutls_certificate_verify_peers(info->tls_session, &want, 1, &status) ==
               GNUTLS_E_SUCCESS &&
           status == 0;
}

bool tls_client_certificate(struct MHD_Connection *mhd, struct http_certificate *ret)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    const gnutls_datum_t *chain;
    gnutls_x509_crt_t crt;
    size_t bytes = sizeof ret->sha256, n = sizeof ret->subject;
    unsigned count = 0;
    bool ok;

    if (!info || !info->tls_session)
        return false;
    chain = gnutls_certificate_get_peers(info->tls_session, &count);
    if (!chain || !count || gnutls_x509_crt_init(&crt) < 0)
        return false;
    *ret = (struct http_certificate){.is_verified = tls_client_ok(mhd)};
    ok = gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) >= 0 &&
         gnutls_fingerprint(GNUTLS_DIG_SHA256, &chain[0], ret->sha256, &bytes) >= 0;
    if (ok && gnutls_x509_crt_get_dn(crt, ret->subject, &n) < 0)
        ret->subject[0] = '\0';
    gnutls_x509_crt_deinit(crt);
    return ok;
}
