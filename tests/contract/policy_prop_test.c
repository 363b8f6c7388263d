/* Random policies, consents, care and questions: what is answered is what a naive look at
 * everything (policy_model.c) leaves of it, and nothing tells more.
 *
 * CARNET_CASES: answers that are compared; CARNET_SEED: where to begin.
 */
#include "policy_access.h"
#include "policy_model.h"

#include "contract.h"

#include "base/rng.h"
#include "store/search/search_int.h"

#define CASES 6000
#define VERSIONS_MAX 700
#define COUNTRIES 4        /* at least, each with a policy of its own … */
#define COUNTRY_CASES 1500 /* … and with so many cases at most */
#define QUESTIONS 40       /* between two changes */
#define HIV_LABEL "http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV"

enum kind {
    K_PERSON,
    K_OBS,
    K_VISIT,
    K_TEAM,
    K_SAID,
    K_GROUP,
    K_DOCTOR,
    K_TASK,
    K_PROXY,
    K_CASE,
    K_SELF,
    KINDS
};

static const char *const type_of_kind[KINDS] = {
    "Patient",      "Observation", "Encounter",     "CareTeam",  "Consent", "Group",
    "Practitioner", "Task",        "RelatedPerson", "Condition", "Person"};
static const char letter_of_kind[KINDS] = {'p', 'x', 'e', 't', 's', 'g', 'd', 'k', 'q', 'c', 'r'};

/* A version as it was written. */
struct version_of {
    enum kind kind;
    int n;
    bool lives, is_newest;
    struct version version;
    union {
        struct m_obs obs;
        struct m_care care;
        struct m_group group;
        struct m_case disease;
        struct m_self self;
        int patient;
    };
};

struct prop {
    struct world w;
    struct rng rng;
    struct m_country c;
    struct policy_book *policy;
    struct guard *guard;
    struct params *params;
    struct version_of versions[VERSIONS_MAX];
    size_t n;
    struct {
        struct put put;
        struct version_of *of; /* NULL: no part of the model */
        int by;                /* the doctor who writes it; -1: the node */
    } puts[100];
    size_t n_puts;
    uint64_t seed;
    size_t cases;
    /* Who asks. */
    struct m_asker who;
    struct access access;
    struct arena a;
};

static int below(struct prop *p, int n)
{
    return (int)rng_below(&p->rng, (uint64_t)n);
}

static bool chance(struct prop *p, int percent)
{
    return below(p, 100) < percent;
}

static int maybe(struct prop *p, int percent, int n)
{
    return chance(p, percent) ? below(p, n) : -1;
}

/* ---- writing ---- */

/* What is written in one commit. */
struct batch {
    struct store_job job;
    struct prop *p;
    size_t from, to;
};

static int batch_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct batch *b = (struct batch *)job;
    struct prop *p = b->p;
    int r = 0;

    for (size_t i = b->from; i < b->to && r >= 0; i++) {
        struct version v;

        r = store_put(txn, &p->puts[i].put, &v, err);
        if (r >= 0 && p->puts[i].of)
            p->puts[i].of->version = v;
    }
    return r;
}

static void flush(struct prop *p)
{
    struct err err = {0};

    for (size_t i = 0; i < p->n_puts; i++) {
        struct access who = p->w.who;
        struct batch b = {.job = {.run = batch_run, .who = &who}, .p = p, .from = i, .to = i + 1};
        char agent[20];

        for (; b.to < p->n_puts && p->puts[b.to].by == p->puts[i].by; i++)
            b.to++;
        snprintf(agent, sizeof agent, "person a%d app", p->puts[b.from].by);
        if (p->puts[b.from].by >= 0)
            who.agent = str_c(agent);
        if (store_write(p->w.st, &b.job, &err) < 0)
            fail_msg("put: %s (%s)", err.text, err.detail);
    }
    p->n_puts = 0;
    arena_reset(&p->w.a);
}

static void put_fixed(struct prop *p, const char *type, const char *id, const char *text)
{
    struct err err = {0};

    assert_true(p->n_puts < ARRAY_LEN(p->puts));
    p->puts[p->n_puts].of = NULL;
    p->puts[p->n_puts].by = -1;
    if (make_put(p->w.st, &p->w.a, type, id, text, &p->puts[p->n_puts++].put, &err) < 0)
        fail_msg("put: %s (%s)", err.text, err.detail);
}

static void put(struct prop *p, enum kind kind, int n, const char *text, struct version_of v)
{
    char id[8];

    snprintf(id, sizeof id, "%c%d", letter_of_kind[kind], n);
    v.kind = kind;
    v.n = n;
    v.lives = text != NULL;
    v.is_newest = true;
    put_fixed(p, type_of_kind[kind], id, text);
    for (size_t i = 0; i < p->n; i++)
        if (p->versions[i].kind == kind && p->versions[i].n == n)
            p->versions[i].is_newest = false;
    assert_true(p->n < VERSIONS_MAX);
    p->puts[p->n_puts - 1].of = &p->versions[p->n];
    p->versions[p->n++] = v;
}

static void add_ref(struct sb *out, const char *name, char letter, int n)
{
    static const struct {
        char letter;
        const char *type;
    } types[] = {
        {'p', "Patient"}, {'d', "Practitioner"}, {'o', "Organization"}, {'x', "Observation"}};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].letter == letter)
            sb_fmt(out, ",\"%s\":{\"reference\":\"%s/%c%d\"}", name, types[i].type, letter, n);
}

