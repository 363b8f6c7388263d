/* pends_int.h - index changes gather here and are applied sorted, once for a group of jobs.
 *
 * Fifteen keys of a resource lie all over the index; the keys of a thousand resources, sorted, lie
 * side by side. A job that fails takes its changes out again (pends.n and bytes.n put back).
 */
#ifndef STORE_PENDS_INT_H
#define STORE_PENDS_INT_H

#include "base/sb.h"
#include "store/scan_int.h"

#define PEND_BYTES_MAX MIB(16) /* applied at the latest when this much has gathered */
#define PEND_BYTES_LIMIT MIB(64)

enum pend_op { PEND_DROP, PEND_ADD, PEND_TERM };

struct pend {
    uint64_t head;  /* first 8 bytes, big endian: most comparisons end here */
    uint32_t at, n; /* bytes in pends.bytes */
    int32_t home;
    uint8_t op;
};

struct pends {
    struct pend *items;
    size_t n, cap;
    size_t flushed; /* items before this are in the tables */
    int32_t home;   /* of what is added next: a store of several places keeps it with each key */
    struct sb bytes;
};

/* The entry of a key of a row (a term has no row) as it stands in the index: its length. */
size_t entry_put(const struct index_entry *e, uint64_t row, unsigned char k[ENTRY_MAX]);

void pends_init(struct pends *p);
void pends_done(struct pends *p);
int pends_add(struct pends *p, enum pend_op op, const struct index_entry *e, uint64_t row,
              struct err *err);
/* All entries of a resource, to be put or taken out (terms stay). *ret_multi becomes true where a
 * list turns out to hold the resource twice and nobody knew that such a thing is in it. */
int pends_add_all(struct pends *p, struct lists *lists, const struct index *index, uint64_t row,
                  bool is_drop, bool *ret_multi, struct err *err);
static inline struct str pend_key(const struct pends *p, const struct pend *item)
{
    return str_n(p->bytes.p + item->at, item->n);
}
/* The numbers of the items that are not flushed yet, in order: terms last, equal keys in the order
 * of writing. The caller frees. */
int pends_sorted(const struct pends *p, uint32_t **ret, struct err *err);

#endif
