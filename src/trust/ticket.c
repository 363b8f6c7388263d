#include "trust/ticket.h"

#include "base/b64.h"
#include "base/rng.h"

#define MINUTE_MS 60000
#define MINUTE_BYTES 4

static uint32_t minute_of(int64_t until_ms)
{
    return (uint32_t)((until_ms + MINUTE_MS - 1) / MINUTE_MS);
}

/* Hexadecimal, so that names stand in the order of time. */
static void name(uint32_t minute, struct str text, char ret[TICKET_NAME_MAX])
{
    char hash[2 * SHA256_BYTES + 1];

    sha256_hex(text, hash);
    snprintf(ret, TICKET_NAME_MAX, "%08x/%s", minute, hash);
}

void ticket_new(int64_t until_ms, struct ticket *ret)
{
    _cleanup_(sb_done) struct sb out = sb_make(64);
    unsigned char bytes[SECRET_BYTES];
    uint32_t minute = minute_of(until_ms);

    rng_secure(bytes, sizeof bytes);
    for (int i = 0; i < MINUTE_BYTES; i++)
        bytes[i] = (unsigned char)(minute >> (24 - 8 * i));
    b64url_encode(&out, str_n((const char *)bytes, sizeof bytes));
    memset(ret->text, 0, sizeof ret->text);
    if (!out.failed)
        memcpy(ret->text, out.p, MIN(out.n, sizeof ret->text - 1));
    explicit_bzero(bytes, sizeof bytes);
    name(minute, str_c(ret->text), ret->name);
}

bool ticket_name(struct str text, int64_t now_ms, char ret[TICKET_NAME_MAX])
{
    uint32_t minute = 0;
    struct arena a;
    struct str bytes;
    bool ok;

    if (text.n != SECRET_TEXT_MAX - 1)
        return false;
    arena_init(&a, ARENA_CHUNK_BYTES * 2);
    bytes = b64url_decode(&a, text);
    ok = bytes.p && bytes.n == SECRET_BYTES;
    for (int i = 0; ok && i < MINUTE_BYTES; i++)
        minute = minute << 8 | (unsigned char)bytes.p[i];
    arena_done(&a);
    if (!ok || (int64_t)minute * MINUTE_MS <= now_ms)
        return false;
    name(minute, text, ret);
    return true;
}

void ticket_name_of(struct str text, int64_t until_ms, char ret[TICKET_NAME_MAX])
{
    name(minute_of(until_ms), text, ret);
}

int ticket_sweep(struct store_txn *txn, enum record_kind kind, int64_t now_ms, struct err *err)
{
    struct arena a;
    int r = 0;

    arena_init(&a, KIB(64));
    for (int i = 0; r >= 0 && i < TICKET_SWEEP; i++) {
        struct str found;
        char now[16];

        r = record_next(txn, kind, STR(""), &a, &found, err);
        if (r < 0 || !found.p)
            break;
        snprintf(now, sizeof now, "%08x", (uint32_t)(now_ms / MINUTE_MS));
        if (str_cmp(str_head(found, 8), str_c(now)) >= 0)
            break;
        r = record_drop(txn, kind, found, err);
    }
    arena_done(&a);
    return r;
}
