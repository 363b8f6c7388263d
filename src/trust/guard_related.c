/* guard_related.c - who is in somebody's care, looked up: CareTeams, EpisodesOfCare and Encounters
 * that are not over, of the asker itself, of its PractitionerRoles and, where the role says so, of
 * its organisations and those below them. What one wrote oneself opens nothing to one: of a
 * relation that the asker wrote last, what another wrote before must have said the same.
 */
#include "trust/guard_int.h"

#include "base/clock.h"
#include "fhir/validate.h"
#include "trust/trust.h"

#include <stdlib.h>

#define CARE_ARENA_MAX MIB(16)
#define MISSING_MS INT64_C(60000) /* until somebody who was not there is looked for again */
#define LEVELS_MAX 16             /* of organisations above one another */
#define CLAIMS_AT_ONCE ((size_t)1000)
#define OWN_VERSIONS_MAX 100 /* of the asker's own on top of what another wrote */

/* A relation that is care, if it is more than the asker's own word. */
struct claim {
    uint64_t row;
    const struct relation *as;
    struct str patient;
};

struct making {
    struct guard *g;
    struct store_txn *txn;
    struct care *c;
    struct params *params;
    struct arena a; /* of one version */
    struct sb text;
    int64_t now_ms;
    struct str ask; /* what is looked for */
    struct str_list found;
    struct newer *rows;
    size_t n_rows, cap_rows;
    struct str author;    /* how the agent of what the asker wrote begins; empty: nobody's does */
    struct arena claimed; /* of these: */
    struct claim *claims;
    size_t n_claims, cap_claims;
};

static int set_add(struct text_map *m, struct str key, struct err *err)
{
    void **at = text_map_at(m, key);

    if (!at)
        return err_no_memory(err);
    *at = m;
    return 0;
}

static int refs_add(struct making *in, struct str ref, struct err *err)
{
    struct care *c = in->c;

    for (size_t i = 0; i < c->n_refs; i++)
        if (str_eq(c->refs_v[i], ref))
            return 0;
    if (c->n_refs == GUARD_ORGANISATIONS_MAX)
        return err_set(err, ERR_COSTLY, "who asks acts for more than %d organisations and groups",
                       GUARD_ORGANISATIONS_MAX);
    if (!c->refs_v)
        c->refs_v = ARENA_ARRAY(&c->a, struct str, GUARD_ORGANISATIONS_MAX);
    if (!c->refs_v || !(c->refs_v[c->n_refs] = arena_dup(&c->a, ref)).p)
        return err_no_memory(err);
    c->n_refs++;
    return 0;
}

/* Whether a period is now; what it changes next bounds how long it is known. */
static bool is_now(struct making *in, yyjson_val *period, int64_t after_ms)
{
    struct care *c = in->c;
    int64_t from, to;

    if (!period)
        return true;
    if (!facts_read_period(period, &from, &to))
        return false;
    to += to < INT64_MAX - after_ms ? after_ms : 0;
    if (in->now_ms < from) {
        c->until_ms = MIN(c->until_ms, from);
        return false;
    }
    if (in->now_ms >= to)
        return false;
    c->until_ms = MIN(c->until_ms, to);
    return true;
}

static bool is_below(const struct making *in, yyjson_val *reference)
{
    return text_map_get(&in->c->below, facts_reference(reference)) != NULL;
}

/* Whether one of the list has somebody of ours as `member`, now. */
static bool has_ours(struct making *in, yyjson_val *list, const char *member)
{
    yyjson_val *one;
    size_t i, max;
    bool has = false;

    yyjson_arr_foreach(list, i, max, one) {
        if (is_below(in, js_get(one, member)) && is_now(in, js_get(one, "period"), 0))
            has = true;
    }
    return has;
}

static bool is_one_of(struct str s, const char *const *names)
{
    for (; *names; names++)
        if (str_eq(s, str_c(*names)))
            return true;
    return false;
}

static bool team_cares(struct making *in, yyjson_val *root)
{
    static const char *const live[] = {"active", NULL};
    struct str status = js_get_str(root, "status");

    return (!status.n || is_one_of(status, live)) && is_now(in, js_get(root, "period"), 0) &&
           has_ours(in, js_get(root, "participant"), "member");
}

