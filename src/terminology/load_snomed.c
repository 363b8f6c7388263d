/* load_snomed.c - SNOMED CT in Release Format 2 (snapshot files): concepts, descriptions, inferred
 * relationships, and reference sets of any kind; in any order of the files. What is no longer
 * active of concepts, descriptions and rows is kept beside the rest, for constraints that ask for
 * it. Source: SNOMED CT Release File Specifications, "Component file formats".
 */
#include "terminology/load_int.h"

#include "terminology/ecl.h"

#include <stdlib.h>

#define SNOMED_URL "http://snomed.info/sct"
#define IS_A "116680003"
#define FULLY_SPECIFIED "900000000000003001"
#define DEFINITION "900000000000550004"
#define DEFINED "900000000000073002"
#define STATED "900000000000010007"
#define US_ENGLISH "900000000000509007"
#define PREFERRED "900000000000548007"
#define MODULES_MAX 64

#define OWL_COLUMN "owlexpression" /* axioms: far larger than all else, and asked by nothing here  \
                                    */
#define FIELDS_MAX 16              /* of a reference set beside those that all have */

/* What waits until all concepts and descriptions are known. */
struct snomed_concept {
    text_at id, module;
    uint32_t time;
    bool active, defined;
};

struct load_snomed {
    struct cs_builder *b;
    struct text_pool pool;       /* of what waits */
    struct grow concepts;        /* struct snomed_concept */
    struct grow descriptions;    /* struct snomed_text */
    struct grow relationships;   /* struct snomed_link */
    struct grow rows;            /* struct snomed_row, of reference sets */
    struct grow fields;          /* struct cs_field, of the rows */
    struct grow dialects;        /* struct snomed_dialect */
    struct grow alternates;      /* struct snomed_alternate */
    text_at columns[FIELDS_MAX]; /* names of the fields of the file that is being read */
    size_t n_columns;
    bool is_axioms;
    char date[16];
};

/* destination or value; the group that it belongs to, empty: none. */
struct snomed_link {
    text_at source, type, value, group;
    uint32_t kind; /* enum property_type */
};

struct snomed_text {
    text_at id, concept, language, type, term, module;
    uint32_t time;
    bool active;
};

struct snomed_row {
    text_at set, component, module;
    uint32_t time, fields, n_fields;
    bool active;
};

/* What another scheme calls a concept. */
struct snomed_alternate {
    text_at code, scheme, concept;
};

/* A row of a language reference set. */
struct snomed_dialect {
    text_at description, set;
    bool preferred;
};

