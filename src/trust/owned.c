#include "trust/owned.h"

#define MINUTE_MS INT64_C(60000)
#define MINUTE_CHARS 8
#define KIND_AT (MINUTE_CHARS + 1) /* in an entry: "65f00000/g/NAME" */
#define NAME_AT ((size_t)MINUTE_CHARS + 3)

struct entry {
    bool is; /* a record is there: that is all it says */
};
static const struct field entry_fields[] = {{"is", FIELD_BOOL, offsetof(struct entry, is)}};
static const struct shape entry_shape = SHAPE(entry);

/* The minute in which it ends, begun or not: what is named by it has ended then. */
static uint32_t minute_of(int64_t until_ms)
{
    return (uint32_t)((until_ms + MINUTE_MS - 1) / MINUTE_MS);
}

static bool read_entry(struct str entry, struct owned *ret)
{
    if (entry.n <= NAME_AT || (entry.p[KIND_AT] != 's' && entry.p[KIND_AT] != 'g'))
        return false;
    *ret = (struct owned){.kind = entry.p[KIND_AT] == 's' ? RECORD_SESSION : RECORD_GRANT,
                          .name = str_from(entry, NAME_AT),
                          .entry = entry};
    return true;
}

static int full_name(struct arena *a, struct str account, struct str entry, struct str *ret,
                     struct err *err)
{
    *ret = arena_join(a, (const struct str[]){account, STR("/"), entry}, 3);
    return ret->p ? 0 : err_no_memory(err);
}

/* The first entry behind `after` (a full name); .p NULL at the end. */
static int next(struct store_txn *txn, struct str account, struct str after, struct arena *a,
                struct str *ret_full, struct str *ret_entry, struct err *err)
{
    int r = record_next(txn, RECORD_OWNED, after, a, ret_full, err);
    bool is_theirs = r >= 0 && ret_full->p && ret_full->n > account.n + 1 &&
                     str_starts(*ret_full, account) && ret_full->p[account.n] == '/';

    *ret_entry = is_theirs ? str_from(*ret_full, account.n + 1) : STR_NULL;
    return r;
}

static int drop(struct store_txn *txn, struct str full, struct str entry, struct err *err)
{
    struct owned one;
    int r = read_entry(entry, &one) ? record_drop(txn, one.kind, one.name, err) : 0;

    return r < 0 ? r : record_drop(txn, RECORD_OWNED, full, err);
}

static int sweep(struct store_txn *txn, struct str account, struct arena *a, int64_t now_ms,
                 struct err *err)
{
    struct str after, full, entry;
    char now[16];
    int r = full_name(a, account, STR(""), &after, err);

    snprintf(now, sizeof now, "%08x", (uint32_t)(now_ms / MINUTE_MS));
    for (int i = 0; r >= 0 && i < OWNED_SWEEP; i++) {
        r = next(txn, account, after, a, &full, &entry, err);
        if (r < 0 || !entry.p || str_cmp(str_head(entry, MINUTE_CHARS), str_c(now)) > 0)
            break;
        r = drop(txn, full, entry, err);
        after = full;
    }
    return r;
}

int owned_add(struct store_txn *txn, struct str account, enum record_kind kind, struct str name,
              int64_t until_ms, int64_t now_ms, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct entry is = {true};
    struct str full;
    int r;

    arena_init(&a, KIB(64));
    full = arena_fmt(&a, "%.*s/%08x/%c/%.*s", STR_ARG(account), minute_of(until_ms),
                     kind == RECORD_SESSION ? 's' : 'g', STR_ARG(name));
    if (!full.p)
        return err_no_memory(err);
    r = sweep(txn, account, &a, now_ms, err);
    return r < 0 ? r : record_put(txn, RECORD_OWNED, full, &entry_shape, &is, err);
}

int owned_each(struct store_txn *txn, struct str account, int64_t now_ms, struct arena *a,
               owned_each_fn *each, void *ctx, struct err *err)
{
    struct str full, entry;
    char from[16];
    int r;

    /* Behind all that have ended: '/' is what stands next in a name. */
    snprintf(from, sizeof from, "%08x0", (uint32_t)(now_ms / MINUTE_MS));
    r = full_name(a, account, str_c(from), &full, err);
    for (size_t i = 0; r >= 0 && i < OWNED_LOOKED_MAX; i++) {
        struct owned one;

        r = next(txn, account, full, a, &full, &entry, err);
        if (r < 0 || !entry.p)
            break;
        if (read_entry(entry, &one))
            r = each(ctx, &one, err);
    }
    return MIN(r, 0);
}

int owned_drop(struct store_txn *txn, struct str account, struct str entry, struct arena *a,
               struct err *err)
{
    struct entry is;
    struct str full;
    int r = full_name(a, account, entry, &full, err);

    if (r >= 0 && full.n > RECORD_NAME_MAX / 2)
        return err_set(err, ERR_NOT_FOUND, "the account has nothing of this name out");
    if (r >= 0)
        r = record_get(txn, RECORD_OWNED, full, a, &entry_shape, &is, err);
    return r < 0 ? r : drop(txn, full, entry, err);
}

int owned_drop_all(struct store_txn *txn, struct str account, struct arena *a, struct err *err)
{
    struct str after, full, entry;
    int r = full_name(a, account, STR(""), &after, err);

    for (size_t i = 0; r >= 0 && i < OWNED_LOOKED_MAX; i++) {
        r = next(txn, account, after, a, &full, &entry, err);
        if (r < 0 || !entry.p)
            break;
        r = drop(txn, full, entry, err);
        after = full;
    }
    return MIN(r, 0);
}