static bool episode_cares(struct making *in, yyjson_val *root)
{
    static const char *const live[] = {"active", "onhold", "waitlist", NULL};

    return is_one_of(js_get_str(root, "status"), live) && is_now(in, js_get(root, "period"), 0) &&
           (is_below(in, js_get(root, "careManager")) ||
            is_below(in, js_get(root, "managingOrganization")));
}

/* An encounter is care for a while after it has ended: results come later. One that is finished and
 * does not say when is over. */
static bool encounter_cares(struct making *in, yyjson_val *root)
{
    static const char *const live[] = {"arrived", "triaged", "in-progress", "onleave", NULL};
    yyjson_val *period = js_get(root, "period");
    struct str status = js_get_str(root, "status");

    if (!is_one_of(status, live) &&
        !(str_eq(status, STR("finished")) && js_get_str(period, "end").n))
        return false;
    return is_now(in, period, in->g->policy->care_ms) &&
           (has_ours(in, js_get(root, "participant"), "individual") ||
            is_below(in, js_get(root, "serviceProvider")));
}

/*    type             search              whose                        whether it is care */
#define RELATIONS(X)                                                                               \
    X("CareTeam",      "participant",      "subject",                   team_cares)                \
    X("EpisodeOfCare", "care-manager",     "patient",                   episode_cares)             \
    X("EpisodeOfCare", "organization",     "patient",                   episode_cares)             \
    X("Encounter",     "participant",      "subject",                   encounter_cares)           \
    X("Encounter",     "service-provider", "subject",                   encounter_cares)

static const struct relation {
    const char *type, *param, *whose;
    bool (*cares)(struct making *in, yyjson_val *root);
} relations[] = {
#define X(type, param, whose, cares) {type, param, whose, cares},
    RELATIONS(X)
#undef X
};

static int parse(struct making *in, const struct row *row, yyjson_val **ret, struct err *err)
{
    int r;

    arena_reset(&in->a);
    sb_reset(&in->text);
    if ((r = row_json(in->g->store, row, &in->text, err)) < 0 || (r = sb_ok(&in->text, err)) < 0)
        return r;
    return js_parse_stored(&in->a, sb_view(&in->text), ret, err);
}

static int because(struct making *in, const struct row *row, struct err *err)
{
    struct str type = def_resource_name(row->type);
    struct str name = arena_fmt(&in->a, "%.*s/%.*s", STR_ARG(type), STR_ARG(row->id));

    return name.p ? set_add(&in->c->because, name, err) : err_no_memory(err);
}

static int add_claim(struct making *in, const struct claim *claim, struct err *err)
{
    if (in->n_claims == in->cap_claims) {
        size_t cap = MAX(in->cap_claims * 2, (size_t)64);
        struct claim *v =
            arena_grow(&in->claimed, in->claims, in->cap_claims * sizeof *v, cap * sizeof *v);

        if (!v)
            return err_no_memory(err);
        in->claims = v;
        in->cap_claims = cap;
    }
    in->claims[in->n_claims] = *claim;
    in->claims[in->n_claims].patient = arena_dup(&in->claimed, claim->patient);
    return in->claims[in->n_claims++].patient.p ? 0 : err_no_memory(err);
}

struct relating {
    struct making *in;
    const struct relation *as;
};

static int each_relation(void *ctx, const struct row *row, struct err *err)
{
    struct relating *to = ctx;
    struct making *in = to->in;
    yyjson_val *root;
    struct str patient;
    int r = parse(in, row, &root, err);

    if (r < 0 || !to->as->cares(in, root))
        return r;
    patient = facts_reference(js_get(root, to->as->whose));
    if (!str_starts(patient, STR("Patient/")))
        return 0;
    if ((r = because(in, row, err)) < 0)
        return r;
    return add_claim(in, &(struct claim){row->row, to->as, str_from(patient, 8)}, err);
}

/* ---- another's word ---- */

