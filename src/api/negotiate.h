/* negotiate.h - media types of requests and replies (http.html#mime-type).
 *
 * Inside, everything is JSON. A body in XML becomes JSON before an interaction sees it, a reply
 * becomes XML when it is finished (xml.c).
 */
#ifndef API_NEGOTIATE_H
#define API_NEGOTIATE_H

#include "api/call.h"

bool media_is_json(struct str media);
/* FHIR's own type for XML, and with the general ones that stand for it where nothing else can be
 * meant. */
bool media_is_fhir_xml(struct str media);
bool media_is_xml(struct str media);
/* Whether it is one of `names` (blanks between them; NULL: none). */
bool media_is(struct str media, const char *names);
bool media_is_json_patch(struct str media);
bool media_is_form(struct str media);

/* 0, or ERR_MEDIA_TYPE for a JSON or XML type whose parameters ask for what is not there: another
 * charset than UTF-8, another FHIR version than 4.0. */
int media_check(struct str media, struct err *err);

/* Decides between JSON and XML (c->xml) by `_format`, and without one by Accept: weights first,
 * then what is named rather than matched by a wildcard, then the order. ERR_NOT_ACCEPTABLE when
 * neither is asked for. */
int negotiate_reply(struct call *c, struct str accept);

/* Whether Accept asks for one of these media types (blanks between them), by name. */
bool negotiate_names(struct str accept, const char *names);

/* Whether the reader of a Binary asks for its bytes: Accept names none of FHIR's types, JSON's, or
 * a wildcard, and there is no `_format`. */
bool negotiate_raw(struct call *c, struct str accept);

#endif
