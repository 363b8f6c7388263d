/* op_graphql.c - $graphql on the system and on an instance (graphql.html).
 *
 * What goes wrong is said the GraphQL way, with the HTTP status that the error has and the
 * OperationOutcome in extensions.resource; an answer is whole or there is none.
 */
#include "api/graphql_int.h"
#include "api/graphql_kept.h"

#include "api/negotiate.h"
#include "base/b64.h"
#include "fhir/outcome.h"

#include <stdarg.h>

struct gq_request {
    struct str query, operation;
    yyjson_val *variables;
};

int gq_err(struct gq_run *run, struct graphql_place place, int code, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    run->place = place;
    return err_set(&run->c->err, code, "%s", text);
}

/* ---- arguments and variables ---- */

const struct graphql_argument *gq_argument(const struct graphql_selection *s, const char *name)
{
    const struct graphql_argument *arg = s->arguments;

    while (arg && !str_eq(arg->name, str_c(name)))
        arg = arg->next;
    return arg;
}

const struct graphql_directive *gq_directive(const struct graphql_selection *s, const char *name)
{
    const struct graphql_directive *d = s->directives;

    while (d && !str_eq(d->name, str_c(name)))
        d = d->next;
    return d;
}

struct texts {
    struct gq_run *run;
    struct graphql_place place;
    struct str *v;
    size_t n, cap;
};

static int add_text(struct texts *t, struct str text)
{
    int r = gq_step(t->run);

    if (r < 0)
        return r;
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 2;
        struct str *v = arena_grow(t->run->c->a, t->v, t->cap * sizeof *v, cap * sizeof *v);
        if (!v)
            return err_no_memory(&t->run->c->err);
        t->v = v;
        t->cap = cap;
    }
    t->v[t->n++] = text;
    return 0;
}

static int add_json(struct texts *t, yyjson_val *v)
{
    struct str text = js_primitive(v);
    size_t i, max;
    yyjson_val *item;
    int r = 0;

    if (yyjson_is_null(v))
        return 0;
    if (text.p)
        return add_text(t, text);
    if (!yyjson_is_arr(v))
        return gq_err(t->run, t->place, ERR_VALUE, "an object cannot stand in this argument");
    yyjson_arr_foreach(v, i, max, item) {
        if (!js_primitive(item).p)
            return gq_err(t->run, t->place, ERR_VALUE, "a list of this argument holds no values");
        if ((r = add_text(t, js_primitive(item))) < 0)
            return r;
    }
    return r;
}

static int add_value(struct texts *t, const struct graphql_value *value)
{
    struct gq_run *run = t->run;
    int r = 0;

    switch (value->kind) {
    case GRAPHQL_NULL: return 0;
    case GRAPHQL_OBJECT:
        return gq_err(run, t->place, ERR_VALUE, "an object cannot stand in this argument");
    case GRAPHQL_LIST:
        for (const struct graphql_value *item = value->first; item && r >= 0; item = item->next)
            r = add_value(t, item);
        return r;
    case GRAPHQL_VARIABLE:
        for (size_t i = 0; i < run->n_variables; i++) {
            const struct gq_variable *v = &run->variables[i];
            if (!str_eq(v->of->name, value->text))
                continue;
            if (v->given)
                return add_json(t, v->given);
            return v->of->fallback ? add_value(t, v->of->fallback) : 0;
        }
        return gq_err(run, t->place, ERR_VALUE, "the variable $%.*s is not declared",
                      STR_ARG(value->text));
    default: return add_text(t, value->text);
    }
}

int gq_texts(struct gq_run *run, const struct graphql_argument *arg, struct str **ret,
             size_t *ret_n)
{
    struct texts t = {.run = run, .place = arg->place};
    int r = add_value(&t, arg->value);

    if (r < 0)
        return r;
    *ret = t.v;
    *ret_n = t.n;
    return 0;
}

int gq_text(struct gq_run *run, const struct graphql_argument *arg, struct str *ret)
{
    struct str *v;
    size_t n = 0;
    int r = arg ? gq_texts(run, arg, &v, &n) : 0;

    if (r < 0)
        return r;
    if (n > 1)
        return gq_err(run, arg->place, ERR_VALUE, "\"%.*s\" takes one value", STR_ARG(arg->name));
    *ret = n ? v[0] : STR_NULL;
    return 0;
}

int gq_bool(struct gq_run *run, const struct graphql_argument *arg, bool fallback, bool *ret)
{
    struct str text = STR_NULL;
    int r = gq_text(run, arg, &text);

    if (r < 0)
        return r;
    if (text.p && !str_eq(text, STR("true")) && !str_eq(text, STR("false")))
        return gq_err(run, arg->place, ERR_VALUE, "\"%.*s\" is neither true nor false",
                      STR_ARG(arg->name));
    *ret = text.p ? str_eq(text, STR("true")) : fallback;
    return 0;
}

