#include "fhir/shelf.h"

#include "base/fault.h"
#include "fhir/base_resources.h"
#include "fhir/defs.h"

#include <stdlib.h>

#define BUCKETS 8192

struct kept {
    struct str url, version;
    int type;
    yyjson_val *root;
    struct kept *next;
};

struct shelf {
    struct arena arena;
    struct kept *buckets[BUCKETS];
    struct world world;
    const struct world *behind;
};

/* ---- putting ---- */

static int put(struct shelf *s, yyjson_val *root, struct err *err)
{
    struct str url = js_get_str(root, "url");
    struct kept *k, **bucket;

    if (!url.n)
        return 0;
    k = ARENA_NEW(&s->arena, struct kept);
    if (!k)
        return err_no_memory(err);
    bucket = &s->buckets[str_hash(url) % BUCKETS];
    *k = (struct kept){.url = url,
                       .version = js_get_str(root, "version"),
                       .type = def_resource(js_get_str(root, "resourceType")),
                       .root = root,
                       .next = *bucket};
    *bucket = k;
    return 0;
}

static int put_base(void *ctx, struct str json, struct err *err)
{
    struct shelf *s = ctx;
    yyjson_val *root;
    int r = js_parse_stored(&s->arena, json, &root, err);

    return r < 0 ? r : put(s, root, err);
}

int shelf_put(struct shelf *s, struct str json, struct err *err)
{
    yyjson_val *root;
    int r = js_parse(&s->arena, json, &root, err);

    return r < 0 ? r : put(s, root, err);
}

/* ---- canonicals ---- */

static struct kept *find(struct shelf *s, int type, struct str canonical)
{
    ptrdiff_t bar = str_find(canonical, '|');
    struct str url = bar < 0 ? canonical : str_head(canonical, (size_t)bar);
    struct str version = bar < 0 ? STR("") : str_from(canonical, (size_t)bar + 1);

    for (struct kept *k = s->buckets[str_hash(url) % BUCKETS]; k; k = k->next)
        if (str_eq(k->url, url) && (!type || k->type == type) &&
            (!version.n || str_eq(k->version, version)))
            return k;
    return NULL;
}

static int canonical(void *ctx, struct arena *a, int type, struct str url, yyjson_val **ret,
                     struct err *err)
{
    struct shelf *s = ctx;
    struct kept *k = find(s, type, url);

    *ret = k ? k->root : NULL;
    return !k && s->behind && s->behind->canonical
               ? s->behind->canonical(s->behind->ctx, a, type, url, ret, err)
               : 0;
}

static int reference(void *ctx, struct arena *a, struct str ref, yyjson_val **ret, struct err *err)
{
    struct shelf *s = ctx;

    *ret = NULL;
    return s->behind && s->behind->reference
               ? s->behind->reference(s->behind->ctx, a, ref, ret, err)
               : 0;
}

/* ---- codes ---- */

/* A concept in a list of them, and below; JSON's depth bounds how far. */
static yyjson_val *concept_in(yyjson_val *list, struct str code)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(list, i, n, v) {
        yyjson_val *below;
        if (str_eq(js_get_str(v, "code"), code))
            return v;
        below = concept_in(js_get(v, "concept"), code);
        if (below)
            return below;
    }
    return NULL;
}

static struct str display_of(yyjson_val *concept, struct str wanted)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(js_get(concept, "designation"), i, n, v) {
        if (wanted.n && display_is(js_get_str(v, "value"), wanted))
            return wanted;
    }
    return js_get_str(concept, "display");
}

static enum terms_answer in_system(struct shelf *s, struct str system, const struct coding *coding,
                                   struct str *ret_display)
{
    struct kept *k = find(s, def_resource(STR("CodeSystem")), system);
    bool is_whole = k && str_eq(js_get_str(k->root, "content"), STR("complete"));
    yyjson_val *found = k ? concept_in(js_get(k->root, "concept"), coding->code) : NULL;

    if (found && ret_display)
        *ret_display = display_of(found, coding->display);
    return found ? TERMS_YES : is_whole ? TERMS_NO : TERMS_UNKNOWN;
}

static enum terms_answer in_set(struct shelf *s, struct str url, const struct coding *coding,
                                unsigned depth);

/* All of the sets that an include names must have it. */
static enum terms_answer in_sets(struct shelf *s, yyjson_val *list, const struct coding *coding,
                                 unsigned depth)
{
    enum terms_answer all = TERMS_YES, one;
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(list, i, n, v) {
        one = in_set(s, js_str(v), coding, depth + 1);
        if (one == TERMS_NO)
            return TERMS_NO;
        if (one == TERMS_UNKNOWN)
            all = TERMS_UNKNOWN;
    }
    return all;
}

