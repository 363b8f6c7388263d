#include "surveillance/signal_rules.h"

#include <stdlib.h>

struct reader {
    struct arena *a;
    const struct case_definitions *all;
    struct signal_rules *to;
    struct err *err;
};

static int bad(const struct reader *r, const char *name, const char *what)
{
    return err_set(r->err, ERR_VALUE, "the signal rules' \"%s\" %s", name, what);
}

static int read_u32(const struct reader *r, yyjson_val *from, const char *name, uint32_t min,
                    uint32_t max, uint32_t *ret)
{
    uint64_t n = 0;

    if (!js_is_number(js_get(from, name)) || !str_to_u64(js_str(js_get(from, name)), max, &n) ||
        n < min)
        return err_set(r->err, ERR_VALUE,
                       "the signal rules' \"%s\" is no whole number from %u to %u", name, min, max);
    *ret = (uint32_t)n;
    return 0;
}

/* Members that are none of `names` (blanks between them) are errors. */
static int only(const struct reader *r, yyjson_val *v, const char *names)
{
    yyjson_val *key, *val;
    size_t i, max;

    if (!yyjson_is_obj(v))
        return err_set(r->err, ERR_VALUE,
                       "the signal rules have something in them that is no "
                       "object");
    yyjson_obj_foreach(v, i, max, key, val) {
        struct str rest = str_c(names), word;
        bool is_known = false;

        while (str_split(&rest, ' ', &word))
            is_known |= str_eq(word, js_str(key));
        if (!is_known)
            return err_set(r->err, ERR_VALUE, "the signal rules have an unknown \"%.*s\"",
                           (int)MIN(js_str(key).n, 60u), js_str(key).p);
    }
    return 0;
}

static int find_disease(const struct reader *r, yyjson_val *v, uint16_t *ret)
{
    struct str name = js_get_str(v, "disease");
    const struct case_definition *d = case_definition_find(r->all, name);

    if (!d)
        return err_set(r->err, ERR_VALUE,
                       "the signal rules have the disease \"%.*s\", which is not defined",
                       (int)MIN(name.n, 60u), name.p);
    *ret = (uint16_t)(d - r->all->v);
    return 0;
}

/* ---- detectors ---- */

static int read_detector(const struct reader *r, yyjson_val *v, struct disease_detector *to)
{
    struct str name = js_get_str(v, "method");
    yyjson_val *set = js_get(v, "set"), *key, *val;
    size_t i, max;
    int wrong = only(r, v, "method set");

    if (wrong < 0)
        return wrong;
    *to = (struct disease_detector){.method = detect_method(name)};
    if (str_eq(name, STR("none")))
        return 0;
    if (!to->method)
        return err_set(r->err, ERR_VALUE, "the signal rules have no method \"%.*s\" to take",
                       (int)MIN(name.n, 60u), name.p);
    detect_defaults(to->method, to->param);
    if (!set)
        return 0;
    yyjson_obj_foreach(set, i, max, key, val) {
        if (wrong == 0)
            wrong = detect_set(to->method, js_str(key), js_primitive(val), to->param, r->err);
    }
    return wrong;
}

static int read_detectors(const struct reader *r, yyjson_val *root)
{
    struct disease_detector usual;
    yyjson_val *v;
    size_t i, max;
    int wrong = read_detector(r, js_get(root, "detector"), &usual);

    for (size_t k = 0; k < r->all->n && wrong == 0; k++)
        r->to->detectors[k] = usual;
    yyjson_arr_foreach(js_get(root, "diseases"), i, max, v) {
        uint16_t disease = 0;

        if (wrong == 0)
            wrong = only(r, v, "disease detector");
        if (wrong == 0)
            wrong = find_disease(r, v, &disease);
        if (wrong == 0)
            wrong = read_detector(r, js_get(v, "detector"), &r->to->detectors[disease]);
    }
    return wrong;
}

/* ---- fixed rules ---- */

static int read_one_fixed(const struct reader *r, yyjson_val *v, struct fixed_rule *to)
{
    struct str class = js_get_str(v, "class");
    int wrong = only(r, v, "disease cases weeks level class source");

    *to = (struct fixed_rule){.level = js_get_str(v, "level"),
                              .source = js_get_str(v, "source"),
                              .only_confirmed = class.n != 0};
    if (wrong < 0 || (wrong = find_disease(r, v, &to->disease)) < 0 ||
        (wrong = read_u32(r, v, "cases", 1, SERIES_COUNT_MAX, &to->cases)) < 0 ||
        (wrong = read_u32(r, v, "weeks", 1, SIGNAL_WEEKS_MAX, &to->weeks)) < 0)
        return wrong;
    if (!to->source.n)
        return bad(r, "fixed", "has a rule without a source");
    if (class.n && !str_eq(class, STR("confirmed")))
        return bad(r, "class", "is not \"confirmed\"");
    if (!to->level.n)
        to->level = STR_NULL;
    for (size_t i = 0; i < r->to->n_levels && to->level.p; i++)
        if (str_eq_nocase(to->level, r->to->levels[i]))
            return 0;
    return to->level.p ? bad(r, "level", "is none of the levels") : 0;
}

