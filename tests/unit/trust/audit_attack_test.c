/* Somebody has the log's folder and all its keys: what they do is seen from a head that others
 * hold. Each attacker re-signs what they made, so that the folder by itself is in order. */
#include "audit_folder.h"

#include "trust/audit/segment.h"
#include "trust/audit/witness.h"

#include <unistd.h>

#define ENTRIES 700

static const struct str anna = STR("anna"), ben = STR("ben");

struct scene {
    char dir[FOLDER_BYTES], copy[FOLDER_BYTES];
    struct sb early, late; /* heads that a witness holds: half-way, at the end */
    struct note_key key;
};

static void set_up(struct scene *s)
{
    struct audit_log *log;

    s->early = s->late = sb_make(NOTE_BYTES_MAX);
    folder_new(s->dir);
    folder_new(s->copy);
    log = log_open(s->dir);
    s->key = *audit_key(log);
    for (int i = 0; i < ENTRIES; i++) {
        if (i == ENTRIES / 2) {
            log_wait_head(log, ENTRIES / 2, &s->early);
            folder_copy(s->dir, s->copy); /* what a backup of that day holds */
        }
        log_event_of(log, i % 3 ? "nurse" : "thief", i % 3 ? &ben : &anna, 1);
    }
    log_wait_head(log, ENTRIES, &s->late);
    audit_close(log);
}

static void tear_down(struct scene *s)
{
    sb_done(&s->early);
    sb_done(&s->late);
    folder_remove(s->dir);
    folder_remove(s->copy);
}

static void count_problem(void *ctx, const char *text)
{
    (void)text;
    ++*(int *)ctx;
}

/* Problems that verifying finds: of the folder alone, and with a head that was kept. */
static int problems(const char *dir, const struct sb *kept)
{
    struct str heads[1] = {kept ? sb_view(kept) : STR("")};
    struct merkle_tree tree;
    struct err err = {0};
    int said = 0,
        r = audit_verify(dir, NULL, heads, kept != NULL, count_problem, &said, &tree, &err);

    if (r < 0)
        fail_msg("verify: %s", err.text);
    assert_int_equal(r, said);
    return r;
}

/* ---- the attacker's tools: they write the format as it is documented ---- */

struct forger {
    struct sb out, batch; /* the segment anew */
    uint64_t n;
    struct merkle_tree tree;
    bool hide; /* "thief" becomes "nurse" */
};

static int forge_leaf(void *ctx, uint64_t leaf, uint32_t at, const struct stored_leaf *stored,
                      struct err *err)
{
    struct forger *f = ctx;
    struct sb head = sb_make(KIB(64));
    struct stored_leaf changed = *stored;
    struct merkle_hash hash;
    char *name;

    (void)leaf;
    (void)at;
    (void)err;
    sb_str(&head, stored->head);
    name = f->hide ? memmem(head.p, head.n, "thief", 5) : NULL;
    if (name)
        memcpy(name, "nurse", 5);
    changed.head = sb_view(&head);
    batch_begin(&f->batch);
    batch_record(&f->batch, 1, changed.head);
    batch_leaf(&f->batch, changed.salt, changed.tail);
    assert_int_equal(batch_end(&f->batch, f->n, 1, NULL, NULL), 0);
    sb_str(&f->out, sb_view(&f->batch));
    leaf_hash(&changed, &hash);
    merkle_add(&f->tree, &hash);
    f->n++;
    sb_done(&head);
    return 0;
}

/* A head of what was forged, signed with the log's own key. */
static void sign_again(const char *dir, const struct note_key *key, const struct merkle_tree *tree)
{
    _cleanup_(note_signer_freep) struct note_signer *signer = NULL;
    _cleanup_(sb_done) struct sb text = sb_make(KIB(8)), note = sb_make(KIB(8));
    struct head head = {.origin = str_c(key->name), .size = tree->n};
    char path[512];
    struct err err;

    snprintf(path, sizeof path, "%s/" AUDIT_FOLDER "/" AUDIT_KEY_NAME, dir);
    assert_int_equal(note_signer_load(path, NULL, str_c(key->name), NOTE_ED25519, &signer, &err),
                     0);
    merkle_root(tree, &head.root);
    head_write(&text, &head);
    sb_str(&note, sb_view(&text));
    sb_char(&note, '\n');
    assert_int_equal(note_sign(signer, sb_view(&text), 0, &note, &err), 0);
    folder_write(dir, "head", sb_view(&note));
}

