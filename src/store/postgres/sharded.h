/* sharded.h - the statements of a store that Citus has distributed (pg_int.h has the plain ones).
 *
 * A statement goes to one home (FORM_HOME: its last parameter, 'h', is the home, and Citus asks one
 * shard), to all shards at once (FORM_ALL), or where it says itself (FORM_LOCAL: the coordinator's
 * own tables, of which only what differs stands here, and the directory, which Citus places by id).
 * What gives rows says their homes as well, last. A parameter 'p' is the reader's position.
 *
 * Statements that Citus spreads over shards must be such that it can push them down whole:
 * subqueries join by home and have no limit of their own.
 */
#ifndef PG_SHARDED_H
#define PG_SHARDED_H

/* `h` is the home: of a statement to one home its parameter, or Citus would ask all; `p` the
 * parameter that holds the reader's position: what is behind it is not there yet. */
#define SH_LATER(h, p) \
    "SELECT FROM carnet_version n WHERE n.home = " h " AND n.type::int4 = v.type::int4 AND" \
      " n.id = v.id AND n.row + 0 > v.row AND n.row + 0 <= " p
#define SH_ROW(h, p) \
    "v.row, v.type, v.id, v.hlc, v.origin, v.method, NOT EXISTS (" SH_LATER(h, p) "), "
/* The clock grows with the rows: who had no later version up to a moment was the newest then. */
#define SH_WAS_NEWEST(at, h, p) \
    "(" at " = 0 OR NOT EXISTS (" SH_LATER(h, p) " AND n.hlc <= " at "))"
#define SH_IS_LIVE(p) "v.method < 2 AND NOT EXISTS (" SH_LATER("v.home", p) ")"

