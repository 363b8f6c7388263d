#include "api/conformance.h"

#include "api/conformance_int.h"
#include "base/fault.h"
#include "base/log.h"
#include "trust/trust.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define META_NAME "conformance-tally"
#define TALLY_TEXT_MAX MIB(8)

struct policy_line {
    int type;
    struct str profile; /* in the policy's own text */
};

struct conformance {
    struct store *store;
    struct access who;
    char *text; /* of the policy */
    struct policy_line lines[CONFORMANCE_LINES_MAX];
    size_t n_lines;
    unsigned char modes[DEF_RESOURCE_MAX + 1]; /* enum conformance_mode; 0: of claims elsewhere */
    bool has_mode[DEF_RESOURCE_MAX + 1];

    pthread_mutex_t lock; /* over what follows */
    struct profiles *profiles;
    struct store_job barrier;
    bool is_waiting; /* for the barrier */

    struct tally tally;
    pthread_t thread;
    pthread_cond_t wake;
    bool is_running, stop;
};

struct conformance *conformance_new(struct store *store)
{
    struct conformance *f = fault_point("malloc") ? NULL : calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->store = store;
    f->who = trust_system();
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->wake, NULL);
    tally_init(&f->tally);
    return f;
}

/* ---- the tally in the store ---- */

struct flush {
    struct store_job job;
    struct str text;
};

static int flush_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    return store_meta_set(txn, META_NAME, ((struct flush *)job)->text, err);
}

static void flush(struct conformance *f)
{
    _cleanup_(sb_done) struct sb text = sb_make(TALLY_TEXT_MAX);
    struct flush job = {.job = {.run = flush_run, .who = &f->who}};
    struct err err;

    if (!f->tally.is_dirty)
        return;
    tally_write(&f->tally, &text);
    job.text = sb_view(&text);
    if (sb_ok(&text, &err) < 0 || store_write(f->store, &job.job, &err) < 0)
        log_err(LOG_ERROR, LOG_JOB_FAILED, &err);
}

