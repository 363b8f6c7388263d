#include "terminology/ecl.h"

#include "terminology/ecl_int.h"

#include <ctype.h>

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
    OP_TOP,
    OP_BOTTOM,
};

static bool is_snomed(const struct cs *cs)
{
    return str_eq(cs_url(cs), STR("http://snomed.info/sct"));
}

struct str snomed_role_group(const struct cs *cs, const struct cs_property *p)
{
    size_t n;

    if (!p->system || p->type == PROPERTY_CODING || !is_snomed(cs) ||
        str_eq(cs_text(cs, cs_property_defs(cs, &n)[p->def].code), STR(SNOMED_ALTERNATE)))
        return STR("");
    return cs_text(cs, p->system);
}

bool ecl_is_for(const struct cs *cs, struct str property)
{
    return is_snomed(cs) &&
           (str_eq(property, STR("constraint")) || str_eq(property, STR("expression")));
}

int ecl_bad(struct ecl *e, const char *what)
{
    return err_set(e->err, ERR_VALUE, "the expression constraint is wrong at place %zu: %s",
                   e->at + 1, what);
}

/* ---- words ---- */

void ecl_skip(struct ecl *e)
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

bool ecl_take(struct ecl *e, struct str word)
{
    struct str rest;

    ecl_skip(e);
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

bool ecl_sees(struct ecl *e, struct str word)
{
    size_t at = e->at;
    bool yes = ecl_take(e, word);

    e->at = at;
    return yes;
}

uint64_t *ecl_bits(struct ecl *e)
{
    uint64_t *bits = ARENA_ARRAY(e->a, uint64_t, bits_words(cs_n(e->cs)) + 1);

    if (!bits)
        err_no_memory(e->err);
    return bits;
}

int ecl_no_bits(const struct ecl *e)
{
    return e->err ? (int)e->err->code : ERR_NO_MEMORY;
}

int ecl_check_cost(struct ecl *e)
{
    if (e->cost <= ECL_COST_MAX)
        return 0;
    return err_set(e->err, ERR_COSTLY,
                   "the expression constraint looks at more than %d relationships", ECL_COST_MAX);
}

int ecl_enter(struct ecl *e)
{
    if (e->depth >= ECL_DEPTH_MAX)
        return err_set(e->err, ERR_COSTLY, "an expression constraint may be nested %d deep",
                       ECL_DEPTH_MAX);
    e->depth++;
    return 0;
}

void ecl_leave(struct ecl *e)
{
    e->depth--;
}

bool ecl_number(struct ecl *e, uint64_t *ret)
{
    size_t from;

    ecl_skip(e);
    for (from = e->at; e->at < e->text.n && isdigit((unsigned char)e->text.p[e->at]);)
        e->at++;
    return e->at > from && str_to_u64(str_n(e->text.p + from, e->at - from), UINT32_MAX, ret);
}

static enum ecl_operator take_operator(struct ecl *e)
{
    static const struct {
        struct str text;
        enum ecl_operator op;
    } table[] = {
        {STR("!!>"), OP_TOP},
        {STR("!!<"), OP_BOTTOM},
        {STR("<<!"), OP_CHILDREN_SELF},
        {STR(">>!"), OP_PARENTS_SELF},
        {STR("<<"), OP_DESCENDANTS_SELF},
        {STR(">>"), OP_ANCESTORS_SELF},
        {STR("<!"), OP_CHILDREN},
        {STR(">!"), OP_PARENTS},
        {STR("<"), OP_DESCENDANTS},
        {STR(">"), OP_ANCESTORS},
        {STR("descendantOf"), OP_DESCENDANTS},
        {STR("descendantOrSelfOf"), OP_DESCENDANTS_SELF},
        {STR("childOf"), OP_CHILDREN},
        {STR("childOrSelfOf"), OP_CHILDREN_SELF},
        {STR("ancestorOf"), OP_ANCESTORS},
        {STR("ancestorOrSelfOf"), OP_ANCESTORS_SELF},
        {STR("parentOf"), OP_PARENTS},
        {STR("parentOrSelfOf"), OP_PARENTS_SELF},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (ecl_take(e, table[i].text))
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

/* Those of a set that have none of it above them (top), or below (bottom). */
static int outermost(struct ecl *e, bool top, const uint64_t *of, uint64_t *to)
{
    uint32_t n = cs_n(e->cs);
    int r;

    for (uint32_t i = bits_next(of, n, 0); i != CS_NONE; i = bits_next(of, n, i + 1))
        add_links(e->cs, i, !top, to);
    if ((r = close_over(e, !top, to)) < 0)
        return r;
    for (size_t w = 0; w < bits_words(n); w++)
        to[w] = of[w] & ~to[w];
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

static int simple_sub(struct ecl *e, uint64_t *to);

int ecl_term(struct ecl *e)
{
    if (!ecl_take(e, STR("|")))
        return 0;
    while (e->at < e->text.n && e->text.p[e->at] != '|')
        e->at++;
    return ecl_take(e, STR("|")) ? 0 : ecl_bad(e, "the bar behind the term is missing");
}

int ecl_reference(struct ecl *e, struct str *ret)
{
    size_t from, i;

    ecl_skip(e);
    for (from = i = e->at; i < e->text.n && isdigit((unsigned char)e->text.p[i]); i++)
        ;
    if (i == from)
        return ecl_bad(e, "a concept is expected");
    *ret = str_n(e->text.p + from, i - from);
    e->at = i;
    return ecl_term(e);
}

static int concept(struct ecl *e, uint64_t *to)
{
    struct str code;
    uint32_t found;
    size_t at;
    int r;

    ecl_skip(e);
    at = e->at;
    if (at >= e->text.n || !isdigit((unsigned char)e->text.p[at]))
        return ecl_bad(e, "a concept, * or ( is expected");
    if ((r = ecl_reference(e, &code)) < 0)
        return r;
    found = cs_find(e->cs, code);
    if (found == CS_NONE) {
        e->at = at;
        return ecl_bad(e, "this concept does not exist");
    }
    bits_add(to, found);
    return 0;
}

int ecl_focus(struct ecl *e, uint64_t *to)
{
    int r;

    if (++e->parts > ECL_PARTS_MAX)
        return err_set(e->err, ERR_COSTLY, "an expression constraint may have %d parts",
                       ECL_PARTS_MAX);
    if (ecl_take(e, STR("*")) || ecl_take(e, STR("any"))) {
        for (uint32_t i = 0; i < cs_n(e->cs); i++)
            bits_add(to, i);
        return 0;
    }
    if (ecl_sees_alternate(e))
        return ecl_alternate(e, to);
    if (!ecl_take(e, STR("(")))
    return concept(e, to);
    if ((r = ecl_enter(e)) < 0)
        return r;
    r = ecl_expression(e, to);
    ecl_leave(e);
    if (r >= 0 && !ecl_take(e, STR(")")))
        r = ecl_bad(e, "a closing parenthesis is missing");
    return r;
}

/* The values that the concepts of a set have for an attribute. */
static int follow_dot(struct ecl *e, uint64_t *set)
{
    uint64_t *names = ecl_bits(e), *values = ecl_bits(e);
    int r;

    if (!names || !values)
        return ecl_no_bits(e);
    if ((r = simple_sub(e, names)) < 0)
        return r;
    for (uint32_t i = bits_next(set, cs_n(e->cs), 0); i != CS_NONE;
         i = bits_next(set, cs_n(e->cs), i + 1)) {
        size_t n;
        const struct cs_property *p = cs_properties(e->cs, i, &n);
        for (size_t k = 0; k < n; k++) {
            uint32_t name = e->names[p[k].def], value;
            if (name == CS_NONE || !bits_has(names, name) || p[k].type != PROPERTY_CODE)
                continue;
            value = cs_find(e->cs, cs_text(e->cs, p[k].value));
            if (value != CS_NONE)
                bits_add(values, value);
        }
    }
    memcpy(set, values, bits_words(cs_n(e->cs)) * sizeof *set);
    return 0;
}

/* A set with the operators before it. */
static int simple_sub(struct ecl *e, uint64_t *to)
{
    enum ecl_operator op = take_operator(e);
    uint64_t *of = op == OP_SELF ? to : ecl_bits(e);
    int r;

    if (!of)
        return ecl_no_bits(e);
    r = ecl_take(e, STR("^")) || ecl_take(e, STR("memberOf")) ? ecl_member_of(e, of)
                                                              : ecl_focus(e, of);
    if (r < 0 || op == OP_SELF)
        return r;
    return op == OP_TOP || op == OP_BOTTOM ? outermost(e, op == OP_TOP, of, to)
                                           : reach_from(e, op, of, to);
}

int ecl_sub(struct ecl *e, uint64_t *to)
{
    int r = simple_sub(e, to);
    bool history = false; /* the last thing that a set may have in braces */

    while (r >= 0) {
        if (!history && ecl_take(e, STR("{{")))
            r = (history = ecl_take(e, STR("+"))) ? ecl_history(e, to) : ecl_filter(e, to);
        else if (ecl_sees(e, STR("..")) || !ecl_take(e, STR(".")))
            break;
        else
            r = follow_dot(e, to);
    }
    return r;
}

/* ---- the whole ---- */

int ecl_expression(struct ecl *e, uint64_t *to)
{
    size_t words = bits_words(cs_n(e->cs));
    int r = ecl_sub(e, to);

    while (r >= 0) {
        bool both = ecl_take(e, STR("AND")) || ecl_take(e, STR(",")),
             any = !both && ecl_take(e, STR("OR"));
        bool minus = !both && !any && ecl_take(e, STR("MINUS"));
        uint64_t *more;
        if (!both && !any && !minus) {
            if (!ecl_take(e, STR(":")))
                break;
            r = ecl_refinement(e, to);
            continue;
        }
        more = ecl_bits(e);
        if (!more)
            return ecl_no_bits(e);
        r = ecl_sub(e, more);
        for (size_t w = 0; w < words; w++)
            to[w] = any ? to[w] | more[w] : minus ? to[w] & ~more[w] : to[w] & more[w];
    }
    return r;
}

/* Which attribute each property is: those that are no concepts are none. */
static int name_properties(struct ecl *e)
{
    size_t n;
    const struct cs_property_def *defs = cs_property_defs(e->cs, &n);

    e->names = ARENA_ARRAY(e->a, uint32_t, n + 1);
    for (size_t i = 0; e->names && i < n; i++)
        e->names[i] = cs_find(e->cs, cs_text(e->cs, defs[i].code));
    return e->names ? 0 : err_no_memory(e->err);
}

int ecl_select(const struct cs *cs, struct arena *a, struct str text, uint64_t *bits,
               struct err *err)
{
    struct ecl e = {.cs = cs, .a = a, .text = text, .err = err};
    int r;

    if (text.n > ECL_TEXT_MAX)
        return err_set(err, ERR_COSTLY, "an expression constraint may have %zu bytes",
                       ECL_TEXT_MAX);
    if ((r = name_properties(&e)) < 0)
        return r;
    r = ecl_expression(&e, bits);
    ecl_skip(&e);
    if (r >= 0 && e.at < e.text.n)
        r = ecl_bad(&e, "nothing more is expected");
    return r;
}
