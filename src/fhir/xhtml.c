#include "fhir/xhtml.h"

#define XHTML_NAMESPACE "http://www.w3.org/1999/xhtml"

static const char *const ELEMENTS[] = {
    "a",   "abbr",     "acronym", "b",     "big",  "blockquote", "br",  "caption", "cite",  "code",
    "col", "colgroup", "dd",      "dfn",   "div",  "dl",         "dt",  "em",      "h1",    "h2",
    "h3",  "h4",       "h5",      "h6",    "hr",   "i",          "img", "li",      "ol",    "p",
    "pre", "q",        "samp",    "small", "span", "strong",     "sub", "sup",     "table", "tbody",
    "td",  "tfoot",    "th",      "thead", "tr",   "tt",         "ul",  "var",
};

static const char *const ATTRIBUTES[] = {
    "abbr",       "accesskey",   "align",       "alt",        "axis",   "bgcolor", "border",
    "cellhalign", "cellpadding", "cellspacing", "cellvalign", "char",   "charoff", "charset",
    "cite",       "class",       "colspan",     "compact",    "coords", "dir",     "frame",
    "headers",    "height",      "href",        "hreflang",   "hspace", "id",      "lang",
    "longdesc",   "name",        "nowrap",      "rel",        "rev",    "rowspan", "rules",
    "scope",      "shape",       "span",        "src",        "start",  "style",   "summary",
    "tabindex",   "title",       "type",        "valign",     "value",  "vspace",  "width",
    "xml:lang",   "xmlns",
};

static const char *const ADDRESSES[] = {"cite", "href", "longdesc", "src"};

struct scan {
    struct str s;
    size_t at;
    const char *problem;              /* first one found */
    struct str open[XHTML_DEPTH_MAX]; /* names of the elements around */
    size_t depth;
    xhtml_attribute_fn *each; /* may be NULL */
    void *ctx;
};

static bool fail(struct scan *x, const char *problem)
{
    if (!x->problem)
        x->problem = problem;
    return false;
}

