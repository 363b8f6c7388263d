#include "terminology/check.h"

#include "terminology/check_int.h"

#include "terminology/canonical.h"
#include "terminology/grammar.h"

/* ---- which system ---- */

static void note_unknown(struct checking *c, struct str url, struct str version)
{
    struct checked *ret = c->ret;
    struct str canonical = checking_canonical(c, url, version);

    for (size_t i = 0; i < ret->n_unknown; i++)
        if (str_eq(ret->unknown[i], canonical))
            return;
    if (ret->n_unknown < CHECK_UNKNOWN_MAX)
        ret->unknown[ret->n_unknown++] = canonical;
}

/* A version that is not here, though others may be. */
static int say_no_version(struct checking *c, struct str url, struct str version)
{
    struct str shown = checking_shown(url), where = checking_where(c, "system");
    struct str versions;
    int r = terms_versions(c->s, url, &versions, c->err);

    if (r < 0)
        return r;
    if (versions.n)
        checking_say(c, SAY_VERSION_UNKNOWN, where,
                     "version \"%.*s\" of the code system \"%.*s\" is not known here; these are: "
                     "%.*s",
                     STR_ARG(checking_shown(version)), STR_ARG(shown), STR_ARG(versions));
    else
        checking_say(
            c, SAY_VERSIONS_UNKNOWN, where,
            "version \"%.*s\" of the code system \"%.*s\" is not known here, nor any other",
            STR_ARG(checking_shown(version)), STR_ARG(shown));
    note_unknown(c, url, versions.n ? version : STR_NULL);
    return 0;
}

/* What stands in the place of a code system that is not here. */
static int say_no_system(struct checking *c, struct one *o)
{
    struct str url = o->coding.system, shown = checking_shown(url),
               where = checking_where(c, "system");
    yyjson_val *set;
    int r;

    if (str_find(url, ':') < 0)
        checking_say(c, SAY_SYSTEM_RELATIVE, where, "the system \"%.*s\" is no absolute URI",
                     STR_ARG(shown));
    if ((r = terms_resource(c->s, "ValueSet", url, &set, c->err)) < 0)
        return r;
    if (set) {
        checking_say(c, SAY_SYSTEM_IS_SET, where,
                     "\"%.*s\" is a value set, where a coding names its code system",
                     STR_ARG(shown));
        return 0;
    }
    if (o->version.n)
        return say_no_version(c, url, o->version);
    checking_say(c, SAY_SYSTEM_UNKNOWN, where, "the code system \"%.*s\" is not known here",
                 STR_ARG(shown));
    note_unknown(c, url, STR_NULL);
    return 0;
}

/* A code system whose codes are known, at least in part. */
static bool is_usable(const struct cs *cs)
{
    uint32_t content = cs_info(cs)->content;

    return content == CONTENT_COMPLETE || content == CONTENT_FRAGMENT;
}

/* The group of the value set that a coding is looked for in: that of its version, or else the
 * first of its system. */
static const struct vs_group *find_group(const struct vs *vs, const struct coding *coding)
{
    const struct vs_group *first = NULL;

    for (size_t i = 0; i < vs->n_groups; i++) {
        const struct vs_group *g = &vs->groups[i];
        if (!str_eq(g->system, coding->system))
            continue;
        first = first ? first : g;
        if (coding->version.n && version_matches(coding->version, g->version))
            return g;
    }
    return first;
}

/* The value set uses one version, and the coding names another. *ret_version: what counts. */
static int settle_version(struct checking *c, struct one *o, struct str *ret_version)
{
    const struct vs_group *g = o->group;
    struct str given = o->coding.version, url = checking_shown(o->coding.system);
    struct str used = checking_shown(g->version);
    struct str where = checking_where(c, "version");
    bool needed = g->cs && cs_info(g->cs)->flags & CS_VERSION_NEEDED;
    struct cs *cs;
    int r;

    if (!given.n || !g->version.n || version_matches(given, g->version)) {
        if (g->version.n)
            *ret_version = g->version;
        return 0;
    }
    if ((r = terms_code_system_unpinned(c->s, o->coding.system, given, &cs, c->err)) < 0)
        return r;
    if (cs && !g->is_pinned && !terms_is_pinned(c->s, o->coding.system))
        return 0;
    *ret_version = g->version;
    if (g->is_pinned)
        checking_say(
            c, SAY_VERSION_OTHER, where,
            "the value set takes \"%.*s\" in version \"%.*s\", and the coding names \"%.*s\"",
            STR_ARG(url), STR_ARG(used), STR_ARG(checking_shown(given)));
    else if (terms_is_pinned(c->s, o->coding.system) || needed)
        checking_say(c, SAY_VERSION_CHANGED, where,
                     "of \"%.*s\" version \"%.*s\" counts here, and the coding names \"%.*s\"",
                     STR_ARG(url), STR_ARG(used), STR_ARG(checking_shown(given)));
    else
        checking_say(
            c, SAY_VERSION_DEFAULT, where,
            "the value set names no version of \"%.*s\", so that \"%.*s\" was taken; the coding "
            "names \"%.*s\"",
            STR_ARG(url), STR_ARG(used), STR_ARG(checking_shown(given)));
    return cs ? 0 : say_no_version(c, o->coding.system, given);
}

