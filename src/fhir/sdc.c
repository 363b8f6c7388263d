/* sdc.c - what filling a form and reading it share: extensions, variables, expressions, queries. */
#include "fhir/sdc.h"

#include "fhir/sdc_int.h"

#define FHIRPATH STR("text/fhirpath")
#define QUERY STR("application/x-fhir-query")

yyjson_val *sdc_extension(yyjson_val *of, struct str url)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(of, "extension"), i, n, v) {
        if (str_eq(js_get_str(v, "url"), url))
            return v;
    }
    return NULL;
}

struct str sdc_where(struct sdc *s, const char *type, struct str link_id)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(2));

    if (!link_id.n)
        return str_c(type);
    sb_fmt(&b, "%s.repeat(item).where(linkId = '", type);
    for (size_t i = 0; i < MIN(link_id.n, (size_t)200); i++) {
        if (link_id.p[i] == '\'' || link_id.p[i] == '\\')
            sb_char(&b, '\\');
        sb_char(&b, link_id.p[i]);
    }
    sb_lit(&b, "')");
    return b.failed ? STR_NULL : arena_dup(s->a, sb_view(&b));
}

int sdc_count(struct sdc *s, struct err *err)
{
    if (++s->n_items > SDC_ITEMS_MAX)
        return err_set(err, ERR_COSTLY, "the response has more than %d items and answers",
                       SDC_ITEMS_MAX);
    return 0;
}

int sdc_spend(struct sdc *s, size_t n, struct err *err)
{
    s->steps += n;
    if (s->steps > SDC_STEPS_MAX)
        return err_set(err, ERR_COSTLY, "the form's expressions take more than %d steps",
                       SDC_STEPS_MAX);
    return 0;
}

/* ---- questions ---- */

struct sdc_level sdc_level_of(yyjson_val *questions)
{
    struct sdc_level level = {.questions = questions};

    yyjson_arr_iter_init(questions, &level.iter);
    level.at = yyjson_arr_iter_next(&level.iter);
    return level;
}

int sdc_question(struct sdc *s, struct sdc_level *level, struct str link_id, yyjson_val **ret,
                 struct err *err)
{
    size_t n = yyjson_arr_size(level->questions), i;

    for (i = 0; i < n; i++) {
        if (str_eq(js_get_str(level->at, "linkId"), link_id))
            break;
        if (!(level->at = yyjson_arr_iter_next(&level->iter)))
            *level = sdc_level_of(level->questions);
    }
    *ret = i < n ? level->at : NULL;
    return sdc_spend(s, i + 1, err);
}

/* ---- launch contexts ---- */

bool sdc_launch_context(yyjson_val *questionnaire, size_t i, struct str *ret_name,
                        yyjson_val **ret_extension)
{
    yyjson_val *v, *name;
    size_t k, n;

    yyjson_arr_foreach(js_get(questionnaire, "extension"), k, n, v) {
        if (!str_eq(js_get_str(v, "url"), SDC("launchContext")) || i--)
            continue;
        name = response_extension(v, STR("name"));
        *ret_name = yyjson_is_obj(name) ? js_get_str(name, "code") : js_str(name);
        *ret_extension = v;
        return true;
    }
    return false;
}

bool sdc_launch_takes(yyjson_val *extension, struct str type)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(extension, "extension"), i, n, v) {
        if (str_eq(js_get_str(v, "url"), STR("type")) && str_eq(js_get_str(v, "valueCode"), type))
            return true;
    }
    return false;
}

/* ---- variables ---- */

/* A variable that nobody asked for yet. */
struct sdc_pending {
    yyjson_val *expression; /* NULL: its items are there */
    const struct path_item *focus;
    struct str where;
};

