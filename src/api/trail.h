/* trail.h - what a request leaves in the audit log: each of its interactions, and whose records it
 * showed or changed.
 *
 * A call has a trail where the node keeps an audit log (NULL otherwise, and everything here does
 * nothing). Interactions say which rows they open for the asker; the entries of a Bundle have a
 * trail each. Before a reply leaves, all of it is durable.
 */
#ifndef API_TRAIL_H
#define API_TRAIL_H

#include "api/call.h"
#include "api/write.h"
#include "trust/audit/audit.h"

struct trail {
    struct call *call;
    struct trail *first, *last, *next;  /* of the request: the first has the others behind it */
    enum audit_interaction interaction; /* AUDIT_OTHER: by the call's row */
    struct str address, request_id;
    struct str purpose;   /* of this interaction, where it is not the token's */
    struct str target;    /* path as sent, for what leads nowhere */
    struct str *patients; /* ids, each once */
    size_t n, cap;
    uint32_t *slots; /* 1 + place in `patients`, by hash */
    bool failed;     /* memory ran out: the request must not be answered as if it were audited */

    struct audit_append append; /* n 0: nothing to write */
};

/* Of a request, in call->a; the exchange says where from. NULL when memory is short. */
struct trail *trail_new(struct call *c, struct str address, struct str request_id);
/* Of an interaction inside it, or of one that runs later for it. */
struct trail *trail_inner(struct trail *outer, struct call *c);

/* The asker is shown this resource, or something made of it: its patients are noted. `root` is the
 * row's resource; trail_saw_text parses its text, trail_saw_row reads it. */
void trail_saw(struct call *c, int type, struct str id, yyjson_val *root);
void trail_saw_text(struct call *c, const struct row *row, struct str text);
void trail_saw_row(struct call *c, const struct row *row);
/* The writer made a version: those whose compartments it is in. */
void trail_wrote(struct call *c, int type, struct str id, const struct index *index);
void trail_patient(struct call *c, struct str id);
/* The glass was broken for a patient: an entry of its own, beside the operation's. */
void trail_glass(struct call *c, struct str patient);

/* Everything of the request into the log. `done` is called once, on the log's thread (or at once,
 * where there is nothing to write), err NULL when it is durable. */
typedef void trail_done(void *ctx, const struct err *err);
struct trail_end {
    trail_done *done;
    void *ctx;
    size_t left;
    bool failed;
    struct err err;
};
/* Everything that needs no log; 0 when there is nothing to write. */
int trail_prepare(struct call *c, struct err *err);
void trail_submit(struct call *c, struct trail_end *end);
/* prepare, submit and wait: for what has no exchange. */
int trail_write(struct call *c);

#endif
