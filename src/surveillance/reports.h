/* reports.h - reporting triangles from a stranger's CSV of reports (table.h). */
#ifndef SURVEILLANCE_REPORTS_H
#define SURVEILLANCE_REPORTS_H

#include "surveillance/delays.h"
#include "surveillance/table.h"

#define REPORTS_CELLS_MAX 50000000 /* of all triangles */

struct reports {
    struct table table;
    int64_t now;                /* what was reported later is left out */
    size_t longest;             /* delay, in periods */
    struct triangle *triangles; /* of each stratum, from its first period on; n 0: none until now */
    size_t n_late;              /* cases that took longer: they count as if they had not */
};

/* `longest` 0: 8 weeks, 28 days, 3 months. `now`: as the file's periods, NULL: its newest report.
 * `text` must outlive it. ERR_VALUE, and the errors of table_read. */
int reports_read(struct arena *a, struct str text, size_t longest, const char *now,
                 struct reports *ret, struct err *err);

#endif
