/* negotiate.c - which representation is asked for and which is sent (http.html#mime-type, RFC 9110
 * section 12.5.1). */
#include "api/negotiate.h"

#define WEIGHT_ONE 1000 /* q=1 */

/* "application/fhir+json; charset=UTF-8; fhirVersion=4.0" without its parameters. */
static struct str essence(struct str media)
{
    ptrdiff_t semi = str_find(media, ';');

    return str_trim(semi < 0 ? media : str_head(media, (size_t)semi));
}

static bool in(struct str s, const char *const *names)
{
    for (; *names; names++)
        if (str_eq_nocase(s, str_c(*names)))
            return true;
    return false;
}

bool media_is_json(struct str media)
{
    static const char *const names[] = {"application/fhir+json", "application/json", "text/json",
                                        "application/json+fhir", NULL};
    return in(essence(media), names);
}

bool media_is_fhir_xml(struct str media)
{
    static const char *const names[] = {"application/fhir+xml", "application/xml+fhir", NULL};
    return in(essence(media), names);
}

bool media_is_xml(struct str media)
{
    static const char *const names[] = {"application/xml", "text/xml", NULL};
    return media_is_fhir_xml(media) || in(essence(media), names);
}

bool media_is(struct str media, const char *names)
{
    struct str rest = str_c(names), name;

    while (rest.p && str_split(&rest, ' ', &name))
        if (str_eq_nocase(essence(media), name))
            return true;
    return false;
}

bool media_is_json_patch(struct str media)
{
    static const char *const names[] = {"application/json-patch+json", NULL};
    return in(essence(media), names);
}

bool media_is_form(struct str media)
{
    static const char *const names[] = {"application/x-www-form-urlencoded", NULL};
    return in(essence(media), names);
}

/* The value of "name=…" among a media type's parameters, without quotes; STR_NULL if absent. */
static struct str parameter(struct str media, struct str name)
{
    struct str rest = media, part;

    str_split(&rest, ';', &part);
    while (rest.p && str_split(&rest, ';', &part)) {
        ptrdiff_t eq;

        part = str_trim(part);
        eq = str_find(part, '=');
        if (eq < 0 || !str_eq_nocase(str_trim(str_head(part, (size_t)eq)), name))
            continue;
        part = str_trim(str_from(part, (size_t)eq + 1));
        if (part.n > 1 && part.p[0] == '"' && part.p[part.n - 1] == '"')
            part = str_n(part.p + 1, part.n - 2);
        return part;
    }
    return STR_NULL;
}

/* fhirVersion=4.0 is ours; another one is not. */
static bool is_other_version(struct str media)
{
    struct str version = parameter(media, STR("fhirversion"));

    return version.p && !str_eq(version, STR("4.0")) && !str_starts(version, STR("4.0."));
}

int media_check(struct str media, struct err *err)
{
    static const char *const utf8[] = {"utf-8", "utf8", "us-ascii", NULL};
    struct str charset = parameter(media, STR("charset"));

    if (charset.p && !in(charset, utf8))
        return err_set(err, ERR_MEDIA_TYPE, "bodies are UTF-8, the Content-Type says \"%.*s\"",
                       (int)MIN(charset.n, 32u), charset.p);
    if (is_other_version(media))
        return err_set(err, ERR_MEDIA_TYPE,
                       "this node speaks FHIR 4.0, the Content-Type names another fhirVersion");
    return 0;
}

/* "0.5" as 500; what is no weight counts as none given. */
static unsigned weight_of(struct str media)
{
    struct str q = parameter(media, STR("q"));
    unsigned weight = 0, unit = WEIGHT_ONE / 10;

    if (!q.n || (q.p[0] != '0' && q.p[0] != '1') || (q.n > 1 && q.p[1] != '.') || q.n > 5)
        return WEIGHT_ONE;
    weight = q.p[0] == '1' ? WEIGHT_ONE : 0;
    for (size_t i = 2; i < q.n; i++, unit /= 10) {
        if (q.p[i] < '0' || q.p[i] > '9')
            return WEIGHT_ONE;
        weight += (unsigned)(q.p[i] - '0') * unit;
    }
    return MIN(weight, (unsigned)WEIGHT_ONE);
}

