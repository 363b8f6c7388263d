/* conform_response.c - a QuestionnaireResponse against its Questionnaire: the items that are there,
 * those that have to be, and their answers.
 *
 * Source: http://hl7.org/fhir/R4/questionnaireresponse.html, questionnaire.html.
 */
#include "fhir/conform_response_int.h"

#include "fhir/defs.h"

/* JSON's depth bounds how far items go into one another. */
static int check_items(struct response *r, yyjson_val *asked, yyjson_val *given,
                       const struct place *at);

void response_say(struct response *r, enum issue_severity severity, const char *type,
                  const struct place *at, struct str link_id, const char *text)
{
    conform_say(r->c, severity, type, at, NULL, link_id, "%s (linkId %.*s of %.*s)", text,
                (int)MIN(link_id.n, 100u), link_id.n ? link_id.p : "", STR_ARG(r->url));
}

static yyjson_val *item_named(yyjson_val *items, struct str link_id)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(items, i, n, v) {
        if (str_eq(js_get_str(v, "linkId"), link_id))
            return v;
    }
    return NULL;
}

static bool is_type(yyjson_val *question, const char *type)
{
    return str_eq(js_get_str(question, "type"), str_c(type));
}

/* ---- enableWhen ---- */

/* The value[x] of an answer, an option or a condition ("answer" for enableWhen). */
static yyjson_val *choice(yyjson_val *of, struct str stem, struct str *ret_type)
{
    yyjson_val *key, *val;
    size_t i, n;

    yyjson_obj_foreach(of, i, n, key, val) {
        struct str name = js_str(key);
        if (name.n > stem.n && str_starts(name, stem) && name.p[stem.n] <= 'Z') {
            *ret_type = str_from(name, stem.n);
            return val;
        }
    }
    return NULL;
}

const struct def_type *response_type(struct str name)
{
    const struct def_type *t = def_type(name);
    char lower[32];

    if (t || !name.n || name.n > sizeof lower)
        return t;
    memcpy(lower, name.p, name.n);
    lower[0] = (char)(lower[0] | 32);
    return def_type(str_n(lower, name.n));
}

/* Codes are the same by system and code, everything else by what it says. */
static bool is_same_value(yyjson_val *a, yyjson_val *b)
{
    if (!yyjson_is_obj(a) || !yyjson_is_obj(b) || !js_get(a, "code"))
        return value_is_fixed(a, b);
    return str_eq(js_get_str(a, "code"), js_get_str(b, "code")) &&
           str_eq(js_get_str(a, "system"), js_get_str(b, "system")) &&
           (!js_get(a, "value") || value_is_fixed(js_get(a, "value"), js_get(b, "value")));
}

static bool is_met(struct str operator, yyjson_val * answer, yyjson_val *wanted, struct str type)
{
    const struct def_type *t = response_type(type);
    int order = t && answer ? value_compare(answer, wanted, t) : 2;

    if (str_eq(operator, STR("=")))
        return is_same_value(answer, wanted);
    if (str_eq(operator, STR("!=")))
        return !is_same_value(answer, wanted);
    if (order == 2)
        return false;
    return str_eq(operator, STR(">"))    ? order > 0
           : str_eq(operator, STR("<"))  ? order < 0
           : str_eq(operator, STR(">=")) ? order >= 0
                                         : order <= 0;
}

struct condition {
    struct str question, operator, type;
    yyjson_val *wanted;
    bool has_answer, is_met;
};

/* Whether an answer to the question, anywhere in the response, meets the condition. */
static void meet(struct condition *k, yyjson_val *items)
{
    yyjson_val *item, *answer;
    size_t i, n, j, m;

    yyjson_arr_foreach(items, i, n, item) {
        bool is_ours = str_eq(js_get_str(item, "linkId"), k->question);
        meet(k, js_get(item, "item"));
        yyjson_arr_foreach(js_get(item, "answer"), j, m, answer) {
            struct str type;
            yyjson_val *v = choice(answer, STR("value"), &type);
            meet(k, js_get(answer, "item"));
            if (!is_ours || !v)
                continue;
            k->has_answer = true;
            k->is_met |= k->wanted && is_met(k->operator, v, k->wanted, k->type);
        }
    }
}

static bool condition_holds(const struct response *r, yyjson_val *when)
{
    struct condition k = {.question = js_get_str(when, "question"),
                          .operator= js_get_str(when, "operator")};

    k.wanted = choice(when, STR("answer"), &k.type);
    meet(&k, js_get(r->root, "item"));
    if (str_eq(k.operator, STR("exists")))
        return k.has_answer == yyjson_get_bool(k.wanted);
    return k.is_met;
}

