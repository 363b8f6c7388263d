/* write_labels.h - labels on what is written, by the policy in force (trust/label.h), whoever
 * writes it and however it came.
 */
#ifndef API_WRITE_LABELS_H
#define API_WRITE_LABELS_H

#include "api/write.h"

/* Those that need no transaction; w->root becomes what is to be stored. */
int write_labels(struct write *w);
/* On the writer: those by age, and all of them once more where another policy came into force
 * since. 1: w->root is another one, whose keys and body have to be made again. */
int write_labels_now(struct write *w, struct store_txn *txn);

#endif
