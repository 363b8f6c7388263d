/* operator_int.h - what the files of the node's end of operator.h share. */
#ifndef SERVER_OPERATOR_INT_H
#define SERVER_OPERATOR_INT_H

#include "server/operator.h"

/* A number in the query; 0 where there is none. */
uint64_t operator_number(struct str query, struct str name);
/* What `out` holds, or the error. */
void operator_answer(struct http_exchange *x, int r, struct sb *out, const struct err *err);
/* operator_place.c: on a worker, whatever place.h asks; ctx is the struct server. */
void operator_place(void *ctx, struct http_exchange *x);

#endif
