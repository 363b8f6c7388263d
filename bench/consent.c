/* consent.c - what policy and consent cost a search, on a store of many people.
 *
 *     consent FOLDER [PEOPLE [PAIRS]]
 *
 * Makes the store where the folder is empty: PEOPLE (a million) with two observations each, one in
 * a hundred of whom says no, and a worker who has 300 of them in care. Each search runs for an open
 * access and for a granted one in turn, on this thread; its processor time is told, and the ratio.
 */
#include "base/clock.h"
#include "store/store.h"
#include "trust/allow.h"
#include "trust/guard.h"
#include "trust/policy_book.h"
#include "trust/trust.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PAIRS_MAX 99
#define BATCH 1000
#define IN_CARE 300
#define OBSERVATIONS 2
#define LEAST_US 20000 /* of one measurement */

static size_t people = 1000000, pairs = 7;

static _Noreturn void die(const char *what, const struct err *err)
{
    fprintf(stderr, "consent: %s: %s (%s)\n", what, err->text, err->detail);
    exit(1);
}

/* ---- the store ---- */

struct batch {
    struct store_job job;
    struct put v[BATCH];
    size_t n;
    struct arena a;
    struct params *params;
    struct store *st;
};

static int batch_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct batch *b = (struct batch *)job;
    int r = 0;

    for (size_t i = 0; i < b->n && r >= 0; i++) {
        struct version v;
        r = store_put(txn, &b->v[i], &v, err);
    }
    return r;
}

static void flush(struct batch *b)
{
    struct err err = {0};

    if (b->n && store_write(b->st, &b->job, &err) < 0)
        die("write", &err);
    b->n = 0;
    arena_reset(&b->a);
}

static void add(struct batch *b, const char *type, const char *id, struct str text)
{
    _cleanup_(sb_done) struct sb sealed = sb_make(STORE_BODY_MAX);
    struct index *index = ARENA_NEW(&b->a, struct index);
    struct put *p = &b->v[b->n++];
    struct err err = {0};
    yyjson_val *root;

    *p = (struct put){.method = METHOD_CREATE,
                      .type = def_resource(str_c(type)),
                      .id = arena_dup(&b->a, str_c(id)),
                      .index = index};
    if (js_parse(&b->a, arena_dup(&b->a, text), &root, &err) < 0 ||
        store_seal(b->st, root, &sealed, &err) < 0 ||
        !(root = js_with_str(&b->a, root, "id", p->id)) ||
        index_extract(&b->a, b->params, store_index_options(b->st), p->type, root, index, &err) < 0)
        die(type, &err);
    p->sealed = arena_dup(&b->a, sb_view(&sealed));
    if (b->n == BATCH)
        flush(b);
}

static _printf_(4, 5) void put(struct batch *b, const char *type, const char *id, const char *fmt,
                               ...)
{
    char text[1000];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    add(b, type, id, str_n(text, (size_t)n));
}

/* Those in care are spread over all; as many others live in one town, and have one code. */
static bool is_in_care(size_t i)
{
    return i % (people / IN_CARE) == 7 && i / (people / IN_CARE) < IN_CARE;
}

static bool is_in_town(size_t i)
{
    return i % (people / IN_CARE) == 5 && i / (people / IN_CARE) < IN_CARE;
}

