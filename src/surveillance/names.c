#include "surveillance/records_int.h"

#define ROOM_LEAST 256

static size_t slot_of(const struct names *t, struct str name)
{
    size_t at = str_hash(name) & (t->n_slots - 1);

    while (t->slots[at] && !str_eq(t->v[t->slots[at] - 1], name))
        at = (at + 1) & (t->n_slots - 1);
    return at;
}

static bool grow(struct names *t, struct arena *a)
{
    size_t n = t->n_slots ? 2 * t->n_slots : 2 * ROOM_LEAST;
    uint32_t *slots = ARENA_ARRAY(a, uint32_t, n);

    if (!slots)
        return false;
    t->slots = slots;
    t->n_slots = n;
    for (size_t i = 0; i < t->n; i++)
        slots[slot_of(t, t->v[i])] = (uint32_t)i + 1;
    return true;
}

void *names_room(struct arena *a, void *v, size_t n, size_t *room, size_t size)
{
    size_t more = *room ? 2 * *room : ROOM_LEAST;

    if (v && n < *room)
        return v;
    v = arena_grow(a, v, *room * size, more * size);
    if (v)
        *room = more;
    return v;
}

uint32_t names_find(const struct names *t, struct str name)
{
    size_t at = t->n_slots ? slot_of(t, name) : 0;

    return t->n_slots && t->slots[at] ? t->slots[at] - 1 : NOT_THERE;
}

uint32_t names_number(struct names *t, struct arena *a, struct str name)
{
    struct str *v;
    size_t at;

    if (2 * (t->n + 1) > t->n_slots && !grow(t, a))
        return NOT_THERE;
    at = slot_of(t, name);
    if (t->slots[at])
        return t->slots[at] - 1;
    v = t->n < NOT_THERE - 1 ? names_room(a, t->v, t->n, &t->room, sizeof *t->v) : NULL;
    if (!v)
        return NOT_THERE;
    t->v = v;
    v[t->n] = arena_dup(a, name);
    if (!v[t->n].p)
        return NOT_THERE;
    t->slots[at] = (uint32_t)++t->n;
    return (uint32_t)t->n - 1;
}