static void add_period(struct sb *out, const char *name, enum when when)
{
    static const char *const periods[] = {"{\"start\":\"2001-02-01\",\"end\":\"2001-03-01\"}",
                                          "{\"start\":\"2000-01-01\"}",
                                          "{\"start\":\"2990-01-01\",\"end\":\"2990-02-01\"}"};
    sb_fmt(out, ",\"%s\":%s", name, periods[when]);
}

static void write_obs(struct prop *p, int n)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(4));
    struct m_obs *o = &p->c.obs[n];

    *o = (struct m_obs){.lives = !chance(p, 8),
                        .subject = maybe(p, 92, PEOPLE),
                        .performer = -1,
                        .code = below(p, 2),
                        .label = chance(p, 20)   ? HIV
                                 : chance(p, 20) ? NORMAL
                                 : chance(p, 10) ? HIDDEN
                                                 : NO_LABEL,
                        .year = chance(p, 70) ? 2020 + below(p, 2) : 0};
    if (chance(p, 50))
        o->performer = chance(p, 40) ? 100 + below(p, PEOPLE) : below(p, DOCTORS);
    /* What a doctor or a person did is of that person, too. */
    sb_fmt(&b,
           "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{"
           "\"system\":\"http://loinc.org\",\"code\":\"c%d\"}]}",
           o->code);
    if (o->label)
        sb_fmt(&b, ",\"meta\":{\"security\":[{\"system\":\"%s\",\"code\":\"%s\"}]}",
               o->label == HIDDEN ? "urn:x"
               : o->label == HIV  ? "http://terminology.hl7.org/CodeSystem/v3-ActCode"
                                  : "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
               o->label == HIDDEN ? "hidden"
               : o->label == HIV  ? "HIV"
                                  : "N");
    if (o->subject >= 0)
        add_ref(&b, "subject", 'p', o->subject);
    if (o->performer >= 0)
        sb_fmt(&b, ",\"performer\":[{\"reference\":\"%s%d\"}]",
               o->performer >= 100 ? "Patient/p" : "Practitioner/d", o->performer % 100);
    if (o->year)
        sb_fmt(&b, ",\"effectiveDateTime\":\"%d-01-%02d\"", o->year, n + 1);
    sb_lit(&b, "}");
    sb_char(&b, '\0');
    put(p, K_OBS, n, o->lives ? b.p : NULL, (struct version_of){.obs = *o});
}

static void write_care(struct prop *p, enum kind kind, int n)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(4));
    struct m_care *v = kind == K_VISIT ? &p->c.visits[n] : &p->c.teams[n];
    bool is_team = kind == K_TEAM;

    *v = (struct m_care){.lives = !chance(p, 10),
                         .over = chance(p, 30),
                         .patient = maybe(p, 95, PEOPLE),
                         .doctor = maybe(p, 80, DOCTORS),
                         .org = maybe(p, 50, ORGS),
                         .when = chance(p, 70)   ? NOW
                                 : chance(p, 50) ? PAST
                                                 : FUTURE,
                         .doctor_when = chance(p, 80) ? NOW : PAST,
                         .by = maybe(p, 40, DOCTORS)};
    sb_fmt(&b, "{\"resourceType\":\"%s\",\"status\":\"%s\"", is_team ? "CareTeam" : "Encounter",
           is_team   ? (v->over ? "inactive" : "active")
           : v->over ? "finished"
                     : "in-progress");
    if (!is_team)
        sb_lit(&b, ",\"class\":{\"code\":\"AMB\"}");
    /* A finished encounter that is going on is over: it does not say when. */
    if (!is_team && v->over && v->when == NOW)
        v->when = PAST;
    add_period(&b, "period", v->when);
    if (v->patient >= 0)
        add_ref(&b, "subject", 'p', v->patient);
    if (v->doctor >= 0 || (is_team && v->org >= 0)) {
        sb_lit(&b, ",\"participant\":[");
        if (v->doctor >= 0) {
            sb_fmt(&b, "{\"%s\":{\"reference\":\"Practitioner/d%d\"}",
                   is_team ? "member" : "individual", v->doctor);
            add_period(&b, "period", v->doctor_when);
            sb_lit(&b, "}");
        }
        if (is_team && v->org >= 0)
            sb_fmt(&b, "%s{\"member\":{\"reference\":\"Organization/o%d\"}}",
                   v->doctor >= 0 ? "," : "", v->org);
        sb_lit(&b, "]");
    }
    if (!is_team && v->org >= 0)
        add_ref(&b, "serviceProvider", 'o', v->org);
    sb_lit(&b, "}");
    sb_char(&b, '\0');
    put(p, kind, n, v->lives ? b.p : NULL, (struct version_of){.care = *v});
    p->puts[p->n_puts - 1].by = v->by;
    for (int d = 0; d < DOCTORS; d++)
        if (v->by != d)
            *(is_team ? &p->c.teams_but[n][d] : &p->c.visits_but[n][d]) = *v;
}

static struct m_rule some_rule(struct prop *p)
{
    struct m_rule r = {.permits = chance(p, 45),
                       .when = chance(p, 85)   ? NOW
                               : chance(p, 50) ? PAST
                                               : FUTURE,
                       .actor = -1,
                       .purpose = maybe(p, 25, 2),
                       .label = chance(p, 20)   ? NORMAL
                                : chance(p, 20) ? HIV
                                                : -1,
                       .year = chance(p, 12) ? 2020 + below(p, 2) : 0,
                       .about = -1};

