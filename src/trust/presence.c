#include "trust/presence.h"

#include "base/clock.h"

/* What is good for a patient: SHA-256 of codes, which have 60 bits. */
struct presence {
    struct str code, card, card_by; /* card_by: the account that gave it out */
    int64_t until_ms, card_until_ms;
};
static const struct field presence_fields[] = {
    {"code", FIELD_STR, offsetof(struct presence, code)},
    {"card", FIELD_STR, offsetof(struct presence, card)},
    {"cardBy", FIELD_STR, offsetof(struct presence, card_by)},
    {"until", FIELD_I64, offsetof(struct presence, until_ms)},
    {"cardUntil", FIELD_I64, offsetof(struct presence, card_until_ms)},
};
static const struct shape presence_shape = SHAPE(presence);

static int find(struct store_txn *txn, struct arena *a, struct str patient, struct presence *ret,
                struct err *err)
{
    int r = record_get(txn, RECORD_PRESENCE, patient, a, &presence_shape, ret, err);

    if (r != ERR_NOT_FOUND)
        return r;
    *ret = (struct presence){.code = STR(""), .card = STR(""), .card_by = STR("")};
    *err = (struct err){0};
    return 0;
}

int presence_give(struct store_txn *txn, struct arena *a, struct str patient, bool is_card,
                  struct str account, int64_t now_ms, char ret_code[RECOVERY_CODE_MAX],
                  int64_t *ret_until_ms, struct err *err)
{
    char code[RECOVERY_CODE_MAX], hash[2 * SHA256_BYTES + 1];
    struct presence p;
    int r = find(txn, a, patient, &p, err);

    if (r < 0)
        return r;
    recovery_code(code);
    if (!code[0])
        return err_no_memory(err);
    recovery_hash(str_c(code), hash);
    *ret_until_ms = now_ms + (is_card ? PRESENCE_CARD_MS : PRESENCE_CODE_MS);
    if (is_card) {
        p.card = str_c(hash);
        p.card_by = account;
        p.card_until_ms = *ret_until_ms;
    } else {
        p.code = str_c(hash);
        p.until_ms = *ret_until_ms;
    }
    if ((r = record_put(txn, RECORD_PRESENCE, patient, &presence_shape, &p, err)) < 0)
        return r;
    memcpy(ret_code, code, sizeof code);
    return 0;
}

int presence_take(struct store_txn *txn, struct arena *a, struct str patient, struct str code,
                  struct str account, int64_t now_ms, struct err *err)
{
    char hash[2 * SHA256_BYTES + 1];
    struct presence p;
    int r = find(txn, a, patient, &p, err);

    if (r < 0)
        return r;
    recovery_hash(code, hash);
    if (now_ms < p.card_until_ms && secret_eq(p.card, str_c(hash)) && !str_eq(p.card_by, account))
        return 0;
    if (now_ms >= p.until_ms || !secret_eq(p.code, str_c(hash)))
        return err_set(err, ERR_FORBIDDEN,
                       "this code is not good for this person: ask them for a new one");
    p.code = STR("");
    p.until_ms = 0;
    return record_put(txn, RECORD_PRESENCE, patient, &presence_shape, &p, err);
}

void presence_encounter(struct sb *out, const struct check_in *in)
{
    char from[CLOCK_INSTANT_MAX], until[CLOCK_INSTANT_MAX];

    clock_format(in->now_ms, from);
    clock_format(in->now_ms + PRESENCE_VISIT_MS, until);
    sb_lit(out, "{\"resourceType\":\"Encounter\",\"id\":");
    sb_json(out, in->id);
    sb_lit(out, ",\"status\":\"arrived\",\"class\":{\"system\":"
                "\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"AMB\"},"
                "\"type\":[{\"coding\":[{\"system\":\"" PRESENCE_SYSTEM
                "\",\"code\":\"" PRESENCE_CODE "\"}]}],\"subject\":{\"reference\":\"Patient/");
    sb_str(out, in->patient);
    sb_lit(out, "\"},\"participant\":[{\"individual\":{\"reference\":");
    sb_json(out, in->practitioner);
    sb_lit(out, "}}]");
    if (in->organization.n) {
        sb_lit(out, ",\"serviceProvider\":{\"reference\":");
        sb_json(out, in->organization);
        sb_lit(out, "}");
    }
    sb_fmt(out, ",\"period\":{\"start\":\"%s\",\"end\":\"%s\"}}", from, until);
}
