#include "workload.h"

#include "base/rng.h"
#include "trust/trust.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_MAX KIB(16)
#define LARGE_BYTES 6000 /* more than a page: the body has overflow pages */
#define SMALL_BYTES 150
#define WAL_BYTES KIB(256)
#define NAP_US 10000
#define NAPS_MAX 6000 /* one minute */

enum op { OP_DELETE, OP_CREATE, OP_COUNT, OP_PAIR, OP_KINDS };

struct work_job {
    struct store_job job;
    struct put puts[2];
    unsigned n;
};

static enum op op_of(unsigned s)
{
    return (enum op)(s % OP_KINDS);
}

/* Letters that no dictionary knows, the same for the same (t, s). */
static void filler(struct sb *out, unsigned t, unsigned s)
{
    struct rng rng;
    size_t n = s % 8 == 1 ? LARGE_BYTES : SMALL_BYTES;

    rng_seed(&rng, (uint64_t)t << 32 | s);
    for (size_t i = 0; i < n; i++)
        sb_char(out, (char)('a' + rng_below(&rng, 26)));
}

static void resource_text(struct sb *out, unsigned t, unsigned s)
{
    sb_fmt(out,
           "{\"resourceType\":\"Patient\",\"active\":true,\"identifier\":[{\"system\":"
           "\"urn:test:w%u\",\"value\":\"op-%u\"}],\"name\":[{\"text\":\"",
           t, s);
    filler(out, t, s);
    sb_lit(out, "\"}],\"birthDate\":\"1984-05-06\"}");
}

static int patient(void)
{
    return def_resource(STR("Patient"));
}

static int make_put(struct store *st, struct arena *a, enum store_method method, const char *id,
                    unsigned t, unsigned s, struct put *ret, struct err *err)
{
    static const struct str head = {"{\"resourceType\":\"Patient\",", 26};
    _cleanup_(sb_done) struct sb tail = sb_make(TEXT_MAX), text = sb_make(TEXT_MAX),
                                 sealed = sb_make(TEXT_MAX);
    struct index *index = ARENA_NEW(a, struct index);
    struct params *params;
    yyjson_val *root;
    int r;

    *ret = (struct put){.method = method, .type = patient(), .id = arena_dup(a, str_c(id))};
    if (method == METHOD_DELETE)
        return 0;
    resource_text(&tail, t, s);
    if (sb_ok(&tail, err) < 0)
        return ERR_NO_MEMORY;
    /* The index is that of the resource under its id. */
    sb_fmt(&text, "%.*s\"id\":\"%s\",", STR_ARG(head), id);
    sb_str(&text, str_from(sb_view(&tail), head.n));
    if (!index || sb_ok(&text, err) < 0)
        return err_no_memory(err);
    if ((r = js_parse(a, arena_dup(a, sb_view(&text)), &root, err)) < 0)
        return r;
    params = store_params(st);
    r = index_extract(a, params, store_index_options(st), ret->type, root, index, err);
    params_unref(params);
    if (r < 0 || (r = store_seal(st, root, &sealed, err)) < 0)
        return r;
    ret->index = index;
    ret->sealed = arena_dup(a, sb_view(&sealed));
    return ret->sealed.p ? 0 : err_no_memory(err);
}

static int run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct work_job *w = (struct work_job *)job;
    struct version v;
    int r = 0;

    for (unsigned i = 0; i < w->n && r == 0; i++)
        r = store_put(txn, &w->puts[i], &v, err);
    return r;
}

static void id_of(char ret[32], const char *kind, unsigned t, unsigned s)
{
    snprintf(ret, 32, "%s-%u-%u", kind, t, s);
}

