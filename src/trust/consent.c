#include "trust/consent.h"

#define NORMAL_LABEL "N"

/* ---- reading ---- */

struct compiling {
    struct arena *a;
    struct consent *c;
    struct err *err;
};

static bool is_live_scope(yyjson_val *root)
{
    yyjson_val *coding = js_get(js_get(root, "scope"), "coding"), *one;
    size_t i, max;

    yyjson_arr_foreach(coding, i, max, one) {
        if (str_eq(js_get_str(one, "code"), STR("patient-privacy")))
            return true;
    }
    return false;
}

bool consent_is_live(yyjson_val *root)
{
    return str_eq(js_get_str(root, "status"), STR("active")) && is_live_scope(root);
}

struct str consent_patient(yyjson_val *root)
{
    struct str reference = facts_reference(js_get(root, "patient"));
    ptrdiff_t slash = str_rfind(reference, '/');

    if (slash < 0 || !str_ends(str_head(reference, (size_t)slash), STR("Patient")))
        return STR("");
    return str_from(reference, (size_t)slash + 1);
}

void consent_text(yyjson_val *root, struct sb *out)
{
    sb_lit(out, "{");
    if (js_get(root, "provision")) {
        sb_lit(out, "\"provision\":");
        js_write(out, js_get(root, "provision"));
    }
    sb_lit(out, "}");
}

/* Room for a list of a rule; a longer one than is taken breaks the consent. */
static size_t room_for(struct compiling *in, yyjson_val *list)
{
    size_t n = yyjson_arr_size(list);

    if ((list && !yyjson_is_arr(list)) || n > CONSENT_PARTS_MAX) {
        in->c->is_broken = true;
        return 0;
    }
    return n;
}

static int read_actors(struct compiling *in, yyjson_val *list, struct consent_rule *to)
{
    size_t n = room_for(in, list), i, max;
    yyjson_val *one;

    to->has_actors = n > 0;
    to->actors.v = ARENA_ARRAY(in->a, struct str, n);
    if (!to->actors.v)
        return err_no_memory(in->err);
    yyjson_arr_foreach(list, i, max, one) {
        struct str reference = facts_reference(js_get(one, "reference"));

        if (to->actors.n == n)
            break;
        if (reference.n)
            to->actors.v[to->actors.n++] = reference;
        else
            in->c->is_broken = true;
    }
    return 0;
}

static int read_purposes(struct compiling *in, yyjson_val *list, struct consent_rule *to)
{
    size_t n = room_for(in, list), i, max;
    yyjson_val *one;

    to->purposes.v = ARENA_ARRAY(in->a, struct str, n);
    if (!to->purposes.v)
        return err_no_memory(in->err);
    yyjson_arr_foreach(list, i, max, one) {
        if (to->purposes.n < n)
            to->purposes.v[to->purposes.n++] = js_get_str(one, "code");
    }
    return 0;
}

static int read_labels(struct compiling *in, yyjson_val *list, struct consent_rule *to)
{
    size_t n = room_for(in, list), i, max;
    yyjson_val *one;

    to->labels = ARENA_ARRAY(in->a, struct coding_key, n);
    if (!to->labels)
        return err_no_memory(in->err);
    yyjson_arr_foreach(list, i, max, one) {
        if (to->n_labels < n)
            to->labels[to->n_labels++] =
                (struct coding_key){js_get_str(one, "system"), js_get_str(one, "code")};
    }
    return 0;
}

