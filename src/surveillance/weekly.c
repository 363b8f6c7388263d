#include "surveillance/weekly.h"

#include "surveillance/records_int.h"

#define SLOTS_LEAST 1024

void weekly_init(struct weekly *w, enum case_date by)
{
    *w = (struct weekly){.by = by};
    arena_init(&w->a, WEEKLY_BYTES_MAX);
    for (size_t i = 0; i < CASE_DEFINITIONS_MAX; i++)
        w->first[i] = NOT_THERE;
}

void weekly_done(struct weekly *w)
{
    arena_done(&w->a);
}

/* 1970-01-01 was a Thursday: week 0 begins three days before. */
int32_t weekly_of(int32_t day)
{
    return (int32_t)((day + 3 - (day + 3 < 0 ? 6 : 0)) / 7);
}

int32_t weekly_monday(int32_t week)
{
    return week * 7 - 3;
}

bool place_is_within(const struct records *r, uint32_t place, uint32_t of)
{
    if (of == NOT_THERE)
        return true;
    for (int depth = 0; place != NOT_THERE && depth < PLACE_DEPTH_MAX; depth++) {
        if (place == of)
            return true;
        place = r->places[place].part_of;
    }
    return false;
}

/* ---- lines ---- */

static size_t slot_of(const struct weekly *w, uint16_t disease, uint32_t place)
{
    uint64_t key = ((uint64_t)place << 16 | disease) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(key >> 32) & (w->n_slots - 1);

    while (w->slots[at] && (w->lines[w->slots[at] - 1].disease != disease ||
                            w->lines[w->slots[at] - 1].place != place))
        at = (at + 1) & (w->n_slots - 1);
    return at;
}

static bool grow_slots(struct weekly *w)
{
    size_t n = w->n_slots ? 2 * w->n_slots : SLOTS_LEAST;
    uint32_t *slots = arena_regrow(&w->a, w->slots, w->n_slots * sizeof *slots, n * sizeof *slots);

    if (!slots)
        return false;
    memset(slots, 0, n * sizeof *slots);
    w->slots = slots;
    w->n_slots = n;
    for (size_t i = 0; i < w->n; i++)
        slots[slot_of(w, w->lines[i].disease, w->lines[i].place)] = (uint32_t)i + 1;
    return true;
}

static struct weekly_line *line_of(struct weekly *w, uint16_t disease, uint32_t place)
{
    struct weekly_line *v;
    size_t at;

    if (2 * (w->n + 1) > w->n_slots && !grow_slots(w))
        return NULL;
    at = slot_of(w, disease, place);
    if (w->slots[at])
        return &w->lines[w->slots[at] - 1];
    v = names_room(&w->a, w->lines, w->n, &w->room, sizeof *v);
    if (!v)
        return NULL;
    w->lines = v;
    v[w->n] = (struct weekly_line){.place = place, .disease = disease, .next = w->first[disease]};
    w->first[disease] = (uint32_t)w->n;
    w->slots[at] = (uint32_t)++w->n;
    return &v[w->n - 1];
}

/* Where the first cell stands that is not before a week. */
static size_t cell_from(const struct weekly_line *line, int32_t week)
{
    size_t lo = 0, hi = line->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (line->cells[mid].week < week)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct weekly_cell *cell_of(struct weekly *w, struct weekly_line *line, int32_t week)
{
    size_t at = cell_from(line, week), more = line->room ? 2 * line->room : 4;
    struct weekly_cell *v = line->cells;

    if (at < line->n && v[at].week == week)
        return &v[at];
    if (line->n == line->room) {
        v = arena_regrow(&w->a, v, line->room * sizeof *v, more * sizeof *v);
        if (!v)
            return NULL;
        line->cells = v;
        line->room = more;
    }
    memmove(v + at + 1, v + at, (line->n - at) * sizeof *v);
    v[at] = (struct weekly_cell){.week = week};
    line->n++;
    return &v[at];
}

int weekly_change(struct weekly *w, const struct found_case *c, int sign, struct err *err)
{
    struct weekly_line *line;
    struct weekly_cell *cell;
    bool is_other;

    if (!c) {
        enum case_date by = w->by;

        weekly_done(w);
        weekly_init(w, by);
        return 0;
    }
    if (c->class == CASE_DISCARDED)
        return 0;
    line = line_of(w, c->disease, c->place);
    cell = line ? cell_of(w, line, weekly_of(case_day(c, w->by, &is_other))) : NULL;
    if (!cell)
        return err_no_memory(err);
    cell->n += (uint32_t)sign;
    cell->confirmed += c->class == CASE_CONFIRMED ? (uint32_t)sign : 0;
    w->is_changed[c->disease] = true;
    return 0;
}

void weekly_sum(const struct weekly *w, const struct records *r, uint16_t disease, uint32_t place,
                bool only_confirmed, int32_t first, uint32_t *out, size_t n)
{
    for (uint32_t i = w->first[disease]; i != NOT_THERE; i = w->lines[i].next) {
        const struct weekly_line *line = &w->lines[i];

        if (!place_is_within(r, line->place, place))
            continue;
        for (size_t k = cell_from(line, first); k < line->n; k++) {
            size_t at = (size_t)(line->cells[k].week - first);
            if (at >= n)
                break;
            out[at] += only_confirmed ? line->cells[k].confirmed : line->cells[k].n;
        }
    }
}
