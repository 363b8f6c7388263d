#include "trust/policy_book.h"

#include "base/clock.h"
#include "trust/law.h"
#include "trust/policy_test.h"
#include "trust/trust.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define META_NUMBER "policy" /* of the newest */
#define NUMBER_MAX UINT64_C(99999999)
#define NAME_DIGITS 8

struct policy_book {
    struct store *store; /* NULL: of one policy */
    const struct world *world;
    pthread_mutex_t reading; /* who reads another */
    pthread_rwlock_t lock;   /* of `policy` */
    const struct policy *policy;
    _Atomic uint64_t asked, read; /* how often another was set; up to which of them it was read */
};

/* ---- kept ---- */

struct kept_record {
    struct str by, version;
    int64_t when_ms;
};

static const struct field kept_fields[] = {
    {"by", FIELD_STR, offsetof(struct kept_record, by)},
    {"version", FIELD_STR, offsetof(struct kept_record, version)},
    {"when", FIELD_I64, offsetof(struct kept_record, when_ms)},
};
static const struct shape kept_shape = {kept_fields, ARRAY_LEN(kept_fields),
                                        sizeof(struct kept_record)};

static struct str name_of(uint64_t number, char buf[NAME_DIGITS + 1])
{
    snprintf(buf, NAME_DIGITS + 1, "%08" PRIu64, number % (NUMBER_MAX + 1));
    return str_n(buf, NAME_DIGITS);
}

static int newest(struct store_txn *txn, struct arena *a, uint64_t *ret, struct err *err)
{
    struct str text;
    int r = store_meta_get(txn, META_NUMBER, a, &text, err);

    *ret = 0;
    if (r >= 0 && text.n && !str_to_u64(text, NUMBER_MAX, ret))
        return err_set(err, ERR_NO_STORE, "the number of the policy is damaged");
    return MIN(r, 0);
}

static int read_record(struct store_txn *txn, struct arena *a, uint64_t number,
                       struct policy_kept *ret, struct err *err)
{
    struct kept_record k = {.when_ms = 0};
    char name[NAME_DIGITS + 1];
    int r = record_get(txn, RECORD_POLICY, name_of(number, name), a, &kept_shape, &k, err);

    if (r >= 0)
        *ret = (struct policy_kept){
            .number = number, .when_ms = k.when_ms, .by = k.by, .version = k.version};
    return MIN(r, 0);
}

static int read_text(struct store_txn *txn, struct arena *a, uint64_t number, struct str *ret,
                     struct err *err)
{
    char name[sizeof RECORD_PREFIX "policy/" + NAME_DIGITS], digits[NAME_DIGITS + 1];
    int r;

    snprintf(name, sizeof name, RECORD_PREFIX "policy/%.*s", STR_ARG(name_of(number, digits)));
    r = store_blob_get(txn, str_c(name), 1, a, ret, err);
    if (r >= 0 && !ret->p)
        return err_set(err, ERR_NOT_FOUND, "there is no policy %" PRIu64, number);
    return MIN(r, 0);
}

int policy_kept_get(struct store_txn *txn, struct arena *a, uint64_t number,
                    struct policy_kept *ret, struct err *err)
{
    struct policy_kept k = {.by = STR(""), .version = STR("")};
    struct str text;
    int r = number ? 0 : newest(txn, a, &number, err);

    if (r < 0)
        return r;
    if (!number) {
        *ret = (struct policy_kept){.by = STR(""), .version = STR(""), .text = policy_default()};
        return 0;
    }
    if ((r = read_text(txn, a, number, &text, err)) < 0 ||
        (r = read_record(txn, a, number, &k, err)) < 0)
        return r;
    k.text = text;
    *ret = k;
    return 0;
}

int policy_kept_next(struct store_txn *txn, struct arena *a, uint64_t after,
                     struct policy_kept *ret, bool *ret_more, struct err *err)
{
    char name[NAME_DIGITS + 1];
    uint64_t number;
    struct str found;
    int r = record_next(txn, RECORD_POLICY, after ? name_of(after, name) : STR(""), a, &found, err);

    if (r < 0)
        return r;
    *ret_more = found.p != NULL;
    if (!found.p)
        return 0;
    if (!str_to_u64(found, NUMBER_MAX, &number))
        return err_set(err, ERR_NO_STORE, "a policy has no number");
    return read_record(txn, a, number, ret, err);
}

struct keeping {
    struct str text, version, by;
    bool unless_had;
    uint64_t number;
};

static int had(struct store_txn *txn, struct arena *a, struct str text, uint64_t newest_number,
               bool *ret, struct err *err)
{
    int r = 0;

    *ret = false;
    for (uint64_t i = newest_number; i && !*ret && r >= 0; i--) {
        struct str was;

        arena_reset(a);
        r = read_text(txn, a, i, &was, err);
        *ret = r >= 0 && str_eq(was, text);
    }
    return r;
}

