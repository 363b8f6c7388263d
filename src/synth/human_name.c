/* human_name.c - HumanNames in several scripts, and the check digit of numbers. */
#include "synth/country.h"

uint64_t luhn_append(uint64_t number)
{
    unsigned sum = 0;
    bool twice = true;

    for (uint64_t n = number; n; n /= 10) {
        unsigned digit = (unsigned)(n % 10);

        if (twice)
            digit = digit > 4 ? digit * 2 - 9 : digit * 2;
        sum += digit;
        twice = !twice;
    }
    return number * 10 + (10 - sum % 10) % 10;
}

void name_draw(struct rng *r, size_t culture, bool female, struct person_name *ret)
{
    const struct culture *c = &cultures[culture];
    const struct name *given = female ? c->female : c->male;

    ret->culture = culture;
    ret->feminine = female;
    ret->given = &given[rng_below(r, GIVEN_N)];
    ret->family = c->rule == FAMILY_PATRONYMIC ? &c->male[rng_below(r, GIVEN_N)]
                                               : &c->family[rng_below(r, FAMILY_N)];
}

/* One part of a name as a JSON string. */
static void put_part(struct sb *b, const struct name *n, bool latin, const char *ending)
{
    sb_char(b, '"');
    sb_put(b, latin ? n->latin : n->native, strlen(latin ? n->latin : n->native));
    sb_put(b, ending, strlen(ending));
    sb_char(b, '"');
}

static void put_human_name(struct out *o, const struct person_name *n, bool latin)
{
    const struct culture *c = &cultures[n->culture];
    const char *given = latin ? n->given->latin : n->given->native;
    const char *family = latin ? n->family->latin : n->family->native;
    bool ending = n->feminine && c->rule == FAMILY_FEMININE;
    const char *end = !ending ? "" : latin ? "a" : "а";
    const char *space = latin ? " " : c->space;

    out_lit(o, ",\"text\":\"");
    if (c->family_first)
        sb_fmt(&o->b, "%s%s%s%s\"", family, end, space, given);
    else
        sb_fmt(&o->b, "%s%s%s%s\"", given, space, family, end);
    out_lit(o, ",\"family\":");
    put_part(&o->b, n->family, latin, end);
    out_lit(o, ",\"given\":[");
    put_part(&o->b, n->given, latin, "");
    out_lit(o, "]}");
}

void name_write(struct out *o, const char *member, const struct person_name *n)
{
#define REPRESENTATION(code) \
    "{\"extension\":[{\"url\":" \
    "\"http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation\",\"valueCode\":\"" \
    code "\"}],"
    bool translated = n->given->latin != NULL;

    sb_fmt(&o->b, ",\"%s\":[", member);
    if (translated && cultures[n->culture].ideographic)
        out_lit(o, REPRESENTATION("IDE") "\"use\":\"official\"");
    else
        out_lit(o, "{\"use\":\"official\"");
    put_human_name(o, n, false);
    if (translated) {
        out_lit(o, "," REPRESENTATION("ABC") "\"use\":\"usual\"");
        put_human_name(o, n, true);
    }
    out_lit(o, "]");
#undef REPRESENTATION
}
