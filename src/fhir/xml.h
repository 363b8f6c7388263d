/* xml.h - FHIR's XML, both ways, by the definitions (http://hl7.org/fhir/R4/xml.html).
 *
 * Everything inside the house is JSON; XML is spoken at the edge alone. Both directions lose
 * nothing that FHIR gives a meaning: literals of numbers, ids and extensions of primitives, the
 * bytes of a narrative. Passed over are comments, processing instructions, schema locations and
 * blanks between elements, and the order of members, which has no meaning in JSON.
 *
 * Reading goes through libxml2's SAX interface. Texts are UTF-8 (http.html asks for it); a document
 * type is refused, so that no entity can be declared and nothing is ever fetched. Elements have to
 * stand in the order of the definitions, as the specification wants it.
 */
#ifndef FHIR_XML_H
#define FHIR_XML_H

#include "base/js.h"

#define XML_BYTES_MAX MIB(256) /* one text, and the JSON that it becomes */
#define XML_DEPTH_MAX 65       /* elements within one another, outside of a narrative */
#define XML_ATTRIBUTES_MAX 32  /* of one element, namespaces included */
#define XML_NAMESPACES_MAX 64  /* declared on the way down to one element */
#define XML_INFLATES_MAX 3     /* bytes of JSON for a byte of XML, see xml_read */
#define XML_PLACE_MAX ERR_WHERE_MAX

/* Whether a text begins as XML does and JSON cannot: '<' behind blanks or a byte order mark. */
bool xml_is_likely(struct str text);

/* Appends the JSON of one resource to `out`, at most XML_INFLATES_MAX times as long as `text` and a
 * little. The structure is that of the definitions, and numbers and booleans are such; whether the
 * resource is valid is for fhir_validate to say. `a` holds the work, nothing lives longer.
 * ERR_SYNTAX ("not XML at line …") and ERR_INVALID name line and place, ERR_TOO_LONG a bound. */
int xml_read(struct arena *a, struct str text, struct sb *out, struct err *err);

/* Appends a resource as XML, with its declaration; indented where `pretty`, but for the narrative.
 * `root` comes from js_parse, so that its depth has a bound. ERR_INVALID with the place of what
 * R4's XML cannot say: an unknown member, a control character, an empty array or string, an
 * extension on what is an attribute in XML, a narrative that is not safe. */
int xml_write(struct sb *out, struct arena *a, yyjson_val *root, bool pretty, struct err *err);

#endif
