/* country.h - the land: provinces, districts, facilities and their staff.
 *
 * The land is a jittered grid, so neighbours share their borders exactly. Its size follows the
 * number of people; it lies in the open Atlantic, where no country is.
 */
#ifndef SYNTH_COUNTRY_H
#define SYNTH_COUNTRY_H

#include "base/arena.h"
#include "synth/names.h"
#include "synth/out.h"

#define COUNTRY_NAME "Kivandra"
#define KIVANDRA "https://kivandra.example/fhir" /* base of its identifier systems */

#define GRID_ROWS_MAX 9
#define GRID_COLS_MAX 12
#define DISTRICTS_MAX (GRID_ROWS_MAX * GRID_COLS_MAX)
#define PROVINCES_MAX 12
#define EDGE_POINTS 3 /* between two corners of a border */
#define FACILITY_NAME_MAX 64

struct point {
    int32_t lon, lat; /* in 1/10,000 degree */
};

enum level { LEVEL_HOSPITAL, LEVEL_CENTRE, LEVEL_POST };

struct facility {
    struct uid location, org;
    char place[PLACE_MAX], name[FACILITY_NAME_MAX];
    enum level level;
    unsigned district;
    struct point at;
    struct uid *staff; /* Practitioners */
    size_t n_staff;
};

struct district {
    struct uid location, org;
    char name[PLACE_MAX];
    unsigned province, row, col;
    uint32_t weight;             /* share of the population */
    unsigned malaria_permille;   /* how endemic, 1000 is the country's average */
    struct facility *facilities; /* the hospital first */
    size_t n_facilities;
};

struct province {
    struct uid location;
    char name[PLACE_MAX];
    size_t culture;                /* of most who live there */
    unsigned row, col, rows, cols; /* its block of the grid */
};

struct country {
    struct uid location, ministry;
    struct province provinces[PROVINCES_MAX];
    struct district districts[DISTRICTS_MAX];
    size_t n_provinces, n_districts;
    uint32_t weight_sum;
    unsigned rows, cols;
    struct point corner[GRID_ROWS_MAX + 1][GRID_COLS_MAX + 1];
    struct point across[GRID_ROWS_MAX + 1][GRID_COLS_MAX][EDGE_POINTS];
    struct point upward[GRID_ROWS_MAX][GRID_COLS_MAX + 1][EDGE_POINTS];
};

/* Draws the land for so many people; facilities live in `a`. ERR_NO_MEMORY. */
int country_draw(struct country *c, uint64_t people, struct rng *r, struct arena *a,
                 struct err *err);

/* Writes it: places from large to small, organisations, then each district's facilities with their
 * services and staff. `r` draws what only the text needs. */
void country_write(const struct country *c, struct rng *r, struct out *o);
void district_write(const struct country *c, size_t district, struct rng *r, struct out *o);

/* The district of somebody drawn from the population. */
unsigned country_draw_district(const struct country *c, struct rng *r);
/* The culture of a household there: mostly its province's. */
size_t country_draw_culture(const struct country *c, unsigned district, struct rng *r);

/* ,"name":[HumanName …]: the native form and, where that is not Latin, its transliteration. */
struct person_name {
    size_t culture;
    const struct name *given, *family;
    bool feminine; /* the family name takes the feminine ending */
};
void name_write(struct out *o, const char *member, const struct person_name *n);
/* Somebody's, without a family to take it from. */
void name_draw(struct rng *r, size_t culture, bool female, struct person_name *ret);

/* A number with its Luhn check digit behind it. */
uint64_t luhn_append(uint64_t number);

#endif