int work_do(struct store *st, unsigned t, unsigned s, struct err *err)
{
    struct access who = trust_job(STR("workload"));
    struct work_job w = {.job = {.run = run, .who = &who}};
    _cleanup_(arena_done) struct arena a;
    enum op op = op_of(s);
    char id[32];
    int r = 0;

    arena_init(&a, MIB(16));
    if (op == OP_CREATE) {
        id_of(id, "one", t, s);
        r = make_put(st, &a, METHOD_CREATE, id, t, s, &w.puts[w.n++], err);
    } else if (op == OP_COUNT) {
        id_of(id, "count", t, 0);
        r = make_put(st, &a, s == OP_COUNT ? METHOD_CREATE : METHOD_UPDATE, id, t, s,
                     &w.puts[w.n++], err);
    } else if (op == OP_PAIR) {
        id_of(id, "left", t, s);
        r = make_put(st, &a, METHOD_CREATE, id, t, s, &w.puts[w.n++], err);
        id_of(id, "right", t, s);
        if (r == 0)
            r = make_put(st, &a, METHOD_CREATE, id, t, s, &w.puts[w.n++], err);
    } else {
        id_of(id, "one", t, s - (OP_KINDS - OP_CREATE)); /* the last one that was created */
        r = make_put(st, &a, METHOD_DELETE, id, t, s, &w.puts[w.n++], err);
    }
    return r < 0 ? r : store_write(st, &w.job, err);
}

/* ---- checking ---- */

enum seen { SEEN_NOTHING, SEEN_RIGHT, SEEN_DELETED, SEEN_WRONG };

struct look {
    struct store *st;
    struct store_txn *txn;
    unsigned t;
    char wrong[WORK_WHY / 2]; /* what was seen in place of a resource that is as written */
};

static enum seen wrong(struct look *l, const char *id, const char *what, const struct err *err)
{
    if (err)
        snprintf(l->wrong, sizeof l->wrong, "; %s: %s: %.100s (%.100s)", id, what, err->text,
                 err->detail);
    else
        snprintf(l->wrong, sizeof l->wrong, "; %s: %s", id, what);
    return SEEN_WRONG;
}

/* What the store holds of an id, where operation s should have written it last. */
static enum seen look(struct look *l, const char *kind, unsigned s_in_id, unsigned s)
{
    _cleanup_(sb_done) struct sb got = sb_make(TEXT_MAX), want = sb_make(TEXT_MAX);
    char id[32];
    struct row row;
    struct err err;

    id_of(id, kind, l->t, s_in_id);
    int r = store_get(l->txn, patient(), str_c(id), &row, &err);
    if (r == ERR_NOT_FOUND)
        return SEEN_NOTHING;
    if (r < 0)
        return wrong(l, id, "cannot be read", &err);
    if (row.method == METHOD_DELETE)
        return SEEN_DELETED;
    if (row_json(l->st, &row, &got, &err) < 0)
        return wrong(l, id, "has no text", &err);
    resource_text(&want, l->t, s);
    /* Our own text behind the resource type has to be the end of it. */
    struct str tail = str_from(sb_view(&want), sizeof("{\"resourceType\":\"Patient\",") - 1);
    return str_ends(sb_view(&got), tail) ? SEEN_RIGHT : wrong(l, id, "has another text", NULL);
}

/* Whether the effect of operation s is there, given that operations 1 … k are. */
static bool is_as_after(struct look *l, unsigned s, unsigned k)
{
    enum seen want = s <= k ? SEEN_RIGHT : SEEN_NOTHING;
    unsigned last_count = k < OP_COUNT ? 0 : k - (k - OP_COUNT) % OP_KINDS;

    switch (op_of(s)) {
    case OP_CREATE:
        if (s + (OP_KINDS - OP_CREATE) <= k)
            want = SEEN_DELETED;
        return look(l, "one", s, s) == want;
    case OP_COUNT:
        /* Only the newest shows: the one after k must not. */
        return look(l, "count", 0, last_count) == (last_count ? SEEN_RIGHT : SEEN_NOTHING);
    case OP_PAIR: return look(l, "left", s, s) == want && look(l, "right", s, s) == want;
    case OP_DELETE: return true; /* seen at the create */
    case OP_KINDS: break;
    }
    return false;
}

/* The first operation of 1 … k + 1 whose effect is not as after k operations, 0 if all are. */
static unsigned differs(struct look *l, unsigned k)
{
    for (unsigned s = 1; s <= k + 1; s++)
        if (!is_as_after(l, s, k))
            return s;
    return 0;
}