static bool is_enabled(const struct response *r, yyjson_val *question)
{
    yyjson_val *list = js_get(question, "enableWhen"), *v;
    bool is_any = !str_eq(js_get_str(question, "enableBehavior"), STR("all"));
    size_t i, n;

    if (!yyjson_arr_size(list))
        return true;
    yyjson_arr_foreach(list, i, n, v) {
        if (condition_holds(r, v) == is_any)
            return is_any;
    }
    return !is_any;
}

/* ---- answers ---- */

/* The types that a question's answers may have. */
static bool fits_type(struct str question, struct str answer)
{
    static const struct {
        const char *question, *answers;
    } types[] = {{"boolean", "Boolean"},
                 {"decimal", "Decimal Integer"},
                 {"integer", "Integer"},
                 {"date", "Date"},
                 {"dateTime", "DateTime"},
                 {"time", "Time"},
                 {"string", "String"},
                 {"text", "String"},
                 {"url", "Uri"},
                 {"choice", "Coding Date Time Integer String Reference"},
                 {"open-choice", "Coding Date Time Integer String Reference"},
                 {"attachment", "Attachment"},
                 {"reference", "Reference"},
                 {"quantity", "Quantity"}};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct str list = str_c(types[i].answers), one;
        while (str_eq(question, str_c(types[i].question)) && str_split(&list, ' ', &one))
            if (str_eq(one, answer))
                return true;
    }
    return false;
}

static bool is_option(yyjson_val *question, yyjson_val *v)
{
    yyjson_val *option;
    struct str type;
    size_t i, n;

    yyjson_arr_foreach(js_get(question, "answerOption"), i, n, option) {
        if (is_same_value(choice(option, STR("value"), &type), v))
            return true;
    }
    return false;
}

static int check_value_set(struct response *r, yyjson_val *question, yyjson_val *v,
                           const struct place *at)
{
    struct profile_binding binding = {.strength = is_type(question, "open-choice") ? DEF_PREFERRED
                                                                                   : DEF_REQUIRED,
                                      .value_set = js_get_str(question, "answerValueSet")};
    struct item item = {.v = v, .type = def_type(STR("Coding")), .index = -1};

    return conform_binding(r->c, NULL, js_get_str(question, "linkId"), &binding, &item, at);
}

static int check_answer(struct response *r, yyjson_val *question, yyjson_val *answer,
                        const struct place *at)
{
    struct str link_id = js_get_str(question, "linkId"), type = STR("");
    struct str max = js_str(js_get(question, "maxLength"));
    yyjson_val *v = choice(answer, STR("value"), &type);
    bool is_open = is_type(question, "open-choice") && str_eq(type, STR("String"));
    uint64_t length;
    int result;

    if (!v)
        return 0; /* the reason why may be there */
    if (!fits_type(js_get_str(question, "type"), type)) {
        response_say(r, ISSUE_ERROR, "structure", at, link_id,
                     "has an answer of another type than asked");
        return 0;
    }
    if (max.n && str_to_u64(max, INT32_MAX, &length) && value_length(v) > length)
        response_say(r, ISSUE_ERROR, "too-long", at, link_id,
                     "is longer than the questionnaire allows");
    if (js_get(question, "answerOption") && !is_open && !is_option(question, v))
        response_say(r, ISSUE_ERROR, "code-invalid", at, link_id, "is none of the answers offered");
    result = response_answer(r, question, v, type, at);
    return result >= 0 && js_get(question, "answerValueSet") && str_eq(type, STR("Coding"))
               ? check_value_set(r, question, v, at)
               : result;
}

static int check_answers(struct response *r, yyjson_val *question, yyjson_val *item,
                         const struct place *at)
{
    yyjson_val *list = js_get(item, "answer"), *v;
    int result = 0;
    size_t i, n;

    yyjson_arr_foreach(list, i, n, v) {
        struct place here = {at, STR("answer"), (ptrdiff_t)i};
        if (result >= 0)
            result = check_answer(r, question, v, &here);
        if (result >= 0)
            result = check_items(r, js_get(question, "item"), js_get(v, "item"), &here);
    }
    return result;
}

/* ---- items ---- */

static int check_item(struct response *r, yyjson_val *question, yyjson_val *item,
                      const struct place *at)
{
    struct str link_id = js_get_str(question, "linkId");
    size_t n_answers = yyjson_arr_size(js_get(item, "answer"));

    if (!conform_step(r->c, at))
        return 0;
    if ((is_type(question, "group") || is_type(question, "display")) && n_answers)
        response_say(r, ISSUE_ERROR, "structure", at, link_id, "has an answer, but is no question");
    if (n_answers > 1 && !yyjson_get_bool(js_get(question, "repeats")))
        response_say(r, ISSUE_ERROR, "structure", at, link_id,
                     "has several answers, but does not repeat");
    if (!is_type(question, "group"))
        response_occurs(r, question, n_answers, at);
    if (n_answers && !is_enabled(r, question))
        response_say(r, ISSUE_ERROR, "business-rule", at, link_id,
                     "is answered, but is not asked after what else was answered");
    if (is_type(question, "group"))
        return check_items(r, js_get(question, "item"), js_get(item, "item"), at);
    if (js_get(item, "item"))
        response_say(r, ISSUE_ERROR, "structure", at, link_id,
                     "has items of its own, which belong to its answers");
    return check_answers(r, question, item, at);
}

