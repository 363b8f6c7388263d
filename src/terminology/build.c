/* build.c - making the image of a code system: concepts one after the other, in any order what
 * belongs to them; cs_build sorts it all by concept.
 */
#include "terminology/cs_int.h"

#include "base/fault.h"

#include <stdlib.h>

struct link {
    uint32_t concept, other;
};

struct owned_designation {
    uint32_t concept;
    struct cs_designation d;
    struct cs_detail detail;
};

struct owned_property {
    uint32_t concept;
    struct cs_property p;
};

struct cs_builder {
    struct cs_info info;
    struct text_pool pool;
    struct grow concepts;     /* struct cs_concept */
    struct grow parents;      /* struct link */
    struct grow designations; /* struct owned_designation */
    struct grow properties;   /* struct owned_property */
    struct grow defs;         /* struct cs_property_def */
    struct grow retired;      /* struct cs_retired */
    struct grow members;      /* struct cs_member */
    struct grow fields;       /* struct cs_field */
    bool has_details;
    uint32_t *hash;
    size_t hash_n;
    bool failed, too_many;
};

struct cs_builder *cs_builder_new(void)
{
    struct cs_builder *b = fault_point("alloc") ? NULL : calloc(1, sizeof *b);

    if (b)
        text_pool_init(&b->pool);
    return b;
}

void cs_builder_free(struct cs_builder *b)
{
    if (!b)
        return;
    text_pool_done(&b->pool);
    grow_done(&b->concepts);
    grow_done(&b->parents);
    grow_done(&b->designations);
    grow_done(&b->properties);
    grow_done(&b->defs);
    grow_done(&b->retired);
    grow_done(&b->members);
    grow_done(&b->fields);
    free(b->hash);
    free(b);
}

struct cs_info *cs_builder_info(struct cs_builder *b)
{
    return &b->info;
}

text_at cs_builder_text(struct cs_builder *b, struct str s)
{
    return text_pool_add(&b->pool, s);
}

uint32_t cs_builder_n(const struct cs_builder *b)
{
    return (uint32_t)b->concepts.n;
}

static struct cs_concept *concept_at(const struct cs_builder *b, uint32_t i)
{
    return GROW_AT(&b->concepts, struct cs_concept, i);
}

struct str cs_builder_code(const struct cs_builder *b, uint32_t concept)
{
    return text_pool_get(&b->pool, concept_at(b, concept)->code);
}

/* ---- concepts ---- */

static void hash_put(const struct cs_builder *b, uint32_t *hash, size_t n, uint32_t concept)
{
    struct str code = text_pool_get(&b->pool, concept_at(b, concept)->code);
    size_t at = cs_code_hash(code, cs_any_case(&b->info)) & (n - 1);

    while (hash[at])
        at = (at + 1) & (n - 1);
    hash[at] = concept + 1;
}

static bool hash_grow(struct cs_builder *b)
{
    size_t n = b->hash_n ? b->hash_n * 2 : 64;
    uint32_t *hash = fault_point("alloc") ? NULL : calloc(n, sizeof *hash);

    if (!hash)
        return false;
    for (uint32_t i = 0; i < b->concepts.n; i++)
        hash_put(b, hash, n, i);
    free(b->hash);
    b->hash = hash;
    b->hash_n = n;
    return true;
}

#define CS_CROWDED (CS_NONE - 1) /* more codes lie in its way than chance would put there */

static uint32_t find(const struct cs_builder *b, struct str code)
{
    bool same_in_any_case = b->info.flags & CS_IGNORE_CASE;
    size_t at = b->hash_n ? cs_code_hash(code, cs_any_case(&b->info)) & (b->hash_n - 1) : 0;

    for (size_t n = 0; b->hash_n && b->hash[at]; at = (at + 1) & (b->hash_n - 1)) {
        struct str has = text_pool_get(&b->pool, concept_at(b, b->hash[at] - 1)->code);
        if (same_in_any_case ? str_eq_nocase(has, code) : str_eq(has, code))
            return b->hash[at] - 1;
        if (++n > TEXT_PROBES_MAX)
            return CS_CROWDED;
    }
    return CS_NONE;
}

