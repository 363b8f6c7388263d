#include "api/surveil.h"

#include "base/clock.h"
#include "trust/allow.h"
#include "trust/guard.h"

#include <inttypes.h>

static bool may(const struct policy_role *role, enum surveil_what what)
{
    switch (what) {
    case SURVEIL_COUNTS: return role->counts;
    case SURVEIL_PEOPLE: return role->line_lists;
    case SURVEIL_WORK: return role->signals;
    case SURVEIL_PROGRAMMES: return role->programmes;
    }
    return false;
}

int surveil_may(struct call *c, enum surveil_what what)
{
    static const char *const refused[] = {
        [SURVEIL_COUNTS] = "counts of cases are not for this role or purpose",
        [SURVEIL_PEOPLE] = "who the cases are is not for this role or purpose",
        [SURVEIL_WORK] = "work on signals is not for this role or purpose",
        [SURVEIL_PROGRAMMES] = "how programmes go is not for this role or purpose",
    };
    int type = def_resource(what == SURVEIL_PROGRAMMES ? STR("MeasureReport") : STR("Task"));
    unsigned rights = SMART_R | SMART_S | (what == SURVEIL_WORK ? SMART_U : 0);
    const struct identity *i = c->who.identity;
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    const struct policy_role *role = NULL;
    int r;

    if (!i)
        return 0; /* open, or the operator's socket */
    r = allow_interaction(&c->who, type, rights, &c->err);
    if (r >= 0 && what == SURVEIL_PEOPLE)
        r = allow_interaction(&c->who, def_resource(STR("Patient")), SMART_R | SMART_S, &c->err);
    if (r < 0)
        return r;
    if (c->who.guard && i->kind == IDENTITY_PERSON) {
        if ((r = guard_policy(c->who.guard, &p, &c->err)) < 0)
            return r;
        role = policy_role(p, i->role);
    }
    if (!role || i->assurance < role->assurance ||
        !policy_has_purpose(role, policy_purpose(role, i->purpose)) || !may(role, what))
        return err_set(&c->err, ERR_FORBIDDEN, "%s", refused[what]);
    return 0;
}

int surveil_begin(struct call *c, enum surveil_what what)
{
    struct kept *kept;
    int r = surveil_may(c, what);

    if (r < 0)
        return r;
    if (!c->api->centre)
        return err_set(&c->err, ERR_NOT_SUPPORTED, "this node keeps no cases");
    return centre_kept(c->api->centre, &kept, &c->err);
}

int surveil_lock(struct call *c, struct kept **ret_kept, struct kept_view *ret)
{
    struct kept *kept;
    struct kept_view v;
    int r;

    /* What was ready a moment ago may be torn by the time that it is locked. */
    while ((r = centre_kept(c->api->centre, &kept, &c->err)) >= 0) {
        v = kept_lock(kept);
        if (v.is_ready) {
            *ret_kept = kept;
            *ret = v;
            return 0;
        }
        kept_unlock(kept);
    }
    return r;
}

static bool is_among(struct str name, const char *words)
{
    struct str rest = str_c(words), word;

    while (str_split(&rest, ' ', &word))
        if (str_eq(word, name))
            return true;
    return false;
}

int surveil_question(struct call *c, const struct kept_view *v, const struct op_params *params,
                     const char *others, const struct op_param **ret_others, size_t *ret_n,
                     struct tally_question *q)
{
    static const int32_t days[] = {[TALLY_DAYS] = 1, [TALLY_WEEKS] = 7, [TALLY_MONTHS] = 31};

    tally_question_init(q);
    for (size_t i = 0; i < params->n; i++) {
        const struct op_param *p = &params->v[i];
        int r =
            is_among(p->name, others) ? 0 : tally_ask(v->definitions, q, p->name, p->text, &c->err);

        if (r == ERR_NOT_SUPPORTED && ret_others) {
            ret_others[(*ret_n)++] = p;
            r = 0;
        }
        if (r < 0)
            return r;
    }
    tally_ask_all(v->definitions, q);
    if (q->to == DAY_UNKNOWN)
        q->to = v->today;
    if (q->from == DAY_UNKNOWN && q->to != DAY_UNKNOWN)
        q->from = q->to - (SURVEIL_PERIODS - 1) * days[q->period];
    return 0;
}

void surveil_day(struct sb *out, int32_t day)
{
    int y, m, d;

    if (day == DAY_UNKNOWN) {
        sb_lit(out, "null");
        return;
    }
    clock_civil(day, &y, &m, &d);
    sb_fmt(out, "\"%04d-%02d-%02d\"", y, m, d);
}

void surveil_about(struct call *c, const struct kept_view *v, const struct tally *t)
{
    static const char *const periods[] = {"day", "week", "month"};
    static const char *const dates[] = {"onset", "consultation", "report"};
    struct sb *out = &c->out;

    sb_lit(out, "\"definitions\":");
    sb_json(out, v->definitions->version);
    sb_fmt(out, ",\"position\":%" PRIu64 ",\"until\":", v->position);
    surveil_day(out, v->today);
    sb_fmt(out, ",\"period\":\"%s\",\"date\":\"%s\",\"counted\":\"%s\",\"class\":\"%s\"",
           periods[t->q.period], dates[t->q.by], t->q.deaths ? "deaths" : "cases",
           t->q.class == CASE_NONE ? "all" : case_class_name(t->q.class));
    sb_fmt(out, ",\"cases\":%zu,\"confirmed\":%zu,\"placeless\":%zu,\"otherDate\":%zu", t->n_cases,
           t->n_confirmed, t->n_placeless, t->n_other_date);
}
