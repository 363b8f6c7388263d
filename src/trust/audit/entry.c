#include "trust/audit/entry.h"

#include "fhir/index.h"
#include "fhir/validate.h"

#include <arpa/inet.h>

#define VERSION 1
#define WHEN_BYTES 6

/* Members of an entry, in the order of their numbers. */
enum {
    TAG_WHEN = 1,
    TAG_INTERACTION,
    TAG_STATUS,
    TAG_USER,
    TAG_CLIENT,
    TAG_ADDRESS,
    TAG_REQUEST,
    TAG_PURPOSE,
    TAG_TYPE,
    TAG_ID,
    TAG_VERSION,
    TAG_OPERATION,
    TAG_QUERY,
    TAG_ROLE,
    TAG_TOKEN,
    TAG_PATIENT = 64,
};

static const char *const codes[] = {
#define X(id, number, code, action) [number] = code,
    AUDIT_INTERACTIONS(X)
#undef X
};

static const char *const actions[] = {
#define X(id, number, code, action) [number] = action,
    AUDIT_INTERACTIONS(X)
#undef X
};

const char *audit_interaction_code(enum audit_interaction i)
{
    return (size_t)i < ARRAY_LEN(codes) ? codes[i] : "";
}

const char *audit_interaction_action(enum audit_interaction i)
{
    return (size_t)i < ARRAY_LEN(actions) ? actions[i] : "E";
}

/* ---- bytes ---- */

static void put_member(struct sb *out, int tag, struct str value)
{
    size_t n = value.n;

    if (!n)
        return;
    sb_char(out, (char)tag);
    for (; n >= 128; n >>= 7)
        sb_char(out, (char)((n & 127) | 128));
    sb_char(out, (char)n);
    sb_str(out, value);
}

static void put_number(struct sb *out, int tag, uint64_t v, size_t bytes)
{
    char text[8];

    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)(v >> (8 * (bytes - 1 - i)));
    put_member(out, tag, str_n(text, bytes));
}

static void put_text(struct sb *out, int tag, struct str s)
{
    static const struct str dots = STR("…");
    _cleanup_(sb_done) struct sb cut = sb_make(AUDIT_TEXT_MAX);
    size_t n = AUDIT_TEXT_MAX - dots.n;

    if (s.n <= AUDIT_TEXT_MAX) {
        put_member(out, tag, s);
        return;
    }
    while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--; /* not inside a character */
    sb_put(&cut, s.p, n);
    sb_str(&cut, dots);
    out->failed |= cut.failed;
    put_member(out, tag, sb_view(&cut));
}

/* Ids as the index packs them: 17 bytes for a UUID. */
static void put_id(struct sb *out, int tag, struct str id)
{
    unsigned char key[FHIR_ID_MAX + 2];

    if (id.n && id.n <= FHIR_ID_MAX)
        put_member(out, tag, str_n((const char *)key, index_id_key(id, key)));
}

/* An IP address is 4 or 16 bytes behind a 0; anything else is its text. */
static void put_address(struct sb *out, struct str address)
{
    char text[INET6_ADDRSTRLEN], bytes[17] = {0};

    if (address.n && address.n < sizeof text) {
        memcpy(text, address.p, address.n);
        text[address.n] = '\0';
        if (inet_pton(AF_INET, text, bytes + 1) == 1) {
            put_member(out, TAG_ADDRESS, str_n(bytes, 5));
            return;
        }
        if (inet_pton(AF_INET6, text, bytes + 1) == 1) {
            put_member(out, TAG_ADDRESS, str_n(bytes, 17));
            return;
        }
    }
    put_text(out, TAG_ADDRESS, address);
}

void audit_entry_head(struct sb *out, const struct audit_event *e)
{
    sb_char(out, VERSION);
    put_number(out, TAG_WHEN, (uint64_t)e->when_ms, WHEN_BYTES);
    put_number(out, TAG_INTERACTION, (uint64_t)e->interaction, 1);
    put_number(out, TAG_STATUS, (uint64_t)e->status, 2);
    put_text(out, TAG_USER, e->user);
    put_text(out, TAG_CLIENT, e->client);
    put_address(out, e->address);
    put_text(out, TAG_REQUEST, e->request_id);
    put_text(out, TAG_PURPOSE, e->purpose);
    put_text(out, TAG_TYPE, e->type);
    put_id(out, TAG_ID, e->id);
    put_text(out, TAG_VERSION, e->version);
    put_text(out, TAG_OPERATION, e->operation);
    put_text(out, TAG_QUERY, e->query);
    put_text(out, TAG_ROLE, e->role);
    put_text(out, TAG_TOKEN, e->token);
}

