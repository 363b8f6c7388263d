/* conformance_report.c - the tally as a MeasureReport and as a page. */
#include "api/conformance_int.h"

#include "base/clock.h"

#include <stdio.h>

#define POPULATION_SYSTEM "http://terminology.hl7.org/CodeSystem/measure-population"

/* ---- the MeasureReport ---- */

static void put_population(struct sb *out, const char *code, uint64_t count)
{
    sb_fmt(out,
           "{\"code\":{\"coding\":[{\"system\":\"" POPULATION_SYSTEM "\",\"code\":\"%s\"}]},"
           "\"count\":%llu}",
           code, (unsigned long long)count);
}

/* A share with four digits behind the point: exact enough to act on. */
static void put_share(struct sb *out, uint64_t part, uint64_t whole)
{
    unsigned long long share = whole ? (unsigned long long)(part * 10000.0 / whole + 0.5) : 0;

    sb_fmt(out, "{\"value\":%llu.%04llu,\"system\":\"http://unitsofmeasure.org\",\"code\":\"1\"}",
           share / 10000, share % 10000);
}

static void put_text_concept(struct sb *out, const char *name, struct str a, const char *between,
                             struct str b)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(4));

    sb_str(&text, a);
    sb_str(&text, str_c(between));
    sb_str(&text, b);
    sb_fmt(out, "\"%s\":{\"text\":", name);
    sb_json(out, sb_view(&text));
    sb_char(out, '}');
}

static void put_strata(struct sb *out, const struct tally *t, const struct tally_row *whole)
{
    bool has_any = false;

    for (const struct tally_row *rule = t->first; rule; rule = rule->behind) {
        if (rule->whole != whole)
            continue;
        sb_str(out, has_any ? STR(",{")
                            : STR(",\"stratifier\":[{\"code\":[{\"text\":\"rule\"}],"
                                  "\"stratum\":[{"));
        has_any = true;
        put_text_concept(out, "value", rule->rule, rule->profile.n ? " of " : "", rule->profile);
        sb_lit(out, ",\"population\":[");
        put_population(out, "numerator", rule->received);
        sb_lit(out, "],\"measureScore\":");
        put_share(out, rule->received, whole->received);
        sb_char(out, '}');
    }
    if (has_any)
        sb_lit(out, "]}]");
}

static void put_group(struct sb *out, const struct tally *t, const struct tally_row *whole)
{
    sb_char(out, '{');
    put_text_concept(out, "code", whole->sender, ": ", whole->type);
    sb_lit(out, ",\"population\":[");
    put_population(out, "initial-population", whole->received);
    sb_char(out, ',');
    put_population(out, "denominator", whole->received);
    sb_char(out, ',');
    put_population(out, "numerator", whole->short_of);
    sb_lit(out, "],\"measureScore\":");
    put_share(out, whole->short_of, whole->received);
    put_strata(out, t, whole);
    sb_char(out, '}');
}

void tally_report(struct tally *t, struct sb *out)
{
    char since[CLOCK_INSTANT_MAX], now[CLOCK_INSTANT_MAX];
    bool has_any = false;

    pthread_mutex_lock(&t->lock);
    clock_format(clock_now_ms(), now);
    clock_format(t->since_ms ? t->since_ms : clock_now_ms(), since);
    sb_fmt(out,
           "{\"resourceType\":\"MeasureReport\",\"status\":\"complete\",\"type\":\"summary\","
           "\"measure\":\"urn:carnet:measure:conformance\",\"date\":\"%s\",\"period\":{\"start\":"
           "\"%s\",\"end\":\"%s\"},\"improvementNotation\":{\"coding\":[{\"system\":"
           "\"http://terminology.hl7.org/CodeSystem/measure-improvement-notation\",\"code\":"
           "\"decrease\"}]}",
           now, since, now);
    for (const struct tally_row *row = t->first; row; row = row->behind) {
        if (row->rule.n)
            continue;
        sb_str(out, has_any ? STR(",") : STR(",\"group\":["));
        has_any = true;
        put_group(out, t, row);
    }
    sb_str(out, has_any ? STR("]}") : STR("}"));
    pthread_mutex_unlock(&t->lock);
}

/* ---- the page ---- */

