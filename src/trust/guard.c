#include "trust/guard.h"

#include "base/clock.h"
#include "trust/correction.h"
#include "trust/glass.h"
#include "trust/guard_int.h"
#include "trust/label.h"
#include "trust/trust.h"

#include <stdlib.h>

#define BODY_ARENA_MAX (STORE_BODY_MAX * 3)
#define CONSENTS_MAX 100 /* of one patient that are looked at; with more the answer is no */

int guard_new(struct store *store, struct policy_book *book, struct guard **ret, struct err *err)
{
    struct guard *g = calloc(1, sizeof *g);

    if (!g)
        return err_no_memory(err);
    if (quota_init(&g->finds, err) < 0) {
        free(g);
        return ERR_NO_MEMORY;
    }
    g->store = store;
    g->book = book;
    pthread_mutex_init(&g->following, NULL);
    pthread_rwlock_init(&g->lock, NULL);
    *ret = g;
    return 0;
}

void guard_free(struct guard *g)
{
    if (!g)
        return;
    care_forget_all(g);
    watch_unref(g->watch);
    policy_unref(g->policy);
    quota_done(&g->finds);
    pthread_mutex_destroy(&g->following);
    pthread_rwlock_destroy(&g->lock);
    free(g);
}

/* Another process that sets a policy is heard of where a transaction looks at its position. */
static int listen(struct guard *g, struct err *err)
{
    struct access who = trust_system();
    struct store_txn *txn = NULL;
    int r = store_is_shared(g->store) ? store_begin(g->store, &who, &txn, err) : 0;

    if (!txn)
        return r;
    store_position(txn);
    store_end(txn);
    return 0;
}

int guard_policy(struct guard *g, const struct policy **ret, struct err *err)
{
    int r = listen(g, err);

    return r < 0 ? r : policy_book_get(g->book, ret, err);
}

int guard_role(struct guard *g, struct str role, struct policy_role *ret, struct err *err)
{
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    const struct policy_role *found;
    int r = guard_policy(g, &p, err);

    if (r < 0)
        return r;
    found = policy_role(p, role);
    *ret = found ? *found : (struct policy_role){.records = RECORDS_NONE};
    ret->name = STR("");
    ret->purposes = (struct str_list){.n = 0};
    return 0;
}

/* ---- a view ---- */

static void view_free(struct view *v)
{
    watch_unref(v->watch);
    care_unref(v->care);
    reach_unref(v->reach);
    params_unref(v->params);
    free(v);
}

void guard_sight_done(const struct sight *sight)
{
    view_free((struct view *)(uintptr_t)sight->own);
}

static struct str role_name(const struct identity *i)
{
    return i->kind == IDENTITY_CLIENT ? STR("system") : i->role;
}

int guard_reads_log(struct guard *g, const struct identity *who, struct err *err)
{
    struct policy_role role;
    int r = guard_role(g, role_name(who), &role, err);

    return r < 0 ? r : role.audits;
}

static struct asker asker_of(const struct policy *p, const struct identity *i)
{
    struct asker who = {.role = policy_role(p, role_name(i)),
                        .user = i->fhir_user,
                        .own = str_starts(i->fhir_user, STR("Patient/")) ? str_from(i->fhir_user, 8)
                                                                         : STR(""),
                        .account = i->kind == IDENTITY_PERSON ? i->subject : STR(""),
                        .glass = i->patient,
                        .assurance = i->assurance,
                        .purpose = i->purpose};

    if (who.role)
        who.purpose = policy_purpose(who.role, i->purpose);
    return who;
}

int guard_purpose(struct guard *g, const struct identity *who, struct arena *a, struct str *ret,
                  struct err *err)
{
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    int r = policy_book_get(g->book, &p, err);

    if (r < 0)
        return r;
    *ret = arena_dup(a, asker_of(p, who).purpose);
    return ret->p ? 0 : err_no_memory(err);
}

int guard_may_ask(struct guard *g, const struct identity *who, enum why *ret, struct err *err)
{
    _cleanup_(policy_unrefp) const struct policy *p = NULL;
    int r = guard_policy(g, &p, err);
    struct asker as;

    if (r < 0)
        return r;
    as = asker_of(p, who);
    *ret = decide_asker(&as);
    return 0;
}

