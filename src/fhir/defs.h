/* defs.h - the FHIR R4 (4.0.1) definitions as constant tables.
 *
 * The tables are compiled in from defs/ (see defs/README.md for provenance): nothing is parsed at
 * start, nothing is allocated, and every pointer handed out lives as long as the process.
 *
 * Numbers of resource types and of search parameters are part of the stored format: they are
 * written down in defs/, only ever appended to, never renumbered.
 */
#ifndef FHIR_DEFS_H
#define FHIR_DEFS_H

#include "base/str.h"

/* Resource types: 1 … DEF_RESOURCE_MAX in the alphabetical order of R4; 0 is "none". */
#define DEF_RESOURCE_MAX 146

/* Number of a concrete resource type by name, 0 if there is none. */
int def_resource(struct str name);
/* Its name; `type` must be 1 … DEF_RESOURCE_MAX. */
struct str def_resource_name(int type);

enum def_kind {
    DEF_PRIMITIVE, /* boolean, code, dateTime, … */
    DEF_COMPLEX,   /* HumanName, Quantity, … */
    DEF_BACKBONE,  /* an element with children of its own, named by its path: "Patient.contact" */
    DEF_RESOURCE,
};

enum def_binding { DEF_UNBOUND, DEF_EXAMPLE, DEF_PREFERRED, DEF_EXTENSIBLE, DEF_REQUIRED };

#define DEF_MAX_UNBOUNDED UINT16_MAX

struct def_type;
struct def_codes;

/* One element of a type. A choice element ("value[x]") has name "value" and is_choice; in JSON it
 * stands as name + Type ("valueQuantity"). A contentReference has the type that it refers to. */
struct def_element {
    struct str name;
    const struct def_type *const *types; /* allowed types, then NULL; one unless is_choice */
    const int *targets;                  /* of a Reference: resource types, then 0; NULL: any */
    const struct def_codes *codes;       /* the binding's codes where the definitions hold them */
    uint16_t min, max;
    uint8_t binding; /* enum def_binding */
    bool is_choice, is_summary, is_modifier;
};

/* The data types by number, for a switch; TYPE_NONE for resources and backbone elements. */
enum def_which {
    TYPE_NONE,
    /* primitive */
    TYPE_BASE64BINARY,
    TYPE_BOOLEAN,
    TYPE_CANONICAL,
    TYPE_CODE,
    TYPE_DATE,
    TYPE_DATETIME,
    TYPE_DECIMAL,
    TYPE_ID,
    TYPE_INSTANT,
    TYPE_INTEGER,
    TYPE_MARKDOWN,
    TYPE_OID,
    TYPE_POSITIVEINT,
    TYPE_STRING,
    TYPE_TIME,
    TYPE_UNSIGNEDINT,
    TYPE_URI,
    TYPE_URL,
    TYPE_UUID,
    TYPE_XHTML,
    /* complex */
    TYPE_ADDRESS,
    TYPE_AGE,
    TYPE_ANNOTATION,
    TYPE_ATTACHMENT,
    TYPE_CODEABLECONCEPT,
    TYPE_CODING,
    TYPE_CONTACTDETAIL,
    TYPE_CONTACTPOINT,
    TYPE_CONTRIBUTOR,
    TYPE_COUNT,
    TYPE_DATAREQUIREMENT,
    TYPE_DISTANCE,
    TYPE_DOSAGE,
    TYPE_DURATION,
    TYPE_ELEMENTDEFINITION,
    TYPE_EXPRESSION,
    TYPE_EXTENSION,
    TYPE_HUMANNAME,
    TYPE_IDENTIFIER,
    TYPE_MARKETINGSTATUS,
    TYPE_META,
    TYPE_MONEY,
    TYPE_NARRATIVE,
    TYPE_PARAMETERDEFINITION,
    TYPE_PERIOD,
    TYPE_POPULATION,
    TYPE_PRODCHARACTERISTIC,
    TYPE_PRODUCTSHELFLIFE,
    TYPE_QUANTITY,
    TYPE_RANGE,
    TYPE_RATIO,
    TYPE_REFERENCE,
    TYPE_RELATEDARTIFACT,
    TYPE_SAMPLEDDATA,
    TYPE_SIGNATURE,
    TYPE_SUBSTANCEAMOUNT,
    TYPE_TIMING,
    TYPE_TRIGGERDEFINITION,
    TYPE_USAGECONTEXT,
};

