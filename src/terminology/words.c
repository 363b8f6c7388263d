/* words.c - finding concepts by the words of their texts: made when an image is built, asked by
 * $expand's filter.
 */
#include "terminology/cs_int.h"

#include "base/fault.h"
#include "fhir/fold.h"

#include <stdlib.h>

#define WORD_MAX 60     /* bytes of a word that count */
#define TEXT_MAX KIB(1) /* bytes of a text that are indexed */
#define POSTINGS_MAX MIB(512)

/* ---- making ---- */

struct maker {
    const struct word_source *from;
    struct text_pool words; /* a pool of its own: most words are no texts of the image */
    struct grow pairs;      /* (word's place, concept), concept by concept */
    uint32_t *seen;         /* by a word's place: the last concept that has it, + 1 */
    size_t seen_n;
    struct err *err;
};

struct pair {
    uint32_t word, concept;
};

/* The same word twice in one concept is told once. */
static bool is_first(struct maker *m, text_at at, uint32_t concept)
{
    if (at >= m->seen_n) {
        size_t n = MAX(m->seen_n * 2, (size_t)at + 1024);
        uint32_t *seen = realloc(m->seen, n * sizeof *seen);
        if (!seen) {
            m->pairs.failed = true;
            return false;
        }
        memset(seen + m->seen_n, 0, (n - m->seen_n) * sizeof *seen);
        m->seen = seen;
        m->seen_n = n;
    }
    if (m->seen[at] == concept + 1)
        return false;
    m->seen[at] = concept + 1;
    return true;
}

static void add_word(struct maker *m, struct str word, uint32_t concept)
{
    text_at at = text_pool_add(&m->words, str_head(word, WORD_MAX));
    struct pair *p = is_first(m, at, concept) ? grow_add(&m->pairs, sizeof *p) : NULL;

    if (p)
        *p = (struct pair){at, concept};
}

static void add_text(struct maker *m, struct str text, uint32_t concept)
{
    char folded[TEXT_MAX * 2];
    struct str rest, word;

    rest = str_n(folded, fold_text(str_head(text, TEXT_MAX), folded, sizeof folded, NULL));
    while (rest.n && str_split(&rest, ' ', &word))
        if (word.n)
            add_word(m, word, concept);
}

static void add_concept(struct maker *m, uint32_t i)
{
    const struct cs_concept *c = &m->from->concepts[i];

    add_text(m, text_pool_get(m->from->pool, c->code), i);
    add_text(m, text_pool_get(m->from->pool, c->display), i);
    for (uint32_t d = c->designations; d < c[1].designations; d++)
        add_text(m, text_pool_get(m->from->pool, m->from->designations[d].value), i);
}

/* A word while it is sorted. */
struct sorted {
    struct str text;
    uint32_t at, n; /* in the pool of words; pairs */
};

static int by_text(const void *a, const void *b)
{
    return str_cmp(((const struct sorted *)a)->text, ((const struct sorted *)b)->text);
}

/* All words with a pair, sorted, and how many pairs each has. */
static struct sorted *sort_words(struct maker *m, size_t *ret_n)
{
    uint32_t *counts = calloc(m->words.bytes.n + 1, sizeof *counts);
    struct sorted *words = calloc(m->words.used + 1, sizeof *words);
    size_t n = 0;

    for (size_t i = 0; counts && i < m->pairs.n; i++)
        counts[GROW_AT(&m->pairs, struct pair, i)->word]++;
    for (size_t i = 0; counts && words && i < m->words.bytes.n; i++)
        if (counts[i] && i)
            words[n++] =
                (struct sorted){text_pool_get(&m->words, (text_at)i), (uint32_t)i, counts[i]};
    free(counts);
    if (words)
        qsort(words, n, sizeof *words, by_text);
    *ret_n = n;
    return words;
}

static void put_number(struct sb *out, uint32_t v)
{
    for (; v >= 0x80; v >>= 7)
        sb_char(out, (char)(0x80 | (v & 0x7f)));
    sb_char(out, (char)v);
}

static void write_postings(const uint32_t *concepts, size_t n, struct sb *out)
{
    uint32_t last = 0;

    for (size_t i = 0; i < n; i++) {
        put_number(out, concepts[i] - last);
        last = concepts[i];
    }
}

