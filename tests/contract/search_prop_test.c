/* Random stores, random searches: every page of every search holds what a naive look finds. */
#include "naive.h"

#include "base/clock.h"
#include "base/rng.h"
#include "store/search/search_int.h"

#define DOC_IDS 90
#define TEXT_MAX 1500
#define NESTING 3

struct prop {
    struct world w;
    struct naive n;
    struct rng rng;
    struct params *params;
};

static size_t below(struct prop *p, size_t n)
{
    return rng_below(&p->rng, n);
}

static bool chance(struct prop *p, unsigned percent)
{
    return below(p, 100) < percent;
}

static void put_ref(struct prop *p, struct sb *out, const char *name, const char *type,
                    unsigned percent)
{
    if (!chance(p, percent))
        return;
    if (chance(p, 50))
        sb_fmt(out, ",\"%s\":{\"reference\":\"%s/x%zu\"}", name, type, below(p, DOC_IDS));
    else
        sb_fmt(out, ",\"%s\":{\"reference\":\"%s/00000000-0000-7000-8000-0000000000%02zu\"}", name,
               type, below(p, DOC_IDS));
}

static void put_item(struct prop *p, struct sb *out)
{
    if (chance(p, 50))
        sb_fmt(out, ",{\"reference\":\"Observation/x%zu\"}", below(p, DOC_IDS));
    else
        sb_fmt(out, ",{\"reference\":\"Observation/00000000-0000-7000-8000-0000000000%02zu\"}",
               below(p, DOC_IDS));
}

static void observation(struct prop *p, struct sb *out)
{
    static const char *const codes[] = {"8480-6", "8462-4", "8302-2", "29463-7"};
    static const char *const units[] = {"mm[Hg]", "cm", "kg"};

    sb_lit(out, "{\"resourceType\":\"Observation\",\"status\":\"");
    sb_str(out, str_c(chance(p, 80) ? "final" : "amended"));
    sb_fmt(out, "\",\"code\":{\"text\":\"t%zu\",\"coding\":[", below(p, 3));
    for (size_t i = 0, n = 1 + below(p, 2); i < n; i++)
        sb_fmt(out, "%s{\"system\":\"http://loinc.org\",\"code\":\"%s\",\"display\":\"d %zu\"}",
               i ? "," : "", codes[below(p, 1 + below(p, 4))], below(p, 4));
    sb_lit(out, "]}");
    put_ref(p, out, "subject", "Patient", 80);
    put_ref(p, out, "specimen", "Specimen", 20);
    if (chance(p, 40)) {
        sb_lit(out, ",\"hasMember\":[{\"display\":\"none\"}");
        for (size_t i = 0, n = 1 + below(p, 3); i < n; i++)
            put_item(p, out);
        sb_char(out, ']');
    }
    if (chance(p, 70))
        sb_fmt(out, ",\"effectiveDateTime\":\"20%02zu-0%zu-1%zu\"", 10 + below(p, 4),
               1 + below(p, 9), below(p, 9));
    else if (chance(p, 50))
        sb_fmt(out, ",\"effectivePeriod\":{\"start\":\"201%zu\"}", below(p, 9));
    if (chance(p, 60))
        sb_fmt(out, ",\"valueQuantity\":{\"value\":%zu.%zu,\"unit\":\"%s\"}", below(p, 50),
               below(p, 10), units[below(p, 3)]);
    sb_fmt(out, ",\"identifier\":[{\"value\":\"i%zu\"}", below(p, 40));
    for (size_t i = 0, n = below(p, 3); i < n; i++)
        sb_fmt(out, ",{\"system\":\"urn:x\",\"value\":\"i%zu\"}", below(p, 40));
    sb_lit(out, "]}");
    *sb_room(out, 1) = '\0';
}

static void patient(struct prop *p, struct sb *out)
{
    static const char *const names[] = {"Ada", "Bola", "Cho", "Dara", "Esi", "Fen"};

    sb_lit(out, "{\"resourceType\":\"Patient\",\"name\":[");
    for (size_t i = 0, n = 1 + below(p, 3); i < n; i++)
        sb_fmt(out, "%s{\"family\":\"%s\",\"given\":[\"%s\"]}", i ? "," : "", names[below(p, 6)],
               names[below(p, 6)]);
    sb_lit(out, "]");
    if (chance(p, 70))
        sb_fmt(out, ",\"birthDate\":\"19%02zu\"", below(p, 30));
    sb_fmt(out, ",\"gender\":\"%s\"}", chance(p, 70) ? "female" : "male");
    *sb_room(out, 1) = '\0';
}

