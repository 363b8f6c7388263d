/* Real searches over the official examples: what the store finds through its index is what
 * search_match finds by looking at every resource. */
#include "contract.h"

#include "base/rng.h"
#include "fhir/validate.h"
#include "store/search/search_int.h"

#define DOCS_MAX 1000
#define EXAMPLE_MAX MIB(4)

struct doc {
    int type;
    struct str id;
    yyjson_val *root;
};

struct real {
    struct world w;
    struct arena a;
    struct doc docs[DOCS_MAX];
    size_t n;
    struct params *params;
};

static const char *const queries[] = {
    "Patient?",
    "Patient?gender=male",
    "Patient?gender=male,female",
    "Patient?gender:not=male",
    "Patient?name=pe",
    "Patient?name:contains=et",
    "Patient?name:exact=Peter",
    "Patient?family=Chalmers",
    "Patient?birthdate=gt1970",
    "Patient?birthdate=lt1970-01-01",
    "Patient?birthdate:missing=true",
    "Patient?birthdate:missing=false",
    "Patient?birthdate=ne1974-12-25",
    "Patient?birthdate=ap1974",
    "Patient?identifier=12345",
    "Patient?identifier=urn:oid:1.2.36.146.595.217.0.1|12345",
    "Patient?identifier=urn:oid:1.2.36.146.595.217.0.1|",
    "Patient?identifier=|12345",
    "Patient?active=true&gender=male",
    "Patient?active=true&gender:not=male&_sort=birthdate",
    "Patient?organization=Organization/1",
    "Patient?organization=1",
    "Patient?deceased=true",
    "Patient?address-city=PleasantVille",
    "Patient?telecom=phone|(03) 5555 6473",
    "Patient?_id=example",
    "Patient?_id=example,pat1,none",
    "Patient?_sort=family",
    "Patient?_sort=-birthdate,family",
    "Patient?_sort=given,-birthdate",
    "Patient?_sort=-_id",
    "Patient?_sort=-_lastUpdated",
    "Patient?name=pe&_sort=_lastUpdated",
    "Patient?link:missing=false",
    "Patient?general-practitioner:missing=true",
    "Observation?code=http://loinc.org|29463-7",
    "Observation?code=29463-7",
    "Observation?code=http://loinc.org|",
    "Observation?code:text=blood",
    "Observation?code:text=b",
    "Observation?code:not=29463-7",
    "Observation?date=2012",
    "Observation?date=ge2013-01-01",
    "Observation?date=sa2013-04-02",
    "Observation?date=eb2013",
    "Observation?date=le2012-09-17",
    "Observation?date=ne2012",
    "Observation?value-quantity=gt100",
    "Observation?value-quantity=lt5.5|http://unitsofmeasure.org|mmol/L",
    "Observation?value-quantity=6.3||mmol/l",
    "Observation?value-quantity=185",
    "Observation?value-quantity=ne185",
    "Observation?value-quantity:missing=true",
    "Observation?subject=Patient/f001",
    "Observation?subject=f001",
    "Observation?patient=example&code=http://loinc.org|8867-4",
    "Observation?subject:Patient=f001",
    "Observation?subject:missing=true",
    "Observation?status=final&_sort=-date",
    "Observation?status=final&_sort=date,code",
    "Observation?status=final,amended&date=gt2000&_sort=-date",
    "Observation?_sort=value-quantity",
    "Observation?category=vital-signs&status=final",
    "Observation?combo-code=8480-6",
    "Observation?code-value-quantity=http://loinc.org|29463-7$gt80",
    "Observation?code-value-quantity=29463-7$lt90000|http://unitsofmeasure.org|g",
    "Observation?code-value-quantity=29463-7$gt80&status=final",
    "Observation?code-value-quantity=http://loinc.org|$gt80&_sort=-date",
    "Observation?component-code-value-quantity=8480-6$lt150,8462-4$gt10",
    "Observation?combo-code-value-quantity=8480-6$ne107&_sort=-_lastUpdated",
    "Observation?combo-code-value-quantity=8480-6$gt1&subject=Patient/example",
    "Observation?code-value-concept=883-9$278149003",
    "Observation?code-value-concept=http://loinc.org|883-9$",
    "Observation?code-value-string=2029-8$a",
    "Observation?component-value-quantity=gt60",
    "Observation?has-member:missing=false",
    "Observation?value-concept:missing=false",
    "Observation?method=x&status=final",
    "ValueSet?url=http://hl7.org/fhir/ValueSet/example-extensional",
    "ValueSet?name:contains=e",
    "ValueSet?url:missing=false&status=draft",
    "ValueSet?version:missing=false&_sort=-name",
    "CodeSystem?system=http://hl7.org/fhir/example",
    "Condition?code=39065001",
    "Condition?onset-date=gt2011",
    "Condition?severity:missing=false&_sort=-recorded-date",
    "Encounter?date=gt2010",
    "Encounter?length=gt10",
    "Encounter?subject=example&status=finished",
    "Encounter?_sort=-date",
    "MedicationRequest?status=active&intent=order",
    "MedicationRequest?authoredon=ge2015-01&_sort=authoredon",
    "RiskAssessment?probability=gt0.1",
    "RiskAssessment?probability=lt0.1",
    "Questionnaire?title:contains=can",
    "Procedure?date=2013&_sort=date",
    "Appointment?actor=Patient/example",
    "Location?address=PleasantVille",
    "Organization?name=h&_sort=name",
    "Practitioner?name=adam&active=true",
    "?_id=example",
    "?_id=example&_sort=-_lastUpdated",
    "?_type=Patient,Observation",
    "?_type=Patient,Practitioner&_sort=_lastUpdated",
    "?_tag:missing=false",
    "Patient?_profile:missing=true",
    "Observation?_tag=x|y",
    "Observation?_lastUpdated=gt2020-01-01",
    "Observation?_lastUpdated=lt2020-01-01",
    "Patient?_lastUpdated=ge2020&gender=male&_sort=-birthdate",
};