uint32_t cs_builder_find(const struct cs_builder *b, struct str code)
{
    uint32_t found = find(b, code);

    return found == CS_CROWDED ? CS_NONE : found;
}

uint32_t cs_builder_add(struct cs_builder *b, struct str code, struct str display,
                        struct str definition, uint32_t flags)
{
    uint32_t found = find(b, code);
    struct cs_concept *c;

    if (b->failed || (found != CS_NONE && found != CS_CROWDED))
        return CS_NONE;
    if (b->concepts.n == CS_CONCEPTS_MAX || found == CS_CROWDED) {
        b->too_many = true;
        return CS_NONE;
    }
    if (b->concepts.n * 2 >= b->hash_n && !hash_grow(b)) {
        b->failed = true;
        return CS_NONE;
    }
    c = grow_add(&b->concepts, sizeof *c);
    if (!c)
        return CS_NONE;
    c->code = text_pool_add(&b->pool, code);
    c->display = text_pool_add(&b->pool, display);
    c->definition = text_pool_add(&b->pool, definition);
    c->flags = flags;
    if (b->pool.failed)
        return CS_NONE;
    hash_put(b, b->hash, b->hash_n, (uint32_t)b->concepts.n - 1);
    return (uint32_t)b->concepts.n - 1;
}

void cs_builder_flag(struct cs_builder *b, uint32_t concept, uint32_t flags)
{
    concept_at(b, concept)->flags |= flags;
}

void cs_builder_display(struct cs_builder *b, uint32_t concept, struct str display)
{
    concept_at(b, concept)->display = text_pool_add(&b->pool, display);
}

void cs_builder_parent(struct cs_builder *b, uint32_t concept, uint32_t parent)
{
    struct link *l = grow_add(&b->parents, sizeof *l);

    if (l)
        *l = (struct link){concept, parent};
}

void cs_builder_designation(struct cs_builder *b, uint32_t concept, struct str language,
                            struct str use_system, struct str use_code, struct str use_display,
                            struct str value)
{
    struct owned_designation *o = grow_add(&b->designations, sizeof *o);

    if (!o)
        return;
    o->concept = concept;
    o->d = (struct cs_designation){
        .language = text_pool_add(&b->pool, language),
        .use_system = text_pool_add(&b->pool, use_system),
        .use_code = text_pool_add(&b->pool, use_code),
        .use_display = text_pool_add(&b->pool, use_display),
        .value = text_pool_add(&b->pool, value),
    };
}

void cs_builder_detail(struct cs_builder *b, const struct cs_detail *detail)
{
    b->has_details = true;
    if (b->designations.n)
        GROW_AT(&b->designations, struct owned_designation, b->designations.n - 1)->detail =
            *detail;
}

void cs_builder_retired(struct cs_builder *b, const struct cs_retired *retired)
{
    struct cs_retired *r = grow_add(&b->retired, sizeof *r);

    if (r)
        *r = *retired;
}

void cs_builder_member(struct cs_builder *b, const struct cs_member *m)
{
    struct cs_member *to = grow_add(&b->members, sizeof *to);

    if (!to)
        return;
    *to = *m;
    to->fields = (uint32_t)b->fields.n;
    to->n_fields = 0;
}

void cs_builder_member_field(struct cs_builder *b, struct str name, struct str value)
{
    struct cs_field *f = grow_add(&b->fields, sizeof *f);

    if (!f || !b->members.n)
        return;
    GROW_AT(&b->members, struct cs_member, b->members.n - 1)->n_fields++;
    *f = (struct cs_field){text_pool_add(&b->pool, name), text_pool_add(&b->pool, value)};
}

uint32_t cs_builder_property_def(struct cs_builder *b, struct str code, struct str uri,
                                 struct str description, enum property_type type)
{
    struct cs_property_def *d;

