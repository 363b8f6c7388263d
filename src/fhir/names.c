#include "fhir/names.h"

#include "fhir/index.h"

#define ROOM_LEAST 256
#define KEY_MAX (FHIR_ID_MAX + 3)
#define BLANK 0 /* what a key is made of whose name is forgotten: no id begins with it */

static struct str key_of(const struct names *t, size_t i)
{
    uint32_t from = i ? t->ends[i - 1] : 0;

    return str_n(t->bytes + from, t->ends[i] - from);
}

static bool is_blank(struct str key)
{
    return *key.p == BLANK;
}

static size_t slot_of(const struct names *t, struct str key)
{
    size_t at = str_hash(key) & (t->n_slots - 1);

    while (t->slots[at] && !str_eq(key_of(t, t->slots[at] - 1), key))
        at = (at + 1) & (t->n_slots - 1);
    return at;
}

static bool grow(struct names *t, struct arena *a)
{
    size_t n = t->n_slots ? 2 * t->n_slots : 2 * ROOM_LEAST;
    uint32_t *slots =
        arena_regrow(a, t->slots, t->n_slots * sizeof *t->slots, n * sizeof *t->slots);

    if (!slots)
        return false;
    memset(slots, 0, n * sizeof *slots);
    t->slots = slots;
    t->n_slots = n;
    for (size_t i = 0; i < t->n; i++)
        if (!is_blank(key_of(t, i)))
            slots[slot_of(t, key_of(t, i))] = (uint32_t)i + 1;
    return true;
}

void names_blank(struct names *t, uint32_t i)
{
    struct str key = key_of(t, i);

    memset(t->bytes + (key.p - t->bytes), BLANK, key.n);
}

void *names_room(struct arena *a, void *v, size_t n, size_t *room, size_t size)
{
    size_t more = *room ? 2 * *room : ROOM_LEAST;

    if (v && n < *room)
        return v;
    v = arena_regrow(a, v, *room * size, more * size);
    if (v)
        *room = more;
    return v;
}

/* Behind those that are there. */
static bool append(struct names *t, struct arena *a, struct str key)
{
    uint32_t from = t->n ? t->ends[t->n - 1] : 0;
    uint32_t *ends = names_room(a, t->ends, t->n, &t->room, sizeof *ends);
    char *bytes = t->bytes;

    if (!ends || key.n > UINT32_MAX - from)
        return false;
    t->ends = ends;
    while (!bytes || from + key.n > t->bytes_room) {
        bytes = names_room(a, bytes, t->bytes_room, &t->bytes_room, 1);
        if (!bytes)
            return false;
        t->bytes = bytes;
    }
    memcpy(bytes + from, key.p, key.n);
    ends[t->n] = from + (uint32_t)key.n;
    return true;
}

/* What a name is kept as: a UUID is 17 bytes. */
static struct str pack(const struct names *t, struct str name, unsigned char to[KEY_MAX])
{
    size_t n = 0;

    if (t->is_typed) {
        to[n++] = (unsigned char)(name.n ? *name.p : '\0');
        name = str_from(name, MIN(name.n, (size_t)1));
    }
    return str_n((char *)to, n + index_id_key(name, to + n));
}

struct str names_text(const struct names *t, uint32_t i, char ret[NAMES_TEXT_MAX])
{
    struct str key = key_of(t, i);
    size_t n = 0;

    if (is_blank(key))
        return str_n(ret, 0);
    if (t->is_typed)
        ret[n++] = *key.p;
    return str_n(ret, n + index_key_id((const unsigned char *)key.p + n, key.n - n, ret + n));
}

uint32_t names_find(const struct names *t, struct str name)
{
    unsigned char key[KEY_MAX];
    size_t at = t->n_slots ? slot_of(t, pack(t, name, key)) : 0;

    return t->n_slots && t->slots[at] ? t->slots[at] - 1 : NAMES_NONE;
}

uint32_t names_number(struct names *t, struct arena *a, struct str name)
{
    unsigned char bytes[KEY_MAX];
    struct str key = pack(t, name, bytes);
    size_t at;

    if (!name.n) {
        static const char blank[] = {BLANK};
        return t->n < NAMES_NONE - 1 && append(t, a, str_n(blank, 1)) ? (uint32_t)t->n++
                                                                      : NAMES_NONE;
    }
    if (4 * (t->n + 1) > 3 * t->n_slots && !grow(t, a))
        return NAMES_NONE;
    at = slot_of(t, key);
    if (t->slots[at])
        return t->slots[at] - 1;
    if (t->n >= NAMES_NONE - 1 || !append(t, a, key))
        return NAMES_NONE;
    t->slots[at] = (uint32_t)++t->n;
    return (uint32_t)t->n - 1;
}
