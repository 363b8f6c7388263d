/* acute.c - everyday illness: who falls ill in which week, by age, season and district.
 *
 * Rates are of attended illness. Each district and illness gets a level and a weekly noise of its
 * own, each person a frailty: counts vary more than Poisson ones would, as real counts do.
 */
#include "synth/illness.h"

#include "base/clock.h"

#define SCALE 1000 /* rates below are per 100,000 person-weeks; times SCALE */
#define WHOLE (100000ull * SCALE)
#define YEAR_WEEKS 52
#define SEEK_CARE_FURTHER 420 /* permille, each further day of waiting */
#define SEEK_CARE_MAX 9

struct acute {
    struct illness illness;
    uint16_t per_100k[AGE_GROUPS]; /* a week: infant, 1-4, 5-14, 15-49, 50+ */
    int peak_week, swing_permille; /* season: how far above and below the mean */
    unsigned admit_permille;
};

/* clang-format off */
#define TAKE(drug, dosage, days) {ATC_##drug, dosage, days}
#define NOTHING {CODE_NONE, NULL, 0}
#define PARACETAMOL TAKE(PARACETAMOL, "as needed for fever or pain, at most four times a day", 3)
#define AMOXICILLIN TAKE(AMOXICILLIN, "twice a day by mouth", 5)
#define ORS TAKE(ORS, "after each loose stool", 3)
#define AL TAKE(AL, "twice a day with food", 3)
#define IRON TAKE(IRON_FOLATE, "once a day", 30)

