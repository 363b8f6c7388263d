/* loaded.h - systems and maps that were loaded from files: their images, kept in the store beside a
 * resource that only describes them.
 *
 * An image lies in a blob whose name is new with every loading. A small value of the node,
 * "terminology/CodeSystem/URL|VERSION", names the blob that counts; it changes in the transaction
 * that writes the resource. A loading that ended early leaves a blob that nobody names; the next
 * loading without a node, or the node's next start, sweeps it away.
 */
#ifndef TERMINOLOGY_LOADED_H
#define TERMINOLOGY_LOADED_H

#include "store/store.h"

#define LOADED_NAME_MAX 1500                   /* "terminology/TYPE/URL|VERSION" */
#define LOADED_BLOB_MAX (LOADED_NAME_MAX + 17) /* "NAME/" and 16 digits */

/* The value that names the blob; false when the url is too long. */
bool loaded_name(char ret[LOADED_NAME_MAX], const char *type, struct str url, struct str version);

/* A new name for an image of `name`. */
int loaded_blob_new(struct arena *a, struct str name, struct str *ret_blob, struct err *err);
/* Writes a part of it, at most STORE_BLOB_PART_MAX, in a commit of its own. Nobody sees it yet.
 * ERR_VALUE where the blob's name is none of ours. */
int loaded_part(struct store *store, const struct access *who, struct str blob, uint32_t part,
                struct str bytes, struct err *err);
/* Inside a job: from now on the blob counts; the one before it is dropped. blob.p NULL: none. */
int loaded_publish(struct store_txn *txn, struct arena *a, const char *name, struct str blob,
                   struct err *err);
/* Drops blobs that no value names. */
int loaded_sweep(struct store *store, const struct access *who, struct err *err);
/* The bytes of the image that counts (of malloc), and the blob's name; NULL when there is none. */
int loaded_blob(struct store_txn *txn, struct arena *a, const char *name, struct str *ret_blob,
                struct err *err);
int loaded_read(struct store_txn *txn, struct str blob, char **ret, size_t *ret_n, struct err *err);

#endif
