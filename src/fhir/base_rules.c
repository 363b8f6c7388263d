#include "fhir/base_rules.h"

#include "base/fault.h"
#include "fhir/base_int.h"

#include <pthread.h>
#include <stdlib.h>

#define RULES_BYTES_MAX MIB(32)
#define TYPES_MAX 2048 /* places in the table of types: a power of two, twice what is there */
#define TYPE_RULES_MAX 40
#define KEYS_MAX 512

enum { E_PATH, E_MIN, E_MAX, E_FLAGS, E_TYPES, E_BINDING, E_VALUESET, E_REFERENCE, E_CONSTRAINTS };
enum { C_TYPE, C_KEY, C_SEVERITY, C_EXPRESSION };

struct base_rules {
    struct arena arena;
    struct base_type types[TYPES_MAX]; /* by the type's address */
    struct str keys[KEYS_MAX];
    size_t n_keys;
    bool failed;
};

/* What the structural validator sees to: ele-1 and ext-1 in validate.c, the narrative in xhtml.c,
 * dom-2, -4, -5 for what is contained, local references in validate_reference.c. And dom-3, which
 * asks for all descendants once for each contained resource: conform_base.c holds it by itself. */
static const struct str held_otherwise[] = {
    STR("ele-1"), STR("ext-1"), STR("txt-1"), STR("txt-2"), STR("dom-2"),
    STR("dom-3"), STR("dom-4"), STR("dom-5"), STR("ref-1"),
};

static bool is_held(struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(held_otherwise); i++)
        if (str_eq(key, held_otherwise[i]))
            return true;
    return false;
}

static size_t place_of(const struct def_type *t)
{
    return (size_t)((uintptr_t)t / sizeof(struct def_type) * 2654435761u) % TYPES_MAX;
}

static struct base_type *find(const struct base_rules *b, const struct def_type *t)
{
    size_t at = place_of(t);

    while (b->types[at].type && b->types[at].type != t)
        at = (at + 1) % TYPES_MAX;
    return (struct base_type *)&b->types[at];
}

const struct base_type *base_type_of(const struct base_rules *b, const struct def_type *t)
{
    const struct base_type *found = find(b, t);

    return found->type ? found : NULL;
}

bool base_has_rule(const struct base_rules *b, struct str key)
{
    for (size_t i = 0; i < b->n_keys; i++)
        if (str_eq(b->keys[i], key))
            return true;
    return false;
}

/* ---- reading ---- */

/* The rows of constraints.tsv with these keys, of the type named: rules at `to`. */
static size_t read_rules(struct base_rules *b, struct str type_name, const struct def_type *context,
                         struct str keys, struct profile_rule *to, size_t room)
{
    struct base_table t = base_table(base_text_constraints);
    size_t n = 0;

    while (keys.n && base_row(&t)) {
        struct str rest = keys, key;
        bool is_ours = false;
        if (!str_eq(t.cells[C_TYPE], type_name))
            continue;
        while (str_split(&rest, ',', &key))
            is_ours |= str_eq(key, t.cells[C_KEY]);
        if (!is_ours || is_held(t.cells[C_KEY]) || n == room)
            continue;
        to[n] = (struct profile_rule){
            .key = t.cells[C_KEY],
            .expression = t.cells[C_EXPRESSION],
            .severity = str_eq(t.cells[C_SEVERITY], STR("warning")) ? ISSUE_WARNING : ISSUE_ERROR,
        };
        struct err why;
        if (path_compile(&b->arena, to[n].expression, context, &to[n].path, &why) < 0) {
            to[n].path = NULL;
            to[n].why = arena_dup(&b->arena, str_c(why.text));
        }
        n++;
    }
    return n;
}

static const struct profile_rule *keep_rules(struct base_rules *b, const struct profile_rule *rules,
                                             size_t n)
{
    struct profile_rule *kept = n ? ARENA_ARRAY(&b->arena, struct profile_rule, n) : NULL;

    if (n && !kept)
        b->failed = true;
    if (kept)
        memcpy(kept, rules, n * sizeof *rules);
    return kept;
}

