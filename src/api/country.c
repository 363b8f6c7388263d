#include "api/country.h"

#include "api/surveil.h"
#include "coverage/disclose.h"
#include "coverage/counter.h"

#include <inttypes.h>

static void unref(void *count)
{
    count_unref(count);
}

/* The newest count, held until the call ends. */
static int hold(struct call *c, const struct count **ret)
{
    struct count *count;
    int r = c->api->counter ? counter_count(c->api->counter, &count, &c->err)
                            : err_set(&c->err, ERR_NOT_SUPPORTED, "this node counts no programmes");

    if (r < 0)
        return r;
    if (!arena_defer(c->a, unref, count)) {
        count_unref(count);
        return err_no_memory(&c->err);
    }
    *ret = count;
    return 0;
}

/* What the whole is shown by: the one place that is part of none, if there is one alone. */
static uint32_t outermost(const struct count *n)
{
    uint32_t found = NAMES_NONE;

    for (uint32_t site = 1; site < n->n_sites; site++) {
        uint32_t at = n->place_of[site];

        for (int depth = 0; n->places[at].part_of != NAMES_NONE && depth < ROLL_DEPTH_MAX; depth++)
            at = n->places[at].part_of;
        if (found != NAMES_NONE && found != at)
            return NAMES_NONE;
        found = at;
    }
    return found;
}

static int find_parts(struct country *q)
{
    const struct count *n = q->count;
    uint32_t top = q->place == NAMES_NONE ? outermost(n) : q->place, part;
    uint32_t *number = ARENA_ARRAY(q->c->a, uint32_t, (size_t)n->n_places + 1);

    q->parts = ARENA_ARRAY(q->c->a, uint32_t, COUNTRY_PARTS_MAX);
    q->within = ARENA_ARRAY(q->c->a, uint32_t, n->n_sites);
    if (!number || !q->parts || !q->within)
        return err_no_memory(&q->c->err);
    for (uint32_t site = 0; site < n->n_sites; site++) {
        q->within[site] = NAMES_NONE;
        if (!count_part(n, site, top, &part)) {
            if (q->place == NAMES_NONE)
                q->within[site] = COUNTRY_PARTS_MAX; /* somewhere else in the whole */
            continue;
        }
        if (part == NAMES_NONE) {
            q->within[site] = COUNTRY_PARTS_MAX;
            continue;
        }
        if (!number[part] && q->n_parts == COUNTRY_PARTS_MAX)
            return err_set(&q->c->err, ERR_COSTLY, "the place has more than %d parts",
                           COUNTRY_PARTS_MAX);
        if (!number[part]) {
            q->parts[q->n_parts++] = part;
            number[part] = (uint32_t)q->n_parts;
        }
        q->within[site] = number[part] - 1;
    }
    for (uint32_t site = 0; site < n->n_sites; site++)
        if (q->within[site] == COUNTRY_PARTS_MAX)
            q->within[site] = (uint32_t)q->n_parts;
    return 0;
}

int country_begin(struct call *c, const char *names, struct country *ret)
{
    struct country q = {.c = c, .place = NAMES_NONE};
    struct str location;
    int r = surveil_may(c, SURVEIL_PROGRAMMES);

    if (r >= 0)
        r = op_params_read(c, &q.params);
    if (r >= 0)
        r = op_params_only(c, &q.params, names);
    if (r >= 0)
        r = hold(c, &q.count);
    if (r < 0)
        return r;
    location = op_param_text(&q.params, "location");
    if (location.n && (q.place = count_place(q.count, location)) == NAMES_NONE)
        return err_set(&c->err, ERR_VALUE, "no Location is known as \"%.*s\"",
                       (int)MIN(location.n, (size_t)64), location.p);
    r = find_parts(&q);
    if (r >= 0)
        *ret = q;
    return r;
}

static void put_place(const struct country *q, uint32_t place)
{
    const struct count_place *p = &q->count->places[place];
    struct sb *out = &q->c->out;

    sb_lit(out, "\"id\":");
    sb_json(out, p->id);
    sb_lit(out, ",\"name\":");
    sb_json(out, p->name);
    sb_lit(out, ",\"level\":");
    sb_json(out, p->level);
}

void country_part(const struct country *q, size_t part)
{
    if (part < q->n_parts)
        put_place(q, q->parts[part]);
    else
        sb_lit(&q->c->out, "\"id\":null");
}

/* From the outermost to the one that is asked for. */
static void put_path(const struct country *q, uint32_t place, int depth)
{
    uint32_t up = q->count->places[place].part_of;

    if (up != NAMES_NONE && depth < ROLL_DEPTH_MAX && q->count->places[up].is_there) {
        put_path(q, up, depth + 1);
        sb_char(&q->c->out, ',');
    }
    sb_char(&q->c->out, '{');
    put_place(q, place);
    sb_char(&q->c->out, '}');
}

void country_about(const struct country *q)
{
    struct sb *out = &q->c->out;

    sb_lit(out, "\"definitions\":");
    sb_json(out, q->count->set->version);
    sb_fmt(out, ",\"position\":%" PRIu64 ",\"until\":", q->count->position);
    surveil_day(out, q->count->today == DAY_NONE ? DAY_UNKNOWN : q->count->today);
    sb_fmt(out, ",\"least\":%d,\"shareLeast\":%d,\"path\":[", DISCLOSE_LEAST, DISCLOSE_SHARE_LEAST);
    if (q->place != NAMES_NONE)
        put_path(q, q->place, 0);
    sb_char(out, ']');
}