static void set_types(struct view *v)
{
    const struct policy_role *role = v->who.role;

    if (role && why_permits(decide_asker(&v->who)))
        memcpy(v->sight.of_type, role->sight, sizeof v->sight.of_type);
}

/* What each thing that many have said says to this asker, about all that is not sensitive. */
static void set_slots(struct view *v)
{
    size_t n = atomic_load(&v->watch->n_slots);

    for (size_t i = 0; i < n; i++) {
        const struct saying *s = atomic_load(&v->watch->of_slot[i]);
        const struct consent *c = &s->c;
        enum consent_verdict said = consents_say(&c, 1, &v->who, NULL, v->now_ms);

        if (said == CONSENT_DENY ||
            (said == CONSENT_NOTHING && !decide_implicit(v->policy, &v->who)))
            v->sight.shut[v->sight.n_shut++] = &v->watch->rows[i];
    }
}

static int set_care(struct view *v, struct err *err)
{
    const struct policy_role *role = v->who.role;
    int r = care_of(v->g, &v->who, &v->care, &v->reach, err);

    if (r < 0 || !v->care)
        return r;
    v->who.refs = v->care->refs_v;
    v->who.n_refs = v->care->n_refs;
    if (v->care->own.n)
        v->who.own = v->care->own;
    if (role->records != RECORDS_OWN && !decide_needs_care(&v->who))
        return 0;
    if (v->reach)
        v->sight.reach = v->reach->rows;
    else
        v->sight.asks_all = true;
    return 0;
}

static uint64_t mark_of(const struct view *v)
{
    uint64_t mark = (uint64_t)(uintptr_t)v->watch + atomic_load(&v->watch->generation);

    mark = mark * 31 + v->policy->number;
    mark = mark * 31 + str_hash(v->who.user);
    mark = mark * 31 + str_hash(v->who.purpose);
    return (mark * 31 + (v->who.role ? str_hash(v->who.role->name) : 0)) | 1;
}

/* What is known, up to now and of the policy in force; the view holds it. */
static int follow(struct view *v, uint64_t position, bool is_writing, struct err *err)
{
    struct guard *g = v->g;
    _cleanup_(policy_unrefp) const struct policy *now = NULL;
    bool is_behind = is_writing || !position || !atomic_load(&g->position) ||
                     atomic_load(&g->position) < position;
    int r = policy_book_get(g->book, &now, err);

    if (r < 0)
        return r;
    pthread_rwlock_rdlock(&g->lock);
    is_behind |= !g->watch || g->watch->policy != now;
    pthread_rwlock_unlock(&g->lock);
    if (is_behind && (r = guard_follow(g, err)) < 0)
        return r;
    /* A position that cannot be read looks like that of an empty store. */
    if (!is_writing && !position && atomic_load(&g->position))
        return err_set(err, ERR_BUSY, "the store's position cannot be read");
    pthread_rwlock_rdlock(&g->lock);
    v->watch = g->watch;
    if (v->watch)
        atomic_fetch_add(&v->watch->refs, 1);
    pthread_rwlock_unlock(&g->lock);
    if (!v->watch)
        return err_set(err, ERR_BUSY, "what people consent to is not known yet");
    v->policy = v->watch->policy;
    return 0;
}

static int fill(struct view *v, uint64_t position, bool is_writing, struct err *err)
{
    int r;

    set_types(v);
    if (why_permits(decide_asker(&v->who)) && v->who.role->records != RECORDS_NONE &&
        (r = set_care(v, err)) < 0)
        return r;
    /* Of one's own record nothing is kept from oneself, and the law asks for nobody's consent. */
    if (v->who.role && v->who.role->records > RECORDS_CASES) {
        v->sight.ask = &v->watch->ask;
        set_slots(v);
    }
    /* The sets know what is current now: not what was, and not what a job has written. Silence that
     * is a no, what is of no patient, and a person who is staff as well, are no sets. */
    v->sight.asks_all |=
        decide_is_proxy(v->who.user) || (v->who.role && v->who.role->records == RECORDS_CASES) ||
        (v->who.role && !v->who.role->unlinked && !v->sight.reach) || is_writing ||
        position < v->watch->built || (v->care && position < v->care->built) ||
        (v->who.role && v->who.role->records > RECORDS_OWN &&
         (!decide_implicit(v->policy, &v->who) || str_starts(v->who.user, STR("Patient/"))));
    if (!v->sight.asks_all && !v->sight.reach)
        v->sight.mark = mark_of(v);
    return 0;
}

