/* Cases over a real store: followed, saved and taken up again, with every step failing once; and
 * signals, from a case that crosses to its Task, its update and its withdrawal. */
#include "../test.h"

#include "../trust/store.h"

#include "base/clock.h"
#include "base/fault.h"
#include "surveillance/centre.h"
#include "surveillance/kept.h"
#include "surveillance/signals.h"
#include "trust/trust.h"

static const char rules_text[] =
    "{\"version\":\"t\",\"levels\":[\"District\",\"Province\"],\"date\":\"consultation\","
    "\"falseDiscoveryRate\":0.05,\"leastCases\":3,\"quietDays\":28,"
    "\"detector\":{\"method\":\"ensemble\"},\"fixed\":[{\"disease\":\"cholera\",\"cases\":2,"
    "\"weeks\":1,\"level\":\"District\",\"source\":\"us\"}]}";

struct world {
    struct own_store s;
    struct access node;
    struct kept *kept;
    struct arena a;
    struct signal_rules rules;
    struct weekly weekly;
    struct judge judge;
    struct signals *signals;
    int n_anew; /* how often counting began anew */
    struct err err;
};

static void write(struct world *x, bool is_deletion, const char *format, ...)
{
    char text[1000];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    own_store_write(&x->s, &x->node, str_c(text), is_deletion);
}

static void case_of(struct world *x, int n, const char *day, bool is_deletion)
{
    if (!is_deletion) {
        write(x, false, "{\"resourceType\":\"Patient\",\"id\":\"p%d\"}", n);
        write(x, false,
              "{\"resourceType\":\"Encounter\",\"id\":\"e%d\",\"status\":\"finished\",\"class\":{"
              "\"code\":\"AMB\"},\"period\":{\"start\":\"%s\"},\"location\":[{\"location\":{"
              "\"reference\":\"Location/d\"}}]}",
              n, day);
    }
    write(x, is_deletion,
          "{\"resourceType\":\"Condition\",\"id\":\"c%d\",\"subject\":{\"reference\":"
          "\"Patient/p%d\"},\"encounter\":{\"reference\":\"Encounter/e%d\"},\"recordedDate\":"
          "\"%s\",\"code\":{\"coding\":[{\"system\":\"http://id.who.int/icd/release/11/mms\","
          "\"code\":\"1A00\"}]}}",
          n, n, n, day);
}

static void begin(struct world *x)
{
    memset(x, 0, sizeof *x);
    own_store_open(&x->s);
    x->node = trust_system();
    write(x, false,
          "{\"resourceType\":\"Location\",\"id\":\"d\",\"name\":\"North\",\"type\":[{\"text\":"
          "\"District\"}],\"partOf\":{\"reference\":\"Location/p\"}}");
    write(x, false,
          "{\"resourceType\":\"Location\",\"id\":\"p\",\"name\":\"All\",\"type\":[{\"text\":"
          "\"Province\"}]}");
}

static size_t count_cases(struct kept *k, uint64_t *ret_position)
{
    struct kept_view v = kept_lock(k);
    size_t n = 0;

    for (size_t i = 0; i < v.cases->n; i++)
        n += v.cases->v[i].person != NOT_THERE;
    *ret_position = v.position;
    kept_unlock(k);
    return n;
}

/* Takes up what was saved, follows and saves; how many cases. */
static int round_of(struct world *x, size_t *ret_n, uint64_t *ret_position)
{
    struct kept *k = NULL;
    int r = kept_new(x->s.store, &x->node, STR_NULL, &k, &x->err);

    if (r >= 0)
        r = kept_follow(k, NULL, NULL, &x->err);
    if (r >= 0)
        *ret_n = count_cases(k, ret_position);
    if (r >= 0)
        r = kept_save(k, true, &x->err);
    kept_free(k);
    return r;
}