static const struct acute acutes[] = {
    {{ICD_MALARIA, true, LN_MALARIA_RDT, NULL, 930, {AL, PARACETAMOL}},
     {590, 1750, 1190, 460, 310}, 15, 800, 0},
    {{ICD_MALARIA_SEVERE, true, LN_MALARIA_RDT, NULL, 980,
      {TAKE(ARTESUNATE, "2.4 mg/kg intravenously at 0, 12 and 24 hours, then daily", 3), AL}},
     {56, 98, 16, 4, 4}, 15, 800, 1000},
    {{ICD_FEVER, true, LN_MALARIA_RDT, NULL, 850, {PARACETAMOL}},
     {420, 490, 280, 170, 140}, 15, 300, 0},
    {{ICD_GASTRO, false, CODE_NONE, NULL, 0,
      {ORS, TAKE(ZINC, "20 mg once a day", 10)}}, {1960, 1190, 310, 200, 200}, 5, 450, 30},
    {{ICD_URTI, true, CODE_NONE, NULL, 0, {PARACETAMOL}},
     {3220, 2380, 780, 460, 390}, 28, 350, 0},
    {{ICD_PNEUMONIA, true, CODE_NONE, NULL, 0, {AMOXICILLIN, PARACETAMOL}},
     {910, 530, 105, 70, 200}, 28, 450, 120},
    {{ICD_INFLUENZA, true, CODE_NONE, NULL, 0, {PARACETAMOL}},
     {360, 420, 360, 290, 360}, 27, 900, 10},
    {{ICD_BRONCHIOLITIS, false, CODE_NONE, NULL, 0, {NOTHING}},
     {730, 84, 0, 0, 0}, 29, 600, 80},
    {{ICD_OTITIS, true, CODE_NONE, NULL, 0, {AMOXICILLIN}}, {270, 270, 98, 28, 14}, 28, 200, 0},
    {{ICD_SCABIES, false, CODE_NONE, NULL, 0,
      {TAKE(PERMETHRIN, "once on the whole skin, again after a week", 8)}},
     {84, 126, 126, 49, 35}, 30, 150, 0},
    {{ICD_RINGWORM, false, CODE_NONE, NULL, 0,
      {TAKE(CLOTRIMAZOLE, "on the skin twice a day", 21)}}, {28, 126, 150, 56, 42}, 8, 150, 0},
    {{ICD_CONJUNCTIVITIS, false, CODE_NONE, NULL, 0,
      {TAKE(TETRACYCLINE, "in the eye three times a day", 7)}}, {140, 112, 70, 42, 42}, 38, 300, 0},
    {{ICD_UTI, false, CODE_NONE, NULL, 0, {TAKE(CIPROFLOXACIN, "500 mg twice a day", 3)}},
     {28, 42, 42, 200, 170}, 0, 0, 10},
    {{ICD_INJURY, false, CODE_NONE, NULL, 0,
      {TAKE(IBUPROFEN, "400 mg three times a day with food", 5)}},
     {42, 140, 210, 210, 140}, 50, 100, 60},
    {{ICD_WORMS, false, CODE_NONE, NULL, 0, {TAKE(ALBENDAZOLE, "400 mg once", 1)}},
     {0, 270, 270, 42, 28}, 10, 200, 0},
    {{ICD_SCHISTO, false, CODE_NONE, NULL, 0, {TAKE(PRAZIQUANTEL, "40 mg/kg once", 1)}},
     {0, 28, 150, 42, 21}, 18, 300, 0},
    {{ICD_GASTRITIS, false, CODE_NONE, NULL, 0, {TAKE(OMEPRAZOLE, "20 mg once a day", 14)}},
     {0, 0, 28, 240, 290}, 0, 0, 5},
    {{ICD_BACK_PAIN, false, CODE_NONE, NULL, 0,
      {TAKE(IBUPROFEN, "400 mg three times a day with food", 7)}}, {0, 0, 7, 240, 480}, 0, 0, 0},
    {{ICD_MALNUTRITION, false, CODE_NONE, NULL, 0,
      {TAKE(VITAMIN_A, "one dose for the age", 1), AMOXICILLIN}},
     {240, 180, 21, 0, 0}, 6, 500, 100},
    {{ICD_ANAEMIA, false, CODE_NONE, NULL, 0, {IRON}}, {56, 126, 56, 84, 56}, 20, 200, 20},
    {{ICD_DEPRESSION, false, CODE_NONE, NULL, 0, {NOTHING}}, {0, 0, 4, 35, 35}, 0, 0, 5},
    {{ICD_EPILEPSY, false, CODE_NONE, NULL, 0, {NOTHING}}, {7, 16, 19, 14, 8}, 0, 0, 30},
    {{ICD_VARICELLA, true, CODE_NONE, NULL, 0, {PARACETAMOL}}, {16, 42, 42, 7, 1}, 40, 500, 5},
    /* Diseases that outbreaks are made of, as they smoulder between them. */
    {{ICD_TYPHOID, true, LN_BLOOD_CULTURE, "Salmonella Typhi", 150,
      {TAKE(CIPROFLOXACIN, "500 mg twice a day", 7)}}, {4, 15, 22, 18, 8}, 6, 300, 80},
    {{ICD_MEASLES, true, CODE_NONE, NULL, 0,
      {TAKE(VITAMIN_A, "one dose for the age on two days", 2), PARACETAMOL}},
     {4, 4, 2, 0, 0}, 40, 500, 100},
    {{ICD_CHOLERA, false, LN_STOOL_CULTURE, "Vibrio cholerae O1", 400,
      {ORS, TAKE(DOXYCYCLINE, "300 mg once", 1)}}, {1, 1, 1, 1, 1}, 5, 700, 600},
    {{ICD_MENINGITIS, true, LN_CSF_CULTURE, "Neisseria meningitidis", 600,
      {TAKE(CEFTRIAXONE, "100 mg/kg intravenously once a day", 5)}},
     {2, 1, 1, 1, 0}, 10, 600, 1000},
    {{ICD_DENGUE, true, LN_DENGUE_NS1, NULL, 300, {PARACETAMOL}}, {1, 2, 4, 4, 3}, 12, 700, 60},
};
/* clang-format on */