static int snomed_new(struct load *l, struct err *err)
{
    struct load_snomed *x = l->snomed;

    if (x)
        return 0;
    x = l->snomed = load_alloc(sizeof *x);
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

/* Of any number of fields behind those that all have. */
static bool knows_refset(const struct cells *h)
{
    return is_kind(h, 5, "referencedcomponentid", h->n) && cells_find(h, "refsetid") == 4 &&
           h->n <= 6 + FIELDS_MAX;
}

static int begin_refset(struct load *l, const struct cells *h, struct err *err)
{
    struct load_snomed *x;
    int r = snomed_new(l, err);

    if (r < 0)
        return r;
    x = l->snomed;
    x->n_columns = h->n - 6;
    x->is_axioms = cells_find(h, OWL_COLUMN) >= 0;
    for (size_t i = 0; i < x->n_columns; i++)
        x->columns[i] = text_pool_add(&x->pool, h->v[6 + i]);
    return 0;
}

static bool knows_identifier(const struct cells *h)
{
    return is_kind(h, 0, "alternateidentifier", 6) && cells_find(h, "identifierschemeid") == 4 &&
           cells_find(h, "referencedcomponentid") == 5;
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

static int room(const struct load_snomed *x, const void *p, struct err *err)
{
    return p && !x->pool.failed ? 0 : err_no_memory(err);
}

/* YYYYMMDD; 0 where a component was not published yet. */
static uint32_t time_of(struct str s)
{
    uint64_t n;

    return s.n == 8 && str_to_u64(s, UINT32_MAX, &n) ? (uint32_t)n : 0;
}

static int line_concept(struct load *l, const struct cells *c, struct err *err)
{
    struct load_snomed *x = l->snomed;
    struct snomed_concept *to;
    int r = check(c, 5, 0, 0, err);

    if (r < 0)
        return r;
    if (c->v[1].n == 8 && memcmp(c->v[1].p, x->date, 8) > 0)
        snprintf(x->date, sizeof x->date, "%.8s", c->v[1].p);
    if ((to = grow_add(&x->concepts, sizeof *to)))
        *to = (struct snomed_concept){.id = text_pool_add(&x->pool, c->v[0]),
                                      .module = text_pool_add(&x->pool, c->v[3]),
                                      .time = time_of(c->v[1]),
                                      .active = str_eq(c->v[2], STR("1")),
                                      .defined = str_eq(c->v[4], STR(DEFINED))};
    return room(x, to, err);
}

static int line_description(struct load *l, const struct cells *c, struct err *err)
{
    struct load_snomed *x = l->snomed;
    struct snomed_text *t;
    int r = check(c, 9, 4, 4, err);

    if (r < 0)
        return r;
    if (!c->v[7].n)
        return err_set(err, ERR_SYNTAX, "the description has no term");
    if ((t = grow_add(&x->descriptions, sizeof *t)))
        *t = (struct snomed_text){.id = text_pool_add(&x->pool, c->v[0]),
                                  .concept = text_pool_add(&x->pool, c->v[4]),
                                  .language = text_pool_add(&x->pool, c->v[5]),
                                  .type = text_pool_add(&x->pool, c->v[6]),
                                  .term = text_pool_add(&x->pool, c->v[7]),
                                  .module = text_pool_add(&x->pool, c->v[3]),
                                  .time = time_of(c->v[1]),
                                  .active = str_eq(c->v[2], STR("1"))};
    return room(x, t, err);
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
    struct load_snomed *x = l->snomed;
    struct snomed_row *row;
    int r = x->is_axioms ? 0 : check(c, 6 + x->n_columns, 4, 5, err);

    if (r < 0 || x->is_axioms)
        return r;
    if ((row = grow_add(&x->rows, sizeof *row)))
        *row = (struct snomed_row){.set = text_pool_add(&x->pool, c->v[4]),
                                   .component = text_pool_add(&x->pool, c->v[5]),
                                   .module = text_pool_add(&x->pool, c->v[3]),
                                   .time = time_of(c->v[1]),
                                   .fields = (uint32_t)x->fields.n,
                                   .n_fields = (uint32_t)x->n_columns,
                                   .active = str_eq(c->v[2], STR("1"))};
    for (size_t i = 0; row && i < x->n_columns; i++) {
        struct cs_field *f = grow_add(&x->fields, sizeof *f);
        if (!f)
            return err_no_memory(err);
        *f = (struct cs_field){x->columns[i], text_pool_add(&x->pool, c->v[6 + i])};
    }
    return room(x, row, err);
}

static int line_language(struct load *l, const struct cells *c, struct err *err)
{
    struct load_snomed *x = l->snomed;
    struct snomed_dialect *d;
    int r = check(c, 7, 4, 6, err);

    if (r < 0 || str_eq(c->v[2], STR("0")))
        return r;
    if ((d = grow_add(&x->dialects, sizeof *d)))
        *d = (struct snomed_dialect){text_pool_add(&x->pool, c->v[5]),
                                     text_pool_add(&x->pool, c->v[4]),
                                     str_eq(c->v[6], STR(PREFERRED))};
    return room(x, d, err);
}

static int line_identifier(struct load *l, const struct cells *c, struct err *err)
{
    struct load_snomed *x = l->snomed;
    struct snomed_alternate *k;
    int r = check(c, 6, 4, 5, err);

    if (r < 0 || str_eq(c->v[2], STR("0")))
        return r;
    if (!c->v[0].n)
        return err_set(err, ERR_SYNTAX, "the alternate identifier is empty");
    if ((k = grow_add(&x->alternates, sizeof *k)))
        *k = (struct snomed_alternate){text_pool_add(&x->pool, c->v[0]),
                                       text_pool_add(&x->pool, c->v[4]),
                                       text_pool_add(&x->pool, c->v[5])};
    return room(x, k, err);
}

#define READER(name, what_, knows_, begin_, line_)                                                 \
    const struct load_reader name = {                                                              \
        .what = what_, .knows = knows_, .between = '\t', .begin = begin_, .line = line_}

READER(load_snomed_concept_reader, "SNOMED CT concepts", knows_concept, begin, line_concept);
READER(load_snomed_description_reader, "SNOMED CT descriptions", knows_description, begin,
       line_description);
READER(load_snomed_relationship_reader, "SNOMED CT relationships", knows_relationship, begin,
       line_relationship);
READER(load_snomed_concrete_reader, "SNOMED CT concrete values", knows_concrete, begin,
       line_concrete);
READER(load_snomed_refset_reader, "SNOMED CT reference set", knows_refset, begin_refset,
       line_refset);
READER(load_snomed_language_reader, "SNOMED CT language reference set", knows_language, begin,
       line_language);
READER(load_snomed_identifier_reader, "SNOMED CT alternate identifiers", knows_identifier, begin,
       line_identifier);

/* ---- the end ---- */

static struct str text(const struct load_snomed *x, text_at at)
{
    return text_pool_get(&x->pool, at);
}

static void build_concepts(struct load_snomed *x)
{
    struct str none = STR("");
    uint32_t module, time, defined;

    cs_builder_info(x->b)->flags = CS_IGNORE_CASE; /* digits: as HL7's terminology says it */
    module = cs_builder_property_def(x->b, STR(SNOMED_MODULE), none, STR("the module that has it"),
                                     PROPERTY_CODE);
    time = cs_builder_property_def(x->b, STR(SNOMED_TIME), none, STR("when it came to be so"),
                                   PROPERTY_STRING);
    defined = cs_builder_property_def(x->b, STR(SNOMED_DEFINED), none,
                                      STR("its relationships define it"), PROPERTY_BOOLEAN);
    for (size_t i = 0; i < x->concepts.n; i++) {
        const struct snomed_concept *p = GROW_AT(&x->concepts, struct snomed_concept, i);
        uint32_t concept =
            cs_builder_add(x->b, text(x, p->id), none, none, p->active ? 0 : CONCEPT_INACTIVE);
        char date[16];
        if (concept == CS_NONE)
            continue;
        snprintf(date, sizeof date, "%08u", p->time);
        cs_builder_property(x->b, concept, module, PROPERTY_CODE, text(x, p->module), none, none);
        cs_builder_property(x->b, concept, defined, PROPERTY_BOOLEAN,
                            p->defined ? STR("true") : STR("false"), none, none);
        if (p->time)
            cs_builder_property(x->b, concept, time, PROPERTY_STRING, str_c(date), none, none);
    }
}

/* ---- descriptions ---- */

static int by_description(const void *a, const void *b)
{
    const struct snomed_dialect *x = a, *y = b;

    return x->description != y->description
               ? (x->description > y->description) - (x->description < y->description)
               : (x->set > y->set) - (x->set < y->set);
}

/* The rows of language reference sets that name a description. */
static const struct snomed_dialect *dialects_of(const struct load_snomed *x, text_at id,
                                                size_t *ret_n)
{
    const struct snomed_dialect *all = (const void *)x->dialects.p;
    size_t low = 0, high = x->dialects.n, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all[middle].description < id)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < x->dialects.n && all[end].description == id;)
        end++;
    *ret_n = end - low;
    return all + low;
}

