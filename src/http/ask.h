/* ask.h - the other end of a node's local socket: one request, one reply, for the program's own
 * commands. Not a client for the world: no TLS, no redirects, no kept connections, and the reply
 * must have a Content-Length, as the node's have.
 */
#ifndef HTTP_ASK_H
#define HTTP_ASK_H

#include "base/err.h"
#include "base/sb.h"

#define HTTP_ASK_HEAD_MAX KIB(16) /* of a reply */

struct http_ask {
    const char *socket_path;
    const char *method;
    const char *target; /* path and query, percent-encoded where it must be */
    struct str body;    /* sent with a length when its .p is set */
};

/* ret_body's maximum bounds the reply. ERR_NOT_FOUND when nobody serves the socket, ERR_FORBIDDEN
 * when it belongs to somebody else, ERR_TIMEOUT when the node went away before it had answered:
 * then nobody knows whether it did what was asked. */
int http_ask(const struct http_ask *ask, int *ret_status, struct sb *ret_body, struct err *err);

#endif
