#include "server/search_params.h"

#include "server/claim.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "fhir/validate.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLE_NAME "user-search-parameters"
#define CLAIM_NAME "user-search-parameters-claim"
#define TABLE_BYTES_MAX MIB(1)
#define SCAN_PAGE STR("_count=500")
#define SCAN_ARENA_MAX MIB(256)
#define LIST_END 0xbe00 /* behind the last number that a user's parameter may have */
#define ENDS_OFFSET                                                                                \
    INDEX_PARAM_ENDS /* the list of ends beside a list of dates (formats/index-keys.md) */

enum state { STATE_INDEXING = 'i', STATE_ACTIVE = 'a', STATE_DROPPING = 'd', STATE_REFUSED = 'r' };

/* One user-defined parameter; a line of the table that the store keeps. */
struct user_param {
    char id[FHIR_ID_MAX + 1];
    unsigned first, n; /* its list numbers */
    uint64_t hash;     /* of what it says: another hash is another parameter */
    enum state state;
    uint64_t position, goal; /* versions indexed, and to be indexed */
    struct str json;         /* while looking: the resource */
};

struct search_params {
    struct store *store;
    struct access who;
    struct claim claim;      /* to the work */
    struct arena arena;      /* of one look */
    struct user_param *list; /* changed only by the worker, under `lock` */
    size_t n;
    unsigned next; /* list number */
    void (*progress)(void *ctx, uint64_t done, uint64_t all);
    void *ctx;

    bool has_worked; /* the table says something that is not in force yet; the worker's */

    pthread_t thread;
    pthread_mutex_t lock;
    /* Taken last, and by itself where the thread is called: that may be from within its own look at
     * the store, which finds that another process has changed something. */
    pthread_mutex_t call_lock;
    pthread_cond_t called;
    bool wake, stop, is_working; /* under `call_lock` */
    int64_t retry_at_us;         /* to see whether who claims the work still lives; 0: no need */
    char failure[ERR_TEXT_MAX];  /* why the last work failed; under `lock` */
};

/* ---- the table ---- */

static int table_text(const struct search_params *sp, struct sb *out, struct err *err)
{
    sb_fmt(out, "%u\n", sp->next);
    for (size_t i = 0; i < sp->n; i++) {
        const struct user_param *u = &sp->list[i];
        if (u->state != STATE_REFUSED)
            sb_fmt(out, "%s %u %u %" PRIu64 " %c %" PRIu64 " %" PRIu64 "\n", u->id, u->first, u->n,
                   u->hash, u->state, u->position, u->goal);
    }
    return sb_ok(out, err);
}

/* Inside a job: the work is ours for a while. ERR_CONFLICT if it is another process's. */
static int claim(struct search_params *sp, struct store_txn *txn, struct err *err)
{
    int r = store_is_shared(sp->store) ? claim_take(&sp->claim, txn, err) : 1;

    return r ? MIN(r, 0) : err_set(err, ERR_CONFLICT, "another process indexes search parameters");
}

static struct user_param *add(struct search_params *sp)
{
    struct user_param *list = realloc(sp->list, (sp->n + 1) * sizeof *list);

    if (!list)
        return NULL;
    sp->list = list;
    list[sp->n] = (struct user_param){0};
    return &list[sp->n++];
}

static int table_read(struct search_params *sp, struct str text, struct err *err)
{
    struct str line;
    uint64_t next;

    sp->n = 0;
    sp->next = INDEX_PARAM_USER;
    if (!text.n || !str_split(&text, '\n', &line))
        return 0;
    if (!str_to_u64(line, LIST_END, &next))
        return err_set(err, ERR_NO_STORE, "the table of search parameters is damaged");
    sp->next = (unsigned)next;
    while (str_split(&text, '\n', &line)) {
        struct user_param u = {0}, *to;
        char copy[256], state;
        if (!line.n)
            continue;
        snprintf(copy, sizeof copy, "%.*s", STR_ARG(line));
        if (sscanf(copy, "%64s %u %u %" SCNu64 " %c %" SCNu64 " %" SCNu64, u.id, &u.first, &u.n,
                   &u.hash, &state, &u.position, &u.goal) != 7)
            return err_set(err, ERR_NO_STORE, "the table of search parameters is damaged");
        u.state = (enum state)state;
        to = add(sp);
        if (!to)
            return err_no_memory(err);
        *to = u;
    }
    return 0;
}

/* ---- jobs on the writer ---- */

