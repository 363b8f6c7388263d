/* negotiate.c - which representation is asked for and which is sent (http.html#mime-type). */
#include "api/negotiate.h"

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

/* fhirVersion=4.0 is ours; another one is not. */
static bool other_version(struct str media)
{
    static const struct str name = STR("fhirversion=");
    struct str rest = media, part;

    while (str_split(&rest, ';', &part)) {
        part = str_trim(part);
        if (part.n > name.n && str_eq_nocase(str_head(part, name.n), name))
            return !str_starts(str_from(part, name.n), STR("4.0"));
    }
    return false;
}

static bool takes_json(struct str media)
{
    static const char *const any[] = {"*/*", "application/*", NULL};

    return (media_is_json(media) || in(essence(media), any)) && !other_version(media);
}

static bool refused(struct str media)
{
    struct str rest = media, part;

    while (str_split(&rest, ';', &part)) {
        part = str_trim(part);
        if (str_eq(part, STR("q=0")) || str_eq(part, STR("q=0.0")) || str_eq(part, STR("q=0.00")) ||
            str_eq(part, STR("q=0.000")))
            return true;
    }
    return false;
}

int negotiate_reply(struct call *c, struct str accept)
{
    static const char *const formats[] = {
        "json", "application/fhir+json", "application/fhir json", "application/json", "text/json",
        NULL};
    struct str format = c->query.n ? call_parameter(c, STR("_format")) : STR_NULL, media;

    if (format.n) {
        if (in(essence(format), formats))
            return 0;
        return err_set(&c->err, ERR_NOT_ACCEPTABLE,
                       "_format \"%.*s\" is not offered: this node speaks "
                       "application/fhir+json",
                       (int)MIN(format.n, 64u), format.p);
    }
    if (!accept.n)
        return 0;
    while (str_split(&accept, ',', &media))
        if (takes_json(media) && !refused(media))
            return 0;
    return err_set(
        &c->err, ERR_NOT_ACCEPTABLE,
        "none of the media types in Accept is offered: this node speaks application/fhir+json");
}

bool accepts_json(struct str accept)
{
    struct str media;

    if (!accept.n)
        return true;
    while (str_split(&accept, ',', &media))
        if (takes_json(media) && !refused(media))
            return true;
    return false;
}
