/* search_text.c - _text and _content: words, "phrases", beginnings*, and, or, not, parentheses.
 *
 * words are joined by and where nothing else is said; or binds less than and. Each word narrows by
 * its keys; for a phrase the resource decides whether its words follow one another. Where the words
 * are not indexed, every resource of the type is a candidate.
 */
#include "fhir/search_int.h"

#include "fhir/fold.h"
#include "fhir/text.h"

#define PHRASE_MAX 64 /* tokens of one phrase */

struct words {
    struct str text;
    size_t at;
    bool all; /* _content */
};

/* ---- one phrase ---- */

struct tokens {
    struct arena *a;
    struct str p[PHRASE_MAX];
    size_t n;
    bool full;
};

static int add_token(void *ctx, struct str token)
{
    struct tokens *t = ctx;

    if (t->n == PHRASE_MAX) {
        t->full = true;
        return 1;
    }
    t->p[t->n++] = token;
    return 0;
}

/* Whether `b` is what is left of `a` without its first character: the last character alone. */
static bool is_tail(struct str a, struct str b)
{
    return b.n < a.n && str_ends(a, b) && (unsigned char)b.p[0] >= 0x80;
}

static int add_range(struct search_parse *p, struct search_clause *c, uint16_t list,
                     const struct key *k, struct key_range r)
{
    struct key hi = *k;
    struct key_range *more =
        arena_grow(p->a, c->ranges, c->n_ranges * sizeof *more, (c->n_ranges + 1) * sizeof *more);

    if (!more)
        return err_no_memory(p->err);
    if (p->n_ranges++ == SEARCH_RANGES_MAX)
        return err_set(p->err, ERR_COSTLY, "the search asks for more than %d ranges of values",
                       SEARCH_RANGES_MAX);
    key_after(&hi);
    r.param = list;
    r.lo = arena_dup(p->a, key_view(k));
    r.hi = k->n ? arena_dup(p->a, key_view(&hi)) : arena_dup(p->a, STR("\xff"));
    if (!r.lo.p || !r.hi.p)
        return err_no_memory(p->err);
    c->ranges = more;
    c->ranges[c->n_ranges++] = r;
    return 0;
}

int search_all_rows(struct search_parse *p, struct search_clause *c)
{
    const struct search *s = p->s;
    size_t n = s->type ? 1 : s->n_types ? s->n_types : DEF_RESOURCE_MAX;
    const struct key none = {.n = 0};
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        int type = s->type ? s->type : s->n_types ? s->types[i] : (int)i + 1;
        r = add_range(p, c, (uint16_t)(INDEX_PARAM_TYPE + type), &none,
                      (struct key_range){.point = true, .lossy = true});
    }
    return r;
}

/* A token's keys, and those of resources with more words than are indexed. */
static int token_clause(struct search_parse *p, const struct words *w, struct str token,
                        bool prefix, struct search_clause *c)
{
    uint16_t list = w->all ? INDEX_PARAM_CONTENT : INDEX_PARAM_TEXT;
    bool indexed = p->opt->index.extras && (!w->all || p->opt->index.content);
    struct key k = {.n = 0}, more = {.n = 0};
    int r;

    if (!indexed)
        return search_all_rows(p, c);
    key_put(&k, token.p, token.n);
    if (!prefix)
        key_byte(&k, KEY_END);
    r = add_range(p, c, list, &k, (struct key_range){.point = !prefix});
    if (r < 0)
        return r;
    key_byte(&more, KEY_CUT);
    key_byte(&more, KEY_END);
    return add_range(p, c, list, &more, (struct key_range){.point = true, .lossy = true});
}

/* The clause of token i of a phrase, or (whole) of all of it. */
static int leaf(struct search_parse *p, const struct words *w, const struct tokens *t, size_t i,
                bool whole, bool prefix, struct search_clause *c)
{
    struct clause_more *more = ARENA_NEW(p->a, struct clause_more);
    struct search_value *v = ARENA_NEW(p->a, struct search_value);
    size_t n = whole ? t->n : 1;
    int r;

    if (!more || !v || !(v->words = ARENA_ARRAY(p->a, struct str, n)))
        return err_no_memory(p->err);
    *c = (struct search_clause){.kind = CLAUSE_KEYS, .values = more, .n_values = 1};
    v->modifier = w->all ? MOD_CONTENT : MOD_NARRATIVE;
    v->n_words = n;
    v->prefix = prefix && (whole || i + 1 == t->n);
    for (size_t k = 0; k < n; k++)
        if (!(v->words[k] = arena_dup(p->a, t->p[whole ? k : i])).p)
            return err_no_memory(p->err);
    more->opt = p->s->opt;
    more->values = v;
    more->n_values = 1;
    r = token_clause(p, w, t->p[i], v->prefix && i + 1 == t->n, c);
    for (size_t k = 0; k < c->n_ranges && whole; k++)
        c->ranges[k].lossy = true;
    return r;
}

