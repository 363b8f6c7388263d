#include "api/trail.h"

#include "api/op.h"
#include "api/waiter.h"
#include "base/clock.h"
#include "fhir/validate.h"
#include "trust/guard.h"

#include <ctype.h>

#define SCRATCH_MAX MIB(256)
#define QUERY_MAX KIB(64)
#define SHORT_BYTES KIB(4)

/* ---- a trail ---- */

static struct trail *make(struct call *c, struct str address, struct str request_id)
{
    struct trail *t = ARENA_NEW(c->a, struct trail);

    if (!t)
        return NULL;
    t->call = c;
    t->first = t->last = t;
    t->address = address;
    t->request_id = request_id;
    t->target = STR("");
    return t;
}

struct trail *trail_new(struct call *c, struct str address, struct str request_id)
{
    return make(c, arena_dup(c->a, address), arena_dup(c->a, request_id));
}

struct trail *trail_inner(struct trail *outer, struct call *c)
{
    struct trail *first = outer ? outer->first : NULL,
                 *t = outer ? make(c, outer->address, outer->request_id) : NULL;

    if (!t) {
        if (outer)
            outer->failed = true;
        return NULL;
    }
    t->first = first;
    first->last->next = t;
    first->last = t;
    return t;
}

/* ---- its patients ---- */

static bool grow(struct trail *t)
{
    struct arena *a = t->call->a;
    size_t cap = t->cap ? t->cap * 2 : 16;
    struct str *patients =
        arena_grow(a, t->patients, t->n * sizeof *patients, cap * sizeof *patients);
    uint32_t *slots = ARENA_ARRAY(a, uint32_t, cap * 2);

    if (!patients || !slots)
        return false;
    for (size_t i = 0; i < t->n; i++) {
        size_t at = str_hash(patients[i]) & (cap * 2 - 1);

        while (slots[at])
            at = (at + 1) & (cap * 2 - 1);
        slots[at] = (uint32_t)i + 1;
    }
    t->patients = patients;
    t->slots = slots;
    t->cap = cap;
    return true;
}

/* Where a patient is in t->slots, or would be; t->cap is not 0. */
static size_t slot_of(const struct trail *t, struct str id)
{
    size_t at = str_hash(id) & (t->cap * 2 - 1);

    while (t->slots[at] && !str_eq(t->patients[t->slots[at] - 1], id))
        at = (at + 1) & (t->cap * 2 - 1);
    return at;
}

void trail_patient(struct call *c, struct str id)
{
    struct trail *t = c->trail;
    size_t at;
    struct str copy;

    if (!t || !id.n || t->failed)
        return;
    if (t->n == t->cap && !grow(t)) {
        t->failed = true;
        return;
    }
    at = slot_of(t, id);
    if (t->slots[at])
        return;
    copy = arena_dup(t->call->a, id);
    if (!copy.p) {
        t->failed = true;
        return;
    }
    t->patients[t->n++] = copy;
    t->slots[at] = (uint32_t)t->n;
}

void trail_glass(struct call *c, struct str patient)
{
    struct trail *own = c->trail, *t = own ? trail_inner(own, c) : NULL;

    if (!t)
        return;
    t->interaction = AUDIT_GLASS;
    t->purpose = STR(PURPOSE_BREAK_GLASS);
    c->trail = t;
    trail_patient(c, patient);
    c->trail = own;
}

static int patient_type(void)
{
    return def_compartment_type(COMPARTMENT_PATIENT);
}

static int visit(void *ctx, const struct search_ref *ref)
{
    if (ref->type == patient_type())
        trail_patient(ctx, ref->id);
    return 0;
}

/* The references that put a resource into a patient's compartment. */
static int note_owners(struct call *c, struct arena *scratch, int type, yyjson_val *root)
{
    const struct index_options *opt = store_index_options(c->api->store);
    const struct str *code = def_compartment_params(COMPARTMENT_PATIENT, type);
    int r = 0;

    for (; code && code->p && r >= 0; code++) {
        const struct param *param = param_find(c->params, type, *code);

        if (param && param->def.kind == PARAM_REFERENCE && param->path)
            r = search_refs(scratch, opt, param, root, visit, c, NULL);
    }
    return r;
}

