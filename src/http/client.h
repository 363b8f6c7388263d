/* client.h - one request to another server (libcurl): http and https, certificates checked against
 * the system's authorities, no redirects, no proxies' tricks beyond the environment's. Blocks.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/err.h"
#include "base/sb.h"

#define HTTP_CLIENT_SECONDS 10 /* for the whole exchange, where none are named */

struct http_client_request {
    const char *url;
    const char *content_type;   /* of the body; NULL: none */
    struct str body;            /* .p set: a POST */
    const char *const *headers; /* "Name: value", NULL at the end; NULL: none more */
    unsigned seconds;           /* 0: HTTP_CLIENT_SECONDS */
};

/* ret_body's maximum bounds the reply (ERR_TOO_LONG). ERR_TIMEOUT when nobody answered in time,
 * ERR_BUSY when nobody could be reached; an HTTP error is no failure but a status. */
int http_client(const struct http_client_request *req, int *ret_status, struct sb *ret_body,
                struct err *err);

#endif
