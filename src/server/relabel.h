/* relabel.h - labels on what is there already, when the policy's labelling has changed.
 *
 * A thread holds what the policy in force labels by (label_print) against what the store was last
 * gone through with, and where they differ looks at every current resource, in steps whose position
 * is committed with their effect: a label that is missing is set, one that the node set and no rule
 * asks for any more goes, each as a new version by "labels". Several processes of one store may
 * do it at once: what one has labelled another finds done.
 */
#ifndef SERVER_RELABEL_H
#define SERVER_RELABEL_H

#include "store/store.h"
#include "trust/policy_book.h"

#define RELABEL_STEP_ROWS 500 /* versions looked at in one commit */

struct relabel;

/* Called by the thread when all is looked at: how many resources it changed, by which policy. */
typedef void relabel_done(void *ctx, const struct policy *policy, uint64_t changed);

/* Starts the thread; it begins with a look. `done` may be NULL. */
int relabel_start(struct store *store, struct policy_book *book, relabel_done *done, void *ctx,
                  struct relabel **ret, struct err *err);
/* Another policy may be in force. From any thread; does not block. */
void relabel_wake(struct relabel *r);
/* Ends the thread between two steps. NULL is allowed. */
void relabel_stop(struct relabel *r);

#endif
