/* conn.c - connections in pipeline mode, their prepared statements, and PostgreSQL's errors as
 * ours.
 *
 * A statement is sent without waiting; whoever needs an answer waits for all that was sent. So a
 * transaction's BEGIN, a member's SAVEPOINT and all writes cost no round trip of their own.
 */
#include "store/postgres/pg_int.h"

#include "base/fault.h"

#include <stdlib.h>

#define OID_INT8 20
#define OID_INT4 23
#define OID_TEXT 25
#define OID_BYTEA 17
#define OID_INT8_ARRAY 1016
#define OID_INT4_ARRAY 1007
#define OID_BYTEA_ARRAY 1001
#define NAME_SIZE 12 /* of a prepared statement */

struct statement {
    const char *types, *sql;
};

static const struct statement statements[PG_STATEMENT_COUNT] = {
#define X(id, types, sql) {types, sql},
    PG_STATEMENTS(X)
#undef X
};

static const struct statement sharded[FORM_COUNT][PG_STATEMENT_COUNT] = {
#define X(id, form, types, sql) [form][id] = {types, sql},
    PG_SHARDED(X)
#undef X
};

/* One way to do each thing, whatever statistics say, and however old they are: walks along indexes,
 * from one table to the next. A plan is made once for each connection. */
#define PLAIN_SETTINGS(X) \
    X("enable_seqscan", "off") X("enable_bitmapscan", "off") X("enable_hashjoin", "off") \
    X("enable_mergejoin", "off") X("enable_hashagg", "off") X("enable_material", "off") \
    X("enable_memoize", "off") X("enable_incremental_sort", "off") X("enable_sort", "off") \
    X("jit", "off") X("max_parallel_workers_per_gather", "0") \
    X("plan_cache_mode", "force_generic_plan") X("client_min_messages", "error") \
    X("default_transaction_isolation", "read committed") \
    X("lock_timeout", PG_LOCK_WAIT_MS) \
    X("idle_in_transaction_session_timeout", PG_IDLE_MS)

/* One connection to a worker at a time: so that a reader has one snapshot of each. Workers plan by
 * the settings of the role (schema.c). Warnings say that a worker was lost in a commit. */
#define SHARDED_SETTINGS(X) \
    X("citus.max_adaptive_executor_pool_size", "1") X("plan_cache_mode", "auto") \
    X("client_min_messages", "warning") X("enable_sort", "on") X("enable_hashagg", "on")

#define SET(name, value) "SET " name " = '" value "';"
#define SET_LOCAL(name, value) ", set_config('" name "', '" value "', true)"

const char pg_settings[] = PLAIN_SETTINGS(SET);
const char pg_sharded_settings[] = SHARDED_SETTINGS(SET);

/* The same of one transaction, behind a pooler that has another connection for each. */
static const struct statement local_settings[] = {
    {"", "SELECT 1" PLAIN_SETTINGS(SET_LOCAL)},
    {"", "SELECT 1" PLAIN_SETTINGS(SET_LOCAL) SHARDED_SETTINGS(SET_LOCAL)},
};

static const struct statement *statement_of(const struct pg_conn *c, enum pg_statement id,
                                            enum pg_form form)
{
    if (id == PG_LOCAL)
        return &local_settings[c->st->is_sharded];
    return c->st->is_sharded && sharded[form][id].sql ? &sharded[form][id] : &statements[id];
}

/* ---- parameters ---- */

static void put_be(unsigned char *to, uint64_t v, int n)
{
    for (int i = n - 1; i >= 0; i--, v >>= 8)
        to[i] = (unsigned char)v;
}

void pg_arg_i64(struct pg_args *a, int64_t v)
{
    assert(a->n < PG_ARGS_MAX);
    put_be(a->number[a->n], (uint64_t)v, 8);
    a->len[a->n] = 8;
    a->v[a->n] = (char *)a->number[a->n];
    a->n++;
}

void pg_arg_i32(struct pg_args *a, int32_t v)
{
    assert(a->n < PG_ARGS_MAX);
    put_be(a->number[a->n], (uint32_t)v, 4);
    a->len[a->n] = 4;
    a->v[a->n] = (char *)a->number[a->n];
    a->n++;
}

void pg_arg_bytes(struct pg_args *a, struct str v)
{
    assert(a->n < PG_ARGS_MAX && v.n <= INT32_MAX);
    a->v[a->n] = v.p;
    a->len[a->n] = (int)v.n;
    a->n++;
}