/* Several changes in one job. */
struct batch {
    struct store_job job;
    struct put puts[8];
    struct version versions[8];
    size_t n;
    bool fails;
};

static int run_batch(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct batch *b = (struct batch *)job;
    int r = 0;

    for (size_t i = 0; i < b->n && r == 0; i++)
        r = store_put(txn, &b->puts[i], &b->versions[i], err);
    return r == 0 && b->fails ? err_set(err, ERR_STALE, "on purpose") : r;
}

static struct naive_doc *doc_of(struct naive *n, const char *type, const char *id)
{
    for (size_t i = 0; i < n->n; i++)
        if (!strcmp(n->docs[i].type, type) && !strcmp(n->docs[i].id, id))
            return &n->docs[i];
    assert_true(n->n < ARRAY_LEN(n->docs));
    n->docs[n->n] = (struct naive_doc){.type = type, .id = arena_dup(&n->a, str_c(id)).p};
    return &n->docs[n->n++];
}

static void change(struct prop *p)
{
    struct batch b = {.job = {.run = run_batch, .who = &p->w.who}, .fails = chance(p, 10)};
    struct naive_doc *docs[8];
    const char *texts[8];
    struct err err = {0};
    struct store_txn *txn;
    uint64_t row;
    int r;

    for (b.n = 0; b.n < 1 + below(p, 8); b.n++) {
        _cleanup_(sb_done) struct sb text = sb_make(TEXT_MAX);
        const char *type = chance(p, 70) ? "Observation" : "Patient";
        bool is_delete = chance(p, 10);
        char id[40];

        if (chance(p, 50))
            snprintf(id, sizeof id, "x%zu", below(p, DOC_IDS));
        else
            snprintf(id, sizeof id, "00000000-0000-7000-8000-0000000000%02zu", below(p, DOC_IDS));
        if (type[0] == 'O')
            observation(p, &text);
        else
            patient(p, &text);
        r = make_put(p->w.st, &p->n.a, type, id, is_delete ? NULL : text.p, &b.puts[b.n], &err);
        if (r < 0)
            fail_msg("%s: %s", err.text, text.p);
        docs[b.n] = doc_of(&p->n, type, id);
        texts[b.n] = arena_dup(&p->n.a, str_c(text.p)).p;
    }
    r = store_write(p->w.st, &b.job, &err);
    if (r != (b.fails ? ERR_STALE : 0))
        fail_msg("write: %s %s", err.text, err.detail);
    if (b.fails)
        return;
    txn = world_begin(&p->w);
    row = store_position(txn) - b.n;
    store_end(txn);
    for (size_t i = 0; i < b.n; i++) {
        docs[i]->text = texts[i];
        docs[i]->live = b.puts[i].method != METHOD_DELETE;
        docs[i]->row = ++row;
        docs[i]->hlc = b.versions[i].hlc;
        if (docs[i]->live)
            docs[i]->index = *b.puts[i].index;
    }
}

static const struct naive_doc *some_doc(struct prop *p, const char *type)
{
    for (int i = 0; i < 1000; i++) {
        const struct naive_doc *d = &p->n.docs[below(p, p->n.n)];
        if (d->live && (!type || !strcmp(d->type, type)))
            return d;
    }
    fail_msg("no document");
    return NULL;
}

/* From one key to another of its head, or to the head's end, which may be said in two ways. */
static struct key_range some_range_in_blocks(struct prop *p, const struct index_entry *e,
                                             const struct naive_doc *other, struct key_range range)
{
    range.head = e->head_n;
    if (chance(p, 30))
        range.lo = str_head(range.lo, e->head_n);
    if (chance(p, 30))
        range.hi = STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    for (size_t i = 0; i < other->index.n_entries; i++) {
        const struct index_entry *end = &other->index.entries[i];
        struct str key = str_n((const char *)end->key, end->key_n);

        if (end->param == e->param && end->head_n == e->head_n && str_cmp(key, range.lo) > 0 &&
            memcmp(end->key, e->key, e->head_n) == 0)
            range.hi = key;
    }
    return range;
}

