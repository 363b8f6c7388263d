/* record.c - records of notices: "trust/notice/of/OWNER/ID" is one, "trust/notice/due/TIME/ID" that
 * it waits, with the owner in it. Ids are in the order of time.
 */
#include "notify/notify_int.h"

#include <inttypes.h>

#define OF STORE_BLOB_OWN "notice/of/"
#define DUE NOTICE_DUE_PREFIX
#define TIME_DIGITS 16
#define NAME_MAX_BYTES 200
#define RECORD_MAX KIB(8)

static int name_of(struct str owner, struct str id, char ret[NAME_MAX_BYTES], struct err *err)
{
    int n = snprintf(ret, NAME_MAX_BYTES, OF "%.*s/%.*s", STR_ARG(owner), STR_ARG(id));

    return n < NAME_MAX_BYTES ? 0 : err_set(err, ERR_TOO_LONG, "the owner of a notice is too long");
}

static void write_str(struct sb *out, const char *name, struct str v)
{
    if (!v.n)
        return;
    sb_fmt(out, ",\"%s\":", name);
    sb_json(out, v);
}

int notice_write(struct store_txn *txn, const struct notice_record *rec, struct err *err)
{
    _cleanup_(sb_done) struct sb out = sb_make(RECORD_MAX);
    char name[NAME_MAX_BYTES];
    int r = name_of(rec->owner, rec->id, name, err);

    if (r < 0)
        return r;
    sb_fmt(&out,
           "{\"made\":%" PRId64 ",\"when\":%" PRId64 ",\"sent\":%" PRId64 ",\"attempts\":%" PRIu64,
           rec->made_ms, rec->when_ms, rec->sent_ms, rec->attempts);
    write_str(&out, "kind", rec->kind);
    write_str(&out, "language", rec->language);
    write_str(&out, "channel", rec->channel);
    write_str(&out, "to", rec->to);
    write_str(&out, "state", rec->state);
    write_str(&out, "proof", rec->proof);
    write_str(&out, "secret", rec->secret);
    sb_char(&out, '}');
    r = sb_ok(&out, err);
    if (r >= 0)
        r = store_blob_put(txn, str_c(name), 0, sb_view(&out), err);
    if (out.p)
        explicit_bzero(out.p, out.n);
    return r;
}

static struct str text(yyjson_val *root, const char *name)
{
    struct str s = js_get_str(root, name);

    return s.p ? s : STR("");
}

static int64_t number(yyjson_val *root, const char *name)
{
    uint64_t n = 0;

    str_to_u64(js_str(js_get(root, name)), INT64_MAX, &n);
    return (int64_t)n;
}

int notice_read(struct store_txn *txn, struct str owner, struct str id, struct arena *a,
                struct notice_record *ret, struct err *err)
{
    char name[NAME_MAX_BYTES];
    struct str bytes = STR_NULL;
    yyjson_val *root;
    int r = name_of(owner, id, name, err);

    if (r >= 0)
        r = store_blob_get(txn, str_c(name), 0, a, &bytes, err);
    if (r >= 0 && !bytes.p)
        return err_set(err, ERR_NOT_FOUND, "there is no such notice");
    if (r < 0 || (r = js_parse_stored(a, bytes, &root, err)) < 0)
        return r;
    *ret = (struct notice_record){.id = id,
                                  .owner = owner,
                                  .kind = text(root, "kind"),
                                  .language = text(root, "language"),
                                  .channel = text(root, "channel"),
                                  .to = text(root, "to"),
                                  .state = text(root, "state"),
                                  .proof = text(root, "proof"),
                                  .secret = text(root, "secret"),
                                  .made_ms = number(root, "made"),
                                  .when_ms = number(root, "when"),
                                  .sent_ms = number(root, "sent"),
                                  .attempts = (uint64_t)number(root, "attempts")};
    return 0;
}

/* Ids of somebody's, the oldest first; at most `max` of them. */
static int ids_of(struct store_txn *txn, struct str owner, struct arena *a, struct str *ret,
                  size_t max, size_t *ret_n, struct err *err)
{
    char prefix[NAME_MAX_BYTES];
    struct str head, at;
    int r = name_of(owner, STR(""), prefix, err);

    *ret_n = 0;
    head = at = str_c(prefix);
    while (r >= 0 && *ret_n < max) {
        r = store_blob_next(txn, at, a, &at, NULL, err);
        if (r < 0 || !at.p || !str_starts(at, head))
            break;
        ret[(*ret_n)++] = str_from(at, head.n);
    }
    return MIN(r, 0);
}

