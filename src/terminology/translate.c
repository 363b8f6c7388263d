#include "terminology/translate.h"

#include "terminology/canonical.h"
#include "terminology/terms_int.h"

/* ---- maps ---- */

static int compile_map(struct terms_scope *s, yyjson_val *root, struct map **ret, struct err *err)
{
    int r = terms_map_image_of(s, root, ret, err);

    return r == 0 ? map_of_resource(root, ret, err) : r;
}

int terms_map_of(struct terms_scope *s, yyjson_val *resource, struct map **ret, struct err *err)
{
    struct map *m = NULL;
    int r = s->quick ? terms_not_quick(err) : compile_map(s, resource, &m, err);

    if (r < 0)
        return r;
    *ret = m;
    return terms_hold(s, KEPT_MAP, STR(""), m, err);
}

int terms_map(struct terms_scope *s, struct str canonical, struct map **ret, struct err *err)
{
    uint64_t generation = terms_generation(s->t);
    struct map *m = NULL;
    yyjson_val *root;
    void *what;
    int r = terms_kept_get(s, KEPT_MAP, canonical, &what, err);

    if (r > 0)
        *ret = what;
    if (r != 0)
        return r < 0 ? r : 0;
    if (s->quick)
        return terms_not_quick(err);
    r = terms_resource(s, "ConceptMap", canonical, &root, err);
    if (r >= 0 && root)
        r = compile_map(s, root, &m, err);
    if (r >= 0)
        r = terms_kept_put(s, KEPT_MAP, canonical, m, generation, err);
    if (r >= 0)
        *ret = m;
    return r < 0 ? r : 0;
}

/* ---- matches ---- */

struct translating {
    struct terms_scope *s;
    const struct map *m;
    const struct coding *coding;
    const struct translate_options *opt;
    struct translation *ret;
    struct err *err;
};

static int add(struct translating *t, struct translate_match match)
{
    struct translation *ret = t->ret;

    if (ret->n == TRANSLATE_MATCHES_MAX)
        return err_set(t->err, ERR_COSTLY, "the code has more than %d translations",
                       TRANSLATE_MATCHES_MAX);
    if (!ret->v && !(ret->v = ARENA_ARRAY(t->s->a, struct translate_match, TRANSLATE_MATCHES_MAX)))
        return err_no_memory(t->err);
    match.source = map_text(t->m, map_info(t->m)->url);
    ret->v[ret->n++] = match;
    ret->result |= match.concept.code.n && !str_eq(match.equivalence, STR("unmatched")) &&
                   !str_eq(match.equivalence, STR("disjoint"));
    return 0;
}

/* What an equivalence is when it is read the other way. */
static struct str turn(struct str equivalence)
{
    static const struct str pairs[][2] = {
        {STR("wider"), STR("narrower")},
        {STR("subsumes"), STR("specializes")},
    };

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        for (size_t k = 0; k < 2; k++)
            if (str_eq(equivalence, pairs[i][k]))
                return pairs[i][1 - k];
    return equivalence;
}

static bool fits(struct str has, struct str wanted)
{
    return !wanted.n || str_eq(has, wanted);
}

/* ---- what a match depends on ---- */

static bool holds(yyjson_val *concept, yyjson_val *on)
{
    struct str version, system = js_get_str(on, "system"), value = js_get_str(on, "value");
    yyjson_val *v;
    size_t i, n;

    system = system.n ? canonical_split(system, &version) : system;
    yyjson_arr_foreach(js_get(concept, "coding"), i, n, v) {
        if (str_eq(js_get_str(v, "code"), value) &&
            (!system.n || str_eq(js_get_str(v, "system"), system)))
            return true;
    }
    return !system.n && str_eq(js_get_str(concept, "text"), value);
}

/* Whether the question tells the element, and no value of it that is asked for. */
static bool is_against(const struct translate_options *opt, yyjson_val *on)
{
    bool told = false;

    for (size_t i = 0; i < opt->n; i++) {
        if (!str_eq(opt->dependencies[i].element, js_get_str(on, "property")))
            continue;
        if (holds(opt->dependencies[i].concept, on))
            return false;
        told = true;
    }
    return told;
}

/* 1 where the target may be given, 0 where what it depends on is otherwise. */
static int applies(struct translating *t, struct str depends_on)
{
    yyjson_val *list, *on;
    size_t i, n;
    int r;

    if (!depends_on.n || !t->opt->n)
        return 1;
    if ((r = js_parse_stored(t->s->a, depends_on, &list, t->err)) < 0)
        return r;
    yyjson_arr_foreach(list, i, n, on) {
        if (is_against(t->opt, on))
            return 0;
    }
    return 1;
}

static int add_target(struct translating *t, const struct map_group *g, const struct map_target *p)
{
    const struct map *m = t->m;
    int r = applies(t, map_text(m, p->depends_on));

    if (r <= 0)
        return r;
    return add(t, (struct translate_match){
                      .equivalence = map_text(m, p->equivalence),
                      .concept = {map_text(m, g->target), map_text(m, g->target_version),
                                  map_text(m, p->code), map_text(m, p->display)},
                      .comment = map_text(m, p->comment),
                      .depends_on = map_text(m, p->depends_on),
                      .product = map_text(m, p->product)});
}

