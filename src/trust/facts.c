#include "trust/facts.h"

#include "base/clock.h"
#include "fhir/date.h"
#include "trust/label.h"

#define OPEN_MS INT64_C(253402300800000) /* year 10000 */

/* ---- whose it is ---- */

struct owners {
    struct arena *a;
    struct facts *f;
    bool no_memory;
};

static int add_owner(void *ctx, const struct search_ref *ref)
{
    struct owners *o = ctx;
    struct facts *f = o->f;

    if (!ref->type || ref->type != def_compartment_type(COMPARTMENT_PATIENT))
        return 0;
    for (size_t i = 0; i < f->n_patients; i++)
        if (str_eq(f->patients[i], ref->id))
            return 0;
    if (f->n_patients == FACTS_PATIENTS_MAX) {
        f->has_more = true;
        return 1;
    }
    if (!f->patients)
        f->patients = ARENA_ARRAY(o->a, struct str, FACTS_PATIENTS_MAX);
    if (!f->patients || !(f->patients[f->n_patients] = arena_dup(o->a, ref->id)).p) {
        o->no_memory = true;
        return 1;
    }
    f->n_patients++;
    return 0;
}

static int find_owners(struct arena *a, const struct params *params,
                       const struct index_options *opt, struct facts *f, struct err *err)
{
    const struct str *codes = def_compartment_params(COMPARTMENT_PATIENT, f->type);
    struct owners o = {a, f, false};
    size_t n;
    const struct param *param = params_of(params, f->type, &n);

    for (; codes && codes->p && !f->has_more; codes++) {
        if (str_eq(*codes, STR("{def}"))) {
            add_owner(&o, &(struct search_ref){.type = f->type, .id = f->id});
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            int r;

            if (!str_eq(param[k].def.code, *codes))
                continue;
            r = search_refs(a, opt, &param[k], f->root, add_owner, &o, err);
            if (r < 0)
                return r;
        }
    }
    return o.no_memory ? err_no_memory(err) : 0;
}

/* What the policy's rules say of its codes counts as if it had the label: superseded versions have
 * not, and current ones not yet where the rules are new. */
static void take_rules(struct facts *f, const struct policy *p)
{
    for (size_t i = 0; i < p->n_rules; i++) {
        const struct coding_key *l = &p->rules[i].label;

        if (!(f->rules >> i & 1))
            continue;
        f->is_sensitive |= policy_is_sensitive(p, l->system, l->code);
        f->is_confidential |= policy_is_confidential(p, l->system, l->code);
    }
}

int facts_of(struct arena *a, const struct policy *policy, const struct params *params,
             const struct index_options *opt, int type, yyjson_val *root, enum facts_kind kind,
             struct facts *ret, struct err *err)
{
    yyjson_val *labels = js_get(js_get(root, "meta"), "security"), *one;
    size_t i, max;

    *ret =
        (struct facts){.type = type, .id = js_get_str(root, "id"), .root = root, .policy = policy};
    ret->rules = kind == FACTS_GIVEN ? 0 : label_rules(policy, root);
    if (kind == FACTS_CURRENT)
        ret->rules &= ~label_by_age(policy, ret->rules);
    take_rules(ret, policy);
    yyjson_arr_foreach(labels, i, max, one) {
        struct str system = js_get_str(one, "system"), code = js_get_str(one, "code");

        if (kind == FACTS_GIVEN && label_is_set(one))
            continue;
        ret->is_sensitive |= policy_is_sensitive(policy, system, code);
        ret->is_confidential |= policy_is_confidential(policy, system, code);
    }
    return find_owners(a, params, opt, ret, err);
}

bool facts_has_label(const struct facts *f, struct str system, struct str code)
{
    yyjson_val *labels = js_get(js_get(f->root, "meta"), "security"), *one;
    size_t i, max;

    yyjson_arr_foreach(labels, i, max, one) {
        if (str_eq(js_get_str(one, "system"), system) && str_eq(js_get_str(one, "code"), code))
            return true;
    }
    for (size_t k = 0; f->rules && k < f->policy->n_rules; k++)
        if ((f->rules >> k & 1) && str_eq(f->policy->rules[k].label.code, code) &&
            str_eq(f->policy->rules[k].label.system, system))
            return true;
    return false;
}

