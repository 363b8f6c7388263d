/* sdc_extract.c - the records that a response makes: a walk through its answers beside the form.
 *
 * Observations are made here, of questions with a code where sdc-questionnaire-observationExtract
 * says so; what definitions say, in sdc_definition.c.
 */
#include "fhir/sdc_int.h"

static int walk_items(struct sdc *s, const struct sdc_frame *up, yyjson_val *questions,
                      yyjson_val *items, struct str key, struct sdc_entries *ret, struct err *err);

static struct str where_of(struct sdc *s, yyjson_val *question)
{
    return sdc_where(s, "QuestionnaireResponse", js_get_str(question, "linkId"));
}

/* ---- observations ---- */

static bool is_observed(yyjson_val *question, bool around)
{
    yyjson_val *v = response_extension(question, SDC("observationExtract"));

    /* Of version 4.0.0 there may be a code that says how; none of those is known here. */
    return yyjson_is_bool(v) ? yyjson_get_bool(v) : around;
}

static bool put_copy(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name, yyjson_val *v)
{
    return !v || yyjson_mut_obj_add_val(doc, obj, name, yyjson_val_mut_copy(doc, v));
}

/* A list of copies of what is there. */
static bool put_list(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name, yyjson_val *v)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);

    return !v || (yyjson_mut_arr_append(list, yyjson_val_mut_copy(doc, v)) &&
                  yyjson_mut_obj_add_val(doc, obj, name, list));
}

/* The nearest around that says one. */
static yyjson_val *category_of(const struct sdc_frame *f)
{
    for (; f; f = f->up) {
        yyjson_val *v = response_extension(f->question, SDC("observation-extract-category"));
        if (v)
            return v;
    }
    return NULL;
}

static bool put_code(yyjson_mut_doc *doc, yyjson_mut_val *obj, yyjson_val *question)
{
    yyjson_mut_val *concept = yyjson_mut_obj(doc);

    return put_copy(doc, concept, "coding", js_get(question, "code")) &&
           put_copy(doc, concept, "text", js_get(question, "text")) &&
           yyjson_mut_obj_add_val(doc, obj, "code", concept);
}

static bool put_origin(yyjson_mut_doc *doc, yyjson_mut_val *obj, yyjson_val *response)
{
    struct str id = js_get_str(response, "id");
    yyjson_mut_val *ref = yyjson_mut_obj(doc), *list = yyjson_mut_arr(doc), *text;
    char url[100];

    if (!id.n || id.n > 64)
        return true;
    snprintf(url, sizeof url, "QuestionnaireResponse/%.*s", STR_ARG(id));
    text = yyjson_mut_strcpy(doc, url);
    return text && yyjson_mut_obj_add_val(doc, ref, "reference", text) &&
           yyjson_mut_arr_append(list, ref) &&
           yyjson_mut_obj_add_val(doc, obj, "derivedFrom", list);
}

/* Also of an array's length 0, which no list is written for. */
static int observe(struct sdc *s, const struct sdc_frame *f, yyjson_val *v, struct str type,
                   struct str key, struct sdc_entries *ret, struct err *err)
{
    yyjson_alc alc = js_alc(s->a);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&alc);
    yyjson_mut_val *obj = doc ? yyjson_mut_obj(doc) : NULL;
    const struct def_element *e = patch_element(def_type(STR("Observation")), STR("value"));
    struct sdc_entry as = {.key = key};
    struct str where = where_of(s, f->question);
    struct patch_value value;
    int r;

    if (!obj || !where.p)
        return err_no_memory(err);
    r = sdc_element(doc, s->a, e, f->question, v, type, &value, err);
    if (r == 0) {
        issues_add(s->issues, ISSUE_ERROR, "value", where,
                   "an answer of this type is no value of an Observation");
        return s->issues->no_memory ? err_no_memory(err) : 0;
    }
    if (r < 0)
        return r;
    if (!yyjson_mut_obj_add_str(doc, obj, "resourceType", "Observation") ||
        !yyjson_mut_obj_add_str(doc, obj, "status", "final") ||
        !put_list(doc, obj, "category", category_of(f)) || !put_code(doc, obj, f->question) ||
        !put_copy(doc, obj, "subject", js_get(s->response, "subject")) ||
        !put_copy(doc, obj, "encounter", js_get(s->response, "encounter")) ||
        !put_copy(doc, obj, "effectiveDateTime", js_get(s->response, "authored")) ||
        !put_list(doc, obj, "performer", js_get(s->response, "author")) ||
        !yyjson_mut_obj_put(obj, yyjson_mut_strncpy(doc, value.json.p, value.json.n), value.v) ||
        !put_origin(doc, obj, s->response))
        return err_no_memory(err);
    return sdc_add(s, obj, &as, where, ret, err);
}

