/* sdc_populate.c - a form filled from records: first what each question begins with, then what is
 * calculated of other answers, until nothing changes.
 */
#include "fhir/sdc_int.h"

#include "base/clock.h"

#include <stdlib.h>

#define PERIOD_DAYS_MAX 73000 /* two centuries */

static bool is_type(yyjson_val *question, const char *type)
{
    return str_eq(js_get_str(question, "type"), str_c(type));
}

static struct str where_of(struct sdc *s, yyjson_val *question)
{
    return sdc_where(s, "Questionnaire", js_get_str(question, "linkId"));
}

/* ---- what a question begins with ---- */

static int push(struct sdc *s, struct path_items *items, yyjson_val *v, const struct def_type *type,
                struct err *err)
{
    struct path_item *p =
        arena_grow(s->a, items->p, items->n * sizeof *p, (items->n + 1) * sizeof *p);

    if (!p)
        return err_no_memory(err);
    items->p = p;
    items->p[items->n++] = (struct path_item){.kind = PATH_ELEMENT, .v = v, .type = type};
    items->cap = items->n;
    return 0;
}

/* item.initial, and the options that are chosen at first. */
static int stated(struct sdc *s, yyjson_val *question, struct path_items *ret, struct err *err)
{
    yyjson_val *v, *value;
    struct str type;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(question, "initial"), i, n, v) {
        value = response_choice(v, STR("value"), &type);
        if (r >= 0 && value)
            r = push(s, ret, value, response_type(type), err);
    }
    yyjson_arr_foreach(js_get(question, "answerOption"), i, n, v) {
        value = response_choice(v, STR("value"), &type);
        if (r >= 0 && value && yyjson_get_bool(js_get(v, "initialSelected")))
            r = push(s, ret, value, response_type(type), err);
    }
    return r;
}

/* "2025-01-31": a Duration before now; false where it is none that is understood. */
static bool since(struct sdc *s, yyjson_val *period, char ret[CLOCK_INSTANT_MAX])
{
    static const struct {
        const char *code;
        double days;
    } units[] = {{"h", 1.0 / 24}, {"d", 1}, {"wk", 7}, {"mo", 30.4375}, {"a", 365.25}};
    struct str code = js_get_str(period, "code"), value = js_str(js_get(period, "value"));
    char number[32];

    if (!value.n || value.n >= sizeof number)
        return false;
    memcpy(number, value.p, value.n);
    number[value.n] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        double days = strtod(number, NULL) * units[i].days;
        if (!str_eq(code, str_c(units[i].code)) || !(days > 0 && days < PERIOD_DAYS_MAX))
            continue;
        clock_format(s->now_ms + s->tz_minutes * 60000LL - (int64_t)(days * 86400000), ret);
        ret[strlen("2025-01-31")] = '\0';
        return true;
    }
    return false;
}

/* The newest observation with the question's code, within the period. */
static int observed(struct sdc *s, yyjson_val *question, struct str subject, yyjson_val *period,
                    struct path_items *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb query = sb_make(SDC_QUERY_MAX);
    struct str where = where_of(s, question), type;
    yyjson_val *coding = yyjson_arr_get_first(js_get(question, "code")), *found, *value;
    char from[CLOCK_INSTANT_MAX];
    int r;

    if (!where.p)
        return err_no_memory(err);
    if (!coding || !subject.n || !since(s, period, from)) {
        issues_add(s->issues, ISSUE_WARNING, "invalid", where,
                   "observations are looked for by a code, a subject, and a period in h, d, wk, mo "
                   "or a");
        return s->issues->no_memory ? err_no_memory(err) : 0;
    }
    sb_lit(&query, "Observation?status=final,amended,corrected&_sort=-date&_count=1&subject=");
    sb_uri(&query, subject);
    sb_fmt(&query, "&date=ge%s&code=", from);
    sb_uri(&query, js_get_str(coding, "system"));
    sb_lit(&query, "%7C");
    sb_uri(&query, js_get_str(coding, "code"));
    if ((r = sb_ok(&query, err)) < 0 || (r = sdc_ask(s, sb_view(&query), where, &found, err)) <= 0)
        return r;
    value = response_choice(sdc_first(found), STR("value"), &type);
    return value ? push(s, ret, value, response_type(type), err) : 0;
}

static int begins_with(struct sdc *s, yyjson_val *question, struct str subject,
                       struct path_items *ret, struct err *err)
{
    yyjson_val *expression = response_extension(question, SDC("initialExpression"));
    yyjson_val *period = response_extension(question, SDC("observationLinkPeriod"));
    struct str where = where_of(s, question);

    if (!where.p)
        return err_no_memory(err);
    if (expression)
        return sdc_evaluate(s, expression, NULL, where, ret, err);
    return period ? observed(s, question, subject, period, ret, err)
                  : stated(s, question, ret, err);
}

/* ---- writing ---- */

struct filling {
    struct sdc *s;
    struct str subject;
    struct sb *out;
    struct err *err;
    bool calculates; /* some question is */
};

