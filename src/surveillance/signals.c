#include "surveillance/signals.h"

#include "surveillance/records_int.h"
#include "surveillance/signals_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

#define ONE_ARENA_MAX (STORE_BODY_MAX * 5) /* of one Task */
#define TASK_MAX MIB(16)
#define TASK_TAKEN_MAX MIB(15) /* bytes of one with what people wrote that is brought up to date   \
                                */
#define SIGNALS_ARENA_MAX MIB(256)
#define LOOK_PAGE 500
#define GROWN 1.25 /* a count is told again once it has grown so much */

/* An event: crossing weeks of a disease at a place, none further from the next than the quiet days.
 */
struct event {
    uint16_t disease;
    uint32_t place;                /* NOT_THERE: the country */
    struct str id;                 /* of the Task */
    int32_t first_week, last_week; /* as the Task says */
    int32_t looked_week;           /* when the Task was last to be written; `count` is of it */
    uint32_t count;
    bool is_withdrawn, was_written;
};

struct signals {
    struct store *store;
    struct access node;
    const struct case_definitions *definitions;
    const struct signal_rules *rules;
    struct notify *notify;
    struct arena a; /* of the events */
    struct event *v;
    size_t n, room;
    int32_t oldest; /* week; events whose last is before it are over, and not remembered */
    bool is_loaded;
};

int signals_new(struct store *store, const struct access *node,
                const struct case_definitions *definitions, const struct signal_rules *rules,
                struct signals **ret, struct err *err)
{
    struct signals *s = calloc(1, sizeof *s);

    if (!s)
        return err_no_memory(err);
    s->store = store;
    s->node = *node;
    s->definitions = definitions;
    s->rules = rules;
    arena_init(&s->a, SIGNALS_ARENA_MAX);
    *ret = s;
    return 0;
}

void signals_free(struct signals *s)
{
    if (!s)
        return;
    arena_done(&s->a);
    free(s);
}

void signals_tell_by(struct signals *s, struct notify *notify)
{
    s->notify = notify;
}

/* ---- events that Tasks tell of ---- */

static int add_event(struct signals *s, const struct event *e, struct err *err)
{
    struct event *v =
        s->n < SIGNALS_MAX ? names_room(&s->a, s->v, s->n, &s->room, sizeof *v) : NULL;

    if (!v)
        return err_no_memory(err);
    s->v = v;
    v[s->n++] = *e;
    return 0;
}

static int take_task(struct signals *s, const struct records *r, yyjson_val *task, struct err *err)
{
    const struct case_definition *d;
    struct signal_read said;
    struct event e = {.was_written = true};

    if (!signal_read(task, &said))
        return 0;
    d = case_definition_find(s->definitions, said.disease);
    e.place = said.place.p ? names_find(&r->place_ids, said.place) : NOT_THERE;
    if (!d || (said.place.p && e.place == NOT_THERE))
        return 0; /* of a disease or a place that is no more */
    e.disease = (uint16_t)(d - s->definitions->v);
    e.id = arena_dup(&s->a, said.id);
    e.last_week = e.looked_week = signal_week(said.week);
    e.first_week = signal_week(said.first_week);
    e.count = said.count;
    e.is_withdrawn = said.is_withdrawn;
    if (!e.id.p)
        return err_no_memory(err);
    return e.last_week < s->oldest || e.first_week == INT32_MIN ? 0 : add_event(s, &e, err);
}

/* *ret_n: of how many bytes. */
static int parse_row(struct signals *s, const struct row *row, struct arena *a, yyjson_val **ret,
                     size_t *ret_n, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));
    struct str copy;
    int r = row_json(s->store, row, &text, err);

    if (r >= 0)
        r = sb_ok(&text, err);
    if (r < 0)
        return r;
    copy = arena_dup(a, sb_view(&text));
    *ret_n = copy.n;
    return copy.p ? js_parse_stored(a, copy, ret, err) : err_no_memory(err);
}

static int load_page(struct signals *s, const struct records *r, struct store_txn *txn,
                     const struct page *page, struct err *err)
{
    int wrong = 0;

    for (size_t i = 0; i < page->n && wrong == 0; i++) {
        struct arena a;
        struct row row;
        yyjson_val *task;
        size_t n;

        arena_init(&a, ONE_ARENA_MAX);
        wrong = store_get_row(txn, page->rows[i], &row, err);
        if (wrong >= 0)
            wrong = parse_row(s, &row, &a, &task, &n, err);
        if (wrong >= 0)
            wrong = take_task(s, r, task, err);
        arena_done(&a);
    }
    return wrong;
}

