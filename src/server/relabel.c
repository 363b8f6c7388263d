#include "server/relabel.h"

#include "base/log.h"
#include "trust/label_age.h"
#include "trust/trust.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define META_DONE "labels"       /* label_print that all was gone through with */
#define META_UNDER "labelling"   /* one under way, and up to which version */
#define NOTHING_DONE UINT64_C(1) /* label_print of a policy without rules */
#define STEP_BYTES_MAX MIB(64)   /* of what is prepared, past which no more is added to a step */
#define STEP_ARENA_MAX (STEP_BYTES_MAX + STORE_BODY_MAX * 5)
#define BODY_ARENA_MAX (STORE_BODY_MAX * 3)
#define AGAIN_SECONDS 10 /* after a failure */

struct relabel {
    struct store *store;
    struct policy_book *book;
    relabel_done *done;
    void *ctx;
    struct access who;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t called;
    bool wake, stop; /* under `lock` */
};

/* One that has to change. */
struct change {
    uint64_t row;
    int type;
    struct str id;
    struct sb sealed;
    struct index index;
};

struct step {
    struct store_job job;
    struct relabel *r;
    const struct policy *policy;
    struct params *params;
    struct arena a;   /* of the step */
    struct arena one; /* of one body */
    struct sb text;
    uint64_t *hits; /* versions that have a rule's code, or a label of the node's */
    size_t n_hits;
    struct change *changes;
    size_t n_changes;
    uint64_t print, position, changed;
    bool is_last;
};

/* ---- what has to change ---- */

static bool has_set(yyjson_val *root)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(js_get(root, "meta"), "security"), i, max, one) {
        if (label_is_set(one))
            return true;
    }
    return false;
}

static int parse(struct step *s, const struct row *row, struct arena *a, yyjson_val **ret,
                 struct err *err)
{
    int r;

    sb_reset(&s->text);
    if ((r = row_json(s->r->store, row, &s->text, err)) < 0 || (r = sb_ok(&s->text, err)) < 0)
        return r;
    return js_parse_stored(a, sb_view(&s->text), ret, err);
}

static int look(void *ctx, const struct row *row, struct err *err)
{
    struct step *s = ctx;
    yyjson_val *root;
    int r;

    if (!row->is_current || row->method == METHOD_DELETE || row->is_locked)
        return 0;
    arena_reset(&s->one);
    if ((r = parse(s, row, &s->one, &root, err)) < 0)
        return r;
    if (label_rules(s->policy, root) || has_set(root))
        s->hits[s->n_hits++] = row->row;
    return 0;
}

static int prepare(struct step *s, struct store_txn *txn, uint64_t number, struct err *err)
{
    struct change *c = &s->changes[s->n_changes];
    uint64_t rules, ages, held = 0;
    yyjson_val *root, *labelled = NULL;
    struct row row;
    int r = store_get_row(txn, number, &row, err);

    if (r == ERR_NOT_FOUND)
        return 0;
    if (r < 0)
        return r;
    *c = (struct change){.row = row.row, .type = row.type, .id = arena_dup(&s->a, row.id)};
    if (!c->id.p)
        return err_no_memory(err);
    arena_reset(&s->one);
    if ((r = parse(s, &row, &s->one, &root, err)) < 0)
        return r;
    rules = label_rules(s->policy, root);
    ages = label_by_age(s->policy, rules);
    if (ages)
        r = label_for_age(txn, s->r->store, &s->one, s->policy, s->params, c->type, root, ages,
                          &held, err);
    if (r >= 0)
        r = label_set(&s->a, s->policy, (rules & ~ages) | held, true, root, &labelled, err);
    if (r <= 0)
        return r;
    c->sealed = sb_make(STORE_BODY_MAX + KIB(64));
    s->n_changes++;
    r = index_extract(&s->a, s->params, store_index_options(s->r->store), c->type, labelled,
                      &c->index, err);
    return r < 0 ? r : store_seal(s->r->store, labelled, &c->sealed, err);
}

/* ---- on the writer ---- */