int gq_u64(struct gq_run *run, const struct graphql_argument *arg, uint64_t max, uint64_t fallback,
           uint64_t *ret)
{
    struct str text = STR_NULL;
    int r = gq_text(run, arg, &text);

    if (r < 0)
        return r;
    *ret = fallback;
    if (text.p && !str_to_u64(text, max, ret))
        return gq_err(run, arg->place, ERR_VALUE, "\"%.*s\" is not a whole number up to %llu",
                      STR_ARG(arg->name), (unsigned long long)max);
    return 0;
}

/* Whether JSON may stand for a type: names that GraphQL does not define are FHIR's, as text. */
static bool fits_type(const struct graphql_type *type, yyjson_val *v, int depth)
{
    bool is_whole = js_is_number(v) && str_find(js_str(v), '.') < 0 && str_find(js_str(v), 'e') < 0;
    size_t i, max;
    yyjson_val *item;

    if (!v || yyjson_is_null(v))
        return !type->is_required;
    if (type->of) {
        if (!yyjson_is_arr(v))
            return fits_type(type->of, v, depth + 1);
        yyjson_arr_foreach(v, i, max, item)
            if (!fits_type(type->of, item, depth + 1))
                return false;
        return true;
    }
    if (str_eq(type->name, STR("Boolean")) || str_eq(type->name, STR("boolean")))
        return yyjson_is_bool(v);
    if (str_eq(type->name, STR("Int")))
        return is_whole;
    if (str_eq(type->name, STR("Float")))
        return js_is_number(v);
    if (str_eq(type->name, STR("String")))
        return yyjson_is_str(v);
    return js_primitive(v).p != NULL;
}

static int bind_variables(struct gq_run *run, yyjson_val *given)
{
    size_t n = 0;

    for (const struct graphql_variable *v = run->op->variables; v; v = v->next)
        n++;
    if (given && !yyjson_is_obj(given) && !yyjson_is_null(given))
        return gq_err(run, run->op->place, ERR_VALUE, "\"variables\" is no JSON object");
    run->variables = ARENA_ARRAY(run->c->a, struct gq_variable, n);
    if (!run->variables)
        return err_no_memory(&run->c->err);
    for (const struct graphql_variable *v = run->op->variables; v; v = v->next) {
        yyjson_val *value = yyjson_obj_getn(given, v->name.p, v->name.n);
        if (!value && v->type->is_required && !v->fallback)
            return gq_err(run, v->place, ERR_REQUIRED, "the variable $%.*s has no value",
                          STR_ARG(v->name));
        if (value && !fits_type(v->type, value, 0))
            return gq_err(run, v->place, ERR_VALUE,
                          "the value of the variable $%.*s is not of its type", STR_ARG(v->name));
        run->variables[run->n_variables++] = (struct gq_variable){v, value};
    }
    return 0;
}

/* ---- types by name ---- */

const struct def_type *gq_type(struct gq_run *run, struct str name)
{
    struct str copy = str_find(name, '_') < 0 ? name : arena_dup(run->c->a, name);

    for (size_t i = 0; copy.p && i < copy.n; i++)
        if (copy.p[i] == '_')
            ((char *)(uintptr_t)copy.p)[i] = '.';
    return copy.p ? def_type(copy) : NULL;
}

struct str gq_type_name(struct gq_run *run, const struct def_type *t)
{
    struct str copy;

    if (!t)
        return STR("");
    copy = str_find(t->name, '.') < 0 ? t->name : arena_dup(run->c->a, t->name);
    for (size_t i = 0; copy.p && i < copy.n; i++)
        if (copy.p[i] == '.')
            ((char *)(uintptr_t)copy.p)[i] = '_';
    return copy.p ? copy : t->name;
}

/* ---- the request ---- */

static int parse_json(struct call *c, struct str text, yyjson_val **ret)
{
    return text.n ? js_parse(c->a, text, ret, &c->err) : 0;
}

static int read_parameters(struct call *c, struct gq_request *ret)
{
    struct op_params params;
    struct str variables;
    int r = op_params_read(c, &params);

    if (r < 0)
        return r;
    ret->query = op_param_text(&params, "query");
    ret->operation = op_param_text(&params, "operationName");
    variables = op_param_text(&params, "variables");
    return variables.n ? parse_json(c, variables, &ret->variables) : 0;
}

/* {"query": …, "operationName": …, "variables": {…}}, the query alone, or FHIR's Parameters. */
static int read_request(struct call *c, struct gq_request *ret)
{
    struct str url_query = c->query.n ? call_parameter(c, STR("query")) : STR_NULL;
    yyjson_val *body = c->resource;
    int r;

    if (media_is(c->content_type, "application/graphql") && c->body.n) {
        *ret = (struct gq_request){.query = c->body};
        return 0;
    }
    if (!body && (r = parse_json(c, c->body, &body)) < 0)
        return r;
    if (!body || js_get_str(body, "resourceType").p) {
        c->resource = body;
        return read_parameters(c, ret);
    }
    *ret = (struct gq_request){.query = js_get_str(body, "query"),
                               .operation = js_get_str(body, "operationName"),
                               .variables = js_get(body, "variables")};
    if (!ret->query.p)
        ret->query = url_query;
    return 0;
}

