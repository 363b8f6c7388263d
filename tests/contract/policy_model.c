#include "policy_model.h"

/* What a decision is about. */
struct thing {
    int patients[PEOPLE];
    int n;
    bool group, hiv, normal, hidden; /* hidden: from proxies */
    int year, obs, author;           /* 0, -1, -1: none; year -1: all from 2000 on */
    int opened_by, names; /* diseases, a bit each: whose cases it is opened of; its own */
};

static bool may_at_all(const struct m_asker *who)
{
    if (who->role == M_NOBODY || who->purpose == 2)
        return false;
    if (who->role == M_STEWARD && !who->two_factors)
        return false;
    if (who->purpose == 3 && who->role != M_REPORTER)
        return false;
    return !(who->purpose == 1 && who->role != M_WORKER);
}

bool m_sees_shared(const struct m_asker *who)
{
    return may_at_all(who);
}

static bool is_part_of(int org, int of)
{
    return org == of || (org == 1 && of == 0);
}

/* Whether doctor `d`, with or without those it works for, is meant by a care entry. */
static bool serves(const struct m_care *v, int d, bool by_org, bool team)
{
    if (!v->lives || v->when != NOW || (team && v->over))
        return false;
    if (v->doctor == d && v->doctor_when == NOW)
        return true;
    return by_org && v->org >= 0 && is_part_of(v->org, d);
}

/* Whether that makes `person` somebody in the care of doctor `d`: of what they wrote themselves,
 * only as far as another said it before. */
static bool brings(const struct m_care *v, const struct m_care *but, int person, int d, bool by_org,
                   bool team)
{
    if (v->patient != person || !serves(v, d, by_org, team))
        return false;
    return v->by != d || (but[d].patient == person && serves(&but[d], d, by_org, team));
}

static bool in_care(const struct m_country *c, const struct m_asker *who, int person)
{
    bool by_org = who->role == M_WORKER;

    if (who->self < 0)
        return false;
    if (who->role == M_PROXY) {
        const struct m_proxy *q = &c->proxies[who->self];
        const struct m_self *s = &c->selves[who->self];

        if (who->is_person && !(s->lives && s->active && s->acts))
            return false;
        return q->lives && q->active && q->when == NOW && q->ward == person;
    }
    for (int i = 0; i < VISITS; i++)
        if (brings(&c->visits[i], c->visits_but[i], person, who->self, by_org, false))
            return true;
    for (int i = 0; i < TEAMS; i++)
        if (brings(&c->teams[i], c->teams_but[i], person, who->self, by_org, true))
            return true;
    return false;
}

static bool is_self(const struct m_country *c, const struct m_asker *who, int person)
{
    const struct m_self *s;

    if (who->role != M_PROXY || who->self < 0)
        return who->role == M_PATIENT && person == who->self;
    s = &c->selves[who->self];
    return who->is_person && s->lives && s->active && s->is_sure && s->patient == person;
}

static int purpose_of(const struct m_asker *who)
{
    return who->purpose >= 0         ? who->purpose
           : who->role == M_PATIENT  ? 9
           : who->role == M_REPORTER ? 3
                                     : 0;
}

/* Doctors speak for themselves and for the organisations they belong to, upwards. */
static bool is_meant(const struct m_asker *who, int actor)
{
    if (actor < 0)
        return true;
    if (who->role == M_PATIENT || who->self < 0)
        return false;
    if (who->role == M_PROXY || actor >= 80)
        return who->role == M_PROXY && actor - 80 == who->self;
    return actor >= 50 ? is_part_of(who->self, actor - 50) : actor == who->self;
}

static bool holds(const struct m_rule *r, const struct m_asker *who, const struct thing *t)
{
    if (r->when != NOW || !is_meant(who, r->actor))
        return false;
    if (r->purpose >= 0 && r->purpose != purpose_of(who))
        return false;
    if (r->label < 0) {
        if (r->permits && t->hiv)
            return false;
    } else if (r->label == HIV ? !t->hiv : (t->hiv && !t->normal)) {
        return false;
    }
    if (r->year && (t->year ? t->year > 0 && t->year != r->year : r->permits))
        return false;
    if (r->about >= 100)
        return t->author == r->about - 100;
    return r->about < 0 || t->obs == r->about;
}

/* 1 yes, -1 no, 0 nothing. */
static int word_of(const struct m_said *s, const struct m_asker *who, const struct thing *t)
{
    bool no = false;

    if (s->odd)
        return -1;
    for (int i = 0; i < s->n_more; i++)
        if (holds(&s->more[i], who, t)) {
            if (s->more[i].permits)
                return 1;
            no = true;
        }
    if (no)
        return -1;
    return holds(&s->rule, who, t) ? (s->rule.permits ? 1 : -1) : 0;
}

static bool agrees(const struct m_country *c, const struct m_asker *who, const struct thing *t,
                   int person)
{
    bool yes = false, only = false;

    for (int i = 0; i < SAID; i++) {
        const struct m_said *s = &c->said[i];
        int w;

        if (!s->lives || !s->active || !s->privacy || s->patient != person)
            continue;
        if (!s->odd && s->rule.when != NOW)
            continue;
        w = word_of(s, who, t);
        if (w < 0)
            return false;
        yes |= w > 0;
        only |= w == 0 && s->rule.permits;
    }
    if (yes || only)
        return yes;
    if (who->role == M_PROXY && !c->child[person])
        return false; /* who is of age says so */
    switch (c->implicit) {
    case 0: return !t->hiv;
    case 1: return true;
    case 2: return purpose_of(who) == 1 && !t->hiv;
    default: return false;
    }
}