struct step {
    struct store_job job;
    struct search_params *sp;
    struct params *params; /* to put in force, or NULL */
    const uint64_t *rows;  /* rows and their new keys */
    const struct index *keys;
    size_t n_rows;
    unsigned drop_list; /* list to shorten, 0: none */
    bool left;
};

static int step_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct step *s = (struct step *)job;
    _cleanup_(sb_done) struct sb text = sb_make(TABLE_BYTES_MAX);
    int r = claim(s->sp, txn, err);

    for (size_t i = 0; i < s->n_rows && r >= 0; i++)
        r = store_index_add(txn, s->rows[i], &s->keys[i], err);
    if (r >= 0 && s->drop_list)
        r = store_index_drop(txn, (uint16_t)s->drop_list, SEARCH_PARAMS_DROP_KEYS, &s->left, err);
    if (r >= 0)
        r = table_text(s->sp, &text, err);
    if (r >= 0)
        r = store_meta_set(txn, TABLE_NAME, sb_view(&text), err);
    /* On the writer's thread, so that every write behind this one indexes with it. Writes that were
     * prepared before see that the parameters changed and extract again. */
    if (r >= 0 && s->params) {
        r = store_changed(txn, err);
        store_params_set(s->sp->store, s->params);
    }
    return r;
}

static int run_step(struct search_params *sp, struct step *s, struct err *err)
{
    s->job.run = step_run;
    s->job.who = &sp->who;
    s->sp = sp;
    return store_write(sp->store, &s->job, err);
}

/* ---- looking at the resources ---- */

/* Those of every resource (_id, _text …) are not in the tables: search knows them by itself. */
static bool is_of_definitions(struct str url)
{
    static const struct str every[] = {STR("http://hl7.org/fhir/SearchParameter/Resource-"),
                                       STR("http://hl7.org/fhir/SearchParameter/DomainResource-")};
    size_t n;
    const struct def_param *all = def_params(&n);

    for (size_t i = 0; i < ARRAY_LEN(every); i++)
        if (str_starts(url, every[i]))
            return true;
    for (size_t i = 0; i < n; i++)
        if (str_eq(all[i].url, url))
            return true;
    return false;
}

/* What makes it another parameter: its code, type, bases, expression and components. */
static uint64_t meaning(yyjson_val *root)
{
    static const char *const parts[] = {"code", "type", "base", "expression", "component", "url"};
    _cleanup_(sb_done) struct sb text = sb_make(MIB(1));

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (js_get(root, parts[i]))
            js_write(&text, js_get(root, parts[i]));
        sb_char(&text, '\n');
    }
    return str_hash(sb_view(&text));
}

static unsigned count_lists(yyjson_val *root)
{
    yyjson_val *bases = js_get(root, "base"), *base;
    size_t i, max;

    yyjson_arr_foreach(bases, i, max, base)
        if (!def_resource(js_str(base)))
            return DEF_RESOURCE_MAX;
    return (unsigned)yyjson_arr_size(bases);
}

/* Finds or makes the line of one resource. `text` and `root` are gone afterwards. */
static int meet(struct search_params *sp, yyjson_val *root, struct str text, struct err *err)
{
    struct str status = js_get_str(root, "status"), id = js_get_str(root, "id"), json;
    uint64_t hash = meaning(root);
    struct user_param *u;

    if (!str_eq(status, STR("active")) && !str_eq(status, STR("draft")))
        return 0;
    if (is_of_definitions(js_get_str(root, "url")))
        return 0;
    json = arena_dup(&sp->arena, text);
    if (!json.p)
        return err_no_memory(err);
    for (size_t i = 0; i < sp->n; i++) {
        u = &sp->list[i];
        if (u->state != STATE_DROPPING && u->hash == hash && str_eq(str_c(u->id), id)) {
            u->json = json;
            return 0;
        }
    }
    u = add(sp);
    if (!u)
        return err_no_memory(err);
    snprintf(u->id, sizeof u->id, "%.*s", STR_ARG(id));
    u->n = count_lists(root);
    u->first = sp->next;
    u->hash = hash;
    u->json = json;
    u->state = u->first + u->n <= LIST_END ? STATE_INDEXING : STATE_REFUSED;
    if (u->state == STATE_INDEXING)
        sp->next += u->n;
    return 0;
}

