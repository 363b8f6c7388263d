/* limit_schema.h - the frozen reference schema of limit_sqlite and limit_read.
 *
 * FROZEN. It must never change: Carnet is measured against it, so a worse schema of ours must not
 * make it worse, and figures of different years must stay comparable. It is what a FHIR store
 * cannot do without: the body, a unique index from id to body, a row of the change feed, and 11
 * index rows of 10 bytes each. It does none of what Carnet does besides (versions, compartments,
 * labels, conflicts, validation, extraction).
 */
#ifndef BENCH_LIMIT_SCHEMA_H
#define BENCH_LIMIT_SCHEMA_H

#include "limit_data.h"

#include <sqlite3.h>

#define LIMIT_SCHEMA \
    "CREATE TABLE body(row INTEGER PRIMARY KEY, body BLOB NOT NULL);" \
    "CREATE TABLE ids(type INTEGER NOT NULL, id TEXT NOT NULL, row INTEGER NOT NULL," \
    "  PRIMARY KEY(type, id)) WITHOUT ROWID;" \
    "CREATE TABLE feed(seq INTEGER PRIMARY KEY, row INTEGER NOT NULL, clock INTEGER NOT NULL);" \
    "CREATE TABLE idx(param INTEGER NOT NULL, value BLOB NOT NULL, row INTEGER NOT NULL," \
    "  PRIMARY KEY(param, value, row)) WITHOUT ROWID;" \
    "CREATE TABLE dict(id INTEGER PRIMARY KEY, dict BLOB NOT NULL);"

#define LIMIT_INSERT_BODY "INSERT INTO body(row, body) VALUES(?1, ?2)"
#define LIMIT_INSERT_ID "INSERT INTO ids(type, id, row) VALUES(?1, ?2, ?3)"
#define LIMIT_INSERT_FEED "INSERT INTO feed(seq, row, clock) VALUES(?1, ?2, ?3)"
#define LIMIT_INSERT_INDEX "INSERT INTO idx(param, value, row) VALUES(?1, ?2, ?3)"
#define LIMIT_SELECT \
    "SELECT b.body FROM ids i JOIN body b ON b.row = i.row WHERE i.type = ?1 AND i.id = ?2"

/* One process has the database: the log's index needs no shared memory and its locks no system
 * calls. Together with limit_configure the fastest that SQLite offers. */
#define LIMIT_VFS "unix-excl"

static inline void limit_configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

#endif