static int phrase(struct search_parse *p, const struct words *w, struct str text, bool prefix,
                  struct search_clause *c)
{
    struct str folded = fold_dup(p->a, text);
    struct tokens t = {.a = p->a};
    size_t longest = 0;

    if (!folded.p)
        return err_no_memory(p->err);
    text_tokens(folded, add_token, &t);
    if (t.full)
        return err_set(p->err, ERR_COSTLY, "a phrase of \"%s\" has more than %d words",
                       w->all ? "_content" : "_text", PHRASE_MAX);
    if (!t.n)
        return err_set(p->err, ERR_VALUE, "\"%.*s\" of \"%s\" has no word", (int)MIN(text.n, 60u),
                       text.p, w->all ? "_content" : "_text");
    /* The last character of a run stands alone only at a run's end. */
    if (t.n > 1 && is_tail(t.p[t.n - 2], t.p[t.n - 1]))
        t.n--;
    else if (t.n == 1 && (unsigned char)t.p[0].p[0] >= 0x80 && t.p[0].n <= 4)
        prefix = true;
    if (t.n == 1)
        return leaf(p, w, &t, 0, false, prefix, c);
    /* Every word narrows; with the longest one the resource decides about the phrase. */
    c->subs = ARENA_ARRAY(p->a, struct search_clause, t.n);
    if (!c->subs)
        return err_no_memory(p->err);
    for (size_t i = 1; i < t.n; i++)
        if (t.p[i].n > t.p[longest].n)
            longest = i;
    for (size_t i = 0; i < t.n; i++) {
        int r = leaf(p, w, &t, i, i == longest, prefix, &c->subs[i]);
        if (r < 0)
            return r;
    }
    c->kind = CLAUSE_ALL;
    c->n_subs = t.n;
    return 0;
}

/* ---- and, or, not ---- */

static int parse_or(struct search_parse *p, struct words *w, struct search_clause *ret);

static void skip_blanks(struct words *w)
{
    while (w->at < w->text.n && (w->text.p[w->at] == ' ' || w->text.p[w->at] == ','))
        w->at++;
}

static struct str next_word(const struct words *w)
{
    size_t n = w->at;

    while (n < w->text.n && !strchr(" ,()\"", w->text.p[n]))
        n++;
    return str_n(w->text.p + w->at, n - w->at);
}

static bool take(struct words *w, struct str word)
{
    struct str next;

    skip_blanks(w);
    next = next_word(w);
    if (!str_eq_nocase(next, word))
        return false;
    w->at += next.n;
    return true;
}

static int bad(struct search_parse *p, const struct words *w, const char *what)
{
    return err_set(p->err, ERR_VALUE, "\"%s\" at character %zu: %s", w->all ? "_content" : "_text",
                   w->at + 1, what);
}

static int parse_one(struct search_parse *p, struct words *w, struct search_clause *ret)
{
    bool negate = take(w, STR("not")), prefix;
    struct str text;
    int r;

    skip_blanks(w);
    *ret = (struct search_clause){0};
    if (w->at == w->text.n)
        return bad(p, w, "a word is missing");
    if (w->text.p[w->at] == '(') {
        w->at++;
        r = parse_or(p, w, ret);
        skip_blanks(w);
        if (r >= 0 && (w->at == w->text.n || w->text.p[w->at++] != ')'))
            return bad(p, w, "a \")\" is missing");
        ret->negate ^= negate;
        return r;
    }
    if (w->text.p[w->at] == '"') {
        ptrdiff_t end = str_find(str_from(w->text, w->at + 1), '"');
        if (end < 0)
            return bad(p, w, "a phrase has no end");
        text = str_n(w->text.p + w->at + 1, (size_t)end);
        w->at += (size_t)end + 2;
        prefix = false;
    } else {
        text = next_word(w);
        if (!text.n)
            return bad(p, w, "a word is missing");
        w->at += text.n;
        prefix = str_ends(text, STR("*"));
    }
    if (++p->n_values > SEARCH_VALUES_MAX)
        return err_set(p->err, ERR_COSTLY, "the search has more than %d values", SEARCH_VALUES_MAX);
    r = phrase(p, w, text, prefix, ret);
    ret->negate ^= negate;
    return r;
}

