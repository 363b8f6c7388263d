/* ecl_refine.c - refinements: attributes with values, their number, and their groups.
 *
 * A refinement becomes a tree, which is asked of each concept. An attribute counts the concept's
 * relationships that are like it, in one group or in all; a group counts the groups in which what
 * it holds is there. A relationship of group 0 is a group of its own.
 */
#include "terminology/ecl_int.h"

#include <math.h>
#include <stdlib.h>

#define MANY UINT64_MAX

enum node_kind { NODE_ALL, NODE_ANY, NODE_GROUP, NODE_ATTRIBUTE };

/* Where the attributes of an answer must stand. */
struct scope {
    bool all;
    struct str group; /* of a group with a number */
    size_t one;       /* of group 0: the relationship itself */
};

struct node {
    enum node_kind kind;
    struct node *first, *next; /* parts */
    uint64_t min, max;
    /* of an attribute */
    uint64_t *names, *values;
    uint32_t *reversed; /* how often a concept is the value, instead; NULL: not asked */
    enum comparison cmp;
    bool is_number, is_text;
    double number;
    struct str *texts;
    size_t n_texts;
};

static struct node *new_node(struct ecl *e, enum node_kind kind)
{
    struct node *n = ARENA_NEW(e->a, struct node);

    if (!n) {
        err_no_memory(e->err);
        return NULL;
    }
    n->kind = kind;
    n->min = 1;
    n->max = MANY;
    return n;
}

/* ---- asking ---- */

static bool concrete_is(const struct ecl *e, const struct node *n, const struct cs_property *p)
{
    struct str text = cs_text(e->cs, p->value);
    bool numeric = p->type == PROPERTY_INTEGER || p->type == PROPERTY_DECIMAL, among = false;
    double v;

    if (n->is_number)
        return numeric && (v = ecl_number_of(text), !isnan(v)) &&
               ecl_compares(n->cmp, v, n->number);
    if (numeric || p->type == PROPERTY_CODE)
        return false;
    for (size_t i = 0; i < n->n_texts; i++)
        among |= str_eq_nocase(text, n->texts[i]);
    return among == (n->cmp == CMP_EQ);
}

/* Whether a relationship is like the attribute. */
static bool is_like(const struct ecl *e, const struct node *n, const struct cs_property *p)
{
    uint32_t name = e->names[p->def], value;

    if (name == CS_NONE || !bits_has(n->names, name))
        return false;
    if (n->is_number || n->is_text)
        return concrete_is(e, n, p);
    value = p->type == PROPERTY_CODE ? cs_find(e->cs, cs_text(e->cs, p->value)) : CS_NONE;
    return value != CS_NONE && bits_has(n->values, value) == (n->cmp == CMP_EQ);
}

static bool is_in(const struct ecl *e, const struct scope *s, const struct cs_property *p, size_t k)
{
    struct str group = cs_text(e->cs, p->system);

    return s->all || (s->group.n ? str_eq(group, s->group) : k == s->one);
}

static bool holds(struct ecl *e, const struct node *n, uint32_t i, const struct scope *s);

static bool attribute_holds(struct ecl *e, const struct node *n, uint32_t i, const struct scope *s)
{
    size_t n_all;
    const struct cs_property *p = cs_properties(e->cs, i, &n_all);
    uint64_t count = 0;

    if (n->reversed)
        return n->reversed[i] >= n->min && n->reversed[i] <= n->max;
    e->cost += n_all;
    for (size_t k = 0; k < n_all; k++)
        count += is_in(e, s, &p[k], k) && is_like(e, n, &p[k]);
    return count >= n->min && count <= n->max;
}

static bool is_relationship(const struct ecl *e, const struct cs_property *p)
{
    return e->names[p->def] != CS_NONE;
}