void audit_entry_tail(struct sb *out, struct str patient)
{
    put_id(out, TAG_PATIENT, patient);
}

/* ---- and back ---- */

static bool next_member(struct str *rest, int *ret_tag, struct str *ret)
{
    const unsigned char *p = (const unsigned char *)rest->p;
    size_t at = 1, n = 0;
    unsigned shift = 0;

    for (;; shift += 7) {
        if (at >= rest->n || shift > 21)
            return false;
        n |= (size_t)(p[at] & 127) << shift;
        if (!(p[at++] & 128))
            break;
    }
    if (n > rest->n - at)
        return false;
    *ret_tag = p[0];
    *ret = str_n(rest->p + at, n);
    *rest = str_from(*rest, at + n);
    return true;
}

static uint64_t number(struct str s)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.n && i < 8; i++)
        v = v << 8 | (unsigned char)s.p[i];
    return v;
}

static struct str unpack_id(struct arena *a, struct str key)
{
    char text[FHIR_ID_MAX + 1];
    struct str id;

    if (!key.n || key.n > FHIR_ID_MAX + 1)
        return STR("");
    id = str_n(text, index_key_id((const unsigned char *)key.p, key.n, text));
    return fhir_is_id(id) ? arena_dup(a, id) : STR("");
}

static struct str unpack_address(struct arena *a, struct str s)
{
    char text[INET6_ADDRSTRLEN];

    if (!s.n || s.p[0] || (s.n != 5 && s.n != 17))
        return str_is_utf8(s) ? s : STR("");
    inet_ntop(s.n == 5 ? AF_INET : AF_INET6, s.p + 1, text, sizeof text);
    return arena_dup(a, str_c(text));
}

/* A text that is none reads as absent: what is shown of an entry must be text. */
static void take_member(struct arena *a, struct audit_event *e, int tag, struct str v)
{
    bool is_packed = tag == TAG_ADDRESS || tag == TAG_ID || tag == TAG_PATIENT;

    if (tag >= TAG_USER && tag <= TAG_TOKEN && tag != TAG_QUERY && !is_packed && !str_is_utf8(v))
        return;
    switch (tag) {
    case TAG_WHEN: e->when_ms = v.n == WHEN_BYTES ? (int64_t)number(v) : 0; break;
    case TAG_INTERACTION:
        e->interaction =
            number(v) < AUDIT_INTERACTION_COUNT ? (enum audit_interaction)number(v) : AUDIT_OTHER;
        break;
    case TAG_STATUS: e->status = (int)(number(v) & 0xffff); break;
    case TAG_USER: e->user = v; break;
    case TAG_CLIENT: e->client = v; break;
    case TAG_ADDRESS: e->address = unpack_address(a, v); break;
    case TAG_REQUEST: e->request_id = v; break;
    case TAG_PURPOSE: e->purpose = v; break;
    case TAG_TYPE: e->type = fhir_is_id(v) ? v : STR(""); break;
    case TAG_ID: e->id = unpack_id(a, v); break;
    case TAG_VERSION: e->version = fhir_is_id(v) ? v : STR(""); break;
    case TAG_OPERATION: e->operation = v; break;
    case TAG_QUERY: e->query = v; break;
    case TAG_ROLE: e->role = v; break;
    case TAG_TOKEN: e->token = v; break;
    case TAG_PATIENT: e->patient = unpack_id(a, v); break;
    default: break; /* of a later version */
    }
}

int audit_entry_parse(struct arena *a, struct str entry, struct audit_event *ret, struct err *err)
{
    struct audit_event e = {.user = STR("")};
    struct str rest, value;
    int tag, last = 0;

    e.client = e.address = e.request_id = e.purpose = e.type = e.id = e.version = e.operation =
        e.query = e.role = e.token = e.patient = STR("");
    if (!entry.n || entry.n > AUDIT_ENTRY_MAX || entry.p[0] != VERSION)
        return err_set(err, ERR_SYNTAX, "the entry is of no version that is known");
    for (rest = str_from(entry, 1); rest.n; last = tag) {
        if (!next_member(&rest, &tag, &value) || tag <= last)
            return err_set(err, ERR_SYNTAX, "the entry's members are cut or out of order");
        take_member(a, &e, tag, value);
    }
    if (!e.when_ms || !e.address.p || !e.id.p || !e.patient.p)
        return e.when_ms ? err_no_memory(err)
                         : err_set(err, ERR_SYNTAX, "the entry does not say when it was made");
    *ret = e;
    return 0;
}
