#include "notify/notify.h"

#include "../trust/store.h"

#include "base/clock.h"
#include "base/fault.h"
#include "trust/trust.h"

#define BY_ALL                                                                                     \
    "{\"from\":\"node@node.example\",\"smtp\":{\"url\":\"smtp://127.0.0.1:1\",\"tls\":false},"     \
    "\"sms\":{\"url\":\"https://sms.example/\"},\"webhook\":{\"url\":\"https://hook.example/\"}}"

/* What the wires were given, and what they answer. */
struct wire {
    struct notify_wires wires;
    int status, result, mails, posts;
    char to[100], body[2000], id[100];
};

static int answer(struct wire *w, int *ret_status, char proof[NOTIFY_PROOF_MAX], struct err *err)
{
    if (w->result < 0)
        return err_set(err, w->result, "nobody is there");
    *ret_status = w->status;
    snprintf(proof, NOTIFY_PROOF_MAX, "%d said the other side", w->status);
    return 0;
}

static int mail(void *ctx, const struct notify_mail *m, int *ret_status,
                char proof[NOTIFY_PROOF_MAX], struct err *err)
{
    struct wire *w = ctx;

    w->mails++;
    snprintf(w->to, sizeof w->to, "%.*s", STR_ARG(m->to));
    snprintf(w->id, sizeof w->id, "%.*s", STR_ARG(m->id));
    snprintf(w->body, sizeof w->body, "%.*s", STR_ARG(m->text));
    return answer(w, ret_status, proof, err);
}

static int post(void *ctx, const struct notify_post *p, int *ret_status,
                char proof[NOTIFY_PROOF_MAX], struct err *err)
{
    struct wire *w = ctx;

    w->posts++;
    snprintf(w->body, sizeof w->body, "%.*s", STR_ARG(p->body));
    return answer(w, ret_status, proof, err);
}

struct world {
    struct own_store s;
    struct notify *n;
    struct wire w;
    struct arena a;
    struct notice_record *v;
    size_t n_v;
};

static void begin(struct world *x, const char *config)
{
    struct access node = trust_system();
    struct err err = {0};

    memset(x, 0, sizeof *x);
    own_store_open(&x->s);
    arena_init(&x->a, MIB(1));
    x->w.wires = (struct notify_wires){.ctx = &x->w, .mail = mail, .post = post};
    x->w.status = 250;
    if (notify_new(x->s.store, &node, config ? str_c(config) : STR_NULL,
                   STR("https://node.example"), &x->w.wires, &x->n, &err) < 0)
        fail_msg("%s", err.text);
}

static void end(struct world *x)
{
    notify_free(x->n);
    arena_done(&x->a);
    own_store_close(&x->s);
}

struct put_job {
    struct store_job job;
    struct world *x;
    struct notice notice;
};

static int put_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct put_job *p = (struct put_job *)job;

    return notify_put(p->x->n, txn, &p->notice, err);
}

static int put(struct world *x, enum notice_kind kind, const char *email, const char *phone,
               const char *secret)
{
    struct access node = trust_system();
    struct err err = {0};
    struct put_job p = {.job = {.run = put_run, .who = &node},
                        .x = x,
                        .notice = {.kind = kind,
                                   .owner = STR("Patient/p"),
                                   .to = {str_c(email), str_c(phone), NOTIFY_fr},
                                   .secret = str_c(secret),
                                   .when_ms = INT64_C(1767225600000)}};

    return store_write(x->s.store, &p.job, &err);
}

/* What stands in the store now. */
static void look(struct world *x)
{
    struct access node = trust_system();
    struct store_txn *txn = NULL;
    struct err err = {0};

    arena_reset(&x->a);
    assert_int_equal(store_begin(x->s.store, &node, &txn, &err), 0);
    assert_int_equal(notify_of(txn, STR("Patient/p"), &x->a, &x->v, &x->n_v, &err), 0);
    store_end(txn);
}

static int deliver(struct world *x, int64_t after_ms)
{
    struct err err = {0};

    return notify_deliver(x->n, clock_now_ms() + after_ms, &err);
}