/* ---- when ---- */

static bool read_date(struct str text, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    struct date d;

    if (!text.n || date_parse(DATE_DATETIME, text, 0, &d, NULL) < 0)
        return false;
    *ret_from_ms = d.from_ms;
    *ret_to_ms = d.to_ms;
    return true;
}

bool facts_read_period(yyjson_val *period, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    struct str start = js_get_str(period, "start"), end = js_get_str(period, "end");
    int64_t from, to;

    *ret_from_ms = INT64_MIN;
    *ret_to_ms = OPEN_MS;
    if (start.n) {
        if (!read_date(start, &from, &to))
            return false;
        *ret_from_ms = from;
    }
    if (end.n) {
        if (!read_date(end, &from, &to))
            return false;
        *ret_to_ms = to;
    }
    return true;
}

bool facts_period(const struct facts *f, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    static const char *const periods[] = {"effectivePeriod", "performedPeriod", "occurrencePeriod",
                                          "onsetPeriod",     "period",          "servicedPeriod"};
    static const char *const dates[] = {"effectiveDateTime",
                                        "effectiveInstant",
                                        "performedDateTime",
                                        "occurrenceDateTime",
                                        "onsetDateTime",
                                        "recordedDate",
                                        "authoredOn",
                                        "date",
                                        "issued",
                                        "created",
                                        "started",
                                        "whenHandedOver",
                                        "start",
                                        "sent"};

    for (size_t i = 0; i < ARRAY_LEN(periods); i++) {
        yyjson_val *v = js_get(f->root, periods[i]);

        if (yyjson_is_obj(v))
            return facts_read_period(v, ret_from_ms, ret_to_ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(dates); i++)
        if (read_date(js_get_str(f->root, dates[i]), ret_from_ms, ret_to_ms))
            return true;
    return false;
}

int64_t facts_birthday_ms(struct str born, int age)
{
    uint64_t part[3] = {0, 1, 1};
    struct str rest = born, one;

    for (int i = 0; i < 3 && rest.n && str_split(&rest, '-', &one); i++)
        if (!str_to_u64(one, 9999, &part[i]))
            return INT64_MIN;
    if (!part[0] || part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31)
        return INT64_MIN;
    return clock_days((int)part[0] + age, (int)part[1], (int)part[2]) * INT64_C(86400000);
}

/* ---- who and what it names ---- */

struct str facts_reference(yyjson_val *reference)
{
    struct str s = js_get_str(reference, "reference");

    for (size_t i = 0; i + 10 < s.n; i++)
        if (bytes_eq(s.p + i, "/_history/", 10))
            return str_head(s, i);
    return s.p ? s : STR("");
}

static bool mentions(yyjson_val *v, struct str reference)
{
    size_t i, max;
    yyjson_val *k, *one;

    if (yyjson_is_obj(v)) {
        if (str_eq(facts_reference(v), reference))
            return true;
        yyjson_obj_foreach(v, i, max, k, one) {
            if (mentions(one, reference))
                return true;
        }
    } else if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, i, max, one) {
            if (mentions(one, reference))
                return true;
        }
    }
    return false;
}

bool facts_is(const struct facts *f, struct str reference)
{
    struct str type = def_resource_name(f->type);

    return reference.n == type.n + 1 + f->id.n && str_starts(reference, type) &&
           reference.p[type.n] == '/' && str_ends(reference, f->id);
}

bool facts_mentions(const struct facts *f, struct str reference)
{
    return facts_is(f, reference) || mentions(f->root, reference);
}

bool facts_is_by(const struct facts *f, struct str reference)
{
    static const char *const authors[] = {"author",   "performer",        "recorder",
                                          "asserter", "requester",        "sender",
                                          "enterer",  "informationSource"};

    for (size_t i = 0; i < ARRAY_LEN(authors); i++)
        if (mentions(js_get(f->root, authors[i]), reference))
            return true;
    return false;
}