/* What was signalled before this start. */
static int load(struct signals *s, const struct records *r, struct store_txn *txn, struct err *err)
{
    struct search_options opt = {.index = *store_index_options(s->store), .strict = true};
    struct params *params = store_params(s->store);
    struct search search;
    struct page page;
    struct arena a;
    int wrong;

    arena_init(&a, ONE_ARENA_MAX);
    wrong = search_parse(&a, params, &opt, def_resource(STR("Task")),
                         STR("code=" SIGNAL_SYSTEM "%7Csignal"), &search, err);
    search.count = LOOK_PAGE;
    search.total = TOTAL_NONE;
    do {
        if (wrong >= 0)
            wrong = store_search(txn, &search, 0, &a, &page, err);
        if (wrong < 0)
            break;
        wrong = load_page(s, r, txn, &page, err);
        search.cursor = page.next;
    } while (wrong >= 0 && search.cursor.p);
    arena_done(&a);
    params_unref(params);
    return MIN(wrong, 0);
}

static int load_once(struct signals *s, const struct records *r, struct err *err)
{
    struct store_txn *txn = NULL;
    int wrong;

    if (s->is_loaded)
        return 0;
    wrong = store_begin(s->store, &s->node, &txn, err);
    if (wrong < 0)
        return wrong;
    arena_reset(&s->a);
    s->v = NULL;
    s->n = s->room = 0;
    wrong = load(s, r, txn, err);
    store_end(txn);
    s->is_loaded = wrong >= 0;
    return wrong;
}

static int32_t weeks_quiet(const struct signals *s)
{
    return (s->rules->quiet_days + 6) / 7;
}

static void forget_old(struct signals *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].last_week >= s->oldest)
            s->v[n++] = s->v[i];
    s->n = n;
}

/* The latest event of a disease at a place that is not too long ago; NULL. */
static struct event *event_of(struct signals *s, uint16_t disease, uint32_t place, int32_t week)
{
    struct event *found = NULL;

    for (size_t i = 0; i < s->n; i++) {
        struct event *e = &s->v[i];
        if (e->disease == disease && e->place == place && week - e->last_week <= weeks_quiet(s) &&
            (!found || e->last_week > found->last_week))
            found = e;
    }
    return found;
}

/* ---- one Task ---- */

enum task_outcome { TASK_WRITTEN, TASK_SAID, TASK_ENDED };

struct task_job {
    struct store_job job; /* first */
    struct signals *s;
    const struct signal_said *said;
    bool tells; /* who is to be told is */
    bool was_there;
    enum task_outcome outcome; /* SAID, ENDED: it stays as it is */
    struct arena a;
};

static int put_task(struct task_job *t, struct store_txn *txn, struct str text, struct err *err)
{
    _cleanup_(sb_done) struct sb sealed = sb_make(TASK_MAX);
    struct signals *s = t->s;
    struct params *params = store_params(s->store);
    struct put put = {.type = def_resource(STR("Task")),
                      .id = t->said->id,
                      .method = t->was_there ? METHOD_UPDATE : METHOD_CREATE};
    struct version version;
    struct index index;
    yyjson_val *root;
    int r = js_parse(&t->a, text, &root, err);

    if (r >= 0)
        r = index_extract(&t->a, params, store_index_options(s->store), put.type, root, &index,
                          err);
    if (r >= 0)
        r = store_seal(s->store, root, &sealed, err);
    put.sealed = sb_view(&sealed);
    put.index = &index;
    if (r >= 0)
        r = store_put(txn, &put, &version, err);
    params_unref(params);
    return r;
}

static int tell(struct task_job *t, struct store_txn *txn, struct err *err)
{
    struct signals *s = t->s;
    int r = 0;

    for (size_t i = 0; i < s->rules->n_tell && s->notify && r >= 0; i++) {
        const struct notice notice = {
            .kind = NOTICE_SIGNAL, .owner = s->rules->tell[i], .when_ms = t->said->now_ms};
        r = notify_about(s->notify, txn, s->rules->tell[i], &notice, err);
    }
    return r;
}

/* A Task that says all of it already: another node of the store was faster. */
static bool says_so(yyjson_val *task, const struct signal_said *s)
{
    struct signal_read said;

    return signal_read(task, &said) && said.is_withdrawn == s->is_withdrawn &&
           said.count == s->judged->count && signal_week(said.week) == s->judged->week;
}

/* One that people made too large does not hold up the others. */
static int leave_large(struct task_job *t)
{
    log_event(LOG_WARN, LOG_SURVEILLANCE, "too-large=Task/%.*s", STR_ARG(t->said->id));
    t->outcome = TASK_ENDED;
    return 0;
}

