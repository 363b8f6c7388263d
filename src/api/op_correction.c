/* op_correction.c - corrections of a record (trust/correction.h):
 *
 *   Patient/ID/$request-correction  the person says what is wrong, and why
 *   Patient/ID/$corrections         what was asked and how it was decided, for them and for those
 *                                   who decide
 *   Patient/ID/$decide-correction   accepted, once the resource is changed, or refused
 */
#include "api/op.h"
#include "api/trail.h"

#include "base/clock.h"
#include "base/rng.h"
#include "notify/notify.h"
#include "trust/correction.h"
#include "trust/guard.h"
#include "trust/trust.h"

#define TASKS_QUERY                                                                                \
    "patient=Patient/%.*s&code=" CORRECTION_SYSTEM "%%7C" CORRECTION_TASK                          \
    "&_sort=-_lastUpdated&_count=100"

struct correcting {
    struct call *c;
    struct store_txn *txn; /* sees everything: Tasks are nobody's type to ask for */
    struct arena a;        /* of one Task */
    bool is_person, corrects;
    size_t n_open, n_listed;
    /* deciding */
    yyjson_val *task;
    uint64_t task_row; /* the version that was read */
    struct correction_decision d;
};

static int check_asker(struct call *c)
{
    if (!c->who.identity || !c->who.guard)
        return err_set(&c->err, ERR_NOT_SUPPORTED, "on this node nobody says who they are");
    if (c->who.identity->kind != IDENTITY_PERSON)
        return err_set(&c->err, ERR_FORBIDDEN, "a person does this, not a program");
    return 0;
}

/* Who asks, who must see the Patient; a transaction of the node's beside theirs. */
static int begin(struct correcting *k, struct store_txn *theirs)
{
    struct call *c = k->c;
    struct access node = trust_system();
    struct policy_role role;
    struct row row;
    int r = check_asker(c);

    if (r < 0 || (r = guard_role(c->who.guard, c->who.identity->role, &role, &c->err)) < 0 ||
        (r = op_row(c, theirs, c->type, c->id, &row)) < 0 || (r = op_is_own(c, c->id)) < 0)
        return r;
    k->is_person = r > 0;
    k->corrects = role.corrects;
    arena_init(&k->a, STORE_BODY_MAX * 3);
    trail_patient(c, c->id);
    return store_begin(c->api->store, &node, &k->txn, &c->err);
}

static void end(struct correcting *k)
{
    store_end(k->txn);
    arena_done(&k->a);
}

/* A text of the request, or an error that says which. */
static int read_text(struct call *c, const struct op_params *params, const char *name,
                     struct str *ret)
{
    struct str text = op_param_text(params, name);

    text = text.p ? str_trim(text) : STR("");
    if (text.n < CORRECTION_TEXT_MIN || text.n > CORRECTION_TEXT_MAX)
        return err_at(&c->err, ERR_REQUIRED, name, "%s is said in %d to %d bytes", name,
                      CORRECTION_TEXT_MIN, CORRECTION_TEXT_MAX);
    *ret = text;
    return 0;
}

static int new_id(struct call *c, struct str *ret)
{
    char uuid[UUID_TEXT_LEN + 1];

    uuid7(uuid);
    *ret = arena_dup(c->a, str_c(uuid));
    return ret->p ? 0 : err_no_memory(&c->err);
}

static int version_url(struct call *c, const struct row *row, struct str *ret)
{
    char vid[STORE_VERSION_ID_MAX];

    version_format(&row->version, vid);
    *ret = arena_fmt(c->a, "%.*s/%.*s/_history/%s", STR_ARG(def_resource_name(row->type)),
                     STR_ARG(row->id), vid);
    return ret->p ? 0 : err_no_memory(&c->err);
}

/* ---- asking ---- */

static int count_open(void *ctx, uint64_t number)
{
    struct correcting *k = ctx;
    struct row row;
    yyjson_val *task;
    int r = store_get_row(k->txn, number, &row, &k->c->err);

    arena_reset(&k->a);
    if (r < 0 || (r = op_json_in(k->c, &k->a, &row, &task)) < 0)
        return r;
    k->n_open += correction_is_open(task);
    return k->n_open < CORRECTION_OPEN_MAX
               ? 0
               : err_set(&k->c->err, ERR_THROTTLED, "%d requests of yours are not decided yet",
                         CORRECTION_OPEN_MAX);
}