static bool is_own_word(const struct making *in, const struct adoption *version)
{
    return in->author.n && str_starts(version->agent, in->author);
}

/* What the newest version by another said: 1 that this is care. */
static int said_by_another(struct making *in, const struct claim *claim, uint64_t number,
                           struct err *err)
{
    struct adoption of = {.parent = number};
    yyjson_val *root;
    struct row row;
    struct str whose;
    int r = 0, n = 0;

    do {
        if (!of.parent || n++ == OWN_VERSIONS_MAX)
            return 0;
        of.row.row = of.parent;
        r = store_lineage(in->txn, &in->claimed, &of, 1, err);
    } while (r >= 0 && is_own_word(in, &of));
    if (r < 0 || (r = store_get_row(in->txn, of.row.row, &row, err)) < 0)
        return r;
    if (row.method == METHOD_DELETE)
        return 0;
    if ((r = parse(in, &row, &root, err)) < 0)
        return r;
    whose = facts_reference(js_get(root, claim->as->whose));
    return claim->as->cares(in, root) && str_starts(whose, STR("Patient/")) &&
           str_eq(str_from(whose, 8), claim->patient);
}

static int take_claims(struct making *in, struct err *err)
{
    struct adoption *of = ARENA_ARRAY(&in->claimed, struct adoption, in->n_claims + 1);
    int r = 0;

    if (!of)
        return err_no_memory(err);
    memset(of, 0, in->n_claims * sizeof *of);
    for (size_t i = 0; i < in->n_claims; i++)
        of[i].row.row = in->claims[i].row;
    for (size_t i = 0; in->author.n && i < in->n_claims && r >= 0; i += CLAIMS_AT_ONCE)
        r = store_lineage(in->txn, &in->claimed, of + i, MIN(in->n_claims - i, CLAIMS_AT_ONCE),
                          err);
    for (size_t i = 0; i < in->n_claims && r >= 0; i++) {
        bool is_own = is_own_word(in, &of[i]);

        if (is_own)
            r = said_by_another(in, &in->claims[i], of[i].parent, err);
        if (r >= 0 && (!is_own || r > 0))
            r = set_add(&in->c->patients, in->claims[i].patient, err);
    }
    return MIN(r, 0);
}

static int ask(struct making *in, const char *type, const char *param, struct str ref,
               guard_each_fn *each, void *ctx, struct err *err)
{
    _cleanup_(sb_done) struct sb query = sb_make(KIB(4));
    int r;

    sb_fmt(&query, "%s=", param);
    sb_uri(&query, ref);
    r = sb_ok(&query, err);
    return r < 0 ? r
                 : guard_each(in->g, in->txn, def_resource(str_c(type)), sb_view(&query), each, ctx,
                              err);
}

/* What the asker is: a role of it, and whose role that is. */
static int each_role(void *ctx, const struct row *row, struct err *err)
{
    struct making *in = ctx;
    yyjson_val *root, *active;
    struct str organisation, self;
    int r = parse(in, row, &root, err);

    if (r < 0)
        return r;
    active = js_get(root, "active");
    if (yyjson_is_false(active) || !is_now(in, js_get(root, "period"), 0))
        return 0;
    self = arena_fmt(&in->a, "PractitionerRole/%.*s", STR_ARG(row->id));
    if (!self.p)
        return err_no_memory(err);
    if ((r = refs_add(in, self, err)) < 0 || (r = set_add(&in->c->below, self, err)) < 0)
        return r;
    organisation = facts_reference(js_get(root, "organization"));
    return organisation.n ? refs_add(in, organisation, err) : 0;
}

static int each_group(void *ctx, const struct row *row, struct err *err)
{
    struct making *in = ctx;
    struct str self = arena_fmt(&in->a, "Group/%.*s", STR_ARG(row->id));

    return self.p ? refs_add(in, self, err) : err_no_memory(err);
}

