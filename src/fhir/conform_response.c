/* conform_response.c - a QuestionnaireResponse against its Questionnaire: the items that are there,
 * those that have to be, and their answers.
 *
 * Source: http://hl7.org/fhir/R4/questionnaireresponse.html, questionnaire.html.
 */
#include "fhir/conform_response_int.h"

#include "fhir/defs.h"

/* JSON's depth bounds how far items go into one another. `up`: the items around. */
static int check_items(struct response *r, yyjson_val *asked, yyjson_val *given,
                       const struct level *up, const struct place *at);

void response_say(struct response *r, enum issue_severity severity, const char *type,
                  const struct place *at, struct str link_id, const char *text)
{
    conform_say(r->c, severity, type, at, NULL, link_id, "%s (linkId %.*s of %.*s)", text,
                (int)MIN(link_id.n, 100u), link_id.n ? link_id.p : "", STR_ARG(r->url));
}

/* The question of a list with a linkId; NULL: none. */
static yyjson_val *find_question(yyjson_val *items, struct str link_id)
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

/* ---- values ---- */

yyjson_val *response_choice(yyjson_val *of, struct str stem, struct str *ret_type)
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

bool response_is_same(yyjson_val *a, yyjson_val *b)
{
    if (!yyjson_is_obj(a) || !yyjson_is_obj(b) || !js_get(a, "code"))
        return value_is_fixed(a, b);
    return str_eq(js_get_str(a, "code"), js_get_str(b, "code")) &&
           str_eq(js_get_str(a, "system"), js_get_str(b, "system")) &&
           (!js_get(a, "value") || value_is_fixed(js_get(a, "value"), js_get(b, "value")));
}

/* ---- answers ---- */

bool response_fits(struct str question, struct str answer)
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

static yyjson_val *option_of(yyjson_val *question, yyjson_val *v)
{
    yyjson_val *option;
    struct str type;
    size_t i, n;

    yyjson_arr_foreach(js_get(question, "answerOption"), i, n, option) {
        if (response_is_same(response_choice(option, STR("value"), &type), v))
            return option;
    }
    return NULL;
}

static bool is_exclusive(yyjson_val *option)
{
    return yyjson_get_bool(response_extension(
        option, STR("http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive")));
}

/* "#id" is a value set that the questionnaire contains. */
static int check_own_set(struct response *r, yyjson_val *question, struct str id, yyjson_val *v,
                         const struct place *at)
{
    struct coding coding = {.system = js_get_str(v, "system"), .code = js_get_str(v, "code")};
    enum terms_answer answer;
    yyjson_val *set;
    size_t i, n;
    int result;

    yyjson_arr_foreach(js_get(r->questionnaire, "contained"), i, n, set) {
        if (!str_eq(js_get_str(set, "id"), id))
            continue;
        result = set_has(r->c, set, &coding, &answer);
        if (result >= 0 && answer == TERMS_NO)
            response_say(r, is_type(question, "open-choice") ? ISSUE_INFORMATION : ISSUE_ERROR,
                         "code-invalid", at, js_get_str(question, "linkId"),
                         "is none of the answers offered");
        return MIN(result, 0);
    }
    return 0;
}

static int check_value_set(struct response *r, yyjson_val *question, yyjson_val *v,
                           const struct place *at)
{
    struct profile_binding binding = {.strength = is_type(question, "open-choice") ? DEF_PREFERRED
                                                                                   : DEF_REQUIRED,
                                      .value_set = js_get_str(question, "answerValueSet")};
    struct item item = {.v = v, .type = def_type(STR("Coding")), .index = -1};

    if (str_starts(binding.value_set, STR("#")))
        return check_own_set(r, question, str_from(binding.value_set, 1), v, at);
    return conform_binding(r->c, NULL, js_get_str(question, "linkId"), &binding, &item, at);
}

