/* operator.h - what commands of the program ask of a running node, through its local socket.
 *
 * The socket is the node's owner's only (mode 0600, in the data folder). Below /operator it answers
 * what is not FHIR; the same paths do not exist on the node's address. Answers are JSON objects;
 * one with a "reason" says why not. The two ends are always the same program, so this is no format
 * that others may count on.
 *
 *   GET /operator/import?position=NAME
 *       {"position":TEXT}
 *   POST /operator/import?chunk=N&alone=0|1&position=NAME
 *       {"resources":N,"bundles":N,"wasDone":BOOL,"rejects":[…]}
 *   POST /operator/reindex
 *       has it look again; the answer is that of GET
 *   GET /operator/reindex
 *       what /search-parameters says
 *   POST /operator/backup, the body a folder's absolute path, perhaps a NUL and that of the file
 *   for persons' keys
 *       the answer is that of GET
 *   GET /operator/backup?id=N
 *       {"id":N,"state":"running|done|failed","done":N,"all":N}
 *   DELETE /operator/backup?id=N
 *       stops it
 *   POST /operator/trust, the body a request of trust/manage.h
 *       {"text":TEXT}
 *   POST /operator/note?do=NAME&uid=N, the body what is said of it
 *       {}: a command's entry in the audit log is durable, or the node keeps none
 *   POST /operator/resources, POST /operator/blob?part=N, GET and DELETE /operator/packages,
 *   GET and DELETE /operator/terminology
 *       what place.h asks; the bodies are those of place_node.c
 */
#ifndef SERVER_OPERATOR_H
#define SERVER_OPERATOR_H

#include "base/js.h"
#include "server/import.h"
#include "server/server.h"

#define OPERATOR_PREFIX "/operator/"
#define OPERATOR_IMPORT OPERATOR_PREFIX "import"
#define OPERATOR_REINDEX OPERATOR_PREFIX "reindex"
#define OPERATOR_BACKUP OPERATOR_PREFIX "backup"
#define OPERATOR_TRUST OPERATOR_PREFIX "trust"
#define OPERATOR_NOTE OPERATOR_PREFIX "note"

#define OPERATOR_RESOURCES OPERATOR_PREFIX "resources"
#define OPERATOR_BLOB OPERATOR_PREFIX "blob"
#define OPERATOR_PACKAGES OPERATOR_PREFIX "packages"
#define OPERATOR_TERMINOLOGY OPERATOR_PREFIX "terminology"

#define OPERATOR_IMPORT_BODY_MAX (IMPORT_LINE_MAX + MIB(1)) /* a chunk with its line numbers */
#define OPERATOR_NICE 10                 /* imports step back behind the node's own clients */
#define OPERATOR_BACKUP_LEASE_SECONDS 30 /* a backup that nobody asks about any more is stopped */

/* ---- the commands' end ---- */

#define OPERATOR_SOCKET_MAX 108

/* As server_open_store; but where a running node holds the folder, its socket's path is in
 * ret_socket and *ret stays NULL. Otherwise ret_socket is "". */
int operator_open(const struct server_config *config, bool read_only, struct store **ret,
                  char ret_socket[OPERATOR_SOCKET_MAX], struct err *err);
struct http_ask;
/* One request; the answer, parsed, is the arena's. A node that is busy is asked again for two
 * minutes. ERR_TIMEOUT when it stopped. */
int operator_request(struct arena *a, const struct http_ask *q, size_t answer_max, yyjson_val **ret,
                     struct err *err);
/* The code that an answer names. */
int operator_code(struct str name);
/* The error that an answer other than 200 means. */
int operator_failure(yyjson_val *answer, int status, struct err *err);

/* Before a command does anything with a data folder: an entry of it in the folder's audit log, by
 * the node that serves it or, where none does, here; nothing where there is no log. What cannot be
 * written there is not to be done. `detail`: what it is done to, no secrets. */
int operator_note(const struct server_config *config, const char *what, struct str detail,
                  struct err *err);
/* Has the node index what user-defined search parameters ask for, and waits. The node goes on when
 * the caller is stopped. */
int operator_reindex(const char *socket, void (*progress)(void *ctx, uint64_t done, uint64_t all),
                     void *ctx, struct err *err);
/* Has the node copy its store to a folder of this machine, and persons' keys to a file (NULL:
 * none). SIGINT and SIGTERM stop the copy. */
int operator_backup(const char *socket, const char *to_dir, const char *person_keys,
                    store_backup_progress *progress, void *ctx, struct err *err);
/* Does what a request of trust/manage.h asks, in the store of the data folder or, where a node
 * serves it, through the node. The answer is appended to `out`. */
int operator_manage(const struct server_config *config, struct str request, struct sb *out,
                    struct err *err);

#endif
