#include "fhir/search_int.h"

#define LIST_FIRST 8

static int bad(struct search_parse *p, const struct search_arg *arg, const char *what)
{
    return err_set(p->err, ERR_VALUE, "the value \"%.*s\" of \"%.*s\" is not %s",
                   (int)MIN(arg->value.n, 100u), arg->value.p, STR_ARG(arg->name), what);
}

/* The place of s in a list of words, or -1. */
static int word(struct str s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(s, str_c(words[i])))
            return (int)i;
    return -1;
}

static int count(struct search_parse *p, const struct search_arg *arg)
{
    uint64_t n;

    if (!str_to_u64(arg->value, INT32_MAX, &n))
        return bad(p, arg, "a number of results");
    p->s->count = MIN(n, (uint64_t)SEARCH_COUNT_MAX);
    if (!n)
        p->s->summary = SUMMARY_COUNT;
    return ARG_TAKEN;
}

static int total(struct search_parse *p, const struct search_arg *arg)
{
    static const char *const words[] = {"none", "estimate", "accurate"};
    int i = word(arg->value, words, ARRAY_LEN(words));

    if (i < 0)
        return bad(p, arg, "none, estimate or accurate");
    p->s->total = (enum search_total)(TOTAL_NONE + i);
    return ARG_TAKEN;
}

static int summary(struct search_parse *p, const struct search_arg *arg)
{
    static const char *const words[] = {"false", "true", "text", "data", "count"};
    int i = word(arg->value, words, ARRAY_LEN(words));

    if (i < 0)
        return bad(p, arg, "true, false, text, data or count");
    p->s->summary = (enum search_summary)i;
    if (p->s->summary == SUMMARY_COUNT)
        p->s->count = 0;
    return ARG_TAKEN;
}

static int elements(struct search_parse *p, const struct search_arg *arg)
{
    struct str rest = arg->value, one;
    size_t n = 1;

    for (size_t i = 0; i < rest.n; i++)
        n += rest.p[i] == ',';
    p->s->elements = ARENA_ARRAY(p->a, struct str, n);
    if (!p->s->elements)
        return err_no_memory(p->err);
    p->s->n_elements = 0;
    while (str_split(&rest, ',', &one))
        if (one.n)
            p->s->elements[p->s->n_elements++] = one;
    return ARG_TAKEN;
}

static const struct param *sortable(const struct search_parse *p, int type, struct str code)
{
    const struct param *param = type ? param_find(p->params, type, code) : NULL;

    return param && param->path && param->searchable && param->def.kind != PARAM_COMPOSITE &&
                   param->def.kind != PARAM_SPECIAL
               ? param
               : NULL;
}

/* The type that the rest of a chain is asked of: the one that is named, or the first that a
 * reference may lead to and that has the next parameter. */
static int step_type(const struct search_parse *p, const struct param *link, struct str narrowed,
                     struct str next)
{
    struct str rest = next, code;
    int only = def_resource(narrowed);

    str_split(&rest, '.', &next);
    rest = next;
    str_split(&rest, ':', &code);
    if (narrowed.n)
        return only && param_find(p->params, only, code) ? only : 0;
    for (const int *t = link->def.targets; t && *t; t++)
        if (param_find(p->params, *t, code))
            return *t;
    return 0;
}

static bool sort_rule(struct search_parse *p, struct str code, struct search_sort *ret)
{
    int type = p->s->type;

    if (code.n && code.p[0] == '-') {
        ret->descending = true;
        code = str_from(code, 1);
    }
    ret->by_id = str_eq(code, STR("_id"));
    ret->by_score = str_eq(code, STR("_score"));
    ret->by_near = str_eq(code, STR("near")) && search_near_param(p, type);
    if (ret->by_id || ret->by_score || ret->by_near || str_eq(code, STR("_lastUpdated")))
        return true;
    while (str_find(code, '.') >= 0) {
        struct search_step *step = &ret->steps[ret->n_steps];
        struct str head, link;

        str_split(&code, '.', &head);
        str_split(&head, ':', &link);
        if (ret->n_steps == SEARCH_SORT_STEPS_MAX || !(step->link = sortable(p, type, link)) ||
            step->link->def.kind != PARAM_REFERENCE)
            return false;
        type = step->type = step_type(p, step->link, head.p ? head : STR(""), code);
        ret->n_steps++;
    }
    ret->param = sortable(p, type, code);
    return ret->param != NULL;
}

static int sort(struct search_parse *p, const struct search_arg *arg)
{
    struct str rest = arg->value, one;

    p->s->n_sort = 0;
    while (str_split(&rest, ',', &one)) {
        struct search_sort rule = {0};
        if (!sort_rule(p, one, &rule)) {
            p->s->n_sort = 0;
            return ARG_UNKNOWN;
        }
        if (p->s->n_sort == SEARCH_SORT_MAX)
            return err_set(p->err, ERR_COSTLY, "\"_sort\" has more than %d rules", SEARCH_SORT_MAX);
        p->s->sort[p->s->n_sort++] = rule;
    }
    return ARG_TAKEN;
}

