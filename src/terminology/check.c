#include "terminology/check.h"

#include "terminology/grammar.h"
#include "terminology/language.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_MAX 1000

struct checking {
    struct terms_scope *s;
    const struct vs *vs;
    const struct check_options *opt;
    struct checked *ret;
    size_t at; /* of a CodeableConcept's codings */
    struct err *err;
};

/* What is known of one coding. */
struct one {
    struct coding coding;
    struct cs *cs;
    uint32_t concept;
    bool in_system, in_set, ok;
    struct str display; /* the preferred one */
};

/* ---- issues ---- */

static struct str where_of(struct checking *c, const char *member)
{
    const char *where = c->opt->where;

    if (!*where)
        return str_c(member);
    if (!c->opt->is_concept)
        return arena_fmt(c->s->a, "%s.%s", where, member);
    return arena_fmt(c->s->a, "%s.coding[%zu]%s%s", where, c->at, *member ? "." : "", member);
}

static void say(struct checking *c, enum issue_severity severity, const char *type,
                const char *detail, struct str where, const char *fmt, ...) _printf_(6, 7);

static void say(struct checking *c, enum issue_severity severity, const char *type,
                const char *detail, struct str where, const char *fmt, ...)
{
    struct checked *ret = c->ret;
    char text[TEXT_MAX];
    va_list ap;

    if (ret->n_issues == CHECK_ISSUES_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ret->issues[ret->n_issues++] =
        (struct check_issue){severity, type, detail, arena_dup(c->s->a, str_c(text)), where};
}

/* For messages: bounded, and never NULL. */
static struct str shown(struct str s)
{
    return s.p ? str_head(s, 200) : STR("");
}

static struct str set_name(struct checking *c)
{
    struct str url = shown(c->vs->url), version = shown(c->vs->version);

    if (!version.n)
        return url;
    return arena_fmt(c->s->a, "%.*s|%.*s", STR_ARG(url), STR_ARG(version));
}

static void say_not_in_set(struct checking *c, const struct one *o)
{
    struct str set = set_name(c), code = shown(o->coding.code), system = shown(o->coding.system);

    if (c->opt->is_concept)
        say(c, ISSUE_INFORMATION, "code-invalid", "this-code-not-in-vs", where_of(c, "code"),
            "The provided code '%.*s#%.*s' was not found in the value set '%.*s'", STR_ARG(system),
            STR_ARG(code), STR_ARG(set));
    else
        say(c, ISSUE_ERROR, "code-invalid", "not-in-vs", where_of(c, "code"),
            "The provided code '%.*s#%.*s' was not found in the value set '%.*s'", STR_ARG(system),
            STR_ARG(code), STR_ARG(set));
}

/* ---- one coding ---- */

static int find_system(struct checking *c, struct one *o)
{
    struct str url = shown(o->coding.system), version = o->coding.version, newest;
    struct cs *other = NULL;
    int r = terms_code_system(c->s, o->coding.system, version, &o->cs, c->err);

    if (r < 0 || o->cs)
        return r;
    if (version.n)
        r = terms_code_system(c->s, o->coding.system, STR_NULL, &other, c->err);
    if (r < 0)
        return r;
    c->ret->unknown_system =
        version.n ? arena_fmt(c->s->a, "%.*s|%.*s", STR_ARG(o->coding.system), STR_ARG(version))
                  : o->coding.system;
    newest = other ? cs_version(other) : STR("");
    if (other)
        say(c, ISSUE_ERROR, "not-found", "not-found", where_of(c, "system"),
            "A definition for CodeSystem '%.*s' version '%.*s' could not be found, so the code "
            "cannot be validated. Valid versions: %.*s",
            STR_ARG(url), STR_ARG(shown(version)), STR_ARG(newest));
    else
        say(c, ISSUE_ERROR, "not-found", "not-found", where_of(c, "system"),
            "A definition for CodeSystem '%.*s' could not be found, so the code cannot be "
            "validated",
            STR_ARG(url));
    return 0;
}

static void find_code(struct checking *c, struct one *o)
{
    const struct cs_info *info = cs_info(o->cs);
    struct err why = {0};

    o->concept = cs_find(o->cs, o->coding.code);
    o->in_system = o->concept != CS_NONE;
    if (o->in_system) {
        o->display = language_display(o->cs, o->concept, c->opt->language, NULL);
        return;
    }
    if (grammar_has(o->cs, c->s->a, o->coding.code, &o->display, &why)) {
        o->in_system = true;
        return;
    }
    if (info->content != CONTENT_COMPLETE) {
        say(c, ISSUE_WARNING, "code-invalid", "invalid-code", where_of(c, "code"),
            "Unknown Code '%.*s' in the CodeSystem '%.*s' version '%.*s' - note that the code "
            "system is labeled as a fragment, so the code may be valid in some other fragment",
            STR_ARG(shown(o->coding.code)), STR_ARG(cs_url(o->cs)), STR_ARG(cs_version(o->cs)));
        o->in_system = !c->vs;
        return;
    }
    say(c, ISSUE_ERROR, "code-invalid", "invalid-code", where_of(c, "code"),
        "Unknown code '%.*s' in the CodeSystem '%.*s' version '%.*s'%s%s",
        STR_ARG(shown(o->coding.code)), STR_ARG(cs_url(o->cs)), STR_ARG(cs_version(o->cs)),
        why.text[0] ? ": " : "", why.text);
}

/* The same text, but for case and blanks. */
static bool same_display(struct str a, struct str b)
{
    size_t i = 0, k = 0;

    a = str_trim(a);
    b = str_trim(b);
    while (i < a.n && k < b.n) {
        bool blank_a = strchr(" \t\r\n", a.p[i]) != NULL, blank_b = strchr(" \t\r\n", b.p[k]);
        if (blank_a != blank_b ||
            (!blank_a && !str_eq_nocase(str_n(a.p + i, 1), str_n(b.p + k, 1))))
            return false;
        while (blank_a && i + 1 < a.n && strchr(" \t\r\n", a.p[i + 1]))
            i++;
        while (blank_b && k + 1 < b.n && strchr(" \t\r\n", b.p[k + 1]))
            k++;
        i++;
        k++;
    }
    return i == a.n && k == b.n;
}

static bool has_display(const struct checking *c, const struct one *o,
                        const struct vs_listed *listed, struct str display)
{
    size_t n;
    const struct cs_designation *d;

    if (same_display(o->display, display) || (listed && same_display(listed->display, display)))
        return true;
    if (o->concept == CS_NONE)
        return false;
    if (same_display(cs_display(o->cs, o->concept), display))
        return true;
    d = cs_designations(o->cs, o->concept, &n);
    for (size_t i = 0; i < n; i++)
        if (same_display(cs_text(o->cs, d[i].value), display) &&
            (!c->opt->language.n || !cs_text(o->cs, d[i].language).n ||
             language_serves(cs_text(o->cs, d[i].language), c->opt->language)))
            return true;
    return false;
}

static void check_display(struct checking *c, struct one *o, const struct vs_listed *listed)
{
    struct str given = o->coding.display;
    enum issue_severity severity = c->opt->lenient_display ? ISSUE_WARNING : ISSUE_ERROR;

    /* A unit has no display but itself; nothing can be wrong about one. */
    if (!given.n || !o->display.n || (o->cs && cs_info(o->cs)->grammar == GRAMMAR_UCUM))
        return;
    if (has_display(c, o, listed, given))
        return;
    say(c, severity, "invalid", "invalid-display", where_of(c, "display"),
        "Wrong Display Name '%.*s' for %.*s#%.*s. Valid display is '%.*s' (for the language(s) "
        "'%.*s')",
        STR_ARG(shown(given)), STR_ARG(shown(o->coding.system)), STR_ARG(shown(o->coding.code)),
        STR_ARG(shown(o->display)), c->opt->language.n ? (int)c->opt->language.n : 2,
        c->opt->language.n ? c->opt->language.p : "--");
    o->ok &= severity == ISSUE_WARNING;
}

static void check_state(struct checking *c, struct one *o)
{
    uint32_t flags = o->concept != CS_NONE ? cs_at(o->cs, o->concept)->flags : 0;
    struct str code = shown(o->coding.code);

    if (flags & CONCEPT_ABSTRACT && c->opt->abstract_refused) {
        say(c, ISSUE_ERROR, "business-rule", "code-rule", where_of(c, "code"),
            "Code '%.*s#%.*s' is abstract, and not allowed in this context",
            STR_ARG(shown(o->coding.system)), STR_ARG(code));
        o->ok = false;
    }
    if (!(flags & CONCEPT_INACTIVE))
        return;
    c->ret->inactive = true;
    if (c->opt->active_only) {
        say(c, ISSUE_ERROR, "business-rule", "code-rule", where_of(c, "code"),
            "The concept '%.*s' is valid but is not active", STR_ARG(code));
        o->ok = false;
    } else {
        say(c, ISSUE_WARNING, "business-rule", "code-comment", where_of(c, "code"),
            "The concept '%.*s' has a status of inactive and its use should be reviewed",
            STR_ARG(code));
    }
}

/* A code by itself takes the system of the value set that has it. */
static bool infer_system(struct checking *c, struct one *o)
{
    struct vs_found found;

    if (c->opt->where[0] || !c->vs || !vs_has(c->vs, STR_NULL, STR_NULL, o->coding.code, &found))
        return false;
    o->coding.system = found.group->system;
    return true;
}

static void no_system(struct checking *c, const struct one *o)
{
    if (c->opt->where[0])
        say(c, ISSUE_WARNING, "invalid", "invalid-data", where_of(c, ""),
            "Coding has no system. A code with no system has no defined meaning, and it cannot "
            "be validated. A system should be provided");
    if (c->vs)
        say_not_in_set(c, o);
    else
        say(c, ISSUE_ERROR, "invalid", "invalid-data", where_of(c, "system"),
            "The code '%.*s' has no system", STR_ARG(shown(o->coding.code)));
}

static void check_set(struct checking *c, struct one *o, struct vs_found *found)
{
    struct str set = c->vs->unknown;

    o->in_set = vs_has(c->vs, o->coding.system, o->coding.version, o->coding.code, found);
    if (o->in_set)
        return;
    if (set.p && !c->vs->unknown_is_value_set)
        c->ret->unknown_cause = set;
    if (set.p)
        say(c, ISSUE_ERROR, "not-found", "not-found", STR(""),
            "A definition for %s '%.*s' could not be found, so the value set cannot be checked",
            c->vs->unknown_is_value_set ? "the value set" : "CodeSystem", STR_ARG(shown(set)));
    say_not_in_set(c, o);
}

static int check_one(struct checking *c, struct one *o)
{
    struct vs_found found = {0};
    int r;

    o->concept = CS_NONE;
    if (!o->coding.system.n && !infer_system(c, o)) {
        no_system(c, o);
        return 0;
    }
    if ((r = find_system(c, o)) < 0)
        return r;
    if (o->cs && cs_info(o->cs)->content != CONTENT_NOT_PRESENT)
        find_code(c, o);
    else if (o->cs)
        o->in_system = !c->vs;
    if (c->vs)
        check_set(c, o, &found);
    /* What a set lists counts, also where little or nothing of its system is known here. */
    if (c->vs && o->in_set && o->cs && !o->in_system)
        o->in_system = cs_info(o->cs)->content != CONTENT_COMPLETE;
    o->ok = o->in_system && (!c->vs || o->in_set);
    if (found.listed && found.listed->display.n && !o->display.n)
        o->display = found.listed->display;
    if (o->ok || o->in_system)
        check_display(c, o, found.listed);
    if (o->in_system)
        check_state(c, o);
    return 0;
}

/* ---- all ---- */

static void keep_found(struct checking *c, const struct one *o)
{
    struct checked *ret = c->ret;

    ret->has_found = true;
    ret->found = o->coding;
    if (o->cs && cs_version(o->cs).n)
        ret->found.version = cs_version(o->cs);
    ret->found.display = o->display;
    if (o->concept != CS_NONE)
        ret->found.code = cs_code(o->cs, o->concept);
}

static int join_messages(struct checking *c)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(64));
    struct checked *ret = c->ret;

    for (size_t i = 0; i < ret->n_issues; i++) {
        if (ret->result ? ret->issues[i].severity != ISSUE_WARNING
                        : ret->issues[i].severity > ISSUE_ERROR)
            continue;
        if (b.n)
            sb_lit(&b, "; ");
        sb_str(&b, ret->issues[i].text);
    }
    if (b.failed)
        return err_no_memory(c->err);
    if (b.n) {
        ret->message = arena_dup(c->s->a, sb_view(&b));
        return ret->message.p ? 0 : err_no_memory(c->err);
    }
    return 0;
}