static bool has_owners(int type)
{
    return def_compartment_params(COMPARTMENT_PATIENT, type) != NULL;
}

static void see(struct call *c, struct arena *scratch, int type, struct str id, yyjson_val *root)
{
    if (type == patient_type())
        trail_patient(c, id);
    if (note_owners(c, scratch, type, root) < 0)
        c->trail->failed = true;
}

void trail_saw(struct call *c, int type, struct str id, yyjson_val *root)
{
    _cleanup_(arena_done) struct arena scratch;

    arena_init(&scratch, SCRATCH_MAX);
    if (c->trail && has_owners(type))
        see(c, &scratch, type, id, root);
}

static bool is_noted(const struct trail *t, struct str id)
{
    return t->cap && t->slots[slot_of(t, id)];
}

/* Whether a resource's text may name a patient who is not noted yet. Most of a page are of the same
 * few: their rows need not be parsed. */
static bool may_name_others(const struct trail *t, struct str text)
{
    static const struct str name = STR("Patient/");
    const char *end = text.p + text.n;

    for (const char *p = text.p; (p = memchr(p, '\\', (size_t)(end - p))); p += 2)
        if (end - p < 2 || p[1] == 'u' || p[1] == '/')
            return true; /* a reference may be spelt with escapes */
    for (const char *p = text.p; (p = memchr(p, 'P', (size_t)(end - p))); p++) {
        struct str rest = str_n(p, (size_t)(end - p)), id;
        size_t n = 0;

        if (!str_starts(rest, name))
            continue;
        id = str_from(rest, name.n);
        while (n < id.n && (isalnum((unsigned char)id.p[n]) || id.p[n] == '-' || id.p[n] == '.'))
            n++;
        if (!is_noted(t, str_head(id, n)))
            return true;
    }
    return false;
}

void trail_saw_text(struct call *c, const struct row *row, struct str text)
{
    _cleanup_(arena_done) struct arena scratch;
    struct arena *a = &scratch;
    yyjson_val *root;

    arena_init(&scratch, SCRATCH_MAX);
    if (!c->trail || !has_owners(row->type))
        return;
    if (row->type == patient_type())
        trail_patient(c, row->id);
    if (!may_name_others(c->trail, text))
        return;
    /* A short one is parsed into the request's memory, which is there already. */
    if (text.n <= SHORT_BYTES)
        a = c->a;
    if (js_parse_stored(a, text, &root, NULL) < 0)
        c->trail->failed = true;
    else
        see(c, a, row->type, row->id, root);
}

void trail_saw_row(struct call *c, const struct row *row)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX + KIB(1));

    if (!c->trail || !has_owners(row->type) || !row->sealed.n)
        return;
    if (row_json(c->api->store, row, &text, NULL) < 0)
        c->trail->failed = true;
    else
        trail_saw_text(c, row, sb_view(&text));
}

void trail_wrote(struct call *c, int type, struct str id, const struct index *index)
{
    char owner[FHIR_ID_MAX + 1];

    if (!c->trail)
        return;
    if (type == patient_type())
        trail_patient(c, id);
    for (size_t i = 0; index && i < index->n_entries; i++) {
        const struct index_entry *e = &index->entries[i];

        if (e->param == INDEX_PARAM_COMPARTMENT + COMPARTMENT_PATIENT)
            trail_patient(c, str_n(owner, index_key_id(e->key, e->key_n, owner)));
    }
}

/* ---- what was asked ---- */

static enum audit_interaction interaction_of(const struct trail *t)
{
    const struct call *c = t->call;
    enum api_action action = c->row ? c->row->action : ACT_CAPABILITIES;