int sdc_define(struct sdc *s, struct str name, const struct path_items *items, struct err *err)
{
    if (!s->variables) {
        s->variables = ARENA_ARRAY(s->a, struct path_variable, SDC_VARIABLES_MAX);
        s->pending = ARENA_ARRAY(s->a, struct sdc_pending, SDC_VARIABLES_MAX);
    }
    if (!s->variables || !s->pending)
        return err_no_memory(err);
    if (s->n_variables == SDC_VARIABLES_MAX)
        return err_set(err, ERR_COSTLY, "more than %d variables are defined", SDC_VARIABLES_MAX);
    /* From the end on: who looks for a name finds the newest first. */
    s->n_variables++;
    s->variables[SDC_VARIABLES_MAX - s->n_variables] = (struct path_variable){name, *items};
    s->pending[SDC_VARIABLES_MAX - s->n_variables] = (struct sdc_pending){0};
    return 0;
}

int sdc_variables(struct sdc *s, yyjson_val *of, const struct path_item *focus, struct str where,
                  struct err *err)
{
    yyjson_val *v;
    size_t i, n;
    int r = 0;

    yyjson_arr_foreach(js_get(of, "extension"), i, n, v) {
        yyjson_val *expression = js_get(v, "valueExpression");
        struct str name = js_get_str(expression, "name");
        struct path_items none = {0};
        if (r < 0 || !str_eq(js_get_str(v, "url"), CORE("variable")) || !name.n)
            continue;
        r = sdc_define(s, name, &none, err);
        if (r >= 0)
            s->pending[SDC_VARIABLES_MAX - s->n_variables] =
                (struct sdc_pending){expression, focus, where};
    }
    return r;
}

static bool mentions(struct str text, struct str name)
{
    const char *p = text.p;

    for (; (p = memmem(p, text.n - (size_t)(p - text.p), name.p, name.n)); p++)
        if (p > text.p && (p[-1] == '%' || p[-1] == '`'))
            return true;
    return false;
}

/* Evaluates what an expression names. One that names itself finds nothing. */
static int fetch(struct sdc *s, struct str text, struct err *err)
{
    int r = 0;

    for (size_t i = SDC_VARIABLES_MAX - s->n_variables; i < SDC_VARIABLES_MAX && r >= 0; i++) {
        struct sdc_pending pending = s->pending[i];
        struct path_items items = {0};
        if (!pending.expression || !mentions(text, s->variables[i].name))
            continue;
        s->pending[i].expression = NULL;
        r = sdc_evaluate(s, pending.expression, pending.focus, pending.where, &items, err);
        s->variables[i].items = items;
    }
    return MIN(r, 0);
}

/* ---- expressions ---- */

/* 1; 0 where the text is at fault, and an issue said so. */
static int settle(struct sdc *s, int r, const struct err *why, struct str where, struct err *err)
{
    if (r >= 0)
        return 1;
    if (r == ERR_VALUE) {
        issues_add(s->issues, ISSUE_WARNING, "invalid", where, "the expression: %s", why->text);
        return s->issues->no_memory ? err_no_memory(err) : 0;
    }
    *err = *why;
    if (!err->where[0] && where.n)
        snprintf(err->where, sizeof err->where, "%.*s", STR_ARG(where));
    return r;
}

static int evaluate_path(struct sdc *s, struct str text, const struct path_item *focus,
                         struct str where, struct path_items *ret, struct err *err)
{
    struct path_env env = {.a = s->a,
                           .resource = s->response,
                           .world = s->world,
                           .variables = s->variables + (SDC_VARIABLES_MAX - s->n_variables),
                           .n_variables = s->n_variables,
                           .now_ms = s->now_ms,
                           .tz_minutes = s->tz_minutes};
    const struct path *path;
    struct err why = {0};
    int r = fetch(s, text, err);

    if (r < 0)
        return r;
    r = path_compile(s->a, text, NULL, &path, &why);
    if (r >= 0)
        r = path_eval(path, &env, focus, ret, &why);
    if (r >= 0)
        r = sdc_spend(s, env.steps, &why);
    return settle(s, r, &why, where, err);
}

/* ---- queries ---- */

static void query_value(struct sb *out, const struct path_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        struct str text =
            items->p[i].kind == PATH_ELEMENT ? js_primitive(items->p[i].v) : items->p[i].text;
        if (i)
            sb_char(out, ',');
        sb_uri(out, text.p ? text : STR(""));
    }
}

