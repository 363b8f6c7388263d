/* async.h - answers that are fetched later: Prefer: respond-async.
 *
 * The client gets 202 and a status URL below [base]/_async. There it sees 202 while the interaction
 * waits or runs, then 200 with a Bundle of type batch-response whose one entry holds the answer,
 * with its own status: R4 describes results only for bulk export, so this is R5's form for
 * interactions (http://hl7.org/fhir/R4/async.html). Answers stay in memory, for those who asked,
 * within the limits below.
 */
#ifndef API_ASYNC_H
#define API_ASYNC_H

#include "api/call.h"

#define ASYNC_JOBS_MAX 64                /* waiting, running and answered; past it 429 */
#define ASYNC_BYTES_MAX MIB(128)         /* requests and answers together; past it 429 */
#define ASYNC_AGE_US INT64_C(3600000000) /* an answer is kept for an hour */

struct async;

struct async *async_new(struct api *api);
/* Waits for the interaction that runs; the others are dropped. */
void async_free(struct async *async);

/* Takes the call over into a job: status 202 and the location of the job. ERR_THROTTLED when there
 * are too many. */
int async_submit(struct call *c);
/* State or answer of a job. ERR_BUSY when the answer is too long for an event loop (c->budget). */
int async_status(struct call *c);
/* Forgets a job; one that runs already is finished, and its answer is thrown away. */
int async_cancel(struct call *c);

#endif