int guard_look(struct guard *g, const struct identity *who, uint64_t position, bool is_writing,
               const struct sight **ret, struct err *err)
{
    struct view *v = calloc(1, sizeof *v);
    int r;

    if (!v)
        return err_no_memory(err);
    v->g = g;
    v->sight.own = v;
    v->account = who->subject;
    v->now_ms = clock_now_ms();
    v->params = store_params(g->store);
    r = follow(v, position, is_writing, err);
    if (r >= 0) {
        v->who = asker_of(v->policy, who);
        r = fill(v, position, is_writing, err);
    }
    if (r < 0)
        view_free(v);
    else
        *ret = &v->sight;
    return r;
}

/* ---- one resource ---- */

/* What a decision asks; the guard's lock is held. */
struct asking {
    const struct view *v;
    const struct consent *found[CONSENTS_MAX];
};

static const struct consent broken = {.is_broken = true};
static const struct consent *const only_broken = &broken;

static void file_consents(void *ctx, struct str patient, const struct consent *const **ret,
                          size_t *ret_n)
{
    struct asking *q = ctx;
    const struct watched *of = watch_of(q->v->watch, patient);

    *ret = q->found;
    *ret_n = of ? MIN(of->n, (size_t)CONSENTS_MAX) : 0;
    for (size_t i = 0; i < *ret_n; i++)
        q->found[i] = &of->filed[i].saying->c;
    if (of && of->n > CONSENTS_MAX) {
        *ret = &only_broken;
        *ret_n = 1;
    }
}

static bool file_care(void *ctx, struct str patient)
{
    const struct asking *q = ctx;

    return q->v->care && care_has(q->v->care, patient);
}

static bool file_word(void *ctx, struct str patient)
{
    const struct asking *q = ctx;

    return !q->v->care || care_has_grown(q->v->care, patient);
}

static uint64_t file_diseases(void *ctx, struct str patient)
{
    const struct asking *q = ctx;
    const struct care *c = q->v->care;

    return c && c->is_by_law ? (uint64_t)(uintptr_t)text_map_get(&c->patients, patient) : 0;
}

static enum why decide_facts(const struct view *v, const struct facts *f)
{
    struct asking q = {.v = v};
    struct file file = {&q, file_consents, file_care, file_word, file_diseases};
    enum why why;

    pthread_rwlock_rdlock(&v->g->lock);
    why = decide(v->policy, &v->who, f, &file, v->now_ms);
    pthread_rwlock_unlock(&v->g->lock);
    return why;
}

/* A version's body with what is asked about it. */
struct looked {
    struct arena a;
    struct sb text;
    struct facts facts;
};

static void looked_done(struct looked *l)
{
    sb_done(&l->text);
    arena_done(&l->a);
}

static int look_at(const struct view *v, const struct row *row, enum facts_kind kind,
                   struct looked *l, struct err *err)
{
    struct guard *g = v->g;
    yyjson_val *root;
    int r;

    l->text = sb_make(STORE_BODY_MAX + KIB(1));
    arena_init(&l->a, BODY_ARENA_MAX);
    if ((r = row_json(g->store, row, &l->text, err)) < 0 || (r = sb_ok(&l->text, err)) < 0 ||
        (r = js_parse_stored(&l->a, sb_view(&l->text), &root, err)) < 0)
        return r;
    return facts_of(&l->a, v->policy, v->params, store_index_options(g->store), row->type, root,
                    kind, &l->facts, err);
}

int view_decide(const struct view *v, const struct row *row, enum why *ret, struct err *err)
{
    struct looked l;
    int r = look_at(v, row, row->is_current ? FACTS_CURRENT : FACTS_OLD, &l, err);

    if (r >= 0)
        *ret = decide_facts(v, &l.facts);
    looked_done(&l);
    return MIN(r, 0);
}