/* The text with what stands in {{…}} evaluated. 1, or 0 where that cannot be. */
static int query_text(struct sdc *s, struct str text, const struct path_item *focus,
                      struct str where, struct str *ret, struct err *err)
{
    _cleanup_(sb_done) struct sb out = sb_make(SDC_QUERY_MAX);

    while (text.n) {
        const char *open = memmem(text.p, text.n, "{{", 2);
        size_t n = open ? (size_t)(open - text.p) : text.n;
        struct path_items items = {0};
        struct str rest = open ? str_from(text, n + 2) : STR("");
        const char *close = open ? memmem(rest.p, rest.n, "}}", 2) : NULL;
        int r = 1;
        sb_put(&out, text.p, n);
        if (!open)
            break;
        if (!close) {
            issues_add(s->issues, ISSUE_WARNING, "invalid", where, "the query has no end of {{");
            return s->issues->no_memory ? err_no_memory(err) : 0;
        }
        r = evaluate_path(s, str_head(rest, (size_t)(close - rest.p)), focus, where, &items, err);
        if (r <= 0)
            return r;
        query_value(&out, &items);
        text = str_from(rest, (size_t)(close - rest.p) + 2);
    }
    if (sb_ok(&out, err) < 0)
        return err->code;
    *ret = arena_dup(s->a, sb_view(&out));
    return ret->p ? 1 : err_no_memory(err);
}

int sdc_ask(struct sdc *s, struct str query, struct str where, yyjson_val **ret, struct err *err)
{
    struct err why = {0};
    int r;

    *ret = NULL;
    if (!s->ask) {
        issues_add(s->issues, ISSUE_WARNING, "not-supported", where, "queries are not asked here");
        return s->issues->no_memory ? err_no_memory(err) : 0;
    }
    if (++s->n_queries > SDC_QUERIES_MAX)
        return err_set(err, ERR_COSTLY, "the form asks more than %d queries", SDC_QUERIES_MAX);
    r = s->ask(s->ask_ctx, s->a, query, ret, &why);
    if (r == ERR_VALUE || r == ERR_NOT_SUPPORTED || r == ERR_FORBIDDEN || r == ERR_NOT_FOUND) {
        issues_add(s->issues, ISSUE_WARNING, err_issue_type(r), where, "the query: %s", why.text);
        return s->issues->no_memory ? err_no_memory(err) : 0;
    }
    if (r < 0)
        *err = why;
    return r < 0 ? r : *ret != NULL;
}

yyjson_val *sdc_first(yyjson_val *answer)
{
    if (!str_eq(js_get_str(answer, "resourceType"), STR("Bundle")))
        return answer;
    return js_get(yyjson_arr_get_first(js_get(answer, "entry")), "resource");
}

int sdc_evaluate(struct sdc *s, yyjson_val *expression, const struct path_item *focus,
                 struct str where, struct path_items *ret, struct err *err)
{
    struct str language = js_get_str(expression, "language");
    struct str text = js_get_str(expression, "expression");
    struct path_item *item;
    yyjson_val *found;
    int r;

    if (str_eq(language, FHIRPATH) && text.n)
        return evaluate_path(s, text, focus, where, ret, err);
    if (!str_eq(language, QUERY) || !text.n) {
        issues_add(s->issues, ISSUE_WARNING, "not-supported", where,
                   "an expression in \"%.*s\" cannot be evaluated: text/fhirpath and "
                   "application/x-fhir-query can",
                   (int)MIN(language.n, (size_t)64), language.n ? language.p : "");
        return s->issues->no_memory ? err_no_memory(err) : 0;
    }
    r = query_text(s, text, focus, where, &text, err);
    if (r > 0)
        r = sdc_ask(s, text, where, &found, err);
    if (r <= 0)
        return r;
    item = ARENA_NEW(s->a, struct path_item);
    if (!item)
        return err_no_memory(err);
    *item = path_root(found);
    *ret = (struct path_items){item, 1, 1};
    return 1;
}
