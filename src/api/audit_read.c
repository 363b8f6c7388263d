#include "api/audit_read.h"

#include "api/bundle_out.h"
#include "api/op.h"
#include "api/trail.h"
#include "base/rng.h"
#include "fhir/date.h"
#include "fhir/validate.h"
#include "trust/account.h"
#include "trust/allow.h"
#include "trust/audit/audit.h"

#define PROOF_TYPE "text/plain;charset=utf-8"
#define UNKNOWN_MAX 20 /* parameters that are told as not understood */

static int event_type(void)
{
    return def_resource(STR("AuditEvent"));
}

bool audit_serves(const struct call *c)
{
    return c->api->audit && c->type && str_eq(def_resource_name(c->type), STR("AuditEvent"));
}

/* Whether the asker sees staff by their role alone. */
static bool hides_staff(const struct call *c)
{
    struct str patient;

    return c->api->config.staff_by_role && c->who.kind == ACCESS_GRANTED &&
           allow_log(&c->who, event_type(), c->a, &patient, NULL) >= 0 && patient.p;
}

void audit_show_staff(const struct call *c, struct audit_event *event)
{
    /* Who asks is shown to themselves, whatever their role. */
    if (!event->role.n || str_eq(event->role, STR("patient")) ||
        (c->who.identity && str_eq(event->user, c->who.identity->subject)) || !hides_staff(c))
        return;
    event->user = event->token = event->address = event->request_id = STR("");
}

int audit_name_user(struct call *c, struct audit_event *event)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct account account;
    struct err err;
    int r;

    /* Of a login that failed it is what was typed. */
    if (event->user.n != UUID_TEXT_LEN)
        return 0;
    r = store_begin(c->api->store, &who, &txn, &c->err);
    if (r < 0)
        return r;
    r = account_get(txn, event->user, c->a, &account, &err);
    if (r >= 0)
        event->name = account.name.n ? account.name : account.login;
    else if (r != ERR_NOT_FOUND)
        c->err = err;
    return r == ERR_NOT_FOUND ? 0 : MIN(r, 0);
}

static int write_event(struct call *c, const struct audit_row *row, struct str id)
{
    struct audit_source source = {
        .id = id, .observer = audit_origin(c->api->audit), .base = c->base};
    struct audit_event event = row->event;
    int r;

    trail_patient(c, event.patient);
    audit_show_staff(c, &event);
    r = audit_name_user(c, &event);
    if (r < 0)
        return r;
    audit_event_json(&c->out, &source, &event);
    return sb_ok(&c->out, &c->err);
}

/* ---- read ---- */

static int no_such_entry(struct call *c)
{
    return err_set(&c->err, ERR_NOT_FOUND, "AuditEvent \"%.*s\" is none of this node's log",
                   STR_ARG(c->id));
}

/* An entry that the asker may see; whose an erased one was, nobody knows any more. */
static int find_entry(struct call *c, struct audit_row *ret)
{
    struct str patient;
    uint64_t leaf;
    int r = allow_log(&c->who, c->type, c->a, &patient, &c->err);

    if (r < 0)
        return r;
    if (!audit_id_parse(c->api->audit, c->id, &leaf))
        return no_such_entry(c);
    r = audit_get(c->api->audit, leaf, c->a, ret, &c->err);
    if (r == ERR_NOT_FOUND ||
        (r >= 0 && patient.p && (ret->is_erased || !str_eq(ret->event.patient, patient))))
        return no_such_entry(c);
    return r;
}

int audit_read(struct call *c)
{
    struct audit_row row;
    int r = find_entry(c, &row);

    if (r >= 0 && row.is_erased)
        r = err_set(&c->err, ERR_DELETED, "the entry was erased");
    if (r < 0)
        return r;
    c->status = 200;
    return write_event(c, &row, c->id);
}

/* ---- search ---- */

struct asked {
    struct audit_query q;
    struct str unknown[UNKNOWN_MAX];
    size_t n_unknown;
    struct str links; /* the query without its cursor */
    bool counts;      /* _total=accurate */
    int64_t total;    /* or -1 */
};

static int take_patient(struct call *c, struct str value, struct audit_query *q)
{
    struct str id = str_from(value, str_starts(value, STR("Patient/")) ? 8 : 0);

    if (!fhir_is_id(id) || q->patient.n)
        return err_set(&c->err, ERR_VALUE,
                       "AuditEvents are searched by one patient: patient=ID or patient=Patient/ID");
    q->patient = id;
    return 0;
}