static int tasks(struct correcting *k, int (*each)(void *ctx, uint64_t number))
{
    struct call *c = k->c;
    struct str query = arena_fmt(c->a, TASKS_QUERY, STR_ARG(c->id));

    return query.p ? op_search_all(c, k->txn, def_resource(STR("Task")), query, each, k)
                   : err_no_memory(&c->err);
}

/* What the request is about: of their own record. */
static int read_focus(struct correcting *k, struct store_txn *txn, struct str reference,
                      struct str *ret)
{
    struct call *c = k->c;
    enum why why = WHY_NO_LINK;
    struct str id = STR("");
    struct row row;
    int type = 0, r;

    if (!reference.p || !op_local(c, reference, &type, &id))
        return err_at(&c->err, ERR_REQUIRED, "about",
                      "about names something of the record, as Type/id");
    r = guard_explain(c->who.guard, c->who.identity, type, id, &why, &c->err);
    if (r == ERR_NOT_FOUND || r == ERR_DELETED || (r >= 0 && why != WHY_OWN))
        return err_at(&c->err, ERR_NOT_FOUND, "about", "this is not of your record");
    if (r < 0 || (r = op_row(c, txn, type, id, &row)) < 0)
        return r;
    return version_url(c, &row, ret);
}

static struct str reference_of(const struct op_params *params, const char *name)
{
    const struct op_param *p = op_param_find(params, name);

    if (!p)
        return STR_NULL;
    return p->text.p ? p->text : js_get_str(p->value, "reference");
}

static int ask(struct correcting *k, struct store_txn *txn)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(64));
    struct call *c = k->c;
    struct correction asked = {.patient = c->id, .when_ms = clock_now_ms()};
    struct access node = trust_system();
    struct op_params params;
    int r = op_params_read(c, &params);

    if (r >= 0)
        r = op_params_only(c, &params, "about what why");
    if (r < 0 || (r = read_text(c, &params, "what", &asked.what)) < 0 ||
        (r = read_text(c, &params, "why", &asked.why)) < 0 ||
        (r = read_focus(k, txn, reference_of(&params, "about"), &asked.focus)) < 0 ||
        (r = tasks(k, count_open)) < 0 || (r = new_id(c, &asked.id)) < 0)
        return r;
    correction_task(&text, c->who.identity, &asked);
    if ((r = sb_ok(&text, &c->err)) < 0)
        return r;
    node.agent = c->who.agent;
    r = api_put_own(c->api, c->a, node, sb_view(&text), NULL, NULL, &c->err);
    if (r < 0)
        return r;
    sb_str(&c->out, sb_view(&text));
    c->status = 201;
    c->location = arena_fmt(c->a, "Task/%.*s", STR_ARG(asked.id));
    return sb_ok(&c->out, &c->err);
}

int op_request_correction(struct call *c, struct store_txn *txn)
{
    struct correcting k = {.c = c};
    int r = begin(&k, txn);

    if (r >= 0 && !k.is_person)
        r = err_set(&c->err, ERR_FORBIDDEN, "a correction is asked for by whose record it is");
    if (r >= 0)
        r = ask(&k, txn);
    end(&k);
    return MIN(r, 0);
}

/* ---- who decides ---- */

/* Whoever wrote the version that is said to be wrong. */
static int is_author(struct correcting *k, yyjson_val *task, bool *ret)
{
    struct call *c = k->c;
    struct str me = arena_fmt(c->a, "person %.*s ", STR_ARG(c->who.identity->subject));
    struct adoption of = {.parent = 0};
    struct str resource, version, id = STR("");
    struct version v;
    struct row row;
    int type = 0, r;

    *ret = false;
    if (!me.p)
        return err_no_memory(&c->err);
    if (!correction_focus(task, &resource, &version) || !op_local(c, resource, &type, &id) ||
        !version_parse(version, &v))
        return 0;
    r = store_get_version(k->txn, type, id, &v, &row, &c->err);
    if (r == ERR_NOT_FOUND)
        return 0;
    of.row.row = row.row;
    if (r < 0 || (r = store_lineage(k->txn, c->a, &of, 1, &c->err)) < 0)
        return r;
    *ret = c->who.identity->subject.n && str_starts(of.agent, me);
    return 0;
}