    if (t->interaction)
        return t->interaction;
    switch (action) {
    case ACT_READ: return AUDIT_READ;
    case ACT_VREAD: return AUDIT_VREAD;
    case ACT_SEARCH: return c->type ? AUDIT_SEARCH_TYPE : AUDIT_SEARCH_SYSTEM;
    case ACT_HISTORY:
        return c->id.n   ? AUDIT_HISTORY_INSTANCE
               : c->type ? AUDIT_HISTORY_TYPE
                         : AUDIT_HISTORY_SYSTEM;
    case ACT_CREATE: return AUDIT_CREATE;
    case ACT_UPDATE: return AUDIT_UPDATE;
    case ACT_PATCH: return AUDIT_PATCH;
    case ACT_DELETE: return AUDIT_DELETE;
    case ACT_OPERATION:
    case ACT_EXPUNGE: return AUDIT_OPERATION;
    case ACT_BUNDLE: return AUDIT_TRANSACTION;
    default: return AUDIT_OTHER;
    }
}

/* Definitions and the state of answers that were audited when they were made are nobody's record.
 */
static bool is_audited(const struct call *c)
{
    return !c->row || (c->row->action != ACT_CAPABILITIES && c->row->action != ACT_ASYNC_STATUS &&
                       c->row->action != ACT_ASYNC_CANCEL);
}

static void add_part(struct sb *out, struct str part)
{
    if (!part.n)
        return;
    if (out->n)
        sb_char(out, '/');
    sb_str(out, part);
}

/* Path and parameters of what was asked, below the base URL; empty where type, id and version say
 * it all. */
static struct str query_of(const struct trail *t)
{
    const struct call *c = t->call;
    _cleanup_(sb_done) struct sb out = sb_make(QUERY_MAX);
    enum api_action action = c->row ? c->row->action : ACT_CAPABILITIES;

    if (!c->row) {
        sb_str(&out, t->target);
    } else if (c->owner) {
        add_part(&out, def_resource_name(c->owner));
        add_part(&out, c->id);
        add_part(&out, c->type ? def_resource_name(c->type) : STR("*"));
    } else if (c->query.n || action == ACT_SEARCH || action == ACT_HISTORY) {
        add_part(&out, c->type ? def_resource_name(c->type) : STR(""));
        add_part(&out, c->id);
        add_part(&out, action == ACT_HISTORY ? STR("_history") : STR(""));
        if (c->op) {
            add_part(&out, STR("$"));
            sb_str(&out, c->op->name);
        }
    }
    if (c->query.n || (action == ACT_SEARCH && !out.n))
        sb_char(&out, '?');
    sb_str(&out, c->query);
    if (c->if_none_exist.n) {
        sb_char(&out, '?');
        sb_str(&out, c->if_none_exist);
    }
    return out.n ? arena_dup(c->a, sb_view(&out)) : STR("");
}

/* "patient=1", "subject=Patient/1", "_id=1" of Patient: asked for even where nothing was found. */
static void note_asked(struct call *c)
{
    struct str rest = c->query, pair, name, value, one;

    if (c->owner ? c->owner == patient_type() : c->type == patient_type())
        trail_patient(c, c->id);
    while (rest.n && str_split(&rest, '&', &pair)) {
        if (!str_split(&pair, '=', &name) || !pair.p)
            continue;
        if (!str_eq(name, STR("patient")) && !str_eq(name, STR("subject")) &&
            !str_eq(name, STR("subject:Patient")) &&
            !(str_eq(name, STR("_id")) && c->type == patient_type()))
            continue;
        value = url_decode(c->a, pair, true);
        while (value.n && str_split(&value, ',', &one)) {
            bool is_local = str_starts(one, STR("Patient/"));

            one = str_from(one, is_local ? 8 : 0);
            if (fhir_is_id(one) && (is_local || !str_eq(name, STR("subject"))))
                trail_patient(c, one);
        }
    }
}

/* Of a write: "Patient/1/_history/2" says what became of it. */
static void read_location(const struct call *c, struct audit_event *e)
{
    struct str rest = c->location, part;

    if (!c->version.hlc || !rest.n || !str_split(&rest, '/', &part) || !rest.p ||
        !str_eq(part, e->type) || !str_split(&rest, '/', &part))
        return;
    e->id = part;
}