int notice_trim(struct store_txn *txn, struct str owner, struct err *err)
{
    struct str ids[NOTIFY_KEPT_MAX + 1];
    char name[NAME_MAX_BYTES];
    struct arena a;
    size_t n;
    int r;

    arena_init(&a, NOTIFY_ARENA_MAX);
    r = ids_of(txn, owner, &a, ids, ARRAY_LEN(ids), &n, err);
    if (r >= 0 && n > NOTIFY_KEPT_MAX && (r = name_of(owner, ids[0], name, err)) >= 0)
        r = store_blob_drop(txn, str_c(name), err);
    arena_done(&a);
    return r;
}

int notify_of(struct store_txn *txn, struct str owner, struct arena *a, struct notice_record **ret,
              size_t *ret_n, struct err *err)
{
    struct str *ids = ARENA_ARRAY(a, struct str, NOTIFY_KEPT_MAX + 1);
    struct notice_record *v = ARENA_ARRAY(a, struct notice_record, NOTIFY_KEPT_MAX + 1);
    size_t n;
    int r;

    if (!ids || !v)
        return err_no_memory(err);
    r = ids_of(txn, owner, a, ids, NOTIFY_KEPT_MAX + 1, &n, err);
    for (size_t i = 0; i < n && r >= 0; i++)
        r = notice_read(txn, owner, ids[n - 1 - i], a, &v[i], err);
    if (r >= 0) {
        *ret = v;
        *ret_n = n;
    }
    return MIN(r, 0);
}

/* ---- the queue ---- */

int notice_queue(struct store_txn *txn, struct str owner, struct str id, int64_t due_ms,
                 struct err *err)
{
    char name[NAME_MAX_BYTES];

    snprintf(name, sizeof name, DUE "%016" PRIx64 "/%.*s", (uint64_t)due_ms, STR_ARG(id));
    return store_blob_put(txn, str_c(name), 0, owner, err);
}

int notice_unqueue(struct store_txn *txn, struct str name, struct err *err)
{
    return store_blob_drop(txn, name, err);
}

int notice_next(struct store_txn *txn, int64_t now_ms, struct arena *a, struct notice_due *ret,
                struct err *err)
{
    struct str found, head = STR(DUE);
    char until[NAME_MAX_BYTES];
    int r = store_blob_next(txn, head, a, &found, NULL, err);

    *ret = (struct notice_due){.name = STR_NULL};
    if (r < 0 || !found.p || !str_starts(found, head) || found.n < head.n + TIME_DIGITS + 1)
        return MIN(r, 0);
    snprintf(until, sizeof until, DUE "%016" PRIx64, (uint64_t)now_ms);
    if (str_cmp(str_head(found, head.n + TIME_DIGITS), str_c(until)) > 0)
        return 0;
    ret->id = str_from(found, head.n + TIME_DIGITS + 1);
    r = store_blob_get(txn, found, 0, a, &ret->owner, err);
    if (r >= 0 && ret->owner.p)
        ret->name = found;
    return MIN(r, 0);
}

/* ---- the end ---- */

static int forget_due(struct store_txn *txn, struct str owner, struct arena *a, struct err *err)
{
    struct str head = STR(DUE), at = head, who;
    int r = 0;

    while (r >= 0) {
        r = store_blob_next(txn, at, a, &at, NULL, err);
        if (r < 0 || !at.p || !str_starts(at, head))
            break;
        r = store_blob_get(txn, at, 0, a, &who, err);
        if (r >= 0 && who.p && str_eq(who, owner))
            r = store_blob_drop(txn, at, err);
    }
    return r;
}

int notify_forget(struct store_txn *txn, struct str owner, struct err *err)
{
    struct str ids[NOTIFY_KEPT_MAX + 1];
    char name[NAME_MAX_BYTES];
    struct arena a;
    size_t n = 0;
    int r;

    arena_init(&a, NOTIFY_ARENA_MAX);
    do {
        r = ids_of(txn, owner, &a, ids, ARRAY_LEN(ids), &n, err);
        for (size_t i = 0; i < n && r >= 0; i++)
            if ((r = name_of(owner, ids[i], name, err)) >= 0)
                r = store_blob_drop(txn, str_c(name), err);
    } while (r >= 0 && n == ARRAY_LEN(ids));
    if (r >= 0)
        r = forget_due(txn, owner, &a, err);
    arena_done(&a);
    return MIN(r, 0);
}
