/* records_int.h - what the files behind records.h share. */
#ifndef SURVEILLANCE_RECORDS_INT_H
#define SURVEILLANCE_RECORDS_INT_H

#include "surveillance/records.h"

/* The number of a name, given when it is new; NOT_THERE at the arena's limit. */
uint32_t names_number(struct names *t, struct arena *a, struct str name);

/* An array of `n` elements with room for another; NULL at the limit. *room is in elements. */
void *names_room(struct arena *a, void *v, size_t n, size_t *room, size_t size);

#endif