/* Whether the value set draws on the coding's system, which is not here (in *ret_version). */
static bool is_needed(const struct checking *c, const struct one *o, struct str *ret_version)
{
    return c->vs && c->vs->unknown.p && !c->vs->unknown_is_value_set &&
           str_eq(canonical_split(c->vs->unknown, ret_version), o->coding.system);
}

/* o->cs; what is wrong where there is none is told later, with what it means. */
static int find_system(struct checking *c, struct one *o)
{
    struct str version;
    int r;

    o->version = o->coding.version;
    if (c->vs && (o->group = find_group(c->vs, &o->coding)) &&
        (r = settle_version(c, o, &o->version)) < 0)
        return r;
    if (o->group && o->group->cs && str_eq(o->version, o->group->version)) {
        o->cs = o->group->cs;
        return 0;
    }
    if (!o->group && is_needed(c, o, &version) && version.n) {
        o->version = version; /* the one that the value set draws on, and that is not here */
        return 0;
    }
    return terms_code_system(c->s, o->coding.system, o->version, &o->cs, c->err);
}

/* A code by itself takes the system of the value set that has it. */
static bool infer_system(struct checking *c, struct one *o)
{
    struct str code = checking_shown(o->coding.code);
    struct str set = checking_canonical(c, c->vs->url, c->vs->version);
    struct vs_found found;
    const struct vs_group *first = NULL;
    bool many = false;

    for (size_t i = 0; i < c->vs->n_groups; i++) {
        const struct vs_group *g = &c->vs->groups[i];
        if (!vs_has(c->vs, g->system, g->version, o->coding.code, &found))
            continue;
        many |= first && !str_eq(first->system, g->system);
        first = first ? first : g;
    }
    if (first && !many) {
        o->coding.system = first->system;
        return true;
    }
    if (many)
        checking_say(c, SAY_INFER_MANY, STR("code"),
                     "several systems in the value set \"%.*s\" have the code \"%.*s\": the one "
                     "that is meant must be named",
                     STR_ARG(set), STR_ARG(code));
    else
        checking_say(c, SAY_INFER_NONE, STR("code"),
                     "no system in the value set \"%.*s\" has the code \"%.*s\"", STR_ARG(set),
                     STR_ARG(code));
    return false;
}

/* ---- one coding ---- */

static void find_code(struct checking *c, struct one *o)
{
    struct err why = {0};

    o->concept = cs_find(o->cs, o->coding.code);
    o->is_code =
        o->concept != CS_NONE || grammar_has(o->cs, c->s->a, o->coding.code, &o->display, &why);
}

static void say_no_code(struct checking *c, struct one *o)
{
    struct str code = checking_shown(o->coding.code);
    struct str canonical = checking_canonical(c, cs_url(o->cs), cs_version(o->cs));
    struct str where = checking_where(c, "code"), display;
    struct err why = {0};

    if (cs_info(o->cs)->content != CONTENT_COMPLETE) {
        checking_say(c, SAY_CODE_NOT_IN_FRAGMENT, where,
                     "\"%.*s\" is not among the codes of \"%.*s\" that are known here, and these "
                     "are not all that it has",
                     STR_ARG(code), STR_ARG(canonical));
        return;
    }
    grammar_has(o->cs, c->s->a, o->coding.code, &display, &why);
    checking_say(c, SAY_CODE_UNKNOWN, where, "\"%.*s\" is no code of \"%.*s\"%s%s", STR_ARG(code),
                 STR_ARG(canonical), why.text[0] ? ": " : "", why.text);
}

/* A code in the letters that its system uses. */
static void note_case(struct checking *c, const struct one *o)
{
    struct str own = o->concept != CS_NONE ? cs_code(o->cs, o->concept) : STR("");

    if (!own.n || str_eq(own, o->coding.code))
        return;
    if (!c->ret->normalized.p)
        c->ret->normalized = own;
    checking_say(
        c, SAY_CODE_CASE, checking_where(c, "code"),
        "\"%.*s\" is taken for \"%.*s\": codes of \"%.*s\" are found whatever their case, and "
        "should be written as there",
        STR_ARG(checking_shown(o->coding.code)), STR_ARG(own),
        STR_ARG(checking_canonical(c, cs_url(o->cs), cs_version(o->cs))));
}

