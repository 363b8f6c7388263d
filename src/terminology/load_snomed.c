/* load_snomed.c - SNOMED CT in Release Format 2 (snapshot files): concepts, descriptions, inferred
 * relationships, and reference sets; in any order of the files.
 * Source: SNOMED CT Release File Specifications, "Component file formats".
 */
#include "terminology/load_int.h"

#include <stdlib.h>

#define SNOMED_URL "http://snomed.info/sct"
#define IS_A "116680003"
#define FULLY_SPECIFIED "900000000000003001"
#define STATED "900000000000010007"
#define PREFERRED "900000000000548007"
#define MODULES_MAX 64

/* What waits until all concepts and descriptions are known. */
struct snomed_pair {
    text_at a, b, c;
};

struct load_snomed {
    struct cs_builder *b;
    struct text_pool pool;     /* of what waits */
    struct grow concepts;      /* id, module; c: active */
    struct grow descriptions;  /* see struct snomed_text */
    struct grow relationships; /* see struct snomed_link */
    struct grow members;       /* reference set, component */
    struct grow preferred;     /* description ids that are preferred somewhere */
    char date[16];
};

/* destination or value; the group that it belongs to, empty: none. */
struct snomed_link {
    text_at source, type, value, group;
    uint32_t kind; /* enum property_type */
};

struct snomed_text {
    text_at id, concept, language, type, term;
};

static int snomed_new(struct load *l, struct err *err)
{
    struct load_snomed *x = l->snomed;

    if (x)
        return 0;
    x = l->snomed = calloc(1, sizeof *x);
    if (!x)
        return err_no_memory(err);
    text_pool_init(&x->pool);
    x->b = cs_builder_new();
    return x->b ? 0 : err_no_memory(err);
}

static int begin(struct load *l, const struct cells *h, struct err *err)
{
    (void)h;
    return snomed_new(l, err);
}

/* The columns that all files begin with, and one that only this kind has in its place. */
static bool is_kind(const struct cells *h, int place, const char *name, size_t n)
{
    return cells_find(h, "effectivetime") == 1 && cells_find(h, "active") == 2 &&
           cells_find(h, "moduleid") == 3 && cells_find(h, name) == place && h->n == n;
}

static bool knows_concept(const struct cells *h)
{
    return is_kind(h, 4, "definitionstatusid", 5);
}

static bool knows_description(const struct cells *h)
{
    return is_kind(h, 7, "term", 9);
}

static bool knows_relationship(const struct cells *h)
{
    return is_kind(h, 5, "destinationid", 10);
}

static bool knows_concrete(const struct cells *h)
{
    return is_kind(h, 5, "value", 10);
}

static bool knows_refset(const struct cells *h)
{
    return is_kind(h, 5, "referencedcomponentid", 6);
}

static bool knows_language(const struct cells *h)
{
    return is_kind(h, 6, "acceptabilityid", 7);
}

/* ---- lines ---- */