    if (chance(p, 35))
        r.actor = chance(p, 30)   ? 80 + below(p, PROXIES)
                  : chance(p, 50) ? below(p, DOCTORS)
                                  : 50 + below(p, ORGS);
    if (chance(p, 12))
        r.about = chance(p, 50) ? below(p, OBS) : 100 + below(p, DOCTORS);
    return r;
}

static void add_rule(struct sb *b, const struct m_rule *r, bool odd)
{
    sb_fmt(b, "\"type\":\"%s\"", r->permits ? "permit" : "deny");
    add_period(b, "period", r->when);
    if (r->actor >= 0)
        sb_fmt(b, ",\"actor\":[{\"role\":{\"text\":\"r\"},\"reference\":{\"reference\":\"%s%d\"}}]",
               r->actor >= 80   ? "RelatedPerson/q"
               : r->actor >= 50 ? "Organization/o"
                                : "Practitioner/d",
               r->actor >= 80 ? r->actor - 80 : r->actor % 50);
    if (r->purpose >= 0)
        sb_fmt(b, ",\"purpose\":[{\"code\":\"%s\"}]", r->purpose ? "BTG" : "TREAT");
    if (r->label >= 0)
        sb_fmt(b,
               ",\"securityLabel\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/%s\","
               "\"code\":\"%s\"}]",
               r->label == HIV ? "v3-ActCode" : "v3-Confidentiality",
               r->label == HIV ? "HIV" : "N");
    if (r->year)
        sb_fmt(b, ",\"dataPeriod\":{\"start\":\"%d\",\"end\":\"%d\"}", r->year, r->year);
    if (r->about >= 0)
        sb_fmt(b, ",\"data\":[{\"meaning\":\"%s\",\"reference\":{\"reference\":\"%s%d\"}}]",
               r->about >= 100 ? "authoredby" : "instance",
               r->about >= 100 ? "Practitioner/d" : "Observation/x", r->about % 100);
    if (odd)
        sb_lit(b, ",\"class\":[{\"code\":\"whatever\"}]");
}

static void write_said(struct prop *p, int n)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(8));
    struct m_said *s = &p->c.said[n];

    *s = (struct m_said){.lives = !chance(p, 20),
                         .active = chance(p, 90),
                         .privacy = chance(p, 95),
                         .odd = chance(p, 5),
                         .patient = below(p, PEOPLE),
                         .rule = some_rule(p)};
    if (chance(p, 30)) /* what many say */
        s->rule = (struct m_rule){chance(p, 30), NOW, -1, -1, -1, 0, -1};
    else if (chance(p, 40))
        s->n_more = 1 + below(p, 2);
    sb_fmt(&b,
           "{\"resourceType\":\"Consent\",\"status\":\"%s\",\"scope\":{\"coding\":[{\"code\":"
           "\"%s\"}]}",
           s->active ? "active" : "inactive", s->privacy ? "patient-privacy" : "research");
    add_ref(&b, "patient", 'p', s->patient);
    sb_lit(&b, ",\"provision\":{");
    add_rule(&b, &s->rule, s->odd);
    for (int i = 0; i < s->n_more; i++) {
        s->more[i] = some_rule(p);
        sb_fmt(&b, "%s{", i ? "," : ",\"provision\":[");
        add_rule(&b, &s->more[i], false);
        sb_lit(&b, "}");
    }
    sb_fmt(&b, "%s}}", s->n_more ? "]" : "");
    sb_char(&b, '\0');
    put(p, K_SAID, n, s->lives ? b.p : NULL, (struct version_of){.patient = s->patient});
}

static void write_group(struct prop *p, int n)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(4));
    struct m_group *g = &p->c.groups[n];
    const char *sep = ",\"member\":[";

    *g = (struct m_group){.lives = true};
    sb_lit(&b, "{\"resourceType\":\"Group\",\"type\":\"person\",\"actual\":true");
    for (int i = 0; i < PEOPLE; i++)
        if ((g->has[i] = chance(p, 30))) {
            sb_fmt(&b, "%s{\"entity\":{\"reference\":\"Patient/p%d\"}}", sep, i);
            sep = ",";
        }
    sb_fmt(&b, "%s}", *sep == ',' && sep[1] ? "" : "]");
    sb_char(&b, '\0');
    put(p, K_GROUP, n, b.p, (struct version_of){.group = *g});
}

static void write_person(struct prop *p, int n)
{
    char text[200];

    p->c.child[n] = chance(p, 50);
    snprintf(text, sizeof text,
             "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"Fam%d\"}],"
             "\"birthDate\":\"%s\"}",
             n % 3, p->c.child[n] ? "2020-05-01" : "1980");
    put(p, K_PERSON, n, text, (struct version_of){.patient = n});
}

static void write_proxy(struct prop *p, int n)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(4));
    struct m_proxy *q = &p->c.proxies[n];

    *q = (struct m_proxy){.lives = !chance(p, 10),
                          .active = chance(p, 85),
                          .ward = below(p, PEOPLE),
                          .when = chance(p, 85) ? NOW : (enum when)below(p, 3)};
    sb_fmt(&b, "{\"resourceType\":\"RelatedPerson\",\"active\":%s", q->active ? "true" : "false");
    add_ref(&b, "patient", 'p', q->ward);
    add_period(&b, "period", q->when);
    sb_lit(&b, "}");
    sb_char(&b, '\0');
    put(p, K_PROXY, n, q->lives ? b.p : NULL,
        (struct version_of){.care = {.patient = q->ward, .when = q->when}});
}

