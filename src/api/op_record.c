/* op_record.c - Patient/ID/$record: all of a record as one page for people. It holds all that it
 * shows (no scripts, no links to elsewhere), prints, and speaks one of six languages: that of
 * `language`, of the Patient, or of the node's fallback.
 *
 * What is in it is what $everything gives to whoever asks, of which every value is shown; texts of
 * records are escaped, narratives are shown as the text that they are.
 */
#include "api/op.h"
#include "api/record_int.h"

#include "base/clock.h"
#include "http/http.h"

#define PARTS_MAX 100 /* of $everything */
#define STYLE                                                                                      \
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}"     \
    "h2{border-bottom:1px solid;margin-top:2rem}article{margin:1rem 0;break-inside:avoid}"         \
    "h3{font-size:1rem;margin:0}dl{margin:0 0 0 1rem}dt{font-weight:600}dd{margin:0 0 0 1rem}"     \
    "summary{cursor:pointer}@media print{details>*{display:block}}"

struct record {
    struct call *c;
    enum notify_language language;
    struct {
        yyjson_val **v;
        size_t n, cap;
    } sections[RECORD_SECTIONS + 1];
    struct sb page;
};

/* ---- what is in it ---- */

static int add(struct record *d, yyjson_val *resource)
{
    size_t i = record_section_of(js_get_str(resource, "resourceType"));

    if (d->sections[i].n == d->sections[i].cap) {
        size_t cap = MAX(d->sections[i].cap * 2, (size_t)32);
        yyjson_val **more = arena_grow(d->c->a, d->sections[i].v, d->sections[i].cap * sizeof *more,
                                       cap * sizeof *more);

        if (!more)
            return err_no_memory(&d->c->err);
        d->sections[i].v = more;
        d->sections[i].cap = cap;
    }
    d->sections[i].v[d->sections[i].n++] = resource;
    return 0;
}

/* The query of the next part; STR_NULL at the end. */
static struct str next_of(yyjson_val *bundle)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(bundle, "link"), i, max, one) {
        struct str url = js_get_str(one, "url");
        ptrdiff_t mark = str_find(url, '?');

        if (str_eq(js_get_str(one, "relation"), STR("next")) && mark >= 0)
            return str_from(url, (size_t)mark + 1);
    }
    return STR_NULL;
}

static int gather(struct record *d, struct store_txn *txn)
{
    struct call *c = d->c;
    struct str asked = c->query, next = STR(""), text;
    int r = 0;

    /* What was asked for is read; the parts are asked for by their own queries. */
    c->body = STR("");
    c->resource = NULL;

    for (int part = 0; next.p && r >= 0; part++) {
        yyjson_val *bundle = NULL, *one;
        size_t i, max;

        if (part == PARTS_MAX)
            return err_set(&c->err, ERR_COSTLY, "the record is too long for a page");
        c->query = next;
        sb_reset(&c->out);
        if ((r = op_everything(c, txn)) < 0)
            break;
        text = arena_dup(c->a, sb_view(&c->out));
        r = text.p ? js_parse(c->a, text, &bundle, &c->err) : err_no_memory(&c->err);
        if (r < 0)
            break;
        yyjson_arr_foreach(js_get(bundle, "entry"), i, max, one) {
            if (r >= 0)
                r = add(d, js_get(one, "resource"));
        }
        next = next_of(bundle);
    }
    c->query = asked;
    sb_reset(&c->out);
    return r;
}

/* ---- the page ---- */

static void write_value(struct record *d, yyjson_val *v);

/* "birthDate" as "birth date". */
static void write_name(struct record *d, struct str name)
{
    char c[2] = {0};

    for (size_t i = 0; i < name.n; i++) {
        bool is_capital = name.p[i] >= 'A' && name.p[i] <= 'Z';

        if (is_capital)
            sb_char(&d->page, ' ');
        c[0] = is_capital ? (char)(name.p[i] + 32) : name.p[i];
        sb_html(&d->page, str_n(c, 1));
    }
}

static void write_members(struct record *d, yyjson_val *object)
{
    yyjson_val *k, *v;
    size_t i, max;

    sb_lit(&d->page, "<dl>");
    yyjson_obj_foreach(object, i, max, k, v) {
        sb_lit(&d->page, "<dt>");
        write_name(d, js_str(k));
        sb_lit(&d->page, "</dt><dd>");
        write_value(d, v);
        sb_lit(&d->page, "</dd>");
    }
    sb_lit(&d->page, "</dl>");
}

/* Bounded by JS_DEPTH_MAX. */
static void write_value(struct record *d, yyjson_val *v)
{
    yyjson_val *one;
    size_t i, max;

    if (yyjson_is_obj(v)) {
        write_members(d, v);
    } else if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, i, max, one) {
            sb_lit(&d->page, "<div>");
            write_value(d, one);
            sb_lit(&d->page, "</div>");
        }
    } else {
        sb_lit(&d->page, "<bdi>");
        sb_html(&d->page, js_primitive(v));
        sb_lit(&d->page, "</bdi>");
    }
}

static struct str concept_text(yyjson_val *concept)
{
    struct str text = js_get_str(concept, "text");
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(concept, "coding"), i, max, one) {
        if (!text.n)
            text = js_get_str(one, "display");
    }
    yyjson_arr_foreach(js_get(concept, "coding"), i, max, one) {
        if (!text.n)
            text = js_get_str(one, "code");
    }
    return text;
}

