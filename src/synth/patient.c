/* patient.c - a person's Patient, and the RelatedPerson that stands for the mother in a child's. */
#include "synth/visit.h"

#define NUMBERS UINT64_C(999999937) /* a prime: national numbers are a permutation below it */
#define RELATED_AGE_MAX 15

/* Ten digits, the last a check digit; nobody shares it, and neighbours' differ much. */
static uint64_t national_number(const struct sim *s, uint64_t person)
{
    uint64_t shift = (s->config->seed % NUMBERS * 31 + 12345) % NUMBERS;

    return luhn_append((person * UINT64_C(387420489) + shift) % NUMBERS);
}

static void put_digits(struct sb *b, uint64_t value, int n)
{
    char text[20];

    for (int i = n - 1; i >= 0; i--) {
        text[i] = (char)('0' + value % 10);
        value /= 10;
    }
    sb_put(b, text, (size_t)n);
}

static void put_national(struct sim *s, const struct person *p)
{
    out_lit(&s->out, "{\"use\":\"official\",\"type\":{\"coding\":[{\"system\":"
                     "\"http://terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"NI\"}]},"
                     "\"system\":\"" KIVANDRA "/national-id\",\"value\":\"");
    put_digits(&s->out.b, national_number(s, p->number), 10);
    out_lit(&s->out, "\"}");
}

static void put_identifiers(struct sim *s, const struct person *p, bool has_national)
{
    struct out *o = &s->out;

    out_lit(o, ",\"identifier\":[");
    if (has_national) {
        put_national(s, p);
        sb_char(&o->b, ',');
    }
    out_lit(o, "{\"use\":\"usual\",\"type\":{\"coding\":[{\"system\":"
               "\"http://terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"MR\"}]},"
               "\"system\":\"" KIVANDRA "/medical-record\",\"value\":\"");
    put_digits(&o->b, s->district + 1, 3);
    sb_char(&o->b, '-');
    put_digits(&o->b, p->number, 9);
    out_lit(o, "\"}]");
}

static void put_phone(struct out *o, uint64_t number)
{
    out_lit(o, ",\"telecom\":[{\"system\":\"phone\",\"value\":\"+999 7");
    put_digits(&o->b, number % 100000000, 8);
    out_lit(o, "\",\"use\":\"mobile\"}]");
}

/* A household has one phone number more often than a person does. */
static uint64_t household_phone(const struct sim *s)
{
    return (s->household * UINT64_C(61169) + s->config->seed) % 100000000;
}

static void put_address(struct sim *s, const struct person *p)
{
    const struct country *c = &s->country;
    const struct district *d = &c->districts[s->district];
    struct out *o = &s->out;

    sb_fmt(&o->b,
           ",\"address\":[{\"use\":\"home\",\"line\":[\"%u %.*s\"],\"city\":\"%s\","
           "\"district\":\"%s\",\"state\":\"%s\",\"country\":\"" COUNTRY_NAME "\"}]",
           (unsigned)(s->household % 97 + 1), STR_ARG(street_name(s->household / 97)),
           p->home->place, d->name, c->provinces[d->province].name);
}

static void put_links(struct sim *s, const struct person *p)
{
    struct out *o = &s->out;
    bool first = true;

    for (size_t i = 0; i < s->n_members; i++) {
        const struct person *child = &s->members[i];

        if (child->mother != p || !child->has_related)
            continue;
        if (first)
            out_lit(o, ",\"link\":[{\"other\":");
        else
            out_lit(o, ",{\"other\":");
        first = false;
        out_ref_value(o, "RelatedPerson", &child->related, false);
        out_lit(o, ",\"type\":\"seealso\"}");
    }
    if (!first)
        sb_char(&o->b, ']');
}

static void write_related(struct sim *s, struct person *p)
{
    struct out *o = &s->out;

    uid_draw(&s->rng, &p->related);
    p->has_related = true;
    out_begin(o, "RelatedPerson", &p->related);
    out_lit(o, ",\"identifier\":[");
    put_national(s, p->mother);
    out_lit(o, "],\"active\":true");
    out_ref(o, "patient", "Patient", &p->id, true);
    out_lit(o, ",\"relationship\":[{\"coding\":[{\"system\":"
               "\"http://terminology.hl7.org/CodeSystem/v3-RoleCode\",\"code\":\"MTH\","
               "\"display\":\"mother\"}]}]");
    name_write(o, "name", &p->mother->name);
    put_phone(o, household_phone(s));
    out_lit(o, ",\"gender\":\"female\"");
    out_end(o);
}

static void put_civil(struct sim *s, const struct person *p)
{
    static const char *const marital[][2] = {
        {"M", "Married"}, {"S", "Never Married"}, {"W", "Widowed"}};
    struct out *o = &s->out;
    int64_t years = age_years(p, s->end);
    uint64_t at = rng_below(&s->rng, 100);
    int which = years > 60 && at < 40 ? 2 : at < (years < 25 ? 35u : 80u) ? 0 : 1;

    if (years < 18 || p->is_child)
        return;
    sb_fmt(&o->b,
           ",\"maritalStatus\":{\"coding\":[{\"system\":"
           "\"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus\",\"code\":\"%s\","
           "\"display\":\"%s\"}]}",
           marital[which][0], marital[which][1]);
}

void person_write(struct sim *s, struct person *p)
{
    struct out *o = &s->out;
    struct rng *r = &s->rng;
    const struct culture *c = &cultures[p->name.culture];
    bool grown = age_years(p, s->end) >= 15;
    /* Mothers are named by their number in their children's records, so they have one. */
    bool has_national = draw_permille(r, grown ? 930 : 640) || s->members == p;

    out_begin(o, "Patient", &p->id);
    out_lit(o, ",\"meta\":{\"tag\":[{\"system\":"
               "\"http://terminology.hl7.org/CodeSystem/v3-ActReason\",\"code\":\"HTEST\"}]}");
    put_identifiers(s, p, has_national);
    out_lit(o, ",\"active\":true");
    name_write(o, "name", &p->name);
    if (grown && draw_permille(r, 700))
        put_phone(o, draw_permille(r, 500) ? household_phone(s) : rng_next(r));
    sb_fmt(&o->b, ",\"gender\":\"%s\"", p->female ? "female" : "male");
    out_date(o, "birthDate", p->birth);
    if (p->death != NEVER)
        out_time(o, "deceasedDateTime", p->death * DAY_MINUTES + DAY_MINUTES - 1);
    put_address(s, p);
    put_civil(s, p);
    sb_fmt(&o->b,
           ",\"communication\":[{\"language\":{\"coding\":[{\"system\":"
           "\"urn:ietf:bcp:47\",\"code\":\"%s\",\"display\":\"%s\"}]},\"preferred\":true}]",
           c->language, c->language_name);
    out_lit(o, ",\"generalPractitioner\":[");
    out_ref_value(o, "Organization", &p->home->org, false);
    sb_char(&o->b, ']');
    out_ref(o, "managingOrganization", "Organization", &p->home->org, false);
    put_links(s, p);
    out_end(o);
    if (p->mother && age_years(p, s->end) < RELATED_AGE_MAX)
        write_related(s, p);
}