int guard_in_sight(const struct sight *sight, const struct row *row, struct err *err)
{
    const struct view *v = sight->own;
    uint8_t of_type = sight->of_type[row->type];
    enum why why = WHY_NO_TYPE;
    int r;

    if (of_type == SIGHT_SHUT || of_type == SIGHT_OPEN)
        return of_type == SIGHT_OPEN;
    if (row->method == METHOD_DELETE)
        return 0; /* nobody knows any more whose it was */
    r = view_decide(v, row, &why, err);
    return r < 0 ? r : why_permits(why);
}

/* ---- writing ---- */

#define SURVEILLANCE_TASKS "urn:carnet:surveillance" /* system of their codes (signals.md) */

static int refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_FORBIDDEN, "%s", why);
}

/* Whether it has a label; with `brought`, as one that the node has not set. */
static bool has_label(yyjson_val *root, struct str system, struct str code, bool brought)
{
    yyjson_val *labels = js_get(js_get(root, "meta"), "security"), *one;
    size_t i, max;

    yyjson_arr_foreach(labels, i, max, one) {
        if (str_eq(js_get_str(one, "system"), system) && str_eq(js_get_str(one, "code"), code) &&
            !(brought && label_is_set(one)))
            return true;
    }
    return false;
}

static bool same_labels(const struct policy *p, const struct facts *old, const struct facts *new)
{
    yyjson_val *labels = js_get(js_get(old->root, "meta"), "security"), *one;
    size_t i, max;

    yyjson_arr_foreach(labels, i, max, one) {
        struct str system = js_get_str(one, "system"), code = js_get_str(one, "code");

        /* The node's own go when its rules change: one that was brought may not become one. */
        if ((policy_is_sensitive(p, system, code) || policy_is_confidential(p, system, code)) &&
            !has_label(new->root, system, code, !label_is_set(one)))
            return false;
    }
    return true;
}

/* A person may write what they consent to. */
static bool is_own_consent(const struct view *v, const struct facts *f)
{
    return v->who.own.n && str_eq(consent_patient(f->root), v->who.own);
}

/* Those who are nobody's worker say what they consent to themselves, and nothing for others. */
static bool speaks_for_oneself(const struct view *v)
{
    return v->who.role->records == RECORDS_OWN || decide_is_proxy(v->who.user);
}

/* What makes somebody more than they are by naming them. In whose care somebody is may be written
 * with one's own name: it opens nothing to its writer (guard_related.c). */
static bool says_who_one_is(int type)
{
    static const char *const types[] = {"Group", "Person", "PractitionerRole", "RelatedPerson"};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq(def_resource_name(type), str_c(types[i])))
            return true;
    return false;
}

/* Where they are reached themselves; of anybody else it says where a new password is sent to. */
static bool is_self(const struct view *v, const struct facts *f)
{
    return str_eq(def_resource_name(f->type), STR("Practitioner")) &&
           str_starts(v->who.user, STR("Practitioner/")) &&
           str_eq(js_get_str(f->root, "id"), str_from(v->who.user, 13));
}

/* A type that grants access: by those that the policy names, or, of an encounter with a person who
 * is in one's care already, where it grants nothing new. */
static int may_grant(const struct view *v, const struct facts *f, struct err *err)
{
    struct str type = def_resource_name(f->type);
    bool is_care = str_eq(type, STR("Encounter")) || str_eq(type, STR("EpisodeOfCare"));

    if (!policy_is_grant(f->type) || is_self(v, f))
        return 0;
    if (says_who_one_is(f->type) && v->who.user.n && facts_mentions(f, v->who.user))
        return refuse(err, "this says who you are or act for, and is another's to write");
    if (v->who.role->grants[f->type] &&
        (!speaks_for_oneself(v) || (str_eq(type, STR("Consent")) && is_own_consent(v, f))))
        return 0;
    for (size_t i = 0; is_care && i < f->n_patients; i++)
        is_care = v->care && care_has(v->care, f->patients[i]);
    if (is_care && f->n_patients)
        return 0;
    return refuse(err, "this says who may see what, and is not written by those whom it serves");
}

static int may_write(const struct view *v, const struct facts *f, enum store_method method,
                     struct err *err)
{
    bool registers = method == METHOD_CREATE && v->who.role->registers &&
                     str_eq(def_resource_name(f->type), STR("Patient"));
    int r = may_grant(v, f, err);

