/* sdc_int.h - what the files about forms share. */
#ifndef FHIR_SDC_INT_H
#define FHIR_SDC_INT_H

#include "fhir/conform_response_int.h"
#include "fhir/patch_int.h"
#include "fhir/sdc.h"

#define SDC(name) STR("http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-" name)
#define CORE(name) STR("http://hl7.org/fhir/StructureDefinition/" name)

/* ---- sdc.c ---- */

/* The first extension with the url, or NULL; its value is response_extension(). */
yyjson_val *sdc_extension(yyjson_val *of, struct str url);
/* Where a question stands, as FHIRPath: for issues. */
struct str sdc_where(struct sdc *s, const char *type, struct str link_id);
/* One more item or answer. ERR_COSTLY past SDC_ITEMS_MAX. */
int sdc_count(struct sdc *s, struct err *err);

/* Takes n steps. ERR_COSTLY past SDC_STEPS_MAX. */
int sdc_spend(struct sdc *s, size_t n, struct err *err);

/* The questions of one level, to find those of answers, which mostly come in their order: a look
 * begins where the last one ended, and each question that is looked at is a step. */
struct sdc_level {
    yyjson_val *questions, *at;
    yyjson_arr_iter iter;
};
struct sdc_level sdc_level_of(yyjson_val *questions);
/* *ret NULL where none has the linkId. ERR_COSTLY past SDC_STEPS_MAX. */
int sdc_question(struct sdc *s, struct sdc_level *level, struct str link_id, yyjson_val **ret,
                 struct err *err);

/* %name from now on, until `s->n_variables` is put back. */
int sdc_define(struct sdc *s, struct str name, const struct path_items *items, struct err *err);
/* The variables that a form or a question states. Each is evaluated when an expression first names
 * it, and never if none does; `focus` and `where` live until then. */
int sdc_variables(struct sdc *s, yyjson_val *of, const struct path_item *focus, struct str where,
                  struct err *err);
/* What an Expression gives. 1; 0 where it cannot be evaluated, which an issue says. */
int sdc_evaluate(struct sdc *s, yyjson_val *expression, const struct path_item *focus,
                 struct str where, struct path_items *ret, struct err *err);
/* What a query gives: 1, or 0 for nothing. */
int sdc_ask(struct sdc *s, struct str query, struct str where, yyjson_val **ret, struct err *err);
/* The first resource of what was asked: itself, or the first entry of a Bundle; or NULL. */
yyjson_val *sdc_first(yyjson_val *answer);

/* ---- sdc_value.c ---- */

/* Appends an answer's value to `out`, `"valueCoding":{…}`, made of a value for a question. 1, or 0
 * where it does not fit. */
int sdc_answer(struct sdc *s, yyjson_val *question, const struct path_item *item, struct sb *out,
               struct err *err);
/* An answer's value (`type` as in value[x]: "Coding") as that of an element. 1, or 0 where it does
 * not fit. */
int sdc_element(yyjson_mut_doc *doc, struct arena *a, const struct def_element *e,
                yyjson_val *question, yyjson_val *v, struct str type, struct patch_value *ret,
                struct err *err);
/* The same of what an expression gave. */
int sdc_element_of(struct sdc *s, yyjson_mut_doc *doc, const struct def_element *e,
                   const struct path_item *item, struct patch_value *ret, struct err *err);

/* ---- sdc_definition.c: resources made by definitions ---- */

struct sdc_target;

/* Where a walk stands: a form, a group or a question, and what is being made there. */
struct sdc_frame {
    const struct sdc_frame *up;
    yyjson_val *question; /* the Questionnaire, or an item of it */
    yyjson_val *item;     /* of the response, or the response */
    struct str key;
    struct level level;
    bool is_observed;           /* its answers are observations */
    struct sdc_target *target;  /* the first that begins here; they are a list */
    struct sdc_target *spot_of; /* the element that the group stands for, and its path */
    yyjson_mut_val *spot;
    const struct def_type *spot_type;
    struct str spot_path;
};

/* Begins what the extensions of a question say, and the element that a group stands for. */
int sdc_begin(struct sdc *s, struct sdc_frame *f, struct err *err);
/* Puts an answer where the question's definition says. */
int sdc_put(struct sdc *s, const struct sdc_frame *f, yyjson_val *v, struct str type,
            struct err *err);
/* Ends what began here: what got an answer is added to `ret`. */
int sdc_end(struct sdc *s, struct sdc_frame *f, struct sdc_entries *ret, struct err *err);
/* Adds a finished resource, after a look at its structure. */
int sdc_add(struct sdc *s, yyjson_mut_val *made, const struct sdc_entry *as, struct str where,
            struct sdc_entries *ret, struct err *err);

#endif
