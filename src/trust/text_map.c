#include "trust/text_map.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

static struct text_slot *find(const struct text_map *m, struct str key)
{
    size_t at = str_hash(key) & (m->cap - 1);

    while (m->v[at].key.p && !str_eq(m->v[at].key, key))
        at = (at + 1) & (m->cap - 1);
    return &m->v[at];
}

static bool grow(struct text_map *m)
{
    struct text_map more = {.cap = m->cap ? m->cap * 2 : 16};

    more.v = fault_point("text_map") ? NULL : calloc(more.cap, sizeof *more.v);
    if (!more.v)
        return false;
    for (size_t i = 0; i < m->cap; i++)
        if (m->v[i].key.p)
            *find(&more, m->v[i].key) = m->v[i];
    free(m->v);
    m->v = more.v;
    m->cap = more.cap;
    return true;
}

void text_map_done(struct text_map *m, void (*release)(void *value))
{
    for (size_t i = 0; i < m->cap; i++) {
        if (m->v[i].key.p && release)
            release(m->v[i].value);
        free((char *)(uintptr_t)m->v[i].key.p);
    }
    free(m->v);
    *m = (struct text_map){.n = 0};
}

void *text_map_get(const struct text_map *m, struct str key)
{
    const struct text_slot *slot = m->cap ? find(m, key) : NULL;

    return slot && slot->key.p ? slot->value : NULL;
}

void **text_map_at(struct text_map *m, struct str key)
{
    struct text_slot *slot;
    char *copy;

    if (m->n * 4 >= m->cap * 3 && !grow(m))
        return NULL;
    slot = find(m, key);
    if (slot->key.p)
        return &slot->value;
    copy = fault_point("text_map") ? NULL : strndup(key.p, key.n);
    if (!copy)
        return NULL;
    *slot = (struct text_slot){.key = str_n(copy, key.n)};
    m->n++;
    return &slot->value;
}
