/* base_int.h - what the makers of base resources share: a reader of tables and a writer of members.
 */
#ifndef FHIR_BASE_INT_H
#define FHIR_BASE_INT_H

#include "base/sb.h"
#include "fhir/base_text.h"

#define BASE_CELLS_MAX 12
#define BASE_JSON_MAX MIB(4) /* one resource */
#define BASE_VERSION "4.0.1"
#define BASE_STRUCTURE_URL "http://hl7.org/fhir/StructureDefinition/"

/* Where the resources go. `failed` ends everything. */
struct base_out {
    int (*emit)(void *ctx, struct str json, struct err *err);
    void *ctx;
    struct err *err;
    struct sb sb;
    int result; /* of the first that failed */
};

struct base_table {
    struct str rest;
    struct str cells[BASE_CELLS_MAX]; /* of the row read last; those left off are empty */
};

static inline struct base_table base_table(struct str text)
{
    return (struct base_table){.rest = text};
}

/* The next row into t->cells; false at the end. */
bool base_row(struct base_table *t);

/* {"resourceType":"…","id":"…" */
void base_open(struct base_out *out, const char *type, struct str id);
/* } and emits. Returns false once something has failed. */
bool base_close(struct base_out *out);

/* "name": with a comma in front where one belongs. */
void base_name(struct sb *b, const char *name);
/* A member; nothing for an empty value. */
void base_text_member(struct sb *b, const char *name, struct str value);
/* "1" and "0" become true and false. */
void base_bool_member(struct sb *b, const char *name, struct str value);
/* A list apart by `sep` as an array of strings, each behind `prefix` unless it has a ':'. */
void base_list_member(struct sb *b, const char *name, struct str list, char sep,
                      const char *prefix);
/* The members that the definitions' head rows share: url, version, name, title, status,
 * experimental. */
void base_head(struct sb *b, struct str url, struct str version, struct str name, struct str title,
               struct str status, struct str experimental);

/* Each emits all resources of its kind; of the structures, one alone where `type` names it. */
void base_structures(struct base_out *out, struct str type);
void base_profiles(struct base_out *out);
void base_searches(struct base_out *out);
void base_terms(struct base_out *out);

#endif
