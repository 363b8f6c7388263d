/* guard_care.c - who is in whose care, kept until a relation changes or ends, and brought up to
 * date with the versions that come.
 */
#include "trust/guard_int.h"

#include "base/clock.h"
#include "fhir/validate.h"
#include "trust/trust.h"

#include <stdlib.h>

/* ---- those that are kept ---- */

static void take_out(struct guard *g, struct care **at)
{
    struct care *c = *at;

    *at = c->next;
    g->n_cares--;
    care_unref(c);
}

void care_forget_all(struct guard *g)
{
    while (g->cares)
        take_out(g, &g->cares);
}

/* Those that were asked about longest ago give way. */
static void make_room(struct guard *g)
{
    for (;;) {
        struct care **oldest = NULL;
        size_t rows = 0;

        for (struct care **at = &g->cares; *at; at = &(*at)->next) {
            rows += (*at)->reach ? (*at)->reach->n_rows : 0;
            if (!oldest || atomic_load(&(*at)->used) < atomic_load(&(*oldest)->used))
                oldest = at;
        }
        if (!oldest || (g->n_cares <= GUARD_CARES_MAX && rows <= GUARD_CARE_ROWS_MAX) ||
            g->n_cares == 1)
            return;
        take_out(g, oldest);
    }
}

/* Under g->lock for writing. */
static int bring_up(struct care *c, struct err *err)
{
    struct reach *more;
    int r;

    if (!c->n_newer || !c->reach)
        return 0;
    r = reach_with(c->reach, c->newer, c->n_newer, &more, err);
    if (r < 0)
        return r;
    reach_unref(c->reach);
    c->reach = more;
    c->n_newer = 0;
    return 0;
}

static struct care *find(struct guard *g, struct str key, int64_t now_ms)
{
    for (struct care *c = g->cares; c; c = c->next)
        if (str_eq(c->key, key) && !c->is_stale && now_ms < c->until_ms)
            return c;
    return NULL;
}

/* Under g->lock; `fresh`: nothing is left to be taken in. */
static struct care *take(struct care *c, struct reach **ret_reach)
{
    if (!c)
        return NULL;
    atomic_store(&c->used, clock_mono_us());
    atomic_fetch_add(&c->refs, 1);
    if (c->reach)
        atomic_fetch_add(&c->reach->refs, 1);
    *ret_reach = c->reach;
    return c;
}

static int make_kept(struct guard *g, const struct asker *who, struct str key, struct err *err)
{
    struct access system = trust_system();
    struct store_txn *txn = NULL;
    struct care *made = NULL;
    int r;

    pthread_mutex_lock(&g->following);
    r = store_begin(g->store, &system, &txn, err);
    if (r >= 0)
        r = guard_follow_in(g, txn, err);
    if (r >= 0)
        r = care_make(g, txn, who, key, &made, err);
    if (txn)
        store_end(txn);
    if (r >= 0) {
        pthread_rwlock_wrlock(&g->lock);
        for (struct care **at = &g->cares; *at;)
            if (str_eq((*at)->key, key))
                take_out(g, at);
            else
                at = &(*at)->next;
        made->next = g->cares;
        atomic_store(&made->used, clock_mono_us());
        g->cares = made;
        g->n_cares++;
        make_room(g);
        pthread_rwlock_unlock(&g->lock);
    }
    pthread_mutex_unlock(&g->following);
    return r;
}

/* What two askers have to have in common to have the same people in their care. */
static struct str key_of(const struct asker *who, char buf[CARE_KEY_MAX])
{
    bool breaks = decide_breaks_glass(who);
    struct str glass = breaks ? who->glass : STR("");
    int n = snprintf(buf, CARE_KEY_MAX, "%d%d%d %.*s %.*s %.*s", (int)who->role->records,
                     who->role->organisation, breaks, (int)MIN(who->user.n, 150u), who->user.p,
                     (int)MIN(glass.n, 70u), glass.p, (int)MIN(who->account.n, 60u),
                     who->account.p ? who->account.p : "");

    return str_n(buf, (size_t)n);
}

int care_of(struct guard *g, const struct asker *who, struct care **ret, struct reach **ret_reach,
            struct err *err)
{
    char buf[CARE_KEY_MAX];
    struct str key = key_of(who, buf);
    int64_t now_ms = clock_now_ms();
    struct care *c;
    bool has_newer;
    int r = 0;