static int add_include(struct search_parse *p, const struct search_include *one)
{
    struct search *s = p->s;

    if (s->n_includes == SEARCH_CLAUSES_MAX)
        return err_set(p->err, ERR_COSTLY, "the search has more than %d includes",
                       SEARCH_CLAUSES_MAX);
    if (s->n_includes == p->cap_includes) {
        size_t cap = p->cap_includes ? p->cap_includes * 2 : LIST_FIRST;
        struct search_include *more =
            arena_grow(p->a, s->includes, p->cap_includes * sizeof *more, cap * sizeof *more);
        if (!more)
            return err_no_memory(p->err);
        s->includes = more;
        p->cap_includes = cap;
    }
    s->includes[s->n_includes++] = *one;
    return ARG_TAKEN;
}

/* "Type:code", "Type:code:Target", "Type:*" or "*". */
static int include(struct search_parse *p, const struct search_arg *arg, bool reverse)
{
    struct search_include one = {.reverse = reverse};
    struct str rest = arg->value, source, code = STR("*"), target = STR("");

    one.iterate = arg->modifier.n;
    if (one.iterate && !str_eq(arg->modifier, STR("iterate")) &&
        !str_eq(arg->modifier, STR("recurse")))
        return ARG_UNKNOWN;
    str_split(&rest, ':', &source);
    if (rest.p)
        str_split(&rest, ':', &code);
    if (rest.p)
        target = rest;
    if (str_eq(source, STR("*"))) {
        if (!str_eq(code, STR("*")) || target.n)
            return ARG_UNKNOWN;
        return add_include(p, &one);
    }
    one.source = def_resource(source);
    one.target = def_resource(target);
    if (!one.source || (target.n && !one.target))
        return ARG_UNKNOWN;
    if (!str_eq(code, STR("*"))) {
        one.param = param_find(p->params, one.source, code);
        if (!one.param || one.param->def.kind != PARAM_REFERENCE || !one.param->searchable)
            return ARG_UNKNOWN;
    }
    return add_include(p, &one);
}

static int forward(struct search_parse *p, const struct search_arg *arg)
{
    return include(p, arg, false);
}

static int backward(struct search_parse *p, const struct search_arg *arg)
{
    return include(p, arg, true);
}

static int cursor(struct search_parse *p, const struct search_arg *arg)
{
    p->s->cursor = arg->value;
    return ARG_TAKEN;
}

static int contained(struct search_parse *p, const struct search_arg *arg)
{
    static const char *const words[] = {"false", "true", "both"};
    int i = word(arg->value, words, ARRAY_LEN(words));

    if (i < 0)
        return bad(p, arg, "true, false or both");
    p->contained = i > 0;
    p->contained_too = i == 2;
    return ARG_TAKEN;
}

static int contained_type(struct search_parse *p, const struct search_arg *arg)
{
    static const char *const words[] = {"container", "contained"};
    int i = word(arg->value, words, ARRAY_LEN(words));

    if (i < 0)
        return bad(p, arg, "container or contained");
    p->s->contained_alone = i == 1;
    return ARG_TAKEN;
}

/* Named queries are none of ours; to leave one out would find something else. */
static int query(struct search_parse *p, const struct search_arg *arg)
{
    return err_set(p->err, ERR_NOT_SUPPORTED, "the named query \"%.*s\" is not supported",
                   (int)MIN(arg->value.n, 64u), arg->value.p);
}

/* The server looks at it elsewhere. */
static int pass(struct search_parse *p, const struct search_arg *arg)
{
    (void)p;
    (void)arg;
    return ARG_TAKEN;
}

/* At system level search_parse has read it before. */
static int type(struct search_parse *p, const struct search_arg *arg)
{
    (void)arg;
    return p->s->type ? ARG_UNKNOWN : ARG_TAKEN;
}

int search_control(struct search_parse *p, const struct search_arg *arg)
{
    static const struct {
        const char *name;
        bool modifiers;
        bool in_self;
        int (*take)(struct search_parse *p, const struct search_arg *arg);
    } controls[] = {
        {"_count", false, true, count},         {"_sort", false, true, sort},
        {"_total", false, true, total},         {"_summary", false, true, summary},
        {"_elements", false, true, elements},   {"_include", true, true, forward},
        {"_revinclude", true, true, backward},  {"_type", false, true, type},
        {"_contained", false, true, contained}, {"_containedType", false, true, contained_type},
        {"_query", false, false, query},        {"_cursor", false, false, cursor},
        {"_format", false, false, pass},        {"_pretty", false, false, pass},
    };

    for (size_t i = 0; i < ARRAY_LEN(controls); i++) {
        int r;
        if (!str_eq(arg->name, str_c(controls[i].name)))
            continue;
        if (arg->modifier.n && !controls[i].modifiers)
            return ARG_UNKNOWN;
        r = controls[i].take(p, arg);
        return r == ARG_TAKEN && controls[i].in_self ? ARG_TAKEN + 1 : r;
    }
    return ARG_UNKNOWN;
}
