#include "synth/out.h"

#include "base/clock.h"

void uid_draw(struct rng *r, struct uid *ret)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t half[2];
    char *to = ret->text;

    half[0] = rng_next(r);
    half[1] = rng_next(r);
    half[0] = (half[0] & ~(uint64_t)0xf000) | 0x4000;
    half[1] = (half[1] & ~((uint64_t)3 << 62)) | (uint64_t)2 << 62;
    for (int i = 0; i < 16; i++) {
        unsigned byte = (unsigned)(half[i / 8] >> (56 - 8 * (i % 8))) & 0xff;

        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = hex[byte >> 4];
        *to++ = hex[byte & 15];
    }
}

static void put_c(struct sb *b, const char *s)
{
    sb_put(b, s, strlen(s));
}

static void member(struct sb *b, const char *name)
{
    sb_lit(b, ",\"");
    put_c(b, name);
    sb_lit(b, "\":");
}

void out_bundle_begin(struct out *o, const struct uid *id)
{
    if (!o->bundles)
        return;
    out_lit(o, "{\"resourceType\":\"Bundle\",\"id\":\"");
    sb_str(&o->b, uid_str(id));
    out_lit(o, "\",\"type\":\"transaction\",\"entry\":[");
    o->in_bundle = true;
    o->first_entry = true;
}

void out_bundle_end(struct out *o)
{
    if (!o->bundles)
        return;
    out_lit(o, "]}\n");
    o->in_bundle = false;
}

void out_begin(struct out *o, const char *type, const struct uid *id)
{
    o->type = type;
    o->id = *id;
    o->resources++;
    if (o->in_bundle) {
        if (!o->first_entry)
            sb_char(&o->b, ',');
        o->first_entry = false;
        out_lit(o, "{\"fullUrl\":\"urn:uuid:");
        sb_str(&o->b, uid_str(id));
        out_lit(o, "\",\"resource\":");
    }
    out_lit(o, "{\"resourceType\":\"");
    put_c(&o->b, type);
    out_lit(o, "\",\"id\":\"");
    sb_str(&o->b, uid_str(id));
    sb_char(&o->b, '"');
}

void out_end(struct out *o)
{
    if (!o->in_bundle) {
        out_lit(o, "}\n");
        return;
    }
    out_lit(o, "},\"request\":{\"method\":\"PUT\",\"url\":\"");
    put_c(&o->b, o->type);
    sb_char(&o->b, '/');
    sb_str(&o->b, uid_str(&o->id));
    out_lit(o, "\"}}");
}

void out_ref_value(struct out *o, const char *type, const struct uid *id, bool near)
{
    out_lit(o, "{\"reference\":\"");
    if (near && o->in_bundle) {
        out_lit(o, "urn:uuid:");
    } else {
        put_c(&o->b, type);
        sb_char(&o->b, '/');
    }
    sb_str(&o->b, uid_str(id));
    out_lit(o, "\"}");
}

void out_ref(struct out *o, const char *name, const char *type, const struct uid *id, bool near)
{
    member(&o->b, name);
    out_ref_value(o, type, id, near);
}

void out_concept(struct out *o, const char *name, enum code code)
{
    member(&o->b, name);
    sb_str(&o->b, codes[code].concept);
}

void out_concepts(struct out *o, const char *name, enum code code)
{
    member(&o->b, name);
    sb_char(&o->b, '[');
    sb_str(&o->b, codes[code].concept);
    sb_char(&o->b, ']');
}

void out_text(struct out *o, const char *name, struct str text)
{
    member(&o->b, name);
    sb_json(&o->b, text);
}

static char *digits(char *to, int value, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + n;
}

void out_date_value(struct sb *b, int64_t day)
{
    char text[12] = "\"0000-00-00\"";
    int y, m, d;

    clock_civil(day, &y, &m, &d);
    digits(text + 1, y, 4);
    digits(text + 6, m, 2);
    digits(text + 9, d, 2);
    sb_put(b, text, sizeof text);
}

void out_time_value(struct sb *b, int64_t minute)
{
    char text[] = "\"0000-00-00T00:00:00" ZONE_TEXT "\"";
    int64_t day = minute / DAY_MINUTES;
    int y, m, d, of_day = (int)(minute % DAY_MINUTES);

    clock_civil(day, &y, &m, &d);
    digits(text + 1, y, 4);
    digits(text + 6, m, 2);
    digits(text + 9, d, 2);
    digits(text + 12, of_day / 60, 2);
    digits(text + 15, of_day % 60, 2);
    sb_put(b, text, sizeof text - 1);
}

void out_date(struct out *o, const char *name, int64_t day)
{
    member(&o->b, name);
    out_date_value(&o->b, day);
}

void out_time(struct out *o, const char *name, int64_t minute)
{
    member(&o->b, name);
    out_time_value(&o->b, minute);
}

void out_period(struct out *o, const char *name, int64_t from_minute, int64_t to_minute)
{
    member(&o->b, name);
    out_lit(o, "{\"start\":");
    out_time_value(&o->b, from_minute);
    if (to_minute >= 0)
        out_time(o, "end", to_minute);
    sb_char(&o->b, '}');
}

void out_decimal(struct sb *b, int64_t value, int decimals)
{
    char text[24], *at = text + sizeof text;
    uint64_t u = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    assert(decimals >= 0 && decimals < 10);
    for (int i = 0; i < decimals; i++) {
        *--at = (char)('0' + u % 10);
        u /= 10;
    }
    if (decimals)
        *--at = '.';
    do {
        *--at = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (value < 0)
        *--at = '-';
    sb_put(b, at, (size_t)(text + sizeof text - at));
}

void out_base64(struct sb *b, struct str s)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < s.n; i += 3) {
        size_t left = s.n - i;
        uint32_t v = (uint32_t)(unsigned char)s.p[i] << 16;

        if (left > 1)
            v |= (uint32_t)(unsigned char)s.p[i + 1] << 8;
        if (left > 2)
            v |= (unsigned char)s.p[i + 2];
        sb_char(b, set[v >> 18]);
        sb_char(b, set[v >> 12 & 63]);
        sb_char(b, left > 1 ? set[v >> 6 & 63] : '=');
        sb_char(b, left > 2 ? set[v & 63] : '=');
    }
}
