/* The audit log: what goes in comes out, can be proved, and is there again after a restart. */
#include "audit_folder.h"

#include "base/js.h"

#include <pthread.h>

#define THREADS 16
#define APPENDS 40

static const struct str anna = STR("0191a0a0-0000-7000-8000-000000000001"), ben = STR("ben"),
                        cleo = STR("cleo");

static void test_round_trip(void **state)
{
    _cleanup_(arena_done) struct arena a;
    struct audit_log *log;
    char dir[FOLDER_BYTES], id[AUDIT_ID_MAX];
    struct audit_row row;
    struct err err = {0};
    uint64_t leaf;

    (void)state;
    arena_init(&a, MIB(1));
    folder_new(dir);
    log = log_open(dir);
    assert_int_equal(audit_size(log), 0);
    assert_int_equal(log_event_of(log, "nurse", &anna, 1), 0);
    assert_int_equal(log_event_of(log, "nurse", NULL, 0), 1);
    assert_int_equal(audit_get(log, 0, &a, &row, &err), 0);
    assert_str(row.event.user, STR("nurse"));
    assert_str(row.event.patient, anna);
    assert_str(row.event.address, STR("192.0.2.7"));
    assert_str(row.event.query, STR("Observation?code=1234-5"));
    assert_int_equal(row.event.when_ms, 1764000000000);
    assert_int_equal(row.event.interaction, AUDIT_SEARCH_TYPE);
    assert_int_equal(audit_get(log, 1, &a, &row, &err), 0);
    assert_str(row.event.patient, STR(""));
    assert_int_equal(audit_get(log, 2, &a, &row, &err), ERR_NOT_FOUND);
    audit_id(log, 1, id);
    assert_true(audit_id_parse(log, str_c(id), &leaf));
    assert_int_equal(leaf, 1);
    id[0] = id[0] == '0' ? '1' : '0';
    assert_false(audit_id_parse(log, str_c(id), &leaf));
    audit_close(log);
    log = log_open(dir);
    assert_int_equal(audit_size(log), 2);
    assert_int_equal(audit_get(log, 0, &a, &row, &err), 0);
    assert_str(row.event.patient, anna);
    audit_close(log);
    folder_remove(dir);
}

/* Who asked, in the entry and in its AuditEvent; nothing is said where nobody had to prove it. */
static void test_who(void **state)
{
    _cleanup_(sb_done) struct sb entry = sb_make(KIB(4)), json = sb_make(KIB(16));
    _cleanup_(arena_done) struct arena a;
    struct audit_event e = {.when_ms = 1764000000000,
                            .interaction = AUDIT_READ,
                            .status = 200,
                            .user = STR("account-1"),
                            .client = STR("app"),
                            .purpose = STR("TREAT"),
                            .role = STR("worker"),
                            .token = STR("token-1")},
                       got;
    struct audit_source source = {
        .id = STR("1"), .observer = STR("node"), .base = STR("http://node.example/fhir")};
    yyjson_val *root, *user;
    struct err err = {0};

    (void)state;
    arena_init(&a, MIB(1));
    audit_entry_head(&entry, &e);
    audit_entry_tail(&entry, anna);
    assert_int_equal(audit_entry_parse(&a, sb_view(&entry), &got, &err), 0);
    assert_str(got.client, STR("app"));
    assert_str(got.purpose, STR("TREAT"));
    assert_str(got.role, STR("worker"));
    assert_str(got.token, STR("token-1"));
    assert_str(got.patient, anna);
    audit_event_json(&json, &source, &got);
    assert_int_equal(js_parse(&a, sb_view(&json), &root, &err), 0);
    user = yyjson_arr_get(js_get(root, "agent"), 2);
    assert_str(js_get_str(yyjson_arr_get(js_get(user, "role"), 0), "text"), STR("worker"));
    assert_str(js_str(yyjson_arr_get(js_get(user, "policy"), 0)), STR("token-1"));
    sb_reset(&json);
    got.role = got.token = STR("");
    audit_event_json(&json, &source, &got);
    assert_int_equal(js_parse(&a, sb_view(&json), &root, &err), 0);
    user = yyjson_arr_get(js_get(root, "agent"), 2);
    assert_true(yyjson_is_true(js_get(user, "requestor")));
    assert_null(js_get(user, "role"));
    assert_null(js_get(user, "policy"));
}