static bool is_id(struct str s)
{
    if (s.n < 6 || s.n > 18)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static int check(const struct cells *c, size_t n, size_t first_id, size_t last_id, struct err *err)
{
    if (c->n != n)
        return err_set(err, ERR_SYNTAX, "the line has %zu columns, not %zu", c->n, n);
    if (!str_eq(c->v[2], STR("0")) && !str_eq(c->v[2], STR("1")))
        return err_set(err, ERR_SYNTAX, "active is \"%.*s\", not 0 or 1", (int)MIN(c->v[2].n, 20u),
                       c->v[2].p);
    for (size_t i = first_id; i <= last_id; i++)
        if (!is_id(c->v[i]))
            return err_set(err, ERR_SYNTAX, "\"%.*s\" in column %zu is no SNOMED CT identifier",
                           (int)MIN(c->v[i].n, 40u), c->v[i].p, i + 1);
    return 0;
}

static int add(struct load_snomed *x, struct grow *to, struct str a, struct str b, struct str c,
               struct err *err)
{
    struct snomed_pair *p = grow_add(to, sizeof *p);

    if (!p)
        return err_no_memory(err);
    *p = (struct snomed_pair){text_pool_add(&x->pool, a), text_pool_add(&x->pool, b),
                              text_pool_add(&x->pool, c)};
    return x->pool.failed ? err_no_memory(err) : 0;
}

static int line_concept(struct load *l, const struct cells *c, struct err *err)
{
    struct load_snomed *x = l->snomed;
    int r = check(c, 5, 0, 0, err);

    if (r < 0)
        return r;
    if (c->v[1].n == 8 && memcmp(c->v[1].p, x->date, 8) > 0)
        snprintf(x->date, sizeof x->date, "%.8s", c->v[1].p);
    return add(x, &x->concepts, c->v[0], c->v[3], c->v[2], err);
}

static int line_description(struct load *l, const struct cells *c, struct err *err)
{
    struct load_snomed *x = l->snomed;
    struct snomed_text *t;
    int r = check(c, 9, 4, 4, err);

    if (r < 0 || str_eq(c->v[2], STR("0")))
        return r;
    if (!c->v[7].n)
        return err_set(err, ERR_SYNTAX, "the description has no term");
    t = grow_add(&x->descriptions, sizeof *t);
    if (!t)
        return err_no_memory(err);
    *t = (struct snomed_text){text_pool_add(&x->pool, c->v[0]), text_pool_add(&x->pool, c->v[4]),
                              text_pool_add(&x->pool, c->v[5]), text_pool_add(&x->pool, c->v[6]),
                              text_pool_add(&x->pool, c->v[7])};
    return x->pool.failed ? err_no_memory(err) : 0;
}

static int add_link(struct load_snomed *x, const struct cells *c, enum property_type kind,
                    struct str value, struct err *err)
{
    struct snomed_link *t = grow_add(&x->relationships, sizeof *t);
    struct str group = str_eq(c->v[6], STR("0")) ? STR("") : c->v[6];

    if (!t)
        return err_no_memory(err);
    *t = (struct snomed_link){text_pool_add(&x->pool, c->v[4]), text_pool_add(&x->pool, c->v[7]),
                              text_pool_add(&x->pool, value), text_pool_add(&x->pool, group), kind};
    return x->pool.failed ? err_no_memory(err) : 0;
}

static int line_relationship(struct load *l, const struct cells *c, struct err *err)
{
    int r = check(c, 10, 4, 5, err);

    if (r < 0 || str_eq(c->v[2], STR("0")) || str_eq(c->v[8], STR(STATED)))
        return r;
    return add_link(l->snomed, c, PROPERTY_CODE, c->v[5], err);
}

/* "#5" and "#0.5" are numbers, "\"text\"" is a text. */
static int line_concrete(struct load *l, const struct cells *c, struct err *err)
{
    struct str value = c->v[5];
    int r = check(c, 10, 4, 4, err);

    if (r < 0 || str_eq(c->v[2], STR("0")) || str_eq(c->v[8], STR(STATED)))
        return r;
    if (value.n > 1 && value.p[0] == '#')
        return add_link(l->snomed, c,
                        str_find(value, '.') < 0 ? PROPERTY_INTEGER : PROPERTY_DECIMAL,
                        str_from(value, 1), err);
    if (value.n > 1 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        return add_link(l->snomed, c, PROPERTY_STRING, str_n(value.p + 1, value.n - 2), err);
    if (str_eq_nocase(value, STR("true")) || str_eq_nocase(value, STR("false")))
        return add_link(l->snomed, c, PROPERTY_BOOLEAN, value, err);
    return err_set(err, ERR_SYNTAX, "\"%.*s\" is no concrete value", (int)MIN(value.n, 40u),
                   value.p);
}

static int line_refset(struct load *l, const struct cells *c, struct err *err)
{
    int r = check(c, 6, 4, 5, err);

    return r < 0 || str_eq(c->v[2], STR("0"))
               ? r
               : add(l->snomed, &l->snomed->members, c->v[5], c->v[4], STR(""), err);
}

static int line_language(struct load *l, const struct cells *c, struct err *err)
{
    int r = check(c, 7, 4, 5, err);

    return r < 0 || str_eq(c->v[2], STR("0")) || !str_eq(c->v[6], STR(PREFERRED))
               ? r
               : add(l->snomed, &l->snomed->preferred, c->v[5], STR(""), STR(""), err);
}

#define READER(name, what_, knows_, line_)                                                         \
    const struct load_reader name = {                                                              \
        .what = what_, .knows = knows_, .between = '\t', .begin = begin, .line = line_}

READER(load_snomed_concept_reader, "SNOMED CT concepts", knows_concept, line_concept);
READER(load_snomed_description_reader, "SNOMED CT descriptions", knows_description,
       line_description);
READER(load_snomed_relationship_reader, "SNOMED CT relationships", knows_relationship,
       line_relationship);
READER(load_snomed_concrete_reader, "SNOMED CT concrete values", knows_concrete, line_concrete);
READER(load_snomed_refset_reader, "SNOMED CT reference set", knows_refset, line_refset);
READER(load_snomed_language_reader, "SNOMED CT language reference set", knows_language,
       line_language);

/* ---- the end ---- */

static struct str text(const struct load_snomed *x, text_at at)
{
    return text_pool_get(&x->pool, at);
}

static void build_concepts(struct load_snomed *x)
{
    cs_builder_info(x->b)->flags = CS_IGNORE_CASE; /* digits: as HL7's terminology says it */
    for (size_t i = 0; i < x->concepts.n; i++) {
        const struct snomed_pair *p = GROW_AT(&x->concepts, struct snomed_pair, i);
        cs_builder_add(x->b, text(x, p->a), STR(""), STR(""),
                       str_eq(text(x, p->c), STR("1")) ? 0 : CONCEPT_INACTIVE);
    }
}

/* Which descriptions are preferred: by their place in the pool. */
static bool *mark_preferred(const struct load_snomed *x)
{
    bool *marks = calloc(x->pool.bytes.n + 1, sizeof *marks);

    for (size_t i = 0; marks && i < x->preferred.n; i++)
        marks[GROW_AT(&x->preferred, struct snomed_pair, i)->a] = true;
    return marks;
}

/* The display is a preferred synonym; where no language set came with it, the first; else the fully
 * specified name. */
static int build_texts(struct load_snomed *x, struct err *err)
{
    bool *preferred = mark_preferred(x);
    uint8_t *rank = calloc(cs_builder_n(x->b) + (size_t)1, sizeof *rank);

    for (size_t i = 0; preferred && rank && i < x->descriptions.n; i++) {
        const struct snomed_text *t = GROW_AT(&x->descriptions, struct snomed_text, i);
        uint32_t concept = cs_builder_find(x->b, text(x, t->concept));
        bool full = str_eq(text(x, t->type), STR(FULLY_SPECIFIED));
        uint8_t has = full ? 1 : preferred[t->id] ? 3 : 2;
        if (concept == CS_NONE)
            continue;
        cs_builder_designation(
            x->b, concept, text(x, t->language), STR(SNOMED_URL), text(x, t->type),
            full ? STR("Fully specified name") : STR("Synonym"), text(x, t->term));
        if (has > rank[concept] && (!full || !rank[concept])) {
            rank[concept] = has;
            cs_builder_display(x->b, concept, text(x, t->term));
        }
    }
    if (!preferred || !rank) {
        free(preferred);
        free(rank);
        return err_no_memory(err);
    }
    free(preferred);
    free(rank);
    return 0;
}

/* The group of a relationship stands where a Coding has its system. */
static void build_link(struct load_snomed *x, const struct snomed_link *k)
{
    uint32_t from = cs_builder_find(x->b, text(x, k->source));
    uint32_t to = k->kind == PROPERTY_CODE ? cs_builder_find(x->b, text(x, k->value)) : CS_NONE;
    enum property_type kind = (enum property_type)k->kind;

    if (from == CS_NONE || (kind == PROPERTY_CODE && to == CS_NONE))
        return;
    if (str_eq(text(x, k->type), STR(IS_A)))
        cs_builder_parent(x->b, from, to);
    else
        cs_builder_property(x->b, from,
                            cs_builder_property_def(x->b, text(x, k->type), STR(""), STR(""), kind),
                            kind, text(x, k->value), text(x, k->group), STR(""));
}

static void build_links(struct load_snomed *x)
{
    uint32_t member = cs_builder_property_def(x->b, STR("memberOf"), STR(""),
                                              STR("a reference set that it is in"), PROPERTY_CODE);

    for (size_t i = 0; i < x->relationships.n; i++)
        build_link(x, GROW_AT(&x->relationships, struct snomed_link, i));
    for (size_t i = 0; i < x->members.n; i++) {
        const struct snomed_pair *p = GROW_AT(&x->members, struct snomed_pair, i);
        uint32_t concept = cs_builder_find(x->b, text(x, p->a));
        if (concept != CS_NONE)
            cs_builder_property(x->b, concept, member, PROPERTY_CODE, text(x, p->b), STR(""),
                                STR(""));
    }
}

/* "http://snomed.info/sct/MODULE/version/DATE": the module is the one of most concepts. */
static struct str version_of(struct load_snomed *x, char *ret, size_t max)
{
    struct {
        text_at module;
        size_t n;
    } counts[MODULES_MAX] = {{0, 0}};
    size_t best = 0;

    for (size_t i = 0; i < x->concepts.n; i++) {
        text_at module = GROW_AT(&x->concepts, struct snomed_pair, i)->b;
        size_t k = 0;
        while (k < MODULES_MAX - 1 && counts[k].n && counts[k].module != module)
            k++;
        counts[k].module = module;
        counts[k].n++;
    }
    for (size_t k = 0; k < MODULES_MAX; k++)
        best = counts[k].n > counts[best].n ? k : best;
    snprintf(ret, max, SNOMED_URL "/%.*s/version/%s", STR_ARG(text(x, counts[best].module)),
             x->date);
    return str_c(ret);
}

int load_snomed_finish(struct load *l, struct err *err)
{
    static const struct load_about about = {
        .id = "snomed-ct",
        .name = "SNOMEDCT",
        .title = "SNOMED CT",
        .publisher = "SNOMED International",
        .copyright = "SNOMED CT is licensed by SNOMED International",
    };
    struct load_snomed *x = l->snomed;
    struct cs_info *info;
    char version[120];
    int r;

    if (!x)
        return 0;
    if (!x->concepts.n)
        return err_set(err, ERR_REQUIRED, "the SNOMED CT files lack the one of concepts");
    build_concepts(x);
    if ((r = build_texts(x, err)) < 0)
        return r;
    build_links(x);
    info = cs_builder_info(x->b);
    info->url = cs_builder_text(x->b, STR(SNOMED_URL));
    info->version = cs_builder_text(x->b, version_of(x, version, sizeof version));
    info->name = cs_builder_text(x->b, STR("SNOMEDCT"));
    info->hierarchy = cs_builder_text(x->b, STR("is-a"));
    info->status = cs_builder_text(x->b, STR("active"));
    info->content = CONTENT_COMPLETE;
    return load_give_system(l, x->b, &about, err);
}

void load_snomed_free(struct load_snomed *x)
{
    if (!x)
        return;
    cs_builder_free(x->b);
    text_pool_done(&x->pool);
    grow_done(&x->concepts);
    grow_done(&x->descriptions);
    grow_done(&x->relationships);
    grow_done(&x->members);
    grow_done(&x->preferred);
    free(x);
}