static struct key_range some_range(struct prop *p, const char *type)
{
    struct key_range range = {0};

    for (int i = 0; i < 10000; i++) {
        const struct naive_doc *d = some_doc(p, type), *other = some_doc(p, type);
        const struct index_entry *e = &d->index.entries[below(p, d->index.n_entries)];
        struct str key = str_n((const char *)e->key, e->key_n), end;

        if (e->param >= INDEX_PARAM_TYPE && !(chance(p, 20) && e->key_n))
            continue;
        range = (struct key_range){.param = e->param,
                                   .lo = key,
                                   .terms = e->shared,
                                   .lossy = e->shared || chance(p, 15),
                                   .filtered = !e->shared && chance(p, 20)};
        if (e->head_n)
            return some_range_in_blocks(p, e, other, range);
        if (!e->shared && chance(p, 60)) {
            range.point = true;
            return range;
        }
        if (chance(p, 10)) {
            range.lo = STR("");
            range.groups = !e->shared && chance(p, 60);
            return range;
        }
        if (chance(p, 20))
            return range;
        e = &other->index.entries[below(p, other->index.n_entries)];
        end = str_n((const char *)e->key, e->key_n);
        if (e->param != range.param || e->shared != range.terms || str_cmp(end, key) <= 0)
            continue;
        range.hi = end;
        return range;
    }
    fail_msg("no range");
    return range;
}

static void some_clause(struct prop *p, struct arena *a, const char *type, unsigned depth,
                        struct search_clause *c);

static void some_subs(struct prop *p, struct arena *a, const char *type, unsigned depth,
                      struct search_clause *c)
{
    c->kind = chance(p, 50) ? CLAUSE_ALL : CLAUSE_ANY;
    c->n_subs = 1 + below(p, 3);
    c->subs = ARENA_ARRAY(a, struct search_clause, c->n_subs);
    for (size_t i = 0; i < c->n_subs; i++)
        some_clause(p, a, type, depth + 1, &c->subs[i]);
}

/* Observations lead to Patients and Observations, both are led to from Observations. */
static void some_link(struct prop *p, struct arena *a, const char *type, unsigned depth,
                      struct search_clause *c)
{
    bool has = chance(p, 50) || type[0] == 'P';
    bool patient = has ? type[0] == 'P' : chance(p, 60);
    const char *inner = has || !patient ? "Observation" : "Patient";

    c->kind = has ? CLAUSE_HAS : CLAUSE_CHAIN;
    c->n_inner = c->n_links = 1;
    c->inner = ARENA_ARRAY(a, struct search, 1);
    c->links = ARENA_ARRAY(a, const struct param *, 1);
    c->links[0] =
        param_find(p->params, type_of("Observation"),
                   patient ? chance(p, 50) ? STR("subject") : STR("patient") : STR("has-member"));
    assert_non_null(c->links[0]);
    c->inner[0] = (struct search){.type = type_of(inner), .n_clauses = 1 + below(p, 2)};
    c->inner[0].clauses = ARENA_ARRAY(a, struct search_clause, 2);
    for (size_t i = 0; i < c->inner[0].n_clauses; i++)
        some_clause(p, a, inner, depth + 1, &c->inner[0].clauses[i]);
}

static void some_clause(struct prop *p, struct arena *a, const char *type, unsigned depth,
                        struct search_clause *c)
{
    *c = (struct search_clause){.kind = CLAUSE_KEYS, .negate = chance(p, 25)};
    if (depth < NESTING && chance(p, 15)) {
        some_subs(p, a, type, depth, c);
        return;
    }
    if (depth < NESTING && type && chance(p, 25)) {
        some_link(p, a, type, depth, c);
        return;
    }
    if (chance(p, 8)) {
        c->kind = CLAUSE_ID;
        c->n_ids = 1 + below(p, 5);
        c->ids = ARENA_ARRAY(a, struct str, c->n_ids);
        for (size_t i = 0; i < c->n_ids; i++)
            c->ids[i] = str_c(some_doc(p, NULL)->id);
        return;
    }
    if (chance(p, 10)) {
        c->kind = CLAUSE_UPDATED;
        c->n_spans = 1 + below(p, 2);
        c->spans = ARENA_ARRAY(a, struct time_span, c->n_spans);
        for (size_t i = 0; i < c->n_spans; i++) {
            int64_t x = hlc_ms(some_doc(p, NULL)->hlc), y = hlc_ms(some_doc(p, NULL)->hlc);
            c->spans[i] = (struct time_span){MIN(x, y), MAX(x, y) + 1};
        }
        return;
    }
    if (chance(p, 2)) {
        c->kind = CLAUSE_NONE;
        c->negate = false;
        return;
    }
    c->n_ranges = 1 + below(p, 3);
    if (chance(p, 5))
        c->n_ranges = 12;
    c->ranges = ARENA_ARRAY(a, struct key_range, c->n_ranges);
    for (size_t i = 0; i < c->n_ranges; i++)
        c->ranges[i] = some_range(p, type);
}

