/* limit_server.h - the bare HTTP server that both HTTP limits stand on.
 *
 * libmicrohttpd with epoll, one event loop a core, no checks, no logs, no memory of its own: what
 * is left when everything that makes a FHIR server is taken away. Part of the harness, not of
 * Carnet.
 */
#ifndef BENCH_LIMIT_SERVER_H
#define BENCH_LIMIT_SERVER_H

#include <microhttpd.h>

/* Listens on 127.0.0.1:port, says "listening" on standard output, and serves until SIGTERM or
 * SIGINT. Returns an exit status. */
int limit_serve(unsigned short port, MHD_AccessHandlerCallback handler, void *ctx);

#endif
