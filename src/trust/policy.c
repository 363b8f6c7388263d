#include "trust/policy.h"

#include "trust/law.h"

#include <stdlib.h>

#define POLICY_ARENA_MAX MIB(16)
#define DAY_MS INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)
#define CARE_DAYS_MAX 3650
#define AGE_OF_CONSENT 18 /* where the policy does not say */
#define AGE_MAX 99
#define FINDS_AN_HOUR 60 /* where the policy does not say */
#define FINDS_MAX 100000
#define GLASS_MINUTES 60 /* where the policy does not say */
#define GLASS_MINUTES_MAX 1440

static const struct str implicit_names[] = {STR("normal"), STR("all"), STR("break-glass-only"),
                                            STR("deny")};
static const struct str records_names[] = {STR("none"), STR("own"), STR("cases"), STR("related"),
                                           STR("all")};
static const struct str assurance_names[] = {STR("none"), STR("password"), STR("two-factors")};

static const struct str shared_names[] = {
    STR("Practitioner"),
    STR("PractitionerRole"),
    STR("Organization"),
    STR("Location"),
    STR("HealthcareService"),
    STR("Medication"),
    STR("MedicationKnowledge"),
    STR("CodeSystem"),
    STR("ValueSet"),
    STR("ConceptMap"),
    STR("NamingSystem"),
    STR("StructureDefinition"),
    STR("SearchParameter"),
    STR("OperationDefinition"),
    STR("CapabilityStatement"),
    STR("CompartmentDefinition"),
    STR("ImplementationGuide"),
    STR("Questionnaire"),
    STR("PlanDefinition"),
    STR("ActivityDefinition"),
    STR("Library"),
    STR("Measure"),
};

static const struct str grant_names[] = {
    STR("CareTeam"),      STR("Consent"),      STR("Encounter"),
    STR("EpisodeOfCare"), STR("Group"),        STR("Organization"),
    STR("Person"),        STR("Practitioner"), STR("PractitionerRole"),
    STR("RelatedPerson"),
};

static bool is_among(const struct str *names, size_t n, int type)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(def_resource_name(type), names[i]))
            return true;
    return false;
}

bool policy_is_shared(int type)
{
    return is_among(shared_names, ARRAY_LEN(shared_names), type);
}

bool policy_is_grant(int type)
{
    return is_among(grant_names, ARRAY_LEN(grant_names), type);
}

/* ---- reading ---- */

struct reading {
    struct policy *p;
    struct err *err;
};

static int wrong(struct reading *in, struct str what, const char *why)
{
    return err_set(in->err, ERR_VALUE, "the policy's \"%.*s\" %s", (int)MIN(what.n, 100u), what.p,
                   why);
}

static int one_of(struct reading *in, struct str name, yyjson_val *v, const struct str *names,
                  size_t n, int *ret)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(js_str(v), names[i])) {
            *ret = (int)i;
            return 0;
        }
    return wrong(in, name, "has a value that is none of those that it can have");
}

static int texts(struct reading *in, struct str name, yyjson_val *v, struct str_list *ret)
{
    size_t n = yyjson_arr_size(v), i, max;
    yyjson_val *one;

    if (!yyjson_is_arr(v) || n > RECORD_LIST_MAX)
        return wrong(in, name, "is no list, or too long");
    ret->v = ARENA_ARRAY(&in->p->a, struct str, n);
    if (!ret->v)
        return err_no_memory(in->err);
    yyjson_arr_foreach(v, i, max, one) {
        if (!yyjson_is_str(one))
            return wrong(in, name, "has what is no text");
        ret->v[ret->n++] = js_str(one);
    }
    return 0;
}

static int types(struct reading *in, struct str name, yyjson_val *v, bool *ret,
                 bool (*fits)(int type), const char *why)
{
    struct str_list list = {.n = 0};
    int r = texts(in, name, v, &list);

    for (size_t i = 0; r == 0 && i < list.n; i++) {
        int type = def_resource(list.v[i]);

        if (!type || !fits(type))
            return wrong(in, list.v[i], why);
        ret[type] = true;
    }
    return r;
}

/* Types that belong to nobody's record, and are not shared either. */
static bool is_other(int type)
{
    return !policy_is_shared(type) && !def_compartment_params(COMPARTMENT_PATIENT, type);
}