/* "SET+ SET-"; how much it is preferred: 2 in the dialect that the international edition is written
 * in, 1 in another. */
static struct cs_detail detail_of(struct load_snomed *x, const struct snomed_text *t,
                                  uint8_t *ret_preferred)
{
    _cleanup_(sb_done) struct sb b = sb_make(KIB(4));
    struct cs_detail detail = {.time = t->time};
    size_t n;
    const struct snomed_dialect *d = dialects_of(x, t->id, &n);

    *ret_preferred = 0;
    for (size_t i = 0; i < n; i++) {
        sb_fmt(&b, "%s%.*s%c", i ? " " : "", STR_ARG(text(x, d[i].set)),
               d[i].preferred ? '+' : '-');
        if (d[i].preferred)
            *ret_preferred =
                str_eq(text(x, d[i].set), STR(US_ENGLISH)) ? 2 : MAX(*ret_preferred, 1);
    }
    str_to_u64(text(x, t->id), UINT64_MAX, &detail.id);
    detail.module = cs_builder_text(x->b, text(x, t->module));
    detail.dialects = cs_builder_text(x->b, sb_view(&b));
    return detail;
}

static void retire(struct load_snomed *x, uint32_t concept, const struct snomed_text *t,
                   const struct cs_detail *detail)
{
    struct cs_retired old = {
        .detail = *detail,
        .d = {.language = cs_builder_text(x->b, text(x, t->language)),
              .use_code = cs_builder_text(x->b, text(x, t->type)),
              .value = cs_builder_text(x->b, text(x, t->term))},
        .concept = concept,
    };

    cs_builder_retired(x->b, &old);
}