    for (int round = 0; round < 3; round++) {
        pthread_rwlock_rdlock(&g->lock);
        c = find(g, key, now_ms);
        has_newer = c && c->n_newer;
        *ret = has_newer ? NULL : take(c, ret_reach);
        pthread_rwlock_unlock(&g->lock);
        if (*ret)
            return 0;
        if (has_newer) {
            pthread_rwlock_wrlock(&g->lock);
            c = find(g, key, now_ms);
            r = c ? bring_up(c, err) : 0;
            *ret = r < 0 ? NULL : take(c, ret_reach);
            pthread_rwlock_unlock(&g->lock);
        } else {
            r = make_kept(g, who, key, err);
        }
        if (*ret || r < 0)
            return r;
    }
    return err_set(err, ERR_BUSY, "who is in whose care changes too often to be known");
}

/* ---- what changes them ---- */

/* Whether anything in it refers to one of the set. */
static bool mentions_any(yyjson_val *v, const struct text_map *set)
{
    size_t i, max;
    yyjson_val *k, *one;

    if (yyjson_is_obj(v)) {
        if (text_map_get(set, facts_reference(v)))
            return true;
        yyjson_obj_foreach(v, i, max, k, one) {
            if (mentions_any(one, set))
                return true;
        }
    } else if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, i, max, one) {
            if (mentions_any(one, set))
                return true;
        }
    }
    return false;
}

void care_relation(struct guard *g, int type, struct str id, yyjson_val *root)
{
    struct str name = def_resource_name(type);
    bool says_care = str_eq(name, STR("CareTeam")) || str_eq(name, STR("EpisodeOfCare")) ||
                     str_eq(name, STR("Encounter"));
    char self[FHIR_ID_MAX + 40];
    int n = snprintf(self, sizeof self, "%.*s/%.*s", STR_ARG(name),
                     (int)MIN(id.n, (size_t)FHIR_ID_MAX), id.p);

    if (str_eq(name, STR("Consent")))
        return;
    if (str_eq(name, STR("RelatedPerson")) || str_eq(name, STR("Person"))) {
        for (struct care *c = g->cares; c; c = c->next)
            c->is_stale |= c->is_proxy;
        return;
    }
    for (struct care *c = g->cares; c; c = c->next)
        if (!says_care || text_map_get(&c->because, str_n(self, (size_t)n)) ||
            mentions_any(root, &c->below))
            c->is_stale = true;
}

static int add_newer(struct care *c, int type, uint64_t row, bool is_gone, struct err *err)
{
    if (c->n_newer == c->newer_cap) {
        size_t cap = MAX(c->newer_cap * 2, (size_t)16);
        struct newer *v = realloc(c->newer, cap * sizeof *v);

        if (!v)
            return err_no_memory(err);
        c->newer = v;
        c->newer_cap = cap;
    }
    c->newer[c->n_newer++] = (struct newer){row, type, is_gone};
    return 0;
}

int care_row(struct guard *g, const struct facts *f, uint64_t row, struct err *err)
{
    int r = 0;

    for (struct care *c = g->cares; c && r == 0; c = c->next) {
        bool has = false;

        for (size_t i = 0; i < f->n_patients && !has; i++)
            has = care_has(c, f->patients[i]);
        /* Their date of birth may be another. */
        if (has && c->is_proxy && str_eq(def_resource_name(f->type), STR("Patient")))
            c->is_stale = true;
        if (has && c->reach && !c->is_stale)
            r = add_newer(c, f->type, row, false, err);
    }
    return r;
}

static bool has_row(const struct care *c, int type, uint64_t row)
{
    const struct sight_rows *rows = &c->reach->rows[type];
    size_t lo = 0, hi = rows->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (rows->v[mid] < row)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < rows->n && rows->v[lo] == row)
        return true;
    for (size_t i = 0; i < c->n_newer; i++)
        if (c->newer[i].row == row)
            return true;
    return false;
}

int care_gone(struct guard *g, int type, uint64_t row, struct err *err)
{
    int r = 0;

    for (struct care *c = g->cares; c && r == 0; c = c->next)
        if (c->reach && !c->is_stale && has_row(c, type, row))
            r = add_newer(c, type, row, true, err);
    return r;
}