static size_t count(struct audit_log *log, struct str patient, size_t max)
{
    struct audit_query q = {.patient = patient, .max = max};
    struct err err = {0};
    size_t all = 0;
    uint64_t last = UINT64_MAX;

    do {
        _cleanup_(arena_done) struct arena a;
        struct audit_row *rows;
        size_t n;

        arena_init(&a, MIB(64));
        if (audit_search(log, &q, &a, &rows, &n, &q.before, &err) < 0)
            fail_msg("search: %s", err.text);
        for (size_t i = 0; i < n; i++) {
            assert_true(rows[i].leaf < last);
            last = rows[i].leaf;
            if (patient.n)
                assert_str(rows[i].event.patient, patient);
        }
        all += n;
    } while (q.before);
    return all;
}

static void test_search(void **state)
{
    struct str both[] = {anna, ben};
    char dir[FOLDER_BYTES];
    struct audit_log *log;

    (void)state;
    folder_new(dir);
    log = log_open(dir);
    for (int i = 0; i < 30; i++)
        log_event_of(log, "nurse", both, i % 3 ? 2 : 1);
    for (size_t max = 1; max < 40; max += 6) {
        assert_int_equal(count(log, anna, max), 30);
        assert_int_equal(count(log, ben, max), 20);
        assert_int_equal(count(log, cleo, max), 0);
        assert_int_equal(count(log, STR(""), max), 50);
    }
    audit_close(log);
    folder_remove(dir);
}

static int verify(struct str proof, const struct note_key *key, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct audit_row row;
    struct head head;

    arena_init(&a, MIB(1));
    return audit_verify_proof(&a, proof, key, NULL, 0, 0, &row, &head, err);
}

static void test_proof(void **state)
{
    _cleanup_(sb_done) struct sb head = sb_make(NOTE_BYTES_MAX), proof = sb_make(PROOF_BYTES_MAX);
    char dir[FOLDER_BYTES];
    struct audit_log *log;
    struct note_key other;
    struct err err = {0};

    (void)state;
    folder_new(dir);
    log = log_open(dir);
    for (int i = 0; i < 300; i++)
        log_event_of(log, "nurse", &ben, 1);
    log_wait_head(log, 300, &head);
    for (uint64_t leaf = 0; leaf < 300; leaf += 37) {
        sb_reset(&proof);
        assert_int_equal(audit_proof(log, leaf, &proof, &err), 0);
        assert_int_equal(verify(sb_view(&proof), audit_key(log), &err), 0);
    }
    other = *audit_key(log);
    other.pub[3] ^= 1;
    assert_true(verify(sb_view(&proof), &other, &err) < 0);
    for (size_t i = 0; i < proof.n; i++) {
        proof.p[i] ^= 1;
        if (verify(sb_view(&proof), audit_key(log), &err) >= 0)
            fail_msg("byte %zu of the proof may be another", i);
        proof.p[i] ^= 1;
    }
    audit_close(log);
    folder_remove(dir);
}