static int diseases_of(const struct m_country *c, int person)
{
    int all = 0;

    for (int i = 0; i < CASES_MAX; i++) {
        const struct m_case *d = &c->cases[i];

        if (d->lives && !d->refuted && d->patient == person && d->code < 2)
            all |= 1 << d->code;
    }
    return all;
}

/* The law asks nobody, and shows what it names of the cases of what it names. */
static bool law_shows(const struct m_country *c, const struct m_asker *who, const struct thing *t)
{
    int opens = t->opened_by;

    if (purpose_of(who) != 3 || !t->n)
        return false;
    for (int i = 0; i < t->n; i++)
        opens &= diseases_of(c, t->patients[i]);
    return opens && (!t->hiv || (opens & t->names));
}

static bool sees(const struct m_country *c, const struct m_asker *who, const struct thing *t)
{
    int related = 0, own = 0, within = 0;

    if (!may_at_all(who) || who->role == M_BLIND)
        return false;
    for (int i = 0; i < t->n; i++) {
        own += is_self(c, who, t->patients[i]);
        related +=
            purpose_of(who) == 1 ? t->patients[i] == who->glass : in_care(c, who, t->patients[i]);
        within += t->patients[i] == who->within;
    }
    if (who->within >= 0 && !within)
        return false;
    if (own > 0 && (!t->group || own == t->n))
        return true;
    if (who->role == M_PATIENT)
        return false;
    if (who->role == M_REPORTER)
        return law_shows(c, who, t);
    if (t->n == 0)
        return who->role == M_STEWARD;
    if (who->role == M_PROXY && (t->hidden || t->group || related < t->n))
        return false;
    if ((who->role == M_WORKER || who->role == M_CLERK) &&
        (t->group ? related < t->n : related == 0))
        return false;
    if (t->hiv && who->role == M_CLERK)
        return false;
    for (int i = 0; i < t->n; i++)
        if (!agrees(c, who, t, t->patients[i]))
            return false;
    return true;
}

/* Of the periods that things have. */
static int year_of(enum when when)
{
    return when == PAST ? 2001 : when == FUTURE ? 2990 : -1;
}

static struct thing thing_of(int person)
{
    return (struct thing){.patients = {person}, .n = person >= 0, .obs = -1, .author = -1};
}

bool m_sees_person(const struct m_country *c, const struct m_asker *who, int person)
{
    struct thing t = thing_of(person);

    t.opened_by = 3;
    return sees(c, who, &t);
}

bool m_finds_person(const struct m_country *c, const struct m_asker *who, int person)
{
    struct m_asker any = *who;
    struct thing t = thing_of(person);

    t.opened_by = 3;
    any.within = -1; /* scopes are asked elsewhere */
    if (who->role != M_WORKER)
        return m_sees_person(c, &any, person);
    return may_at_all(who) && agrees(c, who, &t, person);
}

bool m_sees_said(const struct m_country *c, const struct m_asker *who, int person)
{
    struct thing t = thing_of(person);

    t.hidden = true;
    return sees(c, who, &t);
}

bool m_sees_obs(const struct m_country *c, const struct m_asker *who, const struct m_obs *o, int n)
{
    struct thing t = thing_of(o->subject);

    if (o->performer >= 100 && o->performer - 100 != o->subject)
        t.patients[t.n++] = o->performer - 100;
    t.opened_by = 1;
    t.names = o->code == 1 ? 1 : 0;
    t.hiv = o->label == HIV;
    t.hidden = o->label == HIDDEN;
    t.normal = o->label == NORMAL;
    t.year = o->year;
    t.obs = n;
    t.author = o->performer >= 0 && o->performer < 100 ? o->performer : -1;
    return sees(c, who, &t);
}

/* Its participants are no authors; its period is its time. */
bool m_sees_visit(const struct m_country *c, const struct m_asker *who, const struct m_care *v)
{
    struct thing t = thing_of(v->patient);

    t.opened_by = 2;
    t.year = year_of(v->when);
    return sees(c, who, &t);
}

bool m_sees_team(const struct m_country *c, const struct m_asker *who, const struct m_care *v)
{
    struct thing t = thing_of(v->patient);

    t.year = year_of(v->when);
    return sees(c, who, &t);
}

bool m_sees_case(const struct m_country *c, const struct m_asker *who, const struct m_case *d)
{
    struct thing t = thing_of(d->patient);

    t.opened_by = 3;
    return sees(c, who, &t);
}

bool m_sees_proxy(const struct m_country *c, const struct m_asker *who, const struct m_care *v)
{
    struct thing t = thing_of(v->patient);

    t.hidden = true;
    t.year = year_of(v->when);
    return sees(c, who, &t);
}

bool m_sees_self(const struct m_country *c, const struct m_asker *who, const struct m_self *s)
{
    struct thing t = thing_of(s->patient);

    t.hidden = true;
    return sees(c, who, &t);
}

bool m_sees_group(const struct m_country *c, const struct m_asker *who, const struct m_group *g)
{
    struct thing t = {.group = true, .obs = -1, .author = -1};

    for (int i = 0; i < PEOPLE; i++)
        if (g->has[i])
            t.patients[t.n++] = i;
    return sees(c, who, &t);
}