static int read_data(struct compiling *in, yyjson_val *list, struct consent_rule *to)
{
    static const struct {
        struct str name;
        enum consent_meaning meaning;
    } meanings[] = {{STR("instance"), DATA_INSTANCE},
                    {STR("related"), DATA_RELATED},
                    {STR("dependents"), DATA_RELATED},
                    {STR("authoredby"), DATA_AUTHOR}};
    size_t n = room_for(in, list), i, max;
    yyjson_val *one;

    to->data = ARENA_ARRAY(in->a, struct consent_data, n);
    if (!to->data)
        return err_no_memory(in->err);
    yyjson_arr_foreach(list, i, max, one) {
        struct consent_data *d = &to->data[to->n_data];
        size_t k = 0;

        if (to->n_data == n)
            break;
        while (k < ARRAY_LEN(meanings) && !str_eq(meanings[k].name, js_get_str(one, "meaning")))
            k++;
        d->reference = facts_reference(js_get(one, "reference"));
        if (k == ARRAY_LEN(meanings) || !d->reference.n) {
            in->c->is_broken = true;
            continue;
        }
        d->meaning = meanings[k].meaning;
        to->n_data++;
    }
    return 0;
}

static bool reads_period(yyjson_val *from, const char *name, int64_t *ret_from_ms,
                         int64_t *ret_to_ms)
{
    yyjson_val *v = js_get(from, name);

    *ret_from_ms = INT64_MIN;
    *ret_to_ms = INT64_MAX;
    return !v || facts_read_period(v, ret_from_ms, ret_to_ms);
}

/* What PCF forbids would narrow a rule in a way that is not understood. */
static bool has_unknown(yyjson_val *from, bool is_root)
{
    static const struct str known[] = {
        STR("id"),      STR("extension"),     STR("type"),       STR("period"), STR("actor"),
        STR("purpose"), STR("securityLabel"), STR("dataPeriod"), STR("data")};
    yyjson_val *k, *v;
    size_t i, max;

    yyjson_obj_foreach(from, i, max, k, v) {
        bool is_known = is_root && str_eq(js_str(k), STR("provision"));

        (void)v;
        for (size_t n = 0; n < ARRAY_LEN(known) && !is_known; n++)
            is_known = str_eq(js_str(k), known[n]);
        if (!is_known)
            return true;
    }
    return false;
}

static int read_rule(struct compiling *in, yyjson_val *from, bool is_root, struct consent_rule *to)
{
    struct str type = js_get_str(from, "type");
    int r;

    *to = (struct consent_rule){.permits = str_eq(type, STR("permit"))};
    if ((!to->permits && !str_eq(type, STR("deny"))) || has_unknown(from, is_root) ||
        !reads_period(from, "period", &to->from_ms, &to->to_ms) ||
        !reads_period(from, "dataPeriod", &to->data_from_ms, &to->data_to_ms))
        in->c->is_broken = true;
    to->has_data_period = js_get(from, "dataPeriod") != NULL;
    if ((r = read_actors(in, js_get(from, "actor"), to)) < 0 ||
        (r = read_purposes(in, js_get(from, "purpose"), to)) < 0 ||
        (r = read_labels(in, js_get(from, "securityLabel"), to)) < 0 ||
        (r = read_data(in, js_get(from, "data"), to)) < 0)
        return r;
    to->is_normal_only = to->permits && !to->n_labels;
    return 0;
}

static bool is_about_data(const struct consent_rule *r)
{
    /* Labels only tell sensitive resources apart, which are never taken as a whole. */
    return r->has_data_period || r->n_data;
}

int consent_compile(struct arena *a, yyjson_val *root, struct consent *ret, struct err *err)
{
    yyjson_val *provision = js_get(root, "provision"), *nested = js_get(provision, "provision");
    yyjson_val *one;
    struct compiling in = {a, ret, err};
    size_t n = yyjson_arr_size(nested), i, max;
    int r;

    *ret = (struct consent){.is_uniform = true};
    if (n > CONSENT_RULES_MAX || (nested && !yyjson_is_arr(nested))) {
        ret->is_broken = true;
        n = 0;
    }
    if ((r = read_rule(&in, provision, true, &ret->root)) < 0)
        return r;
    ret->nested = ARENA_ARRAY(a, struct consent_rule, n);
    if (!ret->nested)
        return err_no_memory(err);
    yyjson_arr_foreach(nested, i, max, one) {
        if (ret->n_nested == n)
            break;
        if ((r = read_rule(&in, one, false, &ret->nested[ret->n_nested++])) < 0)
            return r;
    }
    ret->is_uniform = !is_about_data(&ret->root);
    for (size_t k = 0; k < ret->n_nested; k++)
        ret->is_uniform &= !is_about_data(&ret->nested[k]);
    return 0;
}