/* ---- listing ---- */

static int list_one(void *ctx, uint64_t number)
{
    struct correcting *k = ctx;
    struct call *c = k->c;
    bool may = k->is_person || k->corrects;
    struct row row;
    yyjson_val *task, *output, *one;
    size_t i, max;
    int r = store_get_row(k->txn, number, &row, &c->err);

    arena_reset(&k->a);
    if (k->n_listed == CORRECTION_LISTED_MAX || r < 0 ||
        (r = op_json_in(c, &k->a, &row, &task)) < 0 || (!may && (r = is_author(k, task, &may)) < 0))
        return MIN(r, 0);
    if (!may)
        return 0;
    sb_str(&c->out, k->n_listed++ ? STR(",{\"resource\":") : STR("{\"resource\":"));
    js_write(&c->out, task);
    sb_char(&c->out, '}');
    output = js_get(task, "output");
    yyjson_arr_foreach(output, i, max, one) {
        struct str to = js_get_str(js_get(one, "valueReference"), "reference");
        yyjson_val *found;

        if (!str_starts(to, STR("Provenance/")))
            continue;
        r = op_resource(c, k->txn, def_resource(STR("Provenance")), str_from(to, 11), &found);
        if (r < 0)
            return r == ERR_NOT_FOUND || r == ERR_DELETED ? 0 : r;
        sb_lit(&c->out, ",{\"resource\":");
        js_write(&c->out, found);
        sb_char(&c->out, '}');
    }
    return 0;
}

