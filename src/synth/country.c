#include "synth/country.h"

#include "synth/chance.h"

#include <stdio.h>

#define CELL_LON 7000
#define CELL_LAT 6000
#define CORNER_JITTER 1300
#define EDGE_JITTER 350
#define WEST (-210000) /* south-west corner: 21.0 W, 3.0 S */
#define SOUTH (-30000)
#define PEOPLE_PER_FACILITY 3000
#define FACILITIES_MIN 3 /* in a district */
#define FACILITIES_MAX 80
#define CAPITAL_WEIGHT 3 /* times an ordinary district */

/* Provinces (rows x columns) and districts in each (rows x columns), by population. */
static const struct size {
    uint64_t people;
    unsigned province_rows, province_cols, rows, cols;
} sizes[] = {
    {2000, 1, 2, 1, 2},    {20000, 2, 2, 1, 2},      {200000, 2, 3, 2, 2},
    {2000000, 2, 4, 2, 3}, {UINT64_MAX, 3, 4, 3, 3},
};

static struct point jitter(struct rng *r, struct point p, int by)
{
    p.lon += (int32_t)draw_range(r, -by, by);
    p.lat += (int32_t)draw_range(r, -by, by);
    return p;
}

static void draw_edge(struct rng *r, struct point from, struct point to,
                      struct point ret[EDGE_POINTS])
{
    for (int k = 0; k < EDGE_POINTS; k++) {
        struct point p = {from.lon + (to.lon - from.lon) * (k + 1) / (EDGE_POINTS + 1),
                          from.lat + (to.lat - from.lat) * (k + 1) / (EDGE_POINTS + 1)};

        ret[k] = jitter(r, p, EDGE_JITTER);
    }
}

static void draw_grid(struct country *c, struct rng *r)
{
    for (unsigned row = 0; row <= c->rows; row++)
        for (unsigned col = 0; col <= c->cols; col++) {
            struct point p = {WEST + (int32_t)col * CELL_LON, SOUTH + (int32_t)row * CELL_LAT};

            c->corner[row][col] = jitter(r, p, CORNER_JITTER);
        }
    for (unsigned row = 0; row <= c->rows; row++)
        for (unsigned col = 0; col < c->cols; col++)
            draw_edge(r, c->corner[row][col], c->corner[row][col + 1], c->across[row][col]);
    for (unsigned row = 0; row < c->rows; row++)
        for (unsigned col = 0; col <= c->cols; col++)
            draw_edge(r, c->corner[row][col], c->corner[row + 1][col], c->upward[row][col]);
}

/* A name that no place of the list before has. */
static void draw_new_name(const struct country *c, struct rng *r, size_t culture,
                          char ret[PLACE_MAX])
{
    bool taken;

    do {
        place_draw(r, culture, ret);
        taken = false;
        for (size_t i = 0; i < c->n_districts && !taken; i++)
            taken = strcmp(c->districts[i].name, ret) == 0;
        for (size_t i = 0; i < c->n_provinces && !taken; i++)
            taken = strcmp(c->provinces[i].name, ret) == 0;
    } while (taken);
}

static void draw_district(struct country *c, unsigned province, unsigned row, unsigned col,
                          struct rng *r)
{
    struct district *d = &c->districts[c->n_districts];
    char name[PLACE_MAX];

    uid_draw(r, &d->location);
    uid_draw(r, &d->org);
    draw_new_name(c, r, c->provinces[province].culture, name);
    memcpy(d->name, name, sizeof name);
    d->province = province;
    d->row = row;
    d->col = col;
    d->weight = (uint32_t)draw_range(r, 40, 160);
    if (c->n_districts == 0)
        d->weight = 100 * CAPITAL_WEIGHT;
    /* From nearly free of it to twice the average; the capital has little. */
    d->malaria_permille = (unsigned)draw_range(r, 150, 2000);
    if (c->n_districts == 0)
        d->malaria_permille /= 4;
    c->weight_sum += d->weight;
    c->n_districts++;
}