static int each_part(void *ctx, const struct row *row, struct err *err)
{
    struct making *in = ctx;
    struct str self = arena_fmt(&in->c->a, "Organization/%.*s", STR_ARG(row->id));
    int r;

    if (!self.p)
        return err_no_memory(err);
    if (text_map_get(&in->c->below, self))
        return 0;
    if (in->found.n == GUARD_ORGANISATIONS_MAX)
        return err_set(err, ERR_COSTLY, "who asks acts for more than %d organisations",
                       GUARD_ORGANISATIONS_MAX);
    if ((r = set_add(&in->c->below, self, err)) == 0)
        in->found.v[in->found.n++] = self;
    return r;
}

/* The organisations that one belongs to are what consents may name. */
static int go_up(struct making *in, struct err *err)
{
    for (size_t i = 0, level = 0; i < in->c->n_refs && level < LEVELS_MAX * RECORD_LIST_MAX;
         i++, level++) {
        struct str ref = in->c->refs_v[i], of;
        yyjson_val *root;
        struct row row;
        int r;

        if (!str_starts(ref, STR("Organization/")))
            continue;
        r = store_get(in->txn, def_resource(STR("Organization")), str_from(ref, 13), &row, err);
        if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE))
            continue;
        if (r < 0 || (r = parse(in, &row, &root, err)) < 0)
            return r;
        of = facts_reference(js_get(root, "partOf"));
        if (of.n && (r = refs_add(in, of, err)) < 0)
            return r;
    }
    return 0;
}

/* Its own organisations, and all below them, are through which people come into its care. */
static int go_down(struct making *in, size_t n_own, struct err *err)
{
    int r = 0;

    in->found = (struct str_list){ARENA_ARRAY(&in->c->a, struct str, GUARD_ORGANISATIONS_MAX), 0};
    if (!in->found.v)
        return err_no_memory(err);
    for (size_t i = 0; r == 0 && i < n_own; i++)
        if (str_starts(in->c->refs_v[i], STR("Organization/"))) {
            r = set_add(&in->c->below, in->c->refs_v[i], err);
            in->found.v[in->found.n++] = in->c->refs_v[i];
        }
    for (size_t i = 0; r == 0 && i < in->found.n; i++)
        r = ask(in, "Organization", "partof", in->found.v[i], each_part, in, err);
    return r;
}

static int find_refs(struct making *in, const struct policy_role *role, struct str user,
                     struct err *err)
{
    size_t n_own;
    int r;

    if (!user.n)
        return 0;
    if ((r = refs_add(in, user, err)) < 0 || (r = set_add(&in->c->below, user, err)) < 0)
        return r;
    if (str_starts(user, STR("Practitioner/")) &&
        (r = ask(in, "PractitionerRole", "practitioner", user, each_role, in, err)) < 0)
        return r;
    n_own = in->c->n_refs;
    if ((r = go_up(in, err)) < 0 || (r = ask(in, "Group", "member", user, each_group, in, err)) < 0)
        return r;
    return role->organisation ? go_down(in, n_own, err) : 0;
}

static int find_patients(struct making *in, struct err *err)
{
    const struct text_map *below = &in->c->below;
    int r = 0;

    for (size_t i = 0; r == 0 && i < below->cap; i++)
        for (size_t k = 0; r == 0 && below->v[i].key.p && k < ARRAY_LEN(relations); k++) {
            struct relating to = {in, &relations[k]};

            r = ask(in, relations[k].type, relations[k].param, below->v[i].key, each_relation, &to,
                    err);
        }
    return r < 0 ? r : take_claims(in, err);
}

static int each_numbered(void *ctx, const struct row *row, struct err *err)
{
    struct making *in = ctx;

    (void)err;
    in->rows[in->n_rows++] = (struct newer){row->row, row->type, false};
    return 0;
}

static int number_cmp(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

    return a < b ? -1 : a > b;
}

