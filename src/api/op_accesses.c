/* op_accesses.c - Patient/ID/$accesses: who looked at or changed this person's record, from the
 * audit log: one line for each person, program and kind of access, how often and when. What the
 * asker may see of the log is narrowed as for AuditEvents, and who it was is shown alike.
 */
#include "api/audit_read.h"
#include "api/op.h"
#include "api/trail.h"

#include "base/clock.h"

#define LINES_MAX 2000
#define SCRATCH_MAX MIB(64) /* of one page of entries */

struct access_line {
    struct str user, role, client, purpose;
    char action;
    bool failed;
    uint64_t n;
    int64_t first_ms, last_ms;
};

struct accesses {
    struct call *c;
    struct access_line *lines; /* the latest first */
    size_t n;
};

static bool is_same(const struct access_line *a, const struct access_line *b)
{
    return a->action == b->action && a->failed == b->failed && str_eq(a->user, b->user) &&
           str_eq(a->role, b->role) && str_eq(a->client, b->client) &&
           str_eq(a->purpose, b->purpose);
}

static bool keep(struct arena *a, struct str *s)
{
    *s = arena_dup(a, *s);
    return s->p != NULL;
}

static int add(struct accesses *all, const struct audit_event *e)
{
    struct call *c = all->c;
    struct access_line line = {.user = e->user,
                               .role = e->role,
                               .client = e->client,
                               .purpose = e->purpose,
                               .action = audit_interaction_action(e->interaction)[0],
                               .failed = audit_event_outcome(e) != '0',
                               .n = 1,
                               .first_ms = e->when_ms,
                               .last_ms = e->when_ms};

    for (size_t i = 0; i < all->n; i++)
        if (is_same(&all->lines[i], &line)) {
            all->lines[i].n++;
            all->lines[i].first_ms = e->when_ms;
            return 0;
        }
    if (all->n == LINES_MAX)
        return err_set(&c->err, ERR_COSTLY,
                       "more than %d different people and programs had access: ask for a shorter "
                       "time (start, end)",
                       LINES_MAX);
    if (!keep(c->a, &line.user) || !keep(c->a, &line.role) || !keep(c->a, &line.client) ||
        !keep(c->a, &line.purpose))
        return err_no_memory(&c->err);
    all->lines[all->n++] = line;
    return 0;
}

/* All of a patient's entries, page by page. */
static int gather(struct accesses *all, struct audit_query *q)
{
    _cleanup_(arena_done) struct arena scratch;
    struct call *c = all->c;
    uint64_t looked = 0;
    int r = 0;

    arena_init(&scratch, SCRATCH_MAX);
    do {
        struct audit_row *rows;
        size_t n;

        arena_reset(&scratch);
        r = audit_search(c->api->audit, q, &scratch, &rows, &n, &q->before, &c->err);
        for (size_t i = 0; i < n && r >= 0; i++) {
            audit_show_staff(c, &rows[i].event);
            r = add(all, &rows[i].event);
        }
        looked += n;
        if (r >= 0 && q->before && looked >= AUDIT_COUNT_MAX)
            r = err_set(&c->err, ERR_COSTLY,
                        "more than %d accesses: ask for a shorter time (start, end)",
                        AUDIT_COUNT_MAX);
    } while (r >= 0 && q->before);
    return r;
}

static void write_part(struct sb *out, const char *name, const char *type, struct str value)
{
    if (!value.n)
        return;
    sb_fmt(out, ",{\"name\":\"%s\",\"value%s\":", name, type);
    sb_json(out, value);
    sb_char(out, '}');
}

static void write_line(struct sb *out, const struct access_line *l, struct str name)
{
    char first[CLOCK_INSTANT_MAX], last[CLOCK_INSTANT_MAX];

    clock_format(l->first_ms, first);
    clock_format(l->last_ms, last);
    sb_fmt(out, "{\"name\":\"access\",\"part\":[{\"name\":\"action\",\"valueCode\":\"%c\"}",
           l->action);
    write_part(out, "user", "String", l->user);
    write_part(out, "name", "String", name);
    write_part(out, "role", "String", l->role);
    write_part(out, "client", "String", l->client);
    write_part(out, "purpose", "Code", l->purpose);
    sb_fmt(out,
           ",{\"name\":\"refused\",\"valueBoolean\":%s},{\"name\":\"times\",\"valueDecimal\":%llu},"
           "{\"name\":\"first\",\"valueInstant\":\"%s\"},"
           "{\"name\":\"last\",\"valueInstant\":\"%s\"}]}",
           l->failed ? "true" : "false", (unsigned long long)l->n, first, last);
}

static int read_times(struct call *c, struct audit_query *q)
{
    struct op_params params;
    int r = op_params_read(c, &params);

    if (r >= 0)
        r = op_params_only(c, &params, "start end");
    if (r >= 0)
        r = audit_take_day(c, op_param_text(&params, "start"), false, q);
    return r < 0 ? r : audit_take_day(c, op_param_text(&params, "end"), true, q);
}

int op_accesses(struct call *c, struct store_txn *txn)
{
    struct audit_query q = {.patient = c->id, .max = AUDIT_PAGE_MAX};
    struct accesses all = {.c = c, .lines = ARENA_ARRAY(c->a, struct access_line, LINES_MAX)};
    bool is_open = false;
    struct row row;
    int r = all.lines ? audit_needs_log(c) : err_no_memory(&c->err);

    if (r >= 0)
        r = op_row(c, txn, c->type, c->id, &row); /* that the asker may see */
    if (r >= 0)
        r = read_times(c, &q);
    if (r >= 0)
        r = audit_narrow(c, &q, &is_open);
    if (r >= 0 && is_open)
        r = gather(&all, &q);
    if (r < 0)
        return r;
    trail_patient(c, c->id);
    sb_lit(&c->out, "{\"resourceType\":\"Parameters\"");
    for (size_t i = 0; i < all.n; i++) {
        struct audit_event event = {.user = all.lines[i].user};

        if ((r = audit_name_user(c, &event)) < 0)
            return r;
        sb_str(&c->out, i ? STR(",") : STR(",\"parameter\":["));
        write_line(&c->out, &all.lines[i], event.name);
    }
    sb_str(&c->out, all.n ? STR("]}") : STR("}"));
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}