static void taken_up_again(void **state)
{
    struct world x;
    uint64_t position = 0;
    size_t n = 0, n_failed = 0;
    bool is_failing = true;
    struct kept *k;

    (void)state;
    begin(&x);
    case_of(&x, 1, "2024-05-01", false);
    assert_int_equal(round_of(&x, &n, &position), 0);
    assert_int_equal(n, 1);
    case_of(&x, 2, "2024-05-02", false);
    case_of(&x, 1, "2024-05-01", true);
    case_of(&x, 3, "2024-05-03", false);
    /* At whatever point it fails, the next round finds what there is. */
    for (unsigned point = 1; is_failing; point++) {
        fault_arm(point, false);
        int r = round_of(&x, &n, &position);
        is_failing = fault_fired();
        fault_arm(0, false);
        assert_true(is_failing || (r == 0 && n == 2));
        assert_int_equal(round_of(&x, &n, &position), 0);
        assert_int_equal(n, 2);
        n_failed += r < 0;
    }
    assert_true(n_failed > 5);
    /* Other definitions begin at the first version. */
    assert_int_equal(kept_new(x.s.store, &x.node,
                              STR("{\"version\":\"1\",\"definitions\":[{\"disease\":\"flu\","
                                  "\"title\":\"Flu\",\"source\":\"us\",\"episodeDays\":14,"
                                  "\"rules\":[{\"says\":\"suspected\",\"of\":\"Condition\","
                                  "\"codes\":[\"icd11|1A00\"]}]}]}"),
                              &k, &x.err),
                     0);
    assert_int_equal(count_cases(k, &position), 0);
    assert_int_equal(position, 0);
    assert_int_equal(kept_follow(k, NULL, NULL, &x.err), 0);
    assert_int_equal(count_cases(k, &position), 2);
    kept_free(k);
    own_store_close(&x.s);
}

struct removal {
    struct store_job job; /* first */
    const char *type, *id;
};

static int remove_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    const struct removal *r = (const struct removal *)job;
    size_t n;

    return store_expunge(txn, def_resource(str_c(r->type)), str_c(r->id), &n, err);
}

static void expunge(struct world *x, const char *type, const char *id)
{
    struct removal r = {.job = {.run = remove_run, .who = &x->node}, .type = type, .id = id};

    assert_int_equal(store_write(x->s.store, &r.job, &x->err), 0);
}

/* Whether a word stands in what is saved. */
static bool is_saved(struct world *x, const char *word)
{
    struct store_txn *txn = NULL;
    struct str name, part = STR_NULL;
    struct arena a;
    bool found;

    arena_init(&a, MIB(16));
    assert_int_equal(store_begin(x->s.store, &x->node, &txn, &x->err), 0);
    assert_int_equal(store_meta_get(txn, "cases", &a, &name, &x->err), 0);
    if (name.p)
        assert_int_equal(store_blob_get(txn, name, 0, &a, &part, &x->err), 0);
    found = part.p && memmem(part.p, part.n, word, strlen(word));
    store_end(txn);
    arena_done(&a);
    return found;
}

/* What leaves nothing in the feed goes, also where nothing is followed meanwhile, and whatever
 * fails: nobody has to write for it. */