/* Over several segments, and in one append that crosses from one to the next. */
static void test_segments(void **state)
{
    enum { PEOPLE = AUDIT_PATIENTS_MAX - 1, ROUNDS = 19 };
    _cleanup_(sb_done) struct sb head = sb_make(NOTE_BYTES_MAX), proof = sb_make(PROOF_BYTES_MAX);
    struct str *people = calloc(PEOPLE, sizeof *people);
    char(*names)[16] = calloc(PEOPLE, sizeof *names), dir[FOLDER_BYTES];
    struct merkle_proof path;
    struct merkle_hash before, after;
    struct merkle_tree tree;
    struct audit_log *log;
    struct err err = {0};
    uint64_t size = (uint64_t)PEOPLE * ROUNDS;

    (void)state;
    folder_new(dir);
    log = log_open(dir);
    for (size_t i = 0; i < PEOPLE; i++) {
        snprintf(names[i], sizeof names[i], "p%zu", i);
        people[i] = str_c(names[i]);
    }
    for (uint64_t i = 0; i < ROUNDS; i++)
        assert_int_equal(log_event_of(log, "nurse", people, PEOPLE), i * PEOPLE);
    assert_int_equal(count(log, people[77], 5), ROUNDS);
    assert_int_equal(count(log, people[PEOPLE - 1], 100), ROUNDS);
    audit_close(log);
    log = log_open(dir);
    assert_int_equal(audit_size(log), size);
    assert_int_equal(count(log, people[0], 3), ROUNDS);
    log_wait_head(log, size, &head);
    for (uint64_t leaf = 0; leaf < size; leaf += 9973) {
        sb_reset(&proof);
        assert_int_equal(audit_proof(log, leaf, &proof, &err), 0);
        assert_int_equal(verify(sb_view(&proof), audit_key(log), &err), 0);
    }
    for (uint64_t m = 1; m < size; m = m * 3 + 1) {
        assert_int_equal(audit_root(log, m, &before, &err), 0);
        assert_int_equal(audit_root(log, size, &after, &err), 0);
        assert_int_equal(audit_consistency(log, m, size, &path, &err), 0);
        assert_true(merkle_check_consistency(m, &before, size, &after, &path));
    }
    audit_close(log);
    assert_int_equal(audit_verify(dir, NULL, NULL, 0, NULL, NULL, &tree, &err), 0);
    merkle_root(&tree, &before);
    assert_true(merkle_eq(&before, &after));
    folder_remove(dir);
    free(people);
    free(names);
}

struct worker {
    struct audit_log *log;
    uint64_t first[APPENDS];
};

static void *append_many(void *ctx)
{
    struct worker *w = ctx;

    for (int i = 0; i < APPENDS; i++)
        w->first[i] = log_event_of(w->log, "nurse", &anna, 1);
    return NULL;
}

static void test_threads(void **state)
{
    static bool seen[THREADS * APPENDS];
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    char dir[FOLDER_BYTES];
    struct audit_log *log;

    (void)state;
    folder_new(dir);
    log = log_open(dir);
    for (int i = 0; i < THREADS; i++) {
        workers[i].log = log;
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        for (int k = 0; k < APPENDS; k++) {
            assert_true(workers[i].first[k] < ARRAY_LEN(seen));
            assert_false(seen[workers[i].first[k]]);
            seen[workers[i].first[k]] = true;
        }
    }
    assert_int_equal(count(log, anna, 50), THREADS * APPENDS);
    audit_close(log);
    folder_remove(dir);
}

static void test_one_writer(void **state)
{
    struct audit_config config = {.read_only = false};
    struct audit_log *log, *other = NULL;
    char dir[FOLDER_BYTES];
    struct err err = {0};

    (void)state;
    folder_new(dir);
    config.dir = dir;
    config.read_only = true;
    assert_int_equal(audit_open(&config, &other, &err), ERR_NOT_FOUND);
    log = log_open(dir);
    log_event_of(log, "nurse", &ben, 1);
    config.read_only = false;
    assert_int_equal(audit_open(&config, &other, &err), ERR_CONFLICT);
    config.read_only = true;
    assert_int_equal(audit_open(&config, &other, &err), 0);
    assert_int_equal(audit_size(other), 1);
    audit_close(other);
    audit_close(log);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_search),
        cmocka_unit_test(test_proof),      cmocka_unit_test(test_segments),
        cmocka_unit_test(test_threads),    cmocka_unit_test(test_one_writer),
        cmocka_unit_test(test_who),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
