#include "fhir/path_int.h"

#include <ctype.h>

#define STEPS_MAX 16 /* longer chains are evaluated member by member */

struct chain {
    struct path_step steps[STEPS_MAX];
    size_t n;
    const struct def_type *type; /* of what the steps lead to; NULL: known only then */
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

/* A path that begins with a type's name begins at the focus, if that is of the type. */
static bool flatten_start(const struct def_type *context, struct str name, struct chain *c)
{
    c->n = 0;
    if (!name.n || !isupper((unsigned char)name.p[0]))
        return false;
    c->type = context ? context : def_type(name);
    return c->type && path_type_is(c->type, name);
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
static int flatten_as(struct arena *a, const struct def_type *type, struct chain *c)
{
    struct path_step *s = c->n ? &c->steps[c->n - 1] : NULL;
    char *json;

    if (!s || s->only || !type || !s->element->is_choice)
        return false;
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
    s->type = s->only = c->type = type;
    return true;
}

/* 1 when node i is nothing but members from the focus on. */
static int flatten(struct arena *a, const struct path *p, uint16_t i,
                   const struct def_type *context, struct chain *c)
{
    const struct path_node *n = &p->nodes[i];
    int r;

    switch (n->kind) {
    case NODE_FOCUS: *c = (struct chain){.type = context}; return 1;
    case NODE_MEMBER:
        if (p->nodes[n->left].kind == NODE_FOCUS && flatten_start(context, n->text, c))
            return 1;
        r = flatten(a, p, n->left, context, c);
        return r <= 0 ? r : flatten_member(n->text, c);
    case NODE_AS:
        if (n->strict && n->op == AS_ONE)
            return 0; /* several items are an error: they must be counted */
        r = flatten(a, p, n->left, context, c);
        return r <= 0 ? r : flatten_as(a, n->type, c);
    default: return 0;
    }
}

/* The type of what node i gives where that is known; a chain below it is made already. */
static const struct def_type *type_of(const struct path *p, uint16_t i,
                                      const struct def_type *context)
{
    const struct path_node *n = &p->nodes[i];
    const struct path_step *last = n->n_steps ? &n->steps[n->n_steps - 1] : NULL;

    switch (n->kind) {
    case NODE_FOCUS: return context;
    case NODE_CHAIN:
    case NODE_MEMBER: return last && !last->is_resource ? last->type : NULL;
    case NODE_AS: return n->type && !n->type->is_abstract ? n->type : NULL;
    case NODE_INDEX: return type_of(p, n->left, context);
    case NODE_CALL: return n->function->gives == GIVES_INPUT ? type_of(p, n->left, context) : NULL;
    default: return NULL;
    }
}

static int keep_steps(struct arena *a, struct path_node *n, const struct chain *c)
{
    n->steps = ARENA_ARRAY(a, struct path_step, c->n);
    if (!n->steps)
        return ERR_NO_MEMORY;
    memcpy(n->steps, c->steps, c->n * sizeof *c->steps);
    n->n_steps = c->n;
    return 0;
}

static int chain_node(struct arena *a, struct path *p, uint16_t i, const struct def_type *context)
{
    struct path_node *n = &p->nodes[i];
    struct chain c = {0};
    int r = flatten(a, p, i, context, &c);

    if (n->kind == NODE_LITERAL)
        n->literal =
            (struct path_item){.kind = n->op, .text = n->text, .unit = n->unit.p ? &n->unit : NULL};
    if (r > 0 && c.n) {
        n->kind = NODE_CHAIN;
        return keep_steps(a, n, &c);
    }
    if (r >= 0 && n->left != NO_NODE)
        r = chain_node(a, p, n->left, context);
    if (r < 0)
        return r;
    if (n->kind == NODE_MEMBER && p->nodes[n->left].kind != NODE_FOCUS) {
        c = (struct chain){.type = type_of(p, n->left, context)};
        return flatten_member(n->text, &c) ? keep_steps(a, n, &c) : 0;
    }
    if (n->kind == NODE_CALL && n->function->iterates)
        context = type_of(p, n->left, context);
    for (uint16_t arg = n->right; arg != NO_NODE; arg = p->nodes[arg].next) {
        r = chain_node(a, p, arg, context);
        if (r < 0)
            return r;
    }
    return 0;
}

int path_chain(struct arena *a, struct path *p, const struct def_type *context, struct err *err)
{
    return chain_node(a, p, p->root, context) < 0 ? err_no_memory(err) : 0;
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
