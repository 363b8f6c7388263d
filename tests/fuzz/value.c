/* value.c - the small grammars: the first byte chooses one, the rest is its text. */
#include "fhir/date.h"
#include "fhir/decimal.h"
#include "fhir/ucum.h"
#include "fhir/xhtml.h"
#include "fuzz.h"

#include <string.h>

static void fuzz_decimal(struct str s)
{
    unsigned char key[DECIMAL_KEY_MAX];
    char text[DECIMAL_TEXT_MAX];
    struct decimal d, back, from, to;
    struct err err = {0};

    if (decimal_parse(s, &d, &err) == 0) {
        size_t n = decimal_key(&d, key);

        FUZZ_HOLDS(n >= 1 && n <= sizeof(key));
        FUZZ_HOLDS(decimal_from_key(key, n, &back) == n && decimal_cmp(&d, &back) == 0);
        n = decimal_format(&d, text);
        FUZZ_HOLDS(n < sizeof(text) && strlen(text) == n);
        FUZZ_HOLDS(decimal_parse(str_n(text, n), &back, &err) == 0 && decimal_cmp(&d, &back) == 0);
        FUZZ_HOLDS(decimal_parse_search(s, &back, &from, &to, &err) == 0);
    }
    if (decimal_parse_search(s, &d, &from, &to, &err) == 0)
        FUZZ_HOLDS(decimal_cmp(&from, &d) <= 0 && decimal_cmp(&d, &to) <= 0);
}

static void fuzz_date(enum date_kind kind, struct str s)
{
    struct date d;
    struct err err = {0};

    if (date_parse(kind, s, 0, &d, &err) == 0) {
        FUZZ_HOLDS(d.from_ms < d.to_ms);
        FUZZ_HOLDS(date_parse(DATE_SEARCH, s, 0, &d, &err) == 0);
    }
}

/* "unit\nother unit" */
static void fuzz_ucum(struct str s)
{
    const char *cut = s.n ? memchr(s.p, '\n', s.n) : NULL;
    struct str one = cut ? str_n(s.p, (size_t)(cut - s.p)) : s;
    struct str two = cut ? str_n(cut + 1, s.n - one.n - 1) : STR("1");
    struct decimal five = decimal_i64(5), value, back;
    char unit[UCUM_UNIT_MAX];
    struct err err = {0};

    if (ucum_check(one, &err) == 0 && ucum_canonical(one, &five, unit, &value, &err) == 0)
        FUZZ_HOLDS(memchr(unit, '\0', sizeof(unit)));
    if (ucum_convert(&five, one, two, &value, &err) == 0)
        (void)ucum_convert(&value, two, one, &back, &err);
    (void)ucum_mul(&five, one, &five, two, false, unit, &value, &err);
    (void)ucum_mul(&five, one, &five, two, true, unit, &value, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str s = n ? str_n((const char *)data + 1, n - 1) : STR("");
    int64_t from, to;
    int minutes;
    size_t at = 0;
    struct err err = {0};

    switch (n ? data[0] : 0) {
    case 'd': fuzz_decimal(s); break;
    case 'D': fuzz_date(DATE_DATE, s); break;
    case 'T': fuzz_date(DATE_DATETIME, s); break;
    case 'I': fuzz_date(DATE_INSTANT, s); break;
    case 'S': fuzz_date(DATE_SEARCH, s); break;
    case 't':
        if (time_parse(s, &from, &to, &err) == 0)
            FUZZ_HOLDS(from >= 0 && from < to);
        break;
    case 'z':
        if (tz_parse(s, &minutes, &err) == 0)
            FUZZ_HOLDS(minutes >= -DATE_TZ_MINUTES_MAX && minutes <= DATE_TZ_MINUTES_MAX);
        break;
    case 'u': fuzz_ucum(s); break;
    default:
        if (xhtml_problem(s, &at))
            FUZZ_HOLDS(at <= s.n);
    }
    return 0;
}
