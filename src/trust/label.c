#include "trust/label.h"

#include "trust/facts.h"
#include "trust/law.h"

#define TEXT_MAX MIB(88)

/* ---- what applies ---- */

/* Bounded by JS_DEPTH_MAX. */
static uint64_t walk(const struct policy *p, yyjson_val *v)
{
    struct str system = STR_NULL, code = STR_NULL;
    yyjson_val *k, *one;
    uint64_t found = 0;
    size_t i, max;

    if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, i, max, one) {
            if (yyjson_is_ctn(one))
                found |= walk(p, one);
        }
        return found;
    }
    yyjson_obj_foreach(v, i, max, k, one) {
        if (yyjson_is_ctn(one))
            found |= walk(p, one);
        else if (str_eq(js_str(k), STR("system")))
            system = js_str(one);
        else if (str_eq(js_str(k), STR("code")))
            code = js_str(one);
    }
    return system.n && code.n ? found | law_bits(&p->labelled, system, code) : found;
}

uint64_t label_rules(const struct policy *p, yyjson_val *root)
{
    yyjson_val *k, *one;
    uint64_t found = 0;
    size_t i, max;

    if (!p->n_rules)
        return 0;
    yyjson_obj_foreach(root, i, max, k, one) {
        if (yyjson_is_ctn(one) && !str_eq(js_str(k), STR("meta")))
            found |= walk(p, one);
    }
    return found;
}

uint64_t label_by_age(const struct policy *p, uint64_t rules)
{
    uint64_t found = 0;

    for (size_t i = 0; i < p->n_rules; i++)
        if (p->rules[i].by_age)
            found |= UINT64_C(1) << i;
    return found & rules;
}

uint64_t label_at(const struct policy *p, uint64_t rules, struct str born, int64_t at_ms)
{
    uint64_t found = 0;

    if (facts_birthday_ms(born, 0) == INT64_MIN)
        return rules;
    for (size_t i = 0; i < p->n_rules; i++)
        if (at_ms >= facts_birthday_ms(born, (int)p->rules[i].from) &&
            at_ms < facts_birthday_ms(born, (int)p->rules[i].below))
            found |= UINT64_C(1) << i;
    return found & rules;
}

uint64_t label_print(const struct policy *p)
{
    uint64_t sum = 1;

    for (size_t i = 0; i < p->n_rules; i++) {
        const struct policy_label_rule *rule = &p->rules[i];
        uint64_t one = str_hash(rule->label.system) * 31 + str_hash(rule->label.code);

        one = (one * 31 + str_hash(rule->name)) * 31 + i;
        sum += ((one * 31 + rule->by_age) * 31 + rule->from) * 31 + rule->below;
    }
    /* In whatever order they stand. */
    for (size_t i = 0; i < p->labelled.cap; i++)
        if (p->labelled.v[i].key.p)
            sum += str_hash(p->labelled.v[i].key) *
                   ((uint64_t)(uintptr_t)p->labelled.v[i].value * 2 + 1);
    return sum;
}

/* ---- setting ---- */

static struct str mark_of(yyjson_val *label)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(label, "extension"), i, max, one) {
        if (str_eq(js_get_str(one, "url"), STR(LABEL_MARK)))
            return js_get_str(one, "valueCode");
    }
    return STR_NULL;
}

bool label_is_set(yyjson_val *label)
{
    return mark_of(label).p != NULL;
}

static bool is_label(const struct coding_key *of, yyjson_val *label)
{
    return str_eq(js_get_str(label, "code"), of->code) &&
           str_eq(js_get_str(label, "system"), of->system);
}

/* Whether a rule asks for a label. */
static bool is_asked(const struct policy *p, uint64_t rules, yyjson_val *label)
{
    for (size_t i = 0; i < p->n_rules; i++)
        if ((rules >> i & 1) && is_label(&p->rules[i].label, label))
            return true;
    return false;
}

static bool has(yyjson_val *labels, const struct coding_key *of)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(labels, i, max, one) {
        if (is_label(of, one))
            return true;
    }
    return false;
}