/* The value set may list a concept with texts of its own. */
static const struct vs_listed *find_listed(const struct vs *vs, const struct vs_found *found)
{
    for (const struct vs_run *run = vs->first; run; run = run->next)
        for (size_t i = 0; run->list && &vs->groups[run->group] == found->group && i < run->n; i++)
            if (run->list[i].concept == found->concept)
                return &run->list[i];
    return NULL;
}

/* Whether the value set has the code; a fragment of a system that it takes as a whole may. */
static bool is_in_set(struct checking *c, struct one *o)
{
    struct vs_found found = {0};
    bool has = vs_has(c->vs, o->coding.system, o->group ? o->group->version : STR_NULL,
                      o->coding.code, &found);

    o->listed = found.listed;
    if (has && !o->listed && found.concept != CS_NONE && o->coding.display.n)
        o->listed = find_listed(c->vs, &found);
    return has || (o->cs && !o->is_code && o->group && o->group->whole &&
                   cs_info(o->cs)->content == CONTENT_FRAGMENT);
}

static void say_not_in_set(struct checking *c, const struct one *o)
{
    struct str set = checking_canonical(c, c->vs->url, c->vs->version);
    struct str system = checking_canonical(c, o->coding.system, o->coding.version);
    struct str code = checking_shown(o->coding.code), display = checking_shown(o->coding.display);

    checking_say(c, c->opt->is_concept ? SAY_CODING_NOT_IN_SET : SAY_NOT_IN_SET,
                 checking_where(c, "code"), "%.*s#%.*s%s%.*s%s is not in the value set \"%.*s\"",
                 STR_ARG(system), STR_ARG(code), display.n ? " (\"" : "", STR_ARG(display),
                 display.n ? "\")" : "", STR_ARG(set));
}

/* The system of the coding is not known here: nothing can be said of a set that draws on it. */
static int check_without_system(struct checking *c, struct one *o)
{
    struct str version;
    bool drawn_on = c->vs && (o->group || is_needed(c, o, &version));

    o->verdict = drawn_on ? VERDICT_OPEN : VERDICT_NO;
    if (c->vs && !drawn_on && c->opt->is_concept)
        say_not_in_set(c, o);
    if (c->opt->membership_only)
        return 0;
    if (o->cs && cs_info(o->cs)->content == CONTENT_SUPPLEMENT) {
        checking_say(
            c, SAY_SYSTEM_IS_SUPPLEMENT, checking_where(c, "system"),
            "\"%.*s\" supplements a code system, and has no codes that a coding could name",
            STR_ARG(checking_canonical(c, cs_url(o->cs), cs_version(o->cs))));
        return 0;
    }
    return say_no_system(c, o);
}

/* A code of another version of a system than the value set was made of, which it takes as a whole
 * in whatever version. */
static bool is_in_whole(const struct one *o)
{
    const struct vs_group *g = o->group;

    return g && g->whole && o->cs != g->cs && o->is_code && g->cs &&
           cs_find(g->cs, o->coding.code) == CS_NONE;
}

static void check_with_system(struct checking *c, struct one *o)
{
    bool in_set, whole = o->group && o->group->whole;

    find_code(c, o);
    checking_status_of_system(c, o->cs);
    if (!o->is_code && (!c->vs || whole) && !c->opt->membership_only)
        say_no_code(c, o);
    in_set = c->vs ? is_in_set(c, o) || is_in_whole(o)
                   : o->is_code || cs_info(o->cs)->content != CONTENT_COMPLETE;
    o->verdict = in_set ? VERDICT_YES : VERDICT_NO;
    if (o->is_code)
        note_case(c, o);
    if (o->is_code && !c->opt->membership_only && !checking_concept(c, o))
        o->verdict = VERDICT_NO;
    if (c->vs && o->verdict == VERDICT_NO && c->opt->is_concept)
        say_not_in_set(c, o);
    if (c->opt->membership_only)
        return;
    if (o->is_code)
        checking_display(c, o);
    else if (!o->listed)
        say_no_code(c, o);
}

