/* correction.h - a person says that something in their record is wrong: the request, its decision,
 * and what is left of both.
 *
 * A request is a Task (CORRECTION_SYSTEM | CORRECTION_TASK) that the node writes for the person:
 * its focus is the version that they saw. It is decided once, by a role with `corrects` or by
 * whoever wrote that version: accepted when the resource has been changed since, with a Provenance
 * of the change that points to the request, or refused with a reason. Nobody writes such Tasks by
 * hand. Pure. docs/guides/access.md.
 */
#ifndef TRUST_CORRECTION_H
#define TRUST_CORRECTION_H

#include "base/js.h"
#include "trust/identity.h"

#define CORRECTION_SYSTEM "urn:carnet:task"
#define CORRECTION_TASK "correction"
#define CORRECTION_TEXT_MIN 3
#define CORRECTION_TEXT_MAX 4000 /* bytes of what is wrong, of why, and of a decision's reason */
#define CORRECTION_OPEN_MAX 20   /* requests of one person that nobody has decided yet */
#define CORRECTION_LISTED_MAX 200

struct correction {
    struct str id, patient;
    struct str focus; /* "Observation/1/_history/2" */
    struct str what, why;
    int64_t when_ms;
};

/* Appends the Task of a request by `who`. */
void correction_task(struct sb *out, const struct identity *who, const struct correction *c);

struct correction_decision {
    const struct identity *by;
    bool accepts;
    struct str reason;
    struct str target, provenance; /* accepted: "Observation/1/_history/3", and an id */
    int64_t when_ms;
};

/* Appends the Task as it is once it is decided. */
void correction_decided(struct sb *out, yyjson_val *task, const struct correction_decision *d);
/* Appends the Provenance of an accepted one. */
void correction_provenance(struct sb *out, yyjson_val *task, const struct correction_decision *d);

bool correction_is_task(yyjson_val *root);
bool correction_is_open(yyjson_val *task);
/* The focus as "Type/id" and the version; false when it has none. */
bool correction_focus(yyjson_val *task, struct str *ret_resource, struct str *ret_version);

#endif