int terms_check(struct terms_scope *s, const struct vs *vs, const struct coding *codings, size_t n,
                const struct check_options *opt, struct checked *ret, struct err *err)
{
    struct checking c = {.s = s, .vs = vs, .opt = opt, .ret = ret, .err = err};
    bool any = false;
    int r;

    *ret = (struct checked){.n_issues = 0};
    for (c.at = 0; c.at < n; c.at++) {
        struct one o = {.coding = codings[c.at]};
        if ((r = check_one(&c, &o)) < 0)
            return r;
        if (o.ok && !any) {
            any = true;
            keep_found(&c, &o);
        } else if (!any && !ret->has_found && (o.cs || !opt->is_concept)) {
            keep_found(&c, &o);
        }
    }
    ret->result = any;
    if (opt->is_concept && vs && !any) {
        struct str set = set_name(&c);
        say(&c, ISSUE_ERROR, "code-invalid", "not-in-vs", STR(""),
            "No valid coding was found for the value set '%.*s'", STR_ARG(set));
    }
    /* A coding that is wrong in itself spoils a concept whose other codings are right. */
    for (size_t i = 0; i < ret->n_issues; i++)
        if (ret->issues[i].severity <= ISSUE_ERROR)
            ret->result = false;
    return join_messages(&c);
}
