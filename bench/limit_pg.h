/* limit_pg.h - the frozen reference schema of limit_pg.
 *
 * FROZEN. It must never change: Carnet on PostgreSQL is measured against it, so a worse schema of
 * ours must not make it worse, and figures of different years must stay comparable. It is what a
 * FHIR store on PostgreSQL cannot do without: one row with the body, unique by id, whose number is
 * its place in the change feed, and 11 index rows of 10 bytes each. It does none of what Carnet
 * does besides (versions, several nodes on one database, labels, validation, extraction).
 */
#ifndef BENCH_LIMIT_PG_H
#define BENCH_LIMIT_PG_H

#define PG_SCHEMA \
    "CREATE TABLE body(row int8 PRIMARY KEY, clock int8 NOT NULL, type int4 NOT NULL," \
    "  id bytea NOT NULL, body bytea NOT NULL, UNIQUE(type, id));" \
    "ALTER TABLE body ALTER COLUMN body SET STORAGE EXTERNAL;" /* compressed by the client */ \
    "CREATE TABLE idx(param int2 NOT NULL, value bytea NOT NULL, row int8 NOT NULL," \
    "  PRIMARY KEY(param, value, row));" \
    "CREATE TABLE dict(id int4 PRIMARY KEY, dict bytea NOT NULL);"

/* What a plain client would have after a load. */
#define PG_TIDY "VACUUM (FREEZE, ANALYZE) body; VACUUM (FREEZE, ANALYZE) idx; CHECKPOINT"

#define PG_COPY_BODY "COPY body(row, clock, type, id, body) FROM STDIN (FORMAT binary)"
#define PG_COPY_INDEX "COPY idx(param, value, row) FROM STDIN (FORMAT binary)"
#define PG_INSERT_BODY \
    "INSERT INTO body(row, clock, type, id, body)" \
    " SELECT * FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::bytea[], $5::bytea[])"
#define PG_INSERT_INDEX \
    "INSERT INTO idx(param, value, row)" \
    " SELECT * FROM unnest($1::int2[], $2::bytea[], $3::int8[])"
#define PG_SELECT "SELECT body FROM body WHERE type = $1 AND id = $2"
#define PG_SEARCH \
    "SELECT b.type, b.id, b.body FROM idx i JOIN body b ON b.row = i.row" \
    " WHERE i.param = $1 AND i.value = $2 ORDER BY i.row LIMIT $3"

/* The list of the identifiers that the searches ask for: the last of the 11. An Observation's value
 * in it is 0x10, a zero byte, and 64-bit FNV-1a of its identifier's value. */
#define PG_PARAM_IDENTIFIER 11

#endif