static enum terms_answer in_include(struct shelf *s, yyjson_val *include,
                                    const struct coding *coding, unsigned depth)
{
    struct str system = js_get_str(include, "system");
    yyjson_val *concepts = js_get(include, "concept");
    enum terms_answer sets = in_sets(s, js_get(include, "valueSet"), coding, depth), own;

    if (!system.n || sets == TERMS_NO)
        return sets;
    if (coding->system.p && !str_eq(coding->system, system))
        return TERMS_NO;
    if (concepts)
        own = concept_in(concepts, coding->code) ? TERMS_YES : TERMS_NO;
    else
        own = in_system(s, system, coding, NULL);
    if (own != TERMS_NO && js_get(include, "filter"))
        own = TERMS_UNKNOWN;
    return own == TERMS_YES ? sets : own;
}

static enum terms_answer in_any(struct shelf *s, yyjson_val *list, const struct coding *coding,
                                unsigned depth)
{
    enum terms_answer any = TERMS_NO;
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(list, i, n, v) {
        enum terms_answer one = in_include(s, v, coding, depth);
        if (one == TERMS_YES)
            return TERMS_YES;
        if (one == TERMS_UNKNOWN)
            any = TERMS_UNKNOWN;
    }
    return any;
}

static enum terms_answer in_set(struct shelf *s, struct str url, const struct coding *coding,
                                unsigned depth)
{
    struct kept *k = find(s, def_resource(STR("ValueSet")), url);
    yyjson_val *compose = k ? js_get(k->root, "compose") : NULL;
    enum terms_answer in, out;

    if (!compose || depth >= SHELF_NESTING_MAX)
        return TERMS_UNKNOWN;
    in = in_any(s, js_get(compose, "include"), coding, depth);
    if (in == TERMS_NO)
        return in;
    out = in_any(s, js_get(compose, "exclude"), coding, depth);
    return out == TERMS_YES ? TERMS_NO : out == TERMS_UNKNOWN ? out : in;
}

static int member_of(void *ctx, struct arena *a, struct str value_set, const struct coding *coding,
                     enum terms_answer *ret, struct err *err)
{
    struct shelf *s = ctx;

    *ret = in_set(s, value_set, coding, 0);
    return *ret == TERMS_UNKNOWN && s->behind && s->behind->member_of
               ? s->behind->member_of(s->behind->ctx, a, value_set, coding, ret, err)
               : 0;
}

static int has_code(void *ctx, struct arena *a, const struct coding *coding, enum terms_answer *ret,
                    struct str *ret_display, struct err *err)
{
    struct shelf *s = ctx;

    *ret = in_system(s, coding->system, coding, ret_display);
    return *ret == TERMS_UNKNOWN && s->behind && s->behind->has_code
               ? s->behind->has_code(s->behind->ctx, a, coding, ret, ret_display, err)
               : 0;
}

static int subsumes(void *ctx, struct arena *a, struct str system, struct str code_a,
                    struct str code_b, enum terms_relation *ret, struct err *err)
{
    struct shelf *s = ctx;

    *ret = RELATION_UNKNOWN;
    return s->behind && s->behind->subsumes
               ? s->behind->subsumes(s->behind->ctx, a, system, code_a, code_b, ret, err)
               : 0;
}

static int codes(void *ctx, struct arena *a, enum terms_set kind, struct str url,
                 const struct coding *of, size_t max, bool quick, const struct code_set **ret,
                 struct err *err)
{
    struct shelf *s = ctx;

    *ret = NULL;
    return s->behind && s->behind->codes
               ? s->behind->codes(s->behind->ctx, a, kind, url, of, max, quick, ret, err)
               : 0;
}

/* ---- life ---- */

int shelf_new_bare(struct shelf **ret, struct err *err)
{
    struct shelf *s = fault_point("malloc") ? NULL : calloc(1, sizeof *s);

    if (!s)
        return err_no_memory(err);
    arena_init(&s->arena, SHELF_BYTES_MAX);
    s->world = (struct world){.ctx = s,
                              .canonical = canonical,
                              .reference = reference,
                              .member_of = member_of,
                              .has_code = has_code,
                              .subsumes = subsumes,
                              .codes = codes};
    *ret = s;
    return 0;
}

int shelf_new(struct shelf **ret, struct err *err)
{
    struct shelf *s;
    int r = shelf_new_bare(&s, err);

    if (r < 0)
        return r;
    r = base_resources(put_base, s, err);
    if (r < 0) {
        shelf_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void shelf_free(struct shelf *s)
{
    if (!s)
        return;
    arena_done(&s->arena);
    free(s);
}

const struct world *shelf_world(struct shelf *s, const struct world *behind)
{
    s->behind = behind;
    return &s->world;
}