/* What it was for: where a token says nothing, the purpose that its role stands for. */
static int purpose_of(const struct trail *t, struct str *ret, struct err *err)
{
    const struct access *who = &t->call->who;

    *ret = t->purpose.n ? t->purpose : STR("");
    if (t->purpose.n || !who->identity)
        return 0;
    *ret = who->identity->purpose;
    return who->guard ? guard_purpose(who->guard, who->identity, t->call->a, ret, err) : 0;
}

static int event_of(struct trail *t, struct audit_event *e, struct err *err)
{
    struct call *c = t->call;
    const struct identity *i = c->who.identity;
    char vid[STORE_VERSION_ID_MAX] = "";

    *e = (struct audit_event){.when_ms = clock_now_ms(),
                              .interaction = interaction_of(t),
                              .status = c->status ? c->status : t->first->call->status,
                              .user = i ? i->subject : c->who.agent,
                              .client = i ? i->client : STR(""),
                              .address = t->address,
                              .request_id = t->request_id,
                              .role = i ? i->role : STR(""),
                              .token = i ? i->token_id : STR(""),
                              .type = c->type ? def_resource_name(c->type) : STR(""),
                              .id = c->owner ? STR("") : c->id,
                              .version = c->version_id,
                              .operation = c->op ? c->op->name : STR("")};
    if (c->row && c->row->action == ACT_EXPUNGE)
        e->operation = STR("expunge");
    e->query = query_of(t);
    read_location(c, e);
    if (c->version.hlc && c->status < 400 && e->id.n) {
        version_format(&c->version, vid);
        e->version = arena_dup(c->a, str_c(vid));
    }
    if (!e->query.p || (!e->version.p && e->version.n))
        return err_no_memory(err);
    return purpose_of(t, &e->purpose, err);
}

/* ---- into the log ---- */

int trail_prepare(struct call *c, struct err *err)
{
    int r = 0, n = 0;

    for (struct trail *t = c->trail ? c->trail->first : NULL; t && r >= 0; t = t->next) {
        struct audit_event event;

        t->append.n = 0;
        if (!is_audited(t->call))
            continue;
        note_asked(t->call);
        if (t->failed)
            return err_no_memory(err);
        r = event_of(t, &event, err);
        if (r >= 0)
            r = audit_prepare(t->call->a, &event, t->patients, t->n, &t->append, err);
        n = 1;
    }
    return r < 0 ? r : n;
}

static void appended(struct audit_append *append, int r, const struct err *err)
{
    struct trail_end *end = append->ctx;

    if (r < 0) {
        end->failed = true;
        end->err = *err;
    }
    if (--end->left == 0)
        end->done(end->ctx, end->failed ? &end->err : NULL);
}

void trail_submit(struct call *c, struct trail_end *end)
{
    struct trail *first = c->trail ? c->trail->first : NULL, *next;
    struct audit_log *log = c->api->audit;

    end->left = 0;
    end->failed = false;
    for (struct trail *t = first; t; t = t->next)
        end->left += t->append.n > 0;
    if (!end->left) {
        end->done(end->ctx, NULL);
        return;
    }
    /* Once the last is handed over everything may be gone. */
    for (struct trail *t = first; t; t = next) {
        next = t->next;
        while (next && !next->append.n)
            next = next->next;
        t->append.done = appended;
        t->append.ctx = end;
        if (t->append.n)
            audit_submit(log, &t->append);
    }
}

struct wait {
    struct waiter waiter;
    struct call *call;
    bool failed;
};

static void written(void *ctx, const struct err *err)
{
    struct wait *w = ctx;

    if (err)
        w->call->err = *err;
    w->failed = err;
    waiter_finish(&w->waiter);
}

int trail_write(struct call *c)
{
    struct wait w = {.call = c};
    struct trail_end end = {.done = written, .ctx = &w};
    int r = trail_prepare(c, &c->err);

    if (r <= 0)
        return r;
    waiter_init(&w.waiter, 1);
    trail_submit(c, &end);
    waiter_wait(&w.waiter);
    return w.failed ? c->err.code : 0;
}