static void some_sort(struct prop *p, struct search *s, const char *type)
{
    static const char *const of_observation[] = {"date", "code", "identifier", "value-quantity"};
    static const char *const of_patient[] = {"birthdate", "family", "given", "gender"};

    s->n_sort = 1 + (chance(p, 40) ? below(p, 3) : 0);
    for (size_t i = 0; i < s->n_sort; i++) {
        struct search_sort *sort = &s->sort[i];

        sort->descending = chance(p, 50);
        if (!type || chance(p, 15)) {
            sort->by_id = chance(p, 50) && type;
            continue;
        }
        sort->param =
            param_find(p->params, type_of(type),
                       str_c((type[0] == 'O' ? of_observation : of_patient)[below(p, 4)]));
        assert_non_null(sort->param);
    }
}

static void some_search(struct prop *p, struct arena *a, struct search *s)
{
    const char *type = chance(p, 70) ? "Observation" : chance(p, 70) ? "Patient" : NULL;

    *s = (struct search){.type = type ? type_of(type) : 0, .count = 1 + below(p, 12)};
    if (!type && chance(p, 60)) {
        s->types = ARENA_ARRAY(a, int, 2);
        s->types[s->n_types++] = type_of("Patient");
        if (chance(p, 50))
            s->types[s->n_types++] = type_of("Observation");
    }
    s->n_clauses = below(p, 4);
    s->clauses = ARENA_ARRAY(a, struct search_clause, s->n_clauses + 1);
    for (size_t i = 0; i < s->n_clauses; i++)
        some_clause(p, a, type, 0, &s->clauses[i]);
    if (chance(p, 50))
        some_sort(p, s, type);
    s->total = chance(p, 30) ? TOTAL_ACCURATE : chance(p, 20) ? TOTAL_NONE : TOTAL_DEFAULT;
}

static void describe(const struct search *s)
{
    print_message("type %d, %zu types, count %zu, total %d\n", s->type, s->n_types, s->count,
                  (int)s->total);
    for (size_t i = 0; i < s->n_clauses; i++) {
        const struct search_clause *c = &s->clauses[i];
        print_message("  clause kind %d%s\n", (int)c->kind, c->negate ? " not" : "");
        for (size_t j = 0; j < c->n_ranges; j++)
            print_message("    param %#x%s%s%s lo %zu hi %zu\n", c->ranges[j].param,
                          c->ranges[j].point ? " point" : "", c->ranges[j].lossy ? " lossy" : "",
                          c->ranges[j].terms ? " terms" : "", c->ranges[j].lo.n, c->ranges[j].hi.n);
    }
    for (size_t i = 0; i < s->n_sort; i++)
        print_message("  sort %s%s\n", s->sort[i].descending ? "-" : "",
                      s->sort[i].param   ? s->sort[i].param->def.code.p
                      : s->sort[i].by_id ? "_id"
                                         : "_lastUpdated");
}

static int page_of(struct prop *p, struct search *s, struct arena *a, struct page *ret,
                   struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = world_begin(&p->w);

    return store_search(txn, s, 0, a, ret, err);
}

/* Whether the pages of a search may be filled from what a _has leads to, in no order. */
static bool has_order(const struct search *s)
{
    bool has = false;

    for (size_t i = 0; i < s->n_clauses; i++)
        has |= s->clauses[i].kind == CLAUSE_HAS && !s->clauses[i].negate;
    return !has || s->n_sort || s->total == TOTAL_ACCURATE;
}

