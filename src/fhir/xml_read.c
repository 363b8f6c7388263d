/* xml_read.c - XML to JSON: libxml2's events, a narrative's bytes, and what is refused on the way.
 */
#include "fhir/xml_frames.h"

#include "fhir/xhtml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <pthread.h>

#define ATTRIBUTE_WORDS 5 /* of libxml2's array: local name, prefix, URI, value, its end */

/* A narrative is taken as the bytes of the document where those mean the same on their own.
 * Otherwise (prefixes, a namespace from further out, CDATA, carriage returns) it is written anew.
 */
struct narrative {
    size_t depth;     /* 0: we are in none */
    size_t begin;     /* of its bytes */
    bool is_plain;    /* as far as we have seen */
    bool is_known;    /* to stay plain: nothing is written */
    bool tag_is_open; /* the last start tag lacks its '>' */
    struct sb anew;
};

struct reader {
    struct str text;
    xmlParserCtxtPtr parser;
    struct frames frames;
    struct narrative div;
    size_t namespaces[XML_DEPTH_MAX + XHTML_DEPTH_MAX + 1]; /* in scope, by depth */
    size_t depth;
    bool is_simple; /* narratives that declare their namespace are plain: see xml_scan */
    const xmlChar *fhir, *xhtml; /* libxml2 keeps one copy of a namespace: these, once seen */
    bool failed;
    struct err *err;
};

static struct str text_of(const xmlChar *p)
{
    return str_c((const char *)p);
}

static bool is_namespace(const xmlChar *uri, struct str wanted, const xmlChar **seen)
{
    if (uri && uri == *seen)
        return true;
    if (!str_eq(text_of(uri), wanted))
        return false;
    *seen = uri;
    return true;
}

static bool is_fhir(struct reader *r, const xmlChar *uri)
{
    return is_namespace(uri, STR(XML_NAMESPACE), &r->fhir);
}

static bool is_xhtml(struct reader *r, const xmlChar *uri)
{
    return is_namespace(uri, STR(XHTML_NAMESPACE), &r->xhtml);
}

/* ---- saying ---- */

static void stop(struct reader *r)
{
    r->failed = true;
    xmlStopParser(r->parser);
}

/* `problem` is a predicate: "is not an element of R4". */
static void refuse(struct reader *r, const char *problem)
{
    char where[XML_PLACE_MAX];

    frames_place(&r->frames, where);
    err_at(r->err, ERR_INVALID, where, "%s %s (line %d)", where, problem,
           xmlSAX2GetLineNumber(r->parser));
    stop(r);
}

static void refuse_name(struct reader *r, struct str name, const char *problem)
{
    r->frames.at = name;
    refuse(r, problem);
}

/* libxml2's sentence: it may name what a stranger wrote, which need not be text. */
static void plain_message(const char *message, char *to, size_t max)
{
    size_t n = 0;

    for (; message && message[n] && message[n] != '\n' && n + 1 < max; n++)
        to[n] = message[n] >= ' ' && message[n] < 127 ? message[n] : '?';
    to[n] = '\0';
}

static void say_malformed(struct reader *r, const xmlError *e)
{
    char message[256];

    if (r->failed || e->level < XML_ERR_ERROR)
        return;
    r->failed = true;
    plain_message(e->message, message, sizeof message);
    if (e->code == XML_ERR_NO_MEMORY)
        err_no_memory(r->err);
    else
        err_set(r->err, ERR_SYNTAX, "not XML at line %d, column %d: %s", e->line, e->int2, message);
}

#if LIBXML_VERSION >= 21200
static void on_error(void *ctx, const xmlError *e)
#else
static void on_error(void *ctx, xmlErrorPtr e)
#endif
{
    say_malformed(ctx, e);
}

/* ---- narrative ---- */

static void close_tag(struct narrative *d)
{
    if (d->tag_is_open)
        sb_char(&d->anew, '>');
    d->tag_is_open = false;
}

/* Where the start tag lies that libxml2 has just read: an attribute has no '<' in it. */
static size_t begin_of_tag(const struct reader *r)
{
    size_t at = (size_t)MAX(xmlByteConsumed(r->parser), 0L);
    const char *p = memrchr(r->text.p, '<', MIN(at, r->text.n));

    return p ? (size_t)(p - r->text.p) : 0;
}

static bool write_attribute(struct narrative *d, struct str prefix, struct str name,
                            struct str value)
{
    if (prefix.n && !str_eq(prefix, STR("xml")))
        return false;
    sb_char(&d->anew, ' ');
    if (prefix.n)
        sb_lit(&d->anew, "xml:");
    sb_str(&d->anew, name);
    sb_lit(&d->anew, "=\"");
    xml_escape(&d->anew, value, true);
    sb_char(&d->anew, '"');
    return true;
}

