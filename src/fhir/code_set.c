#include "fhir/code_set.h"

#include "base/fault.h"
#include "fhir/key_int.h"

#include <stdlib.h>

int code_set_new(size_t n, struct code_set **ret, struct err *err)
{
    struct code_set *set = fault_point("alloc") ? NULL : calloc(1, sizeof *set);

    if (!set)
        return err_no_memory(err);
    arena_init(&set->a, CODE_SET_BYTES_MAX);
    atomic_init(&set->refs, 1);
    set->max = n;
    set->codings = ARENA_ARRAY(&set->a, struct coding, n);
    if (!set->codings) {
        code_set_unref(set);
        return err_no_memory(err);
    }
    *ret = set;
    return 0;
}

struct str code_set_text(struct code_set *set, struct str text)
{
    return arena_dup(&set->a, text.p ? text : STR(""));
}

int code_set_add(struct code_set *set, struct str system, struct str code, struct err *err)
{
    struct coding *c = &set->codings[set->n];

    assert(set->n < set->max);
    *c = (struct coding){.system = system, .code = arena_dup(&set->a, code)};
    if (!c->code.p)
        return err_no_memory(err);
    set->n++;
    return 0;
}

static int key_cmp(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int add_key(struct code_set *set, struct key_set *keys, struct str system, struct str code,
                   struct err *err)
{
    struct key k = {.n = 0};

    key_token(&k, system, code);
    keys->keys[keys->n] = arena_dup(&set->a, key_view(&k));
    return keys->keys[keys->n++].p ? 0 : err_no_memory(err);
}

/* Sorted, each once. */
static void sort_keys(struct key_set *keys)
{
    size_t kept = 0;

    if (keys->n)
        qsort(keys->keys, keys->n, sizeof *keys->keys, key_cmp);
    for (size_t i = 0; i < keys->n; i++)
        if (!kept || !str_eq(keys->keys[kept - 1], keys->keys[i]))
            keys->keys[kept++] = keys->keys[i];
    keys->n = kept;
}

int code_set_finish(struct code_set *set, struct err *err)
{
    int r = 0;

    set->keys.keys = ARENA_ARRAY(&set->a, struct str, set->n + 1);
    set->implied.keys = ARENA_ARRAY(&set->a, struct str, 2 * set->n + 1);
    if (!set->keys.keys || !set->implied.keys)
        return err_no_memory(err);
    for (size_t i = 0; r >= 0 && i < set->n; i++)
        r = add_key(set, &set->keys, set->codings[i].system, set->codings[i].code, err);
    sort_keys(&set->keys);
    for (size_t i = 0; i < set->keys.n; i++)
        set->implied.keys[set->implied.n++] = set->keys.keys[i];
    for (size_t i = 0; r >= 0 && i < set->n; i++)
        if (set->codings[i].system.n)
            r = add_key(set, &set->implied, STR(""), set->codings[i].code, err);
    sort_keys(&set->implied);
    return r;
}

struct code_set *code_set_ref(struct code_set *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void code_set_unref(struct code_set *set)
{
    if (!set || atomic_fetch_sub(&set->refs, 1) != 1)
        return;
    arena_done(&set->a);
    free(set);
}

size_t code_set_bytes(const struct code_set *set)
{
    return sizeof *set + set->a.used_bytes;
}
