/* terms.c - terminology from outside. The first byte says what follows: 'L' a file to load, 'E' an
 * expression constraint, 'C' a cluster of ICD-11, 'R' a regular expression, a line feed and a text,
 * 'S' a CodeSystem resource, 'M' a ConceptMap, 'W' words to look for.
 */
#include "fuzz.h"
#include "terminology/cluster.h"
#include "terminology/ecl.h"
#include "terminology/load.h"
#include "terminology/map.h"
#include "terminology/pattern.h"
#include "terminology/resource.h"

#include <string.h>

#define ARENA_MAX MIB(64)
#define SYSTEM_N 20

static int take(void *ctx, const struct load_result *result, struct err *err)
{
    (void)ctx;
    (void)err;
    FUZZ_HOLDS(result->image.n > 0 && result->resource.n > 0);
    return 0;
}

static int take_resource(void *ctx, struct str json, struct err *err)
{
    (void)ctx;
    (void)err;
    FUZZ_HOLDS(json.n > 0);
    return 0;
}

static void load(struct str text)
{
    struct load_sink sink = {.take = take, .resource = take_resource};
    struct load *l = load_new(&sink);
    struct err err = {0};

    if (l && load_read_memory(l, "fuzz", text, &err) >= 0)
        load_finish(l, &err);
    load_free(l);
}

/* What a release says besides: of each concept a description, one that is no longer active, and a
 * row of a reference set. */
static void add_release(struct cs_builder *b, uint32_t i, struct str code)
{
    text_at sets = cs_builder_text(b, STR("100001+ 100002-"));
    struct cs_detail detail = {
        .id = i, .module = cs_builder_text(b, STR("100003")), .dialects = sets, .time = 20240101};

    cs_builder_designation(b, i, STR("en"), STR(""), STR("900000000000013009"), STR(""), code);
    cs_builder_detail(b, &detail);
    cs_builder_retired(b, &(struct cs_retired){.detail = detail,
                                               .d = {.value = cs_builder_text(b, STR("Old name"))},
                                               .concept = i});
    cs_builder_member(b, &(struct cs_member){.set = 4, .concept = i, .active = i % 2});
    cs_builder_member_field(b, STR("targetComponentId"), STR("100005"));
    cs_builder_member_field(b, STR("mapGroup"), STR("2"));
}

/* Numbers of 6 digits, each below the one of half its number. */
static struct cs *make_system(void)
{
    struct cs_builder *b = cs_builder_new();
    struct cs *cs = NULL;
    struct err err;
    char *bytes;
    size_t n;

    for (uint32_t i = 0; b && i < SYSTEM_N; i++) {
        char code[12];
        snprintf(code, sizeof code, "%u", 100000 + i);
        cs_builder_add(b, str_c(code), str_c(code), STR(""), i == 3 ? CONCEPT_EXTENSION : 0);
        add_release(b, i, str_c(code));
        if (i)
            cs_builder_parent(b, i, i / 2);
        cs_builder_property(
            b, i, cs_builder_property_def(b, STR("100001"), STR(""), STR(""), PROPERTY_CODE),
            PROPERTY_CODE, STR("100002"), STR(""), STR(""));
    }
    if (b && cs_build(b, &bytes, &n, &err) >= 0)
        cs_open(bytes, n, &cs, &err);
    cs_builder_free(b);
    return cs;
}

static void ask(char what, struct str text, struct arena *a)
{
    struct cs *cs = make_system();
    uint64_t bits[1] = {0}, *found;
    struct str display;
    struct err err = {0};

    if (!cs)
        return;
    if (what == 'E' && ecl_select(cs, a, text, bits, &err) >= 0)
        FUZZ_HOLDS(bits[0] >> SYSTEM_N == 0);
    if (what == 'C' && cluster_check(cs, a, text, &display, &err) >= 0)
        FUZZ_HOLDS(cs_find(cs, cluster_stem(text)) != CS_NONE);
    if (what == 'W' && cs_match_text(cs, a, text, &found, &err) >= 0 && found)
        FUZZ_HOLDS(found[0] >> SYSTEM_N == 0);
    cs_unref(cs);
}

static void match(struct str text)
{
    ptrdiff_t cut = str_find(text, '\n');
    struct pattern *p;
    struct err err;

    if (cut >= 0 && pattern_new(str_head(text, (size_t)cut), &p, &err) >= 0) {
        pattern_matches(p, str_from(text, (size_t)cut + 1));
        pattern_free(p);
    }
}

static void compile(char what, struct str text, struct arena *a)
{
    yyjson_val *root;
    struct map *map;
    struct err err;
    struct cs *cs;

    if (js_parse(a, text, &root, &err) < 0)
        return;
    if (what == 'S' && cs_of_resource(root, &cs, &err) >= 0) {
        for (uint32_t i = 0; i < cs_n(cs); i++)
            FUZZ_HOLDS(cs_find(cs, cs_code(cs, i)) == i);
        cs_unref(cs);
    }
    if (what == 'M' && map_of_resource(root, &map, &err) >= 0)
        map_unref(map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = str_n((const char *)data + 1, n ? n - 1 : 0);
    struct arena a;

    if (!n)
        return 0;
    arena_init(&a, ARENA_MAX);
    switch (data[0]) {
    case 'L': load(text); break;
    case 'R': match(text); break;
    case 'S':
    case 'M': compile((char)data[0], text, &a); break;
    default: ask((char)data[0], text, &a);
    }
    arena_done(&a);
    return 0;
}
