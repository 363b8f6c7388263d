/* conformance_report.c - the tally as a MeasureReport. */
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
