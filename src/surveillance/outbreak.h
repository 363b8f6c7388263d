/* outbreak.h - an outbreak that is declared, as a Task (docs/formats/outbreaks.md): what people say
 * of one in, the Task's next version out. Pure.
 */
#ifndef SURVEILLANCE_OUTBREAK_H
#define SURVEILLANCE_OUTBREAK_H

#include "base/js.h"
#include "base/sb.h"

#define OUTBREAK_SYSTEM "urn:carnet:surveillance"    /* of Task.code, "outbreak" */
#define OUTBREAK_DISEASE_SYSTEM "urn:carnet:disease" /* of Task.reasonCode */
#define OUTBREAK_NOTE_MAX KIB(4) /* bytes of what is said beside a declaration */
#define OUTBREAK_NOTES_MAX 500   /* that an outbreak keeps */

/* What is said of an outbreak, .p NULL where nothing is: then it stays as it was. */
struct outbreak_said {
    struct str id;
    struct str disease, disease_title; /* when it is declared */
    struct str place, place_name;      /* likewise; place .p NULL: the country */
    struct str start, end;             /* days */
    struct str note;
    struct str who;   /* "Practitioner/1"; empty: nobody who has a record */
    struct str agent; /* what is written in place of it */
    bool is_mistake;  /* there was none */
    int64_t now_ms;
};

/* Whether a Task declares an outbreak, or did. */
bool outbreak_is(yyjson_val *task);
/* Of which disease; .p NULL: none is named. */
struct str outbreak_disease(yyjson_val *task);

/* The next version of `before`; NULL: it is declared. ERR_VALUE where a day is none, is ahead, or
 * the end comes before the start; ERR_REQUIRED where it is declared without a start; ERR_TOO_LONG
 * of a note; ERR_COSTLY where it has OUTBREAK_NOTES_MAX notes. */
int outbreak_task(struct sb *out, yyjson_val *before, const struct outbreak_said *s,
                  struct err *err);

/* Members of a JSON object, without braces: "outbreak" (its id), "disease", "location" (null: the
 * country), "start", "end" (null: it goes on) and "state" (declared, over, mistake). */
void outbreak_standing(struct sb *out, yyjson_val *task);

#endif
