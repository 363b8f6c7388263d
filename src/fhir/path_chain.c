#include "fhir/path_int.h"

#include <ctype.h>

#define STEPS_MAX 16 /* longer chains are evaluated member by member */

struct chain {
    struct path_step steps[STEPS_MAX];
    size_t n;
    uint16_t base;               /* node that they begin at */
    const struct def_type *from; /* type that the base is said to be of, and may not be */
    const struct def_type *type; /* of what the steps lead to; NULL: known only then */
};

struct chains {
    struct arena *a;
    struct path *p;
    const struct def_type *resource; /* what %resource most likely is */
};

const struct def_type *path_type_named(struct str name, bool strict)
{
    const struct def_type *t;
    char lower[64];

    if (str_starts(name, STR("System.")))
        return NULL;
    if (str_starts(name, STR("FHIR.")))
        name = str_from(name, 5);
    t = def_type(name);
    if (t || strict || !name.n || name.n > sizeof lower)
        return t;
    memcpy(lower, name.p, name.n);
    lower[0] = (char)tolower((unsigned char)lower[0]);
    return def_type(str_n(lower, name.n));
}

bool path_type_is(const struct def_type *t, struct str name)
{
    for (; t; t = t->base)
        if (str_eq(t->name, name))
            return true;
    return false;
}

static const struct def_element *element_named(const struct def_type *t, struct str name)
{
    for (size_t i = 0; i < t->n_elements; i++)
        if (str_eq(t->elements[i].name, name))
            return &t->elements[i];
    return NULL;
}

static bool is_any_resource(const struct def_type *t)
{
    return t && t->is_abstract && path_type_is(t, STR("Resource"));
}

static bool flatten_member(struct str name, struct chain *c)
{
    struct path_step *s = &c->steps[c->n];
    const struct def_element *e = c->type ? element_named(c->type, name) : NULL;

    if (!e || c->n == STEPS_MAX)
        return false;
    *s = (struct path_step){.name = name, .in = c->type, .element = e};
    if (!e->is_choice) {
        s->json = e->name.p;
        s->json_n = e->name.n;
        s->type = e->types[0];
        s->is_resource = is_any_resource(s->type);
    }
    c->type = s->is_resource ? NULL : s->type;
    c->n++;
    return true;
}

/* `value as Quantity` is the JSON member valueQuantity. */
static int choose(struct arena *a, const struct def_type *type, struct path_step *s)
{
    char *json;

    for (size_t i = 0; s->element->types[i] != type; i++)
        if (!s->element->types[i])
            return false;
    s->json_n = s->name.n + type->name.n;
    json = arena_alloc(a, s->json_n);
    if (!json)
        return ERR_NO_MEMORY;
    memcpy(json, s->name.p, s->name.n);
    memcpy(json + s->name.n, type->name.p, type->name.n);
    json[s->name.n] = (char)toupper((unsigned char)json[s->name.n]);
    s->json = json;
    return true;
}

static int flatten_as(struct arena *a, const struct def_type *type, struct chain *c)
{
    struct path_step *s = c->n ? &c->steps[c->n - 1] : NULL;
    int r = true;

    if (!s || s->only || !type)
        return false;
    if (s->element->is_choice)
        r = choose(a, type, s);
    else if (!s->is_resource || !type->number)
        return false;
    if (r > 0)
        s->type = s->only = c->type = type;
    return r;
}

static int chain_node(const struct chains *k, uint16_t i, const struct def_type *context);
static const struct def_type *type_of(const struct chains *k, uint16_t i,
                                      const struct def_type *context);

/* A chain of no steps yet, at node i. */
static int flatten_base(const struct chains *k, uint16_t i, const struct def_type *context,
                        struct chain *c)
{
    int r = chain_node(k, i, context);

    *c = (struct chain){.base = i, .type = type_of(k, i, context)};
    return r < 0 ? r : 1;
}

static bool is_first(const struct path *p, const struct path_node *n)
{
    return n->kind == NODE_MEMBER && p->nodes[n->left].kind == NODE_FOCUS;
}

/* A path that begins with a type's name begins at the focus, if that is of the type. */
static bool flatten_start(const struct path_node *n, const struct def_type *context,
                          struct chain *c)
{
    *c = (struct chain){.base = n->left};
    if (!n->text.n || !isupper((unsigned char)n->text.p[0]))
        return false;
    c->type = context ? context : def_type(n->text);
    if (!context)
        c->from = c->type;
    return c->type && path_type_is(c->type, n->text);
}

/* 1 when node i is members from some node on, or is that node. */
static int flatten(const struct chains *k, uint16_t i, const struct def_type *context,
                   struct chain *c)
{
    const struct path_node *n = &k->p->nodes[i];
    int r = 0;

    if (is_first(k->p, n) && flatten_start(n, context, c))
        return 1;
    if (n->kind == NODE_MEMBER) {
        r = flatten(k, n->left, context, c);
        if (r > 0)
            r = flatten_member(n->text, c);
    } else if (n->kind == NODE_AS && !(n->strict && n->op == AS_ONE)) {
        /* Where several items are an error they must be counted. */
        r = flatten(k, n->left, context, c);
        if (r > 0)
            r = flatten_as(k->a, n->type, c);
    }
    return r != 0 ? r : flatten_base(k, i, context, c);
}