static bool group_holds(struct ecl *e, const struct node *n, uint32_t i)
{
    size_t n_all;
    const struct cs_property *p = cs_properties(e->cs, i, &n_all);
    uint64_t count = 0;

    e->cost += n_all * n_all;
    for (size_t k = 0; k < n_all; k++) {
        struct scope s = {.group = cs_text(e->cs, p[k].system), .one = k};
        bool seen = !is_relationship(e, &p[k]);
        for (size_t m = 0; m < k && s.group.n && !seen; m++)
            seen = is_relationship(e, &p[m]) && str_eq(cs_text(e->cs, p[m].system), s.group);
        count += !seen && holds(e, n->first, i, &s);
    }
    return count >= n->min && count <= n->max;
}

static bool holds(struct ecl *e, const struct node *n, uint32_t i, const struct scope *s)
{
    switch (n->kind) {
    case NODE_ATTRIBUTE: return attribute_holds(e, n, i, s);
    case NODE_GROUP: return group_holds(e, n, i);
    default: break;
    }
    for (const struct node *part = n->first; part; part = part->next)
        if (holds(e, part, i, s) == (n->kind == NODE_ANY))
            return n->kind == NODE_ANY;
    return n->kind == NODE_ALL;
}

/* How often each concept is the value of such an attribute of one of the `values`. */
static int count_reversed(struct ecl *e, struct node *n)
{
    n->reversed = ARENA_ARRAY(e->a, uint32_t, cs_n(e->cs) + (size_t)1);
    if (!n->reversed)
        return err_no_memory(e->err);
    for (uint32_t i = 0; i < cs_n(e->cs); i++) {
        size_t n_all;
        const struct cs_property *p = cs_properties(e->cs, i, &n_all);
        e->cost += n_all;
        for (size_t k = 0; k < n_all; k++) {
            uint32_t name = e->names[p[k].def], value;
            if (name == CS_NONE || !bits_has(n->names, name) ||
                bits_has(n->values, i) != (n->cmp == CMP_EQ))
                continue;
            value = cs_find(e->cs, cs_text(e->cs, p[k].value));
            if (value != CS_NONE)
                n->reversed[value]++;
        }
    }
    return 0;
}

/* ---- reading ---- */

static int read_all(struct ecl *e, struct node **ret);

/* "[1..3]", "[0..*]" */
static int read_cardinality(struct ecl *e, struct node *n)
{
    if (!ecl_take(e, STR("[")))
        return 0;
    if (!ecl_number(e, &n->min) || !(ecl_take(e, STR("..")) || ecl_take(e, STR("to"))))
        return ecl_bad(e, "a cardinality like [1..3] or [0..*] is expected");
    if (!ecl_take(e, STR("*")) && !ecl_take(e, STR("many")) && !ecl_number(e, &n->max))
        return ecl_bad(e, "a cardinality like [1..3] or [0..*] is expected");
    if (!ecl_take(e, STR("]")))
        return ecl_bad(e, "a bracket is not closed");
    return n->max < n->min ? ecl_bad(e, "the cardinality allows no number") : 0;
}

static int add_text(struct ecl *e, struct node *n, struct str text)
{
    if (n->n_texts == ECL_VALUES_MAX)
        return err_set(e->err, ERR_COSTLY, "an attribute may name %d texts", ECL_VALUES_MAX);
    if (!n->texts && !(n->texts = ARENA_ARRAY(e->a, struct str, ECL_VALUES_MAX)))
        return err_no_memory(e->err);
    n->texts[n->n_texts++] = text;
    n->is_text = true;
    return 0;
}