static void write_self(struct prop *p, int n)
{
    static const char *const levels[] = {"", ",\"assurance\":\"level2\"",
                                         ",\"assurance\":\"level3\"", ",\"assurance\":\"level4\""};
    _cleanup_(sb_done) struct sb b = sb_make(KIB(4));
    struct m_self *s = &p->c.selves[n];
    int level = below(p, 4);

    *s = (struct m_self){.lives = !chance(p, 10),
                         .active = chance(p, 85),
                         .is_sure = level > 1,
                         .acts = chance(p, 90),
                         .patient = maybe(p, 80, PEOPLE)};
    sb_fmt(&b, "{\"resourceType\":\"Person\",\"active\":%s,\"link\":[",
           s->active ? "true" : "false");
    if (s->acts)
        sb_fmt(&b, "{\"target\":{\"reference\":\"RelatedPerson/q%d\"}},", n);
    if (s->patient >= 0)
        sb_fmt(&b, "{\"target\":{\"reference\":\"Patient/p%d\"}%s},", s->patient, levels[level]);
    sb_lit(&b, "{\"target\":{\"reference\":\"Practitioner/d0\"}}]}");
    sb_char(&b, '\0');
    put(p, K_SELF, n, s->lives ? b.p : NULL, (struct version_of){.self = *s});
}

static void write_case(struct prop *p, int n)
{
    static const char *const codes[] = {"urn:icd|a", "urn:icd|b", "urn:icd|z"};
    _cleanup_(sb_done) struct sb b = sb_make(KIB(4));
    struct m_case *d = &p->c.cases[n];

    *d = (struct m_case){.lives = !chance(p, 20),
                         .refuted = chance(p, 15),
                         .patient = maybe(p, 95, PEOPLE),
                         .code = below(p, 3)};
    sb_fmt(&b,
           "{\"resourceType\":\"Condition\",\"code\":{\"coding\":[{\"system\":\"urn:icd\","
           "\"code\":\"%s\"}]},\"verificationStatus\":{\"coding\":[{\"code\":\"%s\"}]}",
           codes[d->code] + 8, d->refuted ? "refuted" : "confirmed");
    if (d->patient >= 0)
        add_ref(&b, "subject", 'p', d->patient);
    sb_lit(&b, "}");
    sb_char(&b, '\0');
    put(p, K_CASE, n, d->lives ? b.p : NULL, (struct version_of){.disease = *d});
}

static void change(struct prop *p)
{
    switch (below(p, 14)) {
    case 13: write_self(p, below(p, PROXIES)); break;
    case 11:
    case 12: write_case(p, below(p, CASES_MAX)); break;
    case 10: write_proxy(p, below(p, PROXIES)); break;
    case 0:
    case 1:
    case 2: write_said(p, below(p, SAID)); break;
    case 3:
    case 4: write_care(p, K_VISIT, below(p, VISITS)); break;
    case 5: write_care(p, K_TEAM, below(p, TEAMS)); break;
    case 6: write_group(p, below(p, GROUPS)); break;
    case 7: write_person(p, below(p, PEOPLE)); break;
    default: write_obs(p, below(p, OBS)); break;
    }
}

static void begin(struct prop *p)
{
    static const char *const implicit[] = {"normal", "all", "break-glass-only", "deny"};
    _cleanup_(sb_done) struct sb b = sb_make(KIB(8));
    char text[300], id[8];

    p->c.implicit = chance(p, 55) ? 0 : below(p, 4);
    sb_fmt(
        &b,
        "{\"version\":\"1\",\"implicitConsent\":\"%s\",\"careDays\":30,\"sensitive\":[\"%s\"],"
        "\"confidential\":[\"urn:x|hidden\"],\"ageOfConsent\":18,"
        "\"notifiable\":{\"A\":{\"codes\":[\"urn:icd|a\",\"http://loinc.org|c1\"],"
        "\"types\":[\"Patient\",\"Condition\",\"Observation\"]},"
        "\"B\":{\"codes\":[\"urn:icd|b\"],\"types\":[\"Patient\",\"Condition\",\"Encounter\"]}},"
        "\"roles\":{"
        "\"patient\":{\"records\":\"own\",\"purposes\":[\"PATRQT\",\"TREAT\"]},"
        "\"worker\":{\"records\":\"related\",\"organisation\":true,\"sensitive\":true,"
        "\"breakGlass\":true,\"finds\":true,\"purposes\":[\"TREAT\",\"BTG\"],\"types\":[\"Task\"]},"
        "\"guardian\":{\"records\":\"related\",\"sensitive\":true,\"purposes\":[\"TREAT\"]},"
        "\"clerk\":{\"records\":\"related\",\"purposes\":[\"TREAT\"]},"
        "\"steward\":{\"records\":\"all\",\"unlinked\":true,\"sensitive\":true,"
        "\"assurance\":\"two-factors\",\"purposes\":[\"TREAT\"]},"
        "\"reporter\":{\"records\":\"cases\",\"purposes\":[\"PUBHLTH\",\"TREAT\"]},"
        "\"blind\":{\"records\":\"none\",\"purposes\":[\"TREAT\"]}}}",
        implicit[p->c.implicit], HIV_LABEL);
    policy_open(p->w.st, sb_view(&b), &p->policy, &p->guard);
    p->params = store_params(p->w.st);
    put_fixed(p, "Organization", "o0", "{\"resourceType\":\"Organization\",\"name\":\"a\"}");
    put_fixed(p, "Organization", "o1",
              "{\"resourceType\":\"Organization\",\"name\":\"b\",\"partOf\":{\"reference\":"
              "\"Organization/o0\"}}");
    put_fixed(p, "Organization", "o2", "{\"resourceType\":\"Organization\",\"name\":\"c\"}");
    for (int i = 0; i < DOCTORS; i++) {
        snprintf(text, sizeof text,
                 "{\"resourceType\":\"PractitionerRole\",\"active\":true,"
                 "\"practitioner\":{\"reference\":\"Practitioner/d%d\"},"
                 "\"organization\":{\"reference\":\"Organization/o%d\"}}",
                 i, i);
        snprintf(id, sizeof id, "r%d", i);
        put_fixed(p, "PractitionerRole", id, text);
        put(p, K_DOCTOR, i, "{\"resourceType\":\"Practitioner\"}",
            (struct version_of){.patient = 0});
    }
    put(p, K_TASK, 0, "{\"resourceType\":\"Task\",\"status\":\"ready\",\"intent\":\"order\"}",
        (struct version_of){.patient = 0});
    for (int i = 0; i < PEOPLE; i++)
        write_person(p, i);
    for (int i = 0; i < OBS; i++)
        write_obs(p, i);
    for (int i = 0; i < VISITS; i++)
        write_care(p, K_VISIT, i);
    for (int i = 0; i < TEAMS; i++)
        write_care(p, K_TEAM, i);
    for (int i = 0; i < GROUPS; i++)
        write_group(p, i);
    for (int i = 0; i < SAID / 2; i++)
        write_said(p, i);
    for (int i = 0; i < PROXIES; i++)
        write_proxy(p, i);
    for (int i = 0; i < PROXIES; i++)
        write_self(p, i);
    for (int i = 0; i < CASES_MAX; i++)
        write_case(p, i);
    flush(p);
}

