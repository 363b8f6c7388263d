/* conform_response.c - a QuestionnaireResponse against its Questionnaire. */
#include "fhir/profile_int.h"

int conform_response(struct conform *c, yyjson_val *response, const struct scope *scope,
                     const struct place *at)
{
    (void)c;
    (void)response;
    (void)scope;
    (void)at;
    return 0;
}
