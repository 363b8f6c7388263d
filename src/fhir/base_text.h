/* base_text.h - the tables of defs/ as text, without their first line, for base_resources.c. */
#ifndef FHIR_BASE_TEXT_H
#define FHIR_BASE_TEXT_H

#include "base/str.h"

extern const struct str base_text_types, base_text_elements, base_text_constraints,
    base_text_profiles, base_text_searchparams, base_text_components, base_text_compartments,
    base_text_codesystems, base_text_codes, base_text_valuesets, base_text_compose;

#endif