    if (r < 0 || registers)
        return r;
    return why_permits(decide_facts(v, f)) ? 0 : refuse(err, "this may not be written");
}

/* A Task that is a signal, or declares an outbreak: the node's word, which its operations write. */
static bool is_of_surveillance(yyjson_val *root)
{
    yyjson_val *one;
    size_t i, max;

    if (!str_eq(js_get_str(root, "resourceType"), STR("Task")))
        return false;
    yyjson_arr_foreach(js_get(js_get(root, "code"), "coding"), i, max, one) {
        if (str_eq(js_get_str(one, "system"), STR(SURVEILLANCE_TASKS)))
            return true;
    }
    return false;
}

/* A review of broken glass: by those whom the policy names, and not everything of it. */
static int may_review(const struct view *v, yyjson_val *old, yyjson_val *new, struct err *err)
{
    const char *why;

    if (is_of_surveillance(old) || is_of_surveillance(new))
        return refuse(err, "signals and outbreaks are written by $signal-step and $outbreak");

    if ((old && correction_is_task(old)) || (new &&correction_is_task(new)))
        return refuse(err, "a request for a correction is asked and decided by its operations");
    if (!(old && glass_is_task(old)) && !(new &&glass_is_task(new)))
        return 0;
    if (old && new && !v->who.role->reviews)
        return refuse(err, "the role reviews no emergency access");
    why = glass_refuses(old, new, v->account);
    return why ? refuse(err, why) : 0;
}

int guard_may_put(const struct sight *sight, const struct put *put, const struct row *old,
                  struct err *err)
{
    const struct view *v = sight->own;
    struct row row = {
        .row = 1, .type = put->type, .id = put->id, .method = put->method, .sealed = put->sealed};
    bool is_there = old && old->method != METHOD_DELETE, deletes = put->method == METHOD_DELETE;
    struct looked was = {.text = sb_make(0)}, is = {.text = sb_make(0)};
    int r = 0;

    arena_init(&was.a, 0);
    arena_init(&is.a, 0);
    if (!why_permits(decide_asker(&v->who)))
        return refuse(err, "this may not be written");
    if (is_there && (r = look_at(v, old, FACTS_CURRENT, &was, err)) >= 0)
        r = may_write(v, &was.facts, METHOD_UPDATE, err);
    if (r >= 0 && !deletes && (r = look_at(v, &row, FACTS_GIVEN, &is, err)) >= 0)
        r = may_write(v, &is.facts, put->method, err);
    if (r >= 0 && is_there && !deletes && !v->who.role->labels &&
        !same_labels(v->policy, &was.facts, &is.facts))
        r = refuse(err, "labels that keep this from others may not be taken away");
    if (r >= 0)
        r = may_review(v, is_there ? was.facts.root : NULL, deletes ? NULL : is.facts.root, err);
    looked_done(&was);
    looked_done(&is);
    return MIN(r, 0);
}

/* ---- why ---- */

/* Whoever asks about broken glass and not for whom, asks for that of the resource's first patient.
 */
static enum why explain_facts(const struct view *v, const struct facts *f)
{
    struct view as = *v;

    if (!as.who.glass.n && f->n_patients)
        as.who.glass = f->patients[0];
    return decide_facts(&as, f);
}

int guard_explain(struct guard *g, const struct identity *who, int type, struct str id,
                  enum why *ret, struct err *err)
{
    struct access system = trust_system();
    const struct sight *sight = NULL;
    struct store_txn *txn = NULL;
    struct looked l;
    struct row row;
    int r = store_begin(g->store, &system, &txn, err);

    if (r < 0)
        return r;
    r = guard_look(g, who, store_position(txn), false, &sight, err);
    if (r >= 0)
        r = store_get(txn, type, id, &row, err);
    if (r >= 0 && row.method == METHOD_DELETE)
        r = err_set(err, ERR_DELETED, "it was deleted");
    if (r >= 0) {
        r = look_at(sight->own, &row, FACTS_CURRENT, &l, err);
        if (r >= 0)
            *ret = explain_facts(sight->own, &l.facts);
        looked_done(&l);
    }
    if (sight)
        guard_sight_done(sight);
    store_end(txn);
    return MIN(r, 0);
}
