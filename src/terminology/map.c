#include "terminology/map.h"

#include "base/fault.h"

#include <stdatomic.h>
#include <stdlib.h>

enum map_section {
    MAP_INFO,
    MAP_POOL,
    MAP_GROUPS,
    MAP_ELEMENTS, /* n + 1: the last one ends the targets of the one before */
    MAP_TARGETS,
    MAP_ORDER,   /* elements in the order of their codes */
    MAP_REVERSE, /* targets likewise */
    MAP_SECTIONS,
};

struct map {
    struct image im;
    atomic_uint refs;
};

int map_open(char *bytes, size_t n, struct map **ret, struct err *err)
{
    struct map *m = fault_point("alloc") ? NULL : calloc(1, sizeof *m);
    int r;

    if (!m) {
        free(bytes);
        return err_no_memory(err);
    }
    r = image_open(&m->im, bytes, n, IMAGE_CONCEPT_MAP, err);
    if (r < 0) {
        free(m);
        return r;
    }
    atomic_init(&m->refs, 1);
    *ret = m;
    return 0;
}

struct map *map_ref(struct map *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void map_unref(struct map *m)
{
    if (!m || atomic_fetch_sub(&m->refs, 1) != 1)
        return;
    image_done(&m->im);
    free(m);
}

size_t map_bytes(const struct map *m)
{
    return m->im.n;
}

const struct map_info *map_info(const struct map *m)
{
    return m->im.at[MAP_INFO];
}

struct str map_text(const struct map *m, text_at at)
{
    return image_text(&m->im, MAP_POOL, at);
}

const struct map_group *map_group(const struct map *m, uint32_t i)
{
    return (const struct map_group *)m->im.at[MAP_GROUPS] + i;
}

const struct map_element *map_element(const struct map *m, uint32_t i)
{
    return (const struct map_element *)m->im.at[MAP_ELEMENTS] + i;
}

const struct map_target *map_target(const struct map *m, uint32_t i)
{
    return (const struct map_target *)m->im.at[MAP_TARGETS] + i;
}

static struct str code_at(const struct map *m, uint32_t i, bool reverse)
{
    return map_text(m, reverse ? map_target(m, i)->code : map_element(m, i)->code);
}

/* *at is 0 before the first, and then one behind the place of the last in the order of codes. */
static uint32_t find(const struct map *m, struct str code, size_t *at, bool reverse)
{
    const uint32_t *order = m->im.at[reverse ? MAP_REVERSE : MAP_ORDER];
    size_t n = reverse ? map_info(m)->n_targets : map_info(m)->n_elements, low = *at, high = n;

    while (!*at && low < high) {
        size_t mid = low + (high - low) / 2;
        if (str_cmp(code_at(m, order[mid], reverse), code) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low >= n || !str_eq(code_at(m, order[low], reverse), code))
        return MAP_NONE;
    *at = low + 1;
    return order[low];
}

uint32_t map_find(const struct map *m, struct str code, size_t *at)
{
    return find(m, code, at, false);
}

uint32_t map_find_target(const struct map *m, struct str code, size_t *at)
{
    return find(m, code, at, true);
}

/* ---- making one ---- */

struct map_builder {
    struct map_info info;
    struct text_pool pool;
    struct grow groups, elements, targets;
};

struct map_builder *map_builder_new(void)
{
    struct map_builder *b = fault_point("alloc") ? NULL : calloc(1, sizeof *b);

    if (b)
        text_pool_init(&b->pool);
    return b;
}

void map_builder_free(struct map_builder *b)
{
    if (!b)
        return;
    text_pool_done(&b->pool);
    grow_done(&b->groups);
    grow_done(&b->elements);
    grow_done(&b->targets);
    free(b);
}

struct map_info *map_builder_info(struct map_builder *b)
{
    return &b->info;
}

text_at map_builder_text(struct map_builder *b, struct str s)
{
    return text_pool_add(&b->pool, s);
}

struct map_group *map_builder_group(struct map_builder *b)
{
    return grow_add(&b->groups, sizeof(struct map_group));
}

void map_builder_element(struct map_builder *b, uint32_t group, struct str code, struct str display)
{
    struct map_element *e = grow_add(&b->elements, sizeof *e);

    if (e)
        *e = (struct map_element){.group = group,
                                  .code = text_pool_add(&b->pool, code),
                                  .display = text_pool_add(&b->pool, display),
                                  .targets = (uint32_t)b->targets.n};
}

struct map_target *map_builder_target(struct map_builder *b, struct str code, struct str display,
                                      struct str equivalence)
{
    struct map_target *t = grow_add(&b->targets, sizeof *t);

    if (t)
        *t = (struct map_target){.element = (uint32_t)b->elements.n - 1,
                                 .code = text_pool_add(&b->pool, code),
                                 .display = text_pool_add(&b->pool, display),
                                 .equivalence = text_pool_add(&b->pool, equivalence)};
    return t;
}

/* A code and the record that has it, while they are sorted. */
struct coded {
    struct str code;
    uint32_t i;
};

static int by_code(const void *a, const void *b)
{
    const struct coded *x = a, *y = b;
    int order = str_cmp(x->code, y->code);

    return order ? order : (x->i > y->i) - (x->i < y->i);
}

static uint32_t *make_order(const struct map_builder *b, const struct grow *of, bool reverse)
{
    struct coded *all = fault_point("alloc") ? NULL : calloc(of->n + 1, sizeof *all);
    uint32_t *order = all ? calloc(of->n + 1, sizeof *order) : NULL;

    for (size_t i = 0; order && i < of->n; i++)
        all[i] = (struct coded){
            text_pool_get(&b->pool, reverse ? GROW_AT(of, struct map_target, i)->code
                                            : GROW_AT(of, struct map_element, i)->code),
            (uint32_t)i};
    if (order)
        qsort(all, of->n, sizeof *all, by_code);
    for (size_t i = 0; order && i < of->n; i++)
        order[i] = all[i].i;
    free(all);
    return order;
}

int map_build(struct map_builder *b, char **ret, size_t *ret_n, struct err *err)
{
    struct map_element *end;
    uint32_t *order, *reverse;
    int r = ERR_NO_MEMORY;

    b->info.n_groups = (uint32_t)b->groups.n;
    b->info.n_elements = (uint32_t)b->elements.n;
    b->info.n_targets = (uint32_t)b->targets.n;
    order = make_order(b, &b->elements, false);
    reverse = make_order(b, &b->targets, true);
    end = grow_add(&b->elements, sizeof *end);
    if (end)
        end->targets = (uint32_t)b->targets.n;
    if (end && order && reverse && !b->pool.failed && !b->groups.failed && !b->targets.failed) {
        struct image_part parts[MAP_SECTIONS] = {
            [MAP_INFO] = {&b->info, sizeof b->info},
            [MAP_POOL] = {b->pool.bytes.p, b->pool.bytes.n},
            [MAP_GROUPS] = {b->groups.p, b->groups.n * sizeof(struct map_group)},
            [MAP_ELEMENTS] = {b->elements.p, b->elements.n * sizeof(struct map_element)},
            [MAP_TARGETS] = {b->targets.p, b->targets.n * sizeof(struct map_target)},
            [MAP_ORDER] = {order, b->info.n_elements * sizeof *order},
            [MAP_REVERSE] = {reverse, b->info.n_targets * sizeof *reverse},
        };
        r = image_write(IMAGE_CONCEPT_MAP, parts, MAP_SECTIONS, ret, ret_n, err);
    } else {
        err_no_memory(err);
    }
    free(order);
    free(reverse);
    return r;
}
