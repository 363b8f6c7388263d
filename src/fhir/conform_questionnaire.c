/* conform_questionnaire.c - what a Questionnaire has to keep besides R4's invariants: conditions
 * speak of questions that there are, options and initial values are such as the question may have.
 *
 * Source: http://hl7.org/fhir/R4/questionnaire.html, questionnaire-definitions.html.
 */
#include "fhir/conform_response_int.h"

#define OPTIONS_COMPARED 200 /* with each one behind them */

struct question {
    struct str link_id, type;
    size_t end; /* the first behind it that is not within it */
};

struct asking {
    struct conform *c;
    yyjson_val *root;
    struct question *all; /* in document order */
    size_t n;
};

static void say(const struct asking *k, enum issue_severity severity, const char *type,
                const struct place *at, const char *rule, const char *text)
{
    conform_say(k->c, severity, type, at, NULL, str_c(rule), "%s", text);
}

/* JSON's depth bounds how far items go into one another. */
static size_t count_items(yyjson_val *items)
{
    yyjson_val *v;
    size_t i, n, count = 0;

    yyjson_arr_foreach(items, i, n, v)
        count += 1 + count_items(js_get(v, "item"));
    return count;
}

static void list_items(struct asking *k, yyjson_val *items)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(items, i, n, v) {
        size_t at = k->n++;
        k->all[at] = (struct question){js_get_str(v, "linkId"), js_get_str(v, "type"), 0};
        list_items(k, js_get(v, "item"));
        k->all[at].end = k->n;
    }
}

/* ---- conditions ---- */

/* `own`: the question that has the condition. */
static void check_condition(const struct asking *k, size_t own, yyjson_val *when,
                            const struct place *at)
{
    struct place at_question = {at, STR("question"), -1}, at_answer = {at, STR("answer"), -1};
    struct str name = js_get_str(when, "question"), type = STR("");
    bool is_exists = str_eq(js_get_str(when, "operator"), STR("exists"));
    const struct question *found;
    size_t i = 0;

    if (!conform_steps(k->c, k->n / SCANS_A_STEP, at))
        return;
    while (i < k->n && !str_eq(k->all[i].link_id, name))
        i++;
    found = &k->all[i];
    if (i == k->n)
        say(k, ISSUE_ERROR, "not-found", &at_question, "enableWhen", "is not asked here");
    else if (i >= own && i < k->all[own].end)
        say(k, ISSUE_ERROR, "business-rule", &at_question, "enableWhen",
            "is the question itself, or one within it, which is not asked before this holds");
    else if (str_eq(found->type, STR("group")) || str_eq(found->type, STR("display")))
        say(k, ISSUE_WARNING, "business-rule", &at_question, "enableWhen",
            "has no answers of its own, so that this can never hold");
    else if (response_choice(when, STR("answer"), &type) && !is_exists &&
             !response_fits(found->type, type))
        say(k, ISSUE_WARNING, "business-rule", &at_answer, "enableWhen",
            "is of a type that no answer to the question has");
}

/* ---- options and initial values ---- */

static void check_values(const struct asking *k, yyjson_val *item, const char *list,
                         const struct place *up)
{
    struct str type = js_get_str(item, "type"), given;
    yyjson_val *v, *value, *other;
    size_t i, n, j, m;

    yyjson_arr_foreach(js_get(item, list), i, n, v) {
        struct place at = {up, str_c(list), (ptrdiff_t)i}, below = {&at, STR("value"), -1};
        value = response_choice(v, STR("value"), &given);
        if (value && !response_fits(type, given))
            say(k, ISSUE_ERROR, "structure", &below, list,
                "is of a type that an answer to the question cannot have");
        yyjson_arr_foreach(js_get(item, list), j, m, other) {
            struct str before;
            if (j >= MIN(i, (size_t)OPTIONS_COMPARED) || !value)
                break;
            if (response_is_same(response_choice(other, STR("value"), &before), value) &&
                str_eq(before, given)) {
                say(k, ISSUE_WARNING, "duplicate", &at, list, "is listed twice");
                break;
            }
        }
    }
}

static int check_set(const struct asking *k, yyjson_val *item, const struct place *up)
{
    const struct world *world = k->c->options->world;
    struct place at = {up, STR("answerValueSet"), -1};
    struct str url = js_get_str(item, "answerValueSet");
    yyjson_val *found = NULL, *v;
    size_t i, n;
    int r = 0;

    if (!url.n)
        return 0;
    if (url.p[0] == '#') {
        yyjson_arr_foreach(js_get(k->root, "contained"), i, n, v) {
            if (str_eq(js_get_str(v, "id"), str_from(url, 1)))
                return 0;
        }
        say(k, ISSUE_ERROR, "not-found", &at, "answerValueSet", "is contained nowhere");
        return 0;
    }
    if (world && world->canonical)
        r = world->canonical(world->ctx, k->c->a, def_resource(STR("ValueSet")), url, &found,
                             k->c->err);
    if (r >= 0 && !found && !conform_said(k->c, url))
        say(k, ISSUE_INFORMATION, "not-found", &at, "answerValueSet", "is not known here");
    return MIN(r, 0);
}

/* `*number`: of the question that comes next. */
static int check_items(const struct asking *k, yyjson_val *items, size_t *number,
                       const struct place *up)
{
    yyjson_val *v, *when;
    size_t i, n, j, m;
    int r = 0;

    yyjson_arr_foreach(items, i, n, v) {
        struct place at = {up, STR("item"), (ptrdiff_t)i};
        size_t own = (*number)++;
        if (r < 0 || !conform_step(k->c, &at))
            break;
        yyjson_arr_foreach(js_get(v, "enableWhen"), j, m, when) {
            struct place here = {&at, STR("enableWhen"), (ptrdiff_t)j};
            check_condition(k, own, when, &here);
        }
        check_values(k, v, "answerOption", &at);
        check_values(k, v, "initial", &at);
        r = check_set(k, v, &at);
        if (r >= 0)
            r = response_constraints_compile(k->c, v, &at);
        if (r >= 0)
            r = check_items(k, js_get(v, "item"), number, &at);
    }
    return r;
}

int conform_questionnaire(struct conform *c, yyjson_val *questionnaire, const struct place *at)
{
    yyjson_val *items = js_get(questionnaire, "item");
    struct asking k = {c, questionnaire, NULL, 0};
    size_t n = count_items(items), number = 0;
    int r;

    k.all = n ? ARENA_ARRAY(c->a, struct question, n) : NULL;
    if (n && !k.all)
        return err_no_memory(c->err);
    list_items(&k, items);
    r = response_constraints_compile(c, questionnaire, at);
    return r < 0 ? r : check_items(&k, items, &number, at);
}
