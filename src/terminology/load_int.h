/* load_int.h - what the readers of load.h share. */
#ifndef TERMINOLOGY_LOAD_INT_H
#define TERMINOLOGY_LOAD_INT_H

#include "base/fault.h"
#include "base/js.h"
#include "terminology/cs.h"
#include "terminology/load.h"
#include "terminology/map.h"
#include "terminology/unpack.h"

#include <stdlib.h>

/* Cleared; NULL where there is none. */
static inline void *load_alloc(size_t n)
{
    return fault_point("alloc") ? NULL : calloc(1, n);
}

struct load_axes;
struct load_icd11;
struct load_maps;
struct load_loinc;
struct load_snomed;
struct load_atc;

struct load {
    const struct load_sink *sink;
    const char *path;
    struct str name; /* of the file inside */
    struct load_axes *axes;
    struct load_icd11 *icd11;
    struct load_maps *maps;
    struct load_loinc *loinc;
    struct load_snomed *snomed;
    struct load_atc *atc;
};

/* Cells of a line; those behind the last are empty. */
struct cells {
    struct str v[LOAD_CELLS_MAX];
    size_t n;
};

void cells_split(struct cells *c, struct str line, char between);
/* Quoted where it begins with a quote; doubled quotes are put right in place, so the bytes are
 * written to. */
void cells_split_quoted(struct cells *c, struct str line, char between);
/* The cell's place by its name in a header (letters and digits compared, without case), or -1. */
int cells_find(const struct cells *header, const char *name);

/* A kind of line-wise file. `knows` sees the first line; `line` the others, `header` the first. */
struct load_reader {
    const char *what;
    bool quotes; /* lines may go on inside quotes */
    bool (*knows)(const struct cells *header);
    char between;
    int (*begin)(struct load *l, const struct cells *header, struct err *err);
    int (*line)(struct load *l, const struct cells *cells, struct err *err);
};

extern const struct load_reader load_axes_reader, load_icd11_reader, load_map_10_11_reader,
    load_map_11_10_reader, load_loinc_reader, load_snomed_concept_reader,
    load_snomed_description_reader, load_snomed_relationship_reader, load_snomed_concrete_reader,
    load_snomed_refset_reader, load_snomed_language_reader, load_snomed_identifier_reader,
    load_atc_reader;

/* load_axes.c: an entity of ICD-11 as WHO's API gives it: its postcoordination axes. */
bool load_is_entity(yyjson_val *root);
int load_entity_axes(struct load *l, yyjson_val *root, struct err *err);
/* The axes that were read, as properties of a tabulation's concepts; `entities` has for each of
 * them the part of its URI behind "/mms/" as the code. ERR_NOT_FOUND names an entity that is not
 * there. */
int load_axes_apply(struct load *l, struct cs_builder *b, const struct cs_builder *entities,
                    struct err *err);
void load_axes_free(struct load_axes *x);
/* The part of a URI behind "/mms/"; all of it where there is none. */
struct str load_linearized(struct str uri);

/* Each puts together what its lines left, gives it to the sink, and frees it (also NULL). */
int load_icd11_finish(struct load *l, struct err *err);
void load_icd11_free(struct load_icd11 *x);
int load_maps_finish(struct load *l, struct err *err);
void load_maps_free(struct load_maps *x);
int load_loinc_finish(struct load *l, struct err *err);
void load_loinc_free(struct load_loinc *x);
int load_snomed_finish(struct load *l, struct err *err);
void load_snomed_free(struct load_snomed *x);
int load_atc_finish(struct load *l, struct err *err);
void load_atc_free(struct load_atc *x);

/* The last part of the URI of an entity of ICD-11: its number, or "other", "unspecified". */
struct str load_entity(struct str uri);

/* JSON files: terminology resources, the lists of iso-codes; *ret_known false for anything else. */
int load_json(struct load *l, struct str json, bool *ret_known, struct err *err);

/* XML in ClaML: the first bytes of a file say whether it is; then all of it, into a code system. */
bool load_is_claml(struct str start);
int load_claml(struct load *l, struct unpack *u, struct err *err);

/* What a loaded system's resource says beside its url and version. */
struct load_about {
    const char *id, *name, *title, *publisher, *copyright;
};

/* Builds the image of a system and gives both to the sink. */
int load_give_system(struct load *l, struct cs_builder *b, const struct load_about *about,
                     struct err *err);
int load_give_map(struct load *l, struct map_builder *b, const struct load_about *about,
                  struct str source, struct str target, struct err *err);

#endif
