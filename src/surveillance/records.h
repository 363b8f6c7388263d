/* records.h - what a node's records say of cases: places, people, visits and evidence.
 *
 * Resources are taken one by one, in any order, each once and in its current version. What refers
 * to something not yet seen is resolved at the end. Only what counting needs is kept, about 60
 * bytes a person and a visit; nothing of it is text of a patient.
 */
#ifndef SURVEILLANCE_RECORDS_H
#define SURVEILLANCE_RECORDS_H

#include "surveillance/case_definition.h"

#define RECORDS_BYTES_MAX MIB(4096) /* what one set of records may take */
#define PLACE_DEPTH_MAX 16          /* places within places */

#define DAY_UNKNOWN INT32_MIN /* days are counted from 1970-01-01, in the record's own zone */
#define NOT_THERE UINT32_MAX  /* for a place, a person, a visit */

enum person_sex { SEX_UNKNOWN, SEX_FEMALE, SEX_MALE, SEX_OTHER };

struct place {
    struct str id, name, level; /* level: Location.type as text, "District" */
    uint32_t part_of;
};

struct person {
    int32_t born, died; /* days */
    enum person_sex sex;
};

struct visit {
    uint32_t place;
    int32_t day;
};

struct evidence {
    uint32_t person, visit;
    uint16_t disease; /* which of the definitions */
    enum case_class says;
    int32_t onset, seen, reported; /* days; seen: of the visit, else as onset */
};

/* Names of things, numbered in the order in which they were first mentioned. */
struct names {
    struct str *v;
    size_t n, room;
    uint32_t *slots;
    size_t n_slots;
};

struct records {
    struct arena *a;
    const struct case_definitions *definitions;
    struct names place_ids, person_ids, visit_ids;
    struct place *places;
    struct person *people;
    struct visit *visits;
    size_t places_room, people_room, visits_room;
    struct evidence *evidence;
    size_t n_evidence, evidence_room;
    int32_t first, last; /* days of visits and evidence; DAY_UNKNOWN: there is none */
};

/* `a` and `definitions` must outlive it. */
void records_init(struct records *r, struct arena *a, const struct case_definitions *definitions);

/* The day of a date, a dateTime or an instant; DAY_UNKNOWN where it says no day. */
int32_t records_day(struct str s);

/* Whether resources of this type are taken; others are passed over. */
bool records_wants(struct str type);

/* Takes a resource in its current version. ERR_NO_MEMORY at the arena's limit. */
int records_take(struct records *r, yyjson_val *resource, struct err *err);

/* The place itself, or the nearest that it is part of, whose level is this word (without regard to
 * case); NOT_THERE: none. */
uint32_t records_place_at(const struct records *r, uint32_t place, struct str level);

#endif
