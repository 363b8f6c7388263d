/* profile_slice.c - slicing: how slices are told apart, and which one an element belongs to. */
#include "fhir/profile_int.h"

#include "fhir/path_int.h"

#include <ctype.h>

/* ---- the path of a discriminator ---- */

static struct str unquoted(struct str s)
{
    s = str_trim(s);
    if (s.n >= 2 && (s.p[0] == '\'' || s.p[0] == '"') && s.p[s.n - 1] == s.p[0])
        return str_n(s.p + 1, s.n - 2);
    return s;
}

/* One step: a member, or a function with an argument. */
static bool read_step(struct str text, struct slicing_step *to)
{
    static const struct {
        struct str name;
        enum slicing_step_kind kind;
    } functions[] = {{STR("extension"), STEP_EXTENSION},
                     {STR("resolve"), STEP_RESOLVE},
                     {STR("ofType"), STEP_TYPE},
                     {STR("as"), STEP_TYPE}};
    ptrdiff_t open = str_find(text, '(');
    struct str name = open < 0 ? text : str_head(text, (size_t)open);

    if (open < 0) {
        if (str_ends(name, STR("[x]")))
            name = str_head(name, name.n - 3);
        *to = (struct slicing_step){.kind = STEP_MEMBER, .name = name};
        return name.n > 0 && isalpha((unsigned char)name.p[0]);
    }
    if (text.p[text.n - 1] != ')')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (!str_eq(name, functions[i].name))
            continue;
        to->kind = functions[i].kind;
        to->name = unquoted(str_n(text.p + open + 1, text.n - (size_t)open - 2));
        to->type = to->kind == STEP_TYPE ? path_type_named(to->name, false) : NULL;
        return to->kind != STEP_TYPE || to->type;
    }
    return false;
}

/* The part up to the next '.' that stands outside of parentheses. */
static struct str next_part(struct str *rest)
{
    size_t depth = 0, i;
    struct str part;

    for (i = 0; i < rest->n && (depth || rest->p[i] != '.'); i++) {
        depth += rest->p[i] == '(';
        depth -= rest->p[i] == ')' && depth;
    }
    part = str_head(*rest, i);
    *rest = str_from(*rest, i + 1);
    return part;
}

int slicing_read_path(struct arena *a, struct str path, struct slicing_step **ret, size_t *ret_n,
                      struct err *err)
{
    struct slicing_step *steps = ARENA_ARRAY(a, struct slicing_step, PROFILE_STEPS_MAX);
    struct str rest = path;
    size_t n = 0;

    if (!steps)
        return err_no_memory(err);
    while (rest.n) {
        struct str part = next_part(&rest);
        if (str_eq(part, STR("$this")))
            continue;
        if (n == PROFILE_STEPS_MAX || !read_step(part, &steps[n]))
            return err_set(err, ERR_PROCESSING,
                           "the discriminator \"%.*s\" is not of the simple kind",
                           (int)MIN(path.n, 100u), path.p);
        n++;
    }
    *ret = steps;
    *ret_n = n;
    return 0;
}

static int read_path(struct profile *p, struct discriminator *d, struct err *err)
{
    struct err why;
    int r = slicing_read_path(&p->arena, d->path, &d->steps, &d->n_steps, &why);

    if (r == ERR_PROCESSING)
        return err_set(err, r, "the profile %.*s cannot be compiled: %s", STR_ARG(p->url),
                       why.text);
    return r < 0 ? err_no_memory(err) : 0;
}

static bool by_named(struct str s, enum slicing_by *ret)
{
    static const struct str names[] = {
        [BY_VALUE] = STR("value"), [BY_EXISTS] = STR("exists"),   [BY_PATTERN] = STR("pattern"),
        [BY_TYPE] = STR("type"),   [BY_PROFILE] = STR("profile"), [BY_POSITION] = STR("position")};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(s, names[i])) {
            *ret = (enum slicing_by)i;
            return true;
        }
    return false;
}

static int add_discriminator(struct profile *p, struct profile_slicing *s, struct str type,
                             struct str path, struct err *err)
{
    struct discriminator *d = &s->by[s->n_by];

