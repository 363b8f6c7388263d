#include "api/terms.h"

#include "base/clock.h"
#include "fhir/date.h"
#include "terminology/canonical.h"

/* ---- in ---- */

#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* Answers are made of what is known today. Of another day the specification asks for an error
 * (valueset-operation-expand.html, date); a day to each side is for places in other zones. */
static int check_date(struct terms_call *t, struct str text)
{
    int64_t now = clock_now_ms();
    struct date date;
    int r = date_parse(DATE_DATETIME, text, 0, &date, &t->c->err);

    if (r < 0 || (date.from_ms <= now + DAY_MS && date.to_ms > now - DAY_MS))
        return r;
    return err_at(&t->c->err, ERR_NOT_SUPPORTED, "Parameters.parameter",
                  "answers are of today's definitions, not of those at %.*s",
                  (int)MIN(text.n, (size_t)DATE_TEXT_MAX), text.p);
}

/* "url|version" of a parameter that pins versions. */
static int add_pin(struct terms_call *t, const struct op_param *p, enum terms_pin_kind kind)
{
    struct str version, url = canonical_split(p->text, &version);

    if (!url.n || !version.n)
        return err_at(&t->c->err, ERR_VALUE, "Parameters.parameter", "%.*s takes \"url|version\"",
                      STR_ARG(p->name));
    if (t->s.n_pins == TERMS_PINS_MAX)
        return err_set(&t->c->err, ERR_COSTLY, "a call may name %d versions", TERMS_PINS_MAX);
    t->s.pins[t->s.n_pins++] = (struct terms_pin){p->name, url, version, kind};
    return 0;
}

int terms_call_bring(struct terms_call *t, yyjson_val *resource)
{
    if (t->s.n_extra == TERMS_EXTRA_MAX)
        return err_set(&t->c->err, ERR_COSTLY, "a call may bring %d resources", TERMS_EXTRA_MAX);
    if (!t->s.extra && !(t->s.extra = ARENA_ARRAY(t->c->a, yyjson_val *, TERMS_EXTRA_MAX)))
        return err_no_memory(&t->c->err);
    t->s.extra[t->s.n_extra++] = resource;
    return 0;
}

static int add_extra(struct terms_call *t, const struct op_param *p)
{
    if (!yyjson_is_obj(p->value))
        return err_at(&t->c->err, ERR_VALUE, "Parameters.parameter",
                      "tx-resource takes a resource");
    return terms_call_bring(t, p->value);
}

static int read_common(struct terms_call *t)
{
    static const struct {
        struct str name;
        enum terms_pin_kind kind;
    } pins[] = {
        {STR("system-version"), PIN_DEFAULT},       {STR("check-system-version"), PIN_CHECK},
        {STR("force-system-version"), PIN_FORCE},   {STR("default-valueset-version"), PIN_DEFAULT},
        {STR("check-valueset-version"), PIN_CHECK}, {STR("force-valueset-version"), PIN_FORCE},
    };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < t->p.n; i++) {
        const struct op_param *p = &t->p.v[i];
        for (size_t k = 0; r >= 0 && k < ARRAY_LEN(pins); k++)
            if (str_eq(p->name, pins[k].name))
                r = add_pin(t, p, pins[k].kind);
        if (r >= 0 && str_eq(p->name, STR("tx-resource")))
            r = add_extra(t, p);
        if (r >= 0 && str_eq(p->name, STR("date")) && p->text.n)
            r = check_date(t, p->text);
    }
    return r;
}

int terms_call_with(struct terms_call *t, struct call *c, struct store_txn *txn,
                    const struct op_params *p)
{
    int r = 0;

    t->c = c;
    t->txn = txn;
    t->out = &c->out;
    t->first = true;
    terms_scope_init(&t->s, c->api->terms, c->a);
    t->s.quick = c->budget > 0; /* on an event loop: else on a worker, again */
    if (!c->api->terms)
        return err_set(&c->err, ERR_NOT_SUPPORTED, "this node has no terminology");
    if (p)
        t->p = *p;
    else
        r = op_params_read(c, &t->p);
    return r < 0 ? r : read_common(t);
}

int terms_call_begin(struct terms_call *t, struct call *c, struct store_txn *txn)
{
    return terms_call_with(t, c, txn, NULL);
}

void terms_call_done(struct terms_call *t)
{
    terms_scope_done(&t->s);
}

struct str terms_call_language(const struct terms_call *t, const struct vs *vs)
{
    struct str given = op_param_text(&t->p, "displayLanguage"), own;

