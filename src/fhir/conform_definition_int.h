/* conform_definition_int.h - what the checks of definitions share. */
#ifndef FHIR_CONFORM_DEFINITION_INT_H
#define FHIR_CONFORM_DEFINITION_INT_H

#include "fhir/profile_int.h"

struct definition_check {
    struct conform *c;
    yyjson_val *root; /* the definition */
    const struct place *at;
};

void definition_say(const struct definition_check *d, enum issue_severity severity,
                    const char *type, const struct place *at, const char *rule, const char *text);
/* The resource of a conformance type with a canonical; NULL where it is not known here. */
int definition_find(const struct definition_check *d, const char *type, struct str url,
                    yyjson_val **ret);

/* conform_structure.c, conform_code_system.c, conform_operations.c: each a whole resource. 0 or
 * negative. */
int conform_structure(const struct definition_check *d);
int conform_code_system(const struct definition_check *d);
int conform_search_parameter(const struct definition_check *d);
int conform_operation(const struct definition_check *d);
int conform_capability(const struct definition_check *d);

#endif