static uint8_t sight_of(const struct policy_role *role, int type)
{
    if (policy_is_shared(type))
        return SIGHT_OPEN;
    if (!def_compartment_params(COMPARTMENT_PATIENT, type))
        return role->types[type] ? SIGHT_OPEN : SIGHT_SHUT;
    if (role->records == RECORDS_NONE)
        return SIGHT_SHUT;
    /* Who is a member says something about each member. */
    return str_eq(def_resource_name(type), STR("Group")) ? SIGHT_LOOK : SIGHT_KEPT;
}

static int read_role(struct reading *in, struct str name, yyjson_val *from, struct policy_role *to)
{
    const struct {
        struct str name;
        bool *to;
    } flags[] = {
        {STR("organisation"), &to->organisation},
        {STR("sensitive"), &to->sensitive},
        {STR("unlinked"), &to->unlinked},
        {STR("breakGlass"), &to->break_glass},
        {STR("registers"), &to->registers},
        {STR("checksIn"), &to->checks_in},
        {STR("explains"), &to->explains},
        {STR("corrects"), &to->corrects},
        {STR("labels"), &to->labels},
        {STR("counts"), &to->counts},
        {STR("lineLists"), &to->line_lists},
        {STR("programmes"), &to->programmes},
        {STR("signals"), &to->signals},
        {STR("reviews"), &to->reviews},
        {STR("finds"), &to->finds},
        {STR("audits"), &to->audits},
    };
    yyjson_val *k, *v;
    size_t i, max;
    int r = 0, n = 0;

    *to = (struct policy_role){.name = name};
    if (!yyjson_is_obj(from))
        return wrong(in, name, "is no object");
    yyjson_obj_foreach(from, i, max, k, v) {
        struct str m = js_str(k);
        bool is_flag = false;

        for (size_t f = 0; f < ARRAY_LEN(flags) && !is_flag; f++)
            if (str_eq(m, flags[f].name)) {
                is_flag = true;
                *flags[f].to = yyjson_is_true(v);
                if (!yyjson_is_bool(v))
                    return wrong(in, m, "is neither true nor false");
            }
        if (is_flag)
            continue;
        if (str_eq(m, STR("records"))) {
            r = one_of(in, m, v, records_names, ARRAY_LEN(records_names), &n);
            to->records = (enum policy_records)n;
        } else if (str_eq(m, STR("assurance"))) {
            r = one_of(in, m, v, assurance_names, ARRAY_LEN(assurance_names), &n);
            to->assurance = (enum assurance)n;
        } else if (str_eq(m, STR("purposes"))) {
            r = texts(in, m, v, &to->purposes);
        } else if (str_eq(m, STR("types"))) {
            r = types(in, m, v, to->types, is_other, "is no type outside of records");
        } else if (str_eq(m, STR("grants"))) {
            r = types(in, m, v, to->grants, policy_is_grant, "is no type that grants access");
        } else {
            r = wrong(in, m, "is not known");
        }
        if (r < 0)
            return r;
    }
    if (!to->purposes.n)
        return wrong(in, name, "has no purposes");
    if (to->break_glass != policy_has_purpose(to, STR(PURPOSE_BREAK_GLASS)))
        return wrong(in, name, "breaks the glass without the purpose BTG, or has that without");
    if (to->records == RECORDS_CASES && !policy_has_purpose(to, STR(PURPOSE_PUBLIC_HEALTH)))
        return wrong(in, name, "sees cases without the purpose PUBHLTH");
    if (to->unlinked && to->records != RECORDS_ALL)
        return wrong(in, name, "sees what is of no patient, but not all records");
    if (to->line_lists && !to->counts)
        return wrong(in, name, "sees who the cases are, but no counts of them");
    if (to->signals && !to->counts)
        return wrong(in, name, "works on signals, but sees none");
    for (int type = 1; type <= DEF_RESOURCE_MAX; type++)
        to->sight[type] = sight_of(to, type);
    return 0;
}

