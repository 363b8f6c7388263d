/* What is the same for every item: `%resource.type` in where(type = %resource.type) need be found
 * once an evaluation, not once an item. Such nodes get a place where their result is kept. */
#include "fhir/path_int.h"

#define ARGUMENTS_MAX 16 /* of one call, as the table of functions has it */

/* What the result of a node depends on beside the resource, or'ed. */
#define ON_FOCUS 1u
#define ON_MORE 2u /* a variable, $index, $total, or how often it is asked */

static void keep(struct path *p, uint16_t i)
{
    struct path_node *n = &p->nodes[i];

    switch (n->kind) {
    case NODE_LITERAL:
    case NODE_EMPTY:
    case NODE_RESOURCE:
    case NODE_ROOT:
    case NODE_CONTEXT: return; /* at hand already */
    default: n->memo = ++p->n_memos;
    }
}

/* Functions that are heard outside or define something, or have an argument that is not evaluated
 * like the others. */
static bool is_special(const struct path_function *f)
{
    return str_eq(f->name, STR("trace")) || str_eq(f->name, STR("defineVariable")) ||
           str_eq(f->name, STR("aggregate"));
}

/* `in_loop`: the node is evaluated for each item of something. */
static unsigned depends(struct path *p, uint16_t i, bool in_loop)
{
    const struct path_node *n = &p->nodes[i];
    const struct path_function *f = n->kind == NODE_CALL ? n->function : NULL;
    bool loops = f && f->iterates;
    unsigned all, left = 0, right[ARGUMENTS_MAX] = {0};
    size_t k = 0;

    switch (n->kind) {
    case NODE_FOCUS: return ON_FOCUS;
    case NODE_VARIABLE:
    case NODE_INDEX_OF:
    case NODE_TOTAL: return ON_MORE;
    default: break;
    }
    if (n->left != NO_NODE && !(f && f->is_alone))
        left = depends(p, n->left, in_loop);
    all = left | (f && is_special(f) ? ON_MORE : 0);
    for (uint16_t arg = n->right; arg != NO_NODE; arg = p->nodes[arg].next, k++) {
        assert(k < ARGUMENTS_MAX);
        right[k] = depends(p, arg, in_loop || loops);
        all |= loops ? right[k] & ~ON_FOCUS : right[k];
    }
    /* Of what is the same as a whole, the whole is kept, by who asked. */
    if (in_loop && all && n->left != NO_NODE && !left && !(f && f->is_alone))
        keep(p, n->left);
    k = 0;
    for (uint16_t arg = n->right; arg != NO_NODE; arg = p->nodes[arg].next, k++)
        if (!right[k] && (loops || (in_loop && all)))
            keep(p, arg);
    return all;
}

void path_hoist(struct path *p)
{
    depends(p, p->root, false);
}