static int check_answer(struct response *r, yyjson_val *question, yyjson_val *answer,
                        const struct place *at)
{
    struct str link_id = js_get_str(question, "linkId"), type = STR("");
    struct str max = js_str(js_get(question, "maxLength"));
    yyjson_val *v = response_choice(answer, STR("value"), &type);
    bool is_open = is_type(question, "open-choice") && str_eq(type, STR("String"));
    uint64_t length;
    int result;

    if (!v)
        return 0; /* the reason why may be there */
    if (!response_fits(js_get_str(question, "type"), type)) {
        response_say(r, ISSUE_ERROR, "structure", at, link_id,
                     "has an answer of another type than asked");
        return 0;
    }
    if (max.n && str_to_u64(max, INT32_MAX, &length) && value_length(v) > length)
        response_say(r, ISSUE_ERROR, "too-long", at, link_id,
                     "is longer than the questionnaire allows");
    if (js_get(question, "answerOption") && !is_open && !option_of(question, v))
        response_say(r, is_type(question, "open-choice") ? ISSUE_WARNING : ISSUE_ERROR,
                     "code-invalid", at, link_id, "is none of the answers offered");
    result = response_answer(r, question, v, type, at);
    return result >= 0 && js_get(question, "answerValueSet") && str_eq(type, STR("Coding"))
               ? check_value_set(r, question, v, at)
               : result;
}

static int check_answers(struct response *r, yyjson_val *question, yyjson_val *item,
                         const struct level *level, const struct place *at)
{
    yyjson_val *list = js_get(item, "answer"), *v;
    struct str type;
    int result = 0;
    size_t i, n;

    yyjson_arr_foreach(list, i, n, v) {
        struct place here = {at, STR("answer"), (ptrdiff_t)i};
        if (n > 1 && is_exclusive(option_of(question, response_choice(v, STR("value"), &type))))
            response_say(r, ISSUE_ERROR, "business-rule", &here, js_get_str(question, "linkId"),
                         "is an answer that excludes all others, and does not stand alone");
        if (result >= 0)
            result = check_answer(r, question, v, &here);
        if (result >= 0)
            result = check_items(r, js_get(question, "item"), js_get(v, "item"), level, &here);
    }
    return result;
}

/* ---- items ---- */

/* What was shown is what the questionnaire has; a translation is another text. */
static void check_text(struct response *r, yyjson_val *question, yyjson_val *item,
                       const struct place *at)
{
    struct place below = {at, STR("text"), -1};
    struct str text = js_get_str(item, "text"), asked = js_get_str(question, "text");

    if (text.n && asked.n && !js_get(question, "_text") && !display_is(text, asked))
        response_say(r, ISSUE_WARNING, "value", &below, js_get_str(question, "linkId"),
                     "is not the text of the question");
}

/* A condition may look at all items of the response. */
static bool can_be_asked(struct response *r, yyjson_val *question, const struct place *at)
{
    size_t n = yyjson_arr_size(js_get(question, "enableWhen"));

    return conform_steps(r->c, 1 + n * (1 + r->n_items / SCANS_A_STEP), at);
}

