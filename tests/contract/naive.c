/* The rules of matching are the `search` tests' to check; here the keys alone decide, so that the
 * executor is held against a definition that needs no parser: a key in a range matches; in a lossy
 * range only every second key does (by a hash); a range of terms matches the
 * resource's own terms. */
#include "naive.h"

#include "base/clock.h"

/* fhir's filters and groups, as simple as can be: a filter goes by a hash, a group is a first byte.
 */
enum key_answer search_key(const struct key_range *range, struct str key)
{
    uint64_t h = str_hash(key) >> 8;

    if (range->head)
        return h % 3 ? KEY_YES : KEY_NO;
    return h % 3 == 0 ? KEY_NO : h % 3 == 1 ? KEY_YES : KEY_ASK;
}

bool search_key_rule(const struct key_range *range, struct sb *out)
{
    sb_char(out, range->head ? 'h' : '-');
    return true;
}

size_t search_group(const struct key_range *range, struct str key)
{
    (void)range;
    return key.n ? 1 : 0;
}

/* Every second group's range is in two pieces. */
int search_group_ranges(const struct key_range *range, struct str group, struct arena *a,
                        struct key_range **ret, size_t *ret_n, struct err *err)
{
    struct key_range *all = ARENA_ARRAY(a, struct key_range, 2);
    unsigned char first = (unsigned char)group.p[0];
    char *ends = arena_alloc(a, 3);

    *ret = all;
    *ret_n = 0;
    if (!all || !ends)
        return err_no_memory(err);
    if (first % 4 == 3)
        return 0;
    memcpy(ends, (char[]){(char)first, 0x40, (char)(first + 1)}, 3);
    all[0] = *range;
    all[0].groups = false;
    all[0].lo = group;
    all[0].hi = ends[2] ? str_n(ends + 2, 1) : STR_NULL;
    *ret_n = 1 + first % 2;
    if (*ret_n == 1)
        return 0;
    all[1] = all[0];
    all[0].hi = all[1].lo = str_n(ends, 2);
    return 0;
}

static bool filter_takes(const struct key_range *range, struct str key)
{
    enum key_answer answer = range->filtered ? search_key(range, key) : KEY_YES;

    return answer == KEY_ASK ? str_hash(key) >> 4 & 1 : answer == KEY_YES;
}

static bool key_in(const struct index_entry *e, const struct key_range *range)
{
    struct str key = str_n((const char *)e->key, e->key_n);

    if (e->param != range->param || e->shared != range->terms)
        return false;
    if (range->lossy && !range->terms && !(str_hash(key) & 1))
        return false;
    if (range->point)
        return str_eq(key, range->lo) && filter_takes(range, key);
    if (e->head_n != range->head || !str_starts(key, str_head(range->lo, range->head)))
        return false;
    if (range->head && !str_starts(range->hi, str_head(key, range->head)))
        return filter_takes(range, key) && str_cmp(key, range->lo) >= 0;
    if (range->groups && (!key.n || (unsigned char)key.p[0] % 4 == 3))
        return false;
    if (!filter_takes(range, key))
        return false;
    return str_cmp(key, range->lo) >= 0 && (!range->hi.p || str_cmp(key, range->hi) < 0);
}

bool naive_clause(const struct index *index, const struct search_clause *c)
{
    bool in = false;

    for (size_t i = 0; i < c->n_ranges; i++)
        for (size_t j = 0; j < index->n_entries; j++)
            in |= key_in(&index->entries[j], &c->ranges[i]);
    return in != c->negate;
}

static bool in_spans(const struct param *param, const struct index_entry *e)
{
    bool in = false;

    for (size_t i = 0; i < param->n_spans; i++)
        in |= e->param == param->spans[i].list &&
              (!param->spans[i].type || param->spans[i].type == e->key[0]);
    return in;
}

struct str naive_key(const struct index *index, const struct search_sort *sort)
{
    struct str best = STR_NULL;

    for (size_t j = 0; j < index->n_entries; j++) {
        const struct index_entry *e = &index->entries[j];
        struct str key = str_n((const char *)e->key, e->key_n);

        if (e->shared || !in_spans(sort->param, e))
            continue;
        if (!best.p || (str_cmp(key, best) < 0) != sort->descending)
            best = key;
    }
    return best;
}

static int extract(struct arena *a, int type, yyjson_val *root, struct index *ret, struct err *err)
{
    static const struct index_options options = {.pairs = true};
    struct params *params = params_base(err);
    int r = params ? index_extract(a, params, &options, type, root, ret, err) : ERR_NO_MEMORY;

    params_unref(params);
    return r;
}

/* In place of fhir's own. */
int search_match(struct arena *a, const struct search *s, const struct search_clause *c,
                 yyjson_val *root, bool *ret_match, struct err *err)
{
    struct index index;
    int r = extract(a, def_resource(js_get_str(root, "resourceType")), root, &index, err);

    (void)s;
    if (r == 0)
        *ret_match = naive_clause(&index, c);
    return r;
}

int search_sort_key(struct arena *a, const struct search *s, const struct search_sort *sort,
                    yyjson_val *root, struct str *ret, struct err *err)
{
    struct index index;
    int r = extract(a, def_resource(js_get_str(root, "resourceType")), root, &index, err);

    (void)s;
    if (r == 0)
        *ret = naive_key(&index, sort);
    return r;
}

