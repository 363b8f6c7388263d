/* code_set.h - codes that a search asks for, as sorted keys: made once, then shared.
 *
 * What :in, :not-in, :above and :below ask for (a value set, a branch of a hierarchy) is the same
 * for every search until its terminology changes; whoever has the terminology keeps it.
 */
#ifndef FHIR_CODE_SET_H
#define FHIR_CODE_SET_H

#include "fhir/search.h"
#include "fhir/world.h"

#include <stdatomic.h>

#define CODE_SET_BYTES_MAX MIB(256) /* of one set */

struct code_set {
    struct arena a;
    struct coding *codings;
    size_t n, max;
    struct key_set keys;    /* of the codings */
    struct key_set implied; /* and of their codes without a system */
    atomic_uint refs;
};

/* Room for n codings. The caller unrefs. */
int code_set_new(size_t n, struct code_set **ret, struct err *err);
/* Copies the code; `system` must live as long as the set (code_set_text). */
int code_set_add(struct code_set *set, struct str system, struct str code, struct err *err);
/* A text that lives as long as the set; .p is NULL at its limit. */
struct str code_set_text(struct code_set *set, struct str text);
/* Makes the keys, once all codings are there. */
int code_set_finish(struct code_set *set, struct err *err);

struct code_set *code_set_ref(struct code_set *set);
void code_set_unref(struct code_set *set);
static inline void code_set_unrefp(struct code_set **set)
{
    code_set_unref(*set);
}
size_t code_set_bytes(const struct code_set *set);

#endif