static bool is_listed(struct str name, const char *const *list, size_t n)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int cmp = str_cmp(str_c(list[mid]), name);
        if (cmp == 0)
            return true;
        if (cmp < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':' || c == '-' || c == '_' ||
           (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool looking_at(const struct scan *x, const char *text)
{
    return str_starts(str_from(x->s, x->at), str_c(text));
}

static void skip_blanks(struct scan *x)
{
    while (x->at < x->s.n && is_blank(x->s.p[x->at]))
        x->at++;
}

static struct str take_name(struct scan *x)
{
    size_t from = x->at;

    while (x->at < x->s.n && is_name(x->s.p[x->at]))
        x->at++;
    return str_n(x->s.p + from, x->at - from);
}

/* The code point of "&#x41;" or "&lt;" at the start of s with its length; 0 if it is neither, or no
 * character that XML allows. */
static uint32_t reference(struct str s, size_t *ret_n)
{
    static const struct {
        const char *text;
        uint32_t value;
    } named[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
    uint32_t value = 0, base = 10;
    size_t i = 2;

    for (size_t k = 0; k < ARRAY_LEN(named); k++)
        if (str_starts(s, str_c(named[k].text))) {
            *ret_n = strlen(named[k].text);
            return named[k].value;
        }
    if (s.n < 4 || s.p[1] != '#')
        return 0;
    if (s.p[2] == 'x') {
        base = 16;
        i = 3;
    }
    for (; i < s.n && s.p[i] != ';'; i++) {
        char c = lower(s.p[i]);
        uint32_t digit = c >= '0' && c <= '9'                 ? (uint32_t)(c - '0')
                         : base == 16 && c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                                                              : 99;
        if (digit > 15 || (value = value * base + digit) > 0x10ffff)
            return 0;
    }
    *ret_n = i + 1;
    if (i >= s.n || (value < 32 && value != 9 && value != 10 && value != 13) ||
        (value >= 0xd800 && value < 0xe000) || value == 0xfffe || value == 0xffff)
        return 0;
    return value;
}

/* What a browser compares: references resolved, blanks and controls left out, small letters. Only
 * the first bytes count; returns how many were written. */
static size_t squeeze(struct str value, char *to, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < value.n && n < max;) {
        uint32_t c = (unsigned char)value.p[i];
        size_t step = 1;
        if (c == '&')
            c = reference(str_from(value, i), &step);
        i += step;
        if (c > 32)
            to[n++] = c < 127 ? lower((char)c) : '\x7f';
    }
    return n;
}

static bool check_address(struct scan *x, struct str element, struct str value)
{
    static const char *const refused[] = {"javascript:", "vbscript:", "livescript:", "data:"};
    char text[16];
    struct str s = str_n(text, squeeze(value, text, sizeof text));

    if (str_eq(element, STR("img")) && str_starts(s, STR("data:image/")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (str_starts(s, str_c(refused[i])))
            return fail(x, "has an address that runs or carries code");
    return true;
}

/* "url(tbl_bck1.png)", as HL7's own tables have it: a name beside the page, which leads nowhere
 * else, or the picture itself. */
static bool is_own_picture(struct str s)
{
    static const struct str stem = STR("url("), data = STR("data:image/");
    size_t i;

    if (!str_starts(s, stem))
        return false;
    s = str_from(s, stem.n);
    if (str_starts(s, data)) {
        for (i = data.n; i < s.n && (is_name(s.p[i]) || strchr("+/=;,", s.p[i]));)
            i++;
    } else {
        for (i = 0; i < s.n && s.p[i] != ':' && (is_name(s.p[i]) || s.p[i] == '.');)
            i++;
    }
    return i && i < s.n && s.p[i] == ')';
}

/* A style may shape, but neither fetch nor run: no functions that do, no escapes that hide them. */
static bool check_style(struct scan *x, struct str value)
{
    /* The first is what a picture of its own may be. */
    static const char *const refused[] = {"url(",         "expression(", "image-set(",
                                          "@import",      "javascript:", "behavior:",
                                          "-moz-binding", "/*",          "\\"};
    char text[64];

    for (size_t at = 0; at < value.n; at++) {
        struct str s;
        if (is_blank(value.p[at]) || (at && is_name(value.p[at]) && is_name(value.p[at - 1])))
            continue;
        s = str_n(text, squeeze(str_from(value, at), text, 16));
        for (size_t i = is_own_picture(str_from(value, at)); i < ARRAY_LEN(refused); i++)
            if (str_starts(s, str_c(refused[i])))
                return fail(x, "has a style that fetches or runs something");
    }
    return true;
}

/* Text of an attribute or between tags: controls, references, and what may not stand there. */
static bool check_text(struct scan *x, struct str s)
{
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t step = 1;
        if (c == '&') {
            if (!reference(str_from(s, i), &step))
                return fail(x, "has an '&' that starts no character reference of XML");
        } else if (c < 32 && !is_blank((char)c)) {
            return fail(x, "has a control character");
        } else if (c == ']' && str_starts(str_from(s, i), STR("]]>"))) {
            return fail(x, "has \"]]>\" in its text");
        }
        i += step;
    }
    return true;
}

static bool check_attribute(struct scan *x, struct str element, struct str name, struct str value)
{
    if (!is_listed(name, ATTRIBUTES, ARRAY_LEN(ATTRIBUTES)))
        return fail(x, "has an attribute that is not allowed");
    if (str_find(value, '<') >= 0)
        return fail(x, "has a '<' in an attribute");
    if (!check_text(x, value))
        return false;
    if (str_eq(name, STR("xmlns")) && !str_eq(value, STR(XHTML_NAMESPACE)))
        return fail(x, "has a namespace that is not XHTML's");
    if (str_eq(name, STR("style")))
        return check_style(x, value);
    if (is_listed(name, ADDRESSES, ARRAY_LEN(ADDRESSES)))
        return check_address(x, element, value);
    return true;
}

static bool take_attribute(struct scan *x, struct str element, struct str *ret_name)
{
    struct str name = take_name(x), value;
    ptrdiff_t end;
    char quote;

    if (!name.n)
        return fail(x, "has a tag that is not well-formed");
    skip_blanks(x);
    if (x->at >= x->s.n || x->s.p[x->at++] != '=')
        return fail(x, "has an attribute without a value");
    skip_blanks(x);
    quote = x->at < x->s.n ? x->s.p[x->at] : 0;
    if (quote != '"' && quote != '\'')
        return fail(x, "has an attribute without quotes");
    value = str_from(x->s, x->at + 1);
    end = str_find(value, quote);
    if (end < 0)
        return fail(x, "has an attribute that does not end");
    value = str_head(value, (size_t)end);
    if (!check_attribute(x, element, name, value))
        return false;
    if (x->each)
        x->each(x->ctx, element, name, value);
    x->at += value.n + 2;
    *ret_name = name;
    return true;
}

/* Attributes up to the '>' of a start tag; *ret_closed for "/>". */
static bool take_attributes(struct scan *x, struct str element, bool *ret_closed)
{
    struct str names[XHTML_ATTRIBUTES_MAX];
    bool has_namespace = false;
    size_t n = 0;

    for (;;) {
        size_t before = x->at;
        skip_blanks(x);
        if (looking_at(x, "/>") || looking_at(x, ">"))
            break;
        if (x->at == before)
            return fail(x, "has a tag that is not well-formed");
        if (n == XHTML_ATTRIBUTES_MAX)
            return fail(x, "has an element with too many attributes");
        if (!take_attribute(x, element, &names[n]))
            return false;
        for (size_t i = 0; i < n; i++)
            if (str_eq(names[i], names[n]))
                return fail(x, "has an attribute twice");
        has_namespace |= str_eq(names[n], STR("xmlns"));
        n++;
    }
    *ret_closed = x->s.p[x->at] == '/';
    x->at += *ret_closed ? 2 : 1;
    if (x->depth == 0 && (!has_namespace || !str_eq(element, STR("div"))))
        return fail(x, "is not a <div> in the namespace " XHTML_NAMESPACE);
    return true;
}

static bool take_start(struct scan *x)
{
    struct str name;
    bool is_closed;

    x->at++;
    name = take_name(x);
    if (!is_listed(name, ELEMENTS, ARRAY_LEN(ELEMENTS)))
        return fail(x, name.n ? "has an element that is not allowed"
                              : "has a '<' that starts no element");
    if (!take_attributes(x, name, &is_closed))
        return false;
    if (is_closed)
        return true;
    if (x->depth == XHTML_DEPTH_MAX)
        return fail(x, "is nested too deep");
    x->open[x->depth++] = name;
    return true;
}

static bool take_end(struct scan *x)
{
    struct str name;

    x->at += 2;
    name = take_name(x);
    skip_blanks(x);
    if (x->at >= x->s.n || x->s.p[x->at] != '>' || !str_eq(name, x->open[x->depth - 1]))
        return fail(x, "has an end tag that does not match");
    x->at++;
    x->depth--;
    return true;
}

/* A comment is let through if no reader could take a part of it for markup. */
static bool take_comment(struct scan *x)
{
    for (x->at += 4; x->at < x->s.n; x->at++) {
        unsigned char c = (unsigned char)x->s.p[x->at];
        if (looking_at(x, "-->")) {
            x->at += 3;
            return true;
        }
        if (c == '<' || c == '>' || (c < 32 && !is_blank((char)c)) || looking_at(x, "--"))
            return fail(x, "has a comment with markup in it");
    }
    return fail(x, "has a comment that does not end");
}

static bool take_content(struct scan *x)
{
    struct str rest = str_from(x->s, x->at);
    ptrdiff_t end = str_find(rest, '<');

    if (end != 0) {
        rest = end < 0 ? rest : str_head(rest, (size_t)end);
        if (!check_text(x, rest))
            return false;
        x->at += rest.n;
        return true;
    }
    if (looking_at(x, "</"))
        return take_end(x);
    if (looking_at(x, "<!--"))
        return take_comment(x);
    return take_start(x);
}

static void scan(struct scan *x)
{
    skip_blanks(x);
    if (!looking_at(x, "<div"))
        fail(x, "is not a <div> in the namespace " XHTML_NAMESPACE);
    else if (take_start(x))
        while (x->depth && x->at < x->s.n && take_content(x))
            ;
    if (!x->problem && x->depth)
        fail(x, "ends within an element");
    skip_blanks(x);
    if (!x->problem && x->at < x->s.n)
        fail(x, "has something behind its <div>");
}

const char *xhtml_problem(struct str s, size_t *ret_at)
{
    struct scan x = {.s = s};

    scan(&x);
    *ret_at = x.at;
    return x.problem;
}

void xhtml_attributes(struct str s, xhtml_attribute_fn *each, void *ctx)
{
    struct scan x = {.s = s, .each = each, .ctx = ctx};

    scan(&x);
}