static int choose_operation(struct gq_run *run, struct str name)
{
    const struct graphql_operation *op = run->doc->operations;

    if (!name.n && run->doc->n_operations > 1)
        return gq_err(run, (struct graphql_place){1, 1}, ERR_REQUIRED,
                      "the query has several operations: operationName says which one is meant");
    while (name.n && op && !str_eq(op->name, name))
        op = op->next;
    if (!op)
        return gq_err(run, (struct graphql_place){1, 1}, ERR_VALUE,
                      "the query has no operation \"%.*s\"", (int)MIN(name.n, (size_t)64), name.p);
    run->op = op;
    return 0;
}

/* ---- the answer ---- */

static int answer(struct gq_run *run)
{
    struct gq_focus focus = {.kind = GQ_QUERY};
    struct gq_sets sets = {.first = run->op->selections};
    struct gq_object data = {0};
    struct call *c = run->c;
    int r = 0;

    if (c->id.n) {
        focus = (struct gq_focus){.kind = GQ_ELEMENT, .type = def_resource_type(c->type)};
        run->place = run->op->place;
        r = op_resource(c, run->txn, c->type, c->id, &focus.v);
        focus.resource = focus.v;
    }
    if (r < 0 || (r = gq_answer(run, &focus, &sets, &data)) < 0)
        return r;
    sb_lit(&c->out, "{\"data\":");
    r = gq_write(run, &c->out, &data);
    sb_char(&c->out, '}');
    return r < 0 ? r : sb_ok(&c->out, &c->err);
}

/* The schema as a whole is asked for again and again, and takes long to write. Variables that the
 * query does not declare, such as the empty object of many clients, change nothing. */
static int answer_or_keep(struct gq_run *run, const struct gq_request *request)
{
    struct call *c = run->c;
    struct gq_asked asked = {request->query, request->operation, c->params};
    bool may_keep = !c->id.n && !run->n_variables && gq_kept_fits(run->op);
    int r;

    if (may_keep && gq_kept_get(c->api->graphql_kept, &asked, &c->out))
        return sb_ok(&c->out, &c->err);
    r = answer(run);
    if (r >= 0 && may_keep)
        gq_kept_put(c->api->graphql_kept, &asked, sb_view(&c->out));
    return r;
}

static int run_query(struct gq_run *run)
{
    struct graphql_document *doc = ARENA_NEW(run->c->a, struct graphql_document);
    struct gq_request request = {0};
    int r;

    if (!doc)
        return err_no_memory(&run->c->err);
    run->doc = doc;
    if ((r = read_request(run->c, &request)) < 0)
        return r;
    if (!request.query.n)
        return err_set(&run->c->err, ERR_REQUIRED, "the parameter \"query\" is missing");
    if ((r = graphql_parse(run->c->a, request.query, doc, &run->place, &run->c->err)) < 0 ||
        (r = choose_operation(run, request.operation)) < 0 ||
        (r = bind_variables(run, request.variables)) < 0 || (r = gq_check(run)) < 0)
        return r;
    return answer_or_keep(run, &request);
}

static void write_error(struct gq_run *run)
{
    struct call *c = run->c;

    sb_reset(&c->out);
    c->status = err_http_status(c->err.code);
    sb_lit(&c->out, "{\"errors\":[{\"message\":");
    sb_json(&c->out, str_c(c->err.text));
    if (run->place.line)
        sb_fmt(&c->out, ",\"locations\":[{\"line\":%u,\"column\":%u}]", run->place.line,
               run->place.column);
    sb_fmt(&c->out, ",\"extensions\":{\"code\":\"%s\",\"resource\":", err_issue_type(c->err.code));
    outcome_err(&c->out, &c->err);
    sb_lit(&c->out, "}}]}");
}

/* Where a resource is wanted (an entry of a Bundle) the answer is a Binary, as the operation's
 * definition says. */
static int wrap(struct call *c)
{
    struct sb out = sb_make(API_REPLY_MAX);

    sb_lit(&out, "{\"resourceType\":\"Binary\",\"contentType\":\"application/json\",\"data\":\"");
    b64_encode(&out, sb_view(&c->out));
    sb_lit(&out, "\"}");
    sb_done(&c->out);
    c->out = out;
    return sb_ok(&c->out, &c->err);
}

int op_graphql(struct call *c, struct store_txn *txn)
{
    struct gq_run run = {.c = c, .txn = txn};
    int r = call_world_init(&run.world, c);

    if (r < 0)
        return r;
    arena_init(&run.scratch, HTTP_ARENA_MAX);
    r = run_query(&run);
    arena_done(&run.scratch);
    call_world_done(&run.world);
    if (r < 0 && (c->err.code == ERR_NO_MEMORY || err_http_status(c->err.code) >= 500))
        return r;
    c->status = 200;
    if (r < 0)
        write_error(&run);
    if (!c->x)
        return wrap(c);
    c->type_out = STR("application/json;charset=utf-8");
    return sb_ok(&c->out, &c->err);
}
