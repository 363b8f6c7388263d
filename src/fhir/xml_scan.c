/* xml_scan.c - a first look at a text of a stranger, in one pass over its bytes.
 *
 * libxml2 compares the attributes of a tag with each other, and would read other encodings and
 * document types. What is well-formed reads here as it does there; what is not ends there at the
 * latest where the two would part, so that nothing gets past this by being malformed.
 */
#include "fhir/xml_int.h"

#include "fhir/xhtml.h"

struct scan {
    struct str s;
    size_t at, depth;
    bool is_simple;
    struct err *err;
};

static size_t line_of(const struct scan *x)
{
    size_t line = 1;

    for (size_t i = 0; i < x->at; i++)
        line += x->s.p[i] == '\n';
    return line;
}

static bool looking_at(const struct scan *x, const char *text)
{
    return str_starts(str_from(x->s, x->at), str_c(text));
}

/* Behind the next `end`; at the end of the text when there is none. */
static void skip_to(struct scan *x, const char *end)
{
    struct str rest = str_from(x->s, x->at);
    const char *found = rest.n ? memmem(rest.p, rest.n, end, strlen(end)) : NULL;

    x->at = found ? (size_t)(found - x->s.p) + strlen(end) : x->s.n;
}

/* The quoted value behind encoding= in "<?xml …?>"; STR_NULL if there is none. */
static struct str declared_encoding(struct str declaration)
{
    static const char name[] = "encoding";
    const char *found = memmem(declaration.p, declaration.n, name, sizeof name - 1);
    struct str rest;
    ptrdiff_t end;

    if (!found)
        return STR_NULL;
    rest = str_trim(str_from(declaration, (size_t)(found - declaration.p) + sizeof name - 1));
    if (!rest.n || rest.p[0] != '=')
        return STR_NULL;
    rest = str_trim(str_from(rest, 1));
    if (!rest.n || (rest.p[0] != '"' && rest.p[0] != '\''))
        return STR_NULL;
    end = str_find(str_from(rest, 1), rest.p[0]);
    return end < 0 ? STR_NULL : str_n(rest.p + 1, (size_t)end);
}

static int check_encoding(struct scan *x)
{
    static const struct str mark = STR("\xef\xbb\xbf");
    struct str encoding;
    size_t begin;

    if (str_starts(x->s, mark))
        x->at = mark.n;
    if (looking_at(x, "\xfe\xff") || looking_at(x, "\xff\xfe") || str_find(x->s, '\0') >= 0)
        return err_set(x->err, ERR_SYNTAX, "XML is read as UTF-8, and this is not");
    if (!looking_at(x, "<?xml "))
        return 0;
    begin = x->at;
    skip_to(x, "?>");
    encoding = declared_encoding(str_n(x->s.p + begin, x->at - begin));
    if (encoding.p && !str_eq_nocase(encoding, STR("UTF-8")))
        return err_set(x->err, ERR_SYNTAX, "XML is read as UTF-8, and this declares \"%.*s\"",
                       (int)MIN(encoding.n, 32u), encoding.p);
    return 0;
}

static bool declares_prefix(const struct scan *x)
{
    static const struct str name = STR("xmlns");

    return x->at >= name.n && str_eq(str_n(x->s.p + x->at - name.n, name.n), name);
}

/* A tag's bytes up to its '>': quotes hide everything, '=' is an attribute. */
static int scan_tag(struct scan *x)
{
    size_t attributes = 0;
    bool is_end = looking_at(x, "</"), is_empty = false;

    for (x->at++; x->at < x->s.n && x->s.p[x->at] != '>'; x->at++) {
        char c = x->s.p[x->at];

        is_empty = c == '/';
        if (c == '"' || c == '\'') {
            const char end[] = {c, '\0'};
            x->at++;
            skip_to(x, end);
            x->at--;
        } else if (c == ':' && declares_prefix(x)) {
            x->is_simple = false;
        } else if (c == '=' && ++attributes > XML_ATTRIBUTES_MAX) {
            return err_set(x->err, ERR_INVALID,
                           "the element at line %zu has more than %d attributes", line_of(x),
                           XML_ATTRIBUTES_MAX);
        }
    }
    if (is_end)
        x->depth -= x->depth > 0;
    else if (!is_empty && ++x->depth > XML_DEPTH_MAX + XHTML_DEPTH_MAX)
        return err_set(x->err, ERR_SYNTAX, "XML is nested deeper than %d elements at line %zu",
                       XML_DEPTH_MAX + XHTML_DEPTH_MAX, line_of(x));
    return 0;
}

static int scan_markup(struct scan *x)
{
    char next = x->at + 1 < x->s.n ? x->s.p[x->at + 1] : '\0';

    if (next != '!' && next != '?')
        return scan_tag(x);
    if (looking_at(x, "<!--")) {
        x->at += 4;
        skip_to(x, "-->");
        return 0;
    }
    x->is_simple = false;
    if (next == '!' && !looking_at(x, "<![CDATA["))
        return err_set(x->err, ERR_SYNTAX,
                       "XML may have no document type, and so no entities: see line %zu",
                       line_of(x));
    skip_to(x, next == '!' ? "]]>" : "?>");
    return 0;
}

int xml_scan(struct str text, bool *ret_simple, struct err *err)
{
    struct scan x = {.s = text, .is_simple = str_find(text, '\r') < 0, .err = err};
    int r;

    if (str_trim(text).n == 0)
        return err_set(err, ERR_SYNTAX, "the body is empty where XML is expected");
    if (text.n > XML_BYTES_MAX)
        return err_set(err, ERR_TOO_LONG, "XML is longer than %zu bytes", (size_t)XML_BYTES_MAX);
    r = check_encoding(&x);
    while (r == 0 && x.at < text.n) {
        ptrdiff_t next = str_find(str_from(text, x.at), '<');

        if (next < 0)
            break;
        x.at += (size_t)next;
        r = scan_markup(&x);
    }
    if (r == 0)
        *ret_simple = x.is_simple;
    return r;
}
