/* capability.c - the CapabilityStatement, written from the dispatch table and the parameters in
 * force, so that it cannot claim what is not there (http.html#capabilities).
 */
#include "api/op.h"

#include "base/clock.h"

static const char *const kinds[] = {
    [PARAM_NUMBER] = "number",       [PARAM_DATE] = "date",
    [PARAM_STRING] = "string",       [PARAM_TOKEN] = "token",
    [PARAM_REFERENCE] = "reference", [PARAM_COMPOSITE] = "composite",
    [PARAM_QUANTITY] = "quantity",   [PARAM_URI] = "uri",
    [PARAM_SPECIAL] = "special"};

static void write_interactions(struct sb *out, bool system)
{
    size_t n;
    const struct api_row *rows = dispatch_rows(&n);
    bool first = true;

    sb_lit(out, "\"interaction\":[");
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].interaction || (rows[i].scope == SCOPE_SYSTEM) != system)
            continue;
        sb_fmt(out, "%s{\"code\":\"%s\"}", first ? "" : ",", rows[i].interaction);
        first = false;
        if (rows[i].action == ACT_BUNDLE)
            sb_lit(out, ",{\"code\":\"batch\"}");
    }
    sb_char(out, ']');
}

static void write_param(struct sb *out, bool *first, struct str name, const char *kind,
                        struct str url)
{
    if (!*first)
        sb_char(out, ',');
    *first = false;
    sb_lit(out, "{\"name\":");
    sb_json(out, name);
    if (url.n) {
        sb_lit(out, ",\"definition\":");
        sb_json(out, url);
    }
    sb_fmt(out, ",\"type\":\"%s\"}", kind);
}

static void write_operation(struct sb *out, bool *first, struct str name, const char *url)
{
    sb_fmt(out, "%s{\"name\":\"%.*s\",\"definition\":\"%s\"}", *first ? ",\"operation\":[" : ",",
           STR_ARG(name), url);
    *first = false;
}

/* Of a type, or (0) of the system: an operation stands where it may be asked. */
static void write_operations(struct sb *out, const struct call *c, int type)
{
    bool first = true;
    size_t n;
    const struct op *ops = op_table(&n);

    if (type && c->api->config.allow_expunge)
        write_operation(out, &first, STR("expunge"), "urn:carnet:operation:expunge");
    for (size_t i = 0; i < n; i++)
        if (!ops[i].is_own &&
            (type ? op_is_for(&ops[i], type) && ops[i].at & (OP_AT_TYPE | OP_AT_INSTANCE)
                  : (ops[i].at & OP_AT_SYSTEM) != 0))
            write_operation(out, &first, ops[i].name, ops[i].url);
    if (!first)
        sb_char(out, ']');
}

static bool targets(const struct param *p, int type)
{
    for (const int *t = p->def.targets; t && *t; t++)
        if (*t == type)
            return true;
    return false;
}

static void write_include(struct sb *out, const struct param *p)
{
    sb_lit(out, ",\"");
    sb_str(out, def_resource_name(p->def.type));
    sb_char(out, ':');
    sb_str(out, p->def.code);
    sb_char(out, '"');
}

/* What _include takes from the type, and what _revinclude brings to it (those whose definition
 * names it; those that may refer to anything come with the star). */
static void write_includes(struct sb *out, const struct call *c, int type)
{
    size_t n;
    const struct param *p = params_of(c->params, type, &n);

    sb_lit(out, ",\"searchInclude\":[\"*\"");
    for (size_t i = 0; i < n; i++)
        if (p[i].searchable && p[i].def.kind == PARAM_REFERENCE)
            write_include(out, &p[i]);
    sb_lit(out, "],\"searchRevInclude\":[\"*\"");
    for (int from = 1; from <= DEF_RESOURCE_MAX; from++) {
        p = params_of(c->params, from, &n);
        for (size_t i = 0; i < n; i++)
            if (p[i].searchable && p[i].def.kind == PARAM_REFERENCE && targets(&p[i], type))
                write_include(out, &p[i]);
    }
    sb_char(out, ']');
}

