/* auth.h - what the server asks of trust, in terms of HTTP. */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

#include "server/server_int.h"

/* The access of a request's token, with a reference to its identity that the api gives back. */
int auth_who(struct server *s, struct http_exchange *x, struct access *ret, struct err *err);
/* Answers with the error, and for ERR_LOGIN with what WWW-Authenticate has to say. */
void auth_refuse(struct server *s, struct http_exchange *x, struct err *err);
/* The authorisation server's paths; false when the path is none of them. */
bool auth_handle(struct server *s, struct http_exchange *x);
/* s->root: the base URL without /fhir, or where the node listens. */
int auth_root(struct server *s, int port, struct err *err);
/* s->trust. */
int auth_start(struct server *s, struct err *err);

#endif