/* The first `n` entries of the log written anew, and signed. */
static void forge(const char *dir, const struct note_key *key, uint64_t n, bool hide)
{
    struct forger f = {.out = sb_make(MIB(16)), .batch = sb_make(MIB(1)), .hide = hide};
    struct sb bytes = sb_make(MIB(16));
    struct err err = {0};
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/" AUDIT_FOLDER "/00000000.seg", dir);
    folder_read(dir, "00000000.seg", &bytes);
    sb_put(&f.out, bytes.p, SEGMENT_HEAD_BYTES);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(segment_walk(fileno(file), NULL, SEGMENT_HEAD_BYTES, bytes.n, 0, n, forge_leaf,
                                  &f, NULL, &err),
                     0);
    fclose(file);
    assert_int_equal(f.n, n);
    folder_write(dir, "00000000.seg", sb_view(&f.out));
    sign_again(dir, key, &f.tree);
    sb_done(&bytes);
    sb_done(&f.out);
    sb_done(&f.batch);
}

/* ---- attacks ---- */

static void test_untouched(void **state)
{
    struct scene s;

    (void)state;
    set_up(&s);
    assert_int_equal(problems(s.dir, NULL), 0);
    assert_int_equal(problems(s.dir, &s.early), 0);
    assert_int_equal(problems(s.dir, &s.late), 0);
    /* written anew without a change it is the same log: the attack itself is what is seen below */
    forge(s.dir, &s.key, ENTRIES, false);
    assert_int_equal(problems(s.dir, &s.late), 0);
    tear_down(&s);
}

static void test_rewritten(void **state)
{
    struct scene s;

    (void)state;
    set_up(&s);
    forge(s.dir, &s.key, ENTRIES, true);
    assert_int_equal(problems(s.dir, NULL), 0); /* by itself it is a log like any other */
    assert_true(problems(s.dir, &s.early) > 0);
    assert_true(problems(s.dir, &s.late) > 0);
    tear_down(&s);
}

static void test_truncated(void **state)
{
    struct scene s;

    (void)state;
    set_up(&s);
    forge(s.dir, &s.key, ENTRIES - 1, false);
    assert_int_equal(problems(s.dir, NULL), 0);
    assert_int_equal(problems(s.dir, &s.early), 0);
    assert_true(problems(s.dir, &s.late) > 0);
    tear_down(&s);
}

static void test_rolled_back(void **state)
{
    struct audit_log *log;
    struct scene s;

    (void)state;
    set_up(&s);
    folder_copy(s.copy, s.dir);
    assert_int_equal(problems(s.dir, NULL), 0);
    assert_true(problems(s.dir, &s.late) > 0);
    /* and it does not help to go on from there */
    log = log_open(s.dir);
    for (int i = 0; i < ENTRIES; i++)
        log_event_of(log, "nurse", &ben, 1);
    audit_close(log);
    assert_int_equal(problems(s.dir, NULL), 0);
    assert_true(problems(s.dir, &s.late) > 0);
    tear_down(&s);
}