    if (given.n)
        return given;
    given = t->c->x ? http_header(t->c->x, "Accept-Language") : STR_NULL;
    own = vs ? js_get_str(vs->source, "language") : STR_NULL;
    return given.n ? given : own.n ? own : STR_NULL;
}

static bool is_expansion_parameter(yyjson_val *extension)
{
    struct str url = js_get_str(extension, "url");

    return str_eq(url, STR("http://hl7.org/fhir/StructureDefinition/"
                           "valueset-expansion-parameter")) ||
           str_eq(url, STR("http://hl7.org/fhir/tools/StructureDefinition/"
                           "valueset-expansion-parameter"));
}

/* {"url":"name","valueCode":…} and {"url":"value","value…":…} of an extension, as a parameter. */
static struct op_param read_own(yyjson_val *extension)
{
    struct op_param p = {.name = STR_NULL, .text = STR_NULL};
    yyjson_val *v, *key, *value;
    size_t i, n, k, m;

    yyjson_arr_foreach(js_get(extension, "extension"), i, n, v) {
        bool is_name = str_eq(js_get_str(v, "url"), STR("name"));
        yyjson_obj_foreach(v, k, m, key, value) {
            if (!str_starts(js_str(key), STR("value")))
                continue;
            if (is_name)
                p.name = js_primitive(value);
            else
                p.text = js_primitive(value);
        }
    }
    return p;
}

static bool is_given(const struct op_params *p, struct str name)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->v[i].name, name))
            return true;
    return false;
}

int terms_call_own(struct terms_call *t, const struct vs *vs)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(js_get(vs->source, "compose"), "extension"), i, n, v) {
        struct op_param p, *more;
        if (!is_expansion_parameter(v))
            continue;
        p = read_own(v);
        if (!p.name.n || !p.text.n || is_given(&t->p, p.name))
            continue;
        more = arena_grow(t->c->a, t->p.v, t->p.n * sizeof *more, (t->p.n + 1) * sizeof *more);
        if (!more)
            return err_no_memory(&t->c->err);
        more[t->p.n++] = p;
        t->p.v = more;
    }
    return 0;
}

static yyjson_val *element_named(yyjson_val *definition, struct str name)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(js_get(definition, "snapshot"), "element"), i, n, v) {
        struct str id = js_get_str(v, "id"), path = js_get_str(v, "path");
        if (str_eq(id, name) || str_eq(path, name) ||
            (str_ends(path, STR("[x]")) && str_eq(str_head(path, path.n - 3), name)))
            return v;
    }
    return NULL;
}

int terms_call_context(struct terms_call *t, struct str *ret)
{
    struct str context = op_param_text(&t->p, "context"), url, set;
    ptrdiff_t hash = str_rfind(context.n ? context : STR(""), '#');
    yyjson_val *definition = NULL;
    struct call *c = t->c;
    int r = 0;

    *ret = STR_NULL;
    if (!context.n)
        return 0;
    url = hash < 0 ? context : str_head(context, (size_t)hash);
    r = terms_resource(&t->s, "StructureDefinition", url, &definition, &c->err);
    if (r < 0)
        return r;
    set = hash < 0
              ? STR_NULL
              : js_get_str(js_get(element_named(definition, str_from(context, (size_t)hash + 1)),
                                  "binding"),
                           "valueSet");
    if (!set.n)
        return err_set(&c->err, ERR_NOT_FOUND, "the context \"%.*s\" leads to no value set",
                       (int)MIN(context.n, 300u), context.p);
    *ret = set;
    return 0;
}

int terms_call_brought(struct terms_call *t, const char *name, const char *type, yyjson_val **ret)
{
    const struct op_param *given = op_param_find(&t->p, name);

    *ret = NULL;
    if (!given)
        return 0;
    if (!str_eq(js_get_str(given->value, "resourceType"), str_c(type)))
        return err_at(&t->c->err, ERR_VALUE, "Parameters.parameter", "\"%s\" takes a %s", name,
                      type);
    *ret = given->value;
    return 0;
}

int terms_call_instance(struct terms_call *t, yyjson_val **ret)
{
    _cleanup_(sb_done) struct sb text = sb_make(STORE_BODY_MAX);
    struct call *c = t->c;
    struct row row;
    int r = store_get(t->txn, c->type, c->id, &row, &c->err);

    if (r < 0)
        return r;
    if (row.method == METHOD_DELETE)
        return err_set(&c->err, ERR_DELETED, "%.*s/%.*s was deleted",
                       STR_ARG(def_resource_name(c->type)), STR_ARG(c->id));
    if ((r = row_json(c->api->store, &row, &text, &c->err)) < 0)
        return r;
    return js_parse_stored(c->a, sb_view(&text), ret, &c->err);
}