/* What it is, in a line: by what most types have. */
static void write_title(struct record *d, yyjson_val *resource)
{
    static const char *const concepts[] = {"code", "vaccineCode", "medicationCodeableConcept",
                                           "type", "serviceType"};
    static const char *const dates[] = {
        "effectiveDateTime", "occurrenceDateTime", "onsetDateTime", "performedDateTime",
        "recordedDate",      "authoredOn",         "dateTime",      "date",
        "birthDate"};
    yyjson_val *quantity = js_get(resource, "valueQuantity");
    yyjson_val *period = js_get(resource, "period");
    struct str text = STR_NULL, when = STR_NULL;

    for (size_t i = 0; i < ARRAY_LEN(concepts) && !text.n; i++) {
        yyjson_val *v = js_get(resource, concepts[i]);

        text = concept_text(yyjson_is_arr(v) ? yyjson_arr_get_first(v) : v);
    }
    for (size_t i = 0; i < ARRAY_LEN(dates) && !when.n; i++)
        when = js_get_str(resource, dates[i]);
    if (!when.n)
        when = js_get_str(period, "start");
    sb_lit(&d->page, "<h3><bdi>");
    sb_html(&d->page, text.n ? text : js_get_str(resource, "resourceType"));
    sb_lit(&d->page, "</bdi>");
    if (quantity) {
        sb_lit(&d->page, ": <bdi>");
        sb_html(&d->page, js_primitive(js_get(quantity, "value")));
        sb_char(&d->page, ' ');
        sb_html(&d->page, js_get_str(quantity, "unit"));
        sb_lit(&d->page, "</bdi>");
    }
    if (when.n) {
        sb_lit(&d->page, " <time>");
        sb_html(&d->page, str_head(when, MIN(when.n, (size_t)10)));
        sb_lit(&d->page, "</time>");
    }
    sb_lit(&d->page, "</h3>");
}

static void write_section(struct record *d, size_t i)
{
    if (!d->sections[i].n)
        return;
    sb_lit(&d->page, "<section><h2>");
    sb_html(&d->page, record_section(i, d->language));
    sb_lit(&d->page, "</h2>");
    for (size_t k = 0; k < d->sections[i].n; k++) {
        sb_lit(&d->page, "<article>");
        write_title(d, d->sections[i].v[k]);
        sb_lit(&d->page, "<details><summary>");
        sb_html(&d->page, record_word(WORD_ALL, d->language));
        sb_lit(&d->page, "</summary>");
        write_members(d, d->sections[i].v[k]);
        sb_lit(&d->page, "</details></article>");
    }
    sb_lit(&d->page, "</section>");
}

static int write_page(struct record *d)
{
    struct call *c = d->c;
    const char *language = notify_language_name(d->language);
    struct str title = record_word(WORD_TITLE, d->language);
    char now[CLOCK_INSTANT_MAX];

    clock_format(clock_now_ms(), now);
    sb_fmt(&d->page,
           "<!DOCTYPE html><html lang=\"%s\" dir=\"%s\"><head><meta charset=\"utf-8\"><meta "
           "name=\"viewport\" content=\"width=device-width\"><title>%.*s</title><style>" STYLE
           "</style></head><body><main><h1>%.*s</h1><p>%.*s <time>%.10s</time></p>",
           language, d->language == NOTIFY_ar ? "rtl" : "ltr", STR_ARG(title), STR_ARG(title),
           STR_ARG(record_word(WORD_MADE, d->language)), now);
    for (size_t i = 0; i <= RECORD_SECTIONS; i++)
        write_section(d, i);
    sb_lit(&d->page, "</main></body></html>\n");
    sb_str(&c->out, sb_view(&d->page));
    if (d->page.failed)
        return err_set(&c->err, ERR_TOO_LONG, "the record is too long for a page");
    c->type_out = STR("text/html;charset=utf-8");
    http_reply_header(c->x, "Content-Security-Policy",
                      STR("default-src 'none'; style-src 'unsafe-inline'; sandbox"));
    http_reply_header(c->x, "Cache-Control", STR("no-store"));
    c->status = 200;
    return sb_ok(&c->out, &c->err);
}

/* ---- its language ---- */

static int settle_language(struct record *d, struct store_txn *txn)
{
    struct call *c = d->c;
    struct notice_contact contact;
    struct op_params params;
    struct str asked;
    yyjson_val *patient;
    int r = op_params_read(c, &params);

    if (r >= 0)
        r = op_params_only(c, &params, "language");
    if (r < 0)
        return r;
    asked = op_param_text(&params, "language");
    d->language = c->api->notify ? notify_fallback(c->api->notify) : NOTIFY_en;
    if (asked.p)
        return notify_language_of(asked, &d->language)
                   ? 0
                   : err_at(&c->err, ERR_VALUE, "language", "this page does not speak that");
    if ((r = op_resource(c, txn, c->type, c->id, &patient)) < 0 ||
        (r = notify_contact(c->a, patient, d->language, &contact, &c->err)) < 0)
        return r;
    d->language = contact.language;
    return 0;
}

int op_record(struct call *c, struct store_txn *txn)
{
    struct record d = {.c = c, .page = sb_make(API_REPLY_MAX)};
    int r = op_alone(c);

    if (r >= 0)
        r = settle_language(&d, txn);
    if (r >= 0)
        r = gather(&d, txn);
    if (r >= 0)
        r = write_page(&d);
    sb_done(&d.page);
    return r;
}
