/* check_state.c - what the state of a resource or a concept says about its use. */
#include "terminology/check_int.h"

/* ---- resources ---- */

/* The state of a code system or of the value set itself, and what is referred from. */
struct state {
    const char *type;
    struct str canonical, status;
    uint32_t flags; /* CS_DEPRECATED … */
    bool experimental;
};

static void say_state(struct checking *c, const struct state *x, bool is_drafter,
                      bool is_experimenter)
{
    const char *type = x->type;
    struct str canonical = x->canonical;

    if (x->flags & CS_DEPRECATED)
        checking_say(c, SAY_STATUS_DEPRECATED, STR(""), "the %s \"%.*s\" is deprecated", type,
                     STR_ARG(canonical));
    else if (x->flags & CS_WITHDRAWN)
        checking_say(c, SAY_STATUS_WITHDRAWN, STR(""), "the %s \"%.*s\" is withdrawn", type,
                     STR_ARG(canonical));
    else if (str_eq(x->status, STR("retired")))
        checking_say(c, SAY_STATUS_RETIRED, STR(""), "the %s \"%.*s\" is retired", type,
                     STR_ARG(canonical));
    else if (x->experimental && !is_experimenter)
        checking_say(c, SAY_STATUS_EXPERIMENTAL, STR(""), "the %s \"%.*s\" is experimental", type,
                     STR_ARG(canonical));
    else if ((x->flags & CS_DRAFT || str_eq(x->status, STR("draft"))) && !is_drafter)
        checking_say(c, SAY_STATUS_DRAFT, STR(""), "the %s \"%.*s\" is a draft", type,
                     STR_ARG(canonical));
}

void checking_status_of_system(struct checking *c, const struct cs *cs)
{
    struct state x = {"code system", checking_canonical(c, cs_url(cs), cs_version(cs)),
                      cs_text(cs, cs_info(cs)->status), cs_info(cs)->flags,
                      cs_info(cs)->experimental};
    bool drafter = c->vs && (str_eq(c->vs->status, STR("draft")) || c->vs->standards & CS_DRAFT);

    say_state(c, &x, drafter, c->vs && c->vs->experimental);
}

void checking_status_of_set(struct checking *c)
{
    struct state x = {"value set", checking_canonical(c, c->vs->url, c->vs->version), c->vs->status,
                      c->vs->standards, false};

    say_state(c, &x, true, true);
}

/* ---- concepts ---- */

static void say_inactive(struct checking *c, struct str code, struct str status)
{
    bool more = !str_eq(status, STR("inactive"));

    checking_say(c, SAY_CODE_INACTIVE, c->opt->where[0] ? checking_where(c, "") : STR("code"),
                 "\"%.*s\" is inactive%s%.*s%s: another code may be meant", STR_ARG(code),
                 more ? " (" : "", STR_ARG(more ? status : STR("")), more ? ")" : "");
}

bool checking_concept(struct checking *c, struct one *o)
{
    uint32_t flags = o->concept != CS_NONE ? cs_at(o->cs, o->concept)->flags : 0;
    struct str code = checking_shown(o->coding.code), status;
    bool ok = true;

    if (flags & CONCEPT_ABSTRACT && c->opt->abstract_refused) {
        checking_say(c, SAY_CODE_ABSTRACT, checking_where(c, "code"),
                     "%.*s#%.*s stands for a group of codes, and may not be chosen here",
                     STR_ARG(checking_shown(o->coding.system)), STR_ARG(code));
        ok = false;
    }
    if (flags & CONCEPT_INACTIVE && (c->opt->active_only || (c->vs && c->vs->active_only))) {
        checking_say(c, SAY_CODE_NOT_ACTIVE, checking_where(c, "code"),
                     "\"%.*s\" is a code, but no active one", STR_ARG(code));
        ok = false;
    }
    if (c->ret->inactive || c->ret->status.p || !(flags & (CONCEPT_INACTIVE | CONCEPT_DEPRECATED)))
        return ok;
    status = cs_status(o->cs, o->concept);
    if (flags & CONCEPT_INACTIVE) {
        c->ret->inactive = true;
        if (!str_eq(status, STR("inactive")))
            c->ret->status = status;
        say_inactive(c, code, status);
    } else {
        c->ret->status = STR("deprecated");
        checking_say(c, SAY_CODE_DEPRECATED, checking_where(c, ""),
                     "\"%.*s\" is deprecated: another code may be meant", STR_ARG(code));
    }
    return ok;
}