static int check_one(struct checking *c, struct one *o)
{
    int r;

    o->concept = CS_NONE;
    o->verdict = VERDICT_NO;
    if (!o->coding.system.n && c->opt->infer_system && !c->opt->where[0] && c->vs) {
        if (!infer_system(c, o))
            return 0;
    } else if (!o->coding.system.n) {
        checking_say(c, SAY_NO_SYSTEM, checking_where(c, ""),
                     "the coding names no system, and without one its code means nothing");
        if (c->vs && c->opt->is_concept)
            say_not_in_set(c, o);
        return 0;
    }
    if (c->opt->system.n && !str_eq(o->coding.system, c->opt->system)) {
        checking_say(c, SAY_SYSTEM_OTHER, checking_where(c, "system"),
                     "the coding is of \"%.*s\", where one of \"%.*s\" is expected",
                     STR_ARG(checking_shown(o->coding.system)),
                     STR_ARG(checking_shown(c->opt->system)));
        return 0;
    }
    if ((r = find_system(c, o)) < 0)
        return r;
    if (!o->cs || !is_usable(o->cs))
        return check_without_system(c, o);
    check_with_system(c, o);
    return 0;
}

/* ---- all ---- */

static void keep_found(struct checking *c, const struct one *o)
{
    struct checked *ret = c->ret;

    ret->has_found = true;
    ret->found = o->coding;
    if (o->cs && is_usable(o->cs) && o->is_code && cs_version(o->cs).n)
        ret->found.version = cs_version(o->cs);
    ret->found.display = o->display;
}

/* Another coding of the concept has decided it: that this one could not be checked is no error. */
static void forgive_unknown(struct checking *c, const struct coding *codings,
                            const enum verdict *verdicts)
{
    struct checked *ret = c->ret;

    for (size_t i = 0; i < ret->n_issues; i++) {
        struct check_issue *issue = &ret->issues[i];
        struct str canonical;
        if (issue->severity != ISSUE_ERROR ||
            !str_starts(str_c(issue->id), STR("UNKNOWN_CODESYSTEM")) ||
            verdicts[issue->coding] == VERDICT_YES)
            continue;
        canonical =
            checking_canonical(c, codings[issue->coding].system, codings[issue->coding].version);
        issue->severity = ISSUE_WARNING;
        issue->id = "UNKNOWN_CODESYSTEM_CODING_NOT_CHECKED";
        issue->text = arena_fmt(c->s->a,
                                "the code system \"%.*s\" is not known here; another coding of the "
                                "concept decides",
                                STR_ARG(canonical));
    }
}

/* A value set that is made of one that is not here can only say yes. */
static void say_unknown_set(struct checking *c)
{
    if (!c->vs || !c->vs->unknown.p || !c->vs->unknown_is_value_set)
        return;
    c->ret->undecided = true;
    checking_say(c, SAY_SET_UNKNOWN, STR(""), "the value set \"%.*s\" is not known here",
                 STR_ARG(checking_shown(c->vs->unknown)));
}

static void conclude(struct checking *c, bool any, bool open)
{
    struct checked *ret = c->ret;

    ret->undecided = open && !any;
    if (!any)
        say_unknown_set(c);
    if (c->opt->is_concept && c->vs && !any && !ret->undecided)
        checking_say(c, SAY_CONCEPT_NOT_IN_SET, STR(""),
                     "none of the codings is in the value set \"%.*s\"",
                     STR_ARG(checking_canonical(c, c->vs->url, c->vs->version)));
    ret->result = any;
    /* A coding that is wrong in itself spoils a concept whose other codings are right. */
    for (size_t i = 0; i < ret->n_issues; i++)
        if (ret->issues[i].severity <= ISSUE_ERROR)
            ret->result = false;
    ret->undecided |= any && !ret->result;
}

int terms_check(struct terms_scope *s, const struct vs *vs, const struct coding *codings, size_t n,
                const struct check_options *opt, struct checked *ret, struct err *err)
{
    struct checking c = {.s = s, .vs = vs, .opt = opt, .ret = ret, .err = err};
    enum verdict verdicts[CHECK_CODINGS_MAX];
    bool any = false, open = false;
    int r;

    assert(n <= CHECK_CODINGS_MAX);
    *ret = (struct checked){.n_issues = 0};
    if (vs)
        checking_status_of_set(&c);
    for (c.at = 0; c.at < n; c.at++) {
        struct one o = {.coding = codings[c.at]};
        if ((r = check_one(&c, &o)) < 0)
            return r;
        verdicts[c.at] = o.verdict;
        open |= o.verdict == VERDICT_OPEN;
        if (o.verdict == VERDICT_YES ? !any : !opt->is_concept)
            keep_found(&c, &o);
        any |= o.verdict == VERDICT_YES;
        if (vs && o.verdict == VERDICT_NO && !opt->is_concept && !vs->unknown_is_value_set)
            say_not_in_set(&c, &o);
    }
    c.at = 0;
    if (any && opt->is_concept)
        forgive_unknown(&c, codings, verdicts);
    conclude(&c, any, open);
    return checking_summary(&c);
}
