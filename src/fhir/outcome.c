#include "fhir/outcome.h"

#include <stdio.h>
#include <utf8proc.h>

static const char *const severities[] = {
    [ISSUE_FATAL] = "fatal",
    [ISSUE_ERROR] = "error",
    [ISSUE_WARNING] = "warning",
    [ISSUE_INFORMATION] = "information",
};

/* Messages quote what a stranger sent, cut anywhere: what is not UTF-8 becomes U+FFFD. */
static void put_text(struct sb *out, struct str s)
{
    _cleanup_(sb_done) struct sb clean = sb_make(2 * s.n + 16);
    size_t from = 0, i = 0;

    while (i < s.n) {
        utf8proc_int32_t cp;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s.p + i,
                                              (utf8proc_ssize_t)MIN(s.n - i, (size_t)4), &cp);
        if (n > 0) {
            i += (size_t)n;
            continue;
        }
        sb_put(&clean, s.p + from, i - from);
        sb_lit(&clean, "\xef\xbf\xbd");
        from = ++i;
    }
    if (from == 0) {
        sb_json(out, s);
        return;
    }
    sb_put(&clean, s.p + from, s.n - from);
    if (clean.failed)
        out->failed = true;
    else
        sb_json(out, sb_view(&clean));
}

static void put_issue(struct sb *out, enum issue_severity severity, const char *type,
                      struct str text, struct str where, struct str diagnostics)
{
    sb_fmt(out, "{\"severity\":\"%s\",\"code\":\"%s\"", severities[severity], type);
    if (text.n) {
        sb_lit(out, ",\"details\":{\"text\":");
        put_text(out, text);
        sb_char(out, '}');
    }
    if (diagnostics.n) {
        sb_lit(out, ",\"diagnostics\":");
        put_text(out, diagnostics);
    }
    if (where.n) {
        sb_lit(out, ",\"expression\":[");
        put_text(out, where);
        sb_char(out, ']');
    }
    sb_char(out, '}');
}

static void open_outcome(struct sb *out)
{
    sb_lit(out, "{\"resourceType\":\"OperationOutcome\",\"issue\":[");
}

static void close_outcome(struct sb *out)
{
    sb_lit(out, "]}");
}

void outcome_one(struct sb *out, enum issue_severity severity, const char *type, struct str text,
                 struct str where, struct str diagnostics)
{
    open_outcome(out);
    put_issue(out, severity, type, text, where, diagnostics);
    close_outcome(out);
}

void outcome_err(struct sb *out, const struct err *err)
{
    outcome_one(out, err_http_status(err->code) >= 500 ? ISSUE_FATAL : ISSUE_ERROR,
                err_issue_type(err->code), str_c(err->text), str_c(err->where), STR(""));
}

void outcome_issues(struct sb *out, const struct issues *issues)
{
    size_t kept = 0;

    open_outcome(out);
    for (int pass = 0; pass < 2; pass++)
        for (const struct issue *i = issues->first; i; i = i->next) {
            if ((i->severity > ISSUE_ERROR) != (pass == 1))
                continue;
            if (kept++)
                sb_char(out, ',');
            put_issue(out, i->severity, i->type, i->text, i->where, STR(""));
        }
    if (issues->n == 0)
        put_issue(out, ISSUE_INFORMATION, "informational", STR("All OK"), STR(""), STR(""));
    if (issues->n > kept) {
        char text[80];
        snprintf(text, sizeof text, "%zu more issues are not listed here", issues->n - kept);
        if (kept)
            sb_char(out, ',');
        put_issue(out, issues->n_errors ? ISSUE_ERROR : ISSUE_WARNING, "too-long", str_c(text),
                  STR(""), STR(""));
    }
    close_outcome(out);
}
