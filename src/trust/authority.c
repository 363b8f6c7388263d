#include "trust/authority.h"

#include "base/clock.h"
#include "base/rng.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define CN_MAX 64            /* ub-common-name */
#define BACK_SECONDS (-3600) /* clocks of phones are late */
#define EXTENSION_MAX KIB(16)

static int failed(struct err *err, const char *what)
{
    return err_set(err, ERR_INTERNAL, "%s", what);
}

void authority_done(struct authority *a)
{
    EVP_PKEY_free(a->key);
    X509_free(a->cert);
    *a = (struct authority){0};
}

/* ---- names ---- */

static bool is_address(struct str name)
{
    char text[AUTHORITY_NAME_MAX + 1];
    unsigned char bytes[16];

    snprintf(text, sizeof text, "%.*s", STR_ARG(name));
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static int check_name(struct str name, struct err *err)
{
    bool ok = name.n && name.n <= AUTHORITY_NAME_MAX;

    for (size_t i = 0; ok && i < name.n; i++)
        ok = isalnum((unsigned char)name.p[i]) || strchr(".-:", name.p[i]);
    if (!ok || (str_find(name, ':') >= 0 && !is_address(name)))
        return err_set(err, ERR_VALUE, "\"%.*s\" is no host name and no address",
                       (int)MIN(name.n, 100u), name.n ? name.p : "");
    return 0;
}

/* "192.168.1.0/24" as OpenSSL writes ranges; false when it is none. */
static bool write_range(struct sb *out, struct str range)
{
    ptrdiff_t slash = str_find(range, '/');
    char text[32], mask[INET_ADDRSTRLEN];
    struct in_addr address;
    uint64_t bits;

    if (slash < 0 || slash >= (ptrdiff_t)sizeof text ||
        !str_to_u64(str_from(range, (size_t)slash + 1), 32, &bits))
        return false;
    snprintf(text, sizeof text, "%.*s", (int)slash, range.p);
    if (inet_pton(AF_INET, text, &address) != 1)
        return false;
    address.s_addr = bits ? htonl(UINT32_MAX << (32 - bits)) : 0;
    inet_ntop(AF_INET, &address, mask, sizeof mask);
    sb_fmt(out, "IP:%s/%s", text, mask);
    return true;
}

/* What it may certify. Of what is named no kind, no kind is left open: without a range no address.
 */
static int write_only(struct sb *out, const struct str *only, size_t n, struct err *err)
{
    bool has_name = false, has_range = false;

    sb_lit(out, "critical");
    for (size_t i = 0; i < n; i++) {
        bool is_range = str_find(only[i], '/') >= 0;
        int r = is_range ? 0 : check_name(only[i], err);

        if (r < 0)
            return r;
        sb_lit(out, ",permitted;");
        if (!is_range)
            sb_fmt(out, "DNS:%.*s", STR_ARG(only[i]));
        else if (!write_range(out, only[i]))
            return err_set(err, ERR_VALUE, "\"%.*s\" is no range of IPv4 addresses",
                           (int)MIN(only[i].n, 100u), only[i].p);
        has_range |= is_range;
        has_name |= !is_range;
    }
    if (!has_name)
        return err_set(err, ERR_VALUE, "an authority for some names alone needs a host name");
    if (!has_range)
        sb_lit(out, ",excluded;IP:0.0.0.0/0.0.0.0");
    sb_lit(out, ",excluded;IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0");
    return sb_ok(out, err);
}

/* ---- certificates ---- */

static bool add(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *e;
    X509V3_CTX ctx;
    bool ok;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = e && X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

/* Serial, times, name and key; version 3. */
static X509 *begin(EVP_PKEY *key, struct str name, int days)
{
    X509 *cert = X509_new();
    unsigned char serial[16];
    BIGNUM *n;
    bool ok;

    rng_secure(serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, and as long as it looks */
    n = BN_bin2bn(serial, sizeof serial, NULL);
    ok = cert && n && X509_set_version(cert, X509_VERSION_3) &&
         BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) &&
         X509_gmtime_adj(X509_getm_notBefore(cert), BACK_SECONDS) &&
         X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * 86400) &&
         X509_set_pubkey(cert, key) &&
         X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_commonName, MBSTRING_UTF8,
                                    (const unsigned char *)name.p, (int)MIN(name.n, (size_t)CN_MAX),
                                    -1, 0);
    BN_free(n);
    if (ok)
        return cert;
    X509_free(cert);
    return NULL;
}

