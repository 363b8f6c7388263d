#include "surveillance/tally.h"

#define AGE_MAX 150

/* Which of `words` (blanks between them) the value is. */
static int take_word(struct str name, struct str value, const char *words, int *ret,
                     struct err *err)
{
    struct str rest = str_c(words), word;

    for (*ret = 0; str_split(&rest, ' ', &word); ++*ret)
        if (str_eq(word, value))
            return 0;
    return err_set(err, ERR_VALUE, "\"%.*s\" must be one of: %s", STR_ARG(name), words);
}

static int take_day(struct str name, struct str value, int32_t *ret, struct err *err)
{
    *ret = value.n == STR("2026-01-31").n ? records_day(value) : DAY_UNKNOWN;
    return *ret != DAY_UNKNOWN
               ? 0
               : err_set(err, ERR_VALUE, "\"%.*s\" must be a day, YYYY-MM-DD, not \"%.*s\"",
                         STR_ARG(name), (int)MIN(value.n, 40u), value.p);
}

static int take_ages(struct tally_question *q, struct str rest, struct err *err)
{
    struct str part;
    uint64_t years;

    q->by_age = true;
    q->n_ages = 0;
    while (str_split(&rest, ',', &part)) {
        if (!str_to_u64(part, AGE_MAX, &years) || q->n_ages == TALLY_AGES_MAX ||
            years <= (q->n_ages ? q->ages[q->n_ages - 1] : 0))
            return err_set(err, ERR_VALUE,
                           "\"ages\" must be up to %d rising numbers of years from 1 to %d",
                           TALLY_AGES_MAX, AGE_MAX);
        q->ages[q->n_ages++] = (unsigned)years;
    }
    return 0;
}

static int take_disease(const struct case_definitions *all, struct tally_question *q,
                        struct str name, struct err *err)
{
    const struct case_definition *d = case_definition_find(all, name);

    if (!d)
        return err_set(err, ERR_VALUE, "no disease \"%.*s\" is defined", (int)MIN(name.n, 100u),
                       name.p);
    for (size_t i = 0; i < q->n_diseases; i++)
        if (q->diseases[i] == d - all->v)
            return 0;
    q->diseases[q->n_diseases++] = (uint16_t)(d - all->v);
    return 0;
}

static int take_flag(struct str name, struct str value, bool *ret, struct err *err)
{
    int n = 0, r = take_word(name, value, "false true", &n, err);

    *ret = n == 1;
    return r;
}

int tally_ask(const struct case_definitions *all, struct tally_question *q, struct str name,
              struct str value, struct err *err)
{
    int n = 0, r;

    if (str_eq(name, STR("disease")))
        return take_disease(all, q, value, err);
    if (str_eq(name, STR("ages")))
        return take_ages(q, value, err);
    if (str_eq(name, STR("sex")))
        return take_flag(name, value, &q->by_sex, err);
    if (str_eq(name, STR("deaths")))
        return take_flag(name, value, &q->deaths, err);
    if (str_eq(name, STR("from")))
        return take_day(name, value, &q->from, err);
    if (str_eq(name, STR("to")))
        return take_day(name, value, &q->to, err);
    if (str_eq(name, STR("place"))) {
        q->level = value;
        return value.n ? 0 : err_set(err, ERR_VALUE, "\"place\" must be a type of Location");
    }
    if (str_eq(name, STR("location"))) {
        q->location = str_starts(value, STR("Location/")) ? str_from(value, 9) : value;
        return q->location.n ? 0 : err_set(err, ERR_VALUE, "\"location\" must be a Location's id");
    }
    if (str_eq(name, STR("class"))) {
        q->class = case_class_of(value);
        return q->class != CASE_NONE
                   ? 0
                   : take_word(name, value, "suspected probable discarded confirmed", &n, err);
    }
    if (str_eq(name, STR("period"))) {
        r = take_word(name, value, "day week month", &n, err);
        q->period = (enum tally_period)n;
        return r;
    }
    if (str_eq(name, STR("week-start"))) {
        r = take_word(name, value, "monday tuesday wednesday thursday friday saturday sunday", &n,
                      err);
        q->week_start = (unsigned)n;
        return r;
    }
    if (str_eq(name, STR("at"))) {
        r = take_word(name, value, "facility residence exposure", &n, err);
        q->at = (enum case_at)n;
        return r;
    }
    if (str_eq(name, STR("date"))) {
        r = take_word(name, value, "onset consultation report", &n, err);
        q->by = (enum case_date)n;
        return r;
    }
    return err_set(err, ERR_NOT_SUPPORTED, "a count cannot be asked for by \"%.*s\"",
                   (int)MIN(name.n, 40u), name.p);
}

void tally_question_init(struct tally_question *q)
{
    *q = (struct tally_question){.period = TALLY_WEEKS, .from = DAY_UNKNOWN, .to = DAY_UNKNOWN};
}

void tally_ask_all(const struct case_definitions *all, struct tally_question *q)
{
    for (size_t i = 0; !q->n_diseases && i < all->n; i++)
        q->diseases[i] = (uint16_t)i;
    if (!q->n_diseases)
        q->n_diseases = all->n;
}