static int read_roles(struct reading *in, yyjson_val *from)
{
    size_t n = yyjson_obj_size(from), i, max;
    struct policy *p = in->p;
    yyjson_val *k, *v;
    int r = 0;

    if (!yyjson_is_obj(from) || n > POLICY_ROLES_MAX)
        return wrong(in, STR("roles"), "is no object, or too large");
    p->roles = ARENA_ARRAY(&p->a, struct policy_role, n);
    if (!p->roles)
        return err_no_memory(in->err);
    yyjson_obj_foreach(from, i, max, k, v) {
        if (r == 0)
            r = read_role(in, js_str(k), v, &p->roles[p->n_roles++]);
    }
    return r;
}

static int read_labels(struct reading *in, struct str name, yyjson_val *from,
                       struct coding_key **ret, size_t *ret_n)
{
    struct policy *p = in->p;
    struct str_list list = {.n = 0};
    int r = texts(in, name, from, &list);

    if (r < 0)
        return r;
    if (list.n > POLICY_LABELS_MAX)
        return wrong(in, name, "has too many labels");
    *ret = ARENA_ARRAY(&p->a, struct coding_key, list.n + 1);
    if (!*ret)
        return err_no_memory(in->err);
    for (size_t i = 0; i < list.n; i++) {
        ptrdiff_t bar = str_rfind(list.v[i], '|');

        if (bar <= 0)
            return wrong(in, list.v[i], "is no system|code");
        (*ret)[(*ret_n)++] = (struct coding_key){str_head(list.v[i], (size_t)bar),
                                                 str_from(list.v[i], (size_t)bar + 1)};
    }
    return 0;
}

/* What the law may open of a record: not what is between a person and the node. */
static bool is_of_case(int type)
{
    static const struct str kept[] = {STR("Consent"), STR("Group"),      STR("RelatedPerson"),
                                      STR("Person"),  STR("AuditEvent"), STR("Provenance")};

    return def_compartment_params(COMPARTMENT_PATIENT, type) &&
           !is_among(kept, ARRAY_LEN(kept), type);
}

static int read_disease(struct reading *in, struct str name, yyjson_val *from, size_t number)
{
    struct policy_disease *d = &in->p->diseases[number];
    yyjson_val *k, *v;
    size_t i, max;
    int r = 0;

    d->name = name;
    if (!yyjson_is_obj(from))
        return wrong(in, name, "is no object");
    yyjson_obj_foreach(from, i, max, k, v) {
        if (r < 0)
            break;
        if (str_eq(js_str(k), STR("codes")))
            r = read_labels(in, js_str(k), v, &d->codes, &d->n_codes);
        else if (str_eq(js_str(k), STR("types")))
            r = types(in, js_str(k), v, d->types, is_of_case, "is no type that the law opens");
        else
            r = wrong(in, js_str(k), "is not known");
    }
    for (size_t c = 0; c < d->n_codes && r >= 0; c++)
        r = law_add(&in->p->law, d->codes[c].system, d->codes[c].code, number, in->err);
    return r < 0 || d->n_codes ? r : wrong(in, name, "has no codes");
}

static int read_diseases(struct reading *in, yyjson_val *from)
{
    size_t n = yyjson_obj_size(from), i, max;
    struct policy *p = in->p;
    yyjson_val *k, *v;
    int r = 0;

    if (!yyjson_is_obj(from) || n > POLICY_DISEASES_MAX)
        return wrong(in, STR("notifiable"), "is no object, or too large");
    p->diseases = ARENA_ARRAY(&p->a, struct policy_disease, n + 1);
    if (!p->diseases)
        return err_no_memory(in->err);
    yyjson_obj_foreach(from, i, max, k, v) {
        if (r >= 0)
            r = read_disease(in, js_str(k), v, p->n_diseases++);
    }
    return r;
}

static int read_number(struct reading *in, struct str name, yyjson_val *v, uint64_t max,
                       uint64_t *ret)
{
    if (!js_is_number(v) || !str_to_u64(js_str(v), max, ret))
        return wrong(in, name, "is no number, or too large a one");
    return 0;
}

/* ---- labels by codes ---- */

static int read_ages(struct reading *in, yyjson_val *from, struct policy_label_rule *to)
{
    yyjson_val *k, *v;
    size_t i, max;
    int r = 0;

    to->by_age = true;
    to->below = POLICY_AGE_MAX;
    if (!yyjson_is_obj(from))
        return wrong(in, STR("ages"), "is no object");
    yyjson_obj_foreach(from, i, max, k, v) {
        if (r < 0)
            break;
        if (str_eq(js_str(k), STR("from")))
            r = read_number(in, js_str(k), v, POLICY_AGE_MAX, &to->from);
        else if (str_eq(js_str(k), STR("below")))
            r = read_number(in, js_str(k), v, POLICY_AGE_MAX, &to->below);
        else
            r = wrong(in, js_str(k), "is not known");
    }
    return r < 0 || to->from < to->below ? r : wrong(in, STR("ages"), "holds for nobody");
}

