/* indicator.h - how far programmes reach, as data: services that records speak of, and indicators,
 * each a share of people (docs/formats/coverage.md).
 *
 * A service is a resource of one type with one of some codes, in a person's record. An indicator
 * says who is counted (by age, or by a service), and what they must have had.
 */
#ifndef COVERAGE_INDICATOR_H
#define COVERAGE_INDICATOR_H

#include "base/js.h"

#define COVERAGE_BYTES_MAX KIB(256) /* a set, as text */
#define COVERAGE_SERVICES_MAX 100   /* of a set */
#define COVERAGE_CODES_MAX 200      /* of a service */
#define COVERAGE_INDICATORS_MAX 40  /* of a set */
#define COVERAGE_TIMES_MAX 100      /* how often something must have been had */
#define COVERAGE_MONTHS_MAX 1800    /* of age */
#define COVERAGE_DAYS_MAX 36500     /* of a window */

#define SERVICE_NONE UINT16_MAX

/* Resources that are services: who of, which concepts, and which days they have. */
struct service_type {
    const char *type, *subject, *concepts;
    const char *from[3], *to[2]; /* elements, "a" or "a.b", the first that is there */
    const char *recorded;        /* NULL: it does not say */
};
#define SERVICE_TYPES 7
extern const struct service_type service_types[SERVICE_TYPES];

struct service_code {
    struct str system, code;
};

struct service {
    struct str name;
    size_t type; /* which of service_types */
    struct service_code *codes;
    size_t n_codes;
    bool has_low;
    uint32_t low_below; /* a value below this one is low */
};

/* Who is counted. */
enum base {
    BASE_AGE,   /* from `from` to below `to` months old */
    BASE_NOW,   /* with a service that goes on; each person once */
    BASE_LAST,  /* with a service less than `to` days ago; each person once */
    BASE_BEGUN, /* each service that began from `from` to below `to` days ago */
    BASE_ENDED, /* each service that ended so long ago */
};

/* When they must have had it. */
enum span {
    SPAN_EVER,   /* until now */
    SPAN_LAST,   /* less than `days` ago */
    SPAN_DURING, /* from the beginning to the end of the base's service */
    SPAN_WITHIN, /* within `days` of its beginning */
};

enum base_sex { OF_ANYBODY, OF_WOMEN, OF_MEN };

struct indicator {
    struct str id, programme, title, source;
    enum base base;
    enum base_sex sex;
    uint16_t of; /* service; SERVICE_NONE with BASE_AGE */
    int32_t from, to;
    uint16_t have;
    unsigned times; /* on so many days, or a dose of this number */
    enum span span;
    int32_t days;
    bool low; /* and the newest of them is low */
};

struct coverage_set {
    struct str version;
    struct service *services;
    size_t n_services;
    struct indicator *v;
    size_t n;
};

/* Reads a set, strictly; its texts lie in `a` or in `text`. ERR_VALUE names what does not hold. */
int coverage_set_read(struct arena *a, struct str text, struct coverage_set *ret, struct err *err);

/* The set that is built in, as text. */
struct str coverage_starter(void);

/* NULL: there is none. */
const struct indicator *indicator_find(const struct coverage_set *set, struct str id);

/* Whether a resource of the service's type has one of its codes. */
bool service_is(const struct service *s, yyjson_val *resource);

#endif
