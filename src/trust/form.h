/* form.h - application/x-www-form-urlencoded, in a query or a body (RFC 6749, appendix B).
 *
 * A name that comes twice is an error (RFC 6749, 3.1): two readers could take different ones.
 */
#ifndef TRUST_FORM_H
#define TRUST_FORM_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sb.h"

#define FORM_FIELDS_MAX 64
#define FORM_BYTES_MAX KIB(32)

struct form_field {
    struct str name, value; /* decoded */
};

struct form {
    struct form_field v[FORM_FIELDS_MAX];
    size_t n;
};

/* Reads `text` into *ret behind what is there. Memory is `a`'s. ERR_VALUE for a bad escape, a NUL,
 * a name that comes twice, or too much of it. */
int form_parse(struct arena *a, struct str text, struct form *ret, struct err *err);
/* A field's value; STR_NULL where it is absent or empty (RFC 6749, 3.1: the same). */
struct str form_get(const struct form *f, const char *name);
/* Appends NAME=VALUE, percent-encoded; with '&' in front unless it is the first. */
void form_write(struct sb *out, bool *first, const char *name, struct str value);

#endif
