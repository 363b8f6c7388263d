/* load_icd11.c - WHO's ICD-11 simple tabulation: one tab-separated line an entity, in the order of
 * the classification; the dashes before a title say how deep it stands.
 * https://icd.who.int/browse/latest-release/mms/en (Info, "Spreadsheet file").
 */
#include "terminology/load_int.h"

#include "terminology/grammar.h"

#include <stdlib.h>

#define DEPTH_MAX 40

enum { KIND_CHAPTER, KIND_BLOCK, KIND_CATEGORY };

/* Diagnosis code descriptors: what stands below may be added to any stem (Reference Guide 2.10). */
#define ANYWHERE "1897222875"

struct load_icd11 {
    struct cs_builder *b;
    struct cs_builder *entities; /* by what their URIs end with, numbered as in b */
    size_t anywhere;             /* depth of what may stand anywhere, + 1; 0: elsewhere */
    int foundation, linearization, code, block, title, kind, residual, chapter, leaf;
    uint32_t def_kind, def_chapter, def_leaf, def_residual, def_foundation, def_linearization;
    uint32_t stack[DEPTH_MAX + 1]; /* the last concept of each depth */
    size_t depth;
    char version[16];
};

static bool knows(const struct cells *h)
{
    return cells_find(h, "linearizationuri") >= 0 && cells_find(h, "blockid") >= 0 &&
           cells_find(h, "classkind") >= 0 && cells_find(h, "title") >= 0;
}

/* "Version:2024 Jan 21 - 22:30 UTC" is release 2024-01. */
static bool read_version(const struct cells *h, char ret[16])
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (size_t i = 0; i < h->n; i++) {
        struct str s = h->v[i];
        if (!str_starts(s, STR("Version:")) || s.n < 16)
            continue;
        s = str_from(s, 8);
        for (unsigned m = 0; m < 12; m++)
            if (memcmp(months + 3 * (size_t)m, s.p + 5, 3) == 0) {
                snprintf(ret, 16, "%.4s-%02u", s.p, m + 1);
                return true;
            }
    }
    return false;
}

static void describe(struct load_icd11 *x)
{
    struct cs_info *info = cs_builder_info(x->b);

    info->url = cs_builder_text(x->b, STR(GRAMMAR_ICD11_URL));
    info->version = cs_builder_text(x->b, str_c(x->version));
    info->name = cs_builder_text(x->b, STR("ICD11MMS"));
    info->title = cs_builder_text(x->b, STR("ICD-11 for Mortality and Morbidity Statistics"));
    info->language = cs_builder_text(x->b, STR("en"));
    info->hierarchy = cs_builder_text(x->b, STR("is-a"));
    info->status = cs_builder_text(x->b, STR("active"));
    info->content = CONTENT_COMPLETE;
    info->grammar = GRAMMAR_ICD11;
    info->flags = CS_COMPOSITIONAL | CS_CASE_UNKNOWN;
#define DEF(field, code, text, type)                                                               \
    x->def_##field = cs_builder_property_def(x->b, STR(code), STR(""), STR(text), type)
    DEF(kind, "kind", "chapter, block or category", PROPERTY_CODE);
    DEF(chapter, "chapter", "the chapter that it stands in", PROPERTY_CODE);
    DEF(leaf, "leaf", "nothing stands below it", PROPERTY_BOOLEAN);
    DEF(residual, "residual", "other specified, or unspecified", PROPERTY_BOOLEAN);
    DEF(foundation, "foundation", "its entity in the foundation", PROPERTY_STRING);
    DEF(linearization, "linearization", "its entity in the linearization", PROPERTY_STRING);
#undef DEF
}

static int begin(struct load *l, const struct cells *h, struct err *err)
{
    struct load_icd11 *x;

    if (l->icd11)
        return err_set(err, ERR_CONFLICT, "two ICD-11 tabulations cannot be loaded at once");
    x = l->icd11 = load_alloc(sizeof *x);
    if (!x || !(x->b = cs_builder_new()) || !(x->entities = cs_builder_new()))
        return err_no_memory(err);
    x->foundation = cells_find(h, "foundationuri");
    x->linearization = cells_find(h, "linearizationuri");
    x->code = cells_find(h, "code");
    x->block = cells_find(h, "blockid");
    x->title = cells_find(h, "title");
    x->kind = cells_find(h, "classkind");
    x->residual = cells_find(h, "isresidual");
    x->chapter = cells_find(h, "chapterno");
    x->leaf = cells_find(h, "isleaf");
    if (x->code < 0 || x->chapter < 0 || x->leaf < 0 || x->residual < 0 || x->foundation < 0)
        return err_set(err, ERR_SYNTAX,
                       "the tabulation lacks one of the columns Foundation URI, "
                       "Code, IsResidual, ChapterNo and isLeaf");
    if (!read_version(h, x->version))
        return err_set(err, ERR_SYNTAX, "the tabulation's last column does not name its version");
    describe(x);
    return 0;
}

/* "- - Cholera" stands at depth 2. */
static struct str take_dashes(struct str title, size_t *ret_depth)
{
    *ret_depth = 0;
    while (str_starts(title, STR("- "))) {
        title = str_from(title, 2);
        (*ret_depth)++;
    }
    return str_trim(title);
}

