/* policy_model.h - a small country as plain structs, and what a person may see of it, by looking at
 * everything: shares no code with what it checks (src/trust/decide.c and all below it).
 */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include <stdbool.h>
#include <stddef.h>

enum {
    PEOPLE = 6,
    DOCTORS = 3,
    ORGS = 3,
    OBS = 24,
    VISITS = 6,
    TEAMS = 3,
    SAID = 8,
    GROUPS = 2,
    PROXIES = 3,
    CASES_MAX = 6
};
enum when { PAST, NOW, FUTURE };
enum label { NO_LABEL, NORMAL, HIV, HIDDEN /* from proxies */ };

/* An observation. */
struct m_obs {
    bool lives;
    int subject;   /* -1: none */
    int performer; /* 0 … a doctor, 100 … a person, -1 none */
    int code;
    enum label label;
    int year; /* 0: no date; the day is its number, so that no two dates are the same */
};

/* A condition: of disease 0 (code 0), of disease 1 (code 1), of none that is reported (code 2). */
struct m_case {
    bool lives, refuted;
    int patient, code;
};

/* An encounter (finished or not), or a CareTeam. */
struct m_care {
    bool lives, over;
    int patient, doctor, org; /* -1: none */
    int by;                   /* the doctor who wrote it; -1: somebody else */
    enum when when, doctor_when;
};

struct m_rule {
    bool permits;
    enum when when;
    int actor;   /* 0 … a doctor, 50 … an organisation, 80 … a proxy, -1: anybody */
    int purpose; /* -1: any; 0 TREAT, 1 BTG */
    int label;   /* -1: none named; NORMAL, HIV */
    int year;    /* 0: any time */
    int about;   /* -1: all; 0 … an observation; 100 … written by a doctor */
};

struct m_said {
    bool lives, active, privacy, odd; /* odd: has what nobody understands */
    int patient;
    struct m_rule rule, more[2];
    int n_more;
};

struct m_group {
    bool lives;
    bool has[PEOPLE];
};

/* Somebody who acts for a person. */
struct m_proxy {
    bool lives, active;
    int ward;
    enum when when;
};

/* A Person: that somebody, and perhaps a patient themselves. */
struct m_self {
    bool lives, active, is_sure, acts; /* sure that they are that patient; links to the proxy */
    int patient;                       /* -1: none */
};

struct m_country {
    bool child[PEOPLE]; /* not of age */
    struct m_proxy proxies[PROXIES];
    struct m_self selves[PROXIES];
    struct m_obs obs[OBS];
    struct m_case cases[CASES_MAX];
    struct m_care visits[VISITS], teams[TEAMS];
    /* What another than a doctor said of each last: one's own word opens nothing to one. */
    struct m_care visits_but[VISITS][DOCTORS], teams_but[TEAMS][DOCTORS];
    struct m_said said[SAID];
    struct m_group groups[GROUPS];
    int implicit; /* 0 normal, 1 all, 2 break glass only, 3 deny */
};

enum m_role {
    M_PATIENT,
    M_WORKER,
    M_CLERK,
    M_STEWARD,
    M_BLIND,
    M_PROXY,
    M_REPORTER,
    M_NOBODY,
    M_ROLES
};

struct m_asker {
    enum m_role role;
    int self;    /* the person of M_PATIENT, a proxy, the doctor of the others; -1: none */
    int purpose; /* -1: not stated; 0 TREAT, 1 BTG, 2 one that no role has, 3 PUBHLTH */
    bool two_factors;
    bool is_person; /* of M_PROXY: the Person asks, not the RelatedPerson */
    int within;     /* the token is for this person's record alone; -1: for any */
    int glass;      /* with purpose BTG: the one for whom the glass was broken; -1: nobody */
};

/* Of the doctors, 0 works in organisation 0, 1 in 1, which is part of 0, and 2 in 2. */
/* Whether they may find somebody by who it is, in care or not. */
bool m_finds_person(const struct m_country *c, const struct m_asker *who, int person);
bool m_sees_person(const struct m_country *c, const struct m_asker *who, int person);
/* What is kept from proxies: consents, and who acts for somebody. */
bool m_sees_said(const struct m_country *c, const struct m_asker *who, int person);
bool m_sees_proxy(const struct m_country *c, const struct m_asker *who, const struct m_care *v);
bool m_sees_self(const struct m_country *c, const struct m_asker *who, const struct m_self *s);
bool m_sees_obs(const struct m_country *c, const struct m_asker *who, const struct m_obs *o, int n);
bool m_sees_visit(const struct m_country *c, const struct m_asker *who, const struct m_care *v);
bool m_sees_team(const struct m_country *c, const struct m_asker *who, const struct m_care *v);
bool m_sees_case(const struct m_country *c, const struct m_asker *who, const struct m_case *d);
bool m_sees_group(const struct m_country *c, const struct m_asker *who, const struct m_group *g);
bool m_sees_shared(const struct m_asker *who);

#endif
