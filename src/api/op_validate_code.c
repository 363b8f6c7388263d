/* op_validate_code.c - $validate-code of CodeSystem and ValueSet: is this code right here?
 * (codesystem-operation-validate-code.html, valueset-operation-validate-code.html)
 */
#include "api/terms.h"

#include "fhir/outcome.h"
#include "terminology/check.h"

#define MESSAGE_ID "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id"
#define ISSUE_TYPES "http://hl7.org/fhir/tools/CodeSystem/tx-issue-type"

struct validating {
    struct terms_call *t;
    struct vs *vs; /* NULL: against the code system alone */
    struct coding *codings;
    size_t n;
    yyjson_val *concept; /* as it was sent */
    struct check_options opt;
    struct str url; /* of the code system, where its operation names it */
};

/* ---- what is asked ---- */

static int read_concept(struct validating *v, yyjson_val *concept)
{
    yyjson_val *codings = js_get(concept, "coding"), *c;
    struct call *call = v->t->c;
    size_t i, n;

    if (yyjson_arr_size(codings) > CHECK_CODINGS_MAX)
        return err_set(&call->err, ERR_COSTLY, "a concept may have %d codings", CHECK_CODINGS_MAX);
    v->codings = ARENA_ARRAY(call->a, struct coding, yyjson_arr_size(codings));
    if (!v->codings)
        return err_no_memory(&call->err);
    yyjson_arr_foreach(codings, i, n, c) {
        v->codings[v->n++] = terms_coding(c);
    }
    v->concept = concept;
    v->opt.is_concept = true;
    v->opt.where = "CodeableConcept";
    return 0;
}

static int read_coding(struct validating *v, bool of_system)
{
    const struct op_params *p = &v->t->p;
    const struct op_param *coding = op_param_find(p, "coding");
    struct str version = op_param_text(p, of_system ? "version" : "systemVersion");
    struct call *c = v->t->c;

    v->codings = ARENA_NEW(c->a, struct coding);
    if (!v->codings)
        return err_no_memory(&c->err);
    v->n = 1;
    v->opt.where = "";
    if (coding && yyjson_is_obj(coding->value)) {
        *v->codings = terms_coding(coding->value);
        v->opt.where = "Coding";
    } else {
        struct str system = op_param_text(p, of_system ? "url" : "system");
        if (!system.n)
            system = op_param_text(p, "system");
        *v->codings =
            (struct coding){system, version, op_param_text(p, "code"), op_param_text(p, "display")};
    }
    if (!v->codings->code.n ||
        (!of_system && !*v->opt.where && !v->codings->system.n && !v->opt.infer_system))
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                      "one of the parameters \"code\" (with \"system\" or \"inferSystem\"), "
                      "\"coding\" and \"codeableConcept\" is needed");
    return 0;
}

static int read_supplements(struct validating *v)
{
    struct terms_call *t = v->t;
    int r = supplements_of(&t->s, v->vs, &v->opt.supplements, &t->c->err);

    for (size_t i = 0; r >= 0 && i < t->p.n; i++)
        if (str_eq(t->p.v[i].name, STR("useSupplement")) && t->p.v[i].text.n)
            r = supplement_add(&t->s, t->p.v[i].text, &v->opt.supplements, &t->c->err);
    return r;
}

/* Those that the value set has a say in are read once it is known. */
static int read_options(struct validating *v)
{
    const struct op_params *p = &v->t->p;
    struct call *c = v->t->c;
    bool abstract, lenient;
    int r = v->vs ? terms_call_own(v->t, v->vs) : 0;

    if (r < 0 ||
        (r = op_param_bool(c, p, "valueset-membership-only", false, &v->opt.membership_only)) < 0)
        return r;
    if ((r = op_param_bool(c, p, "abstract", true, &abstract)) < 0 ||
        (r = op_param_bool(c, p, "activeOnly", false, &v->opt.active_only)) < 0 ||
        (r = op_param_bool(c, p, "lenient-display-validation", false, &lenient)) < 0)
        return r;
    v->opt.abstract_refused = !abstract;
    v->opt.lenient_display = lenient;
    v->opt.language = terms_call_language(v->t, v->vs);
    return read_supplements(v);
}

/* ---- what it is asked of ---- */

static int find_value_set(struct validating *v)
{
    struct terms_call *t = v->t;
    struct str url = op_param_text(&t->p, "url"), version = op_param_text(&t->p, "valueSetVersion");
    struct call *c = t->c;
    yyjson_val *resource;
    int r;

    if (c->id.n)
        return terms_call_instance_set(t, &v->vs);
    if ((r = terms_call_brought(t, "valueSet", "ValueSet", &resource)) < 0)
        return r;
    if (resource)
        return terms_value_set_of(&t->s, resource, &v->vs, &c->err);
    if (!url.n && (r = terms_call_context(t, &url)) < 0)
        return r;
    if (!url.n)
        return err_at(&c->err, ERR_REQUIRED, "Parameters.parameter",
                      "the parameter \"url\", \"valueSet\" or \"context\" is needed");
    if (version.n)
        url = arena_join(c->a, (const struct str[]){url, STR("|"), version}, 3);
    if (!url.p)
        return err_no_memory(&c->err);
    r = terms_value_set(&t->s, url, &v->vs, &c->err);
    if (r >= 0 && !v->vs)
        return terms_call_no_value_set(t, url);
    return r;
}

/* Of a concept the codings of other systems do not matter, unless there is no other. */
static void keep_those_of(struct validating *v, struct str system)
{
    size_t n = 0;

    for (size_t i = 0; i < v->n; i++)
        if (str_eq(v->codings[i].system, system))
            v->codings[n++] = v->codings[i];
    v->n = n ? n : v->n;
}