    d->path = arena_dup(&p->arena, path);
    if (!d->path.p)
        return err_no_memory(err);
    if (!by_named(type, &d->by))
        return err_set(err, ERR_PROCESSING,
                       "the profile %.*s cannot be compiled: \"%.*s\" is no kind of discriminator",
                       STR_ARG(p->url), (int)MIN(type.n, 64u), type.n ? type.p : "");
    s->n_by++;
    return d->by == BY_POSITION ? 0 : read_path(p, d, err);
}

/* What tells slices where the profile leaves it out: extensions by url, choices by type. */
static int add_usual(struct profile *p, const struct profile_node *node, struct profile_slicing *s,
                     struct err *err)
{
    if (node->element && node->element->is_choice)
        return add_discriminator(p, s, STR("type"), STR("$this"), err);
    if (node->element && node->element->types[0]->which == TYPE_EXTENSION)
        return add_discriminator(p, s, STR("value"), STR("url"), err);
    return 0;
}

int slicing_read(struct profile *p, struct profile_node *node, yyjson_val *slicing, struct err *err)
{
    yyjson_val *list = js_get(slicing, "discriminator"), *v;
    struct profile_slicing *s = ARENA_NEW(&p->arena, struct profile_slicing);
    struct str rules = js_get_str(slicing, "rules");
    size_t i, n;

    if (!s)
        return err_no_memory(err);
    node->slicing = s;
    s->is_ordered = yyjson_get_bool(js_get(slicing, "ordered"));
    s->rules = str_eq(rules, STR("closed"))      ? SLICING_CLOSED
               : str_eq(rules, STR("openAtEnd")) ? SLICING_OPEN_AT_END
                                                 : SLICING_OPEN;
    s->by = ARENA_ARRAY(&p->arena, struct discriminator, PROFILE_DISCRIMINATORS_MAX);
    if (!s->by)
        return err_no_memory(err);
    if (!yyjson_arr_size(list))
        return add_usual(p, node, s, err);
    yyjson_arr_foreach(list, i, n, v) {
        int r;
        if (s->n_by == PROFILE_DISCRIMINATORS_MAX)
            return err_set(err, ERR_COSTLY,
                           "%.*s of the profile %.*s has more than %d "
                           "discriminators",
                           STR_ARG(node->id), STR_ARG(p->url), PROFILE_DISCRIMINATORS_MAX);
        r = add_discriminator(p, s, js_get_str(v, "type"), js_get_str(v, "path"), err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- what a slice says of a discriminator ---- */

struct settling {
    struct profiles *set;
    struct profile *p;
    unsigned depth;
    struct err *err;
};

static int settle_from(struct settling *s, const struct profile_node *node, size_t step,
                       struct slice_test *t);

static bool says_something(const struct slice_test *t)
{
    return t->fixed || t->pattern || t->binding || t->exists >= 0;
}

static void settle_here(const struct profile_node *node, struct slice_test *t)
{
    switch (t->by->by) {
    case BY_VALUE:
    case BY_PATTERN:
        t->fixed = node->fixed;
        t->pattern = node->pattern;
        if (!t->fixed && !t->pattern && node->binding)
            t->binding = node->binding;
        if (!t->fixed && !t->pattern && !t->binding)
            t->exists = node->max == 0 ? 0 : node->min > 0 ? 1 : -1;
        t->is_dead = !says_something(t);
        break;
    case BY_EXISTS:
        t->exists = node->max == 0 ? 0 : node->min > 0 ? 1 : -1;
        t->is_dead = t->exists < 0;
        break;
    case BY_TYPE:
        t->types = node->types;
        t->n_types = node->n_types;
        t->type = node->type;
        t->is_dead = !t->n_types && !t->type;
        break;
    case BY_PROFILE:
        t->links = node->types;
        t->n_links = node->n_types;
        t->is_dead = !node->n_types;
        break;
    default: t->is_dead = true;
    }
}

/* On within the value that the slice fixes above. */
static bool settle_in_value(const struct profile_node *node, size_t step, struct slice_test *t)
{
    yyjson_val *v = node->fixed ? node->fixed : node->pattern;

    for (; v && step < t->by->n_steps; step++) {
        if (yyjson_is_arr(v))
            v = yyjson_arr_get_first(v);
        v = t->by->steps[step].kind == STEP_MEMBER
                ? yyjson_obj_getn(v, t->by->steps[step].name.p, t->by->steps[step].name.n)
                : NULL;
    }
    if (yyjson_is_arr(v))
        v = yyjson_arr_get_first(v);
    if (!v)
        return false;
    if (node->fixed)
        t->fixed = v;
    else
        t->pattern = v;
    t->is_dead = false;
    return true;
}

static int fixed_text(struct settling *s, struct str text, struct slice_test *t)
{
    _cleanup_(sb_done) struct sb json = sb_make(KIB(16));
    ptrdiff_t bar = str_find(text, '|');

    sb_json(&json, bar < 0 ? text : str_head(text, (size_t)bar));
    t->is_dead = false;
    return js_parse_stored(&s->p->arena, sb_view(&json), &t->fixed, s->err);
}

/* On within the profile that the element's type has. */
static int settle_in_profile(struct settling *s, struct profile_link *link, size_t step,
                             struct slice_test *t)
{
    const struct profile *p = NULL;
    int r;

    if (link->base)
        return 0;
    r = profiles_get_locked(s->set, link->url, s->depth + 1, &p, s->err);
    if (r < 0 || !p)
        return r;
    return settle_from(s, p->root, step, t);
}

static const struct profile_node *child_named(const struct profile_node *node, struct str name)
{
    for (const struct profile_node *n = node->child; n; n = n->next)
        if (n->element && str_eq(n->element->name, name))
            return n;
    return NULL;
}

static int settle_extension(struct settling *s, const struct profile_node *node, size_t step,
                            struct slice_test *t)
{
    const struct profile_node *list = child_named(node, STR("extension")), *e;
    struct str url = t->by->steps[step].name;

    t->is_dead = true;
    for (e = list && list->slicing ? list->slicing->first : NULL; e; e = e->next)
        for (size_t i = 0; e->n_types && i < e->types[0].n_profiles; i++)
            if (str_eq(e->types[0].profiles[i].url, url))
                return settle_from(s, e, step + 1, t);
    return 0;
}

static int settle_member(struct settling *s, const struct profile_node *node, size_t step,
                         struct slice_test *t)
{
    struct str name = t->by->steps[step].name;
    const struct profile_node *child = child_named(node, name);
    int r = 0;

    if (child) {
        r = settle_from(s, child, step + 1, t);
        for (const struct profile_node *e = child->slicing ? child->slicing->first : NULL;
             e && r >= 0 && t->is_dead; e = e->next)
            r = settle_from(s, e, step + 1, t);
        if (r < 0 || !t->is_dead)
            return r;
    }
    t->is_dead = true;
    if (settle_in_value(node, step, t))
        return 0;
    if (node->n_types && node->types[0].n_profiles) {
        struct profile_link *link = &node->types[0].profiles[0];
        if (node->types[0].type->which == TYPE_EXTENSION && str_eq(name, STR("url")))
            return fixed_text(s, link->url, t);
        return settle_in_profile(s, link, step, t);
    }
    return 0;
}

static int settle_resolved(struct settling *s, const struct profile_node *node, size_t step,
                           struct slice_test *t)
{
    t->is_resolved = true;
    t->is_dead = !node->n_types || !node->types[0].n_targets;
    if (t->is_dead)
        return 0;
    if (step + 1 == t->by->n_steps && (t->by->by == BY_TYPE || t->by->by == BY_PROFILE)) {
        t->links = node->types;
        t->n_links = node->n_types;
        return 0;
    }
    t->is_dead = true;
    return settle_in_profile(s, &node->types[0].targets[0], step + 1, t);
}

static int settle_from(struct settling *s, const struct profile_node *node, size_t step,
                       struct slice_test *t)
{
    if (step == t->by->n_steps) {
        settle_here(node, t);
        if (t->is_dead && node->n_types == 1 && node->types[0].n_profiles &&
            t->by->by <= BY_PATTERN)
            return settle_in_profile(s, &node->types[0].profiles[0], step, t);
        return 0;
    }
    switch (t->by->steps[step].kind) {
    case STEP_MEMBER: return settle_member(s, node, step, t);
    case STEP_EXTENSION: return settle_extension(s, node, step, t);
    case STEP_RESOLVE: return settle_resolved(s, node, step, t);
    case STEP_TYPE: return settle_from(s, node, step + 1, t);
    }
    return 0;
}

int slicing_settle(struct profiles *set, struct profile *p, struct profile_node *node,
                   unsigned depth, struct err *err)
{
    struct settling s = {set, p, depth, err};
    const struct profile_slicing *slicing = node->slicing;

    for (struct profile_node *slice = slicing->first; slice; slice = slice->next) {
        if (!slicing->n_by)
            continue;
        slice->tests = ARENA_ARRAY(&p->arena, struct slice_test, slicing->n_by);
        if (!slice->tests)
            return err_no_memory(err);
        slice->n_tests = slicing->n_by;
        for (size_t i = 0; i < slicing->n_by; i++) {
            struct slice_test *t = &slice->tests[i];
            int r;
            *t = (struct slice_test){.by = &slicing->by[i], .exists = -1};
            r = t->by->by == BY_POSITION ? 0 : settle_from(&s, slice, 0, t);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

/* ---- which slice an element belongs to ---- */

struct testing {
    struct conform *c;
    const struct slice_test *t;
    const struct place *at;
    size_t n_values;
};

static bool is_of_type(const struct def_type *t, const struct def_type *wanted)
{
    while (t && t != wanted)
        t = t->base;
    return t != NULL;
}

static int is_of_link(struct testing *g, struct profile_link *link, const struct item *item,
                      const struct scope *scope, bool by_type)
{
    const struct profile *p = NULL;
    int r;

    if (link->base)
        return is_of_type(item->type, link->base);
    r = conform_link(g->c, link, g->at, &p);
    if (r < 0 || !p)
        return r;
    return by_type ? is_of_type(item->type, p->type) : conform_try(g->c, p, item, scope, g->at);
}

static int is_of_links(struct testing *g, const struct item *item, const struct scope *scope)
{
    const struct slice_test *t = g->t;
    bool by_type = t->by->by == BY_TYPE;

    for (size_t i = 0; i < t->n_links; i++) {
        const struct profile_type *of = &t->links[i];
        struct profile_link *links = t->is_resolved ? of->targets : of->profiles;
        size_t n = t->is_resolved ? of->n_targets : of->n_profiles;
        if (!n && !t->is_resolved && is_of_type(item->type, of->type))
            return 1;
        for (size_t k = 0; k < n; k++) {
            int r = is_of_link(g, &links[k], item, scope, by_type);
            if (r != 0)
                return r;
        }
    }
    return 0;
}

static int is_bound(struct testing *g, const struct item *item)
{
    struct conform quiet = *g->c;
    int r;

    quiet.issues = NULL;
    quiet.n_errors = 0;
    r = conform_binding(&quiet, NULL, STR(""), g->t->binding, item, g->at);
    return r < 0 ? r : quiet.n_errors == 0;
}

static int test_here(struct testing *g, const struct item *item, const struct scope *scope)
{
    const struct slice_test *t = g->t;

    if (t->by->by == BY_PROFILE || t->links)
        return is_of_links(g, item, scope);
    if (t->by->by == BY_TYPE) {
        for (size_t i = 0; i < t->n_types; i++)
            if (is_of_type(item->type, t->types[i].type))
                return 1;
        return !t->n_types && is_of_type(item->type, t->type);
    }
    if (t->exists >= 0)
        return 1; /* it is there; the caller turns it round */
    if (t->fixed)
        return value_is_fixed(item->v, t->fixed);
    if (t->pattern)
        return value_has_pattern(item->v, t->pattern);
    return t->binding ? is_bound(g, item) : 0;
}

static int test_from(struct testing *g, size_t step, const struct item *item,
                     const struct scope *scope);

static int test_member(struct testing *g, size_t step, const struct item *item, struct str name,
                       struct str url, const struct scope *scope)
{
    yyjson_val *obj = item_object(item);
    const struct def_element *e = item->type ? element_of(item->type, name) : NULL;
    struct item_walk w;

    if (!obj || !e)
        return 0;
    w = items_of(obj, item->type, e);
    while (item_next(&w)) {
        struct scope inner;
        int r;
        if (++g->n_values > CONFORM_VALUES_MAX)
            return 0;
        if (url.p && !str_eq(js_get_str(w.item.v, "url"), url))
            continue;
        inner = scope_within(g->c, scope, obj, &w.item);
        r = test_from(g, step + 1, &w.item, &inner);
        if (r != 0)
            return r;
    }
    return 0;
}

static int test_resolved(struct testing *g, size_t step, const struct item *item,
                         const struct scope *scope)
{
    struct str reference = js_get_str(item->v, "reference");
    yyjson_val *found = NULL;
    struct scope there;
    enum found_in in;
    struct item target = {.type = reference_type(item->v), .index = -1};
    int r = reference.n ? resolve(g->c, scope, reference, &found, &in, &there) : 0;

    if (r < 0)
        return r;
    if (found)
        target = item_of_resource(found);
    /* Of what is not at hand the type may still be told. */
    if (!found && (g->t->by->by != BY_TYPE || step + 1 < g->t->by->n_steps))
        return 0;
    return target.type ? test_from(g, step + 1, &target, found ? &there : scope) : 0;
}

static int test_from(struct testing *g, size_t step, const struct item *item,
                     const struct scope *scope)
{
    const struct slicing_step *s = &g->t->by->steps[step];

    if (step == g->t->by->n_steps)
        return test_here(g, item, scope);
    switch (s->kind) {
    case STEP_MEMBER: return test_member(g, step, item, s->name, STR_NULL, scope);
    case STEP_EXTENSION: return test_member(g, step, item, STR("extension"), s->name, scope);
    case STEP_RESOLVE: return test_resolved(g, step, item, scope);
    case STEP_TYPE:
        return is_of_type(item->type, s->type) ? test_from(g, step + 1, item, scope) : 0;
    }
    return 0;
}

/* A slice that the profile says nothing of in terms of its discriminator is never met. */
static void say_dead(struct conform *c, const struct slice_test *t,
                     const struct profile_node *slice, const struct place *at)
{
    struct str key = c->issues ? arena_fmt(c->a, "dead %p", (const void *)t) : STR_NULL;

    if (key.p && !conform_said(c, key))
        conform_say(c, ISSUE_WARNING, "processing", at, NULL, slice->id,
                    "was not held against the slice %.*s: the profile does not say what its "
                    "discriminator \"%.*s\" has to be",
                    STR_ARG(slice->id), STR_ARG(t->by->path));
}

static int passes(struct conform *c, const struct profile_node *slice, const struct slice_test *t,
                  const struct item *item, size_t place, size_t slice_place,
                  const struct scope *scope, const struct place *at)
{
    struct testing g = {c, t, at, 0};
    int r;

    if (t->by->by == BY_POSITION)
        return place == slice_place;
    if (t->is_dead) {
        say_dead(c, t, slice, at);
        return 0;
    }
    r = test_from(&g, 0, item, scope);
    return r >= 0 && t->exists == 0 ? !r : r;
}

int slice_of(struct conform *c, const struct profile_slicing *s, const struct item *item,
             size_t place, const struct scope *scope, const struct place *at,
             const struct profile_node **ret)
{
    size_t slice_place = 0;

    *ret = NULL;
    for (const struct profile_node *slice = s->first; slice; slice = slice->next, slice_place++) {
        int r = slice->n_tests > 0;
        for (size_t i = 0; i < slice->n_tests && r > 0; i++)
            r = passes(c, slice, &slice->tests[i], item, place, slice_place, scope, at);
        if (r < 0)
            return r;
        if (r > 0) {
            *ret = slice;
            return 0;
        }
    }
    return 0;
}
