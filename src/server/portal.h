/* portal.h - the portal's files, which are part of the program: built by Vite, compressed once
 * (tools/portal_pack.py), served below the node's root.
 *
 * A build without them (meson's option `portal` empty, no Node.js at hand) has none, and says at
 * its entrance what it is without.
 */
#ifndef SERVER_PORTAL_H
#define SERVER_PORTAL_H

#include "base/str.h"
#include "base/util.h"

struct http_exchange;
struct server;

struct portal_file {
    struct str path;  /* "/" for the page itself */
    const char *type; /* its Content-Type */
    struct str etag;  /* with its quotes */
    const unsigned char *gzip;
    size_t n_gzip, n; /* bytes, compressed and not */
    bool is_lasting;  /* its name changes when it does */
};
extern const struct portal_file portal_files[];
extern const size_t portal_n_files;

/* Answers for a file of the portal, and for /portal.json: what its pages have to know of the node
 * before anybody is signed in. False when the path is none of them. GET and HEAD only: the caller
 * has looked. */
bool portal_handle(struct server *s, struct http_exchange *x);

#endif