/* Most are the definitions' own, which nothing is kept of: each is read into `a` by itself. */
static int meet_row(struct search_params *sp, struct store_txn *txn, uint64_t number,
                    struct arena *a, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    yyjson_val *root;
    struct row row;
    int r = store_get_row(txn, number, &row, err);

    if (r < 0 || (r = row_json(sp->store, &row, &text, err)) < 0)
        return r;
    arena_reset(a);
    r = js_parse_stored(a, sb_view(&text), &root, err);
    return r < 0 ? r : meet(sp, root, sb_view(&text), err);
}

static int meet_all(struct search_params *sp, struct store_txn *txn, struct err *err)
{
    struct search_options opt = {.index = *store_index_options(sp->store), .strict = true};
    struct params *params = store_params(sp->store);
    struct search s;
    struct page page = {0};
    struct arena one;
    int r = search_parse(&sp->arena, params, &opt, def_resource(STR("SearchParameter")), SCAN_PAGE,
                         &s, err);

    s.total = TOTAL_NONE;
    arena_init(&one, sp->arena.limit_bytes);
    while (r >= 0) {
        r = store_search(txn, &s, 0, &sp->arena, &page, err);
        for (size_t i = 0; r >= 0 && i < page.n; i++)
            r = meet_row(sp, txn, page.rows[i], &one, err);
        if (!page.next.p)
            break;
        s.cursor = page.next;
    }
    arena_done(&one);
    params_unref(params);
    return r;
}

/* The definitions' parameters and each of the users' that can be compiled. */
static int make_snapshot(struct search_params *sp, struct params **ret, struct err *err)
{
    struct params *params = params_base(err), *more;

    for (size_t i = 0; params && i < sp->n; i++) {
        struct user_param *u = &sp->list[i];
        yyjson_val *root;
        struct err why;
        if ((u->state != STATE_INDEXING && u->state != STATE_ACTIVE) || !u->json.p)
            continue;
        if (js_parse_stored(&sp->arena, u->json, &root, &why) < 0 ||
            params_with(params, root, (uint16_t)u->first, u->state == STATE_ACTIVE, &more, &why) <
                0) {
            log_event(LOG_WARN, LOG_JOB_FAILED, "search_parameter=%s code=%s", u->id,
                      err_name(why.code));
            u->state = STATE_REFUSED;
            continue;
        }
        params_unref(params);
        params = more;
    }
    *ret = params;
    return params ? 0 : err_no_memory(err);
}

static int claim_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    return claim(((struct step *)job)->sp, txn, err);
}

/* The resource behind a line, when it still says what was indexed. */
static int recall(struct search_params *sp, struct store_txn *txn, struct user_param *u,
                  struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    yyjson_val *root;
    struct str json;
    struct row row;
    int r = store_get(txn, def_resource(STR("SearchParameter")), str_c(u->id), &row, err);

    if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE))
        return 0;
    if (r < 0 || (r = row_json(sp->store, &row, &text, err)) < 0)
        return r;
    json = arena_dup(&sp->arena, sb_view(&text));
    if (!json.p)
        return err_no_memory(err);
    r = js_parse_stored(&sp->arena, json, &root, err);
    if (r >= 0 && meaning(root) == u->hash)
        u->json = json;
    return r;
}

static int load(struct search_params *sp, struct store_txn *txn, struct err *err)
{
    struct params *params;
    struct str text;
    int r = store_meta_get(txn, TABLE_NAME, &sp->arena, &text, err);

    if (r < 0 || !text.p)
        return r;
    r = table_read(sp, text, err);
    for (size_t i = 0; r >= 0 && i < sp->n; i++)
        if (sp->list[i].state != STATE_DROPPING)
            r = recall(sp, txn, &sp->list[i], err);
    if (r >= 0)
        r = make_snapshot(sp, &params, err);
    if (r < 0)
        return r;
    store_params_set(sp->store, params);
    params_unref(params);
    return 0;
}

/* Whether the table says now what `before` says, but for its first line: where numbers go on. */
static bool is_as_before(const struct search_params *sp, struct str before)
{
    _cleanup_(sb_done) struct sb text = sb_make(TABLE_BYTES_MAX);
    struct str now, line;

    if (table_text(sp, &text, NULL) < 0)
        return false;
    now = sb_view(&text);
    str_split(&now, '\n', &line);
    str_split(&before, '\n', &line);
    return str_eq(now, before);
}

