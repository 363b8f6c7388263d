/* authority.h - a certificate authority of one's own, for machines that no public one certifies: a
 * clinic's node and the phones beside it. And certificates that clients show (RFC 8705).
 *
 * All of it is PEM text: keys on P-256, signed with SHA-256, X.509 as RFC 5280 profiles it. The
 * authority certifies nothing below another one (pathlen 0), and where it was made for some names,
 * no other (nameConstraints): whoever steals its key cannot be anybody else on the phones that
 * trust it.
 */
#ifndef TRUST_AUTHORITY_H
#define TRUST_AUTHORITY_H

#include "base/err.h"
#include "base/sb.h"
#include "trust/secret.h"

#include <openssl/x509.h>

#define AUTHORITY_DAYS 3650
#define AUTHORITY_NODE_DAYS 397 /* what browsers take from anybody */
#define AUTHORITY_NAMES_MAX 32
#define AUTHORITY_NAME_MAX 253
#define AUTHORITY_PEM_MAX KIB(64)

struct authority {
    EVP_PKEY *key;
    X509 *cert;
};
void authority_done(struct authority *a);

/* A new one. `only`: host names (with all below them) and IPv4 ranges ("192.168.1.0/24") that it
 * may certify; n 0: any. */
int authority_new(struct str name, const struct str *only, size_t n, struct authority *ret,
                  struct err *err);
int authority_read(struct str cert, struct str key, struct authority *ret, struct err *err);
int authority_write(const struct authority *a, struct sb *ret_cert, struct sb *ret_key,
                    struct err *err);

/* A new key and its certificate with the authority's behind it. For a server: `names` are the hosts
 * and addresses that it is reached by. ERR_VALUE when one is none, or may not be certified. */
int authority_certify_node(const struct authority *a, const struct str *names, size_t n, int days,
                           struct sb *ret_chain, struct sb *ret_key, struct err *err);
/* For a client, whose name stands in its subject (CN). */
int authority_certify_client(const struct authority *a, struct str name, int days,
                             struct sb *ret_chain, struct sb *ret_key, struct err *err);

/* What a certificate (the first of a PEM text) says. */
struct certificate {
    char subject[512];                                       /* RFC 4514: "CN=loader" */
    unsigned char sha256[SHA256_BYTES];                      /* of all of it */
    char fingerprint[3 * SHA256_BYTES];                      /* of SHA-256: "AB:CD:…" */
    int64_t until_ms;                                        /* notAfter */
    char names[AUTHORITY_NAMES_MAX][AUTHORITY_NAME_MAX + 1]; /* subjectAltName */
    size_t n_names;
};
int certificate_read(struct str pem, struct certificate *ret, struct err *err);

#endif
