/* binary.c - Binary: raw content in and out (http://hl7.org/fhir/R4/binary.html#rest). */
#include "api/b64.h"
#include "api/call.h"

#define BINARY_JSON_MAX (STORE_BODY_MAX + KIB(4))

int binary_wrap(struct call *c)
{
    struct sb text = sb_make(BINARY_JSON_MAX);
    size_t n;

    sb_lit(&text, "{\"resourceType\":\"Binary\"");
    if (c->id.n) {
        sb_lit(&text, ",\"id\":");
        sb_json(&text, c->id);
    }
    sb_lit(&text, ",\"contentType\":");
    sb_json(&text, c->content_type.n ? c->content_type : STR("application/octet-stream"));
    if (c->security_context.n) {
        sb_lit(&text, ",\"securityContext\":{\"reference\":");
        sb_json(&text, c->security_context);
        sb_char(&text, '}');
    }
    if (c->body.n) {
        sb_lit(&text, ",\"data\":\"");
        b64_encode(&text, c->body);
        sb_char(&text, '"');
    }
    sb_char(&text, '}');
    if (text.failed) {
        sb_done(&text);
        return err_set(&c->err, ERR_TOO_LONG, "a Binary may have %zu bytes",
                       (size_t)(STORE_BODY_MAX / 4 * 3));
    }
    c->owned_body = sb_steal(&text, &n);
    c->body = str_n(c->owned_body, n);
    return 0;
}

int binary_unwrap(struct call *c)
{
    struct sb bytes = sb_make(STORE_BODY_MAX);
    yyjson_val *root;
    struct str type;
    int r = js_parse_stored(c->a, sb_view(&c->out), &root, &c->err);

    if (r < 0)
        return r;
    type = js_get_str(root, "contentType");
    if (!b64_decode_to(&bytes, js_get_str(root, "data").p ? js_get_str(root, "data") : STR(""))) {
        sb_done(&bytes);
        return err_set(&c->err, ERR_NO_STORE, "the Binary's data is not base 64");
    }
    c->type_out = type.n ? type : STR("application/octet-stream");
    sb_done(&c->out);
    c->out = bytes;
    return 0;
}