    for (size_t i = 0; i < b->defs.n; i++)
        if (str_eq(text_pool_get(&b->pool, GROW_AT(&b->defs, struct cs_property_def, i)->code),
                   code))
            return (uint32_t)i;
    d = grow_add(&b->defs, sizeof *d);
    if (!d)
        return 0;
    *d = (struct cs_property_def){.code = text_pool_add(&b->pool, code),
                                  .uri = text_pool_add(&b->pool, uri),
                                  .description = text_pool_add(&b->pool, description),
                                  .type = type};
    return (uint32_t)b->defs.n - 1;
}

void cs_builder_property(struct cs_builder *b, uint32_t concept, uint32_t def,
                         enum property_type type, struct str value, struct str system,
                         struct str display)
{
    struct owned_property *o = grow_add(&b->properties, sizeof *o);

    if (!o)
        return;
    o->concept = concept;
    o->p = (struct cs_property){.def = def,
                                .type = type,
                                .value = text_pool_add(&b->pool, value),
                                .system = text_pool_add(&b->pool, system),
                                .display = text_pool_add(&b->pool, display)};
}

/* ---- putting it together ---- */

/* The arrays of the image, in order of concepts. */
struct built {
    struct cs_concept *concepts;
    uint32_t *parents, *children, *hash, *open;
    struct cs_designation *designations;
    struct cs_detail *details;
    struct cs_property *properties;
};

static void built_done(struct built *t)
{
    free(t->concepts);
    free(t->parents);
    free(t->children);
    free(t->hash);
    free(t->open);
    free(t->designations);
    free(t->details);
    free(t->properties);
}

static bool built_init(const struct cs_builder *b, struct built *t)
{
    *t = (struct built){
        .concepts = calloc(b->concepts.n + 1, sizeof *t->concepts),
        .parents = calloc(b->parents.n + 1, sizeof *t->parents),
        .children = calloc(b->parents.n + 1, sizeof *t->children),
        .hash = calloc(MAX(b->hash_n, (size_t)1), sizeof *t->hash),
        .open = calloc(b->concepts.n + 1, sizeof *t->open),
        .designations = calloc(b->designations.n + 1, sizeof *t->designations),
        .details = calloc(b->has_details ? b->designations.n + 1 : 1, sizeof *t->details),
        .properties = calloc(b->properties.n + 1, sizeof *t->properties),
    };
    if (!t->concepts || !t->parents || !t->children || !t->hash || !t->open || !t->designations ||
        !t->details || !t->properties || fault_point("alloc"))
        return false;
    if (b->concepts.n)
        memcpy(t->concepts, b->concepts.p, b->concepts.n * sizeof *t->concepts);
    if (b->hash_n)
        memcpy(t->hash, b->hash, b->hash_n * sizeof *t->hash);
    return true;
}

/* Counts in `field` of each concept become the place of its first. `spare` records a second turn:
 * while records are placed, the field of concept i counts up, and is then its neighbour's first. */
#define FIRSTS(t, n, field)                                                                        \
    for (uint32_t i_ = 0, sum_ = 0, count_; i_ <= (n); i_++, sum_ += count_) {                     \
        count_ = (t)->concepts[i_].field;                                                          \
        (t)->concepts[i_].field = sum_;                                                            \
    }
#define FIRSTS_BACK(t, n, field)                                                                   \
    for (uint32_t i_ = (n); i_ > 0; i_--)                                                          \
        (t)->concepts[i_].field = (t)->concepts[i_ - 1].field;                                     \
    (t)->concepts[0].field = 0

static void place_links(const struct cs_builder *b, struct built *t, uint32_t n)
{
    for (size_t i = 0; i < b->parents.n; i++) {
        const struct link *l = GROW_AT(&b->parents, struct link, i);
        t->concepts[l->concept].parents++;
        t->concepts[l->other].children++;
    }
    FIRSTS(t, n, parents)
    FIRSTS(t, n, children)
    for (size_t i = 0; i < b->parents.n; i++) {
        const struct link *l = GROW_AT(&b->parents, struct link, i);
        t->parents[t->concepts[l->concept].parents++] = l->other;
        t->children[t->concepts[l->other].children++] = l->concept;
    }
    FIRSTS_BACK(t, n, parents);
    FIRSTS_BACK(t, n, children);
}