static void load(struct real *w, const char *dir)
{
    char cmd[400], *line = malloc(EXAMPLE_MAX);
    FILE *f;

    snprintf(cmd, sizeof cmd, "gzip -dc '%s/r4-examples/r4-examples.ndjson.gz'", dir);
    f = popen(cmd, "r");
    assert_non_null(f);
    while (w->n < DOCS_MAX && fgets(line, (int)EXAMPLE_MAX, f)) {
        struct str text = arena_dup(&w->a, str_trim(str_c(line)));
        struct doc *d = &w->docs[w->n];
        struct err err = {0};

        assert_int_equal(js_parse(&w->a, text, &d->root, &err), 0);
        d->id = js_get_str(d->root, "id");
        d->type = def_resource(js_get_str(d->root, "resourceType"));
        if (!fhir_is_id(d->id) || !d->type)
            continue;
        if (world_put(&w->w, def_resource_name(d->type).p, arena_dup(&w->a, d->id).p, text.p, NULL,
                      &err) < 0)
            fail_msg("%.*s: %s", STR_ARG(d->id), err.text);
        w->n++;
    }
    pclose(f);
    free(line);
    print_message("%zu examples\n", w->n);
}

/* Whether a document matches, by itself. */
static bool looks_right(struct real *w, struct arena *a, const struct search *s,
                        const struct doc *d)
{
    bool match = s->type ? s->type == d->type : s->n_types == 0;
    struct err err = {0};

    for (size_t i = 0; i < s->n_types; i++)
        match |= s->types[i] == d->type;
    for (size_t i = 0; i < s->n_clauses && match; i++) {
        const struct search_clause *c = &s->clauses[i];
        bool in = false;

        switch (c->kind) {
        case CLAUSE_KEYS:
            if (search_match(a, s, c, d->root, &match, &err) < 0)
                fail_msg("match: %s", err.text);
            continue;
        case CLAUSE_ID:
            for (size_t j = 0; j < c->n_ids; j++)
                in |= str_eq(c->ids[j], d->id);
            break;
        case CLAUSE_UPDATED: /* all were written just now */
            for (size_t j = 0; j < c->n_spans; j++)
                in |= c->spans[j].to_ms > INT64_C(1700000000000);
            break;
        default: break; /* no query of this test makes others */
        }
        match = in != c->negate;
    }
    (void)w;
    return match;
}

static const struct doc *doc_of(const struct real *w, const struct row *row)
{
    for (size_t i = w->n; i-- > 0;)
        if (w->docs[i].type == row->type && str_eq(w->docs[i].id, row->id))
            return &w->docs[i];
    fail_msg("an unknown resource was found");
    return NULL;
}

