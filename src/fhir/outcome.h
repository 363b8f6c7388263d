/* outcome.h - OperationOutcome: what we say when something does not hold.
 *
 * Source: http://hl7.org/fhir/R4/operationoutcome.html. The body has no narrative: `details.text`
 * is one sentence for a person, `code` is for a program, `expression` names the element.
 */
#ifndef FHIR_OUTCOME_H
#define FHIR_OUTCOME_H

#include "base/sb.h"
#include "fhir/issues.h"

/* One error. `detail` of err stays at home: it is for the log. */
void outcome_err(struct sb *out, const struct err *err);

/* A list of issues, errors first; when more were counted than kept, a last one says how many. An
 * empty list gives "All OK" (an outcome needs an issue). */
void outcome_issues(struct sb *out, const struct issues *issues);

/* One issue of any kind. `where` and `diagnostics` may be empty. */
void outcome_one(struct sb *out, enum issue_severity severity, const char *type, struct str text,
                 struct str where, struct str diagnostics);

#endif
