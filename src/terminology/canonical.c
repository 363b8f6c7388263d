#include "terminology/canonical.h"

#include <stdio.h>

#define QUERY_MAX KIB(8)

struct str canonical_split(struct str canonical, struct str *ret_version)
{
    ptrdiff_t bar = str_find(canonical, '|');

    *ret_version = bar < 0 ? STR_NULL : str_from(canonical, (size_t)bar + 1);
    return bar < 0 ? canonical : str_head(canonical, (size_t)bar);
}

bool version_matches(struct str wanted, struct str version)
{
    struct str w, v;

    if (str_eq(wanted, version) || !wanted.n)
        return true;
    while (wanted.p && str_split(&wanted, '.', &w)) {
        if (!version.p || !str_split(&version, '.', &v))
            return false;
        if (!str_eq(w, v) && !str_eq_nocase(w, STR("x")) && !str_eq(w, STR("*")))
            return false;
    }
    return true;
}

static bool is_numbers(struct str s, char between)
{
    if (!s.n)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < '0' || s.p[i] > '9') && s.p[i] != between)
            return false;
    return true;
}

static int compare_numbers(struct str a, struct str b, char between)
{
    struct str x, y;
    bool more_a, more_b;

    for (;;) {
        uint64_t u = 0, v = 0;
        more_a = a.p && str_split(&a, between, &x);
        more_b = b.p && str_split(&b, between, &y);
        if (!more_a || !more_b)
            return more_a - more_b;
        str_to_u64(x, UINT64_MAX, &u);
        str_to_u64(y, UINT64_MAX, &v);
        if (u != v)
            return u > v ? 1 : -1;
    }
}

int version_compare(struct str a, struct str b)
{
    static const char betweens[] = {'.', '-'};

    if (str_eq(a, b))
        return 0;
    if (!a.n || !b.n)
        return a.n ? 1 : -1;
    for (size_t i = 0; i < ARRAY_LEN(betweens); i++)
        if (is_numbers(a, betweens[i]) && is_numbers(b, betweens[i]))
            return compare_numbers(a, b, betweens[i]);
    return 2;
}

/* url=… with what search gives a meaning escaped. */
static struct str make_query(struct arena *a, struct str url)
{
    _cleanup_(sb_done) struct sb plain = sb_make(QUERY_MAX);
    _cleanup_(sb_done) struct sb query = sb_make(4 * QUERY_MAX);

    for (size_t i = 0; i < url.n; i++) {
        if (strchr("\\,$|", url.p[i]))
            sb_char(&plain, '\\');
        sb_char(&plain, url.p[i]);
    }
    sb_lit(&query, "url=");
    sb_uri(&query, sb_view(&plain));
    return plain.failed || query.failed ? STR_NULL : arena_dup(a, sb_view(&query));
}

static int read_row(struct store_txn *txn, struct store *store, struct arena *a, uint64_t number,
                    yyjson_val **ret, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    struct row row;
    int r = store_get_row(txn, number, &row, err);

    if (r < 0 || (r = row_json(store, &row, &text, err)) < 0)
        return r;
    return js_parse_stored(a, sb_view(&text), ret, err);
}

static int pick(struct store_txn *txn, struct store *store, struct arena *a,
                const struct page *page, struct str url, struct str version, yyjson_val **ret,
                struct err *err)
{
    uint64_t best_row = 0;
    yyjson_val *v;

    for (size_t i = 0; i < page->n; i++) {
        struct str has;
        int order, r = read_row(txn, store, a, page->rows[i], &v, err);
        if (r < 0)
            return r;
        has = js_get_str(v, "version");
        if (!str_eq(js_get_str(v, "url"), url) || (version.n && !version_matches(version, has)))
            continue;
        if (version.n && str_eq(has, version)) {
            *ret = v;
            return 0;
        }
        order = *ret ? version_compare(has, js_get_str(*ret, "version")) : 1;
        if (order == 1 || ((order == 0 || order == 2) && page->rows[i] > best_row)) {
            *ret = v;
            best_row = page->rows[i];
        }
    }
    return 0;
}

/* The rows of a type with a url; none where no such URL can have been stored. */
static int rows_of(struct store_txn *txn, struct store *store, struct arena *a, int type,
                   struct str url, struct page *ret, struct err *err)
{
    struct search_options opt = {.index = *store_index_options(store)};
    struct params *params;
    struct str query;
    struct search s;
    int r = 0;

    *ret = (struct page){0};
    /* Longer than a search may be: no such URL was ever stored. */
    if (!url.n || url.n >= SEARCH_VALUE_BYTES_MAX / 2)
        return 0;
    query = make_query(a, url);
    if (!query.p)
        return err_no_memory(err);
    params = store_params(store);
    if (param_find(params, type, STR("url"))) {
        r = search_parse(a, params, &opt, type, query, &s, err);
        s.total = TOTAL_NONE;
        s.count = CANONICAL_VERSIONS_MAX;
        if (r >= 0)
            r = store_search(txn, &s, 0, a, ret, err);
    }
    params_unref(params);
    return r;
}

static int find_of_type(struct store_txn *txn, struct store *store, struct arena *a, int type,
                        struct str canonical, yyjson_val **ret, struct err *err)
{
    struct str version, url = canonical_split(canonical, &version);
    struct page page;
    int r = rows_of(txn, store, a, type, url, &page, err);

    return r < 0 ? r : pick(txn, store, a, &page, url, version, ret, err);
}

int canonical_find(struct store_txn *txn, struct store *store, struct arena *a, int type,
                   struct str canonical, yyjson_val **ret, struct err *err)
{
    /* What is asked for most, first. */
    static const struct str first[] = {STR("StructureDefinition"), STR("ValueSet"),
                                       STR("CodeSystem"), STR("ConceptMap")};
    yyjson_val *found = NULL;
    int r = 0;

    if (type) {
        r = find_of_type(txn, store, a, type, canonical, &found, err);
    } else {
        for (size_t i = 0; r >= 0 && !found && i < ARRAY_LEN(first); i++)
            r = find_of_type(txn, store, a, def_resource(first[i]), canonical, &found, err);
        for (int t = 1; r >= 0 && !found && t <= DEF_RESOURCE_MAX; t++)
            r = find_of_type(txn, store, a, t, canonical, &found, err);
    }
    if (r >= 0)
        *ret = found;
    return r < 0 ? r : 0;
}

int canonical_get(struct store *store, const struct access *who, struct arena *a, int type,
                  struct str canonical, yyjson_val **ret, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    int r = store_begin(store, who, &txn, err);

    return r < 0 ? r : canonical_find(txn, store, a, type, canonical, ret, err);
}

int canonical_versions(struct store *store, const struct access *who, struct arena *a, int type,
                       struct str url, struct str *ret, size_t *ret_n, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct page page;
    yyjson_val *v;
    int r = store_begin(store, who, &txn, err);

    *ret_n = 0;
    if (r < 0 || (r = rows_of(txn, store, a, type, url, &page, err)) < 0)
        return r;
    for (size_t i = 0; i < page.n && *ret_n < CANONICAL_VERSIONS_MAX; i++) {
        if ((r = read_row(txn, store, a, page.rows[i], &v, err)) < 0)
            return r;
        if (str_eq(js_get_str(v, "url"), url) && js_get_str(v, "version").n)
            ret[(*ret_n)++] = js_get_str(v, "version");
    }
    return 0;
}