#define PG_SHARDED(X) \
    X(PG_FEED, FORM_LOCAL, "", "SELECT seen, epoch, row FROM carnet_feed WHERE part = 0") \
    X(PG_LOCK, FORM_LOCAL, "", \
      "SELECT row, epoch, hlc, seen FROM carnet_feed WHERE part = 0 FOR UPDATE") \
    X(PG_SEEN, FORM_LOCAL, "i", "UPDATE carnet_feed SET seen = $1 WHERE part = 0 AND seen < $1") \
    X(PG_LAZY, FORM_LOCAL, "", "SET LOCAL synchronous_commit = off") \
    X(PG_HOME, FORM_LOCAL, "b", "SELECT home FROM carnet_home WHERE k = $1") \
    X(PG_HOMES, FORM_LOCAL, "B", "SELECT k, home FROM carnet_home WHERE k = ANY ($1)") \
    X(PG_PUT_HOME, FORM_LOCAL, "bh", "INSERT INTO carnet_home (k, home) VALUES ($1, $2)") \
    X(PG_PUT_HOMES, FORM_LOCAL, "BH", \
      "INSERT INTO carnet_home (k, home) SELECT * FROM unnest($1, $2)") \
    X(PG_DROP_HOME, FORM_LOCAL, "b", "DELETE FROM carnet_home WHERE k = $1") \
    X(PG_GUEST, FORM_LOCAL, "b", "SELECT home FROM carnet_guest WHERE k = $1 LIMIT 1") \
    X(PG_PUT_GUEST, FORM_LOCAL, "bh", \
      "INSERT INTO carnet_guest (k, home) VALUES ($1, $2) ON CONFLICT DO NOTHING") \
    X(PG_DROP_GUESTS, FORM_LOCAL, "b", "DELETE FROM carnet_guest WHERE k = $1") \
    X(PG_GET, FORM_HOME, "ibph", \
      "SELECT v.row, v.type, v.id, v.hlc, v.origin, v.method, true, v.body, v.home FROM" \
      " carnet_version v WHERE v.home = $4 AND v.type::int4 = $1 AND v.id = $2 AND v.row + 0 <=" \
      " $3 ORDER BY v.row + 0 DESC LIMIT 1") \
    X(PG_GET_ROW, FORM_HOME, "iph", \
      "SELECT " SH_ROW("$3", "$2") "v.body, v.home FROM carnet_version v WHERE v.home = $3" \
      " AND v.row = $1") \
    X(PG_GET_ROW, FORM_ALL, "ip", \
      "SELECT " SH_ROW("v.home", "$2") "v.body, v.home FROM carnet_version v WHERE v.row = $1") \
    X(PG_GET_ROWS, FORM_HOME, "Iiph", \
      "SELECT " SH_ROW("$4", "$3") "CASE WHEN octet_length(v.body) <= $2 THEN v.body END," \
      " v.home FROM carnet_version v WHERE v.home = $4 AND v.row = ANY ($1)") \
    X(PG_GET_ROWS, FORM_ALL, "Iip", \
      "SELECT " SH_ROW("v.home", "$3") "CASE WHEN octet_length(v.body) <= $2 THEN v.body END," \
      " v.home FROM carnet_version v WHERE v.row = ANY ($1)") \
    X(PG_GET_OLD, FORM_HOME, "ibiiph", \
      "SELECT " SH_ROW("$6", "$5") "v.body, v.home FROM carnet_version v WHERE v.home = $6 AND" \
      " v.type::int4 = $1 AND v.id = $2 AND v.hlc = $3 AND v.origin = $4 AND v.row + 0 <= $5" \
      " ORDER BY v.row + 0 DESC LIMIT 1") \
    X(PG_LINEAGE, FORM_ALL, "I", \
      "SELECT v.row, v.parent, v.agent FROM carnet_version v WHERE v.row = ANY ($1)") \
    X(PG_ROW_FROM, FORM_ALL, "ii", \
      "SELECT v.row FROM carnet_version v WHERE v.hlc >= $1 AND v.row <= $2 ORDER BY v.hlc" \
      " LIMIT 1") \
    X(PG_CHANGES, FORM_ALL, "iip", \
      "SELECT v.row, v.home FROM carnet_version v WHERE v.row > $1 AND v.row <= $3 ORDER BY v.row" \
      " LIMIT $2") \
    X(PG_HISTORY, FORM_ALL, "iiiip", \
      "SELECT v.row, v.home FROM carnet_version v WHERE v.row >= $1 AND v.row < $2 AND v.row <=" \
      " $5 AND " SH_WAS_NEWEST("$3", "v.home", "$5") " ORDER BY v.row DESC LIMIT $4") \
    X(PG_HISTORY_TYPE, FORM_ALL, "iiiiip", \
      "SELECT v.row, v.home FROM carnet_version v WHERE v.type::int8 = $5 AND v.row - 0 >= $1 AND" \
      " v.row - 0 < $2 AND v.row - 0 <= $6 AND " \
      SH_WAS_NEWEST("$3", "v.home", "$6") " ORDER BY v.row - 0 DESC LIMIT $4") \
    X(PG_HISTORY_ID, FORM_HOME, "iiiiibph", \
      "SELECT v.row, v.home FROM carnet_version v WHERE v.home = $8 AND v.type::int4 = $5 AND" \
      " v.id = $6 AND v.row + 0 >= $1 AND v.row + 0 < $2 AND v.row + 0 <= $7 AND " \
      SH_WAS_NEWEST("$3", "$8", "$7") " ORDER BY v.row + 0 DESC LIMIT $4") \
    X(PG_HISTORY_COUNT, FORM_HOME, "ibph", \
      "SELECT count(*) FROM carnet_version v WHERE v.home = $4 AND v.type::int4 = $1 AND v.id" \
      " = $2 AND v.row + 0 <= $3") \
    X(PG_KEYS, FORM_HOME, "bbih", \
      "SELECT k, home FROM carnet_idx WHERE home = $4 AND k >= $1 AND k < $2 ORDER BY k LIMIT $3") \
    X(PG_KEYS, FORM_ALL, "bbi", \
      "SELECT k, home FROM carnet_idx WHERE k >= $1 AND k < $2 ORDER BY k LIMIT $3") \
    X(PG_KEYS_DESC, FORM_HOME, "bbih", \
      "SELECT k, home FROM carnet_idx WHERE home = $4 AND k >= $1 AND k < $2 ORDER BY k DESC" \
      " LIMIT $3") \
    X(PG_KEYS_DESC, FORM_ALL, "bbi", \
      "SELECT k, home FROM carnet_idx WHERE k >= $1 AND k < $2 ORDER BY k DESC LIMIT $3") \
    X(PG_KEY, FORM_HOME, "bh", "SELECT k FROM carnet_idx WHERE home = $2 AND k = $1") \
    X(PG_KEY, FORM_ALL, "b", "SELECT k FROM carnet_idx WHERE k = $1") \
    X(PG_HAVE_KEYS, FORM_ALL, "B", "SELECT k FROM carnet_idx WHERE k = ANY ($1)") \
    X(PG_KEY_COUNT, FORM_HOME, "bbh", \
      "SELECT count(*) FROM carnet_idx WHERE home = $3 AND k >= $1 AND k < $2") \
    X(PG_KEY_COUNT, FORM_ALL, "bb", "SELECT count(*) FROM carnet_idx WHERE k >= $1 AND k < $2") \
    X(PG_NEWEST, FORM_HOME, "ibph", \
      "SELECT v.row, v.method, v.home FROM carnet_version v WHERE v.home = $4 AND v.type::int4 =" \
      " $1 AND v.id = $2 AND v.row + 0 <= $3 ORDER BY v.row + 0 DESC LIMIT 1") \
    X(PG_IDENTITY, FORM_HOME, "ih", \
      "SELECT v.type, v.id FROM carnet_version v WHERE v.home = $2 AND v.row = $1") \
    X(PG_IDENTITY, FORM_ALL, "i", "SELECT v.type, v.id FROM carnet_version v WHERE v.row = $1") \
    X(PG_LIVE, FORM_ALL, "iip", \
      "SELECT v.row, v.home FROM carnet_version v WHERE v.row >= $1 AND v.row <= $3 AND " \
      SH_IS_LIVE("$3") " ORDER BY v.row LIMIT $2") \
    X(PG_LIVE_DESC, FORM_ALL, "iip", \
      "SELECT v.row, v.home FROM carnet_version v WHERE v.row <= $1 AND v.row <= $3 AND " \
      SH_IS_LIVE("$3") " ORDER BY v.row DESC LIMIT $2") \
    X(PG_IDS, FORM_ALL, "ibip", \
      "SELECT v.id, max(v.row), v.home FROM carnet_version v WHERE v.type::int4 = $1 AND v.id >" \
      " $2 AND v.row + 0 <= $4 GROUP BY v.id, v.home ORDER BY v.id LIMIT $3") \
    X(PG_IDS_DESC, FORM_ALL, "ibip", \
      "SELECT v.id, max(v.row), v.home FROM carnet_version v WHERE v.type::int4 = $1 AND v.id <" \
      " $2 AND v.row + 0 <= $4 GROUP BY v.id, v.home ORDER BY v.id DESC LIMIT $3") \
    X(PG_PUT_VERSION, FORM_HOME, "iiiiiiibbh", \
      "INSERT INTO carnet_version (row, hlc, parent, origin, agent, type, method, id, body, home)" \
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)") \
    X(PG_PUT_VERSIONS, FORM_ALL, "IIIIIIIBBH", \
      "INSERT INTO carnet_version (row, hlc, parent, origin, agent, type, method, id, body, home)" \
      " SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)") \
    X(PG_FORESEE, FORM_ALL, "IBHip", \
      "SELECT v.row, v.type, v.id, v.hlc, v.origin, v.method, true, CASE WHEN" \
      " octet_length(v.body) <= $4 THEN v.body END, v.home FROM unnest($1, $2, $3) u(type, id," \
      " home) JOIN carnet_version v ON v.home = u.home AND v.type::int4 = u.type::int4 AND v.id" \
      " = u.id AND v.row + 0 <= $5 WHERE NOT EXISTS (" SH_LATER("v.home", "$5") ")") \
    X(PG_PUT_KEYS, FORM_ALL, "HB", \
      "INSERT INTO carnet_idx (home, k) SELECT * FROM unnest($1, $2)") \
    X(PG_ADD_KEYS, FORM_ALL, "HB", \
      "INSERT INTO carnet_idx (home, k) SELECT * FROM unnest($1, $2) ON CONFLICT DO NOTHING") \
    X(PG_DROP_KEYS, FORM_HOME, "Bh", \
      "DELETE FROM carnet_idx WHERE home = $2 AND k = ANY ($1)") \
    X(PG_DROP_KEYS, FORM_ALL, "HB", \
      "DELETE FROM carnet_idx i USING (SELECT unnest($1) home, unnest($2) k) u WHERE i.home =" \
      " u.home AND i.k = u.k") \
    X(PG_DROP_RANGE, FORM_ALL, "bb", "DELETE FROM carnet_idx WHERE k >= $1 AND k < $2") \
    X(PG_EXPUNGE, FORM_HOME, "ibh", \
      "DELETE FROM carnet_version v WHERE v.home = $3 AND v.type::int4 = $1 AND v.id = $2") \
    X(PG_EXPUNGE_OLD, FORM_HOME, "ih", \
      "DELETE FROM carnet_version v WHERE v.home = $2 AND v.row = $1") \
    X(PG_RECOVER, FORM_LOCAL, "", "SELECT recover_prepared_transactions()") \
    X(PG_PREPARED, FORM_LOCAL, "", \
      "SELECT count(*) FROM run_command_on_workers('SELECT count(*) FROM pg_prepared_xacts WHERE" \
      " database = current_database()') WHERE NOT success OR result <> '0'") \
    X(PG_STATS, FORM_LOCAL, "", \
      "SELECT versions, live, (SELECT sum(citus_total_relation_size(t))::int8 FROM" \
      " unnest(ARRAY['carnet_version'::regclass, 'carnet_idx', 'carnet_home', 'carnet_guest']) t)" \
      " FROM carnet_feed WHERE part = 0")

#endif
