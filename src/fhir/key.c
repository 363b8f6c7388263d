#include "fhir/key_int.h"

#include "fhir/fold.h"
#include "fhir/validate.h"
#include "fhir/value_int.h"

/* A text ends at a NUL, whatever stands behind it: FHIR texts have none. */
static struct str before_nul(struct str s)
{
    ptrdiff_t at = str_find(s, '\0');
    return at < 0 ? s : str_head(s, (size_t)at);
}

static void put_hash(struct key *k, struct str s)
{
    uint64_t h = str_hash(s);

    for (int shift = 56; shift >= 0; shift -= 8)
        key_byte(k, h >> shift & 0xff);
}

/* Without its end. */
static void put_text(struct key *k, struct str s, size_t max)
{
    s = before_nul(s);
    key_put(k, s.p, MIN(s.n, max));
    if (s.n > max) {
        key_byte(k, KEY_CUT);
        put_hash(k, s);
    }
}

void key_text(struct key *k, struct str s, size_t max)
{
    put_text(k, s, max);
    key_byte(k, KEY_END);
}

bool key_fold(struct key *k, struct str s)
{
    bool cut = false;

    assert(sizeof k->b - k->n >= KEY_STRING_BYTES);
    k->n += fold_text(before_nul(s), (char *)k->b + k->n, KEY_STRING_BYTES, &cut);
    return cut;
}

void key_string(struct key *k, struct str s)
{
    if (key_fold(k, s))
        key_byte(k, KEY_CUT);
    key_byte(k, KEY_END);
}

/* 1 … 0x7f: one byte; 0x80 … 0x7c7f: two, the first 0x80 … 0xfb. */
#define SYSTEM_SHORT 0x80
#define SYSTEM_MAX (SYSTEM_SHORT + 0x7c * 256 - 1)

void key_system(struct key *k, struct str system)
{
    unsigned number = system.n ? def_system(system) : 0;

    if (!system.n) {
        key_byte(k, KEY_NO_SYSTEM);
    } else if (number && number < SYSTEM_SHORT) {
        key_byte(k, number);
    } else if (number && number <= SYSTEM_MAX) {
        number -= SYSTEM_SHORT;
        key_byte(k, 0x80 + (number >> 8));
        key_byte(k, number & 0xff);
    } else {
        key_byte(k, KEY_SYSTEM_HASH);
        put_hash(k, system);
    }
}

size_t key_system_bytes(struct str key)
{
    unsigned first = key.n ? (unsigned char)key.p[0] : KEY_LABEL;
    size_t n = first < 0x80 ? 1 : first < 0xfc ? 2 : first == KEY_SYSTEM_HASH ? 9 : 0;

    return n <= key.n ? n : 0;
}

void key_code(struct key *k, struct str code)
{
    char lower[KEY_CODE_BYTES];
    uint64_t h = 0xcbf29ce484222325u;

    code = before_nul(code);
    for (size_t i = 0; i < code.n; i++) {
        char c = code.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c | 0x20);
        if (i < sizeof lower)
            lower[i] = c;
        else if (i == sizeof lower)
            h = str_hash(str_n(lower, sizeof lower));
        if (i >= sizeof lower)
            h = (h ^ (unsigned char)c) * 0x100000001b3u;
    }
    key_put(k, lower, MIN(code.n, sizeof lower));
    if (code.n > sizeof lower) {
        key_byte(k, KEY_CUT);
        for (int shift = 56; shift >= 0; shift -= 8)
            key_byte(k, h >> shift & 0xff);
    }
    key_byte(k, KEY_END);
}

void key_token(struct key *k, struct str system, struct str code)
{
    key_system(k, system);
    key_code(k, code);
}

void key_label(struct key *k, struct str text)
{
    key_byte(k, KEY_LABEL);
    key_string(k, text);
}

void key_local(struct key *k, int type, struct str id)
{
    key_byte(k, (unsigned)type);
    k->n += index_id_key(id, k->b + k->n);
}

void key_url(struct key *k, struct str url, struct str version)
{
    key_byte(k, KEY_URL);
    key_text(k, url, KEY_URI_BYTES);
    key_text(k, version, KEY_VERSION_BYTES);
}

void key_unit(struct key *k, struct str system, struct str code, bool interval)
{
    key_system(k, system);
    put_text(k, code, KEY_UNIT_BYTES);
    key_byte(k, interval ? KEY_INTERVAL_UNIT : KEY_END);
}