static int apply(struct store_txn *txn, struct step *s, struct err *err)
{
    int r = 0;

    s->changed = 0;
    for (size_t i = 0; i < s->n_changes && r >= 0; i++) {
        const struct change *c = &s->changes[i];
        struct put put = {.method = METHOD_UPDATE,
                          .type = c->type,
                          .id = c->id,
                          .sealed = sb_view(&c->sealed),
                          .index = &c->index};
        struct version version;
        struct row now;

        r = store_get(txn, c->type, c->id, &now, err);
        /* What was written since has the labels of now. */
        if (r == ERR_NOT_FOUND || (r >= 0 && now.row != c->row)) {
            r = 0;
            continue;
        }
        if (r >= 0)
            r = store_put(txn, &put, &version, err);
        s->changed++;
    }
    return r;
}

static int step_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct step *s = (struct step *)job;
    char text[64];
    int r = apply(txn, s, err);

    if (r < 0)
        return r;
    snprintf(text, sizeof text, "%016" PRIx64 " %" PRIu64, s->print, s->position);
    if (!s->is_last)
        return store_meta_set(txn, META_UNDER, str_c(text), err);
    snprintf(text, sizeof text, "%016" PRIx64, s->print);
    r = store_meta_set(txn, META_DONE, str_c(text), err);
    return r < 0 ? r : store_meta_set(txn, META_UNDER, STR(""), err);
}

static int barrier_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)txn, (void)job, (void)err;
    return 0;
}

/* ---- the walk ---- */

static int gather(struct step *s, uint64_t goal, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct page page = {0};
    int r = store_begin(s->r->store, &s->r->who, &txn, err);

    if (r >= 0)
        r = store_feed(txn, s->position, RELABEL_STEP_ROWS, &s->a, &page, err);
    if (r < 0)
        return r;
    s->hits = ARENA_ARRAY(&s->a, uint64_t, page.n + 1);
    s->changes = ARENA_ARRAY(&s->a, struct change, page.n + 1);
    if (!s->hits || !s->changes)
        return err_no_memory(err);
    r = store_each_row(txn, page.rows, page.n, look, s, err);
    s->position = page.n ? page.rows[page.n - 1] : goal;
    for (size_t i = 0; i < s->n_hits && r >= 0; i++) {
        if (s->a.used_bytes > STEP_BYTES_MAX) {
            s->position = s->hits[i] - 1; /* the rest is another step's */
            break;
        }
        r = prepare(s, txn, s->hits[i], err);
    }
    s->is_last = s->position >= goal;
    return MIN(r, 0);
}

static void step_done(struct step *s)
{
    for (size_t i = 0; i < s->n_changes; i++)
        sb_done(&s->changes[i].sealed);
    sb_done(&s->text);
    arena_done(&s->a);
    arena_done(&s->one);
    params_unref(s->params);
}

static int one_step(struct relabel *r, const struct policy *p, uint64_t print, uint64_t goal,
                    uint64_t *position, uint64_t *changed, bool *ret_last, struct err *err)
{
    _cleanup_(step_done) struct step s = {.job = {.run = step_run, .who = &r->who},
                                          .r = r,
                                          .policy = p,
                                          .params = store_params(r->store),
                                          .text = sb_make(STORE_BODY_MAX + KIB(1)),
                                          .print = print,
                                          .position = *position};
    int e;

    arena_init(&s.a, STEP_ARENA_MAX);
    arena_init(&s.one, BODY_ARENA_MAX);
    if ((e = gather(&s, goal, err)) < 0)
        return e;
    s.job.weight = MAX(s.n_changes, (size_t)1);
    if ((e = store_write(r->store, &s.job, err)) < 0)
        return e;
    *position = s.position;
    *changed += s.changed;
    *ret_last = s.is_last;
    return 0;
}

static bool is_called(struct relabel *r)
{
    bool is;

    pthread_mutex_lock(&r->lock);
    is = r->wake || r->stop;
    pthread_mutex_unlock(&r->lock);
    return is;
}