/* Reads the table, meets the resources, and puts what follows in force. */
static int look(struct search_params *sp, struct err *err)
{
    struct step barrier = {.job = {.run = claim_run, .who = &sp->who}, .sp = sp};
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct step s = {0};
    struct str text;
    int r;

    arena_reset(&sp->arena);
    /* Whoever woke us may be in a group that is not durable yet: behind this job it is. */
    if ((r = store_write(sp->store, &barrier.job, err)) < 0 ||
        (r = store_begin(sp->store, &sp->who, &txn, err)) < 0 ||
        (r = store_meta_get(txn, TABLE_NAME, &sp->arena, &text, err)) < 0)
        return r;
    pthread_mutex_lock(&sp->lock);
    r = table_read(sp, text.p ? text : STR(""), err);
    if (r >= 0)
        r = meet_all(sp, txn, err);
    for (size_t i = 0; r >= 0 && i < sp->n; i++) {
        struct user_param *u = &sp->list[i];
        if (!u->json.p && u->state != STATE_REFUSED)
            u->state = STATE_DROPPING;
        if (u->state == STATE_INDEXING && !u->goal)
            u->goal = UINT64_MAX; /* known once it is in force */
    }
    if (r >= 0)
        r = make_snapshot(sp, &s.params, err);
    pthread_mutex_unlock(&sp->lock);
    store_end(txn);
    txn = NULL;
    if (r >= 0 && (sp->n || text.p) && (sp->has_worked || !is_as_before(sp, text)))
        r = run_step(sp, &s, err);
    if (r >= 0)
        sp->has_worked = false;
    params_unref(s.params);
    return r;
}

/* ---- indexing what was there before ---- */

static bool is_for_type(struct params *params, const struct user_param *u, int type)
{
    for (unsigned id = u->first; id < u->first + u->n; id++) {
        const struct param *p = param_by_id(params, (uint16_t)id);
        if (p && p->def.type == type)
            return true;
    }
    return false;
}

/* Keeps the keys of u's own lists. */
static void keep_own(const struct user_param *u, struct index *index)
{
    size_t n = 0;

    for (size_t i = 0; i < index->n_entries; i++) {
        unsigned list = index->entries[i].param;
        if ((list >= u->first && list < u->first + u->n) ||
            (list >= u->first + ENDS_OFFSET && list < u->first + u->n + ENDS_OFFSET))
            index->entries[n++] = index->entries[i];
    }
    index->n_entries = n;
}

static int keys_of(struct search_params *sp, struct params *params, const struct user_param *u,
                   const struct row *row, struct index *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    yyjson_val *root;
    int r = row_json(sp->store, row, &text, err);

    if (r < 0 || (r = js_parse_stored(&sp->arena, sb_view(&text), &root, err)) < 0)
        return r;
    r = index_extract(&sp->arena, params, store_index_options(sp->store), row->type, root, ret,
                      err);
    if (r >= 0)
        keep_own(u, ret);
    return r;
}

/* The keys of the next versions; *ret_last is the last one looked at. */
static int gather(struct search_params *sp, struct user_param *u, struct step *s,
                  uint64_t *ret_last, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct params *params = store_params(sp->store);
    uint64_t *rows;
    struct index *keys;
    struct page page = {0};
    struct row row;
    int r = store_begin(sp->store, &sp->who, &txn, err);

    if (r >= 0 && u->goal == UINT64_MAX)
        u->goal = store_position(txn);
    if (r >= 0)
        r = store_feed(txn, u->position, SEARCH_PARAMS_STEP_ROWS, &sp->arena, &page, err);
    *ret_last = r >= 0 && page.n ? page.rows[page.n - 1] : u->goal;
    rows = r >= 0 ? ARENA_ARRAY(&sp->arena, uint64_t, page.n) : NULL;
    keys = r >= 0 ? ARENA_ARRAY(&sp->arena, struct index, page.n) : NULL;
    if (r >= 0 && (!rows || !keys))
        r = err_no_memory(err);
    for (size_t i = 0; r >= 0 && i < page.n; i++) {
        r = store_get_row(txn, page.rows[i], &row, err);
        if (r < 0 || !row.is_current || row.method == METHOD_DELETE ||
            !is_for_type(params, u, row.type))
            continue;
        r = keys_of(sp, params, u, &row, &keys[s->n_rows], err);
        if (r >= 0 && keys[s->n_rows].n_entries)
            rows[s->n_rows++] = page.rows[i];
    }
    s->rows = rows;
    s->keys = keys;
    params_unref(params);
    return r;
}

static bool is_stopping(struct search_params *sp)
{
    bool stop;

    pthread_mutex_lock(&sp->call_lock);
    stop = sp->stop || sp->wake;
    pthread_mutex_unlock(&sp->call_lock);
    return stop;
}