static int take_date(struct call *c, struct str value, struct audit_query *q)
{
    bool has_prefix = value.n > 2 && value.p[0] >= 'a' && value.p[0] <= 'z';
    struct str prefix = has_prefix ? str_head(value, 2) : STR("eq");
    struct date date;
    int r = date_parse(DATE_SEARCH, str_from(value, has_prefix ? 2 : 0),
                       store_index_options(c->api->store)->tz_minutes, &date, &c->err);

    if (r < 0)
        return r;
    if (str_eq(prefix, STR("eq")) || str_eq(prefix, STR("ge")))
        q->from_ms = MAX(q->from_ms, date.from_ms);
    else if (str_eq(prefix, STR("gt")))
        q->from_ms = MAX(q->from_ms, date.to_ms);
    else if (!str_eq(prefix, STR("lt")) && !str_eq(prefix, STR("le")))
        return err_set(&c->err, ERR_NOT_SUPPORTED,
                       "the date of AuditEvents is searched with eq, ge, gt, le and lt");
    if (str_eq(prefix, STR("ge")) || str_eq(prefix, STR("gt")))
        return 0;
    date.to_ms = str_eq(prefix, STR("lt")) ? date.from_ms : date.to_ms;
    q->to_ms = q->to_ms ? MIN(q->to_ms, date.to_ms) : date.to_ms;
    return 0;
}

int audit_take_day(struct call *c, struct str day, bool is_end, struct audit_query *q)
{
    struct date date;
    int r = day.p ? date_parse(DATE_SEARCH, day, store_index_options(c->api->store)->tz_minutes,
                               &date, &c->err)
                  : 0;

    if (r < 0 || !day.p)
        return r;
    if (is_end)
        q->to_ms = date.to_ms;
    else
        q->from_ms = date.from_ms;
    return 0;
}

static int take_number(struct call *c, struct str name, struct str value, uint64_t *ret)
{
    return str_to_u64(value, INT64_MAX, ret)
               ? 0
               : err_set(&c->err, ERR_VALUE, "%.*s is not a number that it can be", STR_ARG(name));
}

/* Parameters that are compared with a text of the entry. Of tokens the code alone says which. */
static const struct {
    struct str name;
    size_t at;
    bool is_token;
} texts[] = {
    {STR("agent"), offsetof(struct audit_query, agent), false},
    {STR("agent:identifier"), offsetof(struct audit_query, agent), true},
    {STR("address"), offsetof(struct audit_query, address), false},
    {STR("agent-role"), offsetof(struct audit_query, role), true},
    {STR("policy"), offsetof(struct audit_query, token), false},
    {STR("type"), offsetof(struct audit_query, type), true},
    {STR("subtype"), offsetof(struct audit_query, subtype), true},
};

/* True when it was one of those. */
static bool take_text(struct str name, struct str value, struct audit_query *q)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (str_eq(name, texts[i].name)) {
            ptrdiff_t bar = texts[i].is_token ? str_find(value, '|') : -1;

            *(struct str *)((char *)q + texts[i].at) = str_from(value, (size_t)(bar + 1));
            return true;
        }
    return false;
}

/* One letter of a code. */
static int take_letter(struct call *c, struct str name, struct str value, const char *known,
                       char *ret)
{
    ptrdiff_t bar = str_find(value, '|');

    value = str_from(value, (size_t)(bar + 1));
    if (value.n != 1 || !memchr(known, value.p[0], strlen(known)))
        return err_set(&c->err, ERR_VALUE, "%.*s of AuditEvents is one of \"%s\"", STR_ARG(name),
                       known);
    *ret = value.p[0];
    return 0;
}

static int take_entity(struct call *c, struct str value, struct audit_query *q)
{
    struct str rest = value, type;

    if (!str_split(&rest, '/', &type) || !def_resource(type) || !fhir_is_id(rest))
        return err_set(&c->err, ERR_VALUE,
                       "the entity of AuditEvents is searched as TYPE/ID, \"%.*s\" is none",
                       (int)MIN(value.n, 64u), value.n ? value.p : "");
    q->entity_type = type;
    q->entity_id = rest;
    return 0;
}

static int take_total(struct call *c, struct str value, struct asked *asked)
{
    asked->counts = str_eq(value, STR("accurate"));
    return asked->counts || str_eq(value, STR("none")) || str_eq(value, STR("estimate"))
               ? 0
               : err_set(&c->err, ERR_VALUE, "_total is none, estimate or accurate");
}

static int take_unknown(struct call *c, struct str name, struct asked *asked)
{
    if (c->strict)
        return err_set(&c->err, ERR_NOT_SUPPORTED,
                       "AuditEvents cannot be searched by \"%.*s\"; patient, date, agent, "
                       "agent-role, address, type, subtype, action, outcome, entity, policy, "
                       "_count, _total and _cursor are known",
                       (int)MIN(name.n, 64u), name.p);
    if (asked->n_unknown < UNKNOWN_MAX)
        asked->unknown[asked->n_unknown++] = name;
    return 0;
}