/* How far the store is: whether all is done, else from where to go on, and to where. */
static int where_to(struct relabel *r, uint64_t print, bool *ret_done, uint64_t *ret_from,
                    uint64_t *ret_goal, struct err *err)
{
    struct store_job barrier = {.run = barrier_run, .who = &r->who};
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    _cleanup_(arena_done) struct arena a;
    struct str done, under;
    uint64_t was = NOTHING_DONE, begun = 0;
    char text[64];
    int e;

    arena_init(&a, KIB(16));
    /* What was written by the policy before is durable behind this. */
    if ((e = store_write(r->store, &barrier, err)) < 0 ||
        (e = store_begin(r->store, &r->who, &txn, err)) < 0 ||
        (e = store_meta_get(txn, META_DONE, &a, &done, err)) < 0 ||
        (e = store_meta_get(txn, META_UNDER, &a, &under, err)) < 0)
        return e;
    snprintf(text, sizeof text, "%.*s", (int)MIN(done.n, 60u), done.n ? done.p : "");
    if (done.n && sscanf(text, "%" SCNx64, &was) != 1)
        return err_set(err, ERR_NO_STORE, "what was labelled by is damaged");
    snprintf(text, sizeof text, "%.*s", (int)MIN(under.n, 60u), under.n ? under.p : "");
    *ret_from = 0;
    if (under.n && (sscanf(text, "%" SCNx64 " %" SCNu64, &begun, ret_from) != 2 || begun != print))
        *ret_from = 0;
    *ret_goal = store_position(txn);
    /* One that was begun by other labels has set some of them. */
    *ret_done = was == print && !under.n;
    return 0;
}

static int relabel_all(struct relabel *r, struct err *err)
{
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    uint64_t print, position = 0, goal = 0, changed = 0;
    bool is_done = false;
    int e = policy_book_get(r->book, &p, err);

    if (e < 0)
        return e;
    print = label_print(p);
    if ((e = where_to(r, print, &is_done, &position, &goal, err)) < 0 || is_done)
        return e;
    while (e >= 0 && !is_done && !is_called(r))
        e = one_step(r, p, print, goal, &position, &changed, &is_done, err);
    if (e < 0 || !is_done)
        return e;
    log_event(LOG_INFO, LOG_JOB, "labels=%" PRIu64 " policy=%" PRIu64, changed, p->number);
    if (r->done)
        r->done(r->ctx, p, changed);
    return 0;
}

/* True when there is to be another look. */
static bool wait_for_call(struct relabel *r, bool again)
{
    struct timespec at;
    bool goes_on;

    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += AGAIN_SECONDS;
    pthread_mutex_lock(&r->lock);
    while (!r->wake && !r->stop)
        if (again ? pthread_cond_timedwait(&r->called, &r->lock, &at) != 0
                  : pthread_cond_wait(&r->called, &r->lock) != 0)
            break;
    goes_on = !r->stop;
    r->wake = false;
    pthread_mutex_unlock(&r->lock);
    return goes_on;
}

static void *work(void *arg)
{
    struct relabel *r = arg;
    bool failed = false;

    while (wait_for_call(r, failed)) {
        struct err err = {0};

        failed = relabel_all(r, &err) < 0;
        if (failed)
            log_err(LOG_WARN, LOG_JOB_FAILED, &err);
    }
    return NULL;
}

int relabel_start(struct store *store, struct policy_book *book, relabel_done *done, void *ctx,
                  struct relabel **ret, struct err *err)
{
    struct relabel *r = calloc(1, sizeof *r);

    if (!r)
        return err_no_memory(err);
    r->store = store;
    r->book = book;
    r->done = done;
    r->ctx = ctx;
    r->who = trust_job(STR("labels"));
    r->wake = true;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->called, NULL);
    if (pthread_create(&r->thread, NULL, work, r) != 0) {
        pthread_cond_destroy(&r->called);
        pthread_mutex_destroy(&r->lock);
        free(r);
        return err_no_memory(err);
    }
    *ret = r;
    return 0;
}

void relabel_wake(struct relabel *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->wake = true;
    pthread_cond_signal(&r->called);
    pthread_mutex_unlock(&r->lock);
}

void relabel_stop(struct relabel *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_signal(&r->called);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->called);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
