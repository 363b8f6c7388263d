/* implied.h - value sets that a code system says have all its codes (CodeSystem.valueSet).
 *
 * Nothing in the store leads from such a URL to its code system, so all code systems are read once
 * and the list is kept like what is compiled.
 */
#ifndef TERMINOLOGY_IMPLIED_H
#define TERMINOLOGY_IMPLIED_H

#include "terminology/terms_int.h"

#define IMPLIED_SYSTEMS_MAX 20000 /* code systems that are looked at */
#define IMPLIED_BYTES_MAX MIB(16) /* of their URLs */

struct implied;

/* The system whose value set a canonical names, and the version where the canonical wants one;
 * *ret is STR_NULL where no code system says so. Both live until the scope is done. */
int implied_system(struct terms_scope *s, struct str canonical, struct str *ret,
                   struct str *ret_version, struct err *err);

struct implied *implied_ref(struct implied *list);
void implied_unref(struct implied *list);
size_t implied_bytes(const struct implied *list);

#endif
