/* roll.h - what is kept of a node's records to count how far programmes reach: where people are
 * registered, what they received, where visits were.
 *
 * Resources are taken one by one, in any order; a later version takes the place of an earlier one,
 * and a deletion takes it away. About 60 bytes a person, 40 a visit, 60 a service; nothing of it is
 * text of a patient.
 *
 * A person is registered at the Location that the organisation of their Patient manages
 * (managingOrganization, else the first generalPractitioner that is an Organization), or that the
 * nearest organisation above it manages.
 */
#ifndef COVERAGE_ROLL_H
#define COVERAGE_ROLL_H

#include "coverage/indicator.h"
#include "fhir/names.h"

#define ROLL_BYTES_MAX MIB(4096) /* what all of it may take */
#define ROLL_DEPTH_MAX 16        /* places in places, organisations in organisations */

#define DAY_NONE INT32_MIN /* days are counted from 1970-01-01, in the record's own zone */
#define DAY_OPEN INT32_MAX /* the end of what goes on */

enum roll_sex { ROLL_FEMALE, ROLL_MALE, ROLL_OTHER };

struct roll_place {
    struct str id, name, level; /* level: Location.type as text, "District" */
    uint32_t part_of, org;      /* NAMES_NONE: none */
    bool is_there;
};

struct roll_org {
    uint32_t part_of;
};

struct roll_person {
    int32_t born, died; /* DAY_NONE: not known; DAY_OPEN: lives */
    uint32_t org, replaced_by;
    uint32_t services; /* the first of a list */
    enum roll_sex sex : 8;
    bool is_there; /* a Patient that is active and not said to have died without a day */
};

struct roll_visit {
    uint32_t place, org; /* where, or whose */
    int32_t day;         /* DAY_NONE: a hole */
};

struct roll_service {
    uint32_t person;  /* NAMES_NONE: a hole, and next_of_person the next one */
    int32_t from, to; /* to: DAY_OPEN while it goes on */
    int32_t delay;    /* days until it was recorded; DAY_NONE: it does not say */
    uint16_t service; /* which of the set */
    uint8_t dose;     /* 0: without a number */
    bool is_low;
    uint32_t next_of_person, next_of_source;
};

struct roll {
    struct arena *a;
    const struct coverage_set *set;
    struct names place_ids, org_ids, person_ids, visit_ids, source_ids; /* a source's is typed */
    struct roll_place *places;
    struct roll_org *orgs;
    struct roll_person *people;
    struct roll_visit *visits;
    uint32_t *sources; /* the first service of each */
    size_t places_room, orgs_room, people_room, visits_room, sources_room;
    struct roll_service *services;
    size_t n_services, services_room;
    uint32_t hole;
    int32_t now;   /* the day by the clock: what is later is no day of the records */
    int32_t today; /* the newest day of visits and services; DAY_NONE */
};

/* `a` and `set` must outlive it. */
void roll_init(struct roll *r, struct arena *a, const struct coverage_set *set);

/* Whether resources of this type are taken; others are passed over. */
bool roll_wants(const struct roll *r, struct str type);

/* Takes a resource in place of its earlier version, if any. ERR_NO_MEMORY at the arena's limit:
 * what is there is then of no use. */
int roll_take(struct roll *r, yyjson_val *resource, struct err *err);

/* The resource is no more. */
void roll_forget(struct roll *r, struct str type, struct str id);

/* Who a person is: the one whom no other replaces. In a circle everyone is who they are. */
uint32_t roll_root(const struct roll *r, uint32_t person);

#endif