/* Two people are shown two logs: no witness cosigns both, and both heads together convict. */
static void test_two_views(void **state)
{
    _cleanup_(witness_closep) struct witness *w = NULL;
    _cleanup_(sb_done) struct sb body = sb_make(PROOF_BYTES_MAX), out = sb_make(NOTE_BYTES_MAX);
    _cleanup_(sb_done) struct sb other = sb_make(NOTE_BYTES_MAX);
    char dir[FOLDER_BYTES], path[FOLDER_BYTES + 8];
    struct submission ask = {.old_size = 0};
    const char *type;
    struct scene s;
    struct err err = {0};

    (void)state;
    set_up(&s);
    folder_new(dir);
    snprintf(path, sizeof path, "%s/" AUDIT_FOLDER, dir);
    assert_int_equal(witness_open(path, STR("witness.example/w"), &s.key, 1, &w, &err), 0);
    ask.checkpoint = sb_view(&s.late);
    submission_write(&body, &ask);
    assert_int_equal(witness_add(w, sb_view(&body), &out, &type, &err), 200);
    /* of the same size, and of a greater one with a proof of the second log's own */
    forge(s.dir, &s.key, ENTRIES, true);
    folder_read(s.dir, "head", &other);
    sb_reset(&body);
    sb_reset(&out);
    ask.old_size = ENTRIES;
    ask.checkpoint = sb_view(&other);
    submission_write(&body, &ask);
    assert_int_equal(witness_add(w, sb_view(&body), &out, &type, &err), 409);
    {
        struct audit_log *log = log_open(s.dir);

        log_event_of(log, "nurse", &ben, 1);
        log_wait_head(log, ENTRIES + 1, &other);
        assert_int_equal(audit_consistency(log, ENTRIES, ENTRIES + 1, &ask.path, &err), 0);
        audit_close(log);
    }
    sb_reset(&body);
    sb_reset(&out);
    ask.checkpoint = sb_view(&other);
    submission_write(&body, &ask);
    assert_int_equal(witness_add(w, sb_view(&body), &out, &type, &err), 422);
    assert_int_equal(out.n, 0);
    assert_true(problems(s.dir, &s.late) > 0);
    tear_down(&s);
    folder_remove(dir);
}

/* ---- without the key, or without care, the log itself does not open ---- */

static int open_again(const char *dir, struct err *err)
{
    struct audit_config config = {.dir = dir};
    struct audit_log *log = NULL;
    int r = audit_open(&config, &log, err);

    audit_close(log);
    return r;
}

static void test_not_opened(void **state)
{
    struct sb bytes = sb_make(MIB(16));
    struct err err = {0};
    struct scene s;
    char path[512];

    (void)state;
    set_up(&s);
    /* entries cut off below the head */
    folder_read(s.dir, "00000000.seg", &bytes);
    folder_write(s.dir, "00000000.seg", str_head(sb_view(&bytes), bytes.n - 100));
    assert_int_equal(open_again(s.dir, &err), ERR_NO_STORE);
    assert_true(problems(s.dir, NULL) > 0);
    /* one bit in the middle of the entries */
    bytes.p[bytes.n / 2] ^= 1;
    folder_write(s.dir, "00000000.seg", sb_view(&bytes));
    assert_int_equal(open_again(s.dir, &err), ERR_NO_STORE);
    assert_true(problems(s.dir, NULL) > 0);
    bytes.p[bytes.n / 2] ^= 1;
    folder_write(s.dir, "00000000.seg", sb_view(&bytes));
    assert_int_equal(open_again(s.dir, &err), 0);
    /* a head that the key did not sign, and none at all */
    folder_read(s.dir, "head", &bytes);
    bytes.p[bytes.n - 10] ^= 1;
    folder_write(s.dir, "head", sb_view(&bytes));
    assert_true(open_again(s.dir, &err) < 0);
    snprintf(path, sizeof path, "%s/" AUDIT_FOLDER "/head", s.dir);
    unlink(path);
    assert_int_equal(open_again(s.dir, &err), ERR_NO_STORE);
    /* no name, but entries: no new log begins over them */
    snprintf(path, sizeof path, "%s/" AUDIT_FOLDER "/key.pub", s.dir);
    unlink(path);
    assert_int_equal(open_again(s.dir, &err), ERR_NO_STORE);
    sb_done(&bytes);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_untouched), cmocka_unit_test(test_rewritten),
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_rolled_back),
        cmocka_unit_test(test_two_views), cmocka_unit_test(test_not_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
