/* Plans do not flip: every statement of the PostgreSQL backend walks the index that it was written
 * for, on empty tables, on skewed ones that were never analysed, and on the same analysed. */
#include "contract.h"

#include "store/postgres/pg_int.h"

#define VERSIONS_OF_ONE 300
#define OTHERS 300

static const struct {
    const char *name, *types, *sql;
} all[] = {
#define X(id, types, sql) {#id, types, sql},
    PG_STATEMENTS(X)
#undef X
};

static PGconn *open_in(const struct world *w)
{
    PGconn *db = PQconnectdb(w->uri);

    assert_int_equal(PQstatus(db), CONNECTION_OK);
    return db;
}

static void run_sql(PGconn *db, const char *sql)
{
    PGresult *r = PQexec(db, sql);

    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(db));
    PQclear(r);
}

static const char *type_name(char type)
{
    switch (type) {
    case 'i': return "int8";
    case 'b': return "bytea";
    case 'B': return "bytea[]";
    case 'I': return "int8[]";
    default: return "text";
    }
}

/* What a plan may never hold: a walk over a whole table, a sort, or rows of versions that are read
 * only to be thrown away because their type or id is another. */
static void look_at(const char *state, const char *name, const char *line)
{
    static const char *const never[] = {
        "Seq Scan on carnet_version",
        "Seq Scan on carnet_idx",
        "Seq Scan on carnet_term",
        "Seq Scan on carnet_person",
        "Bitmap",
        "Hash Join",
        "Merge Join",
    };

    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (strstr(line, never[i]))
            fail_msg("%s, %s: %s", state, name, line);
    if (strstr(line, "Sort") && !strstr(line, "Sort Key"))
        fail_msg("%s, %s: %s", state, name, line);
    if (strstr(line, "Filter:") && (strstr(line, "(id = ") || strstr(line, ".id = ") ||
                                    strstr(line, "type)::") || strstr(line, "(k ")))
        fail_msg("%s, %s: %s", state, name, line);
}

static void explain(PGconn *db, const char *state, size_t i)
{
    _cleanup_(sb_done) struct sb sql = sb_make(KIB(8));
    PGresult *r;

    sb_fmt(&sql, "PREPARE p%zu", i);
    for (const char *t = all[i].types; *t; t++)
        sb_fmt(&sql, "%s%s%s", t == all[i].types ? "(" : ", ", type_name(*t), t[1] ? "" : ")");
    sb_fmt(&sql, " AS %s", all[i].sql);
    sb_char(&sql, '\0');
    run_sql(db, sql.p);
    sb_reset(&sql);
    sb_fmt(&sql, "EXPLAIN EXECUTE p%zu", i);
    for (const char *t = all[i].types; *t; t++)
        sb_fmt(&sql, "%sNULL%s", t == all[i].types ? "(" : ", ", t[1] ? "" : ")");
    sb_char(&sql, '\0');
    r = PQexec(db, sql.p);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", all[i].name, PQerrorMessage(db));
    for (int k = 0; k < PQntuples(r); k++)
        look_at(state, all[i].name, PQgetvalue(r, k, 0));
    PQclear(r);
}

/* On a connection with the settings of the store's own. */
static void explain_all(struct world *w, const char *state)
{
    PGconn *db = open_in(w);
    size_t n = 0;

    run_sql(db, pg_settings);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (strncmp(all[i].sql, "SELECT", 6) != 0 && strncmp(all[i].sql, "WITH", 4) != 0 &&
            strncmp(all[i].sql, "DELETE", 6) != 0 && strncmp(all[i].sql, "UPDATE", 6) != 0)
            continue;
        explain(db, state, i);
        n++;
    }
    assert_true(n > 25);
    PQfinish(db);
}

static void plans_are_those_that_were_meant(void **state)
{
    static const char text[] = "{\"resourceType\":\"Patient\",\"gender\":\"male\"}";
    struct world w;
    struct err err;
    PGconn *db;

    (void)state;
    if (!world_on_postgres())
        skip(); /* nothing plans there */
    world_open(&w);
    explain_all(&w, "empty");
    /* One id with most of the versions, one type with most of the rest, one code on all. */
    for (int i = 0; i < VERSIONS_OF_ONE + OTHERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%d", i < VERSIONS_OF_ONE ? 0 : i);
        assert_int_equal(world_put(&w, i % 50 ? "Patient" : "Basic", id, text, NULL, &err), 0);
    }
    explain_all(&w, "never analysed");
    db = open_in(&w);
    run_sql(db, "ANALYZE");
    PQfinish(db);
    explain_all(&w, "analysed");
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plans_are_those_that_were_meant)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