static int kind_of(struct str text)
{
    if (str_eq(text, STR("chapter")))
        return KIND_CHAPTER;
    if (str_eq(text, STR("block")))
        return KIND_BLOCK;
    return str_eq(text, STR("category")) ? KIND_CATEGORY : -1;
}

struct str load_entity(struct str uri)
{
    return str_from(uri, (size_t)(str_rfind(uri, '/') + 1));
}

static struct str yes_no(struct str text)
{
    return str_eq_nocase(text, STR("true")) ? STR("true") : STR("false");
}

static void add_properties(struct load_icd11 *x, uint32_t concept, const struct cells *c)
{
    struct cs_builder *b = x->b;
    struct str none = STR("");

    cs_builder_property(b, concept, x->def_kind, PROPERTY_CODE, c->v[x->kind], none, none);
    cs_builder_property(b, concept, x->def_chapter, PROPERTY_CODE, c->v[x->chapter], none, none);
    cs_builder_property(b, concept, x->def_leaf, PROPERTY_BOOLEAN, yes_no(c->v[x->leaf]), none,
                        none);
    cs_builder_property(b, concept, x->def_residual, PROPERTY_BOOLEAN, yes_no(c->v[x->residual]),
                        none, none);
    if (c->v[x->foundation].n)
        cs_builder_property(b, concept, x->def_foundation, PROPERTY_STRING, c->v[x->foundation],
                            none, none);
    if (c->v[x->linearization].n)
        cs_builder_property(b, concept, x->def_linearization, PROPERTY_STRING,
                            c->v[x->linearization], none, none);
}

static int line(struct load *l, const struct cells *c, struct err *err)
{
    struct load_icd11 *x = l->icd11;
    int kind = kind_of(c->v[x->kind]);
    struct str title, code, uri;
    uint32_t concept, flags;
    size_t depth;

    if (kind < 0)
        return err_set(err, ERR_SYNTAX,
                       "the class kind is \"%.*s\", not chapter, block or category",
                       (int)MIN(c->v[x->kind].n, 60u), c->v[x->kind].p);
    code = c->v[kind == KIND_CHAPTER ? x->chapter : kind == KIND_BLOCK ? x->block : x->code];
    if (kind == KIND_BLOCK && !code.n)
        code = load_entity(c->v[x->linearization]); /* those of the chapters V and X */
    if (!code.n || code.n > CS_CODE_MAX)
        return err_set(err, ERR_SYNTAX, "the %.*s has no code", STR_ARG(c->v[x->kind]));
    title = take_dashes(c->v[x->title], &depth);
    if (!title.n)
        return err_set(err, ERR_SYNTAX, "the code \"%.*s\" has no title", (int)MIN(code.n, 60u),
                       code.p);
    if (depth > DEPTH_MAX || depth > (cs_builder_n(x->b) ? x->depth + 1 : 0))
        return err_set(err, ERR_SYNTAX,
                       "\"%.*s\" stands at depth %zu, but what it stands below "
                       "is missing",
                       (int)MIN(code.n, 60u), code.p, depth);
    if (depth < x->anywhere)
        x->anywhere = 0;
    if (str_eq(load_linearized(c->v[x->linearization]), STR(ANYWHERE)))
        x->anywhere = depth + 1;
    flags = (kind != KIND_CATEGORY ? CONCEPT_ABSTRACT : 0) |
            (x->anywhere && kind == KIND_CATEGORY ? CONCEPT_ANYWHERE : 0) |
            (str_eq(c->v[x->chapter], STR("X")) && kind == KIND_CATEGORY ? CONCEPT_EXTENSION : 0);
    concept = cs_builder_add(x->b, code, title, STR(""), flags);
    if (concept == CS_NONE)
        return cs_builder_refused(x->b, code, err);
    uri = load_linearized(c->v[x->linearization]);
    if (cs_builder_add(x->entities, uri, STR(""), STR(""), 0) == CS_NONE)
        return cs_builder_refused(x->entities, uri, err);
    if (depth)
        cs_builder_parent(x->b, concept, x->stack[depth - 1]);
    x->stack[depth] = concept;
    x->depth = depth;
    add_properties(x, concept, c);
    return 0;
}

const struct load_reader load_icd11_reader = {
    .what = "ICD-11 tabulation",
    .quotes = true,
    .knows = knows,
    .between = '\t',
    .begin = begin,
    .line = line,
};

int load_icd11_finish(struct load *l, struct err *err)
{
    static const struct load_about about = {
        .id = "icd-11-mms",
        .name = "ICD11MMS",
        .title = "ICD-11 for Mortality and Morbidity Statistics",
        .publisher = "World Health Organization",
        .copyright = "CC BY-ND 3.0 IGO, World Health Organization",
    };

    int r;

    if (!l->icd11)
        return !l->axes ? 0
                        : err_set(err, ERR_REQUIRED,
                                  "the axes of ICD-11 are loaded beside its tabulation");
    r = load_axes_apply(l, l->icd11->b, l->icd11->entities, err);
    return r < 0 ? r : load_give_system(l, l->icd11->b, &about, err);
}

void load_icd11_free(struct load_icd11 *x)
{
    if (!x)
        return;
    cs_builder_free(x->b);
    cs_builder_free(x->entities);
    free(x);
}