static const struct profile_binding *read_binding(struct base_rules *b,
                                                  const struct base_table *row)
{
    static const struct {
        struct str name;
        enum def_binding strength;
    } names[] = {{STR("required"), DEF_REQUIRED},
                 {STR("extensible"), DEF_EXTENSIBLE},
                 {STR("preferred"), DEF_PREFERRED}};
    struct profile_binding *to;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!str_eq(row->cells[E_BINDING], names[i].name) || !row->cells[E_VALUESET].n)
            continue;
        to = ARENA_NEW(&b->arena, struct profile_binding);
        if (!to) {
            b->failed = true;
            return NULL;
        }
        to->strength = (uint8_t)names[i].strength;
        to->value_set = row->cells[E_VALUESET];
        return to;
    }
    return NULL;
}

static struct base_type *add_type(struct base_rules *b, const struct def_type *t)
{
    struct base_type *to = find(b, t);

    if (to->type)
        return to;
    to->type = t;
    to->elements = ARENA_ARRAY(&b->arena, struct base_element, t->n_elements);
    if (!to->elements)
        b->failed = true;
    return to;
}

/* "Patient.contact.name" is the element name of the type Patient.contact. */
static bool owner_of(struct str path, const struct def_type **ret, struct str *ret_name)
{
    ptrdiff_t dot = str_rfind(path, '.');

    if (dot < 0)
        return false;
    *ret = def_type(str_head(path, (size_t)dot));
    *ret_name = str_from(path, (size_t)dot + 1);
    if (str_ends(*ret_name, STR("[x]")))
        *ret_name = str_head(*ret_name, ret_name->n - 3);
    return *ret != NULL;
}

static struct str first_part(struct str path)
{
    ptrdiff_t dot = str_find(path, '.');

    return dot < 0 ? path : str_head(path, (size_t)dot);
}

static void read_element(struct base_rules *b, const struct base_table *row)
{
    struct profile_rule rules[TYPE_RULES_MAX];
    const struct def_type *owner;
    const struct def_element *e;
    struct base_element *to;
    struct str name;
    size_t n;

    if (!owner_of(row->cells[E_PATH], &owner, &name) || !(e = element_of(owner, name)))
        return;
    add_type(b, owner);
    if (b->failed)
        return;
    to = (struct base_element *)&find(b, owner)->elements[e - owner->elements];
    n = read_rules(b, first_part(row->cells[E_PATH]), e->is_choice ? NULL : e->types[0],
                   row->cells[E_CONSTRAINTS], rules, ARRAY_LEN(rules));
    to->rules = keep_rules(b, rules, n);
    to->n_rules = n;
    to->binding = read_binding(b, row);
    to->is_simple =
        str_starts(row->cells[E_TYPES], STR("Quantity<SimpleQuantity>")) && !e->is_choice;
}

static bool find_root(struct str name, struct base_table *ret)
{
    *ret = base_table(base_text_elements);
    while (base_row(ret))
        if (str_eq(ret->cells[E_PATH], name))
            return true;
    return false;
}

/* The rules of a type's root: its own and those of its bases, compiled for the type itself. */
static void read_root(struct base_rules *b, const struct def_type *t)
{
    struct profile_rule rules[TYPE_RULES_MAX];
    struct base_type *to = add_type(b, t);
    size_t n = 0;

    for (const struct def_type *at = t; at; at = at->base) {
        struct base_table row;
        if (at->kind != DEF_BACKBONE && find_root(at->name, &row))
            n += read_rules(b, at->name, t, row.cells[E_CONSTRAINTS], rules + n,
                            ARRAY_LEN(rules) - n);
    }
    to->rules = keep_rules(b, rules, n);
    to->n_rules = n;
}

/* An element that a type has from its base has what the base says of it. */
static void inherit(struct base_rules *b, struct base_type *to)
{
    const struct def_type *t = to->type;

    for (size_t i = 0; i < t->n_elements; i++) {
        struct base_element *own = (struct base_element *)&to->elements[i];
        for (const struct def_type *at = t->base; at && !own->binding && !own->n_rules;
             at = at->base) {
            const struct def_element *e = element_of(at, t->elements[i].name);
            const struct base_type *from = e ? base_type_of(b, at) : NULL;
            if (from)
                *own = from->elements[e - at->elements];
        }
    }
}