static void place_texts(const struct cs_builder *b, struct built *t, uint32_t n)
{
    for (size_t i = 0; i < b->designations.n; i++)
        t->concepts[GROW_AT(&b->designations, struct owned_designation, i)->concept].designations++;
    for (size_t i = 0; i < b->properties.n; i++)
        t->concepts[GROW_AT(&b->properties, struct owned_property, i)->concept].properties++;
    FIRSTS(t, n, designations)
    FIRSTS(t, n, properties)
    for (size_t i = 0; i < b->designations.n; i++) {
        const struct owned_designation *o = GROW_AT(&b->designations, struct owned_designation, i);
        if (b->has_details)
            t->details[t->concepts[o->concept].designations] = o->detail;
        t->designations[t->concepts[o->concept].designations++] = o->d;
    }
    for (size_t i = 0; i < b->properties.n; i++) {
        const struct owned_property *o = GROW_AT(&b->properties, struct owned_property, i);
        t->properties[t->concepts[o->concept].properties++] = o->p;
    }
    FIRSTS_BACK(t, n, designations);
    FIRSTS_BACK(t, n, properties);
}

static int by_concept(const void *a, const void *b)
{
    const struct cs_retired *x = a, *y = b;
    int order = (x->concept > y->concept) - (x->concept < y->concept);

    return order ? order : (x->detail.id > y->detail.id) - (x->detail.id < y->detail.id);
}

/* Within a set as they came. */
static int by_set(const void *a, const void *b)
{
    const struct cs_member *x = a, *y = b;

    return x->set != y->set ? (x->set > y->set) - (x->set < y->set)
                            : (x->fields > y->fields) - (x->fields < y->fields);
}

static void sort_release(struct cs_builder *b)
{
    if (b->retired.n)
        qsort(b->retired.p, b->retired.n, sizeof(struct cs_retired), by_concept);
    if (b->members.n)
        qsort(b->members.p, b->members.n, sizeof(struct cs_member), by_set);
}

/* Whether each concept has at most one parent and stands right behind its elder siblings'
 * descendants; then the ends of all. `open` are the concepts whose descendants may still come. */
static bool make_tree(struct built *t, uint32_t n, uint32_t *open)
{
    size_t n_open = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct cs_concept *c = &t->concepts[i];
        uint32_t n_parents = c[1].parents - c->parents;
        if (n_parents > 1)
            return false;
        while (n_open && (!n_parents || open[n_open - 1] != t->parents[c->parents]))
            t->concepts[open[--n_open]].end = i;
        if (n_parents && !n_open)
            return false;
        open[n_open++] = i;
    }
    while (n_open)
        t->concepts[open[--n_open]].end = n;
    return true;
}

/* Whether a concept is its own ancestor: then Kahn's order does not come to its end. */
static bool has_cycle(const struct built *t, uint32_t n)
{
    uint32_t *left = calloc((size_t)n + 1, sizeof *left), *queue = calloc((size_t)n + 1, 4);
    size_t head = 0, tail = 0;
    bool ok = left && queue;

    for (uint32_t i = 0; ok && i < n; i++)
        if (!(left[i] = t->concepts[i + 1].parents - t->concepts[i].parents))
            queue[tail++] = i;
    while (ok && head < tail) {
        uint32_t i = queue[head++];
        for (uint32_t k = t->concepts[i].children; k < t->concepts[i + 1].children; k++)
            if (--left[t->children[k]] == 0)
                queue[tail++] = t->children[k];
    }
    free(left);
    free(queue);
    return !ok || tail != n;
}

