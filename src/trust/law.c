#include "trust/law.h"

#include "fhir/code_set.h"

#define WIDEN_ARENA_MAX MIB(64)
#define CODE_TEXT_MAX 1000 /* of "system|code"; none that is longer is listed */

/* "system|code", or empty where it is too long to be listed. */
static struct str text_of(struct str system, struct str code, char buf[CODE_TEXT_MAX])
{
    if (system.n > 600 || code.n > 300)
        return STR("");
    if (system.n)
        memcpy(buf, system.p, system.n);
    buf[system.n] = '|';
    if (code.n)
        memcpy(buf + system.n + 1, code.p, code.n);
    return str_n(buf, system.n + 1 + code.n);
}

int law_add(struct text_map *to, struct str system, struct str code, size_t which, struct err *err)
{
    char buf[CODE_TEXT_MAX];
    struct str text = text_of(system, code, buf);
    void **at = text.n ? text_map_at(to, text) : NULL;

    if (!text.n)
        return err_set(err, ERR_VALUE, "a code of the policy is too long");
    if (!at)
        return err_no_memory(err);
    *at = (void *)((uintptr_t)*at | (uintptr_t)(UINT64_C(1) << which));
    return 0;
}

uint64_t law_bits(const struct text_map *of, struct str system, struct str code)
{
    char buf[CODE_TEXT_MAX];

    return (uint64_t)(uintptr_t)text_map_get(of, text_of(system, code, buf));
}

uint64_t law_names(const struct policy *p, yyjson_val *root)
{
    yyjson_val *one;
    uint64_t found = 0;
    size_t i, max;

    if (!p->n_diseases)
        return 0;
    yyjson_arr_foreach(js_get(js_get(root, "code"), "coding"), i, max, one) {
        found |= law_bits(&p->law, js_get_str(one, "system"), js_get_str(one, "code"));
    }
    return found;
}

uint64_t law_makes_case(const struct policy *p, yyjson_val *condition)
{
    yyjson_val *one;
    size_t i, max;

    if (!str_eq(js_get_str(condition, "resourceType"), STR("Condition")))
        return 0;
    yyjson_arr_foreach(js_get(js_get(condition, "verificationStatus"), "coding"), i, max, one) {
        struct str code = js_get_str(one, "code");

        if (str_eq(code, STR("refuted")) || str_eq(code, STR("entered-in-error")))
            return 0;
    }
    return law_names(p, condition);
}

uint64_t law_opens(const struct policy *p, uint64_t diseases, int type)
{
    uint64_t opens = 0;

    for (size_t i = 0; i < p->n_diseases; i++)
        if (p->diseases[i].types[type])
            opens |= UINT64_C(1) << i;
    return diseases & opens;
}

static int widen_one(struct text_map *to, const struct world *world,
                     const struct coding_key *listed, size_t which, struct err *err)
{
    const struct coding of = {.system = listed->system, .code = listed->code};
    const struct code_set *below = NULL;
    struct arena a;
    int r;

    arena_init(&a, WIDEN_ARENA_MAX);
    r = world->codes(world->ctx, &a, TERMS_DESCENDANTS, STR(""), &of, LAW_BELOW_MAX, false, &below,
                     err);
    for (size_t i = 0; r >= 0 && below && i < below->n; i++)
        r = law_add(to, below->codings[i].system, below->codings[i].code, which, err);
    arena_done(&a);
    return MIN(r, 0);
}

int law_widen(struct policy *p, const struct world *world, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < p->n_diseases && r == 0; i++)
        for (size_t k = 0; k < p->diseases[i].n_codes && r == 0; k++)
            r = widen_one(&p->law, world, &p->diseases[i].codes[k], i, err);
    for (size_t i = 0; i < p->n_rules && r == 0; i++)
        for (size_t k = 0; k < p->rules[i].n_codes && r == 0; k++)
            r = widen_one(&p->labelled, world, &p->rules[i].codes[k], i, err);
    return r;
}
