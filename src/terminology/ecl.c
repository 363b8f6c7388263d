#include "terminology/ecl.h"

#include <ctype.h>

struct ecl {
    const struct cs *cs;
    struct arena *a;
    struct str text;
    size_t at;
    size_t depth, parts;
    struct err *err;
};

enum ecl_operator {
    OP_SELF,
    OP_DESCENDANTS,
    OP_DESCENDANTS_SELF,
    OP_CHILDREN,
    OP_CHILDREN_SELF,
    OP_ANCESTORS,
    OP_ANCESTORS_SELF,
    OP_PARENTS,
    OP_PARENTS_SELF,
};

bool ecl_is_for(const struct cs *cs, struct str property)
{
    return str_eq(cs_url(cs), STR("http://snomed.info/sct")) &&
           (str_eq(property, STR("constraint")) || str_eq(property, STR("expression")));
}

static int bad(struct ecl *e, const char *what)
{
    return err_set(e->err, ERR_VALUE, "the expression constraint is wrong at place %zu: %s",
                   e->at + 1, what);
}

/* ---- words ---- */

static void skip(struct ecl *e)
{
    for (;;) {
        struct str rest = str_from(e->text, e->at);
        if (rest.n && isspace((unsigned char)rest.p[0])) {
            e->at++;
        } else if (str_starts(rest, STR("/*"))) {
            size_t i = 2;
            while (i + 1 < rest.n && (rest.p[i] != '*' || rest.p[i + 1] != '/'))
                i++;
            e->at += MIN(i + 2, rest.n);
        } else {
            return;
        }
    }
}

static bool take(struct ecl *e, struct str word)
{
    struct str rest;

    skip(e);
    rest = str_from(e->text, e->at);
    if (rest.n < word.n || !str_eq_nocase(str_head(rest, word.n), word))
        return false;
    /* A word of letters ends where the letters end. */
    if (isalpha((unsigned char)word.p[0]) && rest.n > word.n &&
        isalnum((unsigned char)rest.p[word.n]))
        return false;
    e->at += word.n;
    return true;
}

static bool sees(struct ecl *e, struct str word)
{
    size_t at = e->at;
    bool yes = take(e, word);

    e->at = at;
    return yes;
}

static uint64_t *new_bits(struct ecl *e)
{
    uint64_t *bits = ARENA_ARRAY(e->a, uint64_t, bits_words(cs_n(e->cs)) + 1);

    if (!bits)
        err_no_memory(e->err);
    return bits;
}

