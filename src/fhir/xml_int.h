/* xml_int.h - what the two directions of XML share. */
#ifndef FHIR_XML_INT_H
#define FHIR_XML_INT_H

#include "fhir/defs.h"
#include "fhir/xml.h"

#define XML_NAMESPACE "http://hl7.org/fhir"
#define XHTML_NAMESPACE "http://www.w3.org/1999/xhtml"
#define XSI_NAMESPACE "http://www.w3.org/2001/XMLSchema-instance"

/* Where the walk is, made text only when there is something to say. */
struct xml_place {
    const struct xml_place *up;
    struct str name; /* of the resource type at the root, of the element below */
    ptrdiff_t index; /* of one that repeats, -1: does not */
};

/* "Patient.name[0].given[1]" with a NUL; long ones are cut. */
void xml_place_text(const struct xml_place *at, char to[static XML_PLACE_MAX]);

/* What is an attribute in XML and a member in JSON: `id` of all but resources, `url` of an
 * extension. */
bool xml_is_attribute(const struct def_type *t, const struct def_element *e);

/* Text between tags, or (is_value) of an attribute in double quotes. False for what XML 1.0 has no
 * character for. */
bool xml_escape(struct sb *out, struct str s, bool is_value);

/* Looks at a text before libxml2 does: encoding, document type, and what its time grows with faster
 * than with the length of the text. *ret_simple: there is nothing in it for which the bytes of a
 * narrative could mean something else elsewhere (prefixes, CDATA, instructions, carriage returns).
 */
int xml_scan(struct str text, bool *ret_simple, struct err *err);

#endif
