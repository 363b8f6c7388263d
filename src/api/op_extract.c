/* op_extract.c - QuestionnaireResponse/$extract: the records that a response makes, as a
 * transaction (http://hl7.org/fhir/uv/sdc/OperationDefinition/QuestionnaireResponse-extract).
 *
 * Nothing is stored: who asked sends the transaction, beside the response. Ids follow from the
 * response's own, so that a response that is extracted twice makes the same records, not twice as
 * many.
 */
#include "api/sdc_call.h"

#include "base/rng.h"
#include "trust/secret.h"

#define EXTRACT_BUNDLE_MAX MIB(16)

static int find_response(struct call *c, struct store_txn *txn, const struct op_params *params,
                         yyjson_val **ret)
{
    const struct op_param *given = op_param_find(params, "questionnaire-response");

    if (!given)
        given = op_param_find(params, "resource");
    if (c->id.n)
        return op_resource(c, txn, c->type, c->id, ret);
    if (!given || !given->value)
        return err_at(&c->err, ERR_REQUIRED, "questionnaire-response",
                      "the parameter \"questionnaire-response\" is missing");
    if (!str_eq(js_get_str(given->value, "resourceType"), STR("QuestionnaireResponse")))
        return err_at(&c->err, ERR_VALUE, "questionnaire-response",
                      "this is no QuestionnaireResponse");
    *ret = given->value;
    return 0;
}

/* The form itself, or the one that the response names; "#id" is in it. */
static int find_form(struct call *c, struct store_txn *txn, const struct op_params *params,
                     yyjson_val *response, yyjson_val **ret)
{
    const struct op_param *given = op_param_find(params, "questionnaire");
    struct str url = js_get_str(response, "questionnaire");
    yyjson_val *v;
    size_t i, n;

    *ret = given ? given->value : NULL;
    yyjson_arr_foreach(js_get(response, "contained"), i, n, v) {
        if (str_starts(url, STR("#")) && str_eq(js_get_str(v, "id"), str_from(url, 1)))
            *ret = v;
    }
    if (*ret && str_eq(js_get_str(*ret, "resourceType"), STR("Questionnaire")))
        return 0;
    if (*ret)
        return err_at(&c->err, ERR_VALUE, "questionnaire", "this is no Questionnaire");
    if (!url.n)
        return err_at(&c->err, ERR_REQUIRED, "QuestionnaireResponse.questionnaire",
                      "the response names no form");
    return sdc_call_form(c, txn, url, "QuestionnaireResponse.questionnaire", ret);
}

/* A UUID (RFC 9562, version 8) that follows from the response and the place in it; a fresh one for
 * a response without an id. */
static int id_of(struct call *c, struct str response, struct str key, char ret[UUID_TEXT_LEN + 1])
{
    unsigned char h[SHA256_BYTES];
    struct str text;

    if (!response.n) {
        uuid7(ret);
        return 0;
    }
    text = arena_join(c->a, (const struct str[]){response, STR("\n"), key}, 3);
    if (!text.p)
        return err_no_memory(&c->err);
    sha256(text, h);
    h[6] = (unsigned char)((h[6] & 0x0f) | 0x80);
    h[8] = (unsigned char)((h[8] & 0x3f) | 0x80);
    snprintf(ret, UUID_TEXT_LEN + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", h[0], h[1],
             h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11], h[12], h[13], h[14],
             h[15]);
    return 0;
}

static int write_update(struct call *c, struct sb *out, const struct sdc_entry *e)
{
    struct str tag = arena_fmt(c->a, "W/\"%.*s\"", STR_ARG(e->version));

    if (!tag.p)
        return err_no_memory(&c->err);
    sb_lit(out, "{\"resource\":");
    js_write(out, e->resource);
    sb_lit(out, ",\"request\":{\"method\":\"PUT\",\"url\":");
    sb_json(out, e->update);
    if (e->version.n) {
        sb_lit(out, ",\"ifMatch\":");
        sb_json(out, tag);
    }
    sb_lit(out, "}}");
    return 0;
}

static int write_entry(struct call *c, struct sb *out, struct str response,
                       const struct sdc_entry *e)
{
    struct str type = js_get_str(e->resource, "resourceType");
    char id[UUID_TEXT_LEN + 1];
    yyjson_val *named;
    int r;

    if (e->update.p)
        return write_update(c, out, e);
    r = id_of(c, response, e->key, id);
    if (r < 0)
        return r;
    named = response.n ? js_with_str(c->a, e->resource, "id", str_c(id)) : e->resource;
    if (!named)
        return err_no_memory(&c->err);
    sb_fmt(out, "{\"fullUrl\":\"urn:uuid:%s\",\"resource\":", id);
    js_write(out, named);
    if (response.n)
        sb_fmt(out, ",\"request\":{\"method\":\"PUT\",\"url\":\"%.*s/%s\"}}", STR_ARG(type), id);
    else
        sb_fmt(out, ",\"request\":{\"method\":\"POST\",\"url\":\"%.*s\"}}", STR_ARG(type));
    return 0;
}

static int reply(struct call *c, struct str response, const struct sdc_entries *made)
{
    _cleanup_(sb_done) struct sb out = sb_make(EXTRACT_BUNDLE_MAX);
    int r = 0;

    sb_lit(&out, "{\"resourceType\":\"Bundle\",\"type\":\"transaction\"");
    for (size_t i = 0; i < made->n && r >= 0; i++) {
        sb_str(&out, i ? STR(",") : STR(",\"entry\":["));
        r = write_entry(c, &out, response, &made->v[i]);
    }
    sb_str(&out, made->n ? STR("]}") : STR("}"));
    if (r < 0 || (r = sb_ok(&out, &c->err)) < 0)
        return r;
    return sdc_call_reply(c, "return", sb_view(&out));
}

int op_extract(struct call *c, struct store_txn *txn)
{
    _cleanup_(sdc_call_done) struct sdc_call s;
    struct sdc_entries made = {0};
    yyjson_val *response, *form;
    struct op_params params;
    int r;

    sdc_call_init(&s, c, txn);
    if ((r = op_params_read(c, &params)) < 0 ||
        (r = op_params_only(c, &params, "questionnaire-response resource questionnaire")) < 0 ||
        (r = find_response(c, txn, &params, &response)) < 0 ||
        (r = find_form(c, txn, &params, response, &form)) < 0 ||
        (r = sdc_extract(&s.sdc, form, response, &made, &c->err)) < 0)
        return r;
    return reply(c, js_get_str(response, "id"), &made);
}