static void array_u32(struct sb *to, uint32_t v)
{
    unsigned char b[4];

    put_be(b, v, 4);
    sb_put(to, b, sizeof b);
}

/* The binary form of an array of one dimension: array_send of PostgreSQL's arrayfuncs.c. */
void pg_array_begin(struct sb *to, enum pg_array of, size_t n)
{
    static const uint32_t oids[] = {
        [PG_OF_BYTES] = OID_BYTEA, [PG_OF_I64] = OID_INT8, [PG_OF_I32] = OID_INT4};

    array_u32(to, n ? 1 : 0);
    array_u32(to, 0);
    array_u32(to, oids[of]);
    if (!n)
        return;
    array_u32(to, (uint32_t)n);
    array_u32(to, 1);
}

void pg_array_i64(struct sb *to, int64_t v)
{
    unsigned char b[8];

    array_u32(to, sizeof b);
    put_be(b, (uint64_t)v, sizeof b);
    sb_put(to, b, sizeof b);
}

void pg_array_i32(struct sb *to, int32_t v)
{
    array_u32(to, 4);
    array_u32(to, (uint32_t)v);
}

void pg_array_bytes(struct sb *to, struct str v)
{
    array_u32(to, v.p ? (uint32_t)v.n : UINT32_MAX);
    sb_put(to, v.p, v.n);
}