static struct str use_of(struct str type)
{
    return str_eq(type, STR(FULLY_SPECIFIED)) ? STR("Fully specified name")
           : str_eq(type, STR(DEFINITION))    ? STR("Definition")
                                              : STR("Synonym");
}

/* The display is a preferred synonym; where no language set came with it, the first; else the fully
 * specified name. A definition is no name. */
static int build_texts(struct load_snomed *x, struct err *err)
{
    uint8_t *rank = load_alloc((cs_builder_n(x->b) + (size_t)1) * sizeof *rank);

    if (!rank)
        return err_no_memory(err);
    if (x->dialects.n)
        qsort(x->dialects.p, x->dialects.n, sizeof(struct snomed_dialect), by_description);
    for (size_t i = 0; i < x->descriptions.n; i++) {
        const struct snomed_text *t = GROW_AT(&x->descriptions, struct snomed_text, i);
        uint32_t concept = cs_builder_find(x->b, text(x, t->concept));
        struct str type = text(x, t->type);
        bool full = str_eq(type, STR(FULLY_SPECIFIED));
        uint8_t preferred, has;
        struct cs_detail detail;
        if (concept == CS_NONE)
            continue;
        detail = detail_of(x, t, &preferred);
        if (!t->active) {
            retire(x, concept, t, &detail);
            continue;
        }
        cs_builder_designation(x->b, concept, text(x, t->language), STR(SNOMED_URL), type,
                               use_of(type), text(x, t->term));
        cs_builder_detail(x->b, &detail);
        has = str_eq(type, STR(DEFINITION)) ? 0 : full ? 1 : (uint8_t)(2 + preferred);
        if (has > rank[concept]) {
            rank[concept] = has;
            cs_builder_display(x->b, concept, text(x, t->term));
        }
    }
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
    for (size_t i = 0; i < x->relationships.n; i++)
        build_link(x, GROW_AT(&x->relationships, struct snomed_link, i));
}

/* A row whose set and component are concepts; of those that are a list of concepts and no more, a
 * property of each says so, too. */
static void build_row(struct load_snomed *x, uint32_t member, const struct snomed_row *row)
{
    uint32_t set = cs_builder_find(x->b, text(x, row->set));
    uint32_t concept = cs_builder_find(x->b, text(x, row->component));

    if (concept == CS_NONE)
        return;
    if (row->active && !row->n_fields)
        cs_builder_property(x->b, concept, member, PROPERTY_CODE, text(x, row->set), STR(""),
                            STR(""));
    if (set == CS_NONE)
        return;
    cs_builder_member(x->b,
                      &(struct cs_member){.set = set,
                                          .concept = concept,
                                          .module = cs_builder_text(x->b, text(x, row->module)),
                                          .time = row->time,
                                          .active = row->active});
    for (uint32_t i = 0; i < row->n_fields; i++) {
        const struct cs_field *f = GROW_AT(&x->fields, struct cs_field, row->fields + i);
        cs_builder_member_field(x->b, text(x, f->name), text(x, f->value));
    }
}

static void build_rows(struct load_snomed *x)
{
    uint32_t member = cs_builder_property_def(x->b, STR(ECL_MEMBER), STR(""),
                                              STR("a reference set that it is in"), PROPERTY_CODE);

    for (size_t i = 0; i < x->rows.n; i++)
        build_row(x, member, GROW_AT(&x->rows, struct snomed_row, i));
}

static void build_alternates(struct load_snomed *x)
{
    uint32_t def;

    if (!x->alternates.n)
        return;
    def = cs_builder_property_def(x->b, STR(SNOMED_ALTERNATE), STR(""),
                                  STR("what another scheme calls it"), PROPERTY_STRING);
    for (size_t i = 0; i < x->alternates.n; i++) {
        const struct snomed_alternate *k = GROW_AT(&x->alternates, struct snomed_alternate, i);
        uint32_t concept = cs_builder_find(x->b, text(x, k->concept));
        if (concept != CS_NONE)
            cs_builder_property(x->b, concept, def, PROPERTY_STRING, text(x, k->code),
                                text(x, k->scheme), STR(""));
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
        text_at module = GROW_AT(&x->concepts, struct snomed_concept, i)->module;
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
    build_rows(x);
    build_alternates(x);
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
    grow_done(&x->rows);
    grow_done(&x->fields);
    grow_done(&x->dialects);
    grow_done(&x->alternates);
    free(x);
}
