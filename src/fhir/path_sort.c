#include "fhir/path_int.h"

#define SORT_KEYS_MAX 8

/* An item with the keys that it is sorted by; a key that is empty comes first, whichever way the
 * others are sorted. */
struct row {
    struct path_item item;
    struct path_item keys[SORT_KEYS_MAX];
    bool has[SORT_KEYS_MAX];
};

struct sort {
    const struct path_call *c;
    uint16_t args[SORT_KEYS_MAX]; /* NO_NODE: the item itself */
    bool down[SORT_KEYS_MAX];
    size_t n_keys;
    struct row **rows, **spare;
};

/* 1, 0, -1, or an error. */
static int compare_rows(const struct sort *s, const struct row *a, const struct row *b, int *ret)
{
    for (size_t k = 0; k < s->n_keys; k++) {
        int order = (int)a->has[k] - (int)b->has[k];
        if (a->has[k] && b->has[k])
            order = path_compare(&a->keys[k], &b->keys[k]);
        if (order == PATH_NOT_COMPARABLE)
            return path_wrong(s->c->node, s->c->err, "sort() met types that have no order");
        if (order == PATH_NOT_KNOWN)
            order = 0;
        if (order) {
            *ret = s->down[k] && a->has[k] && b->has[k] ? -order : order;
            return 0;
        }
    }
    *ret = 0;
    return 0;
}

/* Merge sort: stable, and an error on the way ends it. */
static int merge(struct sort *s, size_t from, size_t to)
{
    size_t mid = from + (to - from) / 2, i = from, j = mid;
    int r = 0, order;

    if (to - from < 2)
        return 0;
    r = merge(s, from, mid);
    if (r >= 0)
        r = merge(s, mid, to);
    if (r >= 0)
        r = path_spend(s->c->env, to - from, s->c->err);
    for (size_t k = from; k < to && r >= 0; k++) {
        order = i < mid ? -1 : 1;
        if (i < mid && j < to)
            r = compare_rows(s, s->rows[i], s->rows[j], &order);
        s->spare[k] = order <= 0 ? s->rows[i++] : s->rows[j++];
    }
    if (r >= 0)
        memcpy(s->rows + from, s->spare + from, (to - from) * sizeof *s->rows);
    return r;
}

/* `-key` sorts downwards, whatever type the key has. */
static void find_keys(struct sort *s)
{
    const struct path *p = s->c->path;

    if (s->c->node->right == NO_NODE) {
        s->args[0] = NO_NODE;
        s->n_keys = 1;
    }
    for (uint16_t arg = s->c->node->right; arg != NO_NODE; arg = p->nodes[arg].next) {
        s->down[s->n_keys] = p->nodes[arg].kind == NODE_NEGATE;
        s->args[s->n_keys] = s->down[s->n_keys] ? p->nodes[arg].right : arg;
        s->n_keys++;
    }
}

static int make_row(const struct sort *s, size_t i, struct row *ret)
{
    ret->item = s->c->in->p[i];
    for (size_t k = 0; k < s->n_keys; k++) {
        struct path_item room[2];
        struct path_items got = {room, 0, ARRAY_LEN(room)};
        int r = s->args[k] == NO_NODE ? path_push(s->c->env, &got, &ret->item, s->c->err)
                                      : path_each(s->c, s->args[k], s->c->in, i, &got);
        if (r >= 0)
            r = path_one(s->c, &got, &ret->keys[k]);
        if (r < 0)
            return r;
        ret->has[k] = r;
    }
    return 0;
}

int path_fn_sort(const struct path_call *c, struct path_items *out)
{
    struct sort s = {.c = c};
    struct row *rows = ARENA_ARRAY(c->env->a, struct row, c->in->n + 1);
    int r = 0;

    s.rows = ARENA_ARRAY(c->env->a, struct row *, c->in->n + 1);
    s.spare = ARENA_ARRAY(c->env->a, struct row *, c->in->n + 1);
    if (!rows || !s.rows || !s.spare)
        return err_no_memory(c->err);
    find_keys(&s);
    for (size_t i = 0; i < c->in->n && r >= 0; i++) {
        s.rows[i] = &rows[i];
        r = make_row(&s, i, &rows[i]);
    }
    if (r >= 0)
        r = merge(&s, 0, c->in->n);
    for (size_t i = 0; i < c->in->n && r >= 0; i++)
        r = path_push(c->env, out, &s.rows[i]->item, c->err);
    return r;
}