static void *keep_flushing(void *ctx)
{
    struct conformance *f = ctx;

    pthread_mutex_lock(&f->lock);
    while (!f->stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += CONFORMANCE_FLUSH_MS / 1000;
        pthread_cond_timedwait(&f->wake, &f->lock, &until);
        pthread_mutex_unlock(&f->lock);
        flush(f);
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

int conformance_start(struct conformance *f, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    _cleanup_(arena_done) struct arena a;
    struct str text;
    int r;

    arena_init(&a, TALLY_TEXT_MAX * 2);
    if ((r = store_begin(f->store, &f->who, &txn, err)) < 0 ||
        (r = store_meta_get(txn, META_NAME, &a, &text, err)) < 0 ||
        (text.p && (r = tally_read(&f->tally, text, err)) < 0))
        return r;
    if (pthread_create(&f->thread, NULL, keep_flushing, f) != 0)
        return err_set(err, ERR_BUSY, "a thread cannot be started");
    f->is_running = true;
    return 0;
}

void conformance_free(struct conformance *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    while (f->is_waiting)
        pthread_cond_wait(&f->wake, &f->lock);
    f->stop = true;
    pthread_cond_broadcast(&f->wake);
    pthread_mutex_unlock(&f->lock);
    if (f->is_running) {
        pthread_join(f->thread, NULL);
        flush(f);
    }
    profiles_unref(f->profiles);
    tally_done(&f->tally);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    free(f->text);
    free(f);
}

/* ---- the policy ---- */

static int bad_line(struct err *err, size_t number, const char *what, struct str word)
{
    return err_set(err, ERR_VALUE, "line %zu of the profiles: \"%.*s\" %s", number,
                   (int)MIN(word.n, 100u), word.n ? word.p : "", what);
}

/* The next word of a line, empty at its end. */
static struct str next_word(struct str *line)
{
    struct str word;
    size_t i = 0;

    *line = str_trim(*line);
    while (i < line->n && line->p[i] != ' ' && line->p[i] != '\t')
        i++;
    word = str_head(*line, i);
    *line = str_from(*line, i);
    return word;
}

static int read_line(struct conformance *f, struct str line, size_t number, struct err *err)
{
    struct str name = next_word(&line), mode = next_word(&line), profile = next_word(&line);
    int type = def_resource(name);
    unsigned char m = str_eq(mode, STR("reject")) ? CONFORMANCE_REJECT : CONFORMANCE_WARN;

    if (!type && !str_eq(name, STR("*")))
        return bad_line(err, number, "is neither a resource type nor *", name);
    if (m == CONFORMANCE_WARN && !str_eq(mode, STR("warn")))
        return bad_line(err, number, "is neither warn nor reject", mode);
    if (type && !profile.n)
        return bad_line(err, number, "has no profile behind it", name);
    if (!type && profile.n)
        return bad_line(err, number, "stands behind *, which is for what resources claim", profile);
    if (str_trim(line).n)
        return bad_line(err, number, "is one word too many", str_trim(line));
    if (f->has_mode[type] && f->modes[type] != m)
        return bad_line(err, number, "is both warn and reject", name);
    f->has_mode[type] = true;
    f->modes[type] = m;
    if (!type)
        return 0;
    if (f->n_lines == CONFORMANCE_LINES_MAX)
        return err_set(err, ERR_COSTLY, "the profiles have more than %d lines",
                       CONFORMANCE_LINES_MAX);
    f->lines[f->n_lines++] = (struct policy_line){type, profile};
    return 0;
}

int conformance_policy(struct conformance *f, struct str text, struct err *err)
{
    struct str rest, line;
    size_t number = 0;

    f->text = malloc(text.n + 1);
    if (!f->text)
        return err_no_memory(err);
    memcpy(f->text, text.p, text.n);
    rest = str_n(f->text, text.n);
    while (rest.n && str_split(&rest, '\n', &line)) {
        ptrdiff_t comment = str_find(line, '#');
        int r;
        number++;
        /* A canonical may have a fragment: a comment begins the line, or stands behind a blank. */
        while (comment > 0 && line.p[comment - 1] != ' ' && line.p[comment - 1] != '\t') {
            ptrdiff_t next = str_find(str_from(line, (size_t)comment + 1), '#');
            comment = next < 0 ? -1 : comment + 1 + next;
        }
        line = str_trim(comment < 0 ? line : str_head(line, (size_t)comment));
        r = line.n ? read_line(f, line, number, err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

enum conformance_mode conformance_mode_of(const struct conformance *f, int type)
{
    return f->has_mode[type] ? f->modes[type] : f->modes[0];
}

/* ---- the profiles in force ---- */

struct profiles *conformance_profiles(struct conformance *f, const struct world *world)
{
    struct profiles *set;

    pthread_mutex_lock(&f->lock);
    if (!f->profiles)
        f->profiles = profiles_new(world);
    set = f->profiles ? profiles_ref(f->profiles) : NULL;
    pthread_mutex_unlock(&f->lock);
    return set;
}

static int barrier_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    (void)txn;
    (void)job;
    (void)err;
    return 0;
}

static void forget_profiles(struct conformance *f)
{
    struct profiles *old;

    pthread_mutex_lock(&f->lock);
    old = f->profiles;
    f->profiles = NULL;
    f->is_waiting = false;
    pthread_cond_broadcast(&f->wake);
    pthread_mutex_unlock(&f->lock);
    profiles_unref(old);
}

static void barrier_done(struct store_job *job, int r, const struct err *err)
{
    (void)r;
    (void)err;
    forget_profiles((struct conformance *)((char *)job - offsetof(struct conformance, barrier)));
}

/* What was written can be seen only when its group is durable: behind this job it is. */
void conformance_changed(struct conformance *f)
{
    bool is_waiting;

    pthread_mutex_lock(&f->lock);
    is_waiting = f->is_waiting;
    f->is_waiting = true;
    pthread_mutex_unlock(&f->lock);
    if (is_waiting)
        return;
    f->barrier = (struct store_job){.run = barrier_run, .done = barrier_done, .who = &f->who};
    store_submit(f->store, &f->barrier);
}

/* ---- one resource ---- */

static struct str sender_of(struct call *c, yyjson_val *root)
{
    struct str source = js_get_str(js_get(root, "meta"), "source");
    ptrdiff_t hash = str_find(source, '#');

    if (!source.n)
        return c->who.agent.n ? c->who.agent : STR("unknown");
    return hash > 0 ? str_head(source, (size_t)hash) : source;
}

/* What passes under `warn` is told as a warning. */
static void soften(struct issues *issues)
{
    for (struct issue *i = issues->first; i; i = i->next)
        if (i->severity <= ISSUE_ERROR)
            i->severity = ISSUE_WARNING;
    issues->n_errors = 0;
}

int conformance_check(struct conformance *f, struct call *c, int type, yyjson_val *root)
{
    enum conformance_mode mode = conformance_mode_of(f, type);
    struct str asked[CONFORM_PROFILES_MAX];
    struct conform_options options = {.world = c->api->world, .asked = asked};
    int r;

    if (mode == CONFORMANCE_OFF)
        return 0;
    for (size_t i = 0; i < f->n_lines && options.n_asked < ARRAY_LEN(asked); i++)
        if (f->lines[i].type == type)
            asked[options.n_asked++] = f->lines[i].profile;
    options.profiles = conformance_profiles(f, c->api->world);
    if (!options.profiles)
        return err_no_memory(&c->err);
    r = conform_check(root, &options, &c->issues, &c->err);
    profiles_unref(options.profiles);
    if (r < 0)
        return r;
    tally_count(&f->tally, sender_of(c, root), def_resource_name(type), &c->issues,
                mode == CONFORMANCE_REJECT && c->issues.n_errors);
    if (mode == CONFORMANCE_WARN)
        soften(&c->issues);
    return 0;
}

void conformance_count(struct conformance *f, struct call *c, int type, yyjson_val *root)
{
    if (conformance_mode_of(f, type) != CONFORMANCE_OFF)
        tally_count(&f->tally, sender_of(c, root), def_resource_name(type), &c->issues, true);
}

/* ---- telling ---- */

int conformance_report(struct conformance *f, struct sb *out, struct err *err)
{
    tally_report(&f->tally, out);
    return sb_ok(out, err);
}

int conformance_page(struct conformance *f, struct sb *out, struct err *err)
{
    tally_page(&f->tally, out);
    return sb_ok(out, err);
}
