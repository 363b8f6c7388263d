#include "terminology/implied.h"

#include "base/fault.h"
#include "terminology/canonical.h"

#include <stdlib.h>

struct entry {
    struct str value_set, value_set_version, system, version;
};

struct implied {
    struct arena a;
    struct entry *v; /* by value set */
    size_t n, room;
    atomic_uint refs;
};

struct implied *implied_ref(struct implied *list)
{
    atomic_fetch_add_explicit(&list->refs, 1, memory_order_relaxed);
    return list;
}

void implied_unref(struct implied *list)
{
    if (!list || atomic_fetch_sub(&list->refs, 1) != 1)
        return;
    arena_done(&list->a);
    free(list);
}

static void implied_unrefp(struct implied **list)
{
    implied_unref(*list);
}

size_t implied_bytes(const struct implied *list)
{
    return sizeof *list + list->a.used_bytes;
}

/* ---- making it ---- */

static int add(struct implied *list, yyjson_val *root, struct err *err)
{
    struct str version, url = canonical_split(js_get_str(root, "valueSet"), &version);
    struct entry *e;

    if (!url.n || !js_get_str(root, "url").n)
        return 0;
    if (list->n == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        e = arena_grow(&list->a, list->v, list->n * sizeof *e, room * sizeof *e);
        if (!e)
            return err_no_memory(err);
        list->v = e;
        list->room = room;
    }
    e = &list->v[list->n++];
    *e = (struct entry){
        arena_dup(&list->a, url), arena_dup(&list->a, version.p ? version : STR("")),
        arena_dup(&list->a, js_get_str(root, "url")),
        arena_dup(&list->a, js_get(root, "version") ? js_get_str(root, "version") : STR(""))};
    return e->value_set.p && e->value_set_version.p && e->system.p && e->version.p
               ? 0
               : err_no_memory(err);
}

static int add_row(struct implied *list, struct store_txn *txn, struct store *store,
                   uint64_t number, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    struct arena a;
    yyjson_val *root;
    struct row row;
    int r = store_get_row(txn, number, &row, err);

    if (r < 0 || (r = row_json(store, &row, &text, err)) < 0)
        return r;
    arena_init(&a, STORE_BODY_MAX * 4);
    r = js_parse_stored(&a, sb_view(&text), &root, err);
    if (r >= 0)
        r = add(list, root, err);
    arena_done(&a);
    return r;
}

static int read_all(struct terms_scope *s, struct implied *list, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct store *store = terms_store(s);
    struct search_options opt = {.index = *store_index_options(store)};
    struct params *params = store_params(store);
    struct search search;
    struct page page = {0};
    size_t n = 0;
    int r = store_begin(store, terms_who(s), &txn, err);

    if (r >= 0)
        r = search_parse(s->a, params, &opt, def_resource(STR("CodeSystem")), STR(""), &search,
                         err);
    search.total = TOTAL_NONE;
    search.count = SEARCH_COUNT_MAX;
    while (r >= 0) {
        r = store_search(txn, &search, 0, s->a, &page, err);
        for (size_t i = 0; r >= 0 && i < page.n && n++ < IMPLIED_SYSTEMS_MAX; i++)
            r = add_row(list, txn, store, page.rows[i], err);
        if (!page.next.p || n >= IMPLIED_SYSTEMS_MAX)
            break;
        search.cursor = page.next;
    }
    params_unref(params);
    return r;
}

static int by_value_set(const void *a, const void *b)
{
    return str_cmp(((const struct entry *)a)->value_set, ((const struct entry *)b)->value_set);
}

static int make(struct terms_scope *s, void **ret, struct err *err)
{
    _cleanup_(implied_unrefp) struct implied *list =
        fault_point("alloc") ? NULL : calloc(1, sizeof *list);
    uint64_t generation = terms_generation(s->t);
    int r = 0;

    if (!list)
        return err_no_memory(err);
    arena_init(&list->a, IMPLIED_BYTES_MAX);
    atomic_init(&list->refs, 1);
    for (size_t i = 0; r >= 0 && i < s->n_extra; i++)
        if (str_eq(js_get_str(s->extra[i], "resourceType"), STR("CodeSystem")))
            r = add(list, s->extra[i], err);
    if (r < 0 || (r = read_all(s, list, err)) < 0)
        return r;
    if (list->n)
        qsort(list->v, list->n, sizeof *list->v, by_value_set);
    *ret = list;
    list = NULL;
    return terms_kept_put(s, KEPT_IMPLIED, STR("all"), *ret, generation, err);
}

/* ---- asking it ---- */

/* Where the code system's version counts for the value set, a canonical may name either. */
static bool has_version(const struct entry *e, struct str version)
{
    return !version.n || str_eq(e->version, version) || str_eq(e->value_set_version, version);
}

int implied_system(struct terms_scope *s, struct str canonical, struct str *ret,
                   struct str *ret_version, struct err *err)
{
    struct str version, url = canonical_split(canonical, &version);
    const struct entry *best = NULL;
    struct entry key = {.value_set = url}, *found;
    const struct implied *list;
    void *kept;
    int r = terms_kept_get(s, KEPT_IMPLIED, STR("all"), &kept, err);

    if (r == 0)
        r = s->quick ? terms_not_quick(err) : make(s, &kept, err);
    *ret = *ret_version = STR_NULL;
    if (r < 0)
        return r;
    list = kept;
    found = list->n ? bsearch(&key, list->v, list->n, sizeof key, by_value_set) : NULL;
    while (found && found > list->v && str_eq(found[-1].value_set, url))
        found--;
    for (; found && found < list->v + list->n && str_eq(found->value_set, url); found++)
        if (has_version(found, version) &&
            (!best || version_compare(found->version, best->version) > 0))
            best = found;
    if (!best)
        return 0;
    *ret = best->system;
    *ret_version = version.n ? best->version : STR_NULL;
    return 0;
}