static int write_items(struct filling *f, yyjson_val *questions);

static void write_name(struct filling *f, yyjson_val *question)
{
    sb_lit(f->out, "{\"linkId\":");
    sb_json(f->out, js_get_str(question, "linkId"));
    if (js_get_str(question, "text").n) {
        sb_lit(f->out, ",\"text\":");
        sb_json(f->out, js_get_str(question, "text"));
    }
}

/* What a filled question has more than it may, or of another type, is told. */
static int say(struct filling *f, yyjson_val *question, const char *text)
{
    struct str where = where_of(f->s, question);

    if (!where.p)
        return err_no_memory(f->err);
    issues_add(f->s->issues, ISSUE_WARNING, "value", where, "%s", text);
    return f->s->issues->no_memory ? err_no_memory(f->err) : 0;
}

/* With the items below the question in each answer. */
static int write_answers(struct filling *f, yyjson_val *question, const struct path_items *items)
{
    size_t most = yyjson_get_bool(js_get(question, "repeats")) ? items->n : MIN(items->n, 1u);
    bool any = false;
    int r = 0;

    for (size_t i = 0; i < most && r >= 0; i++) {
        size_t before = f->out->n;
        sb_str(f->out, any ? STR(",{") : STR(",\"answer\":[{"));
        r = sdc_answer(f->s, question, &items->p[i], f->out, f->err);
        if (r == 0) {
            f->out->n = f->out->failed ? f->out->n : before;
            r = say(f, question, "what was found does not fit the type of the question");
            continue;
        }
        any = true;
        if (r > 0)
            r = write_items(f, js_get(question, "item"));
        sb_char(f->out, '}');
    }
    if (any)
        sb_char(f->out, ']');
    if (r >= 0 && most < items->n)
        r = say(f, question, "several values were found, and the first was taken");
    return r;
}

static int write_question(struct filling *f, yyjson_val *question)
{
    bool is_calculated = response_extension(question, SDC("calculatedExpression")) != NULL;
    struct path_items items = {0};
    int r = is_calculated || is_type(question, "display")
                ? 0
                : begins_with(f->s, question, f->subject, &items, f->err);

    f->calculates |= is_calculated;
    if (r < 0)
        return r;
    write_name(f, question);
    r = write_answers(f, question, &items);
    sb_char(f->out, '}');
    return r;
}

static int write_group(struct filling *f, yyjson_val *question, struct str name,
                       const struct path_items *context)
{
    size_t n_variables = f->s->n_variables;
    struct str where = where_of(f->s, question);
    int r = where.p ? sdc_count(f->s, f->err) : err_no_memory(f->err);

    if (r >= 0 && name.n)
        r = sdc_define(f->s, name, context, f->err);
    if (r >= 0)
        r = sdc_variables(f->s, question, NULL, where, f->err);
    if (r >= 0) {
        write_name(f, question);
        r = write_items(f, js_get(question, "item"));
        sb_char(f->out, '}');
    }
    f->s->n_variables = n_variables;
    return r;
}

/* A group that repeats is there once for each item of its context, and once without any. */
static int write_groups(struct filling *f, yyjson_val *question)
{
    yyjson_val *expression = response_extension(question, SDC("itemPopulationContext"));
    struct str name = js_get_str(expression, "name"), where = where_of(f->s, question);
    bool repeats = yyjson_get_bool(js_get(question, "repeats"));
    struct path_items items = {0};
    int r = 0;

    if (!where.p)
        return err_no_memory(f->err);
    if (expression && (r = sdc_evaluate(f->s, expression, NULL, where, &items, f->err)) < 0)
        return r;
    if (!repeats || items.n < 2)
        return write_group(f, question, name, &items);
    for (size_t i = 0; i < items.n && r >= 0; i++) {
        struct path_items one = {&items.p[i], 1, 1};
        if (i)
            sb_char(f->out, ',');
        r = write_group(f, question, name, &one);
    }
    return r;
}

static int write_items(struct filling *f, yyjson_val *questions)
{
    yyjson_val *question;
    bool any = false;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(questions, i, n, question) {
        if ((r = sdc_count(f->s, f->err)) < 0)
            return r;
        sb_str(f->out, any ? STR(",") : STR(",\"item\":["));
        any = true;
        r = is_type(question, "group") ? write_groups(f, question) : write_question(f, question);
        if (r < 0)
            return r;
    }
    if (any)
        sb_char(f->out, ']');
    return 0;
}

static int write_head(struct filling *f)
{
    yyjson_val *form = f->s->questionnaire;
    struct str url = js_get_str(form, "url"), version = js_get_str(form, "version");
    struct str canonical =
        url.n ? url : arena_fmt(f->s->a, "Questionnaire/%.*s", STR_ARG(js_get_str(form, "id")));

    if (url.n && version.n)
        canonical = arena_join(f->s->a, (const struct str[]){url, STR("|"), version}, 3);
    if (!canonical.p)
        return err_no_memory(f->err);
    sb_lit(f->out, "{\"resourceType\":\"QuestionnaireResponse\",\"questionnaire\":");
    sb_json(f->out, canonical);
    sb_lit(f->out, ",\"status\":\"in-progress\"");
    if (f->subject.n) {
        sb_lit(f->out, ",\"subject\":{\"reference\":");
        sb_json(f->out, f->subject);
        sb_char(f->out, '}');
    }
    return 0;
}