/* What stands there is looked at on the writer: people write too, and other processes. */
static int task_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct task_job *t = (struct task_job *)job;
    _cleanup_(sb_done) struct sb text = sb_make(TASK_MAX);
    yyjson_val *before = NULL;
    struct row row;
    size_t n = 0;
    int r = store_get(txn, def_resource(STR("Task")), t->said->id, &row, err);

    if (r < 0 && r != ERR_NOT_FOUND)
        return r;
    t->was_there = r >= 0;
    if (t->was_there && row.method == METHOD_DELETE) {
        t->outcome = TASK_ENDED; /* somebody took it away */
        return 0;
    }
    if (t->was_there && (r = parse_row(t->s, &row, &t->a, &before, &n, err)) < 0)
        return r;
    if (before)
        t->outcome = signal_is_ended(before)    ? TASK_ENDED
                     : says_so(before, t->said) ? TASK_SAID
                                                : TASK_WRITTEN;
    if (t->outcome != TASK_WRITTEN)
        return 0;
    if (n > TASK_TAKEN_MAX)
        return leave_large(t);
    signal_task(&text, t->said, before);
    if ((r = sb_ok(&text, err)) < 0 || (r = put_task(t, txn, sb_view(&text), err)) < 0)
        return r;
    return t->tells && !t->was_there ? tell(t, txn, err) : 0;
}

/* An outcome, or negative. */
static int write_task(struct signals *s, const struct signal_said *said, bool tells,
                      struct err *err)
{
    struct task_job t = {
        .job = {.run = task_run, .who = &s->node}, .s = s, .said = said, .tells = tells};
    int r;

    arena_init(&t.a, ONE_ARENA_MAX);
    r = store_write(s->store, &t.job, err);
    arena_done(&t.a);
    if (r >= 0 && tells && !t.was_there && s->notify)
        notify_wake(s->notify);
    return r < 0 ? r : (int)t.outcome;
}

/* ---- from judgements to events ---- */

struct writing {
    struct signals *s;
    const struct judge *j;
    const struct records *r;
    int32_t today;
    int written;
};

/* Whether a place within this one crosses or has an event. */
static bool has_inner(const struct writing *w, const struct judged *of)
{
    const struct signals *s = w->s;

    for (size_t i = 0; i < w->j->n; i++) {
        const struct judged *v = &w->j->v[i];
        if (v->disease == of->disease && v->place != of->place && v->place != NOT_THERE &&
            judged_crosses(v) && place_is_within(w->r, v->place, of->place))
            return true;
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct event *e = &s->v[i];
        if (e->disease == of->disease && e->place != of->place && e->place != NOT_THERE &&
            !e->is_withdrawn && of->week - e->last_week <= weeks_quiet(s) &&
            place_is_within(w->r, e->place, of->place))
            return true;
    }
    return false;
}

/* The event of what this place is within, innermost first; NULL. */
static const struct event *outer(const struct writing *w, const struct judged *of)
{
    uint32_t place = of->place;

    for (int depth = 0; depth < PLACE_DEPTH_MAX && place != NOT_THERE; depth++) {
        const struct event *e;

        place = w->r->places[place].part_of;
        e = event_of(w->s, of->disease, place, of->week);
        if (e && e->was_written && !e->is_withdrawn)
            return e;
    }
    return NULL;
}

/* FNV-1a, twice: ids need no more than not to meet by chance. */
static uint64_t fnv(struct str s, uint64_t h)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* The same in every process that sees the same, so that two do not signal one event. */
static struct str event_id(struct signals *s, const struct writing *w, const struct judged *j)
{
    _cleanup_(sb_done) struct sb key = sb_make(KIB(4));

    sb_str(&key, s->definitions->v[j->disease].disease);
    sb_char(&key, '|');
    if (j->place != NOT_THERE)
        sb_str(&key, w->r->places[j->place].id);
    sb_char(&key, '|');
    signal_put_week(&key, j->week);
    return arena_fmt(&s->a, "signal-%016llx%016llx",
                     (unsigned long long)fnv(sb_view(&key), UINT64_C(0xcbf29ce484222325)),
                     (unsigned long long)fnv(sb_view(&key), UINT64_C(0x9e3779b97f4a7c15)));
}