static enum ecl_operator take_operator(struct ecl *e)
{
    static const struct {
        struct str text;
        enum ecl_operator op;
    } table[] = {
        {STR("<<!"), OP_CHILDREN_SELF},   {STR(">>!"), OP_PARENTS_SELF},
        {STR("<<"), OP_DESCENDANTS_SELF}, {STR(">>"), OP_ANCESTORS_SELF},
        {STR("<!"), OP_CHILDREN},         {STR(">!"), OP_PARENTS},
        {STR("<"), OP_DESCENDANTS},       {STR(">"), OP_ANCESTORS},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (take(e, table[i].text))
            return table[i].op;
    return OP_SELF;
}

/* ---- sets ---- */

static void add_links(const struct cs *cs, uint32_t i, bool up, uint64_t *to)
{
    size_t n;
    const uint32_t *links = up ? cs_parents(cs, i, &n) : cs_children(cs, i, &n);

    for (size_t k = 0; k < n; k++)
        bits_add(to, links[k]);
}

/* On from what `to` has, as far as the links go; each concept is met once. */
static int close_over(struct ecl *e, bool up, uint64_t *to)
{
    uint32_t n = cs_n(e->cs);
    uint32_t *stack = arena_alloc(e->a, sizeof *stack * (n + 1));
    size_t n_stack = 0;

    if (!stack)
        return err_no_memory(e->err);
    for (uint32_t i = bits_next(to, n, 0); i != CS_NONE; i = bits_next(to, n, i + 1))
        stack[n_stack++] = i;
    while (n_stack) {
        size_t n_links;
        uint32_t i = stack[--n_stack];
        const uint32_t *links =
            up ? cs_parents(e->cs, i, &n_links) : cs_children(e->cs, i, &n_links);
        for (size_t k = 0; k < n_links; k++)
            if (!bits_has(to, links[k])) {
                bits_add(to, links[k]);
                stack[n_stack++] = links[k];
            }
    }
    return 0;
}

static int reach_from(struct ecl *e, enum ecl_operator op, const uint64_t *of, uint64_t *to)
{
    static const struct {
        bool up, far, self;
    } ways[] = {
        [OP_DESCENDANTS] = {false, true, false}, [OP_DESCENDANTS_SELF] = {false, true, true},
        [OP_CHILDREN] = {false, false, false},   [OP_CHILDREN_SELF] = {false, false, true},
        [OP_ANCESTORS] = {true, true, false},    [OP_ANCESTORS_SELF] = {true, true, true},
        [OP_PARENTS] = {true, false, false},     [OP_PARENTS_SELF] = {true, false, true},
    };
    uint32_t n = cs_n(e->cs);
    int r = 0;

    for (uint32_t i = bits_next(of, n, 0); i != CS_NONE; i = bits_next(of, n, i + 1))
        add_links(e->cs, i, ways[op].up, to);
    if (ways[op].far)
        r = close_over(e, ways[op].up, to);
    for (size_t w = 0; ways[op].self && w < bits_words(n); w++)
        to[w] |= of[w];
    return r;
}

/* The concepts that are members of one of the reference sets `of`. */
static void members_of(const struct ecl *e, const uint64_t *of, uint64_t *to)
{
    int def = cs_property_find(e->cs, STR(ECL_MEMBER));

    for (uint32_t i = 0; def >= 0 && i < cs_n(e->cs); i++) {
        size_t n;
        const struct cs_property *p = cs_properties(e->cs, i, &n);
        for (size_t k = 0; k < n; k++) {
            uint32_t set =
                (int)p[k].def == def ? cs_find(e->cs, cs_text(e->cs, p[k].value)) : CS_NONE;
            if (set != CS_NONE && bits_has(of, set))
                bits_add(to, i);
        }
    }
}

static int expression(struct ecl *e, uint64_t *to);

static int concept(struct ecl *e, uint64_t *to)
{
    size_t from, i;
    struct str code;
    uint32_t found;

    skip(e);
    for (from = i = e->at; i < e->text.n && isdigit((unsigned char)e->text.p[i]); i++)
        ;
    code = str_n(e->text.p + from, i - from);
    if (!code.n)
        return bad(e, "a concept, * or ( is expected");
    found = cs_find(e->cs, code);
    if (found == CS_NONE)
        return bad(e, "this concept does not exist");
    bits_add(to, found);
    e->at = i;
    if (take(e, STR("|"))) {
        while (e->at < e->text.n && e->text.p[e->at] != '|')
            e->at++;
        if (!take(e, STR("|")))
            return bad(e, "the bar behind the term is missing");
    }
    return 0;
}

static int simple(struct ecl *e, uint64_t *to)
{
    int r;

    if (++e->parts > ECL_PARTS_MAX)
        return err_set(e->err, ERR_COSTLY, "an expression constraint may have %d parts",
                       ECL_PARTS_MAX);
    if (take(e, STR("*"))) {
        for (uint32_t i = 0; i < cs_n(e->cs); i++)
            bits_add(to, i);
        return 0;
    }
    if (!take(e, STR("(")))
    return concept(e, to);
    if (e->depth >= ECL_DEPTH_MAX)
        return err_set(e->err, ERR_COSTLY, "an expression constraint may be nested %d deep",
                       ECL_DEPTH_MAX);
    e->depth++;
    r = expression(e, to);
    e->depth--;
    if (r >= 0 && !take(e, STR(")")))
        r = bad(e, "a closing parenthesis is missing");
    return r;
}

static int sub(struct ecl *e, uint64_t *to)
{
    enum ecl_operator op = take_operator(e);
    bool members = take(e, STR("^"));
    uint64_t *of = op == OP_SELF && !members ? to : new_bits(e), *set;
    int r;

    if (!of)
        return e->err ? e->err->code : ERR_NO_MEMORY;
    r = simple(e, of);
    if (r >= 0 && take(e, STR(".")))
        r = bad(e, "dotted attributes are not supported");
    if (r >= 0 && sees(e, STR("{{")))
        r = bad(e, "filters are not supported");
    if (r >= 0 && members) {
        set = op == OP_SELF ? to : new_bits(e);
        if (!set)
            return e->err ? e->err->code : ERR_NO_MEMORY;
        members_of(e, of, set);
        of = set;
    }
    return r < 0 || op == OP_SELF ? r : reach_from(e, op, of, to);
}

/* ---- refinements ---- */

/* Concepts with an attribute of `names` whose value is one of `values` (or, reversed, concepts that
 * are such a value of one of `values`). */
static void having(const struct ecl *e, const uint64_t *names, const uint64_t *values, bool equal,
                   bool reversed, uint64_t *to)
{
    size_t n_defs;
    const struct cs_property_def *defs = cs_property_defs(e->cs, &n_defs);

    for (uint32_t i = 0; i < cs_n(e->cs); i++) {
        size_t n;
        const struct cs_property *p = cs_properties(e->cs, i, &n);
        for (size_t k = 0; k < n; k++) {
            uint32_t name = cs_find(e->cs, cs_text(e->cs, defs[p[k].def].code)), value;
            if (name == CS_NONE || !bits_has(names, name))
                continue;
            value = cs_find(e->cs, cs_text(e->cs, p[k].value));
            if (value == CS_NONE)
                continue;
            if (!reversed && bits_has(values, value) == equal)
                bits_add(to, i);
            else if (reversed && bits_has(values, i) == equal)
                bits_add(to, value);
        }
    }
}

static int refinement(struct ecl *e, uint64_t *to);

static int bracketed(struct ecl *e, uint64_t *to, struct str end)
{
    int r;

    if (e->depth >= ECL_DEPTH_MAX)
        return err_set(e->err, ERR_COSTLY, "an expression constraint may be nested %d deep",
                       ECL_DEPTH_MAX);
    e->depth++;
    r = refinement(e, to);
    e->depth--;
    return r >= 0 && !take(e, end) ? bad(e, "a bracket is not closed") : r;
}

static int one_refinement(struct ecl *e, uint64_t *to)
{
    uint64_t *names, *values;
    bool reversed, equal;
    int r;

    if (take(e, STR("[")))
        return bad(e, "cardinalities are not supported");
    if (take(e, STR("{")))
        return bracketed(e, to, STR("}"));
    if (take(e, STR("(")))
        return bracketed(e, to, STR(")"));
    names = new_bits(e);
    values = new_bits(e);
    if (!names || !values)
        return e->err ? e->err->code : ERR_NO_MEMORY;
    reversed = take(e, STR("R"));
    if ((r = sub(e, names)) < 0)
        return r;
    equal = !take(e, STR("!="));
    if (equal && !take(e, STR("=")))
        return bad(e, "= or != is expected");
    if (sees(e, STR("#")) || sees(e, STR("\"")))
        return bad(e, "concrete values are not supported");
    if ((r = sub(e, values)) < 0)
        return r;
    having(e, names, values, equal, reversed, to);
    return 0;
}

static int refinement(struct ecl *e, uint64_t *to)
{
    size_t words = bits_words(cs_n(e->cs));
    int r = one_refinement(e, to);

    while (r >= 0) {
        bool both = take(e, STR(",")) || take(e, STR("AND")), any = !both && take(e, STR("OR"));
        uint64_t *more;
        if (!both && !any)
            break;
        more = new_bits(e);
        if (!more)
            return e->err ? e->err->code : ERR_NO_MEMORY;
        r = one_refinement(e, more);
        for (size_t w = 0; w < words; w++)
            to[w] = both ? to[w] & more[w] : to[w] | more[w];
    }
    return r;
}

/* ---- the whole ---- */

static int expression(struct ecl *e, uint64_t *to)
{
    size_t words = bits_words(cs_n(e->cs));
    int r = sub(e, to);

    while (r >= 0) {
        bool both = take(e, STR("AND")) || take(e, STR(",")), any = !both && take(e, STR("OR"));
        bool minus = !both && !any && take(e, STR("MINUS")), refine;
        uint64_t *more;
        refine = !both && !any && !minus && take(e, STR(":"));
        if (!both && !any && !minus && !refine)
            break;
        more = new_bits(e);
        if (!more)
            return e->err ? e->err->code : ERR_NO_MEMORY;
        r = refine ? refinement(e, more) : sub(e, more);
        for (size_t w = 0; w < words; w++)
            to[w] = any ? to[w] | more[w] : minus ? to[w] & ~more[w] : to[w] & more[w];
    }
    return r;
}

int ecl_select(const struct cs *cs, struct arena *a, struct str text, uint64_t *bits,
               struct err *err)
{
    struct ecl e = {.cs = cs, .a = a, .text = text, .err = err};
    int r;

    if (text.n > ECL_TEXT_MAX)
        return err_set(err, ERR_COSTLY, "an expression constraint may have %zu bytes",
                       ECL_TEXT_MAX);
    r = expression(&e, bits);
    skip(&e);
    if (r >= 0 && e.at < e.text.n)
        r = bad(&e, "nothing more is expected");
    return r;
}
