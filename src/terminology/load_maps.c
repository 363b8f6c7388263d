/* load_maps.c - WHO's maps between ICD-10 and ICD-11: tab-separated, one pair a line. Both say
 * related entities and no more, so that every mapping is "relatedto". An ICD-11 entity without a
 * code (blocks) is named by its number in the foundation, in a group of its own. The list of ICD-10
 * codes in them becomes a code system, too, marked as a fragment: the maps are no tabulation.
 */
#include "terminology/load_int.h"

#include "terminology/grammar.h"

#include <stdlib.h>

#define ICD10_URL "http://hl7.org/fhir/sid/icd-10"
#define BLOCK_DEPTH_MAX 8

enum side { SIDE_CODED, SIDE_FOUNDATION }; /* the groups of a map */

enum which_map { MAP_10_11_ONE, MAP_10_11_MANY, MAP_11_10_ONE, MAP_COUNT };

struct load_maps {
    struct map_builder *maps[MAP_COUNT];
    struct cs_builder *icd10;
    enum which_map now;
    char last[40]; /* source code of the last element */
    enum side last_side;
    char release[16]; /* of ICD-11: "2024-01" */
    int from, from_title, to, to_title, kind, depth, uri, foundation;
    bool forward;                        /* from ICD-10 */
    uint32_t stack[BLOCK_DEPTH_MAX * 3]; /* the last concept of each kind and depth */
    size_t n_stack;
};

/* ---- what a file is ---- */

static bool knows_10_11(const struct cells *h)
{
    return cells_find(h, "icd10code") >= 0 && cells_find(h, "icd11code") >= 0 &&
           cells_find(h, "10classkind") == 0;
}

static bool knows_11_10(const struct cells *h)
{
    return cells_find(h, "icd10code") >= 0 && cells_find(h, "icd11code") == 1;
}

static int add_groups(struct map_builder *b, bool forward, struct err *err)
{
    static const char *const icd11[] = {
        [SIDE_CODED] = GRAMMAR_ICD11_URL, [SIDE_FOUNDATION] = ICD11_FOUNDATION_URL};

    for (size_t i = 0; i < ARRAY_LEN(icd11); i++) {
        struct map_group *g = map_builder_group(b);
        if (!g)
            return err_no_memory(err);
        *g = (struct map_group){
            .source = map_builder_text(b, str_c(forward ? ICD10_URL : icd11[i])),
            .target = map_builder_text(b, str_c(forward ? icd11[i] : ICD10_URL)),
        };
    }
    return 0;
}

static int begin_map(struct load *l, enum which_map which, const struct cells *h, struct err *err)
{
    bool forward = which != MAP_11_10_ONE;
    struct load_maps *x = l->maps = l->maps ? l->maps : load_alloc(sizeof *x);
    struct map_builder *b;

    if (!x)
        return err_no_memory(err);
    if (x->maps[which])
        return err_set(err, ERR_CONFLICT, "this map is given twice");
    b = x->maps[which] = map_builder_new();
    if (!b)
        return err_no_memory(err);
    x->now = which;
    x->forward = forward;
    x->last[0] = '\0';
    x->from = cells_find(h, forward ? "icd10code" : "icd11code");
    x->from_title = cells_find(h, forward ? "icd10title" : "icd11title");
    x->to = cells_find(h, forward ? "icd11code" : "icd10code");
    x->to_title = cells_find(h, forward ? "icd11title" : "icd10title");
    x->kind = cells_find(h, "10classkind");
    x->depth = x->kind + 1;
    x->uri = cells_find(h, "linearizationreleaseuri");
    x->foundation = cells_find(h, "icd11foundationuri");
    if ((forward && x->foundation < 0) || x->from_title < 0 || x->to_title < 0 || x->uri < 0)
        return err_set(err, ERR_SYNTAX, "the map lacks one of its columns of titles and URIs");
    return add_groups(b, forward, err);
}

static int begin_10_11(struct load *l, const struct cells *h, struct err *err)
{
    /* The map to one category calls its second column by its whole name. */
    bool one = cells_find(h, "10depthinkind") >= 0;

    return begin_map(l, one ? MAP_10_11_ONE : MAP_10_11_MANY, h, err);
}

static int begin_11_10(struct load *l, const struct cells *h, struct err *err)
{
    return begin_map(l, MAP_11_10_ONE, h, err);
}

/* ---- lines ---- */

