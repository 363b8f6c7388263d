/* nowcast_int.h - between the methods of a nowcast. */
#ifndef SURVEILLANCE_NOWCAST_INT_H
#define SURVEILLANCE_NOWCAST_INT_H

#include "surveillance/nowcast.h"
#include "surveillance/outlook.h"

/* What is usual in each period from `first` on, above 0, by the periods whose reports are all in:
 * the same for all, or by what repeats in a year or week (false: too little past to tell, or no
 * memory). ret has triangle.n + ahead - first rows. */
void pattern_none(const struct nowcast_job *job, size_t first, double *ret);
bool pattern_make(const struct nowcast_job *job, size_t first, double *ret);

/* The periods from job->from on, by the moving rate; ret has a row for each. */
int course_run(const struct nowcast_job *job, const struct delays *d, struct outlook *ret,
               struct err *err);

#endif