/* The code system that a call brings, or that is its instance: the question finds it under its url.
 * What is kept is found by the version, too. */
static int use_system(struct validating *v, yyjson_val *resource, struct str *ret_version)
{
    struct terms_call *t = v->t;
    struct str url = js_get_str(resource, "url");
    yyjson_val *newest = NULL;
    int r;

    *ret_version = js_get_str(resource, "version");
    if (!t->c->id.n)
        return terms_call_bring(t, resource);
    if (ret_version->n || !url.n)
        return 0;
    r = terms_resource(&t->s, "CodeSystem", url, &newest, &t->c->err);
    if (r < 0 || str_eq(js_get_str(newest, "id"), t->c->id))
        return r;
    return terms_call_bring(t, resource);
}

/* The system that the operation names counts where a coding names none. */
static int settle_system(struct validating *v)
{
    struct terms_call *t = v->t;
    struct str url = op_param_text(&t->p, "url"), version = STR("");
    yyjson_val *resource;
    int r = t->c->id.n ? terms_call_instance(t, &resource)
                       : terms_call_brought(t, "codeSystem", "CodeSystem", &resource);

    if (r < 0)
        return r;
    if (resource) {
        url = js_get_str(resource, "url");
        if ((r = use_system(v, resource, &version)) < 0)
            return r;
    }
    for (size_t i = 0; i < v->n; i++)
        if (!v->codings[i].system.n)
            v->codings[i].system = url;
    for (size_t i = 0; i < v->n; i++)
        if (!v->codings[i].version.n && str_eq(v->codings[i].system, url))
            v->codings[i].version = version;
    v->opt.system = url;
    if (v->opt.is_concept)
        keep_those_of(v, url);
    return 0;
}

/* ---- the answer ---- */

static void write_issue(struct sb *out, const struct check_issue *issue, bool first)
{
    static const char *const severities[] = {[ISSUE_FATAL] = "fatal",
                                             [ISSUE_ERROR] = "error",
                                             [ISSUE_WARNING] = "warning",
                                             [ISSUE_INFORMATION] = "information"};

    sb_fmt(out,
           "%s{\"extension\":[{\"url\":\"" MESSAGE_ID "\",\"valueString\":\"%s\"}],\"severity\":"
           "\"%s\",\"code\":\"%s\",\"details\":{\"coding\":[{\"system\":\"" ISSUE_TYPES
           "\",\"code\":\"%s\"}],\"text\":",
           first ? "" : ",", issue->id, severities[issue->severity], issue->type, issue->detail);
    sb_json(out, issue->text);
    sb_char(out, '}');
    if (issue->where.n) {
        sb_lit(out, ",\"location\":[");
        sb_json(out, issue->where);
        sb_lit(out, "],\"expression\":[");
        sb_json(out, issue->where);
        sb_char(out, ']');
    }
    sb_char(out, '}');
}

static void write_issues(struct terms_call *t, const struct checked *checked)
{
    if (!checked->n_issues)
        return;
    terms_out_name(t, "issues", "resource");
    sb_lit(t->out, "{\"resourceType\":\"OperationOutcome\",\"issue\":[");
    for (size_t i = 0; i < checked->n_issues; i++)
        write_issue(t->out, &checked->issues[i], i == 0);
    sb_lit(t->out, "]}}");
}

static int reply(struct validating *v, const struct checked *checked)
{
    struct terms_call *t = v->t;

    terms_out_begin(t);
    terms_out_bool(t, "result", checked->result);
    if (checked->has_found) {
        terms_out_text(t, "system", "valueUri", checked->found.system);
        terms_out_text(t, "code", "valueCode", checked->found.code);
        terms_out_text(t, "version", "valueString", checked->found.version);
        terms_out_text(t, "display", "valueString", checked->found.display);
    }
    terms_out_text(t, "message", "valueString", checked->message);
    terms_out_text(t, "normalized-code", "valueCode", checked->normalized);
    if (checked->inactive)
        terms_out_bool(t, "inactive", true);
    terms_out_text(t, "status", "valueCode", checked->status);
    for (size_t i = 0; i < checked->n_unknown && !checked->result; i++)
        terms_out_text(t, checked->undecided ? "x-caused-by-unknown-system" : "x-unknown-system",
                       "valueCanonical", checked->unknown[i]);
    if (v->concept) {
        terms_out_name(t, "codeableConcept", "valueCodeableConcept");
        js_write(t->out, v->concept);
        sb_char(t->out, '}');
    }
    write_issues(t, checked);
    return terms_out_end(t);
}

int terms_validate_code(struct terms_call *t)
{
    struct call *c = t->c;
    bool of_system = str_eq(def_resource_name(c->type), STR("CodeSystem"));
    const struct op_param *concept = op_param_find(&t->p, "codeableConcept");
    struct validating v = {.t = t};
    struct checked checked;
    int r;

    if ((r = op_param_bool(c, &t->p, "inferSystem", false, &v.opt.infer_system)) < 0)
        return r;
    /* An element's codes are of the systems of its value set. */
    v.opt.infer_system |= op_param_text(&t->p, "context").n > 0;
    r = concept && yyjson_is_obj(concept->value) ? read_concept(&v, concept->value)
                                                 : read_coding(&v, of_system);
    if (r < 0 || (r = of_system ? settle_system(&v) : find_value_set(&v)) < 0 ||
        (r = read_options(&v)) < 0 ||
        (r = terms_check(&t->s, v.vs, v.codings, v.n, &v.opt, &checked, &c->err)) < 0)
        return r;
    return reply(&v, &checked);
}

int op_validate_code(struct call *c, struct store_txn *txn)
{
    _cleanup_(terms_call_done) struct terms_call t;
    int r = terms_call_begin(&t, c, txn);

    return r < 0 ? r : terms_validate_code(&t);
}
