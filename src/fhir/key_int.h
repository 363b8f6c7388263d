/* key_int.h - index keys byte by byte. Formats and their reasons: docs/formats/index-keys.md.
 */
#ifndef FHIR_KEY_INT_H
#define FHIR_KEY_INT_H

#include "fhir/decimal.h"
#include "fhir/index.h"

#define KEY_CODE_BYTES 56    /* of a token's code, a longer one is cut and hashed */
#define KEY_UNIT_BYTES 32    /* of a quantity's unit, likewise */
#define KEY_URI_BYTES 64     /* of a URI, likewise */
#define KEY_VERSION_BYTES 24 /* of a canonical's version, likewise */
#define KEY_STRING_BYTES 40  /* of a folded string, a longer one is cut */

#define KEY_END 0x00 /* ends every text */
#define KEY_CUT 0x01 /* stands behind a text that was cut */

/* First byte of a token or quantity key, where it is no code system. */
#define KEY_NO_SYSTEM 0x00
#define KEY_SYSTEM_HASH 0xfe
#define KEY_LABEL 0xff
/* First byte of a reference key, where it is no resource type. */
#define KEY_ELSEWHERE 0x00
#define KEY_URL 0xfd
#define KEY_IDENTIFIER 0xfe
#define KEY_INTERVAL_UNIT                                                                          \
    0x02 /* ends a quantity's unit in place of KEY_END, before an interval                         \
          */

/* In front of a date that is a component of a composite: which of its keys this is. */
#define KEY_BY_START 0x01
#define KEY_BY_END 0x02

#define KEY_DATE_BYTES 7
#define KEY_DAY_MS 86400000

struct key {
    unsigned char b[INDEX_KEY_MAX];
    size_t n;
};

static inline void key_byte(struct key *k, unsigned byte)
{
    assert(k->n < sizeof k->b);
    k->b[k->n++] = (unsigned char)byte;
}

static inline void key_put(struct key *k, const void *p, size_t n)
{
    assert(n <= sizeof k->b - k->n);
    if (n)
        memcpy(k->b + k->n, p, n);
    k->n += n;
}

static inline struct str key_view(const struct key *k)
{
    return str_n((const char *)k->b, k->n);
}

/* Text up to `max` bytes, a hash of all of it behind a longer one, KEY_END. */
void key_text(struct key *k, struct str s, size_t max);
/* Folded text up to KEY_STRING_BYTES without its end; whether it had to be cut. */
bool key_fold(struct key *k, struct str s);
/* The same with its end. */
void key_string(struct key *k, struct str s);

void key_system(struct key *k, struct str system);
size_t key_system_bytes(struct str key); /* of the system at the front of a key, 0: none */
/* The code in lower case, and its end. */
void key_code(struct key *k, struct str code);
void key_token(struct key *k, struct str system, struct str code);
size_t key_token_bytes(struct str key); /* of the token at the front of a key, 0: none */
void key_label(struct key *k, struct str text);

void key_local(struct key *k, int type, struct str id);
void key_url(struct key *k, struct str url, struct str version);

/* The unit of a quantity, KEY_END or KEY_INTERVAL_UNIT included. */
void key_unit(struct key *k, struct str system, struct str code, bool interval);
size_t key_unit_bytes(struct str key); /* of the unit at the front of a key, 0: none */
/* Whether the last component of a composite is asked for by ranges, and how much of its key is the
 * same for all keys of a range. */
bool key_is_ordered(enum def_param_kind kind);
size_t key_ordered_from(enum def_param_kind kind, struct str part);
void key_decimal(struct key *k, const struct decimal *d);
void key_low_end(struct key *k);  /* below every decimal */
void key_high_end(struct key *k); /* above every decimal; in a number's list before an interval */
bool key_is_high_end(struct str key);

/* An interval, either end of which may be open (NULL); and back. */
void key_interval(struct key *k, const struct decimal *low, const struct decimal *high);
bool key_interval_read(struct str key, struct decimal *ret_low, bool *ret_has_low,
                       struct decimal *ret_high, bool *ret_has_high);

/* Start and length of a span of time; the end of a long one. */
void key_date(struct key *k, int64_t from_ms, int64_t to_ms);
void key_date_end(struct key *k, int64_t from_ms, int64_t to_ms);
bool key_date_is_long(int64_t from_ms, int64_t to_ms);
/* The least key of a span that starts at or after ms (of the list by ends: that ends there). */
void key_date_from(struct key *k, int64_t ms);
/* What a key says; false if it is none. */
bool key_date_read(struct str key, bool by_end, int64_t *ret_from_ms, int64_t *ret_to_ms);

/* The least key behind all that begin with k; false when there is none. */
bool key_after(struct key *k);

#endif