static void expunged_is_forgotten(void **state)
{
    struct world x;
    struct kept *k;
    uint64_t position;
    size_t n = 0;
    bool is_failing = true;

    (void)state;
    begin(&x);
    for (int i = 1; i <= 3; i++)
        case_of(&x, i, "2024-05-01", false);
    assert_int_equal(round_of(&x, &n, &position), 0);
    assert_int_equal(n, 3);
    /* While nothing runs: what was saved is looked at. */
    expunge(&x, "Condition", "c1");
    for (unsigned point = 1; is_failing; point++) {
        fault_arm(point, false);
        int r = round_of(&x, &n, &position);
        is_failing = fault_fired();
        fault_arm(0, false);
        assert_true(is_failing || (r == 0 && n == 2));
    }
    /* While it runs. */
    assert_int_equal(kept_new(x.s.store, &x.node, STR_NULL, &k, &x.err), 0);
    assert_int_equal(kept_follow(k, NULL, NULL, &x.err), 0);
    assert_int_equal(count_cases(k, &position), 2);
    expunge(&x, "Condition", "c2");
    assert_int_equal(kept_follow(k, NULL, NULL, &x.err), 0);
    assert_int_equal(count_cases(k, &position), 1);
    expunge(&x, "Patient", "p3"); /* a case without a person stays one */
    assert_int_equal(kept_follow(k, NULL, NULL, &x.err), 0);
    assert_int_equal(count_cases(k, &position), 1);
    assert_true(is_saved(&x, "p3"));
    /* Nor is their id kept, once nothing mentions it. */
    expunge(&x, "Condition", "c3");
    assert_int_equal(kept_follow(k, NULL, NULL, &x.err), 0);
    assert_int_equal(count_cases(k, &position), 0);
    assert_int_equal(kept_save(k, false, &x.err), 0);
    assert_false(is_saved(&x, "p3"));
    assert_true(is_saved(&x, "p2"));
    /* A number without a name stays one; the id may come again. */
    case_of(&x, 3, "2024-06-01", false);
    assert_int_equal(kept_follow(k, NULL, NULL, &x.err), 0);
    assert_int_equal(count_cases(k, &position), 1);
    kept_free(k);
    assert_int_equal(round_of(&x, &n, &position), 0);
    assert_int_equal(n, 1);
    own_store_close(&x.s);
}

static int told(void *ctx, const struct found_case *c, int sign, struct err *err)
{
    (void)sign;
    (void)err;
    ((struct world *)ctx)->n_anew += c == NULL;
    return 0;
}

/* Looks at all that a question may look at, as operations do; how many cases, or -1: not ready. */
static int read_all(struct kept *k)
{
    struct kept_view v = kept_lock(k);
    int n = 0, n_women = 0;

    for (size_t i = 0; v.is_ready && i < v.cases->n; i++)
        if (v.cases->v[i].person != NOT_THERE) {
            n_women += v.records->people[v.cases->v[i].person].sex == SEX_FEMALE;
            n++;
        }
    kept_unlock(k);
    return v.is_ready ? n + n_women : -1;
}

#define PEOPLE 256 /* as many as there is room for at first */

/* An error of the store costs no first count, and what is half done is neither shown nor saved. */
static void goes_on_after_errors(void **state)
{
    struct world x;
    size_t n = 0;
    uint64_t position;
    int n_failed = 0, n_torn = 0;
    bool is_failing = true;
    const atomic_bool only_loads = true;

    (void)state;
    begin(&x);
    for (int i = 0; i < PEOPLE; i++)
        write(&x, false,
              "{\"resourceType\":\"Condition\",\"id\":\"c%d\",\"subject\":{\"reference\":"
              "\"Patient/p%d\"},\"recordedDate\":\"2024-05-01\",\"code\":{\"coding\":[{\"system\":"
              "\"http://id.who.int/icd/release/11/mms\",\"code\":\"1A00\"}]}}",
              i, i);
    assert_int_equal(round_of(&x, &n, &position), 0);
    assert_int_equal(n, PEOPLE);
    case_of(&x, PEOPLE, "2024-05-02", false);
    for (unsigned point = 1; is_failing; point++) {
        struct kept *k = NULL;
        int r;

        x.n_anew = 0;
        assert_int_equal(kept_new(x.s.store, &x.node, STR_NULL, &k, &x.err), 0);
        assert_int_equal(kept_on_change(k, told, &x, &x.err), 0);
        assert_int_equal(kept_follow(k, &only_loads, NULL, &x.err), 0);
        fault_arm(point, false);
        r = kept_follow(k, NULL, NULL, &x.err);
        is_failing = fault_fired();
        fault_arm(0, false);
        n_failed += r < 0;
        if (r < 0 && read_all(k) >= 0)
            assert_int_equal(read_all(k), PEOPLE);
        assert_int_equal(kept_follow(k, NULL, NULL, &x.err), 0);
        assert_int_equal(read_all(k), PEOPLE + 1);
        n_torn += x.n_anew;
        kept_free(k);
    }
    assert_true(n_failed > 5);
    assert_true(n_torn > 0 && n_torn < n_failed);
    own_store_close(&x.s);
}