static void make_person(struct batch *b, size_t i)
{
    char id[40];

    snprintf(id, sizeof id, "p%zu", i);
    put(b, "Patient", id,
        "{\"resourceType\":\"Patient\",\"active\":true,\"gender\":\"%s\",\"birthDate\":"
        "\"%zu-%02zu-%02zu\",\"name\":[{\"family\":\"Family%zu\",\"given\":[\"Given%zu\"]}],"
        "\"address\":[{\"city\":\"%s\"}]}",
        i % 2 ? "male" : "female", 1930 + i % 90, 1 + i % 12, 1 + i % 28, i % 997, i % 503,
        is_in_town(i) ? "Town" : "City");
    for (size_t k = 0; k < OBSERVATIONS; k++) {
        snprintf(id, sizeof id, "o%zu-%zu", i, k);
        put(b, "Observation", id,
            "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{"
            "\"system\":\"http://loinc.org\",\"code\":\"%s%zu\"}]},\"subject\":{\"reference\":"
            "\"Patient/p%zu\"},\"effectiveDateTime\":\"2%03zu-%02zu-%02zuT10:%02zu:00Z\","
            "\"valueQuantity\":{\"value\":%zu,\"unit\":\"kg\"}}",
            is_in_town(i) ? "town-" : "c-", is_in_town(i) ? 0 : (i * 7 + k) % 97, i, i % 25,
            1 + i % 12, 1 + i % 28, i % 60, i % 120);
    }
    snprintf(id, sizeof id, "e%zu", i);
    if (is_in_care(i))
        put(b, "EpisodeOfCare", id,
            "{\"resourceType\":\"EpisodeOfCare\",\"status\":\"active\",\"patient\":{\"reference\":"
            "\"Patient/p%zu\"},\"careManager\":{\"reference\":\"Practitioner/w\"}}",
            i);
    snprintf(id, sizeof id, "s%zu", i);
    if (i % 100 == 50)
        put(b, "Consent", id,
            "{\"resourceType\":\"Consent\",\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":"
            "\"patient-privacy\"}]},\"patient\":{\"reference\":\"Patient/p%zu\"},\"provision\":{"
            "\"type\":\"deny\"}}",
            i);
}

static struct store *open_store(const char *dir)
{
    struct store_config config = {.dir = dir};
    struct access who = trust_system();
    struct batch *b = calloc(1, sizeof *b);
    struct store *st;
    struct err err = {0};

    if (b && store_open(&config, &st, &err) == 0) {
        free(b);
        return st;
    }
    config.create = true;
    mkdir(dir, 0700);
    if (!b || store_open(&config, &st, &err) < 0)
        die("open", &err);
    b->job = (struct store_job){.run = batch_run, .who = &who};
    b->st = st;
    b->params = store_params(st);
    arena_init(&b->a, MIB(1024));
    put(b, "Practitioner", "w", "{\"resourceType\":\"Practitioner\"}");
    for (size_t i = 0; i < people; i++)
        make_person(b, i);
    flush(b);
    arena_done(&b->a);
    params_unref(b->params);
    free(b);
    return st;
}

/* ---- measuring ---- */

struct asked {
    struct access who;
    const char *type, *query;
};

static size_t read_page(struct store_txn *txn, const struct page *page)
{
    size_t bytes = 0;

    for (size_t i = 0; i < page->n; i++) {
        struct row row;
        struct err err = {0};

        if (store_get_row(txn, page->rows[i], &row, &err) < 0)
            die("row", &err);
        bytes += row.sealed.n;
    }
    return bytes;
}

static int64_t search(struct store *st, const struct asked *q)
{
    struct search_options opt = {.index = *store_index_options(st), .strict = true};
    struct params *params = store_params(st);
    struct store_txn *txn;
    struct err err = {0};
    struct search s;
    struct page page;
    struct arena a;

    arena_init(&a, MIB(64));
    if (search_parse(&a, params, &opt, def_resource(str_c(q->type)), str_c(q->query), &s, &err) <
            0 ||
        store_begin(st, &q->who, &txn, &err) < 0 || store_search(txn, &s, 0, &a, &page, &err) < 0)
        die(q->query, &err);
    read_page(txn, &page);
    store_end(txn);
    arena_done(&a);
    params_unref(params);
    return page.total;
}

/* Microseconds of processor time of one search. */
static double measure(struct store *st, const struct asked *q)
{
    int64_t begun = clock_spent_us(), now;
    size_t n = 0;

    do {
        search(st, q);
        n++;
        now = clock_spent_us();
    } while (now - begun < LEAST_US);
    return (double)(now - begun) / (double)n;
}

static int double_cmp(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return a < b ? -1 : a > b;
}

static void compare(struct store *st, const char *what, const struct asked *open,
                    const struct asked *granted)
{
    double ratios[PAIRS_MAX], ours[PAIRS_MAX], theirs[PAIRS_MAX];
    int64_t totals[2] = {search(st, open), search(st, granted)};

    for (size_t i = 0; i < pairs; i++) {
        theirs[i] = measure(st, open);
        ours[i] = measure(st, granted);
        ratios[i] = ours[i] / theirs[i];
    }
    qsort(ratios, pairs, sizeof *ratios, double_cmp);
    qsort(ours, pairs, sizeof *ours, double_cmp);
    qsort(theirs, pairs, sizeof *theirs, double_cmp);
    printf("%-44s open %9.1f us, granted %9.1f us, ratio %.2f (%.2f to %.2f), totals %lld %lld\n",
           what, theirs[pairs / 2], ours[pairs / 2], ratios[pairs / 2], ratios[0],
           ratios[pairs - 1], (long long)totals[0], (long long)totals[1]);
}