/* Whether an earlier rule of them sets the same label. */
static bool is_repeated(const struct policy *p, uint64_t rules, size_t rule)
{
    const struct coding_key *l = &p->rules[rule].label;

    for (size_t i = 0; i < rule; i++)
        if ((rules >> i & 1) && str_eq(p->rules[i].label.code, l->code) &&
            str_eq(p->rules[i].label.system, l->system))
            return true;
    return false;
}

static bool is_as_it_should_be(const struct policy *p, uint64_t rules, bool sweeps,
                               yyjson_val *labels)
{
    yyjson_val *one;
    size_t i, max;

    for (size_t k = 0; k < p->n_rules; k++)
        if ((rules >> k & 1) && !has(labels, &p->rules[k].label))
            return false;
    yyjson_arr_foreach(labels, i, max, one) {
        if (sweeps && label_is_set(one) && !is_asked(p, rules, one))
            return false;
    }
    return true;
}

static void write_labels(struct sb *out, const struct policy *p, uint64_t rules, bool sweeps,
                         yyjson_val *labels)
{
    yyjson_val *one;
    size_t i, max, n = 0;

    yyjson_arr_foreach(labels, i, max, one) {
        if (sweeps && label_is_set(one) && !is_asked(p, rules, one))
            continue;
        sb_str(out, n++ ? STR(",") : STR(""));
        js_write(out, one);
    }
    for (size_t k = 0; k < p->n_rules; k++) {
        const struct policy_label_rule *rule = &p->rules[k];

        if (!(rules >> k & 1) || has(labels, &rule->label) || is_repeated(p, rules, k))
            continue;
        sb_str(out, n++ ? STR(",{") : STR("{"));
        sb_lit(out, "\"extension\":[{\"url\":\"" LABEL_MARK "\",\"valueCode\":");
        sb_json(out, rule->name);
        sb_lit(out, "}],\"system\":");
        sb_json(out, rule->label.system);
        sb_lit(out, ",\"code\":");
        sb_json(out, rule->label.code);
        sb_char(out, '}');
    }
}

/* An object's members but one; NULL: it has none. */
static void write_others(struct sb *out, yyjson_val *object, struct str but)
{
    yyjson_val *k, *v;
    size_t i, max, n = 0;

    if (!object)
        return;
    yyjson_obj_foreach(object, i, max, k, v) {
        if (str_eq(js_str(k), but))
            continue;
        sb_str(out, n++ ? STR(",") : STR(""));
        js_write(out, k);
        sb_char(out, ':');
        js_write(out, v);
    }
}

int label_set(struct arena *a, const struct policy *p, uint64_t rules, bool sweeps,
              yyjson_val *root, yyjson_val **ret, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(TEXT_MAX), labels = sb_make(TEXT_MAX);
    _cleanup_(sb_done) struct sb meta = sb_make(TEXT_MAX);
    yyjson_val *old = js_get(js_get(root, "meta"), "security");
    struct str copy;
    int r;

    if (is_as_it_should_be(p, rules, sweeps, old))
        return 0;
    write_labels(&labels, p, rules, sweeps, old);
    write_others(&meta, js_get(root, "meta"), STR("security"));
    if (labels.n)
        sb_fmt(&meta, "%s\"security\":[", meta.n ? "," : "");
    sb_str(&meta, sb_view(&labels));
    sb_str(&meta, labels.n ? STR("]") : STR(""));
    sb_char(&text, '{');
    write_others(&text, root, STR("meta"));
    if (meta.n)
        sb_fmt(&text, "%s\"meta\":{", text.n > 1 ? "," : "");
    sb_str(&text, sb_view(&meta));
    sb_str(&text, meta.n ? STR("}}") : STR("}"));
    if ((r = sb_ok(&labels, err)) < 0 || (r = sb_ok(&meta, err)) < 0 || (r = sb_ok(&text, err)) < 0)
        return r;
    copy = arena_dup(a, sb_view(&text));
    r = copy.p ? js_parse_stored(a, copy, ret, err) : err_no_memory(err);
    return r < 0 ? r : 1;
}