#define N_ACUTE ARRAY_LEN(acutes)

/* For each district, week and age group the running sums of the rates, times SCALE. */
struct acute_load {
    uint32_t (*sums)[AGE_GROUPS][N_ACUTE];
};

static void fill_week(const struct sim *s, struct rng *r, const struct district *d,
                      const uint32_t *level, unsigned week, uint32_t sums[AGE_GROUPS][N_ACUTE])
{
    int y, m, day;
    int64_t of_year;
    uint64_t run[AGE_GROUPS] = {0};

    clock_civil(s->start + (int64_t)week * 7, &y, &m, &day);
    of_year = (s->start + (int64_t)week * 7 - clock_days(y, 1, 1)) / 7;
    for (size_t i = 0; i < N_ACUTE; i++) {
        const struct acute *a = &acutes[i];
        bool is_malaria = a->illness.code == ICD_MALARIA || a->illness.code == ICD_MALARIA_SEVERE;
        int season =
            1000 + a->swing_permille * wave_permille(of_year - a->peak_week, YEAR_WEEKS) / 1000;
        uint64_t noise = (uint64_t)draw_range(r, 650, 1350);
        uint64_t factor = (uint64_t)season * noise / 1000 * level[i] / 1000;

        if (is_malaria)
            factor = factor * d->malaria_permille / 1000;
        for (int g = 0; g < AGE_GROUPS; g++) {
            run[g] += a->per_100k[g] * factor * SCALE / 1000;
            sums[g][i] = (uint32_t)run[g];
        }
    }
}

int acute_init(struct sim *s, struct rng *r, struct err *err)
{
    unsigned weeks = s->config->weeks;
    struct acute_load *load = ARENA_NEW(s->arena, struct acute_load);
    uint32_t level[N_ACUTE];

    if (!load)
        return err_no_memory(err);
    load->sums = arena_calloc(s->arena, s->country.n_districts * weeks, sizeof *load->sums);
    if (!load->sums)
        return err_no_memory(err);
    for (size_t d = 0; d < s->country.n_districts; d++) {
        for (size_t i = 0; i < N_ACUTE; i++)
            level[i] = (uint32_t)draw_range(r, 600, 1500);
        for (unsigned w = 0; w < weeks; w++)
            fill_week(s, r, &s->country.districts[d], level, w, load->sums[d * weeks + w]);
    }
    s->acute = load;
    return 0;
}

static void fall_ill(struct sim *s, const struct person *p, const struct acute *a, int64_t onset)
{
    struct rng *r = &s->rng;
    struct episode e = {.onset = onset};

    e.admitted = draw_permille(r, a->admit_permille);
    e.visit =
        onset + draw_wait(r, e.admitted ? SEEK_CARE_FURTHER / 2 : SEEK_CARE_FURTHER, SEEK_CARE_MAX);
    if (!e.admitted)
        e.visit = visit_day(r, e.visit);
    if (!alive(p, onset) || !alive(p, e.visit))
        return;
    outbreak_background(s, a->illness.code, onset);
    illness_write(s, p, &a->illness, &e);
}

void acute_write(struct sim *s, const struct person *p)
{
    unsigned weeks = s->config->weeks;

    for (unsigned w = 0; w < weeks; w++) {
        int64_t day = s->start + (int64_t)w * 7, onset;
        const uint32_t *sums;
        uint64_t at;
        size_t i = 0;

        if (p->birth >= day + 7)
            continue;
        if (day >= p->end)
            return;
        sums = s->acute->sums[s->district * weeks + w][age_group(p, MAX(day, p->birth))];
        at = rng_below(&s->rng, WHOLE) * 1000 / (uint64_t)p->frailty_permille;
        if (at >= sums[N_ACUTE - 1])
            continue;
        while (at >= sums[i])
            i++;
        onset = day + draw_range(&s->rng, 0, 6);
        fall_ill(s, p, &acutes[i], onset);
    }
}