int authority_new(struct str name, const struct str *only, size_t n, struct authority *ret,
                  struct err *err)
{
    _cleanup_(sb_done) struct sb limits = sb_make(EXTENSION_MAX);
    struct authority a = {0};
    bool ok;
    int r;

    if (!name.n || name.n > CN_MAX || !str_is_utf8(name))
        return err_set(err, ERR_VALUE, "an authority has a name of at most %d bytes", CN_MAX);
    if (n && (r = write_only(&limits, only, n, err)) < 0)
        return r;
    sb_char(&limits, '\0');
    if ((r = sb_ok(&limits, err)) < 0)
        return r;
    a.key = EVP_EC_gen("P-256");
    a.cert = a.key ? begin(a.key, name, AUTHORITY_DAYS) : NULL;
    ok = a.cert && X509_set_issuer_name(a.cert, X509_get_subject_name(a.cert)) &&
         add(a.cert, a.cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add(a.cert, a.cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         add(a.cert, a.cert, NID_subject_key_identifier, "hash") &&
         (!n || add(a.cert, a.cert, NID_name_constraints, limits.p)) &&
         X509_sign(a.cert, a.key, EVP_sha256()) > 0;
    if (!ok) {
        authority_done(&a);
        return failed(err, "an authority cannot be made");
    }
    *ret = a;
    return 0;
}

/* ---- PEM ---- */

static X509 *read_cert(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return cert;
}

int authority_read(struct str cert, struct str key, struct authority *ret, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(key.p, (int)key.n);
    struct authority a = {.cert = read_cert(cert)};

    a.key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (!a.key || !a.cert || X509_check_private_key(a.cert, a.key) != 1 ||
        X509_check_ca(a.cert) != 1) {
        authority_done(&a);
        return err_set(err, ERR_VALUE, "this is no authority's certificate with its key");
    }
    *ret = a;
    return 0;
}

static bool take(BIO *bio, struct sb *out)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);

    if (n <= 0)
        return false;
    sb_put(out, p, (size_t)n);
    return !out->failed;
}

static bool write_cert(X509 *cert, struct sb *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool ok = bio && PEM_write_bio_X509(bio, cert) && take(bio, out);

    BIO_free(bio);
    return ok;
}

static bool write_key(EVP_PKEY *key, struct sb *out)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    bool ok =
        bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) && take(bio, out);

    BIO_free(bio);
    return ok;
}

int authority_write(const struct authority *a, struct sb *ret_cert, struct sb *ret_key,
                    struct err *err)
{
    return write_cert(a->cert, ret_cert) && write_key(a->key, ret_key)
               ? 0
               : failed(err, "an authority cannot be written");
}

/* ---- certifying ---- */

/* Whether whoever trusts the authority takes the certificate: its limits are looked at as well. */
static bool is_taken(const struct authority *a, X509 *cert, bool is_server)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ok = store && ctx && X509_STORE_add_cert(store, a->cert) &&
              X509_STORE_CTX_init(ctx, store, cert, NULL) &&
              X509_STORE_CTX_set_purpose(ctx, is_server ? X509_PURPOSE_SSL_SERVER
                                                        : X509_PURPOSE_SSL_CLIENT) &&
              X509_verify_cert(ctx) == 1;

    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return ok;
}

