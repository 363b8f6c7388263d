/* check_say.c - the issues of $validate-code, and the sentence that sums them up. */
#include "terminology/check_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX 1000
#define SHOWN_MAX 200

static const struct {
    const char *id, *type, *detail;
    enum issue_severity severity;
    bool told;
} sayings[] = {
#define X(name, id, type, detail, severity, told) \
    [SAY_##name] = {id, type, detail, ISSUE_##severity, told},
    CHECK_SAYINGS(X)
#undef X
};

struct str checking_shown(struct str s)
{
    return s.p ? str_head(s, SHOWN_MAX) : STR("");
}

struct str checking_canonical(struct checking *c, struct str url, struct str version)
{
    struct str joined;

    url = checking_shown(url);
    if (!version.n)
        return url;
    joined = arena_fmt(c->s->a, "%.*s|%.*s", STR_ARG(url), STR_ARG(checking_shown(version)));
    return joined.p ? joined : url;
}

struct str checking_where(struct checking *c, const char *member)
{
    const char *where = c->opt->where;

    if (!*where)
        return str_c(member);
    if (!c->opt->is_concept)
        return arena_fmt(c->s->a, "%s%s%s", where, *member ? "." : "", member);
    return arena_fmt(c->s->a, "%s.coding[%zu]%s%s", where, c->at, *member ? "." : "", member);
}

static bool is_display(enum saying what)
{
    return what == SAY_DISPLAY_WRONG || what == SAY_DISPLAY_BLANKS ||
           what == SAY_DISPLAY_NO_LANGUAGE;
}

static bool is_same(const struct check_issue *a, const struct check_issue *b)
{
    return a->id == b->id && a->detail == b->detail && str_eq(a->text, b->text) &&
           str_eq(a->where, b->where);
}

void checking_say(struct checking *c, enum saying what, struct str where, const char *fmt, ...)
{
    struct checked *ret = c->ret;
    struct check_issue issue = {.severity = sayings[what].severity,
                                .id = sayings[what].id,
                                .type = sayings[what].type,
                                .detail = sayings[what].detail,
                                .told = sayings[what].told,
                                .coding = c->at,
                                .where = where};
    char text[TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    issue.text = arena_dup(c->s->a, str_c(text));
    if (is_display(what) && c->opt->lenient_display)
        issue.severity = ISSUE_WARNING;
    for (size_t i = 0; i < ret->n_issues; i++)
        if (is_same(&ret->issues[i], &issue))
            return;
    if (ret->n_issues < CHECK_ISSUES_MAX && issue.text.p)
        ret->issues[ret->n_issues++] = issue;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

int checking_summary(struct checking *c)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(64));
    struct str texts[CHECK_ISSUES_MAX];
    struct checked *ret = c->ret;
    size_t n = 0;

    for (size_t i = 0; i < ret->n_issues; i++)
        if (ret->issues[i].told)
            texts[n++] = ret->issues[i].text;
    if (!n)
        return 0;
    qsort(texts, n, sizeof *texts, by_text);
    for (size_t i = 0; i < n; i++) {
        if (i && str_eq(texts[i], texts[i - 1]))
            continue;
        if (b.n)
            sb_lit(&b, "; ");
        sb_str(&b, texts[i]);
    }
    ret->message = b.failed ? STR_NULL : arena_dup(c->s->a, sb_view(&b));
    return ret->message.p ? 0 : err_no_memory(c->err);
}
