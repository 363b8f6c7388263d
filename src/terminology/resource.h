/* resource.h - terminology resources, compiled. */
#ifndef TERMINOLOGY_RESOURCE_H
#define TERMINOLOGY_RESOURCE_H

#include "base/js.h"
#include "terminology/cs.h"

/* ERR_PROCESSING when the hierarchy goes round. The caller unrefs. */
int cs_of_resource(yyjson_val *root, struct cs **ret, struct err *err);
/* What the extension structuredefinition-standards-status says of a resource: CS_DEPRECATED,
 * CS_WITHDRAWN or CS_DRAFT; 0: nothing of these. */
uint32_t standards_flags(yyjson_val *root);
/* A system of grammar alone, of which no resource is there. */
int cs_of_grammar(enum cs_grammar grammar, struct str url, struct cs **ret, struct err *err);

#endif