static struct access granted(const char *role, const char *user, struct guard *g, struct arena *a)
{
    struct identity *i = ARENA_NEW(a, struct identity);
    struct err err = {0};

    *i = (struct identity){.kind = str_eq(str_c(role), STR("system")) ? IDENTITY_CLIENT
                                                                      : IDENTITY_PERSON,
                           .role = str_c(role),
                           .fhir_user = str_c(user),
                           .purpose = STR("TREAT"),
                           .patient = STR(""),
                           .assurance = ASSURANCE_PASSWORD,
                           .agent = STR("bench")};
    if (smart_parse(a, STR("user/*.rs"), &i->scopes, &err) < 0)
        die("scopes", &err);
    return allow_access(i, g);
}

static void first_look(struct store *st, const char *what, const struct access *who)
{
    struct asked q = {*who, "Patient", "_count=1&_total=none"};
    int64_t begun = clock_mono_us();

    search(st, &q);
    printf("%-44s %9.1f ms\n", what, (double)(clock_mono_us() - begun) / 1000);
}

int main(int argc, char **argv)
{
    struct access open = trust_open(), all, worker;
    struct policy *policy;
    struct policy_book *book;
    struct guard *guard;
    struct store *st;
    struct err err = {0};
    struct arena a;

    if (argc < 2)
        return 2;
    if (argc > 2)
        people = strtoull(argv[2], NULL, 10);
    if (argc > 3)
        pairs = MIN(strtoull(argv[3], NULL, 10), (unsigned long long)PAIRS_MAX);
    arena_init(&a, MIB(1));
    st = open_store(argv[1]);
    if (policy_parse(policy_default(), &policy, &err) < 0 ||
        policy_book_of(policy, &book, &err) < 0 || guard_new(st, book, &guard, &err) < 0)
        die("policy", &err);
    all = granted("system", "", guard, &a);
    worker = granted("worker", "Practitioner/w", guard, &a);
    first_look(st, "first look: who said no", &all);
    first_look(st, "first look: who is in care", &worker);
    printf("1 %% of %zu say no:\n", people);
    static const char *const searches[][2] = {
        {"Patient", "family=Family5&_count=20"},
        {"Patient", "family=Family5&_total=accurate"},
        {"Patient", "gender=female&birthdate=1950-01&_count=20"},
        {"Observation", "code=c-5&_count=50"},
        {"Observation", "code=c-5&_sort=-date&_count=20"},
        {"Observation", "subject=Patient/p11"},
        {"Observation", "subject:Patient.family=Family5&code=c-5"},
        {"Patient", "_has:Observation:subject:code=town-0&_count=20"},
    };
    for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
        struct asked as_open = {open, searches[i][0], searches[i][1]};
        struct asked as_granted = {all, searches[i][0], searches[i][1]};
        char what[100];

        snprintf(what, sizeof what, "%.11s?%.60s", searches[i][0], searches[i][1]);
        compare(st, what, &as_open, &as_granted);
    }
    printf("%d of %zu in care, beside an open search that finds as many:\n", IN_CARE, people);
    compare(st, "Patient, total and first page",
            &(struct asked){open, "Patient", "address-city=Town&_total=accurate&_count=20"},
            &(struct asked){worker, "Patient", "_total=accurate&_count=20"});
    compare(st, "Observation, total and first page",
            &(struct asked){open, "Observation", "code=town-0&_total=accurate&_count=20"},
            &(struct asked){worker, "Observation", "_total=accurate&_count=20"});
    compare(
        st, "Observation of one status",
        &(struct asked){open, "Observation", "code=town-0&status=final&_total=accurate&_count=20"},
        &(struct asked){worker, "Observation", "status=final&_total=accurate&_count=20"});
    compare(
        st, "Observation by date",
        &(struct asked){open, "Observation", "code=town-0&_sort=-date&_total=accurate&_count=20"},
        &(struct asked){worker, "Observation", "_sort=-date&_total=accurate&_count=20"});
    guard_free(guard);
    policy_book_free(book);
    store_close(st);
    arena_done(&a);
    return 0;
}
