/* negotiate.h - media types of requests and replies. */
#ifndef API_NEGOTIATE_H
#define API_NEGOTIATE_H

#include "api/call.h"

bool media_is_json(struct str media);
/* Whether it is one of `names` (blanks between them; NULL: none). */
bool media_is(struct str media, const char *names);
bool media_is_json_patch(struct str media);
bool media_is_form(struct str media);
/* Whether an Accept header (may be empty) takes FHIR JSON. */
bool accepts_json(struct str accept);
/* 0, or ERR_NOT_ACCEPTABLE when neither `_format` nor Accept takes FHIR JSON. */
int negotiate_reply(struct call *c, struct str accept);

#endif