/* How many things the store keeps of cases. */
static int count_saved(struct world *x)
{
    struct store_txn *txn;
    struct str at = STR("trust/cases/");
    struct arena a;
    int n = -1;

    arena_init(&a, MIB(1));
    assert_int_equal(store_begin(x->s.store, &x->node, &txn, &x->err), 0);
    do {
        assert_true(store_blob_next(txn, at, &a, &at, NULL, &x->err) >= 0);
        n++;
    } while (str_starts(at, STR("trust/cases/")));
    store_end(txn);
    arena_done(&a);
    return n;
}

static int leave_part(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)job;
    return store_blob_put(txn, STR("trust/cases/of-one-that-died"), 0, STR("half"), err);
}

/* What was saved is there once, wherever saving fails, and whoever died at it before. */
static void nothing_is_left(void **state)
{
    struct store_job dying = {.run = leave_part};
    struct kept *k;
    struct world x;
    bool is_failing = true;
    int n_failed = 0;

    (void)state;
    begin(&x);
    dying.who = &x.node;
    case_of(&x, 1, "2024-05-01", false);
    assert_int_equal(kept_new(x.s.store, &x.node, STR_NULL, &k, &x.err), 0);
    for (unsigned point = 1; is_failing; point++) {
        int r;

        write(&x, false, "{\"resourceType\":\"Patient\",\"id\":\"p1\"}");
        assert_int_equal(kept_follow(k, NULL, NULL, &x.err), 0);
        fault_arm(point, false);
        r = kept_save(k, true, &x.err);
        is_failing = fault_fired();
        fault_arm(0, false);
        n_failed += r < 0;
        assert_in_range(count_saved(&x), 0, 1);
    }
    assert_true(n_failed > 3);
    assert_int_equal(store_write(x.s.store, &dying, &x.err), 0);
    assert_int_equal(count_saved(&x), 2);
    write(&x, false, "{\"resourceType\":\"Patient\",\"id\":\"p1\"}");
    assert_int_equal(kept_follow(k, NULL, NULL, &x.err), 0);
    assert_int_equal(kept_save(k, true, &x.err), 0);
    assert_int_equal(count_saved(&x), 1);
    kept_free(k);
    own_store_close(&x.s);
}

/* ---- signals ---- */

static int changed(void *ctx, const struct found_case *c, int sign, struct err *err)
{
    return weekly_change(&((struct world *)ctx)->weekly, c, sign, err);
}

static void begin_signals(struct world *x)
{
    const struct case_definitions *definitions;

    arena_init(&x->a, MIB(1));
    assert_int_equal(kept_new(x->s.store, &x->node, STR_NULL, &x->kept, &x->err), 0);
    definitions = kept_lock(x->kept).definitions;
    kept_unlock(x->kept);
    if (signal_rules_read(&x->a, str_c(rules_text), definitions, &x->rules, &x->err) < 0)
        fail_msg("%s", x->err.text);
    weekly_init(&x->weekly, x->rules.by);
    judge_init(&x->judge, definitions, &x->rules, &x->weekly);
    assert_int_equal(
        signals_new(x->s.store, &x->node, definitions, &x->rules, &x->signals, &x->err), 0);
    assert_int_equal(kept_on_change(x->kept, changed, x, &x->err), 0);
}

