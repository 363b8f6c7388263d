/* store.h - an empty store in a folder of its own, for tests of records. */
#ifndef UNIT_TRUST_STORE_H
#define UNIT_TRUST_STORE_H

#include "../test.h"

#include "store/store.h"

struct own_store {
    char dir[64];
    struct store *store;
};
void own_store_open(struct own_store *s);
void own_store_close(struct own_store *s);
/* Stores a resource, of up to 32 MiB, or deletes it. */
void own_store_write(struct own_store *s, const struct access *who, struct str text,
                     bool is_deletion);

#endif