static int certify(const struct authority *a, struct str name, const char *alt, int days,
                   struct sb *ret_chain, struct sb *ret_key, struct err *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key ? begin(key, name, days) : NULL;
    bool ok = cert && X509_set_issuer_name(cert, X509_get_subject_name(a->cert)) &&
              add(cert, a->cert, NID_basic_constraints, "critical,CA:FALSE") &&
              add(cert, a->cert, NID_key_usage, "critical,digitalSignature") &&
              add(cert, a->cert, NID_ext_key_usage, alt ? "serverAuth" : "clientAuth") &&
              add(cert, a->cert, NID_subject_key_identifier, "hash") &&
              add(cert, a->cert, NID_authority_key_identifier, "keyid:always") &&
              (!alt || add(cert, a->cert, NID_subject_alt_name, alt)) &&
              X509_sign(cert, a->key, EVP_sha256()) > 0;
    int r = 0;

    if (!ok)
        r = failed(err, "a certificate cannot be made");
    else if (!is_taken(a, cert, alt != NULL))
        r = err_set(err, ERR_VALUE, "the authority may not certify this name, or has ended");
    else if (!write_cert(cert, ret_chain) || !write_cert(a->cert, ret_chain) ||
             !write_key(key, ret_key))
        r = err_no_memory(err);
    X509_free(cert);
    EVP_PKEY_free(key);
    return r;
}

int authority_certify_node(const struct authority *a, const struct str *names, size_t n, int days,
                           struct sb *ret_chain, struct sb *ret_key, struct err *err)
{
    _cleanup_(sb_done) struct sb alt = sb_make(EXTENSION_MAX);
    int r;

    if (!n || n > AUTHORITY_NAMES_MAX)
        return err_set(err, ERR_VALUE, "a node has 1 to %d names", AUTHORITY_NAMES_MAX);
    for (size_t i = 0; i < n; i++) {
        if ((r = check_name(names[i], err)) < 0)
            return r;
        sb_fmt(&alt, "%s%s:%.*s", i ? "," : "", is_address(names[i]) ? "IP" : "DNS",
               STR_ARG(names[i]));
    }
    sb_char(&alt, '\0');
    if ((r = sb_ok(&alt, err)) < 0)
        return r;
    return certify(a, names[0], alt.p, days, ret_chain, ret_key, err);
}

int authority_certify_client(const struct authority *a, struct str name, int days,
                             struct sb *ret_chain, struct sb *ret_key, struct err *err)
{
    if (!name.n || name.n > CN_MAX || !str_is_utf8(name))
        return err_set(err, ERR_VALUE, "a client has a name of at most %d bytes", CN_MAX);
    return certify(a, name, NULL, days, ret_chain, ret_key, err);
}

/* ---- reading ---- */

static void read_names(X509 *cert, struct certificate *ret)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && ret->n_names < AUTHORITY_NAMES_MAX; i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        char *to = ret->names[ret->n_names];
        const ASN1_STRING *text = one->type == GEN_IPADD ? one->d.iPAddress : one->d.dNSName;
        const unsigned char *p;
        int n;

        if (one->type != GEN_DNS && one->type != GEN_IPADD)
            continue;
        p = ASN1_STRING_get0_data(text);
        n = ASN1_STRING_length(text);
        if (one->type == GEN_IPADD && (n == 4 || n == 16))
            inet_ntop(n == 4 ? AF_INET : AF_INET6, p, to, AUTHORITY_NAME_MAX);
        else if (one->type == GEN_DNS && n <= AUTHORITY_NAME_MAX)
            snprintf(to, AUTHORITY_NAME_MAX + 1, "%.*s", n, (const char *)p);
        ret->n_names += *to != '\0';
    }
    GENERAL_NAMES_free(names);
}

int certificate_read(struct str pem, struct certificate *ret, struct err *err)
{
    X509 *cert = read_cert(pem);
    BIO *bio = BIO_new(BIO_s_mem());
    _cleanup_(sb_done) struct sb subject = sb_make(sizeof ret->subject - 1);
    struct tm tm;
    bool ok;

    *ret = (struct certificate){.n_names = 0};
    ok = cert && bio && X509_digest(cert, EVP_sha256(), ret->sha256, NULL) &&
         X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0 &&
         take(bio, &subject) && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm);
    if (ok) {
        memcpy(ret->subject, subject.p, subject.n);
        for (size_t i = 0; i < SHA256_BYTES; i++)
            snprintf(ret->fingerprint + 3 * i, 4, "%02X:", ret->sha256[i]);
        ret->fingerprint[3 * SHA256_BYTES - 1] = '\0';
        ret->until_ms = (clock_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 86400 +
                         tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec) *
                        1000;
        read_names(cert, ret);
    }
    BIO_free(bio);
    X509_free(cert);
    return ok ? 0 : err_set(err, ERR_VALUE, "this is no certificate");
}