static void end_signals(struct world *x)
{
    signals_free(x->signals);
    judge_done(&x->judge);
    kept_free(x->kept);
    weekly_done(&x->weekly);
    arena_done(&x->a);
}

static int look(struct world *x)
{
    struct kept_view v;

    assert_int_equal(kept_follow(x->kept, NULL, NULL, &x->err), 0);
    v = kept_lock(x->kept);
    kept_unlock(x->kept);
    assert_int_equal(judge_run(&x->judge, v.records, x->weekly.is_changed, v.today, &x->err), 0);
    memset(x->weekly.is_changed, 0, sizeof x->weekly.is_changed);
    return signals_write(x->signals, &x->judge, v.records, v.today, &x->err);
}

static void crosses_and_withdraws(void **state)
{
    struct world x;

    (void)state;
    begin(&x);
    begin_signals(&x);
    case_of(&x, 1, "2024-05-01", false);
    assert_int_equal(look(&x), 0);
    case_of(&x, 2, "2024-05-02", false);
    assert_int_equal(look(&x), 1);
    /* One more is told again, and nothing where nothing changed. */
    assert_int_equal(look(&x), 0);
    case_of(&x, 3, "2024-05-03", false);
    assert_int_equal(look(&x), 1);
    /* A new start remembers it. */
    end_signals(&x);
    begin_signals(&x);
    assert_int_equal(look(&x), 0);
    /* Two of three go: it is withdrawn, once. */
    case_of(&x, 1, "2024-05-01", true);
    case_of(&x, 2, "2024-05-02", true);
    assert_int_equal(look(&x), 1);
    assert_int_equal(look(&x), 0);
    /* They come again: it is the same event. */
    case_of(&x, 1, "2024-05-01", false);
    assert_int_equal(look(&x), 1);
    end_signals(&x);
    own_store_close(&x.s);
}

/* ---- what people do to a signal ---- */

/* How many signals there are, in how many versions, and the text of the last that was written. */
static int count_signals(struct world *x, struct sb *ret_text, int *ret_versions)
{
    struct store_txn *txn;
    struct page page;
    struct arena a;
    int n = 0;

    arena_init(&a, MIB(4));
    assert_int_equal(store_begin(x->s.store, &x->node, &txn, &x->err), 0);
    assert_true(store_feed(txn, 0, 10000, &a, &page, &x->err) >= 0);
    *ret_versions = 0;
    for (size_t i = 0; i < page.n; i++) {
        struct row row;

        assert_true(store_get_row(txn, page.rows[i], &row, &x->err) >= 0);
        if (row.type != def_resource(STR("Task")))
            continue;
        ++*ret_versions;
        n += row.is_current;
        sb_reset(ret_text);
        assert_int_equal(row_json(x->s.store, &row, ret_text, &x->err), 0);
    }
    store_end(txn);
    arena_done(&a);
    return n;
}

static bool says(const struct sb *text, const char *what)
{
    return memmem(text->p, text->n, what, strlen(what)) != NULL;
}

/* The last one is changed: what `from` says is `to`. */
static void rewrite_task(struct world *x, const char *from, struct str to)
{
    struct sb text = sb_make(MIB(64)), next = sb_make(MIB(64));
    const char *at;
    int unused;

    assert_true(count_signals(x, &text, &unused) > 0);
    at = memmem(text.p, text.n, from, strlen(from));
    assert_non_null(at);
    sb_put(&next, text.p, (size_t)(at - text.p));
    sb_str(&next, to);
    sb_str(&next, str_from(sb_view(&text), (size_t)(at - text.p) + strlen(from)));
    own_store_write(&x->s, &x->node, sb_view(&next), false);
    sb_done(&text);
    sb_done(&next);
}

static void start_again(struct world *x)
{
    end_signals(x);
    begin_signals(x);
}

