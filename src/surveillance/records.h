/* records.h - what a node's records say of cases: places, people, visits and evidence.
 *
 * Resources are taken one by one, in any order; a later version takes the place of an earlier one,
 * and a deletion takes it away. What refers to something not yet seen is resolved when cases are
 * made (cases.h). Only what counting needs is kept, about 70 bytes a person, 40 a visit and 85 a
 * finding that is evidence; nothing of it is text of a patient. What is evidence of a fact is kept
 * as that of a disease is.
 *
 * A Patient whose link says that another replaces it is that other person from then on.
 *
 * An outbreak that is declared is a Task (docs/formats/outbreaks.md).
 */
#ifndef SURVEILLANCE_RECORDS_H
#define SURVEILLANCE_RECORDS_H

#include "fhir/names.h"
#include "surveillance/case_definition.h"

#define RECORDS_BYTES_MAX MIB(4096) /* what one set of records may take */
#define PLACE_DEPTH_MAX 16          /* places within places */

#define DAY_UNKNOWN INT32_MIN /* days are counted from 1970-01-01, in the record's own zone */
#define NOT_THERE NAMES_NONE  /* for a place, a person, a visit, evidence, a case */
#define MERGE_DEPTH_MAX 16    /* a record replaced by one that is replaced … */

enum person_sex { SEX_UNKNOWN, SEX_FEMALE, SEX_MALE, SEX_OTHER };

struct place {
    struct str id, name, level; /* level: Location.type as text, "District" */
    uint32_t part_of;
};

struct person {
    int32_t born, died; /* days */
    uint32_t residence; /* a place; NOT_THERE: not known */
    enum person_sex sex : 8;
    bool is_touched;                    /* is in records.touched */
    uint32_t replaced_by;               /* another person; NOT_THERE: nobody */
    uint32_t first_merged, next_merged; /* those whom this one replaces, as a list */
    uint32_t evidence;                  /* the first of a list */
    uint32_t cases, undated;            /* cases.h's: the first of a list; evidence without a day */
};

struct visit {
    uint32_t place;
    int32_t day;
    uint32_t evidence; /* the first of a list */
};

struct evidence {
    uint32_t person, visit; /* person NOT_THERE: a hole */
    uint16_t disease;       /* which of the definitions; from their number on: which fact */
    enum case_class says : 8;
    uint32_t maybe;                /* bits of conditional rules that the finding fits */
    uint32_t exposure;             /* a place; NOT_THERE: not known */
    int32_t onset, seen, reported; /* days; seen: of the visit, else as onset */
    uint32_t source;               /* the finding that says so */
    uint32_t next_of_source, next_of_person, next_of_visit;
};

/* Of a disease, declared for a place and all that is within it. */
struct outbreak {
    int32_t from, to; /* days; from DAY_UNKNOWN: there is none; to DAY_UNKNOWN: it goes on */
    uint32_t place;   /* NOT_THERE: the country */
    uint16_t disease;
};

struct records {
    struct arena *a;
    const struct case_definitions *definitions;
    struct names place_ids, person_ids, visit_ids, outbreak_ids;
    struct names finding_ids; /* with a letter for the type in front */
    struct place *places;
    struct person *people;
    struct visit *visits;
    struct outbreak *outbreaks;
    size_t places_room, people_room, visits_room, findings_room, outbreaks_room;
    uint32_t *findings; /* the first evidence of each */
    struct evidence *evidence;
    size_t n_evidence, evidence_room; /* with holes, which are a list */
    uint32_t hole;
    uint32_t *touched; /* people whose cases are to be made anew (cases_remake), each once */
    size_t n_touched, touched_room;
    bool is_outbreak_changed; /* everybody whose evidence asks for outbreaks is touched, too */
    int32_t first, last; /* days of visits and evidence ever taken; DAY_UNKNOWN: there is none */
};

/* `a` and `definitions` must outlive it. */
void records_init(struct records *r, struct arena *a, const struct case_definitions *definitions);

/* The day of a date, a dateTime or an instant; DAY_UNKNOWN where it says no day. */
int32_t records_day(struct str s);

/* The newest day that a finding speaks of: when it was recorded, issued or made; DAY_UNKNOWN. */
int32_t records_newest(yyjson_val *finding);

/* Whether the definitions ask for resources of this type; others are passed over. */
bool records_wants(const struct records *r, struct str type);

/* Takes a resource in place of its earlier version, if any. ERR_NO_MEMORY at the arena's limit:
 * what is there is then of no use. */
int records_take(struct records *r, yyjson_val *resource, struct err *err);

/* The resource is no more. */
int records_forget(struct records *r, struct str type, struct str id, struct err *err);
/* … and never was: its id is forgotten too, where nothing else that is kept mentions it. */
int records_erase(struct records *r, struct str type, struct str id, struct err *err);

/* Whether cases are to be made anew. */
static inline bool records_changed(const struct records *r)
{
    return r->n_touched || r->is_outbreak_changed;
}

/* Whether something has mentioned this Encounter or Patient, or may ever need this resource: the
 * others can be passed over by whoever reads an Encounter or a Patient once it is mentioned. */
bool records_knows(const struct records *r, struct str type, struct str id);

/* Completed months of life on a day that is not before the birth. */
unsigned records_months(int32_t born, int32_t day);

/* Who a person is: the one whom no other replaces. In a circle everyone is who they are. */
uint32_t records_root(const struct records *r, uint32_t person);

/* The place itself, or the nearest that it is part of, whose level is this word (without regard to
 * case); NOT_THERE: none. */
uint32_t records_place_at(const struct records *r, uint32_t place, struct str level);
/* The Location of this id; ERR_VALUE where none is known. */
int records_place(const struct records *r, struct str id, uint32_t *ret, struct err *err);
/* Whether a place is the other one or part of it, by way of others too. */
bool records_is_within(const struct records *r, uint32_t place, uint32_t outer);

#endif