static int find_rows(struct making *in, struct err *err)
{
    const struct text_map *patients = &in->c->patients;
    struct arena a;
    uint64_t *all = NULL;
    size_t n = 0, cap = 0;
    int r = 0;

    arena_init(&a, GUARD_ARENA_MAX);
    for (size_t i = 0; r >= 0 && i < patients->cap; i++) {
        uint64_t *v = NULL;
        size_t some = 0;

        if (!patients->v[i].key.p)
            continue;
        r = guard_rows(in->g, in->txn, &a, patients->v[i].key, &v, &some, err);
        if (r >= 0 && n + some > cap) {
            size_t more = MAX(cap * 2, n + some);
            uint64_t *grown = arena_grow(&a, all, cap * sizeof *all, more * sizeof *all);

            if (!grown)
                r = err_no_memory(err);
            else
                all = grown, cap = more;
        }
        if (r >= 0 && some) {
            memcpy(all + n, v, some * sizeof *all);
            n += some;
        }
    }
    if (r >= 0 && n) {
        qsort(all, n, sizeof *all, number_cmp);
        in->rows = ARENA_ARRAY(&a, struct newer, n);
        r = in->rows ? store_each_row(in->txn, all, n, each_numbered, in, err) : err_no_memory(err);
    }
    if (r >= 0)
        r = reach_with(NULL, in->rows, in->n_rows, &in->c->reach, err);
    arena_done(&a);
    return MIN(r, 0);
}

/* ---- those who act for others ---- */

/* A Patient with its id in the care's memory: 1, or 0 where there is none for now. */
static int get_patient(struct making *in, struct str id, struct str *ret_id, struct row *ret,
                       struct err *err)
{
    struct care *c = in->c;
    int r;

    if (!(*ret_id = arena_dup(&c->a, id)).p)
        return err_no_memory(err);
    r = store_get(in->txn, def_resource(STR("Patient")), *ret_id, ret, err);
    if (r != ERR_NOT_FOUND && (r < 0 || ret->method != METHOD_DELETE))
        return r < 0 ? r : 1;
    c->until_ms = MIN(c->until_ms, in->now_ms + MISSING_MS);
    return 0;
}

static int add_ward(struct making *in, struct str id, struct err *err)
{
    struct care *c = in->c;
    int64_t grown_ms;
    yyjson_val *root;
    struct str ward;
    struct row row;
    int r = get_patient(in, id, &ward, &row, err);

    if (r <= 0 || (r = parse(in, &row, &root, err)) < 0)
        return r;
    grown_ms = facts_birthday_ms(js_get_str(root, "birthDate"), in->g->policy->age);
    if (in->now_ms < grown_ms)
        c->until_ms = MIN(c->until_ms, grown_ms);
    else if ((r = set_add(&c->grown, ward, err)) < 0)
        return r;
    return set_add(&c->patients, ward, err);
}

static int add_self(struct making *in, struct str id, struct err *err)
{
    struct str own;
    struct row row;
    int r = get_patient(in, id, &own, &row, err);

    if (r <= 0)
        return r;
    in->c->own = own;
    return set_add(&in->c->patients, own, err);
}

/* A RelatedPerson that is active says for whom its person acts. */
static int add_related(struct making *in, struct str id, struct err *err)
{
    yyjson_val *root, *active;
    struct str patient, self = arena_fmt(&in->c->a, "RelatedPerson/%.*s", STR_ARG(id));
    struct row row;
    int r;

    if (!self.p)
        return err_no_memory(err);
    if ((r = refs_add(in, self, err)) < 0)
        return r;
    r = store_get(in->txn, def_resource(STR("RelatedPerson")), str_from(self, 14), &row, err);
    if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE))
        return 0;
    if (r < 0 || (r = parse(in, &row, &root, err)) < 0)
        return r;
    active = js_get(root, "active");
    patient = facts_reference(js_get(root, "patient"));
    if (yyjson_is_false(active) || !is_now(in, js_get(root, "period"), 0) ||
        !str_starts(patient, STR("Patient/")))
        return 0;
    return add_ward(in, str_from(patient, 8), err);
}

/* Lists of links are made by matching names as well: only one of which somebody made sure opens a
 * person's own record. */
static bool is_sure(yyjson_val *link)
{
    static const char *const levels[] = {"level3", "level4", NULL};

    return is_one_of(js_get_str(link, "assurance"), levels);
}