/* ---- who asks ---- */

static void some_asker(struct prop *p)
{
    static const char *const roles[M_ROLES] = {"patient", "worker",   "clerk",    "steward",
                                               "blind",   "guardian", "reporter", "ghost"};
    static const char *const purposes[] = {"TREAT", "BTG", "HMARKT", "PUBHLTH"};
    struct m_asker *who = &p->who;
    struct somebody as;

    arena_reset(&p->a);
    *who = (struct m_asker){.role = chance(p, 40)   ? M_WORKER
                                    : chance(p, 20) ? M_REPORTER
                                                    : (enum m_role)below(p, M_ROLES),
                            .self = -1,
                            .purpose = chance(p, 75) ? -1 : below(p, 4),
                            .two_factors = chance(p, 80),
                            .is_person = chance(p, 60),
                            .within = maybe(p, 15, PEOPLE)};
    who->glass = who->within >= 0 ? who->within : maybe(p, 85, PEOPLE);
    if (chance(p, 95))
        who->self = below(p, who->role == M_PATIENT ? PEOPLE
                             : who->role == M_PROXY ? PROXIES
                                                    : DOCTORS);
    as = (struct somebody){.role = roles[who->role],
                           .purpose = who->purpose < 0 ? "" : purposes[who->purpose],
                           .scope = who->within < 0 ? "user/*.cruds" : "patient/*.cruds",
                           .two_factors = who->two_factors};
    if (who->self >= 0)
        snprintf(as.user, sizeof as.user, "%s%d",
                 who->role == M_PATIENT ? "Patient/p"
                 : who->role != M_PROXY ? "Practitioner/d"
                 : who->is_person       ? "Person/r"
                                        : "RelatedPerson/q",
                 who->self);
    if (who->self >= 0 && who->role != M_PATIENT && who->role != M_PROXY)
        snprintf(as.account, sizeof as.account, "a%d", who->self);
    if (who->glass >= 0)
        snprintf(as.patient, sizeof as.patient, "p%d", who->glass);
    p->access = somebody_access(&p->a, &as, p->guard);
}

static bool sees(const struct prop *p, const struct version_of *v)
{
    const struct m_country *c = &p->c;
    const struct m_asker *who = &p->who;

    switch (v->kind) {
    case K_SAID: return m_sees_said(c, who, v->patient);
    case K_PROXY: return m_sees_proxy(c, who, &v->care);
    case K_SELF: return m_sees_self(c, who, &v->self);
    case K_PERSON: return m_sees_person(c, who, v->patient);
    case K_OBS: return m_sees_obs(c, who, &v->obs, v->n);
    case K_VISIT: return m_sees_visit(c, who, &v->care);
    case K_TEAM: return m_sees_team(c, who, &v->care);
    case K_CASE: return m_sees_case(c, who, &v->disease);
    case K_GROUP: return m_sees_group(c, who, &v->group);
    case K_DOCTOR: return m_sees_shared(who);
    case K_TASK: return m_sees_shared(who) && who->role == M_WORKER && who->within < 0;
    default: return false;
    }
}

/* A deletion is for those to know who would see what was deleted. */
static bool sees_any(const struct prop *p, const struct version_of *v)
{
    if (v->lives)
        return sees(p, v);
    for (const struct version_of *was = v; was-- > p->versions;)
        if (was->kind == v->kind && was->n == v->n)
            return was->lives && sees(p, was);
    return false;
}

static bool is_found(const struct prop *p, const struct version_of *v)
{
    return v->lives && v->is_newest && sees(p, v);
}

