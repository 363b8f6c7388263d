/* conform.c - the check of one resource: what it remembers, what it says, where it begins. */
#include "fhir/profile_int.h"

#include "base/fault.h"
#include "fhir/base_rules.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define MEMORY_PLACES 256
#define WHERE_MAX 512

/* ---- memory ---- */

enum memo_state { MEMO_NONE, MEMO_BUSY, MEMO_HOLDS, MEMO_FAILS };

struct memo {
    const void *value, *profile;
    enum memo_state tried;
    bool is_said;
    struct memo *next;
};

struct said {
    struct str name;
    struct said *next;
};

struct memory {
    struct memo *memos[MEMORY_PLACES];
    struct said *said[MEMORY_PLACES];
    unsigned steps;
    bool is_cut; /* a bound was reached, and it was said */
};

static struct memo *memo_of(struct conform *c, const void *value, const void *profile)
{
    size_t at = ((uintptr_t)value / 16 + (uintptr_t)profile / 64) % MEMORY_PLACES;
    struct memo *m = c->memory->memos[at];

    while (m && (m->value != value || m->profile != profile))
        m = m->next;
    if (m)
        return m;
    m = ARENA_NEW(c->a, struct memo);
    if (!m)
        return NULL;
    *m = (struct memo){.value = value, .profile = profile, .next = c->memory->memos[at]};
    c->memory->memos[at] = m;
    return m;
}

bool conform_said(struct conform *c, struct str name)
{
    struct said **bucket = &c->memory->said[str_hash(name) % MEMORY_PLACES], *s;

    if (!c->issues)
        return true;
    for (s = *bucket; s; s = s->next)
        if (str_eq(s->name, name))
            return true;
    s = ARENA_NEW(c->a, struct said);
    if (s) {
        *s = (struct said){arena_dup(c->a, name), *bucket};
        *bucket = s;
    }
    return false;
}

/* ---- saying ---- */

void conform_say(struct conform *c, enum issue_severity severity, const char *type,
                 const struct place *at, const struct profile *p, struct str rule, const char *fmt,
                 ...)
{
    char where[WHERE_MAX] = "", text[ERR_TEXT_MAX];
    struct str profile = p ? p->url : STR("");
    size_t n;
    va_list ap;

    if (!c->issues) {
        c->n_errors += severity <= ISSUE_ERROR;
        return;
    }
    n = place_text(at, where, sizeof where);
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (p)
        issues_add(c->issues, severity, type, str_n(where, n), "%s %s (%.*s of %.*s)", where, text,
                   STR_ARG(rule), STR_ARG(profile));
    else
        issues_add(c->issues, severity, type, str_n(where, n), "%s %s", where, text);
    issues_rule(c->issues, profile, rule);
}

static void cut(struct conform *c, const struct place *at, const char *what)
{
    if (c->memory->is_cut)
        return;
    c->memory->is_cut = true;
    if (c->issues)
        conform_say(c, ISSUE_WARNING, "too-costly", at, NULL, STR(""),
                    "and what follows was not held against profiles: the check takes %s", what);
    else
        c->n_errors++;
}

bool conform_steps(struct conform *c, size_t n, const struct place *at)
{
    struct memory *m = c->memory;

    m->steps = (unsigned)MIN(m->steps + n, (size_t)CONFORM_STEPS_MAX + 1);
    if (m->steps > CONFORM_STEPS_MAX)
        cut(c, at, "too many steps");
    else if (c->depth > CONFORM_DEPTH_MAX)
        cut(c, at, "too deep a nesting of profiles");
    else
        return true;
    return false;
}

bool conform_step(struct conform *c, const struct place *at)
{
    return conform_steps(c, 1, at);
}

/* ---- the elements of an object ---- */

const struct def_element *element_of(const struct def_type *t, struct str name)
{
    for (size_t i = 0; t && i < t->n_elements; i++)
        if (str_eq(t->elements[i].name, name))
            return &t->elements[i];
    return NULL;
}

static yyjson_val *sibling(yyjson_val *obj, struct str name)
{
    char buf[130];

    if (name.n + 1 > sizeof buf)
        return NULL;
    buf[0] = '_';
    memcpy(buf + 1, name.p, name.n);
    return yyjson_obj_getn(obj, buf, name.n + 1);
}

