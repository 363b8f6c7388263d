/* client.h - one request to another server (libcurl): http and https, certificates checked against
 * the system's authorities, no redirects, no proxies' tricks beyond the environment's. Blocks.
 *
 * An address that somebody else chose could lead into the node's own network (server-side request
 * forgery). With `public_only` only addresses of the open Internet are connected to, whatever the
 * name resolves to, at the moment it is connected to. A proxy of the environment is such an address
 * too: where one is in use, it is the proxy that decides, and only a public one is asked.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/err.h"
#include "base/sb.h"

#define HTTP_CLIENT_SECONDS 10 /* for the whole exchange, where none are named */

struct sockaddr;

struct http_client_request {
    const char *url;
    const char *content_type;   /* of the body; NULL: none */
    struct str body;            /* .p set: a POST */
    const char *const *headers; /* "Name: value", NULL at the end; NULL: none more */
    unsigned seconds;           /* 0: HTTP_CLIENT_SECONDS */
    const char *ca_file;        /* PEM authorities instead of the system's; NULL: those */
    bool public_only;
};

/* ret_body's maximum bounds the reply (ERR_TOO_LONG). ERR_TIMEOUT when nobody answered in time,
 * ERR_BUSY when nobody could be reached; an HTTP error is no failure but a status. */
int http_client(const struct http_client_request *req, int *ret_status, struct sb *ret_body,
                struct err *err);

/* Whether an address is one of the open Internet: no loopback, private, link-local, shared,
 * multicast or reserved one (RFC 6890 and its registries), nor an IPv4 one of those in IPv6. */
bool http_address_is_public(const struct sockaddr *address);

#endif