/* ---- calculated values ---- */

/* Writes a response anew, calculated answers by what it has now. */
static int again(struct filling *f, yyjson_val *questions, yyjson_val *items);

static int again_answers(struct filling *f, yyjson_val *question, yyjson_val *item)
{
    struct str type = STR_NULL;
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(item, "answer"), i, n, v) {
        yyjson_val *value = response_choice(v, STR("value"), &type);
        if (r < 0)
            break;
        sb_str(f->out, i ? STR(",{") : STR(",\"answer\":[{"));
        sb_fmt(f->out, "\"value%.*s\":", STR_ARG(type));
        js_write(f->out, value);
        r = again(f, js_get(question, "item"), js_get(v, "item"));
        sb_char(f->out, '}');
    }
    if (i)
        sb_char(f->out, ']');
    return r;
}

static int again_item(struct filling *f, yyjson_val *question, yyjson_val *item)
{
    yyjson_val *expression = response_extension(question, SDC("calculatedExpression"));
    struct path_item focus = path_root(f->s->response);
    struct str where = where_of(f->s, question);
    size_t n_variables = f->s->n_variables;
    struct path_items items = {0};
    int r;

    if (!where.p)
        return err_no_memory(f->err);
    r = sdc_variables(f->s, question, &focus, where, f->err);
    write_name(f, question);
    if (r >= 0 && expression) {
        r = sdc_evaluate(f->s, expression, &focus, where, &items, f->err);
        r = r < 0 ? r : write_answers(f, question, &items);
    } else if (r >= 0) {
        r = again_answers(f, question, item);
    }
    if (r >= 0)
        r = again(f, js_get(question, "item"), js_get(item, "item"));
    sb_char(f->out, '}');
    f->s->n_variables = n_variables;
    return r;
}

static int again(struct filling *f, yyjson_val *questions, yyjson_val *items)
{
    struct sdc_level level = sdc_level_of(questions);
    yyjson_val *item, *question;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(items, i, n, item) {
        if (r < 0)
            break;
        sb_str(f->out, i ? STR(",") : STR(",\"item\":["));
        r = sdc_question(f->s, &level, js_get_str(item, "linkId"), &question, f->err);
        if (r >= 0)
            r = again_item(f, question, item);
    }
    if (i)
        sb_char(f->out, ']');
    return MIN(r, 0);
}

/* Until a round changes nothing. What rounds before the last had to say is said again by it. */
static int calculate(struct filling *f)
{
    struct issues before = *f->s->issues;
    int r = 0;

    for (int round = 0; round < SDC_ROUNDS_MAX; round++) {
        _cleanup_(sb_done) struct sb last = sb_make(SDC_RESPONSE_MAX);
        sb_str(&last, sb_view(f->out));
        sb_reset(f->out);
        *f->s->issues = before;
        if (before.last)
            before.last->next = NULL;
        f->s->n_items = 0;
        if ((r = sb_ok(&last, f->err)) < 0 ||
            (r = js_parse_stored(f->s->a, sb_view(&last), &f->s->response, f->err)) < 0 ||
            (r = write_head(f)) < 0 ||
            (r = again(f, js_get(f->s->questionnaire, "item"), js_get(f->s->response, "item"))) < 0)
            return r;
        sb_char(f->out, '}');
        if ((r = sb_ok(f->out, f->err)) < 0)
            return r;
        if (str_eq(sb_view(f->out), sb_view(&last)))
            return 0;
    }
    issues_add(f->s->issues, ISSUE_WARNING, "processing", STR("Questionnaire"),
               "calculated values still changed after %d rounds", SDC_ROUNDS_MAX);
    return f->s->issues->no_memory ? err_no_memory(f->err) : 0;
}

int sdc_populate(struct sdc *s, yyjson_val *questionnaire, struct str subject,
                 const struct path_variable *given, size_t n_given, struct sb *out, struct err *err)
{
    struct filling f = {.s = s, .subject = subject, .out = out, .err = err};
    struct path_item form = path_root(questionnaire);
    struct path_items itself = {&form, 1, 1};
    int r;

    s->questionnaire = questionnaire;
    s->response = NULL;
    r = sdc_define(s, STR("questionnaire"), &itself, err);
    for (size_t i = 0; i < n_given && r >= 0; i++)
        r = sdc_define(s, given[i].name, &given[i].items, err);
    if (r < 0 || (r = sdc_variables(s, questionnaire, NULL, STR("Questionnaire"), err)) < 0 ||
        (r = write_head(&f)) < 0 || (r = write_items(&f, js_get(questionnaire, "item"))) < 0)
        return r;
    sb_char(out, '}');
    r = sb_ok(out, err);
    return r < 0 || !f.calculates ? r : calculate(&f);
}
