/* write.h - a write in two steps: everything that needs no transaction first (prepare, on any
 * thread), then what must see the store as it is (apply, on the writer).
 */
#ifndef API_WRITE_H
#define API_WRITE_H

#include "api/call.h"

enum write_kind { WRITE_CREATE, WRITE_UPDATE, WRITE_PATCH, WRITE_DELETE, WRITE_EXPUNGE };
enum write_result { WRITE_NOTHING, WRITE_CREATED, WRITE_UPDATED, WRITE_DELETED };

struct write;

/* Writes the text of the next version, made of the newest one; on the writer's thread. 1: there is
 * nothing to change, and no new version. */
typedef int write_change(struct write *w, yyjson_val *newest, struct sb *next);

struct write {
    struct call *call;
    enum write_kind kind;
    write_change *change; /* of WRITE_PATCH */
    int type;
    struct str id; /* empty until known */
    bool conditional;
    bool settled;             /* the condition is answered: `id` is the target's */
    bool exists;              /* a conditional create found its resource: nothing to do */
    const struct write *twin; /* in a transaction: an earlier create with the same condition */
    bool has_new_id;          /* `id` was made for this write */
    bool prepared;            /* `sealed` and `index` are made */
    bool in_bundle;           /* references are checked when the whole bundle is in */
    struct search condition;  /* when conditional */
    yyjson_val *body;         /* what was sent: the resource, or the patch */
    yyjson_val *root;         /* the resource with its id */
    struct sb sealed;
    struct index index;
    uint64_t labelled_by;   /* number of the policy whose labels it has */
    uint64_t rules_by_age;  /* of it, that its codes name: the patient's age says which hold */
    struct version must_be; /* If-Match; hlc 0: none */
    bool must_not_exist;    /* If-None-Match: * */

    enum write_result result;
    struct version version;
    size_t n_removed;
};

/* All return 0 or a negative code with call->err (and call->issues) filled. */
int write_init(struct write *w, struct call *c, enum write_kind kind);
/* Makes the id of a create. */
int write_new_id(struct write *w);
int write_prepare(struct write *w);
/* On the writer: answers the condition of a create, update or patch. apply does it too; a
 * transaction does it for all its entries first, because links need the ids. */
int write_settle(struct write *w, struct store_txn *txn);
int write_apply(struct write *w, struct store_txn *txn);
/* Inside a bundle, after all its writes: the references of this one. */
int write_check_references(struct write *w, struct store_txn *txn);
void write_done(struct write *w);

#endif