static int take(struct call *c, struct str name, struct str value, struct asked *asked)
{
    uint64_t n = 0;
    int r;

    if (str_eq(name, STR("patient")) || str_eq(name, STR("patient:Patient")))
        return take_patient(c, value, &asked->q);
    if (str_eq(name, STR("date")))
        return take_date(c, value, &asked->q);
    if (str_eq(name, STR("action")))
        return take_letter(c, name, value, "CRUDE", &asked->q.action);
    if (str_eq(name, STR("outcome")))
        return take_letter(c, name, value, "048", &asked->q.outcome);
    if (str_eq(name, STR("entity")))
        return take_entity(c, value, &asked->q);
    if (str_eq(name, STR("_total")))
        return take_total(c, value, asked);
    if (take_text(name, value, &asked->q))
        return 0;
    if (str_eq(name, STR("_cursor")))
        return take_number(c, name, value, &asked->q.before);
    if (str_eq(name, STR("_count"))) {
        r = take_number(c, name, value, &n);
        asked->q.max = (size_t)MIN(n, (uint64_t)AUDIT_PAGE_MAX);
        return r;
    }
    if (str_eq(name, STR("_format")) || str_eq(name, STR("_pretty")))
        return 0;
    return take_unknown(c, name, asked);
}

static int read_query(struct call *c, struct asked *asked)
{
    struct str rest = c->query, pair, name;
    int r = 0;

    *asked = (struct asked){.q = {.max = SEARCH_COUNT_DEFAULT}, .links = STR(""), .total = -1};
    if (c->owner && c->owner != def_compartment_type(COMPARTMENT_PATIENT))
        return err_set(&c->err, ERR_NOT_SUPPORTED,
                       "AuditEvents are found in the compartments of patients alone");
    if (c->owner)
        asked->q.patient = c->id;
    while (rest.n && str_split(&rest, '&', &pair) && r >= 0) {
        struct str whole = pair, value;

        if (!pair.n || !str_split(&pair, '=', &name))
            continue;
        value = url_decode(c->a, pair.p ? pair : STR(""), true);
        if (!value.p)
            return err_set(&c->err, ERR_INVALID, "the query has a malformed percent escape");
        r = take(c, name, value, asked);
        if (!str_eq(name, STR("_cursor")))
            asked->links = asked->links.n
                               ? arena_fmt(c->a, "%.*s&%.*s", STR_ARG(asked->links), STR_ARG(whole))
                               : whole;
        if (!asked->links.p)
            return err_no_memory(&c->err);
    }
    return r;
}

static void write_unknown(struct bundle_out *b, const struct asked *asked)
{
    struct sb *out = &b->call->out;

    sb_str(out, b->has_entry ? STR(",") : STR(",\"entry\":["));
    b->has_entry = true;
    sb_lit(out, "{\"resource\":{\"resourceType\":\"OperationOutcome\",\"issue\":[");
    for (size_t i = 0; i < asked->n_unknown; i++) {
        sb_str(out, i ? STR(",") : STR(""));
        sb_lit(out, "{\"severity\":\"warning\",\"code\":\"not-supported\",\"diagnostics\":");
        sb_json(out, arena_fmt(b->call->a,
                               "AuditEvents cannot be searched by \"%.*s\", which was left out",
                               (int)MIN(asked->unknown[i].n, 64u), asked->unknown[i].p));
        sb_char(out, '}');
    }
    sb_lit(out, "]},\"search\":{\"mode\":\"outcome\"}}");
}

static int write_page(struct call *c, const struct asked *asked, const struct audit_row *rows,
                      size_t n, uint64_t next)
{
    struct str path =
        c->owner ? arena_fmt(c->a, "Patient/%.*s/AuditEvent", STR_ARG(c->id)) : STR("AuditEvent");
    char cursor[AUDIT_ID_MAX];
    struct bundle_out b;
    int r = path.p ? 0 : err_no_memory(&c->err);

    bundle_begin(&b, c, "searchset", asked->total);
    bundle_link(&b, "self", path, asked->links, STR_NULL);
    snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)next);
    if (next)
        bundle_link(&b, "next", path, asked->links, str_c(cursor));
    bundle_entries(&b);
    for (size_t i = 0; i < n && r >= 0; i++) {
        char id[AUDIT_ID_MAX];

        audit_id(c->api->audit, rows[i].leaf, id);
        bundle_entry(&b, c->type, str_c(id));
        sb_lit(&c->out, ",\"resource\":");
        r = write_event(c, &rows[i], str_c(id));
        sb_lit(&c->out, ",\"search\":{\"mode\":\"match\"}}");
    }
    if (asked->n_unknown)
        write_unknown(&b, asked);
    bundle_end(&b);
    c->status = 200;
    return r < 0 ? r : sb_ok(&c->out, &c->err);
}