/* A signal that people ended, while it crosses for weeks: how many there are then. */
static int goes_on_for_weeks(int weeks, bool starts_again)
{
    struct sb text = sb_make(MIB(1));
    struct world x;
    int n, versions;

    begin(&x);
    begin_signals(&x);
    for (int week = 0; week < weeks; week++) {
        char day[16];
        int y, m, d;

        clock_civil(clock_days(2024, 5, 1) + 7 * week, &y, &m, &d);
        snprintf(day, sizeof day, "%04d-%02d-%02d", y, m, d);
        case_of(&x, 2 * week, day, false);
        case_of(&x, 2 * week + 1, day, false);
        assert_true(look(&x) >= 0);
        if (!week)
            rewrite_task(&x, "\"requested\"", STR("\"completed\""));
        if (starts_again)
            start_again(&x);
    }
    n = count_signals(&x, &text, &versions);
    sb_done(&text);
    end_signals(&x);
    own_store_close(&x.s);
    return n;
}

/* When the quiet days after what it says are over there is a new one, whether or not the node was
 * started meanwhile. */
static void ended_by_people(void **state)
{
    (void)state;
    assert_int_equal(goes_on_for_weeks(5, false), 1);
    assert_int_equal(goes_on_for_weeks(5, true), 1);
    assert_int_equal(goes_on_for_weeks(7, false), 2);
    assert_int_equal(goes_on_for_weeks(7, true), 2);
}

/* A signal with notes of megabytes is brought up to date, one of too many left as it is; and a
 * place may be called as it likes. */
static void large_ones(void **state)
{
    static const size_t sizes[] = {MIB(2), MIB(17)};
    struct sb text = sb_make(MIB(64)), name = sb_make(MIB(1));
    struct world x;
    int versions;

    (void)state;
    begin(&x);
    sb_lit(&name, "{\"resourceType\":\"Location\",\"id\":\"d\",\"type\":[{\"text\":\"District\"}],"
                  "\"name\":\"");
    for (size_t i = 0; i < KIB(20); i++)
        sb_lit(&name, "\xc3\xa9");
    sb_lit(&name, "\"}");
    own_store_write(&x.s, &x.node, sb_view(&name), false);
    begin_signals(&x);
    case_of(&x, 1, "2024-05-01", false);
    case_of(&x, 2, "2024-05-02", false);
    assert_int_equal(look(&x), 1);
    assert_int_equal(count_signals(&x, &text, &versions), 1);
    assert_true(str_is_utf8(sb_view(&text)));
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct sb note = sb_make(MIB(32));

        sb_fmt(&note, "\"%s\":[{\"text\":\"", i ? "output" : "note");
        for (size_t k = 0; k < sizes[i]; k++)
            sb_char(&note, 'x');
        sb_lit(&note, "\"}],\"intent\"");
        rewrite_task(&x, "\"intent\"", sb_view(&note));
        sb_done(&note);
        for (int n = 0; n < 3; n++)
            case_of(&x, 10 + 3 * (int)i + n, "2024-05-01", false);
        assert_int_equal(look(&x), i ? 0 : 1);
        start_again(&x);
        assert_int_equal(look(&x), 0);
    }
    sb_done(&text);
    sb_done(&name);
    end_signals(&x);
    own_store_close(&x.s);
}

/* All cases of a place go while the node is down: there is nothing to judge, and it is withdrawn.
 */
static void nothing_left_of_it(void **state)
{
    struct sb text = sb_make(MIB(1));
    struct world x;
    int versions;

    (void)state;
    begin(&x);
    begin_signals(&x);
    case_of(&x, 1, "2024-05-01", false);
    case_of(&x, 2, "2024-05-02", false);
    write(&x, false,
          "{\"resourceType\":\"Condition\",\"id\":\"other\",\"subject\":{\"reference\":"
          "\"Patient/p1\"},\"recordedDate\":\"2024-05-02\"}");
    assert_int_equal(look(&x), 1);
    end_signals(&x);
    case_of(&x, 1, "2024-05-01", true);
    case_of(&x, 2, "2024-05-02", true);
    begin_signals(&x);
    assert_int_equal(look(&x), 1);
    assert_int_equal(look(&x), 0);
    assert_int_equal(count_signals(&x, &text, &versions), 1);
    assert_true(says(&text, "\"status\":\"cancelled\""));
    sb_done(&text);
    end_signals(&x);
    own_store_close(&x.s);
}

