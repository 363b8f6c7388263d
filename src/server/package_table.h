/* package_table.h - which packages are installed, and with what (docs/formats/packages.md). */
#ifndef SERVER_PACKAGE_TABLE_H
#define SERVER_PACKAGE_TABLE_H

#include "server/package.h"

struct package_row {
    struct package_name id;
    struct str resources; /* "Type/id" with blanks between them */
    size_t n;
};

struct package_table {
    struct package_row rows[PACKAGES_MAX];
    size_t n;
};

/* What the store holds of it; STR_NULL while there is none. */
int package_table_text(struct store *store, struct arena *a, struct str *ret, struct err *err);
/* The text apart; its rows are within it. ERR_NO_STORE where it is damaged. */
int package_table_read(struct arena *a, struct str text, struct package_table **ret,
                       struct err *err);
/* NULL where it is not installed. */
const struct package_row *package_table_find(const struct package_table *t, struct str name);

/* Inside a job: the package of a note is in the table from now on. ERR_CONFLICT where a package of
 * its name is. */
int package_row_add(struct store_txn *txn, struct arena *a, const struct place_note *note,
                    struct err *err);
int package_row_drop(struct store_txn *txn, struct str name, struct err *err);

#endif
