/* search.c - a query string, a line feed, and the resource that it is matched with: the first byte
 * of the query chooses the type. */
#include "fhir/search.h"
#include "fhir/validate.h"
#include "fuzz.h"

#include <string.h>

#define ARENA_MAX MIB(64)

static struct params *params;

static bool keys_hold(const struct index *ix, const struct search_clause *c)
{
    for (size_t r = 0; r < c->n_ranges; r++) {
        const struct key_range *k = &c->ranges[r];

        if (k->terms || k->groups || k->lossy)
            return true;
        for (size_t i = 0; i < ix->n_entries; i++) {
            struct str key = str_n((const char *)ix->entries[i].key, ix->entries[i].key_n);

            if (ix->entries[i].param == k->param && str_cmp(k->lo, key) <= 0 &&
                (!k->hi.p || str_cmp(key, k->hi) < 0) &&
                (!k->filtered || search_key(k, key) != KEY_NO))
                return true;
        }
    }
    return false;
}

/* The index narrows and the body decides: no clause may lose a resource that matches it. */
static void match(struct arena *a, const struct search *s, const struct index_options *options,
                  yyjson_val *root)
{
    struct issues issues;
    struct index ix;
    struct err err = {0};
    int type;

    issues_init(&issues, a);
    type = fhir_validate(root, &issues, &err);
    if (type <= 0 || issues.n_errors || type != s->type)
        return;
    if (index_extract(a, params, options, type, root, &ix, &err) < 0)
        return;
    for (size_t i = 0; i < s->n_clauses; i++) {
        const struct search_clause *c = &s->clauses[i];
        bool is_match = false;

        if (c->kind != CLAUSE_KEYS || !c->values ||
            search_match(a, s, c, root, &is_match, &err) < 0)
            continue;
        if (is_match && !c->negate)
            FUZZ_HOLDS(keys_hold(&ix, c));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const types[] = {"Patient",  "Observation", "Condition", "Bundle",
                                        "ValueSet", "Encounter",   "Location",  ""};
    const char *text = (const char *)data, *cut = n ? memchr(text, '\n', n) : NULL;
    struct str query = cut ? str_n(text, (size_t)(cut - text)) : str_n(text, n);
    struct str body = cut ? str_n(cut + 1, n - query.n - 1) : STR("{}");
    struct search_options options = {.now_ms = 1700000000000,
                                     .index = {.extras = true, .content = true, .pairs = true}};
    struct search s;
    struct arena a;
    yyjson_val *root;
    struct err err = {0};
    const char *type = query.n ? types[(unsigned char)query.p[0] % ARRAY_LEN(types)] : "";
    int number = type[0] ? def_resource(str_c(type)) : 0;

    if (!params)
        params = params_base(&err);
    FUZZ_HOLDS(params);
    arena_init(&a, ARENA_MAX);
    query = query.n ? str_n(query.p + 1, query.n - 1) : query;
    if (search_parse(&a, params, &options, number, query, &s, &err) < 0)
        FUZZ_HOLDS(err.code < 0 && err.text[0]);
    else if (js_parse(&a, body, &root, &err) == 0)
        match(&a, &s, &options.index, root);
    arena_done(&a);
    return 0;
}
