/* What a strict path may not say: a member that no type on its way has, an order where there is
 * none. Types are followed as far as the definitions lead; what is not known is not refused. */
#include "fhir/path_int.h"

#include <ctype.h>

enum what { UNKNOWN, ELEMENTS, SYSTEM };

struct shape {
    enum what what;
    const struct def_type *one;         /* of ELEMENTS; or */
    const struct def_type *const *many; /* the types of a choice, then NULL */
    bool unordered;
};

struct check {
    const struct path *p;
    bool members_only; /* what is asked of items without an order is not looked at */
    struct err *err;
};

static int shape_of(const struct check *k, uint16_t i, const struct shape *focus,
                    struct shape *ret);

static const struct def_element *element_of(const struct def_type *t, struct str name)
{
    for (size_t i = 0; t && i < t->n_elements; i++)
        if (str_eq(t->elements[i].name, name))
            return &t->elements[i];
    return NULL;
}

static void set_types(struct shape *ret, const struct def_type *const *types)
{
    ret->what = ELEMENTS;
    if (types[0] && !types[1])
        ret->one = types[0];
    else
        ret->many = types;
    /* What a resource of any kind holds is known only when it is there. */
    if (ret->one && ret->one->is_abstract)
        ret->what = UNKNOWN;
}

static int no_member(const struct check *k, const struct path_node *n, const struct shape *left)
{
    if (left->one)
        return path_wrong(n, k->err, "%.*s has no element \"%.*s\"", STR_ARG(left->one->name),
                          (int)MIN(n->text.n, 64u), n->text.p);
    return path_wrong(n, k->err, "there is no element \"%.*s\"", (int)MIN(n->text.n, 64u),
                      n->text.p);
}

static int member(const struct check *k, const struct path_node *n, const struct shape *left,
                  struct shape *ret)
{
    const struct def_element *e = NULL;
    bool several = false;

    *ret = (struct shape){.unordered = left->unordered};
    if (left->what == UNKNOWN)
        return 0;
    if (left->one)
        e = element_of(left->one, n->text);
    for (size_t i = 0; left->many && left->many[i]; i++) {
        const struct def_element *other = element_of(left->many[i], n->text);
        several |= e && other;
        e = e ? e : other;
    }
    if (!e)
        return no_member(k, n, left);
    if (!several)
        set_types(ret, e->types);
    return 0;
}

/* A path may begin with the name of its focus' type. */
static int first_member(const struct check *k, const struct path_node *n, const struct shape *focus,
                        struct shape *ret)
{
    if (n->text.n && isupper((unsigned char)n->text.p[0]) && focus->what != UNKNOWN) {
        *ret = *focus;
        if (focus->one && path_type_is(focus->one, n->text))
            return 0;
        for (size_t i = 0; focus->many && focus->many[i]; i++)
            if (path_type_is(focus->many[i], n->text))
                return 0;
    }
    return member(k, n, focus, ret);
}

static int call(const struct check *k, const struct path_node *n, const struct shape *focus,
                const struct shape *left, struct shape *ret)
{
    const struct path_function *f = n->function;

    *ret = (struct shape){.what = UNKNOWN};
    if (f->needs_order && left->unordered && !k->members_only)
        return path_wrong(n, k->err, "%.*s() is called on items that have no order",
                          STR_ARG(n->text));
    for (uint16_t arg = n->right; arg != NO_NODE; arg = k->p->nodes[arg].next) {
        struct shape ignored;
        int r = shape_of(k, arg, f->iterates ? left : focus, &ignored);
        if (r < 0)
            return r;
    }
    switch ((enum path_gives)f->gives) {
    case GIVES_INPUT: *ret = *left; break;
    case GIVES_UNORDERED: ret->unordered = true; break;
    case GIVES_BOOLEAN:
    case GIVES_STRING:
    case GIVES_INTEGER: ret->what = SYSTEM; break;
    case GIVES_ANY:
    case GIVES_OTHER: break;
    }
    if (str_eq(f->name, STR("sort")))
        ret->unordered = false;
    return 0;
}

static int index_of(const struct check *k, const struct path_node *n, const struct shape *focus,
                    const struct shape *left, struct shape *ret)
{
    struct shape ignored;

    *ret = *left;
    if (left->unordered && !k->members_only)
        return path_wrong(n, k->err, "an index is put to items that have no order");
    return shape_of(k, n->right, focus, &ignored);
}

static int binary(const struct check *k, const struct path_node *n, const struct shape *focus,
                  const struct shape *left, struct shape *ret)
{
    struct shape right;
    int r = shape_of(k, n->right, focus, &right);

    *ret = (struct shape){.what = UNKNOWN};
    if (n->op == OP_UNION && left->what == ELEMENTS && right.what == ELEMENTS && left->one &&
        left->one == right.one)
        *ret = (struct shape){.what = ELEMENTS, .one = left->one};
    else if (n->op < OP_PLUS && n->op != OP_UNION)
        ret->what = SYSTEM;
    return r;
}

/* Nodes with something on their left. */
static int inner(const struct check *k, const struct path_node *n, const struct shape *focus,
                 struct shape *ret)
{
    struct shape left = {.what = UNKNOWN};
    int r = shape_of(k, n->left, focus, &left);

    if (r < 0)
        return r;
    switch (n->kind) {
    case NODE_MEMBER:
        return k->p->nodes[n->left].kind == NODE_FOCUS ? first_member(k, n, focus, ret)
                                                       : member(k, n, &left, ret);
    case NODE_CALL: return call(k, n, focus, &left, ret);
    case NODE_INDEX: return index_of(k, n, focus, &left, ret);
    case NODE_IS: *ret = (struct shape){.what = SYSTEM}; return 0;
    case NODE_AS:
        *ret = (struct shape){.unordered = left.unordered};
        if (n->type && !n->type->is_abstract) {
            ret->what = ELEMENTS;
            ret->one = n->type;
        }
        return 0;
    default: return binary(k, n, focus, &left, ret);
    }
}

static int shape_of(const struct check *k, uint16_t i, const struct shape *focus, struct shape *ret)
{
    const struct path_node *n = &k->p->nodes[i];
    struct shape ignored;

    *ret = (struct shape){.what = UNKNOWN};
    switch (n->kind) {
    case NODE_FOCUS: *ret = *focus; return 0;
    case NODE_LITERAL: ret->what = n->op == PATH_QUANTITY ? UNKNOWN : SYSTEM; return 0;
    case NODE_INDEX_OF: ret->what = SYSTEM; return 0;
    case NODE_NEGATE:
    case NODE_PLUS: return shape_of(k, n->right, focus, &ignored);
    default: return n->left == NO_NODE ? 0 : inner(k, n, focus, ret);
    }
}

int path_check(const struct path *p, const struct def_type *context, struct err *err)
{
    const struct check k = {.p = p, .err = err};
    struct shape focus = {.what = context ? ELEMENTS : UNKNOWN, .one = context}, ret;

    return shape_of(&k, p->root, &focus, &ret);
}

int path_check_members(const struct path *p, const struct def_type *const *types, struct err *err)
{
    const struct check k = {.p = p, .members_only = true, .err = err};
    struct shape focus = {.what = UNKNOWN}, ret;

    if (types[0])
        set_types(&focus, types);
    return shape_of(&k, p->root, &focus, &ret);
}
