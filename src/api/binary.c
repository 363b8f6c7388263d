/* binary.c - Binary: raw content in and out (http://hl7.org/fhir/R4/binary.html#rest).
 *
 * The bytes may be as long as a body: they go from the request to the envelope and back without
 * being held as JSON. A stored text is ours, so its members are found without parsing it.
 */
#include "api/call.h"
#include "base/b64.h"

#define HEAD_MAX KIB(64) /* a Binary without its data */

int binary_wrap(struct call *c)
{
    _cleanup_(sb_done) struct sb text = sb_make(HEAD_MAX);
    struct str raw = c->body;

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
    sb_char(&text, '}');
    if (text.failed)
        return err_no_memory(&c->err);
    c->body = arena_dup(c->a, sb_view(&text));
    if (!c->body.p)
        return err_no_memory(&c->err);
    c->raw = raw;
    /* Who sent a long body does not want it back unless they say so. */
    if (raw.n > API_INLINE_BODY_MAX && c->prefer == RETURN_DEFAULT)
        c->prefer = RETURN_MINIMAL;
    return 0;
}

/* The JSON string that starts at text[at], with its quotes; .n 0 if it has no end. */
static struct str string_at(struct str text, size_t at)
{
    size_t i = at + 1;

    while (i < text.n) {
        const char *quote = memchr(text.p + i, '"', text.n - i);
        size_t back = 0;

        if (!quote)
            break;
        i = (size_t)(quote - text.p);
        while (text.p[i - 1 - back] == '\\')
            back++;
        i++;
        if (back % 2 == 0)
            return str_n(text.p + at, i - at);
    }
    return STR("");
}

/* The string value of the outermost object's member, between its quotes as it is written; STR_NULL
 * if there is none. The text is minified JSON of our own. */
static struct str member(struct str text, struct str name)
{
    size_t depth = 0;
    bool found = false;

    for (size_t i = 0; i < text.n; i++) {
        struct str s;
        if (text.p[i] == '{' || text.p[i] == '[')
            depth++;
        else if (text.p[i] == '}' || text.p[i] == ']')
            depth--;
        if (text.p[i] != '"')
            continue;
        s = string_at(text, i);
        if (s.n < 2)
            return STR_NULL;
        if (found)
            return str_n(s.p + 1, s.n - 2);
        i += s.n - 1;
        found = depth == 1 && i + 2 < text.n && text.p[i + 1] == ':' && text.p[i + 2] == '"' &&
                str_eq(str_n(s.p + 1, s.n - 2), name);
    }
    return STR_NULL;
}

int binary_unwrap(struct call *c)
{
    struct sb bytes = sb_make(STORE_BODY_MAX);
    struct str text = sb_view(&c->out), type = member(text, STR("contentType")),
               data = member(text, STR("data")), quoted;
    yyjson_val *value;

    if (type.n && memchr(type.p, '\\', type.n)) {
        quoted = str_n(type.p - 1, type.n + 2);
        type = js_parse_stored(c->a, quoted, &value, &c->err) < 0 ? STR_NULL : js_str(value);
    }
    if (!b64_decode_to(&bytes, data.p ? data : STR(""))) {
        sb_done(&bytes);
        return err_set(&c->err, ERR_NO_STORE, "the Binary's data is not base 64");
    }
    c->type_out = type.n ? arena_dup(c->a, type) : STR("application/octet-stream");
    sb_done(&c->out);
    c->out = bytes;
    return c->type_out.p ? 0 : err_no_memory(&c->err);
}