static size_t count_named(yyjson_val *given, struct str link_id, bool *ret_answered)
{
    yyjson_val *v;
    size_t i, n, count = 0;

    *ret_answered = false;
    yyjson_arr_foreach(given, i, n, v) {
        if (!str_eq(js_get_str(v, "linkId"), link_id))
            continue;
        count++;
        *ret_answered |= js_get(v, "answer") || js_get(v, "item");
    }
    return count;
}

/* What the questionnaire asks for, and is not there, or is there too often. */
static void check_counts(struct response *r, yyjson_val *asked, yyjson_val *given,
                         const struct place *at)
{
    yyjson_val *question;
    size_t i, n;

    yyjson_arr_foreach(asked, i, n, question) {
        struct str link_id = js_get_str(question, "linkId");
        bool is_answered, is_group = is_type(question, "group");
        size_t count = count_named(given, link_id, &is_answered);
        if (!is_answered && yyjson_get_bool(js_get(question, "required")) &&
            is_enabled(r, question))
            response_say(r, r->is_finished ? ISSUE_ERROR : ISSUE_INFORMATION, "required", at,
                         link_id, "has no answer to a required question");
        if (is_group)
            response_occurs(r, question, count, at);
        if (count > 1 && !(is_group && yyjson_get_bool(js_get(question, "repeats"))))
            response_say(r, ISSUE_ERROR, "structure", at, link_id, "has an item more than once");
    }
}

static size_t place_of(yyjson_val *asked, yyjson_val *question)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(asked, i, n, v) {
        if (v == question)
            return i;
    }
    return 0;
}

static int check_items(struct response *r, yyjson_val *asked, yyjson_val *given,
                       const struct place *at)
{
    yyjson_val *item;
    size_t i, n, last = 0;
    int result = 0;

    yyjson_arr_foreach(given, i, n, item) {
        struct place here = {at, STR("item"), (ptrdiff_t)i};
        struct str link_id = js_get_str(item, "linkId");
        yyjson_val *question = item_named(asked, link_id);
        if (result < 0)
            break;
        if (!question) {
            response_say(r, ISSUE_ERROR, "not-found", &here, link_id, "is not asked here");
            continue;
        }
        if (place_of(asked, question) < last)
            response_say(r, ISSUE_ERROR, "structure", &here, link_id,
                         "stands behind what comes after it");
        last = MAX(last, place_of(asked, question));
        result = check_item(r, question, item, &here);
    }
    if (result >= 0)
        check_counts(r, asked, given, at);
    return result;
}

/* ---- the whole ---- */

static int find_questionnaire(struct response *r, yyjson_val **ret)
{
    const struct world *world = r->c->options->world;
    enum found_in in;
    struct scope there;

    *ret = NULL;
    if (r->url.n && r->url.p[0] == '#')
        return resolve(r->c, r->scope, r->url, ret, &in, &there);
    if (!world || !world->canonical)
        return 0;
    if (str_find(r->url, ':') < 0 && world->reference)
        return world->reference(world->ctx, r->c->a, r->url, ret, r->c->err);
    return world->canonical(world->ctx, r->c->a, def_resource(STR("Questionnaire")), r->url, ret,
                            r->c->err);
}

int conform_response(struct conform *c, yyjson_val *response, const struct scope *scope,
                     const struct place *at)
{
    struct str status = js_get_str(response, "status");
    struct response r = {.c = c,
                         .scope = scope,
                         .root = response,
                         .url = js_get_str(response, "questionnaire"),
                         .is_finished =
                             str_eq(status, STR("completed")) || str_eq(status, STR("amended"))};
    yyjson_val *questionnaire;
    int result;

    if (!r.url.n || (!c->options->world && r.url.p[0] != '#'))
        return 0;
    result = find_questionnaire(&r, &questionnaire);
    if (result < 0)
        return result;
    if (!questionnaire) {
        if (!conform_said(c, r.url))
            conform_say(c, ISSUE_INFORMATION, "not-found", at, NULL, STR("questionnaire"),
                        "was not held against the questionnaire %.*s, which is not known here",
                        (int)MIN(r.url.n, 300u), r.url.p);
        return 0;
    }
    return check_items(&r, js_get(questionnaire, "item"), js_get(response, "item"), at);
}