static void goes_every_way(void **state)
{
    struct world x;

    (void)state;
    begin(&x, BY_ALL);
    assert_int_equal(put(&x, NOTICE_GLASS, "p@b.example", "+22112345", ""), 0);
    look(&x);
    assert_int_equal(x.n_v, 3);
    assert_str(x.v[0].state, STR("waiting"));
    assert_int_equal(deliver(&x, 1), 3);
    assert_int_equal(x.w.mails, 1);
    assert_int_equal(x.w.posts, 2);
    assert_string_equal(x.w.to, "p@b.example");
    look(&x);
    for (size_t i = 0; i < 3; i++) {
        assert_str(x.v[i].state, STR("sent"));
        assert_str(x.v[i].proof, STR("250 said the other side"));
        assert_true(x.v[i].sent_ms > 0 && x.v[i].attempts == 1);
    }
    assert_int_equal(deliver(&x, 10), 0);
    end(&x);
}

static void says_when_nobody_can_be_told(void **state)
{
    struct world x;

    (void)state;
    begin(&x, NULL);
    assert_int_equal(put(&x, NOTICE_GLASS, "p@b.example", "", ""), 0);
    look(&x);
    assert_int_equal(x.n_v, 1);
    assert_str(x.v[0].channel, STR("none"));
    assert_str(x.v[0].state, STR("failed"));
    assert_int_equal(deliver(&x, 10), 0);
    end(&x);
}

/* A secret goes to the person alone, and is forgotten once it is sent. */
static void keeps_secrets(void **state)
{
    struct world x;

    (void)state;
    begin(&x, BY_ALL);
    assert_int_equal(put(&x, NOTICE_RESET, "p@b.example", "", "s3cret"), 0);
    look(&x);
    assert_int_equal(x.n_v, 1);
    assert_str(x.v[0].secret, STR("s3cret"));
    assert_int_equal(deliver(&x, 1), 1);
    assert_int_equal(x.w.posts, 0);
    assert_non_null(strstr(x.w.body, "secret=s3cret"));
    look(&x);
    assert_str(x.v[0].secret, STR(""));
    end(&x);
}

static void tries_again(void **state)
{
    struct world x;
    int64_t at = 1;

    (void)state;
    begin(&x, "{\"from\":\"n@n.example\",\"smtp\":{\"url\":\"smtp://127.0.0.1:1\"}}");
    x.w.result = ERR_BUSY;
    assert_int_equal(put(&x, NOTICE_GLASS, "p@b.example", "", ""), 0);
    assert_int_equal(deliver(&x, at), 1);
    assert_int_equal(deliver(&x, at + 20000), 0);
    look(&x);
    assert_str(x.v[0].state, STR("waiting"));
    assert_str(x.v[0].proof, STR("nobody is there"));
    x.w.result = 0;
    x.w.status = 451; /* a server that is busy */
    assert_int_equal(deliver(&x, at += 40000), 1);
    x.w.status = 250;
    assert_int_equal(deliver(&x, at + 50000), 0); /* the second wait is longer */
    assert_int_equal(deliver(&x, at + 70000), 1);
    look(&x);
    assert_str(x.v[0].state, STR("sent"));
    assert_int_equal(x.v[0].attempts, 3);
    end(&x);
}

static void gives_up(void **state)
{
    struct world x;

    (void)state;
    begin(&x, "{\"from\":\"n@n.example\",\"smtp\":{\"url\":\"smtp://127.0.0.1:1\"}}");
    x.w.status = 550; /* no such mailbox: another time will not change that */
    assert_int_equal(put(&x, NOTICE_GLASS, "p@b.example", "", ""), 0);
    assert_int_equal(deliver(&x, 1), 1);
    look(&x);
    assert_str(x.v[0].state, STR("failed"));
    x.w.status = 451;
    assert_int_equal(put(&x, NOTICE_GLASS, "p@b.example", "", ""), 0);
    for (int64_t i = 0; i < NOTIFY_ATTEMPTS_MAX + 3; i++)
        deliver(&x, (i + 1) * 2 * NOTIFY_WAIT_MAX_MS);
    look(&x);
    assert_int_equal(x.n_v, 2);
    assert_str(x.v[0].state, STR("failed"));
    assert_int_equal(x.v[0].attempts, NOTIFY_ATTEMPTS_MAX);
    assert_int_equal(x.w.mails, 1 + NOTIFY_ATTEMPTS_MAX);
    end(&x);
}