/* ---- asking ---- */

static bool names_asker(const struct consent_rule *r, const struct asker *who)
{
    for (size_t i = 0; i < r->actors.n; i++)
        for (size_t k = 0; k < who->n_refs; k++)
            if (str_eq(r->actors.v[i], who->refs[k]))
                return true;
    return !r->has_actors;
}

static bool names_purpose(const struct consent_rule *r, const struct asker *who)
{
    for (size_t i = 0; i < r->purposes.n; i++)
        if (str_eq(r->purposes.v[i], who->purpose))
            return true;
    return !r->purposes.n;
}

/* Whatever is not sensitive is N, whether it says so or not. */
static bool names_label(const struct consent_rule *r, const struct facts *f)
{
    bool is_sensitive = f && f->is_sensitive;

    if (r->is_normal_only)
        return !is_sensitive;
    for (size_t i = 0; i < r->n_labels; i++) {
        if (!is_sensitive && str_eq(r->labels[i].code, STR(NORMAL_LABEL)))
            return true;
        if (f && facts_has_label(f, r->labels[i].system, r->labels[i].code))
            return true;
    }
    return !r->n_labels;
}

static bool names_data(const struct consent_rule *r, const struct facts *f)
{
    int64_t from, to;

    if (r->has_data_period) {
        /* What says no time falls under a no, and under no yes. */
        if (!facts_period(f, &from, &to)) {
            if (r->permits)
                return false;
        } else if (to <= r->data_from_ms || from >= r->data_to_ms) {
            return false;
        }
    }
    for (size_t i = 0; i < r->n_data; i++) {
        const struct consent_data *d = &r->data[i];

        if (d->meaning == DATA_AUTHOR     ? facts_is_by(f, d->reference)
            : d->meaning == DATA_INSTANCE ? facts_is(f, d->reference)
                                          : facts_mentions(f, d->reference))
            return true;
    }
    return !r->n_data;
}

static bool covers(const struct consent_rule *r, const struct asker *who, const struct facts *f,
                   int64_t now_ms)
{
    return now_ms >= r->from_ms && now_ms < r->to_ms && names_asker(r, who) &&
           names_purpose(r, who) && names_label(r, f) && (!is_about_data(r) || names_data(r, f));
}

bool consent_is_over(const struct consent *c, int64_t now_ms)
{
    return !c->is_broken && (now_ms < c->root.from_ms || now_ms >= c->root.to_ms);
}

enum consent_verdict consent_says(const struct consent *c, const struct asker *who,
                                  const struct facts *f, int64_t now_ms)
{
    bool denies = false;

    if (c->is_broken)
        return CONSENT_DENY;
    for (size_t i = 0; i < c->n_nested; i++) {
        if (!covers(&c->nested[i], who, f, now_ms))
            continue;
        if (c->nested[i].permits)
            return CONSENT_PERMIT;
        denies = true;
    }
    if (denies)
        return CONSENT_DENY;
    if (!covers(&c->root, who, f, now_ms))
        return CONSENT_NOTHING;
    return c->root.permits ? CONSENT_PERMIT : CONSENT_DENY;
}

enum consent_verdict consents_say(const struct consent *const *v, size_t n, const struct asker *who,
                                  const struct facts *f, int64_t now_ms)
{
    bool permits = false, is_only = false;

    for (size_t i = 0; i < n; i++) {
        if (consent_is_over(v[i], now_ms))
            continue;
        switch (consent_says(v[i], who, f, now_ms)) {
        case CONSENT_DENY: return CONSENT_DENY;
        case CONSENT_PERMIT: permits = true; break;
        case CONSENT_NOTHING: is_only |= v[i]->root.permits; break;
        }
    }
    return permits ? CONSENT_PERMIT : is_only ? CONSENT_DENY : CONSENT_NOTHING;
}