static int read_label(struct reading *in, yyjson_val *from, struct coding_key *ret)
{
    struct str text = js_str(from);
    ptrdiff_t bar = text.p ? str_rfind(text, '|') : -1;

    if (bar <= 0)
        return wrong(in, STR("label"), "is no system|code");
    *ret = (struct coding_key){str_head(text, (size_t)bar), str_from(text, (size_t)bar + 1)};
    return 0;
}

static int read_rule(struct reading *in, struct str name, yyjson_val *from, size_t number)
{
    struct policy_label_rule *to = &in->p->rules[number];
    yyjson_val *k, *v;
    size_t i, max;
    int r = 0;

    to->name = name;
    if (!yyjson_is_obj(from))
        return wrong(in, name, "is no object");
    yyjson_obj_foreach(from, i, max, k, v) {
        if (r < 0)
            break;
        if (str_eq(js_str(k), STR("codes")))
            r = read_labels(in, js_str(k), v, &to->codes, &to->n_codes);
        else if (str_eq(js_str(k), STR("label")))
            r = read_label(in, v, &to->label);
        else if (str_eq(js_str(k), STR("ages")))
            r = read_ages(in, v, to);
        else
            r = wrong(in, js_str(k), "is not known");
    }
    for (size_t c = 0; c < to->n_codes && r >= 0; c++)
        r = law_add(&in->p->labelled, to->codes[c].system, to->codes[c].code, number, in->err);
    if (r < 0 || (to->n_codes && to->label.code.n))
        return r;
    return wrong(in, name, "has no codes, or no label");
}

static int read_rules(struct reading *in, yyjson_val *from)
{
    size_t n = yyjson_obj_size(from), i, max;
    struct policy *p = in->p;
    yyjson_val *k, *v;
    int r = 0;

    if (!yyjson_is_obj(from) || n > POLICY_RULES_MAX)
        return wrong(in, STR("labelling"), "is no object, or too large");
    p->rules = ARENA_ARRAY(&p->a, struct policy_label_rule, n + 1);
    if (!p->rules)
        return err_no_memory(in->err);
    yyjson_obj_foreach(from, i, max, k, v) {
        if (r >= 0)
            r = read_rule(in, js_str(k), v, p->n_rules++);
    }
    return r;
}

/* A label that keeps a resource from nobody is a slip of the pen. */
static int check_rules(struct reading *in)
{
    const struct policy *p = in->p;

    for (size_t i = 0; i < p->n_rules; i++) {
        const struct coding_key *l = &p->rules[i].label;

        if (!policy_is_sensitive(p, l->system, l->code) &&
            !policy_is_confidential(p, l->system, l->code))
            return wrong(in, p->rules[i].name,
                         "has a label that is neither sensitive nor "
                         "confidential");
    }
    return 0;
}

static int read_time(struct reading *in, struct str name, yyjson_val *v, int64_t unit_ms,
                     uint64_t max, int64_t *ret_ms)
{
    uint64_t n = 0;
    int r = read_number(in, name, v, max, &n);

    *ret_ms = (int64_t)n * unit_ms;
    return r;
}

