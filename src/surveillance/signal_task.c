/* signal_task.c - a signal as a Task (http://hl7.org/fhir/R4/task.html), and back. */
#include "surveillance/signals_int.h"

#include "base/clock.h"
#include "surveillance/table.h"

#include <math.h>

/* What the node writes anew in each version; all else is people's. */
static const char *const own[] = {"resourceType", "id",     "meta",       "description",
                                  "focus",        "for",    "reasonCode", "executionPeriod",
                                  "lastModified", "input",  "partOf",     "authoredOn",
                                  "code",         "intent", "priority",   "location"};

void signal_put_week(struct sb *out, int32_t week)
{
    table_put_week(weekly_monday(week), out);
}

int32_t signal_week(struct str text)
{
    uint64_t year, week;

    if (text.n != 8 || text.p[4] != '-' || text.p[5] != 'W' ||
        !str_to_u64(str_head(text, 4), 9999, &year) || !str_to_u64(str_from(text, 6), 53, &week) ||
        !week)
        return INT32_MIN;
    /* 4 January is in the first week. */
    return weekly_of((int32_t)clock_days((int)year, 1, 4)) + (int32_t)week - 1;
}

static void put_day(struct sb *out, int32_t of)
{
    int year, month, day;

    clock_civil(of, &year, &month, &day);
    sb_fmt(out, "\"%04d-%02d-%02d\"", year, month, day);
}

/* ---- inputs ---- */

static void begin_input(struct sb *out, const char *code, const char *type)
{
    if (out->n && out->p[out->n - 1] == '}')
        sb_char(out, ',');
    sb_fmt(out,
           "{\"type\":{\"coding\":[{\"system\":\"" SIGNAL_SYSTEM "\",\"code\":\"%s\"}]},"
           "\"value%s\":",
           code, type);
}

static void put_text(struct sb *out, const char *code, struct str text)
{
    if (!text.n)
        return;
    begin_input(out, code, "String");
    sb_json(out, text);
    sb_char(out, '}');
}

static void put_week(struct sb *out, const char *code, int32_t week)
{
    begin_input(out, code, "String");
    sb_char(out, '"');
    signal_put_week(out, week);
    sb_lit(out, "\"}");
}

static void put_count(struct sb *out, const char *code, uint32_t n)
{
    begin_input(out, code, "Integer");
    sb_fmt(out, "%u}", n);
}

static void put_number(struct sb *out, const char *code, double v)
{
    if (!isfinite(v))
        return;
    begin_input(out, code, "Decimal");
    sb_fmt(out, "%.6g}", v);
}

static void put_inputs(struct sb *out, const struct signal_said *s)
{
    const struct judged *j = s->judged;

    sb_lit(out, ",\"input\":[");
    put_week(out, "week", j->week);
    put_week(out, "first-week", s->first_week);
    put_count(out, "count", j->count);
    begin_input(out, "week-open", "Boolean");
    sb_str(out, s->is_open ? STR("true}") : STR("false}"));
    if (j->is_discovered) {
        put_text(out, "method", str_c(s->method));
        put_number(out, "threshold", j->point.threshold);
        put_number(out, "expected", j->point.expected);
        put_number(out, "p", j->point.p);
        put_number(out, "false-discovery-rate", s->rules->rate);
    }
    if (j->fixed) {
        put_text(out, "rule-source", j->fixed->source);
        put_count(out, "rule-cases", j->fixed->cases);
        put_count(out, "rule-weeks", j->fixed->weeks);
        put_count(out, "rule-count", j->fixed_count);
    }
    put_text(out, "case-definitions", s->definitions);
    put_text(out, "signal-rules", s->rules->version);
    sb_char(out, ']');
}

/* ---- the whole ---- */

#define DESCRIBED_NAME_MAX 1000 /* bytes of a name that are in the sentence */

/* A name has no limit, a sentence has: no more than whole characters of it. */
static void put_name(struct sb *out, struct str name)
{
    size_t n = MIN(name.n, (size_t)DESCRIBED_NAME_MAX);

    while (n < name.n && n && ((unsigned char)name.p[n] & 0xc0) == 0x80)
        n--;
    sb_str(out, str_head(name, n));
}

static void put_description(struct sb *out, const struct signal_said *s)
{
    const struct judged *j = s->judged;
    _cleanup_(sb_done) struct sb text = sb_make(KIB(16));

    put_name(&text, s->disease_title);
    sb_lit(&text, ", ");
    put_name(&text, s->place.p ? s->place_name : STR("the whole country"));
    sb_fmt(&text, ": %u in ", j->count);
    signal_put_week(&text, j->week);
    if (j->is_discovered && isfinite(j->point.expected))
        sb_fmt(&text, " where %.1f were to be expected", j->point.expected);
    if (j->fixed)
        sb_fmt(&text, "; %u within %u %s, where %u are a signal", j->fixed_count, j->fixed->weeks,
               j->fixed->weeks == 1 ? "week" : "weeks", j->fixed->cases);
    sb_lit(out, ",\"description\":");
    sb_json(out, sb_view(&text));
    out->failed |= text.failed;
}

static void put_reference(struct sb *out, const char *name, const char *type, struct str id)
{
    sb_fmt(out, ",\"%s\":{\"reference\":\"%s/%.*s\"}", name, type, STR_ARG(id));
}

static bool is_own(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (str_eq(name, str_c(own[i])))
            return true;
    return false;
}

