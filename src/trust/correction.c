#include "trust/correction.h"

#include "base/clock.h"
#include "trust/glass.h"

void correction_task(struct sb *out, const struct identity *who, const struct correction *c)
{
    char when[CLOCK_INSTANT_MAX];

    clock_format(c->when_ms, when);
    sb_lit(out, "{\"resourceType\":\"Task\",\"id\":");
    sb_json(out, c->id);
    sb_lit(out, ",\"status\":\"requested\",\"intent\":\"order\",\"code\":{\"coding\":[{\"system\":"
                "\"" CORRECTION_SYSTEM "\",\"code\":\"" CORRECTION_TASK
                "\",\"display\":\"Correction of a record\"}]},\"description\":");
    sb_json(out, c->what);
    sb_lit(out, ",\"focus\":{\"reference\":");
    sb_json(out, c->focus);
    sb_lit(out, "},\"for\":{\"reference\":\"Patient/");
    sb_str(out, c->patient);
    sb_fmt(out, "\"},\"authoredOn\":\"%s\",\"requester\":", when);
    glass_who(out, who);
    sb_lit(out, ",\"reasonCode\":{\"text\":");
    sb_json(out, c->why);
    sb_lit(out, "}}");
}

/* What a decision says; all else stays as it was asked. */
static bool is_of_decision(struct str member)
{
    return str_eq(member, STR("status")) || str_eq(member, STR("meta"));
}

void correction_decided(struct sb *out, yyjson_val *task, const struct correction_decision *d)
{
    char when[CLOCK_INSTANT_MAX];
    yyjson_val *k, *v;
    size_t i, max;

    clock_format(d->when_ms, when);
    sb_char(out, '{');
    yyjson_obj_foreach(task, i, max, k, v) {
        if (is_of_decision(js_str(k)))
            continue;
        js_write(out, k);
        sb_char(out, ':');
        js_write(out, v);
        sb_char(out, ',');
    }
    sb_fmt(out,
           "\"status\":\"%s\",\"statusReason\":{\"text\":", d->accepts ? "completed" : "rejected");
    sb_json(out, d->reason);
    sb_fmt(out, "},\"lastModified\":\"%s\",\"owner\":", when);
    glass_who(out, d->by);
    if (d->accepts) {
        sb_lit(out, ",\"output\":[{\"type\":{\"text\":\"provenance\"},\"valueReference\":{"
                    "\"reference\":\"Provenance/");
        sb_str(out, d->provenance);
        sb_lit(out, "\"}},{\"type\":{\"text\":\"corrected\"},\"valueReference\":{\"reference\":");
        sb_json(out, d->target);
        sb_lit(out, "}}]");
    }
    sb_char(out, '}');
}

void correction_provenance(struct sb *out, yyjson_val *task, const struct correction_decision *d)
{
    char when[CLOCK_INSTANT_MAX];

    clock_format(d->when_ms, when);
    sb_lit(out, "{\"resourceType\":\"Provenance\",\"id\":");
    sb_json(out, d->provenance);
    sb_lit(out, ",\"target\":[{\"reference\":");
    sb_json(out, d->target);
    sb_lit(out, "},");
    js_write(out, js_get(task, "for"));
    sb_fmt(out, "],\"recorded\":\"%s\",\"reason\":[{\"text\":", when);
    sb_json(out, d->reason);
    sb_lit(out, "}],\"activity\":{\"coding\":[{\"system\":"
                "\"http://terminology.hl7.org/CodeSystem/v3-DataOperation\",\"code\":\"UPDATE\"}]},"
                "\"agent\":[{\"who\":");
    glass_who(out, d->by);
    sb_lit(out, "}],\"entity\":[{\"role\":\"source\",\"what\":{\"reference\":\"Task/");
    sb_str(out, js_get_str(task, "id"));
    sb_lit(out, "\"}},{\"role\":\"revision\",\"what\":");
    js_write(out, js_get(task, "focus"));
    sb_lit(out, "}]}");
}

bool correction_is_task(yyjson_val *root)
{
    yyjson_val *one;
    size_t i, max;

    if (!str_eq(js_get_str(root, "resourceType"), STR("Task")))
        return false;
    yyjson_arr_foreach(js_get(js_get(root, "code"), "coding"), i, max, one) {
        if (str_eq(js_get_str(one, "code"), STR(CORRECTION_TASK)) &&
            str_eq(js_get_str(one, "system"), STR(CORRECTION_SYSTEM)))
            return true;
    }
    return false;
}

bool correction_is_open(yyjson_val *task)
{
    return str_eq(js_get_str(task, "status"), STR("requested"));
}

bool correction_focus(yyjson_val *task, struct str *ret_resource, struct str *ret_version)
{
    static const struct str mid = STR("/_history/");
    struct str text = js_get_str(js_get(task, "focus"), "reference");

    for (size_t i = 0; i + mid.n < text.n; i++)
        if (bytes_eq(text.p + i, mid.p, mid.n)) {
            *ret_resource = str_head(text, i);
            *ret_version = str_from(text, i + mid.n);
            return true;
        }
    return false;
}
