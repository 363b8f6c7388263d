/* country.h - what $coverage and $use share: who may ask, of where, and which parts that place has.
 *
 * Both are for roles with `programmes` (surveil.h), show counts of people and never one person, and
 * let numbers out as coverage/disclose.h says.
 */
#ifndef API_COUNTRY_H
#define API_COUNTRY_H

#include "api/op.h"
#include "coverage/count.h"

#define COUNTRY_PARTS_MAX 5000 /* of one place */

struct country {
    struct call *c;
    const struct count *count;
    struct op_params params;
    uint32_t place;  /* asked for; NAMES_NONE: the whole */
    uint32_t *parts; /* places right below it that have people or visits */
    size_t n_parts;
    uint32_t *within; /* of each site: which of the parts; n_parts: in none of them; NAMES_NONE: it
                         lies outside of what is asked for */
};

/* `names`: the parameters that there are, with blanks between them. ERR_FORBIDDEN, ERR_BUSY while
 * the records are read for the first time, ERR_VALUE for a place that is not known, ERR_COSTLY for
 * one of too many parts. All of it is the call's. */
int country_begin(struct call *c, const char *names, struct country *ret);

/* Of what and of when: members of a JSON object, without braces. */
void country_about(const struct country *q);
/* "id":…,"name":…,"level":… of a part; nothing but null for what lies in none of them. */
void country_part(const struct country *q, size_t part);

#endif