static int check_item(struct response *r, yyjson_val *question, yyjson_val *item,
                      const struct level *level, const struct place *at)
{
    struct str link_id = js_get_str(question, "linkId");
    size_t n_answers = yyjson_arr_size(js_get(item, "answer"));
    const struct def_element *e =
        element_of(def_resource_type(def_resource(STR("QuestionnaireResponse"))), STR("item"));
    struct item answers = {.v = item, .type = e->types[0], .element = e, .index = at->index};
    int result;

    if (!can_be_asked(r, question, at))
        return 0;
    check_text(r, question, item, at);
    if ((is_type(question, "group") || is_type(question, "display")) && n_answers)
        response_say(r, ISSUE_ERROR, "structure", at, link_id, "has an answer, but is no question");
    if (n_answers > 1 && !yyjson_get_bool(js_get(question, "repeats")))
        response_say(r, ISSUE_ERROR, "structure", at, link_id,
                     "has several answers, but does not repeat");
    if (!is_type(question, "group"))
        response_occurs(r, question, n_answers, at);
    if (response_is_answered(item) && response_enabled(question, level) == ENABLED_NO)
        response_say(r, ISSUE_ERROR, "business-rule", at, link_id,
                     "is answered, but is not asked after what else was answered");
    result = response_constraints(r, question, &answers, at);
    if (result < 0)
        return result;
    if (is_type(question, "group"))
        return check_items(r, js_get(question, "item"), js_get(item, "item"), level, at);
    if (js_get(item, "item"))
        response_say(r, ISSUE_ERROR, "structure", at, link_id,
                     "has items of its own, which belong to its answers");
    return check_answers(r, question, item, level, at);
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
                         const struct level *up, const struct place *at)
{
    struct level level = {up, given, NULL};
    yyjson_val *question;
    size_t i, n;

    yyjson_arr_foreach(asked, i, n, question) {
        struct str link_id = js_get_str(question, "linkId");
        bool is_answered, is_group = is_type(question, "group");
        size_t count;
        if (!conform_steps(r->c, yyjson_arr_size(given) / SCANS_A_STEP, at) ||
            !can_be_asked(r, question, at))
            break;
        count = count_named(given, link_id, &is_answered);
        if (!is_answered && yyjson_get_bool(js_get(question, "required")) &&
            response_enabled(question, &level) == ENABLED_YES)
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
                       const struct level *up, const struct place *at)
{
    yyjson_val *item;
    size_t i, n, last = 0;
    int result = 0;

    yyjson_arr_foreach(given, i, n, item) {
        struct place here = {at, STR("item"), (ptrdiff_t)i};
        struct level level = {up, given, item};
        struct str link_id = js_get_str(item, "linkId");
        yyjson_val *question;
        if (result < 0 || !conform_steps(r->c, yyjson_arr_size(asked) / SCANS_A_STEP, &here))
            break;
        question = find_question(asked, link_id);
        if (!question) {
            response_say(r, ISSUE_ERROR, "not-found", &here, link_id, "is not asked here");
            continue;
        }
        if (place_of(asked, question) < last)
            response_say(r, ISSUE_ERROR, "structure", &here, link_id,
                         "stands behind what comes after it");
        last = MAX(last, place_of(asked, question));
        result = check_item(r, question, item, &level, &here);
    }
    if (result >= 0)
        check_counts(r, asked, given, up, at);
    return result;
}

/* ---- the whole ---- */

size_t response_count(yyjson_val *items)
{
    yyjson_val *v, *answer;
    size_t i, n, j, m, count = 0;

    yyjson_arr_foreach(items, i, n, v) {
        count += 1 + response_count(js_get(v, "item"));
        yyjson_arr_foreach(js_get(v, "answer"), j, m, answer)
            count += 1 + response_count(js_get(answer, "item"));
    }
    return count;
}

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
    struct item whole;
    int result;

    if (!r.url.n)
        conform_say(c, ISSUE_INFORMATION, "not-found", at, NULL, STR("questionnaire"),
                    "names no questionnaire, so that it could not be held against one");
    if (!r.url.n || (!c->options->world && r.url.p[0] != '#'))
        return 0;
    result = find_questionnaire(&r, &r.questionnaire);
    if (result < 0)
        return result;
    if (!r.questionnaire) {
        if (!conform_said(c, r.url))
            conform_say(c, ISSUE_WARNING, "not-found", at, NULL, STR("questionnaire"),
                        "was not held against the questionnaire %.*s, which is not known here",
                        (int)MIN(r.url.n, 300u), r.url.p);
        return 0;
    }
    r.n_items = response_count(js_get(response, "item"));
    whole = item_of_resource(response);
    result = response_constraints(&r, NULL, &whole, at);
    if (result < 0)
        return result;
    return check_items(&r, js_get(r.questionnaire, "item"), js_get(response, "item"), NULL, at);
}
