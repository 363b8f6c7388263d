/* place.h - where a command's work goes: a store of its own, or that of the node that serves the
 * folder, through its socket. Reading, unpacking and compiling are the command's own work in both
 * cases; the node only stores (docs/decisions/0013).
 */
#ifndef SERVER_PLACE_H
#define SERVER_PLACE_H

#include "server/operator.h"

#define PLACE_LINES_MAX 2000      /* resources of one place_put */
#define PLACE_LINES_BYTES MIB(16) /* … beyond which no further one is added */
#define PLACE_TABLE_MAX MIB(64)   /* the table of packages */

struct place {
    struct api *api;
    struct store *store; /* NULL: the node's */
    char socket[OPERATOR_SOCKET_MAX];
};

/* ERR_CONFLICT where another command holds the folder. */
int place_open(const struct server_config *config, bool read_only, struct place *ret,
               struct err *err);
void place_done(struct place *p);

/* Who works: what is written is in the history under this name. */
enum place_worker { PLACE_PACKAGE, PLACE_TERMINOLOGY };

/* What becomes true in the same transaction: a package is in the table (`a` its name, `b` its
 * version, `c` its resources as "Type/id" with blanks between, `n` of them), or a blob is what
 * counts for a loaded system or map (`a` the value's name, `b` the blob). */
enum place_note_kind { NOTE_NOTHING, NOTE_PACKAGE, NOTE_LOADED };

struct place_note {
    enum place_note_kind kind;
    struct str a, b, c;
    size_t n;
};

/* Stores resources, and the note with them, in one transaction. As api_put_definitions; a line that
 * is refused has its reason in err. */
int place_put(const struct place *p, struct arena *a, enum place_worker worker,
              struct api_line *lines, size_t n, const struct place_note *note, struct err *err);
/* A part of a loaded image (terminology/loaded.h). */
int place_part(const struct place *p, struct str blob, uint32_t part, struct str bytes,
               struct err *err);

/* The table of packages as text (docs/formats/packages.md); STR_NULL while there is none. */
int place_packages(const struct place *p, struct arena *a, struct str *ret, struct err *err);
/* package_remove, terms_list and terms_remove of the place. */
int place_package_remove(const struct place *p, struct str which, size_t *ret_n, struct err *err);
struct terms_loaded;
int place_terms_list(const struct place *p, struct arena *a, struct terms_loaded **ret,
                     size_t *ret_n, struct err *err);
int place_terms_remove(const struct place *p, struct str canonical, size_t *ret_n, struct err *err);

/* ---- inside: the node's half of the same ---- */

/* place_put on a store of our own. */
int place_put_here(struct api *api, struct arena *a, enum place_worker worker,
                   struct api_line *lines, size_t n, const struct place_note *note,
                   struct err *err);
struct access place_worker_access(enum place_worker worker);

/* place_node.c: through the socket. */
int node_put(const struct place *p, struct arena *a, enum place_worker worker,
             struct api_line *lines, size_t n, const struct place_note *note, struct err *err);
int node_part(const struct place *p, struct str blob, uint32_t part, struct str bytes,
              struct err *err);
int node_packages(const struct place *p, struct arena *a, struct str *ret, struct err *err);
int node_remove(const struct place *p, const char *target, struct str what, size_t *ret_n,
                struct err *err);
int node_terms_list(const struct place *p, struct arena *a, struct terms_loaded **ret,
                    size_t *ret_n, struct err *err);

#endif
