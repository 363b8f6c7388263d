#include "fhir/validate_int.h"

#include "fhir/date.h"
#include "fhir/decimal.h"
#include "fhir/xhtml.h"

#define INTEGER_MAX 2147483647u
#define DECIMAL_PLAIN_MAX 18 /* longer literals are held against decimal.h's limits */

/* Whether a byte is below `limit` (at most 0x80), eight at a time. */
static bool has_below(struct str s, unsigned char limit)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    size_t i = 0;

    for (; i + 8 <= s.n; i += 8) {
        uint64_t x;
        memcpy(&x, s.p + i, 8);
        if ((x - ones * limit) & ~x & high)
            return true;
    }
    for (; i < s.n; i++)
        if ((unsigned char)s.p[i] < limit)
            return true;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *string_problem(struct str s)
{
    if (s.n > FHIR_STRING_MAX)
        return "is longer than 1 MB";
    if (!has_below(s, ' '))
        return NULL;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < ' ' && c != '\t' && c != '\n' && c != '\r')
            return "has a control character";
    }
    return NULL;
}

static const char *code_problem(struct str s)
{
    if (s.n > FHIR_STRING_MAX)
        return "is longer than 1 MB";
    if (has_below(s, ' '))
        return "is not a code: it has a control character";
    if (s.p[0] == ' ' || s.p[s.n - 1] == ' ')
        return "is not a code: it starts or ends with a blank";
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] == ' ' && s.p[i - 1] == ' ')
            return "is not a code: it has two blanks in a row";
    return NULL;
}

static const char *uri_problem(struct str s)
{
    return has_below(s, ' ' + 1) ? "is not a URI: it has a blank or a control character" : NULL;
}

bool text_is_uuid(struct str s, bool any_case)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (s.n != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (shape[i] == '-' ? s.p[i] != '-'
                            : !is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'f') &&
                                  !(any_case && s.p[i] >= 'A' && s.p[i] <= 'F'))
            return false;
    return true;
}

/* 0 to 2, then one number or more, none with a zero in front: "1.2.840". */
bool text_is_oid(struct str s)
{
    struct str part;
    size_t n = 0;

    for (; str_split(&s, '.', &part); n++) {
        if (!part.n || (n == 0 && (part.n != 1 || part.p[0] > '2')) ||
            (part.n > 1 && part.p[0] == '0'))
            return false;
        for (size_t i = 0; i < part.n; i++)
            if (!is_digit(part.p[i]))
                return false;
    }
    return n > 1;
}

static bool is_base64(struct str s)
{
    size_t n = 0, padding = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            continue;
        n++;
        if (c == '=') {
            padding++;
            continue;
        }
        if (padding || !(is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                         c == '+' || c == '/'))
            return false;
    }
    return n && n % 4 == 0 && padding <= 2;
}

/* A whole number within [min, INTEGER_MAX], or one more below zero where min is negative. */
static bool is_whole(struct str s, int min)
{
    bool negative = s.n && s.p[0] == '-';
    uint64_t v;

    if (negative)
        s = str_from(s, 1);
    if (!str_to_u64(s, (uint64_t)INTEGER_MAX + negative, &v) || (s.n > 1 && s.p[0] == '0'))
        return false;
    return negative ? min < 0 && v > 0 : min <= 0 || v >= (uint64_t)min;
}

static const char *number_problem(enum def_which type, yyjson_val *v)
{
    struct str s = js_str(v);
    struct decimal d;

    if (!js_is_number(v))
        return "is not a number";
    switch (type) {
    case TYPE_INTEGER: return is_whole(s, -1) ? NULL : "is not a whole number within 32 bits";
    case TYPE_UNSIGNEDINT:
        return is_whole(s, 0) ? NULL : "is not a whole number from 0 to 2147483647";
    case TYPE_POSITIVEINT:
        return is_whole(s, 1) ? NULL : "is not a whole number from 1 to 2147483647";
    default:
        /* JSON's grammar of numbers is that of decimals; what is long may be past our limits. */
        if (s.n <= DECIMAL_PLAIN_MAX && str_find(s, 'e') < 0 && str_find(s, 'E') < 0)
            return NULL;
        return decimal_parse(s, &d, NULL) < 0 ? "has too many digits or too large an exponent"
                                              : NULL;
    }
}

static bool is_date(enum date_kind kind, struct str s)
{
    struct date d;

    return date_parse(kind, s, 0, &d, NULL) == 0;
}

static bool is_time(struct str s)
{
    int64_t from, to;

    return time_parse(s, &from, &to, NULL) == 0;
}

static const char *text_problem(enum def_which type, struct str s)
{
    size_t at;

    switch (type) {
    case TYPE_CODE: return code_problem(s);
    case TYPE_URI:
    case TYPE_URL:
    case TYPE_CANONICAL: return uri_problem(s);
    case TYPE_ID:
        return fhir_is_id(s) ? NULL : "is not an id: 1 to 64 of A-Z, a-z, 0-9, '-' and '.'";
    case TYPE_OID:
        return str_starts(s, STR("urn:oid:")) && text_is_oid(str_from(s, 8))
                   ? NULL
                   : "is not an OID: \"urn:oid:\" and numbers apart by dots";
    case TYPE_UUID:
        return str_starts(s, STR("urn:uuid:")) && text_is_uuid(str_from(s, 9), false)
                   ? NULL
                   : "is not a UUID: \"urn:uuid:\" and 32 small hexadecimal digits";
    case TYPE_DATE:
        return is_date(DATE_DATE, s) ? NULL : "is not a date: yyyy, yyyy-mm or yyyy-mm-dd";
    case TYPE_DATETIME:
        return is_date(DATE_DATETIME, s) ? NULL
                                         : "is not a dateTime: yyyy, yyyy-mm, yyyy-mm-dd or "
                                           "yyyy-mm-ddThh:mm:ss with a time zone";
    case TYPE_INSTANT:
        return is_date(DATE_INSTANT, s) ? NULL
                                        : "is not an instant: yyyy-mm-ddThh:mm:ss with a time zone";
    case TYPE_TIME: return is_time(s) ? NULL : "is not a time: hh:mm:ss";
    case TYPE_BASE64BINARY: return is_base64(s) ? NULL : "is not base64";
    case TYPE_XHTML: return xhtml_problem(s, &at);
    default: return string_problem(s);
    }
}

const char *primitive_problem(enum def_which type, yyjson_val *v)
{
    struct str s;

    switch (type) {
    case TYPE_BOOLEAN: return yyjson_is_bool(v) ? NULL : "is not true or false";
    case TYPE_INTEGER:
    case TYPE_UNSIGNEDINT:
    case TYPE_POSITIVEINT:
    case TYPE_DECIMAL: return number_problem(type, v);
    default: break;
    }
    if (!yyjson_is_str(v))
        return "is not a JSON string";
    s = js_str(v);
    return s.n ? text_problem(type, s) : "is empty";
}