static void keeps_the_latest(void **state)
{
    struct world x;

    (void)state;
    begin(&x, NULL);
    for (int i = 0; i < NOTIFY_KEPT_MAX + 5; i++)
        assert_int_equal(put(&x, NOTICE_GLASS, "", "", ""), 0);
    look(&x);
    assert_int_equal(x.n_v, NOTIFY_KEPT_MAX);
    end(&x);
}

static int forget_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)job;
    return notify_forget(txn, STR("Patient/p"), err);
}

static void forgets_somebody(void **state)
{
    struct access node = trust_system();
    struct store_job job = {.run = forget_run, .who = &node};
    struct err err = {0};
    struct world x;

    (void)state;
    begin(&x, "{\"from\":\"n@n.example\",\"smtp\":{\"url\":\"smtp://127.0.0.1:1\"}}");
    for (int i = 0; i < 3; i++)
        assert_int_equal(put(&x, NOTICE_GLASS, "p@b.example", "", ""), 0);
    assert_int_equal(store_write(x.s.store, &job, &err), 0);
    look(&x);
    assert_int_equal(x.n_v, 0);
    assert_int_equal(deliver(&x, 0), 0); /* none waits either */
    assert_int_equal(x.w.mails, 0);
    end(&x);
}

/* Whatever fails, a notice is not lost: it is sent, or waits still. */
static void loses_nothing(void **state)
{
    struct world x;

    (void)state;
    begin(&x, "{\"from\":\"n@n.example\",\"smtp\":{\"url\":\"smtp://127.0.0.1:1\"}}");
    for (unsigned nth = 1, fired = 1; fired; nth++) {
        int64_t at = 10;

        assert_int_equal(put(&x, NOTICE_GLASS, "p@b.example", "", ""), 0);
        fault_arm(nth, false);
        deliver(&x, at);
        fired = fault_fired();
        fault_arm(0, false);
        for (int i = 0; i < 3; i++)
            deliver(&x, at += 3600000);
        look(&x);
        assert_str(x.v[0].state, STR("sent"));
        assert_true(x.w.mails >= (int)nth);
    }
    end(&x);
}

static void refuses_what_it_does_not_know(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{\"x\":1}",
        "{\"smtp\":{\"url\":\"smtp://h\"}}",
        "{\"from\":\"n@n.example\",\"smtp\":{\"url\":\"http://h\"}}",
        "{\"from\":\"no address\",\"smtp\":{\"url\":\"smtp://h\"}}",
        "{\"from\":\"n@n.example\",\"smtp\":{\"url\":\"smtp://h\",\"user\":\"u\",\"tls\":false}}",
        "{\"sms\":{\"url\":\"http://sms.example/\"}}",
        "{\"webhook\":{}}",
        "{\"webhook\":{\"url\":\"https://h/\",\"secretFile\":\"/nonexistent\"}}",
        "{\"language\":\"sw\"}",
        "{\"retrySeconds\":0}",
    };
    struct access node = trust_system();
    struct notify_wires wires = {0};
    struct own_store s;

    (void)state;
    own_store_open(&s);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct notify *n = NULL;
        struct err err = {0};

        if (notify_new(s.store, &node, str_c(bad[i]), STR("l"), &wires, &n, &err) != ERR_VALUE)
            fail_msg("taken: %s", bad[i]);
    }
    own_store_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_every_way),
        cmocka_unit_test(says_when_nobody_can_be_told),
        cmocka_unit_test(keeps_secrets),
        cmocka_unit_test(tries_again),
        cmocka_unit_test(gives_up),
        cmocka_unit_test(keeps_the_latest),
        cmocka_unit_test(forgets_somebody),
        cmocka_unit_test(loses_nothing),
        cmocka_unit_test(refuses_what_it_does_not_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
