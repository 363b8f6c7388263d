#include "server/erase.h"

#include "server/operator.h"
#include "fhir/validate.h"
#include "notify/notify.h"
#include "surveillance/kept.h"
#include "trust/forget.h"
#include "trust/trust.h"

#include <stdio.h>

#define ARENA_MAX MIB(1024)
#define FEED_PAGE 1000

static const struct str patient_name = STR("Patient");

/* ---- whom ---- */

static int find_identifier(struct store *store, struct store_txn *txn, struct str token,
                           struct arena *a, struct str *ret, struct err *err)
{
    struct search_options opt = {.index = *store_index_options(store), .strict = true};
    struct params *params = store_params(store);
    _cleanup_(sb_done) struct sb query = sb_make(KIB(4));
    struct page page = {.n = 0};
    struct search s;
    struct row row;
    int r;

    sb_lit(&query, "identifier=");
    for (size_t i = 0; i < token.n; i++)
        sb_fmt(&query, "%%%02x", (unsigned char)token.p[i]);
    sb_lit(&query, "&_count=2&_total=none");
    r = sb_ok(&query, err);
    if (r >= 0)
        r = search_parse(a, params, &opt, def_resource(patient_name), arena_dup(a, sb_view(&query)),
                         &s, err);
    if (r >= 0)
        r = store_search(txn, &s, 0, a, &page, err);
    params_unref(params);
    if (r < 0)
        return r;
    if (page.n != 1)
        return page.n ? err_set(err, ERR_DUPLICATE,
                                "several patients have this identifier: name one by id")
                      : err_set(err, ERR_NOT_FOUND, "no patient has this identifier");
    r = store_get_row(txn, page.rows[0], &row, err);
    if (r >= 0)
        *ret = arena_dup(a, row.id);
    return r < 0 || ret->p ? r : err_no_memory(err);
}

static int find_person(struct store *store, struct str person, struct arena *a, struct str *ret,
                       struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct row row;
    int r = store_begin(store, &who, &txn, err);

    if (r < 0)
        return r;
    if (str_find(person, '|') >= 0)
        return find_identifier(store, txn, person, a, ret, err);
    if (str_starts(person, STR("Patient/")))
        person = str_from(person, 8);
    if (!fhir_is_id(person))
        return err_set(err, ERR_VALUE, "a person is an id of a Patient, or system|value");
    r = store_get(txn, def_resource(patient_name), person, &row, err);
    *ret = person;
    return r;
}

/* ---- one person ---- */

struct erase_job {
    struct store_job job;
    const struct erase_plan *plan;
    struct str fhir_user;
    size_t accounts;
};

/* Of the person, and of their accounts. */
static int forget_notices(struct store_txn *txn, struct str fhir_user, struct err *err)
{
    _cleanup_(arena_done) struct arena a;
    struct str *names;
    size_t n = 0;
    int r = notify_forget(txn, fhir_user, err);

    arena_init(&a, MIB(64));
    if (r >= 0)
        r = trust_names(txn, fhir_user, &a, &names, &n, err);
    for (size_t i = 0; i < n && r >= 0; i++) {
        struct str owner = arena_fmt(&a, "account/%.*s", STR_ARG(names[i]));

        r = owner.p ? notify_forget(txn, owner, err) : err_no_memory(err);
    }
    return r;
}

static int erase_run(struct store_txn *txn, struct store_job *job, struct err *err)
{
    struct erase_job *e = (struct erase_job *)job;
    int r = store_erase(txn, e->plan, err);

    if (r >= 0)
        r = forget_notices(txn, e->fhir_user, err);
    if (r >= 0)
        r = kept_drop_saved(txn, err);
    return r < 0 ? r : trust_forget(txn, e->fhir_user, &e->accounts, err);
}

static int erase_plan(struct store *store, const struct erase_plan *plan, struct arena *a,
                      size_t *ret_accounts, struct err *err)
{
    struct access who = trust_system();
    struct erase_job e = {.job = {.run = erase_run, .who = &who, .weight = plan->n},
                          .plan = plan,
                          .fhir_user = arena_fmt(a, "Patient/%.*s", STR_ARG(plan->patient))};
    int r = e.fhir_user.p ? store_write(store, &e.job, err) : err_no_memory(err);

    *ret_accounts = e.accounts;
    return r;
}

