/* oauth_known.c - what a client may know beforehand: one document for SMART, OAuth and OpenID. */
#include "trust/oauth_int.h"

static const char rest[] =
    "\"response_types_supported\":[\"code\"],\"response_modes_supported\":[\"query\"],"
    "\"grant_types_supported\":[\"authorization_code\",\"refresh_token\",\"client_credentials\"],"
    "\"code_challenge_methods_supported\":[\"S256\"],"
    "\"token_endpoint_auth_signing_alg_values_supported\":[\"ES384\",\"RS384\"],"
    "\"introspection_endpoint_auth_methods_supported\":[\"private_key_jwt\","
    "\"client_secret_basic\",\"client_secret_post\"],"
    "\"dpop_signing_alg_values_supported\":[\"ES256\",\"ES384\",\"RS256\",\"RS384\",\"PS256\","
    "\"PS384\"],"
    "\"id_token_signing_alg_values_supported\":[\"ES384\"],\"subject_types_supported\":[\"public\"]"
    ","
    "\"acr_values_supported\":[\"1\",\"2\"],"
    "\"claims_supported\":[\"sub\",\"iss\",\"name\",\"fhirUser\",\"auth_time\",\"acr\"],"
    "\"ui_locales_supported\":[\"ar\",\"zh\",\"en\",\"fr\",\"ru\",\"es\"],"
    "\"authorization_response_iss_parameter_supported\":true,"
    "\"request_parameter_supported\":false,\"request_uri_parameter_supported\":false,"
    "\"scopes_supported\":[\"openid\",\"fhirUser\",\"profile\",\"launch\",\"launch/patient\","
    "\"offline_access\",\"online_access\",\"patient/*.rs\",\"patient/*.cruds\",\"user/*.rs\","
    "\"user/*.cruds\",\"system/*.rs\",\"system/*.cruds\"],"
    "\"capabilities\":[\"launch-ehr\",\"launch-standalone\",\"authorize-post\","
    "\"client-public\",\"client-confidential-symmetric\",\"client-confidential-asymmetric\","
    "\"sso-openid-connect\",\"context-ehr-patient\",\"context-ehr-encounter\","
    "\"context-standalone-patient\",\"permission-offline\",\"permission-online\","
    "\"permission-patient\",\"permission-user\",\"permission-v1\",\"permission-v2\"]}";

/* Of a node whose TLS asks clients for certificates (RFC 8705). */
static const char with_certificates[] =
    "\"token_endpoint_auth_methods_supported\":[\"private_key_jwt\",\"client_secret_basic\","
    "\"client_secret_post\",\"tls_client_auth\",\"self_signed_tls_client_auth\",\"none\"],"
    "\"tls_client_certificate_bound_access_tokens\":true,";
static const char without[] =
    "\"token_endpoint_auth_methods_supported\":[\"private_key_jwt\",\"client_secret_basic\","
    "\"client_secret_post\",\"none\"],";

int oauth_configuration(struct trust *t, struct sb *out, struct err *err)
{
    static const struct {
        const char *name, *path;
    } urls[] = {
        {"authorization_endpoint", "/auth/authorize"},
        {"token_endpoint", "/auth/token"},
        {"pushed_authorization_request_endpoint", "/auth/par"},
        {"introspection_endpoint", "/auth/introspect"},
        {"revocation_endpoint", "/auth/revoke"},
        {"registration_endpoint", "/auth/register"},
        {"userinfo_endpoint", "/auth/userinfo"},
        {"jwks_uri", "/auth/jwks"},
    };

    sb_lit(out, "{\"issuer\":");
    sb_json(out, t->root);
    for (size_t i = 0; i < ARRAY_LEN(urls); i++)
        sb_fmt(out, ",\"%s\":\"%.*s%s\"", urls[i].name, STR_ARG(t->root), urls[i].path);
    sb_char(out, ',');
    sb_str(out, str_c(t->has_certificates ? with_certificates : without));
    sb_str(out, str_c(rest));
    return sb_ok(out, err);
}

void oauth_well_known(struct oauth *o)
{
    int r = oauth_configuration(o->t, &o->reply->body, &o->err);

    if (r < 0) {
        oauth_failed(o, r, "server_error");
        return;
    }
    o->reply->status = 200;
    o->reply->type = "application/json";
    oauth_header(o, "Cache-Control", STR("public, max-age=300"));
}