static bool at_end(struct words *w)
{
    struct words ahead = *w;

    skip_blanks(&ahead);
    return ahead.at == w->text.n || w->text.p[ahead.at] == ')';
}

static int parse_and(struct search_parse *p, struct words *w, struct search_clause *ret)
{
    int r = parse_one(p, w, ret);

    while (r >= 0 && !at_end(w)) {
        struct words before = *w;
        struct search_clause next;

        if (w->at < w->text.n && w->text.p[w->at] == ',')
            break;
        if (take(w, STR("or"))) {
            *w = before;
            break;
        }
        take(w, STR("and"));
        r = parse_one(p, w, &next);
        if (r >= 0)
            r = search_join(p, CLAUSE_ALL, ret, &next);
    }
    return r;
}

static int parse_or(struct search_parse *p, struct words *w, struct search_clause *ret)
{
    int r;

    if (p->depth == SEARCH_DEPTH_MAX)
        return err_set(p->err, ERR_COSTLY, "the search is nested more than %d deep",
                       SEARCH_DEPTH_MAX);
    p->depth++;
    r = parse_and(p, w, ret);
    while (r >= 0 && !at_end(w)) {
        struct search_clause next;

        take(w, STR("or"));
        r = parse_and(p, w, &next);
        if (r >= 0)
            r = search_join(p, CLAUSE_ANY, ret, &next);
    }
    p->depth--;
    return r;
}

int search_text(struct search_parse *p, const struct search_arg *arg, struct search_clause *c)
{
    struct words w = {.text = search_unescape(p->a, arg->value),
                      .all = str_eq(arg->name, STR("_content"))};
    int r;

    if (!w.text.p)
        return err_no_memory(p->err);
    r = parse_or(p, &w, c);
    if (r < 0)
        return r;
    return w.at < w.text.n ? bad(p, &w, "a \"(\" is missing") : ARG_TAKEN;
}

/* ---- looking at resources ---- */

struct find {
    const struct search_value *v;
    struct str last[PHRASE_MAX]; /* the tokens before, as a ring */
    size_t seen, hits;
};

static bool is_at_end(const struct find *f)
{
    const struct search_value *v = f->v;

    if (f->seen < v->n_words)
        return false;
    for (size_t i = 0; i < v->n_words; i++) {
        struct str token = f->last[(f->seen - v->n_words + i) % PHRASE_MAX];
        bool last = i + 1 == v->n_words;

        if (last && v->prefix ? !str_starts(token, v->words[i]) : !str_eq(token, v->words[i]))
            return false;
    }
    return true;
}

static int find_token(void *ctx, struct str token)
{
    struct find *f = ctx;

    f->last[f->seen++ % PHRASE_MAX] = token;
    f->hits += is_at_end(f);
    return 0;
}

int search_text_hits(struct arena *a, const struct search_value *v, yyjson_val *root, size_t *ret,
                     size_t *ret_of, struct err *err)
{
    struct str text = text_of(a, root, v->modifier == MOD_CONTENT);
    struct find f = {.v = v};

    if (!text.p)
        return err_no_memory(err);
    text_tokens(text, find_token, &f);
    *ret = f.hits;
    *ret_of = f.seen;
    return 0;
}

/* ---- scores ---- */

struct score {
    double sum;
    size_t n;
};

static int score_of(struct arena *a, const struct search_clause *c, size_t n, yyjson_val *root,
                    struct score *ret, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        const struct clause_more *more = c[i].values;
        size_t hits, of;

        if (c[i].negate)
            continue;
        if (c[i].subs) {
            r = score_of(a, c[i].subs, c[i].n_subs, root, ret, err);
        } else if (c[i].kind == CLAUSE_KEYS && more && more->n_values && more->values[0].n_words) {
            r = search_text_hits(a, &more->values[0], root, &hits, &of, err);
            if (r == 0) {
                ret->sum += (double)hits / ((double)hits + 0.5 + (double)of / 200);
                ret->n++;
            }
        }
    }
    return r;
}

static bool has_words(const struct search_clause *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct clause_more *more = c[i].values;
        if (has_words(c[i].subs, c[i].n_subs) ||
            (c[i].kind == CLAUSE_KEYS && more && more->n_values && more->values[0].n_words))
            return true;
    }
    return false;
}

bool search_has_score(const struct search *s)
{
    return has_words(s->clauses, s->n_clauses);
}

int search_score(struct arena *a, const struct search *s, yyjson_val *root, double *ret,
                 struct err *err)
{
    struct score score = {0};
    int r = score_of(a, s->clauses, s->n_clauses, root, &score, err);

    *ret = score.n ? score.sum / (double)score.n : 0;
    return r;
}