/* clang-format off */
static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<title>Conformance of what was received</title>\n<style>"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;"
    "color:#111;background:#fff}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2rem}"
    "caption{text-align:left;font-weight:bold;padding:.5rem 0}"
    "th,td{border-bottom:1px solid #767676;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    "td.r,tbody th{overflow-wrap:anywhere;"
    "min-width:7rem}main{overflow-x:auto}</style></head>\n"
    "<body><main><h1>Conformance of what was received</h1>\n";
/* clang-format on */

static void put_percent(struct sb *out, uint64_t part, uint64_t whole)
{
    unsigned long long share = whole ? (unsigned long long)(part * 1000.0 / whole + 0.5) : 0;

    sb_fmt(out, "<td class=\"n\">%llu.%llu&#8239;%%</td>", share / 10, share % 10);
}

static void put_number(struct sb *out, uint64_t n)
{
    sb_fmt(out, "<td class=\"n\">%llu</td>", (unsigned long long)n);
}

static void put_senders(struct sb *out, const struct tally *t)
{
    sb_lit(out, "<table><caption>By sender</caption><thead><tr><th scope=\"col\">Sender</th>"
                "<th scope=\"col\">Type</th><th scope=\"col\" class=\"n\">Received</th>"
                "<th scope=\"col\" class=\"n\">Fell short</th><th scope=\"col\" class=\"n\">Share"
                "</th><th scope=\"col\" class=\"n\">Refused</th></tr></thead><tbody>\n");
    for (const struct tally_row *row = t->first; row; row = row->behind) {
        if (row->rule.n)
            continue;
        sb_lit(out, "<tr><th scope=\"row\">");
        sb_html(out, row->sender);
        sb_lit(out, "</th><td>");
        sb_html(out, row->type);
        sb_lit(out, "</td>");
        put_number(out, row->received);
        put_number(out, row->short_of);
        put_percent(out, row->short_of, row->received);
        put_number(out, row->refused);
        sb_lit(out, "</tr>\n");
    }
    sb_lit(out, "</tbody></table>\n");
}

static void put_rules(struct sb *out, const struct tally *t)
{
    sb_lit(out, "<table><caption>By rule</caption><thead><tr><th scope=\"col\">Rule</th>"
                "<th scope=\"col\">Profile</th><th scope=\"col\">Sender</th>"
                "<th scope=\"col\">Type</th><th scope=\"col\" class=\"n\">Fell short</th>"
                "<th scope=\"col\" class=\"n\">Share</th></tr></thead><tbody>\n");
    for (const struct tally_row *row = t->first; row; row = row->behind) {
        if (!row->rule.n)
            continue;
        sb_lit(out, "<tr><th scope=\"row\">");
        sb_html(out, row->rule);
        sb_lit(out, "</th><td class=\"r\">");
        sb_html(out, row->profile.n ? row->profile : STR("FHIR R4"));
        sb_lit(out, "</td><td class=\"r\">");
        sb_html(out, row->sender);
        sb_lit(out, "</td><td>");
        sb_html(out, row->type);
        sb_lit(out, "</td>");
        put_number(out, row->received);
        put_percent(out, row->received, row->whole ? row->whole->received : 0);
        sb_lit(out, "</tr>\n");
    }
    sb_lit(out, "</tbody></table>\n");
}

void tally_page(struct tally *t, struct str unusable, struct sb *out)
{
    char since[CLOCK_INSTANT_MAX];

    pthread_mutex_lock(&t->lock);
    sb_put(out, head, sizeof head - 1);
    if (unusable.n) {
        sb_lit(out, "<section><h2>Records cannot be held to these profiles</h2><ul>\n");
        sb_str(out, unusable);
        sb_lit(out, "</ul></section>\n");
    }
    if (t->first) {
        clock_format(t->since_ms, since);
        sb_fmt(out,
               "<p>Counted since <time>%s</time>. A resource falls short when it breaks a "
               "rule of a profile that it is held to, or that it claims.</p>\n",
               since);
        put_senders(out, t);
        put_rules(out, t);
    } else {
        sb_lit(out, "<p>Nothing was counted yet: resources are held to profiles, and counted, when "
                    "the node is started with <code>--profiles</code>.</p>\n");
    }
    sb_lit(out, "</main></body></html>\n");
    pthread_mutex_unlock(&t->lock);
}