/* Of a system and the text behind it, to the byte that ends the text: KEY_END or another one. */
static size_t coded_bytes(struct str key, unsigned other_end)
{
    size_t at = key_system_bytes(key);

    if (!at)
        return 0;
    for (; at < key.n; at++) {
        unsigned char c = (unsigned char)key.p[at];
        if (c == KEY_END || c == other_end)
            return at + 1;
        if (c == KEY_CUT)
            at += 8;
    }
    return 0;
}

size_t key_unit_bytes(struct str key)
{
    return coded_bytes(key, KEY_INTERVAL_UNIT);
}

size_t key_token_bytes(struct str key)
{
    return coded_bytes(key, KEY_END);
}

bool key_is_ordered(enum def_param_kind kind)
{
    return kind == PARAM_QUANTITY || kind == PARAM_NUMBER || kind == PARAM_DATE ||
           kind == PARAM_STRING;
}

size_t key_ordered_from(enum def_param_kind kind, struct str part)
{
    return kind == PARAM_QUANTITY ? key_unit_bytes(part) : kind == PARAM_DATE;
}

void key_decimal(struct key *k, const struct decimal *d)
{
    assert(sizeof k->b - k->n >= DECIMAL_KEY_MAX);
    k->n += decimal_key(d, k->b + k->n);
}

void key_low_end(struct key *k)
{
    key_put(k, "\x00\x00", 2);
}

void key_high_end(struct key *k)
{
    key_put(k, "\xff\xff", 2);
}

bool key_is_high_end(struct str key)
{
    return str_starts(key, STR("\xff\xff"));
}

void key_interval(struct key *k, const struct decimal *low, const struct decimal *high)
{
    if (low)
        key_decimal(k, low);
    else
        key_low_end(k);
    if (high)
        key_decimal(k, high);
    else
        key_high_end(k);
}

/* A decimal or one of the ends; bytes taken, 0 if it is neither. */
static size_t end_read(struct str key, struct decimal *ret, bool *ret_has)
{
    *ret_has = !str_starts(key, STR("\x00\x00")) && !key_is_high_end(key);
    return *ret_has ? decimal_from_key((const unsigned char *)key.p, key.n, ret) : 2;
}

bool key_interval_read(struct str key, struct decimal *ret_low, bool *ret_has_low,
                       struct decimal *ret_high, bool *ret_has_high)
{
    size_t n = end_read(key, ret_low, ret_has_low);

    return n && n <= key.n && end_read(str_from(key, n), ret_high, ret_has_high);
}

/* ---- dates ---- */

#define SECOND_MS 1000
#define KIND_LONG 127 /* the end follows */

/* Lengths that need no end of their own; a place in the list is part of the stored format. */
static const int64_t lengths_ms[] = {
    1,
    10,
    100,
    SECOND_MS,
    60 * SECOND_MS,
    KEY_DAY_MS,
    28 * (int64_t)KEY_DAY_MS,
    29 * (int64_t)KEY_DAY_MS,
    30 * (int64_t)KEY_DAY_MS,
    31 * (int64_t)KEY_DAY_MS,
    365 * (int64_t)KEY_DAY_MS,
    366 * (int64_t)KEY_DAY_MS,
};

static void put_time(struct key *k, int64_t ms, unsigned kind)
{
    uint64_t v;

    ms = MAX(ms, VALUE_TIME_MIN);
    ms = MIN(ms, VALUE_TIME_MAX);
    v = (uint64_t)(ms - VALUE_TIME_MIN) << 7 | kind;
    for (int shift = 48; shift >= 0; shift -= 8)
        key_byte(k, v >> shift & 0xff);
}

void key_date(struct key *k, int64_t from_ms, int64_t to_ms)
{
    for (size_t i = 0; i < ARRAY_LEN(lengths_ms); i++) {
        if (to_ms - from_ms == lengths_ms[i]) {
            put_time(k, from_ms, (unsigned)i);
            return;
        }
    }
    put_time(k, from_ms, KIND_LONG);
    put_time(k, to_ms, 0);
}

bool key_date_is_long(int64_t from_ms, int64_t to_ms)
{
    return to_ms - from_ms > KEY_DAY_MS;
}