static void draw_provinces(struct country *c, const struct size *size, struct rng *r)
{
    size_t first = rng_below(r, n_cultures);

    for (unsigned pr = 0; pr < size->province_rows; pr++)
        for (unsigned pc = 0; pc < size->province_cols; pc++) {
            struct province *p = &c->provinces[c->n_provinces];
            char name[PLACE_MAX];

            uid_draw(r, &p->location);
            p->culture = (first + c->n_provinces) % n_cultures;
            draw_new_name(c, r, p->culture, name);
            memcpy(p->name, name, sizeof name);
            p->row = pr * size->rows;
            p->col = pc * size->cols;
            p->rows = size->rows;
            p->cols = size->cols;
            c->n_provinces++;
            for (unsigned row = 0; row < size->rows; row++)
                for (unsigned col = 0; col < size->cols; col++)
                    draw_district(c, (unsigned)(p - c->provinces), p->row + row, p->col + col, r);
        }
}

/* Somewhere well inside a district's four corners. */
static struct point point_within(const struct country *c, const struct district *d, struct rng *r)
{
    int64_t u = draw_range(r, 250, 750), v = draw_range(r, 250, 750);
    const struct point *low = &c->corner[d->row][d->col], *high = &c->corner[d->row + 1][d->col];
    int64_t lon0 = low[0].lon + (low[1].lon - low[0].lon) * u / 1000;
    int64_t lon1 = high[0].lon + (high[1].lon - high[0].lon) * u / 1000;
    int64_t lat0 = low[0].lat + (low[1].lat - low[0].lat) * u / 1000;
    int64_t lat1 = high[0].lat + (high[1].lat - high[0].lat) * u / 1000;

    return (struct point){(int32_t)(lon0 + (lon1 - lon0) * v / 1000),
                          (int32_t)(lat0 + (lat1 - lat0) * v / 1000)};
}

static int draw_facility(const struct country *c, struct district *d, size_t i, struct rng *r,
                         struct arena *a, struct err *err)
{
    static const char *const kinds[] = {"District Hospital", "Health Centre", "Health Post"};
    static const size_t staff[] = {12, 5, 2};
    struct facility *f = &d->facilities[i];

    f->level = i == 0 ? LEVEL_HOSPITAL : i % 4 == 1 ? LEVEL_CENTRE : LEVEL_POST;
    f->district = (unsigned)(d - c->districts);
    uid_draw(r, &f->location);
    uid_draw(r, &f->org);
    if (i == 0)
        memcpy(f->place, d->name, sizeof f->place);
    else
        place_draw(r, c->provinces[d->province].culture, f->place);
    snprintf(f->name, sizeof f->name, "%s %s", f->place, kinds[f->level]);
    f->at = point_within(c, d, r);
    f->n_staff = staff[f->level];
    f->staff = ARENA_ARRAY(a, struct uid, f->n_staff);
    if (!f->staff)
        return err_no_memory(err);
    for (size_t k = 0; k < f->n_staff; k++)
        uid_draw(r, &f->staff[k]);
    return 0;
}

int country_draw(struct country *c, uint64_t people, struct rng *r, struct arena *a,
                 struct err *err)
{
    const struct size *size = sizes;
    int e;

    while (people >= size->people && size < sizes + ARRAY_LEN(sizes) - 1)
        size++;
    memset(c, 0, sizeof *c);
    c->rows = size->province_rows * size->rows;
    c->cols = size->province_cols * size->cols;
    uid_draw(r, &c->location);
    uid_draw(r, &c->ministry);
    draw_grid(c, r);
    draw_provinces(c, size, r);
    for (size_t i = 0; i < c->n_districts; i++) {
        struct district *d = &c->districts[i];
        uint64_t n = people * d->weight / c->weight_sum / PEOPLE_PER_FACILITY;

        d->n_facilities = (size_t)MIN(MAX(n, (uint64_t)FACILITIES_MIN), (uint64_t)FACILITIES_MAX);
        d->facilities = ARENA_ARRAY(a, struct facility, d->n_facilities);
        if (!d->facilities)
            return err_no_memory(err);
        for (size_t k = 0; k < d->n_facilities; k++) {
            e = draw_facility(c, d, k, r, a, err);
            if (e < 0)
                return e;
        }
    }
    return 0;
}

unsigned country_draw_district(const struct country *c, struct rng *r)
{
    uint64_t at = rng_below(r, c->weight_sum);

    for (size_t i = 0; i + 1 < c->n_districts; i++) {
        if (at < c->districts[i].weight)
            return (unsigned)i;
        at -= c->districts[i].weight;
    }
    return (unsigned)c->n_districts - 1;
}

size_t country_draw_culture(const struct country *c, unsigned district, struct rng *r)
{
    if (draw_permille(r, 550))
        return c->provinces[c->districts[district].province].culture;
    return rng_below(r, n_cultures);
}