static int index_one(struct search_params *sp, struct user_param *u, struct err *err)
{
    while (u->position < u->goal && !is_stopping(sp)) {
        struct step s = {0};
        uint64_t last;
        int r;

        arena_reset(&sp->arena);
        r = gather(sp, u, &s, &last, err);
        if (r < 0)
            return r;
        pthread_mutex_lock(&sp->lock);
        u->position = MIN(last, u->goal);
        pthread_mutex_unlock(&sp->lock);
        r = run_step(sp, &s, err);
        if (r < 0)
            return r;
        if (sp->progress)
            sp->progress(sp->ctx, u->position, u->goal);
    }
    if (u->position < u->goal)
        return 0;
    sp->has_worked = true;
    pthread_mutex_lock(&sp->lock);
    u->state = STATE_ACTIVE;
    pthread_mutex_unlock(&sp->lock);
    log_event(LOG_INFO, LOG_JOB, "search_parameter=%s state=active versions=%" PRIu64, u->id,
              u->goal);
    return run_step(sp, &(struct step){0}, err);
}

static int drop_one(struct search_params *sp, struct user_param *u, struct err *err)
{
    for (unsigned k = 0; k < 2 * u->n; k++) {
        unsigned list = k < u->n ? u->first + k : u->first + k - u->n + ENDS_OFFSET;
        struct step s = {.drop_list = list, .left = true};
        while (s.left) {
            int r;
            if (is_stopping(sp))
                return 0;
            r = run_step(sp, &s, err);
            if (r < 0)
                return r;
        }
    }
    sp->has_worked = true;
    pthread_mutex_lock(&sp->lock);
    *u = sp->list[--sp->n];
    pthread_mutex_unlock(&sp->lock);
    return run_step(sp, &(struct step){0}, err);
}

/* One parameter's work; *ret_more tells whether the table has to be looked at again. */
static int work_once(struct search_params *sp, bool *ret_more, struct err *err)
{
    int r = look(sp, err);

    *ret_more = false;
    for (size_t i = 0; r >= 0 && i < sp->n; i++) {
        struct user_param *u = &sp->list[i];
        if (u->state != STATE_INDEXING && u->state != STATE_DROPPING)
            continue;
        *ret_more = true;
        return u->state == STATE_INDEXING ? index_one(sp, u, err) : drop_one(sp, u, err);
    }
    return r;
}

/* ---- the thread ---- */

static void sp_init(struct search_params *sp, struct store *store)
{
    *sp = (struct search_params){
        .store = store, .who = trust_job(STR("search-parameters")), .wake = false};
    sp->claim = (struct claim){.name = CLAIM_NAME, .ms = SEARCH_PARAMS_CLAIM_MS};
    rng_secure(&sp->claim.me, sizeof sp->claim.me);
    arena_init(&sp->arena, SCAN_ARENA_MAX);
    pthread_mutex_init(&sp->lock, NULL);
    pthread_mutex_init(&sp->call_lock, NULL);
    pthread_cond_init(&sp->called, NULL);
}

static void sp_done(struct search_params *sp)
{
    arena_done(&sp->arena);
    free(sp->list);
    pthread_cond_destroy(&sp->called);
    pthread_mutex_destroy(&sp->call_lock);
    pthread_mutex_destroy(&sp->lock);
}

/* A look at the store's position: if another process has changed something, that reloads. */
static void glance(struct search_params *sp)
{
    struct store_txn *txn;

    if (store_begin(sp->store, &sp->who, &txn, NULL) < 0)
        return;
    store_position(txn);
    store_end(txn);
}

