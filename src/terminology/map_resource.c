/* map_resource.c - a ConceptMap resource, compiled (conceptmap.html). */
#include "terminology/map.h"

static text_at json_text(struct map_builder *b, yyjson_val *v)
{
    _cleanup_(sb_done) struct sb out = sb_make(MIB(1));

    if (!yyjson_arr_size(v))
        return 0;
    js_write(&out, v);
    return map_builder_text(b, sb_view(&out));
}

static void read_targets(struct map_builder *b, yyjson_val *list)
{
    yyjson_val *v;
    size_t i, n;

    yyjson_arr_foreach(list, i, n, v) {
        struct map_target *t = map_builder_target(
            b, js_get_str(v, "code"), js_get_str(v, "display"), js_get_str(v, "equivalence"));
        if (!t)
            return;
        t->comment = map_builder_text(b, js_get_str(v, "comment"));
        t->depends_on = json_text(b, js_get(v, "dependsOn"));
        t->product = json_text(b, js_get(v, "product"));
    }
}

static uint32_t unmapped_of(struct str mode)
{
    if (str_eq(mode, STR("provided")))
        return UNMAPPED_PROVIDED;
    if (str_eq(mode, STR("fixed")))
        return UNMAPPED_FIXED;
    return str_eq(mode, STR("other-map")) ? UNMAPPED_OTHER_MAP : UNMAPPED_NONE;
}

static void read_group(struct map_builder *b, uint32_t number, yyjson_val *v)
{
    struct map_group *g = map_builder_group(b);
    yyjson_val *unmapped = js_get(v, "unmapped"), *e;
    size_t i, n;

    if (!g)
        return;
    *g = (struct map_group){
        .source = map_builder_text(b, js_get_str(v, "source")),
        .source_version = map_builder_text(b, js_get_str(v, "sourceVersion")),
        .target = map_builder_text(b, js_get_str(v, "target")),
        .target_version = map_builder_text(b, js_get_str(v, "targetVersion")),
        .unmapped = unmapped_of(js_get_str(unmapped, "mode")),
        .unmapped_code = map_builder_text(b, js_get_str(unmapped, "code")),
        .unmapped_display = map_builder_text(b, js_get_str(unmapped, "display")),
        .unmapped_url = map_builder_text(b, js_get_str(unmapped, "url")),
    };
    yyjson_arr_foreach(js_get(v, "element"), i, n, e) {
        map_builder_element(b, number, js_get_str(e, "code"), js_get_str(e, "display"));
        read_targets(b, js_get(e, "target"));
    }
}

/* sourceUri or sourceCanonical, without the version. */
static text_at read_side(struct map_builder *b, yyjson_val *root, const char *uri,
                         const char *canonical)
{
    struct str text = js_get_str(root, canonical);
    ptrdiff_t bar;

    text = text.n ? text : js_get_str(root, uri);
    bar = str_find(text, '|');
    return map_builder_text(b, bar < 0 ? text : str_head(text, (size_t)bar));
}

int map_of_resource(yyjson_val *root, struct map **ret, struct err *err)
{
    _cleanup_(map_builder_freep) struct map_builder *b = map_builder_new();
    struct map_info *info = b ? map_builder_info(b) : NULL;
    yyjson_val *v;
    size_t i, n;
    char *bytes;
    int r;

    if (!b)
        return err_no_memory(err);
    info->url = map_builder_text(b, js_get_str(root, "url"));
    info->version = map_builder_text(b, js_get_str(root, "version"));
    info->source = read_side(b, root, "sourceUri", "sourceCanonical");
    info->target = read_side(b, root, "targetUri", "targetCanonical");
    yyjson_arr_foreach(js_get(root, "group"), i, n, v) {
        read_group(b, (uint32_t)i, v);
    }
    r = map_build(b, &bytes, &n, err);
    return r < 0 ? r : map_open(bytes, n, ret, err);
}