static bool has_code(yyjson_val *concept, const char *system, const char *code)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(concept, "coding"), i, max, one)
        if (str_eq(js_get_str(one, "system"), str_c(system)) &&
            (!code || str_eq(js_get_str(one, "code"), str_c(code))))
            return true;
    return false;
}

/* Whether somebody took the first step. */
static bool is_taken(yyjson_val *task)
{
    yyjson_val *state = js_get(task, "businessStatus");

    return has_code(state, SIGNAL_STATE_SYSTEM, NULL) &&
           !has_code(state, SIGNAL_STATE_SYSTEM, "triage");
}

/* Status and its reason are the node's until somebody takes the Task up, and when it withdraws. */
static void put_state(struct sb *out, const struct signal_said *s, yyjson_val *before)
{
    struct str status = js_get_str(before, "status");
    yyjson_val *key, *v;
    size_t i, max;
    bool was_withdrawn = str_eq(status, STR("cancelled"));

    if (s->is_withdrawn)
        sb_lit(out, ",\"status\":\"cancelled\",\"statusReason\":{\"coding\":[{\"system\":"
                    "\"" SIGNAL_SYSTEM "\",\"code\":\"withdrawn\"}],\"text\":\"withdrawn: the "
                    "records do not say so any more\"}");
    else if (!before || was_withdrawn)
        sb_str(out, is_taken(before) ? STR(",\"status\":\"in-progress\"")
                                     : STR(",\"status\":\"requested\""));
    if (!before) {
        sb_lit(out, ",\"businessStatus\":{\"coding\":[{\"system\":\"" SIGNAL_STATE_SYSTEM
                    "\",\"code\":\"triage\"}]}");
        return;
    }
    yyjson_obj_foreach(before, i, max, key, v) {
        bool is_state =
            str_eq(js_str(key), STR("status")) || str_eq(js_str(key), STR("statusReason"));
        if (is_own(js_str(key)) || (is_state && (s->is_withdrawn || was_withdrawn)))
            continue;
        sb_char(out, ',');
        sb_json(out, js_str(key));
        sb_char(out, ':');
        js_write(out, v);
    }
}

void signal_task(struct sb *out, const struct signal_said *s, yyjson_val *before)
{
    char now[CLOCK_INSTANT_MAX];
    struct str made = js_get_str(before, "authoredOn");

    clock_format(s->now_ms, now);
    sb_lit(out, "{\"resourceType\":\"Task\",\"id\":");
    sb_json(out, s->id);
    put_state(out, s, before);
    sb_fmt(out,
           ",\"intent\":\"proposal\",\"priority\":\"%s\",\"code\":{\"coding\":[{\"system\":"
           "\"" SIGNAL_SYSTEM "\",\"code\":\"signal\",\"display\":\"Signal of disease "
           "surveillance\"}]}",
           s->judged->fixed ? "urgent" : "asap");
    put_description(out, s);
    if (s->place.p) {
        put_reference(out, "focus", "Location", s->place);
        put_reference(out, "for", "Location", s->place);
        put_reference(out, "location", "Location", s->place);
    }
    if (s->part_of.p)
        sb_fmt(out, ",\"partOf\":[{\"reference\":\"Task/%.*s\"}]", STR_ARG(s->part_of));
    sb_lit(out, ",\"reasonCode\":{\"coding\":[{\"system\":\"" SIGNAL_DISEASE_SYSTEM "\",\"code\":");
    sb_json(out, s->disease);
    sb_lit(out, ",\"display\":");
    sb_json(out, s->disease_title);
    sb_lit(out, "}]},\"executionPeriod\":{\"start\":");
    put_day(out, weekly_monday(s->first_week));
    sb_lit(out, "},\"authoredOn\":\"");
    sb_str(out, made.n ? made : str_c(now));
    sb_fmt(out, "\",\"lastModified\":\"%s\"", now);
    put_inputs(out, s);
    sb_char(out, '}');
}

/* ---- back ---- */

bool signal_is_ended(yyjson_val *task)
{
    static const char *const ended[] = {"completed", "rejected", "failed", "entered-in-error"};
    struct str status = js_get_str(task, "status");

    for (size_t i = 0; i < ARRAY_LEN(ended); i++)
        if (str_eq(status, str_c(ended[i])))
            return true;
    return str_eq(status, STR("cancelled")) &&
           !has_code(js_get(task, "statusReason"), SIGNAL_SYSTEM, "withdrawn");
}

static yyjson_val *input(yyjson_val *task, const char *code, const char *type)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(task, "input"), i, max, one)
        if (has_code(js_get(one, "type"), SIGNAL_SYSTEM, code))
            return js_get(one, type);
    return NULL;
}

bool signal_read(yyjson_val *task, struct signal_read *ret)
{
    struct str at = js_get_str(js_get(task, "focus"), "reference");
    yyjson_val *disease = yyjson_arr_get_first(js_get(js_get(task, "reasonCode"), "coding"));
    uint64_t n = 0;

    if (!has_code(js_get(task, "code"), SIGNAL_SYSTEM, "signal"))
        return false;
    str_to_u64(js_str(input(task, "count", "valueInteger")), UINT32_MAX, &n);
    *ret = (struct signal_read){
        .id = js_get_str(task, "id"),
        .disease = js_get_str(disease, "code"),
        .place = str_starts(at, STR("Location/")) ? str_from(at, 9) : STR_NULL,
        .week = js_str(input(task, "week", "valueString")),
        .first_week = js_str(input(task, "first-week", "valueString")),
        .count = (uint32_t)n,
        .is_withdrawn = has_code(js_get(task, "statusReason"), SIGNAL_SYSTEM, "withdrawn")};
    return true;
}