static int write_event(struct writing *w, struct event *e, const struct judged *j, bool tells,
                       struct err *err)
{
    struct signals *s = w->s;
    const struct case_definition *d = &s->definitions->v[e->disease];
    const struct event *up = outer(w, j);
    const struct signal_said said = {
        .id = e->id,
        .disease = d->disease,
        .disease_title = d->title,
        .place = e->place == NOT_THERE ? STR_NULL : w->r->places[e->place].id,
        .place_name = e->place == NOT_THERE ? STR_NULL : w->r->places[e->place].name,
        .part_of = up ? up->id : STR_NULL,
        .judged = j,
        .first_week = e->first_week,
        .today = w->today,
        .is_open = j->week == w->j->open,
        .is_withdrawn = e->is_withdrawn,
        .now_ms = clock_now_ms(),
        .rules = s->rules,
        .definitions = s->definitions->version,
        .method = j->is_rare ? "rare"
                  : s->rules->detectors[e->disease].method
                      ? s->rules->detectors[e->disease].method->name
                      : "",
    };
    int r = write_task(s, &said, tells && !up, err);

    if (r < 0)
        return r;
    /* One that ended lasts as long as its Task says: that is all that a new start knows of it. */
    if (r != TASK_ENDED)
        e->last_week = MAX(e->last_week, j->week);
    w->written += r == TASK_WRITTEN;
    e->was_written = true;
    e->looked_week = MAX(e->looked_week, j->week);
    e->count = j->count;
    return 0;
}

/* What crosses: a new event, or the next that is to be said of one. */
static int take_crossing(struct writing *w, const struct judged *j, struct err *err)
{
    struct signals *s = w->s;
    struct event *e = event_of(s, j->disease, j->place, j->week);
    struct event fresh;
    bool was_withdrawn;
    int r;

    if (e) {
        was_withdrawn = e->is_withdrawn;
        e->is_withdrawn = false;
        if (e->was_written && !was_withdrawn &&
            (j->week < e->looked_week ||
             (j->week == e->looked_week &&
              (j->count <= e->count || j->count < GROWN * (double)e->count))))
            return 0;
        return write_event(w, e, j, !e->was_written, err);
    }
    if (has_inner(w, j))
        return 0;
    fresh = (struct event){.disease = j->disease,
                           .place = j->place,
                           .id = event_id(s, w, j),
                           .first_week = j->week,
                           .last_week = j->week,
                           .looked_week = j->week};
    if (!fresh.id.p)
        return err_no_memory(err);
    r = add_event(s, &fresh, err);
    return r < 0 ? r : write_event(w, &s->v[s->n - 1], j, true, err);
}

static const struct judged *find_judged(const struct judge *j, const struct event *e, bool *crosses)
{
    const struct judged *found = NULL;

    *crosses = false;
    for (size_t i = 0; i < j->n; i++) {
        const struct judged *v = &j->v[i];
        if (v->disease != e->disease || v->place != e->place || v->week < e->first_week)
            continue;
        *crosses |= judged_crosses(v);
        if (!found || v->week == e->last_week)
            found = v;
    }
    return found;
}

static int withdraw(struct writing *w, struct event *e, struct err *err)
{
    /* Where there are no cases at all any more, nothing was judged. */
    const struct judged none = {.disease = e->disease,
                                .place = e->place,
                                .week = e->last_week,
                                .point = {.threshold = NAN, .expected = NAN, .p = NAN}};
    bool crosses;
    const struct judged *v;

    if (e->is_withdrawn || e->first_week <= w->j->open - JUDGE_WEEKS)
        return 0;
    v = find_judged(w->j, e, &crosses);
    if (crosses || (!v && e->first_week > w->j->open)) /* another node may be ahead */
        return 0;
    e->is_withdrawn = true;
    return write_event(w, e, v ? v : &none, false, err);
}

void signals_forget(struct signals *s)
{
    s->is_loaded = false;
}

int signals_write(struct signals *s, const struct judge *j, const struct records *r, int32_t today,
                  struct err *err)
{
    struct writing w = {.s = s, .j = j, .r = r, .today = today};
    int wrong;

    s->oldest = j->open - (JUDGE_WEEKS - 1) - weeks_quiet(s);
    wrong = load_once(s, r, err);
    forget_old(s);
    /* Districts before provinces before the country: those with places within them come later. */
    for (int is_country = 0; is_country < 2; is_country++)
        for (size_t i = 0; i < j->n && wrong == 0; i++)
            if (judged_crosses(&j->v[i]) && (j->v[i].place == NOT_THERE) == (is_country == 1))
                wrong = take_crossing(&w, &j->v[i], err);
    for (size_t i = 0; i < s->n && wrong == 0; i++)
        wrong = withdraw(&w, &s->v[i], err);
    return wrong < 0 ? wrong : w.written;
}