static const struct version_of *newest(const struct prop *p, enum kind kind, int n)
{
    for (size_t i = p->n; i-- > 0;)
        if (p->versions[i].kind == kind && p->versions[i].n == n)
            return &p->versions[i];
    return NULL;
}

static _Noreturn void differs(struct prop *p, const char *what, const char *detail)
{
    fail_msg("seed %llu, case %zu: %s: %s (role %d self %d purpose %d within %d implicit %d)",
             (unsigned long long)p->seed, p->cases, what, detail, p->who.role, p->who.self,
             p->who.purpose, p->who.within, p->c.implicit);
    abort();
}

/* ---- reading ---- */

/* A refusal says nothing that it would not say of what never was. */
static void same_as_nothing(struct prop *p, struct store_txn *txn, const char *type, const char *id,
                            const struct err *got)
{
    struct err want = {0};
    char text[ERR_TEXT_MAX], *at;
    struct row row;

    if (store_get(txn, type_of(type), STR("nothing-here"), &row, &want) != ERR_NOT_FOUND)
        differs(p, "read", "what never was is found");
    snprintf(text, sizeof text, "%s", want.text);
    at = strstr(text, "nothing-here");
    assert_non_null(at);
    snprintf(at, sizeof text - (size_t)(at - text), "%s%s", id, strstr(want.text, "here") + 4);
    if (got->code != want.code || strcmp(got->text, text) != 0 ||
        strcmp(got->where, want.where) != 0)
        differs(p, "a refusal tells something", got->text);
}

static void read_one(struct prop *p, struct store_txn *txn)
{
    const struct version_of *v = &p->versions[rng_below(&p->rng, p->n)];
    const char *type = type_of_kind[v->kind];
    struct err err = {0};
    struct row row;
    char id[8];
    int r;

    snprintf(id, sizeof id, "%c%d", letter_of_kind[v->kind], v->n);
    if (chance(p, 50)) {
        v = newest(p, v->kind, v->n);
        r = store_get(txn, type_of(type), str_c(id), &row, &err);
        if ((r == 0) != sees_any(p, v))
            differs(p, r == 0 ? "read too much" : "read too little", id);
        if (r < 0)
            same_as_nothing(p, txn, type, id, &err);
    } else {
        r = store_get_version(txn, type_of(type), str_c(id), &v->version, &row, &err);
        if ((r == 0) != sees_any(p, v))
            differs(p, r == 0 ? "vread too much" : "vread too little", id);
        if (r < 0 && r != ERR_NOT_FOUND)
            differs(p, "vread", err.text);
    }
}

static void read_history(struct prop *p, struct store_txn *txn)
{
    const struct version_of *of = chance(p, 60) ? &p->versions[rng_below(&p->rng, p->n)] : NULL;
    struct history_query q = {.count = 1000};
    struct err err = {0};
    struct arena a;
    struct page page;
    size_t at = 0;
    char id[8];

    if (of) {
        snprintf(id, sizeof id, "%c%d", letter_of_kind[of->kind], of->n);
        q.type = type_of(type_of_kind[of->kind]);
        q.id = str_c(id);
    }
    arena_init(&a, MIB(8));
    if (store_history(txn, &q, &a, &page, &err) < 0)
        differs(p, "history", err.text);
    for (size_t i = p->n; i-- > 0;) {
        const struct version_of *v = &p->versions[i];
        struct row row;

        if ((of && (v->kind != of->kind || v->n != of->n)) || !sees_any(p, v))
            continue;
        /* Organisations and roles are no part of the model. */
        for (; at < page.n; at++) {
            assert_int_equal(store_get_row(txn, page.rows[at], &row, &err), 0);
            if (row.type != type_of("Organization") && row.type != type_of("PractitionerRole"))
                break;
        }
        if (at == page.n)
            differs(p, "history", "too little");
        if (row.version.hlc != v->version.hlc)
            differs(p, "history", "another version");
        at++;
    }
    for (; at < page.n; at++) {
        struct row row;

        assert_int_equal(store_get_row(txn, page.rows[at], &row, &err), 0);
        if (row.type != type_of("Organization") && row.type != type_of("PractitionerRole"))
            differs(p, "history", "too much");
    }
    if (page.total >= 0 && page.total != (int64_t)page.n)
        differs(p, "history", "the total tells something");
    arena_done(&a);
}

/* ---- searching ---- */

/* A question, and what it means. */
struct question {
    enum kind kind; /* KINDS: everything */
    int code, subject, family, has_code, id,
        sort; /* -1: not asked; sort 0 no, 1 date, 2 -date, 3 -row */
};

static struct question some_question(struct prop *p)
{
    struct question q = {.kind = chance(p, 50) ? K_OBS : (enum kind)below(p, KINDS),
                         .code = -1,
                         .subject = -1,
                         .family = -1,
                         .has_code = -1,
                         .id = -1};

    if (chance(p, 8) && p->who.within < 0)
        q.kind = KINDS;
    if (q.kind == K_OBS) {
        q.code = maybe(p, 40, 2);
        q.subject = maybe(p, 25, PEOPLE);
        q.family = maybe(p, 25, 3);
        q.sort = chance(p, 40) ? 1 + below(p, 2) : 0;
    }
    if (q.kind == K_VISIT)
        q.family = maybe(p, 50, 3);
    if (q.kind == K_PERSON)
        q.has_code = maybe(p, 60, 2);
    if (!q.sort && chance(p, 30))
        q.sort = 3;
    if (q.kind < KINDS && chance(p, 10))
        q.id = below(p, 6);
    return q;
}