static int write_image(struct cs_builder *b, struct built *t, const struct word_index *w,
                       char **ret, size_t *ret_n, struct err *err)
{
    size_t n = b->concepts.n;
    struct image_part parts[CS_SECTIONS] = {
        [CS_INFO] = {&b->info, sizeof b->info},
        [CS_POOL] = {b->pool.bytes.p, b->pool.bytes.n},
        [CS_CONCEPTS] = {t->concepts, (n + 1) * sizeof *t->concepts},
        [CS_HASH] = {t->hash, MAX(b->hash_n, (size_t)1) * sizeof *t->hash},
        [CS_PARENTS] = {t->parents, b->parents.n * sizeof *t->parents},
        [CS_CHILDREN] = {t->children, b->parents.n * sizeof *t->children},
        [CS_DESIGNATIONS] = {t->designations, b->designations.n * sizeof *t->designations},
        [CS_PROPERTIES] = {t->properties, b->properties.n * sizeof *t->properties},
        [CS_PROPERTY_DEFS] = {b->defs.p, b->defs.n * sizeof(struct cs_property_def)},
        [CS_WORDS] = {w->words.p, w->words.n * sizeof(struct cs_word)},
        [CS_POSTINGS] = {w->postings.p, w->postings.n},
        [CS_DETAILS] = {t->details, b->has_details ? b->designations.n * sizeof *t->details : 0},
        [CS_RETIRED] = {b->retired.p, b->retired.n * sizeof(struct cs_retired)},
        [CS_MEMBERS] = {b->members.p, b->members.n * sizeof(struct cs_member)},
        [CS_MEMBER_FIELDS] = {b->fields.p, b->fields.n * sizeof(struct cs_field)},
    };

    return image_write(IMAGE_CODE_SYSTEM, parts, CS_SECTIONS, ret, ret_n, err);
}

static int check_room(const struct cs_builder *b, struct err *err)
{
    if (b->too_many)
        return err_set(err, ERR_COSTLY,
                       "a code system may have %d concepts, of which not more than %d may have "
                       "codes made to get in each other's way",
                       CS_CONCEPTS_MAX, TEXT_PROBES_MAX);
    if (b->failed || b->pool.failed || b->concepts.failed || b->parents.failed ||
        b->designations.failed || b->properties.failed || b->defs.failed || b->retired.failed ||
        b->members.failed || b->fields.failed)
        return err_no_memory(err);
    return 0;
}

int cs_builder_refused(const struct cs_builder *b, struct str code, struct err *err)
{
    int r = check_room(b, err);

    return r < 0 ? r
                 : err_set(err, ERR_SYNTAX, "the code \"%.*s\" stands twice", (int)MIN(code.n, 60u),
                           code.n ? code.p : "");
}

int cs_build(struct cs_builder *b, char **ret, size_t *ret_n, struct err *err)
{
    uint32_t n = (uint32_t)b->concepts.n;
    struct word_index words = {0};
    struct built t = {0};
    int r = check_room(b, err);

    if (r >= 0 && !built_init(b, &t))
        r = err_no_memory(err);
    if (r >= 0) {
        place_links(b, &t, n);
        place_texts(b, &t, n);
        sort_release(b);
        b->info.flags &= ~(CS_TREE | CS_DAG);
        if (has_cycle(&t, n))
            r = err_set(err, ERR_PROCESSING, "a concept of the code system is its own ancestor");
        else
            b->info.flags |= make_tree(&t, n, t.open) ? CS_TREE : CS_DAG;
    }
    if (r >= 0)
        r = word_index_make(&(struct word_source){&b->pool, t.concepts, n, t.designations}, &words,
                            err);
    if (r >= 0 && b->pool.failed)
        r = err_no_memory(err);
    if (r >= 0) {
        b->info.n = n;
        b->info.hash_mask = (uint32_t)MAX(b->hash_n, (size_t)1) - 1;
        b->info.n_words = (uint32_t)words.words.n - 1;
        r = write_image(b, &t, &words, ret, ret_n, err);
    }
    word_index_done(&words);
    built_done(&t);
    return r;
}
