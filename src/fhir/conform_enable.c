/* conform_enable.c - whether a question is asked, after what else was answered (enableWhen).
 *
 * A condition speaks of the nearest occurrence of its question: among what is around, then before,
 * then behind. Source:
 * http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen,
 * valueset-questionnaire-enable-operator.html.
 */
#include "fhir/conform_response_int.h"

/* ---- the question that a condition speaks of ---- */

/* The first occurrence in an item and below it, from the end or from the beginning. */
static yyjson_val *within(yyjson_val *item, struct str link_id, bool backwards);

static yyjson_val *among(yyjson_val *items, struct str link_id, bool backwards)
{
    yyjson_val *v, *found = NULL;
    size_t i, n;

    yyjson_arr_foreach(items, i, n, v) {
        yyjson_val *one = within(v, link_id, backwards);
        if (one && !backwards)
            return one;
        found = one ? one : found;
    }
    return found;
}

static yyjson_val *within(yyjson_val *item, struct str link_id, bool backwards)
{
    bool is_it = str_eq(js_get_str(item, "linkId"), link_id);
    yyjson_val *found = NULL, *answer;
    size_t i, n;

    if (is_it && !backwards)
        return item;
    found = among(js_get(item, "item"), link_id, backwards);
    yyjson_arr_foreach(js_get(item, "answer"), i, n, answer) {
        yyjson_val *one = among(js_get(answer, "item"), link_id, backwards);
        if (!found || (one && backwards))
            found = one ? one : found;
    }
    return found ? found : is_it ? item : NULL;
}

/* Items beside the one of a level that stand before it, nearest first, or behind it. Where none is
 * there, all stand before. */
static yyjson_val *beside(const struct level *l, struct str link_id, bool before)
{
    bool is_behind = false;
    yyjson_val *v, *found = NULL;
    size_t i, n;

    yyjson_arr_foreach(l->items, i, n, v) {
        if (v == l->item) {
            is_behind = true;
            continue;
        }
        if (is_behind != before && (before || !found)) {
            yyjson_val *one = within(v, link_id, before);
            found = one ? one : found;
        }
    }
    return found;
}

static yyjson_val *nearest(const struct level *level, struct str link_id)
{
    yyjson_val *found = NULL;

    for (const struct level *l = level->up; l && !found; l = l->up)
        if (str_eq(js_get_str(l->item, "linkId"), link_id))
            found = l->item;
    for (const struct level *l = level; l && !found; l = l->up)
        found = beside(l, link_id, true);
    for (const struct level *l = level; l && !found; l = l->up)
        found = beside(l, link_id, false);
    return found;
}

/* ---- one condition ---- */

static bool is_met(struct str operator, yyjson_val * answer, yyjson_val *wanted, struct str type)
{
    const struct def_type *t = response_type(type);
    int order = t ? value_compare(answer, wanted, t) : 2;

    if (order == 2)
        return false;
    return str_eq(operator, STR(">"))    ? order > 0
           : str_eq(operator, STR("<"))  ? order < 0
           : str_eq(operator, STR(">=")) ? order >= 0
                                         : order <= 0;
}

/* One answer that meets it is enough; "!=" wants that none is equal, and says nothing of no answer
 * at all. */
static enum enabled condition_holds(yyjson_val *when, const struct level *level)
{
    struct str operator= js_get_str(when, "operator"), type, answered;
    yyjson_val *wanted = response_choice(when, STR("answer"), &type), *v;
    yyjson_val *item = nearest(level, js_get_str(when, "question"));
    bool is_equal = str_eq(operator, STR("=")), is_other = str_eq(operator, STR("!="));
    bool has_answer = false, is_same = false, is_in_order = false;
    size_t i, n;

    yyjson_arr_foreach(js_get(item, "answer"), i, n, v) {
        yyjson_val *value = response_choice(v, STR("value"), &answered);
        if (!value || !wanted)
            continue;
        has_answer = true;
        is_same |= response_is_same(value, wanted);
        is_in_order |= !is_equal && !is_other && is_met(operator, value, wanted, type);
    }
    if (str_eq(operator, STR("exists")))
        return has_answer == yyjson_get_bool(wanted) ? ENABLED_YES : ENABLED_NO;
    if (is_other && !has_answer)
        return ENABLED_UNSURE;
    return (is_equal ? is_same : is_other ? !is_same : is_in_order) ? ENABLED_YES : ENABLED_NO;
}

enum enabled response_enabled(yyjson_val *question, const struct level *level)
{
    yyjson_val *list = js_get(question, "enableWhen"), *v;
    bool is_any = !str_eq(js_get_str(question, "enableBehavior"), STR("all"));
    enum enabled decides = is_any ? ENABLED_YES : ENABLED_NO,
                 all = is_any ? ENABLED_NO : ENABLED_YES;
    size_t i, n;

    if (!yyjson_arr_size(list))
        return ENABLED_YES;
    yyjson_arr_foreach(list, i, n, v) {
        enum enabled one = condition_holds(v, level);
        if (one == decides)
            return one;
        if (one == ENABLED_UNSURE)
            all = one;
    }
    return all;
}

bool response_is_answered(yyjson_val *item)
{
    yyjson_val *v;
    size_t i, n;

    if (yyjson_arr_size(js_get(item, "answer")))
        return true;
    yyjson_arr_foreach(js_get(item, "item"), i, n, v) {
        if (response_is_answered(v))
            return true;
    }
    return false;
}
