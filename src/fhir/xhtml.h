/* xhtml.h - whether a narrative is safe to show: a strict scanner of the XHTML that FHIR allows.
 *
 * The text must be one well-formed <div> in the XHTML namespace, made of the elements and
 * attributes of invariant txt-1. Beyond that nothing may be there that a browser could act on or
 * read in another way than we do: no script, event handler, javascript: or data: address
 * (data:image/ in an img or a style apart), no style that fetches anything but a file beside the
 * page, no CDATA, processing instruction or document type, no markup in comments. That it says
 * something (txt-2) is not asked. No memory is allocated. Source:
 * http://hl7.org/fhir/R4/narrative.html#xhtml.
 */
#ifndef FHIR_XHTML_H
#define FHIR_XHTML_H

#include "base/str.h"

#define XHTML_DEPTH_MAX 100     /* elements within one another */
#define XHTML_ATTRIBUTES_MAX 24 /* of one element */

/* NULL if the narrative is safe, otherwise what does not hold ("has an element that is not
 * allowed") with the place of it in bytes. */
const char *xhtml_problem(struct str s, size_t *ret_at);

/* Calls `each` with every attribute, as it is written, in the order of the text; up to the first
 * problem where there is one. */
typedef void xhtml_attribute_fn(void *ctx, struct str element, struct str name, struct str value);
void xhtml_attributes(struct str s, xhtml_attribute_fn *each, void *ctx);

#endif