int op_corrections(struct call *c, struct store_txn *txn)
{
    struct correcting k = {.c = c};
    int r = begin(&k, txn);

    if (r >= 0) {
        sb_lit(&c->out, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[");
        r = tasks(&k, list_one);
        sb_lit(&c->out, "]}");
    }
    if (r >= 0 && !k.n_listed) {
        sb_reset(&c->out);
        sb_lit(&c->out, "{\"resourceType\":\"Bundle\",\"type\":\"collection\"}");
    }
    end(&k);
    c->status = 200;
    return r < 0 ? r : sb_ok(&c->out, &c->err);
}

/* ---- deciding ---- */

static int read_task(struct correcting *k, const struct op_params *params)
{
    struct call *c = k->c;
    struct str of = reference_of(params, "request"), whose;
    bool may = k->corrects;
    struct row row;
    int r;

    if (!of.p || !str_starts(of, STR("Task/")))
        return err_at(&c->err, ERR_REQUIRED, "request", "request names the Task");
    r = op_row(c, k->txn, def_resource(STR("Task")), str_from(of, 5), &row);
    if (r >= 0) {
        k->task_row = row.row;
        r = op_json(c, &row, &k->task);
    }
    if (r < 0 && r != ERR_NOT_FOUND && r != ERR_DELETED)
        return r;
    whose = r < 0 ? STR("") : js_get_str(js_get(k->task, "for"), "reference");
    if (r >= 0 && !may)
        r = is_author(k, k->task, &may);
    if (r < 0 || !may || k->is_person || !correction_is_task(k->task) ||
        !str_starts(whose, STR("Patient/")) || !str_eq(str_from(whose, 8), c->id))
        return err_set(&c->err, ERR_NOT_FOUND, "there is no such request that you decide");
    return correction_is_open(k->task)
               ? 0
               : err_set(&c->err, ERR_CONFLICT, "the request is decided already");
}

/* The version that is there now: another than the one that was said to be wrong. */
static int find_target(struct correcting *k)
{
    struct call *c = k->c;
    struct str resource, version, id = STR("");
    char now[STORE_VERSION_ID_MAX];
    struct row row;
    int type = 0, r;

    if (!correction_focus(k->task, &resource, &version) || !op_local(c, resource, &type, &id))
        return err_set(&c->err, ERR_PROCESSING, "the request names nothing");
    r = op_row(c, k->txn, type, id, &row);
    if (r == ERR_DELETED)
        return err_set(&c->err, ERR_PROCESSING,
                       "what it was about was deleted: refuse it with "
                       "that as the reason");
    if (r < 0)
        return r;
    version_format(&row.version, now);
    if (str_eq(version, str_c(now)))
        return err_set(&c->err, ERR_PROCESSING,
                       "nothing has changed: correct %.*s first, then accept the request",
                       STR_ARG(resource));
    if ((r = version_url(c, &row, &k->d.target)) < 0)
        return r;
    return new_id(c, &k->d.provenance);
}

/* Decided once, also by two at the same time. */
static int also(void *ctx, struct store_txn *txn, struct err *err)
{
    struct correcting *k = ctx;
    struct call *c = k->c;
    struct notice notice = {.kind = NOTICE_CORRECTION, .when_ms = k->d.when_ms, .secret = STR("")};
    struct adoption of = {.parent = 0};
    struct row row;
    int r = store_get(txn, def_resource(STR("Task")), js_get_str(k->task, "id"), &row, err);

    of.row.row = row.row;
    if (r < 0 || (r = store_lineage(txn, c->a, &of, 1, err)) < 0)
        return r;
    if (of.parent != k->task_row)
        return err_set(err, ERR_CONFLICT, "the request is decided already");
    if (!c->api->notify)
        return 0;
    notice.owner = arena_fmt(c->a, "Patient/%.*s", STR_ARG(c->id));
    return notice.owner.p ? notify_about(c->api->notify, txn, notice.owner, &notice, err)
                          : err_no_memory(err);
}

static int write_decision(struct correcting *k)
{
    _cleanup_(sb_done) struct sb task = sb_make(KIB(128)), provenance = sb_make(KIB(64));
    struct call *c = k->c;
    struct access node = trust_system();
    struct api_line lines[2];
    size_t n = 0;
    int r;

    correction_decided(&task, k->task, &k->d);
    if (k->d.accepts)
        correction_provenance(&provenance, k->task, &k->d);
    if ((r = sb_ok(&task, &c->err)) < 0 || (r = sb_ok(&provenance, &c->err)) < 0)
        return r;
    lines[n++] = (struct api_line){.text = sb_view(&task)};
    if (k->d.accepts)
        lines[n++] = (struct api_line){.text = sb_view(&provenance)};
    node.agent = c->who.agent;
    r = api_put_definitions(c->api, c->a, node, lines, n, also, k, &c->err);
    for (size_t i = 0; i < n && r >= 0; i++)
        if (lines[i].result < 0) {
            c->err = lines[i].err;
            r = lines[i].result;
        }
    if (r < 0)
        return r;
    if (c->api->notify)
        notify_wake(c->api->notify);
    sb_str(&c->out, sb_view(&task));
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}

static int read_decision(struct correcting *k)
{
    struct call *c = k->c;
    struct op_params params;
    struct str word;
    int r = op_params_read(c, &params);

    if (r >= 0)
        r = op_params_only(c, &params, "request decision reason");
    if (r < 0 || (r = read_text(c, &params, "reason", &k->d.reason)) < 0)
        return r;
    word = op_param_text(&params, "decision");
    k->d.accepts = str_eq(word, STR("accepted"));
    if (!k->d.accepts && !str_eq(word, STR("refused")))
        return err_at(&c->err, ERR_VALUE, "decision", "decision is accepted or refused");
    k->d.by = c->who.identity;
    k->d.when_ms = clock_now_ms();
    if ((r = read_task(k, &params)) < 0 || !k->d.accepts)
        return r;
    return find_target(k);
}

int op_decide_correction(struct call *c, struct store_txn *txn)
{
    struct correcting k = {.c = c};
    int r = begin(&k, txn);

    if (r >= 0)
        r = read_decision(&k);
    if (r >= 0)
        r = write_decision(&k);
    end(&k);
    return MIN(r, 0);
}
