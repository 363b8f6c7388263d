#include "surveillance/outbreak.h"

#include "base/clock.h"
#include "fhir/date.h"

#define DAY_MS 86400000

/* What the node writes anew in each version; all else stays. */
static const char *const own[] = {"resourceType",    "id",           "meta", "status",
                                  "executionPeriod", "lastModified", "note"};

static struct str code_in(yyjson_val *concept, struct str system)
{
    yyjson_val *coding;
    size_t i, max;

    yyjson_arr_foreach(js_get(concept, "coding"), i, max, coding)
        if (str_eq(js_get_str(coding, "system"), system))
            return js_get_str(coding, "code");
    return STR_NULL;
}

bool outbreak_is(yyjson_val *task)
{
    return str_eq(code_in(js_get(task, "code"), STR(OUTBREAK_SYSTEM)), STR("outbreak"));
}

struct str outbreak_disease(yyjson_val *task)
{
    return code_in(js_get(task, "reasonCode"), STR(OUTBREAK_DISEASE_SYSTEM));
}

/* ---- what holds ---- */

static int check_day(struct str text, const char *name, int64_t now_ms, struct date *ret,
                     struct err *err)
{
    int r = date_parse(DATE_DATE, text, 0, ret, err);

    if (r < 0)
        return err_at(err, ERR_VALUE, name, "\"%s\" is no day", name);
    if (ret->precision != DATE_DAY)
        return err_at(err, ERR_VALUE, name, "\"%s\" is to be a day, not a month or a year", name);
    /* The day may have begun elsewhere. */
    return ret->from_ms > now_ms + DAY_MS
               ? err_at(err, ERR_VALUE, name, "\"%s\" is a day that is ahead", name)
               : 0;
}

struct period {
    struct str start, end;
};

static int find_period(yyjson_val *before, const struct outbreak_said *s, struct period *ret,
                       struct err *err)
{
    yyjson_val *was = js_get(before, "executionPeriod");
    struct date from, to;
    int r;

    ret->start = s->start.p ? s->start : js_get_str(was, "start");
    ret->end = s->end.p ? s->end : js_get_str(was, "end");
    if (!ret->start.p)
        return err_at(err, ERR_REQUIRED, "start", "the first day of the outbreak is missing");
    r = check_day(ret->start, "start", s->now_ms, &from, err);
    if (r == 0 && ret->end.p)
        r = check_day(ret->end, "end", s->now_ms, &to, err);
    if (r == 0 && ret->end.p && to.from_ms < from.from_ms)
        r = err_at(err, ERR_VALUE, "end", "the last day of the outbreak is before its first");
    return r;
}

/* ---- the Task ---- */

static void put_author(struct sb *out, const struct outbreak_said *s, const char *reference,
                       const char *text)
{
    if (s->who.n) {
        sb_fmt(out, "\"%s\":{\"reference\":", reference);
        sb_json(out, s->who);
        sb_char(out, '}');
    } else {
        sb_fmt(out, "\"%s\":", text);
        sb_json(out, s->agent.n ? s->agent : STR("unknown"));
    }
}

/* "declared", "over since 2026-05-03: no case for two incubation periods" */
static void put_note(struct sb *out, yyjson_val *before, const struct outbreak_said *s,
                     const char *now)
{
    _cleanup_(sb_done) struct sb text = sb_make(OUTBREAK_NOTE_MAX + 100);

    sb_str(&text, s->is_mistake ? STR("mistake") : !before ? STR("declared") : STR("changed"));
    if (s->start.p) {
        sb_lit(&text, ", from ");
        sb_str(&text, s->start);
    }
    if (s->end.p) {
        sb_lit(&text, ", until ");
        sb_str(&text, s->end);
    }
    if (s->note.n) {
        sb_lit(&text, ": ");
        sb_str(&text, s->note);
    }
    sb_char(out, '{');
    put_author(out, s, "authorReference", "authorString");
    sb_fmt(out, ",\"time\":\"%s\",\"text\":", now);
    sb_json(out, sb_view(&text));
    sb_char(out, '}');
    out->failed |= text.failed;
}