/* The member that stands for a choice, and its type. */
static struct str chosen(yyjson_val *obj, const struct def_type *type, const struct def_element *e,
                         const struct def_type **ret_type)
{
    yyjson_val *key, *val;
    size_t i, n;

    yyjson_obj_foreach(obj, i, n, key, val) {
        struct str name = js_str(key);
        if (name.n && name.p[0] == '_')
            name = str_from(name, 1);
        if (str_starts(name, e->name) && def_member(type, name, ret_type) == e)
            return name;
    }
    return STR_NULL;
}

struct item_walk items_of(yyjson_val *obj, const struct def_type *type, const struct def_element *e)
{
    struct item_walk w = {.item = {.element = e, .type = e->types[0]}};
    struct str name = e->name;

    if (yyjson_is_obj(obj) && e->is_choice)
        name = chosen(obj, type, e, &w.item.type);
    if (!name.p || !yyjson_is_obj(obj))
        return w;
    w.v = yyjson_obj_getn(obj, name.p, name.n);
    if (w.item.type->kind == DEF_PRIMITIVE)
        w.more = sibling(obj, name);
    if (yyjson_is_arr(w.v) || yyjson_is_arr(w.more))
        w.n = MAX(yyjson_arr_size(w.v), yyjson_arr_size(w.more));
    else
        w.n = w.v || w.more;
    w.item.index = yyjson_is_arr(w.v) || yyjson_is_arr(w.more) ? 0 : -1;
    return w;
}

static yyjson_val *nth(yyjson_val *list, yyjson_val *before, size_t at)
{
    if (!yyjson_is_arr(list))
        return at == 0 ? list : NULL;
    if (at >= yyjson_arr_size(list))
        return NULL;
    return at ? unsafe_yyjson_get_next(before) : yyjson_arr_get_first(list);
}

bool item_next(struct item_walk *w)
{
    if (w->at == w->n)
        return false;
    /* A null keeps its place in the array: what stands there is NULL for others. */
    w->item.v = nth(w->v, w->before, w->at);
    w->before = w->item.v;
    w->item.more = nth(w->more, w->before_more, w->at);
    w->before_more = w->item.more;
    if (yyjson_is_null(w->item.v))
        w->item.v = NULL;
    if (yyjson_is_null(w->item.more))
        w->item.more = NULL;
    if (w->item.element->types[0]->kind == DEF_RESOURCE)
        w->item.type = item_of_resource(w->item.v).type;
    if (w->item.index >= 0)
        w->item.index = (ptrdiff_t)w->at;
    w->at++;
    return true;
}

yyjson_val *item_object(const struct item *item)
{
    return yyjson_is_obj(item->v) ? item->v : yyjson_is_obj(item->more) ? item->more : NULL;
}

struct item item_of_value(const struct world_value *value)
{
    return (struct item){.v = value->v,
                         .more = value->more,
                         .type = value->type,
                         .element = value->element,
                         .index = -1};
}

struct item item_of_resource(yyjson_val *resource)
{
    int type = def_resource(js_get_str(resource, "resourceType"));

    return (struct item){.v = resource, .type = type ? def_resource_type(type) : NULL, .index = -1};
}

struct scope scope_within(struct conform *c, const struct scope *scope, yyjson_val *parent,
                          const struct item *item)
{
    struct scope inner = *scope;

    if (!item->type || item->type->kind != DEF_RESOURCE)
        return inner;
    inner = (struct scope){.up = scope,
                           .resource = item->v,
                           .full_url = js_get_str(parent, "fullUrl"),
                           .is_contained =
                               item->element && str_eq(item->element->name, STR("contained"))};
    if (str_eq(item->type->name, STR("Bundle")))
        inner.entries = entries_of(c->a, item->v);
    return inner;
}

/* ---- profiles ---- */

int conform_link(struct conform *c, struct profile_link *link, const struct place *at,
                 const struct profile **ret)
{
    const struct profile *p = atomic_load_explicit(&link->to, memory_order_acquire);
    struct err why;
    int r = 0;

    if (!p && c->options->profiles) {
        r = profiles_get(c->options->profiles, link->url, &p, &why);
        if (p)
            atomic_store_explicit(&link->to, p, memory_order_release);
    }
    *ret = p;
    if (r >= 0 && p)
        return 0;
    if (r < 0 && err_http_status(r) >= 500) {
        *c->err = why;
        return r;
    }
    if (!conform_said(c, link->url))
        conform_say(c, c->options->must_know ? ISSUE_ERROR : ISSUE_WARNING,
                    r < 0 ? "processing" : "not-found", at, NULL, link->url,
                    "was not held against the profile %.*s%s%s", STR_ARG(link->url),
                    r < 0 ? ": " : ", which is not known here", r < 0 ? why.text : "");
    *ret = NULL;
    return 0;
}

