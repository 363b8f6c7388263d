#include "trust/policy_test.h"

#include "base/clock.h"
#include "trust/law.h"

#define TEST_ARENA_MAX MIB(16)

/* What one test says is on file. */
struct given {
    struct arena a;
    yyjson_val *care;  /* ids of patients */
    yyjson_val *grown; /* likewise: of age */
    yyjson_val *cases; /* names of diseases, by patient */
    const struct policy *policy;
    struct str *patients;
    struct consent *consents;
    const struct consent **found; /* of the patient asked about */
    size_t n;
};

static void given_consents(void *ctx, struct str patient, const struct consent *const **ret,
                           size_t *ret_n)
{
    struct given *g = ctx;
    size_t n = 0;

    for (size_t i = 0; i < g->n; i++)
        if (str_eq(g->patients[i], patient))
            g->found[n++] = &g->consents[i];
    *ret = g->found;
    *ret_n = n;
}

static bool given_care(void *ctx, struct str patient)
{
    const struct given *g = ctx;
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(g->care, i, max, one) {
        if (str_eq(js_str(one), patient))
            return true;
    }
    return false;
}

static bool given_word(void *ctx, struct str patient)
{
    const struct given *g = ctx;
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(g->grown, i, max, one) {
        if (str_eq(js_str(one), patient))
            return true;
    }
    return false;
}

static uint64_t given_diseases(void *ctx, struct str patient)
{
    const struct given *g = ctx;
    yyjson_val *names = yyjson_obj_getn(g->cases, patient.p, patient.n), *one;
    uint64_t diseases = 0;
    size_t i, max;

    yyjson_arr_foreach(names, i, max, one) {
        for (size_t d = 0; d < g->policy->n_diseases; d++)
            if (str_eq(g->policy->diseases[d].name, js_str(one)))
                diseases |= UINT64_C(1) << d;
    }
    return diseases;
}

static int read_consents(struct given *g, yyjson_val *list, struct err *err)
{
    size_t n = yyjson_arr_size(list), i, max;
    yyjson_val *one;

    g->patients = ARENA_ARRAY(&g->a, struct str, n);
    g->consents = ARENA_ARRAY(&g->a, struct consent, n);
    g->found = ARENA_ARRAY(&g->a, const struct consent *, n);
    if (!g->patients || !g->consents || !g->found)
        return err_no_memory(err);
    yyjson_arr_foreach(list, i, max, one) {
        int r;

        if (!consent_is_live(one))
            continue;
        g->patients[g->n] = consent_patient(one);
        if ((r = consent_compile(&g->a, one, &g->consents[g->n++], err)) < 0)
            return r;
    }
    return 0;
}

static struct asker read_asker(const struct policy *p, yyjson_val *from, const struct str *user)
{
    struct asker who = {.role = policy_role(p, js_get_str(from, "role")),
                        .user = *user,
                        .own = js_get_str(from, "own"),
                        .refs = user,
                        .finds = yyjson_is_true(js_get(from, "finds")),
                        .glass = js_get_str(from, "patient"),
                        .n_refs = user->n ? 1 : 0};
    struct str assurance = js_get_str(from, "assurance"), purpose = js_get_str(from, "purpose");

    who.assurance = str_eq(assurance, STR("two-factors")) ? ASSURANCE_TWO_FACTORS
                    : str_eq(assurance, STR("password"))  ? ASSURANCE_PASSWORD
                                                          : ASSURANCE_NONE;
    if (!who.own.n && str_starts(*user, STR("Patient/")))
        who.own = str_from(*user, 8);
    if (who.role)
        who.purpose = policy_purpose(who.role, purpose);
    return who;
}

static int run_one(const struct policy *p, const struct params *params, struct given *g,
                   yyjson_val *test, struct policy_outcome *ret, struct err *err)
{
    yyjson_val *resource = js_get(test, "resource"), *permit = js_get(test, "permit");
    yyjson_val *from = js_get(test, "who");
    struct index_options opt = {.n_bases = 0};
    struct file file = {g, given_consents, given_care, given_word, given_diseases};
    struct str user = js_get_str(from, "user");
    int type = def_resource(js_get_str(resource, "resourceType")), r;
    struct asker who;
    struct facts f;

    *ret =
        (struct policy_outcome){.name = js_get_str(test, "name"), .wants = yyjson_is_true(permit)};
    if (!ret->name.n || !type || !yyjson_is_bool(permit) || !js_get_str(from, "role").n)
        return err_set(err, ERR_VALUE,
                       "a test needs a name, who (with a role), a resource, and permit");
    g->care = js_get(test, "care");
    g->grown = js_get(test, "ofAge");
    g->cases = js_get(test, "cases");
    g->policy = p;
    if (!user.p)
        user = STR("");
    who = read_asker(p, from, &user);
    if ((r = read_consents(g, js_get(test, "consents"), err)) < 0 ||
        (r = facts_of(&g->a, p, params, &opt, type, resource, FACTS_CURRENT, &f, err)) < 0)
        return r;
    ret->why = decide(p, &who, &f, &file, clock_now_ms());
    ret->is = why_permits(ret->why);
    return 0;
}

int policy_test(const struct policy *p, void (*say)(void *ctx, const struct policy_outcome *one),
                void *ctx, struct err *err)
{
    struct params *params = params_base(err);
    yyjson_val *test;
    size_t i, max;
    int failed = 0, r = 0;

    if (!params)
        return ERR_NO_MEMORY;
    yyjson_arr_foreach(p->tests, i, max, test) {
        struct policy_outcome one;
        struct given g = {.n = 0};

        arena_init(&g.a, TEST_ARENA_MAX);
        r = run_one(p, params, &g, test, &one, err);
        if (r >= 0) {
            say(ctx, &one);
            failed += one.is != one.wants;
        }
        arena_done(&g.a);
        if (r < 0)
            break;
    }
    params_unref(params);
    return r < 0 ? r : failed;
}