static void put_declaration(struct sb *out, const struct outbreak_said *s, const char *now)
{
    sb_lit(out,
           ",\"intent\":\"order\",\"code\":{\"coding\":[{\"system\":\"" OUTBREAK_SYSTEM
           "\",\"code\":\"outbreak\",\"display\":\"Declared outbreak\"}]},"
           "\"reasonCode\":{\"coding\":[{\"system\":\"" OUTBREAK_DISEASE_SYSTEM "\",\"code\":");
    sb_json(out, s->disease);
    sb_lit(out, ",\"display\":");
    sb_json(out, s->disease_title);
    sb_lit(out, "}]}");
    if (s->place.p) {
        sb_fmt(out,
               ",\"location\":{\"reference\":\"Location/%.*s\",\"display\":", STR_ARG(s->place));
        sb_json(out, s->place_name);
        sb_char(out, '}');
    }
    if (s->who.n) {
        sb_char(out, ',');
        put_author(out, s, "requester", "");
    }
    sb_fmt(out, ",\"authoredOn\":\"%s\"", now);
}

static void put_others(struct sb *out, yyjson_val *before)
{
    yyjson_val *key, *v;
    size_t i, max;

    yyjson_obj_foreach(before, i, max, key, v) {
        size_t k = 0;

        while (k < ARRAY_LEN(own) && !str_eq(js_str(key), str_c(own[k])))
            k++;
        if (k < ARRAY_LEN(own))
            continue;
        sb_char(out, ',');
        sb_json(out, js_str(key));
        sb_char(out, ':');
        js_write(out, v);
    }
}

int outbreak_task(struct sb *out, yyjson_val *before, const struct outbreak_said *s,
                  struct err *err)
{
    yyjson_val *notes = js_get(before, "note"), *note;
    char now[CLOCK_INSTANT_MAX];
    struct period period;
    size_t i, max;
    int r = find_period(before, s, &period, err);

    if (r < 0)
        return r;
    if (s->note.n > OUTBREAK_NOTE_MAX)
        return err_at(err, ERR_TOO_LONG, "note", "the note is longer than %zu KiB",
                      OUTBREAK_NOTE_MAX >> 10);
    if (yyjson_arr_size(notes) >= OUTBREAK_NOTES_MAX)
        return err_set(err, ERR_COSTLY, "the outbreak has %d notes, and takes no more",
                       OUTBREAK_NOTES_MAX);
    clock_format(s->now_ms, now);
    sb_lit(out, "{\"resourceType\":\"Task\",\"id\":");
    sb_json(out, s->id);
    sb_fmt(out, ",\"status\":\"%s\"",
           s->is_mistake  ? "entered-in-error"
           : period.end.p ? "completed"
                          : "in-progress");
    if (before)
        put_others(out, before);
    else
        put_declaration(out, s, now);
    sb_lit(out, ",\"executionPeriod\":{\"start\":");
    sb_json(out, period.start);
    if (period.end.p) {
        sb_lit(out, ",\"end\":");
        sb_json(out, period.end);
    }
    sb_fmt(out, "},\"lastModified\":\"%s\",\"note\":[", now);
    yyjson_arr_foreach(notes, i, max, note) {
        js_write(out, note);
        sb_char(out, ',');
    }
    put_note(out, before, s, now);
    sb_lit(out, "]}");
    return sb_ok(out, err);
}

/* ---- back ---- */

static void put_or_null(struct sb *out, const char *name, struct str text)
{
    sb_fmt(out, ",\"%s\":", name);
    if (text.p)
        sb_json(out, text);
    else
        sb_lit(out, "null");
}

void outbreak_standing(struct sb *out, yyjson_val *task)
{
    struct str status = js_get_str(task, "status");
    struct str at = js_get_str(js_get(task, "location"), "reference");
    yyjson_val *period = js_get(task, "executionPeriod");

    sb_lit(out, "\"outbreak\":");
    sb_json(out, js_get_str(task, "id"));
    put_or_null(out, "disease", outbreak_disease(task));
    put_or_null(out, "location",
                str_starts(at, STR("Location/")) ? str_from(at, STR("Location/").n) : STR_NULL);
    put_or_null(out, "start", js_get_str(period, "start"));
    put_or_null(out, "end", js_get_str(period, "end"));
    sb_fmt(out, ",\"state\":\"%s\"",
           str_eq(status, STR("in-progress")) ? "declared"
           : str_eq(status, STR("completed")) ? "over"
                                              : "mistake");
}
