/* xml.c - what both directions need. */
#include "fhir/xml.h"

#include "fhir/xml_int.h"

#include <stdio.h>

#define NAME_SHOWN_MAX 64 /* of a name that is unknown to us */

bool xml_is_likely(struct str text)
{
    static const struct str mark = STR("\xef\xbb\xbf");

    text = str_trim(str_starts(text, mark) ? str_from(text, mark.n) : text);
    return text.n && text.p[0] == '<';
}

static size_t place_text(const struct xml_place *at, char *to, size_t max)
{
    size_t n = at->up ? place_text(at->up, to, max) : 0;
    int more = snprintf(to + n, max - n, "%s%.*s", at->up ? "." : "",
                        (int)MIN(at->name.n, (size_t)NAME_SHOWN_MAX), at->name.p);

    n = MIN(n + (size_t)MAX(more, 0), max - 1);
    if (at->index >= 0) {
        more = snprintf(to + n, max - n, "[%td]", at->index);
        n = MIN(n + (size_t)MAX(more, 0), max - 1);
    }
    return n;
}

void xml_place_text(const struct xml_place *at, char to[static XML_PLACE_MAX])
{
    to[0] = '\0';
    place_text(at, to, XML_PLACE_MAX);
}

bool xml_is_attribute(const struct def_type *t, const struct def_element *e)
{
    return (t->kind != DEF_RESOURCE && str_eq(e->name, STR("id"))) ||
           (t->which == TYPE_EXTENSION && str_eq(e->name, STR("url")));
}

/* How a byte is written: NULL as it is. A line end or tab in a value would come back as a blank
 * (XML 3.3.3), a carriage return as a line end (2.11). */
static const char *escape_of(unsigned char c, bool is_value)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return is_value ? "&quot;" : NULL;
    case '\t': return is_value ? "&#x9;" : NULL;
    case '\n': return is_value ? "&#xA;" : NULL;
    case '\r': return "&#xD;";
    default: return NULL;
    }
}

/* Bytes that need a second look; most text has none. */
static const bool is_special[256] = {
    [0 ... 0x1f] = true, ['&'] = true, ['<'] = true, ['>'] = true, ['"'] = true, [0xef] = true};

/* U+FFFE and U+FFFF, EF BF BE and EF BF BF, are no characters of XML. */
static bool is_no_character(struct str s, size_t i)
{
    return i + 2 < s.n && (unsigned char)s.p[i + 1] == 0xbf && (unsigned char)s.p[i + 2] >= 0xbe;
}

bool xml_escape(struct sb *out, struct str s, bool is_value)
{
    size_t from = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        const char *escape;

        if (!is_special[c])
            continue;
        if (c == 0xef && is_no_character(s, i))
            return false;
        escape = escape_of(c, is_value);
        if (!escape && c < ' ' && c != '\t' && c != '\n')
            return false;
        if (!escape)
            continue;
        sb_put(out, s.p + from, i - from);
        sb_str(out, str_c(escape));
        from = i + 1;
    }
    sb_put(out, s.p + from, s.n - from);
    return true;
}