static int forward(struct translating *t, bool *in_group)
{
    const struct map *m = t->m;
    size_t at = 0;
    uint32_t i;
    int r = 0;

    while (r >= 0 && (i = map_find(m, t->coding->code, &at)) != MAP_NONE) {
        const struct map_element *e = map_element(m, i);
        const struct map_group *g = map_group(m, e->group);
        if (!fits(map_text(m, g->source), t->coding->system) ||
            !fits(map_text(m, g->target), t->opt->target))
            continue;
        in_group[e->group] = true;
        for (uint32_t k = e->targets; r >= 0 && k < e[1].targets; k++)
            r = add_target(t, g, map_target(m, k));
    }
    return r;
}

static int backward(struct translating *t)
{
    const struct map *m = t->m;
    size_t at = 0;
    uint32_t i;
    int r = 0;

    while (r >= 0 && (i = map_find_target(m, t->coding->code, &at)) != MAP_NONE) {
        const struct map_target *p = map_target(m, i);
        const struct map_element *e = map_element(m, p->element);
        const struct map_group *g = map_group(m, e->group);
        if (!fits(map_text(m, g->target), t->coding->system) ||
            !fits(map_text(m, g->source), t->opt->target))
            continue;
        r = add(t, (struct translate_match){
                       .equivalence = turn(map_text(m, p->equivalence)),
                       .concept = {map_text(m, g->source), map_text(m, g->source_version),
                                   map_text(m, e->code), map_text(m, e->display)},
                       .comment = map_text(m, p->comment)});
    }
    return r;
}

static int translate(struct translating *t, size_t depth);

/* What a group says of codes that it does not map. */
static int unmapped(struct translating *t, const struct map_group *g, size_t depth)
{
    const struct map *m = t->m;
    struct translating other = *t;
    struct map *next = NULL;
    int r;

    switch ((enum map_unmapped)g->unmapped) {
    case UNMAPPED_PROVIDED:
        return add(t, (struct translate_match){.equivalence = STR("equal"),
                                               .concept = {map_text(m, g->target),
                                                           map_text(m, g->target_version),
                                                           t->coding->code, STR_NULL}});
    case UNMAPPED_FIXED:
        return add(t, (struct translate_match){.equivalence = STR("relatedto"),
                                               .concept = {map_text(m, g->target),
                                                           map_text(m, g->target_version),
                                                           map_text(m, g->unmapped_code),
                                                           map_text(m, g->unmapped_display)}});
    case UNMAPPED_OTHER_MAP:
        if (depth >= TRANSLATE_OTHER_MAX)
            return err_set(t->err, ERR_COSTLY, "maps refer to each other deeper than %d",
                           TRANSLATE_OTHER_MAX);
        r = terms_map(t->s, map_text(m, g->unmapped_url), &next, t->err);
        if (r < 0 || !next)
            return r;
        other.m = next;
        return translate(&other, depth + 1);
    default: return 0;
    }
}

static int translate(struct translating *t, size_t depth)
{
    const struct map *m = t->m;
    uint32_t n = map_info(m)->n_groups;
    bool *in_group = ARENA_ARRAY(t->s->a, bool, n);
    int r = !in_group         ? err_no_memory(t->err)
            : t->opt->reverse ? backward(t)
                              : forward(t, in_group);

    for (uint32_t i = 0; r >= 0 && i < n; i++) {
        const struct map_group *g = map_group(m, i);
        struct str side = map_text(m, t->opt->reverse ? g->target : g->source);
        struct str other = map_text(m, t->opt->reverse ? g->source : g->target);
        if (!fits(side, t->coding->system) || !fits(other, t->opt->target))
            continue;
        t->ret->found_map = true;
        if (!t->opt->reverse && !in_group[i])
            r = unmapped(t, g, depth);
    }
    return r;
}

/* The code as its system writes it, where that is known: maps are asked by the letter. */
static int own_letters(struct terms_scope *s, const struct coding *coding, struct coding *ret,
                       struct err *err)
{
    struct cs *cs = NULL;
    uint32_t i;
    int r = coding->system.n ? terms_code_system(s, coding->system, coding->version, &cs, err) : 0;

    *ret = *coding;
    if (r >= 0 && cs && (i = cs_find(cs, coding->code)) != CS_NONE)
        ret->code = cs_code(cs, i);
    return r;
}

int terms_translate(struct terms_scope *s, const struct map *m, const struct coding *coding,
                    const struct translate_options *opt, struct translation *ret, struct err *err)
{
    struct coding own;
    struct translating t = {s, m, &own, opt, ret, err};
    int r = own_letters(s, coding, &own, err);

    return r < 0 ? r : translate(&t, 0);
}
