#include "contract.h"

#include <dirent.h>
#include <libpq-fe.h>

bool world_is_faulty;

static void remove_dir(const char *dir)
{
    struct dirent *e;
    DIR *d = opendir(dir);

    while (d && (e = readdir(d))) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

bool world_on_postgres(void)
{
    return getenv("CARNET_TEST_STORE") != NULL;
}

struct store_config world_config(const struct world *w)
{
    return (struct store_config){.dir = w->dir,
                                 .uri = w->uri[0] ? w->uri : NULL,
                                 .is_pooled = getenv("CARNET_TEST_POOLED") != NULL};
}

const char *world_keys_file(struct world *w)
{
    return getenv("CARNET_KEY") ? arena_fmt(&w->a, "%s/persons", w->dir).p : NULL;
}

const char *world_sql(struct world *w, const char *sql)
{
    PGconn *db = PQconnectdb(w && w->uri[0] ? w->uri : getenv("CARNET_TEST_STORE"));
    PGresult *r = PQexec(db, "SET client_min_messages = error");
    _cleanup_(sb_done) struct sb lines = sb_make(MIB(1));

    PQclear(r);
    r = PQexec(db, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(db));
    for (int i = 0; i < PQntuples(r); i++)
        sb_fmt(&lines, "%s%s", i ? "\n" : "", PQgetvalue(r, i, 0));
    PQclear(r);
    PQfinish(db);
    return w ? arena_fmt(&w->a, "%.*s", STR_ARG(sb_view(&lines))).p : NULL;
}

/* The schema has the name of the folder. */
static const char *schema_of(const struct world *w)
{
    return strrchr(w->dir, '/') + 1;
}

static void make_schema(struct world *w)
{
    char sql[120];

    snprintf(sql, sizeof sql, "CREATE SCHEMA \"%.50s\"", schema_of(w));
    world_sql(NULL, sql);
    snprintf(w->uri, sizeof w->uri, "%.200s&options=-csearch_path%%3D%%22%.50s%%22",
             getenv("CARNET_TEST_STORE"), schema_of(w));
}

static void drop_schema(const struct world *w)
{
    char sql[120];

    snprintf(sql, sizeof sql, "DROP SCHEMA \"%.50s\" CASCADE", schema_of(w));
    world_sql(NULL, sql);
}

static void open_store(struct world *w, bool create)
{
    struct store_config config = world_config(w);
    struct err err = {0};

    config.create = create;
    if (store_open(&config, &w->st, &err) < 0)
        fail_msg("open: %s (%s)", err.text, err.detail);
    if (world_is_faulty)
        assert_int_equal(store_faulty_new(w->st, &w->st, &err), 0);
}

void world_place(struct world *w)
{
    const char *tmp = getenv("TMPDIR");

    *w = (struct world){.who = {.kind = ACCESS_OPEN, .agent = STR("test"), .may_write = true}};
    snprintf(w->dir, sizeof w->dir, "%.40s/carnet-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(w->dir));
    if (world_on_postgres())
        make_schema(w);
}

void world_displace(const struct world *w)
{
    if (w->uri[0])
        drop_schema(w);
    remove_dir(w->dir);
}

void world_open(struct world *w)
{
    world_place(w);
    arena_init(&w->a, MIB(256));
    open_store(w, true);
}

void world_reopen(struct world *w)
{
    store_close(w->st);
    open_store(w, false);
}

void world_done(struct world *w)
{
    store_close(w->st);
    arena_done(&w->a);
    world_displace(w);
}

int type_of(const char *name)
{
    int type = def_resource(str_c(name));

    assert_int_not_equal(type, 0);
    return type;
}

int make_put(struct store *st, struct arena *a, const char *type, const char *id, const char *text,
             struct put *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb sealed = sb_make(STORE_BODY_MAX), whole = sb_make(STORE_BODY_MAX);
    struct version none = {0};
    struct params *params;
    struct index *index;
    yyjson_val *root;
    int r;

    *ret = (struct put){.method = text ? METHOD_CREATE : METHOD_DELETE,
                        .type = type_of(type),
                        .id = arena_dup(a, str_c(id))};
    if (!text)
        return 0;
    index = ARENA_NEW(a, struct index);
    if (!index)
        return err_no_memory(err);
    if ((r = js_parse(a, arena_dup(a, str_c(text)), &root, err)) < 0 ||
        (r = store_seal(st, root, &sealed, err)) < 0)
        return r;
    ret->sealed = arena_dup(a, sb_view(&sealed));
    if (!ret->sealed.p)
        return err_no_memory(err);
    /* The index is that of the resource under its id. */
    if ((r = body_json(ret->type, ret->id, &none, ret->sealed, &whole, err)) < 0 ||
        (r = js_parse_stored(a, arena_dup(a, sb_view(&whole)), &root, err)) < 0)
        return r;
    params = store_params(st);
    r = index_extract(a, params, store_index_options(st), ret->type, root, index, err);
    params_unref(params);
    ret->index = index;
    return r;
}

static int put_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct put_job *p = (struct put_job *)job;

    return store_put(txn, &p->put, &p->version, err);
}

int world_put(struct world *w, const char *type, const char *id, const char *text,
              struct version *ret, struct err *err)
{
    struct put_job p = {.job = {.run = put_run, .who = &w->who}};
    int r = make_put(w->st, &w->a, type, id, text, &p.put, err);

    if (r == 0)
        r = store_write(w->st, &p.job, err);
    if (r == 0 && ret)
        *ret = p.version;
    return r;
}

struct store_txn *world_begin(struct world *w)
{
    struct store_txn *txn;
    struct err err;

    if (store_begin(w->st, &w->who, &txn, &err) < 0)
        fail_msg("begin: %s", err.text);
    return txn;
}

const char *world_get(struct world *w, const char *type, const char *id, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    _cleanup_(sb_done) struct sb out = sb_make(STORE_BODY_MAX);
    struct row row;

    if (store_begin(w->st, &w->who, &txn, err) < 0 ||
        store_get(txn, type_of(type), str_c(id), &row, err) < 0)
        return NULL;
    if (row.method == METHOD_DELETE)
        return "";
    if (row_json(w->st, &row, &out, err) < 0 || sb_ok(&out, err) < 0)
        return NULL;
    return arena_dup(&w->a, sb_view(&out)).p;
}

static void say(void *ctx, const char *text)
{
    (void)ctx;
    print_message("check: %s\n", text);
}

void world_check(struct world *w)
{
    struct err err = {0};
    int r = store_check(w->st, say, NULL, &err);

    if (r != 0)
        fail_msg("check found %d problems %s %s", r, err.text, err.detail);
}