static bool matches_ids(const struct naive_doc *d, const struct search_clause *c)
{
    bool in = false;

    for (size_t i = 0; i < c->n_ids; i++)
        in |= str_eq(c->ids[i], str_c(d->id));
    return in != c->negate;
}

static bool matches_spans(const struct naive_doc *d, const struct search_clause *c)
{
    bool in = false;

    for (size_t i = 0; i < c->n_spans; i++)
        in |= hlc_ms(d->hlc) >= c->spans[i].from_ms && hlc_ms(d->hlc) < c->spans[i].to_ms;
    return in != c->negate;
}

/* The documents' references are written in one way each: "subject" as a member, others (hasMember)
 * as items of a list. */
static bool refers(const struct naive_doc *from, const struct param *param,
                   const struct naive_doc *to)
{
    bool subject =
        str_eq(param->def.code, STR("subject")) || str_eq(param->def.code, STR("patient"));
    char text[200];

    snprintf(text, sizeof text, "%s{\"reference\":\"%s/%s\"}", subject ? "\"subject\":" : ",",
             to->type, to->id);
    return strstr(from->text, text) != NULL;
}

/* What an inner search finds, looked at once for each search outside. */
static struct {
    const struct search *of;
    bool in[ARRAY_LEN(((struct naive *)0)->docs)];
} kept[64];
static size_t n_kept;

static const bool *inner_matches(const struct naive *n, const struct search *s)
{
    size_t at;

    for (size_t i = 0; i < n_kept; i++)
        if (kept[i].of == s)
            return kept[i].in;
    assert_true(n_kept < ARRAY_LEN(kept));
    at = n_kept++;
    kept[at].of = s;
    for (size_t i = 0; i < n->n; i++)
        kept[at].in[i] = naive_matches(n, &n->docs[i], s);
    return kept[at].in;
}

static bool leads(const struct naive *n, const struct naive_doc *d, const struct search_clause *c)
{
    bool has = c->kind == CLAUSE_HAS;

    for (size_t i = 0; i < c->n_inner; i++) {
        const bool *in = inner_matches(n, &c->inner[i]);

        for (size_t j = 0; j < n->n * c->n_links; j++) {
            const struct param *link = c->links[j / n->n];
            const struct naive_doc *other = &n->docs[j % n->n];
            const struct naive_doc *from = has ? other : d, *to = has ? d : other;

            if (in[j % n->n] && link->def.type == def_resource(str_c(from->type)) &&
                refers(from, link, to))
                return true;
        }
    }
    return false;
}

static bool naive_one(const struct naive *n, const struct naive_doc *d,
                      const struct search_clause *c)
{
    bool in = c->kind == CLAUSE_ALL;

    switch (c->kind) {
    case CLAUSE_KEYS: return naive_clause(&d->index, c);
    case CLAUSE_ID: return matches_ids(d, c);
    case CLAUSE_UPDATED: return matches_spans(d, c);
    case CLAUSE_ALL:
        for (size_t i = 0; i < c->n_subs; i++)
            in &= naive_one(n, d, &c->subs[i]);
        break;
    case CLAUSE_ANY:
        for (size_t i = 0; i < c->n_subs; i++)
            in |= naive_one(n, d, &c->subs[i]);
        break;
    case CLAUSE_CHAIN:
    case CLAUSE_HAS: in = leads(n, d, c); break;
    case CLAUSE_NONE: break;
    }
    return in != c->negate;
}

bool naive_matches(const struct naive *n, const struct naive_doc *d, const struct search *s)
{
    int type = def_resource(str_c(d->type));
    bool in = s->type ? s->type == type : s->n_types == 0;

    for (size_t i = 0; i < s->n_types; i++)
        in |= s->types[i] == type;
    in &= d->live;
    for (size_t i = 0; i < s->n_clauses && in; i++)
        in = naive_one(n, d, &s->clauses[i]);
    return in;
}

struct by {
    const struct naive *n;
    const struct search *s;
};

static int doc_cmp(const void *x, const void *y, void *ctx)
{
    const struct by *by = ctx;
    const struct naive_doc *a = &by->n->docs[*(const size_t *)x];
    const struct naive_doc *b = &by->n->docs[*(const size_t *)y];

    for (size_t i = 0; i < by->s->n_sort; i++) {
        const struct search_sort *sort = &by->s->sort[i];
        unsigned char ka[100], kb[100];
        struct str p, q;
        int c;

        if (sort->param) {
            p = naive_key(&a->index, sort);
            q = naive_key(&b->index, sort);
        } else if (sort->by_id) {
            p = str_n((char *)ka, index_id_key(str_c(a->id), ka));
            q = str_n((char *)kb, index_id_key(str_c(b->id), kb));
        } else {
            return (a->row < b->row) == sort->descending ? 1 : -1;
        }
        if (!p.p || !q.p) {
            if (!p.p != !q.p)
                return p.p ? -1 : 1;
            continue;
        }
        c = str_cmp(p, q);
        if (c)
            return sort->descending ? -c : c;
    }
    return (a->row < b->row) == (by->s->n_sort && by->s->sort[0].descending) ? 1 : -1;
}

size_t naive_search(const struct naive *n, const struct search *s, size_t *ret)
{
    struct by by = {n, s};
    size_t found = 0;

    n_kept = 0;
    for (size_t i = 0; i < n->n; i++)
        if (naive_matches(n, &n->docs[i], s))
            ret[found++] = i;
    qsort_r(ret, found, sizeof *ret, doc_cmp, &by);
    return found;
}
