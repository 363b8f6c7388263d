#include "server/rolled_back.h"

#include "base/clock.h"
#include "trust/trust.h"

#include <stdlib.h>

#define ARENA_MAX MIB(256)
#define CLOCK_NAME "last-clock" /* where expunging leaves the store's clock */

/* The newest version that a page of the log tells of. */
struct told {
    uint64_t hlc, leaf;
    bool is_restored; /* what is older may well be missing */
};

static bool is_write(const struct audit_event *e)
{
    return e->interaction == AUDIT_CREATE || e->interaction == AUDIT_UPDATE ||
           e->interaction == AUDIT_PATCH || e->interaction == AUDIT_DELETE;
}

static void look_at(const struct audit_row *row, struct told *told)
{
    const struct audit_event *e = &row->event;
    struct version v;

    if (e->interaction == AUDIT_COMMAND && str_eq(e->operation, STR("restore")))
        told->is_restored = true;
    else if (is_write(e) && version_parse(e->version, &v) && v.hlc > told->hlc)
        *told = (struct told){.hlc = v.hlc, .leaf = row->leaf};
}

static int ask_log(struct audit_log *log, struct arena *a, struct told *ret, struct err *err)
{
    struct audit_query q = {.max = AUDIT_PAGE_MAX};
    uint64_t size = audit_size(log), next = size;
    int r = 0;

    while (r >= 0 && next && size - next < AUDIT_SCAN_MAX && !ret->hlc && !ret->is_restored) {
        struct audit_row *rows;
        size_t n = 0;

        arena_reset(a);
        q.before = next;
        r = audit_search(log, &q, a, &rows, &n, &next, err);
        for (size_t i = 0; r >= 0 && i < n && !ret->is_restored; i++)
            look_at(&rows[i], ret);
    }
    return r;
}

/* The newest clock that the store has seen. */
static int ask_store(struct store_txn *txn, struct arena *a, uint64_t *ret, struct err *err)
{
    struct history_query q = {.count = 1};
    struct str text = STR_NULL;
    struct page page = {.n = 0};
    char number[24];
    struct row row;
    int r = store_history(txn, &q, a, &page, err);

    *ret = 0;
    if (r >= 0 && page.n) {
        r = store_get_row(txn, page.rows[0], &row, err);
        if (r >= 0)
            *ret = row.version.hlc;
    }
    if (r >= 0)
        r = store_meta_get(txn, CLOCK_NAME, a, &text, err);
    text = str_head(text, sizeof number - 1);
    memcpy(number, text.n ? text.p : "", text.n);
    number[text.n] = '\0';
    *ret = MAX(*ret, (uint64_t)strtoull(number, NULL, 10));
    return r;
}

static int compare(struct store *store, struct audit_log *log, struct arena *a, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    char newest[CLOCK_INSTANT_MAX], id[AUDIT_ID_MAX];
    struct told told = {.hlc = 0};
    uint64_t hlc = 0;
    int r = ask_log(log, a, &told, err);

    if (r < 0 || !told.hlc)
        return r;
    if ((r = store_begin(store, &who, &txn, err)) < 0 || (r = ask_store(txn, a, &hlc, err)) < 0)
        return r;
    if (hlc >= told.hlc)
        return 0;
    clock_format(hlc_ms(hlc), newest);
    audit_id(log, told.leaf, id);
    return err_set(err, ERR_NO_STORE,
                   "the store is older than its audit log: it ends at %s, and the log's entry %s "
                   "tells of a later version; a backup is put back by carnet restore, which leaves "
                   "an entry of it",
                   newest, id);
}

int rolled_back_check(struct store *store, struct audit_log *log, struct err *err)
{
    struct arena a;
    int r;

    if (!log || store_is_shared(store))
        return 0;
    arena_init(&a, ARENA_MAX);
    r = compare(store, log, &a, err);
    arena_done(&a);
    return r;
}