/* It comes again where people stood in it. */
static void comes_again_as_taken(void **state)
{
    struct sb text = sb_make(MIB(1));
    struct world x;
    int versions;

    (void)state;
    begin(&x);
    begin_signals(&x);
    case_of(&x, 1, "2024-05-01", false);
    case_of(&x, 2, "2024-05-02", false);
    assert_int_equal(look(&x), 1);
    rewrite_task(&x, "\"requested\"", STR("\"in-progress\""));
    rewrite_task(&x, "\"triage\"", STR("\"verify\""));
    case_of(&x, 2, "2024-05-02", true);
    assert_int_equal(look(&x), 1);
    case_of(&x, 2, "2024-05-02", false);
    assert_int_equal(look(&x), 1);
    assert_int_equal(count_signals(&x, &text, &versions), 1);
    assert_true(says(&text, "\"status\":\"in-progress\""));
    assert_false(says(&text, "statusReason"));
    sb_done(&text);
    end_signals(&x);
    own_store_close(&x.s);
}

/* Another node of the store sees the same, and writes it once. */
static void two_nodes(void **state)
{
    struct sb text = sb_make(MIB(1));
    struct signals *mine;
    struct world x;
    int versions;

    (void)state;
    begin(&x);
    begin_signals(&x);
    mine = x.signals;
    case_of(&x, 1, "2024-05-01", false);
    assert_int_equal(look(&x), 0);
    assert_int_equal(
        signals_new(x.s.store, &x.node, x.judge.definitions, &x.rules, &x.signals, &x.err), 0);
    assert_int_equal(look(&x), 0);
    case_of(&x, 2, "2024-05-02", false);
    assert_int_equal(look(&x), 1);
    signals_free(x.signals);
    x.signals = mine;
    assert_int_equal(look(&x), 0);
    assert_int_equal(count_signals(&x, &text, &versions), 1);
    assert_int_equal(versions, 1);
    sb_done(&text);
    end_signals(&x);
    own_store_close(&x.s);
}

/* Three years of two a week, then more: the district signals, and not what it lies within. */
static void detector_and_places(void **state)
{
    struct world x;
    int32_t first = (int32_t)clock_days(2021, 1, 4);
    struct found_case c = {.person = 0, .class = CASE_SUSPECTED};
    size_t n_cross = 0;

    (void)state;
    begin(&x);
    begin_signals(&x);
    x.rules.n_fixed = 0;
    assert_int_equal(kept_follow(x.kept, NULL, NULL, &x.err), 0);
    struct kept_view v = kept_lock(x.kept);
    struct records r = *v.records;
    kept_unlock(x.kept);
    r.first = first;
    c.place = 0; /* d, which was written first */
    assert_str(r.places[0].id, STR("d"));
    for (int week = 0; week < 156; week++)
        for (int i = 0; i < 1 + week % 3; i++) {
            c.onset = c.seen = c.reported = first + 7 * week + i;
            assert_int_equal(weekly_change(&x.weekly, &c, 1, &x.err), 0);
        }
    c.onset = c.seen = c.reported = first + 7 * 156;
    for (int i = 0; i < 3; i++)
        assert_int_equal(weekly_change(&x.weekly, &c, 1, &x.err), 0);
    assert_int_equal(judge_run(&x.judge, &r, x.weekly.is_changed, c.seen, &x.err), 0);
    for (size_t i = 0; i < x.judge.n; i++)
        assert_false(judged_crosses(&x.judge.v[i]));
    /* The threshold is of what was known when the week began to be judged: a late one of an
     * earlier week does not move it. */
    double before = x.judge.v[0].point.threshold;
    c.onset = c.seen = c.reported = first + 7 * 150;
    for (int i = 0; i < 40; i++)
        assert_int_equal(weekly_change(&x.weekly, &c, 1, &x.err), 0);
    c.onset = c.seen = c.reported = first + 7 * 156 + 1;
    for (int i = 0; i < 12; i++)
        assert_int_equal(weekly_change(&x.weekly, &c, 1, &x.err), 0);
    assert_int_equal(judge_run(&x.judge, &r, x.weekly.is_changed, c.seen, &x.err), 0);
    assert_true(x.judge.v[0].point.threshold == before);
    for (size_t i = 0; i < x.judge.n; i++)
        n_cross += judged_crosses(&x.judge.v[i]);
    assert_int_equal(n_cross, 3); /* district, province, country */
    assert_int_equal(signals_write(x.signals, &x.judge, &r, c.seen, &x.err), 1);
    end_signals(&x);
    own_store_close(&x.s);
}

