/* conform_constraint.c - a response against what its questionnaire, or a question of it, asks of it
 * in FHIRPath: the extension questionnaire-constraint. The focus is the QuestionnaireResponse, or
 * the item that answers the question; %questionnaire and %qitem are what asks.
 *
 * Such an expression is compiled where it is met: few questionnaires have any, and a questionnaire
 * that a response brings with it is whatever its sender likes, so that steps are counted.
 * Source: http://hl7.org/fhir/R4/extension-questionnaire-constraint.html.
 */
#include "fhir/conform_response_int.h"

#define CONSTRAINT STR("http://hl7.org/fhir/StructureDefinition/questionnaire-constraint")

struct constraint {
    struct str key, human, expression;
    enum issue_severity severity;
};

static struct constraint read_constraint(yyjson_val *extension)
{
    struct constraint ret = {.severity = ISSUE_ERROR};
    yyjson_val *v, *value;
    struct str type;
    size_t i, n;

    yyjson_arr_foreach(js_get(extension, "extension"), i, n, v) {
        struct str name = js_get_str(v, "url");
        value = response_choice(v, STR("value"), &type);
        if (str_eq(name, STR("key")))
            ret.key = js_str(value);
        else if (str_eq(name, STR("human")))
            ret.human = js_str(value);
        else if (str_eq(name, STR("expression")))
            ret.expression = js_str(value);
        else if (str_eq(name, STR("severity")) && str_eq(js_str(value), STR("warning")))
            ret.severity = ISSUE_WARNING;
    }
    return ret;
}

static struct path_items one_item(const struct path_item *item)
{
    return (struct path_items){(struct path_item *)(uintptr_t)item, 1, 1};
}

/* 1, 0, EVALUATED_EMPTY, or negative with `why`. */
static int evaluate(struct response *r, yyjson_val *question, const struct constraint *rule,
                    const struct item *item, unsigned *steps, struct err *why)
{
    struct path_item asks = path_root(r->questionnaire), asked = path_json(question);
    const struct path_variable variables[] = {{STR("questionnaire"), one_item(&asks)},
                                              {STR("qitem"), one_item(&asked)}};
    struct path_env env = {.variables = variables, .n_variables = question ? 2 : 1};
    const struct path *path;
    int result;

    asked.type = element_of(asks.type, STR("item"))->types[0];
    result = path_compile(r->c->scratch, rule->expression, item->type, &path, why);
    if (result < 0) {
        arena_reset(r->c->scratch);
        return result;
    }
    result = conform_evaluate_in(r->c, path, &env, item, r->scope, why);
    *steps = env.steps;
    return result;
}

static int check(struct response *r, yyjson_val *question, const struct constraint *rule,
                 const struct item *item, const struct place *at)
{
    struct str what = rule->human.n ? rule->human : rule->expression;
    struct err why = {0};
    unsigned steps = 0;
    int result = evaluate(r, question, rule, item, &steps, &why);

    if (result == ERR_NO_MEMORY)
        return err_no_memory(r->c->err);
    if (!conform_steps(r->c, steps / SCANS_A_STEP, at))
        return 0;
    if (result < 0)
        conform_say(r->c, ISSUE_WARNING, err_issue_type(result), at, NULL, rule->key,
                    "could not be held to %.*s of the questionnaire: %s", STR_ARG(rule->key),
                    why.text);
    else if (result != 1)
        conform_say(r->c, r->is_finished ? rule->severity : ISSUE_INFORMATION, "invariant", at,
                    NULL, rule->key, "does not hold to %.*s of the questionnaire: %.*s",
                    STR_ARG(rule->key), (int)MIN(what.n, (size_t)ERR_TEXT_MAX / 2), what.p);
    return 0;
}

int response_constraints_compile(struct conform *c, yyjson_val *of, const struct place *at)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(of, "extension"), i, n, v) {
        struct place here = {at, STR("extension"), (ptrdiff_t)i};
        const struct path *path;
        struct err why = {0};
        struct str text = read_constraint(v).expression;
        int r;

        if (!str_eq(js_get_str(v, "url"), CONSTRAINT) || !text.n)
            continue;
        r = path_compile(c->scratch, text, NULL, &path, &why);
        arena_reset(c->scratch);
        if (r == ERR_NO_MEMORY)
            return err_no_memory(c->err);
        if (r < 0)
            conform_say(c, ISSUE_ERROR, "value", &here, NULL, STR("expression"),
                        "is no FHIRPath: %s", why.text);
    }
    return 0;
}

int response_constraints(struct response *r, yyjson_val *question, const struct item *item,
                         const struct place *at)
{
    yyjson_val *v;
    size_t i, n;
    int result = 0;

    yyjson_arr_foreach(js_get(question ? question : r->questionnaire, "extension"), i, n, v) {
        struct constraint rule;
        if (!str_eq(js_get_str(v, "url"), CONSTRAINT))
            continue;
        rule = read_constraint(v);
        if (result < 0 || !rule.expression.n ||
            !conform_steps(r->c, 1 + rule.expression.n / SCANS_A_STEP, at))
            break;
        result = check(r, question, &rule, item, at);
    }
    return result;
}