/* ---- what lies below a type ---- */

static bool is_any_resource(const struct def_type *t)
{
    return t->kind == DEF_RESOURCE;
}

static bool look_below(struct base_rules *b, struct base_type *to)
{
    bool deep = to->n_rules > 0, bound = false;

    for (size_t i = 0; i < to->type->n_elements; i++) {
        const struct def_element *e = &to->type->elements[i];
        const struct base_element *be = &to->elements[i];
        deep |= be->n_rules || be->is_simple;
        bound |= be->binding != NULL;
        for (size_t k = 0; e->types[k]; k++) {
            const struct base_type *below = base_type_of(b, e->types[k]);
            deep |= is_any_resource(e->types[k]) || (below && below->is_deep);
            bound |= is_any_resource(e->types[k]) || (below && below->is_bound);
        }
    }
    if (deep == to->is_deep && bound == to->is_bound)
        return false;
    to->is_deep = deep;
    to->is_bound = bound;
    return true;
}

static void read_keys(struct base_rules *b)
{
    struct base_table t = base_table(base_text_constraints);

    while (base_row(&t))
        if (b->n_keys < KEYS_MAX && !base_has_rule(b, t.cells[C_KEY]))
            b->keys[b->n_keys++] = t.cells[C_KEY];
}

static struct base_rules *make(void)
{
    struct base_rules *b = fault_point("malloc") ? NULL : calloc(1, sizeof *b);
    struct base_table row = base_table(base_text_elements);
    bool changed = true;

    if (!b)
        return NULL;
    arena_init(&b->arena, RULES_BYTES_MAX);
    while (!b->failed && base_row(&row)) {
        const struct def_type *t = def_type(row.cells[E_PATH]);
        if (t && t->kind != DEF_BACKBONE)
            read_root(b, t);
        else if (t)
            add_type(b, t);
        read_element(b, &row);
    }
    for (size_t i = 0; !b->failed && i < TYPES_MAX; i++)
        if (b->types[i].type)
            inherit(b, &b->types[i]);
    while (!b->failed && changed) {
        changed = false;
        for (size_t i = 0; i < TYPES_MAX; i++)
            if (b->types[i].type)
                changed |= look_below(b, &b->types[i]);
    }
    read_keys(b);
    if (!b->failed)
        return b;
    arena_done(&b->arena);
    free(b);
    return NULL;
}

const struct base_rules *base_rules(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static _Atomic(struct base_rules *) made;
    struct base_rules *b = atomic_load_explicit(&made, memory_order_acquire);

    if (b)
        return b;
    pthread_mutex_lock(&lock);
    b = atomic_load_explicit(&made, memory_order_acquire);
    if (!b) {
        b = make();
        atomic_store_explicit(&made, b, memory_order_release);
    }
    pthread_mutex_unlock(&lock);
    return b;
}

/* ---- what could not be compiled ---- */

static void each_refused(const struct profile_rule *rules, size_t n,
                         void (*say)(void *ctx, struct str key, struct str why), void *ctx)
{
    for (size_t i = 0; i < n; i++)
        if (!rules[i].path)
            say(ctx, rules[i].key, rules[i].why);
}

void base_rules_each_refused(const struct base_rules *b,
                             void (*say)(void *ctx, struct str key, struct str why), void *ctx)
{
    for (size_t i = 0; i < TYPES_MAX; i++) {
        const struct base_type *t = &b->types[i];
        if (!t->type)
            continue;
        each_refused(t->rules, t->n_rules, say, ctx);
        for (size_t k = 0; k < t->type->n_elements; k++)
            each_refused(t->elements[k].rules, t->elements[k].n_rules, say, ctx);
    }
}

static void count(void *ctx, struct str key, struct str why)
{
    (void)key;
    (void)why;
    ++*(size_t *)ctx;
}

size_t base_rules_refused(const struct base_rules *b)
{
    size_t n = 0;

    base_rules_each_refused(b, count, &n);
    return n;
}