static int keep(void *ctx, struct store_txn *txn, struct err *err)
{
    struct keeping *k = ctx;
    struct kept_record record = {k->by, k->version, clock_now_ms()};
    char name[NAME_DIGITS + 1], full[sizeof RECORD_PREFIX "policy/" + NAME_DIGITS];
    _cleanup_(arena_done) struct arena a;
    uint64_t number;
    bool is_there = false;
    int r;

    arena_init(&a, MIB(4));
    if ((r = newest(txn, &a, &number, err)) >= 0 && k->unless_had)
        r = had(txn, &a, k->text, number, &is_there, err);
    if (r < 0 || is_there)
        return r;
    if (number == NUMBER_MAX)
        return err_set(err, ERR_FULL, "the store can keep no more policies");
    number++;
    snprintf(full, sizeof full, RECORD_PREFIX "policy/%.*s", STR_ARG(name_of(number, name)));
    if ((r = record_put(txn, RECORD_POLICY, str_c(name), &kept_shape, &record, err)) < 0 ||
        (r = store_blob_put(txn, str_c(full), 1, k->text, err)) < 0 ||
        (r = store_meta_set(txn, META_NUMBER, str_c(name), err)) < 0 ||
        (r = store_changed(txn, err)) < 0)
        return r;
    k->number = number;
    return 0;
}

/* What the first test that does not hold is called. */
struct failing {
    char name[ERR_TEXT_MAX / 2];
    enum why why;
};

static void hear(void *ctx, const struct policy_outcome *one)
{
    struct failing *f = ctx;

    if (one->is == one->wants || f->name[0])
        return;
    snprintf(f->name, sizeof f->name, "%.*s", STR_ARG(one->name));
    f->why = one->why;
}

static int check(const struct policy *p, struct err *err)
{
    struct failing f = {.name = ""};
    int failed = policy_test(p, hear, &f, err);

    if (failed <= 0)
        return failed;
    return err_set(err, ERR_VALUE, "the policy does not say what its test \"%s\" wants: %.*s",
                   f.name, STR_ARG(why_text(f.why)));
}

int policy_keep(struct store *store, struct str text, struct str by, bool unless_had,
                uint64_t *ret_number, struct err *err)
{
    struct keeping k = {.text = text, .by = str_head(by, MIN(by.n, (size_t)POLICY_BY_MAX))};
    _cleanup_(policy_freep) struct policy *p = NULL;
    int r = policy_parse(text, &p, err);

    if (r < 0 || (r = check(p, err)) < 0)
        return r;
    k.version = p->version;
    k.unless_had = unless_had;
    r = record_commit(store, keep, &k, err);
    if (r >= 0)
        *ret_number = k.number;
    return MIN(r, 0);
}

/* ---- in force ---- */

static int book_make(struct store *store, const struct policy *policy, struct policy_book **ret,
                     struct err *err)
{
    struct policy_book *b = calloc(1, sizeof *b);

    if (!b)
        return err_no_memory(err);
    b->store = store;
    b->policy = policy;
    atomic_store(&b->asked, policy ? 0 : 1);
    pthread_mutex_init(&b->reading, NULL);
    pthread_rwlock_init(&b->lock, NULL);
    *ret = b;
    return 0;
}

int policy_book_new(struct store *store, struct policy_book **ret, struct err *err)
{
    return book_make(store, NULL, ret, err);
}

int policy_book_of(struct policy *policy, struct policy_book **ret, struct err *err)
{
    return book_make(NULL, policy, ret, err);
}

void policy_book_free(struct policy_book *b)
{
    if (!b)
        return;
    policy_unref(b->policy);
    pthread_mutex_destroy(&b->reading);
    pthread_rwlock_destroy(&b->lock);
    free(b);
}

void policy_book_world(struct policy_book *b, const struct world *world)
{
    b->world = world;
    policy_book_stale(b);
}

void policy_book_stale(struct policy_book *b)
{
    if (b->store)
        atomic_fetch_add(&b->asked, 1);
}

/* *ret stays NULL where the one in force is still the newest. */
static int load(struct policy_book *b, struct arena *a, struct policy **ret, struct err *err)
{
    struct access who = trust_system();
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct policy_kept k;
    uint64_t number;
    int r = store_begin(b->store, &who, &txn, err);

    if (r < 0 || (r = newest(txn, a, &number, err)) < 0 ||
        (b->policy && b->policy->number == number) ||
        (r = policy_kept_get(txn, a, number, &k, err)) < 0 ||
        (r = policy_parse(k.text, ret, err)) < 0)
        return r;
    (*ret)->number = number;
    return 0;
}

static int read_again(struct policy_book *b, struct err *err)
{
    _cleanup_(policy_freep) struct policy *p = NULL;
    _cleanup_(arena_done) struct arena a;
    const struct policy *old;
    int r;

    arena_init(&a, MIB(4));
    r = load(b, &a, &p, err);
    if (r >= 0 && p && b->world)
        r = law_widen(p, b->world, err);
    if (r < 0 || !p)
        return r;
    pthread_rwlock_wrlock(&b->lock);
    old = b->policy;
    b->policy = p;
    p = NULL;
    pthread_rwlock_unlock(&b->lock);
    policy_unref(old);
    return 0;
}

int policy_book_get(struct policy_book *b, const struct policy **ret, struct err *err)
{
    uint64_t asked = atomic_load(&b->asked);
    int r = 0;

    if (atomic_load(&b->read) < asked) {
        pthread_mutex_lock(&b->reading);
        asked = atomic_load(&b->asked);
        if (atomic_load(&b->read) < asked && (r = read_again(b, err)) >= 0)
            atomic_store(&b->read, asked);
        pthread_mutex_unlock(&b->reading);
    }
    if (r < 0)
        return r;
    pthread_rwlock_rdlock(&b->lock);
    *ret = policy_ref(b->policy);
    pthread_rwlock_unlock(&b->lock);
    return 0;
}