void key_date_end(struct key *k, int64_t from_ms, int64_t to_ms)
{
    put_time(k, to_ms, 0);
    put_time(k, from_ms, 0);
}

void key_date_from(struct key *k, int64_t ms)
{
    put_time(k, ms, 0);
}

static bool time_read(struct str key, size_t at, int64_t *ret_ms, unsigned *ret_kind)
{
    uint64_t v = 0;

    if (key.n < at + KEY_DATE_BYTES)
        return false;
    for (size_t i = 0; i < KEY_DATE_BYTES; i++)
        v = v << 8 | (unsigned char)key.p[at + i];
    *ret_ms = (int64_t)(v >> 7) + VALUE_TIME_MIN;
    *ret_kind = v & 127;
    return true;
}

bool key_date_read(struct str key, bool by_end, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    unsigned kind, none;

    if (by_end)
        return time_read(key, 0, ret_to_ms, &kind) &&
               time_read(key, KEY_DATE_BYTES, ret_from_ms, &none);
    if (!time_read(key, 0, ret_from_ms, &kind))
        return false;
    if (kind == KIND_LONG)
        return time_read(key, KEY_DATE_BYTES, ret_to_ms, &none);
    if (kind >= ARRAY_LEN(lengths_ms))
        return false;
    *ret_to_ms = *ret_from_ms + lengths_ms[kind];
    return true;
}

bool key_after(struct key *k)
{
    while (k->n && k->b[k->n - 1] == 0xff)
        k->n--;
    if (k->n)
        k->b[k->n - 1]++;
    return k->n;
}

/* ---- ids ---- */

#define UUID_BYTES 16
#define UUID_MARK 0x01

static int hex(unsigned char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool uuid_pack(struct str id, unsigned char *ret)
{
    size_t n = 0;

    if (id.n != 36)
        return false;
    for (size_t i = 0; i < 36;) {
        int high, low;
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (id.p[i++] != '-')
                return false;
            continue;
        }
        high = hex((unsigned char)id.p[i]);
        low = hex((unsigned char)id.p[i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret[n++] = (unsigned char)(high << 4 | low);
        i += 2;
    }
    return true;
}

size_t index_id_key(struct str id, unsigned char *ret)
{
    unsigned char packed[UUID_BYTES];

    if (uuid_pack(id, packed)) {
        ret[0] = UUID_MARK;
        memcpy(ret + 1, packed, sizeof packed);
        return 1 + sizeof packed;
    }
    id = str_head(before_nul(id), FHIR_ID_MAX);
    if (id.n)
        memcpy(ret, id.p, id.n);
    ret[id.n] = KEY_END;
    return id.n + 1;
}

/* Four bytes as eight hexadecimal digits, all at once: a nibble to each byte of a word, then '0'
 * added, and to those above 9 the way from there to 'a' too. */
static void hex_of_four(const unsigned char *from, char to[8])
{
    uint64_t v = (uint64_t)from[0] << 24 | from[1] << 16 | from[2] << 8 | from[3], above;

    v = (v | v << 16) & 0x0000ffff0000ffff;
    v = (v | v << 8) & 0x00ff00ff00ff00ff;
    v = (v | v << 4) & 0x0f0f0f0f0f0f0f0f;
    above = (v + 0x0606060606060606) >> 4 & 0x0101010101010101;
    v = htobe64(v + 0x3030303030303030 + above * ('a' - '0' - 10));
    memcpy(to, &v, sizeof v);
}

/* 8-4-4-4-12 */
static void uuid_unpack(const unsigned char *from, char ret[36])
{
    char middle[16];

    hex_of_four(from, ret);
    hex_of_four(from + 4, middle);
    hex_of_four(from + 8, middle + 8);
    hex_of_four(from + 12, ret + 28);
    for (size_t i = 0; i < 4; i++) {
        ret[8 + 5 * i] = '-';
        memcpy(ret + 9 + 5 * i, middle + 4 * i, 4);
    }
}

size_t index_key_id(const unsigned char *key, size_t n, char *ret)
{
    size_t at = 36;

    if (n == 1 + UUID_BYTES && key[0] == UUID_MARK) {
        uuid_unpack(key + 1, ret);
    } else {
        at = n && key[n - 1] == KEY_END ? n - 1 : n;
        at = MIN(at, (size_t)FHIR_ID_MAX);
        memcpy(ret, key, at);
    }
    ret[at] = '\0';
    return at;
}