/* A Person stands for the RelatedPersons that it links to, and is the Patient. */
static int add_person(struct making *in, struct str id, struct err *err)
{
    struct str_list of = {ARENA_ARRAY(&in->c->a, struct str, RECORD_LIST_MAX), 0};
    struct str self = STR("");
    yyjson_val *root, *one;
    struct row row;
    size_t i, max;
    int r;

    if (!of.v)
        return err_no_memory(err);
    r = store_get(in->txn, def_resource(STR("Person")), id, &row, err);
    if (r == ERR_NOT_FOUND || (r >= 0 && row.method == METHOD_DELETE))
        return 0;
    if (r < 0 || (r = parse(in, &row, &root, err)) < 0)
        return r;
    if (yyjson_is_false(js_get(root, "active")))
        return 0;
    yyjson_arr_foreach(js_get(root, "link"), i, max, one) {
        struct str target = facts_reference(js_get(one, "target"));

        if (!self.n && str_starts(target, STR("Patient/")) && is_sure(one) &&
            !(self = arena_dup(&in->c->a, str_from(target, 8))).p)
            return err_no_memory(err);
        if (str_starts(target, STR("RelatedPerson/")) && of.n < RECORD_LIST_MAX &&
            !(of.v[of.n++] = arena_dup(&in->c->a, str_from(target, 14))).p)
            return err_no_memory(err);
    }
    for (i = 0; i < of.n && r >= 0; i++)
        r = add_related(in, of.v[i], err);
    return r < 0 || !self.n ? MIN(r, 0) : add_self(in, self, err);
}

static int find_wards(struct making *in, struct str user, struct err *err)
{
    in->c->is_proxy = true;
    return str_starts(user, STR("Person/")) ? add_person(in, str_from(user, 7), err)
                                            : add_related(in, str_from(user, 14), err);
}

/* Whoever breaks the glass has that one person in their care, and nobody else. */
static int fill(struct making *in, const struct asker *who, struct err *err)
{
    const struct policy_role *role = who->role;
    bool breaks = decide_breaks_glass(who);
    int r = find_refs(in, role, who->user, err);

    if (r == 0 && breaks && who->glass.n)
        r = set_add(&in->c->patients, who->glass, err);
    else if (r == 0 && str_starts(who->user, STR("Patient/")))
        r = set_add(&in->c->patients, str_from(who->user, 8), err);
    else if (r == 0 && decide_is_proxy(who->user))
        r = find_wards(in, who->user, err);
    else if (r == 0 && role->records == RECORDS_CASES)
        r = care_find_cases(in->g, in->txn, in->c, err);
    else if (r == 0 && role->records == RECORDS_RELATED && !breaks)
        r = find_patients(in, err);
    in->c->is_wide = in->c->patients.n > GUARD_CARE_PATIENTS_MAX;
    if (r == 0 && !in->c->is_wide && (role->records != RECORDS_ALL || breaks))
        r = find_rows(in, err);
    return r;
}

int care_make(struct guard *g, struct store_txn *txn, const struct asker *who, struct str key,
              struct care **ret, struct err *err)
{
    struct making in = {.g = g,
                        .txn = txn,
                        .c = calloc(1, sizeof *in.c),
                        .text = sb_make(STORE_BODY_MAX + KIB(1)),
                        .now_ms = clock_now_ms()};
    int r;

    if (!in.c)
        return err_no_memory(err);
    atomic_store(&in.c->refs, 1);
    in.c->until_ms = INT64_MAX;
    in.c->built = atomic_load(&g->position);
    arena_init(&in.c->a, CARE_ARENA_MAX);
    arena_init(&in.a, STORE_BODY_MAX * 3);
    arena_init(&in.claimed, GUARD_ARENA_MAX);
    in.author =
        who->account.n ? arena_fmt(&in.claimed, "person %.*s ", STR_ARG(who->account)) : STR("");
    in.c->key = arena_dup(&in.c->a, key);
    r = in.c->key.p && in.author.p ? fill(&in, who, err) : err_no_memory(err);
    arena_done(&in.a);
    arena_done(&in.claimed);
    sb_done(&in.text);
    if (r < 0)
        care_unref(in.c);
    else
        *ret = in.c;
    return r;
}
