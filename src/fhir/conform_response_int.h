/* conform_response_int.h - what the files of the check of QuestionnaireResponses share. */
#ifndef FHIR_CONFORM_RESPONSE_INT_H
#define FHIR_CONFORM_RESPONSE_INT_H

#include "fhir/profile_int.h"

struct response {
    struct conform *c;
    const struct scope *scope;
    yyjson_val *root; /* the QuestionnaireResponse */
    struct str url;   /* of the Questionnaire */
    yyjson_val *questionnaire;
    size_t n_items;   /* of the response, and answers */
    bool is_finished; /* required answers have to be there */
};

/* Where an item stands: the list that it is in, and the items around. */
struct level {
    const struct level *up;
    yyjson_val *items;
    yyjson_val *item; /* one of them; NULL for a question that has no item */
};

enum enabled { ENABLED_NO, ENABLED_YES, ENABLED_UNSURE };

void response_say(struct response *r, enum issue_severity severity, const char *type,
                  const struct place *at, struct str link_id, const char *text);
/* "Integer" of valueInteger is the type integer; "Coding" is itself. */
const struct def_type *response_type(struct str name);

/* Items and answers, also those below answers. */
size_t response_count(yyjson_val *items);
/* The value[x] of an answer or an option ("value"), or of a condition ("answer"), and its type as
 * the name has it. */
yyjson_val *response_choice(yyjson_val *of, struct str stem, struct str *ret_type);
/* Whether a question of a type ("open-choice") may be answered by a value of another ("Coding"). */
bool response_fits(struct str question, struct str answer);
/* Codes are the same by system and code, everything else by what it says. */
bool response_is_same(yyjson_val *a, yyjson_val *b);

/* conform_enable.c: whether a question is asked where it stands, and whether an item, or one below,
 * has an answer. */
enum enabled response_enabled(yyjson_val *question, const struct level *level);
bool response_is_answered(yyjson_val *item);

/* conform_answer.c: an answer's value of a type ("Integer"), and how many answers or groups of a
 * question there are, against the question's extensions. */
/* The value of the first extension of an element with a url, whatever its type; NULL: none. */
yyjson_val *response_extension(yyjson_val *of, struct str url);
int response_answer(struct response *r, yyjson_val *question, yyjson_val *v, struct str type,
                    const struct place *at);
void response_occurs(struct response *r, yyjson_val *question, size_t n, const struct place *at);

/* conform_constraint.c: whether the constraints that a Questionnaire or a question of it states are
 * FHIRPath. */
int response_constraints_compile(struct conform *c, yyjson_val *of, const struct place *at);
/* An item against the constraints of its question, or (NULL) the response
 * against those of the questionnaire. */
int response_constraints(struct response *r, yyjson_val *question, const struct item *item,
                         const struct place *at);

#endif