#define DEF_ELEMENTS_MAX 128 /* elements of one type */

struct def_type {
    struct str name;
    uint8_t kind;   /* enum def_kind */
    uint8_t number; /* of a concrete resource type, 0 otherwise */
    uint8_t which;  /* enum def_which */
    bool is_abstract;
    const struct def_type *base;        /* NULL: none */
    const struct def_element *elements; /* all, inherited ones first, in definition order */
    size_t n_elements;
    uint64_t required[DEF_ELEMENTS_MAX / 64]; /* bit i: elements[i].min > 0 */
};

/* Any type by its name ("Patient", "HumanName", "Patient.contact", "code"), or NULL. */
const struct def_type *def_type(struct str name);
const struct def_type *def_resource_type(int type);

/* The element that a JSON member name stands for: exact, or a choice ("valueQuantity" gives the
 * element "value" and the type Quantity). NULL when the type has no such member. A leading '_' is
 * the caller's to take off. *ret_type is the element's type. */
const struct def_element *def_member(const struct def_type *t, struct str json_name,
                                     const struct def_type **ret_type);
/* The same for members that come one after the other, most likely in the order of the definition:
 * *at, 0 at the first, is where the next one is looked for first. */
const struct def_element *def_next_member(const struct def_type *t, struct str json_name,
                                          size_t *at, const struct def_type **ret_type);

/* The type that has an element in its table. */
const struct def_type *def_owner(const struct def_element *e);

/* Whether a code list has (system, code); system .p == NULL asks for the code alone. */
bool def_codes_has(const struct def_codes *c, struct str system, struct str code);
struct str def_codes_url(const struct def_codes *c);

/* Search parameters, one row per (resource type, code): parameters of Resource and DomainResource
 * stand once for each type, so that `id` names one list of the index. */
enum def_param_kind {
    PARAM_NUMBER,
    PARAM_DATE,
    PARAM_STRING,
    PARAM_TOKEN,
    PARAM_REFERENCE,
    PARAM_COMPOSITE,
    PARAM_QUANTITY,
    PARAM_URI,
    PARAM_SPECIAL,
};

struct def_component {     /* of a composite parameter */
    struct str code;       /* of the component's search parameter on the same type */
    struct str expression; /* relative to the composite's own */
    uint8_t kind;          /* of that parameter: enum def_param_kind, no composite or special */
};

struct def_param {
    uint16_t id;           /* 1 … 0x7fff, never renumbered */
    uint16_t type;         /* resource type */
    uint8_t kind;          /* enum def_param_kind */
    struct str code;       /* "birthdate" */
    struct str url;        /* of the SearchParameter */
    struct str expression; /* FHIRPath, only what applies to `type`; may be "" */
    const int *targets;    /* of a reference: resource types, 0 at the end; NULL: any */
    const struct def_component *components;
    size_t n_components;
};

/* All rows, sorted by (type, code). */
const struct def_param *def_params(size_t *ret_n);

/* Compartments: Patient, Encounter, RelatedPerson, Practitioner, Device. */
enum def_compartment {
    COMPARTMENT_PATIENT,
    COMPARTMENT_ENCOUNTER,
    COMPARTMENT_RELATED_PERSON,
    COMPARTMENT_PRACTITIONER,
    COMPARTMENT_DEVICE,
    COMPARTMENT_COUNT,
};

int def_compartment_type(enum def_compartment c); /* resource type that names it */
/* Codes of the reference parameters that put a resource of `type` into compartment c, .p == NULL at
 * the end; NULL when the type is never in it. The code "{def}" means the resource itself: the type
 * that names a compartment has it first. */
const struct str *def_compartment_params(enum def_compartment c, int type);

/* A small number for a well-known code system URI (LOINC, UCUM, ICD-11, the ones R4 defines …),
 * 1 … 0xfdff, never renumbered; 0 when it is not among them. */
uint16_t def_system(struct str uri);

#endif