/* Whether b may follow a. */
static bool in_order(struct arena *a, const struct search *s, const struct doc *x,
                     const struct doc *y)
{
    struct err err = {0};

    for (size_t i = 0; i < s->n_sort; i++) {
        struct str p, q;
        int c;

        if (!s->sort[i].param)
            return true;
        if (search_sort_key(a, s, &s->sort[i], x->root, &p, &err) < 0 ||
            search_sort_key(a, s, &s->sort[i], y->root, &q, &err) < 0)
            fail_msg("sort key: %s", err.text);
        if (!p.p || !q.p) {
            if (!p.p != !q.p)
                return p.p;
            continue;
        }
        c = str_cmp(p, q);
        if (c)
            return (c < 0) != s->sort[i].descending;
    }
    return true;
}

static size_t run_query(struct real *w, const char *text, size_t count)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = world_begin(&w->w);
    _cleanup_(arena_done) struct arena a;
    struct search_options opt = {.index = *store_index_options(w->w.st), .strict = true};
    const char *mark = strchr(text, '?');
    int type = def_resource(str_n(text, (size_t)(mark - text)));
    size_t want = 0, found = 0;
    const struct doc *last = NULL;
    struct search s;
    struct page page;
    struct err err = {0};

    arena_init(&a, MIB(64));
    if (search_parse(&a, w->params, &opt, type, str_c(mark + 1), &s, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    s.count = count;
    s.total = TOTAL_ACCURATE;
    for (size_t i = 0; i < w->n; i++) {
        bool is_newest = true;
        for (size_t j = i + 1; j < w->n; j++)
            is_newest &=
                w->docs[j].type != w->docs[i].type || !str_eq(w->docs[j].id, w->docs[i].id);
        want += is_newest && looks_right(w, &a, &s, &w->docs[i]);
    }
    do {
        if (store_search(txn, &s, 0, &a, &page, &err) < 0)
            fail_msg("%s: %s %s", text, err.text, err.detail);
        if (page.total != (int64_t)want)
            fail_msg("%s: total %lld, want %zu", text, (long long)page.total, want);
        for (size_t i = 0; i < page.n; i++, found++) {
            const struct doc *d;
            struct row row;

            assert_int_equal(store_get_row(txn, page.rows[i], &row, &err), 0);
            assert_true(row.is_current);
            d = doc_of(w, &row);
            if (!looks_right(w, &a, &s, d))
                fail_msg("%s: finds %.*s", text, STR_ARG(d->id));
            if (last && !in_order(&a, &s, last, d))
                fail_msg("%s: %.*s is out of order", text, STR_ARG(d->id));
            last = d;
        }
        s.cursor = page.next;
    } while (page.next.p);
    if (found != want)
        fail_msg("%s: found %zu, want %zu", text, found, want);
    return found;
}

static void what_is_found_is_what_matches(void **state)
{
    const char *dir = getenv("CARNET_SHARED");
    struct search_limits was = search_limits;
    struct err err = {0};
    struct real *w;
    size_t empty = 0;

    (void)state;
    if (!dir) {
        print_message("CARNET_SHARED is not set: skipped\n");
        skip();
    }
    w = calloc(1, sizeof *w);
    block_bits = 4;
    world_open(&w->w);
    arena_init(&w->a, MIB(512));
    w->params = params_base(&err);
    assert_non_null(w->params);
    load(w, dir);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
            size_t n = run_query(w, queries[i], round == 0 ? 1000 : round == 1 ? 7 : 3);
            empty += round == 0 && n == 0;
        }
        search_limits = (struct search_limits){.race_first = 1,
                                               .race_max = 2,
                                               .terms = 3,
                                               .ranges = 3,
                                               .total_cost = 60,
                                               .walk_try = 10,
                                               .collect = 50,
                                               .sort_rows = 5,
                                               .run = 1000,
                                               .set_array = 8,
                                               .turn_after = 10,
                                               .turn_match = 30,
                                               .bodies = {2, 6, 12},
                                               .reads = {4, 20, 0}};
    }
    search_limits = was;
    print_message("%zu queries, %zu of them find nothing\n", ARRAY_LEN(queries), empty);
    world_check(&w->w);
    block_bits = BLOCK_BITS;
    params_unref(w->params);
    arena_done(&w->a);
    world_done(&w->w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_is_what_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