static void refuses_rules(void **state)
{
    static const struct {
        const char *text, *why;
    } all[] = {
        {"{}", "the signal rules' \"version\" is missing"},
        {"{\"version\":\"1\",\"x\":1}", "the signal rules have an unknown \"x\""},
        {"{\"version\":\"1\",\"falseDiscoveryRate\":1}",
         "the signal rules' \"falseDiscoveryRate\" is no number above 0 and below 1"},
        {"{\"version\":\"1\",\"falseDiscoveryRate\":0.1,\"leastCases\":0}",
         "the signal rules' \"leastCases\" is no whole number from 1 to 1000000000"},
        {"{\"version\":\"1\",\"falseDiscoveryRate\":0.1,\"leastCases\":3,\"quietDays\":7,\"date\":"
         "\"onset\",\"detector\":{\"method\":\"guess\"}}",
         "the signal rules have no method \"guess\" to take"},
        {"{\"version\":\"1\",\"falseDiscoveryRate\":0.1,\"leastCases\":3,\"quietDays\":7,\"date\":"
         "\"onset\",\"detector\":{\"method\":\"none\"},\"fixed\":[{\"disease\":\"cholera\","
         "\"cases\":1,\"weeks\":1,\"source\":\"s\",\"level\":\"Moon\"}]}",
         "the signal rules' \"level\" is none of the levels"},
        {"{\"version\":\"1\",\"falseDiscoveryRate\":0.1,\"leastCases\":3,\"quietDays\":7,\"date\":"
         "\"onset\",\"detector\":{\"method\":\"none\"},\"fixed\":[{\"disease\":\"gout\"}]}",
         "the signal rules have the disease \"gout\", which is not defined"},
    };
    struct case_definitions definitions;
    struct signal_rules rules;
    struct arena a;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        arena_init(&a, MIB(16));
        assert_int_equal(case_definitions_read(&a, case_definitions_starter(), &definitions, &err),
                         0);
        assert_int_equal(signal_rules_read(&a, str_c(all[i].text), &definitions, &rules, &err),
                         ERR_VALUE);
        assert_string_equal(err.text, all[i].why);
        assert_int_equal(signal_rules_read(&a, signal_rules_starter(), &definitions, &rules, &err),
                         0);
        arena_done(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_up_again),
        cmocka_unit_test(expunged_is_forgotten),
        cmocka_unit_test(goes_on_after_errors),
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(crosses_and_withdraws),
        cmocka_unit_test(ended_by_people),
        cmocka_unit_test(large_ones),
        cmocka_unit_test(nothing_left_of_it),
        cmocka_unit_test(comes_again_as_taken),
        cmocka_unit_test(two_nodes),
        cmocka_unit_test(detector_and_places),
        cmocka_unit_test(refuses_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