static struct str value_of(const xmlChar **attribute)
{
    return str_n((const char *)attribute[3], (size_t)(attribute[4] - attribute[3]));
}

/* Whether the namespaces that a tag declares leave its bytes with their meaning elsewhere. */
static bool is_plain_tag(const struct narrative *d, const xmlChar *prefix, int n,
                         const xmlChar **namespaces)
{
    if (prefix || n > 1 || (d->depth == 0 && n == 0))
        return false;
    return n == 0 || (!namespaces[0] && str_eq(text_of(namespaces[1]), STR(XHTML_NAMESPACE)));
}

/* A start tag as it will stand in `anew`, but for its '>'. False if an attribute is refused. */
static bool write_tag(struct reader *r, struct str name, int n, const xmlChar **attributes)
{
    struct narrative *d = &r->div;

    close_tag(d);
    sb_char(&d->anew, '<');
    sb_str(&d->anew, name);
    if (d->depth == 0)
        sb_lit(&d->anew, " xmlns=\"" XHTML_NAMESPACE "\"");
    for (int i = 0; i < n; i++, attributes += ATTRIBUTE_WORDS)
        if (!write_attribute(d, text_of(attributes[1]), text_of(attributes[0]),
                             value_of(attributes))) {
            refuse_name(r, text_of(attributes[0]), "is an attribute of a foreign namespace");
            return false;
        }
    d->tag_is_open = true;
    return true;
}

static void begin_in_div(struct reader *r, struct str name, const xmlChar *prefix,
                         const xmlChar *uri, int n_namespaces, const xmlChar **namespaces, int n,
                         const xmlChar **attributes)
{
    struct narrative *d = &r->div;

    if (!is_xhtml(r, uri)) {
        refuse_name(r, name, "is not in the namespace " XHTML_NAMESPACE);
        return;
    }
    if (d->depth == 0) {
        d->is_plain = is_plain_tag(d, prefix, n_namespaces, namespaces);
        d->is_known = d->is_plain && r->is_simple;
        d->begin = begin_of_tag(r);
        sb_reset(&d->anew);
    } else {
        d->is_plain &= is_plain_tag(d, prefix, n_namespaces, namespaces);
    }
    if (d->is_known || write_tag(r, name, n, attributes))
        d->depth++;
}

static void write_end_tag(struct narrative *d, struct str name)
{
    if (d->tag_is_open) {
        sb_lit(&d->anew, "/>");
        d->tag_is_open = false;
        return;
    }
    sb_lit(&d->anew, "</");
    sb_str(&d->anew, name);
    sb_char(&d->anew, '>');
}

static void end_in_div(struct reader *r, struct str name)
{
    struct narrative *d = &r->div;
    struct str bytes;
    size_t at;

    if (!d->is_known)
        write_end_tag(d, name);
    if (--d->depth)
        return;
    at = (size_t)MAX(xmlByteConsumed(r->parser), 0L);
    bytes = at > d->begin && at <= r->text.n ? str_n(r->text.p + d->begin, at - d->begin) : STR("");
    d->is_plain &= str_ends(bytes, STR(">")) && str_find(bytes, '\r') < 0;
    if (d->is_known && !d->is_plain) {
        refuse(r, "has a narrative whose end the parser cannot tell");
        return;
    }
    r->frames.out->failed |= d->anew.failed;
    frames_narrative(&r->frames, d->is_plain ? bytes : sb_view(&d->anew));
}

/* ---- elements ---- */

static bool enter(struct reader *r, int n_namespaces)
{
    size_t before = r->depth ? r->namespaces[r->depth - 1] : 0;

    if (r->depth == ARRAY_LEN(r->namespaces)) {
        refuse(r, "has elements nested too deep");
        return false;
    }
    r->namespaces[r->depth++] = before + (size_t)n_namespaces;
    if (before + (size_t)n_namespaces > XML_NAMESPACES_MAX) {
        refuse(r, "has too many namespaces");
        return false;
    }
    return true;
}

/* Schema locations are passed over: nothing is fetched. */
static bool is_schema_location(const xmlChar **attribute)
{
    struct str name = text_of(attribute[0]);

    return str_eq(text_of(attribute[2]), STR(XSI_NAMESPACE)) &&
           (str_eq(name, STR("schemaLocation")) || str_eq(name, STR("noNamespaceSchemaLocation")));
}

static bool read_attributes(struct reader *r, int n, const xmlChar **attributes,
                            struct frame_attributes *ret)
{
    for (int i = 0; i < n; i++, attributes += ATTRIBUTE_WORDS) {
        struct str name = text_of(attributes[0]);
        bool is_ours = !attributes[1];

        if (is_ours && str_eq(name, STR("value")))
            ret->value = value_of(attributes);
        else if (is_ours && str_eq(name, STR("id")))
            ret->id = value_of(attributes);
        else if (is_ours && str_eq(name, STR("url")))
            ret->url = value_of(attributes);
        else if (r->frames.n || !is_schema_location(attributes)) {
            r->frames.at = name;
            return false;
        }
    }
    return true;
}