/* #5, #-1.5, "text", ("text" "other"), true, false. 1; 0: it is a set of concepts. */
static int read_concrete(struct ecl *e, struct node *n)
{
    size_t from = e->at;
    bool list = ecl_take(e, STR("("));
    struct str text;
    int r = 0;

    if (!list && ecl_take(e, STR("#"))) {
        n->is_number = true;
        return (r = ecl_decimal(e, &n->number)) < 0 ? r : 1;
    }
    if (!list && (ecl_take(e, STR("true")) || ecl_take(e, STR("false"))))
        return (r = add_text(e, n, str_trim(str_n(e->text.p + from, e->at - from)))) < 0 ? r : 1;
    while (r >= 0 && (list || !n->is_text) && ecl_take(e, STR("\"")))
        if ((r = ecl_quoted(e, &text)) >= 0)
            r = add_text(e, n, text);
    if (r < 0)
        return r;
    if (!n->is_text) {
        e->at = from; /* a parenthesis of another kind */
        return 0;
    }
    return list && !ecl_take(e, STR(")")) ? ecl_bad(e, "a closing parenthesis is missing") : 1;
}

static int read_attribute(struct ecl *e, struct node *n)
{
    bool reversed = ecl_take(e, STR("R")) || ecl_take(e, STR("reverseOf"));
    int r;

    n->kind = NODE_ATTRIBUTE;
    if (!(n->names = ecl_bits(e)) || !(n->values = ecl_bits(e)))
        return ecl_no_bits(e);
    if ((r = ecl_sub(e, n->names)) < 0)
        return r;
    if (!ecl_comparison(e, &n->cmp))
        return ecl_bad(e, "= or != is expected");
    if ((r = read_concrete(e, n)) != 0) {
        if (r > 0 && !n->is_number && n->cmp != CMP_EQ && n->cmp != CMP_NE)
            return ecl_bad(e, "only numbers have an order");
        return MIN(r, 0);
    }
    if (n->cmp != CMP_EQ && n->cmp != CMP_NE)
        return ecl_bad(e, "only numbers have an order");
    if ((r = ecl_sub(e, n->values)) < 0)
        return r;
    return reversed ? count_reversed(e, n) : 0;
}

static int read_bracketed(struct ecl *e, struct str end, struct node **ret)
{
    int r = ecl_enter(e);

    if (r < 0)
        return r;
    r = read_all(e, ret);
    ecl_leave(e);
    return r >= 0 && !ecl_take(e, end) ? ecl_bad(e, "a bracket is not closed") : r;
}

static int read_one(struct ecl *e, struct node **ret)
{
    struct node *n;
    int r;

    if (ecl_take(e, STR("(")))
        return read_bracketed(e, STR(")"), ret);
    n = *ret = new_node(e, NODE_GROUP);
    if (!n)
        return ERR_NO_MEMORY;
    if ((r = read_cardinality(e, n)) < 0)
        return r;
    return ecl_take(e, STR("{")) ? read_bracketed(e, STR("}"), &n->first) : read_attribute(e, n);
}

/* Parts with one word between them; where the words change, what stands before is one part. */
static int read_all(struct ecl *e, struct node **ret)
{
    struct node *all, *last;
    int r = read_one(e, ret);

    for (bool first = true; r >= 0; first = false) {
        bool both = ecl_take(e, STR(",")) || ecl_take(e, STR("AND"));
        enum node_kind kind = both ? NODE_ALL : NODE_ANY;
        if (!both && !ecl_take(e, STR("OR")))
            break;
        if (first || (*ret)->kind != kind) {
            if (!(all = new_node(e, kind)))
                return ERR_NO_MEMORY;
            all->first = *ret;
            *ret = all;
        }
        for (last = (*ret)->first; last->next; last = last->next)
            ;
        r = read_one(e, &last->next);
    }
    return r;
}

int ecl_refinement(struct ecl *e, uint64_t *to)
{
    struct scope s = {.all = true};
    struct node *n;
    int r = read_all(e, &n);

    for (uint32_t i = bits_next(to, cs_n(e->cs), 0); r >= 0 && i != CS_NONE;
         i = bits_next(to, cs_n(e->cs), i + 1))
        if ((r = ecl_check_cost(e)) >= 0 && !holds(e, n, i, &s))
            to[i / 64] &= ~(UINT64_C(1) << i % 64);
    return r;
}
