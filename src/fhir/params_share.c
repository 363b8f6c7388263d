/* params_share.c - parameters whose keys others hold already.
 *
 * `patient` is `subject` where that is a Patient, `combo-code` is `code` and `component-code`
 * together, `combo-code-value-quantity` the composites of both, `phonetic` is `name`: the
 * expressions say so. Such keys are stored once.
 */
#include "fhir/params_int.h"

bool param_has_own(const struct param *p)
{
    return p->spans[0].list == p->def.id;
}

bool param_shares(const struct param *p)
{
    return p->n_spans > 1 || !param_has_own(p);
}

/* Whether two composites look for the same in an item; others have no components. */
static bool same_components(const struct def_param *a, const struct def_param *b)
{
    bool same = a->n_components == b->n_components;

    for (size_t i = 0; same && i < a->n_components; i++)
        same = a->components[i].kind == b->components[i].kind &&
               str_eq(a->components[i].expression, b->components[i].expression);
    return same;
}

/* The first of the parameters of p's type and kind with this expression that has a list alone. */
static struct param *with_expression(struct param *of, size_t n, const struct param *p,
                                     struct str expression)
{
    for (size_t i = 0; i < n; i++)
        if (&of[i] != p && of[i].def.kind == p->def.kind && !param_shares(&of[i]) &&
            str_eq(of[i].def.expression, expression) && same_components(&of[i].def, &p->def))
            return &of[i];
    return NULL;
}

/* The same expression. */
static bool share_same(struct param *of, size_t n, struct param *p)
{
    const struct param *like = with_expression(of, n, p, p->def.expression);

    if (!like)
        return false;
    p->spans[0].list = like->def.id;
    return true;
}

/* X.where(resolve() is Type): the list of X has its local references. */
static bool share_type(struct param *of, size_t n, struct param *p)
{
    static const char where[] = ".where(resolve() is ";
    struct str text = p->def.expression;
    const char *at =
        p->def.kind != PARAM_REFERENCE ? NULL : memmem(text.p, text.n, where, sizeof where - 1);
    size_t head = at ? (size_t)(at - text.p) : 0;
    const struct param *like;
    struct str name;
    int type;

    if (!at || !str_ends(text, STR(")")))
        return false;
    name = str_from(text, head + sizeof where - 1);
    type = def_resource(str_head(name, name.n - 1));
    like = with_expression(of, n, p, str_head(text, head));
    if (!type || !like)
        return false;
    p->spans[1] = (struct param_span){.list = like->def.id, .type = (uint8_t)type};
    p->n_spans = 2;
    return true;
}

/* X | Y, where both have lists. */
static bool share_union(struct param *of, size_t n, struct param *p)
{
    struct str text = p->def.expression;

    for (size_t at = 0; at + 3 < text.n; at++) {
        const struct param *x, *y;

        if (memcmp(text.p + at, " | ", 3) != 0 ||
            !(x = with_expression(of, n, p, str_head(text, at))) ||
            !(y = with_expression(of, n, p, str_from(text, at + 3))))
            continue;
        p->spans[0].list = x->def.id;
        p->spans[1] = (struct param_span){.list = y->def.id};
        p->n_spans = 2;
        return true;
    }
    return false;
}

/* What the parameter did for compartments is done where its references are found. */
static void share_compartments(struct param *of, struct param_more *more, size_t n,
                               const struct param *p, uint8_t compartments)
{
    for (size_t s = 0; s < p->n_spans; s++)
        for (size_t i = 0; i < n; i++)
            for (int c = 0; c < COMPARTMENT_COUNT && of[i].def.id == p->spans[s].list; c++)
                if (!p->spans[s].type ||
                    def_compartment_type((enum def_compartment)c) == p->spans[s].type)
                    more[i].compartments |= (uint8_t)(compartments & 1u << c);
}

static void share_on_type(struct param *of, struct param_more *more, size_t n)
{
    static bool (*const ways[])(struct param * of, size_t n,
                                struct param * p) = {share_same, share_type, share_union};

    /* A way at a time, the later parameters of the type first: each but the first with one
     * expression shares, and none shares with one that shares. */
    for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
        for (size_t i = n; i-- > 0;) {
            struct param *p = &of[i];

            if (!p->def.expression.n || p->def.kind == PARAM_SPECIAL || param_shares(p))
                continue;
            if (ways[w](of, n, p))
                share_compartments(of, more, n, p, more[i].compartments);
        }
    }
}

void params_share(struct param *params, struct param_more *more, size_t n)
{
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && params[to].def.type == params[from].def.type;)
            to++;
        share_on_type(params + from, more + from, to - from);
    }
}