/* ---- the walk ---- */

static int walk_answers(struct sdc *s, const struct sdc_frame *f, struct sdc_entries *ret,
                        struct err *err)
{
    bool is_coded = yyjson_arr_size(js_get(f->question, "code")) > 0;
    struct str type = STR_NULL;
    yyjson_val *answer, *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(f->item, "answer"), i, n, answer) {
        struct str key = arena_fmt(s->a, "%.*s/%zu", STR_ARG(f->key), i);
        v = response_choice(answer, STR("value"), &type);
        r = key.p ? sdc_count(s, err) : err_no_memory(err);
        if (r >= 0 && v && f->is_observed && is_coded)
            r = observe(s, f, v, type, key, ret, err);
        if (r >= 0 && v && js_get_str(f->question, "definition").n)
            r = sdc_put(s, f, v, type, err);
        if (r >= 0)
            r = walk_items(s, f, js_get(f->question, "item"), js_get(answer, "item"), key, ret,
                           err);
        if (r < 0)
            break;
    }
    return r;
}

static int walk_item(struct sdc *s, struct sdc_frame *f, struct sdc_entries *ret, struct err *err)
{
    struct path_item focus = path_json(f->item);
    struct str where = where_of(s, f->question);
    size_t n_variables = s->n_variables;
    int r = where.p ? sdc_count(s, err) : err_no_memory(err);

    if (r >= 0)
        r = sdc_variables(s, f->question, &focus, where, err);
    if (r >= 0)
        r = sdc_begin(s, f, err);
    if (r >= 0)
        r = walk_answers(s, f, ret, err);
    if (r >= 0)
        r = walk_items(s, f, js_get(f->question, "item"), js_get(f->item, "item"), f->key, ret,
                       err);
    s->n_variables = n_variables;
    return r < 0 ? r : sdc_end(s, f, ret, err);
}

/* Whether a question is asked where it stands. A condition may look at all items. */
static int is_asked(struct sdc *s, const struct sdc_frame *f, struct err *err)
{
    size_t n = yyjson_arr_size(js_get(f->question, "enableWhen"));
    int r = sdc_spend(s, n * s->n_given, err);

    return r < 0 ? r : response_enabled(f->question, &f->level) != ENABLED_NO;
}

static int walk_items(struct sdc *s, const struct sdc_frame *up, yyjson_val *questions,
                      yyjson_val *items, struct str key, struct sdc_entries *ret, struct err *err)
{
    struct sdc_level level = sdc_level_of(questions);
    yyjson_val *item;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(items, i, n, item) {
        struct str link_id = js_get_str(item, "linkId"), where;
        struct sdc_frame f = {
            .up = up, .item = item, .level = {up ? &up->level : NULL, items, item}};
        if ((r = sdc_question(s, &level, link_id, &f.question, err)) < 0)
            return r;
        if (!f.question) {
            where = sdc_where(s, "QuestionnaireResponse", link_id);
            issues_add(s->issues, ISSUE_ERROR, "not-found", where.p ? where : STR(""),
                       "the form does not ask this here");
            if (!where.p || s->issues->no_memory)
                return err_no_memory(err);
            continue;
        }
        if ((r = is_asked(s, &f, err)) < 0)
            return r;
        if (!r)
            continue;
        f.is_observed = is_observed(f.question, up && up->is_observed);
        f.key = arena_fmt(s->a, "%.*s/%.*s/%zu", STR_ARG(key), STR_ARG(link_id), i);
        r = f.key.p ? walk_item(s, &f, ret, err) : err_no_memory(err);
        if (r < 0)
            return r;
    }
    return 0;
}

int sdc_extract(struct sdc *s, yyjson_val *questionnaire, yyjson_val *response,
                struct sdc_entries *ret, struct err *err)
{
    struct path_item form = path_root(questionnaire), focus = path_root(response);
    struct path_items itself = {&form, 1, 1};
    struct sdc_frame f = {.question = questionnaire,
                          .item = response,
                          .key = STR(""),
                          .level = {NULL, js_get(response, "item"), NULL},
                          .is_observed = is_observed(questionnaire, false)};
    int r;

    s->questionnaire = questionnaire;
    s->response = response;
    s->n_given = response_count(js_get(response, "item"));
    r = sdc_define(s, STR("questionnaire"), &itself, err);
    if (r >= 0)
        r = sdc_variables(s, questionnaire, &focus, STR("Questionnaire"), err);
    if (r >= 0)
        r = sdc_begin(s, &f, err);
    if (r >= 0)
        r = walk_items(s, &f, js_get(questionnaire, "item"), js_get(response, "item"), STR(""), ret,
                       err);
    return r < 0 ? r : sdc_end(s, &f, ret, err);
}