static void question_text(const struct prop *p, const struct question *q, int count, int total,
                          struct sb *out)
{
    static const char *const sorts[] = {"", "&_sort=date", "&_sort=-date", "&_sort=-_lastUpdated"};
    static const char *const totals[] = {"", "&_total=accurate", "&_total=none"};

    (void)p;
    sb_fmt(out, "_count=%d%s%s", count, totals[total], sorts[q->sort]);
    if (q->code >= 0)
        sb_fmt(out, "&code=c%d", q->code);
    if (q->subject >= 0)
        sb_fmt(out, "&subject=Patient/p%d", q->subject);
    if (q->family >= 0)
        sb_fmt(out, "&subject:Patient.family=Fam%d", q->family);
    if (q->has_code >= 0)
        sb_fmt(out, "&_has:Observation:subject:code=c%d", q->has_code);
    if (q->id >= 0)
        sb_fmt(out, "&_id=%c%d", letter_of_kind[q->kind], q->id);
}

static bool answers(const struct prop *p, const struct question *q, const struct version_of *v)
{
    int subject = v->kind == K_OBS ? v->obs.subject : v->kind == K_VISIT ? v->care.patient : -1;
    bool has = q->has_code < 0;

    if (!is_found(p, v) || (q->kind != KINDS && v->kind != q->kind))
        return false;
    if ((q->code >= 0 && v->obs.code != q->code) || (q->subject >= 0 && subject != q->subject) ||
        (q->id >= 0 && v->n != q->id))
        return false;
    if (q->family >= 0 &&
        (subject < 0 || subject % 3 != q->family || !m_sees_person(&p->c, &p->who, subject)))
        return false;
    for (int i = 0; i < OBS && !has; i++) {
        const struct m_obs *o = &p->c.obs[i];
        has = o->lives && o->subject == v->n && o->code == q->has_code &&
              m_sees_obs(&p->c, &p->who, o, i);
    }
    return has;
}

/* Where a version stands by date; rows without one come last in either direction. */
static int place(const struct version_of *v, int sort)
{
    int at = v->obs.year ? v->obs.year * 100 + v->n : 0;

    return !at ? 1000000 : sort == 2 ? -at : at;
}

static size_t naive_answer(const struct prop *p, const struct question *q,
                           const struct version_of **ret)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct version_of *v = &p->versions[q->sort >= 2 ? p->n - 1 - i : i];
        size_t at;

        if (!answers(p, q, v))
            continue;
        at = n++;
        while ((q->sort == 1 || q->sort == 2) && at > 0 &&
               place(ret[at - 1], q->sort) > place(v, q->sort)) {
            ret[at] = ret[at - 1];
            at--;
        }
        ret[at] = v;
    }
    return n;
}

/* A page of a _has that is neither sorted nor counted comes in any order (decision 0025): what was
 * found becomes the next that is wanted, if it is wanted at all. */
static void take_any(const struct version_of **want, size_t n, const struct row *found)
{
    for (size_t i = 0; i < n; i++)
        if (want[i]->version.hlc == found->version.hlc) {
            const struct version_of *first = want[0];

            want[0] = want[i];
            want[i] = first;
            return;
        }
}

static bool is_modelled(const struct row *row)
{
    return row->type != type_of("Organization") && row->type != type_of("PractitionerRole");
}

static void search_one(struct prop *p, struct store_txn *txn)
{
    struct search_options opt = {.index = *store_index_options(p->w.st), .strict = true};
    static const struct version_of *want[VERSIONS_MAX];
    _cleanup_(sb_done) struct sb text = sb_make(KIB(4));
    struct question q = some_question(p);
    int count = 1 + below(p, 7), total = below(p, 3);
    size_t n, at = 0, extra = 0;
    struct err err = {0};
    struct search s;
    struct arena a;
    struct page page = {.total = -1};
    int64_t told = -1;

    arena_init(&a, MIB(16));
    question_text(p, &q, count, total, &text);
    sb_char(&text, '\0');
    if (search_parse(&a, p->params, &opt, q.kind == KINDS ? 0 : type_of(type_of_kind[q.kind]),
                     str_c(text.p), &s, &err) < 0)
        differs(p, text.p, err.text);
    n = naive_answer(p, &q, want);
    do {
        if (store_search(txn, &s, 0, &a, &page, &err) < 0)
            differs(p, text.p, err.text);
        if (!s.cursor.p)
            told = page.total;
        for (size_t i = 0; i < page.n; i++) {
            struct row row;

            if (store_get_row(txn, page.rows[i], &row, &err) < 0)
                differs(p, text.p, "a row that may not be read");
            if (!is_modelled(&row)) {
                extra++;
                continue;
            }
            if (q.has_code >= 0 && !q.sort && total != 1)
                take_any(want + at, n - at, &row);
            if (at == n || row.version.hlc != want[at]->version.hlc) {
                char which[100];

                snprintf(which, sizeof which, "%.*s instead of %c%d at %zu", STR_ARG(row.id),
                         at == n ? '-' : letter_of_kind[want[at]->kind], at == n ? 0 : want[at]->n,
                         at);
                differs(p, text.p, which);
            }
            at++;
        }
        if (page.n < s.count && page.next.p)
            differs(p, text.p, "a page that is not full has a next one");
        s.cursor = page.next;
    } while (page.next.p);
    if (at != n)
        differs(p, text.p, "too little");
    if (total == 1 && told != (int64_t)(n + extra))
        differs(p, text.p, "the total is wrong");
    if (told >= 0 && told != (int64_t)(n + extra))
        differs(p, text.p, "a total that nobody asked for is wrong");
    arena_done(&a);
}