static bool is_of_type(const struct def_type *t, const struct def_type *wanted)
{
    while (t && t != wanted)
        t = t->base;
    return t != NULL;
}

int conform_profile(struct conform *c, const struct profile *p, const struct item *item,
                    const struct scope *scope, const struct place *at)
{
    struct memo *m;

    if (!c->issues) {
        int r = conform_try(c, p, item, scope, at);
        c->n_errors += r == 0;
        return MIN(r, 0);
    }
    m = memo_of(c, item->v ? item->v : item->more, p);
    if (!m)
        return err_no_memory(c->err);
    if (m->is_said)
        return 0;
    m->is_said = true;
    if (!is_of_type(item->type, p->type)) {
        conform_say(c, ISSUE_ERROR, "structure", at, p, p->type->name,
                    "is not a %.*s, which the profile is for", STR_ARG(p->type->name));
        return 0;
    }
    return conform_node(c, p, p->root, item, scope, at);
}

int conform_try(struct conform *c, const struct profile *p, const struct item *item,
                const struct scope *scope, const struct place *at)
{
    struct conform trial = *c;
    struct memo *m;
    int r;

    if (!is_of_type(item->type, p->type))
        return 0;
    m = memo_of(c, item->v ? item->v : item->more, p);
    if (!m)
        return err_no_memory(c->err);
    /* Asked for again while it is tried, it holds as far as this question goes. */
    if (m->tried != MEMO_NONE)
        return m->tried != MEMO_FAILS;
    if (!conform_step(c, at))
        return 1;
    m->tried = MEMO_BUSY;
    trial.issues = NULL;
    trial.n_errors = 0;
    trial.depth++;
    r = conform_node(&trial, p, p->root, item, scope, at);
    m->tried = trial.n_errors ? MEMO_FAILS : MEMO_HOLDS;
    return r < 0 ? r : !trial.n_errors;
}

/* ---- the whole ---- */

static int check_asked(struct conform *c, const struct item *root, const struct scope *scope,
                       const struct place *at)
{
    for (size_t i = 0; i < c->options->n_asked; i++) {
        const struct profile *p = NULL;
        struct str url = c->options->asked[i];
        struct err why;
        int r = profiles_get(c->options->profiles, url, &p, &why);
        if (r < 0 && err_http_status(r) >= 500) {
            *c->err = why;
            return r;
        }
        if (!p) {
            conform_say(c, ISSUE_ERROR, r < 0 ? "processing" : "not-found", at, NULL, url,
                        "cannot be held against the profile %.*s%s%s", STR_ARG(url),
                        r < 0 ? ": " : ", which is not known here", r < 0 ? why.text : "");
            continue;
        }
        r = conform_profile(c, p, root, scope, at);
        if (r < 0)
            return r;
    }
    return 0;
}

int conform_begin(yyjson_val *root, const struct conform_options *options, struct issues *issues,
                  int (*run)(struct conform *c, const struct scope *scope, void *ctx), void *ctx,
                  struct err *err)
{
    _cleanup_(arena_done) struct arena scratch;
    struct memory memory = {0};
    struct err own = {0};
    struct conform c = {.options = options,
                        .a = issues->a,
                        .scratch = &scratch,
                        .issues = issues,
                        .root = root,
                        .memory = &memory,
                        .err = err ? err : &own};
    struct scope scope = {.resource = root};
    int r;

    arena_init(&scratch, CONFORM_SCRATCH_MAX);
    if (str_eq(js_get_str(root, "resourceType"), STR("Bundle")) &&
        !(scope.entries = entries_of(c.a, root)))
        return err_no_memory(c.err);
    r = run(&c, &scope, ctx);
    return r >= 0 && issues->no_memory ? err_no_memory(c.err) : MIN(r, 0);
}

static int check_whole(struct conform *c, const struct scope *scope, void *ctx)
{
    struct item item = item_of_resource(c->root);
    struct place at = {NULL, STR_NULL, -1};
    int r;

    (void)ctx;
    if (!item.type)
        return 0;
    at.name = item.type->name;
    r = conform_base(c, &item, NULL, scope, &at);
    return r >= 0 && c->options->profiles ? check_asked(c, &item, scope, &at) : r;
}

int conform_check(yyjson_val *root, const struct conform_options *options, struct issues *issues,
                  struct err *err)
{
    return conform_begin(root, options, issues, check_whole, NULL, err);
}