/* An element outside of a narrative. Returns whether it begins one. */
static bool start_element(struct reader *r, struct str name, const xmlChar *uri, int n,
                          const xmlChar **attributes)
{
    struct frame_attributes given = {0};
    bool is_ours = is_fhir(r, uri), is_narrative = false;
    const char *problem;

    if (!is_ours && !is_xhtml(r, uri)) {
        refuse_name(r, name, "is not in the namespace " XML_NAMESPACE);
        return false;
    }
    if (is_ours && !read_attributes(r, n, attributes, &given)) {
        refuse(r, "is not an attribute of R4");
        return false;
    }
    problem = frames_open(&r->frames, name, &given, &is_narrative);
    if (!problem && is_narrative == is_ours)
        problem =
            is_ours ? "is not in the namespace " XHTML_NAMESPACE : "is in the namespace of XHTML";
    if (problem)
        refuse(r, problem);
    return is_narrative && !problem;
}

static void on_start(void *ctx, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes)
{
    struct reader *r = ctx;
    struct str name = text_of(local);

    (void)n_defaulted; /* there is no document type to say any */
    if (r->failed || !enter(r, n_namespaces))
        return;
    if (r->div.depth || start_element(r, name, uri, n_attributes, attributes))
        begin_in_div(r, name, prefix, uri, n_namespaces, namespaces, n_attributes, attributes);
}

static void on_end(void *ctx, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    struct reader *r = ctx;
    const char *problem;

    (void)prefix;
    (void)uri;
    if (r->failed)
        return;
    r->depth--;
    if (r->div.depth) {
        end_in_div(r, text_of(local));
        return;
    }
    problem = frames_close(&r->frames);
    if (problem)
        refuse(r, problem);
}

static void on_text(void *ctx, const xmlChar *p, int n)
{
    struct reader *r = ctx;
    struct str s = str_n((const char *)p, (size_t)n);

    if (r->failed)
        return;
    if (r->div.depth) {
        close_tag(&r->div);
        if (!r->div.is_known)
            xml_escape(&r->div.anew, s, false);
    } else if (str_trim(s).n) {
        r->frames.at = STR("");
        refuse(r, "has text in it, where XML has attributes and elements");
    }
}

static void on_cdata(void *ctx, const xmlChar *p, int n)
{
    struct reader *r = ctx;

    r->div.is_plain = false;
    on_text(ctx, p, n);
}

static void on_instruction(void *ctx, const xmlChar *target, const xmlChar *data)
{
    struct reader *r = ctx;

    (void)target;
    (void)data;
    r->div.is_plain = false;
}

/* ---- the whole ---- */

static const xmlSAXHandler handler = {
    .initialized = XML_SAX2_MAGIC,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .ignorableWhitespace = on_text,
    .cdataBlock = on_cdata,
    .processingInstruction = on_instruction,
    .serror = on_error,
};

static int parse(struct reader *r)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, xmlInitParser);
    r->parser = xmlNewParserCtxt();
    if (!r->parser)
        return err_no_memory(r->err);
    *r->parser->sax = handler;
    r->parser->userData = r;
    /* Their own limits are off (HUGE): xml_scan and ours hold, and a Binary is one attribute. NOENT
     * makes '&' of "&amp;" in attributes; other entities cannot be declared. */
    xmlFreeDoc(xmlCtxtReadMemory(r->parser, r->text.p, (int)r->text.n, NULL, NULL,
                                 XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOENT |
                                     XML_PARSE_IGNORE_ENC));
    if (!r->failed && !r->parser->wellFormed) {
        r->failed = true;
        err_set(r->err, ERR_SYNTAX, "not XML: it does not end where it should");
    }
    xmlFreeParserCtxt(r->parser);
    return r->failed ? r->err->code : sb_ok(r->frames.out, r->err);
}

int xml_read(struct arena *a, struct str text, struct sb *out, struct err *err)
{
    struct err ignored;
    struct reader *r;
    bool is_simple;
    int result = xml_scan(text, &is_simple, err ? err : &ignored);

    if (result < 0)
        return result;
    r = ARENA_NEW(a, struct reader);
    if (!r)
        return err_no_memory(err);
    r->text = text;
    r->err = err ? err : &ignored;
    r->is_simple = is_simple;
    r->frames.out = out;
    r->div.anew = sb_make(XML_BYTES_MAX);
    result = parse(r);
    frames_done(&r->frames);
    sb_done(&r->div.anew);
    return result;
}