int work_verify(struct store *st, unsigned t, unsigned acked, char why[WORK_WHY])
{
    struct access who = trust_job(STR("checker"));
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct err err;

    if (store_begin(st, &who, &txn, &err) < 0) {
        snprintf(why, WORK_WHY, "begin: %s", err.text);
        return -1;
    }
    struct look l = {.st = st, .txn = txn, .t = t};
    unsigned first = differs(&l, acked), second = first ? differs(&l, acked + 1) : 0;
    if (!first)
        return (int)acked;
    if (!second)
        return (int)acked + 1;
    snprintf(why, WORK_WHY,
             "writer %u: %u operations were acknowledged, but operation %u is not "
             "as it should be (nor is operation %u after %u)%s",
             t, acked, first, second, acked + 1, l.wrong);
    return -1;
}

static void say(void *ctx, const char *text)
{
    char *why = ctx;

    if (!*why)
        snprintf(why, WORK_WHY, "check: %s", text);
}

int work_verify_all(struct store *st, const unsigned acked[WORK_WRITERS],
                    unsigned ret_done[WORK_WRITERS], char why[WORK_WHY])
{
    struct err err;

    why[0] = '\0';
    for (unsigned t = 0; t < WORK_WRITERS; t++) {
        int k = work_verify(st, t, acked[t], why);
        if (k < 0)
            return -1;
        ret_done[t] = (unsigned)k;
    }
    int problems = store_check(st, say, why, &err);
    if (problems < 0)
        snprintf(why, WORK_WHY, "check failed: %s (%.100s)", err.text, err.detail);
    return problems == 0 ? 0 : -1;
}

/* One statement on the server that CARNET_TEST_STORE names: whether its answer is `want` (NULL: any
 * that is no error). */
static bool ask_server(const char *server, const char *sql, const char *want, struct err *err)
{
    PGconn *db = PQconnectdb(server);
    PGresult *r = PQexec(db, sql);
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK;

    if (!ok)
        err_set(err, ERR_NO_STORE, "%s", PQerrorMessage(db));
    else if (want)
        ok = PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), want) == 0;
    PQclear(r);
    PQfinish(db);
    return ok;
}

/* The name of the folder's schema. */
static const char *schema_of(const char *dir)
{
    return strrchr(dir, '/') + 1;
}

int work_clear(const char *dir, struct err *err)
{
    static const char idle[] =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'carnet'"
        " AND datname = current_database()";
    const char *server = getenv("CARNET_TEST_STORE");
    char sql[200];

    if (!server)
        return 0;
    for (unsigned naps = 0; !ask_server(server, idle, "0", err); naps++) {
        if (naps == NAPS_MAX)
            return err_set(err, ERR_BUSY, "what a process left under way does not end");
        usleep(NAP_US);
    }
    snprintf(sql, sizeof sql,
             "SET client_min_messages = error; DROP SCHEMA IF EXISTS \"%.60s\" CASCADE",
             schema_of(dir));
    return ask_server(server, sql, NULL, err) ? 0 : ERR_NO_STORE;
}

static int make_schema(const char *server, const char *dir, struct err *err)
{
    char sql[100];

    snprintf(sql, sizeof sql, "CREATE SCHEMA \"%.60s\"", schema_of(dir));
    return ask_server(server, sql, NULL, err) ? 0 : ERR_NO_STORE;
}

static int run_nothing(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)txn;
    (void)job;
    (void)err;
    return 0;
}

static int open_in_postgres(const char *server, const char *dir, bool create, struct store **ret,
                            struct err *err)
{
    struct access who = trust_job(STR("barrier"));
    struct store_job barrier = {.run = run_nothing, .who = &who};
    struct store_config config = {.dir = dir, .create = create};
    char uri[400];
    int r = create ? make_schema(server, dir, err) : 0;

    snprintf(uri, sizeof uri, "%.250s&options=-csearch_path%%3D%%22%.60s%%22", server,
             schema_of(dir));
    config.uri = uri;
    if (r == 0)
        r = store_open(&config, ret, err);
    /* A commit that was sent before the kill may come to its end only now. */
    if (r == 0 && !create && (r = store_write(*ret, &barrier, err)) < 0)
        store_close(*ret);
    return r;
}

int work_open(const char *dir, bool create, struct store **ret, struct err *err)
{
    struct store_config config = {.dir = dir, .create = create, .wal_bytes = WAL_BYTES};
    const char *server = getenv("CARNET_TEST_STORE");

    return server ? open_in_postgres(server, dir, create, ret, err) : store_open(&config, ret, err);
}