/* Until there is work. */
static void wait_for_work(struct search_params *sp)
{
    while (!sp->wake && !sp->stop) {
        struct timespec until;

        if (!store_is_shared(sp->store)) {
            pthread_cond_wait(&sp->called, &sp->call_lock);
            continue;
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += SEARCH_PARAMS_LOOK_SECONDS;
        pthread_cond_timedwait(&sp->called, &sp->call_lock, &until);
        if (sp->wake || sp->stop)
            break;
        if (sp->retry_at_us && clock_mono_us() > sp->retry_at_us)
            break;
        pthread_mutex_unlock(&sp->call_lock);
        glance(sp);
        pthread_mutex_lock(&sp->call_lock);
    }
    sp->retry_at_us = 0;
}

static void *follow(void *ctx)
{
    struct search_params *sp = ctx;
    bool more = true;

    for (;;) {
        struct err err;
        int r;

        pthread_mutex_lock(&sp->call_lock);
        if (!more)
            wait_for_work(sp);
        sp->wake = false;
        sp->is_working = true;
        if (sp->stop) {
            pthread_mutex_unlock(&sp->call_lock);
            if (more)
                claim_release(&sp->claim, sp->store, &sp->who);
            return NULL;
        }
        pthread_mutex_unlock(&sp->call_lock);
        r = work_once(sp, &more, &err);
        if (r == ERR_CONFLICT) {
            /* Another process is at it; should it die, the work is ours. */
            sp->retry_at_us = clock_mono_us() + SEARCH_PARAMS_CLAIM_MS * 1000LL;
            more = false;
            r = 0;
        }
        if (r < 0) {
            log_err(LOG_ERROR, LOG_JOB_FAILED, &err);
            more = false;
        }
        if (!more)
            claim_release(&sp->claim, sp->store, &sp->who);
        pthread_mutex_lock(&sp->lock);
        snprintf(sp->failure, sizeof sp->failure, "%s", r < 0 ? err.text : "");
        pthread_mutex_unlock(&sp->lock);
        pthread_mutex_lock(&sp->call_lock);
        sp->is_working = more;
        pthread_mutex_unlock(&sp->call_lock);
    }
}

int search_params_load(struct store *store, struct err *err)
{
    struct access who = trust_job(STR("search-parameters"));
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    int r = store_begin(store, &who, &txn, err);

    return r < 0 ? r : search_params_reload(store, txn, err);
}

int search_params_reload(void *store, struct store_txn *txn, struct err *err)
{
    _cleanup_(sp_done) struct search_params sp;

    sp_init(&sp, store);
    return load(&sp, txn, err);
}

int search_params_start(struct store *store, struct search_params **ret, struct err *err)
{
    struct search_params *sp = calloc(1, sizeof *sp);

    if (!sp)
        return err_no_memory(err);
    sp_init(sp, store);
    sp->is_working = true;
    if (pthread_create(&sp->thread, NULL, follow, sp) != 0) {
        sp_done(sp);
        free(sp);
        return err_no_memory(err);
    }
    *ret = sp;
    return 0;
}

void search_params_wake(struct search_params *sp)
{
    pthread_mutex_lock(&sp->call_lock);
    sp->wake = true;
    pthread_cond_signal(&sp->called);
    pthread_mutex_unlock(&sp->call_lock);
}

void search_params_stop(struct search_params *sp)
{
    if (!sp)
        return;
    pthread_mutex_lock(&sp->call_lock);
    sp->stop = true;
    pthread_cond_signal(&sp->called);
    pthread_mutex_unlock(&sp->call_lock);
    pthread_join(sp->thread, NULL);
    sp_done(sp);
    free(sp);
}

int search_params_run(struct store *store, void (*progress)(void *ctx, uint64_t done, uint64_t all),
                      void *ctx, struct err *err)
{
    _cleanup_(sp_done) struct search_params sp;
    bool more = true;
    int r = 0;

    sp_init(&sp, store);
    sp.progress = progress;
    sp.ctx = ctx;
    while (r >= 0 && more)
        r = work_once(&sp, &more, err);
    claim_release(&sp.claim, store, &sp.who);
    return r;
}

void search_params_status(struct search_params *sp, struct sb *out)
{
    bool is_working;

    pthread_mutex_lock(&sp->lock);
    sb_lit(out, "{\"parameters\":[");
    for (size_t i = 0; i < sp->n; i++) {
        const struct user_param *u = &sp->list[i];
        const char *state = u->state == STATE_ACTIVE     ? "active"
                            : u->state == STATE_INDEXING ? "indexing"
                            : u->state == STATE_DROPPING ? "dropping"
                                                         : "refused";
        sb_fmt(out, "%s{\"id\":\"%s\",\"state\":\"%s\"", i ? "," : "", u->id, state);
        if (u->state == STATE_INDEXING && u->goal != UINT64_MAX)
            sb_fmt(out, ",\"done\":%" PRIu64 ",\"all\":%" PRIu64, u->position, u->goal);
        sb_char(out, '}');
    }
    pthread_mutex_lock(&sp->call_lock);
    is_working = sp->is_working || sp->wake;
    pthread_mutex_unlock(&sp->call_lock);
    sb_fmt(out, "],\"working\":%s", is_working ? "true" : "false");
    if (sp->failure[0]) {
        sb_lit(out, ",\"failure\":");
        sb_json(out, str_c(sp->failure));
    }
    sb_lit(out, "}\n");
    pthread_mutex_unlock(&sp->lock);
}
