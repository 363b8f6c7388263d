#include "synth/visit.h"

#include "base/clock.h"

int64_t visit_day(struct rng *r, int64_t day)
{
    unsigned weekday = (unsigned)((day + 3) % 7); /* 0 is Monday: 1970-01-01 was a Thursday */

    if (weekday == 5 && draw_permille(r, 600))
        return day + 2;
    if (weekday == 6 && draw_permille(r, 850))
        return day + 1;
    return day;
}

/* Most come in the morning. */
static int64_t draw_minute(struct rng *r, int64_t day, enum visit_class class)
{
    int64_t a, b;

    if (class == CLASS_EMER || class == CLASS_IMP)
        return day * DAY_MINUTES + draw_range(r, 0, DAY_MINUTES - 1);
    a = draw_range(r, 0, 510);
    b = draw_range(r, 0, 510);
    return day * DAY_MINUTES + 450 + MIN(a, b);
}

static const struct facility *facility_for(struct sim *s, const struct person *p, enum level least)
{
    const struct district *d = &s->country.districts[s->district];

    if (p->home->level <= least)
        return p->home;
    if (least == LEVEL_CENTRE && d->n_facilities > 1)
        return &d->facilities[1];
    return &d->facilities[0];
}

static void put_class(struct out *o, enum visit_class class)
{
    static const char *const codes_names[][2] = {{"AMB", "ambulatory"},
                                                 {"IMP", "inpatient encounter"},
                                                 {"EMER", "emergency"},
                                                 {"FLD", "field"}};

    sb_fmt(&o->b,
           ",\"class\":{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\","
           "\"code\":\"%s\",\"display\":\"%s\"}",
           codes_names[class][0], codes_names[class][1]);
}

/* Nothing is done to the dead, nor after the window. */
static int64_t last_minute(const struct sim *s, const struct person *p)
{
    return (p->death < s->end ? p->death + 1 : s->end) * DAY_MINUTES - 1;
}

void visit_write(struct sim *s, const struct person *p, const struct visit_plan *plan,
                 struct visit *ret)
{
    struct out *o = &s->out;
    struct rng *r = &s->rng;
    struct visit v = {.facility = facility_for(s, p, plan->least)};

    v.from = draw_minute(r, plan->day, plan->class);
    v.to = v.from + (plan->minutes ? (int64_t)plan->minutes : draw_range(r, 10, 55));
    v.to = MIN(v.to, last_minute(s, p));
    v.by = &v.facility->staff[rng_below(r, v.facility->n_staff)];
    uid_draw(r, &v.id);

    out_begin(o, "Encounter", &v.id);
    out_lit(o, ",\"status\":\"finished\"");
    put_class(o, plan->class);
    out_concepts(o, "type", plan->type);
    out_ref(o, "subject", "Patient", &p->id, true);
    if (plan->episode) {
        out_lit(o, ",\"episodeOfCare\":[");
        out_ref_value(o, "EpisodeOfCare", plan->episode, true);
        sb_char(&o->b, ']');
    }
    out_lit(o, ",\"participant\":[{\"individual\":");
    out_ref_value(o, "Practitioner", v.by, false);
    out_lit(o, "}]");
    out_period(o, "period", v.from, v.to);
    if (plan->reason)
        out_concepts(o, "reasonCode", plan->reason);
    if (plan->died)
        out_lit(o, ",\"hospitalization\":{\"dischargeDisposition\":{\"coding\":[{\"system\":"
                   "\"http://terminology.hl7.org/CodeSystem/discharge-disposition\","
                   "\"code\":\"exp\",\"display\":\"Expired\"}]}}");
    out_lit(o, ",\"location\":[{\"location\":");
    out_ref_value(o, "Location", &v.facility->location, false);
    out_lit(o, "}]");
    out_ref(o, "serviceProvider", "Organization", &v.facility->org, false);
    out_end(o);
    *ret = v;
}

/* Written up at once, after a few days, or when the clerk gets to the pile of paper. */
static int64_t recorded(struct sim *s, const struct visit *v, int64_t minute)
{
    bool paper = v && v->facility->level == LEVEL_POST;
    uint64_t at = rng_below(&s->rng, 1000);
    int64_t later;

    if (at < (paper ? 450u : 750u))
        later = draw_range(&s->rng, 3, 90);
    else if (at < (paper ? 850u : 950u))
        later = draw_range(&s->rng, 1, 7) * DAY_MINUTES;
    else
        later = draw_range(&s->rng, 8, 35) * DAY_MINUTES;
    later += draw_range(&s->rng, 0, 300);
    return MIN(minute + later, s->end * DAY_MINUTES - 1);
}

