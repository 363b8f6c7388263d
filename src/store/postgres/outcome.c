/* outcome.c - what became of a commit whose answer was lost.
 *
 * Each process that writes has a row of carnet_meta, and each of its groups leaves a name there
 * that no other group has. When the connection is gone before the answer to the commit is here, the
 * row says whether the group happened.
 *
 * The number of the transaction would not do (pg_xact_status): what of a transaction had not
 * reached the log when the server died is forgotten, its number is given out again after recovery,
 * and then stands for somebody else's group, which may well have been committed.
 */
#include "store/postgres/pg_int.h"

#include "base/clock.h"

#include <unistd.h>

#define TRY_AGAIN_US 500000

void pg_outcome_init(struct pg_writer *w)
{
    char id[UUID_TEXT_LEN + 1];

    uuid7(id);
    snprintf(w->name, sizeof w->name, PG_WRITERS "%s", id);
}

/* The names of groups begin with their time, so that they are ordered by it: forgets the writers
 * that have been silent for long, each of which was stopped or killed. */
static int sweep(struct pg_writer *w, struct err *err)
{
    uint64_t ms = (uint64_t)(clock_now_ms() - PG_WRITER_KEPT_MS);
    struct pg_args a = {0};
    char oldest[UUID_TEXT_LEN + 1];

    snprintf(oldest, sizeof oldest, "%08x-%04x", (unsigned)(ms >> 16), (unsigned)(ms & 0xffff));
    pg_arg_bytes(&a, str_c(oldest));
    return pg_send(w->conn, PG_SWEEP, &a, err);
}

int pg_outcome_sign(struct pg_writer *w, struct err *err)
{
    struct pg_args a = {0};
    int r = w->has_swept ? 0 : sweep(w, err);

    if (r < 0)
        return r;
    w->has_swept = true;
    uuid7(w->group);
    pg_arg_bytes(&a, str_c(w->name));
    pg_arg_bytes(&a, str_c(w->group));
    return pg_send(w->conn, PG_META_SET, &a, err);
}

/* On a new connection: 1 if the group happened, 0 if not; negative if that could not be asked.
 * The group held the feed from its first statement on: who holds it now looks after its end. */
static int look(struct pg_conn *c, const struct pg_writer *w)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    struct pg_args a = {0};
    int r = pg_send(c, PG_BEGIN_WRITE, NULL, NULL);

    pg_arg_bytes(&a, str_c(w->name));
    if (r < 0 || (r = pg_send(c, PG_LOCK, NULL, NULL)) < 0 ||
        (r = pg_ask(c, PG_META_GET, &a, &res, NULL)) < 0)
        return r;
    return PQntuples(res) && str_eq(pg_bytes(res, 0, 0), str_c(w->group));
}

int pg_outcome_ask(struct pg_writer *w, struct err *err)
{
    for (int i = 0; i < PG_DOUBT_TRIES; i++) {
        int happened;

        if (i)
            usleep(TRY_AGAIN_US);
        if (pg_writer_reconnect(w, NULL) < 0)
            continue;
        happened = look(w->conn, w);
        pg_writer_rollback(w);
        if (happened >= 0)
            return happened ? 0 : err->code;
    }
    return err->code;
}
