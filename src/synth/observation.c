/* observation.c - Observations, and how big a body is at what age. */
#include "synth/visit.h"

static const struct unit_text {
    struct str json;
} units[] = {
#define U(unit, code) \
    {{",\"unit\":\"" unit "\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"" code "\"}", \
      sizeof(",\"unit\":\"" unit "\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"" code \
             "\"}") - 1}}
    [UNIT_KG] = U("kg", "kg"),
    [UNIT_G] = U("g", "g"),
    [UNIT_CM] = U("cm", "cm"),
    [UNIT_CELSIUS] = U("°C", "Cel"),
    [UNIT_PER_MIN] = U("/min", "/min"),
    [UNIT_PERCENT] = U("%", "%"),
    [UNIT_MMHG] = U("mmHg", "mm[Hg]"),
    [UNIT_G_DL] = U("g/dL", "g/dL"),
    [UNIT_MG_DL] = U("mg/dL", "mg/dL"),
    [UNIT_PER_UL] = U("cells/µL", "/uL"),
    [UNIT_COPIES_ML] = U("copies/mL", "{copies}/mL"),
    [UNIT_SCORE] = U("score", "{score}"),
#undef U
};

static void begin(struct sim *s, const struct person *p, const struct visit *v,
                  const struct result *what)
{
    static const char *const categories[] = {"vital-signs", "laboratory", "exam"};
    struct out *o = &s->out;
    struct uid id;

    uid_draw(&s->rng, &id);
    out_begin(o, "Observation", &id);
    out_lit(o, ",\"status\":\"final\",\"category\":[{\"coding\":[{\"system\":"
               "\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"");
    sb_put(&o->b, categories[what->category], strlen(categories[what->category]));
    out_lit(o, "\"}]}]");
    out_concept(o, "code", what->code);
    out_ref(o, "subject", "Patient", &p->id, true);
    out_ref(o, "encounter", "Encounter", &v->id, true);
    out_time(o, "effectiveDateTime", v->from + 5);
    out_time(o, "issued", MIN(v->from + 5 + what->delay_minutes, s->end * DAY_MINUTES - 1));
    out_lit(o, ",\"performer\":[");
    out_ref_value(o, "Practitioner", v->by, false);
    sb_char(&o->b, ']');
}

static void put_flag(struct out *o, const char *code)
{
    out_lit(o, ",\"interpretation\":[{\"coding\":[{\"system\":"
               "\"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation\","
               "\"code\":\"");
    sb_put(&o->b, code, strlen(code));
    out_lit(o, "\"}]}]");
}

static void put_quantity(struct out *o, int64_t value, int decimals, enum unit unit)
{
    out_lit(o, ",\"valueQuantity\":{\"value\":");
    out_decimal(&o->b, value, decimals);
    sb_str(&o->b, units[unit].json);
}

void quantity_write(struct sim *s, const struct person *p, const struct visit *v,
                    const struct result *what, int64_t value, int decimals, enum unit unit)
{
    begin(s, p, v, what);
    put_quantity(&s->out, value, decimals, unit);
    if (what->flag)
        put_flag(&s->out, (const char[2]){what->flag, '\0'});
    out_end(&s->out);
}

void finding_write(struct sim *s, const struct person *p, const struct visit *v,
                   const struct result *what, bool positive)
{
    begin(s, p, v, what);
    out_concept(&s->out, "valueCodeableConcept", positive ? LN_POSITIVE : LN_NEGATIVE);
    put_flag(&s->out, positive ? "POS" : "NEG");
    out_end(&s->out);
}

void text_write(struct sim *s, const struct person *p, const struct visit *v,
                const struct result *what, const char *value)
{
    begin(s, p, v, what);
    out_text(&s->out, "valueString", str_c(value));
    out_end(&s->out);
}

void date_write(struct sim *s, const struct person *p, const struct visit *v,
                const struct result *what, int64_t day)
{
    begin(s, p, v, what);
    out_date(&s->out, "valueDateTime", day);
    out_end(&s->out);
}

void pressure_write(struct sim *s, const struct person *p, const struct visit *v, int systolic,
                    int diastolic)
{
    const struct result what = {.code = LN_BP, .category = CATEGORY_VITAL, .delay_minutes = 5};
    struct out *o = &s->out;

    begin(s, p, v, &what);
    out_lit(o, ",\"component\":[{\"code\":");
    sb_str(&o->b, codes[LN_SYSTOLIC].concept);
    put_quantity(o, systolic, 0, UNIT_MMHG);
    out_lit(o, "},{\"code\":");
    sb_str(&o->b, codes[LN_DIASTOLIC].concept);
    put_quantity(o, diastolic, 0, UNIT_MMHG);
    out_lit(o, "}]");
    out_end(o);
}

void pressure_draw(struct sim *s, const struct person *p, const struct visit *v, int systolic,
                   int diastolic)
{
    int high = (int)draw_normal(&s->rng, systolic, 10);
    int low = (int)draw_normal(&s->rng, diastolic, 7);

    pressure_write(s, p, v, high, (int)at_most(low, high - 15));
}

/* Medians of the WHO child growth standards and reference by month, then adults. */
static const int16_t months[] = {0, 1, 2, 3, 4, 6, 9, 12, 18, 24, 36, 48, 60, 120, 180, 216};
static const int32_t weight_g[2][ARRAY_LEN(months)] = {
    {3300, 4500, 5600, 6400, 7000, 7900, 8900, 9600, 10900, 12200, 14300, 16300, 18300, 31000,
     54000, 63000},
    {3200, 4200, 5100, 5800, 6400, 7300, 8200, 8900, 10200, 11500, 13900, 16100, 18200, 32000,
     51000, 58000},
};
static const int32_t height_mm[2][ARRAY_LEN(months)] = {
    {499, 547, 584, 614, 639, 676, 720, 757, 823, 878, 961, 1033, 1100, 1375, 1690, 1710},
    {491, 537, 571, 598, 621, 657, 701, 740, 807, 864, 951, 1027, 1094, 1385, 1580, 1590},
};

/* A trait of the person between -1000 and 1000 thousandths, the same at every visit. */
static int64_t trait(const struct person *p, int which)
{
    uint64_t h = str_hash(uid_str(&p->id));

    return (int64_t)((h >> (which * 20)) % 2001) - 1000;
}

int64_t body_weight_g(const struct person *p, int64_t day)
{
    int64_t age = age_days(p, day) * 12 * 4 / 1461;
    int64_t median = curve_at(months, weight_g[p->female], ARRAY_LEN(months), age);

    /* Adults vary more, and upwards. */
    if (age > 240)
        return median + median * (trait(p, 0) * 2 + 400) / 10000;
    return median + median * (trait(p, 0) * 16 / 10 - 200) / 10000;
}

int64_t body_height_mm(const struct person *p, int64_t day)
{
    int64_t age = age_days(p, day) * 12 * 4 / 1461;
    int64_t median = curve_at(months, height_mm[p->female], ARRAY_LEN(months), age);

    return median + median * trait(p, 1) * 7 / 100000;
}