/* The type of what node i most likely gives, where that is known; chains below it are made. */
static const struct def_type *type_of(const struct chains *k, uint16_t i,
                                      const struct def_type *context)
{
    const struct path_node *n = &k->p->nodes[i];
    const struct path_step *last;

    switch (n->kind) {
    case NODE_FOCUS: return context;
    case NODE_RESOURCE: return k->resource;
    case NODE_CHAIN:
        last = &n->steps[n->n_steps - 1];
        return last->is_resource ? last->only : last->type;
    case NODE_AS: return n->type && !n->type->is_abstract ? n->type : NULL;
    case NODE_INDEX: return type_of(k, n->left, context);
    case NODE_CALL: return n->function->gives == GIVES_INPUT ? type_of(k, n->left, context) : NULL;
    default: return NULL;
    }
}

static int keep_steps(const struct chains *k, struct path_node *n, const struct chain *c)
{
    n->steps = ARENA_ARRAY(k->a, struct path_step, c->n);
    if (!n->steps)
        return ERR_NO_MEMORY;
    memcpy(n->steps, c->steps, c->n * sizeof *c->steps);
    n->n_steps = c->n;
    for (size_t i = 0; i + 1 < c->n; i++) {
        struct path_step *s = &n->steps[i];
        s->is_plain =
            s->json && !s->is_resource && s->type->kind != DEF_PRIMITIVE && s[1].in == s->type;
    }
    n->kind = NODE_CHAIN;
    n->left = c->base;
    n->type = c->from;
    n->is_direct = k->p->nodes[c->base].kind == NODE_FOCUS && !n->type;
    return 0;
}

#define ENOUGH_MAX 64 /* beyond it nothing is gained */

/* Says on the left side of a node how many items of it are looked at. */
static void limit_left(struct path *p, const struct path_node *n)
{
    const struct path_node *right = n->right == NO_NODE ? NULL : &p->nodes[n->right];
    uint64_t i;

    if (n->kind == NODE_CALL && n->function->wants_one && !right)
        p->nodes[n->left].enough = 1;
    else if (n->kind == NODE_INDEX && right && right->kind == NODE_LITERAL &&
             right->op == PATH_INTEGER && str_to_u64(right->text, ENOUGH_MAX - 1, &i))
        p->nodes[n->left].enough = (uint16_t)(i + 1);
}

static int chain_arguments(const struct chains *k, const struct path_node *n,
                           const struct def_type *context)
{
    int r = 0;

    if (n->kind == NODE_CALL && n->function->iterates)
        context = type_of(k, n->left, context);
    for (uint16_t arg = n->right; arg != NO_NODE && r >= 0; arg = k->p->nodes[arg].next)
        r = chain_node(k, arg, context);
    return r;
}

static int chain_node(const struct chains *k, uint16_t i, const struct def_type *context)
{
    struct path_node *n = &k->p->nodes[i];
    struct chain c = {0};
    int r = 0;

    if (n->is_done)
        return 0;
    n->is_done = true;
    if (n->kind == NODE_LITERAL) {
        n->literal =
            (struct path_item){.kind = n->op, .text = n->text, .unit = n->unit.p ? &n->unit : NULL};
        n->literals = (struct path_items){&n->literal, 1, 1};
    }
    limit_left(k->p, n);
    if (n->kind == NODE_MEMBER || n->kind == NODE_AS)
        r = flatten(k, i, context, &c);
    if (r > 0 && c.n)
        return keep_steps(k, n, &c);
    if (r >= 0 && n->left != NO_NODE)
        r = chain_node(k, n->left, context);
    return r < 0 ? r : chain_arguments(k, n, context);
}

int path_chain(struct arena *a, struct path *p, const struct def_type *context, struct err *err)
{
    const struct chains k = {a, p, context && context->kind == DEF_RESOURCE ? context : NULL};

    return chain_node(&k, p->root, context) < 0 ? err_no_memory(err) : 0;
}

static bool step_leads_to(const struct path_step *s, enum def_which which)
{
    if (s->json)
        return s->type->which == which;
    for (size_t i = 0; s->element->types[i]; i++)
        if (s->element->types[i]->which == which)
            return true;
    return false;
}

static bool leads_to(const struct path *p, uint16_t i, enum def_which which)
{
    const struct path_node *n = &p->nodes[i];

    switch (n->kind) {
    case NODE_CHAIN: return step_leads_to(&n->steps[n->n_steps - 1], which);
    case NODE_AS: return n->type && n->type->which == which;
    case NODE_INDEX: return leads_to(p, n->left, which);
    case NODE_CALL: return !str_eq(n->text, STR("where")) || leads_to(p, n->left, which);
    case NODE_BINARY:
        if (n->op != OP_UNION)
            return n->op >= OP_PLUS || which == TYPE_BOOLEAN;
        return leads_to(p, n->left, which) || leads_to(p, n->right, which);
    default: return true;
    }
}

bool path_leads_to(const struct path *p, enum def_which which)
{
    return leads_to(p, p->root, which);
}