static int row_cmp(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void check_rows(struct prop *p, const struct search *s, uint64_t *rows, const size_t *want,
                       size_t n)
{
    if (!has_order(s))
        qsort(rows, n, sizeof *rows, row_cmp);
    for (size_t i = 0; i < n; i++)
        if (p->n.docs[want[i]].row != rows[i]) {
            describe(s);
            fail_msg("result %zu of %zu is row %llu, want %llu", i, n, (unsigned long long)rows[i],
                     (unsigned long long)p->n.docs[want[i]].row);
        }
}

/* All pages of a search, without writes in between. */
static void check_search(struct prop *p, struct search *s, struct arena *a)
{
    size_t *want = ARENA_ARRAY(a, size_t, p->n.n), n_want = naive_search(&p->n, s, want), at = 0;
    uint64_t *rows = ARENA_ARRAY(a, uint64_t, n_want + 1);
    struct page page;
    struct err err = {0};
    bool first = true;

    do {
        if (page_of(p, s, a, &page, &err) < 0) {
            describe(s);
            fail_msg("search: %s %s", err.text, err.detail);
        }
        if (page.n > n_want - at) {
            describe(s);
            fail_msg("more than %zu results", n_want);
        }
        for (size_t i = 0; i < page.n; i++)
            rows[at++] = page.rows[i];
        if ((page.total >= 0 && page.total != (int64_t)n_want) ||
            (page.total < 0 && first && s->total == TOTAL_ACCURATE)) {
            describe(s);
            fail_msg("total %lld, want %zu", (long long)page.total, n_want);
        }
        if (page.next.p && page.n != s->count) {
            describe(s);
            fail_msg("a page of %zu with a next one", page.n);
        }
        first = false;
        s->cursor = page.next;
    } while (page.next.p);
    if (at != n_want) {
        describe(s);
        fail_msg("found %zu of %zu", at, n_want);
    }
    check_rows(p, s, rows, want, n_want);
    s->count = 0;
    s->cursor = STR_NULL;
    if (page_of(p, s, a, &page, &err) < 0 || page.total != (int64_t)n_want || page.n)
        fail_msg("count %lld, want %zu %s", (long long)page.total, n_want, err.text);
}

/* Whether a clause asks about other resources, which writes between two pages may change. */
static bool has_links(const struct search_clause *c, size_t n)
{
    bool has = false;

    for (size_t i = 0; i < n; i++)
        has |= c[i].kind == CLAUSE_CHAIN || c[i].kind == CLAUSE_HAS ||
               has_links(c[i].subs, c[i].n_subs);
    return has;
}

/* With writes between the pages, which may change what is led through: nothing is there twice. */
static void check_once(struct prop *p, struct search *s, struct arena *a)
{
    uint64_t *seen = ARENA_ARRAY(a, uint64_t, 4096);
    struct page page;
    struct err err = {0};
    size_t n = 0;

    do {
        if (page_of(p, s, a, &page, &err) < 0)
            fail_msg("search: %s %s", err.text, err.detail);
        for (size_t i = 0; i < page.n; i++) {
            for (size_t j = 0; j < n; j++)
                assert_true(seen[j] != page.rows[i]);
            assert_true(n < 4096);
            seen[n++] = page.rows[i];
        }
        s->cursor = page.next;
        change(p);
    } while (page.next.p);
}

/* With writes between the pages: what did not change is there exactly once, in order. */
static void check_moving(struct prop *p, struct search *s, struct arena *a)
{
    size_t *want = ARENA_ARRAY(a, size_t, p->n.n), n_want = naive_search(&p->n, s, want), n = 0;
    uint64_t *rows = ARENA_ARRAY(a, uint64_t, n_want), *seen = ARENA_ARRAY(a, uint64_t, 4096);
    struct page page;
    struct err err = {0};

    for (size_t i = 0; i < n_want; i++)
        rows[i] = p->n.docs[want[i]].row;
    do {
        if (page_of(p, s, a, &page, &err) < 0)
            fail_msg("search: %s %s", err.text, err.detail);
        for (size_t i = 0; i < page.n; i++) {
            for (size_t j = 0; j < n; j++)
                assert_true(seen[j] != page.rows[i]);
            assert_true(n < 4096);
            seen[n++] = page.rows[i];
        }
        s->cursor = page.next;
        change(p);
    } while (page.next.p);
    for (size_t i = 0, at = 0; i < n_want; i++) {
        if (p->n.docs[want[i]].row != rows[i] || !p->n.docs[want[i]].live)
            continue;
        while (at < n && seen[at] != rows[i])
            at++;
        if (at == n) {
            describe(s);
            fail_msg("row %llu is missing or out of order", (unsigned long long)rows[i]);
        }
    }
}

static void run_seed(uint64_t seed, int rounds)
{
    struct prop *p = calloc(1, sizeof *p);
    struct err err;

    rng_seed(&p->rng, seed);
    world_open(&p->w);
    arena_init(&p->n.a, MIB(512));
    p->params = params_base(&err);
    assert_non_null(p->params);
    for (int i = 0; i < 60; i++)
        change(p);
    for (int i = 0; i < rounds; i++) {
        struct search s;
        struct arena a;

        arena_init(&a, MIB(64));
        some_search(p, &a, &s);
        if (chance(p, 80))
            check_search(p, &s, &a);
        else if (has_links(s.clauses, s.n_clauses))
            check_once(p, &s, &a);
        else
            check_moving(p, &s, &a);
        if (chance(p, 30))
            change(p);
        if (chance(p, 1))
            world_reopen(&p->w);
        arena_done(&a);
    }
    world_check(&p->w);
    params_unref(p->params);
    arena_done(&p->n.a);
    world_done(&p->w);
    free(p);
}

/* CARNET_ROUNDS=400 for a long look. */
static int rounds(void)
{
    const char *n = getenv("CARNET_ROUNDS");

    return n ? (int)strtol(n, NULL, 10) : 25;
}

static void default_limits(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        run_seed(seed, rounds());
}

/* Little data walks the ways of much data. */
static void low_limits(void **state)
{
    struct search_limits was = search_limits;

    (void)state;
    search_limits = (struct search_limits){.race_first = 2,
                                           .race_max = 8,
                                           .terms = 3,
                                           .ranges = 4,
                                           .total_cost = 60,
                                           .walk_try = 12,
                                           .collect = 40,
                                           .sort_rows = 10,
                                           .run = 1000,
                                           .set_array = 5,
                                           .turn_after = 10,
                                           .turn_match = 30,
                                           .gather = 1000,
                                           .bodies = {2, 6, 12},
                                           .reads = {4, 20, 0}};
    block_bits = 3;
    for (uint64_t seed = 11; seed <= 14; seed++)
        run_seed(seed, rounds());
    search_limits.sort_rows = 0;
    search_limits.collect = 1000;
    search_limits.walk_try = 3;
    run_seed(20, rounds());
    search_limits.race_max = 0;
    run_seed(21, rounds());
    search_limits = was;
    block_bits = BLOCK_BITS;
}

/* However a search is written: past its deadline it ends, and says so. */
static void deadline_ends_a_search(void **state)
{
    struct prop *p = calloc(1, sizeof *p);
    struct err err = {0};
    int costly = 0;

    (void)state;
    rng_seed(&p->rng, 5);
    world_open(&p->w);
    arena_init(&p->n.a, MIB(64));
    p->params = params_base(&err);
    assert_non_null(p->params);
    for (int i = 0; i < 30; i++)
        change(p);
    for (int i = 0; i < 50; i++) {
        _cleanup_(store_txn_endp) struct store_txn *txn = world_begin(&p->w);
        struct search s;
        struct page page;
        struct arena a;
        int r;

        arena_init(&a, MIB(8));
        some_search(p, &a, &s);
        assert_false(store_is_overdue(txn));
        store_deadline(txn, 1);
        assert_true(store_is_overdue(txn));
        r = store_search(txn, &s, 0, &a, &page, &err);
        assert_true(r == 0 || r == ERR_COSTLY);
        costly += r == ERR_COSTLY;
        arena_done(&a);
    }
    assert_true(costly > 40); /* some bounds leave nothing to look at */
    params_unref(p->params);
    arena_done(&p->n.a);
    world_done(&p->w);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadline_ends_a_search),
        cmocka_unit_test(default_limits),
        cmocka_unit_test(low_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