/* ".../icd/release/11/2024-01/mms/…" */
static void note_release(struct load_maps *x, struct str uri)
{
    static const struct str before = STR("/icd/release/11/");
    const char *at = uri.n ? memmem(uri.p, uri.n, before.p, before.n) : NULL;
    struct str rest;
    ptrdiff_t end;

    if (x->release[0] || !at)
        return;
    rest = str_from(uri, (size_t)(at - uri.p) + before.n);
    end = str_find(rest, '/');
    if (end > 0 && end < (ptrdiff_t)sizeof x->release)
        snprintf(x->release, sizeof x->release, "%.*s", (int)end, rest.p);
}

static int entity_of(struct str uri, struct str *ret, struct err *err)
{
    struct str number = load_entity(uri);
    uint64_t n;

    if (!str_to_u64(number, UINT64_MAX, &n))
        return err_set(err, ERR_SYNTAX, "the entity has no code, and \"%.*s\" names none",
                       (int)MIN(uri.n, 100u), uri.n ? uri.p : "");
    *ret = number;
    return 0;
}

static int add_element(struct load_maps *x, enum side side, struct str code, struct str title,
                       struct err *err)
{
    if (code.n >= sizeof x->last)
        return err_set(err, ERR_SYNTAX, "the code \"%.40s\" is too long", code.p);
    if (side == x->last_side && str_eq(code, str_c(x->last)))
        return 0;
    map_builder_element(x->maps[x->now], (uint32_t)side, code, title);
    snprintf(x->last, sizeof x->last, "%.*s", STR_ARG(code));
    x->last_side = side;
    return 0;
}

/* The maps from ICD-10 say it in the column of the foundation, the one to it in that of the code.
 */
static bool is_unmapped(const struct load_maps *x, const struct cells *c)
{
    return str_eq(c->v[x->forward ? x->foundation : x->to], STR("No Mapping"));
}

static int add_pair(struct load_maps *x, const struct cells *c, struct err *err)
{
    bool unmapped = is_unmapped(x, c);
    struct str from = c->v[x->from], to = c->v[x->to];
    struct str *icd11 = x->forward ? &to : &from;
    enum side side = icd11->n || (unmapped && x->forward) ? SIDE_CODED : SIDE_FOUNDATION;
    int r = 0;

    note_release(x, c->v[x->uri]);
    if (side == SIDE_FOUNDATION && (r = entity_of(c->v[x->uri], icd11, err)) < 0)
        return r;
    if (!from.n || (!to.n && !unmapped))
        return err_set(err, ERR_SYNTAX, "the line has no ICD-10 code");
    if ((r = add_element(x, side, from, c->v[x->from_title], err)) < 0)
        return r;
    map_builder_target(x->maps[x->now], unmapped ? STR("") : to,
                       unmapped ? STR("") : c->v[x->to_title],
                       unmapped ? STR("unmatched") : STR("relatedto"));
    return 0;
}

static void describe_icd10(struct load_maps *x)
{
    struct cs_info *info = cs_builder_info(x->icd10);

    info->url = cs_builder_text(x->icd10, STR(ICD10_URL));
    info->name = cs_builder_text(x->icd10, STR("ICD10"));
    info->language = cs_builder_text(x->icd10, STR("en"));
    info->hierarchy = cs_builder_text(x->icd10, STR("is-a"));
    info->status = cs_builder_text(x->icd10, STR("active"));
    info->content = CONTENT_FRAGMENT;
    info->flags = CS_CASE_UNKNOWN;
}

/* The list stands in the order of the classification: chapters, their blocks, their categories. */
static int add_icd10(struct load_maps *x, const struct cells *c, struct err *err)
{
    struct str kind = c->v[x->kind];
    size_t place = str_eq(kind, STR("chapter")) ? 0
                   : str_eq(kind, STR("block")) ? 1
                                                : 1 + BLOCK_DEPTH_MAX;
    uint64_t depth;
    uint32_t concept;

    if (!str_to_u64(c->v[x->depth], BLOCK_DEPTH_MAX, &depth) || !depth)
        return err_set(err, ERR_SYNTAX, "the depth is \"%.*s\", not a number from 1 to %d",
                       (int)MIN(c->v[x->depth].n, 20u), c->v[x->depth].p, BLOCK_DEPTH_MAX);
    place += place ? (size_t)depth - 1 : 0;
    concept = cs_builder_add(x->icd10, c->v[x->from], c->v[x->from_title], STR(""),
                             place <= BLOCK_DEPTH_MAX ? CONCEPT_ABSTRACT : 0);
    if (concept == CS_NONE)
        return 0;
    for (size_t i = place; i-- > 0;)
        if (x->stack[i]) {
            cs_builder_parent(x->icd10, concept, x->stack[i] - 1);
            break;
        }
    x->stack[place] = concept + 1;
    for (size_t i = place + 1; i < ARRAY_LEN(x->stack); i++)
        x->stack[i] = 0;
    return 0;
}