/* How a media range matches: the more exactly, the more it says. */
enum match { MATCH_NONE, MATCH_ANY, MATCH_APPLICATION, MATCH_NAME };

static enum match match_of(struct str media, bool (*is_named)(struct str media))
{
    struct str name = essence(media);

    if (is_named(media))
        return MATCH_NAME;
    if (str_eq_nocase(name, STR("application/*")))
        return MATCH_APPLICATION;
    return str_eq(name, STR("*/*")) ? MATCH_ANY : MATCH_NONE;
}

/* What an Accept header says of one representation. */
struct wish {
    enum match match; /* MATCH_NONE: nothing */
    unsigned weight;
    size_t place;
};

static void take_range(struct wish *w, struct str media, enum match match, size_t place)
{
    unsigned weight = weight_of(media);

    if (match == MATCH_NONE || match < w->match || (match == w->match && weight <= w->weight))
        return;
    *w = (struct wish){match, weight, place};
}

static void read_wishes(struct str accept, struct wish *json, struct wish *xml)
{
    struct str media;

    *json = *xml = (struct wish){0};
    for (size_t place = 0; accept.p && str_split(&accept, ',', &media); place++) {
        if (is_other_version(media))
            continue;
        take_range(json, media, match_of(media, media_is_json), place);
        take_range(xml, media, match_of(media, media_is_xml), place);
    }
}

static bool is_xml_better(const struct wish *json, const struct wish *xml)
{
    if (xml->weight != json->weight)
        return xml->weight > json->weight;
    if (xml->match != json->match)
        return xml->match > json->match;
    return xml->place < json->place;
}

/* '+' of a query is a blank when it is decoded. */
static int read_format(struct call *c, struct str format)
{
    static const struct {
        const char *name;
        bool xml;
    } formats[] = {{"json", false},
                   {"xml", true},
                   {"application/fhir json", false},
                   {"application/fhir xml", true}};
    struct str name = essence(format);

    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (str_eq_nocase(name, str_c(formats[i].name))) {
            c->xml = formats[i].xml;
            return 0;
        }
    c->xml = media_is_xml(format);
    if (c->xml || media_is_json(format))
        return 0;
    return err_set(&c->err, ERR_NOT_ACCEPTABLE,
                   "_format \"%.*s\" is not offered: this node speaks application/fhir+json and "
                   "application/fhir+xml",
                   (int)MIN(format.n, 64u), format.p);
}

int negotiate_reply(struct call *c, struct str accept)
{
    struct str format = c->query.n ? call_parameter(c, STR("_format")) : STR_NULL;
    struct wish json, xml;

    if (format.n)
        return read_format(c, format);
    if (!accept.n || str_eq(accept, STR("application/fhir+json")))
        return 0;
    read_wishes(accept, &json, &xml);
    c->xml = xml.weight && is_xml_better(&json, &xml);
    if (json.weight || xml.weight)
        return 0;
    return err_set(&c->err, ERR_NOT_ACCEPTABLE,
                   "none of the media types in Accept is offered: this node speaks "
                   "application/fhir+json and application/fhir+xml");
}

bool negotiate_names(struct str accept, const char *names)
{
    struct str media;

    while (accept.p && str_split(&accept, ',', &media))
        if (weight_of(media) && media_is(media, names))
            return true;
    return false;
}

bool negotiate_raw(struct call *c, struct str accept)
{
    struct str media;

    if (!accept.n || (c->query.n && call_parameter(c, STR("_format")).n))
        return false;
    while (str_split(&accept, ',', &media))
        if (weight_of(media) && !is_other_version(media) &&
            (media_is_fhir_xml(media) || match_of(media, media_is_json)))
            return false;
    return true;
}