static int read_fixed(const struct reader *r, yyjson_val *list)
{
    yyjson_val *v;
    size_t i, max;
    int wrong = 0;

    if (yyjson_arr_size(list) > SIGNAL_FIXED_MAX)
        return bad(r, "fixed", "has more than 500 rules");
    r->to->fixed = ARENA_ARRAY(r->a, struct fixed_rule, yyjson_arr_size(list) + 1);
    if (!r->to->fixed)
        return err_no_memory(r->err);
    yyjson_arr_foreach(list, i, max, v) {
        if (wrong == 0)
            wrong = read_one_fixed(r, v, &r->to->fixed[r->to->n_fixed++]);
    }
    return wrong;
}

static int read_texts(const struct reader *r, yyjson_val *root, const char *name, struct str *to,
                      size_t max_n, size_t *ret_n)
{
    yyjson_val *list = js_get(root, name), *v;
    size_t i, max;

    if (yyjson_arr_size(list) > max_n)
        return bad(r, name, "is too long");
    yyjson_arr_foreach(list, i, max, v) {
        if (!yyjson_is_str(v) || !js_str(v).n)
            return bad(r, name, "has what is no text");
        to[(*ret_n)++] = js_str(v);
    }
    return 0;
}

static int read_numbers(const struct reader *r, yyjson_val *root)
{
    struct str rate = js_str(js_get(root, "falseDiscoveryRate")), by = js_get_str(root, "date");
    char text[32];
    uint32_t days = 0;
    int wrong;

    if (!js_is_number(js_get(root, "falseDiscoveryRate")) || rate.n >= sizeof text)
        return bad(r, "falseDiscoveryRate", "is no number above 0 and below 1");
    memcpy(text, rate.p, rate.n);
    text[rate.n] = '\0';
    r->to->rate = strtod(text, NULL);
    if (!(r->to->rate > 0 && r->to->rate < 1))
        return bad(r, "falseDiscoveryRate", "is no number above 0 and below 1");
    if ((wrong = read_u32(r, root, "leastCases", 1, SERIES_COUNT_MAX, &r->to->least)) < 0 ||
        (wrong = read_u32(r, root, "quietDays", 0, SIGNAL_QUIET_DAYS_MAX, &days)) < 0)
        return wrong;
    r->to->quiet_days = (int)days;
    if (str_eq(by, STR("onset")))
        r->to->by = CASE_BY_ONSET;
    else if (str_eq(by, STR("consultation")))
        r->to->by = CASE_BY_CONSULTATION;
    else if (str_eq(by, STR("report")))
        r->to->by = CASE_BY_REPORT;
    else
        return bad(r, "date", "is none of onset, consultation, report");
    return 0;
}

int signal_rules_read(struct arena *a, struct str text, const struct case_definitions *all,
                      struct signal_rules *ret, struct err *err)
{
    struct reader r = {.a = a, .all = all, .to = ret, .err = err};
    yyjson_val *root;
    int wrong;

    *ret = (struct signal_rules){.n_fixed = 0};
    if (text.n > SIGNAL_RULES_BYTES_MAX)
        return err_set(err, ERR_TOO_LONG, "the signal rules are longer than %zu KiB",
                       SIGNAL_RULES_BYTES_MAX >> 10);
    if ((wrong = js_parse(a, text, &root, err)) < 0 ||
        (wrong = only(&r, root,
                      "version levels date falseDiscoveryRate leastCases quietDays detector "
                      "diseases fixed tell")) < 0)
        return wrong;
    ret->version = js_get_str(root, "version");
    if (!ret->version.n)
        return bad(&r, "version", "is missing");
    if ((wrong = read_texts(&r, root, "levels", ret->levels, SIGNAL_LEVELS_MAX, &ret->n_levels)) <
            0 ||
        (wrong = read_texts(&r, root, "tell", ret->tell, SIGNAL_TELL_MAX, &ret->n_tell)) < 0 ||
        (wrong = read_numbers(&r, root)) < 0 || (wrong = read_detectors(&r, root)) < 0)
        return wrong;
    return read_fixed(&r, js_get(root, "fixed"));
}