static int line_10_11(struct load *l, const struct cells *c, struct err *err)
{
    struct load_maps *x = l->maps;
    int r = 0;

    if (c->n < 10)
        return err_set(err, ERR_SYNTAX, "the line has %zu columns, not 12", c->n);
    if (x->now == MAP_10_11_ONE) {
        if (!x->icd10) {
            if (!(x->icd10 = cs_builder_new()))
                return err_no_memory(err);
            describe_icd10(x);
        }
        r = add_icd10(x, c, err);
    }
    return r < 0 ? r : add_pair(x, c, err);
}

static int line_11_10(struct load *l, const struct cells *c, struct err *err)
{
    if (c->n < 5)
        return err_set(err, ERR_SYNTAX, "the line has %zu columns, not 7", c->n);
    return add_pair(l->maps, c, err);
}

const struct load_reader load_map_10_11_reader = {
    .what = "map from ICD-10 to ICD-11",
    .knows = knows_10_11,
    .between = '\t',
    .begin = begin_10_11,
    .line = line_10_11,
};

const struct load_reader load_map_11_10_reader = {
    .what = "map from ICD-11 to ICD-10",
    .knows = knows_11_10,
    .between = '\t',
    .begin = begin_11_10,
    .line = line_11_10,
};

/* ---- the end ---- */

static const struct {
    const char *url;
    struct load_about about;
    const char *source, *target;
} maps[] = {
#define WHO .publisher = "World Health Organization", .copyright = "CC BY-ND 3.0 IGO, WHO"
#define ICD10_ALL "http://hl7.org/fhir/ValueSet/icd-10"
#define ICD11_ALL GRAMMAR_ICD11_URL "?fhir_vs"
    [MAP_10_11_ONE] = {"urn:carnet:map:icd-10-to-icd-11:one",
                       {.id = "icd-10-to-icd-11-one",
                        .name = "ICD10ToICD11One",
                        .title = "ICD-10 to ICD-11, one category",
                        WHO},
                       ICD10_ALL,
                       ICD11_ALL},
    [MAP_10_11_MANY] = {"urn:carnet:map:icd-10-to-icd-11:many",
                        {.id = "icd-10-to-icd-11-many",
                         .name = "ICD10ToICD11Many",
                         .title = "ICD-10 to ICD-11, several categories",
                         WHO},
                        ICD10_ALL,
                        ICD11_ALL},
    [MAP_11_10_ONE] = {"urn:carnet:map:icd-11-to-icd-10:one",
                       {.id = "icd-11-to-icd-10-one",
                        .name = "ICD11ToICD10One",
                        .title = "ICD-11 to ICD-10, one category",
                        WHO},
                       ICD11_ALL,
                       ICD10_ALL},
};

int load_maps_finish(struct load *l, struct err *err)
{
    static const struct load_about icd10 = {.id = "icd-10-of-maps",
                                            .name = "ICD10",
                                            .title = "ICD-10, as WHO's maps to ICD-11 list it",
                                            WHO};
    struct load_maps *x = l->maps;
    int r = 0;

    if (!x)
        return 0;
    for (size_t i = 0; r >= 0 && i < MAP_COUNT; i++) {
        struct map_info *info;
        if (!x->maps[i])
            continue;
        info = map_builder_info(x->maps[i]);
        info->url = map_builder_text(x->maps[i], str_c(maps[i].url));
        info->version = map_builder_text(x->maps[i], str_c(x->release));
        info->source = map_builder_text(x->maps[i], str_c(maps[i].source));
        info->target = map_builder_text(x->maps[i], str_c(maps[i].target));
        r = load_give_map(l, x->maps[i], &maps[i].about, str_c(maps[i].source),
                          str_c(maps[i].target), err);
    }
    if (r >= 0 && x->icd10)
        r = load_give_system(l, x->icd10, &icd10, err);
    return r;
}

void load_maps_free(struct load_maps *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < MAP_COUNT; i++)
        map_builder_free(x->maps[i]);
    cs_builder_free(x->icd10);
    free(x);
}
