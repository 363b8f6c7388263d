/* xml.c - where JSON becomes XML and back: on the way in before an interaction, on the way out when
 * its answer is finished. Between the two nothing knows of XML. */
#include "api/negotiate.h"

#include "fhir/outcome.h"
#include "fhir/xml.h"

int call_body_from_xml(struct call *c, struct sb *json)
{
    int r = xml_read(c->a, c->body, json, &c->err);

    if (r < 0 && json->failed && c->body.n > json->max / XML_INFLATES_MAX)
        return err_set(&c->err, ERR_TOO_LONG, "the body is longer than %zu bytes as JSON",
                       json->max);
    if (r < 0)
        return r;
    c->body = sb_view(json);
    c->content_type = STR("application/fhir+json");
    return 0;
}

static int write_xml(struct call *c, struct sb *xml)
{
    yyjson_val *root;
    int r = js_parse_stored(c->a, sb_view(&c->out), &root, &c->err);

    return r < 0 ? r : xml_write(xml, c->a, root, c->pretty, &c->err);
}

static bool is_done_for_good(const struct call *c)
{
    return c->row && c->status < 300 &&
           (c->row->action == ACT_CREATE || c->row->action == ACT_UPDATE ||
            c->row->action == ACT_PATCH || c->row->action == ACT_BUNDLE);
}

/* JSON can say a little that XML cannot (an extension on an extension's url). What was written
 * stays written, so its reply stays a success. */
static void say_unwritable(struct call *c)
{
    struct err why = c->err;

    if (why.code == ERR_INVALID && is_done_for_good(c)) {
        sb_reset(&c->out);
        outcome_one(&c->out, ISSUE_WARNING, "not-supported",
                    STR("it is done, but the answer cannot be written as XML"), str_c(why.where),
                    str_c(why.text));
        return;
    }
    if (why.code == ERR_INVALID)
        err_at(&c->err, ERR_NOT_ACCEPTABLE, why.where,
               "the answer cannot be written as XML: %.300s", why.text);
    call_fail(c);
}

void call_out_to_xml(struct call *c)
{
    struct sb xml = sb_make(API_REPLY_MAX);

    if (write_xml(c, &xml) < 0) {
        say_unwritable(c);
        sb_reset(&xml);
        if (write_xml(c, &xml) < 0) { /* an outcome of our own: for lack of memory alone */
            sb_done(&xml);
            c->xml = false;
            return;
        }
    }
    sb_done(&c->out);
    c->out = xml;
}