/* Who refers to a person: what _revinclude adds. */
static void refer_one(struct prop *p, struct store_txn *txn)
{
    int person = below(p, PEOPLE);
    struct err err = {0};
    struct arena a;
    struct page page;
    size_t want = 0;
    char id[8];

    arena_init(&a, MIB(8));
    snprintf(id, sizeof id, "p%d", person);
    if (store_referrers(txn, NULL, type_of("Patient"), str_c(id), 1000, &a, &page, &err) < 0)
        differs(p, "referrers", err.text);
    for (size_t i = 0; i < p->n; i++) {
        const struct version_of *v = &p->versions[i];
        bool refers = v->kind == K_OBS
                          ? v->obs.subject == person || v->obs.performer == 100 + person
                      : v->kind == K_VISIT || v->kind == K_TEAM || v->kind == K_PROXY
                          ? v->care.patient == person
                      : v->kind == K_GROUP ? v->group.has[person]
                      : v->kind == K_SAID  ? v->patient == person
                      : v->kind == K_CASE  ? v->disease.patient == person
                      : v->kind == K_SELF  ? v->self.patient == person
                                           : false;
        want += refers && is_found(p, v);
    }
    if (page.n != want)
        differs(p, "referrers", page.n > want ? "too many" : "too few");
    arena_done(&a);
}

/* Whom one finds by who they are: as if everybody were in care, and nobody who says no. */
static void find_all(struct prop *p)
{
    struct access system = p->w.who;
    struct store_txn *txn = NULL;
    uint64_t rows[PEOPLE];
    struct err err = {0};
    bool may[PEOPLE];
    char id[8];

    assert_int_equal(store_begin(p->w.st, &system, &txn, &err), 0);
    for (int i = 0; i < PEOPLE; i++) {
        struct row row;

        snprintf(id, sizeof id, "p%d", i);
        assert_int_equal(store_get(txn, type_of("Patient"), str_c(id), &row, &err), 0);
        rows[i] = row.row;
    }
    store_end(txn);
    somebody_finds(&p->access, p->w.st, rows, PEOPLE, may);
    for (int i = 0; i < PEOPLE; i++)
        if (may[i] != m_finds_person(&p->c, &p->who, i))
            differs(p, "find", may[i] ? "somebody who is hidden" : "somebody is missing");
}

static void ask(struct prop *p)
{
    struct store_txn *txn = NULL;
    struct err err = {0};

    some_asker(p);
    if (chance(p, 10))
        find_all(p);
    if (store_begin(p->w.st, &p->access, &txn, &err) < 0)
        fail_msg("begin: %s", err.text);
    for (int i = 0; i < 4; i++, p->cases++)
        switch (below(p, 10)) {
        case 0:
        case 1:
        case 2: read_one(p, txn); break;
        case 3: read_history(p, txn); break;
        case 4: refer_one(p, txn); break;
        default: search_one(p, txn); break;
        }
    store_end(txn);
}

static size_t run_country(uint64_t seed, size_t cases)
{
    struct prop *p = calloc(1, sizeof *p);
    size_t done;

    assert_non_null(p);
    p->seed = seed;
    rng_seed(&p->rng, seed);
    world_open(&p->w);
    arena_init(&p->a, MIB(1));
    begin(p);
    while (p->cases < cases && p->n < VERSIONS_MAX - 4) {
        for (int i = 0; i < QUESTIONS / 4; i++)
            ask(p);
        for (int i = 1 + below(p, 4); i > 0; i--)
            change(p);
        flush(p);
        /* What is kept is no older and no newer than what is made anew. */
        if (chance(p, 3)) {
            policy_close(NULL, p->guard);
            policy_open(p->w.st, STR(""), &p->policy, &p->guard);
        }
    }
    done = p->cases;
    policy_close(p->policy, p->guard);
    params_unref(p->params);
    arena_done(&p->a);
    world_done(&p->w);
    free(p);
    return done;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *v = getenv(name);

    return v ? strtoull(v, NULL, 10) : otherwise;
}

static void nothing_more_is_told(void **state)
{
    size_t cases = (size_t)number_of("CARNET_CASES", CASES), done = 0;
    size_t of_one = MIN(cases / COUNTRIES + 1, (size_t)COUNTRY_CASES);
    uint64_t seed = number_of("CARNET_SEED", 1);
    struct search_limits was = search_limits;

    (void)state;
    print_message("policy: %zu cases from seed %llu on\n", cases, (unsigned long long)seed);
    for (; done < cases; seed++) {
        search_limits = was;
        /* Little data walks the ways of much data. */
        if (seed % 2)
            search_limits = (struct search_limits){.race_first = 2,
                                                   .race_max = seed % 4 == 1 ? 8 : 0,
                                                   .terms = 3,
                                                   .ranges = 4,
                                                   .total_cost = 60,
                                                   .walk_try = 12,
                                                   .collect = 40,
                                                   .sort_rows = seed % 8 == 1 ? 0 : 10,
                                                   .run = 1000,
                                                   .set_array = 5,
                                                   .bodies = {2, 6, 12},
                                                   .reads = {4, 20, 0}};
        done += run_country(seed, MIN(cases - done, of_one));
    }
    search_limits = was;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_more_is_told)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