int audit_narrow(struct call *c, struct audit_query *q, bool *ret_open)
{
    struct str patient, wanted = q->patient;
    int r = allow_log(&c->who, event_type(), c->a, &patient, &c->err);

    *ret_open = r >= 0 && (!patient.p || !wanted.n || str_eq(wanted, patient));
    if (patient.p)
        q->patient = patient;
    return r;
}

/* What one request may look at is bounded: then it says so, rather than count a part. */
static int count(struct call *c, struct asked *asked)
{
    uint64_t n;
    bool is_all;
    int r = audit_count(c->api->audit, &asked->q, &n, &is_all, &c->err);

    if (r >= 0 && !is_all)
        r = err_set(&c->err, ERR_COSTLY,
                    "more than %d entries would have to be counted; ask for a patient, or without "
                    "_total=accurate",
                    AUDIT_COUNT_MAX);
    asked->total = (int64_t)n;
    return r;
}

int audit_search_events(struct call *c)
{
    struct audit_row *rows = NULL;
    bool is_open = false;
    struct asked asked;
    uint64_t next = 0;
    size_t n = 0;
    int r;

    /* The disk is read for each entry. */
    if (c->budget)
        return err_set(&c->err, ERR_BUSY, "the audit log is read by a worker");
    r = read_query(c, &asked);
    if (r >= 0)
        r = audit_narrow(c, &asked.q, &is_open);
    if (r >= 0 && asked.counts)
        r = is_open ? count(c, &asked) : (int)(asked.total = 0);
    if (r >= 0 && is_open)
        r = audit_search(c->api->audit, &asked.q, c->a, &rows, &n, &next, &c->err);
    return r < 0 ? r : write_page(c, &asked, rows, n, next);
}

/* ---- operations ---- */

int audit_needs_log(struct call *c)
{
    return c->api->audit
               ? 0
               : err_set(&c->err, ERR_NOT_SUPPORTED, "this node keeps no audit log (--audit on)");
}

/* AuditEvent/ID/$proof: a tlog-proof of the entry. */
int op_proof(struct call *c, struct store_txn *txn)
{
    struct audit_row row;
    int r = op_alone(c);

    (void)txn;
    if (r >= 0)
        r = audit_needs_log(c);
    if (r >= 0)
        r = find_entry(c, &row);
    /* The proof holds the whole entry. */
    if (r >= 0 && hides_staff(c) && row.event.role.n)
        r = err_set(&c->err, ERR_FORBIDDEN,
                    "proofs name the staff, whom this node shows by their role");
    if (r >= 0)
        r = audit_proof(c->api->audit, row.leaf, &c->out, &c->err);
    if (r < 0)
        return r;
    c->status = 200;
    c->type_out = STR(PROOF_TYPE);
    return 0;
}

/* AuditEvent/$consistency?from=SIZE: that the newest head's tree begins with the one of that size,
 * written as a witness is asked (tlog-witness). Without `from` it is the head with no proof. */
int op_consistency(struct call *c, struct store_txn *txn)
{
    _cleanup_(sb_done) struct sb note_text = sb_make(NOTE_BYTES_MAX);
    struct submission s = {.old_size = 0};
    struct op_params params;
    struct head head;
    struct note note;
    int r = op_alone(c);

    (void)txn;
    if (r >= 0)
        r = audit_needs_log(c);
    if (r >= 0)
        r = op_params_read(c, &params);
    if (r >= 0)
        r = op_params_only(c, &params, "from");
    if (r >= 0)
        r = op_param_u64(c, &params, "from", INT64_MAX, 0, &s.old_size);
    if (r >= 0)
        r = audit_head(c->api->audit, false, &note_text, &c->err);
    if (r >= 0)
        r = note_parse(sb_view(&note_text), &note, &c->err);
    if (r >= 0)
        r = head_parse(note.text, &head, &c->err);
    if (r >= 0 && s.old_size)
        r = audit_consistency(c->api->audit, s.old_size, head.size, &s.path, &c->err);
    if (r < 0)
        return r;
    s.checkpoint = sb_view(&note_text);
    submission_write(&c->out, &s);
    c->status = 200;
    c->type_out = STR(PROOF_TYPE);
    return sb_ok(&c->out, &c->err);
}