static void write_resource(struct sb *out, const struct call *c, int type)
{
    const struct api_config *config = &c->api->config;
    size_t n;
    const struct param *params = params_of(c->params, type, &n);
    bool first = true;

    sb_lit(out, "{\"type\":\"");
    sb_str(out, def_resource_name(type));
    sb_lit(out, "\",\"profile\":\"http://hl7.org/fhir/StructureDefinition/");
    sb_str(out, def_resource_name(type));
    sb_lit(out, "\",");
    write_interactions(out, false);
    sb_fmt(out,
           ",\"versioning\":\"versioned\",\"readHistory\":true,\"updateCreate\":%s,"
           "\"conditionalCreate\":true,\"conditionalRead\":\"full-support\",\"conditionalUpdate\":"
           "true,"
           "\"conditionalDelete\":\"%s\",\"referencePolicy\":[\"literal\",\"local\"%s],"
           "\"searchParam\":[",
           config->no_update_create ? "false" : "true",
           config->no_multiple_delete ? "single" : "multiple",
           config->references == API_REFERENCES_EXIST ? ",\"enforced\"" : "");
    write_param(out, &first, STR("_id"), "token",
                STR("http://hl7.org/fhir/SearchParameter/Resource-id"));
    write_param(out, &first, STR("_lastUpdated"), "date",
                STR("http://hl7.org/fhir/SearchParameter/Resource-lastUpdated"));
    for (size_t i = 0; i < n; i++)
        if (params[i].searchable)
            write_param(out, &first, params[i].def.code, kinds[params[i].def.kind],
                        params[i].def.url);
    sb_char(out, ']');
    write_includes(out, c, type);
    write_operations(out, c, type);
    sb_char(out, '}');
}

/* What every type can be searched by, beside its own parameters. */
static void write_common_params(struct sb *out)
{
    static const struct {
        struct str name;
        const char *kind;
    } common[] = {{STR("_type"), "token"},     {STR("_text"), "string"},
                  {STR("_content"), "string"}, {STR("_list"), "special"},
                  {STR("_has"), "special"},    {STR("_filter"), "special"},
                  {STR("_contained"), "token"}};
    bool first = true;

    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        write_param(out, &first, common[i].name, common[i].kind, STR(""));
}

/* SMART App Launch: where tokens come from (rest.security). */
static void write_security(struct sb *out, struct str root)
{
    static const char *const uris[][2] = {{"authorize", "/auth/authorize"},
                                          {"token", "/auth/token"},
                                          {"introspect", "/auth/introspect"},
                                          {"revoke", "/auth/revoke"},
                                          {"register", "/auth/register"}};

    if (!root.n)
        return;
    sb_lit(out, "\"security\":{\"extension\":[{\"url\":\"http://fhir-registry.smarthealthit.org/"
                "StructureDefinition/oauth-uris\",\"extension\":[");
    for (size_t i = 0; i < ARRAY_LEN(uris); i++)
        sb_fmt(out, "%s{\"url\":\"%s\",\"valueUri\":\"%.*s%s\"}", i ? "," : "", uris[i][0],
               STR_ARG(root), uris[i][1]);
    sb_lit(out, "]}],\"service\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
                "restful-security-service\",\"code\":\"SMART-on-FHIR\"}]}]},");
}

int api_capabilities(struct call *c, struct store_txn *txn)
{
    struct sb *out = &c->out;
    char now[CLOCK_INSTANT_MAX];

    if (str_eq(call_parameter(c, STR("mode")), STR("terminology")))
        return api_terminology_capabilities(c, txn);
    clock_format(c->api->started_ms, now);
    sb_fmt(out,
           "{\"resourceType\":\"CapabilityStatement\",\"status\":\"active\",\"date\":\"%s\","
           "\"publisher\":\"Carnet\",\"kind\":\"instance\",\"software\":{\"name\":\"Carnet\","
           "\"version\":",
           now);
    sb_json(out, c->api->config.version);
    sb_lit(out, "},\"implementation\":{\"description\":\"Carnet, a country's digital-health "
                "node\",\"url\":");
    sb_json(out, c->base);
    sb_lit(out, "},\"fhirVersion\":\"4.0.1\",\"format\":[\"application/fhir+json\","
                "\"application/fhir+xml\",\"json\",\"xml\"],"
                "\"patchFormat\":[\"application/json-patch+json\",\"application/fhir+json\","
                "\"application/fhir+xml\"],\"rest\":[{\"mode\":\"server\","
                "\"documentation\":\"Searches, histories, batches and transactions honour "
                "Prefer: respond-async.\",");
    write_security(out, c->api->security);
    sb_lit(out, "\"resource\":[");
    for (int type = 1; type <= DEF_RESOURCE_MAX; type++) {
        if (type > 1)
            sb_char(out, ',');
        write_resource(out, c, type);
    }
    sb_lit(out, "],");
    write_interactions(out, true);
    sb_lit(out, ",\"searchParam\":[");
    write_common_params(out);
    sb_char(out, ']');
    write_operations(out, c, 0);
    sb_lit(out, "}]}");
    c->status = 200;
    return sb_ok(out, &c->err);
}