static int names_of(struct store *store, struct str patient, struct arena *a,
                    struct audit_erasure *what, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct str fhir_user = arena_fmt(a, "Patient/%.*s", STR_ARG(patient)), *names;
    int r = fhir_user.p ? store_begin(store, &who, &txn, err) : err_no_memory(err);

    if (r >= 0)
        r = trust_names(txn, fhir_user, a, &names, &what->n_names, err);
    if (r >= 0)
        what->names = names;
    return r;
}

/* While the account is there that says by which names the log knows the person. */
static int erase_entries(const struct server_config *config, struct store *store,
                         struct str patient, struct arena *a, uint64_t *ret, struct err *err)
{
    struct audit_config log = {
        .dir = config->data_dir, .key_file = config->key_file, .keyless = true};
    struct audit_erasure what = {.patient = patient};
    int r;

    *ret = 0;
    if (!audit_exists(config->data_dir))
        return 0;
    r = names_of(store, patient, a, &what, err);
    return r < 0 ? r : audit_erase(&log, &what, ret, err);
}

static int open_alone(const struct server_config *config, struct store **ret, struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    struct server_config own = *config;
    size_t done, all;
    int r;

    own.for_erase = true;
    r = server_open_store(&own, false, &store, err);
    if (r == ERR_CONFLICT && !config->store_uri)
        return err_set(err, r, "a node serves this folder: stop it for the erasing");
    if (r < 0 || (r = store_alone(store, err)) < 0)
        return r;
    /* What another node's command has erased, this folder's ledger has as well from here on. */
    if (store_is_shared(store) && (r = erased_meet(config, store, &done, &all, err)) < 0)
        return r;
    *ret = store;
    store = NULL;
    return 0;
}

/* The log says why, and how much, not whose. */
static int note(const struct server_config *config, const struct server_erase *what, size_t n,
                struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(KIB(4));

    sb_fmt(&text, "%zu ", n);
    sb_str(&text, what->basis);
    return operator_note(config, "erase", sb_view(&text), err);
}

static int erase_known(const struct server_config *config, const struct server_erase *what,
                       struct store *store, struct arena *a, struct server_erase_told *told,
                       struct err *err)
{
    struct erased ledger = {.n = 0};
    int r = erased_read(config->data_dir, config->key_file, a, &ledger, err);

    if (r >= 0)
        r = note(config, what, told->plan.n, err);
    /* First: what is stopped from here on is done again. */
    if (r >= 0)
        r = erased_add(config->data_dir, config->key_file, a, &ledger, told->plan.patient,
                       what->remove_shared, what->basis, err);
    if (r >= 0)
        r = erase_entries(config, store, told->plan.patient, a, &told->entries, err);
    if (r >= 0)
        r = erase_plan(store, &told->plan, a, &told->accounts, err);
    if (r >= 0)
        r = store_remake(store, what->progress, what->ctx, err);
    return r < 0 ? r : erased_done(store, &ledger, err);
}

/* Somebody whom another node's command has erased from the store that both share: what this
 * folder's log has of them is left. */
static int erase_here_too(const struct server_config *config, const struct server_erase *what,
                          struct store *store, struct arena *a, struct server_erase_told *told,
                          struct err *err)
{
    struct str id =
        str_starts(what->person, STR("Patient/")) ? str_from(what->person, 8) : what->person;
    struct err missing = *err;
    struct erased ledger = {.n = 0};
    int r = erased_read(config->data_dir, config->key_file, a, &ledger, err);

    if (r >= 0 && !erased_find(&ledger, id)) {
        *err = missing;
        return err->code;
    }
    if (r >= 0)
        r = note(config, what, 0, err);
    return r < 0 ? r : erase_entries(config, store, id, a, &told->entries, err);
}