static int read_policy(struct reading *in, yyjson_val *root)
{
    struct policy *p = in->p;
    uint64_t finds = FINDS_AN_HOUR, age = AGE_OF_CONSENT;
    yyjson_val *k, *v;
    size_t i, max;
    int r = 0, n = 0;

    p->glass_ms = GLASS_MINUTES * MINUTE_MS;
    if (!yyjson_is_obj(root))
        return err_set(in->err, ERR_VALUE, "a policy is a JSON object");
    yyjson_obj_foreach(root, i, max, k, v) {
        struct str m = js_str(k);

        if (str_eq(m, STR("version")))
            p->version = js_str(v);
        else if (str_eq(m, STR("implicitConsent")))
            r = one_of(in, m, v, implicit_names, ARRAY_LEN(implicit_names), &n);
        else if (str_eq(m, STR("careDays")))
            r = read_time(in, m, v, DAY_MS, CARE_DAYS_MAX, &p->care_ms);
        else if (str_eq(m, STR("findsPerHour")))
            r = read_number(in, m, v, FINDS_MAX, &finds);
        else if (str_eq(m, STR("breakGlassMinutes")))
            r = read_time(in, m, v, MINUTE_MS, GLASS_MINUTES_MAX, &p->glass_ms);
        else if (str_eq(m, STR("sensitive")))
            r = read_labels(in, m, v, &p->sensitive, &p->n_sensitive);
        else if (str_eq(m, STR("confidential")))
            r = read_labels(in, m, v, &p->confidential, &p->n_confidential);
        else if (str_eq(m, STR("ageOfConsent")))
            r = read_number(in, m, v, AGE_MAX, &age);
        else if (str_eq(m, STR("notifiable")))
            r = read_diseases(in, v);
        else if (str_eq(m, STR("labelling")))
            r = read_rules(in, v);
        else if (str_eq(m, STR("roles")))
            r = read_roles(in, v);
        else if (str_eq(m, STR("tests")))
            p->tests = v;
        else if (!str_eq(m, STR("description")))
            r = wrong(in, m, "is not known");
        if (r < 0)
            return r;
    }
    p->implicit = (enum policy_implicit)n;
    p->finds_an_hour = (uint32_t)finds;
    p->age = (int)age;
    if (!p->version.n)
        return err_set(in->err, ERR_VALUE, "the policy has no version");
    if (!js_get(root, "implicitConsent"))
        return err_set(in->err, ERR_VALUE, "the policy does not say what implicitConsent is");
    if (p->tests && !yyjson_is_arr(p->tests))
        return wrong(in, STR("tests"), "is no list");
    return check_rules(in);
}

int policy_parse(struct str text, struct policy **ret, struct err *err)
{
    _cleanup_(policy_freep) struct policy *p = calloc(1, sizeof *p);
    struct reading in = {p, err};
    yyjson_val *root;
    int r;

    if (!p)
        return err_no_memory(err);
    atomic_store(&p->refs, 1);
    arena_init(&p->a, POLICY_ARENA_MAX);
    if (text.n > POLICY_BYTES_MAX)
        return err_set(err, ERR_TOO_LONG, "a policy has at most %zu bytes", POLICY_BYTES_MAX);
    p->text = arena_dup(&p->a, text);
    if (!p->text.p)
        return err_no_memory(err);
    if ((r = js_parse(&p->a, p->text, &root, err)) < 0 || (r = read_policy(&in, root)) < 0)
        return r;
    *ret = p;
    p = NULL;
    return 0;
}

const struct policy *policy_ref(const struct policy *p)
{
    atomic_fetch_add(&((struct policy *)(uintptr_t)p)->refs, 1);
    return p;
}

void policy_unref(const struct policy *shared)
{
    struct policy *p = (struct policy *)(uintptr_t)shared;

    if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    text_map_done(&p->law, NULL);
    text_map_done(&p->labelled, NULL);
    arena_done(&p->a);
    free(p);
}

/* ---- asking ---- */

const struct policy_role *policy_role(const struct policy *p, struct str name)
{
    for (size_t i = 0; i < p->n_roles; i++)
        if (str_eq(p->roles[i].name, name))
            return &p->roles[i];
    return NULL;
}

static bool has_label(const struct coding_key *v, size_t n, struct str system, struct str code)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].code, code) && str_eq(v[i].system, system))
            return true;
    return false;
}

bool policy_is_sensitive(const struct policy *p, struct str system, struct str code)
{
    return has_label(p->sensitive, p->n_sensitive, system, code);
}

bool policy_is_confidential(const struct policy *p, struct str system, struct str code)
{
    return has_label(p->confidential, p->n_confidential, system, code);
}

struct str policy_purpose(const struct policy_role *role, struct str stated)
{
    return stated.n ? stated : role->purposes.v[0];
}

bool policy_has_purpose(const struct policy_role *role, struct str purpose)
{
    for (size_t i = 0; i < role->purposes.n; i++)
        if (str_eq(role->purposes.v[i], purpose))
            return true;
    return false;
}
