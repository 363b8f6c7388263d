/* signals_int.h - what signals.c and signal_task.c share. */
#ifndef SURVEILLANCE_SIGNALS_INT_H
#define SURVEILLANCE_SIGNALS_INT_H

#include "surveillance/signals.h"

/* What a Task is to say. */
struct signal_said {
    struct str id, disease, disease_title;
    struct str place, place_name; /* place .p NULL: the country */
    struct str part_of;           /* Task of what this place is within; .p NULL: none */
    const struct judged *judged;
    int32_t first_week; /* of the event */
    int32_t today;
    bool is_open;      /* the week is not over */
    bool is_withdrawn; /* judged is then what is left of it */
    int64_t now_ms;
    const struct signal_rules *rules;
    struct str definitions; /* version */
    const char *method;     /* name */
};

/* The Task's next version, of `before` (NULL: there is none) with what the node has to say. */
void signal_task(struct sb *out, const struct signal_said *s, yyjson_val *before);
/* Whether people have ended it: then the node leaves it as it is. */
bool signal_is_ended(yyjson_val *task);

/* What a Task says of its event, to be remembered after a start; false: it is no signal. */
struct signal_read {
    struct str id, disease, place; /* place .p NULL: the country */
    struct str week, first_week;   /* "2026-W07" */
    uint32_t count;
    bool is_withdrawn;
};
bool signal_read(yyjson_val *task, struct signal_read *ret);

/* "2026-W07", and back; INT32_MIN for another text. */
void signal_put_week(struct sb *out, int32_t week);
int32_t signal_week(struct str text);

#endif