int64_t pg_i64(const PGresult *r, int row, int column)
{
    const unsigned char *p = (const unsigned char *)PQgetvalue(r, row, column);
    int n = PQgetlength(r, row, column);
    uint64_t v = n && p[0] & 0x80 && n > 1 ? UINT64_MAX : 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

struct str pg_bytes(const PGresult *r, int row, int column)
{
    return str_n(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

/* ---- errors ---- */

/* SQLSTATE (PostgreSQL's manual, appendix A) by its beginning; the first that fits. */
static const struct {
    const char *state;
    int code;
    const char *text;
} causes[] = {
    {"53100", ERR_FULL, "the disk of the database is full"},
    {"53200", ERR_NO_MEMORY, "the database has too little memory for this"},
    {"53", ERR_BUSY, "the database has too many connections"},
    {"25006", ERR_BUSY, "the database is a read-only standby"},
    {"55P03", ERR_BUSY, "another process of this store has been writing for too long"},
    {"40", ERR_BUSY, "the database asks to try again"},
    {"57", ERR_BUSY, "the database is being stopped or does not answer"},
    {"08", ERR_BUSY, "the database does not answer"},
    {"25P03", ERR_BUSY, "the database ended a transaction that took too long"},
    {"28", ERR_BUSY, "the database refuses the login"},
    {"42P01", ERR_NO_STORE, "the database holds no store of carnet, or not all of it"},
    {"42501", ERR_NO_STORE, "the database allows this role too little"},
    {"XX", ERR_NO_STORE, "the database is damaged"},
};

/* libpq's text without its line ends. */
static int detail(struct err *err, const char *state, const char *text)
{
    int n = (int)strcspn(text, "\n");

    return err_detail(err, "postgresql: %s %.*s", state, n, text);
}

/* So Citus tells the end of a connection to a worker, also in a COPY. What that worker had of the
 * transaction went with it: going back to a savepoint and on with another connection would commit
 * the other members of a group without what they had written there. */
static bool tells_of_worker(const char *state)
{
    return strcmp(state, "XX000") == 0 || strcmp(state, "58030") == 0 ||
           strncmp(state, "08", 2) == 0;
}

static int fail_state(struct pg_conn *c, const char *state, const char *text, struct err *err)
{
    if (c->st->is_sharded && tells_of_worker(state)) {
        c->is_doomed = true;
        err_set(err, ERR_BUSY, "a worker of the database does not answer");
        detail(err, state, text);
        return ERR_BUSY;
    }
    for (size_t i = 0; i < ARRAY_LEN(causes); i++)
        if (str_starts(str_c(state), str_c(causes[i].state))) {
            err_set(err, causes[i].code, "%s", causes[i].text);
            detail(err, state, text);
            return causes[i].code;
        }
    if (c->is_lost) {
        err_set(err, ERR_BUSY, "the connection to the database is lost");
        detail(err, state, text);
        return ERR_BUSY;
    }
    err_set(err, ERR_NO_STORE, "the store cannot be read or written");
    detail(err, state, text);
    return ERR_NO_STORE;
}

static int fail(struct pg_conn *c, const PGresult *r, struct err *err)
{
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    /* 57P0x: the server ends the connection. */
    if (PQstatus(c->db) == CONNECTION_BAD || (state && strncmp(state, "57P0", 4) == 0))
        c->is_lost = true;
    return fail_state(c, state ? state : "", text ? text : PQerrorMessage(c->db), err);
}

/* ---- connections ---- */

static void on_notice(void *ctx, const PGresult *r)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);

    if (severity && strcmp(severity, "WARNING") == 0)
        ((struct pg_conn *)ctx)->is_warned = true;
}

/* What the connection string does not say; what it says goes before this. */
static PGconn *dial(const char *uri)
{
    static const char *const names[] = {"application_name", "connect_timeout", "keepalives_idle",
                                        "tcp_user_timeout", "dbname",          NULL};
    const char *const values[] = {"carnet", "10", "30", "30000", uri, NULL};

    return PQconnectdbParams(names, values, 1);
}

/* What libpq has to say is for whoever opens the store, and for the log: it names users and hosts.
 */
static int explain(struct pg_conn *c, struct err *err)
{
    const char *text = PQerrorMessage(c->db), *at = strstr(text, "FATAL:");

    at = at ? at + 6 + strspn(at + 6, " ") : text;
    if (!c->st->is_open)
        return err_set(err, ERR_BUSY, "the database cannot be opened: %.*s", (int)strcspn(at, "\n"),
                       at);
    err_set(err, ERR_BUSY, "the database does not answer");
    detail(err, "", at);
    return ERR_BUSY;
}

static int open_db(struct pg_conn *c, struct err *err)
{
    int r = 0;

    c->db = dial(c->st->uri);
    if (!c->db)
        r = err_no_memory(err);
    else if (PQstatus(c->db) != CONNECTION_OK)
        r = explain(c, err);
    if (r < 0)
        return r;
    PQsetNoticeReceiver(c->db, on_notice, c);
    if (c->st->is_pooled)
        return PQenterPipelineMode(c->db) ? 0 : fail(c, NULL, err);
    r = pg_exec(c, pg_settings, NULL, err);
    return r < 0 || !c->st->is_sharded ? r : pg_exec(c, pg_sharded_settings, NULL, err);
}

int pg_conn_new(struct pg_store *st, struct pg_conn **ret, struct err *err)
{
    struct pg_conn *c = calloc(1, sizeof *c);
    int r;

    if (!c || fault_point("open")) {
        free(c);
        return err_no_memory(err);
    }
    c->st = st;
    c->thread = pthread_self();
    if ((r = open_db(c, err)) < 0) {
        pg_conn_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

/* The same connection, dialled again; nothing is under way on it. */
static int renew(struct pg_conn *c)
{
    PQfinish(c->db);
    memset(c->prepared, PG_UNKNOWN, sizeof c->prepared);
    c->n_queue = 0;
    c->is_failed = c->is_doomed = c->is_lost = c->is_synced = false;
    if (open_db(c, NULL) == 0)
        return 0;
    c->is_lost = true;
    return ERR_BUSY;
}

void pg_conn_free(struct pg_conn *c)
{
    if (!c)
        return;
    PQclear(c->txn.open);
    PQclear(c->txn.batch);
    PQfinish(c->db);
    persons_free(c->persons);
    xaes_free(c->values);
    free(c);
}

/* One that this thread used before, if it is free: the server's process at its other end stays near
 * the thread, and has in its caches what such requests ask. Else any. */
static struct pg_conn *unlist(struct pg_store *st)
{
    struct pg_conn **at = &st->free_conns, *c;
    pthread_t self = pthread_self();

    pthread_mutex_lock(&st->conns_lock);
    while (*at && !pthread_equal((*at)->thread, self))
        at = &(*at)->next;
    if (!*at)
        at = &st->free_conns;
    c = *at;
    if (c) {
        *at = c->next;
        c->thread = self;
    }
    pthread_mutex_unlock(&st->conns_lock);
    return c;
}

int pg_conn_take(struct pg_store *st, struct pg_conn **ret, struct err *err)
{
    struct pg_conn *c;

    for (;;) {
        c = unlist(st);
        if (!c)
            return pg_conn_new(st, ret, err);
        /* The end of its last transaction. A server that has been away since shows at the first
         * statement, which is asked again then. */
        if (pg_wait(c, NULL, NULL) == 0 && PQstatus(c->db) == CONNECTION_OK)
            break;
        pg_conn_free(c);
    }
    *ret = c;
    return 0;
}

void pg_conn_give(struct pg_conn *c)
{
    struct pg_store *st = c->st;

    pthread_mutex_lock(&st->conns_lock);
    c->next = st->free_conns;
    st->free_conns = c;
    pthread_mutex_unlock(&st->conns_lock);
}

void pg_conn_drop_all(struct pg_store *st)
{
    while (st->free_conns) {
        struct pg_conn *c = st->free_conns;

        st->free_conns = c->next;
        pg_conn_free(c);
    }
}

/* ---- statements ---- */

/* For each statement sent: without printf. */
static void name_of(enum pg_statement id, enum pg_form form, char ret[NAME_SIZE])
{
    static_assert(PG_STATEMENT_COUNT <= 1000 && FORM_COUNT <= 10, "three digits, and one");
    memcpy(ret, "carnet", 6);
    ret[6] = (char)('0' + id / 100);
    ret[7] = (char)('0' + id / 10 % 10);
    ret[8] = (char)('0' + id % 10);
    ret[9] = '_';
    ret[10] = (char)('0' + form);
    ret[11] = '\0';
}

static Oid oid_of(char type)
{
    switch (type) {
    case 'i':
    case 'p': return OID_INT8;
    case 'h': return OID_INT4;
    case 'b': return OID_BYTEA;
    case 'B': return OID_BYTEA_ARRAY;
    case 'I': return OID_INT8_ARRAY;
    case 'H': return OID_INT4_ARRAY;
    default: return OID_TEXT;
    }
}

static int oids_of(const char *types, Oid to[PG_ARGS_MAX])
{
    int n = 0;

    for (; types[n]; n++)
        to[n] = oid_of(types[n]);
    return n;
}

static int send_prepare(struct pg_conn *c, enum pg_statement id, enum pg_form form)
{
    const struct statement *s = statement_of(c, id, form);
    Oid oids[PG_ARGS_MAX];
    int n = oids_of(s->types, oids);
    char name[NAME_SIZE];

    name_of(id, form, name);
    if (!PQsendPrepare(c->db, name, s->sql, n, oids))
        return -1;
    c->prepared[form][id] = PG_SENT;
    c->has_sent_prepare = true;
    c->queue[c->n_queue++] = (struct pg_sent){.id = id, .form = form, .is_prepare = true};
    return 0;
}

/* What has no name is forgotten with the next: it need not be where that goes. */
static int send_unnamed(struct pg_conn *c, const struct statement *s, const struct pg_args *a,
                        const int *binary)
{
    Oid oids[PG_ARGS_MAX];
    int n = oids_of(s->types, oids);

    return PQsendQueryParams(c->db, s->sql, n, oids, a->v, a->len, binary, 1);
}

static int send_one(struct pg_conn *c, enum pg_statement id, const struct pg_args *args)
{
    static const int binary[PG_ARGS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct pg_args a = args ? *args : (struct pg_args){0};
    char name[NAME_SIZE];

    if (!c->st->is_sharded)
        a.form = FORM_LOCAL;
    for (int i = 0; args && i < args->n; i++)
        if (args->v[i] == (const char *)args->number[i])
            a.v[i] = (char *)a.number[i];
    for (const char *type = statement_of(c, id, a.form)->types + a.n; *type; type++)
        if (*type == 'p')
            pg_arg_i64(&a, c->txn.has_position ? (int64_t)c->txn.position : INT64_MAX);
        else if (*type == 'h')
            pg_arg_i32(&a, a.home);
    assert((size_t)a.n == strlen(statement_of(c, id, a.form)->types));
    if (c->st->is_pooled) {
        if (!send_unnamed(c, statement_of(c, id, a.form), &a, binary))
            return -1;
    } else {
        if (c->prepared[a.form][id] == PG_UNKNOWN && send_prepare(c, id, a.form) < 0)
            return -1;
        name_of(id, a.form, name);
        if (!PQsendQueryPrepared(c->db, name, a.n, a.v, a.len, binary, 1))
            return -1;
    }
    c->queue[c->n_queue++] = (struct pg_sent){.id = id, .form = a.form};
    return 0;
}

/* Only these mend a transaction that has failed. */
static bool is_mending(enum pg_statement id)
{
    return id == PG_ROLLBACK || id == PG_ROLLBACK_TO;
}

/* Statements that read versions, or remove some: those that the group has written must be there. */
static bool sees_versions(enum pg_statement id)
{
    switch (id) {
    case PG_GET_ROW:
    case PG_GET_ROWS:
    case PG_GET_OLD:
    case PG_ROW_FROM:
    case PG_CHANGES:
    case PG_HISTORY:
    case PG_HISTORY_TYPE:
    case PG_HISTORY_ID:
    case PG_HISTORY_COUNT:
    case PG_NEWEST:
    case PG_IDENTITY:
    case PG_LIVE:
    case PG_LIVE_DESC:
    case PG_IDS:
    case PG_IDS_DESC:
    case PG_EXPUNGE:
    case PG_EXPUNGE_OLD:
    case PG_LINEAGE: return true;
    default: return false;
    }
}

/* The first statement of a member of a group stands behind its savepoint. */
static int begin_member(struct pg_conn *c, struct err *err)
{
    if (!c->wants_savepoint)
        return 0;
    c->wants_savepoint = false;
    c->has_savepoint = true;
    return send_one(c, PG_SAVEPOINT, NULL) < 0 ? fail(c, NULL, err) : 0;
}

int pg_send(struct pg_conn *c, enum pg_statement id, const struct pg_args *a, struct err *err)
{
    int r = 0;

    if (c->is_lost)
        return err_set(err, ERR_BUSY, "the connection to the database is lost");
    if (!is_mending(id) && (c->is_failed || fault_point("sql"))) {
        c->is_failed = true;
        return err_set(err, ERR_NO_STORE, "the store cannot be read or written");
    }
    if (c->txn.base.is_writing && sees_versions(id))
        r = pg_unsent_flush(&c->txn, err);
    if (r == 0 && c->n_queue + 6 > PG_QUEUE_MAX)
        r = pg_wait(c, NULL, err);
    if (r == 0 && !is_mending(id))
        r = begin_member(c, err);
    if (r == 0 && (send_one(c, id, a) < 0 ||
                   (c->st->is_pooled && (id == PG_BEGIN_READ || id == PG_BEGIN_WRITE) &&
                    send_one(c, PG_LOCAL, NULL) < 0)))
        r = fail(c, NULL, err);
    if (r < 0)
        c->is_failed = true;
    return r;
}

/* The answer to the i-th statement of the queue; NULL: the connection is gone. */
static PGresult *read_one(struct pg_conn *c, unsigned i)
{
    PGresult *r = PQgetResult(c->db), *more;
    struct pg_sent *sent = &c->queue[i];

    if (!r)
        return NULL;
    /* Behind each answer comes an end. */
    while ((more = PQgetResult(c->db)))
        PQclear(more);
    if (sent->is_prepare)
        c->prepared[sent->form][sent->id] =
            PQresultStatus(r) == PGRES_COMMAND_OK ? PG_READY : PG_UNKNOWN;
    return r;
}

static bool is_good(const PGresult *r)
{
    ExecStatusType s = PQresultStatus(r);

    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

/* Whether the running member's savepoint was to come behind the i-th statement. */
static bool is_before_savepoint(const struct pg_conn *c, unsigned i)
{
    for (unsigned k = i + 1; k < c->n_queue; k++)
        if (c->queue[k].id == PG_SAVEPOINT)
            return true;
    return false;
}

/* What was sent to be prepared, and not answered, is sent again. */
static void forget_unprepared(struct pg_conn *c)
{
    c->has_sent_prepare = false;
    for (size_t form = 0; form < FORM_COUNT; form++)
        for (size_t i = 0; i < PG_STATEMENT_COUNT; i++)
            if (c->prepared[form][i] == PG_SENT)
                c->prepared[form][i] = PG_UNKNOWN;
}

int pg_wait(struct pg_conn *c, PGresult **ret, struct err *err)
{
    PGresult *last = NULL, *sync;
    int r = 0;

    if (c->is_lost)
        return err_set(err, ERR_BUSY, "the connection to the database is lost");
    if (c->n_queue == 0)
        return 0;
    if (fault_point("connection") || (!c->is_synced && !PQpipelineSync(c->db))) {
        c->is_lost = true;
        return fail(c, NULL, err);
    }
    for (unsigned i = 0; i < c->n_queue; i++) {
        PQclear(last);
        last = read_one(c, i);
        if (!last) {
            c->is_lost = true;
            r = fail(c, NULL, err);
            break;
        }
        if (r == 0 && !is_good(last)) {
            r = fail(c, last, err);
            c->is_failed = true;
            c->is_doomed |= is_before_savepoint(c, i);
        }
    }
    c->n_queue = 0;
    c->is_synced = false;
    sync = c->is_lost ? NULL : PQgetResult(c->db);
    if (!c->is_lost && (!sync || PQresultStatus(sync) != PGRES_PIPELINE_SYNC)) {
        c->is_lost = true;
        if (r == 0)
            r = fail(c, NULL, err);
    }
    PQclear(sync);
    if (c->has_sent_prepare)
        forget_unprepared(c);
    if (r == 0 && ret)
        *ret = last;
    else
        PQclear(last);
    return r;
}

static int ask_once(struct pg_conn *c, enum pg_statement id, const struct pg_args *a,
                    PGresult **ret, struct err *err)
{
    int r = pg_send(c, id, a, err);

    return r < 0 ? r : pg_wait(c, ret, err);
}

/* What a reader has asked first is asked again where the connection was cut before the answer: a
 * server that was started anew, a pooler that has closed what was idle. */
int pg_ask(struct pg_conn *c, enum pg_statement id, const struct pg_args *a, PGresult **ret,
           struct err *err)
{
    bool is_fresh = c->is_fresh;
    int r = ask_once(c, id, a, ret, err);

    c->is_fresh = false;
    if (r == 0 || !is_fresh || !c->is_lost || renew(c) < 0)
        return r;
    if (c->txn.has_begun && (r = pg_send(c, PG_BEGIN_READ, NULL, err)) < 0)
        return r;
    return ask_once(c, id, a, ret, err);
}

/* ---- COPY ---- */

static bool is_copying(const PGresult *r)
{
    return PQresultStatus(r) == PGRES_COPY_IN;
}

/* Leaves the pipeline until pg_copy_end. */
int pg_copy_start(struct pg_conn *c, const char *sql, struct err *err)
{
    _cleanup_(pg_clearp) PGresult *res = NULL;
    int r = c->is_lost ? err_set(err, ERR_BUSY, "the connection to the database is lost")
                       : begin_member(c, err);

    if (r < 0 || (r = pg_wait(c, NULL, err)) < 0)
        return r;
    if (c->is_failed || fault_point("sql")) {
        c->is_failed = true;
        return err_set(err, ERR_NO_STORE, "the store cannot be read or written");
    }
    PQexitPipelineMode(c->db);
    res = PQexec(c->db, sql);
    if (is_copying(res))
        return 0;
    r = fail(c, res, err);
    c->is_failed = true;
    PQenterPipelineMode(c->db);
    return r;
}

int pg_copy_end(struct pg_conn *c, struct err *err)
{
    PGresult *res;
    int r = 0;

    if (fault_point("connection")) {
        c->is_failed = c->is_lost = true;
        return fail(c, NULL, err);
    }
    PQputCopyEnd(c->db, NULL);
    while ((res = PQgetResult(c->db))) {
        if (r == 0 && !is_good(res))
            r = fail(c, res, err);
        PQclear(res);
        if (PQstatus(c->db) == CONNECTION_BAD)
            break;
    }
    if (!PQenterPipelineMode(c->db) && r == 0) {
        c->is_lost = true;
        r = fail(c, NULL, err);
    }
    c->is_failed |= r < 0;
    return r;
}

int pg_exec(struct pg_conn *c, const char *sql, PGresult **ret, struct err *err)
{
    PGresult *res;
    int r = 0;

    assert(c->n_queue == 0);
    if (fault_point("sql"))
        return err_set(err, ERR_NO_STORE, "the store cannot be read or written");
    PQexitPipelineMode(c->db);
    res = PQexec(c->db, sql);
    if (!is_good(res))
        r = fail(c, res, err);
    if (!PQenterPipelineMode(c->db) && r == 0)
        r = fail(c, NULL, err);
    if (r == 0 && ret)
        *ret = res;
    else
        PQclear(res);
    return r;
}