/* The pairs in the order of their words; those of one word stay in the order of concepts. */
static int arrange(struct maker *m, const struct sorted *words, size_t n, struct word_index *ret)
{
    uint32_t *next = calloc(m->words.bytes.n + 1, sizeof *next);
    uint32_t *concepts = calloc(m->pairs.n + 1, sizeof *concepts);
    size_t at = 0;

    for (size_t i = 0; next && i < n; i++) {
        next[words[i].at] = (uint32_t)at;
        at += words[i].n;
    }
    for (size_t i = 0; next && concepts && i < m->pairs.n; i++) {
        const struct pair *p = GROW_AT(&m->pairs, struct pair, i);
        concepts[next[p->word]++] = p->concept;
    }
    at = 0;
    for (size_t i = 0; next && concepts && i <= n; i++) {
        struct cs_word *w = grow_add(&ret->words, sizeof *w);
        if (!w)
            break;
        w->postings = (uint32_t)ret->postings.n;
        if (i == n)
            break;
        w->text = text_pool_add(m->from->pool, words[i].text);
        write_postings(concepts + at, words[i].n, &ret->postings);
        at += words[i].n;
    }
    if (!next || !concepts)
        ret->words.failed = true;
    free(next);
    free(concepts);
    return ret->words.failed || ret->postings.failed ? err_no_memory(m->err) : 0;
}

int word_index_make(const struct word_source *source, struct word_index *ret, struct err *err)
{
    struct maker m = {.from = source, .err = err};
    struct sorted *words = NULL;
    size_t n = 0;
    int r = 0;

    *ret = (struct word_index){.postings = sb_make(POSTINGS_MAX)};
    text_pool_init(&m.words);
    for (uint32_t i = 0; i < source->n; i++)
        add_concept(&m, i);
    if (m.words.failed || m.pairs.failed || fault_point("alloc"))
        r = err_no_memory(err);
    if (r >= 0 && !(words = sort_words(&m, &n)))
        r = err_no_memory(err);
    if (r >= 0)
        r = arrange(&m, words, n, ret);
    free(words);
    grow_done(&m.pairs);
    free(m.seen);
    text_pool_done(&m.words);
    if (r < 0)
        word_index_done(ret);
    return r;
}

void word_index_done(struct word_index *w)
{
    grow_done(&w->words);
    sb_done(&w->postings);
}

/* ---- asking ---- */

struct asked {
    const struct cs *cs;
    const struct cs_word *words;
    const unsigned char *postings;
    uint32_t n_words;
};

/* The first word that is not below `text`. */
static uint32_t lower_bound(const struct asked *q, struct str text)
{
    uint32_t low = 0, high = q->n_words;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (str_cmp(cs_text(q->cs, q->words[mid].text), text) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void add_postings(const struct asked *q, uint32_t word, uint64_t *bits)
{
    const unsigned char *p = q->postings + q->words[word].postings;
    const unsigned char *end = q->postings + q->words[word + 1].postings;
    uint32_t concept = 0;

    while (p < end) {
        uint32_t v = 0;
        for (unsigned shift = 0; p < end; shift += 7) {
            v |= (uint32_t)(*p & 0x7f) << (shift & 31);
            if (*p++ < 0x80)
                break;
        }
        concept += v;
        if (concept < cs_n(q->cs))
            bits_add(bits, concept);
    }
}

static void add_prefix(const struct asked *q, struct str prefix, uint64_t *bits)
{
    prefix = str_head(prefix, WORD_MAX);
    for (uint32_t w = lower_bound(q, prefix);
         w < q->n_words && str_starts(cs_text(q->cs, q->words[w].text), prefix); w++)
        add_postings(q, w, bits);
}

static int match_words(const struct asked *q, struct arena *a, struct str folded, uint64_t **ret,
                       struct err *err)
{
    size_t words = bits_words(cs_n(q->cs)), n = 0;
    uint64_t *all = NULL, *one = ARENA_ARRAY(a, uint64_t, words);
    struct str word;

    while (folded.n && str_split(&folded, ' ', &word) && n++ < CS_FILTER_WORDS) {
        uint64_t *bits = all ? one : ARENA_ARRAY(a, uint64_t, words);
        if (!bits || !one)
            return err_no_memory(err);
        memset(bits, 0, words * sizeof *bits);
        add_prefix(q, word, bits);
        for (size_t i = 0; all && i < words; i++)
            all[i] &= one[i];
        all = all ? all : bits;
    }
    *ret = all;
    return 0;
}

int cs_match_text(const struct cs *cs, struct arena *a, struct str text, uint64_t **ret,
                  struct err *err)
{
    size_t n;
    struct asked q = {.cs = cs, .n_words = cs_info(cs)->n_words};
    struct str folded = fold_dup(a, text);

    if (!folded.p)
        return err_no_memory(err);
    q.words = cs_section(cs, CS_WORDS, &n);
    q.postings = cs_section(cs, CS_POSTINGS, &n);
    return match_words(&q, a, folded, ret, err);
}