int server_erase(const struct server_config *config, const struct server_erase *what,
                 struct arena *a, struct server_erase_told *ret, struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    struct access who = trust_system();
    struct str id = STR_NULL;
    int r = open_alone(config, &store, err);

    *ret = (struct server_erase_told){.accounts = 0};
    /* At the end all that the ledger has counts as done: what is not is told before. */
    if (r >= 0)
        r = erased_check(config, store, err);
    if (r >= 0)
        r = find_person(store, what->person, a, &id, err);
    if (r == ERR_NOT_FOUND && store && store_is_shared(store))
        return erase_here_too(config, what, store, a, ret, err);
    if (r >= 0)
        r = store_erase_find(store, &who, id, what->remove_shared, a, &ret->plan, err);
    if (r < 0)
        return r;
    if (ret->plan.n_of[ERASE_SHARED] && !what->remove_shared && !what->keep_shared)
        return err_set(err, ERR_CONFLICT,
                       "%zu resources are not this person's alone: say whether they are removed "
                       "or kept",
                       ret->plan.n_of[ERASE_SHARED]);
    return erase_known(config, what, store, a, ret, err);
}

/* ---- who was erased before, and is here again ---- */

struct again {
    struct store *store;
    const struct erased *ledger;
    struct arena *a;
    struct str *ids; /* of patients that the ledger has */
    bool *shared;
    size_t n, cap;
};

static int keep_known(struct again *g, const struct row *row, struct err *err)
{
    const struct erased_entry *entry;

    if (!row->is_current || row->type != def_resource(patient_name) ||
        !(entry = erased_find(g->ledger, row->id)))
        return 0;
    if (g->n == g->cap) {
        size_t cap = g->cap ? 2 * g->cap : 64;

        g->ids = arena_grow(g->a, g->ids, g->n * sizeof *g->ids, cap * sizeof *g->ids);
        g->shared = arena_grow(g->a, g->shared, g->n * sizeof *g->shared, cap * sizeof *g->shared);
        if (!g->ids || !g->shared)
            return err_no_memory(err);
        g->cap = cap;
    }
    g->ids[g->n] = arena_dup(g->a, row->id);
    g->shared[g->n] = entry->with_shared;
    return g->ids[g->n++].p ? 0 : err_no_memory(err);
}

/* Deleted ones too: their versions are there. */
static int find_known(struct again *g, struct err *err)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct page page = {.n = 0};
    uint64_t at = 0;
    int r = store_begin(g->store, &who, &txn, err);

    do {
        _cleanup_(arena_done) struct arena rows;

        if (r < 0)
            break;
        arena_init(&rows, MIB(1));
        r = store_feed(txn, at, FEED_PAGE, &rows, &page, err);
        for (size_t i = 0; i < page.n && r >= 0; i++) {
            struct row row;

            at = page.rows[i];
            r = store_get_row(txn, at, &row, err);
            if (r >= 0)
                r = keep_known(g, &row, err);
        }
    } while (r >= 0 && page.n);
    return r;
}

int server_erase_from(const struct server_config *config, struct store *store,
                      const struct erased *ledger, size_t *ret, struct err *err)
{
    struct access who = trust_system();
    struct arena a;
    struct again g = {.store = store, .ledger = ledger, .a = &a};
    int r = 0;

    *ret = 0;
    if (!ledger->n)
        return 0;
    arena_init(&a, ARENA_MAX);
    r = find_known(&g, err);
    for (size_t i = 0; i < g.n && r >= 0; i++) {
        struct erase_plan plan;
        uint64_t entries;
        size_t accounts;

        if (config && (r = erase_entries(config, store, g.ids[i], &a, &entries, err)) < 0)
            break;
        r = store_erase_find(store, &who, g.ids[i], g.shared[i], &a, &plan, err);
        if (r >= 0)
            r = erase_plan(store, &plan, &a, &accounts, err);
    }
    *ret = g.n;
    arena_done(&a);
    return r;
}

int server_erase_again(const struct server_config *config, store_backup_progress *progress,
                       void *ctx, size_t *ret, struct err *err)
{
    _cleanup_(store_closep) struct store *store = NULL;
    struct erased ledger = {.n = 0};
    struct arena a;
    int r = open_alone(config, &store, err);

    *ret = 0;
    if (r < 0)
        return r;
    arena_init(&a, MIB(256));
    r = erased_read(config->data_dir, config->key_file, &a, &ledger, err);
    if (r >= 0)
        r = server_erase_from(config, store, &ledger, ret, err);
    if (r >= 0)
        r = store_remake(store, progress, ctx, err);
    /* Last: what is stopped before is done again. */
    if (r >= 0)
        r = erased_done(store, &ledger, err);
    arena_done(&a);
    return r;
}
