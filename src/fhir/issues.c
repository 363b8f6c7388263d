#include "fhir/issues.h"

#include <stdarg.h>
#include <stdio.h>

void issues_add(struct issues *s, enum issue_severity severity, const char *type, struct str where,
                const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    struct issue *issue;
    va_list ap;

    s->n++;
    if (severity <= ISSUE_ERROR)
        s->n_errors++;
    /* Hints leave room: what is an error has to be told. */
    s->is_last_kept = s->n_kept < (severity <= ISSUE_ERROR ? ISSUES_MAX : ISSUES_HINTS_MAX);
    if (!s->is_last_kept)
        return;
    s->n_kept++;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    issue = ARENA_NEW(s->a, struct issue);
    if (!issue) {
        s->no_memory = true;
        return;
    }
    issue->severity = severity;
    issue->type = type;
    issue->text = arena_dup(s->a, str_c(text));
    issue->where = arena_dup(s->a, where);
    if (!issue->text.p || !issue->where.p) {
        s->no_memory = true;
        return;
    }
    if (s->last)
        s->last->next = issue;
    else
        s->first = issue;
    s->last = issue;
}

const struct issue *issues_first_error(const struct issues *s)
{
    const struct issue *i = s->first;

    while (i && i->severity > ISSUE_ERROR)
        i = i->next;
    return i;
}

void issues_rule(struct issues *s, struct str profile, struct str rule)
{
    if (!s->last || !s->is_last_kept)
        return;
    s->last->profile = arena_dup(s->a, profile);
    s->last->rule = arena_dup(s->a, rule);
    if (!s->last->profile.p || !s->last->rule.p)
        s->no_memory = true;
}