int terms_call_instance_set(struct terms_call *t, struct vs **ret)
{
    struct call *c = t->c;
    struct str canonical, version;
    yyjson_val *resource;
    int r = terms_call_instance(t, &resource);

    if (r < 0)
        return r;
    canonical = js_get_str(resource, "url");
    version = js_get_str(resource, "version");
    if (canonical.n && version.n)
        canonical = arena_join(c->a, (const struct str[]){canonical, STR("|"), version}, 3);
    if (js_get_str(resource, "url").n && !canonical.p)
        return err_no_memory(&c->err);
    *ret = NULL;
    if (canonical.n && (r = terms_value_set(&t->s, canonical, ret, &c->err)) < 0)
        return r;
    return *ret && str_eq((*ret)->id, c->id) ? 0
                                             : terms_value_set_of(&t->s, resource, ret, &c->err);
}

struct coding terms_coding(yyjson_val *v)
{
    return (struct coding){js_get_str(v, "system"), js_get_str(v, "version"), js_get_str(v, "code"),
                           js_get_str(v, "display")};
}

int terms_call_coding(struct terms_call *t, const char *coding, const char *code,
                      struct coding *ret)
{
    const struct op_param *p = op_param_find(&t->p, coding);

    *ret = (struct coding){op_param_text(&t->p, "system"), op_param_text(&t->p, "version"),
                           op_param_text(&t->p, code), op_param_text(&t->p, "display")};
    if (p && yyjson_is_obj(p->value))
        *ret = terms_coding(p->value);
    if (!ret->code.n)
        return err_at(&t->c->err, ERR_REQUIRED, "Parameters.parameter",
                      "the parameter \"%s\" or \"%s\" is needed", code, coding);
    return 0;
}

/* ---- what is not here ---- */

#define SHOWN_CODE 100
#define SHOWN_URL 300

int terms_call_no_system(struct terms_call *t, struct str system, struct str version)
{
    system = str_head(system, SHOWN_URL);
    version = version.n ? str_head(version, SHOWN_CODE) : STR("");
    return err_set(&t->c->err, ERR_NOT_FOUND, "the code system \"%.*s%s%.*s\" is not known here",
                   STR_ARG(system), version.n ? "|" : "", STR_ARG(version));
}

int terms_call_no_value_set(struct terms_call *t, struct str canonical)
{
    canonical = str_head(canonical, SHOWN_URL);
    return err_set(&t->c->err, ERR_NOT_FOUND, "the value set \"%.*s\" is not known here",
                   STR_ARG(canonical));
}

int terms_call_no_code(struct terms_call *t, const struct cs *cs, struct str code, const char *why)
{
    struct str url = cs_url(cs), version = cs_version(cs);

    code = str_head(code, SHOWN_CODE);
    return err_set(&t->c->err, ERR_NOT_FOUND, "\"%.*s\" is no code of \"%.*s%s%.*s\"%s%s",
                   STR_ARG(code), STR_ARG(url), version.n ? "|" : "", STR_ARG(version),
                   why && *why ? ": " : "", why ? why : "");
}

/* ---- out ---- */

void terms_out_begin(struct terms_call *t)
{
    sb_lit(t->out, "{\"resourceType\":\"Parameters\",\"parameter\":[");
    t->first = true;
}

void terms_out_name(struct terms_call *t, const char *name, const char *type)
{
    sb_str(t->out, t->first ? STR("{\"name\":\"") : STR(",{\"name\":\""));
    t->first = false;
    sb_str(t->out, str_c(name));
    sb_lit(t->out, "\",\"");
    sb_str(t->out, str_c(type));
    sb_lit(t->out, "\":");
}

void terms_out_text(struct terms_call *t, const char *name, const char *type, struct str value)
{
    if (!value.n)
        return;
    terms_out_name(t, name, type);
    sb_json(t->out, value);
    sb_char(t->out, '}');
}

void terms_out_bool(struct terms_call *t, const char *name, bool value)
{
    terms_out_name(t, name, "valueBoolean");
    sb_str(t->out, value ? STR("true}") : STR("false}"));
}

void terms_out_open(struct terms_call *t, const char *name)
{
    terms_out_name(t, name, "part");
    sb_char(t->out, '[');
    t->first = true;
}

void terms_out_close(struct terms_call *t)
{
    sb_lit(t->out, "]}");
    t->first = false;
}

int terms_out_end(struct terms_call *t)
{
    sb_lit(t->out, "]}");
    t->c->status = 200;
    return sb_ok(t->out, &t->c->err);
}