void condition_write(struct sim *s, const struct person *p, const struct visit *v,
                     const struct diagnosis *d, struct uid *ret_id)
{
    struct out *o = &s->out;
    int64_t seen = v ? v->from : MAX(d->onset, s->start) * DAY_MINUTES + 600;
    bool over = d->abated < s->end && d->abated <= p->death;

    uid_draw(&s->rng, ret_id);
    out_begin(o, "Condition", ret_id);
    sb_fmt(&o->b,
           ",\"clinicalStatus\":{\"coding\":[{\"system\":"
           "\"http://terminology.hl7.org/CodeSystem/condition-clinical\",\"code\":\"%s\"}]}",
           over ? "resolved" : "active");
    out_lit(o, ",\"verificationStatus\":{\"coding\":[{\"system\":"
               "\"http://terminology.hl7.org/CodeSystem/condition-ver-status\","
               "\"code\":\"confirmed\"}]}");
    sb_fmt(&o->b,
           ",\"category\":[{\"coding\":[{\"system\":"
           "\"http://terminology.hl7.org/CodeSystem/condition-category\",\"code\":\"%s\"}]}]",
           d->on_problem_list ? "problem-list-item" : "encounter-diagnosis");
    out_concept(o, "code", d->code);
    out_ref(o, "subject", "Patient", &p->id, true);
    if (v)
        out_ref(o, "encounter", "Encounter", &v->id, true);
    out_date(o, "onsetDateTime", d->onset);
    if (over)
        out_date(o, "abatementDateTime", d->abated);
    out_time(o, "recordedDate", recorded(s, v, seen));
    if (v)
        out_ref(o, "recorder", "Practitioner", v->by, false);
    out_end(o);
}

void medication_write(struct sim *s, const struct person *p, const struct visit *v, enum code drug,
                      const char *dosage, unsigned days)
{
    struct out *o = &s->out;
    struct uid id;

    uid_draw(&s->rng, &id);
    out_begin(o, "MedicationRequest", &id);
    sb_fmt(&o->b, ",\"status\":\"%s\",\"intent\":\"order\"",
           v->from / DAY_MINUTES + days < s->end ? "completed" : "active");
    out_concept(o, "medicationCodeableConcept", drug);
    out_ref(o, "subject", "Patient", &p->id, true);
    out_ref(o, "encounter", "Encounter", &v->id, true);
    out_time(o, "authoredOn", v->from + (v->to - v->from) / 2);
    out_ref(o, "requester", "Practitioner", v->by, false);
    out_lit(o, ",\"dosageInstruction\":[{\"text\":\"");
    sb_put(&o->b, dosage, strlen(dosage));
    out_lit(o, "\"}],\"dispenseRequest\":{\"expectedSupplyDuration\":{\"value\":");
    sb_i64(&o->b, days);
    out_lit(o, ",\"unit\":\"d\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"d\"}}");
    out_end(o);
}

void immunization_write(struct sim *s, const struct person *p, const struct visit *v,
                        enum code vaccine, unsigned dose)
{
    struct out *o = &s->out;
    struct uid id;

    uid_draw(&s->rng, &id);
    out_begin(o, "Immunization", &id);
    out_lit(o, ",\"status\":\"completed\"");
    out_concept(o, "vaccineCode", vaccine);
    out_ref(o, "patient", "Patient", &p->id, true);
    out_ref(o, "encounter", "Encounter", &v->id, true);
    out_time(o, "occurrenceDateTime", v->from);
    out_time(o, "recorded", recorded(s, v, v->to));
    out_lit(o, ",\"primarySource\":true");
    out_ref(o, "location", "Location", &v->facility->location, false);
    sb_fmt(&o->b, ",\"lotNumber\":\"KV%02u%04u\"", (unsigned)vaccine % 100,
           (unsigned)(v->from / DAY_MINUTES / 60));
    out_lit(o, ",\"performer\":[{\"actor\":");
    out_ref_value(o, "Practitioner", v->by, false);
    out_lit(o, "}]");
    if (dose)
        sb_fmt(&o->b, ",\"protocolApplied\":[{\"doseNumberPositiveInt\":%u}]", dose);
    out_end(o);
}

void episode_write(struct sim *s, const struct person *p, enum code programme,
                   const struct uid *condition, int64_t from, int64_t to, struct uid *ret_id)
{
    struct out *o = &s->out;
    bool over = to < s->end;

    uid_draw(&s->rng, ret_id);
    out_begin(o, "EpisodeOfCare", ret_id);
    sb_fmt(&o->b, ",\"status\":\"%s\"", over ? "finished" : "active");
    out_concepts(o, "type", programme);
    if (condition) {
        out_lit(o, ",\"diagnosis\":[{\"condition\":");
        out_ref_value(o, "Condition", condition, true);
        out_lit(o, "}]");
    }
    out_ref(o, "patient", "Patient", &p->id, true);
    out_ref(o, "managingOrganization", "Organization", &p->home->org, false);
    out_lit(o, ",\"period\":{\"start\":");
    out_date_value(&o->b, from);
    if (over)
        out_date(o, "end", to);
    sb_char(&o->b, '}');
    out_end(o);
}
