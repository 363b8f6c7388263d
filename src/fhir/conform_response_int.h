/* conform_response_int.h - what the files of the check of QuestionnaireResponses share. */
#ifndef FHIR_CONFORM_RESPONSE_INT_H
#define FHIR_CONFORM_RESPONSE_INT_H

#include "fhir/profile_int.h"

struct response {
    struct conform *c;
    const struct scope *scope;
    yyjson_val *root; /* the QuestionnaireResponse */
    struct str url;   /* of the Questionnaire */
    bool is_finished; /* required answers have to be there */
};

void response_say(struct response *r, enum issue_severity severity, const char *type,
                  const struct place *at, struct str link_id, const char *text);
/* "Integer" of valueInteger is the type integer; "Coding" is itself. */
const struct def_type *response_type(struct str name);

/* conform_answer.c: an answer's value of a type ("Integer"), and how many answers or groups of a
 * question there are, against the question's extensions. */
int response_answer(struct response *r, yyjson_val *question, yyjson_val *v, struct str type,
                    const struct place *at);
void response_occurs(struct response *r, yyjson_val *question, size_t n, const struct place *at);

#endif
